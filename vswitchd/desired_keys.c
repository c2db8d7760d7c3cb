/* desired_keys.c - the text of configuration maps -> typed fields of desired.h, for
 * desired_from_db.c. Main thread. */
#include "vswitchd/desired_keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dirs.h"
#include "base/hmap.h"
#include "base/log.h"
#include "base/mem.h"
#include "ovsdb/uuid.h"

LOG_MODULE(config);

#define RATE_MAX_BPS         (UINT64_C(1) << 50)
#define MAX_SLEEP_US         10000
#define DEFAULT_MAX_SLEEP_US 50
#define STATS_MIN_MS         5000
#define STATS_MAX_MS         3600000

struct warned_key {
	struct hmap_node node;
	char *text;
};

const char *
keys_get(const struct keys *keys, const char *name)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->names[i], name))
			return keys->values[i];
	return NULL;
}

/* True the first time it sees 'text'. A client cannot fill memory with new names: beyond
 * the bound no further ones are warned of. */
static bool
warn_is_first(const char *text)
{
	static struct hmap warned = HMAP_INIT;
	enum { WARNED_MAX = 1000 };
	uint32_t hash = hash_string(text, 0);
	struct warned_key *key;

	HMAP_FOR_EACH_WITH_HASH (key, node, hash, &warned)
		if (!strcmp(key->text, text))
			return false;
	if (warned.count >= WARNED_MAX)
		return false;
	key = xmalloc(sizeof(*key));
	key->text = xstrdup(text);
	hmap_insert(&warned, &key->node, hash);
	return true;
}

/* A name that begins with a UUID is a client's note of one of its own objects, such as
 * the meters of Neutron's ports: it is no key of ours misspelt. */
static bool
name_is_note(const char *name)
{
	char text[UUID_TEXT_BYTES] = "";
	struct uuid uuid;

	strncpy(text, name, sizeof(text) - 1);
	return uuid_from_text(&uuid, text);
}

void
keys_warn_of(const struct keys *keys, const char *name)
{
	char text[256];

	if (name_is_note(name))
		return;
	snprintf(text, sizeof(text), "%s:%s", keys->table, name);
	if (warn_is_first(text))
		log_warn("%s: key \"%s\" is not known and has no effect", keys->where,
		         name);
}

void
keys_warn_unknown(const struct keys *keys, const char *const *known)
{
	for (size_t i = 0; i < keys->n; i++) {
		const char *const *name = known;

		while (*name && strcmp(*name, keys->names[i]))
			name++;
		if (!*name)
			keys_warn_of(keys, keys->names[i]);
	}
}

/* Reads a number if the key is there; the first problem stays in 'err'. */
static int
keys_u64(const struct keys *keys, const char *name, uint64_t min, uint64_t max,
         uint64_t *value, int *status, struct error *err)
{
	const char *text = keys_get(keys, name);

	if (!text)
		return 0;
	if (parse_u64(text, min, max, value))
		return 1;
	if (!*status)
		*status = error_set(err, -EINVAL,
		                    "%s: %s=%s is not a whole number from %llu to %llu",
		                    keys->where, name, text, (unsigned long long)min,
		                    (unsigned long long)max);
	return 0;
}

