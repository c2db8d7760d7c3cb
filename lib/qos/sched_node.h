/* sched_node.h - a class as the loops of the scheduler see it, and the lists that classes
 * are in. Private to lib/qos/sched_*. Owner thread, except for the counters. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "qos/item.h"
#include "qos/sched.h"

/* Times are ticks of 1/256 ns, compared by signed difference. */
#define TICKS_PER_NS    256
#define TICKS_OF_US(us) ((uint64_t)(us)*1000 * TICKS_PER_NS)

#define NODE_ROOT 0U
#define NODE_NONE 0U /* ends a list: the root is never in one */

enum node_flag {
	NODE_LIVE = 1 << 0,
	NODE_LEAF = 1 << 1,
	NODE_HAS_CEIL = 1 << 2,
	/* Chain CHAIN_EXCESS, at most one of: */
	NODE_IN_SHARE = 1 << 3,      /* in the share calendar of its parent */
	NODE_ON_CEIL_WHEEL = 1 << 4, /* waiting to be below its ceiling again */
	/* Chain CHAIN_FLOOR, at most one of: */
	NODE_IN_EDF = 1 << 5,         /* may send on its own floor now */
	NODE_ON_FLOOR_WHEEL = 1 << 6, /* may do so later */
	NODE_BLOCKED = 1 << 7,        /* could, were an ancestor not at its ceiling */
};

#define NODE_EXCESS_STATES (NODE_IN_SHARE | NODE_ON_CEIL_WHEEL)
#define NODE_FLOOR_STATES  (NODE_IN_EDF | NODE_ON_FLOOR_WHEEL | NODE_BLOCKED)

/* How many levels above the leaf the lender of its last visit was. */
enum sched_lender {
	LENDER_OWN = 0, /* its own floor */
	LENDER_ROOT = 15,
};

enum node_chain { CHAIN_EXCESS, CHAIN_FLOOR, CHAINS };

struct node_link {
	uint32_t next;
	uint32_t prev;
};

/* A FIFO of nodes linked through one of their chains. */
struct node_list {
	uint32_t head;
	uint32_t tail;
};

struct sched_node {
	/* Line 0: all that most decisions read. */
	uint64_t floor_tag; /* under its floor while <= now */
	uint64_t ceil_tag;  /* at its ceiling while > now; only with NODE_HAS_CEIL */
	uint64_t share_tag; /* virtual time at which its next packet starts */
	uint32_t floor_mantissa;
	uint32_t ceil_mantissa;
	uint32_t share_mantissa;
	uint8_t floor_shift;
	uint8_t ceil_shift;
	uint8_t share_shift;
	uint8_t flags; /* enum node_flag */
	uint32_t parent;
	struct node_link link[CHAINS];
	uint16_t slot[CHAINS]; /* where in the calendar or wheel it is */

	/* Line 1. */
	uint32_t floor_burst_ns; /* how far behind the tag of an idle class may stay */
	uint32_t ceil_burst_ns;
	uint64_t sent_bytes; /* counters: owner writes, any thread reads */
	uint64_t sent_packets;
	uint64_t borrowed_bytes;
	union {
		struct {
			struct qos_item *head;
			struct qos_item *tail;
			uint32_t head_bytes;
			int32_t room_packets; /* owner writes, any thread reads */
		} queue;                      /* leaf */
		struct {
			struct node_list blocked;
			uint32_t child_floor_mantissa; /* of children without a floor */
			uint8_t child_floor_shift;
			uint8_t active_bands; /* whose share calendar is not empty */
			uint32_t first_share; /* calendar of the first of them */
			uint32_t next_child;  /* likely to be visited next: a hint */
		} inner;
	};
	int32_t room_bytes;  /* leaf; owner writes, any thread reads */
	uint16_t generation; /* owner writes, any thread reads */
	uint16_t edf_level : 4;
	uint16_t gated : 1; /* ceil_tag is the latest tag of its struct sched_gate */
	uint16_t floor_packets : 1; /* its floor has a packet price there, too */
	uint16_t priority : 3;
	uint16_t implicit_floor : 1;
	uint16_t lender_up : 4; /* of a leaf: who paid last, enum sched_lender */
	uint16_t managed : 1;   /* leaf: has more than a FIFO, see sched_aqm.h */
} __attribute__((aligned(2 * CACHE_LINE_BYTES)));

