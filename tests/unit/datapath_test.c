/* datapath_test.c - the datapath on ordinary memory with dummy ports: forwarding,
 * learning, VLANs, policing and rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/dummy_net.h"

static void
test_unknown_is_flooded_and_learned_is_not(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL),
		 c = port_add("c", NULL);
	uint8_t frame[2048];

	(void)state;
	send_frame(a, 2, 1, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 64);
	assert_int_equal(take(c, frame, WAIT_NS), 64);
	settle();
	send_frame(b, 1, 2, -1);
	assert_int_equal(take(a, frame, WAIT_NS), 64);
	assert_int_equal(frame[11], 2);
	settle();
	assert_int_equal(take(c, frame, 0), 0);
	/* To an address behind the port it came from: nowhere to go, and counted. */
	send_frame(a, 1, 9, -1);
	settle();
	assert_int_equal(take(b, frame, 0) + take(c, frame, 0), 0);
	struct dp_port_stats stats;
	assert_int_equal(dp_port_get_stats(a, &stats), 0);
	assert_int_equal(stats.rx_packets, 2);
	assert_int_equal(stats.rx_dropped, 1);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
}

static void
test_vlans_separate_and_tags_follow_the_port(void **state)
{
	struct dp_port_settings access10 = {
		.vlan_mode = DP_VLAN_ACCESS, .vlan_tag = 10, .egress_class = -1};
	struct dp_port_settings access20 = {
		.vlan_mode = DP_VLAN_ACCESS, .vlan_tag = 20, .egress_class = -1};
	uint32_t a = port_add("a", &access10), b = port_add("b", &access20);
	uint32_t trunk = port_add("trunk", NULL);
	uint8_t frame[2048];

	(void)state;
	send_frame(a, 0xff, 1, -1);
	assert_int_equal(take(trunk, frame, WAIT_NS), 68);
	assert_memory_equal(frame + 12, ((uint8_t[]){0x81, 0, 0, 10, 8, 6}), 6);
	settle();
	assert_int_equal(take(b, frame, 0), 0);
	send_frame(trunk, 0xff, 3, 20);
	assert_int_equal(take(b, frame, WAIT_NS), 60);
	assert_memory_equal(frame + 12, ((uint8_t[]){8, 6}), 2);
	settle();
	assert_int_equal(take(a, frame, 0), 0);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(trunk);
}

static void
test_copies_of_a_flood_have_their_own_tags(void **state)
{
	struct dp_port_settings native = {
		.vlan_mode = DP_VLAN_NATIVE_UNTAGGED, .vlan_tag = 7, .egress_class = -1};
	struct dp_port_settings tagged = {
		.vlan_mode = DP_VLAN_NATIVE_TAGGED, .vlan_tag = 7, .egress_class = -1};
	uint32_t a = port_add("a", &native), b = port_add("b", &tagged);
	uint32_t c = port_add("c", &native), trunk = port_add("trunk", NULL);
	uint8_t frame[2048];

	(void)state;
	send_frame(a, 0xff, 1, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 68);
	assert_int_equal(take(c, frame, WAIT_NS), 64);
	assert_int_equal(take(trunk, frame, WAIT_NS), 68);
	assert_int_equal(frame[15], 7);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
	dp_port_del(trunk);
}

static void
test_hostile_frames_are_dropped_and_counted(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL);
	uint8_t frame[64], got[2048];
	struct dp_port_stats stats;

	(void)state;
	frame_make(frame, 64, 2, 1, -1);
	for (size_t n = 1; n < 14; n++)
		assert_int_equal(dp_dummy_inject(a, frame, n), 0);
	/* An address of IEEE 802.1D's reserved range is not forwarded. */
	memcpy(frame, ((uint8_t[]){1, 0x80, 0xc2, 0, 0, 2}), 6);
	assert_int_equal(dp_dummy_inject(a, frame, 64), 0);
	settle();
	assert_int_equal(take(b, got, 0), 0);
	dp_port_get_stats(a, &stats);
	assert_int_equal(stats.rx_dropped, 14);
	assert_int_equal(stats.rx_errors, 13);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_policing_drops_the_excess(void **state)
{
	struct dp_port_settings policed = {.vlan_tag = DP_VLAN_NONE,
	                                   .egress_class = -1,
	                                   .policing_pps = 1,
	                                   .policing_burst_packets = 10};
	uint32_t a = port_add("a", &policed), b = port_add("b", NULL);
	struct dp_port_stats stats;

	(void)state;
	for (int i = 0; i < 100; i++)
		send_frame(a, 0xff, 1, -1);
	settle();
	dp_port_get_stats(b, &stats);
	assert_in_range(stats.tx_packets, 10, 12);
	dp_port_get_stats(a, &stats);
	assert_in_range(stats.rx_dropped, 88, 90);
	dp_port_del(a);
	dp_port_del(b);
}

