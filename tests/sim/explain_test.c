/* explain_test.c - what a scheduler says of its classes, in situations made for it, and
 * whether it comes true: what waits until t sends at t and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "qos/sched_explain.h"
#include "sim.h"

#define BYTES 1500U

/* link 1000 -+- a: floor 100                     Mbit/s
 *            +- b: ceiling 10
 *            +- t: floor 50, ceiling 100 -+- x: floor 10
 *                                         +- y: no floor */
struct tree {
	struct sim sim;
	uint32_t a, b, t, x, y;
};

static int
setup(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	struct sim *sim = &tree->sim;
	uint32_t root;

	sim_init(sim, 16, 4096, SIM_GBPS);
	root = sched_root(sim->sched);
	tree->a = sim_add(sim, root, true, 100 * SIM_MBPS, 0, 1);
	tree->b = sim_add(sim, root, true, 0, 10 * SIM_MBPS, 1);
	tree->t = sim_add(sim, root, false, 50 * SIM_MBPS, 100 * SIM_MBPS, 1);
	tree->x = sim_add(sim, tree->t, true, 10 * SIM_MBPS, 0, 1);
	tree->y = sim_add(sim, tree->t, true, 0, 0, 1);
	*state = tree;
	return 0;
}

static int
teardown(void **state)
{
	struct tree *tree = *state;

	sim_destroy(&tree->sim);
	free(tree);
	return 0;
}

static struct sched_explanation
explain(const struct tree *tree, uint32_t ref)
{
	struct sched_explanation why;

	assert_true(sched_class_explain(tree->sim.sched, ref, tree->sim.now_ns, &why));
	return why;
}

static void
offer(struct tree *tree, uint32_t ref, unsigned packets)
{
	while (packets--)
		assert_true(sim_offer(&tree->sim, ref, BYTES, 0));
}

/* Sends what may be sent at this moment. */
static unsigned
send_now(struct tree *tree)
{
	struct sim_packet *packets[SIM_BATCH];
	unsigned n, sent = 0;

	while ((n = sim_dequeue(&tree->sim, packets))) {
		for (unsigned i = 0; i < n; i++)
			sim_packet_put(&tree->sim, packets[i]);
		sent += n;
	}
	return sent;
}

/* Lets time pass in steps of a microsecond, as an owner that polls. */
static void
run_for_us(struct tree *tree, unsigned us)
{
	while (us--) {
		tree->sim.now_ns += 1000;
		send_now(tree);
	}
}

static uint64_t
sent_bytes(const struct tree *tree, uint32_t ref)
{
	struct sched_class_stats stats;

	assert_true(sched_class_get_stats(tree->sim.sched, ref, &stats));
	return stats.sent_bytes;
}

static void
test_idle(void **state)
{
	struct tree *tree = *state;
	struct sched_explanation why;

	assert_int_equal(explain(tree, tree->a).doing, SCHED_HAS_NOTHING);
	assert_int_equal(explain(tree, tree->t).doing, SCHED_HAS_NOTHING);
	assert_int_equal(explain(tree, sched_root(tree->sim.sched)).doing,
	                 SCHED_HAS_NOTHING);
	offer(tree, tree->a, 1);
	send_now(tree);
	assert_int_equal(explain(tree, tree->a).doing, SCHED_HAS_NOTHING);
	assert_false(sched_class_explain(tree->sim.sched, tree->a + (1U << 20),
	                                 tree->sim.now_ns, &why));
}

static void
test_own_floor(void **state)
{
	struct tree *tree = *state;

	offer(tree, tree->a, 1);
	assert_int_equal(explain(tree, tree->a).doing, SCHED_ON_FLOOR);
	assert_int_equal(explain(tree, tree->a).link_wait_ns, 0);
	assert_int_equal(explain(tree, sched_root(tree->sim.sched)).doing,
	                 SCHED_ON_FLOOR);
}

/* Above its floor, the link pays; and the link at its rate is told apart. */
static void
test_excess_of_the_link(void **state)
{
	struct tree *tree = *state;
	struct sched_explanation why;

	offer(tree, tree->a, 600);
	run_for_us(tree, 2000);
	why = explain(tree, tree->a);
	assert_int_equal(why.doing, SCHED_ON_EXCESS);
	assert_int_equal(why.who, sched_root(tree->sim.sched));
	assert_true(why.link_wait_ns > 0);
	assert_true(why.link_wait_ns <= 13000); /* a packet takes 12 us */
	assert_int_equal(explain(tree, sched_root(tree->sim.sched)).doing, SCHED_AT_CEIL);
}

