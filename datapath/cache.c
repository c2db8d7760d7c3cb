/* cache.c - sets of four ways behind one hash; second touch enters, the least recently
 * hit way leaves. Paths are shared: flows that do the same point to one copy. There are
 * as many small ones as entries, so one is always free. */
#include "datapath/cache.h"

#include <string.h>

#include <rte_hash_crc.h>
#include <rte_malloc.h>

#include "base/compiler.h"

#define CACHE_SETS     4096 /* power of two */
#define CACHE_WAYS     4
#define CACHE_ENTRIES  (CACHE_SETS * CACHE_WAYS)
#define DOORKEEPER     16384 /* hashes of flows seen once; power of two */
#define SMALL_BYTES    256
#define SMALL_PATHS    (CACHE_ENTRIES + 1)
#define LARGE_BYTES    4096
#define LARGE_PATHS    256
#define PATHS          (SMALL_PATHS + LARGE_PATHS)
#define PATH_CHAINS    8192 /* power of two */
#define PATH_CHAIN_MAX 32   /* looked through for an equal one */
#define PATH_NONE      UINT32_MAX

struct cache {
	unsigned worker_id;
	unsigned n_walks;
	uint64_t clock; /* counts inserts */
	uint32_t free_small, free_large;
	uint32_t chains[PATH_CHAINS];
	uint16_t seen[DOORKEEPER];
	struct cache_entry sets[CACHE_SETS][CACHE_WAYS];
	struct walk_trail trails[PATHS]; /* of paths, all walks that share one */
	uint64_t small[SMALL_PATHS][SMALL_BYTES / 8];
	uint64_t large[LARGE_PATHS][LARGE_BYTES / 8];
	struct walk walks[CACHE_WALKS_MAX];
};

uint32_t
cache_n_entries(void)
{
	return CACHE_ENTRIES;
}

struct cache_entry *
cache_entry_at(struct cache *cache, uint32_t i)
{
	return &cache->sets[i / CACHE_WAYS][i % CACHE_WAYS];
}

/* ---- paths ---- */

static struct path *
path_at(const struct cache *cache, uint32_t number)
{
	return number < SMALL_PATHS
	               ? (struct path *)(uintptr_t)cache->small[number]
	               : (struct path *)(uintptr_t)cache->large[number - SMALL_PATHS];
}

static void
path_give_back(struct cache *cache, uint32_t number)
{
	uint32_t *first = number < SMALL_PATHS ? &cache->free_small : &cache->free_large;

	path_at(cache, number)->next = *first;
	*first = number;
}

