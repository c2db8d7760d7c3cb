/* walk_test.c - what rules and groups, as users write them, come to: programs as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/bridge.h"
#include "datapath/records.h"
#include "datapath/ruleset.h"
#include "datapath/walk.h"
#include "openflow/of_text.h"
#include "support/program_text.h"
#include "support/text_rules.h"

static uint32_t bridge_id;
static struct walk *walk;
static struct str program;

#define rules(...) text_rules(bridge_id, __VA_ARGS__)

/* A group of buckets, each as actions; ends with NULL. */
static void
group(uint32_t number, enum dp_group_type type, ...)
{
	struct dp_group_config config = {.number = number, .type = type};
	struct flow_actions actions[8] = {{0}};
	struct dp_bucket buckets[8];
	struct error err = {""};
	const char *text;
	va_list args;

	va_start(args, type);
	while ((text = va_arg(args, const char *)) != NULL) {
		size_t i = config.n_buckets++;

		assert_int_equal(of_text_parse_actions(text, NULL, &actions[i], &err), 0);
		buckets[i] = (struct dp_bucket){1, FLOW_PORT_NONE, FLOW_PORT_NONE,
		                                actions[i].data, actions[i].bytes};
	}
	va_end(args);
	config.buckets = buckets;
	assert_int_equal(dp_group_set(bridge_id, &config, &err), 0);
	dp_publish(bridge_id);
	for (size_t i = 0; i < config.n_buckets; i++)
		flow_actions_destroy(&actions[i]);
}

