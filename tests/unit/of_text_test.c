/* of_text_test.c - rules in ovs-ofctl's words, there and back. What is expected was
 * printed by Debian's ovs-ofctl 3.1. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "openflow/of_text.h"

static uint32_t
port_number(const char *name, void *aux UNUSED)
{
	return !strcmp(name, "vm1") ? 7 : !strcmp(name, "a b") ? 8 : FLOW_PORT_NONE;
}

static const char *
port_name(uint32_t port, void *aux UNUSED)
{
	return port == 7 ? "vm1" : port == 8 ? "a b" : NULL;
}

static int
table_number(const char *name, void *aux UNUSED)
{
	return strcmp(name, "acl") ? -1 : 5;
}

static const char *
table_name(uint8_t table, void *aux UNUSED)
{
	return table == 5 ? "acl" : NULL;
}

static const struct of_names names = {port_number, port_name, table_number, table_name,
                                      NULL};

/* What a rule is printed as, or why it is refused. */
static const char *
print(const char *text, const struct of_names *by)
{
	static struct str out;
	struct of_flow_mod mod;
	struct error err = {""};

	str_clear(&out);
	if (of_text_parse_flow(text, OF_FLOW_ADD, by, &mod, &err)) {
		str_append(&out, err.text);
	} else {
		of_text_format_match(&out, &mod.match, mod.priority, by);
		str_append(&out, " ");
		of_text_format_actions(&out, mod.actions.data, mod.actions.bytes, by);
	}
	flow_actions_destroy(&mod.actions);
	return str_text(&out);
}

static void
test_matches(void **state UNUSED)
{
	static const char *const same[] = {
		" drop",
		"priority=5,tcp,in_port=1,tp_dst=80 drop",
		"ct_state=-new+est+trk,ct_zone=5,ct_mark=0x1/0x3,ct_label=0x5/0x7,ip drop",
		"reg0=0x1,reg1=0/0x2,metadata=0x5/0x7,in_port=LOCAL,dl_vlan=5,dl_vlan_pcp=3 drop",
		"vlan_tci=0x1000/0x1000 drop",
		"vlan_tci=0x0000 drop",
		"arp,arp_spa=1.2.3.4,arp_op=2,arp_sha=00:11:22:33:44:55 drop",
		"ipv6,ipv6_src=fe80::/10,ipv6_label=0x00005/0x000ff,nw_frag=not_later drop",
		"icmp6,icmp_type=135,icmp_code=0,nd_target=::1/::3,nd_sll=00:11:22:33:44:55 "
		"drop",
		"mpls,mpls_label=5,mpls_tc=3,mpls_ttl=5,mpls_bos=1 drop",
		"tcp,tp_src=0x10/0xfff0,tcp_flags=+syn-ack+[800] drop",
		"dl_src=00:11:22:33:44:55,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,"
		"dl_type=0x88cc drop",
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		size_t n = strlen(same[i]) - strlen(" drop");

		snprintf(text, sizeof(text), "%.*s,actions=drop", (int)n, same[i]);
		assert_string_equal(print(text, NULL), same[i]);
	}
}

static void
test_actions(void **state UNUSED)
{
	static const char *const same[] = {
		"output:1,LOCAL,IN_PORT,NORMAL,FLOOD,ALL,CONTROLLER:65535,CONTROLLER:128",
		"output(port=5,max_len=100),output:NXM_NX_REG1[0..15]",
		"controller(reason=no_match,max_len=12,id=44,userdata=01.02,pause,meter_id=5)",
		"enqueue:1:2,group:5,set_queue:4,pop_queue,exit,ct_clear",
		"bundle(eth_src,50,hrw,ofport,members:4,8)",
		"bundle_load(symmetric_l4,0,active_backup,ofport,NXM_NX_REG0[],members:1)",
		"strip_vlan,pop_vlan,push_vlan:0x88a8,mod_vlan_vid:5,set_vlan_pcp:4",
		"mod_dl_src:00:11:22:33:44:55,mod_nw_dst:1.2.3.4,mod_tp_src:5,dec_ttl,"
		"dec_ttl(5,6)",
		"resubmit:5,resubmit(,6),resubmit(5,6),resubmit(,6,ct)",
		"load:0x5->NXM_NX_REG0[0..7],move:NXM_NX_REG0[]->NXM_NX_REG1[]",
		"set_field:1.2.3.0/24->ip_dst,set_field:0x5/0xff->reg0,set_field:5->tcp_src",
		"ct(commit,force,table=4,zone=NXM_NX_REG0[0..15],nat(src=1.2.3.4-1.2.3.9:5-6,"
		"random),exec(load:0x5->NXM_NX_CT_MARK[]),alg=ftp)",
		"ct(commit,nat(dst=[fe80::1]-[fe80::2]:5-6,persistent,hash))",
		"learn(table=1,hard_timeout=10,priority=3,cookie=0x4,limit=7,"
		"NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],eth_type=0x800,"
		"load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],output:NXM_OF_IN_PORT[])",
		"multipath(symmetric_l3l4+udp,50,iter_hash,1,5,NXM_NX_REG0[0..7])",
		"clone(clone(output:1),output:2),note:00.11,conjunction(5,1/3)",
		"meter:5,output:1,clear_actions,write_actions(output:2),write_metadata:0x5/0xff,"
		"goto_table:2",
	};
	char text[512], expected[512];

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		snprintf(text, sizeof(text), "actions=%s", same[i]);
		snprintf(expected, sizeof(expected), " %s", same[i]);
		assert_string_equal(print(text, NULL), expected);
	}
}

