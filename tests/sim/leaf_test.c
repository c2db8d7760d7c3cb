/* leaf_test.c - inside a leaf: CoDel keeps a standing queue short, marks instead of
 * dropping, flows of a fair leaf get equal shares and sparse ones go first. Its fuzz loop
 * is leaf_fuzz_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

#define FRAME   1514U
#define PACKETS 20000
#define MS      1000000ULL

#define SOURCES_MAX 16
#define DELAYS_MAX  200000

/* A tree of one leaf, and what came out of it. */
struct leaf {
	struct sim sim;
	uint32_t ref;
	void *flows_memory;
	uint64_t sent_bytes[SOURCES_MAX];
	uint64_t sent, dropped, marked;
	double delay_ns; /* sum over sent */
	uint64_t delays_ns[DELAYS_MAX];
	uint32_t delay_count;
};

static struct leaf *
leaf_make(struct sched_class_params params, uint64_t link_bps)
{
	struct leaf *leaf = calloc(1, sizeof(*leaf));

	assert_non_null(leaf);
	sim_init(&leaf->sim, 4, PACKETS, link_bps);
	leaf->flows_memory = aligned_alloc(CACHE_LINE_BYTES, sched_flows_bytes(64));
	assert_non_null(leaf->flows_memory);
	sched_flows_attach(leaf->sim.sched, leaf->flows_memory, 64);
	assert_int_equal(sched_class_add(leaf->sim.sched, sched_root(leaf->sim.sched),
	                                 true, &params, leaf->sim.now_ns, &leaf->ref),
	                 0);
	return leaf;
}

static void
leaf_free(struct leaf *leaf)
{
	sim_destroy(&leaf->sim);
	free(leaf->flows_memory);
	free(leaf);
}

/* What was measured until now is forgotten. */
static void
leaf_forget(struct leaf *leaf)
{
	memset(leaf->sent_bytes, 0, sizeof(leaf->sent_bytes));
	leaf->sent = leaf->dropped = leaf->marked = 0;
	leaf->delay_ns = 0;
	leaf->delay_count = 0;
}

/* False if it was refused; the packet is of flow 'source'. */
static bool
leaf_offer(struct leaf *leaf, uint32_t source, uint32_t bytes, unsigned flags)
{
	struct sim_packet *packet = sim_packet_get(&leaf->sim);

	assert_non_null(packet);
	packet->offered_ns = leaf->sim.now_ns;
	packet->source = source;
	packet->item.charged_bytes = bytes;
	packet->item.charged_packets = 1;
	packet->item.class_ref = leaf->ref;
	packet->item.flow_hash = source;
	packet->item.flags = flags & QOS_ITEM_FLAGS;
	if (sched_enqueue(leaf->sim.sched, &packet->item, leaf->sim.now_ns) ==
	    SCHED_QUEUED)
		return true;
	sim_packet_put(&leaf->sim, packet);
	return false;
}

/* Sends what may be sent, tells 'gone' of each packet, sent or dropped. */
static void
leaf_serve(struct leaf *leaf,
           void (*gone)(struct leaf *, const struct sim_packet *, bool sent, void *),
           void *context)
{
	struct sim_packet *packets[SIM_BATCH];
	unsigned count = sim_dequeue(&leaf->sim, packets);
	struct qos_item *item = sched_take_dropped(leaf->sim.sched);

	for (unsigned i = 0; i < count; i++) {
		uint64_t delay_ns = leaf->sim.now_ns - packets[i]->offered_ns;

		leaf->sent++;
		leaf->marked += (packets[i]->item.flags & QOS_ITEM_MARK) != 0;
		leaf->sent_bytes[packets[i]->source] += packets[i]->item.charged_bytes;
		leaf->delay_ns += (double)delay_ns;
		if (packets[i]->source == 0 && leaf->delay_count < DELAYS_MAX)
			leaf->delays_ns[leaf->delay_count++] = delay_ns;
		if (gone)
			gone(leaf, packets[i], true, context);
		sim_packet_put(&leaf->sim, packets[i]);
	}
	while (item) {
		struct sim_packet *packet = (struct sim_packet *)item;

		item = item->next;
		leaf->dropped++;
		if (gone)
			gone(leaf, packet, false, context);
		sim_packet_put(&leaf->sim, packet);
	}
}

static double
mean_delay_ms(const struct leaf *leaf)
{
	return leaf->delay_ns / (double)leaf->sent / 1e6;
}

/* ---- a source that does not respond ---- */

