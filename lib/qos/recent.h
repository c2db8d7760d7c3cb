/* recent.h - a histogram of the last 5 to 10 s: one writer, any thread reads. Pure. */
#pragma once

#include "qos/histogram.h"

#define RECENT_SPAN_NS 5000000000ULL

/* Zeroed: nothing was seen. */
struct recent {
	uint64_t since_ns; /* when 'now' began */
	struct histogram now, before;
};

void recent_add(struct recent *recent, uint64_t value_ns, uint64_t now_ns);

/* Adds what is known at 'now_ns' to 'sum'; without its sum_ns. */
void recent_sum(const struct recent *recent, uint64_t now_ns, struct histogram *sum);