static void
test_names(void **state UNUSED)
{
	assert_string_equal(
		print("in_port=vm1,actions=\"a b\",vm1,goto_table:acl", &names),
		"in_port=vm1 output:\"a b\",output:vm1,goto_table:acl");
	assert_string_equal(print("in_port=vm2,actions=drop", &names),
	                    "vm2: invalid or unknown port for in_port");
	assert_string_equal(print("actions=controller,resubmit(\"a b\",acl)", &names),
	                    " CONTROLLER:65535,resubmit(\"a b\",acl)");
	assert_string_equal(print("actions=resubmit(\"a b\",acl)", NULL),
	                    "\"a b\": resubmit to unknown port");
}

static void
test_errors(void **state UNUSED)
{
	assert_string_equal(print("in_port=1", NULL), "must specify an action");
	assert_string_equal(print("foo=1,actions=drop", NULL), "unknown keyword foo");
	assert_string_equal(print("foo,actions=drop", NULL), "field foo missing value");
	assert_string_equal(print("ip,nw_src=1.2.3,actions=drop", NULL),
	                    "nw_src: 1.2.3: invalid IP address");
	assert_string_equal(print("actions=foo", NULL), "unknown action foo");
	assert_string_equal(print("actions=drop,1", NULL),
	                    "\"drop\" must not be accompanied by any other action or "
	                    "instruction");
	assert_string_equal(print("actions=load:0x100->reg0[0..7]", NULL),
	                    "0x100->reg0[0..7]: value 0x100 does not fit into 8 bits");
	assert_string_equal(
		print("actions=goto_table:1,2", NULL),
		"invalid instruction ordering: apply_actions must appear before "
		"goto_table");
	assert_string_equal(print("actions=set_field:1->ct_mark", NULL),
	                    "cannot set CT fields outside of ct action");
	assert_string_equal(print("cookie=1/2,actions=drop", NULL),
	                    "flow additions cannot use a cookie mask");
}

static void
test_commands(void **state UNUSED)
{
	struct of_flow_mod mod;

	assert_int_equal(
		of_text_parse_flow("delete_strict cookie=5/0xf,table=3,out_port=7",
	                           OF_FLOW_ADD, NULL, &mod, NULL),
		0);
	assert_int_equal(mod.command, OF_FLOW_DELETE_STRICT);
	assert_int_equal(mod.cookie, 5);
	assert_int_equal(mod.cookie_mask, 0xf);
	assert_int_equal(mod.table, 3);
	assert_int_equal(mod.out_port, 7);
	assert_int_equal(of_text_parse_flow("cookie=1/-1,cookie=2,actions=normal",
	                                    OF_FLOW_MODIFY, NULL, &mod, NULL),
	                 0);
	assert_int_equal(mod.cookie, 1);
	assert_true(mod.cookie_mask == UINT64_MAX);
	assert_int_equal(mod.new_cookie, 2);
	assert_true(mod.modify_cookie);
	flow_actions_destroy(&mod.actions);
}

