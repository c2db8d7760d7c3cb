/* validate_test.c - vswitchd/validate.c and ofport.c on hand-made desired states: a bad
 * object gets its reason, the others are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fake_datapath.h"
#include "support/make_desired.h"
#include "vswitchd/validate.h"

struct fixture {
	struct desired *desired;
	struct desired_bridge *bridge;
	struct running running;
	char dir[32];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_datapath_reset();
	f->desired = make_desired();
	f->bridge = make_bridge(f->desired, "br0");
	running_init(&f->running);
	strcpy(f->dir, "/tmp/weir-validate.XXXXXX");
	*state = f;
	return mkdtemp(f->dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	desired_destroy(f->desired);
	running_destroy(&f->running);
	fake_datapath_reset();
	rmdir(f->dir);
	free(f);
	return 0;
}

static struct desired_port *
vhost(struct fixture *f, const char *name, enum dp_port_type type, const char *file)
{
	struct desired_port *port = make_port(f->desired, f->bridge, name, type);

	snprintf(port->config.socket_path, sizeof(port->config.socket_path), "%s/%s",
	         f->dir, file);
	return port;
}

static struct running_port *
run_port(struct fixture *f, const char *name, uint16_t ofport)
{
	struct dp_port_config config = {.type = DP_PORT_DUMMY, .ofport = ofport};

	strcpy(config.name, name);
	return running_add_port(&f->running, 0, "br0", &config);
}

static void
test_names_are_held_to_their_place(void **state)
{
	struct fixture *f = *state;
	static const char long_name[] = "a-name-of-sixty-four-characters-is-one-too-many-"
					"for-the-datapath";
	struct desired_port *ok =
		make_port(f->desired, f->bridge, "fifteen-letters", DP_PORT_TAP);
	struct desired_port *tap =
		make_port(f->desired, f->bridge, "sixteen-letters!", DP_PORT_TAP);
	struct desired_port *dummy =
		make_port(f->desired, f->bridge, long_name, DP_PORT_DUMMY);

	assert_int_equal(strlen(long_name), DP_NAME_MAX_BYTES);
	validate(f->desired, &f->running);
	assert_null(ok->problem);
	assert_non_null(tap->problem);
	assert_non_null(dummy->problem);
}

static void
test_ports_of_an_impossible_bridge_say_so(void **state)
{
	struct fixture *f = *state;
	struct desired_port *port = make_port(f->desired, f->bridge, "p", DP_PORT_DUMMY);

	f->bridge->problem = "it is made of cheese";
	validate(f->desired, &f->running);
	assert_string_equal(port->problem, "bridge br0: it is made of cheese");
}

static void
test_sockets_need_a_place_and_only_one_user(void **state)
{
	struct fixture *f = *state;
	struct desired_port *a = vhost(f, "a", DP_PORT_VHOST_CLIENT, "s");
	struct desired_port *b = vhost(f, "b", DP_PORT_VHOST_CLIENT, "s");
	struct desired_port *c = vhost(f, "c", DP_PORT_VHOST_SERVER, "missing/s");
	struct desired_port *d = vhost(f, "d", DP_PORT_VHOST_CLIENT, "missing/t");
	struct desired_port *e = vhost(f, "e", DP_PORT_VHOST_SERVER, "file");
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/file", f->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	validate(f->desired, &f->running);
	unlink(path);
	assert_null(a->problem);
	assert_non_null(strstr(b->problem, "already used by port a"));
	assert_non_null(strstr(c->problem, "No such file or directory"));
	assert_null(d->problem); /* the guest's side may come later */
	assert_non_null(strstr(e->problem, "not a socket"));
}

static void
test_running_port_keeps_its_socket_from_a_newcomer(void **state)
{
	struct fixture *f = *state;
	struct desired_port *newcomer = vhost(f, "a", DP_PORT_VHOST_CLIENT, "s");
	struct desired_port *old = vhost(f, "b", DP_PORT_VHOST_CLIENT, "s");
	struct running_port *running = run_port(f, "b", 1);

	strcpy(running->config.socket_path, old->config.socket_path);
	validate(f->desired, &f->running);
	assert_null(old->problem);
	assert_non_null(newcomer->problem);
}

