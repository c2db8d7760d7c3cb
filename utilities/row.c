/* row.c - reading and changing the rows of a replica; txn.c sends the changes. */
#include "row.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "value.h"

struct row *
row_create(struct replica_table *table, const struct uuid *uuid)
{
	size_t n = table->schema->n_columns;
	struct row *row = xcalloc(1, sizeof(*row));

	row->table = table;
	row->uuid = *uuid;
	row->stored = xcalloc(n, sizeof(*row->stored));
	row->pending = xcalloc(n, sizeof(*row->pending));
	row->changed = xcalloc(n, sizeof(*row->changed));
	row->verified = xcalloc(n, sizeof(*row->verified));
	for (size_t i = 0; i < n; i++) {
		const struct ovsdb_column *column = table->schema->columns[i];

		if (!strcmp(column->name, "_uuid"))
			value_init_uuid(&row->stored[i], uuid);
		else
			ovsdb_datum_init_default(&row->stored[i], &column->type);
	}
	hmap_insert(&table->rows, &row->node, uuid_hash(uuid));
	return row;
}

static void
row_revert(struct row *row)
{
	for (size_t i = 0; i < row->table->schema->n_columns; i++) {
		if (row->changed[i])
			ovsdb_datum_destroy(&row->pending[i],
			                    &row->table->schema->columns[i]->type);
		row->changed[i] = row->verified[i] = false;
	}
	row->is_deleted = false;
}

void
row_destroy(struct row *row)
{
	row_revert(row);
	for (size_t i = 0; i < row->table->schema->n_columns; i++)
		ovsdb_datum_destroy(&row->stored[i],
		                    &row->table->schema->columns[i]->type);
	free(row->stored);
	free(row->pending);
	free(row->changed);
	free(row->verified);
	free(row);
}

void
replica_table_revert(struct replica_table *table)
{
	struct row *row;

	HMAP_FOR_EACH (row, node, &table->rows) {
		if (row->is_new) {
			hmap_remove(&table->rows, &row->node);
			row_destroy(row);
		} else {
			row_revert(row);
		}
	}
}

struct row *
replica_row_any(const struct replica_table *table, const struct uuid *uuid)
{
	struct row *row;

	HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &table->rows)
		if (uuid_equal(&row->uuid, uuid))
			return row;
	return NULL;
}

struct row *
replica_row(const struct replica_table *table, const struct uuid *uuid)
{
	struct row *row = replica_row_any(table, uuid);

	return row && !row->is_deleted ? row : NULL;
}

static int
compare_rows(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
	const struct ovsdb_column *name = row_column(x, "name");
	int order = 0;

	if (name && name->type.key.kind == OVSDB_STRING)
		order = value_compare(row_datum(x, name), row_datum(y, name),
		                      &name->type);
	return order ? order : uuid_compare(&x->uuid, &y->uuid);
}

struct row **
replica_rows(const struct replica_table *table, size_t *n)
{
	struct row **rows = xcalloc(table->rows.count + 1, sizeof(*rows));
	struct row *row;

	*n = 0;
	HMAP_FOR_EACH (row, node, &table->rows)
		if (!row->is_deleted)
			rows[(*n)++] = row;
	qsort(rows, *n, sizeof(*rows), compare_rows);
	return rows;
}

const struct ovsdb_datum *
row_datum(const struct row *row, const struct ovsdb_column *column)
{
	return row->changed[column->index] ? &row->pending[column->index]
	                                   : &row->stored[column->index];
}

const struct ovsdb_column *
row_column(const struct row *row, const char *name)
{
	return ovsdb_table_column(row->table->schema, name);
}

/* For a column that this server's schema lacks. */
static const struct ovsdb_datum empty_datum;

const struct ovsdb_datum *
row_get(const struct row *row, const char *name)
{
	const struct ovsdb_column *column = row_column(row, name);

	return column ? row_datum(row, column) : &empty_datum;
}

const char *
row_string(const struct row *row, const char *name)
{
	const struct ovsdb_datum *datum = row_get(row, name);

	return datum->n ? datum->keys[0].string : "";
}

int64_t
row_integer(const struct row *row, const char *name, int64_t fallback)
{
	const struct ovsdb_datum *datum = row_get(row, name);

	return datum->n ? datum->keys[0].integer : fallback;
}

bool
row_bool(const struct row *row, const char *name)
{
	const struct ovsdb_datum *datum = row_get(row, name);

	return datum->n && datum->keys[0].boolean;
}

void
row_set_datum(struct row *row, const struct ovsdb_column *column,
              struct ovsdb_datum *value)
{
	size_t i = column->index;

	if (row->changed[i])
		ovsdb_datum_destroy(&row->pending[i], &column->type);
	row->pending[i] = *value;
	row->changed[i] = true;
}

struct ovsdb_datum *
row_change_datum(struct row *row, const struct ovsdb_column *column)
{
	size_t i = column->index;

	if (!row->changed[i])
		ovsdb_datum_clone(&row->pending[i], &row->stored[i], &column->type);
	row->changed[i] = true;
	return &row->pending[i];
}

void
row_set(struct row *row, const char *name, struct ovsdb_datum *value)
{
	row_set_datum(row, row_column(row, name), value);
}

void
row_clear(struct row *row, const char *name)
{
	struct ovsdb_datum empty = {0, NULL, NULL};

	row_set(row, name, &empty);
}

void
row_add_ref(struct row *row, const char *name, const struct row *target)
{
	const struct ovsdb_column *column = row_column(row, name);
	struct ovsdb_datum datum = {0, NULL, NULL};

	row_verify_column(row, column);
	/* The default of a required reference is a UUID of zeros: not to be kept. */
	if (!row->is_new || row->changed[column->index])
		ovsdb_datum_clone(&datum, row_datum(row, column), &column->type);
	value_add_uuid(&datum, &target->uuid);
	row_set_datum(row, column, &datum);
}

void
row_remove_ref(struct row *row, const char *name, const struct row *target)
{
	const struct ovsdb_column *column = row_column(row, name);
	struct ovsdb_datum datum;

	row_verify_column(row, column);
	ovsdb_datum_clone(&datum, row_datum(row, column), &column->type);
	value_remove_uuid(&datum, &target->uuid);
	row_set_datum(row, column, &datum);
}

void
row_verify_column(struct row *row, const struct ovsdb_column *column)
{
	if (!row->is_new && column->name[0] != '_' && row->table->wanted[column->index])
		row->verified[column->index] = true;
}

void
row_verify(struct row *row, const char *name)
{
	const struct ovsdb_column *column = row_column(row, name);

	if (column)
		row_verify_column(row, column);
}

struct row *
row_insert(struct replica_table *table, const struct uuid *uuid)
{
	struct row *row = row_create(table, uuid);

	row->is_new = true;
	return row;
}

void
row_delete(struct row *row)
{
	row->is_deleted = true;
}

bool
row_column_is_dirty(const struct row *row, const struct ovsdb_column *column)
{
	size_t i = column->index;

	return row->changed[i] &&
	       ((!row->is_new && !row->table->wanted[i]) ||
	        value_compare(&row->pending[i], &row->stored[i], &column->type) != 0);
}

bool
row_is_dirty(const struct row *row)
{
	if (row->is_new || row->is_deleted)
		return row->is_new != row->is_deleted;
	for (size_t i = 0; i < row->table->schema->n_columns; i++)
		if (row_column_is_dirty(row, row->table->schema->columns[i]))
			return true;
	return false;
}
