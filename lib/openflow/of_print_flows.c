/* of_print_flows.c - prints messages about rules: changes, statistics, removals,
 * monitors. For of_print.c. No state, any thread. */
#include "openflow/of_print_private.h"

static const struct print_bit flag_names[] = {
	{OF_FLOW_SEND_REMOVED, "send_flow_rem"}, {OF_FLOW_CHECK_OVERLAP, "check_overlap"},
	{OF_FLOW_RESET_COUNTS, "reset_counts"},  {OF_FLOW_NO_PACKETS, "no_packet_counts"},
	{OF_FLOW_NO_BYTES, "no_byte_counts"},    {0, NULL},
};

static void
put_flags(struct str *out, uint16_t flags)
{
	if (!flags)
		return;
	print_bits(out, flags, flag_names, " ", "");
	str_append_char(out, ' ');
}

static void
put_actions(struct of_printer *p, const struct flow_actions *actions)
{
	str_append(p->out, "actions=");
	of_text_format_actions(p->out, actions->data, actions->bytes, p->names);
}

/* A match with a blank behind it, if there is any. */
static void
put_match(struct of_printer *p, const struct flow_match *match, int priority)
{
	size_t start = p->out->length;

	of_text_format_match(p->out, match, priority, p->names);
	if (p->out->length > start)
		str_append_char(p->out, ' ');
}

static void
put_flow_mod(struct of_printer *p)
{
	static const char *const commands[] = {"ADD", "MOD", "MOD_STRICT", "DEL",
	                                       "DEL_STRICT"};
	const struct of_flow_mod *mod = &p->msg->flow_mod;
	struct str *out = p->out;

	str_printf(out, " %s ",
	           (unsigned)mod->command < ARRAY_SIZE(commands) ? commands[mod->command]
	                                                         : "?");
	if (mod->table)
		str_printf(out, "table:%u ", mod->table);
	put_match(p, &mod->match, mod->priority);
	if (mod->new_cookie && mod->new_cookie != UINT64_MAX)
		str_printf(out, "cookie:0x%" PRIx64 " ", mod->new_cookie);
	if (mod->cookie_mask)
		str_printf(out, "cookie:0x%" PRIx64 "/0x%" PRIx64 " ", mod->cookie,
		           mod->cookie_mask);
	if (mod->idle_s)
		str_printf(out, "idle:%u ", mod->idle_s);
	if (mod->hard_s)
		str_printf(out, "hard:%u ", mod->hard_s);
	if (mod->importance)
		str_printf(out, "importance:%u ", mod->importance);
	if (mod->buffer_id != OF_BUFFER_NONE)
		str_printf(out, "buf:0x%x ", mod->buffer_id);
	if (mod->out_port != FLOW_PORT_NONE) {
		str_append(out, "out_port:");
		text_format_port(out, mod->out_port, p->names);
		str_append_char(out, ' ');
	}
	if (mod->out_group != OF_GROUP_ANY)
		str_printf(out, "out_group:%u ", mod->out_group);
	put_flags(out, mod->flags);
	put_actions(p, &mod->actions);
	str_append_char(out, '\n');
}

static void
put_request(struct of_printer *p, const struct of_flow_stats_request *request)
{
	struct str *out = p->out;
	size_t start;

	if (request->table != OF_TABLE_ALL) {
		str_append(out, " table=");
		text_format_table(out, request->table, p->names);
	}
	if (request->out_port != FLOW_PORT_NONE) {
		str_append(out, " out_port=");
		text_format_port(out, request->out_port, p->names);
	}
	start = out->length;
	str_append_char(out, ' ');
	of_text_format_match(out, &request->match, -1, p->names);
	if (out->length == start + 1)
		out->data[--out->length] = '\0';
}

