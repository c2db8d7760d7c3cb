/* producers_test.c - T18: several producers hand packets to one owner through rings. The
 * order within a flow is kept, what a full ring does not take is counted, and floors and
 * ceilings are what they are with one producer. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim.h"

#define PRODUCERS_MAX 8
#define LEAVES        64
#define RING_SLOTS    128 /* of all rings together: a stall of the owner fills them */
#define DRAIN_MAX     64  /* per ring and round */
#define LINK_BPS      (10 * SIM_GBPS)
#define CEIL_LEAF     0
#define SECONDS       2

struct ring {
	struct sim_packet *slots[RING_SLOTS];
	uint32_t head, tail;
};

struct handover {
	struct sim sim;
	unsigned producers;
	struct ring rings[PRODUCERS_MAX];
	uint32_t leaves[LEAVES];
	double floor_bps[LEAVES];
	double due_packets[LEAVES]; /* not yet offered */
	/* A flow is what one producer sends to one leaf. */
	uint32_t next_in[PRODUCERS_MAX][LEAVES];
	uint32_t next_out[PRODUCERS_MAX][LEAVES];
	uint64_t offered[LEAVES], ring_full[LEAVES], class_full[LEAVES], out[LEAVES];
	double sent_bytes[LEAVES];
	struct sim_meter meter;
};

/* Floors over a decade, nine tenths of the link together; the first leaf has a ceiling.
 */
static void
handover_make(struct handover *over, unsigned producers)
{
	double sum = 0;

	over->producers = producers;
	sim_init(&over->sim, LEAVES + 8, LEAVES * 1100 + PRODUCERS_MAX * RING_SLOTS,
	         LINK_BPS);
	for (unsigned i = 0; i < LEAVES; i++)
		sum += over->floor_bps[i] = pow(10, sim_random_unit(&over->sim.random));
	for (unsigned i = 0; i < LEAVES; i++) {
		uint64_t floor_bps;

		over->floor_bps[i] *= 0.9 * (double)LINK_BPS / sum;
		floor_bps = (uint64_t)over->floor_bps[i];
		over->leaves[i] = sim_add(&over->sim, sched_root(over->sim.sched), true,
		                          floor_bps, i == CEIL_LEAF ? floor_bps : 0, 1);
	}
	sim_meter_init(&over->meter, (uint64_t)over->floor_bps[CEIL_LEAF],
	               over->sim.now_ns);
}

static void
produce(struct handover *over, unsigned producer, unsigned leaf)
{
	struct ring *ring = &over->rings[producer];
	struct sim_packet *packet;

	over->offered[leaf]++;
	if (ring->head - ring->tail == RING_SLOTS / over->producers) {
		over->ring_full[leaf]++;
		return;
	}
	packet = sim_packet_get(&over->sim);
	assert_non_null(packet);
	packet->source = producer * LEAVES + leaf;
	packet->item.charged_bytes = 1514;
	packet->item.charged_packets = 1;
	packet->item.class_ref = over->leaves[leaf];
	packet->item.flow_hash = over->next_in[producer][leaf]++;
	ring->slots[ring->head++ % RING_SLOTS] = packet;
}

/* Each leaf is offered twice its floor, by two of the producers at random. */
static void
produce_all(struct handover *over, uint64_t ns)
{
	for (unsigned i = 0; i < LEAVES; i++) {
		over->due_packets[i] += 2 * over->floor_bps[i] / 8e9 / 1514 * (double)ns;
		for (; over->due_packets[i] >= 1; over->due_packets[i]--)
			produce(over,
			        (i + sim_random_below(&over->sim.random, 2)) %
			                over->producers,
			        i);
	}
}

static void
drain_all(struct handover *over)
{
	for (unsigned p = 0; p < over->producers; p++) {
		struct ring *ring = &over->rings[p];

		for (unsigned n = 0; n < DRAIN_MAX && ring->tail != ring->head; n++) {
			struct sim_packet *packet =
				ring->slots[ring->tail++ % RING_SLOTS];

			if (sched_enqueue(over->sim.sched, &packet->item,
			                  over->sim.now_ns) == SCHED_QUEUED)
				continue;
			over->class_full[packet->source % LEAVES]++;
			sim_packet_put(&over->sim, packet);
		}
	}
}

