/* tally.h - counters of rules and groups' buckets: a slot each, in which every worker
 * counts for itself. The memory of slots is never given back, so that a worker that kept
 * a slot's reference for long can still look whether the slot means the same. Under
 * rule.c and group.c; cache.c counts. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "datapath/datapath.h"

#define TALLY_BLOCK_SLOTS 4096U /* power of two */
#define TALLY_BLOCKS_MAX  1024U

struct tally_ref {
	uint32_t slot, generation;
};

/* A worker writes, main reads. */
struct tally_counts {
	_Atomic uint64_t packets, bytes, used_ns;
};

/* Counters of one worker in the slots of one block, and what all share. */
struct tally_block {
	struct tally_counts counts[TALLY_BLOCK_SLOTS];
};
struct tally_generations {
	_Atomic uint32_t of_slot[TALLY_BLOCK_SLOTS]; /* main writes */
};

extern struct tally_block *_Atomic tally_blocks[DP_WORKERS_MAX][TALLY_BLOCKS_MAX];
extern struct tally_generations *_Atomic tally_generations[TALLY_BLOCKS_MAX];

/* ---- main ---- */

struct tally_sum {
	uint64_t packets, bytes, used_ns;
};

/* A slot of zeros; with more than TALLY_BLOCKS_MAX * TALLY_BLOCK_SLOTS of them in use
 * one that nobody counts in. */
struct tally_ref tally_add(void);

/* What is counted for it from now on is lost; the slot is used again once workers cannot
 * be in the midst of counting. */
void tally_del(struct tally_ref ref);
void tally_get(struct tally_ref ref, struct tally_sum *sum);

/* Before the worker starts, and after it has ended: what it counted stays. */
void tally_add_worker(unsigned worker_id);
void tally_del_worker(unsigned worker_id);

/* ---- a worker ---- */

static inline void
tally_bump(_Atomic uint64_t *counter, uint64_t by)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + by, memory_order_relaxed);
}

/* Counts, unless the slot has changed hands. The slot is not reused before the worker's
 * next quiescent point, so looking first is enough. */
static inline void
tally_count(unsigned worker_id, struct tally_ref ref, uint64_t packets, uint64_t bytes,
            uint64_t used_ns)
{
	uint32_t block = ref.slot / TALLY_BLOCK_SLOTS, at = ref.slot % TALLY_BLOCK_SLOTS;
	struct tally_generations *generations;
	struct tally_counts *counts;

	if (block >= TALLY_BLOCKS_MAX)
		return;
	generations =
		atomic_load_explicit(&tally_generations[block], memory_order_acquire);
	if (atomic_load_explicit(&generations->of_slot[at], memory_order_acquire) !=
	    ref.generation)
		return;
	counts = &atomic_load_explicit(&tally_blocks[worker_id][block],
	                               memory_order_acquire)
	                  ->counts[at];
	tally_bump(&counts->packets, packets);
	tally_bump(&counts->bytes, bytes);
	if (used_ns > atomic_load_explicit(&counts->used_ns, memory_order_relaxed))
		atomic_store_explicit(&counts->used_ns, used_ns, memory_order_relaxed);
}
