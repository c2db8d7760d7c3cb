/* control_test.c - vswitchd/control*.c: commands by name and count, and the shapes that
 * programs parse, over the fake datapath. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_datapath.h"
#include "support/fake_ofproto.h"
#include "support/make_desired.h"
#include "vswitchd/apply.h"
#include "vswitchd/control_commands.h"
#include "vswitchd/validate.h"

static struct running running;
static struct coverage *coverage;
static struct control_registry *registry;
static struct desired *desired;
static struct str out;
static struct error err;

/* br0 with a dummy port that has a tree of two queues, and a vhost port. */
static int
setup(void **state)
{
	struct desired_bridge *bridge;
	struct desired_port *port;
	struct dp_class_config *classes;
	struct apply apply;

	(void)state;
	fake_datapath_reset();
	running_init(&running);
	desired = make_desired();
	bridge = make_bridge(desired, "br0");
	port = make_port(desired, bridge, "a", DP_PORT_DUMMY);
	port->qos = make_qos(desired, 1000000, 2, 1000);
	classes = (struct dp_class_config *)(uintptr_t)port->qos->config.classes;
	classes[0].number = 0;
	classes[1].parent = 0;
	classes[1].priority = 3;
	port = make_port(desired, bridge, "vh", DP_PORT_VHOST_CLIENT);
	strcpy(port->config.socket_path, "/tmp/weir-control-test.sock");
	port->config.settings.on_excess = DP_EXCESS_GATE;
	port->config.settings.policing_bps = 8000000;
	make_port(desired, bridge, "br0", DP_PORT_INTERNAL);
	desired_sort(desired);
	validate(desired, &running);
	apply_init(&apply, &running, desired);
	while (!apply_run(&apply, 0))
		continue;
	apply_destroy(&apply);
	coverage = coverage_create();
	registry = control_registry_create("test 1.0");
	control_add_log(registry);
	control_add_fdb(registry, &running);
	control_add_qos(registry, &running);
	control_add_counters(registry, &running, coverage);
	control_add_pmd(registry);
	control_add_dpif(registry, &running);
	control_add_ofproto(registry, &running);
	control_add_trace(registry, &running);
	control_add_caches(registry, &running);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	control_registry_destroy(registry);
	coverage_destroy(coverage);
	running_destroy(&running);
	desired_destroy(desired);
	fake_datapath_reset();
	fake_ofproto_reset();
	str_free(&out);
	return 0;
}

