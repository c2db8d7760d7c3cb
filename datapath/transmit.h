/* transmit.h - sends packets over the tx queues that a worker owns. Worker threads. */
#pragma once

#include "datapath/packet.h"

struct port;
struct worker;

/* Sends the first packets that their queues take and returns how many; the rest stays the
 * caller's, in order. Packets for a port that is not connected are dropped and count as
 * taken. For the scheduler, which keeps the rest, and has to offer it again in the same
 * order: the first may have been sent in part, segment by segment. */
unsigned transmit_packets(struct worker *worker, struct port *port,
                          struct rte_mbuf **pkts, unsigned n);

/* Takes all packets: each queue gets those of its flows, and what it does not take is
 * dropped and counted, for a frame of which some segments were sent the rest of them. */
void transmit_or_drop(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                      unsigned n);
