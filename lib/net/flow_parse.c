/* flow_parse.c - bytes -> struct flow_key. Fuzzed: nothing is read that was not checked.
 */
#include "net/flow_key.h"

#define ETH_BYTES         14
#define VLAN_BYTES        4
#define TYPE_VLAN         0x8100
#define TYPE_QINQ         0x88a8
#define TYPE_IPV4         0x0800
#define TYPE_IPV6         0x86dd
#define TYPE_ARP          0x0806
#define ARP_BYTES         28
#define IPV4_BYTES        20
#define IPV6_BYTES        40
#define IPV6_CHAIN_MAX    8 /* extension headers walked */
#define PROTO_ICMP        1
#define PROTO_TCP         6
#define PROTO_UDP         17
#define PROTO_ICMPV6      58
#define PROTO_SCTP        132
#define PROTO_HOP_BY_HOP  0
#define PROTO_ROUTING     43
#define PROTO_FRAGMENT    44
#define PROTO_AUTH        51
#define PROTO_DESTINATION 60
#define ND_SOLICIT        135
#define ND_ADVERTISE      136

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
	const uint8_t *arp = reader_take(reader, ARP_BYTES);

	if (!arp)
		return FLOW_MALFORMED;
	/* Ethernet and IPv4 only; others have other lengths. */
	if (be16(arp) != 1 || be16(arp + 2) != TYPE_IPV4 || arp[4] != 6 || arp[5] != 4)
		return FLOW_OTHER;
	f->tp_src = be16(arp + 6);
	memcpy(f->arp_sha, arp + 8, 6);
	memcpy(f->ip_src, arp + 14, 4);
	memcpy(f->arp_tha, arp + 18, 6);
	memcpy(f->ip_dst, arp + 24, 4);
	return FLOW_ARP;
}

/* Link-layer address options of neighbour discovery. False: an option lies. */
static bool
parse_nd_options(struct reader *reader, struct flow_fields *f)
{
	while (reader->left >= 8) {
		const uint8_t *head = reader->p;
		size_t bytes = head[1] * 8U;

		if (bytes == 0 || !reader_take(reader, bytes))
			return false;
		if (head[0] == 1 && bytes == 8)
			memcpy(f->arp_sha, head + 2, 6);
		else if (head[0] == 2 && bytes == 8)
			memcpy(f->arp_tha, head + 2, 6);
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
	if (icmp[0] != ND_SOLICIT && icmp[0] != ND_ADVERTISE)
		return FLOW_IPV6_ICMP;
	target = reader_take(reader, 16);
	if (!target)
		return FLOW_MALFORMED;
	memcpy(f->nd_target, target, 16);
	return parse_nd_options(reader, f) ? FLOW_IPV6_ICMP : FLOW_MALFORMED;
}

static enum flow_type
parse_ports(struct reader *reader, struct flow_fields *f, bool is_ipv6)
{
	size_t bytes = f->ip_proto == PROTO_TCP ? 20 : f->ip_proto == PROTO_UDP ? 8 : 12;
	const uint8_t *l4 = reader_take(reader, bytes);

	if (!l4)
		return FLOW_MALFORMED;
	f->tp_src = be16(l4);
	f->tp_dst = be16(l4 + 2);
	if (f->ip_proto == PROTO_TCP)
		f->tcp_flags = be16(l4 + 12) & 0x0fff;
	return is_ipv6 ? FLOW_IPV6_PORTS : FLOW_IPV4_PORTS;
}

static enum flow_type
parse_l4(struct reader *reader, struct flow_fields *f, bool is_ipv6)
{
	switch (f->ip_proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_SCTP:
		return parse_ports(reader, f, is_ipv6);
	case PROTO_ICMP:
		return is_ipv6 ? FLOW_IPV6 : parse_icmp(reader, f, false);
	case PROTO_ICMPV6:
		return is_ipv6 ? parse_icmp(reader, f, true) : FLOW_IPV4;
	default:
		return is_ipv6 ? FLOW_IPV6 : FLOW_IPV4;
	}
}

static enum flow_type
parse_ipv4(struct reader *reader, struct flow_fields *f)
{
	const uint8_t *ip = reader_take(reader, IPV4_BYTES);
	size_t header, total;
	uint16_t fragment;

	if (!ip)
		return FLOW_MALFORMED;
	header = (ip[0] & 0xfU) * 4;
	total = be16(ip + 2);
	if (ip[0] >> 4 != 4 || header < IPV4_BYTES || total < header ||
	    total > reader->left + reader->beyond + IPV4_BYTES)
		return FLOW_MALFORMED;
	/* What follows the packet is padding of the frame. */
	reader->left = MIN_OF(reader->left, total - IPV4_BYTES);
	if (!reader_take(reader, header - IPV4_BYTES))
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

/* Walks extension headers up to the first that is none; -1 if one is cut short. */
static int
parse_ipv6_chain(struct reader *reader, struct flow_fields *f, uint8_t next)
{
	for (int i = 0; i < IPV6_CHAIN_MAX; i++) {
		const uint8_t *head;

		switch (next) {
		case PROTO_HOP_BY_HOP:
		case PROTO_ROUTING:
		case PROTO_DESTINATION:
		case PROTO_AUTH:
			head = reader_take(reader, 8);
			if (!head || !reader_take(reader, next == PROTO_AUTH
			                                          ? (head[1] + 2U) * 4 - 8
			                                          : head[1] * 8U))
				return -1;
			break;
		case PROTO_FRAGMENT:
			head = reader_take(reader, 8);
			if (!head)
				return -1;
			f->ip_fragment = FLOW_FRAGMENT;
			if (be16(head + 2) & 0xfff8) {
				f->ip_fragment |= FLOW_LATER;
				return head[0];
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
	const uint8_t *ip = reader_take(reader, IPV6_BYTES);
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

enum flow_type
flow_parse(const uint8_t *data, size_t captured, size_t length, struct flow_key *key)
{
	struct reader reader = {data, MIN_OF(captured, length),
	                        length - MIN_OF(captured, length)};
	struct flow_fields *f = &key->f;
	const uint8_t *eth = reader_take(&reader, ETH_BYTES), *tag;

	memset(key, 0, sizeof(*key));
	if (!eth)
		return FLOW_MALFORMED;
	memcpy(f->eth_dst, eth, 6);
	memcpy(f->eth_src, eth + 6, 6);
	f->eth_type = be16(eth + 12);
	if (f->eth_type == TYPE_VLAN || f->eth_type == TYPE_QINQ) {
		tag = reader_take(&reader, VLAN_BYTES);
		if (!tag)
			return FLOW_MALFORMED;
		f->vlan_tci = be16(tag) | FLOW_VLAN_PRESENT;
		f->eth_type = be16(tag + 2);
	}
	switch (f->eth_type) {
	case TYPE_ARP:
		return parse_arp(&reader, f);
	case TYPE_IPV4:
		return parse_ipv4(&reader, f);
	case TYPE_IPV6:
		return parse_ipv6(&reader, f);
	default:
		return FLOW_OTHER;
	}
}
