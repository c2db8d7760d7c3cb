/* make_frame.c - random keys and a receiver's view of a frame. See make_frame.h. */
#include "support/make_frame.h"

#include "net/checksum.h"
#include "net/crc32c.h"
#include "net/protocol.h"

#define LAYER_4_MAX 2048

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

uint64_t
make_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

void
make_random_bytes(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)(make_random() >> 32);
}

static void
random_l4(struct flow_fields *f, bool is_ipv6)
{
	static const uint8_t protos[] = {6, 17, 132, 1, 58, 47};

	f->ip_proto = protos[make_random() % ARRAY_SIZE(protos)];
	switch (f->ip_proto) {
	case NET_PROTO_TCP:
		f->tcp_flags = make_random() & 0xfff;
		f->tp_src = (uint16_t)make_random();
		f->tp_dst = (uint16_t)make_random();
		break;
	case NET_PROTO_UDP:
	case NET_PROTO_SCTP:
		f->tp_src = (uint16_t)make_random();
		f->tp_dst = (uint16_t)make_random();
		break;
	case NET_PROTO_ICMP:
	case NET_PROTO_ICMPV6:
		if (is_ipv6 != (f->ip_proto == NET_PROTO_ICMPV6))
			break;
		f->tp_src = (uint8_t)make_random();
		f->tp_dst = (uint8_t)make_random();
		if (is_ipv6 && make_random() % 2) {
			f->tp_src = NET_ND_SOLICIT + make_random() % 2;
			f->nd_reserved = (uint32_t)make_random();
			make_random_bytes(f->nd_target, 16);
			if (make_random() % 2)
				make_random_bytes(f->arp_sha, 6);
			if (make_random() % 2)
				make_random_bytes(f->arp_tha, 6);
		} else if (is_ipv6) {
			f->tp_src &= 0x7f;
		}
		break;
	default:
		break;
	}
}

static void
random_ip(struct flow_fields *f, bool is_ipv6)
{
	static const uint8_t fragments[] = {0, 0, FLOW_FRAGMENT,
	                                    FLOW_FRAGMENT | FLOW_LATER};
	bool is_later;

	f->ip_tos = (uint8_t)make_random();
	f->ip_ttl = (uint8_t)make_random();
	f->ip_fragment = fragments[make_random() % ARRAY_SIZE(fragments)];
	is_later = f->ip_fragment & FLOW_LATER;
	make_random_bytes(f->ip_src, is_ipv6 ? 16 : 4);
	make_random_bytes(f->ip_dst, is_ipv6 ? 16 : 4);
	if (!is_later)
		random_l4(f, is_ipv6);
	else
		f->ip_proto = is_ipv6 ? NET_PROTO_FRAGMENT : (uint8_t)make_random();
	if (!is_ipv6)
		return;
	f->ipv6_label = make_random() & 0xfffff;
	f->ipv6_exthdr =
		(uint16_t)make_random() &
		(FLOW_EXTHDR_HOP | FLOW_EXTHDR_DESTINATION | FLOW_EXTHDR_ROUTING |
	         FLOW_EXTHDR_FRAGMENT | (is_later ? 0 : FLOW_EXTHDR_AUTH));
	if (f->ip_fragment)
		f->ipv6_exthdr |= FLOW_EXTHDR_FRAGMENT;
	if (f->ip_proto == 47 && make_random() % 2) {
		f->ip_proto = make_random() % 2 ? NET_PROTO_NONE : NET_PROTO_ESP;
		f->ipv6_exthdr |= f->ip_proto == NET_PROTO_NONE ? FLOW_EXTHDR_NONE
		                                                : FLOW_EXTHDR_ESP;
	}
}

