/* gate_test.c - what holds a class back besides its ceiling: peaks, ceilings of packets,
 * pauses; and floors of packets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim.h"

static uint32_t
add(struct sim *sim, uint32_t parent, bool is_leaf, struct sched_class_params params)
{
	uint32_t ref = 0;

	params.limit_bytes = SIM_LIMIT_BYTES;
	params.weight = params.weight ? params.weight : 1;
	assert_int_equal(
		sched_class_add(sim->sched, parent, is_leaf, &params, sim->now_ns, &ref),
		0);
	return ref;
}

/* What left a leaf that is kept backlogged, by the millisecond. */
#define RECORD_MS 2000

struct record {
	uint64_t start_ns;
	double bytes[RECORD_MS];
	struct sim_meter meters[2];
};

static void
record_run(struct sim *sim, uint32_t leaf, struct record *record)
{
	struct sim_packet *packets[SIM_BATCH];

	record->start_ns = sim->now_ns;
	for (unsigned i = 0; i < 200; i++)
		assert_true(sim_offer(sim, leaf, 1514, 0));
	for (;;) {
		unsigned count = sim_dequeue(sim, packets);
		uint64_t ms = (sim->now_ns - record->start_ns) / 1000000;

		if (ms >= RECORD_MS)
			return;
		for (unsigned i = 0; i < count; i++) {
			uint32_t bytes = packets[i]->item.charged_bytes;

			record->bytes[ms] += bytes;
			for (unsigned m = 0; m < 2; m++)
				sim_meter_add(&record->meters[m], sim->now_ns, bytes);
			sim_packet_put(sim, packets[i]);
			assert_true(sim_offer(sim, leaf, 1514, 0));
		}
		sim_step(sim);
	}
}

static double
record_bps(const struct record *record, unsigned from_ms, unsigned to_ms)
{
	double bytes = 0;

	for (unsigned ms = from_ms; ms < to_ms; ms++)
		bytes += record->bytes[ms];
	return bytes * 8 * 1000 / (to_ms - from_ms);
}

/* Average, peak and burst as libvirt has them: 100 and 200 Mbit/s, 2 MB. */
static void
measure_peak(bool inner)
{
	const struct sched_class_params both = {
		.ceil_bps = 100 * SIM_MBPS,
		.ceil_burst_bytes = 2000000,
		.peak_bps = 200 * SIM_MBPS,
	};
	const struct sched_class_params none = {0};
	const char *name = inner ? "inner class" : "leaf";
	struct record *record = calloc(1, sizeof(*record));
	struct sim sim;
	uint32_t leaf;

	assert_non_null(record);
	sim_init(&sim, 16, 1000, 10 * SIM_GBPS);
	leaf = inner ? add(&sim, add(&sim, sched_root(sim.sched), false, both), true,
	                   none)
	             : add(&sim, sched_root(sim.sched), true, both);
	sim_meter_init(&record->meters[0], 100 * SIM_MBPS, sim.now_ns);
	sim_meter_init(&record->meters[1], 200 * SIM_MBPS, sim.now_ns);
	sim.now_ns += 10 * SIM_NS_PER_SEC;
	record_run(&sim, leaf, record);
	/* 2 MB last for 160 ms beyond the average. */
	sim_report("peak", fabs(record_bps(record, 1, 155) / 200e6 - 1), SIM_AT_MOST,
	           0.005, "%s: rate error while the burst lasts", name);
	sim_report("peak", fabs(record_bps(record, 165, RECORD_MS) / 100e6 - 1),
	           SIM_AT_MOST, 0.005, "%s: rate error after it", name);
	sim_report("peak", record->meters[0].max_bytes, SIM_AT_MOST, 2000000 + 1514 + 1,
	           "%s: B above the average in any window", name);
	sim_report("peak", record->meters[1].max_bytes, SIM_AT_MOST,
	           sim_default_burst_bytes(200 * SIM_MBPS) + 1514 + 1,
	           "%s: B above the peak in any window", name);
	sim_destroy(&sim);
	free(record);
}

static void
test_peak_holds_while_the_burst_lasts(void **state)
{
	(void)state;
	measure_peak(false);
	measure_peak(true);
}

enum place { AT_LEAF, ABOVE_LEAVES, AT_ROOT };

