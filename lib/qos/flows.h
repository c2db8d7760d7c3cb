/* flows.h - queues per flow inside the fair leaves of a tree: a pool of queues, found by
 * hash, and deficit round robin among the flows of one leaf (RFC 8290's order: flows that
 * were idle go before those that were not). Every operation is O(1). Owner thread.
 *
 * A flow has a queue of its own while it has packets, and keeps it afterwards until
 * another flow needs it. When the pool has none to give, flows of a leaf share its common
 * queue, which has one flow's share. So that no flow is reordered, every flow without a
 * queue goes on joining the common queue until that is empty or the pool has room again;
 * then the caller sends what is in the common queue before all else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "qos/codel.h"
#include "qos/item.h"

#define FLOW_NONE   0U
#define FLOW_COMMON UINT32_MAX /* names the common queue of a set */

/* The least that a flow may send in its turn, and what one that was idle may send before
 * the others: a full Ethernet frame. */
#define FLOW_QUANTUM_MIN_BYTES 1514U

enum flow_state {
	FLOW_FREE,
	FLOW_RESTING, /* no packets; keeps its queue, which others may take */
	FLOW_FRESH,   /* has packets, was idle before */
	FLOW_OLD,     /* has packets, waits for its turn */
};

struct flow {
	struct qos_item *head, *tail;
	uint32_t prev, next; /* in the set's or the pool's list */
	uint32_t chain;      /* next flow with the same place in the table */
	uint32_t owner;      /* of the set */
	uint32_t hash;       /* of the flow */
	int32_t deficit;     /* bytes that it may still send in this turn */
	uint32_t packets : 30;
	uint32_t state : 2; /* enum flow_state */
	union {
		uint32_t bytes;
		uint32_t rest_until; /* resting: flow_set.turns when it counts as idle */
	};
	struct codel codel;
};
static_assert(sizeof(struct flow) == 64, "a flow is one cache line");

struct flow_list {
	uint32_t head, tail;
};

/* The queues that the leaves of a tree share. */
struct flow_pool {
	struct flow *flows; /* [0] is none */
	uint32_t *table;    /* chains by hash */
	uint32_t table_shift;
	uint32_t count;
	uint32_t idle;            /* free or resting */
	uint32_t free;            /* through 'next' */
	struct flow_list resting; /* longest resting first */
};

/* The flows of one leaf. */
struct flow_set {
	struct flow_list fresh, old;
	uint32_t owner;         /* tells the flows of one leaf from those of others */
	uint32_t old_count;     /* flows in 'old' */
	uint32_t turns;         /* flows that left the head of 'old' so far */
	uint32_t own_count;     /* flows with packets in a queue of their own */
	uint32_t packets;       /* in all queues */
	uint32_t longest;       /* the longest queue, as far as arrivals told */
	uint32_t quantum_bytes; /* of a turn: the largest packet that there may be */
	uint32_t packet_worth_bytes; /* what a packet counts beside its bytes where queues
	                                are compared */
	struct flow common;
};

struct item_list {
	struct qos_item *head, *tail;
};

/* 'memory' is cache-line aligned and stays where it is; 'flows' is at least 1. */
size_t flow_pool_bytes(uint32_t flows);
void flow_pool_init(struct flow_pool *pool, void *memory, uint32_t flows);

/* 'owner' is no other set's. Limits may be set again at any time. */
void flow_set_init(struct flow_set *set, uint32_t owner);

/* Takes an item (its flow_hash and charged_bytes are set; 'next' is NULL). Adds to
 * 'before' what the caller has to send before anything of the set: what was in the common
 * queue, as a rule nothing. */
void flow_set_put(struct flow_pool *pool, struct flow_set *set, struct qos_item *item,
                  struct item_list *before);

/* The flow whose turn it is; NULL if the set is empty. Its head is the next item. */
struct flow *flow_set_first(struct flow_pool *pool, struct flow_set *set);

/* Takes the head of a flow that has packets. Charges it to the flow if it is sent. */
struct qos_item *flow_set_pop(struct flow_pool *pool, struct flow_set *set,
                              struct flow *flow, bool is_sent);

/* A flow with at least two packets and a queue that is longer than that of the flow that
 * 'hash' belongs to; NULL if none is known. */
struct flow *flow_set_longer(struct flow_pool *pool, struct flow_set *set, uint32_t hash);

/* Takes all items, flow after flow, to the end of 'items'. */
void flow_set_drain(struct flow_pool *pool, struct flow_set *set,
                    struct item_list *items);

static inline void
item_list_join(struct item_list *list, struct qos_item *head, struct qos_item *tail)
{
	if (!head)
		return;
	if (list->head)
		list->tail->next = head;
	else
		list->head = head;
	list->tail = tail;
}
