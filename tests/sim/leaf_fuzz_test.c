/* leaf_fuzz_test.c - leaves of all kinds under random load while they are added, changed,
 * deleted and moved to other memory: no packet is lost or counted twice, none overtakes
 * another of its flow, no leaf gets stuck. */
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
#define TREES 400
#endif

#define LEAVES    12
#define FLOWS     40
#define PACKETS   3000
#define ROUNDS    6000
#define CAPACITY  16
#define QUIET_MAX 300 /* wake-ups in a row that may give nothing */

struct model_leaf {
	uint32_t ref; /* 0: none */
	uint64_t in, out, dropped, refused, marked;
	uint64_t last[FLOWS]; /* number of the flow's last packet that came out */
};

struct fuzz {
	struct sim sim;
	struct model_leaf leaves[LEAVES];
	void *flows_memory;
	uint64_t number; /* of packets offered */
	uint64_t in, out, dropped, refused, handed_back, marked;
	uint64_t reasons[4]; /* by QOS_ITEM_DROPPED() / 4 */
};

static uint32_t
below(struct fuzz *fuzz, uint32_t limit)
{
	return sim_random_below(&fuzz->sim.random, limit);
}

static struct sched_class_params
random_params(struct fuzz *fuzz)
{
	return (struct sched_class_params){
		.floor_bps = below(fuzz, 2) ? (1 + below(fuzz, 50)) * SIM_MBPS : 0,
		.ceil_bps = below(fuzz, 2) ? (1 + below(fuzz, 200)) * SIM_MBPS : 0,
		.limit_packets = below(fuzz, 2) ? 0 : 1 + below(fuzz, 100),
		.limit_bytes = below(fuzz, 3) ? 0 : 1 + below(fuzz, 300000),
		.limit_ns = below(fuzz, 3) ? 0 : 1 + below(fuzz, 20000000),
		.codel = below(fuzz, 2),
		.codel_target_ns = below(fuzz, 2) ? 0 : below(fuzz, 2000000),
		.codel_interval_ns = below(fuzz, 2) ? 0 : 1 + below(fuzz, 20000000),
		.ecn = below(fuzz, 2),
		.fair = below(fuzz, 3) != 0,
	};
}

static struct model_leaf *
model_of(struct fuzz *fuzz, const struct qos_item *item)
{
	return &fuzz->leaves[((const struct sim_packet *)item)->source];
}

/* Checks that the packet comes after those of its flow before it. */
static void
check_order(struct fuzz *fuzz, const struct qos_item *item)
{
	uint64_t *last = &model_of(fuzz, item)->last[item->flow_hash];

	assert_true(((const struct sim_packet *)item)->offered_ns > *last);
	*last = ((const struct sim_packet *)item)->offered_ns;
}

static void
leaf_add(struct fuzz *fuzz, struct model_leaf *leaf)
{
	struct sched_class_params params = random_params(fuzz);

	memset(leaf, 0, sizeof(*leaf));
	assert_int_equal(sched_class_add(fuzz->sim.sched, sched_root(fuzz->sim.sched),
	                                 true, &params, fuzz->sim.now_ns, &leaf->ref),
	                 0);
}

/* Counters of the class and of the root against what was seen. */
static void
check_leaf(const struct fuzz *fuzz, const struct model_leaf *leaf)
{
	struct sched_class_stats stats;

	assert_true(sched_class_get_stats(fuzz->sim.sched, leaf->ref, &stats));
	assert_int_equal(stats.sent_packets, leaf->out);
	assert_int_equal(stats.dropped_packets, leaf->dropped + leaf->refused);
	assert_int_equal(stats.dropped_packets,
	                 stats.full_packets + stats.aged_packets + stats.codel_packets);
	assert_int_equal(stats.offered_packets, leaf->in);
	assert_int_equal(stats.marked_packets, leaf->marked);
}

