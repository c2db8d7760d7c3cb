/* pipeline.c - READ FIRST: what happens to a batch of packets from a port to its outputs.
 * poll.c -> here -> table.c (on a miss of cache.c) -> action.c -> output.c. Worker
 * threads. */
#include "datapath/pipeline.h"

#include <rte_hash_crc.h>

#include "base/compiler.h"
#include "datapath/action.h"
#include "datapath/bridge.h"
#include "datapath/cache.h"
#include "datapath/police.h"
#include "datapath/port/port.h"
#include "datapath/table.h"
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

/* The program of one packet: from the cache, else by a walk through the tables into
 * 'walked'. NULL: no rule, or no packet that can be read. */
static const struct program *
pipeline_look_up(struct worker *worker, struct port *in, const struct pipeline *pipeline,
                 const struct rte_mbuf *pkt, struct program *walked)
{
	struct flow_key key, masked;
	const struct program *program;
	enum flow_type type;
	uint32_t hash;

	type = flow_parse(rte_pktmbuf_mtod(pkt, const uint8_t *), pkt->data_len,
	                  pkt->pkt_len, &key);
	key.f.in_port = in->id;
	flow_key_mask(&masked, &key, &pipeline->masks[type]);
	hash = cache_hash(&masked);
	program = cache_find(worker->cache, &masked, hash, pipeline->generation);
	if (likely(program != NULL)) {
		worker->stats.cache_hits++;
		return program;
	}
	worker->stats.pipeline_walks++;
	if (!pipeline_walk(pipeline, &masked, walked))
		walked->n = 0;
	cache_insert(worker->cache, &masked, hash, pipeline->generation, walked);
	return walked;
}

/* Runs of packets with the same program are carried out together. */
static void
pipeline_classify(struct worker *worker, struct port *in, const struct pipeline *pipeline,
                  struct rte_mbuf **pkts, unsigned n)
{
	struct program walked, run_program = {.n = 0};
	unsigned first = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct program *program =
			pipeline_look_up(worker, in, pipeline, pkts[i], &walked);

		if (i > first && !program_equal(program, &run_program)) {
			action_execute_static(worker, in, &run_program, pkts + first,
			                      i - first);
			first = i;
		}
		/* Copied: an insert for a later packet may reuse the cache's. */
		if (i == first)
			program_copy(&run_program, program);
	}
	if (n > first)
		action_execute_static(worker, in, &run_program, pkts + first, n - first);
}

void
pipeline_process(struct worker *worker, struct port *in, struct rte_mbuf **pkts,
                 unsigned n)
{
	const struct port_settings *settings =
		atomic_load_explicit(&in->settings, memory_order_acquire);
	bool needs_hash =
		atomic_load_explicit(&pipeline_needs_hash, memory_order_relaxed);
	const struct pipeline *pipeline;

	if (unlikely(settings->is_policed))
		n = police_packets(worker, in, settings, pkts, n);
	for (unsigned i = 0; i < n; i++) {
		struct packet_meta *meta = packet_meta(pkts[i]);

		meta->item.class_ref = settings->class_number;
		meta->item.flow_hash = needs_hash ? pipeline_flow_hash(pkts[i]) : 0;
	}
	pipeline = atomic_load_explicit(&in->bridge->pipeline, memory_order_acquire);
	if (likely(pipeline->is_fixed))
		action_execute_static(worker, in, &pipeline->fixed, pkts, n);
	else
		pipeline_classify(worker, in, pipeline, pkts, n);
}
