/* txn.c - one transaction: rows change in place, with what is needed to undo it. Above
 * store.c, below exec.c and db_txn.c; txn_check.c holds the constraints. Main thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/db_private.h"

int
db_error_set(struct db_error *error, int code, const char *tag, const char *fmt, ...)
{
	va_list args;

	error->tag = tag;
	va_start(args, fmt);
	vsnprintf(error->details.text, sizeof(error->details.text), fmt, args);
	va_end(args);
	return code;
}

struct txn *
txn_begin(struct db *db)
{
	struct txn *txn = xcalloc(1, sizeof(*txn));

	if (db->open_txn)
		abort(); /* a bug of ours: transactions do not nest */
	txn->db = db;
	list_init(&txn->rows);
	list_init(&txn->gc);
	db->open_txn = txn;
	return txn;
}

struct txn_row *
txn_touch(struct txn *txn, struct db_row *row)
{
	struct txn_row *txn_row = row->txn_row;

	if (!txn_row) {
		txn_row = xcalloc(1, sizeof(*txn_row));
		txn_row->row = row;
		txn_row->old_n_refs = row->n_refs;
		list_init(&txn_row->gc);
		list_push_back(&txn->rows, &txn_row->link);
		row->txn_row = txn_row;
	}
	return txn_row;
}

struct db_row *
txn_insert(struct txn *txn, struct db_table *table, const struct uuid *uuid)
{
	const struct ovsdb_table_schema *schema = table->schema;
	uint32_t hash = uuid_hash(uuid);
	struct db_row *row;

	HMAP_FOR_EACH_WITH_HASH (row, node, hash, &txn->deleted)
		if (row->table == table && uuid_equal(&row->uuid, uuid))
			return NULL;
	if (db_table_row(table, uuid))
		return NULL;
	row = xcalloc(1, sizeof(*row));
	row->table = table;
	row->uuid = *uuid;
	list_init(&row->recent);
	row->datums = xcalloc(schema->n_columns, sizeof(*row->datums));
	for (size_t i = 0; i < schema->n_columns; i++)
		ovsdb_datum_init_default(&row->datums[i], &schema->columns[i]->type);
	row->datums[0].keys[0].uuid = *uuid;
	row->datums[1].keys[0].uuid = uuid_random();
	if (schema->n_indexes)
		row->index_nodes = xcalloc(schema->n_indexes, sizeof(*row->index_nodes));
	hmap_insert(&table->rows, &row->node, hash);
	txn_touch(txn, row)->is_new = true;
	return row;
}

void
txn_delete(struct txn *txn, struct db_row *row)
{
	struct txn_row *txn_row = txn_touch(txn, row);

	txn_row->is_deleted = true;
	hmap_remove(&row->table->rows, &row->node);
	hmap_insert(&txn->deleted, &row->node, uuid_hash(&row->uuid));
}

struct ovsdb_datum *
txn_modify(struct txn *txn, struct db_row *row, const struct ovsdb_column *column)
{
	struct txn_row *txn_row = txn_touch(txn, row);
	size_t n_columns = row->table->schema->n_columns;
	struct ovsdb_datum *datum = &row->datums[column->index];

	if (txn_row->is_new)
		return datum;
	if (!txn_row->old) {
		txn_row->old = xcalloc(n_columns, sizeof(*txn_row->old));
		txn_row->is_touched = xcalloc(n_columns, sizeof(*txn_row->is_touched));
	}
	if (!txn_row->is_touched[column->index]) {
		txn_row->is_touched[column->index] = true;
		txn_row->old[column->index] = *datum;
		ovsdb_datum_clone(datum, &txn_row->old[column->index], &column->type);
	}
	return datum;
}

const struct ovsdb_datum *
txn_row_old(const struct txn_row *txn_row, const struct ovsdb_column *column)
{
	if (txn_row->is_touched && txn_row->is_touched[column->index])
		return &txn_row->old[column->index];
	return &txn_row->row->datums[column->index];
}

/* Puts the old value of a column back. */
static void
txn_row_restore(struct txn_row *txn_row, const struct ovsdb_column *column)
{
	struct ovsdb_datum *datum = &txn_row->row->datums[column->index];

	ovsdb_datum_destroy(datum, &column->type);
	*datum = txn_row->old[column->index];
	txn_row->is_touched[column->index] = false;
}

static void
txn_row_undo(struct txn *txn, struct txn_row *txn_row)
{
	struct db_row *row = txn_row->row;
	const struct ovsdb_table_schema *schema = row->table->schema;

	for (size_t i = 0; txn_row->is_touched && i < schema->n_columns; i++)
		if (txn_row->is_touched[i])
			txn_row_restore(txn_row, schema->columns[i]);
	row->n_refs = txn_row->old_n_refs;
	row->txn_row = NULL;
	if (txn_row->is_deleted)
		hmap_remove(&txn->deleted, &row->node);
	if (txn_row->is_new) {
		if (!txn_row->is_deleted)
			hmap_remove(&row->table->rows, &row->node);
		db_row_free(row);
	} else if (txn_row->is_deleted) {
		hmap_insert(&row->table->rows, &row->node, uuid_hash(&row->uuid));
	}
}

static void
txn_row_free(struct txn_row *txn_row)
{
	free(txn_row->old);
	free(txn_row->is_touched);
	free(txn_row);
}

