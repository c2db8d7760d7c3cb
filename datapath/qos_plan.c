/* qos_plan.c - what must be done to make a running tree of classes into another one: only
 * the classes that differ are touched. Linear in the number of classes. Pure. Main
 * thread; the parameters of classes also on the owner worker (qos_job.c). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/qos_tree.h"

#define BURST_MIN_BITS    (2 * 1514 * 8)
#define BURST_MIN_PACKETS 32

struct qos_class *
tree_find(const struct qos_tree *tree, uint32_t number)
{
	if (number >= tree->n_numbers || tree->index[number] == TREE_NO_INDEX)
		return NULL;
	return &tree->classes[tree->index[number]];
}

void
tree_free(struct qos_tree *tree)
{
	if (!tree)
		return;
	free(tree->classes);
	free(tree->by_depth);
	free(tree->index);
	free(tree);
}

/* ---- parameters ---- */

static uint32_t
bits_to_bytes(uint64_t bits)
{
	return (uint32_t)MIN_OF(bits / 8, UINT32_MAX);
}

static uint32_t
burst_bytes(uint64_t burst_bits, uint64_t rate_bps, uint64_t catch_up_ms)
{
	if (burst_bits || !rate_bps)
		return bits_to_bytes(burst_bits);
	return bits_to_bytes(MAX_OF(rate_bps / 1000 * catch_up_ms, BURST_MIN_BITS));
}

static uint32_t
burst_packets(uint32_t burst, uint32_t rate_pps, uint64_t catch_up_ms)
{
	if (burst || !rate_pps)
		return burst;
	return (uint32_t)MAX_OF((uint64_t)rate_pps * catch_up_ms / 1000,
	                        BURST_MIN_PACKETS);
}

static uint32_t
us_to_ns(uint32_t us)
{
	return (uint32_t)MIN_OF((uint64_t)us * 1000, UINT32_MAX);
}

/* What a leaf's queue may hold, and how it is kept short. */
static void
set_limits(struct sched_class_params *params, const struct dp_class_config *config)
{
	params->limit_bytes = config->limit_bytes;
	params->limit_packets = config->limit_packets;
	params->limit_ns = (uint64_t)config->limit_us * 1000;
	params->codel = config->codel;
	params->codel_target_ns = us_to_ns(config->codel_target_us);
	params->codel_interval_ns = us_to_ns(config->codel_interval_us);
	params->ecn = config->ecn;
	params->fair = config->fair;
}

struct sched_class_params
class_params(const struct dp_class_config *config, uint64_t catch_up_ms)
{
	struct sched_class_params params;

	memset(&params, 0, sizeof(params)); /* the padding too: params_differ() */
	params.floor_bps = config->floor_bps;
	params.floor_pps = config->floor_pps;
	params.ceil_bps = config->ceil_bps;
	params.ceil_burst_bytes =
		burst_bytes(config->burst_bits, config->ceil_bps, catch_up_ms);
	params.peak_bps = config->peak_bps;
	params.peak_burst_bytes =
		burst_bytes(config->peak_burst_bits, config->peak_bps, catch_up_ms);
	params.ceil_pps = config->ceil_pps;
	params.ceil_burst_packets =
		burst_packets(config->burst_packets, config->ceil_pps, catch_up_ms);
	params.weight = config->weight;
	params.priority = (uint8_t)MIN_OF(config->priority, SCHED_PRIORITIES - 1);
	set_limits(&params, config);
	return params;
}

struct sched_class_params
direct_params(const struct dp_class_config *config, uint64_t catch_up_ms)
{
	struct sched_class_params params;

	(void)catch_up_ms;
	memset(&params, 0, sizeof(params));
	params.weight = 1;
	set_limits(&params, config);
	return params;
}

struct sched_class_params
root_params(const struct dp_qos_config *config, uint64_t catch_up_ms)
{
	struct sched_class_params params;

	memset(&params, 0, sizeof(params));
	params.ceil_bps = config->rate_bps;
	params.ceil_burst_bytes =
		burst_bytes(config->burst_bits, config->rate_bps, catch_up_ms);
	params.peak_bps = config->peak_bps;
	params.peak_burst_bytes =
		burst_bytes(config->peak_burst_bits, config->peak_bps, catch_up_ms);
	params.ceil_pps = config->max_pps;
	params.ceil_burst_packets =
		burst_packets(config->burst_packets, config->max_pps, catch_up_ms);
	return params;
}

/* A difference in padding alone only costs a step that changes nothing. */
static bool
params_differ(const struct sched_class_params *a, const struct sched_class_params *b)
{
	return memcmp(a, b, sizeof(*a)) != 0;
}

