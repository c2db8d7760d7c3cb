/* vsctl_replica_test.c - the rows of weir-vsctl, and the transaction made of changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "utilities/names.h"
#include "utilities/value.h"

static const char schema_text[] =
	"{'name':'Open_vSwitch','version':'1.0.0','tables':{"
	" 'Open_vSwitch':{'isRoot':true,'maxRows':1,'columns':{"
	"  'next_cfg':{'type':'integer'},'cur_cfg':{'type':'integer'},"
	"  'bridges':{'type':{'key':{'type':'uuid','refTable':'Bridge'},"
	"    'min':0,'max':'unlimited'}}}},"
	" 'Bridge':{'columns':{'name':{'type':'string','mutable':false},"
	"  'other_config':{'type':{'key':'string','value':'string','min':0,"
	"    'max':'unlimited'}},"
	"  'flood_vlans':{'type':{'key':'integer','min':0,'max':4096}}}},"
	" 'Queue':{'isRoot':true,'columns':{'dscp':{'type':{'key':'integer','min':0,"
	"    'max':1}}}}}}";

static const char contents[] =
	"{'Open_vSwitch':{'00000000-0000-0000-0000-000000000001':{'new':{"
	"   'cur_cfg':5,'bridges':['uuid','00000000-0000-0000-0000-0000000000b1']}}},"
	" 'Bridge':{'00000000-0000-0000-0000-0000000000b1':{'new':{"
	"   'name':'br0','other_config':['map',[['k','v']]],"
	"   'flood_vlans':['set',[1,2]]}}},"
	" 'Queue':{'abcd0000-0000-0000-0000-0000000000c1':{'new':{'dscp':['set',[]]}},"
	"          'abce0000-0000-0000-0000-0000000000c2':{'new':{'dscp':7}}}}";

/* JSON with ' for ". */
static json_t *
load(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, 0, NULL);
	assert_non_null(json);
	free(copy);
	return json;
}

static int
setup(void **state)
{
	struct vsctl *vsctl = calloc(1, sizeof(*vsctl));
	struct ovsdb_schema *schema;
	json_t *json = load(schema_text);
	struct error err;
	struct row **rows;
	size_t n;

	assert_int_equal(ovsdb_schema_from_json(json, &schema, &err), 0);
	json_decref(json);
	replica_init(&vsctl->replica, schema);
	for (size_t i = 0; i < vsctl->replica.n_tables; i++)
		replica_want_all(&vsctl->replica.tables[i]);
	json = load(contents);
	assert_int_equal(replica_apply(&vsctl->replica, json, &err), 0);
	json_decref(json);
	rows = replica_rows(replica_table(&vsctl->replica, "Open_vSwitch"), &n);
	assert_int_equal(n, 1);
	vsctl->root = rows[0];
	free(rows);
	*state = vsctl;
	return 0;
}

static int
teardown(void **state)
{
	struct vsctl *vsctl = *state;

	vsctl_symbols_free(vsctl);
	replica_close(&vsctl->replica);
	free(vsctl);
	return 0;
}

static struct row *
find(struct vsctl *vsctl, const char *table, const char *name)
{
	struct error err = {""};
	struct row *row;

	assert_int_equal(names_find_row(vsctl, replica_table(&vsctl->replica, table),
	                                name, true, &row, &err),
	                 0);
	return row;
}

/* The transaction, with the UUIDs of new rows blotted out. */
static char *
built(struct vsctl *vsctl, const struct txn_options *options, bool *is_changed)
{
	size_t index;
	json_t *json =
		txn_build(&vsctl->replica, options, vsctl->root, &index, is_changed);
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(json);
	return text;
}

static void
test_updates(void **state)
{
	struct vsctl *vsctl = *state;
	const struct replica_table *queues = replica_table(&vsctl->replica, "Queue");
	struct error err;
	json_t *json;

	json = load("{'Queue':{'abcd0000-0000-0000-0000-0000000000c1':{'old':{}},"
	            " 'abce0000-0000-0000-0000-0000000000c2':{'new':{'dscp':9},"
	            "   'old':{'dscp':7}}},'Nosuch':{'x':{}}}");
	assert_int_equal(replica_apply(&vsctl->replica, json, &err), 0);
	json_decref(json);
	assert_int_equal(queues->rows.count, 1);
	assert_int_equal(row_integer(find(vsctl, "Queue", "abce"), "dscp", -1), 9);

	json = load("{'Queue':{'nonsense':{'new':{}}}}");
	assert_int_not_equal(replica_apply(&vsctl->replica, json, &err), 0);
	json_decref(json);
	json = load("{'Queue':{'abce0000-0000-0000-0000-0000000000c2':{'new':"
	            "{'dscp':'x'}}}}");
	assert_int_not_equal(replica_apply(&vsctl->replica, json, &err), 0);
	json_decref(json);
}

