/* qos_plan.c - what a tree of classes shall become: the new configuration merged with
 * what runs, and the parameters of each class for lib/qos. Pure. Main thread and, for the
 * parameters, qos_job.c. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/port/port.h"
#include "datapath/qos_tree.h"

#define BURST_MIN_BITS (2 * 1514 * 8)

struct qos_class *
tree_find(const struct qos_tree *tree, uint32_t number)
{
	size_t low = 0, high = tree->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tree->classes[middle].config.number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tree->n && tree->classes[low].config.number == number
	               ? &tree->classes[low]
	               : NULL;
}

static int
class_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct qos_class *)a)->config.number;
	uint32_t y = ((const struct qos_class *)b)->config.number;

	return x < y ? -1 : x > y;
}

static unsigned
tree_depth(const struct qos_tree *tree, const struct qos_class *class)
{
	unsigned depth = 1;

	while (class->config.parent != DP_CLASS_ROOT && depth <= SCHED_LEVELS_MAX) {
		class = tree_find(tree, class->config.parent);
		depth++;
	}
	return depth;
}

void
tree_merge(struct qos_tree *tree, const struct qos_tree *old,
           const struct dp_qos_config *config)
{
	size_t n_old = old ? old->n : 0;

	memset(tree, 0, sizeof(*tree));
	tree->classes = xcalloc(config->n_classes + n_old + 1, sizeof(struct qos_class));
	for (size_t i = 0; i < config->n_classes; i++)
		tree->classes[tree->n++].config = config->classes[i];
	qsort(tree->classes, tree->n, sizeof(struct qos_class), class_compare);
	if (!tree_find(tree, 0)) {
		tree->classes[tree->n++].config =
			(struct dp_class_config){.parent = DP_CLASS_ROOT};
		qsort(tree->classes, tree->n, sizeof(struct qos_class), class_compare);
	}
	for (size_t i = 0; i < tree->n; i++) {
		struct qos_class *class = &tree->classes[i];

		class->is_wanted = true;
		class->depth = tree_depth(tree, class);
		if (class->config.parent != DP_CLASS_ROOT)
			tree_find(tree, class->config.parent)->has_children = true;
	}
	for (size_t i = 0, n = tree->n; i < n_old; i++) {
		const struct qos_class *was = &old->classes[i];
		struct qos_tree wanted = {.n = n, .classes = tree->classes};
		struct qos_class *class = tree_find(&wanted, was->config.number);

		if (class) {
			class->is_running = true;
			class->is_inner = was->is_inner;
			class->node = was->node;
			class->leaf = was->leaf;
		} else {
			tree->classes[tree->n] = *was;
			tree->classes[tree->n++].is_wanted = false;
		}
	}
	qsort(tree->classes, tree->n, sizeof(struct qos_class), class_compare);
}

static uint32_t
bits_to_bytes(uint64_t bits)
{
	return (uint32_t)MIN_OF(bits / 8, UINT32_MAX);
}

/* How late the owner may be without loss of rate: what a class or link may catch up on. A
 * worker that polls is late by microseconds, or by a time slice where it shares its core;
 * the one that sleeps for the kernel's interfaces is late whenever its cores are busy. */
static uint32_t
burst_bytes(const struct port *port, uint64_t burst_bits, uint64_t rate_bps)
{
	uint64_t catch_up_ms = port->ops->served_by_kernel_worker ? 20 : 5;

	if (burst_bits)
		return bits_to_bytes(burst_bits);
	return bits_to_bytes(MAX_OF(rate_bps / 1000 * catch_up_ms, BURST_MIN_BITS));
}

struct sched_class_params
class_params(const struct port *port, const struct dp_class_config *config)
{
	return (struct sched_class_params){
		.floor_bps = config->floor_bps,
		.ceil_bps = config->ceil_bps,
		.ceil_burst_bytes =
			burst_bytes(port, config->burst_bits, config->ceil_bps),
		.weight = config->weight,
		.priority = (uint8_t)MIN_OF(config->priority, SCHED_PRIORITIES - 1),
		.limit_bytes = config->limit_bytes,
	};
}

struct sched_class_params
direct_params(const struct dp_class_config *config)
{
	return (struct sched_class_params){.weight = 1,
	                                   .limit_bytes = config->limit_bytes};
}

struct sched_class_params
root_params(const struct port *port, const struct dp_qos_config *config)
{
	return (struct sched_class_params){
		.ceil_bps = config->rate_bps,
		.ceil_burst_bytes =
			burst_bytes(port, config->burst_bits, config->rate_bps),
	};
}

void
tree_keep_wanted(struct qos_tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		if (tree->classes[i].is_wanted)
			tree->classes[n++] = tree->classes[i];
	tree->n = n;
}
