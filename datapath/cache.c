/* cache.c - sets of eight ways behind one hash, found by a tag of 16 bits each; second
 * touch enters, the least recently hit way leaves. What entries do is in path_store.c.
 * All of it is one piece of memory: ordinary memory in huge pages if there are any, so
 * that it takes none away from guests. */
#include "datapath/cache.h"

#include <numa.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_hash_crc.h>
#include <rte_prefetch.h>

#include "base/compiler.h"

#define WAYS             8
#define TAG_WORDS        (WAYS / 4)
#define RESTS_MAX        16384
#define SEEN_PER_ENTRY   4 /* else flows that take turns would never be seen twice */
#define NO_REST          UINT32_MAX
#define SWEEP_ENTRIES    64
#define PREFETCH_ENTRIES 2048 /* with fewer in use all of it is near */
#define PAGE_BYTES       4096

/* The part of a long key that its entry has no room for, or the next free one. */
struct key_rest {
	uint64_t words[FLOW_PACKET_WORDS - CACHE_KEY_WORDS];
};

struct cache {
	unsigned worker_id;
	unsigned n_walks;
	uint32_t n_entries, n_used;
	uint32_t hand;              /* where the next sweep begins */
	uint32_t clock;             /* counts inserts */
	_Atomic uint64_t n_evicted; /* the worker writes, main reads */
	size_t bytes;               /* of all of it */
	struct cache_entry *entries;
	uint64_t *tags; /* TAG_WORDS for each set; 0 = no entry */
	uint16_t *seen; /* hashes of flows seen once: more than there are entries */
	struct key_rest *rests;
	uint32_t n_rests, rests_begun, first_free_rest;
	struct path_store paths;
	struct walk walks[CACHE_WALKS_MAX];
};

uint32_t
cache_n_entries(const struct cache *cache)
{
	return cache->n_entries;
}

uint64_t
cache_n_evicted(const struct cache *cache)
{
	return atomic_load_explicit(&cache->n_evicted, memory_order_relaxed);
}

struct cache_entry *
cache_entry_at(struct cache *cache, uint32_t i)
{
	return &cache->entries[i];
}

const struct path *
cache_path(const struct cache *cache, const struct cache_entry *entry)
{
	return path_store_at(&cache->paths, entry->path);
}

unsigned
cache_flush_entry(struct cache *cache, struct cache_entry *entry)
{
	uint64_t packets = entry->packets - entry->counted_packets;
	uint64_t bytes = entry->bytes - entry->counted_bytes;
	const struct path *path;

	if (packets == 0)
		return 0;
	path = cache_path(cache, entry);
	for (uint32_t i = 0; i < path->n_tallies; i++)
		tally_count(cache->worker_id, path->tallies[i], packets, bytes,
		            entry->used_ns);
	entry->counted_packets = entry->packets;
	entry->counted_bytes = entry->bytes;
	return path->n_tallies;
}

/* ---- keys ---- */

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
entry_matches(const struct cache *cache, const struct cache_entry *entry,
              const uint64_t *words, unsigned n)
{
	unsigned near = MIN_OF(n, CACHE_KEY_WORDS);
	uint64_t difference = 0;

	for (unsigned i = 0; i < near; i++)
		difference |= entry->key[i] ^ words[i];
	for (unsigned i = near; i < n; i++)
		difference |= cache->rests[entry->rest].words[i - near] ^ words[i];
	return difference == 0;
}

static uint32_t
rest_take(struct cache *cache)
{
	uint32_t rest = cache->first_free_rest;

	if (rest == NO_REST)
		return cache->rests_begun < cache->n_rests ? cache->rests_begun++
		                                           : NO_REST;
	cache->first_free_rest = (uint32_t)cache->rests[rest].words[0];
	return rest;
}

static void
rest_give_back(struct cache *cache, uint32_t rest)
{
	if (rest == NO_REST)
		return;
	cache->rests[rest].words[0] = cache->first_free_rest;
	cache->first_free_rest = rest;
}

/* ---- sets ---- */

static inline uint32_t
cache_set(const struct cache *cache, uint32_t hash)
{
	return hash & (cache->n_entries / WAYS - 1);
}

static inline uint16_t
hash_tag(uint32_t hash)
{
	return (uint16_t)(hash >> 16 | 1);
}

/* The top bit of each quarter of 'tags' that is 'tag', and perhaps of some others. */
static inline uint64_t
tags_equal(uint64_t tags, uint16_t tag)
{
	uint64_t difference = tags ^ tag * 0x0001000100010001ULL;

	return (difference - 0x0001000100010001ULL) & ~difference & 0x8000800080008000ULL;
}

static void
cache_set_tag(struct cache *cache, uint32_t number, uint16_t tag)
{
	memcpy((uint8_t *)cache->tags + number * sizeof(tag), &tag, sizeof(tag));
}

