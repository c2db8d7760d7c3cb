/* qos.c - the door of an egress scheduler: class choice, enqueue, drain to its ports.
 * Runs on the worker that owns the scheduler. */
#include "datapath/qos.h"

#include "base/compiler.h"
#include "datapath/charge.h"
#include "datapath/dscp.h"
#include "datapath/ecn.h"
#include "datapath/port/port.h"
#include "datapath/qos_meter.h"
#include "datapath/transmit.h"

#include "datapath/hot.h"

/* A drain gives other queues of the worker their turn after this much; the first limit is
 * that of one batch. */
#define QOS_DRAIN_BYTES   (128 * 1024)
#define QOS_DRAIN_BATCHES 4
/* A full guest ring does not announce room: it is looked at again after this. */
#define RETRY_NS 10000
/* The level of the packet pool is read at most this often: that reads every core's cache.
 */
#define POOL_LOOK_NS 1000000
/* Packets wait for a full ring for this long where other ports share the scheduler. */
#define WAIT_MAX_NS 5000000
/* Classes held back for one port that is full; those beyond are held back for longer. */
#define PARKED_MAX   64
#define PARK_REST_NS 1000000

/* Views and routes are replaced one by one; the owner's name decides who may touch the
 * scheduler. assign.c takes it away and waits before it names another. */
static bool
qos_is_mine(const struct worker *worker, const struct port_qos *qos)
{
	return atomic_load_explicit(&qos->owner, memory_order_acquire) == worker->id;
}

static bool
qos_is_alone(const struct port_qos *qos)
{
	return atomic_load_explicit(&qos->n_ports, memory_order_relaxed) <= 1;
}

/* ---- in ---- */

static void
qos_count_loss(struct worker *worker, struct port_qos *qos, uint32_t number,
               uint64_t bytes)
{
	struct qos_losses *losses =
		atomic_load_explicit(&qos->losses[worker->id], memory_order_acquire);

	if (!losses || number >= losses->n)
		return;
	losses->by_number[number].packets++;
	losses->by_number[number].bytes += bytes;
}

void
qos_count_losses(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                 unsigned n)
{
	struct port_qos *qos = atomic_load_explicit(&port->qos, memory_order_acquire);
	const struct port_settings *settings = port->settings;
	const struct qos_class_map *map;

	map = qos ? atomic_load_explicit(&qos->map, memory_order_acquire) : NULL;
	for (unsigned i = 0; map && i < n; i++) {
		packet_charge(pkts[i], qos->overhead_bytes, qos->mpu_bytes);
		qos_count_loss(
			worker, qos,
			qos_classify(map, pkts[i], settings->config.egress_default_class),
			packet_meta(pkts[i])->item.charged_bytes);
	}
}

/* The class that takes the packet, which gets that class's DSCP, if there is one. */
static inline uint32_t
qos_take_class(const struct qos_class_map *map, struct rte_mbuf **pkt,
               uint32_t default_number)
{
	uint32_t chosen = qos_choose(map, *pkt);

	if (unlikely(map->has_marks) && qos_mark_for(map, chosen) != QOS_DSCP_NONE)
		dscp_write(pkt, qos_mark_for(map, chosen));
	return qos_chosen_or_default(map, chosen, default_number);
}

static bool
qos_policer_admits(const struct worker *worker, struct port_qos *qos, uint32_t number,
                   uint32_t bytes)
{
	if (qos->kind == DP_QOS_POLICER)
		return policer_admit(&qos->policer, bytes, worker->now_ns);
	return qos_meter_admit(qos->meters, qos_map_ref(qos->map, number), bytes,
	                       worker->now_ns);
}

static void
qos_police(struct worker *worker, struct port *port, struct port_qos *qos,
           struct rte_mbuf **pkts, unsigned n)
{
	const struct port_settings *settings = port->settings;
	struct rte_mbuf *pass[BATCH_MAX];
	unsigned n_pass = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t number = 0;

