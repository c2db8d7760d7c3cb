/* status.c - running state and its problems -> database rows, the last step after
 * apply.c. Main thread. */
#include "vswitchd/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(status);

#define STATUS_KEYS_MAX (16 + 2 * DP_QUEUES_MAX)

/* A map of strings in the making. */
struct status_map {
	const char *keys[STATUS_KEYS_MAX];
	char *values[STATUS_KEYS_MAX];
	size_t n;
};

static void status_map_add(struct status_map *map, const char *key, const char *fmt, ...)
	PRINTF_FORMAT(3, 4);

static void
status_map_add(struct status_map *map, const char *key, const char *fmt, ...)
{
	va_list args;

	if (map->n == STATUS_KEYS_MAX)
		return;
	va_start(args, fmt);
	if (vasprintf(&map->values[map->n], fmt, args) >= 0)
		map->keys[map->n++] = key;
	va_end(args);
}

static void
status_map_write(struct status_map *map, struct db_txn *txn, const char *table,
                 const struct uuid *row)
{
	const char *values[STATUS_KEYS_MAX];

	for (size_t i = 0; i < map->n; i++)
		values[i] = map->values[i];
	db_txn_set_string_map(txn, table, row, "status", map->keys, values, map->n);
	for (size_t i = 0; i < map->n; i++)
		free(map->values[i]);
	map->n = 0;
}

static void
status_commit(struct db_txn *txn)
{
	struct error err;

	if (db_txn_commit(txn, &err))
		log_err("cannot write status to the database: %s", err.text);
}

static int
compare_strings(const void *a, const void *b)
{
	const union ovsdb_atom *x = a, *y = b;

	return strcmp(x->string, y->string);
}

static void
set_string_set(struct db_txn *txn, const struct uuid *row, const char *column,
               const char *const *strings, size_t n)
{
	union ovsdb_atom *keys = xcalloc(n, sizeof(*keys));
	struct ovsdb_datum datum = {.n = n, .keys = keys};

	for (size_t i = 0; i < n; i++)
		keys[i].string = xstrdup(strings[i]);
	qsort(keys, n, sizeof(*keys), compare_strings);
	db_txn_set(txn, "Open_vSwitch", row, column, &datum);
	for (size_t i = 0; i < n; i++)
		free(keys[i].string);
	free(keys);
}

static void
write_root(struct db_txn *txn, const struct desired *desired,
           const struct running *running)
{
	static const char *const datapath_types[] = {"netdev", "system"};
	const char *interface_types[DP_PORT_N_TYPES];
	const struct uuid *row = &desired->root_row;

	for (int i = 0; i < DP_PORT_N_TYPES; i++)
		interface_types[i] = dp_port_type_name((enum dp_port_type)i);
	set_string_set(txn, row, "datapath_types", datapath_types,
	               ARRAY_SIZE(datapath_types));
	set_string_set(txn, row, "iface_types", interface_types, DP_PORT_N_TYPES);
	db_txn_set_bool(txn, "Open_vSwitch", row, "dpdk_initialized",
	                running->is_started);
	db_txn_set_string(txn, "Open_vSwitch", row, "dpdk_version", dp_dpdk_version());
	db_txn_set_integer(txn, "Open_vSwitch", row, "cur_cfg", desired->next_cfg);
}

static void
write_bridge(struct db_txn *txn, const struct desired *desired,
             const struct desired_bridge *bridge)
{
	struct status_map map = {.n = 0};
	const char *problem = bridge->problem   ? bridge->problem
	                      : bridge->failure ? bridge->failure
	                                        : bridge->settings_problem;
	char id[17];

	snprintf(id, sizeof(id), "%016llx", (unsigned long long)bridge->datapath_id);
	db_txn_set_string(txn, "Bridge", &bridge->row, "datapath_id", id);
	db_txn_set_string(txn, "Bridge", &bridge->row, "datapath_version", "<built-in>");
	if (problem)
		status_map_add(&map, "config_error", "%s", problem);
	if (desired->settings.problem)
		status_map_add(&map, "global_error", "%s", desired->settings.problem);
	status_map_write(&map, txn, "Bridge", &bridge->row);
}

static void
write_port(struct db_txn *txn, const struct desired_port *port,
           const struct running *running)
{
	const struct running_port *runs = running_find_port(running, port->name);
	const char *error = port->problem ? port->problem : port->failure;
	const char *qos_error = port->qos_problem ? port->qos_problem : port->qos_failure;
	struct status_map map = {.n = 0};

	db_txn_set_integer(txn, "Interface", &port->interface_row, "ofport",
	                   runs ? runs->config.ofport : -1);
	db_txn_set_string(txn, "Interface", &port->interface_row, "error",
	                  error || runs ? error : "the port does not run");
	if (qos_error)
		status_map_add(&map, "qos_error", "%s", qos_error);
	if (port->qos && port->qos->warning)
		status_map_add(&map, "qos_warning", "%s", port->qos->warning);
	status_map_write(&map, txn, "Port", &port->port_row);
}

