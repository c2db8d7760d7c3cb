/* classifier_test.c - rules of many masks come, change and go while other threads look
 * up: each version answers as a plain search does; how many tuples there are, how many
 * rules share a place, and that nothing is left. WEIR_TEST_ROUNDS sets how many versions
 * are published. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/classifier_private.h"
#include "datapath/rcu.h"
#include "datapath/ruleset.h"
#include "tests/support/random_rules.h"

#define ROUNDS    1500
#define RULES_MAX 600
#define KEYS      32
#define READERS   2
#define NONE      (-1)

static uint32_t bridge_id;

static struct tuple_list *
tuples(void)
{
	struct classifier *classifier = &bridges[bridge_id]->tables[0]->classifier;

	classifier_publish(classifier);
	return classifier->tuples;
}

/* ---- rules of many masks, of few addresses ---- */

static void
random_address(uint8_t *address)
{
	for (unsigned i = 0; i < 4; i++)
		address[i] = (uint8_t)(below(3) * 0x55);
}

static void
random_prefix(uint8_t *key, uint8_t *mask)
{
	unsigned n_bits = below(4) ? below(33) : 0;

	random_address(key);
	for (unsigned i = 0; i < 4; i++) {
		unsigned bits = n_bits > 8 * i ? MIN_OF(n_bits - 8 * i, 8) : 0;

		mask[i] = (uint8_t)(0xff00 >> bits);
		key[i] &= mask[i];
	}
}

static void
random_ports(uint16_t *key, uint16_t *mask)
{
	if (below(2))
		return;
	*mask = (uint16_t)(below(2) ? UINT16_MAX : 0xffffU << below(8));
	*key = (uint16_t)(below(4) * 0x41 & *mask);
}

static void
random_acl_match(struct flow_match *match)
{
	struct flow_fields *key = &match->key.f, *mask = &match->mask.f;

	memset(match, 0, sizeof(*match));
	if (below(8))
		flow_match_set_u64(match, FIELD_ETH_TYPE, 0x0800);
	if (below(2))
		flow_match_set_u64(match, FIELD_IP_PROTO, below(2) ? 6 : 17);
	random_prefix(key->ip_src, mask->ip_src);
	random_prefix(key->ip_dst, mask->ip_dst);
	random_ports(&key->tp_src, &mask->tp_src);
	random_ports(&key->tp_dst, &mask->tp_dst);
}

static void
random_acl_key(struct flow_key *key)
{
	memset(key, 0, sizeof(*key));
	key->f.eth_type = 0x0800;
	key->f.ip_proto = below(2) ? 6 : 17;
	random_address(key->f.ip_src);
	random_address(key->f.ip_dst);
	key->f.tp_src = (uint16_t)(below(4) * 0x41);
	key->f.tp_dst = (uint16_t)(below(4) * 0x41);
}

/* ---- what a plain search finds ---- */

struct plain_rule {
	struct dp_rule *handle;
	struct flow_match match;
	uint16_t priority;
};

static struct plain_rule rules[RULES_MAX];
static unsigned n_rules;

static void
plain_add(const struct flow_match *match, uint16_t priority)
{
	struct plain_rule *rule = &rules[n_rules++];
	struct dp_rule_config config;
	struct error err = {""};

	memset(&config, 0, sizeof(config));
	rule->match = config.match = *match;
	rule->priority = config.priority = priority;
	if (dp_rule_add(bridge_id, &config, &rule->handle, &err) < 0)
		fail_msg("%s", err.text);
}

static void
plain_del(unsigned i)
{
	dp_rule_del(rules[i].handle);
	rules[i] = rules[--n_rules];
}

static int
plain_find(const struct flow_key *key)
{
	int best = NONE;

	for (unsigned i = 0; i < n_rules; i++)
		if (rules[i].priority > best &&
		    flow_key_matches(key, &rules[i].match.key, &rules[i].match.mask))
			best = rules[i].priority;
	return best;
}

