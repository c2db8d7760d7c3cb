/* rewrite_test.c - changes to frames: exact bytes, checksums against full sums, and
 * random changes of every field. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/checksum.h"
#include "net/crc32c.h"
#include "net/rewrite.h"

#define HEADROOM 128
#define ROUNDS   20000

struct frame {
	uint8_t memory[HEADROOM + 512];
	size_t length;
};

static const uint8_t MACS[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

static void
put(struct frame *frame, const void *data, size_t n)
{
	memcpy(frame->memory + HEADROOM + frame->length, data, n);
	frame->length += n;
}

#define PUT(FRAME, ...) \
	put(FRAME, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void
frame_begin(struct frame *frame)
{
	memset(frame, 0, sizeof(*frame));
	put(frame, MACS, sizeof(MACS));
}

static uint8_t *
frame_data(struct frame *frame)
{
	return frame->memory + HEADROOM;
}

static struct rewrite
rewrite_of(struct frame *frame)
{
	return (struct rewrite){.data = frame_data(frame),
	                        .captured = frame->length,
	                        .length = frame->length,
	                        .headroom = HEADROOM};
}

static struct flow_value
value_of(uint64_t number, size_t n_bytes)
{
	struct flow_value value = {{0}};

	for (size_t i = n_bytes; i-- > 0; number >>= 8)
		value.bytes[i] = (uint8_t)number;
	return value;
}

static int
set(struct rewrite *r, enum flow_field_id id, uint64_t number, size_t n_bytes)
{
	struct flow_value value = value_of(number, n_bytes);

	return rewrite_set_field(r, id, &value, NULL);
}

static void
put_ipv4(struct frame *frame, uint8_t proto, const void *l4, size_t n)
{
	uint8_t ip[20] = {0x45, 0xb8,  0, (uint8_t)(20 + n),
	                  0x12, 0x34,  0, 0,
	                  64,   proto, 0, 0,
	                  10,   0,     0, 1,
	                  10,   0,     0, 2};
	uint16_t sum = checksum_finish(checksum_add(0, ip, sizeof(ip)));

	memcpy(ip + 10, &sum, sizeof(sum));
	PUT(frame, 8, 0);
	put(frame, ip, sizeof(ip));
	put(frame, l4, n);
}

static void
put_ipv6(struct frame *frame, uint8_t proto, const void *l4, size_t n)
{
	uint8_t ip[40] = {0x6b, 0x81, 0x23, 0x45, 0, (uint8_t)n, proto, 64, 0xfd};

	ip[23] = 1;
	ip[24] = 0xfd;
	ip[39] = 2;
	PUT(frame, 0x86, 0xdd);
	put(frame, ip, sizeof(ip));
	put(frame, l4, n);
}

/* Offset of the checksum in layer 4; 0 = none. */
static size_t
sum_offset(uint8_t proto)
{
	switch (proto) {
	case 6:
		return 16;
	case 17:
		return 6;
	case 1:
	case 58:
		return 2;
	default:
		return 0;
	}
}

static uint64_t
l4_sum(const uint8_t *ip, const uint8_t *l4, size_t n, uint8_t proto)
{
	uint64_t sum = proto == 1 ? 0 : checksum_pseudo(ip, ip[0] >> 4 == 6, proto, n);

	return checksum_add(sum, l4, n);
}

static uint32_t
sctp_sum(const uint8_t *l4, size_t n)
{
	static const uint8_t zeros[4];
	uint32_t crc = crc32c_add(UINT32_MAX, l4, 8);

	crc = crc32c_add(crc, zeros, 4);
	return ~crc32c_add(crc, l4 + 12, n - 12);
}

/* Writes the checksum that the layer 4 of a frame needs. */
static void
complete(struct frame *frame, size_t ip_at, size_t l4_at, uint8_t proto)
{
	uint8_t *ip = frame_data(frame) + ip_at, *l4 = frame_data(frame) + l4_at;
	size_t n = frame->length - l4_at;

	if (proto == 132) {
		uint32_t crc = sctp_sum(l4, n);

		for (int i = 0; i < 4; i++, crc >>= 8)
			l4[8 + i] = (uint8_t)crc;
	} else if (sum_offset(proto)) {
		uint16_t sum;

		memset(l4 + sum_offset(proto), 0, 2);
		sum = checksum_finish(l4_sum(ip, l4, n, proto));
		memcpy(l4 + sum_offset(proto), &sum, 2);
	}
}

