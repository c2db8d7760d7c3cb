/* tally.c - gives out slots for counters and adds up what workers counted. Main. */
#include "datapath/tally.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "datapath/rcu.h"

#define SLOT_NONE UINT32_MAX

struct tally_block *_Atomic tally_blocks[DP_WORKERS_MAX][TALLY_BLOCKS_MAX];
struct tally_generations *_Atomic tally_generations[TALLY_BLOCKS_MAX];

/* Of a slot that is free: the next free one. Else: what workers that ended counted. */
struct tally_slot {
	uint32_t next_free;
	struct tally_sum retired;
};

static struct tally_slot *slots[TALLY_BLOCKS_MAX];
static uint32_t first_free = SLOT_NONE;
static uint32_t n_blocks;
static bool has_worker[DP_WORKERS_MAX];

static struct tally_slot *
tally_slot(uint32_t slot)
{
	return &slots[slot / TALLY_BLOCK_SLOTS][slot % TALLY_BLOCK_SLOTS];
}

static struct tally_counts *
tally_counts(unsigned worker_id, uint32_t slot)
{
	struct tally_block *block = tally_blocks[worker_id][slot / TALLY_BLOCK_SLOTS];

	return block ? &block->counts[slot % TALLY_BLOCK_SLOTS] : NULL;
}

static _Atomic uint32_t *
tally_generation(uint32_t slot)
{
	return &tally_generations[slot / TALLY_BLOCK_SLOTS]
	                ->of_slot[slot % TALLY_BLOCK_SLOTS];
}

static void
tally_give_back(uint32_t slot)
{
	tally_slot(slot)->next_free = first_free;
	first_free = slot;
}

static void
tally_add_block(void)
{
	uint32_t block = n_blocks++;

	slots[block] = xcalloc(TALLY_BLOCK_SLOTS, sizeof(struct tally_slot));
	tally_generations[block] = xcalloc(1, sizeof(struct tally_generations));
	for (unsigned w = 0; w < DP_WORKERS_MAX; w++)
		if (has_worker[w])
			tally_blocks[w][block] =
				xcalloc_cacheline(sizeof(struct tally_block));
	for (uint32_t i = TALLY_BLOCK_SLOTS; i-- > 0;)
		tally_give_back(block * TALLY_BLOCK_SLOTS + i);
}

struct tally_ref
tally_add(void)
{
	struct tally_ref ref = {SLOT_NONE, 0};
	struct tally_slot *slot;

	if (first_free == SLOT_NONE && n_blocks < TALLY_BLOCKS_MAX)
		tally_add_block();
	if (first_free == SLOT_NONE)
		return ref;
	ref.slot = first_free;
	slot = tally_slot(ref.slot);
	first_free = slot->next_free;
	slot->retired = (struct tally_sum){0};
	ref.generation = *tally_generation(ref.slot);
	return ref;
}

/* No worker counts in it any more. */
static void
tally_clear(void *arg)
{
	uint32_t slot = (uint32_t)(uintptr_t)arg;

	for (unsigned w = 0; w < DP_WORKERS_MAX; w++) {
		struct tally_counts *counts = tally_counts(w, slot);

		if (counts)
			counts->packets = counts->bytes = counts->used_ns = 0;
	}
	tally_give_back(slot);
}

void
tally_del(struct tally_ref ref)
{
	if (ref.slot == SLOT_NONE)
		return;
	atomic_fetch_add(tally_generation(ref.slot), 1);
	rcu_call_after(tally_clear, (void *)(uintptr_t)ref.slot);
}

static void
tally_add_counts(struct tally_sum *sum, const struct tally_counts *counts)
{
	uint64_t used_ns = atomic_load_explicit(&counts->used_ns, memory_order_relaxed);

	sum->packets += atomic_load_explicit(&counts->packets, memory_order_relaxed);
	sum->bytes += atomic_load_explicit(&counts->bytes, memory_order_relaxed);
	sum->used_ns = MAX_OF(sum->used_ns, used_ns);
}

void
tally_get(struct tally_ref ref, struct tally_sum *sum)
{
	*sum = (struct tally_sum){0};
	if (ref.slot == SLOT_NONE)
		return;
	*sum = tally_slot(ref.slot)->retired;
	for (unsigned w = 0; w < DP_WORKERS_MAX; w++)
		if (has_worker[w])
			tally_add_counts(sum, tally_counts(w, ref.slot));
}

void
tally_add_worker(unsigned worker_id)
{
	for (uint32_t block = 0; block < n_blocks; block++)
		tally_blocks[worker_id][block] =
			xcalloc_cacheline(sizeof(struct tally_block));
	has_worker[worker_id] = true;
}

void
tally_del_worker(unsigned worker_id)
{
	if (!has_worker[worker_id])
		return;
	has_worker[worker_id] = false;
	for (uint32_t slot = 0; slot < n_blocks * TALLY_BLOCK_SLOTS; slot++)
		tally_add_counts(&tally_slot(slot)->retired,
		                 tally_counts(worker_id, slot));
	for (uint32_t block = 0; block < n_blocks; block++) {
		free(tally_blocks[worker_id][block]);
		tally_blocks[worker_id][block] = NULL;
	}
}
