/* sched_tree.c - the memory of a scheduler: its layout, its moves to larger memory, the
 * indices of classes, their share calendars and lists of children. Owner thread. */
#include <errno.h>
#include <string.h>

#include "qos/sched_state.h"

/* Bands with a calendar of their own beyond one per four classes. */
#define SHARES_EXTRA 256

static size_t
lines_bytes(size_t bytes)
{
	return (bytes + CACHE_LINE_BYTES - 1) & ~(size_t)(CACHE_LINE_BYTES - 1);
}

/* Every band with a child takes a calendar, so there are never more than classes, and as
 * a rule far fewer. */
static uint32_t
shares_for(uint32_t capacity)
{
	return 1 + MIN_OF(capacity, capacity / 4 + SHARES_EXTRA);
}

static uint32_t
capacity_clamp(uint32_t capacity)
{
	return MIN_OF(capacity, SCHED_CLASSES_MAX - 1);
}

static size_t
nodes_bytes(uint32_t capacity)
{
	return ((size_t)capacity + 1) * sizeof(struct sched_node);
}

static size_t
tails_bytes(uint32_t capacity)
{
	return ((size_t)capacity + 1) * sizeof(struct sched_node_tail);
}

static size_t
gates_bytes(uint32_t capacity)
{
	return ((size_t)capacity + 1) * sizeof(struct sched_gate);
}

static size_t
aqm_bytes(uint32_t capacity)
{
	return ((size_t)capacity + 1) * sizeof(struct sched_aqm);
}

static size_t
classes_bytes(uint32_t capacity)
{
	return lines_bytes(((size_t)capacity + 1) * sizeof(struct sched_class));
}

size_t
sched_memory_bytes(uint32_t capacity)
{
	capacity = capacity_clamp(capacity);
	return sizeof(struct sched) + nodes_bytes(capacity) + tails_bytes(capacity) +
	       gates_bytes(capacity) + aqm_bytes(capacity) + classes_bytes(capacity) +
	       shares_for(capacity) * sizeof(struct share_calendar);
}

/* Finds the parts of the memory that begins with 'sched'. */
static void
sched_lay_out(struct sched *sched, uint32_t capacity)
{
	char *at = (char *)(sched + 1) + nodes_bytes(capacity);

	sched->capacity = capacity;
	sched->share_capacity = shares_for(capacity);
	sched->tails = (struct sched_node_tail *)(void *)at;
	at += tails_bytes(capacity);
	sched->gates = (struct sched_gate *)(void *)at;
	at += gates_bytes(capacity);
	sched->aqm = (struct sched_aqm *)(void *)at;
	at += aqm_bytes(capacity);
	sched->classes = (struct sched_class *)(void *)at;
	at += classes_bytes(capacity);
	sched->shares = (struct share_calendar *)(void *)at;
}

struct sched *
sched_init(void *memory, uint32_t capacity, const struct sched_class_params *root,
           uint64_t now_ns)
{
	struct sched *sched = memory;
	struct sched_node *node;

	capacity = capacity_clamp(capacity);
	/* Share calendars are cleared when they are taken. */
	memset(memory, 0,
	       sizeof(*sched) + nodes_bytes(capacity) + tails_bytes(capacity) +
	               gates_bytes(capacity) + aqm_bytes(capacity) +
	               classes_bytes(capacity));
	sched_lay_out(sched, capacity);
	sched->now = sched->floor_now = sched->red_until = now_ns * TICKS_PER_NS;
	sched->late_limit = (int64_t)OVERLOAD_LATE_FIRST;
	sched->class_fresh = NODE_ROOT + 1;
	sched->share_fresh = 1; /* 0 means none */
	node = &sched->nodes[NODE_ROOT];
	node->generation = 1;
	node->flags = NODE_LIVE;
	class_apply_params(sched, NODE_ROOT, root);
	implicit_floor_update(sched, NODE_ROOT);
	return sched;
}

struct sched *
sched_relocate(void *memory, uint32_t capacity, const struct sched *old)
{
	size_t used = old->class_fresh; /* the root and all indices used so far */
	struct sched *sched = memory;

	capacity = capacity_clamp(capacity);
	if (capacity < old->capacity)
		return NULL;
	memcpy(sched, old, sizeof(*sched));
	sched_lay_out(sched, capacity);
	/* What was never in use is cleared when it is taken: the owner copies this
	 * between two packets. */
	memcpy(sched->nodes, old->nodes, used * sizeof(struct sched_node));
	memcpy(sched->tails, old->tails, used * sizeof(struct sched_node_tail));
	memcpy(sched->gates, old->gates, used * sizeof(struct sched_gate));
	memcpy(sched->aqm, old->aqm, used * sizeof(struct sched_aqm));
	memcpy(sched->classes, old->classes, used * sizeof(struct sched_class));
	memcpy(sched->shares, old->shares,
	       (size_t)old->share_fresh * sizeof(struct share_calendar));
	return sched;
}