/* All checksums of an untagged IP frame whose layer 4 is at 'l4_at' are right. */
static void
assert_sums_are_right(const uint8_t *data, size_t length, size_t l4_at, uint8_t proto)
{
	const uint8_t *ip = data + 14, *l4 = data + l4_at;
	size_t n = length - l4_at;

	if (ip[0] >> 4 == 4)
		assert_int_equal(checksum_finish(checksum_add(0, ip, l4_at - 14)), 0);
	if (proto == 132) {
		uint32_t crc = sctp_sum(l4, n);

		for (int i = 0; i < 4; i++, crc >>= 8)
			assert_int_equal(l4[8 + i], (uint8_t)crc);
	} else if (sum_offset(proto)) {
		assert_int_equal(checksum_finish(l4_sum(ip, l4, n, proto)), 0);
	}
}

/* A frame of each kind, with some payload of odd length. */
static size_t
make_packet(struct frame *frame, bool is_ipv6, uint8_t proto)
{
	uint8_t l4[67];
	size_t at = is_ipv6 ? 54 : 34;

	for (size_t i = 0; i < sizeof(l4); i++)
		l4[i] = (uint8_t)rand();
	if (proto == 6)
		l4[12] = 0x50;
	if (proto == 58) {
		l4[0] = 135;
		memset(l4 + 24, 0x11, 16);
		l4[24] = 1;
		l4[25] = 1;
		l4[32] = 2;
		l4[33] = 1;
		memset(l4 + 40, 0, sizeof(l4) - 40);
	}
	frame_begin(frame);
	if (is_ipv6)
		put_ipv6(frame, proto, l4, proto == 58 ? 40 : sizeof(l4));
	else
		put_ipv4(frame, proto, l4, sizeof(l4));
	complete(frame, 14, at, proto);
	return at;
}

static void
test_vlan_tags_are_pushed_set_and_popped(void **state)
{
	struct frame frame;
	struct rewrite r;

	(void)state;
	frame_begin(&frame);
	PUT(&frame, 0x12, 0x34, 1, 2, 3, 4);
	r = rewrite_of(&frame);
	assert_int_equal(rewrite_pop_vlan(&r), -ENOENT);
	assert_int_equal(set(&r, FIELD_VLAN_VID, 0x1005, 2), -ENOENT);
	assert_int_equal(rewrite_push_vlan(&r, 0x8100), 0);
	assert_int_equal(set(&r, FIELD_VLAN_VID, 0x1064, 2), 0);
	assert_int_equal(set(&r, FIELD_VLAN_PCP, 5, 1), 0);
	assert_int_equal(rewrite_push_vlan(&r, 0x88a8), 0);
	assert_int_equal(r.length, frame.length + 8);
	assert_memory_equal(r.data, MACS, 12);
	assert_memory_equal(r.data + 12,
	                    ((uint8_t[]){0x88, 0xa8, 0xa0, 0x64, 0x81, 0, 0xa0, 0x64,
	                                 0x12, 0x34, 1, 2, 3, 4}),
	                    14);
	assert_int_equal(set(&r, FIELD_DL_VLAN, 7, 2), 0);
	assert_int_equal(rewrite_pop_vlan(&r), 0);
	assert_memory_equal(r.data + 12, ((uint8_t[]){0x81, 0, 0xa0, 0x64}), 4);
	assert_int_equal(rewrite_pop_vlan(&r), 0);
	assert_int_equal(r.headroom, HEADROOM);
	assert_int_equal(set(&r, FIELD_DL_VLAN_PCP, 3, 1), 0);
	assert_memory_equal(r.data + 12, ((uint8_t[]){0x81, 0, 0x60, 0, 0x12, 0x34}), 6);
	assert_int_equal(set(&r, FIELD_VLAN_TCI, 0x1fff, 2), 0);
	assert_memory_equal(r.data + 12, ((uint8_t[]){0x81, 0, 0x0f, 0xff}), 4);
	assert_int_equal(set(&r, FIELD_VLAN_TCI, 0, 2), 0);
	assert_memory_equal(r.data, frame_data(&frame), frame.length);
	assert_int_equal(r.length, frame.length);
	r.headroom = 3;
	assert_int_equal(rewrite_push_vlan(&r, 0x8100), -ENOBUFS);
}

