/* kernel.c - shared by tap.c and system.c: interface ioctls (main thread), and frames
 * into packets (owner worker). */
#include "datapath/port/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/eal.h"
#include "datapath/offload.h"
#include "net/checksum.h"
#include "net/segment.h"

#define VLAN_TAG_BYTES 4

static int
kernel_ioctl(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	memset(ifr->ifr_name, 0, sizeof(ifr->ifr_name));
	memcpy(ifr->ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	ret = ioctl(fd, request, ifr) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

int
kernel_set_flag(const char *name, short flag, bool on)
{
	struct ifreq ifr = {0};
	int ret = kernel_ioctl(name, SIOCGIFFLAGS, &ifr);

	if (ret < 0)
		return ret;
	if (!!(ifr.ifr_flags & flag) == on)
		return 0;
	ifr.ifr_flags = (short)(on ? ifr.ifr_flags | flag : ifr.ifr_flags & ~flag);
	return kernel_ioctl(name, SIOCSIFFLAGS, &ifr);
}

int
kernel_set_mtu(const char *name, uint32_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = (int)mtu};

	return kernel_ioctl(name, SIOCSIFMTU, &ifr);
}

bool
kernel_get_status(const char *name, struct dp_port_status *status)
{
	struct ifreq ifr = {0};

	if (kernel_ioctl(name, SIOCGIFFLAGS, &ifr) < 0)
		return false;
	status->link_up = (ifr.ifr_flags & IFF_UP) && (ifr.ifr_flags & IFF_RUNNING);
	if (kernel_ioctl(name, SIOCGIFHWADDR, &ifr) == 0)
		memcpy(status->mac, ifr.ifr_hwaddr.sa_data, sizeof(status->mac));
	if (kernel_ioctl(name, SIOCGIFMTU, &ifr) == 0)
		status->mtu = (uint32_t)ifr.ifr_mtu;
	status->ifindex = (int)if_nametoindex(name);
	return true;
}

static int
kernel_set_mac(const char *name, const uint8_t mac[6])
{
	struct ifreq ifr = {0};
	int ret = kernel_ioctl(name, SIOCGIFHWADDR, &ifr);

	if (ret < 0 || !memcmp(ifr.ifr_hwaddr.sa_data, mac, 6))
		return ret;
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	return kernel_ioctl(name, SIOCSIFHWADDR, &ifr);
}

int
kernel_apply_settings(struct port *port, const struct dp_port_settings *settings,
                      struct error *err)
{
	static const uint8_t any[6];
	int ret;

	if (port->type != DP_PORT_SYSTEM &&
	    memcmp(settings->mac, any, sizeof(any)) != 0) {
		ret = kernel_set_mac(port->name, settings->mac);
		/* In another network namespace it cannot be reached by name. */
		if (ret < 0 && ret != -ENODEV)
			return error_set(err, ret, "cannot set its MAC address: %s",
			                 strerror(-ret));
	}
	if (settings->mtu) {
		ret = kernel_set_mtu(port->name, settings->mtu);
		if (ret < 0)
			return error_set(err, ret, "cannot set the MTU to %u: %s",
			                 settings->mtu, strerror(-ret));
		port->mtu = settings->mtu;
	}
	return 0;
}

static struct rte_mbuf *
kernel_alloc(struct worker *worker)
{
	return rte_pktmbuf_alloc(eal_packet_pool(worker->numa_node));
}

/* Puts a tag in front of the type; our buffers have the room. */
static bool
kernel_insert_tag(struct rte_mbuf *pkt, uint32_t tag)
{
	uint8_t *data = (uint8_t *)(void *)rte_pktmbuf_prepend(pkt, VLAN_TAG_BYTES);

	if (!data)
		return false;
	memmove(data, data + VLAN_TAG_BYTES, 12);
	tag = htonl(tag);
	memcpy(data + 12, &tag, sizeof(tag));
	return true;
}

static void
kernel_push(struct kernel_waiting *waiting, struct rte_mbuf *pkt)
{
	waiting->pkts[(waiting->first + waiting->n++) % KERNEL_WAITING_MAX] = pkt;
}

/* A frame as it is, in as many buffers as it needs. */
static struct rte_mbuf *
kernel_copy_frame(struct worker *worker, const uint8_t *frame, size_t length)
{
	struct rte_mbuf *head = kernel_alloc(worker), *tail = head;

	while (tail) {
		uint16_t room = rte_pktmbuf_tailroom(tail);
		uint16_t n = (uint16_t)MIN_OF(length, room);

		memcpy(rte_pktmbuf_mtod(tail, uint8_t *), frame, n);
		tail->data_len = n;
		head->pkt_len += n;
		frame += n;
		length -= n;
		if (length == 0)
			return head;
		tail->next = kernel_alloc(worker);
		tail = tail->next;
		if (tail)
			head->nb_segs++;
	}
	rte_pktmbuf_free(head);
	return NULL;
}

static void
kernel_receive_segments(struct worker *worker, struct port *port,
                        struct kernel_waiting *waiting, const uint8_t *frame,
                        size_t length, uint16_t segment_bytes, uint32_t tag)
{
	struct segment_plan plan;

	if (segment_plan(&plan, frame, length, segment_bytes) < 0 ||
	    plan.count > KERNEL_WAITING_MAX - waiting->n) {
		port_worker_count_drop(port, worker, DROP_RX_OFFLOAD);
		return;
	}
	for (uint32_t i = 0; i < plan.count; i++) {
		struct rte_mbuf *pkt = kernel_alloc(worker);
		size_t bytes = segment_length(&plan, i);

		if (!pkt || bytes > rte_pktmbuf_tailroom(pkt) ||
		    (tag && !kernel_insert_tag(pkt, tag))) {
			rte_pktmbuf_free(pkt);
			port_worker_count_drop(port, worker, DROP_RX_NO_BUFFER);
			return;
		}
		segment_write(&plan, i, rte_pktmbuf_mtod(pkt, uint8_t *));
		pkt->data_len = (uint16_t)bytes;
		pkt->pkt_len = (uint32_t)bytes;
		kernel_push(waiting, pkt);
	}
}

/* Whether the checksum left to do is the one of the frame's own TCP or UDP header, and
 * not of one inside a tunnel or of another protocol. */
static bool
kernel_is_plain_checksum(const uint8_t *frame, size_t length,
                         const struct virtio_net_hdr *header)
{
	struct segment_headers headers;

	return segment_read_headers(&headers, frame, length) == 0 &&
	       header->csum_start == headers.l4_offset &&
	       header->csum_offset == (headers.protocol == IPPROTO_TCP ? 16 : 6);
}

/* Appends one packet, marked with what is left to do if 'is_unfinished'. */
static void
kernel_receive_packet(struct worker *worker, struct port *port,
                      struct kernel_waiting *waiting, const uint8_t *frame, size_t length,
                      bool is_unfinished, uint16_t segment_bytes, uint32_t tag)
{
	struct rte_mbuf *pkt = waiting->n < KERNEL_WAITING_MAX
	                               ? kernel_copy_frame(worker, frame, length)
	                               : NULL;

	if (!pkt || (tag && !kernel_insert_tag(pkt, tag))) {
		rte_pktmbuf_free(pkt);
		port_worker_count_drop(port, worker, DROP_RX_NO_BUFFER);
		return;
	}
	if (is_unfinished && !offload_mark(pkt, segment_bytes)) {
		port_drop(port, worker, DROP_RX_OFFLOAD, &pkt, 1);
		return;
	}
	kernel_push(waiting, pkt);
}

void
kernel_receive(struct worker *worker, struct port *port, struct kernel_waiting *waiting,
               uint8_t *frame, size_t length, const struct virtio_net_hdr *header,
               uint32_t tag)
{
	bool is_unfinished = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	uint16_t segment_bytes = 0;

	if (length < 14 || length > KERNEL_FRAME_MAX_BYTES) {
		port_worker_count_drop(port, worker, DROP_RX_MALFORMED);
		return;
	}
	switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		break;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		is_unfinished = true;
		segment_bytes = header->gso_size;
		break;
	default: /* UDP with a segment size */
		kernel_receive_segments(worker, port, waiting, frame, length,
		                        header->gso_size, tag);
		return;
	}
	if (is_unfinished && !segment_bytes &&
	    !kernel_is_plain_checksum(frame, length, header)) {
		if (checksum_complete(frame, length, header->csum_start,
		                      header->csum_offset) < 0) {
			port_worker_count_drop(port, worker, DROP_RX_OFFLOAD);
			return;
		}
		is_unfinished = false;
	}
	kernel_receive_packet(worker, port, waiting, frame, length, is_unfinished,
	                      segment_bytes, tag);
}

