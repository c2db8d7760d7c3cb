/* simulate_test.c - utilities/simulate_*, units: trees and loads are read strictly, and
 * what comes out is what floors, ceilings and weights promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "utilities/simulate_report.h"
#include "utilities/simulate_run.h"
#include "utilities/simulate_source.h"
#include "utilities/units.h"

#define TREE                                          \
	"link 10G # of the test\n"                    \
	"class 1 min-rate 6G\n"                       \
	"class 10 parent 1 min-rate 2G max-rate 4G\n" \
	"class 11 parent 1 min-rate 1G\n"             \
	"\n"                                          \
	"class 2 max-rate 3G\n"                       \
	"class 20 parent 2 min-rate 500M weight 3\n"

static void
make_tree(struct simulate_tree *tree, const char *text)
{
	struct error err = {""};

	simulate_tree_init(tree);
	if (simulate_tree_read(tree, text, &err) || simulate_tree_check(tree, &err))
		fail_msg("%s", err.text);
}

/* The reason why the tree is not taken. */
static void
assert_refused(const char *text, const char *reason)
{
	struct simulate_tree tree;
	struct error err = {""};
	int ret;

	simulate_tree_init(&tree);
	ret = simulate_tree_read(&tree, text, &err);
	if (!ret)
		ret = simulate_tree_check(&tree, &err);
	assert_int_not_equal(ret, 0);
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
	simulate_tree_destroy(&tree);
}

static void
test_units(void **state)
{
	char text[UNITS_TEXT_BYTES];
	uint64_t value;

	(void)state;
	assert_true(units_parse_amount("2.5G", &value) && value == 2500000000);
	assert_true(units_parse_amount("7", &value) && value == 7);
	assert_true(units_parse_time_ns("10ms", &value) && value == 10000000);
	assert_true(units_parse_time_ns("2", &value) && value == 2000000000);
	assert_false(units_parse_amount("", &value));
	assert_false(units_parse_amount("-1", &value));
	assert_false(units_parse_amount("1.2.3", &value));
	assert_false(units_parse_amount("1GB", &value));
	assert_false(units_parse_amount("inf", &value));
	assert_false(units_parse_amount("99999T", &value));
	assert_false(units_parse_time_ns("10x", &value));
	units_format_amount(999.6, text);
	assert_string_equal(text, "1.00K");
	units_format_amount(123456789, text);
	assert_string_equal(text, "123M");
	units_format_amount(12, text);
	assert_string_equal(text, "12");
	units_format_time(-1, text);
	assert_string_equal(text, "-");
	units_format_time(1.25e6, text);
	assert_string_equal(text, "1.25ms");
}

static void
test_tree_text(void **state)
{
	struct simulate_tree tree;
	size_t i;

	(void)state;
	make_tree(&tree, TREE);
	/* Class 0 comes by itself. */
	assert_int_equal(tree.n, 6);
	assert_int_equal(tree.root.ceil_bps, 10000000000);
	i = simulate_tree_find(&tree, 20);
	assert_int_equal(tree.classes[i].weight, 3);
	assert_int_equal(tree.classes[i].depth, 2);
	assert_int_equal(tree.classes[tree.classes[i].parent_index].number, 2);
	assert_int_equal(simulate_tree_find(&tree, 21), SIMULATE_NONE);
	simulate_tree_destroy(&tree);
}

static void
test_tree_json(void **state)
{
	struct simulate_tree tree;

	(void)state;
	make_tree(&tree,
	          " {\"port\": \"a\", \"overhead_bytes\": -4, \"mpu_bytes\": 64,"
	          "\"catch_up_ns\": 20000000, \"quantum_bytes\": 1514,"
	          "\"pool_packets\": 4096, \"classes\": ["
	          "{\"number\": null, \"parent\": null, \"ceil_bps\": 1000000},"
	          "{\"number\": 7, \"parent\": 3, \"floor_bps\": 5000, \"codel\": true,"
	          " \"state\": {\"name\": \"idle\"}},"
	          "{\"number\": 3, \"parent\": null, \"floor_bps\": 0}]}");
	assert_int_equal(tree.n, 3);
	assert_int_equal(tree.root.ceil_bps, 1000000);
	assert_int_equal(tree.overhead_bytes, -4);
	assert_int_equal(tree.mpu_bytes, 64);
	assert_int_equal(tree.catch_up_ns, 20000000);
	assert_int_equal(tree.quantum_bytes, 1514);
	assert_int_equal(tree.pool_packets, 4096);
	assert_int_equal(tree.classes[2].number, 7);
	assert_int_equal(tree.classes[2].parent_index, 1);
	assert_int_equal(tree.classes[2].floor_bps, 5000);
	assert_int_equal(tree.classes[2].codel, 1);
	simulate_tree_destroy(&tree);
}

