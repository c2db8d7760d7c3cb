/* gate_config.c - makes, changes and takes away the gates of ports while packets go on:
 * main decides, the owner worker edits the tree. Main thread, and the jobs on owners.
 *
 * The gated ports of a bridge with ingress_bps share one gate, so that it can give each
 * its floor of the whole; other ports have one of their own. Ports that the kernel worker
 * serves never share: a gate has one owner. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/gate.h"
#include "datapath/port/port.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

/* How late a worker may be without loss of rate: by a time slice where it shares its
 * core, by more where it sleeps. A guest may be later, until its processor runs again and
 * fills the ring: what it has not used meanwhile of its own rate, it may catch up on. */
#define CATCH_UP_MS        5
#define CATCH_UP_KERNEL_MS 20
#define CATCH_UP_GUEST_MS  50
#define BURST_MIN_BYTES    (2 * 1514)

#define GATE_CAPACITY_MIN 32
/* Flows that stand in the windows of a gate at a time and have queues of their own. */
#define GATE_FLOWS 256

struct gate *gates;

/* ---- what a configuration asks for ---- */

static bool
gate_is_wanted(const struct port *port, const struct dp_port_settings *config)
{
	bool is_shared =
		port->bridge->config.ingress_bps && !port->ops->served_by_kernel_worker;

	return config->on_excess == DP_EXCESS_GATE &&
	       (config->policing_bps || config->policing_pps ||
	        config->ingress_peak_bps || is_shared);
}

/* The bridge whose ports the gate is shared with; NULL = a gate of its own. */
static struct bridge *
gate_sharer(const struct port *port)
{
	return port->bridge->config.ingress_bps && !port->ops->served_by_kernel_worker
	               ? port->bridge
	               : NULL;
}

static unsigned
gate_catch_up_ms(const struct port *port)
{
	return port->ops->served_by_kernel_worker ? CATCH_UP_KERNEL_MS : CATCH_UP_MS;
}

static uint32_t
gate_burst_bytes(uint64_t rate_bps, unsigned catch_up_ms)
{
	uint64_t bytes = MAX_OF(rate_bps / 8000 * catch_up_ms, BURST_MIN_BYTES);

	return (uint32_t)MIN_OF(bytes, UINT32_MAX);
}

static struct sched_class_params
gate_root_params(const struct port *port, const struct bridge *bridge)
{
	uint64_t rate_bps = bridge ? bridge->config.ingress_bps : 0;

	return (struct sched_class_params){
		.ceil_bps = rate_bps,
		.ceil_burst_bytes = gate_burst_bytes(rate_bps, gate_catch_up_ms(port)),
	};
}

static struct sched_class_params
gate_port_params(const struct port *port, const struct dp_port_settings *config)
{
	uint64_t burst = config->policing_burst_bits / 8;

	if (!burst)
		burst = gate_burst_bytes(config->policing_bps, CATCH_UP_GUEST_MS);
	return (struct sched_class_params){
		.floor_bps = config->ingress_floor_bps,
		.ceil_bps = config->policing_bps,
		.ceil_burst_bytes = (uint32_t)MIN_OF(burst, UINT32_MAX),
		.peak_bps = config->ingress_peak_bps,
		.peak_burst_bytes = gate_burst_bytes(config->ingress_peak_bps,
	                                             gate_catch_up_ms(port)),
		.ceil_pps = (uint32_t)MIN_OF(config->policing_pps, UINT32_MAX),
		.ceil_burst_packets =
			(uint32_t)MIN_OF(config->policing_burst_packets, UINT32_MAX),
	};
}

/* The windows limit what is in a leaf; the leaf itself takes whatever was polled. A flow
 * of little traffic goes before the others that are in the window. */
static struct sched_class_params
gate_leaf_params(void)
{
	return (struct sched_class_params){
		.weight = 1,
		.fair = true,
		.limit_packets = 2 * GATE_WINDOW_PACKETS,
		.limit_bytes = 1U << 30,
	};
}

/* ---- jobs on the owner ---- */

struct gate_job {
	struct port *port;
	struct gate_port *gate_port;
	struct gate *gate;
	const struct dp_port_settings *config;
	struct sched_class_params root;
	void *memory; /* to move the tree to; NULL = it has room */
	uint32_t capacity;
	uint16_t queue; /* the next one to close */
	int status;
};

static uint64_t
job_now_ns(const struct worker *worker)
{
	return worker ? worker->now_ns : tsc_to_ns(rte_rdtsc());
}

static void
job_run(struct gate_job *job, worker_call_fn *fn)
{
	uint16_t owner = job->gate->owner;

	worker_call(owner == WORKER_NONE ? NULL : workers[owner], fn, job);
}

