/* exec.h - runs the operations of a "transact" request. Between session.c and txn.c. Main
 * thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ovsdb/db_private.h"

/* Who asks, for the "assert" operation. */
typedef bool exec_holds_lock_fn(const char *lock, void *aux);

struct exec_request {
	struct db *db;
	const json_t *params; /* database name, then operations */
	bool is_read_only;    /* the database is ours alone to write */
	uint64_t waited_ms;   /* since the request arrived */
	exec_holds_lock_fn *holds_lock;
	void *aux;
};

/* The array of results; NULL if a "wait" operation must be tried again: nothing was
 * changed, and '*retry_ms' says by when at the latest (UINT64_MAX = no limit). */
json_t *exec_transaction(const struct exec_request *request, uint64_t *retry_ms);

/* The same without any effect: {"results": as above, "problems": what the database's judge
 * says}. Waits that do not hold have failed. */
json_t *exec_trial(const struct exec_request *request);

json_t *db_error_to_json(const struct db_error *error);
