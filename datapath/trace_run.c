/* trace_run.c - takes a packet that nobody sent where a program says, as action.c does,
 * but tells where that is instead of sending, counting and paying. Below trace.c. Main.
 */
#include "datapath/action.h"
#include "datapath/bridge.h"
#include "datapath/edit.h"
#include "datapath/egress.h"
#include "datapath/normal.h"
#include "datapath/offload.h"
#include "datapath/output.h"
#include "datapath/port/port.h"
#include "datapath/program.h"
#include "datapath/qos.h"
#include "datapath/trace.h"

#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd

struct run {
	struct trace *trace;
	struct rte_mbuf **pkt;
	bool is_used;         /* somebody got it, or a copy */
	enum drop_reason why; /* what to say if nobody does */
	/* Whose egress tables what is sent goes through; NULL = none. */
	const struct program_egress *egress;
};

static void
tell_fate(const struct trace *trace, const struct dp_trace_fate *fate)
{
	trace->request->fate(fate, trace->request->aux);
}

/* 'port': that it would have left by; NULL. */
static void
tell_drop(const struct trace *trace, enum drop_reason reason, const struct port *port)
{
	const struct dp_trace_fate fate = {.port_id = port ? port->id : DP_ID_NONE,
	                                   .class_number = DP_CLASS_NONE,
	                                   .reason = drop_reason_names[reason]};

	tell_fate(trace, &fate);
}

static void
tell_punt(const struct trace *trace, uint16_t controller_id)
{
	const struct dp_trace_fate fate = {.port_id = DP_ID_NONE,
	                                   .class_number = DP_CLASS_NONE,
	                                   .is_punted = true,
	                                   .controller_id = controller_id};

	tell_fate(trace, &fate);
}

/* ---- outputs ---- */

/* Why the port does not take the packet at all, or DROP_N_REASONS. */
static enum drop_reason
port_refuses(const struct port *port, const struct rte_mbuf *pkt)
{
	uint32_t mtu = atomic_load_explicit(&port->mtu, memory_order_relaxed);

	if (port->settings->config.no_forward)
		return DROP_TX_PORT_NO_FORWARD;
	if (output_exceeds_mtu(pkt, mtu))
		return DROP_TX_MTU_EXCEEDED;
	return port->link_up ? DROP_N_REASONS : DROP_TX_NOT_CONNECTED;
}

static bool
packet_is_ip(const struct rte_mbuf *pkt)
{
	struct flow_key key;

	flow_parse(rte_pktmbuf_mtod(pkt, const uint8_t *), pkt->data_len, pkt->pkt_len,
	           &key);
	return key.f.eth_type == TYPE_IPV4 || key.f.eth_type == TYPE_IPV6;
}

/* The class that takes the packet at the port, by the code that asks for it there. */
static void
tell_class(const struct port *port, struct rte_mbuf *pkt, struct dp_trace_fate *fate)
{
	struct port_qos *qos = atomic_load_explicit(&port->qos, memory_order_acquire);
	const struct qos_class_map *map;
	uint32_t chosen;

	if (!qos || (qos->kind != DP_QOS_TREE && qos->kind != DP_QOS_TRTCM))
		return;
	map = atomic_load_explicit(&qos->map, memory_order_acquire);
	if (!map)
		return;
	chosen = qos_choose(map, pkt);
	fate->class_number = qos_chosen_or_default(
		map, chosen, port->settings->config.egress_default_class);
	fate->dscp = qos_mark_for(map, chosen);
	fate->has_dscp = fate->dscp != QOS_DSCP_NONE && packet_is_ip(pkt);
}

static struct rte_mbuf *
run_copy(struct rte_mbuf *pkt)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(pkt, pkt->pool, 0, UINT32_MAX);

	if (copy)
		packet_copy_meta(copy, pkt);
	return copy;
}

static void
run_egress(const struct run *run, const struct port *port, struct rte_mbuf *pkt)
{
	uint64_t record[EGRESS_WALK_BYTES / sizeof(uint64_t)] = {0};
	struct rte_mbuf *copy = run_copy(pkt);

	if (!copy)
		return;
	egress_begin(run->egress, run->trace->in, port, (void *)record);
	trace_resume(run->trace, (void *)record, &copy);
	rte_pktmbuf_free(copy);
}

static void
run_sent(struct port *port, struct rte_mbuf *pkt, void *aux)
{
	const struct run *run = aux;
	const struct trace *trace = run->trace;
	enum drop_reason reason = port_refuses(port, pkt);
	struct dp_trace_fate fate = {.port_id = port->id, .class_number = DP_CLASS_NONE};

	if (run->egress) {
		run_egress(run, port, pkt);
		return;
	}
	if (reason != DROP_N_REASONS) {
		tell_drop(trace, reason, port);
		return;
	}
	tell_class(port, pkt, &fate);
	tell_fate(trace, &fate);
}

