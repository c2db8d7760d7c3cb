/* monitor_row.c - what a monitor is told of one row. Below monitor.c. Main thread. */
#include "ovsdb/monitor.h"

static json_t *
column_to_json(const struct ovsdb_column *column, const struct ovsdb_datum *const *datums)
{
	return ovsdb_datum_to_json(datums[column->index], &column->type);
}

static bool
is_column_changed(const struct ovsdb_column *column, const struct row_change *change)
{
	return ovsdb_datum_compare(change->old[column->index], change->new[column->index],
	                           &column->type) != 0;
}

/* Columns selected for this kind of change; of "old" in a modification only changed ones.
 */
static json_t *
columns_v1(const struct monitor_table *mt, const struct row_change *change,
           const struct ovsdb_datum *const *datums, bool only_changed)
{
	const struct ovsdb_table_schema *schema = mt->table->schema;
	json_t *object = json_object();

	for (size_t i = 0; i < schema->n_columns; i++) {
		const struct ovsdb_column *column = schema->columns[i];

		if ((mt->select[i] & change->kind) &&
		    (!only_changed || is_column_changed(column, change)))
			json_object_set_new(object, column->name,
			                    column_to_json(column, datums));
	}
	return object;
}

static json_t *
row_update_v1(const struct monitor_table *mt, const struct row_change *change)
{
	bool is_modify = change->kind == SELECT_MODIFY;
	json_t *update = json_object();

	if (change->old)
		json_object_set_new(update, "old",
		                    columns_v1(mt, change, change->old, is_modify));
	if (change->new)
		json_object_set_new(update, "new",
		                    columns_v1(mt, change, change->new, false));
	return update;
}

/* A new row without what is at its default. */
static json_t *
new_columns_v2(const struct monitor_table *mt, const struct row_change *change)
{
	const struct ovsdb_table_schema *schema = mt->table->schema;
	json_t *object = json_object();

	for (size_t i = 0; i < schema->n_columns; i++) {
		const struct ovsdb_column *column = schema->columns[i];

		if ((mt->select[i] & change->kind) &&
		    !ovsdb_datum_is_default(change->new[i], &column->type))
			json_object_set_new(object, column->name,
			                    column_to_json(column, change->new));
	}
	return object;
}

static json_t *
changed_columns_v2(const struct monitor_table *mt, const struct row_change *change)
{
	const struct ovsdb_table_schema *schema = mt->table->schema;
	json_t *object = json_object();

	for (size_t i = 0; i < schema->n_columns; i++) {
		const struct ovsdb_column *column = schema->columns[i];
		struct ovsdb_datum diff;

		if (!(mt->select[i] & SELECT_MODIFY) ||
		    !is_column_changed(column, change))
			continue;
		ovsdb_datum_diff(&diff, change->old[i], change->new[i], &column->type);
		json_object_set_new(object, column->name,
		                    ovsdb_datum_to_json(&diff, &column->type));
		ovsdb_datum_destroy(&diff, &column->type);
	}
	return object;
}

static json_t *
row_update_v2(const struct monitor_table *mt, const struct row_change *change)
{
	switch (change->kind) {
	case SELECT_INITIAL:
		return json_pack("{s:o}", "initial", new_columns_v2(mt, change));
	case SELECT_INSERT:
		return json_pack("{s:o}", "insert", new_columns_v2(mt, change));
	case SELECT_MODIFY:
		return json_pack("{s:o}", "modify", changed_columns_v2(mt, change));
	case SELECT_DELETE:
	default:
		return json_pack("{s:n}", "delete");
	}
}

static bool
has_selected_change(const struct monitor_table *mt, const struct row_change *change)
{
	const struct ovsdb_table_schema *schema = mt->table->schema;

	for (size_t i = 0; i < schema->n_columns; i++)
		if ((mt->select[i] & SELECT_MODIFY) &&
		    is_column_changed(schema->columns[i], change))
			return true;
	return false;
}

json_t *
monitor_row_update(const struct monitor_table *mt, enum monitor_version version,
                   const struct row_change *change)
{
	if (!(mt->select_any & change->kind))
		return NULL;
	if (change->kind == SELECT_MODIFY && !has_selected_change(mt, change))
		return NULL;
	return version == MONITOR_V1 ? row_update_v1(mt, change)
	                             : row_update_v2(mt, change);
}
