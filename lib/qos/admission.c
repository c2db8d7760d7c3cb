/* admission.c - whether a tree of classes is possible, in bits and in packets per second:
 * names what is wrong with it, who holds how much, and how much would fit. Pure; as good
 * as linear in the number of classes. Any thread but workers. */
#include "qos/admission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "qos/sched.h"

#define NO_CLASS SIZE_MAX
/* One level below the deepest class is for the packets of a class that has classes. */
#define DEPTH_MAX         (SCHED_LEVELS_MAX - 1)
#define HOLDERS_NAMED_MAX 4

struct check {
	const struct admission_tree *tree;
	size_t *by_number; /* indexes of classes in ascending order of number */
	size_t *parents;   /* index of each class's parent, NO_CLASS for the root */
	size_t *by_depth;  /* indexes of classes, those nearest to the root first */
	uint8_t *depths;   /* 1 = below the root */
	/* In one unit at a time; the last entry is the root's. */
	uint64_t *required; /* floor of each class: its own or the sum of those below */
	uint64_t *above;    /* lowest ceiling above each class, the root's included */
	size_t *whose;      /* the class with that ceiling, NO_CLASS = the root */
};

/* One of the two budgets that floors are taken from. */
struct unit {
	const char *name;
	uint64_t (*floor)(const struct admission_class *class);
	uint64_t (*ceil)(const struct admission_class *class); /* 0 = none */
	uint64_t (*root)(const struct admission_tree *tree);   /* 0 = none */
};

/* The lower one of two ceilings, where 0 means none. */
static uint64_t
lower_ceiling(uint64_t a, uint64_t b)
{
	return !a ? b : !b ? a : MIN_OF(a, b);
}

static uint64_t
bits_floor(const struct admission_class *class)
{
	return class->floor_bps;
}

static uint64_t
bits_ceil(const struct admission_class *class)
{
	return lower_ceiling(class->ceil_bps, class->peak_bps);
}

static uint64_t
bits_root(const struct admission_tree *tree)
{
	return lower_ceiling(tree->rate_bps, tree->peak_bps);
}

static uint64_t
packets_floor(const struct admission_class *class)
{
	return class->floor_pps;
}

static uint64_t
packets_ceil(const struct admission_class *class)
{
	return class->ceil_pps;
}

static uint64_t
packets_root(const struct admission_tree *tree)
{
	return tree->max_pps;
}

static const struct unit units[] = {
	{"bit/s", bits_floor, bits_ceil, bits_root},
	{"packets/s", packets_floor, packets_ceil, packets_root},
};

/* ---- the shape of the tree ---- */

static int
compare_numbers(const void *a, const void *b, void *classes)
{
	const struct admission_class *all = classes;
	uint32_t x = all[*(const size_t *)a].number, y = all[*(const size_t *)b].number;

	return x < y ? -1 : x > y;
}

static void
check_sort(struct check *check)
{
	const struct admission_tree *tree = check->tree;
	bool is_sorted = true;

	for (size_t i = 0; i < tree->n; i++) {
		check->by_number[i] = i;
		if (i && tree->classes[i - 1].number > tree->classes[i].number)
			is_sorted = false;
	}
	if (!is_sorted)
		qsort_r(check->by_number, tree->n, sizeof(*check->by_number),
		        compare_numbers, (void *)(uintptr_t)tree->classes);
}

static size_t
check_find(const struct check *check, uint32_t number)
{
	const struct admission_tree *tree = check->tree;
	size_t low = 0, high = tree->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tree->classes[check->by_number[middle]].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tree->n && tree->classes[check->by_number[low]].number == number
	               ? check->by_number[low]
	               : NO_CLASS;
}

