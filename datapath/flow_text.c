/* flow_text.c - programs in the words of Open vSwitch's datapath actions. Where that has
 * no word, because here a worker finds out (NORMAL, FLOOD, dec_ttl), OpenFlow's. Beside
 * flow_text_match.c. Main. */
#include "datapath/flow_text.h"

#include <inttypes.h>
#include <string.h>

#include "datapath/bridge.h"
#include "datapath/flow_text_private.h"
#include "datapath/port/port.h"
#include "datapath/program.h"

#define TYPE_IPV6 0x86dd

struct writer {
	struct str *out;
	const struct bridge *bridge;
	const struct flow_key *key;
	bool names;
};

/* ---- set(...) ---- */

enum set_form { SET_DECIMAL, SET_HEX, SET_MAC, SET_IPV4, SET_IPV6 };

/* What a field is called in a set(); those without a name here are set_field()s. */
static const struct {
	enum flow_field_id field;
	const char *group, *key;
	enum set_form form;
	uint8_t shift; /* to its place in a byte that fields share */
} set_names[] = {
	{FIELD_ETH_SRC, "eth", "src", SET_MAC, 0},
	{FIELD_ETH_DST, "eth", "dst", SET_MAC, 0},
	{FIELD_VLAN_VID, "vlan", "vid", SET_DECIMAL, 0},
	{FIELD_DL_VLAN, "vlan", "vid", SET_DECIMAL, 0},
	{FIELD_VLAN_PCP, "vlan", "pcp", SET_DECIMAL, 0},
	{FIELD_DL_VLAN_PCP, "vlan", "pcp", SET_DECIMAL, 0},
	{FIELD_MPLS_LABEL, "mpls", "label", SET_DECIMAL, 0},
	{FIELD_MPLS_TC, "mpls", "tc", SET_DECIMAL, 0},
	{FIELD_MPLS_TTL, "mpls", "ttl", SET_DECIMAL, 0},
	{FIELD_MPLS_BOS, "mpls", "bos", SET_DECIMAL, 0},
	{FIELD_IPV4_SRC, "ipv4", "src", SET_IPV4, 0},
	{FIELD_IPV4_DST, "ipv4", "dst", SET_IPV4, 0},
	{FIELD_IPV6_SRC, "ipv6", "src", SET_IPV6, 0},
	{FIELD_IPV6_DST, "ipv6", "dst", SET_IPV6, 0},
	{FIELD_IPV6_LABEL, "ipv6", "label", SET_HEX, 0},
	{FIELD_IP_PROTO, NULL, "proto", SET_DECIMAL, 0},
	{FIELD_IP_DSCP, NULL, "tos", SET_HEX, 0},
	{FIELD_IP_DSCP_SHIFTED, NULL, "tos", SET_HEX, 2},
	{FIELD_IP_ECN, NULL, "tos", SET_HEX, 0},
	{FIELD_IP_TTL, NULL, "ttl", SET_DECIMAL, 0},
	{FIELD_ARP_OP, "arp", "op", SET_DECIMAL, 0},
	{FIELD_ARP_SPA, "arp", "sip", SET_IPV4, 0},
	{FIELD_ARP_TPA, "arp", "tip", SET_IPV4, 0},
	{FIELD_ARP_SHA, "arp", "sha", SET_MAC, 0},
	{FIELD_ARP_THA, "arp", "tha", SET_MAC, 0},
	{FIELD_TCP_SRC, "tcp", "src", SET_DECIMAL, 0},
	{FIELD_TCP_DST, "tcp", "dst", SET_DECIMAL, 0},
	{FIELD_UDP_SRC, "udp", "src", SET_DECIMAL, 0},
	{FIELD_UDP_DST, "udp", "dst", SET_DECIMAL, 0},
	{FIELD_SCTP_SRC, "sctp", "src", SET_DECIMAL, 0},
	{FIELD_SCTP_DST, "sctp", "dst", SET_DECIMAL, 0},
	{FIELD_ICMPV4_TYPE, "icmp", "type", SET_DECIMAL, 0},
	{FIELD_ICMPV4_CODE, "icmp", "code", SET_DECIMAL, 0},
	{FIELD_ICMPV6_TYPE, "icmpv6", "type", SET_DECIMAL, 0},
	{FIELD_ICMPV6_CODE, "icmpv6", "code", SET_DECIMAL, 0},
	{FIELD_ND_TARGET, "nd", "target", SET_IPV6, 0},
	{FIELD_ND_SLL, "nd", "sll", SET_MAC, 0},
	{FIELD_ND_TLL, "nd", "tll", SET_MAC, 0},
};

static uint64_t
value_number(const struct flow_value *value, unsigned n_bytes)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < n_bytes && i < sizeof(number); i++)
		number = number << 8 | value->bytes[i];
	return number;
}

