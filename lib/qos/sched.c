/* sched.c - the packet's way through a scheduler: enqueue, choose, settle. Classes are
 * made and changed in sched_class.c. Owner thread.
 *
 * Every class has three tags. The floor tag is the time up to which its floor is used up:
 * a class whose floor tag has passed may send on its own account, and such classes are
 * served earliest deadline first, those of the lowest level first. The ceiling tag works
 * the same way and must have passed on the whole way to the root. The share tag orders
 * the children of an inner class when something else pays for them: an ancestor that is
 * still under its floor or, in the end, the root. Whoever pays is the lender; the floor
 * tags of the lender and of all above it move, those below it do not. */
#include "qos/sched_charge.h"
#include "qos/sched_gate.h"
#include "qos/sched_link.h"
#include "qos/sched_overload.h"

/* What one call does at most without sending: classes taken off the wheels, and classes
 * found unable to send. The next call goes on. */
#define CALL_EXPIRE_MAX 128
#define CALL_LOOKS_MAX  128

void
sched_count_drop(struct sched *sched, uint32_t id, uint32_t bytes)
{
	for (;;) {
		struct sched_node_tail *tail = &sched->tails[id];

		counter_add(&tail->dropped_packets, 1);
		counter_add(&tail->dropped_bytes, bytes);
		if (id == NODE_ROOT)
			return;
		id = sched->nodes[id].parent;
	}
}

void
sched_prefetch(const struct sched *sched, struct qos_item *const *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t id = items[i]->class_ref & REF_INDEX_MASK;

		node_prefetch(&sched->nodes[id <= sched->capacity ? id : NODE_ROOT]);
	}
}

/* Puts a leaf that was idle where its tags say. */
static inline void
leaf_wake(struct sched *sched, uint32_t id, uint64_t now_ns)
{
	struct sched_node *node = &sched->nodes[id];

	sched_set_now(sched, now_ns);
	/* The only place where the credit of a leaf's floor is forfeited. */
	node->floor_tag =
		tag_clamp(node->floor_tag, sched->floor_now, node->floor_burst_ns);
	node->ceil_tag = tag_clamp(node->ceil_tag, sched->now, node->ceil_burst_ns);
	node_arm(sched, id);
}

/* A function of its own so that other leaves pay for one branch and no registers. */
static __attribute__((noinline)) enum sched_verdict
enqueue_managed(struct sched *sched, uint32_t id, struct qos_item *item, uint64_t now_ns)
{
	struct sched_node *node = &sched->nodes[id];
	bool was_busy = node->queue.head != NULL;

	if (unlikely(!was_busy && !leaf_needs_aqm(&sched->aqm[id]))) {
		node->managed = 0;
		return sched_enqueue(sched, item, now_ns);
	}
	if (item->charged_bytes > SCHED_ITEM_BYTES_MAX ||
	    (!node_has_room(node) && !leaf_make_room(sched, id, item))) {
		sched_count_drop(sched, id, item->charged_bytes);
		return SCHED_CLASS_FULL;
	}
	node_take_room(node, 1, (int32_t)item->charged_bytes);
	sched->backlog_packets++;
	item->next = NULL;
	item->enqueued_ns = now_ns;
	leaf_put(sched, id, item);
	if (!was_busy)
		leaf_wake(sched, id, now_ns);
	return SCHED_QUEUED;
}

enum sched_verdict
sched_enqueue(struct sched *sched, struct qos_item *item, uint64_t now_ns)
{
	uint32_t bytes = item->charged_bytes, id;
	struct sched_node *node;

	if (!ref_find(sched, item->class_ref, &id) ||
	    !(sched->nodes[id].flags & NODE_LEAF))
		return SCHED_NO_CLASS;
	node = &sched->nodes[id];
	if (unlikely(node->managed))
		return enqueue_managed(sched, id, item, now_ns);
	if (unlikely(!node_has_room(node) || bytes > SCHED_ITEM_BYTES_MAX)) {
		sched_count_drop(sched, id, bytes);
		return SCHED_CLASS_FULL;
	}
	node_take_room(node, 1, (int32_t)bytes);
	sched->backlog_packets++;
	item->next = NULL;
	item->enqueued_ns = now_ns;
	if (node->queue.head) {
		/* A busy class is already where it should be. */
		node->queue.tail->next = item;
		node->queue.tail->class_ref = bytes;
		node->queue.tail = item;
		return SCHED_QUEUED;
	}
	node->queue.head = node->queue.tail = item;
	node->queue.head_bytes = bytes;
	leaf_wake(sched, id, now_ns);
	return SCHED_QUEUED;
}

