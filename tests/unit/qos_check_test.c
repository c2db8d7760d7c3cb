/* qos_check_test.c - datapath/qos_check.c: trees that cannot be are refused with the
 * parent, the holders and the largest floor that fits; those that can be are not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/datapath.h"

#define ROOT DP_CLASS_ROOT

static struct error err;

static int
check(uint64_t rate_bps, const struct dp_class_config *classes, size_t n)
{
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = rate_bps,
	                               .classes = classes,
	                               .n_classes = n};

	err.text[0] = '\0';
	return dp_qos_check(&config, &err);
}

static void
test_names_and_shape(void **state)
{
	struct dp_class_config twice[] = {{.number = 4, .parent = ROOT},
	                                  {.number = 2, .parent = ROOT},
	                                  {.number = 4, .parent = 2}};
	struct dp_class_config big[] = {{.number = 61440, .parent = ROOT}};
	struct dp_class_config self[] = {{.number = 7, .parent = 7}};
	struct dp_class_config chain[9];

	(void)state;
	assert_int_equal(check(1000, twice, 3), -EINVAL);
	assert_string_equal(err.text, "queue 4: stands twice in the tree");
	assert_int_equal(check(1000, big, 1), -EINVAL);
	assert_int_equal(check(1000, self, 1), -ELOOP);
	assert_non_null(strstr(err.text, "queue 7"));
	/* From the leaf up, so that depths are found on the way. */
	for (uint32_t i = 0; i < 9; i++)
		chain[i] = (struct dp_class_config){.number = i,
		                                    .parent = i < 8 ? i + 1 : ROOT};
	assert_int_equal(check(1000, chain, 9), -EINVAL);
	assert_string_equal(err.text,
	                    "queue 0: is 9 levels deep, at most 8 are possible");
	assert_int_equal(check(1000, &chain[1], 8), 0);
}

/* A queue that hangs from a cycle is not in it. */
static void
test_cycle_names_a_member(void **state)
{
	struct dp_class_config cycle[] = {{.number = 1, .parent = 9},
	                                  {.number = 5, .parent = 9},
	                                  {.number = 9, .parent = 5}};

	(void)state;
	assert_int_equal(check(1000, cycle, 3), -ELOOP);
	assert_non_null(strstr(err.text, "queue 5"));
}

static void
test_floor_above_ceilings(void **state)
{
	struct dp_class_config own[] = {
		{.number = 1, .parent = ROOT, .floor_bps = 11, .ceil_bps = 10}};
	struct dp_class_config peak[] = {
		{.number = 1, .parent = ROOT, .floor_bps = 11, .peak_bps = 10}};
	struct dp_class_config upper[] = {{.number = 1, .parent = ROOT, .ceil_bps = 10},
	                                  {.number = 2, .parent = 1, .ceil_bps = 50},
	                                  {.number = 3, .parent = 2, .floor_bps = 11}};

	(void)state;
	assert_int_equal(check(1000, own, 1), -ERANGE);
	assert_string_equal(err.text, "queue 1: floor of 11 bit/s is above its own "
	                              "ceiling of 10 bit/s");
	assert_int_equal(check(1000, peak, 1), -ERANGE);
	assert_int_equal(check(1000, upper, 3), -ERANGE);
	assert_string_equal(err.text, "queue 3: floor of 11 bit/s is above the ceiling "
	                              "of queue 1 above it, 10 bit/s");
	upper[2].floor_bps = 10;
	assert_int_equal(check(1000, upper, 3), 0);
	assert_int_equal(check(9, upper, 3), -ERANGE);
	assert_non_null(strstr(err.text, "the rate of the link, 9 bit/s"));
	own[0] = (struct dp_class_config){
		.number = 1, .parent = ROOT, .ceil_bps = 20, .peak_bps = 19};
	assert_int_equal(check(1000, own, 1), -ERANGE);
	assert_non_null(strstr(err.text, "peak rate of 19 bit/s"));
}

