/* flow_compose_test.c - lib/net/flow_parse.c and flow_compose.c: what is composed from a
 * key is read as that key, with the checksums that a receiver wants; frames made by hand
 * where the two could be wrong alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/checksum.h"
#include "net/crc32c.h"
#include "net/flow_compose.h"
#include "net/protocol.h"

#define ROUNDS 100000

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

static uint64_t
random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void
fill_random(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)(random_u64() >> 32);
}

static void
random_l4(struct flow_fields *f, bool is_ipv6)
{
	static const uint8_t protos[] = {6, 17, 132, 1, 58, 47};

	f->ip_proto = protos[random_u64() % ARRAY_SIZE(protos)];
	switch (f->ip_proto) {
	case NET_PROTO_TCP:
		f->tcp_flags = random_u64() & 0xfff;
		f->tp_src = (uint16_t)random_u64();
		f->tp_dst = (uint16_t)random_u64();
		break;
	case NET_PROTO_UDP:
	case NET_PROTO_SCTP:
		f->tp_src = (uint16_t)random_u64();
		f->tp_dst = (uint16_t)random_u64();
		break;
	case NET_PROTO_ICMP:
	case NET_PROTO_ICMPV6:
		if (is_ipv6 != (f->ip_proto == NET_PROTO_ICMPV6))
			break;
		f->tp_src = (uint8_t)random_u64();
		f->tp_dst = (uint8_t)random_u64();
		if (is_ipv6 && random_u64() % 2) {
			f->tp_src = NET_ND_SOLICIT + random_u64() % 2;
			f->nd_reserved = (uint32_t)random_u64();
			fill_random(f->nd_target, 16);
			if (random_u64() % 2)
				fill_random(f->arp_sha, 6);
			if (random_u64() % 2)
				fill_random(f->arp_tha, 6);
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

	f->ip_tos = (uint8_t)random_u64();
	f->ip_ttl = (uint8_t)random_u64();
	f->ip_fragment = fragments[random_u64() % ARRAY_SIZE(fragments)];
	is_later = f->ip_fragment & FLOW_LATER;
	fill_random(f->ip_src, is_ipv6 ? 16 : 4);
	fill_random(f->ip_dst, is_ipv6 ? 16 : 4);
	if (!is_later)
		random_l4(f, is_ipv6);
	else
		f->ip_proto = is_ipv6 ? NET_PROTO_FRAGMENT : (uint8_t)random_u64();
	if (!is_ipv6)
		return;
	f->ipv6_label = random_u64() & 0xfffff;
	f->ipv6_exthdr =
		(uint16_t)random_u64() &
		(FLOW_EXTHDR_HOP | FLOW_EXTHDR_DESTINATION | FLOW_EXTHDR_ROUTING |
	         FLOW_EXTHDR_FRAGMENT | (is_later ? 0 : FLOW_EXTHDR_AUTH));
	if (f->ip_fragment)
		f->ipv6_exthdr |= FLOW_EXTHDR_FRAGMENT;
	if (f->ip_proto == 47 && random_u64() % 2) {
		f->ip_proto = random_u64() % 2 ? NET_PROTO_NONE : NET_PROTO_ESP;
		f->ipv6_exthdr |= f->ip_proto == NET_PROTO_NONE ? FLOW_EXTHDR_NONE
		                                                : FLOW_EXTHDR_ESP;
	}
}

/* A key that some frame has. */
static void
random_key(struct flow_key *key)
{
	static const uint16_t types[] = {0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806, 0x8035,
	                                 0x8847, 0x8848, 0x88e7, 0x05ff, 0x1234, 0x8100};
	static const uint16_t tpids[] = {NET_TYPE_VLAN, NET_TYPE_QINQ};
	struct flow_fields *f = &key->f;

	memset(key, 0, sizeof(*key));
	fill_random(f->eth_dst, 6);
	fill_random(f->eth_src, 6);
	if (random_u64() % 2) {
		f->vlan_tpid = tpids[random_u64() % 2];
		f->vlan_tci = (uint16_t)random_u64() | FLOW_VLAN_PRESENT;
		if (random_u64() % 2) {
			f->vlan2_tpid = tpids[random_u64() % 2];
			f->vlan2_tci = (uint16_t)random_u64() | FLOW_VLAN_PRESENT;
		}
	}
	f->eth_type = types[random_u64() % ARRAY_SIZE(types)];
	switch (f->eth_type) {
	case NET_TYPE_ARP:
	case NET_TYPE_RARP:
		f->tp_src = (uint16_t)random_u64();
		fill_random(f->arp_sha, 6);
		fill_random(f->arp_tha, 6);
		fill_random(f->ip_src, 4);
		fill_random(f->ip_dst, 4);
		break;
	case NET_TYPE_IPV4:
	case NET_TYPE_IPV6:
		random_ip(f, f->eth_type == NET_TYPE_IPV6);
		break;
	case NET_TYPE_MPLS:
	case NET_TYPE_MPLS_MC:
		f->mpls_lse = (uint32_t)random_u64();
		break;
	case NET_TYPE_PBB:
		f->pbb_isid =
			(random_u64() & (FLOW_PBB_UCA | 0xffffff)) | FLOW_PBB_PRESENT;
		break;
	default:
		break;
	}
}

