/* sched_aqm.h - the active queue management of a class: what it dropped and marked, and
 * how a leaf with 'managed' is queued. Private to lib/qos/sched_*. Owner thread, except
 * for the counters. */
#pragma once

#include "base/compiler.h"
#include "qos/codel.h"
#include "qos/flows.h"

/* The largest item is taken from a window of arrivals and the one before. It spans this
 * many largest items of each flow, and of as many more flows, so that a flow of large
 * items that has its share is in each. */
#define AQM_WINDOW_TURNS 4U
#define AQM_WINDOW_FLOWS 16U

struct sched_aqm {
	/* Of the class and all below it; owner writes, any thread reads. */
	uint64_t aged_packets;
	uint64_t codel_packets;
	uint64_t marked_packets;
	/* The rest is a managed leaf's. */
	uint64_t limit_ticks; /* of an item's stay; 0 = none */
	struct codel_params codel_params;
	uint32_t fixed_target; /* 0: from largest_bytes and the rate */
	uint32_t largest_bytes;
	uint32_t window_largest_bytes; /* of the arrivals since the window began */
	uint64_t window_bytes;         /* that arrived since the window began */
	bool has_codel;
	bool has_ecn;
	bool is_fair;
	/* The items are in 'flows', queue.head names one of them; else all that is
	 * reached from queue.head goes before those in 'flows'. */
	bool is_hinted;
	/* flows.common.codel is the state of the FIFO too. */
	struct flow_set flows;
} CACHE_ALIGNED;

/* Whether a leaf has to be managed for more than what is left in its queue. */
static inline bool
leaf_needs_aqm(const struct sched_aqm *aqm)
{
	return aqm->is_fair || aqm->has_codel || aqm->limit_ticks;
}
