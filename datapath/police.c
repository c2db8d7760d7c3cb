/* police.c - the two policers of a port, bytes and packets: both must let a packet pass,
 * and then both are paid. Below pipeline.c. Owner worker of the port's queues. */
#include "datapath/police.h"

#include "base/compiler.h"
#include "datapath/charge.h"
#include "datapath/ecn.h"
#include "datapath/port/port.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

/* Whether the packet may pass, with a congestion mark if that is what it takes: its
 * sender slows down for it as for a loss, and until it does there is one burst more. */
static bool
police_lets_pass(struct worker *worker, struct port *port, bool may_mark,
                 struct rte_mbuf *pkt)
{
	enum policer_colour bytes = policer_look(&port->police_bytes, worker->now_ns);
	enum policer_colour packets = policer_look(&port->police_packets, worker->now_ns);
	enum policer_colour worst = MAX_OF(bytes, packets);

	if (likely(worst == POLICER_GREEN))
		return true;
	if (worst == POLICER_RED || !may_mark || !ecn_is_capable(pkt))
		return false;
	ecn_mark(pkt);
	port_of_worker(port, worker)->rx_marked++;
	return true;
}

/* Drops what is part of a fragmented packet; returns how many are left. */
static unsigned
police_fragments(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
                 unsigned n)
{
	struct flow_key key;
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		flow_parse(rte_pktmbuf_mtod(pkts[i], const uint8_t *), pkts[i]->data_len,
		           pkts[i]->pkt_len, &key);
		if (key.f.ip_fragment)
			port_drop(port, worker, DROP_RX_FRAGMENT, &pkts[i], 1);
		else
			pkts[left++] = pkts[i];
	}
	return left;
}

unsigned
police_packets(struct worker *worker, struct port *port,
               const struct port_settings *settings, struct rte_mbuf **pkts, unsigned n)
{
	bool may_mark = settings->config.on_excess == DP_EXCESS_MARK;
	unsigned left = 0;

	if (unlikely(settings->config.no_receive)) {
		port_drop(port, worker, DROP_RX_PORT_NO_RECEIVE, pkts, n);
		return 0;
	}
	if (unlikely(settings->drops_fragments))
		n = police_fragments(worker, port, pkts, n);
	for (unsigned i = 0; i < n; i++) {
		const struct qos_item *item = &packet_meta(pkts[i])->item;

		if (!police_lets_pass(worker, port, may_mark, pkts[i])) {
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
