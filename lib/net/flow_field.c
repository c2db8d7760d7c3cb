/* flow_field.c - the table of fields, and their bits in a flow_key. Beside flow_parse.c,
 * which fills keys. No state, any thread. */
#include "net/flow_field.h"

#include "net/protocol.h"

#define CT_TRACKED     0x20 /* in ct_state */
#define VLAN_VID_MASK  0x0fff
#define VALUE_U64_BITS 64

/* A field's value while it is worked on. */
__extension__ typedef unsigned __int128 wide;

/* How the bytes at 'offset' make a number. */
enum layout_kind {
	LAYOUT_NONE,   /* no packet has other than 0 */
	LAYOUT_NUMBER, /* 'bytes' in host order */
	LAYOUT_BYTES,  /* 'bytes' as on the wire */
	LAYOUT_REGS,   /* 'bytes' of registers, most significant first */
};

struct layout {
	uint8_t kind, bytes;
	uint8_t shift;    /* the field's lowest bit in the number */
	uint8_t low_zero; /* that many low bits of the field are always 0 */
	uint16_t offset;
};

#define AT(MEMBER)       offsetof(struct flow_fields, MEMBER)
#define BYTES_OF(MEMBER) sizeof(((struct flow_fields *)0)->MEMBER)
#define NUMBER(MEMBER)   BITS_FROM(MEMBER, 0)
#define BITS_FROM(MEMBER, SHIFT)                                      \
	{                                                             \
		LAYOUT_NUMBER, BYTES_OF(MEMBER), SHIFT, 0, AT(MEMBER) \
	}
#define BYTES(MEMBER) FIRST(MEMBER, BYTES_OF(MEMBER))
#define FIRST(MEMBER, N)                          \
	{                                         \
		LAYOUT_BYTES, N, 0, 0, AT(MEMBER) \
	}
#define REGS(FIRST_REG, COUNT)                                         \
	{                                                              \
		LAYOUT_REGS, (COUNT)*4, 0, 0, AT(regs) + (FIRST_REG)*4 \
	}

