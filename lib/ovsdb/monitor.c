/* monitor.c - "monitor*" requests and the notifications they cause. Part of the server,
 * called by session.c; monitor_row.c encodes single rows. Main thread. */
#include "ovsdb/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A transaction identity: there is none to resume from, so it is always zero. */
#define NO_TRANSACTION "00000000-0000-0000-0000-000000000000"

static void
monitor_free(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_tables; i++) {
		free(monitor->tables[i].select);
		condition_destroy(&monitor->tables[i].condition);
	}
	free(monitor->tables);
	json_decref(monitor->id);
	list_remove(&monitor->link);
	free(monitor);
}

static struct monitor *
monitor_find(struct session *session, const json_t *id)
{
	struct monitor *monitor;

	LIST_FOR_EACH (monitor, link, &session->monitors)
		if (json_equal(monitor->id, id))
			return monitor;
	return NULL;
}

static struct monitor_table *
monitor_find_table(struct monitor *monitor, const struct db_table *table)
{
	for (size_t i = 0; i < monitor->n_tables; i++)
		if (monitor->tables[i].table == table)
			return &monitor->tables[i];
	return NULL;
}

static int
read_select(const json_t *json, unsigned char *select, struct db_error *error)
{
	static const struct {
		const char *name;
		unsigned char bit;
	} kinds[] = {
		{"initial", SELECT_INITIAL},
		{"insert", SELECT_INSERT},
		{"delete", SELECT_DELETE},
		{"modify", SELECT_MODIFY},
	};

	*select = SELECT_INITIAL | SELECT_INSERT | SELECT_DELETE | SELECT_MODIFY;
	if (json && !json_is_object(json))
		return db_error_set(error, -EINVAL, "syntax error",
		                    "\"select\" must be an object");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const json_t *value = json_object_get(json, kinds[i].name);

		if (value && !json_is_boolean(value))
			return db_error_set(error, -EINVAL, "syntax error",
			                    "\"select\": \"%s\" must be a boolean",
			                    kinds[i].name);
		if (json_is_false(value))
			*select &= (unsigned char)~kinds[i].bit;
	}
	return 0;
}

static int
add_column(struct monitor_table *mt, const char *name, unsigned char select,
           struct db_error *error)
{
	const struct ovsdb_table_schema *schema = mt->table->schema;
	const struct ovsdb_column *column =
		name ? ovsdb_table_column(schema, name) : NULL;

	if (!column)
		return db_error_set(error, -EINVAL, "syntax error",
		                    "%s is not a column of table %s",
		                    name ? name : "element of \"columns\"", schema->name);
	if (mt->select[column->index])
		return db_error_set(error, -EINVAL, "syntax error",
		                    "column %s of table %s is monitored twice", name,
		                    schema->name);
	mt->select[column->index] = select;
	return 0;
}

static int
read_columns(struct monitor_table *mt, const json_t *json, unsigned char select,
             struct db_error *error)
{
	int rc = 0;

	if (json && !json_is_array(json))
		return db_error_set(error, -EINVAL, "syntax error",
		                    "\"columns\" must be an array");
	for (size_t i = 0; !rc && i < json_array_size(json); i++)
		rc = add_column(mt, json_string_value(json_array_get(json, i)), select,
		                error);
	/* All but _uuid, which is each row's key. */
	for (size_t i = 1; !json && !rc && i < mt->table->schema->n_columns; i++)
		rc = add_column(mt, mt->table->schema->columns[i]->name, select, error);
	return rc;
}

/* The clauses of several requests for one table are alternatives, as within one. */
static int
read_where(struct monitor_table *mt, const json_t *request, json_t *clauses,
           struct db_error *error)
{
	json_t *where = json_object_get(request, "where");

	if (!where)
		return 0;
	if (!json_is_array(where))
		return db_error_set(error, -EINVAL, "syntax error",
		                    "table %s: \"where\" must be an array",
		                    mt->table->schema->name);
	json_array_extend(clauses, where);
	return 0;
}