static void
job_set_windows(const struct gate_job *job)
{
	uint64_t rate_bps = job->config->policing_bps;

	if (!rate_bps)
		rate_bps = job->config->ingress_peak_bps;
	if (!rate_bps || (job->root.ceil_bps && job->root.ceil_bps < rate_bps))
		rate_bps = job->root.ceil_bps;
	for (uint16_t q = 0; q < job->gate_port->n_queues; q++)
		gate_window_set(&job->gate_port->queues[q].window, rate_bps,
		                (uint32_t)MIN_OF(job->config->policing_pps, UINT32_MAX));
}

static bool
job_add_port(struct worker *worker, void *arg)
{
	struct gate_job *job = arg;
	struct sched_class_params port = gate_port_params(job->port, job->config);
	struct sched_class_params leaf = gate_leaf_params();
	struct gate_port *gate_port = job->gate_port;
	uint64_t now_ns = job_now_ns(worker);
	struct sched *sched = job->gate->sched;

	if (job->memory)
		sched = sched_relocate(job->memory, job->capacity, sched);
	job->gate->sched = sched;
	job->status = sched_class_set(sched, sched_root(sched), &job->root, now_ns);
	if (job->status == 0)
		job->status = sched_class_add(sched, sched_root(sched), false, &port,
		                              now_ns, &gate_port->node);
	for (uint16_t q = 0; q < gate_port->n_queues && job->status == 0; q++)
		job->status = sched_class_add(sched, gate_port->node, true, &leaf, now_ns,
		                              &gate_port->queues[q].leaf);
	job_set_windows(job);
	return false;
}

static bool
job_set_port(struct worker *worker, void *arg)
{
	struct gate_job *job = arg;
	struct sched_class_params port = gate_port_params(job->port, job->config);
	uint64_t now_ns = job_now_ns(worker);
	struct sched *sched = job->gate->sched;

	job->status = sched_class_set(sched, sched_root(sched), &job->root, now_ns);
	if (job->status == 0)
		job->status = sched_class_set(sched, job->gate_port->node, &port, now_ns);
	job_set_windows(job);
	return false;
}

/* One queue a round: sends what it holds, above any rate, and polls it no more. */
static bool
job_close_port(struct worker *worker, void *arg)
{
	struct gate_job *job = arg;
	struct gate_port *gate_port = job->gate_port;
	uint64_t now_ns = job_now_ns(worker);
	struct qos_item *items;

	if (job->queue < gate_port->n_queues) {
		struct gate_queue *queue = &gate_port->queues[job->queue++];

		sched_class_delete(job->gate->sched, queue->leaf, now_ns, &items);
		queue->is_closed = true;
		/* Without an owner nothing was ever polled. */
		if (worker) {
			gate_send_rest(worker, items);
			gate_mute(worker, queue, false);
		}
		return true;
	}
	sched_class_delete(job->gate->sched, gate_port->node, now_ns, &items);
	return false;
}

/* ---- main ---- */

static struct gate *
gate_find_shared(const struct bridge *bridge)
{
	for (struct gate *gate = gates; gate; gate = gate->next)
		if (gate->bridge == bridge && gate->n_ports)
			return gate;
	return NULL;
}

static struct gate *
gate_create(const struct port *port, struct bridge *bridge)
{
	struct sched_class_params root = gate_root_params(port, bridge);
	struct gate *gate = xcalloc_cacheline(sizeof(*gate));

	gate->owner = WORKER_NONE;
	gate->bridge = bridge;
	gate->memory = xcalloc_cacheline(sched_memory_bytes(GATE_CAPACITY_MIN));
	gate->sched = sched_init(gate->memory, GATE_CAPACITY_MIN, &root,
	                         tsc_to_ns(rte_rdtsc()));
	gate->flows = xcalloc_cacheline(sched_flows_bytes(GATE_FLOWS));
	sched_flows_attach(gate->sched, gate->flows, GATE_FLOWS);
	gate->next = gates;
	gates = gate;
	return gate;
}

static struct gate_port *
gate_port_create(struct port *port, struct gate *gate)
{
	struct gate_port *gate_port = xcalloc_cacheline(
		sizeof(*gate_port) + port->n_rxqs * sizeof(struct gate_queue));

	gate_port->gate = gate;
	gate_port->n_queues = port->n_rxqs;
	for (uint16_t q = 0; q < port->n_rxqs; q++) {
		gate_port->queues[q].gate = gate;
		gate_port->queues[q].rxq = &port->rxqs[q];
		gate_port->queues[q].item_tag = (uint16_t)(port->id * DP_QUEUES_MAX + q);
	}
	return gate_port;
}

