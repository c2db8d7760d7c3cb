/* top_test.c - utilities/top_data, top_view: reading answers of the daemon, order,
 * filter, collapsed subtrees, selection and lines of text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "utilities/top_view.h"

/* Two ports: vh0 with classes 1 (10, 20 below it) and 2, vh1 with class 0 only. */
static const char two_ports[] =
	"{\"time_ns\": 5, \"ports\": ["
	"{\"port\": \"vh1\", \"type\": \"linux-htb\", \"time_ns\": 5, \"classes\": ["
	" {\"number\": null, \"parent\": null, \"ceil_bps\": 1000000000},"
	" {\"number\": 0, \"parent\": null}]},"
	"{\"port\": \"vh0\", \"type\": \"linux-htb\", \"time_ns\": 1000, \"classes\": ["
	" {\"number\": null, \"parent\": null, \"ceil_bps\": 100000000, \"rates\":"
	"  {\"span_ns\": 1, \"sent_bps\": 70000000}},"
	" {\"number\": 20, \"parent\": 1, \"floor_bps\": 20000000, \"rates\":"
	"  {\"span_ns\": 1, \"sent_bps\": 50000000, \"borrowed_bps\": 30000000},"
	"  \"state\": {\"name\": \"borrowing\", \"class\": 1}},"
	" {\"number\": 1, \"parent\": null, \"inner\": true, \"rates\":"
	"  {\"span_ns\": 1, \"sent_bps\": 60000000}, \"state\": {\"name\": \"below\"}},"
	" {\"number\": 10, \"parent\": 1, \"ceil_bps\": 10000000, \"rates\":"
	"  {\"span_ns\": 1, \"sent_bps\": 10000000, \"dropped_pps\": 7},"
	"  \"queued_packets\": 12, \"delay_ns\": {\"queue\": {\"samples\": 3,"
	"  \"p50\": 1000000, \"p99\": 2500000}}, \"state\": {\"name\": \"own_ceiling\","
	"  \"in_ns\": 99}},"
	" {\"number\": 2, \"parent\": null, \"rates\": {\"span_ns\": 1, \"sent_bps\": "
	"10000000}, \"state\": {\"name\": \"ancestor_ceiling\", \"class\": \"root\"}}]}]}";

static struct top_snapshot *
parse(const char *text)
{
	struct error err = {""};
	struct top_snapshot *snapshot = top_snapshot_parse(text, &err);

	if (!snapshot)
		fail_msg("%s", err.text);
	return snapshot;
}

/* The names of all rows, in order, as "vh0 1 10". */
static void
assert_rows(const struct top_view *view, const char *expected)
{
	struct str got = STR_INIT;

	for (size_t i = 0; i < view->n_rows; i++) {
		const struct top_row *row = &view->rows[i];
		uint32_t number = row->port->classes[row->class].number;

		if (number == TOP_ROOT)
			str_printf(&got, "%s%s", i ? " " : "", row->port->name);
		else
			str_printf(&got, "%s%u", i ? " " : "", number);
	}
	assert_string_equal(str_text(&got), expected);
	str_free(&got);
}

static void
test_answer_is_read(void **state)
{
	struct top_snapshot *snapshot = parse(two_ports);
	const struct top_port *port = top_snapshot_find(snapshot, "vh0");
	const struct top_class *class;

	(void)state;
	assert_int_equal(snapshot->n, 2);
	assert_string_equal(snapshot->ports[0].name, "vh0");
	assert_int_equal(port->n, 5);
	assert_int_equal(port->classes[0].number, TOP_ROOT);
	class = &port->classes[top_port_find(port, 10)];
	assert_int_equal(class->depth, 2);
	assert_int_equal(port->classes[class->parent_index].number, 1);
	assert_true(class->p99_ns == 2500000 && class->dropped_pps == 7);
	assert_string_equal(class->state, "at its ceiling");
	class = &port->classes[top_port_find(port, 20)];
	assert_string_equal(class->state, "borrows from 1");
	assert_true(class->p50_ns < 0);
	class = &port->classes[top_port_find(port, 2)];
	assert_string_equal(class->state, "ceiling of root");
	assert_int_equal(top_port_find(port, 3), TOP_NONE);
	assert_null(top_snapshot_find(snapshot, "vh2"));
	top_snapshot_destroy(snapshot);
}

