/* fuzz_test.c - T17: random trees under random load while classes are added, set, moved
 * and deleted. Every packet comes out, is dropped and counted, or is handed back; nothing
 * goes out above a ceiling; the owner may sleep until the next event. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

#ifdef SIM_SMALL
#define TREES 60
#else
#define TREES 3000
#endif

#define CLASSES_MAX 200
#define PACKETS     4000
#define ROUNDS      3000
#define QUIET_MAX   200 /* wake-ups in a row that may give nothing */
#define ROOT        0

/* The ceilings of a class. */
enum ceiling { OF_BYTES, OF_PEAK, OF_PACKETS, CEILINGS };

struct model_ceiling {
	uint64_t rate; /* bits per second, 8 times the packets; 0: none */
	struct sim_meter meter;
	double bound; /* what the meter may show */
};

/* What the test knows of a class; number 0 is the root. */
struct model_class {
	uint32_t ref; /* 0: free */
	uint32_t parent;
	uint32_t children;
	bool is_leaf;
	struct model_ceiling ceilings[CEILINGS];
	uint64_t parked_until_ns;
	uint64_t in, out, dropped;
};

struct fuzz {
	struct sim sim;
	struct model_class classes[CLASSES_MAX];
	uint32_t stale_ref;
	uint32_t visit_bytes; /* the most that one visit may take */
	uint32_t visit_packets;
	uint64_t in, out, passed, dropped, handed_back, changes;
	double closest; /* largest meter / bound of all ceilings */
};

static uint32_t
below(struct fuzz *fuzz, uint32_t limit)
{
	return sim_random_below(&fuzz->sim.random, limit);
}

static uint64_t
random_rate(struct fuzz *fuzz)
{
	static const uint64_t units[] = {100000, SIM_MBPS, 10 * SIM_MBPS, 100 * SIM_MBPS};

	return units[below(fuzz, ARRAY_SIZE(units))] * (1 + below(fuzz, 20));
}

static void
random_params(struct fuzz *fuzz, struct sched_class_params *params)
{
	*params = (struct sched_class_params){
		.floor_bps = below(fuzz, 3) ? random_rate(fuzz) : 0,
		.ceil_bps = below(fuzz, 2) ? random_rate(fuzz) : 0,
		.floor_burst_bytes = below(fuzz, 4) ? 0 : below(fuzz, 100000),
		.ceil_burst_bytes = below(fuzz, 4) ? 0 : below(fuzz, 100000),
		.weight = below(fuzz, 3) ? below(fuzz, 50) : 0,
		.priority = (uint8_t)(below(fuzz, 2) ? 0 : below(fuzz, SCHED_PRIORITIES)),
		.limit_packets = below(fuzz, 3) ? 0 : 1 + below(fuzz, 20),
		.peak_bps = below(fuzz, 6) ? 0 : random_rate(fuzz),
		.peak_burst_bytes = below(fuzz, 2) ? 0 : below(fuzz, 100000),
		.ceil_pps = below(fuzz, 6) ? 0 : 1 + below(fuzz, 100000),
		.ceil_burst_packets = below(fuzz, 2) ? 0 : below(fuzz, 1000),
		.floor_pps = below(fuzz, 6) ? 0 : 1 + below(fuzz, 10000),
	};
}

/* A random class of the wanted kind, or CLASSES_MAX after some tries. */
static uint32_t
pick(struct fuzz *fuzz, bool leaf, bool root_too)
{
	for (unsigned i = 0; i < 20; i++) {
		uint32_t class = below(fuzz, CLASSES_MAX);

		if (fuzz->classes[class].ref && fuzz->classes[class].is_leaf == leaf &&
		    (class != ROOT || root_too))
			return class;
	}
	return leaf || !root_too ? CLASSES_MAX : ROOT;
}

static bool
is_at_or_below(const struct fuzz *fuzz, uint32_t class, uint32_t top)
{
	while (class != top && class != ROOT)
		class = fuzz->classes[class].parent;
	return class == top;
}

static unsigned
depth_of(const struct fuzz *fuzz, uint32_t class)
{
	unsigned depth = 0;

	for (; class != ROOT; class = fuzz->classes[class].parent)
		depth++;
	return depth;
}

