/* desired_from_db_test.c - vswitchd/desired_from_db.c and status.c on a database of their
 * own: rows become desired state, and what came of it is written back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/fake_datapath.h"
#include "support/fake_ofproto.h"
#include "vswitchd/apply.h"
#include "vswitchd/desired_from_db.h"
#include "vswitchd/desired_qos_from_db.h"
#include "vswitchd/status.h"
#include "vswitchd/status_controllers.h"
#include "vswitchd/validate.h"

static char dir[] = "/tmp/weir-desired-XXXXXX";
static char *db_path;
static struct db *db;
static struct db_txn *txn;
static struct uuid root;
static struct running running;
static struct desired *desired;
static struct qos_cache *cache; /* kept from reading to reading, as the daemon does */

static int
setup(void **state)
{
	json_t *json = json_loads(ovsdb_schema_text(), 0, NULL);
	struct ovsdb_schema *schema;
	struct error err = {""};

	(void)state;
	strcpy(dir, "/tmp/weir-desired-XXXXXX");
	assert_non_null(mkdtemp(dir));
	db_path = xasprintf("%s/db", dir);
	assert_int_equal(ovsdb_schema_from_json(json, &schema, &err), 0);
	json_decref(json);
	if (db_open(schema, db_path, &db, &err))
		fail_msg("%s", err.text);
	fake_datapath_reset();
	running_init(&running);
	cache = qos_cache_create();
	txn = db_txn_begin(db);
	root = db_txn_insert(txn, "Open_vSwitch");
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -r %s", dir);

	(void)state;
	desired_destroy(desired);
	desired = NULL;
	qos_cache_destroy(cache);
	running_destroy(&running);
	fake_ofproto_reset();
	db_close(db);
	assert_int_equal(system(command), 0);
	free(command);
	free(db_path);
	return 0;
}

/* Gives a column the value that 'text' stands for. */
static void
set(const char *table, const struct uuid *row, const char *column, const char *text)
{
	const struct ovsdb_table_schema *schema =
		ovsdb_schema_table(db_schema(db), table);
	const struct ovsdb_type *type = &ovsdb_table_column(schema, column)->type;
	struct ovsdb_datum datum;
	struct error err;

	if (ovsdb_datum_from_text(&datum, type, text, NULL, NULL, &err))
		fail_msg("%s", err.text);
	db_txn_set(txn, table, row, column, &datum);
	ovsdb_datum_destroy(&datum, type);
}

/* Lets a column name one row, or two. */
static void
refer(const char *table, const struct uuid *row, const char *column, const struct uuid *a,
      const struct uuid *b)
{
	char text[2 * UUID_TEXT_BYTES + 2];

	uuid_to_text(a, text);
	if (b) {
		strcat(text, ",");
		uuid_to_text(b, text + strlen(text));
	}
	set(table, row, column, text);
}

static struct uuid
add(const char *table, const char *name)
{
	struct uuid row = db_txn_insert(txn, table);

	set(table, &row, "name", name);
	return row;
}

static void
commit(void)
{
	struct error err = {""};

	if (db_txn_commit(txn, &err))
		fail_msg("%s", err.text);
}

static struct desired_port *
port_named(const char *name)
{
	struct desired_port *port = desired_find_port(desired, name);

	assert_non_null(port);
	return port;
}

/* One bridge with one Port that has one Interface, all of that name. */
static void
add_bridge_with_port(const char *name, struct uuid *bridge, struct uuid *port,
                     struct uuid *interface)
{
	*bridge = add("Bridge", "br0");
	*port = add("Port", name);
	*interface = add("Interface", name);
	refer("Open_vSwitch", &root, "bridges", bridge, NULL);
	refer("Bridge", bridge, "ports", port, NULL);
	refer("Port", port, "interfaces", interface, NULL);
}

