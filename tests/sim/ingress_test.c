/* ingress_test.c - gating in virtual time: rings that guests keep full, the windows on
 * them, and the tree that lets packets through. What is above the rate must stay in the
 * rings.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "qos/gate_window.h"
#include "sim.h"

#define RINGS_MAX 16

/* A guest's transmit ring that is never empty while it is on. */
struct ring {
	struct gate_window window;
	uint32_t leaf;
	enum sim_sizes sizes;
	bool is_off;
	uint64_t taken_ns, max_gap_ns; /* between two packets taken from it */
	uint64_t sent_bytes, sent_packets, dropped;
	uint64_t max_held_bytes, max_wait_ns;
};

struct gate_sim {
	struct sim sim;
	struct ring rings[RINGS_MAX];
	unsigned n;
	struct sim_meter meter; /* of all that comes out */
	uint64_t sent_bytes, first_ns, last_ns;
	uint32_t last_bytes;
};

/* Class of a guest, and the leaf of each of its rings, with the bursts of the datapath:
 * 5 ms. */
static uint32_t
guest_add(struct gate_sim *g, uint64_t floor_bps, uint64_t ceil_bps)
{
	struct sched_class_params params = {
		.floor_bps = floor_bps,
		.ceil_bps = ceil_bps,
		.ceil_burst_bytes = MAX_OF((uint32_t)(ceil_bps / 1600), 3028),
	};
	uint32_t ref;

	assert_int_equal(sched_class_add(g->sim.sched, sched_root(g->sim.sched), false,
	                                 &params, g->sim.now_ns, &ref),
	                 0);
	return ref;
}

static struct ring *
ring_add(struct gate_sim *g, uint32_t guest, uint64_t rate_bps, enum sim_sizes sizes)
{
	struct sched_class_params leaf = {
		.weight = 1, .limit_packets = 128, .limit_bytes = 1U << 30};
	struct ring *ring = &g->rings[g->n++];

	memset(ring, 0, sizeof(*ring));
	ring->sizes = sizes;
	ring->taken_ns = g->sim.now_ns;
	assert_int_equal(sched_class_add(g->sim.sched, guest, true, &leaf, g->sim.now_ns,
	                                 &ring->leaf),
	                 0);
	gate_window_set(&ring->window, rate_bps, 0);
	return ring;
}

static void
gate_sim_init(struct gate_sim *g, uint64_t total_bps, uint64_t meter_bps)
{
	memset(g, 0, sizeof(*g));
	sim_init(&g->sim, 64, 4096, total_bps);
	sim_meter_init(&g->meter, meter_bps, g->sim.now_ns);
}

static void
ring_poll(struct gate_sim *g, unsigned index)
{
	struct ring *ring = &g->rings[index];
	struct gate_window *window = &ring->window;
	bool must_drop = false;
	unsigned room;

	room = gate_window_room(window, SIM_BATCH, g->sim.now_ns);
	if (room == 0 && gate_window_is_stuck(window, g->sim.now_ns)) {
		must_drop = true;
		room = 1;
	}
	if (ring->is_off || room == 0)
		return;
	if (g->sim.now_ns - ring->taken_ns > ring->max_gap_ns)
		ring->max_gap_ns = g->sim.now_ns - ring->taken_ns;
	ring->taken_ns = g->sim.now_ns;
	if (must_drop) {
		ring->dropped++;
		return;
	}
	assert_true(room <= SIM_BATCH);
	for (unsigned i = 0; i < room; i++) {
		uint32_t bytes = sim_size(&g->sim.random, ring->sizes);

		assert_true(sim_offer(&g->sim, ring->leaf, bytes, index));
		gate_window_add(window, bytes);
	}
	assert_true(window->held_packets <= GATE_WINDOW_PACKETS);
	if (window->held_bytes > ring->max_held_bytes)
		ring->max_held_bytes = window->held_bytes;
}

static void
gate_sim_drain(struct gate_sim *g)
{
	struct sim_packet *packets[SIM_BATCH];
	unsigned count = sim_dequeue(&g->sim, packets);

	for (unsigned i = 0; i < count; i++) {
		struct ring *ring = &g->rings[packets[i]->source];
		uint32_t bytes = packets[i]->item.charged_bytes;
		uint64_t wait_ns = g->sim.now_ns - packets[i]->item.enqueued_ns;

		gate_window_remove(&ring->window, bytes);
		sim_meter_add(&g->meter, g->sim.now_ns, bytes);
		ring->sent_bytes += bytes;
		ring->sent_packets++;
		if (wait_ns > ring->max_wait_ns)
			ring->max_wait_ns = wait_ns;
		g->sent_bytes += bytes;
		g->first_ns = g->first_ns ? g->first_ns : g->sim.now_ns;
		g->last_ns = g->sim.now_ns;
		g->last_bytes = bytes;
		sim_packet_put(&g->sim, packets[i]);
	}
}

