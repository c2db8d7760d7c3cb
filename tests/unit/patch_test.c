/* patch_test.c - patch ports between bridges: frames cross and come back, peers come and
 * go, a ring of bridges ends, and what a packet keeps on its way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/dummy_net.h"

static uint32_t first_bridge, second_bridge;

static int
two_bridges_start(void **state)
{
	struct dp_bridge_config config = {.name = "br1"};
	struct error err = {""};

	if (dummy_net_start(state) < 0)
		return -1;
	first_bridge = bridge;
	return dp_bridge_add(&config, &second_bridge, &err);
}

static uint32_t
port_add_at(uint32_t where, const char *name)
{
	uint32_t id;

	bridge = where;
	id = port_add(name, NULL);
	bridge = first_bridge;
	return id;
}

static const struct dp_port_settings plain = {.vlan_tag = DP_VLAN_NONE,
                                              .egress_class = -1};

static int
patch_add(uint32_t where, const char *name, const char *peer, uint32_t *id)
{
	static uint16_t number = 1000;
	struct dp_port_config config = {.type = DP_PORT_PATCH,
	                                .bridge_id = where,
	                                .ofport = ++number,
	                                .settings = plain};
	struct error err = {""};
	int ret;

	snprintf(config.name, sizeof(config.name), "%s", name);
	snprintf(config.settings.peer, sizeof(config.settings.peer), "%s", peer);
	ret = dp_port_add(&config, id, &err);
	if (ret == 0)
		port_numbers[*id % DP_PORTS_MAX] = number;
	return ret;
}

struct found {
	const char *name;
	uint64_t value;
};

static void
note_counter(const char *name, uint64_t value, void *aux)
{
	struct found *found = aux;

	if (!strcmp(name, found->name))
		found->value = value;
}

static uint64_t
counter(uint32_t port, const char *name)
{
	struct found found = {name, 0};

	dp_port_counters(port, note_counter, &found);
	return found.value;
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

/*  a --- first === second --- b */
static void
test_frames_cross_and_addresses_are_learned(void **state)
{
	uint32_t a = port_add_at(first_bridge, "a"),
		 other = port_add_at(first_bridge, "o"),
		 b = port_add_at(second_bridge, "b"), left, right;
	struct dp_port_status at_left, at_right;
	struct dp_port_stats sent, received;
	uint8_t frame[2048];

	(void)state;
	assert_int_equal(patch_add(first_bridge, "left", "right", &left), 0);
	assert_int_equal(patch_add(second_bridge, "right", "left", &right), 0);
	send_frame(a, 2, 1, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 64);
	settle();
	assert_int_equal(drain(other), 1);
	send_frame(b, 1, 2, -1);
	assert_int_equal(take(a, frame, WAIT_NS), 64);
	settle();
	for (int i = 0; i < 200; i++)
		send_frame(a, 2, 1, -1);
	settle();
	assert_int_equal(drain(b), 200);
	assert_int_equal(drain(other), 0); /* the way is known: no flood */
	assert_int_equal(dp_port_get_status(left, &at_left), 0);
	assert_int_equal(dp_port_get_status(right, &at_right), 0);
	assert_true(at_left.link_up);
	assert_int_equal(at_left.mac[0] & 3, 2);
	assert_memory_not_equal(at_left.mac, at_right.mac, 6);
	assert_int_equal(dp_port_get_stats(left, &sent), 0);
	assert_int_equal(dp_port_get_stats(right, &received), 0);
	assert_int_equal(sent.tx_packets, 201);
	assert_int_equal(sent.tx_bytes, 201 * 64);
	assert_int_equal(received.rx_packets, 201);
	assert_int_equal(received.rx_bytes, 201 * 64);
	assert_int_equal(sent.rx_packets, 1);
	assert_int_equal(received.tx_packets, 1);
	dp_port_del(a);
	dp_port_del(other);
	dp_port_del(b);
	dp_port_del(left);
	dp_port_del(right);
}

/* A peer may come later, must name this port too, and may go while packets flow. */
static void
test_peers_come_and_go(void **state)
{
	uint32_t a = port_add_at(first_bridge, "a"), b = port_add_at(second_bridge, "b"),
		 left, right, bad;
	struct dp_port_settings settings = plain;
	struct error err;
	uint8_t frame[2048];

	(void)state;
	assert_int_equal(patch_add(first_bridge, "left", "", &bad), -EINVAL);
	assert_int_equal(patch_add(first_bridge, "left", "left", &bad), -EINVAL);
	assert_int_equal(patch_add(first_bridge, "left", "right", &left), 0);
	send_frame(a, 2, 1, -1);
	settle();
	assert_int_equal(counter(left, "drop_tx_not_connected"), 1);
	assert_int_equal(patch_add(second_bridge, "right", "elsewhere", &right), 0);
	send_frame(a, 2, 1, -1);
	send_frame(b, 1, 2, -1);
	settle();
	assert_int_equal(counter(left, "drop_tx_not_connected"), 2);
	assert_int_equal(counter(right, "drop_tx_not_connected"), 1);
	snprintf(settings.peer, sizeof(settings.peer), "left");
	assert_int_equal(dp_port_set(right, &settings, &err), 0);
	send_frame(a, 2, 1, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 64);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 50; i++)
			send_frame(a, 2, 1, -1);
		dp_port_del(right);
		assert_int_equal(patch_add(second_bridge, "right", "left", &right), 0);
		drain(b);
	}
	settle();
	drain(b);
	send_frame(a, 2, 1, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 64);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(left);
	dp_port_del(right);
}

