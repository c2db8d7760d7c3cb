/* vsctl_table_test.c - set arithmetic on values, and tables in every format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "utilities/table.h"
#include "utilities/value.h"

static const struct ovsdb_type string_set = {
	.key = {.kind = OVSDB_STRING, .max_length = UINT32_MAX},
	.value = {.kind = OVSDB_VOID},
	.n_max = OVSDB_UNLIMITED};
static const struct ovsdb_type string_map = {
	.key = {.kind = OVSDB_STRING, .max_length = UINT32_MAX},
	.value = {.kind = OVSDB_STRING, .max_length = UINT32_MAX},
	.n_max = OVSDB_UNLIMITED};
static const struct ovsdb_type integer_set = {.key = {.kind = OVSDB_INTEGER,
                                                      .min_integer = INT64_MIN,
                                                      .max_integer = INT64_MAX},
                                              .value = {.kind = OVSDB_VOID},
                                              .n_max = OVSDB_UNLIMITED};

static struct ovsdb_datum
value(const struct ovsdb_type *type, const char *text)
{
	struct ovsdb_datum datum;
	struct error err = {""};

	if (ovsdb_datum_from_text(&datum, type, text, NULL, NULL, &err))
		fail_msg("%s: %s", text, err.text);
	return datum;
}

static void
assert_value(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
             const char *text)
{
	struct str out = STR_INIT;

	ovsdb_datum_to_text(datum, type, &out);
	assert_string_equal(str_text(&out), text);
	str_free(&out);
}

static void
test_add_and_remove(void **state UNUSED)
{
	struct ovsdb_type keys_only = string_map;
	struct ovsdb_datum map = value(&string_map, "b=1,d=2");
	struct ovsdb_datum more = value(&string_map, "a=3,d=4,e=5");
	struct ovsdb_datum pair = value(&string_map, "a=9,e=5"), keys;

	keys_only.value.kind = OVSDB_VOID;
	keys = value(&keys_only, "b,zz");
	value_add(&map, &more, &string_map);
	assert_value(&map, &string_map, "{a=\"3\", b=\"1\", d=\"4\", e=\"5\"}");
	value_remove(&map, &string_map, &pair, &string_map);
	assert_value(&map, &string_map, "{a=\"3\", b=\"1\", d=\"4\"}");
	value_remove(&map, &string_map, &keys, &keys_only);
	assert_value(&map, &string_map, "{a=\"3\", d=\"4\"}");
	ovsdb_datum_destroy(&map, &string_map);
	ovsdb_datum_destroy(&more, &string_map);
	ovsdb_datum_destroy(&pair, &string_map);
	ovsdb_datum_destroy(&keys, &keys_only);
}

static void
test_references(void **state UNUSED)
{
	struct ovsdb_type type = {.key = {.kind = OVSDB_UUID},
	                          .value = {.kind = OVSDB_VOID},
	                          .n_max = OVSDB_UNLIMITED};
	struct ovsdb_datum set = {0, NULL, NULL};
	struct uuid a = uuid_random(), b = uuid_random();

	value_add_uuid(&set, &a);
	value_add_uuid(&set, &b);
	value_add_uuid(&set, &a);
	assert_int_equal(set.n, 2);
	assert_true(uuid_compare(&set.keys[0].uuid, &set.keys[1].uuid) < 0);
	value_remove_uuid(&set, &a);
	value_remove_uuid(&set, &a);
	assert_int_equal(set.n, 1);
	assert_true(uuid_equal(&set.keys[0].uuid, &b));
	ovsdb_datum_destroy(&set, &type);
}

static void
test_compare(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		int order;
		size_t common;
	} cases[] = {
		{"1,2", "1,2", 0, 2}, {"9", "1,2", -1, 0}, {"1,3", "1,2", 1, 1},
		{"[]", "[]", 0, 0},   {"[]", "1", -1, 0},  {"-5", "3", -1, 0},
		{"1,2,3", "2", 1, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ovsdb_datum a = value(&integer_set, cases[i].a);
		struct ovsdb_datum b = value(&integer_set, cases[i].b);
		int order = value_compare(&a, &b, &integer_set);

		assert_int_equal((order > 0) - (order < 0), cases[i].order);
		assert_int_equal(value_count_common(&a, &b, &integer_set),
		                 cases[i].common);
		ovsdb_datum_destroy(&a, &integer_set);
		ovsdb_datum_destroy(&b, &integer_set);
	}
}

/* Two rows: a map and a set of strings; the second row is empty. */
static struct table *
sample(void)
{
	struct table *table = table_create(2);
	struct ovsdb_datum map = value(&string_map, "k=\"a,\\\"<\",\"l m\"=n");
	struct ovsdb_datum set = value(&string_set, "x,y");
	struct ovsdb_datum none = {0, NULL, NULL};

	table_set_heading(table, 0, "map");
	table_set_heading(table, 1, "set");
	table_add(table, &map, &string_map);
	table_add(table, &set, &string_set);
	table_add(table, &none, &string_map);
	table_add(table, &none, &string_set);
	ovsdb_datum_destroy(&map, &string_map);
	ovsdb_datum_destroy(&set, &string_set);
	return table;
}

