/* overload_test.c - T21: what becomes of floors when the owner or the link cannot carry
 * them all, and that nothing else is taken for that. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim.h"

#define TENANTS     10
#define TENANT_EACH 10
#define DEPTH       64 /* packets of a leaf */
#define LEAVES      (TENANTS * TENANT_EACH)
#define LINK_BPS    (40 * SIM_GBPS)
#define FLOORS_BPS  (6 * SIM_GBPS) /* of all leaves together */

enum limit { BY_OWNER, BY_LINK };

struct overload {
	struct sim sim;
	uint32_t tenants[TENANTS];
	struct sim_leaf leaves[LEAVES];
};

/* Floors over a decade, sizes by leaf. */
static void
overload_make(struct overload *over, bool ceilings, int sizes)
{
	struct sim *sim = &over->sim;
	double want[LEAVES], sum = 0;

	sim_init(sim, 2 * LEAVES, LEAVES * DEPTH + 20 * DEPTH, LINK_BPS);
	for (unsigned i = 0; i < LEAVES; i++)
		sum += want[i] = pow(10, sim_random_unit(&sim->random));
	for (unsigned t = 0; t < TENANTS; t++) {
		double floor_bps = 0;

		for (unsigned i = t; i < LEAVES; i += TENANTS)
			floor_bps += want[i] / sum * (double)FLOORS_BPS;
		over->tenants[t] =
			sim_add(sim, sched_root(sim->sched), false, (uint64_t)floor_bps,
		                ceilings ? (uint64_t)(floor_bps * 1.05) : 0, 1);
	}
	for (unsigned i = 0; i < LEAVES; i++) {
		struct sim_leaf *leaf = &over->leaves[i];

		*leaf = (struct sim_leaf){
			.floor_bps = (uint64_t)(want[i] / sum * (double)FLOORS_BPS),
			.sizes = sizes < 0 ? i % SIM_SIZES_KINDS : (enum sim_sizes)sizes,
		};
		leaf->ref =
			sim_add(sim, over->tenants[i % TENANTS], true, leaf->floor_bps,
		                ceilings ? leaf->floor_bps : 0, 1 + i % 50);
	}
}

static void
overload_limit(struct overload *over, enum limit limit, double part, double mean_bytes)
{
	struct sched_class_params root = {.ceil_bps = LINK_BPS};
	double floors_pps = (double)FLOORS_BPS / 8 / mean_bytes;

	if (limit == BY_LINK) {
		root.ceil_bps = (uint64_t)(part * (double)FLOORS_BPS);
		assert_int_equal(sched_class_set(over->sim.sched,
		                                 sched_root(over->sim.sched), &root,
		                                 over->sim.now_ns),
		                 0);
		return;
	}
	/* Rounds of up to 32 items cost 2.25 us besides the items'. */
	over->sim.item_ns = (uint64_t)fmax(1e9 / (floors_pps * part) - 2250 / 32.0, 0);
}

static struct sim_run
overload_run(struct overload *over, double warm_seconds, double seconds)
{
	struct sim_run run = {
		.leaves = over->leaves,
		.count = LEAVES,
		.depth = DEPTH,
		.warm_seconds = warm_seconds,
		.seconds = seconds,
	};

	sim_run(&over->sim, &run);
	return run;
}

/* Half of what the floors need. */
static void
measure_overload(enum limit limit, bool ceilings, int sizes, const char *name)
{
	struct overload *over = calloc(1, sizeof(*over));
	/* By leaf each kind has a fifth of the bytes: most packets are small. */
	double mean = sizes < 0                  ? 314
	              : sizes == SIM_SIZES_64K   ? SIM_BYTES_MAX
	              : sizes == SIM_SIZES_MIXED ? 13596
	                                         : 1514;
	double least = 1e9, most = 0, held;
	struct sim_run run;

	assert_non_null(over);
	overload_make(over, ceilings, sizes);
	overload_limit(over, limit, 0.5, mean);
	run = overload_run(over, 1, 9);
	for (unsigned i = 0; i < LEAVES; i++) {
		double part = sim_leaf_bps(&run, &over->leaves[i]) /
		              (double)over->leaves[i].floor_bps;

		least = fmin(least, part);
		most = fmax(most, part);
	}
	held = (double)sched_overload_ns(over->sim.sched) / 1e9 / 10;
	printf("%s: floors at %.3f .. %.3f, held back %.3f of the time\n", name, least,
	       most, held);
	sim_report("T21", least / most, SIM_AT_LEAST, 0.9, "%s: least/most rate/floor",
	           name);
	sim_report("T21", fabs(1 - held - (least + most) / 2), SIM_AT_MOST, 0.05,
	           "%s: overload shown against floors missed", name);
	assert_true(least < 0.9);
	sim_destroy(&over->sim);
	free(over);
}

