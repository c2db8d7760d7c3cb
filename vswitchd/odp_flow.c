/* odp_flow.c - a list of "name(key=value/mask,...)", some of them inside of encap(), word
 * by word into "field=value,...". For control_trace.c. Main thread. */
#include "vswitchd/odp_flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define OFPORT_LOCAL    65534
#define TYPE_VLAN       "0x8100"
#define TYPE_VLAN_OUTER "0x88a8"

struct translation {
	const struct running *running;
	const struct running_port *port;
	struct str *flow;
	struct error *err;
	bool has_tag;
};

/* What a value is called in OpenFlow; a key of NULL: the group is one value. */
static const struct {
	const char *group, *key, *field;
} fields[] = {
	{"skb_mark", NULL, "pkt_mark"},  {"eth", "src", "dl_src"},
	{"eth", "dst", "dl_dst"},        {"eth_type", NULL, "dl_type"},
	{"vlan", "vid", "dl_vlan"},      {"vlan", "pcp", "dl_vlan_pcp"},
	{"ipv4", "src", "nw_src"},       {"ipv4", "dst", "nw_dst"},
	{"ipv4", "proto", "nw_proto"},   {"ipv4", "ttl", "nw_ttl"},
	{"ipv4", "frag", "nw_frag"},     {"ipv6", "src", "ipv6_src"},
	{"ipv6", "dst", "ipv6_dst"},     {"ipv6", "label", "ipv6_label"},
	{"ipv6", "proto", "nw_proto"},   {"ipv6", "hlimit", "nw_ttl"},
	{"ipv6", "frag", "nw_frag"},     {"tcp", "src", "tp_src"},
	{"tcp", "dst", "tp_dst"},        {"udp", "src", "tp_src"},
	{"udp", "dst", "tp_dst"},        {"sctp", "src", "tp_src"},
	{"sctp", "dst", "tp_dst"},       {"tcp_flags", NULL, "tcp_flags"},
	{"icmp", "type", "icmp_type"},   {"icmp", "code", "icmp_code"},
	{"icmpv6", "type", "icmp_type"}, {"icmpv6", "code", "icmp_code"},
	{"nd", "target", "nd_target"},   {"nd", "sll", "nd_sll"},
	{"nd", "tll", "nd_tll"},         {"arp", "sip", "arp_spa"},
	{"arp", "tip", "arp_tpa"},       {"arp", "op", "arp_op"},
	{"arp", "sha", "arp_sha"},       {"arp", "tha", "arp_tha"},
	{"mpls", "label", "mpls_label"}, {"mpls", "tc", "mpls_tc"},
	{"mpls", "ttl", "mpls_ttl"},     {"mpls", "bos", "mpls_bos"},
	{"tunnel", "tun_id", "tun_id"},
};

/* Groups that say nothing of the packet here. */
static const char *const ignored[] = {
	"recirc_id", "dp_hash", "packet_type", "skb_priority",
	"ct_state",  "ct_zone", "ct_mark",     "ct_label",
};

bool
odp_flow_is_one(const char *text)
{
	return strchr(text, '(') != NULL;
}

static void
put(struct translation *t, const char *field, const char *value)
{
	str_printf(t->flow, "%s%s=%s", t->flow->length ? "," : "", field, value);
}

/* The byte that OpenFlow has in two parts. */
static int
put_tos(struct translation *t, const char *value)
{
	uint64_t tos;

	if (!parse_u64(value, 0, UINT8_MAX, &tos))
		return error_set(t->err, -EINVAL, "tos=%.64s: not a byte", value);
	str_printf(t->flow, ",nw_tos=%u,nw_ecn=%u", (unsigned)tos & 0xfc,
	           (unsigned)tos & 3);
	return 0;
}

