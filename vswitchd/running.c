/* running.c - the record of what runs, in two maps by name. Main thread. */
#include "vswitchd/running.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/desired.h"
#include "vswitchd/openflow_config.h"

void
running_init(struct running *running)
{
	memset(running, 0, sizeof(*running));
}

void
running_del_bridge(struct running *running, struct running_bridge *bridge)
{
	hmap_remove(&running->bridges, &bridge->node);
	openflow_config_free(bridge->openflow);
	free(bridge);
}

static void
running_forget_qos(struct running_port *port)
{
	free(port->qos_type);
	free(port->qos_classes);
	free(port->qos_macs);
	free(port->qos_domain);
	port->qos_type = NULL;
	port->qos_classes = NULL;
	port->qos_macs = NULL;
	port->qos_domain = NULL;
}

void
running_del_port(struct running *running, struct running_port *port)
{
	hmap_remove(&running->ports, &port->node);
	hmap_remove(&running->ports_by_id, &port->id_node);
	running_forget_qos(port);
	free(port);
}

void
running_destroy(struct running *running)
{
	struct running_bridge *bridge;
	struct running_port *port;

	HMAP_FOR_EACH (port, node, &running->ports)
		running_del_port(running, port);
	HMAP_FOR_EACH (bridge, node, &running->bridges)
		running_del_bridge(running, bridge);
	hmap_destroy(&running->ports);
	hmap_destroy(&running->ports_by_id);
	hmap_destroy(&running->bridges);
	free(running->eal_extra);
	free(running->socket_mem);
	free(running->instance);
	running_init(running);
}

struct running_bridge *
running_find_bridge(const struct running *running, const char *name)
{
	struct running_bridge *bridge;

	HMAP_FOR_EACH_WITH_HASH (bridge, node, hash_string(name, 0), &running->bridges)
		if (!strcmp(bridge->config.name, name))
			return bridge;
	return NULL;
}

struct running_port *
running_find_port(const struct running *running, const char *name)
{
	struct running_port *port;

	HMAP_FOR_EACH_WITH_HASH (port, node, hash_string(name, 0), &running->ports)
		if (!strcmp(port->config.name, name))
			return port;
	return NULL;
}

struct running_port *
running_find_port_by_id(const struct running *running, uint32_t id)
{
	struct running_port *port;

	HMAP_FOR_EACH_WITH_HASH (port, id_node, hash_u64(id, 0), &running->ports_by_id)
		if (port->id == id)
			return port;
	return NULL;
}

struct running_bridge *
running_add_bridge(struct running *running, uint32_t id,
                   const struct dp_bridge_config *config)
{
	struct running_bridge *bridge = xcalloc(1, sizeof(*bridge));

	bridge->id = id;
	bridge->config = *config;
	hmap_insert(&running->bridges, &bridge->node, hash_string(config->name, 0));
	return bridge;
}

struct running_port *
running_add_port(struct running *running, uint32_t id, const char *bridge_name,
                 const struct dp_port_config *config)
{
	struct running_port *port = xcalloc(1, sizeof(*port));

	port->id = id;
	port->config = *config;
	strncpy(port->bridge_name, bridge_name, sizeof(port->bridge_name) - 1);
	hmap_insert(&running->ports, &port->node, hash_string(config->name, 0));
	hmap_insert(&running->ports_by_id, &port->id_node, hash_u64(id, 0));
	return port;
}

void
running_set_openflow(struct running_bridge *bridge, const struct ofproto_config *config,
                     bool with_controllers)
{
	struct ofproto_config *copy = openflow_config_copy(config, with_controllers);

	ofproto_configure(bridge->ofproto, copy);
	openflow_config_free(bridge->openflow);
	bridge->openflow = copy;
}

struct ofproto *
running_port_ofproto(const struct running *running, const struct running_port *port)
{
	const struct running_bridge *bridge =
		running_find_bridge(running, port->bridge_name);

	return bridge ? bridge->ofproto : NULL;
}

uint32_t
running_port_number(const struct running_port *port)
{
	return port->config.ofport == OFPORT_LOCAL ? FLOW_PORT_LOCAL
	                                           : port->config.ofport;
}

void
running_set_qos(struct running_port *port, const char *type,
                const struct dp_qos_config *qos)
{
	size_t bytes = qos->n_classes * sizeof(*qos->classes);
	size_t macs_bytes = qos->n_macs * sizeof(*qos->macs);

	running_forget_qos(port);
	port->qos = *qos;
	if (qos->kind == DP_QOS_NONE) {
		memset(&port->qos, 0, sizeof(port->qos));
		return;
	}
	port->qos_type = xstrdup(type);
	if (bytes)
		port->qos_classes = xmemdup(qos->classes, bytes);
	if (macs_bytes)
		port->qos_macs = xmemdup(qos->macs, macs_bytes);
	if (qos->domain)
		port->qos_domain = xstrdup(qos->domain);
	port->qos.classes = port->qos_classes;
	port->qos.macs = port->qos_macs;
	port->qos.domain = port->qos_domain;
}

static const char *
running_keep_string(char **slot, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*slot);
	*slot = copy;
	return copy;
}

void
running_set_config(struct running *running, const struct dp_config *config)
{
	running->config = *config;
	running->config.eal_extra =
		running_keep_string(&running->eal_extra, config->eal_extra);
	running->config.socket_mem =
		running_keep_string(&running->socket_mem, config->socket_mem);
	running->config.instance =
		running_keep_string(&running->instance, config->instance);
}

static int
running_compare_bridges(const void *a, const void *b)
{
	const struct running_bridge *const *x = a, *const *y = b;

	return strcmp((*x)->config.name, (*y)->config.name);
}

static int
running_compare_ports(const void *a, const void *b)
{
	const struct running_port *const *x = a, *const *y = b;

	return strcmp((*x)->config.name, (*y)->config.name);
}

struct running_bridge **
running_list_bridges(const struct running *running, size_t *n)
{
	struct running_bridge **list = xcalloc(running->bridges.count, sizeof(*list));
	struct running_bridge *bridge;

	*n = 0;
	HMAP_FOR_EACH (bridge, node, &running->bridges)
		list[(*n)++] = bridge;
	qsort(list, *n, sizeof(*list), running_compare_bridges);
	return list;
}

struct running_port **
running_list_ports(const struct running *running, const char *bridge_name, size_t *n)
{
	struct running_port **list = xcalloc(running->ports.count, sizeof(*list));
	struct running_port *port;

	*n = 0;
	HMAP_FOR_EACH (port, node, &running->ports)
		if (!bridge_name || !strcmp(port->bridge_name, bridge_name))
			list[(*n)++] = port;
	qsort(list, *n, sizeof(*list), running_compare_ports);
	return list;
}
