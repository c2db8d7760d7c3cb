/* cache_oracle_test.c - what the flow cache knows is what a walk comes to, whatever
 * changed meanwhile: random tables, and rules, groups and misses that change between the
 * packets, published or not yet. WEIR_TEST_ORACLE_PAIRS sets how many answers of the
 * cache are compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/bridge.h"
#include "datapath/cache.h"
#include "datapath/program.h"
#include "datapath/ruleset.h"
#include "datapath/table.h"
#include "datapath/walk.h"
#include "datapath/worker.h"
#include "tests/support/dummy_net.h"
#include "tests/support/program_text.h"
#include "tests/support/random_rules.h"

#define PAIRS     200000ULL
#define RULES_MAX 80
#define KEYS      48
#define ROUNDS    60
#define WORKER    (DP_WORKERS_MAX - 1) /* none that runs */

static struct cache *cache;
static struct walk *walk;

static struct random_rule rules[RULES_MAX];
static unsigned n_rules;

struct oracle {
	uint64_t pairs, kept, out_of_date, with_program;
};

/* Packets that come again and again, and the generation at which each was seen last. */
static struct flow_key keys[KEYS];
static uint64_t seen[KEYS];

/* ---- changes ---- */

static void
change_rule(void)
{
	unsigned i = n_rules ? below(n_rules) : 0;

	switch (below(3)) {
	case 0:
		if (n_rules == RULES_MAX)
			break;
		rule_add_distinct(bridge, &rules[n_rules++]);
		break;
	case 1:
		if (n_rules == 0)
			break;
		dp_rule_del(rules[i].rule);
		rules[i] = rules[--n_rules];
		break;
	default:
		if (n_rules > 0)
			rule_set_random(&rules[i]);
		break;
	}
}

static void
change_something(void)
{
	switch (below(20)) {
	case 0:
		group_set_random(bridge, below(RANDOM_GROUPS));
		break;
	case 1:
		dp_group_del(bridge, below(RANDOM_GROUPS));
		break;
	case 2:
		dp_table_set_miss(bridge, (uint8_t)below(RANDOM_TABLES),
		                  (enum dp_miss)below(3));
		break;
	case 3:
		bridge_refresh(bridges[bridge]);
		break;
	case 4:
	case 5:
		limit_set_random(bridge);
		break;
	default:
		change_rule();
		break;
	}
}

/* ---- comparison ---- */

static void
compare_path(const struct cache_entry *entry, const struct pipeline *pipeline,
             const struct oracle *oracle)
{
	const struct path *path = cache_path(cache, entry);
	struct str text = STR_INIT;

	if (path->bytes == walk->bytes && path->drop == walk->drop &&
	    path->n_tallies == walk->n_tallies &&
	    !memcmp(path_program(path), walk->program, walk->bytes) &&
	    !memcmp(path->tallies, walk->tallies,
	            walk->n_tallies * sizeof(walk->tallies[0])))
		return;
	program_format(&text, path_program(path), path->bytes);
	str_append(&text, "\n  walk: ");
	program_format(&text, walk->program, walk->bytes);
	fail_msg("after %llu pairs, at version %llu, the cache has: %s",
	         (unsigned long long)oracle->pairs, (unsigned long long)pipeline->version,
	         str_text(&text));
}

/* As pipeline.c takes a packet. */
static void
take_packet(unsigned k, struct oracle *oracle)
{
	const struct pipeline *pipeline = bridges[bridge]->pipeline;
	uint64_t words[FLOW_PACKET_WORDS];
	uint32_t hash = cache_key(pipeline, &keys[k], words);
	struct cache_entry *entry = cache_find(cache, pipeline, words, hash);

	walk_packet(walk, pipeline, &keys[k], 100);
	if (entry) {
		oracle->pairs++;
		oracle->kept += seen[k] != pipeline->generation;
		oracle->with_program += walk->bytes > 0;
		entry->packets++;
		compare_path(entry, pipeline, oracle);
	} else if (walk->is_cacheable) {
		oracle->out_of_date += seen[k] && seen[k] != pipeline->generation;
		/* Twice: the first time it may only be noted. */
		cache_insert(cache, pipeline, words, hash, walk);
		cache_insert(cache, pipeline, words, hash, walk);
	}
	seen[k] = pipeline->generation;
}

