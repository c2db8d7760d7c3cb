/* ofproto_text.c - what control commands show of a switch. Beside ofproto.c. Main
 * thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "openflow/of_text.h"
#include "vswitchd/ofproto/switch.h"

#define FRAME_MAX 65535

static uint32_t
port_number(const char *name, void *aux)
{
	const struct ofproto *ofproto = aux;
	struct port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		if (!strcmp(port->port.name, name))
			return port->port.number;
	return UINT32_MAX;
}

static struct of_names
names_of(struct ofproto *ofproto)
{
	return (struct of_names){.port_number = port_number, .aux = ofproto};
}

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
show_rule(const struct rule *rule, uint64_t now_ns, struct str *out)
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
ofproto_dump_flows(struct ofproto *ofproto, struct str *out)
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
			show_rule(list.rules[j], now_ns, out);
		rule_list_destroy(&list);
	}
}

/* ---- trace ---- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Returns how many bytes; -EINVAL. Blanks are skipped. */
static int
parse_hex(const char *text, uint8_t *data, struct error *err)
{
	int n = 0, high = -1;

	for (; *text; text++) {
		const int digit = hex_digit(*text);

		if (*text == ' ')
			continue;
		if (digit < 0 || n == FRAME_MAX)
			return error_set(err, -EINVAL,
			                 "the packet is not a line of hex digits");
		if (high < 0) {
			high = digit;
		} else {
			data[n++] = (uint8_t)(high << 4 | digit);
			high = -1;
		}
	}
	return high < 0 ? n : error_set(err, -EINVAL, "the packet ends in half a byte");
}

static void
trace_line(int depth, const char *text, void *aux)
{
	struct str *out = aux;

	for (int i = 0; i < depth; i++)
		str_append(out, "    ");
	str_append(out, text);
	str_append_char(out, '\n');
}

int
ofproto_trace(struct ofproto *ofproto, const char *flow, const char *packet_hex,
              struct str *out, struct error *err)
{
	const struct of_names names = names_of(ofproto);
	struct flow_match match = {0};
	struct flow_key key;
	uint8_t *data;
	size_t length = 64;
	int n;

	if (flow && *flow) {
		n = of_text_parse_match(flow, &names, &match, err);
		if (n)
			return n;
	}
	key = match.key;
	if (packet_hex && *packet_hex) {
		data = malloc(FRAME_MAX);
		n = data ? parse_hex(packet_hex, data, err) : -ENOMEM;
		if (n >= 0) {
			key = (struct flow_key){0};
			flow_parse(data, (size_t)n, (size_t)n, &key);
			/* State and port come with the words, headers with bytes. */
			for (size_t i = FLOW_PACKET_WORDS; i < FLOW_KEY_WORDS; i++)
				key.words[i] = match.key.words[i];
			key.f.in_port = match.key.f.in_port;
			key.f.tun_id = match.key.f.tun_id;
			key.f.packet_mark = match.key.f.packet_mark;
			length = (size_t)n;
		}
		free(data);
		if (n < 0)
			return n;
	}
	if (!match.mask.f.actset_output)
		key.f.actset_output = FLOW_PORT_NONE;
	memset(&match.mask, 0, sizeof(match.mask));
	str_append(out, "Flow: ");
	str_printf(out, "%s\n\nbridge(\"%s\")\n", flow && *flow ? flow : packet_hex,
	           ofproto->name);
	dp_trace(ofproto->bridge_id, &key, length, trace_line, out);
	return 0;
}
