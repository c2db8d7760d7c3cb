/* txn_check.c - what must hold when a transaction ends: references, garbage collection,
 * maximum rows, unique indexes (RFC 7047, 3.2 and 4.1.3). Called by txn.c. Main thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/db_private.h"

static bool
is_strong(const struct ovsdb_base_type *base)
{
	return base->ref_table && !base->is_weak_ref;
}

static bool
is_weak(const struct ovsdb_base_type *base)
{
	return base->ref_table && base->is_weak_ref;
}

/* Also rows that this transaction has deleted. */
static struct db_row *
find_row(const struct txn *txn, const struct db_table *table, const struct uuid *uuid)
{
	struct db_row *row = db_table_row(table, uuid);

	if (row)
		return row;
	HMAP_FOR_EACH_WITH_HASH (row, node, uuid_hash(uuid), &txn->deleted)
		if (row->table == table && uuid_equal(&row->uuid, uuid))
			return row;
	return NULL;
}

static void
look_at_later(struct txn *txn, struct txn_row *txn_row)
{
	list_remove(&txn_row->gc);
	list_push_back(&txn->gc, &txn_row->gc);
}

/* A row's references to itself do not count: they must not keep it alive. */
static void
drop_references(struct txn *txn, const struct db_row *row,
                const struct ovsdb_base_type *base, const union ovsdb_atom *atoms,
                size_t n)
{
	const struct db_table *table;

	if (!is_strong(base))
		return;
	table = db_table_find(txn->db, base->ref_table);
	for (size_t i = 0; i < n; i++) {
		struct db_row *target = find_row(txn, table, &atoms[i].uuid);

		/* Absent only where an operation wrote and replaced a bad reference. */
		if (!target || target == row)
			continue;
		look_at_later(txn, txn_touch(txn, target));
		target->n_refs--;
	}
}

static void
datum_drop_references(struct txn *txn, const struct db_row *row,
                      const struct ovsdb_column *column, const struct ovsdb_datum *datum)
{
	drop_references(txn, row, &column->type.key, datum->keys, datum->n);
	drop_references(txn, row, &column->type.value, datum->values, datum->n);
}

static int
add_references(struct txn *txn, const struct db_row *row,
               const struct ovsdb_column *column, const struct ovsdb_base_type *base,
               const union ovsdb_atom *atoms, size_t n, struct db_error *error)
{
	const struct db_table *table;

	if (!is_strong(base))
		return 0;
	table = db_table_find(txn->db, base->ref_table);
	for (size_t i = 0; i < n; i++) {
		struct db_row *target = find_row(txn, table, &atoms[i].uuid);
		char from[UUID_TEXT_BYTES], to[UUID_TEXT_BYTES];

		if (target) {
			txn_touch(txn, target);
			target->n_refs += target != row;
			continue;
		}
		uuid_to_text(&row->uuid, from);
		uuid_to_text(&atoms[i].uuid, to);
		return db_error_set(error, -EINVAL, "referential integrity violation",
		                    "Table %s column %s row %s refers to row %s, which "
		                    "does not exist in table %s",
		                    row->table->schema->name, column->name, from, to,
		                    base->ref_table);
	}
	return 0;
}

static int
count_row_references(struct txn *txn, struct txn_row *txn_row, struct db_error *error)
{
	struct db_row *row = txn_row->row;
	const struct ovsdb_table_schema *schema = row->table->schema;
	int rc = 0;

	if (txn_row->is_new && txn_row->is_deleted)
		return 0;
	for (size_t i = 0; i < schema->n_columns && !rc; i++) {
		const struct ovsdb_column *column = schema->columns[i];
		const struct ovsdb_datum *datum = &row->datums[i];
		bool is_touched = txn_row->is_new || txn_row->is_deleted ||
		                  (txn_row->is_touched && txn_row->is_touched[i]);

		if (!is_touched)
			continue;
		if (!txn_row->is_new)
			datum_drop_references(txn, row, column,
			                      txn_row_old(txn_row, column));
		if (txn_row->is_deleted)
			continue;
		rc = add_references(txn, row, column, &column->type.key, datum->keys,
		                    datum->n, error);
		if (!rc)
			rc = add_references(txn, row, column, &column->type.value,
			                    datum->values, datum->n, error);
	}
	return rc;
}

