/* learn_limits.c - a set of limits that main changes, and an open-addressed copy of it
 * for workers, made when it has changed. */
#include "datapath/learn_limits.h"

#include <stdlib.h>

#include "base/mem.h"
#include "datapath/rcu.h"

struct reached_limit {
	struct hmap_node node;
	struct dp_learn_limit limit;
};

struct learn_limit_set {
	uint32_t mask;                 /* number of slots - 1; half of them are free */
	struct dp_learn_limit slots[]; /* limit 0 = free */
};

uint32_t
learn_limit_hash(const struct dp_learn_limit *limit)
{
	return hash_u64(limit->cookie, hash_u64(limit->limit, limit->table));
}

static bool
limits_equal(const struct dp_learn_limit *a, const struct dp_learn_limit *b)
{
	return a->cookie == b->cookie && a->limit == b->limit && a->table == b->table;
}

/* ---- main ---- */

void
learn_limits_init(struct learn_limits *limits)
{
	*limits = (struct learn_limits){.has_changed = false};
	hmap_init(&limits->reached);
}

void
learn_limits_clear(struct learn_limits *limits)
{
	struct reached_limit *reached;

	limits->has_changed |= limits->reached.count > 0;
	HMAP_FOR_EACH (reached, node, &limits->reached) {
		hmap_remove(&limits->reached, &reached->node);
		free(reached);
	}
}

void
learn_limits_destroy(struct learn_limits *limits)
{
	learn_limits_clear(limits);
	hmap_destroy(&limits->reached);
	free(limits->shown);
	free(limits->retired);
}

bool
learn_limits_note(struct learn_limits *limits, const struct dp_learn_limit *limit,
                  bool is_reached)
{
	const uint32_t hash = learn_limit_hash(limit);
	struct reached_limit *reached, *found = NULL;

	HMAP_FOR_EACH_WITH_HASH (reached, node, hash, &limits->reached)
		if (limits_equal(&reached->limit, limit))
			found = reached;
	if (is_reached == (found != NULL))
		return false;
	if (found) {
		hmap_remove(&limits->reached, &found->node);
		free(found);
	} else {
		found = xcalloc(1, sizeof(*found));
		found->limit = *limit;
		hmap_insert(&limits->reached, &found->node, hash);
	}
	limits->has_changed = true;
	return true;
}

static struct learn_limit_set *
make_set(const struct hmap *all)
{
	struct learn_limit_set *set;
	struct reached_limit *reached;
	uint32_t n_slots = 2;

	if (!all->count)
		return NULL;
	while (n_slots < 2 * all->count)
		n_slots *= 2;
	set = xcalloc(1, sizeof(*set) + n_slots * sizeof(set->slots[0]));
	set->mask = n_slots - 1;
	HMAP_FOR_EACH (reached, node, all) {
		uint32_t at = reached->node.hash & set->mask;

		while (set->slots[at].limit)
			at = (at + 1) & set->mask;
		set->slots[at] = reached->limit;
	}
	return set;
}

const struct learn_limit_set *
learn_limits_show(struct learn_limits *limits)
{
	if (limits->has_changed) {
		limits->retired = limits->shown;
		limits->shown = make_set(&limits->reached);
		limits->has_changed = false;
	}
	return limits->shown;
}

void
learn_limits_retire(struct learn_limits *limits)
{
	if (limits->retired)
		rcu_call_after(free, limits->retired);
	limits->retired = NULL;
}

/* ---- any thread ---- */

bool
learn_limit_is_reached(const struct learn_limit_set *set,
                       const struct dp_learn_limit *limit)
{
	uint32_t at;

	if (!set)
		return false;
	for (at = learn_limit_hash(limit) & set->mask; set->slots[at].limit;
	     at = (at + 1) & set->mask)
		if (limits_equal(&set->slots[at], limit))
			return true;
	return false;
}
