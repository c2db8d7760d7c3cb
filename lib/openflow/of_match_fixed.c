/* of_match_fixed.c - the matches of OpenFlow 1.0 and 1.1, structs with wildcard bits.
 * Below of_match.c. No state, any thread. */
#include "net/flow_action.h"
#include "openflow/of_match_private.h"
#include "openflow/of_wire.h"

#define MATCH10_BYTES 40
#define MATCH11_BYTES 88
#define VLAN10_NONE   0xffff
#define VLAN11_ANY    0xfffe
#define VLAN_VID      0x0fff
#define VLAN_PCP      0xe000
#define VLAN_ALL      0xffff
#define DSCP          0xfc
#define CIDR_BITS     32

/* Wildcards of 1.0. The two widths of addresses to ignore take 6 bits each. */
enum {
	W10_IN_PORT = 1 << 0,
	W10_VLAN = 1 << 1,
	W10_ETH_SRC = 1 << 2,
	W10_ETH_DST = 1 << 3,
	W10_ETH_TYPE = 1 << 4,
	W10_IP_PROTO = 1 << 5,
	W10_TP_SRC = 1 << 6,
	W10_TP_DST = 1 << 7,
	W10_IP_SRC_SHIFT = 8,
	W10_IP_DST_SHIFT = 14,
	W10_VLAN_PCP = 1 << 20,
	W10_IP_TOS = 1 << 21,
};

/* Wildcards of 1.1; addresses have masks, in which a 1 is to ignore. */
enum {
	W11_IN_PORT = 1 << 0,
	W11_VLAN = 1 << 1,
	W11_VLAN_PCP = 1 << 2,
	W11_ETH_TYPE = 1 << 3,
	W11_IP_TOS = 1 << 4,
	W11_IP_PROTO = 1 << 5,
	W11_TP_SRC = 1 << 6,
	W11_TP_DST = 1 << 7,
	W11_MPLS_LABEL = 1 << 8,
	W11_MPLS_TC = 1 << 9,
};

/* What both structs say above layer 2, before it is known whether packets have it. */
struct upper {
	bool has_tos, has_proto, has_tp_src, has_tp_dst;
	uint8_t tos, proto;
	uint32_t ip_src, ip_src_mask, ip_dst, ip_dst_mask;
	uint16_t tp_src, tp_dst;
};

uint32_t
of_port_from_10(uint16_t port)
{
	return port < 0xff00 ? port : port | 0xffff0000U;
}

uint16_t
of_port_to_10(uint32_t port)
{
	return port < 0xff00 || port >= FLOW_PORT_MAX ? (uint16_t)port : 0xffff;
}

static bool
is_present(const struct flow_match *match, enum flow_field_id id)
{
	return flow_field_is_present(id, match);
}

static void
set_address(uint8_t *key, uint8_t *mask_key, uint32_t value, uint32_t mask)
{
	of_set32(key, value & mask);
	of_set32(mask_key, mask);
}

/* Fields that packets of this kind do not have are ignored, as the specifications say. */
static void
set_upper(struct flow_match *match, const struct upper *u)
{
	struct flow_fields *key = &match->key.f, *mask = &match->mask.f;
	bool is_arp = is_present(match, FIELD_ARP_SPA);
	bool is_ip = is_present(match, FIELD_IP_PROTO);

	if (is_arp || is_present(match, FIELD_IPV4_SRC)) {
		set_address(key->ip_src, mask->ip_src, u->ip_src, u->ip_src_mask);
		set_address(key->ip_dst, mask->ip_dst, u->ip_dst, u->ip_dst_mask);
	}
	if (is_arp && u->has_proto)
		flow_match_set_u64(match, FIELD_ARP_OP, u->proto);
	if (!is_ip)
		return;
	if (u->has_tos)
		flow_match_set_u64(match, FIELD_IP_DSCP, u->tos & DSCP);
	if (!u->has_proto)
		return;
	flow_match_set_u64(match, FIELD_IP_PROTO, u->proto);
	if (is_present(match, FIELD_TCP_SRC) || is_present(match, FIELD_UDP_SRC) ||
	    is_present(match, FIELD_SCTP_SRC)) {
		if (u->has_tp_src)
			flow_match_set_u64(match, FIELD_TCP_SRC, u->tp_src);
		if (u->has_tp_dst)
			flow_match_set_u64(match, FIELD_TCP_DST, u->tp_dst);
	} else if (is_present(match, FIELD_ICMPV4_TYPE) ||
	           is_present(match, FIELD_ICMPV6_TYPE)) {
		if (u->has_tp_src)
			flow_match_set_u64(match, FIELD_ICMPV4_TYPE, u->tp_src & 0xff);
		if (u->has_tp_dst)
			flow_match_set_u64(match, FIELD_ICMPV4_CODE, u->tp_dst & 0xff);
	}
}