static void
test_bad_mask_keeps_what_runs(void **state)
{
	struct fixture *f = *state;

	f->desired->settings.pmd_cpu_mask[0] = 0x04; /* the fake has two cores */
	validate(f->desired, &f->running);
	assert_non_null(strstr(f->desired->settings.problem, "pmd-cpu-mask"));
	assert_int_equal(f->desired->settings.pmd_cpu_mask[0], 0);

	f->desired->settings.problem = NULL;
	f->desired->settings.pmd_cpu_mask[0] = 0x04;
	f->running.is_started = true;
	f->running.config.pmd_cpu_mask[0] = 0x02;
	validate(f->desired, &f->running);
	assert_non_null(f->desired->settings.problem);
	assert_int_equal(f->desired->settings.pmd_cpu_mask[0], 0x02);
}

static void
test_datapath_off_is_a_reason_only_before_it_starts(void **state)
{
	struct fixture *f = *state;
	struct desired_port *port = make_port(f->desired, f->bridge, "p", DP_PORT_DUMMY);

	f->desired->settings.dpdk_is_off = true;
	validate(f->desired, &f->running);
	assert_non_null(strstr(port->problem, "dpdk-init"));
	port->problem = NULL;
	f->desired->settings.dpdk_is_off = true;
	f->running.is_started = true;
	validate(f->desired, &f->running);
	assert_null(port->problem);
}

static void
test_qos_takes_the_rate_of_the_link(void **state)
{
	struct fixture *f = *state;
	struct desired_port *port = make_port(f->desired, f->bridge, "p", DP_PORT_DUMMY);

	port->qos = make_qos(f->desired, 0, 1, 1000);
	validate(f->desired, &f->running);
	assert_null(port->qos_problem);
	assert_true(port->qos_config.rate_bps == UINT64_C(10000000000));
	run_port(f, "p", 1)->link_bps = 1000000000;
	validate(f->desired, &f->running);
	assert_int_equal(port->qos_config.rate_bps, 1000000000);
}

static void
test_impossible_trees_leave_the_port_alone(void **state)
{
	struct fixture *f = *state;
	struct desired_port *port = make_port(f->desired, f->bridge, "p", DP_PORT_DUMMY);
	struct dp_class_config cycle[] = {{.number = 1, .parent = 2},
	                                  {.number = 2, .parent = 1}};
	struct dp_class_config orphan[] = {{.number = 1, .parent = 7}};
	struct dp_class_config greedy[] = {
		{.number = 1, .parent = DP_CLASS_ROOT, .floor_bps = 9, .ceil_bps = 8}};
	static const struct {
		const char *reason;
	} expected[] = {{"cycle"}, {"queue 7"}, {"own ceiling"}, {"the link"}};
	struct desired_qos *qos = make_qos(f->desired, 100, 3, 50);

	port->qos = qos;
	for (int i = 0; i < 4; i++) {
		if (i < 3) {
			qos->config.classes = i == 0 ? cycle : i == 1 ? orphan : greedy;
			qos->config.n_classes = i == 0 ? 2 : 1;
		} else {
			qos = make_qos(f->desired, 100, 3, 50);
			port->qos = qos;
		}
		port->qos_problem = NULL;
		qos->is_checked = false;
		validate(f->desired, &f->running);
		assert_null(port->problem);
		assert_non_null(port->qos_problem);
		assert_non_null(strstr(port->qos_problem, expected[i].reason));
		assert_non_null(strstr(port->qos_problem, "QoS q: "));
	}
}

/* Who asks for more than there is learns how much there is. */
static void
test_a_raised_floor_is_told_what_fits(void **state)
{
	struct fixture *f = *state;
	struct desired_port *port = make_port(f->desired, f->bridge, "p", DP_PORT_DUMMY);
	struct running_port *runs = run_port(f, "p", 1);
	struct desired_qos *qos = make_qos(f->desired, 1000, 3, 300);
	struct dp_class_config *classes =
		(struct dp_class_config *)(uintptr_t)qos->config.classes;

	port->qos = qos;
	running_set_qos(runs, "linux-htb", &qos->config);
	classes[1].floor_bps = 401;
	validate(f->desired, &f->running);
	assert_non_null(port->qos_problem);
	assert_non_null(
		strstr(port->qos_problem,
	               "queue 2, whose floor was raised, can have at most 400 bit/s"));
	qos->is_checked = false;
	classes[1].floor_bps = 400;
	validate(f->desired, &f->running);
	assert_null(port->qos_problem);
	/* A queue that is new, in packets. */
	qos->is_checked = false;
	qos->config.max_pps = 50;
	classes[2].floor_pps = 51;
	classes[1].floor_bps = 300;
	validate(f->desired, &f->running);
	assert_non_null(strstr(port->qos_problem,
	                       "queue 3, whose floor was raised, can have at most 50 "
	                       "packets/s"));
}

