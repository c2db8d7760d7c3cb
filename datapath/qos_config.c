/* qos_config.c - gives a port its scheduler and changes the tree while it runs: main
 * plans, the owner worker carries out a few steps a round, so that packets go on
 * meanwhile and none is lost. Main thread, and qos_job_run() on the owner.
 *
 * A class with classes below it is an inner node of lib/qos, which holds no packets;
 * packets sent to such a class go to a hidden leaf below it. A leaf that gets its first
 * child becomes that hidden leaf, with the packets it has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/assign.h"
#include "datapath/eal.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

#define QOS_STEPS_PER_ROUND 32
#define BURST_MIN_BITS      (2 * 1514 * 8)
/* A class sends short packets for as long as one full frame takes: half the cost. */
#define QOS_QUANTUM_BYTES 1514
#define QOS_MIN_CAPACITY  64

struct qos_class {
	struct dp_class_config config;
	unsigned depth;    /* 1 = below the root */
	bool has_children; /* in the new tree */
	bool is_inner;     /* in the running tree */
	bool is_running;   /* has a node */
	bool is_wanted;    /* stands in the new configuration */
	uint32_t node;     /* the inner node, or the leaf */
	uint32_t leaf;     /* what takes its packets */
};

/* Main's copy of the running tree, ascending by number. */
struct qos_tree {
	size_t n;
	struct qos_class *classes;
	void *memory; /* the scheduler's */
	uint64_t rate_bps;
};

static struct qos_class *
tree_find(const struct qos_tree *tree, uint32_t number)
{
	size_t low = 0, high = tree->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tree->classes[middle].config.number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tree->n && tree->classes[low].config.number == number
	               ? &tree->classes[low]
	               : NULL;
}

static int
class_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct qos_class *)a)->config.number;
	uint32_t y = ((const struct qos_class *)b)->config.number;

	return x < y ? -1 : x > y;
}

static unsigned
tree_depth(const struct qos_tree *tree, const struct qos_class *class)
{
	unsigned depth = 1;

	while (class->config.parent != DP_CLASS_ROOT && depth <= SCHED_LEVELS_MAX) {
		class = tree_find(tree, class->config.parent);
		depth++;
	}
	return depth;
}

/* The classes of 'config', with class 0, merged with those that run in 'old'. */
static void
tree_merge(struct qos_tree *tree, const struct qos_tree *old,
           const struct dp_qos_config *config)
{
	size_t n_old = old ? old->n : 0;

	memset(tree, 0, sizeof(*tree));
	tree->classes = xcalloc(config->n_classes + n_old + 1, sizeof(struct qos_class));
	for (size_t i = 0; i < config->n_classes; i++)
		tree->classes[tree->n++].config = config->classes[i];
	qsort(tree->classes, tree->n, sizeof(struct qos_class), class_compare);
	if (!tree_find(tree, 0)) {
		tree->classes[tree->n++].config =
			(struct dp_class_config){.parent = DP_CLASS_ROOT};
		qsort(tree->classes, tree->n, sizeof(struct qos_class), class_compare);
	}
	for (size_t i = 0; i < tree->n; i++) {
		struct qos_class *class = &tree->classes[i];

		class->is_wanted = true;
		class->depth = tree_depth(tree, class);
		if (class->config.parent != DP_CLASS_ROOT)
			tree_find(tree, class->config.parent)->has_children = true;
	}
	for (size_t i = 0, n = tree->n; i < n_old; i++) {
		const struct qos_class *was = &old->classes[i];
		struct qos_tree wanted = {.n = n, .classes = tree->classes};
		struct qos_class *class = tree_find(&wanted, was->config.number);

		if (class) {
			class->is_running = true;
			class->is_inner = was->is_inner;
			class->node = was->node;
			class->leaf = was->leaf;
		} else {
			tree->classes[tree->n] = *was;
			tree->classes[tree->n++].is_wanted = false;
		}
	}
	qsort(tree->classes, tree->n, sizeof(struct qos_class), class_compare);
}

