/* exec.c - the operations of RFC 7047, 5.2, on an open transaction. Below session.c,
 * above txn.c, condition.c, mutation.c and wait.c. Main thread. */
#include "ovsdb/exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/condition.h"
#include "ovsdb/exec_private.h"
#include "ovsdb/mutation.h"

struct exec_name {
	struct hmap_node node;
	char *name;
	struct uuid uuid;
	bool is_inserted;
};

json_t *
db_error_to_json(const struct db_error *error)
{
	char text[sizeof(error->details.text)];
	json_t *details;

	if (!error->details.text[0])
		return json_pack("{s:s}", "error", error->tag);
	details = json_string(error->details.text);
	if (!details) {
		/* A text cut to fit may end, or have a part that ends, inside a
		 * character. */
		memcpy(text, error->details.text, sizeof(text));
		for (char *p = text; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		details = json_string(text);
	}
	return json_pack("{s:s, s:o}", "error", error->tag, "details", details);
}

/* A name may be used before the insert that defines it. */
static struct exec_name *
find_name(struct exec *exec, const char *text)
{
	uint32_t hash = hash_string(text, 0);
	struct exec_name *name;

	HMAP_FOR_EACH_WITH_HASH (name, node, hash, &exec->names)
		if (!strcmp(name->name, text))
			return name;
	name = xcalloc(1, sizeof(*name));
	name->name = xstrdup(text);
	name->uuid = uuid_random();
	hmap_insert(&exec->names, &name->node, hash);
	return name;
}

bool
exec_named_uuid(const char *name, struct uuid *uuid, void *exec)
{
	*uuid = find_name(exec, name)->uuid;
	return true;
}

static void
free_names(struct exec *exec)
{
	struct exec_name *name;

	HMAP_FOR_EACH (name, node, &exec->names) {
		free(name->name);
		free(name);
	}
	hmap_destroy(&exec->names);
}

int
exec_syntax_error(struct exec *exec, const char *what, const char *member)
{
	return db_error_set(&exec->error, -EINVAL, "syntax error",
	                    "operation %zu: member \"%s\" %s", exec->n_done + 1, member,
	                    what);
}

int
exec_tag_error(struct exec *exec, int code)
{
	if (code)
		exec->error.tag =
			code == -ERANGE ? "constraint violation" : "syntax error";
	return code;
}

static int
find_table(struct exec *exec, struct db_table **table)
{
	const char *name = json_string_value(json_object_get(exec->op, "table"));

	if (!name)
		return exec_syntax_error(exec, "must be a string", "table");
	*table = db_table_find(exec->request->db, name);
	if (!*table)
		return db_error_set(&exec->error, -EINVAL, "syntax error",
		                    "operation %zu: no table named %s", exec->n_done + 1,
		                    name);
	return 0;
}

static int
read_where(struct exec *exec, const struct db_table *table, struct condition *where)
{
	const json_t *json = json_object_get(exec->op, "where");

	if (!json_is_array(json))
		return exec_syntax_error(exec, "must be an array", "where");
	return condition_from_json(where, table->schema, json, exec_named_uuid, exec,
	                           &exec->error);
}

int
exec_table_and_where(struct exec *exec, struct db_table **table, struct condition *where)
{
	int rc = find_table(exec, table);

	return rc ? rc : read_where(exec, *table, where);
}

static int
check_writable(struct exec *exec, const char *op)
{
	if (!exec->request->is_read_only)
		return 0;
	return db_error_set(&exec->error, -EROFS, "not allowed",
	                    "%s: database %s is maintained by the server", op,
	                    exec->request->db->schema->name);
}

/* Column values by column index; unset ones have no keys and 'is_set' false. */
int
exec_read_row(struct exec *exec, const struct ovsdb_table_schema *schema,
              const json_t *json, struct exec_value **values_out, size_t *n_out)
{
	struct exec_value *values;
	const char *name;
	json_t *value;
	size_t n = 0;
	int rc = 0;

	if (!json_is_object(json))
		return exec_syntax_error(exec, "must be an object", "row");
	values = xcalloc(json_object_size(json) + 1, sizeof(*values));
	/* jansson's iteration does not change the object. */
	json_object_foreach((json_t *)(uintptr_t)json, name, value)
	{
		const struct ovsdb_column *column = ovsdb_table_column(schema, name);

		if (!column) {
			rc = db_error_set(&exec->error, -EINVAL, "unknown column",
			                  "no column %s in table %s", name, schema->name);
			break;
		}
		rc = exec_tag_error(exec,
		                    ovsdb_datum_from_json(&values[n].datum, &column->type,
		                                          value, exec_named_uuid, exec,
		                                          &exec->error.details));
		if (rc) {
			error_prefix(&exec->error.details, "column %s", name);
			break;
		}
		values[n++].column = column;
	}
	*values_out = values;
	*n_out = n;
	if (rc)
		exec_free_row(values, n);
	return rc;
}

void
exec_free_row(struct exec_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ovsdb_datum_destroy(&values[i].datum, &values[i].column->type);
	free(values);
}

static void
write_values(struct txn *txn, struct db_row *row, const struct exec_value *values,
             size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ovsdb_column *column = values[i].column;
		struct ovsdb_datum *datum;

		if (column->index < 2)
			continue; /* _uuid and _version are not for clients to choose */
		datum = txn_modify(txn, row, column);
		ovsdb_datum_destroy(datum, &column->type);
		ovsdb_datum_clone(datum, &values[i].datum, &column->type);
	}
}