/* How many levels 'top' and all below it take, with room for leaves below inner classes.
 */
static unsigned
levels_of(const struct fuzz *fuzz, uint32_t top)
{
	unsigned levels = 0;

	for (uint32_t i = 0; i < CLASSES_MAX; i++) {
		const struct model_class *class = &fuzz->classes[i];
		unsigned below;

		if (!class->ref || !is_at_or_below(fuzz, i, top))
			continue;
		below = depth_of(fuzz, i) - depth_of(fuzz, top) + 1 + !class->is_leaf;
		if (below > levels)
			levels = below;
	}
	return levels;
}

/* Takes note of a ceiling that a class has from now on. What is owed stays the same in
 * bytes, so the meter goes on; the largest burst so far stays allowed. */
static void
model_set_ceiling(struct fuzz *fuzz, struct model_ceiling *ceiling, uint64_t rate,
                  double burst)
{
	if (rate && !ceiling->rate) {
		sim_meter_init(&ceiling->meter, rate, fuzz->sim.now_ns);
		ceiling->bound = 0;
	} else if (rate) {
		sim_meter_add(&ceiling->meter, fuzz->sim.now_ns, 0);
		ceiling->meter.bytes_per_ns = (double)rate / 8e9;
	}
	if (burst > ceiling->bound)
		ceiling->bound = burst;
	ceiling->rate = rate;
}

static double
burst_or_default(uint32_t burst_bytes, uint64_t rate_bps)
{
	return burst_bytes ? burst_bytes : sim_default_burst_bytes(rate_bps);
}

static void
model_set(struct fuzz *fuzz, struct model_class *class,
          const struct sched_class_params *params)
{
	uint32_t packets = params->ceil_pps / 1000 > 32 ? params->ceil_pps / 1000 : 32;

	if (params->ceil_burst_packets)
		packets = params->ceil_burst_packets;
	model_set_ceiling(fuzz, &class->ceilings[OF_BYTES], params->ceil_bps,
	                  burst_or_default(params->ceil_burst_bytes, params->ceil_bps) +
	                          fuzz->visit_bytes);
	model_set_ceiling(fuzz, &class->ceilings[OF_PEAK], params->peak_bps,
	                  burst_or_default(params->peak_burst_bytes, params->peak_bps) +
	                          fuzz->visit_bytes);
	model_set_ceiling(fuzz, &class->ceilings[OF_PACKETS], params->ceil_pps * 8ULL,
	                  packets + fuzz->visit_packets);
}

/* The deepest of some inner classes, so that trees reach the last level. */
static uint32_t
pick_parent(struct fuzz *fuzz)
{
	uint32_t best = pick(fuzz, false, true);

	for (uint32_t tries = below(fuzz, 4); tries; tries--) {
		uint32_t other = pick(fuzz, false, true);

		if (depth_of(fuzz, other) > depth_of(fuzz, best))
			best = other;
	}
	return best;
}

static void
change_add(struct fuzz *fuzz)
{
	uint32_t parent = pick_parent(fuzz), at = 1;
	struct sched_class_params params;
	struct model_class *class;
	bool is_leaf = below(fuzz, 3);
	int err;

	while (at < CLASSES_MAX && fuzz->classes[at].ref)
		at++;
	if (at == CLASSES_MAX)
		return;
	class = &fuzz->classes[at];
	random_params(fuzz, &params);
	err = sched_class_add(fuzz->sim.sched, fuzz->classes[parent].ref, is_leaf,
	                      &params, fuzz->sim.now_ns, &class->ref);
	if (depth_of(fuzz, parent) + 1 + !is_leaf > SCHED_LEVELS_MAX) {
		assert_int_equal(err, -EINVAL);
		class->ref = 0;
		return;
	}
	assert_int_equal(err, 0);
	assert_int_not_equal(class->ref, fuzz->stale_ref);
	*class = (struct model_class){
		.ref = class->ref,
		.parent = parent,
		.is_leaf = is_leaf,
	};
	model_set(fuzz, class, &params);
	fuzz->classes[parent].children++;
}

