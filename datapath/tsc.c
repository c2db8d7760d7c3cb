/* tsc.c - measures the time-stamp counter instead of believing a nominal frequency:
 * DPDK's own estimate may be rounded to 10 MHz. Main thread. */
#include "datapath/tsc.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "datapath/rcu.h"

#define CALIBRATION_NS (20 * NSEC_PER_MSEC)

struct tsc_line *_Atomic tsc_line;
static uint64_t start_tsc, start_ns; /* of the measurement that tsc_trim() extends */

/* The pair with the shortest read around it, so that a preemption does not count. */
static void
tsc_sample(uint64_t *tsc, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 8; i++) {
		struct timespec ts;
		uint64_t before = rte_rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
		after = rte_rdtsc();
		if (after - before < best) {
			best = after - before;
			*tsc = before + (after - before) / 2;
			*ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
		}
	}
}

static uint64_t
tsc_rate_x32(uint64_t tsc, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)(ns - start_ns) << 32) / (tsc - start_tsc));
}

void
tsc_calibrate(void)
{
	struct tsc_line *line = xcalloc_cacheline(sizeof(*line));
	struct timespec pause = {.tv_nsec = CALIBRATION_NS};
	uint64_t tsc = 0, ns = 0;

	tsc_sample(&start_tsc, &start_ns);
	nanosleep(&pause, NULL);
	tsc_sample(&tsc, &ns);
	line->base_tsc = tsc;
	line->base_ns = ns;
	line->ns_per_cycle_x32 = tsc_rate_x32(tsc, ns);
	tsc_line = line;
}

void
tsc_trim(void)
{
	struct tsc_line *line = xcalloc_cacheline(sizeof(*line)), *old = tsc_line;
	uint64_t tsc = 0, ns = 0;

	tsc_sample(&tsc, &ns);
	/* Continuous and never backwards; the error made so far stays as a constant
	 * offset. */
	line->base_tsc = tsc;
	line->base_ns = tsc_to_ns(tsc);
	line->ns_per_cycle_x32 = tsc_rate_x32(tsc, ns);
	tsc_line = line;
	rcu_free_after(old);
}