static void
begin_bridge(void)
{
	unsigned n = 1 + below(RULES_MAX);

	dp_bridge_clear_rules(bridge);
	for (unsigned i = 0; i < RANDOM_GROUPS; i++)
		if (below(2))
			group_set_random(bridge, i);
	for (n_rules = 0; n_rules < n; n_rules++)
		rule_add_distinct(bridge, &rules[n_rules]);
	for (uint8_t t = 0; t < RANDOM_TABLES; t++)
		dp_table_set_miss(bridge, t, (enum dp_miss)below(3));
	dp_publish(bridge);
	for (unsigned k = 0; k < KEYS; k++) {
		random_key(&keys[k]);
		seen[k] = 0;
	}
}

static void
test_the_cache_knows_what_a_walk_comes_to(void **state)
{
	const char *wanted = getenv("WEIR_TEST_ORACLE_PAIRS");
	uint64_t pairs = wanted ? strtoull(wanted, NULL, 10) : PAIRS;
	struct oracle oracle = {0};

	(void)state;
	while (oracle.pairs < pairs) {
		begin_bridge();
		for (unsigned round = 0; round < ROUNDS; round++) {
			for (unsigned n = below(6); n > 0; n--)
				change_something();
			if (below(4))
				dp_publish(bridge);
			/* Some keys are seen seldom: more changes lie between. */
			for (unsigned k = 0; k < KEYS; k++)
				if (below(KEYS) >= k / 2)
					take_packet(k, &oracle);
		}
	}
	print_message("%llu pairs, %llu kept over changes, %llu walked again, %llu with "
	              "actions\n",
	              (unsigned long long)oracle.pairs, (unsigned long long)oracle.kept,
	              (unsigned long long)oracle.out_of_date,
	              (unsigned long long)oracle.with_program);
	/* Both were put to the test. */
	assert_true(oracle.kept > oracle.pairs / 10);
	assert_true(oracle.out_of_date > oracle.pairs / 100);
	assert_true(oracle.with_program > oracle.pairs / 100);
}

/* ---- what must stay ---- */

static struct dp_rule *
add_exact(uint8_t table, uint8_t host, const void *actions, size_t bytes)
{
	static struct dp_rule_config config;
	struct dp_rule *rule = NULL;
	struct error err = {""};

	memset(&config, 0, sizeof(config));
	config.table = table;
	config.priority = 1;
	if (host) {
		config.match.key.f.ip_dst[3] = host;
		config.match.mask.f.ip_dst[3] = 0xff;
	}
	config.actions = actions;
	config.actions_bytes = bytes;
	assert_int_equal(dp_rule_add(bridge, &config, &rule, &err), 0);
	return rule;
}

/* Whether the packet of 'host' is still known; walks it if not. */
static bool
is_known(uint8_t host)
{
	const struct pipeline *pipeline = bridges[bridge]->pipeline;
	struct flow_key key = {.f = {.actset_output = FLOW_PORT_UNSET}};
	uint64_t words[FLOW_PACKET_WORDS];
	uint32_t hash;

	key.f.in_port = 1;
	key.f.ip_dst[3] = host;
	hash = cache_key(pipeline, &key, words);
	if (cache_find(cache, pipeline, words, hash))
		return true;
	walk_packet(walk, pipeline, &key, 100);
	cache_insert(cache, pipeline, words, hash, walk);
	cache_insert(cache, pipeline, words, hash, walk);
	return false;
}

static void
test_changes_of_others_leave_entries(void **state)
{
	struct flow_number go = {.head = {ACTION_GOTO_TABLE, .bytes = sizeof(go)},
	                         .value = 1};
	struct dp_rule *mine, *other = NULL;
	unsigned kept = 0;

	(void)state;
	dp_bridge_clear_rules(bridge);
	add_exact(0, 0, &go, sizeof(go));
	mine = add_exact(1, 7, NULL, 0);
	add_exact(2, 0, NULL, 0);
	dp_publish(bridge);
	assert_false(is_known(7));
	assert_true(is_known(7));
	/* Of 200 other rules, published one by one, few look like this one's; more than
	 * are remembered may pass between two packets. */
	for (unsigned i = 0; i < 200; i++) {
		if (other)
			dp_rule_del(other);
		other = add_exact(1, (uint8_t)(8 + i), NULL, 0);
		dp_publish(bridge);
		kept += is_known(7);
	}
	assert_true(kept > 180);
	/* Another table, even for all packets. */
	assert_true(is_known(7) || is_known(7));
	add_exact(2, 7, NULL, 0);
	dp_publish(bridge);
	assert_true(is_known(7));
	for (unsigned i = 0; i < 2 * CHANGE_BATCHES; i++)
		dp_publish(bridge);
	assert_false(is_known(7));
	/* Its own. */
	dp_rule_del(mine);
	assert_true(is_known(7));
	dp_publish(bridge);
	assert_false(is_known(7));
}

