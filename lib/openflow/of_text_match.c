/* of_text_match.c - a rule's match: reads "tcp,in_port=1,tp_dst=80" and prints it in
 * ovs-ofctl's order and words. No state, any thread. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

#include "openflow/of_text_private.h"

#ifndef IPPROTO_SCTP
#define IPPROTO_SCTP 132
#endif

#define ETH_IP    0x0800
#define ETH_IPV6  0x86dd
#define ETH_ARP   0x0806
#define ETH_RARP  0x8035
#define ETH_MPLS  0x8847
#define ETH_MPLSM 0x8848

#define PRIORITY_DEFAULT 32768

/* Keywords without a value. Printed is the first one that fits. */
static const struct {
	const char *name;
	uint16_t eth_type;
	uint8_t ip_proto; /* 0 = any */
} protocols[] = {
	{"icmp", ETH_IP, IPPROTO_ICMP},
	{"tcp", ETH_IP, IPPROTO_TCP},
	{"udp", ETH_IP, IPPROTO_UDP},
	{"sctp", ETH_IP, IPPROTO_SCTP},
	{"ip", ETH_IP, 0},
	{"ipv4", ETH_IP, 0},
	{"ip4", ETH_IP, 0},
	{"icmp6", ETH_IPV6, IPPROTO_ICMPV6},
	{"tcp6", ETH_IPV6, IPPROTO_TCP},
	{"udp6", ETH_IPV6, IPPROTO_UDP},
	{"sctp6", ETH_IPV6, IPPROTO_SCTP},
	{"ipv6", ETH_IPV6, 0},
	{"ip6", ETH_IPV6, 0},
	{"arp", ETH_ARP, 0},
	{"rarp", ETH_RARP, 0},
	{"mpls", ETH_MPLS, 0},
	{"mplsm", ETH_MPLSM, 0},
};

static bool
parse_protocol(const char *name, struct flow_match *match)
{
	if (!strcmp(name, "eth"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(protocols[i].name, name))
			continue;
		flow_match_set_u64(match, FIELD_ETH_TYPE, protocols[i].eth_type);
		if (protocols[i].ip_proto)
			flow_match_set_u64(match, FIELD_IP_PROTO, protocols[i].ip_proto);
		return true;
	}
	return false;
}

static void
set_tci(struct flow_match *match, uint16_t value, uint16_t mask)
{
	uint16_t *tci = &match->key.f.vlan_tci;

	match->mask.f.vlan_tci |= mask;
	*tci = (uint16_t)((*tci & ~mask) | (value & mask));
}

/* The fields of a VLAN tag meet in one: the VLAN, its priority, and whether there is a
 * tag at all. */
static void
set_vlan(struct flow_match *match, enum flow_field_id id, uint16_t value, uint16_t mask)
{
	switch ((int)id) {
	case FIELD_VLAN_TCI:
		match->mask.f.vlan_tci = 0;
		match->key.f.vlan_tci = 0;
		set_tci(match, value, mask);
		break;
	case FIELD_DL_VLAN:
		if (value == UINT16_MAX) { /* OpenFlow 1.0: no tag */
			match->mask.f.vlan_tci = UINT16_MAX;
			match->key.f.vlan_tci = 0;
		} else {
			set_tci(match, value | FLOW_VLAN_PRESENT,
			        0x0fff | FLOW_VLAN_PRESENT);
		}
		break;
	case FIELD_VLAN_VID:
		match->mask.f.vlan_tci &= 0xe000;
		match->key.f.vlan_tci &= 0xe000;
		set_tci(match, value, mask & 0x1fff);
		break;
	default:
		set_tci(match, (uint16_t)(value << 13 | FLOW_VLAN_PRESENT),
		        0xe000 | FLOW_VLAN_PRESENT);
		break;
	}
}

static bool
is_vlan_field(enum flow_field_id id)
{
	return id == FIELD_VLAN_TCI || id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP ||
	       id == FIELD_VLAN_VID || id == FIELD_VLAN_PCP;
}

