/* schema_test.c - lib/ovsdb/schema.c and the schema that the daemon carries. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

#define OVS_SCHEMA_FILE "/usr/share/openvswitch/vswitch.ovsschema"

static struct ovsdb_schema *
schema_from_text(const char *text)
{
	struct ovsdb_schema *schema;
	struct error err = {""};
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	if (ovsdb_schema_from_json(json, &schema, &err))
		fail_msg("%s", err.text);
	json_decref(json);
	return schema;
}

static void
test_own_schema_has_its_tables(void **state)
{
	struct ovsdb_schema *schema = schema_from_text(ovsdb_schema_text());
	const struct ovsdb_table_schema *table;
	const struct ovsdb_column *column;

	(void)state;
	assert_string_equal(schema->name, "Open_vSwitch");
	assert_string_equal(schema->version, "8.3.1");
	assert_int_equal(schema->tables.count, 19);
	table = ovsdb_schema_table(schema, "Open_vSwitch");
	assert_true(table->is_root);
	assert_int_equal(table->max_rows, 1);
	table = ovsdb_schema_table(schema, "Bridge");
	assert_false(table->is_root);
	assert_int_equal(table->max_rows, OVSDB_UNLIMITED);
	assert_string_equal(table->columns[0]->name, "_uuid");
	assert_string_equal(table->columns[1]->name, "_version");
	assert_int_equal(table->n_indexes, 1);
	assert_string_equal(table->indexes[0][0]->name, "name");
	assert_null(table->indexes[0][1]);
	column = ovsdb_table_column(table, "name");
	assert_false(column->is_mutable);
	assert_ptr_equal(table->columns[column->index], column);
	column = ovsdb_table_column(table, "protocols");
	assert_int_equal(column->type.key.allowed->n, 6);
	column = ovsdb_table_column(table, "status");
	assert_true(column->is_ephemeral);
	assert_true(ovsdb_type_is_map(&column->type));
	column = ovsdb_table_column(ovsdb_schema_table(schema, "Mirror"), "output_port");
	assert_true(column->type.key.is_weak_ref);
	assert_string_equal(column->type.key.ref_table, "Port");
	assert_null(ovsdb_schema_table(schema, "Nothing"));
	assert_null(ovsdb_table_column(table, "nothing"));
	ovsdb_schema_destroy(schema);
}

/* Long and short forms of a type mean the same: compare what was understood. */
static void
assert_same_base(const struct ovsdb_base_type *a, const struct ovsdb_base_type *b)
{
	const struct ovsdb_type type = {.key = {.kind = a->kind}};

	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->allowed != NULL, b->allowed != NULL);
	if (a->allowed)
		assert_int_equal(ovsdb_datum_compare(a->allowed, b->allowed, &type), 0);
	assert_int_equal(a->min_integer, b->min_integer);
	assert_int_equal(a->max_integer, b->max_integer);
	assert_true(a->min_real == b->min_real && a->max_real == b->max_real);
	assert_int_equal(a->min_length, b->min_length);
	assert_int_equal(a->max_length, b->max_length);
	assert_string_equal(a->ref_table ? a->ref_table : "",
	                    b->ref_table ? b->ref_table : "");
	assert_int_equal(a->is_weak_ref, b->is_weak_ref);
}

static void
assert_same_table(const struct ovsdb_table_schema *a, const struct ovsdb_table_schema *b)
{
	assert_int_equal(a->is_root, b->is_root);
	assert_int_equal(a->max_rows, b->max_rows);
	assert_int_equal(a->n_columns, b->n_columns);
	assert_int_equal(a->n_indexes, b->n_indexes);
	for (size_t i = 0; i < a->n_indexes; i++) {
		size_t j = 0;

		for (; a->indexes[i][j] && b->indexes[i][j]; j++)
			assert_string_equal(a->indexes[i][j]->name,
			                    b->indexes[i][j]->name);
		assert_ptr_equal(a->indexes[i][j], b->indexes[i][j]);
	}
	for (size_t i = 0; i < a->n_columns; i++) {
		const struct ovsdb_column *ca = a->columns[i];
		const struct ovsdb_column *cb = ovsdb_table_column(b, ca->name);

		assert_non_null(cb);
		assert_int_equal(ca->is_mutable, cb->is_mutable);
		assert_int_equal(ca->is_ephemeral, cb->is_ephemeral);
		assert_int_equal(ca->type.n_min, cb->type.n_min);
		assert_int_equal(ca->type.n_max, cb->type.n_max);
		assert_same_base(&ca->type.key, &cb->type.key);
		assert_same_base(&ca->type.value, &cb->type.value);
	}
}

