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

/* ---- several ports, one scheduler ---- */

static void
qos_domain(uint32_t port, const char *domain, uint64_t rate_bps)
{
	struct dp_class_config classes[] = {
		{.number = 1, .parent = DP_CLASS_ROOT},
		{.number = 2, .parent = DP_CLASS_ROOT},
	};
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = rate_bps,
	                               .domain = domain,
	                               .classes = classes,
	                               .n_classes = 2};
	struct error err = {""};

	if (dp_port_set_qos(port, &config, &err) != 0)
		fail_msg("%s", err.text);
}

static void
qos_none(uint32_t port)
{
	struct dp_qos_config config = {.kind = DP_QOS_NONE};
	struct error err = {""};

	assert_int_equal(dp_port_set_qos(port, &config, &err), 0);
}

static struct dp_class_stats
class_stats(uint32_t port, uint32_t number)
{
	uint64_t time_ns;

	memset(seen, 0, sizeof(seen));
	assert_int_equal(dp_port_qos_stats(port, note_class, NULL, &time_ns),
	                 DP_QOS_TREE);
	return seen[number];
}

static uint64_t
tx_dropped(uint32_t port)
{
	struct dp_port_stats stats;

	assert_int_equal(dp_port_get_stats(port, &stats), 0);
	return stats.tx_dropped;
}

static uint32_t
port_add_default_class(const char *name, uint32_t number)
{
	struct dp_port_settings settings = {.vlan_tag = DP_VLAN_NONE,
	                                    .egress_class = -1,
	                                    .egress_default_class = number};

	return port_add(name, &settings);
}

static void
test_ports_of_a_domain_share_its_rate(void **state)
{
	uint32_t a = port_add("a", NULL);
	uint32_t b = port_add_default_class("b", 1), c = port_add_default_class("c", 2);
	unsigned got_b = 0, got_c = 0;
	uint8_t frame[2048];

	(void)state;
	/* 8 kbit/s: a burst of two full frames for both together. */
	qos_domain(b, "net", 8000);
	qos_domain(c, "net", 8000);
	for (int i = 0; i < 200; i++)
		send_frame(a, 0xff, 1, -1);
	settle();
	while (take(b, frame, 0))
		got_b++;
	while (take(c, frame, 0))
		got_c++;
	assert_in_range(got_b + got_c, 1, 60);
	assert_int_equal(class_stats(b, 1).offered_packets, 200);
	assert_int_equal(class_stats(b, 2).offered_packets, 200);
	assert_int_equal(class_stats(c, 1).offered_packets, 200);
	/* One leaves: what it had in the tree is its loss; the other loses nothing. */
	qos_none(b);
	qos_domain(c, "net", 1000000000);
	while (got_c < 200 && take(c, frame, WAIT_NS))
		got_c++;
	assert_int_equal(got_c, 200);
	while (got_b + tx_dropped(b) < 200 && take(b, frame, WAIT_NS))
		got_b++;
	assert_int_equal(got_b + tx_dropped(b), 200);
	assert_int_equal(class_stats(c, 2).sent_packets, 200);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
}

static void
test_a_domain_gets_its_name_and_loses_it_without_loss(void **state)
{
	uint32_t a = port_add("a", NULL), b = port_add("b", NULL);
	uint8_t frame[2048];
	unsigned got = 0;

	(void)state;
	qos_domain(b, NULL, 8000);
	for (int i = 0; i < 200; i++)
		send_frame(a, 0xff, 1, -1);
	settle();
	qos_domain(b, "net", 8000);
	qos_domain(b, "other", 8000);
	qos_domain(b, NULL, 1000000000);
	while (got < 200 && take(b, frame, WAIT_NS))
		got++;
	assert_int_equal(got, 200);
	dp_port_del(a);
	dp_port_del(b);
}

