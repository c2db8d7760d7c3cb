/* datum_test.c - lib/ovsdb: UUIDs, atoms and datums, their JSON and their text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

#define UUID_A "11111111-2222-4333-8444-555555555555"
#define UUID_B "a1111111-2222-4333-8444-555555555555"

static struct ovsdb_schema *schema;

static const struct ovsdb_type *
type_of(const char *table, const char *column)
{
	return &ovsdb_table_column(ovsdb_schema_table(schema, table), column)->type;
}

static void
test_uuid_text(void **state)
{
	char text[UUID_TEXT_BYTES];
	struct uuid a, b;

	(void)state;
	assert_true(uuid_from_text(&a, UUID_A));
	uuid_to_text(&a, text);
	assert_string_equal(text, UUID_A);
	assert_true(uuid_from_text(&b, "A1111111-2222-4333-8444-555555555555"));
	assert_int_equal(uuid_compare(&a, &b), -1);
	assert_int_equal(uuid_compare(&b, &a), 1);
	assert_false(uuid_from_text(&b, UUID_A "0"));
	assert_false(uuid_from_text(&b, "11111111-2222-4333-8444-55555555555"));
	assert_false(uuid_from_text(&b, "11111111-2222-4333-8444-55555555555g"));
	assert_false(uuid_from_text(&b, "1111111112222-4333-8444-555555555555"));
	assert_false(uuid_from_text(&b, ""));
	a = uuid_random();
	b = uuid_random();
	assert_false(uuid_equal(&a, &b));
	uuid_to_text(&a, text);
	assert_int_equal(text[14], '4');
	assert_non_null(strchr("89ab", text[19]));
}

static bool
named(const char *name, struct uuid *uuid, void *aux)
{
	(void)aux;
	if (strcmp(name, "row1") && strcmp(name, "@row1"))
		return false;
	return uuid_from_text(uuid, UUID_B);
}

struct json_case {
	const char *table, *column, *json;
	const char *back; /* NULL: refused */
	int code;         /* if refused */
};

