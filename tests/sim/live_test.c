/* live_test.c - classes change under load: T15, a class deep in debt whose rate is
 * raised; T16, classes that are deleted with packets in them; moves between tenants. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim.h"

/* Takes what comes for 'ns' and checks that nothing overtakes; returns the bytes. */
static uint64_t
take_in_order(struct sim *sim, uint64_t ns, uint32_t *next_source, uint64_t *first_ns)
{
	struct sim_packet *packets[SIM_BATCH];
	uint64_t end_ns = sim->now_ns + ns, bytes = 0;

	while (sim->now_ns < end_ns) {
		unsigned count = sim_dequeue(sim, packets);

		for (unsigned i = 0; i < count; i++) {
			assert_int_equal(packets[i]->source, (*next_source)++);
			if (first_ns && !*first_ns)
				*first_ns = sim->now_ns;
			bytes += packets[i]->item.charged_bytes;
			sim_packet_put(sim, packets[i]);
		}
		sim_step(sim);
	}
	return bytes;
}

/* A leaf, or the class above it, owes 65 s of 8 kbit/s and is then given 1 Gbit/s. */
static void
measure_rate_change(bool inner)
{
	struct sched_class_params params = {
		.ceil_bps = 8000,
		.weight = 1,
		.limit_bytes = SIM_LIMIT_BYTES,
	};
	uint32_t tenant, leaf, changed, next = 0;
	uint64_t changed_ns, first_ns = 0, bytes;
	struct sim sim;

	sim_init(&sim, 16, 3000, 10 * SIM_GBPS);
	tenant = sim_add(&sim, sched_root(sim.sched), false, 0, inner ? 8000 : 0, 1);
	leaf = sim_add(&sim, tenant, true, 0, inner ? 0 : 8000, 1);
	changed = inner ? tenant : leaf;
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(sim_offer(&sim, leaf, i ? 1514 : SIM_BYTES_MAX, i));
	take_in_order(&sim, 1000000, &next, NULL);
	assert_int_equal(next, 1);
	assert_int_equal(next, 1);
	params.ceil_bps = SIM_GBPS;
	assert_int_equal(sched_class_set(sim.sched, changed, &params, sim.now_ns), 0);
	changed_ns = sim.now_ns;
	bytes = take_in_order(&sim, 10000000, &next, &first_ns);
	sim_report("T15", (double)(first_ns - changed_ns) / 1000, SIM_AT_MOST, 1000,
	           "%s owing 65 s at 8 kbit/s is given 1 Gbit/s: us to its next packet",
	           inner ? "tenant" : "leaf");
	/* What it owes, 64 KB, is 524 us of the new rate. */
	assert_true(first_ns - changed_ns <= 1000000);
	assert_true(fabs((double)bytes * 8 /
	                         (1e9 * sim_seconds(10000000 - (first_ns - changed_ns))) -
	                 1) < 0.01);
	take_in_order(&sim, 20000000, &next, NULL);
	assert_int_equal(next, 1000);

	/* And back: what is owed at the new rate stays the same in bytes. */
	assert_true(sim_offer(&sim, leaf, SIM_BYTES_MAX, 1000));
	assert_true(sim_offer(&sim, leaf, 1514, 1001));
	take_in_order(&sim, 10000, &next, NULL);
	assert_int_equal(next, 1001);
	params.ceil_bps = 1 * SIM_MBPS;
	assert_int_equal(sched_class_set(sim.sched, changed, &params, sim.now_ns), 0);
	changed_ns = sim.now_ns;
	first_ns = 0;
	take_in_order(&sim, SIM_NS_PER_SEC, &next, &first_ns);
	/* 64 KB less the burst of 25 KB that it had at 1 Gbit/s, and what it sent
	 * meanwhile: 312 to 313 ms. */
	sim_report("T15", fabs((double)(first_ns - changed_ns) / 1e6 - 312.5),
	           SIM_AT_MOST, 5, "%s, then 1 Mbit/s with 40 KB owed: ms off 312.5",
	           inner ? "tenant" : "leaf");
	sim_destroy(&sim);
}

