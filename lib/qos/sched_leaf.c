/* sched_leaf.c - leaves that do more than queue: items are dropped for their age or by
 * CoDel when their turn comes, flows have queues of their own. The way of the packet
 * through such a leaf, called by sched.c for those with 'managed'. Owner thread. */
#include "qos/sched_state.h"

/* One visit drops at most this many items, and comes back for the rest. */
#define VISIT_DROPS_MAX 32

/* One arrival makes room by dropping at most this many of a longer flow. */
#define PUSH_OUT_MAX 64

/* Frames that the queue of a slow class may hold whatever the target. */
#define TARGET_FRAMES 2

/* ---- drops and marks ---- */

static void
count_up(struct sched *sched, uint32_t id, size_t counter)
{
	for (;; id = sched->nodes[id].parent) {
		char *aqm = (char *)&sched->aqm[id];

		counter_add((uint64_t *)(void *)(aqm + counter), 1);
		if (id == NODE_ROOT)
			return;
	}
}

/* 'item' has left its queue. */
static void
leaf_drop(struct sched *sched, uint32_t id, struct qos_item *item, unsigned reason)
{
	node_take_room(&sched->nodes[id], -1, -(int32_t)item->charged_bytes);
	sched->backlog_packets--;
	sched_count_drop(sched, id, item->charged_bytes);
	if (reason == QOS_ITEM_AGED)
		count_up(sched, id, offsetof(struct sched_aqm, aged_packets));
	else if (reason == QOS_ITEM_CODEL)
		count_up(sched, id, offsetof(struct sched_aqm, codel_packets));
	item->class_ref = node_ref(sched, id);
	item->flags = (item->flags | reason) & QOS_ITEM_FLAGS;
	item->next = NULL;
	item_list_join(&sched->dropped, item, item);
}

struct qos_item *
sched_take_dropped(struct sched *sched)
{
	struct qos_item *items = sched->dropped.head;

	sched->dropped.head = sched->dropped.tail = NULL;
	return items;
}

/* ---- arrival ---- */

/* The target follows the largest frame there is, at the rate of the class. */
static void
leaf_set_target(const struct sched *sched, uint32_t id)
{
	const struct sched_class_params *params = &sched->classes[id].params;
	struct sched_aqm *aqm = &sched->aqm[id];
	uint64_t rate_bps = params->ceil_bps ? params->ceil_bps : params->floor_bps;
	uint64_t target_ns = CODEL_TARGET_DEFAULT_NS;

	aqm->flows.quantum_bytes = aqm->largest_bytes;
	if (rate_bps) {
		uint64_t frames_ns =
			TARGET_FRAMES * 8ULL * 1000000000 * aqm->largest_bytes / rate_bps;

		target_ns = MAX_OF(target_ns, frames_ns);
	}
	aqm->codel_params.target =
		aqm->fixed_target ? aqm->fixed_target : codel_time_of_ns(target_ns);
}

static void
leaf_note_size(struct sched *sched, uint32_t id, uint32_t bytes)
{
	struct sched_aqm *aqm = &sched->aqm[id];
	uint32_t largest = aqm->largest_bytes;

	aqm->window_largest_bytes = MAX_OF(aqm->window_largest_bytes, bytes);
	aqm->window_bytes += bytes;
	if (aqm->window_bytes >= (uint64_t)AQM_WINDOW_TURNS * largest *
	                                 (AQM_WINDOW_FLOWS + aqm->flows.own_count)) {
		aqm->window_bytes = 0;
		largest = aqm->window_largest_bytes;
		aqm->window_largest_bytes = FLOW_QUANTUM_MIN_BYTES;
	}
	largest = MAX_OF(largest, aqm->window_largest_bytes);
	if (unlikely(largest != aqm->largest_bytes)) {
		aqm->largest_bytes = largest;
		leaf_set_target(sched, id);
	}
}

/* Makes queue.head name an item that is in a flow, as sched.c wants to see backlog. */
static void
leaf_hint(struct sched *sched, struct sched_node *node, struct sched_aqm *aqm)
{
	struct flow *flow = NULL;

	if (aqm->flows.packets)
		flow = flow_set_first(&sched->flow_pool, &aqm->flows);
	aqm->is_hinted = flow != NULL;
	node->queue.head = flow ? flow->head : NULL;
	if (flow)
		node->queue.head_bytes = flow->head->charged_bytes;
}

