/* output.c - stages packets per port, and sends them or hands them to the worker that
 * may. Between the pipeline (and qos.c) and port/. Worker threads. */
#include "datapath/output.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/compiler.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

static const struct tx_route *
output_route(const struct port *port, const struct worker *worker)
{
	const struct tx_map *map =
		atomic_load_explicit(&port->tx_map, memory_order_acquire);

	return &map->routes[worker->id];
}

/* A kernel worker that sleeps in epoll needs a write to its eventfd: one per sleep. The
 * fence orders our push before the look at 'sleeping'; the sleeper orders its flag before
 * its last look at the rings. */
static void
output_wake(struct worker *target)
{
	if (target->event_fd < 0)
		return;
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&target->sleeping, memory_order_relaxed)) {
		uint64_t one = 1;

		if (write(target->event_fd, &one, sizeof(one)) < 0)
			return; /* the counter is full: it is awake */
	}
}

static void
output_hand_over(struct worker *worker, struct port *port, uint16_t target_id,
                 struct rte_mbuf **pkts, unsigned n)
{
	struct worker *target = workers[target_id];
	struct rte_ring *ring = target ? target->inbox[worker->id] : NULL;
	unsigned sent = 0;

	if (ring) {
		for (unsigned i = 0; i < n; i++)
			packet_meta(pkts[i])->out_port = (uint16_t)port->id;
		sent = rte_ring_sp_enqueue_burst(ring, (void **)pkts, n, NULL);
		output_wake(target);
	}
	if (unlikely(sent < n))
		port_drop(port, worker, DROP_TX_HANDOVER_FULL, pkts + sent, n - sent);
}

/* Sends a run of packets by one queue; returns how many were taken. */
static unsigned
output_to_queue(struct worker *worker, struct port *port, struct port_worker *pw,
                uint8_t queue, struct rte_mbuf **pkts, unsigned n)
{
	unsigned taken = port->ops->tx(worker, port, queue, pkts, (uint16_t)n);

	pw->txq_packets[queue] += taken;
	return taken;
}

/* Spreads packets over several queues by flow, so that order within a flow is kept. What
 * a queue does not take is dropped: another flow's queue may still have room. */
static void
output_spread(struct worker *worker, struct port *port, struct port_worker *pw,
              const struct tx_route *route)
{
	struct rte_mbuf *run[BATCH_MAX];
	struct batch *stage = &pw->stage;

	for (unsigned q = 0; q < route->n_queues; q++) {
		unsigned n = 0, taken;

		for (unsigned i = 0; i < stage->n; i++)
			if (packet_meta(stage->pkts[i])->hash % route->n_queues == q)
				run[n++] = stage->pkts[i];
		if (n == 0)
			continue;
		taken = output_to_queue(worker, port, pw, route->queues[q], run, n);
		if (taken < n)
			port_drop(port, worker, DROP_TX_RING_FULL, run + taken,
			          n - taken);
	}
}

unsigned
output_transmit(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                unsigned n)
{
	const struct tx_route *route = output_route(port, worker);
	struct port_worker *pw = port_of_worker(port, worker);
	unsigned taken = 0;

	if (route->n_queues == 0 || !port->link_up) {
		port_drop(port, worker, DROP_TX_NOT_CONNECTED, pkts, n);
		return n;
	}
	/* Packets of one flow run one after the other here: a run goes out at once. */
	while (taken < n) {
		uint32_t first = packet_meta(pkts[taken])->hash % route->n_queues;
		unsigned run = 1, sent;

		while (taken + run < n &&
		       packet_meta(pkts[taken + run])->hash % route->n_queues == first)
			run++;
		sent = output_to_queue(worker, port, pw, route->queues[first],
		                       pkts + taken, run);
		taken += sent;
		if (sent < run)
			break;
	}
	return taken;
}

static void
output_flush_stage(struct worker *worker, struct port_worker *pw)
{
	struct port *port = pw->port;
	const struct tx_route *route = output_route(port, worker);
	struct batch *stage = &pw->stage;
	unsigned taken;

	worker->stats.tx_batches++;
	worker->stats.tx_packets += stage->n;
	switch (route->mode) {
	case TX_DIRECT:
		if (unlikely(!port->link_up)) {
			port_drop(port, worker, DROP_TX_NOT_CONNECTED, stage->pkts,
			          stage->n);
		} else if (route->n_queues > 1) {
			output_spread(worker, port, pw, route);
		} else {
			taken = output_to_queue(worker, port, pw, route->queues[0],
			                        stage->pkts, stage->n);
			if (unlikely(taken < stage->n))
				port_drop(port, worker, DROP_TX_RING_FULL,
				          stage->pkts + taken, stage->n - taken);
		}
		break;
	case TX_HANDOVER:
		output_hand_over(worker, port, route->target, stage->pkts, stage->n);
		break;
	case TX_QOS:
		qos_enqueue(worker, port, stage->pkts, stage->n);
		break;
	default:
		port_drop(port, worker, DROP_TX_NOT_CONNECTED, stage->pkts, stage->n);
		break;
	}
	stage->n = 0;
}

void
output_packet(struct worker *worker, struct port *port, struct rte_mbuf *pkt)
{
	struct port_worker *pw = port_of_worker(port, worker);

	pw->stage.pkts[pw->stage.n++] = pkt;
	if (pw->stage.n == BATCH_MAX) {
		output_flush_stage(worker, pw);
	} else if (!pw->is_dirty) {
		pw->is_dirty = true;
		worker->dirty[worker->n_dirty++] = pw;
	}
}

void
output_packets(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
               unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		output_packet(worker, port, pkts[i]);
}

void
output_flush(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->n_dirty; i++) {
		struct port_worker *pw = worker->dirty[i];

		pw->is_dirty = false;
		if (pw->stage.n > 0)
			output_flush_stage(worker, pw);
	}
	worker->n_dirty = 0;
}

static void
output_take_inbox(struct worker *worker, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct port *port = ports[packet_meta(pkts[i])->out_port];

		if (likely(port != NULL))
			output_packet(worker, port, pkts[i]);
		else
			rte_pktmbuf_free(
				pkts[i]); /* the port went while it was on its way */
	}
}

unsigned
output_drain_inboxes(struct worker *worker)
{
	uint64_t mask = atomic_load_explicit(&worker->inbox_mask, memory_order_acquire);
	struct rte_mbuf *pkts[BATCH_MAX];
	unsigned total = 0;

	while (mask) {
		unsigned i = (unsigned)__builtin_ctzll(mask);
		unsigned n = rte_ring_sc_dequeue_burst(worker->inbox[i], (void **)pkts,
		                                       BATCH_MAX, NULL);

		mask &= mask - 1;
		output_take_inbox(worker, pkts, n);
		total += n;
	}
	return total;
}

bool
output_inbox_pending(const struct worker *worker)
{
	uint64_t mask = atomic_load_explicit(&worker->inbox_mask, memory_order_acquire);

	for (; mask; mask &= mask - 1)
		if (!rte_ring_empty(worker->inbox[__builtin_ctzll(mask)]))
			return true;
	return false;
}