static int
read_table_request(struct monitor *monitor, struct monitor_table *mt,
                   const json_t *request, json_t *clauses, struct db_error *error)
{
	const char *name;
	unsigned char select;
	json_t *value;
	int rc;

	if (!json_is_object(request))
		return db_error_set(error, -EINVAL, "syntax error",
		                    "a monitor request must be an object");
	/* jansson's iteration does not change the object. */
	json_object_foreach((json_t *)(uintptr_t)request, name, value)
	{
		bool is_where = !strcmp(name, "where") && monitor->version != MONITOR_V1;

		if (!is_where && strcmp(name, "columns") != 0 &&
		    strcmp(name, "select") != 0)
			return db_error_set(error, -EINVAL, "syntax error",
			                    "member \"%s\" is not allowed here", name);
	}
	rc = read_select(json_object_get(request, "select"), &select, error);
	if (rc)
		return rc;
	mt->select_any |= select;
	rc = read_columns(mt, json_object_get(request, "columns"), select, error);
	return rc ? rc : read_where(mt, request, clauses, error);
}

/* 'requests': an object or an array of them. */
static int
read_table(struct monitor *monitor, const char *name, const json_t *requests,
           struct db_error *error)
{
	struct monitor_table *mt = &monitor->tables[monitor->n_tables];
	json_t *clauses = json_array();
	int rc = 0;

	mt->table = db_table_find(monitor->db, name);
	if (!mt->table) {
		json_decref(clauses);
		return db_error_set(error, -EINVAL, "syntax error", "no table named %s",
		                    name);
	}
	mt->select = xcalloc(mt->table->schema->n_columns, 1);
	monitor->n_tables++;
	if (!json_is_array(requests))
		rc = read_table_request(monitor, mt, requests, clauses, error);
	for (size_t i = 0; !rc && i < json_array_size(requests); i++)
		rc = read_table_request(monitor, mt, json_array_get(requests, i), clauses,
		                        error);
	if (!rc)
		rc = condition_from_json(&mt->condition, mt->table->schema, clauses, NULL,
		                         NULL, error);
	json_decref(clauses);
	return rc;
}

static int
read_monitor(struct monitor *monitor, const json_t *requests, struct db_error *error)
{
	const char *name;
	json_t *value;
	int rc;

	if (!json_is_object(requests))
		return db_error_set(error, -EINVAL, "syntax error",
		                    "monitor requests must be an object");
	monitor->tables =
		xcalloc(json_object_size(requests) + 1, sizeof(*monitor->tables));
	/* jansson's iteration does not change the object. */
	json_object_foreach((json_t *)(uintptr_t)requests, name, value)
	{
		rc = read_table(monitor, name, value, error);
		if (rc)
			return rc;
	}
	return 0;
}

/* No condition is met by all rows. */
static bool
is_match(const struct monitor_table *mt, const struct ovsdb_datum *const *datums)
{
	return datums && (!mt->condition.n || condition_any(&mt->condition, datums));
}

static const struct ovsdb_datum **
alloc_datums(const struct db_row *row)
{
	return xcalloc(row->table->schema->n_columns, sizeof(struct ovsdb_datum *));
}

static const struct ovsdb_datum **
row_datums(const struct db_row *row)
{
	const struct ovsdb_datum **datums = alloc_datums(row);

	for (size_t i = 0; i < row->table->schema->n_columns; i++)
		datums[i] = &row->datums[i];
	return datums;
}

static const struct ovsdb_datum **
old_row_datums(const struct txn_row *txn_row)
{
	const struct db_row *row = txn_row->row;
	const struct ovsdb_datum **datums = alloc_datums(row);

	for (size_t i = 0; i < row->table->schema->n_columns; i++)
		datums[i] = txn_row_old(txn_row, row->table->schema->columns[i]);
	return datums;
}

/* Steals 'update', which may be NULL. */
static void
add_update(json_t *updates, const struct db_row *row, json_t *update)
{
	const char *table_name = row->table->schema->name;
	char uuid[UUID_TEXT_BYTES];
	json_t *table;

	if (!update)
		return;
	table = json_object_get(updates, table_name);
	if (!table) {
		table = json_object();
		json_object_set_new(updates, table_name, table);
	}
	uuid_to_text(&row->uuid, uuid);
	json_object_set_new(table, uuid, update);
}

static json_t *
initial_updates(const struct monitor *monitor)
{
	json_t *updates = json_object();

	for (size_t i = 0; i < monitor->n_tables; i++) {
		const struct monitor_table *mt = &monitor->tables[i];
		const struct db_row *row;

		if (!(mt->select_any & SELECT_INITIAL))
			continue;
		HMAP_FOR_EACH (row, node, &mt->table->rows) {
			const struct ovsdb_datum **datums = row_datums(row);
			const struct row_change change = {.new = datums,
			                                  .kind = SELECT_INITIAL};

			if (is_match(mt, datums))
				add_update(updates, row,
				           monitor_row_update(mt, monitor->version,
				                              &change));
			free(datums);
		}
	}
	return updates;
}