/* What IP calls a field that both versions have. */
static const char *
set_ip_key(const struct writer *w, const char *key)
{
	if (w->key->f.eth_type != TYPE_IPV6)
		return key;
	if (!strcmp(key, "ttl"))
		return "hlimit";
	return !strcmp(key, "tos") ? "tclass" : key;
}

/* The index in set_names, or that of none. */
static unsigned
set_find(enum flow_field_id field)
{
	unsigned i = 0;

	while (i < ARRAY_SIZE(set_names) && set_names[i].field != field)
		i++;
	return i;
}

static const char *
set_group(const struct writer *w, unsigned i)
{
	if (i == ARRAY_SIZE(set_names))
		return NULL;
	if (set_names[i].group)
		return set_names[i].group;
	return w->key->f.eth_type == TYPE_IPV6 ? "ipv6" : "ipv4";
}

/* One value into a group. Bits that a byte does not share are all of it. */
static void
set_value(const struct writer *w, struct text_group *group, unsigned i,
          const struct flow_set_field *set)
{
	const struct flow_field *field = flow_field_get(set->field);
	const char *key = set_ip_key(w, set_names[i].key);
	uint64_t value = value_number(&set->value, field->n_bytes);
	uint64_t mask = value_number(&set->mask, field->n_bytes);
	uint64_t all = field->n_bits >= 64 ? UINT64_MAX : (1ULL << field->n_bits) - 1;

	switch (set_names[i].form) {
	case SET_MAC:
		text_mac(group, key, set->value.bytes, set->mask.bytes);
		break;
	case SET_IPV4:
		text_ip(group, key, set->value.bytes, set->mask.bytes, false);
		break;
	case SET_IPV6:
		text_ip(group, key, set->value.bytes, set->mask.bytes, true);
		break;
	case SET_HEX:
		text_hex(group, key, value << set_names[i].shift,
		         mask << set_names[i].shift,
		         !strcmp(set_names[i].key, "tos") ? UINT8_MAX : all);
		break;
	case SET_DECIMAL:
		if (set->field == FIELD_VLAN_VID)
			all = 0xfff; /* OpenFlow's bit "present" is not in the tag */
		text_decimal(group, key, (uint32_t)value, (uint32_t)mask, (uint32_t)all);
		break;
	}
}

static void
set_other(const struct writer *w, const struct flow_set_field *set)
{
	const struct flow_field *field = flow_field_get(set->field);

	str_append(w->out, "set_field(0x");
	for (unsigned i = 0; i < field->n_bytes; i++)
		str_printf(w->out, "%02x", set->value.bytes[i]);
	str_append(w->out, "/0x");
	for (unsigned i = 0; i < field->n_bytes; i++)
		str_printf(w->out, "%02x", set->mask.bytes[i]);
	str_printf(w->out, "->%s)", field->name);
}

static const struct flow_action *
next_record(const struct flow_action *action)
{
	return (const void *)((const char *)action + action->bytes);
}

/* Values of the same header that are set one after the other; returns what follows. */
static const struct flow_action *
put_set(const struct writer *w, const struct flow_action *action, const void *end)
{
	unsigned i = set_find(((const struct flow_set_field *)action)->field);
	const char *name = set_group(w, i);
	struct text_group group = {.out = w->out, .name = name};

	if (!name) {
		set_other(w, (const void *)action);
		return next_record(action);
	}
	str_append(w->out, "set(");
	do {
		set_value(w, &group, i, (const void *)action);
		action = next_record(action);
		if ((const void *)action >= end || action->type != ACTION_SET_FIELD)
			break;
		i = set_find(((const struct flow_set_field *)action)->field);
	} while (set_group(w, i) && !strcmp(set_group(w, i), name));
	text_end(&group);
	str_append_char(w->out, ')');
	return action;
}

/* ---- the others ---- */

static void
put_output(const struct writer *w, const struct flow_output *output)
{
	if (output->head.is_legacy)
		str_printf(w->out, "trunc(%u),", output->max_len);
	switch (output->port) {
	case FLOW_PORT_IN_PORT:
		text_port(w->out, w->bridge, w->key->f.in_port, w->names);
		break;
	case FLOW_PORT_NORMAL:
		str_append(w->out, "NORMAL");
		break;
	case FLOW_PORT_FLOOD:
		str_append(w->out, "FLOOD");
		break;
	case FLOW_PORT_ALL:
		str_append(w->out, "ALL");
		break;
	default:
		text_port(w->out, w->bridge, output->port, w->names);
		break;
	}
}

