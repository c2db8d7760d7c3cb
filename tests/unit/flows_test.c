/* flows_test.c - lib/qos/flows: the pool of queues, whose turn it is, what happens when
 * there are no queues left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "qos/flows.h"

#define FLOWS      8
#define ITEMS      4096
#define OWNER      7
#define FRAME      1514
#define RANDOM_OPS 200000

struct fixture {
	struct flow_pool pool;
	struct flow_set set;
	struct item_list before;
	void *memory;
	struct qos_item items[ITEMS];
	unsigned used;
};

static void
pool_make(struct fixture *fix, uint32_t flows)
{
	size_t bytes = flow_pool_bytes(flows);

	free(fix->memory);
	fix->memory = aligned_alloc(CACHE_LINE_BYTES, bytes);
	assert_non_null(fix->memory);
	memset(fix->memory, 0x5a, bytes);
	flow_pool_init(&fix->pool, fix->memory, flows);
	flow_set_init(&fix->set, OWNER);
}

static int
setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	pool_make(fix, FLOWS);
	*state = fix;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fix = *state;

	free(fix->memory);
	free(fix);
	return 0;
}

static struct qos_item *
put(struct fixture *fix, struct flow_set *set, uint32_t flow, uint32_t bytes)
{
	struct qos_item *item = &fix->items[fix->used++ % ITEMS];

	memset(item, 0, sizeof(*item));
	item->flow_hash = flow;
	item->charged_bytes = bytes;
	item->class_ref = fix->used; /* in order of arrival */
	flow_set_put(&fix->pool, set, item, &fix->before);
	return item;
}

static struct qos_item *
take(struct fixture *fix, struct flow_set *set)
{
	struct flow *flow = flow_set_first(&fix->pool, set);

	return flow ? flow_set_pop(&fix->pool, set, flow, true) : NULL;
}

static uint32_t
take_flow(struct fixture *fix)
{
	struct qos_item *item = take(fix, &fix->set);

	return item ? item->flow_hash : 0;
}

static void
test_flows_take_turns(void **state)
{
	struct fixture *fix = *state;

	for (unsigned i = 0; i < 4; i++)
		put(fix, &fix->set, 1, FRAME);
	for (unsigned i = 0; i < 4; i++)
		put(fix, &fix->set, 2, FRAME);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(take_flow(fix), 1);
		assert_int_equal(take_flow(fix), 2);
	}
	assert_int_equal(take_flow(fix), 0);
	assert_int_equal(fix->pool.idle, FLOWS);
}

static void
test_a_flow_that_was_idle_goes_first(void **state)
{
	struct fixture *fix = *state;

	for (unsigned flow = 1; flow <= 3; flow++)
		for (unsigned i = 0; i < 20; i++)
			put(fix, &fix->set, flow, FRAME);
	for (unsigned i = 0; i < 7; i++)
		take_flow(fix);
	put(fix, &fix->set, 9, 100);
	assert_int_equal(take_flow(fix), 9);
	/* Not again in the same round, ... */
	put(fix, &fix->set, 9, 100);
	for (unsigned i = 0; i < 2; i++)
		assert_int_not_equal(take_flow(fix), 9);
	assert_int_equal(take_flow(fix), 9);
	/* ... but after it. */
	for (unsigned i = 0; i < 5; i++)
		take_flow(fix);
	put(fix, &fix->set, 9, 100);
	assert_int_equal(take_flow(fix), 9);
}

static void
test_a_flow_is_new_for_one_frame_only(void **state)
{
	struct fixture *fix = *state;
	unsigned ahead = 0;

	for (unsigned i = 0; i < 40; i++)
		put(fix, &fix->set, 1, 1000);
	/* Leaves the first flow something of its turn. */
	for (unsigned i = 0; i < 3; i++)
		take_flow(fix);
	for (unsigned i = 0; i < 40; i++)
		put(fix, &fix->set, 2, 500);
	while (take_flow(fix) == 2)
		ahead++;
	assert_in_range(ahead, 3, 4);
}

static void
test_sizes_do_not_matter(void **state)
{
	static const uint32_t sizes[] = {64, 1514, 9000, 65549};
	struct fixture *fix = *state;
	uint64_t sent[ARRAY_SIZE(sizes)] = {0};

	fix->set.quantum_bytes = 65549;
	for (unsigned f = 0; f < ARRAY_SIZE(sizes); f++)
		put(fix, &fix->set, f + 1, sizes[f]),
			put(fix, &fix->set, f + 1, sizes[f]);
	for (unsigned i = 0; i < 1000000; i++) {
		struct qos_item *item = take(fix, &fix->set);
		uint32_t f = item->flow_hash - 1;

		sent[f] += item->charged_bytes;
		item->next = NULL;
		flow_set_put(&fix->pool, &fix->set, item, &fix->before);
	}
	/* 58 MB each; at most a turn apart. */
	for (unsigned f = 1; f < ARRAY_SIZE(sizes); f++)
		assert_in_range(sent[f] - sent[0] + 2 * 65549, 0, 4 * 65549);
	assert_true(sent[0] > 50000000);
}

