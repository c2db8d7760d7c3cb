/* floor_test.c - floors: of leaves and of inner classes under overload, inside a capped
 * tenant, the delay of a class within its floor, and that nothing starves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim.h"

#define TENANTS 10
#define GROUPS  10 /* per tenant */

#if defined(SIM_SMALL)
#define LEAVES 1000
#else
#define LEAVES 10000
#endif

/* Root, 10 tenants, 100 groups, leaves spread over the groups. */
struct tree {
	uint32_t tenants[TENANTS];
	uint32_t groups[TENANTS * GROUPS];
	uint64_t tenant_bps;
	uint64_t group_bps;
	struct sim_leaf leaves[LEAVES];
};

static void
tree_make_inner(struct sim *sim, struct tree *tree, uint64_t link_bps)
{
	tree->tenant_bps = link_bps * 95 / 100 / TENANTS;
	tree->group_bps = tree->tenant_bps * 95 / 100 / GROUPS;
	for (unsigned t = 0; t < TENANTS; t++) {
		tree->tenants[t] = sim_add(sim, sched_root(sim->sched), false,
		                           tree->tenant_bps, 0, 1);
		for (unsigned g = 0; g < GROUPS; g++)
			tree->groups[t * GROUPS + g] = sim_add(
				sim, tree->tenants[t], false, tree->group_bps, 0, 1);
	}
}

/* Floors spread over two decades, together 'part' of their group's; random weights. */
static void
tree_make_leaves(struct sim *sim, struct tree *tree, double part, int sizes)
{
	double sum[TENANTS * GROUPS] = {0}, *want = calloc(LEAVES, sizeof(*want));

	assert_non_null(want);
	for (unsigned i = 0; i < LEAVES; i++) {
		want[i] = pow(10, 2 * sim_random_unit(&sim->random));
		sum[i % (TENANTS * GROUPS)] += want[i];
	}
	for (unsigned i = 0; i < LEAVES; i++) {
		unsigned group = i % (TENANTS * GROUPS);
		struct sim_leaf *leaf = &tree->leaves[i];

		leaf->floor_bps =
			(uint64_t)((double)tree->group_bps * part * want[i] / sum[group]);
		leaf->weight = 1 + sim_random_below(&sim->random, 100);
		leaf->sizes =
			sizes < 0 ? 1 + sim_random_below(&sim->random, SIM_SIZES_MIXED)
				  : (enum sim_sizes)sizes;
		leaf->ref = sim_add(sim, tree->groups[group], true, leaf->floor_bps, 0,
		                    leaf->weight);
	}
	free(want);
}

static double
sent_bps(const struct sim *sim, uint32_t ref, uint64_t before_bytes, double seconds)
{
	struct sched_class_stats stats;

	assert_true(sched_class_get_stats(sim->sched, ref, &stats));
	return (double)(stats.sent_bytes - before_bytes) * 8 / seconds;
}

static uint32_t
largest_packet(const struct sim_leaf *leaf)
{
	return leaf->sizes == SIM_SIZES_64     ? 64
	       : leaf->sizes == SIM_SIZES_1514 ? 1514
	                                       : SIM_BYTES_MAX;
}

/* T2: every leaf gets its floor, and at no time lags by more than its burst and two
 * packets. T3: so does every class above. */
