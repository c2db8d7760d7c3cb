/* transmit.c - sends packets over the tx queues that a worker owns. Below output.c and
 * qos.c, above port/. Worker threads. */
#include "datapath/transmit.h"

#include "base/compiler.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

/* Sends a run of packets by one queue; returns how many were taken. The queue's counter
 * is of packets sent: segments where a frame is sent by segments. */
static unsigned
transmit_by_queue(struct worker *worker, struct port *port, struct port_worker *pw,
                  uint8_t queue, struct rte_mbuf **pkts, unsigned n)
{
	uint64_t before = pw->tx_packets;
	unsigned taken;

	if (likely(!offload_is_needed(port, pkts, n))) {
		taken = port->ops->tx(worker, port, queue, pkts, (uint16_t)n);
		pw->txq_packets[queue] += taken;
		return taken;
	}
	taken = offload_transmit(worker, port, queue, pkts, n);
	pw->txq_packets[queue] += pw->tx_packets - before;
	return taken;
}

unsigned
transmit_packets(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                 unsigned n)
{
	const struct tx_route *route = port_route(port, worker);
	struct port_worker *pw = port_of_worker(port, worker);
	unsigned taken = 0;

	if (route->n_queues == 0 || !port->link_up) {
		port_drop(port, worker, DROP_TX_NOT_CONNECTED, pkts, n);
		return n;
	}
	/* Packets of one flow run one after the other here: a run goes out at once. */
	while (taken < n) {
		uint32_t first =
			packet_meta(pkts[taken])->item.flow_hash % route->n_queues;
		unsigned run = 1, sent;

		while (taken + run < n &&
		       packet_meta(pkts[taken + run])->item.flow_hash % route->n_queues ==
		               first)
			run++;
		sent = transmit_by_queue(worker, port, pw, route->queues[first],
		                         pkts + taken, run);
		taken += sent;
		if (sent < run)
			break;
	}
	return taken;
}

static void
transmit_queue_or_drop(struct worker *worker, struct port *port, uint8_t queue,
                       struct rte_mbuf **pkts, unsigned n)
{
	struct port_worker *pw = port_of_worker(port, worker);
	unsigned taken = transmit_by_queue(worker, port, pw, queue, pkts, n);

	if (unlikely(taken < n))
		port_drop(port, worker, DROP_TX_RING_FULL, pkts + taken, n - taken);
}

void
transmit_or_drop(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                 unsigned n)
{
	const struct tx_route *route = port_route(port, worker);
	struct rte_mbuf *run[BATCH_MAX];

	if (unlikely(route->n_queues == 0 || !port->link_up)) {
		port_drop(port, worker, DROP_TX_NOT_CONNECTED, pkts, n);
		return;
	}
	if (likely(route->n_queues == 1)) {
		transmit_queue_or_drop(worker, port, route->queues[0], pkts, n);
		return;
	}
	/* By flow, so that order within a flow is kept. */
	for (unsigned q = 0; q < route->n_queues; q++) {
		unsigned n_run = 0;

		for (unsigned i = 0; i < n; i++)
			if (packet_meta(pkts[i])->item.flow_hash % route->n_queues == q)
				run[n_run++] = pkts[i];
		if (n_run > 0)
			transmit_queue_or_drop(worker, port, route->queues[q], run,
			                       n_run);
	}
}