static uint32_t
bits_to_bytes(uint64_t bits)
{
	return (uint32_t)MIN_OF(bits / 8, UINT32_MAX);
}

/* How late the owner may be without loss of rate: what a class or link may catch up on. A
 * worker that polls is late by microseconds, or by a time slice where it shares its core;
 * the one that sleeps for the kernel's interfaces is late whenever its cores are busy. */
static uint32_t
burst_bytes(const struct port *port, uint64_t burst_bits, uint64_t rate_bps)
{
	uint64_t catch_up_ms = port->ops->served_by_kernel_worker ? 20 : 5;

	if (burst_bits)
		return bits_to_bytes(burst_bits);
	return bits_to_bytes(MAX_OF(rate_bps / 1000 * catch_up_ms, BURST_MIN_BITS));
}

static struct sched_class_params
class_params(const struct port *port, const struct dp_class_config *config)
{
	return (struct sched_class_params){
		.floor_bps = config->floor_bps,
		.ceil_bps = config->ceil_bps,
		.ceil_burst_bytes =
			burst_bytes(port, config->burst_bits, config->ceil_bps),
		.weight = config->weight,
		.priority = (uint8_t)MIN_OF(config->priority, SCHED_PRIORITIES - 1),
		.limit_bytes = config->limit_bytes,
	};
}

/* The hidden leaf of a class with children: no floor of its own, a share of the rest. */
static struct sched_class_params
direct_params(const struct dp_class_config *config)
{
	return (struct sched_class_params){.weight = 1,
	                                   .limit_bytes = config->limit_bytes};
}

/* A change on its way: phases over all classes, a few steps at a time. */
enum qos_phase {
	PHASE_ADD,
	PHASE_DETACH,
	PHASE_MOVE,
	PHASE_SET,
	PHASE_DELETE,
	PHASE_DONE
};

struct qos_job {
	struct port_qos *qos;
	struct qos_tree *tree;
	enum qos_phase phase, last_phase;
	unsigned depth; /* within a phase, level by level */
	size_t index;
	struct sched_class_params root;
	uint64_t now_ns;
	struct qos_item
		*orphans; /* packets of deleted leaves that class 0 did not take */
	int status;
};

static uint32_t
job_parent_node(const struct qos_job *job, const struct qos_class *class)
{
	if (class->config.parent == DP_CLASS_ROOT)
		return sched_root(job->qos->sched);
	return tree_find(job->tree, class->config.parent)->node;
}

static int
job_add(struct qos_job *job, struct qos_class *class)
{
	struct sched_class_params params = class_params(job->qos->port, &class->config);
	struct sched_class_params direct = direct_params(&class->config);
	struct sched *sched = job->qos->sched;
	uint32_t parent, leaf;
	int ret = 0;

	if (!class->is_wanted ||
	    (class->is_running && (class->is_inner || !class->has_children)))
		return 0;
	/* A running class changes parents later; meanwhile it hangs from the root. */
	parent = class->is_running ? sched_root(sched) : job_parent_node(job, class);
	if (!class->has_children) {
		ret = sched_class_add(sched, parent, true, &params, job->now_ns,
		                      &class->node);
		class->leaf = class->node;
		class->is_running = ret == 0;
		return ret;
	}
	leaf = class->leaf;
	ret = sched_class_add(sched, parent, false, &params, job->now_ns, &class->node);
	if (ret == 0 && class->is_running)
		ret = sched_class_move(sched, leaf, class->node, job->now_ns);
	else if (ret == 0)
		ret = sched_class_add(sched, class->node, true, &direct, job->now_ns,
		                      &class->leaf);
	class->is_inner = true;
	class->is_running = ret == 0;
	return ret;
}

/* Before classes move to their new places they all hang from the root, so that no move
 * meets a cycle that only exists half-way. */