/* Sums count at every level: an inner class without a floor stands for those below. */
static void
test_sums_at_every_level(void **state)
{
	struct dp_class_config tree[] = {
		{.number = 1, .parent = ROOT},
		{.number = 2, .parent = 1, .ceil_bps = 100},
		{.number = 3, .parent = 2, .floor_bps = 70},
		{.number = 4, .parent = 2, .floor_bps = 30},
		{.number = 5, .parent = 1, .floor_bps = 100},
		{.number = 6, .parent = ROOT, .floor_bps = 50},
	};

	(void)state;
	assert_int_equal(check(250, tree, 6), 0);
	assert_int_equal(check(249, tree, 6), -ERANGE);
	assert_string_equal(err.text,
	                    "floors add up to 250 bit/s, above the rate of the link, 249 "
	                    "bit/s (queue 1 has 200, queue 6 has 50); the largest floor "
	                    "that fits queue 1 is 199 bit/s");
	tree[3].floor_bps = 31;
	assert_int_equal(check(1000, tree, 6), -ERANGE);
	assert_string_equal(err.text,
	                    "queue 2: floors below it add up to 101 bit/s, above its "
	                    "ceiling of 100 bit/s (queue 3 has 70, queue 4 has 31); the "
	                    "largest floor that fits queue 3 is 69 bit/s");
	/* A parent's larger floor counts instead of the sum. */
	tree[3].floor_bps = 30;
	tree[0].floor_bps = 300;
	assert_int_equal(check(349, tree, 6), -ERANGE);
	assert_int_equal(check(350, tree, 6), 0);
}

static void
test_holders_are_the_largest_and_a_count(void **state)
{
	struct dp_class_config many[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		many[i] = (struct dp_class_config){
			.number = i, .parent = ROOT, .floor_bps = 1 + (i * 37) % 100};
	assert_int_equal(check(5050, many, 100), 0);
	assert_int_equal(check(5000, many, 100), -ERANGE);
	assert_non_null(strstr(err.text, "(queue 27 has 100, queue 54 has 99, queue 81 "
	                                 "has 98, queue 8 has 97 and 96 others 4656)"));
	assert_non_null(strstr(err.text, "fits queue 27 is 50 bit/s"));
	assert_int_equal(check(100, many, 100), -ERANGE);
	assert_non_null(strstr(err.text, "fits queue 27 is 0 bit/s"));
}

static void
test_packets_are_a_budget_too(void **state)
{
	struct dp_class_config tree[] = {
		{.number = 1, .parent = ROOT, .ceil_pps = 100},
		{.number = 2, .parent = 1, .floor_pps = 60},
		{.number = 3, .parent = 1, .floor_pps = 41},
	};
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 1,
	                               .max_pps = 99,
	                               .classes = &tree[1],
	                               .n_classes = 2};

	(void)state;
	assert_int_equal(check(1, tree, 3), -ERANGE);
	assert_string_equal(err.text,
	                    "queue 1: floors below it add up to 101 packets/s, above its "
	                    "ceiling of 100 packets/s (queue 2 has 60, queue 3 has 41); "
	                    "the largest floor that fits queue 2 is 59 packets/s");
	tree[2].floor_pps = 40;
	assert_int_equal(check(1, tree, 3), 0);
	tree[1].parent = tree[2].parent = ROOT;
	assert_int_equal(dp_qos_check(&config, &err), -ERANGE);
	assert_non_null(strstr(err.text, "99 packets/s"));
	config.max_pps = 100;
	assert_int_equal(dp_qos_check(&config, &err), 0);
	tree[2].ceil_pps = 39;
	assert_int_equal(dp_qos_check(&config, &err), -ERANGE);
	assert_non_null(strstr(err.text, "queue 3: floor of 40 packets/s"));
}