static void
test_names(void **state)
{
	struct vsctl *vsctl = *state;
	struct replica_table *table = NULL;
	const struct ovsdb_column *column;
	struct error err;
	struct row *row;

	assert_int_equal(names_find_table(&vsctl->replica, "OPEN-v", &table, &err), 0);
	assert_string_equal(table->schema->name, "Open_vSwitch");
	assert_int_not_equal(names_find_table(&vsctl->replica, "nosuch", &table, &err),
	                     0);
	assert_int_not_equal(names_find_table(&vsctl->replica, "", &table, &err), 0);
	assert_int_equal(names_find_table(&vsctl->replica, "b", &table, &err), 0);
	assert_int_equal(names_find_column(table, "Other-C", &column, &err), 0);
	assert_string_equal(column->name, "other_config");
	assert_int_not_equal(names_find_column(table, "_version", &column, &err), 0);
	assert_int_not_equal(names_find_column(table, "", &column, &err), 0);
	assert_non_null(strstr(err.text, "flood_vlans, name, other_config"));

	assert_string_equal(row_string(find(vsctl, "Bridge", "br0"), "name"), "br0");
	assert_ptr_equal(find(vsctl, "Open_vSwitch", "."), vsctl->root);
	table = replica_table(&vsctl->replica, "Queue");
	assert_int_equal(row_integer(find(vsctl, "Queue", "ABCE"), "dscp", -1), 7);
	assert_int_not_equal(names_find_row(vsctl, table, "abc", true, &row, &err), 0);
	assert_int_equal(names_find_row(vsctl, table, "abc", false, &row, &err), 0);
	assert_null(row);
	row_delete(find(vsctl, "Queue", "abce"));
	assert_int_not_equal(names_find_row(vsctl, table, "abce", true, &row, &err), 0);
}