/* Offers 'load' of 100 Mbit/s for 40 s; the mean delay of the last 10 s. */
static double
unresponsive_delay_ms(bool codel, double load, uint64_t *dropped)
{
	struct leaf *leaf =
		leaf_make((struct sched_class_params){.ceil_bps = 100 * SIM_MBPS,
	                                              .limit_packets = 4000,
	                                              .limit_bytes = 64 << 20,
	                                              .codel = codel},
	                  SIM_GBPS);
	uint64_t start_ns = leaf->sim.now_ns, next_ns = start_ns;
	uint64_t gap_ns = (uint64_t)(FRAME * 8 * 10 / load);
	bool warm = false;
	double delay_ms;

	while (leaf->sim.now_ns < start_ns + 40000 * MS) {
		sim_step(&leaf->sim);
		for (; next_ns <= leaf->sim.now_ns; next_ns += gap_ns)
			leaf_offer(leaf, 1, FRAME, 0);
		leaf_serve(leaf, NULL, NULL);
		if (!warm && leaf->sim.now_ns > start_ns + 30000 * MS) {
			leaf_forget(leaf);
			warm = true;
		}
	}
	delay_ms = mean_delay_ms(leaf);
	*dropped = leaf->dropped;
	leaf_free(leaf);
	return delay_ms;
}

static void
test_codel_bounds_the_delay_of_an_unresponsive_source(void **state)
{
	uint64_t dropped, none;
	double fifo_ms = unresponsive_delay_ms(false, 1.05, &none);
	double codel_ms = unresponsive_delay_ms(true, 1.05, &dropped);

	(void)state;
	printf("CoDel, 5 %% too much from a source that does not care: mean delay %.2f ms (FIFO %.0f ms), %lu drops in 10 s\n",
	       codel_ms, fifo_ms, (unsigned long)dropped);
	assert_int_equal(none, 0);
	assert_true(fifo_ms > 300);
	assert_true(codel_ms < 12);
	assert_true(dropped > 3000 && dropped < 6000);
}

/* ---- sources that respond ---- */

#define AIMD_SOURCES 8
#define AIMD_RTT_NS  (30 * MS)
#define ACKS         65536U

/* Additive increase, multiplicative decrease, as TCP's. */
struct aimd_source {
	double window;
	uint32_t in_flight;
	uint64_t recover_ns; /* no second decrease before */
};

struct aimd {
	struct aimd_source sources[AIMD_SOURCES];
	struct {
		uint64_t at_ns;
		uint32_t source;
		bool congested;
	} acks[ACKS]; /* a ring: all take the same time */
	uint32_t first, count;
};

static void
aimd_gone(struct leaf *leaf, const struct sim_packet *packet, bool sent, void *context)
{
	struct aimd *aimd = context;
	uint32_t at = (aimd->first + aimd->count++) % ACKS;

	assert_true(aimd->count < ACKS);
	aimd->acks[at].at_ns = leaf->sim.now_ns + AIMD_RTT_NS;
	aimd->acks[at].source = packet->source;
	aimd->acks[at].congested = !sent || (packet->item.flags & QOS_ITEM_MARK);
}

static void
aimd_ack(struct aimd *aimd, uint64_t now_ns)
{
	struct aimd_source *source = &aimd->sources[aimd->acks[aimd->first].source];

	source->in_flight--;
	if (!aimd->acks[aimd->first].congested) {
		source->window += 1 / source->window;
	} else if (now_ns >= source->recover_ns) {
		source->window = source->window > 4 ? source->window / 2 : 2;
		source->recover_ns = now_ns + AIMD_RTT_NS;
	}
	aimd->first = (aimd->first + 1) % ACKS;
	aimd->count--;
}

static void
aimd_round(struct leaf *leaf, struct aimd *aimd, unsigned flags)
{
	sim_step(&leaf->sim);
	while (aimd->count && aimd->acks[aimd->first].at_ns <= leaf->sim.now_ns)
		aimd_ack(aimd, leaf->sim.now_ns);
	for (uint32_t i = 0; i < AIMD_SOURCES; i++) {
		struct aimd_source *source = &aimd->sources[i];

		while (source->in_flight < (uint32_t)source->window &&
		       leaf_offer(leaf, i, FRAME, flags))
			source->in_flight++;
		/* Refused: the window is too large in any case. */
		if (source->in_flight < (uint32_t)source->window &&
		    leaf->sim.now_ns >= source->recover_ns) {
			source->window /= 2;
			source->recover_ns = leaf->sim.now_ns + AIMD_RTT_NS;
		}
	}
	leaf_serve(leaf, aimd_gone, aimd);
}

