/* sched_cost.c - what the scheduler costs per packet, enqueue and dequeue together, on
 * real time. Not a test: figures depend on the machine and on what else it does.
 *
 *     sched_cost [classes [quantum bytes [packet bytes [link Gbit/s [levels
 *                [load]]]]]] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "sim.h"

#define ROUNDS        60
#define ROUND_PACKETS 200000
#define DEPTH         4 /* packets per class while backlogged */

/* As large as a packet's metadata, so that caches feel it. */
struct packet {
	struct qos_item item;
	char rest[128 - sizeof(struct qos_item)];
} CACHE_ALIGNED;

enum load {
	LOAD_FLOORS,    /* floors together above the link: each packet on a floor */
	LOAD_MIXED,     /* floors of 0.8 of the link, the rest borrowed */
	LOAD_WEIGHTS,   /* hardly any floors: nearly all borrowed */
	LOAD_THROTTLED, /* every class at its ceiling after every packet */
	LOAD_SPARSE,    /* random arrivals at 0.9 of the link */
	LOADS,
};

static const char *const load_names[LOADS] = {
	[LOAD_FLOORS] = "all under floors",
	[LOAD_MIXED] = "80 % floors, 20 % borrowed",
	[LOAD_WEIGHTS] = "only weights",
	[LOAD_THROTTLED] = "each packet throttles its class",
	[LOAD_SPARSE] = "sparse random arrivals, 90 %",
};

/* ns per packet that 10,000 classes may cost on a machine of its own, without a quantum
 * and with one of a frame; 70 for 100,000 classes with mixed load. */
static const unsigned target_ns[LOADS][2] = {
	[LOAD_FLOORS] = {60, 30},   [LOAD_MIXED] = {60, 30},
	[LOAD_WEIGHTS] = {120, 30}, [LOAD_THROTTLED] = {120, 60},
	[LOAD_SPARSE] = {120, 120},
};

struct cost {
	uint32_t classes;
	uint32_t quantum;
	uint32_t bytes;
	uint32_t levels;
	uint64_t link_bps;
	struct sched *sched;
	uint32_t *leaves;
	struct packet *packets;
	struct packet **free;
	uint32_t free_count;
	uint32_t packet_count;
	uint64_t now_ticks; /* 1/1024 ns */
	struct sim_random random;
};

static uint64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * SIM_NS_PER_SEC + (uint64_t)now.tv_nsec;
}

static void *
allocate(size_t bytes)
{
	size_t huge = 2U << 20;
	void *memory = aligned_alloc(huge, (bytes + huge - 1) & ~(huge - 1));

	if (!memory) {
		fprintf(stderr, "sched_cost: out of memory\n");
		exit(1);
	}
	/* As the memory of packets is in a switch; without, it costs somewhat more. */
	madvise(memory, (bytes + huge - 1) & ~(huge - 1), MADV_HUGEPAGE);
	memset(memory, 0, bytes);
	return memory;
}

static uint32_t
cost_add(struct cost *cost, uint32_t parent, bool is_leaf, uint64_t floor_bps,
         uint64_t ceil_bps)
{
	const struct sched_class_params params = {
		.floor_bps = floor_bps,
		.ceil_bps = ceil_bps,
		.weight = 1,
	};
	uint32_t ref = 0;

	if (sched_class_add(cost->sched, parent, is_leaf, &params, 0, &ref)) {
		fprintf(stderr, "sched_cost: cannot add a class\n");
		exit(1);
	}
	return ref;
}

static void
leaf_rates(const struct cost *cost, enum load load, uint64_t *floor_bps,
           uint64_t *ceil_bps)
{
	uint64_t fair_bps = cost->link_bps / cost->classes;

	*ceil_bps = load == LOAD_THROTTLED ? fair_bps * 9 / 10 : 0;
	*floor_bps = load == LOAD_FLOORS                         ? fair_bps * 105 / 100
	             : load == LOAD_MIXED || load == LOAD_SPARSE ? fair_bps * 8 / 10
	                                                         : 0;
}

/* Levels count the root and the leaves; each level between has ten times the classes of
 * the one above. */
static void
cost_make_tree(struct cost *cost, enum load load)
{
	uint32_t above[1000] = {sched_root(cost->sched)}, count = 1, next[1000];
	uint64_t floor_bps, ceil_bps, part_bps = cost->link_bps;

	for (uint32_t level = 2; level < cost->levels; level++) {
		uint32_t wide = level < 4 ? 10 : 1;

		part_bps = part_bps * 95 / 100 / wide;
		for (uint32_t i = 0; i < count * wide; i++)
			next[i] = cost_add(cost, above[i / wide], false, part_bps,
			                   cost->link_bps * 95 / 100);
		count *= wide;
		memcpy(above, next, count * sizeof(next[0]));
	}
	leaf_rates(cost, load, &floor_bps, &ceil_bps);
	for (uint32_t i = 0; i < cost->classes; i++)
		cost->leaves[i] =
			cost_add(cost, above[i % count], true, floor_bps, ceil_bps);
}

