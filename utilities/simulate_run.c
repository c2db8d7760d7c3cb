/* simulate_run.c - the owner's loop in virtual time: packets of the sources go into the
 * scheduler, what it gives goes onto a wire. One thread. */
#include <config.h>

#include "simulate_run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "simulate_source.h"

#define NS_PER_SEC        1000000000ULL
#define START_NS          NS_PER_SEC /* of the virtual clock */
#define BATCH             32         /* packets of a round, as the switch takes them */
#define BATCH_BYTES       (128U << 10)
#define BURST_MIN_BYTES   (2 * 1514)
#define BURST_MIN_PACKETS 32
#define RING_NS           20000 /* of packets at most in the port's ring */
#define STALL_NS          100000
#define STALL_ROUNDS      2000
#define CHUNK_PACKETS     4096
#define FLOWS             65536 /* that fair classes can tell apart */
#define DEPTH_MAX         64    /* packets that a backlogged load keeps in its queue */
#define DEPTH_MIN         4
#define DEPTH_TOTAL       200000 /* of all backlogged loads together, about */

struct packet {
	struct qos_item item; /* first */
	double offered_ns;
	struct simulate_source *source;
};

struct run {
	const struct simulate_tree *tree;
	const struct simulate_options *options;
	struct simulate_wire wire;
	struct simulate_meter *meter;
	struct simulate_random random;
	struct sched *sched;
	void *memory, *flows_memory;
	uint32_t *refs, *leaf_refs; /* of each class; where its packets go */
	struct simulate_source *sources;
	size_t n_sources;
	struct simulate_heap heap;
	struct packet *free;
	void **chunks; /* of packets */
	size_t n_chunks;
	uint32_t depth;       /* of backlogged loads */
	uint32_t pool_queued; /* packets of other loads */
	uint64_t link_bps;
	uint64_t now_ns;           /* of the scheduler's clock */
	double wire_free_ns;       /* when the wire has sent all it was given */
	uint64_t *borrowed_before; /* at the start of the measured time; n + 1 */
};

/* ---- the tree ---- */