/* 'c' is never read: its ring of 1023 fills, and 'b' does not notice. */
static void
test_a_full_port_does_not_hold_up_others(void **state)
{
	enum { N = 3000 };
	uint32_t a = port_add("a", NULL);
	uint32_t b = port_add_default_class("b", 1), c = port_add_default_class("c", 2);
	unsigned got_b = 0, got_c = 0;
	uint8_t frame[2048];

	(void)state;
	qos_domain(b, "net", 10000000000);
	qos_domain(c, "net", 10000000000);
	for (int i = 0; i < N; i++) {
		send_frame(a, 0xff, 1, -1);
		if (i % 50 == 49)
			while (got_b <= (unsigned)i && take(b, frame, WAIT_NS))
				got_b++;
	}
	assert_int_equal(got_b, N);
	assert_int_equal(tx_dropped(b), 0);
	/* After 5 ms each, packets for 'c' go; its class knows what came of them. */
	while (class_stats(b, 2).queued_packets > 0)
		settle();
	assert_int_equal(class_stats(b, 2).offered_packets, N);
	assert_int_equal(class_stats(b, 2).dropped_packets, tx_dropped(c));
	assert_int_equal(class_stats(b, 2).sent_packets, 1023);
	assert_int_equal(class_stats(b, 2).sent_bytes, 1023 * 64);
	assert_int_equal(class_stats(b, 7 /* the root */).sent_packets, N + 1023);
	qos_none(c);
	while (take(c, frame, 0))
		got_c++;
	settle();
	while (take(c, frame, 0))
		got_c++;
	assert_true(got_c >= 1023);
	assert_int_equal(got_c + tx_dropped(c), N);
	dp_port_del(a);
	dp_port_del(b);
	dp_port_del(c);
}

/* ---- classes of packets that name none ---- */

static void
note_offered(const struct dp_class_stats *stats, void *aux)
{
	uint64_t *offered = aux;

	if (stats->number < 8)
		offered[stats->number] = stats->offered_packets;
}

/* The class that took the one packet that was sent since. */
static int
class_that_took(uint32_t port, uint64_t before[8])
{
	uint64_t after[8] = {0}, time_ns;
	int class = -1;

	for (int tries = 0; tries < 2000 && class < 0; tries++) {
		usleep(200);
		dp_port_qos_stats(port, note_offered, after, &time_ns);
		for (int i = 0; i < 8; i++)
			if (after[i] != before[i])
				class = i;
	}
	memcpy(before, after, sizeof(after));
	return class;
}

static void
qos_with_lists(uint32_t port)
{
	struct dp_class_config classes[6] = {{0}};
	struct dp_class_mac macs[] = {
		{.mac = {2, 0, 0, 0, 0, 7}, .number = 5},
	};
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 1000000000,
	                               .classes = classes,
	                               .n_classes = 6,
	                               .macs = macs,
	                               .n_macs = 1,
	                               .has_dscp_classes = true,
	                               .has_pcp_classes = true};
	struct error err = {""};

	for (uint32_t i = 0; i < 6; i++)
		classes[i] =
			(struct dp_class_config){.number = i, .parent = DP_CLASS_ROOT};
	for (int i = 0; i < 64; i++)
		config.dscp_class[i] = i == 46 ? 3 : DP_CLASS_NONE;
	for (int i = 0; i < 8; i++)
		config.pcp_class[i] = i == 6 ? 4 : DP_CLASS_NONE;
	if (dp_port_set_qos(port, &config, &err) != 0)
		fail_msg("%s", err.text);
}

