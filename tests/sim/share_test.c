/* share_test.c - the excess: shares by weight, default weights, priorities, no bandwidth
 * left unused, and deep trees. */
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
#define MANY 1000
#else
#define MANY 10000
#endif

#define SHARERS 20

/* Twenty classes of weights 1..20, each with a floor of 1 % of the link. */
static void
measure_shares(int sizes, double seconds)
{
	struct sim_leaf leaves[SHARERS] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = SHARERS,
		.depth = 64,
		.warm_seconds = seconds / 5,
		.seconds = seconds,
	};
	double worst = 0;
	struct sim sim;

	sim_init(&sim, 100, SHARERS * 64, 10 * SIM_GBPS);
	for (unsigned i = 0; i < SHARERS; i++) {
		leaves[i].sizes = sizes < 0 ? i % SIM_SIZES_KINDS : (enum sim_sizes)sizes;
		leaves[i].ref = sim_add(&sim, sched_root(sim.sched), true, 100 * SIM_MBPS,
		                        0, i + 1);
	}
	sim_run(&sim, &run);
	for (unsigned i = 0; i < SHARERS; i++) {
		double want = 0.1e9 + 8e9 * (i + 1) / 210;

		worst = fmax(worst, fabs(sim_leaf_bps(&run, &leaves[i]) / want - 1));
	}
	sim_report("T4", worst, SIM_AT_MOST, 0.005,
	           "weights 1..20, %s, %.0f s: share off by",
	           sizes < 0 ? "sizes by leaf" : sim_sizes_name((enum sim_sizes)sizes),
	           seconds);
	sim_destroy(&sim);
}

static void
test_t4_excess_goes_by_weight(void **state)
{
	(void)state;
	measure_shares(SIM_SIZES_1514, 3);
	measure_shares(SIM_SIZES_64K, 10);
	measure_shares(SIM_SIZES_MIXED, 10);
	measure_shares(-1, 10);
}

/* Without weights the excess goes by the floors, over five decades of them. */
static void
test_t4_weights_default_to_the_floors(void **state)
{
	static const uint64_t floors_mbps[] = {1, 10, 100, 1000, 10000, 30000};
	struct sim_leaf leaves[ARRAY_SIZE(floors_mbps)] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = ARRAY_SIZE(floors_mbps),
		.depth = 200,
		.warm_seconds = 1,
		.seconds = 8,
	};
	double sum = 0, worst = 0;
	struct sim sim;

	(void)state;
	sim_init(&sim, 100, 1200, 100 * SIM_GBPS);
	for (unsigned i = 0; i < run.count; i++) {
		sum += (double)floors_mbps[i] * 1e6;
		leaves[i].sizes = SIM_SIZES_1514;
		leaves[i].ref = sim_add(&sim, sched_root(sim.sched), true,
		                        floors_mbps[i] * SIM_MBPS, 0, 0);
	}
	sim_run(&sim, &run);
	for (unsigned i = 0; i < run.count; i++) {
		double want = 100e9 * (double)floors_mbps[i] * 1e6 / sum;
		double off = sim_leaf_bps(&run, &leaves[i]) / want - 1;

		worst = fmax(worst, fabs(off));
	}
	sim_report("T4", worst, SIM_AT_MOST, 0.005,
	           "default weights, floors 1 Mbit/s .. 30 Gbit/s of 100: share off by");
	sim_destroy(&sim);
}