/* A key that some frame has. */
void
make_random_key(struct flow_key *key)
{
	static const uint16_t types[] = {0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806, 0x8035,
	                                 0x8847, 0x8848, 0x88e7, 0x05ff, 0x1234, 0x8100};
	static const uint16_t tpids[] = {NET_TYPE_VLAN, NET_TYPE_QINQ};
	struct flow_fields *f = &key->f;

	memset(key, 0, sizeof(*key));
	make_random_bytes(f->eth_dst, 6);
	make_random_bytes(f->eth_src, 6);
	if (make_random() % 2) {
		f->vlan_tpid = tpids[make_random() % 2];
		f->vlan_tci = (uint16_t)make_random() | FLOW_VLAN_PRESENT;
		if (make_random() % 2) {
			f->vlan2_tpid = tpids[make_random() % 2];
			f->vlan2_tci = (uint16_t)make_random() | FLOW_VLAN_PRESENT;
		}
	}
	f->eth_type = types[make_random() % ARRAY_SIZE(types)];
	switch (f->eth_type) {
	case NET_TYPE_ARP:
	case NET_TYPE_RARP:
		f->tp_src = (uint16_t)make_random();
		make_random_bytes(f->arp_sha, 6);
		make_random_bytes(f->arp_tha, 6);
		make_random_bytes(f->ip_src, 4);
		make_random_bytes(f->ip_dst, 4);
		break;
	case NET_TYPE_IPV4:
	case NET_TYPE_IPV6:
		random_ip(f, f->eth_type == NET_TYPE_IPV6);
		break;
	case NET_TYPE_MPLS:
	case NET_TYPE_MPLS_MC:
		f->mpls_lse = (uint32_t)make_random();
		break;
	case NET_TYPE_PBB:
		f->pbb_isid =
			(make_random() & (FLOW_PBB_UCA | 0xffffff)) | FLOW_PBB_PRESENT;
		break;
	default:
		break;
	}
}

/* SCTP's, with the field itself as 0. */
static bool
sctp_sum_is_right(const uint8_t *l4, size_t n)
{
	uint8_t copy[LAYER_4_MAX];
	uint32_t crc;

	if (n < 12 || n > sizeof(copy))
		return false;
	memcpy(copy, l4, n);
	memset(copy + 8, 0, 4);
	crc = ~crc32c_add(UINT32_MAX, copy, n);
	for (int i = 0; i < 4; i++)
		if (l4[8 + i] != (crc >> 8 * i & 0xff))
			return false;
	return true;
}

static bool
l4_sum_is_right(const struct flow_fields *f, const uint8_t *ip, const uint8_t *l4,
                size_t n)
{
	bool is_ipv6 = f->eth_type == NET_TYPE_IPV6;
	uint64_t sum = 0;

	switch (f->ip_proto) {
	case NET_PROTO_SCTP:
		return sctp_sum_is_right(l4, n);
	case NET_PROTO_UDP:
		if ((size_t)(l4[4] << 8 | l4[5]) != n)
			return false;
		break;
	case NET_PROTO_TCP:
		break;
	case NET_PROTO_ICMP:
		if (is_ipv6)
			return true;
		break;
	case NET_PROTO_ICMPV6:
		if (!is_ipv6)
			return true;
		break;
	default:
		return true;
	}
	if (f->ip_proto != NET_PROTO_ICMP)
		sum = checksum_pseudo(ip, is_ipv6, f->ip_proto, n);
	return checksum_finish(checksum_add(sum, l4, n)) == 0;
}

bool
frame_has_right_sums(const struct flow_key *key, const uint8_t *frame, size_t n)
{
	const struct flow_fields *f = &key->f;
	const uint8_t *ip = frame + NET_ETH_BYTES + (f->vlan_tci ? NET_VLAN_BYTES : 0) +
	                    (f->vlan2_tci ? NET_VLAN_BYTES : 0);
	const uint8_t *l4;

	if (f->eth_type == NET_TYPE_IPV4) {
		if (checksum_finish(checksum_add(0, ip, NET_IPV4_BYTES)) != 0 ||
		    ip + (ip[2] << 8 | ip[3]) != frame + n)
			return false;
		l4 = ip + NET_IPV4_BYTES;
	} else if (f->eth_type == NET_TYPE_IPV6) {
		unsigned headers = f->ipv6_exthdr & ~(FLOW_EXTHDR_NONE | FLOW_EXTHDR_ESP);

		if (ip + NET_IPV6_BYTES + (ip[4] << 8 | ip[5]) != frame + n)
			return false;
		l4 = ip + NET_IPV6_BYTES + 8 * __builtin_popcount(headers);
	} else {
		return true;
	}
	return f->ip_fragment & FLOW_LATER ||
	       l4_sum_is_right(f, ip, l4, (size_t)(frame + n - l4));
}
