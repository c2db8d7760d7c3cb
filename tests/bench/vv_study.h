/* vv_study.h - what the sink of vv_peer notes of each flow, for judging a scheduler
 * rather than speed: frames by flow, how far the whole exceeded a rate over any window,
 * and the delay of a probe flow. Filled by vv_lane.c; one thread. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "vv_latency.h"

struct vv_study {
	uint32_t flows;
	uint64_t *frames; /* by flow, whenever they were sent */

	/* Leaky bucket that 'rate' empties: its highest level is the most by which bytes
	 * exceeded rate * time over any window. */
	double bytes_per_tsc; /* 0: no meter */
	double level_bytes, level_max_bytes;
	uint64_t level_tsc;

	/* Flow 0 is the probe: one frame each period, and no other flow's delay counts.
	 */
	uint64_t probe_period_tsc; /* 0: no probe */
	uint64_t next_probe_tsc;
	struct vv_latency delay;
};

/* NULL with the reason; lives as long as the process. */
struct vv_study *vv_study_create(uint32_t flows, double bytes_per_tsc,
                                 uint64_t probe_period_tsc, struct error *err);

/* From now on counts a new measurement. */
void vv_study_start(struct vv_study *study, uint64_t now_tsc);

static inline void
vv_study_take(struct vv_study *study, uint32_t flow, uint32_t charged_bytes,
              uint64_t sent_tsc, uint64_t now_tsc)
{
	study->frames[flow]++;
	if (study->bytes_per_tsc > 0) {
		study->level_bytes -=
			(double)(now_tsc - study->level_tsc) * study->bytes_per_tsc;
		if (study->level_bytes < 0)
			study->level_bytes = 0;
		study->level_tsc = now_tsc;
		study->level_bytes += charged_bytes;
		if (study->level_bytes > study->level_max_bytes)
			study->level_max_bytes = study->level_bytes;
	}
	if (study->probe_period_tsc && flow == 0)
		vv_latency_add(&study->delay, now_tsc - sent_tsc);
}

/* Whether the next frame is the probe's. */
static inline int
vv_study_probe_is_due(struct vv_study *study, uint64_t now_tsc)
{
	if (!study->probe_period_tsc || now_tsc < study->next_probe_tsc)
		return 0;
	study->next_probe_tsc = now_tsc + study->probe_period_tsc;
	return 1;
}
