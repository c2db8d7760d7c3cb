/* replica.c - follows the wanted columns of the database for one run of weir-vsctl; row.c
 * has what commands do with the rows. */
#include "replica.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "value.h"

static int
compare_tables(const void *a, const void *b)
{
	const struct replica_table *x = a, *y = b;

	return strcmp(x->schema->name, y->schema->name);
}

void
replica_init(struct replica *replica, struct ovsdb_schema *schema)
{
	struct ovsdb_table_schema *table;

	memset(replica, 0, sizeof(*replica));
	replica->schema = schema;
	replica->tables = xcalloc(schema->tables.count + 1, sizeof(*replica->tables));
	HMAP_FOR_EACH (table, node, &schema->tables) {
		struct replica_table *mine = &replica->tables[replica->n_tables++];

		mine->schema = table;
		mine->wanted = xcalloc(table->n_columns, sizeof(*mine->wanted));
		hmap_init(&mine->rows);
	}
	qsort(replica->tables, replica->n_tables, sizeof(*replica->tables),
	      compare_tables);
}

/* The error of a reply as one line. */
static int
reply_error(const json_t *error, const char *what, struct error *err)
{
	char *text = json_dumps(error, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	int ret = error_set(err, -EPROTO, "%s: the server answered %s", what,
	                    text ? text : "an error");

	free(text);
	return ret;
}

int
replica_open(struct replica *replica, struct rpc_client *client, const char *name,
             struct error *err)
{
	json_t *result = NULL, *error = NULL;
	struct ovsdb_schema *schema;
	int ret;

	ret = rpc_client_call(client, "get_schema", json_pack("[s]", name), &result,
	                      &error, err);
	if (ret)
		return ret;
	if (error) {
		ret = reply_error(error, name, err);
		json_decref(error);
		return ret;
	}
	ret = ovsdb_schema_from_json(result, &schema, err);
	json_decref(result);
	if (ret) {
		error_prefix(err, "schema of database %s", name);
		return ret;
	}
	replica_init(replica, schema);
	replica->client = client;
	return 0;
}

static void
replica_drop_rows(struct replica *replica)
{
	for (size_t i = 0; i < replica->n_tables; i++) {
		struct row *row;

		HMAP_FOR_EACH (row, node, &replica->tables[i].rows) {
			hmap_remove(&replica->tables[i].rows, &row->node);
			row_destroy(row);
		}
	}
}

void
replica_close(struct replica *replica)
{
	replica_drop_rows(replica);
	for (size_t i = 0; i < replica->n_tables; i++) {
		hmap_destroy(&replica->tables[i].rows);
		free(replica->tables[i].wanted);
		free(replica->tables[i].picked);
	}
	free(replica->tables);
	ovsdb_schema_destroy(replica->schema);
	memset(replica, 0, sizeof(*replica));
}

void
replica_revert(struct replica *replica)
{
	for (size_t i = 0; i < replica->n_tables; i++)
		replica_table_revert(&replica->tables[i]);
}

struct replica_table *
replica_table(const struct replica *replica, const char *name)
{
	for (size_t i = 0; i < replica->n_tables; i++)
		if (!strcmp(replica->tables[i].schema->name, name))
			return &replica->tables[i];
	return NULL;
}

void
replica_want_rows(struct replica_table *table)
{
	table->is_wanted = true;
}

void
replica_want_column(struct replica_table *table, const struct ovsdb_column *column)
{
	table->wanted[column->index] = true;
}

void
replica_pick_row(struct replica_table *table, const struct uuid *uuid)
{
	table->picked =
		xrealloc(table->picked, (table->n_picked + 1) * sizeof(*table->picked));
	table->picked[table->n_picked++] = *uuid;
}

void
replica_want_all(struct replica_table *table)
{
	table->is_wanted = true;
	for (size_t i = 0; i < table->schema->n_columns; i++)
		table->wanted[i] = true;
}

void
replica_want(struct replica *replica, const char *table_name, const char *column_name)
{
	struct replica_table *table = replica_table(replica, table_name);
	const struct ovsdb_column *column;

	if (!table)
		return;
	replica_want_rows(table);
	column = column_name ? ovsdb_table_column(table->schema, column_name) : NULL;
	if (column)
		replica_want_column(table, column);
}

/* The columns to get of a table; one at least, so that rows can be told from none. */
static json_t *
wanted_columns(const struct replica_table *table)
{
	const struct ovsdb_table_schema *schema = table->schema;
	json_t *columns = json_array();

	for (size_t i = 0; i < schema->n_columns; i++)
		if (table->wanted[i] && schema->columns[i]->name[0] != '_')
			json_array_append_new(columns,
			                      json_string(schema->columns[i]->name));
	if (!json_array_size(columns))
		json_array_append_new(
			columns,
			json_string(schema->columns[schema->n_columns - 1]->name));
	return columns;
}

/* The <monitor-requests>. A table of which only the existence of rows counts is asked for
 * one column: an empty list is not understood alike by all servers. */
static json_t *
monitor_requests(const struct replica *replica)
{
	json_t *requests = json_object();

	for (size_t i = 0; i < replica->n_tables; i++) {
		const struct replica_table *table = &replica->tables[i];

		if (!table->is_wanted)
			continue;
		json_object_set_new(requests, table->schema->name,
		                    json_pack("{s:o}", "columns", wanted_columns(table)));
	}
	return requests;
}

static int
replica_cancel(struct replica *replica, struct error *err)
{
	json_t *result = NULL, *error = NULL;
	int ret;

	ret = rpc_client_call(replica->client, "monitor_cancel",
	                      json_pack("[I]", (json_int_t)replica->monitor_id), &result,
	                      &error, err);
	json_decref(result);
	json_decref(error);
	return ret;
}

static int
row_apply(struct replica_table *table, const struct uuid *uuid, const json_t *update,
          struct error *err)
{
	const json_t *values = json_object_get(update, "new");
	struct row *row = replica_row_any(table, uuid);
	const char *name;
	json_t *json;

	if (!values) {
		if (row) {
			hmap_remove(&table->rows, &row->node);
			row_destroy(row);
		}
		return 0;
	}
	if (!row)
		row = row_create(table, uuid);
	json_object_foreach((json_t *)(uintptr_t)values, name, json)
	{
		const struct ovsdb_column *column =
			ovsdb_table_column(table->schema, name);
		struct ovsdb_type lax;
		struct ovsdb_datum datum;
		int ret;

		if (!column)
			continue;
		/* What is stored is shown even if it breaks today's constraints. */
		lax = value_type_any_count(&column->type, OVSDB_UNLIMITED);
		ret = ovsdb_datum_from_json(&datum, &lax, json, NULL, NULL, err);
		if (ret) {
			error_prefix(err, "%s: %s", table->schema->name, name);
			return ret;
		}
		ovsdb_datum_destroy(&row->stored[column->index], &column->type);
		row->stored[column->index] = datum;
	}
	return 0;
}

int
replica_apply(struct replica *replica, const json_t *updates, struct error *err)
{
	const char *table_name, *row_name;
	json_t *rows, *update;

	json_object_foreach((json_t *)(uintptr_t)updates, table_name, rows)
	{
		struct replica_table *table = replica_table(replica, table_name);

		if (!table)
			continue;
		json_object_foreach(rows, row_name, update)
		{
			struct uuid uuid;
			int ret;

			if (!uuid_from_text(&uuid, row_name))
				return error_set(err, -EPROTO,
				                 "%s: the server sent the row id \"%s\"",
				                 table_name, row_name);
			ret = row_apply(table, &uuid, update, err);
			if (ret)
				return ret;
		}
	}
	return 0;
}

int
replica_wait(struct replica *replica, struct error *err)
{
	for (;;) {
		json_t *params = NULL;
		char *method = NULL;
		bool is_ours;
		int ret = rpc_client_wait(replica->client, &method, &params, err);

		if (ret)
			return ret;
		is_ours = !strcmp(method, "update") &&
		          json_integer_value(json_array_get(params, 0)) ==
		                  replica->monitor_id;
		if (is_ours)
			ret = replica_apply(replica, json_array_get(params, 1), err);
		free(method);
		json_decref(params);
		if (is_ours || ret)
			return ret;
	}
}

static json_t *
picked_operations(const struct replica *replica)
{
	json_t *params = json_pack("[s]", replica->schema->name);

	for (size_t i = 0; i < replica->n_tables; i++) {
		const struct replica_table *table = &replica->tables[i];

		for (size_t j = 0; j < table->n_picked && !table->is_wanted; j++) {
			char text[UUID_TEXT_BYTES];

			uuid_to_text(&table->picked[j], text);
			json_array_append_new(
				params,
				json_pack("{s:s, s:s, s:[[s, s, [s, s]]], s:o}", "op",
			                  "select", "table", table->schema->name, "where",
			                  "_uuid", "==", "uuid", text, "columns",
			                  wanted_columns(table)));
		}
	}
	return params;
}

static int
apply_picked(struct replica *replica, const json_t *results, struct error *err)
{
	size_t at = 0;
	int ret = 0;

	for (size_t i = 0; i < replica->n_tables; i++) {
		struct replica_table *table = &replica->tables[i];

		for (size_t j = 0; j < table->n_picked && !table->is_wanted && !ret;
		     j++) {
			const json_t *rows =
				json_object_get(json_array_get(results, at++), "rows");
			json_t *update;

			if (!json_array_size(rows))
				continue;
			update = json_pack("{s:O}", "new", json_array_get(rows, 0));
			ret = row_apply(table, &table->picked[j], update, err);
			json_decref(update);
		}
	}
	return ret;
}

/* Rows that are known by their UUIDs, of tables that may be too large to get whole. */
static int
replica_fetch_picked(struct replica *replica, struct error *err)
{
	json_t *params = picked_operations(replica), *result = NULL, *error = NULL;
	int ret;

	if (json_array_size(params) == 1) {
		json_decref(params);
		return 0;
	}
	ret = rpc_client_call(replica->client, "transact", params, &result, &error, err);
	if (ret)
		return ret;
	ret = error ? reply_error(error, "transact", err)
	            : apply_picked(replica, result, err);
	json_decref(result);
	json_decref(error);
	return ret;
}

int
replica_fetch(struct replica *replica, struct error *err)
{
	json_t *result = NULL, *error = NULL;
	int ret;

	replica_drop_rows(replica);
	if (replica->monitor_id) {
		ret = replica_cancel(replica, err);
		if (ret)
			return ret;
	}
	replica->monitor_id++;
	ret = rpc_client_call(replica->client, "monitor",
	                      json_pack("[s,I,o]", replica->schema->name,
	                                (json_int_t)replica->monitor_id,
	                                monitor_requests(replica)),
	                      &result, &error, err);
	if (ret)
		return ret;
	if (error)
		ret = reply_error(error, "monitor", err);
	else
		ret = replica_apply(replica, result, err);
	json_decref(result);
	json_decref(error);
	return ret ? ret : replica_fetch_picked(replica, err);
}