/* The new row's identity: by "uuid", by "uuid-name", or random. */
static int
choose_uuid(struct exec *exec, struct uuid *uuid)
{
	const json_t *fixed = json_object_get(exec->op, "uuid");
	const json_t *label = json_object_get(exec->op, "uuid-name");
	struct exec_name *name;

	*uuid = uuid_random();
	if (fixed &&
	    (!json_is_string(fixed) || !uuid_from_text(uuid, json_string_value(fixed))))
		return exec_syntax_error(exec, "must be a UUID", "uuid");
	if (!label)
		return 0;
	if (!json_is_string(label) || !ovsdb_is_id(json_string_value(label)))
		return exec_syntax_error(exec, "must be an identifier", "uuid-name");
	name = find_name(exec, json_string_value(label));
	if (name->is_inserted)
		return db_error_set(&exec->error, -EINVAL, "duplicate uuid-name",
		                    "\"%s\" names an earlier insert of this transaction",
		                    name->name);
	name->is_inserted = true;
	if (fixed)
		name->uuid = *uuid;
	else
		*uuid = name->uuid;
	return 0;
}

static int
exec_insert(struct exec *exec, json_t *result)
{
	struct exec_value *values;
	struct db_table *table;
	char text[UUID_TEXT_BYTES];
	struct db_row *row;
	struct uuid uuid;
	size_t n;
	int rc;

	rc = find_table(exec, &table);
	if (!rc)
		rc = choose_uuid(exec, &uuid);
	if (!rc)
		rc = exec_read_row(exec, table->schema, json_object_get(exec->op, "row"),
		                   &values, &n);
	if (rc)
		return rc;
	uuid_to_text(&uuid, text);
	row = txn_insert(exec->txn, table, &uuid);
	if (row) {
		write_values(exec->txn, row, values, n);
		json_object_set_new(result, "uuid", json_pack("[s,s]", "uuid", text));
	} else {
		rc = db_error_set(&exec->error, -EEXIST, "duplicate uuid",
		                  "table %s has or had a row %s", table->schema->name,
		                  text);
	}
	exec_free_row(values, n);
	return rc;
}

int
exec_read_columns(struct exec *exec, const struct ovsdb_table_schema *schema,
                  const json_t *json, bool **is_wanted_out)
{
	bool *is_wanted = xcalloc(schema->n_columns, sizeof(*is_wanted));

	if (json && !json_is_array(json)) {
		free(is_wanted);
		return exec_syntax_error(exec, "must be an array", "columns");
	}
	for (size_t i = 0; !json && i < schema->n_columns; i++)
		is_wanted[i] = true;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *name = json_string_value(json_array_get(json, i));
		const struct ovsdb_column *column =
			name ? ovsdb_table_column(schema, name) : NULL;

		if (!column || is_wanted[column->index]) {
			free(is_wanted);
			return db_error_set(&exec->error, -EINVAL, "syntax error",
			                    "\"columns\": %s is not a column of %s, or "
			                    "is named twice",
			                    name ? name : "element", schema->name);
		}
		is_wanted[column->index] = true;
	}
	*is_wanted_out = is_wanted;
	return 0;
}

struct writing {
	struct exec *exec;
	const struct exec_value *values;
	size_t n_values;
	const struct mutations *mutations;
	json_int_t count;
};

