/* sched_test.c - lib/qos/sched: references, errors, counters, live changes. How well the
 * rates are kept is measured in tests/sim. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "qos/sched.h"
#include "qos/sched_state.h"

#define MBPS       1000000ULL
#define NS_PER_MS  1000000ULL
#define ITEMS      64
#define CAPACITY   32
#define ITEM_BYTES 1000

struct fixture {
	struct sched *sched;
	void *memory;
	uint64_t now_ns;
	struct qos_item items[ITEMS];
	struct qos_item *out[ITEMS];
};

static void *
dirty_memory(uint32_t capacity)
{
	size_t bytes = sched_memory_bytes(capacity);
	void *memory = aligned_alloc(CACHE_LINE_BYTES, bytes);

	assert_non_null(memory);
	assert_int_equal(bytes % CACHE_LINE_BYTES, 0);
	memset(memory, 0x5a, bytes);
	return memory;
}

static int
setup(void **state)
{
	const struct sched_class_params root = {.ceil_bps = 100 * MBPS};
	struct fixture *fix = calloc(1, sizeof(*fix));

	fix->memory = dirty_memory(CAPACITY);
	fix->now_ns = 5 * NS_PER_MS;
	fix->sched = sched_init(fix->memory, CAPACITY, &root, fix->now_ns);
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

static uint32_t
add(struct fixture *fix, uint32_t parent, bool is_leaf,
    const struct sched_class_params *params)
{
	static const struct sched_class_params none;
	uint32_t ref = 0;

	assert_int_equal(sched_class_add(fix->sched, parent, is_leaf,
	                                 params ? params : &none, fix->now_ns, &ref),
	                 0);
	return ref;
}

static uint32_t
add_leaf(struct fixture *fix)
{
	return add(fix, sched_root(fix->sched), true, NULL);
}

static enum sched_verdict
offer(struct fixture *fix, unsigned item, uint32_t ref)
{
	fix->items[item].charged_bytes = ITEM_BYTES;
	fix->items[item].class_ref = ref;
	return sched_enqueue(fix->sched, &fix->items[item], fix->now_ns);
}

static unsigned
dequeue(struct fixture *fix)
{
	return sched_dequeue(fix->sched, fix->now_ns, fix->out, ITEMS, UINT32_MAX);
}

static unsigned
dequeue_after_ms(struct fixture *fix, uint64_t ms)
{
	fix->now_ns += ms * NS_PER_MS;
	return dequeue(fix);
}

static void
test_items_of_a_class_come_out_in_order(void **state)
{
	struct fixture *fix = *state;
	uint32_t leaf = add_leaf(fix);
	unsigned got = 0;

	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(offer(fix, i, leaf), SCHED_QUEUED);
	assert_int_equal(sched_backlog_packets(fix->sched), 10);
	assert_int_equal(fix->items[3].enqueued_ns, fix->now_ns);
	while (got < 10) {
		unsigned n = dequeue_after_ms(fix, 1);

		for (unsigned i = 0; i < n; i++)
			assert_ptr_equal(fix->out[i], &fix->items[got++]);
	}
	assert_int_equal(sched_backlog_packets(fix->sched), 0);
	assert_true(sched_next_event_ns(fix->sched, fix->now_ns) == UINT64_MAX);
}

static void
test_dequeue_stops_at_items_bytes_and_the_link(void **state)
{
	struct fixture *fix = *state;
	uint32_t leaf = add_leaf(fix);
	uint64_t next_ns;

	for (unsigned i = 0; i < 40; i++)
		offer(fix, i, leaf);
	assert_int_equal(sched_dequeue(fix->sched, fix->now_ns, fix->out, 0, 9999), 0);
	assert_int_equal(sched_dequeue(fix->sched, fix->now_ns, fix->out, 1, 9999), 1);
	fix->now_ns += NS_PER_MS;
	assert_int_equal(sched_dequeue(fix->sched, fix->now_ns, fix->out, 9, 0), 0);
	/* 2000 bytes are not exceeded by two items: the third would do it. */
	assert_int_equal(sched_dequeue(fix->sched, fix->now_ns, fix->out, 9, 2000), 2);
	/* The link's burst of 3028 bytes is used up and owes what is beyond. */
	dequeue(fix);
	next_ns = sched_next_event_ns(fix->sched, fix->now_ns);
	assert_true(next_ns > fix->now_ns && next_ns < fix->now_ns + NS_PER_MS);
	fix->now_ns = next_ns - 1;
	assert_int_equal(dequeue(fix), 0);
	fix->now_ns = next_ns;
	assert_int_equal(dequeue(fix), 1);
}

