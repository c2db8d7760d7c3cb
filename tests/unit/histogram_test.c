/* histogram_test.c - lib/qos/histogram: where values fall, quantiles, what came since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qos/recent.h"

#define US 1000ULL
#define MS (1000 * US)

static void
test_every_value_is_in_its_bucket(void **state)
{
	(void)state;
	for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t start = histogram_bucket_start_ns(i);

		assert_true(start > histogram_bucket_start_ns(i - 1));
		assert_int_equal(histogram_bucket(start), i);
		assert_int_equal(histogram_bucket(start - 1), i - 1);
	}
	assert_int_equal(histogram_bucket(0), 0);
	assert_int_equal(histogram_bucket(1023), 0);
	assert_int_equal(histogram_bucket(1024), 1);
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void
test_buckets_are_a_quarter_of_an_octave(void **state)
{
	(void)state;
	for (unsigned i = 1; i < HISTOGRAM_BUCKETS - 1; i++) {
		uint64_t start = histogram_bucket_start_ns(i);
		uint64_t width = histogram_bucket_start_ns(i + 1) - start;

		assert_true(width * 4 <= start);
		assert_true(width * 8 > start);
	}
}

static void
test_quantiles_lie_within_a_bucket(void **state)
{
	struct histogram h = {0};

	(void)state;
	assert_int_equal(histogram_quantile_ns(&h, 500), 0);
	for (uint64_t us = 1; us <= 1000; us++)
		histogram_add(&h, us * US);
	assert_int_equal(histogram_total(&h), 1000);
	assert_int_equal(h.sum_ns, 1000 * 1001 / 2 * US);
	for (unsigned per_mille = 100; per_mille <= 1000; per_mille += 50) {
		uint64_t found = histogram_quantile_ns(&h, per_mille);

		assert_true(found * 10 >= per_mille * US * 8);
		assert_true(found * 10 <= per_mille * US * 13);
	}
}

/* One slow packet in a thousand shows in the maximum and not in the median. */
static void
test_tail_is_seen(void **state)
{
	struct histogram h = {0};

	(void)state;
	for (unsigned i = 0; i < 999; i++)
		histogram_add(&h, 10 * US);
	histogram_add(&h, 50 * MS);
	assert_in_range(histogram_quantile_ns(&h, 500), 8 * US, 13 * US);
	assert_in_range(histogram_quantile_ns(&h, 999), 8 * US, 13 * US);
	assert_in_range(histogram_quantile_ns(&h, 1000), 50 * MS, 63 * MS);
}

static void
test_longest_has_no_end(void **state)
{
	struct histogram h = {0};

	(void)state;
	histogram_add(&h, 3600 * 1000 * MS);
	assert_int_equal(histogram_quantile_ns(&h, 1000),
	                 histogram_bucket_start_ns(HISTOGRAM_BUCKETS - 1));
}

static void
test_counts_below(void **state)
{
	struct histogram h = {0};

	(void)state;
	histogram_add(&h, 500);
	histogram_add(&h, 1024);
	histogram_add(&h, 5 * MS);
	assert_int_equal(histogram_count_below(&h, 1024), 1);
	assert_int_equal(histogram_count_below(&h, 4096), 2);
	assert_int_equal(histogram_count_below(&h, 1ULL << 34), 3);
}

/* Also when a counter has passed 2^32 meanwhile. */
static void
test_since_a_mark(void **state)
{
	struct histogram h = {0}, since;
	struct histogram_mark mark;

	(void)state;
	h.count[7] = UINT32_MAX;
	histogram_set_mark(&mark, &h);
	h.count[7] += 3;
	h.count[9] += 1;
	histogram_since(&since, &h, &mark);
	assert_int_equal(since.count[7], 3);
	assert_int_equal(since.count[9], 1);
	assert_int_equal(histogram_total(&since), 4);
	assert_int_equal(histogram_total(&h), (uint64_t)UINT32_MAX + 4);
}

#define S (1000 * MS)

static uint64_t
recent_total(const struct recent *recent, uint64_t now_ns)
{
	struct histogram sum = {0};

	recent_sum(recent, now_ns, &sum);
	return histogram_total(&sum);
}

static void
test_recent_values_are_forgotten(void **state)
{
	static struct recent recent;
	const uint64_t start = 1000 * S;

	(void)state;
	assert_int_equal(recent_total(&recent, start), 0);
	for (unsigned i = 0; i < 10; i++)
		recent_add(&recent, MS, start);
	assert_int_equal(recent_total(&recent, start + 9 * S), 10);
	assert_int_equal(recent_total(&recent, start + 10 * S), 0);
	/* The next half: the one before still counts until this one is as old. */
	recent_add(&recent, MS, start + 6 * S);
	assert_int_equal(recent_total(&recent, start + 6 * S), 11);
	assert_int_equal(recent_total(&recent, start + 11 * S), 1);
	/* After a pause nothing old is left. */
	recent_add(&recent, MS, start + 30 * S);
	assert_int_equal(recent_total(&recent, start + 30 * S), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value_is_in_its_bucket),
		cmocka_unit_test(test_buckets_are_a_quarter_of_an_octave),
		cmocka_unit_test(test_quantiles_lie_within_a_bucket),
		cmocka_unit_test(test_tail_is_seen),
		cmocka_unit_test(test_longest_has_no_end),
		cmocka_unit_test(test_counts_below),
		cmocka_unit_test(test_since_a_mark),
		cmocka_unit_test(test_recent_values_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