/* What a receiver's sum of layer 4 must come to; 'l4' is the rest of the frame. */
static void
assert_l4_sum(const struct flow_fields *f, const uint8_t *ip, const uint8_t *l4, size_t n)
{
	bool is_ipv6 = f->eth_type == NET_TYPE_IPV6;
	uint64_t sum = 0;
	uint32_t crc;

	switch (f->ip_proto) {
	case NET_PROTO_SCTP: {
		uint8_t copy[2048];

		memcpy(copy, l4, n);
		memset(copy + 8, 0, 4);
		crc = ~crc32c_add(UINT32_MAX, copy, n);
		for (int i = 0; i < 4; i++)
			assert_int_equal(l4[8 + i], crc >> 8 * i & 0xff);
		return;
	}
	case NET_PROTO_UDP:
		assert_int_equal(l4[4] << 8 | l4[5], n);
		break;
	case NET_PROTO_TCP:
		break;
	case NET_PROTO_ICMP:
		if (is_ipv6)
			return;
		break;
	case NET_PROTO_ICMPV6:
		if (!is_ipv6)
			return;
		break;
	default:
		return;
	}
	if (f->ip_proto != NET_PROTO_ICMP)
		sum = checksum_pseudo(ip, is_ipv6, f->ip_proto, n);
	assert_int_equal(checksum_finish(checksum_add(sum, l4, n)), 0);
}

static void
assert_sums(const struct flow_fields *f, const uint8_t *frame, size_t n)
{
	const uint8_t *ip =
		frame + NET_ETH_BYTES + (f->vlan_tci ? 4 : 0) + (f->vlan2_tci ? 4 : 0);
	const uint8_t *l4;

	if (f->eth_type == NET_TYPE_IPV4) {
		assert_int_equal(checksum_finish(checksum_add(0, ip, 20)), 0);
		assert_int_equal(ip + (ip[2] << 8 | ip[3]) - frame, n);
		l4 = ip + NET_IPV4_BYTES;
	} else if (f->eth_type == NET_TYPE_IPV6) {
		uint16_t headers = f->ipv6_exthdr & ~(FLOW_EXTHDR_NONE | FLOW_EXTHDR_ESP);

		l4 = ip + NET_IPV6_BYTES + 8 * __builtin_popcount(headers);
		assert_int_equal(ip + NET_IPV6_BYTES + (ip[4] << 8 | ip[5]) - frame, n);
	} else {
		return;
	}
	if (!(f->ip_fragment & FLOW_LATER))
		assert_l4_sum(f, ip, l4, (size_t)(frame + n - l4));
}