static void
test_only_live_leaves_take_items(void **state)
{
	struct fixture *fix = *state;
	uint32_t leaf = add_leaf(fix), inner;
	struct sched_class_stats stats;
	struct qos_item *left;

	inner = add(fix, sched_root(fix->sched), false, NULL);
	assert_int_equal(offer(fix, 0, inner), SCHED_NO_CLASS);
	assert_int_equal(offer(fix, 0, sched_root(fix->sched)), SCHED_NO_CLASS);
	assert_int_equal(offer(fix, 0, 0), SCHED_NO_CLASS);
	assert_int_equal(offer(fix, 0, UINT32_MAX), SCHED_NO_CLASS);
	assert_int_equal(offer(fix, 0, leaf + (1U << 20)), SCHED_NO_CLASS);
	assert_int_equal(offer(fix, 0, leaf + 2), SCHED_NO_CLASS);
	assert_int_equal(sched_class_delete(fix->sched, leaf, fix->now_ns, &left), 0);
	assert_null(left);
	assert_int_equal(offer(fix, 0, leaf), SCHED_NO_CLASS);
	/* What the reference of the next class at this index will be names nobody yet. */
	assert_int_equal(offer(fix, 0, leaf + (1U << 20)), SCHED_NO_CLASS);
	assert_false(sched_class_get_stats(fix->sched, leaf, &stats));
	assert_int_equal(sched_backlog_packets(fix->sched), 0);
}

static void
test_a_stale_reference_never_reaches_the_next_class(void **state)
{
	struct fixture *fix = *state;
	uint32_t refs[CAPACITY];
	struct qos_item *left;

	for (unsigned i = 0; i < CAPACITY; i++)
		refs[i] = add_leaf(fix);
	/* Full: a new class can only take the index of a deleted one. */
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t old = refs[i % CAPACITY], now;

		assert_int_equal(sched_class_delete(fix->sched, old, fix->now_ns, &left),
		                 0);
		now = add_leaf(fix);
		assert_int_equal(now & 0xfffff, old & 0xfffff);
		assert_int_not_equal(now, old);
		assert_int_not_equal(now >> 20, 0);
		assert_int_equal(offer(fix, 0, old), SCHED_NO_CLASS);
		assert_int_equal(sched_class_delete(fix->sched, old, fix->now_ns, &left),
		                 -ENOENT);
		refs[i % CAPACITY] = now;
	}
	assert_int_equal(sched_class_count(fix->sched), CAPACITY);
}

static void
test_wrong_changes_are_refused_and_change_nothing(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params params = {.floor_bps = MBPS};
	uint32_t root = sched_root(fix->sched), leaf = add_leaf(fix), up = root, top = 0;
	uint32_t inner, ref = 77;
	struct qos_item *left;

	for (unsigned depth = 1; depth < SCHED_LEVELS_MAX; depth++) {
		up = add(fix, up, false, NULL);
		top = top ? top : up;
	}
	assert_int_equal(
		sched_class_add(fix->sched, up, false, &params, fix->now_ns, &ref),
		-EINVAL);
	assert_int_equal(
		sched_class_add(fix->sched, leaf, true, &params, fix->now_ns, &ref),
		-EINVAL);
	assert_int_equal(sched_class_add(fix->sched, 0, true, &params, fix->now_ns, &ref),
	                 -ENOENT);
	assert_int_equal(ref, 77);
	inner = add(fix, root, false, NULL);
	add(fix, up, true, NULL);
	assert_int_equal(sched_class_move(fix->sched, top, up, fix->now_ns), -EINVAL);
	assert_int_equal(sched_class_move(fix->sched, top, top, fix->now_ns), -EINVAL);
	assert_int_equal(sched_class_move(fix->sched, top, inner, fix->now_ns), -EINVAL);
	assert_int_equal(sched_class_move(fix->sched, inner, leaf, fix->now_ns), -EINVAL);
	assert_int_equal(sched_class_move(fix->sched, root, inner, fix->now_ns), -EINVAL);
	assert_int_equal(sched_class_move(fix->sched, 1, inner, fix->now_ns), -ENOENT);
	assert_int_equal(sched_class_set(fix->sched, 0, &params, fix->now_ns), -ENOENT);
	assert_int_equal(sched_class_delete(fix->sched, top, fix->now_ns, &left), -EBUSY);
	assert_int_equal(sched_class_delete(fix->sched, root, fix->now_ns, &left),
	                 -EBUSY);
	/* The deepest leaf still works. */
	assert_int_equal(sched_class_count(fix->sched), SCHED_LEVELS_MAX + 2);
}

