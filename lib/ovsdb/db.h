/* db.h - the database inside the daemon: rows that code of the same process reads
 * directly, and small transactions of its own. JSON-RPC clients come through server.h.
 * Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

struct db;
struct db_row; /* valid until the next commit */

/* Opens or creates 'path' (SQLite); every row in it is checked against the schema. NULL:
 * in memory only. The caller gives the schema away. -errno with the reason: a damaged or
 * foreign file is refused and left as it is, one in use by another process is -EBUSY. The
 * file's lock does not pass to a forked child: open after daemon_detach(). */
int db_open(struct ovsdb_schema *schema, const char *path, struct db **db,
            struct error *err);
void db_close(struct db *db);
const struct ovsdb_schema *db_schema(const struct db *db);

/* Called after each commit that changed something, whoever made it: rows are as committed
 * and monitors have been told; a client's reply follows. The hook may commit transactions
 * of its own; what they change calls it once more after it has returned. */
void db_set_commit_hook(struct db *db, void (*hook)(struct db *db, void *aux), void *aux);

/* What the rest of the process would say of the database as a client's transaction would
 * leave it: an array of reasons, one string each, that are new. Called for the method
 * "weir_check" with the transaction open, before it is undone: rows read as they would
 * be, but nothing may be written. Without a judge there is no such method. */
typedef json_t *db_judge_fn(const struct db *db, void *aux);
void db_set_judge(struct db *db, db_judge_fn *judge, void *aux);

/* Counts up with each commit that changed something. */
uint64_t db_generation(const struct db *db);

/* Rows in no special order; NULL after the last. Table and column names must exist. */
const struct db_row *db_row_first(const struct db *db, const char *table);
const struct db_row *db_row_next(const struct db_row *row);
const struct db_row *db_row_by_uuid(const struct db *db, const char *table,
                                    const struct uuid *uuid);
const struct uuid *db_row_uuid(const struct db_row *row);

/* db_generation() after the commit that made or last changed the row. */
uint64_t db_row_changed_at(const struct db_row *row);

/* Rows that were made or changed since db_generation() was 'generation', the latest
 * first. Rows that were deleted since are in no list. */
const struct db_row *db_row_changed_first(const struct db *db, const char *table,
                                          uint64_t generation);
const struct db_row *db_row_changed_next(const struct db_row *row, uint64_t generation);

const struct ovsdb_datum *db_row_datum(const struct db_row *row, const char *column);

/* Scalars and optional scalars; 'fallback' if the column is empty. Strings live as long
 * as the row. */
const char *db_row_string(const struct db_row *row, const char *column,
                          const char *fallback);
int64_t db_row_integer(const struct db_row *row, const char *column, int64_t fallback);
bool db_row_bool(const struct db_row *row, const char *column, bool fallback);

/* The value of 'key' in a column that is a map of strings; NULL if it has none. */
const char *db_row_map_string(const struct db_row *row, const char *column,
                              const char *key);

/* A transaction of the daemon's own: its effects are checked, stored and sent to monitors
 * like a client's. Writes of what a column already holds cost nothing. Ephemeral columns
 * do not touch the disk. */
struct db_txn *db_txn_begin(struct db *db);
void db_txn_set(struct db_txn *txn, const char *table, const struct uuid *row,
                const char *column, const struct ovsdb_datum *value); /* copied */
void db_txn_set_string(struct db_txn *txn, const char *table, const struct uuid *row,
                       const char *column, const char *value); /* NULL = the empty set */
void db_txn_set_integer(struct db_txn *txn, const char *table, const struct uuid *row,
                        const char *column, int64_t value);
void db_txn_set_bool(struct db_txn *txn, const char *table, const struct uuid *row,
                     const char *column, bool value);
void db_txn_clear(struct db_txn *txn, const char *table, const struct uuid *row,
                  const char *column); /* the empty set */
/* Maps of strings or integers: 'n' pairs replace the column's value. */
void db_txn_set_string_map(struct db_txn *txn, const char *table, const struct uuid *row,
                           const char *column, const char *const *keys,
                           const char *const *values, size_t n);
void db_txn_set_integer_map(struct db_txn *txn, const char *table, const struct uuid *row,
                            const char *column, const char *const *keys,
                            const int64_t *values, size_t n);
/* A new row with defaults; it must be referenced or be in a root table to survive. */
struct uuid db_txn_insert(struct db_txn *txn, const char *table);

/* Ends the transaction in every case. 0, or -errno and nothing changed. A row that was
 * deleted meanwhile is skipped, no error. */
int db_txn_commit(struct db_txn *txn, struct error *err);
