/* qos_check.c - whether a tree of classes is possible, in bits and in packets per second:
 * names what is wrong with it, who holds how much, and how much would fit. Pure; as good
 * as linear in the number of classes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/datapath.h"
#include "qos/sched.h"

#define NO_CLASS SIZE_MAX
/* One level below the deepest class is for the packets of a class that has classes. */
#define DEPTH_MAX         (SCHED_LEVELS_MAX - 1)
#define HOLDERS_NAMED_MAX 4

struct check {
	const struct dp_qos_config *config;
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
	uint64_t (*floor)(const struct dp_class_config *class);
	uint64_t (*ceil)(const struct dp_class_config *class); /* 0 = none */
	uint64_t (*root)(const struct dp_qos_config *config);  /* 0 = none */
};

/* The lower one of two ceilings, where 0 means none. */
static uint64_t
lower_ceiling(uint64_t a, uint64_t b)
{
	return !a ? b : !b ? a : MIN_OF(a, b);
}

static uint64_t
bits_floor(const struct dp_class_config *class)
{
	return class->floor_bps;
}

static uint64_t
bits_ceil(const struct dp_class_config *class)
{
	return lower_ceiling(class->ceil_bps, class->peak_bps);
}

static uint64_t
bits_root(const struct dp_qos_config *config)
{
	return lower_ceiling(config->rate_bps, config->peak_bps);
}

static uint64_t
packets_floor(const struct dp_class_config *class)
{
	return class->floor_pps;
}

static uint64_t
packets_ceil(const struct dp_class_config *class)
{
	return class->ceil_pps;
}

static uint64_t
packets_root(const struct dp_qos_config *config)
{
	return config->max_pps;
}

static const struct unit units[] = {
	{"bit/s", bits_floor, bits_ceil, bits_root},
	{"packets/s", packets_floor, packets_ceil, packets_root},
};

/* ---- the shape of the tree ---- */

static int
compare_numbers(const void *a, const void *b, void *classes)
{
	const struct dp_class_config *all = classes;
	uint32_t x = all[*(const size_t *)a].number, y = all[*(const size_t *)b].number;

	return x < y ? -1 : x > y;
}

static void
check_sort(struct check *check)
{
	const struct dp_qos_config *config = check->config;
	bool is_sorted = true;

	for (size_t i = 0; i < config->n_classes; i++) {
		check->by_number[i] = i;
		if (i && config->classes[i - 1].number > config->classes[i].number)
			is_sorted = false;
	}
	if (!is_sorted)
		qsort_r(check->by_number, config->n_classes, sizeof(*check->by_number),
		        compare_numbers, (void *)(uintptr_t)config->classes);
}

static size_t
check_find(const struct check *check, uint32_t number)
{
	const struct dp_qos_config *config = check->config;
	size_t low = 0, high = config->n_classes;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (config->classes[check->by_number[middle]].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < config->n_classes &&
	                       config->classes[check->by_number[low]].number == number
	               ? check->by_number[low]
	               : NO_CLASS;
}

/* Numbers are used once and parents exist. */
static int
check_names(struct check *check, struct error *err)
{
	const struct dp_qos_config *config = check->config;

	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class =
			&config->classes[check->by_number[i]];

		if (class->number > DP_CLASS_NUMBER_MAX)
			return error_set(err, -EINVAL, "queue %u: numbers end at %d",
			                 class->number, DP_CLASS_NUMBER_MAX);
		if (i && config->classes[check->by_number[i - 1]].number == class->number)
			return error_set(err, -EINVAL,
			                 "queue %u: stands twice in the tree",
			                 class->number);
	}
	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];

		check->parents[i] = NO_CLASS;
		if (class->parent == DP_CLASS_ROOT)
			continue;
		check->parents[i] = check_find(check, class->parent);
		if (check->parents[i] == NO_CLASS)
			return error_set(
				err, -EINVAL,
				"queue %u: its parent, queue %u, is not in the same QoS",
				class->number, class->parent);
	}
	return 0;
}

/* Depth of class 'i', and of all above it, each found once: a walk stops where the depth
 * is known. More steps than there are classes are a cycle. */
