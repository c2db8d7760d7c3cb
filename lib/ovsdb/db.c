/* db.c - opens a database and answers the daemon's questions about rows. Above store.c
 * and txn.c; db_txn.c holds the daemon's own writes. Main thread. */
#include "ovsdb/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/db_private.h"

struct db_table *
db_table_find(const struct db *db, const char *name)
{
	struct db_table *table;

	HMAP_FOR_EACH_WITH_HASH (table, node, hash_string(name, 0), &db->tables)
		if (!strcmp(table->schema->name, name))
			return table;
	return NULL;
}

struct db_row *
db_table_row(const struct db_table *table, const struct uuid *uuid)
{
	struct db_row *row;

	HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &table->rows)
		if (uuid_equal(&row->uuid, uuid))
			return row;
	return NULL;
}

void
db_row_free(struct db_row *row)
{
	const struct ovsdb_table_schema *schema = row->table->schema;

	for (size_t i = 0; i < schema->n_columns; i++)
		ovsdb_datum_destroy(&row->datums[i], &schema->columns[i]->type);
	list_remove(&row->recent);
	free(row->datums);
	free(row->index_nodes);
	free(row);
}

static void
create_tables(struct db *db)
{
	struct ovsdb_table_schema *schema;

	HMAP_FOR_EACH (schema, node, &db->schema->tables) {
		struct db_table *table = xcalloc(1, sizeof(*table));

		table->db = db;
		table->schema = schema;
		list_init(&table->recent);
		table->indexes = xcalloc(schema->n_indexes + 1, sizeof(*table->indexes));
		hmap_insert(&db->tables, &table->node, hash_string(schema->name, 0));
	}
}

static int
load_columns(struct db_row *row, const json_t *json, struct error *err)
{
	const struct ovsdb_table_schema *schema = row->table->schema;
	const char *name;
	json_t *value;

	/* jansson's iteration does not change the object. */
	json_object_foreach((json_t *)(uintptr_t)json, name, value)
	{
		const struct ovsdb_column *column = ovsdb_table_column(schema, name);
		struct ovsdb_datum datum;
		int rc;

		if (!column || column->index < 2 || column->is_ephemeral)
			return error_set(err, -EBADMSG, "column %s is not in the schema",
			                 name);
		rc = ovsdb_datum_from_json(&datum, &column->type, value, NULL, NULL, err);
		if (rc) {
			error_prefix(err, "column %s", name);
			return -EBADMSG;
		}
		ovsdb_datum_destroy(&row->datums[column->index], &column->type);
		row->datums[column->index] = datum;
	}
	return 0;
}

static int
load_row(const char *table_name, const char *uuid_text, const json_t *json, void *aux,
         struct error *err)
{
	struct txn *txn = aux;
	struct db_table *table = db_table_find(txn->db, table_name);
	struct db_row *row;
	struct uuid uuid;
	int rc;

	if (!table)
		return error_set(err, -EBADMSG, "table %s is not in the schema",
		                 table_name);
	row = uuid_from_text(&uuid, uuid_text) ? txn_insert(txn, table, &uuid) : NULL;
	if (!row)
		return error_set(err, -EBADMSG, "table %s: bad row identity %.40s",
		                 table_name, uuid_text);
	rc = load_columns(row, json, err);
	if (rc)
		error_prefix(err, "table %s row %s", table_name, uuid_text);
	return rc;
}

static int
load(struct db *db, const char *path, struct error *err)
{
	struct db_error failure = {0};
	struct txn *txn;
	int rc;

	rc = store_open(path, db->schema, &db->store, err);
	if (rc)
		return rc;
	txn = txn_begin(db);
	txn->is_load = true;
	rc = store_load(db->store, load_row, txn, err);
	if (rc) {
		txn_abort(txn);
		return rc;
	}
	rc = txn_commit(txn, &failure);
	return rc ? error_set(err, -EBADMSG, "%s: %s", path, failure.details.text) : 0;
}

int
db_open(struct ovsdb_schema *schema, const char *path, struct db **db_out,
        struct error *err)
{
	struct db *db = xcalloc(1, sizeof(*db));
	int rc = 0;

	db->schema = schema;
	create_tables(db);
	if (path)
		rc = load(db, path, err);
	if (rc) {
		db_close(db);
		return rc;
	}
	*db_out = db;
	return 0;
}