static void
measure_floors(uint64_t link_gbps, int sizes, double seconds)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	uint64_t link_bps = link_gbps * SIM_GBPS;
	double least_leaf = 1e9, least_tenant = 1e9, least_group = 1e9, worst_lag = 0;
	struct sim_run run = {
		.count = LEAVES,
		.depth = 2,
		.warm_seconds = seconds / 4,
		.seconds = seconds,
	};
	double whole = run.warm_seconds + run.seconds;
	struct sim sim;

	assert_non_null(tree);
	run.leaves = tree->leaves;
	sim_init(&sim, LEAVES + 200, 2 * LEAVES, link_bps);
	tree_make_inner(&sim, tree, link_bps);
	tree_make_leaves(&sim, tree, 0.9, sizes);
	sim_run(&sim, &run);
	for (unsigned i = 0; i < LEAVES; i++) {
		const struct sim_leaf *leaf = &tree->leaves[i];
		double floor_bps = (double)leaf->floor_bps;
		double edge = largest_packet(leaf) * 8.0 / (floor_bps * run.seconds);
		double lag_allowed = sim_default_burst_bytes(leaf->floor_bps) +
		                     2.0 * largest_packet(leaf);

		least_leaf =
			fmin(least_leaf, sim_leaf_bps(&run, leaf) / floor_bps + edge);
		worst_lag = fmax(worst_lag, leaf->max_lag_bytes / lag_allowed);
	}
	for (unsigned t = 0; t < TENANTS; t++)
		least_tenant =
			fmin(least_tenant, sent_bps(&sim, tree->tenants[t], 0, whole) /
		                                   (double)tree->tenant_bps);
	for (unsigned g = 0; g < TENANTS * GROUPS; g++)
		least_group =
			fmin(least_group, sent_bps(&sim, tree->groups[g], 0, whole) /
		                                  (double)tree->group_bps);
	sim_report("T2", least_leaf, SIM_AT_LEAST, 0.99,
	           "%lu Gbit/s, %d leaves, %s: rate/floor", (unsigned long)link_gbps,
	           LEAVES,
	           sizes < 0 ? "sizes by leaf" : sim_sizes_name((enum sim_sizes)sizes));
	sim_report("T2", worst_lag, SIM_AT_MOST, 1,
	           "the same: lag at any time, in bursts + 2 packets");
	sim_report("T3", fmin(least_tenant, least_group), SIM_AT_LEAST, 0.99,
	           "the same: rate/floor of tenants and groups");
	sim_destroy(&sim);
	free(tree);
}

static void
test_t2_t3_floors_hold_under_overload(void **state)
{
	(void)state;
	measure_floors(10, SIM_SIZES_1514, 2);
	measure_floors(25, SIM_SIZES_MIXED, 8);
	measure_floors(100, -1, 1);
}

/* The floor of a class whose leaves have next to none of their own, against siblings of a
 * thousand times its weight. */
static void
test_t3_inner_floors_need_no_floors_below(void **state)
{
	struct sim_leaf leaves[100] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = 100,
		.depth = 4,
		.warm_seconds = 0.2,
		.seconds = 2,
	};
	uint32_t tenants[2], groups[4];
	double bps[4] = {0};
	struct sim sim;

	(void)state;
	sim_init(&sim, 200, 400, 10 * SIM_GBPS);
	tenants[0] = sim_add(&sim, sched_root(sim.sched), false, 4 * SIM_GBPS, 0, 1);
	tenants[1] = sim_add(&sim, sched_root(sim.sched), false, SIM_GBPS, 0, 1000);
	groups[0] = sim_add(&sim, tenants[0], false, 3 * SIM_GBPS, 0, 1);
	groups[1] = sim_add(&sim, tenants[0], false, 500 * SIM_MBPS, 0, 1000);
	groups[2] = sim_add(&sim, tenants[1], false, 0, 0, 1);
	groups[3] = sim_add(&sim, tenants[1], false, 900 * SIM_MBPS, 0, 1);
	for (unsigned i = 0; i < 100; i++) {
		leaves[i].sizes = i % SIM_SIZES_KINDS;
		leaves[i].ref = sim_add(&sim, groups[i / 25], true, 0, 0, 1);
	}
	sim_run(&sim, &run);
	for (unsigned i = 0; i < 100; i++)
		bps[i / 25] += sim_leaf_bps(&run, &leaves[i]) / 1e9;
	printf("T3 inner floors alone: tenant %.3f Gbit/s of 4, groups %.3f of 3, %.3f of 0.5, %.3f of 0.9\n",
	       bps[0] + bps[1], bps[0], bps[1], bps[3]);
	assert_true(bps[0] + bps[1] >= 4 * 0.99 && bps[0] >= 3 * 0.99);
	assert_true(bps[1] >= 0.5 * 0.99 && bps[3] >= 0.9 * 0.99);
	/* The heavy tenant has what is left. */
	assert_true(bps[2] + bps[3] >= 5.9);
	sim_destroy(&sim);
}

