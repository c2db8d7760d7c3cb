/* of_actions_test.c - lib/openflow: actions and instructions both ways, against what
 * ovs-ofctl sends; what is refused, and what does not fit a match. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openflow/of_actions.h"
#include "support/hex.h"
#include "unit/of_actions_vectors.h"

static int
decode(enum of_version version, const char *hex, struct flow_actions *actions,
       struct of_error *error)
{
	size_t n;
	uint8_t *data = hex_parse(hex, &n);
	int err = version == OF10
	                  ? of_actions_decode(version, data, n, actions, error)
	                  : of_instructions_decode(version, data, n, actions, error);

	free(data);
	return err;
}

static void
encode(enum of_version version, const void *records, size_t bytes, struct str *out)
{
	if (version == OF10)
		of_actions_encode(version, records, bytes, out);
	else
		of_instructions_encode(version, records, bytes, out);
}

static void
vectors_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(action_vectors) / sizeof(action_vectors[0]); i++) {
		const struct of_vector *v = &action_vectors[i];
		struct flow_actions actions = {0};
		struct str out = STR_INIT;
		struct of_error error;
		size_t n;
		uint8_t *data = hex_parse(v->hex, &n);
		void *records;

		if (decode(v->version, v->hex, &actions, &error))
			fail_msg("%s: %s", v->text, error.text);
		/* From memory that ends with the records, as that of a rule does. */
		records = malloc(actions.bytes);
		if (actions.bytes)
			memcpy(records, actions.data, actions.bytes);
		encode(v->version, records, actions.bytes, &out);
		if (out.length != n || (n && memcmp(out.data, data, n)))
			fail_msg("%s, 1.%d: comes back differently", v->text,
			         v->version - 1);
		/* Other versions are told what they can be. */
		for (enum of_version other = OF10; other <= OF15; other++)
			encode(other, records, actions.bytes, &out);
		free(records);
		str_free(&out);
		free(data);
		flow_actions_destroy(&actions);
	}
}

/* Nicira's second form of a load has its field right behind the subtype, as Debian's
 * ovs-ofctl reads it. */
static void
the_second_load_has_no_padding_in_front(void **state)
{
	struct flow_actions actions = {0};
	const struct flow_set_field *set;

	(void)state;
	assert_int_equal(decode(OF10, "ffff001800002320002100013708000000050000000f0000",
	                        &actions, NULL),
	                 0);
	set = (const void *)actions.data;
	assert_int_equal(set->field, FIELD_IPV6_LABEL);
	assert_int_equal(set->value.bytes[2], 5);
	assert_int_equal(set->mask.bytes[2], 15);
	flow_actions_destroy(&actions);
}

