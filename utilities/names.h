/* names.h - how users name tables, columns, keys and rows. */
#pragma once

#include "vsctl.h"

/* Exact or unique abbreviation, without regard to case and with "-" as "_". */
int names_find_table(const struct replica *replica, const char *name,
                     struct replica_table **table, struct error *err);
int names_find_column(const struct replica_table *table, const char *name,
                      const struct ovsdb_column **column, struct error *err);

/* The rows and columns that names_find_row() needs. */
void names_want_rows(struct replica *replica, struct replica_table *table);

/* The same for one row; only that one is got where its name allows it. */
void names_want_row(struct replica *replica, struct replica_table *table,
                    const char *name);

/* A row by UUID (four or more digits of it), by the name that its table has for it, by
 * "." or by "@name". '*row' is NULL if there is none, which is an error only if
 * 'must_exist'. */
int names_find_row(struct vsctl *vsctl, const struct replica_table *table,
                   const char *name, bool must_exist, struct row **row,
                   struct error *err);

enum compare_op {
	OP_NONE,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_GT,
	OP_LE,
	OP_GE,
	OP_SET_EQ,
	OP_SET_NE,
	OP_SET_LT,
	OP_SET_GT,
	OP_SET_LE,
	OP_SET_GE,
	OP_SET_IN,
	OP_SET_NOT_IN
};

/* "column[:key][OP value]". */
struct column_arg {
	const struct ovsdb_column *column;
	char *key;
	enum compare_op op;
	const char *value; /* into the argument; NULL without OP */
};

enum value_wanted { VALUE_NONE, VALUE_ASSIGNED, VALUE_COMPARED };

/* On success the caller frees 'arg->key'. */
int names_parse_argument(const struct replica_table *table, const char *text,
                         enum value_wanted wanted, struct column_arg *arg,
                         struct error *err);
