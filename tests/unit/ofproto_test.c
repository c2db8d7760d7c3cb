/* ofproto_test.c - rules and groups of a switch: flow-mods, timeouts, group-mods,
 * bundles, learning. Main thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/ofproto_client.h"
#include "vswitchd/ofproto/references.h"

/* ---- flow-mods ---- */

static void
flow_mods_work(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	assert_string_equal(
		client_flow(&c, OF_FLOW_ADD, "priority=5,in_port=1,actions=output:2"),
		"");
	fake_flows_count(ofproto_dp_rule(0), 3, 300);
	/* An identical one replaces it, and keeps its counters unless it says so. */
	client_flow(&c, OF_FLOW_ADD, "priority=5,in_port=1,cookie=1,actions=output:3");
	assert_rules("n_packets=3, n_bytes=300, cookie=0x1, "
	             "priority=5,in_port=1,actions=output:3;");
	client_flow(&c, OF_FLOW_ADD, "reset_counts,priority=5,in_port=1,actions=drop");
	assert_rules("n_packets=0, n_bytes=0, reset_counts "
	             "priority=5,in_port=1,actions=drop;");
	/* A modify that finds nothing adds nothing. */
	client_flow(&c, OF_FLOW_MODIFY, "in_port=2,actions=output:1");
	assert_int_equal(fake_flows.n_rules, 1);
	client_flow(&c, OF_FLOW_MODIFY_STRICT, "priority=6,in_port=1,actions=output:1");
	client_flow(&c, OF_FLOW_MODIFY, "actions=output:1");
	assert_rules("n_packets=0, n_bytes=0, reset_counts "
	             "priority=5,in_port=1,actions=output:1;");
	client_flow(&c, OF_FLOW_DELETE, "out_port=2");
	assert_int_equal(fake_flows.n_rules, 1);
	client_flow(&c, OF_FLOW_DELETE, "cookie=1/-1");
	assert_int_equal(fake_flows.n_rules, 1);
	client_flow(&c, OF_FLOW_DELETE_STRICT, "priority=4,in_port=1");
	assert_int_equal(fake_flows.n_rules, 1);
	client_flow(&c, OF_FLOW_DELETE, "out_port=1");
	assert_int_equal(fake_flows.n_rules, 0);
	client_close(&c);
}

static void
old_flow_mods_differ(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF10, false);
	client_flow(&c, OF_FLOW_MODIFY, "in_port=2,actions=output:1");
	assert_int_equal(fake_flows.n_rules, 1); /* added */
	fake_flows_count(ofproto_dp_rule(0), 3, 300);
	client_flow(&c, OF_FLOW_ADD, "in_port=2,actions=output:2");
	assert_rules("n_packets=0, n_bytes=0, reset_counts in_port=2,actions=output:2;");
	client_close(&c);
}

static void
wrong_flow_mods_are_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{"table=254,actions=drop", "OFPBRC_EPERM"},
		{"table=5,actions=goto_table:4", "OFPBIC_BAD_TABLE_ID"},
		{"actions=group:7", "OFPBAC_BAD_OUT_GROUP"},
		{"actions=meter:7", "OFPMMFC_INVALID_METER"},
		{"ip,actions=ct(commit)", "OFPBAC_BAD_TYPE"},
		{"ip,actions=clone(ct(table=1))", "OFPBAC_BAD_TYPE"},
		{"ip,actions=write_actions(ct(table=1))", "OFPBAC_BAD_TYPE"},
		{"check_overlap,priority=5,in_port=1,actions=drop", "OFPFMFC_OVERLAP"},
	};
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	client_flow(&c, OF_FLOW_ADD, "priority=5,ip,actions=drop");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_string_equal(client_flow(&c, OF_FLOW_ADD, wrong[i].text),
		                    wrong[i].error);
	assert_int_equal(fake_flows.n_rules, 1);
	/* The identical rule does not count as an overlap. */
	assert_string_equal(
		client_flow(&c, OF_FLOW_ADD, "check_overlap,priority=5,ip,actions=drop"),
		"");
	fake_flows.fail_adds_after = 0;
	assert_string_equal(client_flow(&c, OF_FLOW_ADD, "priority=6,ip,actions=drop"),
	                    "OFPFMFC_TABLE_FULL");
	assert_int_equal(fake_flows.n_rules, 1);
	client_close(&c);
}

/* ---- timeouts ---- */

