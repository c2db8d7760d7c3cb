/* flow_compose.c - struct flow_key -> bytes, the reverse of flow_parse.c. No state, any
 * thread. */
#include "net/flow_compose.h"

#include "net/checksum.h"
#include "net/crc32c.h"
#include "net/protocol.h"

#define LLC_UNNUMBERED 3
#define LLC_SNAP       0xaa
#define LLC_BRIDGES    0x42   /* any that is not SNAP */
#define TYPE_TEST      0x88b5 /* IEEE's "local experimental" */
#define PBB_UCA        0x08000000U
#define MPLS_BOTTOM    0x100U
#define EXTHDR_BYTES   8
#define LATER_OFFSET   185 /* in units of 8 bytes: what fits into 1500 */
#define MORE_FRAGMENTS 0x2000

/* What is being written; 'used' goes on counting when it no longer fits. */
struct writer {
	uint8_t *p;
	size_t used, size;
};

static void
put(struct writer *w, const void *data, size_t n)
{
	if (w->used <= w->size && n <= w->size - w->used && n)
		memcpy(w->p + w->used, data, n);
	w->used += n;
}

static void
put_zeros(struct writer *w, size_t n)
{
	static const uint8_t zeros[32];

	for (size_t part; n > 0; n -= part) {
		part = MIN_OF(n, sizeof(zeros));
		put(w, zeros, part);
	}
}

static void
put8(struct writer *w, unsigned number)
{
	put(w, &(uint8_t){(uint8_t)number}, 1);
}

static void
put16(struct writer *w, unsigned number)
{
	put8(w, number >> 8);
	put8(w, number);
}

static void
put32(struct writer *w, uint32_t number)
{
	put16(w, number >> 16);
	put16(w, number);
}

static bool
is_whole(const struct writer *w)
{
	return w->used <= w->size;
}

/* Corrects 16 bits that were written before. */
static void
patch16(struct writer *w, size_t at, size_t number)
{
	if (!is_whole(w))
		return;
	w->p[at] = (uint8_t)(number >> 8);
	w->p[at + 1] = (uint8_t)number;
}

/* A checksum is in network order already. */
static void
patch_sum(struct writer *w, size_t at, uint16_t sum)
{
	if (is_whole(w))
		memcpy(w->p + at, &sum, sizeof(sum));
}

/* The key's packet, and the part that is not in the key. */
struct compose {
	const struct flow_fields *f;
	const void *payload;
	size_t payload_bytes;
	bool is_ipv6;
};

static bool
is_tpid(uint16_t type)
{
	return type == NET_TYPE_VLAN || type == NET_TYPE_QINQ;
}

static bool
is_nd(const struct compose *c)
{
	return c->f->tp_src == NET_ND_SOLICIT || c->f->tp_src == NET_ND_ADVERTISE;
}

static void
put_nd_option(struct writer *w, uint8_t type, const uint8_t *address)
{
	static const uint8_t none[6];

	if (memcmp(address, none, sizeof(none)) == 0)
		return;
	put8(w, type);
	put8(w, 1); /* times 8 bytes */
	put(w, address, 6);
}

static void
put_icmp(struct writer *w, const struct compose *c)
{
	put8(w, c->f->tp_src);
	put8(w, c->f->tp_dst);
	put16(w, 0);
	if (!c->is_ipv6 || !is_nd(c)) {
		put32(w, 0);
		return;
	}
	put32(w, c->f->nd_reserved);
	put(w, c->f->nd_target, sizeof(c->f->nd_target));
	put_nd_option(w, 1, c->f->arp_sha);
	put_nd_option(w, 2, c->f->arp_tha);
}

static void
put_tcp(struct writer *w, const struct compose *c)
{
	put16(w, c->f->tp_src);
	put16(w, c->f->tp_dst);
	put_zeros(w, 8);
	put16(w, 0x5000 | (c->f->tcp_flags & 0x0fff)); /* 20 bytes */
	put16(w, UINT16_MAX);                          /* window */
	put_zeros(w, 4);
}

/* The header of layer 4; returns where in it the checksum stands, 0 = it has none. */
static size_t
put_l4(struct writer *w, const struct compose *c)
{
	uint8_t proto = c->f->ip_proto;

	switch (proto) {
	case NET_PROTO_TCP:
		put_tcp(w, c);
		return 16;
	case NET_PROTO_UDP:
		put16(w, c->f->tp_src);
		put16(w, c->f->tp_dst);
		put32(w, 0);
		return 6;
	case NET_PROTO_SCTP:
		put16(w, c->f->tp_src);
		put16(w, c->f->tp_dst);
		put_zeros(w, 8);
		return 8;
	default:
		if (proto != (c->is_ipv6 ? NET_PROTO_ICMPV6 : NET_PROTO_ICMP))
			return 0;
		put_icmp(w, c);
		return 2;
	}
}

