/* punt_test.c - packets on their way to controllers: what the handler is told, how many
 * it gets, what is counted when they are too many, and learn actions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "datapath/eal.h"
#include "datapath/program.h"
#include "support/dummy_net.h"
#include "support/dummy_run.h"

/* Where the metadata is in the state of a program's record. */
#define METADATA (FLOW_PACKET_WORDS - PROGRAM_STATE_FROM)

static uint32_t net[3];
static struct flow_actions program;

/* What the handler was told last, and how often it was called. */
static struct dp_punt last;
static uint8_t last_data[2048], last_userdata[2048];
static struct flow_learn last_learn;
static struct str last_continuation;
static unsigned n_punts;

static void
note_punt(const struct dp_punt *punt, void *aux)
{
	assert_ptr_equal(aux, &n_punts);
	n_punts++;
	last = *punt;
	memcpy(last_data, punt->data, MIN_OF(punt->captured, sizeof(last_data)));
	if (punt->n_userdata)
		memcpy(last_userdata, punt->userdata, punt->n_userdata);
	last_continuation.length = 0;
	if (punt->continuation)
		str_append_bytes(&last_continuation, punt->continuation,
		                 punt->n_continuation);
	if (punt->actions)
		memcpy(&last_learn, punt->actions, sizeof(last_learn));
}

static uint64_t setup_ns; /* when the test began */

/* What a bucket of n lets through at 'rate' a second until now, however long the machine
 * kept the test from running. */
static uint64_t
bucket_most(uint64_t n, uint64_t rate)
{
	return n + rate * (clock_mono_ns() - setup_ns) / NSEC_PER_SEC + 1;
}

static int
setup(void **state)
{
	(void)state;
	setup_ns = clock_mono_ns();
	net[1] = port_add_number("p1", 1, NULL);
	net[2] = port_add_number("p2", 2, NULL);
	dp_set_punt_handler(note_punt, &n_punts);
	dp_bridge_set_punt_rate(bridge, 0, 0);
	n_punts = 0;
	flow_actions_clear(&program);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dp_port_del(net[1]);
	dp_port_del(net[2]);
	dp_set_punt_handler(NULL, NULL);
	flow_actions_destroy(&program);
	program = (struct flow_actions){0};
	str_free(&last_continuation);
	return 0;
}

static struct program_punt *
add_punt(enum dp_punt_reason reason, size_t n_userdata)
{
	struct program_punt *punt =
		flow_actions_add(&program, (enum flow_action_type)PROGRAM_PUNT,
	                         sizeof(*punt) + n_userdata);

	punt->reason = (uint8_t)reason;
	punt->max_len = FLOW_MAX_LEN_ALL;
	punt->n_userdata = (uint32_t)n_userdata;
	return punt;
}

static void
add_output(uint32_t port)
{
	struct flow_output *output =
		flow_actions_add(&program, ACTION_OUTPUT, sizeof(*output));

	output->port = port;
}

/* The program stays. */
static void
run_frame(uint32_t in_port, const uint8_t *frame, size_t n)
{
	struct flow_actions copy = {0};

	flow_actions_append(&copy, program.data, program.bytes);
	run_program(in_port < ARRAY_SIZE(net) ? net[in_port] : DP_ID_NONE, &copy, frame,
	            n);
	flow_actions_destroy(&copy);
}

static void
run(uint32_t in_port)
{
	uint8_t frame[300];

	run_frame(in_port, frame, frame_make(frame, sizeof(frame), 2, 1, 5));
}

static void
wait_for_punts(unsigned n)
{
	uint64_t end = clock_mono_ns() + WAIT_NS;

	while (n_punts < n && clock_mono_ns() < end) {
		dp_run();
		usleep(50);
	}
	assert_int_equal(n_punts, n);
}

