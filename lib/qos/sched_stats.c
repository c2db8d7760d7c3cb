/* sched_stats.c - reads the counters of a class from any thread. */
#include "qos/sched_state.h"

static uint64_t
counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* What of 'limit' is in use, where both are read while they change. */
static uint32_t
used_read(const uint32_t *limit, const int32_t *room)
{
	int64_t used = (int64_t)__atomic_load_n(limit, __ATOMIC_RELAXED) -
	               __atomic_load_n(room, __ATOMIC_RELAXED);

	return used > 0 ? (uint32_t)used : 0;
}

bool
sched_class_get_stats(const struct sched *sched, uint32_t ref,
                      struct sched_class_stats *stats)
{
	const struct sched_node_tail *tail;
	const struct sched_node *node;
	const struct sched_aqm *aqm;
	uint32_t id;

	if (!ref_find(sched, ref, &id))
		return false;
	node = &sched->nodes[id];
	tail = &sched->tails[id];
	aqm = &sched->aqm[id];
	stats->sent_packets = counter_read(&node->sent_packets);
	stats->sent_bytes = counter_read(&node->sent_bytes);
	stats->dropped_packets = counter_read(&tail->dropped_packets);
	stats->dropped_bytes = counter_read(&tail->dropped_bytes);
	stats->aged_packets = counter_read(&aqm->aged_packets);
	stats->codel_packets = counter_read(&aqm->codel_packets);
	stats->marked_packets = counter_read(&aqm->marked_packets);
	/* All the others. Counters read a moment later may be ahead. */
	stats->full_packets = stats->dropped_packets -
	                      MIN_OF(stats->aged_packets + stats->codel_packets,
	                             stats->dropped_packets);
	stats->borrowed_bytes = counter_read(&node->borrowed_bytes);
	stats->queued_packets = stats->queued_bytes = 0;
	if (node->flags & NODE_LEAF) {
		stats->queued_packets =
			used_read(&tail->limit.packets, &node->queue.room_packets) +
			__atomic_load_n(&tail->limit.held_packets, __ATOMIC_RELAXED);
		stats->queued_bytes =
			used_read(&tail->limit.bytes, &node->room_bytes) +
			__atomic_load_n(&tail->limit.held_bytes, __ATOMIC_RELAXED);
	}
	stats->offered_packets =
		stats->sent_packets + stats->dropped_packets + stats->queued_packets;
	stats->offered_bytes =
		stats->sent_bytes + stats->dropped_bytes + stats->queued_bytes;
	/* The class may have been deleted, and its index reused, meanwhile. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return ref_find(sched, ref, &id);
}

uint32_t
sched_leaf_packets(const struct sched *sched, uint32_t ref)
{
	uint32_t id;

	if (!ref_find(sched, ref, &id) || !(sched->nodes[id].flags & NODE_LEAF))
		return 0;
	return used_read(&sched->tails[id].limit.packets,
	                 &sched->nodes[id].queue.room_packets);
}
