/* codel.c - the state machine of RFC 8289, one packet at a time. Any one thread. */
#include "qos/codel.h"

#include "base/compiler.h"

/* Dropping that begins again within this many intervals goes on at the rate at which it
 * ended (RFC 8289, section 5.4). */
#define RESUME_INTERVALS 16

#define COUNT_MAX (UINT32_MAX >> 1)

/* Rounded down. */
static uint32_t
square_root(uint64_t value)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ULL << 31; bit; bit >>= 1) {
		uint64_t guess = root | bit;

		if (guess * guess <= value)
			root = guess;
	}
	return (uint32_t)root;
}

/* The control law: drops come closer as the square root of their number. */
static uint32_t
drop_after(uint32_t time, uint32_t interval, uint32_t count)
{
	return time + square_root((uint64_t)interval * interval / count);
}

static bool
is_due(uint32_t time, uint32_t now)
{
	return (int32_t)(now - time) >= 0;
}

/* Whether the delay has been above target for an interval. */
static bool
is_standing(struct codel *codel, const struct codel_params *params, uint32_t now,
            uint32_t delay, bool is_last)
{
	if (delay < params->target || is_last) {
		codel->above_until = 0;
		return false;
	}
	if (codel->above_until)
		return is_due(codel->above_until, now);
	codel->above_until = now + params->interval;
	if (!codel->above_until)
		codel->above_until = 1;
	return false;
}

/* Where the count goes on when dropping begins again. RFC 8289 takes the drops of the
 * last time, if that was not long ago: too few for a source that does not respond, which
 * made the first of several times long and needs the same rate again. So the count falls
 * by one drop for each that would have been due since, if that leaves more. */
static uint32_t
count_resume(const struct codel *codel, const struct codel_params *params, uint32_t now)
{
	uint32_t drops = codel->count - codel->last_count;
	int32_t since = (int32_t)(now - codel->next_drop);
	uint64_t missed;

	if (!codel->count || since >= (int64_t)RESUME_INTERVALS * params->interval)
		return 1;
	missed = since > 0 ? (uint64_t)since * square_root((uint64_t)codel->count << 16) /
	                             ((uint64_t)params->interval << 8)
	                   : 0;
	if (codel->count > missed && codel->count - missed > drops)
		return codel->count - (uint32_t)missed;
	return MAX_OF(drops, 1);
}

static void
drop_begin(struct codel *codel, const struct codel_params *params, uint32_t now)
{
	codel->is_dropping = true;
	codel->count = count_resume(codel, params, now) & COUNT_MAX;
	codel->last_count = codel->count;
	codel->next_drop = drop_after(now, params->interval, codel->count);
}

bool
codel_judge(struct codel *codel, const struct codel_params *params, uint32_t now,
            uint32_t delay, bool is_last)
{
	bool standing = is_standing(codel, params, now, delay, is_last);

	if (!standing) {
		codel->is_dropping = false;
		return false;
	}
	if (!codel->is_dropping) {
		drop_begin(codel, params, now);
		return true;
	}
	if (!is_due(codel->next_drop, now))
		return false;
	if (codel->count < COUNT_MAX)
		codel->count++;
	codel->next_drop = drop_after(codel->next_drop, params->interval, codel->count);
	return true;
}