static void
test_composed_is_read_as_the_same(void **state)
{
	uint8_t payload[100], frame[512];

	(void)state;
	fill_random(payload, sizeof(payload));
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t payload_bytes = random_u64() % sizeof(payload), n;
		struct flow_key key, again;

		random_key(&key);
		n = flow_compose(&key, payload, payload_bytes, frame, sizeof(frame));
		assert_in_range(n, 1, FLOW_COMPOSE_HEADERS_MAX + payload_bytes);
		assert_int_not_equal(flow_parse(frame, n, n, &again), FLOW_MALFORMED);
		if (memcmp(&key, &again, sizeof(key)) != 0)
			fail_msg("round %u: type %04x, protocol %u", round,
			         key.f.eth_type, key.f.ip_proto);
		assert_sums(&key.f, frame, n);
		/* No byte less is enough. */
		assert_int_equal(flow_compose(&key, payload, payload_bytes, frame, n - 1),
		                 0);
		assert_int_equal(flow_compose(&key, payload, payload_bytes, frame, n), n);
	}
}

/* Keys that no frame has, buffers of any size: for the sanitizers. */
static void
test_any_key_stays_in_bounds(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t size = random_u64() % 260, n;
		uint8_t *frame = malloc(size + 1), payload[40] = {0};
		struct flow_key key, plausible;

		fill_random(&key, sizeof(key));
		random_key(&plausible);
		key.f.eth_type = plausible.f.eth_type;
		if (random_u64() % 2)
			key.f.ip_proto = plausible.f.ip_proto;
		n = flow_compose(&key, payload, random_u64() % sizeof(payload), frame,
		                 size);
		assert_true(n <= size);
		flow_parse(frame, n, n, &plausible);
		free(frame);
	}
	assert_int_equal(flow_compose(&(struct flow_key){0}, NULL, SIZE_MAX, NULL, 0), 0);
}

#define MACS 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1

static enum flow_type
read_frame(const uint8_t *frame, size_t n, struct flow_key *key)
{
	uint8_t *copy = malloc(n);
	enum flow_type type;

	memcpy(copy, frame, n);
	type = flow_parse(copy, n, n, key);
	free(copy);
	return type;
}

static void
test_types_behind_tags(void **state)
{
	static const uint8_t three_tags[] = {MACS, 0x88, 0xa8, 0x60, 5, 0x81, 0, 0,
	                                     6,    0x81, 0,    0,    7, 8,    0};
	static const uint8_t llc[] = {MACS, 0, 4, 0x42, 0x42, 3, 0};
	static const uint8_t other_snap[] = {MACS, 0, 8,   0xaa, 0xaa, 3,
	                                     0,    0, 0xc, 0x20, 0};
	static const uint8_t snap[] = {MACS, 0x81, 0, 0, 5, 0,    8,   0xaa,
	                               0xaa, 3,    0, 0, 0, 0x12, 0x34};
	static const uint8_t pbb[] = {MACS, 0x88, 0xe7, 8, 0xab, 0xcd, 0xef, MACS, 8, 0};
	struct flow_key key;

	(void)state;
	assert_int_equal(read_frame(three_tags, sizeof(three_tags), &key), FLOW_OTHER);
	assert_int_equal(key.f.vlan_tpid, 0x88a8);
	assert_int_equal(key.f.vlan_tci, 0x7005);
	assert_int_equal(key.f.vlan2_tpid, 0x8100);
	assert_int_equal(key.f.vlan2_tci, 0x1006);
	assert_int_equal(key.f.eth_type, 0x8100);
	for (size_t n = 0; n < 22; n++)
		assert_int_equal(read_frame(three_tags, n, &key), FLOW_MALFORMED);
	assert_int_equal(read_frame(llc, sizeof(llc), &key), FLOW_OTHER);
	assert_int_equal(key.f.eth_type, FLOW_TYPE_NONE);
	assert_int_equal(read_frame(other_snap, sizeof(other_snap), &key), FLOW_OTHER);
	assert_int_equal(key.f.eth_type, FLOW_TYPE_NONE);
	assert_int_equal(read_frame(snap, sizeof(snap), &key), FLOW_OTHER);
	assert_int_equal(key.f.eth_type, 0x1234);
	assert_int_equal(key.f.vlan_tci, 0x1005);
	assert_int_equal(read_frame(pbb, sizeof(pbb), &key), FLOW_OTHER);
	assert_int_equal(key.f.eth_type, 0x88e7);
	assert_int_equal(key.f.pbb_isid, 0x81abcdef);
	assert_int_equal(read_frame(pbb, sizeof(pbb) - 1, &key), FLOW_MALFORMED);
}