/* One row for many ports is judged once for each rate. */
static void
test_a_shared_row_is_judged_for_every_rate(void **state)
{
	struct fixture *f = *state;
	struct desired_port *slow = make_port(f->desired, f->bridge, "s", DP_PORT_DUMMY);
	struct desired_port *fast = make_port(f->desired, f->bridge, "f", DP_PORT_DUMMY);

	slow->qos = fast->qos = make_qos(f->desired, 0, 1, 2000);
	run_port(f, "s", 1)->link_bps = 1000;
	run_port(f, "f", 2)->link_bps = 3000;
	validate(f->desired, &f->running);
	assert_non_null(slow->qos_problem);
	assert_null(fast->qos_problem);
	/* In one domain the rate is one, whatever the links. */
	slow->qos->config.domain = "d";
	slow->qos->is_checked = false;
	slow->qos_problem = NULL;
	validate(f->desired, &f->running);
	assert_null(slow->qos_problem);
	assert_true(slow->qos_config.rate_bps == fast->qos_config.rate_bps);
}

static struct desired_port *
gated(struct fixture *f, const char *name, uint64_t floor_bps)
{
	struct desired_port *port = make_port(f->desired, f->bridge, name, DP_PORT_DUMMY);

	port->config.settings.on_excess = DP_EXCESS_GATE;
	port->config.settings.ingress_floor_bps = floor_bps;
	return port;
}

static void
run_as_asked(struct fixture *f, const struct desired_port *port, uint16_t ofport)
{
	run_port(f, port->name, ofport)->config.settings = port->config.settings;
}

static void
test_ingress_floors_share_the_bridge(void **state)
{
	struct fixture *f = *state;
	struct desired_port *a = gated(f, "a", 500), *b = gated(f, "b", 300);
	struct desired_port *c = gated(f, "c", 200), *d = gated(f, "d", 1);

	f->bridge->config.ingress_bps = 1000;
	run_as_asked(f, b, 2);
	run_as_asked(f, c, 3);
	validate(f->desired, &f->running);
	assert_null(a->problem);
	assert_null(b->problem);
	assert_null(c->problem);
	assert_string_equal(d->problem,
	                    "ingress-min-rate of 1 bit/s does not fit ingress-max-rate "
	                    "of bridge br0, 1000 bit/s (a has 500, b has 300, c has "
	                    "200); the largest that fits is 0");
	/* Who runs keeps its floor; what one gives back another can have. */
	a->config.settings.ingress_floor_bps = 501;
	d->problem = NULL;
	validate(f->desired, &f->running);
	assert_non_null(strstr(a->problem, "the largest that fits is 500"));
	assert_null(d->problem);
	a->problem = NULL;
	c->config.settings.ingress_floor_bps = 198;
	validate(f->desired, &f->running);
	assert_null(a->problem);
	assert_null(c->problem);
	assert_null(d->problem);
}

static void
test_ingress_floors_need_a_rate_and_fit_the_own_one(void **state)
{
	struct fixture *f = *state;
	struct desired_port *a = gated(f, "a", 500), *b = gated(f, "b", 300);
	struct desired_port *c = gated(f, "c", 0);

	b->config.settings.policing_bps = 299;
	c->config.settings.policing_bps = 299;
	c->config.settings.ingress_peak_bps = 298;
	validate(f->desired, &f->running);
	assert_non_null(strstr(a->problem, "ingress-max-rate of bridge br0"));
	assert_non_null(strstr(b->problem, "above ingress_policing_rate, 299"));
	assert_non_null(strstr(c->problem, "below ingress_policing_rate, 299"));
}

