/* egress.h - packets on their way to a port go through the egress tables first
 * (OpenFlow 1.5, 5.1): the walk says so in its program, action.c opens the way, and
 * output.c asks for it port by port. Worker threads. */
#pragma once

#include "datapath/packet.h"
#include "datapath/program.h"

struct port;
struct worker;

/* A suspended walk with an output in its set and a goto left to do. */
#define EGRESS_WALK_BYTES                                           \
	(sizeof(struct program_walk) + sizeof(struct flow_output) + \
	 sizeof(struct flow_number))
static_assert(EGRESS_WALK_BYTES % sizeof(uint64_t) == 0, "records are whole words");

/* Which packets a worker sends at present; on the stack of action.c. */
struct egress {
	struct port *in;
	const struct program_egress *record;
};

/* Takes 'n' packets that were to leave by 'out' through the tables that worker->egress
 * names; what these send goes out without another round. */
void egress_packets(struct worker *worker, struct port *out, struct rte_mbuf **pkts,
                    unsigned n);

/* Fills in 'walk', of EGRESS_WALK_BYTES and zeroed, where a packet goes on that 'record'
 * sends to 'out'. */
void egress_begin(const struct program_egress *record, const struct port *in,
                  const struct port *out, struct program_walk *walk);
