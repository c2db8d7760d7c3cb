/* read_commands.c - the database commands that only look: list, find, get, wait-until. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "names.h"
#include "value.h"

static bool
is_listed(const struct ovsdb_column *column)
{
	return strcmp(column->name, "_version") != 0;
}

static int
compare_columns(const void *a, const void *b)
{
	const struct ovsdb_column *x = *(const struct ovsdb_column *const *)a;
	const struct ovsdb_column *y = *(const struct ovsdb_column *const *)b;

	return strcmp(x->name, y->name);
}

/* The columns to print; the caller frees the array. "_uuid" sorts before all letters. */
static int
chosen_columns(const struct replica_table *table, const struct invocation *call,
               const struct ovsdb_column ***columns, size_t *n, struct error *err)
{
	const char *list = invocation_value(call, "--columns");
	size_t max = list ? strlen(list) + 1 : table->schema->n_columns;
	const struct ovsdb_column **chosen = xcalloc(max + 1, sizeof(*chosen));
	char *copy, *save = NULL;
	int ret = 0;

	*n = 0;
	if (!list) {
		for (size_t i = 0; i < table->schema->n_columns; i++)
			if (is_listed(table->schema->columns[i]))
				chosen[(*n)++] = table->schema->columns[i];
		qsort(chosen, *n, sizeof(*chosen), compare_columns);
		*columns = chosen;
		return 0;
	}
	copy = xstrdup(list);
	for (char *t = strtok_r(copy, ", ", &save); t && !ret;
	     t = strtok_r(NULL, ", ", &save))
		ret = names_find_column(table, t, &chosen[(*n)++], err);
	free(copy);
	if (!ret && *n == 0)
		ret = error_set(err, -EINVAL, "must specify at least one column name");
	if (ret)
		free(chosen);
	else
		*columns = chosen;
	return ret;
}

static int
prepare_list(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const struct ovsdb_column **columns;
	struct replica_table *table;
	size_t n;
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	if (!ret)
		ret = chosen_columns(table, call, &columns, &n, err);
	if (ret)
		return ret;
	names_want_rows(&vsctl->replica, table);
	for (size_t i = 0; i < n; i++)
		replica_want_column(table, columns[i]);
	free(columns);
	return 0;
}

static void
add_row(struct table *out, const struct row *row, const struct ovsdb_column **columns,
        size_t n)
{
	for (size_t i = 0; i < n; i++)
		table_add(out, row_datum(row, columns[i]), &columns[i]->type);
}

/* An empty table of the right headings; the caller frees '*columns'. */
static int
begin_table(struct vsctl *vsctl, struct invocation *call, struct replica_table **table,
            const struct ovsdb_column ***columns, size_t *n, struct error *err)
{
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], table, err);
	if (!ret)
		ret = chosen_columns(*table, call, columns, n, err);
	if (ret)
		return ret;
	call->table = table_create(*n);
	for (size_t i = 0; i < *n; i++)
		table_set_heading(call->table, i, (*columns)[i]->name);
	return 0;
}

static int
run_list(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	bool must_exist = !invocation_has(call, "--if-exists");
	const struct ovsdb_column **columns;
	struct replica_table *table;
	size_t n_columns, n_rows;
	int ret;

	ret = begin_table(vsctl, call, &table, &columns, &n_columns, err);
	if (ret)
		return ret;
	for (int i = 1; i < call->n_args && !ret; i++) {
		struct row *row;

		ret = names_find_row(vsctl, table, call->args[i], must_exist, &row, err);
		if (!ret && row)
			add_row(call->table, row, columns, n_columns);
	}
	if (call->n_args == 1) {
		struct row **rows = replica_rows(table, &n_rows);

		for (size_t i = 0; i < n_rows; i++)
			add_row(call->table, rows[i], columns, n_columns);
		free(rows);
	}
	free(columns);
	return ret;
}

/* Is "a OP b" true? 'b_type' is the type of both. */
static bool
compare_holds(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
              const struct ovsdb_type *type, enum compare_op op)
{
	size_t common = value_count_common(a, b, type);

	switch (op) {
	case OP_EQ:
		return value_compare(a, b, type) == 0;
	case OP_NE:
		return value_compare(a, b, type) != 0;
	case OP_LT:
		return value_compare(a, b, type) < 0;
	case OP_GT:
		return value_compare(a, b, type) > 0;
	case OP_LE:
		return value_compare(a, b, type) <= 0;
	case OP_GE:
		return value_compare(a, b, type) >= 0;
	case OP_SET_EQ:
		return value_compare(a, b, type) == 0;
	case OP_SET_NE:
		return value_compare(a, b, type) != 0;
	case OP_SET_LT:
		return common == a->n && a->n < b->n;
	case OP_SET_GT:
		return common == b->n && a->n > b->n;
	case OP_SET_LE:
	case OP_SET_IN:
		return common == a->n;
	case OP_SET_GE:
		return common == b->n;
	case OP_SET_NOT_IN:
		return common == 0;
	case OP_NONE:
	default:
		return false;
	}
}

