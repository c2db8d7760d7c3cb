/* ceil_test.c - ceilings: the long-run rate, any window, bursts after idling, and a
 * ceiling over many classes that wake together. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim.h"

struct conformance {
	double error;        /* relative, of the long-run rate */
	double over_bytes;   /* largest bytes - rate * T of all windows */
	uint32_t edge_bytes; /* what one packet more or less at an end may change */
	double window_bytes;
};

/* One backlogged leaf with a ceiling: its rate from first packet to last. */
static struct conformance
measure_ceiling(uint64_t rate_bps, enum sim_sizes sizes, double seconds)
{
	struct sim_packet *packets[SIM_BATCH];
	struct conformance result = {0};
	uint64_t first_ns = 0, last_ns = 0, end_ns, warm_ns;
	double bytes = 0, last_bytes = 0;
	struct sim_meter meter;
	struct sim sim;
	uint32_t leaf;

	sim_init(&sim, 8, 256, 10 * SIM_GBPS);
	leaf = sim_add(&sim, sched_root(sim.sched), true, 0, rate_bps, 1);
	sim_meter_init(&meter, rate_bps, sim.now_ns);
	for (int i = 0; i < 32; i++)
		sim_offer(&sim, leaf, sim_size(&sim.random, sizes), 0);
	warm_ns = sim.now_ns + (uint64_t)(seconds / 4 * 1e9);
	end_ns = sim.now_ns + (uint64_t)(seconds * 1e9);
	while (sim.now_ns < end_ns) {
		/* A class that waits for seconds need not be polled all the time. */
		uint64_t next_ns = sched_next_event_ns(sim.sched, sim.now_ns);
		unsigned count;

		sim_step(&sim);
		if (next_ns > sim.now_ns)
			sim.now_ns = next_ns + sim_random_below(&sim.random, 4000);
		count = sim_dequeue(&sim, packets);

		for (unsigned i = 0; i < count; i++) {
			last_bytes = packets[i]->item.charged_bytes;
			sim_meter_add(&meter, sim.now_ns, (uint32_t)last_bytes);
			if (sim.now_ns >= warm_ns) {
				first_ns = first_ns ? first_ns : sim.now_ns;
				last_ns = sim.now_ns;
				bytes += last_bytes;
			}
			sim_packet_put(&sim, packets[i]);
			assert_true(
				sim_offer(&sim, leaf, sim_size(&sim.random, sizes), 0));
		}
	}
	/* What was sent last is paid for by the time after it. */
	bytes -= last_bytes;
	result.window_bytes = (double)rate_bps / 8 * sim_seconds(last_ns - first_ns);
	result.error = bytes / result.window_bytes - 1;
	result.over_bytes = meter.max_bytes;
	result.edge_bytes = sizes == SIM_SIZES_64     ? 64
	                    : sizes == SIM_SIZES_1514 ? 1514
	                                              : SIM_BYTES_MAX;
	sim_destroy(&sim);
	return result;
}

static void
test_t1_t5_ceiling_holds_at_every_rate_size_and_window(void **state)
{
	static const uint64_t rates_mbps[] = {1, 8, 64, 512, 5000};
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rates_mbps); r++) {
		uint64_t rate_bps = rates_mbps[r] * SIM_MBPS;
		double seconds = rates_mbps[r] < 4 ? 40 : rates_mbps[r] > 1000 ? 1 : 10;

		for (unsigned s = 0; s < SIM_SIZES_KINDS; s++) {
			struct conformance got = measure_ceiling(rate_bps, s, seconds);
			double edge = got.edge_bytes / got.window_bytes;
			double bound = sim_default_burst_bytes(rate_bps) + got.edge_bytes;

			/* With equal packets the ends of the window are exact. */
			if (s >= SIM_SIZES_MIXED)
				got.error = fabs(got.error) > edge
				                    ? fabs(got.error) - edge
				                    : 0;
			sim_report("T1", fabs(got.error), SIM_AT_MOST, 0.005,
			           "ceiling of %lu Mbit/s, %s: error",
			           (unsigned long)rates_mbps[r], sim_sizes_name(s));
			sim_report("T5", got.over_bytes, SIM_AT_MOST, bound + 1,
			           "ceiling of %lu Mbit/s, %s: B above it in any window",
			           (unsigned long)rates_mbps[r], sim_sizes_name(s));
		}
	}
}

#define TENANT_LEAVES 100

struct synchronous {
	struct sim_meter tenant;
	uint32_t leaves[TENANT_LEAVES];
	enum sim_sizes sizes;
	uint64_t toggle_ns;
	bool on;
};

