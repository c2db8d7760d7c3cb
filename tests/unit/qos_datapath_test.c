/* qos_datapath_test.c - egress QoS in the running datapath, over dummy ports: classes,
 * live changes of the tree, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/dummy_net.h"

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
		"queue 1: floors below it add up to 120 bit/s, above its ceiling of 100 bit/s (queue 2 has 60, queue 3 has 60)");
	greedy[2].floor_bps = 40;
	assert_int_equal(dp_qos_check(&config, &err), 0);
	greedy[1].floor_bps = 101;
	assert_int_equal(dp_qos_check(&config, &err), -ERANGE);
	assert_non_null(strstr(err.text, "queue 2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes_hold_and_tree_changes_lose_nothing),
		cmocka_unit_test(test_workers_change_under_a_full_tree),
		cmocka_unit_test(test_packets_of_a_deleted_class_go_to_class_0),
		cmocka_unit_test(test_bad_trees_are_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
