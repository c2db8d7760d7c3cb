/* packet.h - what weir notes in a packet: 32 bytes in the mbuf's dynamic area. The only
 * place that casts. A packet has one owner at any time: the worker that holds it. */
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "base/compiler.h"
#include "qos/item.h"

#define BATCH_MAX 32 /* packets handled together: the burst of every port type */

#define PACKET_CLASS_NONE UINT32_MAX

/* Until the scheduler takes the packet, item.class_ref holds the queue number that the
 * sender's port or a set_queue action chose, or PACKET_CLASS_NONE. item.flow_hash is the
 * flow's from its arrival on, 0 = not computed; item.caller_tag is the id of the port
 * that the packet leaves by, while it is on its way to another worker or in a scheduler.
 */
struct packet_meta {
	struct qos_item item;
};
static_assert(sizeof(struct packet_meta) <= 32, "fits the dynamic area of an mbuf");

extern int packet_meta_offset; /* set by eal.c before workers start */

static inline struct packet_meta *
packet_meta(struct rte_mbuf *pkt)
{
	return RTE_MBUF_DYNFIELD(pkt, packet_meta_offset, struct packet_meta *);
}

/* A packet's mark, which it keeps from bridge to bridge, and how many cables between
 * bridges it came through. Both are 0 when it comes in. In fields of the mbuf that stand
 * for something else only while a card has it. */
static inline uint32_t
packet_mark(const struct rte_mbuf *pkt)
{
	return pkt->hash.fdir.hi;
}

static inline void
packet_set_mark(struct rte_mbuf *pkt, uint32_t mark)
{
	pkt->hash.fdir.hi = mark;
}

static inline unsigned
packet_hops(const struct rte_mbuf *pkt)
{
	return pkt->vlan_tci_outer;
}

static inline void
packet_set_hops(struct rte_mbuf *pkt, unsigned hops)
{
	pkt->vlan_tci_outer = (uint16_t)hops;
}

/* For a new packet made from another one. */
static inline void
packet_copy_meta(struct rte_mbuf *to, struct rte_mbuf *from)
{
	*packet_meta(to) = *packet_meta(from);
	packet_set_mark(to, packet_mark(from));
	packet_set_hops(to, packet_hops(from));
}

static inline struct rte_mbuf *
packet_from_item(struct qos_item *item)
{
	return (struct rte_mbuf *)((char *)item - packet_meta_offset -
	                           offsetof(struct packet_meta, item));
}

/* Packets of one worker, bounded. */
struct batch {
	uint32_t n;
	struct rte_mbuf *pkts[BATCH_MAX];
};

/* The same, first in, first out. */
#define PACKET_QUEUE_SIZE 1024 /* power of two */
struct packet_queue {
	uint32_t first, n;
	struct rte_mbuf *pkts[PACKET_QUEUE_SIZE];
};
