/* mutation.c - parses and applies <mutation>s. Below exec.c. Main thread. */
#include "ovsdb/mutation.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum mutator { ADD, SUBTRACT, MULTIPLY, DIVIDE, MODULO, INSERT, DELETE };

static const char *const mutator_names[] = {
	[ADD] = "+=",    [SUBTRACT] = "-=",   [MULTIPLY] = "*=",   [DIVIDE] = "/=",
	[MODULO] = "%=", [INSERT] = "insert", [DELETE] = "delete",
};

struct mutation {
	enum mutator mutator;
	const struct ovsdb_column *column;
	struct ovsdb_type type; /* of 'arg'; its parts are the column's */
	struct ovsdb_datum arg;
};

static int
read_mutator(const char *name, enum mutator *mutator, struct db_error *error)
{
	for (unsigned i = 0; i < ARRAY_SIZE(mutator_names); i++)
		if (!strcmp(name, mutator_names[i])) {
			*mutator = (enum mutator)i;
			return 0;
		}
	return db_error_set(error, -EINVAL, "unknown mutator", "no mutator named %s",
	                    name);
}

/* A number that an operator takes need not itself be allowed in the column. */
static void
clear_constraints(struct ovsdb_base_type *base)
{
	base->allowed = NULL;
	base->min_integer = INT64_MIN;
	base->max_integer = INT64_MAX;
	base->min_real = -HUGE_VAL;
	base->max_real = HUGE_VAL;
}

static bool
is_tagged_map(const json_t *json)
{
	const char *tag = json_string_value(json_array_get(json, 0));

	return tag && !strcmp(tag, "map");
}

static int
set_arg_type(struct mutation *m, const json_t *json, struct db_error *error)
{
	const struct ovsdb_type *type = &m->column->type;
	enum ovsdb_kind kind = type->key.kind;
	bool applies;

	m->type = *type;
	if (m->mutator >= INSERT) {
		applies = ovsdb_type_is_map(type) || !type->n_min || type->n_max > 1;
		m->type.n_min = 0;
		if (m->mutator == DELETE)
			m->type.n_max = OVSDB_UNLIMITED;
		/* What leaves a map may be named by its keys alone. */
		if (m->mutator == DELETE && !is_tagged_map(json))
			m->type.value.kind = OVSDB_VOID;
	} else {
		applies = !ovsdb_type_is_map(type) &&
		          (kind == OVSDB_INTEGER ||
		           (kind == OVSDB_REAL && m->mutator != MODULO));
		m->type.n_min = m->type.n_max = 1;
		clear_constraints(&m->type.key);
	}
	if (applies)
		return 0;
	return db_error_set(error, -EINVAL, "syntax error",
	                    "\"%s\" does not apply to column %s",
	                    mutator_names[m->mutator], m->column->name);
}

static int
read_mutation(struct mutation *m, const struct ovsdb_table_schema *schema,
              const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
              struct db_error *error)
{
	const char *column = json_string_value(json_array_get(json, 0));
	const char *mutator = json_string_value(json_array_get(json, 1));
	const json_t *value = json_array_get(json, 2);
	int rc;

	if (json_array_size(json) != 3 || !column || !mutator)
		return db_error_set(error, -EINVAL, "syntax error",
		                    "a mutation must be [column, mutator, value]");
	m->column = ovsdb_table_column(schema, column);
	if (!m->column)
		return db_error_set(error, -EINVAL, "unknown column",
		                    "no column %s in table %s", column, schema->name);
	if (!m->column->is_mutable)
		return db_error_set(error, -EINVAL, "constraint violation",
		                    "cannot mutate immutable column %s in table %s",
		                    column, schema->name);
	rc = read_mutator(mutator, &m->mutator, error);
	if (!rc)
		rc = set_arg_type(m, value, error);
	if (rc)
		return rc;
	rc = ovsdb_datum_from_json(&m->arg, &m->type, value, named, aux, &error->details);
	if (rc)
		error->tag = rc == -ERANGE ? "constraint violation" : "syntax error";
	return rc;
}

int
mutations_from_json(struct mutations *mutations, const struct ovsdb_table_schema *schema,
                    const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
                    struct db_error *error)
{
	size_t n = json_array_size(json);
	int rc;

	mutations->list = xcalloc(n + 1, sizeof(*mutations->list));
	for (mutations->n = 0; mutations->n < n; mutations->n++) {
		rc = read_mutation(&mutations->list[mutations->n], schema,
		                   json_array_get(json, mutations->n), named, aux, error);
		if (rc) {
			mutations_destroy(mutations);
			return rc;
		}
	}
	return 0;
}

void
mutations_destroy(struct mutations *mutations)
{
	for (size_t i = 0; i < mutations->n; i++)
		ovsdb_datum_destroy(&mutations->list[i].arg, &mutations->list[i].type);
	free(mutations->list);
	memset(mutations, 0, sizeof(*mutations));
}

static int
out_of_range(const struct mutation *m, struct db_error *error)
{
	return db_error_set(error, -ERANGE, "range error",
	                    "the result of \"%s\" on column %s is out of range",
	                    mutator_names[m->mutator], m->column->name);
}