/* An IPv6 packet with these extension headers before "no next header". */
static uint16_t
exthdr_of(const uint8_t *headers, size_t n)
{
	uint8_t frame[NET_ETH_BYTES + NET_IPV6_BYTES + 8 * 8] = {MACS, 0x86, 0xdd, 0x60};
	size_t next_at = NET_ETH_BYTES + 6, end = NET_ETH_BYTES + NET_IPV6_BYTES;
	struct flow_key key;

	frame[NET_ETH_BYTES + 5] = (uint8_t)(8 * n);
	for (size_t i = 0; i < n; i++, next_at = end, end += 8)
		frame[next_at] = headers[i];
	frame[next_at] = NET_PROTO_NONE;
	assert_int_equal(read_frame(frame, end, &key), FLOW_IPV6);
	assert_int_equal(key.f.ip_proto, NET_PROTO_NONE);
	assert_true(key.f.ipv6_exthdr & FLOW_EXTHDR_NONE);
	return key.f.ipv6_exthdr & ~FLOW_EXTHDR_NONE;
}

#define EXTHDR_OF(...) \
	exthdr_of((uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void
test_extension_headers(void **state)
{
	const uint8_t hop = NET_PROTO_HOP_BY_HOP, options = NET_PROTO_DESTINATION,
		      routing = NET_PROTO_ROUTING, fragment = NET_PROTO_FRAGMENT,
		      auth = NET_PROTO_AUTH;

	(void)state;
	assert_int_equal(exthdr_of(NULL, 0), 0);
	assert_int_equal(EXTHDR_OF(hop, options, routing, fragment, auth, options),
	                 FLOW_EXTHDR_HOP | FLOW_EXTHDR_DESTINATION | FLOW_EXTHDR_ROUTING |
	                         FLOW_EXTHDR_FRAGMENT | FLOW_EXTHDR_AUTH);
	assert_int_equal(EXTHDR_OF(options, hop), FLOW_EXTHDR_HOP |
	                                                  FLOW_EXTHDR_DESTINATION |
	                                                  FLOW_EXTHDR_DISORDER);
	assert_int_equal(EXTHDR_OF(fragment, routing), FLOW_EXTHDR_FRAGMENT |
	                                                       FLOW_EXTHDR_ROUTING |
	                                                       FLOW_EXTHDR_DISORDER);
	assert_int_equal(EXTHDR_OF(routing, options, auth),
	                 FLOW_EXTHDR_ROUTING | FLOW_EXTHDR_DESTINATION |
	                         FLOW_EXTHDR_AUTH | FLOW_EXTHDR_DISORDER);
	assert_int_equal(EXTHDR_OF(routing, routing),
	                 FLOW_EXTHDR_ROUTING | FLOW_EXTHDR_REPEATED);
	assert_int_equal(EXTHDR_OF(options, options), FLOW_EXTHDR_DESTINATION);
	assert_int_equal(EXTHDR_OF(options, options, options),
	                 FLOW_EXTHDR_DESTINATION | FLOW_EXTHDR_REPEATED);
}

static void
test_headers_that_are_cut_short(void **state)
{
	static const uint16_t types[] = {NET_TYPE_MPLS, NET_TYPE_ARP, NET_TYPE_RARP,
	                                 NET_TYPE_IPV6, NET_TYPE_PBB};
	uint8_t frame[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		struct flow_key key = {.f = {.eth_type = types[i],
		                             .mpls_lse = 0x100,
		                             .ip_proto = NET_PROTO_ICMPV6,
		                             .tp_src = NET_ND_SOLICIT,
		                             .arp_sha = {2},
		                             .ipv6_exthdr = FLOW_EXTHDR_AUTH}};
		struct flow_key again;
		size_t n = flow_compose(&key, NULL, 0, frame, sizeof(frame));

		assert_int_not_equal(flow_parse(frame, n, n, &again), FLOW_MALFORMED);
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(read_frame(frame, cut, &again), FLOW_MALFORMED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_composed_is_read_as_the_same),
		cmocka_unit_test(test_any_key_stays_in_bounds),
		cmocka_unit_test(test_types_behind_tags),
		cmocka_unit_test(test_extension_headers),
		cmocka_unit_test(test_headers_that_are_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
