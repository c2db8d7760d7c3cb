/* action.c - does what a program says, record by record, to a batch of packets that go
 * the same way. What is to be sent waits until it is known whether the packets are needed
 * any further: only then are they copied. Between the walk and edit.c, meter.c, punt.c,
 * normal.c, output.c. Worker threads. */
#include "datapath/action.h"

#include <errno.h>

#include <rte_ether.h>

#include "datapath/bridge.h"
#include "datapath/edit.h"
#include "datapath/egress.h"
#include "datapath/meter.h"
#include "datapath/normal.h"
#include "datapath/offload.h"
#include "datapath/output.h"
#include "datapath/port/port.h"
#include "datapath/program.h"
#include "datapath/punt.h"
#include "datapath/walk.h"

#include "datapath/hot.h"

#define ACTION_DEPTH_MAX 16 /* lists in lists */

enum wait_kind { WAIT_NOTHING, WAIT_PORT, WAIT_NORMAL, WAIT_FLOOD, WAIT_ALL, WAIT_LIST };

struct action_run {
	struct worker *worker;
	struct port *in;
	struct rte_mbuf **pkts;
	unsigned n;
	unsigned depth;
	/* Where the packets go next. */
	enum wait_kind waits;
	struct port *port; /* WAIT_PORT: there; WAIT_FLOOD and _ALL: not there */
	const struct program_egress *egress; /* through its tables; NULL = at once */
	const struct flow_nested *list;
	bool is_used;         /* somebody got the packets, or copies */
	enum drop_reason why; /* what to say if nobody does */
};

static void action_run_list(struct worker *worker, struct port *in, const void *records,
                            size_t bytes, struct rte_mbuf **pkts, unsigned n,
                            unsigned depth);

/* Copies of the packets for all but the last that get them. */
static unsigned
action_copy(struct worker *worker, struct port *in, struct rte_mbuf *const *pkts,
            unsigned n, struct rte_mbuf **copies)
{
	unsigned made = 0;

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *copy =
			rte_pktmbuf_copy(pkts[i], pkts[i]->pool, 0, UINT32_MAX);

		if (!copy) {
			port_worker_count_drop(in, worker, DROP_RX_NO_BUFFER);
			continue;
		}
		packet_copy_meta(copy, pkts[i]);
		copies[made++] = copy;
	}
	return made;
}

struct port *
action_flood_not_to(struct port *in, const struct bridge *bridge,
                    const struct flow_output *output)
{
	uint32_t number = output->not_to;

	if (number == 0)
		return in;
	/* Reserved numbers lie elsewhere in 1.0. */
	return bridge_find_port(bridge, number >= 0xff00 ? number | 0xffff0000 : number);
}

/* To every port but one; 'is_flood': not to those that floods leave out. */
static void
action_flood(struct worker *worker, struct port *in, const struct port *not_to,
             bool is_flood, struct rte_mbuf **pkts, unsigned n)
{
	const struct bridge_members *members =
		atomic_load_explicit(&in->bridge->members, memory_order_acquire);
	struct rte_mbuf *copies[BATCH_MAX];
	struct port *last = NULL;

	for (uint32_t i = 0; i < members->n; i++) {
		struct port *out = members->ports[i];
		const struct port_settings *settings = out->settings;

		if (out == not_to || settings->config.no_forward ||
		    (is_flood && settings->config.no_flood))
			continue;
		if (last)
			output_packets(worker, last, copies,
			               action_copy(worker, in, pkts, n, copies));
		last = out;
	}
	if (last)
		output_packets(worker, last, pkts, n);
	else
		port_drop(in, worker, DROP_RX_NO_OUTPUT, pkts, n);
}

/* Sends packets where the run's go next. */
static void
action_send(const struct action_run *run, struct rte_mbuf **pkts, unsigned n)
{
	struct egress egress = {run->in, run->egress};

	if (n == 0)
		return;
	run->worker->egress = run->egress ? &egress : NULL;
	switch (run->waits) {
	case WAIT_PORT:
		output_packets(run->worker, run->port, pkts, n);
		break;
	case WAIT_NORMAL:
		normal_forward(run->worker, run->in, pkts, n);
		break;
	case WAIT_FLOOD:
	case WAIT_ALL:
		action_flood(run->worker, run->in, run->port, run->waits == WAIT_FLOOD,
		             pkts, n);
		break;
	case WAIT_LIST:
		action_run_list(run->worker, run->in, run->list->nested,
		                run->list->nested_bytes, pkts, n, run->depth + 1);
		break;
	case WAIT_NOTHING:
	default:
		break;
	}
	run->worker->egress = NULL;
}