static void
change_set(struct fuzz *fuzz)
{
	uint32_t class = pick(fuzz, below(fuzz, 2), false);
	struct sched_class_params params;

	if (class == CLASSES_MAX)
		return;
	random_params(fuzz, &params);
	assert_int_equal(sched_class_set(fuzz->sim.sched, fuzz->classes[class].ref,
	                                 &params, fuzz->sim.now_ns),
	                 0);
	model_set(fuzz, &fuzz->classes[class], &params);
}

static void
change_move(struct fuzz *fuzz)
{
	uint32_t at = pick(fuzz, below(fuzz, 2), false), to = pick_parent(fuzz);
	struct model_class *class = &fuzz->classes[at];
	int err;

	if (at == CLASSES_MAX)
		return;
	err = sched_class_move(fuzz->sim.sched, class->ref, fuzz->classes[to].ref,
	                       fuzz->sim.now_ns);
	if (is_at_or_below(fuzz, to, at) ||
	    depth_of(fuzz, to) + levels_of(fuzz, at) > SCHED_LEVELS_MAX) {
		assert_int_equal(err, -EINVAL);
		return;
	}
	assert_int_equal(err, 0);
	fuzz->classes[class->parent].children--;
	class->parent = to;
	fuzz->classes[to].children++;
}

static void
change_delete(struct fuzz *fuzz)
{
	uint32_t at = pick(fuzz, below(fuzz, 2), false);
	struct model_class *class = &fuzz->classes[at];
	struct qos_item *item;
	int err;

	if (at == CLASSES_MAX)
		return;
	err = sched_class_delete(fuzz->sim.sched, class->ref, fuzz->sim.now_ns, &item);
	if (class->children) {
		assert_int_equal(err, -EBUSY);
		return;
	}
	assert_int_equal(err, 0);
	while (item) {
		struct sim_packet *packet = (struct sim_packet *)item;

		item = item->next;
		assert_int_equal(packet->source, at);
		class->in--;
		fuzz->handed_back++;
		sim_packet_put(&fuzz->sim, packet);
	}
	assert_int_equal(class->in, class->out + class->dropped);
	fuzz->classes[class->parent].children--;
	fuzz->stale_ref = class->ref;
	class->ref = 0;
}

static void
change_park(struct fuzz *fuzz)
{
	uint32_t at = pick(fuzz, true, false);
	uint64_t until_ns = fuzz->sim.now_ns + below(fuzz, 100000);

	if (at == CLASSES_MAX)
		return;
	if (!below(fuzz, 10))
		until_ns += below(fuzz, 2000000000);
	sched_leaf_park(fuzz->sim.sched, fuzz->classes[at].ref, until_ns,
	                fuzz->sim.now_ns);
	if (until_ns > fuzz->sim.now_ns + SIM_NS_PER_SEC)
		until_ns = fuzz->sim.now_ns + SIM_NS_PER_SEC;
	fuzz->classes[at].parked_until_ns = until_ns;
}

static void
change_relocate(struct fuzz *fuzz)
{
	uint32_t capacity = sched_capacity(fuzz->sim.sched) + below(fuzz, 3);
	size_t bytes = sched_memory_bytes(capacity);
	void *memory = aligned_alloc(CACHE_LINE_BYTES, bytes);

	assert_non_null(memory);
	memset(memory, 0x77, bytes);
	fuzz->sim.sched = sched_relocate(memory, capacity, fuzz->sim.sched);
	memset(fuzz->sim.memory, 0x99, CACHE_LINE_BYTES);
	free(fuzz->sim.memory);
	fuzz->sim.memory = memory;
}

static void
change_something(struct fuzz *fuzz)
{
	uint32_t dice = below(fuzz, 100);

	fuzz->changes++;
	if (dice < 30)
		change_add(fuzz);
	else if (dice < 40)
		change_park(fuzz);
	else if (dice < 60)
		change_set(fuzz);
	else if (dice < 80)
		change_move(fuzz);
	else if (dice < 99)
		change_delete(fuzz);
	else
		change_relocate(fuzz);
}

