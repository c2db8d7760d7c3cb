/* qos_leaf_test.c - how packets of a class are queued in the running datapath, over dummy
 * ports: marked, dropped and counted by CoDel or for their age, in fair turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/dummy_net.h"

#define FRAMES 100
#define ECT0   2
#define CE     3

static struct dp_port_settings class1 = {.vlan_tag = DP_VLAN_NONE, .egress_class = 1};

static void
set_class(uint32_t port, struct dp_class_config class)
{
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 1000000000,
	                               .classes = &class,
	                               .n_classes = 1};
	struct error err = {""};

	class.number = 1;
	class.parent = DP_CLASS_ROOT;
	if (dp_port_set_qos(port, &config, &err) != 0)
		fail_msg("%s", err.text);
}

/* An IPv4 frame of 64 bytes between the hosts, with 'ecn' in its header. */
static void
send_ip(uint32_t port, uint8_t src, unsigned ecn)
{
	uint8_t frame[64], *ip = frame + 14;
	uint32_t sum = 0;

	frame_make(frame, sizeof(frame), 0xff, src, -1);
	frame[13] = 0x00;
	memcpy(ip, (uint8_t[]){0x45, (uint8_t)ecn, 0, 50, 0,   0,  0, 0, 64, 17, 0,
	                       0,    10,           0, 0,  src, 10, 0, 0, 255},
	       20);
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	assert_int_equal(dp_dummy_inject(port, frame, sizeof(frame)), 0);
}