static void
take_dropped(struct fuzz *fuzz)
{
	struct qos_item *item = sched_take_dropped(fuzz->sim.sched);

	while (item) {
		struct qos_item *next = item->next;

		assert_int_not_equal(QOS_ITEM_DROPPED(item->flags), 0);
		fuzz->reasons[QOS_ITEM_DROPPED(item->flags) / 4]++;
		model_of(fuzz, item)->dropped++;
		fuzz->dropped++;
		sim_packet_put(&fuzz->sim, (struct sim_packet *)item);
		item = next;
	}
}

static void
leaf_delete(struct fuzz *fuzz, struct model_leaf *leaf)
{
	struct qos_item *item;

	take_dropped(fuzz);
	check_leaf(fuzz, leaf);
	assert_int_equal(
		sched_class_delete(fuzz->sim.sched, leaf->ref, fuzz->sim.now_ns, &item),
		0);
	while (item) {
		struct qos_item *next = item->next;

		check_order(fuzz, item);
		assert_ptr_equal(model_of(fuzz, item), leaf);
		leaf->in--;
		fuzz->handed_back++;
		sim_packet_put(&fuzz->sim, (struct sim_packet *)item);
		item = next;
	}
	assert_int_equal(leaf->in, leaf->out + leaf->dropped + leaf->refused);
	leaf->ref = 0;
}

static void
relocate(struct fuzz *fuzz)
{
	uint32_t capacity = sched_capacity(fuzz->sim.sched) + below(fuzz, 2);
	size_t bytes = sched_memory_bytes(capacity);
	void *memory = aligned_alloc(CACHE_LINE_BYTES, bytes);

	assert_non_null(memory);
	memset(memory, 0x77, bytes);
	fuzz->sim.sched = sched_relocate(memory, capacity, fuzz->sim.sched);
	free(fuzz->sim.memory);
	fuzz->sim.memory = memory;
	free(fuzz->sim.sent_bytes);
	fuzz->sim.index_count = capacity + 1;
	fuzz->sim.sent_bytes = calloc(capacity + 1, sizeof(uint64_t));
	assert_non_null(fuzz->sim.sent_bytes);
}

static void
change_something(struct fuzz *fuzz)
{
	struct model_leaf *leaf = &fuzz->leaves[below(fuzz, LEAVES)];
	uint32_t dice = below(fuzz, 100);
	struct sched_class_params params = random_params(fuzz);

	if (!leaf->ref)
		leaf_add(fuzz, leaf);
	else if (dice < 70)
		assert_int_equal(sched_class_set(fuzz->sim.sched, leaf->ref, &params,
		                                 fuzz->sim.now_ns),
		                 0);
	else if (dice < 95)
		leaf_delete(fuzz, leaf);
	else
		relocate(fuzz);
}

static void
offer_some(struct fuzz *fuzz)
{
	uint32_t at = below(fuzz, LEAVES), flows = below(fuzz, 2) ? 3 : FLOWS;
	struct model_leaf *leaf = &fuzz->leaves[at];

	for (uint32_t n = below(fuzz, 30); leaf->ref && n && fuzz->sim.free; n--) {
		struct sim_packet *packet = sim_packet_get(&fuzz->sim);

		packet->source = at;
		packet->offered_ns = ++fuzz->number;
		packet->item.charged_bytes = sim_size(&fuzz->sim.random, SIM_SIZES_MIXED);
		packet->item.charged_packets = 1;
		packet->item.class_ref = leaf->ref;
		packet->item.flow_hash = below(fuzz, flows);
		packet->item.flags = below(fuzz, 2) ? QOS_ITEM_ECT : 0;
		leaf->in++;
		fuzz->in++;
		if (sched_enqueue(fuzz->sim.sched, &packet->item, fuzz->sim.now_ns) ==
		    SCHED_QUEUED)
			continue;
		leaf->refused++;
		fuzz->refused++;
		sim_packet_put(&fuzz->sim, packet);
	}
}