static int
parse_field(const char *key, const char *text, enum flow_field_id id,
            const struct of_names *names, struct flow_match *match, struct error *err)
{
	const struct flow_field *field = flow_field_get(id);
	struct flow_value value, mask;
	uint64_t number;

	if (id == FIELD_ND_OPTIONS_TYPE)
		return error_set(err, -ENOTSUP, "%s is not supported", key);
	if (id == FIELD_DL_VLAN && text_parse_u64(text, UINT16_MAX, &number) &&
	    number == UINT16_MAX) {
		set_vlan(match, id, UINT16_MAX, 0);
		return 0;
	}
	if (id == FIELD_IP_DSCP && text_parse_u64(text, UINT8_MAX, &number)) {
		/* A TOS byte, of which ECN is not part. */
		text_value_set(&value, 1, number & 0xfc);
		text_value_set(&mask, 1, 0xfc);
		flow_match_set(match, id, &value, &mask);
		return 0;
	}
	if (of_text_parse_field(field, text, names, &value, &mask, err)) {
		if (!strchr(text, '=') && !strstr(err ? err->text : "", key))
			error_prefix(err, "%s", key);
		return -EINVAL;
	}
	if (id == FIELD_PACKET_TYPE || text_is_zero(mask.bytes, field->n_bytes))
		return 0;
	if (is_vlan_field(id))
		set_vlan(match, id, (uint16_t)text_value_u64(&value, field->n_bytes),
		         (uint16_t)text_value_u64(&mask, field->n_bytes));
	else
		flow_match_set(match, id, &value, &mask);
	return 0;
}

int
text_match_word(const struct text_word *word, const struct of_names *names,
                struct flow_match *match, struct error *err)
{
	enum flow_field_id id;

	if (parse_protocol(word->key, match))
		return 0;
	id = text_field_by_keyword(word->key);
	if (id == FIELD_NONE)
		return word->delimiter
		               ? error_set(err, -EINVAL, "unknown keyword %s", word->key)
		               : error_set(err, -EINVAL, "field %s missing value",
		                           word->key);
	return parse_field(word->key, word->value, id, names, match, err);
}

void
text_match_end(struct flow_match *match)
{
	const struct flow_fields *key = &match->key.f, *mask = &match->mask.f;

	/* OpenFlow 1.0 has ARP's operation where IP has the protocol. */
	if (mask->eth_type && (key->eth_type == ETH_ARP || key->eth_type == ETH_RARP) &&
	    mask->ip_proto) {
		flow_match_set_u64(match, FIELD_ARP_OP, key->ip_proto);
		match->key.f.ip_proto = match->mask.f.ip_proto = 0;
	}
}

int
of_text_parse_match(const char *text, const struct of_names *names,
                    struct flow_match *match, struct error *err)
{
	char *copy = xstrdup(text), *cursor = copy;
	struct text_word word;
	int error = 0;

	memset(match, 0, sizeof(*match));
	while (!error && text_next_word(&cursor, &word))
		error = text_match_word(&word, names, match, err);
	if (!error)
		text_match_end(match);
	free(copy);
	return error;
}

/* What the printers below share. */
struct match_printer {
	struct str *out;
	const struct flow_fields *f, *m; /* values, masks */
	const struct of_names *names;
};

static void
put_u32(struct match_printer *p, const char *name, uint32_t value, uint32_t mask)
{
	if (mask == UINT32_MAX)
		str_printf(p->out, "%s=%#x,", name, value);
	else if (mask)
		str_printf(p->out, "%s=%#x/%#x,", name, value, mask);
}

static void
put_u64(struct match_printer *p, const char *name, uint64_t value, uint64_t mask)
{
	if (mask == UINT64_MAX)
		str_printf(p->out, "%s=%#" PRIx64 ",", name, value);
	else if (mask)
		str_printf(p->out, "%s=%#" PRIx64 "/%#" PRIx64 ",", name, value, mask);
}

/* Decimal, in hexadecimal with a mask; 'full' is the field's. */
static void
put_decimal(struct match_printer *p, const char *name, uint32_t value, uint32_t mask,
            uint32_t full)
{
	if ((mask & full) == full)
		str_printf(p->out, "%s=%u,", name, value);
	else if (mask)
		str_printf(p->out, "%s=0x%x/0x%x,", name, value, mask);
}