static void
ceil_expired(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];

	node->flags &= (uint8_t)~NODE_ON_CEIL_WHEEL;
	if (!(node->flags & NODE_LEAF) && node->inner.blocked.head)
		block_release(sched, id);
	if (node_has_backlog(node))
		node_arm(sched, id);
}

static void
floor_expired(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];

	node->flags &= (uint8_t)~NODE_ON_FLOOR_WHEEL;
	if (!node_has_backlog(node))
		return;
	if (node->flags & NODE_LEAF) {
		__builtin_prefetch(node->queue.head, 1);
	} else {
		/* It lends to the child that is likely to be its first. */
		const struct sched_node *child = &sched->nodes[node->inner.next_child];

		__builtin_prefetch(&sched->shares[node->inner.first_share], 1);
		if (child->flags & NODE_LEAF)
			__builtin_prefetch(child->queue.head, 1);
	}
	floor_refresh(sched, node);
	/* The usual case of node_arm(). */
	if (likely(node_is_green(sched, node) && !node_is_red(sched, node)))
		floor_add_edf(sched, id);
	else
		node_arm(sched, id);
}

static void
sched_expire(struct sched *sched)
{
	unsigned left = CALL_EXPIRE_MAX, slot;
	uint32_t id;

	while (left && wheel_advance(&sched->floor_wheel, sched->now, &slot))
		for (; left && (id = wheel_pop(sched->nodes, &sched->floor_wheel,
		                               CHAIN_FLOOR, slot));
		     left--)
			floor_expired(sched, id);
	/* The other wheel has its turn as well. */
	left += CALL_EXPIRE_MAX;
	while (left && wheel_advance(&sched->ceil_wheel, sched->now, &slot))
		for (; left && (id = wheel_pop(sched->nodes, &sched->ceil_wheel,
		                               CHAIN_EXCESS, slot));
		     left--)
			ceil_expired(sched, id);
}

/* Finds who pays for the next visit: the class under its floor at the lowest level with
 * the earliest deadline, else the root. False if nothing can be sent. */
static bool
lender_choose(struct sched *sched, unsigned *looks, uint32_t *lender)
{
	while (sched->edf_levels) {
		unsigned level = (unsigned)__builtin_ctz(sched->edf_levels);
		uint64_t until = 0, deadline;
		uint32_t id = edf_first(&sched->edf[level], sched->floor_now, &until);
		struct sched_node *node = &sched->nodes[id];
		uint32_t blocker;

		if (!*looks)
			return false;
		blocker = tick_is_after(sched->red_until, sched->now)
		                  ? blocker_find(sched, id)
		                  : NODE_NONE;
		deadline = floor_deadline(sched, node);
		if (likely(!blocker && !node_is_red(sched, node) &&
		           tick_is_after(until, deadline))) {
			overload_check(sched, node, deadline);
			*lender = id;
			return true;
		}
		--*looks;
		floor_remove_edf(sched, id);
		if (blocker)
			block_add(sched, blocker, id);
		else
			/* At its own ceiling, or charged since it was put here. */
			node_arm(sched, id);
	}
	sched->watch_served.is_on = sched->watch_waiting.is_on = false;
	*lender = NODE_ROOT;
	return sched->nodes[NODE_ROOT].inner.active_bands != 0;
}

static uint32_t
leaf_choose(const struct sched *sched, uint32_t id)
{
	const struct sched_node *node = &sched->nodes[id];

	while (!(node->flags & NODE_LEAF)) {
		id = share_first(&sched->shares[node->inner.first_share]);
		node = &sched->nodes[id];
	}
	return id;
}