static unsigned
take_some(struct fuzz *fuzz)
{
	struct sim_packet *packets[SIM_BATCH];
	unsigned count = sim_dequeue(&fuzz->sim, packets);

	for (unsigned i = 0; i < count; i++) {
		const struct qos_item *item = &packets[i]->item;

		check_order(fuzz, item);
		assert_int_equal(QOS_ITEM_DROPPED(item->flags), 0);
		if (item->flags & QOS_ITEM_MARK) {
			assert_true(item->flags & QOS_ITEM_ECT);
			model_of(fuzz, item)->marked++;
			fuzz->marked++;
		}
		model_of(fuzz, item)->out++;
		fuzz->out++;
		sim_packet_put(&fuzz->sim, packets[i]);
	}
	return count;
}

/* Sleeps from event to event until all leaves are empty. */
static void
drain(struct fuzz *fuzz)
{
	struct sched *sched = fuzz->sim.sched;
	unsigned quiet = 0;

	while (sched_backlog_packets(sched)) {
		uint64_t next_ns = sched_next_event_ns(sched, fuzz->sim.now_ns);

		assert_true(next_ns != UINT64_MAX);
		if (next_ns > fuzz->sim.now_ns)
			fuzz->sim.now_ns = next_ns;
		quiet = take_some(fuzz) ? 0 : quiet + 1;
		take_dropped(fuzz);
		assert_true(quiet < QUIET_MAX);
	}
	assert_true(sched_next_event_ns(sched, fuzz->sim.now_ns) == UINT64_MAX);
}

static void
fuzz_tree(struct fuzz *fuzz, uint64_t seed)
{
	uint32_t flows;

	memset(fuzz->leaves, 0, sizeof(fuzz->leaves));
	sim_init(&fuzz->sim, CAPACITY, PACKETS, 100 * SIM_MBPS);
	fuzz->sim.random.state = seed;
	flows = 1 + below(fuzz, below(fuzz, 2) ? 16 : 500);
	fuzz->flows_memory = aligned_alloc(CACHE_LINE_BYTES, sched_flows_bytes(flows));
	assert_non_null(fuzz->flows_memory);
	sched_flows_attach(fuzz->sim.sched, fuzz->flows_memory, flows);
	sched_set_quantum(fuzz->sim.sched, below(fuzz, 2) ? 0 : below(fuzz, 100000));
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (!below(fuzz, 8))
			offer_some(fuzz);
		if (!below(fuzz, 40))
			change_something(fuzz);
		take_some(fuzz);
		/* Dropped packets may wait. */
		if (!below(fuzz, 3))
			take_dropped(fuzz);
		if (!below(fuzz, 2000))
			drain(fuzz);
		sim_step(&fuzz->sim);
		if (!below(fuzz, 20))
			fuzz->sim.now_ns += below(fuzz, 2000000);
	}
	take_dropped(fuzz);
	assert_int_equal(fuzz->in, fuzz->out + fuzz->dropped + fuzz->refused +
	                                   fuzz->handed_back +
	                                   sched_backlog_packets(fuzz->sim.sched));
	drain(fuzz);
	for (unsigned i = 0; i < LEAVES; i++)
		if (fuzz->leaves[i].ref)
			check_leaf(fuzz, &fuzz->leaves[i]);
	sim_destroy(&fuzz->sim);
	free(fuzz->flows_memory);
}

static void
test_leaves_of_all_kinds_lose_nothing(void **state)
{
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));
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
	}
	print_message("\n");
	printf("leaves of all kinds, %d trees: in %lu = out %lu (%lu marked) + refused %lu + dropped %lu (age %lu, pushed out %lu, CoDel %lu) + handed back %lu\n",
	       TREES, (unsigned long)fuzz->in, (unsigned long)fuzz->out,
	       (unsigned long)fuzz->marked, (unsigned long)fuzz->refused,
	       (unsigned long)fuzz->dropped, (unsigned long)fuzz->reasons[1],
	       (unsigned long)fuzz->reasons[2], (unsigned long)fuzz->reasons[3],
	       (unsigned long)fuzz->handed_back);
	/* Each way out was taken. */
	assert_true(fuzz->marked && fuzz->refused && fuzz->handed_back);
	assert_true(fuzz->reasons[1] && fuzz->reasons[2] && fuzz->reasons[3]);
	free(fuzz);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves_of_all_kinds_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