static int
update_row(struct db_row *row, void *aux)
{
	struct writing *writing = aux;

	write_values(writing->exec->txn, row, writing->values, writing->n_values);
	writing->count++;
	return 0;
}

static int
check_mutable(struct exec *exec, const struct ovsdb_table_schema *schema,
              const struct exec_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!values[i].column->is_mutable)
			return db_error_set(&exec->error, -EINVAL, "constraint violation",
			                    "cannot update immutable column %s in table "
			                    "%s",
			                    values[i].column->name, schema->name);
	return 0;
}

static int
exec_update(struct exec *exec, json_t *result)
{
	struct writing writing = {.exec = exec};
	struct exec_value *values;
	struct condition where;
	struct db_table *table;
	size_t n;
	int rc;

	rc = find_table(exec, &table);
	if (!rc)
		rc = exec_read_row(exec, table->schema, json_object_get(exec->op, "row"),
		                   &values, &n);
	if (rc)
		return rc;
	rc = check_mutable(exec, table->schema, values, n);
	if (!rc)
		rc = read_where(exec, table, &where);
	if (!rc) {
		writing.values = values;
		writing.n_values = n;
		condition_for_each(&where, table, update_row, &writing);
		condition_destroy(&where);
		json_object_set_new(result, "count", json_integer(writing.count));
	}
	exec_free_row(values, n);
	return rc;
}

static int
mutate_row(struct db_row *row, void *aux)
{
	struct writing *writing = aux;

	writing->count++;
	return mutations_apply(writing->mutations, writing->exec->txn, row,
	                       &writing->exec->error);
}

static int
exec_mutate(struct exec *exec, json_t *result)
{
	const json_t *json = json_object_get(exec->op, "mutations");
	struct writing writing = {.exec = exec};
	struct mutations mutations;
	struct condition where;
	struct db_table *table;
	int rc;

	if (!json_is_array(json))
		return exec_syntax_error(exec, "must be an array", "mutations");
	rc = find_table(exec, &table);
	if (!rc)
		rc = mutations_from_json(&mutations, table->schema, json, exec_named_uuid,
		                         exec, &exec->error);
	if (rc)
		return rc;
	rc = read_where(exec, table, &where);
	if (!rc) {
		writing.mutations = &mutations;
		rc = condition_for_each(&where, table, mutate_row, &writing);
		condition_destroy(&where);
		json_object_set_new(result, "count", json_integer(writing.count));
	}
	mutations_destroy(&mutations);
	return rc;
}

static int
delete_row(struct db_row *row, void *aux)
{
	struct writing *writing = aux;

	txn_delete(writing->exec->txn, row);
	writing->count++;
	return 0;
}

static int
exec_delete(struct exec *exec, json_t *result)
{
	struct writing writing = {.exec = exec};
	struct condition where;
	struct db_table *table;
	int rc;

	rc = exec_table_and_where(exec, &table, &where);
	if (rc)
		return rc;
	condition_for_each(&where, table, delete_row, &writing);
	condition_destroy(&where);
	json_object_set_new(result, "count", json_integer(writing.count));
	return 0;
}

/* Every commit is durable: there is nothing more to do. */
static int
exec_commit(struct exec *exec, json_t *result UNUSED)
{
	if (!json_is_boolean(json_object_get(exec->op, "durable")))
		return exec_syntax_error(exec, "must be a boolean", "durable");
	return 0;
}

static int
exec_abort(struct exec *exec, json_t *result UNUSED)
{
	return db_error_set(&exec->error, -ECANCELED, "aborted", "aborted by request");
}

static int
exec_comment(struct exec *exec, json_t *result UNUSED)
{
	if (!json_is_string(json_object_get(exec->op, "comment")))
		return exec_syntax_error(exec, "must be a string", "comment");
	return 0;
}

static int
exec_assert(struct exec *exec, json_t *result UNUSED)
{
	const struct exec_request *request = exec->request;
	const char *lock = json_string_value(json_object_get(exec->op, "lock"));

	if (!lock || !ovsdb_is_id(lock))
		return exec_syntax_error(exec, "must be an identifier", "lock");
	if (request->holds_lock && request->holds_lock(lock, request->aux))
		return 0;
	return db_error_set(&exec->error, -EPERM, "not owner",
	                    "asserted lock %s is not held", lock);
}

