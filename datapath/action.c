/* action.c - dispatches the actions of a program, batch by batch. Between pipeline.c and
 * normal.c / output.c. Worker threads. */
#include "datapath/action.h"

#include "datapath/bridge.h"
#include "datapath/normal.h"
#include "datapath/output.h"
#include "datapath/port/port.h"
#include "net/flow_action.h"

#include "datapath/hot.h"

static void
action_output(struct worker *worker, struct port *in, uint32_t number,
              struct rte_mbuf **pkts, unsigned n)
{
	struct port *out = bridge_find_port(in->bridge, number);

	if (!out || out == in)
		port_drop(in, worker, out ? DROP_RX_HAIRPIN : DROP_RX_NO_OUTPUT, pkts, n);
	else
		output_packets(worker, out, pkts, n);
}

/* Copies of the packets for an action that is not the last to send them. */
static unsigned
action_copy(struct worker *worker, struct port *in, struct rte_mbuf **pkts, unsigned n,
            struct rte_mbuf **copies)
{
	unsigned made = 0;

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *copy =
			rte_pktmbuf_copy(pkts[i], pkts[i]->pool, 0, UINT32_MAX);

		if (!copy) {
			port_worker_count_drop(in, worker, DROP_RX_NO_BUFFER);
			continue;
		}
		*packet_meta(copy) = *packet_meta(pkts[i]);
		copies[made++] = copy;
	}
	return made;
}

static bool
action_sends(const struct flow_action *action)
{
	return action->type == ACTION_OUTPUT;
}

static void
action_send(struct worker *worker, struct port *in, const struct flow_action *action,
            struct rte_mbuf **pkts, unsigned n)
{
	uint32_t number = ((const struct flow_output *)action)->port;

	if (number == FLOW_PORT_NORMAL)
		normal_forward(worker, in, pkts, n);
	else
		action_output(worker, in, number, pkts, n);
}

void
action_execute(struct worker *worker, struct port *in, const void *records, size_t bytes,
               struct rte_mbuf **pkts, unsigned n)
{
	struct rte_mbuf *copies[BATCH_MAX];
	const struct flow_action *last = NULL;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (action_sends(action))
		last = action;
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (action == last)
			break;
		if (action_sends(action))
			action_send(worker, in, action, copies,
			            action_copy(worker, in, pkts, n, copies));
		else if (action->type == ACTION_SET_QUEUE)
			for (unsigned k = 0; k < n; k++)
				packet_meta(pkts[k])->item.class_ref =
					(uint32_t)((const struct flow_number *)action)
						->value;
	}
	if (last)
		action_send(worker, in, last, pkts, n);
	else
		port_drop(in, worker, DROP_RX_NO_RULE, pkts, n);
}
