/* flows.c - the pool, the table and the round robin of flows.h. Owner thread. */
#include "qos/flows.h"

#include <string.h>

/* Flows at one place of the table: a new one that finds more is not given a queue. */
#define CHAIN_MAX 16

/* Odd constants with well-mixed bits, for multiplicative hashing. */
#define HASH_OWNER 0x9e3779b1U
#define HASH_PLACE 0x85ebca6bU

static unsigned
table_bits(uint32_t flows)
{
	return flows > 1 ? 32U - (unsigned)__builtin_clz(flows - 1) : 1;
}

static size_t
flows_array_bytes(uint32_t flows)
{
	return ((size_t)flows + 1) * sizeof(struct flow);
}

size_t
flow_pool_bytes(uint32_t flows)
{
	size_t bytes = flows_array_bytes(flows) + (sizeof(uint32_t) << table_bits(flows));

	return (bytes + CACHE_LINE_BYTES - 1) & ~(size_t)(CACHE_LINE_BYTES - 1);
}

void
flow_pool_init(struct flow_pool *pool, void *memory, uint32_t flows)
{
	memset(memory, 0, flow_pool_bytes(flows));
	*pool = (struct flow_pool){
		.flows = memory,
		.table = (uint32_t *)(void *)((char *)memory + flows_array_bytes(flows)),
		.table_shift = 32 - table_bits(flows),
		.count = flows,
		.idle = flows,
		.free = 1,
	};
	for (uint32_t i = 1; i < flows; i++)
		pool->flows[i].next = i + 1;
}

void
flow_set_init(struct flow_set *set, uint32_t owner)
{
	memset(set, 0, sizeof(*set));
	set->owner = owner;
	set->quantum_bytes = FLOW_QUANTUM_MIN_BYTES;
}

/* ---- lists ---- */

static inline struct flow *
flow_at(struct flow_pool *pool, struct flow_set *set, uint32_t id)
{
	return id == FLOW_COMMON ? &set->common : &pool->flows[id];
}

static inline uint32_t
flow_id(const struct flow_pool *pool, const struct flow_set *set, const struct flow *flow)
{
	return flow == &set->common ? FLOW_COMMON : (uint32_t)(flow - pool->flows);
}

static void
list_append(struct flow_pool *pool, struct flow_set *set, struct flow_list *list,
            struct flow *flow)
{
	uint32_t id = flow_id(pool, set, flow);

	flow->next = FLOW_NONE;
	flow->prev = list->tail;
	if (list->tail)
		flow_at(pool, set, list->tail)->next = id;
	else
		list->head = id;
	list->tail = id;
}

static void
list_remove(struct flow_pool *pool, struct flow_set *set, struct flow_list *list,
            const struct flow *flow)
{
	if (flow->prev)
		flow_at(pool, set, flow->prev)->next = flow->next;
	else
		list->head = flow->next;
	if (flow->next)
		flow_at(pool, set, flow->next)->prev = flow->prev;
	else
		list->tail = flow->prev;
}

/* ---- the table ---- */

static inline uint32_t *
table_place(const struct flow_pool *pool, uint32_t owner, uint32_t hash)
{
	uint32_t mixed = hash ^ owner * HASH_OWNER;

	mixed = (mixed ^ mixed >> 15) * HASH_PLACE;
	return &pool->table[mixed >> pool->table_shift];
}

/* The flow, or NULL and how many others have its place. No chain is longer than
 * CHAIN_MAX. */
static struct flow *
table_find(const struct flow_pool *pool, uint32_t owner, uint32_t hash, unsigned *length)
{
	uint32_t id = *table_place(pool, owner, hash);

	for (*length = 0; id; ++*length) {
		struct flow *flow = &pool->flows[id];

		if (flow->hash == hash && flow->owner == owner)
			return flow;
		id = flow->chain;
	}
	return NULL;
}

static void
table_remove(struct flow_pool *pool, const struct flow *flow)
{
	uint32_t id = (uint32_t)(flow - pool->flows);
	uint32_t *at = table_place(pool, flow->owner, flow->hash);

	while (*at != id)
		at = &pool->flows[*at].chain;
	*at = flow->chain;
}

/* ---- flows ---- */

/* A queue for a flow that has none; NULL if it gets none. No leaf takes more than the
 * pool has left, so that a flood of flows in one does not deny queues to the others. */
static struct flow *
flow_take(struct flow_pool *pool, struct flow_set *set, uint32_t hash, unsigned chain)
{
	uint32_t id = pool->free, *place;
	struct flow *flow;

	if (set->own_count >= pool->idle || chain >= CHAIN_MAX)
		return NULL;
	if (id) {
		flow = &pool->flows[id];
		pool->free = flow->next;
	} else {
		id = pool->resting.head;
		flow = &pool->flows[id];
		list_remove(pool, set, &pool->resting, flow);
		table_remove(pool, flow);
	}
	place = table_place(pool, set->owner, hash);
	memset(flow, 0, sizeof(*flow));
	flow->owner = set->owner;
	flow->hash = hash;
	flow->chain = *place;
	*place = id;
	flow->state = FLOW_RESTING;
	flow->rest_until = set->turns;
	return flow;
}

/* A flow without packets gets its first one: before the others if it was idle for a whole
 * round, else behind them with what it has left. */