static int
job_detach(struct qos_job *job, struct qos_class *class)
{
	if (!class->is_wanted || !class->is_running)
		return 0;
	return sched_class_move(job->qos->sched, class->node, sched_root(job->qos->sched),
	                        job->now_ns);
}

static int
job_move(struct qos_job *job, struct qos_class *class)
{
	uint32_t parent;

	if (!class->is_wanted || class->config.parent == DP_CLASS_ROOT)
		return 0;
	parent = job_parent_node(job, class);
	return sched_class_move(job->qos->sched, class->node, parent, job->now_ns);
}

static int
job_set(struct qos_job *job, struct qos_class *class)
{
	struct sched_class_params params = class_params(job->qos->port, &class->config);
	struct sched_class_params direct = direct_params(&class->config);
	int ret;

	if (!class->is_wanted)
		return 0;
	ret = sched_class_set(job->qos->sched, class->node, &params, job->now_ns);
	if (ret == 0 && class->is_inner)
		ret = sched_class_set(job->qos->sched, class->leaf, &direct, job->now_ns);
	return ret;
}

/* Packets of a class that goes are class 0's from now on. */
static void
job_adopt(struct qos_job *job, struct qos_item *items)
{
	const struct qos_class *heir = tree_find(job->tree, 0);

	while (items) {
		struct qos_item *next = items->next;

		items->class_ref = heir->leaf;
		if (sched_enqueue(job->qos->sched, items, job->now_ns) != SCHED_QUEUED) {
			items->next = job->orphans;
			job->orphans = items;
		}
		items = next;
	}
}

static int
job_delete(struct qos_job *job, struct qos_class *class)
{
	struct qos_item *items = NULL;
	int ret;

	if (class->is_wanted || !class->is_running)
		return 0;
	ret = sched_class_delete(job->qos->sched, class->leaf, job->now_ns, &items);
	job_adopt(job, items);
	if (ret == 0 && class->is_inner)
		ret = sched_class_delete(job->qos->sched, class->node, job->now_ns,
		                         &items);
	class->is_running = false;
	return ret;
}

static int
job_step(struct qos_job *job, struct qos_class *class)
{
	switch (job->phase) {
	case PHASE_ADD:
		return class->depth == job->depth ? job_add(job, class) : 0;
	case PHASE_DETACH:
		return job->depth == 1 ? job_detach(job, class) : 0;
	case PHASE_MOVE:
		return class->depth == job->depth ? job_move(job, class) : 0;
	case PHASE_SET:
		return job->depth == 1 ? job_set(job, class) : 0;
	case PHASE_DELETE:
		/* Deepest first: a class goes after those below it. */
		return class->depth == SCHED_LEVELS_MAX + 1 - job->depth
		               ? job_delete(job, class)
		               : 0;
	case PHASE_DONE:
		break;
	}
	return 0;
}

/* Runs on the owner worker, or on main before the scheduler has an owner. */
static bool
qos_job_run(struct worker *worker, void *arg)
{
	struct qos_job *job = arg;

	job->now_ns = worker ? worker->now_ns : tsc_to_ns(rte_rdtsc());
	if (job->phase == PHASE_ADD && job->depth == 1 && job->index == 0)
		sched_class_set(job->qos->sched, sched_root(job->qos->sched), &job->root,
		                job->now_ns);
	for (unsigned steps = 0; steps < QOS_STEPS_PER_ROUND; job->index++) {
		if (job->index == job->tree->n) {
			job->index = 0;
			if (++job->depth > SCHED_LEVELS_MAX) {
				job->depth = 1;
				job->phase++;
			}
			if (job->phase > job->last_phase)
				return false;
		}
		struct qos_class *class = &job->tree->classes[job->index];
		int ret = job_step(job, class);

		if (ret < 0 && job->status == 0)
			job->status = ret;
		steps++;
	}
	return true;
}

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

	job.root.ceil_bps = config->rate_bps;
	job.root.ceil_burst_bytes =
		burst_bytes(qos->port, config->burst_bits, config->rate_bps);
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

