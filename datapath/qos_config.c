/* qos_config.c - gives a port its scheduler and changes the tree while it runs: main
 * plans (qos_plan.c), the owner worker carries out a few steps a round (qos_job.c), so
 * that packets go on meanwhile and none is lost. Main thread, and the small calls on the
 * owner. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "datapath/assign.h"
#include "datapath/eal.h"
#include "datapath/port/port.h"
#include "datapath/qos_meter.h"
#include "datapath/qos_tree.h"
#include "datapath/qos_watch.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

#define QOS_MIN_CAPACITY 64
#define QOS_MAX_CAPACITY (SCHED_CLASSES_MAX / 2)
/* Queues for flows that have packets, of all fair classes of a tree together. */
#define QOS_FLOWS_MIN       4096
#define QOS_FLOWS_MAX       16384
#define QOS_FLOWS_PER_CLASS 64
#define QOS_SPARE_BANDS     256 /* calendars of bands beyond one per four classes */

LOG_MODULE(qos);

struct port_qos *qos_all;

struct worker *
qos_owner(const struct port_qos *qos)
{
	return qos->owner == WORKER_NONE ? NULL : workers[qos->owner];
}

/* How late the owner may be without loss of rate: what a class or link may catch up on. A
 * worker that polls is late by microseconds, or by a time slice where it shares its core;
 * the one that sleeps for the kernel's interfaces is late whenever its cores are busy. */
static uint64_t
qos_catch_up_ms(const struct port_qos *qos)
{
	for (uint32_t i = 0; i < qos->n_ports; i++)
		if (qos->ports[i]->ops->served_by_kernel_worker)
			return 20;
	return 5;
}

/* Class number -> leaf, and the lists of the port. True if it was published anew: the old
 * one is still being read until the next quiescent points. */
static bool
qos_publish_map(struct port_qos *qos, const struct dp_qos_config *config)
{
	const struct qos_tree *tree = qos->tree;
	struct qos_class_map *map, *old = qos->map;

	map = qos_map_alloc(tree->n_numbers, config);
	for (uint32_t i = 0; i < tree->n; i++)
		qos_map_refs(map)[tree->classes[i].config.number] = tree->classes[i].leaf;
	qos_map_fill_lists(map, config);
	if (old && qos_map_equal(old, map)) {
		free(map);
		return false;
	}
	atomic_store_explicit(&qos->map, map, memory_order_release);
	if (old)
		rcu_free_after(old);
	return true;
}

struct relocation {
	struct port_qos *qos;
	void *memory;
	uint32_t capacity;
};

static bool
qos_relocate(struct worker *worker, void *arg)
{
	struct relocation *r = arg;

	(void)worker;
	r->qos->sched = sched_relocate(r->memory, r->capacity, r->qos->sched);
	return false;
}

static void *
qos_alloc_sched(uint32_t capacity)
{
	return xcalloc_huge(sched_memory_bytes(capacity));
}

/* The owner copies what it has while nothing is sent (about a millisecond for 10,000
 * classes), so there is always room to spare. */
static void
qos_grow(struct port_qos *qos, uint32_t need)
{
	struct relocation r = {.qos = qos, .capacity = sched_capacity(qos->sched)};
	void *old = qos->sched_memory;

	while (r.capacity < need)
		r.capacity *= 2;
	r.capacity *= 2;
	r.memory = qos_alloc_sched(r.capacity);
	worker_call(qos_owner(qos), qos_relocate, &r);
	qos->sched_memory = r.memory;
	free(old);
}

/* A share calendar serves each band; there is one for every four classes, and some. */
static uint32_t
plan_capacity(const struct qos_plan *plan)
{
	uint32_t need = plan->n_nodes;

	if (plan->n_bands > QOS_SPARE_BANDS)
		need = MAX_OF(need, 4 * (plan->n_bands - QOS_SPARE_BANDS));
	return need;
}