static int
removed_reason(struct client *client)
{
	struct of_msg msg;
	int reason = -1;

	while (client_take(client, &msg)) {
		if (msg.kind == OFM_FLOW_REMOVED)
			reason = msg.flow_removed.reason;
		of_msg_destroy(&msg);
	}
	return reason;
}

static void
rules_time_out(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	client_flow(&c, OF_FLOW_ADD,
	            "send_flow_rem,idle_timeout=10,in_port=1,actions=drop");
	for (int i = 0; i < 5; i++) {
		ofproto_advance(9000);
		fake_flows_count(ofproto_dp_rule(0), 1, 60);
	}
	assert_int_equal(fake_flows.n_rules, 1);
	assert_int_equal(removed_reason(&c), -1);
	ofproto_advance(10500);
	assert_int_equal(fake_flows.n_rules, 0);
	assert_int_equal(removed_reason(&c), 0);
	client_flow(&c, OF_FLOW_ADD,
	            "send_flow_rem,hard_timeout=1000,in_port=1,actions=drop");
	for (int i = 0; i < 99; i++)
		ofproto_advance(10000);
	assert_int_equal(fake_flows.n_rules, 1);
	ofproto_advance(10500);
	assert_int_equal(removed_reason(&c), 1);
	client_flow(&c, OF_FLOW_ADD, "send_flow_rem,in_port=1,actions=drop");
	client_close(&c);
}

/* ---- groups and meters ---- */

static void
make_group(const struct client *client, enum of_group_command command, uint32_t number,
           const char *actions, struct of_msg *msg)
{
	struct of_bucket *bucket;
	struct error err = {""};

	client_init(client, OFM_GROUP_MOD, msg);
	msg->group_mod.command = command;
	msg->group_mod.type = OF_GROUP_TYPE_ALL;
	msg->group_mod.group = number;
	msg->group_mod.bucket_id = OF_BUCKET_ALL;
	if (!actions)
		return;
	bucket = of_msg_alloc(msg, sizeof(*bucket));
	bucket->id = client->version == OF15 ? 0 : UINT32_MAX;
	bucket->watch_port = FLOW_PORT_NONE;
	bucket->watch_group = OF_GROUP_ANY;
	if (of_text_parse_actions(actions, NULL, &bucket->actions, &err))
		fail_msg("%s: %s", actions, err.text);
	msg->group_mod.buckets = bucket;
	msg->group_mod.n_buckets = 1;
}

static void
group_destroy(struct of_msg *msg)
{
	if (msg->group_mod.n_buckets)
		flow_actions_destroy(&msg->group_mod.buckets[0].actions);
	of_msg_destroy(msg);
}

/* One bucket of type all; 'actions' NULL: none. */
static const char *
group(struct client *client, enum of_group_command command, uint32_t number,
      const char *actions)
{
	struct of_msg msg;

	make_group(client, command, number, actions, &msg);
	client_say(client, &msg);
	group_destroy(&msg);
	return client_error(client);
}

static void
groups_form_no_loop(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	assert_string_equal(group(&c, OF_GROUP_ADD, 1, "output:1"), "");
	assert_string_equal(group(&c, OF_GROUP_ADD, 1, "output:1"),
	                    "OFPGMFC_GROUP_EXISTS");
	assert_string_equal(group(&c, OF_GROUP_ADD, 2, "group:1"), "");
	assert_string_equal(group(&c, OF_GROUP_ADD, 3, "group:2"), "");
	assert_string_equal(group(&c, OF_GROUP_MODIFY, 1, "group:3"), "OFPGMFC_LOOP");
	assert_string_equal(group(&c, OF_GROUP_ADD, 4, "group:4"), "OFPGMFC_LOOP");
	assert_string_equal(group(&c, OF_GROUP_MODIFY, 9, "output:1"),
	                    "OFPGMFC_UNKNOWN_GROUP");
	client_close(&c);
}

static const char *
meter(struct client *client, enum of_meter_command command, uint32_t number)
{
	struct of_band band = {.type = 1, .rate = 5};
	struct of_msg msg;

	client_init(client, OFM_METER_MOD, &msg);
	msg.meter_mod = (struct of_meter_mod){.command = command,
	                                      .flags = OF_METER_PKTPS,
	                                      .meter = number,
	                                      .bands = &band,
	                                      .n_bands = 1};
	client_say(client, &msg);
	of_msg_destroy(&msg);
	return client_error(client);
}