static void
test_the_handler_is_told_all(void **state)
{
	struct program_punt *punt = add_punt(DP_PUNT_ACTION, 5);
	uint8_t frame[300], got[300];
	const size_t reg0 = offsetof(struct flow_fields, regs) / 8 - PROGRAM_STATE_FROM;

	(void)state;
	punt->table = 9;
	punt->cookie = 0x1234567890;
	punt->controller_id = 77;
	punt->max_len = 100;
	punt->state[METADATA] = 0xabc;
	punt->state[reg0] = 0x1111;
	memcpy(punt->userdata, "hello", 5);
	add_output(2);
	run(1);
	wait_for_punts(1);
	assert_int_equal(last.bridge_id, bridge);
	assert_int_equal(last.reason, DP_PUNT_ACTION);
	assert_int_equal(last.table, 9);
	assert_int_equal(last.cookie, 0x1234567890);
	assert_int_equal(last.controller_id, 77);
	/* All of it: it is not kept for the controller. */
	assert_int_equal(last.captured, 300);
	assert_int_equal(last.length, 300);
	frame_make(frame, sizeof(frame), 2, 1, 5);
	assert_memory_equal(last_data, frame, 300);
	assert_int_equal(last.n_userdata, 5);
	assert_memory_equal(last_userdata, "hello", 5);
	assert_int_equal(last.key.f.in_port, 1);
	assert_int_equal(last.key.f.metadata, 0xabc);
	assert_int_equal(last.key.f.vlan_tci, 5 | FLOW_VLAN_PRESENT);
	assert_int_equal(last.key.f.eth_type, 0x0806);
	assert_int_equal(last.key.words[PROGRAM_STATE_FROM + reg0], 0x1111);
	assert_null(last.actions);
	assert_int_equal(take(net[2], got, WAIT_NS), 300);
	/* For the controller alone: that is no loss. */
	flow_actions_clear(&program);
	add_punt(DP_PUNT_NO_MATCH, 0);
	run(1);
	wait_for_punts(2);
	assert_int_equal(last.captured, 300);
	assert_int_equal(port_counter(net[1], "drop_rx_by_rule"), 0);
	flow_actions_clear(&program);
	add_punt(DP_PUNT_ACTION, 0)->max_len = 0;
	run(FLOW_PORT_CONTROLLER);
	wait_for_punts(3);
	assert_int_equal(last.captured, 300);
	assert_int_equal(last.key.f.eth_type, 0x0806);
}

static void
test_a_port_may_not_send_more_than_its_rate(void **state)
{
	(void)state;
	dp_bridge_set_punt_rate(bridge, 10, 20);
	add_punt(DP_PUNT_ACTION, 0);
	add_output(2);
	for (int i = 0; i < 50; i++)
		run(1);
	settle();
	assert_in_range(n_punts, 20, bucket_most(20, 10));
	assert_int_equal(port_counter(net[1], "drop_rx_punt_rate"), 50 - n_punts);
	/* Another one's are its own. */
	n_punts = 0;
	run(2);
	wait_for_punts(1);
	usleep(250000);
	run(1);
	run(1);
	wait_for_punts(3);
}

static void
test_a_full_ring_loses_and_counts(void **state)
{
	uint8_t frame[64], got[64];
	uint64_t lost;

	(void)state;
	dp_bridge_set_punt_rate(bridge, 1000000, 1000000);
	for (int i = 0; i < 4; i++)
		add_punt(DP_PUNT_ACTION, 0);
	add_output(2);
	frame_make(frame, 64, 2, 1, -1);
	/* main does not look meanwhile */
	for (int i = 0; i < 600; i++) {
		run_frame(1, frame, 64);
		while (dp_dummy_take(net[2], got, 64) == 0)
			usleep(10);
	}
	lost = port_counter(net[1], "drop_rx_punt_full");
	assert_true(lost > 0);
	wait_for_punts(2400 - (unsigned)lost);
}

static void
test_no_packet_in_is_of_misses(void **state)
{
	struct dp_port_settings settings = {
		.vlan_tag = DP_VLAN_NONE, .egress_class = -1, .no_packet_in = true};
	struct error err = {""};

	(void)state;
	assert_int_equal(dp_port_set(net[1], &settings, &err), 0);
	add_punt(DP_PUNT_NO_MATCH, 0);
	run(1);
	settle();
	assert_int_equal(n_punts, 0);
	flow_actions_clear(&program);
	add_punt(DP_PUNT_ACTION, 0);
	run(1);
	wait_for_punts(1);
}

static void
test_what_is_too_long_is_counted(void **state)
{
	(void)state;
	add_punt(DP_PUNT_ACTION, 60000);
	run(1);
	settle();
	assert_int_equal(n_punts, 0);
	assert_int_equal(port_counter(net[1], "drop_rx_punt_too_long"), 1);
}

/* A packet of 'bytes' in many buffers. */
static struct rte_mbuf *
long_packet(size_t bytes)
{
	struct rte_mbuf *head = NULL;

	for (size_t n; bytes; bytes -= n) {
		struct rte_mbuf *part = rte_pktmbuf_alloc(eal_packet_pool(0));

		assert_non_null(part);
		n = MIN_OF(bytes, 1500U);
		memset(rte_pktmbuf_append(part, (uint16_t)n), 2, n);
		if (!head)
			head = part;
		else
			assert_int_equal(rte_pktmbuf_chain(head, part), 0);
	}
	return head;
}