/* The worker's loop; it sleeps up to 50 us when the tree says that nothing is due. */
static void
gate_sim_run(struct gate_sim *g, double seconds)
{
	uint64_t end_ns = g->sim.now_ns + (uint64_t)(seconds * 1e9), next_ns;

	while (g->sim.now_ns < end_ns) {
		for (unsigned i = 0; i < g->n; i++)
			ring_poll(g, i);
		gate_sim_drain(g);
		next_ns = sched_next_event_ns(g->sim.sched, g->sim.now_ns);
		sim_step(&g->sim);
		next_ns = MIN_OF(next_ns, g->sim.now_ns + 50000);
		if (next_ns > g->sim.now_ns)
			g->sim.now_ns = next_ns;
	}
}

static void
gate_sim_clear(struct gate_sim *g)
{
	for (unsigned i = 0; i < g->n; i++)
		g->rings[i].sent_bytes = g->rings[i].sent_packets = 0;
	g->sent_bytes = g->first_ns = 0;
}

/* Bits per second, from the first packet to the last; the last is paid for later. */
static double
gate_sim_bps(const struct gate_sim *g, uint64_t bytes)
{
	return (double)(bytes - g->last_bytes) * 8e9 / (double)(g->last_ns - g->first_ns);
}

static void
measure_limit(uint64_t rate_bps, enum sim_sizes sizes, double *worst)
{
	double burst = fmax((double)rate_bps / 1600, 3028), error, bound;
	uint32_t largest = sizes == SIM_SIZES_1514 ? 1514 : SIM_BYTES_MAX;
	uint64_t window_bytes = MAX_OF(rate_bps / 8000, 1);
	uint64_t ten_ms_bytes = rate_bps / 800, full_ns, begin_ns;
	struct gate_sim g;
	struct ring *ring;

	gate_sim_init(&g, 100 * SIM_GBPS, rate_bps);
	ring = ring_add(&g, guest_add(&g, 0, rate_bps), rate_bps, sizes);
	gate_sim_run(&g, 1);
	gate_sim_clear(&g);
	full_ns = ring->window.full_ns;
	begin_ns = g.sim.now_ns;
	gate_sim_run(&g, 20);
	full_ns = ring->window.full_ns - full_ns;
	error = gate_sim_bps(&g, ring->sent_bytes) / (double)rate_bps - 1;
	/* Mixed sizes: the packet at either end of the time may be large or small. */
	bound = sizes == SIM_SIZES_MIXED
	                ? 0.005 + SIM_BYTES_MAX * 8.0 / 20 / (double)rate_bps
	                : 0.005;
	*worst = fmax(*worst, fabs(error));
	printf("gate %4lu Mbit/s %-6s error %+.4f %%, over %6.0f B of %6.0f, held %lu B, "
	       "full %.1f %%\n",
	       (unsigned long)(rate_bps / SIM_MBPS), sim_sizes_name(sizes), error * 100,
	       g.meter.max_bytes, burst + largest, (unsigned long)ring->max_held_bytes,
	       100.0 * (double)full_ns / (double)(g.sim.now_ns - begin_ns));
	assert_true(fabs(error) <= bound);
	assert_true(g.meter.max_bytes <= burst + largest + 1);
	assert_true(ring->max_held_bytes <=
	            MAX_OF(window_bytes + largest, window_bytes + ten_ms_bytes));
	assert_int_equal(ring->dropped, 0);
	/* What waits, waits for no more than what may be held. */
	assert_true(sim_seconds(ring->max_wait_ns) <=
	            (double)(ring->max_held_bytes + largest) * 8 / (double)rate_bps +
	                    0.0002);
	assert_true(full_ns > 0);
	sim_destroy(&g.sim);
}

