/* policer_test.c - lib/qos/policer: rates, bursts, packets larger than a burst, changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "qos/policer.h"

#define NS_PER_SEC 1000000000ULL

/* Bytes admitted in 'seconds' of 'bytes'-sized packets offered every 'gap_ns'. */
static uint64_t
admitted(struct policer *policer, uint64_t *now_ns, uint32_t bytes, uint64_t gap_ns,
         uint64_t seconds)
{
	uint64_t end_ns = *now_ns + seconds * NS_PER_SEC, sum = 0;

	for (; *now_ns < end_ns; *now_ns += gap_ns)
		if (policer_admit(policer, bytes, *now_ns))
			sum += bytes;
	return sum;
}

static void
test_zero_admits_everything(void **state)
{
	struct policer policer = {0};

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(policer_admit(&policer, UINT32_MAX, 0));
	policer_init(&policer, 0, 1000, 5);
	assert_true(policer_admit(&policer, UINT32_MAX, 5));
	assert_true(policer_admit(&policer, UINT32_MAX, 5));
}

static void
test_long_run_rate_is_exact_for_any_packet_size(void **state)
{
	static const uint64_t rates[] = {125000, 1000000, 1250000000, 12500000000};
	static const uint32_t sizes[] = {64, 1514, 65549};

	(void)state;
	for (unsigned r = 0; r < 4; r++)
		for (unsigned s = 0; s < 3; s++) {
			/* Offered at four times the rate. */
			uint64_t gap_ns = sizes[s] * NS_PER_SEC / rates[r] / 4 + 1;
			uint64_t now_ns = 77, seconds = r < 2 ? 10 : 1, sum;
			struct policer policer;

			policer_init(&policer, rates[r], 2000, now_ns);
			sum = admitted(&policer, &now_ns, sizes[s], gap_ns, seconds);
			assert_in_range(sum, rates[r] * seconds * 9995 / 10000 - sizes[s],
			                rates[r] * seconds * 10005 / 10000 + 2000 +
			                        sizes[s]);
		}
}

static void
test_a_burst_passes_at_once_and_no_more(void **state)
{
	struct policer policer;
	unsigned count = 0;

	(void)state;
	policer_init(&policer, 1000000, 10000, NS_PER_SEC);
	while (policer_admit(&policer, 1000, NS_PER_SEC))
		count++;
	/* The burst, and the packet that goes into debt. */
	assert_in_range(count, 10, 11);
	/* However long it idled. */
	count = 0;
	while (policer_admit(&policer, 1000, 500 * NS_PER_SEC))
		count++;
	assert_in_range(count, 10, 11);
}

static void
test_a_packet_beyond_the_burst_passes_and_is_paid_for(void **state)
{
	struct policer policer;
	uint64_t now_ns = NS_PER_SEC;

	(void)state;
	/* 64 KB at 1 MB/s with a burst of 100 bytes: 65.4 ms until the next. */
	policer_init(&policer, 1000000, 100, now_ns);
	assert_true(policer_admit(&policer, 65549, now_ns));
	assert_false(policer_admit(&policer, 1, now_ns + 65448000));
	assert_true(policer_admit(&policer, 1, now_ns + 65450000));
}

static void
test_packets_can_be_the_unit(void **state)
{
	struct policer policer;
	uint64_t now_ns = 0, sum;

	(void)state;
	policer_init(&policer, 1000, 10, now_ns);
	sum = admitted(&policer, &now_ns, 1, 100000, 10);
	assert_in_range(sum, 10000, 10011);
}

static void
test_a_change_keeps_the_debt_in_units(void **state)
{
	struct policer policer;
	uint64_t now_ns = NS_PER_SEC;

	(void)state;
	/* 64 KB of debt at 1 kB/s is 65 s; at 1 MB/s it is 65 ms. */
	policer_init(&policer, 1000, 1, now_ns);
	assert_true(policer_admit(&policer, 65536, now_ns));
	assert_false(policer_admit(&policer, 1, now_ns + 60 * NS_PER_SEC));
	policer_set(&policer, 1000000, 1, now_ns);
	assert_false(policer_admit(&policer, 1, now_ns + 65 * NS_PER_SEC / 1000));
	assert_true(policer_admit(&policer, 1, now_ns + 66 * NS_PER_SEC / 1000));
	/* And back again: 1000 bytes are a second. */
	now_ns += 100 * NS_PER_SEC;
	assert_true(policer_admit(&policer, 1001, now_ns));
	policer_set(&policer, 1000, 1, now_ns);
	assert_false(policer_admit(&policer, 1, now_ns + NS_PER_SEC * 999 / 1000));
	assert_true(policer_admit(&policer, 1, now_ns + NS_PER_SEC * 1001 / 1000));
}