static void
test_every_column_arrives(void **state)
{
	struct uuid bridge, port, interface;

	(void)state;
	add_bridge_with_port("vh0", &bridge, &port, &interface);
	set("Open_vSwitch", &root, "next_cfg", "7");
	set("Open_vSwitch", &root, "other_config",
	    "pmd-cpu-mask=0x2,dpdk-extra=--no-huge");
	set("Bridge", &bridge, "other_config", "mac-aging-time=60");
	set("Port", &port, "vlan_mode", "native-untagged");
	set("Port", &port, "tag", "5");
	set("Port", &port, "trunks", "6,4095");
	set("Port", &port, "other_config", "egress-class=3");
	set("Interface", &interface, "type", "dpdkvhostuserclient");
	set("Interface", &interface, "options", "vhost-server-path=/tmp/s");
	set("Interface", &interface, "ingress_policing_rate", "10");
	set("Interface", &interface, "ingress_policing_kpkts_rate", "2");
	set("Interface", &interface, "ingress_policing_kpkts_burst", "3");
	set("Interface", &interface, "mtu_request", "9000");
	set("Interface", &interface, "ofport_request", "12");
	set("Interface", &interface, "ofport", "13");
	set("Interface", &interface, "admin_state", "down");
	commit();
	desired = desired_from_db(db, cache);

	const struct desired_port *p = port_named("vh0");
	const struct dp_port_settings *s = &p->config.settings;
	assert_int_equal(desired->next_cfg, 7);
	assert_int_equal(desired->settings.pmd_cpu_mask[0], 2);
	assert_string_equal(desired->settings.dpdk_extra, "--no-huge");
	assert_int_equal(desired->bridges[0].config.mac_aging_s, 60);
	assert_null(p->problem);
	assert_int_equal(p->config.type, DP_PORT_VHOST_CLIENT);
	assert_string_equal(p->config.socket_path, "/tmp/s");
	assert_int_equal(s->vlan_mode, DP_VLAN_NATIVE_UNTAGGED);
	assert_int_equal(s->vlan_tag, 5);
	assert_int_equal(s->trunks[0], 1 << 6);
	assert_int_equal(s->trunks[511], 0x80);
	assert_int_equal(s->egress_class, 3);
	assert_int_equal(s->policing_bps, 10000);
	assert_int_equal(s->policing_burst_bits, 8000000); /* OVS's default */
	assert_int_equal(s->policing_pps, 2000);
	assert_int_equal(s->policing_burst_packets, 3000);
	assert_int_equal(s->mtu, 9000);
	assert_true(s->admin_down);
	assert_int_equal(p->ofport_request, 12);
	assert_int_equal(p->ofport_recorded, 13);
}

static const struct dp_port_settings *
policing_of(const char *options, const char *rate, const char *burst, const char *kpkts)
{
	struct uuid bridge, port, interface;

	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	set("Interface", &interface, "options", options);
	set("Interface", &interface, "ingress_policing_rate", rate);
	set("Interface", &interface, "ingress_policing_burst", burst);
	set("Interface", &interface, "ingress_policing_kpkts_rate", kpkts);
	commit();
	desired = desired_from_db(db, cache);
	return &port_named("p")->config.settings;
}

static void
test_policing_burst_follows_the_rate(void **state)
{
	const struct dp_port_settings *s = policing_of("", "100000", "0", "50");

	(void)state;
	assert_int_equal(s->policing_burst_bits, 80000000);
	assert_int_equal(s->policing_burst_packets, 40000);
}

static void
test_policing_burst_that_is_set_holds(void **state)
{
	const struct dp_port_settings *s = policing_of("", "100000", "500", "0");

	(void)state;
	assert_int_equal(s->policing_burst_bits, 500000);
}

static void
test_gate_needs_no_policing_burst(void **state)
{
	const struct dp_port_settings *s =
		policing_of("ingress-shaping=true", "100000", "0", "50");

	(void)state;
	assert_int_equal(s->on_excess, DP_EXCESS_GATE);
	assert_int_equal(s->policing_bps, 100000000);
	assert_int_equal(s->policing_burst_bits, 0);
	assert_int_equal(s->policing_pps, 50000);
	assert_int_equal(s->policing_burst_packets, 0);
}

static void
test_vlan_defaults(void **state)
{
	struct uuid bridge, port, interface;

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	commit();
	desired = desired_from_db(db, cache);
	assert_int_equal(port_named("p")->config.settings.vlan_mode, DP_VLAN_TRUNK);
	assert_int_equal(port_named("p")->config.settings.vlan_tag, DP_VLAN_NONE);
	assert_int_equal(port_named("p")->config.settings.egress_class, -1);
	desired_destroy(desired);
	txn = db_txn_begin(db);
	set("Port", &port, "tag", "9");
	set("Port", &port, "trunks", "1,2");
	commit();
	desired = desired_from_db(db, cache);
	assert_int_equal(port_named("p")->config.settings.vlan_mode, DP_VLAN_ACCESS);
	assert_int_equal(port_named("p")->config.settings.vlan_tag, 9);
	assert_int_equal(port_named("p")->config.settings.trunks[0], 0);
}