/* Floors inside a tenant at its ceiling, most of it promised to classes that have hardly
 * any weight. */
static void
measure_capped_tenant(enum sim_sizes sizes)
{
	struct sim_leaf leaves[101] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = 101,
		.depth = 4,
		.warm_seconds = 1,
		.seconds = 8,
	};
	double want[100], sum = 0, least = 1e9, worst_lag = 0, tenant_bps = 0;
	uint32_t tenant, rest;
	struct sim sim;

	sim_init(&sim, 200, 500, 10 * SIM_GBPS);
	tenant = sim_add(&sim, sched_root(sim.sched), false, 950 * SIM_MBPS, SIM_GBPS, 1);
	rest = sim_add(&sim, sched_root(sim.sched), false, 8 * SIM_GBPS, 0, 1);
	for (unsigned i = 0; i < 100; i++)
		sum += want[i] = pow(10, 1.5 * sim_random_unit(&sim.random));
	for (unsigned i = 0; i < 100; i++) {
		double floor_bps = 940e6 * want[i] / sum;

		leaves[i].floor_bps = (uint64_t)floor_bps;
		leaves[i].sizes = sizes;
		leaves[i].ref = sim_add(&sim, tenant, true, leaves[i].floor_bps, 0,
		                        floor_bps > 9.4e6 ? 1 : 100);
	}
	leaves[100].sizes = SIM_SIZES_1514;
	leaves[100].ref = sim_add(&sim, rest, true, 7 * SIM_GBPS, 0, 1);
	sim_run(&sim, &run);
	for (unsigned i = 0; i < 100; i++) {
		double floor_bps = (double)leaves[i].floor_bps;
		double edge =
			2.0 * largest_packet(&leaves[i]) * 8 / (floor_bps * run.seconds);

		tenant_bps += sim_leaf_bps(&run, &leaves[i]);
		least = fmin(least, sim_leaf_bps(&run, &leaves[i]) / floor_bps + edge);
		worst_lag = fmax(worst_lag, leaves[i].max_lag_bytes);
	}
	sim_report("T7", least, SIM_AT_LEAST, 0.99,
	           "floors of 0.94 under a ceiling of 1 Gbit/s, %s: rate/floor",
	           sim_sizes_name(sizes));
	printf("worst lag %.0f B\n", worst_lag);
	assert_true(tenant_bps <= 1.0001e9 && tenant_bps >= 0.999e9);
	sim_destroy(&sim);
}

static void
test_t7_floors_hold_inside_a_tenant_at_its_ceiling(void **state)
{
	(void)state;
	measure_capped_tenant(SIM_SIZES_1514);
	measure_capped_tenant(SIM_SIZES_64K);
	measure_capped_tenant(SIM_SIZES_MIXED);
}

#define PROBES_MAX 4000

struct probe {
	uint32_t ref;
	uint64_t next_ns;
	double link_bps;
	double delay_us[PROBES_MAX];
	unsigned count;
	double batch_bytes; /* sent before it in the same round */
};

static void
probe_round(struct sim *sim, void *context)
{
	struct probe *probe = context;

	if (sim->now_ns < probe->next_ns)
		return;
	assert_true(sim_offer(sim, probe->ref, 200, SIM_SOURCE_OTHER));
	probe->next_ns = sim->now_ns + 5000000 + sim_random_below(&sim->random, 10000000);
}

static void
probe_sent(struct sim *sim, struct sim_packet *packet, void *context)
{
	struct probe *probe = context;

	if (probe->count < PROBES_MAX)
		probe->delay_us[probe->count++] =
			(double)(sim->now_ns - packet->offered_ns) / 1000 +
			200 * 8e6 / probe->link_bps;
	sim_packet_put(sim, packet);
}

