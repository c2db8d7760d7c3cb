/* flow_parse.c - bytes -> struct flow_key. Fuzzed: nothing is read that was not checked.
 */
#include "net/flow_key.h"
#include "net/protocol.h"

#define IPV6_CHAIN_MAX 8 /* extension headers walked */
#define SNAP_BYTES     8
#define MPLS_BYTES     4
/* Service, then the customer's addresses and type (IEEE 802.1Q, 9.7). */
#define PBB_BYTES 18
#define PBB_UCA   0x08000000U
#define PBB_ISID  0x00ffffffU

/* Two words of a key. */
typedef uint64_t key_pair __attribute__((vector_size(16), aligned(8), may_alias));

/* memset() of this size is a "rep stos" for gcc, longer than the rest of a parse. */
static inline void
key_zero(struct flow_key *key)
{
	key_pair *pairs = (key_pair *)(void *)key->words;

#pragma GCC unroll 64
	for (size_t i = 0; i < FLOW_KEY_WORDS / 2; i++)
		pairs[i] = (key_pair){0};
	key->words[FLOW_KEY_WORDS - 1] = 0;
}

/* What is left to read; never runs past its end. */
struct reader {
	const uint8_t *p;
	size_t left;
	size_t beyond; /* bytes of the frame that follow but are not in memory here */
};

/* The next 'n' bytes, or NULL if there are not as many. */
static const uint8_t *
reader_take(struct reader *reader, size_t n)
{
	const uint8_t *p = reader->p;

	if (n > reader->left)
		return NULL;
	reader->p += n;
	reader->left -= n;
	return p;
}

static uint16_t
be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static enum flow_type
parse_arp(struct reader *reader, struct flow_fields *f)
{
	const uint8_t *arp = reader_take(reader, NET_ARP_BYTES);

	if (!arp)
		return FLOW_MALFORMED;
	/* Ethernet and IPv4 only; others have other lengths. */
	if (be16(arp) != 1 || be16(arp + 2) != NET_TYPE_IPV4 || arp[4] != 6 ||
	    arp[5] != 4)
		return FLOW_OTHER;
	f->tp_src = be16(arp + 6);
	memcpy(f->arp_sha, arp + 8, 6);
	memcpy(f->ip_src, arp + 14, 4);
	memcpy(f->arp_tha, arp + 18, 6);
	memcpy(f->ip_dst, arp + 24, 4);
	return FLOW_ARP;
}

/* Link-layer address options of neighbour discovery. False: an option lies. If one comes
 * again, receivers differ in which of them counts: then the packet tells neither of them,
 * and no target, so that it passes for no address that a rule lets through. */
static bool
parse_nd_options(struct reader *reader, struct flow_fields *f)
{
	bool is_seen[2] = {false};

	while (reader->left >= 8) {
		const uint8_t *head = reader->p;
		size_t bytes = head[1] * 8U;

		if (bytes == 0 || !reader_take(reader, bytes))
			return false;
		if ((head[0] != 1 && head[0] != 2) || bytes != 8)
			continue;
		if (is_seen[head[0] - 1]) {
			memset(f->nd_target, 0, sizeof(f->nd_target));
			memset(f->arp_sha, 0, sizeof(f->arp_sha));
			memset(f->arp_tha, 0, sizeof(f->arp_tha));
			return true;
		}
		is_seen[head[0] - 1] = true;
		memcpy(head[0] == 1 ? f->arp_sha : f->arp_tha, head + 2, 6);
	}
	return true;
}

static enum flow_type
parse_icmp(struct reader *reader, struct flow_fields *f, bool is_ipv6)
{
	const uint8_t *icmp = reader_take(reader, 8), *target;

	if (!icmp)
		return FLOW_MALFORMED;
	f->tp_src = icmp[0];
	f->tp_dst = icmp[1];
	if (!is_ipv6)
		return FLOW_IPV4_ICMP;
	if (icmp[0] != NET_ND_SOLICIT && icmp[0] != NET_ND_ADVERTISE)
		return FLOW_IPV6_ICMP;
	target = reader_take(reader, 16);
	if (!target)
		return FLOW_MALFORMED;
	f->nd_reserved = be32(icmp + 4);
	memcpy(f->nd_target, target, 16);
	return parse_nd_options(reader, f) ? FLOW_IPV6_ICMP : FLOW_MALFORMED;
}

static enum flow_type
parse_ports(struct reader *reader, struct flow_fields *f, bool is_ipv6)
{
	size_t bytes = f->ip_proto == NET_PROTO_TCP   ? 20
	               : f->ip_proto == NET_PROTO_UDP ? 8
	                                              : 12;
	const uint8_t *l4 = reader_take(reader, bytes);

	if (!l4)
		return FLOW_MALFORMED;
	f->tp_src = be16(l4);
	f->tp_dst = be16(l4 + 2);
	if (f->ip_proto == NET_PROTO_TCP)
		f->tcp_flags = be16(l4 + 12) & 0x0fff;
	return is_ipv6 ? FLOW_IPV6_PORTS : FLOW_IPV4_PORTS;
}