/* All leaves of the tenant wake at once, every quarter of a second. */
static void
synchronous_round(struct sim *sim, void *context)
{
	struct synchronous *sync = context;
	unsigned each = sync->sizes == SIM_SIZES_64K ? 8 : 200;

	if (sim->now_ns < sync->toggle_ns)
		return;
	sync->on = !sync->on;
	sync->toggle_ns = sim->now_ns + (sync->on ? 200000000 : 50000000);
	for (unsigned i = 0; sync->on && i < TENANT_LEAVES; i++)
		for (unsigned n = 0; n < each; n++)
			sim_offer(sim, sync->leaves[i],
			          sim_size(&sim->random, sync->sizes), SIM_SOURCE_OTHER);
}

static void
synchronous_sent(struct sim *sim, struct sim_packet *packet, void *context)
{
	struct synchronous *sync = context;

	sim_meter_add(&sync->tenant, sim->now_ns, packet->item.charged_bytes);
	sim_packet_put(sim, packet);
}

static void
measure_synchronous(enum sim_sizes sizes)
{
	struct synchronous sync = {.sizes = sizes};
	struct sim_leaf other = {.sizes = SIM_SIZES_1514, .weight = 1};
	struct sim_run run = {
		.leaves = &other,
		.count = 1,
		.depth = 64,
		.seconds = 5,
		.each_round = synchronous_round,
		.other_sent = synchronous_sent,
		.context = &sync,
	};
	uint32_t tenant, packet = sizes == SIM_SIZES_64K ? SIM_BYTES_MAX : 1514;
	double bound = sim_default_burst_bytes(SIM_GBPS) + packet;
	struct sim sim;

	sim_init(&sim, 200, 100000, 10 * SIM_GBPS);
	tenant = sim_add(&sim, sched_root(sim.sched), false, 950 * SIM_MBPS, SIM_GBPS, 1);
	for (unsigned i = 0; i < TENANT_LEAVES; i++)
		sync.leaves[i] = sim_add(&sim, tenant, true, 9 * SIM_MBPS, 0, 1);
	other.ref = sim_add(&sim, sched_root(sim.sched), true, 8 * SIM_GBPS, 0, 1);
	sim_meter_init(&sync.tenant, SIM_GBPS, sim.now_ns);
	sim_run(&sim, &run);
	sim_report("T6", sync.tenant.max_bytes, SIM_AT_MOST, bound + 1,
	           "%d leaves under 1 Gbit/s wake together, %s: B above it in any window",
	           TENANT_LEAVES, sim_sizes_name(sizes));
	assert_true(sync.tenant.max_bytes > packet);
	sim_destroy(&sim);
}

static void
test_t6_inner_ceiling_holds_when_its_leaves_wake_together(void **state)
{
	(void)state;
	measure_synchronous(SIM_SIZES_1514);
	measure_synchronous(SIM_SIZES_64K);
}

static void
test_t11_idling_earns_no_more_than_the_burst(void **state)
{
	const uint64_t rate_bps = 100 * SIM_MBPS;
	const double bound = 12500 + sim_default_burst_bytes(rate_bps) + 1514;
	struct sim_packet *packets[SIM_BATCH];
	double worst = 0;
	struct sim sim;
	uint32_t leaf;

	(void)state;
	sim_init(&sim, 8, 1024, 10 * SIM_GBPS);
	leaf = sim_add(&sim, sched_root(sim.sched), true, 0, rate_bps, 1);
	for (unsigned round = 0; round < 50; round++) {
		uint64_t start_ns, bytes = 0;

		sim.now_ns += 10 * SIM_NS_PER_SEC;
		start_ns = sim.now_ns;
		for (unsigned i = 0; i < 500; i++)
			assert_true(sim_offer(&sim, leaf, 1514, 0));
		while (sched_backlog_packets(sim.sched)) {
			unsigned count = sim_dequeue(&sim, packets);

			for (unsigned i = 0; i < count; i++) {
				if (sim.now_ns - start_ns <= 1000000)
					bytes += packets[i]->item.charged_bytes;
				sim_packet_put(&sim, packets[i]);
			}
			sim_step(&sim);
		}
		worst = fmax(worst, (double)bytes);
	}
	sim_report("T11", worst, SIM_AT_MOST, bound,
	           "10 s idle at 100 Mbit/s: B in the first ms");
	assert_true(worst > 12500);
	sim_destroy(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_t1_t5_ceiling_holds_at_every_rate_size_and_window),
		cmocka_unit_test(
			test_t6_inner_ceiling_holds_when_its_leaves_wake_together),
		cmocka_unit_test(test_t11_idling_earns_no_more_than_the_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