static int
divide_integer(const struct mutation *m, int64_t *value, struct db_error *error)
{
	int64_t divisor = m->arg.keys[0].integer;

	if (!divisor)
		return db_error_set(error, -EDOM, "domain error",
		                    "division of column %s by zero", m->column->name);
	if (*value == INT64_MIN && divisor == -1) {
		/* The quotient has no representation; the remainder is 0 but traps. */
		if (m->mutator == DIVIDE)
			return out_of_range(m, error);
		*value = 0;
		return 0;
	}
	*value = m->mutator == DIVIDE ? *value / divisor : *value % divisor;
	return 0;
}

static int
mutate_integer(const struct mutation *m, int64_t *value, struct db_error *error)
{
	int64_t arg = m->arg.keys[0].integer;
	bool overflows;

	switch (m->mutator) {
	case ADD:
		overflows = __builtin_add_overflow(*value, arg, value);
		break;
	case SUBTRACT:
		overflows = __builtin_sub_overflow(*value, arg, value);
		break;
	case MULTIPLY:
		overflows = __builtin_mul_overflow(*value, arg, value);
		break;
	case DIVIDE:
	case MODULO:
	case INSERT:
	case DELETE:
	default:
		return divide_integer(m, value, error);
	}
	return overflows ? out_of_range(m, error) : 0;
}

static int
mutate_real(const struct mutation *m, double *value, struct db_error *error)
{
	double arg = m->arg.keys[0].real;

	if (m->mutator == DIVIDE && arg == 0.0)
		return db_error_set(error, -EDOM, "domain error",
		                    "division of column %s by zero", m->column->name);
	if (m->mutator == ADD)
		*value += arg;
	else if (m->mutator == SUBTRACT)
		*value -= arg;
	else if (m->mutator == MULTIPLY)
		*value *= arg;
	else
		*value /= arg;
	return isfinite(*value) ? 0 : out_of_range(m, error);
}

static int
mutate_numbers(const struct mutation *m, struct ovsdb_datum *datum,
               struct db_error *error)
{
	const struct ovsdb_type *type = &m->column->type;
	int rc;

	for (size_t i = 0; i < datum->n; i++) {
		rc = type->key.kind == OVSDB_INTEGER
		             ? mutate_integer(m, &datum->keys[i].integer, error)
		             : mutate_real(m, &datum->keys[i].real, error);
		if (rc)
			return rc;
		if (ovsdb_atom_check(&datum->keys[i], &type->key, &error->details)) {
			error->tag = "constraint violation";
			return -ERANGE;
		}
	}
	if (ovsdb_datum_sort(datum, type, &error->details)) {
		error->tag = "constraint violation";
		return -ERANGE;
	}
	return 0;
}

/* Keys that a map has already keep their values. */
static void
insert_entries(const struct mutation *m, struct ovsdb_datum *datum)
{
	const struct ovsdb_type *type = &m->column->type;
	size_t n_old = datum->n;

	for (size_t i = 0; i < m->arg.n; i++) {
		struct ovsdb_datum old = {n_old, datum->keys, datum->values};

		if (ovsdb_datum_find(&old, &m->arg.keys[i], type->key.kind) < 0)
			ovsdb_datum_append(datum, type, &m->arg.keys[i],
			                   m->arg.values ? &m->arg.values[i] : NULL);
	}
	(void)ovsdb_datum_sort(datum, type, NULL); /* all keys differ */
}

static void
delete_entries(const struct mutation *m, struct ovsdb_datum *datum)
{
	const struct ovsdb_type *type = &m->column->type;

	for (size_t i = 0; i < m->arg.n; i++) {
		long at = ovsdb_datum_find(datum, &m->arg.keys[i], type->key.kind);

		if (at >= 0 && (!m->arg.values ||
		                !ovsdb_atom_compare(&datum->values[at], &m->arg.values[i],
		                                    type->value.kind)))
			ovsdb_datum_remove(datum, type, (size_t)at);
	}
}

static int
check_count(const struct mutation *m, const struct ovsdb_datum *datum,
            struct db_error *error)
{
	const struct ovsdb_type *type = &m->column->type;

	if (datum->n >= type->n_min && datum->n <= type->n_max)
		return 0;
	return db_error_set(error, -ERANGE, "constraint violation",
	                    "\"%s\" leaves %zu value(s) in column %s, which holds %u "
	                    "to %u",
	                    mutator_names[m->mutator], datum->n, m->column->name,
	                    type->n_min, type->n_max);
}

int
mutations_apply(const struct mutations *mutations, struct txn *txn, struct db_row *row,
                struct db_error *error)
{
	for (size_t i = 0; i < mutations->n; i++) {
		const struct mutation *m = &mutations->list[i];
		struct ovsdb_datum *datum = txn_modify(txn, row, m->column);
		int rc = 0;

		if (m->mutator == INSERT)
			insert_entries(m, datum);
		else if (m->mutator == DELETE)
			delete_entries(m, datum);
		else
			rc = mutate_numbers(m, datum, error);
		if (!rc)
			rc = check_count(m, datum, error);
		if (rc)
			return rc;
	}
	return 0;
}