/* Numbers are used once and parents exist. */
static int
check_names(struct check *check, struct error *err)
{
	const struct admission_tree *tree = check->tree;

	for (size_t i = 0; i < tree->n; i++) {
		const struct admission_class *class = &tree->classes[check->by_number[i]];

		if (class->number > tree->number_max)
			return error_set(err, -EINVAL, "%s %u: numbers end at %u",
			                 tree->noun, class->number, tree->number_max);
		if (i && tree->classes[check->by_number[i - 1]].number == class->number)
			return error_set(err, -EINVAL, "%s %u: stands twice in the tree",
			                 tree->noun, class->number);
	}
	for (size_t i = 0; i < tree->n; i++) {
		const struct admission_class *class = &tree->classes[i];

		check->parents[i] = NO_CLASS;
		if (class->parent == ADMISSION_ROOT)
			continue;
		check->parents[i] = check_find(check, class->parent);
		if (check->parents[i] == NO_CLASS)
			return error_set(
				err, -EINVAL,
				"%s %u: its parent, %s %u, is not in the same QoS",
				tree->noun, class->number, tree->noun, class->parent);
	}
	return 0;
}

/* Depth of class 'i', and of all above it, each found once: a walk stops where the depth
 * is known. More steps than there are classes are a cycle. */
static int
check_depth_of(struct check *check, size_t i, struct error *err)
{
	const struct admission_tree *tree = check->tree;
	size_t steps = 0, depth, p = i;

	for (; p != NO_CLASS && !check->depths[p]; p = check->parents[p])
		if (++steps > tree->n)
			break;
	if (steps > tree->n) {
		/* The walk ends inside the cycle: 'p' is one of its members. */
		size_t lowest = p;

		for (size_t q = check->parents[p]; q != p; q = check->parents[q])
			if (tree->classes[q].number < tree->classes[lowest].number)
				lowest = q;
		return error_set(err, -ELOOP,
		                 "%s %u: is its own ancestor (a cycle of parents)",
		                 tree->noun, tree->classes[lowest].number);
	}
	depth = steps + (p == NO_CLASS ? 0 : check->depths[p]);
	if (depth > DEPTH_MAX)
		return error_set(err, -EINVAL,
		                 "%s %u: is %zu levels deep, at most %d are possible",
		                 tree->noun, tree->classes[i].number, depth, DEPTH_MAX);
	for (p = i; p != NO_CLASS && !check->depths[p]; p = check->parents[p])
		check->depths[p] = (uint8_t)depth--;
	return 0;
}

static int
check_depths(struct check *check, struct error *err)
{
	size_t n = check->tree->n, starts[DEPTH_MAX + 2] = {0};
	int ret = 0;

	for (size_t i = 0; i < n && !ret; i++)
		ret = check_depth_of(check, i, err);
	if (ret)
		return ret;
	for (size_t i = 0; i < n; i++)
		starts[check->depths[i] + 1]++;
	for (size_t depth = 1; depth < ARRAY_SIZE(starts); depth++)
		starts[depth] += starts[depth - 1];
	for (size_t i = 0; i < n; i++)
		check->by_depth[starts[check->depths[i]]++] = i;
	return 0;
}

/* ---- floors and ceilings, in one unit ---- */

/* Fills the lowest ceiling above every class, from the root down. */
static void
check_ceilings_above(struct check *check, const struct unit *unit)
{
	const struct admission_tree *tree = check->tree;

	for (size_t k = 0; k < tree->n; k++) {
		size_t i = check->by_depth[k], p = check->parents[i];
		uint64_t ceil = p == NO_CLASS ? 0 : unit->ceil(&tree->classes[p]);

		check->above[i] = p == NO_CLASS ? unit->root(tree) : check->above[p];
		check->whose[i] = p == NO_CLASS ? NO_CLASS : check->whose[p];
		if (!ceil || (check->above[i] && ceil >= check->above[i]))
			continue;
		check->above[i] = ceil;
		check->whose[i] = p;
	}
}