/* What a dump says before the match. */
static void
put_counters(struct str *out, const struct of_flow_stats *flow,
             const struct of_names *names)
{
	str_printf(out, "cookie=0x%" PRIx64 ", ", flow->cookie);
	if (flow->duration_ns != UINT64_MAX) {
		str_append(out, "duration=");
		print_duration(out, flow->duration_ns);
		str_append(out, ", ");
	}
	str_append(out, "table=");
	text_format_table(out, flow->table, names);
	str_append(out, ", ");
	if (flow->packets != UINT64_MAX)
		str_printf(out, "n_packets=%" PRIu64 ", ", flow->packets);
	if (flow->bytes != UINT64_MAX)
		str_printf(out, "n_bytes=%" PRIu64 ", ", flow->bytes);
}

static void
put_ages(struct str *out, const struct of_flow_stats *flow)
{
	if (flow->idle_age_s >= 0)
		str_printf(out, "idle_age=%d, ", flow->idle_age_s);
	if (flow->hard_age_s >= 0 && flow->duration_ns != UINT64_MAX &&
	    (uint64_t)flow->hard_age_s != flow->duration_ns / 1000000000)
		str_printf(out, "hard_age=%d, ", flow->hard_age_s);
}

void
of_text_format_flow(struct str *out, const struct of_flow_stats *flow,
                    const struct of_names *names, bool with_stats)
{
	size_t start;

	if (with_stats) {
		put_counters(out, flow, names);
	} else {
		if (flow->cookie)
			str_printf(out, "cookie=0x%" PRIx64 ", ", flow->cookie);
		if (flow->table) {
			str_append(out, "table=");
			text_format_table(out, flow->table, names);
			str_append(out, ", ");
		}
	}
	if (flow->idle_s)
		str_printf(out, "idle_timeout=%u, ", flow->idle_s);
	if (flow->hard_s)
		str_printf(out, "hard_timeout=%u, ", flow->hard_s);
	put_flags(out, flow->flags);
	if (flow->importance)
		str_printf(out, "importance=%u, ", flow->importance);
	if (with_stats)
		put_ages(out, flow);
	start = out->length;
	of_text_format_match(out, &flow->match, flow->priority, names);
	if (out->length > start)
		str_append_char(out, ' ');
	str_append(out, "actions=");
	of_text_format_actions(out, flow->actions.data, flow->actions.bytes, names);
}

static void
put_all_stats(struct of_printer *p)
{
	for (size_t i = 0; i < p->msg->n; i++) {
		str_append(p->out, "\n ");
		of_text_format_flow(p->out, &p->msg->flows[i], p->names, true);
	}
}

static void
put_aggregate(struct of_printer *p)
{
	const struct of_aggregate *aggregate = &p->msg->aggregate;

	print_counter(p->out, " packet_count=", aggregate->packets);
	print_counter(p->out, " byte_count=", aggregate->bytes);
	str_printf(p->out, " flow_count=%u", aggregate->flows);
}

static const char *
reason_name(uint8_t reason)
{
	static const char *const reasons[] = {"idle",         "hard",         "delete",
	                                      "group_delete", "meter_delete", "eviction"};

	return reason < ARRAY_SIZE(reasons) ? reasons[reason] : "?";
}

static void
put_removed(struct of_printer *p)
{
	const struct of_flow_removed *removed = &p->msg->flow_removed;
	struct str *out = p->out;

	str_append_char(out, ' ');
	of_text_format_match(out, &removed->match, removed->priority, p->names);
	str_printf(out, " reason=%s", reason_name(removed->reason));
	if (removed->table != OF_TABLE_ALL) {
		str_append(out, " table_id=");
		text_format_table(out, removed->table, p->names);
	}
	if (removed->cookie)
		str_printf(out, " cookie:0x%" PRIx64, removed->cookie);
	str_append(out, " duration");
	print_duration(out, removed->duration_ns);
	str_printf(out, " idle%u", removed->idle_s);
	if (removed->hard_s)
		str_printf(out, " hard%u", removed->hard_s);
	str_printf(out, " pkts%" PRIu64 " bytes%" PRIu64 "\n", removed->packets,
	           removed->bytes);
}

