/* metrics_test.c - the page for Prometheus: its grammar, its values, in pieces of any
 * size. That it is served is for tests/system/test_explain.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_datapath.h"
#include "vswitchd/metrics.h"

static struct running running;

/* A port whose name needs every kind of care, with a tree of two classes. */
static int
setup(void **state)
{
	static const struct dp_class_config classes[] = {
		{.number = 0, .parent = DP_CLASS_ROOT, .floor_bps = 8000},
		{.number = 2, .parent = 0},
	};
	const struct dp_bridge_config bridge = {.name = "br0"};
	const struct dp_qos_config qos = {.kind = DP_QOS_TREE,
	                                  .rate_bps = 1000000,
	                                  .classes = classes,
	                                  .n_classes = 2};
	struct dp_port_config port = {.name = "a\"b\\c\nd", .type = DP_PORT_DUMMY};
	struct dp_config config = {.max_sleep_us = 0};
	struct error err;
	uint32_t id;

	(void)state;
	fake_datapath_reset();
	running_init(&running);
	assert_int_equal(dp_start(&config, &err), 0);
	running.is_started = true;
	assert_int_equal(dp_bridge_add(&bridge, &port.bridge_id, &err), 0);
	assert_int_equal(dp_port_add(&port, &id, &err), 0);
	assert_int_equal(dp_port_set_qos(id, &qos, &err), 0);
	running_add_port(&running, id, "br0", &port);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	running_destroy(&running);
	fake_datapath_reset();
	return 0;
}

static char *
page_text(size_t piece_bytes)
{
	struct metrics_page *page = metrics_page_create(&running);
	struct str all = STR_INIT, piece = STR_INIT;
	bool more;

	do {
		more = metrics_page_write(page, piece_bytes, &piece);
		assert_true(!more || piece.length > 0);
		str_append(&all, str_text(&piece));
		str_clear(&piece);
	} while (more);
	metrics_page_destroy(page);
	str_free(&piece);
	return str_steal(&all);
}

static void
assert_has_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	assert_non_null(found);
	assert_true(found == text || found[-1] == '\n');
	assert_int_equal(found[strlen(line)], '\n');
}

#define LABEL "port=\"a\\\"b\\\\c\\nd\""

static void
test_values_and_labels(void **state)
{
	char *text = page_text(1 << 20);

	(void)state;
	assert_has_line(text, "# TYPE weir_qos_class_sent_bytes_total counter");
	assert_has_line(text,
	                "weir_qos_class_sent_bytes_total{" LABEL ",class=\"2\"} 300");
	assert_has_line(text,
	                "weir_qos_class_sent_bytes_total{" LABEL ",class=\"root\"} 0");
	/* Bits per second are shown as bytes. */
	assert_has_line(text, "weir_qos_class_floor_bytes_per_second{" LABEL
	                      ",class=\"0\"} 1000");
	assert_has_line(text, "weir_qos_class_drops_total{" LABEL
	                      ",class=\"2\",reason=\"codel\"} 0");
	assert_has_line(text, "# TYPE weir_qos_overload_seconds_total counter");
	assert_has_line(text, "weir_qos_overload_seconds_total{" LABEL "} 0.000000005");
	free(text);
}

static void
test_histogram(void **state)
{
	char *text = page_text(1 << 20);

	(void)state;
	assert_has_line(text, "# TYPE weir_qos_class_delay_seconds histogram");
	assert_has_line(text, "weir_qos_class_delay_seconds_bucket{" LABEL
	                      ",class=\"2\",part=\"queue\",le=\"4.096e-06\"} 0");
	assert_has_line(text, "weir_qos_class_delay_seconds_bucket{" LABEL
	                      ",class=\"2\",part=\"queue\",le=\"1.6384e-05\"} 1");
	assert_has_line(text, "weir_qos_class_delay_seconds_bucket{" LABEL
	                      ",class=\"2\",part=\"queue\",le=\"+Inf\"} 7");
	assert_has_line(text, "weir_qos_class_delay_seconds_sum{" LABEL
	                      ",class=\"2\",part=\"queue\"} 4.003000000");
	assert_has_line(text, "weir_qos_class_delay_seconds_count{" LABEL
	                      ",class=\"2\",part=\"queue\"} 7");
	/* Nothing was seen of the ring. */
	assert_null(strstr(text, "part=\"ring\""));
	free(text);
}

static void
test_type_comes_once_and_first(void **state)
{
	char *text = page_text(1 << 20), *rest = text, *line;

	(void)state;
	while ((line = strsep(&rest, "\n"))) {
		char name[80];

		if (sscanf(line, "# TYPE %79s", name) != 1)
			continue;
		assert_true(!rest || !strstr(rest, "# TYPE ") ||
		            strncmp(strstr(rest, "# TYPE ") + 7, name, strlen(name)) ||
		            strstr(rest, "# TYPE ")[7 + strlen(name)] != ' ');
		assert_true(rest && !strncmp(rest, name, strlen(name)));
	}
	free(text);
}

static void
test_pieces_make_the_same_page(void **state)
{
	char *whole = page_text(1 << 20);

	(void)state;
	for (size_t bytes = 1; bytes < 5000; bytes = bytes * 3 + 1) {
		char *text = page_text(bytes);

		assert_string_equal(text, whole);
		free(text);
	}
	free(whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values_and_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_histogram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_type_comes_once_and_first, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_pieces_make_the_same_page, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
