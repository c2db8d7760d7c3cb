/* ecn_test.c - datapath/ecn: which packets may be marked, and that a mark changes nothing
 * but the mark and the checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "datapath/ecn.h"

#define FRAME_BYTES 128

struct packet {
	struct rte_mbuf mbuf;
	uint8_t data[FRAME_BYTES];
	unsigned ip_at;
};

static const uint16_t tag_types[] = {0x8100, 0x88a8};

/* A frame with 'tags' VLAN tags and an IP header whose ECN field is 'ecn'. */
static void
packet_make(struct packet *packet, unsigned tags, bool ipv6, unsigned ecn)
{
	uint8_t *ip;
	unsigned at = 12;

	memset(packet, 0, sizeof(*packet));
	for (unsigned i = 0; i < FRAME_BYTES; i++)
		packet->data[i] = (uint8_t)(i * 37 + 11);
	for (unsigned i = 0; i < tags; i++, at += 4) {
		packet->data[at] = (uint8_t)(tag_types[(tags - i + 1) % 2] >> 8);
		packet->data[at + 1] = (uint8_t)tag_types[(tags - i + 1) % 2];
	}
	packet->data[at] = ipv6 ? 0x86 : 0x08;
	packet->data[at + 1] = ipv6 ? 0xdd : 0x00;
	packet->ip_at = at + 2;
	ip = packet->data + packet->ip_at;
	if (ipv6) {
		ip[0] = 0x6b;
		ip[1] = (uint8_t)(0x8c | ecn << 4); /* 8c: the bits around it */
	} else {
		ip[0] = 0x45;
		ip[1] = (uint8_t)(0xb8 | ecn);
	}
	packet->mbuf.buf_addr = packet->data;
	packet->mbuf.data_len = FRAME_BYTES;
	packet->mbuf.pkt_len = FRAME_BYTES;
}

static unsigned
header_sum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void
header_finish(uint8_t *ip)
{
	unsigned sum;

	ip[10] = ip[11] = 0;
	sum = ~header_sum(ip) & 0xffff;
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static void
test_packets_that_say_so_are_capable(void **state)
{
	struct packet packet;

	(void)state;
	for (unsigned tags = 0; tags <= 2; tags++)
		for (unsigned ipv6 = 0; ipv6 <= 1; ipv6++)
			for (unsigned ecn = 0; ecn <= 3; ecn++) {
				packet_make(&packet, tags, ipv6, ecn);
				assert_int_equal(ecn_is_capable(&packet.mbuf), ecn != 0);
			}
}

static void
test_others_are_not(void **state)
{
	struct packet packet, before;

	(void)state;
	/* Three tags, another type, another version. */
	packet_make(&packet, 2, false, 1);
	packet.data[20] = 0x81, packet.data[21] = 0x00;
	assert_false(ecn_is_capable(&packet.mbuf));
	packet_make(&packet, 0, false, 1);
	packet.data[13] = 0x06;
	assert_false(ecn_is_capable(&packet.mbuf));
	packet_make(&packet, 0, false, 1);
	packet.data[14] = 0x65;
	before = packet;
	assert_false(ecn_is_capable(&packet.mbuf));
	ecn_mark(&packet.mbuf);
	assert_memory_equal(&packet, &before, sizeof(packet));
}

static void
test_short_packets_are_not_read_beyond_their_end(void **state)
{
	struct packet packet, before;

	(void)state;
	for (unsigned tags = 0; tags <= 2; tags++)
		for (unsigned ipv6 = 0; ipv6 <= 1; ipv6++) {
			unsigned end;

			packet_make(&packet, tags, ipv6, 1);
			end = packet.ip_at + (ipv6 ? 40 : 20);
			for (unsigned length = 0; length <= end; length++) {
				packet.mbuf.data_len = (uint16_t)length;
				before = packet;
				assert_int_equal(ecn_is_capable(&packet.mbuf),
				                 length >= end);
				if (length == end)
					continue;
				ecn_mark(&packet.mbuf);
				assert_memory_equal(&packet, &before, sizeof(packet));
			}
		}
}

static void
test_a_mark_changes_nothing_else(void **state)
{
	struct packet packet, before;

	(void)state;
	for (unsigned tags = 0; tags <= 2; tags++)
		for (unsigned ipv6 = 0; ipv6 <= 1; ipv6++)
			for (unsigned ecn = 1; ecn <= 3; ecn++) {
				uint8_t *ip;

				packet_make(&packet, tags, ipv6, ecn);
				ip = packet.data + packet.ip_at;
				if (!ipv6)
					header_finish(ip);
				before = packet;
				ecn_mark(&packet.mbuf);
				assert_int_equal(ip[1] >> (ipv6 ? 4 : 0) & 3, 3);
				if (!ipv6)
					assert_int_equal(header_sum(ip), 0xffff);
				ip[1] = before.data[packet.ip_at + 1];
				if (!ipv6) {
					ip[10] = before.data[packet.ip_at + 10];
					ip[11] = before.data[packet.ip_at + 11];
				}
				assert_memory_equal(&packet, &before, sizeof(packet));
			}
}

/* Every value of the header's other words gives every checksum. */
static void
test_the_checksum_is_right_whatever_it_was(void **state)
{
	struct packet packet;
	uint8_t *ip;

	(void)state;
	packet_make(&packet, 0, false, 1);
	ip = packet.data + packet.ip_at;
	for (unsigned value = 0; value <= 0xffff; value++) {
		ip[1] = (uint8_t)(0xb8 | (1 + value % 2));
		ip[4] = (uint8_t)(value >> 8);
		ip[5] = (uint8_t)value;
		header_finish(ip);
		ecn_mark(&packet.mbuf);
		assert_int_equal(ip[1] & 3, 3);
		assert_int_equal(header_sum(ip), 0xffff);
	}
}

static void
test_a_packet_without_ect_stays_as_it_is(void **state)
{
	struct packet packet, before;

	(void)state;
	packet_make(&packet, 1, false, 0);
	before = packet;
	ecn_mark(&packet.mbuf);
	assert_memory_equal(&packet, &before, sizeof(packet));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets_that_say_so_are_capable),
		cmocka_unit_test(test_others_are_not),
		cmocka_unit_test(test_short_packets_are_not_read_beyond_their_end),
		cmocka_unit_test(test_a_mark_changes_nothing_else),
		cmocka_unit_test(test_the_checksum_is_right_whatever_it_was),
		cmocka_unit_test(test_a_packet_without_ect_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
