/* hmap.h - intrusive chained hash map that grows; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct hmap_node {
	struct hmap_node *next;
	uint32_t hash;
};

struct hmap {
	struct hmap_node **buckets;
	size_t mask; /* number of buckets - 1; buckets is NULL until the first insert */
	size_t count;
};

#define HMAP_INIT          \
	{                  \
		NULL, 0, 0 \
	}

void hmap_init(struct hmap *map);

/* Frees the bucket array only: the nodes are their owner's. */
void hmap_destroy(struct hmap *map);

void hmap_insert(struct hmap *map, struct hmap_node *node, uint32_t hash);
void hmap_remove(struct hmap *map, struct hmap_node *node);

/* First node with exactly 'hash', or NULL; continue with hmap_next_with_hash(). */
struct hmap_node *hmap_first_with_hash(const struct hmap *map, uint32_t hash);
struct hmap_node *hmap_next_with_hash(const struct hmap_node *node);

/* Order of iteration is unspecified. */
struct hmap_node *hmap_first(const struct hmap *map);
struct hmap_node *hmap_next(const struct hmap *map, const struct hmap_node *node);

/* Goes through a map that may change in between: the nodes of one bucket, the others by
 * their 'next', and '*position' moves on. It begins with 0, and is 0 again after the last
 * bucket. What is in the map all the time is met once, however much the map grows. */
struct hmap_node *hmap_bucket_at(const struct hmap *map, size_t *position);

uint32_t hash_bytes(const void *data, size_t n, uint32_t basis);
uint32_t hash_string(const char *s, uint32_t basis);
uint32_t hash_u64(uint64_t value, uint32_t basis);

#define HMAP_ENTRY(node, iter, member) \
	((node) ? CONTAINER_OF(node, __typeof__(*(iter)), member) : NULL)

#define HMAP_FOR_EACH_WITH_HASH(iter, member, h, map)                      \
	for (struct hmap_node *node_##iter = hmap_first_with_hash(map, h); \
	     ((iter) = HMAP_ENTRY(node_##iter, iter, member)) != NULL;     \
	     node_##iter = hmap_next_with_hash(node_##iter))

/* The body may remove and free 'iter', but nothing else. */
#define HMAP_FOR_EACH(iter, member, map)                                           \
	for (struct hmap_node *node_##iter = hmap_first(map), *next_##iter;        \
	     node_##iter && ((next_##iter = hmap_next(map, node_##iter)), 1) &&    \
	     ((iter) = CONTAINER_OF(node_##iter, __typeof__(*(iter)), member), 1); \
	     node_##iter = next_##iter)
