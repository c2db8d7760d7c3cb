/* desired_from_db.c - reads the Open_vSwitch database's rows into plain data, with
 * desired_keys.c for their maps; validate.c comes next. Main thread. */
#include "vswitchd/desired_from_db.h"

#include <stdlib.h>
#include <string.h>

#include "base/dirs.h"
#include "base/log.h"
#include "base/mem.h"
#include "vswitchd/desired_controllers_from_db.h"
#include "vswitchd/desired_keys.h"
#include "vswitchd/desired_qos_from_db.h"
#include "vswitchd/desired_tables_from_db.h"

LOG_MODULE(desired);

/* The bursts of policers that name none: Open vSwitch's defaults, and what it advises for
 * TCP if that is more, 80 % of a second. A sender that lost much pauses for 200 ms and
 * longer; a policer that forgets more of that than its burst never lets it reach the
 * rate. */
#define DEFAULT_BURST_KBIT    8000
#define DEFAULT_BURST_KPKTS   16
#define DEFAULT_BURST_PERCENT 80

/* Optional numbers that the schema has bounded; 0 if the column is empty. */
static uint16_t
read_ofport(const struct db_row *row, const char *column)
{
	int64_t value = db_row_integer(row, column, 0);

	return value >= 1 && value <= OFPORT_MAX ? (uint16_t)value : 0;
}

static void
read_settings(struct desired *desired, const struct db_row *root)
{
	struct keys keys =
		desired_keys_from_row(desired, root, "other_config", "Open_vSwitch",
	                              "Open_vSwitch other_config");
	struct error err;

	if (keys_to_settings(&keys, &desired->arena, &desired->settings, &err))
		desired->settings.problem = desired_strdup(&desired->arena, err.text);
}

/* Without an Open_vSwitch row there are still defaults. */
static void
default_settings(struct desired *desired)
{
	static const struct keys none = {.where = "", .table = ""};

	keys_to_settings(&none, &desired->arena, &desired->settings, NULL);
}

/* ---- ports ---- */

static void
read_vlans(const struct db_row *row, struct desired *desired, struct desired_port *port)
{
	static const struct {
		const char *name;
		enum dp_vlan_mode mode;
	} modes[] = {
		{"trunk", DP_VLAN_TRUNK},
		{"access", DP_VLAN_ACCESS},
		{"native-tagged", DP_VLAN_NATIVE_TAGGED},
		{"native-untagged", DP_VLAN_NATIVE_UNTAGGED},
	};
	struct dp_port_settings *settings = &port->config.settings;
	const struct ovsdb_datum *tag = db_row_datum(row, "tag");
	const struct ovsdb_datum *trunks = db_row_datum(row, "trunks");
	const char *mode = db_row_string(row, "vlan_mode", NULL);
	bool is_known = !mode;

	settings->vlan_mode = tag->n ? DP_VLAN_ACCESS : DP_VLAN_TRUNK;
	for (size_t i = 0; mode && i < ARRAY_SIZE(modes); i++) {
		if (strcmp(mode, modes[i].name))
			continue;
		settings->vlan_mode = modes[i].mode;
		is_known = true;
	}
	if (!is_known && !port->problem)
		port->problem = desired_printf(&desired->arena,
		                               "vlan_mode %s is not supported", mode);
	settings->vlan_tag = DP_VLAN_NONE;
	if (settings->vlan_mode != DP_VLAN_TRUNK)
		settings->vlan_tag = tag->n ? (int)tag->keys[0].integer : 0;
	if (settings->vlan_mode == DP_VLAN_ACCESS)
		return;
	for (size_t i = 0; i < trunks->n; i++) {
		uint64_t vlan = (uint64_t)trunks->keys[i].integer & 4095;

		settings->trunks[vlan / 8] |= (uint8_t)(1u << (vlan % 8));
	}
}

static uint64_t
burst_or_default(int64_t burst, int64_t rate, int64_t least)
{
	int64_t advised = rate * DEFAULT_BURST_PERCENT / 100;

	return (uint64_t)(burst ? burst : MAX_OF(least, advised));
}