static void
test_a_change_gives_no_more_than_the_new_burst(void **state)
{
	struct policer policer;
	unsigned count = 0;

	(void)state;
	policer_init(&policer, 1000, 1000000, NS_PER_SEC);
	policer_set(&policer, 1000000, 5000, NS_PER_SEC);
	while (policer_admit(&policer, 1000, NS_PER_SEC))
		count++;
	assert_in_range(count, 5, 6);
	/* From no limit at all to one. */
	policer_set(&policer, 0, 0, NS_PER_SEC);
	assert_true(policer_admit(&policer, UINT32_MAX, NS_PER_SEC));
	policer_set(&policer, 1000, 3000, 9 * NS_PER_SEC);
	for (count = 0; policer_admit(&policer, 1000, 9 * NS_PER_SEC);)
		count++;
	assert_in_range(count, 1, 4);
	assert_false(policer_admit(&policer, 1, 9 * NS_PER_SEC));
}

static void
test_a_bucket_is_full_on_a_machine_that_has_just_booted(void **state)
{
	struct policer policer = {0};
	unsigned count;

	(void)state;
	policer_set(&policer, 1, 10, 1000);
	for (count = 0; policer_admit(&policer, 1, 1000);)
		count++;
	assert_in_range(count, 10, 11);
}

static void
test_extreme_parameters_stay_sane(void **state)
{
	struct policer policer;

	(void)state;
	/* One byte a second, the largest packet: a century and more of debt at the most.
	 */
	policer_init(&policer, 1, UINT64_MAX, NS_PER_SEC);
	assert_true(policer_admit(&policer, UINT32_MAX, NS_PER_SEC));
	policer_init(&policer, 1, 1, NS_PER_SEC);
	assert_true(policer_admit(&policer, UINT32_MAX, NS_PER_SEC));
	assert_false(policer_admit(&policer, 1, 1000 * NS_PER_SEC));
	/* Ten packets a second. */
	policer_init(&policer, 10, 1, NS_PER_SEC);
	assert_true(policer_admit(&policer, 1, NS_PER_SEC));
	assert_true(policer_admit(&policer, 1, NS_PER_SEC));
	assert_false(policer_admit(&policer, 1, NS_PER_SEC + NS_PER_SEC / 11));
	assert_true(policer_admit(&policer, 1, NS_PER_SEC + NS_PER_SEC / 9));
	/* Years of idling, past the point where times wrap around. */
	for (uint64_t day = 250; day < 3000; day += 250)
		assert_true(policer_admit(&policer, 1, day * 86400 * NS_PER_SEC));
	policer_init(&policer, 1, 1, NS_PER_SEC);
	assert_true(policer_admit(&policer, UINT32_MAX, NS_PER_SEC));
	policer_set(&policer, UINT64_MAX, 1, 1000 * NS_PER_SEC);
	assert_true(policer_admit(&policer, 1500, 1001 * NS_PER_SEC));
	policer_set(&policer, 1, UINT64_MAX, 1001 * NS_PER_SEC);
	assert_true(policer_admit(&policer, 1500, 1002 * NS_PER_SEC));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_admits_everything),
		cmocka_unit_test(test_long_run_rate_is_exact_for_any_packet_size),
		cmocka_unit_test(test_a_burst_passes_at_once_and_no_more),
		cmocka_unit_test(test_a_packet_beyond_the_burst_passes_and_is_paid_for),
		cmocka_unit_test(test_packets_can_be_the_unit),
		cmocka_unit_test(test_a_change_keeps_the_debt_in_units),
		cmocka_unit_test(test_a_change_gives_no_more_than_the_new_burst),
		cmocka_unit_test(test_a_bucket_is_full_on_a_machine_that_has_just_booted),
		cmocka_unit_test(test_extreme_parameters_stay_sane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