static void
test_limits_hold_and_the_window_stays_small(void **state)
{
	static const enum sim_sizes kinds[] = {SIM_SIZES_64K, SIM_SIZES_1514,
	                                       SIM_SIZES_MIXED};
	double worst = 0;

	(void)state;
	for (uint64_t mbps = 8; mbps <= 512; mbps *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			measure_limit(mbps * SIM_MBPS, kinds[i], &worst);
	printf("gate worst error %.4f %%\n", worst * 100);
}

static void
test_floors_hold_between_guests_and_idle_rate_is_lent(void **state)
{
	static const uint64_t floors[] = {60 * SIM_MBPS, 25 * SIM_MBPS, 5 * SIM_MBPS};
	static const enum sim_sizes sizes[] = {SIM_SIZES_64, SIM_SIZES_1514,
	                                       SIM_SIZES_64K};
	const uint64_t total = 100 * SIM_MBPS, ceil = 80 * SIM_MBPS;
	struct gate_sim g;

	(void)state;
	gate_sim_init(&g, total, total);
	for (unsigned i = 0; i < 3; i++)
		ring_add(&g, guest_add(&g, floors[i], i == 1 ? ceil : 0),
		         i == 1 ? ceil : total, sizes[i]);
	gate_sim_run(&g, 1);
	gate_sim_clear(&g);
	gate_sim_run(&g, 20);
	for (unsigned i = 0; i < 3; i++) {
		double bps = gate_sim_bps(&g, g.rings[i].sent_bytes);

		printf("gate floor %2lu Mbit/s, %-5s got %.2f\n",
		       (unsigned long)(floors[i] / SIM_MBPS), sim_sizes_name(sizes[i]),
		       bps / 1e6);
		assert_true(bps >= 0.99 * (double)floors[i]);
		assert_int_equal(g.rings[i].dropped, 0);
	}
	assert_true(fabs(gate_sim_bps(&g, g.sent_bytes) / (double)total - 1) <= 0.005);
	/* The largest falls silent: the second goes up to its ceiling. */
	g.rings[0].is_off = true;
	gate_sim_run(&g, 1);
	gate_sim_clear(&g);
	gate_sim_run(&g, 10);
	assert_int_equal(g.rings[0].sent_bytes, 0);
	assert_true(gate_sim_bps(&g, g.rings[1].sent_bytes) >= 0.9 * 75e6);
	assert_true(gate_sim_bps(&g, g.rings[1].sent_bytes) <= 1.005 * (double)ceil);
	assert_true(fabs(gate_sim_bps(&g, g.sent_bytes) / (double)total - 1) <= 0.005);
	sim_destroy(&g.sim);
}

static void
test_rings_of_a_guest_share_its_rate(void **state)
{
	const uint64_t rate = 64 * SIM_MBPS;
	struct gate_sim g;
	uint32_t guest;

	(void)state;
	gate_sim_init(&g, 100 * SIM_GBPS, rate);
	guest = guest_add(&g, 0, rate);
	for (unsigned i = 0; i < 4; i++)
		ring_add(&g, guest, rate, i % 2 ? SIM_SIZES_1514 : SIM_SIZES_64K);
	gate_sim_run(&g, 1);
	gate_sim_clear(&g);
	gate_sim_run(&g, 20);
	assert_true(fabs(gate_sim_bps(&g, g.sent_bytes) / (double)rate - 1) <= 0.005);
	for (unsigned i = 0; i < 4; i++) {
		double share = (double)g.rings[i].sent_bytes / (double)g.sent_bytes;

		printf("gate ring %u share %.4f\n", i, share);
		assert_true(fabs(share / 0.25 - 1) <= 0.01);
		assert_int_equal(g.rings[i].dropped, 0);
	}
	sim_destroy(&g.sim);
}

static void
test_ring_is_never_left_for_more_than_a_second(void **state)
{
	struct gate_sim g;
	struct ring *ring;

	(void)state;
	/* 64 KB take two seconds: after each second of waiting one is dropped. */
	gate_sim_init(&g, 100 * SIM_GBPS, 256000);
	ring = ring_add(&g, guest_add(&g, 0, 256000), 256000, SIM_SIZES_64K);
	gate_sim_run(&g, 60);
	printf("gate 256 kbit/s, 64 KB: %lu sent, %lu dropped, longest gap %.3f s\n",
	       (unsigned long)ring->sent_packets, (unsigned long)ring->dropped,
	       sim_seconds(ring->max_gap_ns));
	assert_true(ring->dropped > 0);
	assert_true(sim_seconds(ring->max_gap_ns) <= 1.001);
	assert_in_range(ring->sent_packets, 28, 31);
	sim_destroy(&g.sim);
	/* Half a second: none. */
	gate_sim_init(&g, 100 * SIM_GBPS, SIM_MBPS);
	ring = ring_add(&g, guest_add(&g, 0, SIM_MBPS), SIM_MBPS, SIM_SIZES_64K);
	gate_sim_run(&g, 60);
	assert_int_equal(ring->dropped, 0);
	assert_true(sim_seconds(ring->max_gap_ns) <= 1.001);
	sim_destroy(&g.sim);
}

static void
test_large_packets_after_small_ones_do_not_flood_the_window(void **state)
{
	const uint64_t rate = 8 * SIM_MBPS;
	struct gate_sim g;
	struct ring *ring;

	(void)state;
	gate_sim_init(&g, 100 * SIM_GBPS, rate);
	ring = ring_add(&g, guest_add(&g, 0, rate), rate, SIM_SIZES_64);
	gate_sim_run(&g, 2);
	assert_true(ring->max_held_bytes <= 1000 + 64);
	ring->sizes = SIM_SIZES_64K;
	gate_sim_run(&g, 2);
	assert_true(ring->max_held_bytes <= 1000 + SIM_BYTES_MAX);
	sim_destroy(&g.sim);
}

static void
test_room_follows_packets_bytes_and_rates(void **state)
{
	struct gate_window window = {0};

	(void)state;
	/* No rate: 64 packets, a batch at a time. */
	gate_window_set(&window, 0, 0);
	assert_int_equal(gate_window_room(&window, 32, 1), 32);
	for (unsigned i = 0; i < GATE_WINDOW_PACKETS - 1; i++)
		gate_window_add(&window, 60);
	assert_int_equal(gate_window_room(&window, 32, 1), 1);
	gate_window_add(&window, 60);
	assert_int_equal(gate_window_room(&window, 32, 5), 0);
	assert_int_equal(gate_window_room(&window, 32, 9), 0);
	assert_int_equal(window.full_ns, 4);
	/* 100 Mbit/s: 12,500 bytes; small packets are expected after so many of them. */
	gate_window_set(&window, 100 * SIM_MBPS, 0);
	for (unsigned i = 0; i < GATE_WINDOW_PACKETS; i++)
		gate_window_remove(&window, 60);
	assert_int_equal(gate_window_room(&window, 32, 10), 1); /* 10 ms: one of 64 KB */
	assert_int_equal(window.full_ns, 5);
	gate_window_set(&window, 10 * SIM_GBPS, 0);
	assert_int_equal(gate_window_room(&window, 32, 11), 32);
	/* Packets a second: 3 in a millisecond. */
	gate_window_set(&window, 0, 3000);
	assert_int_equal(gate_window_room(&window, 32, 12), 3);
	gate_window_set(&window, 0, 1);
	assert_int_equal(gate_window_room(&window, 32, 13), 1);
	/* One of 64 KB in the window of 8 Mbit/s, then none until it has gone. */
	gate_window_set(&window, 8 * SIM_MBPS, 0);
	assert_int_equal(gate_window_room(&window, 32, 14), 1);
	gate_window_add(&window, 65549);
	assert_int_equal(gate_window_room(&window, 32, 15), 0);
	assert_false(gate_window_is_stuck(&window, 14 + GATE_WINDOW_STUCK_NS));
	assert_true(gate_window_is_stuck(&window, 15 + GATE_WINDOW_STUCK_NS));
	assert_false(gate_window_is_stuck(&window, 16 + GATE_WINDOW_STUCK_NS));
	gate_window_remove(&window, 65549);
	assert_int_equal(gate_window_room(&window, 32, 20), 1);
	assert_false(gate_window_is_stuck(&window, 20 + 9 * GATE_WINDOW_STUCK_NS));
}

/* What a worker that is kept from running does not take is not stuck. */
static void
test_time_without_a_look_is_not_the_rings(void **state)
{
	const uint64_t ms = GATE_WINDOW_STUCK_NS / 1000;
	struct gate_window window = {0};
	uint64_t now_ns = ms;

	(void)state;
	gate_window_set(&window, 8 * SIM_MBPS, 0);
	gate_window_add(&window, 65549);
	assert_int_equal(gate_window_room(&window, 32, now_ns), 0);
	for (unsigned i = 0; i < 9; i++) {
		now_ns += 600 * ms;
		assert_int_equal(gate_window_room(&window, 32, now_ns), 0);
		assert_false(gate_window_is_stuck(&window, now_ns));
	}
	for (unsigned i = 0; i < 10; i++) {
		assert_false(gate_window_is_stuck(&window, now_ns));
		now_ns += 100 * ms;
		assert_int_equal(gate_window_room(&window, 32, now_ns), 0);
	}
	assert_true(gate_window_is_stuck(&window, now_ns));
	assert_int_equal(window.full_ns, now_ns - ms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_hold_and_the_window_stays_small),
		cmocka_unit_test(test_floors_hold_between_guests_and_idle_rate_is_lent),
		cmocka_unit_test(test_rings_of_a_guest_share_its_rate),
		cmocka_unit_test(test_ring_is_never_left_for_more_than_a_second),
		cmocka_unit_test(
			test_large_packets_after_small_ones_do_not_flood_the_window),
		cmocka_unit_test(test_room_follows_packets_bytes_and_rates),
		cmocka_unit_test(test_time_without_a_look_is_not_the_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
