/* cache_ask.h - main asks workers what their flow caches hold and counted, and gives them
 * larger ones. Main. */
#pragma once

#include <stdint.h>

#include "datapath/walk_state.h"

struct worker;

/* Makes the workers add what their entries counted to the rules' counters; does nothing
 * if that was done a few milliseconds ago. */
void caches_flush_counts(void);

/* Once a second: replaces caches that are too small for their flows. */
void caches_grow(void);

/* Copies what is in entries from '*next' on, at most 'n'; asks the worker. Returns how
 * many; 0: no more. */
struct cache_copy {
	struct flow_key key;
	uint64_t packets, bytes, used_ns;
	uint32_t program_bytes;
	enum drop_reason drop;
	uint64_t program[WALK_PROGRAM_BYTES / 8];
};
unsigned cache_copy_entries(struct worker *worker, const struct bridge *bridge,
                            uint32_t *next, struct cache_copy *copies, unsigned n);