		if (qos->kind == DP_QOS_TRTCM)
			number = qos_take_class(qos->map, &pkts[i],
			                        settings->config.egress_default_class);
		packet_charge(pkts[i], qos->overhead_bytes, qos->mpu_bytes);
		if (qos_policer_admits(worker, qos, number,
		                       packet_meta(pkts[i])->item.charged_bytes))
			pass[n_pass++] = pkts[i];
		else
			port_drop(port, worker, DROP_TX_QOS_POLICED, &pkts[i], 1);
	}
	if (n_pass > 0)
		transmit_or_drop(worker, port, pass, n_pass);
}

/* A scheduler's packets are bounded. The more of them are in use, the less any one class
 * may hold: as much as is free. So there is always room for the others, whatever some
 * classes offer, or floors would be worth no more than arriving first. (Choudhury, Hahne:
 * Dynamic queue length thresholds, 1998.) */
static bool
qos_is_crowded(const struct port_qos *qos, uint32_t class_ref)
{
	uint64_t backlog = sched_backlog_packets(qos->sched);

	if (likely(backlog < qos->backlog_limit / 2))
		return false;
	return backlog >= qos->backlog_limit ||
	       sched_leaf_packets(qos->sched, class_ref) >= qos->backlog_limit - backlog;
}

/* The backlog limit counts packets: large frames, of many buffers each, are not queued
 * any more when few buffers are left for all others. */
static bool
qos_starves_pool(const struct worker *worker, struct port_qos *qos,
                 const struct rte_mbuf *pkt)
{
	if (likely(pkt->nb_segs == 1))
		return false;
	if (worker->now_ns - qos->pool_seen_ns >= POOL_LOOK_NS) {
		qos->pool_seen_ns = worker->now_ns;
		qos->pool_is_low =
			rte_mempool_avail_count(pkt->pool) < pkt->pool->size / 4;
	}
	return qos->pool_is_low;
}

/* Queues a packet of class 'number', whose item is filled in. */
static void
qos_enqueue_one(struct worker *worker, struct port *port, struct port_qos *qos,
                struct qos_item *item, uint32_t number)
{
	struct rte_mbuf *pkt = packet_from_item(item);

	if (unlikely(qos_is_crowded(qos, item->class_ref) ||
	             qos_starves_pool(worker, qos, pkt))) {
		qos_count_loss(worker, qos, number, item->charged_bytes);
		port_drop(port, worker, DROP_TX_QOS_PORT_FULL, &pkt, 1);
		return;
	}
	if (unlikely(atomic_load_explicit(&qos->uses_ecn, memory_order_relaxed)) &&
	    ecn_is_capable(pkt))
		item->flags = QOS_ITEM_ECT;
	switch (sched_enqueue(qos->sched, item, worker->now_ns)) {
	case SCHED_QUEUED:
		break;
	case SCHED_CLASS_FULL:
		port_drop(port, worker, DROP_TX_QOS_CLASS_FULL, &pkt, 1);
		break;
	case SCHED_NO_CLASS:
		qos_count_loss(worker, qos, number, item->charged_bytes);
		port_drop(port, worker, DROP_TX_QOS_NO_CLASS, &pkt, 1);
		break;
	}
}

/* ---- out ---- */

/* Packets that the port did not take wait, in order; with others behind the same
 * scheduler perhaps in vain: they are not sent until the port has them. */
static void
port_keep(struct worker *worker, struct port_qos *qos, struct port *port,
          struct rte_mbuf **pkts, unsigned n)
{
	struct port_pending *pending = &port->pending;
	bool alone = qos_is_alone(qos);

