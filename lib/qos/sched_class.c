/* sched_class.c - makes, changes, moves and deletes classes while packets flow. A class
 * that changes is taken out of every calendar, changed, and put back where its tags then
 * say. Owner thread. */
#include <errno.h>
#include <string.h>

#include "qos/sched_gate.h"
#include "qos/sched_link.h"

/* The list of an ancestor that holds a blocked node at one of its ends, or any list when
 * it is in the middle of one: then the list itself does not change. */
static struct node_list *
block_list_of(struct sched *sched, uint32_t id)
{
	uint32_t up = id;
	struct node_list *blocked;

	do {
		up = sched->nodes[up].parent;
		blocked = &sched->nodes[up].inner.blocked;
	} while (up != NODE_ROOT && blocked->head != id && blocked->tail != id);
	return blocked;
}

static void
floor_detach(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];

	if (node->flags & NODE_IN_EDF) {
		floor_remove_edf(sched, id);
	} else if (node->flags & NODE_ON_FLOOR_WHEEL) {
		wheel_remove(sched->nodes, &sched->floor_wheel, CHAIN_FLOOR, id);
	} else if (node->flags & NODE_BLOCKED) {
		node_list_remove(sched->nodes, block_list_of(sched, id), CHAIN_FLOOR, id);
	}
	node->flags &= (uint8_t)~NODE_FLOOR_STATES;
}

/* Takes a class out of every calendar, wheel and list. */
static void
class_detach(struct sched *sched, uint32_t id)
{
	floor_detach(sched, id);
	if (sched->nodes[id].flags & NODE_ON_CEIL_WHEEL) {
		wheel_remove(sched->nodes, &sched->ceil_wheel, CHAIN_EXCESS, id);
		sched->nodes[id].flags &= (uint8_t)~NODE_ON_CEIL_WHEEL;
	}
	excess_unlink(sched, id);
}

/* Goes on letting go what is blocked at 'id' and above: whoever was to be served next
 * there may be gone. */
static void
blocked_resume(struct sched *sched, uint32_t id)
{
	for (; id != NODE_ROOT; id = sched->nodes[id].parent)
		if (sched->nodes[id].inner.blocked.head)
			block_release(sched, id);
}

/* Puts a detached class where it should be. */
static void
class_attach(struct sched *sched, uint32_t id)
{
	const struct sched_node *node = &sched->nodes[id];

	if (node_has_backlog(node))
		node_arm(sched, id);
	blocked_resume(sched, node->flags & NODE_LEAF ? node->parent : id);
}

/* Zero, but for the generation, which any thread may be reading. */
static void
node_clear(struct sched_node *node)
{
	uint16_t generation = node->generation;

	memset(node, 0, sizeof(*node));
	node->generation = generation;
}

int
sched_class_add(struct sched *sched, uint32_t parent_ref, bool is_leaf,
                const struct sched_class_params *params, uint64_t now_ns, uint32_t *ref)
{
	unsigned priority = params->priority % SCHED_PRIORITIES;
	struct sched_node *node;
	uint32_t parent, id;
	unsigned depth;

	if (!ref_find(sched, parent_ref, &parent))
		return -ENOENT;
	depth = sched->classes[parent].depth + 1U;
	if ((sched->nodes[parent].flags & NODE_LEAF) ||
	    depth + !is_leaf > SCHED_LEVELS_MAX)
		return -EINVAL;
	if (sched->class_count == sched->capacity)
		return -ENOSPC;
	if (band_join(sched, parent, priority))
		return -ENOSPC;
	sched_set_now(sched, now_ns);
	id = class_id_take(sched);
	node = &sched->nodes[id];
	node_clear(node);
	memset(&sched->tails[id], 0, sizeof(sched->tails[id]));
	memset(&sched->gates[id], 0, sizeof(sched->gates[id]));
	memset(&sched->aqm[id], 0, sizeof(sched->aqm[id]));
	memset(&sched->classes[id], 0, sizeof(sched->classes[id]));
	node->flags = (uint8_t)(NODE_LIVE | (is_leaf ? NODE_LEAF : 0));
	node->edf_level = (is_leaf ? 0 : SCHED_LEVELS_MAX - depth) & EDF_LEVEL_MASK;
	node->parent = parent;
	class_apply_params(sched, id, params);
	child_link(sched, parent, id);
	implicit_floor_update(sched, parent);
	if (!is_leaf)
		implicit_floor_update(sched, id);
	*ref = (uint32_t)node->generation << REF_INDEX_BITS | id;
	return 0;
}

