/* action_test.c - programs of records on the datapath with dummy ports: who gets a
 * packet, what it looks like there, what is counted, and what the flags of ports do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/eal.h"
#include "datapath/frame.h"
#include "datapath/offload.h"
#include "net/checksum.h"
#include "support/dummy_net.h"
#include "support/dummy_run.h"

#define N_PORTS 4

static const struct dp_port_settings plain = {.vlan_tag = DP_VLAN_NONE,
                                              .egress_class = -1};
static uint32_t net[N_PORTS + 1]; /* by OpenFlow number, from 1 */
static struct flow_actions program;
static uint8_t got[2048];

static int
setup(void **state)
{
	char name[8];

	(void)state;
	for (uint16_t i = 1; i <= N_PORTS; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		net[i] = port_add_number(name, i, NULL);
	}
	flow_actions_clear(&program);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 1; i <= N_PORTS; i++)
		dp_port_del(net[i]);
	flow_actions_destroy(&program);
	program = (struct flow_actions){0};
	return 0;
}

static void
add_output(uint32_t port)
{
	struct flow_output *output =
		flow_actions_add(&program, ACTION_OUTPUT, sizeof(*output));

	output->port = port;
}

static void
add_number(enum flow_action_type type, uint64_t value)
{
	struct flow_number *number = flow_actions_add(&program, type, sizeof(*number));

	number->value = value;
}

static void
add_set_u16(enum flow_field_id field, uint16_t value)
{
	struct flow_set_field *set =
		flow_actions_add(&program, ACTION_SET_FIELD, sizeof(*set));

	set->field = field;
	set->value.bytes[0] = (uint8_t)(value >> 8);
	set->value.bytes[1] = (uint8_t)value;
	memset(&set->mask, 0xff, sizeof(set->mask));
}

static uint32_t
port_of(uint32_t number)
{
	return number <= N_PORTS ? net[number] : DP_ID_NONE;
}

static void
run_frame(uint32_t in_port, const uint8_t *frame, size_t n)
{
	run_program(port_of(in_port), &program, frame, n);
}

static void
run(uint32_t in_port)
{
	uint8_t frame[64];

	run_frame(in_port, frame, frame_make(frame, 64, 2, 1, -1));
}

static void
assert_nothing_at(uint32_t port)
{
	settle();
	assert_int_equal(take(port, got, 0), 0);
}

static void
test_outputs_get_what_the_packet_was_then(void **state)
{
	(void)state;
	add_output(2);
	add_number(ACTION_PUSH_VLAN, 0x8100);
	add_set_u16(FIELD_VLAN_VID, 0x1005);
	add_output(3);
	flow_actions_add(&program, ACTION_POP_VLAN, sizeof(struct flow_action));
	add_output(4);
	run(1);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	assert_int_equal(got[12], 8);
	assert_int_equal(take(net[3], got, WAIT_NS), 68);
	assert_memory_equal(got + 12, ((uint8_t[]){0x81, 0, 0, 5, 8, 6}), 6);
	assert_int_equal(take(net[4], got, WAIT_NS), 64);
	assert_int_equal(got[12], 8);
	assert_nothing_at(net[1]);
}

static void
test_no_output_back_to_the_port_of_arrival(void **state)
{
	(void)state;
	add_output(1);
	run(1);
	assert_nothing_at(net[1]);
	assert_int_equal(port_counter(net[1], "drop_rx_hairpin"), 1);
	add_output(FLOW_PORT_IN_PORT);
	run(1);
	assert_int_equal(take(net[1], got, WAIT_NS), 64);
	/* The same beside others. */
	add_output(1);
	add_output(2);
	add_output(FLOW_PORT_IN_PORT);
	add_output(77);
	run(1);
	assert_int_equal(take(net[1], got, WAIT_NS), 64);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	assert_nothing_at(net[1]);
	assert_int_equal(port_counter(net[1], "drop_rx_hairpin"), 1);
	add_output(77);
	run(1);
	settle();
	assert_int_equal(port_counter(net[1], "drop_rx_no_output"), 1);
	run(1);
	settle();
	assert_int_equal(port_counter(net[1], "drop_rx_by_rule"), 1);
}