/* Takes the packets of one visit from a leaf: at least one, then as many as the quantum
 * allows. Of those that stay not even the first is looked at: it would have to come from
 * memory. */
static unsigned
leaf_take(struct sched *sched, uint32_t id, struct qos_item **items, unsigned max_items,
          uint32_t max_bytes, struct visit *visit)
{
	struct sched_node *leaf = &sched->nodes[id];
	uint32_t quantum = MIN_OF(sched->quantum_bytes, max_bytes), bytes = 0, wire = 0;
	uint32_t head_bytes = leaf->queue.head_bytes, ref = node_ref(sched, id);
	struct qos_item *item = leaf->queue.head;
	unsigned count = 0;

	if (unlikely(leaf->managed))
		return leaf_take_managed(sched, id, items, max_items, max_bytes, visit);
	do {
		items[count++] = item;
		bytes += head_bytes;
		wire += item->charged_packets;
		head_bytes = item->class_ref;
		item->class_ref = ref;
		item = item->next;
	} while (item && count < max_items && bytes + head_bytes <= quantum);
	leaf->queue.head = item;
	leaf->queue.head_bytes = head_bytes;
	/* What was taken makes room: more may come soon, behind the last. */
	__builtin_prefetch(leaf->queue.tail, 1);
	node_take_room(leaf, -(int32_t)count, -(int32_t)bytes);
	sched->backlog_packets -= count;
	visit->bytes = bytes;
	visit->items = count;
	visit->packets = MAX_OF(wire, count);
	return count;
}

/* Whether a class that has something to send and is not in EDF is where it should be. */
static inline bool
node_is_settled(const struct sched_node *node, bool is_red)
{
	return (node->flags & (NODE_ON_FLOOR_WHEEL | NODE_BLOCKED)) &&
	       (node->flags & (is_red ? NODE_ON_CEIL_WHEEL : NODE_IN_SHARE));
}

/* A class whose floor has paid goes to its new place, whatever that is. */
static __attribute__((noinline)) void
settle_moved(struct sched *sched, uint32_t id, bool is_red)
{
	struct sched_node *node = &sched->nodes[id];

	if (!node_has_backlog(node)) {
		if (node->flags & NODE_IN_EDF)
			floor_remove_edf(sched, id);
		excess_unlink(sched, id);
		return;
	}
	if (is_red)
		excess_unlink(sched, id);
	if (node->flags & NODE_IN_EDF)
		floor_remove_edf(sched, id);
	else if (node_is_settled(node, is_red))
		return;
	node_arm(sched, id);
}

/* The lender. It gets its new deadline, or waits until it is under its floor again.
 * Inlined where leaves lend, which is most visits, and where inner classes do. */
static inline __attribute__((always_inline)) void
settle_lender(struct sched *sched, uint32_t id, struct visit visit, bool is_red)
{
	struct sched_node *node = &sched->nodes[id];

	node_charge_floor(sched, node, visit);
	if (unlikely(is_red || !(node->flags & NODE_IN_EDF) || !node_has_backlog(node))) {
		settle_moved(sched, id, is_red);
		return;
	}
	floor_remove_edf(sched, id);
	if (node_is_green(sched, node)) {
		floor_add_edf(sched, id);
	} else if (unlikely(node->implicit_floor)) {
		node_arm(sched, id);
	} else {
		/* The usual case of node_arm(). */
		floor_wait(sched, id, node->floor_tag + sched->floor_held);
		if (!(node->flags & NODE_IN_SHARE))
			excess_link(sched, id);
	}
}

/* A class above the lender: its floor pays. If it is in EDF, and stays there, it gets its
 * new place when it comes first. */
static inline void
settle_above(struct sched *sched, uint32_t id, struct visit visit, bool is_red)
{
	struct sched_node *node = &sched->nodes[id];

	node_charge_floor(sched, node, visit);
	if (likely(!is_red && node->inner.active_bands) &&
	    (node->flags & NODE_IN_EDF ? node_is_green(sched, node)
	                               : node_is_settled(node, false)))
		return;
	settle_moved(sched, id, is_red);
}