static void
put_monitor(struct of_printer *p, const struct of_monitor *monitor)
{
	static const struct print_bit bits[] = {
		{OF_MONITOR_INITIAL, "initial"},      {OF_MONITOR_ON_ADD, "add"},
		{OF_MONITOR_ON_REMOVED, "delete"},    {OF_MONITOR_ON_MODIFY, "modify"},
		{OF_MONITOR_INSTRUCTIONS, "actions"}, {OF_MONITOR_NO_ABBREV, "own"},
		{OF_MONITOR_ONLY_OWN, "own"},         {0, NULL}};

	str_printf(p->out, "\n id=%u flags=", monitor->id);
	print_bits(p->out, monitor->flags, bits, ",", "0");
	if (monitor->what.out_port != FLOW_PORT_NONE) {
		str_append(p->out, " out_port=");
		text_format_port(p->out, monitor->what.out_port, p->names);
	}
	if (monitor->what.table != OF_TABLE_ALL) {
		str_append(p->out, " table=");
		text_format_table(p->out, monitor->what.table, p->names);
	}
	if (!flow_key_is_empty(&monitor->what.match.mask)) {
		str_append_char(p->out, ' ');
		of_text_format_match(p->out, &monitor->what.match, -1, p->names);
	}
}

static void
put_update(struct of_printer *p, const struct of_monitor_update *update)
{
	static const char *const events[] = {"INITIAL", "ADDED",  "DELETED", "MODIFIED",
	                                     "ABBREV",  "PAUSED", "RESUMED"};
	const struct of_flow_stats *flow = &update->flow;
	struct str *out = p->out;
	unsigned event = update->event;

	/* Before 1.4 there are no rules that are not "added". */
	if (event == OF_EVENT_INITIAL && p->msg->version < OF14)
		event = OF_EVENT_ADDED;
	str_printf(out, "\n event=%s", event < ARRAY_SIZE(events) ? events[event] : "?");
	if (update->event == OF_EVENT_ABBREV) {
		str_printf(out, " xid=0x%x", update->xid);
		return;
	}
	if (update->event >= OF_EVENT_PAUSED)
		return;
	if (update->event == OF_EVENT_REMOVED)
		str_printf(out, " reason=%s", reason_name(flow->reason));
	str_append(out, " table=");
	text_format_table(out, flow->table, p->names);
	if (flow->idle_s)
		str_printf(out, " idle_timeout=%u", flow->idle_s);
	if (flow->hard_s)
		str_printf(out, " hard_timeout=%u", flow->hard_s);
	str_printf(out, " cookie=%#" PRIx64 " ", flow->cookie);
	put_match(p, &flow->match, -1);
	if (flow->actions.bytes)
		put_actions(p, &flow->actions);
	else
		out->data[--out->length] = '\0';
}

bool
print_flows(struct of_printer *p)
{
	const struct of_msg *msg = p->msg;

	switch ((int)msg->kind) {
	case OFM_FLOW_MOD:
		put_flow_mod(p);
		return true;
	case OFM_FLOW_STATS_REQUEST:
	case OFM_FLOW_DESC_REQUEST:
	case OFM_AGGREGATE_REQUEST:
		put_request(p, &msg->flow_request);
		return true;
	case OFM_FLOW_STATS_REPLY:
	case OFM_FLOW_DESC_REPLY:
		put_all_stats(p);
		return true;
	case OFM_AGGREGATE_REPLY:
		put_aggregate(p);
		return true;
	case OFM_FLOW_REMOVED:
		put_removed(p);
		return true;
	case OFM_FLOW_MONITOR_REQUEST:
		for (size_t i = 0; i < msg->n; i++)
			put_monitor(p, &msg->monitors[i]);
		return true;
	case OFM_FLOW_MONITOR_REPLY:
		for (size_t i = 0; i < msg->n; i++)
			put_update(p, &msg->monitor_updates[i]);
		return true;
	default:
		return false;
	}
}
