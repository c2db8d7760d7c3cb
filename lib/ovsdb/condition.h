/* condition.h - RFC 7047's <condition>: which rows an operation or monitor is about. Used
 * by exec.c and monitor.c. Main thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "ovsdb/db_private.h"

struct condition_clause;

struct condition {
	struct condition_clause *clauses;
	size_t n;
};

/* 'json' is an array of clauses [column, function, value] or booleans. The schema must
 * outlive the condition. On an error there is nothing to destroy. */
int condition_from_json(struct condition *condition,
                        const struct ovsdb_table_schema *schema, const json_t *json,
                        ovsdb_named_uuid_fn *named, void *aux, struct db_error *error);
void condition_destroy(struct condition *condition);

/* 'datums' by column index: a row's, old or new. */
bool condition_all(const struct condition *condition,
                   const struct ovsdb_datum *const *datums);
bool condition_any(const struct condition *condition,
                   const struct ovsdb_datum *const *datums);

/* As condition_all() on a row as it is now. */
bool condition_matches_row(const struct condition *condition, const struct db_row *row);

/* If only one row can match: its UUID. */
bool condition_names_row(const struct condition *condition, struct uuid *uuid);

/* Calls 'fn' for the rows that match all clauses, which it may modify or delete; stops at
 * the first return value that is not 0 and returns it. */
int condition_for_each(const struct condition *condition, struct db_table *table,
                       int (*fn)(struct db_row *row, void *aux), void *aux);