static void
test_bad_trees_are_refused(void **state)
{
	(void)state;
	assert_refused("class 1", "link");
	assert_refused("link 1G\nclass x", "line 2");
	assert_refused("link 1G\nclass 1 colour red", "unknown key \"colour\"");
	assert_refused("link 1G\nclass 1 min-rate", "has no value");
	assert_refused("link 1G\nclass 1 min-rate -5", "is no number");
	assert_refused("link 1G\nclass 1 parent 2", "class 2, is not in the same QoS");
	assert_refused("link 1G\nclass 1 parent 2\nclass 2 parent 1", "its own ancestor");
	assert_refused("link 1G\nclass 1 delete", "is not in the tree");
	assert_refused("link 1G\nclass 1 min-rate 2G", "above the rate of the link");
	assert_refused("link 1G\nclass 1 min-rate 600M\nclass 2 min-rate 500M",
	               "the largest floor that fits class 1 is 500000000 bit/s");
	assert_refused("link 1G\nclass 1 max-rate 10M\nclass 2 parent 1 min-rate 8M\n"
	               "class 3 parent 1 min-rate 8M",
	               "class 1: floors below it add up to 16000000 bit/s");
	assert_refused("link 1G\nroot max-pps 100\nclass 1 min-pps 200",
	               "floor of 200 packets/s is above the rate of the link");
	assert_refused("link 1G\nclass 1 max-rate 9M peak-rate 8M", "peak rate");
	assert_refused("{", "bad JSON");
	assert_refused("{\"classes\": []}", "has no classes");
	assert_refused("{\"classes\": [{\"number\": -1}]}", "classes[0]");
	assert_refused("{\"classes\": [{\"number\": 1}, {\"number\": 1}]}", "twice");
	assert_refused("{\"classes\": [{\"number\": 1, \"floor_bps\": \"x\"}]}",
	               "floor_bps");
}

static void
assert_load_refused(const char *text, const char *reason)
{
	struct simulate_loads loads;
	struct error err = {""};

	simulate_loads_init(&loads);
	assert_int_not_equal(simulate_loads_read(&loads, text, &err), 0);
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
	simulate_loads_destroy(&loads);
}

static void
test_bad_loads_are_refused(void **state)
{
	(void)state;
	assert_load_refused("klass 1 backlogged", "lines begin with class");
	assert_load_refused("class 5-3 backlogged", "no range");
	assert_load_refused("class 1", "needs a load");
	assert_load_refused("class 1 flood", "\"flood\" is no load");
	assert_load_refused("class 1 rate", "is no rate");
	assert_load_refused("class 1 rate 1M size 12", "size");
	assert_load_refused("class 1 rate 1M start 2 stop 1", "stops before");
	assert_load_refused("class 1 rate 1M on", "has no value");
	assert_load_refused("{}", "no \"snapshots\"");
	assert_load_refused("[{\"time_ns\": 1, \"classes\": []}]", "1 snapshots");
	assert_load_refused("[{\"time_ns\": 2, \"classes\": []},"
	                    " {\"time_ns\": 1, \"classes\": []}]",
	                    "out of order");
}

/* A segmented packet is charged all its headers, as they are on the wire: test T12. */
static void
test_wire_charge(void **state)
{
	const struct simulate_wire wire = {.overhead_bytes = 24, .mpu_bytes = 84};
	uint16_t packets;

	(void)state;
	assert_int_equal(simulate_wire_charge(&wire, 1514, &packets), 1538);
	assert_int_equal(packets, 1);
	assert_int_equal(simulate_wire_charge(&wire, 50, &packets), 84);
	assert_int_equal(simulate_wire_charge(&wire, 66 + 46 * 1448, &packets),
	                 66 + 46 * 1448 + 45 * 66 + 46 * 24);
	assert_int_equal(packets, 46);
}

struct outcome {
	struct simulate_tree tree;
	struct simulate_result *results;
};

