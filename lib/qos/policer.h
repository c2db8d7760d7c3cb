/* policer.h - token bucket that polices by debt: a packet passes while the bucket is not
 * in debt and then pays its whole size, so that a 64 KB frame passes any burst size and
 * the long-run rate is still exact. Owner thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All zero admits everything. Times in ns on the caller's clock. */
struct policer {
	uint64_t free_at_ns_x256; /* the bucket is out of debt from here on (1/256 ns) */
	uint64_t burst_ns_x256;   /* how far credit may reach back */
	uint64_t cost_mantissa;   /* of one unit (byte or packet), in 1/256 ns */
	uint8_t cost_shift;
};

/* 'rate_per_s' in units a second (bytes or packets), 0 admits everything; 'burst' in
 * units. */
void policer_init(struct policer *policer, uint64_t rate_per_s, uint64_t burst,
                  uint64_t now_ns);

/* Changes rate and burst, keeping the debt in units. One that admitted everything begins
 * with a full bucket. */
void policer_set(struct policer *policer, uint64_t rate_per_s, uint64_t burst,
                 uint64_t now_ns);

enum policer_colour {
	POLICER_GREEN,  /* not in debt */
	POLICER_YELLOW, /* in debt, by less than the burst */
	POLICER_RED,
};

/* What the next packet would find; nothing is paid. */
enum policer_colour policer_look(const struct policer *policer, uint64_t now_ns);

/* Pays 'units' for a packet that passes, whatever its colour. */
void policer_charge(struct policer *policer, uint32_t units, uint64_t now_ns);

/* True: the packet passes and has paid 'units'. */
bool policer_admit(struct policer *policer, uint32_t units, uint64_t now_ns);