void
leaf_put(struct sched *sched, uint32_t id, struct qos_item *item)
{
	struct sched_node *node = &sched->nodes[id];
	struct sched_aqm *aqm = &sched->aqm[id];
	struct item_list before = {NULL, NULL};

	leaf_note_size(sched, id, item->charged_bytes);
	if (!aqm->is_fair) {
		if (node->queue.head) {
			node->queue.tail->next = item;
		} else {
			node->queue.head = item;
			node->queue.head_bytes = item->charged_bytes;
		}
		node->queue.tail = item;
		return;
	}
	flow_set_put(&sched->flow_pool, &aqm->flows, item, &before);
	if (unlikely(before.head)) {
		if (node->queue.head && !aqm->is_hinted) {
			node->queue.tail->next = before.head;
		} else {
			node->queue.head = before.head;
			node->queue.head_bytes = before.head->charged_bytes;
		}
		node->queue.tail = before.tail;
		aqm->is_hinted = false;
	} else if (!node->queue.head) {
		aqm->is_hinted = true;
		node->queue.head = item;
		node->queue.head_bytes = item->charged_bytes;
	}
}

bool
leaf_make_room(struct sched *sched, uint32_t id, const struct qos_item *item)
{
	struct sched_node *node = &sched->nodes[id];
	struct sched_aqm *aqm = &sched->aqm[id];

	if (!aqm->is_fair)
		return false;
	for (unsigned n = 0; n < PUSH_OUT_MAX && !node_has_room(node); n++) {
		struct flow *flow =
			flow_set_longer(&sched->flow_pool, &aqm->flows, item->flow_hash);

		if (!flow)
			break;
		leaf_drop(sched, id,
		          flow_set_pop(&sched->flow_pool, &aqm->flows, flow, false),
		          QOS_ITEM_FULL);
	}
	/* The item that queue.head named may be gone, but others are left. */
	if (aqm->is_hinted)
		leaf_hint(sched, node, aqm);
	return node_has_room(node);
}

/* ---- departure ---- */

/* Takes the item 'head' out of the FIFO or, if 'flow' is given, out of that. */
static void
leaf_advance(struct sched *sched, uint32_t id, struct flow *flow, bool is_sent)
{
	struct sched_node *node = &sched->nodes[id];
	struct sched_aqm *aqm = &sched->aqm[id];

	if (flow) {
		flow_set_pop(&sched->flow_pool, &aqm->flows, flow, is_sent);
		return;
	}
	node->queue.head = node->queue.head->next;
	if (!node->queue.head)
		leaf_hint(sched, node, aqm);
}

/* What becomes of the item whose turn it is: QOS_ITEM_AGED or QOS_ITEM_CODEL if it is
 * dropped, QOS_ITEM_MARK, or 0. */
static unsigned
leaf_judge(const struct sched *sched, uint32_t id, struct flow *flow,
           const struct qos_item *item)
{
	struct sched_aqm *aqm = &sched->aqm[id];
	uint64_t age = sched->now - item->enqueued_ns * TICKS_PER_NS;
	struct codel *codel = flow ? &flow->codel : &aqm->flows.common.codel;
	uint32_t queued_bytes;

	if ((int64_t)age < 0)
		age = 0;
	if (aqm->limit_ticks && age > aqm->limit_ticks)
		return QOS_ITEM_AGED;
	if (!aqm->has_codel)
		return 0;
	queued_bytes = flow ? flow->bytes
	                    : sched->tails[id].limit.bytes -
	                               (uint32_t)sched->nodes[id].room_bytes;
	if (!codel_judge(codel, &aqm->codel_params,
	                 (uint32_t)(sched->now / TICKS_PER_NS >> CODEL_UNIT_SHIFT),
	                 codel_time_of_ns(age / TICKS_PER_NS),
	                 queued_bytes - item->charged_bytes <= aqm->largest_bytes))
		return 0;
	return aqm->has_ecn && (item->flags & QOS_ITEM_ECT) ? QOS_ITEM_MARK
	                                                    : QOS_ITEM_CODEL;
}

