/* datapath.c - the main-thread half: start, stop, workers, ports. Implements datapath.h
 * together with bridge.c, qos_config.c and stats.c. */
#include "datapath/datapath.h"

#include <errno.h>
#include <numa.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_version.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "datapath/assign.h"
#include "datapath/bridge.h"
#include "datapath/eal.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/rcu.h"
#include "datapath/stats.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

LOG_MODULE(datapath);

#define TICK_S     1
#define TRIM_TICKS 10

static bool is_running;
static int event_fd = -1, tick_fd = -1;
static unsigned ticks;
static uint32_t next_port_id;
static _Atomic bool status_dirty;
static _Atomic uint64_t status_generation;

/* ---- workers ---- */

static bool
mask_has(const uint8_t *mask, unsigned core)
{
	return mask[core / 8] >> core % 8 & 1;
}

static bool
mask_is_empty(const uint8_t mask[DP_CPUS_MAX / 8])
{
	for (unsigned i = 0; i < DP_CPUS_MAX / 8; i++)
		if (mask[i])
			return false;
	return true;
}

/* The cores this process may run on at all, whatever its threads are confined to now. */
static void
cores_usable(uint8_t usable[DP_CPUS_MAX / 8])
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t probe, saved;

	memset(usable, 0, DP_CPUS_MAX / 8);
	sched_getaffinity(0, sizeof(saved), &saved);
	for (unsigned core = 0; core < (unsigned)n && core < DP_CPUS_MAX; core++) {
		CPU_ZERO(&probe);
		CPU_SET(core, &probe);
		if (sched_setaffinity(0, sizeof(probe), &probe) == 0)
			usable[core / 8] |= (uint8_t)(1 << core % 8);
	}
	sched_setaffinity(0, sizeof(saved), &saved);
}

int
dp_check_cpu_mask(const uint8_t mask[DP_CPUS_MAX / 8], struct error *err)
{
	uint8_t usable[DP_CPUS_MAX / 8];
	unsigned n = 0;

	if (mask_is_empty(mask))
		return 0;
	cores_usable(usable);
	for (unsigned core = 0; core < DP_CPUS_MAX; core++)
		n += mask_has(mask, core) && mask_has(usable, core);
	if (n == 0)
		return error_set(
			err, -EINVAL,
			"pmd-cpu-mask: names no core that this process may use (this machine has cores 0 to %ld)",
			sysconf(_SC_NPROCESSORS_CONF) - 1);
	if (n >= DP_WORKERS_MAX)
		return error_set(err, -EINVAL,
		                 "pmd-cpu-mask: names %u cores, at most %d are used", n,
		                 DP_WORKERS_MAX - 1);
	return 0;
}

static int
core_numa_node(unsigned core)
{
	return numa_available() < 0 ? 0 : numa_node_of_cpu((int)core);
}

/* One core per node: the last one there, which is not the main thread's unless it is
 * alone. */
static void
mask_default(const uint8_t *usable, uint8_t mask[DP_CPUS_MAX / 8])
{
	uint64_t nodes_done = 0;

	memset(mask, 0, DP_CPUS_MAX / 8);
	for (int core = DP_CPUS_MAX - 1; core >= 0; core--) {
		int node;

		if (!mask_has(usable, (unsigned)core))
			continue;
		node = core_numa_node((unsigned)core);
		if (node < 0 || node > 63 || nodes_done >> node & 1)
			continue;
		nodes_done |= 1ULL << node;
		mask[core / 8] |= (uint8_t)(1 << core % 8);
	}
}

static struct worker *
worker_on_core(int core)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i] && workers[i]->core == core)
			return workers[i];
	return NULL;
}

/* Every port gets its share for a new worker before that worker can see the port. */
static void
ports_prepare_worker(uint16_t id)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		if (!ports[i] || ports[i]->by_worker[id])
			continue;
		ports[i]->by_worker[id] = xcalloc_cacheline(sizeof(struct port_worker));
		ports[i]->by_worker[id]->port = ports[i];
	}
}

static int
workers_add(const uint8_t *mask, uint32_t max_sleep_us, struct error *err)
{
	for (unsigned core = 0; core < DP_CPUS_MAX; core++) {
		struct worker *worker;
		uint16_t id = 0;
		int ret;

		if (!mask_has(mask, core) || worker_on_core((int)core))
			continue;
		while (id < DP_WORKERS_MAX - 1 && workers[id])
			id++;
		ports_prepare_worker(id); /* the id that worker_start() will take */
		ret = worker_start((int)core, core_numa_node(core), max_sleep_us, &worker,
		                   err);
		if (ret < 0)
			return ret;
		log_info("worker %u polls on core %u, NUMA node %d", worker->id, core,
		         worker->numa_node);
	}
	return 0;
}

/* Takes all work from the workers that are not in the mask, then ends them. */
static void
workers_remove(const uint8_t *mask)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i] && workers[i]->core >= 0 &&
		    !mask_has(mask, (unsigned)workers[i]->core))
			workers[i]->stop = true;
	assign_update();
	/* Twice: what was handed over before the first is taken in the round after it. */
	rcu_synchronize();
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		if (!workers[i] || !workers[i]->stop)
			continue;
		log_info("worker %u on core %d ends", i, workers[i]->core);
		stats_retire_worker((uint16_t)i);
		worker_stop(workers[i]);
	}
}

