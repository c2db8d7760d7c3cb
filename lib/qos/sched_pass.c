/* sched_pass.c - the way past the queues: while nothing waits in the whole tree, an item
 * whose ceilings are open goes at once, and is charged as if it had been queued and
 * taken. Beside sched.c. Owner thread.
 *
 * Shares of the excess need no account here: they count from when somebody waits. */
#include "qos/sched_charge.h"

/* Whether the leaf and all classes above it are below their ceilings. */
static inline bool
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
static inline bool
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

static inline bool
leaf_passes(const struct sched_node *leaf, uint32_t bytes)
{
	return leaf->flags & NODE_LEAF && !leaf->managed &&
	       bytes <= SCHED_ITEM_BYTES_MAX && node_has_room(leaf);
}

static inline void
pass_charge(struct sched *sched, uint32_t leaf, struct visit visit)
{
	unsigned levels_up = 0, lender_up = LENDER_ROOT;
	bool is_paying = false;

	for (uint32_t id = leaf; id != NODE_ROOT; id = sched->nodes[id].parent) {
		bool was_paying = is_paying;

		is_paying = pass_class(sched, id, visit, is_paying);
		if (is_paying && !was_paying)
			lender_up = levels_up;
		if (node_charge_ceil(sched, id, visit) && levels_up > 0)
			sched_note_red(sched, sched->nodes[id].ceil_tag);
		levels_up++;
	}
	node_charge_ceil(sched, NODE_ROOT, visit);
	sched->nodes[leaf].lender_up = lender_up & LENDER_ROOT;
}

unsigned
sched_pass(struct sched *sched, struct qos_item *const *items, unsigned n,
           uint64_t now_ns)
{
	unsigned passed = 0;

	if (sched->backlog_packets)
		return 0;
	sched_set_now(sched, now_ns);
	for (; passed < n; passed++) {
		struct qos_item *item = items[passed];
		struct visit visit = {.bytes = item->charged_bytes, .items = 1};
		uint32_t id;

		if (!ref_find(sched, item->class_ref, &id) ||
		    !leaf_passes(&sched->nodes[id], visit.bytes) ||
		    !path_is_open(sched, id))
			break;
		item->next = NULL;
		item->enqueued_ns = now_ns;
		visit.packets = MAX_OF(item->charged_packets, 1);
		pass_charge(sched, id, visit);
	}
	return passed;
}