static int
check_own_floors(const struct check *check, const struct unit *unit, struct error *err)
{
	const struct admission_tree *tree = check->tree;

	for (size_t i = 0; i < tree->n; i++) {
		const struct admission_class *class = &tree->classes[i];
		uint64_t floor = unit->floor(class), ceil = unit->ceil(class);

		if (ceil && floor > ceil)
			return error_set(err, -ERANGE,
			                 "%s %u: floor of %" PRIu64
			                 " %s is above its own ceiling of %" PRIu64 " %s",
			                 tree->noun, class->number, floor, unit->name,
			                 ceil, unit->name);
		if (!check->above[i] || floor <= check->above[i])
			continue;
		if (check->whose[i] == NO_CLASS)
			return error_set(err, -ERANGE,
			                 "%s %u: floor of %" PRIu64
			                 " %s is above the rate of the link, %" PRIu64
			                 " %s",
			                 tree->noun, class->number, floor, unit->name,
			                 check->above[i], unit->name);
		return error_set(err, -ERANGE,
		                 "%s %u: floor of %" PRIu64
		                 " %s is above the ceiling of %s %u above it, %" PRIu64
		                 " %s",
		                 tree->noun, class->number, floor, unit->name, tree->noun,
		                 tree->classes[check->whose[i]].number, check->above[i],
		                 unit->name);
	}
	return 0;
}

static uint64_t
add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Adds up floors from the leaves to the root: a class needs its own floor, or the sum of
 * those below it if that is more. */
static void
check_sum_floors(struct check *check, const struct unit *unit)
{
	const struct admission_tree *tree = check->tree;
	uint64_t *required = check->required;

	/* Until its turn a class's entry is the sum of its children's. */
	memset(required, 0, (tree->n + 1) * sizeof(*required));
	for (size_t k = tree->n; k-- > 0;) {
		size_t i = check->by_depth[k], p = check->parents[i];
		uint64_t *up = &required[p == NO_CLASS ? tree->n : p];

		required[i] = MAX_OF(required[i], unit->floor(&tree->classes[i]));
		*up = add_saturated(*up, required[i]);
	}
}

/* "queue 4 has 20, queue 3 has 10 and 7 others 35" of the children of 'parent', largest
 * first; returns the largest. */
static size_t
check_name_holders(const struct check *check, size_t parent, struct str *out)
{
	size_t largest[HOLDERS_NAMED_MAX], n_named = 0, n_others = 0;
	uint64_t others = 0;

	for (size_t i = 0; i < check->tree->n; i++) {
		size_t at = n_named, in = i;

		if (check->parents[i] != parent || !check->required[i])
			continue;
		while (at && check->required[largest[at - 1]] < check->required[i])
			at--;
		for (; at < n_named; at++) {
			size_t moved = largest[at];

			largest[at] = in;
			in = moved;
		}
		if (n_named < HOLDERS_NAMED_MAX) {
			largest[n_named++] = in;
		} else {
			n_others++;
			others = add_saturated(others, check->required[in]);
		}
	}
	for (size_t i = 0; i < n_named; i++)
		str_printf(out, "%s%s %u has %" PRIu64, i ? ", " : "", check->tree->noun,
		           check->tree->classes[largest[i]].number,
		           check->required[largest[i]]);
	if (n_others)
		str_printf(out, " and %zu other%s %" PRIu64, n_others,
		           n_others == 1 ? "" : "s", others);
	return largest[0];
}

/* The floors below 'i' (NO_CLASS: the root) do not fit: who holds them, and how much the
 * largest holder could have if all others stay as they are. */
static int
check_refuse_sum(const struct check *check, const struct unit *unit, size_t i,
                 uint64_t limit, struct error *err)
{
	const struct admission_tree *tree = check->tree;
	uint64_t sum = check->required[i == NO_CLASS ? tree->n : i], fits;
	struct str holders = STR_INIT, what = STR_INIT;
	size_t largest = check_name_holders(check, i, &holders);

	fits = check->required[largest] > sum - limit
	               ? check->required[largest] - (sum - limit)
	               : 0;
	if (i == NO_CLASS)
		str_append(&what, "floors add up to");
	else
		str_printf(&what, "%s %u: floors below it add up to", tree->noun,
		           tree->classes[i].number);
	error_set(err, -ERANGE,
	          "%s %" PRIu64 " %s, above %s %" PRIu64
	          " %s (%s); the largest floor that fits %s %u is %" PRIu64 " %s",
	          str_text(&what), sum, unit->name,
	          i == NO_CLASS ? "the rate of the link," : "its ceiling of", limit,
	          unit->name, str_text(&holders), tree->noun,
	          tree->classes[largest].number, fits, unit->name);
	str_free(&holders);
	str_free(&what);
	return -ERANGE;
}