static int
check_references(struct txn *txn, struct db_error *error)
{
	struct txn_row *txn_row;
	int rc;

	/* The list grows at its end by rows that are referred to: no harm, they were
	 * not written to. */
	LIST_FOR_EACH (txn_row, link, &txn->rows) {
		rc = count_row_references(txn, txn_row, error);
		if (rc)
			return rc;
	}
	LIST_FOR_EACH (txn_row, link, &txn->rows) {
		char uuid[UUID_TEXT_BYTES];

		if (!txn_row->is_deleted || !txn_row->row->n_refs)
			continue;
		uuid_to_text(&txn_row->row->uuid, uuid);
		return db_error_set(error, -EINVAL, "referential integrity violation",
		                    "cannot delete %s row %s: %zu reference(s) to it "
		                    "remain",
		                    txn_row->row->table->schema->name, uuid,
		                    txn_row->row->n_refs);
	}
	return 0;
}

static void
collect_garbage(struct txn *txn)
{
	struct list *link;

	while ((link = list_pop_front(&txn->gc)) != NULL) {
		struct txn_row *txn_row = CONTAINER_OF(link, struct txn_row, gc);
		struct db_row *row = txn_row->row;
		const struct ovsdb_table_schema *schema = row->table->schema;

		if (txn_row->is_deleted || schema->is_root || row->n_refs)
			continue;
		txn_delete(txn, row);
		for (size_t i = 0; i < schema->n_columns; i++)
			datum_drop_references(txn, row, schema->columns[i],
			                      &row->datums[i]);
	}
}

static bool
is_dangling(const struct txn *txn, const struct ovsdb_base_type *base,
            const union ovsdb_atom *atom)
{
	return is_weak(base) &&
	       !db_table_row(db_table_find(txn->db, base->ref_table), &atom->uuid);
}

/* Takes entry 'i' out; what it held strongly on its other side may be garbage now. */
static void
remove_entry(struct txn *txn, const struct db_row *row, struct ovsdb_datum *datum,
             const struct ovsdb_column *column, size_t i)
{
	drop_references(txn, row, &column->type.key, &datum->keys[i], 1);
	if (datum->values)
		drop_references(txn, row, &column->type.value, &datum->values[i], 1);
	ovsdb_datum_remove(datum, &column->type, i);
}

static int
remove_weak_references(struct txn *txn, struct db_row *row,
                       const struct ovsdb_column *column, struct db_error *error)
{
	const struct ovsdb_type *type = &column->type;
	struct ovsdb_datum *datum = &row->datums[column->index];
	char uuid[UUID_TEXT_BYTES];

	for (size_t i = 0; i < datum->n;) {
		if (is_dangling(txn, &type->key, &datum->keys[i]) ||
		    (datum->values &&
		     is_dangling(txn, &type->value, &datum->values[i]))) {
			datum = txn_modify(txn, row, column);
			remove_entry(txn, row, datum, column, i);
		} else {
			i++;
		}
	}
	if (datum->n >= type->n_min)
		return 0;
	uuid_to_text(&row->uuid, uuid);
	return db_error_set(error, -ERANGE, "constraint violation",
	                    "Table %s column %s row %s: %zu value(s) remain after weak "
	                    "references to deleted rows are gone, the minimum is %u",
	                    row->table->schema->name, column->name, uuid, datum->n,
	                    type->n_min);
}

static int
row_remove_weak_references(struct txn *txn, struct db_row *row, struct db_error *error)
{
	const struct ovsdb_table_schema *schema = row->table->schema;
	int rc = 0;

	for (size_t i = 0; i < schema->n_columns && !rc; i++)
		if (is_weak(&schema->columns[i]->type.key) ||
		    is_weak(&schema->columns[i]->type.value))
			rc = remove_weak_references(txn, row, schema->columns[i], error);
	return rc;
}

/* After a deletion any row may hold a weak reference to what is gone, else only rows that
 * were written to. */