static bool
class_differs(const struct qos_class *was, const struct qos_class *class, uint64_t old_ms,
              uint64_t new_ms)
{
	struct sched_class_params a, b;

	if (was->params_are_stale)
		return true;
	if (old_ms == new_ms &&
	    !memcmp(&was->config, &class->config, sizeof(was->config)))
		return false;
	a = class_params(&was->config, old_ms);
	b = class_params(&class->config, new_ms);
	if (params_differ(&a, &b))
		return true;
	a = direct_params(&was->config, old_ms);
	b = direct_params(&class->config, new_ms);
	return params_differ(&a, &b);
}

/* ---- the next tree ---- */

static void
tree_fill(struct qos_tree *tree, const struct dp_qos_config *config)
{
	uint32_t *position;

	tree->n_numbers = 1;
	for (size_t i = 0; i < config->n_classes; i++)
		tree->n_numbers = MAX_OF(tree->n_numbers, config->classes[i].number + 1);
	tree->index = xmalloc(tree->n_numbers * sizeof(*tree->index));
	memset(tree->index, 0xff, tree->n_numbers * sizeof(*tree->index));
	/* Sorted by way of the index, which holds positions in 'config' first. */
	position = tree->index;
	for (size_t i = 0; i < config->n_classes; i++)
		position[config->classes[i].number] = (uint32_t)i;
	tree->classes = xcalloc(config->n_classes + 1, sizeof(*tree->classes));
	for (uint32_t number = 0; number < tree->n_numbers; number++) {
		struct qos_class *class = &tree->classes[tree->n];

		if (position[number] != TREE_NO_INDEX)
			class->config = config->classes[position[number]];
		else if (number == 0)
			class->config.parent = DP_CLASS_ROOT;
		else
			continue;
		class->parent = TREE_NO_INDEX;
		class->placed_under = DP_CLASS_ROOT;
		class->node = class->leaf = QOS_REF_NONE;
		tree->index[number] = tree->n++;
	}
}

/* At most SCHED_LEVELS_MAX steps for each class. */
static void
tree_set_depths(struct qos_tree *tree)
{
	for (uint32_t i = 0; i < tree->n; i++) {
		struct qos_class *class = &tree->classes[i];

		if (class->config.parent == DP_CLASS_ROOT)
			continue;
		class->parent = tree->index[class->config.parent];
		tree->classes[class->parent].has_children = true;
	}
	for (uint32_t i = 0; i < tree->n; i++) {
		struct qos_class *class = &tree->classes[i];

		class->depth = 1;
		for (uint32_t p = class->parent; p != TREE_NO_INDEX;
		     p = tree->classes[p].parent)
			class->depth++;
	}
}

static void
tree_sort_by_depth(struct qos_tree *tree)
{
	uint32_t first[SCHED_LEVELS_MAX + 2] = {0};

	tree->by_depth = xcalloc(tree->n + 1, sizeof(*tree->by_depth));
	for (uint32_t i = 0; i < tree->n; i++)
		first[tree->classes[i].depth + 1]++;
	for (unsigned depth = 1; depth < ARRAY_SIZE(first); depth++)
		first[depth] += first[depth - 1];
	for (uint32_t i = 0; i < tree->n; i++)
		tree->by_depth[first[tree->classes[i].depth]++] = i;
}

static struct qos_tree *
tree_make(const struct dp_qos_config *config, uint64_t catch_up_ms)
{
	struct qos_tree *tree = xcalloc(1, sizeof(*tree));

	tree->catch_up_ms = catch_up_ms;
	tree->rate_bps = config->rate_bps;
	tree->root = root_params(config, catch_up_ms);
	tree_fill(tree, config);
	tree_set_depths(tree);
	tree_sort_by_depth(tree);
	return tree;
}

/* ---- the steps ---- */

static void
plan_add_change(struct qos_plan *plan, enum qos_op_type type, struct qos_class *class)
{
	plan->changes[plan->n_changes++] = (struct qos_op){type, class};
}

/* Levels of nodes below each class of the running tree, itself included. */
static uint8_t *
tree_heights(const struct qos_tree *tree)
{
	uint8_t *heights = xcalloc(tree->n + 1, sizeof(*heights));

	for (uint32_t k = tree->n; k-- > 0;) {
		uint32_t i = tree->by_depth[k];
		const struct qos_class *class = &tree->classes[i];

		heights[i] = (uint8_t)MAX_OF(heights[i], class->is_inner ? 2 : 1);
		if (class->parent != TREE_NO_INDEX)
			heights[class->parent] =
				(uint8_t)MAX_OF(heights[class->parent], heights[i] + 1);
	}
	return heights;
}