static void
assert_printed(const struct table_style *style, bool is_first, const char *text)
{
	struct table *table = sample();
	struct str out = STR_INIT;

	table_print(table, style, is_first, &out);
	assert_string_equal(str_text(&out), text);
	str_free(&out);
	table_destroy(table);
}

static void
test_list(void **state UNUSED)
{
	struct table_style style = {.format = TABLE_FORMAT_LIST};

	assert_printed(&style, true,
	               "map                 : {k=\"a,\\\"<\", \"l m\"=n}\n"
	               "set                 : [x, y]\n"
	               "\n"
	               "map                 : {}\n"
	               "set                 : []\n");
	style.cells = CELL_BARE;
	style.no_headings = true;
	assert_printed(&style, false, "\nk=a,\"< l m=n\nx y\n\n\n\n");
}

static void
test_aligned(void **state UNUSED)
{
	struct table_style style = {.format = TABLE_FORMAT_TABLE};

	assert_printed(&style, true,
	               "map                  set\n"
	               "-------------------- ------\n"
	               "{k=\"a,\\\"<\", \"l m\"=n} [x, y]\n"
	               "{}                   []\n");
	style.max_column_width = 4;
	style.no_headings = true;
	assert_printed(&style, true, "{k=\" [x,\n{}   []\n");
	style.cells = CELL_BARE;
	assert_printed(&style, true, "k=a, x y\n\n");
}

static void
test_csv(void **state UNUSED)
{
	struct table_style style = {.format = TABLE_FORMAT_CSV};

	assert_printed(&style, false,
	               "\nmap,set\n\"{k=\"\"a,\\\"\"<\"\", \"\"l m\"\"=n}\",\"[x, y]\"\n"
	               "{},[]\n");
}

static void
test_json(void **state UNUSED)
{
	struct table_style style = {.format = TABLE_FORMAT_JSON};

	assert_printed(&style, false,
	               "{\"data\":[[[\"map\",[[\"k\",\"a,\\\"<\"],[\"l m\",\"n\"]]],"
	               "[\"set\",[\"x\",\"y\"]]],[[\"map\",[]],[\"set\",[]]]],"
	               "\"headings\":[\"map\",\"set\"]}\n");
}

static void
test_html(void **state UNUSED)
{
	struct table_style style = {.format = TABLE_FORMAT_HTML, .no_headings = true};

	assert_printed(&style, false,
	               "<table border=1>\n"
	               "  <tr>\n"
	               "    <td>{k=&quot;a,\\&quot;&lt;&quot;, &quot;l "
	               "m&quot;=n}</td>\n"
	               "    <td>[x, y]</td>\n"
	               "  </tr>\n"
	               "  <tr>\n"
	               "    <td>{}</td>\n"
	               "    <td>[]</td>\n"
	               "  </tr>\n"
	               "</table>\n");
}

static void
test_names_of_formats(void **state UNUSED)
{
	struct table_style style = {.format = TABLE_FORMAT_LIST};
	struct error err;

	assert_int_equal(table_parse_format("json", &style, &err), 0);
	assert_int_equal(style.format, TABLE_FORMAT_JSON);
	assert_int_not_equal(table_parse_format("yaml", &style, &err), 0);
	assert_string_equal(err.text, "unknown output format \"yaml\"");
	assert_int_equal(style.format, TABLE_FORMAT_JSON);
	assert_int_equal(table_parse_cells("bare", &style, &err), 0);
	assert_int_equal(style.cells, CELL_BARE);
	assert_int_not_equal(table_parse_cells("", &style, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_remove),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_aligned),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_names_of_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
