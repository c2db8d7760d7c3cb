/* write_commands.c - the database commands that change rows: set, add, remove, clear,
 * create, destroy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "names.h"
#include "value.h"

static int
check_writable(const struct row *row, const struct ovsdb_column *column,
               struct error *err)
{
	bool is_internal = column->name[0] == '_';

	if (!is_internal && (column->is_mutable || row->is_new))
		return 0;
	return error_set(err, -EPERM, "cannot modify read-only column %s in table %s",
	                 column->name, row->table->schema->name);
}

int
vsctl_prepare_set_column(struct replica_table *table, const char *argument,
                         struct error *err)
{
	struct column_arg arg;
	int ret;

	ret = names_parse_argument(table, argument, VALUE_ASSIGNED, &arg, err);
	if (ret)
		return ret;
	replica_want_column(table, arg.column);
	free(arg.key);
	return 0;
}

static int
set_key(struct vsctl *vsctl, struct row *row, const struct column_arg *arg,
        struct error *err)
{
	const struct ovsdb_column *column = arg->column;
	struct ovsdb_datum one = {.n = 1};
	union ovsdb_atom key, value;
	int ret;

	if (column->type.value.kind == OVSDB_VOID)
		return error_set(err, -EINVAL,
		                 "cannot specify key to set for non-map column %s",
		                 column->name);
	ret = ovsdb_atom_from_text(&key, &column->type.key, arg->key,
	                           vsctl_resolve_symbol, vsctl, err);
	if (ret)
		return ret;
	ret = ovsdb_atom_from_text(&value, &column->type.value, arg->value,
	                           vsctl_resolve_symbol, vsctl, err);
	if (!ret) {
		one.keys = &key;
		one.values = &value;
		row_verify_column(row, column);
		value_add(row_change_datum(row, column), &one, &column->type);
		ovsdb_atom_destroy(&value, column->type.value.kind);
	}
	ovsdb_atom_destroy(&key, column->type.key.kind);
	return ret;
}

int
vsctl_set_column(struct vsctl *vsctl, struct row *row, const char *argument,
                 struct error *err)
{
	struct column_arg arg;
	struct ovsdb_datum datum;
	int ret;

	ret = names_parse_argument(row->table, argument, VALUE_ASSIGNED, &arg, err);
	if (ret)
		return ret;
	ret = check_writable(row, arg.column, err);
	if (!ret && arg.key) {
		ret = set_key(vsctl, row, &arg, err);
	} else if (!ret) {
		ret = ovsdb_datum_from_text(&datum, &arg.column->type, arg.value,
		                            vsctl_resolve_symbol, vsctl, err);
		if (!ret)
			row_set_datum(row, arg.column, &datum);
	}
	free(arg.key);
	return ret;
}

/* The table and row that most of these commands begin with. '*row' is NULL if it is
 * missing and that is fine. */
static int
find_target(struct vsctl *vsctl, const struct invocation *call,
            struct replica_table **table, struct row **row, struct error *err)
{
	int ret = names_find_table(&vsctl->replica, call->args[0], table, err);

	if (ret)
		return ret;
	return names_find_row(vsctl, *table, call->args[1],
	                      !invocation_has(call, "--if-exists"), row, err);
}

static int
prepare_target(struct vsctl *vsctl, const struct invocation *call,
               struct replica_table **table, struct error *err)
{
	int ret = names_find_table(&vsctl->replica, call->args[0], table, err);

	if (!ret)
		names_want_row(&vsctl->replica, *table, call->args[1]);
	return ret;
}

static int
prepare_set(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	int ret = prepare_target(vsctl, call, &table, err);

	for (int i = 2; i < call->n_args && !ret; i++)
		ret = vsctl_prepare_set_column(table, call->args[i], err);
	return ret;
}

static int
run_set(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	struct row *row;
	int ret = find_target(vsctl, call, &table, &row, err);

	for (int i = 2; i < call->n_args && !ret && row; i++)
		ret = vsctl_set_column(vsctl, row, call->args[i], err);
	return ret;
}

/* add, remove: one column, given by its name. */
static int
prepare_one_column(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const struct ovsdb_column *column;
	struct replica_table *table;
	int ret = prepare_target(vsctl, call, &table, err);

	if (!ret)
		ret = names_find_column(table, call->args[2], &column, err);
	if (!ret)
		replica_want_column(table, column);
	return ret;
}

