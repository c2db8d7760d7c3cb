/* qos_report.c - reads the counters of a port's tree, whose writer is the owner worker.
 * Main thread. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/port/port.h"
#include "datapath/qos_tree.h"
#include "datapath/tsc.h"

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
	return qos->kind;
}
