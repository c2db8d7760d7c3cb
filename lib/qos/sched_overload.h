/* sched_overload.h - notices that floors cannot all be met, because the owner or the link
 * is too slow for them, and has all of them shrink by the same part. Private to
 * lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/sched_state.h"

/* Notes that 'node', about to be served, is 'late' ticks behind its deadline, which is
 * above late_limit. */
void overload_note_late(struct sched *sched, const struct sched_node *node, int64_t late);

/* Looks at the classes that are the first in turn at each level. */
void overload_look(struct sched *sched);

/* For each visit to a class on its floor. */
static inline void
overload_check(struct sched *sched, const struct sched_node *node, uint64_t deadline)
{
	int64_t late = (int64_t)(sched->floor_now - deadline);

	if (unlikely(late > sched->late_limit))
		overload_note_late(sched, node, late);
	else
		sched->watch_served.is_on = false;
	if (unlikely(!sched->watch_visits--))
		overload_look(sched);
}