static void
run(struct outcome *outcome, const char *tree, const char *loads,
    const struct simulate_options *options)
{
	struct simulate_loads list;
	struct error err = {""};

	make_tree(&outcome->tree, tree);
	simulate_loads_init(&list);
	if (simulate_loads_read(&list, loads, &err) ||
	    simulate_run(&outcome->tree, &list, options, &outcome->results, &err))
		fail_msg("%s", err.text);
	simulate_loads_destroy(&list);
}

static const struct simulate_result *
result_of(const struct outcome *outcome, uint32_t number)
{
	return &outcome->results[simulate_tree_find(&outcome->tree, number)];
}

static void
end(struct outcome *outcome)
{
	free(outcome->results);
	simulate_tree_destroy(&outcome->tree);
}

static void
assert_rate(const struct simulate_result *result, double seconds, double bps)
{
	double got = (double)result->sent_bytes * 8 / seconds;

	if (got < bps * 0.98 || got > bps * 1.02)
		fail_msg("%.0f bit/s instead of %.0f", got, bps);
}

static void
test_floors_ceilings_and_borrowing(void **state)
{
	const struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	run(&outcome, TREE,
	    "class 10 backlogged size 64K\nclass 11 rate 500M size imix\n"
	    "class 20 backlogged\n",
	    &options);
	assert_rate(result_of(&outcome, 10), 1, 4e9);
	assert_rate(result_of(&outcome, 11), 1, 500e6);
	assert_rate(result_of(&outcome, 20), 1, 3e9);
	assert_rate(result_of(&outcome, 1), 1, 4.5e9);
	assert_rate(&outcome.results[outcome.tree.n], 1, 7.5e9);
	assert_true(result_of(&outcome, 10)->is_backlogged);
	assert_int_equal(result_of(&outcome, 10)->floor, SIMULATE_FLOOR_MET);
	assert_int_equal(result_of(&outcome, 1)->floor, SIMULATE_FLOOR_MET);
	assert_int_equal(result_of(&outcome, 2)->floor, SIMULATE_FLOOR_NONE);
	assert_true(result_of(&outcome, 10)->p99_ns < 0);
	assert_true(result_of(&outcome, 11)->p50_ns > 0);
	/* Two of the largest packets on the wire, the ring and a round of the loop. */
	assert_true(result_of(&outcome, 11)->p99_ns < 160e3);
	assert_true(result_of(&outcome, 20)->borrowed_bytes > 2400000000 / 8);
	end(&outcome);
}

/* A wire that is slower than the floors together cannot keep them, and it is said. */
static void
test_slow_wire_misses_floors(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	options.link_bps = 2000000000;
	run(&outcome, TREE, "class 10-11 backlogged\nclass 20 backlogged\n", &options);
	assert_int_equal(result_of(&outcome, 1)->floor, SIMULATE_FLOOR_SHORT);
	assert_rate(&outcome.results[outcome.tree.n], 1, 2e9);
	end(&outcome);
}

/* Everything offered is sent, dropped or still queued; delays stay within the queue. */
static void
test_overload_drops(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	const struct simulate_result *result;
	struct outcome outcome;

	(void)state;
	options.skip_seconds = 0;
	run(&outcome, "link 1G\nclass 5 max-rate 100M limit-bytes 150000\n",
	    "class 5 rate 200M\n", &options);
	result = result_of(&outcome, 5);
	assert_rate(result, 1, 100e6 + 5e-3 * 100e6);
	assert_true(result->dropped_packets > 7000);
	assert_in_range(result->offered_packets,
	                result->sent_packets + result->dropped_packets,
	                result->sent_packets + result->dropped_packets + 101);
	/* 150 KB at 100 Mbit/s: 12 ms. */
	assert_true(result->p99_ns > 11e6 && result->max_ns < 12.5e6);
	end(&outcome);
}

/* A class that would fill all room leaves half of it to the others. */
static void
test_pool_has_room_for_all(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	options.pool = 1000;
	run(&outcome,
	    "link 1G\nclass 1 limit-packets 5000 limit-bytes 50M\n"
	    "class 2 min-rate 100M\n",
	    "class 1 rate 2G\nclass 2 rate 50M\n", &options);
	assert_true(result_of(&outcome, 1)->dropped_packets > 10000);
	assert_int_equal(result_of(&outcome, 2)->dropped_packets, 0);
	assert_rate(result_of(&outcome, 2), 1, 50e6);
	end(&outcome);
}

