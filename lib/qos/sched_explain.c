/* sched_explain.c - says of a class what it does, from its tags: the same questions in
 * the same order as those by which sched.c chooses who sends. Owner thread. */
#include "qos/sched_explain.h"

#include "qos/sched_state.h"

static uint32_t
ref_of(const struct sched *sched, uint32_t id)
{
	return (uint32_t)sched->nodes[id].generation << REF_INDEX_BITS | id;
}

/* How long until 'tag', rounded up. */
static uint64_t
tag_wait_ns(uint64_t tag, uint64_t now)
{
	return tick_is_after(tag, now) ? (tag - now + TICKS_PER_NS - 1) / TICKS_PER_NS
	                               : 0;
}

static bool
is_at_ceil(const struct sched_node *node, uint64_t now)
{
	return (node->flags & NODE_HAS_CEIL) && tick_is_after(node->ceil_tag, now);
}

static bool
holds_items(const struct sched *sched, uint32_t id)
{
	const struct sched_node *node = &sched->nodes[id];

	if (id == NODE_ROOT)
		return sched->backlog_packets != 0;
	if (node->flags & NODE_LEAF)
		return node->queue.head != NULL;
	return node->inner.active_bands || node->inner.blocked.head;
}

/* The nearest class above at its ceiling. Not the root: its ceiling is the link. */
static uint32_t
blocker_of(const struct sched *sched, uint32_t id, uint64_t now)
{
	for (id = sched->nodes[id].parent; id != NODE_ROOT; id = sched->nodes[id].parent)
		if (is_at_ceil(&sched->nodes[id], now))
			return id;
	return NODE_NONE;
}

/* The nearest class above that is under its floor, or the root. */
static uint32_t
lender_of(const struct sched *sched, uint32_t id)
{
	for (id = sched->nodes[id].parent; id != NODE_ROOT; id = sched->nodes[id].parent)
		if (node_is_green(sched, &sched->nodes[id]))
			return id;
	return NODE_ROOT;
}

/* Held back by more than its ceiling, and longest by that. */
static bool
is_parked(const struct sched *sched, uint32_t id)
{
	const struct sched_gate *gate = &sched->gates[id];

	return sched->nodes[id].gated && (gate->set & GATE_PARK) &&
	       gate->park_tag == sched->nodes[id].ceil_tag;
}

static uint32_t
last_lender_of(const struct sched *sched, uint32_t id)
{
	unsigned up = sched->nodes[id].lender_up;

	if (!(sched->nodes[id].flags & NODE_LEAF))
		return ref_of(sched, id);
	/* The class may have moved up since. */
	while (up-- && id != NODE_ROOT)
		id = sched->nodes[id].parent;
	return ref_of(sched, id);
}

bool
sched_class_explain(const struct sched *sched, uint32_t ref, uint64_t now_ns,
                    struct sched_explanation *why)
{
	uint64_t now = now_ns * TICKS_PER_NS;
	const struct sched_node *root = &sched->nodes[NODE_ROOT], *node;
	uint32_t id, blocker;

	if (!ref_find(sched, ref, &id))
		return false;
	node = &sched->nodes[id];
	*why = (struct sched_explanation){.doing = SCHED_HAS_NOTHING, .who = ref};
	why->lender = last_lender_of(sched, id);
	if (is_at_ceil(root, now))
		why->link_wait_ns = tag_wait_ns(root->ceil_tag, now);
	if (!holds_items(sched, id))
		return true;
	if (id == NODE_ROOT) {
		why->doing = why->link_wait_ns ? SCHED_AT_CEIL : SCHED_ON_FLOOR;
		why->wait_ns = why->link_wait_ns;
	} else if (is_at_ceil(node, now)) {
		why->doing = is_parked(sched, id) ? SCHED_PARKED : SCHED_AT_CEIL;
		why->wait_ns = tag_wait_ns(node->ceil_tag, now);
	} else if ((blocker = blocker_of(sched, id, now))) {
		why->doing = SCHED_AT_CEIL_OF;
		why->who = ref_of(sched, blocker);
		why->wait_ns = tag_wait_ns(sched->nodes[blocker].ceil_tag, now);
	} else if (node_is_green(sched, node)) {
		why->doing = SCHED_ON_FLOOR;
	} else {
		why->doing = SCHED_ON_EXCESS;
		why->who = ref_of(sched, lender_of(sched, id));
	}
	return true;
}