static void
controllers_have_a_meter(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	str_clear(&fake_flows.calls);
	assert_string_equal(meter(&c, OF_METER_MODIFY, OF_METER_CONTROLLER),
	                    "OFPMMFC_UNKNOWN_METER");
	assert_string_equal(meter(&c, OF_METER_ADD, OF_METER_CONTROLLER), "");
	assert_string_equal(meter(&c, OF_METER_ADD, OF_METER_CONTROLLER),
	                    "OFPMMFC_METER_EXISTS");
	assert_string_equal(meter(&c, OF_METER_ADD, OF_METER_SLOWPATH),
	                    "OFPMMFC_INVALID_METER");
	/* Rules name it by naming none. */
	assert_string_equal(client_flow(&c, OF_FLOW_ADD, "actions=meter:4294967294"),
	                    "OFPMMFC_INVALID_METER");
	assert_string_equal(
		client_flow(&c, OF_FLOW_ADD, "actions=controller(meter_id=4294967294)"),
		"OFPMMFC_INVALID_METER");
	assert_string_equal(meter(&c, OF_METER_DELETE, OF_METER_CONTROLLER), "");
	assert_string_equal(str_text(&fake_flows.calls),
	                    "meter+4294967294 meter-4294967294 ");
	client_close(&c);
}

/* However they use it; statistics count instructions alone. */
static void
rules_go_with_their_meter(void **state)
{
	struct client c;
	char *none, *left;

	(void)state;
	client_open(&c, OF15, false);
	none = ofproto_rules();
	assert_string_equal(meter(&c, OF_METER_ADD, 1), "");
	assert_string_equal(meter(&c, OF_METER_ADD, 2), "");
	client_flow(&c, OF_FLOW_ADD, "in_port=1,actions=meter:1,output:1");
	client_flow(&c, OF_FLOW_ADD, "in_port=2,actions=meter:2,controller(meter_id=1)");
	client_flow(&c, OF_FLOW_ADD, "in_port=3,actions=controller(meter_id=1)");
	client_flow(&c, OF_FLOW_ADD, "in_port=4,actions=clone(controller(meter_id=1))");
	client_flow(&c, OF_FLOW_ADD, "in_port=5,actions=meter:1");
	client_flow(&c, OF_FLOW_MODIFY, "in_port=5,actions=meter:2");
	assert_int_equal(switch_find_meter(ofproto, 1)->users->n, 1);
	assert_int_equal(switch_find_meter(ofproto, 2)->users->n, 2);
	assert_string_equal(meter(&c, OF_METER_DELETE, 1), "");
	assert_null(switch_find_meter(ofproto, 1));
	assert_int_equal(switch_find_meter(ofproto, 2)->users->n, 1);
	assert_string_equal(meter(&c, OF_METER_DELETE, OF_METER_ALL), "");
	left = ofproto_rules();
	assert_string_equal(left, none);
	free(left);
	free(none);
	client_close(&c);
}

static void
rules_go_with_their_group(void **state)
{
	struct of_msg msg;
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	group(&c, OF_GROUP_ADD, 1, "output:1");
	client_flow(&c, OF_FLOW_ADD, "send_flow_rem,in_port=1,actions=group:1");
	client_flow(&c, OF_FLOW_ADD, "in_port=2,actions=write_actions(group:1)");
	client_flow(&c, OF_FLOW_ADD, "in_port=3,actions=output:1");
	assert_int_equal(fake_flows.n_rules, 3);
	client_forget(&c);
	make_group(&c, OF_GROUP_DELETE, 1, NULL, &msg);
	client_say(&c, &msg);
	group_destroy(&msg);
	assert_int_equal(removed_reason(&c), 3);
	assert_int_equal(fake_flows.n_rules, 1);
	assert_int_equal(ofproto->groups.count, 0);
	client_close(&c);
}

/* ---- bundles ---- */

static void
bundle_control(struct client *client, enum of_bundle_control type)
{
	struct of_msg msg;

	client_init(client, OFM_BUNDLE_CONTROL, &msg);
	msg.is_nicira = client->version == OF13;
	msg.bundle.id = 1;
	msg.bundle.type = (uint16_t)type;
	msg.bundle.flags = 3;
	client_say(client, &msg);
	of_msg_destroy(&msg);
}

