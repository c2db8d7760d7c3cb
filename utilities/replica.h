/* replica.h - the part of the database that a run of weir-vsctl looks at. A monitor fills
 * it; commands read and change its rows (row.h). */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "row.h"
#include "rpc/client.h"

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
/* The same with a schema, which is given away, and no client. */
void replica_init(struct replica *replica, struct ovsdb_schema *schema);
void replica_close(struct replica *replica);

struct replica_table *replica_table(const struct replica *replica, const char *name);

/* Before replica_fetch(): rows of the table will be there, with this column if it is not
 * NULL. Names that the schema does not have are ignored. */
void replica_want(struct replica *replica, const char *table, const char *column);
void replica_want_rows(struct replica_table *table);
void replica_want_column(struct replica_table *table, const struct ovsdb_column *column);

/* Of a table whose rows nobody else wants, this one will be there if it exists. It is not
 * followed: only the transaction notices if it changes meanwhile. */
void replica_pick_row(struct replica_table *table, const struct uuid *uuid);
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