/* Sends copies where the packets go next, because they are needed further. */
static void
action_send_copies(struct action_run *run)
{
	struct rte_mbuf *copies[BATCH_MAX];

	if (run->waits == WAIT_NOTHING)
		return;
	action_send(run, copies,
	            action_copy(run->worker, run->in, run->pkts, run->n, copies));
	run->waits = WAIT_NOTHING;
	run->is_used = true;
}

/* Sends copies of the first 'bytes' bytes of the packets where they go next. */
static void
action_send_cut(struct action_run *run, uint32_t bytes)
{
	struct rte_mbuf *copies[BATCH_MAX];
	unsigned made = 0;

	bytes = MAX_OF(bytes, (uint32_t)RTE_ETHER_HDR_LEN);
	for (unsigned i = 0; i < run->n; i++) {
		struct rte_mbuf *pkt = run->pkts[i],
				*copy = rte_pktmbuf_copy(pkt, pkt->pool, 0, bytes);

		if (!copy) {
			port_worker_count_drop(run->in, run->worker, DROP_RX_NO_BUFFER);
			continue;
		}
		packet_copy_meta(copy, pkt);
		/* What is cut can be neither summed nor segmented. */
		if (copy->pkt_len < pkt->pkt_len)
			copy->ol_flags &= ~OFFLOAD_TX_FLAGS;
		copies[made++] = copy;
	}
	action_send(run, copies, made);
	run->waits = WAIT_NOTHING;
	run->is_used = true;
}

static void
action_output(struct action_run *run, const struct flow_output *output)
{
	enum wait_kind kind = WAIT_PORT;
	struct port *port = NULL;

	switch (output->port) {
	case FLOW_PORT_NORMAL:
		kind = WAIT_NORMAL;
		break;
	case FLOW_PORT_FLOOD:
	case FLOW_PORT_ALL:
		kind = output->port == FLOW_PORT_FLOOD ? WAIT_FLOOD : WAIT_ALL;
		port = action_flood_not_to(run->in, run->in->bridge, output);
		break;
	case FLOW_PORT_IN_PORT:
		port = run->in->id < DP_PORTS_MAX ? run->in : NULL;
		break;
	default:
		port = bridge_find_port(run->in->bridge, output->port);
		if (port == run->in) {
			run->why = DROP_RX_HAIRPIN;
			return;
		}
		break;
	}
	if (kind == WAIT_PORT && !port) {
		run->why = DROP_RX_NO_OUTPUT;
		return;
	}
	action_send_copies(run);
	run->waits = kind;
	run->port = port;
	run->egress = output->head.type == PROGRAM_EGRESS ? (const void *)output : NULL;
	if (output->head.is_legacy)
		action_send_cut(run, output->max_len);
}

static void
action_set_class(struct action_run *run, uint32_t number)
{
	action_send_copies(run);
	for (unsigned i = 0; i < run->n; i++)
		packet_meta(run->pkts[i])->item.class_ref = number;
}

static void
action_mark(struct action_run *run, const struct program_mark *record)
{
	action_send_copies(run);
	for (unsigned i = 0; i < run->n; i++)
		packet_set_mark(run->pkts[i],
		                (packet_mark(run->pkts[i]) & ~record->mask) |
		                        record->value);
}

/* Edits that follow each other, packet by packet; returns the first record after them. */
static const struct flow_action *
action_edit(struct action_run *run, const struct flow_action *first, const void *end)
{
	const struct flow_action *after = first;

	while ((const void *)after < end && edit_is_for(after))
		after = (const void *)((const char *)after + after->bytes);
	action_send_copies(run);
	run->n = edit_packets(run->worker, run->in, first, after, run->pkts, run->n);
	return after;
}

/* Nothing else is done with the packets. */
static void
action_end(struct action_run *run)
{
	if (run->waits != WAIT_NOTHING)
		action_send(run, run->pkts, run->n);
	else if (run->is_used && run->n > 0)
		rte_pktmbuf_free_bulk(run->pkts, run->n);
	else
		port_drop(run->in, run->worker, run->why, run->pkts, run->n);
}

/* That copies go to main. Who is told of a packet that goes no further does not get it.
 */
static void
action_note_punt(struct action_run *run, uint8_t reason)
{
	if (reason == DP_PUNT_INVALID_TTL)
		run->why = DROP_RX_TTL_ENDS;
	else if (reason < DP_PUNT_LEARN)
		run->is_used = true;
}

