/* qos_keys_test.c - vswitchd/desired_qos_keys.c: every key of QoS, Queue, ports and
 * interfaces becomes its field in its unit, and a bad value one error that names it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/make_desired.h"
#include "support/make_keys.h"

static struct desired_arena arena;
static struct desired_macs macs;

static int
teardown(void **state)
{
	(void)state;
	desired_arena_free(&arena);
	memset(&macs, 0, sizeof(macs));
	return 0;
}

static int
read_class(const struct keys *keys, struct dp_class_config *class, struct error *err)
{
	memset(class, 0, sizeof(*class));
	class->number = 5;
	return keys_to_class(keys, DP_QOS_TREE, &arena, class, &macs, err);
}

static void
test_qos_types(void **state)
{
	struct desired_qos qos = {.type = ""};
	struct keys none = KEYS("", "");
	struct keys policer = KEYS("cir", "125000", "cbs", "1000");
	struct keys tree = KEYS("max-rate", "34359738367");
	struct error err;

	(void)state;
	none.n = 0;
	assert_int_equal(keys_to_qos(&policer, "egress-policer", &qos, &err), 0);
	assert_int_equal(qos.config.kind, DP_QOS_POLICER);
	assert_int_equal(qos.config.rate_bps, 1000000);
	assert_int_equal(qos.config.burst_bits, 8000);
	assert_int_equal(qos.config.overhead_bytes, 0);
	assert_int_equal(qos.config.mpu_bytes, 0);
	assert_int_equal(keys_to_qos(&none, "egress-policer", &qos, &err), -EINVAL);
	assert_int_equal(keys_to_qos(&tree, "linux-htb", &qos, &err), 0);
	assert_int_equal(qos.config.kind, DP_QOS_TREE);
	assert_true(qos.config.rate_bps == UINT64_C(34359738367));
	assert_int_equal(keys_to_qos(&none, "linux-noop", &qos, &err), 0);
	assert_int_equal(qos.config.kind, DP_QOS_NONE);
	assert_int_equal(keys_to_qos(&none, "linux-sfq", &qos, &err), -EINVAL);
	assert_non_null(strstr(err.text, "linux-sfq"));
	assert_non_null(strstr(err.text, "trtcm-policer"));
	struct keys bad = KEYS("max-rate", "abc");
	assert_int_equal(keys_to_qos(&bad, "linux-hfsc", &qos, &err), -EINVAL);
	assert_non_null(strstr(err.text, "max-rate=abc"));
}

static void
test_tree_keys(void **state)
{
	struct keys keys = KEYS("max-rate", "1000000", "burst", "2000", "peak-rate",
	                        "3000000", "peak-burst", "4000", "max-pps", "5000",
	                        "burst-packets", "60", "overhead", "-14", "mpu", "46",
	                        "shared", "true", "min-rate", "no matter");
	struct keys maps = KEYS("dscp-map", "46=1, 10-14=2,12=3", "pcp-map", "7=1");
	struct keys none = KEYS("shared", "false");
	struct desired_qos qos = {.type = ""};
	struct error err;

	(void)state;
	assert_int_equal(keys_to_qos(&keys, "linux-htb", &qos, &err), 0);
	assert_int_equal(qos.config.rate_bps, 1000000);
	assert_int_equal(qos.config.burst_bits, 2000);
	assert_int_equal(qos.config.peak_bps, 3000000);
	assert_int_equal(qos.config.peak_burst_bits, 4000);
	assert_int_equal(qos.config.max_pps, 5000);
	assert_int_equal(qos.config.burst_packets, 60);
	assert_int_equal(qos.config.overhead_bytes, -14);
	assert_int_equal(qos.config.mpu_bytes, 46);
	assert_true(qos.is_shared);
	assert_false(qos.config.has_dscp_classes || qos.config.has_pcp_classes);

	assert_int_equal(keys_to_qos(&none, "linux-htb", &qos, &err), 0);
	assert_int_equal(qos.config.overhead_bytes, 24);
	assert_int_equal(qos.config.mpu_bytes, 84);
	assert_false(qos.is_shared);

	assert_int_equal(keys_to_qos(&maps, "linux-htb", &qos, &err), 0);
	assert_true(qos.config.has_dscp_classes && qos.config.has_pcp_classes);
	assert_int_equal(qos.config.dscp_class[46], 1);
	assert_int_equal(qos.config.dscp_class[10], 2);
	assert_int_equal(qos.config.dscp_class[12], 3);
	assert_int_equal(qos.config.dscp_class[14], 2);
	assert_int_equal(qos.config.dscp_class[15], DP_CLASS_NONE);
	assert_int_equal(qos.config.pcp_class[7], 1);
	assert_int_equal(qos.config.pcp_class[0], DP_CLASS_NONE);
}

/* The smallest frame counts 84 only together with the default overhead. */
static void
test_an_overhead_of_ones_own_has_no_mpu(void **state)
{
	struct keys own = KEYS("overhead", "0"), only_mpu = KEYS("mpu", "100");
	struct desired_qos qos = {.type = ""};
	struct error err;

	(void)state;
	assert_int_equal(keys_to_qos(&own, "linux-htb", &qos, &err), 0);
	assert_int_equal(qos.config.overhead_bytes, 0);
	assert_int_equal(qos.config.mpu_bytes, 0);
	assert_int_equal(keys_to_qos(&only_mpu, "linux-htb", &qos, &err), 0);
	assert_int_equal(qos.config.overhead_bytes, 24);
	assert_int_equal(qos.config.mpu_bytes, 100);
}