static void
meter_add(struct fuzz *fuzz, struct model_class *class, const struct qos_item *item)
{
	for (unsigned i = 0; i < CEILINGS; i++) {
		struct model_ceiling *ceiling = &class->ceilings[i];
		double part;

		if (!ceiling->rate)
			continue;
		sim_meter_add(&ceiling->meter, fuzz->sim.now_ns,
		              i == OF_PACKETS ? item->charged_packets
		                              : item->charged_bytes);
		part = ceiling->meter.max_bytes / (ceiling->bound + 1);
		if (part > fuzz->closest)
			fuzz->closest = part;
		assert_true(part <= 1);
	}
}

/* Came out, through the queues or past them. */
static void
take_packet(struct fuzz *fuzz, struct sim_packet *packet)
{
	uint32_t at = packet->source;

	assert_int_equal(packet->item.class_ref, fuzz->classes[at].ref);
	assert_true(fuzz->sim.now_ns >= fuzz->classes[at].parked_until_ns);
	fuzz->classes[at].out++;
	fuzz->out++;
	for (;; at = fuzz->classes[at].parent) {
		meter_add(fuzz, &fuzz->classes[at], &packet->item);
		if (at == ROOT)
			break;
	}
	sim_packet_put(&fuzz->sim, packet);
}

static unsigned
take_some(struct fuzz *fuzz)
{
	struct sim_packet *packets[SIM_BATCH];
	unsigned count = sim_dequeue(&fuzz->sim, packets);

	for (unsigned i = 0; i < count; i++)
		take_packet(fuzz, packets[i]);
	return count;
}

static void
offer_some(struct fuzz *fuzz)
{
	uint32_t at = pick(fuzz, true, false);

	if (at == CLASSES_MAX)
		return;
	for (uint32_t n = below(fuzz, 30); n && fuzz->sim.free; n--) {
		struct model_class *class = &fuzz->classes[at];
		uint32_t bytes = sim_size(&fuzz->sim.random, SIM_SIZES_MIXED);
		struct sim_packet *packet = NULL;

		class->in++;
		fuzz->in++;
		if (below(fuzz, 2))
			packet = sim_pass(&fuzz->sim, class->ref, bytes, at);
		if (packet) {
			fuzz->passed++;
			take_packet(fuzz, packet);
		} else if (!sim_offer(&fuzz->sim, class->ref, bytes, at)) {
			class->dropped++;
			fuzz->dropped++;
		}
	}
	if (fuzz->sim.free && fuzz->stale_ref)
		assert_false(sim_offer(&fuzz->sim, fuzz->stale_ref, 64, at));
}

/* Sleeps from event to event until everything is out: nothing may come before an event is
 * announced, nor may events go on and on without a packet. */
static void
drain(struct fuzz *fuzz)
{
	struct sched *sched = fuzz->sim.sched;
	unsigned quiet = 0;

	while (sched_backlog_packets(sched)) {
		uint64_t next_ns = sched_next_event_ns(sched, fuzz->sim.now_ns);

		assert_true(next_ns != UINT64_MAX);
		if (next_ns > fuzz->sim.now_ns + 1 && below(fuzz, 2)) {
			fuzz->sim.now_ns = next_ns - 1;
			assert_int_equal(take_some(fuzz), 0);
		}
		if (next_ns > fuzz->sim.now_ns)
			fuzz->sim.now_ns = next_ns;
		quiet = take_some(fuzz) ? 0 : quiet + 1;
		assert_true(quiet < QUIET_MAX);
	}
	assert_true(sched_next_event_ns(sched, fuzz->sim.now_ns) == UINT64_MAX);
}

static void
check_counters(const struct fuzz *fuzz)
{
	uint64_t in = 0;

	for (uint32_t i = 0; i < CLASSES_MAX; i++) {
		const struct model_class *class = &fuzz->classes[i];
		struct sched_class_stats stats;

		if (!class->ref)
			continue;
		assert_true(sched_class_get_stats(fuzz->sim.sched, class->ref, &stats));
		assert_true(stats.borrowed_bytes <= stats.sent_bytes);
		if (i == ROOT) {
			assert_int_equal(stats.sent_packets, fuzz->out);
			assert_int_equal(stats.dropped_packets, fuzz->dropped);
		}
		if (!class->is_leaf)
			continue;
		in += class->in;
		assert_int_equal(stats.offered_packets, class->in);
		assert_int_equal(stats.sent_packets, class->out);
		assert_int_equal(stats.dropped_packets, class->dropped);
		assert_int_equal(stats.queued_packets,
		                 class->in - class->out - class->dropped);
	}
	assert_int_equal(fuzz->in, fuzz->out + fuzz->dropped + fuzz->handed_back +
	                                   sched_backlog_packets(fuzz->sim.sched));
	assert_true(in <= fuzz->in);
}