static int
gate_open_port(struct port *port, const struct dp_port_settings *config,
               struct error *err)
{
	struct bridge *bridge = gate_sharer(port);
	struct gate *gate = bridge ? gate_find_shared(bridge) : NULL;
	struct gate_job job = {.port = port, .config = config};
	uint32_t need;

	if (!gate)
		gate = gate_create(port, bridge);
	job.gate = gate;
	job.gate_port = gate_port_create(port, gate);
	job.root = gate_root_params(port, bridge);
	job.capacity = sched_capacity(gate->sched);
	need = sched_class_count(gate->sched) + port->n_rxqs + 1U;
	while (job.capacity < need)
		job.capacity *= 2;
	if (job.capacity > sched_capacity(gate->sched))
		job.memory = xcalloc_cacheline(sched_memory_bytes(job.capacity));
	job_run(&job, job_add_port);
	if (job.memory) {
		free(gate->memory);
		gate->memory = job.memory;
	}
	gate->n_ports++;
	port->gate = job.gate_port;
	/* From here on the queues are polled by the gate's owner only. */
	for (uint16_t q = 0; q < port->n_rxqs; q++)
		atomic_store_explicit(&port->rxqs[q].gate, &job.gate_port->queues[q],
		                      memory_order_release);
	if (job.status == 0)
		return 0;
	gate_close_port(port);
	gate_release_port(port);
	return error_set(err, job.status, "gate refused the port: %s",
	                 strerror(-job.status));
}

void
gate_close_port(struct port *port)
{
	struct gate_job job = {.port = port};

	if (!port->gate)
		return;
	job.gate_port = port->gate;
	job.gate = port->gate->gate;
	job_run(&job, job_close_port);
}

static void
gate_add_counts(struct gate_counts *sum, const struct gate_queue *queue)
{
	sum->packets += queue->counts.packets;
	sum->wait_ns += queue->counts.wait_ns;
	sum->full_ns += queue->window.full_ns;
}

void
gate_release_port(struct port *port)
{
	struct gate_port *gate_port = port->gate;

	if (!gate_port)
		return;
	for (uint16_t q = 0; q < port->n_rxqs; q++) {
		gate_add_counts(&port->gate_retired, &gate_port->queues[q]);
		atomic_store_explicit(&port->rxqs[q].gate, NULL, memory_order_release);
	}
	port->gate = NULL;
	gate_port->gate->n_ports--;
	rcu_free_after(gate_port);
}

void
gates_collect(void)
{
	for (struct gate **link = &gates; *link;) {
		struct gate *gate = *link;

		if (gate->n_ports) {
			link = &gate->next;
			continue;
		}
		*link = gate->next;
		rcu_free_after(gate->memory);
		rcu_free_after(gate->flows);
		rcu_free_after(gate);
	}
}

int
gate_update(struct port *port, const struct dp_port_settings *config, struct error *err)
{
	bool is_wanted = gate_is_wanted(port, config);
	struct gate_job job = {.port = port, .config = config};

	if (port->gate && (!is_wanted || port->gate->gate->bridge != gate_sharer(port))) {
		gate_close_port(port);
		gate_release_port(port);
	}
	if (!is_wanted)
		return 0;
	if (!port->gate)
		return gate_open_port(port, config, err);
	job.gate_port = port->gate;
	job.gate = port->gate->gate;
	job.root = gate_root_params(port, job.gate->bridge);
	job_run(&job, job_set_port);
	if (job.status < 0)
		return error_set(err, job.status, "gate refused its new rates: %s",
		                 strerror(-job.status));
	return 0;
}

bool
gate_get_counts(const struct port *port, struct gate_counts *counts, uint32_t *held)
{
	*counts = port->gate_retired;
	*held = 0;
	for (uint16_t q = 0; port->gate && q < port->gate->n_queues; q++) {
		gate_add_counts(counts, &port->gate->queues[q]);
		*held += port->gate->queues[q].window.held_packets;
	}
	return port->gate || counts->packets;
}

void
gate_sum_waits(const struct port *port, uint64_t now_ns, struct histogram *sum)
{
	for (uint16_t q = 0; port->gate && q < port->gate->n_queues; q++)
		recent_sum(&port->gate->queues[q].waits, now_ns, sum);
}

int
gate_update_bridge(struct bridge *bridge, struct error *err)
{
	int ret = 0;

	for (unsigned i = 0; i < DP_PORTS_MAX && ret == 0; i++)
		if (ports[i] && ports[i]->bridge == bridge)
			ret = gate_update(ports[i], &ports[i]->settings->config, err);
	return ret;
}