static void
test_a_mask_that_came_once_stays_a_while(void **state)
{
	static struct dp_rule_config config;
	uint64_t layout;
	struct dp_rule *rule;
	struct error err;

	(void)state;
	dp_bridge_clear_rules(bridge);
	add_exact(0, 7, NULL, 0);
	config.table = 3;
	config.match.mask.f.tp_dst = 0xffff;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dp_rule_add(bridge, &config, &rule, &err), 0);
		dp_publish(bridge);
		if (i > 0)
			assert_int_equal(bridges[bridge]->pipeline->layout, layout);
		layout = bridges[bridge]->pipeline->layout;
		dp_rule_del(rule);
		dp_publish(bridge);
		assert_int_equal(bridges[bridge]->pipeline->layout, layout);
	}
	assert_int_equal(bridges[bridge]->pipeline->mask.f.tp_dst, 0xffff);
	/* What is not published yet is not narrowed for. */
	bridges[bridge]->wide_since_ns = 1;
	bridges_narrow();
	assert_int_equal(bridges[bridge]->pipeline->mask.f.tp_dst, 0);
	assert_int_equal(bridges[bridge]->pipeline->mask.f.ip_dst[3], 0xff);
	assert_int_not_equal(bridges[bridge]->pipeline->layout, layout);
	assert_int_equal(bridges[bridge]->wide_since_ns, 0);
}

/* ---- growth ---- */

#define GROWTH_FLOWS    200000
#define GROWTH_LIMIT_NS (30 * NSEC_PER_SEC)

static uint32_t
largest_cache(void)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i] && cache_n_entries(workers[i]->cache) > n)
			n = cache_n_entries(workers[i]->cache);
	return n;
}

static void
inject_flow(uint32_t port, uint32_t flow)
{
	uint8_t frame[64];
	size_t n = frame_make(frame, sizeof(frame), 1, 2, -1);

	memcpy(frame + 8, &flow, sizeof(flow)); /* the end of the source address */
	while (dp_dummy_inject(port, frame, n) != 0)
		dp_run();
}

static void
test_a_cache_that_is_too_small_grows(void **state)
{
	uint64_t begin_ns = clock_mono_ns(), injected = 0, packets, bytes, used_ns;
	static struct dp_rule_config config;
	uint32_t port = port_add("growth", NULL);
	struct dp_rule *all = NULL, *one = NULL;
	struct error err = {""};

	(void)state;
	dp_bridge_clear_rules(bridge);
	assert_int_equal(dp_rule_add(bridge, &config, &all, &err), 0);
	/* An entry for each source. */
	config.priority = 1;
	memset(config.match.mask.f.eth_src, 0xff, 6);
	assert_int_equal(dp_rule_add(bridge, &config, &one, &err), 0);
	dp_publish(bridge);
	assert_int_equal(largest_cache(), CACHE_ENTRIES_MIN);
	while (largest_cache() == CACHE_ENTRIES_MIN &&
	       clock_mono_ns() - begin_ns < GROWTH_LIMIT_NS) {
		for (int i = 0; i < 1000; i++)
			inject_flow(port, below(GROWTH_FLOWS));
		injected += 1000;
		dp_run();
	}
	assert_true(largest_cache() > CACHE_ENTRIES_MIN);
	/* None of what both caches counted is lost. */
	for (int i = 0; i < 1000; i++)
		inject_flow(port, below(100));
	injected += 1000;
	settle();
	dp_rule_get_stats(all, &packets, &bytes, &used_ns);
	assert_int_equal(packets, injected);
	dp_port_del(port);
}

static int
setup(void **state)
{
	if (dummy_net_start(state) < 0)
		return -1;
	walk = calloc(1, sizeof(*walk));
	cache = cache_create(WORKER, -1, CACHE_ENTRIES_MIN);
	tally_add_worker(WORKER);
	return walk && cache ? 0 : -1;
}

static int
teardown(void **state)
{
	tally_del_worker(WORKER);
	cache_destroy(cache);
	free(walk);
	return dummy_net_stop(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_of_others_leave_entries),
		cmocka_unit_test(test_a_mask_that_came_once_stays_a_while),
		cmocka_unit_test(test_a_cache_that_is_too_small_grows),
		cmocka_unit_test(test_the_cache_knows_what_a_walk_comes_to),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