static void
set_vlan(struct flow_match *match, uint16_t value, uint16_t mask)
{
	match->key.f.vlan_tci = value;
	match->mask.f.vlan_tci = mask;
}

static void
decode_vlan10(struct flow_match *match, uint32_t wildcards, uint16_t vid, uint8_t pcp)
{
	uint16_t value = FLOW_VLAN_PRESENT, mask = FLOW_VLAN_PRESENT;

	if (!(wildcards & W10_VLAN) && vid == VLAN10_NONE) {
		set_vlan(match, 0, VLAN_ALL);
		return;
	}
	if ((wildcards & W10_VLAN) && (wildcards & W10_VLAN_PCP))
		return;
	if (!(wildcards & W10_VLAN)) {
		value |= vid & VLAN_VID;
		mask |= VLAN_VID;
	}
	if (!(wildcards & W10_VLAN_PCP)) {
		value |= (uint16_t)((pcp & 7) << 13);
		mask |= VLAN_PCP;
	}
	set_vlan(match, value, mask);
}

static uint32_t
cidr_mask(uint32_t wildcards, unsigned shift)
{
	unsigned ignored = wildcards >> shift & 0x3f;

	return ignored >= CIDR_BITS ? 0 : UINT32_MAX << ignored;
}

int
of_match10_decode(const uint8_t *data, size_t n, struct flow_match *match, size_t *used,
                  struct of_error *error)
{
	uint32_t w;
	struct upper upper;

	memset(match, 0, sizeof(*match));
	if (n < MATCH10_BYTES)
		return of_fail(error, OFERR_BAD_REQUEST_LEN, "the match is cut short");
	*used = MATCH10_BYTES;
	w = of_get32(data);
	if (!(w & W10_IN_PORT))
		flow_match_set_u64(match, FIELD_IN_PORT,
		                   of_port_from_10(of_get16(data + 4)));
	if (!(w & W10_ETH_SRC)) {
		memcpy(match->key.f.eth_src, data + 6, 6);
		memset(match->mask.f.eth_src, 0xff, 6);
	}
	if (!(w & W10_ETH_DST)) {
		memcpy(match->key.f.eth_dst, data + 12, 6);
		memset(match->mask.f.eth_dst, 0xff, 6);
	}
	decode_vlan10(match, w, of_get16(data + 18), data[20]);
	if (!(w & W10_ETH_TYPE))
		flow_match_set_u64(match, FIELD_ETH_TYPE, of_get16(data + 22));
	upper = (struct upper){
		.has_tos = !(w & W10_IP_TOS),
		.has_proto = !(w & W10_IP_PROTO),
		.has_tp_src = !(w & W10_TP_SRC),
		.has_tp_dst = !(w & W10_TP_DST),
		.tos = data[24],
		.proto = data[25],
		.ip_src = of_get32(data + 28),
		.ip_src_mask = cidr_mask(w, W10_IP_SRC_SHIFT),
		.ip_dst = of_get32(data + 32),
		.ip_dst_mask = cidr_mask(w, W10_IP_DST_SHIFT),
		.tp_src = of_get16(data + 36),
		.tp_dst = of_get16(data + 38),
	};
	set_upper(match, &upper);
	return 0;
}

/* How many low bits of an address do not count: 32 if the mask is no prefix. */
static uint32_t
ignored_bits(const uint8_t *mask)
{
	uint32_t bits = of_get32(mask);

	for (unsigned i = 0; i < CIDR_BITS; i++)
		if (bits == UINT32_MAX << i)
			return i;
	return CIDR_BITS;
}

/* What a match says of fields that are whole or not at all. */
struct lower {
	uint32_t ip_src, ip_dst;
	uint16_t tp_src, tp_dst, eth_type;
	uint8_t tos, proto;
	bool has_type, has_tos, has_proto, has_tp_src, has_tp_dst;
};

