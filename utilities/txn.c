/* txn.c - turns the dirty rows of a replica into wait, insert, update and delete
 * operations, and reads the server's answer. */
#include "txn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The name of a new row within its transaction. */
static char *
insert_name(const struct uuid *uuid)
{
	char text[UUID_TEXT_BYTES];

	uuid_to_text(uuid, text);
	for (char *p = text; *p; p++)
		if (*p == '-')
			*p = '_';
	return xasprintf("row%s", text);
}

static const struct row *
find_new_row(const struct replica *replica, const struct uuid *uuid)
{
	for (size_t i = 0; i < replica->n_tables; i++) {
		const struct row *row = replica_row(&replica->tables[i], uuid);

		if (row && row->is_new)
			return row;
	}
	return NULL;
}

/* Replaces ["uuid", X] by ["named-uuid", ...] where X is inserted by the same
 * transaction. */
static void
substitute_names(const struct replica *replica, json_t *json)
{
	const char *tag = json_string_value(json_array_get(json, 0));
	const char *text = json_string_value(json_array_get(json, 1));
	const struct row *row;
	struct uuid uuid;

	if (!json_is_array(json))
		return;
	if (!tag || !text || json_array_size(json) != 2 || strcmp(tag, "uuid")) {
		for (size_t i = 0; i < json_array_size(json); i++)
			substitute_names(replica, json_array_get(json, i));
		return;
	}
	row = uuid_from_text(&uuid, text) ? find_new_row(replica, &uuid) : NULL;
	if (row && !row->keeps_uuid) {
		char *name = insert_name(&uuid);

		json_array_set_new(json, 0, json_string("named-uuid"));
		json_array_set_new(json, 1, json_string(name));
		free(name);
	}
}

static json_t *
datum_to_json(const struct replica *replica, const struct ovsdb_datum *datum,
              const struct ovsdb_column *column)
{
	json_t *json = ovsdb_datum_to_json(datum, &column->type);

	/* Only where references can be: strings may look like one. */
	if (column->type.key.kind == OVSDB_UUID || column->type.value.kind == OVSDB_UUID)
		substitute_names(replica, json);
	return json;
}

static json_t *
where_row(const struct row *row)
{
	char text[UUID_TEXT_BYTES];

	uuid_to_text(&row->uuid, text);
	return json_pack("[[s, s, [s, s]]]", "_uuid", "==", "uuid", text);
}

static void
append_wait(const struct replica *replica, const struct row *row, json_t *ops)
{
	const struct ovsdb_table_schema *table = row->table->schema;
	json_t *columns = json_array(), *values = json_object();

	for (size_t i = 0; i < table->n_columns; i++) {
		const struct ovsdb_column *column = table->columns[i];

		if (!row->verified[i])
			continue;
		json_array_append_new(columns, json_string(column->name));
		json_object_set_new(values, column->name,
		                    datum_to_json(replica, &row->stored[i], column));
	}
	if (!json_array_size(columns)) {
		json_decref(columns);
		json_decref(values);
		return;
	}
	json_array_append_new(ops,
	                      json_pack("{s:s, s:s, s:i, s:o, s:o, s:s, s:[o]}", "op",
	                                "wait", "table", table->name, "timeout", 0,
	                                "where", where_row(row), "columns", columns,
	                                "until", "==", "rows", values));
}

static json_t *
dirty_values(const struct replica *replica, const struct row *row)
{
	const struct ovsdb_table_schema *table = row->table->schema;
	json_t *values = json_object();

	for (size_t i = 0; i < table->n_columns; i++)
		if (row_column_is_dirty(row, table->columns[i]))
			json_object_set_new(values, table->columns[i]->name,
			                    datum_to_json(replica, &row->pending[i],
			                                  table->columns[i]));
	return values;
}

static void
append_insert(const struct replica *replica, struct row *row, json_t *ops)
{
	json_t *op =
		json_pack("{s:s, s:s, s:o}", "op", "insert", "table",
	                  row->table->schema->name, "row", dirty_values(replica, row));
	char text[UUID_TEXT_BYTES];
	char *name = insert_name(&row->uuid);

	if (row->keeps_uuid) {
		uuid_to_text(&row->uuid, text);
		json_object_set_new(op, "uuid", json_string(text));
	} else {
		json_object_set_new(op, "uuid-name", json_string(name));
	}
	row->op_index = json_array_size(ops);
	json_array_append_new(ops, op);
	free(name);
}

