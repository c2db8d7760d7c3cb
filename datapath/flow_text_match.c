/* flow_text_match.c - what packets an entry of the flow cache is for, in the words of
 * Open vSwitch's datapaths. Beside flow_text.c. Main. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "datapath/bridge.h"
#include "datapath/flow_text_private.h"
#include "datapath/port/port.h"

#define TYPE_ARP     0x0806
#define TYPE_RARP    0x8035
#define TYPE_IPV4    0x0800
#define TYPE_IPV6    0x86dd
#define TYPE_MPLS    0x8847
#define TYPE_MPLS_MC 0x8848
#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_ICMPV6 58
#define PROTO_SCTP   132
#define ND_SOLICIT   135
#define ND_ADVERTISE 136

/* ---- groups of values ---- */

static void
text_key(struct text_group *group, const char *key)
{
	if (group->is_open)
		str_append_char(group->out, ',');
	else
		str_printf(group->out, "%s(", group->name);
	group->is_open = true;
	str_printf(group->out, "%s=", key);
}

void
text_end(struct text_group *group)
{
	if (group->is_open)
		str_append_char(group->out, ')');
	group->is_open = false;
}

void
text_decimal(struct text_group *group, const char *key, uint32_t value, uint32_t mask,
             uint32_t all)
{
	if (!(mask & all))
		return;
	text_key(group, key);
	str_printf(group->out, "%" PRIu32, value & all);
	if ((mask & all) != all)
		str_printf(group->out, "/0x%" PRIx32, mask & all);
}

void
text_hex(struct text_group *group, const char *key, uint64_t value, uint64_t mask,
         uint64_t all)
{
	if (!(mask & all))
		return;
	text_key(group, key);
	str_printf(group->out, "0x%" PRIx64, value & all);
	if ((mask & all) != all)
		str_printf(group->out, "/0x%" PRIx64, mask & all);
}

static bool
bytes_are(const uint8_t *bytes, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void
put_mac(struct str *out, const uint8_t *mac)
{
	str_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
	           mac[4], mac[5]);
}

void
text_mac(struct text_group *group, const char *key, const uint8_t *value,
         const uint8_t *mask)
{
	if (bytes_are(mask, 6, 0))
		return;
	text_key(group, key);
	put_mac(group->out, value);
	if (bytes_are(mask, 6, 0xff))
		return;
	str_append_char(group->out, '/');
	put_mac(group->out, mask);
}

void
text_ip(struct text_group *group, const char *key, const uint8_t *value,
        const uint8_t *mask, bool is_ipv6)
{
	int family = is_ipv6 ? AF_INET6 : AF_INET;
	size_t n = is_ipv6 ? 16 : 4;
	char text[INET6_ADDRSTRLEN];

	if (bytes_are(mask, n, 0))
		return;
	text_key(group, key);
	str_append(group->out, inet_ntop(family, value, text, sizeof(text)));
	if (!bytes_are(mask, n, 0xff))
		str_printf(group->out, "/%s",
		           inet_ntop(family, mask, text, sizeof(text)));
}

void
text_port(struct str *out, const struct bridge *bridge, uint32_t number, bool names)
{
	const struct port *port = bridge_find_port(bridge, number);

	if (!port)
		str_printf(out, "openflow:%" PRIu32, number);
	else if (names)
		str_append(out, port->name);
	else
		str_printf(out, "%" PRIu32, port->id);
}

/* ---- layers ---- */

struct layers {
	struct str *out;
	const struct flow_fields *key, *mask;
};

static struct text_group
layer_begin(const struct layers *l, const char *name)
{
	struct text_group group = {.out = l->out, .name = name};

	return group;
}

/* A comma follows each layer. */
static void
layer_end(struct text_group *group)
{
	if (!group->is_open)
		return;
	text_end(group);
	str_append_char(group->out, ',');
}

