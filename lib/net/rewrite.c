/* rewrite.c - finds the headers of a frame, pushes and pops, and TTLs. Fields are
 * rewrite_field.c's. Reads headers as flow_parse.c does: what a key has, can be set. */
#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "net/protocol.h"
#include "net/rewrite_private.h"

#define MAC_BYTES      12
#define TAGS_MAX       2
#define LSE_BYTES      4
#define PBB_BYTES      18 /* two addresses, type, I-TAG */
#define IPV6_CHAIN_MAX 8
#define ND_BYTES       24
#define OPTION_SLL     1
#define OPTION_TLL     2

#define TAG_VID_AND_PCP 0xefffU
#define LSE_BOS         0x100U
#define LSE_TTL_NONE    64 /* of a label on what has no TTL */

/* ---- finding headers ---- */

static bool
type_is_vlan(uint16_t type)
{
	return type == NET_TYPE_VLAN || type == NET_TYPE_QINQ;
}

static bool
type_is_mpls(uint16_t type)
{
	return type == NET_TYPE_MPLS || type == NET_TYPE_MPLS_MC;
}

static uint16_t
be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Whether 'n' bytes at 'at' are there and before 'end', where the packet ends. */
static bool
rewrite_has(const struct rewrite *r, size_t at, size_t n, size_t end)
{
	return at + n <= MIN_OF(r->captured, end);
}

static void
scan_nd(struct rewrite *r, size_t end)
{
	uint8_t type = r->data[r->l4_at];
	size_t at = r->l4_at + (size_t)ND_BYTES;

	if ((type != NET_ND_SOLICIT && type != NET_ND_ADVERTISE) ||
	    !rewrite_has(r, r->l4_at, ND_BYTES, end))
		return;
	r->nd_at = r->l4_at;
	while (rewrite_has(r, at, 8, end)) {
		size_t bytes = r->data[at + 1] * 8U;

		if (bytes == 0 || !rewrite_has(r, at, bytes, end))
			return;
		if (r->data[at] == OPTION_SLL && bytes == 8)
			r->sll_at = (uint16_t)at;
		else if (r->data[at] == OPTION_TLL && bytes == 8)
			r->tll_at = (uint16_t)at;
		at += bytes;
	}
}

/* 'end' is where the IP packet ends; 'knows_l4_bytes': it is whole. */
static void
scan_l4(struct rewrite *r, size_t at, size_t end, uint8_t proto, bool knows_l4_bytes)
{
	bool is_ipv6 = r->ipv6_at;
	size_t bytes = 0;

	if (proto == NET_PROTO_TCP)
		bytes = 20;
	else if (proto == NET_PROTO_UDP ||
	         proto == (is_ipv6 ? NET_PROTO_ICMPV6 : NET_PROTO_ICMP))
		bytes = 8;
	else if (proto == NET_PROTO_SCTP)
		bytes = 12;
	if (bytes == 0 || !rewrite_has(r, at, bytes, end))
		return;
	r->l4_at = (uint16_t)at;
	r->ip_proto = proto;
	r->l4_bytes = knows_l4_bytes ? (uint32_t)(end - at) : 0;
	if (proto == NET_PROTO_ICMPV6)
		scan_nd(r, end);
}

static void
scan_ipv4(struct rewrite *r, size_t at)
{
	const uint8_t *ip = r->data + at;
	size_t header, total;
	uint16_t fragment;

	if (!rewrite_has(r, at, NET_IPV4_BYTES, r->length))
		return;
	header = (ip[0] & 0xfU) * 4;
	total = be16(ip + 2);
	if (ip[0] >> 4 != 4 || header < NET_IPV4_BYTES || total < header ||
	    total > r->length - at || !rewrite_has(r, at, header, r->length))
		return;
	r->ipv4_at = (uint16_t)at;
	r->sums_ip_dst = true;
	fragment = be16(ip + 6);
	if (fragment & 0x1fff)
		return;
	scan_l4(r, at + header, at + total, ip[9], (fragment & 0x3fff) == 0);
}

static size_t
ipv6_header_bytes(uint8_t header, const uint8_t *p)
{
	switch (header) {
	case NET_PROTO_HOP_BY_HOP:
	case NET_PROTO_ROUTING:
	case NET_PROTO_DESTINATION:
		return (p[1] + 1U) * 8;
	case NET_PROTO_AUTH:
		return (p[1] + 2U) * 4;
	default:
		return 8;
	}
}

