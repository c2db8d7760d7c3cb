/* pipeline.c - READ FIRST: what happens to a batch of packets from a port to its outputs.
 * poll.c -> here -> walk.c (on a miss of cache.c) -> action.c -> output.c. Worker
 * threads.
 */
#include "datapath/pipeline.h"

#include <rte_hash_crc.h>

#include "base/compiler.h"
#include "datapath/action.h"
#include "datapath/bridge.h"
#include "datapath/cache.h"
#include "datapath/normal.h"
#include "datapath/output.h"
#include "datapath/police.h"
#include "datapath/port/patch.h"
#include "datapath/port/port.h"
#include "datapath/ruleset.h"
#include "datapath/walk.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

_Atomic bool pipeline_needs_hash;

/* Behind how many bytes of VLAN tags, at most two, the packet's type is. */
static uint32_t
pipeline_tag_bytes(const uint8_t *data, uint32_t length)
{
	uint32_t tags = 0;

	while (tags < 8 && length >= 18 + tags &&
	       ((data[12 + tags] == 0x81 && data[13 + tags] == 0x00) ||
	        (data[12 + tags] == 0x88 && data[13 + tags] == 0xa8)))
		tags += 4;
	return tags;
}

/* Reads only bytes that the first segment has. */
uint32_t
pipeline_flow_hash(const struct rte_mbuf *pkt)
{
	const uint8_t *data = rte_pktmbuf_mtod(pkt, const uint8_t *), *frame;
	uint32_t length = pkt->data_len, hash, from = 0, bytes = 14;
	uint32_t tags = pipeline_tag_bytes(data, length);
	uint64_t word;

	frame = data + tags; /* as if there were no tags, but for the addresses */
	length -= tags;
	if (length >= 34 && frame[12] == 0x08 && frame[13] == 0x00) {
		/* IPv4: addresses; ports too, unless it is a fragment. */
		bool is_fragment = (frame[20] & 0x3f) | frame[21];
		bool has_ports = !is_fragment && frame[14] == 0x45 && length >= 38;

		from = tags + 26;
		bytes = has_ports && (frame[23] == 6 || frame[23] == 17) ? 12 : 8;
	} else if (length >= 58 && frame[12] == 0x86 && frame[13] == 0xdd) {
		from = tags + 22;
		bytes = frame[20] == 6 || frame[20] == 17 ? 36 : 32;
	} else if (length < 14) {
		bytes = 0;
	}
	hash = bytes;
	for (; bytes >= 8; bytes -= 8, from += 8) {
		memcpy(&word, data + from, sizeof(word));
		hash = rte_hash_crc_8byte(word, hash);
	}
	for (; bytes >= 4; bytes -= 4, from += 4) {
		uint32_t half;

		memcpy(&half, data + from, sizeof(half));
		hash = rte_hash_crc_4byte(half, hash);
	}
	return hash ^ hash >> 16;
}

/* Reads a packet's headers. */
static void
pipeline_parse(const struct port *in, const struct rte_mbuf *pkt, struct flow_key *key)
{
	flow_parse(rte_pktmbuf_mtod(pkt, const uint8_t *), pkt->data_len, pkt->pkt_len,
	           key);
	key->f.in_port = bridge_port_number(in);
	key->f.packet_mark = packet_mark(pkt);
}

/* Carries out what a walk came to on one packet, and counts it. */
static void
pipeline_carry_out(struct worker *worker, struct port *in, const struct walk *walk,
                   struct rte_mbuf *pkt)
{
	for (uint32_t i = 0; i < walk->n_tallies; i++)
		tally_count(worker->id, walk->tallies[i], 1, pkt->pkt_len,
		            worker->now_ns);
	if (walk->bytes)
		action_execute(worker, in, walk->program, walk->bytes, &pkt, 1);
	else
		port_drop(in, worker, walk->drop, &pkt, 1);
}

