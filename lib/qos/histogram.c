/* histogram.c - reads histograms: copies, differences, quantiles. Any thread. */
#include "qos/histogram.h"

uint64_t
histogram_bucket_start_ns(unsigned bucket)
{
	if (bucket == 0)
		return 0;
	bucket--;
	return (uint64_t)(4 + bucket % 4) << (bucket / 4 + HISTOGRAM_FIRST_BITS - 2);
}

void
histogram_copy(struct histogram *to, const struct histogram *from)
{
	to->sum_ns = __atomic_load_n(&from->sum_ns, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->count[i] = __atomic_load_n(&from->count[i], __ATOMIC_RELAXED);
}

void
histogram_set_mark(struct histogram_mark *mark, const struct histogram *histogram)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		mark->count[i] =
			(uint32_t)__atomic_load_n(&histogram->count[i], __ATOMIC_RELAXED);
}

void
histogram_since(struct histogram *since, const struct histogram *histogram,
                const struct histogram_mark *mark)
{
	since->sum_ns = 0;
	/* Modulo 2^32, so that the low halves are enough. */
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		since->count[i] = (uint32_t)__atomic_load_n(&histogram->count[i],
		                                            __ATOMIC_RELAXED) -
		                  mark->count[i];
}

uint64_t
histogram_total(const struct histogram *histogram)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += histogram->count[i];
	return total;
}

uint64_t
histogram_count_below(const struct histogram *histogram, uint64_t ns)
{
	unsigned end = histogram_bucket(ns);
	uint64_t total = 0;

	for (unsigned i = 0; i < end; i++)
		total += histogram->count[i];
	return total;
}

/* The last bucket has no end: what is there took at least as long as its start. */
static uint64_t
bucket_end_ns(unsigned bucket)
{
	return histogram_bucket_start_ns(bucket < HISTOGRAM_BUCKETS - 1 ? bucket + 1
	                                                                : bucket);
}

uint64_t
histogram_quantile_ns(const struct histogram *histogram, unsigned per_mille)
{
	uint64_t total = histogram_total(histogram), below = 0, rank;

	if (!total)
		return 0;
	/* 1..total: of the one that is looked for. Divided first: no overflow. */
	rank = total / 1000 * per_mille + (total % 1000 * per_mille + 999) / 1000;
	if (rank < 1)
		rank = 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t in = histogram->count[i];

		if (below + in >= rank) {
			uint64_t start = histogram_bucket_start_ns(i);
			double part = (double)(rank - below) / (double)in;

			return start +
			       (uint64_t)(part * (double)(bucket_end_ns(i) - start));
		}
		below += in;
	}
	return bucket_end_ns(HISTOGRAM_BUCKETS - 1);
}