static json_t *
monitor_create(struct session *session, const json_t *params,
               enum monitor_version version, struct db_error *error)
{
	const char *name = json_string_value(json_array_get(params, 0));
	const json_t *id = json_array_get(params, 1);
	struct db *db = name ? server_find_db(session->server, name) : NULL;
	struct monitor *monitor;
	json_t *updates;

	if (!name || json_array_size(params) < 3) {
		db_error_set(error, -EINVAL, "syntax error",
		             "database name, monitor ID and requests are expected");
		return NULL;
	}
	if (!db) {
		db_error_set(error, -EINVAL, "unknown database", "no database named %s",
		             name);
		return NULL;
	}
	if (monitor_find(session, id)) {
		db_error_set(error, -EINVAL, "syntax error", "duplicate monitor ID");
		return NULL;
	}
	monitor = xcalloc(1, sizeof(*monitor));
	list_push_back(&session->monitors, &monitor->link);
	monitor->session = session;
	monitor->db = db;
	monitor->id = json_deep_copy(id);
	monitor->version = version;
	if (read_monitor(monitor, json_array_get(params, 2), error)) {
		monitor_free(monitor);
		return NULL;
	}
	updates = initial_updates(monitor);
	if (version == MONITOR_V3)
		return json_pack("[b,s,o]", false, NO_TRANSACTION, updates);
	return updates;
}

json_t *
monitor_request_v1(struct session *session, const json_t *params, const json_t *id UNUSED,
                   struct db_error *error)
{
	return monitor_create(session, params, MONITOR_V1, error);
}

json_t *
monitor_request_cond(struct session *session, const json_t *params,
                     const json_t *id UNUSED, struct db_error *error)
{
	return monitor_create(session, params, MONITOR_V2, error);
}

json_t *
monitor_request_since(struct session *session, const json_t *params,
                      const json_t *id UNUSED, struct db_error *error)
{
	return monitor_create(session, params, MONITOR_V3, error);
}

/* Steals 'updates'; nothing is sent if it is empty. */
static void
monitor_send(const struct monitor *monitor, json_t *updates)
{
	struct jsonrpc *rpc = monitor->session->rpc;
	json_t *id = json_deep_copy(monitor->id);

	if (!json_object_size(updates)) {
		json_decref(updates);
		json_decref(id);
	} else if (monitor->version == MONITOR_V1) {
		jsonrpc_notify(rpc, "update", json_pack("[o,o]", id, updates));
	} else if (monitor->version == MONITOR_V2) {
		jsonrpc_notify(rpc, "update2", json_pack("[o,o]", id, updates));
	} else {
		jsonrpc_notify(rpc, "update3",
		               json_pack("[o,s,o]", id, NO_TRANSACTION, updates));
	}
}

/* What became of a row in the eyes of somebody who saw it as 'old'. */
static json_t *
update_for(const struct monitor *monitor, const struct monitor_table *mt,
           const struct ovsdb_datum *const *old, const struct ovsdb_datum *const *new)
{
	struct row_change change = {.old = old, .new = new};

	if (!old && !new)
		return NULL;
	change.kind = !old ? SELECT_INSERT : !new ? SELECT_DELETE : SELECT_MODIFY;
	return monitor_row_update(mt, monitor->version, &change);
}

static void
monitor_notify(struct monitor *monitor, const struct txn *txn)
{
	json_t *updates = json_object();
	const struct txn_row *txn_row;

	LIST_FOR_EACH (txn_row, link, &txn->rows) {
		const struct monitor_table *mt =
			monitor_find_table(monitor, txn_row->row->table);
		const struct ovsdb_datum **old, **new;

		if (!mt || !txn_row->is_changed)
			continue;
		old = txn_row->is_new ? NULL : old_row_datums(txn_row);
		new = txn_row->is_deleted ? NULL : row_datums(txn_row->row);
		add_update(updates, txn_row->row,
		           update_for(monitor, mt, is_match(mt, old) ? old : NULL,
		                      is_match(mt, new) ? new : NULL));
		free(old);
		free(new);
	}
	monitor_send(monitor, updates);
}