static int
check_weak_references(struct txn *txn, struct db_error *error)
{
	struct db_table *table;
	struct db_row *row;
	int rc;

	HMAP_FOR_EACH (table, node, &txn->db->tables) {
		if (!table->schema->has_weak_refs)
			continue;
		HMAP_FOR_EACH (row, node, &table->rows) {
			if (!txn->deleted.count && !row->txn_row)
				continue;
			rc = row_remove_weak_references(txn, row, error);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int
check_max_rows(const struct txn *txn, struct db_error *error)
{
	const struct txn_row *txn_row;

	LIST_FOR_EACH (txn_row, link, &txn->rows) {
		const struct db_table *table = txn_row->row->table;

		if (txn_row->is_new && table->rows.count > table->schema->max_rows)
			return db_error_set(error, -ERANGE, "constraint violation",
			                    "table %s would hold %zu rows, more than its "
			                    "maximum of %u",
			                    table->schema->name, table->rows.count,
			                    table->schema->max_rows);
	}
	return 0;
}

static bool
index_equal(const struct db_row *a, const struct db_row *b,
            const struct ovsdb_column *const *index)
{
	for (; *index; index++)
		if (ovsdb_datum_compare(&a->datums[(*index)->index],
		                        &b->datums[(*index)->index], &(*index)->type))
			return false;
	return true;
}

static const struct db_row *
find_equal(const struct hmap *map, uint32_t hash, const struct db_row *row,
           const struct ovsdb_column *const *index)
{
	struct db_index_node *other;

	HMAP_FOR_EACH_WITH_HASH (other, node, hash, map) {
		bool is_deleted = other->row->txn_row && other->row->txn_row->is_deleted;

		if (other->row != row && !is_deleted &&
		    index_equal(other->row, row, index))
			return other->row;
	}
	return NULL;
}

static int
report_duplicate(const struct db_row *a, const struct db_row *b,
                 const struct ovsdb_column *const *index, struct db_error *error)
{
	struct str names = STR_INIT;
	char first[UUID_TEXT_BYTES], second[UUID_TEXT_BYTES];

	for (size_t i = 0; index[i]; i++) {
		str_printf(&names, "%s%s ", i ? ", " : "", index[i]->name);
		ovsdb_datum_to_text(&a->datums[index[i]->index], &index[i]->type, &names);
	}
	uuid_to_text(&a->uuid, first);
	uuid_to_text(&b->uuid, second);
	db_error_set(error, -EEXIST, "constraint violation",
	             "table %s would hold two rows with the same %s: %s and %s",
	             a->table->schema->name, str_text(&names), first, second);
	str_free(&names);
	return -EEXIST;
}

/* 'fresh' gathers the rows that this transaction has written to, which the committed
 * indexes do not know by their new values. */
static int
check_index(const struct txn *txn, const struct db_table *table, size_t i,
            struct db_error *error)
{
	const struct ovsdb_column *const *index = table->schema->indexes[i];
	struct hmap fresh = HMAP_INIT;
	struct db_index_node *node;
	const struct txn_row *txn_row;
	int rc = 0;

	LIST_FOR_EACH (txn_row, link, &txn->rows) {
		struct db_row *row = txn_row->row;
		const struct db_row *other;
		uint32_t hash;

		if (row->table != table || txn_row->is_deleted)
			continue;
		hash = txn_index_hash(row, index);
		other = find_equal(&table->indexes[i], hash, row, index);
		if (!other)
			other = find_equal(&fresh, hash, row, index);
		if (other) {
			rc = report_duplicate(other, row, index, error);
			break;
		}
		node = xcalloc(1, sizeof(*node));
		node->row = row;
		hmap_insert(&fresh, &node->node, hash);
	}
	HMAP_FOR_EACH (node, node, &fresh)
		free(node);
	hmap_destroy(&fresh);
	return rc;
}

static int
check_indexes(const struct txn *txn, struct db_error *error)
{
	struct db_table *table;
	int rc;

	HMAP_FOR_EACH (table, node, &txn->db->tables) {
		for (size_t i = 0; i < table->schema->n_indexes; i++) {
			rc = check_index(txn, table, i, error);
			if (rc)
				return rc;
		}
	}
	return 0;
}

int
txn_check(struct txn *txn, struct db_error *error)
{
	struct txn_row *txn_row;
	int rc;

	rc = check_references(txn, error);
	if (rc)
		return rc;
	LIST_FOR_EACH (txn_row, link, &txn->rows)
		look_at_later(txn, txn_row);
	while (!list_is_empty(&txn->gc)) {
		collect_garbage(txn);
		rc = check_weak_references(txn, error);
		if (rc)
			return rc;
	}
	rc = check_max_rows(txn, error);
	return rc ? rc : check_indexes(txn, error);
}
