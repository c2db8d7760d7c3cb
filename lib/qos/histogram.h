/* histogram.h - how long things took, in buckets of a quarter of an octave: adding is a
 * few instructions, quantiles are worked out when somebody asks. One writer; any thread
 * reads, and may see values of slightly different moments. */
#pragma once

#include <stdint.h>

#define HISTOGRAM_FIRST_BITS 10 /* the first bucket ends at 1.024 us */
#define HISTOGRAM_OCTAVES    24 /* the last but one ends at 17 s */
#define HISTOGRAM_BUCKETS    (HISTOGRAM_OCTAVES * 4 + 2)

struct histogram {
	uint64_t sum_ns;
	uint64_t count[HISTOGRAM_BUCKETS];
};

/* What a histogram was at some moment, to tell what came since: 2^32 per bucket at most.
 */
struct histogram_mark {
	uint32_t count[HISTOGRAM_BUCKETS];
};

static inline unsigned
histogram_bucket(uint64_t ns)
{
	unsigned octave;

	if (ns < 1U << HISTOGRAM_FIRST_BITS)
		return 0;
	octave = 63U - (unsigned)__builtin_clzll(ns) - HISTOGRAM_FIRST_BITS;
	if (octave >= HISTOGRAM_OCTAVES)
		return HISTOGRAM_BUCKETS - 1;
	return 1 + octave * 4 + ((ns >> (octave + HISTOGRAM_FIRST_BITS - 2)) & 3);
}

static inline void
histogram_add(struct histogram *histogram, uint64_t ns)
{
	uint64_t *count = &histogram->count[histogram_bucket(ns)];

	__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&histogram->sum_ns, histogram->sum_ns + ns, __ATOMIC_RELAXED);
}

/* Where the bucket begins, which is where the one before it ends. */
uint64_t histogram_bucket_start_ns(unsigned bucket);

void histogram_copy(struct histogram *to, const struct histogram *from);

void histogram_set_mark(struct histogram_mark *mark, const struct histogram *histogram);

/* What came since 'mark' was set; without its sum. */
void histogram_since(struct histogram *since, const struct histogram *histogram,
                     const struct histogram_mark *mark);

uint64_t histogram_total(const struct histogram *histogram);

/* How many took less than 'ns', which is rounded down to the start of a bucket. */
uint64_t histogram_count_below(const struct histogram *histogram, uint64_t ns);

/* What 'per_mille' of all stay below, within the width of a bucket; 1000: the most that
 * the longest may have taken. 0 if there is none. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, unsigned per_mille);