int
dp_set_workers(const struct dp_config *config, struct error *err)
{
	uint8_t usable[DP_CPUS_MAX / 8], mask[DP_CPUS_MAX / 8];
	int ret = dp_check_cpu_mask(config->pmd_cpu_mask, err);

	if (ret < 0)
		return ret;
	cores_usable(usable);
	if (mask_is_empty(config->pmd_cpu_mask))
		mask_default(usable, mask);
	else
		memcpy(mask, config->pmd_cpu_mask, sizeof(mask));
	for (unsigned core = 0; core < DP_CPUS_MAX; core++) {
		if (mask_has(mask, core) && !mask_has(usable, core)) {
			log_warn("pmd-cpu-mask: core %u cannot be used, left out", core);
			mask[core / 8] &= (uint8_t) ~(1 << core % 8);
		}
	}
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i])
			workers[i]->max_sleep_us = config->max_sleep_us;
	ret = workers_add(mask, config->max_sleep_us, err);
	if (ret < 0)
		return ret;
	workers_remove(mask);
	workers_confine_others();
	assign_update();
	return 0;
}

/* ---- start and stop ---- */

static int
datapath_open_events(struct error *err)
{
	struct itimerspec tick = {{TICK_S, 0}, {TICK_S, 0}};
	struct epoll_event event = {.events = EPOLLIN};

	event_fd = epoll_create1(EPOLL_CLOEXEC);
	tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (event_fd < 0 || tick_fd < 0 || timerfd_settime(tick_fd, 0, &tick, NULL) < 0 ||
	    epoll_ctl(event_fd, EPOLL_CTL_ADD, tick_fd, &event) < 0 ||
	    epoll_ctl(event_fd, EPOLL_CTL_ADD, worker_main_fd(), &event) < 0)
		return error_set(err, -errno, "event descriptors: %s", strerror(errno));
	return 0;
}

int
dp_start(const struct dp_config *config, struct error *err)
{
	struct worker *kernel;
	int ret = dp_check_cpu_mask(config->pmd_cpu_mask, err);

	if (ret < 0)
		return ret;
	ret = datapath_open_events(err);
	if (ret == 0)
		ret = eal_start(config, err);
	if (ret == 0 && (ret = rcu_init()) < 0)
		error_set(err, ret, "no memory for the workers' state");
	if (ret < 0)
		return ret;
	tsc_calibrate();
	ret = worker_start(-1, -1, 0, &kernel, err);
	if (ret == 0)
		ret = dp_set_workers(config, err);
	is_running = ret == 0;
	return ret;
}

bool
dp_is_running(void)
{
	return is_running;
}

const char *
dp_dpdk_version(void)
{
	return rte_version();
}

int
dp_event_fd(void)
{
	return event_fd;
}

void
dp_run(void)
{
	uint64_t expirations;

	worker_main_ack();
	if (atomic_exchange(&status_dirty, false)) {
		status_generation++;
		assign_update();
	}
	bridges_take_learned();
	if (read(tick_fd, &expirations, sizeof(expirations)) < 0)
		return;
	bridges_age((uint32_t)(tsc_to_ns(rte_rdtsc()) / NSEC_PER_SEC));
	stats_tick();
	if (++ticks % TRIM_TICKS == 0)
		tsc_trim();
}

uint64_t
dp_status_generation(void)
{
	return status_generation;
}

void
port_status_changed(struct port *port)
{
	(void)port;
	status_dirty = true;
	worker_notify_main();
}

void
dp_stop(void)
{
	if (!is_running)
		return;
	for (uint32_t i = 0; i < DP_PORTS_MAX; i++)
		if (ports[i])
			dp_port_del(i);
	for (uint32_t i = 0; i < BRIDGES_MAX; i++)
		dp_bridge_del(i);
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i])
			worker_stop(workers[i]);
	rte_eal_cleanup();
	is_running = false;
}

/* ---- ports ---- */

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

static struct port_settings *
settings_prepare(const struct dp_port_settings *config)
{
	struct port_settings *settings = xcalloc_cacheline(sizeof(*settings));
	uint8_t *trunks = settings->config.trunks;
	bool none = true;

	settings->config = *config;
	for (size_t i = 0; i < sizeof(config->trunks); i++)
		none &= trunks[i] == 0;
	if (none)
		memset(trunks, 0xff, sizeof(config->trunks));
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
	struct port_settings *settings = settings_prepare(config), *old = port->settings;
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
	int ret = is_running ? port_check(config, err)
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
	port_publish_settings(port, &config->settings);
	ports[id] = port;
	bridge_publish_members(port->bridge);
	assign_update();
	port_watch(port, true);
	*port_id = id;
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
	if (ret == 0 && port->ops->set)
		ret = port->ops->set(port, settings, err);
	if (ret < 0)
		return ret;
	port_publish_settings(port, settings);
	assign_update();
	return 0;
}

void
dp_port_del(uint32_t port_id)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct port_qos *qos;

	if (!port)
		return;
	port_watch(port, false);
	ports[port_id] = NULL;
	bridge_publish_members(port->bridge);
	fdb_flush(port->bridge->fdb, port_id);
	assign_update();
	rcu_synchronize();
	qos = port->qos;
	port->ops->close(port);
	rcu_synchronize();
	/* Reports of its addresses that were still on their way. */
	fdb_flush(port->bridge->fdb, port_id);
	qos_destroy(qos);
	port_free(port);
}
