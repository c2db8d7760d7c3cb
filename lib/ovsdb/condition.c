/* condition.c - parses and evaluates <condition>s. Below exec.c and monitor.c. Main
 * thread. */
#include "ovsdb/condition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum function { EQ, NE, LT, LE, GT, GE, INCLUDES, EXCLUDES, ALWAYS, NEVER };

static const char *const function_names[] = {
	[EQ] = "==",
	[NE] = "!=",
	[LT] = "<",
	[LE] = "<=",
	[GT] = ">",
	[GE] = ">=",
	[INCLUDES] = "includes",
	[EXCLUDES] = "excludes",
};

struct condition_clause {
	enum function function;
	const struct ovsdb_column *column; /* NULL for booleans */
	struct ovsdb_type type;            /* of 'arg'; its parts are the column's */
	struct ovsdb_datum arg;
};

static bool
is_relational(enum function function)
{
	return function >= LT && function <= GE;
}

static int
read_function(const char *name, enum function *function, struct db_error *error)
{
	for (unsigned i = 0; i < ARRAY_SIZE(function_names); i++)
		if (!strcmp(name, function_names[i])) {
			*function = (enum function)i;
			return 0;
		}
	return db_error_set(error, -EINVAL, "unknown function", "no function named %s",
	                    name);
}

/* The type that the clause's argument must have (RFC 7047, 5.1, <condition>). */
static int
set_arg_type(struct condition_clause *clause, struct db_error *error)
{
	const struct ovsdb_type *type = &clause->column->type;
	bool is_number = type->key.kind == OVSDB_INTEGER || type->key.kind == OVSDB_REAL;

	clause->type = *type;
	if (is_relational(clause->function)) {
		if (!is_number || ovsdb_type_is_map(type) || type->n_max != 1)
			return db_error_set(error, -EINVAL, "syntax error",
			                    "\"%s\" does not apply to column %s",
			                    function_names[clause->function],
			                    clause->column->name);
		clause->type.n_min = 1;
	} else if (clause->function == INCLUDES || clause->function == EXCLUDES) {
		if (ovsdb_type_is_map(type) || type->n_max > 1 || !type->n_min)
			clause->type.n_min = 0;
		if (clause->function == EXCLUDES && !clause->type.n_min)
			clause->type.n_max = OVSDB_UNLIMITED;
	}
	return 0;
}

static int
read_clause(struct condition_clause *clause, const struct ovsdb_table_schema *schema,
            const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
            struct db_error *error)
{
	const char *column = json_string_value(json_array_get(json, 0));
	const char *function = json_string_value(json_array_get(json, 1));
	int rc;

	if (json_is_boolean(json)) {
		clause->function = json_is_true(json) ? ALWAYS : NEVER;
		return 0;
	}
	if (json_array_size(json) != 3 || !column || !function)
		return db_error_set(error, -EINVAL, "syntax error",
		                    "a condition's clause must be [column, function, "
		                    "value] or a boolean");
	clause->column = ovsdb_table_column(schema, column);
	if (!clause->column)
		return db_error_set(error, -EINVAL, "unknown column",
		                    "no column %s in table %s", column, schema->name);
	rc = read_function(function, &clause->function, error);
	if (!rc)
		rc = set_arg_type(clause, error);
	if (rc)
		return rc;
	rc = ovsdb_datum_from_json(&clause->arg, &clause->type, json_array_get(json, 2),
	                           named, aux, &error->details);
	if (rc)
		error->tag = rc == -ERANGE ? "constraint violation" : "syntax error";
	return rc;
}

int
condition_from_json(struct condition *condition, const struct ovsdb_table_schema *schema,
                    const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
                    struct db_error *error)
{
	size_t n = json_array_size(json);
	int rc;

	memset(condition, 0, sizeof(*condition));
	if (!json_is_array(json))
		return db_error_set(error, -EINVAL, "syntax error",
		                    "a condition must be an array");
	condition->clauses = xcalloc(n + 1, sizeof(*condition->clauses));
	for (condition->n = 0; condition->n < n; condition->n++) {
		rc = read_clause(&condition->clauses[condition->n], schema,
		                 json_array_get(json, condition->n), named, aux, error);
		if (rc) {
			condition_destroy(condition);
			return rc;
		}
	}
	return 0;
}