static const struct {
	enum of_version version;
	const char *hex;
	enum of_error_id id;
} bad[] = {
	/* lengths: of nothing, no multiple of 8, past the end, of an output */
	{OF10, "00000000", OFERR_BAD_ACTION_LEN},
	{OF10, "0000000000010000", OFERR_BAD_ACTION_LEN},
	{OF10, "00000009000100000000000000000000", OFERR_BAD_ACTION_LEN},
	{OF10, "0000001000010000", OFERR_BAD_ACTION_LEN},
	{OF10, "00000010000100000000000000000000", OFERR_BAD_ACTION_LEN},
	/* kinds */
	{OF10, "000c000800000000", OFERR_BAD_ACTION_TYPE},
	{OF10, "ffff00100000232100010000000000ff", OFERR_BAD_ACTION_EXPERIMENTER},
	{OF10, "ffff0010000023207fff000000000000", OFERR_BAD_ACTION_EXP_TYPE},
	{OF10, "ffff0010000023200030000000000000", OFERR_BAD_ACTION_EXP_TYPE},
	{OF13, "000400100000000000010008000a0000", OFERR_BAD_ACTION_TYPE},
	{OF13, "0004001000000000001d000800000001", OFERR_BAD_ACTION_TYPE},
	/* VLAN 4096, priority 8, TOS with ECN, tags and MPLS of odd types */
	{OF10, "0001000810000000", OFERR_BAD_ACTION_ARGUMENT},
	{OF10, "0002000808000000", OFERR_BAD_ACTION_ARGUMENT},
	{OF10, "0008000801000000", OFERR_BAD_ACTION_ARGUMENT},
	{OF13, "00040010000000000011000812340000", OFERR_BAD_ACTION_ARGUMENT},
	{OF13, "00040010000000000013000808000000", OFERR_BAD_ACTION_ARGUMENT},
	{OF13, "000400100000000000160008ffffffff", OFERR_BAD_ACTION_OUT_GROUP},
	{OF15, "0004001000000000001d000800000000", OFERR_BAD_ACTION_METER},
	{OF10, "000b0010fffd00000000000000000007", OFERR_BAD_ACTION_OUT_PORT},
	/* set-field: of an unknown field, cut short, masked in 1.3, vlan 0x2000 */
	{OF13,
         "000400180000000000190010"
         "8000fe020800000000000000",
         OFERR_BAD_ACTION_SET_TYPE},
	{OF13,
         "000400180000000000190010"
         "800004100000000000000000",
         OFERR_BAD_ACTION_SET_LEN},
	{OF13,
         "000400180000000000190010"
         "000101080000000500000007",
         OFERR_BAD_ACTION_SET_MASK},
	{OF13,
         "000400180000000000190010"
         "80000c022000000000000000",
         OFERR_BAD_ACTION_SET_ARGUMENT},
	/* ... vlan 5 without OFPVID_PRESENT */
	{OF13, "00040018000000000019001080000c020005000000000000",
         OFERR_BAD_ACTION_SET_ARGUMENT},
	/* load: 33 bits into a register, a value that is too wide */
	{OF10,
         "ffff001800002320000700200001000400000000"
         "00000005",
         OFERR_BAD_ACTION_SET_LEN},
	{OF10,
         "ffff0018000023200007000f0001000400000000"
         "00010000",
         OFERR_BAD_ACTION_ARGUMENT},
	/* nat alone, learn of unknown copies, conjunction 3/2 */
	{OF10, "ffff0010000023200024000000000000", OFERR_BAD_ACTION_ARGUMENT},
	{OF10,
         "ffff002800002320001000000000000000000000000000000000030000000000"
         "4001000000000000",
         OFERR_BAD_ACTION_ARGUMENT},
	{OF10, "ffff0010000023200022020200000005", OFERR_BAD_ACTION_ARGUMENT},
	/* instructions */
	{OF13, "0001000403000000", OFERR_BAD_INSTRUCTION_LEN},
	{OF13,
         "0001001003000000"
         "0000000000000000",
         OFERR_BAD_INSTRUCTION_LEN},
	{OF13,
         "0001000803000000"
         "0001000804000000",
         OFERR_BAD_INSTRUCTION_DUP},
	{OF13, "00010008ff000000", OFERR_BAD_INSTRUCTION_TABLE_ID},
	{OF13, "0009000800000000", OFERR_BAD_INSTRUCTION_UNKNOWN},
	{OF13, "ffff000800001234", OFERR_BAD_INSTRUCTION_EXPERIMENTER},
	{OF12, "0006000800000001", OFERR_BAD_INSTRUCTION_UNKNOWN},
	{OF13, "0006000800000000", OFERR_METER_INVALID},
	{OF15, "0006000800000001", OFERR_BAD_INSTRUCTION_UNSUPPORTED},
	{OF15, "0007000800000001", OFERR_BAD_INSTRUCTION_UNSUPPORTED},
};

static void
bad_actions_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct flow_actions actions = {0};
		struct of_error error;

		if (decode(bad[i].version, bad[i].hex, &actions, &error) != -EPROTO)
			fail_msg("%s is taken", bad[i].hex);
		if (error.id != (uint32_t)bad[i].id)
			fail_msg("%s: %s, id %u", bad[i].hex, error.text, error.id);
		flow_actions_destroy(&actions);
	}
}

static void
nesting_has_an_end(void **state)
{
	uint8_t data[16 * 4000];
	struct flow_actions actions = {0};
	struct of_error error;

	(void)state;
	memset(data, 0, sizeof(data));
	for (size_t i = 0; i < 4000; i++) {
		const size_t left = sizeof(data) - 16 * i;
		const uint8_t clone[] = {
			0xff, 0xff, (uint8_t)(left >> 8), (uint8_t)left, 0, 0, 0x23, 0x20,
			0,    42};

		memcpy(data + 16 * i, clone, sizeof(clone));
	}
	assert_int_equal(of_actions_decode(OF13, data, sizeof(data), &actions, &error),
	                 -EPROTO);
	assert_int_equal(error.id, OFERR_BAD_ACTION_TOO_MANY);
	flow_actions_destroy(&actions);
}

/* Instructions come in any order and leave in that of their execution. */
static void
instructions_are_ordered(void **state)
{
	static const uint16_t expected[] = {ACTION_METER, ACTION_OUTPUT,
	                                    ACTION_CLEAR_ACTIONS, ACTION_WRITE_METADATA,
	                                    ACTION_GOTO_TABLE};
	struct flow_actions actions = {0};
	size_t i = 0;

	(void)state;
	assert_int_equal(decode(OF13,
	                        "0001000803000000"
	                        "000200180000000000000000000000050000000000000007"
	                        "0005000800000000"
	                        "000400180000000000000010000000050000000000000000"
	                        "0006000800000004",
	                        &actions, NULL),
	                 0);
	FLOW_ACTION_FOR_EACH(action, actions.data, actions.bytes)
	assert_int_equal(action->type, expected[i++]);
	assert_int_equal(i, 5);
	flow_actions_destroy(&actions);
}

/* What is checked: instructions of 1.3 (or, with an experimenter's first, actions of 1.0)
 * for packets of an Ethernet type and protocol; id OFERR_N = fine. */
