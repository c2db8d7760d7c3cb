/* patch.c - a port that is one end of a cable between bridges: what is sent to it comes
 * in by its peer, on the same worker. Main says who is whose peer; workers send.
 *
 * A packet that leaves by a patch port waits in the worker's queue until the pipeline is
 * done with the batch it came in (pipeline_finish()), because a walk of the other bridge
 * may push the program that is being carried out from the flow cache. The queue is empty
 * at each quiescent point, so a peer that went is not met. */
#include "datapath/port/patch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "base/mem.h"
#include "datapath/port/port.h"

struct patch {
	char peer_name[DP_NAME_MAX_BYTES]; /* main's */
	/* Main writes, workers read; NULL: there is none, or it names another peer. */
	struct port *_Atomic peer;
};

/* ---- main ---- */

static struct port *
patch_find_peer(const struct port *port)
{
	const struct patch *patch = port->impl, *other;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct port *peer = ports[i];

		if (!peer || peer == port || peer->type != DP_PORT_PATCH ||
		    strcmp(peer->name, patch->peer_name) != 0)
			continue;
		other = peer->impl;
		return strcmp(other->peer_name, port->name) == 0 ? peer : NULL;
	}
	return NULL;
}

void
patch_connect(void)
{
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct patch *patch;

		if (!ports[i] || ports[i]->type != DP_PORT_PATCH)
			continue;
		patch = ports[i]->impl;
		atomic_store_explicit(&patch->peer, patch_find_peer(ports[i]),
		                      memory_order_release);
	}
}

static int
patch_set(struct port *port, const struct dp_port_settings *settings, struct error *err)
{
	struct patch *patch = port->impl;

	/* What comes in by it is anybody's work: no policer or gate has one owner. */
	if (settings->policing_bps || settings->policing_pps ||
	    settings->on_excess == DP_EXCESS_GATE)
		return error_set(err, -EOPNOTSUPP,
		                 "a patch port has no rates of its own for what comes "
		                 "in: set them at the ports behind it");
	if (!settings->peer[0])
		return error_set(err, -EINVAL, "it names no peer");
	if (!strcmp(settings->peer, port->name))
		return error_set(err, -EINVAL, "it cannot be its own peer");
	memcpy(patch->peer_name, settings->peer, sizeof(patch->peer_name));
	port->mtu = settings->mtu;
	port->link_up = !settings->admin_down;
	patch_connect();
	return 0;
}

static int
patch_open(struct port *port, const struct dp_port_config *config, struct error *err)
{
	(void)config;
	(void)err;
	port->impl = xcalloc(1, sizeof(struct patch));
	/* Packets go on as they are. */
	port->offloads = PORT_OFFLOADS_ALL;
	return 0;
}

static void
patch_close(struct port *port)
{
	free(port->impl);
}

/* An address of its own, as controllers expect of a port; always the same. */
static void
patch_status(struct port *port, struct dp_port_status *status)
{
	uint64_t number =
		(uint64_t)hash_string(port->name, 1) << 32 | hash_string(port->name, 2);

	memcpy(status->mac, &number, sizeof(status->mac));
	status->mac[0] = (uint8_t)((status->mac[0] & 0xfc) | 0x02); /* local, unicast */
}

static unsigned
patch_tx_queues(struct port *port, uint8_t queues[DP_QUEUES_MAX])
{
	(void)port;
	queues[0] = 0;
	return 1;
}

/* ---- workers ---- */

#include "datapath/hot.h"

static uint16_t
patch_tx(struct worker *worker, struct port *port, uint16_t queue, struct rte_mbuf **pkts,
         uint16_t n)
{
	const struct patch *patch = port->impl;
	struct port *peer = atomic_load_explicit(&patch->peer, memory_order_acquire);
	struct port_worker *pw = port_of_worker(port, worker);
	struct packet_queue *waiting = &worker->patches;

	(void)queue;
	if (unlikely(!peer)) {
		port_drop(port, worker, DROP_TX_NOT_CONNECTED, pkts, n);
		return n;
	}
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *pkt = pkts[i];

		if (unlikely(packet_hops(pkt) == PATCH_HOPS_MAX)) {
			port_drop(port, worker, DROP_TX_PATCH_LOOP, &pkt, 1);
			continue;
		}
		if (unlikely(waiting->n == PACKET_QUEUE_SIZE)) {
			port_drop(port, worker, DROP_TX_PATCH_FULL, &pkt, 1);
			continue;
		}
		packet_set_hops(pkt, packet_hops(pkt) + 1);
		packet_meta(pkt)->item.caller_tag = (uint16_t)peer->id;
		pw->tx_packets++;
		pw->tx_bytes += pkt->pkt_len;
		waiting->pkts[(waiting->first + waiting->n++) % PACKET_QUEUE_SIZE] = pkt;
	}
	return n;
}

/* Takes the first packets, as far as they go the same way. */
static unsigned
patch_take_run(struct packet_queue *waiting, uint16_t *way, struct rte_mbuf **pkts)
{
	unsigned n = 0;

	*way = packet_meta(waiting->pkts[waiting->first])->item.caller_tag;
	while (n < BATCH_MAX && waiting->n > 0 &&
	       packet_meta(waiting->pkts[waiting->first])->item.caller_tag == *way) {
		pkts[n++] = waiting->pkts[waiting->first];
		waiting->first = (waiting->first + 1) % PACKET_QUEUE_SIZE;
		waiting->n--;
	}
	return n;
}

unsigned
patch_take(struct worker *worker, struct port **in, struct rte_mbuf **pkts)
{
	while (worker->patches.n > 0) {
		uint16_t way;
		unsigned n = patch_take_run(&worker->patches, &way, pkts);
		struct port *peer = ports[way];
		struct port_worker *pw;

		if (unlikely(!peer)) { /* main has just deleted it */
			rte_pktmbuf_free_bulk(pkts, n);
			continue;
		}
		pw = port_of_worker(peer, worker);
		pw->rx_packets += n;
		for (unsigned i = 0; i < n; i++)
			pw->rx_bytes += pkts[i]->pkt_len;
		*in = peer;
		return n;
	}
	return 0;
}

const struct port_ops port_patch_ops = {
	.type = DP_PORT_PATCH,
	.tx_by_any_worker = true,
	.open = patch_open,
	.close = patch_close,
	.set = patch_set,
	.status = patch_status,
	.tx_queues = patch_tx_queues,
	.tx = patch_tx,
};