/* A packet that the cache does not know. */
static void
pipeline_walk(struct worker *worker, struct port *in, const struct pipeline *pipeline,
              const uint64_t *words, uint32_t hash, struct rte_mbuf *pkt)
{
	struct walk *walk = cache_take_walk(worker->cache);
	struct flow_key masked;

	if (unlikely(!walk)) {
		port_drop(in, worker, DROP_RX_TOO_MANY_RESUBMITS, &pkt, 1);
		return;
	}
	memset(&masked, 0, sizeof(masked));
	masked.f.actset_output = FLOW_PORT_UNSET;
	for (unsigned i = 0; i < pipeline->n_words; i++)
		masked.words[pipeline->words[i]] = words[i];
	worker->stats.pipeline_walks++;
	walk_packet(walk, pipeline, &masked, pkt->pkt_len);
	if (likely(walk->is_cacheable))
		cache_insert(worker->cache, pipeline, words, hash, walk);
	pipeline_carry_out(worker, in, walk, pkt);
	cache_return_walk(worker->cache);
}

static void
pipeline_run(struct worker *worker, struct port *in, const struct path *path,
             struct rte_mbuf **pkts, unsigned n)
{
	if (n == 0)
		return;
	if (path->bytes)
		action_execute(worker, in, path_program(path), path->bytes, pkts, n);
	else
		port_drop(in, worker, path->drop, pkts, n);
}

/* Runs of packets with the same path are carried out together. A walk ends the run before
 * it, because what it puts into the cache may push out the run's path. */
static void
pipeline_classify(struct worker *worker, struct port *in, const struct pipeline *pipeline,
                  struct rte_mbuf **pkts, unsigned n)
{
	const struct path *path, *run = NULL;
	uint64_t keys[BATCH_MAX * FLOW_PACKET_WORDS], *words = keys;
	uint32_t hashes[BATCH_MAX] = {0};
	struct flow_key key;
	unsigned first = 0;

	for (unsigned i = 0; i < n; i++) {
		pipeline_parse(in, pkts[i], &key);
		hashes[i] = cache_key(pipeline, &key, words);
		words += pipeline->n_words;
	}
	cache_prefetch(worker->cache, hashes, n);
	words = keys;
	for (unsigned i = 0; i < n; i++, words += pipeline->n_words) {
		struct cache_entry *entry =
			cache_find(worker->cache, pipeline, words, hashes[i]);

		if (unlikely(!entry)) {
			pipeline_run(worker, in, run, pkts + first, i - first);
			first = i + 1;
			pipeline_walk(worker, in, pipeline, words, hashes[i], pkts[i]);
			continue;
		}
		worker->stats.cache_hits++;
		entry->packets++;
		entry->bytes += pkts[i]->pkt_len;
		entry->used_ns = worker->now_ns;
		path = cache_path(worker->cache, entry);
		if (path != run) {
			pipeline_run(worker, in, run, pkts + first, i - first);
			first = i;
			run = path;
		}
	}
	pipeline_run(worker, in, run, pkts + first, n - first);
}

void
pipeline_resume(struct worker *worker, struct port *in, const struct program_walk *record,
                struct rte_mbuf **pkts, unsigned n)
{
	const struct pipeline *pipeline =
		atomic_load_explicit(&in->bridge->pipeline, memory_order_acquire);
	struct walk *walk = cache_take_walk(worker->cache);
	struct flow_key key;