static void
test_t15_a_class_in_debt_gets_its_new_rate_at_once(void **state)
{
	(void)state;
	measure_rate_change(false);
	measure_rate_change(true);
}

#define LEAVES 500
#define ROUNDS 300000

struct deletion {
	struct sim sim;
	uint32_t tenants[20];
	uint32_t leaves[LEAVES];
	uint32_t stale[LEAVES];
	uint64_t in, out, dropped, handed_back, deleted;
	/* Packets of each leaf in its queue, as the test counts them. */
	uint32_t queued[LEAVES];
};

static void
deletion_add(struct deletion *del, uint32_t i)
{
	uint32_t tenant = sim_random_below(&del->sim.random, 20);

	del->leaves[i] = sim_add(&del->sim, del->tenants[tenant], true,
	                         SIM_MBPS * sim_random_below(&del->sim.random, 20),
	                         i % 3 ? 0 : 30 * SIM_MBPS, 0);
	del->queued[i] = 0;
}

static void
deletion_delete(struct deletion *del, uint32_t i)
{
	struct qos_item *item;

	assert_int_equal(sched_class_delete(del->sim.sched, del->leaves[i],
	                                    del->sim.now_ns, &item),
	                 0);
	while (item) {
		struct sim_packet *packet = (struct sim_packet *)item;

		item = item->next;
		assert_int_equal(packet->source, i);
		del->queued[i]--;
		del->handed_back++;
		sim_packet_put(&del->sim, packet);
	}
	assert_int_equal(del->queued[i], 0);
	del->stale[i] = del->leaves[i];
	del->deleted++;
	deletion_add(del, i);
}

static void
deletion_offer(struct deletion *del, uint32_t i)
{
	uint32_t bytes = sim_size(&del->sim.random, SIM_SIZES_MIXED);

	if (!del->sim.free)
		return;
	/* Late packets of a class that is gone. */
	if (del->stale[i] && !sim_random_below(&del->sim.random, 4)) {
		assert_false(sim_offer(&del->sim, del->stale[i], bytes, i));
		return;
	}
	del->in++;
	if (sim_offer(&del->sim, del->leaves[i], bytes, i))
		del->queued[i]++;
	else
		del->dropped++;
}

static void
deletion_take(struct deletion *del)
{
	struct sim_packet *packets[SIM_BATCH];
	unsigned count = sim_dequeue(&del->sim, packets);

	for (unsigned i = 0; i < count; i++) {
		uint32_t source = packets[i]->source;

		/* Never a packet of a class that was deleted. */
		assert_int_equal(packets[i]->item.class_ref, del->leaves[source]);
		del->queued[source]--;
		del->out++;
		sim_packet_put(&del->sim, packets[i]);
	}
}

static void
test_t16_deleting_under_load_loses_and_leaks_nothing(void **state)
{
	struct deletion *del = calloc(1, sizeof(*del));
	struct sched_class_stats stats;

	(void)state;
	assert_non_null(del);
	/* No spare indices: each new class takes over that of an old one. */
	sim_init(&del->sim, LEAVES + 20, 20000, 2 * SIM_GBPS);
	for (unsigned t = 0; t < 20; t++)
		del->tenants[t] = sim_add(&del->sim, sched_root(del->sim.sched), false,
		                          90 * SIM_MBPS, t % 2 ? 150 * SIM_MBPS : 0, 0);
	for (uint32_t i = 0; i < LEAVES; i++)
		deletion_add(del, i);
	for (unsigned round = 0; round < ROUNDS; round++) {
		deletion_offer(del, sim_random_below(&del->sim.random, LEAVES));
		deletion_take(del);
		if (!sim_random_below(&del->sim.random, 20))
			deletion_delete(del, sim_random_below(&del->sim.random, LEAVES));
		sim_step(&del->sim);
	}
	while (sched_backlog_packets(del->sim.sched)) {
		deletion_take(del);
		sim_step(&del->sim);
		assert_true(del->sim.now_ns < 1000 * SIM_NS_PER_SEC);
	}
	sim_report("T16", (double)(del->in - del->out - del->dropped - del->handed_back),
	           SIM_AT_MOST, 0,
	           "%lu classes deleted under load, %lu packets, %lu handed back: lost",
	           (unsigned long)del->deleted, (unsigned long)del->in,
	           (unsigned long)del->handed_back);
	assert_true(del->handed_back > 1000 && del->out > 10000);
	assert_int_equal(del->in, del->out + del->dropped + del->handed_back);
	assert_true(sched_class_get_stats(del->sim.sched, sched_root(del->sim.sched),
	                                  &stats));
	assert_int_equal(stats.sent_packets, del->out);
	assert_int_equal(stats.dropped_packets, del->dropped);
	sim_destroy(&del->sim);
	free(del);
}