static void
test_t21_floors_shrink_alike(void **state)
{
	(void)state;
	measure_overload(BY_OWNER, false, -1, "owner, sizes by leaf");
	measure_overload(BY_OWNER, false, SIM_SIZES_MIXED, "owner, mixed sizes");
	measure_overload(BY_OWNER, true, -1, "owner, ceilings = floors, sizes by leaf");
	measure_overload(BY_LINK, false, -1, "link, sizes by leaf");
	measure_overload(BY_LINK, true, SIM_SIZES_64K, "link, ceilings = floors, 64 KB");
}

/* Tenants whose leaves are promised little share the pain of those whose leaves are
 * promised all. */
static void
test_t21_inner_floors_shrink_with_those_of_leaves(void **state)
{
	struct sim_leaf leaves[40] = {{0}};
	struct sim_run run = {
		.leaves = leaves,
		.count = 40,
		.depth = 16,
		.warm_seconds = 1,
		.seconds = 8,
	};
	double bps[4] = {0}, least = 1e9, most = 0;
	uint32_t tenants[4];
	struct sim sim;

	(void)state;
	sim_init(&sim, 100, 1000, 5 * SIM_GBPS);
	for (unsigned t = 0; t < 4; t++)
		tenants[t] = sim_add(&sim, sched_root(sim.sched), false,
		                     (t + 1) * SIM_GBPS, 0, 1);
	for (unsigned i = 0; i < 40; i++) {
		unsigned t = i % 4;

		/* Of the first two all is promised on, of the others a tenth. */
		leaves[i].floor_bps = (t + 1) * (t < 2 ? 100 : 10) * SIM_MBPS;
		leaves[i].sizes = i % SIM_SIZES_KINDS;
		leaves[i].ref =
			sim_add(&sim, tenants[t], true, leaves[i].floor_bps, 0, 1);
	}
	sim_run(&sim, &run);
	for (unsigned i = 0; i < 40; i++)
		bps[i % 4] += sim_leaf_bps(&run, &leaves[i]);
	for (unsigned t = 0; t < 4; t++) {
		least = fmin(least, bps[t] / ((t + 1) * 1e9));
		most = fmax(most, bps[t] / ((t + 1) * 1e9));
	}
	printf("tenants at %.3f .. %.3f of their floors\n", least, most);
	sim_report("T21", least / most, SIM_AT_LEAST, 0.9,
	           "inner floors on half of the link: least/most rate/floor");
	for (unsigned i = 0; i < 40; i++) {
		double part =
			sim_leaf_bps(&run, &leaves[i]) / (double)leaves[i].floor_bps;

		/* Those with more get it from their tenant. */
		assert_true(part >= 0.45);
	}
	sim_destroy(&sim);
}

/* After it is over floors are met again, and the clock is held no more. */
static void
test_t21_ends_with_the_overload(void **state)
{
	struct overload *over = calloc(1, sizeof(*over));
	const struct sched_class_params root = {.ceil_bps = FLOORS_BPS * 11 / 10};
	uint64_t held_ns;
	struct sim_run run;
	double least = 1e9;

	(void)state;
	assert_non_null(over);
	overload_make(over, false, -1);
	overload_limit(over, BY_LINK, 0.5, 0);
	run = overload_run(over, 0, 2);
	assert_int_equal(sched_class_set(over->sim.sched, sched_root(over->sim.sched),
	                                 &root, over->sim.now_ns),
	                 0);
	/* A tenth of a second for what is left of credit. */
	for (unsigned i = 0; i < LEAVES; i++)
		over->leaves[i].sent_bytes = 0;
	run = (struct sim_run){
		.leaves = over->leaves,
		.count = LEAVES,
		.warm_seconds = 0.1,
		.seconds = 3,
	};
	held_ns = sched_overload_ns(over->sim.sched);
	assert_true(held_ns > SIM_NS_PER_SEC / 2);
	sim_run(&over->sim, &run);
	for (unsigned i = 0; i < LEAVES; i++) {
		double edge = 2.0 * SIM_BYTES_MAX * 8 /
		              ((double)over->leaves[i].floor_bps * run.seconds);

		least = fmin(least, sim_leaf_bps(&run, &over->leaves[i]) /
		                                    (double)over->leaves[i].floor_bps +
		                            edge);
	}
	sim_report("T21", least, SIM_AT_LEAST, 0.99, "after the overload: rate/floor");
	sim_report("T21", (double)(sched_overload_ns(over->sim.sched) - held_ns) / 1e6,
	           SIM_AT_MOST, 2, "after the overload: ms held back");
	sim_destroy(&over->sim);
	free(over);
}