/* The first sizing costs nobody time. */
static void
qos_make_sched(struct port_qos *qos, const struct qos_plan *plan)
{
	uint32_t capacity = QOS_MIN_CAPACITY, need = plan_capacity(plan);

	while (capacity < 2 * need)
		capacity *= 2;
	qos->sched_memory = qos_alloc_sched(capacity);
	qos->sched = sched_init(qos->sched_memory, capacity, &plan->next->root,
	                        tsc_to_ns(rte_rdtsc()));
	sched_set_quantum(qos->sched, QOS_QUANTUM_BYTES);
}

struct flows_attachment {
	struct sched *sched;
	void *memory;
	uint32_t flows;
};

static bool
qos_attach_flows(struct worker *worker, void *arg)
{
	struct flows_attachment *flows = arg;

	(void)worker;
	sched_flows_attach(flows->sched, flows->memory, flows->flows);
	return false;
}

/* Before classes become fair: queues for their flows, once in the life of a scheduler. */
static void
qos_reserve_flows(struct port_qos *qos, uint32_t n_fair)
{
	struct flows_attachment flows = {.sched = qos->sched};
	size_t size;

	if (n_fair == 0 || qos->flows_memory)
		return;
	flows.flows = MAX_OF(n_fair * QOS_FLOWS_PER_CLASS, QOS_FLOWS_MIN);
	flows.flows = MIN_OF(flows.flows, QOS_FLOWS_MAX);
	size = sched_flows_bytes(flows.flows);
	flows.memory = qos->flows_memory = xcalloc_cacheline(size);
	memset(flows.memory, 0, size); /* its pages shall exist */
	worker_call(qos_owner(qos), qos_attach_flows, &flows);
}

/* What the leaves of 'tree' need of the way to them, and 'before' it takes the place of
 * another, also what those need: a hash of each packet's flow, and to know whether
 * packets may be marked. */
static void
qos_prepare_leaves(struct port_qos *qos, const struct qos_tree *tree, bool before)
{
	bool uses_ecn = before && qos->uses_ecn, was_fair = qos->is_fair;
	uint32_t n_fair = 0;

	for (uint32_t i = 0; i < tree->n; i++) {
		const struct dp_class_config *config = &tree->classes[i].config;

		n_fair += config->fair;
		uses_ecn |= config->codel && config->ecn;
	}
	qos_reserve_flows(qos, n_fair);
	qos->uses_ecn = uses_ecn;
	qos->is_fair = n_fair > 0 || (before && was_fair);
	if (qos->is_fair != was_fair)
		assign_update();
}

/* Drops packets that are in no scheduler any more and counts them at their ports. */
static void
qos_drop_items(struct qos_item *items, enum drop_reason reason)
{
	while (items) {
		struct qos_item *next = items->next;
		struct port *port = ports[items->caller_tag];

		if (port)
			port->retired.drops[reason]++;
		rte_pktmbuf_free(packet_from_item(items));
		items = next;
	}
}

static int
qos_run_ops(struct port_qos *qos, const struct qos_plan *plan, const struct qos_op *ops,
            uint32_t n_ops)
{
	struct qos_job job = {.qos = qos, .tree = plan->next, .ops = ops, .n_ops = n_ops};

	if (n_ops == 0)
		return 0;
	worker_call(qos_owner(qos), qos_job_run, &job);
	while (job.status == -ENOSPC && sched_capacity(qos->sched) < QOS_MAX_CAPACITY) {
		qos_grow(qos, sched_capacity(qos->sched) + 1);
		worker_call(qos_owner(qos), qos_job_run, &job);
	}
	qos_drop_items(job.orphans, DROP_TX_QOS_CLASS_FULL);
	log_dbg("%s: %u steps in %u rounds, the longest took %" PRIu64 " us",
	        qos->ports[0]->name, n_ops, job.rounds, job.longest_ns / 1000);
	return job.status ? job.status : job.failed;
}

static int
qos_apply_tree(struct port_qos *qos, const struct dp_qos_config *config,
               struct error *err)
{
	static struct qos_tree empty;
	struct qos_tree *old = qos->tree ? qos->tree : &empty;
	uint64_t now_ns = dp_time_ns();
	struct qos_plan plan;
	int ret, deleted;