int
sched_class_set(struct sched *sched, uint32_t ref,
                const struct sched_class_params *params, uint64_t now_ns)
{
	unsigned priority = params->priority % SCHED_PRIORITIES, old_priority;
	struct sched_class *up;
	uint32_t id, parent;

	if (!ref_find(sched, ref, &id))
		return -ENOENT;
	sched_set_now(sched, now_ns);
	if (id == NODE_ROOT) {
		class_apply_params(sched, id, params);
		implicit_floor_update(sched, id);
		return 0;
	}
	parent = sched->nodes[id].parent;
	old_priority = sched->nodes[id].priority;
	if (priority != old_priority && band_join(sched, parent, priority))
		return -ENOSPC;
	class_detach(sched, id);
	if (priority != old_priority)
		band_leave(sched, parent, old_priority);
	up = &sched->classes[parent];
	up->children_floor_bps -= sched->classes[id].params.floor_bps;
	up->children_floor_bps += params->floor_bps;
	up->children_with_floor -= sched->classes[id].params.floor_bps != 0;
	up->children_with_floor += params->floor_bps != 0;
	class_apply_params(sched, id, params);
	implicit_floor_update(sched, parent);
	if (!(sched->nodes[id].flags & NODE_LEAF))
		implicit_floor_update(sched, id);
	class_attach(sched, id);
	return 0;
}

/* Next inner class after 'id' in the subtree of 'top', parents first; NODE_NONE at the
 * end. */
static uint32_t
inner_next(const struct sched *sched, uint32_t top, uint32_t id)
{
	uint32_t next = sched->classes[id].first_child;

	if (next && !(sched->nodes[next].flags & NODE_LEAF))
		return next;
	for (; id != top; id = sched->nodes[id].parent) {
		next = sched->classes[id].next_sibling;
		if (next && !(sched->nodes[next].flags & NODE_LEAF))
			return next;
	}
	return NODE_NONE;
}

/* Levels of classes in the subtree of 'id', itself included. */
static unsigned
subtree_levels(const struct sched *sched, uint32_t id)
{
	unsigned top_depth = sched->classes[id].depth, levels = 1;

	if (sched->nodes[id].flags & NODE_LEAF)
		return 1;
	for (uint32_t at = id; at; at = inner_next(sched, id, at)) {
		/* An inner class needs room for a leaf below it, present or not. */
		unsigned below = sched->classes[at].depth - top_depth + 2U;

		levels = MAX_OF(levels, below);
	}
	return levels;
}

/* Lets everything go that is blocked above 'id': some of it may be moving away. */
static void
blocked_scatter(struct sched *sched, uint32_t id)
{
	for (id = sched->nodes[id].parent; id != NODE_ROOT;
	     id = sched->nodes[id].parent) {
		struct node_list *blocked = &sched->nodes[id].inner.blocked;

		while (blocked->head) {
			uint32_t child = blocked->head;

			node_list_remove(sched->nodes, blocked, CHAIN_FLOOR, child);
			sched->nodes[child].flags &= (uint8_t)~NODE_BLOCKED;
			/* If an ancestor is still at its ceiling, it comes back. */
			if (node_has_backlog(&sched->nodes[child]))
				node_arm(sched, child);
		}
	}
}

