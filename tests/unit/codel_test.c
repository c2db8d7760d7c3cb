/* codel_test.c - lib/qos/codel: when packets are dropped, against RFC 8289's control law.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "qos/codel.h"

#define TARGET   5000U /* units, about 5 ms */
#define INTERVAL 100000U
#define STEP     100U /* between packets */

static const struct codel_params params = {.target = TARGET, .interval = INTERVAL};

/* Judges a packet every STEP from 'from' on until one is dropped; the time of that, or
 * 'until'. */
static uint32_t
next_drop(struct codel *codel, uint32_t from, uint32_t until, uint32_t delay)
{
	for (uint32_t now = from; (int32_t)(until - now) > 0; now += STEP)
		if (codel_judge(codel, &params, now, delay, false))
			return now;
	return until;
}

static void
test_a_delay_below_target_drops_nothing(void **state)
{
	struct codel codel = {0};

	(void)state;
	assert_int_equal(next_drop(&codel, 0, 50 * INTERVAL, TARGET - 1), 50 * INTERVAL);
}

static void
test_a_delay_above_target_for_less_than_an_interval_drops_nothing(void **state)
{
	struct codel codel = {0};
	uint32_t now = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(
			next_drop(&codel, now, now + INTERVAL - STEP, 10 * TARGET),
			now + INTERVAL - STEP);
		now += INTERVAL - STEP;
		assert_false(codel_judge(&codel, &params, now, TARGET - 1, false));
		now += STEP;
	}
}

static void
test_the_last_packet_is_never_dropped(void **state)
{
	struct codel codel = {0};

	(void)state;
	for (uint32_t now = 0; now < 20 * INTERVAL; now += STEP)
		assert_false(codel_judge(&codel, &params, now, 100 * TARGET, true));
}

/* 'start' also tries the wrap of the clock. */
static void
check_control_law(uint32_t start)
{
	/* interval / sqrt(n) for n = 1..8 */
	static const uint32_t gaps[] = {100000, 70710, 57735, 50000,
	                                44721,  40824, 37796, 35355};
	struct codel codel = {0};
	uint32_t at = next_drop(&codel, start, start + 2 * INTERVAL, 2 * TARGET), due;

	/* A packet later where the wrap falls on the moment. */
	assert_in_range(at - start, INTERVAL, INTERVAL + STEP);
	due = at;
	for (unsigned i = 0; i < ARRAY_SIZE(gaps); i++) {
		due += gaps[i];
		at = next_drop(&codel, at + STEP, at + 2 * INTERVAL, 2 * TARGET);
		assert_in_range(at - due, 0, STEP - 1);
	}
}

static void
test_drops_follow_the_control_law(void **state)
{
	(void)state;
	check_control_law(1000);
	check_control_law(0U - INTERVAL);
	check_control_law(0U - 3 * INTERVAL);
	check_control_law(INT32_MAX - 2 * INTERVAL);
}

/* Leaves the dropping state after 'drops' drops, stays below target for 'pause', and
 * returns the time between the first two drops after that. */
static uint32_t
gap_after_pause(uint32_t drops, uint32_t pause)
{
	struct codel codel = {0};
	uint32_t now = 0, first;

	for (uint32_t i = 0; i < drops; i++)
		now = next_drop(&codel, now + STEP, now + 2 * INTERVAL, 2 * TARGET);
	assert_false(codel_judge(&codel, &params, now + STEP, TARGET / 2, false));
	now += pause;
	first = next_drop(&codel, now, now + 2 * INTERVAL, 2 * TARGET);
	assert_int_equal(first, now + INTERVAL);
	return next_drop(&codel, first + STEP, first + 2 * INTERVAL, 2 * TARGET) - first;
}

static void
test_dropping_resumes_at_its_rate_after_a_short_pause(void **state)
{
	(void)state;
	/* The rate of the 26th drop less the one that it began with: a fifth. */
	assert_in_range(gap_after_pause(26, 2 * INTERVAL), INTERVAL / 5,
	                INTERVAL / 5 + STEP);
	assert_in_range(gap_after_pause(26, 40 * INTERVAL), INTERVAL, INTERVAL + STEP);
}

static void
test_times_of_any_length_are_taken(void **state)
{
	(void)state;
	assert_int_equal(codel_time_of_ns(5000000), 4882);
	assert_int_equal(codel_time_of_ns(UINT64_MAX), CODEL_TIME_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_delay_below_target_drops_nothing),
		cmocka_unit_test(
			test_a_delay_above_target_for_less_than_an_interval_drops_nothing),
		cmocka_unit_test(test_the_last_packet_is_never_dropped),
		cmocka_unit_test(test_drops_follow_the_control_law),
		cmocka_unit_test(test_dropping_resumes_at_its_rate_after_a_short_pause),
		cmocka_unit_test(test_times_of_any_length_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
