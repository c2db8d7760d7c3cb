/* flow_tables_test.c - tables of a switch as the configuration has them: names, limits,
 * and which rules full ones give up. Main thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/ofproto_client.h"
#include "vswitchd/openflow_config.h"

static struct client c;

static int
setup(void **state)
{
	ofproto_setup(state);
	client_open(&c, OF14, false);
	return 0;
}

static int
teardown(void **state)
{
	client_close(&c);
	return ofproto_teardown(state);
}

static void
configure(const struct ofproto_table *tables, size_t n)
{
	static const struct ofproto_controller controller = {.target = "tcp:127.0.0.1:1"};
	const struct ofproto_config config = {
		.bridge_name = "br0",
		.datapath_id = 0x1234,
		.controllers = &controller,
		.n_controllers = 1,
		.tables = tables,
		.n_tables = n,
	};

	ofproto_configure(ofproto, &config);
}

/* Of table 0; 'field' FIELD_NONE: one group. */
static void
limit(uint32_t flow_limit, bool evicts, enum flow_field_id field)
{
	struct ofproto_table table = {.flow_limit = flow_limit, .evicts = evicts};

	if (field != FIELD_NONE)
		flow_field_add_mask(field, &table.evict_by, NULL);
	configure(&table, 1);
}

static const char *
add(const char *text)
{
	return client_flow(&c, OF_FLOW_ADD, text);
}

/* Which of 'in_port=1'... are there, by their digits. */
static const char *
ports_with_rules(void)
{
	static char found[16];
	char *rules = ofproto_rules(), *at = rules;
	size_t n = 0;

	while ((at = strstr(at, "in_port=")) && n + 1 < sizeof(found))
		found[n++] = (at += strlen("in_port="))[0];
	found[n] = '\0';
	free(rules);
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k && found[k] < found[k - 1]; k--) {
			const char less = found[k];

			found[k] = found[k - 1];
			found[k - 1] = less;
		}
	return found;
}

static void
full_tables_refuse(void **state)
{
	(void)state;
	limit(2, false, FIELD_NONE);
	assert_string_equal(add("in_port=1,idle_timeout=5,actions=drop"), "");
	assert_string_equal(add("in_port=2,actions=drop"), "");
	assert_string_equal(add("in_port=3,actions=drop"), "OFPFMFC_TABLE_FULL");
	/* One that is there is replaced; other tables have room. */
	assert_string_equal(add("in_port=2,actions=output:1"), "");
	assert_string_equal(add("table=1,in_port=4,actions=drop"), "");
	assert_string_equal(ports_with_rules(), "124");
	/* What is there already stays. */
	limit(0, false, FIELD_NONE);
	assert_string_equal(ports_with_rules(), "124");
	assert_string_equal(add("in_port=3,actions=drop"), "OFPFMFC_TABLE_FULL");
	configure(NULL, 0);
	assert_string_equal(add("in_port=3,actions=drop"), "");
}

static void
full_tables_evict_what_ends_first(void **state)
{
	(void)state;
	limit(3, true, FIELD_NONE);
	add("in_port=1,actions=drop");
	add("in_port=2,hard_timeout=100,actions=drop");
	add("in_port=3,idle_timeout=30,actions=drop");
	add("in_port=4,actions=drop");
	assert_string_equal(ports_with_rules(), "124");
	add("in_port=5,actions=drop");
	assert_string_equal(ports_with_rules(), "145");
	/* None is left that ends. */
	assert_string_equal(add("in_port=6,hard_timeout=1,actions=drop"),
	                    "OFPFMFC_TABLE_FULL");
	/* A rule that gets a timeout may go, one that loses its own may not. */
	add("in_port=4,idle_timeout=9,actions=drop");
	add("in_port=5,idle_timeout=8,actions=drop");
	add("in_port=5,actions=drop");
	add("in_port=6,actions=drop");
	assert_string_equal(ports_with_rules(), "156");
}

static void
packets_put_an_end_off(void **state)
{
	struct flow_match match = {0};

	(void)state;
	limit(3, true, FIELD_NONE);
	add("in_port=1,idle_timeout=10,actions=drop");
	ofproto_advance(2000);
	add("table=1,in_port=9,actions=drop");
	add("in_port=2,idle_timeout=10,actions=drop");
	add("in_port=3,idle_timeout=12,actions=drop");
	ofproto_advance(1000);
	flow_match_set_u64(&match, FIELD_IN_PORT, 1);
	fake_flows_count(flow_table_find(&ofproto->tables[0], &match, 32768)->dp, 1, 60);
	add("in_port=4,actions=drop");
	assert_string_equal(ports_with_rules(), "1349");
}

static void
importance_comes_before_time(void **state)
{
	(void)state;
	limit(2, true, FIELD_NONE);
	add("in_port=1,hard_timeout=10,importance=2,actions=drop");
	add("in_port=2,hard_timeout=99,importance=1,actions=drop");
	add("in_port=3,hard_timeout=5,importance=3,actions=drop");
	assert_string_equal(ports_with_rules(), "13");
}