/* Runs "NAME ARG..."; returns what the command returned. */
static int
run(const char *line)
{
	const char *words[8];
	char copy[256], *save = NULL;
	size_t n = 0;

	strcpy(copy, line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	str_clear(&out);
	err.text[0] = '\0';
	return control_run(registry, words[0], n - 1, words + 1, &out, &err);
}

static void
assert_shows(const char *line, const char *expected)
{
	assert_int_equal(run(line), 0);
	assert_string_equal(str_text(&out), expected);
}

static void
assert_refuses(const char *line, const char *reason)
{
	assert_true(run(line) < 0);
	assert_non_null(strstr(err.text, reason));
}

static void
test_commands_are_found_and_counted(void **state)
{
	(void)state;
	assert_shows("version", "test 1.0\n");
	assert_int_equal(run("list-commands"), 0);
	assert_non_null(strstr(str_text(&out), "\n  fdb/show                bridge\n"));
	assert_refuses("nonsense", "\"nonsense\" is not a valid command");
	assert_refuses("fdb/show", "\"fdb/show\" command requires at least 1 arguments");
	assert_refuses("fdb/show a b", "\"fdb/show\" command takes at most 1 arguments");
}

static void
test_fdb_has_the_known_columns(void **state)
{
	(void)state;
	assert_shows("fdb/show br0", " port  VLAN  MAC                Age\n"
	                             "    1     0  02:00:00:00:00:01    1\n"
	                             "    2     0  02:00:00:00:00:02    1\n"
	                             "LOCAL     0  02:00:00:00:00:fe    1\n");
	assert_refuses("fdb/show br9", "no such bridge");
	assert_shows("fdb/flush", "table successfully flushed\n");
	assert_non_null(strstr(str_text(&fake_datapath.calls), "flush br0\n"));
	assert_refuses("fdb/flush br9", "no such bridge");
	assert_int_equal(run("fdb/stats-show br0"), 0);
	assert_non_null(strstr(str_text(&out), "3/8192"));
}

static void
test_qos_as_text(void **state)
{
	(void)state;
	assert_shows("qos/show a", "QoS: a linux-htb\n"
	                           "max-rate: 1000000\n"
	                           "\n"
	                           "Default:\n"
	                           "  min-rate: 1000\n"
	                           "  max-rate: 1000000\n"
	                           "  tx_packets: 1\n"
	                           "  tx_bytes: 100\n"
	                           "  tx_errors: 0\n"
	                           "  borrowed_bytes: 0\n"
	                           "  queued_packets: 0\n"
	                           "  queued_bytes: 0\n"
	                           "  rate: 0\n"
	                           "  rate_borrowed: 0\n"
	                           "  rate_dropped: 0\n"
	                           "  state: no packets\n"
	                           "\n"
	                           "Queue 2:\n"
	                           "  priority: 3\n"
	                           "  min-rate: 1000\n"
	                           "  max-rate: 1000000\n"
	                           "  parent: 0\n"
	                           "  tx_packets: 3\n"
	                           "  tx_bytes: 300\n"
	                           "  tx_errors: 0\n"
	                           "  borrowed_bytes: 0\n"
	                           "  queued_packets: 0\n"
	                           "  queued_bytes: 0\n"
	                           "  rate: 2500000\n"
	                           "  rate_borrowed: 1500000\n"
	                           "  rate_dropped: 0\n"
	                           "  state: borrowing from class 0\n");
	assert_shows("qos/show vh", "QoS not configured on vh\n");
	assert_refuses("qos/show nobody", "no such interface");
	assert_int_equal(run("qos/show-types a"), 0);
	assert_non_null(strstr(str_text(&out), "QoS type: linux-htb\n"));
}

static void
test_qos_as_json(void **state)
{
	json_t *top, *classes;

	(void)state;
	assert_int_equal(run("qos/show --json a"), 0);
	top = json_loads(str_text(&out), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(top, "type")), "linux-htb");
	assert_true(json_integer_value(json_object_get(top, "time_ns")) > 0);
	classes = json_object_get(top, "classes");
	assert_int_equal(json_array_size(classes), 3);
	assert_true(json_is_null(json_object_get(json_array_get(classes, 0), "number")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(classes, 2),
	                                                    "sent_bytes")),
	                 300);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(classes, 2), "parent")),
		0);
	json_decref(top);
	assert_refuses("qos/show a b", "more than one interface");
	assert_int_equal(run("qos/show --json vh"), 0);
	assert_non_null(strstr(str_text(&out), "\"type\":null"));
}

