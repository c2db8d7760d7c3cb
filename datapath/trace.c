/* trace.c - says why: a walk that tells its steps. Over walk.c; trace_run.c takes what
 * comes of it further. Main. */
#include "datapath/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/cache.h"
#include "datapath/flow_text.h"
#include "datapath/meter_private.h"
#include "datapath/normal.h"
#include "datapath/packet_out.h"
#include "datapath/port/port.h"
#include "datapath/records.h"
#include "datapath/walk_private.h"

#define TEXT_BYTES 256

/* ---- steps of a walk ---- */

static void
trace_tell(const struct trace *trace, const struct dp_trace_step *step)
{
	trace->request->step(step, trace->request->aux);
}

static unsigned
trace_depth(const struct walk *walk)
{
	return walk->trace->indents[walk->depth];
}

static struct flow_match
rule_match(const struct rule *rule)
{
	struct flow_match match;

	memset(&match, 0, sizeof(match));
	for (unsigned i = 0; i < rule->mask->n_words; i++) {
		match.mask.words[rule->mask->words[i]] = rule->mask->masks[i];
		match.key.words[rule->mask->words[i]] = rule->key[i];
	}
	return match;
}

void
trace_table(const struct walk *walk, uint8_t table, const struct rule *rule)
{
	struct dp_trace_step step = {
		.kind = DP_TRACE_TABLE, .depth = trace_depth(walk), .table = table};
	struct flow_match match;

	if (rule) {
		match = rule_match(rule);
		step.match = &match;
		step.priority = rule->priority;
		step.cookie = rule->cookie;
		step.drops = rule->actions_bytes == 0;
	} else {
		step.drops = table >= DP_TABLES_MAX ||
		             walk->pipeline->miss[table] == DP_MISS_DROP;
	}
	trace_tell(walk->trace, &step);
}

void
trace_action(const struct walk *walk, const struct flow_action *action, bool is_last)
{
	const unsigned depth = trace_depth(walk);
	const struct dp_trace_step step = {
		.kind = DP_TRACE_ACTION, .depth = depth + 1, .action = action};
	const bool leads_on = is_last && action->type == ACTION_RESUBMIT;

	if (walk->depth < WALK_DEPTH_MAX)
		walk->trace->indents[walk->depth + 1] =
			(uint8_t)(leads_on ? depth : depth + 1);
	trace_tell(walk->trace, &step);
}

void
trace_action_set(const struct walk *walk)
{
	const struct dp_trace_step step = {.kind = DP_TRACE_ACTION_SET,
	                                   .depth = trace_depth(walk)};

	trace_tell(walk->trace, &step);
}

void
trace_bucket(const struct walk *walk, uint32_t number)
{
	const struct dp_trace_step step = {.kind = DP_TRACE_BUCKET,
	                                   .depth = trace_depth(walk) + 1,
	                                   .number = number};

	trace_tell(walk->trace, &step);
}

static void trace_say(const struct trace *trace, unsigned depth, enum dp_trace_kind kind,
                      const char *format, va_list args) PRINTF_FORMAT(4, 0);

static void
trace_say(const struct trace *trace, unsigned depth, enum dp_trace_kind kind,
          const char *format, va_list args)
{
	char text[TEXT_BYTES];
	const struct dp_trace_step step = {.kind = kind, .depth = depth, .text = text};

	vsnprintf(text, sizeof(text), format, args);
	trace_tell(trace, &step);
}

void
trace_text(const struct walk *walk, enum dp_trace_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	trace_say(walk->trace, trace_depth(walk) + 1, kind, format, args);
	va_end(args);
}

void
trace_output(const struct walk *walk, uint32_t number)
{
	const struct port *in = walk->trace->in, *port;

	if (number == FLOW_PORT_NORMAL)
		WALK_REMARK(walk, "%s", normal_remark(in, &walk->packet.key));
	if (number >= FLOW_PORT_MAX && number != FLOW_PORT_LOCAL)
		return;
	port = bridge_find_port(walk->bridge, number);
	if (!port)
		WALK_WARN(walk, "Nonexistent output port");
	else if (port == in)
		WALK_WARN(walk, "skipping output to input port");
	else if (port->settings->config.no_forward)
		WALK_WARN(walk, "no-forward is set on the port, it sends nothing");
}

