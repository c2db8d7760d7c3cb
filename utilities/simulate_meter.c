/* simulate_meter.c - counts and judges what a simulation does with each class. Pure. */
#include <config.h>

#include "simulate_meter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"

#define NS_PER_SEC 1e9

/* Delays: 16 steps an octave (one step is 4.4 %) from 128 ns to a day. */
#define STEPS         16
#define OCTAVE_FIRST  7
#define OCTAVES       40
#define BUCKETS       (STEPS * OCTAVES)
#define FLOOR_SHARE   0.99 /* of a floor that must be kept in the long run */
#define BURST_NS      200000
#define BURST_MIN     3028 /* bytes; both as sched.h has them */
#define PACKETS_SLACK 2

/* A floor is owed at most what the busy leaves below can take: 'active_bps'. */
struct meter_class {
	struct simulate_result result;
	uint32_t *delays; /* BUCKETS; NULL until the first delay */
	size_t parent;    /* n: the root; SIMULATE_NONE above that */
	uint64_t floor_bps, ceil_bps;
	uint32_t n_turns;      /* classes that share its floor: 1, or the leaves below */
	uint64_t demand_bps;   /* of a leaf: the most that its loads offer */
	uint64_t children_bps; /* sum of active_bps of the children */
	uint64_t active_bps;   /* 0: idle */
	uint32_t queued_packets; /* of a leaf; of others: busy children */
	double since_ns;         /* moment of lag_bytes */
	double lag_bytes;
	double owed_bytes; /* the floor's, while there was something to send */
};

struct simulate_meter {
	size_t n;
	struct meter_class *classes; /* n + 1: the root is last */
	uint32_t max_bytes;          /* largest packet */
	double slack_ns;
};

struct simulate_meter *
simulate_meter_create(const struct simulate_tree *tree, uint64_t link_bps,
                      double slack_ns)
{
	struct simulate_meter *meter = xcalloc(1, sizeof(*meter));

	meter->n = tree->n;
	meter->slack_ns = slack_ns;
	meter->classes = xcalloc(tree->n + 1, sizeof(*meter->classes));
	for (size_t i = 0; i <= tree->n; i++) {
		const struct simulate_class *from =
			i < tree->n ? &tree->classes[i] : &tree->root;
		struct meter_class *class = &meter->classes[i];

		class->parent = i == tree->n ? SIMULATE_NONE
		                : from->parent_index == SIMULATE_NONE
		                        ? tree->n
		                        : from->parent_index;
		class->floor_bps = from->floor_bps;
		class->ceil_bps =
			from->ceil_bps ? MIN_OF(from->ceil_bps, link_bps) : link_bps;
		class->demand_bps = UINT64_MAX;
		class->result.max_ns = -1;
	}
	/* The packets of an inner class come in the turns of those below. */
	for (size_t i = 0; i < meter->n; i++)
		if (tree->classes[i].n_children == 0)
			for (size_t up = i; up != SIMULATE_NONE;
			     up = meter->classes[up].parent)
				meter->classes[up].n_turns++;
	return meter;
}

void
simulate_meter_destroy(struct simulate_meter *meter)
{
	if (!meter)
		return;
	for (size_t i = 0; i <= meter->n; i++)
		free(meter->classes[i].delays);
	free(meter->classes);
	free(meter);
}

void
simulate_meter_start(struct simulate_meter *meter, double now_ns)
{
	for (size_t i = 0; i <= meter->n; i++) {
		struct meter_class *class = &meter->classes[i];

		class->result = (struct simulate_result){.max_ns = -1};
		if (class->delays)
			memset(class->delays, 0, BUCKETS * sizeof(*class->delays));
		class->since_ns = now_ns;
		class->lag_bytes = class->owed_bytes = 0;
	}
}

void
simulate_meter_set_demand(struct simulate_meter *meter, size_t class, uint64_t bps)
{
	meter->classes[class].demand_bps = MAX_OF(bps, 1);
}

/* ---- floors ---- */

static void
class_settle(struct meter_class *class, double now_ns)
{
	uint64_t bps = MIN_OF(class->floor_bps, class->active_bps);
	double owed = (double)bps / 8 * (now_ns - class->since_ns) / NS_PER_SEC;

	class->since_ns = now_ns;
	class->lag_bytes += owed;
	class->owed_bytes += owed;
	if (class->lag_bytes > class->result.max_lag_bytes)
		class->result.max_lag_bytes = class->lag_bytes;
}

/* The leaf became busy or idle: how much it, and the classes above it, can take. A leaf
 * whose loads are smaller than its ceiling lets those above ask for that much only. */
static void
leaf_turn(struct simulate_meter *meter, size_t leaf, bool busy, double now_ns)
{
	uint64_t bps = busy ? meter->classes[leaf].ceil_bps : 0;

	for (size_t i = leaf; i != SIMULATE_NONE; i = meter->classes[i].parent) {
		struct meter_class *class = &meter->classes[i], *parent;
		uint64_t old_bps = class->active_bps;

		class_settle(class, now_ns);
		class->active_bps = bps;
		/* Who has nothing left to send is owed nothing. */
		if (!bps)
			class->lag_bytes = 0;
		if (class->parent == SIMULATE_NONE || old_bps == bps)
			break;
		parent = &meter->classes[class->parent];
		parent->children_bps += MIN_OF(bps, class->demand_bps) -
		                        MIN_OF(old_bps, class->demand_bps);
		bps = MIN_OF(parent->children_bps, parent->ceil_bps);
	}
}