static void
get_lower(const struct flow_match *match, struct lower *l)
{
	const struct flow_fields *key = &match->key.f, *mask = &match->mask.f;
	bool is_arp = is_present(match, FIELD_ARP_SPA);
	uint16_t tp_bits = is_present(match, FIELD_ICMPV4_TYPE) ||
	                                   is_present(match, FIELD_ICMPV6_TYPE)
	                           ? 0xff
	                           : 0xffff;

	memset(l, 0, sizeof(*l));
	l->has_type = mask->eth_type == 0xffff;
	l->eth_type = l->has_type ? key->eth_type : 0;
	l->has_tos = (mask->ip_tos & DSCP) == DSCP;
	l->tos = l->has_tos ? key->ip_tos & DSCP : 0;
	if (is_arp) {
		l->has_proto = mask->tp_src == 0xffff;
		l->proto = l->has_proto ? (uint8_t)key->tp_src : 0;
	} else {
		l->has_proto = mask->ip_proto == 0xff;
		l->proto = l->has_proto ? key->ip_proto : 0;
		l->has_tp_src = (mask->tp_src & tp_bits) == tp_bits;
		l->tp_src = l->has_tp_src ? key->tp_src : 0;
		l->has_tp_dst = (mask->tp_dst & tp_bits) == tp_bits;
		l->tp_dst = l->has_tp_dst ? key->tp_dst : 0;
	}
	if (is_arp || is_present(match, FIELD_IPV4_SRC)) {
		l->ip_src = of_get32(key->ip_src);
		l->ip_dst = of_get32(key->ip_dst);
	}
}

static bool
is_whole(const uint8_t *mask, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mask[i] != 0xff)
			return false;
	return true;
}

void
of_match10_encode(const struct flow_match *match, struct str *out)
{
	const struct flow_fields *key = &match->key.f, *mask = &match->mask.f;
	uint8_t wire[MATCH10_BYTES] = {0};
	bool is_tagged = key->vlan_tci & mask->vlan_tci & FLOW_VLAN_PRESENT;
	bool is_v4 =
		is_present(match, FIELD_ARP_SPA) || is_present(match, FIELD_IPV4_SRC);
	uint32_t w, src_ignored = is_v4 ? ignored_bits(mask->ip_src) : CIDR_BITS,
		    dst_ignored = is_v4 ? ignored_bits(mask->ip_dst) : CIDR_BITS;
	struct lower l;

	get_lower(match, &l);
	w = (mask->in_port ? 0U : W10_IN_PORT) |
	    (is_whole(mask->eth_src, 6) ? 0 : W10_ETH_SRC) |
	    (is_whole(mask->eth_dst, 6) ? 0 : W10_ETH_DST) |
	    (l.has_type ? 0 : W10_ETH_TYPE) | (l.has_proto ? 0 : W10_IP_PROTO) |
	    (l.has_tos ? 0 : W10_IP_TOS) | (l.has_tp_src ? 0 : W10_TP_SRC) |
	    (l.has_tp_dst ? 0 : W10_TP_DST) | src_ignored << W10_IP_SRC_SHIFT |
	    dst_ignored << W10_IP_DST_SHIFT;
	if (mask->in_port)
		of_set16(wire + 4, of_port_to_10(key->in_port));
	if (!(w & W10_ETH_SRC))
		memcpy(wire + 6, key->eth_src, 6);
	if (!(w & W10_ETH_DST))
		memcpy(wire + 12, key->eth_dst, 6);
	if ((mask->vlan_tci & FLOW_VLAN_PRESENT) && !is_tagged) {
		of_set16(wire + 18, VLAN10_NONE);
	} else {
		if (is_tagged && (mask->vlan_tci & VLAN_VID) == VLAN_VID)
			of_set16(wire + 18, key->vlan_tci & VLAN_VID);
		else
			w |= W10_VLAN;
		if (is_tagged && (mask->vlan_tci & VLAN_PCP) == VLAN_PCP)
			wire[20] = (uint8_t)(key->vlan_tci >> 13);
		else
			w |= W10_VLAN_PCP;
	}
	of_set32(wire, w);
	of_set16(wire + 22, l.eth_type);
	wire[24] = l.tos;
	wire[25] = l.proto;
	if (src_ignored < CIDR_BITS)
		of_set32(wire + 28, l.ip_src);
	if (dst_ignored < CIDR_BITS)
		of_set32(wire + 32, l.ip_dst);
	of_set16(wire + 36, l.tp_src);
	of_set16(wire + 38, l.tp_dst);
	str_append_bytes(out, wire, sizeof(wire));
}

