/* gate_test.c - gated ports on dummy ports: nothing is lost or reordered, whatever
 * changes while the gate is closed; what is above the rate stays in the port's ring. */
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
#include "support/dummy_net.h"

#define PATIENCE_NS (10 * NSEC_PER_SEC)
#define FRAME       1000 /* bytes */
/* A frame takes half a second: the ring is not yet thought to be stuck. */
#define SLOW_BPS 16000

static struct dp_port_settings
settings_plain(void)
{
	return (struct dp_port_settings){.vlan_tag = DP_VLAN_NONE, .egress_class = -1};
}

/* 'burst_frames' 0 = default. */
static struct dp_port_settings
settings_gated(uint64_t rate_bps, unsigned burst_frames)
{
	struct dp_port_settings settings = settings_plain();

	settings.on_excess = DP_EXCESS_GATE;
	settings.policing_bps = rate_bps;
	settings.policing_burst_bits = burst_frames * FRAME * 8ULL;
	return settings;
}

static void
port_set(uint32_t port, struct dp_port_settings settings)
{
	struct error err = {""};

	assert_int_equal(dp_port_set(port, &settings, &err), 0);
}

static void
bridge_set(uint64_t ingress_bps)
{
	struct dp_bridge_config config = {.name = "br0", .ingress_bps = ingress_bps};
	struct error err = {""};

	assert_int_equal(dp_bridge_set(bridge, &config, &err), 0);
}

/* Offers frames numbered from 'first' on, broadcast, from host 'src'. */
static void
send_frames(uint32_t port, uint8_t src, unsigned first, unsigned n)
{
	uint8_t frame[FRAME];

	memset(frame, 0xff, 6);
	memset(frame + 6, 0, sizeof(frame) - 6);
	frame[6] = 2;
	frame[11] = src;
	frame[12] = 0x88;
	frame[13] = 0xb5; /* for experiments */
	for (unsigned i = first; i < first + n; i++) {
		memcpy(frame + 14, &i, sizeof(i));
		assert_int_equal(dp_dummy_inject(port, frame, sizeof(frame)), 0);
	}
}

/* Takes a frame of host 'src' and gives its number; false if none came in time. Frames of
 * other hosts are passed over. */
static bool
take_number(uint32_t port, uint8_t src, unsigned *number, uint64_t wait_ns)
{
	uint64_t end = clock_mono_ns() + wait_ns;
	uint8_t frame[FRAME];

	do {
		if (dp_dummy_take(port, frame, sizeof(frame)) == 0) {
			dp_run();
			usleep(50);
		} else if (frame[11] == src) {
			memcpy(number, frame + 14, sizeof(*number));
			return true;
		}
	} while (clock_mono_ns() < end);
	return false;
}

/* The same for a frame that must be number 'next'. */
static bool
take_next(uint32_t port, uint8_t src, unsigned next, uint64_t wait_ns)
{
	unsigned number;

	if (!take_number(port, src, &number, wait_ns))
		return false;
	assert_int_equal(number, next);
	return true;
}

struct counter {
	const char *name;
	uint64_t value;
};

static void
counter_match(const char *name, uint64_t value, void *aux)
{
	struct counter *counter = aux;

	if (!strcmp(name, counter->name))
		counter->value = value;
}

static uint64_t
counter(uint32_t port, const char *name)
{
	struct counter counter = {name, UINT64_MAX};

	dp_port_counters(port, counter_match, &counter);
	assert_true(counter.value != UINT64_MAX);
	return counter.value;
}

/* Waits until a packet has passed and the next one may not: the rest stays outside. */
static void
wait_gated(uint32_t port)
{
	uint64_t end = clock_mono_ns() + PATIENCE_NS,
		 passed = counter(port, "rx_gate_packets");

	while ((counter(port, "rx_gated_ns") == 0 || counter(port, "rx_gate_held") == 0 ||
	        counter(port, "rx_gate_packets") == passed) &&
	       clock_mono_ns() < end) {
		dp_run();
		usleep(100);
	}
	assert_true(clock_mono_ns() < end);
}

/* How many frames came in by the port, at a moment when the gate holds one: not between
 * two frames. '*waiting' in front of it then. */
static uint64_t
received_while_held(uint32_t port, uint64_t *waiting)
{
	const uint64_t end = clock_mono_ns() + PATIENCE_NS;
	uint64_t before, held;

	do {
		before = counter(port, "rx_packets");
		held = counter(port, "rx_gate_held");
		*waiting = counter(port, "rx_gate_waiting");
		if (held == 1 && counter(port, "rx_packets") == before)
			return before;
		usleep(100);
	} while (clock_mono_ns() < end);
	fail_msg("the gate holds %u frames", (unsigned)held);
	return 0;
}

