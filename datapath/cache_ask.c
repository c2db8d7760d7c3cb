/* cache_ask.c - has workers look through their flow caches, a part at a time: what they
 * counted, and what they hold; and replaces those that are too small. Between rule.c and
 * cache.c. Main; steps run on workers. */
#include "datapath/cache_ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/cache.h"
#include "datapath/flow_text.h"
#include "datapath/ruleset.h"
#include "datapath/worker.h"

LOG_MODULE(cache);

/* Entries of one call on the worker, a rule that is counted as much as 4: some 10 us. */
#define FLUSH_STEP      2048U
#define COPY_STEP       1024U
#define DUMP_COPIES     32
#define FLUSH_PERIOD_NS 5000000ULL
/* A cache of which a fourth had to give way within a second is too small for its flows.
 */
#define GROW_EVICTED(n) ((n) / 4)
#define GROW_FACTOR     4

/* How far a flush has come. */
struct cache_flush {
	struct cache *cache; /* NULL = the worker's own */
	uint32_t next;
};

static bool
cache_flush_step(struct worker *worker, void *arg)
{
	struct cache_flush *flush = arg;
	struct cache *cache = flush->cache ? flush->cache : worker->cache;
	unsigned done = 0;

	for (; flush->next < cache_n_entries(cache) && done < FLUSH_STEP; flush->next++) {
		struct cache_entry *entry = cache_entry_at(cache, flush->next);

		done++;
		if (entry->layout)
			done += 4 * cache_flush_entry(cache, entry);
	}
	return flush->next < cache_n_entries(cache);
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

/* ---- growth ---- */

/* The worker takes the new one and leaves its old one there. */
static bool
cache_swap_step(struct worker *worker, void *arg)
{
	struct cache **other = arg, *old = worker->cache;

	worker->cache = *other;
	*other = old;
	return false;
}

/* To a cache of that many entries, without what is in the present one. */
static void
cache_replace(struct worker *worker, uint32_t n_entries)
{
	struct cache *cache = cache_create(worker->id, worker->numa_node, n_entries);
	struct cache_flush flush = {0};

	if (!cache)
		return;
	worker_call(worker, cache_swap_step, &cache);
	flush.cache = cache;
	worker_call(worker, cache_flush_step, &flush);
	cache_destroy(cache);
	log_info("worker %u: room for %u flows in its cache", worker->id, n_entries);
}

void
caches_grow(void)
{
	static uint64_t evicted[DP_WORKERS_MAX];

	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		uint64_t before = evicted[i];
		uint32_t n;

		evicted[i] = 0;
		if (!workers[i])
			continue;
		n = cache_n_entries(workers[i]->cache);
		evicted[i] = cache_n_evicted(workers[i]->cache);
		if (evicted[i] < before + GROW_EVICTED(n) || n >= CACHE_ENTRIES_MAX)
			continue;
		cache_replace(workers[i], MIN_OF(GROW_FACTOR * n, CACHE_ENTRIES_MAX));
		evicted[i] = 0;
	}
}

/* ---- copies ---- */

struct cache_copying {
	const struct bridge *bridge;
	uint32_t next, end;
	struct cache_copy *copies;
	unsigned n, max;
};

static void
entry_copy(struct cache *cache, const struct pipeline *pipeline,
           const struct cache_entry *entry, const uint64_t *words,
           struct cache_copy *copy)
{
	const struct path *path = cache_path(cache, entry);

	memset(&copy->key, 0, sizeof(copy->key));
	for (unsigned i = 0; i < pipeline->n_words; i++)
		copy->key.words[pipeline->words[i]] = words[i];
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
		uint64_t words[FLOW_PACKET_WORDS];

