/* schema_read.c - reads a <database-schema> (RFC 7047, 3.2) into its tables, columns and
 * types. Any thread. */
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

static const char *const kind_names[] = {
	[OVSDB_VOID] = "void",       [OVSDB_INTEGER] = "integer", [OVSDB_REAL] = "real",
	[OVSDB_BOOLEAN] = "boolean", [OVSDB_STRING] = "string",   [OVSDB_UUID] = "uuid",
};

const char *
ovsdb_kind_name(enum ovsdb_kind kind)
{
	return kind_names[kind];
}

bool
ovsdb_is_id(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '_')
			return false;
	return true;
}

static bool
kind_from_name(const char *name, enum ovsdb_kind *kind)
{
	for (unsigned i = OVSDB_INTEGER; name && i < ARRAY_SIZE(kind_names); i++)
		if (!strcmp(name, kind_names[i])) {
			*kind = (enum ovsdb_kind)i;
			return true;
		}
	return false;
}

static void
base_type_init(struct ovsdb_base_type *base, enum ovsdb_kind kind)
{
	memset(base, 0, sizeof(*base));
	base->kind = kind;
	base->min_integer = INT64_MIN;
	base->max_integer = INT64_MAX;
	base->min_real = -DBL_MAX;
	base->max_real = DBL_MAX;
	base->max_length = OVSDB_UNLIMITED;
}

static void
base_type_destroy(struct ovsdb_base_type *base)
{
	const struct ovsdb_type type = {.key = {.kind = base->kind}};

	if (base->allowed) {
		ovsdb_datum_destroy(base->allowed, &type);
		free(base->allowed);
	}
	free(base->ref_table);
}