static void
table_free(struct db_table *table)
{
	struct db_row *row;

	HMAP_FOR_EACH (row, node, &table->rows)
		db_row_free(row);
	hmap_destroy(&table->rows);
	for (size_t i = 0; i < table->schema->n_indexes; i++)
		hmap_destroy(&table->indexes[i]);
	free(table->indexes);
	free(table);
}

void
db_close(struct db *db)
{
	struct db_table *table;

	if (!db)
		return;
	HMAP_FOR_EACH (table, node, &db->tables)
		table_free(table);
	hmap_destroy(&db->tables);
	store_close(db->store);
	ovsdb_schema_destroy(db->schema);
	free(db);
}

const struct ovsdb_schema *
db_schema(const struct db *db)
{
	return db->schema;
}

void
db_set_commit_hook(struct db *db, void (*hook)(struct db *db, void *aux), void *aux)
{
	db->hook = hook;
	db->hook_aux = aux;
}

void
db_set_judge(struct db *db, db_judge_fn *judge, void *aux)
{
	db->judge = judge;
	db->judge_aux = aux;
}

void
db_set_observer(struct db *db, db_observer_fn *observer, void *aux)
{
	db->observer = observer;
	db->observer_aux = aux;
}

uint64_t
db_generation(const struct db *db)
{
	return db->generation;
}

/* Names come from our own code: a wrong one is a bug, found by its first run. */
static const struct db_table *
table_by_name(const struct db *db, const char *name)
{
	const struct db_table *table = db_table_find(db, name);

	if (!table)
		abort();
	return table;
}

const struct db_row *
db_row_first(const struct db *db, const char *table)
{
	struct hmap_node *node = hmap_first(&table_by_name(db, table)->rows);

	return node ? CONTAINER_OF(node, struct db_row, node) : NULL;
}

const struct db_row *
db_row_next(const struct db_row *row)
{
	struct hmap_node *node = hmap_next(&row->table->rows, &row->node);

	return node ? CONTAINER_OF(node, struct db_row, node) : NULL;
}

uint64_t
db_row_changed_at(const struct db_row *row)
{
	return row->changed_at;
}

static const struct db_row *
changed_row(const struct db_table *table, struct list *link, uint64_t generation)
{
	const struct db_row *row = CONTAINER_OF(link, struct db_row, recent);

	return link != &table->recent && row->changed_at > generation ? row : NULL;
}

const struct db_row *
db_row_changed_first(const struct db *db, const char *table_name, uint64_t generation)
{
	const struct db_table *table = table_by_name(db, table_name);

	return changed_row(table, table->recent.next, generation);
}

const struct db_row *
db_row_changed_next(const struct db_row *row, uint64_t generation)
{
	return changed_row(row->table, row->recent.next, generation);
}

const struct db_row *
db_row_by_uuid(const struct db *db, const char *table, const struct uuid *uuid)
{
	return db_table_row(table_by_name(db, table), uuid);
}

const struct uuid *
db_row_uuid(const struct db_row *row)
{
	return &row->uuid;
}

const struct ovsdb_datum *
db_row_datum(const struct db_row *row, const char *column_name)
{
	const struct ovsdb_column *column =
		ovsdb_table_column(row->table->schema, column_name);

	if (!column)
		abort();
	return &row->datums[column->index];
}

const char *
db_row_string(const struct db_row *row, const char *column, const char *fallback)
{
	const struct ovsdb_datum *datum = db_row_datum(row, column);

	return datum->n ? datum->keys[0].string : fallback;
}

int64_t
db_row_integer(const struct db_row *row, const char *column, int64_t fallback)
{
	const struct ovsdb_datum *datum = db_row_datum(row, column);

	return datum->n ? datum->keys[0].integer : fallback;
}

bool
db_row_bool(const struct db_row *row, const char *column, bool fallback)
{
	const struct ovsdb_datum *datum = db_row_datum(row, column);

	return datum->n ? datum->keys[0].boolean : fallback;
}

const char *
db_row_map_string(const struct db_row *row, const char *column, const char *key)
{
	const struct ovsdb_datum *datum = db_row_datum(row, column);
	union ovsdb_atom atom;
	char *copy = xstrdup(key);
	long at;

	atom.string = copy;
	at = ovsdb_datum_find(datum, &atom, OVSDB_STRING);
	free(copy);
	return at >= 0 ? datum->values[at].string : NULL;
}
