/* walk_stub.c - stands in for the walk through the tables until there is one: packets
 * from main do what they are told without tables, and what would go on ends. Worker
 * threads. */
#include "datapath/action.h"
#include "datapath/bridge.h"
#include "datapath/port/port.h"
#include "datapath/walk.h"

#include "datapath/hot.h"

#define OFPORT_LOCAL 65534

void
pipeline_resume(struct worker *worker, struct port *in, const struct program_walk *walk,
                struct rte_mbuf **pkts, unsigned n)
{
	(void)walk;
	port_drop(in, worker, DROP_RX_NO_RULE, pkts, n);
}

void
walk_packet_out(struct worker *worker, struct port *in, const struct flow_key *key,
                const void *actions, size_t bytes, struct rte_mbuf *pkt)
{
	(void)key;
	action_execute(worker, in, actions, bytes, &pkt, 1);
}

void
walk_count(struct worker *worker, uint64_t value, uint64_t packets, uint64_t bytes)
{
	struct dp_counts *counts = (struct dp_counts *)(uintptr_t)value;

	(void)worker;
	counts->packets += packets;
	counts->bytes += bytes;
}

struct port *
bridge_find_port(const struct bridge *bridge, uint32_t number)
{
	const struct bridge_members *members = bridge->members;

	for (uint32_t i = 0; i < members->n; i++)
		if (bridge_port_number(members->ports[i]) == number)
			return members->ports[i];
	return NULL;
}

uint32_t
bridge_port_number(const struct port *port)
{
	return port->ofport == OFPORT_LOCAL ? FLOW_PORT_LOCAL : port->ofport;
}
