/* qos_meter.h - the trtcm-policer of a port: each class has two rates, the port has two,
 * and a packet passes if neither calls it red. The port's owner polices; main makes the
 * meters (qos_meter_config.c). */
#pragma once

#include "datapath/packet.h"
#include "qos/trtcm.h"

struct dp_class_stats;
struct dp_qos_config;
struct error;
struct port;
struct port_qos;
struct worker;

/* Counters: the owner writes, main reads. */
struct qos_meter {
	uint32_t number;
	struct trtcm_rates rates;
	struct trtcm trtcm;
	uint64_t sent_packets, sent_bytes;
	uint64_t yellow_bytes; /* of those sent: above the committed rate */
	uint64_t dropped_packets, dropped_bytes;
};

/* Classes ascending by number; the map's references are indices of them. */
struct qos_meters {
	struct qos_meter port;
	uint32_t n;
	struct qos_meter classes[];
};

/* Sends the packets that pass, drops and counts the others. Owner worker. */
void qos_meter_police(struct worker *worker, struct port *port, struct port_qos *qos,
                      struct rte_mbuf **pkts, unsigned n);

/* ---- main thread ---- */

/* Makes the meters what 'config' says; those of classes that stay keep their debts and
 * counters. */
void qos_meter_apply(struct port_qos *qos, const struct dp_qos_config *config);

void qos_meter_report(const struct port_qos *qos,
                      void (*cb)(const struct dp_class_stats *, void *aux), void *aux);
