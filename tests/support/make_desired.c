/* make_desired.c - builds desired states for the tests of vswitchd/. */
#include "support/make_desired.h"

#include <string.h>

#include "base/mem.h"

struct desired *
make_desired(void)
{
	struct desired *desired = xcalloc(1, sizeof(*desired));

	desired->has_root = true;
	desired->settings.max_sleep_us = 50;
	desired->bridges = desired_alloc(&desired->arena,
	                                 MAKE_PORTS_MAX * sizeof(*desired->bridges));
	desired->qos =
		desired_alloc(&desired->arena, MAKE_PORTS_MAX * sizeof(*desired->qos));
	return desired;
}

struct desired_bridge *
make_bridge(struct desired *desired, const char *name)
{
	struct desired_bridge *bridge = &desired->bridges[desired->n_bridges++];

	assert(desired->n_bridges <= MAKE_PORTS_MAX);
	bridge->name = name;
	bridge->ports =
		desired_alloc(&desired->arena, MAKE_PORTS_MAX * sizeof(*bridge->ports));
	return bridge;
}

struct desired_port *
make_port(struct desired *desired, struct desired_bridge *bridge, const char *name,
          enum dp_port_type type)
{
	struct desired_port *port = &bridge->ports[bridge->n_ports++];

	(void)desired;
	assert(bridge->n_ports <= MAKE_PORTS_MAX);
	port->name = port->port_name = name;
	port->type = dp_port_type_name(type);
	port->config.type = type;
	strncpy(port->config.name, name, sizeof(port->config.name) - 1);
	port->config.settings.vlan_tag = DP_VLAN_NONE;
	port->config.settings.egress_class = -1;
	return port;
}

struct desired_qos *
make_qos(struct desired *desired, uint64_t rate_bps, size_t n_classes, uint64_t floor_bps)
{
	struct desired_qos *qos = &desired->qos[desired->n_qos++];
	struct dp_class_config *classes =
		desired_alloc(&desired->arena, n_classes * sizeof(*classes));

	for (size_t i = 0; i < n_classes; i++) {
		classes[i].number = (uint32_t)i + 1;
		classes[i].parent = DP_CLASS_ROOT;
		classes[i].floor_bps = floor_bps;
	}
	qos->name = "QoS q";
	qos->type = "linux-htb";
	qos->config.kind = DP_QOS_TREE;
	qos->config.rate_bps = rate_bps;
	qos->config.classes = classes;
	qos->config.n_classes = n_classes;
	return qos;
}