/* An object's members must all be known, or a constraint could be overlooked. */
static int
check_members(const json_t *object, const char *const known[], struct error *err)
{
	const char *name;
	json_t *value;

	/* jansson's iteration does not change the object. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], name) != 0)
			i++;
		if (!known[i])
			return error_set(err, -EINVAL, "unknown member \"%s\"", name);
	}
	return 0;
}

static int
read_enum(struct ovsdb_base_type *base, const json_t *json, struct error *err)
{
	struct ovsdb_type type = {.n_min = 1, .n_max = OVSDB_UNLIMITED};
	int rc;

	base_type_init(&type.key, base->kind);
	base->allowed = xcalloc(1, sizeof(*base->allowed));
	rc = ovsdb_datum_from_json(base->allowed, &type, json, NULL, NULL, err);
	if (rc) {
		free(base->allowed);
		base->allowed = NULL;
		error_prefix(err, "enum");
	}
	return rc;
}

static int
read_integer(const json_t *object, const char *name, int64_t min, int64_t max,
             int64_t *value, struct error *err)
{
	const json_t *json = json_object_get(object, name);

	if (!json)
		return 0;
	if (!json_is_integer(json) || json_integer_value(json) < min ||
	    json_integer_value(json) > max)
		return error_set(err, -EINVAL, "%s is not a valid integer", name);
	*value = json_integer_value(json);
	return 0;
}

static int
read_numeric_limits(struct ovsdb_base_type *base, const json_t *json, struct error *err)
{
	int64_t min_length = 0, max_length = OVSDB_UNLIMITED;
	const json_t *real;
	int rc;

	rc = read_integer(json, "minInteger", INT64_MIN, INT64_MAX, &base->min_integer,
	                  err);
	if (!rc)
		rc = read_integer(json, "maxInteger", INT64_MIN, INT64_MAX,
		                  &base->max_integer, err);
	if (!rc)
		rc = read_integer(json, "minLength", 0, UINT_MAX, &min_length, err);
	if (!rc)
		rc = read_integer(json, "maxLength", 0, UINT_MAX, &max_length, err);
	if (rc)
		return rc;
	real = json_object_get(json, "minReal");
	if (real)
		base->min_real = json_number_value(real);
	real = json_object_get(json, "maxReal");
	if (real)
		base->max_real = json_number_value(real);
	base->min_length = (unsigned)min_length;
	base->max_length = (unsigned)max_length;
	if (base->min_integer > base->max_integer || base->min_real > base->max_real ||
	    base->min_length > base->max_length)
		return error_set(err, -EINVAL, "the minimum exceeds the maximum");
	return 0;
}

static int
read_reference(struct ovsdb_base_type *base, const json_t *json, struct error *err)
{
	const json_t *table = json_object_get(json, "refTable");
	const json_t *kind = json_object_get(json, "refType");

	if (!table)
		return 0;
	if (base->kind != OVSDB_UUID || !json_is_string(table))
		return error_set(err, -EINVAL, "refTable must name the table of a uuid");
	base->ref_table = xstrdup(json_string_value(table));
	if (!kind)
		return 0;
	if (!json_is_string(kind))
		return error_set(err, -EINVAL, "refType is not a string");
	base->is_weak_ref = !strcmp(json_string_value(kind), "weak");
	if (!base->is_weak_ref && strcmp(json_string_value(kind), "strong") != 0)
		return error_set(err, -EINVAL, "refType must be strong or weak");
	return 0;
}

static int
read_base_type(struct ovsdb_base_type *base, const json_t *json, struct error *err)
{
	static const char *const known[] = {"type",       "enum",      "minInteger",
	                                    "maxInteger", "minReal",   "maxReal",
	                                    "minLength",  "maxLength", "refTable",
	                                    "refType",    NULL};
	const json_t *name = json_is_object(json) ? json_object_get(json, "type") : json;
	enum ovsdb_kind kind;
	int rc;

	if (!kind_from_name(json_string_value(name), &kind))
		return error_set(err, -EINVAL, "not a known type of atom");
	base_type_init(base, kind);
	if (!json_is_object(json))
		return 0;
	rc = check_members(json, known, err);
	if (!rc && json_object_get(json, "enum"))
		rc = read_enum(base, json_object_get(json, "enum"), err);
	if (!rc)
		rc = read_numeric_limits(base, json, err);
	if (!rc)
		rc = read_reference(base, json, err);
	return rc;
}

static int
read_count(struct ovsdb_type *type, const json_t *json, struct error *err)
{
	const json_t *max = json_object_get(json, "max");
	int64_t n_min = 1, n_max = 1;
	int rc;

	rc = read_integer(json, "min", 0, 1, &n_min, err);
	if (rc)
		return rc;
	if (json_is_string(max) && !strcmp(json_string_value(max), "unlimited"))
		n_max = OVSDB_UNLIMITED;
	else
		rc = read_integer(json, "max", 1, UINT_MAX - 1, &n_max, err);
	type->n_min = (unsigned)n_min;
	type->n_max = (unsigned)n_max;
	return rc;
}

static int
read_type(struct ovsdb_type *type, const json_t *json, struct error *err)
{
	static const char *const known[] = {"key", "value", "min", "max", NULL};
	int rc;

	base_type_init(&type->value, OVSDB_VOID);
	type->n_min = type->n_max = 1;
	if (!json_is_object(json))
		return read_base_type(&type->key, json, err);
	rc = check_members(json, known, err);
	if (!rc)
		rc = read_base_type(&type->key, json_object_get(json, "key"), err);
	if (!rc && json_object_get(json, "value"))
		rc = read_base_type(&type->value, json_object_get(json, "value"), err);
	if (!rc)
		rc = read_count(type, json, err);
	return rc;
}

static void
column_destroy(struct ovsdb_column *column)
{
	base_type_destroy(&column->type.key);
	base_type_destroy(&column->type.value);
	free(column->name);
	free(column);
}

static struct ovsdb_column *
table_add_column(struct ovsdb_table_schema *table, const char *name)
{
	struct ovsdb_column *column = xcalloc(1, sizeof(*column));

	column->name = xstrdup(name);
	column->index = (unsigned)table->n_columns;
	column->is_mutable = true;
	column->type.n_min = column->type.n_max = 1;
	base_type_init(&column->type.key, OVSDB_UUID);
	base_type_init(&column->type.value, OVSDB_VOID);
	table->columns = xrealloc(table->columns,
	                          (table->n_columns + 1) * sizeof(*table->columns));
	table->columns[table->n_columns++] = column;
	hmap_insert(&table->columns_by_name, &column->node, hash_string(name, 0));
	return column;
}

static int
read_column(struct ovsdb_table_schema *table, const char *name, const json_t *json,
            struct error *err)
{
	static const char *const known[] = {"type", "ephemeral", "mutable", NULL};
	struct ovsdb_column *column;
	int rc;

	if (!ovsdb_is_id(name) || name[0] == '_')
		return error_set(err, -EINVAL, "not a valid name");
	rc = check_members(json, known, err);
	if (rc)
		return rc;
	column = table_add_column(table, name);
	if (json_object_get(json, "mutable"))
		column->is_mutable = json_is_true(json_object_get(json, "mutable"));
	column->is_ephemeral = json_is_true(json_object_get(json, "ephemeral"));
	rc = read_type(&column->type, json_object_get(json, "type"), err);
	table->has_weak_refs |=
		column->type.key.is_weak_ref || column->type.value.is_weak_ref;
	return rc;
}

static int
read_index(struct ovsdb_table_schema *table, const json_t *json, struct error *err)
{
	size_t n = json_array_size(json);
	const struct ovsdb_column **index = xcalloc(n + 1, sizeof(struct ovsdb_column *));

	table->indexes = xrealloc(table->indexes,
	                          (table->n_indexes + 1) * sizeof(*table->indexes));
	table->indexes[table->n_indexes++] = index;
	if (!n)
		return error_set(err, -EINVAL, "an index must be an array of columns");
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(json, i));

		index[i] = name ? ovsdb_table_column(table, name) : NULL;
		if (!index[i] || index[i]->is_ephemeral)
			return error_set(err, -EINVAL,
			                 "an index names what is no durable column");
	}
	return 0;
}

static int
read_table_flags(struct ovsdb_table_schema *table, const json_t *json, struct error *err)
{
	const json_t *indexes = json_object_get(json, "indexes");
	int64_t max_rows = OVSDB_UNLIMITED;
	int rc;

	table->is_root = json_is_true(json_object_get(json, "isRoot"));
	rc = read_integer(json, "maxRows", 1, UINT_MAX - 1, &max_rows, err);
	table->max_rows = (unsigned)max_rows;
	for (size_t i = 0; !rc && i < json_array_size(indexes); i++)
		rc = read_index(table, json_array_get(indexes, i), err);
	return rc;
}

static int
read_table(struct ovsdb_schema *schema, const char *name, json_t *json, struct error *err)
{
	static const char *const known[] = {"columns", "isRoot", "maxRows", "indexes",
	                                    NULL};
	struct ovsdb_table_schema *table;
	const char *column_name;
	json_t *column;
	int rc;

	if (!ovsdb_is_id(name) || name[0] == '_')
		return error_set(err, -EINVAL, "not a valid name");
	rc = check_members(json, known, err);
	if (rc)
		return rc;
	table = xcalloc(1, sizeof(*table));
	table->name = xstrdup(name);
	hmap_insert(&schema->tables, &table->node, hash_string(name, 0));
	table_add_column(table, "_uuid")->is_mutable = false;
	table_add_column(table, "_version")->is_mutable = false;
	table->columns[1]->is_ephemeral = true;
	json_object_foreach(json_object_get(json, "columns"), column_name, column)
	{
		rc = read_column(table, column_name, column, err);
		if (rc) {
			error_prefix(err, "column %s", column_name);
			return rc;
		}
	}
	return read_table_flags(table, json, err);
}

static int
check_reference(const struct ovsdb_schema *schema, const struct ovsdb_base_type *base,
                struct error *err)
{
	if (!base->ref_table || ovsdb_schema_table(schema, base->ref_table))
		return 0;
	return error_set(err, -EINVAL,
	                 "a column refers to table %s, which does not exist",
	                 base->ref_table);
}

static int
check_tables(struct ovsdb_schema *schema, struct error *err)
{
	struct ovsdb_table_schema *table;
	bool has_root = false;
	int rc = 0;

	HMAP_FOR_EACH (table, node, &schema->tables) {
		has_root |= table->is_root;
		for (size_t i = 0; !rc && i < table->n_columns; i++) {
			rc = check_reference(schema, &table->columns[i]->type.key, err);
			if (!rc)
				rc = check_reference(schema,
				                     &table->columns[i]->type.value, err);
		}
		if (rc) {
			error_prefix(err, "table %s", table->name);
			return rc;
		}
	}
	/* RFC 7047: a schema that names no root set has no garbage collection. */
	if (!has_root)
		HMAP_FOR_EACH (table, node, &schema->tables)
			table->is_root = true;
	return 0;
}