static void
key_from(const char *text, struct flow_key *key)
{
	static struct flow_match match;
	struct error err = {""};

	memset(&match, 0, sizeof(match));
	if (of_text_parse_match(text, NULL, &match, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	*key = match.key;
	if (key->f.vlan_tci & FLOW_VLAN_PRESENT)
		key->f.vlan_tpid = 0x8100;
	if (match.mask.f.ip_ttl == 0)
		key->f.ip_ttl = 64;
	key->f.actset_output = FLOW_PORT_UNSET;
}

static const char *
outcome(void)
{
	str_clear(&program);
	program_format(&program, walk->program, walk->bytes);
	if (walk->bytes == 0)
		str_append(&program, drop_reason_names[walk->drop]);
	return str_text(&program);
}

/* What becomes of a packet. */
static const char *
come_of(const char *packet)
{
	struct flow_key key;

	key_from(packet, &key);
	walk_packet(walk, bridges[bridge_id]->pipeline, &key, 1000);
	return outcome();
}

#define TCP "in_port=1,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_src=1,tp_dst=80"

static void
test_tables_and_misses(void **state)
{
	(void)state;
	rules("table=0,priority=5,ip,actions=goto_table:2",
	      "table=2,tcp,actions=output:3", "table=0,priority=0,actions=drop", NULL);
	assert_string_equal(come_of(TCP), "output:3");
	assert_string_equal(come_of("in_port=1,udp"), "rx_no_rule");
	assert_string_equal(come_of("in_port=1,arp"), "rx_by_rule");
	dp_table_set_miss(bridge_id, 2, DP_MISS_CONTROLLER);
	dp_publish(bridge_id);
	assert_string_equal(come_of("in_port=1,udp"), "CONTROLLER");
	dp_table_set_miss(bridge_id, 2, DP_MISS_CONTINUE);
	dp_publish(bridge_id);
	assert_string_equal(come_of("in_port=1,udp"), "rx_no_rule");
	/* A miss ends it all, unless it is a resubmit's. */
	rules("table=0,actions=write_actions(output:3),goto_table:2", NULL);
	assert_string_equal(come_of("in_port=1,udp"), "rx_no_rule");
	rules("table=0,actions=resubmit(,2),write_actions(output:3)", NULL);
	assert_string_equal(come_of("in_port=1,udp"), "output:3");
}

static void
test_resubmits_return(void **state)
{
	(void)state;
	rules("table=0,actions=resubmit(,1),resubmit(9,1),output:3",
	      "table=1,priority=5,in_port=9,actions=output:9,output:in_port",
	      "table=1,priority=0,actions=output:1,output:2", NULL);
	/* The port of arrival is for action.c to refuse. */
	assert_string_equal(come_of(TCP), "output:1,output:2,output:9,IN_PORT,output:3");
	/* A table that has no rule is no end. */
	rules("table=0,actions=resubmit(,7),output:3", NULL);
	assert_string_equal(come_of(TCP), "output:3");
	rules("table=0,actions=output:1,resubmit(,0)", NULL);
	assert_string_equal(come_of(TCP), "rx_too_many_resubmits");
	/* Twice as many in each of 13 tables. */
	rules("table=0,actions=resubmit(,1),resubmit(,1)",
	      "table=1,actions=resubmit(,2),resubmit(,2)",
	      "table=2,actions=resubmit(,3),resubmit(,3)",
	      "table=3,actions=resubmit(,4),resubmit(,4),resubmit(,4),resubmit(,4)",
	      "table=4,actions=resubmit(,5),resubmit(,5),resubmit(,5),resubmit(,5)",
	      "table=5,actions=resubmit(,6),resubmit(,6),resubmit(,6),resubmit(,6)",
	      "table=6,actions=resubmit(,7),resubmit(,7),resubmit(,7),resubmit(,7)",
	      "table=7,actions=resubmit(,8),resubmit(,8),resubmit(,8),resubmit(,8)",
	      "table=8,actions=note:00", NULL);
	assert_string_equal(come_of(TCP), "rx_too_many_resubmits");
}

static void
test_registers_are_worked_out(void **state)
{
	(void)state;
	rules("table=0,actions=set_field:5->reg0,move:reg0[]->reg1[],goto_table:1",
	      "table=1,reg1=5,actions=output:reg0[],move:NXM_OF_IN_PORT[]->NXM_NX_REG2[0..15],"
	      "goto_table:2",
	      "table=2,reg2=1,actions=push:reg1[],pop:reg3[],output:reg3[0..2]", NULL);
	assert_string_equal(come_of(TCP), "output:5,output:5");
	rules("table=0,ip,actions=move:ip_src[]->ip_dst[],output:2", NULL);
	assert_string_equal(come_of(TCP), "set_field:0x0a000001->ip_dst,output:2");
	/* The port that tables see, and what is "back" then. */
	rules("table=0,actions=set_field:0->in_port,output:1,output:2", NULL);
	assert_string_equal(come_of(TCP), "IN_PORT,output:2");
}

static void
test_the_action_set_has_its_order(void **state)
{
	(void)state;
	rules("table=0,ip,actions=write_actions(output:2,set_queue:4,dec_ttl,"
	      "set_field:02:00:00:00:00:01->eth_src,push_vlan:0x8100),goto_table:1",
	      "table=1,actions=output:7,write_actions(output:3)", NULL);
	assert_string_equal(come_of(TCP), "output:7,push_vlan:0x8100,dec_ttl,"
	                                  "set_field:0x020000000001->eth_src,set_queue:4,"
	                                  "output:3");
	rules("table=0,actions=write_actions(output:2),goto_table:1",
	      "table=1,actset_output=2,actions=output:9,clear_actions", NULL);
	assert_string_equal(come_of(TCP), "output:9");
	/* Nothing sends it. */
	rules("table=0,ip,actions=write_actions(dec_ttl)", NULL);
	assert_string_equal(come_of(TCP), "rx_by_rule");
}

static void
test_copies_leave_the_packet_as_it_is(void **state)
{
	(void)state;
	rules("table=0,tcp,actions=clone(set_field:1->reg0,set_field:8->tcp_dst,output:2),"
	      "resubmit(,1)",
	      "table=1,reg0=0,tcp,tcp_dst=80,actions=output:3", NULL);
	assert_string_equal(come_of(TCP),
	                    "clone(set_field:0x0008->tcp_dst,output:2),output:3");
	/* One that nothing follows takes the packet itself; one that changes nothing is
	 * none. */
	rules("table=0,tcp,actions=clone(output:2,exit),clone(dec_ttl,output:3)", NULL);
	assert_string_equal(come_of(TCP), "output:2,dec_ttl,output:3");
	rules("table=0,actions=resubmit(,1),output:9", "table=1,actions=output:2,exit",
	      NULL);
	assert_string_equal(come_of(TCP), "output:2");
}

static void
test_groups(void **state)
{
	const char *first;

	(void)state;
	rules("table=0,ip,actions=group:5,output:9", NULL);
	assert_string_equal(come_of(TCP), "output:9");
	group(5, DP_GROUP_ALL, "output:2,dec_ttl", "output:3", "dec_ttl", NULL);
	assert_string_equal(come_of(TCP), "clone(dec_ttl,output:2),output:3,output:9");
	group(5, DP_GROUP_INDIRECT, "output:4", NULL);
	assert_string_equal(come_of(TCP), "output:4,output:9");
	group(5, DP_GROUP_SELECT, "output:2", "output:3", NULL);
	first = strdup(come_of(TCP));
	assert_string_equal(come_of(TCP), first);
	free((void *)(uintptr_t)first);
	group(5, DP_GROUP_ALL, "group:6", NULL);
	group(6, DP_GROUP_ALL, "group:5", NULL);
	assert_string_equal(come_of(TCP), "rx_too_many_resubmits");
	dp_group_del(bridge_id, 5);
	dp_group_del(bridge_id, 6);
	dp_publish(bridge_id);
	assert_string_equal(come_of(TCP), "output:9");
}

/* A clone's own action set is carried out on it; a bucket is part of the packet's way. */
static void
test_action_sets_of_copies(void **state)
{
	(void)state;
	rules("table=0,actions=write_actions(output:2),goto_table:1",
	      "table=1,tcp,actions=clone(set_field:8->tcp_dst,resubmit(,2)),output:4",
	      "table=2,actions=write_actions(output:3)", NULL);
	assert_string_equal(
		come_of(TCP),
		"clone(set_field:0x0008->tcp_dst,output:3),output:4,output:2");
	rules("table=0,actions=write_actions(output:2),goto_table:1",
	      "table=1,tcp,actions=clone(set_field:8->tcp_dst,resubmit(,2)),output:4",
	      "table=2,actions=output:5", NULL);
	assert_string_equal(
		come_of(TCP),
		"clone(set_field:0x0008->tcp_dst,output:5),output:4,output:2");
	rules("table=0,tcp,actions=group:5,output:4",
	      "table=2,actions=write_actions(output:3)", NULL);
	group(5, DP_GROUP_ALL, "set_field:8->tcp_dst,resubmit(,2)", "output:6", NULL);
	assert_string_equal(come_of(TCP), "clone(set_field:0x0008->tcp_dst),output:6,"
	                                  "output:4,output:3");
	dp_group_del(bridge_id, 5);
}

static void
test_tags(void **state)
{
	(void)state;
	rules("table=0,actions=mod_vlan_vid:5,output:2,strip_vlan,output:3", NULL);
	assert_string_equal(come_of(TCP),
	                    "push_vlan:0x8100,set_field:0x1005->vlan_vid,output:2,"
	                    "pop_vlan,output:3");
	assert_string_equal(come_of(TCP ",dl_vlan=9"),
	                    "set_field:0x1005->vlan_vid,output:2,pop_vlan,output:3");
	rules("table=0,priority=1,dl_vlan=9,actions=pop_vlan,resubmit(,0)",
	      "table=0,priority=0,vlan_tci=0,actions=output:4", NULL);
	assert_string_equal(come_of(TCP ",dl_vlan=9"), "pop_vlan,output:4");
	/* The VLAN set where another list popped the tag brings one; parts do not. */
	rules("table=0,dl_vlan=9,actions=resubmit(,1),set_field:0x1005->vlan_vid,"
	      "set_field:3->vlan_pcp,resubmit(,2)",
	      "table=1,vlan_tci=0x1000/0x1000,actions=pop_vlan",
	      "table=2,dl_vlan=5,dl_vlan_pcp=3,actions=output:5", NULL);
	assert_string_equal(come_of(TCP ",dl_vlan=9"),
	                    "pop_vlan,set_field:0x1005/0x1fff->vlan_tci,"
	                    "set_field:0x03->vlan_pcp,output:5");
	rules("table=0,dl_vlan=9,actions=resubmit(,1),load:5->OXM_OF_VLAN_VID[0..11],"
	      "set_field:3->vlan_pcp,resubmit(,2)",
	      "table=1,vlan_tci=0x1000/0x1000,actions=pop_vlan",
	      "table=2,priority=2,vlan_tci=0x1000/0x1000,actions=output:5",
	      "table=2,priority=1,actions=output:6", NULL);
	assert_string_equal(come_of(TCP ",dl_vlan=9"),
	                    "pop_vlan,set_field:0x0005/0x0fff->vlan_vid,output:6");
}

static void
test_headers_laid_bare_are_read_again(void **state)
{
	const struct program_walk *record = NULL;
	struct flow_key key;

	(void)state;
	rules("table=0,mpls,actions=set_field:7->reg0,pop_mpls:0x0800,resubmit(,1),output:5",
	      "table=1,ip,nw_dst=10.0.0.2,reg0=7,actions=dec_ttl,output:6", NULL);
	assert_string_equal(come_of("in_port=1,mpls,mpls_label=3"),
	                    "pop_mpls:0x0800,recirc");
	FLOW_ACTION_FOR_EACH(action, walk->program, walk->bytes)
	if (action->type == PROGRAM_WALK)
		record = (const void *)action;
	assert_non_null(record);
	record = memcpy(malloc(record->head.bytes), record, record->head.bytes);
	key_from(TCP, &key);
	walk_resume(walk, bridges[bridge_id]->pipeline, &key, 1000, record);
	assert_string_equal(outcome(), "dec_ttl,output:6,output:5");
	free((void *)(uintptr_t)record);
	/* Nothing reads them: no need. */
	rules("table=0,mpls,actions=pop_mpls:0x0800,output:5", NULL);
	assert_string_equal(come_of("in_port=1,mpls"), "pop_mpls:0x0800,output:5");
}

static void
test_a_connection_that_ends_is_told(void **state)
{
	const struct program_punt *punt = (const void *)walk->program;
	const struct program_fin *fin = (const void *)punt->userdata;

	(void)state;
	rules("table=0,tcp,actions=resubmit(,1),output:3",
	      "table=1,cookie=0x22,tcp,"
	      "actions=fin_timeout(idle_timeout=5,hard_timeout=7)",
	      "table=0,priority=1,udp,actions=fin_timeout(idle_timeout=5),output:3",
	      NULL);
	assert_string_equal(come_of(TCP ",tcp_flags=0x010"), "output:3");
	assert_string_equal(come_of(TCP ",tcp_flags=0x002"), "output:3");
	assert_string_equal(come_of("in_port=1,udp"), "output:3");
	assert_string_equal(come_of(TCP ",tcp_flags=0x011"), "fin_timeout,output:3");
	assert_true(walk->is_cacheable);
	assert_int_equal(punt->reason, DP_PUNT_FIN);
	assert_int_equal(fin->idle_s, 5);
	assert_int_equal(fin->hard_s, 7);
	assert_int_equal(fin->rule_id, 0x22); /* the one that says so */
	assert_string_equal(come_of(TCP ",tcp_flags=0x004"), "fin_timeout,output:3");
}

/* Keeps what the walk came to, and goes on from there as if a controller had said so. */
static const char *
resume_text(const char *packet)
{
	const struct program_walk *record = NULL;
	struct program_walk *copy;
	struct flow_key key;
	struct error err;

	FLOW_ACTION_FOR_EACH(action, walk->program, walk->bytes)
	if (action->type == PROGRAM_WALK)
		record = (const void *)action;
	assert_non_null(record);
	copy = memcpy(malloc(record->head.bytes), record, record->head.bytes);
	assert_int_equal(continuation_check(copy, copy->head.bytes, &err), 0);
	key_from(packet, &key);
	walk_resume(walk, bridges[bridge_id]->pipeline, &key, 1000, copy);
	free(copy);
	return outcome();
}

static void
test_a_port_that_was_set_is_kept(void **state)
{
	(void)state;
	rules("table=0,mpls,actions=set_field:7->in_port,pop_mpls:0x0800,resubmit(,1)",
	      "table=1,in_port=7,ip,actions=output:6,output:1",
	      "table=1,priority=0,actions=output:9", NULL);
	assert_string_equal(come_of("in_port=1,mpls,mpls_label=3"),
	                    "pop_mpls:0x0800,recirc");
	assert_string_equal(resume_text(TCP), "output:6,IN_PORT");
}

static void
test_a_packet_pauses_and_goes_on(void **state)
{
	(void)state;
	rules("table=0,actions=write_actions(output:8),goto_table:9",
	      "table=9,cookie=0x11,actions=set_field:7->reg0,set_field:3->pkt_mark,push:NXM_NX_REG0[],output:2,set_queue:4,"
	      "resubmit(,1),output:5",
	      "table=1,cookie=0x22,reg0=7,actions=set_field:0->reg0,"
	      "controller(pause,max_len=20),pop:NXM_NX_REG1[],resubmit(,2)",
	      "table=2,reg1=7,pkt_mark=3,actions=output:6,controller", NULL);
	assert_string_equal(come_of(TCP), "set_mark:0x3/0xffffffff,output:2,set_queue:4,"
	                                  "CONTROLLER(pause)");
	FLOW_ACTION_FOR_EACH(action, walk->program, walk->bytes)
	if (action->type == PROGRAM_PUNT)
		assert_int_equal(((const struct program_punt *)action)->max_len,
		                 FLOW_MAX_LEN_ALL);
	/* The mark comes with the packet. */
	assert_string_equal(resume_text("pkt_mark=3," TCP),
	                    "set_queue:4,output:6,CONTROLLER,output:5,output:8");
	/* What is told after that is the rule it is in. */
	rules("table=0,cookie=0x11,actions=controller(pause),controller", NULL);
	come_of(TCP);
	assert_string_equal(resume_text(TCP), "CONTROLLER");
	assert_int_equal(((const struct program_punt *)walk->program)->cookie, 0x11);
}

/* What is left of the rules that led there is theirs: their table, and what is told. */
static void
test_outer_rules_go_on_as_themselves(void **state)
{
	static const uint64_t cookies[] = {0x33, 0x22, 0x11};
	size_t n = 0;

	(void)state;
	rules("table=0,cookie=0x11,priority=9,in_port=1,actions=resubmit(,1),controller,resubmit:4",
	      "table=0,priority=8,in_port=4,actions=output:10",
	      "table=1,cookie=0x22,priority=9,in_port=1,actions=resubmit(,3),controller,resubmit:4",
	      "table=1,priority=8,in_port=4,actions=output:11",
	      "table=3,cookie=0x33,priority=9,in_port=1,actions=controller(pause),controller,resubmit:4",
	      "table=3,priority=8,in_port=4,actions=output:13", NULL);
	come_of(TCP);
	assert_string_equal(
		resume_text(TCP),
		"CONTROLLER,output:13,CONTROLLER,output:11,CONTROLLER,output:10");
	FLOW_ACTION_FOR_EACH(action, walk->program, walk->bytes)
	if (action->type == PROGRAM_PUNT)
		assert_int_equal(((const struct program_punt *)action)->cookie,
		                 cookies[n++]);
	assert_int_equal(n, 3);
	/* It pauses again; and where nothing is left of the one that pauses. */
	rules("table=0,priority=9,in_port=1,actions=resubmit(,1),controller(pause),resubmit:4",
	      "table=0,priority=8,in_port=4,actions=output:10",
	      "table=1,priority=9,in_port=1,actions=controller(pause),resubmit(,3),resubmit:4",
	      "table=1,priority=8,in_port=4,actions=output:11",
	      "table=3,priority=9,in_port=1,actions=controller(pause)",
	      "table=3,priority=8,in_port=4,actions=output:13", NULL);
	come_of(TCP);
	assert_string_equal(resume_text(TCP), "CONTROLLER(pause)");
	assert_string_equal(resume_text(TCP), "output:11,CONTROLLER(pause)");
	assert_string_equal(resume_text(TCP), "output:10");
}

/* It is the copy alone that waits. */
static void
test_a_copy_pauses(void **state)
{
	const struct flow_nested *clone = (const void *)walk->program;

	(void)state;
	rules("table=0,actions=clone(set_field:10.0.0.9->ip_dst,controller(pause),"
	      "output:2),output:3",
	      NULL);
	assert_string_equal(come_of(TCP), "clone(set_field:0x0a000009->ip_dst,"
	                                  "CONTROLLER(pause)),output:3");
	assert_int_equal(clone->head.type, ACTION_CLONE);
	rules("table=0,actions=group:5,output:3", NULL);
	group(5, DP_GROUP_ALL, "controller(pause)", "output:4", NULL);
	assert_string_equal(come_of(TCP), "clone(CONTROLLER(pause)),output:4,output:3");
	/* As the last thing that an action set does, there is nothing left. */
	rules("table=0,actions=write_actions(set_queue:3,controller(pause))", NULL);
	assert_string_equal(come_of(TCP), "set_queue:3,CONTROLLER(pause)");
	assert_string_equal(resume_text(TCP), "set_queue:3");
	dp_group_del(bridge_id, 5);
}

static void
test_a_ttl_that_ends_ends_its_list(void **state)
{
	(void)state;
	rules("table=0,ip,actions=dec_ttl,resubmit(,1)",
	      "table=0,ipv6,actions=dec_ttl,output:2",
	      "table=1,ip,nw_ttl=63,actions=output:2",
	      "table=1,priority=0,actions=output:3", NULL);
	assert_string_equal(come_of(TCP ",nw_ttl=64"), "dec_ttl,output:2");
	assert_string_equal(come_of(TCP ",nw_ttl=65"), "dec_ttl,output:3");
	assert_string_equal(come_of(TCP ",nw_ttl=1"), "CONTROLLER(invalid_ttl)");
	assert_string_equal(come_of("in_port=1,ipv6,nw_ttl=0"),
	                    "CONTROLLER(invalid_ttl)");
	/* Lists that led to it go on, with the packet as it was. */
	rules("table=0,ip,actions=resubmit(,1),clone(dec_ttl,output:3),output:4",
	      "table=1,ip,actions=dec_ttl,output:2", NULL);
	assert_string_equal(come_of(TCP ",nw_ttl=1"),
	                    "CONTROLLER(invalid_ttl),CONTROLLER(invalid_ttl),output:4");
	assert_string_equal(come_of(TCP ",nw_ttl=2"),
	                    "dec_ttl,output:2,CONTROLLER(invalid_ttl),output:4");
	rules("table=0,ip,actions=write_actions(output:5),goto_table:1",
	      "table=1,ip,actions=dec_ttl,output:2", NULL);
	assert_string_equal(come_of(TCP ",nw_ttl=1"), "CONTROLLER(invalid_ttl),output:5");
	/* What has none keeps it. */
	rules("table=0,actions=mod_nw_ttl:1,dec_ttl,output:2", NULL);
	assert_string_equal(come_of("in_port=1,arp"), "output:2");
}

static void
test_a_labels_ttl_that_ends(void **state)
{
	(void)state;
	rules("table=0,mpls,actions=dec_mpls_ttl,resubmit(,1)",
	      "table=1,mpls,mpls_ttl=63,actions=output:2", NULL);
	assert_string_equal(come_of("in_port=1,mpls,mpls_ttl=64"),
	                    "dec_mpls_ttl,output:2");
	assert_string_equal(come_of("in_port=1,mpls,mpls_ttl=1"),
	                    "CONTROLLER(invalid_ttl)");
	/* Of a header that is laid bare, once it is read. */
	rules("table=0,mpls,actions=pop_mpls:0x0800,dec_ttl,output:5", NULL);
	assert_string_equal(come_of("in_port=1,mpls,mpls_ttl=1"),
	                    "pop_mpls:0x0800,recirc");
	assert_string_equal(resume_text(TCP ",nw_ttl=1"), "CONTROLLER(invalid_ttl)");
	come_of("in_port=1,mpls,mpls_ttl=1");
	assert_string_equal(resume_text(TCP ",nw_ttl=2"), "dec_ttl,output:5");
	/* The rule that led there goes on then, too. */
	rules("table=0,mpls,actions=resubmit(,1),output:4",
	      "table=1,mpls,actions=pop_mpls:0x0800,dec_ttl,output:5", NULL);
	for (unsigned ttl = 1; ttl <= 2; ttl++) {
		assert_string_equal(come_of("in_port=1,mpls,mpls_ttl=1"),
		                    "pop_mpls:0x0800,recirc");
		assert_string_equal(
			resume_text(ttl == 1 ? TCP ",nw_ttl=1" : TCP ",nw_ttl=2"),
			ttl == 1 ? "CONTROLLER(invalid_ttl),output:4"
				 : "dec_ttl,output:5,output:4");
	}
}

static void
test_who_is_told_of_a_ttl_that_ends(void **state)
{
	const struct program_punt *punt = (const void *)walk->program;

	(void)state;
	rules("table=0,actions=set_field:7->metadata,goto_table:3",
	      "table=3,cookie=0x77,ip,actions=dec_ttl(1,5)", NULL);
	come_of(TCP ",nw_ttl=1");
	for (unsigned i = 0; i < 2; i++) {
		struct flow_key key = {0};

		assert_int_equal(punt->head.type, PROGRAM_PUNT);
		assert_int_equal(punt->reason, DP_PUNT_INVALID_TTL);
		assert_int_equal(punt->controller_id, i ? 5 : 1);
		assert_int_equal(punt->table, 3);
		assert_int_equal(punt->cookie, 0x77);
		program_restore_state(&key, punt->state);
		assert_int_equal(key.f.metadata, 7);
		punt = (const void *)((const char *)punt + punt->head.bytes);
	}
	assert_ptr_equal(punt, (const char *)walk->program + walk->bytes);
}

static void
test_queues_and_lengths(void **state)
{
	(void)state;
	rules("table=0,actions=set_queue:3,enqueue:2:5,output:3", NULL);
	assert_string_equal(come_of(TCP),
	                    "set_queue:3,set_queue:5,output:2,set_queue:3,output:3");
	rules("table=0,actions=check_pkt_larger(900)->reg0[0],resubmit(,1)",
	      "table=1,reg0=1/1,actions=output:1", "table=1,priority=0,actions=output:2",
	      NULL);
	assert_string_equal(come_of(TCP), "output:1");
	assert_false(walk->is_cacheable);
	/* What tags add and take counts, also on a way that ended. */
	rules("table=0,actions=check_pkt_larger(1000)->reg0[0],push_vlan:0x8100,"
	      "check_pkt_larger(1003)->reg0[1],clone(push_vlan:0x8100),"
	      "check_pkt_larger(1004)->reg0[2],pop_vlan,"
	      "check_pkt_larger(999)->reg0[3],check_pkt_larger(1000)->reg0[4],"
	      "resubmit(,1)",
	      "table=1,reg0=0xa,actions=output:1", "table=1,priority=0,actions=output:2",
	      NULL);
	assert_string_equal(come_of(TCP),
	                    "push_vlan:0x8100,clone(push_vlan:0x8100),pop_vlan,output:1");
}

static void
test_punts_say_what_led_to_them(void **state)
{
	const struct program_punt *punt = (const void *)walk->program;

	(void)state;
	rules("table=0,priority=0,cookie=0x7,actions=controller", NULL);
	assert_string_equal(come_of(TCP), "CONTROLLER");
	assert_int_equal(punt->reason, DP_PUNT_NO_MATCH);
	assert_int_equal(punt->cookie, 7);
	rules("table=0,priority=1,actions=set_field:9->metadata,controller(max_len=100)",
	      NULL);
	assert_string_equal(come_of(TCP), "CONTROLLER");
	assert_int_equal(punt->reason, DP_PUNT_ACTION);
	assert_int_equal(punt->max_len, 100);
	assert_int_equal(punt->state[FLOW_PACKET_WORDS - PROGRAM_STATE_FROM], 9);
	rules("table=0,actions=write_actions(controller)", NULL);
	assert_string_equal(come_of(TCP), "CONTROLLER");
	assert_int_equal(punt->reason, DP_PUNT_ACTION_SET);
	rules("table=0,actions=group:5", NULL);
	group(5, DP_GROUP_INDIRECT, "controller", NULL);
	assert_string_equal(come_of(TCP), "CONTROLLER");
	assert_int_equal(punt->reason, DP_PUNT_GROUP);
}

#define LEARN(limit)                                                            \
	"learn(table=3,cookie=7,priority=9," limit "result_dst=reg0[4],"        \
	"NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],NXM_NX_REG1[]," /* not a header's */ \
	"load:NXM_OF_IN_PORT[]->NXM_NX_REG2[0..15],output:NXM_OF_IN_PORT[])"
#define LEARNING(limit)                                                             \
	"table=0,actions=set_field:6->reg1," LEARN(limit) ",resubmit(,1),output:9", \
		"table=1,reg0=0x10/0x10,actions=output:2",                          \
		"table=1,reg0=0/0x10,actions=output:3"

static void
set_reached(uint8_t table, uint64_t cookie, uint32_t limit, bool is_reached)
{
	const struct dp_learn_limit what = {
		.table = table, .cookie = cookie, .limit = limit};

	dp_learn_limit_set(bridge_id, &what, is_reached);
	dp_publish(bridge_id);
}

static void
test_a_learn_action_says_whether_there_is_room(void **state)
{
	(void)state;
	rules(LEARNING(""), NULL);
	assert_string_equal(come_of(TCP), "learn,output:2,output:9");
	rules(LEARNING("limit=5,"), NULL);
	assert_string_equal(come_of(TCP), "learn,output:2,output:9");
	/* Other limits, tables and cookies are none of its own. */
	set_reached(3, 7, 4, true);
	set_reached(4, 7, 5, true);
	set_reached(3, 8, 5, true);
	assert_string_equal(come_of(TCP), "learn,output:2,output:9");
	set_reached(3, 7, 5, true);
	assert_string_equal(come_of(TCP), "output:3,output:9");
	/* As the packets see it: with the version. */
	dp_learn_limit_set(bridge_id,
	                   &(struct dp_learn_limit){.table = 3, .cookie = 7, .limit = 5},
	                   false);
	assert_string_equal(come_of(TCP), "output:3,output:9");
	dp_publish(bridge_id);
	assert_string_equal(come_of(TCP), "learn,output:2,output:9");
}

static void
test_what_is_learned_needs_no_room(void **state)
{
	static const struct {
		const char *rule;
		bool is_it;
	} there[] = {
		{"cookie=7,priority=9,dl_dst=00:00:00:00:00:05,reg1=6,actions="
	         "load:1->NXM_NX_REG2[0..15],output:1",
	         true},
		{"cookie=8,priority=9,dl_dst=00:00:00:00:00:05,reg1=6,actions="
	         "load:1->NXM_NX_REG2[0..15],output:1",
	         false},
		{"cookie=7,priority=8,dl_dst=00:00:00:00:00:05,reg1=6,actions="
	         "load:1->NXM_NX_REG2[0..15],output:1",
	         false},
		{"cookie=7,priority=9,dl_dst=00:00:00:00:00:05,reg1=7,actions="
	         "load:1->NXM_NX_REG2[0..15],output:1",
	         false},
		{"cookie=7,priority=9,dl_dst=00:00:00:00:00:05,actions="
	         "load:1->NXM_NX_REG2[0..15],output:1",
	         false},
		{"cookie=7,priority=9,dl_dst=00:00:00:00:00:05,reg1=6,actions="
	         "load:2->NXM_NX_REG2[0..15],output:1",
	         false},
		{"cookie=7,priority=9,dl_dst=00:00:00:00:00:05,reg1=6,actions="
	         "load:1->NXM_NX_REG2[0..15]",
	         false},
		{"cookie=7,priority=9,dl_dst=00:00:00:00:00:05,reg1=6,actions="
	         "load:1->NXM_NX_REG2[0..15],output:1,output:2",
	         false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(there); i++) {
		char rule[200];

		snprintf(rule, sizeof(rule), "table=3,%s", there[i].rule);
		rules(LEARNING("limit=5,"), rule, NULL);
		set_reached(3, 7, 5, true);
		assert_string_equal(come_of("in_port=1,dl_src=00:00:00:00:00:05"),
		                    there[i].is_it ? "learn,output:2,output:9"
		                                   : "output:3,output:9");
		assert_string_equal(come_of("in_port=1,dl_src=00:00:00:00:00:06"),
		                    "output:3,output:9");
	}
}

static void
test_what_is_learned_is_read_from_laid_bare_headers(void **state)
{
	(void)state;
	rules("table=0,mpls,actions=pop_mpls:0x0800,learn(table=3,limit=1,"
	      "result_dst=reg0[0],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),output:2",
	      NULL);
	assert_string_equal(come_of("in_port=1,mpls"), "pop_mpls:0x0800,recirc");
}

static int
setup(void **state)
{
	struct dp_bridge_config config = {.name = "br0"};
	struct error err = {""};

	(void)state;
	walk = calloc(1, sizeof(*walk));
	return walk ? dp_bridge_add(&config, &bridge_id, &err) : -1;
}

static int
teardown(void **state)
{
	(void)state;
	dp_bridge_del(bridge_id);
	free(walk);
	str_free(&program);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_and_misses),
		cmocka_unit_test(test_resubmits_return),
		cmocka_unit_test(test_registers_are_worked_out),
		cmocka_unit_test(test_the_action_set_has_its_order),
		cmocka_unit_test(test_copies_leave_the_packet_as_it_is),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_action_sets_of_copies),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_headers_laid_bare_are_read_again),
		cmocka_unit_test(test_a_connection_that_ends_is_told),
		cmocka_unit_test(test_a_port_that_was_set_is_kept),
		cmocka_unit_test(test_a_packet_pauses_and_goes_on),
		cmocka_unit_test(test_outer_rules_go_on_as_themselves),
		cmocka_unit_test(test_a_copy_pauses),
		cmocka_unit_test(test_a_ttl_that_ends_ends_its_list),
		cmocka_unit_test(test_a_labels_ttl_that_ends),
		cmocka_unit_test(test_who_is_told_of_a_ttl_that_ends),
		cmocka_unit_test(test_queues_and_lengths),
		cmocka_unit_test(test_punts_say_what_led_to_them),
		cmocka_unit_test(test_a_learn_action_says_whether_there_is_room),
		cmocka_unit_test(test_what_is_learned_needs_no_room),
		cmocka_unit_test(test_what_is_learned_is_read_from_laid_bare_headers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