static int
decode_vlan11(struct flow_match *match, uint32_t wildcards, uint16_t vid, uint8_t pcp,
              struct of_error *error)
{
	uint16_t value = FLOW_VLAN_PRESENT, mask = FLOW_VLAN_PRESENT;

	if (wildcards & W11_VLAN)
		return 0;
	if (vid == VLAN10_NONE) {
		set_vlan(match, 0, VLAN_ALL);
		return 0;
	}
	if (vid != VLAN11_ANY) {
		if (vid > VLAN_VID)
			return of_fail(error, OFERR_BAD_MATCH_VALUE,
			               "VLAN %u is out of range", vid);
		value |= vid;
		mask |= VLAN_VID;
	}
	if (!(wildcards & W11_VLAN_PCP)) {
		if (pcp > 7)
			return of_fail(error, OFERR_BAD_MATCH_VALUE,
			               "VLAN priority %u is out of range", pcp);
		value |= (uint16_t)(pcp << 13);
		mask |= VLAN_PCP;
	}
	set_vlan(match, value, mask);
	return 0;
}

static void
set_masked(uint8_t *key, uint8_t *mask, const uint8_t *value, const uint8_t *ignored)
{
	for (unsigned i = 0; i < 6; i++) {
		mask[i] = (uint8_t)~ignored[i];
		key[i] = value[i] & mask[i];
	}
}

/* The fields that only packets of some Ethernet type have. */
static int
decode_upper11(struct flow_match *match, const uint8_t *data, uint32_t w,
               struct of_error *error)
{
	struct upper upper = {
		.has_tos = !(w & W11_IP_TOS),
		.has_proto = !(w & W11_IP_PROTO),
		.has_tp_src = !(w & W11_TP_SRC),
		.has_tp_dst = !(w & W11_TP_DST),
		.tos = data[42],
		.proto = data[43],
		.ip_src = of_get32(data + 44),
		.ip_src_mask = ~of_get32(data + 48),
		.ip_dst = of_get32(data + 52),
		.ip_dst_mask = ~of_get32(data + 56),
		.tp_src = of_get16(data + 60),
		.tp_dst = of_get16(data + 62),
	};

	/* 1.1 knows nothing of IPv6 but its type; Open vSwitch ignores the rest too. */
	if (is_present(match, FIELD_IPV6_SRC))
		return 0;
	if (upper.has_tos && is_present(match, FIELD_IP_DSCP) && (upper.tos & ~DSCP))
		return of_fail(error, OFERR_BAD_MATCH_VALUE, "TOS %u has ECN bits",
		               upper.tos);
	set_upper(match, &upper);
	if (!is_present(match, FIELD_MPLS_LABEL))
		return 0;
	if (!(w & W11_MPLS_LABEL)) {
		if (of_get32(data + 64) >> 20)
			return of_fail(error, OFERR_BAD_MATCH_VALUE,
			               "MPLS label %u is out of range",
			               of_get32(data + 64));
		flow_match_set_u64(match, FIELD_MPLS_LABEL, of_get32(data + 64));
	}
	if (!(w & W11_MPLS_TC)) {
		if (data[68] > 7)
			return of_fail(error, OFERR_BAD_MATCH_VALUE,
			               "MPLS class %u is out of range", data[68]);
		flow_match_set_u64(match, FIELD_MPLS_TC, data[68]);
	}
	return 0;
}

int
of_match11_decode(const uint8_t *data, size_t n, struct flow_match *match, size_t *used,
                  struct of_error *error)
{
	uint32_t w;
	int err;