static int
add_element(struct vsctl *vsctl, struct row *row, const struct ovsdb_column *column,
            const char *text, struct error *err)
{
	struct ovsdb_type type = value_type_any_count(&column->type, OVSDB_UNLIMITED);
	struct ovsdb_datum more, datum;
	int ret;

	ret = ovsdb_datum_from_text(&more, &type, text, vsctl_resolve_symbol, vsctl, err);
	if (ret)
		return ret;
	ovsdb_datum_clone(&datum, row_datum(row, column), &column->type);
	value_add(&datum, &more, &type);
	ovsdb_datum_destroy(&more, &type);
	if (datum.n > column->type.n_max)
		ret = error_set(err, -ERANGE,
		                "\"add\" operation would put %zu values in column %s of "
		                "table %s but the maximum number is %u",
		                datum.n, column->name, row->table->schema->name,
		                column->type.n_max);
	if (ret)
		ovsdb_datum_destroy(&datum, &column->type);
	else
		row_set_datum(row, column, &datum);
	return ret;
}

static int
remove_element(struct vsctl *vsctl, struct row *row, const struct ovsdb_column *column,
               const char *text, struct error *err)
{
	struct ovsdb_type type = value_type_any_count(&column->type, OVSDB_UNLIMITED);
	struct ovsdb_datum less, datum;
	int ret;

	ret = ovsdb_datum_from_text(&less, &type, text, vsctl_resolve_symbol, vsctl, err);
	if (ret && type.value.kind != OVSDB_VOID) {
		/* No pair: keys, whatever their values. */
		type.value.kind = OVSDB_VOID;
		ret = ovsdb_datum_from_text(&less, &type, text, vsctl_resolve_symbol,
		                            vsctl, err);
	}
	if (ret)
		return ret;
	ovsdb_datum_clone(&datum, row_datum(row, column), &column->type);
	value_remove(&datum, &column->type, &less, &type);
	ovsdb_datum_destroy(&less, &type);
	if (datum.n < column->type.n_min)
		ret = error_set(err, -ERANGE,
		                "\"remove\" operation would put %zu values in column %s "
		                "of table %s but the minimum number is %u",
		                datum.n, column->name, row->table->schema->name,
		                column->type.n_min);
	if (ret)
		ovsdb_datum_destroy(&datum, &column->type);
	else
		row_set_datum(row, column, &datum);
	return ret;
}

typedef int element_fn(struct vsctl *vsctl, struct row *row,
                       const struct ovsdb_column *column, const char *text,
                       struct error *err);

static int
run_elements(struct vsctl *vsctl, struct invocation *call, element_fn *change,
             struct error *err)
{
	const struct ovsdb_column *column;
	struct replica_table *table;
	struct row *row;
	int ret = find_target(vsctl, call, &table, &row, err);

	if (ret || !row)
		return ret;
	ret = names_find_column(table, call->args[2], &column, err);
	if (!ret)
		ret = check_writable(row, column, err);
	if (!ret)
		row_verify_column(row, column);
	for (int i = 3; i < call->n_args && !ret; i++)
		ret = change(vsctl, row, column, call->args[i], err);
	return ret;
}

static int
run_add(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return run_elements(vsctl, call, add_element, err);
}

static int
run_remove(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return run_elements(vsctl, call, remove_element, err);
}

static int
prepare_clear(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	int ret = prepare_target(vsctl, call, &table, err);

	for (int i = 2; i < call->n_args && !ret; i++) {
		const struct ovsdb_column *column;

		ret = names_find_column(table, call->args[i], &column, err);
		if (!ret)
			replica_want_column(table, column);
	}
	return ret;
}

static int
clear_column(struct row *row, const char *name, struct error *err)
{
	struct ovsdb_datum empty = {0, NULL, NULL};
	const struct ovsdb_column *column;
	int ret = names_find_column(row->table, name, &column, err);

	if (!ret)
		ret = check_writable(row, column, err);
	if (ret)
		return ret;
	if (column->type.n_min > 0)
		return error_set(err, -EINVAL,
		                 "\"clear\" operation cannot be applied to column %s of "
		                 "table %s, which is not allowed to be empty",
		                 column->name, row->table->schema->name);
	row_set_datum(row, column, &empty);
	return 0;
}

static int
run_clear(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	struct row *row;
	int ret = find_target(vsctl, call, &table, &row, err);

	for (int i = 2; i < call->n_args && !ret && row; i++)
		ret = clear_column(row, call->args[i], err);
	return ret;
}

static int
prepare_create(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const char *id = invocation_value(call, "--id");
	struct replica_table *table;
	int ret = names_find_table(&vsctl->replica, call->args[0], &table, err);

	if (!ret)
		names_want_row(&vsctl->replica, table,
		               id ? id : "@"); /* refused if it exists */
	for (int i = 1; i < call->n_args && !ret; i++)
		ret = vsctl_prepare_set_column(table, call->args[i], err);
	return ret;
}