void
condition_destroy(struct condition *condition)
{
	for (size_t i = 0; i < condition->n; i++)
		if (condition->clauses[i].column)
			ovsdb_datum_destroy(&condition->clauses[i].arg,
			                    &condition->clauses[i].type);
	free(condition->clauses);
	memset(condition, 0, sizeof(*condition));
}

/* Whether entry 'i' of 'arg' is in 'datum', for a map with the same value. */
static bool
has_entry(const struct ovsdb_datum *datum, const struct ovsdb_datum *arg, size_t i,
          const struct ovsdb_type *type)
{
	long at = ovsdb_datum_find(datum, &arg->keys[i], type->key.kind);

	return at >= 0 &&
	       (!arg->values || !ovsdb_atom_compare(&datum->values[at], &arg->values[i],
	                                            type->value.kind));
}

static size_t
count_common(const struct ovsdb_datum *datum, const struct condition_clause *clause)
{
	size_t n = 0;

	for (size_t i = 0; i < clause->arg.n; i++)
		n += has_entry(datum, &clause->arg, i, &clause->type);
	return n;
}

/* An empty optional column compares with nothing. */
static bool
relation_holds(const struct condition_clause *clause, const struct ovsdb_datum *datum)
{
	int order;

	if (!datum->n)
		return false;
	order = ovsdb_atom_compare(&datum->keys[0], &clause->arg.keys[0],
	                           clause->type.key.kind);
	switch (clause->function) {
	case LT:
		return order < 0;
	case LE:
		return order <= 0;
	case GT:
		return order > 0;
	case GE:
		return order >= 0;
	case EQ:
	case NE:
	case INCLUDES:
	case EXCLUDES:
	case ALWAYS:
	case NEVER:
	default:
		return false;
	}
}

static bool
clause_holds(const struct condition_clause *clause,
             const struct ovsdb_datum *const *datums)
{
	const struct ovsdb_datum *datum;

	if (!clause->column)
		return clause->function == ALWAYS;
	datum = datums[clause->column->index];
	switch (clause->function) {
	case EQ:
		return !ovsdb_datum_compare(datum, &clause->arg, &clause->type);
	case NE:
		return ovsdb_datum_compare(datum, &clause->arg, &clause->type);
	case INCLUDES:
		return count_common(datum, clause) == clause->arg.n;
	case EXCLUDES:
		return count_common(datum, clause) == 0;
	case LT:
	case LE:
	case GT:
	case GE:
	case ALWAYS:
	case NEVER:
	default:
		return relation_holds(clause, datum);
	}
}

bool
condition_all(const struct condition *condition, const struct ovsdb_datum *const *datums)
{
	for (size_t i = 0; i < condition->n; i++)
		if (!clause_holds(&condition->clauses[i], datums))
			return false;
	return true;
}

bool
condition_any(const struct condition *condition, const struct ovsdb_datum *const *datums)
{
	for (size_t i = 0; i < condition->n; i++)
		if (clause_holds(&condition->clauses[i], datums))
			return true;
	return false;
}

bool
condition_matches_row(const struct condition *condition, const struct db_row *row)
{
	size_t n = row->table->schema->n_columns;
	const struct ovsdb_datum **datums;
	bool matches;

	if (!condition->n)
		return true;
	datums = xcalloc(n, sizeof(struct ovsdb_datum *));
	for (size_t i = 0; i < n; i++)
		datums[i] = &row->datums[i];
	matches = condition_all(condition, datums);
	free(datums);
	return matches;
}

bool
condition_names_row(const struct condition *condition, struct uuid *uuid)
{
	for (size_t i = 0; i < condition->n; i++) {
		const struct condition_clause *clause = &condition->clauses[i];

		if (clause->function == EQ && clause->column->index == 0) {
			*uuid = clause->arg.keys[0].uuid;
			return true;
		}
	}
	return false;
}

int
condition_for_each(const struct condition *condition, struct db_table *table,
                   int (*fn)(struct db_row *row, void *aux), void *aux)
{
	struct db_row *row;
	struct uuid uuid;
	int rc;

	if (condition_names_row(condition, &uuid)) {
		row = db_table_row(table, &uuid);
		return row && condition_matches_row(condition, row) ? fn(row, aux) : 0;
	}
	HMAP_FOR_EACH (row, node, &table->rows) {
		rc = condition_matches_row(condition, row) ? fn(row, aux) : 0;
		if (rc)
			return rc;
	}
	return 0;
}