static void
subtree_set_depth(struct sched *sched, uint32_t top)
{
	if (sched->nodes[top].flags & NODE_LEAF)
		return;
	for (uint32_t id = top; id; id = inner_next(sched, top, id)) {
		struct sched_node *node = &sched->nodes[id];
		unsigned depth = sched->classes[node->parent].depth + 1U;
		bool was_in_edf = node->flags & NODE_IN_EDF;

		if (was_in_edf)
			floor_remove_edf(sched, id);
		sched->classes[id].depth = (uint8_t)depth;
		node->edf_level = (SCHED_LEVELS_MAX - depth) & EDF_LEVEL_MASK;
		if (was_in_edf)
			floor_add_edf(sched, id);
	}
}

static bool
is_below(const struct sched *sched, uint32_t id, uint32_t top)
{
	while (id != top && id != NODE_ROOT)
		id = sched->nodes[id].parent;
	return id == top;
}

int
sched_class_move(struct sched *sched, uint32_t ref, uint32_t parent_ref, uint64_t now_ns)
{
	uint32_t id, parent, old_parent;
	struct sched_node *node;

	if (!ref_find(sched, ref, &id) || !ref_find(sched, parent_ref, &parent))
		return -ENOENT;
	node = &sched->nodes[id];
	if (id == NODE_ROOT || (sched->nodes[parent].flags & NODE_LEAF) ||
	    is_below(sched, parent, id) ||
	    sched->classes[parent].depth + subtree_levels(sched, id) > SCHED_LEVELS_MAX)
		return -EINVAL;
	old_parent = node->parent;
	if (parent == old_parent)
		return 0;
	if (band_join(sched, parent, node->priority))
		return -ENOSPC;
	sched_set_now(sched, now_ns);
	blocked_scatter(sched, id);
	class_detach(sched, id);
	child_unlink(sched, id);
	band_leave(sched, old_parent, node->priority);
	child_link(sched, parent, id);
	subtree_set_depth(sched, id);
	implicit_floor_update(sched, old_parent);
	implicit_floor_update(sched, parent);
	if (!(node->flags & NODE_LEAF))
		implicit_floor_update(sched, id);
	class_attach(sched, id);
	return 0;
}

int
sched_class_delete(struct sched *sched, uint32_t ref, uint64_t now_ns,
                   struct qos_item **items)
{
	struct sched_node *node;
	uint32_t id, parent;

	*items = NULL;
	if (!ref_find(sched, ref, &id))
		return -ENOENT;
	node = &sched->nodes[id];
	if (id == NODE_ROOT || sched->classes[id].children)
		return -EBUSY;
	sched_set_now(sched, now_ns);
	class_detach(sched, id);
	if (node->flags & NODE_LEAF) {
		*items = leaf_release(sched, id);
		sched->backlog_packets -= sched->tails[id].limit.packets -
		                          (uint32_t)node->queue.room_packets;
	}
	parent = node->parent;
	child_unlink(sched, id);
	band_leave(sched, parent, node->priority);
	class_id_return(sched, id);
	implicit_floor_update(sched, parent);
	blocked_resume(sched, parent);
	return 0;
}

void
sched_leaf_park(struct sched *sched, uint32_t ref, uint64_t until_ns, uint64_t now_ns)
{
	struct sched_gate *gate;
	struct sched_node *node;
	uint64_t until;
	uint32_t id;

	if (!ref_find(sched, ref, &id) || !(sched->nodes[id].flags & NODE_LEAF))
		return;
	sched_set_now(sched, now_ns);
	until = MIN_OF(until_ns, now_ns + PARK_MAX_NS) * TICKS_PER_NS;
	node = &sched->nodes[id];
	if (!node->gated && !tick_is_after(until, sched->now))
		return;
	class_detach(sched, id);
	gate = gate_open(sched, id);
	gate->park_tag = until;
	gate->set |= GATE_PARK;
	gate_close(sched, id);
	/* It wanted nothing meanwhile: as after idling, a burst is all it is owed. */
	node->floor_tag = tag_clamp(node->floor_tag, gate->park_tag - sched->floor_held,
	                            node->floor_burst_ns);
	class_attach(sched, id);
}

void
sched_set_quantum(struct sched *sched, uint32_t bytes)
{
	sched->quantum_bytes = MIN_OF(bytes, SCHED_ITEM_BYTES_MAX);
}
