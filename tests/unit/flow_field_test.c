/* flow_field_test.c - lib/net/flow_field.c and flow_action.c: every field keeps what is
 * written, touches nothing else, and views of the same bits agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/flow_action.h"

#define ROUNDS 200

static uint32_t seed;

static uint8_t
random_byte(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

static void
fill_random(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = random_byte();
}

/* The bits of a value that a field can have. */
static struct flow_value
value_bits(const struct flow_field *field)
{
	struct flow_key key = {0};
	struct flow_value bits;

	flow_field_add_mask(field->id, &key, NULL);
	flow_field_read(field->id, &key, &bits);
	return bits;
}

static bool
is_stored(const struct flow_field *field)
{
	return field->id != FIELD_NONE && field->id != FIELD_PACKET_TYPE &&
	       field->id != FIELD_ND_OPTIONS_TYPE;
}

static void
test_table(void **state)
{
	(void)state;
	for (unsigned id = FIELD_NONE + 1; id < FIELD_N; id++) {
		const struct flow_field *field = flow_field_get(id);
		unsigned n_set = 0;
		struct flow_value bits;

		assert_int_equal(field->id, id);
		assert_non_null(field->name);
		assert_int_equal(field->n_bytes, (field->n_bits + 7) / 8);
		assert_true(field->n_bytes <= FLOW_FIELD_BYTES_MAX);
		assert_ptr_equal(flow_field_by_name(field->name), field);
		if (field->alias)
			assert_ptr_equal(flow_field_by_name(field->alias), field);
		bits = value_bits(field);
		for (unsigned i = 0; i < sizeof(bits.bytes); i++)
			n_set += (unsigned)__builtin_popcount(bits.bytes[i]);
		if (field->id == FIELD_IP_DSCP)
			assert_int_equal(n_set, 6);
		else
			assert_int_equal(n_set, is_stored(field) ? field->n_bits : 0);
	}
	assert_null(flow_field_by_name("tp"));
	assert_int_equal(flow_field_get(FIELD_N)->id, FIELD_NONE);
	assert_int_equal(flow_field_by_name("dl_src")->id, FIELD_ETH_SRC);
	assert_int_equal(flow_field_by_name("xreg7")->id, FIELD_XREG7);
	assert_int_equal(flow_field_by_name("nw_tos")->id, FIELD_IP_DSCP);
}

static void
test_round_trip(void **state)
{
	(void)state;
	for (unsigned id = FIELD_NONE + 1; id < FIELD_N; id++) {
		const struct flow_field *field = flow_field_get(id);
		struct flow_value bits = value_bits(field);
		struct flow_key all = {0};

		flow_field_add_mask(id, &all, NULL);
		for (unsigned round = 0; round < ROUNDS; round++) {
			struct flow_key key, before;
			struct flow_value in, out, mask, old;

			fill_random(&key, sizeof(key));
			fill_random(&in, sizeof(in));
			fill_random(&mask, sizeof(mask));
			before = key;
			flow_field_write(id, &key, &in);
			flow_field_read(id, &key, &out);
			for (unsigned i = 0; i < sizeof(in.bytes); i++)
				assert_int_equal(out.bytes[i],
				                 in.bytes[i] & bits.bytes[i]);
			for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
				assert_true(((key.words[i] ^ before.words[i]) &
				             ~all.words[i]) == 0);

			key = before;
			flow_field_read(id, &key, &old);
			flow_field_write_masked(id, &key, &in, &mask);
			flow_field_read(id, &key, &out);
			for (unsigned i = 0; i < sizeof(in.bytes); i++)
				assert_int_equal(out.bytes[i],
				                 ((in.bytes[i] & mask.bytes[i]) |
				                  (old.bytes[i] & ~mask.bytes[i])) &
				                         bits.bytes[i]);
			for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
				assert_true(((key.words[i] ^ before.words[i]) &
				             ~all.words[i]) == 0);
		}
	}
}