unsigned
leaf_take_managed(struct sched *sched, uint32_t id, struct qos_item **items,
                  unsigned max_items, uint32_t max_bytes, struct visit *visit)
{
	uint32_t quantum = MIN_OF(sched->quantum_bytes, max_bytes), bytes = 0, wire = 0;
	struct sched_node *node = &sched->nodes[id];
	struct sched_aqm *aqm = &sched->aqm[id];
	unsigned count = 0, drops = 0;

	while (node->queue.head && count < max_items && drops < VISIT_DROPS_MAX) {
		struct flow *flow = NULL;
		struct qos_item *item = node->queue.head;
		unsigned verdict;

		if (aqm->is_hinted) {
			flow = flow_set_first(&sched->flow_pool, &aqm->flows);
			if (!flow)
				break;
			item = flow->head;
		}
		if (count && bytes + item->charged_bytes > quantum)
			break;
		verdict = leaf_judge(sched, id, flow, item);
		if (verdict & (QOS_ITEM_AGED | QOS_ITEM_CODEL)) {
			leaf_advance(sched, id, flow, false);
			leaf_drop(sched, id, item, verdict);
			drops++;
			continue;
		}
		if (verdict & QOS_ITEM_MARK) {
			item->flags = (item->flags | QOS_ITEM_MARK) & QOS_ITEM_FLAGS;
			count_up(sched, id, offsetof(struct sched_aqm, marked_packets));
		}
		leaf_advance(sched, id, flow, true);
		node_take_room(node, -1, -(int32_t)item->charged_bytes);
		sched->backlog_packets--;
		bytes += item->charged_bytes;
		wire += MAX_OF(item->charged_packets, 1);
		item->class_ref = node_ref(sched, id);
		items[count++] = item;
	}
	if (aqm->is_hinted)
		leaf_hint(sched, node, aqm);
	else if (node->queue.head)
		node->queue.head_bytes = node->queue.head->charged_bytes;
	visit->bytes = bytes;
	visit->items = count;
	visit->packets = wire;
	return count;
}

/* ---- change ---- */

/* The flows' items follow those of the FIFO. */
static void
leaf_drain_flows(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];
	struct sched_aqm *aqm = &sched->aqm[id];
	struct item_list items = {NULL, NULL};

	if (!aqm->is_hinted)
		item_list_join(&items, node->queue.head, node->queue.tail);
	flow_set_drain(&sched->flow_pool, &aqm->flows, &items);
	aqm->is_hinted = false;
	node->queue.head = items.head;
	node->queue.tail = items.tail;
	if (items.head)
		node->queue.head_bytes = items.head->charged_bytes;
}

void
leaf_apply_params(struct sched *sched, uint32_t id,
                  const struct sched_class_params *params)
{
	struct sched_node *node = &sched->nodes[id];
	struct sched_node_tail *tail = &sched->tails[id];
	struct sched_aqm *aqm = &sched->aqm[id];
	bool was_managed = node->managed, was_fair = aqm->is_fair;
	uint64_t interval_ns = params->codel_interval_ns ? params->codel_interval_ns
	                                                 : CODEL_INTERVAL_DEFAULT_NS;

	aqm->is_fair = params->fair && sched->flow_pool.count;
	if (was_fair && !aqm->is_fair)
		leaf_drain_flows(sched, id);
	if (!was_fair && aqm->is_fair)
		flow_set_init(&aqm->flows,
		              (uint32_t)node->generation << REF_INDEX_BITS | id);
	aqm->limit_ticks =
		MIN_OF(params->limit_ns, TAG_DISTANCE_MAX / TICKS_PER_NS) * TICKS_PER_NS;
	aqm->has_codel = params->codel;
	aqm->has_ecn = params->ecn;
	/* What is queued was not linked as a plain FIFO wants it. */
	node->managed = leaf_needs_aqm(aqm) || (was_managed && node->queue.head != NULL);
	if (!node->managed)
		return;
	if (!was_managed)
		aqm->largest_bytes = aqm->window_largest_bytes = FLOW_QUANTUM_MIN_BYTES;
	aqm->codel_params.interval = MAX_OF(codel_time_of_ns(interval_ns), 1);
	aqm->fixed_target = 0;
	if (params->codel_target_ns)
		aqm->fixed_target = MAX_OF(codel_time_of_ns(params->codel_target_ns), 1);
	aqm->flows.packet_worth_bytes = tail->limit.bytes / tail->limit.packets;
	leaf_set_target(sched, id);
}

struct qos_item *
leaf_release(struct sched *sched, uint32_t id)
{
	if (sched->aqm[id].is_fair)
		leaf_drain_flows(sched, id);
	return sched->nodes[id].queue.head;
}

size_t
sched_flows_bytes(uint32_t flows)
{
	return flow_pool_bytes(MAX_OF(flows, 1));
}

void
sched_flows_attach(struct sched *sched, void *memory, uint32_t flows)
{
	flow_pool_init(&sched->flow_pool, memory, MAX_OF(flows, 1));
}