/* As compare_holds(), of the value of one key of a map. For the set operators a missing
 * key is the empty set; for the others it satisfies nothing. */
static int
key_holds(struct vsctl *vsctl, const struct row *row, const struct column_arg *arg,
          bool *holds, struct error *err)
{
	const struct ovsdb_column *column = arg->column;
	const struct ovsdb_datum *map = row_datum(row, column);
	struct ovsdb_type type = {.key = column->type.value, .n_max = OVSDB_UNLIMITED};
	struct ovsdb_datum wanted, found = {0, NULL, NULL};
	union ovsdb_atom key;
	int ret, i;

	if (column->type.value.kind == OVSDB_VOID)
		return error_set(err, -EINVAL,
		                 "cannot specify key to check for non-map column %s",
		                 column->name);
	ret = ovsdb_atom_from_text(&key, &column->type.key, arg->key,
	                           vsctl_resolve_symbol, vsctl, err);
	if (ret)
		return ret;
	ret = ovsdb_datum_from_text(&wanted, &type, arg->value, vsctl_resolve_symbol,
	                            vsctl, err);
	if (!ret) {
		i = value_index_of(map, &column->type, &key);
		if (i >= 0)
			found = (struct ovsdb_datum){.n = 1, .keys = &map->values[i]};
		*holds = (i >= 0 || arg->op >= OP_SET_EQ) &&
		         compare_holds(&found, &wanted, &type, arg->op);
		ovsdb_datum_destroy(&wanted, &type);
	}
	ovsdb_atom_destroy(&key, column->type.key.kind);
	return ret;
}

static int
condition_holds(struct vsctl *vsctl, const struct row *row, const char *text, bool *holds,
                struct error *err)
{
	struct column_arg arg;
	struct ovsdb_datum wanted;
	int ret;

	ret = names_parse_argument(row->table, text, VALUE_COMPARED, &arg, err);
	if (ret)
		return ret;
	if (arg.key) {
		ret = key_holds(vsctl, row, &arg, holds, err);
		free(arg.key);
		return ret;
	}
	ret = ovsdb_datum_from_text(&wanted, &arg.column->type, arg.value,
	                            vsctl_resolve_symbol, vsctl, err);
	if (ret)
		return ret;
	*holds = compare_holds(row_datum(row, arg.column), &wanted, &arg.column->type,
	                       arg.op);
	ovsdb_datum_destroy(&wanted, &arg.column->type);
	return 0;
}

/* All of the conditions args[0..n-1]? */
static int
conditions_hold(struct vsctl *vsctl, const struct row *row, char **args, int n,
                bool *holds, struct error *err)
{
	int ret = 0;

	*holds = true;
	for (int i = 0; i < n && *holds && !ret; i++)
		ret = condition_holds(vsctl, row, args[i], holds, err);
	return ret;
}

static int
prepare_conditions(struct replica_table *table, char **args, int n,
                   enum value_wanted wanted, struct error *err)
{
	for (int i = 0; i < n; i++) {
		struct column_arg arg;
		int ret = names_parse_argument(table, args[i], wanted, &arg, err);

		if (ret)
			return ret;
		replica_want_column(table, arg.column);
		free(arg.key);
	}
	return 0;
}

static int
prepare_find(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	int ret = prepare_list(vsctl, call, err);

	if (!ret)
		ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	return ret ? ret
	           : prepare_conditions(table, call->args + 1, call->n_args - 1,
	                                VALUE_COMPARED, err);
}

static int
run_find(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const struct ovsdb_column **columns;
	struct replica_table *table;
	size_t n_columns, n_rows;
	struct row **rows;
	int ret;

	ret = begin_table(vsctl, call, &table, &columns, &n_columns, err);
	if (ret)
		return ret;
	rows = replica_rows(table, &n_rows);
	for (size_t i = 0; i < n_rows && !ret; i++) {
		bool holds;

		ret = conditions_hold(vsctl, rows[i], call->args + 1, call->n_args - 1,
		                      &holds, err);
		if (!ret && holds)
			add_row(call->table, rows[i], columns, n_columns);
	}
	free(rows);
	free(columns);
	return ret;
}

