/* qos_meter.h - the trtcm-policer of a port: each class has two rates, the port has two,
 * and a packet passes if neither calls it red. The port's owner polices (qos.c); main
 * makes the meters (qos_meter_config.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "qos/trtcm.h"

struct dp_class_stats;
struct dp_qos_config;
struct port_qos;

/* Counters: the owner writes, main reads. */
struct qos_meter {
	uint32_t number;
	uint64_t created_ns;
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

static inline void
qos_meter_count(struct qos_meter *meter, enum trtcm_color color, uint32_t bytes)
{
	if (color == TRTCM_RED) {
		meter->dropped_packets++;
		meter->dropped_bytes += bytes;
		return;
	}
	meter->sent_packets++;
	meter->sent_bytes += bytes;
	if (color == TRTCM_YELLOW)
		meter->yellow_bytes += bytes;
}

/* Whether a packet of the class passes. Owner worker. */
static inline bool
qos_meter_admit(struct qos_meters *meters, uint32_t index, uint32_t bytes,
                uint64_t now_ns)
{
	struct qos_meter *class = &meters->classes[index];
	enum trtcm_color color = trtcm_mark(&class->trtcm, TRTCM_GREEN, bytes, now_ns);

	color = trtcm_mark(&meters->port.trtcm, color, bytes, now_ns);
	qos_meter_count(class, color, bytes);
	qos_meter_count(&meters->port, color, bytes);
	return color != TRTCM_RED;
}

/* ---- main thread ---- */

/* Makes the meters what 'config' says; those of classes that stay keep their debts and
 * counters. */
void qos_meter_apply(struct port_qos *qos, const struct dp_qos_config *config);

void qos_meter_report(const struct port_qos *qos,
                      void (*cb)(const struct dp_class_stats *, void *aux), void *aux);