static bool
ipv6_is_extension(uint8_t header)
{
	return header == NET_PROTO_HOP_BY_HOP || header == NET_PROTO_ROUTING ||
	       header == NET_PROTO_DESTINATION || header == NET_PROTO_AUTH ||
	       header == NET_PROTO_FRAGMENT;
}

static void
scan_ipv6(struct rewrite *r, size_t at)
{
	const uint8_t *ip = r->data + at;
	bool is_whole = true;
	size_t payload, end;
	uint8_t next;

	if (!rewrite_has(r, at, NET_IPV6_BYTES, r->length) || ip[0] >> 4 != 6)
		return;
	payload = be16(ip + 4);
	end = payload ? at + NET_IPV6_BYTES + payload : r->length;
	if (end > r->length)
		return;
	is_whole = payload > 0;
	r->ipv6_at = (uint16_t)at;
	r->sums_ip_dst = true;
	next = ip[6];
	at += NET_IPV6_BYTES;
	for (int i = 0; ipv6_is_extension(next); i++) {
		const uint8_t *p = r->data + at;
		size_t bytes;

		if (i == IPV6_CHAIN_MAX || !rewrite_has(r, at, 8, end))
			return;
		bytes = ipv6_header_bytes(next, p);
		if (!rewrite_has(r, at, bytes, end))
			return;
		/* The sum is of the last destination, which the header names. */
		if (next == NET_PROTO_ROUTING && p[3] > 0)
			r->sums_ip_dst = false;
		if (next == NET_PROTO_FRAGMENT) {
			if (be16(p + 2) & 0xfff8)
				return;
			is_whole &= !(p[3] & 1);
		}
		next = p[0];
		at += bytes;
	}
	scan_l4(r, at, end, next, is_whole);
}

static void
scan_arp(struct rewrite *r, size_t at)
{
	const uint8_t *arp = r->data + at;

	if (rewrite_has(r, at, NET_ARP_BYTES, r->length) && be16(arp) == 1 &&
	    be16(arp + 2) == NET_TYPE_IPV4 && arp[4] == 6 && arp[5] == 4)
		r->arp_at = (uint16_t)at;
}

static void
scan_clear(struct rewrite *r)
{
	r->n_tags = r->ip_proto = 0;
	r->sums_ip_dst = false;
	r->eth_type = r->type_at = 0;
	r->mpls_at = r->pbb_at = r->arp_at = r->ipv4_at = r->ipv6_at = r->l4_at = 0;
	r->nd_at = r->sll_at = r->tll_at = 0;
	r->l4_bytes = 0;
}

/* Where the type is if it is not at 'at': a frame with a length there has it behind an
 * LLC and SNAP header. */
static size_t
scan_llc(const struct rewrite *r, size_t at)
{
	static const uint8_t ethernet_in_snap[] = {0xaa, 0xaa, 3, 0, 0, 0};
	size_t bytes = sizeof(ethernet_in_snap);

	if (be16(r->data + at) >= NET_TYPE_MIN ||
	    !rewrite_has(r, at + 2, bytes + 2, r->length) ||
	    memcmp(r->data + at + 2, ethernet_in_snap, bytes) != 0 ||
	    be16(r->data + at + 2 + bytes) < NET_TYPE_MIN)
		return at;
	return at + 2 + bytes;
}

void
rewrite_scan(struct rewrite *r)
{
	size_t at = MAC_BYTES;

	scan_clear(r);
	r->is_scanned = true;
	if (!rewrite_has(r, 0, NET_ETH_BYTES, r->length))
		return;
	while (r->n_tags < TAGS_MAX && type_is_vlan(be16(r->data + at)) &&
	       rewrite_has(r, at, NET_VLAN_BYTES + 2, r->length)) {
		at += NET_VLAN_BYTES;
		r->n_tags++;
	}
	at = scan_llc(r, at);
	r->type_at = (uint16_t)at;
	r->eth_type = be16(r->data + at);
	at += 2;
	switch (r->eth_type) {
	case NET_TYPE_IPV4:
		scan_ipv4(r, at);
		break;
	case NET_TYPE_IPV6:
		scan_ipv6(r, at);
		break;
	case NET_TYPE_ARP:
	case NET_TYPE_RARP:
		scan_arp(r, at);
		break;
	case NET_TYPE_MPLS:
	case NET_TYPE_MPLS_MC:
		if (rewrite_has(r, at, LSE_BYTES, r->length))
			r->mpls_at = (uint16_t)at;
		break;
	case NET_TYPE_PBB:
		if (rewrite_has(r, at, NET_VLAN_BYTES, r->length))
			r->pbb_at = (uint16_t)at;
		break;
	default:
		break;
	}
}