/* Nothing that a daemon may answer does harm. */
static void
test_odd_answers(void **state)
{
	static const char *const odd[] = {
		"{}",
		"[]",
		"[1]",
		"{\"ports\": 3}",
		"{\"ports\": [1, {}, null]}",
		"{\"port\": \"p\", \"classes\": [1]}",
		"{\"port\": \"p\", \"classes\": [{\"number\": -1, \"sent_bytes\": -5}]}",
		"{\"port\": \"p\", \"classes\": [{\"number\": 1, \"parent\": 2},"
		"{\"number\": 2, \"parent\": 1}, {\"number\": 3, \"parent\": 3},"
		"{\"number\": 3, \"parent\": 9}, {\"number\": null}, {\"number\": null}]}",
		"{\"port\": \"p\\n\\u00e9\", \"classes\": [{\"number\": 1, \"state\":"
		"{\"name\": 7, \"class\": []}, \"rates\": [], \"delay_ns\": 1}]}",
	};
	struct top_view view;
	struct error err;
	char line[TOP_LINE_BYTES];

	(void)state;
	assert_null(top_snapshot_parse("nonsense", &err));
	assert_null(top_snapshot_parse("", &err));
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct top_snapshot *snapshot = parse(odd[i]);

		top_view_init(&view);
		top_view_update(&view, snapshot);
		for (size_t row = 0; row < view.n_rows; row++) {
			top_view_format(&view.rows[row], 120, line);
			for (const char *c = line; *c; c++)
				assert_in_range(*c, ' ', '~');
		}
		top_view_destroy(&view);
		top_snapshot_destroy(snapshot);
	}
}

static void
test_rates_from_counters(void **state)
{
	static const char *const text =
		"{\"port\": \"p\", \"time_ns\": %d000000000, \"classes\": [{\"number\": 1,"
		" \"sent_bytes\": %d, \"dropped_packets\": %d}]}";
	struct top_snapshot *old, *new;
	struct str json = STR_INIT;
	const struct top_class *class;

	(void)state;
	str_printf(&json, text, 1, 1000, 5);
	old = parse(str_text(&json));
	str_clear(&json);
	str_printf(&json, text, 3, 3000, 15);
	new = parse(str_text(&json));
	class = &new->ports[0].classes[1];
	assert_true(class->sent_bps < 0);
	top_snapshot_compare(new, old);
	assert_true(class->sent_bps == 8000 && class->dropped_pps == 5);
	/* Counters that went back are of another class. */
	top_snapshot_compare(old, new);
	assert_true(old->ports[0].classes[1].sent_bps < 0);
	top_snapshot_destroy(old);
	top_snapshot_destroy(new);
	str_free(&json);
}

static void
test_order(void **state)
{
	struct top_snapshot *snapshot = parse(two_ports);
	struct top_view view;

	(void)state;
	top_view_init(&view);
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 10 20 2 vh1 0");
	view.sort = TOP_BY_RATE;
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 20 10 2 vh1 0");
	view.sort = TOP_BY_DROPS;
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 10 20 2 vh1 0");
	view.sort = TOP_BY_NAME;
	view.is_reversed = true;
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh1 0 vh0 2 1 20 10");
	view.is_reversed = false;
	view.is_flat = true;
	view.sort = TOP_BY_RATE;
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 20 2 10 vh1 0");
	view.sort = TOP_BY_DELAY;
	top_view_update(&view, snapshot);
	assert_rows(&view, "10 vh0 1 2 20 vh1 0");
	top_view_destroy(&view);
	top_snapshot_destroy(snapshot);
}

static void
test_filter_keeps_ancestors(void **state)
{
	struct top_snapshot *snapshot = parse(two_ports);
	struct top_view view;

	(void)state;
	top_view_init(&view);
	strcpy(view.filter, "20");
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 20");
	strcpy(view.filter, "BORROWS");
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 20");
	view.is_flat = true;
	top_view_update(&view, snapshot);
	assert_rows(&view, "20");
	view.is_flat = false;
	strcpy(view.filter, "vh1");
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh1 0");
	strcpy(view.filter, "no such");
	top_view_update(&view, snapshot);
	assert_rows(&view, "");
	top_view_move(&view, 5, 10);
	top_view_move(&view, -5, 10);
	assert_false(top_view_toggle(&view));
	top_view_destroy(&view);
	top_snapshot_destroy(snapshot);
}

static void
test_collapse(void **state)
{
	struct top_snapshot *snapshot = parse(two_ports);
	struct top_view view;

	(void)state;
	top_view_init(&view);
	top_view_update(&view, snapshot);
	top_view_move(&view, 1, 10);
	assert_true(top_view_toggle(&view));
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 2 vh1 0");
	assert_int_equal(view.rows[1].n_hidden, 2);
	/* It stays so with the next snapshot. */
	top_snapshot_destroy(snapshot);
	snapshot = parse(two_ports);
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 2 vh1 0");
	assert_int_equal(view.selected, 1);
	assert_true(top_view_toggle(&view));
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 10 20 2 vh1 0");
	top_view_move(&view, 1, 10);
	assert_false(top_view_toggle(&view)); /* a leaf */
	top_view_collapse_all(&view, snapshot, true);
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 1 2 vh1 0");
	top_view_collapse_all(&view, snapshot, false);
	top_view_move(&view, -10, 10);
	assert_true(top_view_toggle(&view)); /* a port */
	top_view_update(&view, snapshot);
	assert_rows(&view, "vh0 vh1 0");
	assert_int_equal(view.rows[0].n_hidden, 4);
	top_view_destroy(&view);
	top_snapshot_destroy(snapshot);
}

