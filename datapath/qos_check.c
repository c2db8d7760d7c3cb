/* qos_check.c - whether a tree of classes is possible: names what is wrong with it. Pure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/datapath.h"
#include "datapath/qos.h"

#define NO_CLASS SIZE_MAX
/* One level below the deepest class is for the packets of a class that has classes. */
#define DEPTH_MAX (SCHED_LEVELS_MAX - 1)

struct check {
	const struct dp_qos_config *config;
	size_t *parents;    /* index of each class's parent, NO_CLASS for the root */
	uint64_t *required; /* floor of each class: its own or the sum of those below */
};

static size_t
check_find(const struct dp_qos_config *config, uint32_t number)
{
	for (size_t i = 0; i < config->n_classes; i++)
		if (config->classes[i].number == number)
			return i;
	return NO_CLASS;
}

/* Numbers are used once and parents exist. Quadratic only in bad configurations: classes
 * come sorted from the database. */
static int
check_names(struct check *check, struct error *err)
{
	const struct dp_qos_config *config = check->config;

	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];

		if (class->number > QOS_CLASS_NUMBER_MAX)
			return error_set(err, -EINVAL, "queue %u: numbers end at %d",
			                 class->number, QOS_CLASS_NUMBER_MAX);
		if (check_find(config, class->number) != i)
			return error_set(err, -EINVAL,
			                 "queue %u: stands twice in the tree",
			                 class->number);
		check->parents[i] = NO_CLASS;
		if (class->parent == DP_CLASS_ROOT)
			continue;
		check->parents[i] = check_find(config, class->parent);
		if (check->parents[i] == NO_CLASS)
			return error_set(
				err, -EINVAL,
				"queue %u: its parent, queue %u, is not in the same QoS",
				class->number, class->parent);
	}
	return 0;
}

static int
check_depth(const struct check *check, struct error *err)
{
	const struct dp_qos_config *config = check->config;

	for (size_t i = 0; i < config->n_classes; i++) {
		size_t steps = 1;

		for (size_t p = check->parents[i]; p != NO_CLASS; p = check->parents[p]) {
			if (p == i)
				return error_set(
					err, -ELOOP,
					"queue %u: is its own ancestor (a cycle of parents)",
					config->classes[i].number);
			if (++steps > config->n_classes)
				break; /* a cycle further up: reported at its members */
		}
		if (steps <= config->n_classes && steps > DEPTH_MAX)
			return error_set(
				err, -EINVAL,
				"queue %u: is %zu levels deep, at most %d are possible",
				config->classes[i].number, steps, DEPTH_MAX);
	}
	return 0;
}

/* The lowest ceiling above class 'i', and whose it is (NO_CLASS: the root's). */
static uint64_t
check_ceiling_above(const struct check *check, size_t i, size_t *whose)
{
	uint64_t lowest = check->config->rate_bps;

	*whose = NO_CLASS;
	for (size_t p = check->parents[i]; p != NO_CLASS; p = check->parents[p]) {
		uint64_t ceil = check->config->classes[p].ceil_bps;

		if (ceil && ceil < lowest) {
			lowest = ceil;
			*whose = p;
		}
	}
	return lowest;
}

static int
check_own_floors(const struct check *check, struct error *err)
{
	const struct dp_qos_config *config = check->config;

	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];
		uint64_t above;
		size_t whose;

		if (class->ceil_bps && class->floor_bps > class->ceil_bps)
			return error_set(
				err, -ERANGE,
				"queue %u: floor of %" PRIu64
				" bit/s is above its own ceiling of %" PRIu64 " bit/s",
				class->number, class->floor_bps, class->ceil_bps);
		above = check_ceiling_above(check, i, &whose);
		if (class->floor_bps <= above)
			continue;
		if (whose == NO_CLASS)
			return error_set(err, -ERANGE,
			                 "queue %u: floor of %" PRIu64
			                 " bit/s is above the rate of the link, %" PRIu64
			                 " bit/s",
			                 class->number, class->floor_bps, above);
		return error_set(
			err, -ERANGE,
			"queue %u: floor of %" PRIu64
			" bit/s is above the ceiling of queue %u above it, %" PRIu64
			" bit/s",
			class->number, class->floor_bps, config->classes[whose].number,
			above);
	}
	return 0;
}

