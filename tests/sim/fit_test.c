/* fit_test.c - random trees whose floors fit: whatever else is asked for, every floor of
 * a class that has enough to send is met, and no bandwidth that somebody may use is
 * wasted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

#ifdef SIM_SMALL
#define TREES 5
#else
#define TREES 60
#endif

#define CLASSES_MAX 160
#define INNER_MAX   40
#define ROOT        0

struct fit_class {
	uint32_t ref;
	uint32_t parent;
	uint32_t depth;
	bool is_leaf;
	bool active;
	uint64_t floor_bps;
	uint64_t ceil_bps;
	double left_bps;       /* of its floor, for its children's */
	double attainable_bps; /* what its ceilings and its backlog allow */
};

struct fit {
	struct sim sim;
	struct fit_class classes[CLASSES_MAX];
	uint32_t count;
	struct sim_leaf leaves[CLASSES_MAX];
	uint32_t leaf_class[CLASSES_MAX];
	uint32_t leaf_count;
	uint64_t link_bps;
	/* Worst of all trees. */
	double least_leaf, least_inner, least_use;
};

static void
fit_add(struct fit *fit, uint32_t parent, bool is_leaf)
{
	struct sim_random *random = &fit->sim.random;
	struct fit_class *up = &fit->classes[parent], *class = &fit->classes[fit->count];
	struct sched_class_params params = {
		.weight = sim_random_below(random, 100),
		.priority = sim_random_below(random, 2)
	                            ? 0
	                            : (uint8_t)sim_random_below(random, SCHED_PRIORITIES),
		.limit_bytes = SIM_LIMIT_BYTES,
		/* Longer than a packet of another class can keep it waiting. */
		.ceil_burst_bytes = 1 << 20,
	};

	*class = (struct fit_class){
		.parent = parent,
		.depth = up->depth + 1,
		.is_leaf = is_leaf,
	};
	if (sim_random_below(random, 5))
		class->floor_bps =
			(uint64_t)(up->left_bps * 0.3 * sim_random_unit(random));
	if (class->floor_bps < SIM_MBPS)
		class->floor_bps = 0;
	up->left_bps -= (double)class->floor_bps;
	/* An inner class without a floor promises nothing to its children. */
	class->left_bps = 0.95 * (double)class->floor_bps;
	if (!sim_random_below(random, 3))
		class->ceil_bps =
			(uint64_t)((double)class->floor_bps * 1.05 + 2e6 +
		                   sim_random_unit(random) * (double)fit->link_bps * 0.1);
	params.floor_bps = class->floor_bps;
	params.ceil_bps = class->ceil_bps;
	assert_int_equal(sched_class_add(fit->sim.sched, up->ref, is_leaf, &params,
	                                 fit->sim.now_ns, &class->ref),
	                 0);
	fit->count++;
}

static void
fit_make_tree(struct fit *fit)
{
	struct sim_random *random = &fit->sim.random;
	struct fit_class *root = &fit->classes[ROOT];

	*root = (struct fit_class){
		.ref = sched_root(fit->sim.sched),
		.floor_bps = 0,
		.ceil_bps = fit->link_bps,
		.left_bps = 0.95 * (double)fit->link_bps,
	};
	fit->count = 1;
	while (fit->count < INNER_MAX) {
		uint32_t parent = sim_random_below(random, fit->count);

		if (fit->classes[parent].depth < SCHED_LEVELS_MAX - 1)
			fit_add(fit, parent, false);
	}
	while (fit->count < CLASSES_MAX)
		fit_add(fit, sim_random_below(random, INNER_MAX), true);
}

/* Picks the backlogged leaves and works out what each class could send. */
static void
fit_pick_active(struct fit *fit, double part)
{
	for (uint32_t i = 0; i < fit->count; i++)
		fit->classes[i].attainable_bps = 0;
	fit->leaf_count = 0;
	for (uint32_t i = fit->count - 1; i > ROOT; i--) {
		struct fit_class *class = &fit->classes[i];

		class->active =
			class->is_leaf && sim_random_unit(&fit->sim.random) < part;
		if (class->active) {
			class->attainable_bps = INFINITY;
			fit->leaf_class[fit->leaf_count] = i;
			fit->leaves[fit->leaf_count++] = (struct sim_leaf){
				.ref = class->ref,
				.floor_bps = class->floor_bps,
				.sizes = i % 7 ? SIM_SIZES_1514 : SIM_SIZES_MIXED,
			};
		}
		if (class->ceil_bps)
			class->attainable_bps =
				fmin(class->attainable_bps, (double)class->ceil_bps);
		fit->classes[class->parent].attainable_bps += class->attainable_bps;
	}
}