static int
compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A class that stays within its floor of 1 Mbit/s, among leaves that all want more. */
static void
measure_delay(uint64_t link_gbps, enum sim_sizes sizes, double seconds)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	struct probe *probe = calloc(1, sizeof(*probe));
	uint64_t link_bps = link_gbps * SIM_GBPS;
	struct sim_run run = {
		.count = LEAVES,
		.depth = 2,
		.seconds = seconds,
		.each_round = probe_round,
		.other_sent = probe_sent,
		.context = probe,
	};
	uint32_t largest = sizes == SIM_SIZES_1514 ? 1514 : SIM_BYTES_MAX;
	/* Two of the largest packets, two stalls of the loop. */
	double bound_us = 2.0 * largest * 8e6 / (double)link_bps + 2 * 100, p50, p99;
	struct sim sim;

	assert_true(tree && probe);
	run.leaves = tree->leaves;
	sim_init(&sim, LEAVES + 200, 2 * LEAVES + 100, link_bps);
	tree_make_inner(&sim, tree, link_bps);
	tree_make_leaves(&sim, tree, 0.85, sizes);
	probe->ref = sim_add(&sim, tree->groups[5], true, SIM_MBPS, 0, 1);
	probe->link_bps = (double)link_bps;
	probe->next_ns = sim.now_ns + (uint64_t)(seconds / 10 * 1e9);
	sim_run(&sim, &run);
	assert_true(probe->count > 50);
	qsort(probe->delay_us, probe->count, sizeof(probe->delay_us[0]), compare_doubles);
	p50 = probe->delay_us[probe->count / 2];
	p99 = probe->delay_us[probe->count * 99 / 100];
	sim_report(
		"T9", p99, SIM_AT_MOST, bound_us,
		"%lu Gbit/s, %d overloaded leaves, %s: p99 delay in us within a floor of 1 Mbit/s",
		(unsigned long)link_gbps, LEAVES, sim_sizes_name(sizes));
	printf("%u packets, p50 %.1f us, max %.1f us\n", probe->count, p50,
	       probe->delay_us[probe->count - 1]);
	sim_destroy(&sim);
	free(probe);
	free(tree);
}

static void
test_t9_delay_within_a_floor_ignores_the_load(void **state)
{
	(void)state;
	measure_delay(10, SIM_SIZES_1514, 6);
	measure_delay(10, SIM_SIZES_64K, 10);
	measure_delay(100, SIM_SIZES_MIXED, 2);
}

/* A class with no floor, the least weight and the last priority. */
static void
measure_starvation(enum sim_sizes sizes, double seconds)
{
	const struct sched_class_params last = {.weight = 1, .priority = 7};
	struct tree *tree = calloc(1, sizeof(*tree));
	struct sim_leaf *leaves = calloc(LEAVES + 1, sizeof(*leaves));
	struct sim_run run = {
		.leaves = leaves,
		.count = LEAVES + 1,
		.depth = 2,
		.warm_seconds = 0.5,
		.seconds = seconds,
	};
	struct sim_leaf *probe;
	struct sim sim;

	assert_true(tree && leaves);
	sim_init(&sim, LEAVES + 200, 2 * LEAVES + 100, 10 * SIM_GBPS);
	tree_make_inner(&sim, tree, 10 * SIM_GBPS);
	tree_make_leaves(&sim, tree, 0.9, sizes);
	for (unsigned i = 0; i < LEAVES; i++)
		leaves[i] = tree->leaves[i];
	probe = &leaves[LEAVES];
	probe->sizes = sizes;
	assert_int_equal(sched_class_add(sim.sched, tree->groups[3], true, &last,
	                                 sim.now_ns, &probe->ref),
	                 0);
	sim_run(&sim, &run);
	assert_true(probe->sent_bytes > 0);
	sim_report("T10", (double)probe->max_gap_ns / 1e6, SIM_AT_MOST, 1000,
	           "no floor, last priority, least weight, %s: ms without service",
	           sim_sizes_name(sizes));
	sim_destroy(&sim);
	free(leaves);
	free(tree);
}

static void
test_t10_nothing_starves(void **state)
{
	(void)state;
	measure_starvation(SIM_SIZES_1514, 2);
	measure_starvation(SIM_SIZES_64K, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_t2_t3_floors_hold_under_overload),
		cmocka_unit_test(test_t3_inner_floors_need_no_floors_below),
		cmocka_unit_test(test_t7_floors_hold_inside_a_tenant_at_its_ceiling),
		cmocka_unit_test(test_t9_delay_within_a_floor_ignores_the_load),
		cmocka_unit_test(test_t10_nothing_starves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
