/* db_private.h - the database's insides, shared by db.c, store.c, the transactions and
 * the server; nobody else includes it. Main thread. */
#pragma once

#include <sqlite3.h>

#include "base/hmap.h"
#include "base/list.h"
#include "ovsdb/datum.h"
#include "ovsdb/db.h"
#include "ovsdb/schema.h"

struct txn;

struct db_index_node {
	struct hmap_node node; /* in db_table.indexes[i], by the hash of its columns */
	struct db_row *row;
};

struct db_table {
	struct hmap_node node; /* in db.tables, by name */
	struct db *db;
	const struct ovsdb_table_schema *schema;
	struct hmap rows;     /* by UUID */
	struct list recent;   /* of committed rows, the latest changed first */
	struct hmap *indexes; /* committed rows only; one for each of the schema's */
};

struct db_row {
	struct hmap_node node; /* in db_table.rows, or txn.deleted while that is open */
	struct db_table *table;
	struct uuid uuid;
	struct ovsdb_datum *datums; /* by column index */
	size_t n_refs;              /* strong references to this row */
	struct list recent;         /* in db_table.recent; empty until committed */
	uint64_t changed_at;        /* db.generation after the commit that changed it */
	struct db_index_node *index_nodes;
	struct txn_row *txn_row; /* NULL unless the open transaction touched the row */
};

/* What the open transaction did to a row. The row itself holds the new values, so that
 * later operations of the same transaction see them. */
struct txn_row {
	struct list link; /* in txn.rows */
	struct list gc;   /* in txn.gc while its references are to be looked at */
	struct db_row *row;
	struct ovsdb_datum *old; /* valid where is_touched; NULL if none is */
	bool *is_touched;        /* by column index; NULL if none is */
	size_t old_n_refs;
	bool is_new;
	bool is_deleted;
	bool is_changed; /* valid in the commit observer */
};

struct txn {
	struct db *db;
	struct list rows;
	struct list gc;
	struct hmap deleted;
	bool is_load; /* of what is on disk already */
};

/* Sees what a commit changed, before old values are forgotten. */
typedef void db_observer_fn(const struct txn *txn, void *aux);

struct store;

struct db {
	struct ovsdb_schema *schema;
	struct hmap tables;
	struct store *store; /* NULL: in memory only */
	uint64_t generation;
	struct txn *open_txn;
	db_observer_fn *observer;
	void *observer_aux;
	void (*hook)(struct db *db, void *aux);
	void *hook_aux;
	db_judge_fn *judge;
	void *judge_aux;
	bool is_in_hook;
	bool is_hook_due;
};

struct db_table *db_table_find(const struct db *db, const char *name);
struct db_row *db_table_row(const struct db_table *table, const struct uuid *uuid);
void db_set_observer(struct db *db, db_observer_fn *observer, void *aux);
void db_row_free(struct db_row *row);

/* What failed, in RFC 7047's words, and for people. */
struct db_error {
	const char *tag; /* "constraint violation", ...; NULL = no error */
	struct error details;
};

/* Sets both and returns 'code'. */
int db_error_set(struct db_error *error, int code, const char *tag, const char *fmt, ...)
	PRINTF_FORMAT(4, 5);

/* One transaction may be open at a time, and not across a return to the event loop. */
struct txn *txn_begin(struct db *db);
void txn_abort(struct txn *txn);

/* Ends the transaction in every case. 0, or -errno and everything is as it was. */
int txn_commit(struct txn *txn, struct db_error *error);

/* NULL if the UUID is or was a row of the table. */
struct db_row *txn_insert(struct txn *txn, struct db_table *table,
                          const struct uuid *uuid);
void txn_delete(struct txn *txn, struct db_row *row);

/* The value to change; the caller keeps it valid for the column's type. */
struct ovsdb_datum *txn_modify(struct txn *txn, struct db_row *row,
                               const struct ovsdb_column *column);
struct txn_row *txn_touch(struct txn *txn, struct db_row *row);

/* Before the transaction; the row must not be new. */
const struct ovsdb_datum *txn_row_old(const struct txn_row *txn_row,
                                      const struct ovsdb_column *column);

/* Referential integrity, garbage collection, maximum rows, unique indexes (txn_check.c).
 */
int txn_check(struct txn *txn, struct db_error *error);

uint32_t txn_index_hash(const struct db_row *row,
                        const struct ovsdb_column *const *index);

/* store.c: rows on disk. A transaction there is all or nothing. */
int store_open(const char *path, const struct ovsdb_schema *schema, struct store **store,
               struct error *err);
void store_close(struct store *store);
int store_write(struct store *store, const struct txn *txn, struct error *err);

typedef int store_row_fn(const char *table, const char *uuid, const json_t *row,
                         void *aux, struct error *err);
int store_load(struct store *store, store_row_fn *row, void *aux, struct error *err);
