/* patch.h - patch ports between bridges: who is whose peer, and the packets that are on
 * their way from one bridge to the next. Main connects, workers take. */
#pragma once

#include "datapath/packet.h"

struct port;
struct worker;

/* A packet goes through that many cables; with the length of the queue that bounds what a
 * ring of bridges can make of one packet. */
#define PATCH_HOPS_MAX 16

/* Main: finds every patch port's peer, after ports or their peers' names changed. */
void patch_connect(void);

/* A worker: takes up to a batch of packets that come in by the same patch port, and
 * counts them there. Returns how many; 0: none is on its way. */
unsigned patch_take(struct worker *worker, struct port **in, struct rte_mbuf **pkts);