	if (unlikely(!walk)) {
		port_drop(in, worker, DROP_RX_TOO_MANY_RESUBMITS, pkts, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		pipeline_parse(in, pkts[i], &key);
		worker->stats.pipeline_walks++;
		walk_resume(walk, pipeline, &key, pkts[i]->pkt_len, record);
		pipeline_carry_out(worker, in, walk, pkts[i]);
	}
	cache_return_walk(worker->cache);
}

/* What tables see of a packet that main sends. */
static void
pipeline_parse_sent(const struct port *in, const struct flow_key *given,
                    const struct rte_mbuf *pkt, struct flow_key *key)
{
	uint64_t state[PROGRAM_STATE_WORDS];

	pipeline_parse(in, pkt, key);
	key->f.in_port = given->f.in_port;
	program_save_state(state, given);
	program_restore_state(key, state);
}

void
walk_packet_out(struct worker *worker, struct port *in, const struct flow_key *key,
                const void *actions, size_t bytes, struct rte_mbuf *pkt)
{
	const struct pipeline *pipeline =
		atomic_load_explicit(&in->bridge->pipeline, memory_order_acquire);
	struct walk *walk = cache_take_walk(worker->cache);
	struct flow_key whole;

	if (unlikely(!walk)) {
		port_drop(in, worker, DROP_RX_TOO_MANY_RESUBMITS, &pkt, 1);
		return;
	}
	pipeline_parse_sent(in, key, pkt, &whole);
	whole.f.actset_output = FLOW_PORT_UNSET;
	walk_actions(walk, pipeline, &whole, pkt->pkt_len, actions, bytes);
	pipeline_carry_out(worker, in, walk, pkt);
	cache_return_walk(worker->cache);
}

/* Looks up, acts. */
static void
pipeline_forward(struct worker *worker, struct port *in, struct rte_mbuf **pkts,
                 unsigned n)
{
	const struct pipeline *pipeline =
		atomic_load_explicit(&in->bridge->pipeline, memory_order_acquire);
	uint64_t bytes = 0;

	if (unlikely(!pipeline->is_fixed)) {
		pipeline_classify(worker, in, pipeline, pkts, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	tally_count(worker->id, pipeline->fixed_tally, n, bytes, worker->now_ns);
	normal_forward(worker, in, pkts, n);
}

void
walk_packet_resumed(struct worker *worker, struct port *in, const struct flow_key *key,
                    const struct program_walk *record, struct rte_mbuf *pkt)
{
	const struct pipeline *pipeline =
		atomic_load_explicit(&in->bridge->pipeline, memory_order_acquire);
	struct walk *walk = cache_take_walk(worker->cache);
	struct flow_key whole;

	if (unlikely(!walk)) {
		port_drop(in, worker, DROP_RX_TOO_MANY_RESUBMITS, &pkt, 1);
		return;
	}
	pipeline_parse_sent(in, key, pkt, &whole);
	worker->stats.pipeline_walks++;
	walk_resume(walk, pipeline, &whole, pkt->pkt_len, record);
	pipeline_carry_out(worker, in, walk, pkt);
	cache_return_walk(worker->cache);
}

void
pipeline_process(struct worker *worker, struct port *in, struct rte_mbuf **pkts,
                 unsigned n)
{
	const struct port_settings *settings =
		atomic_load_explicit(&in->settings, memory_order_acquire);
	bool needs_hash =
		atomic_load_explicit(&pipeline_needs_hash, memory_order_relaxed);

	if (unlikely(settings->is_policed))
		n = police_packets(worker, in, settings, pkts, n);
	for (unsigned i = 0; i < n; i++) {
		struct packet_meta *meta = packet_meta(pkts[i]);

		meta->item.class_ref = settings->class_number;
		meta->item.flow_hash = needs_hash ? pipeline_flow_hash(pkts[i]) : 0;
		packet_set_mark(pkts[i], 0);
		packet_set_hops(pkts[i], 0);
	}
	pipeline_forward(worker, in, pkts, n);
}

/* Takes a batch that comes from another bridge, by the patch port 'in': with its mark,
 * and the class that it was given there, unless 'in' has one. */
static void
pipeline_continue(struct worker *worker, struct port *in, struct rte_mbuf **pkts,
                  unsigned n)
{
	const struct port_settings *settings =
		atomic_load_explicit(&in->settings, memory_order_acquire);

	if (unlikely(settings->is_policed))
		n = police_packets(worker, in, settings, pkts, n);
	for (unsigned i = 0; i < n && settings->class_number != PACKET_CLASS_NONE; i++)
		packet_meta(pkts[i])->item.class_ref = settings->class_number;
	pipeline_forward(worker, in, pkts, n);
}

void
pipeline_finish(struct worker *worker)
{
	struct rte_mbuf *pkts[BATCH_MAX];
	struct port *in;
	unsigned n;

	output_flush(worker);
	/* PATCH_HOPS_MAX and the queue's length bound it. */
	while ((n = patch_take(worker, &in, pkts)) > 0) {
		pipeline_continue(worker, in, pkts, n);
		output_flush(worker);
	}
}