static void
test_floods_and_flags_of_ports(void **state)
{
	struct dp_port_settings settings = plain;
	struct error err = {""};

	(void)state;
	settings.no_flood = true;
	assert_int_equal(dp_port_set(net[3], &settings, &err), 0);
	settings.no_flood = false;
	settings.no_forward = true;
	assert_int_equal(dp_port_set(net[4], &settings, &err), 0);
	add_output(FLOW_PORT_FLOOD);
	run(1);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	assert_nothing_at(net[3]);
	assert_nothing_at(net[4]);
	add_output(FLOW_PORT_ALL);
	run(1);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	assert_int_equal(take(net[3], got, WAIT_NS), 64);
	assert_nothing_at(net[4]);
	add_output(FLOW_PORT_NORMAL);
	run(1);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	assert_nothing_at(net[3]);
	assert_nothing_at(net[4]);
	add_output(4);
	run(1);
	assert_nothing_at(net[4]);
	assert_int_equal(port_counter(net[4], "drop_tx_port_no_forward"), 1);
	assert_int_equal(dp_port_set(net[4], &plain, &err), 0);
	add_output(4);
	run(1);
	assert_int_equal(take(net[4], got, WAIT_NS), 64);
	/* What comes in is dropped. */
	settings.no_forward = false;
	settings.no_receive = true;
	assert_int_equal(dp_port_set(net[4], &settings, &err), 0);
	send_frame(net[4], 0xff, 9, -1);
	assert_nothing_at(net[2]);
	assert_int_equal(port_counter(net[4], "drop_rx_port_no_receive"), 1);
	add_output(4);
	run(1);
	assert_int_equal(take(net[4], got, WAIT_NS), 64);
}

static void
test_packets_of_no_port_are_not_learned(void **state)
{
	(void)state;
	add_output(FLOW_PORT_NORMAL);
	run(FLOW_PORT_CONTROLLER);
	for (int i = 1; i <= N_PORTS; i++)
		assert_int_equal(take(net[i], got, WAIT_NS), 64);
	settle();
	/* Flooded still. */
	send_frame(net[1], 1, 5, -1);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	assert_int_equal(take(net[4], got, WAIT_NS), 64);
	add_output(FLOW_PORT_IN_PORT);
	run(FLOW_PORT_CONTROLLER);
	settle();
}

static void
test_a_clone_works_on_a_copy(void **state)
{
	size_t mark;

	(void)state;
	mark = flow_actions_begin_nested(&program, ACTION_CLONE,
	                                 sizeof(struct flow_nested));
	add_number(ACTION_PUSH_VLAN, 0x88a8);
	add_output(2);
	flow_actions_end_nested(&program, mark);
	add_output(3);
	mark = flow_actions_begin_nested(&program, ACTION_CLONE,
	                                 sizeof(struct flow_nested));
	add_number(ACTION_PUSH_MPLS, 0x8847);
	add_output(4);
	flow_actions_end_nested(&program, mark);
	run(1);
	assert_int_equal(take(net[2], got, WAIT_NS), 68);
	assert_int_equal(got[12], 0x88);
	assert_int_equal(got[13], 0xa8);
	assert_int_equal(take(net[3], got, WAIT_NS), 64);
	assert_int_equal(got[12], 8);
	assert_int_equal(take(net[4], got, WAIT_NS), 68);
	assert_int_equal(got[13], 0x47);
}

static size_t
make_tcp(uint8_t *frame, size_t payload, uint8_t ttl)
{
	uint8_t headers[54] = {2,  0,    0, 0, 0,  2, 2, 0,    0, 0,   0, 1, 8,
	                       0,  0x45, 0, 0, 0,  0, 1, 0x40, 0, ttl, 6, 0, 0,
	                       10, 0,    0, 1, 10, 0, 0, 2,    0, 80,  1, 0};
	uint16_t sum;

	headers[16] = (uint8_t)((40 + payload) >> 8);
	headers[17] = (uint8_t)(40 + payload);
	headers[46] = 0x50;
	headers[47] = 0x10;
	memcpy(frame, headers, sizeof(headers));
	for (size_t i = 0; i < payload; i++)
		frame[54 + i] = (uint8_t)(i * 7);
	sum = checksum_finish(checksum_add(0, frame + 14, 20));
	memcpy(frame + 24, &sum, 2);
	sum = checksum_finish(
		checksum_add(checksum_pseudo(frame + 14, false, 6, 20 + payload),
	                     frame + 34, 20 + payload));
	memcpy(frame + 50, &sum, 2);
	return 54 + payload;
}