static void
put_state(const struct layers *l)
{
	const struct flow_fields *k = l->key, *m = l->mask;

	if (m->packet_mark)
		str_printf(l->out, "skb_mark(0x%" PRIx32 "/0x%" PRIx32 "),",
		           k->packet_mark, m->packet_mark);
	if (m->ct_state)
		str_printf(l->out, "ct_state(0x%" PRIx32 "/0x%" PRIx32 "),", k->ct_state,
		           m->ct_state);
	if (m->tun_id)
		str_printf(l->out, "tunnel(tun_id=0x%" PRIx64 "),", k->tun_id);
}

static void
put_vlan(const struct layers *l, uint16_t type, uint16_t tci, uint16_t tci_mask)
{
	struct text_group vlan = layer_begin(l, "vlan");

	str_printf(l->out, "eth_type(0x%04x),", type);
	text_decimal(&vlan, "vid", tci, tci_mask, 0xfff);
	text_decimal(&vlan, "pcp", tci >> 13, tci_mask >> 13, 7);
	layer_end(&vlan);
	str_append(l->out, "encap(");
}

/* Returns how many brackets are to be closed behind what is inside of the tags. */
static unsigned
put_tags(const struct layers *l)
{
	const struct flow_fields *k = l->key, *m = l->mask;
	struct text_group vlan = layer_begin(l, "vlan");

	if (!m->vlan_tci)
		return 0;
	if (!(k->vlan_tci & m->vlan_tci & FLOW_VLAN_PRESENT)) {
		text_hex(&vlan, "tci", k->vlan_tci, m->vlan_tci, UINT16_MAX);
		layer_end(&vlan);
		return 0;
	}
	put_vlan(l, k->vlan_tpid ? k->vlan_tpid : 0x8100, k->vlan_tci, m->vlan_tci);
	if (!(k->vlan2_tci & m->vlan2_tci & FLOW_VLAN_PRESENT))
		return 1;
	put_vlan(l, k->vlan2_tpid ? k->vlan2_tpid : 0x8100, k->vlan2_tci, m->vlan2_tci);
	return 2;
}

static void
put_arp(const struct layers *l)
{
	struct text_group arp = layer_begin(l, "arp");

	text_ip(&arp, "sip", l->key->ip_src, l->mask->ip_src, false);
	text_ip(&arp, "tip", l->key->ip_dst, l->mask->ip_dst, false);
	text_decimal(&arp, "op", l->key->tp_src, l->mask->tp_src, UINT16_MAX);
	text_mac(&arp, "sha", l->key->arp_sha, l->mask->arp_sha);
	text_mac(&arp, "tha", l->key->arp_tha, l->mask->arp_tha);
	layer_end(&arp);
}

static void
put_mpls(const struct layers *l)
{
	struct text_group mpls = layer_begin(l, "mpls");
	uint32_t k = l->key->mpls_lse, m = l->mask->mpls_lse;

	text_decimal(&mpls, "label", k >> 12, m >> 12, 0xfffff);
	text_decimal(&mpls, "tc", k >> 9, m >> 9, 7);
	text_decimal(&mpls, "ttl", k, m, UINT8_MAX);
	text_decimal(&mpls, "bos", k >> 8, m >> 8, 1);
	layer_end(&mpls);
}

static const char *
fragment_name(uint8_t fragment)
{
	if (!(fragment & FLOW_FRAGMENT))
		return "no";
	return fragment & FLOW_LATER ? "later" : "first";
}

static void
put_ip(const struct layers *l, bool is_ipv6)
{
	struct text_group ip = layer_begin(l, is_ipv6 ? "ipv6" : "ipv4");
	const struct flow_fields *k = l->key, *m = l->mask;

	text_ip(&ip, "src", k->ip_src, m->ip_src, is_ipv6);
	text_ip(&ip, "dst", k->ip_dst, m->ip_dst, is_ipv6);
	if (is_ipv6)
		text_hex(&ip, "label", k->ipv6_label, m->ipv6_label, 0xfffff);
	text_decimal(&ip, "proto", k->ip_proto, m->ip_proto, UINT8_MAX);
	text_hex(&ip, is_ipv6 ? "tclass" : "tos", k->ip_tos, m->ip_tos, UINT8_MAX);
	text_decimal(&ip, is_ipv6 ? "hlimit" : "ttl", k->ip_ttl, m->ip_ttl, UINT8_MAX);
	if (m->ip_fragment) {
		text_key(&ip, "frag");
		str_append(l->out, fragment_name(k->ip_fragment));
	}
	layer_end(&ip);
}

