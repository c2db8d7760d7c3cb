/* rewrite_field.c - where each field of flow_field.h stands in a frame, and which
 * checksums it counts in. Beside rewrite.c. */
#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "net/crc32c.h"
#include "net/protocol.h"
#include "net/rewrite_private.h"

enum place_base {
	BASE_NONE,
	BASE_ETH,
	BASE_TYPE,
	BASE_TAG,
	BASE_MPLS,
	BASE_PBB,
	BASE_ARP,
	BASE_IPV4,
	BASE_IPV6,
	BASE_TCP,
	BASE_UDP,
	BASE_SCTP,
	BASE_ICMPV4,
	BASE_ICMPV6,
	BASE_ND,
	BASE_SLL,
	BASE_TLL,
};

enum place_sum {
	SUM_IPV4 = 1,   /* of the IPv4 header */
	SUM_L4 = 2,     /* of layer 4's own bytes */
	SUM_PSEUDO = 4, /* of layer 4's pseudo-header */
	SUM_IP_DST = 8, /* the same, but not always for a destination */
	RESCAN = 16,    /* it says what follows */
};

/* 'bits' from 'shift' on of a number of 'bytes' bytes. Their distance from the base, and
 * their number where they are summed, is even. */
struct place {
	uint8_t base, offset, bytes, shift, bits, sums;
};

#define IP4_ADDRESS(OFFSET, SUM)                              \
	{                                                     \
		BASE_IPV4, OFFSET, 4, 0, 32, SUM_IPV4 | (SUM) \
	}
#define IP6_ADDRESS(OFFSET, SUM)                   \
	{                                          \
		BASE_IPV6, OFFSET, 16, 0, 128, SUM \
	}
#define PORT(BASE, OFFSET)                     \
	{                                      \
		BASE, OFFSET, 2, 0, 16, SUM_L4 \
	}

