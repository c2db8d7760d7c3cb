/* action.h - carries out a program on packets. Worker threads. */
#pragma once

#include "datapath/packet.h"
#include "datapath/table.h"

struct port;
struct worker;

/* Takes the 'n' packets that came in by 'in'. */
void action_execute(struct worker *worker, struct port *in, const struct program *program,
                    struct rte_mbuf **pkts, unsigned n);
