/* dummy.c - a port for tests: main puts frames in and takes frames out through two rings.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring.h>

#include "base/mem.h"
#include "datapath/eal.h"
#include "datapath/port/port.h"

#define DUMMY_RING_SIZE 1024

struct dummy {
	struct rte_ring *in, *out;
};

static int
dummy_open(struct port *port, const struct dp_port_config *config, struct error *err)
{
	struct dummy *dummy = xcalloc(1, sizeof(*dummy));
	char name[RTE_RING_NAMESIZE];

	(void)config;
	snprintf(name, sizeof(name), "dummy-in%u", port->id);
	dummy->in = rte_ring_create(name, DUMMY_RING_SIZE, SOCKET_ID_ANY,
	                            RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "dummy-out%u", port->id);
	dummy->out = rte_ring_create(name, DUMMY_RING_SIZE, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (!dummy->in || !dummy->out) {
		rte_ring_free(dummy->in);
		rte_ring_free(dummy->out);
		free(dummy);
		return error_set(err, -ENOMEM, "no memory for its rings");
	}
	port->impl = dummy;
	port->link_up = true;
	port_alloc_rxqs(port, 1);
	port->rxqs[0].enabled = true;
	return 0;
}

static void
dummy_close(struct port *port)
{
	struct dummy *dummy = port->impl;
	void *pkt;

	while (rte_ring_dequeue(dummy->in, &pkt) == 0 ||
	       rte_ring_dequeue(dummy->out, &pkt) == 0)
		rte_pktmbuf_free(pkt);
	rte_ring_free(dummy->in);
	rte_ring_free(dummy->out);
	free(dummy);
}

static uint16_t
dummy_rx(struct worker *worker, struct rxq *rxq, struct rte_mbuf **pkts, uint16_t max)
{
	struct dummy *dummy = rxq->port->impl;

	(void)worker;
	return (uint16_t)rte_ring_sc_dequeue_burst(dummy->in, (void **)pkts, max, NULL);
}

static uint32_t
dummy_rx_waiting(const struct port *port, uint16_t queue)
{
	const struct dummy *dummy = port->impl;

	(void)queue;
	return rte_ring_count(dummy->in);
}

static uint16_t
dummy_tx(struct worker *worker, struct port *port, uint16_t queue, struct rte_mbuf **pkts,
         uint16_t n)
{
	struct port_worker *pw = port_of_worker(port, worker);
	struct dummy *dummy = port->impl;
	uint64_t bytes[BATCH_MAX];
	unsigned sent;

	(void)queue;
	/* Noted before the push: after it the packets are main's. */
	for (uint16_t i = 0; i < n; i++)
		bytes[i] = pkts[i]->pkt_len;
	sent = rte_ring_enqueue_burst(dummy->out, (void **)pkts, n, NULL);
	pw->tx_packets += sent;
	for (unsigned i = 0; i < sent; i++)
		pw->tx_bytes += bytes[i];
	return (uint16_t)sent;
}

static unsigned
dummy_tx_queues(struct port *port, uint8_t queues[DP_QUEUES_MAX])
{
	(void)port;
	queues[0] = 0;
	return 1;
}

int
dp_dummy_inject(uint32_t port_id, const void *frame, size_t length)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct rte_mbuf *pkt;
	struct dummy *dummy;
	char *data;

	if (!port || port->type != DP_PORT_DUMMY)
		return -ENODEV;
	dummy = port->impl;
	pkt = rte_pktmbuf_alloc(eal_packet_pool(0));
	data = pkt ? rte_pktmbuf_append(pkt, (uint16_t)length) : NULL;
	if (!data) {
		rte_pktmbuf_free(pkt);
		return -ENOBUFS;
	}
	memcpy(data, frame, length);
	if (rte_ring_sp_enqueue(dummy->in, pkt) != 0) {
		rte_pktmbuf_free(pkt);
		return -ENOBUFS;
	}
	return 0;
}

size_t
dp_dummy_take(uint32_t port_id, void *frame, size_t size)
{
	struct port *port = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;
	struct rte_mbuf *pkt;
	struct dummy *dummy;
	size_t length;
	void *taken;

	if (!port || port->type != DP_PORT_DUMMY)
		return 0;
	dummy = port->impl;
	if (rte_ring_sc_dequeue(dummy->out, &taken) != 0)
		return 0;
	pkt = taken;
	length = MIN_OF(pkt->pkt_len, size);
	const void *bytes = rte_pktmbuf_read(pkt, 0, (uint32_t)length, frame);
	if (bytes && bytes != frame)
		memcpy(frame, bytes, length);
	rte_pktmbuf_free(pkt);
	return length;
}

const struct port_ops port_dummy_ops = {
	.type = DP_PORT_DUMMY,
	.open = dummy_open,
	.close = dummy_close,
	.tx_queues = dummy_tx_queues,
	.rx_waiting = dummy_rx_waiting,
	.rx = dummy_rx,
	.tx = dummy_tx,
};
