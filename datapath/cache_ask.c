/* cache_ask.c - has workers look through their flow caches, a part at a time. Between
 * rule.c, trace.c and cache.c. Main; steps run on workers. */
#include "datapath/cache_ask.h"

#include <string.h>

#include "datapath/bridge.h"
#include "datapath/cache.h"
#include "datapath/ruleset.h"
#include "datapath/worker.h"

/* Entries of one call on the worker, a rule that is counted as much as 4: some 10 us. */
#define FLUSH_STEP      2048U
#define COPY_STEP       1024U
#define FLUSH_PERIOD_NS 5000000ULL

/* How far a flush has come. */
struct cache_flush {
	uint32_t next;
};

static bool
cache_flush_step(struct worker *worker, void *arg)
{
	struct cache_flush *flush = arg;
	struct cache *cache = worker->cache;
	unsigned done = 0;

	for (; flush->next < cache_n_entries() && done < FLUSH_STEP; flush->next++) {
		struct cache_entry *entry = cache_entry_at(cache, flush->next);

		done++;
		if (entry->layout)
			done += 4 * cache_flush_entry(cache, entry);
	}
	return flush->next < cache_n_entries();
}

void
caches_flush_counts(void)
{
	static uint64_t last_ns;
	uint64_t now_ns;

	if (!dp_is_running())
		return;
	now_ns = dp_time_ns();
	if (now_ns - last_ns < FLUSH_PERIOD_NS)
		return;
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		struct cache_flush flush = {0};

		if (workers[i])
			worker_call(workers[i], cache_flush_step, &flush);
	}
	last_ns = dp_time_ns();
}

struct cache_copying {
	const struct bridge *bridge;
	uint32_t next, end;
	struct cache_copy *copies;
	unsigned n, max;
};

static void
entry_copy(struct cache *cache, const struct pipeline *pipeline,
           const struct cache_entry *entry, struct cache_copy *copy)
{
	const struct path *path = cache_path(cache, entry);

	memset(&copy->key, 0, sizeof(copy->key));
	for (unsigned i = 0; i < pipeline->n_words; i++)
		copy->key.words[pipeline->words[i]] = entry->key[i];
	copy->packets = entry->packets;
	copy->bytes = entry->bytes;
	copy->used_ns = entry->used_ns;
	copy->program_bytes = path->bytes;
	copy->drop = path->drop;
	memcpy(copy->program, path_program(path), path->bytes);
}

static bool
cache_copy_step(struct worker *worker, void *arg)
{
	struct cache_copying *copying = arg;
	struct cache *cache = worker->cache;
	const struct pipeline *pipeline =
		atomic_load_explicit(&copying->bridge->pipeline, memory_order_acquire);

	for (; copying->next < copying->end && copying->n < copying->max;
	     copying->next++) {
		struct cache_entry *entry = cache_entry_at(cache, copying->next);

		if (cache_entry_is_current(cache, pipeline, entry))
			entry_copy(cache, pipeline, entry,
			           &copying->copies[copying->n++]);
	}
	return false;
}

unsigned
cache_copy_entries(struct worker *worker, const struct bridge *bridge, uint32_t *next,
                   struct cache_copy *copies, unsigned n)
{
	struct cache_copying copying = {
		.bridge = bridge, .next = *next, .copies = copies, .max = n};

	while (copying.n == 0 && copying.next < cache_n_entries()) {
		copying.end = MIN_OF(copying.next + COPY_STEP, cache_n_entries());
		worker_call(worker, cache_copy_step, &copying);
	}
	*next = copying.next;
	return copying.n;
}
