/* trtcm.c - the two buckets of struct trtcm. */
#include "qos/trtcm.h"

static void
trtcm_set_flags(struct trtcm *trtcm, const struct trtcm_rates *rates)
{
	trtcm->has_committed = rates->committed_per_s > 0;
	trtcm->has_excess = rates->excess_per_s > 0;
}

void
trtcm_init(struct trtcm *trtcm, const struct trtcm_rates *rates, uint64_t now_ns)
{
	policer_init(&trtcm->committed, rates->committed_per_s, rates->committed_burst,
	             now_ns);
	policer_init(&trtcm->excess, rates->excess_per_s, rates->excess_burst, now_ns);
	trtcm_set_flags(trtcm, rates);
}

void
trtcm_set(struct trtcm *trtcm, const struct trtcm_rates *rates, uint64_t now_ns)
{
	policer_set(&trtcm->committed, rates->committed_per_s, rates->committed_burst,
	            now_ns);
	policer_set(&trtcm->excess, rates->excess_per_s, rates->excess_burst, now_ns);
	trtcm_set_flags(trtcm, rates);
}

enum trtcm_color
trtcm_mark(struct trtcm *trtcm, enum trtcm_color was, uint32_t bytes, uint64_t now_ns)
{
	if (was == TRTCM_GREEN && trtcm->has_committed &&
	    policer_admit(&trtcm->committed, bytes, now_ns))
		return TRTCM_GREEN;
	if (was != TRTCM_RED && trtcm->has_excess &&
	    policer_admit(&trtcm->excess, bytes, now_ns))
		return TRTCM_YELLOW;
	return TRTCM_RED;
}
