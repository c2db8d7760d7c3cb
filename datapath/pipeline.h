/* pipeline.h - READ FIRST: the packet's straight line, one call per stage. Worker
 * threads. */
#pragma once

#include "datapath/packet.h"

struct port;
struct worker;

/* Whether some port has several tx queues, so that packets need a flow hash; main writes.
 */
extern _Atomic bool pipeline_needs_hash;

/* A hash of the addresses and ports, the same for all packets of a flow. */
uint32_t pipeline_flow_hash(const struct rte_mbuf *pkt);

/* Takes a batch that arrived by 'in': police, parse, look up, act, stage for output. */
void pipeline_process(struct worker *worker, struct port *in, struct rte_mbuf **pkts,
                      unsigned n);

/* Sends what is staged, and takes what left by patch ports through the next bridges until
 * all of it is sent. */
void pipeline_finish(struct worker *worker);
