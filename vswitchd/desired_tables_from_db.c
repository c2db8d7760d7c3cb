/* desired_tables_from_db.c - Bridge.flow_tables and table Flow_Table as plain data.
 * Beside desired_from_db.c. Main thread. */
#include "vswitchd/desired_tables_from_db.h"

#include <string.h>

#include "openflow/of_text.h"

/* What is not known has no effect; the first of it is told. */
static void
warn(struct desired *desired, struct desired_bridge *bridge,
     const struct ofproto_table *table, const char *column, const char *reason)
{
	if (!bridge->warning)
		bridge->warning = desired_printf(&desired->arena, "table %u: %s: %s",
		                                 table->table, column, reason);
}

/* Fields and parts of them, such as NXM_OF_IN_PORT[]. */
static void
read_groups(struct desired *desired, const struct db_row *row,
            struct desired_bridge *bridge, struct ofproto_table *table)
{
	const struct ovsdb_datum *groups = db_row_datum(row, "groups");

	for (size_t i = 0; i < groups->n; i++) {
		struct flow_subfield sub;
		struct error err;

		if (of_text_parse_subfield(groups->keys[i].string, &sub, &err))
			warn(desired, bridge, table, "groups", err.text);
		else
			flow_subfield_add_mask(&sub, &table->evict_by);
	}
}

/* A hint for classifiers that need one; this one does not, but typos are told. */
static void
check_prefixes(struct desired *desired, const struct db_row *row,
               struct desired_bridge *bridge, const struct ofproto_table *table)
{
	const struct ovsdb_datum *prefixes = db_row_datum(row, "prefixes");

	for (size_t i = 0; i < prefixes->n; i++) {
		const char *name = prefixes->keys[i].string;
		struct flow_subfield sub;
		struct error err;

		if (strcmp(name, "none") && of_text_parse_subfield(name, &sub, &err))
			warn(desired, bridge, table, "prefixes", err.text);
	}
}

static void
read_table(struct desired *desired, const struct db_row *row,
           struct desired_bridge *bridge, struct ofproto_table *table)
{
	const char *name = db_row_string(row, "name", NULL);
	const int64_t limit = db_row_integer(row, "flow_limit", UINT32_MAX);

	table->name = name ? desired_strdup(&desired->arena, name) : NULL;
	table->flow_limit = (uint32_t)MIN_OF(limit, (int64_t)UINT32_MAX);
	table->evicts = !strcmp(db_row_string(row, "overflow_policy", ""), "evict");
	read_groups(desired, row, bridge, table);
	check_prefixes(desired, row, bridge, table);
}

void
desired_read_tables(struct desired *desired, const struct db *db,
                    const struct db_row *row, struct desired_bridge *bridge)
{
	const struct ovsdb_datum *rows = db_row_datum(row, "flow_tables");
	struct ofproto_config *config = &bridge->openflow;
	struct ofproto_table *tables =
		desired_alloc(&desired->arena, rows->n * sizeof(*tables));

	for (size_t i = 0; i < rows->n; i++) {
		const struct db_row *table =
			db_row_by_uuid(db, "Flow_Table", &rows->values[i].uuid);

		if (!table)
			continue;
		tables[config->n_tables].table = (uint8_t)rows->keys[i].integer;
		read_table(desired, table, bridge, &tables[config->n_tables++]);
	}
	config->tables = tables;
}
