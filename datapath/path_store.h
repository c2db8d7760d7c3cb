/* path_store.h - what walks came to, for the entries of a flow cache: programs and who
 * counts their packets. Entries that do the same share one. Part of cache.c; owner worker
 * only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/drop.h"
#include "datapath/walk_state.h"

#define PATH_NONE  UINT32_MAX
#define PATH_POOLS 3

struct path {
	uint32_t hash, next; /* in a chain of paths of similar hashes */
	uint32_t users;      /* entries */
	uint32_t bytes, n_tallies;
	enum drop_reason drop; /* of an empty program */
	struct tally_ref tallies[];
	/* then the program; at the end of the slot the trail */
};

static inline const void *
path_program(const struct path *path)
{
	return &path->tallies[path->n_tallies];
}

/* Slots of one size. */
struct path_pool {
	uint8_t *slots;
	uint32_t slot_bytes, n;
	uint32_t n_begun;    /* those behind were never in use */
	uint32_t first_free; /* of those before; PATH_NONE */
};

struct path_store {
	struct path_pool pools[PATH_POOLS]; /* by size */
	uint32_t *chains;
	uint32_t chain_mask;
};

/* Bytes of memory, zeroed, that a store for so many entries (a power of two) is made in.
 */
size_t path_store_bytes(uint32_t n_entries);
void path_store_init(struct path_store *store, void *memory, uint32_t n_entries);

/* A path that does what 'walk' came to, with one user more, which may have come there by
 * another trail; PATH_NONE: no room. */
uint32_t path_store_share(struct path_store *store, const struct walk *walk);

/* One user less. */
void path_store_unref(struct path_store *store, uint32_t number);

/* A path's number has its pool in the upper bits. */
#define PATH_POOL_SHIFT 30

/* Whether it is of one of the larger sizes, of which there are few. */
static inline bool
path_is_of_scarce_room(uint32_t number)
{
	return number >> PATH_POOL_SHIFT != 0;
}

static inline struct path *
path_store_at(const struct path_store *store, uint32_t number)
{
	const struct path_pool *pool = &store->pools[number >> PATH_POOL_SHIFT];
	uint32_t slot = number & ((1U << PATH_POOL_SHIFT) - 1);

	return (struct path *)(void *)(pool->slots + (size_t)slot * pool->slot_bytes);
}

/* What all walks that share the path depended on. */
static inline struct walk_trail *
path_store_trail(const struct path_store *store, uint32_t number)
{
	uint32_t bytes = store->pools[number >> PATH_POOL_SHIFT].slot_bytes;
	uint8_t *end = (uint8_t *)path_store_at(store, number) + bytes;

	return (struct walk_trail *)(void *)(end - sizeof(struct walk_trail));
}
