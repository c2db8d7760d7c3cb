/* of_text_fields.c - the names of fields in texts: keywords of a match, names in actions,
 * and the protocol's own; parts of fields. Source: ovs-fields(7). Any thread. */
#include <stdio.h>

#include "openflow/of_text_private.h"

#define REG(N) [FIELD_REG0 + (N)] = {"reg" #N, NULL, "NXM_NX_REG" #N, NULL, TEXT_HEX}
#define XREG(N) \
	[FIELD_XREG0 + (N)] = {"xreg" #N, NULL, "OXM_OF_PKT_REG" #N, NULL, TEXT_HEX}
#define XXREG(N) \
	[FIELD_XXREG0 + (N)] = {"xxreg" #N, NULL, "NXM_NX_XXREG" #N, NULL, TEXT_HEX}

/* clang-format off */
const struct text_field text_fields[FIELD_N] = {
	[FIELD_IN_PORT] = {"in_port", "in_port_oxm", "NXM_OF_IN_PORT", "OXM_OF_IN_PORT", TEXT_PORT},
	[FIELD_ACTSET_OUTPUT] = {"actset_output", NULL, "ONFOXM_ET_ACTSET_OUTPUT", "OXM_OF_ACTSET_OUTPUT", TEXT_PORT},
	[FIELD_METADATA] = {"metadata", NULL, "OXM_OF_METADATA", NULL, TEXT_HEX},
	[FIELD_PACKET_MARK] = {"pkt_mark", NULL, "NXM_NX_PKT_MARK", NULL, TEXT_HEX},
	[FIELD_TUN_ID] = {"tun_id", "tunnel_id", "NXM_NX_TUN_ID", "OXM_OF_TUNNEL_ID", TEXT_HEX},
	[FIELD_TUN_SRC] = {"tun_src", NULL, "NXM_NX_TUN_IPV4_SRC", NULL, TEXT_IPV4},
	[FIELD_TUN_DST] = {"tun_dst", NULL, "NXM_NX_TUN_IPV4_DST", NULL, TEXT_IPV4},
	[FIELD_TUN_IPV6_SRC] = {"tun_ipv6_src", NULL, "NXM_NX_TUN_IPV6_SRC", NULL, TEXT_IPV6},
	[FIELD_TUN_IPV6_DST] = {"tun_ipv6_dst", NULL, "NXM_NX_TUN_IPV6_DST", NULL, TEXT_IPV6},
	[FIELD_TUN_FLAGS] = {"tun_flags", NULL, "NXM_NX_TUN_FLAGS", NULL, TEXT_TUN_FLAGS},
	[FIELD_TUN_TTL] = {"tun_ttl", NULL, NULL, NULL, TEXT_DECIMAL},
	[FIELD_TUN_TOS] = {"tun_tos", NULL, NULL, NULL, TEXT_DECIMAL},
	[FIELD_CT_STATE] = {"ct_state", NULL, "NXM_NX_CT_STATE", NULL, TEXT_CT_STATE},
	[FIELD_CT_ZONE] = {"ct_zone", NULL, "NXM_NX_CT_ZONE", NULL, TEXT_HEX},
	[FIELD_CT_MARK] = {"ct_mark", NULL, "NXM_NX_CT_MARK", NULL, TEXT_HEX},
	[FIELD_CT_LABEL] = {"ct_label", NULL, "NXM_NX_CT_LABEL", NULL, TEXT_HEX},
	[FIELD_CONJ_ID] = {"conj_id", NULL, "NXM_NX_CONJ_ID", NULL, TEXT_DECIMAL},
	[FIELD_RECIRC_ID] = {"recirc_id", NULL, "NXM_NX_RECIRC_ID", NULL, TEXT_DECIMAL},
	REG(0), REG(1), REG(2), REG(3), REG(4), REG(5), REG(6), REG(7),
	REG(8), REG(9), REG(10), REG(11), REG(12), REG(13), REG(14), REG(15),
	XREG(0), XREG(1), XREG(2), XREG(3), XREG(4), XREG(5), XREG(6), XREG(7),
	XXREG(0), XXREG(1), XXREG(2), XXREG(3),
	[FIELD_PACKET_TYPE] = {"packet_type", NULL, "OXM_OF_PACKET_TYPE", NULL, TEXT_PACKET_TYPE},
	[FIELD_ETH_SRC] = {"eth_src", "dl_src", "NXM_OF_ETH_SRC", "OXM_OF_ETH_SRC", TEXT_ETH},
	[FIELD_ETH_DST] = {"eth_dst", "dl_dst", "NXM_OF_ETH_DST", "OXM_OF_ETH_DST", TEXT_ETH},
	[FIELD_ETH_TYPE] = {"eth_type", "dl_type", "NXM_OF_ETH_TYPE", "OXM_OF_ETH_TYPE", TEXT_HEX},
	[FIELD_VLAN_TCI] = {"vlan_tci", NULL, "NXM_OF_VLAN_TCI", NULL, TEXT_HEX},
	[FIELD_DL_VLAN] = {"dl_vlan", NULL, NULL, NULL, TEXT_DECIMAL},
	[FIELD_DL_VLAN_PCP] = {"dl_vlan_pcp", NULL, NULL, NULL, TEXT_DECIMAL},
	[FIELD_VLAN_VID] = {"vlan_vid", NULL, "OXM_OF_VLAN_VID", NULL, TEXT_DECIMAL},
	[FIELD_VLAN_PCP] = {"vlan_pcp", NULL, "OXM_OF_VLAN_PCP", NULL, TEXT_DECIMAL},
	[FIELD_MPLS_LABEL] = {"mpls_label", NULL, "OXM_OF_MPLS_LABEL", NULL, TEXT_DECIMAL},
	[FIELD_MPLS_TC] = {"mpls_tc", NULL, "OXM_OF_MPLS_TC", NULL, TEXT_DECIMAL},
	[FIELD_MPLS_BOS] = {"mpls_bos", NULL, "OXM_OF_MPLS_BOS", NULL, TEXT_DECIMAL},
	[FIELD_MPLS_TTL] = {"mpls_ttl", NULL, "NXM_NX_MPLS_TTL", NULL, TEXT_DECIMAL},
	[FIELD_PBB_ISID] = {"pbb_isid", NULL, "OXM_OF_PBB_ISID", NULL, TEXT_HEX},
	[FIELD_PBB_UCA] = {"pbb_uca", NULL, "OXM_OF_PBB_UCA", NULL, TEXT_DECIMAL},
	[FIELD_IPV4_SRC] = {"ip_src", "nw_src", "NXM_OF_IP_SRC", "OXM_OF_IPV4_SRC", TEXT_IPV4},
	[FIELD_IPV4_DST] = {"ip_dst", "nw_dst", "NXM_OF_IP_DST", "OXM_OF_IPV4_DST", TEXT_IPV4},
	[FIELD_IPV6_SRC] = {"ipv6_src", NULL, "NXM_NX_IPV6_SRC", "OXM_OF_IPV6_SRC", TEXT_IPV6},
	[FIELD_IPV6_DST] = {"ipv6_dst", NULL, "NXM_NX_IPV6_DST", "OXM_OF_IPV6_DST", TEXT_IPV6},
	[FIELD_IPV6_LABEL] = {"ipv6_label", NULL, "NXM_NX_IPV6_LABEL", "OXM_OF_IPV6_FLABEL", TEXT_HEX},
	[FIELD_IPV6_EXTHDR] = {"ipv6_exthdr", NULL, "OXM_OF_IPV6_EXTHDR", NULL, TEXT_HEX},
	[FIELD_IP_PROTO] = {"nw_proto", "ip_proto", "NXM_OF_IP_PROTO", "OXM_OF_IP_PROTO", TEXT_DECIMAL},
	[FIELD_IP_DSCP] = {"nw_tos", NULL, "NXM_OF_IP_TOS", NULL, TEXT_DECIMAL},
	[FIELD_IP_DSCP_SHIFTED] = {"ip_dscp", NULL, "OXM_OF_IP_DSCP", NULL, TEXT_DECIMAL},
	[FIELD_IP_ECN] = {"nw_ecn", "ip_ecn", "NXM_NX_IP_ECN", "OXM_OF_IP_ECN", TEXT_DECIMAL},
	[FIELD_IP_TTL] = {"nw_ttl", NULL, "NXM_NX_IP_TTL", NULL, TEXT_DECIMAL},
	[FIELD_IP_FRAG] = {"ip_frag", "nw_frag", "NXM_NX_IP_FRAG", NULL, TEXT_FRAGMENT},
	[FIELD_ARP_OP] = {"arp_op", NULL, "NXM_OF_ARP_OP", "OXM_OF_ARP_OP", TEXT_DECIMAL},
	[FIELD_ARP_SPA] = {"arp_spa", NULL, "NXM_OF_ARP_SPA", "OXM_OF_ARP_SPA", TEXT_IPV4},
	[FIELD_ARP_TPA] = {"arp_tpa", NULL, "NXM_OF_ARP_TPA", "OXM_OF_ARP_TPA", TEXT_IPV4},
	[FIELD_ARP_SHA] = {"arp_sha", NULL, "NXM_NX_ARP_SHA", "OXM_OF_ARP_SHA", TEXT_ETH},
	[FIELD_ARP_THA] = {"arp_tha", NULL, "NXM_NX_ARP_THA", "OXM_OF_ARP_THA", TEXT_ETH},
	[FIELD_TCP_SRC] = {"tcp_src", "tp_src", "NXM_OF_TCP_SRC", "OXM_OF_TCP_SRC", TEXT_DECIMAL},
	[FIELD_TCP_DST] = {"tcp_dst", "tp_dst", "NXM_OF_TCP_DST", "OXM_OF_TCP_DST", TEXT_DECIMAL},
	[FIELD_TCP_FLAGS] = {"tcp_flags", NULL, "NXM_NX_TCP_FLAGS", "ONFOXM_ET_TCP_FLAGS", TEXT_TCP_FLAGS},
	[FIELD_UDP_SRC] = {"udp_src", NULL, "NXM_OF_UDP_SRC", "OXM_OF_UDP_SRC", TEXT_DECIMAL},
	[FIELD_UDP_DST] = {"udp_dst", NULL, "NXM_OF_UDP_DST", "OXM_OF_UDP_DST", TEXT_DECIMAL},
	[FIELD_SCTP_SRC] = {"sctp_src", NULL, "OXM_OF_SCTP_SRC", NULL, TEXT_DECIMAL},
	[FIELD_SCTP_DST] = {"sctp_dst", NULL, "OXM_OF_SCTP_DST", NULL, TEXT_DECIMAL},
	[FIELD_ICMPV4_TYPE] = {"icmp_type", NULL, "NXM_OF_ICMP_TYPE", "OXM_OF_ICMPV4_TYPE", TEXT_DECIMAL},
	[FIELD_ICMPV4_CODE] = {"icmp_code", NULL, "NXM_OF_ICMP_CODE", "OXM_OF_ICMPV4_CODE", TEXT_DECIMAL},
	[FIELD_ICMPV6_TYPE] = {"icmpv6_type", NULL, "NXM_NX_ICMPV6_TYPE", "OXM_OF_ICMPV6_TYPE", TEXT_DECIMAL},
	[FIELD_ICMPV6_CODE] = {"icmpv6_code", NULL, "NXM_NX_ICMPV6_CODE", "OXM_OF_ICMPV6_CODE", TEXT_DECIMAL},
	[FIELD_ND_TARGET] = {"nd_target", NULL, "NXM_NX_ND_TARGET", "OXM_OF_IPV6_ND_TARGET", TEXT_IPV6},
	[FIELD_ND_SLL] = {"nd_sll", NULL, "NXM_NX_ND_SLL", "OXM_OF_IPV6_ND_SLL", TEXT_ETH},
	[FIELD_ND_TLL] = {"nd_tll", NULL, "NXM_NX_ND_TLL", "OXM_OF_IPV6_ND_TLL", TEXT_ETH},
	[FIELD_ND_RESERVED] = {"nd_reserved", NULL, "ERICOXM_OF_ICMPV6_ND_RESERVED", NULL, TEXT_HEX},
	[FIELD_ND_OPTIONS_TYPE] = {"nd_options_type", NULL, "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", NULL, TEXT_DECIMAL},
};
/* clang-format on */

/* Further names of the same. */
static const struct {
	const char *name;
	enum flow_field_id field;
} more_names[] = {
	{"OXM_OF_TCP_FLAGS", FIELD_TCP_FLAGS}, {"OXM_OF_PKT_MARK", FIELD_PACKET_MARK},
	{"OXM_OF_TUN_ID", FIELD_TUN_ID},       {"ipv4_src", FIELD_IPV4_SRC},
	{"ipv4_dst", FIELD_IPV4_DST},          {"ip_ttl", FIELD_IP_TTL},
	{"icmpv4_type", FIELD_ICMPV4_TYPE},    {"icmpv4_code", FIELD_ICMPV4_CODE},
	{"ipv6_flabel", FIELD_IPV6_LABEL},     {"ipv6_nd_target", FIELD_ND_TARGET},
	{"ipv6_nd_sll", FIELD_ND_SLL},         {"ipv6_nd_tll", FIELD_ND_TLL},
};

enum flow_field_id
text_field_by_keyword(const char *name)
{
	for (unsigned i = 0; i < FIELD_N; i++) {
		const struct text_field *field = &text_fields[i];

		if (field->name && (!strcmp(field->name, name) ||
		                    (field->alias && !strcmp(field->alias, name))))
			return (enum flow_field_id)i;
	}
	for (size_t i = 0; i < ARRAY_SIZE(more_names); i++)
		if (!strcmp(more_names[i].name, name))
			return more_names[i].field;
	return FIELD_NONE;
}

static bool
is_name(const char *name, const char *text, size_t n)
{
	return name && strlen(name) == n && !memcmp(name, text, n);
}

bool
text_find_field(const char *name, size_t n, struct flow_subfield *whole)
{
	enum flow_field_id id = FIELD_NONE;

	for (unsigned i = 1; i < FIELD_N && id == FIELD_NONE; i++) {
		const struct text_field *field = &text_fields[i];

		if (is_name(field->name, name, n) || is_name(field->alias, name, n) ||
		    is_name(field->nxm, name, n) || is_name(field->oxm, name, n))
			id = (enum flow_field_id)i;
	}
	for (size_t i = 0; i < ARRAY_SIZE(more_names) && id == FIELD_NONE; i++)
		if (is_name(more_names[i].name, name, n))
			id = more_names[i].field;
	if (id == FIELD_NONE)
		return false;
	whole->field = id;
	whole->first_bit = 0;
	whole->n_bits = flow_field_get(id)->n_bits;
	/* What Nicira's name means has 16 bits, for the numbers of OpenFlow 1.0. */
	if (id == FIELD_IN_PORT &&
	    (is_name("in_port", name, n) || is_name(text_fields[id].nxm, name, n)))
		whole->n_bits = 16;
	return true;
}

/* "[]", "[5]", "[0..5]" behind a field's name; 'whole' becomes the part. */
static int
parse_range(const char *text, const char *range, struct flow_subfield *sub,
            struct error *err)
{
	unsigned first, last;
	int used = -1;

	if (!strcmp(range, "[]"))
		return 0;
	if (sscanf(range, "[%5u..%5u]%n", &first, &last, &used) < 2 || used < 0) {
		used = -1;
		if (sscanf(range, "[%5u]%n", &first, &used) < 1 || used < 0)
			return error_set(err, -EINVAL,
			                 "%s: syntax error expecting [] or "
			                 "[<bit>] or [<start>..<end>]",
			                 text);
		last = first;
	}
	if (range[used])
		return error_set(err, -EINVAL, "%s: extra characters behind the field",
		                 text);
	if (first > last)
		return error_set(err, -EINVAL,
		                 "%s: starting bit %u is after ending bit %u", text,
		                 first, last);
	if (last >= sub->n_bits)
		return error_set(err, -EINVAL,
		                 "%s: bit %u is not one of the field's %u bits", text,
		                 last, sub->n_bits);
	sub->first_bit = (uint16_t)first;
	sub->n_bits = (uint16_t)(last - first + 1);
	return 0;
}

int
of_text_parse_subfield(const char *text, struct flow_subfield *sub, struct error *err)
{
	size_t n = strcspn(text, "[");

	if (!text_find_field(text, n, sub))
		return error_set(err, -EINVAL, "%s: unknown field `%.*s'", text, (int)n,
		                 text);
	return text[n] ? parse_range(text, text + n, sub, err) : 0;
}

void
of_text_format_subfield(struct str *out, const struct flow_subfield *sub)
{
	const struct flow_field *field = flow_field_get(sub->field);
	const struct text_field *text;
	unsigned n_bits;

	if (!field || sub->field == FIELD_NONE || !text_fields[sub->field].name) {
		str_append(out, "<unknown>");
		return;
	}
	text = &text_fields[sub->field];
	n_bits = field->n_bits;
	if (sub->field == FIELD_IN_PORT) {
		bool is_short = sub->first_bit + sub->n_bits <= 16;

		str_append(out, is_short ? text->nxm : text->oxm);
		n_bits = is_short ? 16 : 32;
	} else {
		str_append(out, text->nxm ? text->nxm : text->name);
	}
	if (sub->first_bit == 0 && sub->n_bits == n_bits)
		str_append(out, "[]");
	else if (sub->n_bits == 1)
		str_printf(out, "[%u]", sub->first_bit);
	else
		str_printf(out, "[%u..%u]", sub->first_bit,
		           sub->first_bit + sub->n_bits - 1U);
}
