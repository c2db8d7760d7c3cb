/* select.c - the "select" operation. Part of exec.c. Main thread. */
#include <stdlib.h>

#include "base/mem.h"
#include "ovsdb/exec_private.h"

/* A row that was selected, by the hash of its wanted columns. */
struct seen_row {
	struct hmap_node node;
	const struct db_row *row;
};

struct selection {
	const struct ovsdb_table_schema *schema;
	bool *is_wanted;
	struct hmap seen;
	json_t *rows;
};

static uint32_t
hash_wanted(const struct selection *s, const struct db_row *row)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < s->schema->n_columns; i++)
		if (s->is_wanted[i])
			hash = ovsdb_datum_hash(&row->datums[i],
			                        &s->schema->columns[i]->type, hash);
	return hash;
}

static bool
equal_wanted(const struct selection *s, const struct db_row *a, const struct db_row *b)
{
	for (size_t i = 0; i < s->schema->n_columns; i++)
		if (s->is_wanted[i] && ovsdb_datum_compare(&a->datums[i], &b->datums[i],
		                                           &s->schema->columns[i]->type))
			return false;
	return true;
}

/* Rows that look the same in the wanted columns are one, as they are to OVS's server. */
static bool
see_row(struct selection *s, const struct db_row *row)
{
	uint32_t hash = hash_wanted(s, row);
	struct seen_row *seen;

	HMAP_FOR_EACH_WITH_HASH (seen, node, hash, &s->seen)
		if (equal_wanted(s, seen->row, row))
			return false;
	seen = xcalloc(1, sizeof(*seen));
	seen->row = row;
	hmap_insert(&s->seen, &seen->node, hash);
	return true;
}

static int
select_row(struct db_row *row, void *aux)
{
	struct selection *s = aux;
	json_t *object;

	if (!see_row(s, row))
		return 0;
	object = json_object();
	for (size_t i = 0; i < s->schema->n_columns; i++) {
		const struct ovsdb_column *column = s->schema->columns[i];

		if (s->is_wanted[i])
			json_object_set_new(
				object, column->name,
				ovsdb_datum_to_json(&row->datums[i], &column->type));
	}
	json_array_append_new(s->rows, object);
	return 0;
}

int
exec_select(struct exec *exec, json_t *result)
{
	struct selection s = {.seen = HMAP_INIT};
	struct condition where;
	struct seen_row *seen;
	struct db_table *table;
	int rc;

	rc = exec_table_and_where(exec, &table, &where);
	if (rc)
		return rc;
	s.schema = table->schema;
	rc = exec_read_columns(exec, s.schema, json_object_get(exec->op, "columns"),
	                       &s.is_wanted);
	if (!rc) {
		s.rows = json_array();
		condition_for_each(&where, table, select_row, &s);
		json_object_set_new(result, "rows", s.rows);
		free(s.is_wanted);
	}
	HMAP_FOR_EACH (seen, node, &s.seen)
		free(seen);
	hmap_destroy(&s.seen);
	condition_destroy(&where);
	return rc;
}
