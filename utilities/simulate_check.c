/* simulate_check.c - whether a tree of classes is possible; beside simulate_tree.c, which
 * reads it. The floors are checked as the switch does it. Pure. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/str.h"
#include "simulate_tree.h"
#include "units.h"

/* One level below the deepest class is for the packets of a class that has classes. */
#define DEPTH_MAX   (SCHED_LEVELS_MAX - 1)
#define HOLDERS_MAX 4 /* named in a message */

static int
check_parents(struct simulate_tree *tree, struct error *err)
{
	for (size_t i = 0; i < tree->n; i++)
		tree->classes[i].n_children = 0;
	for (size_t i = 0; i < tree->n; i++) {
		struct simulate_class *class = &tree->classes[i];

		class->parent_index = SIMULATE_NONE;
		if (class->parent == SIMULATE_ROOT)
			continue;
		class->parent_index = simulate_tree_find(tree, class->parent);
		if (class->parent_index == SIMULATE_NONE)
			return error_set(err, -EINVAL,
			                 "class %" PRIu32 ": its parent, class %" PRIu32
			                 ", is not in the tree",
			                 class->number, class->parent);
		tree->classes[class->parent_index].n_children++;
	}
	return 0;
}

static int
check_depths(struct simulate_tree *tree, struct error *err)
{
	for (size_t i = 0; i < tree->n; i++) {
		struct simulate_class *class = &tree->classes[i];
		size_t up = class->parent_index;

		for (class->depth = 1; up != SIMULATE_NONE && class->depth <= DEPTH_MAX;
		     class->depth++)
			up = tree->classes[up].parent_index;
		if (class->depth > DEPTH_MAX)
			return error_set(
				err, -EINVAL,
				"class %" PRIu32
				": more than %d levels deep, or its own ancestor",
				class->number, DEPTH_MAX);
	}
	return 0;
}

uint64_t
simulate_tree_ceil_bps(const struct simulate_tree *tree, size_t i)
{
	uint64_t lowest = tree->root.ceil_bps;

	for (; i != SIMULATE_NONE; i = tree->classes[i].parent_index) {
		uint64_t ceil_bps = tree->classes[i].ceil_bps;

		if (ceil_bps && ceil_bps < lowest)
			lowest = ceil_bps;
	}
	return lowest;
}

static int
check_own_floors(const struct simulate_tree *tree, struct error *err)
{
	char floor_text[UNITS_TEXT_BYTES], ceil_text[UNITS_TEXT_BYTES];

	for (size_t i = 0; i < tree->n; i++) {
		const struct simulate_class *class = &tree->classes[i];
		uint64_t ceil_bps = simulate_tree_ceil_bps(tree, i);

		if (class->floor_bps <= ceil_bps)
			continue;
		units_format_amount((double)class->floor_bps, floor_text);
		units_format_amount((double)ceil_bps, ceil_text);
		return error_set(
			err, -ERANGE,
			"class %" PRIu32
			": its floor of %s is above the lowest ceiling on its way to the link, %s",
			class->number, floor_text, ceil_text);
	}
	return 0;
}

/* "class 3 has 10M, class 4 has 20M": those with a floor whose parent is 'parent'. */
static void
name_holders(const struct simulate_tree *tree, const uint64_t *required, size_t parent,
             struct str *out)
{
	char text[UNITS_TEXT_BYTES];
	unsigned named = 0;

	for (size_t i = 0; i < tree->n; i++) {
		if (tree->classes[i].parent_index != parent || !required[i])
			continue;
		if (named++ == HOLDERS_MAX) {
			str_append(out, ", ...");
			return;
		}
		units_format_amount((double)required[i], text);
		str_printf(out, "%sclass %" PRIu32 " has %s", named > 1 ? ", " : "",
		           tree->classes[i].number, text);
	}
}

/* required[i]: the floor of class i, or the sum of those below; of the root at n. */
static void
sum_floors(const struct simulate_tree *tree, uint64_t *required)
{
	uint64_t *below = xcalloc(tree->n + 1, sizeof(*below));

	for (unsigned depth = DEPTH_MAX; depth >= 1; depth--)
		for (size_t i = 0; i < tree->n; i++) {
			const struct simulate_class *class = &tree->classes[i];

			if (class->depth != depth)
				continue;
			required[i] = MAX_OF(class->floor_bps, below[i]);
			below[class->parent_index == SIMULATE_NONE
			              ? tree->n
			              : class->parent_index] += required[i];
		}
	required[tree->n] = below[tree->n];
	free(below);
}

static int
check_sums(const struct simulate_tree *tree, struct error *err)
{
	uint64_t *required = xcalloc(tree->n + 1, sizeof(*required));
	struct str holders = STR_INIT;
	int ret = 0;

	sum_floors(tree, required);
	for (size_t i = 0; i <= tree->n && ret == 0; i++) {
		size_t parent = i == tree->n ? SIMULATE_NONE : i;
		uint64_t limit =
			i == tree->n ? tree->root.ceil_bps : tree->classes[i].ceil_bps;
		char sum_text[UNITS_TEXT_BYTES], limit_text[UNITS_TEXT_BYTES];
		char whose[32] = "the link's rate";

		if (!limit || required[i] <= limit)
			continue;
		name_holders(tree, required, parent, &holders);
		units_format_amount((double)required[i], sum_text);
		units_format_amount((double)limit, limit_text);
		if (i < tree->n)
			snprintf(whose, sizeof(whose), "class %" PRIu32 "'s ceiling",
			         tree->classes[i].number);
		ret = error_set(err, -ERANGE,
		                "floors add up to %s, %s is %s: %" PRIu64
		                " bit/s too much (%s)",
		                sum_text, whose, limit_text, required[i] - limit,
		                str_text(&holders));
	}
	str_free(&holders);
	free(required);
	return ret;
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
	ret = check_parents(tree, err);
	if (!ret)
		ret = check_depths(tree, err);
	if (!ret)
		ret = check_own_floors(tree, err);
	if (!ret)
		ret = check_sums(tree, err);
	return ret;
}