static int
prepare_get(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	if (ret)
		return ret;
	if (invocation_has(call, "--id") && invocation_has(call, "--if-exists"))
		return error_set(err, -EINVAL,
		                 "--if-exists and --id may not be specified together");
	names_want_row(&vsctl->replica, table, call->args[1]);
	return prepare_conditions(table, call->args + 2, call->n_args - 2, VALUE_NONE,
	                          err);
}

/* Makes "--id=@name" stand for an existing row. */
static int
define_symbol(struct vsctl *vsctl, const struct invocation *call, const struct row *row,
              struct error *err)
{
	const char *id = invocation_value(call, "--id");
	struct symbol *symbol;

	if (!id)
		return 0;
	if (id[0] != '@')
		return error_set(err, -EINVAL, "row id \"%s\" does not begin with \"@\"",
		                 id);
	symbol = vsctl_symbol(vsctl, id + 1);
	if (symbol->is_defined || symbol->is_referenced)
		return error_set(err, -EINVAL,
		                 "row id \"%s\" is used before the \"get\" command that "
		                 "defines it",
		                 id);
	symbol->is_defined = true;
	symbol->is_referenced = true;
	symbol->uuid = row->uuid;
	return 0;
}

static int
get_key(struct vsctl *vsctl, struct invocation *call, const struct row *row,
        const struct column_arg *arg, struct error *err)
{
	const struct ovsdb_column *column = arg->column;
	const struct ovsdb_datum *datum = row_datum(row, column);
	union ovsdb_atom key;
	int ret, i;

	if (column->type.value.kind == OVSDB_VOID)
		return error_set(err, -EINVAL,
		                 "cannot specify key to get for non-map column %s",
		                 column->name);
	ret = ovsdb_atom_from_text(&key, &column->type.key, arg->key,
	                           vsctl_resolve_symbol, vsctl, err);
	if (ret)
		return ret;
	i = value_index_of(datum, &column->type, &key);
	ovsdb_atom_destroy(&key, column->type.key.kind);
	if (i >= 0)
		ovsdb_atom_to_text(&datum->values[i], column->type.value.kind,
		                   &call->out);
	else if (!invocation_has(call, "--if-exists"))
		return error_set(err, -ENOENT,
		                 "no key \"%s\" in %s record \"%s\" column %s", arg->key,
		                 row->table->schema->name, call->args[1], column->name);
	return 0;
}

static int
run_get(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	struct row *row;
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	if (!ret)
		ret = names_find_row(vsctl, table, call->args[1],
		                     !invocation_has(call, "--if-exists"), &row, err);
	if (ret || !row)
		return ret;
	ret = define_symbol(vsctl, call, row, err);
	for (int i = 2; i < call->n_args && !ret; i++) {
		struct column_arg arg;

		ret = names_parse_argument(table, call->args[i], VALUE_NONE, &arg, err);
		if (ret)
			break;
		row_verify_column(row, arg.column);
		if (arg.key)
			ret = get_key(vsctl, call, row, &arg, err);
		else
			ovsdb_datum_to_text(row_datum(row, arg.column), &arg.column->type,
			                    &call->out);
		str_append_char(&call->out, '\n');
		free(arg.key);
	}
	return ret;
}

static int
prepare_wait_until(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	if (ret)
		return ret;
	names_want_rows(&vsctl->replica, table);
	return prepare_conditions(table, call->args + 2, call->n_args - 2, VALUE_COMPARED,
	                          err);
}

static int
run_wait_until(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	struct replica_table *table;
	bool holds = false;
	struct row *row;
	int ret;

	ret = names_find_table(&vsctl->replica, call->args[0], &table, err);
	if (!ret)
		ret = names_find_row(vsctl, table, call->args[1], false, &row, err);
	if (!ret && row)
		ret = conditions_hold(vsctl, row, call->args + 2, call->n_args - 2,
		                      &holds, err);
	if (!ret && !holds)
		vsctl->must_try_again = true;
	return ret;
}

static const char *const list_options[] = {"--if-exists", "--columns=", NULL};
static const char *const find_options[] = {"--columns=", NULL};
static const char *const get_options[] = {"--if-exists", "--id=", NULL};

const struct command vsctl_read_commands[] = {
	{"list", 1, ARGS_ANY, list_options, prepare_list, run_list, NULL},
	{"find", 1, ARGS_ANY, find_options, prepare_find, run_find, NULL},
	{"get", 2, ARGS_ANY, get_options, prepare_get, run_get, NULL},
	{"wait-until", 2, ARGS_ANY, NULL, prepare_wait_until, run_wait_until, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