static int
read_schema(struct ovsdb_schema *schema, struct error *err)
{
	static const char *const known[] = {"name", "version", "cksum", "tables", NULL};
	const char *name = json_string_value(json_object_get(schema->json, "name"));
	const char *version = json_string_value(json_object_get(schema->json, "version"));
	const char *cksum = json_string_value(json_object_get(schema->json, "cksum"));
	const char *table_name;
	json_t *table;
	int rc;

	rc = check_members(schema->json, known, err);
	if (rc)
		return rc;
	if (!name || !ovsdb_is_id(name) || !version)
		return error_set(err, -EINVAL, "name or version missing");
	schema->name = xstrdup(name);
	schema->version = xstrdup(version);
	schema->checksum = xstrdup(cksum ? cksum : "");
	json_object_foreach(json_object_get(schema->json, "tables"), table_name, table)
	{
		rc = read_table(schema, table_name, table, err);
		if (rc) {
			error_prefix(err, "table %s", table_name);
			return rc;
		}
	}
	return check_tables(schema, err);
}

int
ovsdb_schema_from_json(const json_t *json, struct ovsdb_schema **schema_out,
                       struct error *err)
{
	struct ovsdb_schema *schema = xcalloc(1, sizeof(*schema));
	int rc;

	schema->json = json_deep_copy(json);
	rc = read_schema(schema, err);
	if (rc) {
		error_prefix(err, "database schema");
		ovsdb_schema_destroy(schema);
		return rc;
	}
	*schema_out = schema;
	return 0;
}

