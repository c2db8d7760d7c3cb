/* walk.h - a packet's way through the tables, rule by rule and action by action: what
 * comes of it is a program (program.h) and who counts the packet. An interpreter over the
 * records of net/flow_action.h; pipeline.c runs it for packets that the flow cache does
 * not know, trace.c to explain. Workers and main; touches nothing but its struct. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/walk_state.h"

struct port;
struct rte_mbuf;
struct worker;

/* Takes a packet of 'key' that came by 'in_port' through all tables. Bits that no table
 * reads need not be in 'key'. */
void walk_packet(struct walk *walk, const struct pipeline *pipeline,
                 const struct flow_key *key, size_t length);

/* Goes on after headers were read again into 'key'; its state is the record's. */
void walk_resume(struct walk *walk, const struct pipeline *pipeline,
                 const struct flow_key *key, size_t length,
                 const struct program_walk *record);

/* Carries out a packet-out's actions. */
void walk_actions(struct walk *walk, const struct pipeline *pipeline,
                  const struct flow_key *key, size_t length, const void *actions,
                  size_t bytes);

/* Whether a port has a link and is up. */
bool walk_port_is_live(const struct walk *walk, uint32_t number);

/* ---- pipeline.c, for action.c and packet-outs: a worker ---- */

/* Takes packets whose headers were laid bare, and goes on where 'record' says. */
void pipeline_resume(struct worker *worker, struct port *in,
                     const struct program_walk *record, struct rte_mbuf **pkts,
                     unsigned n);

/* Takes a controller's packet through its actions; 'key' has the in_port and state that
 * tables may read, 'in' is the port it is counted at, any of the bridge's. */
void walk_packet_out(struct worker *worker, struct port *in, const struct flow_key *key,
                     const void *actions, size_t bytes, struct rte_mbuf *pkt);

/* The same for a packet that paused, and goes on where 'record' says. */
void walk_packet_resumed(struct worker *worker, struct port *in,
                         const struct flow_key *key, const struct program_walk *record,
                         struct rte_mbuf *pkt);
