/* fake_datapath.c - plays the datapath behind datapath.h with tables in memory and no
 * packets: for unit tests and for weir-vswitchd-fake. It refuses what the real one
 * would. Main thread. */
#include "support/fake_datapath.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define FAKE_MAX 8192

struct fake_port {
	struct dp_port_config config;
	struct dp_qos_config qos;
	struct dp_class_config *classes;
};

struct fake_datapath fake_datapath = {.n_cores = 2};

static bool is_running;
static int event_fd = -1;
static uint64_t status_generation;
static struct dp_bridge_config *bridges[FAKE_MAX];
static struct fake_port *ports[FAKE_MAX];

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
static_assert(ARRAY_SIZE(type_names) == DP_PORT_N_TYPES, "name every type");

const char *
dp_port_type_name(enum dp_port_type type)
{
	return type_names[type];
}

bool
dp_port_type_from_name(const char *name, enum dp_port_type *type)
{
	if (!*name)
		name = "system";
	for (int i = 0; i < DP_PORT_N_TYPES; i++) {
		if (!strcmp(name, type_names[i])) {
			*type = (enum dp_port_type)i;
			return true;
		}
	}
	return false;
}

int
dp_start(const struct dp_config *config, struct error *err)
{
	str_printf(&fake_datapath.calls, "start extra=%s\n",
	           config->eal_extra ? config->eal_extra : "");
	if (fake_datapath.fail_start)
		return error_set(err, -ENOMEM, "no memory for the fake");
	is_running = true;
	return 0;
}

bool
dp_is_running(void)
{
	return is_running;
}

const char *
dp_dpdk_version(void)
{
	return "DPDK 0.0.0";
}

static void
port_free(uint32_t id)
{
	free(ports[id]->classes);
	free(ports[id]);
	ports[id] = NULL;
}

void
dp_stop(void)
{
	for (uint32_t i = 0; i < FAKE_MAX; i++) {
		if (ports[i])
			port_free(i);
		free(bridges[i]);
		bridges[i] = NULL;
	}
	is_running = false;
}

void
fake_datapath_reset(void)
{
	dp_stop();
	str_free(&fake_datapath.calls);
	memset(&fake_datapath, 0, sizeof(fake_datapath));
	fake_datapath.n_cores = 2;
}

int
dp_check_cpu_mask(const uint8_t mask[DP_CPUS_MAX / 8], struct error *err)
{
	for (unsigned i = 0; i < fake_datapath.n_cores; i++)
		if (mask[i / 8] & (1u << (i % 8)))
			return 0;
	return error_set(err, -EINVAL,
	                 "pmd-cpu-mask: no core of the mask exists on this machine");
}

int
dp_set_workers(const struct dp_config *config, struct error *err)
{
	(void)err;
	str_printf(&fake_datapath.calls, "set workers mask=%02x sleep=%u\n",
	           config->pmd_cpu_mask[0], config->max_sleep_us);
	return 0;
}

int
dp_event_fd(void)
{
	if (event_fd < 0)
		event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return event_fd;
}

void
dp_run(void)
{
	uint64_t count;

	if (read(event_fd, &count, sizeof(count)) < 0)
		return;
}

uint64_t
dp_status_generation(void)
{
	return status_generation;
}

int
dp_bridge_add(const struct dp_bridge_config *config, uint32_t *bridge_id,
              struct error *err)
{
	str_printf(&fake_datapath.calls, "add bridge %s\n", config->name);
	for (uint32_t i = 0; i < FAKE_MAX; i++) {
		if (bridges[i])
			continue;
		bridges[i] = xmemdup(config, sizeof(*config));
		*bridge_id = i;
		return 0;
	}
	return error_set(err, -ENOSPC, "too many bridges");
}

int
dp_bridge_set(uint32_t bridge_id, const struct dp_bridge_config *config,
              struct error *err)
{
	(void)err;
	str_printf(&fake_datapath.calls, "set bridge %s aging=%u\n", config->name,
	           config->mac_aging_s);
	*bridges[bridge_id] = *config;
	return 0;
}

