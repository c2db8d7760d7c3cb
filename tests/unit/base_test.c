/* base_test.c - lib/base: containers, strings, numbers, log levels, pidfiles. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/daemon.h"
#include "base/heap.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

LOG_MODULE(base_test);

struct thing {
	struct hmap_node node;
	struct list link;
	int id;
};

static void
test_hmap_finds_iterates_and_removes(void **state)
{
	struct hmap map = HMAP_INIT;
	struct thing things[1000], *t;
	int n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		things[i].id = i;
		hmap_insert(&map, &things[i].node, hash_u64((uint64_t)i % 500, 0));
	}
	HMAP_FOR_EACH_WITH_HASH (t, node, hash_u64(7, 0), &map)
		n += t->id == 7 || t->id == 507;
	assert_int_equal(n, 2);
	n = 0;
	HMAP_FOR_EACH (t, node, &map) {
		n++;
		hmap_remove(&map, &t->node);
	}
	assert_int_equal(n, 1000);
	assert_int_equal(map.count, 0);
	assert_null(hmap_first(&map));
	hmap_destroy(&map);
}

/* Random keys, some of them equal; each step is checked against a search of all. */
static void
test_heap_has_the_least_first(void **state)
{
	struct heap heap = {0};
	struct heap_node nodes[200];
	bool is_in[200] = {false};
	uint32_t random = 1;

	(void)state;
	assert_null(heap_first(&heap));
	for (int step = 0; step < 20000; step++) {
		uint64_t least = UINT64_MAX;
		size_t n = 0;
		int i;

		random = random * 1664525 + 1013904223;
		i = (int)(random >> 8) % 200;
		if (!is_in[i])
			heap_insert(&heap, &nodes[i], random >> 20 & 255);
		else if (random & 1U << 30)
			heap_update(&heap, &nodes[i], random >> 20 & 255);
		else
			heap_remove(&heap, &nodes[i]);
		if (!is_in[i] || !(random & 1U << 30))
			is_in[i] = !is_in[i];
		for (int k = 0; k < 200; k++) {
			n += is_in[k];
			if (is_in[k] && nodes[k].key < least)
				least = nodes[k].key;
		}
		assert_int_equal(heap.n, n);
		if (n)
			assert_int_equal(heap_first(&heap)->key, least);
	}
	heap_destroy(&heap);
}

static void
test_list_keeps_order_and_survives_double_removal(void **state)
{
	struct list head;
	struct thing a = {.id = 1}, b = {.id = 2}, *t;
	int sum = 0;

	(void)state;
	list_init(&head);
	list_push_back(&head, &b.link);
	list_push_front(&head, &a.link);
	LIST_FOR_EACH (t, link, &head)
		sum = sum * 10 + t->id;
	assert_int_equal(sum, 12);
	list_remove(&a.link);
	list_remove(&a.link);
	assert_ptr_equal(list_pop_front(&head), &b.link);
	assert_null(list_pop_front(&head));
}

static void
test_numbers_are_parsed_whole_and_within_bounds(void **state)
{
	uint64_t u = 99;
	int64_t i = 99;

	(void)state;
	assert_true(parse_u64("0x10", 0, 100, &u) && u == 16);
	assert_false(parse_u64("10k", 0, 100, &u));
	assert_false(parse_u64("", 0, 100, &u));
	assert_false(parse_u64("-1", 0, UINT64_MAX, &u));
	assert_false(parse_u64("18446744073709551616", 0, UINT64_MAX, &u));
	assert_false(parse_u64("101", 0, 100, &u));
	assert_int_equal(u, 16);
	assert_true(parse_i64("-5", -5, 5, &i) && i == -5);
	assert_false(parse_i64("6", -5, 5, &i));
}

static void
test_str_grows_and_is_stolen(void **state)
{
	struct str s = STR_INIT;
	char *text;

	(void)state;
	assert_string_equal(str_text(&s), "");
	for (int i = 0; i < 100; i++)
		str_printf(&s, "%02d", i % 100);
	assert_int_equal(s.length, 200);
	text = str_steal(&s);
	assert_int_equal(strlen(text), 200);
	assert_string_equal(text + 190, "9596979899");
	free(text);
	str_free(&s);
}

static void
test_error_prefix_keeps_the_reason(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error_set(&err, -EINVAL, "bad %s", "mask"), -EINVAL);
	error_prefix(&err, "port %s", "vh0");
	assert_string_equal(err.text, "port vh0: bad mask");
}

static void
test_log_levels_are_set_by_word(void **state)
{
	struct str s = STR_INIT;
	struct error err;

	(void)state;
	assert_int_equal(log_set_levels("base_test:file:dbg", &err), 0);
	log_list_levels(&s);
	assert_non_null(
		strstr(str_text(&s), "base_test           info       off       dbg"));
	assert_int_equal(log_set_levels("nonsense:dbg", &err), -EINVAL);
	assert_non_null(strstr(err.text, "nonsense"));
	str_free(&s);
	log_dbg("not shown on the console");
}

static void
test_pidfile_is_locked_by_its_owner(void **state)
{
	char *path = xasprintf("/tmp/weir-base-test.%d.pid", (int)getpid());
	struct error err;
	int status;

	(void)state;
	assert_int_equal(daemon_pidfile_create(path, &err), 0);
	if (fork() == 0) {
		/* The kernel tells another process who holds the lock, and refuses it. */
		int seen = daemon_pidfile_read(path);

		_exit(seen == getppid() ? 0 : 1);
	}
	wait(&status);
	assert_int_equal(status, 0);
	daemon_pidfiles_remove();
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hmap_finds_iterates_and_removes),
		cmocka_unit_test(test_heap_has_the_least_first),
		cmocka_unit_test(test_list_keeps_order_and_survives_double_removal),
		cmocka_unit_test(test_numbers_are_parsed_whole_and_within_bounds),
		cmocka_unit_test(test_str_grows_and_is_stolen),
		cmocka_unit_test(test_error_prefix_keeps_the_reason),
		cmocka_unit_test(test_log_levels_are_set_by_word),
		cmocka_unit_test(test_pidfile_is_locked_by_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