static const struct {
	const char *what;
	uint16_t eth_type;
	uint8_t ip_proto;
	bool is_tagged;
	const char *hex;
	enum of_error_id id;
} checks[] = {
	{"output:0", 0, 0, false, "000400180000000000000010000000000000000000000000",
         OFERR_BAD_ACTION_OUT_PORT},
	{"output:NONE", 0, 0, false, "000400180000000000000010ffffffff0000000000000000",
         OFERR_BAD_ACTION_OUT_PORT},
	{"output:NORMAL", 0, 0, false, "000400180000000000000010fffffffa0000000000000000",
         OFERR_N},
	{"set nw_src, any", 0, 0, false,
         "000400180000000000190010800016040102030400000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"set nw_src, ip", 0x0800, 0, false,
         "000400180000000000190010800016040102030400000000", OFERR_N},
	{"set nw_src, ipv6", 0x86dd, 0, false,
         "000400180000000000190010800016040102030400000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"set tcp_dst, ip", 0x0800, 0, false,
         "00040018000000000019001080001c020005000000000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"set tcp_dst, tcp", 0x0800, 6, false,
         "00040018000000000019001080001c020005000000000000", OFERR_N},
	{"set vlan_vid, any", 0, 0, false,
         "00040018000000000019001080000c021005000000000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"set vlan_vid, tagged", 0, 0, true,
         "00040018000000000019001080000c021005000000000000", OFERR_N},
	{"push_vlan, set vlan_vid", 0, 0, false,
         "000400200000000000110008810000000019001080000c021005000000000000", OFERR_N},
	{"pop_vlan, any", 0, 0, false, "00040010000000000012000800000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"pop_vlan twice", 0, 0, true, "000400180000000000120008000000000012000800000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"push_vlan, pop_vlan twice", 0, 0, true,
         "00040020000000000011000881000000"
         "00120008000000000012000800000000",
         OFERR_N},
	{"write_actions(pop_vlan)", 0, 0, false, "00030010000000000012000800000000",
         OFERR_N},
	{"ct, any", 0, 0, false,
         "0004002000000000ffff00180000232000230000000000000000ff0000000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"push_mpls, set nw_src", 0x0800, 0, false,
         "0004002000000000001300088847000000190010800016040102030400000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"pop_mpls, set nw_src", 0x8847, 0, false,
         "0004002000000000001400080800000000190010800016040102030400000000", OFERR_N},
	{"pop_mpls, ip", 0x0800, 0, false, "00040010000000000014000808000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"dec_ttl, any", 0, 0, false, "00040010000000000018000800000000",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"goto_table:3", 0, 0, false, "0001000803000000", OFERR_N},
	{"goto_table:2 from 2", 0, 0, false, "0001000802000000",
         OFERR_BAD_INSTRUCTION_TABLE_ID},
	{"goto_table:100 of 100", 0, 0, false, "0001000864000000",
         OFERR_BAD_INSTRUCTION_TABLE_ID},
	{"move from nw_src", 0, 0, false,
         "0004002000000000ffff001800002320000600200000000000000e0400010004",
         OFERR_BAD_ACTION_MATCH_INCONSISTENT},
	{"set ct_mark outside of ct", 0x0800, 0, false,
         "0004001800000000001900100001d6040000000500000000",
         OFERR_BAD_ACTION_SET_ARGUMENT},
	{"conjunction, output", 0, 0, false,
         "0004002800000000ffff0010000023200022000200000005"
         "00000010000000050000000000000000",
         OFERR_BAD_ACTION_ARGUMENT},
	{"write_actions(exit)", 0, 0, false,
         "0003001800000000ffff0010000023200011000000000000", OFERR_BAD_ACTION_TYPE},
};

static void
actions_fit_their_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct flow_actions actions = {0};
		struct flow_match match = {0};
		struct of_error error = {.text = ""};
		int err;

		if (checks[i].eth_type)
			flow_match_set_u64(&match, FIELD_ETH_TYPE, checks[i].eth_type);
		if (checks[i].ip_proto)
			flow_match_set_u64(&match, FIELD_IP_PROTO, checks[i].ip_proto);
		if (checks[i].is_tagged)
			flow_match_set_u64(&match, FIELD_DL_VLAN, 7);
		assert_int_equal(decode(OF13, checks[i].hex, &actions, &error), 0);
		err = of_actions_check(actions.data, actions.bytes, &match, 2, 100,
		                       &error);
		if ((err != 0) != (checks[i].id != OFERR_N) ||
		    (err && error.id != (uint32_t)checks[i].id))
			fail_msg("%s: %d, %s, id %u", checks[i].what, err, error.text,
			         error.id);
		flow_actions_destroy(&actions);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_come_back),
		cmocka_unit_test(the_second_load_has_no_padding_in_front),
		cmocka_unit_test(bad_actions_are_refused),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(instructions_are_ordered),
		cmocka_unit_test(actions_fit_their_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
