/* action_static.c - the actions of rules as table.c has them, batch by batch. Between
 * pipeline.c and normal.c / output.c. Worker threads. */
#include "datapath/action.h"
#include "datapath/normal.h"
#include "datapath/output.h"
#include "datapath/port/port.h"

#include "datapath/hot.h"

static void
action_output(struct worker *worker, struct port *in, uint32_t port_id,
              struct rte_mbuf **pkts, unsigned n)
{
	struct port *out = port_id < DP_PORTS_MAX ? ports[port_id] : NULL;

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
action_sends(const struct dp_action *action)
{
	return action->type == DP_ACTION_OUTPUT || action->type == DP_ACTION_NORMAL;
}

static void
action_send(struct worker *worker, struct port *in, const struct dp_action *action,
            struct rte_mbuf **pkts, unsigned n)
{
	if (action->type == DP_ACTION_NORMAL)
		normal_forward(worker, in, pkts, n);
	else
		action_output(worker, in, action->value, pkts, n);
}

void
action_execute_static(struct worker *worker, struct port *in,
                      const struct program *program, struct rte_mbuf **pkts, unsigned n)
{
	struct rte_mbuf *copies[BATCH_MAX];
	int last = -1;

	for (int i = 0; i < program->n; i++)
		if (action_sends(&program->actions[i]))
			last = i;
	for (int i = 0; i < last; i++) {
		const struct dp_action *action = &program->actions[i];

		if (action_sends(action))
			action_send(worker, in, action, copies,
			            action_copy(worker, in, pkts, n, copies));
		else if (action->type == DP_ACTION_SET_CLASS)
			for (unsigned k = 0; k < n; k++)
				packet_meta(pkts[k])->item.class_ref = action->value;
	}
	if (last >= 0)
		action_send(worker, in, &program->actions[last], pkts, n);
	else
		port_drop(in, worker, DROP_RX_NO_RULE, pkts, n);
}
