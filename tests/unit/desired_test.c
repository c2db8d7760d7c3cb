/* desired_test.c - vswitchd/desired_keys.c: the text of configuration maps becomes typed
 * fields, or a problem that names the key. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/make_desired.h"
#include "support/make_keys.h"
#include "vswitchd/desired_keys.h"

static void
test_settings_have_defaults_and_take_every_key(void **state)
{
	struct desired_arena arena = {NULL};
	struct desired_settings s = {.max_sleep_us = 1};
	struct keys none = {.where = "Row r", .table = "T"};
	struct keys keys = KEYS("dpdk-init", "true", "dpdk-extra", "--no-huge",
	                        "dpdk-socket-mem", "1024,0", "pmd-cpu-mask", "0x102",
	                        "pmd-maxsleep", "7", "stats-update-interval", "100");
	struct error err;

	(void)state;
	assert_int_equal(keys_to_settings(&none, &arena, &s, &err), 0);
	assert_int_equal(s.max_sleep_us, 50);
	assert_int_equal(s.stats_interval_ms, 5000);
	assert_false(s.dpdk_is_on || s.dpdk_is_off);
	assert_int_equal(keys_to_settings(&keys, &arena, &s, &err), 0);
	assert_true(s.dpdk_is_on);
	assert_string_equal(s.dpdk_extra, "--no-huge");
	assert_string_equal(s.dpdk_socket_mem, "1024,0");
	assert_int_equal(s.pmd_cpu_mask[0], 0x02);
	assert_int_equal(s.pmd_cpu_mask[1], 0x01);
	assert_int_equal(s.max_sleep_us, 7);
	assert_int_equal(s.stats_interval_ms, 5000); /* held to OVS's minimum */
	desired_arena_free(&arena);
}

static void
test_bad_settings_are_named(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{"dpdk-init", "maybe"},         {"dpdk-socket-mem", "1G"},
		{"pmd-cpu-mask", "0xg"},        {"pmd-cpu-mask", "0x"},
		{"pmd-maxsleep", "-1"},         {"pmd-maxsleep", "10001"},
		{"vhost-sock-dir", "../other"}, {"stats-update-interval", "abc"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct desired_arena arena = {NULL};
		struct desired_settings s = {.max_sleep_us = 1};
		struct keys keys = KEYS(bad[i].key, bad[i].value);
		struct error err = {""};

		assert_int_equal(keys_to_settings(&keys, &arena, &s, &err), -EINVAL);
		assert_non_null(strstr(err.text, bad[i].key));
		assert_non_null(strstr(err.text, bad[i].value));
		desired_arena_free(&arena);
	}
}

static void
test_cpu_mask_reaches_the_last_core_and_no_further(void **state)
{
	uint8_t mask[DP_CPUS_MAX / 8];
	char text[DP_CPUS_MAX / 4 + 2];
	struct error err;

	(void)state;
	memset(text, '0', sizeof(text));
	text[0] = '8';
	text[DP_CPUS_MAX / 4] = '\0';
	assert_int_equal(keys_parse_cpu_mask(text, mask, &err), 0);
	assert_int_equal(mask[sizeof(mask) - 1], 0x80);
	text[DP_CPUS_MAX / 4] = '0';
	text[DP_CPUS_MAX / 4 + 1] = '\0';
	assert_int_equal(keys_parse_cpu_mask(text, mask, &err), -EINVAL);
}