static void
bundle_message(struct client *client, struct of_msg *inner)
{
	struct str out = STR_INIT;
	struct of_msg msg;

	inner->xid = client->xid + 1;
	assert_int_equal(of_msg_encode(inner, &out), 0);
	client_init(client, OFM_BUNDLE_ADD, &msg);
	msg.is_nicira = client->version == OF13;
	msg.bundle.id = 1;
	msg.bundle.flags = 3;
	msg.bundle.message = (const uint8_t *)out.data;
	msg.bundle.n = out.length;
	client_say(client, &msg);
	of_msg_destroy(&msg);
	str_free(&out);
}

static void
bundle_flow(struct client *client, enum of_flow_command command, const char *text)
{
	struct of_msg msg;

	client_make_flow(client, command, text, &msg);
	bundle_message(client, &msg);
	flow_actions_destroy(&msg.flow_mod.actions);
	of_msg_destroy(&msg);
}

static void
bundle_group(struct client *client, enum of_group_command command, uint32_t number,
             const char *actions)
{
	struct of_msg msg;

	make_group(client, command, number, actions, &msg);
	bundle_message(client, &msg);
	group_destroy(&msg);
}

/* Changes of all kinds, of which the last one fails if 'fails'. */
static void
fill_bundle(struct client *client, bool fails)
{
	bundle_control(client, OF_BUNDLE_OPEN_REQUEST);
	bundle_group(client, OF_GROUP_ADD, 2, "output:1");
	bundle_group(client, OF_GROUP_MODIFY, 1, "output:3");
	bundle_flow(client, OF_FLOW_ADD, "priority=9,in_port=1,actions=group:2");
	bundle_flow(client, OF_FLOW_MODIFY, "in_port=1,actions=output:3");
	bundle_flow(client, OF_FLOW_ADD, "in_port=2,cookie=5,actions=output:3");
	bundle_flow(client, OF_FLOW_DELETE, "in_port=3");
	bundle_flow(client, OF_FLOW_ADD, "in_port=3,actions=output:1");
	bundle_flow(client, OF_FLOW_DELETE_STRICT, "priority=9,in_port=1");
	if (fails)
		bundle_flow(client, OF_FLOW_ADD, "in_port=1,actions=group:99");
}

static void
bundles_are_all_or_nothing(void **state)
{
	const enum of_version versions[] = {OF13, OF14, OF15};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		char *before, *after;
		const char *published;
		struct of_msg msg;
		struct client c;

		client_open(&c, versions[i], false);
		group(&c, OF_GROUP_ADD, 1, "output:1");
		client_flow(&c, OF_FLOW_ADD, "in_port=1,actions=group:1");
		client_flow(&c, OF_FLOW_ADD, "in_port=2,actions=output:1");
		client_flow(&c, OF_FLOW_ADD, "in_port=3,cookie=3,actions=output:2");
		fake_flows_count(ofproto_dp_rule(0), 5, 500);
		before = ofproto_rules();
		switch_publish(ofproto);
		client_forget(&c);
		fill_bundle(&c, true);
		assert_string_equal(client_error(&c), "");
		bundle_control(&c, OF_BUNDLE_COMMIT_REQUEST);
		assert_string_equal(client_error(&c), "OFPBAC_BAD_OUT_GROUP");
		after = ofproto_rules();
		assert_string_equal(before, after);
		free(after);
		assert_null(switch_find_group(ofproto, 2));
		assert_int_equal(switch_find_group(ofproto, 1)->users->n, 1);
		/* The datapath fails in the middle: the same. */
		fill_bundle(&c, false);
		fake_flows.fail_adds_after = 1;
		bundle_control(&c, OF_BUNDLE_COMMIT_REQUEST);
		assert_string_not_equal(client_error(&c), "");
		fake_flows.fail_adds_after = -1;
		/* And now for all. */
		ofproto_run();
		str_clear(&fake_flows.calls);
		fill_bundle(&c, false);
		bundle_control(&c, OF_BUNDLE_COMMIT_REQUEST);
		assert_string_equal(client_error(&c), "");
		published = strstr(str_text(&fake_flows.calls), "publish");
		assert_non_null(published);
		assert_null(strstr(published + 1, "publish"));
		assert_false(ofproto->is_dirty || ofproto->is_unsynced);
		after = ofproto_rules();
		assert_non_null(strstr(after, "in_port=1,actions=output:3"));
		assert_non_null(strstr(after, "cookie=0x5, in_port=2,actions=output:3"));
		assert_non_null(
			strstr(after, "n_packets=0, n_bytes=0, in_port=3,actions"));
		assert_null(strstr(after, "priority=9"));
		free(after);
		free(before);
		client_flow(&c, OF_FLOW_DELETE, "");
		make_group(&c, OF_GROUP_DELETE, OF_GROUP_ALL, NULL, &msg);
		client_say(&c, &msg);
		group_destroy(&msg);
		client_close(&c);
	}
}

