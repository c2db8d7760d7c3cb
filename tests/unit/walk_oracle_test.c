/* walk_oracle_test.c - what the flow cache stands on: bits that no rule reads never
 * change what a walk comes to; and the classifier finds what a plain search finds. Random
 * tables with all actions; WEIR_TEST_ORACLE_PAIRS sets how many pairs of packets are
 * compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/bridge.h"
#include "datapath/classifier.h"
#include "datapath/ruleset.h"
#include "datapath/walk.h"
#include "tests/support/program_text.h"
#include "tests/support/random_rules.h"

#define RULES_MAX 80
#define PAIRS     300000ULL
#define FLIPS     20 /* packets compared with each */
#define KEYS      40

static uint32_t bridge_id;
static struct walk *one, *two;

static bool
walks_equal(const struct walk *a, const struct walk *b)
{
	return a->bytes == b->bytes && a->n_tallies == b->n_tallies &&
	       a->drop == b->drop && a->is_cacheable == b->is_cacheable &&
	       !memcmp(a->program, b->program, a->bytes) &&
	       !memcmp(a->tallies, b->tallies, a->n_tallies * sizeof(a->tallies[0]));
}

static void
print_step(const struct dp_trace_step *step, void *aux)
{
	(void)aux;
	print_message("%*s%u: table %u, priority %u, action %d, %s\n",
	              (int)step->depth * 2, "", step->kind, step->table, step->priority,
	              step->action ? step->action->type : -1,
	              step->text ? step->text : "");
}

static void
print_fate(const struct dp_trace_fate *fate, void *aux)
{
	(void)aux;
	print_message("port %u, %s\n", fate->port_id, fate->reason ? fate->reason : "");
}

/* Says which word of the key it was, and what both walks did. */
static void
explain_difference(const struct pipeline *pipeline, const struct flow_key *key,
                   const struct flow_key *other)
{
	const struct dp_trace trace = {
		.key = *key, .length = 100, .step = print_step, .fate = print_fate};
	struct str text = STR_INIT;
	struct error err;

	for (size_t w = 0; w < FLOW_PACKET_WORDS; w++) {
		struct flow_key mixed = *key;

		mixed.words[w] = other->words[w];
		walk_packet(two, pipeline, &mixed, 100);
		if (!walks_equal(one, two))
			print_message("byte %zu: %016llx, not %016llx, mask %016llx\n",
			              w * 8, (unsigned long long)other->words[w],
			              (unsigned long long)key->words[w],
			              (unsigned long long)pipeline->mask.words[w]);
	}
	dp_trace(bridge_id, &trace, &err);
	str_printf(&text, "actions: ");
	program_format(&text, one->program, one->bytes);
	walk_packet(two, pipeline, other, 100);
	str_append(&text, "\n     not: ");
	program_format(&text, two->program, two->bytes);
	for (size_t i = 0; i < one->bytes && i < two->bytes; i += 8)
		if (one->program[i / 8] != two->program[i / 8])
			str_printf(&text, "\nfirst at %zu", i), i = one->bytes;
	print_message("%s\n", str_text(&text));
	str_free(&text);
}

struct oracle {
	uint64_t pairs, with_program, failed, suspended;
};

/* Packets that differ in bits outside of the mask alone. */
static void
compare_random_packets(const struct pipeline *pipeline, struct oracle *oracle)
{
	struct flow_key key, other;

	random_key(&key);
	/* What a packet does not carry walks get masked (pipeline.c), and write down.
	 */
	for (size_t w = PROGRAM_STATE_FROM; w < FLOW_PACKET_WORDS; w++)
		key.words[w] &= pipeline->mask.words[w];
	walk_packet(one, pipeline, &key, 100);
	oracle->with_program += one->bytes > 0;
	oracle->failed += one->has_failed;
	FLOW_ACTION_FOR_EACH(action, one->program, one->bytes)
	oracle->suspended += action->type == PROGRAM_WALK;
	for (int i = 0; i < FLIPS; i++) {
		other = key;
		for (size_t w = 0; w < PROGRAM_STATE_FROM; w++)
			other.words[w] = (key.words[w] & pipeline->mask.words[w]) |
			                 (random_u64() & ~pipeline->mask.words[w]);
		/* No packet has others. */
		other.f.ip_fragment &= FLOW_FRAGMENT | FLOW_LATER;
		walk_packet(two, pipeline, &other, 100);
		oracle->pairs++;
		if (!walks_equal(one, two)) {
			explain_difference(pipeline, &key, &other);
			fail_msg("bits outside of the mask matter, after %llu pairs",
			         (unsigned long long)oracle->pairs);
		}
	}
}

