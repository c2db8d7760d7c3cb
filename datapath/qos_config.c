/* qos_config.c - gives a port its scheduler and changes the tree while it runs: main
 * plans (qos_plan.c), the owner worker carries out a few steps a round (qos_job.c), so
 * that packets go on meanwhile and none is lost. Main thread, and the small calls on the
 * owner. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/assign.h"
#include "datapath/eal.h"
#include "datapath/port/port.h"
#include "datapath/qos_tree.h"
#include "datapath/qos_watch.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

/* A class sends short packets for as long as one full frame takes: half the cost. */
#define QOS_QUANTUM_BYTES 1514
#define QOS_MIN_CAPACITY  64

static struct worker *
qos_owner(const struct port_qos *qos)
{
	return qos->owner == WORKER_NONE ? NULL : workers[qos->owner];
}

static int
qos_run_phases(struct port_qos *qos, struct qos_tree *tree,
               const struct dp_qos_config *config, enum qos_phase from, enum qos_phase to)
{
	struct qos_job job = {
		.qos = qos, .tree = tree, .phase = from, .last_phase = to, .depth = 1};

	job.root = root_params(qos->port, config);
	worker_call(qos_owner(qos), qos_job_run, &job);
	while (job.orphans) {
		struct qos_item *next = job.orphans->next;

		rte_pktmbuf_free(packet_from_item(job.orphans));
		qos->port->retired.drops[DROP_TX_QOS_CLASS_FULL]++;
		job.orphans = next;
	}
	return job.status;
}

static void
qos_publish_map(struct port_qos *qos, const struct qos_tree *tree)
{
	struct qos_class_map *map, *old = qos->map;
	uint32_t n = 1;

	for (size_t i = 0; i < tree->n; i++)
		if (tree->classes[i].is_wanted)
			n = MAX_OF(n, tree->classes[i].config.number + 1);
	map = xcalloc(1, sizeof(*map) + n * sizeof(map->refs[0]));
	map->n = n;
	memset(map->refs, 0xff, n * sizeof(map->refs[0]));
	for (size_t i = 0; i < tree->n; i++)
		if (tree->classes[i].is_wanted)
			map->refs[tree->classes[i].config.number] = tree->classes[i].leaf;
	atomic_store_explicit(&qos->map, map, memory_order_release);
	if (old)
		rcu_free_after(old);
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

/* Room for all running and wanted classes at once, twice for their hidden leaves. */
static void
qos_reserve(struct port_qos *qos, size_t n_classes)
{
	struct relocation r = {.qos = qos, .capacity = sched_capacity(qos->sched)};
	size_t need = n_classes * 2 + 2;

	if (need <= r.capacity)
		return;
	while (r.capacity < need)
		r.capacity *= 2;
	r.memory = xcalloc_cacheline(sched_memory_bytes(r.capacity));
	worker_call(qos_owner(qos), qos_relocate, &r);
	free(qos->tree->memory);
	qos->tree->memory = r.memory;
}

static struct port_qos *
qos_create(struct port *port, const struct dp_qos_config *config)
{
	struct port_qos *qos = xcalloc_cacheline(sizeof(*qos));
	struct sched_class_params root = {.ceil_bps = config->rate_bps};

	qos->port = port;
	qos->kind = config->kind;
	qos->owner = WORKER_NONE;
	qos->backlog_limit = eal_packet_count() / 4;
	qos->tree = xcalloc(1, sizeof(*qos->tree));
	policer_init(&qos->policer, config->rate_bps / 8, config->burst_bits / 8,
	             tsc_to_ns(rte_rdtsc()));
	if (config->kind == DP_QOS_TREE) {
		qos->tree->memory =
			xcalloc_cacheline(sched_memory_bytes(QOS_MIN_CAPACITY));
		qos->sched = sched_init(qos->tree->memory, QOS_MIN_CAPACITY, &root,
		                        tsc_to_ns(rte_rdtsc()));
		sched_set_quantum(qos->sched, QOS_QUANTUM_BYTES);
	}
	return qos;
}

static int
qos_apply_tree(struct port_qos *qos, const struct dp_qos_config *config,
               struct error *err)
{
	struct qos_tree merged;
	int ret;

	tree_merge(&merged, qos->tree, config);
	qos_reserve(qos, merged.n);
	merged.memory = qos->tree->memory;
	merged.rate_bps = config->rate_bps;
	ret = qos_run_phases(qos, &merged, config, PHASE_ADD, PHASE_SET);
	qos_publish_map(qos, &merged);
	/* From here nobody looks up the classes that go. */
	rcu_synchronize();
	if (ret == 0)
		ret = qos_run_phases(qos, &merged, config, PHASE_DELETE, PHASE_DELETE);
	tree_keep_wanted(&merged);
	free(qos->tree->classes);
	*qos->tree = merged;
	qos->overhead_bytes = config->overhead_bytes;
	qos->mpu_bytes = config->mpu_bytes;
	qos_watch_follow(qos);
	if (ret < 0)
		return error_set(err, ret, "scheduler refused the tree: %s",
		                 strerror(-ret));
	return 0;
}

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

static void
qos_free_items(struct qos_item *items)
{
	while (items) {
		struct qos_item *next = items->next;

		rte_pktmbuf_free(packet_from_item(items));
		items = next;
	}
}

void
qos_destroy(struct port_qos *qos)
{
	if (!qos)
		return;
	qos_watch_destroy(qos);
	rte_pktmbuf_free_bulk(qos->pending.pkts, qos->pending.n);
	for (size_t i = 0; i < qos->tree->n && qos->sched; i++) {
		struct qos_item *items = NULL;

		sched_class_delete(qos->sched, qos->tree->classes[i].leaf,
		                   tsc_to_ns(rte_rdtsc()), &items);
		qos_free_items(items);
	}
	free(qos->tree->classes);
	free(qos->tree->memory);
	free(qos->tree);
	free(qos->map);
	free(qos);
}

static void
qos_detach(struct port *port)
{
	struct port_qos *qos = port->qos;

	port->qos = NULL;
	assign_update();
	rcu_synchronize();
	qos_destroy(qos);
}

int
dp_port_set_qos(uint32_t port_id, const struct dp_qos_config *config, struct error *err)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct policer_change change = {.config = config};
	struct port_qos *qos;
	int ret;

	if (!port)
		return error_set(err, -ENOENT, "no such port");
	ret = dp_qos_check(config, err);
	if (ret < 0)
		return ret;
	if (port->qos && port->qos->kind != config->kind)
		qos_detach(port);
	if (config->kind == DP_QOS_NONE)
		return 0;
	qos = port->qos ? port->qos : qos_create(port, config);
	change.qos = qos;
	if (config->kind == DP_QOS_TREE)
		ret = qos_apply_tree(qos, config, err);
	else
		worker_call(qos_owner(qos), qos_change_policer, &change);
	if (!port->qos) {
		port->qos = qos;
		assign_update();
	}
	return ret;
}
