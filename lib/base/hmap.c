/* hmap.c - the hash map of the control plane: lists in buckets, doubled when full. */
#include "base/hmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HMAP_MIN_BUCKETS 8

void
hmap_init(struct hmap *map)
{
	memset(map, 0, sizeof(*map));
}

void
hmap_destroy(struct hmap *map)
{
	free(map->buckets);
	hmap_init(map);
}

static void
hmap_grow(struct hmap *map)
{
	size_t n = map->buckets ? (map->mask + 1) * 2 : HMAP_MIN_BUCKETS;
	struct hmap_node **buckets = xcalloc(n, sizeof(struct hmap_node *));

	for (size_t i = 0; map->buckets && i <= map->mask; i++) {
		struct hmap_node *node = map->buckets[i];

		while (node) {
			struct hmap_node *next = node->next;

			node->next = buckets[node->hash & (n - 1)];
			buckets[node->hash & (n - 1)] = node;
			node = next;
		}
	}
	free(map->buckets);
	map->buckets = buckets;
	map->mask = n - 1;
}

void
hmap_insert(struct hmap *map, struct hmap_node *node, uint32_t hash)
{
	if (!map->buckets || map->count > map->mask)
		hmap_grow(map);
	node->hash = hash;
	node->next = map->buckets[hash & map->mask];
	map->buckets[hash & map->mask] = node;
	map->count++;
}

void
hmap_remove(struct hmap *map, struct hmap_node *node)
{
	struct hmap_node **link = &map->buckets[node->hash & map->mask];

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	map->count--;
}

struct hmap_node *
hmap_first_with_hash(const struct hmap *map, uint32_t hash)
{
	struct hmap_node *node;

	if (!map->buckets)
		return NULL;
	node = map->buckets[hash & map->mask];
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hmap_node *
hmap_next_with_hash(const struct hmap_node *node)
{
	struct hmap_node *next = node->next;

	while (next && next->hash != node->hash)
		next = next->next;
	return next;
}

static struct hmap_node *
hmap_first_from(const struct hmap *map, size_t bucket)
{
	for (; map->buckets && bucket <= map->mask; bucket++)
		if (map->buckets[bucket])
			return map->buckets[bucket];
	return NULL;
}

struct hmap_node *
hmap_first(const struct hmap *map)
{
	return hmap_first_from(map, 0);
}

struct hmap_node *
hmap_next(const struct hmap *map, const struct hmap_node *node)
{
	return node->next ? node->next
	                  : hmap_first_from(map, (node->hash & map->mask) + 1);
}

/* The finalizer of MurmurHash3 (public domain): every input bit reaches every output bit.
 */
uint32_t
hash_u64(uint64_t value, uint32_t basis)
{
	value ^= (uint64_t)basis * 0x9e3779b97f4a7c15ULL;
	value ^= value >> 33;
	value *= 0xff51afd7ed558ccdULL;
	value ^= value >> 33;
	value *= 0xc4ceb9fe1a85ec53ULL;
	value ^= value >> 33;
	return (uint32_t)value;
}

/* Counts from the highest bit of the mask down: what a bucket is split into when the map
 * grows are neighbours in that order. */
struct hmap_node *
hmap_bucket_at(const struct hmap *map, size_t *position)
{
	size_t at = *position & map->mask, bit = (map->mask + 1) >> 1;
	struct hmap_node *node;

	*position = 0;
	if (!map->count)
		return NULL;
	node = map->buckets[at];
	for (; at & bit; bit >>= 1)
		at &= ~bit;
	*position = bit ? at | bit : 0;
	return node;
}

uint32_t
hash_bytes(const void *data, size_t n, uint32_t basis)
{
	const unsigned char *p = data;
	uint64_t word;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		basis = hash_u64(word, basis);
	}
	word = n;
	memcpy((char *)&word + 1, p, n);
	return hash_u64(word, basis);
}

uint32_t
hash_string(const char *s, uint32_t basis)
{
	return hash_bytes(s, strlen(s), basis);
}
