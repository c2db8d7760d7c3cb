/* output.h - from the pipeline to ports: staging, hand-over to the worker that owns the
 * port's queue or scheduler, and sending. Worker threads. */
#pragma once

#include <stdbool.h>

#include "datapath/offload.h"
#include "datapath/packet.h"

#define OUTPUT_L2_BYTES_MAX 22 /* Ethernet header and two VLAN tags */

struct port;
struct port_worker;
struct worker;

/* Takes 'pkt' and stages it for 'port'; the stage is flushed when it is full and at the
 * end of each round. */
void output_packet(struct worker *worker, struct port *port, struct rte_mbuf *pkt);

/* Takes the 'n' packets that go to the same port. */
void output_packets(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                    unsigned n);

/* Whether the frame is longer than a port's MTU allows; 0 = it has none. */
static inline bool
output_exceeds_mtu(const struct rte_mbuf *pkt, uint32_t mtu)
{
	return mtu && offload_frame_bytes(pkt) > mtu + OUTPUT_L2_BYTES_MAX;
}

/* Sends everything that is staged. */
void output_flush(struct worker *worker);

/* Takes packets that other workers handed over; returns how many. */
unsigned output_drain_inboxes(struct worker *worker);

/* True if some inbox holds packets; the kernel worker looks before it sleeps. */
bool output_inbox_pending(const struct worker *worker);