/* One record that is no edit. False: the packets have gone on elsewhere. */
static bool
action_do(struct action_run *run, const struct flow_action *action)
{
	const struct flow_number *number = (const void *)action;
	const struct program_punt *punt = (const void *)action;

	switch (action->type) {
	case ACTION_OUTPUT:
	case PROGRAM_EGRESS:
		action_output(run, (const void *)action);
		break;
	case ACTION_SET_QUEUE:
		action_set_class(run, (uint32_t)number->value);
		break;
	case PROGRAM_MARK:
		action_mark(run, (const void *)action);
		break;
	case ACTION_POP_QUEUE:
		action_set_class(run, run->in->settings->class_number);
		break;
	case ACTION_CLONE:
		action_send_copies(run);
		run->waits = WAIT_LIST;
		run->egress = NULL;
		run->list = (const void *)action;
		break;
	case ACTION_METER:
		action_send_copies(run);
		run->n = meter_packets(run->worker, run->in, run->in->bridge->id,
		                       (uint32_t)number->value, run->pkts, run->n);
		break;
	case ACTION_LEARN:
		punt_learn(run->worker, run->in, (const void *)action, run->pkts, run->n);
		break;
	case PROGRAM_PUNT:
		punt_packets(run->worker, run->in, punt, run->pkts, run->n);
		action_note_punt(run, punt->reason);
		if (!punt->pause)
			break;
		action_end(run); /* the rest is the controller's */
		return false;
	case PROGRAM_WALK:
		action_send_copies(run);
		pipeline_resume(run->worker, run->in, (const void *)action, run->pkts,
		                run->n);
		return false;
	default:
		break; /* means nothing here, as SAMPLE */
	}
	return true;
}

static void
action_run_list(struct worker *worker, struct port *in, const void *records, size_t bytes,
                struct rte_mbuf **pkts, unsigned n, unsigned depth)
{
	struct action_run run = {.worker = worker,
	                         .in = in,
	                         .pkts = pkts,
	                         .n = n,
	                         .depth = depth,
	                         .why = DROP_RX_BY_RULE};
	const struct flow_action *action = records;
	const void *end = (const char *)records + bytes;

	if (unlikely(depth > ACTION_DEPTH_MAX)) {
		port_drop(in, worker, DROP_RX_PROGRAM_DEPTH, pkts, n);
		return;
	}
	while ((const void *)action < end && run.n > 0) {
		if (edit_is_for(action)) {
			action = action_edit(&run, action, end);
			continue;
		}
		if (!action_do(&run, action))
			return;
		action = (const void *)((const char *)action + action->bytes);
	}
	action_end(&run);
}

static void
action_run_segments(struct worker *worker, struct port *in, const void *records,
                    size_t bytes, struct rte_mbuf *pkt)
{
	struct rte_mbuf *segments[BATCH_MAX];
	uint32_t next = 0;
	int n;

	while ((n = offload_segment(pkt, &next, segments, BATCH_MAX)) > 0)
		action_run_list(worker, in, records, bytes, segments, (unsigned)n, 0);
	if (n == 0)
		rte_pktmbuf_free(pkt);
	else
		port_drop(in, worker, n == -ENOBUFS ? DROP_RX_NO_BUFFER : DROP_RX_OFFLOAD,
		          &pkt, 1);
}

/* Packets that are still to be segmented are so first where the program lets nobody do it
 * afterwards. */
static void
action_run_in_segments(struct worker *worker, struct port *in, const void *records,
                       size_t bytes, struct rte_mbuf **pkts, unsigned n)
{
	unsigned first = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!(pkts[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
			continue;
		action_run_list(worker, in, records, bytes, pkts + first, i - first, 0);
		action_run_segments(worker, in, records, bytes, pkts[i]);
		first = i + 1;
	}
	action_run_list(worker, in, records, bytes, pkts + first, n - first, 0);
}

void
action_execute(struct worker *worker, struct port *in, const void *records, size_t bytes,
               struct rte_mbuf **pkts, unsigned n)
{
	const struct flow_output *output = records;

	if (likely(bytes == sizeof(*output) && output->head.type == ACTION_OUTPUT &&
	           !output->head.is_legacy)) {
		struct port *out;

		if (likely(output->port == FLOW_PORT_NORMAL)) {
			normal_forward(worker, in, pkts, n);
			return;
		}
		out = output->port < FLOW_PORT_MAX
		              ? bridge_find_port(in->bridge, output->port)
		              : NULL;
		if (likely(out && out != in)) {
			output_packets(worker, out, pkts, n);
			return;
		}
	}
	if (unlikely(atomic_load_explicit(&offload_in_use, memory_order_relaxed)) &&
	    edit_hides_layer4(records, bytes))
		action_run_in_segments(worker, in, records, bytes, pkts, n);
	else
		action_run_list(worker, in, records, bytes, pkts, n, 0);
}