/* Floors of a part of the link, stalls of the owner that the link makes up for. */
static void
measure_no_overload(double part, uint64_t stall_ns, bool ceilings, int sizes)
{
	struct overload *over = calloc(1, sizeof(*over));
	struct sched_class_params root = {
		.ceil_bps = (uint64_t)((double)FLOORS_BPS / part),
	};
	struct sim_run run;

	assert_non_null(over);
	overload_make(over, ceilings, sizes);
	/* Stalls are half of the time in the worst case and come in a row. */
	root.ceil_burst_bytes =
		(uint32_t)(root.ceil_bps / 8 * (10 * stall_ns + 1000000) / 1000000000);
	assert_int_equal(sched_class_set(over->sim.sched, sched_root(over->sim.sched),
	                                 &root, over->sim.now_ns),
	                 0);
	over->sim.stall_ns = stall_ns;
	run = overload_run(over, 0, 4);
	assert_true(run.sent_bytes > 0);
	sim_report("T21", (double)sched_overload_ns(over->sim.sched) / 1e6, SIM_AT_MOST,
	           0, "floors %.2f of the link, stalls of %.1f ms, %s%s: ms held back",
	           part, (double)stall_ns / 1e6,
	           sizes < 0 ? "sizes by leaf" : sim_sizes_name((enum sim_sizes)sizes),
	           ceilings ? ", ceilings = floors" : "");
	sim_destroy(&over->sim);
	free(over);
}

static void
test_t21_is_not_seen_where_floors_fit(void **state)
{
	static const uint64_t stalls_ns[] = {100000, 1000000, 5000000};

	(void)state;
	for (unsigned s = 0; s < ARRAY_SIZE(stalls_ns); s++) {
		measure_no_overload(0.9, stalls_ns[s], false, -1);
		measure_no_overload(0.9, stalls_ns[s], true, -1);
		measure_no_overload(0.99, stalls_ns[s], false, SIM_SIZES_1514);
		measure_no_overload(0.98, stalls_ns[s], true, SIM_SIZES_64K);
		measure_no_overload(1, stalls_ns[s], false, -1);
	}
}

struct waking {
	struct overload *over;
	uint64_t next_ns;
};

/* All leaves wake at once after idling, each with as much as its burst and more. */
static void
waking_round(struct sim *sim, void *context)
{
	struct waking *waking = context;

	if (sim->now_ns < waking->next_ns)
		return;
	waking->next_ns = sim->now_ns + 300000000;
	for (unsigned i = 0; i < LEAVES; i++)
		for (unsigned n = 0; n < DEPTH - 4; n++)
			sim_offer(sim, waking->over->leaves[i].ref,
			          sim_size(&sim->random, SIM_SIZES_MIXED),
			          SIM_SOURCE_OTHER);
}

static void
waking_sent(struct sim *sim, struct sim_packet *packet, void *context)
{
	(void)context;
	sim_packet_put(sim, packet);
}

static void
test_t21_is_not_seen_when_all_wake_at_once(void **state)
{
	struct overload *over = calloc(1, sizeof(*over));
	struct waking waking = {.over = over};
	struct sim_leaf other = {.sizes = SIM_SIZES_64K};
	struct sim_run run = {
		.leaves = &other,
		.count = 1,
		.depth = DEPTH,
		.seconds = 6,
		.each_round = waking_round,
		.other_sent = waking_sent,
		.context = &waking,
	};
	const struct sched_class_params root = {.ceil_bps = FLOORS_BPS * 11 / 10};

	(void)state;
	assert_non_null(over);
	overload_make(over, true, -1);
	assert_int_equal(sched_class_set(over->sim.sched, sched_root(over->sim.sched),
	                                 &root, over->sim.now_ns),
	                 0);
	other.ref = sim_add(&over->sim, sched_root(over->sim.sched), true, 300 * SIM_MBPS,
	                    0, 1000);
	waking.next_ns = over->sim.now_ns;
	sim_run(&over->sim, &run);
	sim_report("T21", (double)sched_overload_ns(over->sim.sched) / 1e6, SIM_AT_MOST,
	           0, "all leaves wake at once, floors 0.95 of the link: ms held back");
	sim_destroy(&over->sim);
	free(over);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_t21_floors_shrink_alike),
		cmocka_unit_test(test_t21_inner_floors_shrink_with_those_of_leaves),
		cmocka_unit_test(test_t21_ends_with_the_overload),
		cmocka_unit_test(test_t21_is_not_seen_where_floors_fit),
		cmocka_unit_test(test_t21_is_not_seen_when_all_wake_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
