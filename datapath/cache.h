/* cache.h - a worker's flow cache: the bits of a packet that rules read -> what the walk
 * came to. Exact match, one mask, bounded: traffic cannot make it slow. Each entry counts
 * its packets; rules' counters are made up of these. Owner worker only, but for what says
 * main; cache_ask.h has the worker asked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/path_store.h"
#include "datapath/ruleset.h"
#include "datapath/walk_state.h"
#include "net/flow_key.h"

struct cache;

#define CACHE_WALKS_MAX   4 /* walks that wait for each other: headers read again */
#define CACHE_KEY_WORDS   7 /* of most keys; the rest of longer ones is elsewhere */
#define CACHE_ENTRIES_MIN (1U << 15) /* both powers of two */
#define CACHE_ENTRIES_MAX (1U << 20)

/* Two cache lines. */
struct cache_entry {
	uint64_t layout;     /* of the pipelines that it is for; 0 = empty */
	uint64_t generation; /* of the last one that it is known to be right for */
	uint32_t path;       /* number */
	uint32_t rest;       /* of the key: number; UINT32_MAX = none */
	uint32_t hash;
	uint32_t hit_clock;
	uint64_t key[CACHE_KEY_WORDS];
	uint64_t packets, bytes, used_ns;
	uint64_t counted_packets, counted_bytes; /* with the rules */
} CACHE_ALIGNED;

/* ---- main ---- */

/* On the worker's NUMA node, but not yet its own; 'n_entries' is a power of two between
 * CACHE_ENTRIES_MIN and _MAX. NULL if there is no memory. */
struct cache *cache_create(unsigned worker_id, int numa_node, uint32_t n_entries);
/* The worker has ended, or has another one, and all entries are flushed. NULL is fine. */
void cache_destroy(struct cache *cache);

/* How many entries gave way to others since it was created. Any thread. */
uint64_t cache_n_evicted(const struct cache *cache);

/* ---- the worker ---- */

/* The packet's words as far as they are read. Returns the hash. */
uint32_t cache_key(const struct pipeline *pipeline, const struct flow_key *key,
                   uint64_t words[FLOW_PACKET_WORDS]);

/* Fetches into the processor's cache what finding these will read, if there is so much
 * that it pays. */
void cache_prefetch(const struct cache *cache, const uint32_t *hashes, unsigned n);

/* The entry of 'words', or NULL. Valid until the next cache_insert(). Entries that later
 * changes of the rules do not concern stay. */
struct cache_entry *cache_find(struct cache *cache, const struct pipeline *pipeline,
                               const uint64_t *words, uint32_t hash);

const struct path *cache_path(const struct cache *cache, const struct cache_entry *entry);

/* Offers what 'walk' came to; it is taken when its flow is seen for the second time, so
 * that a scan of many flows pushes out nobody, or has an entry that is out of date. */
void cache_insert(struct cache *cache, const struct pipeline *pipeline,
                  const uint64_t *words, uint32_t hash, const struct walk *walk);

/* Room for a walk; NULL: CACHE_WALKS_MAX of them are under way. */
struct walk *cache_take_walk(struct cache *cache);
void cache_return_walk(struct cache *cache);

/* Whether the entry is one of this pipeline's; if so, fills in its key. */
bool cache_entry_read(struct cache *cache, const struct pipeline *pipeline,
                      struct cache_entry *entry, uint64_t words[FLOW_PACKET_WORDS]);

/* Entries by number, for who looks at all of them: a bounded number at a time. How many
 * there are main may ask, too. */
uint32_t cache_n_entries(const struct cache *cache);
struct cache_entry *cache_entry_at(struct cache *cache, uint32_t number);

/* Tells the rules what the entry counted since the last time; returns how many. */
unsigned cache_flush_entry(struct cache *cache, struct cache_entry *entry);
