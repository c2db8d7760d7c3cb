/* sched_edf.h - the deadline calendar: the classes of one level that may send on their
 * own floor, earliest deadline first. Rows of 64 buckets, each bucket of a row 8 times
 * wider than one of the row before, so that the order is exact to an eighth of the time
 * left. Every operation is O(1). Private to lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/sched_node.h"

#define EDF_ROWS         7
#define EDF_ROW_SHIFT    3
#define EDF_BUCKETS      64
#define EDF_BUCKET_SHIFT 18 /* a bucket of the first row is 1.024 us */

/* Deadlines further ahead than this are not told apart: half of what the last row spans.
 */
#define EDF_AHEAD_MAX \
	((uint64_t)EDF_BUCKETS << (EDF_BUCKET_SHIFT + (EDF_ROWS - 1) * EDF_ROW_SHIFT - 1))

/* The last bucket that is certain to be in the last row, wherever the base is. */
#define EDF_REACH \
	((EDF_BUCKETS - 1ULL) << (EDF_BUCKET_SHIFT + (EDF_ROWS - 1) * EDF_ROW_SHIFT))

struct edf_calendar {
	uint64_t bitmap[EDF_ROWS];
	uint64_t base;      /* no class is in a bucket that ended before */
	uint64_t first_end; /* of the first bucket */
	uint32_t first;     /* number of that bucket plus 1; 0 = to be looked for */
	uint32_t rows;      /* bit per row that is not empty */
	struct node_list bucket[EDF_ROWS * EDF_BUCKETS];
} CACHE_ALIGNED;

/* The finest row that may reach this far ahead of the base. */
static inline unsigned
edf_row_guess(uint64_t ahead)
{
	unsigned first_bits = EDF_BUCKET_SHIFT + 5;
	unsigned bits = 63U - (unsigned)__builtin_clzll(ahead | 1ULL << first_bits);

	return (bits - first_bits + EDF_ROW_SHIFT - 1) / EDF_ROW_SHIFT;
}

static inline void
edf_add(struct sched_node *nodes, struct edf_calendar *edf, uint32_t id,
        uint64_t deadline, uint64_t now)
{
	unsigned row, shift, slot;
	uint64_t ahead;

	if (!edf->rows)
		edf->base = now;
	ahead = deadline - edf->base;
	if (ahead > EDF_REACH)
		ahead = (int64_t)ahead < 0 ? 0 : EDF_REACH;
	deadline = edf->base + ahead;
	if (tick_is_after(edf->first_end, deadline))
		edf->first = 0;
	row = edf_row_guess(ahead);
	shift = EDF_BUCKET_SHIFT + row * EDF_ROW_SHIFT;
	/* Where that row begins may make the next one needed. */
	if (unlikely(bucket_distance(deadline, edf->base, shift) >= EDF_BUCKETS)) {
		row++;
		shift += EDF_ROW_SHIFT;
	}
	slot = (unsigned)(deadline >> shift) % EDF_BUCKETS + row * EDF_BUCKETS;
	nodes[id].slot[CHAIN_FLOOR] = (uint16_t)slot;
	if (node_list_append(nodes, &edf->bucket[slot], CHAIN_FLOOR, id)) {
		edf->bitmap[row] |= 1ULL << (slot % EDF_BUCKETS);
		edf->rows |= 1U << row;
	}
}

static inline void
edf_remove(struct sched_node *nodes, struct edf_calendar *edf, uint32_t id)
{
	unsigned slot = nodes[id].slot[CHAIN_FLOOR], row = slot / EDF_BUCKETS;
	struct node_list *bucket = &edf->bucket[slot];

	node_list_remove(nodes, bucket, CHAIN_FLOOR, id);
	if (bucket->head)
		return;
	if (edf->first == slot + 1)
		edf->first = 0;
	edf->bitmap[row] &= ~(1ULL << (slot % EDF_BUCKETS));
	if (!edf->bitmap[row])
		edf->rows &= ~(1U << row);
}

/* Finds the bucket that comes first. The calendar must not be empty. */
static inline void
edf_find_first(struct edf_calendar *edf, uint64_t now)
{
	uint64_t best = UINT64_MAX, ahead = now - edf->base;

	for (uint32_t rows = edf->rows; rows; rows &= rows - 1) {
		unsigned row = (unsigned)__builtin_ctz(rows);
		unsigned shift = EDF_BUCKET_SHIFT + row * EDF_ROW_SHIFT;
		uint64_t first = edf->base >> shift, buckets, start;

		buckets = (unsigned)__builtin_ctzll(bitmap_turn(edf->bitmap[row], first));
		start = bucket_start(edf->base, shift, buckets);
		/* Of buckets that start together the coarse one comes first. */
		if (start <= best) {
			best = start;
			edf->first = 1 + row * EDF_BUCKETS +
			             (unsigned)(first + buckets) % EDF_BUCKETS;
			edf->first_end = (first + buckets + 1) << shift;
		}
	}
	/* Never beyond now: later arrivals may have earlier deadlines than those here.
	 * The floor clock may have been held back to before the base. */
	if ((int64_t)ahead < 0)
		ahead = 0;
	edf->base += MIN_OF(best, ahead);
}

/* The class to serve next; '*until' gets the end of its bucket. The calendar must not be
 * empty. */
static inline uint32_t
edf_first(struct edf_calendar *edf, uint64_t now, uint64_t *until)
{
	if (!edf->first)
		edf_find_first(edf, now);
	*until = edf->first_end;
	return edf->bucket[edf->first - 1].head;
}
