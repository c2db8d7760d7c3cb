/* flow_compose_test.c - lib/net/flow_parse.c and flow_compose.c: what is composed from a
 * key is read as that key, with the checksums that a receiver wants; frames made by hand
 * where the two could be wrong alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/flow_compose.h"
#include "net/protocol.h"
#include "support/make_frame.h"

#define ROUNDS 100000

static void
test_composed_is_read_as_the_same(void **state)
{
	uint8_t payload[100], frame[512];

	(void)state;
	make_random_bytes(payload, sizeof(payload));
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t payload_bytes = make_random() % sizeof(payload), n;
		struct flow_key key, again;

		make_random_key(&key);
		n = flow_compose(&key, payload, payload_bytes, frame, sizeof(frame));
		assert_in_range(n, 1, FLOW_COMPOSE_HEADERS_MAX + payload_bytes);
		assert_int_not_equal(flow_parse(frame, n, n, &again), FLOW_MALFORMED);
		if (memcmp(&key, &again, sizeof(key)) != 0)
			fail_msg("round %u: type %04x, protocol %u", round,
			         key.f.eth_type, key.f.ip_proto);
		assert_true(frame_has_right_sums(&key, frame, n));
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
		size_t size = make_random() % 260, n;
		uint8_t *frame = malloc(size + 1), payload[40] = {0};
		struct flow_key key, plausible;

		make_random_bytes(&key, sizeof(key));
		make_random_key(&plausible);
		key.f.eth_type = plausible.f.eth_type;
		if (make_random() % 2)
			key.f.ip_proto = plausible.f.ip_proto;
		n = flow_compose(&key, payload, make_random() % sizeof(payload), frame,
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

/* Which of them counts is not the same for every receiver. */
static void
test_link_layer_options_that_come_again(void **state)
{
	static const uint8_t target[16] = {0xfd, 1}, none[16], mac[6] = {2, 1};
	static const uint8_t options[2][8] = {{1, 1, 2, 1}, {1, 1, 2, 9}};

	(void)state;
	for (unsigned n_options = 1; n_options <= 2; n_options++) {
		uint8_t frame[14 + 40 + 24 + sizeof(options)] = {0};
		struct flow_key key;
		size_t options_bytes = n_options * sizeof(options[0]);

		frame[12] = 0x86;
		frame[13] = 0xdd;
		frame[14] = 0x60;
		frame[14 + 5] = (uint8_t)(24 + options_bytes);
		frame[14 + 6] = NET_PROTO_ICMPV6;
		frame[14 + 40] = NET_ND_SOLICIT;
		memcpy(frame + 14 + 40 + 8, target, sizeof(target));
		memcpy(frame + 14 + 40 + 24, options, options_bytes);
		assert_int_equal(read_frame(frame, 14 + 40 + 24 + options_bytes, &key),
		                 FLOW_IPV6_ICMP);
		assert_int_equal(key.f.tp_src, NET_ND_SOLICIT);
		assert_memory_equal(key.f.nd_target, n_options == 1 ? target : none, 16);
		assert_memory_equal(key.f.arp_sha, n_options == 1 ? mac : none, 6);
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
		cmocka_unit_test(test_link_layer_options_that_come_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
