/* mutation.h - RFC 7047's <mutation>s: changes that start from a column's value. Used by
 * exec.c. Main thread. */
#pragma once

#include <jansson.h>

#include "ovsdb/db_private.h"

struct mutation;

struct mutations {
	struct mutation *list;
	size_t n;
};

/* 'json' is an array of [column, mutator, value]. On an error there is nothing to
 * destroy. */
int mutations_from_json(struct mutations *mutations,
                        const struct ovsdb_table_schema *schema, const json_t *json,
                        ovsdb_named_uuid_fn *named, void *aux, struct db_error *error);
void mutations_destroy(struct mutations *mutations);

/* Applies all in order. After an error the transaction must be aborted. */
int mutations_apply(const struct mutations *mutations, struct txn *txn,
                    struct db_row *row, struct db_error *error);