static bool
checksum_is_right(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

struct counter {
	const char *name;
	uint64_t value;
};

static void
note_counter(const char *name, uint64_t value, void *aux)
{
	struct counter *counter = aux;

	if (strstr(name, counter->name))
		counter->value += value;
}

static uint64_t
count_of(uint32_t port, const char *name)
{
	struct counter counter = {name, 0};

	dp_port_counters(port, note_counter, &counter);
	return counter.value;
}

static struct dp_class_stats seen;

static void
note_class(const struct dp_class_stats *stats, void *aux)
{
	(void)aux;
	if (stats->number == 1)
		seen = *stats;
}

static void
look_at_class(uint32_t port)
{
	uint64_t time_ns;

	assert_int_equal(dp_port_qos_stats(port, note_class, NULL, &time_ns),
	                 DP_QOS_TREE);
}

/* Takes frames until all that were sent came or were counted as 'reason'. Returns how
 * many came, and in '*marked' how many had a mark. */
static unsigned
take_until_gone(uint32_t port, const char *reason, unsigned *marked)
{
	uint64_t end_ns = clock_mono_ns() + 20 * NSEC_PER_SEC;
	uint8_t frame[2048];
	unsigned got = 0;

	*marked = 0;
	while (got + count_of(port, reason) < FRAMES) {
		assert_true(clock_mono_ns() < end_ns);
		if (!take(port, frame, NSEC_PER_SEC / 1000))
			continue;
		got++;
		assert_true(checksum_is_right(frame + 14));
		*marked += (frame[15] & 3) == CE;
	}
	return got;
}

static void
test_codel_marks_those_that_may_be(void **state)
{
	uint32_t a = port_add("a", &class1), b = port_add("b", NULL);
	unsigned marked;

	(void)state;
	/* A millisecond and more for each frame after the burst: a queue that stands. */
	set_class(b, (struct dp_class_config){.ceil_bps = 400000,
	                                      .burst_bits = 12000,
	                                      .codel = true,
	                                      .ecn = true,
	                                      .codel_target_us = 1,
	                                      .codel_interval_us = 2000});
	for (unsigned i = 0; i < FRAMES; i++)
		send_ip(a, 1, ECT0);
	assert_int_equal(take_until_gone(b, "tx_qos_codel", &marked), FRAMES);
	assert_true(marked > 0);
	look_at_class(b);
	assert_int_equal(seen.marked_packets, marked);
	assert_int_equal(seen.codel_packets, 0);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_codel_drops_the_others_and_counts_them(void **state)
{
	uint32_t a = port_add("a", &class1), b = port_add("b", NULL);
	unsigned got, marked;

	(void)state;
	set_class(b, (struct dp_class_config){.ceil_bps = 400000,
	                                      .burst_bits = 12000,
	                                      .codel = true,
	                                      .ecn = true,
	                                      .codel_target_us = 1,
	                                      .codel_interval_us = 2000});
	for (unsigned i = 0; i < FRAMES; i++)
		send_ip(a, 1, 0);
	got = take_until_gone(b, "tx_qos_codel", &marked);
	assert_true(got < FRAMES);
	assert_int_equal(marked, 0);
	look_at_class(b);
	assert_int_equal(seen.codel_packets, FRAMES - got);
	assert_int_equal(seen.dropped_packets, FRAMES - got);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_old_packets_are_dropped_and_counted(void **state)
{
	uint32_t a = port_add("a", &class1), b = port_add("b", NULL);
	unsigned got, marked;

	(void)state;
	set_class(b, (struct dp_class_config){
			     .ceil_bps = 100000, .burst_bits = 12000, .limit_us = 20000});
	for (unsigned i = 0; i < FRAMES; i++)
		send_ip(a, 1, 0);
	got = take_until_gone(b, "tx_qos_aged", &marked);
	assert_in_range(got, 1, FRAMES - 1);
	look_at_class(b);
	assert_int_equal(seen.aged_packets, FRAMES - got);
	dp_port_del(a);
	dp_port_del(b);
}

/* Where among the frames that come out the one of host 2 is that was sent last. */
static unsigned
place_of_last(bool fair, unsigned *left)
{
	uint32_t a = port_add("a", &class1), b = port_add("b", NULL);
	struct dp_class_config class = {
		.ceil_bps = 8000, .burst_bits = 12000, .fair = fair};
	uint8_t frame[2048];
	unsigned place = 0, got = 0;

	set_class(b, class);
	for (unsigned i = 0; i < FRAMES - 1; i++)
		send_ip(a, 1, 0);
	settle();
	send_ip(a, 2, 0);
	settle();
	class.ceil_bps = 1000000;
	set_class(b, class);
	while (got < FRAMES && take(b, frame, WAIT_NS))
		if (++got && frame[11] == 2)
			place = got;
	*left = FRAMES - got;
	dp_port_del(a);
	dp_port_del(b);
	return place;
}

static void
test_a_new_flow_goes_first_in_a_fair_class(void **state)
{
	unsigned left;

	(void)state;
	assert_int_equal(place_of_last(false, &left), FRAMES);
	assert_int_equal(left, 0);
	/* The burst of 12000 bits and what the port may have sent meanwhile. */
	assert_in_range(place_of_last(true, &left), 1, FRAMES / 2);
	assert_int_equal(left, 0);
}

static void
test_a_class_changes_its_queues_without_loss(void **state)
{
	uint32_t a = port_add("a", &class1), b = port_add("b", NULL);
	struct dp_class_config class = {.ceil_bps = 8000, .burst_bits = 12000};
	uint8_t frame[2048];
	unsigned got = 0;

	(void)state;
	for (unsigned i = 0; i < FRAMES; i++) {
		if (i % 20 == 0) {
			class.fair = !class.fair;
			class.codel = i % 40 == 0;
			class.limit_packets = i * 2;
			set_class(b, class);
		}
		send_ip(a, (uint8_t)(1 + i % 7), 0);
		settle();
	}
	class = (struct dp_class_config){.ceil_bps = 10000000};
	set_class(b, class);
	while (got < FRAMES && take(b, frame, WAIT_NS))
		got++;
	look_at_class(b);
	assert_int_equal(got + seen.dropped_packets, FRAMES);
	/* A queue may have stood for long enough, at that rate, for some drops. */
	assert_int_equal(seen.dropped_packets, seen.codel_packets);
	dp_port_del(a);
	dp_port_del(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codel_marks_those_that_may_be),
		cmocka_unit_test(test_codel_drops_the_others_and_counts_them),
		cmocka_unit_test(test_old_packets_are_dropped_and_counted),
		cmocka_unit_test(test_a_new_flow_goes_first_in_a_fair_class),
		cmocka_unit_test(test_a_class_changes_its_queues_without_loss),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
