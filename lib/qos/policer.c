/* policer.c - the arithmetic of struct policer. */
#include "qos/policer.h"

#define COST_MANTISSA_BITS 32
#define TICKS_PER_SEC      (1000000000ULL * 256) /* one tick is 1/256 ns */

static uint64_t
policer_cost_ticks(const struct policer *policer, uint64_t units)
{
	return (uint64_t)((unsigned __int128)units * policer->cost_mantissa >>
	                  policer->cost_shift);
}

static void
policer_set_rate(struct policer *policer, uint64_t rate_per_s, uint64_t burst)
{
	unsigned __int128 scaled = TICKS_PER_SEC;

	if (!rate_per_s) {
		policer->cost_mantissa = 0;
		policer->cost_shift = 0;
		policer->burst_ns_x256 = 0;
		return;
	}
	/* cost = ticks per unit = TICKS_PER_SEC / rate, kept with 32 fractional bits. */
	policer->cost_shift = COST_MANTISSA_BITS;
	policer->cost_mantissa = (uint64_t)((scaled << COST_MANTISSA_BITS) / rate_per_s);
	policer->burst_ns_x256 = policer_cost_ticks(policer, burst);
}

void
policer_init(struct policer *policer, uint64_t rate_per_s, uint64_t burst,
             uint64_t now_ns)
{
	policer->free_at_ns_x256 = now_ns * 256;
	policer_set_rate(policer, rate_per_s, burst);
	policer->free_at_ns_x256 -= policer->burst_ns_x256;
}

void
policer_set(struct policer *policer, uint64_t rate_per_s, uint64_t burst, uint64_t now_ns)
{
	uint64_t now = now_ns * 256, old_mantissa = policer->cost_mantissa;
	int64_t debt = (int64_t)(policer->free_at_ns_x256 - now);

	policer_set_rate(policer, rate_per_s, burst);
	/* Debt is owed in units, so its time scales with the price of a unit. */
	if (debt > 0 && old_mantissa)
		debt = (int64_t)((unsigned __int128)debt * policer->cost_mantissa /
		                 old_mantissa);
	policer->free_at_ns_x256 = now + (uint64_t)debt;
}

bool
policer_admit(struct policer *policer, uint32_t units, uint64_t now_ns)
{
	uint64_t now = now_ns * 256, oldest = now - policer->burst_ns_x256;

	if (!policer->cost_mantissa)
		return true;
	if ((int64_t)(policer->free_at_ns_x256 - now) > 0)
		return false;
	if ((int64_t)(policer->free_at_ns_x256 - oldest) < 0)
		policer->free_at_ns_x256 = oldest;
	policer->free_at_ns_x256 += policer_cost_ticks(policer, units);
	return true;
}