static void
test_bad_rows_have_reasons(void **state)
{
	struct uuid bridge, port, interface;

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "warp");
	set("Bridge", &bridge, "other_config", "mac-aging-time=soon");
	set("Open_vSwitch", &root, "other_config", "pmd-cpu-mask=zebra");
	commit();
	desired = desired_from_db(db, cache);
	assert_non_null(strstr(port_named("p")->problem, "\"warp\""));
	assert_non_null(strstr(port_named("p")->problem, "dpdkvhostuserclient"));
	assert_non_null(
		strstr(desired->bridges[0].settings_problem, "mac-aging-time=soon"));
	assert_non_null(strstr(desired->settings.problem, "zebra"));
	desired_destroy(desired);
	txn = db_txn_begin(db);
	set("Interface", &interface, "type", "dpdkvhostuserclient");
	set("Port", &port, "other_config", "egress-class=best");
	commit();
	desired = desired_from_db(db, cache);
	assert_string_equal(port_named("p")->problem,
	                    "options:vhost-server-path is missing");
	desired_destroy(desired);
	txn = db_txn_begin(db);
	set("Interface", &interface, "type", "dummy");
	commit();
	desired = desired_from_db(db, cache);
	assert_non_null(strstr(port_named("p")->problem, "egress-class=best"));
}

static void
test_patch_port_has_a_peer(void **state)
{
	static const struct {
		const char *options, *problem;
	} cases[] = {
		{"n_rxq=1", "options:peer is missing"},
		{"peer=p", "options:peer names the port itself"},
		{"peer=q", NULL},
	};
	struct uuid bridge, port, interface;

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "patch");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct desired_port *p;

		set("Interface", &interface, "options", cases[i].options);
		commit();
		desired = desired_from_db(db, cache);
		p = port_named("p");
		if (cases[i].problem)
			assert_string_equal(p->problem, cases[i].problem);
		else
			assert_null(p->problem);
		if (i + 1 == ARRAY_SIZE(cases))
			break; /* the teardown's */
		desired_destroy(desired);
		txn = db_txn_begin(db);
	}
	assert_int_equal(port_named("p")->config.type, DP_PORT_PATCH);
	assert_string_equal(port_named("p")->config.settings.peer, "q");
}

static void
test_bond_uses_its_first_interface(void **state)
{
	struct uuid bridge, port, a, b;

	(void)state;
	add_bridge_with_port("z", &bridge, &port, &b);
	a = add("Interface", "a");
	set("Interface", &a, "type", "dummy");
	set("Interface", &b, "type", "dummy");
	refer("Port", &port, "interfaces", &a, &b);
	commit();
	desired = desired_from_db(db, cache);
	assert_null(port_named("a")->problem);
	assert_non_null(strstr(port_named("z")->problem, "only interface a"));
	assert_string_equal(port_named("a")->port_name, "z");
}

static void
test_interface_of_two_ports_is_taken_once(void **state)
{
	struct uuid bridge, port, other, interface;

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	other = add("Port", "q");
	refer("Port", &other, "interfaces", &interface, NULL);
	refer("Bridge", &bridge, "ports", &port, &other);
	commit();
	desired = desired_from_db(db, cache);
	assert_int_equal(desired->bridges[0].n_ports, 1);
}