static const struct layout layouts[FIELD_N] = {
	[FIELD_IN_PORT] = NUMBER(in_port),
	[FIELD_ACTSET_OUTPUT] = NUMBER(actset_output),
	[FIELD_METADATA] = NUMBER(metadata),
	[FIELD_PACKET_MARK] = NUMBER(packet_mark),
	[FIELD_TUN_ID] = NUMBER(tun_id),
	[FIELD_TUN_SRC] = FIRST(tun_src, 4),
	[FIELD_TUN_DST] = FIRST(tun_dst, 4),
	[FIELD_TUN_IPV6_SRC] = BYTES(tun_src),
	[FIELD_TUN_IPV6_DST] = BYTES(tun_dst),
	[FIELD_TUN_FLAGS] = NUMBER(tun_flags),
	[FIELD_TUN_TTL] = NUMBER(tun_ttl),
	[FIELD_TUN_TOS] = NUMBER(tun_tos),
	[FIELD_CT_STATE] = NUMBER(ct_state),
	[FIELD_CT_ZONE] = NUMBER(ct_zone),
	[FIELD_CT_MARK] = NUMBER(ct_mark),
	[FIELD_CT_LABEL] = BYTES(ct_label),
	[FIELD_CONJ_ID] = NUMBER(conj_id),
	[FIELD_RECIRC_ID] = NUMBER(recirc_id),
#define REG(N) [FIELD_REG0 + (N)] = REGS(N, 1)
	REG(0),
	REG(1),
	REG(2),
	REG(3),
	REG(4),
	REG(5),
	REG(6),
	REG(7),
	REG(8),
	REG(9),
	REG(10),
	REG(11),
	REG(12),
	REG(13),
	REG(14),
	REG(15),
#define XREG(N) [FIELD_XREG0 + (N)] = REGS(2 * (N), 2)
	XREG(0),
	XREG(1),
	XREG(2),
	XREG(3),
	XREG(4),
	XREG(5),
	XREG(6),
	XREG(7),
#define XXREG(N) [FIELD_XXREG0 + (N)] = REGS(4 * (N), 4)
	XXREG(0),
	XXREG(1),
	XXREG(2),
	XXREG(3),
	[FIELD_ETH_SRC] = BYTES(eth_src),
	[FIELD_ETH_DST] = BYTES(eth_dst),
	[FIELD_ETH_TYPE] = NUMBER(eth_type),
	[FIELD_VLAN_TCI] = NUMBER(vlan_tci),
	[FIELD_DL_VLAN] = NUMBER(vlan_tci),
	[FIELD_DL_VLAN_PCP] = BITS_FROM(vlan_tci, 13),
	[FIELD_VLAN_VID] = NUMBER(vlan_tci),
	[FIELD_VLAN_PCP] = BITS_FROM(vlan_tci, 13),
	[FIELD_MPLS_LABEL] = BITS_FROM(mpls_lse, 12),
	[FIELD_MPLS_TC] = BITS_FROM(mpls_lse, 9),
	[FIELD_MPLS_BOS] = BITS_FROM(mpls_lse, 8),
	[FIELD_MPLS_TTL] = NUMBER(mpls_lse),
	[FIELD_PBB_ISID] = NUMBER(pbb_isid),
	[FIELD_PBB_UCA] = BITS_FROM(pbb_isid, 24),
	[FIELD_IPV4_SRC] = FIRST(ip_src, 4),
	[FIELD_IPV4_DST] = FIRST(ip_dst, 4),
	[FIELD_IPV6_SRC] = BYTES(ip_src),
	[FIELD_IPV6_DST] = BYTES(ip_dst),
	[FIELD_IPV6_LABEL] = NUMBER(ipv6_label),
	[FIELD_IPV6_EXTHDR] = NUMBER(ipv6_exthdr),
	[FIELD_IP_PROTO] = NUMBER(ip_proto),
	[FIELD_IP_DSCP] = {LAYOUT_NUMBER, 1, 0, 2, AT(ip_tos)},
	[FIELD_IP_DSCP_SHIFTED] = BITS_FROM(ip_tos, 2),
	[FIELD_IP_ECN] = NUMBER(ip_tos),
	[FIELD_IP_TTL] = NUMBER(ip_ttl),
	[FIELD_IP_FRAG] = NUMBER(ip_fragment),
	[FIELD_ARP_OP] = NUMBER(tp_src),
	[FIELD_ARP_SPA] = FIRST(ip_src, 4),
	[FIELD_ARP_TPA] = FIRST(ip_dst, 4),
	[FIELD_ARP_SHA] = BYTES(arp_sha),
	[FIELD_ARP_THA] = BYTES(arp_tha),
	[FIELD_TCP_SRC] = NUMBER(tp_src),
	[FIELD_TCP_DST] = NUMBER(tp_dst),
	[FIELD_TCP_FLAGS] = NUMBER(tcp_flags),
	[FIELD_UDP_SRC] = NUMBER(tp_src),
	[FIELD_UDP_DST] = NUMBER(tp_dst),
	[FIELD_SCTP_SRC] = NUMBER(tp_src),
	[FIELD_SCTP_DST] = NUMBER(tp_dst),
	[FIELD_ICMPV4_TYPE] = NUMBER(tp_src),
	[FIELD_ICMPV4_CODE] = NUMBER(tp_dst),
	[FIELD_ICMPV6_TYPE] = NUMBER(tp_src),
	[FIELD_ICMPV6_CODE] = NUMBER(tp_dst),
	[FIELD_ND_TARGET] = BYTES(nd_target),
	[FIELD_ND_SLL] = BYTES(arp_sha),
	[FIELD_ND_TLL] = BYTES(arp_tha),
	[FIELD_ND_RESERVED] = NUMBER(nd_reserved),
};

/* Names, widths, masks, access: ovs-fields(7) where it has the field, else OpenFlow 1.5,
 * 7.2.3.7. RW, RO and whether a mask may be given. */
