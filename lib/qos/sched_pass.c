/* sched_pass.c - the way past the queues: while nothing waits in the whole tree, an item
 * whose ceilings are open goes at once, and is charged as if it had been queued and
 * taken. Beside sched.c. Owner thread.
 *
 * Shares of the excess need no account here: they count from when somebody waits. */
#include "qos/sched_charge.h"

/* Whether the leaf and all classes above it are below their ceilings. */
static bool
path_is_open(const struct sched *sched, uint32_t id)
{
	for (;; id = sched->nodes[id].parent) {
		if (node_is_red(sched, &sched->nodes[id]))
			return false;
		if (id == NODE_ROOT)
			return true;
	}
}

/* Charges a class of an idle tree; true if its floor pays, and so those above. */
static bool
pass_class(struct sched *sched, uint32_t id, struct visit visit, bool is_paying)
{
	struct sched_node *node = &sched->nodes[id];

	floor_refresh(sched, node);
	/* As where a class wakes: credit beyond the burst is forfeited. */
	node->floor_tag =
		tag_clamp(node->floor_tag, sched->floor_now, node->floor_burst_ns);
	is_paying = is_paying || node_is_green(sched, node);
	if (is_paying)
		node_charge_floor(sched, node, visit);
	else
		counter_add(&node->borrowed_bytes, visit.bytes);
	return is_paying;
}

bool
sched_pass(struct sched *sched, struct qos_item *item, uint64_t now_ns)
{
	unsigned levels_up = 0, lender_up = LENDER_ROOT;
	struct sched_node *leaf;
	bool is_paying = false;
	struct visit visit;
	uint32_t id;

	if (sched->backlog_packets || !ref_find(sched, item->class_ref, &id))
		return false;
	leaf = &sched->nodes[id];
	if (!(leaf->flags & NODE_LEAF) || leaf->managed ||
	    item->charged_bytes > SCHED_ITEM_BYTES_MAX || leaf->queue.room_packets <= 0 ||
	    leaf->room_bytes <= 0)
		return false;
	sched_set_now(sched, now_ns);
	if (!path_is_open(sched, id))
		return false;
	item->next = NULL;
	item->enqueued_ns = now_ns;
	visit.bytes = item->charged_bytes;
	visit.items = 1;
	visit.packets = MAX_OF(item->charged_packets, 1);
	for (; id != NODE_ROOT; id = sched->nodes[id].parent, levels_up++) {
		bool was_paying = is_paying;

		is_paying = pass_class(sched, id, visit, is_paying);
		if (is_paying && !was_paying)
			lender_up = levels_up;
		if (node_charge_ceil(sched, id, visit) && levels_up > 0)
			sched_note_red(sched, sched->nodes[id].ceil_tag);
	}
	node_charge_ceil(sched, NODE_ROOT, visit);
	leaf->lender_up = lender_up & LENDER_ROOT;
	return true;
}