static void
fuzz_tree(struct fuzz *fuzz, uint64_t seed)
{
	struct sched_class_params root = {0};
	uint32_t quantum;

	memset(fuzz->classes, 0, sizeof(fuzz->classes));
	fuzz->stale_ref = 0;
	fuzz->in = fuzz->out = fuzz->dropped = fuzz->handed_back = 0;
	sim_init(&fuzz->sim, CLASSES_MAX, PACKETS, SIM_GBPS);
	fuzz->sim.random.state = seed;
	root.ceil_bps = (1 + below(fuzz, 100)) * 100 * SIM_MBPS;
	quantum = below(fuzz, 2) ? 0 : below(fuzz, 100000);
	sched_set_quantum(fuzz->sim.sched, quantum);
	fuzz->visit_bytes = quantum > SIM_BYTES_MAX ? quantum : SIM_BYTES_MAX;
	fuzz->visit_packets = sim_segments(SIM_BYTES_MAX) + (quantum ? SIM_BATCH : 0);
	fuzz->classes[ROOT].ref = sched_root(fuzz->sim.sched);
	assert_int_equal(sched_class_set(fuzz->sim.sched, fuzz->classes[ROOT].ref, &root,
	                                 fuzz->sim.now_ns),
	                 0);
	model_set(fuzz, &fuzz->classes[ROOT], &root);
	for (uint32_t n = below(fuzz, 150); n; n--)
		change_add(fuzz);
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (!below(fuzz, 4))
			offer_some(fuzz);
		if (!below(fuzz, 30))
			change_something(fuzz);
		take_some(fuzz);
		if (!below(fuzz, 1000))
			drain(fuzz);
		if (!below(fuzz, 500))
			fuzz->sim.now_ns += (uint64_t)below(fuzz, 1000) * 1000000;
		sim_step(&fuzz->sim);
	}
	check_counters(fuzz);
	drain(fuzz);
	check_counters(fuzz);
	sim_destroy(&fuzz->sim);
}

static void
test_t17_random_trees_lose_nothing_and_keep_their_ceilings(void **state)
{
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));
	uint64_t in = 0, out = 0, passed = 0, dropped = 0, handed_back = 0;
	const char *only = getenv("FUZZ_SEED");

	(void)state;
	assert_non_null(fuzz);
	for (uint64_t tree = 1; tree <= TREES; tree++) {
		uint64_t seed =
			only ? strtoull(only, NULL, 0) : tree * 0x9e3779b97f4a7c15;

		if (only)
			tree = TREES;
		print_message("\r%lu seed %#lx ", (unsigned long)tree,
		              (unsigned long)seed);
		fuzz_tree(fuzz, seed);
		in += fuzz->in;
		out += fuzz->out;
		dropped += fuzz->dropped;
		handed_back += fuzz->handed_back;
		passed += fuzz->passed;
	}
	print_message("\n");
	sim_report(
		"T17", (double)(in - out - dropped - handed_back), SIM_AT_MOST, 0,
		"%d random trees, %lu changes, %lu packets: lost (out %lu, of these past the queues %lu, dropped %lu, handed back %lu)",
		TREES, (unsigned long)fuzz->changes, (unsigned long)in,
		(unsigned long)out, (unsigned long)passed, (unsigned long)dropped,
		(unsigned long)handed_back);
	assert_true(passed > in / 1000);
	sim_report("T17", fuzz->closest, SIM_AT_MOST, 1,
	           "the same: part used of what ceilings allow in any window");
	free(fuzz);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_t17_random_trees_lose_nothing_and_keep_their_ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
