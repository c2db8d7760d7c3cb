/* schema.h - what RFC 7047 calls <database-schema>: tables, columns and their types.
 * Read from JSON once, constant afterwards. */
#pragma once

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hmap.h"

enum ovsdb_kind {
	OVSDB_VOID,
	OVSDB_INTEGER,
	OVSDB_REAL,
	OVSDB_BOOLEAN,
	OVSDB_STRING,
	OVSDB_UUID
};

#define OVSDB_UNLIMITED UINT_MAX

struct ovsdb_datum;

/* <base-type>: a kind of atom and what it may be. */
struct ovsdb_base_type {
	enum ovsdb_kind kind;
	struct ovsdb_datum *allowed; /* "enum"; NULL = any */
	int64_t min_integer, max_integer;
	double min_real, max_real;
	unsigned min_length, max_length;
	char *ref_table; /* a UUID that must name a row of this table; NULL = any */
	bool is_weak_ref;
};

/* <type>: n_max > 1 is a set or map; value.kind is OVSDB_VOID unless a map. */
struct ovsdb_type {
	struct ovsdb_base_type key, value;
	unsigned n_min, n_max;
};

struct ovsdb_column {
	struct hmap_node node; /* in the table's columns, by name */
	char *name;
	unsigned index; /* place in a row's array of datums */
	struct ovsdb_type type;
	bool is_mutable;
	bool is_ephemeral; /* not written to disk */
};

struct ovsdb_table_schema {
	struct hmap_node node; /* in the schema's tables, by name */
	char *name;
	struct hmap columns_by_name;
	struct ovsdb_column *
		*columns; /* by index; the hidden _uuid and _version come first */
	size_t n_columns;
	const struct ovsdb_column ***indexes; /* NULL-terminated lists of columns */
	size_t n_indexes;
	bool is_root;
	bool has_weak_refs;
	unsigned max_rows;
};

struct ovsdb_schema {
	char *name, *version, *checksum;
	struct hmap tables;
	json_t *json; /* as read: what get_schema answers */
};

/* The schema of the Open_vSwitch database, as JSON. */
const char *ovsdb_schema_text(void);

static inline bool
ovsdb_type_is_map(const struct ovsdb_type *type)
{
	return type->value.kind != OVSDB_VOID;
}

/* "integer", ...; for error texts. */
const char *ovsdb_kind_name(enum ovsdb_kind kind);

/* Letters, digits and underscores, not starting with a digit (RFC 7047, <id>). */
bool ovsdb_is_id(const char *text);

int ovsdb_schema_from_json(const json_t *json, struct ovsdb_schema **schema,
                           struct error *err);
void ovsdb_schema_destroy(struct ovsdb_schema *schema);
const struct ovsdb_table_schema *ovsdb_schema_table(const struct ovsdb_schema *schema,
                                                    const char *name);
const struct ovsdb_column *ovsdb_table_column(const struct ovsdb_table_schema *table,
                                              const char *name);