static void
put_mac(struct match_printer *p, const char *name, const uint8_t *mac,
        const uint8_t *mask)
{
	static const uint8_t full[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (text_is_zero(mask, 6))
		return;
	str_printf(p->out, "%s=", name);
	text_format_mac(p->out, mac);
	if (memcmp(mask, full, sizeof(full))) {
		str_append_char(p->out, '/');
		text_format_mac(p->out, mask);
	}
	str_append_char(p->out, ',');
}

static void
put_ip(struct match_printer *p, const char *name, const uint8_t *ip, const uint8_t *mask,
       bool is_ipv6)
{
	if (text_is_zero(mask, is_ipv6 ? 16 : 4))
		return;
	str_printf(p->out, "%s=", name);
	if (is_ipv6)
		text_format_ipv6(p->out, ip, mask);
	else
		text_format_ipv4(p->out, ip, mask);
	str_append_char(p->out, ',');
}

static void
put_port(struct match_printer *p, const char *name, uint32_t port, uint32_t mask)
{
	if (!mask)
		return;
	str_printf(p->out, "%s=", name);
	text_format_port(p->out, port, p->names);
	str_append_char(p->out, ',');
}

static void
put_flags(struct match_printer *p, const char *name, enum text_form form, uint32_t flags,
          uint32_t mask, uint32_t full)
{
	if (!mask)
		return;
	str_printf(p->out, "%s=", name);
	text_format_flags(p->out, text_flag_names(form), flags, mask, full);
	str_append_char(p->out, ',');
}

static void
put_label(struct match_printer *p)
{
	const uint8_t *mask = p->m->ct_label;

	if (text_is_zero(mask, 16))
		return;
	str_append(p->out, "ct_label=");
	text_format_hex(p->out, p->f->ct_label, 16);
	for (unsigned i = 0; i < 16; i++)
		if (mask[i] != 0xff) {
			str_append_char(p->out, '/');
			text_format_hex(p->out, mask, 16);
			break;
		}
	str_append_char(p->out, ',');
}

static void
put_state(struct match_printer *p)
{
	put_u32(p, "pkt_mark", p->f->packet_mark, p->m->packet_mark);
	put_u32(p, "recirc_id", p->f->recirc_id, p->m->recirc_id);
	put_decimal(p, "conj_id", p->f->conj_id, p->m->conj_id, UINT32_MAX);
	put_port(p, "actset_output", p->f->actset_output, p->m->actset_output);
	put_flags(p, "ct_state", TEXT_CT_STATE, p->f->ct_state, p->m->ct_state, 0xff);
	put_decimal(p, "ct_zone", p->f->ct_zone, p->m->ct_zone, UINT16_MAX);
	put_u32(p, "ct_mark", p->f->ct_mark, p->m->ct_mark);
	put_label(p);
}

/* True if the word for the type says the IP protocol as well. */
static bool
put_protocol(struct match_printer *p, bool *has_type)
{
	*has_type = false;
	if (p->m->eth_type != UINT16_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		bool says_proto = protocols[i].ip_proto != 0;

		if (protocols[i].eth_type != p->f->eth_type ||
		    (says_proto && (p->m->ip_proto != UINT8_MAX ||
		                    p->f->ip_proto != protocols[i].ip_proto)))
			continue;
		str_printf(p->out, "%s,", protocols[i].name);
		*has_type = true;
		return says_proto;
	}
	return false;
}

static void
put_tunnel_address(struct match_printer *p, const char *side, const uint8_t *ip,
                   const uint8_t *mask)
{
	bool is_ipv6 = !text_is_zero(mask + 4, 12);

	if (text_is_zero(mask, 16))
		return;
	str_printf(p->out, is_ipv6 ? "tun_ipv6_%s=" : "tun_%s=", side);
	if (is_ipv6)
		text_format_ipv6(p->out, ip, mask);
	else
		text_format_ipv4(p->out, ip, mask);
	str_append_char(p->out, ',');
}

static void
put_metadata(struct match_printer *p)
{
	char name[8];

	for (unsigned i = 0; i < FLOW_REGS; i++) {
		snprintf(name, sizeof(name), "reg%u", i);
		put_u32(p, name, p->f->regs[i], p->m->regs[i]);
	}
	put_u64(p, "tun_id", p->f->tun_id, p->m->tun_id);
	put_tunnel_address(p, "src", p->f->tun_src, p->m->tun_src);
	put_tunnel_address(p, "dst", p->f->tun_dst, p->m->tun_dst);
	if (p->m->tun_tos)
		str_printf(p->out, "tun_tos=%x,", p->f->tun_tos);
	if (p->m->tun_ttl)
		str_printf(p->out, "tun_ttl=%u,", p->f->tun_ttl);
	put_flags(p, "tun_flags", TEXT_TUN_FLAGS, p->f->tun_flags, p->m->tun_flags & 1,
	          UINT32_MAX);
	put_u64(p, "metadata", p->f->metadata, p->m->metadata);
	put_port(p, "in_port", p->f->in_port, p->m->in_port);
}

static void
put_vlan(struct match_printer *p)
{
	uint16_t tci = p->f->vlan_tci, mask = p->m->vlan_tci;
	uint16_t vid = mask & 0x0fff, pcp = mask & 0xe000;

	if (!mask)
		return;
	if (mask & tci & FLOW_VLAN_PRESENT && (vid || pcp) && (!vid || vid == 0x0fff) &&
	    (!pcp || pcp == 0xe000)) {
		if (vid)
			str_printf(p->out, "dl_vlan=%u,", tci & 0x0fff);
		if (pcp)
			str_printf(p->out, "dl_vlan_pcp=%u,", tci >> 13);
	} else if (mask == UINT16_MAX) {
		str_printf(p->out, "vlan_tci=0x%04x,", tci);
	} else {
		str_printf(p->out, "vlan_tci=0x%04x/0x%04x,", tci, mask);
	}
}

static void
put_addresses(struct match_printer *p, uint16_t type)
{
	bool is_arp = type == ETH_ARP || type == ETH_RARP;

	if (type == ETH_IPV6) {
		uint32_t label = p->m->ipv6_label & 0xfffff;

		put_ip(p, "ipv6_src", p->f->ip_src, p->m->ip_src, true);
		put_ip(p, "ipv6_dst", p->f->ip_dst, p->m->ip_dst, true);
		if (label == 0xfffff)
			str_printf(p->out, "ipv6_label=0x%05x,", p->f->ipv6_label);
		else if (label)
			str_printf(p->out, "ipv6_label=0x%05x/0x%05x,", p->f->ipv6_label,
			           label);
		if (p->m->ipv6_exthdr)
			put_decimal(p, "ipv6_exthdr", p->f->ipv6_exthdr,
			            p->m->ipv6_exthdr, 0x1ff);
	} else {
		put_ip(p, is_arp ? "arp_spa" : "nw_src", p->f->ip_src, p->m->ip_src,
		       false);
		put_ip(p, is_arp ? "arp_tpa" : "nw_dst", p->f->ip_dst, p->m->ip_dst,
		       false);
	}
}

static void
put_mpls(struct match_printer *p)
{
	uint32_t lse = p->f->mpls_lse, mask = p->m->mpls_lse;

	put_decimal(p, "mpls_label", lse >> 12, mask >> 12, 0xfffff);
	put_decimal(p, "mpls_tc", lse >> 9 & 7, mask >> 9 & 7, 7);
	put_decimal(p, "mpls_ttl", lse & 0xff, mask & 0xff, 0xff);
	put_decimal(p, "mpls_bos", lse >> 8 & 1, mask >> 8 & 1, 1);
}

static void
put_ip_fields(struct match_printer *p)
{
	const char *fragment;

	if ((p->m->ip_tos & 0xfc) == 0xfc)
		str_printf(p->out, "nw_tos=%u,", p->f->ip_tos & 0xfc);
	if ((p->m->ip_tos & 3) == 3)
		str_printf(p->out, "nw_ecn=%u,", p->f->ip_tos & 3);
	put_decimal(p, "nw_ttl", p->f->ip_ttl, p->m->ip_ttl, UINT8_MAX);
	put_mpls(p);
	if (p->m->ip_fragment & 3) {
		fragment =
			text_fragment_name(p->f->ip_fragment & 3, p->m->ip_fragment & 3);
		str_printf(p->out, "nw_frag=%s,", fragment ? fragment : "<error>");
	}
}

static void
put_nd(struct match_printer *p)
{
	put_ip(p, "nd_target", p->f->nd_target, p->m->nd_target, true);
	put_mac(p, "nd_sll", p->f->arp_sha, p->m->arp_sha);
	put_mac(p, "nd_tll", p->f->arp_tha, p->m->arp_tha);
	put_decimal(p, "nd_reserved", p->f->nd_reserved, p->m->nd_reserved, UINT32_MAX);
}

static void
put_transport(struct match_printer *p, uint16_t type)
{
	uint8_t proto = p->m->ip_proto ? p->f->ip_proto : 0;
	bool is_icmp6 = type == ETH_IPV6 && proto == IPPROTO_ICMPV6;

	if (type == ETH_ARP || type == ETH_RARP)
		return;
	if (is_icmp6 || (type == ETH_IP && proto == IPPROTO_ICMP)) {
		put_decimal(p, "icmp_type", p->f->tp_src, p->m->tp_src, UINT8_MAX);
		put_decimal(p, "icmp_code", p->f->tp_dst, p->m->tp_dst, UINT8_MAX);
		if (is_icmp6)
			put_nd(p);
		return;
	}
	put_decimal(p, "tp_src", p->f->tp_src, p->m->tp_src, UINT16_MAX);
	put_decimal(p, "tp_dst", p->f->tp_dst, p->m->tp_dst, UINT16_MAX);
	if ((type == ETH_IP || type == ETH_IPV6) && proto == IPPROTO_TCP)
		put_flags(p, "tcp_flags", TEXT_TCP_FLAGS, p->f->tcp_flags,
		          p->m->tcp_flags, 0xfff);
}

void
of_text_format_match(struct str *out, const struct flow_match *match, int priority,
                     const struct of_names *names)
{
	struct match_printer p = {out, &match->key.f, &match->mask.f, names};
	uint16_t type = p.m->eth_type == UINT16_MAX ? p.f->eth_type : 0;
	size_t start = out->length;
	bool has_type, has_proto;

	if (priority >= 0 && priority != PRIORITY_DEFAULT)
		str_printf(out, "priority=%d,", priority);
	put_state(&p);
	has_proto = put_protocol(&p, &has_type);
	put_metadata(&p);
	put_vlan(&p);
	put_mac(&p, "dl_src", p.f->eth_src, p.m->eth_src);
	put_mac(&p, "dl_dst", p.f->eth_dst, p.m->eth_dst);
	if (p.m->eth_type && !has_type)
		str_printf(out, "dl_type=0x%04x,", p.f->eth_type);
	if (p.m->pbb_isid & 0xffffff)
		put_decimal(&p, "pbb_isid", p.f->pbb_isid & 0xffffff,
		            p.m->pbb_isid & 0xffffff, 0xffffff);
	if (p.m->pbb_isid >> 24 & 1)
		str_printf(out, "pbb_uca=%u,", p.f->pbb_isid >> 24 & 1);
	put_addresses(&p, type);
	if (type == ETH_ARP || type == ETH_RARP) {
		put_decimal(&p, "arp_op", p.f->tp_src, p.m->tp_src, UINT16_MAX);
		put_mac(&p, "arp_sha", p.f->arp_sha, p.m->arp_sha);
		put_mac(&p, "arp_tha", p.f->arp_tha, p.m->arp_tha);
	} else if (!has_proto) {
		put_decimal(&p, "nw_proto", p.f->ip_proto, p.m->ip_proto, UINT8_MAX);
	}
	put_ip_fields(&p);
	put_transport(&p, type);
	if (out->length > start) {
		out->length--;
		out->data[out->length] = '\0';
	}
}