static void
test_limits_drop_and_count(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params params = {.limit_packets = 3},
					bytes = {
						.limit_bytes = 2500,
					};
	uint32_t inner = add(fix, sched_root(fix->sched), false, NULL);
	uint32_t leaf = add(fix, inner, true, &params);
	struct sched_class_stats stats;

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(offer(fix, i, leaf),
		                 i < 3 ? SCHED_QUEUED : SCHED_CLASS_FULL);
	assert_int_equal(sched_class_set(fix->sched, leaf, &bytes, fix->now_ns), 0);
	assert_int_equal(offer(fix, 5, leaf), SCHED_CLASS_FULL);
	assert_true(sched_class_get_stats(fix->sched, leaf, &stats));
	assert_int_equal(stats.queued_packets, 3);
	assert_int_equal(stats.queued_bytes, 3 * ITEM_BYTES);
	assert_int_equal(stats.dropped_packets, 3);
	assert_int_equal(stats.dropped_bytes, 3 * ITEM_BYTES);
	assert_int_equal(stats.offered_packets, 6);
	assert_int_equal(stats.offered_bytes, 6 * ITEM_BYTES);
	assert_int_equal(stats.sent_packets, 0);
	/* A queue that has room takes an item of any size up to the largest. */
	dequeue_after_ms(fix, 1);
	fix->items[9].charged_bytes = SCHED_ITEM_BYTES_MAX + 1;
	fix->items[9].class_ref = leaf;
	assert_int_equal(sched_enqueue(fix->sched, &fix->items[9], fix->now_ns),
	                 SCHED_CLASS_FULL);
	fix->items[9].charged_bytes = SCHED_ITEM_BYTES_MAX;
	assert_int_equal(sched_enqueue(fix->sched, &fix->items[9], fix->now_ns),
	                 SCHED_QUEUED);
	assert_true(sched_class_get_stats(fix->sched, inner, &stats));
	assert_int_equal(stats.sent_packets, 3);
	assert_int_equal(stats.dropped_packets, 4);
}

static void
test_bytes_on_the_account_of_an_ancestor_are_borrowed(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params tenant_params = {.floor_bps = 40 * MBPS};
	const struct sched_class_params leaf_params = {.floor_bps = 10 * MBPS};
	uint32_t tenant = add(fix, sched_root(fix->sched), false, &tenant_params);
	uint32_t leaf = add(fix, tenant, true, &leaf_params);
	struct sched_class_stats leaf_stats, tenant_stats, root_stats;
	unsigned next = 0;

	/* Backlogged for one second: 10 Mbit/s its own, 40 - 10 the tenant's, and the
	 * rest of the link the root's. */
	for (unsigned i = 0; i < ITEMS; i++)
		offer(fix, i, leaf);
	for (unsigned ms = 0; ms < 10000; ms++) {
		fix->now_ns += NS_PER_MS / 10;
		for (unsigned n = dequeue(fix); n; n--, next++)
			offer(fix, next % ITEMS, leaf);
	}
	sched_class_get_stats(fix->sched, leaf, &leaf_stats);
	sched_class_get_stats(fix->sched, tenant, &tenant_stats);
	sched_class_get_stats(fix->sched, sched_root(fix->sched), &root_stats);
	assert_in_range(leaf_stats.sent_bytes, 12400000, 12600000);
	assert_int_equal(tenant_stats.sent_bytes, leaf_stats.sent_bytes);
	assert_int_equal(root_stats.sent_packets, leaf_stats.sent_packets);
	assert_in_range(leaf_stats.sent_bytes - leaf_stats.borrowed_bytes, 1240000,
	                1270000);
	assert_in_range(tenant_stats.sent_bytes - tenant_stats.borrowed_bytes, 4960000,
	                5060000);
	assert_int_equal(root_stats.borrowed_bytes, 0);
}