void
dp_bridge_del(uint32_t bridge_id)
{
	for (uint32_t i = 0; i < FAKE_MAX; i++)
		assert(!ports[i] || ports[i]->config.bridge_id != bridge_id);
	str_printf(&fake_datapath.calls, "del bridge %s\n", bridges[bridge_id]->name);
	free(bridges[bridge_id]);
	bridges[bridge_id] = NULL;
}

/* Every port has sent from 02:00:00:00:00:<ofport>. */
void
dp_fdb_dump(uint32_t bridge_id, void (*cb)(const struct dp_fdb_entry *, void *aux),
            void *aux)
{
	for (uint32_t i = 0; i < FAKE_MAX; i++) {
		struct dp_fdb_entry entry = {.mac = {2}, .port_id = i, .age_s = 1};

		if (!ports[i] || ports[i]->config.bridge_id != bridge_id)
			continue;
		entry.mac[5] = (uint8_t)ports[i]->config.ofport;
		cb(&entry, aux);
	}
}

void
dp_fdb_flush(uint32_t bridge_id)
{
	str_printf(&fake_datapath.calls, "flush %s\n", bridges[bridge_id]->name);
}

int
dp_port_add(const struct dp_port_config *config, uint32_t *port_id, struct error *err)
{
	str_printf(&fake_datapath.calls, "add port %s as %u\n", config->name,
	           config->ofport);
	if (fake_datapath.fail_port && !strcmp(fake_datapath.fail_port, config->name))
		return error_set(err, -EIO, "the fake refuses it");
	if (config->type == DP_PORT_SYSTEM && !if_nametoindex(config->name))
		return error_set(err, -ENODEV, "no such interface");
	for (uint32_t i = 0; i < FAKE_MAX; i++) {
		assert(!ports[i] || strcmp(ports[i]->config.name, config->name) != 0);
		if (ports[i])
			continue;
		ports[i] = xcalloc(1, sizeof(*ports[i]));
		ports[i]->config = *config;
		*port_id = i;
		return 0;
	}
	return error_set(err, -ENOSPC, "too many ports");
}

int
dp_port_set(uint32_t port_id, const struct dp_port_settings *settings, struct error *err)
{
	(void)err;
	str_printf(&fake_datapath.calls, "set port %s\n", ports[port_id]->config.name);
	ports[port_id]->config.settings = *settings;
	return 0;
}

void
dp_port_del(uint32_t port_id)
{
	str_printf(&fake_datapath.calls, "del port %s\n", ports[port_id]->config.name);
	port_free(port_id);
}

int
dp_port_get_stats(uint32_t port_id, struct dp_port_stats *stats)
{
	if (!ports[port_id])
		return -ENODEV;
	memset(stats, 0, sizeof(*stats));
	stats->rx_packets = 10;
	stats->rx_bytes = 1000;
	stats->tx_packets = 20;
	stats->tx_bytes = 2000;
	return 0;
}

int
dp_port_get_status(uint32_t port_id, struct dp_port_status *status)
{
	if (!ports[port_id])
		return -ENODEV;
	memset(status, 0, sizeof(*status));
	status->link_up = ports[port_id]->config.type != DP_PORT_VHOST_CLIENT;
	memcpy(status->mac, ports[port_id]->config.settings.mac, 6);
	status->mtu = ports[port_id]->config.settings.mtu
	                      ? ports[port_id]->config.settings.mtu
	                      : 1500;
	status->link_bps = fake_datapath.link_bps;
	status->numa_node = -1;
	return 0;
}

void
dp_port_counters(uint32_t port_id,
                 void (*cb)(const char *name, uint64_t value, void *aux), void *aux)
{
	if (!ports[port_id])
		return;
	cb("drop_no_mbuf", 3, aux);
	cb("rxq0_packets", 10, aux);
}

/* ---- QoS: dp_qos_check() is the real one, it has no side effect ---- */