static void
assert_tcp_is_right(const uint8_t *ip, size_t n)
{
	assert_int_equal(checksum_finish(checksum_add(0, ip, 20)), 0);
	assert_int_equal(checksum_finish(checksum_add(
				 checksum_pseudo(ip, false, 6, n - 20), ip + 20, n - 20)),
	                 0);
}

static void
test_a_ttl_that_ends(void **state)
{
	uint8_t frame[256];
	size_t n;

	(void)state;
	add_output(2);
	flow_actions_add(&program, ACTION_DEC_TTL, sizeof(struct flow_ids));
	add_output(3);
	n = make_tcp(frame, 100, 2);
	run_frame(1, frame, n);
	assert_int_equal(take(net[2], got, WAIT_NS), n);
	assert_int_equal(got[22], 2);
	assert_int_equal(take(net[3], got, WAIT_NS), n);
	assert_int_equal(got[22], 1);
	assert_tcp_is_right(got + 14, n - 14);
	add_output(2);
	flow_actions_add(&program, ACTION_DEC_TTL, sizeof(struct flow_ids));
	add_output(3);
	run_frame(1, frame, make_tcp(frame, 100, 1));
	assert_int_equal(take(net[2], got, WAIT_NS), n);
	assert_nothing_at(net[3]);
	assert_int_equal(port_counter(net[1], "drop_rx_ttl_ends"), 1);
}

/* ---- packets that are not complete ---- */

/* Runs the program on a packet of pieces of 'piece' bytes, its checksum and segments
 * left to do. */
static void
run_unfinished(const uint8_t *frame, size_t n, size_t piece, uint32_t mss)
{
	struct rte_mbuf *pkt = NULL;

	for (size_t at = 0; at < n; at += piece) {
		struct rte_mbuf *next = rte_pktmbuf_alloc(eal_packet_pool(0));
		size_t bytes = n - at < piece ? n - at : piece;

		memcpy(rte_pktmbuf_append(next, (uint16_t)bytes), frame + at, bytes);
		if (!pkt)
			pkt = next;
		else
			assert_int_equal(rte_pktmbuf_chain(pkt, next), 0);
	}
	if (mss)
		assert_true(offload_mark(pkt, mss));
	run_program_on(net[1], &program, pkt);
}

static void
test_segments_below_labels(void **state)
{
	uint8_t frame[4096];
	size_t n = make_tcp(frame, 3000, 9), seen = 0;

	(void)state;
	add_number(ACTION_PUSH_MPLS, 0x8847);
	add_output(2);
	run_unfinished(frame, n, 2000, 1400);
	for (int i = 0; i < 3; i++) {
		size_t bytes = take(net[2], got, WAIT_NS);

		assert_true(bytes > 58);
		assert_int_equal(got[13], 0x47);
		assert_tcp_is_right(got + 18, bytes - 18);
		assert_memory_equal(got + 58, frame + 54 + seen, bytes - 58);
		seen += bytes - 58;
	}
	assert_int_equal(seen, 3000);
	/* A checksum alone. */
	n = make_tcp(frame, 300, 9);
	memset(frame + 50, 0xaa, 2);
	add_set_u16(FIELD_TCP_DST, 8080);
	add_number(ACTION_PUSH_MPLS, 0x8847);
	add_output(2);
	run_unfinished(frame, n, 2000, 1400);
	assert_int_equal(take(net[2], got, WAIT_NS), n + 4);
	assert_tcp_is_right(got + 18, n - 14);
}

/* Tags do not need segments; who segments later finds the network header behind them. */
static void
test_segments_behind_tags(void **state)
{
	uint8_t frame[4096];
	size_t n = make_tcp(frame, 3000, 9), seen = 0;

	(void)state;
	add_number(ACTION_PUSH_VLAN, 0x8100);
	add_set_u16(FIELD_TCP_DST, 8080);
	flow_actions_add(&program, ACTION_DEC_TTL, sizeof(struct flow_ids));
	add_output(2);
	add_output(3);
	run_unfinished(frame, n, 1000, 1400);
	for (int i = 0; i < 6; i++) {
		size_t bytes = take(net[i < 3 ? 2 : 3], got, WAIT_NS);

		assert_true(bytes > 58);
		assert_int_equal(got[12], 0x81);
		assert_int_equal(got[26], 8);
		assert_int_equal(got[40] << 8 | got[41], 8080);
		assert_tcp_is_right(got + 18, bytes - 18);
		seen += bytes - 58;
	}
	assert_int_equal(seen, 6000);
}

