/* tsc.h - the workers' clock: nanoseconds from the time-stamp counter, trimmed against
 * CLOCK_MONOTONIC_RAW by the main thread. */
#pragma once

#include <stdint.h>

#include <rte_cycles.h>

/* One line of time; a new one continues where the old one is. */
struct tsc_line {
	uint64_t base_tsc;
	uint64_t base_ns;
	uint64_t ns_per_cycle_x32; /* 32 fractional bits */
};

extern struct tsc_line *_Atomic tsc_line; /* main writes, workers read; freed after RCU */

/* Main thread. Measures for 20 ms. */
void tsc_calibrate(void);

/* Main thread, now and then: refines the rate over the time since tsc_calibrate(). The
 * old line is freed after all workers have passed. */
void tsc_trim(void);

static inline uint64_t
tsc_to_ns(uint64_t tsc)
{
	const struct tsc_line *line = tsc_line;

	return line->base_ns + (uint64_t)((unsigned __int128)(tsc - line->base_tsc) *
	                                          line->ns_per_cycle_x32 >>
	                                  32);
}