		if (cache_entry_read(cache, pipeline, entry, words))
			entry_copy(cache, pipeline, entry, words,
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

	while (copying.n == 0 && copying.next < cache_n_entries(worker->cache)) {
		copying.end =
			MIN_OF(copying.next + COPY_STEP, cache_n_entries(worker->cache));
		worker_call(worker, cache_copy_step, &copying);
	}
	*next = copying.next;
	return copying.n;
}

struct cache_count {
	const struct pipeline *pipelines[BRIDGES_MAX]; /* by ascending layout */
	unsigned n_pipelines;
	uint32_t next;
	size_t n;
};

static int
layout_compare(const void *a, const void *b)
{
	uint64_t x = (*(const struct pipeline *const *)a)->layout;
	uint64_t y = (*(const struct pipeline *const *)b)->layout;

	return x < y ? -1 : x > y;
}

static const struct pipeline *
count_find(const struct cache_count *count, uint64_t layout)
{
	unsigned low = 0, high = count->n_pipelines;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (count->pipelines[middle]->layout < layout)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count->n_pipelines && count->pipelines[low]->layout == layout
	               ? count->pipelines[low]
	               : NULL;
}

static bool
cache_count_step(struct worker *worker, void *arg)
{
	struct cache_count *count = arg;
	const struct pipeline *pipeline;
	uint64_t words[FLOW_PACKET_WORDS];

	for (unsigned i = 0;
	     i < COPY_STEP && count->next < cache_n_entries(worker->cache);
	     i++, count->next++) {
		struct cache_entry *entry = cache_entry_at(worker->cache, count->next);

		pipeline = count_find(count, entry->layout);
		count->n += pipeline &&
		            cache_entry_read(worker->cache, pipeline, entry, words);
	}
	return count->next < cache_n_entries(worker->cache);
}

size_t
dp_cache_count(void)
{
	struct cache_count count = {.n = 0};

	for (unsigned i = 0; i < BRIDGES_MAX; i++)
		if (bridges[i])
			count.pipelines[count.n_pipelines++] = bridges[i]->pipeline;
	qsort(count.pipelines, count.n_pipelines, sizeof(count.pipelines[0]),
	      layout_compare);
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		count.next = 0;
		if (workers[i])
			worker_call(workers[i], cache_count_step, &count);
	}
	return count.n;
}

void
dp_cache_dump(uint32_t bridge_id, unsigned worker, bool names,
              void (*cb)(const struct dp_cache_entry *, void *aux), void *aux)
{
	struct bridge *bridge = bridge_by_id(bridge_id);
	struct cache_copy *copies;
	struct dp_cache_entry *entry;
	struct str flow = STR_INIT, actions = STR_INIT;
	uint32_t next = 0;
	unsigned n;

	if (!bridge || worker >= DP_WORKERS_MAX || !workers[worker])
		return;
	copies = xcalloc(DUMP_COPIES, sizeof(*copies));
	entry = xcalloc(1, sizeof(*entry));
	while ((n = cache_copy_entries(workers[worker], bridge, &next, copies,
	                               DUMP_COPIES)) > 0) {
		for (unsigned i = 0; i < n; i++) {
			const struct cache_copy *copy = &copies[i];

			entry->match.key = copy->key;
			memset(&entry->match.mask, 0, sizeof(entry->match.mask));
			memcpy(&entry->match.mask, &bridge->pipeline->mask,
			       FLOW_PACKET_WORDS * sizeof(uint64_t));
			entry->packets = copy->packets;
			entry->bytes = copy->bytes;
			entry->used_ns = copy->used_ns;
			str_clear(&flow);
			str_clear(&actions);
			flow_text_match(&flow, bridge, names, &entry->match);
			flow_text_actions(&actions, bridge, &copy->key, names,
			                  copy->program, copy->program_bytes);
			entry->flow = str_text(&flow);
			entry->actions = str_text(&actions);
			entry->drop = copy->program_bytes ? NULL
			                                  : drop_reason_names[copy->drop];
			cb(entry, aux);
		}
	}
	str_free(&flow);
	str_free(&actions);
	free(entry);
	free(copies);
}
