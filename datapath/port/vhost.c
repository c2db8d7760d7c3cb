/* vhost.c - vhost-user ports on rte_vhost: the rings of a guest, both as the side that
 * listens (dpdkvhostuser) and as the side that dials (dpdkvhostuserclient).
 *
 * Theory of operation. rte_vhost runs one event thread of its own for all sockets; it
 * calls new_device, vring_state_changed and destroy_device below. Workers read 'vid' and
 * the queues' 'enabled' flags once per poll, without locks. destroy_device clears 'vid'
 * and waits for every worker to pass a quiescent point before it returns, because
 * rte_vhost unmaps the guest's memory next. Main is told of every change and assigns
 * queues anew. */
#include <errno.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_vhost.h>

#include "base/mem.h"
#include "datapath/eal.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"
#include "datapath/rcu.h"

#define VHOST_NO_DEVICE (-1)
#define VHOST_RXQ(pair) ((uint16_t)((pair)*2 + 1)) /* the guest's transmit ring */
#define VHOST_TXQ(pair) ((uint16_t)((pair)*2))     /* the guest's receive ring */

/* ECN: the mark that a TSO frame begins a window reduction has no place in a packet. UFO:
 * abandoned by Linux; a guest fragments by itself. */
#define FEATURES_NOT_OFFERED                                               \
	(1ULL << VIRTIO_NET_F_GUEST_ECN | 1ULL << VIRTIO_NET_F_GUEST_UFO | \
	 1ULL << VIRTIO_NET_F_HOST_ECN | 1ULL << VIRTIO_NET_F_HOST_UFO)

struct vhost {
	struct port *port;
	char path[DP_PATH_MAX_BYTES];
	bool is_client;
	_Atomic int vid;       /* the event thread writes, workers read */
	_Atomic int numa_node; /* of the guest's memory; -1 unknown */
	_Atomic bool tx_enabled[DP_QUEUES_MAX]; /* the event thread writes, main reads */
	struct vhost *next;
};

/* rte_vhost knows ports by their socket path. main edits, the event thread searches. */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vhost *list;

static struct vhost *
vhost_of_device(int vid)
{
	char path[DP_PATH_MAX_BYTES];
	struct vhost *vhost = NULL;

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) < 0)
		return NULL;
	pthread_mutex_lock(&list_lock);
	for (vhost = list; vhost && strcmp(vhost->path, path); vhost = vhost->next)
		continue;
	pthread_mutex_unlock(&list_lock);
	return vhost;
}

/* ---- rte_vhost's event thread ---- */

/* What the guest takes unfinished: its driver decides with the features it accepts. */
static uint32_t
vhost_offloads(int vid)
{
	uint64_t features = 0;
	uint32_t offloads = 0;

	if (rte_vhost_get_negotiated_features(vid, &features) != 0 ||
	    !(features & 1ULL << VIRTIO_NET_F_GUEST_CSUM))
		return 0;
	offloads = PORT_OFFLOAD_CHECKSUM;
	if (features & 1ULL << VIRTIO_NET_F_GUEST_TSO4)
		offloads |= PORT_OFFLOAD_TSO4;
	if (features & 1ULL << VIRTIO_NET_F_GUEST_TSO6)
		offloads |= PORT_OFFLOAD_TSO6;
	return offloads;
}

static int
vhost_new_device(int vid)
{
	struct vhost *vhost = vhost_of_device(vid);
	uint16_t n;

	if (!vhost)
		return -1;
	n = rte_vhost_get_vring_num(vid);
	/* We poll: the guest need not kick us. rte_vhost keeps this for rings not ready
	 * yet. */
	for (uint16_t i = 0; i < n; i++)
		rte_vhost_enable_guest_notification(vid, i, 0);
	vhost->numa_node = rte_vhost_get_numa_node(vid);
	/* Before 'vid': a worker that sees the device sees what its guest takes. */
	atomic_store_explicit(&vhost->port->offloads, vhost_offloads(vid),
	                      memory_order_relaxed);
	atomic_store_explicit(&vhost->vid, vid, memory_order_release);
	vhost->port->link_up = true;
	vhost->port->link_resets++;
	port_status_changed(vhost->port);
	return 0;
}

static void
vhost_destroy_device(int vid)
{
	struct vhost *vhost = vhost_of_device(vid);

	if (!vhost)
		return;
	vhost->port->link_up = false;
	atomic_store_explicit(&vhost->vid, VHOST_NO_DEVICE, memory_order_release);
	/* Until the next guest has said what it takes, nothing is right for all. */
	atomic_store_explicit(&vhost->port->offloads, 0, memory_order_relaxed);
	for (unsigned i = 0; i < DP_QUEUES_MAX; i++) {
		vhost->tx_enabled[i] = false;
		vhost->port->rxqs[i].enabled = false;
	}
	rcu_synchronize();
	vhost->port->link_resets++;
	port_status_changed(vhost->port);
}