/* A class below the lender: sends on another's account, as its share of the excess. */
static inline void
settle_borrower(struct sched *sched, uint32_t id, struct visit visit, bool is_red)
{
	struct sched_node *node = &sched->nodes[id];
	struct share_calendar *share = node_share(sched, node);

	counter_add(&node->borrowed_bytes, visit.bytes);
	if (tick_is_after(node->share_tag, share->served_tag))
		share->served_tag = node->share_tag;
	node->share_tag +=
		price_of_bytes(node->share_mantissa, node->share_shift, visit.bytes);
	if (!node_has_backlog(node)) {
		if (node->flags & NODE_IN_EDF)
			floor_remove_edf(sched, id);
		excess_unlink(sched, id);
	} else if (is_red) {
		excess_unlink(sched, id);
		node_arm(sched, id);
	} else if (node->flags & NODE_IN_SHARE) {
		sched->nodes[node->parent].inner.next_child =
			node->link[CHAIN_EXCESS].next;
		share_remove(sched->nodes, share, id);
		share_add(sched->nodes, share, id);
	}
}

/* Charges a visit to every class from the leaf to those below the root and moves each to
 * its new place. */
static inline void
settle(struct sched *sched, uint32_t leaf, uint32_t lender, struct visit visit)
{
	unsigned lender_up = LENDER_OWN, levels_up = 0;
	bool is_red = node_charge_ceil(sched, leaf, visit), paying = leaf == lender;

	if (paying)
		settle_lender(sched, leaf, visit, is_red);
	else
		settle_borrower(sched, leaf, visit, is_red);
	for (uint32_t id = sched->nodes[leaf].parent; id != NODE_ROOT;
	     id = sched->nodes[id].parent) {
		levels_up++;
		is_red = node_charge_ceil(sched, id, visit);
		if (is_red)
			sched_note_red(sched, sched->nodes[id].ceil_tag);
		if (unlikely(sched->nodes[id].inner.blocked.head))
			block_release(sched, id);
		if (paying) {
			settle_above(sched, id, visit, is_red);
		} else if (id == lender) {
			paying = true;
			lender_up = levels_up;
			settle_lender(sched, id, visit, is_red);
		} else {
			settle_borrower(sched, id, visit, is_red);
		}
	}
	sched->nodes[leaf].lender_up =
		(paying ? lender_up : (unsigned)LENDER_ROOT) & LENDER_ROOT;
}

/* The root's ceiling, whose credit was forfeited when the call began. What it sent is
 * counted when the call ends. */
static inline void
root_charge(struct sched *sched, struct visit visit)
{
	struct sched_node *root = &sched->nodes[NODE_ROOT];

	if (unlikely(root->gated))
		gate_charge(sched, NODE_ROOT, visit.bytes, visit.packets);
	else
		root->ceil_tag += price_of_bytes(root->ceil_mantissa, root->ceil_shift,
		                                 visit.bytes) +
		                  1;
}

static inline const struct sched_node *
list_next(const struct sched *sched, const struct sched_node *node, enum node_chain chain)
{
	return &sched->nodes[node->link[chain].next];
}

/* The item of a leaf that is 'behind' its first. */
static inline void
prefetch_behind(const struct sched_node *node, unsigned behind)
{
	const struct qos_item *item = node->flags & NODE_LEAF ? node->queue.head : NULL;

	while (item && behind--)
		item = item->next;
	__builtin_prefetch(item, 1);
}

/* Those that follow in a list of this class are likely to be visited next. Memory may be
 * two visits away: of the fifth the lines are fetched now, of the third, whose lines have
 * come by then, the item. */
static inline void
prefetch_next(const struct sched *sched, uint32_t id, enum node_chain chain)
{
	const struct sched_node *first = list_next(sched, &sched->nodes[id], chain);
	const struct sched_node *third =
		list_next(sched, list_next(sched, first, chain), chain);

	node_prefetch(list_next(sched, list_next(sched, third, chain), chain));
	if (third->flags & NODE_LEAF)
		__builtin_prefetch(third->queue.head, 1);
	/* With a quantum those behind it are taken too. */
	if (sched->quantum_bytes && (first->flags & NODE_LEAF)) {
		prefetch_behind(list_next(sched, first, chain), 1);
		prefetch_behind(first, 2);
	}
}

