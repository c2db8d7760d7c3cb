/* pacer_test.c - what is above a rate waits, in turns of its ports, and not without end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "vswitchd/ofproto/pacer.h"

/* Offers one that says where it comes from; whether it went at once. */
static bool
offer(struct pacer *pacer, uint64_t now_ns, uint32_t port)
{
	if (pacer_admit(pacer, now_ns))
		return true;
	pacer_hold(pacer, port, &port, sizeof(port));
	return false;
}

/* Port of the next one; 0 = none may go. */
static uint32_t
take(struct pacer *pacer, uint64_t now_ns)
{
	uint32_t port = 0;
	struct str data;

	if (!pacer_take(pacer, now_ns, &data))
		return 0;
	assert_int_equal(data.length, sizeof(port));
	memcpy(&port, data.data, sizeof(port));
	str_free(&data);
	return port;
}

static void
the_rate_holds_however_seldom_one_looks(void **state)
{
	static const uint64_t looks_ns[] = {NSEC_PER_MSEC, 10 * NSEC_PER_MSEC,
	                                    100 * NSEC_PER_MSEC};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(looks_ns); i++) {
		struct pacer *pacer = pacer_create();
		uint64_t now_ns = 100 * NSEC_PER_SEC, end_ns = now_ns + 2 * NSEC_PER_SEC;
		unsigned sent = 0;

		pacer_set_rate(pacer, 1000, 100);
		for (; now_ns < end_ns; now_ns += looks_ns[i]) {
			/* Twice as many come as may go. */
			for (uint64_t n = 0; n < looks_ns[i] / (NSEC_PER_MSEC / 2); n++)
				sent += offer(pacer, now_ns, 1);
			while (take(pacer, now_ns))
				sent++;
		}
		assert_in_range(sent, 1990, 2110);
		assert_true(pacer_get_stats(pacer)->dropped > 1500);
		pacer_destroy(pacer);
	}
}

static void
ports_take_turns(void **state)
{
	const uint64_t now_ns = 100 * NSEC_PER_SEC;
	struct pacer *pacer = pacer_create();
	unsigned got[4] = {0};
	uint32_t port;

	(void)state;
	pacer_set_rate(pacer, 100, 30);
	for (int i = 0; i < 30; i++)
		assert_true(offer(pacer, now_ns, 1));
	/* One port floods, then two others want little: it makes room for them. */
	for (int i = 0; i < 1000; i++)
		assert_false(offer(pacer, now_ns, 1));
	for (int i = 0; i < 5; i++) {
		offer(pacer, now_ns, 2);
		offer(pacer, now_ns, 3);
	}
	assert_int_equal(pacer_get_stats(pacer)->backlog, 30);
	assert_int_equal(pacer_get_stats(pacer)->dropped, 980);
	for (int i = 0; i < 15; i++) {
		port = take(pacer, now_ns + 400 * NSEC_PER_MSEC);
		assert_in_range(port, 1, 3);
		got[port]++;
	}
	assert_int_equal(got[1], 5);
	assert_int_equal(got[2], 5);
	assert_int_equal(got[3], 5);
	pacer_destroy(pacer); /* with what still waits */
}

static void
order_and_changes_of_the_rate(void **state)
{
	const uint64_t now_ns = 100 * NSEC_PER_SEC;
	struct pacer *pacer = pacer_create();
	struct str data;

	(void)state;
	pacer_set_rate(pacer, 4, 0); /* a burst of one */
	assert_true(pacer_admit(pacer, now_ns));
	assert_false(pacer_admit(pacer, now_ns));
	pacer_hold(pacer, 1, "a", 1);
	/* What comes later does not overtake it, even if there is a token. */
	assert_false(pacer_admit(pacer, now_ns + NSEC_PER_SEC));
	pacer_hold(pacer, 1, "b", 1);
	assert_int_equal(pacer_get_stats(pacer)->dropped, 1); /* the older one */
	pacer_set_rate(pacer, 0, 0);
	assert_true(pacer_take(pacer, now_ns, &data));
	assert_string_equal(str_text(&data), "b");
	str_free(&data);
	assert_false(pacer_take(pacer, now_ns, &data));
	for (int i = 0; i < 100; i++)
		assert_true(pacer_admit(pacer, now_ns));
	pacer_destroy(pacer);
}

/* Numbers are not all: large ones are bounded by their bytes. */
static void
bytes_are_bounded(void **state)
{
	static const uint8_t large[60000];
	struct pacer *pacer = pacer_create();

	(void)state;
	pacer_set_rate(pacer, 1000000, 1000000);
	for (int i = 0; i < 1000; i++)
		pacer_hold(pacer, 1, large, sizeof(large));
	assert_in_range(pacer_get_stats(pacer)->backlog, 60, 70);
	pacer_destroy(pacer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rate_holds_however_seldom_one_looks),
		cmocka_unit_test(ports_take_turns),
		cmocka_unit_test(order_and_changes_of_the_rate),
		cmocka_unit_test(bytes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