static void
test_qos_tree_with_a_bad_queue(void **state)
{
	struct uuid bridge, port, interface, qos, good, bad;
	char good_text[UUID_TEXT_BYTES], bad_text[UUID_TEXT_BYTES], map[200];

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	qos = db_txn_insert(txn, "QoS");
	good = db_txn_insert(txn, "Queue");
	bad = db_txn_insert(txn, "Queue");
	uuid_to_text(&good, good_text);
	uuid_to_text(&bad, bad_text);
	snprintf(map, sizeof(map), "1=%s,9=%s", good_text, bad_text);
	set("QoS", &qos, "type", "linux-htb");
	set("QoS", &qos, "other_config", "max-rate=1000");
	set("QoS", &qos, "queues", map);
	set("Queue", &good, "other_config", "min-rate=10,parent=9");
	refer("Port", &port, "qos", &qos, NULL);
	commit();
	desired = desired_from_db(db, cache);
	assert_null(port_named("p")->qos->problem);
	assert_int_equal(port_named("p")->qos->config.rate_bps, 1000);
	assert_int_equal(port_named("p")->qos->config.n_classes, 2);
	assert_int_equal(port_named("p")->qos->config.classes[0].parent, 9);
	assert_int_equal(port_named("p")->qos->config.classes[1].parent, DP_CLASS_ROOT);
	desired_destroy(desired);
	txn = db_txn_begin(db);
	set("Queue", &bad, "other_config", "max-rate=abc");
	commit();
	desired = desired_from_db(db, cache);
	assert_null(port_named("p")->problem);
	assert_non_null(strstr(port_named("p")->qos->problem, "queue 9"));
	assert_non_null(strstr(port_named("p")->qos->problem, "max-rate=abc"));
}

static void
queue(const struct uuid *row, const char *other_config)
{
	txn = db_txn_begin(db);
	set("Queue", row, "other_config", other_config);
	commit();
	desired_destroy(desired);
	desired = desired_from_db(db, cache);
}

/* The second reading and those after it read only what has changed; the result must be
 * what a reading of everything gives. */
static void
test_changed_queues_are_read_again(void **state)
{
	struct uuid bridge, port, interface, qos, one, two;
	char one_text[UUID_TEXT_BYTES], two_text[UUID_TEXT_BYTES], map[200];
	const struct dp_qos_config *config;
	struct desired *whole;

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	qos = db_txn_insert(txn, "QoS");
	one = db_txn_insert(txn, "Queue");
	two = db_txn_insert(txn, "Queue");
	uuid_to_text(&one, one_text);
	uuid_to_text(&two, two_text);
	snprintf(map, sizeof(map), "1=%s,2=%s,3=%s", one_text, two_text, one_text);
	set("QoS", &qos, "type", "linux-htb");
	set("QoS", &qos, "other_config", "max-rate=1000,shared=true");
	set("QoS", &qos, "queues", map);
	set("Queue", &two, "other_config", "min-rate=20,macs=\"52:54:00:00:00:02\"");
	refer("Port", &port, "qos", &qos, NULL);
	commit();
	desired = desired_from_db(db, cache);

	/* A row that two numbers share. */
	queue(&one, "min-rate=10");
	config = &port_named("p")->qos->config;
	assert_int_equal(config->classes[0].floor_bps, 10);
	assert_int_equal(config->classes[1].floor_bps, 20);
	assert_int_equal(config->classes[2].floor_bps, 10);
	assert_int_equal(config->n_macs, 1);
	assert_non_null(config->domain);
	/* Keys that are gone are defaults again; the address stays. */
	queue(&two, "max-rate=30,macs=\"52:54:00:00:00:02\"");
	config = &port_named("p")->qos->config;
	assert_int_equal(config->classes[1].floor_bps, 0);
	assert_int_equal(config->classes[1].ceil_bps, 30);
	assert_int_equal(config->n_macs, 1);
	/* Addresses that change, an error, and what follows it. */
	queue(&two, "macs=\"52:54:00:00:00:03\"");
	config = &port_named("p")->qos->config;
	assert_int_equal(config->n_macs, 1);
	assert_int_equal(config->macs[0].mac[5], 3);
	queue(&one, "min-rate=x");
	assert_non_null(strstr(port_named("p")->qos->problem, "queue 1"));
	assert_non_null(strstr(port_named("p")->qos->problem, "min-rate=x"));
	queue(&one, "min-rate=11,macs=\"52:54:00:00:00:03\"");
	assert_non_null(
		strstr(port_named("p")->qos->problem, "of queue 1 and of queue 2"));
	queue(&one, "min-rate=11");
	assert_null(port_named("p")->qos->problem);

	whole = desired_from_db(db, NULL);
	assert_true(desired_qos_equal(&desired_find_port(whole, "p")->qos->config,
	                              &port_named("p")->qos->config));
	desired_destroy(whole);
	/* The tree itself. */
	txn = db_txn_begin(db);
	snprintf(map, sizeof(map), "7=%s", one_text);
	set("QoS", &qos, "queues", map);
	commit();
	desired_destroy(desired);
	desired = desired_from_db(db, cache);
	assert_int_equal(port_named("p")->qos->config.n_classes, 1);
	assert_int_equal(port_named("p")->qos->config.classes[0].number, 7);
}

