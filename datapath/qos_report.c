/* qos_report.c - reads the counters of a port's tree, whose writer is the owner worker.
 * Main thread. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/port/port.h"
#include "datapath/qos_meter.h"
#include "datapath/qos_tree.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

/* ---- what was lost before the scheduler ---- */

static struct qos_losses *
losses_alloc(uint32_t n)
{
	struct qos_losses *losses =
		xcalloc(1, sizeof(*losses) + n * sizeof(losses->by_number[0]));

	losses->n = n;
	return losses;
}

static void
losses_add(struct qos_losses *sum, const struct qos_losses *part)
{
	for (uint32_t i = 0; part && i < part->n; i++) {
		sum->by_number[i].packets += part->by_number[i].packets;
		sum->by_number[i].bytes += part->by_number[i].bytes;
	}
}

void
losses_fit(struct port_qos *qos, uint32_t n)
{
	struct qos_losses *old[DP_WORKERS_MAX], *past = qos->past_losses;

	if (past && past->n >= n)
		return;
	n = MAX_OF(n, past ? 2 * past->n : 16);
	qos->past_losses = losses_alloc(n);
	losses_add(qos->past_losses, past);
	free(past);
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		old[i] = qos->losses[i];
		if (workers[i])
			qos->losses[i] = losses_alloc(n);
		else
			qos->losses[i] = NULL;
	}
	if (past)
		rcu_synchronize();
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		losses_add(qos->past_losses, old[i]);
		free(old[i]);
	}
}

void
qos_prepare_worker(uint16_t worker_id)
{
	for (struct port_qos *qos = qos_all; qos; qos = qos->next)
		if (qos->past_losses && !qos->losses[worker_id])
			qos->losses[worker_id] = losses_alloc(qos->past_losses->n);
}

struct qos_loss
losses_sum(const struct port_qos *qos, uint32_t number)
{
	struct qos_loss sum = {0, 0};

	if (!qos->past_losses || number >= qos->past_losses->n)
		return sum;
	sum = qos->past_losses->by_number[number];
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		const struct qos_losses *losses = qos->losses[i];

		if (!losses)
			continue;
		sum.packets += losses->by_number[number].packets;
		sum.bytes += losses->by_number[number].bytes;
	}
	return sum;
}

void
losses_free(struct port_qos *qos)
{
	free(qos->past_losses);
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		free(qos->losses[i]);
}

/* ---- classes ---- */

static void
class_report(const struct port_qos *qos, const struct qos_class *class,
             struct dp_class_stats *stats)
{
	struct qos_loss lost = losses_sum(qos, class->config.number);
	struct sched_class_stats node = {0}, leaf = {0};

	lost.packets -= class->lost_before.packets;
	lost.bytes -= class->lost_before.bytes;
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
	stats->offered_packets = leaf.offered_packets + lost.packets;
	stats->offered_bytes = leaf.offered_bytes + lost.bytes;
	stats->dropped_packets = leaf.dropped_packets + lost.packets;
	stats->dropped_bytes = leaf.dropped_bytes + lost.bytes;
	stats->full_packets = leaf.full_packets + lost.packets;
	stats->aged_packets = leaf.aged_packets;
	stats->codel_packets = leaf.codel_packets;
	stats->marked_packets = leaf.marked_packets;
	stats->queued_packets = leaf.queued_packets;
	stats->queued_bytes = leaf.queued_bytes;
	stats->created_ns = class->created_ns;
}

/* What arrives at a leaf arrives at every class above it. */
static void
class_add_to_parent(struct dp_class_stats *parent, const struct dp_class_stats *child)
{
	parent->offered_packets += child->offered_packets;
	parent->offered_bytes += child->offered_bytes;
	parent->dropped_packets += child->dropped_packets;
	parent->dropped_bytes += child->dropped_bytes;
	parent->full_packets += child->full_packets;
	parent->aged_packets += child->aged_packets;
	parent->codel_packets += child->codel_packets;
	parent->marked_packets += child->marked_packets;
	parent->queued_packets += child->queued_packets;
	parent->queued_bytes += child->queued_bytes;
}

void
tree_report(const struct port_qos *qos,
            void (*cb)(const struct dp_class_stats *, void *aux), void *aux)
{
	const struct qos_tree *tree = qos->tree;
	struct dp_class_stats *all = xcalloc(tree->n, sizeof(*all));
	struct dp_class_stats root = {.number = DP_CLASS_ROOT,
	                              .parent = DP_CLASS_ROOT,
	                              .ceil_bps = tree->rate_bps};
	struct sched_class_stats sent = {0};

	for (uint32_t i = 0; i < tree->n; i++)
		class_report(qos, &tree->classes[i], &all[i]);
	for (uint32_t k = tree->n; k-- > 0;) {
		uint32_t i = tree->by_depth[k], parent = tree->classes[i].parent;

		class_add_to_parent(parent == TREE_NO_INDEX ? &root : &all[parent],
		                    &all[i]);
	}
	sched_class_get_stats(qos->sched, sched_root(qos->sched), &sent);
	root.sent_packets = sent.sent_packets;
	root.sent_bytes = sent.sent_bytes;
	cb(&root, aux);
	for (uint32_t i = 0; i < tree->n; i++)
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
	if (qos->kind == DP_QOS_TRTCM)
		qos_meter_report(qos, cb, aux);
	return qos->kind;
}