static void
put_punt(const struct writer *w, const struct program_punt *punt)
{
	if (punt->reason == DP_PUNT_FIN) {
		str_append(w->out, "fin_timeout");
		return;
	}
	str_printf(w->out,
	           "userspace(pid=0,controller(reason=%u,dont_send=0,continuation=%d,"
	           "recirc_id=0,rule_cookie=%#" PRIx64 ",controller_id=%u,max_len=%u))",
	           punt->reason, punt->pause,
	           punt->cookie == UINT64_MAX ? 0 : punt->cookie, punt->controller_id,
	           punt->max_len);
}

static void
put_mark(const struct writer *w, const struct program_mark *mark)
{
	str_printf(w->out, "set(skb_mark(0x%" PRIx32, mark->value);
	if (mark->mask != UINT32_MAX)
		str_printf(w->out, "/0x%" PRIx32, mark->mask);
	str_append(w->out, "))");
}

static void
put_egress(const struct writer *w, const struct program_egress *egress)
{
	str_printf(w->out, "egress(table=%u,", egress->table);
	put_output(w, &egress->output);
	str_append_char(w->out, ')');
}

static void put_list(const struct writer *w, const void *records, size_t bytes);

static void
put_number(const struct writer *w, const struct flow_action *action)
{
	const uint64_t value = ((const struct flow_number *)action)->value;

	switch (action->type) {
	case ACTION_SET_QUEUE:
		str_printf(w->out, "set(skb_priority(0x%" PRIx64 "))", value);
		break;
	case ACTION_METER:
		str_printf(w->out, "meter(%" PRIu64 ")", value);
		break;
	case ACTION_PUSH_VLAN:
		str_printf(w->out, "push_vlan(tpid=0x%04" PRIx64 ")", value);
		break;
	case ACTION_PUSH_MPLS:
		str_printf(w->out, "push_mpls(eth_type=0x%" PRIx64 ")", value);
		break;
	case ACTION_POP_MPLS:
		str_printf(w->out, "pop_mpls(eth_type=0x%" PRIx64 ")", value);
		break;
	default:
		str_printf(w->out, "push_pbb(eth_type=0x%" PRIx64 ")", value);
		break;
	}
}

static const char *
plain_name(uint16_t type)
{
	switch (type) {
	case ACTION_POP_QUEUE:
		return "set(skb_priority(0))";
	case ACTION_POP_VLAN:
		return "pop_vlan";
	case ACTION_POP_PBB:
		return "pop_pbb";
	case ACTION_DEC_TTL:
		return "dec_ttl";
	case ACTION_DEC_MPLS_TTL:
		return "dec_mpls_ttl";
	case ACTION_COPY_TTL_OUT:
		return "copy_ttl_out";
	case ACTION_COPY_TTL_IN:
		return "copy_ttl_in";
	case ACTION_LEARN:
		return "learn";
	case ACTION_SAMPLE:
		return "sample";
	default:
		return NULL;
	}
}

static void
put_record(const struct writer *w, const struct flow_action *action)
{
	const struct flow_nested *nested = (const void *)action;
	const char *name = plain_name(action->type);

	if (name) {
		str_append(w->out, name);
		return;
	}
	switch (action->type) {
	case ACTION_OUTPUT:
		put_output(w, (const void *)action);
		break;
	case ACTION_CLONE:
		str_append(w->out, "clone(");
		put_list(w, nested->nested, nested->nested_bytes);
		str_append_char(w->out, ')');
		break;
	case PROGRAM_PUNT:
		put_punt(w, (const void *)action);
		break;
	case PROGRAM_MARK:
		put_mark(w, (const void *)action);
		break;
	case PROGRAM_EGRESS:
		put_egress(w, (const void *)action);
		break;
	case PROGRAM_WALK:
		str_printf(w->out, "recirc(table=%u)",
		           ((const struct program_walk *)action)->table);
		break;
	default:
		put_number(w, action);
		break;
	}
}

static void
put_list(const struct writer *w, const void *records, size_t bytes)
{
	const void *end = (const char *)records + bytes;
	const struct flow_action *action = records;
	const size_t begin = w->out->length;

	while ((const void *)action < end) {
		if (w->out->length > begin)
			str_append_char(w->out, ',');
		if (action->type == ACTION_SET_FIELD) {
			action = put_set(w, action, end);
			continue;
		}
		put_record(w, action);
		/* The rest is what a controller resumes. */
		if (action->type == PROGRAM_PUNT &&
		    ((const struct program_punt *)action)->pause)
			return;
		action = next_record(action);
	}
}

void
flow_text_actions(struct str *out, const struct bridge *bridge,
                  const struct flow_key *key, bool names, const void *records,
                  size_t bytes)
{
	const struct writer w = {out, bridge, key, names};

	if (bytes == 0)
		str_append(out, "drop");
	else
		put_list(&w, records, bytes);
}