/* Forgets the classes that were deleted. */
static void
tree_keep_wanted(struct qos_tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		if (tree->classes[i].is_wanted)
			tree->classes[n++] = tree->classes[i];
	tree->n = n;
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

/* ---- reading ---- */

static void
class_report(const struct port_qos *qos, const struct qos_class *class,
             struct dp_class_stats *stats)
{
	struct sched_class_stats node = {0}, leaf = {0};

	memset(stats, 0, sizeof(*stats));
	stats->number = class->config.number;
	stats->parent = class->config.parent;
	stats->floor_bps = class->config.floor_bps;
	stats->ceil_bps = class->config.ceil_bps;
	sched_class_get_stats(qos->sched, class->node, &node);
	if (class->is_inner)
		sched_class_get_stats(qos->sched, class->leaf, &leaf);
	else
		leaf = node;
	stats->sent_packets = node.sent_packets;
	stats->sent_bytes = node.sent_bytes;
	stats->borrowed_bytes = node.borrowed_bytes;
	stats->offered_packets = leaf.offered_packets;
	stats->offered_bytes = leaf.offered_bytes;
	stats->dropped_packets = leaf.dropped_packets;
	stats->dropped_bytes = leaf.dropped_bytes;
	stats->queued_packets = leaf.queued_packets;
	stats->queued_bytes = leaf.queued_bytes;
}

/* What arrives at a leaf arrives at every class above it. */
static void
class_add_to_parent(struct dp_class_stats *parent, const struct dp_class_stats *child)
{
	parent->offered_packets += child->offered_packets;
	parent->offered_bytes += child->offered_bytes;
	parent->dropped_packets += child->dropped_packets;
	parent->dropped_bytes += child->dropped_bytes;
	parent->queued_packets += child->queued_packets;
	parent->queued_bytes += child->queued_bytes;
}

static void
tree_report(const struct port_qos *qos,
            void (*cb)(const struct dp_class_stats *, void *aux), void *aux)
{
	const struct qos_tree *tree = qos->tree;
	struct dp_class_stats *all = xcalloc(tree->n, sizeof(*all));
	struct dp_class_stats root = {.number = DP_CLASS_ROOT,
	                              .parent = DP_CLASS_ROOT,
	                              .ceil_bps = tree->rate_bps};
	struct sched_class_stats sent = {0};

	for (size_t i = 0; i < tree->n; i++)
		class_report(qos, &tree->classes[i], &all[i]);
	for (unsigned depth = SCHED_LEVELS_MAX; depth >= 1; depth--) {
		for (size_t i = 0; i < tree->n; i++) {
			const struct qos_class *class = &tree->classes[i];
			struct dp_class_stats *parent = &root;

			if (class->depth != depth)
				continue;
			if (class->config.parent != DP_CLASS_ROOT)
				parent = &all[tree_find(tree, class->config.parent) -
				              tree->classes];
			class_add_to_parent(parent, &all[i]);
		}
	}
	sched_class_get_stats(qos->sched, sched_root(qos->sched), &sent);
	root.sent_packets = sent.sent_packets;
	root.sent_bytes = sent.sent_bytes;
	cb(&root, aux);
	for (size_t i = 0; i < tree->n; i++)
		cb(&all[i], aux);
	free(all);
}

enum dp_qos_kind
dp_port_qos_stats(uint32_t port_id, void (*cb)(const struct dp_class_stats *, void *aux),
                  void *aux, uint64_t *time_ns)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct port_qos *qos = port ? port->qos : NULL;

	*time_ns = tsc_line ? tsc_to_ns(rte_rdtsc()) : 0;
	if (!qos)
		return DP_QOS_NONE;
	if (qos->kind == DP_QOS_TREE)
		tree_report(qos, cb, aux);
	return qos->kind;
}
