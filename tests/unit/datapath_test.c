/* datapath_test.c - the datapath on ordinary memory with dummy ports: forwarding,
 * learning, VLANs, policing, egress classes and live changes of the tree. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "datapath/datapath.h"

#define WAIT_NS (2 * NSEC_PER_SEC)

static uint32_t bridge;

/* A frame of 'length' bytes from and to hosts 02:00:00:00:00:<id>; 0xff = broadcast. */
static size_t
frame_make(uint8_t *frame, size_t length, uint8_t dst, uint8_t src, int vlan)
{
	static const uint8_t base[6] = {2, 0, 0, 0, 0, 0};
	size_t at = 12;

	memset(frame, 0xa5, length);
	memcpy(frame, base, 6);
	frame[5] = dst;
	if (dst == 0xff)
		memset(frame, 0xff, 6);
	memcpy(frame + 6, base, 6);
	frame[11] = src;
	if (vlan >= 0) {
		memcpy(frame + at,
		       (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
		at += 4;
	}
	frame[at] = 0x08;
	frame[at + 1] = 0x06;
	return length;
}

static uint32_t
port_add(const char *name, const struct dp_port_settings *settings)
{
	struct dp_port_config config = {.type = DP_PORT_DUMMY, .bridge_id = bridge};
	struct error err = {""};
	uint32_t id;

	snprintf(config.name, sizeof(config.name), "%s", name);
	config.settings = settings ? *settings
	                           : (struct dp_port_settings){.vlan_tag = DP_VLAN_NONE,
	                                                       .egress_class = -1};
	assert_int_equal(dp_port_add(&config, &id, &err), 0);
	return id;
}

/* Waits for a frame at 'port'; its length, or 0 after 'wait_ns'. */
static size_t
take(uint32_t port, uint8_t *frame, uint64_t wait_ns)
{
	uint64_t end = clock_mono_ns() + wait_ns;
	size_t n;

	while (!(n = dp_dummy_take(port, frame, 2048)) && clock_mono_ns() < end) {
		dp_run();
		usleep(50);
	}
	return n;
}

static void
settle(void)
{
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		dp_run();
	}
}

static void
send_frame(uint32_t port, uint8_t dst, uint8_t src, int vlan)
{
	uint8_t frame[64];

	assert_int_equal(
		dp_dummy_inject(port, frame, frame_make(frame, 64, dst, src, vlan)), 0);
}

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
qos_two_classes(uint32_t port, uint64_t ceil1_bps, size_t n_classes)
{
	struct dp_class_config classes[] = {
		{.number = 1, .parent = DP_CLASS_ROOT, .ceil_bps = ceil1_bps},
		{.number = 2, .parent = 1, .floor_bps = 1000},
	};
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 1000000000,
	                               .classes = classes,
	                               .n_classes = n_classes};
	struct error err = {""};

	if (dp_port_set_qos(port, &config, &err) != 0)
		fail_msg("%s", err.text);
}

static struct dp_class_stats seen[8];

static void
note_class(const struct dp_class_stats *stats, void *aux)
{
	(void)aux;
	seen[stats->number == DP_CLASS_ROOT ? 7 : stats->number] = *stats;
}

static void
test_classes_hold_and_tree_changes_lose_nothing(void **state)
{
	struct dp_port_settings class1 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 1};
	uint32_t a = port_add("a", &class1), b = port_add("b", NULL);
	uint8_t frame[2048];
	uint64_t time_ns;
	unsigned got = 0;

	(void)state;
	/* 8 kbit/s: after the burst nothing moves. */
	qos_two_classes(b, 8000, 1);
	for (int i = 0; i < 200; i++)
		send_frame(a, 0xff, 1, -1);
	settle();
	while (take(b, frame, 0))
		got++;
	assert_in_range(got, 1, 100);
	assert_int_equal(dp_port_qos_stats(b, note_class, NULL, &time_ns), DP_QOS_TREE);
	assert_int_equal(seen[1].offered_packets, 200);
	assert_int_equal(seen[1].queued_packets + seen[1].sent_packets, 200);
	/* The leaf gets a child, and loses it, with packets inside. */
	qos_two_classes(b, 8000, 2);
	qos_two_classes(b, 8000, 1);
	qos_two_classes(b, 1000000000, 1);
	while (got < 200 && take(b, frame, WAIT_NS))
		got++;
	assert_int_equal(got, 200);
	dp_port_del(a);
	dp_port_del(b);
}

/* The scheduler and the queues change hands with packets inside: none is lost. */
static void
test_workers_change_under_a_full_tree(void **state)
{
	static const uint8_t masks[] = {1, 3, 2, 3, 1, 2};
	struct dp_port_settings class1 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 1};
	uint32_t a, b;
	uint8_t frame[2048];
	unsigned got = 0;

	(void)state;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip();
	a = port_add("a", &class1);
	b = port_add("b", NULL);
	qos_two_classes(b, 8000, 1);
	for (int i = 0; i < 200; i++)
		send_frame(a, 0xff, 1, -1);
	settle();
	for (size_t i = 0; i < sizeof(masks); i++) {
		struct dp_config config = {.pmd_cpu_mask = {masks[i]},
		                           .max_sleep_us = 50};
		struct error err = {""};

		if (dp_set_workers(&config, &err) != 0)
			fail_msg("%s", err.text);
		while (take(b, frame, 0))
			got++;
	}
	qos_two_classes(b, 1000000000, 1);
	while (got < 200 && take(b, frame, WAIT_NS))
		got++;
	assert_int_equal(got, 200);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_packets_of_a_deleted_class_go_to_class_0(void **state)
{
	struct dp_port_settings class1 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 1};
	uint32_t a = port_add("a", &class1), b = port_add("b", NULL);
	uint8_t frame[2048];
	unsigned got = 0;

	(void)state;
	qos_two_classes(b, 8000, 1);
	for (int i = 0; i < 200; i++)
		send_frame(a, 0xff, 1, -1);
	settle();
	qos_two_classes(b, 0, 0);
	while (got < 200 && take(b, frame, WAIT_NS))
		got++;
	assert_int_equal(got, 200);
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