static void
test_bad_qos_values_are_named(void **state)
{
	static const char *const bad[][2] = {
		{"max-rate", "0"},         {"max-rate", "10Mbit"},
		{"burst", "-1"},           {"peak-rate", ""},
		{"max-pps", "5000000000"}, {"overhead", "9999"},
		{"overhead", "x"},         {"mpu", "-1"},
		{"shared", "yes"},         {"dscp-map", "64=1"},
		{"dscp-map", "46"},        {"dscp-map", "14-10=1"},
		{"dscp-map", "46=70000"},  {"pcp-map", "8=1"},
		{"pcp-map", "1=2=3"},
	};
	struct desired_qos qos = {.type = ""};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct keys keys = KEYS(bad[i][0], bad[i][1]);
		struct error err = {""};
		char pair[64] = "";

		strcat(strcat(strcat(pair, bad[i][0]), "="), bad[i][1]);
		assert_int_equal(keys_to_qos(&keys, "linux-htb", &qos, &err), -EINVAL);
		if (!strstr(err.text, pair) || !strstr(err.text, "Row r"))
			fail_msg("\"%s\" does not name %s", err.text, pair);
	}
}

static void
test_class_keys(void **state)
{
	struct dp_class_config class;
	struct keys keys = KEYS("min-rate", "10", "max-rate", "20", "burst", "30",
	                        "priority", "4294967295", "parent", "3", "weight", "9");
	struct keys more = KEYS("peak-rate", "40", "peak-burst", "50", "min-pps", "60",
	                        "max-pps", "70", "burst-packets", "80", "limit-bytes",
	                        "90", "limit-packets", "100", "limit-time", "110");
	struct keys queue =
		KEYS("codel", "true", "codel-target", "5000", "codel-interval", "100000",
	             "ecn", "true", "fair", "true");
	struct keys none = KEYS("fair", "false");
	struct error err;

	(void)state;
	assert_int_equal(read_class(&keys, &class, &err), 0);
	assert_int_equal(class.floor_bps, 10);
	assert_int_equal(class.ceil_bps, 20);
	assert_int_equal(class.burst_bits, 30);
	assert_int_equal(class.priority, 7);
	assert_int_equal(class.parent, 3);
	assert_int_equal(class.weight, 9);
	assert_int_equal(class.number, 5);
	assert_int_equal(read_class(&more, &class, &err), 0);
	assert_int_equal(class.peak_bps, 40);
	assert_int_equal(class.peak_burst_bits, 50);
	assert_int_equal(class.floor_pps, 60);
	assert_int_equal(class.ceil_pps, 70);
	assert_int_equal(class.burst_packets, 80);
	assert_int_equal(class.limit_bytes, 90);
	assert_int_equal(class.limit_packets, 100);
	assert_int_equal(class.limit_us, 110000);
	assert_int_equal(class.parent, DP_CLASS_ROOT);
	assert_int_equal(read_class(&queue, &class, &err), 0);
	assert_true(class.codel && class.ecn && class.fair);
	assert_int_equal(class.codel_target_us, 5000);
	assert_int_equal(class.codel_interval_us, 100000);
	assert_int_equal(read_class(&none, &class, &err), 0);
	assert_false(class.codel || class.ecn || class.fair);
	/* The root's own number cannot be named. */
	struct keys root = KEYS("parent", "4294967295");
	assert_int_equal(read_class(&root, &class, &err), -EINVAL);
}