	memset(match, 0, sizeof(*match));
	if (n < MATCH11_BYTES || of_get16(data + 2) != MATCH11_BYTES)
		return of_fail(error, OFERR_BAD_MATCH_LEN, "the match's length is wrong");
	*used = MATCH11_BYTES;
	w = of_get32(data + 8);
	if (!(w & W11_IN_PORT))
		flow_match_set_u64(match, FIELD_IN_PORT, of_get32(data + 4));
	set_masked(match->key.f.eth_src, match->mask.f.eth_src, data + 12, data + 18);
	set_masked(match->key.f.eth_dst, match->mask.f.eth_dst, data + 24, data + 30);
	err = decode_vlan11(match, w, of_get16(data + 36), data[38], error);
	if (err)
		return err;
	if (!(w & W11_ETH_TYPE))
		flow_match_set_u64(match, FIELD_ETH_TYPE, of_get16(data + 40));
	err = decode_upper11(match, data, w, error);
	if (err)
		return err;
	match->mask.f.metadata = ~of_get64(data + 80);
	match->key.f.metadata = of_get64(data + 72) & match->mask.f.metadata;
	return 0;
}

static uint32_t
encode_vlan11(const struct flow_match *match, uint8_t *wire)
{
	uint16_t key = match->key.f.vlan_tci, mask = match->mask.f.vlan_tci;

	if (!(mask & FLOW_VLAN_PRESENT))
		return W11_VLAN | W11_VLAN_PCP;
	if (!(key & FLOW_VLAN_PRESENT)) {
		of_set16(wire + 36, VLAN10_NONE);
		return W11_VLAN_PCP;
	}
	of_set16(wire + 36, (mask & VLAN_VID) == VLAN_VID ? key & VLAN_VID : VLAN11_ANY);
	if ((mask & VLAN_PCP) != VLAN_PCP)
		return W11_VLAN_PCP;
	wire[38] = (uint8_t)(key >> 13);
	return 0;
}

void
of_match11_encode(const struct flow_match *match, struct str *out)
{
	const struct flow_fields *key = &match->key.f, *mask = &match->mask.f;
	uint8_t wire[MATCH11_BYTES] = {0};
	bool is_v4 =
		is_present(match, FIELD_ARP_SPA) || is_present(match, FIELD_IPV4_SRC);
	bool is_mpls = is_present(match, FIELD_MPLS_LABEL);
	struct lower l;
	uint32_t w;

	get_lower(match, &l);
	/* As decode_upper11(): nothing of IPv6 but its type. */
	if (is_present(match, FIELD_IPV6_SRC))
		l = (struct lower){.has_type = l.has_type, .eth_type = l.eth_type};
	w = (mask->in_port ? 0U : W11_IN_PORT) | (l.has_type ? 0 : W11_ETH_TYPE) |
	    (l.has_tos ? 0 : W11_IP_TOS) | (l.has_proto ? 0 : W11_IP_PROTO) |
	    (l.has_tp_src ? 0 : W11_TP_SRC) | (l.has_tp_dst ? 0 : W11_TP_DST) |
	    W11_MPLS_LABEL | W11_MPLS_TC;
	of_set16(wire + 2, MATCH11_BYTES);
	of_set32(wire + 4, mask->in_port ? key->in_port : 0);
	for (unsigned i = 0; i < 6; i++) {
		wire[12 + i] = key->eth_src[i];
		wire[18 + i] = (uint8_t)~mask->eth_src[i];
		wire[24 + i] = key->eth_dst[i];
		wire[30 + i] = (uint8_t)~mask->eth_dst[i];
	}
	w |= encode_vlan11(match, wire);
	of_set16(wire + 40, l.eth_type);
	wire[42] = l.tos;
	wire[43] = l.proto;
	of_set32(wire + 44, l.ip_src);
	of_set32(wire + 48, is_v4 ? ~of_get32(mask->ip_src) : UINT32_MAX);
	of_set32(wire + 52, l.ip_dst);
	of_set32(wire + 56, is_v4 ? ~of_get32(mask->ip_dst) : UINT32_MAX);
	of_set16(wire + 60, l.tp_src);
	of_set16(wire + 62, l.tp_dst);
	if (is_mpls && (mask->mpls_lse >> 12) == 0xfffff) {
		w &= ~(uint32_t)W11_MPLS_LABEL;
		of_set32(wire + 64, key->mpls_lse >> 12);
	}
	if (is_mpls && (mask->mpls_lse >> 9 & 7) == 7) {
		w &= ~(uint32_t)W11_MPLS_TC;
		wire[68] = key->mpls_lse >> 9 & 7;
	}
	of_set32(wire + 8, w);
	of_set64(wire + 72, key->metadata);
	of_set64(wire + 80, ~mask->metadata);
	str_append_bytes(out, wire, sizeof(wire));
}