/* kbit/s and kbit, kilopackets/s and kilopackets -> the datapath's units. */
static void
read_policing(const struct db_row *row, struct dp_port_settings *settings)
{
	int64_t rate = db_row_integer(row, "ingress_policing_rate", 0);
	int64_t burst = db_row_integer(row, "ingress_policing_burst", 0);
	int64_t kpkts_rate = db_row_integer(row, "ingress_policing_kpkts_rate", 0);
	int64_t kpkts_burst = db_row_integer(row, "ingress_policing_kpkts_burst", 0);
	const int64_t max = INT64_C(1) << 40; /* keeps the products within 64 bits */

	rate = MIN_OF(rate, max);
	burst = MIN_OF(burst, max);
	kpkts_rate = MIN_OF(kpkts_rate, max);
	kpkts_burst = MIN_OF(kpkts_burst, max);
	if (rate > 0) {
		settings->policing_bps = (uint64_t)rate * 1000;
		settings->policing_burst_bits =
			burst_or_default(burst, rate, DEFAULT_BURST_KBIT) * 1000;
	}
	if (kpkts_rate > 0) {
		settings->policing_pps = (uint64_t)kpkts_rate * 1000;
		settings->policing_burst_packets =
			burst_or_default(kpkts_burst, kpkts_rate, DEFAULT_BURST_KPKTS) *
			1000;
	}
}

/* Who waits instead of losing packets needs no large burst: the gate's own default is
 * what a guest may be late. */
static void
read_gate_bursts(const struct db_row *row, struct dp_port_settings *settings)
{
	if (settings->on_excess != DP_EXCESS_GATE)
		return;
	if (!db_row_integer(row, "ingress_policing_burst", 0))
		settings->policing_burst_bits = 0;
	if (!db_row_integer(row, "ingress_policing_kpkts_burst", 0))
		settings->policing_burst_packets = 0;
}

static const char *
supported_types(struct desired *desired)
{
	const char *list = "";

	for (int i = 0; i < DP_PORT_N_TYPES; i++)
		list = desired_printf(&desired->arena, "%s%s%s", list, i ? ", " : "",
		                      dp_port_type_name((enum dp_port_type)i));
	return list;
}

static void
read_interface(struct desired *desired, const struct db_row *row,
               struct desired_port *port)
{
	const char *dir = desired->settings.vhost_socket_dir;
	const char *mac = db_row_string(row, "mac", NULL);
	struct dp_port_settings *settings = &port->config.settings;
	struct error err;
	struct keys keys;

	port->interface_row = *db_row_uuid(row);
	port->name = desired_strdup(&desired->arena, db_row_string(row, "name", ""));
	port->type = desired_strdup(&desired->arena, db_row_string(row, "type", ""));
	port->ofport_request = read_ofport(row, "ofport_request");
	port->ofport_recorded = read_ofport(row, "ofport");
	if (strlen(port->name) < sizeof(port->config.name))
		memcpy(port->config.name, port->name, strlen(port->name) + 1);
	read_policing(row, settings);
	settings->mtu = (uint32_t)MIN_OF(db_row_integer(row, "mtu_request", 0), 65535);
	settings->admin_down = !strcmp(db_row_string(row, "admin_state", ""), "down");
	if (!dp_port_type_from_name(port->type, &port->config.type)) {
		port->problem =
			desired_printf(&desired->arena,
		                       "unknown interface type \"%s\"; supported are %s",
		                       port->type, supported_types(desired));
		return;
	}
	if (mac && !keys_parse_mac(mac, settings->mac))
		port->problem = desired_printf(&desired->arena,
		                               "mac \"%s\" is not a MAC address", mac);
	keys = desired_keys_from_row(
		desired, row, "options", "Interface.options",
		desired_printf(&desired->arena, "Interface %s options", port->name));
	if (keys_to_interface(&keys, dir ? dir : dirs_rundir(), port, &err) &&
	    !port->problem)
		port->problem = desired_strdup(&desired->arena, err.text);
	read_gate_bursts(row, settings);
}