static void
test_mpls_labels(void **state)
{
	struct frame frame;
	struct rewrite r;
	bool is_ipv6[] = {false, true};

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t at = make_packet(&frame, is_ipv6[i], 17);

		r = rewrite_of(&frame);
		assert_int_equal(rewrite_pop_mpls(&r, 0x0800), -ENOENT);
		assert_int_equal(rewrite_push_vlan(&r, 0x8100), 0);
		assert_int_equal(rewrite_push_mpls(&r, 0x8847), 0);
		/* Of IP it has the TTL alone. */
		assert_memory_equal(
			r.data + 12,
			((uint8_t[]){0x81, 0, 0, 0, 0x88, 0x47, 0, 0, 0x01, 64}), 10);
		assert_int_equal(set(&r, FIELD_MPLS_LABEL, 0x54321, 3), 0);
		assert_int_equal(set(&r, FIELD_MPLS_TC, 2, 1), 0);
		assert_int_equal(set(&r, FIELD_MPLS_TTL, 2, 1), 0);
		assert_int_equal(rewrite_push_mpls(&r, 0x8848), 0);
		assert_memory_equal(r.data + 16,
		                    ((uint8_t[]){0x88, 0x48, 0x54, 0x32, 0x14, 2, 0x54,
		                                 0x32, 0x15, 2}),
		                    10);
		assert_int_equal(rewrite_dec_mpls_ttl(&r), 0);
		assert_int_equal(rewrite_dec_mpls_ttl(&r), -ERANGE);
		assert_int_equal(rewrite_dec_ip_ttl(&r), -ENOENT);
		assert_int_equal(rewrite_copy_ttl_in(&r), 0);
		assert_int_equal(rewrite_pop_mpls(&r, 0x8847), 0);
		assert_int_equal(r.data[21], 1);
		assert_int_equal(rewrite_copy_ttl_out(&r), 0);
		assert_int_equal(r.data[21], 64);
		assert_int_equal(set(&r, FIELD_MPLS_TTL, 9, 1), 0);
		assert_int_equal(rewrite_copy_ttl_in(&r), 0);
		assert_int_equal(rewrite_pop_mpls(&r, is_ipv6[i] ? 0x86dd : 0x0800), 0);
		assert_int_equal(rewrite_pop_vlan(&r), 0);
		assert_int_equal(r.data[is_ipv6[i] ? 21 : 22], 9);
		assert_sums_are_right(r.data, r.length, at, 17);
		for (int k = 9; k > 1; k--)
			assert_int_equal(rewrite_dec_ip_ttl(&r), 0);
		assert_int_equal(rewrite_dec_ip_ttl(&r), -ERANGE);
		assert_sums_are_right(r.data, r.length, at, 17);
	}
}

/* Not even a checksum is written in its other form, 0 for 0xffff. */
static void
test_the_same_value_changes_nothing(void **state)
{
	struct frame frame;
	struct rewrite r;
	size_t at = make_packet(&frame, false, 6);
	uint8_t *l4 = frame_data(&frame) + at;
	struct frame before;

	(void)state;
	memset(l4 + 16, 0xff, 2);
	before = frame;
	r = rewrite_of(&frame);
	assert_int_equal(set(&r, FIELD_TCP_DST, (uint64_t)l4[2] << 8 | l4[3], 2), 0);
	assert_memory_equal(r.data, frame_data(&before), before.length);
}

