/* wait.c - the "wait" operation: holds a transaction up until rows are as described. Part
 * of exec.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/exec.h"
#include "ovsdb/exec_private.h"

/* A described row: its values by column index, those of wanted columns only. */
struct wanted_row {
	struct ovsdb_datum *datums;
	bool is_found;
};

struct waiting {
	struct exec *exec;
	const struct ovsdb_table_schema *schema;
	bool *is_compared;
	struct wanted_row *rows;
	size_t n;
	bool has_other; /* a row that is not described */
};

static void
free_wanted(struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++) {
		for (size_t j = 0; j < w->schema->n_columns; j++)
			ovsdb_datum_destroy(&w->rows[i].datums[j],
			                    &w->schema->columns[j]->type);
		free(w->rows[i].datums);
	}
	free(w->rows);
}

/* Columns that are compared but not described count as at their default. */
static int
read_wanted_row(struct waiting *w, const json_t *json)
{
	struct wanted_row *row = &w->rows[w->n];
	struct exec_value *values;
	size_t n;
	int rc;

	rc = exec_read_row(w->exec, w->schema, json, &values, &n);
	if (rc)
		return rc;
	row->datums = xcalloc(w->schema->n_columns, sizeof(*row->datums));
	w->n++;
	for (size_t i = 0; i < w->schema->n_columns; i++)
		ovsdb_datum_init_default(&row->datums[i], &w->schema->columns[i]->type);
	for (size_t i = 0; i < n; i++) {
		const struct ovsdb_column *column = values[i].column;

		ovsdb_datum_destroy(&row->datums[column->index], &column->type);
		row->datums[column->index] = values[i].datum;
	}
	free(values);
	return 0;
}

static int
read_wanted(struct waiting *w)
{
	const json_t *json = json_object_get(w->exec->op, "rows");
	int rc = 0;

	if (!json_is_array(json))
		return exec_syntax_error(w->exec, "must be an array", "rows");
	w->rows = xcalloc(json_array_size(json) + 1, sizeof(*w->rows));
	for (size_t i = 0; i < json_array_size(json) && !rc; i++)
		rc = read_wanted_row(w, json_array_get(json, i));
	return rc;
}

static bool
is_same(const struct waiting *w, const struct wanted_row *wanted,
        const struct db_row *row)
{
	for (size_t i = 0; i < w->schema->n_columns; i++)
		if (w->is_compared[i] &&
		    ovsdb_datum_compare(&wanted->datums[i], &row->datums[i],
		                        &w->schema->columns[i]->type))
			return false;
	return true;
}

static int
match_row(struct db_row *row, void *aux)
{
	struct waiting *w = aux;
	bool is_described = false;

	/* Equal descriptions are one: both are found by the same row. */
	for (size_t i = 0; i < w->n; i++)
		if (is_same(w, &w->rows[i], row))
			w->rows[i].is_found = is_described = true;
	w->has_other |= !is_described;
	return 0;
}

static bool
rows_are_as_described(struct waiting *w, struct db_table *table,
                      const struct condition *where)
{
	condition_for_each(where, table, match_row, w);
	if (w->has_other)
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (!w->rows[i].is_found)
			return false;
	return true;
}

static int
read_until(struct exec *exec, bool *is_equal)
{
	const char *until = json_string_value(json_object_get(exec->op, "until"));

	*is_equal = until && !strcmp(until, "==");
	if (*is_equal || (until && !strcmp(until, "!=")))
		return 0;
	return exec_syntax_error(exec, "must be \"==\" or \"!=\"", "until");
}

/* Not fulfilled: now or later, by "timeout". */
static int
give_up_or_retry(struct exec *exec, bool has_timeout, uint64_t timeout_ms)
{
	if (has_timeout && exec->request->waited_ms >= timeout_ms) {
		if (!timeout_ms)
			return db_error_set(&exec->error, -ETIMEDOUT, "timed out",
			                    "\"where\" clause test failed");
		return db_error_set(&exec->error, -ETIMEDOUT, "timed out",
		                    "\"wait\" timed out after %llu ms",
		                    (unsigned long long)exec->request->waited_ms);
	}
	if (has_timeout)
		exec->retry_ms = timeout_ms - exec->request->waited_ms;
	return -EAGAIN;
}

int
exec_wait(struct exec *exec, json_t *result UNUSED)
{
	const json_t *timeout = json_object_get(exec->op, "timeout");
	struct waiting w = {.exec = exec};
	struct condition where;
	struct db_table *table;
	bool until_equal, holds;
	int rc;

	if (timeout && (!json_is_integer(timeout) || json_integer_value(timeout) < 0))
		return exec_syntax_error(exec, "must be a number of milliseconds",
		                         "timeout");
	rc = read_until(exec, &until_equal);
	if (!rc)
		rc = exec_table_and_where(exec, &table, &where);
	if (rc)
		return rc;
	w.schema = table->schema;
	rc = exec_read_columns(exec, w.schema, json_object_get(exec->op, "columns"),
	                       &w.is_compared);
	if (rc)
		goto free_where;
	rc = read_wanted(&w);
	if (!rc) {
		holds = rows_are_as_described(&w, table, &where) == until_equal;
		if (!holds)
			rc = give_up_or_retry(exec, timeout != NULL,
			                      (uint64_t)json_integer_value(timeout));
	}
	free_wanted(&w);
	free(w.is_compared);
free_where:
	condition_destroy(&where);
	return rc;
}
