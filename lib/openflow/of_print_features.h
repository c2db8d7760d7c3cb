/* of_print_features.h - tables one after the other, as ovs-ofctl prints them; for
 * of_print_tables.c and weir-ofctl. No state, any thread. */
#pragma once

#include "openflow/of_print_private.h"

struct print_table {
	struct of_table_features features; /* without properties: those of statistics */
	bool has_stats;
	uint32_t active;
	uint64_t lookups, matched;
	int config; /* of misses, 1.1 and 1.2; -1 = not known */
};

/* To be zeroed, with 'out' and 'version' set. */
struct print_tables {
	struct str *out;
	enum of_version version;
	bool has_before, is_short; /* the last one was a ditto */
	struct print_table before;
	unsigned n_dittos, last_ditto; /* not printed yet */
};

void print_tables_add(struct print_tables *p, const struct print_table *table);
void print_tables_end(struct print_tables *p);

void print_table_from_stats(enum of_version version, const struct of_table_stats *stats,
                            struct print_table *table);