static void
test_delete_hands_back_what_is_queued(void **state)
{
	struct fixture *fix = *state;
	uint32_t leaf = add_leaf(fix), other = add_leaf(fix);
	struct qos_item *left;
	unsigned count = 0;

	for (unsigned i = 0; i < 8; i++)
		offer(fix, i, i < 5 ? leaf : other);
	assert_int_equal(sched_class_delete(fix->sched, leaf, fix->now_ns, &left), 0);
	for (; left; left = left->next)
		assert_ptr_equal(left, &fix->items[count++]);
	assert_int_equal(count, 5);
	assert_int_equal(sched_backlog_packets(fix->sched), 3);
	assert_int_equal(dequeue_after_ms(fix, 1), 3);
}

static void
test_relocation_keeps_classes_and_queues(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params params = {.ceil_bps = 8 * MBPS};
	uint32_t inner = add(fix, sched_root(fix->sched), false, &params), refs[CAPACITY];
	void *memory = dirty_memory(4 * CAPACITY);
	struct qos_item *left;
	uint32_t ref;

	for (unsigned i = 1; i < CAPACITY; i++)
		refs[i] = add(fix, inner, true, NULL);
	assert_int_equal(
		sched_class_add(fix->sched, inner, true, &params, fix->now_ns, &ref),
		-ENOSPC);
	for (unsigned i = 1; i < CAPACITY; i++)
		offer(fix, i, refs[i]);
	dequeue(fix);
	assert_null(sched_relocate(memory, CAPACITY - 1, fix->sched));
	fix->sched = sched_relocate(memory, 4 * CAPACITY, fix->sched);
	free(fix->memory);
	fix->memory = memory;
	assert_int_equal(sched_capacity(fix->sched), 4 * CAPACITY);
	assert_int_equal(sched_class_count(fix->sched), CAPACITY);
	for (unsigned i = 0; i < 3 * CAPACITY; i++) {
		ref = add(fix, inner, true, NULL);
		assert_int_equal(sched_class_delete(fix->sched, ref, fix->now_ns, &left),
		                 0);
	}
	for (unsigned i = 0; sched_backlog_packets(fix->sched); i++) {
		assert_true(i < 100);
		dequeue_after_ms(fix, 1);
	}
}

