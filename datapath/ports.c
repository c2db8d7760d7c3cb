/* ports.c - adds, changes and deletes ports while traffic goes on, and bridges where
 * their ports feel it: the other half of datapath.h beside start.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/mem.h"
#include "datapath/assign.h"
#include "datapath/bridge.h"
#include "datapath/datapath.h"
#include "datapath/gate.h"
#include "datapath/port/patch.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/rcu.h"
#include "datapath/table.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

LOG_MODULE(ports);

static uint32_t next_port_id;

/* Ids come round late, so that a packet on its way to a deleted port meets no new one. */
static uint32_t
port_take_id(void)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		uint32_t id = next_port_id++ % DP_PORTS_MAX;

		if (!ports[id])
			return id;
	}
	return DP_ID_NONE;
}

/* What was asked for, without what controllers turned off. */
static struct dp_port_settings
settings_allowed(const struct port *port, const struct dp_port_settings *asked)
{
	struct dp_port_settings config = *asked;
	bool is_down = port->off & DP_PORT_DOWN;

	config.admin_down |= is_down;
	config.no_receive |= is_down || port->off & DP_PORT_NO_RECV;
	config.no_forward |= is_down || port->off & DP_PORT_NO_FWD;
	config.no_flood |= (port->off & DP_PORT_NO_FLOOD) != 0;
	config.no_packet_in |= (port->off & DP_PORT_NO_PACKET_IN) != 0;
	return config;
}

static struct port_settings *
settings_prepare(const struct port *port, const struct dp_port_settings *config)
{
	struct port_settings *settings = xcalloc_cacheline(sizeof(*settings));
	uint8_t *trunks = settings->config.trunks;
	bool none = true;

	settings->config = *config;
	settings->drops_fragments = port->bridge->drops_fragments;
	for (size_t i = 0; i < sizeof(config->trunks); i++)
		none &= trunks[i] == 0;
	if (none)
		memset(trunks, 0xff, sizeof(config->trunks));
	settings->is_policed = config->no_receive || settings->drops_fragments ||
	                       (config->on_excess != DP_EXCESS_GATE &&
	                        (config->policing_bps || config->policing_pps));
	settings->is_flooded = !config->no_flood && !config->no_forward;
	settings->vlan_is_plain = none && config->vlan_mode == DP_VLAN_TRUNK;
	settings->class_number = config->egress_class >= 0
	                                 ? (uint32_t)config->egress_class
	                                 : PACKET_CLASS_NONE;
	return settings;
}

static int
settings_check(const struct dp_port_settings *config, struct error *err)
{
	if (config->vlan_mode != DP_VLAN_TRUNK &&
	    (config->vlan_tag < 0 || config->vlan_tag > 4095))
		return error_set(err, -EINVAL, "VLAN mode without a tag from 0 to 4095");
	if (config->egress_class > QOS_CLASS_NUMBER_MAX)
		return error_set(err, -EINVAL, "egress-class %d is above %d",
		                 config->egress_class, QOS_CLASS_NUMBER_MAX);
	return 0;
}

static bool
port_set_policers(struct worker *worker, void *arg)
{
	struct port *port = arg;
	const struct dp_port_settings *config = &port->settings->config;
	uint64_t now_ns = worker ? worker->now_ns : tsc_to_ns(rte_rdtsc());

	policer_set(&port->police_bytes, config->policing_bps / 8,
	            config->policing_burst_bits / 8, now_ns);
	policer_set(&port->police_packets, config->policing_pps,
	            config->policing_burst_packets, now_ns);
	return false;
}

static void
port_publish_settings(struct port *port, const struct dp_port_settings *config)
{
	struct port_settings *settings = settings_prepare(port, config),
			     *old = port->settings;
	uint16_t owner = port->n_rxqs ? port->rxqs[0].owner : WORKER_NONE;

	atomic_store_explicit(&port->settings, settings, memory_order_release);
	if (old)
		rcu_free_after(old);
	worker_call(owner == WORKER_NONE ? NULL : workers[owner], port_set_policers,
	            port);
}

static void
port_free(struct port *port)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		free(port->by_worker[i]);
	free(port->rxqs);
	free(port->settings);
	free(port->tx_map);
	free(port);
}

static struct port *
port_alloc(const struct dp_port_config *config, uint32_t id)
{
	struct port *port = xcalloc_cacheline(sizeof(*port));

	port->id = id;
	memcpy(port->name, config->name, sizeof(port->name));
	port->type = config->type;
	port->ops = port_ops_of(config->type);
	port->bridge = bridges[config->bridge_id];
	port->ofport = config->ofport;
	port->tx_map = xcalloc_cacheline(sizeof(struct tx_map));
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		if (!workers[i])
			continue;
		port->by_worker[i] = xcalloc_cacheline(sizeof(struct port_worker));
		port->by_worker[i]->port = port;
	}
	return port;
}