static void
the_largest_group_gives_one_up(void **state)
{
	(void)state;
	limit(4, true, FIELD_ETH_TYPE);
	add("ip,in_port=1,hard_timeout=50,actions=drop");
	add("ip,in_port=2,hard_timeout=60,actions=drop");
	add("arp,in_port=3,hard_timeout=1,actions=drop");
	add("in_port=4,hard_timeout=2,actions=drop"); /* as eth_type 0 */
	add("arp,in_port=5,hard_timeout=40,actions=drop");
	assert_string_equal(ports_with_rules(), "2345");
	add("ipv6,in_port=6,actions=drop"); /* in no group: it does not end */
	assert_string_equal(ports_with_rules(), "2456");
	/* Without groups the one that ends first. */
	limit(4, true, FIELD_NONE);
	add("in_port=7,actions=drop");
	assert_string_equal(ports_with_rules(), "2567");
}

static void
a_lower_limit_evicts_at_once(void **state)
{
	struct of_msg msg;
	bool has_come = false;

	(void)state;
	add("send_flow_rem,in_port=1,hard_timeout=9,actions=drop");
	add("in_port=2,actions=drop");
	add("in_port=3,hard_timeout=10,actions=drop");
	limit(2, true, FIELD_NONE);
	assert_string_equal(ports_with_rules(), "23");
	while (client_take(&c, &msg)) {
		has_come |= msg.kind == OFM_FLOW_REMOVED && msg.flow_removed.reason == 5;
		of_msg_destroy(&msg);
	}
	assert_true(has_come);
	/* Those that do not end stay, more than may be. */
	limit(0, true, FIELD_NONE);
	assert_string_equal(ports_with_rules(), "2");
}

/* Bit by bit, if it is much. */
static void
a_large_excess_goes_in_rounds(void **state)
{
	char text[64];
	int left;

	(void)state;
	for (int i = 0; i < 12000; i++) {
		snprintf(text, sizeof(text), "reg0=%d,hard_timeout=500,actions=drop", i);
		add(text);
	}
	limit(5, true, FIELD_REG0);
	left = fake_flows.n_rules;
	assert_true(left > 5 && left < 12000);
	for (int i = 0; i < 20 && fake_flows.n_rules > 5; i++)
		ofproto_advance(100);
	assert_int_equal(fake_flows.n_rules, 5);
}

/* An add that fails gives back what made room for it. */
static void
what_was_evicted_in_vain_comes_back(void **state)
{
	(void)state;
	limit(1, true, FIELD_NONE);
	add("in_port=1,hard_timeout=9,actions=drop");
	fake_flows.fail_adds_after = 0;
	assert_string_equal(add("in_port=2,actions=drop"), "OFPFMFC_TABLE_FULL");
	fake_flows.fail_adds_after = -1;
	assert_string_equal(ports_with_rules(), "1");
	add("in_port=3,actions=drop");
	assert_string_equal(ports_with_rules(), "3");
}

/* OpenFlow's own switch for the same: on while either asks. */
static void
controllers_let_tables_evict(void **state)
{
	struct of_msg msg;

	(void)state;
	limit(1, false, FIELD_NONE);
	add("in_port=1,hard_timeout=9,actions=drop");
	for (uint32_t config = 4;; config = 0) {
		client_init(&c, OFM_TABLE_MOD, &msg);
		msg.table_mod.config = config;
		client_say(&c, &msg);
		of_msg_destroy(&msg);
		assert_string_equal(client_error(&c), "");
		if (!config)
			break;
		add("in_port=2,hard_timeout=9,actions=drop");
		assert_string_equal(ports_with_rules(), "2");
	}
	assert_string_equal(add("in_port=3,actions=drop"), "OFPFMFC_TABLE_FULL");
	limit(1, true, FIELD_NONE);
	assert_string_equal(add("in_port=3,actions=drop"), "");
}

/* "name max_entries" of a table's features. */
static const char *
features_of(uint8_t table)
{
	static char text[64];
	struct of_msg msg;

	text[0] = '\0';
	client_init(&c, OFM_TABLE_FEATURES_REQUEST, &msg);
	client_say(&c, &msg);
	of_msg_destroy(&msg);
	while (client_take(&c, &msg)) {
		for (size_t i = 0; msg.kind == OFM_TABLE_FEATURES_REPLY && i < msg.n; i++)
			if (msg.table_features[i].table == table)
				snprintf(text, sizeof(text), "%s %u",
				         msg.table_features[i].name,
				         msg.table_features[i].max_entries);
		of_msg_destroy(&msg);
	}
	return text;
}

