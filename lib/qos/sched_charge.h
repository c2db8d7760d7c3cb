/* sched_charge.h - what a visit costs one class: its floor's tag and its ceilings' tags
 * move. Used by the packet's way through the queues (sched.c) and past them
 * (sched_pass.c). Private to lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/sched_gate.h"
#include "qos/sched_link.h"

/* A class is not charged more once it owes FLOOR_DEBT_MAX of its floor: what others send
 * on their own account must not shut it out for ever. Nor is it owed more. */
static inline void
node_charge_floor(const struct sched *sched, struct sched_node *node, struct visit visit)
{
	uint64_t tag = node->floor_tag;
	int64_t debt = (int64_t)(tag - sched->floor_now);

	if (unlikely((uint64_t)(debt + FLOOR_DEBT_MAX) > 2 * (uint64_t)FLOOR_DEBT_MAX)) {
		if (debt > 0)
			return;
		tag = sched->floor_now - FLOOR_DEBT_MAX;
	}
	node->floor_tag = tag + floor_cost(sched, node, visit.bytes, visit.packets);
}

/* Counts a visit in a class and charges its ceilings. True if it is at one now. */
static inline bool
node_charge_ceil(struct sched *sched, uint32_t id, struct visit visit)
{
	struct sched_node *node = &sched->nodes[id];

	counter_add(&node->sent_bytes, visit.bytes);
	counter_add(&node->sent_packets, visit.items);
	if (!(node->flags & NODE_HAS_CEIL))
		return false;
	if (unlikely(node->gated))
		gate_charge(sched, id, visit.bytes, visit.packets);
	else
		node->ceil_tag =
			ceil_tag_charged(node->ceil_tag, sched->now, node->ceil_burst_ns,
		                         price_of_bytes(node->ceil_mantissa,
		                                        node->ceil_shift, visit.bytes));
	return node_is_red(sched, node);
}