/* One Interface of a Port. */
static void
read_port(struct desired *desired, const struct db_row *port_row,
          const struct db_row *interface_row, struct desired_port *port)
{
	const struct ovsdb_datum *qos = db_row_datum(port_row, "qos");
	struct error err;
	struct keys keys;

	port->port_row = *db_row_uuid(port_row);
	port->port_name =
		desired_strdup(&desired->arena, db_row_string(port_row, "name", ""));
	port->config.settings.egress_class = -1;
	read_interface(desired, interface_row, port);
	read_vlans(port_row, desired, port);
	keys = desired_keys_from_row(
		desired, port_row, "other_config", "Port",
		desired_printf(&desired->arena, "Port %s other_config", port->port_name));
	if (keys_to_port(&keys, &port->config.settings, &err) && !port->problem)
		port->problem = desired_strdup(&desired->arena, err.text);
	if (qos->n)
		port->qos = desired_find_qos(desired, &qos->keys[0].uuid);
}

/* The Interface whose name comes first stands for a Port that lists several. */
static const struct db_row *
first_interface(const struct db *db, const struct ovsdb_datum *interfaces)
{
	const struct db_row *first = NULL;

	for (size_t i = 0; i < interfaces->n; i++) {
		const struct db_row *row =
			db_row_by_uuid(db, "Interface", &interfaces->keys[i].uuid);

		if (row && (!first || strcmp(db_row_string(row, "name", ""),
		                             db_row_string(first, "name", "")) < 0))
			first = row;
	}
	return first;
}

/* True the first time: a row can be listed by two parents, but is one thing. */
static bool
mark_seen(struct desired *desired, struct hmap *seen, const struct db_row *row)
{
	struct seen_row {
		struct hmap_node node;
		struct uuid uuid;
	} * entry;
	const struct uuid *uuid = db_row_uuid(row);

	HMAP_FOR_EACH_WITH_HASH (entry, node, uuid_hash(uuid), seen)
		if (uuid_equal(&entry->uuid, uuid))
			return false;
	entry = desired_alloc(&desired->arena, sizeof(*entry));
	entry->uuid = *uuid;
	hmap_insert(seen, &entry->node, uuid_hash(uuid));
	return true;
}

static void
read_port_interfaces(struct desired *desired, const struct db *db,
                     const struct db_row *port_row, struct hmap *seen,
                     struct desired_bridge *bridge)
{
	const struct ovsdb_datum *interfaces = db_row_datum(port_row, "interfaces");
	const struct db_row *first = first_interface(db, interfaces);

	for (size_t i = 0; i < interfaces->n; i++) {
		const struct db_row *row =
			db_row_by_uuid(db, "Interface", &interfaces->keys[i].uuid);
		struct desired_port *port;

		if (!row)
			continue;
		if (!mark_seen(desired, seen, row)) {
			log_warn("interface %s is listed by two ports: port %s does not "
			         "get it",
			         db_row_string(row, "name", ""),
			         db_row_string(port_row, "name", ""));
			continue;
		}
		port = &bridge->ports[bridge->n_ports++];
		read_port(desired, port_row, row, port);
		if (row != first)
			port->problem = desired_printf(
				&desired->arena,
				"bonds are not supported: of port %s only interface %s "
				"is used",
				port->port_name, db_row_string(first, "name", ""));
	}
}

/* ---- bridges ---- */

/* Without "hwaddr" the address follows from the row, so that it outlives restarts. */
static void
default_mac(const struct uuid *row, uint8_t mac[6])
{
	uint32_t a = hash_bytes(row, sizeof(*row), 1);
	uint32_t b = hash_bytes(row, sizeof(*row), 2);

	mac[0] = (uint8_t)((a & 0xfc) | 0x02); /* locally administered, unicast */
	mac[1] = (uint8_t)(a >> 8);
	mac[2] = (uint8_t)(a >> 16);
	mac[3] = (uint8_t)(a >> 24);
	mac[4] = (uint8_t)b;
	mac[5] = (uint8_t)(b >> 8);
}

static size_t
count_interfaces(const struct db *db, const struct ovsdb_datum *ports)
{
	size_t n = 0;

	for (size_t i = 0; i < ports->n; i++) {
		const struct db_row *row =
			db_row_by_uuid(db, "Port", &ports->keys[i].uuid);

		n += row ? db_row_datum(row, "interfaces")->n : 0;
	}
	return n;
}

static void
read_bridge(struct desired *desired, const struct db *db, const struct db_row *row,
            struct hmap *seen, struct desired_bridge *bridge)
{
	const struct ovsdb_datum *ports = db_row_datum(row, "ports");
	const char *type = db_row_string(row, "datapath_type", "");
	struct keys keys;
	struct error err;