static void
table_destroy(struct ovsdb_table_schema *table)
{
	for (size_t i = 0; i < table->n_columns; i++)
		column_destroy(table->columns[i]);
	for (size_t i = 0; i < table->n_indexes; i++)
		free(table->indexes[i]);
	hmap_destroy(&table->columns_by_name);
	free(table->columns);
	free(table->indexes);
	free(table->name);
	free(table);
}

void
ovsdb_schema_destroy(struct ovsdb_schema *schema)
{
	struct ovsdb_table_schema *table;

	if (!schema)
		return;
	HMAP_FOR_EACH (table, node, &schema->tables)
		table_destroy(table);
	hmap_destroy(&schema->tables);
	json_decref(schema->json);
	free(schema->name);
	free(schema->version);
	free(schema->checksum);
	free(schema);
}

const struct ovsdb_table_schema *
ovsdb_schema_table(const struct ovsdb_schema *schema, const char *name)
{
	struct ovsdb_table_schema *table;

	HMAP_FOR_EACH_WITH_HASH (table, node, hash_string(name, 0), &schema->tables)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

const struct ovsdb_column *
ovsdb_table_column(const struct ovsdb_table_schema *table, const char *name)
{
	struct ovsdb_column *column;

	HMAP_FOR_EACH_WITH_HASH (column, node, hash_string(name, 0),
	                         &table->columns_by_name)
		if (!strcmp(column->name, name))
			return column;
	return NULL;
}