static bool
class_moves(const struct qos_class *class)
{
	return class->node != QOS_REF_NONE && class->placed_under != class->config.parent;
}

/* Whether every class that moves fits into its new place with all that is below it now.
 * Parents move before children, so no move meets a cycle, but some of what is below a
 * class may have to leave it first. */
static bool
plan_moves_fit(const struct qos_plan *plan, const struct qos_tree *old)
{
	uint8_t *heights = NULL;
	bool fit = true;

	for (uint32_t i = 0; i < plan->next->n && fit; i++) {
		const struct qos_class *class = &plan->next->classes[i], *was;

		if (!class_moves(class))
			continue;
		if (!heights)
			heights = tree_heights(old);
		was = tree_find(old, class->config.number);
		fit = class->depth - 1U + heights[was - old->classes] <= SCHED_LEVELS_MAX;
	}
	free(heights);
	return fit;
}

/* What runs already goes on in the new tree as it is; the rest of 'old' goes. */
static void
plan_take_over(struct qos_plan *plan, struct qos_tree *old)
{
	for (uint32_t i = 0; i < old->n; i++) {
		const struct qos_class *was = &old->classes[i];
		struct qos_class *class = tree_find(plan->next, was->config.number);

		if (!class)
			continue;
		class->node = was->node;
		class->leaf = was->leaf;
		class->is_inner = was->is_inner;
		class->placed_under = was->placed_under;
		class->lost_before = was->lost_before;
		class->created_ns = was->created_ns;
		class->params_are_stale = class_differs(was, class, old->catch_up_ms,
		                                        plan->next->catch_up_ms);
	}
	/* Deepest first: a class goes after those below it. */
	for (uint32_t k = old->n; k-- > 0;) {
		struct qos_class *was = &old->classes[old->by_depth[k]];

		if (was->node == QOS_REF_NONE ||
		    tree_find(plan->next, was->config.number))
			continue;
		plan->deletions[plan->n_deletions++] = (struct qos_op){OP_DELETE, was};
	}
}

static void
plan_detach(struct qos_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_deletions; i++)
		plan_add_change(plan, OP_DETACH, plan->deletions[i].class);
	for (uint32_t i = 0; i < plan->next->n; i++)
		if (class_moves(&plan->next->classes[i]))
			plan_add_change(plan, OP_DETACH, &plan->next->classes[i]);
}

static void
plan_class(struct qos_plan *plan, struct qos_class *class)
{
	bool is_new = class->node == QOS_REF_NONE;

	if (is_new || (class->has_children && !class->is_inner)) {
		plan_add_change(plan, OP_ADD, class);
		if (class->has_children)
			plan_add_change(plan, OP_FILL, class);
		return;
	}
	/* A step failed once that should have given it its leaf. */
	if (class->leaf == QOS_REF_NONE)
		plan_add_change(plan, OP_FILL, class);
	if (class_moves(class))
		plan_add_change(plan, OP_MOVE, class);
	if (class->params_are_stale)
		plan_add_change(plan, OP_SET, class);
}

/* Room for a node, a hidden leaf and one more priority for each class. */
static void
plan_count(struct qos_plan *plan)
{
	plan->n_nodes = 1 + 2 * plan->n_deletions;
	for (uint32_t i = 0; i < plan->next->n; i++) {
		const struct qos_class *class = &plan->next->classes[i];

		plan->n_nodes += class->has_children || class->is_inner ? 2 : 1;
		plan->n_bands += class->has_children || class->is_inner ? 2 : 0;
	}
}

void
plan_make(struct qos_plan *plan, struct qos_tree *old, const struct dp_qos_config *config,
          uint64_t catch_up_ms)
{
	struct qos_tree *next = tree_make(config, catch_up_ms);

	memset(plan, 0, sizeof(*plan));
	plan->next = next;
	/* At most: the root, all detached, and four steps for each class. */
	plan->changes = xcalloc(1 + old->n + 5 * (size_t)next->n, sizeof(struct qos_op));
	plan->deletions = xcalloc(old->n + 1, sizeof(struct qos_op));
	plan_take_over(plan, old);
	if (params_differ(&old->root, &next->root))
		plan_add_change(plan, OP_SET_ROOT, NULL);
	if (!plan_moves_fit(plan, old))
		plan_detach(plan);
	for (uint32_t k = 0; k < next->n; k++)
		plan_class(plan, &next->classes[next->by_depth[k]]);
	plan_count(plan);
}

void
plan_free(struct qos_plan *plan)
{
	free(plan->changes);
	free(plan->deletions);
}