static void
append_change(const struct replica *replica, struct row *row, json_t *ops)
{
	const char *table = row->table->schema->name;

	if (row->is_new) {
		append_insert(replica, row, ops);
		return;
	}
	/* The server removes rows of other tables when nothing refers to them any more,
	 * and refuses to before. */
	if (row->is_deleted && !row->table->schema->is_root)
		return;
	if (row->is_deleted)
		json_array_append_new(ops,
		                      json_pack("{s:s, s:s, s:o}", "op", "delete",
		                                "table", table, "where", where_row(row)));
	else
		json_array_append_new(ops,
		                      json_pack("{s:s, s:s, s:o, s:o}", "op", "update",
		                                "table", table, "where", where_row(row),
		                                "row", dirty_values(replica, row)));
}

/* Counts Open_vSwitch.next_cfg up and reads it back. */
static void
append_next_cfg(const struct row *root, json_t *ops)
{
	json_t *where;

	if (root->is_new) {
		char *name = insert_name(&root->uuid);

		where = json_pack("[[s, s, [s, s]]]", "_uuid", "==", "named-uuid", name);
		free(name);
	} else {
		where = where_row(root);
	}
	json_array_append_new(ops,
	                      json_pack("{s:s, s:s, s:O, s:[[s, s, i]]}", "op", "mutate",
	                                "table", root->table->schema->name, "where",
	                                where, "mutations", "next_cfg", "+=", 1));
	json_array_append_new(ops, json_pack("{s:s, s:s, s:o, s:[s]}", "op", "select",
	                                     "table", root->table->schema->name, "where",
	                                     where, "columns", "next_cfg"));
}

json_t *
txn_build(struct replica *replica, const struct txn_options *options, struct row *root,
          size_t *next_cfg_index, bool *is_changed)
{
	json_t *waits = json_array(), *changes = json_array();
	json_t *params = json_pack("[s]", replica->schema->name);
	struct row *row;

	for (size_t i = 0; i < replica->n_tables; i++)
		HMAP_FOR_EACH (row, node, &replica->tables[i].rows)
			append_wait(replica, row, waits);
	json_array_extend(params, waits);
	for (size_t i = 0; i < replica->n_tables; i++)
		HMAP_FOR_EACH (row, node, &replica->tables[i].rows)
			if (row_is_dirty(row)) {
				/* 'op_index' counts from the first operation. */
				append_change(replica, row, changes);
				row->op_index += json_array_size(waits);
			}
	json_array_extend(params, changes);
	*is_changed = json_array_size(changes) > 0;
	if (options->wait)
		append_next_cfg(root, params);
	/* The database's name stands before the first operation. */
	*next_cfg_index = json_array_size(params) - 2;
	if (options->comment)
		json_array_append_new(params, json_pack("{s:s, s:s}", "op", "comment",
		                                        "comment", options->comment));
	if (options->dry_run)
		json_array_append_new(params, json_pack("{s:s}", "op", "abort"));
	json_decref(waits);
	json_decref(changes);
	return params;
}

/* Finds the first error among the results. */
static int
check_results(const json_t *results, enum txn_status *status, bool dry_run,
              struct error *err)
{
	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *result = json_array_get(results, i);
		const char *error = json_string_value(json_object_get(result, "error"));
		char *text;

		if (!error)
			continue;
		if (!strcmp(error, "timed out") || !strcmp(error, "not owner")) {
			*status = TXN_CONFLICT;
			return 0;
		}
		if (dry_run && !strcmp(error, "aborted")) {
			*status = TXN_DRY_RUN;
			return 0;
		}
		text = json_dumps(result, JSON_COMPACT | JSON_SORT_KEYS);
		error_set(err, -EINVAL, "transaction error: %s", text ? text : error);
		free(text);
		return -EINVAL;
	}
	*status = TXN_STORED;
	return 0;
}

int
txn_compare_inserted(const void *a, const void *b)
{
	const struct txn_inserted *x = a, *y = b;

	return uuid_compare(&x->uuid, &y->uuid);
}

static void
collect_inserted(const struct replica *replica, const json_t *results,
                 struct txn_inserted **inserted, size_t *n)
{
	size_t allocated = *n;
	struct row *row;