static void
test_bad_trees_are_refused_with_the_reason(void **state)
{
	struct error err;
	struct dp_class_config cycle[] = {{.number = 1, .parent = 2},
	                                  {.number = 2, .parent = 1}};
	struct dp_class_config orphan[] = {{.number = 1, .parent = 9}};
	struct dp_class_config greedy[] = {
		{.number = 1, .parent = DP_CLASS_ROOT, .ceil_bps = 100},
		{.number = 2, .parent = 1, .floor_bps = 60},
		{.number = 3, .parent = 1, .floor_bps = 60},
	};
	struct dp_qos_config config = {
		.kind = DP_QOS_TREE, .rate_bps = 1000, .classes = cycle, .n_classes = 2};

	(void)state;
	assert_int_equal(dp_qos_check(&config, &err), -ELOOP);
	assert_non_null(strstr(err.text, "queue 1"));
	config.classes = orphan;
	config.n_classes = 1;
	assert_int_equal(dp_qos_check(&config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "queue 9"));
	config.classes = greedy;
	config.n_classes = 3;
	assert_int_equal(dp_qos_check(&config, &err), -ERANGE);
	assert_string_equal(
		err.text,
		"queue 1: floors below it add up to 120 bit/s, above its ceiling of 100 bit/s (queue 2 has 60, queue 3 has 60); the largest floor that fits queue 2 is 40 bit/s");
	greedy[2].floor_bps = 40;
	assert_int_equal(dp_qos_check(&config, &err), 0);
	greedy[1].floor_bps = 101;
	assert_int_equal(dp_qos_check(&config, &err), -ERANGE);
	assert_non_null(strstr(err.text, "queue 2"));
}

static void
test_rules_replace_normal_and_are_cached(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL),
		 c = port_add("c", NULL);
	struct dp_rule rules[] = {
		{.priority = 9, .goto_table = 1},
		{.table = 1,
	         .goto_table = DP_TABLE_NONE,
	         .n_actions = 2,
	         .actions = {{DP_ACTION_OUTPUT, b}, {DP_ACTION_OUTPUT, c}}},
	};
	struct dp_rule normal = {.goto_table = DP_TABLE_NONE,
	                         .n_actions = 1,
	                         .actions = {{.type = DP_ACTION_NORMAL}}};
	uint8_t frame[2048];
	struct error err;

	(void)state;
	rules[0].match.f.eth_src[5] = 1;
	rules[0].mask.f.eth_src[5] = 0xff;
	assert_int_equal(dp_bridge_set_rules(bridge, rules, 2, &err), 0);
	for (int i = 0; i < 5; i++) {
		send_frame(a, 7, 1, -1);
		assert_int_equal(take(b, frame, WAIT_NS), 64);
		assert_int_equal(take(c, frame, WAIT_NS), 64);
		/* No rule for it. */
		send_frame(a, 7, 2, -1);
	}
	settle();
	assert_int_equal(take(b, frame, 0), 0);
	struct dp_port_stats stats;
	dp_port_get_stats(a, &stats);
	assert_int_equal(stats.rx_dropped, 5);
	assert_int_equal(dp_bridge_set_rules(bridge, &normal, 1, &err), 0);
	send_frame(a, 7, 2, -1);
	assert_int_equal(take(b, frame, WAIT_NS), 64);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
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

static int
start(void **state)
{
	struct dp_bridge_config config = {.name = "br0"};
	struct dp_config dp = {.eal_extra = "--no-huge -m 256 --no-pci",
	                       .max_sleep_us = 50};
	struct error err = {""};
	char instance[16];

	(void)state;
	snprintf(instance, sizeof(instance), "%d", (int)getpid());
	dp.instance = instance;
	if (dp_start(&dp, &err) < 0 || dp_bridge_add(&config, &bridge, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	dp_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_is_flooded_and_learned_is_not),
		cmocka_unit_test(test_vlans_separate_and_tags_follow_the_port),
		cmocka_unit_test(test_copies_of_a_flood_have_their_own_tags),
		cmocka_unit_test(test_hostile_frames_are_dropped_and_counted),
		cmocka_unit_test(test_classes_hold_and_tree_changes_lose_nothing),
		cmocka_unit_test(test_workers_change_under_a_full_tree),
		cmocka_unit_test(test_packets_of_a_deleted_class_go_to_class_0),
		cmocka_unit_test(test_policing_drops_the_excess),
		cmocka_unit_test(test_bad_trees_are_refused_with_the_reason),
		cmocka_unit_test(test_rules_replace_normal_and_are_cached),
		cmocka_unit_test(test_bad_masks_are_refused),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
