/* egress_test.c - packets on their way to a port go through the egress tables: one port
 * or many, with what earlier tables noted, and not a second time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/dummy_net.h"
#include "support/text_rules.h"

#define FIRST_TABLE 5

static uint32_t a, b, c;

static int
ports_start(void **state)
{
	if (dummy_net_start(state))
		return -1;
	a = port_add_number("a", 1, NULL);
	b = port_add_number("b", 2, NULL);
	c = port_add_number("c", 3, NULL);
	return 0;
}

#define rules(...)                                               \
	do {                                                     \
		text_rules(bridge, __VA_ARGS__);                 \
		dp_bridge_set_egress_table(bridge, FIRST_TABLE); \
		dp_publish(bridge);                              \
		dp_synchronize();                                \
	} while (0)

/* The last byte of the destination of the only frame that comes out there: what the rules
 * below write. -1: none comes. */
static int
mark_at(uint32_t port)
{
	uint8_t frame[2048];
	int mark;

	if (!take(port, frame, 0))
		return -1;
	mark = frame[5];
	assert_int_equal(take(port, frame, 0), 0);
	return mark;
}

/* Sends a frame to host 7 in by a; where it comes out by then. */
static void
send_and_settle(void)
{
	send_frame(a, 7, 1, -1);
	settle();
}

#define MARK(n) "set_field:02:00:00:00:00:" #n "->eth_dst"

static void
test_a_port_has_its_own_rules(void **state)
{
	(void)state;
	rules("table=0,actions=output:2,output:3",
	      "table=5,actset_output=2,actions=" MARK(22),
	      "table=5,priority=1,actions=clear_actions", NULL);
	send_and_settle();
	assert_int_equal(mark_at(b), 0x22);
	assert_int_equal(mark_at(c), -1);
	/* A miss drops, as in any table. */
	rules("table=0,actions=output:2", "table=5,actset_output=3,actions=" MARK(22),
	      NULL);
	send_and_settle();
	assert_int_equal(mark_at(b), -1);
	/* A rule that says nothing lets it out as it is. */
	rules("table=0,actions=output:2", "table=5,actions=drop", NULL);
	send_and_settle();
	assert_int_equal(mark_at(b), 7);
}

static void
test_floods_and_normal_go_port_by_port(void **state)
{
	static const char *const actions[] = {"flood", "all", "normal"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "table=0,actions=%s", actions[i]);
		rules(text, "table=5,actset_output=2,actions=" MARK(22),
		      "table=5,actset_output=3,actions=" MARK(33) ",goto_table:6",
		      "table=6,actions=drop", NULL);
		send_and_settle();
		assert_int_equal(mark_at(a), -1);
		assert_int_equal(mark_at(b), 0x22);
		assert_int_equal(mark_at(c), 0x33);
	}
}

static void
test_what_tables_noted_is_kept(void **state)
{
	(void)state;
	rules("table=0,in_port=1,actions=load:7->NXM_NX_REG3[],write_metadata:0x9,goto_table:1",
	      "table=1,actions=output:2,load:8->NXM_NX_REG3[],output:3",
	      "table=5,in_port=1,reg3=7,metadata=9,actset_output=2,actions=" MARK(22),
	      "table=5,in_port=1,reg3=8,metadata=9,actset_output=3,actions=" MARK(33),
	      NULL);
	send_and_settle();
	assert_int_equal(mark_at(b), 0x22);
	assert_int_equal(mark_at(c), 0x33);
}

/* What an egress table sends is not subject to egress tables: mirrors make no loops. */
static void
test_copies_go_out_at_once(void **state)
{
	(void)state;
	rules("table=0,actions=output:2",
	      "table=5,actset_output=2,actions=output:3,normal," MARK(22),
	      "table=5,actset_output=3,actions=clear_actions", NULL);
	send_and_settle();
	/* At b the flood's and the port's own. */
	for (int i = 0; i < 2; i++) {
		uint8_t frame[2048];

		assert_int_equal(take(b, frame, 0), 64);
		assert_int_equal(frame[5], i ? 0x22 : 7);
		assert_int_equal(take(c, frame, 0), 64);
		assert_int_equal(frame[5], 7);
	}
	assert_int_equal(mark_at(b), -1);
	assert_int_equal(mark_at(c), -1);
}

static void
test_groups_and_the_port_of_arrival(void **state)
{
	struct flow_output in_port = {{.type = ACTION_OUTPUT, .bytes = sizeof(in_port)},
	                              .port = FLOW_PORT_IN_PORT},
			   to_c = {{.type = ACTION_OUTPUT, .bytes = sizeof(to_c)},
	                           .port = 3};
	struct dp_bucket buckets[2] = {
		{1, FLOW_PORT_NONE, FLOW_PORT_NONE, &in_port, sizeof(in_port)},
		{1, FLOW_PORT_NONE, FLOW_PORT_NONE, &to_c, sizeof(to_c)},
	};
	struct dp_group_config group = {
		.number = 4, .type = DP_GROUP_ALL, .buckets = buckets, .n_buckets = 2};
	struct error err = {""};

	(void)state;
	rules("table=0,actions=group:4", "table=5,actset_output=1,actions=" MARK(11),
	      "table=5,actset_output=3,actions=" MARK(33), NULL);
	assert_int_equal(dp_group_set(bridge, &group, &err), 0);
	dp_publish(bridge);
	dp_synchronize();
	send_and_settle();
	assert_int_equal(mark_at(a), 0x11);
	assert_int_equal(mark_at(b), -1);
	assert_int_equal(mark_at(c), 0x33);
}

/* Tags are pushed and headers read again on the way out. */
static void
test_headers_are_read_again(void **state)
{
	(void)state;
	rules("table=0,actions=push_mpls:0x8847,output:2",
	      "table=5,mpls,actions=pop_mpls:0x0800,goto_table:6",
	      "table=6,eth_type=0x0800,actset_output=2,actions=" MARK(22), NULL);
	send_and_settle();
	assert_int_equal(mark_at(b), 0x22);
}

static void
test_without_egress_tables_rules_go_out(void **state)
{
	(void)state;
	text_rules(bridge, "table=0,actions=output:2", "table=5,actions=clear_actions",
	           NULL);
	dp_synchronize();
	send_and_settle();
	assert_int_equal(mark_at(b), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port_has_its_own_rules),
		cmocka_unit_test(test_floods_and_normal_go_port_by_port),
		cmocka_unit_test(test_what_tables_noted_is_kept),
		cmocka_unit_test(test_copies_go_out_at_once),
		cmocka_unit_test(test_groups_and_the_port_of_arrival),
		cmocka_unit_test(test_headers_are_read_again),
		cmocka_unit_test(test_without_egress_tables_rules_go_out),
	};

	return cmocka_run_group_tests(tests, ports_start, dummy_net_stop);
}
