/* of_match_test.c - lib/openflow: matches both ways, against what ovs-ofctl sends, and
 * what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openflow/of_match.h"
#include "support/hex.h"
#include "unit/of_match_vectors.h"

static int
decode(const struct of_vector *v, const uint8_t *data, size_t n, struct flow_match *match,
       uint64_t *cookie, uint64_t *mask, struct of_error *error)
{
	size_t used = n;
	int err;

	if (v->kind == 'x')
		return of_oxm_decode(data, n, false, match, cookie, mask, error);
	err = of_match_decode(v->version, data, n, match, &used, error);
	if (!err)
		assert_int_equal(used, n);
	return err;
}

static void
vectors_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(match_vectors) / sizeof(match_vectors[0]); i++) {
		const struct of_vector *v = &match_vectors[i];
		uint64_t cookie = 0, cookie_mask = 0;
		struct flow_match match;
		struct of_error error;
		struct str out = STR_INIT;
		size_t n;
		uint8_t *data = hex_parse(v->hex, &n);

		if (decode(v, data, n, &match, &cookie, &cookie_mask, &error))
			fail_msg("%s: %s", v->text, error.text);
		if (v->kind == 'x')
			of_oxm_encode(v->version, &match, cookie, cookie_mask, &out);
		else
			of_match_encode(v->version, &match, &out);
		if (out.length != n || (n && memcmp(out.data, data, n)))
			fail_msg("%s, 1.%d: comes back differently", v->text,
			         v->version - 1);
		if (v->kind == 'm')
			assert_true(of_match_fits(v->version, &match));
		str_free(&out);
		free(data);
	}
}

/* OXM and NXM that are refused. */
static void
bad_fields_are_refused(void **state)
{
	static const struct {
		const char *hex;
		enum of_error_id id;
	} bad[] = {
		{"80000a", OFERR_BAD_MATCH_LEN},
		{"80000a0208", OFERR_BAD_MATCH_LEN},
		{"80000a0308000000", OFERR_BAD_MATCH_LEN},
		{"8000fe0400000000", OFERR_BAD_MATCH_FIELD},
		{"7fff000400000000", OFERR_BAD_MATCH_FIELD},
		{"ffff540612345678ffff", OFERR_BAD_MATCH_FIELD},
		{"ffff540300000000", OFERR_BAD_MATCH_LEN},
		/* ip_src, tcp_src, nd_target without what they need */
		{"800016040a000001", OFERR_BAD_MATCH_PREREQ},
		{"80000a02080080001a020050", OFERR_BAD_MATCH_PREREQ},
		{"80000e0103", OFERR_BAD_MATCH_PREREQ},
		/* twice; a register and the wide one over it */
		{"8000000400000001"
	         "8000000400000001",
	         OFERR_BAD_MATCH_DUP},
		{"0001000400000001"
	         "800100080000000000000001",
	         OFERR_BAD_MATCH_DUP},
		/* vlan_vid 0x2000, dscp 64, ct_state with unknown bits, packet_type IP */
		{"80000c022000", OFERR_BAD_MATCH_VALUE},
		{"80000a0208008000100140", OFERR_BAD_MATCH_VALUE},
		{"0001d20400000100", OFERR_BAD_MATCH_VALUE},
		{"8000580400010800", OFERR_BAD_MATCH_VALUE},
		/* value outside of the mask; a mask where none may be */
		{"8000050800000000000000050000000000000004"
	         "00",
	         OFERR_BAD_MATCH_LEN},
		{"80000510"
	         "0000000000000005"
	         "0000000000000004",
	         OFERR_BAD_MATCH_WILDCARDS},
		{"80000108000000010000000f", OFERR_BAD_MATCH_MASK},
		{"00013c080000000000000001", OFERR_BAD_MATCH_FIELD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct flow_match match;
		struct of_error error;
		size_t n;
		uint8_t *data = hex_parse(bad[i].hex, &n);

		assert_int_equal(
			of_oxm_decode(data, n, false, &match, NULL, NULL, &error),
			-EPROTO);
		if (error.id != bad[i].id)
			fail_msg("%s: %s, id %u", bad[i].hex, error.text, error.id);
		free(data);
	}
}

static void
unknown_fields_are_skipped_if_asked(void **state)
{
	static const uint8_t oxm[] = {0x80, 0, 0xfe, 1, 7, 0x80, 0, 0, 4, 0, 0, 0, 9};
	struct flow_match match;

	(void)state;
	assert_int_equal(of_oxm_decode(oxm, sizeof(oxm), true, &match, NULL, NULL, NULL),
	                 0);
	assert_int_equal(match.key.f.in_port, 9);
}

static void
masks_of_nothing_match_all(void **state)
{
	static const uint8_t oxm[] = {0x80, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0};
	struct flow_match match, empty = {0};

	(void)state;
	assert_int_equal(of_oxm_decode(oxm, sizeof(oxm), false, &match, NULL, NULL, NULL),
	                 0);
	assert_memory_equal(&match, &empty, sizeof(match));
}

static void
old_matches_cannot_say_all(void **state)
{
	struct flow_match match = {0};

	(void)state;
	flow_match_set_u64(&match, FIELD_REG0, 5);
	assert_false(of_match_fits(OF10, &match));
	assert_false(of_match_fits(OF11, &match));
	assert_true(of_match_fits(OF13, &match));
	memset(&match, 0, sizeof(match));
	flow_match_set_u64(&match, FIELD_METADATA, 5);
	assert_false(of_match_fits(OF10, &match));
	assert_true(of_match_fits(OF11, &match));
	memset(&match, 0, sizeof(match));
	flow_match_set_u64(&match, FIELD_IN_PORT, 0x12345);
	assert_false(of_match_fits(OF10, &match));
}

static void
errors_have_numbers(void **state)
{
	struct of_error error;

	(void)state;
	of_error_resolve(OFERR_BAD_MATCH_PREREQ, OF13, &error);
	assert_int_equal(error.type, 4);
	assert_int_equal(error.code, 9);
	assert_int_equal(error.experimenter, 0);
	assert_string_equal(of_error_name(OF13, &error), "OFPBMC_BAD_PREREQ");
	of_error_resolve(OFERR_BAD_MATCH_PREREQ, OF10, &error);
	assert_int_equal(error.type, 1);
	assert_int_equal(error.code, 260);
	assert_int_equal(error.experimenter, 0x2320);
	of_error_resolve(OFERR_BUNDLE_BAD_ID, OF13, &error);
	assert_int_equal(error.type, 0xffff);
	assert_int_equal(error.code, 2302);
	assert_int_equal(error.experimenter, 0x4f4e4600);
	/* no version is left without a number */
	for (unsigned id = 0; id < OFERR_N; id++)
		for (enum of_version v = OF10; v <= OF15; v++) {
			of_error_resolve((enum of_error_id)id, v, &error);
			assert_true(id < 2 || error.type || error.experimenter);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_come_back),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(unknown_fields_are_skipped_if_asked),
		cmocka_unit_test(masks_of_nothing_match_all),
		cmocka_unit_test(old_matches_cannot_say_all),
		cmocka_unit_test(errors_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
