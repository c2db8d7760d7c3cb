/* trtcm.h - two rates, three colours (RFC 4115, colour-aware): traffic within the
 * committed rate is green, within the excess rate yellow, the rest red. Both buckets are
 * kept by debt (policer.h): a frame of any size passes while its bucket owes nothing, and
 * the long-run rate is exact. Owner thread only. */
#pragma once

#include <stdint.h>

#include "qos/policer.h"

enum trtcm_color { TRTCM_GREEN, TRTCM_YELLOW, TRTCM_RED };

/* Bytes a second, and bytes. A rate of 0 admits nothing of its colour. */
struct trtcm_rates {
	uint64_t committed_per_s, committed_burst;
	uint64_t excess_per_s, excess_burst;
};

struct trtcm {
	struct policer committed, excess;
	bool has_committed, has_excess;
};

void trtcm_init(struct trtcm *trtcm, const struct trtcm_rates *rates, uint64_t now_ns);

/* Changes rates and bursts, keeping debts in bytes. */
void trtcm_set(struct trtcm *trtcm, const struct trtcm_rates *rates, uint64_t now_ns);

/* The colour of a packet that came with colour 'was' (green if nobody coloured it
 * before): never a better one. What is green or yellow has paid. */
enum trtcm_color trtcm_mark(struct trtcm *trtcm, enum trtcm_color was, uint32_t bytes,
                            uint64_t now_ns);