static double
real_of(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static void
test_qos_states_as_json(void **state)
{
	json_t *top, *port, *root, *class, *share, *delay;

	(void)state;
	/* Of all ports that have QoS: one. */
	assert_int_equal(run("qos/show --json"), 0);
	top = json_loads(str_text(&out), 0, NULL);
	assert_non_null(top);
	assert_int_equal(json_array_size(json_object_get(top, "ports")), 1);
	port = json_array_get(json_object_get(top, "ports"), 0);
	assert_string_equal(json_string_value(json_object_get(port, "port")), "a");
	assert_string_equal(json_string_value(json_object_get(port, "kind")), "tree");
	assert_int_equal((int)real_of(port, "overload_ns"), 5);
	assert_int_equal((int)real_of(port, "catch_up_ns"), 20000000);
	assert_int_equal((int)real_of(port, "pool_packets"), 4096);
	root = json_array_get(json_object_get(port, "classes"), 0);
	assert_true(json_is_true(json_object_get(root, "inner")));
	assert_int_equal((int)real_of(json_object_get(root, "state"), "in_ns"), 1200000);
	class = json_array_get(json_object_get(port, "classes"), 2);
	assert_int_equal((int)real_of(class, "priority"), 3);
	assert_int_equal((int)real_of(json_object_get(class, "rates"), "borrowed_bps"),
	                 1500000);
	delay = json_object_get(json_object_get(class, "delay_ns"), "queue");
	assert_int_equal((int)real_of(delay, "p999"), 3000000);
	share = json_array_get(json_object_get(class, "shares"), 0);
	assert_string_equal(json_string_value(json_object_get(share, "name")),
	                    "borrowing");
	assert_int_equal((int)real_of(share, "class"), 0);
	assert_int_equal((int)real_of(share, "percent"), 70);
	share = json_array_get(json_object_get(class, "shares"), 1);
	assert_null(json_object_get(share, "class"));
	json_decref(top);
}

static void
test_qos_explain(void **state)
{
	json_t *class;

	(void)state;
	assert_shows("qos/explain a 2",
	             "a, linux-htb: class 2, floor 1 kbit/s, priority 3, below class 0\n"
	             "  now: borrowing from class 0\n"
	             "  last 10 s: borrowing from class 0 70 %, no packets 30 %\n"
	             "  rates: offered 0 bit/s (0 packets/s), sent 2.5 Mbit/s (250 "
	             "packets/s), of that borrowed 1.5 Mbit/s, dropped 0 bit/s (0 "
	             "packets/s)\n"
	             "  queue: 0 packets, 0 bytes\n"
	             "  delay in the queue: p50 1.5 us, p99 20 us, p99.9 3 ms, max 4 s "
	             "(of 7 packets)\n"
	             "  drops: 0 packets; last queue full 300 ms ago (12 in 0.1 s)\n"
	             "  advice: bursts are larger than its queue: see limit-bytes and "
	             "limit-packets\n");
	assert_int_equal(run("qos/explain a root"), 0);
	assert_non_null(
		strstr(str_text(&out), "  now: link at its rate until +1.2 ms\n"));
	assert_int_equal(run("qos/explain --json a 2"), 0);
	class = json_loads(str_text(&out), 0, NULL);
	assert_int_equal((int)real_of(class, "number"), 2);
	json_decref(class);
	assert_refuses("qos/explain a 3", "a has no class 3");
	assert_refuses("qos/explain a first", "first: a class is a number");
	assert_refuses("qos/explain a -1", "-1: a class is a number");
	assert_refuses("qos/explain a 4294967294", "a class is a number");
	assert_refuses("qos/explain vh 0", "vh has no QoS");
	assert_refuses("qos/explain nobody 0", "nobody: no such interface");
	assert_refuses("qos/explain a --json", "an interface and a class are needed");
	assert_refuses("qos/explain a 0 1", "one word too many: 1");
}

static void
test_ingress(void **state)
{
	json_t *top, *ingress;

	(void)state;
	assert_int_equal(run("qos/explain vh ingress"), 0);
	assert_non_null(strstr(str_text(&out),
	                       "vh, ingress, gated, ceiling 8 Mbit/s\n"
	                       "  now: 100 packets wait in the sender's ring, 3 in the "
	                       "gate\n"));
	assert_non_null(strstr(str_text(&out),
	                       "  delay in the gate: p50 1 us, p99 2 us, p99.9 3 us, max "
	                       "4 us (of 9 packets)\n"
	                       "  so far: 1000 packets passed; the ring was left alone "
	                       "for 2.5 s\n"));
	assert_refuses("qos/explain a ingress", "a is not gated");
	assert_int_equal(run("qos/explain --json vh ingress"), 0);
	top = json_loads(str_text(&out), 0, NULL);
	assert_int_equal((int)real_of(top, "ceil_bps"), 8000000);
	json_decref(top);
	assert_int_equal(run("qos/show --json vh"), 0);
	top = json_loads(str_text(&out), 0, NULL);
	ingress = json_object_get(top, "ingress");
	assert_int_equal((int)real_of(ingress, "waiting_packets"), 100);
	assert_int_equal((int)real_of(json_object_get(ingress, "delay_ns"), "p99"), 2000);
	json_decref(top);
	assert_int_equal(run("qos/show --json a"), 0);
	top = json_loads(str_text(&out), 0, NULL);
	assert_true(json_is_null(json_object_get(top, "ingress")));
	json_decref(top);
}

static void
test_pmd_shapes(void **state)
{
	(void)state;
	assert_shows(
		"dpif-netdev/pmd-rxq-show",
		"Displaying last 60 seconds pmd usage %\n"
		"pmd thread numa_id 0 core_id 1:\n"
		"  isolated : false\n"
		"  port: a                 queue-id:  0 (enabled)   pmd usage: NOT "
		"AVAIL\n"
		"  port: br0               queue-id:  0 (enabled)   pmd usage: 42 %\n"
		"  port: vh                queue-id:  0 (enabled)   pmd usage: 42 %\n"
		"  overhead:  0 %\n");
	assert_shows("dpif-netdev/pmd-rxq-show -pmd 7",
	             "Displaying last 60 seconds pmd usage %\n");
	assert_refuses("dpif-netdev/pmd-rxq-show -pmd", "needs a number");
	assert_refuses("dpif-netdev/pmd-rxq-show -x 1", "not an option");
	assert_int_equal(run("dpif-netdev/pmd-stats-show"), 0);
	assert_non_null(strstr(str_text(&out), "pmd thread numa_id 0 core_id 1:\n"
	                                       "  packets received: 30\n"));
	assert_non_null(strstr(str_text(&out), "  emc hits: 20\n"));
	assert_non_null(strstr(str_text(&out), "  avg. packets per output batch: 2.00\n"
	                                       "  idle cycles: 700 (70.00%)\n"
	                                       "  processing cycles: 300 (30.00%)\n"));
	assert_non_null(strstr(str_text(&out), "main thread:\n  packets received: 0\n"));
	assert_shows("dpif-netdev/pmd-stats-clear", "");
	assert_non_null(strstr(str_text(&fake_datapath.calls), "clear stats\n"));
}

static void
test_dpif_shapes(void **state)
{
	(void)state;
	assert_shows("dpif/show",
	             "netdev@ovs-netdev: hit:20 missed:10\n"
	             "  br0:\n"
	             "    a 1/0: (dummy)\n"
	             "    br0 65534/1: (internal)\n"
	             "    vh 2/2: (dpdkvhostuserclient: configured_rx_queues=0, "
	             "configured_tx_queues=0, mtu=1500, requested_rx_queues=0, "
	             "requested_tx_queues=0)\n");
	assert_int_equal(run("dpctl/show -s"), 0);
	assert_non_null(strstr(str_text(&out), "netdev@ovs-netdev:\n"
	                                       "  lookups: hit:20 missed:10 lost:0\n"
	                                       "  flows: 1\n"
	                                       "  port 0: a (dummy)\n"
	                                       "    RX packets:10 errors:0 dropped:0 "));
	assert_refuses("dpctl/show other@dp", "other@dp");
}

static void
test_ofproto(void **state)
{
	(void)state;
	assert_shows("ofproto/list", "br0\n");
	assert_shows("bridge/dump-flows br0",
	             "n_packets=0, n_bytes=0, priority=0,actions=NORMAL\n");
	assert_shows("ofproto/trace br0 in_port=1",
	             "Flow: in_port=1\n\nbridge(\"br0\")\n");
	assert_shows("ofproto/trace --names br0 in_port=1 -generate",
	             "Flow: in_port=1\n\nbridge(\"br0\")\nwith effects\n");
	assert_shows("ofproto/trace br0 in_port=1 ff00",
	             "Flow: in_port=1\n\nbridge(\"br0\")\npacket: ff00\nwith "
	             "effects\n");
	assert_shows("ofproto/trace-packet-out --consistent br0 in_port=1 normal",
	             "Flow: in_port=1\n\nbridge(\"br0\")\nactions: normal\n");
	assert_refuses("ofproto/trace-packet-out br0 tcp --names",
	               "a bridge, a flow and actions are needed");
	assert_refuses("ofproto/trace br0 tcp -generate ff00", "not both");
	assert_refuses("ofproto/trace br0 tcp ff00 x", "x: one word too many");
	assert_refuses("ofproto/trace br0 tcp --l7-len x", "x: --l7-len takes 0 to");
	assert_refuses("ofproto/trace br0 tcp --l7", "--l7: a value is needed");
	assert_shows(
		"ofproto/trace recirc_id(0),in_port(a),eth_type(0x0800),"
		"ipv4(src=10.0.0.0/255.0.0.0,proto=17,tos=0xb9,frag=no),udp(dst=53)",
		"Flow: in_port=1,dl_type=0x0800,nw_src=10.0.0.0,nw_proto=17,nw_tos=184,"
		"nw_ecn=1,nw_frag=no,tp_dst=53\n\nbridge(\"br0\")\n");
	assert_shows(
		"ofproto/trace netdev@ovs-netdev "
		"in_port(0),eth_type(0x8100),vlan(vid=5,pcp=1),encap(eth_type(0x0806),"
		"arp(op=1/0xff)) -generate",
		"Flow: in_port=1,dl_vlan=5,dl_vlan_pcp=1,dl_type=0x0806,arp_op=1\n\n"
		"bridge(\"br0\")\nwith effects\n");
	assert_shows("ofproto/trace-packet-out in_port(br0) normal",
	             "Flow: in_port=LOCAL\n\nbridge(\"br0\")\nactions: normal\n");
	assert_refuses("ofproto/trace in_port(7)", "in_port(7): no such port");
	assert_refuses("ofproto/trace in_port(a),eth(x=1)", "eth(x): not a part");
	assert_refuses("ofproto/trace in_port(a),eth(src=", "brackets are missing");
	assert_refuses("ofproto/trace eth_type(0x0800)", "has an in_port()");
	assert_refuses("ofproto/trace in_port(a),vlan(vid=1),encap(vlan(vid=2))",
	               "one tag");
	assert_refuses("ofproto/trace in_port(a),encap(),eth()", "behind encap()");
	assert_refuses("ofproto/trace br0 --names", "a bridge and a flow are needed");
	assert_refuses("ofproto/trace --warp br0 tcp", "--warp: unknown option");
	assert_refuses("ofproto/trace br7 tcp", "no such bridge");
	assert_refuses("bridge/dump-flows br7", "no such bridge");
	assert_shows("bridge/dump-flows --offload-stats br0",
	             "n_packets=0, n_bytes=0, n_offload_packets=0, n_offload_bytes=0, "
	             "priority=0,actions=NORMAL\n");
	assert_refuses("bridge/dump-flows --warp br0", "--warp: unknown option");
}

static void
test_caches(void **state)
{
	static const char plain[] = "recirc_id(0),in_port(1), packets:3, bytes:180, "
				    "used:never, actions:NORMAL\n";

	(void)state;
	assert_int_equal(run("dpctl/dump-flows netdev@ovs-netdev"), 0);
	assert_non_null(strstr(str_text(&out), "flow-dump from pmd on cpu core: 1\n"));
	assert_non_null(strstr(str_text(&out), plain));
	assert_shows("dpctl/dump-flows pmd=1 type=ovs", plain);
	assert_shows("dpctl/dump-flows pmd=7", "");
	assert_shows("dpctl/dump-flows filter=arp", "");
	assert_shows("dpctl/dump-flows type=offloaded", "");
	assert_int_equal(run("dpctl/dump-flows -m"), 0);
	assert_non_null(strstr(str_text(&out), "ufid:"));
	assert_non_null(strstr(str_text(&out),
	                       ", recirc_id(0),in_port(a), packets:3, bytes:180, "
	                       "used:never, dp:ovs, actions:NORMAL\n"));
	assert_shows("dpif/dump-flows br0", plain);
	assert_int_equal(run("dpif/dump-flows --names br0"), 0);
	assert_non_null(strstr(str_text(&out), "in_port(a), packets"));
	assert_refuses("dpctl/dump-flows -x", "Unrecognized option -x");
	assert_refuses("dpctl/dump-flows nope", "no datapath \"nope\"");
	assert_refuses("dpctl/dump-flows type=warp", "warp: ");
	assert_refuses("dpctl/dump-flows pmd=x", "pmd=x: ");
	assert_refuses("dpctl/dump-flows filter=zz=3", "zz");
	assert_refuses("dpif/dump-flows br7", "no such bridge");
	assert_refuses("dpif/dump-flows -x br0", "Unrecognized option -x");
}

static void
test_counters(void **state)
{
	(void)state;
	assert_shows("port/counters a", "drop_no_mbuf: 3\nrxq0_packets: 10\n");
	assert_int_equal(run("port/counters --json a"), 0);
	assert_non_null(strstr(str_text(&out), "\"drop_no_mbuf\": 3"));
	assert_refuses("port/counters --yaml a", "not an option");
	assert_shows("memory/show", "bridges:1 ports:3\n");
}

static void
test_coverage_has_six_words_a_line(void **state)
{
	char name[64], tail[8];
	double r5, r60, r3600;
	unsigned long long total;

	(void)state;
	coverage_sample(coverage, &running);
	assert_int_equal(run("coverage/show"), 0);
	assert_int_equal(sscanf(strchr(str_text(&out), '\n') + 1,
	                        "%63s %lf/sec %lf/sec %lf/sec %7s %llu\n", name, &r5,
	                        &r60, &r3600, tail, &total),
	                 6);
	assert_string_equal(name, "drop_no_mbuf");
	assert_string_equal(tail, "total:");
	assert_int_equal(total, 9); /* three ports of 3 */
	assert_true(r5 > 1.79 && r5 < 1.81);
	/* Nothing more, and a port that leaves takes nothing back. */
	running_del_port(&running, running_find_port(&running, "a"));
	coverage_sample(coverage, &running);
	assert_shows("coverage/read-counter drop_no_mbuf", "9\n");
	assert_refuses("coverage/read-counter rxq0_packets", "No such counter");
}

static void
test_log_levels(void **state)
{
	(void)state;
	assert_refuses("vlog/set foo", "foo");
	assert_shows("vlog/set control:file:dbg", "");
	assert_int_equal(run("vlog/list"), 0);
	assert_non_null(strstr(str_text(&out), "                 console    syslog    "));
	assert_refuses("vlog/reopen", "log file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commands_are_found_and_counted),
		TEST(test_fdb_has_the_known_columns),
		TEST(test_qos_as_text),
		TEST(test_qos_as_json),
		TEST(test_qos_states_as_json),
		TEST(test_qos_explain),
		TEST(test_ingress),
		TEST(test_pmd_shapes),
		TEST(test_dpif_shapes),
		TEST(test_ofproto),
		TEST(test_caches),
		TEST(test_counters),
		TEST(test_coverage_has_six_words_a_line),
		TEST(test_log_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