static void
test_a_parked_leaf_waits_and_others_do_not(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params params = {.floor_bps = 40 * MBPS};
	uint32_t inner = add(fix, sched_root(fix->sched), false, &params);
	uint32_t leaf = add(fix, inner, true, &params),
		 other = add(fix, inner, true, NULL);
	struct qos_item *left;

	for (unsigned i = 0; i < 20; i++)
		offer(fix, i, i < 10 ? leaf : other);
	sched_leaf_park(fix->sched, leaf, fix->now_ns + 5 * NS_PER_MS, fix->now_ns);
	for (unsigned got = 0; got < 10;) {
		unsigned n = dequeue(fix);

		for (unsigned i = 0; i < n; i++)
			assert_ptr_equal(fix->out[i], &fix->items[10 + got++]);
		fix->now_ns += NS_PER_MS / 10;
	}
	/* All of the others came out within 10 KB's time on the link, 0.8 ms. */
	assert_true(fix->now_ns < 6 * NS_PER_MS + NS_PER_MS / 10);
	assert_int_equal(dequeue(fix), 0);
	/* Change does not end it; nor does an item that comes meanwhile. */
	assert_int_equal(sched_class_set(fix->sched, leaf, &params, fix->now_ns), 0);
	offer(fix, 20, leaf);
	fix->now_ns = 10 * NS_PER_MS - 1;
	assert_int_equal(dequeue(fix), 0);
	/* The wheel is exact to a microsecond or two. */
	assert_in_range(sched_next_event_ns(fix->sched, fix->now_ns), 10 * NS_PER_MS,
	                10 * NS_PER_MS + 2100);
	fix->now_ns = sched_next_event_ns(fix->sched, fix->now_ns);
	assert_true(dequeue(fix) > 0);
	/* The last call counts, a second is the longest, the past lets go. */
	sched_leaf_park(fix->sched, leaf, UINT64_MAX, fix->now_ns);
	assert_int_equal(dequeue_after_ms(fix, 999), 0);
	assert_int_equal(dequeue_after_ms(fix, 1), 0);
	assert_true(dequeue_after_ms(fix, 1) > 0);
	sched_leaf_park(fix->sched, leaf, UINT64_MAX, fix->now_ns);
	assert_int_equal(dequeue_after_ms(fix, 9), 0);
	sched_leaf_park(fix->sched, leaf, fix->now_ns, fix->now_ns);
	assert_true(dequeue_after_ms(fix, 1) > 0);
	/* Parked while empty; inner and stale references are left alone. */
	while (sched_backlog_packets(fix->sched))
		dequeue_after_ms(fix, 1);
	sched_leaf_park(fix->sched, leaf, fix->now_ns + 3 * NS_PER_MS, fix->now_ns);
	sched_leaf_park(fix->sched, inner, fix->now_ns + 3 * NS_PER_MS, fix->now_ns);
	sched_leaf_park(fix->sched, 0, fix->now_ns + 3 * NS_PER_MS, fix->now_ns);
	offer(fix, 0, leaf);
	offer(fix, 1, other);
	assert_int_equal(dequeue_after_ms(fix, 1), 1);
	assert_ptr_equal(fix->out[0], &fix->items[1]);
	sched_leaf_park(fix->sched, leaf, fix->now_ns + 3 * NS_PER_MS, fix->now_ns);
	assert_int_equal(sched_class_delete(fix->sched, leaf, fix->now_ns, &left), 0);
	assert_ptr_equal(left, &fix->items[0]);
	assert_int_equal(dequeue_after_ms(fix, 9), 0);
}

/* A class that is often held back still has what its ceiling gives, and no more. */
static void
test_parking_and_a_ceiling_go_together(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params params = {.ceil_bps = 8 * MBPS,
	                                          .ceil_burst_bytes = 8000};
	uint32_t leaf = add(fix, sched_root(fix->sched), true, &params);
	unsigned sent = 0;

	for (unsigned i = 0; i < ITEMS; i++)
		offer(fix, i, leaf);
	/* Four of every five milliseconds parked; a millisecond is one item. */
	for (unsigned step = 0; step < 20000; step++) {
		if (step % 100 == 0)
			sched_leaf_park(fix->sched, leaf, fix->now_ns + 4 * NS_PER_MS,
			                fix->now_ns);
		fix->now_ns += NS_PER_MS / 20;
		for (unsigned n = dequeue(fix); n; n--, sent++) {
			assert_true(step % 100 >= 79);
			offer(fix, sent % ITEMS, leaf);
		}
	}
	assert_in_range(sent, 995, 1009);
}

/* The level whose floor paid is kept for whoever explains. */
static void
test_a_leaf_knows_who_paid_last(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params tenant_params = {.floor_bps = 80 * MBPS};
	const struct sched_class_params leaf_params = {.floor_bps = 10 * MBPS};
	uint32_t tenant = add(fix, sched_root(fix->sched), false, &tenant_params);
	uint32_t leaf = add(fix, tenant, true, &leaf_params);
	const struct sched_node *node = &fix->sched->nodes[leaf & REF_INDEX_MASK];
	unsigned seen[LENDER_ROOT + 1] = {0};

	for (unsigned i = 0; i < ITEMS; i++)
		offer(fix, i, leaf);
	for (unsigned n = 0; n < 1000;) {
		fix->now_ns += NS_PER_MS / 20;
		if (sched_dequeue(fix->sched, fix->now_ns, fix->out, 1, 9999)) {
			seen[node->lender_up]++;
			offer(fix, n++ % ITEMS, leaf);
		}
	}
	assert_in_range(seen[LENDER_OWN], 90, 115);
	assert_in_range(seen[1], 680, 720);
	assert_int_equal(seen[LENDER_OWN] + seen[1] + seen[LENDER_ROOT], 1000);
}