static void
txn_free(struct txn *txn)
{
	hmap_destroy(&txn->deleted);
	txn->db->open_txn = NULL;
	free(txn);
}

void
txn_abort(struct txn *txn)
{
	struct list *link;

	while ((link = list_pop_front(&txn->rows)) != NULL) {
		struct txn_row *txn_row = CONTAINER_OF(link, struct txn_row, link);

		txn_row_undo(txn, txn_row);
		txn_row_free(txn_row);
	}
	txn_free(txn);
}

/* Forgets writes of what was there already. True if the row differs now. */
static bool
txn_row_settle(struct txn_row *txn_row)
{
	struct db_row *row = txn_row->row;
	const struct ovsdb_table_schema *schema = row->table->schema;
	bool is_changed = false;

	if (txn_row->is_new || txn_row->is_deleted)
		return txn_row->is_new != txn_row->is_deleted;
	for (size_t i = 0; txn_row->is_touched && i < schema->n_columns; i++) {
		const struct ovsdb_column *column = schema->columns[i];

		if (!txn_row->is_touched[i])
			continue;
		if (ovsdb_datum_compare(&txn_row->old[i], &row->datums[i], &column->type))
			is_changed = true;
		else
			txn_row_restore(txn_row, column);
	}
	return is_changed;
}

static bool
txn_settle(struct txn *txn)
{
	struct txn_row *txn_row;
	bool is_changed = false;

	LIST_FOR_EACH (txn_row, link, &txn->rows) {
		struct db_row *row = txn_row->row;

		txn_row->is_changed = txn_row_settle(txn_row);
		is_changed |= txn_row->is_changed;
		if (txn_row->is_changed && !txn_row->is_new && !txn_row->is_deleted)
			txn_modify(txn, row, row->table->schema->columns[1])
				->keys[0]
				.uuid = uuid_random();
	}
	return is_changed;
}

uint32_t
txn_index_hash(const struct db_row *row, const struct ovsdb_column *const *index)
{
	uint32_t hash = 0;

	for (; *index; index++)
		hash = ovsdb_datum_hash(&row->datums[(*index)->index], &(*index)->type,
		                        hash);
	return hash;
}

/* Only committed rows are in the indexes, so that an abort need not touch them. */
static void
update_indexes(struct txn_row *txn_row)
{
	struct db_row *row = txn_row->row;
	const struct ovsdb_table_schema *schema = row->table->schema;

	for (size_t i = 0; i < schema->n_indexes; i++) {
		if (!txn_row->is_new)
			hmap_remove(&row->table->indexes[i], &row->index_nodes[i].node);
		row->index_nodes[i].row = row;
		if (!txn_row->is_deleted)
			hmap_insert(&row->table->indexes[i], &row->index_nodes[i].node,
			            txn_index_hash(row, schema->indexes[i]));
	}
}

static void
note_change(struct db_row *row)
{
	list_remove(&row->recent);
	list_push_front(&row->table->recent, &row->recent);
	row->changed_at = row->table->db->generation;
}

static void
txn_row_finish(struct txn *txn, struct txn_row *txn_row)
{
	struct db_row *row = txn_row->row;
	const struct ovsdb_table_schema *schema = row->table->schema;

	for (size_t i = 0; txn_row->is_touched && i < schema->n_columns; i++)
		if (txn_row->is_touched[i])
			ovsdb_datum_destroy(&txn_row->old[i], &schema->columns[i]->type);
	row->txn_row = NULL;
	if (txn_row->is_deleted) {
		hmap_remove(&txn->deleted, &row->node);
		db_row_free(row);
	}
	txn_row_free(txn_row);
}

/* A commit made by the hook calls it again after it has returned, not inside. */
static void
run_hook(struct db *db)
{
	db->is_hook_due = true;
	if (db->is_in_hook || !db->hook)
		return;
	db->is_in_hook = true;
	while (db->is_hook_due) {
		db->is_hook_due = false;
		db->hook(db, db->hook_aux);
	}
	db->is_in_hook = false;
}

static void
txn_finish(struct txn *txn, bool is_changed)
{
	struct db *db = txn->db;
	struct txn_row *txn_row;
	struct list *link;

	if (is_changed)
		db->generation++;
	LIST_FOR_EACH (txn_row, link, &txn->rows)
		if (txn_row->is_changed) {
			update_indexes(txn_row);
			note_change(txn_row->row);
		}
	if (is_changed) {
		if (db->observer)
			db->observer(txn, db->observer_aux);
	}
	while ((link = list_pop_front(&txn->rows)) != NULL)
		txn_row_finish(txn, CONTAINER_OF(link, struct txn_row, link));
	txn_free(txn);
	if (is_changed)
		run_hook(db);
}

int
txn_commit(struct txn *txn, struct db_error *error)
{
	struct db *db = txn->db;
	bool is_changed;
	int rc;

	rc = txn_check(txn, error);
	if (rc) {
		txn_abort(txn);
		return rc;
	}
	is_changed = txn_settle(txn);
	if (is_changed && db->store && !txn->is_load) {
		struct error err = {""};

		rc = store_write(db->store, txn, &err);
		if (rc) {
			txn_abort(txn);
			return db_error_set(error, rc, "I/O error", "%s", err.text);
		}
	}
	txn_finish(txn, is_changed);
	return 0;
}
