/* qos_plan_test.c - which steps change a running tree of classes into another: only the
 * classes that differ, parents before children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/qos_tree.h"

#define MS 5

static struct qos_tree none;

/* What the owner would have done. */
static struct qos_tree *
carry_out(struct qos_plan *plan)
{
	struct qos_tree *tree = plan->next;

	for (uint32_t i = 0; i < plan->n_changes; i++) {
		struct qos_class *class = plan->changes[i].class;

		if (!class)
			continue;
		class->params_are_stale = false;
		class->placed_under = class->config.parent;
		if (plan->changes[i].type == OP_ADD) {
			class->is_inner = class->has_children;
			class->node = class->config.number;
		}
		class->leaf = class->config.number;
	}
	plan_free(plan);
	return tree;
}

static struct qos_tree *
plan_and_carry_out(struct qos_tree *old, const struct dp_qos_config *config)
{
	struct qos_plan plan;

	plan_make(&plan, old, config, MS);
	return carry_out(&plan);
}

static unsigned
count_ops(const struct qos_plan *plan, enum qos_op_type type)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < plan->n_changes; i++)
		n += plan->changes[i].type == type;
	return n;
}

static void
test_new_classes_are_added_parents_first(void **state)
{
	struct dp_class_config classes[] = {
		{.number = 3, .parent = 7},
		{.number = 7, .parent = 9},
		{.number = 9, .parent = DP_CLASS_ROOT},
	};
	struct dp_qos_config config = {
		.rate_bps = 1000000, .classes = classes, .n_classes = 3};
	struct qos_plan plan;

	(void)state;
	plan_make(&plan, &none, &config, MS);
	assert_int_equal(count_ops(&plan, OP_SET_ROOT), 1);
	assert_int_equal(count_ops(&plan, OP_ADD), 4); /* and class 0 */
	assert_int_equal(count_ops(&plan, OP_FILL), 2);
	assert_int_equal(plan.n_changes, 7);
	for (uint32_t i = 1, depth = 1; i < plan.n_changes; i++) {
		assert_true(plan.changes[i].class->depth >= depth);
		depth = plan.changes[i].class->depth;
	}
	assert_int_equal(plan.next->classes[0].config.number, 0);
	assert_int_equal(plan.next->classes[0].config.parent, DP_CLASS_ROOT);
	tree_free(carry_out(&plan));
}

static void
test_only_what_differs_is_touched(void **state)
{
	struct dp_class_config classes[100] = {{0}};
	struct dp_qos_config config = {
		.rate_bps = 1000000, .classes = classes, .n_classes = 100};
	struct qos_plan plan;
	struct qos_tree *old;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		classes[i].number = 99 - i; /* not in order */
		classes[i].parent = DP_CLASS_ROOT;
	}
	old = plan_and_carry_out(&none, &config);
	plan_make(&plan, old, &config, MS);
	assert_int_equal(plan.n_changes + plan.n_deletions, 0);
	tree_free(old);
	old = carry_out(&plan);

	classes[40].ceil_pps = 9;
	plan_make(&plan, old, &config, MS);
	assert_int_equal(plan.n_changes, 1);
	assert_int_equal(plan.changes[0].type, OP_SET);
	assert_int_equal(plan.changes[0].class->config.number, 59);
	tree_free(old);
	old = carry_out(&plan);

	config.peak_bps = 2000000;
	plan_make(&plan, old, &config, MS);
	assert_int_equal(plan.n_changes, 1);
	assert_int_equal(plan.changes[0].type, OP_SET_ROOT);
	tree_free(old);
	old = carry_out(&plan);

	/* Another way of catching up: bursts of the root and of class 59 depend on it. */
	plan_make(&plan, old, &config, 4 * MS);
	assert_int_equal(count_ops(&plan, OP_SET_ROOT), 1);
	tree_free(old);
	old = carry_out(&plan);

	config.n_classes = 90;
	plan_make(&plan, old, &config, 4 * MS);
	assert_int_equal(plan.n_changes, 0); /* class 0 is like what stands for it now */
	assert_int_equal(plan.n_deletions, 9);
	tree_free(carry_out(&plan));
	tree_free(old);
}

static void
test_moves_need_no_detour_unless_too_deep(void **state)
{
	struct dp_class_config classes[] = {
		{.number = 1, .parent = DP_CLASS_ROOT},
		{.number = 2, .parent = 1},
		{.number = 3, .parent = 2},
		{.number = 4, .parent = 3},
		{.number = 5, .parent = 4},
		{.number = 6, .parent = 5},
		{.number = 7, .parent = 6},
		{.number = 8, .parent = 7},
	};
	struct dp_qos_config config = {
		.rate_bps = 1000000, .classes = classes, .n_classes = 8};
	struct qos_tree *old = plan_and_carry_out(&none, &config);
	struct qos_plan plan;

	(void)state;
	/* The lowest two change places. */
	classes[7].parent = 6;
	classes[6].parent = 8;
	plan_make(&plan, old, &config, MS);
	assert_int_equal(count_ops(&plan, OP_DETACH), 0);
	/* 8 was a leaf and is made an inner node in its new place; 7 follows. */
	assert_int_equal(count_ops(&plan, OP_ADD), 1);
	assert_int_equal(count_ops(&plan, OP_MOVE), 1);
	tree_free(old);
	old = carry_out(&plan);

	/* Upside down: each one is still below the next when it is to carry it. */
	for (unsigned i = 0; i < 8; i++)
		classes[i].parent = i == 7 ? DP_CLASS_ROOT : i + 2;
	plan_make(&plan, old, &config, MS);
	assert_true(count_ops(&plan, OP_DETACH) >= 7);
	tree_free(carry_out(&plan));
	tree_free(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_classes_are_added_parents_first),
		cmocka_unit_test(test_only_what_differs_is_touched),
		cmocka_unit_test(test_moves_need_no_detour_unless_too_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