static void
test_headers_in_pieces(void **state)
{
	uint8_t frame[512];
	size_t n = make_tcp(frame, 400, 9);

	(void)state;
	for (size_t piece = 1; piece < 60; piece += 7) {
		add_set_u16(FIELD_TCP_DST, 8080);
		add_output(2);
		run_unfinished(frame, n, piece, 0);
		assert_int_equal(take(net[2], got, WAIT_NS), n);
		assert_int_equal(got[36] << 8 | got[37], 8080);
		assert_tcp_is_right(got + 14, n - 14);
		assert_memory_equal(got + 54, frame + 54, 400);
	}
}

/* A clone's buffers are shared: the other one must not change. */
static void
test_shared_buffers_are_copied(void **state)
{
	uint8_t frame[512];
	size_t n = make_tcp(frame, 400, 9);
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(eal_packet_pool(0)), *clone;
	struct rewrite r;

	(void)state;
	memcpy(rte_pktmbuf_append(pkt, (uint16_t)n), frame, n);
	clone = rte_pktmbuf_clone(pkt, eal_packet_pool(0));
	assert_non_null(clone);
	assert_int_equal(frame_open(&clone, &r), DROP_N_REASONS);
	assert_int_equal(rewrite_push_vlan(&r, 0x8100), 0);
	frame_update(clone, &r);
	assert_memory_equal(rte_pktmbuf_mtod(pkt, uint8_t *), frame, n);
	assert_int_equal(clone->pkt_len, n + 4);
	rte_pktmbuf_free(pkt);
	rte_pktmbuf_free(clone);
}

static void
test_lists_in_lists_end(void **state)
{
	size_t marks[40];

	(void)state;
	for (int i = 0; i < 40; i++)
		marks[i] = flow_actions_begin_nested(&program, ACTION_CLONE,
		                                     sizeof(struct flow_nested));
	add_output(2);
	for (int i = 40; i-- > 0;)
		flow_actions_end_nested(&program, marks[i]);
	run(1);
	assert_nothing_at(net[2]);
	assert_int_equal(port_counter(net[1], "drop_rx_program_depth"), 1);
}

static void
test_outputs_that_cut(void **state)
{
	struct flow_output *output;

	(void)state;
	output = flow_actions_add(&program, ACTION_OUTPUT, sizeof(*output));
	output->head.is_legacy = 1;
	output->port = 2;
	output->max_len = 20;
	add_output(3);
	run(1);
	assert_int_equal(take(net[2], got, WAIT_NS), 20);
	assert_int_equal(take(net[3], got, WAIT_NS), 64);
	output = flow_actions_add(&program, ACTION_OUTPUT, sizeof(*output));
	output->head.is_legacy = 1;
	output->port = FLOW_PORT_IN_PORT;
	output->max_len = 100;
	run(1);
	assert_int_equal(take(net[1], got, WAIT_NS), 64);
	assert_int_equal(port_counter(net[1], "drop_rx_by_rule"), 0);
}

static void
test_packets_out_are_bounded(void **state)
{
	uint8_t frame[64] = {0};
	struct flow_key key = {.f.in_port = 1};
	struct error err = {""};

	(void)state;
	assert_int_equal(dp_packet_out(99, &key, NULL, 0, frame, 64, &err), -ENOENT);
	assert_int_equal(dp_packet_out(bridge, &key, NULL, 0, frame, 13, &err), -EINVAL);
	add_output(2);
	frame_make(frame, 64, 2, 1, -1);
	for (int i = 0; i < 3000; i++) {
		memcpy(frame + 20, &i, sizeof(i));
		assert_int_equal(dp_packet_out(bridge, &key, program.data, program.bytes,
		                               frame, 64, &err),
		                 0);
		assert_int_equal(take(net[2], got, WAIT_NS), 64);
		assert_memory_equal(got + 20, &i, sizeof(i));
	}
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_outputs_get_what_the_packet_was_then),
		TEST(test_no_output_back_to_the_port_of_arrival),
		TEST(test_floods_and_flags_of_ports),
		TEST(test_packets_of_no_port_are_not_learned),
		TEST(test_a_clone_works_on_a_copy),
		TEST(test_a_ttl_that_ends),
		TEST(test_segments_below_labels),
		TEST(test_segments_behind_tags),
		TEST(test_headers_in_pieces),
		TEST(test_shared_buffers_are_copied),
		TEST(test_lists_in_lists_end),
		TEST(test_outputs_that_cut),
		TEST(test_packets_out_are_bounded),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