static int
put_in_port(struct translation *t, const char *value)
{
	uint64_t id;

	t->port = running_find_port(t->running, value);
	if (!t->port && parse_u64(value, 0, DP_PORTS_MAX, &id))
		t->port = running_find_port_by_id(t->running, (uint32_t)id);
	if (!t->port)
		return error_set(t->err, -ENOENT, "in_port(%.64s): no such port", value);
	if (t->port->config.ofport == OFPORT_LOCAL)
		put(t, "in_port", "LOCAL");
	else
		str_printf(t->flow, "%sin_port=%u", t->flow->length ? "," : "",
		           t->port->config.ofport);
	return 0;
}

/* One value of a group; 'key' is NULL where the group is one. */
static int
put_value(struct translation *t, const char *group, const char *key, char *value)
{
	value[strcspn(value, "/")] = '\0';
	if (!key && !strcmp(group, "in_port"))
		return put_in_port(t, value);
	if (key && (!strcmp(key, "tos") || !strcmp(key, "tclass")))
		return put_tos(t, value);
	/* The type of a tag: the vlan() behind it says so. */
	if (!strcmp(group, "eth_type") &&
	    (!strcmp(value, TYPE_VLAN) || !strcmp(value, TYPE_VLAN_OUTER)))
		return 0;
	if (key && !strcmp(group, "vlan") && !strcmp(key, "tci"))
		return 0; /* there is no tag */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].group, group) || !fields[i].key != !key ||
		    (key && strcmp(fields[i].key, key)))
			continue;
		put(t, fields[i].field, value);
		return 0;
	}
	return error_set(t->err, -EINVAL, "%.64s(%.64s): not a part of flows", group,
	                 key ? key : value);
}

static int
put_group(struct translation *t, const char *group, char *content)
{
	char *next = content;
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (!strcmp(ignored[i], group))
			return 0;
	if (!strcmp(group, "vlan") && t->has_tag)
		return error_set(t->err, -EINVAL,
		                 "a flow has one tag: trace the packet as digits");
	t->has_tag |= !strcmp(group, "vlan");
	while (!ret && next && *next) {
		char *item = next, *equals;

		next = strchr(item, ',');
		if (next)
			*next++ = '\0';
		equals = strchr(item, '=');
		if (equals)
			*equals++ = '\0';
		ret = put_value(t, group, equals ? item : NULL, equals ? equals : item);
	}
	return ret;
}

/* Where the bracket that is open at 'text' closes; NULL. */
static char *
find_close(char *text)
{
	unsigned depth = 1;

	for (; *text; text++) {
		if (*text == '(')
			depth++;
		else if (*text == ')' && --depth == 0)
			return text;
	}
	return NULL;
}

/* A list of groups. What is inside of tags follows them, one level at a time. */
static int
put_list(struct translation *t, char *text)
{
	int ret = 0;

	while (!ret && *text) {
		char *name = text, *open = strchr(text, '('), *close;

		close = open ? find_close(open + 1) : NULL;
		if (!close)
			return error_set(t->err, -EINVAL, "%.64s: brackets are missing",
			                 name);
		*open = *close = '\0';
		text = close + 1;
		if (*text == ',')
			text++;
		if (strcmp(name, "encap")) {
			ret = put_group(t, name, open + 1);
			continue;
		}
		/* Nothing follows behind encap(). */
		if (*text)
			return error_set(t->err, -EINVAL, "%.64s: behind encap()", text);
		text = open + 1;
	}
	return ret;
}

int
odp_flow_translate(const struct running *running, const char *text,
                   const struct running_port **port, struct str *flow, struct error *err)
{
	struct translation t = {.running = running, .flow = flow, .err = err};
	char *copy = xstrdup(text);
	size_t n = 0;
	int ret;

	for (const char *c = text; *c; c++)
		if (*c != ' ')
			copy[n++] = *c;
	copy[n] = '\0';
	ret = put_list(&t, copy);
	free(copy);
	if (!ret && !t.port)
		ret = error_set(err, -EINVAL, "a flow of a datapath has an in_port()");
	*port = t.port;
	return ret;
}
