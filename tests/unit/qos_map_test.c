/* qos_map_test.c - the map from packets to classes: thousands of addresses, numbers that
 * name no class, what makes two maps differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/qos_classify.h"

#define N_MACS 5000

static struct dp_class_mac macs[N_MACS + 2];

static struct qos_class_map *
map_make(const struct dp_qos_config *config, uint32_t n)
{
	struct qos_class_map *map = qos_map_alloc(n, config);

	for (uint32_t i = 0; i < n; i += 2) /* the odd ones do not exist */
		qos_map_refs(map)[i] = i + 100;
	qos_map_fill_lists(map, config);
	return map;
}

static uint64_t
mac_of(uint32_t i)
{
	return 0x020000000000ULL + i * 256ULL; /* alike in their last byte */
}

static void
set_mac(uint8_t *mac, uint64_t mac48)
{
	for (int k = 0; k < 6; k++)
		mac[k] = (uint8_t)(mac48 >> (40 - 8 * k));
}

static void
test_every_address_is_found_and_no_other(void **state)
{
	struct dp_qos_config config = {.macs = macs, .n_macs = N_MACS + 2};
	struct qos_class_map *map;

	(void)state;
	for (uint32_t i = 0; i < N_MACS; i++) {
		set_mac(macs[i].mac, mac_of(i));
		macs[i].number = i;
	}
	/* The first entry of an address counts; all zero is no address. */
	macs[N_MACS] = (struct dp_class_mac){.number = 2};
	memcpy(macs[N_MACS].mac, macs[4].mac, 6);
	memset(&macs[N_MACS + 1], 0, sizeof(macs[0]));
	map = map_make(&config, N_MACS);
	for (uint32_t i = 0; i < N_MACS; i++)
		assert_int_equal(qos_mac_lookup(map, mac_of(i)),
		                 i % 2 ? DP_CLASS_NONE : i);
	for (uint32_t i = N_MACS; i < 2 * N_MACS; i++)
		assert_int_equal(qos_mac_lookup(map, mac_of(i)), DP_CLASS_NONE);
	assert_int_equal(qos_mac_lookup(map, 0), DP_CLASS_NONE);
	free(map);
}

static void
test_numbers_without_a_class_have_no_reference(void **state)
{
	struct dp_qos_config config = {.has_dscp_classes = true};
	struct qos_class_map *map;

	(void)state;
	for (uint32_t i = 0; i < 64; i++)
		config.dscp_class[i] = i;
	map = map_make(&config, 11);
	assert_int_equal(qos_map_ref(map, 10), 110);
	assert_int_equal(qos_map_ref(map, 9), QOS_REF_NONE);
	assert_int_equal(qos_map_ref(map, 11), QOS_REF_NONE);
	assert_int_equal(qos_map_ref(map, PACKET_CLASS_NONE), QOS_REF_NONE);
	assert_int_equal(map->dscp[10], 10);
	assert_int_equal(map->dscp[9], DP_CLASS_NONE);
	assert_int_equal(map->dscp[12], DP_CLASS_NONE);
	free(map);
}

/* What chose the class gets its DSCP, what has no other does not. */
static void
test_classes_give_a_dscp_to_those_that_chose_them(void **state)
{
	struct dp_class_config classes[] = {
		{.number = 0, .has_dscp = true, .dscp = 8},
		{.number = 4, .has_dscp = true, .dscp = 0},
		{.number = 6},
		{.number = 40, .has_dscp = true, .dscp = 1},
	};
	struct dp_qos_config config = {.classes = classes, .n_classes = 2};
	struct qos_class_map *map = map_make(&config, 11), *other;

	(void)state;
	assert_int_equal(qos_mark_for(map, 0), 8);
	assert_int_equal(qos_mark_for(map, 4), 0);
	assert_int_equal(qos_mark_for(map, 6), QOS_DSCP_NONE);
	assert_int_equal(qos_mark_for(map, DP_CLASS_NONE), QOS_DSCP_NONE);
	assert_int_equal(qos_map_ref(map, 10), 110);
	config.n_classes = 4;
	other = map_make(&config, 11);
	assert_true(qos_map_equal(map, other));
	free(other);
	classes[1].dscp = 3;
	other = map_make(&config, 11);
	assert_false(qos_map_equal(map, other));
	free(other);
	config.n_classes = 0;
	other = map_make(&config, 11);
	assert_int_equal(qos_mark_for(other, 4), QOS_DSCP_NONE);
	assert_false(qos_map_equal(map, other));
	free(other);
	free(map);
}

static void
test_a_map_that_says_the_same_is_equal(void **state)
{
	struct dp_qos_config config = {.macs = macs, .n_macs = 10};
	struct qos_class_map *a = map_make(&config, 20), *b = map_make(&config, 20);

	(void)state;
	assert_true(qos_map_equal(a, b));
	free(b);
	b = map_make(&config, 21);
	assert_false(qos_map_equal(a, b));
	free(b);
	config.has_pcp_classes = true;
	b = map_make(&config, 20);
	assert_false(qos_map_equal(a, b));
	free(b);
	config.has_pcp_classes = false;
	config.n_macs = 8;
	b = map_make(&config, 20);
	assert_false(qos_map_equal(a, b));
	free(a);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_address_is_found_and_no_other),
		cmocka_unit_test(test_numbers_without_a_class_have_no_reference),
		cmocka_unit_test(test_classes_give_a_dscp_to_those_that_chose_them),
		cmocka_unit_test(test_a_map_that_says_the_same_is_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