/* One user less. */
static void
path_unref(struct cache *cache, uint32_t number)
{
	struct path *path = path_at(cache, number);
	uint32_t *at = &cache->chains[path->hash & (PATH_CHAINS - 1)];

	if (--path->users)
		return;
	while (*at != number)
		at = &path_at(cache, *at)->next;
	*at = path->next;
	path_give_back(cache, number);
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

static void
trail_add(struct walk_trail *to, const struct walk_trail *trail)
{
	for (unsigned i = 0; i < CHANGE_TABLE_WORDS; i++)
		to->tables[i] |= trail->tables[i];
	to->groups |= trail->groups;
	to->words |= trail->words;
}

/* A path that does what 'walk' came to, with one user more; PATH_NONE: no room. */
static uint32_t
path_share(struct cache *cache, const struct walk *walk)
{
	size_t tally_bytes = walk->n_tallies * sizeof(walk->tallies[0]);
	size_t bytes = sizeof(struct path) + tally_bytes + walk->bytes;
	uint32_t hash = path_hash(walk), number, *first;
	uint32_t *chain = &cache->chains[hash & (PATH_CHAINS - 1)];
	unsigned looked_at = 0;
	struct path *path;

	for (number = *chain; number != PATH_NONE && looked_at++ < PATH_CHAIN_MAX;
	     number = path->next) {
		path = path_at(cache, number);
		if (path->hash == hash && path_equal(path, walk)) {
			path->users++;
			trail_add(&cache->trails[number], &walk->trail);
			return number;
		}
	}
	first = bytes <= SMALL_BYTES ? &cache->free_small : &cache->free_large;
	number = bytes <= LARGE_BYTES ? *first : PATH_NONE;
	if (number == PATH_NONE)
		return PATH_NONE;
	path = path_at(cache, number);
	*first = path->next;
	path->hash = hash;
	path->next = *chain;
	*chain = number;
	cache->trails[number] = walk->trail;
	path->users = 1;
	path->bytes = walk->bytes;
	path->n_tallies = walk->n_tallies;
	path->drop = walk->drop;
	memcpy(path->tallies, walk->tallies, tally_bytes);
	memcpy(&path->tallies[path->n_tallies], walk->program, walk->bytes);
	return number;
}

/* ---- entries ---- */

unsigned
cache_flush_entry(struct cache *cache, struct cache_entry *entry)
{
	uint64_t packets = entry->packets - entry->counted_packets;
	uint64_t bytes = entry->bytes - entry->counted_bytes;
	const struct path *path;

	if (packets == 0)
		return 0;
	path = path_at(cache, entry->path);
	for (uint32_t i = 0; i < path->n_tallies; i++)
		tally_count(cache->worker_id, path->tallies[i], packets, bytes,
		            entry->used_ns);
	entry->counted_packets = entry->packets;
	entry->counted_bytes = entry->bytes;
	return path->n_tallies;
}

uint32_t
cache_key(const struct pipeline *pipeline, const struct flow_key *key,
          uint64_t words[FLOW_PACKET_WORDS])
{
	uint32_t hash = 0;

	for (unsigned i = 0; i < pipeline->n_words; i++) {
		words[i] = key->words[pipeline->words[i]] & pipeline->masks[i];
		hash = rte_hash_crc_8byte(words[i], hash);
	}
	return hash;
}

static inline bool
entry_matches(const struct cache_entry *entry, const uint64_t *words, unsigned n)
{
	uint64_t difference = 0;

	for (unsigned i = 0; i < n; i++)
		difference |= entry->key[i] ^ words[i];
	return difference == 0;
}

bool
cache_entry_is_current(const struct cache *cache, const struct pipeline *pipeline,
                       struct cache_entry *entry)
{
	if (entry->layout != pipeline->layout)
		return false;
	if (likely(entry->generation == pipeline->generation))
		return true;
	if (changes_concern(pipeline, entry->generation, &cache->trails[entry->path],
	                    entry->key))
		return false;
	entry->generation = pipeline->generation;
	return true;
}

/* Whether it is current or not. */
static struct cache_entry *
set_find(struct cache_entry *set, const struct pipeline *pipeline, const uint64_t *words,
         uint32_t hash)
{
	for (unsigned i = 0; i < CACHE_WAYS; i++)
		if (set[i].hash == hash && set[i].layout == pipeline->layout &&
		    entry_matches(&set[i], words, pipeline->n_words))
			return &set[i];
	return NULL;
}

struct cache_entry *
cache_find(struct cache *cache, const struct pipeline *pipeline, const uint64_t *words,
           uint32_t hash)
{
	struct cache_entry *entry =
		set_find(cache->sets[hash & (CACHE_SETS - 1)], pipeline, words, hash);

	if (unlikely(!entry) || !cache_entry_is_current(cache, pipeline, entry))
		return NULL;
	entry->hit_clock = cache->clock;
	return entry;
}

const struct path *
cache_path(const struct cache *cache, const struct cache_entry *entry)
{
	return path_at(cache, entry->path);
}

static struct cache_entry *
cache_victim(struct cache *cache, uint32_t hash, uint64_t layout)
{
	struct cache_entry *set = cache->sets[hash & (CACHE_SETS - 1)];
	struct cache_entry *victim = &set[0];

	for (unsigned i = 0; i < CACHE_WAYS; i++) {
		if (set[i].layout != layout)
			return &set[i];
		if (cache->clock - set[i].hit_clock > cache->clock - victim->hit_clock)
			victim = &set[i];
	}
	return victim;
}

void
cache_insert(struct cache *cache, const struct pipeline *pipeline, const uint64_t *words,
             uint32_t hash, const struct walk *walk)
{
	uint16_t *seen = &cache->seen[hash & (DOORKEEPER - 1)];
	uint16_t mark = (uint16_t)((hash >> 16) ^ (pipeline->layout * 0x9e37)) | 1;
	struct cache_entry *entry =
		set_find(cache->sets[hash & (CACHE_SETS - 1)], pipeline, words, hash);
	uint32_t path;

	if (!entry && *seen != mark) {
		*seen = mark;
		return;
	}
	path = path_share(cache, walk);
	if (path == PATH_NONE)
		return;
	if (entry && entry->path == path) {
		path_unref(cache, path);
		entry->generation = pipeline->generation;
		return;
	}
	if (!entry)
		entry = cache_victim(cache, hash, pipeline->layout);
	if (entry->layout) {
		cache_flush_entry(cache, entry);
		path_unref(cache, entry->path);
	}
	memset(entry, 0, sizeof(*entry));
	entry->layout = pipeline->layout;
	entry->generation = pipeline->generation;
	entry->hash = hash;
	entry->path = path;
	entry->hit_clock = cache->clock++;
	memcpy(entry->key, words, pipeline->n_words * sizeof(words[0]));
}

struct walk *
cache_take_walk(struct cache *cache)
{
	return cache->n_walks < CACHE_WALKS_MAX ? &cache->walks[cache->n_walks++] : NULL;
}

void
cache_return_walk(struct cache *cache)
{
	cache->n_walks--;
}

/* ---- main, or called by it on the worker ---- */

struct cache *
cache_create(unsigned worker_id, int numa_node)
{
	struct cache *cache =
		rte_zmalloc_socket("flow cache", sizeof(*cache), RTE_CACHE_LINE_SIZE,
	                           numa_node < 0 ? SOCKET_ID_ANY : numa_node);

	if (!cache)
		return NULL;
	cache->worker_id = worker_id;
	cache->free_small = cache->free_large = PATH_NONE;
	memset(cache->chains, 0xff, sizeof(cache->chains));
	for (uint32_t i = PATHS; i-- > 0;)
		path_give_back(cache, i);
	tally_add_worker(worker_id);
	return cache;
}

void
cache_destroy(struct cache *cache)
{
	if (!cache)
		return;
	for (uint32_t i = 0; i < CACHE_ENTRIES; i++)
		if (cache_entry_at(cache, i)->layout)
			cache_flush_entry(cache, cache_entry_at(cache, i));
	tally_del_worker(cache->worker_id);
	rte_free(cache);
}