static void
test_packets_find_their_class_by_lists(void **state)
{
	static const struct {
		const char *what;
		int sender, wanted;
		uint8_t dst;
		size_t length;
		uint8_t rest[16]; /* from the type on */
	} cases[] = {
		{"nothing: the default", 0, 2, 9, 64, {8, 6}},
		{"the sender's", 1, 1, 7, 64, {8, 0, 0x45, 46 << 2}},
		{"the sender's does not exist here", 2, 2, 9, 64, {8, 6}},
		{"the sender's does not exist, but a list", 2, 5, 7, 64, {8, 6}},
		{"address before DSCP", 0, 5, 7, 64, {8, 0, 0x45, 46 << 2}},
		{"listed address without class", 0, 2, 8, 64, {8, 6}},
		{"IPv4", 0, 3, 9, 64, {8, 0, 0x45, 46 << 2 | 3}},
		{"IPv4, another DSCP", 0, 2, 9, 64, {8, 0, 0x45, 45 << 2}},
		{"IPv6", 0, 3, 9, 64, {0x86, 0xdd, 0x6b, 0x80}},
		{"IPv6 that says IPv4", 0, 2, 9, 64, {0x86, 0xdd, 0x4b, 0x80}},
		{"tag and IPv4", 0, 3, 9, 64, {0x81, 0, 0, 5, 8, 0, 0x45, 46 << 2}},
		{"DSCP before PCP", 0, 3, 9, 64, {0x81, 0, 0xc0, 5, 8, 0, 0x45, 46 << 2}},
		{"PCP", 0, 4, 9, 64, {0x81, 0, 0xc0, 5, 8, 6}},
		{"another PCP", 0, 2, 9, 64, {0x81, 0, 0xa0, 5, 8, 6}},
		{"outer PCP and inner IPv6",
	         0,
	         3,
	         9,
	         64,
	         {0x88, 0xa8, 0xc0, 5, 0x81, 0, 0, 6, 0x86, 0xdd, 0x6b, 0x80}},
		{"outer PCP", 0, 4, 9, 64, {0x88, 0xa8, 0xc0, 5, 0x81, 0, 0, 6, 8, 6}},
		{"addresses and type only", 0, 2, 9, 14, {8, 0}},
		{"one byte of IP", 0, 2, 9, 15, {8, 0, 0x45}},
		{"two bytes of IP", 0, 3, 9, 16, {8, 0, 0x45, 46 << 2}},
	};
	struct dp_port_settings class1 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 1};
	struct dp_port_settings class60 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 60};
	uint32_t senders[] = {port_add("a", NULL), port_add("a1", &class1),
	                      port_add("a60", &class60)};
	uint32_t b = port_add_default_class("b", 2);
	uint64_t offered[8] = {0};

	(void)state;
	qos_with_lists(b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t frame[64] = {2, 0, 0, 0, 0, cases[i].dst, 2, 0, 0, 0, 0, 1};
		int class;

		memcpy(frame + 12, cases[i].rest, sizeof(cases[i].rest));
		assert_int_equal(
			dp_dummy_inject(senders[cases[i].sender], frame, cases[i].length),
			0);
		class = class_that_took(b, offered);
		if (class != cases[i].wanted)
			fail_msg("%s: class %d", cases[i].what, class);
	}
	for (int i = 0; i < 3; i++)
		dp_port_del(senders[i]);
	dp_port_del(b);
}

/* ---- several workers, one owner ---- */

static bool
set_workers(uint8_t mask)
{
	struct dp_config config = {.pmd_cpu_mask = {mask}, .max_sleep_us = 50};
	struct error err = {""};

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return false;
	if (dp_set_workers(&config, &err) != 0)
		fail_msg("%s", err.text);
	return true;
}

/* Sends a numbered frame of one of four classes by DSCP. */
static void
send_numbered(uint32_t port, uint8_t src, uint8_t class, uint32_t number)
{
	uint8_t frame[64];

	frame_make(frame, sizeof(frame), 0xff, src, -1);
	memcpy(frame + 12, ((uint8_t[]){8, 0, 0x45, (uint8_t)(class << 2)}), 4);
	memcpy(frame + 40, &number, sizeof(number));
	assert_int_equal(dp_dummy_inject(port, frame, sizeof(frame)), 0);
}

static void
qos_by_dscp(uint32_t port, uint32_t variant)
{
	struct dp_class_config classes[] = {
		{.number = 0, .parent = DP_CLASS_ROOT},
		{.number = 1, .parent = variant & 1 ? 2 : DP_CLASS_ROOT},
		{.number = 2, .parent = DP_CLASS_ROOT, .floor_bps = 1000 * variant},
		{.number = 3, .parent = variant & 2 ? 2 : DP_CLASS_ROOT, .priority = 3},
	};
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 10000000000,
	                               .classes = classes,
	                               .n_classes = 4,
	                               .has_dscp_classes = true};
	struct error err = {""};

	for (uint32_t i = 0; i < 64; i++)
		config.dscp_class[i] = i < 4 ? i : DP_CLASS_NONE;
	if (dp_port_set_qos(port, &config, &err) != 0)
		fail_msg("%s", err.text);
}