static void
test_bits_outside_the_mask_never_matter(void **state)
{
	const char *wanted = getenv("WEIR_TEST_ORACLE_PAIRS");
	uint64_t pairs = wanted ? strtoull(wanted, NULL, 10) : PAIRS;
	struct oracle oracle = {0};

	(void)state;
	while (oracle.pairs < pairs) {
		unsigned n = 1 + below(RULES_MAX);

		dp_bridge_clear_rules(bridge_id);
		for (unsigned i = 0; i < RANDOM_GROUPS; i++)
			if (below(2))
				group_set_random(bridge_id, i);
		for (unsigned i = 0; i < n; i++)
			rule_add_random(bridge_id);
		for (uint8_t t = 0; t < RANDOM_TABLES; t++)
			dp_table_set_miss(bridge_id, t, (enum dp_miss)below(3));
		for (int i = 0; i < 3; i++)
			limit_set_random(bridge_id);
		dp_publish(bridge_id);
		for (int k = 0; k < KEYS; k++)
			compare_random_packets(bridges[bridge_id]->pipeline, &oracle);
	}
	/* The tables were not all empty, and not all nonsense. */
	assert_true(oracle.with_program > pairs / FLIPS / 10);
	assert_true(oracle.suspended > 0);
	print_message(
		"%llu pairs, %llu with actions, %llu failed, %llu suspended\n",
		(unsigned long long)oracle.pairs, (unsigned long long)oracle.with_program,
		(unsigned long long)oracle.failed, (unsigned long long)oracle.suspended);
}

/* ---- the classifier ---- */

struct plain_rule {
	struct dp_rule *handle;
	struct flow_match match;
	uint16_t priority;
	uint64_t cookie;
	bool is_published, is_deleted;
};

/* The highest priority that matches, in what was published; -1 = none. */
static int
plain_find(const struct plain_rule *rules, unsigned n, const struct flow_key *key)
{
	int best = -1;

	for (unsigned i = 0; i < n; i++)
		if (rules[i].is_published &&
		    flow_key_matches(key, &rules[i].match.key, &rules[i].match.mask) &&
		    rules[i].priority > best)
			best = rules[i].priority;
	return best;
}

static void
plain_add(struct plain_rule *rule)
{
	static struct dp_rule_config config;
	struct error err = {""};

	memset(&config, 0, sizeof(config));
	rule->priority = (uint16_t)below(50);
	rule->cookie = random_u64();
	rule->is_published = rule->is_deleted = false;
	random_match(&rule->match);
	config.match = rule->match;
	config.priority = rule->priority;
	config.cookie = rule->cookie;
	if (dp_rule_add(bridge_id, &config, &rule->handle, &err) < 0)
		fail_msg("%s", err.text);
}

/* A round: some rules come, change and go; what is published before and after. */
static void
churn(struct plain_rule *rules, unsigned *n, unsigned max)
{
	struct error err;

	for (unsigned i = below(10); i > 0 && *n < max; i--)
		plain_add(&rules[(*n)++]);
	for (unsigned i = 0; i < *n; i++) {
		if (below(15) == 0 && !rules[i].is_deleted) {
			dp_rule_del(rules[i].handle);
			rules[i].is_deleted = true;
		} else if (below(15) == 0 && !rules[i].is_deleted) {
			assert_int_equal(dp_rule_set(rules[i].handle, NULL, 0, 1, &err),
			                 0);
		}
	}
}

static void
settle_published(struct plain_rule *rules, unsigned *n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *n; i++) {
		rules[i].is_published = true;
		if (!rules[i].is_deleted)
			rules[kept++] = rules[i];
	}
	*n = kept;
}