	for (unsigned i = 0; i < n; i++) {
		struct qos_item *item = &packet_meta(pkts[i])->item;

		item->next = NULL;
		qos_delay_kept(&qos->timing, item);
		item->enqueued_ns = worker->now_ns; /* from now on: waits for the ring */
		if (pending->tail)
			pending->tail->next = item;
		else
			pending->head = item;
		pending->tail = item;
		pending->n++;
		if (alone)
			continue;
		sched_item_hold(qos->sched, item);
		sched_leaf_park(qos->sched, item->class_ref,
		                worker->now_ns + (pending->n <= PARKED_MAX
		                                          ? RETRY_NS
		                                          : PARK_REST_NS),
		                worker->now_ns);
	}
	if (!pending->is_waiting) {
		pending->is_waiting = true;
		pending->retry_ns = worker->now_ns + RETRY_NS;
		pending->next_waiting = qos->waiting;
		qos->waiting = port;
	}
}

/* It is known what became of an item that waited for its port. */
static void
item_settle(struct port_qos *qos, const struct qos_item *item, bool is_sent)
{
	if (item->flags & QOS_ITEM_HELD)
		sched_item_release(qos->sched, item->class_ref, item->charged_bytes,
		                   is_sent);
}

/* Sends what waits for the port; true if nothing is left. */
static bool
port_send_pending(struct worker *worker, struct port_qos *qos, struct port *port,
                  unsigned *moved)
{
	struct port_pending *pending = &port->pending;

	while (pending->head) {
		struct rte_mbuf *pkts[BATCH_MAX];
		struct qos_item *rest[BATCH_MAX];  /* what is left without those before */
		struct qos_item copies[BATCH_MAX]; /* of what is the port's then */
		struct qos_timed timed = {0, 0, 0};
		unsigned n = 0, taken;

		for (struct qos_item *item = pending->head; item && n < BATCH_MAX;
		     item = item->next) {
			qos_delay_offer(&qos->timing, &timed, item, n);
			rest[n] = item->next;
			copies[n] = *item;
			pkts[n++] = packet_from_item(item);
		}
		taken = transmit_packets(worker, port, pkts, n);
		qos_delay_taken(&qos->timing, &timed, taken, worker->now_ns);
		*moved += taken;
		for (unsigned i = 0; i < taken; i++)
			item_settle(qos, &copies[i], true);
		if (taken > 0) {
			pending->head = rest[taken - 1];
			pending->n -= taken;
		}
		if (taken < n)
			return false;
	}
	pending->tail = NULL;
	return true;
}

/* The port is still full, and others wait behind the same scheduler: its classes rest
 * until it is looked at again, and what waited for too long is dropped. */
static void
port_give_way(struct worker *worker, struct port_qos *qos, struct port *port)
{
	struct port_pending *pending = &port->pending;
	unsigned n = 0;

	while (pending->head &&
	       worker->now_ns - pending->head->enqueued_ns > WAIT_MAX_NS) {
		struct rte_mbuf *pkt = packet_from_item(pending->head);

		item_settle(qos, pending->head, false);
		pending->head = pending->head->next;
		pending->n--;
		port_drop(port, worker, DROP_TX_RING_FULL, &pkt, 1);
	}
	if (!pending->head)
		pending->tail = NULL;
	pending->retry_ns = worker->now_ns + RETRY_NS;
	for (struct qos_item *item = pending->head; item && n < PARKED_MAX;
	     item = item->next, n++)
		sched_leaf_park(qos->sched, item->class_ref, pending->retry_ns,
		                worker->now_ns);
}

/* Looks at the ports that were full. */
static void
qos_retry(struct worker *worker, struct port_qos *qos, unsigned *moved)
{
	struct port **link = &qos->waiting;

	while (*link) {
		struct port *port = *link;
		struct port_pending *pending = &port->pending;
		bool alone = qos_is_alone(qos);

		if (!alone && worker->now_ns < pending->retry_ns) {
			link = &pending->next_waiting;
			continue;
		}
		if (!port_send_pending(worker, qos, port, moved) && !alone)
			port_give_way(worker, qos, port);
		if (pending->head) {
			link = &pending->next_waiting;
			continue;
		}
		pending->is_waiting = false;
		*link = pending->next_waiting;
	}
}

