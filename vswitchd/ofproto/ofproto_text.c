/* ofproto_text.c - bridge/dump-flows: all rules of a switch. Beside ofproto.c. Main
 * thread. */
#include <stdlib.h>

#include "base/clock.h"
#include "openflow/of_text.h"
#include "vswitchd/ofproto/switch.h"

static void
show_flags(const struct rule *rule, struct str *out)
{
	static const struct {
		uint16_t flag;
		const char *text;
	} flags[] = {
		{OF_FLOW_SEND_REMOVED, "send_flow_rem "},
		{OF_FLOW_CHECK_OVERLAP, "check_overlap "},
		{OF_FLOW_RESET_COUNTS, "reset_counts "},
		{OF_FLOW_NO_PACKETS, "no_packet_counts "},
		{OF_FLOW_NO_BYTES, "no_byte_counts "},
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (rule->flags & flags[i].flag)
			str_append(out, flags[i].text);
}

static void
show_rule(const struct rule *rule, uint64_t now_ns, bool offload, struct str *out)
{
	struct rule_stats stats;

	rule_get_stats(rule, &stats);
	if (rule->table)
		str_printf(out, "table_id=%u, ", rule->table);
	str_printf(out, "duration=%llus, ",
	           (unsigned long long)((now_ns - rule->created_ns) / NSEC_PER_SEC));
	if (rule->idle_s)
		str_printf(out, "idle_timeout=%u, ", rule->idle_s);
	if (rule->hard_s)
		str_printf(out, "hard_timeout=%u, ", rule->hard_s);
	str_printf(out, "n_packets=%llu, n_bytes=%llu, ",
	           (unsigned long long)stats.packets, (unsigned long long)stats.bytes);
	if (offload)
		str_append(out, "n_offload_packets=0, n_offload_bytes=0, ");
	if (rule->cookie)
		str_printf(out, "cookie=0x%llx, ", (unsigned long long)rule->cookie);
	show_flags(rule, out);
	of_text_format_match(out, &rule->match, rule->priority, NULL);
	str_append(out, ",actions=");
	of_text_format_actions(out, rule->actions.data, rule->actions.bytes, NULL);
	str_append_char(out, '\n');
}

static int
compare_rules(const void *a, const void *b)
{
	const struct rule *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*x)->priority > (*y)->priority ? -1 : 1;
	return (*x)->created_ns < (*y)->created_ns ? -1 : 1;
}

void
ofproto_dump_flows(struct ofproto *ofproto, bool offload, struct str *out)
{
	const uint64_t now_ns = dp_time_ns();

	for (size_t i = 0; i < OF_TABLES; i++) {
		struct rule_list list = {0};
		struct rule *rule;

		HMAP_FOR_EACH (rule, node, &ofproto->tables[i].rules)
			rule_list_add(&list, rule);
		if (list.n)
			qsort(list.rules, list.n, sizeof(struct rule *), compare_rules);
		for (size_t j = 0; j < list.n; j++)
			show_rule(list.rules[j], now_ns, offload, out);
		rule_list_destroy(&list);
	}
}
