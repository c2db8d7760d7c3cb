/* cache.h - a worker's flow cache: the masked key of a packet -> its program. Exact
 * match, one mask per kind of packet, bounded: traffic cannot make it slow. Owner worker
 * only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/table.h"
#include "net/flow_key.h"

struct cache;

/* Main, before the worker starts; on its NUMA node. NULL if there is no memory. */
struct cache *cache_create(int numa_node);
void cache_destroy(struct cache *cache);

uint32_t cache_hash(const struct flow_key *masked);

/* The program of 'masked' under this pipeline generation, or NULL. Valid until the next
 * cache_insert(). */
const struct program *cache_find(struct cache *cache, const struct flow_key *masked,
                                 uint32_t hash, uint64_t generation);

/* Offers an entry; it is taken when its flow is seen for the second time, so that a scan
 * of many flows pushes out nobody. */
void cache_insert(struct cache *cache, const struct flow_key *masked, uint32_t hash,
                  uint64_t generation, const struct program *program);
