/* offload.h - checksums and segmentation that a sender left to us: passed on to ports
 * that take them, done in software for the others. Between port/ (arrival), transmit.c
 * (departure) and lib/net/segment.h. Worker threads.
 *
 * A packet says what is left to do in DPDK's transmit form, from its arrival on: the
 * flags below in ol_flags, l2_len, l3_len and l4_len, all within its first buffer, and
 * tso_segsz. A packet without these flags is complete. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "datapath/packet.h"
#include "datapath/port/port.h"

#define OFFLOAD_TX_FLAGS (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_L4_MASK)
/* As rte_vhost marks what a guest asked for. */
#define OFFLOAD_RX_FLAGS (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_MASK)

/* A frame becomes at most 65535 / 48 segments: 48 is Linux's least, tcp_min_snd_mss. What
 * a router's GRO put together may have smaller ones, but then it is few. */
#define OFFLOAD_SEGMENT_BYTES_MIN  48
#define OFFLOAD_SMALL_SEGMENTS_MAX 64

/* Notes that the checksum of the packet is left to do, and segmentation with
 * 'segment_bytes' of payload each unless that is 0. False if the packet is not what this
 * claims it to be; then it is unchanged. Trusts nothing that the headers say. */
bool offload_mark(struct rte_mbuf *pkt, uint32_t segment_bytes);

/* Turns rte_vhost's marks into ours. Drops and counts what lies; returns how many are
 * left. */
uint16_t offload_accept(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                        uint16_t n);

/* Completes the checksum in the packet and clears its mark. */
void offload_complete_checksum(struct rte_mbuf *pkt);

/* Writes into the checksum field what takers of unfinished packets expect there: the
 * pseudo-header's sum. Returns the field's offset in the transport header. */
uint16_t offload_write_pseudo(struct rte_mbuf *pkt);

/* Makes complete packets, at most 'max', of one that is to be segmented, from its segment
 * '*next' on, and counts that up. Returns how many; 0: no more, or -ENOBUFS, -EINVAL. The
 * packet stays the caller's. */
int offload_segment(struct rte_mbuf *pkt, uint32_t *next, struct rte_mbuf **segments,
                    unsigned max);

/* Sends packets by one queue of the port, doing first what the port does not take;
 * returns how many were taken. The first packet that is not may have been sent in part:
 * it goes on with the next segment when it is offered again. */
unsigned offload_transmit(struct worker *worker, struct port *port, uint16_t queue,
                          struct rte_mbuf **pkts, unsigned n);

/* False until some packet has been marked: a switch whose peers ask for nothing never
 * looks at the flags of what it sends. Workers set it. */
extern _Atomic bool offload_in_use;

/* Whether some of the packets have to go through offload_transmit(). */
static inline bool
offload_is_needed(const struct port *port, struct rte_mbuf *const *pkts, unsigned n)
{
	uint64_t flags = 0;

	if (!atomic_load_explicit(&offload_in_use, memory_order_relaxed) ||
	    atomic_load_explicit(&port->offloads, memory_order_relaxed) ==
	            PORT_OFFLOADS_ALL)
		return false;
	for (unsigned i = 0; i < n; i++)
		flags |= pkts[i]->ol_flags;
	return unlikely(flags & OFFLOAD_TX_FLAGS);
}

/* The longest frame on the wire that the packet becomes. */
static inline uint32_t
offload_frame_bytes(const struct rte_mbuf *pkt)
{
	if (likely(!(pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG)))
		return pkt->pkt_len;
	return (uint32_t)pkt->l2_len + pkt->l3_len + pkt->l4_len + pkt->tso_segsz;
}

/* To be called when bytes are put before the network header (negative: taken away). */
static inline void
offload_move_l3(struct rte_mbuf *pkt, int bytes)
{
	if (unlikely(pkt->ol_flags & OFFLOAD_TX_FLAGS))
		pkt->l2_len = (uint64_t)((int)pkt->l2_len + bytes) & 0x7f;
}
