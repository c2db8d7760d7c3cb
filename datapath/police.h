/* police.h - holds a port to its rates by dropping or marking what exceeds them. Owner
 * worker of the port's queues. */
#pragma once

#include "datapath/packet.h"

struct port;
struct port_settings;
struct worker;

/* Drops all of a port that receives nothing; what exceeds the port's policing rates, or
 * marks it where it may; returns how many packets are left, in order. */
unsigned police_packets(struct worker *worker, struct port *port,
                        const struct port_settings *settings, struct rte_mbuf **pkts,
                        unsigned n);
