/* rules_test.c - rules, groups and ports change while packets flow: what is published is
 * seen as a whole, groups share and fail over, counters add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/dummy_net.h"

#define ROUNDS 3000

static void
add_output(struct flow_actions *actions, uint32_t number)
{
	struct flow_output *output =
		flow_actions_add(actions, ACTION_OUTPUT, sizeof(*output));

	output->port = number;
}

static void
add_number(struct flow_actions *actions, enum flow_action_type type, uint64_t value)
{
	struct flow_number *number = flow_actions_add(actions, type, sizeof(*number));

	number->value = value;
}

static void
add_set_reg0(struct flow_actions *actions, uint64_t value)
{
	struct flow_set_field *set =
		flow_actions_add(actions, ACTION_SET_FIELD, sizeof(*set));

	set->field = FIELD_REG0;
	for (int i = 0; i < 4; i++) {
		set->value.bytes[i] = (uint8_t)(value >> (24 - 8 * i));
		set->mask.bytes[i] = 0xff;
	}
}

/* A rule of 'table' for packets with 'value' in 'field' (FIELD_NONE: all). */
static struct dp_rule *
rule_add(uint8_t table, uint16_t priority, enum flow_field_id field, uint64_t value,
         const struct flow_actions *actions)
{
	struct dp_rule_config config = {.table = table, .priority = priority};
	struct dp_rule *rule = NULL;
	struct error err = {""};

	if (field != FIELD_NONE)
		flow_match_set_u64(&config.match, field, value);
	config.actions = actions->data;
	config.actions_bytes = actions->bytes;
	assert_int_equal(dp_rule_add(bridge, &config, &rule, &err), 0);
	return rule;
}

static uint64_t
rule_packets(const struct dp_rule *rule)
{
	uint64_t packets, bytes, used_ns;

	dp_rule_get_stats(rule, &packets, &bytes, &used_ns);
	return packets;
}

static uint64_t
drain(uint32_t port)
{
	uint8_t frame[2048];
	uint64_t n = 0;

	while (dp_dummy_take(port, frame, sizeof(frame)))
		n++;
	return n;
}

/* Two rules change at once: a packet that meets the one without the other would be lost
 * or go to the wrong port. */
static void
test_a_publication_is_seen_as_a_whole(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL),
		 wrong = port_add("w", NULL);
	struct flow_actions first = {0}, to_b = {0}, to_wrong = {0};
	struct dp_rule *reg, *out, *other;
	uint64_t sent = 0, got = 0;
	struct error err;

	(void)state;
	dp_bridge_clear_rules(bridge);
	add_set_reg0(&first, 0);
	add_number(&first, ACTION_GOTO_TABLE, 1);
	add_output(&to_b, port_numbers[b]);
	add_output(&to_wrong, port_numbers[wrong]);
	reg = rule_add(0, 0, FIELD_NONE, 0, &first);
	out = rule_add(1, 1, FIELD_REG0, 0, &to_b);
	other = rule_add(1, 0, FIELD_NONE, 0, &to_wrong);
	dp_publish(bridge);
	dp_synchronize();
	/* On a busy machine the worker may sleep through many rounds. */
	for (unsigned i = 1; i <= ROUNDS || sent <= ROUNDS / 10; i++) {
		/* No more than b's ring can hold. */
		for (int k = 0; k < 4 && sent - got < 64; k++) {
			uint8_t frame[64];

			frame_make(frame, 64, 7, (uint8_t)(i % 5), -1);
			sent += dp_dummy_inject(a, frame, 64) == 0;
		}
		flow_actions_clear(&first);
		add_set_reg0(&first, i);
		add_number(&first, ACTION_GOTO_TABLE, 1);
		assert_int_equal(dp_rule_set(reg, first.data, first.bytes, 0, &err), 0);
		dp_rule_del(out);
		out = rule_add(1, 1, FIELD_REG0, i, &to_b);
		dp_publish(bridge);
		got += drain(b);
	}
	settle();
	got += drain(b);
	assert_int_equal(drain(wrong), 0);
	assert_int_equal(got, sent);
	assert_int_equal(rule_packets(reg), sent);
	assert_int_equal(rule_packets(other), 0);
	flow_actions_destroy(&first);
	flow_actions_destroy(&to_b);
	flow_actions_destroy(&to_wrong);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(wrong);
}

static void
group_set(enum dp_group_type type, const struct dp_bucket *buckets, size_t n)
{
	struct dp_group_config config = {
		.number = 7, .type = type, .buckets = buckets, .n_buckets = n};
	struct error err;

	assert_int_equal(dp_group_set(bridge, &config, &err), 0);
	dp_publish(bridge);
	dp_synchronize();
}