static enum flow_type
parse_l4(struct reader *reader, struct flow_fields *f, bool is_ipv6)
{
	switch (f->ip_proto) {
	case NET_PROTO_TCP:
	case NET_PROTO_UDP:
	case NET_PROTO_SCTP:
		return parse_ports(reader, f, is_ipv6);
	case NET_PROTO_ICMP:
		return is_ipv6 ? FLOW_IPV6 : parse_icmp(reader, f, false);
	case NET_PROTO_ICMPV6:
		return is_ipv6 ? parse_icmp(reader, f, true) : FLOW_IPV4;
	default:
		return is_ipv6 ? FLOW_IPV6 : FLOW_IPV4;
	}
}

static enum flow_type
parse_ipv4(struct reader *reader, struct flow_fields *f)
{
	const uint8_t *ip = reader_take(reader, NET_IPV4_BYTES);
	size_t header, total;
	uint16_t fragment;

	if (!ip)
		return FLOW_MALFORMED;
	header = (ip[0] & 0xfU) * 4;
	total = be16(ip + 2);
	if (ip[0] >> 4 != 4 || header < NET_IPV4_BYTES || total < header ||
	    total > reader->left + reader->beyond + NET_IPV4_BYTES)
		return FLOW_MALFORMED;
	/* What follows the packet is padding of the frame. */
	reader->left = MIN_OF(reader->left, total - NET_IPV4_BYTES);
	if (!reader_take(reader, header - NET_IPV4_BYTES))
		return FLOW_MALFORMED;
	f->ip_tos = ip[1];
	f->ip_ttl = ip[8];
	f->ip_proto = ip[9];
	memcpy(f->ip_src, ip + 12, 4);
	memcpy(f->ip_dst, ip + 16, 4);
	fragment = be16(ip + 6);
	if (fragment & 0x3fff)
		f->ip_fragment = FLOW_FRAGMENT;
	if (fragment & 0x1fff) {
		f->ip_fragment |= FLOW_LATER;
		return FLOW_IPV4_FRAGMENT;
	}
	return parse_l4(reader, f, false);
}

/* Notes a header in ipv6_exthdr. '*place' is the last one's in the order that RFC 8200,
 * 4.1 recommends; destination options may come before the routing header and last. */
static void
note_exthdr(struct flow_fields *f, uint8_t header, unsigned *place)
{
	static const struct {
		uint16_t bit;
		uint8_t place;
	} notes[UINT8_MAX + 1] = {
		[NET_PROTO_HOP_BY_HOP] = {FLOW_EXTHDR_HOP, 1},
		[NET_PROTO_ROUTING] = {FLOW_EXTHDR_ROUTING, 3},
		[NET_PROTO_FRAGMENT] = {FLOW_EXTHDR_FRAGMENT, 4},
		[NET_PROTO_AUTH] = {FLOW_EXTHDR_AUTH, 5},
		[NET_PROTO_ESP] = {FLOW_EXTHDR_ESP, 6},
		[NET_PROTO_DESTINATION] = {FLOW_EXTHDR_DESTINATION, 7},
		[NET_PROTO_NONE] = {FLOW_EXTHDR_NONE, 8},
	};
	uint16_t bit = notes[header].bit;
	unsigned at = notes[header].place;

	if (!bit)
		return;
	if (header == NET_PROTO_DESTINATION && *place < 2)
		at = 2;
	else if (f->ipv6_exthdr & bit &&
	         (header != NET_PROTO_DESTINATION || *place >= at))
		f->ipv6_exthdr |= FLOW_EXTHDR_REPEATED;
	if (at < *place)
		f->ipv6_exthdr |= FLOW_EXTHDR_DISORDER;
	f->ipv6_exthdr |= bit;
	*place = MAX_OF(*place, at);
}

/* Walks extension headers up to the first that is none; -1 if one is cut short. Later
 * fragments end with the fragment header, as ovs-fields(7) has it for nw_proto. */
static int
parse_ipv6_chain(struct reader *reader, struct flow_fields *f, uint8_t next)
{
	unsigned place = 0;

	for (int i = 0; i < IPV6_CHAIN_MAX; i++) {
		const uint8_t *head;

		note_exthdr(f, next, &place);
		switch (next) {
		case NET_PROTO_HOP_BY_HOP:
		case NET_PROTO_ROUTING:
		case NET_PROTO_DESTINATION:
		case NET_PROTO_AUTH:
			head = reader_take(reader, 8);
			if (!head || !reader_take(reader, next == NET_PROTO_AUTH
			                                          ? (head[1] + 2U) * 4 - 8
			                                          : head[1] * 8U))
				return -1;
			break;
		case NET_PROTO_FRAGMENT:
			head = reader_take(reader, 8);
			if (!head)
				return -1;
			/* A fragment that is the whole packet is none (RFC 6946). */
			if (be16(head + 2) & 0xfff9)
				f->ip_fragment = FLOW_FRAGMENT;
			if (be16(head + 2) & 0xfff8) {
				f->ip_fragment |= FLOW_LATER;
				return next;
			}
			break;
		default:
			return next;
		}
		next = head[0];
	}
	return -1;
}