static const struct operation {
	const char *name;
	int (*run)(struct exec *exec, json_t *result);
	const char *members[7];
	bool writes;
} operations[] = {
	{"insert", exec_insert, {"table", "row", "uuid-name", "uuid"}, true},
	{"select", exec_select, {"table", "where", "columns"}, false},
	{"update", exec_update, {"table", "where", "row"}, true},
	{"mutate", exec_mutate, {"table", "where", "mutations"}, true},
	{"delete", exec_delete, {"table", "where"}, true},
	{"wait",
         exec_wait,
         {"table", "where", "columns", "until", "rows", "timeout"},
         false},
	{"commit", exec_commit, {"durable"}, false},
	{"abort", exec_abort, {NULL}, false},
	{"comment", exec_comment, {"comment"}, false},
	{"assert", exec_assert, {"lock"}, false},
};

static int
check_members(struct exec *exec, const struct operation *operation)
{
	const char *name;
	json_t *value;

	/* jansson's iteration does not change the object. */
	json_object_foreach((json_t *)(uintptr_t)exec->op, name, value)
	{
		size_t i = 0;

		while (operation->members[i] && strcmp(operation->members[i], name) != 0)
			i++;
		if (!operation->members[i] && strcmp(name, "op") != 0)
			return exec_syntax_error(exec, "is not allowed here", name);
	}
	return 0;
}

static int
run_operation(struct exec *exec, json_t *result)
{
	const char *name = json_string_value(json_object_get(exec->op, "op"));
	int rc;

	if (!json_is_object(exec->op))
		return db_error_set(&exec->error, -EINVAL, "syntax error",
		                    "operation %zu: not an object", exec->n_done + 1);
	if (!name)
		return exec_syntax_error(exec, "must be a string", "op");
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		if (strcmp(operations[i].name, name) != 0)
			continue;
		rc = check_members(exec, &operations[i]);
		if (!rc && operations[i].writes)
			rc = check_writable(exec, name);
		return rc ? rc : operations[i].run(exec, result);
	}
	return db_error_set(&exec->error, -EINVAL, "syntax error",
	                    "operation %zu: no operation named \"%.100s\"",
	                    exec->n_done + 1, name);
}

/* Runs until an operation fails: its error is appended, and null for those after it. */
static int
run_operations(struct exec *exec, json_t *results)
{
	size_t n = json_array_size(exec->request->params) - 1;
	int rc = 0;

	for (exec->n_done = 0; exec->n_done < n; exec->n_done++) {
		json_t *result;

		if (rc) {
			json_array_append_new(results, json_null());
			continue;
		}
		exec->op = json_array_get(exec->request->params, exec->n_done + 1);
		result = json_object();
		rc = run_operation(exec, result);
		if (rc == -EAGAIN) {
			json_decref(result);
			return rc;
		}
		if (rc) {
			json_decref(result);
			result = db_error_to_json(&exec->error);
		}
		json_array_append_new(results, result);
	}
	return rc;
}

json_t *
exec_transaction(const struct exec_request *request, uint64_t *retry_ms)
{
	struct exec exec = {.request = request, .retry_ms = UINT64_MAX};
	json_t *results = json_array();
	int rc;

	exec.txn = txn_begin(request->db);
	rc = run_operations(&exec, results);
	if (rc)
		txn_abort(exec.txn);
	else if (txn_commit(exec.txn, &exec.error))
		json_array_append_new(results, db_error_to_json(&exec.error));
	free_names(&exec);
	if (rc == -EAGAIN) {
		json_decref(results);
		*retry_ms = exec.retry_ms;
		return NULL;
	}
	return results;
}

json_t *
exec_trial(const struct exec_request *request)
{
	struct exec exec = {.request = request, .retry_ms = UINT64_MAX};
	json_t *results = json_array(), *problems = NULL;
	int rc;

	exec.txn = txn_begin(request->db);
	rc = run_operations(&exec, results);
	if (rc == -EAGAIN)
		json_array_append_new(results, json_pack("{s:s}", "error", "timed out"));
	if (!rc) {
		rc = txn_check(exec.txn, &exec.error);
		if (rc)
			json_array_append_new(results, db_error_to_json(&exec.error));
	}
	if (!rc)
		problems = request->db->judge(request->db, request->db->judge_aux);
	txn_abort(exec.txn);
	free_names(&exec);
	return json_pack("{s:o, s:o}", "results", results, "problems",
	                 problems ? problems : json_array());
}
