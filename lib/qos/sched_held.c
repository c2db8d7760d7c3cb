/* sched_held.c - counts items that were given but wait outside the scheduler, as for a
 * full ring, until it is known what becomes of them. Beside sched.c. Owner thread. */
#include "qos/sched_state.h"

/* Adds to what a leaf and all classes above it have sent; the numbers may be negative. */
static void
count_sent(struct sched *sched, uint32_t id, int64_t packets, int64_t bytes)
{
	for (;;) {
		struct sched_node *node = &sched->nodes[id];

		counter_add(&node->sent_packets, (uint64_t)packets);
		counter_add(&node->sent_bytes, (uint64_t)bytes);
		if (id == NODE_ROOT)
			return;
		id = node->parent;
	}
}

static void
count_held(struct sched_node_tail *tail, int32_t packets, int32_t bytes)
{
	__atomic_store_n(&tail->limit.held_packets,
	                 tail->limit.held_packets + (uint32_t)packets, __ATOMIC_RELAXED);
	__atomic_store_n(&tail->limit.held_bytes,
	                 tail->limit.held_bytes + (uint32_t)bytes, __ATOMIC_RELAXED);
}

void
sched_item_hold(struct sched *sched, struct qos_item *item)
{
	uint32_t id;

	if (!ref_find(sched, item->class_ref, &id) ||
	    !(sched->nodes[id].flags & NODE_LEAF))
		return;
	item->flags |= QOS_ITEM_HELD;
	count_held(&sched->tails[id], 1, (int32_t)item->charged_bytes);
	count_sent(sched, id, -1, -(int64_t)item->charged_bytes);
}

void
sched_item_release(struct sched *sched, uint32_t ref, uint32_t bytes, bool is_sent)
{
	uint32_t id;

	if (!ref_find(sched, ref, &id) || !(sched->nodes[id].flags & NODE_LEAF))
		return;
	count_held(&sched->tails[id], -1, -(int32_t)bytes);
	if (is_sent)
		count_sent(sched, id, 1, bytes);
	else
		sched_count_drop(sched, id, bytes);
}