void
status_write_config(struct db *db, const struct desired *desired,
                    const struct running *running)
{
	struct db_txn *txn;

	if (!desired->has_root)
		return;
	txn = db_txn_begin(db);
	for (size_t i = 0; i < desired->n_bridges; i++) {
		const struct desired_bridge *bridge = &desired->bridges[i];

		write_bridge(txn, desired, bridge);
		for (size_t j = 0; j < bridge->n_ports; j++)
			write_port(txn, &bridge->ports[j], running);
	}
	write_root(txn, desired, running);
	status_commit(txn);
}

/* ---- links ---- */

static void
add_vhost_status(struct status_map *map, const struct running_port *port,
                 const struct dp_port_status *status)
{
	static const char *const vring_keys[2 * DP_QUEUES_MAX] = {
		"vring_0_size",  "vring_1_size",  "vring_2_size",  "vring_3_size",
		"vring_4_size",  "vring_5_size",  "vring_6_size",  "vring_7_size",
		"vring_8_size",  "vring_9_size",  "vring_10_size", "vring_11_size",
		"vring_12_size", "vring_13_size", "vring_14_size", "vring_15_size",
		"vring_16_size", "vring_17_size", "vring_18_size", "vring_19_size",
		"vring_20_size", "vring_21_size", "vring_22_size", "vring_23_size",
		"vring_24_size", "vring_25_size", "vring_26_size", "vring_27_size",
		"vring_28_size", "vring_29_size", "vring_30_size", "vring_31_size",
	};
	unsigned n_vrings = MIN_OF(2 * status->n_queue_pairs, 2 * DP_QUEUES_MAX);

	status_map_add(map, "mode",
	               port->config.type == DP_PORT_VHOST_CLIENT ? "client" : "server");
	status_map_add(map, "status",
	               status->is_connected ? "connected" : "disconnected");
	status_map_add(map, "socket", "%s", port->config.socket_path);
	if (!status->is_connected)
		return;
	status_map_add(map, "features", "0x%016llx",
	               (unsigned long long)status->features);
	status_map_add(map, "mtu", "%u", status->mtu);
	status_map_add(map, "numa", "%d", status->numa_node);
	status_map_add(map, "num_of_vrings", "%u", n_vrings);
	for (unsigned i = 0; i < n_vrings; i++)
		status_map_add(map, vring_keys[i], "%u", status->vring_size[i]);
}

/* A port that does not run has no link to speak of. */
static void
clear_link(struct db_txn *txn, const struct uuid *row)
{
	static const char *const columns[] = {"link_state", "admin_state", "mac_in_use",
	                                      "mtu",        "ifindex",     "link_resets",
	                                      "link_speed", "duplex",      "statistics"};
	struct status_map none = {.n = 0};

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		db_txn_clear(txn, "Interface", row, columns[i]);
	status_map_write(&none, txn, "Interface", row);
}

/* An optional integer: 0 leaves the column empty. */
static void
set_or_clear(struct db_txn *txn, const struct uuid *row, const char *column,
             uint64_t value)
{
	if (value)
		db_txn_set_integer(txn, "Interface", row, column, (int64_t)value);
	else
		db_txn_clear(txn, "Interface", row, column);
}

static void
write_link(struct db_txn *txn, const struct uuid *row, const struct running_port *port,
           const struct dp_port_status *status)
{
	struct status_map map = {.n = 0};
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", status->mac[0],
	         status->mac[1], status->mac[2], status->mac[3], status->mac[4],
	         status->mac[5]);
	db_txn_set_string(txn, "Interface", row, "link_state",
	                  status->link_up ? "up" : "down");
	db_txn_set_string(txn, "Interface", row, "admin_state",
	                  port->config.settings.admin_down ? "down" : "up");
	db_txn_set_string(txn, "Interface", row, "mac_in_use", mac);
	set_or_clear(txn, row, "mtu", status->mtu);
	db_txn_set_integer(txn, "Interface", row, "ifindex", status->ifindex);
	db_txn_set_integer(txn, "Interface", row, "link_resets", status->link_resets);
	set_or_clear(txn, row, "link_speed", status->link_bps);
	db_txn_set_string(txn, "Interface", row, "duplex",
	                  status->link_bps ? "full" : NULL);
	if (port->config.type == DP_PORT_VHOST_CLIENT ||
	    port->config.type == DP_PORT_VHOST_SERVER)
		add_vhost_status(&map, port, status);
	status_map_write(&map, txn, "Interface", row);
}

