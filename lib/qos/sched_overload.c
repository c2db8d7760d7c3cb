/* sched_overload.c - holds the floor clock back while floors cannot all be met. Owner
 * thread.
 *
 * Floors that fit are served at most a packet or two after their deadlines, whatever else
 * there is. When the owner or the link is too slow for them, every class that is served
 * is late, more and more so, and earliest-deadline-first would in the end starve whom
 * chance has it. So while that is the case the floor clock, which all floor tags are in,
 * is held back by as much as the least late class is too late. Each floor then shrinks by
 * the same part and the deadlines can be met again.
 *
 * A class may be late for other reasons: it used credit from idling (no more than its
 * burst, which does not count), or ceilings kept it waiting. Others are on time then, or
 * nothing is under its floor, before it was so for long. Inner classes come after
 * the leaves, so leaves that are all on time say nothing of them: now and then the first
 * of every level are looked at. */
#include "qos/sched_overload.h"

#include "qos/sched_link.h"

/* Classes that one look at a level moves to their places at most. */
#define LEVEL_LOOKS_MAX 8

/* More patience with those that wait at higher levels: where leaves are too late as well
 * it is the leaves that should set the pace, or their levels would run empty. */
#define WAITING_LIMIT_FACTOR 4

static void
floor_clock_hold(struct sched *sched, uint64_t ticks)
{
	sched->floor_held += ticks;
	sched->floor_now -= ticks;
	__atomic_store_n(&sched->overload_ns, sched->floor_held / TICKS_PER_NS,
	                 __ATOMIC_RELAXED);
	sched->late_limit = (int64_t)OVERLOAD_LATE_LATER;
	sched->overload_until = sched->now + OVERLOAD_LINGER;
}

/* 'late' is beyond the burst, and above 'limit'. */
static void
watch_note(struct sched *sched, struct late_watch *watch, int64_t late, int64_t limit)
{
	if (!watch->is_on)
		*watch = (struct late_watch){
			.since = sched->now,
			.least = (uint64_t)late,
			.is_on = true,
		};
	watch->least = MIN_OF(watch->least, (uint64_t)late);
	if (sched->now - watch->since < (uint64_t)sched->late_limit)
		return;
	floor_clock_hold(sched, watch->least - (uint64_t)limit);
	sched->watch_served.is_on = sched->watch_waiting.is_on = false;
}

static int64_t
late_beyond_burst(const struct sched_node *node, int64_t late)
{
	return late - (int64_t)node->floor_burst_ns * TICKS_PER_NS;
}

void
overload_note_late(struct sched *sched, const struct sched_node *node, int64_t late)
{
	late = late_beyond_burst(node, late);
	/* Credit from idling may explain less: that says nothing either way. */
	if (late > sched->late_limit)
		watch_note(sched, &sched->watch_served, late, sched->late_limit);
}

/* How late the first class of a level is beyond its burst. Those that were charged since
 * they were put there go to their places first. */
static int64_t
level_late(struct sched *sched, unsigned level)
{
	uint64_t until = 0, deadline = 0;
	const struct sched_node *node = NULL;
	uint32_t id = NODE_NONE;

	for (unsigned left = LEVEL_LOOKS_MAX; left; left--) {
		id = edf_first(&sched->edf[level], sched->floor_now, &until);
		node = &sched->nodes[id];
		deadline = floor_deadline(sched, node);
		if (tick_is_after(until, deadline))
			break;
		floor_remove_edf(sched, id);
		floor_add_edf(sched, id);
	}
	if (node_is_red(sched, node) || blocker_find(sched, id))
		return 0;
	return late_beyond_burst(node, (int64_t)(sched->floor_now - deadline));
}

void
overload_look(struct sched *sched)
{
	uint32_t levels = sched->edf_levels;
	int64_t worst = 0, limit = sched->late_limit * WAITING_LIMIT_FACTOR;

	sched->watch_visits = OVERLOAD_INTERVAL;
	if (tick_is_after(sched->now, sched->overload_until))
		sched->late_limit = (int64_t)OVERLOAD_LATE_FIRST;
	for (; levels; levels &= levels - 1) {
		int64_t late = level_late(sched, (unsigned)__builtin_ctz(levels));

		worst = MAX_OF(worst, late);
	}
	if (worst > limit)
		watch_note(sched, &sched->watch_waiting, worst, limit);
	else
		sched->watch_waiting.is_on = false;
}

uint64_t
sched_overload_ns(const struct sched *sched)
{
	return __atomic_load_n(&sched->overload_ns, __ATOMIC_RELAXED);
}
