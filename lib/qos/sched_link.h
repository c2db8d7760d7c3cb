/* sched_link.h - puts classes into the calendars and wheels where their tags say, and
 * takes them out. A class with something to send is always in the share calendar of its
 * parent, in the EDF calendar, on a wheel, or on the blocked list of an ancestor that is
 * itself on the ceiling wheel or has let go a class that will be served. That is what
 * makes the scheduler work-conserving. Private to lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/sched_state.h"

/* What an inner class's head packet is taken to be: it has none of its own. */
#define INNER_HEAD_BYTES 1500

/* A child that comes back keeps its place in virtual time if it is not further ahead than
 * this, its largest possible last visit. */
#define SHARE_WINDOW_BYTES (1U << 17)

static inline void
floor_remove_edf(struct sched *sched, uint32_t id)
{
	unsigned level = sched->nodes[id].edf_level;

	edf_remove(sched->nodes, &sched->edf[level], id);
	if (!sched->edf[level].rows)
		sched->edf_levels &= ~(1U << level);
	sched->nodes[id].flags &= (uint8_t)~NODE_IN_EDF;
}

/* What a visit costs of the floor of a class: with a floor of packets the cheaper of the
 * two, so that it is used up only when the class had both. */
static inline uint64_t
floor_cost(const struct sched *sched, const struct sched_node *node, uint32_t bytes,
           uint32_t packets)
{
	uint64_t cost = price_of_bytes(node->floor_mantissa, node->floor_shift, bytes);

	if (unlikely(node->floor_packets)) {
		const struct sched_gate *gate = &sched->gates[node - sched->nodes];
		uint64_t other =
			price_of_bytes(gate->floor_packet_mantissa,
		                       gate->floor_packet_shift, packets * PACKET_UNITS);

		cost = MIN_OF(cost, other);
	}
	return cost;
}

static inline uint64_t
floor_deadline(const struct sched *sched, const struct sched_node *node)
{
	uint32_t bytes =
		node->flags & NODE_LEAF ? node->queue.head_bytes : INNER_HEAD_BYTES;
	uint64_t cost = floor_cost(sched, node, bytes, 1);

	return node->floor_tag + MIN_OF(cost, EDF_AHEAD_MAX);
}

static inline void
floor_add_edf(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];

	edf_add(sched->nodes, &sched->edf[node->edf_level], id,
	        floor_deadline(sched, node), sched->floor_now);
	sched->edf_levels |= 1U << node->edf_level;
	node->flags |= NODE_IN_EDF;
}

/* Has a class in no floor state looked at again when 'due' has passed. */
static inline void
floor_wait(struct sched *sched, uint32_t id, uint64_t due)
{
	wheel_add(sched->nodes, &sched->floor_wheel, CHAIN_FLOOR, id, due, sched->now);
	sched->nodes[id].flags |= NODE_ON_FLOOR_WHEEL;
}

/* An implicit floor follows that of its parent's children when it is next used. */
static inline void
floor_refresh(const struct sched *sched, struct sched_node *node)
{
	if (node->implicit_floor) {
		const struct sched_node *parent = &sched->nodes[node->parent];

		node->floor_mantissa = parent->inner.child_floor_mantissa;
		node->floor_shift = parent->inner.child_floor_shift;
	}
}

/* Lets a class with something to send do so on its own floor, now or when it may. */
static inline void
floor_arm(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];
	uint64_t due;

	if (node->flags & NODE_FLOOR_STATES)
		return;
	floor_refresh(sched, node);
	due = node->floor_tag + sched->floor_held;
	if ((node->flags & NODE_HAS_CEIL) && tick_is_after(node->ceil_tag, due))
		due = node->ceil_tag;
	if (!tick_is_after(due, sched->now)) {
		floor_add_edf(sched, id);
		return;
	}
	floor_wait(sched, id, due);
}

static inline void
ceil_wheel_add(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];

	wheel_add(sched->nodes, &sched->ceil_wheel, CHAIN_EXCESS, id, node->ceil_tag,
	          sched->now);
	node->flags |= NODE_ON_CEIL_WHEEL;
}

static inline void
bands_set(struct sched *sched, uint32_t id, uint8_t bands)
{
	struct sched_node *node = &sched->nodes[id];

	node->inner.active_bands = bands;
	if (bands)
		node->inner.first_share =
			sched->tails[id].share[(unsigned)__builtin_ctz(bands)];
}