static void
bundles_end(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF14, false);
	bundle_control(&c, OF_BUNDLE_COMMIT_REQUEST);
	assert_string_equal(client_error(&c), "OFPBFC_BAD_ID");
	bundle_control(&c, OF_BUNDLE_OPEN_REQUEST);
	bundle_control(&c, OF_BUNDLE_CLOSE_REQUEST);
	bundle_flow(&c, OF_FLOW_ADD, "actions=drop");
	assert_string_equal(client_error(&c), "OFPBFC_BUNDLE_CLOSED");
	bundle_control(&c, OF_BUNDLE_OPEN_REQUEST);
	client_forget(&c);
	ofproto_advance(11000);
	assert_string_equal(client_error(&c), "OFPBFC_TIMEOUT");
	client_close(&c);
}

static void
connection_ends(uint64_t rule_id, uint16_t idle_s, uint16_t hard_s)
{
	const struct dp_punt p = {.bridge_id = BRIDGE,
	                          .reason = DP_PUNT_FIN,
	                          .fin_rule = rule_id,
	                          .fin_idle_s = idle_s,
	                          .fin_hard_s = hard_s};

	fake_flows.punt(&p, fake_flows.punt_aux);
}

static void
rules_time_out_sooner(void **state)
{
	struct client c;
	uint64_t id;

	(void)state;
	client_open(&c, OF13, false);
	client_flow(&c, OF_FLOW_ADD,
	            "send_flow_rem,tcp,idle_timeout=60,hard_timeout=3,"
	            "actions=fin_timeout(idle_timeout=5,hard_timeout=10)");
	id = fake_flows.rule_id;
	/* The shorter one holds; a rule without any gets it. */
	connection_ends(id, 5, 10);
	ofproto_advance(3500);
	assert_int_equal(removed_reason(&c), 1);
	connection_ends(id, 1, 1); /* it is gone: nothing happens */
	client_flow(&c, OF_FLOW_ADD,
	            "send_flow_rem,tcp,actions=fin_timeout(idle_timeout=5)");
	assert_true(fake_flows.rule_id != id);
	id = fake_flows.rule_id;
	ofproto_advance(20000);
	assert_int_equal(fake_flows.n_rules, 1);
	fake_flows_count(ofproto_dp_rule(0), 1, 60);
	connection_ends(id, 5, 0);
	ofproto_advance(4000);
	assert_int_equal(fake_flows.n_rules, 1);
	ofproto_advance(1500);
	assert_int_equal(removed_reason(&c), 0);
	/* What a rule no longer does is not asked of it. */
	client_flow(&c, OF_FLOW_ADD, "tcp,actions=fin_timeout(idle_timeout=5)");
	id = fake_flows.rule_id;
	client_flow(&c, OF_FLOW_MODIFY, "tcp,actions=output:1");
	connection_ends(id, 5, 0);
	assert_rules("n_packets=0, n_bytes=0, tcp,actions=output:1;");
	client_close(&c);
}

/* ---- learning ---- */

static void
learn(const char *action, uint8_t mac, uint32_t in_port)
{
	struct flow_actions actions = {0};
	struct error err = {""};
	struct dp_punt p = {.bridge_id = BRIDGE, .reason = DP_PUNT_LEARN};

	if (of_text_parse_actions(action, NULL, &actions, &err))
		fail_msg("%s", err.text);
	p.actions = actions.data;
	p.actions_bytes = actions.bytes;
	p.key.f.in_port = in_port;
	p.key.f.eth_src[5] = mac;
	p.key.f.vlan_tci = 0x1005;
	fake_flows.punt(&p, fake_flows.punt_aux);
	flow_actions_destroy(&actions);
}

