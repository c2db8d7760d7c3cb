/* start.c - starts and stops the datapath, its workers, and runs its housekeeping.
 * Implements datapath.h together with ports.c, bridge.c, qos_config.c and stats.c. Main
 * thread. */
#include <errno.h>
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
#include "datapath/cache_ask.h"
#include "datapath/cores.h"
#include "datapath/datapath.h"
#include "datapath/eal.h"
#include "datapath/port/port.h"
#include "datapath/punt.h"
#include "datapath/qos.h"
#include "datapath/qos_watch.h"
#include "datapath/rcu.h"
#include "datapath/stats.h"
#include "datapath/table.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

LOG_MODULE(datapath);

#define TICK_S     1
#define TRIM_TICKS 10

static bool is_running;
static int event_fd = -1, tick_fd = -1;
static unsigned ticks;
static _Atomic bool status_dirty;
static _Atomic uint64_t status_generation;

/* ---- workers ---- */

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
	qos_prepare_worker(id);
}

static int
workers_add(const uint8_t *mask, uint32_t max_sleep_us, struct error *err)
{
	for (unsigned core = 0; core < DP_CPUS_MAX; core++) {
		struct worker *worker;
		uint16_t id = 0;
		int ret;

		if (!cores_mask_has(mask, core) || worker_on_core((int)core))
			continue;
		while (id < DP_WORKERS_MAX - 1 && workers[id])
			id++;
		ports_prepare_worker(id); /* the id that worker_start() will take */
		ret = worker_start((int)core, cores_numa_node(core), max_sleep_us,
		                   &worker, err);
		if (ret < 0)
			return ret;
		log_info("worker %u polls on core %u, NUMA node %d", worker->id, core,
		         worker->numa_node);
	}
	return 0;
}

/* A packet that was on its way to a worker, or from one, that has ended. */
static void
drop_handed_over(struct rte_mbuf *pkt)
{
	struct port *port = ports[packet_meta(pkt)->item.caller_tag];

	if (port)
		port->retired.drops[DROP_TX_HANDOVER_FULL]++;
	rte_pktmbuf_free(pkt);
}

/* Takes all work from the workers that are not in the mask, then ends them. */
static void
workers_remove(const uint8_t *mask)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i] && workers[i]->core >= 0 &&
		    !cores_mask_has(mask, (unsigned)workers[i]->core))
			workers[i]->is_leaving = true;
	assign_update();
	/* From here nobody hands anything over to them; they pass on what they have. */
	rcu_synchronize();
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		if (!workers[i] || !workers[i]->is_leaving)
			continue;
		worker_wait_until_passed_on(workers[i]);
		/* What it took last goes out in that round. */
		rcu_synchronize();
		punts_run();
		log_info("worker %u on core %d ends", i, workers[i]->core);
		worker_stop(workers[i], drop_handed_over);
		stats_retire_worker((uint16_t)i);
	}
}

int
dp_set_workers(const struct dp_config *config, struct error *err)
{
	uint8_t mask[DP_CPUS_MAX / 8];
	int ret = dp_check_cpu_mask(config->pmd_cpu_mask, err);

	if (ret < 0)
		return ret;
	cores_for_workers(config->pmd_cpu_mask, mask);
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i])
			workers[i]->max_sleep_us = config->max_sleep_us;
	ret = workers_add(mask, config->max_sleep_us, err);
	if (ret < 0)
		return ret;
	workers_remove(mask);
	cores_confine_others(mask);
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
	if (qos_watch_start(event_fd) < 0)
		return error_set(err, -errno, "timer: %s", strerror(errno));
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
		bridges_refresh();
	}
	rcu_collect();
	bridges_take_learned();
	punts_run();
	qos_watch_run();
	if (read(tick_fd, &expirations, sizeof(expirations)) < 0)
		return;
	bridges_age((uint32_t)(tsc_to_ns(rte_rdtsc()) / NSEC_PER_SEC));
	bridges_narrow();
	caches_grow();
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
			worker_stop(workers[i], drop_handed_over);
	rte_eal_cleanup();
	is_running = false;
}