static enum flow_type
parse_ipv6(struct reader *reader, struct flow_fields *f)
{
	const uint8_t *ip = reader_take(reader, NET_IPV6_BYTES);
	size_t payload;
	int proto;

	if (!ip || ip[0] >> 4 != 6)
		return FLOW_MALFORMED;
	payload = be16(ip + 4);
	if (payload > reader->left + reader->beyond)
		return FLOW_MALFORMED;
	/* 0 is a jumbogram, whose length stands in an option: read what there is. */
	if (payload)
		reader->left = MIN_OF(reader->left, payload);
	f->ip_tos = (uint8_t)(be16(ip) >> 4);
	f->ipv6_label = be32(ip) & 0xfffff;
	f->ip_ttl = ip[7];
	memcpy(f->ip_src, ip + 8, 16);
	memcpy(f->ip_dst, ip + 24, 16);
	proto = parse_ipv6_chain(reader, f, ip[6]);
	if (proto < 0)
		return FLOW_MALFORMED;
	f->ip_proto = (uint8_t)proto;
	if (f->ip_fragment & FLOW_LATER)
		return FLOW_IPV6_FRAGMENT;
	return parse_l4(reader, f, true);
}

static enum flow_type
parse_mpls(struct reader *reader, struct flow_fields *f)
{
	const uint8_t *mpls = reader_take(reader, MPLS_BYTES);

	if (!mpls)
		return FLOW_MALFORMED;
	f->mpls_lse = be32(mpls);
	return FLOW_MPLS;
}

static enum flow_type
parse_pbb(struct reader *reader, struct flow_fields *f)
{
	const uint8_t *pbb = reader_take(reader, PBB_BYTES);
	uint32_t tag;

	if (!pbb)
		return FLOW_MALFORMED;
	tag = be32(pbb);
	f->pbb_isid =
		FLOW_PBB_PRESENT | (tag & PBB_UCA ? FLOW_PBB_UCA : 0) | (tag & PBB_ISID);
	return FLOW_OTHER;
}

/* Reads a tag if eth_type says that there is one, with the type behind it. False: it is
 * cut short. */
static inline bool
parse_vlan(struct reader *reader, struct flow_fields *f, uint16_t *tci, uint16_t *tpid)
{
	const uint8_t *tag;

	if (f->eth_type != NET_TYPE_VLAN && f->eth_type != NET_TYPE_QINQ)
		return true;
	tag = reader_take(reader, NET_VLAN_BYTES);
	if (!tag)
		return false;
	*tpid = f->eth_type;
	*tci = be16(tag) | FLOW_VLAN_PRESENT;
	f->eth_type = be16(tag + 2);
	return true;
}

/* A frame with a length in the place of its type: the type is the one that a SNAP header
 * of Ethernet's numbers names, or none (OpenFlow 1.0, 3.4). */
static void
parse_llc(struct reader *reader, struct flow_fields *f)
{
	static const uint8_t ethernet_in_snap[] = {0xaa, 0xaa, 3, 0, 0, 0};

	f->eth_type = FLOW_TYPE_NONE;
	if (reader->left < SNAP_BYTES ||
	    memcmp(reader->p, ethernet_in_snap, sizeof(ethernet_in_snap)) != 0 ||
	    be16(reader->p + sizeof(ethernet_in_snap)) < NET_TYPE_MIN)
		return;
	f->eth_type = be16(reader->p + sizeof(ethernet_in_snap));
	reader_take(reader, SNAP_BYTES);
}

enum flow_type
flow_parse(const uint8_t *data, size_t captured, size_t length, struct flow_key *key)
{
	struct reader reader = {data, MIN_OF(captured, length),
	                        length - MIN_OF(captured, length)};
	struct flow_fields *f = &key->f;
	const uint8_t *eth = reader_take(&reader, NET_ETH_BYTES);

	key_zero(key);
	if (!eth)
		return FLOW_MALFORMED;
	memcpy(f->eth_dst, eth, 6);
	memcpy(f->eth_src, eth + 6, 6);
	f->eth_type = be16(eth + 12);
	if (!parse_vlan(&reader, f, &f->vlan_tci, &f->vlan_tpid) ||
	    (f->vlan_tpid && !parse_vlan(&reader, f, &f->vlan2_tci, &f->vlan2_tpid)))
		return FLOW_MALFORMED;
	if (f->eth_type < NET_TYPE_MIN)
		parse_llc(&reader, f);
	switch (f->eth_type) {
	case NET_TYPE_ARP:
	case NET_TYPE_RARP:
		return parse_arp(&reader, f);
	case NET_TYPE_IPV4:
		return parse_ipv4(&reader, f);
	case NET_TYPE_IPV6:
		return parse_ipv6(&reader, f);
	case NET_TYPE_MPLS:
	case NET_TYPE_MPLS_MC:
		return parse_mpls(&reader, f);
	case NET_TYPE_PBB:
		return parse_pbb(&reader, f);
	default:
		return FLOW_OTHER;
	}
}