static int
vhost_vring_state_changed(int vid, uint16_t vring, int enable)
{
	struct vhost *vhost = vhost_of_device(vid);
	unsigned pair = vring / 2;

	if (!vhost || pair >= DP_QUEUES_MAX)
		return 0;
	/* The ring is locked by our caller: nothing here may call back into it. */
	if (vring & 1)
		vhost->port->rxqs[pair].enabled = enable;
	else
		vhost->tx_enabled[pair] = enable;
	port_status_changed(vhost->port);
	return 0;
}

static const struct rte_vhost_device_ops device_ops = {
	.new_device = vhost_new_device,
	.destroy_device = vhost_destroy_device,
	.vring_state_changed = vhost_vring_state_changed,
};

/* ---- main thread ---- */

/* A socket file that nobody listens on any more is a crashed switch's: replace it.
 * Anything else in that place is refused. */
static int
vhost_clear_stale_socket(const char *path, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, ret;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST, "%s: exists and is not a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, -errno, "%s: socket: %s", path, strerror(errno));
	strcpy(address.sun_path, path);
	ret = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	if (ret != ECONNREFUSED)
		return error_set(err, -EADDRINUSE, "%s: another process listens there",
		                 path);
	unlink(path);
	return 0;
}

static int
vhost_check_path(const char *path, bool is_client, struct error *err)
{
	struct stat st;
	char *directory, *slash;
	int ret = 0;

	if (path[0] != '/')
		return error_set(err, -EINVAL, "socket path \"%s\" is not absolute",
		                 path);
	if (strlen(path) >= DP_PATH_MAX_BYTES - 1)
		return error_set(err, -ENAMETOOLONG,
		                 "socket path \"%s\" is longer than %d bytes", path,
		                 DP_PATH_MAX_BYTES - 1);
	directory = xstrdup(path);
	slash = strrchr(directory, '/');
	*(slash == directory ? slash + 1 : slash) = '\0';
	if (stat(directory, &st) < 0)
		ret = error_set(err, -errno,
		                "%s: cannot reach the directory of the socket: %s", path,
		                strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		ret = error_set(err, -ENOTDIR, "%s: %s is not a directory", path,
		                directory);
	free(directory);
	if (ret < 0)
		return ret;
	if (!is_client)
		return vhost_clear_stale_socket(path, err);
	if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return error_set(err, -ENOTSOCK, "%s: exists and is not a socket", path);
	return 0;
}

static int
vhost_register(const struct vhost *vhost, struct error *err)
{
	/* Marks on received packets as any driver sets them; offload.c reads those. */
	uint64_t flags = RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS |
	                 (vhost->is_client ? RTE_VHOST_USER_CLIENT : 0);
	const char *path = vhost->path;

	if (rte_vhost_driver_register(path, flags) != 0)
		return error_set(err, -EADDRINUSE,
		                 "%s: cannot register the vhost-user socket", path);
	if (rte_vhost_driver_disable_features(path, FEATURES_NOT_OFFERED) != 0 ||
	    rte_vhost_driver_callback_register(path, &device_ops) != 0 ||
	    rte_vhost_driver_start(path) != 0) {
		rte_vhost_driver_unregister(path);
		return error_set(err, -EIO, "%s: cannot serve the vhost-user socket",
		                 path);
	}
	return 0;
}

static void
vhost_unlist(struct vhost *vhost)
{
	pthread_mutex_lock(&list_lock);
	for (struct vhost **link = &list; *link; link = &(*link)->next) {
		if (*link == vhost) {
			*link = vhost->next;
			break;
		}
	}
	pthread_mutex_unlock(&list_lock);
}

static int
vhost_open(struct port *port, const struct dp_port_config *config, struct error *err)
{
	bool is_client = config->type == DP_PORT_VHOST_CLIENT;
	struct vhost *vhost;
	int ret = vhost_check_path(config->socket_path, is_client, err);

	if (ret < 0)
		return ret;
	vhost = xcalloc(1, sizeof(*vhost));
	vhost->port = port;
	vhost->is_client = is_client;
	vhost->vid = VHOST_NO_DEVICE;
	vhost->numa_node = -1;
	memcpy(vhost->path, config->socket_path, sizeof(vhost->path));
	port->impl = vhost;
	port->link_up = false;
	port_alloc_rxqs(port, DP_QUEUES_MAX);
	pthread_mutex_lock(&list_lock);
	vhost->next = list;
	list = vhost;
	pthread_mutex_unlock(&list_lock);
	ret = vhost_register(vhost, err);
	if (ret < 0) {
		vhost_unlist(vhost);
		free(vhost);
	}
	return ret;
}

static void
vhost_close(struct port *port)
{
	struct vhost *vhost = port->impl;

	/* Ends the device first: its callbacks still find the port. */
	rte_vhost_driver_unregister(vhost->path);
	vhost_unlist(vhost);
	free(vhost);
}

static unsigned
vhost_tx_queues(struct port *port, uint8_t queues[DP_QUEUES_MAX])
{
	struct vhost *vhost = port->impl;
	unsigned n = 0;

	if (vhost->vid == VHOST_NO_DEVICE)
		return 0;
	for (unsigned i = 0; i < DP_QUEUES_MAX; i++)
		if (vhost->tx_enabled[i])
			queues[n++] = (uint8_t)i;
	return n;
}

static int
vhost_set(struct port *port, const struct dp_port_settings *settings, struct error *err)
{
	(void)err;
	port->mtu = settings->mtu; /* enforced by output.c: the guest cannot be told */
	return 0;
}

static void
vhost_status(struct port *port, struct dp_port_status *status)
{
	struct vhost *vhost = port->impl;
	int vid = vhost->vid;

	status->numa_node = vhost->numa_node;
	status->is_connected = vid != VHOST_NO_DEVICE;
	if (vid == VHOST_NO_DEVICE)
		return;
	rte_vhost_get_negotiated_features(vid, &status->features);
	status->n_queue_pairs = MIN_OF(rte_vhost_get_vring_num(vid) / 2, DP_QUEUES_MAX);
	for (uint16_t i = 0; i < status->n_queue_pairs * 2; i++) {
		struct rte_vhost_vring vring;

		if (rte_vhost_get_vhost_vring(vid, i, &vring) == 0)
			status->vring_size[i] = vring.size;
		status->vring_enabled[i] =
			i & 1 ? port->rxqs[i / 2].enabled : vhost->tx_enabled[i / 2];
	}
}

static uint32_t
vhost_rx_waiting(const struct port *port, uint16_t queue)
{
	const struct vhost *vhost = port->impl;
	int vid = vhost->vid;

	return vid == VHOST_NO_DEVICE ? 0
	                              : rte_vhost_rx_queue_count(vid, VHOST_RXQ(queue));
}

/* ---- workers ---- */

static uint16_t
vhost_rx(struct worker *worker, struct rxq *rxq, struct rte_mbuf **pkts, uint16_t max)
{
	struct vhost *vhost = rxq->port->impl;
	int vid = atomic_load_explicit(&vhost->vid, memory_order_acquire);
	uint64_t flags = 0;
	uint16_t n;

	if (unlikely(vid == VHOST_NO_DEVICE))
		return 0;
	n = rte_vhost_dequeue_burst(vid, VHOST_RXQ(rxq->index),
	                            eal_packet_pool(worker->numa_node), pkts, max);
	for (uint16_t i = 0; i < n; i++)
		flags |= pkts[i]->ol_flags;
	if (unlikely(flags & OFFLOAD_RX_FLAGS))
		n = offload_accept(worker, rxq->port, pkts, n);
	return n;
}

/* rte_vhost copies into the guest: what was taken is ours to free, all at once. */
static uint16_t
vhost_tx(struct worker *worker, struct port *port, uint16_t queue, struct rte_mbuf **pkts,
         uint16_t n)
{
	struct port_worker *pw = port_of_worker(port, worker);
	struct vhost *vhost = port->impl;
	int vid = atomic_load_explicit(&vhost->vid, memory_order_acquire);
	uint64_t bytes = 0;
	uint16_t sent;

	if (unlikely(vid == VHOST_NO_DEVICE)) {
		port_drop(port, worker, DROP_TX_NOT_CONNECTED, pkts, n);
		return n;
	}
	sent = rte_vhost_enqueue_burst(vid, VHOST_TXQ(queue), pkts, n);
	for (uint16_t i = 0; i < sent; i++)
		bytes += pkts[i]->pkt_len;
	pw->tx_packets += sent;
	pw->tx_bytes += bytes;
	rte_pktmbuf_free_bulk(pkts, sent);
	return sent;
}

static int
vhost_numa_node(const struct port *port)
{
	const struct vhost *vhost = port->impl;

	return vhost->numa_node;
}

#define VHOST_OPS(port_type)                                                            \
	{                                                                               \
		.type = port_type, .open = vhost_open, .close = vhost_close,            \
		.set = vhost_set, .status = vhost_status, .tx_queues = vhost_tx_queues, \
		.numa_node = vhost_numa_node, .rx_waiting = vhost_rx_waiting,           \
		.rx = vhost_rx, .tx = vhost_tx,                                         \
	}

const struct port_ops port_vhost_client_ops = VHOST_OPS(DP_PORT_VHOST_CLIENT);
const struct port_ops port_vhost_server_ops = VHOST_OPS(DP_PORT_VHOST_SERVER);