/* 8 sources at 50 Mbit/s for 20 s, the last 15 measured. The caller frees the result. */
static struct leaf *
aimd_run(bool codel, bool fair, bool ecn)
{
	struct leaf *leaf =
		leaf_make((struct sched_class_params){.ceil_bps = 50 * SIM_MBPS,
	                                              .codel = codel,
	                                              .ecn = ecn,
	                                              .fair = fair},
	                  SIM_GBPS);
	struct aimd *aimd = calloc(1, sizeof(*aimd));
	uint64_t start_ns = leaf->sim.now_ns;

	assert_non_null(aimd);
	for (unsigned i = 0; i < AIMD_SOURCES; i++)
		aimd->sources[i].window = 10;
	while (leaf->sim.now_ns < start_ns + 5000 * MS)
		aimd_round(leaf, aimd, QOS_ITEM_ECT);
	leaf_forget(leaf);
	start_ns = leaf->sim.now_ns;
	while (leaf->sim.now_ns < start_ns + 15000 * MS)
		aimd_round(leaf, aimd, QOS_ITEM_ECT);
	free(aimd);
	return leaf;
}

static double
used_part(const struct leaf *leaf)
{
	return (double)leaf->sent * FRAME * 8 / 15 / (50.0 * SIM_MBPS);
}

static void
test_codel_keeps_responsive_sources_near_the_target(void **state)
{
	struct leaf *fifo = aimd_run(false, false, false);
	struct leaf *codel = aimd_run(true, false, false);

	(void)state;
	printf("CoDel, 8 AIMD sources: mean delay %.2f ms (FIFO %.0f ms), link used %.1f %%, %lu drops\n",
	       mean_delay_ms(codel), mean_delay_ms(fifo), 100 * used_part(codel),
	       (unsigned long)codel->dropped);
	assert_true(mean_delay_ms(fifo) > 50);
	assert_true(mean_delay_ms(codel) < 10);
	assert_true(used_part(codel) > 0.95);
	assert_true(codel->dropped > 10);
	leaf_free(fifo);
	leaf_free(codel);
}

static void
test_ecn_marks_instead_of_dropping(void **state)
{
	for (unsigned fair = 0; fair < 2; fair++) {
		struct leaf *leaf = aimd_run(true, fair, true);
		struct sched_class_stats stats, root;

		printf("CoDel with ECN%s: mean delay %.2f ms, link used %.1f %%, %lu marks, %lu drops\n",
		       fair ? ", fair" : "", mean_delay_ms(leaf), 100 * used_part(leaf),
		       (unsigned long)leaf->marked, (unsigned long)leaf->dropped);
		assert_int_equal(leaf->dropped, 0);
		assert_true(leaf->marked > 10);
		assert_true(mean_delay_ms(leaf) < 10);
		assert_true(used_part(leaf) > 0.95);
		assert_true(sched_class_get_stats(leaf->sim.sched, leaf->ref, &stats));
		assert_true(sched_class_get_stats(leaf->sim.sched,
		                                  sched_root(leaf->sim.sched), &root));
		assert_int_equal(stats.codel_packets, 0);
		assert_true(stats.marked_packets >= leaf->marked);
		assert_int_equal(root.marked_packets, stats.marked_packets);
		leaf_free(leaf);
	}
	(void)state;
}

/* ---- age ---- */

static void
test_old_packets_are_dropped_and_nothing_sticks(void **state)
{
	struct leaf *leaf =
		leaf_make((struct sched_class_params){.ceil_bps = 10 * SIM_MBPS,
	                                              .limit_ns = 10 * MS},
	                  SIM_GBPS);
	struct sched_class_stats stats;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 200; i++)
			leaf_offer(leaf, 0, FRAME, 0);
		/* Every other time all of them are too old when their turn comes. */
		leaf->sim.now_ns += round % 2 ? 11 * MS : 0;
		while (sched_backlog_packets(leaf->sim.sched)) {
			assert_true(sched_next_event_ns(leaf->sim.sched,
			                                leaf->sim.now_ns) != UINT64_MAX);
			sim_step(&leaf->sim);
			leaf_serve(leaf, NULL, NULL);
		}
		assert_true(sched_next_event_ns(leaf->sim.sched, leaf->sim.now_ns) ==
		            UINT64_MAX);
	}
	for (uint32_t i = 0; i < leaf->delay_count; i++)
		assert_true(leaf->delays_ns[i] <= 10 * MS);
	assert_true(sched_class_get_stats(leaf->sim.sched, leaf->ref, &stats));
	assert_int_equal(stats.aged_packets, leaf->dropped);
	assert_int_equal(stats.dropped_packets, leaf->dropped);
	assert_int_equal(stats.full_packets + stats.codel_packets, 0);
	assert_int_equal(leaf->sent + leaf->dropped, 20 * 200);
	/* 10 ms and the burst of 10 Mbit/s each time that not all are too old. */
	assert_in_range(leaf->sent, 10 * 8, 10 * 12);
	leaf_free(leaf);
}

