/* qos.c - the door of a port's scheduler: class choice, enqueue, drain to the port. Runs
 * on the worker that owns the scheduler. */
#include "datapath/qos.h"

#include "base/compiler.h"
#include "datapath/charge.h"
#include "datapath/port/port.h"
#include "datapath/transmit.h"

#include "datapath/hot.h"

/* A drain gives other queues of the worker their turn after this much. */
#define QOS_DRAIN_BYTES (128 * 1024)

/* Views and routes are replaced one by one; the owner's name decides who may touch the
 * scheduler. assign.c takes it away and waits before it names another. */
static bool
qos_is_mine(const struct worker *worker, const struct port_qos *qos)
{
	return atomic_load_explicit(&qos->owner, memory_order_acquire) == worker->id;
}

/* Class number 0 takes what names no class of this tree. */
static uint32_t
qos_class_ref(const struct qos_class_map *map, uint32_t number)
{
	if (number < map->n && map->refs[number] != QOS_REF_NONE)
		return map->refs[number];
	return map->refs[0];
}

static void
qos_police(struct worker *worker, struct port *port, struct port_qos *qos,
           struct rte_mbuf **pkts, unsigned n)
{
	struct rte_mbuf *pass[BATCH_MAX];
	unsigned n_pass = 0;

	for (unsigned i = 0; i < n; i++) {
		packet_charge(pkts[i], qos->overhead_bytes, qos->mpu_bytes);
		if (policer_admit(&qos->policer, packet_meta(pkts[i])->item.charged_bytes,
		                  worker->now_ns))
			pass[n_pass++] = pkts[i];
		else
			port_drop(port, worker, DROP_TX_QOS_POLICED, &pkts[i], 1);
	}
	if (n_pass > 0)
		transmit_or_drop(worker, port, pass, n_pass);
}

void
qos_enqueue(struct worker *worker, struct port *port, struct rte_mbuf **pkts, unsigned n)
{
	struct port_qos *qos = atomic_load_explicit(&port->qos, memory_order_acquire);
	const struct qos_class_map *map;

	if (unlikely(!qos)) {
		/* Its QoS went while the packets were on their way. */
		transmit_or_drop(worker, port, pkts, n);
		return;
	}
	if (unlikely(!qos_is_mine(worker, qos))) {
		/* It moved to another worker a moment ago, and our route has not yet. */
		port_drop(port, worker, DROP_TX_HANDOVER_FULL, pkts, n);
		return;
	}
	if (qos->kind == DP_QOS_POLICER) {
		qos_police(worker, port, qos, pkts, n);
		return;
	}
	map = atomic_load_explicit(&qos->map, memory_order_acquire);
	for (unsigned i = 0; i < n; i++) {
		struct packet_meta *meta = packet_meta(pkts[i]);

		if (unlikely(sched_backlog_packets(qos->sched) >= qos->backlog_limit)) {
			port_drop(port, worker, DROP_TX_QOS_PORT_FULL, &pkts[i], 1);
			continue;
		}
		meta->item.class_ref = qos_class_ref(map, meta->item.class_ref);
		packet_charge(pkts[i], qos->overhead_bytes, qos->mpu_bytes);
		switch (sched_enqueue(qos->sched, &meta->item, worker->now_ns)) {
		case SCHED_QUEUED:
			break;
		case SCHED_CLASS_FULL:
			port_drop(port, worker, DROP_TX_QOS_CLASS_FULL, &pkts[i], 1);
			break;
		case SCHED_NO_CLASS:
			port_drop(port, worker, DROP_TX_QOS_NO_CLASS, &pkts[i], 1);
			break;
		}
	}
	worker->next_qos_ns = 0;
}

/* Sends the pending packets; true if all are gone. */
static bool
qos_send_pending(struct worker *worker, struct port_qos *qos, unsigned *moved)
{
	struct batch *pending = &qos->pending;
	unsigned taken = transmit_packets(worker, qos->port, pending->pkts, pending->n);

	qos_delay_taken(&qos->watch, &qos->sample, taken, worker->now_ns);
	*moved += taken;
	pending->n -= taken;
	for (unsigned i = 0; i < pending->n; i++)
		pending->pkts[i] = pending->pkts[i + taken];
	return pending->n == 0;
}

unsigned
qos_drain(struct worker *worker, struct port_qos *qos)
{
	struct qos_item *items[BATCH_MAX];
	uint64_t next_ns;
	unsigned moved = 0;

	if (qos->kind != DP_QOS_TREE || !qos_is_mine(worker, qos))
		return 0;
	if (qos->pending.n == 0 || qos_send_pending(worker, qos, &moved)) {
		unsigned n = sched_dequeue(qos->sched, worker->now_ns, items, BATCH_MAX,
		                           QOS_DRAIN_BYTES);

		for (unsigned i = 0; i < n; i++)
			qos->pending.pkts[i] = packet_from_item(items[i]);
		qos_delay_scheduled(&qos->watch, &qos->sample, items, n, worker->now_ns);
		qos->pending.n = n;
		if (n > 0)
			qos_send_pending(worker, qos, &moved);
	}
	/* A full guest ring does not announce room: look again soon. */
	next_ns = qos->pending.n > 0 ? worker->now_ns + 10000
	                             : sched_next_event_ns(qos->sched, worker->now_ns);
	if (next_ns < worker->next_qos_ns)
		worker->next_qos_ns = next_ns;
	return moved;
}