/* Four backlogged leaves, of which the first or all are under a ceiling of packets. */
static void
measure_packet_ceiling(enum place place, uint32_t pps, enum sim_sizes sizes)
{
	const struct sched_class_params ceil = {.ceil_pps = pps}, none = {0};
	static const char *const names[] = {"leaf", "inner class", "root"};
	double burst = fmax(pps / 1000, 32), largest = 1, sent = 0, seconds, error;
	struct sim_packet *packets[SIM_BATCH];
	uint32_t up, leaves[4], count = place == AT_LEAF ? 1 : 4;
	uint64_t start_ns = 0, last_ns = 0, end_ns;
	struct sim_meter meter;
	struct sim sim;

	sim_init(&sim, 16, 1000, 100 * SIM_GBPS);
	up = sched_root(sim.sched);
	if (place == AT_ROOT)
		assert_int_equal(sched_class_set(sim.sched, up, &ceil, sim.now_ns), 0);
	if (place == ABOVE_LEAVES)
		up = add(&sim, up, false, ceil);
	for (unsigned i = 0; i < 4; i++)
		leaves[i] = add(&sim, up, true, place == AT_LEAF ? ceil : none);
	/* The burst is there from the start, and used up first. */
	sim.now_ns += 10 * SIM_NS_PER_SEC;
	sim_meter_init(&meter, (uint64_t)pps * 8, sim.now_ns);
	for (unsigned i = 0; i < count * 100; i++)
		assert_true(sim_offer(&sim, leaves[i % count],
		                      sim_size(&sim.random, sizes), i % count));
	end_ns = sim.now_ns + (uint64_t)fmax(4e9, 3e12 / pps);
	while (sim.now_ns < end_ns) {
		uint64_t next_ns = sched_next_event_ns(sim.sched, sim.now_ns);
		unsigned n;

		sim_step(&sim);
		sim.now_ns = next_ns > sim.now_ns ? next_ns : sim.now_ns;
		n = sim_dequeue(&sim, packets);
		for (unsigned i = 0; i < n; i++) {
			uint32_t wire = packets[i]->item.charged_packets;
			uint32_t source = packets[i]->source;

			sim_meter_add(&meter, sim.now_ns, wire);
			largest = fmax(largest, wire);
			/* Measured from the moment at which the burst is used up. */
			if (meter.max_bytes >= burst - 1) {
				start_ns = start_ns ? start_ns : sim.now_ns;
				sent += last_ns ? wire : 0;
				last_ns = sim.now_ns;
			}
			sim_packet_put(&sim, packets[i]);
			assert_true(sim_offer(&sim, leaves[source],
			                      sim_size(&sim.random, sizes), source));
		}
	}
	seconds = sim_seconds(last_ns - start_ns);
	error = fabs(sent / seconds / pps - 1) - largest / (pps * seconds);
	sim_report("ceil_pps", error, SIM_AT_MOST, 0.005, "%s, %u packets/s, %s: error",
	           names[place], pps, sim_sizes_name(sizes));
	sim_report("ceil_pps", meter.max_bytes, SIM_AT_MOST, burst + largest + 1e-3,
	           "%s, %u packets/s, %s: packets above it in any window", names[place],
	           pps, sim_sizes_name(sizes));
	assert_true(sent > 1000);
	sim_destroy(&sim);
}

static void
test_packet_ceilings_hold_at_every_level(void **state)
{
	static const uint32_t rates[] = {10, 1000, 50000, 1000000};

	(void)state;
	for (unsigned place = AT_LEAF; place <= AT_ROOT; place++)
		for (unsigned r = 0; r < ARRAY_SIZE(rates); r++) {
			measure_packet_ceiling(place, rates[r], SIM_SIZES_64);
			measure_packet_ceiling(place, rates[r], SIM_SIZES_MIXED);
		}
}

/* Ten seconds of debt at the old rate are paid at the new one. */
static void
test_packets_owed_stay_the_same_when_the_rate_changes(void **state)
{
	struct sched_class_params params = {.ceil_pps = 10, .ceil_burst_packets = 1};
	struct sim_packet *packets[SIM_BATCH];
	uint64_t changed_ns;
	struct sim sim;
	uint32_t leaf;

	(void)state;
	sim_init(&sim, 16, 10, 10 * SIM_GBPS);
	leaf = add(&sim, sched_root(sim.sched), true, params);
	for (unsigned i = 0; i < 10; i++)
		assert_true(sim_offer(&sim, leaf, 100 * 1514, i));
	/* An item of 100 packets, and one after it within the burst at most. */
	assert_in_range(sim_dequeue(&sim, packets), 1, 1);
	params.ceil_pps = 1000;
	params.limit_bytes = SIM_LIMIT_BYTES;
	changed_ns = sim.now_ns;
	assert_int_equal(sched_class_set(sim.sched, leaf, &params, sim.now_ns), 0);
	while (!sim_dequeue(&sim, packets))
		sim_step(&sim);
	/* 100 packets less the one that the burst allowed. */
	sim_report("ceil_pps", fabs((double)(sim.now_ns - changed_ns) / 1e6 - 99.5),
	           SIM_AT_MOST, 1,
	           "10 packets/s changed to 1000 with 100 owed: ms off 99.5");
	sim_destroy(&sim);
}