static void
names_and_limits_are_told(void **state)
{
	const struct ofproto_table tables[] = {
		{.table = 1, .name = "first", .flow_limit = 7},
		{.table = 5,
	         .name = "0123456789012345678901234567890123456789",
	         .flow_limit = UINT32_MAX},
		{.table = 254, .name = "the switch's own", .flow_limit = 1},
	};

	(void)state;
	configure(tables, 3);
	assert_string_equal(features_of(0), " 1000000");
	assert_string_equal(features_of(1), "first 7");
	assert_string_equal(features_of(5), "0123456789012345678901234567890 1000000");
	configure(tables + 1, 1);
	assert_string_equal(features_of(1), " 1000000");
}

/* Asks for features of a table: the error, or "". 'name' NULL: for what it has. */
static const char *
ask_for(uint8_t table, const char *name, void (*change)(struct of_table_features *))
{
	struct of_table_features asked = {.table = table};
	struct of_msg msg;

	client_init(&c, OFM_TABLE_FEATURES_REQUEST, &msg);
	client_say(&c, &msg);
	of_msg_destroy(&msg);
	while (client_take(&c, &msg)) {
		for (size_t i = 0; msg.kind == OFM_TABLE_FEATURES_REPLY && i < msg.n; i++)
			if (msg.table_features[i].table == table)
				asked = msg.table_features[i];
		of_msg_destroy(&msg);
	}
	assert_true(asked.has_properties);
	if (name)
		snprintf(asked.name, sizeof(asked.name), "%s", name);
	if (change)
		change(&asked);
	client_init(&c, OFM_TABLE_FEATURES_REQUEST, &msg);
	msg.n = 1;
	msg.table_features = &asked;
	client_say(&c, &msg);
	msg.n = 0;
	msg.table_features = NULL;
	of_msg_destroy(&msg);
	return client_error(&c);
}

static void
ask_for_more_rules(struct of_table_features *features)
{
	features->max_entries++;
}

static void
ask_for_another_instruction(struct of_table_features *features)
{
	features->instructions[0] |= 1U << 9;
}

static void
ask_for_one_action(struct of_table_features *features)
{
	features->actions[0][0] = features->actions[0][0] & 1U << ACTION_OUTPUT;
}

static void
controllers_name_tables(void **state)
{
	const struct ofproto_table table = {.table = 1, .name = "first", .flow_limit = 7};

	(void)state;
	assert_string_equal(ask_for(1, "mine", NULL), "");
	assert_string_equal(features_of(1), "mine 1000000");
	/* The configuration's name is stronger; nobody's is nobody's. */
	configure(&table, 1);
	assert_string_equal(features_of(1), "first 7");
	assert_string_equal(ask_for(1, "mine", NULL), "OFPTFFC_EPERM");
	assert_string_equal(ask_for(1, "first", NULL), "");
	assert_string_equal(ask_for(1, "", NULL), "");
	assert_string_equal(features_of(1), "first 7");
	configure(NULL, 0);
	assert_string_equal(features_of(1), " 1000000");
	/* What tables can do stays. */
	assert_string_equal(ask_for(2, "two", ask_for_more_rules), "OFPTFFC_EPERM");
	assert_string_equal(ask_for(2, "two", ask_for_another_instruction),
	                    "OFPTFFC_EPERM");
	assert_string_equal(features_of(2), " 1000000");
	assert_string_equal(ask_for(2, "two", ask_for_one_action), "");
	assert_string_equal(features_of(2), "two 1000000");
	assert_string_equal(ask_for(2, "", NULL), "");
	assert_string_equal(features_of(2), " 1000000");
}

static void
configurations_are_copied_and_compared(void **state)
{
	struct ofproto_table table = {.table = 3, .name = "x", .flow_limit = 4};
	struct ofproto_config config = {
		.bridge_name = "br0", .tables = &table, .n_tables = 1};
	struct ofproto_config *copy = openflow_config_copy(&config, false);

	(void)state;
	assert_true(openflow_config_equal(copy, &config));
	table.name = "y";
	assert_false(openflow_config_equal(copy, &config));
	table.name = "x";
	table.flow_limit = 5;
	assert_false(openflow_config_equal(copy, &config));
	table.flow_limit = 4;
	table.evicts = true;
	assert_false(openflow_config_equal(copy, &config));
	table.evicts = false;
	flow_field_add_mask(FIELD_IN_PORT, &table.evict_by, NULL);
	assert_false(openflow_config_equal(copy, &config));
	config.n_tables = 0;
	assert_false(openflow_config_equal(copy, &config));
	openflow_config_free(copy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(full_tables_refuse),
		TEST(full_tables_evict_what_ends_first),
		TEST(packets_put_an_end_off),
		TEST(importance_comes_before_time),
		TEST(the_largest_group_gives_one_up),
		TEST(a_lower_limit_evicts_at_once),
		TEST(a_large_excess_goes_in_rounds),
		TEST(what_was_evicted_in_vain_comes_back),
		TEST(controllers_let_tables_evict),
		TEST(names_and_limits_are_told),
		TEST(controllers_name_tables),
		TEST(configurations_are_copied_and_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
