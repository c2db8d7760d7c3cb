/* flow_hash_test.c - lib/net/flow_hash.c: the mask covers what is read, both directions
 * agree, and flows that hardly differ spread evenly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/flow_hash.h"

#define FLOWS 65536

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

static uint64_t
random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void
random_key(struct flow_key *key)
{
	static const uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x1234};
	static const uint8_t protos[] = {6, 17, 132, 1};

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		key->words[i] = random_u64();
	key->f.eth_type = types[random_u64() % ARRAY_SIZE(types)];
	key->f.ip_proto = protos[random_u64() % ARRAY_SIZE(protos)];
	key->f.ip_fragment = random_u64() % 4 ? 0 : random_u64() % 4 & 3;
}

static void
test_bits_outside_the_mask_do_not_matter(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < FLOW_HASH_N_KINDS; kind++) {
		struct flow_key mask = {0};

		flow_hash_add_mask(kind, &mask);
		for (unsigned round = 0; round < 10000; round++) {
			struct flow_key key, other;

			random_key(&key);
			random_key(&other);
			for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
				other.words[i] = (other.words[i] & ~mask.words[i]) |
				                 (key.words[i] & mask.words[i]);
			assert_int_equal(flow_hash(&key, kind, 7),
			                 flow_hash(&other, kind, 7));
		}
	}
}

static void
swap(void *a, void *b, size_t n)
{
	uint8_t c[16];

	memcpy(c, a, n);
	memcpy(a, b, n);
	memcpy(b, c, n);
}

static void
test_directions_agree(void **state)
{
	static const enum flow_hash_kind symmetric[] = {
		FLOW_HASH_SYMMETRIC_L4, FLOW_HASH_SYMMETRIC_L3L4,
		FLOW_HASH_SYMMETRIC_L3L4_UDP, FLOW_HASH_SYMMETRIC_L3, FLOW_HASH_ALL};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(symmetric); i++) {
		unsigned n_equal = 0;

		for (unsigned round = 0; round < 10000; round++) {
			struct flow_key key, back;

			random_key(&key);
			back = key;
			swap(back.f.eth_src, back.f.eth_dst, 6);
			swap(back.f.ip_src, back.f.ip_dst, 16);
			swap(&back.f.tp_src, &back.f.tp_dst, 2);
			assert_int_equal(flow_hash(&key, symmetric[i], 3),
			                 flow_hash(&back, symmetric[i], 3));
			/* Ends are not mixed up: other ports are another flow. */
			swap(&key.f.tp_src, &key.f.tp_dst, 2);
			n_equal += flow_hash(&key, symmetric[i], 3) ==
			           flow_hash(&back, symmetric[i], 3);
		}
		if (symmetric[i] != FLOW_HASH_SYMMETRIC_L3)
			assert_true(n_equal < 9000);
	}
}

static void
test_what_counts(void **state)
{
	struct flow_key key = {.f = {.eth_type = 0x0800, .ip_proto = 17, .tp_src = 5}};
	struct flow_key other = key;

	(void)state;
	other.f.tp_src = 6;
	assert_int_equal(flow_hash(&key, FLOW_HASH_SYMMETRIC_L4, 0),
	                 flow_hash(&other, FLOW_HASH_SYMMETRIC_L4, 0));
	assert_int_not_equal(flow_hash(&key, FLOW_HASH_SYMMETRIC_L3L4_UDP, 0),
	                     flow_hash(&other, FLOW_HASH_SYMMETRIC_L3L4_UDP, 0));
	assert_int_not_equal(flow_hash(&key, FLOW_HASH_ALL, 0),
	                     flow_hash(&other, FLOW_HASH_ALL, 0));
	assert_int_not_equal(flow_hash(&key, FLOW_HASH_ALL, 0),
	                     flow_hash(&key, FLOW_HASH_ALL, 1));
	/* All fragments of a packet go one way. */
	key.f.ip_fragment = FLOW_FRAGMENT;
	other.f.ip_fragment = FLOW_FRAGMENT | FLOW_LATER;
	assert_int_equal(flow_hash(&key, FLOW_HASH_ALL, 0),
	                 flow_hash(&other, FLOW_HASH_ALL, 0));
	/* Not IP. */
	key.f.eth_type = 0x0806;
	assert_int_equal(flow_hash(&key, FLOW_HASH_SYMMETRIC_L3L4, 1), 0);
	assert_int_equal(flow_hash(&key, FLOW_HASH_SYMMETRIC_L3, 1), 0);
	key.f.vlan_tci = 0x1005;
	other = key;
	other.f.vlan_tci = 0x7005;
	assert_int_equal(flow_hash(&key, FLOW_HASH_ALL, 0),
	                 flow_hash(&other, FLOW_HASH_ALL, 0));
	other.f.vlan_tci = 0x1006;
	assert_int_not_equal(flow_hash(&key, FLOW_HASH_ALL, 0),
	                     flow_hash(&other, FLOW_HASH_ALL, 0));
}

