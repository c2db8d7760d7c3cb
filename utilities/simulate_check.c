/* simulate_check.c - has the switch's own admission check judge a tree, and fills what
 * follows from its parents; beside simulate_tree.c, which reads it. Pure. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "qos/admission.h"
#include "simulate_tree.h"

static int
check_admission(const struct simulate_tree *tree, struct error *err)
{
	struct admission_class *classes = xcalloc(tree->n, sizeof(*classes));
	const struct admission_tree asked = {
		.noun = "class",
		.number_max = SIMULATE_NUMBER_MAX,
		.rate_bps = tree->root.ceil_bps,
		.peak_bps = tree->root.peak_bps,
		.max_pps = tree->root.ceil_pps,
		.classes = classes,
		.n = tree->n,
	};
	int ret;

	for (size_t i = 0; i < tree->n; i++) {
		const struct simulate_class *class = &tree->classes[i];

		classes[i] = (struct admission_class){
			.number = class->number,
			.parent = class->parent == SIMULATE_ROOT ? ADMISSION_ROOT
		                                                 : class->parent,
			.floor_bps = class->floor_bps,
			.ceil_bps = class->ceil_bps,
			.peak_bps = class->peak_bps,
			.floor_pps = class->floor_pps,
			.ceil_pps = class->ceil_pps,
		};
	}
	ret = admission_check(&asked, err);
	free(classes);
	return ret;
}

/* Of a tree without cycles whose parents exist. */
static void
fill_indices(struct simulate_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++)
		tree->classes[i].n_children = 0;
	for (size_t i = 0; i < tree->n; i++) {
		struct simulate_class *class = &tree->classes[i];

		class->parent_index = simulate_tree_find(tree, class->parent);
		if (class->parent_index != SIMULATE_NONE)
			tree->classes[class->parent_index].n_children++;
	}
	for (size_t i = 0; i < tree->n; i++) {
		struct simulate_class *class = &tree->classes[i];
		size_t up = class->parent_index;

		for (class->depth = 1; up != SIMULATE_NONE; class->depth++)
			up = tree->classes[up].parent_index;
	}
}

int
simulate_tree_check(struct simulate_tree *tree, struct error *err)
{
	int ret;

	if (!tree->root.ceil_bps)
		return error_set(
			err, -EINVAL,
			"the rate of the link is not known (a line \"link RATE\", or --link)");
	if (simulate_tree_find(tree, 0) == SIMULATE_NONE) {
		ret = simulate_tree_apply(tree, "class 0", err);
		if (ret)
			return ret;
	}
	ret = check_admission(tree, err);
	if (ret == 0)
		fill_indices(tree);
	return ret;
}