static void
test_json(void **state)
{
	static const struct json_case cases[] = {
		{"Bridge", "name", "\"x\"", "\"x\"", 0},
		{"Bridge", "name", "[\"set\",[\"x\"]]", "\"x\"", 0},
		{"Bridge", "name", "[\"set\",[]]", NULL, -EINVAL},
		{"Bridge", "name", "[\"set\",[\"x\",\"y\"]]", NULL, -EINVAL},
		{"Bridge", "name", "5", NULL, -EINVAL},
		{"Bridge", "name", "null", NULL, -EINVAL},
		{"Bridge", "stp_enable", "true", "true", 0},
		{"Bridge", "stp_enable", "1", NULL, -EINVAL},
		{"Port", "tag", "[\"set\",[]]", "[\"set\",[]]", 0},
		{"Port", "tag", "4095", "4095", 0},
		{"Port", "tag", "7.0", "7", 0},
		{"Port", "tag", "7.5", NULL, -EINVAL},
		{"Port", "tag", "1e30", NULL, -EINVAL},
		{"Port", "tag", "4096", NULL, -ERANGE},
		{"Port", "tag", "-1", NULL, -ERANGE},
		{"Port", "trunks", "[\"set\",[3,1,2]]", "[\"set\",[1,2,3]]", 0},
		{"Port", "trunks", "[\"set\",[3,1,3]]", NULL, -ERANGE},
		{"Port", "vlan_mode", "\"trunk\"", "\"trunk\"", 0},
		{"Port", "vlan_mode", "\"tronk\"", NULL, -ERANGE},
		{"Port", "interfaces", "[\"set\",[]]", NULL, -EINVAL},
		{"Port", "interfaces", "[\"uuid\",\"" UUID_A "\"]",
	         "[\"uuid\",\"" UUID_A "\"]", 0},
		{"Port", "interfaces", "[\"named-uuid\",\"row1\"]",
	         "[\"uuid\",\"" UUID_B "\"]", 0},
		{"Port", "interfaces", "[\"named-uuid\",\"row2\"]", NULL, -EINVAL},
		{"Port", "interfaces", "[\"uuid\",\"1\"]", NULL, -EINVAL},
		{"Port", "interfaces", "[\"uuid\"]", NULL, -EINVAL},
		{"Port", "external_ids", "[\"map\",[[\"b\",\"1\"],[\"a\",\"\"]]]",
	         "[\"map\",[[\"a\",\"\"],[\"b\",\"1\"]]]", 0},
		{"Port", "external_ids", "[\"map\",[[\"b\",\"1\"],[\"b\",\"2\"]]]", NULL,
	         -ERANGE},
		{"Port", "external_ids", "[\"map\",[[\"b\"]]]", NULL, -EINVAL},
		{"Port", "external_ids", "[\"map\",[[\"b\",1]]]", NULL, -EINVAL},
		{"Port", "external_ids", "[\"set\",[]]", NULL, -EINVAL},
		{"Port", "external_ids", "{}", NULL, -EINVAL},
		{"Flow_Table", "prefixes", "[\"set\",[\"a\",\"b\",\"c\",\"d\"]]", NULL,
	         -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct json_case *c = &cases[i];
		const struct ovsdb_type *type = type_of(c->table, c->column);
		json_t *json = json_loads(c->json, JSON_DECODE_ANY, NULL), *back;
		struct error err = {""};
		struct ovsdb_datum datum;
		char *text;
		int rc;

		rc = ovsdb_datum_from_json(&datum, type, json, named, NULL, &err);
		json_decref(json);
		if (rc != c->code)
			fail_msg("%s.%s %s: %d %s", c->table, c->column, c->json, rc,
			         err.text);
		if (rc) {
			assert_true(err.text[0] != '\0');
			continue;
		}
		back = ovsdb_datum_to_json(&datum, type);
		text = json_dumps(back, JSON_COMPACT | JSON_ENCODE_ANY);
		assert_string_equal(text, c->back);
		free(text);
		json_decref(back);
		ovsdb_datum_destroy(&datum, type);
	}
}

struct text_case {
	const char *table, *column, *text;
	const char *back; /* NULL: refused, with 'part' in the reason */
	const char *part;
};

/* Each was tried with ovs-vsctl 3.1 and gave this text or an error. */
static const struct text_case text_cases[] = {
	{"Port", "trunks", "1,2,3", "[1, 2, 3]", 0},
	{"Port", "trunks", "[4 5, 6]", "[4, 5, 6]", 0},
	{"Port", "trunks", "1,2,", "[1, 2]", 0},
	{"Port", "trunks", "7", "[7]", 0},
	{"Port", "trunks", "[]", "[]", 0},
	{"Port", "trunks", "", "[]", 0},
	{"Port", "trunks", "1-5,9", "[1, 2, 3, 4, 5, 9]", 0},
	{"Port", "trunks", "5-1", NULL, "ends before it starts"},
	{"Port", "trunks", "0-9223372036854775807", NULL, "too long"},
	{"Port", "trunks", "1-5000", NULL, "not in the range 0 to 4095"},
	{"Port", "trunks", "1,2,2", NULL, "duplicate"},
	{"Port", "trunks", "[1,2", NULL, "no \"]\""},
	{"Port", "trunks", "1]", NULL, "unexpected \"]\""},
	{"Port", "trunks", "[1]2", NULL, "unexpected \"2\""},
	{"Port", "trunks", "1,,2", NULL, "unexpected \",\""},
	{"Port", "trunks", ",1", NULL, "unexpected \",\""},
	{"Port", "trunks", "{1,2}", NULL, "unexpected \"{\""},
	{"Port", "trunks", "(1)", NULL, "not a valid integer"},
	{"Port", "trunks", "\"1\"", NULL, "not a valid integer"},
	{"Port", "tag", "[5]", "5", 0},
	{"Port", "tag", "5,", "5", 0},
	{"Port", "tag", "[]", "[]", 0},
	{"Port", "tag", "5000", NULL, "5000 is not in the range 0 to 4095"},
	{"Port", "tag", "x", NULL, "\"x\" is not a valid integer"},
	{"Port", "tag", "1,2", NULL, "2 value(s) given"},
	{"Port", "tag", "1-2", NULL, "not a valid integer"},
	{"Port", "vlan_mode", "foo", NULL, "foo is not one of"},
	{"Port", "bond_updelay", "0x10", NULL, "not a valid integer"},
	{"Port", "bond_updelay", "9223372036854775808", NULL, "not a valid"},
	{"Port", "bond_updelay", "1.5", NULL, "not a valid integer"},
	{"Port", "bond_updelay", "+7", "7", 0},
	{"Port", "bond_updelay", "-7", "-7", 0},
	{"Port", "bond_fake_iface", "yes", "true", 0},
	{"Port", "bond_fake_iface", "off", "false", 0},
	{"Port", "bond_fake_iface", "TRUE", NULL, "not a valid boolean"},
	{"Port", "bond_fake_iface", "", NULL, "minimum is 1"},
	{"Port", "qos", UUID_A, UUID_A, 0},
	{"Port", "qos", "@row1", UUID_B, 0},
	{"Port", "qos", "@row2", NULL, "@row2 is not the name of a new row"},
	{"Port", "qos", "1234", NULL, "not a valid UUID"},
	{"Port", "mac", "\"a\\/b\"", "\"a/b\"", 0},
	{"Bridge", "datapath_type", "a", "a", 0},
	{"Bridge", "datapath_type", "a:b", NULL, "unexpected \":\""},
	{"Bridge", "datapath_type", "a b", NULL, "2 value(s) given"},
	{"Bridge", "datapath_type", "[a]", "a", 0},
	{"Bridge", "datapath_type", "{a}", NULL, "unexpected \"{\""},
	{"Bridge", "datapath_type", "\"a b\"", "\"a b\"", 0},
	{"Bridge", "datapath_type", "a\"b\"c", "\"a\\\"b\\\"c\"", 0},
	{"Bridge", "datapath_type", "\"\"", "\"\"", 0},
	{"Bridge", "datapath_type", " x ", "x", 0},
	{"Bridge", "datapath_type", "true", "\"true\"", 0},
	{"Bridge", "datapath_type", "TRUE", "TRUE", 0},
	{"Bridge", "datapath_type", "1e5", "\"1e5\"", 0},
	{"Bridge", "datapath_type", "-x", "\"-x\"", 0},
	{"Bridge", "datapath_type", "_ok.1-x", "_ok.1-x", 0},
	{"Bridge", "datapath_type", UUID_B, "\"" UUID_B "\"", 0},
	{"Bridge", "datapath_type", "a1111111-2222", "a1111111-2222", 0},
	{"Bridge", "datapath_type", "a\\b", "\"a\\\\b\"", 0},
	{"Bridge", "datapath_type", "\xc3\xa9", "\"\xc3\xa9\"", 0},
	{"Bridge", "datapath_type", "\xc3", NULL, "not valid UTF-8"},
	{"Bridge", "datapath_type", "\"\\u00e9\\n\\u0001\"", "\"\xc3\xa9\\n\\u0001\"", 0},
	{"Bridge", "datapath_type", "\"\\q\"", NULL, "bad quoted string"},
	{"Bridge", "datapath_type", "\"a", NULL, "quoted string has no end"},
	{"Bridge", "datapath_type", "a\"b", NULL, "quoted string has no end"},
	{"Bridge", "external_ids", "{a=b,c=d}", "{a=b, c=d}", 0},
	{"Bridge", "external_ids", "a=b c=5", "{a=b, c=\"5\"}", 0},
	{"Bridge", "external_ids", "{ a=b , }", "{a=b}", 0},
	{"Bridge", "external_ids", "\"a b\"=\"c d\", e = f", "{\"a b\"=\"c d\", e=f}", 0},
	{"Bridge", "external_ids", "a=\"\"", "{a=\"\"}", 0},
	{"Bridge", "external_ids", "{}", "{}", 0},
	{"Bridge", "external_ids", "[a=b]", NULL, "unexpected \"[\""},
	{"Bridge", "external_ids", "{a}", NULL, "followed by \"=\""},
	{"Bridge", "external_ids", "{a=b:c}", NULL, "unexpected \":\""},
	{"Bridge", "external_ids", "a=b=c", NULL, "unexpected \"=\""},
	{"Bridge", "external_ids", "a=", NULL, "unexpected end"},
	{"Bridge", "external_ids", "{a=b,a=c}", NULL, "duplicate key"},
	{"Port", "statistics", "{a=5,b=6}", "{a=5, b=6}", 0},
	{"Port", "statistics", "{a=5-6}", NULL, "not a valid integer"},
};

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(text_cases); i++) {
		const struct text_case *c = &text_cases[i];
		const struct ovsdb_type *type = type_of(c->table, c->column);
		struct error err = {""};
		struct str out = STR_INIT;
		struct ovsdb_datum datum;
		int rc;

		rc = ovsdb_datum_from_text(&datum, type, c->text, named, NULL, &err);
		if (!c->back) {
			if (!rc || !strstr(err.text, c->part))
				fail_msg("%s=%s: %d %s", c->column, c->text, rc,
				         err.text);
			continue;
		}
		if (rc)
			fail_msg("%s=%s: %s", c->column, c->text, err.text);
		ovsdb_datum_to_text(&datum, type, &out);
		assert_string_equal(str_text(&out), c->back);
		str_free(&out);
		ovsdb_datum_destroy(&datum, type);
	}
}