/* Adds each class's floor to those of all its ancestors that have none as large. */
static void
check_sum_floors(struct check *check)
{
	const struct dp_qos_config *config = check->config;
	uint64_t *below = xcalloc(config->n_classes + 1, sizeof(*below));

	/* Deepest first: a class is complete before it counts for its parent. */
	for (int depth = DEPTH_MAX; depth >= 1; depth--) {
		for (size_t i = 0; i < config->n_classes; i++) {
			int steps = 1;

			for (size_t p = check->parents[i]; p != NO_CLASS;
			     p = check->parents[p])
				steps++;
			if (steps != depth)
				continue;
			check->required[i] =
				MAX_OF(config->classes[i].floor_bps, below[i]);
			if (check->parents[i] != NO_CLASS)
				below[check->parents[i]] += check->required[i];
			else
				below[config->n_classes] += check->required[i];
		}
	}
	check->required[config->n_classes] = below[config->n_classes];
	free(below);
}

/* "queue 3 has 10, queue 4 has 20" of the children of 'parent'. */
static void
check_name_holders(const struct check *check, size_t parent, struct str *out)
{
	const struct dp_qos_config *config = check->config;
	unsigned named = 0;

	for (size_t i = 0; i < config->n_classes; i++) {
		if (check->parents[i] != parent || !check->required[i])
			continue;
		if (named++ == 4) {
			str_append(out, ", ...");
			return;
		}
		str_printf(out, "%squeue %u has %" PRIu64, named > 1 ? ", " : "",
		           config->classes[i].number, check->required[i]);
	}
}

static int
check_sums(const struct check *check, struct error *err)
{
	const struct dp_qos_config *config = check->config;
	struct str holders = STR_INIT;
	int ret = 0;

	for (size_t i = 0; i <= config->n_classes && ret == 0; i++) {
		bool is_root = i == config->n_classes;
		uint64_t limit = is_root ? config->rate_bps : config->classes[i].ceil_bps;

		if (!limit || check->required[i] <= limit)
			continue;
		check_name_holders(check, is_root ? NO_CLASS : i, &holders);
		if (is_root)
			ret = error_set(err, -ERANGE,
			                "floors add up to %" PRIu64
			                " bit/s, above the rate of the link, %" PRIu64
			                " bit/s (%s)",
			                check->required[i], limit, str_text(&holders));
		else
			ret = error_set(err, -ERANGE,
			                "queue %u: floors below it add up to %" PRIu64
			                " bit/s, above its ceiling of %" PRIu64
			                " bit/s (%s)",
			                config->classes[i].number, check->required[i],
			                limit, str_text(&holders));
	}
	str_free(&holders);
	return ret;
}

int
dp_qos_check(const struct dp_qos_config *config, struct error *err)
{
	struct check check = {.config = config};
	int ret;

	if (config->kind == DP_QOS_NONE)
		return 0;
	if (!config->rate_bps)
		return error_set(err, -EINVAL, "the rate must not be 0");
	if (config->kind == DP_QOS_POLICER)
		return 0;
	check.parents = xcalloc(config->n_classes + 1, sizeof(*check.parents));
	check.required = xcalloc(config->n_classes + 1, sizeof(*check.required));
	ret = check_names(&check, err);
	if (ret == 0)
		ret = check_depth(&check, err);
	if (ret == 0)
		ret = check_own_floors(&check, err);
	if (ret == 0) {
		check_sum_floors(&check);
		ret = check_sums(&check, err);
	}
	free(check.parents);
	free(check.required);
	return ret;
}
