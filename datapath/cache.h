/* cache.h - a worker's flow cache: the bits of a packet that rules read -> what the walk
 * came to. Exact match, one mask, bounded: traffic cannot make it slow. Each entry counts
 * its packets; rules' counters are made up of these. Owner worker only, but for what says
 * main; cache_ask.h has the worker asked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/drop.h"
#include "datapath/ruleset.h"
#include "datapath/walk_state.h"
#include "net/flow_key.h"

struct cache;

#define CACHE_WALKS_MAX 4 /* walks that wait for each other: headers read again */

/* A program and who counts its packets; entries that do the same share one. */
struct path {
	uint32_t hash, next; /* in a chain of paths of similar hashes */
	uint32_t users;      /* entries */
	uint32_t bytes, n_tallies;
	enum drop_reason drop; /* of an empty program */
	struct tally_ref tallies[];
	/* then the program */
};

static inline const void *
path_program(const struct path *path)
{
	return &path->tallies[path->n_tallies];
}

struct cache_entry {
	uint64_t layout;     /* of the pipelines that it is for; 0 = empty */
	uint64_t generation; /* of the last one that it is known to be right for */
	uint32_t hash;
	uint32_t path; /* number; PATH_NONE = none */
	uint64_t packets, bytes, used_ns;
	uint64_t hit_clock;
	uint64_t key[FLOW_PACKET_WORDS];
	uint64_t counted_packets, counted_bytes; /* with the rules */
} CACHE_ALIGNED;

/* ---- main ---- */

/* Before the worker starts; on its NUMA node. NULL if there is no memory. */
struct cache *cache_create(unsigned worker_id, int numa_node);
/* After it has ended; what it counted stays with the rules. NULL is fine. */
void cache_destroy(struct cache *cache);

/* ---- the worker ---- */

/* The packet's words as far as they are read. Returns the hash. */
uint32_t cache_key(const struct pipeline *pipeline, const struct flow_key *key,
                   uint64_t words[FLOW_PACKET_WORDS]);

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

/* Whether the entry is one of this pipeline's. */
bool cache_entry_is_current(const struct cache *cache, const struct pipeline *pipeline,
                            struct cache_entry *entry);

/* Entries by number, for who looks at all of them: a bounded number at a time. */
uint32_t cache_n_entries(void);
struct cache_entry *cache_entry_at(struct cache *cache, uint32_t number);

/* Tells the rules what the entry counted since the last time; returns how many. */
unsigned cache_flush_entry(struct cache *cache, struct cache_entry *entry);