uint16_t
kernel_take_waiting(struct kernel_waiting *waiting, struct rte_mbuf **pkts, uint16_t max)
{
	unsigned n = MIN_OF(waiting->n, max);

	for (unsigned i = 0; i < n; i++)
		pkts[i] = waiting->pkts[(waiting->first + i) % KERNEL_WAITING_MAX];
	waiting->first += n;
	waiting->n -= n;
	return (uint16_t)n;
}

void
kernel_free_waiting(struct kernel_waiting *waiting)
{
	struct rte_mbuf *pkts[BATCH_MAX];
	uint16_t n;

	while ((n = kernel_take_waiting(waiting, pkts, BATCH_MAX)) > 0)
		rte_pktmbuf_free_bulk(pkts, n);
}

/* Tells the kernel what is left to do with the packet. */
static void
kernel_write_header(struct rte_mbuf *pkt, struct virtio_net_hdr *header)
{
	uint64_t flags = pkt->ol_flags;

	memset(header, 0, sizeof(*header));
	if (!(flags & OFFLOAD_TX_FLAGS))
		return;
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = (uint16_t)(pkt->l2_len + pkt->l3_len);
	header->csum_offset = offload_write_pseudo(pkt);
	if (!(flags & RTE_MBUF_F_TX_TCP_SEG))
		return;
	header->gso_type = flags & RTE_MBUF_F_TX_IPV6 ? VIRTIO_NET_HDR_GSO_TCPV6
	                                              : VIRTIO_NET_HDR_GSO_TCPV4;
	header->gso_size = pkt->tso_segsz;
	header->hdr_len = (uint16_t)(pkt->l2_len + pkt->l3_len + pkt->l4_len);
}

uint16_t
kernel_transmit(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                uint16_t n, kernel_send_fn *send)
{
	struct port_worker *pw = port_of_worker(port, worker);
	uint16_t done = 0;

	for (; done < n; done++) {
		struct virtio_net_hdr header;
		int error;

		kernel_write_header(pkts[done], &header);
		error = send(port->impl, &header, pkts[done]);

		if (error == EAGAIN || error == ENOBUFS)
			break;
		if (error) {
			port_drop(port, worker, DROP_TX_KERNEL, &pkts[done], 1);
			continue;
		}
		pw->tx_packets++;
		pw->tx_bytes += pkts[done]->pkt_len;
		rte_pktmbuf_free(pkts[done]);
	}
	return done;
}
