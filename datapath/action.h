/* action.h - carries out programs on packets. Worker threads. */
#pragma once

#include "datapath/packet.h"
#include "datapath/table.h"

struct port;
struct worker;

/* Takes the 'n' packets, at most BATCH_MAX, that came in by 'in', and does with them what
 * program.h's records say. */
void action_execute(struct worker *worker, struct port *in, const void *records,
                    size_t bytes, struct rte_mbuf **pkts, unsigned n);

/* The same for rules as table.c has them now. */
void action_execute_static(struct worker *worker, struct port *in,
                           const struct program *program, struct rte_mbuf **pkts,
                           unsigned n);