static const struct place places[FIELD_N] = {
	[FIELD_ETH_DST] = {BASE_ETH, 0, 6, 0, 48, 0},
	[FIELD_ETH_SRC] = {BASE_ETH, 6, 6, 0, 48, 0},
	[FIELD_ETH_TYPE] = {BASE_TYPE, 0, 2, 0, 16, RESCAN},
	[FIELD_DL_VLAN] = {BASE_TAG, 0, 2, 0, 12, 0},
	[FIELD_DL_VLAN_PCP] = {BASE_TAG, 0, 2, 13, 3, 0},
	[FIELD_VLAN_VID] = {BASE_TAG, 0, 2, 0, 12, 0},
	[FIELD_VLAN_PCP] = {BASE_TAG, 0, 2, 13, 3, 0},
	[FIELD_MPLS_LABEL] = {BASE_MPLS, 0, 4, 12, 20, 0},
	[FIELD_MPLS_TC] = {BASE_MPLS, 0, 4, 9, 3, 0},
	[FIELD_MPLS_BOS] = {BASE_MPLS, 0, 4, 8, 1, 0},
	[FIELD_MPLS_TTL] = {BASE_MPLS, 0, 4, 0, 8, 0},
	[FIELD_PBB_ISID] = {BASE_PBB, 0, 4, 0, 24, 0},
	[FIELD_PBB_UCA] = {BASE_PBB, 0, 4, 27, 1, 0},
	[FIELD_IPV4_SRC] = IP4_ADDRESS(12, SUM_PSEUDO),
	[FIELD_IPV4_DST] = IP4_ADDRESS(16, SUM_IP_DST),
	[FIELD_IPV6_SRC] = IP6_ADDRESS(8, SUM_PSEUDO),
	[FIELD_IPV6_DST] = IP6_ADDRESS(24, SUM_IP_DST),
	[FIELD_IPV6_LABEL] = {BASE_IPV6, 0, 4, 0, 20, 0},
	[FIELD_IP_PROTO] = {BASE_IPV4, 8, 2, 0, 8, SUM_IPV4 | RESCAN},
	[FIELD_IP_DSCP] = {BASE_IPV4, 0, 2, 0, 8, SUM_IPV4},
	[FIELD_IP_DSCP_SHIFTED] = {BASE_IPV4, 0, 2, 2, 6, SUM_IPV4},
	[FIELD_IP_ECN] = {BASE_IPV4, 0, 2, 0, 2, SUM_IPV4},
	[FIELD_IP_TTL] = {BASE_IPV4, 8, 2, 8, 8, SUM_IPV4},
	[FIELD_ARP_OP] = {BASE_ARP, 6, 2, 0, 16, 0},
	[FIELD_ARP_SHA] = {BASE_ARP, 8, 6, 0, 48, 0},
	[FIELD_ARP_SPA] = {BASE_ARP, 14, 4, 0, 32, 0},
	[FIELD_ARP_THA] = {BASE_ARP, 18, 6, 0, 48, 0},
	[FIELD_ARP_TPA] = {BASE_ARP, 24, 4, 0, 32, 0},
	[FIELD_TCP_SRC] = PORT(BASE_TCP, 0),
	[FIELD_TCP_DST] = PORT(BASE_TCP, 2),
	[FIELD_TCP_FLAGS] = {BASE_TCP, 12, 2, 0, 12, SUM_L4},
	[FIELD_UDP_SRC] = PORT(BASE_UDP, 0),
	[FIELD_UDP_DST] = PORT(BASE_UDP, 2),
	[FIELD_SCTP_SRC] = PORT(BASE_SCTP, 0),
	[FIELD_SCTP_DST] = PORT(BASE_SCTP, 2),
	[FIELD_ICMPV4_TYPE] = {BASE_ICMPV4, 0, 2, 8, 8, SUM_L4},
	[FIELD_ICMPV4_CODE] = {BASE_ICMPV4, 0, 2, 0, 8, SUM_L4},
	[FIELD_ICMPV6_TYPE] = {BASE_ICMPV6, 0, 2, 8, 8, SUM_L4 | RESCAN},
	[FIELD_ICMPV6_CODE] = {BASE_ICMPV6, 0, 2, 0, 8, SUM_L4},
	[FIELD_ND_TARGET] = {BASE_ND, 8, 16, 0, 128, SUM_L4},
	[FIELD_ND_RESERVED] = {BASE_ND, 4, 4, 0, 32, SUM_L4},
	[FIELD_ND_SLL] = {BASE_SLL, 2, 6, 0, 48, SUM_L4},
	[FIELD_ND_TLL] = {BASE_TLL, 2, 6, 0, 48, SUM_L4},
};

/* Of the fields that both families have, in IPv6. */
static const struct place places_ipv6[FIELD_N] = {
	[FIELD_IP_PROTO] = {BASE_IPV6, 6, 2, 8, 8, RESCAN},
	[FIELD_IP_DSCP] = {BASE_IPV6, 0, 4, 20, 8, 0},
	[FIELD_IP_DSCP_SHIFTED] = {BASE_IPV6, 0, 4, 22, 6, 0},
	[FIELD_IP_ECN] = {BASE_IPV6, 0, 4, 20, 2, 0},
	[FIELD_IP_TTL] = {BASE_IPV6, 6, 2, 0, 8, 0},
};

static uint16_t
l4_if(const struct rewrite *r, uint8_t proto)
{
	return r->ip_proto == proto ? r->l4_at : 0;
}

/* Where the base is; false: the frame has none. */
static bool
place_find_base(const struct rewrite *r, enum place_base base, size_t *at)
{
	switch ((int)base) {
	case BASE_ETH:
		*at = 0;
		return r->type_at;
	case BASE_TYPE:
		return (*at = r->type_at);
	case BASE_TAG:
		*at = 14;
		return r->n_tags;
	case BASE_MPLS:
		return (*at = r->mpls_at);
	case BASE_PBB:
		return (*at = r->pbb_at);
	case BASE_ARP:
		return (*at = r->arp_at);
	case BASE_IPV4:
		return (*at = r->ipv4_at);
	case BASE_IPV6:
		return (*at = r->ipv6_at);
	case BASE_TCP:
		return (*at = l4_if(r, NET_PROTO_TCP));
	case BASE_UDP:
		return (*at = l4_if(r, NET_PROTO_UDP));
	case BASE_SCTP:
		return (*at = l4_if(r, NET_PROTO_SCTP));
	case BASE_ICMPV4:
		return (*at = l4_if(r, NET_PROTO_ICMP));
	case BASE_ICMPV6:
		return (*at = l4_if(r, NET_PROTO_ICMPV6));
	case BASE_ND:
		return (*at = r->nd_at);
	case BASE_SLL:
		return (*at = r->sll_at);
	case BASE_TLL:
		return (*at = r->tll_at);
	default:
		return false;
	}
}

