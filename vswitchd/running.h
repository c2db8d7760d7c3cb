/* running.h - what the datapath has been told and has taken: written by apply.c, read by
 * validate.c, diff.c, status.c and the control commands. Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "datapath/datapath.h"
#include "vswitchd/ofproto/ofproto.h"

struct running_port {
	struct hmap_node node;    /* in running.ports, by name */
	struct hmap_node id_node; /* in running.ports_by_id */
	uint32_t id;              /* the datapath's */
	char bridge_name[DP_NAME_MAX_BYTES];
	struct dp_port_config config;
	char *qos_type; /* NULL = no QoS */
	struct dp_qos_config qos;
	struct dp_class_config *qos_classes; /* what qos.classes points to */
	struct dp_class_mac *qos_macs;       /* what qos.macs points to */
	char *qos_domain;                    /* what qos.domain points to */
	uint64_t link_bps;                   /* as last seen; 0 = unknown */
	unsigned ifindex; /* of a DP_PORT_SYSTEM's interface when it was added */
	bool is_stale;    /* that interface is gone, or is another one now */
};

struct running_bridge {
	struct hmap_node node; /* in running.bridges, by name */
	uint32_t id;           /* the datapath's */
	struct dp_bridge_config config;
	struct ofproto *ofproto;
	struct ofproto_config *openflow; /* what it was told last; owned */
};

struct running {
	struct event_base *loop; /* for the switches; NULL where none is real */
	bool is_started;
	/* In force since the start or the last change; the strings are owned. */
	struct dp_config config;
	char *eal_extra, *socket_mem, *instance;
	struct hmap bridges, ports, ports_by_id;
};

void running_init(struct running *running);

/* Forgets everything; neither the datapath nor the switches are told. */
void running_destroy(struct running *running);

struct running_bridge *running_find_bridge(const struct running *running,
                                           const char *name);
struct running_port *running_find_port(const struct running *running, const char *name);
struct running_port *running_find_port_by_id(const struct running *running, uint32_t id);

struct running_bridge *running_add_bridge(struct running *running, uint32_t id,
                                          const struct dp_bridge_config *config);
struct running_port *running_add_port(struct running *running, uint32_t id,
                                      const char *bridge_name,
                                      const struct dp_port_config *config);
void running_del_bridge(struct running *running, struct running_bridge *bridge);
void running_del_port(struct running *running, struct running_port *port);

/* Tells the bridge's switch what it is to be. */
void running_set_openflow(struct running_bridge *bridge,
                          const struct ofproto_config *config, bool with_controllers);

/* The switch that a port belongs to. */
struct ofproto *running_port_ofproto(const struct running *running,
                                     const struct running_port *port);

/* The number that the port has in OpenFlow. */
uint32_t running_port_number(const struct running_port *port);

/* 'type', the classes, the addresses and the domain are copied. */
void running_set_qos(struct running_port *port, const char *type,
                     const struct dp_qos_config *qos);

/* The strings are copied. */
void running_set_config(struct running *running, const struct dp_config *config);

/* All bridges, or all ports of one bridge (NULL = of all), sorted by name. The caller
 * frees the array, not what it points to. */
struct running_bridge **running_list_bridges(const struct running *running, size_t *n);
struct running_port **running_list_ports(const struct running *running,
                                         const char *bridge_name, size_t *n);