#define FIELD(ID, NAME, ALIAS, BITS, NEED, MASKS, WRITABLE)                \
	[FIELD_##ID] = {FIELD_##ID,       NAME,        ALIAS,        BITS, \
	                ((BITS) + 7) / 8, NEED_##NEED, MASK_##MASKS, WRITABLE}
#define RW(ID, NAME, ALIAS, BITS, NEED, MASKS) \
	FIELD(ID, NAME, ALIAS, BITS, NEED, MASKS, true)
#define RO(ID, NAME, ALIAS, BITS, NEED, MASKS) \
	FIELD(ID, NAME, ALIAS, BITS, NEED, MASKS, false)

static const struct flow_field fields[FIELD_N] = {
	RO(NONE, "none", NULL, 0, NONE, NONE),
	RW(IN_PORT, "in_port", "in_port_oxm", 32, NONE, NONE),
	RO(ACTSET_OUTPUT, "actset_output", NULL, 32, NONE, NONE),
	RW(METADATA, "metadata", NULL, 64, NONE, ALL),
	RW(PACKET_MARK, "pkt_mark", NULL, 32, NONE, ALL),
	RW(TUN_ID, "tun_id", "tunnel_id", 64, NONE, ALL),
	RW(TUN_SRC, "tun_src", NULL, 32, NONE, ALL),
	RW(TUN_DST, "tun_dst", NULL, 32, NONE, ALL),
	RW(TUN_IPV6_SRC, "tun_ipv6_src", NULL, 128, NONE, ALL),
	RW(TUN_IPV6_DST, "tun_ipv6_dst", NULL, 128, NONE, ALL),
	RW(TUN_FLAGS, "tun_flags", NULL, 1, NONE, ALL),
	RO(TUN_TTL, "tun_ttl", NULL, 8, NONE, NONE),
	RO(TUN_TOS, "tun_tos", NULL, 8, NONE, NONE),
	RO(CT_STATE, "ct_state", NULL, 32, NONE, ALL),
	RO(CT_ZONE, "ct_zone", NULL, 16, NONE, NONE),
	RW(CT_MARK, "ct_mark", NULL, 32, NONE, ALL),
	RW(CT_LABEL, "ct_label", NULL, 128, NONE, ALL),
	RO(CONJ_ID, "conj_id", NULL, 32, NONE, NONE),
	RO(RECIRC_ID, "recirc_id", NULL, 32, NONE, NONE),
#define REG_FIELD(N) RW(REG0 + (N), "reg" #N, NULL, 32, NONE, ALL)
	REG_FIELD(0),
	REG_FIELD(1),
	REG_FIELD(2),
	REG_FIELD(3),
	REG_FIELD(4),
	REG_FIELD(5),
	REG_FIELD(6),
	REG_FIELD(7),
	REG_FIELD(8),
	REG_FIELD(9),
	REG_FIELD(10),
	REG_FIELD(11),
	REG_FIELD(12),
	REG_FIELD(13),
	REG_FIELD(14),
	REG_FIELD(15),
#define XREG_FIELD(N) RW(XREG0 + (N), "xreg" #N, NULL, 64, NONE, ALL)
	XREG_FIELD(0),
	XREG_FIELD(1),
	XREG_FIELD(2),
	XREG_FIELD(3),
	XREG_FIELD(4),
	XREG_FIELD(5),
	XREG_FIELD(6),
	XREG_FIELD(7),
#define XXREG_FIELD(N) RW(XXREG0 + (N), "xxreg" #N, NULL, 128, NONE, ALL)
	XXREG_FIELD(0),
	XXREG_FIELD(1),
	XXREG_FIELD(2),
	XXREG_FIELD(3),
	RO(PACKET_TYPE, "packet_type", NULL, 32, NONE, NONE),
	RW(ETH_SRC, "eth_src", "dl_src", 48, NONE, ALL),
	RW(ETH_DST, "eth_dst", "dl_dst", 48, NONE, ALL),
	RW(ETH_TYPE, "eth_type", "dl_type", 16, NONE, NONE),
	RW(VLAN_TCI, "vlan_tci", NULL, 16, NONE, ALL),
	RO(DL_VLAN, "dl_vlan", NULL, 12, NONE, NONE),
	RO(DL_VLAN_PCP, "dl_vlan_pcp", NULL, 3, NONE, NONE),
	RW(VLAN_VID, "vlan_vid", NULL, 13, NONE, ALL),
	RW(VLAN_PCP, "vlan_pcp", NULL, 3, VLAN, NONE),
	RW(MPLS_LABEL, "mpls_label", NULL, 20, MPLS, NONE),
	RW(MPLS_TC, "mpls_tc", NULL, 3, MPLS, NONE),
	RW(MPLS_BOS, "mpls_bos", NULL, 1, MPLS, NONE),
	RW(MPLS_TTL, "mpls_ttl", NULL, 8, MPLS, NONE),
	RW(PBB_ISID, "pbb_isid", NULL, 24, PBB, ALL),
	RW(PBB_UCA, "pbb_uca", NULL, 1, PBB, NONE),
	RW(IPV4_SRC, "ip_src", "nw_src", 32, IPV4, ALL),
	RW(IPV4_DST, "ip_dst", "nw_dst", 32, IPV4, ALL),
	RW(IPV6_SRC, "ipv6_src", NULL, 128, IPV6, ALL),
	RW(IPV6_DST, "ipv6_dst", NULL, 128, IPV6, ALL),
	RW(IPV6_LABEL, "ipv6_label", NULL, 20, IPV6, ALL),
	RO(IPV6_EXTHDR, "ipv6_exthdr", NULL, 9, IPV6, ALL),
	RW(IP_PROTO, "nw_proto", "ip_proto", 8, IP, NONE),
	RW(IP_DSCP, "nw_tos", NULL, 8, IP, NONE),
	RW(IP_DSCP_SHIFTED, "ip_dscp", NULL, 6, IP, NONE),
	RW(IP_ECN, "nw_ecn", "ip_ecn", 2, IP, NONE),
	RW(IP_TTL, "nw_ttl", NULL, 8, IP, NONE),
	RO(IP_FRAG, "ip_frag", "nw_frag", 2, IP, ALL),
	RW(ARP_OP, "arp_op", NULL, 16, ARP, NONE),
	RW(ARP_SPA, "arp_spa", NULL, 32, ARP, ALL),
	RW(ARP_TPA, "arp_tpa", NULL, 32, ARP, ALL),
	RW(ARP_SHA, "arp_sha", NULL, 48, ARP, ALL),
	RW(ARP_THA, "arp_tha", NULL, 48, ARP, ALL),
	RW(TCP_SRC, "tcp_src", "tp_src", 16, TCP, ALL),
	RW(TCP_DST, "tcp_dst", "tp_dst", 16, TCP, ALL),
	RO(TCP_FLAGS, "tcp_flags", NULL, 12, TCP, ALL),
	RW(UDP_SRC, "udp_src", NULL, 16, UDP, ALL),
	RW(UDP_DST, "udp_dst", NULL, 16, UDP, ALL),
	RW(SCTP_SRC, "sctp_src", NULL, 16, SCTP, ALL),
	RW(SCTP_DST, "sctp_dst", NULL, 16, SCTP, ALL),
	RW(ICMPV4_TYPE, "icmp_type", NULL, 8, ICMPV4, NONE),
	RW(ICMPV4_CODE, "icmp_code", NULL, 8, ICMPV4, NONE),
	RW(ICMPV6_TYPE, "icmpv6_type", NULL, 8, ICMPV6, NONE),
	RW(ICMPV6_CODE, "icmpv6_code", NULL, 8, ICMPV6, NONE),
	RW(ND_TARGET, "nd_target", NULL, 128, ND, ALL),
	RW(ND_SLL, "nd_sll", NULL, 48, ND_SOLICIT, ALL),
	RW(ND_TLL, "nd_tll", NULL, 48, ND_ADVERTISE, ALL),
	RW(ND_RESERVED, "nd_reserved", NULL, 32, ND, NONE),
	RW(ND_OPTIONS_TYPE, "nd_options_type", NULL, 8, ND, NONE),
};

const struct flow_field *
flow_field_get(enum flow_field_id id)
{
	return &fields[(unsigned)id < FIELD_N ? id : FIELD_NONE];
}

const struct flow_field *
flow_field_by_name(const char *name)
{
	for (unsigned id = FIELD_NONE + 1; id < FIELD_N; id++) {
		const struct flow_field *field = &fields[id];

		if (strcmp(field->name, name) == 0 ||
		    (field->alias && strcmp(field->alias, name) == 0))
			return field;
	}
	return NULL;
}

/* Whether the match says that all 'bits' of a member are set as in 'value'. */
static bool
match_has(uint32_t key, uint32_t mask, uint32_t bits, uint32_t value)
{
	return (mask & bits) == bits && (key & bits) == value;
}

static bool
match_has_type(const struct flow_match *match, uint16_t type)
{
	return match_has(match->key.f.eth_type, match->mask.f.eth_type, UINT16_MAX, type);
}

static bool
match_has_ip(const struct flow_match *match)
{
	return match_has_type(match, NET_TYPE_IPV4) ||
	       match_has_type(match, NET_TYPE_IPV6);
}

/* Layer 4: a later fragment has none. */
static bool
match_has_proto(const struct flow_match *match, uint8_t proto)
{
	return match_has(match->key.f.ip_proto, match->mask.f.ip_proto, UINT8_MAX,
	                 proto) &&
	       !(match->key.f.ip_fragment & match->mask.f.ip_fragment & FLOW_LATER);
}

static bool
match_has_nd(const struct flow_match *match, uint16_t type)
{
	return match_has_type(match, NET_TYPE_IPV6) &&
	       match_has_proto(match, NET_PROTO_ICMPV6) &&
	       match_has(match->key.f.tp_src, match->mask.f.tp_src, UINT8_MAX, type);
}

static bool
match_has_need(const struct flow_match *match, enum flow_need need)
{
	switch (need) {
	case NEED_NONE:
		return true;
	case NEED_VLAN:
		return match->key.f.vlan_tci & match->mask.f.vlan_tci & FLOW_VLAN_PRESENT;
	case NEED_ARP:
		return match_has_type(match, NET_TYPE_ARP) ||
		       match_has_type(match, NET_TYPE_RARP);
	case NEED_IPV4:
		return match_has_type(match, NET_TYPE_IPV4);
	case NEED_IPV6:
		return match_has_type(match, NET_TYPE_IPV6);
	case NEED_IP:
		return match_has_ip(match);
	case NEED_MPLS:
		return match_has_type(match, NET_TYPE_MPLS) ||
		       match_has_type(match, NET_TYPE_MPLS_MC);
	case NEED_PBB:
		return match_has_type(match, NET_TYPE_PBB);
	case NEED_TCP:
		return match_has_ip(match) && match_has_proto(match, NET_PROTO_TCP);
	case NEED_UDP:
		return match_has_ip(match) && match_has_proto(match, NET_PROTO_UDP);
	case NEED_SCTP:
		return match_has_ip(match) && match_has_proto(match, NET_PROTO_SCTP);
	case NEED_ICMPV4:
		return match_has_type(match, NET_TYPE_IPV4) &&
		       match_has_proto(match, NET_PROTO_ICMP);
	case NEED_ICMPV6:
		return match_has_type(match, NET_TYPE_IPV6) &&
		       match_has_proto(match, NET_PROTO_ICMPV6);
	case NEED_ND:
		return match_has_nd(match, NET_ND_SOLICIT) ||
		       match_has_nd(match, NET_ND_ADVERTISE);
	case NEED_ND_SOLICIT:
		return match_has_nd(match, NET_ND_SOLICIT);
	case NEED_ND_ADVERTISE:
		return match_has_nd(match, NET_ND_ADVERTISE);
	case NEED_CT:
		return match->key.f.ct_state & match->mask.f.ct_state & CT_TRACKED;
	}
	return false;
}

bool
flow_field_is_present(enum flow_field_id id, const struct flow_match *match)
{
	return match_has_need(match, flow_field_get(id)->need);
}

/* The bits that a field's value can have. */
static wide
field_bits(enum flow_field_id id)
{
	unsigned n_bits = fields[id].n_bits;
	wide all = n_bits == 128 ? ~(wide)0 : ((wide)1 << n_bits) - 1;

	if (layouts[id].kind == LAYOUT_NONE)
		return 0;
	return all >> layouts[id].low_zero << layouts[id].low_zero;
}

/* The number that a field is a part of. */
static wide
number_load(const struct layout *layout, const struct flow_key *key)
{
	const uint8_t *p = (const uint8_t *)&key->f + layout->offset;
	wide number = 0;
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (layout->kind) {
	case LAYOUT_NUMBER:
		switch (layout->bytes) {
		case 1:
			return *p;
		case sizeof(u16):
			memcpy(&u16, p, sizeof(u16));
			return u16;
		case sizeof(u32):
			memcpy(&u32, p, sizeof(u32));
			return u32;
		default:
			memcpy(&u64, p, sizeof(u64));
			return u64;
		}
	case LAYOUT_BYTES:
		for (unsigned i = 0; i < layout->bytes; i++)
			number = number << 8 | p[i];
		return number;
	case LAYOUT_REGS:
		for (unsigned i = 0; i < layout->bytes; i += sizeof(u32)) {
			memcpy(&u32, p + i, sizeof(u32));
			number = number << 32 | u32;
		}
		return number;
	default:
		return 0;
	}
}

static void
number_store(const struct layout *layout, struct flow_key *key, wide number)
{
	uint8_t *p = (uint8_t *)&key->f + layout->offset;
	uint64_t u64 = (uint64_t)number;
	uint32_t u32 = (uint32_t)number;
	uint16_t u16 = (uint16_t)number;

	switch (layout->kind) {
	case LAYOUT_NUMBER:
		switch (layout->bytes) {
		case 1:
			*p = (uint8_t)number;
			break;
		case sizeof(u16):
			memcpy(p, &u16, sizeof(u16));
			break;
		case sizeof(u32):
			memcpy(p, &u32, sizeof(u32));
			break;
		default:
			memcpy(p, &u64, sizeof(u64));
			break;
		}
		break;
	case LAYOUT_BYTES:
		for (unsigned i = layout->bytes; i > 0; i--, number >>= 8)
			p[i - 1] = (uint8_t)number;
		break;
	case LAYOUT_REGS:
		for (size_t i = layout->bytes; i > 0; i -= sizeof(u32), number >>= 32) {
			u32 = (uint32_t)number;
			memcpy(p + i - sizeof(u32), &u32, sizeof(u32));
		}
		break;
	default:
		break;
	}
}

uint64_t
flow_field_words(enum flow_field_id id)
{
	const struct layout *layout = &layouts[flow_field_get(id)->id];
	unsigned first = layout->offset / 8, last;

	static_assert(FLOW_KEY_WORDS <= 64, "a bit for each word of a key");
	if (layout->kind == LAYOUT_NONE)
		return 0;
	last = (layout->offset + layout->bytes - 1U) / 8;
	return UINT64_MAX >> (63 - (last - first)) << first;
}

static wide
field_load(enum flow_field_id id, const struct flow_key *key)
{
	return number_load(&layouts[id], key) >> layouts[id].shift & field_bits(id);
}

/* Writes the bits of 'mask' that the field has. */
static void
field_store(enum flow_field_id id, struct flow_key *key, wide value, wide mask)
{
	const struct layout *layout = &layouts[id];

	mask &= field_bits(id);
	number_store(layout, key,
	             (number_load(layout, key) & ~(mask << layout->shift)) |
	                     (value & mask) << layout->shift);
}

static wide
value_load(enum flow_field_id id, const struct flow_value *value)
{
	wide number = 0;

	if (!value)
		return ~(wide)0;
	for (unsigned i = 0; i < fields[id].n_bytes; i++)
		number = number << 8 | value->bytes[i];
	return number;
}

void
flow_field_read(enum flow_field_id id, const struct flow_key *key,
                struct flow_value *value)
{
	wide number;

	id = flow_field_get(id)->id;
	number = field_load(id, key);
	memset(value, 0, sizeof(*value));
	for (unsigned i = fields[id].n_bytes; i > 0; i--, number >>= 8)
		value->bytes[i - 1] = (uint8_t)number;
}

void
flow_field_write(enum flow_field_id id, struct flow_key *key,
                 const struct flow_value *value)
{
	flow_field_write_masked(id, key, value, NULL);
}

void
flow_field_write_masked(enum flow_field_id id, struct flow_key *key,
                        const struct flow_value *value, const struct flow_value *mask)
{
	id = flow_field_get(id)->id;
	field_store(id, key, value_load(id, value), value_load(id, mask));
}

void
flow_field_add_mask(enum flow_field_id id, struct flow_key *mask_key,
                    const struct flow_value *mask)
{
	id = flow_field_get(id)->id;
	field_store(id, mask_key, ~(wide)0, value_load(id, mask));
}

static void
match_set(struct flow_match *match, enum flow_field_id id, wide value, wide mask)
{
	bool is_tag =
		id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP || id == FIELD_VLAN_PCP;

	if (id == FIELD_DL_VLAN && (mask & VLAN_VID_MASK) == VLAN_VID_MASK &&
	    value > VLAN_VID_MASK) {
		match->key.f.vlan_tci = 0;
		match->mask.f.vlan_tci = UINT16_MAX;
		return;
	}
	field_store(id, &match->key, value, mask);
	field_store(id, &match->mask, ~(wide)0, mask);
	if (is_tag && mask) {
		match->key.f.vlan_tci |= FLOW_VLAN_PRESENT;
		match->mask.f.vlan_tci |= FLOW_VLAN_PRESENT;
	}
}

void
flow_match_set(struct flow_match *match, enum flow_field_id id,
               const struct flow_value *value, const struct flow_value *mask)
{
	id = flow_field_get(id)->id;
	match_set(match, id, value_load(id, value), value_load(id, mask));
}

void
flow_match_set_u64(struct flow_match *match, enum flow_field_id id, uint64_t value)
{
	match_set(match, flow_field_get(id)->id, value, ~(wide)0);
}

/* The mask of a subfield's bits, not yet at their place. */
static wide
subfield_bits(const struct flow_subfield *sub)
{
	return sub->n_bits >= VALUE_U64_BITS ? UINT64_MAX : ((wide)1 << sub->n_bits) - 1;
}

uint64_t
flow_subfield_read(const struct flow_subfield *sub, const struct flow_key *key)
{
	enum flow_field_id id = flow_field_get(sub->field)->id;

	if (sub->first_bit >= fields[id].n_bits)
		return 0;
	return (uint64_t)(field_load(id, key) >> sub->first_bit & subfield_bits(sub));
}

void
flow_subfield_write(const struct flow_subfield *sub, struct flow_key *key, uint64_t value)
{
	enum flow_field_id id = flow_field_get(sub->field)->id;

	if (sub->first_bit < fields[id].n_bits)
		field_store(id, key, (wide)value << sub->first_bit,
		            subfield_bits(sub) << sub->first_bit);
}

void
flow_subfield_add_mask(const struct flow_subfield *sub, struct flow_key *mask)
{
	enum flow_field_id id = flow_field_get(sub->field)->id;

	for (unsigned i = 0; i < sub->n_bits; i++)
		field_store(id, mask, ~(wide)0, (wide)1 << (sub->first_bit + i));
}

void
flow_key_visible(const struct flow_key *key, struct flow_key *mask)
{
	struct flow_match packet = {.key = *key};

	memset(&packet.mask, 0xff, sizeof(packet.mask));
	memset(mask, 0, sizeof(*mask));
	for (enum flow_field_id id = FIELD_NONE + 1; id < FIELD_N; id++)
		if (flow_field_is_present(id, &packet))
			flow_field_add_mask(id, mask, NULL);
}
