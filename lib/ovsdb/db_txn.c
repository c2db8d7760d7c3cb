/* db_txn.c - the daemon's own transactions: writes are gathered and applied at once by
 * db_txn_commit(), so that one may be built while clients' transactions come and go.
 * Above txn.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/db.h"
#include "ovsdb/db_private.h"

/* One write; an insertion if 'column' is NULL. */
struct db_write {
	struct list link;
	struct db_table *table;
	const struct ovsdb_column *column;
	struct uuid uuid;
	struct ovsdb_datum datum;
};

struct db_txn {
	struct db *db;
	struct list writes;
	int code; /* the first thing that was wrong with a write, or 0 */
	struct error err;
};

struct db_txn *
db_txn_begin(struct db *db)
{
	struct db_txn *txn = xcalloc(1, sizeof(*txn));

	txn->db = db;
	list_init(&txn->writes);
	return txn;
}

static struct db_write *
add_write(struct db_txn *txn, const char *table, const struct uuid *uuid)
{
	struct db_write *write = xcalloc(1, sizeof(*write));

	write->table = db_table_find(txn->db, table);
	if (!write->table)
		abort(); /* names come from our own code */
	write->uuid = *uuid;
	list_push_back(&txn->writes, &write->link);
	return write;
}

static int
check_datum(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
            struct error *err)
{
	int rc = 0;

	if (datum->n < type->n_min || datum->n > type->n_max)
		return error_set(err, -ERANGE, "%zu values, but %u to %u are allowed",
		                 datum->n, type->n_min, type->n_max);
	for (size_t i = 0; i < datum->n && !rc; i++) {
		rc = ovsdb_atom_check(&datum->keys[i], &type->key, err);
		if (!rc && datum->values)
			rc = ovsdb_atom_check(&datum->values[i], &type->value, err);
	}
	return rc;
}

/* Takes 'datum' over; its atoms must be of the given kinds. */
static void
set_datum(struct db_txn *txn, const char *table, const struct uuid *row,
          const char *column_name, struct ovsdb_datum *datum, enum ovsdb_kind key,
          enum ovsdb_kind value)
{
	struct db_write *write = add_write(txn, table, row);
	const struct ovsdb_column *column =
		ovsdb_table_column(write->table->schema, column_name);
	struct error err = {""};
	int rc;

	if (!column || column->type.key.kind != key || column->type.value.kind != value)
		abort(); /* names and kinds come from our own code */
	write->column = column;
	write->datum = *datum;
	rc = ovsdb_datum_sort(&write->datum, &column->type, &err);
	if (!rc)
		rc = check_datum(&write->datum, &column->type, &err);
	if (rc && !txn->code)
		txn->code = error_set(&txn->err, rc, "table %s column %s: %.300s", table,
		                      column_name, err.text);
}

static const struct ovsdb_column *
find_column(const struct db_txn *txn, const char *table, const char *column)
{
	const struct ovsdb_table_schema *schema =
		ovsdb_schema_table(txn->db->schema, table);
	const struct ovsdb_column *found =
		schema ? ovsdb_table_column(schema, column) : NULL;

	if (!found)
		abort(); /* names come from our own code */
	return found;
}

void
db_txn_set(struct db_txn *txn, const char *table, const struct uuid *row,
           const char *column, const struct ovsdb_datum *value)
{
	const struct ovsdb_type *type = &find_column(txn, table, column)->type;
	struct ovsdb_datum copy;

	ovsdb_datum_clone(&copy, value, type);
	set_datum(txn, table, row, column, &copy, type->key.kind, type->value.kind);
}

static void
set_atom(struct db_txn *txn, const char *table, const struct uuid *row,
         const char *column, union ovsdb_atom atom, enum ovsdb_kind kind)
{
	struct ovsdb_datum datum = {.n = 1};

	datum.keys = xmemdup(&atom, sizeof(atom));
	set_datum(txn, table, row, column, &datum, kind, OVSDB_VOID);
}

void
db_txn_set_string(struct db_txn *txn, const char *table, const struct uuid *row,
                  const char *column, const char *value)
{
	json_t *utf8;

	if (!value) {
		db_txn_clear(txn, table, row, column);
		return;
	}
	/* JSON could not carry it to any client. */
	utf8 = json_string(value);
	set_atom(txn, table, row, column,
	         (union ovsdb_atom){.string = xstrdup(utf8 ? value : "")}, OVSDB_STRING);
	if (!utf8 && !txn->code)
		txn->code =
			error_set(&txn->err, -EILSEQ,
		                  "table %s column %s: not valid UTF-8", table, column);
	json_decref(utf8);
}