	plan_make(&plan, old, config, qos_catch_up_ms(qos));
	losses_fit(qos, plan.next->n_numbers);
	for (uint32_t i = 0; i < plan.next->n; i++) {
		struct qos_class *class = &plan.next->classes[i];

		if (class->node != QOS_REF_NONE)
			continue;
		class->lost_before = losses_sum(qos, class->config.number);
		class->created_ns = now_ns;
	}
	if (!qos->sched)
		qos_make_sched(qos, &plan);
	else if (plan_capacity(&plan) > sched_capacity(qos->sched))
		qos_grow(qos, plan_capacity(&plan));
	qos_prepare_leaves(qos, plan.next, true);
	ret = qos_run_ops(qos, &plan, plan.changes, plan.n_changes);
	qos->tree = plan.next;
	/* From then on nobody looks up the classes that go. */
	if (qos_publish_map(qos, config) && plan.n_deletions > 0)
		rcu_synchronize();
	deleted = qos_run_ops(qos, &plan, plan.deletions, plan.n_deletions);
	ret = ret < 0 ? ret : deleted;
	qos_prepare_leaves(qos, qos->tree, false);
	plan_free(&plan);
	if (old != &empty)
		tree_free(old);
	qos->overhead_bytes = config->overhead_bytes;
	qos->mpu_bytes = config->mpu_bytes;
	qos_watch_follow(qos);
	if (ret < 0)
		return error_set(err, ret, "scheduler refused the tree: %s",
		                 strerror(-ret));
	return 0;
}

/* Frees a scheduler that no worker sees any more, with its packets. */
static void
qos_destroy(struct port_qos *qos)
{
	for (struct port_qos **link = &qos_all; *link; link = &(*link)->next) {
		if (*link == qos) {
			*link = qos->next;
			break;
		}
	}
	for (uint32_t i = 0; qos->tree && i < qos->tree->n; i++) {
		struct qos_item *items = NULL;

		sched_class_delete(qos->sched, qos->tree->classes[i].leaf,
		                   tsc_to_ns(rte_rdtsc()), &items);
		qos_drop_items(items, DROP_TX_QOS_NO_CLASS);
	}
	if (qos->sched)
		qos_drop_items(sched_take_dropped(qos->sched), DROP_TX_QOS_NO_CLASS);
	qos_watch_destroy(qos);
	tree_free(qos->tree);
	losses_free(qos);
	free(qos->sched_memory);
	free(qos->flows_memory);
	free(qos->map);
	free(qos->meters);
	free(qos->ports);
	free(qos->domain);
	free(qos);
}

/* ---- which ports share it ---- */

static const char *
config_domain(const struct dp_qos_config *config)
{
	return config->kind == DP_QOS_TREE ? config->domain : NULL;
}

static struct port_qos *
domain_find(const char *name)
{
	for (struct port_qos *qos = qos_all; qos; qos = qos->next)
		if (qos->domain && !strcmp(qos->domain, name))
			return qos;
	return NULL;
}

static void
qos_set_domain(struct port_qos *qos, const char *name)
{
	free(qos->domain);
	qos->domain = name ? xstrdup(name) : NULL;
}

static struct port_qos *
qos_create(const struct dp_qos_config *config)
{
	struct port_qos *qos = xcalloc_cacheline(sizeof(*qos));

	qos->kind = config->kind;
	qos->owner = WORKER_NONE;
	qos->backlog_limit = eal_packet_count() / 4;
	qos_set_domain(qos, config_domain(config));
	policer_init(&qos->policer, config->rate_bps / 8, config->burst_bits / 8,
	             tsc_to_ns(rte_rdtsc()));
	qos->next = qos_all;
	qos_all = qos;
	return qos;
}

static void
qos_add_port(struct port_qos *qos, struct port *port)
{
	qos->ports = xrealloc(qos->ports, (qos->n_ports + 1U) * sizeof(struct port *));
	qos->ports[qos->n_ports] = port;
	qos->n_ports++;
}