static int
check_depth_of(struct check *check, size_t i, struct error *err)
{
	const struct dp_qos_config *config = check->config;
	size_t steps = 0, depth, p = i;

	for (; p != NO_CLASS && !check->depths[p]; p = check->parents[p])
		if (++steps > config->n_classes)
			break;
	if (steps > config->n_classes) {
		/* The walk ends inside the cycle: 'p' is one of its members. */
		size_t lowest = p;

		for (size_t q = check->parents[p]; q != p; q = check->parents[q])
			if (config->classes[q].number < config->classes[lowest].number)
				lowest = q;
		return error_set(err, -ELOOP,
		                 "queue %u: is its own ancestor (a cycle of parents)",
		                 config->classes[lowest].number);
	}
	depth = steps + (p == NO_CLASS ? 0 : check->depths[p]);
	if (depth > DEPTH_MAX)
		return error_set(err, -EINVAL,
		                 "queue %u: is %zu levels deep, at most %d are possible",
		                 config->classes[i].number, depth, DEPTH_MAX);
	for (p = i; p != NO_CLASS && !check->depths[p]; p = check->parents[p])
		check->depths[p] = (uint8_t)depth--;
	return 0;
}

static int
check_depths(struct check *check, struct error *err)
{
	size_t n = check->config->n_classes, starts[DEPTH_MAX + 2] = {0};
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
	const struct dp_qos_config *config = check->config;

	for (size_t k = 0; k < config->n_classes; k++) {
		size_t i = check->by_depth[k], p = check->parents[i];
		uint64_t ceil = p == NO_CLASS ? 0 : unit->ceil(&config->classes[p]);

		check->above[i] = p == NO_CLASS ? unit->root(config) : check->above[p];
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
	const struct dp_qos_config *config = check->config;

	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];
		uint64_t floor = unit->floor(class), ceil = unit->ceil(class);

		if (ceil && floor > ceil)
			return error_set(err, -ERANGE,
			                 "queue %u: floor of %" PRIu64
			                 " %s is above its own ceiling of %" PRIu64 " %s",
			                 class->number, floor, unit->name, ceil,
			                 unit->name);
		if (!check->above[i] || floor <= check->above[i])
			continue;
		if (check->whose[i] == NO_CLASS)
			return error_set(err, -ERANGE,
			                 "queue %u: floor of %" PRIu64
			                 " %s is above the rate of the link, %" PRIu64
			                 " %s",
			                 class->number, floor, unit->name,
			                 check->above[i], unit->name);
		return error_set(err, -ERANGE,
		                 "queue %u: floor of %" PRIu64
		                 " %s is above the ceiling of queue %u above it, %" PRIu64
		                 " %s",
		                 class->number, floor, unit->name,
		                 config->classes[check->whose[i]].number, check->above[i],
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
	const struct dp_qos_config *config = check->config;
	uint64_t *required = check->required;

	/* Until its turn a class's entry is the sum of its children's. */
	memset(required, 0, (config->n_classes + 1) * sizeof(*required));
	for (size_t k = config->n_classes; k-- > 0;) {
		size_t i = check->by_depth[k], p = check->parents[i];
		uint64_t *up = &required[p == NO_CLASS ? config->n_classes : p];

		required[i] = MAX_OF(required[i], unit->floor(&config->classes[i]));
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

	for (size_t i = 0; i < check->config->n_classes; i++) {
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
		str_printf(out, "%squeue %u has %" PRIu64, i ? ", " : "",
		           check->config->classes[largest[i]].number,
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
	const struct dp_qos_config *config = check->config;
	uint64_t sum = check->required[i == NO_CLASS ? config->n_classes : i], fits;
	struct str holders = STR_INIT, what = STR_INIT;
	size_t largest = check_name_holders(check, i, &holders);

	fits = check->required[largest] > sum - limit
	               ? check->required[largest] - (sum - limit)
	               : 0;
	if (i == NO_CLASS)
		str_append(&what, "floors add up to");
	else
		str_printf(&what, "queue %u: floors below it add up to",
		           config->classes[i].number);
	error_set(err, -ERANGE,
	          "%s %" PRIu64 " %s, above %s %" PRIu64
	          " %s (%s); the largest floor that fits queue %u is %" PRIu64 " %s",
	          str_text(&what), sum, unit->name,
	          i == NO_CLASS ? "the rate of the link," : "its ceiling of", limit,
	          unit->name, str_text(&holders), config->classes[largest].number, fits,
	          unit->name);
	str_free(&holders);
	str_free(&what);
	return -ERANGE;
}

static int
check_sums(const struct check *check, const struct unit *unit, struct error *err)
{
	const struct dp_qos_config *config = check->config;
	uint64_t root = unit->root(config);

	for (size_t i = 0; i < config->n_classes; i++) {
		uint64_t limit = unit->ceil(&config->classes[i]);

		if (limit && check->required[i] > limit)
			return check_refuse_sum(check, unit, i, limit, err);
	}
	if (root && check->required[config->n_classes] > root)
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
check_peaks(const struct dp_qos_config *config, struct error *err)
{
	if (config->peak_bps && config->peak_bps < config->rate_bps)
		return error_set(err, -ERANGE,
		                 "peak rate of %" PRIu64
		                 " bit/s is below the rate of the link, %" PRIu64
		                 " bit/s",
		                 config->peak_bps, config->rate_bps);
	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];

		if (class->peak_bps && class->peak_bps < class->ceil_bps)
			return error_set(err, -ERANGE,
			                 "queue %u: peak rate of %" PRIu64
			                 " bit/s is below its ceiling of %" PRIu64
			                 " bit/s",
			                 class->number, class->peak_bps, class->ceil_bps);
	}
	return 0;
}

/* What a map or list of the QoS itself names must be there. */
static int
check_named(const uint8_t *exists, uint32_t number, const char *where, struct error *err)
{
	if (number == DP_CLASS_NONE || number == 0 ||
	    (number <= DP_CLASS_NUMBER_MAX && (exists[number / 8] >> number % 8 & 1)))
		return 0;
	return error_set(err, -EINVAL, "%s names queue %u, which is not in the QoS",
	                 where, number);
}

static int
check_maps(const struct check *check, struct error *err)
{
	const struct dp_qos_config *config = check->config;
	uint8_t exists[DP_CLASS_NUMBER_MAX / 8 + 1] = {0};
	int ret = 0;

	for (size_t i = 0; i < config->n_classes; i++)
		exists[config->classes[i].number / 8] |=
			(uint8_t)(1U << config->classes[i].number % 8);
	for (size_t i = 0; config->has_dscp_classes && i < 64 && !ret; i++)
		ret = check_named(exists, config->dscp_class[i], "dscp-map", err);
	for (size_t i = 0; config->has_pcp_classes && i < 8 && !ret; i++)
		ret = check_named(exists, config->pcp_class[i], "pcp-map", err);
	for (size_t i = 0; i < config->n_macs && !ret; i++)
		ret = check_named(exists, config->macs[i].number, "macs", err);
	return ret;
}

static int
check_tree(struct check *check, struct error *err)
{
	int ret = check_depths(check, err);

	if (ret == 0)
		ret = check_peaks(check->config, err);
	for (size_t i = 0; i < ARRAY_SIZE(units) && ret == 0; i++)
		ret = check_unit(check, &units[i], err);
	return ret ? ret : check_maps(check, err);
}

int
dp_qos_check(const struct dp_qos_config *config, struct error *err)
{
	size_t n = config->n_classes + 1;
	struct check check = {.config = config};
	int ret;

	if (config->kind == DP_QOS_NONE)
		return 0;
	if (!config->rate_bps && config->kind != DP_QOS_TRTCM)
		return error_set(err, -EINVAL, "the rate must not be 0");
	if (config->kind == DP_QOS_POLICER)
		return 0;
	check.by_number = xcalloc(n, sizeof(*check.by_number));
	check.parents = xcalloc(n, sizeof(*check.parents));
	check.by_depth = xcalloc(n, sizeof(*check.by_depth));
	check.whose = xcalloc(n, sizeof(*check.whose));
	check.required = xcalloc(n, sizeof(*check.required));
	check.above = xcalloc(n, sizeof(*check.above));
	check.depths = xcalloc(n, sizeof(*check.depths));
	check_sort(&check);
	ret = check_names(&check, err);
	if (ret == 0 && config->kind == DP_QOS_TREE)
		ret = check_tree(&check, err);
	free(check.by_number);
	free(check.parents);
	free(check.by_depth);
	free(check.whose);
	free(check.required);
	free(check.above);
	free(check.depths);
	return ret;
}
