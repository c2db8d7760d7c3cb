/* long_test.c - rates over a day, or over what WEIR_SIM_HOURS says ('make sim-long': a
 * month): no drift of tags, however small the steps are that they advance by. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim.h"

#ifdef SIM_SMALL
#define HOURS 1
#else
#define HOURS 24
#endif

#define LEAVES   5
#define LINK_BPS SIM_MBPS
#define BYTES    1514

/* A ceiling, a floor, a ceiling of packets, a floor with three times the weight, and a
 * peak that a day gives no occasion to use. */
static const struct sched_class_params long_params[LEAVES] = {
	{.ceil_bps = 100000, .weight = 1},
	{.floor_bps = 300000, .weight = 1},
	{.ceil_pps = 5, .weight = 1},
	{.floor_bps = 100000, .weight = 3},
	{.ceil_bps = 77777, .peak_bps = 200000, .weight = 1},
};

static void
test_nothing_drifts(void **state)
{
	static const char *const names[LEAVES] = {"ceiling", "floor",
	                                          "ceiling of packets",
	                                          "floor and weight", "ceiling and peak"};
	const char *hours_text = getenv("WEIR_SIM_HOURS");
	double hours = hours_text ? strtod(hours_text, NULL) : HOURS, seconds, left;
	double want_bps[LEAVES] = {100e3, 300e3, 5 * BYTES * 8, 100e3, 77777};
	struct sim_packet *packets[SIM_BATCH];
	uint64_t start_ns, end_ns;
	uint32_t refs[LEAVES];
	struct sim sim;

	(void)state;
	sim_init(&sim, 16, LEAVES * 4, LINK_BPS);
	for (unsigned i = 0; i < LEAVES; i++) {
		assert_int_equal(sched_class_add(sim.sched, sched_root(sim.sched), true,
		                                 &long_params[i], sim.now_ns, &refs[i]),
		                 0);
		for (unsigned n = 0; n < 4; n++)
			assert_true(sim_offer(&sim, refs[i], BYTES, i));
	}
	start_ns = sim.now_ns;
	end_ns = start_ns + (uint64_t)(hours * 3600e9);
	while (sim.now_ns < end_ns) {
		/* From event to event: a day has hundreds of millions of rounds. */
		uint64_t next_ns = sched_next_event_ns(sim.sched, sim.now_ns);
		unsigned count;

		sim_step(&sim);
		sim.now_ns = next_ns > sim.now_ns ? next_ns : sim.now_ns;
		count = sim_dequeue(&sim, packets);
		for (unsigned i = 0; i < count; i++) {
			uint32_t source = packets[i]->source;

			sim_packet_put(&sim, packets[i]);
			assert_true(sim_offer(&sim, refs[source], BYTES, source));
		}
	}
	seconds = sim_seconds(sim.now_ns - start_ns);
	left = LINK_BPS;
	for (unsigned i = 0; i < LEAVES; i++)
		left -= want_bps[i];
	want_bps[1] += left / 4;
	want_bps[3] += left * 3 / 4;
	for (unsigned i = 0; i < LEAVES; i++) {
		double bytes = (double)sim.sent_bytes[sim_index(refs[i])];
		double edge = 8 * BYTES; /* the burst, and packets at both ends */
		double error = fabs(bytes * 8 / seconds / want_bps[i] - 1) -
		               edge * 8 / (want_bps[i] * seconds);

		sim_report("long", fmax(error, 0), SIM_AT_MOST, 0.0001,
		           "%.6g hours, %s: rate error", hours, names[i]);
	}
	sim_report("long", (double)sched_overload_ns(sim.sched), SIM_AT_MOST, 0,
	           "%.6g hours: ns of overload seen", hours);
	sim_destroy(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_drifts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