/* ---- checksums ---- */

void
rewrite_mend_sum(uint8_t *sum_field, const uint8_t *was, const uint8_t *is, size_t n)
{
	uint16_t field, word;
	uint32_t sum;

	/* 0xffff would become 0, which is as good but not the same. */
	if (!memcmp(was, is, n))
		return;
	memcpy(&field, sum_field, sizeof(field));
	sum = (uint16_t)~field;
	for (size_t i = 0; i < n; i += sizeof(word)) {
		memcpy(&word, was + i, sizeof(word));
		sum += (uint16_t)~word;
		memcpy(&word, is + i, sizeof(word));
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	field = (uint16_t)~sum;
	memcpy(sum_field, &field, sizeof(field));
}

static void
rewrite_mend_udp(uint8_t *sum_field, const uint8_t *was, const uint8_t *is, size_t n)
{
	static const uint8_t none[2];

	if (!memcmp(sum_field, none, sizeof(none)))
		return;
	rewrite_mend_sum(sum_field, was, is, n);
	/* 0 would say that there is none (RFC 768). */
	if (!memcmp(sum_field, none, sizeof(none)))
		memset(sum_field, 0xff, sizeof(none));
}

/* 'at' is where the bytes are in the frame. Of a fragment the whole is not known, and its
 * sum stays as it is. */
static void
rewrite_mend_sctp(struct rewrite *r, const uint8_t *was, const uint8_t *is, size_t n,
                  size_t at)
{
	uint8_t difference[FLOW_FIELD_BYTES_MAX], *field = r->data + r->l4_at + 8;
	uint32_t change;

	if (r->l4_bytes == 0)
		return;
	for (size_t i = 0; i < n; i++)
		difference[i] = was[i] ^ is[i];
	change = crc32c_difference(difference, n, r->l4_at + r->l4_bytes - at - n);
	for (int i = 0; i < 4; i++, change >>= 8)
		field[i] ^= (uint8_t)change;
}

static void
rewrite_mend_l4(struct rewrite *r, unsigned sums, const uint8_t *was, const uint8_t *is,
                size_t n, size_t at)
{
	uint8_t *l4 = r->data + r->l4_at;
	bool is_pseudo = sums & (SUM_PSEUDO | SUM_IP_DST);

	if (!r->l4_at || r->checksum_is_pending ||
	    ((sums & SUM_IP_DST) && !r->sums_ip_dst))
		return;
	switch (r->ip_proto) {
	case NET_PROTO_TCP:
		rewrite_mend_sum(l4 + 16, was, is, n);
		break;
	case NET_PROTO_UDP:
		rewrite_mend_udp(l4 + 6, was, is, n);
		break;
	case NET_PROTO_ICMP:
		if (!is_pseudo)
			rewrite_mend_sum(l4 + 2, was, is, n);
		break;
	case NET_PROTO_ICMPV6:
		rewrite_mend_sum(l4 + 2, was, is, n);
		break;
	case NET_PROTO_SCTP:
		if (!is_pseudo)
			rewrite_mend_sctp(r, was, is, n, at);
		break;
	default:
		break;
	}
}

/* ---- setting ---- */

/* Moves a field's value to where it stands among the bytes of its place. */
static void
place_spread(const struct place *place, const uint8_t *value, uint8_t *out)
{
	size_t n = (place->bits + 7U) / 8;
	uint64_t bits;

	if (place->bytes > sizeof(bits)) {
		memcpy(out, value, place->bytes);
		return;
	}
	bits = rewrite_read(value, n);
	if (place->bits < 64)
		bits &= (1ULL << place->bits) - 1;
	rewrite_write(out, place->bytes, bits << place->shift);
}

static int
rewrite_store(struct rewrite *r, const struct place *place, const uint8_t *value,
              const uint8_t *mask)
{
	uint8_t bits[FLOW_FIELD_BYTES_MAX], select[FLOW_FIELD_BYTES_MAX];
	uint8_t was[FLOW_FIELD_BYTES_MAX], *p;
	size_t at;

	if (!place_find_base(r, place->base, &at))
		return -ENOENT;
	at += place->offset;
	p = r->data + at;
	place_spread(place, value, bits);
	place_spread(place, mask, select);
	memcpy(was, p, place->bytes);
	for (size_t i = 0; i < place->bytes; i++)
		p[i] = (uint8_t)((p[i] & ~select[i]) | (bits[i] & select[i]));
	if (place->sums & SUM_IPV4)
		rewrite_mend_sum(r->data + r->ipv4_at + 10, was, p, place->bytes);
	if (place->sums & (SUM_L4 | SUM_PSEUDO | SUM_IP_DST))
		rewrite_mend_l4(r, place->sums, was, p, place->bytes, at);
	if (place->sums & RESCAN)
		r->is_scanned = false;
	return 0;
}

/* The tag as a whole, present or not. */
static int
rewrite_set_tci(struct rewrite *r, const uint8_t *value, const uint8_t *mask)
{
	uint16_t want = (uint16_t)rewrite_read(value, 2);
	uint16_t bits = (uint16_t)rewrite_read(mask, 2), tci = 0;
	int ret = 0;

	if (r->n_tags)
		tci = (uint16_t)rewrite_read(r->data + 14, 2) | FLOW_VLAN_PRESENT;
	tci = (uint16_t)((tci & ~bits) | (want & bits));
	if (!(tci & FLOW_VLAN_PRESENT))
		return r->n_tags ? rewrite_pop_vlan(r) : 0;
	if (!r->n_tags)
		ret = rewrite_push_vlan(r, NET_TYPE_VLAN);
	if (ret == 0)
		rewrite_write(r->data + 14, 2, tci & (uint16_t)~FLOW_VLAN_PRESENT);
	return ret;
}

/* In a chain of headers the number of the last one is elsewhere. */
static bool
ip_proto_is_settable(const struct rewrite *r)
{
	static const uint8_t extensions[] = {0, 43, 44, 51, 60};

	if (!r->ipv6_at)
		return true;
	return !memchr(extensions, r->data[r->ipv6_at + 6], sizeof(extensions));
}

int
rewrite_set_field(struct rewrite *r, enum flow_field_id id,
                  const struct flow_value *value, const struct flow_value *mask)
{
	struct flow_value select;
	const struct place *place;
	int ret;

	if ((unsigned)id >= FIELD_N)
		return -ENOENT;
	if (!r->is_scanned)
		rewrite_scan(r);
	if (mask)
		select = *mask;
	else
		memset(&select, 0xff, sizeof(select));
	place = r->ipv6_at && places_ipv6[id].base ? &places_ipv6[id] : &places[id];
	switch ((int)id) {
	case FIELD_VLAN_TCI:
		return r->type_at ? rewrite_set_tci(r, value->bytes, select.bytes)
		                  : -ENOENT;
	case FIELD_DL_VLAN:
	case FIELD_DL_VLAN_PCP:
		if (!r->n_tags) {
			ret = rewrite_push_vlan(r, NET_TYPE_VLAN);
			if (ret < 0)
				return ret;
			rewrite_scan(r);
		}
		break;
	case FIELD_IP_DSCP:
		select.bytes[0] &= 0xfc;
		break;
	case FIELD_IP_PROTO:
		if (!ip_proto_is_settable(r))
			return -ENOENT;
		break;
	default:
		break;
	}
	return rewrite_store(r, place, value->bytes, select.bytes);
}
