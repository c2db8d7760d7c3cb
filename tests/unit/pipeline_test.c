/* pipeline_test.c - parsing: hand-made frames, every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/flow_key.h"

/* 10.0.0.1:1234 -> 10.0.0.2:80, VLAN 5, priority 3. */
static const uint8_t tcp_frame[] = {
	2, 0, 0,    0,    0, 2,  2, 0,    0, 0,  0,   1,   0x81, 0,   0x60, 5,
	8, 0, 0x45, 8,    0, 44, 0, 1,    0, 0,  64,  6,   0,    0,   10,   0,
	0, 1, 10,   0,    0, 2,  4, 0xd2, 0, 80, 0,   0,   0,    1,   0,    0,
	0, 0, 0x50, 0x12, 0, 0,  0, 0,    0, 0,  'd', 'a', 't',  'a',
};

static void
test_tcp_in_a_vlan_is_read(void **state)
{
	struct flow_key key;

	(void)state;
	assert_int_equal(
		flow_parse(tcp_frame, sizeof(tcp_frame), sizeof(tcp_frame), &key),
		FLOW_IPV4_PORTS);
	assert_int_equal(key.f.vlan_tci, 0x7005);
	assert_int_equal(key.f.eth_type, 0x0800);
	assert_int_equal(key.f.ip_tos, 8);
	assert_int_equal(key.f.tp_src, 1234);
	assert_int_equal(key.f.tp_dst, 80);
	assert_int_equal(key.f.tcp_flags, 0x012);
	assert_memory_equal(key.f.ip_dst, ((uint8_t[]){10, 0, 0, 2}), 4);
}

static void
test_every_cut_is_malformed_and_stays_in_bounds(void **state)
{
	struct flow_key key;

	(void)state;
	for (size_t n = 0; n < sizeof(tcp_frame) - 4; n++) {
		/* An allocation of just this size, for the address sanitizer. */
		uint8_t *cut = malloc(n ? n : 1);

		memcpy(cut, tcp_frame, n);
		assert_int_equal(flow_parse(cut, n, n, &key), FLOW_MALFORMED);
		free(cut);
	}
}

static void
test_padding_changes_nothing(void **state)
{
	uint8_t padded[200] = {0};
	struct flow_key key, plain;

	(void)state;
	flow_parse(tcp_frame, sizeof(tcp_frame), sizeof(tcp_frame), &plain);
	memcpy(padded, tcp_frame, sizeof(tcp_frame));
	for (size_t n = sizeof(tcp_frame); n <= sizeof(padded); n++) {
		padded[n - 1] = 0xff;
		assert_int_equal(flow_parse(padded, n, n, &key), FLOW_IPV4_PORTS);
		assert_memory_equal(&key, &plain, sizeof(key));
	}
}

static void
test_ipv4_lengths_are_not_believed(void **state)
{
	struct flow_key key;

	(void)state;
	for (unsigned ihl = 0; ihl < 16; ihl++) {
		for (unsigned total = 0; total < 128; total++) {
			uint8_t whole[80] = {0};
			bool fits = ihl >= 5 && total <= 46 && total >= ihl * 4 + 20;
			enum flow_type type;

			memcpy(whole, tcp_frame, sizeof(tcp_frame));
			whole[18] = (uint8_t)(0x40 | ihl);
			whole[20] = 0;
			whole[21] = (uint8_t)total;
			type = flow_parse(whole, 64, 64, &key);
			assert_int_equal(type == FLOW_IPV4_PORTS, fits);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_in_a_vlan_is_read),
		cmocka_unit_test(test_every_cut_is_malformed_and_stays_in_bounds),
		cmocka_unit_test(test_padding_changes_nothing),
		cmocka_unit_test(test_ipv4_lengths_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
