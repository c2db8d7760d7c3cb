/* cores.h - which cores the process may use, masks of them, and keeping other threads off
 * the workers' cores. Main thread. */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"

static inline bool
cores_mask_has(const uint8_t mask[DP_CPUS_MAX / 8], unsigned core)
{
	return mask[core / 8] >> core % 8 & 1;
}

static inline void
cores_mask_set(uint8_t mask[DP_CPUS_MAX / 8], unsigned core, bool on)
{
	if (on)
		mask[core / 8] |= (uint8_t)(1 << core % 8);
	else
		mask[core / 8] &= (uint8_t) ~(1 << core % 8);
}

/* Notes the cores the process was started on, and those it may use at all; the first call
 * counts. */
void cores_note_allowed(void);

/* The cores of 'wanted' (all zero: one per NUMA node, the last there) that can be used;
 * warns in the log of each that cannot. */
void cores_for_workers(const uint8_t wanted[DP_CPUS_MAX / 8],
                       uint8_t mask[DP_CPUS_MAX / 8]);

int cores_numa_node(unsigned core);

/* Moves every thread of the process that is not pinned to one of the workers' cores off
 * them, where the process may use others. */
void cores_confine_others(const uint8_t workers[DP_CPUS_MAX / 8]);
