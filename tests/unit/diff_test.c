/* diff_test.c - vswitchd/diff.c and apply.c: plans are compared as text, and applying one
 * leaves nothing more to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_datapath.h"
#include "support/fake_ofproto.h"
#include "support/make_desired.h"
#include "vswitchd/apply.h"
#include "vswitchd/validate.h"

static struct running running;

static int
setup(void **state)
{
	(void)state;
	fake_datapath_reset();
	running_init(&running);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	running_destroy(&running);
	fake_datapath_reset();
	fake_ofproto_reset();
	return 0;
}

/* br0 with its LOCAL port, a and b. */
static struct desired *
two_ports(void)
{
	struct desired *desired = make_desired();
	struct desired_bridge *bridge = make_bridge(desired, "br0");

	make_port(desired, bridge, "a", DP_PORT_DUMMY);
	make_port(desired, bridge, "b", DP_PORT_DUMMY);
	make_port(desired, bridge, "br0", DP_PORT_INTERNAL);
	return desired;
}

static void
assert_plan(struct desired *desired, const char *expected)
{
	struct str text = STR_INIT;
	struct plan plan;

	validate(desired, &running);
	diff(&running, desired, &plan);
	plan_print(&plan, &text);
	assert_string_equal(str_text(&text), expected);
	str_free(&text);
	plan_destroy(&plan);
}

/* Applies and checks that nothing is left to do; 'desired' stays the caller's. */
static void
apply_all(struct desired *desired)
{
	struct apply apply;

	validate(desired, &running);
	apply_init(&apply, &running, desired);
	while (!apply_run(&apply, 0))
		continue;
	apply_destroy(&apply);
}

static void
assert_calls(const char *expected)
{
	assert_string_equal(str_text(&fake_datapath.calls), expected);
	str_clear(&fake_datapath.calls);
}

static void
test_first_configuration_is_made_in_order(void **state)
{
	struct desired *desired = two_ports();

	(void)state;
	assert_plan(desired, "start datapath\n"
	                     "add bridge br0\n"
	                     "add port a to br0 as 1, type dummy\n"
	                     "add port b to br0 as 2, type dummy\n"
	                     "add port br0 to br0 as 65534, type internal\n");
	apply_all(desired);
	assert_calls("start extra=\nadd bridge br0\nadd port a as 1\nadd port b as 2\n"
	             "add port br0 as 65534\n");
	assert_plan(desired, "");
	desired_destroy(desired);
}

static void
test_datapath_starts_only_when_wanted(void **state)
{
	struct desired *desired = make_desired();

	(void)state;
	assert_plan(desired, "");
	desired->settings.dpdk_is_on = true;
	assert_plan(desired, "start datapath\n");
	make_bridge(desired, "br0");
	desired->settings.dpdk_is_on = false;
	desired->settings.dpdk_is_off = true;
	assert_plan(desired, "");
	desired_destroy(desired);
}

static void
test_only_what_changed_is_touched(void **state)
{
	struct desired *desired = two_ports();

	(void)state;
	apply_all(desired);
	desired->bridges[0].config.mac_aging_s = 60;
	desired->bridges[0].ports[0].config.settings.vlan_tag = 7;
	desired->bridges[0].ports[1].config.type = DP_PORT_TAP;
	desired->settings.pmd_cpu_mask[0] = 2;
	assert_plan(desired, "set workers\n"
	                     "del port b\n"
	                     "set bridge br0\n"
	                     "set port a\n"
	                     "add port b to br0 as 2, type tap\n");
	apply_all(desired);
	assert_plan(desired, "");
	desired_destroy(desired);
}

static void
test_what_nobody_wants_goes(void **state)
{
	struct desired *before = two_ports(), *after = make_desired();
	struct desired_bridge *other = make_bridge(after, "br1");

	(void)state;
	make_port(after, other, "b", DP_PORT_DUMMY);
	apply_all(before);
	str_clear(&fake_datapath.calls);
	assert_plan(after, "del port a\n"
	                   "del port b\n"
	                   "del port br0\n"
	                   "del bridge br0\n"
	                   "add bridge br1\n"
	                   "add port b to br1 as 1, type dummy\n");
	apply_all(after);
	assert_plan(after, "");
	desired_destroy(before);
	desired_destroy(after);
}

static void
test_port_with_a_problem_keeps_running_as_it_was(void **state)
{
	struct desired *desired = two_ports();

	(void)state;
	apply_all(desired);
	desired->bridges[0].ports[0].problem = "bad";
	desired->bridges[0].ports[0].config.settings.vlan_tag = 7;
	assert_plan(desired, "");
	desired_destroy(desired);
}

static void
test_port_whose_interface_is_gone_is_made_again(void **state)
{
	struct desired *desired = two_ports();

	(void)state;
	apply_all(desired);
	running_find_port(&running, "a")->is_stale = true;
	assert_plan(desired, "del port a\n"
	                     "add port a to br0 as 1, type dummy\n");
	apply_all(desired);
	assert_plan(desired, "");
	desired_destroy(desired);
}