	bridge->row = *db_row_uuid(row);
	bridge->name = desired_strdup(&desired->arena, db_row_string(row, "name", ""));
	default_mac(&bridge->row, bridge->mac);
	keys = desired_keys_from_row(
		desired, row, "other_config", "Bridge",
		desired_printf(&desired->arena, "Bridge %s other_config", bridge->name));
	if (keys_to_bridge(&keys, bridge, &err))
		bridge->settings_problem = desired_strdup(&desired->arena, err.text);
	if (db_row_bool(row, "mcast_snooping_enable", false))
		bridge->warning = "mcast_snooping_enable has no effect yet: multicast "
				  "goes to all ports";
	if (*type && strcmp(type, "netdev") && strcmp(type, "system"))
		bridge->problem = desired_printf(
			&desired->arena, "datapath_type \"%s\" is not supported", type);
	bridge->ports = desired_alloc(&desired->arena, count_interfaces(db, ports) *
	                                                       sizeof(*bridge->ports));
	for (size_t i = 0; i < ports->n; i++) {
		const struct db_row *port_row =
			db_row_by_uuid(db, "Port", &ports->keys[i].uuid);

		if (port_row)
			read_port_interfaces(desired, db, port_row, seen, bridge);
	}
}

/* The LOCAL port carries the bridge's address unless it has one of its own; the
 * datapath's number is the address again unless one is given. */
static void
finish_bridge(struct desired_bridge *bridge)
{
	static const uint8_t no_mac[6];

	for (size_t i = 0; i < bridge->n_ports; i++) {
		struct desired_port *port = &bridge->ports[i];

		if (port->config.type != DP_PORT_INTERNAL ||
		    strcmp(port->name, bridge->name))
			continue;
		if (!memcmp(port->config.settings.mac, no_mac, sizeof(no_mac)))
			memcpy(port->config.settings.mac, bridge->mac,
			       sizeof(bridge->mac));
	}
	if (bridge->datapath_id)
		return;
	for (int i = 0; i < 6; i++)
		bridge->datapath_id = bridge->datapath_id << 8 | bridge->mac[i];
}

static void
read_root(struct desired *desired, const struct db *db, const struct db_row *root,
          struct qos_cache *cache)
{
	const struct ovsdb_datum *bridges = db_row_datum(root, "bridges");
	const struct ovsdb_datum *managers = db_row_datum(root, "manager_options");
	struct hmap seen = HMAP_INIT;

	desired->has_root = true;
	desired->root_row = *db_row_uuid(root);
	desired->next_cfg = db_row_integer(root, "next_cfg", 0);
	read_settings(desired, root);
	desired_read_tls(desired, db, root);
	desired_read_qos(desired, db, cache);
	desired->bridges =
		desired_alloc(&desired->arena, bridges->n * sizeof(*desired->bridges));
	for (size_t i = 0; i < bridges->n; i++) {
		const struct db_row *row =
			db_row_by_uuid(db, "Bridge", &bridges->keys[i].uuid);
		struct desired_bridge *bridge = &desired->bridges[desired->n_bridges];

		if (!row)
			continue;
		desired->n_bridges++;
		read_bridge(desired, db, row, &seen, bridge);
		finish_bridge(bridge);
		desired_read_controllers(desired, db, row, bridge);
		desired_read_tables(desired, db, row, bridge);
	}
	hmap_destroy(&seen);
	desired->managers =
		desired_alloc(&desired->arena, managers->n * sizeof(*desired->managers));
	for (size_t i = 0; i < managers->n; i++) {
		const struct db_row *row =
			db_row_by_uuid(db, "Manager", &managers->keys[i].uuid);
		struct desired_manager *manager = &desired->managers[desired->n_managers];

		if (!row)
			continue;
		desired->n_managers++;
		manager->row = *db_row_uuid(row);
		manager->target =
			desired_strdup(&desired->arena, db_row_string(row, "target", ""));
	}
}

struct desired *
desired_from_db(const struct db *db, struct qos_cache *cache)
{
	struct desired *desired = xcalloc(1, sizeof(*desired));
	const struct db_row *root = db_row_first(db, "Open_vSwitch");

	if (root)
		read_root(desired, db, root, cache);
	else
		default_settings(desired);
	desired_sort(desired);
	return desired;
}
