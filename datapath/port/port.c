/* port.c - the table of ports, the list of types, and what all types share. Main thread,
 * and port_drop() on workers. */
#include "datapath/port/port.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct port *_Atomic ports[DP_PORTS_MAX];

static const struct port_ops *const all_ops[] = {
	&port_vhost_client_ops, &port_vhost_server_ops, &port_internal_ops,
	&port_tap_ops,          &port_system_ops,       &port_eth_ops,
	&port_patch_ops,        &port_dummy_ops,
};

static const char *const type_names[] = {
	[DP_PORT_VHOST_CLIENT] = "dpdkvhostuserclient",
	[DP_PORT_VHOST_SERVER] = "dpdkvhostuser",
	[DP_PORT_INTERNAL] = "internal",
	[DP_PORT_TAP] = "tap",
	[DP_PORT_SYSTEM] = "system",
	[DP_PORT_DPDK] = "dpdk",
	[DP_PORT_PATCH] = "patch",
	[DP_PORT_DUMMY] = "dummy",
};
static_assert(ARRAY_SIZE(type_names) == DP_PORT_N_TYPES, "name every port type");
static_assert(ARRAY_SIZE(all_ops) == DP_PORT_N_TYPES, "operations for every port type");

const char *
dp_port_type_name(enum dp_port_type type)
{
	return type < DP_PORT_N_TYPES ? type_names[type] : "unknown";
}

bool
dp_port_type_from_name(const char *name, enum dp_port_type *type)
{
	if (!*name)
		name = type_names[DP_PORT_SYSTEM];
	for (unsigned i = 0; i < DP_PORT_N_TYPES; i++) {
		if (!strcmp(type_names[i], name)) {
			*type = (enum dp_port_type)i;
			return true;
		}
	}
	return false;
}

const struct port_ops *
port_ops_of(enum dp_port_type type)
{
	for (unsigned i = 0; i < ARRAY_SIZE(all_ops); i++)
		if (all_ops[i]->type == type)
			return all_ops[i];
	return NULL;
}

void
port_alloc_rxqs(struct port *port, uint16_t n)
{
	port->rxqs = xcalloc_cacheline(n * sizeof(struct rxq));
	port->n_rxqs = n;
	for (uint16_t i = 0; i < n; i++) {
		port->rxqs[i].port = port;
		port->rxqs[i].index = i;
		port->rxqs[i].fd = -1;
		port->rxqs[i].owner = WORKER_NONE;
	}
}

void
port_drop(struct port *port, struct worker *worker, enum drop_reason reason,
          struct rte_mbuf **pkts, unsigned n)
{
	port_of_worker(port, worker)->drops[reason] += n;
	rte_pktmbuf_free_bulk(pkts, n);
}
