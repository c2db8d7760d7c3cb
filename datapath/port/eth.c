/* eth.c - ports on DPDK's ethdevs: NICs and virtual devices, named by devargs. Each
 * worker has a tx queue of its own where the device has enough. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/mem.h"
#include "datapath/eal.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"

#define ETH_DESCRIPTORS 1024

struct eth {
	uint16_t device; /* ethdev port id */
	uint16_t n_txqs;
	bool is_probed; /* by us: to be removed with the port */
	bool sums_ipv4; /* wants to be told to, for segments of IPv4 */
};

static int
eth_find(struct eth *eth, const char *devargs, struct error *err)
{
	struct rte_dev_iterator iterator;
	uint16_t id;

	if (rte_eth_dev_get_port_by_name(devargs, &eth->device) == 0)
		return 0;
	if (rte_dev_probe(devargs) < 0)
		return error_set(err, -ENODEV,
		                 "dpdk-devargs=%s: no such device, or no driver for it",
		                 devargs);
	eth->is_probed = true;
	RTE_ETH_FOREACH_MATCHING_DEV(id, devargs, &iterator)
	{
		eth->device = id;
		rte_eth_iterator_cleanup(&iterator);
		return 0;
	}
	return error_set(err, -ENODEV, "dpdk-devargs=%s: the device has no Ethernet port",
	                 devargs);
}