static void
cost_advance(struct cost *cost, uint32_t bytes, double load)
{
	cost->now_ticks +=
		(uint64_t)(bytes * 8.0 * 1e9 * 1024 / (double)cost->link_bps / load);
}

static void
offer(struct cost *cost, struct packet *packet)
{
	if (sched_enqueue(cost->sched, &packet->item, cost->now_ticks >> 10) !=
	    SCHED_QUEUED)
		cost->free[cost->free_count++] = packet;
}

static void
offer_at_random(struct cost *cost)
{
	struct packet *burst[SIM_BATCH];
	unsigned count = 0;

	while (count < SIM_BATCH && cost->free_count) {
		struct packet *packet = cost->free[--cost->free_count];
		uint32_t leaf = sim_random_below(&cost->random, cost->classes);

		packet->item.charged_bytes = cost->bytes;
		packet->item.class_ref = cost->leaves[leaf];
		burst[count++] = packet;
	}
	cost_advance(cost, SIM_BATCH * cost->bytes, 0.9);
	for (unsigned i = 0; i < count; i++)
		offer(cost, burst[i]);
}

/* One turn of an owner's loop; returns the packets sent. */
static unsigned
turn(struct cost *cost, enum load load)
{
	struct qos_item *items[SIM_BATCH];
	unsigned count;

	if (load == LOAD_SPARSE)
		offer_at_random(cost);
	count = sched_dequeue(cost->sched, cost->now_ticks >> 10, items, SIM_BATCH,
	                      UINT32_MAX);
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = (struct packet *)(void *)items[i];

		if (load == LOAD_SPARSE)
			cost->free[cost->free_count++] = packet;
		else
			offer(cost, packet);
	}
	/* A batch's time on the link, which is what limits, by a little. */
	if (load != LOAD_SPARSE)
		cost_advance(cost, SIM_BATCH * cost->bytes, 1.02);
	return count;
}

static void
measure(struct cost *cost, enum load load)
{
	const struct sched_class_params root = {.ceil_bps = cost->link_bps};
	uint32_t capacity = cost->classes + 1200;
	void *memory = allocate(sched_memory_bytes(capacity));
	double best = 1e9, sum = 0;

	cost->now_ticks = 1ULL << 40;
	cost->random.state = 88172645463325252ULL;
	cost->sched = sched_init(memory, capacity, &root, cost->now_ticks >> 10);
	sched_set_quantum(cost->sched, cost->quantum);
	cost_make_tree(cost, load);
	cost->free_count = cost->packet_count;
	for (uint32_t i = 0; i < cost->packet_count; i++)
		cost->free[i] = &cost->packets[i];
	for (uint32_t i = 0; load != LOAD_SPARSE && i < cost->classes * DEPTH; i++) {
		struct packet *packet = cost->free[--cost->free_count];

		packet->item.charged_bytes = cost->bytes;
		packet->item.class_ref = cost->leaves[i % cost->classes];
		offer(cost, packet);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start_ns = cpu_ns(), packets = 0;
		double each;

		while (packets < ROUND_PACKETS)
			packets += turn(cost, load);
		each = (double)(cpu_ns() - start_ns) / (double)packets;
		best = each < best ? each : best;
		sum += each;
	}
	printf("%-32s best %6.1f ns, mean %6.1f ns per packet, target %u\n",
	       load_names[load], best, sum / ROUNDS, target_ns[load][cost->quantum != 0]);
	free(memory);
}

static uint64_t
argument(int argc, char **argv, int at, uint64_t otherwise)
{
	return at < argc ? strtoull(argv[at], NULL, 0) : otherwise;
}

int
main(int argc, char **argv)
{
	struct cost cost = {
		.classes = (uint32_t)argument(argc, argv, 1, 10000),
		.quantum = (uint32_t)argument(argc, argv, 2, 0),
		.bytes = (uint32_t)argument(argc, argv, 3, 64),
		.link_bps = argument(argc, argv, 4, 10) * SIM_GBPS,
		.levels = (uint32_t)argument(argc, argv, 5, 4),
	};
	enum load only = argument(argc, argv, 6, LOADS);

	if (!cost.classes || !cost.link_bps || cost.levels < 2 ||
	    cost.levels > SCHED_LEVELS_MAX + 1) {
		fprintf(stderr, "sched_cost: classes and link above 0, levels 2 to %d\n",
		        SCHED_LEVELS_MAX + 1);
		return 1;
	}
	cost.packet_count = cost.classes * DEPTH;
	cost.leaves = allocate(cost.classes * sizeof(*cost.leaves));
	cost.packets = allocate(cost.packet_count * sizeof(*cost.packets));
	cost.free = allocate(cost.packet_count * sizeof(struct packet *));
	printf("%u classes in %u levels, %u B, quantum %u B, %lu Gbit/s\n", cost.classes,
	       cost.levels, cost.bytes, cost.quantum,
	       (unsigned long)(cost.link_bps / SIM_GBPS));
	for (enum load load = 0; load < LOADS; load++)
		if (only == LOADS || load == only)
			measure(&cost, load);
	free(cost.free);
	free(cost.packets);
	free(cost.leaves);
	return 0;
}