/* Buckets without a number get the lowest that is free: 1.5 wants one of each. */
static void
test_groups(void **state UNUSED)
{
	static const struct {
		const char *text, *sent;
	} same[] = {
		{"group_id=1,type=select,selection_method=hash,selection_method_param=7,"
	         "fields(ip_src,tcp_dst=255),bucket=bucket_id:1,weight:5,watch_port:1,"
	         "actions=output:1,bucket=weight:4,actions=set_field:0x5->reg0,output:2",
	         "group_id=1,type=select,selection_method=hash,selection_method_param=7,"
	         "fields(ip_src,tcp_dst=255),bucket=bucket_id:1,weight:5,watch_port:1,"
	         "actions=output:1,bucket=bucket_id:0,weight:4,"
	         "actions=set_field:0x5->reg0,output:2"},
		{"group_id=2,type=ff,bucket=watch_port:1,actions=output:1",
	         "group_id=2,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1"},
		{"group_id=4,type=indirect,bucket=actions=group:3",
	         "group_id=4,type=indirect,bucket=bucket_id:0,actions=group:3"},
	};
	struct of_msg msg;
	struct str wire = STR_INIT, out = STR_INIT;
	struct error err = {""};

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		char expected[512];

		of_msg_init(&msg, OF15, OFM_GROUP_MOD, 7);
		assert_int_equal(of_text_parse_group(same[i].text, OF_GROUP_ADD, NULL,
		                                     &msg.group_mod, &err),
		                 0);
		assert_int_equal(of_msg_encode(&msg, &wire), 0);
		of_text_format_message(&out, (const uint8_t *)wire.data, wire.length,
		                       NULL, 0);
		snprintf(expected, sizeof(expected),
		         "OFPT_GROUP_MOD (OF1.5) (xid=0x7):\n ADD %s\n", same[i].sent);
		assert_string_equal(str_text(&out), expected);
		of_text_destroy_group(&msg.group_mod);
		str_clear(&wire);
		str_clear(&out);
	}
	assert_int_equal(of_text_parse_group("group_id=1", OF_GROUP_ADD, NULL,
	                                     &msg.group_mod, &err),
	                 -EINVAL);
	assert_string_equal(err.text, "must specify a type");
	assert_int_equal(
		of_text_parse_group("insert_bucket group_id=1,command_bucket_id=last,"
	                            "bucket=1",
	                            OF_GROUP_ADD, NULL, &msg.group_mod, &err),
		0);
	assert_int_equal(msg.group_mod.command, OF_GROUP_INSERT_BUCKET);
	assert_int_equal(msg.group_mod.bucket_id, OF_BUCKET_LAST);
	assert_int_equal(msg.group_mod.n_buckets, 1);
	of_text_destroy_group(&msg.group_mod);
	str_free(&wire);
	str_free(&out);
}

static void
test_meters(void **state UNUSED)
{
	struct of_meter_mod mod;
	struct error err = {""};

	assert_int_equal(
		of_text_parse_meter("meter=2,kbps,burst,bands=type=drop,rate=100,"
	                            "burst_size=5,type=dscp_remark,rate=50,"
	                            "prec_level=3",
	                            OF_METER_ADD, &mod, &err),
		0);
	assert_int_equal(mod.meter, 2);
	assert_int_equal(mod.flags, OF_METER_KBPS | OF_METER_BURST);
	assert_int_equal(mod.n_bands, 2);
	assert_int_equal(mod.bands[0].burst, 5);
	assert_int_equal(mod.bands[1].prec_level, 3);
	free(mod.bands);
	assert_int_equal(of_text_parse_meter("meter=2", OF_METER_ADD, &mod, &err),
	                 -EINVAL);
	assert_string_equal(err.text, "meter needs either kbps or pktps");
}

/* Messages, and what Debian's "ovs-ofctl ofp-print" 3.1 says of them. */
static void
test_messages(void **state UNUSED)
{
	static const struct {
		uint8_t bytes[32];
		const char *text;
	} messages[] = {
		{{1, 2, 0, 8, 0, 0, 0, 0},
	         "OFPT_ECHO_REQUEST (xid=0x0): 0 bytes of payload\n"},
		{{4, 20, 0, 8, 0, 0, 0, 3}, "OFPT_BARRIER_REQUEST (OF1.3) (xid=0x3):\n"},
		{{1, 8, 0, 12, 0, 0, 0, 4, 0, 1, 0, 9},
	         "OFPT_GET_CONFIG_REPLY (xid=0x4): frags=drop miss_send_len=9\n"},
		{{4, 18, 0, 16, 0, 0, 0, 2, 0, 13},
	         "OFPST_PORT_DESC request (OF1.3) (xid=0x2):"
	         " port=ANY\n"},
		{{1, 4, 0, 20, 0, 0, 0, 2, 0, 0, 0x23, 0x20, 0, 0, 0, 12, 0, 0, 0, 2},
	         "NXT_SET_FLOW_FORMAT (xid=0x2): format=nxm\n"},
	};
	struct str out = STR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		str_clear(&out);
		of_text_format_message(&out, messages[i].bytes, messages[i].bytes[3],
		                       NULL, 0);
		assert_string_equal(str_text(&out), messages[i].text);
	}
	str_clear(&out);
	of_text_format_message(&out, messages[0].bytes, 3, NULL, 0);
	assert_non_null(strstr(str_text(&out), "too short"));
	str_free(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),  cmocka_unit_test(test_actions),
		cmocka_unit_test(test_names),    cmocka_unit_test(test_errors),
		cmocka_unit_test(test_commands), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_meters),   cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
