/* vv_latency.c - reads percentiles out of the histogram. */
#include "vv_latency.h"

#include <math.h>

#include "base/compiler.h"

static uint64_t
bucket_last_value(unsigned bucket)
{
	unsigned octave = bucket >> VV_LATENCY_SUB_BITS;
	uint64_t sub = bucket & ((1U << VV_LATENCY_SUB_BITS) - 1);
	unsigned shift;

	if (!octave)
		return bucket;
	shift = octave - 1;
	return ((sub + (1U << VV_LATENCY_SUB_BITS)) << shift) + ((1ULL << shift) - 1);
}

uint64_t
vv_latency_percentile(const struct vv_latency *latency, double share)
{
	uint64_t rank = (uint64_t)ceil(share * (double)latency->n);
	uint64_t seen = 0;

	for (unsigned i = 0; i < VV_LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (seen && seen >= rank)
			return MIN_OF(bucket_last_value(i), latency->max_tsc);
	}
	return 0;
}