/* The UUID that "--id" gives the new row, or a fresh one. */
static int
choose_uuid(struct vsctl *vsctl, const struct invocation *call,
            const struct ovsdb_table_schema *table, struct uuid *uuid, bool *is_chosen,
            struct error *err)
{
	const char *id = invocation_value(call, "--id");
	struct symbol *symbol;

	*is_chosen = false;
	if (!id) {
		if (!table->is_root)
			cli_warn("a row created in table %s without --id cannot be "
			         "referenced and vanishes at once",
			         table->name);
		*uuid = uuid_random();
		return 0;
	}
	if (id[0] != '@') {
		*is_chosen = uuid_from_text(uuid, id);
		if (*is_chosen)
			return 0;
		return error_set(err, -EINVAL,
		                 "row id \"%s\" is not a UUID and does not begin with "
		                 "\"@\"",
		                 id);
	}
	symbol = vsctl_symbol(vsctl, id + 1);
	if (symbol->is_defined)
		return error_set(err, -EINVAL,
		                 "row id \"%s\" may only be specified on one --id option",
		                 id);
	symbol->is_defined = true;
	symbol->is_weak = !table->is_root;
	*uuid = symbol->uuid;
	return 0;
}

static int
run_create(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	char text[UUID_TEXT_BYTES];
	struct uuid *uuid;
	bool is_chosen;
	struct row *row;
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	if (ret)
		return ret;
	call->state = uuid = xcalloc(1, sizeof(*uuid));
	ret = choose_uuid(vsctl, call, table->schema, uuid, &is_chosen, err);
	if (ret)
		return ret;
	if (replica_row(table, uuid))
		return error_set(err, -EEXIST, "table %s already has the row %s",
		                 table->schema->name, invocation_value(call, "--id"));
	row = row_insert(table, uuid);
	row->keeps_uuid = is_chosen;
	for (int i = 1; i < call->n_args && !ret; i++)
		ret = vsctl_set_column(vsctl, row, call->args[i], err);
	uuid_to_text(uuid, text);
	str_printf(&call->out, "%s\n", text);
	return ret;
}

/* Only the server knows the UUID that the row got. */
static void
finish_create(struct vsctl *vsctl, struct invocation *call)
{
	const struct uuid *uuid = call->state;
	char text[UUID_TEXT_BYTES];

	str_clear(&call->out);
	uuid_to_text(vsctl_stored_uuid(vsctl, uuid), text);
	str_printf(&call->out, "%s\n", text);
}

static int
prepare_destroy(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	int ret = names_find_table(&vsctl->replica, call->args[0], &table, err);

	if (ret)
		return ret;
	for (int i = 1; i < call->n_args; i++)
		names_want_row(&vsctl->replica, table, call->args[i]);
	if (invocation_has(call, "--all"))
		names_want_rows(&vsctl->replica, table);
	if (invocation_has(call, "--all") && call->n_args > 1)
		return error_set(err, -EINVAL,
		                 "--all and records argument should not be specified "
		                 "together");
	if (invocation_has(call, "--all") && invocation_has(call, "--if-exists"))
		return error_set(
			err, -EINVAL,
			"--all and --if-exists should not be specified together");
	return 0;
}

static int
run_destroy(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	bool must_exist = !invocation_has(call, "--if-exists");
	struct replica_table *table;
	struct row **rows;
	size_t n;
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	if (ret)
		return ret;
	for (int i = 1; i < call->n_args && !ret; i++) {
		struct row *row;

		ret = names_find_row(vsctl, table, call->args[i], must_exist, &row, err);
		if (!ret && row)
			row_delete(row);
	}
	if (ret || !invocation_has(call, "--all"))
		return ret;
	rows = replica_rows(table, &n);
	for (size_t i = 0; i < n; i++)
		row_delete(rows[i]);
	free(rows);
	return 0;
}

static const char *const if_exists[] = {"--if-exists", NULL};
static const char *const create_options[] = {"--id=", NULL};
static const char *const destroy_options[] = {"--if-exists", "--all", NULL};

const struct command vsctl_write_commands[] = {
	{"set", 3, ARGS_ANY, if_exists, prepare_set, run_set, NULL},
	{"add", 4, ARGS_ANY, if_exists, prepare_one_column, run_add, NULL},
	{"remove", 4, ARGS_ANY, if_exists, prepare_one_column, run_remove, NULL},
	{"clear", 3, ARGS_ANY, if_exists, prepare_clear, run_clear, NULL},
	{"create", 2, ARGS_ANY, create_options, prepare_create, run_create,
         finish_create},
	{"destroy", 1, ARGS_ANY, destroy_options, prepare_destroy, run_destroy, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