static void
test_one_leaf_leaves_queues_to_others(void **state)
{
	struct fixture *fix = *state;
	struct flow_set other;

	flow_set_init(&other, OWNER + 1);
	for (unsigned flow = 1; flow <= 100; flow++)
		put(fix, &fix->set, flow, FRAME);
	assert_int_equal(fix->set.own_count, FLOWS / 2);
	assert_int_equal(fix->set.common.packets, 100 - FLOWS / 2);
	put(fix, &other, 1, FRAME);
	assert_int_equal(other.own_count, 1);
	/* The common queue has one flow's share. */
	for (unsigned i = 0; i < 2 * (FLOWS / 2); i++)
		take_flow(fix);
	assert_in_range(fix->set.common.packets, 100 - FLOWS / 2 - 5, 99 - FLOWS / 2);
}

static void
test_idle_flows_give_their_queue_away(void **state)
{
	struct fixture *fix = *state;

	for (unsigned flow = 1; flow <= 1000; flow++) {
		put(fix, &fix->set, flow, FRAME);
		assert_int_equal(fix->set.common.packets, 0);
		assert_int_equal(take_flow(fix), flow);
		assert_int_equal(fix->pool.idle, FLOWS);
	}
}

static void
test_a_long_flow_is_found(void **state)
{
	struct fixture *fix = *state;
	struct flow *flow;

	for (unsigned i = 0; i < 10; i++)
		put(fix, &fix->set, 1, FRAME);
	put(fix, &fix->set, 2, FRAME);
	flow = flow_set_longer(&fix->pool, &fix->set, 3);
	assert_non_null(flow);
	assert_int_equal(flow->hash, 1);
	assert_ptr_equal(flow_set_longer(&fix->pool, &fix->set, 2), flow);
	/* None is longer than itself. */
	assert_null(flow_set_longer(&fix->pool, &fix->set, 1));
	while (flow->packets)
		flow_set_pop(&fix->pool, &fix->set, flow, false);
	/* Nor does a flow give up its only packet. */
	assert_null(flow_set_longer(&fix->pool, &fix->set, 3));
}

static void
test_drain_gives_all(void **state)
{
	struct fixture *fix = *state;
	struct item_list items = {NULL, NULL};
	unsigned count = 0;

	for (unsigned i = 0; i < 60; i++)
		put(fix, &fix->set, i % 20, FRAME);
	take_flow(fix);
	flow_set_drain(&fix->pool, &fix->set, &items);
	for (struct qos_item *item = items.head; item; item = item->next)
		count++;
	assert_int_equal(count, 59);
	assert_int_equal(fix->set.packets, 0);
	assert_int_equal(fix->pool.idle, FLOWS);
	assert_null(flow_set_first(&fix->pool, &fix->set));
}

/* As a leaf does: what the set hands over goes first. */
static struct qos_item *
take_in_order(struct fixture *fix)
{
	struct qos_item *item = fix->before.head;

	if (!item)
		return take(fix, &fix->set);
	fix->before.head = item->next;
	return item;
}

/* More flows than queues come and go: packets of a flow never overtake each other, and
 * all come out. */
static void
test_a_flow_is_never_reordered(void **state)
{
	struct fixture *fix = *state;
	uint32_t last[64] = {0}, queued = 0, most_common = 0, handed_over = 0;

	srandom(1);
	for (unsigned i = 0; i < RANDOM_OPS; i++) {
		uint32_t fill = i / 2000 % 3 * 40;
		struct qos_item *item;

		if (queued < ITEMS / 2 && random() % 100 < 20 + fill) {
			bool had = fix->before.head != NULL;

			put(fix, &fix->set, (uint32_t)random() % 64,
			    64 + (uint32_t)random() % 3000);
			handed_over += !had && fix->before.head;
			queued++;
		} else if ((item = take_in_order(fix))) {
			assert_true(item->class_ref > last[item->flow_hash]);
			last[item->flow_hash] = item->class_ref;
			queued--;
		} else {
			assert_int_equal(queued, 0);
		}
		most_common = MAX_OF(most_common, fix->set.common.packets);
	}
	/* Both ways of falling back were tried. */
	assert_true(most_common > 100);
	assert_true(handed_over > 5);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_flows_take_turns),
		TEST(test_a_flow_that_was_idle_goes_first),
		TEST(test_a_flow_is_new_for_one_frame_only),
		TEST(test_sizes_do_not_matter),
		TEST(test_one_leaf_leaves_queues_to_others),
		TEST(test_idle_flows_give_their_queue_away),
		TEST(test_a_long_flow_is_found),
		TEST(test_drain_gives_all),
		TEST(test_a_flow_is_never_reordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