static void
run_flood(struct run *run, const struct flow_output *output)
{
	const struct bridge_members *members = run->trace->bridge->members;
	const struct port *not_to =
		action_flood_not_to(run->trace->in, run->trace->bridge, output);
	bool is_flood = output->port == FLOW_PORT_FLOOD, any = false;

	for (uint32_t i = 0; i < members->n; i++) {
		struct port *out = members->ports[i];
		const struct port_settings *settings = out->settings;

		if (out == not_to || settings->config.no_forward ||
		    (is_flood && settings->config.no_flood))
			continue;
		run_sent(out, *run->pkt, run);
		any = true;
	}
	run->is_used = true;
	if (!any)
		tell_drop(run->trace, DROP_RX_NO_OUTPUT, NULL);
}

static void
run_normal(struct run *run)
{
	const struct trace *trace = run->trace;
	uint64_t learned;
	enum drop_reason reason =
		normal_look(trace->in, *run->pkt, run_sent, run, &learned);

	run->is_used = true;
	if (reason != DROP_N_REASONS)
		tell_drop(trace, reason, NULL);
	if (learned && trace->request->has_effects)
		bridge_learn_address(trace->bridge, learned, trace->in->id);
}

static void
run_output(struct run *run, const struct flow_output *output)
{
	struct port *in = run->trace->in, *port;

	switch (output->port) {
	case FLOW_PORT_NORMAL:
		run_normal(run);
		return;
	case FLOW_PORT_FLOOD:
	case FLOW_PORT_ALL:
		run_flood(run, output);
		return;
	case FLOW_PORT_IN_PORT:
		port = in->id < DP_PORTS_MAX ? in : NULL;
		break;
	default:
		port = bridge_find_port(run->trace->bridge, output->port);
		if (port == in) {
			run->why = DROP_RX_HAIRPIN;
			return;
		}
		break;
	}
	if (!port) {
		run->why = DROP_RX_NO_OUTPUT;
		return;
	}
	run->is_used = true;
	run_sent(port, *run->pkt, run);
}

/* ---- the rest ---- */

static void
run_clone(struct run *run, const struct flow_nested *clone)
{
	struct rte_mbuf *copy = run_copy(*run->pkt);

	run->is_used = true;
	if (!copy)
		return;
	trace_run(run->trace, clone->nested, clone->nested_bytes, &copy);
	rte_pktmbuf_free(copy);
}

static void
run_punt(struct run *run, const struct program_punt *punt)
{
	if (punt->reason == DP_PUNT_FIN)
		return; /* main's, about the rule */
	if (punt->reason == DP_PUNT_INVALID_TTL)
		run->why = DROP_RX_TTL_ENDS;
	else
		run->is_used = true;
	tell_punt(run->trace, punt->controller_id);
}

static void
run_learn(struct run *run, const struct flow_learn *learn)
{
	const struct dp_trace *request = run->trace->request;
	struct flow_key key;

	if (!request->has_effects)
		return;
	flow_parse(rte_pktmbuf_mtod(*run->pkt, const uint8_t *), (*run->pkt)->data_len,
	           (*run->pkt)->pkt_len, &key);
	key.f.in_port = request->key.f.in_port;
	request->learn(learn, &key, request->aux);
}

static bool
run_edit(struct run *run, const struct flow_action *action)
{
	const struct flow_action *after =
		(const void *)((const char *)action + action->bytes);
	enum drop_reason reason = edit_packet(action, after, run->pkt);

	if (reason == DROP_N_REASONS)
		return true;
	tell_drop(run->trace, reason, NULL);
	return false;
}

/* False: the packet goes no further. */
static bool
run_action(struct run *run, const struct flow_action *action)
{
	const struct flow_number *number = (const void *)action;
	const struct program_mark *mark = (const void *)action;

	switch (action->type) {
	case ACTION_OUTPUT:
		run->egress = NULL;
		run_output(run, (const void *)action);
		return true;
	case PROGRAM_EGRESS:
		run->egress = (const void *)action;
		run_output(run, &run->egress->output);
		return true;
	case PROGRAM_MARK:
		packet_set_mark(*run->pkt,
		                (packet_mark(*run->pkt) & ~mark->mask) | mark->value);
		return true;
	case ACTION_SET_QUEUE:
		packet_meta(*run->pkt)->item.class_ref = (uint32_t)number->value;
		return true;
	case ACTION_POP_QUEUE:
		packet_meta(*run->pkt)->item.class_ref =
			run->trace->in->settings->class_number;
		return true;
	case ACTION_CLONE:
		run_clone(run, (const void *)action);
		return true;
	case ACTION_LEARN:
		run_learn(run, (const void *)action);
		return true;
	case PROGRAM_PUNT:
		run_punt(run, (const void *)action);
		return !((const struct program_punt *)action)->pause;
	case PROGRAM_WALK:
		trace_resume(run->trace, (const void *)action, run->pkt);
		return false;
	default:
		return !edit_is_for(action) || run_edit(run, action);
	}
}

void
trace_run(struct trace *trace, const void *records, size_t bytes, struct rte_mbuf **pkt)
{
	struct run run = {.trace = trace, .pkt = pkt, .why = DROP_RX_BY_RULE};

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (!run_action(&run, action))
		return;
	if (!run.is_used)
		tell_drop(trace, run.why, NULL);
}