static void
qos_remove_port(struct port_qos *qos, const struct port *port)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < qos->n_ports; i++)
		if (qos->ports[i] != port)
			qos->ports[kept++] = qos->ports[i];
	qos->n_ports = kept;
}

struct departure {
	struct port_qos *qos;
	struct port *port;
	struct qos_item *items; /* what the port had not taken */
};

static bool
qos_forget_port(struct worker *worker, void *arg)
{
	struct departure *departure = arg;
	struct port_pending *pending = &departure->port->pending;

	(void)worker;
	for (struct port **link = &departure->qos->waiting; *link;
	     link = &(*link)->pending.next_waiting) {
		if (*link == departure->port) {
			*link = pending->next_waiting;
			break;
		}
	}
	for (const struct qos_item *item = pending->head; item; item = item->next)
		if (item->flags & QOS_ITEM_HELD)
			sched_item_release(departure->qos->sched, item->class_ref,
			                   item->charged_bytes, false);
	departure->items = pending->head;
	memset(pending, 0, sizeof(*pending));
	return false;
}

/* The other ports go on; packets of this one that are still in the tree are sent, or
 * dropped and counted, when their turn comes. */
void
qos_leave(struct port *port)
{
	struct port_qos *qos = port->qos;
	struct departure departure = {.qos = qos, .port = port};

	if (!qos)
		return;
	qos_remove_port(qos, port);
	if (qos->n_ports == 0)
		qos->is_fair = false; /* no hashes for its sake */
	port->qos = NULL;
	assign_update();
	rcu_synchronize();
	worker_call(qos->n_ports ? qos_owner(qos) : NULL, qos_forget_port, &departure);
	qos_drop_items(departure.items, DROP_TX_QOS_NO_CLASS);
	if (qos->n_ports == 0)
		qos_destroy(qos);
}

/* Whether the port's scheduler can become what 'config' wants, or it must change to
 * another. */
static bool
qos_may_stay(struct port_qos *qos, const struct dp_qos_config *config)
{
	const char *name = config_domain(config);

	if (qos->kind != config->kind)
		return false;
	if (name && qos->domain && !strcmp(name, qos->domain))
		return true;
	if (!name && !qos->domain)
		return true;
	/* Nobody else knows it by its name. */
	if (qos->n_ports > 1 || (name && domain_find(name)))
		return false;
	qos_set_domain(qos, name);
	return true;
}

/* ---- the door ---- */

struct policer_change {
	struct port_qos *qos;
	const struct dp_qos_config *config;
};

static bool
qos_change_policer(struct worker *worker, void *arg)
{
	struct policer_change *change = arg;

	policer_set(&change->qos->policer, change->config->rate_bps / 8,
	            change->config->burst_bits / 8,
	            worker ? worker->now_ns : tsc_to_ns(rte_rdtsc()));
	return false;
}

int
dp_port_set_qos(uint32_t port_id, const struct dp_qos_config *config, struct error *err)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct policer_change change = {.config = config};
	const char *domain = config_domain(config);
	struct port_qos *qos;
	int ret;

	if (!port)
		return error_set(err, -ENOENT, "no such port");
	ret = dp_qos_check(config, err);
	if (ret < 0)
		return ret;
	if (port->qos && !qos_may_stay(port->qos, config))
		qos_leave(port);
	if (config->kind == DP_QOS_NONE)
		return 0;
	qos = port->qos;
	if (!qos)
		qos = domain ? domain_find(domain) : NULL;
	if (!qos)
		qos = qos_create(config);
	if (!port->qos)
		qos_add_port(qos, port);
	change.qos = qos;
	if (config->kind == DP_QOS_TREE)
		ret = qos_apply_tree(qos, config, err);
	else if (config->kind == DP_QOS_TRTCM)
		qos_meter_apply(qos, config);
	else
		worker_call(qos_owner(qos), qos_change_policer, &change);
	if (!port->qos) {
		port->qos = qos;
		assign_update();
	}
	return ret;
}