static void
test_maps_name_queues_that_are_there(void **state)
{
	struct dp_class_config one[] = {{.number = 1, .parent = ROOT}};
	struct dp_class_mac mac = {.number = 2};
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 1000,
	                               .classes = one,
	                               .n_classes = 1,
	                               .has_dscp_classes = true};

	(void)state;
	for (int i = 0; i < 64; i++)
		config.dscp_class[i] = DP_CLASS_NONE;
	config.dscp_class[46] = 1;
	config.dscp_class[0] = 0;
	assert_int_equal(dp_qos_check(&config, &err), 0);
	config.dscp_class[10] = 3;
	assert_int_equal(dp_qos_check(&config, &err), -EINVAL);
	assert_string_equal(err.text, "dscp-map names queue 3, which is not in the QoS");
	config.dscp_class[10] = DP_CLASS_NONE;
	config.macs = &mac;
	config.n_macs = 1;
	assert_int_equal(dp_qos_check(&config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "macs names queue 2"));
}

/* Sums beyond 64 bits are refused, not wrapped. */
static void
test_huge_floors_do_not_wrap(void **state)
{
	struct dp_class_config huge[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		huge[i] = (struct dp_class_config){
			.number = i, .parent = ROOT, .floor_bps = UINT64_MAX / 2};
	assert_int_equal(check(UINT64_MAX / 2, huge, 3), -ERANGE);
}

/* Random trees against the definition, spelled out the slow way. */
static uint64_t
slow_required(const struct dp_class_config *classes, size_t n, uint32_t number,
              uint64_t own)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (classes[i].parent == number)
			sum += slow_required(classes, n, classes[i].number,
			                     classes[i].floor_bps);
	return sum > own ? sum : own;
}

static bool
slow_is_possible(const struct dp_class_config *classes, size_t n, uint64_t rate)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t required = slow_required(classes, n, classes[i].number,
		                                  classes[i].floor_bps);

		/* A floor under a ceiling further up is part of the sum there. */
		if (classes[i].ceil_bps && required > classes[i].ceil_bps)
			return false;
	}
	return slow_required(classes, n, ROOT, 0) <= rate;
}

static void
test_random_trees_agree_with_the_definition(void **state)
{
	unsigned seed = 1, n_refused = 0;
	enum { N = 12, TREES = 4000 };

	(void)state;
	for (int tree = 0; tree < TREES; tree++) {
		struct dp_class_config classes[N];
		uint64_t rate = 200 + (uint64_t)rand_r(&seed) % 600;
		bool is_possible;

		for (uint32_t i = 0; i < N; i++) {
			bool is_top = i == 0 || rand_r(&seed) % 3 == 0;
			uint32_t up = i ? (uint32_t)rand_r(&seed) % i : 0;

			/* Numbers in another order than positions. */
			classes[i] = (struct dp_class_config){
				.number = (i * 5) % N,
				.parent = is_top ? ROOT : (up * 5) % N,
				.floor_bps = (uint64_t)rand_r(&seed) % 60,
				.ceil_bps = rand_r(&seed) % 4 == 0
			                            ? 50 + (uint64_t)rand_r(&seed) % 200
			                            : 0,
			};
		}
		is_possible = slow_is_possible(classes, N, rate);
		n_refused += !is_possible;
		/* The trees are flat enough for the limit of levels, or refused by it. */
		if (check(rate, classes, N) == -EINVAL)
			assert_non_null(strstr(err.text, "levels deep"));
		else
			assert_int_equal(check(rate, classes, N) == 0, is_possible);
	}
	assert_in_range(n_refused, TREES / 10, TREES * 9 / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_shape),
		cmocka_unit_test(test_cycle_names_a_member),
		cmocka_unit_test(test_floor_above_ceilings),
		cmocka_unit_test(test_sums_at_every_level),
		cmocka_unit_test(test_holders_are_the_largest_and_a_count),
		cmocka_unit_test(test_packets_are_a_budget_too),
		cmocka_unit_test(test_maps_name_queues_that_are_there),
		cmocka_unit_test(test_huge_floors_do_not_wrap),
		cmocka_unit_test(test_random_trees_agree_with_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