/* Bit by bit against the whole value. */
static void
test_subfields(void **state)
{
	(void)state;
	for (unsigned id = FIELD_NONE + 1; id < FIELD_N; id++) {
		const struct flow_field *field = flow_field_get(id);

		if (!is_stored(field) || id == FIELD_IP_DSCP)
			continue;
		for (unsigned round = 0; round < ROUNDS; round++) {
			struct flow_subfield sub = {.field = id};
			struct flow_key key, one;
			uint64_t value, read;

			sub.first_bit = (uint16_t)(random_byte() % field->n_bits);
			sub.n_bits =
				(uint16_t)(1 + random_byte() %
			                               MIN_OF(64, field->n_bits -
			                                                  sub.first_bit));
			fill_random(&value, sizeof(value));
			fill_random(&key, sizeof(key));
			one = key;
			flow_subfield_write(&sub, &key, value);
			read = flow_subfield_read(&sub, &key);
			if (sub.n_bits < 64)
				value &= (UINT64_C(1) << sub.n_bits) - 1;
			assert_true(read == value);
			for (uint16_t i = 0; i < sub.n_bits; i++) {
				struct flow_subfield bit = {
					id, (uint16_t)(sub.first_bit + i), 1};
				struct flow_value v;
				unsigned at = bit.first_bit;

				flow_field_read(id, &key, &v);
				assert_int_equal(v.bytes[field->n_bytes - 1 - at / 8] >>
				                                 at % 8 &
				                         1,
				                 value >> i & 1);
				assert_int_equal(flow_subfield_read(&bit, &key),
				                 value >> i & 1);
				flow_subfield_write(&bit, &one, value >> i);
			}
			assert_memory_equal(&key, &one, sizeof(key));
		}
	}
}

static struct flow_value
value_of(uint64_t number, unsigned n_bytes)
{
	struct flow_value value = {0};

	for (unsigned i = n_bytes; i > 0; i--, number >>= 8)
		value.bytes[i - 1] = (uint8_t)number;
	return value;
}

static uint64_t
read_u64(enum flow_field_id id, const struct flow_key *key)
{
	struct flow_subfield all = {id, 0, flow_field_get(id)->n_bits};

	return flow_subfield_read(&all, key);
}

static void
test_views(void **state)
{
	struct flow_key key = {0};
	struct flow_value value;

	(void)state;
	for (unsigned i = 0; i < FLOW_REGS; i++)
		key.f.regs[i] = 0x01010101U * i;
	for (unsigned i = 0; i < FLOW_REGS / 2; i++)
		assert_true(read_u64(FIELD_XREG0 + i, &key) ==
		            ((uint64_t)key.f.regs[2 * i] << 32 | key.f.regs[2 * i + 1]));
	for (unsigned i = 0; i < FLOW_REGS / 4; i++) {
		flow_field_read(FIELD_XXREG0 + i, &key, &value);
		for (unsigned j = 0; j < sizeof(value.bytes); j++)
			assert_int_equal(value.bytes[j], 4 * i + j / 4);
	}
	key.f.vlan_tci = 0xb123;
	assert_int_equal(read_u64(FIELD_VLAN_TCI, &key), 0xb123);
	assert_int_equal(read_u64(FIELD_DL_VLAN, &key), 0x123);
	assert_int_equal(read_u64(FIELD_VLAN_VID, &key), 0x1123);
	assert_int_equal(read_u64(FIELD_VLAN_PCP, &key), 5);
	key.f.ip_tos = 0xb9;
	assert_int_equal(read_u64(FIELD_IP_DSCP, &key), 0xb8);
	assert_int_equal(read_u64(FIELD_IP_DSCP_SHIFTED, &key), 0x2e);
	assert_int_equal(read_u64(FIELD_IP_ECN, &key), 1);
	key.f.mpls_lse = 0x12345b40;
	assert_int_equal(read_u64(FIELD_MPLS_LABEL, &key), 0x12345);
	assert_int_equal(read_u64(FIELD_MPLS_TC, &key), 5);
	assert_int_equal(read_u64(FIELD_MPLS_BOS, &key), 1);
	assert_int_equal(read_u64(FIELD_MPLS_TTL, &key), 0x40);
	key.f.pbb_isid = 0x81abcdef;
	assert_int_equal(read_u64(FIELD_PBB_ISID, &key), 0xabcdef);
	assert_int_equal(read_u64(FIELD_PBB_UCA, &key), 1);
	memcpy(key.f.ip_src, "\x0a\x01\x02\x03", 4);
	assert_int_equal(read_u64(FIELD_IPV4_SRC, &key), 0x0a010203);
	assert_int_equal(read_u64(FIELD_ARP_SPA, &key), 0x0a010203);
	value = value_of(0x0a010204, 4);
	flow_field_write(FIELD_ARP_SPA, &key, &value);
	assert_memory_equal(key.f.ip_src, "\x0a\x01\x02\x04", 4);
	value = value_of(0x020304050607, 6);
	flow_field_write(FIELD_ND_SLL, &key, &value);
	assert_memory_equal(key.f.arp_sha, "\x02\x03\x04\x05\x06\x07", 6);
}