/* The first priority takes all the excess it can, the floors of the others stand. */
static void
test_priorities_take_the_excess_in_turn(void **state)
{
	struct sim_leaf leaves[SCHED_PRIORITIES + 1] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = ARRAY_SIZE(leaves),
		.depth = 64,
		.warm_seconds = 0.1,
		.seconds = 2,
	};
	struct sim sim;

	(void)state;
	sim_init(&sim, 100, 64 * ARRAY_SIZE(leaves), 10 * SIM_GBPS);
	for (unsigned i = 0; i < run.count; i++) {
		struct sched_class_params params = {
			.floor_bps = 100 * SIM_MBPS,
			.priority = (uint8_t)(i % SCHED_PRIORITIES),
			/* Priority 0 wants 3 Gbit/s, 1 has two classes that want 2. */
			.ceil_bps = i == 0   ? 3 * SIM_GBPS
		                    : i == 1 ? 2 * SIM_GBPS
		                             : 0,
			.weight = 1,
			/* Others' 64 KB packets keep it waiting for more than 200 us. */
			.ceil_burst_bytes = 250000,
			.limit_bytes = SIM_LIMIT_BYTES,
		};

		/* The ninth shares priority 1 with weight 2. */
		if (i == SCHED_PRIORITIES) {
			params.priority = 1;
			params.ceil_bps = 2 * SIM_GBPS;
			params.weight = 2;
		}
		leaves[i].sizes = i % 3 == 2 ? SIM_SIZES_64K : SIM_SIZES_1514;
		assert_int_equal(sched_class_add(sim.sched, sched_root(sim.sched), true,
		                                 &params, sim.now_ns, &leaves[i].ref),
		                 0);
	}
	sim_run(&sim, &run);
	printf("Priorities: 0 %.3f Gbit/s of 3, 1 %.3f + %.3f of 4, 2 %.3f of the rest 2.5, 3..7 %.3f .. %.3f of 0.1\n",
	       sim_leaf_bps(&run, &leaves[0]) / 1e9, sim_leaf_bps(&run, &leaves[1]) / 1e9,
	       sim_leaf_bps(&run, &leaves[8]) / 1e9, sim_leaf_bps(&run, &leaves[2]) / 1e9,
	       sim_leaf_bps(&run, &leaves[3]) / 1e9,
	       sim_leaf_bps(&run, &leaves[7]) / 1e9);
	assert_true(fabs(sim_leaf_bps(&run, &leaves[0]) / 3e9 - 1) < 0.002);
	assert_true(fabs(sim_leaf_bps(&run, &leaves[1]) / 2e9 - 1) < 0.002);
	assert_true(fabs(sim_leaf_bps(&run, &leaves[8]) / 2e9 - 1) < 0.002);
	assert_true(fabs(sim_leaf_bps(&run, &leaves[2]) / 2.5e9 - 1) < 0.01);
	for (unsigned i = 3; i < 8; i++)
		assert_true(fabs(sim_leaf_bps(&run, &leaves[i]) / 0.1e9 - 1) < 0.01);
	sim_destroy(&sim);
}

/* Any set of backlogged classes uses the whole link. */
static void
test_t8_nothing_is_left_unused(void **state)
{
	static const unsigned active[] = {1, 2, 37, 1000};
	struct sim_leaf *leaves = calloc(1000, sizeof(*leaves));
	uint32_t tenants[10], *refs = calloc(MANY, sizeof(*refs));
	struct sim sim;

	(void)state;
	assert_true(leaves && refs);
	for (unsigned a = 0; a < ARRAY_SIZE(active); a++) {
		struct sim_run run = {
			.leaves = leaves,
			.count = active[a],
			.depth = 64,
			.warm_seconds = 0.05,
			.seconds = 0.5,
		};
		double share;

		sim_init(&sim, MANY + 20, 64 * 1000, 10 * SIM_GBPS);
		for (unsigned t = 0; t < 10; t++)
			tenants[t] = sim_add(&sim, sched_root(sim.sched), false,
			                     900 * SIM_MBPS, 0, t + 1);
		for (unsigned i = 0; i < MANY; i++)
			refs[i] = sim_add(&sim, tenants[i % 10], true,
			                  8 * SIM_GBPS / MANY, 0, 1 + i % 50);
		for (unsigned i = 0; i < active[a]; i++) {
			leaves[i] = (struct sim_leaf){
				.sizes = i % 2 ? SIM_SIZES_MIXED : SIM_SIZES_1514,
				.ref = refs[(i * 7919U) % MANY],
			};
		}
		sim_run(&sim, &run);
		share = run.sent_bytes * 8 / run.seconds / 10e9;
		sim_report("T8", share, SIM_AT_LEAST, 0.999,
		           "%u of %d classes backlogged: use of the link", active[a],
		           MANY);
		assert_true(share <= 1.001);
		sim_destroy(&sim);
	}
	free(refs);
	free(leaves);
}