/* Whether it is current or not. */
static inline struct cache_entry *
cache_find_any(const struct cache *cache, const struct pipeline *pipeline,
               const uint64_t *words, uint32_t hash)
{
	uint32_t set = cache_set(cache, hash);
	uint16_t tag = hash_tag(hash);

	for (unsigned half = 0; half < TAG_WORDS; half++) {
		uint64_t found = tags_equal(cache->tags[set * TAG_WORDS + half], tag);

		for (; found; found &= found - 1) {
			unsigned way = half * 4 + (unsigned)__builtin_ctzll(found) / 16;
			struct cache_entry *entry = &cache->entries[set * WAYS + way];

			if (entry->hash == hash && entry->layout == pipeline->layout &&
			    entry_matches(cache, entry, words, pipeline->n_words))
				return entry;
		}
	}
	return NULL;
}

/* The first entry with the tag of 'hash'; NULL. */
static const struct cache_entry *
cache_guess(const struct cache *cache, uint32_t hash)
{
	uint32_t set = cache_set(cache, hash);

	for (unsigned half = 0; half < TAG_WORDS; half++) {
		uint64_t found =
			tags_equal(cache->tags[set * TAG_WORDS + half], hash_tag(hash));

		if (found)
			return &cache->entries[set * WAYS + half * 4 +
			                       (unsigned)__builtin_ctzll(found) / 16];
	}
	return NULL;
}

void
cache_prefetch(const struct cache *cache, const uint32_t *hashes, unsigned n)
{
	const struct cache_entry *entry;

	if (cache->n_used < PREFETCH_ENTRIES)
		return;
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(&cache->tags[cache_set(cache, hashes[i]) * TAG_WORDS]);
	for (unsigned i = 0; i < n; i++) {
		entry = cache_guess(cache, hashes[i]);
		if (!entry)
			continue;
		rte_prefetch0(entry);
		rte_prefetch0((const uint8_t *)entry + RTE_CACHE_LINE_SIZE);
	}
	for (unsigned i = 0; i < n; i++) {
		entry = cache_guess(cache, hashes[i]);
		if (entry)
			rte_prefetch0(cache_path(cache, entry));
	}
}

static inline bool
entry_is_current(const struct cache *cache, const struct pipeline *pipeline,
                 struct cache_entry *entry, const uint64_t *words)
{
	if (likely(entry->generation == pipeline->generation))
		return true;
	if (changes_concern(pipeline, entry->generation,
	                    path_store_trail(&cache->paths, entry->path), words))
		return false;
	entry->generation = pipeline->generation;
	return true;
}

struct cache_entry *
cache_find(struct cache *cache, const struct pipeline *pipeline, const uint64_t *words,
           uint32_t hash)
{
	struct cache_entry *entry = cache_find_any(cache, pipeline, words, hash);

	if (unlikely(!entry) || !entry_is_current(cache, pipeline, entry, words))
		return NULL;
	entry->hit_clock = cache->clock;
	return entry;
}

bool
cache_entry_read(struct cache *cache, const struct pipeline *pipeline,
                 struct cache_entry *entry, uint64_t words[FLOW_PACKET_WORDS])
{
	if (entry->layout != pipeline->layout)
		return false;
	for (unsigned i = 0; i < pipeline->n_words; i++)
		words[i] = i < CACHE_KEY_WORDS
		                   ? entry->key[i]
		                   : cache->rests[entry->rest].words[i - CACHE_KEY_WORDS];
	return entry_is_current(cache, pipeline, entry, words);
}

/* ---- insertion ---- */

static struct cache_entry *
cache_victim(struct cache *cache, uint32_t hash, uint64_t layout)
{
	struct cache_entry *set = &cache->entries[cache_set(cache, hash) * WAYS];
	struct cache_entry *victim = &set[0];

	for (unsigned i = 0; i < WAYS; i++)
		if (!set[i].layout)
			return &set[i];
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].layout != layout)
			return &set[i];
		if (cache->clock - set[i].hit_clock > cache->clock - victim->hit_clock)
			victim = &set[i];
	}
	atomic_store_explicit(&cache->n_evicted, cache_n_evicted(cache) + 1,
	                      memory_order_relaxed);
	return victim;
}

/* Makes the entry an empty one. */
static void
entry_clear(struct cache *cache, struct cache_entry *entry)
{
	if (entry->layout) {
		cache_flush_entry(cache, entry);
		path_store_unref(&cache->paths, entry->path);
		rest_give_back(cache, entry->rest);
		cache->n_used--;
	}
	memset(entry, 0, sizeof(*entry));
	cache_set_tag(cache, (uint32_t)(entry - cache->entries), 0);
}

/* Some entries give up what is scarce: long keys and paths. In turns, those of former
 * layouts as well, which nothing else may push out. */