/* A rule of table 'table' with 'actions', for packets from host 'src' (0 = any). */
static struct dp_rule *
rule_add(uint8_t table, uint16_t priority, uint8_t src,
         const struct flow_actions *actions)
{
	struct dp_rule_config config = {.table = table, .priority = priority};
	struct dp_rule *rule = NULL;
	struct error err = {""};

	if (src) {
		config.match.key.f.eth_src[5] = src;
		config.match.mask.f.eth_src[5] = 0xff;
	}
	config.actions = actions->data;
	config.actions_bytes = actions->bytes;
	assert_int_equal(dp_rule_add(bridge, &config, &rule, &err), 0);
	return rule;
}

static void
add_output(struct flow_actions *actions, uint32_t port)
{
	struct flow_output *output =
		flow_actions_add(actions, ACTION_OUTPUT, sizeof(*output));

	output->port = port;
}

static void
test_rules_replace_normal_and_are_cached(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL),
		 c = port_add("c", NULL);
	struct flow_actions to_table = {0}, to_both = {0}, normal = {0};
	struct dp_rule *first, *second;
	uint64_t packets, bytes, used_ns;
	struct dp_table_stats table, before;
	struct flow_number *number;
	struct dp_port_stats stats;
	uint8_t frame[2048];

	(void)state;
	number = flow_actions_add(&to_table, ACTION_GOTO_TABLE, sizeof(*number));
	number->value = 1;
	add_output(&to_both, port_numbers[b]);
	add_output(&to_both, port_numbers[c]);
	add_output(&normal, FLOW_PORT_NORMAL);
	dp_bridge_clear_rules(bridge);
	dp_table_get_stats(bridge, 0, &before);
	first = rule_add(0, 9, 1, &to_table);
	second = rule_add(1, 0, 0, &to_both);
	dp_publish(bridge);
	dp_synchronize();
	for (int i = 0; i < 5; i++) {
		send_frame(a, 7, 1, -1);
		assert_int_equal(take(b, frame, WAIT_NS), 64);
		assert_int_equal(take(c, frame, WAIT_NS), 64);
		/* No rule for it. */
		send_frame(a, 7, 2, -1);
	}
	settle();
	assert_int_equal(take(b, frame, 0), 0);
	dp_port_get_stats(a, &stats);
	assert_int_equal(stats.rx_dropped, 5);
	dp_rule_get_stats(first, &packets, &bytes, &used_ns);
	assert_int_equal(packets, 5);
	assert_int_equal(bytes, 5 * 64);
	assert_true(used_ns > 0 && used_ns <= dp_time_ns());
	dp_rule_get_stats(second, &packets, &bytes, &used_ns);
	assert_int_equal(packets, 5);
	dp_table_get_stats(bridge, 0, &table);
	assert_int_equal(table.lookups - before.lookups, 10);
	assert_int_equal(table.matched - before.matched, 5);
	/* What is not published is not seen. */
	dp_rule_del(first);
	dp_rule_del(second);
	rule_add(0, 0, 0, &normal);
	send_frame(a, 7, 2, -1);
	settle();
	assert_int_equal(take(b, frame, 0), 0);
	dp_publish(bridge);
	dp_synchronize();
	send_frame(a, 7, 2, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 64);
	flow_actions_destroy(&to_table);
	flow_actions_destroy(&to_both);
	flow_actions_destroy(&normal);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
}

static void
test_counts_outlive_entries_of_the_cache(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL);
	struct flow_actions to_b = {0}, drop = {0};
	uint64_t packets, bytes, used_ns;
	struct dp_rule *rule, *other;
	uint8_t frame[2048];

	(void)state;
	add_output(&to_b, port_numbers[b]);
	dp_bridge_clear_rules(bridge);
	rule = rule_add(0, 1, 0, &to_b);
	for (int i = 0; i < 20; i++) {
		/* Every other packet meets another version. */
		other = rule_add(0, 0, (uint8_t)(100 + i), &drop);
		dp_publish(bridge);
		dp_synchronize();
		for (int k = 0; k < 3; k++) {
			send_frame(a, 7, 1, -1);
			assert_int_equal(take(b, frame, WAIT_NS), 64);
		}
		if (i % 2)
			dp_rule_del(other);
	}
	settle();
	dp_rule_get_stats(rule, &packets, &bytes, &used_ns);
	assert_int_equal(packets, 60);
	flow_actions_destroy(&to_b);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_bad_masks_are_refused(void **state)
{
	uint8_t mask[DP_CPUS_MAX / 8] = {0};
	struct error err;

	(void)state;
	mask[DP_CPUS_MAX / 8 - 1] = 0x80;
	assert_int_equal(dp_check_cpu_mask(mask, &err), -EINVAL);
	assert_non_null(strstr(err.text, "pmd-cpu-mask"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_is_flooded_and_learned_is_not),
		cmocka_unit_test(test_vlans_separate_and_tags_follow_the_port),
		cmocka_unit_test(test_copies_of_a_flood_have_their_own_tags),
		cmocka_unit_test(test_hostile_frames_are_dropped_and_counted),
		cmocka_unit_test(test_policing_drops_the_excess),
		cmocka_unit_test(test_rules_replace_normal_and_are_cached),
		cmocka_unit_test(test_counts_outlive_entries_of_the_cache),
		cmocka_unit_test(test_bad_masks_are_refused),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