static void
test_match(void **state)
{
	struct flow_match match = {0};
	struct flow_value value, mask;

	(void)state;
	value = value_of(0xffff, 2);
	mask = value_of(0x0ff0, 2);
	flow_match_set(&match, FIELD_TCP_SRC, &value, &mask);
	assert_int_equal(match.key.f.tp_src, 0x0ff0);
	assert_int_equal(match.mask.f.tp_src, 0x0ff0);
	flow_match_set_u64(&match, FIELD_ETH_TYPE, 0x0800);
	assert_int_equal(match.key.f.eth_type, 0x0800);
	assert_int_equal(match.mask.f.eth_type, 0xffff);

	/* A tag comes with what is said of it. */
	flow_match_set_u64(&match, FIELD_DL_VLAN_PCP, 3);
	assert_int_equal(match.key.f.vlan_tci, 0x7000);
	assert_int_equal(match.mask.f.vlan_tci, 0xf000);
	flow_match_set_u64(&match, FIELD_DL_VLAN, 0x005);
	assert_int_equal(match.key.f.vlan_tci, 0x7005);
	assert_int_equal(match.mask.f.vlan_tci, 0xffff);
	flow_match_set_u64(&match, FIELD_DL_VLAN, 0xffff);
	assert_int_equal(match.key.f.vlan_tci, 0);
	assert_int_equal(match.mask.f.vlan_tci, 0xffff);
	memset(&match, 0, sizeof(match));
	flow_match_set_u64(&match, FIELD_VLAN_VID, 5);
	assert_int_equal(match.key.f.vlan_tci, 5);
	assert_int_equal(match.mask.f.vlan_tci, 0x1fff);
}