void
trace_meter(const struct walk *walk, uint32_t number)
{
	const struct meter *meter = meter_map_find(
		atomic_load_explicit(&meter_maps[walk->bridge->id], memory_order_acquire),
		number);
	const struct meter_bands *bands;

	if (!meter) {
		WALK_WARN(walk, "there is no meter %" PRIu32 ": all pass", number);
		return;
	}
	bands = atomic_load_explicit(&meter->bands, memory_order_acquire);
	for (uint8_t i = 0; i < bands->n; i++)
		WALK_REMARK(walk, "above %" PRIu64 " %s it %s; no tokens are taken here",
		            bands->bands[i].rate, bands->is_pps ? "packets/s" : "kbit/s",
		            bands->bands[i].remarks_dscp ? "changes the DSCP" : "drops");
}

void
trace_learn(const struct walk *walk)
{
	if (!walk->trace->request->has_effects)
		WALK_WARN(walk, "suppressing side effects, so learn action ignored");
}

/* ---- in front of the tables ---- */

static void trace_port(const struct trace *trace, enum dp_trace_kind kind,
                       const char *format, ...) PRINTF_FORMAT(3, 4);

static void
trace_port(const struct trace *trace, enum dp_trace_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	trace_say(trace, 0, kind, format, args);
	va_end(args);
}

/* The rates of the port that it comes from, which an idle port keeps. */
static void
trace_policing(const struct trace *trace)
{
	static const char *const excess[] = {
		[DP_EXCESS_POLICE] = "is dropped",
		[DP_EXCESS_GATE] = "waits in the guest's ring",
		[DP_EXCESS_MARK] = "is marked or dropped",
	};
	const struct dp_port_settings *config = &trace->in->settings->config;

	if (config->policing_bps)
		trace_port(trace, DP_TRACE_REMARK,
		           "above %" PRIu64 " kbit/s what the port sends %s; no tokens "
		           "are taken here",
		           config->policing_bps / 1000, excess[config->on_excess]);
	if (config->policing_pps)
		trace_port(trace, DP_TRACE_REMARK,
		           "above %" PRIu64 " packets/s what the port sends %s; no "
		           "tokens are taken here",
		           config->policing_pps, excess[config->on_excess]);
}

/* ---- whole walks ---- */

static void
trace_begin(const struct trace *trace, const struct flow_key *key, uint8_t table)
{
	const struct dp_trace_step step = {
		.kind = DP_TRACE_BEGIN, .key = key, .table = table};

	trace_tell(trace, &step);
}

/* What the walk came to, and what becomes of it. 'is_first': from the port on, where the
 * flow cache is asked. */
static void
trace_end(struct trace *trace, const struct walk *walk, const struct flow_key *key,
          bool is_first, struct rte_mbuf **pkt)
{
	const struct pipeline *pipeline = walk->pipeline;
	struct dp_trace_step step = {.kind = DP_TRACE_END, .key = &walk->packet.key};
	struct dp_trace_fate fate = {.port_id = DP_ID_NONE,
	                             .class_number = DP_CLASS_NONE,
	                             .reason = drop_reason_names[walk->drop]};
	struct flow_match match = {0};
	struct str text = STR_INIT;

	for (unsigned i = 0; i < pipeline->n_words; i++) {
		match.mask.words[pipeline->words[i]] = pipeline->masks[i];
		match.key.words[pipeline->words[i]] =
			key->words[pipeline->words[i]] & pipeline->masks[i];
	}
	if (is_first && walk->is_cacheable)
		step.match = &match;
	flow_text_actions(&text, trace->bridge, &match.key, trace->request->shows_names,
	                  walk->program, walk->bytes);
	step.text = str_text(&text);
	trace_tell(trace, &step);
	str_free(&text);
	if (!walk->bytes)
		trace->request->fate(&fate, trace->request->aux);
	else if (*pkt)
		trace_run(trace, walk->program, walk->bytes, pkt);
}

void
trace_resume(struct trace *trace, const struct program_walk *record,
             struct rte_mbuf **pkt)
{
	const struct dp_trace_fate fate = {
		.port_id = DP_ID_NONE,
		.class_number = DP_CLASS_NONE,
		.reason = drop_reason_names[DROP_RX_TOO_MANY_RESUBMITS]};
	struct flow_key key;
	struct walk *walk;