static void
rules_are_learned(void **state)
{
	static const char action[] =
		"learn(table=5,cookie=0x77,hard_timeout=300,priority=1,delete_learned,"
		"NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
		"load:0->NXM_OF_VLAN_TCI[],output:NXM_OF_IN_PORT[])";
	struct client c;
	char text[600];

	(void)state;
	client_open(&c, OF13, false);
	snprintf(text, sizeof(text), "in_port=1,actions=%s", action);
	assert_string_equal(client_flow(&c, OF_FLOW_ADD, text), "");
	learn(action, 9, 2);
	assert_int_equal(ofproto->tables[5].rules.count, 1);
	learn(action, 9, 2);
	learn(action, 9, 3); /* it moved */
	assert_int_equal(ofproto->tables[5].rules.count, 1);
	{
		char *now = ofproto_rules();

		assert_non_null(strstr(now,
		                       "cookie=0x77, priority=1,vlan_tci=0x0005/"
		                       "0x0fff,dl_dst=00:00:00:00:00:09,actions=load:"));
		assert_non_null(strstr(now, "->NXM_OF_VLAN_TCI[],output:3;"));
		free(now);
	}
	/* What was learned goes with the rule that learned it. */
	client_flow(&c, OF_FLOW_DELETE, "in_port=1");
	assert_int_equal(ofproto->tables[5].rules.count, 0);
	client_close(&c);
}

#define LEARN_TWO                                                           \
	"learn(table=5,cookie=7,limit=2,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]," \
	"output:NXM_OF_IN_PORT[])"
#define LEARNED(mac, port)                                                \
	"n_packets=0, n_bytes=0, cookie=0x7, dl_dst=00:00:00:00:00:0" mac \
	",actions=output:" port ";"

static size_t
n_learned(void)
{
	return ofproto->tables[5].rules.count;
}

static void
learning_has_its_limit(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	for (uint8_t mac = 1; mac <= 4; mac++)
		learn(LEARN_TWO, mac, 1);
	assert_int_equal(n_learned(), 2);
	/* Only what is there as it would be made anew stays in spite of it. */
	learn(LEARN_TWO, 1, 3);
	client_flow(&c, OF_FLOW_DELETE_STRICT, "table=5,dl_dst=00:00:00:00:00:02");
	assert_rules(LEARNED("1", "1"));
	learn(LEARN_TWO, 1, 3);
	assert_rules(LEARNED("1", "3"));
	/* Rules of other tables and cookies do not count; those that others made do. */
	client_flow(&c, OF_FLOW_ADD, "table=4,cookie=7,in_port=1,actions=drop");
	client_flow(&c, OF_FLOW_ADD, "table=5,cookie=8,in_port=1,actions=drop");
	learn(LEARN_TWO, 2, 1);
	assert_int_equal(n_learned(), 3);
	client_flow(&c, OF_FLOW_DELETE, "table=5,cookie=7/-1");
	assert_int_equal(n_learned(), 1);
	client_flow(&c, OF_FLOW_ADD, "table=5,cookie=7,in_port=1,actions=drop");
	client_flow(&c, OF_FLOW_ADD, "table=5,cookie=7,in_port=2,actions=drop");
	learn(LEARN_TWO, 2, 1);
	assert_int_equal(n_learned(), 2);
	/* A rule that gets another cookie makes room. */
	client_flow(&c, OF_FLOW_ADD, "table=5,cookie=9,in_port=2,actions=drop");
	learn(LEARN_TWO, 2, 1);
	learn(LEARN_TWO, 3, 1);
	assert_int_equal(n_learned(), 3);
	client_close(&c);
}

#define LEARN_WHILE                                                       \
	"actions=learn(table=5,cookie=7,delete_learned,NXM_OF_ETH_DST[]=" \
	"NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"

/* What was learned goes with the last rule that learned it. */
static void
learned_rules_go_with_the_last(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF13, false);
	client_flow(&c, OF_FLOW_ADD, "in_port=1," LEARN_WHILE);
	client_flow(&c, OF_FLOW_ADD, "table=3,in_port=2," LEARN_WHILE);
	client_flow(&c, OF_FLOW_ADD, "table=5,cookie=8,actions=drop");
	learn(LEARN_TWO, 1, 1);
	client_flow(&c, OF_FLOW_DELETE, "in_port=1");
	assert_int_equal(n_learned(), 2);
	/* One that is replaced by its like is still there. */
	client_flow(&c, OF_FLOW_ADD, "table=3,in_port=2," LEARN_WHILE ",output:1");
	assert_int_equal(n_learned(), 2);
	client_flow(&c, OF_FLOW_ADD, "table=3,in_port=2,actions=output:1");
	assert_int_equal(n_learned(), 1);
	client_close(&c);
}