static uint32_t
burst_bytes(const struct run *run, uint64_t burst_bits, uint64_t bps)
{
	double bytes = burst_bits ? (double)burst_bits / 8
	                          : (double)bps / 8 * (double)run->options->catch_up_ns /
	                                    NS_PER_SEC;

	if (!burst_bits)
		bytes = MAX_OF(bytes, BURST_MIN_BYTES);
	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static uint32_t
burst_packets(const struct run *run, uint64_t burst, uint64_t pps)
{
	uint64_t packets = pps * (run->options->catch_up_ns / 1000) / 1000000;

	return (uint32_t)(burst || !pps ? burst : MAX_OF(packets, BURST_MIN_PACKETS));
}

static struct sched_class_params
class_params(const struct run *run, const struct simulate_class *class)
{
	return (struct sched_class_params){
		.floor_bps = class->floor_bps,
		.ceil_bps = class->ceil_bps,
		.ceil_burst_bytes = burst_bytes(run, class->burst_bits, class->ceil_bps),
		.weight = (uint32_t) class->weight,
		.priority = (uint8_t)MIN_OF(class->priority, SCHED_PRIORITIES - 1),
		.limit_bytes = (uint32_t) class->limit_bytes,
		.limit_packets = (uint32_t) class->limit_packets,
		.limit_ns = class->limit_us * 1000,
		.peak_bps = class->peak_bps,
		.peak_burst_bytes =
			burst_bytes(run, class->peak_burst_bits, class->peak_bps),
		.ceil_pps = (uint32_t) class->ceil_pps,
		.ceil_burst_packets =
			burst_packets(run, class->burst_packets, class->ceil_pps),
		.floor_pps = (uint32_t) class->floor_pps,
		.codel_target_ns = (uint32_t) class->codel_target_us * 1000,
		.codel_interval_ns = (uint32_t) class->codel_interval_us * 1000,
		.codel = class->codel,
		.ecn = class->ecn,
		.fair = class->fair,
	};
}

/* Packets of a class that has classes go to a hidden leaf below it, as in the switch. */
static int
run_add_class(struct run *run, size_t i)
{
	const struct simulate_class *class = &run->tree->classes[i];
	struct sched_class_params params = class_params(run, class);
	uint32_t parent = class->parent_index == SIMULATE_NONE
	                          ? sched_root(run->sched)
	                          : run->refs[class->parent_index];
	int ret = sched_class_add(run->sched, parent, class->n_children == 0, &params,
	                          run->now_ns, &run->refs[i]);

	run->leaf_refs[i] = run->refs[i];
	if (ret || class->n_children == 0)
		return ret;
	params =
		(struct sched_class_params){.weight = 1,
	                                    .limit_bytes = params.limit_bytes,
	                                    .limit_packets = params.limit_packets,
	                                    .limit_ns = params.limit_ns,
	                                    .codel_target_ns = params.codel_target_ns,
	                                    .codel_interval_ns = params.codel_interval_ns,
	                                    .codel = params.codel,
	                                    .ecn = params.ecn,
	                                    .fair = params.fair};
	return sched_class_add(run->sched, run->refs[i], true, &params, run->now_ns,
	                       &run->leaf_refs[i]);
}

static bool
run_has_fair_class(const struct run *run)
{
	for (size_t i = 0; i < run->tree->n; i++)
		if (run->tree->classes[i].fair)
			return true;
	return false;
}

static int
run_try_tree(struct run *run, uint32_t capacity)
{
	struct sched_class_params root = class_params(run, &run->tree->root);

	free(run->memory);
	run->memory = xcalloc_cacheline(sched_memory_bytes(capacity));
	run->sched = sched_init(run->memory, capacity, &root, run->now_ns);
	sched_set_quantum(run->sched, run->options->quantum);
	if (run_has_fair_class(run)) {
		free(run->flows_memory);
		run->flows_memory = xcalloc_cacheline(sched_flows_bytes(FLOWS));
		sched_flows_attach(run->sched, run->flows_memory, FLOWS);
	}
	for (unsigned depth = 1; depth <= SCHED_LEVELS_MAX; depth++)
		for (size_t i = 0; i < run->tree->n; i++) {
			int ret = 0;

			if (run->tree->classes[i].depth == depth)
				ret = run_add_class(run, i);
			if (ret)
				return ret;
		}
	return 0;
}

/* Many inner classes and priorities need more room than one place a class. */
static int
run_build_tree(struct run *run, struct error *err)
{
	uint32_t capacity = (uint32_t)(2 * run->tree->n + 64);
	int ret;

	do
		ret = run_try_tree(run, capacity);
	while (ret == -ENOSPC && (capacity *= 2) < SCHED_CLASSES_MAX);
	if (ret)
		return error_set(err, ret, "the scheduler does not take the tree: %s",
		                 strerror(-ret));
	return 0;
}

/* ---- packets ---- */

static struct packet *
packet_get(struct run *run)
{
	struct packet *packet = run->free;

	if (!packet) {
		struct packet *chunk = xcalloc(CHUNK_PACKETS, sizeof(*chunk));

		run->chunks =
			xrealloc(run->chunks, (run->n_chunks + 1) * sizeof(*run->chunks));
		run->chunks[run->n_chunks++] = chunk;
		for (size_t i = 1; i < CHUNK_PACKETS; i++) {
			chunk[i].item.next = (struct qos_item *)run->free;
			run->free = &chunk[i];
		}
		return chunk;
	}
	run->free = (struct packet *)packet->item.next;
	return packet;
}

static void
packet_put(struct run *run, struct packet *packet)
{
	packet->item.next = (struct qos_item *)run->free;
	run->free = packet;
}

static bool
source_waits(const struct simulate_source *source)
{
	return source->load->kind == SIMULATE_LOAD_BACKLOGGED;
}

/* Offers the next packet of the source; false if the class's queue did not take it. */
static bool
run_offer(struct run *run, struct simulate_source *source, struct simulate_frame *frame)
{
	struct packet *packet = packet_get(run);
	bool waits = source_waits(source), taken = false;

	simulate_source_frame(source, &run->wire, &run->random, frame);
	packet->source = source;
	packet->offered_ns = waits ? (double)run->now_ns : source->next_ns;
	packet->item.charged_bytes = frame->charged_bytes;
	packet->item.charged_packets = frame->charged_packets & QOS_ITEM_PACKETS_MAX;
	packet->item.class_ref = run->leaf_refs[source->class];
	packet->item.flow_hash =
		(uint32_t)(((uint64_t)(source - run->sources) << 16 | frame->flow) *
	                           UINT64_C(0x9e3779b97f4a7c15) >>
	                   32);
	packet->item.flags = source->load->ecn ? QOS_ITEM_ECT : 0;
	if (waits || !run->options->pool || run->pool_queued < run->options->pool)
		taken = sched_enqueue(run->sched, &packet->item, run->now_ns) ==
		        SCHED_QUEUED;
	if (taken) {
		run->pool_queued += !waits;
		simulate_meter_offered(run->meter, source->class, frame->charged_bytes);
		simulate_meter_queued(run->meter, source->class, (double)run->now_ns);
		return true;
	}
	packet_put(run, packet);
	/* Who waits keeps its packet and offers it later. */
	if (!waits) {
		simulate_meter_offered(run->meter, source->class, frame->charged_bytes);
		simulate_meter_dropped(run->meter, source->class, frame->charged_bytes,
		                       false, (double)run->now_ns);
	}
	return false;
}

/* Keeps a backlogged source's queue filled. */
static void
run_fill(struct run *run, struct simulate_source *source)
{
	struct simulate_frame frame;

	if ((double)run->now_ns >= source->stop_ns)
		return;
	while (source->queued < run->depth && run_offer(run, source, &frame))
		source->queued++;
}

/* A packet of the source left its queue: a backlogged source fills the gap. */
static void
run_left(struct run *run, struct packet *packet)
{
	struct simulate_source *source = packet->source;

	packet_put(run, packet);
	if (!source_waits(source)) {
		run->pool_queued--;
		return;
	}
	source->queued--;
	run_fill(run, source);
}

/* ---- the loop ---- */

/* Everything that was offered until now. */
static void
run_arrivals(struct run *run)
{
	struct simulate_frame frame = {0};

	while (run->heap.n && run->heap.sources[0]->next_ns <= (double)run->now_ns) {
		struct simulate_source *source = run->heap.sources[0];

		if (source_waits(source))
			run_fill(run, source);
		else
			run_offer(run, source, &frame);
		simulate_source_advance(source, &frame, &run->random);
		simulate_heap_sink(&run->heap);
	}
}

static void
run_sent(struct run *run, struct packet *packet)
{
	double now_ns = (double)run->now_ns;
	double delay_ns = -1;

	run->wire_free_ns = MAX_OF(run->wire_free_ns, now_ns) +
	                    packet->item.charged_bytes * 8e9 / (double)run->link_bps;
	if (!source_waits(packet->source))
		delay_ns = run->wire_free_ns - packet->offered_ns;
	simulate_meter_sent(run->meter, packet->source->class, packet->item.charged_bytes,
	                    packet->item.flags & QOS_ITEM_MARK, delay_ns, now_ns);
	run_left(run, packet);
}

/* What CoDel or a limit of age dropped. */
static void
run_dropped(struct run *run)
{
	struct qos_item *item = sched_take_dropped(run->sched);

	while (item) {
		struct packet *packet = (struct packet *)item;

		item = item->next;
		simulate_meter_dropped(run->meter, packet->source->class,
		                       packet->item.charged_bytes, true,
		                       (double)run->now_ns);
		run_left(run, packet);
	}
}

/* Returns how many packets came out. */
static unsigned
run_departures(struct run *run)
{
	struct qos_item *items[BATCH];
	double room_ns = (double)run->now_ns + RING_NS - run->wire_free_ns;
	double room_bytes = room_ns * (double)run->link_bps / 8e9;
	unsigned count;

	if (room_ns <= 0)
		return 0;
	count = sched_dequeue(run->sched, run->now_ns, items, BATCH,
	                      (uint32_t)MIN_OF(MAX_OF(room_bytes, 1), BATCH_BYTES));
	for (unsigned i = 0; i < count; i++)
		run_sent(run, (struct packet *)items[i]);
	run_dropped(run);
	return count;
}

/* One period of the loop; where nothing can happen meanwhile, many at once. */
static void
run_pass_time(struct run *run, bool was_idle)
{
	const struct simulate_options *options = run->options;
	uint64_t next_ns;
	double event_ns;

	if (was_idle) {
		event_ns = run->heap.n ? run->heap.sources[0]->next_ns : INFINITY;
		next_ns = sched_next_event_ns(run->sched, run->now_ns);
		if ((double)next_ns < run->wire_free_ns - RING_NS)
			next_ns = (uint64_t)(run->wire_free_ns - RING_NS);
		event_ns = MIN_OF(event_ns, (double)next_ns);
		event_ns = MIN_OF(event_ns, (double)run->now_ns + NS_PER_SEC);
		if (event_ns > (double)run->now_ns)
			run->now_ns = (uint64_t)event_ns;
	}
	run->now_ns += options->period_min_ns;
	if (options->period_max_ns > options->period_min_ns)
		run->now_ns += simulate_random_below(
			&run->random,
			(uint32_t)(options->period_max_ns - options->period_min_ns + 1));
	if (options->stalls && simulate_random_below(&run->random, STALL_ROUNDS) == 0)
		run->now_ns += STALL_NS;
}

static void
run_until(struct run *run, uint64_t end_ns)
{
	while (run->now_ns < end_ns) {
		run_arrivals(run);
		run_pass_time(run, run_departures(run) == 0);
	}
}

/* ---- start and end ---- */

static void
run_start_source(struct run *run, const struct simulate_load *load, size_t class)
{
	struct simulate_source *source = &run->sources[run->n_sources++];

	simulate_source_start(source, load, class, START_NS, &run->random);
	simulate_heap_push(&run->heap, source);
}

static bool
load_fits(const struct simulate_load *load, const struct simulate_loads *loads,
          const struct simulate_class *class)
{
	if (load->is_default)
		return class->n_children == 0 && class->number != 0 &&
		       !simulate_loads_name(loads, class->number);
	return class->number >= load->first && class->number <= load->last;
}

/* Calls 'cb', if there is one, for each class of each load; returns how many. */
static size_t
run_each_source(struct run *run, const struct simulate_loads *loads,
                void (*cb)(struct run *, const struct simulate_load *, size_t))
{
	size_t count = 0;

	for (size_t i = 0; i < loads->n; i++) {
		const struct simulate_load *load = &loads->loads[i];
		size_t from = 0, to = run->tree->n;

		/* Most loads of a recording name one class. */
		if (!load->is_default && load->first == load->last) {
			from = simulate_tree_find(run->tree, load->first);
			if (from == SIMULATE_NONE)
				continue;
			to = from + 1;
		}
		for (size_t class = from; class < to; class ++) {
			if (!load_fits(load, loads, &run->tree->classes[class]))
				continue;
			count++;
			if (cb)
				cb(run, load, class);
		}
	}
	return count;
}

static void
run_start_sources(struct run *run, const struct simulate_loads *loads)
{
	size_t count = run_each_source(run, loads, NULL), waiting = 0;
	uint64_t *demands;

	run->sources = xcalloc(count + 1, sizeof(*run->sources));
	run->heap.sources = xcalloc(count + 1, sizeof(struct simulate_source *));
	run_each_source(run, loads, run_start_source);
	demands = xcalloc(run->tree->n + 1, sizeof(*demands));
	for (size_t i = 0; i < run->n_sources; i++) {
		const struct simulate_source *source = &run->sources[i];
		uint64_t bps = simulate_load_demand_bps(source->load);
		uint64_t *demand = &demands[source->class];

		waiting += source_waits(source);
		*demand = bps > UINT64_MAX - *demand ? UINT64_MAX : *demand + bps;
		simulate_meter_set_demand(run->meter, source->class, *demand);
	}
	free(demands);
	run->depth = (uint32_t)MAX_OF(
		DEPTH_MIN, MIN_OF(DEPTH_MAX, DEPTH_TOTAL / MAX_OF(waiting, 1)));
}

static uint64_t
class_borrowed(const struct run *run, size_t i)
{
	struct sched_class_stats stats = {0};

	if (i < run->tree->n)
		sched_class_get_stats(run->sched, run->refs[i], &stats);
	return stats.borrowed_bytes;
}

static void
run_destroy(struct run *run)
{
	for (size_t i = 0; i < run->n_chunks; i++)
		free(run->chunks[i]);
	free(run->chunks);
	free(run->heap.sources);
	free(run->sources);
	free(run->borrowed_before);
	free(run->refs);
	free(run->leaf_refs);
	free(run->flows_memory);
	free(run->memory);
	simulate_meter_destroy(run->meter);
}

static void
run_measure(struct run *run, struct simulate_result **results)
{
	uint64_t skip_ns = (uint64_t)(run->options->skip_seconds * 1e9);
	uint64_t measured_ns = (uint64_t)(run->options->seconds * 1e9);

	run_until(run, START_NS + skip_ns);
	for (size_t i = 0; i < run->tree->n; i++)
		run->borrowed_before[i] = class_borrowed(run, i);
	simulate_meter_start(run->meter, (double)run->now_ns);
	run_until(run, START_NS + skip_ns + measured_ns);
	*results = simulate_meter_finish(run->meter, (double)run->now_ns);
	for (size_t i = 0; i < run->tree->n; i++)
		(*results)[i].borrowed_bytes =
			class_borrowed(run, i) - run->borrowed_before[i];
}

int
simulate_run(const struct simulate_tree *tree, const struct simulate_loads *loads,
             const struct simulate_options *options, struct simulate_result **results,
             struct error *err)
{
	struct run run = {.tree = tree, .options = options, .now_ns = START_NS};
	int ret;

	run.link_bps = options->link_bps ? options->link_bps : tree->root.ceil_bps;
	run.wire = (struct simulate_wire){(int32_t)tree->overhead_bytes,
	                                  (uint32_t)tree->mpu_bytes};
	run.refs = xcalloc(tree->n + 1, sizeof(*run.refs));
	run.leaf_refs = xcalloc(tree->n + 1, sizeof(*run.leaf_refs));
	run.borrowed_before = xcalloc(tree->n + 1, sizeof(*run.borrowed_before));
	run.meter = simulate_meter_create(tree, run.link_bps,
	                                  (double)(2 * options->period_max_ns) + RING_NS +
	                                          (options->stalls ? STALL_NS : 0));
	simulate_random_seed(&run.random, options->seed);
	ret = run_build_tree(&run, err);
	if (!ret) {
		run_start_sources(&run, loads);
		run_measure(&run, results);
	}
	run_destroy(&run);
	return ret;
}