static void
test_selection_follows_its_class(void **state)
{
	struct top_snapshot *snapshot = parse(two_ports);
	struct top_view view;

	(void)state;
	top_view_init(&view);
	top_view_update(&view, snapshot);
	top_view_move(&view, 3, 2);
	assert_int_equal(view.selected_number, 20);
	assert_int_equal(view.top, 2);
	view.sort = TOP_BY_RATE;
	top_view_update(&view, snapshot);
	assert_int_equal(view.selected, 2);
	top_view_move(&view, 100, 3);
	assert_int_equal(view.selected, 6);
	assert_int_equal(view.top, 4);
	top_view_move(&view, -100, 3);
	assert_int_equal(view.selected, 0);
	assert_int_equal(view.top, 0);
	/* The first row stays the first, unless its class is pinned. */
	view.sort = TOP_BY_DELAY;
	view.is_flat = true;
	top_view_update(&view, snapshot);
	assert_int_equal(view.selected_number, 10);
	view.is_pinned = true;
	view.sort = TOP_BY_RATE;
	top_view_update(&view, snapshot);
	assert_int_equal(view.selected_number, 10);
	assert_int_equal(view.selected, 4);
	/* A larger screen shows all. */
	top_view_move(&view, 6, 3);
	top_view_move(&view, 0, 20);
	assert_int_equal(view.top, 0);
	top_view_destroy(&view);
	top_snapshot_destroy(snapshot);
}

/* The bar of a line: 'floor' and 'rate' as shares of the ceiling. */
static void
assert_bar(const char *line, double floor, double rate)
{
	const char *bar = strchr(line, '[') + 1;
	double width = (double)(strchr(bar, ']') - bar);
	double within = (double)strspn(bar, "=|"), above;

	above = (double)strspn(bar + (size_t)within, "#");
	assert_true(within >= floor * width - 1 && within <= floor * width + 1);
	assert_true(within + above >= rate * width - 1);
	assert_true(within + above <= rate * width + 1);
	assert_int_equal(strspn(bar + (size_t)(within + above), "."),
	                 (int)(width - within - above));
	if (floor > 0)
		assert_int_equal(bar[(size_t)within - 1], '|');
}

static void
test_lines(void **state)
{
	struct top_snapshot *snapshot = parse(two_ports);
	char line[TOP_LINE_BYTES], header[TOP_LINE_BYTES];
	struct top_view view;

	(void)state;
	top_view_init(&view);
	top_view_update(&view, snapshot);
	for (size_t width = 1; width < TOP_LINE_BYTES; width++) {
		top_view_format_header(width, header);
		assert_int_equal(strlen(header), width);
		for (size_t i = 0; i < view.n_rows; i++) {
			top_view_format(&view.rows[i], width, line);
			assert_int_equal(strlen(line), width);
		}
	}
	/* Class 20: 50 of 100 Mbit/s, its floor is 20. */
	top_view_format(&view.rows[3], 150, line);
	assert_non_null(strstr(line, "    class 20"));
	assert_bar(line, 0.2, 0.5);
	assert_non_null(strstr(line, " 50.0M    20.0M        -    30.0M "));
	assert_non_null(strstr(line, "borrows from 1"));
	/* Class 10 is full, and drops. */
	top_view_format(&view.rows[2], 150, line);
	assert_bar(line, 0, 1);
	assert_non_null(strstr(line, "1.00ms  2.50ms"));
	assert_int_equal(top_view_tone(&view.rows[2]), TOP_TONE_DROPS);
	assert_int_equal(top_view_tone(&view.rows[3]), TOP_TONE_BORROWS);
	assert_int_equal(top_view_tone(&view.rows[0]), TOP_TONE_PORT);
	assert_int_equal(top_view_tone(&view.rows[4]), TOP_TONE_WAITS);
	assert_int_equal(top_view_tone(&view.rows[6]), TOP_TONE_IDLE);
	top_view_destroy(&view);
	top_snapshot_destroy(snapshot);
}

static void
test_ten_thousand_classes(void **state)
{
	struct str json = STR_INIT;
	struct top_snapshot *snapshot;
	struct top_view view;

	(void)state;
	str_append(&json, "{\"port\": \"p\", \"classes\": [{\"number\": null}");
	for (unsigned i = 1; i <= 10000; i++)
		str_printf(&json, ",{\"number\": %u, \"parent\": %u, \"sent_bytes\": %u}",
		           i, i <= 100 ? 0 : i % 100 + 1, i);
	str_append(&json, "]}");
	snapshot = parse(str_text(&json));
	top_view_init(&view);
	view.sort = TOP_BY_RATE;
	top_view_update(&view, snapshot);
	assert_int_equal(view.n_rows, 10001);
	strcpy(view.filter, "9999");
	top_view_update(&view, snapshot);
	assert_rows(&view, "p 100 9999");
	top_view_destroy(&view);
	top_snapshot_destroy(snapshot);
	str_free(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_is_read),
		cmocka_unit_test(test_odd_answers),
		cmocka_unit_test(test_rates_from_counters),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_filter_keeps_ancestors),
		cmocka_unit_test(test_collapse),
		cmocka_unit_test(test_selection_follows_its_class),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_ten_thousand_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
