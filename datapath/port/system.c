/* system.c - existing kernel interfaces, through AF_PACKET sockets. Served by the kernel
 * worker. Frames that the kernel left unsegmented or without checksums (a veth peer's
 * offloads) go on as they are, and as such to the interface: the kernel does what its
 * device cannot. VLAN tags that it took out are put back. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "datapath/port/kernel.h"

#define SYSTEM_BATCH        8 /* frames per recvmmsg(); each has room for 64 KB */
#define SYSTEM_SEGMENTS_MAX 64

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

struct system_slot {
	struct virtio_net_hdr header;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	uint8_t frame[KERNEL_FRAME_MAX_BYTES];
};

struct system {
	int fd;
	struct kernel_waiting waiting; /* the owner worker's */
	struct system_slot slots[SYSTEM_BATCH];
};

static int
system_bind(int fd, unsigned ifindex)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
	                              .sll_protocol = htons(ETH_P_ALL),
	                              .sll_ifindex = (int)ifindex};
	struct packet_mreq promiscuous = {.mr_ifindex = (int)ifindex,
	                                  .mr_type = PACKET_MR_PROMISC};
	int one = 1, buffer_bytes = 4 << 20;

	/* A larger buffer is a wish, the rest is needed. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes));
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
	               sizeof(promiscuous)) < 0)
		return -errno;
	return 0;
}

static int
system_open(struct port *port, const struct dp_port_config *config, struct error *err)
{
	unsigned ifindex = if_nametoindex(config->name);
	struct system *sys;
	int fd, ret;

	if (!ifindex)
		return error_set(err, -ENODEV, "there is no such network interface");
	/* Protocol 0 until bound: nothing of other interfaces gets in. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, -errno, "packet socket: %s", strerror(errno));
	ret = system_bind(fd, ifindex);
	if (ret < 0) {
		close(fd);
		return error_set(err, ret, "cannot open the interface: %s",
		                 strerror(-ret));
	}
	sys = xcalloc(1, sizeof(*sys));
	sys->fd = fd;
	port->impl = sys;
	port->offloads = PORT_OFFLOADS_ALL; /* the kernel takes any frame */
	port->link_up = true;
	port_alloc_rxqs(port, 1);
	port->rxqs[0].fd = fd;
	port->rxqs[0].enabled = true;
	return 0;
}

static void
system_close(struct port *port)
{
	struct system *sys = port->impl;

	close(sys->fd);
	kernel_free_waiting(&sys->waiting);
	free(sys);
}

static void
system_status(struct port *port, struct dp_port_status *status)
{
	if (!kernel_get_status(port->name, status))
		status->link_up = false;
}

static unsigned
system_tx_queues(struct port *port, uint8_t queues[DP_QUEUES_MAX])
{
	(void)port;
	queues[0] = 0;
	return 1;
}

/* The tag that the kernel took out of the frame, TPID and TCI; 0 = none. */
static uint32_t
system_tag(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return 0;
		if (!(aux.tp_status & TP_STATUS_VLAN_TPID_VALID))
			aux.tp_vlan_tpid = ETH_P_8021Q;
		return (uint32_t)aux.tp_vlan_tpid << 16 | aux.tp_vlan_tci;
	}
	return 0;
}

static void
system_read(struct worker *worker, struct port *port, struct system *sys, unsigned max)
{
	struct mmsghdr messages[SYSTEM_BATCH] = {0};
	struct iovec iov[SYSTEM_BATCH][2];
	int n;

	max = MIN_OF(max, SYSTEM_BATCH);
	for (unsigned i = 0; i < max; i++) {
		struct system_slot *slot = &sys->slots[i];

		iov[i][0] = (struct iovec){&slot->header, sizeof(slot->header)};
		iov[i][1] = (struct iovec){slot->frame, sizeof(slot->frame)};
		messages[i].msg_hdr.msg_iov = iov[i];
		messages[i].msg_hdr.msg_iovlen = 2;
		messages[i].msg_hdr.msg_control = slot->control;
		messages[i].msg_hdr.msg_controllen = sizeof(slot->control);
	}
	n = recvmmsg(sys->fd, messages, max, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct system_slot *slot = &sys->slots[i];

		if (messages[i].msg_len > sizeof(slot->header))
			kernel_receive(worker, port, &sys->waiting, slot->frame,
			               messages[i].msg_len - sizeof(slot->header),
			               &slot->header, system_tag(&messages[i].msg_hdr));
	}
}

static uint16_t
system_rx(struct worker *worker, struct rxq *rxq, struct rte_mbuf **pkts, uint16_t max)
{
	struct system *sys = rxq->port->impl;

	if (sys->waiting.n < max)
		system_read(worker, rxq->port, sys, max);
	return kernel_take_waiting(&sys->waiting, pkts, max);
}

/* 0, or errno of the send. */
static int
system_send(const void *impl, struct virtio_net_hdr *header, const struct rte_mbuf *pkt)
{
	const struct system *sys = impl;
	struct iovec iov[SYSTEM_SEGMENTS_MAX + 1] = {{header, sizeof(*header)}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 1};

	for (const struct rte_mbuf *seg = pkt;
	     seg && msg.msg_iovlen <= SYSTEM_SEGMENTS_MAX; seg = seg->next) {
		iov[msg.msg_iovlen].iov_base = rte_pktmbuf_mtod(seg, void *);
		iov[msg.msg_iovlen++].iov_len = seg->data_len;
	}
	return sendmsg(sys->fd, &msg, MSG_DONTWAIT) < 0 ? errno : 0;
}

static uint16_t
system_tx(struct worker *worker, struct port *port, uint16_t queue,
          struct rte_mbuf **pkts, uint16_t n)
{
	(void)queue;
	return kernel_transmit(worker, port, pkts, n, system_send);
}

const struct port_ops port_system_ops = {
	.type = DP_PORT_SYSTEM,
	.served_by_kernel_worker = true,
	.open = system_open,
	.close = system_close,
	.set = kernel_apply_settings,
	.status = system_status,
	.tx_queues = system_tx_queues,
	.rx = system_rx,
	.tx = system_tx,
};