static void
rewrite_ensure_scanned(struct rewrite *r)
{
	if (!r->is_scanned)
		rewrite_scan(r);
}

/* ---- pushing and popping ---- */

/* Makes a gap of 'n' bytes behind the first 'at' ones; NULL: no room. */
static uint8_t *
rewrite_open_gap(struct rewrite *r, size_t at, size_t n)
{
	if (r->headroom < n)
		return NULL;
	memmove(r->data - n, r->data, at);
	r->data -= n;
	r->headroom -= n;
	r->captured += n;
	r->length += n;
	r->is_scanned = false;
	return r->data + at;
}

/* Takes away 'n' bytes behind the first 'at' ones; they are there. */
static void
rewrite_close_gap(struct rewrite *r, size_t at, size_t n)
{
	memmove(r->data + n, r->data, at);
	r->data += n;
	r->headroom += n;
	r->captured -= n;
	r->length -= n;
	r->is_scanned = false;
}

static bool
rewrite_has_tag(const struct rewrite *r)
{
	return rewrite_has(r, 0, MAC_BYTES + NET_VLAN_BYTES + 2, r->length) &&
	       type_is_vlan(be16(r->data + MAC_BYTES));
}

int
rewrite_push_vlan(struct rewrite *r, uint16_t tpid)
{
	uint16_t tci = 0;
	uint8_t *tag;

	if (!rewrite_has(r, 0, NET_ETH_BYTES, r->length))
		return -ENOENT;
	if (rewrite_has_tag(r))
		tci = be16(r->data + NET_ETH_BYTES) & TAG_VID_AND_PCP;
	tag = rewrite_open_gap(r, MAC_BYTES, NET_VLAN_BYTES);
	if (!tag)
		return -ENOBUFS;
	rewrite_write(tag, NET_VLAN_BYTES, (uint32_t)tpid << 16 | tci);
	return 0;
}

int
rewrite_pop_vlan(struct rewrite *r)
{
	if (!rewrite_has_tag(r))
		return -ENOENT;
	rewrite_close_gap(r, MAC_BYTES, NET_VLAN_BYTES);
	return 0;
}

/* The label that a packet without one gets: all 0 but the TTL, which is IP's. */
static uint32_t
rewrite_first_label(const struct rewrite *r)
{
	uint32_t ttl = 0;

	if (r->ipv4_at)
		ttl = r->data[r->ipv4_at + 8];
	else if (r->ipv6_at)
		ttl = r->data[r->ipv6_at + 7];
	return LSE_BOS | (ttl ? ttl : LSE_TTL_NONE);
}

/* A frame whose type stands in a SNAP header has its length where others have the type:
 * it is to change by 'by'. False: it would be none any more. */
static bool
rewrite_add_length(struct rewrite *r, int by)
{
	const size_t at = MAC_BYTES + r->n_tags * NET_VLAN_BYTES;
	const int length = be16(r->data + at) + by;

	if (r->type_at == at)
		return true;
	if (length < 0 || length >= NET_TYPE_MIN)
		return false;
	rewrite_write(r->data + at, 2, (uint64_t)length);
	return true;
}

int
rewrite_push_mpls(struct rewrite *r, uint16_t eth_type)
{
	uint32_t lse;
	uint8_t *p;

	rewrite_ensure_scanned(r);
	if (!r->type_at || (type_is_mpls(r->eth_type) && !r->mpls_at))
		return -ENOENT;
	lse = r->mpls_at
	              ? (uint32_t)rewrite_read(r->data + r->mpls_at, LSE_BYTES) & ~LSE_BOS
	              : rewrite_first_label(r);
	if (r->headroom < LSE_BYTES)
		return -ENOBUFS;
	if (!rewrite_add_length(r, LSE_BYTES))
		return -ENOENT;
	p = rewrite_open_gap(r, r->type_at + 2U, LSE_BYTES);
	rewrite_write(p - 2, 2, eth_type);
	rewrite_write(p, LSE_BYTES, lse);
	return 0;
}

int
rewrite_pop_mpls(struct rewrite *r, uint16_t eth_type)
{
	rewrite_ensure_scanned(r);
	if (!r->mpls_at || !rewrite_add_length(r, -LSE_BYTES))
		return -ENOENT;
	rewrite_write(r->data + r->type_at, 2, eth_type);
	rewrite_close_gap(r, r->mpls_at, LSE_BYTES);
	return 0;
}