static void
test_own_ceiling_until_then(void **state)
{
	struct tree *tree = *state;
	struct sched_explanation why;
	uint64_t sent;

	offer(tree, tree->b, 100);
	run_for_us(tree, 20000);
	why = explain(tree, tree->b);
	assert_int_equal(why.doing, SCHED_AT_CEIL);
	/* 1500 bytes at 10 Mbit/s take 1.2 ms. */
	assert_in_range(why.wait_ns, 1, 1200001);
	sent = sent_bytes(tree, tree->b);
	tree->sim.now_ns += why.wait_ns - 1;
	assert_int_equal(send_now(tree), 0);
	assert_int_equal(explain(tree, tree->b).wait_ns, 1);
	/* And a slot of the wheel. */
	run_for_us(tree, 3);
	assert_int_equal(sent_bytes(tree, tree->b), sent + BYTES);
}

struct lenders {
	unsigned tenant, root;
};

/* Who lends to y while it is offered a packet every so often and the link is full. */
static struct lenders
watch_lenders(struct tree *tree, unsigned every_us)
{
	struct lenders seen = {0, 0};

	for (unsigned us = 0; us < 30000; us++) {
		struct sched_explanation why;

		if (us % every_us == 0)
			offer(tree, tree->y, 1);
		/* Keeps the link full; what does not fit is no matter. */
		sim_offer(&tree->sim, tree->a, BYTES, 0);
		run_for_us(tree, 1);
		why = explain(tree, tree->y);
		if (why.doing != SCHED_ON_EXCESS)
			continue;
		seen.tenant += why.who == tree->t;
		seen.root += why.who == sched_root(tree->sim.sched);
		assert_true(why.who == tree->t || why.who == sched_root(tree->sim.sched));
	}
	return seen;
}

/* The tenant lends to y what its floor of 50 has left, and the link what is above. */
static void
test_excess_of_a_tenant(void **state)
{
	struct tree *tree = *state;
	struct lenders seen = watch_lenders(tree, 300); /* 40 Mbit/s */

	assert_true(seen.tenant > 0);
	assert_int_equal(seen.root, 0);
	seen = watch_lenders(tree, 150); /* 80 */
	assert_true(seen.tenant > 0);
	assert_true(seen.root > 0);
}

static void
test_ceiling_of_an_ancestor(void **state)
{
	struct tree *tree = *state;
	unsigned waits = 0, looks = 0;

	offer(tree, tree->x, 1000);
	offer(tree, tree->y, 1000);
	run_for_us(tree, 5000);
	for (unsigned i = 0; i < 1000; i++) {
		struct sched_explanation x, y, t;

		run_for_us(tree, 7);
		x = explain(tree, tree->x);
		y = explain(tree, tree->y);
		t = explain(tree, tree->t);
		looks++;
		if (t.doing != SCHED_AT_CEIL)
			continue;
		waits++;
		assert_int_equal(x.doing, SCHED_AT_CEIL_OF);
		assert_int_equal(y.doing, SCHED_AT_CEIL_OF);
		assert_int_equal(x.who, tree->t);
		assert_int_equal(y.who, tree->t);
		assert_int_equal(x.wait_ns, t.wait_ns);
		assert_in_range(t.wait_ns, 1, 120001);
	}
	/* A packet's 120 us, of which a slot or two go to the wheel. */
	assert_true(waits * 10 >= looks * 9);
}

static void
test_parked(void **state)
{
	struct tree *tree = *state;
	struct sched_explanation why;

	offer(tree, tree->a, 2);
	sched_leaf_park(tree->sim.sched, tree->a, tree->sim.now_ns + 10000,
	                tree->sim.now_ns);
	why = explain(tree, tree->a);
	assert_int_equal(why.doing, SCHED_PARKED);
	assert_int_equal(why.wait_ns, 10000);
	tree->sim.now_ns += 10000;
	assert_int_equal(explain(tree, tree->a).doing, SCHED_ON_FLOOR);
}

/* Who paid last is known when the queue is empty again. */
static void
test_last_lender(void **state)
{
	struct tree *tree = *state;
	uint32_t root = sched_root(tree->sim.sched);

	offer(tree, tree->x, 1);
	send_now(tree);
	assert_int_equal(explain(tree, tree->x).lender, tree->x);
	/* Two are within the burst of its own small floor; the tenant has some left. */
	for (unsigned i = 0; i < 4; i++) {
		offer(tree, tree->y, 1);
		run_for_us(tree, 1000);
	}
	assert_int_equal(explain(tree, tree->y).doing, SCHED_HAS_NOTHING);
	assert_int_equal(explain(tree, tree->y).lender, tree->t);
	offer(tree, tree->a, 10);
	send_now(tree);
	assert_int_equal(explain(tree, tree->a).lender, root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_floor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_excess_of_the_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_ceiling_until_then, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_excess_of_a_tenant, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ceiling_of_an_ancestor, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_parked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_lender, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