static void
put_ports(const struct layers *l, const char *name)
{
	struct text_group ports_group = layer_begin(l, name);

	text_decimal(&ports_group, "src", l->key->tp_src, l->mask->tp_src, UINT16_MAX);
	text_decimal(&ports_group, "dst", l->key->tp_dst, l->mask->tp_dst, UINT16_MAX);
	layer_end(&ports_group);
	if (l->key->ip_proto == PROTO_TCP && l->mask->tcp_flags)
		str_printf(l->out, "tcp_flags(0x%x/0x%x),", l->key->tcp_flags,
		           l->mask->tcp_flags);
}

static void
put_icmp(const struct layers *l, bool is_ipv6)
{
	struct text_group icmp = layer_begin(l, is_ipv6 ? "icmpv6" : "icmp"), nd;

	text_decimal(&icmp, "type", l->key->tp_src, l->mask->tp_src, UINT8_MAX);
	text_decimal(&icmp, "code", l->key->tp_dst, l->mask->tp_dst, UINT8_MAX);
	layer_end(&icmp);
	if (!is_ipv6 || (l->key->tp_src != ND_SOLICIT && l->key->tp_src != ND_ADVERTISE))
		return;
	nd = layer_begin(l, "nd");
	text_ip(&nd, "target", l->key->nd_target, l->mask->nd_target, true);
	text_mac(&nd, "sll", l->key->arp_sha, l->mask->arp_sha);
	text_mac(&nd, "tll", l->key->arp_tha, l->mask->arp_tha);
	layer_end(&nd);
}

static void
put_transport(const struct layers *l, bool is_ipv6)
{
	if (l->mask->ip_proto != UINT8_MAX)
		return;
	switch (l->key->ip_proto) {
	case PROTO_TCP:
		put_ports(l, "tcp");
		break;
	case PROTO_UDP:
		put_ports(l, "udp");
		break;
	case PROTO_SCTP:
		put_ports(l, "sctp");
		break;
	case PROTO_ICMP:
		if (!is_ipv6)
			put_icmp(l, false);
		break;
	case PROTO_ICMPV6:
		if (is_ipv6)
			put_icmp(l, true);
		break;
	default:
		break;
	}
}

static void
put_network(const struct layers *l)
{
	uint16_t type = l->key->eth_type;

	if (!l->mask->eth_type)
		return;
	str_printf(l->out, "eth_type(0x%04x),", type);
	if (l->mask->eth_type != UINT16_MAX)
		return;
	if (type == TYPE_ARP || type == TYPE_RARP)
		put_arp(l);
	else if (type == TYPE_MPLS || type == TYPE_MPLS_MC)
		put_mpls(l);
	else if (type == TYPE_IPV4 || type == TYPE_IPV6)
		put_ip(l, type == TYPE_IPV6);
	if (type == TYPE_IPV4 || type == TYPE_IPV6)
		put_transport(l, type == TYPE_IPV6);
}

void
flow_text_match(struct str *out, const struct bridge *bridge, bool names,
                const struct flow_match *match)
{
	const struct layers l = {out, &match->key.f, &match->mask.f};
	struct text_group eth = layer_begin(&l, "eth");
	unsigned tags;

	put_state(&l);
	str_append(out, "recirc_id(0),in_port(");
	text_port(out, bridge, l.key->in_port, names);
	str_append(out, "),packet_type(ns=0,id=0),");
	text_mac(&eth, "src", l.key->eth_src, l.mask->eth_src);
	text_mac(&eth, "dst", l.key->eth_dst, l.mask->eth_dst);
	layer_end(&eth);
	tags = put_tags(&l);
	put_network(&l);
	if (out->data[out->length - 1] == ',')
		out->data[--out->length] = '\0';
	while (tags-- > 0)
		str_append_char(out, ')');
}