/* Layer 4 and the payload; 'ip' is where the IP header stands. */
static void
put_l4_packet(struct writer *w, const struct compose *c, size_t ip)
{
	size_t l4 = w->used, sum_at, n_bytes;
	uint8_t proto = c->f->ip_proto;
	uint64_t sum = 0;
	uint16_t finished;

	sum_at = c->f->ip_fragment & FLOW_LATER ? 0 : put_l4(w, c);
	/* Behind the options of neighbour discovery there is nothing but options. */
	if (!(sum_at && proto == NET_PROTO_ICMPV6 && is_nd(c)))
		put(w, c->payload, c->payload_bytes);
	n_bytes = w->used - l4;
	if (!sum_at || !is_whole(w))
		return;
	if (proto == NET_PROTO_UDP)
		patch16(w, l4 + 4, n_bytes);
	if (proto == NET_PROTO_SCTP) {
		uint32_t crc = ~crc32c_add(UINT32_MAX, w->p + l4, n_bytes);

		for (size_t i = 0; i < sizeof(crc); i++, crc >>= 8)
			w->p[l4 + sum_at + i] = (uint8_t)crc;
		return;
	}
	if (proto != NET_PROTO_ICMP)
		sum = checksum_pseudo(w->p + ip, c->is_ipv6, proto, n_bytes);
	finished = checksum_finish(checksum_add(sum, w->p + l4, n_bytes));
	/* 0 would mean that there is none. */
	patch_sum(w, l4 + sum_at,
	          finished == 0 && proto == NET_PROTO_UDP ? UINT16_MAX : finished);
}

static void
put_ipv4(struct writer *w, const struct compose *c)
{
	const struct flow_fields *f = c->f;
	size_t ip = w->used;

	put8(w, 0x45); /* 20 bytes */
	put8(w, f->ip_tos);
	put32(w, 0);
	put16(w, f->ip_fragment & FLOW_LATER      ? LATER_OFFSET
	         : f->ip_fragment & FLOW_FRAGMENT ? MORE_FRAGMENTS
	                                          : 0);
	put8(w, f->ip_ttl);
	put8(w, f->ip_proto);
	put16(w, 0);
	put(w, f->ip_src, 4);
	put(w, f->ip_dst, 4);
	put_l4_packet(w, c, ip);
	patch16(w, ip + 2, w->used - ip);
	if (is_whole(w))
		patch_sum(w, ip + 10,
		          checksum_finish(checksum_add(0, w->p + ip, NET_IPV4_BYTES)));
}

/* The extension headers in the order of RFC 8200, 4.1. Each one's first byte says what
 * follows: 'next_at' is where. */
static void
put_exthdrs(struct writer *w, const struct compose *c, size_t next_at)
{
	static const struct {
		uint16_t bit;
		uint8_t proto;
	} order[] = {
		{FLOW_EXTHDR_HOP, NET_PROTO_HOP_BY_HOP},
		{FLOW_EXTHDR_DESTINATION, NET_PROTO_DESTINATION},
		{FLOW_EXTHDR_ROUTING, NET_PROTO_ROUTING},
		{FLOW_EXTHDR_FRAGMENT, NET_PROTO_FRAGMENT},
		{FLOW_EXTHDR_AUTH, NET_PROTO_AUTH},
	};
	uint8_t fragment = c->f->ip_fragment;
	bool is_later = fragment & FLOW_LATER;
	uint16_t has = c->f->ipv6_exthdr;

	if (fragment)
		has |= FLOW_EXTHDR_FRAGMENT;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		uint8_t header[EXTHDR_BYTES] = {0};
		uint8_t proto = order[i].proto;
		size_t at = w->used;

		if (!(has & order[i].bit))
			continue;
		if (is_whole(w))
			w->p[next_at] = proto;
		if (proto == NET_PROTO_HOP_BY_HOP || proto == NET_PROTO_DESTINATION) {
			/* An option that only fills: 4 bytes of zeros. */
			header[2] = 1;
			header[3] = 4;
		}
		if (proto == NET_PROTO_FRAGMENT && is_later) {
			header[2] = LATER_OFFSET * 8 >> 8;
			header[3] = LATER_OFFSET * 8 & 0xff;
		} else if (proto == NET_PROTO_FRAGMENT && fragment) {
			header[3] = 1; /* more follow */
		}
		put(w, header, sizeof(header));
		next_at = at;
		if (proto == NET_PROTO_FRAGMENT && is_later)
			break;
	}
	if (is_whole(w))
		w->p[next_at] = is_later ? NET_PROTO_NONE : c->f->ip_proto;
}