static void
test_needs(void **state)
{
	struct flow_match match = {0};
	struct flow_value first = value_of(2, 1);

	(void)state;
	assert_true(flow_field_is_present(FIELD_ETH_SRC, &match));
	assert_false(flow_field_is_present(FIELD_VLAN_PCP, &match));
	assert_false(flow_field_is_present(FIELD_IP_TTL, &match));
	flow_match_set_u64(&match, FIELD_ETH_TYPE, 0x0800);
	assert_true(flow_field_is_present(FIELD_IP_TTL, &match));
	assert_true(flow_field_is_present(FIELD_IPV4_SRC, &match));
	assert_false(flow_field_is_present(FIELD_IPV6_SRC, &match));
	assert_false(flow_field_is_present(FIELD_TCP_SRC, &match));
	flow_match_set_u64(&match, FIELD_IP_PROTO, 6);
	assert_true(flow_field_is_present(FIELD_TCP_SRC, &match));
	assert_false(flow_field_is_present(FIELD_UDP_SRC, &match));
	flow_match_set(&match, FIELD_IP_FRAG, &first, &first);
	assert_false(flow_field_is_present(FIELD_TCP_SRC, &match));

	memset(&match, 0, sizeof(match));
	flow_match_set_u64(&match, FIELD_ETH_TYPE, 0x86dd);
	flow_match_set_u64(&match, FIELD_IP_PROTO, 58);
	assert_true(flow_field_is_present(FIELD_ICMPV6_CODE, &match));
	assert_false(flow_field_is_present(FIELD_ND_TARGET, &match));
	flow_match_set_u64(&match, FIELD_ICMPV6_TYPE, 135);
	assert_true(flow_field_is_present(FIELD_ND_TARGET, &match));
	assert_true(flow_field_is_present(FIELD_ND_SLL, &match));
	assert_false(flow_field_is_present(FIELD_ND_TLL, &match));

	memset(&match, 0, sizeof(match));
	flow_match_set_u64(&match, FIELD_ETH_TYPE, 0x8848);
	assert_true(flow_field_is_present(FIELD_MPLS_TC, &match));
	flow_match_set_u64(&match, FIELD_ETH_TYPE, 0x8035);
	assert_true(flow_field_is_present(FIELD_ARP_OP, &match));
	flow_match_set_u64(&match, FIELD_DL_VLAN, 7);
	assert_true(flow_field_is_present(FIELD_VLAN_PCP, &match));
}

static void
test_actions(void **state)
{
	struct flow_actions actions = {0}, copy = {0};
	struct flow_output *output;
	size_t clone, ct;
	unsigned n = 0;

	(void)state;
	output = flow_actions_add(&actions, ACTION_OUTPUT, sizeof(*output));
	output->port = 7;
	clone = flow_actions_begin_nested(&actions, ACTION_CLONE,
	                                  sizeof(struct flow_nested));
	ct = flow_actions_begin_nested(&actions, ACTION_CT, sizeof(struct flow_ct));
	/* More than 64 KB of records. */
	for (unsigned i = 0; i < 5000; i++) {
		output = flow_actions_add(&actions, ACTION_OUTPUT, sizeof(*output));
		output->port = i;
	}
	flow_actions_end_nested(&actions, ct);
	flow_actions_end_nested(&actions, clone);
	flow_actions_add(&actions, ACTION_EXIT, sizeof(struct flow_action));
	flow_actions_append(&copy, actions.data, actions.bytes);
	assert_int_equal(copy.bytes, actions.bytes);
	assert_memory_equal(copy.data, actions.data, copy.bytes);
	flow_actions_destroy(&actions);

	FLOW_ACTION_FOR_EACH(action, copy.data, copy.bytes)
	{
		static const enum flow_action_type expected[] = {
			ACTION_OUTPUT, ACTION_CLONE, ACTION_EXIT};

		assert_true(n < ARRAY_SIZE(expected));
		assert_int_equal(action->type, expected[n++]);
		if (action->type == ACTION_CLONE) {
			const struct flow_nested *outer = (const void *)action;
			const struct flow_ct *inner = (const void *)outer->nested;
			unsigned ports = 0;

			assert_int_equal(inner->head.type, ACTION_CT);
			assert_int_equal(inner->head.bytes, outer->nested_bytes);
			FLOW_ACTION_FOR_EACH(in, inner->nested, inner->nested_bytes)
			assert_int_equal(((const struct flow_output *)in)->port, ports++);
			assert_int_equal(ports, 5000);
		}
	}
	assert_int_equal(n, 3);
	flow_actions_clear(&copy);
	assert_int_equal(copy.bytes, 0);
	flow_actions_destroy(&copy);
}

static void
test_words_hold_the_field(void **state)
{
	(void)state;
	for (unsigned id = FIELD_NONE + 1; id < FIELD_N; id++) {
		struct flow_key key = {0};
		uint64_t words = 0;

		flow_field_write((enum flow_field_id)id, &key, NULL);
		for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
			words |= (uint64_t)(key.words[i] != 0) << i;
		assert_true(words == flow_field_words((enum flow_field_id)id));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_hold_the_field),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_subfields),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_actions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