static void
take_all(struct handover *over)
{
	struct sim_packet *packets[SIM_BATCH];
	unsigned count = sim_dequeue(&over->sim, packets);

	for (unsigned i = 0; i < count; i++) {
		unsigned producer = packets[i]->source / LEAVES;
		unsigned leaf = packets[i]->source % LEAVES;

		/* Gaps are drops; nothing comes late or twice. */
		assert_true(packets[i]->item.flow_hash >= over->next_out[producer][leaf]);
		over->next_out[producer][leaf] = packets[i]->item.flow_hash + 1;
		over->out[leaf]++;
		over->sent_bytes[leaf] += 1514;
		if (leaf == CEIL_LEAF)
			sim_meter_add(&over->meter, over->sim.now_ns, 1514);
		sim_packet_put(&over->sim, packets[i]);
	}
}

static void
measure_producers(unsigned producers)
{
	struct handover *over = calloc(1, sizeof(*over));
	uint64_t start_ns, last_ns, lost = 0, ring_full = 0, in = 0;
	double least = 1e9, sent = 0, bound;

	assert_non_null(over);
	handover_make(over, producers);
	start_ns = last_ns = over->sim.now_ns;
	while (over->sim.now_ns < start_ns + SECONDS * SIM_NS_PER_SEC) {
		sim_step(&over->sim);
		produce_all(over, over->sim.now_ns - last_ns);
		last_ns = over->sim.now_ns;
		drain_all(over);
		take_all(over);
	}
	for (unsigned i = 0; i < LEAVES; i++) {
		/* A ceiling as high as the floor: the loop's stalls beyond its burst. */
		if (i != CEIL_LEAF)
			least = fmin(least, over->sent_bytes[i] * 8 / SECONDS /
			                            over->floor_bps[i]);
		sent += over->sent_bytes[i];
	}
	/* More than rings hold: nothing is offered any more. */
	drain_all(over);
	drain_all(over);
	while (sched_backlog_packets(over->sim.sched)) {
		sim_step(&over->sim);
		take_all(over);
	}
	for (unsigned i = 0; i < LEAVES; i++) {
		struct sched_class_stats stats;

		assert_true(
			sched_class_get_stats(over->sim.sched, over->leaves[i], &stats));
		assert_int_equal(stats.sent_packets, over->out[i]);
		assert_int_equal(stats.dropped_packets, over->class_full[i]);
		lost += over->offered[i] - over->ring_full[i] - over->class_full[i] -
		        over->out[i];
		in += over->offered[i];
		ring_full += over->ring_full[i];
	}
	/* That path was tried. */
	assert_true(ring_full > 100);
	sim_report("T18", (double)lost, SIM_AT_MOST, 0,
	           "%u producers, %lu packets, rings full for %lu: lost without a count",
	           producers, (unsigned long)in, (unsigned long)ring_full);
	sim_report("T18", least, SIM_AT_LEAST, 0.99, "%u producers: rate/floor",
	           producers);
	sim_report("T18", sent * 8 / SECONDS / (double)LINK_BPS, SIM_AT_LEAST, 0.995,
	           "%u producers: use of the link", producers);
	bound = sim_default_burst_bytes((uint64_t)over->floor_bps[CEIL_LEAF]) + 1514 + 1;
	sim_report("T18", over->meter.max_bytes, SIM_AT_MOST, bound,
	           "%u producers: B above a ceiling in any window", producers);
	sim_destroy(&over->sim);
	free(over);
}

static void
test_t18_producers_change_nothing(void **state)
{
	(void)state;
	for (unsigned producers = 1; producers <= PRODUCERS_MAX; producers *= 2)
		measure_producers(producers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_t18_producers_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