static void
test_bridge_keys(void **state)
{
	struct desired_bridge bridge = {.name = "br0"};
	struct keys good =
		KEYS("mac-table-size", "1000", "mac-aging-time", "60", "hwaddr",
	             "02:00:00:00:00:07", "datapath-id", "00000000000000ff");
	struct error err;

	(void)state;
	assert_int_equal(keys_to_bridge(&good, &bridge, &err), 0);
	assert_int_equal(bridge.config.mac_table_size, 1000);
	assert_int_equal(bridge.config.mac_aging_s, 60);
	assert_int_equal(bridge.mac[5], 7);
	assert_int_equal(bridge.datapath_id, 0xff);

	struct keys multicast = KEYS("hwaddr", "01:00:00:00:00:07");
	assert_int_equal(keys_to_bridge(&multicast, &bridge, &err), -EINVAL);
	struct keys short_id = KEYS("datapath-id", "ff");
	assert_int_equal(keys_to_bridge(&short_id, &bridge, &err), -EINVAL);
	struct keys prefixed_id = KEYS("datapath-id", "0xfe");
	assert_int_equal(keys_to_bridge(&prefixed_id, &bridge, &err), 0);
	assert_int_equal(bridge.datapath_id, 0xfe);
	/* One bad key does not take the good ones along. */
	struct keys mixed = KEYS("mac-table-size", "lots", "mac-aging-time", "30");
	assert_int_equal(keys_to_bridge(&mixed, &bridge, &err), -EINVAL);
	assert_int_equal(bridge.config.mac_aging_s, 30);
	assert_non_null(strstr(err.text, "mac-table-size=lots"));
}

static void
test_interface_options_by_type(void **state)
{
	struct desired_port port = {.name = "vh0",
	                            .config = {.type = DP_PORT_VHOST_CLIENT}};
	struct keys path = KEYS("vhost-server-path", "/tmp/sock");
	struct keys none = {.where = "Row r", .table = "T"};
	struct error err;
	char longer[200];

	(void)state;
	assert_int_equal(keys_to_interface(&path, "/run", &port, &err), 0);
	assert_string_equal(port.config.socket_path, "/tmp/sock");
	assert_int_equal(keys_to_interface(&none, "/run", &port, &err), -EINVAL);
	assert_non_null(strstr(err.text, "vhost-server-path is missing"));
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[108] = '\0';
	struct keys too_long = KEYS("vhost-server-path", longer);
	assert_int_equal(keys_to_interface(&too_long, "/run", &port, &err),
	                 -ENAMETOOLONG);
	longer[107] = '\0';
	assert_int_equal(keys_to_interface(&too_long, "/run", &port, &err), 0);
	struct keys relative = KEYS("vhost-server-path", "sock");
	assert_int_equal(keys_to_interface(&relative, "/run", &port, &err), -EINVAL);

	port.config.type = DP_PORT_VHOST_SERVER;
	assert_int_equal(keys_to_interface(&none, "/run", &port, &err), 0);
	assert_string_equal(port.config.socket_path, "/run/vh0");
	port.name = "../etc/passwd";
	assert_int_equal(keys_to_interface(&none, "/run", &port, &err), -EINVAL);

	port.config.type = DP_PORT_DPDK;
	assert_int_equal(keys_to_interface(&none, "/run", &port, &err), -EINVAL);
	struct keys nic = KEYS("dpdk-devargs", "net_null0", "n_rxq", "4");
	assert_int_equal(keys_to_interface(&nic, "/run", &port, &err), 0);
	assert_int_equal(port.config.n_rxq, 4);
	struct keys queues = KEYS("dpdk-devargs", "net_null0", "n_rxq", "0");
	assert_int_equal(keys_to_interface(&queues, "/run", &port, &err), -EINVAL);
}

static void
test_arena_holds_large_and_many(void **state)
{
	struct desired_arena arena = {NULL};
	char *big = desired_alloc(&arena, 300000);
	const char *texts[1000];

	(void)state;
	memset(big, 'b', 300000);
	for (int i = 0; i < 1000; i++)
		texts[i] = desired_printf(&arena, "%0100d", i);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(strlen(texts[i]), 100);
	assert_int_equal(big[299999], 'b');
	desired_arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_have_defaults_and_take_every_key),
		cmocka_unit_test(test_bad_settings_are_named),
		cmocka_unit_test(test_cpu_mask_reaches_the_last_core_and_no_further),
		cmocka_unit_test(test_bridge_keys),
		cmocka_unit_test(test_interface_options_by_type),
		cmocka_unit_test(test_arena_holds_large_and_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
