/* qos_meter.c - polices by two rates of the class, then by two of the port. Runs on the
 * worker that owns the port's QoS. */
#include "datapath/qos_meter.h"

#include "datapath/charge.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/transmit.h"

#include "datapath/hot.h"

static void
meter_count(struct qos_meter *meter, enum trtcm_color color, uint32_t bytes)
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

void
qos_meter_police(struct worker *worker, struct port *port, struct port_qos *qos,
                 struct rte_mbuf **pkts, unsigned n)
{
	const struct qos_class_map *map = qos->map;
	const struct port_settings *settings = port->settings;
	struct qos_meters *meters = qos->meters;
	struct rte_mbuf *pass[BATCH_MAX];
	unsigned n_pass = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t number =
			qos_classify(map, pkts[i], settings->config.egress_default_class);
		struct qos_meter *class = &meters->classes[qos_map_ref(map, number)];
		enum trtcm_color color;
		uint32_t bytes;

		packet_charge(pkts[i], qos->overhead_bytes, qos->mpu_bytes);
		bytes = packet_meta(pkts[i])->item.charged_bytes;
		color = trtcm_mark(&class->trtcm, TRTCM_GREEN, bytes, worker->now_ns);
		color = trtcm_mark(&meters->port.trtcm, color, bytes, worker->now_ns);
		meter_count(class, color, bytes);
		meter_count(&meters->port, color, bytes);
		if (color == TRTCM_RED)
			port_drop(port, worker, DROP_TX_QOS_POLICED, &pkts[i], 1);
		else
			pass[n_pass++] = pkts[i];
	}
	if (n_pass > 0)
		transmit_or_drop(worker, port, pass, n_pass);
}