static void
test_atom_text_takes_the_rest_as_it_is(void **state)
{
	const struct ovsdb_base_type *base = &type_of("Bridge", "external_ids")->value;
	union ovsdb_atom atom;

	(void)state;
	assert_int_equal(ovsdb_atom_from_text(&atom, base, "x=y:z, [", NULL, NULL, NULL),
	                 0);
	assert_string_equal(atom.string, "x=y:z, [");
	ovsdb_atom_destroy(&atom, OVSDB_STRING);
	assert_int_equal(ovsdb_atom_from_text(&atom, base, "\"a b\" ", NULL, NULL, NULL),
	                 -EINVAL);
	assert_int_equal(ovsdb_atom_from_text(&atom, base, "", NULL, NULL, NULL),
	                 -EINVAL);
}

static char *
diff_text(const char *column, const char *old_text, const char *new_text)
{
	const struct ovsdb_type *type = type_of("Port", column);
	struct ovsdb_datum old, new, diff;
	struct str out = STR_INIT;

	assert_int_equal(ovsdb_datum_from_text(&old, type, old_text, 0, 0, 0), 0);
	assert_int_equal(ovsdb_datum_from_text(&new, type, new_text, 0, 0, 0), 0);
	ovsdb_datum_diff(&diff, &old, &new, type);
	ovsdb_datum_to_text(&diff, type, &out);
	ovsdb_datum_destroy(&old, type);
	ovsdb_datum_destroy(&new, type);
	ovsdb_datum_destroy(&diff, type);
	return str_steal(&out);
}

