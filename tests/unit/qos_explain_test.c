/* qos_explain_test.c - what the datapath says of the classes of a dummy port whose
 * traffic is made so that there is one right answer. No figure here depends on how fast
 * the machine is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "support/dummy_net.h"

#define KBPS       1000ULL
#define FRAMES_MAX 1000 /* what the ring of a dummy port holds, about */

/* link 1 Mbit/s -+- 0
 *                +- 1: floor 800 kbit/s -+- 11
 *                |                       +- 12: ceiling 50 kbit/s
 *                +- 2: floor 100 kbit/s */
static struct dp_class_config classes[] = {
	{.number = 1, .parent = DP_CLASS_ROOT, .floor_bps = 800 * KBPS},
	{.number = 2, .parent = DP_CLASS_ROOT, .floor_bps = 100 * KBPS},
	{.number = 11, .parent = 1},
	{.number = 12, .parent = 1, .ceil_bps = 50 * KBPS},
};

struct net {
	uint32_t from, to;
};

static struct net made; /* by the test that runs */

static void
set_qos(const struct net *net, uint64_t rate_bps, size_t n_classes)
{
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = rate_bps,
	                               .classes = classes,
	                               .n_classes = n_classes};
	struct error err = {""};

	assert_int_equal(dp_port_set_qos(net->to, &config, &err), 0);
}

/* A sender whose packets take 'class', and a receiver with the tree. */
static struct net
net_make(int class, uint64_t rate_bps)
{
	struct dp_port_settings sender = {.vlan_tag = DP_VLAN_NONE,
	                                  .egress_class = class};
	struct net net = {.from = port_add("from", &sender), .to = port_add("to", NULL)};

	made = net;
	set_qos(&net, rate_bps, ARRAY_SIZE(classes));
	return net;
}

static int
net_free(void **state)
{
	(void)state;
	dp_port_del(made.from);
	dp_port_del(made.to);
	return 0;
}

static void
send_frames(const struct net *net, unsigned n)
{
	while (n--)
		send_frame(net->from, 0xff, 1, -1);
}

/* The time goes on, and what arrives is taken if 'take_too'. */
static void
run_for_ms(const struct net *net, unsigned ms, bool take_too)
{
	uint64_t end = clock_mono_ns() + ms * NSEC_PER_MSEC;
	uint8_t frame[2048];

	while (clock_mono_ns() < end) {
		dp_run();
		while (take_too && dp_dummy_take(net->to, frame, sizeof(frame)))
			continue;
		usleep(500);
	}
}

static void
keep_why(const struct dp_class_why *why, void *aux)
{
	*(struct dp_class_why *)aux = *why;
}

static struct dp_class_why
ask(const struct net *net, uint32_t number)
{
	struct dp_class_why why = {.stats.number = DP_CLASS_NONE};

	assert_int_equal(dp_port_qos_why(net->to, number, keep_why, &why), DP_QOS_TREE);
	assert_int_equal(why.stats.number, number);
	return why;
}

static uint32_t
share_of(const struct dp_class_why *why, enum dp_class_state state, uint32_t who)
{
	uint32_t sum = 0, found = 0;

	for (uint32_t i = 0; i < why->shares_n; i++) {
		sum += why->shares[i].per_mille;
		if (why->shares[i].state == state && why->shares[i].who == who)
			found = why->shares[i].per_mille;
	}
	assert_int_equal(sum, 1000);
	return found;
}

static void
count_class(const struct dp_class_why *why, void *aux)
{
	(void)why;
	++*(unsigned *)aux;
}

static void
test_without_packets(void **state)
{
	struct net net = net_make(11, 1000 * KBPS);
	struct dp_class_why why = ask(&net, 11);
	unsigned n = 0;

	(void)state;
	assert_int_equal(why.state, DP_STATE_IDLE);
	run_for_ms(&net, 500, true);
	why = ask(&net, 11);
	assert_int_equal(share_of(&why, DP_STATE_IDLE, DP_CLASS_NONE), 1000);
	assert_int_equal(why.rates.sent_bps, 0);
	assert_int_equal(why.delay[DP_DELAY_QUEUE].samples, 0);
	assert_int_equal(why.drops_n, 0);
	/* The root, class 0 and those above. */
	dp_port_qos_why(net.to, DP_CLASS_NONE, count_class, &n);
	assert_int_equal(n, 2 + ARRAY_SIZE(classes));
	/* A class that is not there is told by nobody. */
	n = 0;
	dp_port_qos_why(net.to, 77, count_class, &n);
	assert_int_equal(n, 0);
	assert_int_equal(dp_port_qos_why(net.from, DP_CLASS_NONE, count_class, &n),
	                 DP_QOS_NONE);
}

static void
test_at_its_ceiling(void **state)
{
	struct net net = net_make(12, 1000 * KBPS);
	struct dp_class_why why, parent;

	(void)state;
	send_frames(&net, FRAMES_MAX);
	run_for_ms(&net, 1500, true);
	why = ask(&net, 12);
	parent = ask(&net, 1);
	assert_true(why.stats.queued_packets > 0);
	assert_int_equal(why.state, DP_STATE_OWN_CEIL);
	/* A visit takes 24 frames, and they take 240 ms at 50 kbit/s. */
	assert_in_range(why.wait_ns, 1, 250 * NSEC_PER_MSEC);
	assert_true(share_of(&why, DP_STATE_OWN_CEIL, DP_CLASS_NONE) > 500);
	assert_true(why.rates.span_ns > 0);
	assert_true(why.rates.sent_bps > 0);
	/* The class above has nothing to hold back. */
	assert_int_equal(parent.stats.number, 1);
	assert_true(parent.is_inner);
	assert_int_equal(share_of(&parent, DP_STATE_OWN_CEIL, DP_CLASS_NONE), 0);
	assert_int_not_equal(parent.state, DP_STATE_IDLE);
}