static void
test_bad_class_values_are_named(void **state)
{
	static const char *const bad[][2] = {
		{"min-rate", "1.5"},      {"max-rate", "0"}, {"priority", "-1"},
		{"parent", "61440"},      {"weight", "0"},   {"weight", "1025"},
		{"limit-time", "0"},      {"codel", "1"},    {"codel-target", "0"},
		{"codel-target", "5ms"},  {"ecn", "maybe"},  {"fair", ""},
		{"limit-packets", "0"},   {"min-pps", "x"},  {"peak-burst", "1e6"},
		{"macs", "52:54:00:1:2"},
	};
	struct dp_class_config class;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct keys keys = KEYS(bad[i][0], bad[i][1], "burst", "77");
		struct error err = {""};
		char pair[64] = "";

		strcat(strcat(strcat(pair, bad[i][0]), "="), bad[i][1]);
		assert_int_equal(read_class(&keys, &class, &err), -EINVAL);
		if (!strstr(err.text, pair) || !strstr(err.text, "Row r"))
			fail_msg("\"%s\" does not name %s", err.text, pair);
		assert_int_equal(class.burst_bits, 77);
	}
}

static void
test_addresses_gather_over_classes(void **state)
{
	struct keys two = KEYS("macs", "52:54:00:00:00:01,52:54:00:00:00:02");
	struct keys blanks = KEYS("macs", " 52:54:00:00:00:03  52:54:00:00:00:04 ");
	struct dp_class_config class;
	struct error err;

	(void)state;
	assert_int_equal(read_class(&two, &class, &err), 0);
	assert_int_equal(read_class(&blanks, &class, &err), 0);
	assert_int_equal(macs.n, 4);
	for (size_t i = 0; i < macs.n; i++) {
		assert_int_equal(macs.list[i].mac[5], i + 1);
		assert_int_equal(macs.list[i].number, 5);
	}
}