#define LEARN_RESULT(limit, result)                                             \
	"learn(table=5,cookie=7,limit=" limit ",result_dst=" result ",eth_dst=" \
	"eth_src,output:NXM_OF_IN_PORT[])"

static void
assert_calls(const char *expected)
{
	assert_string_equal(str_text(&fake_flows.calls), expected);
	str_clear(&fake_flows.calls);
}

static void
workers_are_told_of_limits(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, OF13, true);
	str_clear(&fake_flows.calls);
	/* Two of them, one in a clone, and one that does not write what came of it. */
	client_flow(&c, OF_FLOW_ADD,
	            "in_port=1,actions=" LEARN_RESULT("2", "reg0[1]") "," LEARN_TWO);
	client_flow(&c, OF_FLOW_ADD,
	            "in_port=2,actions=clone(" LEARN_RESULT("1", "reg0[2]") ")");
	assert_calls("rule+ rule+ ");
	learn(LEARN_TWO, 1, 1);
	learn(LEARN_TWO, 2, 1);
	assert_calls("rule+ full=5/7/1 rule+ full=5/7/2 ");
	/* One with a limit that is reached from the start. */
	client_flow(&c, OF_FLOW_ADD, "in_port=3,actions=" LEARN_RESULT("1", "reg1[0]"));
	client_flow(&c, OF_FLOW_DELETE, "in_port=2");
	client_flow(&c, OF_FLOW_DELETE, "in_port=3");
	assert_calls("rule+ rule- rule- room=5/7/1 ");
	client_flow(&c, OF_FLOW_ADD, "in_port=3,actions=" LEARN_RESULT("1", "reg1[0]"));
	assert_calls("rule+ full=5/7/1 ");
	/* A rule gets the cookie, or loses it. */
	client_flow(&c, OF_FLOW_ADD, "table=5,eth_dst=00:00:00:00:00:02,actions=drop");
	assert_calls("rule= room=5/7/2 ");
	client_flow(&c, OF_FLOW_DELETE, "table=5,cookie=7/-1");
	assert_calls("rule- room=5/7/1 ");
	client_flow(&c, OF_FLOW_ADD, "table=5,cookie=7,actions=drop");
	assert_calls("rule+ full=5/7/1 ");
	/* What is undone is undone for workers, too. */
	client_flow(&c, OF_FLOW_ADD, "table=5,cookie=8,in_port=9,actions=drop");
	str_clear(&fake_flows.calls);
	bundle_control(&c, OF_BUNDLE_OPEN_REQUEST);
	bundle_flow(&c, OF_FLOW_DELETE, "table=5,cookie=7/-1");
	bundle_flow(&c, OF_FLOW_ADD, "table=5,cookie=7,in_port=9,actions=drop");
	bundle_flow(&c, OF_FLOW_ADD, "table=5,cookie=8,in_port=9,actions=drop");
	bundle_flow(&c, OF_FLOW_DELETE, "table=0");
	bundle_flow(&c, OF_FLOW_ADD, "actions=group:99");
	bundle_control(&c, OF_BUNDLE_COMMIT_REQUEST);
	assert_calls("rule- room=5/7/1 rule= full=5/7/1 rule= room=5/7/1 rule- rule- "
	             "rule+ rule+ full=5/7/1 rule= room=5/7/1 rule= rule+ full=5/7/1 ");
	client_close(&c);
}

int
main(void)
{
#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, ofproto_setup, ofproto_teardown)
	const struct CMUnitTest tests[] = {
		TEST(flow_mods_work),
		TEST(old_flow_mods_differ),
		TEST(wrong_flow_mods_are_refused),
		TEST(rules_time_out),
		TEST(rules_time_out_sooner),
		TEST(groups_form_no_loop),
		TEST(rules_go_with_their_group),
		TEST(controllers_have_a_meter),
		TEST(rules_go_with_their_meter),
		TEST(bundles_are_all_or_nothing),
		TEST(bundles_end),
		TEST(rules_are_learned),
		TEST(learning_has_its_limit),
		TEST(learned_rules_go_with_the_last),
		TEST(workers_are_told_of_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
