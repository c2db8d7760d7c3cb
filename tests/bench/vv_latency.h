/* vv_latency.h - a histogram of times with a bounded relative error of 1/32, filled by
 * vv_lane.c. One thread. */
#pragma once

#include <stdint.h>

#define VV_LATENCY_SUB_BITS 5
#define VV_LATENCY_BUCKETS  ((64 - VV_LATENCY_SUB_BITS + 1) << VV_LATENCY_SUB_BITS)

struct vv_latency {
	uint64_t n;
	uint64_t max_tsc;
	uint64_t buckets[VV_LATENCY_BUCKETS];
};

static inline void
vv_latency_add(struct vv_latency *latency, uint64_t tsc)
{
	unsigned bucket = (unsigned)tsc;

	if (tsc >> VV_LATENCY_SUB_BITS) {
		unsigned shift =
			63 - VV_LATENCY_SUB_BITS - (unsigned)__builtin_clzll(tsc);

		bucket = ((shift + 1) << VV_LATENCY_SUB_BITS) +
		         (unsigned)((tsc >> shift) & ((1U << VV_LATENCY_SUB_BITS) - 1));
	}
	latency->buckets[bucket]++;
	latency->n++;
	if (tsc > latency->max_tsc)
		latency->max_tsc = tsc;
}

/* The smallest bucket edge, in TSC cycles, that 'share' (0..1) of the values do not
 * exceed; 0 if there are none. */
uint64_t vv_latency_percentile(const struct vv_latency *latency, double share);