/* Labels stand behind the header that has the type, and the length goes along. */
static void
test_snap(void **state)
{
	static const uint8_t snap[] = {0xaa, 0xaa, 3, 0, 0, 0, 8, 0};
	struct frame plain, frame;
	struct rewrite r;

	(void)state;
	make_packet(&plain, false, 17);
	for (unsigned n_tags = 0; n_tags < 3; n_tags++) {
		const size_t n = plain.length - 14;
		const size_t at = 12 + 4 * n_tags;

		frame_begin(&frame);
		PUT(&frame, 0, (uint8_t)(sizeof(snap) + n));
		put(&frame, snap, sizeof(snap));
		put(&frame, frame_data(&plain) + 14, n);
		r = rewrite_of(&frame);
		for (unsigned i = 0; i < n_tags; i++)
			assert_int_equal(rewrite_push_vlan(&r, 0x8100), 0);
		assert_int_equal(rewrite_push_mpls(&r, 0x8847), 0);
		assert_int_equal(rewrite_push_mpls(&r, 0x8847), 0);
		assert_int_equal(set(&r, FIELD_MPLS_LABEL, 5, 3), 0);
		assert_memory_equal(
			r.data + at,
			((uint8_t[]){0, (uint8_t)(sizeof(snap) + n + 8), 0xaa, 0xaa, 3, 0,
		                     0, 0, 0x88, 0x47, 0, 0, 0x50, 64, 0, 0, 1, 64}),
			18);
		assert_int_equal(rewrite_pop_mpls(&r, 0x8847), 0);
		assert_int_equal(rewrite_pop_mpls(&r, 0x0800), 0);
		while (rewrite_pop_vlan(&r) == 0)
			continue;
		assert_int_equal(r.length, frame.length);
		assert_memory_equal(r.data + 12, frame_data(&frame) + 12,
		                    frame.length - 12);
	}
	/* Its length must not become a type. */
	frame_data(&frame)[12] = 5;
	frame_data(&frame)[13] = 0xfc;
	r = rewrite_of(&frame);
	assert_int_equal(rewrite_push_mpls(&r, 0x8847), -ENOENT);
	assert_memory_equal(r.data, frame_data(&frame), frame.length);
}

static void
test_pbb(void **state)
{
	struct frame frame;
	struct rewrite r;

	(void)state;
	frame_begin(&frame);
	PUT(&frame, 0x81, 0, 0x60, 0x05, 0x12, 0x34, 9, 9);
	r = rewrite_of(&frame);
	assert_int_equal(rewrite_push_pbb(&r, 0x88e7), 0);
	assert_int_equal(r.length, frame.length + 18);
	assert_int_equal(set(&r, FIELD_PBB_ISID, 0xabcdef, 3), 0);
	assert_int_equal(set(&r, FIELD_PBB_UCA, 1, 1), 0);
	assert_int_equal(set(&r, FIELD_ETH_DST, 0x0a0b0c0d0e0fULL, 6), 0);
	assert_memory_equal(r.data,
	                    ((uint8_t[]){0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 2, 0, 0, 0, 0, 2,
	                                 0x88, 0xe7, 0x68, 0xab, 0xcd, 0xef}),
	                    18);
	assert_int_equal(rewrite_pop_pbb(&r), 0);
	assert_memory_equal(r.data, frame_data(&frame), frame.length);
	assert_int_equal(rewrite_pop_pbb(&r), -ENOENT);
}

static void
test_arp_and_types(void **state)
{
	static const uint8_t arp[28] = {0, 1, 8, 0, 6, 4, 0, 1};
	static const uint8_t want[28] = {0, 1, 8, 0, 6, 4, 0, 2, 1, 2, 3,  4,  5,  6,
	                                 9, 8, 7, 6, 6, 5, 4, 3, 2, 1, 10, 11, 12, 13};
	struct frame frame;
	struct rewrite r;

	(void)state;
	frame_begin(&frame);
	PUT(&frame, 8, 6);
	put(&frame, arp, sizeof(arp));
	r = rewrite_of(&frame);
	assert_int_equal(set(&r, FIELD_ARP_OP, 2, 2), 0);
	assert_int_equal(set(&r, FIELD_ARP_SHA, 0x010203040506, 6), 0);
	assert_int_equal(set(&r, FIELD_ARP_SPA, 0x09080706, 4), 0);
	assert_int_equal(set(&r, FIELD_ARP_THA, 0x060504030201, 6), 0);
	assert_int_equal(set(&r, FIELD_ARP_TPA, 0x0a0b0c0d, 4), 0);
	assert_memory_equal(r.data + 14, want, sizeof(want));
	assert_int_equal(set(&r, FIELD_IPV4_SRC, 1, 4), -ENOENT);
	assert_int_equal(set(&r, FIELD_ETH_TYPE, 0x1234, 2), 0);
	assert_int_equal(set(&r, FIELD_ARP_OP, 1, 2), -ENOENT);
	assert_int_equal(set(&r, FIELD_REG0, 1, 4), -ENOENT);
	assert_int_equal(set(&r, FIELD_N, 1, 4), -ENOENT);
}

struct settable {
	enum flow_field_id id;
	uint8_t proto; /* 0 = any */
	uint8_t version, n_bytes;
};

