/* replica.h - the rows that a run of weir-vsctl looks at, and the changes it wants. A
 * monitor fills it, commands read and change it, txn.h turns the changes into a
 * transaction. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/hmap.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"
#include "rpc/client.h"

struct replica_table {
	const struct ovsdb_table_schema *schema;
	bool is_wanted;
	bool *wanted;     /* by column index: monitored */
	struct hmap rows; /* by UUID */
};

struct row {
	struct hmap_node node;
	struct replica_table *table;
	struct uuid uuid;
	struct ovsdb_datum *stored;  /* by column index; what the database holds */
	struct ovsdb_datum *pending; /* meaningful where 'changed' */
	bool *changed;
	bool *verified; /* the transaction must fail if these have changed meanwhile */
	bool is_new;    /* inserted here, not stored yet */
	bool is_deleted;
	bool keeps_uuid; /* the user chose the UUID of this new row */
	size_t op_index; /* of a new row's insert in the transaction */
};

struct replica {
	struct rpc_client *client;
	struct ovsdb_schema *schema;
	struct replica_table *tables; /* in the order of their names */
	size_t n_tables;
	int64_t monitor_id; /* counts up; older monitors' updates are ignored */
};

/* Gets the schema of database 'name'. The client stays the caller's. */
int replica_open(struct replica *replica, struct rpc_client *client, const char *name,
                 struct error *err);
int replica_init(struct replica *replica, struct ovsdb_schema *schema); /* no client */
void replica_close(struct replica *replica);

struct replica_table *replica_table(const struct replica *replica, const char *name);

/* Before replica_fetch(): rows of the table will be there, with this column if it is not
 * NULL. Names that the schema does not have are ignored. */
void replica_want(struct replica *replica, const char *table, const char *column);
void replica_want_column(struct replica_table *table, const struct ovsdb_column *column);
void replica_want_all(struct replica_table *table);

/* Drops all rows and changes, and gets the rows anew. */
int replica_fetch(struct replica *replica, struct error *err);

/* Waits until some wanted value has changed, and applies that. Pending changes must have
 * been dropped before. */
int replica_wait(struct replica *replica, struct error *err);

/* Applies a <table-updates> object. */
int replica_apply(struct replica *replica, const json_t *updates, struct error *err);

/* Forgets what commands changed. */
void replica_revert(struct replica *replica);

/* Live rows of a table in the order of their "name" column, else of their UUIDs. The
 * array is the caller's to free. */
struct row **replica_rows(const struct replica_table *table, size_t *n);
struct row *replica_row(const struct replica_table *table, const struct uuid *uuid);

/* As the commands before this one left it. */
const struct ovsdb_datum *row_datum(const struct row *row,
                                    const struct ovsdb_column *column);
const struct ovsdb_column *row_column(const struct row *row, const char *name);
const struct ovsdb_datum *row_get(const struct row *row, const char *column);
const char *row_string(const struct row *row, const char *column); /* "" if empty */
int64_t row_integer(const struct row *row, const char *column, int64_t fallback);
bool row_bool(const struct row *row, const char *column);

/* Takes the value over. */
void row_set_datum(struct row *row, const struct ovsdb_column *column,
                   struct ovsdb_datum *value);
void row_set(struct row *row, const char *column, struct ovsdb_datum *value);
void row_clear(struct row *row, const char *column);
void row_add_ref(struct row *row, const char *column, const struct row *target);
void row_remove_ref(struct row *row, const char *column, const struct row *target);

/* The transaction will wait for 'column' to be what it was when the row was fetched. */
void row_verify_column(struct row *row, const struct ovsdb_column *column);
void row_verify(struct row *row, const char *column);

struct row *row_insert(struct replica_table *table, const struct uuid *uuid);
void row_delete(struct row *row);

/* True if the row is to be inserted, deleted or given another value. */
bool row_is_dirty(const struct row *row);
bool row_column_is_dirty(const struct row *row, const struct ovsdb_column *column);