/* It would not come back: nobody is to wait for it. */
static void
test_a_packet_too_long_to_wait_is_counted(void **state)
{
	const size_t beside = sizeof(struct program_walk) + 16;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct program_walk *walk;

		add_punt(DP_PUNT_ACTION, 16)->pause = true;
		walk = flow_actions_add(&program, (enum flow_action_type)PROGRAM_WALK,
		                        sizeof(*walk));
		walk->table = 1;
		run_program_on(net[1], &program,
		               long_packet(DP_PAUSED_BYTES_MAX - beside + i));
		wait_for_punts(1);
	}
	settle();
	assert_int_equal(n_punts, 1);
	assert_int_equal(port_counter(net[1], "drop_rx_punt_too_long"), 1);
	assert_int_equal(last.captured + beside, DP_PAUSED_BYTES_MAX);
	/* One that does not wait may be cut. */
	add_punt(DP_PUNT_ACTION, 16);
	run_program_on(net[1], &program, long_packet(DP_PAUSED_BYTES_MAX));
	wait_for_punts(2);
}

static void
test_a_ttl_that_ends_is_told(void **state)
{
	(void)state;
	/* Nothing else takes the packet: it is dropped, once. */
	add_punt(DP_PUNT_INVALID_TTL, 16);
	add_punt(DP_PUNT_INVALID_TTL, 16)->controller_id = 5;
	run(1);
	wait_for_punts(2);
	settle();
	assert_int_equal(last.reason, DP_PUNT_INVALID_TTL);
	assert_int_equal(last.controller_id, 5);
	assert_int_equal(port_counter(net[1], "drop_rx_ttl_ends"), 1);
	/* Something does. */
	add_output(2);
	run(1);
	wait_for_punts(4);
	settle();
	assert_int_equal(port_counter(net[1], "drop_rx_ttl_ends"), 1);
}

static void
set_meter(uint32_t number, uint64_t rate)
{
	struct dp_meter_config config = {.number = number,
	                                 .is_pps = true,
	                                 .n_bands = 1,
	                                 .bands = {{.rate = rate, .burst = rate}}};
	struct error err = {""};

	assert_int_equal(dp_meter_set(bridge, &config, &err), 0);
}

static void
test_a_meter_for_all_controllers(void **state)
{
	(void)state;
	set_meter(DP_METER_CONTROLLER, 5);
	add_punt(DP_PUNT_ACTION, 0);
	for (int i = 0; i < 20; i++)
		run(1);
	settle();
	assert_in_range(n_punts, 5, bucket_most(5, 5));
	assert_int_equal(port_counter(net[1], "drop_rx_metered"), 20 - n_punts);
	dp_meter_del(bridge, DP_METER_CONTROLLER);
}

/* Who names one is under no other. */
static void
test_a_meter_for_controllers(void **state)
{
	(void)state;
	set_meter(3, 5);
	set_meter(DP_METER_CONTROLLER, 1);
	add_punt(DP_PUNT_ACTION, 0)->meter = 3;
	for (int i = 0; i < 20; i++)
		run(1);
	settle();
	assert_in_range(n_punts, 5, bucket_most(5, 5));
	assert_int_equal(port_counter(net[1], "drop_rx_metered"), 20 - n_punts);
	dp_meter_del(bridge, 3);
	dp_meter_del(bridge, DP_METER_CONTROLLER);
}

static void
test_learn_actions_are_not_repeated(void **state)
{
	struct flow_learn *learn =
		flow_actions_add(&program, ACTION_LEARN, sizeof(*learn));
	uint8_t frame[64], got[64];

	(void)state;
	learn->priority = 17;
	add_output(2);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10; i++) {
			frame_make(frame, 64, 2, (uint8_t)(i % 2), -1);
			run_frame(1, frame, 64);
			assert_int_equal(take(net[2], got, WAIT_NS), 64);
		}
		usleep(20000);
	}
	settle();
	/* Two senders, each once in 10 ms. */
	assert_in_range(n_punts, 6, bucket_most(6, 2 * 100));
	assert_int_equal(last.reason, DP_PUNT_LEARN);
	assert_int_equal(last_learn.priority, 17);
	assert_int_equal(last.actions_bytes, sizeof(struct flow_learn));
	assert_int_equal(last.key.f.in_port, 1);
	assert_in_range(last.key.f.eth_src[5], 0, 1);
	/* With the state of tables. */
	n_punts = 0;
	flow_actions_clear(&program);
	struct program_punt *punt = add_punt(DP_PUNT_LEARN, sizeof(struct flow_learn));
	punt->state[METADATA] = 0x99;
	struct flow_learn inside = {.head = {ACTION_LEARN, 0, sizeof(inside)},
	                            .priority = 18};
	memcpy(punt->userdata, &inside, sizeof(inside));
	run(1);
	wait_for_punts(1);
	assert_int_equal(last.reason, DP_PUNT_LEARN);
	assert_int_equal(last_learn.priority, 18);
	assert_int_equal(last.key.f.metadata, 0x99);
}