/* Puts a class into the share calendar of its parent. True if that woke the parent. */
static inline bool
share_join(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id],
			  *parent = &sched->nodes[node->parent];
	struct share_calendar *share = node_share(sched, node);
	uint64_t ahead = node->share_tag - share->served_tag;
	bool was_idle = !parent->inner.active_bands;

	if (ahead >
	    price_of_bytes(node->share_mantissa, node->share_shift, SHARE_WINDOW_BYTES))
		node->share_tag = share->served_tag;
	share_add(sched->nodes, share, id);
	node->flags |= NODE_IN_SHARE;
	if (!(parent->inner.active_bands >> node->priority & 1))
		bands_set(sched, node->parent,
		          (uint8_t)(parent->inner.active_bands | 1U << node->priority));
	return was_idle;
}

/* Lets a class with something to send have a share of the excess, now or when it is below
 * its ceiling, and wakes the classes above that this gives something to send. */
static inline void
excess_link(struct sched *sched, uint32_t id)
{
	for (;;) {
		struct sched_node *node = &sched->nodes[id], *parent;

		if (node->flags & NODE_EXCESS_STATES)
			return;
		if (node_is_red(sched, node)) {
			ceil_wheel_add(sched, id);
			return;
		}
		if (!share_join(sched, id) || node->parent == NODE_ROOT)
			return;
		id = node->parent;
		parent = &sched->nodes[id];
		parent->floor_tag = tag_clamp(parent->floor_tag, sched->floor_now,
		                              parent->floor_burst_ns);
		floor_arm(sched, id);
		if (parent->flags & NODE_IN_EDF)
			return;
	}
}

/* Takes a class out of its parent's share calendar, and the classes above out of theirs
 * and of EDF if that leaves them nothing to send. */
static inline void
excess_unlink(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];

	while (node->flags & NODE_IN_SHARE) {
		struct sched_node *parent = &sched->nodes[node->parent];
		struct share_calendar *share = node_share(sched, node);

		node->flags &= (uint8_t)~NODE_IN_SHARE;
		share_remove(sched->nodes, share, id);
		if (!share_is_empty(share))
			return;
		bands_set(
			sched, node->parent,
			(uint8_t)(parent->inner.active_bands & ~(1U << node->priority)));
		if (parent->inner.active_bands || node->parent == NODE_ROOT)
			return;
		id = node->parent;
		node = parent;
		if (node->flags & NODE_IN_EDF)
			floor_remove_edf(sched, id);
	}
}

/* For a class with something to send: every place it should be in. */
static inline void
node_arm(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];

	floor_arm(sched, id);
	/* Under its floor it is served before any excess. */
	if (node->flags & NODE_IN_EDF)
		return;
	/* At its ceiling, and under its floor when that ends: the floor wheel will do. */
	if ((node->flags & NODE_ON_FLOOR_WHEEL) && node_is_red(sched, node) &&
	    !tick_is_after(node->floor_tag + sched->floor_held, node->ceil_tag))
		return;
	excess_link(sched, id);
}

/* The nearest ancestor at its ceiling, or NODE_NONE. The root's is checked per visit. */
static inline uint32_t
blocker_find(const struct sched *sched, uint32_t id)
{
	for (id = sched->nodes[id].parent; id != NODE_ROOT; id = sched->nodes[id].parent)
		if (node_is_red(sched, &sched->nodes[id]))
			return id;
	return NODE_NONE;
}

/* Has a class that is at its ceiling looked at again when it no longer is. */
static inline void
ceil_wait(struct sched *sched, uint32_t id)
{
	if (sched->nodes[id].flags & NODE_ON_CEIL_WHEEL)
		return;
	excess_unlink(sched, id);
	ceil_wheel_add(sched, id);
}

/* Puts a class that is in no floor state on the list of its ancestor 'blocker'. */
static inline void
block_add(struct sched *sched, uint32_t blocker, uint32_t id)
{
	node_list_append(sched->nodes, &sched->nodes[blocker].inner.blocked, CHAIN_FLOOR,
	                 id);
	sched->nodes[id].flags |= NODE_BLOCKED;
	ceil_wait(sched, blocker);
}

/* Lets go the first blocked class that can be served now; the next one follows when this
 * one has been. Only one at a time, or all of them would overshoot the ceiling together.
 */
static inline void
block_release(struct sched *sched, uint32_t blocker)
{
	struct node_list *blocked = &sched->nodes[blocker].inner.blocked;

	if (node_is_red(sched, &sched->nodes[blocker])) {
		ceil_wait(sched, blocker);
		return;
	}
	while (blocked->head) {
		uint32_t id = blocked->head;
		struct sched_node *node = &sched->nodes[id];

		node_list_remove(sched->nodes, blocked, CHAIN_FLOOR, id);
		node->flags &= (uint8_t)~NODE_BLOCKED;
		if (!node_has_backlog(node))
			continue;
		node_arm(sched, id);
		if (node->flags & NODE_IN_EDF)
			return;
	}
}
