/* action.h - carries out a program on packets. Worker threads. */
#pragma once

#include <stddef.h>

#include "datapath/packet.h"

struct port;
struct worker;

/* Takes the 'n' packets that came in by 'in'. */
void action_execute(struct worker *worker, struct port *in, const void *records,
                    size_t bytes, struct rte_mbuf **pkts, unsigned n);