struct mover {
	uint32_t class;
	uint32_t parents[2];
	uint64_t next_ns;
	unsigned moves;
};

static void
mover_round(struct sim *sim, void *context)
{
	struct mover *mover = context;

	if (sim->now_ns < mover->next_ns)
		return;
	mover->next_ns = sim->now_ns + 700000;
	assert_int_equal(sched_class_move(sim->sched, mover->class,
	                                  mover->parents[++mover->moves % 2],
	                                  sim->now_ns),
	                 0);
}

/* A group that goes to and fro between two tenants, at different depths, keeps its
 * floors; the ceilings of the tenants hold. */
static void
test_floors_hold_while_a_class_moves(void **state)
{
	struct sim_leaf leaves[30] = {{0}};
	struct mover mover = {0};
	struct sim_run run = {
		.leaves = leaves,
		.count = 30,
		.depth = 8,
		.warm_seconds = 0.2,
		.seconds = 4,
		.each_round = mover_round,
		.context = &mover,
	};
	uint32_t tenants[2], group, inner;
	double least = 1e9, moved_bps = 0;
	struct sim sim;

	(void)state;
	sim_init(&sim, 100, 300, 10 * SIM_GBPS);
	for (unsigned t = 0; t < 2; t++)
		tenants[t] = sim_add(&sim, sched_root(sim.sched), false, 2 * SIM_GBPS,
		                     3 * SIM_GBPS, 1);
	mover.parents[0] = tenants[0];
	mover.parents[1] = sim_add(&sim, tenants[1], false, 0, 0, 1);
	group = sim_add(&sim, tenants[0], false, SIM_GBPS, 0, 1);
	inner = sim_add(&sim, group, false, 600 * SIM_MBPS, 800 * SIM_MBPS, 1);
	mover.class = group;
	for (unsigned i = 0; i < 30; i++) {
		uint32_t parent = i < 10 ? tenants[i % 2] : i < 20 ? inner : group;

		leaves[i].sizes = i % 2 ? SIM_SIZES_1514 : SIM_SIZES_MIXED;
		leaves[i].floor_bps = (i < 10 ? 80 : i < 20 ? 50 : 30) * SIM_MBPS;
		leaves[i].ref = sim_add(&sim, parent, true, leaves[i].floor_bps, 0, 1);
	}
	sim_run(&sim, &run);
	for (unsigned i = 0; i < 30; i++) {
		double bps = sim_leaf_bps(&run, &leaves[i]);

		least = fmin(least, bps / (double)leaves[i].floor_bps);
		if (i >= 10)
			moved_bps += bps;
	}
	printf("Moved %u times: least rate/floor %.4f, the moved group %.3f Gbit/s of 1\n",
	       mover.moves, least, moved_bps / 1e9);
	assert_true(mover.moves > 1000);
	assert_true(least >= 0.99);
	assert_true(moved_bps >= 0.99e9);
	sim_destroy(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_t15_a_class_in_debt_gets_its_new_rate_at_once),
		cmocka_unit_test(test_t16_deleting_under_load_loses_and_leaks_nothing),
		cmocka_unit_test(test_floors_hold_while_a_class_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
