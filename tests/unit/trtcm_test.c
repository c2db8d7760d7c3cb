/* trtcm_test.c - lib/qos/trtcm: the two rates for every size of packet, colours that
 * never get better, classes within a port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qos/trtcm.h"

#define NS_PER_SEC 1000000000ULL

static const struct trtcm_rates rates = {1000000, 4000, 500000, 2000};

static void
test_both_rates_are_exact_for_any_packet_size(void **state)
{
	static const uint32_t sizes[] = {64, 1514, 65549};

	(void)state;
	for (unsigned s = 0; s < 3; s++) {
		uint64_t gap_ns = sizes[s] * NS_PER_SEC / 6000000, sum[3] = {0};
		struct trtcm trtcm;

		trtcm_init(&trtcm, &rates, 5);
		for (uint64_t now = 5; now < 20 * NS_PER_SEC; now += gap_ns)
			sum[trtcm_mark(&trtcm, TRTCM_GREEN, sizes[s], now)] += sizes[s];
		assert_in_range(sum[TRTCM_GREEN], 19990000 - sizes[s],
		                20014000 + sizes[s]);
		assert_in_range(sum[TRTCM_YELLOW], 9995000 - sizes[s],
		                10007000 + sizes[s]);
		assert_true(sum[TRTCM_RED] > 80000000);
	}
}

static void
test_colours_do_not_get_better(void **state)
{
	struct trtcm trtcm;

	(void)state;
	trtcm_init(&trtcm, &rates, 0);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_RED, 100, 0), TRTCM_RED);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_YELLOW, 100, 0), TRTCM_YELLOW);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 100, 0), TRTCM_GREEN);
	/* Yellow pays the excess only: green has all of its burst but what it took. */
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_YELLOW, 1800, 0), TRTCM_YELLOW);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_YELLOW, 500, 0), TRTCM_YELLOW);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_YELLOW, 1, 0), TRTCM_RED);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 4000, 0), TRTCM_GREEN);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 1, 0), TRTCM_RED);
}

static void
test_a_rate_of_zero_admits_nothing_of_its_colour(void **state)
{
	static const struct trtcm_rates no_excess = {1000, 100, 0, 5000};
	static const struct trtcm_rates no_committed = {0, 5000, 1000, 100};
	struct trtcm trtcm;

	(void)state;
	trtcm_init(&trtcm, &no_excess, 0);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 200, 0), TRTCM_GREEN);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 1, 0), TRTCM_RED);
	trtcm_init(&trtcm, &no_committed, 0);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 200, 0), TRTCM_YELLOW);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 1, 0), TRTCM_RED);
	/* A rate that comes later counts from then on. */
	trtcm_set(&trtcm, &no_excess, NS_PER_SEC);
	assert_int_equal(trtcm_mark(&trtcm, TRTCM_GREEN, 50, NS_PER_SEC), TRTCM_GREEN);
}

/* As a port does it: what the class lets pass, the port judges. */
static void
test_classes_do_not_exceed_the_port(void **state)
{
	static const struct trtcm_rates high = {2000000, 4000, 0, 0};
	static const struct trtcm_rates low = {0, 0, 500000, 2000};
	uint64_t sum[2][3] = {{0}};
	struct trtcm port, class[2];

	(void)state;
	trtcm_init(&port, &rates, 0);
	trtcm_init(&class[0], &high, 0);
	trtcm_init(&class[1], &low, 0);
	for (uint64_t now = 0; now < 10 * NS_PER_SEC; now += 200000)
		for (int i = 0; i < 2; i++) {
			enum trtcm_color color =
				trtcm_mark(&class[i], TRTCM_GREEN, 1000, now);

			sum[i][trtcm_mark(&port, color, 1000, now)] += 1000;
		}
	/* The high class has the committed rate for itself. */
	assert_in_range(sum[0][TRTCM_GREEN], 9990000, 10006000);
	assert_int_equal(sum[1][TRTCM_GREEN], 0);
	assert_true(sum[1][TRTCM_YELLOW] > 0);
	assert_in_range(sum[0][TRTCM_YELLOW] + sum[1][TRTCM_YELLOW], 4990000, 5004000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_rates_are_exact_for_any_packet_size),
		cmocka_unit_test(test_colours_do_not_get_better),
		cmocka_unit_test(test_a_rate_of_zero_admits_nothing_of_its_colour),
		cmocka_unit_test(test_classes_do_not_exceed_the_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