static void
test_classifier_finds_what_a_search_finds(void **state)
{
	static struct plain_rule rules[400];
	struct bridge *bridge = bridges[bridge_id];
	unsigned n = 0, found = 0;

	(void)state;
	dp_bridge_clear_rules(bridge_id);
	for (int round = 0; round < 2000; round++) {
		churn(rules, &n, ARRAY_SIZE(rules));
		for (int half = 0; half < 2; half++) {
			for (int k = 0; k < 20; k++) {
				const struct table *table = bridge->tables[0];
				const struct rule *rule;
				struct flow_key key;
				int best;

				random_key(&key);
				best = plain_find(rules, n, &key);
				rule = table ? classifier_lookup(
						       &table->classifier,
						       bridge->pipeline->version, &key)
				             : NULL;
				assert_int_equal(rule ? rule->priority : -1, best);
				found += best >= 0;
			}
			if (half == 0) {
				dp_publish(bridge_id);
				settle_published(rules, &n);
			}
		}
	}
	assert_true(found > 10000);
}

/* ---- conjunctions ---- */

static void
conjunctive_add(uint16_t priority, enum flow_field_id field, uint64_t value, uint32_t id,
                uint8_t clause, uint8_t n_clauses)
{
	struct flow_conjunction c = {
		.head = {.type = ACTION_CONJUNCTION, .bytes = sizeof(c)},
		.id = id,
		.clause = clause,
		.n_clauses = n_clauses,
	};
	static struct dp_rule_config config;
	struct dp_rule *rule;
	struct error err;

	memset(&config, 0, sizeof(config));
	config.priority = priority;
	config.actions = n_clauses ? &c : NULL;
	config.actions_bytes = n_clauses ? sizeof(c) : 0;
	config.cookie = 100 + id;
	flow_match_set_u64(&config.match, field, value);
	assert_int_equal(dp_rule_add(bridge_id, &config, &rule, &err), 0);
}

static uint64_t
cookie_found(const struct flow_key *key)
{
	const struct bridge *bridge = bridges[bridge_id];
	const struct rule *rule = classifier_lookup(&bridge->tables[0]->classifier,
	                                            bridge->pipeline->version, key);

	return rule ? rule->cookie : 0;
}

static void
test_conjunctions(void **state)
{
	struct flow_key key = {0};

	(void)state;
	dp_bridge_clear_rules(bridge_id);
	/* (src 1 or 2) and (dst 3 or 4) and (reg0 5) is 7; src 1 and dst 3 is 8. */
	conjunctive_add(10, FIELD_ETH_SRC, 1, 7, 0, 3);
	conjunctive_add(10, FIELD_ETH_SRC, 2, 7, 0, 3);
	conjunctive_add(10, FIELD_ETH_DST, 3, 7, 1, 3);
	conjunctive_add(10, FIELD_ETH_DST, 4, 7, 1, 3);
	conjunctive_add(10, FIELD_REG0, 5, 7, 2, 3);
	conjunctive_add(5, FIELD_IN_PORT, 1, 8, 0, 2);
	conjunctive_add(5, FIELD_ETH_TYPE, 0x800, 8, 1, 2);
	conjunctive_add(20, FIELD_CONJ_ID, 7, 7, 0, 0);
	conjunctive_add(20, FIELD_CONJ_ID, 8, 8, 0, 0);
	conjunctive_add(7, FIELD_IP_PROTO, 6, 9, 0, 0);
	dp_publish(bridge_id);
	key.f.eth_src[5] = 2;
	key.f.eth_dst[5] = 4;
	assert_int_equal(cookie_found(&key), 0);
	key.f.regs[0] = 5;
	assert_int_equal(cookie_found(&key), 107);
	/* A whole rule between the two priorities. */
	key.f.in_port = 1;
	key.f.eth_type = 0x800;
	key.f.ip_proto = 6;
	assert_int_equal(cookie_found(&key), 107);
	key.f.regs[0] = 6;
	assert_int_equal(cookie_found(&key), 109);
	key.f.ip_proto = 0;
	assert_int_equal(cookie_found(&key), 108);
	key.f.in_port = 2;
	assert_int_equal(cookie_found(&key), 0);
}

static int
setup(void **state)
{
	struct dp_bridge_config config = {.name = "br0"};
	struct error err = {""};

	(void)state;
	one = calloc(1, sizeof(*one));
	two = calloc(1, sizeof(*two));
	return one && two ? dp_bridge_add(&config, &bridge_id, &err) : -1;
}

static int
teardown(void **state)
{
	(void)state;
	dp_bridge_del(bridge_id);
	free(one);
	free(two);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classifier_finds_what_a_search_finds),
		cmocka_unit_test(test_conjunctions),
		cmocka_unit_test(test_bits_outside_the_mask_never_matter),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