/* Sends packets of one port. */
static void
qos_send(struct worker *worker, struct port_qos *qos, uint16_t port_id,
         struct rte_mbuf **pkts, unsigned n, unsigned *moved)
{
	struct port *port = ports[port_id];
	unsigned taken = 0;

	if (unlikely(!port)) {
		rte_pktmbuf_free_bulk(pkts, n); /* it went, with its counters */
		return;
	}
	if (unlikely(atomic_load_explicit(&port->qos, memory_order_acquire) != qos)) {
		/* It left this scheduler; perhaps we may send to it all the same. */
		if (port_route(port, worker)->n_queues > 0)
			transmit_or_drop(worker, port, pkts, n);
		else
			port_drop(port, worker, DROP_TX_QOS_NO_CLASS, pkts, n);
		return;
	}
	if (likely(!port->pending.head))
		taken = transmit_packets(worker, port, pkts, n);
	*moved += taken;
	if (unlikely(taken < n))
		port_keep(worker, qos, port, pkts + taken, n - taken);
}

/* Sends a batch, which may be for several ports, each port's packets in order. */
static void
qos_send_items(struct worker *worker, struct port_qos *qos, struct qos_item **items,
               unsigned n, unsigned *moved)
{
	struct rte_mbuf *pkts[BATCH_MAX];

	while (n > 0) {
		uint16_t port_id = items[0]->caller_tag;
		unsigned n_same = 0, n_others = 0;

		for (unsigned i = 0; i < n; i++) {
			if (likely(items[i]->caller_tag == port_id))
				pkts[n_same++] = packet_from_item(items[i]);
			else
				items[n_others++] = items[i];
		}
		qos_send(worker, qos, port_id, pkts, n_same, moved);
		n = n_others;
	}
}

/* Drops what the scheduler took out of its queues since the last time. */
static void
qos_drop_managed(struct worker *worker, struct qos_item *item)
{
	while (item) {
		struct rte_mbuf *pkt = packet_from_item(item);
		struct port *port = ports[item->caller_tag];
		unsigned why = QOS_ITEM_DROPPED(item->flags);

		item = item->next;
		if (unlikely(!port))
			rte_pktmbuf_free(pkt);
		else
			port_drop(port, worker,
			          why == QOS_ITEM_CODEL  ? DROP_TX_QOS_CODEL
			          : why == QOS_ITEM_AGED ? DROP_TX_QOS_AGED
			                                 : DROP_TX_QOS_CLASS_FULL,
			          &pkt, 1);
	}
}

static void
qos_mark(struct qos_item *const *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (items[i]->flags & QOS_ITEM_MARK)
			ecn_mark(packet_from_item(items[i]));
}

/* Packets that waited are in no near cache any more: fetches what sending them reads. */
static void
qos_prefetch(struct qos_item *const *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(packet_from_item(items[i]));
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(packet_from_item(items[i]), void *));
}

/* Takes one batch from the scheduler and sends it; returns how many it gave. */
static unsigned
qos_drain_batch(struct worker *worker, struct port_qos *qos, unsigned *moved)
{
	struct qos_item *items[BATCH_MAX];
	unsigned n = sched_dequeue(qos->sched, worker->now_ns, items, BATCH_MAX,
	                           QOS_DRAIN_BYTES);

	qos_prefetch(items, n);
	qos_drop_managed(worker, sched_take_dropped(qos->sched));
	if (unlikely(atomic_load_explicit(&qos->uses_ecn, memory_order_relaxed)))
		qos_mark(items, n);
	qos_delay_scheduled(&qos->timing, items, n, worker->now_ns);
	qos_send_items(worker, qos, items, n, moved);
	qos_delay_sent(&qos->timing);
	return n;
}

