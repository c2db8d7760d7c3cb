/* qos.h - an egress scheduler, of one port or of several that share it: packets <->
 * lib/qos. The owner worker enqueues and drains; main edits the tree through the owner
 * (qos_config.c). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/packet.h"
#include "datapath/qos_classify.h"
#include "datapath/qos_delay.h"
#include "qos/policer.h"
#include "qos/sched.h"

struct port;
struct qos_meters;
struct worker;

/* Packets of each class that a worker lost on their way into the scheduler, which does
 * not know of them; by number. The worker writes, main reads. */
struct qos_losses {
	uint32_t n;
	struct qos_loss {
		uint64_t packets, bytes;
	} by_number[];
};

struct port_qos {
	enum dp_qos_kind kind;
	_Atomic uint16_t owner;   /* worker id; main writes */
	_Atomic uint32_t n_ports; /* that share it; main writes */
	int32_t overhead_bytes;
	uint32_t mpu_bytes;
	_Atomic bool uses_ecn;  /* some class marks packets; main writes */
	uint32_t backlog_limit; /* packets in the whole tree: its share of the buffers */

	/* the owner's */
	struct sched *sched;
	struct policer policer;
	struct qos_meters *meters; /* DP_QOS_TRTCM */
	struct port *waiting; /* ports that did not take all of theirs, by next_waiting */
	uint64_t pool_seen_ns;
	bool pool_is_low; /* at that moment */
	struct qos_timing timing;
	struct qos_class_map *_Atomic map;
	struct qos_losses *_Atomic losses[DP_WORKERS_MAX]; /* main publishes */

	/* main's: qos_config.c */
	struct qos_tree *tree;
	void *sched_memory;
	void *flows_memory;             /* of fair classes; NULL = there were none yet */
	bool is_fair;                   /* some class is */
	struct qos_losses *past_losses; /* of tables that were replaced */
	char *domain;                   /* NULL = one port's own */
	struct port **ports;            /* n_ports of them */
	struct qos_history *history;    /* qos_watch.c's; NULL = no tree */
	struct port_qos *next;
};

/* Main thread: all schedulers, linked by 'next'. */
extern struct port_qos *qos_all;

/* Takes the packets: queued, or dropped and counted. Owner worker. */
void qos_enqueue(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                 unsigned n);

/* Sends what may be sent now; returns how many packets moved. Owner worker. Lowers
 * worker->next_qos_ns to the moment this scheduler wants to run again. */
unsigned qos_drain(struct worker *worker, struct port_qos *qos);

/* Counts packets, which the caller is about to drop, as lost by their classes: they did
 * not come as far as the scheduler. Any worker. */
void qos_count_losses(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                      unsigned n);

/* ---- main thread ---- */

/* Takes a port that is about to go out of its scheduler. */
void qos_leave(struct port *port);

/* Makes room for what a new worker loses. */
void qos_prepare_worker(uint16_t worker_id);