int
rewrite_push_pbb(struct rewrite *r, uint16_t eth_type)
{
	uint32_t itag = 0;
	uint8_t *p;

	rewrite_ensure_scanned(r);
	if (!r->type_at)
		return -ENOENT;
	if (r->pbb_at)
		itag = (uint32_t)rewrite_read(r->data + r->pbb_at, NET_VLAN_BYTES) &
		       0xffffff;
	if (r->n_tags)
		itag |= (uint32_t)(r->data[NET_ETH_BYTES] >> 5) << 29;
	p = rewrite_open_gap(r, MAC_BYTES, PBB_BYTES);
	if (!p)
		return -ENOBUFS;
	rewrite_write(p, 2, eth_type);
	rewrite_write(p + 2, NET_VLAN_BYTES, itag);
	memcpy(p + 2 + NET_VLAN_BYTES, r->data, MAC_BYTES);
	return 0;
}

int
rewrite_pop_pbb(struct rewrite *r)
{
	rewrite_ensure_scanned(r);
	if (!r->pbb_at || r->n_tags ||
	    !rewrite_has(r, 0, PBB_BYTES + NET_ETH_BYTES, r->length))
		return -ENOENT;
	rewrite_close_gap(r, 0, PBB_BYTES);
	return 0;
}

/* ---- TTLs ---- */

void
rewrite_write_ip_ttl(struct rewrite *r, uint16_t at, uint8_t ttl)
{
	uint8_t *ip = r->data + at, was[2];

	if (ip[0] >> 4 == 6) {
		ip[7] = ttl;
		return;
	}
	memcpy(was, ip + 8, sizeof(was));
	ip[8] = ttl;
	rewrite_mend_sum(ip + 10, was, ip + 8, sizeof(was));
}

int
rewrite_dec_ip_ttl(struct rewrite *r)
{
	uint16_t at;
	uint8_t ttl;

	rewrite_ensure_scanned(r);
	at = r->ipv4_at ? r->ipv4_at : r->ipv6_at;
	if (!at)
		return -ENOENT;
	ttl = r->data[at + (r->ipv4_at ? 8 : 7)];
	if (ttl <= 1)
		return -ERANGE;
	rewrite_write_ip_ttl(r, at, (uint8_t)(ttl - 1));
	return 0;
}

int
rewrite_dec_mpls_ttl(struct rewrite *r)
{
	uint8_t *ttl;

	rewrite_ensure_scanned(r);
	if (!r->mpls_at)
		return -ENOENT;
	ttl = r->data + r->mpls_at + 3;
	if (*ttl <= 1)
		return -ERANGE;
	(*ttl)--;
	return 0;
}

/* Where the header inside of the outermost label is; 0: it has no TTL, or is not there.
 */
static uint16_t
rewrite_find_inner(struct rewrite *r, bool *is_ip)
{
	uint16_t at;
	uint8_t version;

	rewrite_ensure_scanned(r);
	if (!r->mpls_at)
		return 0;
	at = (uint16_t)(r->mpls_at + LSE_BYTES);
	*is_ip = r->data[r->mpls_at + 2] & 1;
	if (!*is_ip)
		return rewrite_has(r, at, LSE_BYTES, r->length) ? at : 0;
	if (!rewrite_has(r, at, NET_IPV4_BYTES, r->length))
		return 0;
	version = r->data[at] >> 4;
	if (version == 4)
		return at;
	return version == 6 && rewrite_has(r, at, NET_IPV6_BYTES, r->length) ? at : 0;
}

static uint8_t
rewrite_inner_ttl(const struct rewrite *r, uint16_t at, bool is_ip)
{
	if (!is_ip)
		return r->data[at + 3];
	return r->data[at + (r->data[at] >> 4 == 6 ? 7 : 8)];
}

int
rewrite_copy_ttl_out(struct rewrite *r)
{
	bool is_ip;
	uint16_t at = rewrite_find_inner(r, &is_ip);

	if (!at)
		return -ENOENT;
	r->data[r->mpls_at + 3] = rewrite_inner_ttl(r, at, is_ip);
	return 0;
}

int
rewrite_copy_ttl_in(struct rewrite *r)
{
	bool is_ip;
	uint16_t at = rewrite_find_inner(r, &is_ip);

	if (!at)
		return -ENOENT;
	if (is_ip)
		rewrite_write_ip_ttl(r, at, r->data[r->mpls_at + 3]);
	else
		r->data[at + 3] = r->data[r->mpls_at + 3];
	return 0;
}