/* More come than go, or the other way round, so that tables fill and empty. */
static void
change_some(bool grows)
{
	struct error err;

	for (unsigned i = below(grows ? 20 : 5); i > 0 && n_rules < RULES_MAX; i--) {
		struct flow_match match;

		random_acl_match(&match);
		plain_add(&match, (uint16_t)below(1000));
	}
	for (unsigned i = below(grows ? 5 : 20); i > 0 && n_rules > 0; i--)
		plain_del(below(n_rules));
	for (unsigned i = below(5); i > 0 && n_rules > 0; i--)
		assert_int_equal(
			dp_rule_set(rules[below(n_rules)].handle, NULL, 0, 1, &err), 0);
}

/* ---- readers ---- */

static struct flow_key keys[KEYS];
/* What version 'first_version' + i answers; written before it is published. */
static int16_t (*answers)[KEYS];
static uint64_t first_version;
static _Atomic bool is_over;
static _Atomic uint64_t n_wrong, n_found;

static int
find(const struct pipeline *pipeline, const struct flow_key *key)
{
	const struct table *table = atomic_load_explicit(&bridges[bridge_id]->tables[0],
	                                                 memory_order_acquire);
	const struct rule *rule =
		table ? classifier_lookup(&table->classifier, pipeline->version, key)
		      : NULL;

	return rule ? rule->priority : NONE;
}

static void *
read_versions(void *arg)
{
	unsigned id = (unsigned)(uintptr_t)arg;

	rte_rcu_qsbr_thread_register(rcu_state, id);
	rte_rcu_qsbr_thread_online(rcu_state, id);
	while (!is_over) {
		const struct pipeline *pipeline = atomic_load_explicit(
			&bridges[bridge_id]->pipeline, memory_order_acquire);
		const int16_t *want = answers[pipeline->version - first_version];

		for (unsigned k = 0; k < KEYS; k++) {
			int found = find(pipeline, &keys[k]);

			n_wrong += found != want[k];
			n_found += found != NONE;
		}
		rte_rcu_qsbr_quiescent(rcu_state, id);
	}
	rte_rcu_qsbr_thread_offline(rcu_state, id);
	rte_rcu_qsbr_thread_unregister(rcu_state, id);
	return NULL;
}

static void
answer_version(uint64_t version)
{
	for (unsigned k = 0; k < KEYS; k++)
		answers[version - first_version][k] = (int16_t)plain_find(&keys[k]);
}

static void
test_each_version_answers_as_a_search_does(void **state)
{
	const char *wanted = getenv("WEIR_TEST_ROUNDS");
	unsigned rounds = wanted ? (unsigned)atoi(wanted) : ROUNDS;
	struct bridge *bridge = bridges[bridge_id];
	pthread_t readers[READERS];

	(void)state;
	answers = xcalloc(rounds + 2, sizeof(*answers));
	first_version = bridge->pipeline->version;
	for (unsigned k = 0; k < KEYS; k++)
		random_acl_key(&keys[k]);
	answer_version(first_version);
	for (unsigned i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_versions,
		                                (void *)(uintptr_t)i),
		                 0);
	for (unsigned round = 0; round < rounds; round++) {
		change_some(round % 300 < 150);
		answer_version(bridge->next_version);
		dp_publish(bridge_id);
		for (unsigned k = 0; k < KEYS; k++)
			n_wrong +=
				find(bridge->pipeline, &keys[k]) != plain_find(&keys[k]);
	}
	is_over = true;
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	dp_synchronize();
	assert_int_equal(n_wrong, 0);
	assert_true(n_found > 0);
	free(answers);
}

/* ---- tuples ---- */

static void
del_all(void)
{
	while (n_rules)
		plain_del(0);
	dp_publish(bridge_id);
	rcu_drain();
}

static void
test_nothing_is_left(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RULES_MAX; i++) {
		struct flow_match match;

		random_acl_match(&match);
		plain_add(&match, (uint16_t)below(1000));
	}
	del_all();
	assert_int_equal(tuples()->n, 0);
	assert_int_equal(bridges[bridge_id]->tables[0]->classifier.masks.count, 0);
}

static void
test_few_masks_are_not_merged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		struct flow_match match;

		memset(&match, 0, sizeof(match));
		/* The widest first, which could take all others. */
		flow_match_set_u64(&match, FIELD_ETH_TYPE, 0x0800);
		for (unsigned f = 0; f < i % TUPLES_UNMERGED; f++)
			flow_match_set_u64(&match, FIELD_REG0 + 2 * f, i);
		plain_add(&match, 1);
	}
	assert_int_equal(tuples()->n, TUPLES_UNMERGED);
	for (unsigned i = 0; i < tuples()->n; i++)
		assert_int_equal(tuples()->at[i].tuple->n_rules, 40 / TUPLES_UNMERGED);
	del_all();
}