void
monitors_notify(struct session *session, const struct txn *txn)
{
	struct monitor *monitor;

	LIST_FOR_EACH (monitor, link, &session->monitors)
		if (monitor->db == txn->db)
			monitor_notify(monitor, txn);
}

/* Puts a new condition in place and adds what it brings into view or takes away. */
static void
change_condition(struct monitor *monitor, struct monitor_table *mt,
                 struct condition *condition, json_t *updates)
{
	struct monitor_table before = *mt;
	const struct db_row *row;

	mt->condition = *condition;
	HMAP_FOR_EACH (row, node, &mt->table->rows) {
		const struct ovsdb_datum **datums = row_datums(row);
		bool was_seen = is_match(&before, datums), is_seen = is_match(mt, datums);

		if (was_seen != is_seen)
			add_update(updates, row,
			           update_for(monitor, mt, was_seen ? datums : NULL,
			                      is_seen ? datums : NULL));
		free(datums);
	}
	condition_destroy(&before.condition);
}

/* All conditions are read before the first is put in place. */
static int
read_condition_change(struct monitor *monitor, const char *name, const json_t *requests,
                      struct monitor_table **mt, struct condition *condition,
                      struct db_error *error)
{
	const json_t *request =
		json_is_array(requests) ? json_array_get(requests, 0) : requests;
	const struct db_table *table = db_table_find(monitor->db, name);

	*mt = table ? monitor_find_table(monitor, table) : NULL;
	if (!*mt)
		return db_error_set(error, -EINVAL, "syntax error",
		                    "table %s is not monitored", name);
	return condition_from_json(condition, table->schema,
	                           json_object_get(request, "where"), NULL, NULL, error);
}

struct condition_change {
	struct monitor_table *mt;
	struct condition condition;
};

static int
change_conditions(struct monitor *monitor, const json_t *requests, json_t *updates,
                  struct db_error *error)
{
	struct condition_change *changes =
		xcalloc(json_object_size(requests) + 1, sizeof(*changes));
	const char *name;
	json_t *value;
	size_t n = 0;
	int rc = 0;

	/* jansson's iteration does not change the object. */
	json_object_foreach((json_t *)(uintptr_t)requests, name, value)
	{
		rc = read_condition_change(monitor, name, value, &changes[n].mt,
		                           &changes[n].condition, error);
		if (rc)
			break;
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		if (rc)
			condition_destroy(&changes[i].condition);
		else
			change_condition(monitor, changes[i].mt, &changes[i].condition,
			                 updates);
	}
	free(changes);
	return rc;
}

json_t *
monitor_change(struct session *session, const json_t *params, const json_t *id UNUSED,
               struct db_error *error)
{
	const json_t *new_id = json_array_get(params, 1);
	struct monitor *monitor = monitor_find(session, json_array_get(params, 0));
	json_t *updates;

	if (json_array_size(params) != 3 || !json_is_object(json_array_get(params, 2))) {
		db_error_set(error, -EINVAL, "syntax error",
		             "old monitor ID, new ID and conditions are expected");
		return NULL;
	}
	if (!monitor || monitor->version == MONITOR_V1) {
		db_error_set(error, -EINVAL, "unknown monitor", "no such monitor");
		return NULL;
	}
	if (!json_equal(monitor->id, new_id) && monitor_find(session, new_id)) {
		db_error_set(error, -EINVAL, "syntax error", "duplicate monitor ID");
		return NULL;
	}
	updates = json_object();
	if (change_conditions(monitor, json_array_get(params, 2), updates, error)) {
		json_decref(updates);
		return NULL;
	}
	json_decref(monitor->id);
	monitor->id = json_deep_copy(new_id);
	monitor_send(monitor, updates);
	return json_object();
}

json_t *
monitor_cancel(struct session *session, const json_t *params, const json_t *id UNUSED,
               struct db_error *error)
{
	struct monitor *monitor = monitor_find(session, json_array_get(params, 0));

	if (!monitor) {
		db_error_set(error, -EINVAL, "unknown monitor", "no such monitor");
		return NULL;
	}
	monitor_free(monitor);
	return json_object();
}

void
monitors_destroy(struct session *session)
{
	struct monitor *monitor, *next;

	LIST_FOR_EACH_SAFE (monitor, next, link, &session->monitors)
		monitor_free(monitor);
}