/* What comes in by a patch port belongs to no one worker. */
static void
test_rates_of_arrival_are_refused(void **state)
{
	struct dp_port_settings settings = plain;
	struct error err = {""};
	uint32_t left;

	(void)state;
	assert_int_equal(patch_add(first_bridge, "left", "right", &left), 0);
	snprintf(settings.peer, sizeof(settings.peer), "right");
	settings.policing_bps = 1000000;
	assert_int_equal(dp_port_set(left, &settings, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "patch port"));
	dp_port_del(left);
}

/* Three cables between two bridges: a broadcast would go round for ever, and grow. */
static void
test_a_ring_of_bridges_ends(void **state)
{
	static const char *const names[3][2] = {{"l0", "r0"}, {"l1", "r1"}, {"l2", "r2"}};
	uint32_t a = port_add_at(first_bridge, "a"), b = port_add_at(second_bridge, "b"),
		 ends[3][2];
	uint64_t loops = 0, full = 0;
	uint8_t frame[2048];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			patch_add(first_bridge, names[i][0], names[i][1], &ends[i][0]),
			0);
		assert_int_equal(
			patch_add(second_bridge, names[i][1], names[i][0], &ends[i][1]),
			0);
	}
	send_frame(a, 0xff, 1, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 64);
	settle();
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 2; k++) {
			loops += counter(ends[i][k], "drop_tx_patch_loop");
			full += counter(ends[i][k], "drop_tx_patch_full");
		}
	}
	assert_true(loops > 0);
	assert_true(full > 0);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 2; k++)
			dp_port_del(ends[i][k]);
	drain(a);
	drain(b);
	dp_port_del(a);
	dp_port_del(b);
}

static void
add_set(struct flow_actions *actions, enum flow_field_id field, uint8_t value)
{
	struct flow_set_field *set =
		flow_actions_add(actions, ACTION_SET_FIELD, sizeof(*set));

	set->field = field;
	set->value.bytes[3] = value;
	set->mask.bytes[3] = 0xff;
}

static void
add_output(struct flow_actions *actions, uint32_t port)
{
	struct flow_output *output =
		flow_actions_add(actions, ACTION_OUTPUT, sizeof(*output));

	output->port = port_numbers[port];
}

static struct dp_rule *
rule_add(uint32_t where, uint16_t priority, enum flow_field_id field, uint64_t value,
         struct flow_actions *actions)
{
	struct dp_rule_config config = {.priority = priority};
	struct dp_rule *rule = NULL;
	struct error err = {""};

	if (field != FIELD_NONE)
		flow_match_set_u64(&config.match, field, value);
	config.actions = actions->data;
	config.actions_bytes = actions->bytes;
	assert_int_equal(dp_rule_add(where, &config, &rule, &err), 0);
	flow_actions_clear(actions);
	return rule;
}

/* The mark goes along, registers do not. A packet of another mark is another packet for
 * the second bridge's cache. */
static void
test_a_mark_crosses_and_registers_do_not(void **state)
{
	uint32_t a = port_add_at(first_bridge, "a"), b = port_add_at(second_bridge, "b"),
		 c = port_add_at(second_bridge, "c2"),
		 wrong = port_add_at(second_bridge, "w"), left, right;
	struct flow_actions actions = {0};

	(void)state;
	assert_int_equal(patch_add(first_bridge, "left", "right", &left), 0);
	assert_int_equal(patch_add(second_bridge, "right", "left", &right), 0);
	dp_bridge_clear_rules(first_bridge);
	dp_bridge_clear_rules(second_bridge);
	add_set(&actions, FIELD_REG0, 9);
	add_set(&actions, FIELD_PACKET_MARK, 5);
	add_output(&actions, left);
	add_set(&actions, FIELD_PACKET_MARK, 0);
	add_output(&actions, left);
	rule_add(first_bridge, 0, FIELD_NONE, 0, &actions);
	add_output(&actions, b);
	rule_add(second_bridge, 1, FIELD_PACKET_MARK, 5, &actions);
	add_output(&actions, c);
	rule_add(second_bridge, 0, FIELD_NONE, 0, &actions);
	add_output(&actions, wrong);
	rule_add(second_bridge, 2, FIELD_REG0, 9, &actions);
	dp_publish(first_bridge);
	dp_publish(second_bridge);
	dp_synchronize();
	for (int i = 0; i < 100; i++)
		send_frame(a, 2, 1, -1);
	settle();
	assert_int_equal(drain(b), 100);
	assert_int_equal(drain(c), 100);
	assert_int_equal(drain(wrong), 0);
	flow_actions_destroy(&actions);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
	dp_port_del(wrong);
	dp_port_del(left);
	dp_port_del(right);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_cross_and_addresses_are_learned),
		cmocka_unit_test(test_peers_come_and_go),
		cmocka_unit_test(test_rates_of_arrival_are_refused),
		cmocka_unit_test(test_a_ring_of_bridges_ends),
		cmocka_unit_test(test_a_mark_crosses_and_registers_do_not),
	};

	return cmocka_run_group_tests(tests, two_bridges_start, dummy_net_stop);
}