unsigned
qos_drain(struct worker *worker, struct port_qos *qos)
{
	uint64_t next_ns = UINT64_MAX;
	unsigned moved = 0;

	if (qos->kind != DP_QOS_TREE || !qos_is_mine(worker, qos))
		return 0;
	if (unlikely(qos->waiting != NULL))
		qos_retry(worker, qos, &moved);
	/* A port alone waits with all its classes; with others, only its own rest. */
	if (likely(!qos->waiting) || !qos_is_alone(qos)) {
		/* More than may have come in, or a backlog would stay that nothing but
		 * the batches' size holds back. */
		for (unsigned k = 0; k < QOS_DRAIN_BATCHES; k++)
			if (qos_drain_batch(worker, qos, &moved) < BATCH_MAX ||
			    qos->waiting)
				break;
		next_ns = sched_next_event_ns(qos->sched, worker->now_ns);
	}
	if (qos->waiting)
		next_ns = MIN_OF(next_ns, worker->now_ns + RETRY_NS);
	if (next_ns < worker->next_qos_ns)
		worker->next_qos_ns = next_ns;
	return moved;
}

/* ---- in, or past ---- */

/* While nothing waits, packets whose ceilings are open need no queue: they are charged
 * and sent at once. Returns how many, from the first on, were. */
static unsigned
qos_pass(struct worker *worker, struct port *port, struct port_qos *qos,
         struct rte_mbuf **pkts, struct qos_item **items, unsigned n)
{
	unsigned moved = 0;

	if (unlikely(qos->waiting != NULL))
		return 0;
	n = sched_pass(qos->sched, items, n, worker->now_ns);
	if (n == 0)
		return 0;
	qos_delay_scheduled(&qos->timing, items, n, worker->now_ns);
	qos_send(worker, qos, (uint16_t)port->id, pkts, n, &moved);
	qos_delay_sent(&qos->timing);
	return n;
}

/* Fills in the packets' items for the scheduler. */
static void
qos_fill_items(const struct port *port, const struct port_qos *qos,
               struct rte_mbuf **pkts, struct qos_item **items, uint32_t *numbers,
               unsigned n)
{
	const struct qos_class_map *map =
		atomic_load_explicit(&qos->map, memory_order_acquire);
	uint32_t default_number = port->settings->config.egress_default_class;

	for (unsigned i = 0; i < n; i++) {
		struct qos_item *item;

		numbers[i] = qos_take_class(map, &pkts[i], default_number);
		item = items[i] = &packet_meta(pkts[i])->item;
		item->class_ref = qos_map_ref(map, numbers[i]);
		packet_charge(pkts[i], qos->overhead_bytes, qos->mpu_bytes);
		item->caller_tag = (uint16_t)port->id;
		item->flags = 0;
	}
}

void
qos_enqueue(struct worker *worker, struct port *port, struct rte_mbuf **pkts, unsigned n)
{
	struct port_qos *qos = atomic_load_explicit(&port->qos, memory_order_acquire);
	struct qos_item *items[BATCH_MAX];
	uint32_t numbers[BATCH_MAX];
	unsigned passed;

	if (unlikely(!qos)) {
		/* Its QoS went while the packets were on their way. */
		transmit_or_drop(worker, port, pkts, n);
		return;
	}
	if (unlikely(!qos_is_mine(worker, qos))) {
		/* It moved to another worker a moment ago, and our route has not yet. */
		qos_count_losses(worker, port, pkts, n);
		port_drop(port, worker, DROP_TX_HANDOVER_FULL, pkts, n);
		return;
	}
	if (qos->kind != DP_QOS_TREE) {
		qos_police(worker, port, qos, pkts, n);
		return;
	}
	items[0] = NULL; /* there is one, but gcc 12 does not see it */
	qos_fill_items(port, qos, pkts, items, numbers, n);
	/* With thousands of classes, theirs is seldom in the cache. */
	sched_prefetch(qos->sched, items, n);
	passed = qos_pass(worker, port, qos, pkts, items, n);
	for (unsigned i = passed; i < n; i++)
		qos_enqueue_one(worker, port, qos, items[i], numbers[i]);
	if (passed < n || qos->waiting)
		worker->next_qos_ns = 0;
}
