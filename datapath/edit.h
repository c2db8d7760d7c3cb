/* edit.h - those actions of a program that change packets. Under action.c. Worker
 * threads. */
#pragma once

#include <stdbool.h>

#include "datapath/drop.h"
#include "datapath/packet.h"
#include "net/flow_action.h"

struct port;
struct worker;

/* Whether it is an action for edit_packets(). */
bool edit_is_for(const struct flow_action *action);

/* Whether some of the actions, lists inside included, put headers before layer 4 where
 * nobody looks for it who segments a packet or completes its checksum. */
bool edit_hides_layer4(const void *records, size_t bytes);

/* Does actions from 'first' up to 'end' to one packet, which may become another one. The
 * reason to drop it, or DROP_N_REASONS. */
enum drop_reason edit_packet(const struct flow_action *first,
                             const struct flow_action *end, struct rte_mbuf **pkt);

/* Does actions from 'first' up to 'end' to each of the packets. Those that cannot be
 * changed are dropped; returns how many are left, in order. */
unsigned edit_packets(struct worker *worker, struct port *in,
                      const struct flow_action *first, const struct flow_action *end,
                      struct rte_mbuf **pkts, unsigned n);
