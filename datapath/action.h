/* action.h - carries out programs on packets. Worker threads. */
#pragma once

#include <stddef.h>

#include "datapath/packet.h"

struct bridge;
struct flow_output;
struct port;
struct worker;

/* Takes the 'n' packets, at most BATCH_MAX, that came in by 'in', and does with them what
 * program.h's records say. */
void action_execute(struct worker *worker, struct port *in, const void *records,
                    size_t bytes, struct rte_mbuf **pkts, unsigned n);

/* The port to which a program's FLOOD or ALL does not send what came in by 'in'; NULL: to
 * all. */
struct port *action_flood_not_to(struct port *in, const struct bridge *bridge,
                                 const struct flow_output *output);