int
keys_parse_cpu_mask(const char *text, uint8_t mask[DP_CPUS_MAX / 8], struct error *err)
{
	const char *digits = text;
	size_t n;

	memset(mask, 0, DP_CPUS_MAX / 8);
	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		digits += 2;
	n = strlen(digits);
	if (n == 0 || n > DP_CPUS_MAX / 4 ||
	    strspn(digits, "0123456789abcdefABCDEF") != n)
		return error_set(err, -EINVAL,
		                 "pmd-cpu-mask=%.64s is not a hexadecimal mask of cores",
		                 text);
	for (size_t i = 0; i < n; i++) {
		char c = digits[n - 1 - i];
		int digit = isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;

		mask[i / 2] |= (uint8_t)(digit << (i % 2 * 4));
	}
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

bool
keys_parse_mac(const char *text, uint8_t mac[6])
{
	uint8_t parsed[6];

	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		parsed[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(mac, parsed, sizeof(parsed));
	return true;
}

static void
keys_to_datapath_start(const struct keys *keys, struct desired_arena *arena,
                       struct desired_settings *settings, int *status, struct error *err)
{
	const char *init = keys_get(keys, "dpdk-init");
	const char *extra = keys_get(keys, "dpdk-extra");
	const char *memory = keys_get(keys, "dpdk-socket-mem");
	const char *dir = keys_get(keys, "vhost-sock-dir");

	if (init) {
		settings->dpdk_is_off = !strcmp(init, "false");
		settings->dpdk_is_on = !strcmp(init, "true") || !strcmp(init, "try");
		if (!settings->dpdk_is_off && !settings->dpdk_is_on && !*status)
			*status = error_set(err, -EINVAL,
			                    "%s: dpdk-init=%s is neither true nor false",
			                    keys->where, init);
	}
	settings->dpdk_extra = extra && *extra ? desired_strdup(arena, extra) : NULL;
	if (memory && *memory) {
		if (strspn(memory, "0123456789,") == strlen(memory))
			settings->dpdk_socket_mem = desired_strdup(arena, memory);
		else if (!*status)
			*status = error_set(
				err, -EINVAL,
				"%s: dpdk-socket-mem=%s is not a list of megabytes",
				keys->where, memory);
	}
	if (!dir || !*dir)
		return;
	if (strstr(dir, "..")) {
		if (!*status)
			*status =
				error_set(err, -EINVAL,
			                  "%s: vhost-sock-dir=%s must not contain \"..\"",
			                  keys->where, dir);
	} else {
		char *path = dirs_in_rundir(dir);

		settings->vhost_socket_dir = desired_strdup(arena, path);
		free(path);
	}
}

int
keys_to_settings(const struct keys *keys, struct desired_arena *arena,
                 struct desired_settings *settings, struct error *err)
{
	static const char *const known[] = {
		"dpdk-init",    "dpdk-extra",   "dpdk-socket-mem",       "vhost-sock-dir",
		"pmd-cpu-mask", "pmd-maxsleep", "stats-update-interval", "metrics-listen",
		NULL,
	};
	const char *mask = keys_get(keys, "pmd-cpu-mask");
	uint64_t value;
	int status = 0;

	keys_warn_unknown(keys, known);
	settings->max_sleep_us = DEFAULT_MAX_SLEEP_US;
	settings->stats_interval_ms = STATS_MIN_MS;
	if (keys_get(keys, "metrics-listen"))
		settings->metrics_listen =
			desired_strdup(arena, keys_get(keys, "metrics-listen"));
	keys_to_datapath_start(keys, arena, settings, &status, err);
	if (keys_u64(keys, "pmd-maxsleep", 0, MAX_SLEEP_US, &value, &status, err))
		settings->max_sleep_us = (uint32_t)value;
	if (keys_u64(keys, "stats-update-interval", 0, STATS_MAX_MS, &value, &status,
	             err))
		settings->stats_interval_ms = (uint32_t)MAX_OF(value, STATS_MIN_MS);
	if (mask && *mask) {
		struct error mask_err;
		int ret = keys_parse_cpu_mask(mask, settings->pmd_cpu_mask, &mask_err);

		if (ret && !status)
			status =
				error_set(err, ret, "%s: %s", keys->where, mask_err.text);
	}
	return status;
}

int
keys_to_bridge(const struct keys *keys, struct desired_bridge *bridge, struct error *err)
{
	static const char *const known[] = {
		"mac-table-size", "mac-aging-time", "hwaddr", "datapath-id",
		"ingress-max-rate", "dp-desc", "dp-sn",
		/* Of clients: no effect here, no warning. */
		"disable-in-band", "mcast-snooping-disable-flood-unregistered", NULL};
	const char *mac = keys_get(keys, "hwaddr");
	const char *id = keys_get(keys, "datapath-id");
	uint64_t value;
	int status = 0;

	keys_warn_unknown(keys, known);
	if (keys_u64(keys, "mac-table-size", 10, 1000000, &value, &status, err))
		bridge->config.mac_table_size = (uint32_t)value;
	if (keys_u64(keys, "mac-aging-time", 1, 1000000, &value, &status, err))
		bridge->config.mac_aging_s = (uint32_t)value;
	if (keys_u64(keys, "ingress-max-rate", 1, RATE_MAX_BPS, &value, &status, err))
		bridge->config.ingress_bps = value;
	if (mac) {
		uint8_t parsed[6];

		if (keys_parse_mac(mac, parsed) && !(parsed[0] & 1))
			memcpy(bridge->mac, parsed, sizeof(parsed));
		else if (!status)
			status = error_set(err, -EINVAL,
			                   "%s: hwaddr=%s is not a unicast MAC address",
			                   keys->where, mac);
	}
	if (id) {
		const char *digits = !strncmp(id, "0x", 2) ? id + 2 : id;
		size_t n = strlen(digits);
		bool is_hex = strspn(digits, "0123456789abcdefABCDEF") == n;

		value = is_hex && n ? strtoull(digits, NULL, 16) : 0;
		if (n >= 1 && n <= 16 && (n == 16 || digits != id) && value)
			bridge->datapath_id = value;
		else if (!status)
			status = error_set(
				err, -EINVAL,
				"%s: datapath-id=%s is not 16 hexadecimal digits",
				keys->where, id);
	}
	return status;
}

static int
keys_socket_path(const struct keys *keys, const char *path, struct desired_port *port,
                 struct error *err)
{
	size_t n = strlen(path);

	if (path[0] != '/')
		return error_set(err, -EINVAL, "socket path \"%s\" is not absolute",
		                 path);
	if (n >= sizeof(port->config.socket_path))
		return error_set(err, -ENAMETOOLONG,
		                 "socket path of %zu bytes is longer than %zu: %s", n,
		                 sizeof(port->config.socket_path) - 1, path);
	(void)keys;
	memcpy(port->config.socket_path, path, n + 1);
	return 0;
}

static int
keys_to_patch(const struct keys *keys, struct desired_port *port, struct error *err)
{
	const char *peer = keys_get(keys, "peer");

	if (!peer || !*peer)
		return error_set(err, -EINVAL, "options:peer is missing");
	if (strlen(peer) >= sizeof(port->config.settings.peer))
		return error_set(err, -ENAMETOOLONG,
		                 "options:peer is longer than %zu bytes",
		                 sizeof(port->config.settings.peer) - 1);
	if (!strcmp(peer, port->name))
		return error_set(err, -EINVAL, "options:peer names the port itself");
	memcpy(port->config.settings.peer, peer, strlen(peer) + 1);
	return 0;
}

int
keys_to_interface(const struct keys *keys, const char *vhost_socket_dir,
                  struct desired_port *port, struct error *err)
{
	static const char *const known[] = {"vhost-server-path",
	                                    "dpdk-devargs",
	                                    "n_rxq",
	                                    "peer",
	                                    "ingress-shaping",
	                                    "on-excess",
	                                    "ingress-min-rate",
	                                    "ingress-peak-rate",
	                                    NULL};
	const char *path = keys_get(keys, "vhost-server-path");
	const char *devargs = keys_get(keys, "dpdk-devargs");
	uint64_t value = 0;
	int status = 0;

	keys_warn_unknown(keys, known);
	status = keys_to_ingress(keys, &port->config.settings, err);
	if (status)
		return status;
	if (port->config.type == DP_PORT_VHOST_CLIENT) {
		if (!path || !*path)
			return error_set(err, -EINVAL,
			                 "options:vhost-server-path is missing");
		return keys_socket_path(keys, path, port, err);
	}
	if (port->config.type == DP_PORT_VHOST_SERVER) {
		char *own = xasprintf("%s/%s", vhost_socket_dir, port->name);

		status = strchr(port->name, '/')
		                 ? error_set(err, -EINVAL,
		                             "a name with a slash cannot name a socket")
		                 : keys_socket_path(keys, own, port, err);
		free(own);
		return status;
	}
	if (port->config.type == DP_PORT_PATCH)
		return keys_to_patch(keys, port, err);
	if (port->config.type == DP_PORT_DPDK) {
		if (!devargs || !*devargs)
			return error_set(err, -EINVAL, "options:dpdk-devargs is missing");
		if (strlen(devargs) >= sizeof(port->config.devargs))
			return error_set(err, -ENAMETOOLONG,
			                 "options:dpdk-devargs is longer than %zu bytes",
			                 sizeof(port->config.devargs) - 1);
		memcpy(port->config.devargs, devargs, strlen(devargs) + 1);
		keys_u64(keys, "n_rxq", 1, DP_QUEUES_MAX, &value, &status, err);
		port->config.n_rxq = (uint16_t)value;
	}
	return status;
}