static void
send_from_hosts(uint32_t port, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		send_frame(port, 7, (uint8_t)i, -1);
		if (i % 32 == 31)
			settle();
	}
	settle();
}

static void
test_groups_share_and_fail_over(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL),
		 c = port_add("c", NULL);
	struct dp_port_settings down = {
		.vlan_tag = DP_VLAN_NONE, .egress_class = -1, .admin_down = true};
	struct flow_actions to_group = {0}, to_b = {0}, to_c = {0};
	struct dp_counts total, counts[2];
	struct dp_rule *rule;
	uint64_t at_b, at_c;
	struct error err;

	(void)state;
	dp_bridge_clear_rules(bridge);
	add_number(&to_group, ACTION_GROUP, 7);
	add_output(&to_b, port_numbers[b]);
	add_output(&to_c, port_numbers[c]);
	struct dp_bucket buckets[] = {
		{1, port_numbers[b], FLOW_PORT_NONE, to_b.data, to_b.bytes},
		{3, port_numbers[c], FLOW_PORT_NONE, to_c.data, to_c.bytes},
	};
	rule = rule_add(0, 0, FIELD_NONE, 0, &to_group);
	group_set(DP_GROUP_ALL, buckets, 2);
	send_from_hosts(a, 10);
	assert_int_equal(drain(b), 10);
	assert_int_equal(drain(c), 10);
	assert_int_equal(dp_group_get_stats(bridge, 7, &total, counts, 2), 0);
	assert_int_equal(total.packets, 10);
	assert_int_equal(counts[1].packets, 10);

	group_set(DP_GROUP_SELECT, buckets, 2);
	send_from_hosts(a, 200);
	at_b = drain(b);
	at_c = drain(c);
	assert_int_equal(at_b + at_c, 200);
	assert_in_range(at_b, 25, 80);
	assert_int_equal(dp_group_get_stats(bridge, 7, &total, counts, 2), 0);
	assert_int_equal(total.packets, 210);
	assert_int_equal(counts[0].packets, 10 + at_b);

	group_set(DP_GROUP_FAILOVER, buckets, 2);
	send_from_hosts(a, 20);
	assert_int_equal(drain(b), 20);
	assert_int_equal(dp_port_set(b, &down, &err), 0);
	settle();
	send_from_hosts(a, 20);
	assert_int_equal(drain(b), 0);
	assert_int_equal(drain(c), 20);
	assert_int_equal(rule_packets(rule), 250);
	dp_group_del(bridge, 7);
	dp_publish(bridge);
	assert_int_equal(dp_group_get_stats(bridge, 7, &total, counts, 2), -2);
	flow_actions_destroy(&to_group);
	flow_actions_destroy(&to_b);
	flow_actions_destroy(&to_c);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
}

/* A label is popped, and table 1 goes by what was behind it. */
static void
test_headers_are_read_again(void **state)
{
	static const uint8_t labelled[] = {
		2,    0,  0,    0, 0, 2,  2, 0, 0, 0,  0,  1,  0x88, 0x47, 0,  0,
		0x31, 64, 0x45, 0, 0, 28, 0, 1, 0, 0,  64, 17, 0,    0,    10, 0,
		0,    1,  10,   0, 0, 2,  0, 9, 0, 53, 0,  8,  0,    0,    0,  0,
		0,    0,  0,    0, 0, 0,  0, 0, 0, 0,  0,  0,  0,    0,
	};
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL);
	struct flow_actions pop = {0}, to_b = {0};
	uint8_t frame[2048];
	struct dp_rule *second;

	(void)state;
	dp_bridge_clear_rules(bridge);
	add_number(&pop, ACTION_POP_MPLS, 0x0800);
	add_number(&pop, ACTION_GOTO_TABLE, 1);
	add_output(&to_b, port_numbers[b]);
	rule_add(0, 0, FIELD_ETH_TYPE, 0x8847, &pop);
	second = rule_add(1, 0, FIELD_UDP_DST, 53, &to_b);
	dp_publish(bridge);
	dp_synchronize();
	for (int i = 0; i < 5; i++) {
		assert_int_equal(dp_dummy_inject(a, labelled, sizeof(labelled)), 0);
		assert_int_equal(take(b, frame, WAIT_NS), sizeof(labelled) - 4);
		assert_int_equal(frame[12] << 8 | frame[13], 0x0800);
	}
	settle();
	assert_int_equal(rule_packets(second), 5);
	flow_actions_destroy(&pop);
	flow_actions_destroy(&to_b);
	dp_port_del(a);
	dp_port_del(b);
}

struct dumped {
	unsigned n;
	uint64_t packets;
	char actions[256];
};