static int
eth_setup_queues(const struct eth *eth, uint16_t n_rxqs)
{
	int socket = rte_eth_dev_socket_id(eth->device), ret;

	for (uint16_t q = 0; q < n_rxqs; q++) {
		ret = rte_eth_rx_queue_setup(eth->device, q, ETH_DESCRIPTORS,
		                             (unsigned)socket, NULL,
		                             eal_packet_pool(socket));
		if (ret < 0)
			return ret;
	}
	for (uint16_t q = 0; q < eth->n_txqs; q++) {
		ret = rte_eth_tx_queue_setup(eth->device, q, ETH_DESCRIPTORS,
		                             (unsigned)socket, NULL);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Asks for what the device can do of segmentation and checksums; the rest is done in
 * software. */
static uint64_t
eth_choose_offloads(struct eth *eth, struct port *port, uint64_t capabilities)
{
	const uint64_t sums = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	const uint64_t tso = RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	uint64_t wanted = RTE_ETH_TX_OFFLOAD_MULTI_SEGS; /* jumbo frames */
	uint32_t offloads = 0;

	if ((capabilities & sums) == sums) {
		offloads = PORT_OFFLOAD_CHECKSUM;
		wanted |= sums;
		if ((capabilities & tso) == tso) {
			offloads = PORT_OFFLOADS_ALL;
			wanted |= tso | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
		}
	}
	port->offloads = offloads;
	wanted &= capabilities;
	eth->sums_ipv4 = wanted & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	return wanted;
}

static int
eth_configure(struct eth *eth, struct port *port, const struct dp_port_config *config,
              struct error *err)
{
	struct rte_eth_conf conf = {0};
	uint16_t n_rxqs = config->n_rxq ? config->n_rxq : 1;
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(eth->device, &info);

	if (ret < 0)
		return error_set(err, ret, "cannot read the device: %s",
		                 rte_strerror(-ret));
	if (n_rxqs > info.max_rx_queues || n_rxqs > DP_QUEUES_MAX)
		return error_set(err, -EINVAL,
		                 "n_rxq=%u: the device has %u receive queues", n_rxqs,
		                 info.max_rx_queues);
	if (n_rxqs > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP) &
			info.flow_type_rss_offloads;
	}
	conf.txmode.offloads = eth_choose_offloads(eth, port, info.tx_offload_capa);
	eth->n_txqs = MIN_OF(info.max_tx_queues, DP_QUEUES_MAX);
	ret = rte_eth_dev_configure(eth->device, n_rxqs, eth->n_txqs, &conf);
	if (ret == 0)
		ret = eth_setup_queues(eth, n_rxqs);
	if (ret == 0)
		ret = rte_eth_dev_start(eth->device);
	if (ret < 0)
		return error_set(err, ret, "cannot start the device: %s",
		                 rte_strerror(-ret));
	/* A device that cannot be promiscuous still serves its own address. */
	rte_eth_promiscuous_enable(eth->device);
	port_alloc_rxqs(port, n_rxqs);
	for (uint16_t q = 0; q < n_rxqs; q++)
		port->rxqs[q].enabled = true;
	return 0;
}

static void
eth_release(struct eth *eth)
{
	struct rte_eth_dev_info info;
	struct rte_device *device = NULL;

	if (eth->is_probed && rte_eth_dev_info_get(eth->device, &info) == 0)
		device = info.device;
	rte_eth_dev_stop(eth->device);
	rte_eth_dev_close(eth->device);
	if (device)
		rte_dev_remove(device);
	free(eth);
}

static int
eth_open(struct port *port, const struct dp_port_config *config, struct error *err)
{
	struct eth *eth;
	int ret;

	if (!config->devargs[0])
		return error_set(err, -EINVAL, "options:dpdk-devargs is missing");
	eth = xcalloc(1, sizeof(*eth));
	ret = eth_find(eth, config->devargs, err);
	if (ret < 0) {
		free(eth);
		return ret;
	}
	ret = eth_configure(eth, port, config, err);
	if (ret < 0) {
		eth_release(eth);
		return ret;
	}
	port->impl = eth;
	port->link_up = true; /* a device without link counts its own losses */
	return 0;
}

static void
eth_close(struct port *port)
{
	eth_release(port->impl);
}

static int
eth_set(struct port *port, const struct dp_port_settings *settings, struct error *err)
{
	const struct eth *eth = port->impl;
	int ret;

	if (settings->admin_down)
		rte_eth_dev_set_link_down(eth->device);
	else
		rte_eth_dev_set_link_up(eth->device);
	if (!settings->mtu || settings->mtu == port->mtu)
		return 0;
	ret = rte_eth_dev_set_mtu(eth->device, (uint16_t)settings->mtu);
	if (ret < 0)
		return error_set(err, ret, "cannot set the MTU to %u: %s", settings->mtu,
		                 rte_strerror(-ret));
	port->mtu = settings->mtu;
	return 0;
}

static void
eth_status(struct port *port, struct dp_port_status *status)
{
	const struct eth *eth = port->impl;
	struct rte_ether_addr mac;
	struct rte_eth_link link;
	uint16_t mtu;

	if (rte_eth_macaddr_get(eth->device, &mac) == 0)
		memcpy(status->mac, mac.addr_bytes, sizeof(status->mac));
	if (rte_eth_dev_get_mtu(eth->device, &mtu) == 0)
		status->mtu = mtu;
	status->numa_node = rte_eth_dev_socket_id(eth->device);
	if (rte_eth_link_get_nowait(eth->device, &link) < 0)
		return;
	status->link_up = link.link_status;
	if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		status->link_bps = link.link_speed * 1000000ULL;
}

static int
eth_numa_node(const struct port *port)
{
	const struct eth *eth = port->impl;

	return rte_eth_dev_socket_id(eth->device);
}

static unsigned
eth_tx_queues(struct port *port, uint8_t queues[DP_QUEUES_MAX])
{
	const struct eth *eth = port->impl;

	for (uint8_t q = 0; q < eth->n_txqs; q++)
		queues[q] = q;
	return eth->n_txqs;
}

static uint16_t
eth_rx(struct worker *worker, struct rxq *rxq, struct rte_mbuf **pkts, uint16_t max)
{
	const struct eth *eth = rxq->port->impl;

	(void)worker;
	return rte_eth_rx_burst(eth->device, rxq->index, pkts, max);
}

static uint16_t
eth_send(struct port_worker *pw, const struct eth *eth, uint16_t queue,
         struct rte_mbuf **pkts, uint16_t n)
{
	uint64_t bytes[BATCH_MAX];
	uint16_t sent;

	/* Noted before the burst: the device may free packets at any time after it. */
	for (uint16_t i = 0; i < n; i++)
		bytes[i] = pkts[i]->pkt_len;
	sent = rte_eth_tx_burst(eth->device, queue, pkts, n);
	pw->tx_packets += sent;
	for (uint16_t i = 0; i < sent; i++)
		pw->tx_bytes += bytes[i];
	return sent;
}

/* Sends packets that the device is to finish; what its driver refuses is dropped. */
static uint16_t
eth_send_unfinished(struct worker *worker, struct port *port, uint16_t queue,
                    struct rte_mbuf **pkts, uint16_t n)
{
	struct port_worker *pw = port_of_worker(port, worker);
	const struct eth *eth = port->impl;
	uint16_t done = 0;

	for (uint16_t i = 0; i < n && eth->sums_ipv4; i++)
		if (pkts[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG &&
		    pkts[i]->ol_flags & RTE_MBUF_F_TX_IPV4)
			pkts[i]->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	while (done < n) {
		uint16_t good = rte_eth_tx_prepare(eth->device, queue, pkts + done,
		                                   (uint16_t)(n - done));
		uint16_t sent = eth_send(pw, eth, queue, pkts + done, good);

		done += sent;
		if (sent < good)
			break;
		if (done < n)
			port_drop(port, worker, DROP_TX_OFFLOAD, &pkts[done++], 1);
	}
	return done;
}

static uint16_t
eth_tx(struct worker *worker, struct port *port, uint16_t queue, struct rte_mbuf **pkts,
       uint16_t n)
{
	uint64_t flags = 0;

	for (uint16_t i = 0; i < n; i++)
		flags |= pkts[i]->ol_flags;
	if (unlikely(flags & OFFLOAD_TX_FLAGS))
		return eth_send_unfinished(worker, port, queue, pkts, n);
	return eth_send(port_of_worker(port, worker), port->impl, queue, pkts, n);
}

const struct port_ops port_eth_ops = {
	.type = DP_PORT_DPDK,
	.tx_needs_one_sender = true,
	.open = eth_open,
	.close = eth_close,
	.set = eth_set,
	.status = eth_status,
	.numa_node = eth_numa_node,
	.tx_queues = eth_tx_queues,
	.rx = eth_rx,
	.tx = eth_tx,
};
