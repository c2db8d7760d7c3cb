/* row.h - rows of one table: what the database holds and what commands changed. replica.h
 * fills the tables, txn.h turns the changes into a transaction. */
#pragma once

#include <stdbool.h>

#include "base/hmap.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

struct replica_table {
	const struct ovsdb_table_schema *schema;
	bool is_wanted;      /* all rows, monitored */
	bool *wanted;        /* by column index */
	struct uuid *picked; /* rows to get once, where not all are wanted */
	size_t n_picked;
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

/* For replica.c: rows that come from and go with the database. row_destroy() wants the
 * row out of its table. */
struct row *row_create(struct replica_table *table, const struct uuid *uuid);
void row_destroy(struct row *row);
void replica_table_revert(struct replica_table *table);

/* Live rows of a table in the order of their "name" column, else of their UUIDs. The
 * array is the caller's to free. */
struct row **replica_rows(const struct replica_table *table, size_t *n);
struct row *replica_row(const struct replica_table *table, const struct uuid *uuid);
/* As replica_row(), deleted ones too. */
struct row *replica_row_any(const struct replica_table *table, const struct uuid *uuid);

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
/* The value to change in place. */
struct ovsdb_datum *row_change_datum(struct row *row, const struct ovsdb_column *column);
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