/* Three ports on two workers send to one; its tree changes meanwhile. */
static void
test_flows_keep_their_order_over_workers(void **state)
{
	enum { ROUNDS = 400, BATCH = 8 };
	uint32_t sent[3][4] = {{0}}, seen_next[3][4] = {{0}}, got = 0, number;
	uint32_t senders[3], b;
	uint8_t frame[2048];

	(void)state;
	if (!set_workers(3))
		skip();
	senders[0] = port_add("a0", NULL);
	senders[1] = port_add("a1", NULL);
	senders[2] = port_add("a2", NULL);
	b = port_add("b", NULL);
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (round % 8 == 0)
			qos_by_dscp(b, round / 8);
		for (unsigned i = 0; i < 3 * BATCH; i++) {
			uint32_t *n = &sent[i % 3][i / 3 % 4];

			send_numbered(senders[i % 3], (uint8_t)(i % 3), i / 3 % 4,
			              (*n)++);
		}
		while (got < (round + 1) * 3 * BATCH && take(b, frame, WAIT_NS)) {
			uint32_t *next = &seen_next[frame[11]][frame[15] >> 2];

			memcpy(&number, frame + 40, sizeof(number));
			assert_int_equal(number, *next);
			++*next;
			got++;
		}
		for (unsigned i = 0; i < 3; i++)
			while (take(senders[i], frame, 0))
				continue;
	}
	assert_int_equal(got, ROUNDS * 3 * BATCH);
	assert_int_equal(tx_dropped(b), 0);
	for (unsigned i = 0; i < 3; i++)
		dp_port_del(senders[i]);
	dp_port_del(b);
	set_workers(1);
}

/* Every packet that did not come as far as the scheduler counts in its class too. */
static void
test_losses_on_the_way_are_charged_to_their_class(void **state)
{
	static const uint8_t masks[] = {3, 1, 3, 2};
	uint32_t a0, a1, b, sent = 0;
	struct dp_class_stats root;
	uint8_t frame[2048];

	(void)state;
	if (!set_workers(3))
		skip();
	a0 = port_add("a0", NULL);
	a1 = port_add("a1", NULL);
	b = port_add("b", NULL);
	qos_by_dscp(b, 4); /* all below the root */
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 40; i++, sent += 2) {
			send_numbered(a0, 1, i % 4, 0);
			send_numbered(a1, 2, i % 4, 0);
		}
		if (round % 5 == 0)
			set_workers(masks[round / 5 % 4]);
		while (take(b, frame, 0) || take(a0, frame, 0) || take(a1, frame, 0))
			continue;
	}
	for (int i = 0; i < 1000; i++) {
		class_stats(b, 0);
		root = seen[7];
		if (root.sent_packets + root.dropped_packets == sent)
			break;
		while (take(b, frame, 0))
			continue;
		settle();
	}
	print_message("%u lost on the way of %u\n", (unsigned)root.dropped_packets, sent);
	assert_int_equal(root.offered_packets, sent);
	assert_int_equal(root.dropped_packets, tx_dropped(b));
	for (int i = 0; i < 4; i++)
		assert_int_equal(seen[i].offered_packets, sent / 4);
	dp_port_del(a0);
	dp_port_del(a1);
	dp_port_del(b);
	set_workers(1);
}

/* ---- trtcm-policer ---- */

static void
qos_trtcm(uint32_t port, uint64_t class1_burst_bits)
{
	struct dp_class_config classes[] = {
		{.number = 1,
	         .parent = DP_CLASS_ROOT,
	         .floor_bps = 8000,
	         .burst_bits = class1_burst_bits},
		{.number = 2,
	         .parent = DP_CLASS_ROOT,
	         .excess_bps = 8000,
	         .excess_burst_bits = 640 * 8},
	};
	struct dp_qos_config config = {.kind = DP_QOS_TRTCM,
	                               .rate_bps = 8000,
	                               .burst_bits = 1280 * 8,
	                               .excess_bps = 8000,
	                               .excess_burst_bits = 1280 * 8,
	                               .classes = classes,
	                               .n_classes = 2};
	struct error err = {""};

	if (dp_port_set_qos(port, &config, &err) != 0)
		fail_msg("%s", err.text);
}

/* 64-byte frames at 1 kB/s: bursts of 20 (port, both colours), 40 (class 1) and 10 (class
 * 2) frames count, and one or two more by the debt and the time that passes. */
