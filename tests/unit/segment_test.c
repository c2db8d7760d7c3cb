/* segment_test.c - lib/net: checksums, and segmentation in software put together again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/checksum.h"
#include "net/segment.h"

#define HEADERS_V4 54
#define HEADERS_V6 74

static uint8_t frame[66000];

/* A TCP frame with 'payload' bytes, FIN, PSH and CWR set. */
static size_t
make_tcp(bool is_ipv6, size_t payload)
{
	uint8_t *ip = frame + 14, *tcp = ip + (is_ipv6 ? 40 : 20);
	size_t length = (is_ipv6 ? HEADERS_V6 : HEADERS_V4) + payload;

	memset(frame, 0, sizeof(frame));
	frame[12] = is_ipv6 ? 0x86 : 0x08;
	frame[13] = is_ipv6 ? 0xdd : 0x00;
	ip[0] = is_ipv6 ? 0x60 : 0x45;
	ip[is_ipv6 ? 6 : 9] = 6;
	for (int i = 0; i < 32; i++)
		if (is_ipv6)
			ip[8 + i] = (uint8_t)(i * 7);
	if (!is_ipv6)
		memcpy(ip + 12, ((uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}), 8);
	tcp[4] = 0xff; /* sequence number wraps on the way */
	tcp[5] = 0xff;
	tcp[6] = 0xf0;
	tcp[12] = 0x50;
	tcp[13] = 0x99;
	for (size_t i = 0; i < payload; i++)
		frame[length - payload + i] = (uint8_t)(i * 31 + i / 251);
	return length;
}

static void
check_checksum(const uint8_t *out, size_t n, bool is_ipv6)
{
	const uint8_t *ip = out + 14, *tcp = ip + (is_ipv6 ? 40 : 20);
	size_t l4 = n - (size_t)(tcp - out);
	uint8_t pseudo[4] = {0, 6, (uint8_t)(l4 >> 8), (uint8_t)l4};
	uint64_t sum = checksum_add(0, pseudo, 4);

	sum = is_ipv6 ? checksum_add(sum, ip + 8, 32) : checksum_add(sum, ip + 12, 8);
	assert_int_equal(checksum_finish(checksum_add(sum, tcp, l4)), 0);
	if (!is_ipv6)
		assert_int_equal(checksum_finish(checksum_add(0, ip, 20)), 0);
}

static void
check_round_trip(bool is_ipv6, size_t payload, uint32_t mss)
{
	size_t length = make_tcp(is_ipv6, payload), headers = length - payload, done = 0;
	struct segment_plan plan;
	uint8_t out[9100];

	assert_int_equal(segment_plan(&plan, frame, length, mss), 0);
	assert_int_equal(plan.count, (payload + mss - 1) / mss);
	for (uint32_t i = 0; i < plan.count; i++) {
		size_t n = segment_length(&plan, i);
		uint32_t sequence;
		uint8_t flags;

		segment_write(&plan, i, out);
		check_checksum(out, n, is_ipv6);
		assert_memory_equal(out + headers, frame + headers + done, n - headers);
		memcpy(&sequence, out + headers - 16, 4);
		assert_int_equal(__builtin_bswap32(sequence),
		                 (uint32_t)(0xfffff000 + done));
		flags = out[headers - 7];
		assert_int_equal(!!(flags & 0x09), i + 1 == plan.count);
		assert_int_equal(!!(flags & 0x80), i == 0);
		assert_true(flags & 0x10);
		done += n - headers;
	}
	assert_int_equal(done, payload);
}

static void
test_segments_put_together_are_the_frame(void **state)
{
	(void)state;
	check_round_trip(false, 65000, 1448);
	check_round_trip(true, 65000, 1428);
	check_round_trip(false, 1449, 1448);
	check_round_trip(false, 1448, 1448);
	check_round_trip(false, 5, 1);
	check_round_trip(true, 30000, 8948);
}

static void
test_lying_frames_are_refused(void **state)
{
	struct segment_plan plan;
	size_t length = make_tcp(false, 3000);

	(void)state;
	for (size_t cut = 0; cut <= HEADERS_V4; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, frame, cut);
		assert_int_not_equal(segment_plan(&plan, copy, cut, 1448), 0);
		free(copy);
	}
	assert_int_not_equal(segment_plan(&plan, frame, length, 0), 0);
	frame[14] = 0x41;
	assert_int_not_equal(segment_plan(&plan, frame, length, 1448), 0);
	frame[14] = 0x45;
	frame[46] = 0x10; /* TCP header of 4 bytes */
	assert_int_not_equal(segment_plan(&plan, frame, length, 1448), 0);
	frame[46] = 0x50;
	frame[23] = 1; /* ICMP */
	assert_int_not_equal(segment_plan(&plan, frame, length, 1448), 0);
}

static void
test_checksum_is_completed_in_bounds_only(void **state)
{
	uint8_t bytes[] = {0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7, 0, 0};

	(void)state;
	/* RFC 1071's example sums to ddf2. */
	assert_int_equal(checksum_finish(checksum_add(0, bytes, 8)), (uint16_t)~0xf2dd);
	assert_int_equal(checksum_complete(bytes, sizeof(bytes), 0, 8), 0);
	assert_int_equal(checksum_finish(checksum_add(0, bytes, sizeof(bytes))), 0);
	assert_int_not_equal(checksum_complete(bytes, sizeof(bytes), 0, 9), 0);
	assert_int_not_equal(checksum_complete(bytes, sizeof(bytes), 11, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_put_together_are_the_frame),
		cmocka_unit_test(test_lying_frames_are_refused),
		cmocka_unit_test(test_checksum_is_completed_in_bounds_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