/* Flows that differ as real ones do: in the low bits of one thing. */
static void
make_flow(struct flow_key *key, unsigned shape, uint32_t i)
{
	memset(key, 0, sizeof(*key));
	key->f.eth_type = shape < 3 ? 0x88b5 : shape == 6 ? 0x86dd : 0x0800;
	memcpy(key->f.eth_src, (uint8_t[]){0x52, 0x54, 0, 0, 0, 1}, 6);
	memcpy(key->f.eth_dst, (uint8_t[]){0x52, 0x54, 0, 0, 0, 2}, 6);
	if (shape >= 3)
		key->f.ip_proto = 6;
	switch (shape) {
	case 0: /* MAC alone: low bits of the source */
		key->f.eth_src[5] = (uint8_t)i;
		key->f.eth_src[4] = (uint8_t)(i >> 8);
		break;
	case 1: /* neighbours to neighbours: their XOR is always 1 */
		key->f.eth_src[5] = (uint8_t)(2 * i);
		key->f.eth_src[4] = (uint8_t)(i >> 7);
		key->f.eth_src[3] = (uint8_t)(i >> 15);
		memcpy(key->f.eth_dst, key->f.eth_src, 6);
		key->f.eth_dst[5] |= 1;
		break;
	case 2: /* vendor's half */
		key->f.eth_src[1] = (uint8_t)i;
		key->f.eth_src[2] = (uint8_t)(i >> 8);
		break;
	case 3: /* ports in order */
		key->f.tp_src = (uint16_t)i;
		key->f.tp_dst = 80;
		break;
	case 4: /* addresses in order */
		memcpy(key->f.ip_src, (uint8_t[]){10, 0, (uint8_t)(i >> 8), (uint8_t)i},
		       4);
		break;
	case 5: /* both ports alike */
		key->f.tp_src = key->f.tp_dst = (uint16_t)i;
		break;
	default:
		key->f.ip_dst[15] = (uint8_t)i;
		key->f.ip_dst[8] = (uint8_t)(i >> 8);
		break;
	}
}

/* For 'n' even bins Chi-square has n - 1 degrees: mean n - 1, deviation sqrt(2n). Six
 * deviations are never by chance. */
static void
assert_even(const uint32_t *counts, unsigned n, uint32_t total)
{
	double expected = (double)total / n, chi = 0, limit = n - 1;

	for (unsigned i = 0; i < n; i++)
		chi += (counts[i] - expected) * (counts[i] - expected) / expected;
	if (chi > limit && (chi - limit) * (chi - limit) > 36 * 2.0 * n)
		fail_msg("%u ways: chi-square %.0f", n, chi);
}