static void
test_a_bridge_keeps_the_rate_its_floors_need(void **state)
{
	struct fixture *f = *state;
	struct desired_port *a = gated(f, "a", 500);
	struct dp_bridge_config config = {.name = "br0", .ingress_bps = 1000};

	running_add_bridge(&f->running, 0, &config);
	run_as_asked(f, a, 1);
	f->bridge->config.ingress_bps = 499;
	validate(f->desired, &f->running);
	assert_null(a->problem);
	assert_non_null(strstr(f->bridge->settings_problem, "499 bit/s is below"));
	assert_int_equal(f->bridge->config.ingress_bps, 1000);
	/* Both at once may shrink. */
	f->bridge->settings_problem = NULL;
	f->bridge->config.ingress_bps = 499;
	a->config.settings.ingress_floor_bps = 499;
	validate(f->desired, &f->running);
	assert_null(f->bridge->settings_problem);
	assert_int_equal(f->bridge->config.ingress_bps, 499);
	assert_null(a->problem);
}

static void
test_ofports_are_local_requested_recorded_then_lowest(void **state)
{
	struct fixture *f = *state;
	struct desired_port *local =
		make_port(f->desired, f->bridge, "br0", DP_PORT_INTERNAL);
	struct desired_port *a = make_port(f->desired, f->bridge, "a", DP_PORT_DUMMY);
	struct desired_port *b = make_port(f->desired, f->bridge, "b", DP_PORT_DUMMY);
	struct desired_port *c = make_port(f->desired, f->bridge, "c", DP_PORT_DUMMY);
	struct desired_port *d = make_port(f->desired, f->bridge, "d", DP_PORT_DUMMY);
	struct desired_port *bad = make_port(f->desired, f->bridge, "e", DP_PORT_DUMMY);

	b->ofport_request = 1;
	b->ofport_recorded = 4;
	c->ofport_recorded = 2;
	d->ofport_request = 1; /* b was first */
	bad->problem = "bad";
	bad->ofport_request = 9;
	validate(f->desired, &f->running);
	assert_int_equal(local->config.ofport, OFPORT_LOCAL);
	assert_int_equal(b->config.ofport, 1);
	assert_int_equal(c->config.ofport, 2);
	assert_int_equal(a->config.ofport, 3);
	assert_int_equal(d->config.ofport, 4);
	assert_int_equal(bad->config.ofport, 0);
}

static void
test_running_ports_keep_their_numbers(void **state)
{
	struct fixture *f = *state;
	struct desired_port *a = make_port(f->desired, f->bridge, "a", DP_PORT_DUMMY);
	struct desired_port *b = make_port(f->desired, f->bridge, "b", DP_PORT_DUMMY);
	struct desired_port *c = make_port(f->desired, f->bridge, "c", DP_PORT_DUMMY);
	struct desired_port *d = make_port(f->desired, f->bridge, "d", DP_PORT_DUMMY);

	run_port(f, "a", 5);
	run_port(f, "b", 6);
	run_port(f, "c", 7);
	b->ofport_request = 8; /* free: it moves */
	c->ofport_request = 5; /* taken: it stays */
	d->ofport_request = 6; /* given up by b */
	validate(f->desired, &f->running);
	assert_int_equal(a->config.ofport, 5);
	assert_int_equal(b->config.ofport, 8);
	assert_int_equal(c->config.ofport, 7);
	assert_int_equal(d->config.ofport, 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names_are_held_to_their_place),
		TEST(test_ports_of_an_impossible_bridge_say_so),
		TEST(test_sockets_need_a_place_and_only_one_user),
		TEST(test_running_port_keeps_its_socket_from_a_newcomer),
		TEST(test_bad_mask_keeps_what_runs),
		TEST(test_datapath_off_is_a_reason_only_before_it_starts),
		TEST(test_qos_takes_the_rate_of_the_link),
		TEST(test_impossible_trees_leave_the_port_alone),
		TEST(test_a_raised_floor_is_told_what_fits),
		TEST(test_a_shared_row_is_judged_for_every_rate),
		TEST(test_ingress_floors_share_the_bridge),
		TEST(test_ingress_floors_need_a_rate_and_fit_the_own_one),
		TEST(test_a_bridge_keeps_the_rate_its_floors_need),
		TEST(test_ofports_are_local_requested_recorded_then_lowest),
		TEST(test_running_ports_keep_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