static void
note_entry(const struct dp_cache_entry *entry, void *aux)
{
	struct dumped *dumped = aux;

	dumped->n++;
	dumped->packets += entry->packets;
	snprintf(dumped->actions, sizeof(dumped->actions), "%s", entry->actions);
}

static void
test_the_cache_is_shown(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL);
	struct dumped dumped = {0};
	struct flow_actions to_b = {0};
	struct dp_rule *rule;

	(void)state;
	dp_bridge_clear_rules(bridge);
	add_output(&to_b, port_numbers[b]);
	rule = rule_add(0, 0, FIELD_ETH_TYPE, 0x0806, &to_b);
	dp_publish(bridge);
	dp_synchronize();
	send_from_hosts(a, 100);
	assert_int_equal(drain(b), 100);
	for (unsigned w = 0; w < DP_WORKERS_MAX; w++)
		dp_cache_dump(bridge, w, true, note_entry, &dumped);
	/* The first packet of the flow was walked, the second put it in. */
	assert_int_equal(dumped.n, 1);
	assert_int_equal(dumped.packets, 98);
	assert_string_equal(dumped.actions, "b");
	assert_int_equal(rule_packets(rule), 100);
	flow_actions_destroy(&to_b);
	dp_port_del(a);
	dp_port_del(b);
}

struct traced {
	unsigned n;
	uint32_t port, class;
	char reason[64], warning[256];
};

static void
note_step(const struct dp_trace_step *step, void *aux)
{
	struct traced *traced = aux;

	traced->n++;
	if (step->kind == DP_TRACE_WARNING)
		snprintf(traced->warning, sizeof(traced->warning), "%s", step->text);
}

static void
note_fate(const struct dp_trace_fate *fate, void *aux)
{
	struct traced *traced = aux;

	traced->port = fate->port_id;
	traced->class = fate->class_number;
	snprintf(traced->reason, sizeof(traced->reason), "%s",
	         fate->reason ? fate->reason : "");
}

/* The last fate of a frame from a port. */
static void
trace_frame(uint32_t port, struct traced *traced)
{
	uint8_t frame[64];
	struct dp_trace trace = {.frame = frame,
	                         .length = frame_make(frame, sizeof(frame), 2, 1, -1),
	                         .step = note_step,
	                         .fate = note_fate,
	                         .aux = traced};
	struct error err = {""};

	memset(traced, 0, sizeof(*traced));
	flow_parse(frame, sizeof(frame), sizeof(frame), &trace.key);
	trace.key.f.in_port = port_numbers[port];
	assert_int_equal(dp_trace(bridge, &trace, &err), 0);
}

/* Traces end where packets do, by the same reasons, and count nothing. */
static void
test_traces_say_why(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL);
	struct flow_actions loop = {0}, none = {0}, to_b = {0};
	struct flow_resubmit *resubmit;
	struct traced traced;
	struct dp_rule *rule;

	(void)state;
	dp_bridge_clear_rules(bridge);
	trace_frame(a, &traced);
	assert_string_equal(traced.reason, "rx_no_rule");
	rule_add(0, 0, FIELD_NONE, 0, &none);
	dp_publish(bridge);
	trace_frame(a, &traced);
	assert_string_equal(traced.reason, "rx_by_rule");
	add_output(&to_b, port_numbers[b]);
	rule = rule_add(0, 1, FIELD_NONE, 0, &to_b);
	dp_publish(bridge);
	trace_frame(a, &traced);
	assert_string_equal(traced.reason, "");
	assert_int_equal(traced.port, b);
	assert_int_equal(traced.class, DP_CLASS_NONE);
	trace_frame(b, &traced);
	assert_string_equal(traced.reason, "rx_hairpin");
	assert_string_equal(traced.warning, "skipping output to input port");
	settle();
	assert_int_equal(drain(b), 0);
	assert_int_equal(rule_packets(rule), 0);
	resubmit = flow_actions_add(&loop, ACTION_RESUBMIT, sizeof(*resubmit));
	resubmit->table = 0;
	resubmit->in_port = FLOW_PORT_IN_PORT;
	rule_add(0, 2, FIELD_NONE, 0, &loop);
	dp_publish(bridge);
	trace_frame(a, &traced);
	assert_string_equal(traced.reason, "rx_too_many_resubmits");
	flow_actions_destroy(&loop);
	flow_actions_destroy(&to_b);
	dp_port_del(a);
	dp_port_del(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_publication_is_seen_as_a_whole),
		cmocka_unit_test(test_groups_share_and_fail_over),
		cmocka_unit_test(test_headers_are_read_again),
		cmocka_unit_test(test_the_cache_is_shown),
		cmocka_unit_test(test_traces_say_why),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
