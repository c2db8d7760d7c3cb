/* normal.h - the NORMAL action: a learning VLAN switch. Worker threads. */
#pragma once

#include "datapath/packet.h"

struct port;
struct worker;

/* Takes 'n' packets that came in by 'in' and forwards each by its addresses and VLAN. */
void normal_forward(struct worker *worker, struct port *in, struct rte_mbuf **pkts,
                    unsigned n);
