/* port.h - a port: its queues, settings, counters, and the operations of its type.
 * Main creates and deletes ports; workers see them through ports[] between quiescent
 * points. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "datapath/datapath.h"
#include "datapath/drop.h"
#include "datapath/packet.h"
#include "datapath/worker.h"
#include "qos/policer.h"

struct bridge;
struct gate_port;
struct gate_queue;
struct port;
struct port_ops;
struct port_qos;

#define USAGE_INTERVALS 13 /* five seconds apart: the last minute */

/* What went through a port's gate (gate.h); the owner worker writes, main reads. */
struct gate_counts {
	uint64_t packets;
	uint64_t wait_ns; /* how long they stood in the window, in total */
	uint64_t full_ns; /* how long the ring was not polled, in total */
};

/* Unfinished packets that a port takes: see offload.h. The last two come with the first.
 */
#define PORT_OFFLOAD_CHECKSUM 1U /* of TCP and UDP, over IPv4 and IPv6 */
#define PORT_OFFLOAD_TSO4     2U
#define PORT_OFFLOAD_TSO6     4U
#define PORT_OFFLOADS_ALL     7U

/* A queue that is polled. Everything below 'owner' belongs to the owning worker. */
struct rxq {
	struct port *port;
	uint16_t index;
	int fd;                 /* of a kernel interface; -1 = polled */
	_Atomic bool enabled;   /* main or vhost's thread writes, the worker reads */
	_Atomic uint16_t owner; /* worker id or WORKER_NONE; main writes */
	bool is_ready; /* kernel interface: epoll says there is something to read */
	struct gate_queue *_Atomic gate; /* NULL = none; main writes */
	uint64_t packets, bytes;
	uint64_t cycles;                   /* spent on this queue's packets */
	uint64_t history[USAGE_INTERVALS]; /* main's: cycles at the last ticks, see
	                                      stats.c */
} CACHE_ALIGNED;

/* How a worker sends to a port. */
enum tx_mode {
	TX_NONE,     /* no queue to send to: drop, not connected */
	TX_DIRECT,   /* its own queues: send */
	TX_HANDOVER, /* give to 'target' over a ring */
	TX_QOS,      /* it owns the port's scheduler */
};

struct tx_route {
	uint8_t mode;
	uint8_t n_queues;
	uint16_t target; /* worker id */
	uint8_t queues[DP_QUEUES_MAX];
};

/* One route per worker; published as a whole. */
struct tx_map {
	struct tx_route routes[DP_WORKERS_MAX];
};

/* A worker's share of a port: written by that worker only. */
struct port_worker {
	struct port *port;
	bool is_dirty;
	struct batch stage; /* packets waiting to be sent */
	uint64_t rx_packets, rx_bytes;
	uint64_t rx_marked; /* with congestion marks, by the policer */
	uint64_t tx_packets, tx_bytes;
	uint64_t drops[DROP_N_REASONS];
	uint64_t txq_packets[DP_QUEUES_MAX];
} CACHE_ALIGNED;

/* VLAN membership, published as a whole with the rest of the settings. */
struct port_settings {
	struct dp_port_settings config;
	bool vlan_is_plain; /* carries every VLAN and changes no tag */
	bool is_policed;    /* packets above the rates, or all, are dropped or marked */
	bool is_flooded;    /* gets what goes to all ports */
	bool drops_fragments;
	uint32_t class_number; /* for packets from this port; PACKET_CLASS_NONE */
};

/* Packets that a scheduler let go and the port did not take yet. Its owner's. */
struct port_pending {
	struct qos_item *head, *tail;
	uint32_t n;
	bool is_waiting; /* stands in the scheduler's list of such ports */
	uint64_t retry_ns;
	struct port *next_waiting;
};

struct port {
	/* constant while the port lives */
	uint32_t id;
	char name[DP_NAME_MAX_BYTES];
	enum dp_port_type type;
	const struct port_ops *ops;
	struct bridge *bridge;
	uint16_t ofport;
	void *impl; /* the type's own state */

