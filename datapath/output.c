/* output.c - stages packets per port, and sends them or hands them to the worker that
 * may. Between the pipeline (and qos.c) and port/. Worker threads. */
#include "datapath/output.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/compiler.h"
#include "datapath/egress.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/transmit.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

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
			packet_meta(pkts[i])->item.caller_tag = (uint16_t)port->id;
		sent = rte_ring_sp_enqueue_burst(ring, (void **)pkts, n, NULL);
		output_wake(target);
	}
	if (unlikely(sent < n)) {
		qos_count_losses(worker, port, pkts + sent, n - sent);
		port_drop(port, worker, DROP_TX_HANDOVER_FULL, pkts + sent, n - sent);
	}
}

/* Drops frames longer than the port's MTU allows; returns how many are left. */
static unsigned
output_enforce_mtu(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                   unsigned n, uint32_t mtu)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		if (likely(!output_exceeds_mtu(pkts[i], mtu)))
			pkts[left++] = pkts[i];
		else
			port_drop(port, worker, DROP_TX_MTU_EXCEEDED, &pkts[i], 1);
	}
	return left;
}

static void
output_send(struct worker *worker, struct port *port, struct rte_mbuf **pkts, unsigned n)
{
	const struct tx_route *route = port_route(port, worker);
	uint32_t mtu = atomic_load_explicit(&port->mtu, memory_order_relaxed);

	if (unlikely(mtu != 0) &&
	    (n = output_enforce_mtu(worker, port, pkts, n, mtu)) == 0)
		return;
	worker->stats.tx_batches++;
	worker->stats.tx_packets += n;
	switch (route->mode) {
	case TX_DIRECT:
		transmit_or_drop(worker, port, pkts, n);
		break;
	case TX_HANDOVER:
		output_hand_over(worker, port, route->target, pkts, n);
		break;
	case TX_QOS:
		qos_enqueue(worker, port, pkts, n);
		break;
	default:
		port_drop(port, worker,
		          port->settings->config.no_forward ? DROP_TX_PORT_NO_FORWARD
		                                            : DROP_TX_NOT_CONNECTED,
		          pkts, n);
		break;
	}
}

static void
output_send_stage(struct worker *worker, struct port_worker *pw)
{
	unsigned n = pw->stage.n;

	pw->stage.n = 0;
	output_send(worker, pw->port, pw->stage.pkts, n);
}

void
output_packets(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
               unsigned n)
{
	struct port_worker *pw = port_of_worker(port, worker);
	struct batch *stage = &pw->stage;

	if (unlikely(worker->egress != NULL)) {
		egress_packets(worker, port, pkts, n);
		return;
	}
	/* A full batch into an empty stage needs no staging. */
	if (stage->n == 0 && n == BATCH_MAX) {
		output_send(worker, port, pkts, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		stage->pkts[stage->n++] = pkts[i];
		if (stage->n == BATCH_MAX)
			output_send_stage(worker, pw);
	}
	if (stage->n > 0 && !pw->is_dirty) {
		pw->is_dirty = true;
		worker->dirty[worker->n_dirty++] = pw;
	}
}

void
output_packet(struct worker *worker, struct port *port, struct rte_mbuf *pkt)
{
	output_packets(worker, port, &pkt, 1);
}

void
output_flush(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->n_dirty; i++) {
		struct port_worker *pw = worker->dirty[i];

		pw->is_dirty = false;
		if (pw->stage.n > 0)
			output_send_stage(worker, pw);
	}
	worker->n_dirty = 0;
}

static void
output_take_inbox(struct worker *worker, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct port *port = ports[packet_meta(pkts[i])->item.caller_tag];

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
		struct rte_ring *ring = worker->inbox[i];
		unsigned n = 0;

		/* It may just have been taken away, with its bit of the mask after it. */
		if (likely(ring != NULL))
			n = rte_ring_sc_dequeue_burst(ring, (void **)pkts, BATCH_MAX,
			                              NULL);
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

	for (; mask; mask &= mask - 1) {
		const struct rte_ring *ring = worker->inbox[__builtin_ctzll(mask)];

		if (ring && !rte_ring_empty(ring))
			return true;
	}
	return false;
}