/* Rules of 400 masks, pairs of prefixes. */
static void
add_pairs_of_prefixes(void)
{
	for (unsigned i = 0; i < 400; i++) {
		struct flow_match match;

		memset(&match, 0, sizeof(match));
		flow_match_set_u64(&match, FIELD_ETH_TYPE, 0x0800);
		flow_match_set_u64(&match, FIELD_TCP_DST, i);
		match.mask.f.ip_src[3] = (uint8_t)(i % 20);
		match.mask.f.ip_dst[3] = (uint8_t)(i / 20);
		plain_add(&match, (uint16_t)(1 + i % 7));
	}
}

/* As many lists as masks would be their square in memory, until workers let go of them.
 */
static void
test_new_masks_share_a_list(void **state)
{
	const struct classifier *classifier;
	const struct tuple_list *before;
	struct flow_match match;

	(void)state;
	memset(&match, 0, sizeof(match));
	plain_add(&match, 0);
	dp_publish(bridge_id);
	classifier = &bridges[bridge_id]->tables[0]->classifier;
	before = classifier->tuples;
	for (unsigned i = 1; i < 60; i++) {
		memset(&match, 0, sizeof(match));
		match.mask.f.metadata = match.key.f.metadata = 1ULL << i;
		plain_add(&match, (uint16_t)i);
	}
	assert_ptr_equal(classifier->tuples, before);
	assert_int_equal(before->n, 1);
	assert_int_equal(classifier->filled.n, tuples()->n);
	for (unsigned i = 1; i < tuples()->n; i++)
		assert_true(tuples()->at[i - 1].max_priority >=
		            tuples()->at[i].max_priority);
	del_all();
	assert_int_equal(tuples()->n, 0);
}

static void
test_many_masks_share_tuples(void **state)
{
	(void)state;
	add_pairs_of_prefixes();
	assert_in_range(tuples()->n, 1, 2 * TUPLES_UNMERGED);
	del_all();
}

/* However many would fit, only so many stand at one place of a tuple that is not of
 * their own mask. */
static void
test_a_place_is_not_crowded(void **state)
{
	unsigned n_shared = 0;

	(void)state;
	add_pairs_of_prefixes();
	for (unsigned i = 0; n_rules < RULES_MAX; i++) {
		struct flow_match match;

		random_acl_match(&match);
		plain_add(&match, (uint16_t)i);
	}
	for (unsigned i = 0; i < tuples()->n; i++) {
		const struct tuple *tuple = tuples()->at[i].tuple;

		for (unsigned s = 0; s <= tuple->hash->mask; s++) {
			const struct rule *rule = tuple->hash->slots[s].rules;
			unsigned n = 0;

			for (; rule && rule != SLOT_LEFT; rule = rule->next)
				n += rule->mask != tuple->mask;
			assert_in_range(n, 0, TUPLE_BESIDE_MAX);
			n_shared += n;
		}
	}
	assert_true(n_shared > RULES_MAX / 2);
	del_all();
}

/* ---- ---- */

/* Without EAL: memory of any kind will do. */
static int
setup(void **state)
{
	struct dp_bridge_config config = {.name = "br0"};
	size_t bytes = rte_rcu_qsbr_get_memsize(READERS);
	struct error err = {""};

	(void)state;
	rcu_state = xcalloc_cacheline(bytes);
	if (rte_rcu_qsbr_init(rcu_state, READERS) != 0)
		return -1;
	if (dp_bridge_add(&config, &bridge_id, &err) < 0)
		return -1;
	/* It begins with a rule for all. */
	dp_bridge_clear_rules(bridge_id);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dp_bridge_del(bridge_id);
	rcu_drain();
	free(rcu_state);
	rcu_state = NULL;
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_version_answers_as_a_search_does),
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_few_masks_are_not_merged),
		cmocka_unit_test(test_new_masks_share_a_list),
		cmocka_unit_test(test_many_masks_share_tuples),
		cmocka_unit_test(test_a_place_is_not_crowded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
