/* sched_share.h - the share calendar: one priority band of an inner class, its children
 * in the order of their virtual time. Three rows of 64 buckets, each bucket of a row 64
 * times wider than one of the row before; a child goes to the finest row that reaches its
 * tag and is never moved to a finer one. Every operation is O(1). Private to
 * lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/sched_node.h"

#define SHARE_ROWS      3
#define SHARE_ROW_SHIFT 6
#define SHARE_BUCKETS   64
/* Virtual time advances by 2^SHARE_UNIT_SHIFT / weight per byte, and a bucket of the
 * first row is 2 KB of a class of weight 1024. Finer buckets would not help: a class's
 * own packet is about as large. */
#define SHARE_UNIT_SHIFT   22
#define SHARE_BUCKET_SHIFT 23

struct share_calendar {
	uint64_t bitmap[SHARE_ROWS];
	uint64_t base;       /* where the bucket served last starts */
	uint64_t served_tag; /* virtual time: the largest tag served so far */
	uint64_t first_end;  /* of the first bucket */
	uint32_t first;      /* number of that bucket plus 1; 0 = to be looked for */
	struct node_list bucket[SHARE_ROWS * SHARE_BUCKETS];
} CACHE_ALIGNED;

static inline bool
share_is_empty(const struct share_calendar *share)
{
	return !(share->bitmap[0] | share->bitmap[1] | share->bitmap[2]);
}

static inline void
share_add(struct sched_node *nodes, struct share_calendar *share, uint32_t id)
{
	uint64_t tag = nodes[id].share_tag, distance;
	unsigned row = 0, shift = SHARE_BUCKET_SHIFT, slot;

	if (share_is_empty(share))
		share->base = share->served_tag;
	if (tick_is_after(share->base, tag))
		tag = share->base;
	if (tick_is_after(share->first_end, tag))
		share->first = 0;
	distance = bucket_distance(tag, share->base, shift);
	while (distance >= SHARE_BUCKETS && row < SHARE_ROWS - 1) {
		row++;
		shift += SHARE_ROW_SHIFT;
		distance = bucket_distance(tag, share->base, shift);
	}
	if (distance >= SHARE_BUCKETS)
		distance = SHARE_BUCKETS - 1;
	slot = (unsigned)((share->base >> shift) + distance) % SHARE_BUCKETS +
	       row * SHARE_BUCKETS;
	nodes[id].slot[CHAIN_EXCESS] = (uint16_t)slot;
	if (node_list_append(nodes, &share->bucket[slot], CHAIN_EXCESS, id))
		share->bitmap[row] |= 1ULL << (slot % SHARE_BUCKETS);
}

static inline void
share_remove(struct sched_node *nodes, struct share_calendar *share, uint32_t id)
{
	unsigned slot = nodes[id].slot[CHAIN_EXCESS];
	struct node_list *bucket = &share->bucket[slot];

	node_list_remove(nodes, bucket, CHAIN_EXCESS, id);
	if (bucket->head)
		return;
	if (share->first == slot + 1)
		share->first = 0;
	share->bitmap[slot / SHARE_BUCKETS] &= ~(1ULL << (slot % SHARE_BUCKETS));
}

/* Finds the bucket that comes first. The calendar must not be empty. */
static inline void
share_find_first(struct share_calendar *share)
{
	uint64_t best = UINT64_MAX;

	/* From coarse to fine: of buckets that start together the coarse one comes first.
	 */
	for (unsigned row = SHARE_ROWS; row-- > 0;) {
		unsigned shift = SHARE_BUCKET_SHIFT + row * SHARE_ROW_SHIFT;
		uint64_t first = share->base >> shift, buckets, start;

		if (!share->bitmap[row])
			continue;
		buckets =
			(unsigned)__builtin_ctzll(bitmap_turn(share->bitmap[row], first));
		start = bucket_start(share->base, shift, buckets);
		if (start < best) {
			best = start;
			share->first = 1 + row * SHARE_BUCKETS +
			               (unsigned)(first + buckets) % SHARE_BUCKETS;
			share->first_end = (first + buckets + 1) << shift;
		}
	}
	share->base += best;
}

/* The child to serve next. The calendar must not be empty. */
static inline uint32_t
share_first(struct share_calendar *share)
{
	if (!share->first)
		share_find_first(share);
	return share->bucket[share->first - 1].head;
}
