/* qos.h - a port's egress scheduler: packets <-> lib/qos. The owner worker enqueues and
 * drains; main edits the tree through the owner (qos_config.c). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/packet.h"
#include "datapath/qos_delay.h"
#include "qos/policer.h"
#include "qos/sched.h"

struct port;
struct worker;

#define QOS_CLASS_NUMBER_MAX 61439 /* as OVS: queue numbers stay below 61440 */
#define QOS_REF_NONE         UINT32_MAX

/* Queue number -> reference of the leaf that takes its packets; published as a whole. */
struct qos_class_map {
	uint32_t n;
	uint32_t refs[];
};

struct port_qos {
	struct port *port;
	enum dp_qos_kind kind;
	_Atomic uint16_t owner; /* worker id; main writes */
	int32_t overhead_bytes;
	uint32_t mpu_bytes;
	uint32_t backlog_limit; /* packets in the whole tree: a port's share of the
	                           buffers */

	/* the owner's */
	struct sched *sched;
	struct policer policer;
	struct batch pending;     /* scheduled, but the port did not take them yet */
	struct qos_sample sample; /* of 'pending' */
	struct qos_class_map *_Atomic map;

	struct qos_tree *tree;  /* main's: qos_config.c */
	struct qos_watch watch; /* the owner's and main's: see there */
};

/* Takes the packets: queued, or dropped and counted. Owner worker. */
void qos_enqueue(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                 unsigned n);

/* Sends what may be sent now; returns how many packets moved. Owner worker. Lowers
 * worker->next_qos_ns to the moment this scheduler wants to run again. */
unsigned qos_drain(struct worker *worker, struct port_qos *qos);

/* ---- main thread ---- */

/* Frees a scheduler that no worker sees any more, with its packets. */
void qos_destroy(struct port_qos *qos);