static struct dp_rule *
rule_add(uint8_t table, uint16_t priority, uint64_t cookie)
{
	struct dp_rule_config config = {.table = table,
	                                .priority = priority,
	                                .actions = program.data,
	                                .actions_bytes = program.bytes,
	                                .cookie = cookie,
	                                .counts_packets = true};
	struct error err = {""};
	struct dp_rule *rule;

	assert_int_equal(dp_rule_add(bridge, &config, &rule, &err), 0);
	flow_actions_clear(&program);
	return rule;
}

static void
add_goto(uint64_t table)
{
	struct flow_number *number =
		flow_actions_add(&program, ACTION_GOTO_TABLE, sizeof(*number));

	number->value = table;
}

/* From a port through rules to a controller, and what it sends through tables again. */
static void
test_rules_and_controllers(void **state)
{
	struct flow_key key = {.f.in_port = 2};
	struct dp_rule *rules[2];
	struct flow_output *output;
	struct error err = {""};
	uint8_t frame[64], got[64];
	struct flow_metadata *metadata;

	(void)state;
	metadata = flow_actions_add(&program, ACTION_WRITE_METADATA, sizeof(*metadata));
	metadata->value = 0x77;
	metadata->mask = UINT64_MAX;
	add_goto(3);
	rules[0] = rule_add(0, 100, 1);
	output = flow_actions_add(&program, ACTION_OUTPUT, sizeof(*output));
	output->port = FLOW_PORT_CONTROLLER;
	output->max_len = 40;
	add_output(2);
	rules[1] = rule_add(3, 100, 0xc00c1e);
	dp_publish(bridge);
	send_frame(net[1], 2, 1, -1);
	wait_for_punts(1);
	assert_int_equal(last.reason, DP_PUNT_ACTION);
	assert_int_equal(last.cookie, 0xc00c1e);
	assert_int_equal(last.table, 3);
	assert_int_equal(last.captured, 64);
	assert_int_equal(last.key.f.in_port, 1);
	assert_int_equal(last.key.f.metadata, 0x77);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	/* Back: as if it came from port 2, to where it may not go, so only a punt. */
	add_output(FLOW_PORT_TABLE);
	frame_make(frame, 64, 2, 9, -1);
	assert_int_equal(
		dp_packet_out(bridge, &key, program.data, program.bytes, frame, 64, &err),
		0);
	wait_for_punts(2);
	assert_int_equal(last.key.f.in_port, 2);
	assert_memory_equal(last_data, frame, 40);
	settle();
	assert_int_equal(take(net[2], got, 0), 0);
	dp_rule_del(rules[0]);
	dp_rule_del(rules[1]);
	dp_publish(bridge);
}

static void
add_controller(bool pause, size_t n_userdata)
{
	struct flow_controller *controller = flow_actions_add(
		&program, ACTION_CONTROLLER, sizeof(*controller) + n_userdata);

	controller->pause = pause;
	controller->reason = DP_PUNT_ACTION;
	controller->n_userdata = (uint32_t)n_userdata;
	for (size_t i = 0; i < n_userdata; i++)
		controller->userdata[i] = (uint8_t)i;
}

/* Through real workers: what is left of a rule and its action set waits in the hands of
 * who resumes, with a changed packet and changed state. */