static void
test_dscp_of_a_queue_is_its_classes(void **state)
{
	struct uuid bridge, port, interface, qos, one;
	char text[UUID_TEXT_BYTES], map[100];

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	qos = db_txn_insert(txn, "QoS");
	one = db_txn_insert(txn, "Queue");
	uuid_to_text(&one, text);
	snprintf(map, sizeof(map), "4=%s", text);
	set("QoS", &qos, "type", "linux-htb");
	set("QoS", &qos, "queues", map);
	set("Queue", &one, "dscp", "46");
	refer("Port", &port, "qos", &qos, NULL);
	commit();
	desired = desired_from_db(db, cache);
	assert_null(port_named("p")->qos->problem);
	assert_null(port_named("p")->qos->warning);
	assert_true(port_named("p")->qos->config.classes[0].has_dscp);
	assert_int_equal(port_named("p")->qos->config.classes[0].dscp, 46);
	desired_destroy(desired);
	/* What has no classes says so. */
	txn = db_txn_begin(db);
	set("QoS", &qos, "type", "egress-policer");
	set("QoS", &qos, "other_config", "cir=100,cbs=10");
	commit();
	desired = desired_from_db(db, cache);
	assert_null(port_named("p")->qos->problem);
	assert_non_null(strstr(port_named("p")->qos->warning, "dscp of queue 4"));
}

static void
test_trtcm_without_queue_0_holds_the_rest_to_the_port(void **state)
{
	struct uuid bridge, port, interface, qos, one;
	char text[UUID_TEXT_BYTES], map[100];
	const struct dp_qos_config *config;

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	qos = db_txn_insert(txn, "QoS");
	one = db_txn_insert(txn, "Queue");
	uuid_to_text(&one, text);
	snprintf(map, sizeof(map), "4=%s", text);
	set("QoS", &qos, "type", "trtcm-policer");
	set("QoS", &qos, "other_config", "cir=100,eir=200,cbs=10,ebs=20");
	set("QoS", &qos, "queues", map);
	set("Queue", &one, "other_config", "cir=50");
	refer("Port", &port, "qos", &qos, NULL);
	commit();
	desired = desired_from_db(db, cache);
	config = &port_named("p")->qos->config;
	assert_null(port_named("p")->qos->problem);
	assert_int_equal(config->n_classes, 2);
	assert_int_equal(config->classes[0].floor_bps, 400);
	assert_int_equal(config->classes[1].number, 0);
	assert_int_equal(config->classes[1].excess_bps, 1600);
}

static void
test_address_of_a_bridge_outlives_reading(void **state)
{
	struct uuid bridge, port, interface;
	uint64_t id;

	(void)state;
	add_bridge_with_port("br0", &bridge, &port, &interface);
	set("Interface", &interface, "type", "internal");
	commit();
	desired = desired_from_db(db, cache);
	id = desired->bridges[0].datapath_id;
	assert_true(id > 0 && id >> 48 == 0);
	assert_memory_equal(port_named("br0")->config.settings.mac,
	                    desired->bridges[0].mac, 6);
	assert_int_equal(desired->bridges[0].mac[0] & 3, 2);
	desired_destroy(desired);
	desired = desired_from_db(db, cache);
	assert_true(desired->bridges[0].datapath_id == id);
}

/* Rows -> running -> rows. */
static void
configure(void)
{
	struct apply apply;

	desired_destroy(desired);
	desired = desired_from_db(db, cache);
	validate(desired, &running);
	apply_init(&apply, &running, desired);
	while (!apply_run(&apply, 0))
		continue;
	apply_destroy(&apply);
	status_write_config(db, desired, &running);
	status_write_links(db, desired, &running);
}