uint32_t
sched_root(const struct sched *sched)
{
	return (uint32_t)sched->nodes[NODE_ROOT].generation << REF_INDEX_BITS;
}

uint32_t
sched_capacity(const struct sched *sched)
{
	return sched->capacity;
}

uint32_t
sched_class_count(const struct sched *sched)
{
	return sched->class_count;
}

uint32_t
class_id_take(struct sched *sched)
{
	uint32_t id;

	/* Never-used indices first, then the one that is free longest: a generation comes
	 * round again as late as possible. */
	if (sched->class_fresh <= sched->capacity) {
		id = sched->class_fresh++;
		sched->nodes[id].generation = 1;
	} else {
		id = sched->class_free_head;
		if (id == NODE_NONE)
			return NODE_NONE;
		sched->class_free_head = sched->classes[id].next_sibling;
		if (!sched->class_free_head)
			sched->class_free_tail = NODE_NONE;
	}
	sched->class_count++;
	return id;
}

void
class_id_return(struct sched *sched, uint32_t id)
{
	struct sched_node *node = &sched->nodes[id];
	unsigned generation = node->generation + 1U;

	node->flags = 0;
	if (generation > REF_GENERATION_MAX)
		generation = 1;
	__atomic_store_n(&node->generation, (uint16_t)generation, __ATOMIC_RELEASE);
	sched->classes[id].next_sibling = NODE_NONE;
	if (sched->class_free_tail)
		sched->classes[sched->class_free_tail].next_sibling = id;
	else
		sched->class_free_head = id;
	sched->class_free_tail = id;
	sched->class_count--;
}

int
band_join(struct sched *sched, uint32_t parent, unsigned priority)
{
	uint32_t share = sched->share_free;

	if (sched->classes[parent].band_children[priority]++)
		return 0;
	if (share) {
		sched->share_free = sched->shares[share].bucket[0].head;
	} else if (sched->share_fresh < sched->share_capacity) {
		share = sched->share_fresh++;
	} else {
		sched->classes[parent].band_children[priority]--;
		return -ENOSPC;
	}
	memset(&sched->shares[share], 0, sizeof(sched->shares[share]));
	sched->tails[parent].share[priority] = share;
	return 0;
}

void
band_leave(struct sched *sched, uint32_t parent, unsigned priority)
{
	uint32_t *share = &sched->tails[parent].share[priority];

	if (--sched->classes[parent].band_children[priority])
		return;
	sched->shares[*share].bucket[0].head = sched->share_free;
	sched->share_free = *share;
	*share = 0;
}

void
child_link(struct sched *sched, uint32_t parent, uint32_t id)
{
	struct sched_class *class = &sched->classes[id], *up = &sched->classes[parent];

	sched->nodes[id].parent = parent;
	class->depth = (uint8_t)(up->depth + 1);
	up->children++;
	up->children_floor_bps += class->params.floor_bps;
	up->children_with_floor += class->params.floor_bps != 0;
	class->next_sibling = class->prev_sibling = NODE_NONE;
	if (sched->nodes[id].flags & NODE_LEAF) {
		class->prev_sibling = up->last_child;
		if (up->last_child)
			sched->classes[up->last_child].next_sibling = id;
		else
			up->first_child = id;
		up->last_child = id;
		return;
	}
	class->next_sibling = up->first_child;
	if (up->first_child)
		sched->classes[up->first_child].prev_sibling = id;
	else
		up->last_child = id;
	up->first_child = id;
}

void
child_unlink(struct sched *sched, uint32_t id)
{
	struct sched_class *class = &sched->classes[id];
	struct sched_class *up = &sched->classes[sched->nodes[id].parent];

	up->children--;
	up->children_floor_bps -= class->params.floor_bps;
	up->children_with_floor -= class->params.floor_bps != 0;
	if (class->prev_sibling)
		sched->classes[class->prev_sibling].next_sibling = class->next_sibling;
	else
		up->first_child = class->next_sibling;
	if (class->next_sibling)
		sched->classes[class->next_sibling].prev_sibling = class->prev_sibling;
	else
		up->last_child = class->prev_sibling;
}
