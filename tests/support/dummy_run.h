/* dummy_run.h - programs of records on the datapath of dummy_net.h, on one of its
 * workers, for unit tests that know the datapath's own headers. */
#pragma once

#include "datapath/packet.h"
#include "net/flow_action.h"

/* Carries out the program on a frame as if it had come in by the port (DP_ID_NONE: from
 * main), and empties the program. */
void run_program(uint32_t port_id, struct flow_actions *program, const uint8_t *frame,
                 size_t n);

/* The same for a packet, which it takes. */
void run_program_on(uint32_t port_id, struct flow_actions *program, struct rte_mbuf *pkt);

/* What the port counted under this name of dp_port_counters(). */
uint64_t port_counter(uint32_t port_id, const char *name);
