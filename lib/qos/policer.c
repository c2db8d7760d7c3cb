/* policer.c - the arithmetic of struct policer. */
#include "qos/policer.h"

#define COST_SHIFT    24
#define TICKS_PER_NS  256ULL
#define TICKS_PER_SEC (1000000000ULL * TICKS_PER_NS)

/* No debt and no burst is longer than this (52 days); what looks longer is older than
 * half the range of the clock. */
#define SPAN_MAX (1ULL << 60)

/* Rounded up, so that the rate is never exceeded. */
static uint64_t
policer_cost_ticks(const struct policer *policer, uint64_t units)
{
	unsigned __int128 cost = (unsigned __int128)units * policer->cost_mantissa;

	cost = (cost >> policer->cost_shift) + 1;
	return cost < SPAN_MAX ? (uint64_t)cost : SPAN_MAX;
}

static void
policer_set_rate(struct policer *policer, uint64_t rate_per_s, uint64_t burst)
{
	policer->cost_mantissa = 0;
	policer->cost_shift = COST_SHIFT;
	policer->burst_ns_x256 = 0;
	if (!rate_per_s)
		return;
	/* Below 2^62 even for one unit a second. */
	policer->cost_mantissa = (TICKS_PER_SEC << COST_SHIFT) / rate_per_s;
	policer->burst_ns_x256 = policer_cost_ticks(policer, burst);
}

void
policer_init(struct policer *policer, uint64_t rate_per_s, uint64_t burst,
             uint64_t now_ns)
{
	policer_set_rate(policer, rate_per_s, burst);
	policer->free_at_ns_x256 = now_ns * TICKS_PER_NS - policer->burst_ns_x256;
}

void
policer_set(struct policer *policer, uint64_t rate_per_s, uint64_t burst, uint64_t now_ns)
{
	uint64_t now = now_ns * TICKS_PER_NS, old_mantissa = policer->cost_mantissa;
	uint64_t debt = policer->free_at_ns_x256 - now;
	unsigned __int128 scaled;

	if (!old_mantissa) {
		/* However young the clock is: a machine may have just booted. */
		policer_init(policer, rate_per_s, burst, now_ns);
		return;
	}
	policer_set_rate(policer, rate_per_s, burst);
	if (debt > SPAN_MAX)
		return; /* not in debt: policer_admit() limits the credit */
	/* Debt is owed in units, so its time scales with the price of a unit. */
	scaled = (unsigned __int128)debt * policer->cost_mantissa / old_mantissa;
	policer->free_at_ns_x256 =
		now + (scaled < SPAN_MAX ? (uint64_t)scaled : SPAN_MAX);
}

enum policer_colour
policer_look(const struct policer *policer, uint64_t now_ns)
{
	uint64_t debt = policer->free_at_ns_x256 - now_ns * TICKS_PER_NS;

	if (!policer->cost_mantissa || debt == 0 || debt > SPAN_MAX)
		return POLICER_GREEN;
	return debt < policer->burst_ns_x256 ? POLICER_YELLOW : POLICER_RED;
}

void
policer_charge(struct policer *policer, uint32_t units, uint64_t now_ns)
{
	uint64_t now = now_ns * TICKS_PER_NS, debt = policer->free_at_ns_x256 - now;

	if (!policer->cost_mantissa)
		return;
	/* Credit older than the burst is forfeited. */
	if (debt > SPAN_MAX && -debt > policer->burst_ns_x256)
		policer->free_at_ns_x256 = now - policer->burst_ns_x256;
	policer->free_at_ns_x256 += policer_cost_ticks(policer, units);
}

bool
policer_admit(struct policer *policer, uint32_t units, uint64_t now_ns)
{
	if (policer_look(policer, now_ns) != POLICER_GREEN)
		return false;
	policer_charge(policer, units, now_ns);
	return true;
}
