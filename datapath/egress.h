/* egress.h - packets on their way to a port go through the egress tables first
 * (OpenFlow 1.5, 5.1): the walk says so in its program, action.c opens the way, and
 * output.c asks for it port by port. Worker threads. */
#pragma once

#include "datapath/packet.h"

struct port;
struct program_egress;
struct worker;

/* Which packets a worker sends at present; on the stack of action.c. */
struct egress {
	struct port *in;
	const struct program_egress *record;
};

/* Takes 'n' packets that were to leave by 'out' through the tables that worker->egress
 * names; what these send goes out without another round. */
void egress_packets(struct worker *worker, struct port *out, struct rte_mbuf **pkts,
                    unsigned n);