static uint64_t
fit_sent_bytes(const struct fit *fit, uint32_t class)
{
	struct sched_class_stats stats;

	assert_true(
		sched_class_get_stats(fit->sim.sched, fit->classes[class].ref, &stats));
	return stats.sent_bytes;
}

/* A class that can attain its floor must get it. */
static void
fit_check_class(struct fit *fit, uint32_t at, double seconds)
{
	const struct fit_class *class = &fit->classes[at];
	double bytes = (double)fit_sent_bytes(fit, at);
	double floor_bytes = (double)class->floor_bps / 8 * seconds, part;

	if (!class->floor_bps || class->attainable_bps < (double)class->floor_bps * 1.02)
		return;
	part = (bytes + 2.0 * SIM_BYTES_MAX) / floor_bytes;
	if (class->is_leaf)
		fit->least_leaf = fmin(fit->least_leaf, part);
	else
		fit->least_inner = fmin(fit->least_inner, part);
	if (part < 0.99) {
		printf("class %u of depth %u, leaf %d: %.4f of its floor of %lu, ceiling %lu\n",
		       at, class->depth, class->is_leaf, part,
		       (unsigned long)class->floor_bps, (unsigned long)class->ceil_bps);
		for (uint32_t up = class->parent; up; up = fit->classes[up].parent)
			printf("  under %u: sent %.0f, floor %lu, ceiling %lu, left %.0f\n",
			       up, (double)fit_sent_bytes(fit, up) * 8 / seconds,
			       (unsigned long)fit->classes[up].floor_bps,
			       (unsigned long)fit->classes[up].ceil_bps,
			       fit->classes[up].left_bps);
		fail();
	}
}

static void
fit_tree(struct fit *fit, uint64_t seed, double part)
{
	struct sim_run run = {.leaves = fit->leaves, .depth = 32};
	double whole, use;

	fit->link_bps = (1 + seed % 10) * SIM_GBPS;
	sim_init(&fit->sim, CLASSES_MAX, CLASSES_MAX * 32, fit->link_bps);
	fit->sim.random.state = seed * 0x9e3779b97f4a7c15;
	sched_set_quantum(fit->sim.sched, seed % 3 ? 0 : 4096);
	fit_make_tree(fit);
	fit_pick_active(fit, part);
	run.count = fit->leaf_count;
	run.seconds = 1;
	sim_run(&fit->sim, &run);
	for (uint32_t i = 1; i < fit->count; i++)
		fit_check_class(fit, i, run.seconds);
	whole = fmin((double)fit->link_bps, fit->classes[ROOT].attainable_bps);
	use = (double)fit_sent_bytes(fit, ROOT) * 8 / run.seconds / whole;
	fit->least_use = fmin(fit->least_use, use);
	assert_true(fit->leaf_count == 0 || use >= 0.99);
	sim_destroy(&fit->sim);
}

static void
test_floors_that_fit_are_met_and_nothing_is_wasted(void **state)
{
	struct fit *fit = calloc(1, sizeof(*fit));

	(void)state;
	assert_non_null(fit);
	fit->least_leaf = fit->least_inner = fit->least_use = 1e9;
	for (uint64_t tree = 1; tree <= TREES; tree++)
		fit_tree(fit, tree, tree % 3 == 0 ? 0.2 : tree % 3 == 1 ? 0.6 : 1);
	printf("%d random trees whose floors fit: least rate/floor of leaves %.4f, of inner classes %.4f; least use of what ceilings allow %.4f\n",
	       TREES, fit->least_leaf, fit->least_inner, fit->least_use);
	free(fit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floors_that_fit_are_met_and_nothing_is_wasted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