int
dp_port_set_qos(uint32_t port_id, const struct dp_qos_config *config, struct error *err)
{
	struct fake_port *port = ports[port_id];

	str_printf(&fake_datapath.calls, "set qos %s kind=%d rate=%llu classes=%zu\n",
	           port->config.name, (int)config->kind,
	           (unsigned long long)config->rate_bps, config->n_classes);
	if (fake_datapath.fail_qos_port &&
	    !strcmp(fake_datapath.fail_qos_port, port->config.name))
		return error_set(err, -ENOSPC, "the fake has no room for classes");
	free(port->classes);
	port->classes = NULL;
	port->qos = *config;
	if (config->n_classes)
		port->classes = xmemdup(config->classes,
		                        config->n_classes * sizeof(*config->classes));
	port->qos.classes = port->classes;
	port->qos.domain = NULL;
	port->qos.macs = NULL;
	port->qos.n_macs = 0;
	return 0;
}

enum dp_qos_kind
dp_port_qos_stats(uint32_t port_id, void (*cb)(const struct dp_class_stats *, void *aux),
                  void *aux, uint64_t *time_ns)
{
	const struct fake_port *port = ports[port_id];
	struct dp_class_stats stats = {.number = DP_CLASS_ROOT, .parent = DP_CLASS_ROOT};

	*time_ns = clock_mono_ns();
	if (!port || port->qos.kind == DP_QOS_NONE)
		return DP_QOS_NONE;
	stats.ceil_bps = port->qos.rate_bps;
	cb(&stats, aux);
	for (size_t i = 0; i < port->qos.n_classes; i++) {
		const struct dp_class_config *class = &port->classes[i];

		stats.number = class->number;
		stats.parent = class->parent;
		stats.floor_bps = class->floor_bps;
		stats.ceil_bps = class->ceil_bps;
		stats.sent_packets = class->number + 1;
		stats.sent_bytes = 100 * stats.sent_packets;
		cb(&stats, aux);
	}
	return port->qos.kind;
}

struct why_call {
	uint32_t number;
	void (*cb)(const struct dp_class_why *, void *aux);
	void *aux;
};

/* Class 2 borrows from its parent, the root is at its rate, others have no packets. */
static void
why_tell(const struct dp_class_stats *stats, void *aux)
{
	const struct why_call *call = aux;
	struct dp_class_why why = {.stats = *stats, .who = DP_CLASS_NONE};

	if (call->number != DP_CLASS_NONE && call->number != stats->number)
		return;
	if (stats->number == DP_CLASS_ROOT) {
		why.is_inner = true;
		why.state = DP_STATE_OWN_CEIL;
		why.wait_ns = 1200000;
	} else if (stats->number == 2) {
		why.state = DP_STATE_BORROWING;
		why.who = stats->parent;
		why.rates.span_ns = 1000000000;
		why.rates.sent_bps = 2500000;
		why.rates.sent_pps = 250;
		why.rates.borrowed_bps = 1500000;
		why.delay[DP_DELAY_QUEUE] =
			(struct dp_class_delay){7, 1500, 20000, 3000000, 4000000000};
		why.drops_n = 1;
		why.drops[0] = (struct dp_class_drop){"queue full", 300000000, 12};
		why.shares[why.shares_n++] =
			(struct dp_class_share){DP_STATE_BORROWING, stats->parent, 700};
	}
	why.shares[why.shares_n] = (struct dp_class_share){DP_STATE_IDLE, DP_CLASS_NONE,
	                                                   why.shares_n ? 300 : 1000};
	why.shares_n++;
	call->cb(&why, call->aux);
}

enum dp_qos_kind
dp_port_qos_why(uint32_t port_id, uint32_t number,
                void (*cb)(const struct dp_class_why *, void *aux), void *aux)
{
	struct why_call call = {.number = number, .cb = cb, .aux = aux};
	uint64_t time_ns;

	return dp_port_qos_stats(port_id, why_tell, &call, &time_ns);
}