static void
test_an_idle_class_sends_at_once_whatever_its_age(void **state)
{
	struct fixture *fix = *state;
	const struct sched_class_params params = {.ceil_bps = MBPS, .floor_bps = MBPS};
	uint32_t leaf = add(fix, sched_root(fix->sched), true, &params);

	/* Years apart, and across the point where the tags wrap around. */
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(offer(fix, 0, leaf), SCHED_QUEUED);
		assert_int_equal(dequeue(fix), 1);
		fix->now_ns += 200ULL * 86400 * 1000 * NS_PER_MS;
	}
}

static bool
pass(struct fixture *fix, uint32_t ref, uint32_t bytes)
{
	struct qos_item *item = &fix->items[ITEMS - 1];

	item->charged_bytes = bytes;
	item->charged_packets = 1;
	item->class_ref = ref;
	return sched_pass(fix->sched, &item, 1, fix->now_ns) == 1;
}

static void
test_items_pass_only_while_nothing_waits_and_ceilings_are_open(void **state)
{
	const struct sched_class_params capped = {.ceil_bps = 8 * MBPS,
	                                          .ceil_burst_bytes = 3000};
	struct fixture *fix = *state;
	uint32_t inner = add(fix, sched_root(fix->sched), false, &capped);
	uint32_t leaf = add(fix, inner, true, NULL), other = add_leaf(fix);
	struct sched_class_stats stats;

	/* After a while, all have their bursts. */
	fix->now_ns += 100 * NS_PER_MS;
	assert_false(pass(fix, inner, 1000));
	assert_false(pass(fix, leaf + (1 << 20), 1000));
	/* A burst of 3000 bytes. */
	assert_true(pass(fix, leaf, 1500));
	assert_true(pass(fix, leaf, 1500));
	assert_false(pass(fix, leaf, 1500));
	assert_true(pass(fix, other, 1500));
	/* 1500 bytes are 1.5 ms at 8 Mbit/s. */
	fix->now_ns += NS_PER_MS;
	assert_true(pass(fix, leaf, 1500));
	assert_false(pass(fix, leaf, 1500));
	fix->now_ns += NS_PER_MS;
	assert_true(pass(fix, leaf, 1500));
	/* Something waits: nobody passes it, not even in another class. */
	assert_int_equal(offer(fix, 0, leaf), SCHED_QUEUED);
	assert_false(pass(fix, leaf, 1500));
	assert_false(pass(fix, other, 1500));
	assert_int_equal(dequeue_after_ms(fix, 3), 1);
	assert_true(pass(fix, other, 1500));
	assert_true(sched_class_get_stats(fix->sched, inner, &stats));
	assert_int_equal(stats.sent_packets, 5);
	assert_int_equal(stats.sent_bytes, 4 * 1500 + ITEM_BYTES);
	assert_true(sched_class_get_stats(fix->sched, leaf, &stats));
	assert_int_equal(stats.offered_packets, 5);
	assert_int_equal(stats.queued_packets, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_items_pass_only_while_nothing_waits_and_ceilings_are_open,
			setup, teardown),
		cmocka_unit_test_setup_teardown(test_items_of_a_class_come_out_in_order,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_dequeue_stops_at_items_bytes_and_the_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_live_leaves_take_items, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			test_a_stale_reference_never_reaches_the_next_class, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_wrong_changes_are_refused_and_change_nothing, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_limits_drop_and_count, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			test_bytes_on_the_account_of_an_ancestor_are_borrowed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_delete_hands_back_what_is_queued,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_relocation_keeps_classes_and_queues,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_parked_leaf_waits_and_others_do_not, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parking_and_a_ceiling_go_together,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_leaf_knows_who_paid_last, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			test_an_idle_class_sends_at_once_whatever_its_age, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