/* A class among others that would take everything, with a floor of bits and packets. */
static void
measure_packet_floor(enum sim_sizes sizes, double want_bps)
{
	struct sim_leaf leaves[5] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = 5,
		.depth = 64,
		.warm_seconds = 0.5,
		.seconds = 4,
	};
	uint32_t tenant;
	double bps, others = 1e9;
	struct sim sim;

	sim_init(&sim, 16, 400, SIM_GBPS);
	tenant = add(&sim, sched_root(sim.sched), false,
	             (struct sched_class_params){.floor_bps = 300 * SIM_MBPS});
	leaves[0].sizes = sizes;
	leaves[0].ref = add(&sim, tenant, true,
	                    (struct sched_class_params){.floor_bps = 10 * SIM_MBPS,
	                                                .floor_pps = 20000});
	for (unsigned i = 1; i < 5; i++) {
		leaves[i].sizes = SIM_SIZES_1514;
		leaves[i].ref = add(&sim, i == 1 ? tenant : sched_root(sim.sched), true,
		                    (struct sched_class_params){
					    .floor_bps = (i == 1 ? 50 : 200) * SIM_MBPS,
					    .weight = 1024,
				    });
	}
	sim_run(&sim, &run);
	bps = sim_leaf_bps(&run, &leaves[0]);
	for (unsigned i = 1; i < 5; i++)
		others = fmin(others,
		              sim_leaf_bps(&run, &leaves[i]) / (i == 1 ? 50e6 : 200e6));
	sim_report("floor_pps", bps / want_bps, SIM_AT_LEAST, 0.99,
	           "floor of 10 Mbit/s and 20000 packets/s, %s: rate/floor",
	           sim_sizes_name(sizes));
	/* Nor does it take what it was not promised: the rest has more weight. */
	sim_report("floor_pps", bps / want_bps, SIM_AT_MOST, 1.03, "the same, above it");
	sim_report("floor_pps", others, SIM_AT_LEAST, 0.99, "the same, of the others");
	sim_destroy(&sim);
}

static void
test_packet_floors_hold_besides_floors_of_bits(void **state)
{
	(void)state;
	measure_packet_floor(SIM_SIZES_64, 20000 * 64 * 8);
	measure_packet_floor(SIM_SIZES_1514, 20000 * 1514 * 8);
	/* 44 segments each: a little less than 1514 B per packet. */
	measure_packet_floor(SIM_SIZES_64K, 20000 / 44.0 * SIM_BYTES_MAX * 8);
}

struct parker {
	uint32_t leaf;
	unsigned parks;
};

/* Now and then the first leaf is held back for as long as a full ring takes. */
static void
parker_round(struct sim *sim, void *context)
{
	struct parker *parker = context;

	if (sim_random_below(&sim->random, 300))
		return;
	sched_leaf_park(sim->sched, parker->leaf,
	                sim->now_ns + sim_random_below(&sim->random, 200000),
	                sim->now_ns);
	parker->parks++;
}

/* Others lose nothing while one of them is held back, and the link is in use. */
static void
test_parking_a_leaf_costs_others_nothing(void **state)
{
	struct sim_leaf leaves[4] = {{0}};
	struct parker parker = {0};
	struct sim_run run = {
		.leaves = leaves,
		.count = 4,
		.depth = 64,
		.warm_seconds = 0.2,
		.seconds = 4,
		.each_round = parker_round,
		.context = &parker,
	};
	double least = 1e9, bps;
	uint32_t tenant;
	struct sim sim;

	(void)state;
	sim_init(&sim, 16, 300, 10 * SIM_GBPS);
	tenant = add(&sim, sched_root(sim.sched), false,
	             (struct sched_class_params){.floor_bps = 4 * SIM_GBPS});
	for (unsigned i = 0; i < 4; i++) {
		leaves[i].floor_bps = 1900 * SIM_MBPS;
		leaves[i].sizes = i % 2 ? SIM_SIZES_MIXED : SIM_SIZES_1514;
		leaves[i].ref = add(&sim, i < 2 ? tenant : sched_root(sim.sched), true,
		                    (struct sched_class_params){
					    .floor_bps = leaves[i].floor_bps,
					    .ceil_bps = i ? 0 : 2000 * SIM_MBPS,
					    .ceil_burst_bytes = 1 << 20,
				    });
	}
	parker.leaf = leaves[0].ref;
	sim_run(&sim, &run);
	for (unsigned i = 1; i < 4; i++)
		least = fmin(least, sim_leaf_bps(&run, &leaves[i]) / 1900e6);
	bps = run.sent_bytes * 8 / run.seconds;
	assert_true(parker.parks > 1000);
	sim_report("park", bps / 10e9, SIM_AT_LEAST, 0.999, "use of the link");
	sim_report("park", least, SIM_AT_LEAST, 0.99, "rate/floor of the others");
	sim_report("park", sim_leaf_bps(&run, &leaves[0]) / 2e9, SIM_AT_MOST, 1.0005,
	           "rate/ceiling of the parked");
	sim_destroy(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peak_holds_while_the_burst_lasts),
		cmocka_unit_test(test_packet_ceilings_hold_at_every_level),
		cmocka_unit_test(test_packets_owed_stay_the_same_when_the_rate_changes),
		cmocka_unit_test(test_packet_floors_hold_besides_floors_of_bits),
		cmocka_unit_test(test_parking_a_leaf_costs_others_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
