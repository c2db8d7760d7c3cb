/* exec_private.h - what exec.c, select.c and wait.c share. */
#pragma once

#include "ovsdb/condition.h"

struct exec_request;

struct exec {
	const struct exec_request *request;
	struct txn *txn;
	struct hmap names; /* of rows that are, or will be, inserted */
	const json_t *op;
	size_t n_done;
	uint64_t retry_ms;
	struct db_error error;
};

struct exec_value {
	const struct ovsdb_column *column;
	struct ovsdb_datum datum;
};

/* Each returns 0 or -errno with exec->error set; -EAGAIN: try the transaction again. */
int exec_wait(struct exec *exec, json_t *result);
int exec_select(struct exec *exec, json_t *result);
int exec_table_and_where(struct exec *exec, struct db_table **table,
                         struct condition *where);
int exec_read_row(struct exec *exec, const struct ovsdb_table_schema *schema,
                  const json_t *json, struct exec_value **values, size_t *n);
void exec_free_row(struct exec_value *values, size_t n);

/* 'is_wanted' by column index, the caller's to free; all if 'json' is NULL. */
int exec_read_columns(struct exec *exec, const struct ovsdb_table_schema *schema,
                      const json_t *json, bool **is_wanted);
int exec_syntax_error(struct exec *exec, const char *what, const char *member);

/* Names a datum's error in RFC 7047's words; returns 'code'. */
int exec_tag_error(struct exec *exec, int code);
bool exec_named_uuid(const char *name, struct uuid *uuid, void *exec);
