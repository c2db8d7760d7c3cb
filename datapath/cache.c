/* cache.c - sets of four ways behind one hash; second touch enters, the least recently
 * hit way leaves. Programs are shared: flows that do the same point to one copy. */
#include "datapath/cache.h"

#include <string.h>

#include <rte_hash_crc.h>
#include <rte_malloc.h>

#define CACHE_SETS     4096 /* power of two */
#define CACHE_WAYS     4
#define DOORKEEPER     16384 /* hashes of flows seen once; power of two */
#define PROGRAMS_MAX   1024  /* distinct programs; power of two */
#define PROGRAM_PROBES 4

struct cache_entry {
	struct flow_key key;
	uint64_t generation; /* 0 = empty */
	uint32_t hash;
	uint16_t program;
	uint16_t hit_clock;
};

struct cache_program {
	uint64_t generation;
	struct program program;
};

struct cache {
	uint16_t clock; /* counts inserts */
	uint16_t seen[DOORKEEPER];
	struct cache_entry sets[CACHE_SETS][CACHE_WAYS];
	struct cache_program programs[PROGRAMS_MAX];
};

struct cache *
cache_create(int numa_node)
{
	return rte_zmalloc_socket("flow cache", sizeof(struct cache), RTE_CACHE_LINE_SIZE,
	                          numa_node < 0 ? SOCKET_ID_ANY : numa_node);
}

void
cache_destroy(struct cache *cache)
{
	rte_free(cache);
}

uint32_t
cache_hash(const struct flow_key *masked)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		hash = rte_hash_crc_8byte(masked->words[i], hash);
	return hash;
}

const struct program *
cache_find(struct cache *cache, const struct flow_key *masked, uint32_t hash,
           uint64_t generation)
{
	struct cache_entry *set = cache->sets[hash & (CACHE_SETS - 1)];

	for (unsigned i = 0; i < CACHE_WAYS; i++) {
		struct cache_entry *entry = &set[i];

		if (entry->hash == hash && entry->generation == generation &&
		    !memcmp(&entry->key, masked, sizeof(*masked))) {
			if (entry->hit_clock != cache->clock)
				entry->hit_clock = cache->clock;
			return &cache->programs[entry->program].program;
		}
	}
	return NULL;
}

/* The slot that holds a copy of 'program'; PROGRAMS_MAX if there is no room. A slot of an
 * older generation is free: no entry that is still valid points to it. */
static unsigned
cache_share_program(struct cache *cache, const struct program *program,
                    uint64_t generation)
{
	size_t bytes = program->n * sizeof(program->actions[0]);
	uint32_t hash = program->n;

	for (uint8_t i = 0; i < program->n; i++)
		hash = rte_hash_crc_8byte((uint64_t)program->actions[i].type << 32 |
		                                  program->actions[i].value,
		                          hash);
	for (unsigned probe = 0; probe < PROGRAM_PROBES; probe++) {
		unsigned i = (hash + probe) & (PROGRAMS_MAX - 1);
		struct cache_program *slot = &cache->programs[i];

		if (slot->generation != generation) {
			slot->generation = generation;
			slot->program = *program;
			return i;
		}
		if (slot->program.n == program->n &&
		    !memcmp(slot->program.actions, program->actions, bytes))
			return i;
	}
	return PROGRAMS_MAX;
}

static struct cache_entry *
cache_victim(const struct cache *cache, struct cache_entry *set, uint64_t generation)
{
	struct cache_entry *victim = &set[0];

	for (unsigned i = 0; i < CACHE_WAYS; i++) {
		if (set[i].generation != generation)
			return &set[i];
		if ((uint16_t)(cache->clock - set[i].hit_clock) >
		    (uint16_t)(cache->clock - victim->hit_clock))
			victim = &set[i];
	}
	return victim;
}

void
cache_insert(struct cache *cache, const struct flow_key *masked, uint32_t hash,
             uint64_t generation, const struct program *program)
{
	uint16_t *seen = &cache->seen[hash & (DOORKEEPER - 1)];
	uint16_t mark = (uint16_t)((hash >> 16) ^ (generation * 0x9e37)) | 1;
	struct cache_entry *entry;
	unsigned shared;

	if (*seen != mark) {
		*seen = mark;
		return;
	}
	shared = cache_share_program(cache, program, generation);
	if (shared == PROGRAMS_MAX)
		return;
	entry = cache_victim(cache, cache->sets[hash & (CACHE_SETS - 1)], generation);
	entry->key = *masked;
	entry->generation = generation;
	entry->hash = hash;
	entry->program = (uint16_t)shared;
	entry->hit_clock = cache->clock++;
}