#define CHAIN (SCHED_LEVELS_MAX - 1)

/* A chain of eight inner classes; one with a floor and a ceiling at every level, one with
 * neither. */
static void
test_t14_floors_and_ceilings_hold_at_the_end_of_deep_chains(void **state)
{
	struct sim_leaf leaves[4] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = 4,
		.depth = 64,
		.warm_seconds = 0.2,
		.seconds = 3,
	};
	uint32_t up, plain;
	struct sim sim;

	(void)state;
	sim_init(&sim, 100, 256, 10 * SIM_GBPS);
	up = plain = sched_root(sim.sched);
	for (unsigned i = 0; i < CHAIN; i++) {
		up = sim_add(&sim, up, false, (2000 - i * 100) * SIM_MBPS,
		             (4000 - i * 100) * SIM_MBPS, 1);
		plain = sim_add(&sim, plain, false, 0, 0, 1);
	}
	leaves[0].ref = sim_add(&sim, up, true, SIM_GBPS, 0, 1);
	leaves[1].ref = sim_add(&sim, up, true, 200 * SIM_MBPS, 0, 3);
	leaves[2].ref = sim_add(&sim, plain, true, 0, 500 * SIM_MBPS, 1);
	leaves[3].ref = sim_add(&sim, sched_root(sim.sched), true, 7 * SIM_GBPS, 0, 1024);
	for (unsigned i = 0; i < 4; i++)
		leaves[i].sizes = SIM_SIZES_1514;
	sim_run(&sim, &run);
	/* The chain's floors: 1.2 of the leaves, 1.3 at its end, 2 at its top. */
	sim_report("T14", sim_leaf_bps(&run, &leaves[0]) / 1e9, SIM_AT_LEAST, 0.99,
	           "%d inner classes in a chain: rate/floor of the leaf", CHAIN);
	sim_report("T14",
	           (sim_leaf_bps(&run, &leaves[0]) + sim_leaf_bps(&run, &leaves[1])) /
	                   2e9,
	           SIM_AT_LEAST, 0.99, "the same, of the first inner class");
	assert_true(sim_leaf_bps(&run, &leaves[1]) >= 0.99 * 200e6);
	assert_true(sim_leaf_bps(&run, &leaves[3]) >= 0.99 * 7e9);
	sim_destroy(&sim);
}

static void
test_t14_the_lowest_ceiling_of_a_chain_counts(void **state)
{
	struct sim_leaf leaf = {.sizes = SIM_SIZES_1514};
	struct sim_run run = {
		.leaves = &leaf,
		.count = 1,
		.depth = 64,
		.warm_seconds = 0.1,
		.seconds = 2,
	};

	(void)state;
	for (unsigned lowest = 0; lowest < CHAIN; lowest += 3) {
		struct sim sim;
		uint32_t up;

		sim_init(&sim, 100, 64, 10 * SIM_GBPS);
		up = sched_root(sim.sched);
		for (unsigned i = 0; i < CHAIN; i++)
			up = sim_add(&sim, up, false, 100 * SIM_MBPS,
			             (i == lowest ? 400 : 450) * SIM_MBPS, 1);
		leaf = (struct sim_leaf){
			.sizes = SIM_SIZES_1514,
			.ref = sim_add(&sim, up, true, 0, 0, 1),
		};
		run.sent_bytes = 0;
		sim_run(&sim, &run);
		sim_report("T14", fabs(sim_leaf_bps(&run, &leaf) / 400e6 - 1),
		           SIM_AT_MOST, 0.002,
		           "lowest ceiling at level %u of %d: rate error", lowest + 1,
		           CHAIN);
		sim_destroy(&sim);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_t4_excess_goes_by_weight),
		cmocka_unit_test(test_t4_weights_default_to_the_floors),
		cmocka_unit_test(test_priorities_take_the_excess_in_turn),
		cmocka_unit_test(test_t8_nothing_is_left_unused),
		cmocka_unit_test(
			test_t14_floors_and_ceilings_hold_at_the_end_of_deep_chains),
		cmocka_unit_test(test_t14_the_lowest_ceiling_of_a_chain_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
