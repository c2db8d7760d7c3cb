/* gate.h - the scheduler in front of the pipeline: packets that a gated port sends wait
 * here for their turn, a few of them, and the rest in the guest's ring. The owner worker
 * polls, admits and drains; main makes and changes gates (gate_config.c).
 *
 *   guest's ring --rx, while the window has room--> leaf --turn--> pipeline
 *
 * A gate is a tree of lib/qos: root (what the bridge's gated ports may send together, or
 * no limit), a class per port (its rates), a leaf per rx queue. All its queues have one
 * owner, the gate's. Destinations never close a gate, only its own rates do: so no two
 * guests can wait for each other. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/packet.h"
#include "datapath/port/port.h"
#include "qos/gate_window.h"
#include "qos/recent.h"
#include "qos/sched.h"

struct bridge;

/* A queue behind a gate. The owner's, but for 'rxq' and what gate_config.c does through
 * the owner. */
struct gate_queue {
	struct gate *gate;
	struct rxq *rxq;
	uint32_t leaf;     /* reference */
	bool is_closed;    /* takes no more packets: it is about to go */
	bool is_muted;     /* epoll does not report the kernel interface */
	bool must_drop;    /* the next packet: the ring was stuck */
	uint16_t item_tag; /* finds the queue of an item again */
	struct gate_window window;
	struct gate_counts counts; /* full_ns is the window's */
	uint32_t untimed;          /* packets until the next one that is timed */
	struct recent waits;       /* in the window */
} CACHE_ALIGNED;

struct gate {
	_Atomic uint16_t owner; /* worker id; main writes */
	struct sched *sched;    /* the owner's */

	/* main's */
	uint16_t wanted_owner; /* while assign.c computes */
	uint16_t n_ports;      /* 0: goes when no worker sees it any more */
	struct bridge *bridge; /* whose ports share it; NULL = one port's own */
	void *memory;          /* the scheduler's */
	void *flows;           /* the scheduler's, for its fair leaves */
	struct gate *next;
};

/* A port's part of a gate; main's. */
struct gate_port {
	struct gate *gate;
	uint32_t node; /* reference */
	uint16_t n_queues;
	struct gate_queue queues[];
};

/* ---- owner worker ---- */

/* How many packets to poll from the queue now; 0: leave them where they are. */
unsigned gate_room(struct worker *worker, struct gate_queue *queue);

/* Takes the packets that were polled after gate_room(). */
void gate_admit(struct worker *worker, struct gate_queue *queue, struct rte_mbuf **pkts,
                unsigned n);

/* Sends what may be sent now through the pipeline; returns how many packets. Lowers
 * worker->next_qos_ns to the moment this gate wants to run again. */
unsigned gate_drain(struct worker *worker, struct gate *gate);

/* Sends packets that a class held when it was deleted, at once: linked through 'next', in
 * order. gate_config.c's way to lose nothing. */
void gate_send_rest(struct worker *worker, struct qos_item *items);

/* Has epoll report the queue's kernel interface, or not; nothing else is done for queues
 * that are polled. */
void gate_mute(struct worker *worker, struct gate_queue *queue, bool mute);

/* ---- main thread ---- */

/* First in the list of all gates, for assign.c. */
extern struct gate *gates;

/* Gives the port the gate that 'config' and its bridge ask for, or takes it away; what is
 * in it is sent first. assign_update() must follow. */
int gate_update(struct port *port, const struct dp_port_settings *config,
                struct error *err);

/* The same for all ports of a bridge whose ingress_bps changed; assign_update() must
 * follow. */
int gate_update_bridge(struct bridge *bridge, struct error *err);

/* When the port is deleted: sends what is held and takes no more; then, when no worker
 * sees the port any more, frees. */
void gate_close_port(struct port *port);
void gate_release_port(struct port *port);

/* Frees gates without ports, once assign.c has published views without them. */
void gates_collect(void);

/* False if the port has never had a gate. 'held' gets the packets in the window. */
bool gate_get_counts(const struct port *port, struct gate_counts *counts, uint32_t *held);

/* Adds what is known of the last seconds' waits in the port's windows. */
void gate_sum_waits(const struct port *port, uint64_t now_ns, struct histogram *sum);