bool
dp_class_delay_counts(uint32_t port_id, uint32_t number, enum dp_delay_part part,
                      const uint64_t *bounds_ns, size_t n, uint64_t *counts,
                      uint64_t *total, uint64_t *sum_ns)
{
	(void)port_id, (void)bounds_ns;
	if (number != 2 || part != DP_DELAY_QUEUE)
		return false;
	for (size_t i = 0; i < n; i++)
		counts[i] = i < 7 ? i : 7;
	*total = 7;
	*sum_ns = 4003000000;
	return true;
}

/* Of ports that ask for a gate. */
bool
dp_port_ingress(uint32_t port_id, struct dp_ingress *ingress)
{
	*ingress = (struct dp_ingress){
		.waiting_packets = 100,
		.held_packets = 3,
		.passed_packets = 1000,
		.gated_ns = 2500000000,
		.delay = {9, 1000, 2000, 3000, 4000},
	};
	return ports[port_id]->config.settings.on_excess == DP_EXCESS_GATE;
}

void
dp_port_tree_status(uint32_t port_id, struct dp_tree_status *status)
{
	(void)port_id;
	*status = (struct dp_tree_status){
		.overload_ns = 5,
		.catch_up_ns = 20000000,
		.quantum_bytes = 1514,
		.pool_packets = 4096,
	};
}

uint64_t
dp_time_ns(void)
{
	return clock_mono_ns();
}

/* ---- workers ---- */

void
dp_workers_dump(void (*cb)(const struct dp_worker_stats *, const struct dp_rxq_status *,
                           void *aux),
                void *aux)
{
	struct dp_worker_stats stats = {.core = 1,
	                                .packets = 30,
	                                .cache_hits = 20,
	                                .pipeline_walks = 10,
	                                .tx_packets = 20,
	                                .tx_batches = 10,
	                                .idle_cycles = 600,
	                                .busy_cycles = 300,
	                                .sleep_cycles = 100,
	                                .iterations = 50};
	struct dp_rxq_status rxqs[4];

	if (!is_running)
		return;
	for (uint32_t i = 0; i < FAKE_MAX && stats.n_rxqs < ARRAY_SIZE(rxqs); i++) {
		struct dp_rxq_status *rxq = &rxqs[stats.n_rxqs];

		if (!ports[i])
			continue;
		memset(rxq, 0, sizeof(*rxq));
		memcpy(rxq->port_name, ports[i]->config.name, sizeof(rxq->port_name));
		rxq->enabled = true;
		rxq->usage_known = stats.n_rxqs > 0;
		rxq->usage_percent = 42;
		stats.n_rxqs++;
	}
	cb(&stats, rxqs, aux);
	memset(&stats, 0, sizeof(stats));
	stats.core = -1;
	cb(&stats, NULL, aux);
}

void
dp_workers_clear_stats(void)
{
	str_append(&fake_datapath.calls, "clear stats\n");
}

void
dp_bridge_clear_rules(uint32_t bridge_id)
{
	(void)bridge_id;
}

size_t
dp_cache_count(void)
{
	return 1;
}

/* One entry, of the first worker. */
void
dp_cache_dump(uint32_t bridge_id, unsigned worker, bool names,
              void (*cb)(const struct dp_cache_entry *, void *aux), void *aux)
{
	const struct dp_cache_entry entry = {.packets = 3,
	                                     .bytes = 180,
	                                     .flow = names ? "recirc_id(0),in_port(a)"
	                                                   : "recirc_id(0),in_port(1)",
	                                     .actions = "NORMAL"};

	if (worker == 0 && bridges[bridge_id])
		cb(&entry, aux);
}

void
dp_memory_report(struct str *out)
{
	size_t n = 0;

	for (uint32_t i = 0; i < FAKE_MAX; i++)
		n += ports[i] != NULL;
	str_printf(out, "ports:%zu", n);
}

int
dp_dummy_inject(uint32_t port_id, const void *frame, size_t length)
{
	(void)port_id;
	(void)frame;
	(void)length;
	return -ENOBUFS;
}

size_t
dp_dummy_take(uint32_t port_id, void *frame, size_t size)
{
	(void)port_id;
	(void)frame;
	(void)size;
	return 0;
}