static void
test_loads_start_stop_and_pause(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	options.skip_seconds = 0;
	run(&outcome, "link 1G\nclass 1\nclass 2\nclass 3\nclass 4\n",
	    "class 1 rate 100M start 250ms stop 750ms\n"
	    "class 2 on-off 100M on 10ms off 30ms\n"
	    "class 3 poisson 100M size 64-1514\nclass 4 backlogged stop 100ms\n",
	    &options);
	assert_rate(result_of(&outcome, 1), 1, 50e6);
	assert_rate(result_of(&outcome, 2), 1, 25e6);
	assert_rate(result_of(&outcome, 3), 1, 100e6);
	assert_true(result_of(&outcome, 4)->sent_bytes < 13500000);
	assert_true(result_of(&outcome, 4)->sent_bytes > 8000000);
	end(&outcome);
}

/* CoDel keeps the queue short, or marks instead; without it the queue is full. */
static void
test_codel_drops_or_marks(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	options.skip_seconds = 0;
	options.seconds = 5;
	run(&outcome,
	    "link 1G\nclass 1 max-rate 10M codel true\n"
	    "class 2 max-rate 10M codel true ecn true\nclass 3 max-rate 10M\n",
	    "class 1 rate 10.5M\nclass 2 rate 10.5M ecn true\nclass 3 rate 10.5M\n",
	    &options);
	assert_true(result_of(&outcome, 1)->dropped_packets > 0);
	assert_int_equal(result_of(&outcome, 1)->marked_packets, 0);
	assert_true(result_of(&outcome, 2)->marked_packets > 0);
	assert_int_equal(result_of(&outcome, 2)->dropped_packets, 0);
	assert_int_equal(result_of(&outcome, 3)->dropped_packets, 0);
	assert_true(result_of(&outcome, 1)->max_ns < result_of(&outcome, 3)->max_ns);
	end(&outcome);
}

static void
test_packet_rates_and_peaks(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	/* A burst is what a class saved since it exists: a second's worth. */
	options.skip_seconds = 1.1;
	run(&outcome,
	    "link 1G\nclass 1 max-pps 2000\n"
	    "class 2 max-rate 10M burst 10M peak-rate 50M peak-burst 100K\n",
	    "class 1 rate 100M size 100\nclass 2 backlogged start 1100ms\n", &options);
	assert_in_range(result_of(&outcome, 1)->sent_packets, 1990, 2010);
	/* 10 Mbit at 50 Mbit/s, which takes 250 ms, then 10 Mbit/s. */
	assert_in_range(result_of(&outcome, 2)->sent_bytes * 8, 19000000, 21000000);
	end(&outcome);
	options.seconds = 0.2;
	run(&outcome,
	    "link 1G\nclass 2 max-rate 10M burst 10M peak-rate 50M peak-burst 100K\n",
	    "class 2 backlogged start 1100ms\n", &options);
	assert_in_range(result_of(&outcome, 2)->sent_bytes * 8, 9900000, 10300000);
	end(&outcome);
}

/* A flow of few packets does not wait behind the many of another, in a fair class. */
static void
test_fair_class_spares_small_flows(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	run(&outcome, "link 1G\nclass 1 max-rate 10M fair true\nclass 2 max-rate 10M\n",
	    "class 1-2 backlogged\nclass 1-2 rate 100K size 100\n", &options);
	assert_true(result_of(&outcome, 1)->p99_ns > 0);
	assert_true(result_of(&outcome, 1)->p99_ns < 10e6);
	assert_true(result_of(&outcome, 2)->p99_ns > 40e6);
	end(&outcome);
}

static void
test_default_load_is_for_leaves_without_another(void **state)
{
	const struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	run(&outcome, TREE, "class * rate 10M\nclass 20 rate 50M\n", &options);
	assert_rate(result_of(&outcome, 10), 1, 10e6);
	assert_rate(result_of(&outcome, 20), 1, 50e6);
	assert_rate(result_of(&outcome, 1), 1, 20e6);
	assert_int_equal(result_of(&outcome, 0)->offered_packets, 0);
	end(&outcome);
}