static void
test_arguments(void **state)
{
	struct vsctl *vsctl = *state;
	const struct replica_table *table = replica_table(&vsctl->replica, "Bridge");
	static const char *const bad[] = {"name",       "name=", "name:=x", "nosuch=x",
	                                  "name:\"x=y", "=x",    ""};
	struct column_arg arg;
	struct error err;

	assert_int_equal(names_parse_argument(table, "oth:\"a:=b\"{!=}x=y",
	                                      VALUE_COMPARED, &arg, &err),
	                 0);
	assert_string_equal(arg.column->name, "other_config");
	assert_string_equal(arg.key, "a:=b");
	assert_int_equal(arg.op, OP_SET_NE);
	assert_string_equal(arg.value, "x=y");
	free(arg.key);
	assert_int_equal(
		names_parse_argument(table, "name<=x", VALUE_COMPARED, &arg, &err), 0);
	assert_int_equal(arg.op, OP_LE);
	assert_null(arg.key);
	assert_int_not_equal(
		names_parse_argument(table, "name<=x", VALUE_ASSIGNED, &arg, &err), 0);
	assert_int_not_equal(
		names_parse_argument(table, "name=x", VALUE_NONE, &arg, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_not_equal(
			names_parse_argument(table, bad[i], VALUE_ASSIGNED, &arg, &err),
			0);
}

static void
test_unchanged(void **state)
{
	struct vsctl *vsctl = *state;
	const struct txn_options options = {.wait = true};
	struct row *bridge = find(vsctl, "Bridge", "br0");
	struct error err;
	bool is_changed;
	char *text;

	assert_int_equal(vsctl_set_column(vsctl, bridge, "other_config:k=v", &err), 0);
	assert_false(row_is_dirty(bridge));
	text = built(vsctl, &options, &is_changed);
	assert_false(is_changed);
	free(text);
}

static void
test_update(void **state)
{
	struct vsctl *vsctl = *state;
	const struct txn_options options = {.comment = "c", .dry_run = true};
	struct row *bridge = find(vsctl, "Bridge", "br0");
	struct error err;
	bool is_changed;
	char *text;

	assert_int_equal(vsctl_set_column(vsctl, bridge, "other_config:l=w", &err), 0);
	text = built(vsctl, &options, &is_changed);
	assert_true(is_changed);
	assert_string_equal(
		text,
		"[\"Open_vSwitch\","
		"{\"columns\":[\"other_config\"],\"op\":\"wait\",\"rows\":[{"
		"\"other_config\":[\"map\",[[\"k\",\"v\"]]]}],\"table\":\"Bridge\","
		"\"timeout\":0,\"until\":\"==\",\"where\":[[\"_uuid\",\"==\",[\"uuid\","
		"\"00000000-0000-0000-0000-0000000000b1\"]]]},"
		"{\"op\":\"update\",\"row\":{\"other_config\":[\"map\",[[\"k\",\"v\"],"
		"[\"l\",\"w\"]]]},\"table\":\"Bridge\",\"where\":[[\"_uuid\",\"==\","
		"[\"uuid\",\"00000000-0000-0000-0000-0000000000b1\"]]]},"
		"{\"comment\":\"c\",\"op\":\"comment\"},{\"op\":\"abort\"}]");
	free(text);
	replica_revert(&vsctl->replica);
	assert_false(row_is_dirty(bridge));
	assert_int_equal(row_get(bridge, "other_config")->n, 1);
}

static void
test_read_only(void **state)
{
	struct vsctl *vsctl = *state;
	struct row *bridge = find(vsctl, "Bridge", "br0");
	struct error err;

	assert_int_not_equal(vsctl_set_column(vsctl, bridge, "name=x", &err), 0);
	assert_int_not_equal(vsctl_set_column(vsctl, bridge, "_uuid=x", &err), 0);
	assert_int_not_equal(vsctl_set_column(vsctl, bridge, "flood_vlans:x=1", &err), 0);
	assert_int_not_equal(vsctl_set_column(vsctl, bridge, "flood_vlans=x", &err), 0);
	assert_false(row_is_dirty(bridge));
}

static void
test_insert_and_next_cfg(void **state)
{
	struct vsctl *vsctl = *state;
	const struct txn_options options = {.wait = true};
	struct uuid uuid = uuid_random();
	struct row *bridge = row_insert(replica_table(&vsctl->replica, "Bridge"), &uuid);
	char id[UUID_TEXT_BYTES], name[64], *text;
	struct error err;
	bool is_changed;

	/* A new row may have its immutable columns set. */
	assert_int_equal(vsctl_set_column(vsctl, bridge, "name=br1", &err), 0);
	row_add_ref(vsctl->root, "bridges", bridge);
	text = built(vsctl, &options, &is_changed);
	uuid_to_text(&uuid, id);
	assert_null(strstr(text, id));
	snprintf(name, sizeof(name), "\"uuid-name\":\"row%.8s_", id);
	assert_non_null(strstr(text, name));
	snprintf(name, sizeof(name), "[\"named-uuid\",\"row%.8s_", id);
	assert_non_null(strstr(text, name));
	assert_non_null(strstr(text, "\"mutations\":[[\"next_cfg\",\"+=\",1]]"));
	assert_non_null(strstr(text, "\"columns\":[\"next_cfg\"],\"op\":\"select\""));
	free(text);
	replica_revert(&vsctl->replica);
	assert_null(replica_row(replica_table(&vsctl->replica, "Bridge"), &uuid));
	assert_int_equal(row_get(vsctl->root, "bridges")->n, 1);
}

/* The server deletes rows of tables that are no roots; asking it to is an error. */
static void
test_delete(void **state)
{
	struct vsctl *vsctl = *state;
	const struct txn_options options = {.comment = NULL};
	bool is_changed;
	char *text;

	row_delete(find(vsctl, "Bridge", "br0"));
	text = built(vsctl, &options, &is_changed);
	assert_false(is_changed);
	free(text);
	row_delete(find(vsctl, "Queue", "abcd"));
	text = built(vsctl, &options, &is_changed);
	assert_true(is_changed);
	assert_non_null(strstr(text, "\"op\":\"delete\",\"table\":\"Queue\""));
	assert_null(strstr(text, "\"table\":\"Bridge\""));
	free(text);
}

static void
test_symbols(void **state)
{
	struct vsctl *vsctl = *state;
	struct symbol *symbol = vsctl_symbol(vsctl, "x");
	struct uuid uuid;

	assert_false(symbol->is_referenced);
	assert_true(vsctl_resolve_symbol("@x", &uuid, vsctl));
	assert_true(uuid_equal(&uuid, &symbol->uuid));
	assert_true(symbol->is_referenced);
	assert_ptr_equal(vsctl_symbol(vsctl, "x"), symbol);
	assert_ptr_not_equal(vsctl_symbol(vsctl, "y"), symbol);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_updates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unchanged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_insert_and_next_cfg, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symbols, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