static_assert(offsetof(struct sched_node, floor_burst_ns) == CACHE_LINE_BYTES,
              "a decision reads one cache line of a class");
static_assert(sizeof(struct sched_node) == 2 * CACHE_LINE_BYTES,
              "the processor fetches cache lines in pairs");

/* The rest of a class, in an array of its own so that the nodes lie close together. */
struct sched_node_tail {
	uint64_t dropped_packets; /* owner writes, any thread reads */
	uint64_t dropped_bytes;
	union {
		struct {
			uint32_t packets; /* owner writes, any thread reads */
			uint32_t bytes;
			/* Given and held since; the same. */
			uint32_t held_packets, held_bytes;
		} limit;                          /* leaf */
		uint32_t share[SCHED_PRIORITIES]; /* inner: calendars of the bands */
	};
} CACHE_ALIGNED;

/* A packet is charged as this many units, so that one per second has a price. */
#define PACKET_UNITS 256U

enum gate_set {
	GATE_CEIL = 1 << 0,
	GATE_PEAK = 1 << 1,
	GATE_PACKETS = 1 << 2,
	GATE_PARK = 1 << 3,
};

/* What holds a class with 'gated' back, and the packet price of the floor of a class with
 * 'floor_packets'; of others, only memory. Prices of packets are per PACKET_UNITS. */
struct sched_gate {
	uint64_t ceil_tag; /* of its ceiling: what ceil_tag is in other nodes */
	uint64_t peak_tag;
	uint64_t packet_tag;
	uint64_t park_tag;
	uint32_t peak_mantissa;
	uint32_t packet_mantissa;
	uint32_t floor_packet_mantissa;
	uint32_t peak_burst_ns;
	uint32_t packet_burst_ns;
	uint8_t peak_shift;
	uint8_t packet_shift;
	uint8_t floor_packet_shift;
	uint8_t set; /* enum gate_set */
} CACHE_ALIGNED;

static inline bool
tick_is_after(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

/* Bits of 'value' turned so that bit 'first' comes first. */
static inline uint64_t
bitmap_turn(uint64_t value, uint64_t first)
{
	unsigned by = first & 63;

	return (value >> by) | (value << ((64 - by) & 63));
}

/* How many buckets of 2^shift the bucket of 'tag' is after that of 'base', where both
 * wrap around. */
static inline uint64_t
bucket_distance(uint64_t tag, uint64_t base, unsigned shift)
{
	return ((tag >> shift) - (base >> shift)) & (UINT64_MAX >> shift);
}

/* How far after 'base' the bucket starts that is 'distance' buckets after its own; 0 for
 * its own, which has started already. */
static inline uint64_t
bucket_start(uint64_t base, unsigned shift, uint64_t distance)
{
	return distance ? (((base >> shift) + distance) << shift) - base : 0;
}

static inline void
node_prefetch(const struct sched_node *node)
{
	__builtin_prefetch(node, 1);
	__builtin_prefetch(&node->queue, 1);
}

static inline void
counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* True if the list was empty. */
static inline bool
node_list_append(struct sched_node *nodes, struct node_list *list, enum node_chain chain,
                 uint32_t id)
{
	uint32_t tail = list->tail;

	nodes[id].link[chain] = (struct node_link){.next = NODE_NONE, .prev = tail};
	list->tail = id;
	if (tail) {
		nodes[tail].link[chain].next = id;
		return false;
	}
	list->head = id;
	return true;
}

/* 'list' must be the list that holds the node. */
static inline void
node_list_remove(struct sched_node *nodes, struct node_list *list, enum node_chain chain,
                 uint32_t id)
{
	const struct node_link *link = &nodes[id].link[chain];

	if (link->prev)
		nodes[link->prev].link[chain].next = link->next;
	else
		list->head = link->next;
	if (link->next)
		nodes[link->next].link[chain].prev = link->prev;
	else
		list->tail = link->prev;
}