static void
cache_sweep(struct cache *cache)
{
	for (unsigned i = 0; i < SWEEP_ENTRIES; i++) {
		struct cache_entry *entry = &cache->entries[cache->hand];

		cache->hand = (cache->hand + 1) & (cache->n_entries - 1);
		if (entry->layout &&
		    (entry->rest != NO_REST || path_is_of_scarce_room(entry->path)))
			entry_clear(cache, entry);
	}
}

/* Takes over the path. */
static void
entry_fill(struct cache *cache, struct cache_entry *entry,
           const struct pipeline *pipeline, const uint64_t *words, uint32_t hash,
           uint32_t path)
{
	unsigned n = pipeline->n_words, near = MIN_OF(n, CACHE_KEY_WORDS);
	uint32_t rest = n > near ? rest_take(cache) : NO_REST;

	if (n > near && rest == NO_REST) {
		path_store_unref(&cache->paths, path);
		cache_sweep(cache); /* for the next ones */
		return;
	}
	entry->layout = pipeline->layout;
	entry->generation = pipeline->generation;
	entry->hash = hash;
	entry->path = path;
	entry->rest = rest;
	entry->hit_clock = cache->clock++;
	memcpy(entry->key, words, near * sizeof(words[0]));
	if (n > near)
		memcpy(cache->rests[rest].words, words + near,
		       (n - near) * sizeof(words[0]));
	cache_set_tag(cache, (uint32_t)(entry - cache->entries), hash_tag(hash));
	cache->n_used++;
}

void
cache_insert(struct cache *cache, const struct pipeline *pipeline, const uint64_t *words,
             uint32_t hash, const struct walk *walk)
{
	uint16_t *seen = &cache->seen[hash & (SEEN_PER_ENTRY * cache->n_entries - 1)];
	uint16_t mark = (uint16_t)((hash >> 16) ^ (pipeline->layout * 0x9e37)) | 1;
	struct cache_entry *entry = cache_find_any(cache, pipeline, words, hash);
	uint32_t path;

	if (!entry && *seen != mark) {
		*seen = mark;
		return;
	}
	path = path_store_share(&cache->paths, walk);
	if (path == PATH_NONE) {
		cache_sweep(cache);
		return;
	}
	if (entry && entry->path == path) {
		path_store_unref(&cache->paths, path);
		entry->generation = pipeline->generation;
		return;
	}
	if (!entry)
		entry = cache_victim(cache, hash, pipeline->layout);
	entry_clear(cache, entry);
	entry_fill(cache, entry, pipeline, words, hash, path);
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

/* ---- memory: main ---- */

/* Zeroed, and present: a worker must not wait for the kernel to find a page. */
static void *
memory_take(size_t bytes, int numa_node)
{
	uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, bytes, MADV_HUGEPAGE);
	if (numa_node >= 0 && numa_available() >= 0)
		numa_tonode_memory(memory, bytes, numa_node);
	for (size_t at = 0; at < bytes; at += PAGE_BYTES)
		*(volatile uint8_t *)(memory + at) = 0;
	return memory;
}

struct cache *
cache_create(unsigned worker_id, int numa_node, uint32_t n_entries)
{
	uint32_t n_rests = MIN_OF(n_entries, RESTS_MAX);
	size_t entries_at = RTE_CACHE_LINE_ROUNDUP(sizeof(struct cache));
	size_t paths_at = entries_at + n_entries * sizeof(struct cache_entry);
	size_t tags_at = paths_at + path_store_bytes(n_entries);
	size_t seen_at, rests_at, bytes;
	struct cache *cache;
	uint8_t *memory;

	tags_at = RTE_CACHE_LINE_ROUNDUP(tags_at);
	seen_at = tags_at + n_entries * sizeof(uint16_t);
	rests_at = seen_at + SEEN_PER_ENTRY * n_entries * sizeof(uint16_t);
	bytes = rests_at + n_rests * sizeof(struct key_rest);
	memory = memory_take(bytes, numa_node);
	if (!memory)
		return NULL;
	cache = (struct cache *)(void *)memory;
	cache->worker_id = worker_id;
	cache->n_entries = n_entries;
	cache->bytes = bytes;
	cache->entries = (struct cache_entry *)(void *)(memory + entries_at);
	cache->tags = (uint64_t *)(void *)(memory + tags_at);
	cache->seen = (uint16_t *)(void *)(memory + seen_at);
	cache->rests = (struct key_rest *)(void *)(memory + rests_at);
	cache->n_rests = n_rests;
	cache->first_free_rest = NO_REST;
	path_store_init(&cache->paths, memory + paths_at, n_entries);
	return cache;
}

void
cache_destroy(struct cache *cache)
{
	if (cache)
		munmap(cache, cache->bytes);
}