static void
test_own_schema_means_what_ovs_means(void **state)
{
	struct ovsdb_schema *own, *theirs;
	struct ovsdb_table_schema *table;
	json_t *json;

	(void)state;
	if (access(OVS_SCHEMA_FILE, R_OK) < 0)
		skip();
	json = json_load_file(OVS_SCHEMA_FILE, 0, NULL);
	assert_non_null(json);
	if (strcmp(json_string_value(json_object_get(json, "version")), "8.3.1") != 0) {
		json_decref(json);
		skip();
	}
	assert_int_equal(ovsdb_schema_from_json(json, &theirs, NULL), 0);
	own = schema_from_text(ovsdb_schema_text());
	assert_string_equal(own->name, theirs->name);
	assert_string_equal(own->version, theirs->version);
	assert_string_equal(own->checksum, theirs->checksum);
	assert_int_equal(own->tables.count, theirs->tables.count);
	HMAP_FOR_EACH (table, node, &own->tables) {
		assert_non_null(ovsdb_schema_table(theirs, table->name));
		assert_same_table(table, ovsdb_schema_table(theirs, table->name));
	}
	ovsdb_schema_destroy(own);
	ovsdb_schema_destroy(theirs);
	json_decref(json);
}

#define WITH_COLUMN(type)                                                        \
	"{\"name\":\"x\",\"version\":\"1.0.0\",\"tables\":{\"t\":{\"columns\":{" \
	"\"c\":{\"type\":" type "}}}}}"

static void
test_bad_schemas_are_refused_by_name(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"[]", "name or version missing"},
		{"{\"name\":\"x\",\"tables\":{}}", "name or version missing"},
		{"{\"name\":\"x\",\"version\":\"1.0.0\",\"more\":1}", "\"more\""},
		{WITH_COLUMN("\"int\""), "table t: column c: not a known type"},
		{WITH_COLUMN("{\"key\":{\"type\":\"integer\",\"min\":1}}"), "\"min\""},
		{WITH_COLUMN("{\"key\":{\"type\":\"integer\",\"refTable\":\"t\"}}"),
	         "refTable must name"},
		{WITH_COLUMN("{\"key\":{\"type\":\"uuid\",\"refTable\":\"no\"}}"),
	         "table no, which does not exist"},
		{WITH_COLUMN("{\"key\":\"integer\",\"min\":2,\"max\":3}"), "min"},
		{WITH_COLUMN("{\"key\":{\"type\":\"integer\",\"minInteger\":5,"
	                     "\"maxInteger\":4}}"),
	         "minimum exceeds"},
		{WITH_COLUMN("{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[1]]}}"),
	         "enum"},
	};
	struct ovsdb_schema *schema;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *json = json_loads(bad[i].text, 0, NULL);
		struct error err = {""};

		assert_non_null(json);
		assert_int_equal(ovsdb_schema_from_json(json, &schema, &err), -EINVAL);
		if (!strstr(err.text, bad[i].part))
			fail_msg("%s: %s", bad[i].text, err.text);
		json_decref(json);
	}
}

static void
test_schema_without_root_set_collects_nothing(void **state)
{
	struct ovsdb_schema *schema = schema_from_text(WITH_COLUMN("\"integer\""));

	(void)state;
	assert_true(ovsdb_schema_table(schema, "t")->is_root);
	ovsdb_schema_destroy(schema);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_schema_has_its_tables),
		cmocka_unit_test(test_own_schema_means_what_ovs_means),
		cmocka_unit_test(test_bad_schemas_are_refused_by_name),
		cmocka_unit_test(test_schema_without_root_set_collects_nothing),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