static int
check_sums(const struct check *check, const struct unit *unit, struct error *err)
{
	const struct admission_tree *tree = check->tree;
	uint64_t root = unit->root(tree);

	for (size_t i = 0; i < tree->n; i++) {
		uint64_t limit = unit->ceil(&tree->classes[i]);

		if (limit && check->required[i] > limit)
			return check_refuse_sum(check, unit, i, limit, err);
	}
	if (root && check->required[tree->n] > root)
		return check_refuse_sum(check, unit, NO_CLASS, root, err);
	return 0;
}

static int
check_unit(struct check *check, const struct unit *unit, struct error *err)
{
	int ret;

	check_ceilings_above(check, unit);
	ret = check_own_floors(check, unit, err);
	if (ret)
		return ret;
	check_sum_floors(check, unit);
	return check_sums(check, unit, err);
}

/* ---- the rest ---- */

/* A peak below the ceiling would be the ceiling: surely a mistake. */
static int
check_peaks(const struct admission_tree *tree, struct error *err)
{
	if (tree->peak_bps && tree->peak_bps < tree->rate_bps)
		return error_set(err, -ERANGE,
		                 "peak rate of %" PRIu64
		                 " bit/s is below the rate of the link, %" PRIu64
		                 " bit/s",
		                 tree->peak_bps, tree->rate_bps);
	for (size_t i = 0; i < tree->n; i++) {
		const struct admission_class *class = &tree->classes[i];

		if (class->peak_bps && class->peak_bps < class->ceil_bps)
			return error_set(err, -ERANGE,
			                 "%s %u: peak rate of %" PRIu64
			                 " bit/s is below its ceiling of %" PRIu64
			                 " bit/s",
			                 tree->noun, class->number, class->peak_bps,
			                 class->ceil_bps);
	}
	return 0;
}

/* ---- the doors ---- */

static void
check_init(struct check *check, const struct admission_tree *tree)
{
	size_t n = tree->n + 1;

	check->tree = tree;
	check->by_number = xcalloc(n, sizeof(*check->by_number));
	check->parents = xcalloc(n, sizeof(*check->parents));
	check->by_depth = xcalloc(n, sizeof(*check->by_depth));
	check->whose = xcalloc(n, sizeof(*check->whose));
	check->required = xcalloc(n, sizeof(*check->required));
	check->above = xcalloc(n, sizeof(*check->above));
	check->depths = xcalloc(n, sizeof(*check->depths));
	check_sort(check);
}

static void
check_destroy(struct check *check)
{
	free(check->by_number);
	free(check->parents);
	free(check->by_depth);
	free(check->whose);
	free(check->required);
	free(check->above);
	free(check->depths);
}

int
admission_check_numbers(const struct admission_tree *tree, struct error *err)
{
	struct check check;
	int ret;

	check_init(&check, tree);
	ret = check_names(&check, err);
	check_destroy(&check);
	return ret;
}

int
admission_check(const struct admission_tree *tree, struct error *err)
{
	struct check check;
	int ret;

	check_init(&check, tree);
	ret = check_names(&check, err);
	if (ret == 0)
		ret = check_depths(&check, err);
	if (ret == 0)
		ret = check_peaks(tree, err);
	for (size_t i = 0; i < ARRAY_SIZE(units) && ret == 0; i++)
		ret = check_unit(&check, &units[i], err);
	check_destroy(&check);
	return ret;
}
