/* simulate_meter.h - what each class of a simulation was offered and got, how long its
 * packets took, and whether its floor was kept at every moment. Pure. */
#pragma once

#include <stdbool.h>

#include "simulate_tree.h"

enum simulate_floor {
	SIMULATE_FLOOR_NONE, /* the class has none */
	SIMULATE_FLOOR_IDLE, /* it never had anything to send */
	SIMULATE_FLOOR_MET,
	SIMULATE_FLOOR_SHORT,
};

/* Of the measured time. An inner class counts what is below it. */
struct simulate_result {
	uint64_t offered_packets, offered_bytes;
	uint64_t sent_packets, sent_bytes;
	uint64_t dropped_packets, dropped_bytes;
	uint64_t marked_packets;
	uint64_t borrowed_bytes;
	enum simulate_floor floor;
	double max_lag_bytes; /* furthest that it was behind its floor */
	/* From offer to the last bit on the wire, in nanoseconds; below 0: no packets, or
	 * those of a backlogged load only, which wait for as long as they must. */
	double p50_ns, p99_ns, max_ns;
	bool is_backlogged;
};

struct simulate_meter;

/* 'slack_ns' is how long a floor may have to wait for the owner's loop and the port's
 * ring. */
struct simulate_meter *simulate_meter_create(const struct simulate_tree *tree,
                                             uint64_t link_bps, double slack_ns);
void simulate_meter_destroy(struct simulate_meter *meter);

/* The most that the loads of a class offer, before the first packet; by default there is
 * no limit. The floor of a class above is not owed more. */
void simulate_meter_set_demand(struct simulate_meter *meter, size_t class, uint64_t bps);

/* Begins the measured time: what was counted so far is forgotten. */
void simulate_meter_start(struct simulate_meter *meter, double now_ns);

void simulate_meter_offered(struct simulate_meter *meter, size_t class, uint32_t bytes);
/* One packet more in the queue. */
void simulate_meter_queued(struct simulate_meter *meter, size_t class, double now_ns);
/* 'delay_ns' below 0: not counted. */
void simulate_meter_sent(struct simulate_meter *meter, size_t class, uint32_t bytes,
                         bool marked, double delay_ns, double now_ns);
void simulate_meter_dropped(struct simulate_meter *meter, size_t class, uint32_t bytes,
                            bool was_queued, double now_ns);

/* tree->n results and that of the root; the caller frees. */
struct simulate_result *simulate_meter_finish(struct simulate_meter *meter,
                                              double now_ns);