static void
test_qos_is_set_changed_and_removed(void **state)
{
	struct desired *desired = two_ports();
	struct desired_port *port = &desired->bridges[0].ports[0];
	struct desired_qos *qos = make_qos(desired, 1000, 2, 100);

	(void)state;
	port->qos = qos;
	apply_all(desired);
	assert_non_null(
		strstr(str_text(&fake_datapath.calls),
	               "add port a as 1\nset qos a kind=1 rate=1000 classes=2\n"));
	assert_plan(desired, "");
	port->qos = make_qos(desired, 1000, 2, 200);
	assert_plan(desired, "set qos a to linux-htb\n");
	/* An impossible tree leaves the one in force. */
	port->qos = make_qos(desired, 1000, 2, 600);
	assert_plan(desired, "");
	assert_non_null(port->qos_problem);
	port->qos_problem = NULL;
	port->qos = NULL;
	assert_plan(desired, "set qos a to none\n");
	apply_all(desired);
	assert_plan(desired, "");
	assert_null(running_find_port(&running, "a")->qos_type);
	desired_destroy(desired);
}

static void
test_failures_stay_on_their_own_object(void **state)
{
	struct desired *desired = two_ports();
	struct desired_bridge *bridge = &desired->bridges[0];

	(void)state;
	bridge->ports[0].qos = make_qos(desired, 1000, 1, 1);
	bridge->ports[1].qos = make_qos(desired, 1000, 1, 1);
	fake_datapath.fail_port = "a";
	fake_datapath.fail_qos_port = "b";
	apply_all(desired);
	assert_string_equal(bridge->ports[0].failure, "the fake refuses it");
	assert_null(bridge->ports[0].qos_failure);
	assert_null(bridge->ports[1].failure);
	assert_string_equal(bridge->ports[1].qos_failure,
	                    "the fake has no room for classes");
	assert_null(running_find_port(&running, "a"));
	assert_non_null(running_find_port(&running, "br0"));
	/* It can be tried again, and only it. */
	fake_datapath.fail_port = NULL;
	fake_datapath.fail_qos_port = NULL;
	assert_plan(desired, "add port a to br0 as 1, type dummy\n"
	                     "set qos a to linux-htb\n"
	                     "set qos b to linux-htb\n");
	desired_destroy(desired);
}

static void
test_without_a_datapath_every_port_learns_why(void **state)
{
	struct desired *desired = two_ports();

	(void)state;
	fake_datapath.fail_start = true;
	apply_all(desired);
	assert_calls("start extra=\n");
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(desired->bridges[0].ports[i].failure,
		                       "no memory for the fake"));
	assert_false(running.is_started);
	desired_destroy(desired);
}

static void
test_switches_learn_of_ports_then_of_controllers(void **state)
{
	static const struct ofproto_controller controllers[] = {{.target = "tcp:1.2.3.4"},
	                                                        {.target = "ptcp:"}};
	struct desired *desired = two_ports();
	struct ofproto_config *config = &desired->bridges[0].openflow;

	(void)state;
	*config = (struct ofproto_config){.bridge_name = "br0",
	                                  .fail_mode = OFPROTO_SECURE,
	                                  .versions = 1U << 4,
	                                  .controllers = controllers,
	                                  .n_controllers = 2};
	desired_sort(desired);
	apply_all(desired);
	assert_string_equal(str_text(&fake_ofproto_calls),
	                    "create br0\n"
	                    "configure br0 secure versions=0x10\n"
	                    "port a of br0 is 1\n"
	                    "port b of br0 is 2\n"
	                    "port br0 of br0 is 4294967294\n"
	                    "configure br0 secure versions=0x10 tcp:1.2.3.4 ptcp:\n");
	assert_plan(desired, "");
	str_clear(&fake_ofproto_calls);
	config->n_controllers = 1;
	desired->bridges[0].ports[1].config.settings.mtu = 1400;
	assert_plan(desired, "set port b\nset openflow br0\n");
	apply_all(desired);
	assert_string_equal(str_text(&fake_ofproto_calls),
	                    "port 2 of br0 changed\n"
	                    "configure br0 secure versions=0x10 tcp:1.2.3.4\n");
	str_clear(&fake_ofproto_calls);
	desired->n_bridges = 0;
	apply_all(desired);
	assert_string_equal(str_text(&fake_ofproto_calls),
	                    "port 1 of br0 is gone\n"
	                    "port 2 of br0 is gone\n"
	                    "port 4294967294 of br0 is gone\n"
	                    "destroy br0\n");
	desired_destroy(desired);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_configuration_is_made_in_order),
		TEST(test_datapath_starts_only_when_wanted),
		TEST(test_only_what_changed_is_touched),
		TEST(test_what_nobody_wants_goes),
		TEST(test_port_with_a_problem_keeps_running_as_it_was),
		TEST(test_port_whose_interface_is_gone_is_made_again),
		TEST(test_qos_is_set_changed_and_removed),
		TEST(test_failures_stay_on_their_own_object),
		TEST(test_without_a_datapath_every_port_learns_why),
		TEST(test_switches_learn_of_ports_then_of_controllers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