	/* main writes, workers read */
	struct port_settings *_Atomic settings;
	struct tx_map *_Atomic tx_map;
	struct port_qos *_Atomic qos;
	_Atomic bool link_up; /* also written by vhost's event thread */
	_Atomic uint32_t mtu; /* 0 = not enforced */
	/* PORT_OFFLOAD_*; written by main or vhost's event thread */
	_Atomic uint32_t offloads;
	uint16_t n_rxqs;
	struct rxq *rxqs; /* array of n_rxqs */
	struct port_worker *_Atomic by_worker[DP_WORKERS_MAX];

	/* main's: as asked for, and what controllers turned off (DP_PORT_*) */
	struct dp_port_settings asked;
	uint32_t off;

	struct port_pending pending;

	/* one worker: all queues of a policed port have one owner */
	struct policer police_bytes, police_packets;

	/* Any worker: when the packets for controllers so far would have been sent at the
	 * bridge's rate. */
	_Atomic uint64_t punt_paid_until_ns;

	_Atomic uint32_t link_resets;
	struct port_worker retired;      /* main's: sums of workers that ended */
	struct gate_port *gate;          /* main's; NULL = none */
	struct gate_counts gate_retired; /* main's: of gates that it had before */
};

/* The operations of a port type; NULL where it has none. */
struct port_ops {
	enum dp_port_type type;
	bool served_by_kernel_worker;
	bool tx_needs_one_sender; /* its tx queues have no lock of their own */
	bool tx_by_any_worker;    /* tx touches nothing but the worker's own */

	/* main: acquires what 'config' names and fills n_rxqs, rxqs, link_up, mtu, impl.
	 */
	int (*open)(struct port *port, const struct dp_port_config *config,
	            struct error *err);
	/* main: after workers have let go of the port. */
	void (*close)(struct port *port);
	/* main: applies a change of mtu or admin_down. */
	int (*set)(struct port *port, const struct dp_port_settings *settings,
	           struct error *err);
	/* main: fills what the type knows. */
	void (*status)(struct port *port, struct dp_port_status *status);
	/* main: the tx queues in use, ascending; returns how many. */
	unsigned (*tx_queues)(struct port *port, uint8_t queues[DP_QUEUES_MAX]);

	/* main: the node the port's memory is on; -1 unknown. */
	int (*numa_node)(const struct port *port);

	/* owner worker: fills 'pkts' with at most 'max' packets, 1..BATCH_MAX. */
	uint16_t (*rx)(struct worker *worker, struct rxq *rxq, struct rte_mbuf **pkts,
	               uint16_t max);
	/* main: how many packets wait to be received; NULL = cannot be known. */
	uint32_t (*rx_waiting)(const struct port *port, uint16_t queue);
	/* owner worker of the tx queue: sends the first packets it can and takes those;
	 * returns how many. What it can never send it takes too, and counts. */
	uint16_t (*tx)(struct worker *worker, struct port *port, uint16_t queue,
	               struct rte_mbuf **pkts, uint16_t n);
};

extern const struct port_ops port_vhost_client_ops, port_vhost_server_ops, port_tap_ops,
	port_internal_ops, port_system_ops, port_eth_ops, port_patch_ops, port_dummy_ops;

/* By id; main writes, workers read. */
extern struct port *_Atomic ports[DP_PORTS_MAX];

const struct port_ops *port_ops_of(enum dp_port_type type);

/* Allocates 'n' queues, all without an owner; released with the port. */
void port_alloc_rxqs(struct port *port, uint16_t n);

/* Any thread: something that dp_port_get_status() reports has changed; main will look. */
void port_status_changed(struct port *port);

static inline struct port_worker *
port_of_worker(const struct port *port, const struct worker *worker)
{
	return port->by_worker[worker->id];
}

/* How 'worker' sends to the port; valid until its next quiescent point. */
static inline const struct tx_route *
port_route(const struct port *port, const struct worker *worker)
{
	return &atomic_load_explicit(&port->tx_map, memory_order_acquire)
	                ->routes[worker->id];
}

/* Counts and frees packets that cannot go on; 'pkts' are gone afterwards. */
void port_drop(struct port *port, struct worker *worker, enum drop_reason reason,
               struct rte_mbuf **pkts, unsigned n);

/* Counts a drop of something that is no packet of ours (a copy that could not be made).
 */
static inline void
port_worker_count_drop(struct port *port, struct worker *worker, enum drop_reason reason)
{
	port_of_worker(port, worker)->drops[reason]++;
}
