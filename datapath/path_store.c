/* path_store.c - slots of three sizes, and chains by hash to find equal paths. There are
 * as many small ones as entries: one is always free. Worker; path_store_init() main. */
#include "datapath/path_store.h"

#include <string.h>

#include <rte_hash_crc.h>

#define CHAIN_MAX   32    /* looked through for an equal one */
#define MEDIUM_MAX  16384 /* slots */
#define LARGE_SLOTS 256

static const uint32_t slot_bytes[PATH_POOLS] = {128, 384, 4096};

static uint32_t
pool_slots(unsigned pool, uint32_t n_entries)
{
	if (pool == 0)
		return n_entries + 1;
	if (pool == 1)
		return n_entries < MEDIUM_MAX ? n_entries : MEDIUM_MAX;
	return LARGE_SLOTS;
}

static uint32_t
store_chains(uint32_t n_entries)
{
	return n_entries / 2;
}

size_t
path_store_bytes(uint32_t n_entries)
{
	size_t bytes = store_chains(n_entries) * sizeof(uint32_t);

	for (unsigned i = 0; i < PATH_POOLS; i++)
		bytes += (size_t)pool_slots(i, n_entries) * slot_bytes[i];
	return bytes;
}

void
path_store_init(struct path_store *store, void *memory, uint32_t n_entries)
{
	uint8_t *at = memory;

	for (unsigned i = 0; i < PATH_POOLS; i++) {
		struct path_pool *pool = &store->pools[i];

		pool->slots = at;
		pool->slot_bytes = slot_bytes[i];
		pool->n = pool_slots(i, n_entries);
		pool->n_begun = 0;
		pool->first_free = PATH_NONE;
		at += (size_t)pool->n * pool->slot_bytes;
	}
	store->chains = (uint32_t *)(void *)at;
	store->chain_mask = store_chains(n_entries) - 1;
	memset(store->chains, 0xff, store_chains(n_entries) * sizeof(uint32_t));
}

static uint32_t
store_take_slot(struct path_store *store, size_t bytes)
{
	for (uint32_t i = 0; i < PATH_POOLS; i++) {
		struct path_pool *pool = &store->pools[i];
		uint32_t number = pool->first_free;

		if (bytes > pool->slot_bytes)
			continue;
		if (number != PATH_NONE) {
			pool->first_free = path_store_at(store, number)->next;
			return number;
		}
		if (pool->n_begun < pool->n)
			return i << PATH_POOL_SHIFT | pool->n_begun++;
	}
	return PATH_NONE;
}

void
path_store_unref(struct path_store *store, uint32_t number)
{
	struct path *path = path_store_at(store, number);
	struct path_pool *pool = &store->pools[number >> PATH_POOL_SHIFT];
	uint32_t *at = &store->chains[path->hash & store->chain_mask];

	if (--path->users)
		return;
	while (*at != number)
		at = &path_store_at(store, *at)->next;
	*at = path->next;
	path->next = pool->first_free;
	pool->first_free = number;
}

static uint32_t
path_hash(const struct walk *walk)
{
	uint32_t hash = walk->bytes ^ (uint32_t)walk->drop << 16;

	for (uint32_t i = 0; i < walk->n_tallies; i++)
		hash = rte_hash_crc_8byte((uint64_t)walk->tallies[i].slot << 32 |
		                                  walk->tallies[i].generation,
		                          hash);
	for (uint32_t i = 0; i < walk->bytes / 8; i++)
		hash = rte_hash_crc_8byte(walk->program[i], hash);
	return hash;
}

static bool
path_equal(const struct path *path, const struct walk *walk)
{
	return path->n_tallies == walk->n_tallies && path->bytes == walk->bytes &&
	       path->drop == walk->drop &&
	       !memcmp(path->tallies, walk->tallies,
	               walk->n_tallies * sizeof(walk->tallies[0])) &&
	       !memcmp(path_program(path), walk->program, walk->bytes);
}

static uint32_t
store_find(const struct path_store *store, const struct walk *walk, uint32_t hash)
{
	uint32_t number = store->chains[hash & store->chain_mask];
	unsigned looked_at = 0;

	while (number != PATH_NONE && looked_at++ < CHAIN_MAX) {
		const struct path *path = path_store_at(store, number);

		if (path->hash == hash && path_equal(path, walk))
			return number;
		number = path->next;
	}
	return PATH_NONE;
}

uint32_t
path_store_share(struct path_store *store, const struct walk *walk)
{
	size_t tally_bytes = walk->n_tallies * sizeof(walk->tallies[0]);
	uint32_t hash = path_hash(walk), number = store_find(store, walk, hash);
	uint32_t *chain = &store->chains[hash & store->chain_mask];
	struct walk_trail *trail;
	struct path *path;

	if (number != PATH_NONE) {
		path_store_at(store, number)->users++;
		trail = path_store_trail(store, number);
		trail->tables |= walk->trail.tables;
		trail->groups |= walk->trail.groups;
		trail->words |= walk->trail.words;
		return number;
	}
	number = store_take_slot(store, sizeof(*path) + tally_bytes + walk->bytes +
	                                        sizeof(*trail));
	if (number == PATH_NONE)
		return PATH_NONE;
	path = path_store_at(store, number);
	path->hash = hash;
	path->next = *chain;
	*chain = number;
	path->users = 1;
	path->bytes = walk->bytes;
	path->n_tallies = walk->n_tallies;
	path->drop = walk->drop;
	memcpy(path->tallies, walk->tallies, tally_bytes);
	memcpy(&path->tallies[path->n_tallies], walk->program, walk->bytes);
	*path_store_trail(store, number) = walk->trail;
	return number;
}