/* Class 11 has nothing of its own to speak of: class 1 lends it 800 kbit/s. */
static void
test_borrowing_names_the_lender(void **state)
{
	struct net net = net_make(11, 1000 * KBPS);
	struct dp_class_why why;
	uint32_t lent_by_parent;

	(void)state;
	/* Never without packets: the link sends 195 in 100 ms. */
	send_frames(&net, 700);
	for (unsigned i = 0; i < 10; i++) {
		run_for_ms(&net, 100, true);
		send_frames(&net, 200);
	}
	why = ask(&net, 11);
	lent_by_parent = share_of(&why, DP_STATE_BORROWING, 1);
	assert_true(lent_by_parent > 300);
	assert_true(lent_by_parent > share_of(&why, DP_STATE_OWN_FLOOR, DP_CLASS_NONE));
	assert_true(why.stats.borrowed_bytes > 0);
	assert_true(why.rates.borrowed_bps > 0);
	assert_true(why.rates.borrowed_bps <= why.rates.sent_bps);
	/* One in 64, and each waited for those before it. */
	assert_true(why.delay[DP_DELAY_QUEUE].samples > 0);
	assert_true(why.delay[DP_DELAY_QUEUE].max_ns > NSEC_PER_MSEC);
	assert_true(why.delay[DP_DELAY_QUEUE].p50_ns <= why.delay[DP_DELAY_QUEUE].max_ns);
	assert_true(why.delay[DP_DELAY_RING].samples > 0);
}

/* More than the ring of a port that is not read holds. */
static void
test_ring_that_is_not_read(void **state)
{
	struct net net = net_make(2, 1000 * 1000 * KBPS);
	struct dp_class_why why;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		send_frames(&net, 500);
		run_for_ms(&net, 100, false);
	}
	run_for_ms(&net, 500, false);
	why = ask(&net, 2);
	assert_true(why.stats.queued_packets > 0);
	assert_int_equal(why.state, DP_STATE_RING_FULL);
	assert_true(share_of(&why, DP_STATE_RING_FULL, DP_CLASS_NONE) > 300);
	assert_int_equal(ask(&net, DP_CLASS_ROOT).state, DP_STATE_RING_FULL);
	/* What waited longest is taken now, and counted. */
	run_for_ms(&net, 300, true);
	why = ask(&net, 2);
	assert_int_equal(why.stats.queued_packets, 0);
	assert_true(why.delay[DP_DELAY_QUEUE].samples > 0);
}

static void
test_drops_have_a_reason(void **state)
{
	struct net net = net_make(12, 1000 * KBPS);
	struct dp_class_why why;

	(void)state;
	/* A queue takes 1024 packets. */
	for (unsigned i = 0; i < 3; i++) {
		send_frames(&net, 600);
		run_for_ms(&net, 150, true);
	}
	why = ask(&net, 12);
	assert_true(why.stats.dropped_packets > 0);
	assert_int_equal(why.drops_n, 1);
	assert_string_equal(why.drops[0].reason, "queue full");
	assert_true(why.drops[0].packets > 0);
	assert_true(why.drops[0].packets <= why.stats.dropped_packets);
}

/* Classes that stay keep what is known of them, whatever happens to others, and where a
 * leaf becomes an inner class. */
static void
test_what_is_known_outlives_changes(void **state)
{
	struct net net = net_make(12, 1000 * KBPS);
	uint64_t bound = 1ULL << 40, count, total, sum, total_after;
	struct dp_class_why why;

	(void)state;
	send_frames(&net, FRAMES_MAX);
	run_for_ms(&net, 1000, true);
	assert_true(dp_class_delay_counts(net.to, 12, DP_DELAY_QUEUE, &bound, 1, &count,
	                                  &total, &sum));
	assert_int_equal(count, total);
	set_qos(&net, 1000 * KBPS, 0);
	assert_false(dp_class_delay_counts(net.to, 12, DP_DELAY_QUEUE, &bound, 1, &count,
	                                   &total, &sum));
	run_for_ms(&net, 300, true);
	set_qos(&net, 1000 * KBPS, ARRAY_SIZE(classes));
	send_frames(&net, FRAMES_MAX);
	run_for_ms(&net, 1500, true);
	dp_class_delay_counts(net.to, 12, DP_DELAY_QUEUE, &bound, 1, &count, &total,
	                      &sum);
	why = ask(&net, 12);
	assert_true(share_of(&why, DP_STATE_OWN_CEIL, DP_CLASS_NONE) > 0);
	/* Another class goes, this one stays. */
	classes[1].number = 3;
	set_qos(&net, 1000 * KBPS, ARRAY_SIZE(classes));
	classes[1].number = 2;
	why = ask(&net, 12);
	assert_true(share_of(&why, DP_STATE_OWN_CEIL, DP_CLASS_NONE) > 0);
	assert_true(dp_class_delay_counts(net.to, 12, DP_DELAY_QUEUE, &bound, 1, &count,
	                                  &total_after, &sum));
	assert_true(total_after >= total);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_without_packets, net_free),
		cmocka_unit_test_teardown(test_at_its_ceiling, net_free),
		cmocka_unit_test_teardown(test_borrowing_names_the_lender, net_free),
		cmocka_unit_test_teardown(test_ring_that_is_not_read, net_free),
		cmocka_unit_test_teardown(test_drops_have_a_reason, net_free),
		cmocka_unit_test_teardown(test_what_is_known_outlives_changes, net_free),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