/* The same for inner classes that are to lend in turn: of the second the calendar and the
 * child that is likely to be first, of the first that child's item. */
static inline void
prefetch_next_inner(const struct sched *sched, uint32_t lender)
{
	const struct sched_node *first =
		list_next(sched, &sched->nodes[lender], CHAIN_FLOOR);
	const struct sched_node *second = list_next(sched, first, CHAIN_FLOOR), *child;

	if (first->flags & NODE_LEAF || second->flags & NODE_LEAF)
		return;
	node_prefetch(list_next(sched, second, CHAIN_FLOOR));
	__builtin_prefetch(&sched->shares[second->inner.first_share], 1);
	node_prefetch(&sched->nodes[second->inner.next_child]);
	child = &sched->nodes[first->inner.next_child];
	if (child->flags & NODE_LEAF)
		__builtin_prefetch(child->queue.head, 1);
}

unsigned
sched_dequeue(struct sched *sched, uint64_t now_ns, struct qos_item **items,
              unsigned max_items, uint32_t max_bytes)
{
	struct sched_node *root = &sched->nodes[NODE_ROOT];
	unsigned count = 0, looks = CALL_LOOKS_MAX;
	uint32_t bytes = 0, lender, leaf;
	struct visit visit;

	sched_set_now(sched, now_ns);
	sched_expire(sched);
	if (!root->gated)
		root->ceil_tag =
			tag_clamp(root->ceil_tag, sched->now, root->ceil_burst_ns);
	while (count < max_items && bytes < max_bytes && !node_is_red(sched, root) &&
	       lender_choose(sched, &looks, &lender)) {
		leaf = leaf_choose(sched, lender);
		if (leaf == lender) {
			prefetch_next(sched, leaf, CHAIN_FLOOR);
		} else {
			prefetch_next(sched, leaf, CHAIN_EXCESS);
			prefetch_next_inner(sched, lender);
		}
		count += leaf_take(sched, leaf, items + count, max_items - count,
		                   max_bytes - bytes, &visit);
		bytes += visit.bytes;
		settle(sched, leaf, lender, visit);
		root_charge(sched, visit);
		if (unlikely(!visit.items)) {
			/* All that it had were dropped. */
			if (looks <= 1)
				break;
			looks--;
		}
	}
	counter_add(&root->sent_bytes, bytes);
	counter_add(&root->sent_packets, count);
	return count;
}

/* How many ns from 'now' to 'tick', rounded up: not before the tick. */
static uint64_t
ticks_to_ns(uint64_t ticks)
{
	return (ticks + TICKS_PER_NS - 1) / TICKS_PER_NS;
}

static uint64_t
wheel_delay(const struct wheel *wheel, uint64_t now)
{
	uint64_t next;
	unsigned slot;

	if (!wheel->count)
		return UINT64_MAX;
	next = wheel->base + wheel_next(wheel, &slot);
	/* Not popped before either of them. */
	if (tick_is_after(wheel->due, next))
		next = wheel->due;
	return tick_is_after(next, now) ? next - now : 0;
}

uint64_t
sched_next_event_ns(const struct sched *sched, uint64_t now_ns)
{
	const struct sched_node *root = &sched->nodes[NODE_ROOT];
	uint64_t now = now_ns * TICKS_PER_NS, delay = 0, waiting;

	if (!sched->backlog_packets)
		return UINT64_MAX;
	if (!sched->edf_levels && !root->inner.active_bands) {
		delay = wheel_delay(&sched->floor_wheel, now);
		waiting = wheel_delay(&sched->ceil_wheel, now);
		delay = MIN_OF(delay, waiting);
	}
	if ((root->flags & NODE_HAS_CEIL) && tick_is_after(root->ceil_tag, now))
		delay = MAX_OF(delay, root->ceil_tag - now);
	return now_ns + ticks_to_ns(delay);
}

uint64_t
sched_backlog_packets(const struct sched *sched)
{
	return sched->backlog_packets;
}