static void
test_trtcm_polices_by_class_and_by_port(void **state)
{
	struct dp_port_settings class1 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 1};
	uint32_t a = port_add("a", NULL), a1 = port_add("a1", &class1);
	uint32_t b = port_add_default_class("b", 2);
	uint8_t frame[2048];
	unsigned got = 0;
	uint64_t time_ns;

	(void)state;
	qos_trtcm(b, 2560 * 8);
	for (int i = 0; i < 100; i++)
		send_frame(a, 0xff, 1, -1);
	settle();
	while (take(b, frame, 0))
		got++;
	assert_in_range(got, 10, 19); /* class 2 is red, the port still has 10 yellow */
	for (int i = 0; i < 100; i++)
		send_frame(a1, 0xff, 2, -1);
	settle();
	while (take(b, frame, 0))
		got++;
	assert_in_range(got, 38, 75); /* green and yellow of the port are used up */
	memset(seen, 0, sizeof(seen));
	assert_int_equal(dp_port_qos_stats(b, note_class, NULL, &time_ns), DP_QOS_TRTCM);
	assert_int_equal(seen[7].sent_packets, got);
	assert_int_equal(seen[7].offered_packets, 200);
	assert_int_equal(seen[1].offered_packets, 100);
	assert_int_equal(seen[1].sent_packets + seen[2].sent_packets, got);
	assert_int_equal(seen[2].borrowed_bytes, seen[2].sent_bytes);
	assert_int_equal(tx_dropped(b), 200 - got);
	/* Counters stay with the class. */
	qos_trtcm(b, 1280 * 8);
	assert_int_equal(dp_port_qos_stats(b, note_class, NULL, &time_ns), DP_QOS_TRTCM);
	assert_int_equal(seen[1].offered_packets, 100);
	dp_port_del(a);
	dp_port_del(a1);
	dp_port_del(b);
}

/* A class that floods takes at most half of the packets that a tree may hold: what
 * another one has a floor for is not shut out. */
static void
test_a_flood_leaves_room_for_other_classes(void **state)
{
	struct dp_port_settings class1 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 1};
	struct dp_class_config classes[] = {
		{.number = 1, .parent = DP_CLASS_ROOT, .limit_packets = 1 << 20},
		{.number = 2, .parent = DP_CLASS_ROOT, .limit_packets = 1 << 20},
	};
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 8000,
	                               .classes = classes,
	                               .n_classes = 2};
	struct dp_port_settings class2 = class1;
	uint8_t frame[2048];
	size_t length = frame_make(frame, 64, 0xff, 1, -1);
	uint32_t a, a2, b = port_add("b", NULL);
	struct error err = {""};
	uint64_t time_ns, before;

	(void)state;
	class2.egress_class = 2;
	a = port_add("a", &class1);
	a2 = port_add("a2", &class2);
	if (dp_port_set_qos(b, &config, &err) != 0)
		fail_msg("%s", err.text);
	memset(seen, 0, sizeof(seen));
	do {
		before = seen[1].queued_packets;
		for (int i = 0; i < 4000; i++)
			while (dp_dummy_inject(a, frame, length) == -ENOBUFS)
				usleep(100);
		settle();
		dp_port_qos_stats(b, note_class, NULL, &time_ns);
	} while (seen[1].queued_packets > before + 100);
	assert_true(seen[1].queued_packets > 1000);
	for (int i = 0; i < 200; i++)
		send_frame(a2, 0xff, 2, -1);
	settle();
	dp_port_qos_stats(b, note_class, NULL, &time_ns);
	assert_int_equal(seen[2].dropped_packets, 0);
	assert_int_equal(seen[2].queued_packets + seen[2].sent_packets, 200);
	dp_port_del(a);
	dp_port_del(a2);
	dp_port_del(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes_hold_and_tree_changes_lose_nothing),
		cmocka_unit_test(test_workers_change_under_a_full_tree),
		cmocka_unit_test(test_packets_of_a_deleted_class_go_to_class_0),
		cmocka_unit_test(test_ports_of_a_domain_share_its_rate),
		cmocka_unit_test(test_a_domain_gets_its_name_and_loses_it_without_loss),
		cmocka_unit_test(test_a_full_port_does_not_hold_up_others),
		cmocka_unit_test(test_packets_find_their_class_by_lists),
		cmocka_unit_test(test_a_flood_leaves_room_for_other_classes),
		cmocka_unit_test(test_flows_keep_their_order_over_workers),
		cmocka_unit_test(test_losses_on_the_way_are_charged_to_their_class),
		cmocka_unit_test(test_trtcm_polices_by_class_and_by_port),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