static void
leaf_left(struct simulate_meter *meter, size_t leaf, double now_ns)
{
	if (--meter->classes[leaf].queued_packets == 0)
		leaf_turn(meter, leaf, false, now_ns);
}

/* ---- events ---- */

void
simulate_meter_offered(struct simulate_meter *meter, size_t class, uint32_t bytes)
{
	struct simulate_result *result = &meter->classes[class].result;

	result->offered_packets++;
	result->offered_bytes += bytes;
	if (bytes > meter->max_bytes)
		meter->max_bytes = bytes;
}

void
simulate_meter_queued(struct simulate_meter *meter, size_t class, double now_ns)
{
	if (meter->classes[class].queued_packets++ == 0)
		leaf_turn(meter, class, true, now_ns);
}

static size_t
delay_bucket(double ns)
{
	double steps = (log2(MAX_OF(ns, 1)) - OCTAVE_FIRST) * STEPS;

	return steps < 0 ? 0 : steps >= BUCKETS ? BUCKETS - 1 : (size_t)steps;
}

static void
class_delayed(struct meter_class *class, double delay_ns)
{
	if (!class->delays)
		class->delays = xcalloc(BUCKETS, sizeof(*class->delays));
	class->delays[delay_bucket(delay_ns)]++;
	if (delay_ns > class->result.max_ns)
		class->result.max_ns = delay_ns;
}

void
simulate_meter_sent(struct simulate_meter *meter, size_t leaf, uint32_t bytes,
                    bool marked, double delay_ns, double now_ns)
{
	struct simulate_result *result = &meter->classes[leaf].result;

	result->sent_packets++;
	result->sent_bytes += bytes;
	result->marked_packets += marked;
	if (delay_ns >= 0)
		class_delayed(&meter->classes[leaf], delay_ns);
	else
		result->is_backlogged = true;
	for (size_t i = leaf; i != SIMULATE_NONE; i = meter->classes[i].parent) {
		struct meter_class *class = &meter->classes[i];

		if (!class->floor_bps)
			continue;
		class_settle(class, now_ns);
		class->lag_bytes = MAX_OF(class->lag_bytes - bytes, 0);
	}
	leaf_left(meter, leaf, now_ns);
}

void
simulate_meter_dropped(struct simulate_meter *meter, size_t class, uint32_t bytes,
                       bool was_queued, double now_ns)
{
	meter->classes[class].result.dropped_packets++;
	meter->classes[class].result.dropped_bytes += bytes;
	if (was_queued)
		leaf_left(meter, class, now_ns);
}

/* ---- results ---- */

/* The middle of the step that 'share' of the delays do not exceed. */
static double
class_quantile(const struct meter_class *class, double share)
{
	uint64_t count = 0, seen = 0;

	if (!class->delays)
		return -1;
	for (size_t i = 0; i < BUCKETS; i++)
		count += class->delays[i];
	for (size_t i = 0; i < BUCKETS && count; i++) {
		double ns;

		seen += class->delays[i];
		if ((double)seen < share * (double)count)
			continue;
		ns = exp2(OCTAVE_FIRST + ((double)i + 0.5) / STEPS);
		return MIN_OF(ns, class->result.max_ns);
	}
	return -1;
}

static enum simulate_floor
class_judge(const struct simulate_meter *meter, const struct meter_class *class,
            const struct simulate_result *result)
{
	double floor_bytes_per_ns = (double)class->floor_bps / 8 / NS_PER_SEC, allowed;

	if (!class->floor_bps)
		return SIMULATE_FLOOR_NONE;
	if (!result->offered_packets)
		return SIMULATE_FLOOR_IDLE;
	allowed = MAX_OF(floor_bytes_per_ns * BURST_NS, BURST_MIN) +
	          PACKETS_SLACK * (double)meter->max_bytes * class->n_turns +
	          floor_bytes_per_ns * meter->slack_ns +
	          (1 - FLOOR_SHARE) * class->owed_bytes;
	return class->result.max_lag_bytes <= allowed ? SIMULATE_FLOOR_MET
	                                              : SIMULATE_FLOOR_SHORT;
}

static void
result_add(struct simulate_result *to, const struct simulate_result *from)
{
	to->offered_packets += from->offered_packets;
	to->offered_bytes += from->offered_bytes;
	to->sent_packets += from->sent_packets;
	to->sent_bytes += from->sent_bytes;
	to->dropped_packets += from->dropped_packets;
	to->dropped_bytes += from->dropped_bytes;
	to->marked_packets += from->marked_packets;
}

struct simulate_result *
simulate_meter_finish(struct simulate_meter *meter, double now_ns)
{
	struct simulate_result *results = xcalloc(meter->n + 1, sizeof(*results));

	for (size_t i = 0; i <= meter->n; i++) {
		struct meter_class *class = &meter->classes[i];

		class_settle(class, now_ns);
		class->result.p50_ns = class_quantile(class, 0.5);
		class->result.p99_ns = class_quantile(class, 0.99);
		results[i] = class->result;
	}
	for (size_t i = 0; i < meter->n; i++)
		for (size_t up = meter->classes[i].parent; up != SIMULATE_NONE;
		     up = meter->classes[up].parent)
			result_add(&results[up], &meter->classes[i].result);
	for (size_t i = 0; i <= meter->n; i++)
		results[i].floor = class_judge(meter, &meter->classes[i], &results[i]);
	return results;
}
