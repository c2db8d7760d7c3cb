/* kernel.h - what ports on kernel interfaces (tap.c, system.c) share: reading and
 * changing an interface, and turning a received frame into packets. */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/packet.h"
#include "datapath/port/port.h"

/* The longest frame an interface hands over: 64 KB of IP, Ethernet and two tags. */
#define KERNEL_FRAME_MAX_BYTES (65535 + 14 + 8)
#define KERNEL_WAITING_MAX     2048 /* power of two; a frame has at most 1285 segments */

/* Packets made of one large frame may be more than a batch: the rest waits here, in a
 * ring. */
struct kernel_waiting {
	unsigned first, n;
	struct rte_mbuf *pkts[KERNEL_WAITING_MAX];
};

/* ---- main thread ---- */

/* 0 or -errno; 'name' is an interface in our network namespace. */
int kernel_set_flag(const char *name, short flag, bool on);
int kernel_set_mtu(const char *name, uint32_t mtu);

/* Fills MAC, MTU, ifindex and link from the kernel; false if there is no such interface
 * (in this namespace). */
bool kernel_get_status(const char *name, struct dp_port_status *status);

/* Applies the MTU, and the MAC address where the interface is ours. */
int kernel_apply_settings(struct port *port, const struct dp_port_settings *settings,
                          struct error *err);

/* ---- owner worker ---- */

/* Makes packets of a frame and appends them to 'waiting'. What 'header' leaves to do is
 * noted in the packet (offload.h) if it is TCP or UDP, else done here. 'tag', a VLAN
 * tag's TPID and TCI, is put in front of the type unless it is 0. What cannot be is
 * dropped and counted. */
void kernel_receive(struct worker *worker, struct port *port,
                    struct kernel_waiting *waiting, uint8_t *frame, size_t length,
                    const struct virtio_net_hdr *header, uint32_t tag);

/* Moves waiting packets to 'pkts', at most 'max'. */
uint16_t kernel_take_waiting(struct kernel_waiting *waiting, struct rte_mbuf **pkts,
                             uint16_t max);

/* Frees what is left, when the port closes. */
void kernel_free_waiting(struct kernel_waiting *waiting);

/* The tx operation of kernel ports: sends each packet by 'send' with a header that says
 * what is left to do; it returns 0 or an errno. Stops when the interface's queue is full,
 * drops what it does not take. */
typedef int kernel_send_fn(const void *impl, struct virtio_net_hdr *header,
                           const struct rte_mbuf *pkt);
uint16_t kernel_transmit(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                         uint16_t n, kernel_send_fn *send);