static void
put_ipv6(struct writer *w, const struct compose *c)
{
	const struct flow_fields *f = c->f;
	size_t ip = w->used;

	put32(w, 6U << 28 | (uint32_t)f->ip_tos << 20 | (f->ipv6_label & 0xfffff));
	put16(w, 0);
	put8(w, 0);
	put8(w, f->ip_ttl);
	put(w, f->ip_src, 16);
	put(w, f->ip_dst, 16);
	put_exthdrs(w, c, ip + 6);
	put_l4_packet(w, c, ip);
	patch16(w, ip + 4, w->used - ip - NET_IPV6_BYTES);
}

static void
put_arp(struct writer *w, const struct compose *c)
{
	put16(w, 1); /* Ethernet */
	put16(w, NET_TYPE_IPV4);
	put8(w, 6);
	put8(w, 4);
	put16(w, c->f->tp_src);
	put(w, c->f->arp_sha, 6);
	put(w, c->f->ip_src, 4);
	put(w, c->f->arp_tha, 6);
	put(w, c->f->ip_dst, 4);
}

static void
put_mpls(struct writer *w, const struct compose *c)
{
	put32(w, c->f->mpls_lse);
	if (!(c->f->mpls_lse & MPLS_BOTTOM))
		put32(w, MPLS_BOTTOM | (c->f->mpls_lse & UINT8_MAX));
	put(w, c->payload, c->payload_bytes);
}

/* The customer's frame: between the same two. */
static void
put_pbb(struct writer *w, const struct compose *c)
{
	put32(w, (c->f->pbb_isid & 0xffffff) |
	                 (c->f->pbb_isid & FLOW_PBB_UCA ? PBB_UCA : 0));
	put(w, c->f->eth_dst, 6);
	put(w, c->f->eth_src, 6);
	put16(w, TYPE_TEST);
	put(w, c->payload, c->payload_bytes);
}

/* Tags, and the type or what stands in its place. */
static void
put_type(struct writer *w, const struct compose *c)
{
	const struct flow_fields *f = c->f;
	unsigned n_tags = 0;

	if (f->vlan_tci & FLOW_VLAN_PRESENT) {
		put16(w, is_tpid(f->vlan_tpid) ? f->vlan_tpid : NET_TYPE_VLAN);
		put16(w, f->vlan_tci & ~FLOW_VLAN_PRESENT);
		n_tags++;
	}
	if (n_tags && f->vlan2_tci & FLOW_VLAN_PRESENT) {
		put16(w, is_tpid(f->vlan2_tpid) ? f->vlan2_tpid : NET_TYPE_VLAN);
		put16(w, f->vlan2_tci & ~FLOW_VLAN_PRESENT);
		n_tags++;
	}
	/* The type of a tag that is none can only come from a SNAP header. */
	if (f->eth_type >= NET_TYPE_MIN && (n_tags == 2 || !is_tpid(f->eth_type))) {
		put16(w, f->eth_type);
	} else if (f->eth_type >= NET_TYPE_MIN) {
		put16(w, (unsigned)MIN_OF(8 + c->payload_bytes, NET_TYPE_802_3_MAX));
		put8(w, LLC_SNAP);
		put8(w, LLC_SNAP);
		put32(w, (uint32_t)LLC_UNNUMBERED << 24);
		put16(w, f->eth_type);
	} else {
		put16(w, (unsigned)MIN_OF(3 + c->payload_bytes, NET_TYPE_802_3_MAX));
		put8(w, LLC_BRIDGES);
		put8(w, LLC_BRIDGES);
		put8(w, LLC_UNNUMBERED);
	}
}

size_t
flow_compose(const struct flow_key *key, const void *payload, size_t payload_bytes,
             uint8_t *frame, size_t size)
{
	struct compose c = {&key->f, payload, payload_bytes,
	                    key->f.eth_type == NET_TYPE_IPV6};
	struct writer w = {frame, 0, size};

	if (payload_bytes > FLOW_COMPOSE_PAYLOAD_MAX)
		return 0;
	put(&w, key->f.eth_dst, 6);
	put(&w, key->f.eth_src, 6);
	put_type(&w, &c);
	switch (key->f.eth_type) {
	case NET_TYPE_ARP:
	case NET_TYPE_RARP:
		put_arp(&w, &c);
		break;
	case NET_TYPE_IPV4:
		put_ipv4(&w, &c);
		break;
	case NET_TYPE_IPV6:
		put_ipv6(&w, &c);
		break;
	case NET_TYPE_MPLS:
	case NET_TYPE_MPLS_MC:
		put_mpls(&w, &c);
		break;
	case NET_TYPE_PBB:
		put_pbb(&w, &c);
		break;
	default:
		put(&w, payload, payload_bytes);
		break;
	}
	return is_whole(&w) ? w.used : 0;
}