static const struct settable settable[] = {
	{FIELD_ETH_SRC, 0, 0, 6},      {FIELD_ETH_DST, 0, 0, 6},
	{FIELD_IPV4_SRC, 0, 4, 4},     {FIELD_IPV4_DST, 0, 4, 4},
	{FIELD_IPV6_SRC, 0, 6, 16},    {FIELD_IPV6_DST, 0, 6, 16},
	{FIELD_IPV6_LABEL, 0, 6, 3},   {FIELD_IP_DSCP, 0, 0, 1},
	{FIELD_IP_ECN, 0, 0, 1},       {FIELD_IP_DSCP_SHIFTED, 0, 0, 1},
	{FIELD_IP_TTL, 0, 0, 1},       {FIELD_TCP_SRC, 6, 0, 2},
	{FIELD_TCP_DST, 6, 0, 2},      {FIELD_TCP_FLAGS, 6, 0, 2},
	{FIELD_UDP_SRC, 17, 0, 2},     {FIELD_UDP_DST, 17, 0, 2},
	{FIELD_SCTP_SRC, 132, 0, 2},   {FIELD_SCTP_DST, 132, 0, 2},
	{FIELD_ICMPV4_TYPE, 1, 4, 1},  {FIELD_ICMPV4_CODE, 1, 4, 1},
	{FIELD_ICMPV6_CODE, 58, 6, 1}, {FIELD_ND_TARGET, 58, 6, 16},
	{FIELD_ND_SLL, 58, 6, 6},      {FIELD_ND_TLL, 58, 6, 6},
	{FIELD_ND_RESERVED, 58, 6, 4},
};

/* Sets a random field that the packet has, and compares bit by bit what changed. */
static void
change_at_random(struct frame *frame, size_t l4_at, bool is_ipv6, uint8_t proto)
{
	const struct settable *s = &settable[(size_t)rand() % 25];
	bool fits = (!s->proto || s->proto == proto) &&
	            (!s->version || (s->version == 6) == is_ipv6);
	struct rewrite r = rewrite_of(frame);
	struct flow_value value, mask;
	struct flow_key before, after;

	for (size_t i = 0; i < FLOW_FIELD_BYTES_MAX; i++) {
		value.bytes[i] = (uint8_t)rand();
		mask.bytes[i] = (uint8_t)(rand() % 3 ? 0xff : rand());
	}
	flow_parse(frame_data(frame), frame->length, frame->length, &before);
	assert_int_equal(rewrite_set_field(&r, s->id, &value, &mask), fits ? 0 : -ENOENT);
	assert_sums_are_right(r.data, r.length, l4_at, proto);
	flow_parse(frame_data(frame), frame->length, frame->length, &after);
	assert_int_equal(before.f.ip_proto, after.f.ip_proto);
	if (s->id == FIELD_IPV4_SRC && fits)
		for (int i = 0; i < 4; i++)
			assert_int_equal(after.f.ip_src[i],
			                 (before.f.ip_src[i] & ~mask.bytes[i]) |
			                         (value.bytes[i] & mask.bytes[i]));
	if (s->id == FIELD_TCP_FLAGS && fits && mask.bytes[0] == 0xff &&
	    mask.bytes[1] == 0xff)
		assert_int_equal(after.f.tcp_flags,
		                 (value.bytes[0] & 0xf) << 8 | value.bytes[1]);
	if (s->id == FIELD_IP_ECN && fits)
		assert_int_equal(after.f.ip_tos & 0xfc, before.f.ip_tos & 0xfc);
	if (s->id == FIELD_IP_DSCP && fits)
		assert_int_equal(after.f.ip_tos & 3, before.f.ip_tos & 3);
}

static void
test_checksums_stay_right(void **state)
{
	static const uint8_t protos[] = {6, 17, 132, 1, 58, 47};
	struct frame frame;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t proto = protos[(size_t)rand() % sizeof(protos)];
		bool is_ipv6 = proto == 58 || (proto != 1 && rand() % 2);
		size_t l4_at = make_packet(&frame, is_ipv6, proto);

		for (int k = 0; k < 4; k++)
			change_at_random(&frame, l4_at, is_ipv6, proto);
	}
}