/* What SLOW_BPS lets through since then, and one more. */
static uint64_t
slow_most(uint64_t begin_ns)
{
	return (clock_mono_ns() - begin_ns) * SLOW_BPS / (FRAME * 8 * NSEC_PER_SEC) + 1;
}

static uint64_t
drops(uint32_t port)
{
	struct dp_port_stats stats;

	assert_int_equal(dp_port_get_stats(port, &stats), 0);
	return stats.rx_dropped;
}

static void
test_excess_waits_and_comes_out_in_order(void **state)
{
	const unsigned n = 100, burst = 4;
	const uint64_t rate_bps = 8000000;
	struct dp_port_settings gated = settings_gated(rate_bps, burst);
	struct dp_port_settings plain = settings_plain();
	uint32_t a = port_add("a", &gated), b = port_add("b", &plain);
	uint64_t begin = clock_mono_ns(), least_ns;
	struct dp_ingress ingress;

	(void)state;
	send_frames(a, 1, 0, n);
	for (unsigned i = 0; i < n; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	/* Later is possible on a busy machine, earlier never. */
	least_ns = (n - burst - 1) * FRAME * 8 * NSEC_PER_SEC / rate_bps;
	assert_true(clock_mono_ns() - begin >= least_ns);
	assert_int_equal(drops(a), 0);
	assert_int_equal(counter(a, "rx_gate_packets"), n);
	assert_int_equal(counter(a, "rx_gate_held"), 0);
	assert_true(counter(a, "rx_gated_ns") > 0);
	assert_true(counter(a, "rx_gate_wait_ns") > 0);
	assert_false(dp_port_ingress(b, &ingress));
	assert_true(dp_port_ingress(a, &ingress));
	assert_int_equal(ingress.passed_packets, n);
	assert_int_equal(ingress.waiting_packets + ingress.held_packets, 0);
	assert_true(ingress.gated_ns > 0);
	/* The first and the 62nd were timed; for how long depends on the machine. */
	assert_int_equal(ingress.delay.samples, 2);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_packet_rate_holds(void **state)
{
	const unsigned n = 100, burst = 32; /* the least there is */
	const uint64_t rate_pps = 1000;
	struct dp_port_settings gated = settings_gated(0, 0), plain = settings_plain();
	uint64_t begin, least_ns = (n - burst - 1) * NSEC_PER_SEC / rate_pps;
	uint32_t a, b;

	(void)state;
	gated.policing_pps = rate_pps;
	a = port_add("a", &gated);
	b = port_add("b", &plain);
	begin = clock_mono_ns();
	send_frames(a, 1, 0, n);
	for (unsigned i = 0; i < n; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	assert_true(clock_mono_ns() - begin >= least_ns);
	assert_int_equal(drops(a), 0);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_window_is_small_and_opening_the_gate_loses_nothing(void **state)
{
	const unsigned n = 60;
	struct dp_port_settings gated = settings_gated(SLOW_BPS, 4);
	struct dp_port_settings plain = settings_plain();
	uint32_t a = port_add("a", &gated), b = port_add("b", &plain);
	const uint64_t begin_ns = clock_mono_ns();
	uint64_t received, waiting;

	(void)state;
	send_frames(a, 1, 0, n);
	wait_gated(a);
	/* What the burst and the time so far allow, and one frame in the window. */
	received = received_while_held(a, &waiting);
	assert_in_range(received, 2, 4 + 1 + slow_most(begin_ns));
	assert_int_equal(waiting, n - received);
	port_set(a, plain);
	for (unsigned i = 0; i < n; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	assert_int_equal(drops(a), 0);
	/* Shut again, and the rates changed while it is. */
	port_set(a, gated);
	send_frames(a, 1, n, n);
	wait_gated(a);
	port_set(a, settings_gated(24000, 4));
	port_set(a, settings_gated(1000000000, 4));
	for (unsigned i = n; i < 2 * n; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	assert_int_equal(drops(a), 0);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_deleting_a_port_sends_what_it_holds(void **state)
{
	struct dp_port_settings gated = settings_gated(SLOW_BPS, 4);
	struct dp_port_settings plain = settings_plain();
	uint32_t a = port_add("a", &gated), b = port_add("b", &plain);
	struct dp_port_stats stats;
	uint64_t look_ns;
	unsigned got = 0;

	(void)state;
	send_frames(a, 1, 0, 20);
	wait_gated(a);
	look_ns = clock_mono_ns();
	assert_int_equal(dp_port_get_stats(a, &stats), 0);
	dp_port_del(a);
	while (take_next(b, 1, got, NSEC_PER_SEC / 20))
		got++;
	/* The clock went on between the look and the end. */
	assert_in_range(got, stats.rx_packets, stats.rx_packets + 1 + slow_most(look_ns));
	dp_port_del(b);
}

static void
test_workers_change_while_the_gate_is_shut(void **state)
{
	static const uint8_t masks[] = {1, 3, 2, 3, 1, 2};
	const unsigned n = 200;
	struct dp_port_settings gated = settings_gated(SLOW_BPS, 4);
	struct dp_port_settings plain = settings_plain();
	bool came[200] = {false};
	uint32_t a, b;

	(void)state;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip();
	a = port_add("a", &gated);
	b = port_add("b", &plain);
	send_frames(a, 1, 0, n);
	wait_gated(a);
	for (size_t i = 0; i < sizeof(masks); i++) {
		struct dp_config config = {.pmd_cpu_mask = {masks[i]},
		                           .max_sleep_us = 50};
		struct error err = {""};

		if (dp_set_workers(&config, &err) != 0)
			fail_msg("%s", err.text);
	}
	port_set(a, settings_gated(1000000000, 4));
	/* Each once. One that was on its way to another worker may come after the next.
	 */
	for (unsigned i = 0; i < n; i++) {
		unsigned number;

		assert_true(take_number(b, 1, &number, PATIENCE_NS));
		assert_true(number < n && !came[number]);
		came[number] = true;
	}
	assert_int_equal(drops(a), 0);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_ports_move_between_their_own_gates_and_the_bridges(void **state)
{
	static const uint64_t totals[] = {32000, 0, 16000, 32000, 0};
	const unsigned n = 100;
	struct dp_port_settings gated = settings_gated(SLOW_BPS, 4);
	struct dp_port_settings plain = settings_plain();
	/* More ports than the first room of a shared tree is for. */
	uint32_t ports[40], b;
	char name[16];

	(void)state;
	gated.ingress_floor_bps = 200;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		ports[i] = port_add(name, &gated);
	}
	b = port_add("b", &plain);
	send_frames(ports[0], 1, 0, n);
	wait_gated(ports[0]);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		bridge_set(totals[i]);
		usleep(5000);
	}
	bridge_set(1000000000);
	/* No rate of its own: only the bridge's holds. */
	gated.policing_bps = 0;
	port_set(ports[0], gated);
	for (unsigned i = 0; i < n; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	assert_int_equal(drops(ports[0]), 0);
	bridge_set(0);
	send_frames(ports[0], 1, n, n);
	for (unsigned i = n; i < 2 * n; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	for (unsigned i = 0; i < 40; i++)
		dp_port_del(ports[i]);
	dp_port_del(b);
}

static void
test_bridge_total_holds_for_all_its_ports(void **state)
{
	const unsigned n = 100;
	const uint64_t total_bps = 16000000;
	struct dp_port_settings gated = settings_gated(0, 0);
	struct dp_port_settings plain = settings_plain();
	uint32_t a1, a2, b;
	uint64_t begin, least_ns;

	(void)state;
	bridge_set(total_bps);
	a1 = port_add("a1", &gated);
	a2 = port_add("a2", &gated);
	b = port_add("b", &plain);
	begin = clock_mono_ns();
	send_frames(a1, 1, 0, n);
	send_frames(a2, 2, 0, n);
	for (unsigned i = 0; i < n; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	while (counter(a2, "rx_gate_packets") < n)
		usleep(100);
	/* 5 ms of the rate pass at once. */
	least_ns = (2 * n - 2) * FRAME * 8 * NSEC_PER_SEC / total_bps - 5 * NSEC_PER_MSEC;
	assert_true(clock_mono_ns() - begin >= least_ns);
	assert_int_equal(drops(a1) + drops(a2), 0);
	dp_port_del(a1);
	dp_port_del(a2);
	dp_port_del(b);
	bridge_set(0);
}

static void
test_stuck_ring_gives_a_packet_a_second(void **state)
{
	struct dp_port_settings gated = settings_gated(1000, 4);
	struct dp_port_settings plain = settings_plain();
	uint32_t a = port_add("a", &gated), b = port_add("b", &plain);
	uint64_t end = clock_mono_ns() + 10 * NSEC_PER_SEC, begin = clock_mono_ns();

	(void)state;
	send_frames(a, 1, 0, 20);
	while (counter(a, "drop_rx_gate_timeout") < 1 && clock_mono_ns() < end)
		usleep(1000);
	assert_int_equal(counter(a, "drop_rx_gate_timeout"), 1);
	assert_true(clock_mono_ns() - begin >= NSEC_PER_SEC);
	assert_int_equal(drops(a), 1);
	dp_port_del(a);
	dp_port_del(b);
}

static void
test_policing_pays_only_for_what_passes(void **state)
{
	struct dp_port_settings policed = settings_plain(), plain = settings_plain();
	uint32_t a, b;

	(void)state;
	/* Bytes for three frames and a half, so four; packets for ten. */
	policed.policing_bps = 8;
	policed.policing_burst_bits = 7 * FRAME * 4;
	policed.policing_pps = 1;
	policed.policing_burst_packets = 10;
	a = port_add("a", &policed);
	b = port_add("b", &plain);
	send_frames(a, 1, 0, 100);
	while (counter(a, "drop_rx_policed") < 96)
		usleep(100);
	policed.policing_bps = 0;
	port_set(a, policed);
	send_frames(a, 1, 100, 6);
	for (unsigned i = 0; i < 4; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	for (unsigned i = 100; i < 106; i++)
		assert_true(take_next(b, 1, i, PATIENCE_NS));
	assert_int_equal(drops(a), 96);
	dp_port_del(a);
	dp_port_del(b);
}

/* Sends IPv4 frames with 'tos', and counts those that come out by their ECN field. */
static void
count_marks(uint32_t from, uint32_t to, uint8_t tos, unsigned n, unsigned marks[4])
{
	uint8_t frame[FRAME] = {0};
	uint64_t end = clock_mono_ns() + PATIENCE_NS;
	uint64_t before = counter(from, "rx_packets");

	memset(frame, 0xff, 6);
	memset(marks, 0, 4 * sizeof(marks[0]));
	frame[6] = 2;
	frame[12] = 0x08;
	frame[14] = 0x45;
	frame[15] = tos;
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(dp_dummy_inject(from, frame, sizeof(frame)), 0);
	while (counter(from, "rx_packets") < before + n && clock_mono_ns() < end)
		usleep(100);
	usleep(10000);
	while (dp_dummy_take(to, frame, sizeof(frame)))
		marks[frame[15] & 3]++;
}

static void
test_marking_gives_one_burst_more_to_those_who_understand(void **state)
{
	struct dp_port_settings marked = settings_plain(), plain = settings_plain();
	uint32_t a, b;
	unsigned marks[4];

	(void)state;
	/* Credit for 3.4 frames, so four; then as much debt. */
	marked.on_excess = DP_EXCESS_MARK;
	marked.policing_bps = 8;
	marked.policing_burst_bits = 34 * FRAME * 8 / 10;
	a = port_add("a", &marked);
	b = port_add("b", &plain);
	count_marks(a, b, 0xb9, 20, marks); /* ECT(1) */
	assert_int_equal(marks[1], 4);
	assert_int_equal(marks[3], 3);
	assert_int_equal(marks[0] + marks[2], 0);
	assert_int_equal(counter(a, "rx_marked"), 3);
	assert_int_equal(counter(a, "drop_rx_policed"), 13);
	dp_port_del(a);
	/* Whose transport does not understand marks is dropped at once. */
	a = port_add("a", &marked);
	count_marks(a, b, 0xb8, 20, marks);
	assert_int_equal(marks[0], 4);
	assert_int_equal(marks[1] + marks[2] + marks[3], 0);
	assert_int_equal(counter(a, "rx_marked"), 0);
	assert_int_equal(counter(a, "drop_rx_policed"), 16);
	dp_port_del(a);
	dp_port_del(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_excess_waits_and_comes_out_in_order),
		cmocka_unit_test(test_packet_rate_holds),
		cmocka_unit_test(test_window_is_small_and_opening_the_gate_loses_nothing),
		cmocka_unit_test(test_deleting_a_port_sends_what_it_holds),
		cmocka_unit_test(test_workers_change_while_the_gate_is_shut),
		cmocka_unit_test(test_ports_move_between_their_own_gates_and_the_bridges),
		cmocka_unit_test(test_bridge_total_holds_for_all_its_ports),
		cmocka_unit_test(test_stuck_ring_gives_a_packet_a_second),
		cmocka_unit_test(test_policing_pays_only_for_what_passes),
		cmocka_unit_test(
			test_marking_gives_one_burst_more_to_those_who_understand),
	};

	return cmocka_run_group_tests(tests, dummy_net_start, dummy_net_stop);
}