	if (trace->n_walks == CACHE_WALKS_MAX) {
		trace->request->fate(&fate, trace->request->aux);
		return;
	}
	flow_parse(rte_pktmbuf_mtod(*pkt, const uint8_t *), (*pkt)->data_len,
	           (*pkt)->pkt_len, &key);
	key.f.in_port = record->in_port;
	key.f.packet_mark = packet_mark(*pkt);
	program_restore_state(&key, record->state);
	trace_begin(trace, &key, record->table);
	key.f.in_port = trace->request->key.f.in_port;
	trace->n_walks++;
	walk = xcalloc(1, sizeof(*walk));
	walk->trace = trace;
	walk_resume(walk, trace->bridge->pipeline, &key, (*pkt)->pkt_len, record);
	trace_end(trace, walk, &key, false, pkt);
	free(walk);
	trace->n_walks--;
}

static void
trace_walk(struct trace *trace, const struct flow_key *key, struct rte_mbuf **pkt)
{
	static const uint64_t nothing; /* an empty list has an address, too */
	const struct dp_trace *request = trace->request;
	const struct pipeline *pipeline = trace->bridge->pipeline;
	struct walk *walk = xcalloc(1, sizeof(*walk));

	trace->n_walks++;
	walk->trace = trace;
	trace_begin(trace, key, 0);
	if (!request->is_packet_out)
		trace_policing(trace);
	if (request->is_packet_out)
		walk_actions(walk, pipeline, key, request->length,
		             request->actions_bytes ? request->actions : &nothing,
		             request->actions_bytes);
	else
		walk_packet(walk, pipeline, key, request->length);
	trace_end(trace, walk, key, !request->is_packet_out, pkt);
	free(walk);
	trace->n_walks--;
}

/* Why the packet does not come as far as the tables, or DROP_N_REASONS. */
static enum drop_reason
trace_enter(const struct trace *trace)
{
	const struct port_settings *settings = trace->in->settings;

	if (trace->request->is_packet_out)
		return DROP_N_REASONS;
	if (settings->config.no_receive)
		return DROP_RX_PORT_NO_RECEIVE;
	if (settings->drops_fragments && trace->request->key.f.ip_fragment)
		return DROP_RX_FRAGMENT;
	return DROP_N_REASONS;
}

/* The whole way of a packet that the tables do not see. */
static void
trace_refused(const struct trace *trace, const struct flow_key *key,
              enum drop_reason reason)
{
	const struct dp_trace_step end = {
		.kind = DP_TRACE_END, .key = key, .text = "drop"};
	const struct dp_trace_fate fate = {.port_id = DP_ID_NONE,
	                                   .class_number = DP_CLASS_NONE,
	                                   .reason = drop_reason_names[reason]};

	trace_begin(trace, key, 0);
	trace_port(trace, DP_TRACE_WARNING, "the packet is dropped: %s", fate.reason);
	trace_tell(trace, &end);
	trace->request->fate(&fate, trace->request->aux);
}

int
dp_trace(uint32_t bridge_id, const struct dp_trace *request, struct error *err)
{
	struct bridge *bridge = bridge_by_id(bridge_id);
	struct flow_key key = request->key;
	struct trace trace = {.request = request, .bridge = bridge};
	struct rte_mbuf *pkt = NULL;
	enum drop_reason reason;

	if (!bridge)
		return error_set(err, -ENOENT, "no such bridge");
	if (request->is_packet_out) {
		int ret = records_check(request->actions, request->actions_bytes, err);

		if (ret < 0)
			return ret;
	}
	trace.in = bridge_find_port(bridge, key.f.in_port);
	if (!trace.in)
		trace.in = packet_out_source(bridge_id);
	if (request->frame && dp_is_running()) {
		pkt = packet_out_copy(-1, request->frame, request->length);
		if (!pkt)
			return error_set(err, -ENOBUFS, "no packet buffer is free");
		*packet_meta(pkt) = (struct packet_meta){
			.item = {.class_ref = trace.in->settings->class_number}};
	}
	reason = trace_enter(&trace);
	key.f.actset_output = FLOW_PORT_UNSET;
	if (reason == DROP_N_REASONS)
		trace_walk(&trace, &key, &pkt);
	else
		trace_refused(&trace, &key, reason);
	rte_pktmbuf_free(pkt);
	return 0;
}