/* A kernel port's descriptor wakes the kernel worker. */
static void
port_watch(struct port *port, bool on)
{
	for (unsigned w = 0; w < DP_WORKERS_MAX; w++) {
		if (!workers[w] || workers[w]->epoll_fd < 0)
			continue;
		for (uint16_t q = 0; q < port->n_rxqs; q++) {
			struct epoll_event event = {.events = EPOLLIN};

			event.data.u64 = WORKER_EPOLL_QUEUE(port->id, q);
			if (port->rxqs[q].fd >= 0)
				epoll_ctl(workers[w]->epoll_fd,
				          on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
				          port->rxqs[q].fd, &event);
		}
	}
}

static int
port_check(const struct dp_port_config *config, struct error *err)
{
	if (config->type >= DP_PORT_N_TYPES)
		return error_set(err, -EINVAL, "unknown port type");
	if (config->bridge_id >= BRIDGES_MAX || !bridges[config->bridge_id])
		return error_set(err, -ENOENT, "its bridge does not exist");
	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		if (ports[i] && !strcmp(ports[i]->name, config->name))
			return error_set(err, -EEXIST, "a port of this name exists");
	return settings_check(&config->settings, err);
}

int
dp_port_add(const struct dp_port_config *config, uint32_t *port_id, struct error *err)
{
	int ret = dp_is_running()
	                  ? port_check(config, err)
	                  : error_set(err, -ENODEV, "the datapath is not running");
	struct port *port;
	uint32_t id;

	if (ret < 0)
		return ret;
	id = port_take_id();
	if (id == DP_ID_NONE)
		return error_set(err, -ENOSPC, "no more than %d ports", DP_PORTS_MAX);
	port = port_alloc(config, id);
	ret = port->ops->open(port, config, err);
	if (ret < 0) {
		port_free(port);
		return ret;
	}
	ret = port->ops->set ? port->ops->set(port, &config->settings, err) : 0;
	if (ret < 0) {
		port->ops->close(port);
		port_free(port);
		return ret;
	}
	ret = gate_update(port, &config->settings, err);
	if (ret < 0) {
		port->ops->close(port);
		port_free(port);
		return ret;
	}
	port->asked = config->settings;
	port_publish_settings(port, &config->settings);
	ports[id] = port;
	bridge_publish_members(port->bridge);
	bridge_refresh(port->bridge);
	assign_update();
	port_watch(port, true);
	patch_connect();
	*port_id = id;
	return 0;
}

static int
port_apply_settings(struct port *port, const struct dp_port_settings *asked,
                    struct error *err)
{
	struct dp_port_settings settings = settings_allowed(port, asked);
	int ret = 0;

	if (port->ops->set)
		ret = port->ops->set(port, &settings, err);
	/* First: what a gate holds when it goes is not policed. */
	if (ret == 0)
		ret = gate_update(port, &settings, err);
	if (ret < 0)
		return ret;
	port->asked = *asked;
	port_publish_settings(port, &settings);
	assign_update();
	bridge_refresh(port->bridge);
	return 0;
}

int
dp_port_set(uint32_t port_id, const struct dp_port_settings *settings, struct error *err)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	int ret;

	if (!port)
		return error_set(err, -ENOENT, "no such port");
	ret = settings_check(settings, err);
	return ret < 0 ? ret : port_apply_settings(port, settings, err);
}

void
dp_port_set_off(uint32_t port_id, uint32_t bits)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct error err;

	if (!port || port->off == bits)
		return;
	port->off = bits;
	if (port_apply_settings(port, &port->asked, &err) < 0)
		log_warn("port %s: %s", port->name, err.text);
}

void
dp_bridge_set_fragments(uint32_t bridge_id, bool are_dropped)
{
	struct bridge *bridge = bridge_by_id(bridge_id);

	if (!bridge || bridge->drops_fragments == are_dropped)
		return;
	bridge->drops_fragments = are_dropped;
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct dp_port_settings settings;

		if (!ports[i] || ports[i]->bridge != bridge)
			continue;
		settings = settings_allowed(ports[i], &ports[i]->asked);
		port_publish_settings(ports[i], &settings);
	}
}

void
dp_port_del(uint32_t port_id)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;

	if (!port)
		return;
	port_watch(port, false);
	gate_close_port(port);
	ports[port_id] = NULL;
	patch_connect();
	bridge_publish_members(port->bridge);
	bridge_refresh(port->bridge);
	fdb_flush(port->bridge->fdb, port_id);
	qos_leave(port);
	assign_update();
	rcu_synchronize();
	port->ops->close(port);
	rcu_synchronize();
	/* Reports of its addresses that were still on their way. */
	fdb_flush(port->bridge->fdb, port_id);
	gate_release_port(port);
	port_free(port);
}

int
dp_bridge_set(uint32_t bridge_id, const struct dp_bridge_config *config,
              struct error *err)
{
	struct bridge *bridge = bridge_id < BRIDGES_MAX ? bridges[bridge_id] : NULL;
	uint64_t old_bps;
	int ret;

	if (!bridge)
		return error_set(err, -ENOENT, "no such bridge");
	old_bps = bridge->config.ingress_bps;
	bridge_set(bridge, config);
	if (config->ingress_bps == old_bps)
		return 0;
	ret = gate_update_bridge(bridge, err);
	assign_update();
	return ret;
}
