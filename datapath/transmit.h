/* transmit.h - sends packets over the tx queues that a worker owns. Worker threads. */
#pragma once

#include "datapath/packet.h"

struct port;
struct worker;

/* Sends the first packets that their queues take and returns how many; the rest stays the
 * caller's, in order. Packets for a port that is not connected are dropped and count as
 * taken. For the scheduler, which keeps the rest. */
unsigned transmit_packets(struct worker *worker, struct port *port,
                          struct rte_mbuf **pkts, unsigned n);

/* Takes all packets: each queue gets those of its flows, and what it does not take is
 * dropped and counted. */
void transmit_or_drop(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                      unsigned n);