static void
flow_wake(struct flow_pool *pool, struct flow_set *set, struct flow *flow)
{
	bool is_idle =
		flow != &set->common && (int32_t)(set->turns - flow->rest_until) >= 0;

	flow->bytes = 0;
	if (flow != &set->common) {
		pool->idle--;
		set->own_count++;
	}
	if (is_idle) {
		flow->state = FLOW_FRESH;
		flow->deficit = FLOW_QUANTUM_MIN_BYTES;
		list_append(pool, set, &set->fresh, flow);
		return;
	}
	flow->state = FLOW_OLD;
	if (flow->deficit <= 0)
		flow->deficit = MAX_OF(flow->deficit + (int32_t)set->quantum_bytes, 1);
	set->old_count++;
	list_append(pool, set, &set->old, flow);
}

/* Takes a flow out of its list. */
static void
flow_leave(struct flow_pool *pool, struct flow_set *set, const struct flow *flow)
{
	if (flow->state == FLOW_FRESH) {
		list_remove(pool, set, &set->fresh, flow);
		return;
	}
	list_remove(pool, set, &set->old, flow);
	set->old_count--;
	set->turns++;
}

/* A flow without packets keeps its queue for now, and its place in the round. */
static void
flow_rest(struct flow_pool *pool, struct flow_set *set, struct flow *flow)
{
	flow_leave(pool, set, flow);
	flow->state = FLOW_RESTING;
	flow->rest_until = set->turns + set->old_count;
	if (flow == &set->common)
		return;
	set->own_count--;
	pool->idle++;
	list_append(pool, set, &pool->resting, flow);
}

/* Empties a flow into 'items'. */
static void
flow_drain(struct flow_pool *pool, struct flow_set *set, struct flow *flow,
           struct item_list *items)
{
	item_list_join(items, flow->head, flow->tail);
	flow->head = flow->tail = NULL;
	set->packets -= flow->packets;
	flow->packets = 0;
	flow_rest(pool, set, flow);
}

static uint64_t
flow_worth(const struct flow_set *set, const struct flow *flow)
{
	return flow->packets
	               ? flow->bytes + (uint64_t)flow->packets * set->packet_worth_bytes
	               : 0;
}

/* The longest queue that is known; it may have become shorter, or another leaf's. */
static struct flow *
flow_longest(struct flow_pool *pool, struct flow_set *set)
{
	struct flow *flow = flow_at(pool, set, set->longest);

	if (set->longest == FLOW_COMMON || flow->owner == set->owner)
		return flow;
	return &pool->flows[FLOW_NONE];
}

/* Where the item of a flow goes. */
static struct flow *
flow_choose(struct flow_pool *pool, struct flow_set *set, uint32_t hash,
            struct item_list *before)
{
	unsigned chain;
	struct flow *flow = table_find(pool, set->owner, hash, &chain);

	if (flow) {
		if (flow->state == FLOW_RESTING)
			list_remove(pool, set, &pool->resting, flow);
		return flow;
	}
	/* With room for many, so that this does not go to and fro. */
	if (set->common.packets && set->own_count >= pool->idle / 2)
		return &set->common;
	flow = flow_take(pool, set, hash, chain);
	if (!flow)
		return &set->common;
	if (set->common.packets)
		flow_drain(pool, set, &set->common, before);
	return flow;
}

void
flow_set_put(struct flow_pool *pool, struct flow_set *set, struct qos_item *item,
             struct item_list *before)
{
	struct flow *flow = flow_choose(pool, set, item->flow_hash, before);

	if (flow->packets) {
		flow->tail->next = item;
	} else {
		flow_wake(pool, set, flow);
		flow->head = item;
	}
	flow->tail = item;
	flow->packets++;
	flow->bytes += item->charged_bytes;
	set->packets++;
	if (flow_worth(set, flow) > flow_worth(set, flow_longest(pool, set)))
		set->longest = flow_id(pool, set, flow);
}

struct flow *
flow_set_first(struct flow_pool *pool, struct flow_set *set)
{
	struct flow *flow;

	/* Whoever waits in a list may send: only a flow that was at the head may not, so
	 * there is at most one per list to pass over. */
	for (;;) {
		uint32_t id = set->fresh.head ? set->fresh.head : set->old.head;

		if (!id)
			return NULL;
		flow = flow_at(pool, set, id);
		if (flow->deficit > 0)
			return flow;
		flow_leave(pool, set, flow);
		flow->deficit = MAX_OF(flow->deficit + (int32_t)set->quantum_bytes, 1);
		flow->state = FLOW_OLD;
		set->old_count++;
		list_append(pool, set, &set->old, flow);
	}
}

struct qos_item *
flow_set_pop(struct flow_pool *pool, struct flow_set *set, struct flow *flow,
             bool is_sent)
{
	struct qos_item *item = flow->head;

	flow->head = item->next;
	flow->packets--;
	flow->bytes -= item->charged_bytes;
	set->packets--;
	if (is_sent)
		flow->deficit -= (int32_t)item->charged_bytes;
	if (!flow->packets)
		flow_rest(pool, set, flow);
	return item;
}

struct flow *
flow_set_longer(struct flow_pool *pool, struct flow_set *set, uint32_t hash)
{
	struct flow *longest = flow_longest(pool, set);
	unsigned chain;
	const struct flow *flow = table_find(pool, set->owner, hash, &chain);

	if (!flow)
		flow = &pool->flows[FLOW_NONE];
	return longest->packets > 1 && flow_worth(set, longest) > flow_worth(set, flow)
	               ? longest
	               : NULL;
}

void
flow_set_drain(struct flow_pool *pool, struct flow_set *set, struct item_list *items)
{
	while (set->fresh.head)
		flow_drain(pool, set, flow_at(pool, set, set->fresh.head), items);
	while (set->old.head)
		flow_drain(pool, set, flow_at(pool, set, set->old.head), items);
	set->longest = FLOW_NONE;
}