/* Two seconds: 1 MB in the first, nothing in the second; an inner class is left out. */
static const char recording[] =
	"{\"snapshots\": ["
	"{\"time_ns\": 1000000000, \"classes\": [{\"number\": null, \"offered_bytes\": 9,"
	" \"offered_packets\": 9}, {\"number\": 7, \"offered_bytes\": 500,"
	" \"offered_packets\": 5}]},"
	"{\"time_ns\": 2000000000, \"classes\": [{\"number\": 8, \"inner\": true},"
	"{\"number\": 7, \"offered_bytes\": 1000500, \"offered_packets\": 1005}]},"
	"{\"time_ns\": 3000000000, \"classes\": ["
	"{\"number\": 7, \"offered_bytes\": 1000500, \"offered_packets\": 1005}]}]}";

static void
test_recording_is_replayed(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome outcome;

	(void)state;
	options.skip_seconds = 0;
	options.seconds = 1;
	run(&outcome, "link 1G\nclass 7\n", recording, &options);
	assert_in_range(result_of(&outcome, 7)->sent_packets, 999, 1000);
	assert_in_range(result_of(&outcome, 7)->sent_bytes, 999000, 1000000);
	end(&outcome);
	/* It begins again after its end. */
	options.seconds = 3;
	run(&outcome, "link 1G\nclass 7\n", recording, &options);
	assert_in_range(result_of(&outcome, 7)->sent_packets, 1998, 2000);
	end(&outcome);
}

static void
test_seed_decides_everything(void **state)
{
	struct simulate_options options = SIMULATE_OPTIONS_INIT;
	struct outcome first, second;

	(void)state;
	options.seconds = 0.2;
	run(&first, TREE, "class 10 poisson 1G\nclass 20 backlogged size imix", &options);
	run(&second, TREE, "class 10 poisson 1G\nclass 20 backlogged size imix",
	    &options);
	assert_memory_equal(first.results, second.results,
	                    (first.tree.n + 1) * sizeof(*first.results));
	end(&second);
	options.seed = 1;
	run(&second, TREE, "class 10 poisson 1G\nclass 20 backlogged size imix",
	    &options);
	assert_int_not_equal(result_of(&first, 10)->sent_bytes,
	                     result_of(&second, 10)->sent_bytes);
	end(&second);
	end(&first);
}

static void
test_difference_names_who_loses(void **state)
{
	const struct simulate_options options = SIMULATE_OPTIONS_INIT;
	const char *loads =
		"class 10 backlogged\nclass 11 rate 100M\nclass 2 backlogged\n";
	struct outcome before, after;
	struct str out = STR_INIT;

	(void)state;
	run(&before, "link 1G\nclass 10 weight 1\nclass 11 min-rate 200M\n", loads,
	    &options);
	run(&after,
	    "link 1G\nclass 10 weight 1\nclass 11 min-rate 200M\nclass 2 min-rate 500M\n",
	    loads, &options);
	simulate_report_difference(
		&(struct simulate_outcome){&before.tree, before.results, 1},
		&(struct simulate_outcome){&after.tree, after.results, 1}, &out);
	assert_non_null(strstr(str_text(&out), "class 10"));
	assert_null(strstr(str_text(&out), "class 11"));
	assert_non_null(strstr(str_text(&out), "class 2 "));
	assert_non_null(strstr(str_text(&out), "other classes: as before"));
	str_free(&out);
	end(&before);
	end(&after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_tree_text),
		cmocka_unit_test(test_tree_json),
		cmocka_unit_test(test_bad_trees_are_refused),
		cmocka_unit_test(test_bad_loads_are_refused),
		cmocka_unit_test(test_wire_charge),
		cmocka_unit_test(test_floors_ceilings_and_borrowing),
		cmocka_unit_test(test_slow_wire_misses_floors),
		cmocka_unit_test(test_overload_drops),
		cmocka_unit_test(test_pool_has_room_for_all),
		cmocka_unit_test(test_loads_start_stop_and_pause),
		cmocka_unit_test(test_codel_drops_or_marks),
		cmocka_unit_test(test_packet_rates_and_peaks),
		cmocka_unit_test(test_fair_class_spares_small_flows),
		cmocka_unit_test(test_default_load_is_for_leaves_without_another),
		cmocka_unit_test(test_recording_is_replayed),
		cmocka_unit_test(test_seed_decides_everything),
		cmocka_unit_test(test_difference_names_who_loses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