	for (size_t i = 0; i < replica->n_tables; i++)
		HMAP_FOR_EACH (row, node, &replica->tables[i].rows) {
			const json_t *result = json_array_get(results, row->op_index);
			const char *text = json_string_value(
				json_array_get(json_object_get(result, "uuid"), 1));
			struct txn_inserted *new_row;

			if (!row->is_new || row->is_deleted)
				continue;
			if (*n == allocated) {
				allocated = allocated ? 2 * allocated : 8;
				*inserted = xrealloc(*inserted,
				                     allocated * sizeof(**inserted));
			}
			new_row = &(*inserted)[(*n)++];
			new_row->table = row->table;
			new_row->uuid = row->uuid;
			if (!text || !uuid_from_text(&new_row->stored, text))
				new_row->stored = row->uuid;
		}
	if (*n)
		qsort(*inserted, *n, sizeof(**inserted), txn_compare_inserted);
}

static int
read_results(struct replica *replica, const struct txn_options *options,
             const json_t *results, size_t next_cfg_index, enum txn_status *status,
             int64_t *next_cfg, struct txn_inserted **inserted, size_t *n_inserted,
             struct error *err)
{
	const json_t *rows;
	int ret;

	if (!json_is_array(results))
		return error_set(err, -EPROTO, "transact: the answer is no list");
	ret = check_results(results, status, options->dry_run, err);
	if (ret || *status != TXN_STORED)
		return ret;
	rows = json_object_get(json_array_get(results, next_cfg_index), "rows");
	*next_cfg =
		json_integer_value(json_object_get(json_array_get(rows, 0), "next_cfg"));
	collect_inserted(replica, results, inserted, n_inserted);
	return 0;
}

static int
reply_error(const json_t *error, struct error *err)
{
	char *text = json_dumps(error, JSON_COMPACT | JSON_ENCODE_ANY);
	int ret = error_set(err, -EPROTO, "transaction error: %s", text ? text : "");

	free(text);
	return ret;
}

/* Asks weir what would come of the changes. -ENOTSUP: this server cannot tell. */
static int
judge(const struct replica *replica, json_t *params, enum txn_status *status,
      struct error *err)
{
	json_t *result = NULL, *error = NULL;
	const json_t *problems;
	int ret;

	ret = rpc_client_call(replica->client, "weir_check", params, &result, &error,
	                      err);
	if (!ret && error)
		ret = error_set(err, -ENOTSUP, "the server does not judge changes");
	if (!ret)
		ret = check_results(json_object_get(result, "results"), status, false,
		                    err);
	if (!ret && *status == TXN_STORED) {
		problems = json_object_get(result, "problems");
		*status = TXN_ADMITTED;
		if (json_array_size(problems)) {
			size_t n_more = json_array_size(problems) - 1;

			ret = error_set(err, -EPERM,
			                "dry run: the switch would refuse this: %s",
			                json_string_value(json_array_get(problems, 0)));
			if (n_more)
				error_prefix(err, "(and %zu more)", n_more);
		}
	}
	json_decref(result);
	json_decref(error);
	return ret;
}

/* The changes as they would be, first to a server that can say what they mean. */
static int
dry_run(struct replica *replica, const struct txn_options *options, struct row *root,
        enum txn_status *status, struct error *err)
{
	struct txn_options plain = *options;
	size_t next_cfg_index;
	bool is_changed;

	plain.dry_run = false;
	return judge(replica,
	             txn_build(replica, &plain, root, &next_cfg_index, &is_changed),
	             status, err);
}

int
txn_commit(struct replica *replica, const struct txn_options *options, struct row *root,
           enum txn_status *status, int64_t *next_cfg, struct txn_inserted **inserted,
           size_t *n_inserted, struct error *err)
{
	json_t *params, *result = NULL, *error = NULL;
	size_t next_cfg_index;
	bool is_changed;
	int ret;

	*inserted = NULL;
	*n_inserted = 0;
	params = txn_build(replica, options, root, &next_cfg_index, &is_changed);
	if (!is_changed) {
		json_decref(params);
		*status = TXN_UNCHANGED;
		return 0;
	}
	if (options->dry_run) {
		ret = dry_run(replica, options, root, status, err);
		if (ret != -ENOTSUP) {
			json_decref(params);
			return ret;
		}
	}
	ret = rpc_client_call(replica->client, "transact", params, &result, &error, err);
	if (ret)
		return ret;
	ret = error ? reply_error(error, err)
	            : read_results(replica, options, result, next_cfg_index, status,
	                           next_cfg, inserted, n_inserted, err);
	json_decref(result);
	json_decref(error);
	return ret;
}