/* ---- fair leaves ---- */

static int
compare_delays(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The p99 delay of a flow of one packet in about 5 ms beside one that floods the queue;
 * 'lost' gets how many of the sparse flow's packets were lost. */
static uint64_t
sparse_p99_ns(bool fair, unsigned *lost)
{
	struct leaf *leaf = leaf_make(
		(struct sched_class_params){.ceil_bps = 100 * SIM_MBPS, .fair = fair},
		SIM_GBPS);
	uint64_t start_ns = leaf->sim.now_ns, next_ns = start_ns + 100 * MS, p99_ns;

	*lost = 0;
	while (leaf->sim.now_ns < start_ns + 20000 * MS) {
		sim_step(&leaf->sim);
		for (unsigned i = 0; i < 10 && leaf_offer(leaf, 1, FRAME, 0); i++)
			;
		if (next_ns <= leaf->sim.now_ns) {
			*lost += !leaf_offer(leaf, 0, 200, 0);
			next_ns += 2 * MS + sim_random_below(&leaf->sim.random, 6 * MS);
		}
		leaf_serve(leaf, NULL, NULL);
	}
	assert_true(*lost + leaf->delay_count > 3000);
	if (!leaf->delay_count) {
		leaf_free(leaf);
		return 0;
	}
	qsort(leaf->delays_ns, leaf->delay_count, sizeof(leaf->delays_ns[0]),
	      compare_delays);
	p99_ns = leaf->delays_ns[leaf->delay_count * 99 / 100];
	leaf_free(leaf);
	return p99_ns;
}

static void
test_a_sparse_flow_goes_before_a_flood(void **state)
{
	uint64_t packet_ns = FRAME * 8 * 10, stall_ns = 100000;
	unsigned fifo_lost, lost;
	uint64_t fifo_ns = sparse_p99_ns(false, &fifo_lost);
	uint64_t p99_ns = sparse_p99_ns(true, &lost);

	(void)state;
	printf("sparse flow beside a flood: p99 delay %lu us, %u lost (FIFO: %lu us, %u lost)\n",
	       (unsigned long)(p99_ns / 1000), lost, (unsigned long)(fifo_ns / 1000),
	       fifo_lost);
	assert_true(fifo_lost > 3000);
	assert_int_equal(lost, 0);
	assert_true(p99_ns <= 2 * packet_ns + stall_ns);
}

static void
test_flows_of_any_packet_size_share_equally(void **state)
{
	static const uint32_t sizes[] = {64, 64, 200, 1514, 1514, 9000, 65549, 65549};
	struct leaf *leaf = leaf_make((struct sched_class_params){.limit_bytes = 64 << 20,
	                                                          .limit_packets = 15000,
	                                                          .fair = true},
	                              SIM_GBPS);
	uint64_t start_ns = leaf->sim.now_ns;
	uint64_t offered[ARRAY_SIZE(sizes)] = {0};
	double worst = 0, each = 0;

	(void)state;
	while (leaf->sim.now_ns < start_ns + 10000 * MS) {
		struct sched_class_stats stats;

		sim_step(&leaf->sim);
		assert_true(sched_class_get_stats(leaf->sim.sched, leaf->ref, &stats));
		/* Each flow has enough for a stall of the loop. */
		for (uint32_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			for (; offered[i] < leaf->sent_bytes[i] + 300000;
			     offered[i] += sizes[i])
				assert_true(leaf_offer(leaf, i, sizes[i], 0));
		}
		leaf_serve(leaf, NULL, NULL);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(sizes); i++)
		each += (double)leaf->sent_bytes[i] / ARRAY_SIZE(sizes);
	for (uint32_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		double error = (double)leaf->sent_bytes[i] / each - 1;

		worst = error > worst ? error : -error > worst ? -error : worst;
	}
	printf("8 flows of 64 B to 64 KB in a fair leaf: %.1f MB each in 10 s, at most %.3f %% off\n",
	       each / 1e6, worst * 100);
	assert_true(each * 8 > 1.2e9);
	assert_true(worst < 0.01);
	leaf_free(leaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codel_bounds_the_delay_of_an_unresponsive_source),
		cmocka_unit_test(test_codel_keeps_responsive_sources_near_the_target),
		cmocka_unit_test(test_ecn_marks_instead_of_dropping),
		cmocka_unit_test(test_old_packets_are_dropped_and_nothing_sticks),
		cmocka_unit_test(test_a_sparse_flow_goes_before_a_flood),
		cmocka_unit_test(test_flows_of_any_packet_size_share_equally),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