static void
test_a_paused_packet_goes_on(void **state)
{
	struct flow_key key;
	struct dp_rule *rules[2];
	struct flow_output *output;
	struct error err = {""};
	uint8_t frame[64], got[64];
	struct str bad = STR_INIT;

	(void)state;
	add_controller(true, 61);
	add_goto(3);
	rules[0] = rule_add(0, 100, 0);
	add_output(2);
	/* Long enough for several buffers. */
	for (int i = 0; i < 60; i++) {
		output = flow_actions_add(&program, ACTION_OUTPUT, sizeof(*output));
		output->port = 100;
	}
	rules[1] = rule_add(3, 100, 0);
	dp_publish(bridge);
	send_frame(net[1], 2, 1, -1);
	wait_for_punts(1);
	assert_int_equal(last.n_userdata, 61);
	assert_int_equal(last_userdata[60], 60);
	assert_true(last_continuation.length > 0);
	settle();
	assert_int_equal(take(net[2], got, 0), 0);
	key = last.key;
	memcpy(frame, last_data, 64);
	frame[11] = 77;
	assert_int_equal(dp_resume(bridge, &key, last_continuation.data,
	                           last_continuation.length, frame, 64, &err),
	                 0);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	assert_memory_equal(got, frame, 64);
	/* Not what is cut, and not on another bridge. */
	for (size_t n = 0; n < last_continuation.length; n += 8)
		assert_int_equal(dp_resume(bridge, &key, last_continuation.data, n, frame,
		                           64, &err),
		                 -EINVAL);
	str_append_bytes(&bad, last_continuation.data, last_continuation.length);
	((struct program_walk *)(void *)bad.data)->stack_bytes = 8;
	assert_int_equal(dp_resume(bridge, &key, bad.data, bad.length, frame, 64, &err),
	                 -EINVAL);
	assert_int_equal(dp_resume(bridge + 1, &key, last_continuation.data,
	                           last_continuation.length, frame, 64, &err),
	                 -ENOENT);
	str_free(&bad);
	dp_rule_del(rules[0]);
	dp_rule_del(rules[1]);
	dp_publish(bridge);
}

/* A note may be longer than a buffer. */
static void
test_long_continuations(void **state)
{
	struct flow_key key;
	struct dp_rule *rule;
	struct error err = {""};
	uint8_t frame[64], got[64];

	(void)state;
	add_controller(true, 1500);
	for (int i = 0; i < 80; i++)
		add_output(i == 79 ? 2 : 100);
	rule = rule_add(0, 100, 0);
	dp_publish(bridge);
	send_frame(net[1], 2, 1, -1);
	wait_for_punts(1);
	assert_true(last_continuation.length > 80 * sizeof(struct flow_output));
	key = last.key;
	memcpy(frame, last_data, 64);
	assert_int_equal(dp_resume(bridge, &key, last_continuation.data,
	                           last_continuation.length, frame, 64, &err),
	                 0);
	assert_int_equal(take(net[2], got, WAIT_NS), 64);
	dp_rule_del(rule);
	dp_publish(bridge);
}

/* What was set for one bridge is not the next one's. */
static void
test_a_new_bridge_has_the_default_rate(void **state)
{
	const struct dp_bridge_config config = {.name = "br9"};
	struct error err = {""};
	uint32_t first, second, port;
	struct dp_port_config port_config = {
		.name = "p9",
		.type = DP_PORT_DUMMY,
		.ofport = 9,
		.settings = {.vlan_tag = DP_VLAN_NONE, .egress_class = -1}};
	struct dp_rule_config rule = {.priority = 5};
	struct dp_rule *handle;
	uint8_t frame[64];

	(void)state;
	assert_int_equal(dp_bridge_add(&config, &first, &err), 0);
	dp_bridge_set_punt_rate(first, 1, 1);
	dp_bridge_del(first);
	assert_int_equal(dp_bridge_add(&config, &second, &err), 0);
	assert_int_equal(first, second);
	port_config.bridge_id = second;
	assert_int_equal(dp_port_add(&port_config, &port, &err), 0);
	add_controller(false, 0);
	rule.actions = program.data;
	rule.actions_bytes = program.bytes;
	assert_int_equal(dp_rule_add(second, &rule, &handle, &err), 0);
	dp_publish(second);
	frame_make(frame, sizeof(frame), 2, 1, -1);
	for (int i = 0; i < 20; i++)
		assert_int_equal(dp_dummy_inject(port, frame, sizeof(frame)), 0);
	wait_for_punts(20);
	dp_port_del(port);
	dp_bridge_del(second);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_handler_is_told_all),
		TEST(test_a_port_may_not_send_more_than_its_rate),
		TEST(test_a_full_ring_loses_and_counts),
		TEST(test_no_packet_in_is_of_misses),
		TEST(test_what_is_too_long_is_counted),
		TEST(test_a_packet_too_long_to_wait_is_counted),
		TEST(test_a_ttl_that_ends_is_told),
		TEST(test_a_meter_for_controllers),
		TEST(test_a_meter_for_all_controllers),
		TEST(test_learn_actions_are_not_repeated),
		TEST(test_rules_and_controllers),
		TEST(test_a_paused_packet_goes_on),
		TEST(test_long_continuations),
		TEST(test_a_new_bridge_has_the_default_rate),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