/* Bytes a second and bytes, as in Open vSwitch. */
static void
test_trtcm(void **state)
{
	struct keys port =
		KEYS("cir", "1000", "cbs", "2000", "eir", "3000", "ebs", "4000");
	struct keys empty = KEYS("cbs", "2000");
	struct desired_qos qos = {.type = ""};
	struct dp_class_config class = {.number = 3};
	struct error err;

	(void)state;
	assert_int_equal(keys_to_qos(&port, "trtcm-policer", &qos, &err), 0);
	assert_int_equal(qos.config.kind, DP_QOS_TRTCM);
	assert_int_equal(qos.config.rate_bps, 8000);
	assert_int_equal(qos.config.burst_bits, 16000);
	assert_int_equal(qos.config.excess_bps, 24000);
	assert_int_equal(qos.config.excess_burst_bits, 32000);
	assert_int_equal(keys_to_class(&port, DP_QOS_TRTCM, &arena, &class, &macs, &err),
	                 0);
	assert_int_equal(class.floor_bps, 8000);
	assert_int_equal(class.burst_bits, 16000);
	assert_int_equal(class.excess_bps, 24000);
	assert_int_equal(class.excess_burst_bits, 32000);
	assert_int_equal(class.parent, DP_CLASS_ROOT);
	assert_int_equal(keys_to_qos(&empty, "trtcm-policer", &qos, &err), -EINVAL);
	memset(&class, 0, sizeof(class));
	assert_int_equal(keys_to_class(&empty, DP_QOS_TRTCM, &arena, &class, &macs, &err),
	                 -EINVAL);
}

static void
test_port_keys(void **state)
{
	struct dp_port_settings s = {.egress_class = -1};
	struct keys none = KEYS("net_uuid", "x", "segmentation_id", "7");
	struct keys both = KEYS("egress-class", "10", "default-queue", "20");
	struct keys bad = KEYS("default-queue", "61440");
	struct error err;

	(void)state;
	assert_int_equal(keys_to_port(&none, &s, &err), 0);
	assert_int_equal(s.egress_class, -1);
	assert_int_equal(s.egress_default_class, 0);
	assert_int_equal(keys_to_port(&both, &s, &err), 0);
	assert_int_equal(s.egress_class, 10);
	assert_int_equal(s.egress_default_class, 20);
	assert_int_equal(keys_to_port(&bad, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "default-queue=61440"));
}

static void
test_ingress_keys(void **state)
{
	struct dp_port_settings s = {.policing_bps = 1};
	struct keys none = KEYS("n_rxq", "1"), shaping = KEYS("ingress-shaping", "true");
	struct keys mark = KEYS("on-excess", "mark");
	struct keys gate = KEYS("on-excess", "gate", "ingress-min-rate", "1000",
	                        "ingress-peak-rate", "2000");
	struct error err;

	(void)state;
	assert_int_equal(keys_to_ingress(&none, &s, &err), 0);
	assert_int_equal(s.on_excess, DP_EXCESS_POLICE);
	assert_int_equal(keys_to_ingress(&shaping, &s, &err), 0);
	assert_int_equal(s.on_excess, DP_EXCESS_GATE);
	assert_int_equal(keys_to_ingress(&mark, &s, &err), 0);
	assert_int_equal(s.on_excess, DP_EXCESS_MARK);
	assert_int_equal(keys_to_ingress(&gate, &s, &err), 0);
	assert_int_equal(s.on_excess, DP_EXCESS_GATE);
	assert_int_equal(s.ingress_floor_bps, 1000);
	assert_int_equal(s.ingress_peak_bps, 2000);

	struct keys unknown = KEYS("on-excess", "drop");
	assert_int_equal(keys_to_ingress(&unknown, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "police, gate or mark"));
	struct keys both = KEYS("on-excess", "police", "ingress-shaping", "true");
	assert_int_equal(keys_to_ingress(&both, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "ingress-shaping"));
	struct keys floor = KEYS("ingress-min-rate", "5");
	assert_int_equal(keys_to_ingress(&floor, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "on-excess=gate"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qos_types),
		cmocka_unit_test(test_tree_keys),
		cmocka_unit_test(test_an_overhead_of_ones_own_has_no_mpu),
		cmocka_unit_test(test_bad_qos_values_are_named),
		cmocka_unit_test_teardown(test_class_keys, teardown),
		cmocka_unit_test_teardown(test_bad_class_values_are_named, teardown),
		cmocka_unit_test_teardown(test_addresses_gather_over_classes, teardown),
		cmocka_unit_test_teardown(test_trtcm, teardown),
		cmocka_unit_test(test_port_keys),
		cmocka_unit_test(test_ingress_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
