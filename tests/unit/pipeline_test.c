/* pipeline_test.c - parsing, tables and their cache masks: hand-made frames, every cut,
 * and a metamorphic oracle on random tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/table.h"
#include "net/flow_key.h"

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

static uint64_t
random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* 10.0.0.1:1234 -> 10.0.0.2:80, VLAN 5, priority 3. */
static const uint8_t tcp_frame[] = {
	2, 0, 0,    0,    0, 2,  2, 0,    0, 0,  0,   1,   0x81, 0,   0x60, 5,
	8, 0, 0x45, 8,    0, 44, 0, 1,    0, 0,  64,  6,   0,    0,   10,   0,
	0, 1, 10,   0,    0, 2,  4, 0xd2, 0, 80, 0,   0,   0,    1,   0,    0,
	0, 0, 0x50, 0x12, 0, 0,  0, 0,    0, 0,  'd', 'a', 't',  'a',
};

static void
test_tcp_in_a_vlan_is_read(void **state)
{
	struct flow_key key;

	(void)state;
	assert_int_equal(
		flow_parse(tcp_frame, sizeof(tcp_frame), sizeof(tcp_frame), &key),
		FLOW_IPV4_PORTS);
	assert_int_equal(key.f.vlan_tci, 0x7005);
	assert_int_equal(key.f.eth_type, 0x0800);
	assert_int_equal(key.f.ip_tos, 8);
	assert_int_equal(key.f.tp_src, 1234);
	assert_int_equal(key.f.tp_dst, 80);
	assert_int_equal(key.f.tcp_flags, 0x012);
	assert_memory_equal(key.f.ip_dst, ((uint8_t[]){10, 0, 0, 2}), 4);
}

static void
test_every_cut_is_malformed_and_stays_in_bounds(void **state)
{
	struct flow_key key;

	(void)state;
	for (size_t n = 0; n < sizeof(tcp_frame) - 4; n++) {
		/* An allocation of just this size, for the address sanitizer. */
		uint8_t *cut = malloc(n ? n : 1);

		memcpy(cut, tcp_frame, n);
		assert_int_equal(flow_parse(cut, n, n, &key), FLOW_MALFORMED);
		free(cut);
	}
}

static void
test_padding_changes_nothing(void **state)
{
	uint8_t padded[200] = {0};
	struct flow_key key, plain;

	(void)state;
	flow_parse(tcp_frame, sizeof(tcp_frame), sizeof(tcp_frame), &plain);
	memcpy(padded, tcp_frame, sizeof(tcp_frame));
	for (size_t n = sizeof(tcp_frame); n <= sizeof(padded); n++) {
		padded[n - 1] = 0xff;
		assert_int_equal(flow_parse(padded, n, n, &key), FLOW_IPV4_PORTS);
		assert_memory_equal(&key, &plain, sizeof(key));
	}
}

static void
test_ipv4_lengths_are_not_believed(void **state)
{
	struct flow_key key;

	(void)state;
	for (unsigned ihl = 0; ihl < 16; ihl++) {
		for (unsigned total = 0; total < 128; total++) {
			uint8_t whole[80] = {0};
			bool fits = ihl >= 5 && total <= 46 && total >= ihl * 4 + 20;
			enum flow_type type;

			memcpy(whole, tcp_frame, sizeof(tcp_frame));
			whole[18] = (uint8_t)(0x40 | ihl);
			whole[20] = 0;
			whole[21] = (uint8_t)total;
			type = flow_parse(whole, 64, 64, &key);
			assert_int_equal(type == FLOW_IPV4_PORTS, fits);
		}
	}
}

static void
random_key(struct flow_key *key)
{
	/* Few values, so that rules and packets meet. */
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		key->words[i] = random_u64() & random_u64() & random_u64() & random_u64();
}

static void
random_rule(struct dp_static_rule *rule, uint16_t n_tables)
{
	memset(rule, 0, sizeof(*rule));
	rule->table = (uint16_t)(random_u64() % n_tables);
	rule->priority = (uint16_t)(random_u64() % 4);
	rule->goto_table = random_u64() % 2 && rule->table + 1 < n_tables
	                           ? (uint16_t)(rule->table + 1)
	                           : DP_TABLE_NONE;
	random_key(&rule->match);
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		if (random_u64() % 4 == 0)
			rule->mask.words[i] = random_u64() & random_u64() & random_u64() &
			                      random_u64() & random_u64();
	rule->n_actions = (uint8_t)(random_u64() % 3);
	for (unsigned i = 0; i < rule->n_actions; i++)
		rule->actions[i] = (struct dp_action){DP_ACTION_OUTPUT,
		                                      (uint32_t)(random_u64() % 8)};
}

/* What the cache stands on: bits outside of the mask of the packet's kind do not matter.
 */
static void
test_bits_outside_the_mask_never_matter(void **state)
{
	unsigned differing_programs = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct dp_static_rule rules[40];
		size_t n = 1 + random_u64() % 40;
		struct pipeline *pipeline;
		struct program last = {0};
		struct error err;

		for (size_t i = 0; i < n; i++)
			random_rule(&rules[i], 4);
		assert_int_equal(pipeline_build(rules, n, &pipeline, &err), 0);
		for (int k = 0; k < 50; k++) {
			const struct flow_key *mask =
				&pipeline->masks[random_u64() % FLOW_N_TYPES];
			struct program want = {0}, got = {0};
			struct flow_key key;
			bool found;

			random_key(&key);
			found = pipeline_walk(pipeline, &key, &want);
			for (int j = 0; j < 20; j++) {
				struct flow_key other;

				for (size_t w = 0; w < FLOW_KEY_WORDS; w++)
					other.words[w] = (key.words[w] & mask->words[w]) |
					                 (random_u64() & ~mask->words[w]);
				assert_int_equal(pipeline_walk(pipeline, &other, &got),
				                 found);
				assert_true(!found || program_equal(&want, &got));
			}
			differing_programs += !program_equal(&want, &last);
			last = want;
		}
		pipeline_free(pipeline);
	}
	/* The tables were not all empty. */
	assert_in_range(differing_programs, 500, 300 * 50);
}

static void
test_bad_rules_are_refused(void **state)
{
	struct dp_static_rule rule = {.table = 3, .goto_table = 3};
	struct pipeline *pipeline;
	struct error err;

	(void)state;
	assert_int_not_equal(pipeline_build(&rule, 1, &pipeline, &err), 0);
	assert_string_equal(err.text, "table 3: goto table 3 does not go forward");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_in_a_vlan_is_read),
		cmocka_unit_test(test_every_cut_is_malformed_and_stays_in_bounds),
		cmocka_unit_test(test_padding_changes_nothing),
		cmocka_unit_test(test_ipv4_lengths_are_not_believed),
		cmocka_unit_test(test_bits_outside_the_mask_never_matter),
		cmocka_unit_test(test_bad_rules_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
