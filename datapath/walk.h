/* walk.h - what action.c and packet_out.c ask of the walk through the tables. Worker
 * threads. */
#pragma once

#include "datapath/program.h"

struct bridge;
struct port;
struct rte_mbuf;
struct worker;

/* Takes packets whose headers are to be read again, and goes on with them as 'walk'
 * says. */
void pipeline_resume(struct worker *worker, struct port *in,
                     const struct program_walk *walk, struct rte_mbuf **pkts, unsigned n);

/* Takes a packet that main sends, and does 'actions' with it as if it had come in by 'in'
 * (the port of key's in_port, else packet_out.h's); 'key' has the state that it starts
 * with. */
void walk_packet_out(struct worker *worker, struct port *in, const struct flow_key *key,
                     const void *actions, size_t bytes, struct rte_mbuf *pkt);

/* Counts for what a record PROGRAM_COUNT names. */
void walk_count(struct worker *worker, uint64_t value, uint64_t packets, uint64_t bytes);

/* The port of this OpenFlow number, and the number of a port; a bridge publishes them. */
struct port *bridge_find_port(const struct bridge *bridge, uint32_t number);
uint32_t bridge_port_number(const struct port *port);
