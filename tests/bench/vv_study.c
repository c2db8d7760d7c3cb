/* vv_study.c - makes and resets what vv_study.h fills. Start-up only. */
#include "vv_study.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

struct vv_study *
vv_study_create(uint32_t flows, double bytes_per_tsc, uint64_t probe_period_tsc,
                struct error *err)
{
	struct vv_study *study = rte_zmalloc("study", sizeof *study, 0);

	if (study)
		study->frames =
			rte_zmalloc("study_frames", flows * sizeof *study->frames, 0);
	if (!study || !study->frames) {
		error_set(err, -ENOMEM, "counters of %u flows: out of memory", flows);
		return NULL;
	}
	study->flows = flows;
	study->bytes_per_tsc = bytes_per_tsc;
	study->probe_period_tsc = probe_period_tsc;
	return study;
}

void
vv_study_start(struct vv_study *study, uint64_t now_tsc)
{
	memset(study->frames, 0, study->flows * sizeof *study->frames);
	study->level_bytes = study->level_max_bytes = 0;
	study->level_tsc = now_tsc;
	study->next_probe_tsc = now_tsc;
	memset(&study->delay, 0, sizeof study->delay);
}