static void
test_flows_spread(void **state)
{
	static const unsigned ways[] = {2, 3, 4, 7, 16, 64};

	(void)state;
	for (unsigned shape = 0; shape < 7; shape++) {
		for (unsigned w = 0; w < ARRAY_SIZE(ways); w++) {
			struct flow_key key, all;
			uint32_t modulo[64] = {0}, threshold[64] = {0}, hrw[64] = {0};
			uint32_t iterative[64] = {0}, masked[64] = {0};
			uint16_t last = (uint16_t)(ways[w] - 1);

			memset(&all, 0xff, sizeof(all));
			for (uint32_t i = 0; i < FLOWS; i++) {
				make_flow(&key, shape, i);
				modulo[flow_hash_link(&key, FLOW_HASH_ALL, 0,
				                      FLOW_HASH_MODULO_N, last, 0)]++;
				threshold[flow_hash_link(&key, FLOW_HASH_SYMMETRIC_L4, 9,
				                         FLOW_HASH_THRESHOLD, last, 0)]++;
				iterative[flow_hash_link(&key, FLOW_HASH_ALL, 1,
				                         FLOW_HASH_ITERATIVE, last,
				                         ways[w] + 3)]++;
				masked[flow_hash_fields(&key, &all, 5) % ways[w]]++;
				if (i % 4 == 0)
					hrw[flow_hash_link(&key, FLOW_HASH_ALL, 2,
					                   FLOW_HASH_HRW, last, 0)]++;
			}
			assert_even(modulo, ways[w], FLOWS);
			assert_even(threshold, ways[w], FLOWS);
			assert_even(iterative, ways[w], FLOWS);
			assert_even(masked, ways[w], FLOWS);
			assert_even(hrw, ways[w], FLOWS / 4);
		}
	}
}

/* One way more moves only flows that it gets. */
static void
test_rendezvous_moves_little(void **state)
{
	unsigned moved = 0;

	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow_key key;
		uint16_t before, after;

		make_flow(&key, 0, i);
		before = flow_hash_link(&key, FLOW_HASH_ETH_SRC, 0, FLOW_HASH_HRW, 4, 0);
		after = flow_hash_link(&key, FLOW_HASH_ETH_SRC, 0, FLOW_HASH_HRW, 5, 0);
		assert_true(after == before || after == 5);
		moved += after == 5;
	}
	assert_in_range(moved, FLOWS / 6 - FLOWS / 60, FLOWS / 6 + FLOWS / 60);
}

static void
test_shares(void **state)
{
	static const uint16_t weights[] = {1, 2, 5, 0, 92};
	uint32_t counts[ARRAY_SIZE(weights)] = {0};

	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++) {
		double best_score = 0;
		unsigned best = 3;
		struct flow_key key;

		make_flow(&key, 3, i);
		for (unsigned j = 0; j < ARRAY_SIZE(weights); j++) {
			double score = flow_hash_score(flow_hash(&key, FLOW_HASH_ALL, 0),
			                               j, weights[j]);

			if (score > best_score) {
				best_score = score;
				best = j;
			}
		}
		counts[best]++;
	}
	assert_int_equal(counts[3], 0);
	for (unsigned j = 0; j < ARRAY_SIZE(weights); j++) {
		double expected = FLOWS * weights[j] / 100.0;
		double off = counts[j] - expected;

		assert_true(off * off <= 25 * expected);
	}
}

static void
test_links_stay_in_range(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		uint16_t max_link = (uint16_t)(random_u64() >> random_u64() % 16);
		uint32_t argument = (uint32_t)(random_u64() >> random_u64() % 32);
		struct flow_key key;

		random_key(&key);
		for (unsigned algorithm = 0; algorithm < 6; algorithm++)
			assert_true(flow_hash_link(&key, (enum flow_hash_kind)(i % 9),
			                           (uint16_t)i, algorithm, max_link,
			                           argument) <= max_link);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits_outside_the_mask_do_not_matter),
		cmocka_unit_test(test_directions_agree),
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_flows_spread),
		cmocka_unit_test(test_rendezvous_moves_little),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_links_stay_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
