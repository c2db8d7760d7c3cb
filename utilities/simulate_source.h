/* simulate_source.h - packets of a load, one after the other in virtual time, and the
 * sources of a simulation in the order of their next packets. Pure. */
#pragma once

#include "simulate_load.h"

struct simulate_random {
	uint64_t state;
};

void simulate_random_seed(struct simulate_random *random, uint64_t seed);
/* 0 <= result < limit */
uint32_t simulate_random_below(struct simulate_random *random, uint32_t limit);
/* 0 < result <= 1 */
double simulate_random_unit(struct simulate_random *random);

/* One class's share of a load. */
struct simulate_source {
	const struct simulate_load *load; /* not owned */
	size_t class;                     /* index in the tree */
	double next_ns;  /* of its next packet; infinite: none any more */
	double epoch_ns; /* what the load's times count from */
	double stop_ns;
	double phase_ns; /* of an on-off load: where in its period it starts */
	uint32_t queued; /* packets of a backlogged load; the user's to count */
	size_t sample;   /* of a recording */
	double sample_end_ns;
};

struct simulate_frame {
	uint32_t charged_bytes;
	uint16_t charged_packets; /* frames on the wire */
	uint32_t flow;
};

/* What every frame on the wire costs besides its length. */
struct simulate_wire {
	int32_t overhead_bytes; /* below 0 where headers do not count */
	uint32_t mpu_bytes;
};

/* Prepares the first packet; the load's times count from 'epoch_ns'. For loads of kind
 * BACKLOGGED next_ns is when to look whether enough is queued: a few times a second. */
void simulate_source_start(struct simulate_source *source,
                           const struct simulate_load *load, size_t class,
                           double epoch_ns, struct simulate_random *random);

/* The next packet of the source. */
void simulate_source_frame(const struct simulate_source *source,
                           const struct simulate_wire *wire,
                           struct simulate_random *random, struct simulate_frame *frame);

/* Moves next_ns on from a packet that was just offered. */
void simulate_source_advance(struct simulate_source *source,
                             const struct simulate_frame *frame,
                             struct simulate_random *random);

/* What a load offers a class while it is on; UINT64_MAX if it is backlogged. */
uint64_t simulate_load_demand_bps(const struct simulate_load *load);

/* Length on the wire of a packet of 'bytes', with all that it becomes when it is
 * segmented; '*packets' says into how many. */
uint32_t simulate_wire_charge(const struct simulate_wire *wire, uint32_t bytes,
                              uint16_t *packets);

/* A binary heap: the source with the earliest packet is the first. */
struct simulate_heap {
	struct simulate_source **sources;
	size_t n;
};

void simulate_heap_push(struct simulate_heap *heap, struct simulate_source *source);
/* After the first one's next_ns grew. */
void simulate_heap_sink(struct simulate_heap *heap);