static void
test_diff(void **state)
{
	static const char *const cases[][4] = {
		{"trunks", "1,2,3", "2,3,4,5", "[1, 4, 5]"},
		{"trunks", "", "2", "[2]"},
		{"trunks", "2", "", "[2]"},
		{"external_ids", "a=1,b=2,c=3", "b=2,c=4,d=5",
	         "{a=\"1\", c=\"4\", d=\"5\"}"},
		{"tag", "5", "6", "6"},
		{"tag", "5", "[]", "[]"},
		{"bond_updelay", "5", "6", "6"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = diff_text(cases[i][0], cases[i][1], cases[i][2]);

		assert_string_equal(text, cases[i][3]);
		free(text);
	}
}

static void
test_default_clone_hash_and_removal(void **state)
{
	const struct ovsdb_type *name = type_of("Bridge", "name");
	const struct ovsdb_type *ids = type_of("Bridge", "external_ids");
	struct ovsdb_datum a, b;
	union ovsdb_atom key = {.string = (char[]){"b"}};

	(void)state;
	ovsdb_datum_init_default(&a, name);
	assert_string_equal(a.keys[0].string, "");
	assert_true(ovsdb_datum_is_default(&a, name));
	ovsdb_datum_destroy(&a, name);

	assert_int_equal(ovsdb_datum_from_text(&a, ids, "a=1,b=2,c=3", 0, 0, 0), 0);
	assert_false(ovsdb_datum_is_default(&a, ids));
	ovsdb_datum_clone(&b, &a, ids);
	assert_int_equal(ovsdb_datum_compare(&a, &b, ids), 0);
	assert_int_equal(ovsdb_datum_hash(&a, ids, 1), ovsdb_datum_hash(&b, ids, 1));
	assert_int_equal(ovsdb_datum_find(&b, &key, OVSDB_STRING), 1);
	ovsdb_datum_remove(&b, ids, 1);
	assert_int_equal(ovsdb_datum_find(&b, &key, OVSDB_STRING), -1);
	assert_string_equal(b.values[1].string, "3");
	assert_int_not_equal(ovsdb_datum_compare(&a, &b, ids), 0);
	ovsdb_datum_append(&b, ids, &key, &key);
	assert_int_equal(ovsdb_datum_sort(&b, ids, NULL), 0);
	assert_string_equal(b.values[1].string, "b");
	assert_int_not_equal(ovsdb_datum_compare(&a, &b, ids), 0);
	ovsdb_datum_destroy(&a, ids);
	ovsdb_datum_destroy(&b, ids);
}

static int
set_up(void **state)
{
	json_t *json = json_loads(ovsdb_schema_text(), 0, NULL);
	int rc = ovsdb_schema_from_json(json, &schema, NULL);

	(void)state;
	json_decref(json);
	return rc;
}

static int
tear_down(void **state)
{
	(void)state;
	ovsdb_schema_destroy(schema);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_atom_text_takes_the_rest_as_it_is),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_default_clone_hash_and_removal),
	};

	return cmocka_run_group_tests_name("datum", tests, set_up, tear_down);
}