static void
test_outcome_is_written_back(void **state)
{
	struct uuid bridge, port, interface;
	const struct db_row *row;
	size_t next = 0;

	(void)state;
	add_bridge_with_port("p", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	set("Open_vSwitch", &root, "next_cfg", "3");
	commit();
	configure();
	assert_false(status_write_statistics(db, desired, &running, &next, 10));
	row = db_row_by_uuid(db, "Interface", &interface);
	assert_int_equal(db_row_integer(row, "ofport", 0), 1);
	assert_null(db_row_string(row, "error", NULL));
	assert_string_equal(db_row_string(row, "link_state", ""), "up");
	assert_string_equal(db_row_string(row, "admin_state", ""), "up");
	assert_int_equal(db_row_integer(row, "mtu", 0), 1500);
	assert_int_equal(db_row_datum(row, "statistics")->n, 8);
	row = db_row_first(db, "Open_vSwitch");
	assert_int_equal(db_row_integer(row, "cur_cfg", 0), 3);
	assert_true(db_row_bool(row, "dpdk_initialized", false));
	assert_int_equal(db_row_datum(row, "iface_types")->n, DP_PORT_N_TYPES);
	assert_int_equal(db_row_datum(row, "datapath_types")->n, 2);

	txn = db_txn_begin(db);
	set("Interface", &interface, "type", "warp");
	commit();
	configure();
	/* It runs as before, and says why nothing changed. */
	row = db_row_by_uuid(db, "Interface", &interface);
	assert_int_equal(db_row_integer(row, "ofport", 0), 1);
	assert_non_null(strstr(db_row_string(row, "error", ""), "warp"));
}

static void
test_failed_port_has_no_number_but_a_reason(void **state)
{
	struct uuid bridge, port, interface;
	const struct db_row *row;

	(void)state;
	add_bridge_with_port("weir-no-such-if", &bridge, &port, &interface);
	set("Open_vSwitch", &root, "next_cfg", "4");
	commit();
	configure();
	row = db_row_by_uuid(db, "Interface", &interface);
	assert_int_equal(db_row_integer(row, "ofport", 0), -1);
	assert_string_equal(db_row_string(row, "error", ""), "no such interface");
	assert_null(db_row_string(row, "link_state", NULL));
	row = db_row_first(db, "Open_vSwitch");
	assert_int_equal(db_row_integer(row, "cur_cfg", 0), 4);
}

static void
test_statistics_are_written_in_slices(void **state)
{
	struct uuid bridge, port, other, a, b;
	size_t next = 0;

	(void)state;
	add_bridge_with_port("a", &bridge, &port, &a);
	other = add("Port", "b");
	b = add("Interface", "b");
	refer("Port", &other, "interfaces", &b, NULL);
	refer("Bridge", &bridge, "ports", &port, &other);
	set("Interface", &a, "type", "dummy");
	set("Interface", &b, "type", "dummy");
	commit();
	configure();
	assert_true(status_write_statistics(db, desired, &running, &next, 1));
	assert_int_equal(next, 1);
	assert_int_equal(
		db_row_datum(db_row_by_uuid(db, "Interface", &a), "statistics")->n, 8);
	assert_int_equal(
		db_row_datum(db_row_by_uuid(db, "Interface", &b), "statistics")->n, 0);
	assert_false(status_write_statistics(db, desired, &running, &next, 1));
	assert_int_equal(next, 0);
	assert_int_equal(
		db_row_datum(db_row_by_uuid(db, "Interface", &b), "statistics")->n, 8);
}

static void
test_controllers_arrive_and_report(void **state)
{
	struct uuid bridge, port, interface, rows[2];
	const struct ofproto_controller *controller;
	const struct ofproto_config *config;
	const struct db_row *row;

	(void)state;
	add_bridge_with_port("a", &bridge, &port, &interface);
	set("Interface", &interface, "type", "dummy");
	set("Bridge", &bridge, "fail_mode", "secure");
	set("Bridge", &bridge, "protocols", "OpenFlow10,OpenFlow13");
	set("Bridge", &bridge, "other_config", "dp-desc=\"rack 3\",dp-sn=42");
	for (int i = 0; i < 2; i++) {
		rows[i] = db_txn_insert(txn, "Controller");
		set("Controller", &rows[i], "target", "\"tcp:10.0.0.1:6633\"");
	}
	set("Controller", &rows[0], "max_backoff", "2000");
	set("Controller", &rows[0], "inactivity_probe", "0");
	set("Controller", &rows[0], "controller_rate_limit", "100");
	set("Controller", &rows[0], "controller_burst_limit", "25");
	set("Controller", &rows[0], "controller_queue_size", "512");
	set("Controller", &rows[0], "other_config", "dscp=10");
	set("Controller", &rows[0], "type", "service");
	refer("Bridge", &bridge, "controller", &rows[0], NULL);
	commit();
	configure();
	config = &desired->bridges[0].openflow;
	assert_int_equal(config->fail_mode, OFPROTO_SECURE);
	assert_int_equal(config->versions, 1 << 1 | 1 << 4);
	assert_string_equal(config->dp_description, "rack 3");
	assert_string_equal(config->serial, "42");
	assert_true(config->datapath_id != 0);
	assert_int_equal(config->n_controllers, 1);
	controller = &config->controllers[0];
	assert_string_equal(controller->target, "tcp:10.0.0.1:6633");
	assert_true(controller->is_service);
	assert_int_equal(controller->max_backoff_ms, 2000);
	assert_int_equal(controller->inactivity_probe_ms, 0);
	assert_int_equal(controller->rate_limit, 100);
	assert_int_equal(controller->burst_limit, 25);
	assert_int_equal(controller->queue_size, 512);
	assert_int_equal(controller->dscp, 10);

	status_write_controllers(db, desired, &running, true);
	row = db_row_by_uuid(db, "Controller", &rows[0]);
	assert_true(db_row_bool(row, "is_connected", false));
	assert_string_equal(db_row_string(row, "role", ""), "master");
	assert_string_equal(db_row_map_string(row, "status", "state"), "ACTIVE");
	assert_string_equal(db_row_map_string(row, "status", "sec_since_connect"), "7");
	assert_null(db_row_map_string(row, "status", "last_error"));
	assert_string_equal(db_row_map_string(row, "status", "packet-in-miss-queued"),
	                    "12");
	assert_string_equal(db_row_map_string(row, "status", "packet-in-miss-backlog"),
	                    "0");
	assert_null(db_row_map_string(row, "status", "packet-in-action-queued"));
	assert_string_equal(db_row_map_string(row, "status", "packet-in-unread-dropped"),
	                    "3");
}

static void
test_controllers_have_defaults(void **state)
{
	struct uuid bridge, port, interface, row;
	const struct ofproto_config *config;

	(void)state;
	add_bridge_with_port("a", &bridge, &port, &interface);
	row = db_txn_insert(txn, "Controller");
	set("Controller", &row, "target", "\"tcp:10.0.0.1\"");
	refer("Bridge", &bridge, "controller", &row, NULL);
	row = db_txn_insert(txn, "SSL");
	set("SSL", &row, "private_key", "/k");
	set("SSL", &row, "certificate", "/c");
	set("SSL", &row, "ca_cert", "/a");
	refer("Open_vSwitch", &root, "ssl", &row, NULL);
	commit();
	desired = desired_from_db(db, cache);
	config = &desired->bridges[0].openflow;
	assert_int_equal(config->fail_mode, OFPROTO_STANDALONE);
	assert_int_equal(config->versions, 0);
	assert_null(config->dp_description);
	assert_int_equal(config->controllers[0].inactivity_probe_ms, 5000);
	assert_int_equal(config->controllers[0].dscp, 48);
	assert_false(config->controllers[0].is_service);
	assert_string_equal(desired->tls.private_key, "/k");
	assert_string_equal(desired->tls.certificate, "/c");
	assert_string_equal(desired->tls.ca_cert, "/a");
	assert_false(desired->tls.bootstrap_ca);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_column_arrives),
		TEST(test_policing_burst_follows_the_rate),
		TEST(test_policing_burst_that_is_set_holds),
		TEST(test_gate_needs_no_policing_burst),
		TEST(test_vlan_defaults),
		TEST(test_bad_rows_have_reasons),
		TEST(test_patch_port_has_a_peer),
		TEST(test_bond_uses_its_first_interface),
		TEST(test_interface_of_two_ports_is_taken_once),
		TEST(test_qos_tree_with_a_bad_queue),
		TEST(test_changed_queues_are_read_again),
		TEST(test_dscp_of_a_queue_is_its_classes),
		TEST(test_trtcm_without_queue_0_holds_the_rest_to_the_port),
		TEST(test_address_of_a_bridge_outlives_reading),
		TEST(test_outcome_is_written_back),
		TEST(test_failed_port_has_no_number_but_a_reason),
		TEST(test_statistics_are_written_in_slices),
		TEST(test_controllers_arrive_and_report),
		TEST(test_controllers_have_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
