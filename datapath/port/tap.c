/* tap.c - tap and internal ports: interfaces made by weir, whose other side is the host
 * (or a network namespace the interface is moved to). Served by the kernel worker. Frames
 * cross unsegmented and without checksums where the host's and weir's side allow it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "datapath/port/kernel.h"

#define TAP_SEGMENTS_MAX 64 /* of one packet to send */

struct tap {
	int fd;
	struct kernel_waiting waiting; /* the owner worker's */
	uint8_t frame[KERNEL_FRAME_MAX_BYTES];
};

static int
tap_create_interface(const char *name, struct error *err)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd, ret, header_bytes = sizeof(struct virtio_net_hdr);

	if (strlen(name) >= IFNAMSIZ)
		return error_set(err, -ENAMETOOLONG,
		                 "interface names have at most %d characters",
		                 IFNAMSIZ - 1);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "/dev/net/tun: %s", strerror(errno));
	memcpy(ifr.ifr_name, name, strlen(name));
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		ret = -errno;
		close(fd);
		if (ret == -EBUSY || ret == -EINVAL)
			return error_set(
				err, ret,
				"an interface of this name exists already and is no free tap");
		return error_set(err, ret, "cannot create a tap: %s", strerror(-ret));
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) < 0) {
		ret = -errno;
		close(fd);
		return error_set(err, ret, "cannot set up the tap: %s", strerror(-ret));
	}
	/* Where the kernel refuses, the host finishes its frames itself. */
	ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6);
	return fd;
}

static int
tap_open(struct port *port, const struct dp_port_config *config, struct error *err)
{
	int fd = tap_create_interface(config->name, err);
	struct tap *tap;

	if (fd < 0)
		return fd;
	tap = xcalloc(1, sizeof(*tap));
	tap->fd = fd;
	port->impl = tap;
	port->offloads = PORT_OFFLOADS_ALL; /* the kernel takes any frame */
	port->link_up =
		true; /* the kernel counts what a downed interface does not take */
	port_alloc_rxqs(port, 1);
	port->rxqs[0].fd = fd;
	port->rxqs[0].enabled = true;
	kernel_set_flag(config->name, IFF_UP, !config->settings.admin_down);
	return 0;
}

static void
tap_close(struct port *port)
{
	struct tap *tap = port->impl;

	close(tap->fd);
	kernel_free_waiting(&tap->waiting);
	free(tap);
}

static int
tap_set(struct port *port, const struct dp_port_settings *settings, struct error *err)
{
	kernel_set_flag(port->name, IFF_UP, !settings->admin_down);
	return kernel_apply_settings(port, settings, err);
}

static void
tap_status(struct port *port, struct dp_port_status *status)
{
	/* In another namespace nothing can be asked by name; it lives as long as we do.
	 */
	if (!kernel_get_status(port->name, status))
		status->link_up = true;
}

static unsigned
tap_tx_queues(struct port *port, uint8_t queues[DP_QUEUES_MAX])
{
	(void)port;
	queues[0] = 0;
	return 1;
}

static uint16_t
tap_rx(struct worker *worker, struct rxq *rxq, struct rte_mbuf **pkts, uint16_t max)
{
	struct tap *tap = rxq->port->impl;

	while (tap->waiting.n < max) {
		struct virtio_net_hdr header;
		struct iovec iov[2] = {{&header, sizeof(header)},
		                       {tap->frame, sizeof(tap->frame)}};
		ssize_t n = readv(tap->fd, iov, 2);

		if (n <= (ssize_t)sizeof(header))
			break;
		kernel_receive(worker, rxq->port, &tap->waiting, tap->frame,
		               (size_t)n - sizeof(header), &header, 0);
	}
	return kernel_take_waiting(&tap->waiting, pkts, max);
}

/* 0, or errno of the write. */
static int
tap_send(const void *impl, struct virtio_net_hdr *header, const struct rte_mbuf *pkt)
{
	const struct tap *tap = impl;
	struct iovec iov[TAP_SEGMENTS_MAX + 1] = {{header, sizeof(*header)}};
	int n = 1;

	for (const struct rte_mbuf *seg = pkt; seg && n <= TAP_SEGMENTS_MAX;
	     seg = seg->next) {
		iov[n].iov_base = rte_pktmbuf_mtod(seg, void *);
		iov[n++].iov_len = seg->data_len;
	}
	return writev(tap->fd, iov, n) < 0 ? errno : 0;
}

static uint16_t
tap_tx(struct worker *worker, struct port *port, uint16_t queue, struct rte_mbuf **pkts,
       uint16_t n)
{
	(void)queue;
	return kernel_transmit(worker, port, pkts, n, tap_send);
}

#define TAP_OPS(port_type)                                                            \
	{                                                                             \
		.type = port_type, .served_by_kernel_worker = true, .open = tap_open, \
		.close = tap_close, .set = tap_set, .status = tap_status,             \
		.tx_queues = tap_tx_queues, .rx = tap_rx, .tx = tap_tx,               \
	}

const struct port_ops port_tap_ops = TAP_OPS(DP_PORT_TAP);
const struct port_ops port_internal_ops = TAP_OPS(DP_PORT_INTERNAL);