void
db_txn_set_integer(struct db_txn *txn, const char *table, const struct uuid *row,
                   const char *column, int64_t value)
{
	set_atom(txn, table, row, column, (union ovsdb_atom){.integer = value},
	         OVSDB_INTEGER);
}

void
db_txn_set_bool(struct db_txn *txn, const char *table, const struct uuid *row,
                const char *column, bool value)
{
	set_atom(txn, table, row, column, (union ovsdb_atom){.boolean = value},
	         OVSDB_BOOLEAN);
}

void
db_txn_clear(struct db_txn *txn, const char *table, const struct uuid *row,
             const char *column)
{
	const struct ovsdb_type *type = &find_column(txn, table, column)->type;
	struct ovsdb_datum empty = {0};

	set_datum(txn, table, row, column, &empty, type->key.kind, type->value.kind);
}

/* Exactly one of 'strings' and 'integers' is not NULL (or 'n' is 0). */
static void
set_map(struct db_txn *txn, const char *table, const struct uuid *row, const char *column,
        const char *const *keys, const char *const *strings, const int64_t *integers,
        size_t n, enum ovsdb_kind kind)
{
	struct ovsdb_datum datum = {.n = n};

	if (n) {
		datum.keys = xcalloc(n, sizeof(*datum.keys));
		datum.values = xcalloc(n, sizeof(*datum.values));
	}
	for (size_t i = 0; i < n; i++) {
		datum.keys[i].string = xstrdup(keys[i]);
		if (strings)
			datum.values[i].string = xstrdup(strings[i]);
		else
			datum.values[i].integer = integers[i];
	}
	set_datum(txn, table, row, column, &datum, OVSDB_STRING, kind);
}

void
db_txn_set_string_map(struct db_txn *txn, const char *table, const struct uuid *row,
                      const char *column, const char *const *keys,
                      const char *const *values, size_t n)
{
	set_map(txn, table, row, column, keys, values, NULL, n, OVSDB_STRING);
}

void
db_txn_set_integer_map(struct db_txn *txn, const char *table, const struct uuid *row,
                       const char *column, const char *const *keys, const int64_t *values,
                       size_t n)
{
	set_map(txn, table, row, column, keys, NULL, values, n, OVSDB_INTEGER);
}

struct uuid
db_txn_insert(struct db_txn *txn, const char *table)
{
	struct uuid uuid = uuid_random();

	add_write(txn, table, &uuid);
	return uuid;
}

static void
apply_write(struct txn *txn, struct db_write *write)
{
	struct ovsdb_datum *datum;
	struct db_row *row;

	if (!write->column) {
		txn_insert(txn, write->table, &write->uuid);
		return;
	}
	row = db_table_row(write->table, &write->uuid);
	if (!row || !ovsdb_datum_compare(&row->datums[write->column->index],
	                                 &write->datum, &write->column->type))
		return;
	datum = txn_modify(txn, row, write->column);
	ovsdb_datum_destroy(datum, &write->column->type);
	*datum = write->datum;
	memset(&write->datum, 0, sizeof(write->datum));
}

static void
free_writes(struct db_txn *txn)
{
	struct list *link;

	while ((link = list_pop_front(&txn->writes)) != NULL) {
		struct db_write *write = CONTAINER_OF(link, struct db_write, link);

		if (write->column)
			ovsdb_datum_destroy(&write->datum, &write->column->type);
		free(write);
	}
	free(txn);
}

int
db_txn_commit(struct db_txn *db_txn, struct error *err)
{
	struct db_error failure = {0};
	struct db_write *write;
	struct txn *txn;
	int rc;

	rc = db_txn->code;
	if (rc) {
		error_set(err, rc, "%s", db_txn->err.text);
		free_writes(db_txn);
		return rc;
	}
	txn = txn_begin(db_txn->db);
	LIST_FOR_EACH (write, link, &db_txn->writes)
		apply_write(txn, write);
	free_writes(db_txn);
	rc = txn_commit(txn, &failure);
	return rc ? error_set(err, rc, "%s", failure.details.text) : 0;
}
