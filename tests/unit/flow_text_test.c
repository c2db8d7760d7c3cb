/* flow_text_test.c - matches and programs in the words of Open vSwitch's datapaths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/bridge.h"
#include "datapath/flow_text.h"
#include "openflow/of_text.h"

#define HEAD "recirc_id(0),in_port(openflow:1),packet_type(ns=0,id=0)"

static uint32_t bridge_id;
static struct str text;

static int
setup(void **state)
{
	struct dp_bridge_config config = {.name = "br0"};
	struct error err;

	(void)state;
	return dp_bridge_add(&config, &bridge_id, &err);
}

static int
teardown(void **state)
{
	(void)state;
	dp_bridge_del(bridge_id);
	str_free(&text);
	return 0;
}

static void
parse(const char *flow, struct flow_match *match)
{
	struct error err;

	memset(match, 0, sizeof(*match));
	if (of_text_parse_match(flow, NULL, match, &err) < 0)
		fail_msg("%s: %s", flow, err.text);
}

static void
assert_match(const char *flow, const char *expected)
{
	struct flow_match match;

	parse(flow, &match);
	str_clear(&text);
	flow_text_match(&text, bridges[bridge_id], false, &match);
	assert_string_equal(str_text(&text), expected);
}

static void
assert_program(const char *flow, const char *actions, const char *expected)
{
	struct flow_actions list = {0};
	struct flow_match match;
	struct error err;

	parse(flow, &match);
	if (of_text_parse_actions(actions, NULL, &list, &err) < 0)
		fail_msg("%s: %s", actions, err.text);
	str_clear(&text);
	flow_text_actions(&text, bridges[bridge_id], &match.key, false, list.data,
	                  list.bytes);
	assert_string_equal(str_text(&text), expected);
	flow_actions_destroy(&list);
}

static void
test_matches(void **state)
{
	(void)state;
	assert_match("in_port=1", HEAD);
	assert_match("in_port=1,dl_src=00:00:00:00:00:01,dl_dst=01:00:00:00:00:00/"
	             "01:00:00:00:00:00,dl_type=0x88cc",
	             HEAD ",eth(src=00:00:00:00:00:01,dst=01:00:00:00:00:00/"
	                  "01:00:00:00:00:00),eth_type(0x88cc)");
	assert_match(
		"in_port=1,tcp,nw_src=10.0.0.0/8,nw_dst=1.2.3.4,nw_tos=184,nw_ttl=64,"
		"tp_dst=80,tcp_flags=0x2/0x12",
		HEAD ",eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0,dst=1.2.3.4,"
		     "proto=6,tos=0xb8/0xfc,ttl=64),tcp(dst=80),"
		     "tcp_flags(0x2/0x12)");
	assert_match("in_port=1,udp6,ipv6_dst=fd00::/16,tp_src=0x100/0xff00",
	             HEAD ",eth_type(0x86dd),ipv6(dst=fd00::/ffff::,proto=17),"
	                  "udp(src=256/0xff00)");
	assert_match("in_port=1,icmp6,icmp_type=135,nd_target=fe80::1,nd_sll="
	             "00:00:00:00:00:02",
	             HEAD ",eth_type(0x86dd),ipv6(proto=58),icmpv6(type=135),"
	                  "nd(target=fe80::1,sll=00:00:00:00:00:02)");
	assert_match("in_port=1,arp,arp_op=1,arp_spa=10.0.0.1",
	             HEAD ",eth_type(0x0806),arp(sip=10.0.0.1,op=1)");
	assert_match("in_port=1,mpls,mpls_label=5,mpls_bos=1",
	             HEAD ",eth_type(0x8847),mpls(label=5,bos=1)");
	assert_match("in_port=1,ip,nw_frag=later",
	             HEAD ",eth_type(0x0800),ipv4(frag=later)");
}

static void
test_tags(void **state)
{
	(void)state;
	assert_match("in_port=1,dl_vlan=5,dl_vlan_pcp=3,ip",
	             HEAD ",eth_type(0x8100),vlan(vid=5,pcp=3),encap(eth_type(0x0800))");
	assert_match("in_port=1,dl_vlan=5", HEAD ",eth_type(0x8100),vlan(vid=5),encap()");
	assert_match("in_port=1,vlan_tci=0,ip", HEAD ",vlan(tci=0x0),eth_type(0x0800)");
}

static void
test_programs(void **state)
{
	(void)state;
	assert_program("ip", "drop", "drop");
	assert_program("ip", "set_queue:4,output:2,pop_queue,NORMAL",
	               "set(skb_priority(0x4)),openflow:2,set(skb_priority(0)),NORMAL");
	assert_program("in_port=1,udp",
	               "set_field:1.2.3.4->ip_dst,set_field:46->ip_dscp,set_field:9->"
	               "nw_ttl,set_field:53->udp_dst,in_port",
	               "set(ipv4(dst=1.2.3.4,tos=0xb8/0xfc,ttl=9)),set(udp(dst=53)),"
	               "openflow:1");
	assert_program("ipv6", "set_field:fd00::1->ipv6_src", "set(ipv6(src=fd00::1))");
	assert_program("ipv6", "set_field:46->ip_dscp,set_field:9->nw_ttl",
	               "set(ipv6(tclass=0xb8/0xfc,hlimit=9))");
	assert_program(
		"ip",
		"push_vlan:0x88a8,set_field:4101->vlan_vid,set_field:3->vlan_pcp,"
		"output:2,pop_vlan,dec_ttl,clone(set_field:00:00:00:00:00:01->"
		"eth_src,FLOOD),ALL",
		"push_vlan(tpid=0x88a8),set(vlan(vid=5,pcp=3)),openflow:2,pop_vlan,"
		"dec_ttl,clone(set(eth(src=00:00:00:00:00:01)),FLOOD),ALL");
	assert_program("mpls", "set_field:7->mpls_label,pop_mpls:0x0800",
	               "set(mpls(label=7)),pop_mpls(eth_type=0x800)");
	assert_program(
		"arp", "meter:3,set_field:2->arp_op,set_field:6->pkt_mark",
		"meter(3),set(arp(op=2)),set_field(0x00000006/0xffffffff->pkt_mark)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_programs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