bool
status_write_links(struct db *db, const struct desired *desired, struct running *running)
{
	struct db_txn *txn = db_txn_begin(db);
	bool rates_changed = false;

	for (size_t i = 0; i < desired->n_bridges; i++) {
		const struct desired_bridge *bridge = &desired->bridges[i];

		for (size_t j = 0; j < bridge->n_ports; j++) {
			const struct desired_port *want = &bridge->ports[j];
			struct running_port *port =
				running_find_port(running, want->name);
			struct dp_port_status status;

			if (!port || dp_port_get_status(port->id, &status)) {
				clear_link(txn, &want->interface_row);
				continue;
			}
			write_link(txn, &want->interface_row, port, &status);
			if (port->link_bps == status.link_bps)
				continue;
			port->link_bps = status.link_bps;
			rates_changed |= want->qos && !want->qos->config.rate_bps;
		}
	}
	status_commit(txn);
	return rates_changed;
}

/* ---- statistics ---- */

/* The counters of every port, then those that Open vSwitch has for DPDK ports. */
enum {
	STAT_RX_BYTES,
	STAT_RX_DROPPED,
	STAT_RX_ERRORS,
	STAT_RX_PACKETS,
	STAT_TX_BYTES,
	STAT_TX_DROPPED,
	STAT_TX_ERRORS,
	STAT_TX_PACKETS,
	STAT_N_PLAIN,
	STAT_RX_QOS = STAT_N_PLAIN,
	STAT_TX_FAILURE,
	STAT_TX_MTU,
	STAT_TX_QOS,
	STAT_N,
};

static const char *const statistics_keys[STAT_N] = {
	[STAT_RX_BYTES] = "rx_bytes",
	[STAT_RX_DROPPED] = "rx_dropped",
	[STAT_RX_ERRORS] = "rx_errors",
	[STAT_RX_PACKETS] = "rx_packets",
	[STAT_TX_BYTES] = "tx_bytes",
	[STAT_TX_DROPPED] = "tx_dropped",
	[STAT_TX_ERRORS] = "tx_errors",
	[STAT_TX_PACKETS] = "tx_packets",
	[STAT_RX_QOS] = "ovs_rx_qos_drops",
	[STAT_TX_FAILURE] = "ovs_tx_failure_drops",
	[STAT_TX_MTU] = "ovs_tx_mtu_exceeded_drops",
	[STAT_TX_QOS] = "ovs_tx_qos_drops",
};

static void
add_drop_counter(const char *name, uint64_t value, void *aux)
{
	uint64_t *counters = aux;

	if (!strcmp(name, "drop_rx_policed"))
		counters[STAT_RX_QOS] += value;
	else if (!strcmp(name, "drop_tx_ring_full"))
		counters[STAT_TX_FAILURE] += value;
	else if (!strcmp(name, "drop_tx_mtu_exceeded"))
		counters[STAT_TX_MTU] += value;
	else if (!strncmp(name, "drop_tx_qos_", strlen("drop_tx_qos_")))
		counters[STAT_TX_QOS] += value;
}

static void
write_port_statistics(struct db_txn *txn, const struct uuid *row,
                      const struct running_port *port)
{
	enum dp_port_type type = port->config.type;
	uint64_t counters[STAT_N] = {0};
	int64_t values[STAT_N];
	struct dp_port_stats s;
	size_t n = STAT_N_PLAIN;

	if (dp_port_get_stats(port->id, &s))
		return;
	counters[STAT_RX_BYTES] = s.rx_bytes;
	counters[STAT_RX_DROPPED] = s.rx_dropped;
	counters[STAT_RX_ERRORS] = s.rx_errors;
	counters[STAT_RX_PACKETS] = s.rx_packets;
	counters[STAT_TX_BYTES] = s.tx_bytes;
	counters[STAT_TX_DROPPED] = s.tx_dropped;
	counters[STAT_TX_ERRORS] = s.tx_errors;
	counters[STAT_TX_PACKETS] = s.tx_packets;
	if (type == DP_PORT_VHOST_CLIENT || type == DP_PORT_VHOST_SERVER ||
	    type == DP_PORT_DPDK) {
		dp_port_counters(port->id, add_drop_counter, counters);
		n = STAT_N;
	}
	for (size_t i = 0; i < n; i++)
		values[i] = (int64_t)(counters[i] & INT64_MAX);
	db_txn_set_integer_map(txn, "Interface", row, "statistics", statistics_keys,
	                       values, n);
}

bool
status_write_statistics(struct db *db, const struct desired *desired,
                        const struct running *running, size_t *next, size_t n)
{
	struct db_txn *txn = db_txn_begin(db);
	size_t index = 0;
	bool more = false;

	for (size_t i = 0; i < desired->n_bridges && !more; i++) {
		const struct desired_bridge *bridge = &desired->bridges[i];

		for (size_t j = 0; j < bridge->n_ports && !more; j++, index++) {
			const struct desired_port *want = &bridge->ports[j];
			const struct running_port *port;

			if (index < *next)
				continue;
			if (index == *next + n) {
				more = true;
				break;
			}
			port = running_find_port(running, want->name);
			if (port)
				write_port_statistics(txn, &want->interface_row, port);
		}
	}
	status_commit(txn);
	*next = more ? index : 0;
	return more;
}