static void
test_udp_without_checksum_stays_so(void **state)
{
	struct frame frame;
	struct rewrite r;

	(void)state;
	make_packet(&frame, false, 17);
	memset(frame_data(&frame) + 40, 0, 2);
	r = rewrite_of(&frame);
	assert_int_equal(set(&r, FIELD_UDP_DST, 99, 2), 0);
	assert_int_equal(set(&r, FIELD_IPV4_DST, 0x01020304, 4), 0);
	assert_memory_equal(r.data + 40, ((uint8_t[]){0, 0}), 2);
	/* A sum that comes out as 0 is sent as 0xffff. */
	make_packet(&frame, false, 17);
	r = rewrite_of(&frame);
	for (unsigned port = 0; port < 65536; port++) {
		assert_int_equal(set(&r, FIELD_UDP_DST, port, 2), 0);
		assert_true(r.data[40] || r.data[41]);
	}
}

static void
test_pending_checksums_are_left_alone(void **state)
{
	struct frame frame;
	struct rewrite r;
	uint8_t sum[2];

	(void)state;
	make_packet(&frame, false, 6);
	r = rewrite_of(&frame);
	r.checksum_is_pending = true;
	memcpy(sum, r.data + 50, 2);
	assert_int_equal(set(&r, FIELD_TCP_DST, 99, 2), 0);
	assert_int_equal(set(&r, FIELD_IPV4_SRC, 99, 4), 0);
	assert_memory_equal(r.data + 50, sum, 2);
	assert_int_equal(checksum_finish(checksum_add(0, r.data + 14, 20)), 0);
}

/* Neither the ports of a later fragment nor what is past the packet's end is touched. */
static void
test_fragments_and_short_packets(void **state)
{
	struct frame frame;
	struct rewrite r;

	(void)state;
	make_packet(&frame, false, 17);
	frame_data(&frame)[20] = 0;
	frame_data(&frame)[21] = 1;
	r = rewrite_of(&frame);
	assert_int_equal(set(&r, FIELD_UDP_DST, 1, 2), -ENOENT);
	assert_int_equal(set(&r, FIELD_IPV4_DST, 1, 4), 0);
	make_packet(&frame, false, 17);
	frame_data(&frame)[17] = 27;
	r = rewrite_of(&frame);
	assert_int_equal(set(&r, FIELD_UDP_DST, 1, 2), -ENOENT);
	for (size_t n = 0; n < 54; n++) {
		make_packet(&frame, true, 6);
		r = rewrite_of(&frame);
		r.captured = n;
		assert_int_equal(set(&r, FIELD_IPV6_DST, 1, 16), -ENOENT);
	}
	r.captured = 60;
	r.is_scanned = false;
	assert_int_equal(set(&r, FIELD_IPV6_DST, 1, 16), 0);
	assert_int_equal(set(&r, FIELD_TCP_DST, 1, 2), -ENOENT);
}

/* The last destination is in the routing header: the checksum is of that. */
static void
test_routing_header(void **state)
{
	uint8_t rest[24 + 20] = {6, 2, 0, 1};
	struct frame frame;
	struct rewrite r;
	uint8_t sum[2];

	(void)state;
	rest[24 + 12] = 0x50;
	frame_begin(&frame);
	put_ipv6(&frame, 43, rest, sizeof(rest));
	r = rewrite_of(&frame);
	memcpy(sum, r.data + 78 + 16, 2);
	assert_int_equal(set(&r, FIELD_IPV6_DST, 77, 16), 0);
	assert_memory_equal(r.data + 78 + 16, sum, 2);
	assert_int_equal(set(&r, FIELD_IPV6_SRC, 77, 16), 0);
	assert_memory_not_equal(r.data + 78 + 16, sum, 2);
	assert_int_equal(set(&r, FIELD_IP_PROTO, 17, 1), -ENOENT);
}

static void
test_crc32c(void **state)
{
	uint8_t zeros[32] = {0};

	(void)state;
	/* RFC 7143, A.4. */
	assert_int_equal(~crc32c_add(UINT32_MAX, zeros, 32), 0x8a9136aa);
	assert_int_equal(~crc32c_add(UINT32_MAX, "123456789", 9), 0xe3069283);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vlan_tags_are_pushed_set_and_popped),
		cmocka_unit_test(test_mpls_labels),
		cmocka_unit_test(test_the_same_value_changes_nothing),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_pbb),
		cmocka_unit_test(test_arp_and_types),
		cmocka_unit_test(test_checksums_stay_right),
		cmocka_unit_test(test_udp_without_checksum_stays_so),
		cmocka_unit_test(test_pending_checksums_are_left_alone),
		cmocka_unit_test(test_fragments_and_short_packets),
		cmocka_unit_test(test_routing_header),
		cmocka_unit_test(test_crc32c),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
