/* validate.c - judges desired state as a whole, between desired_from_db.c and diff.c.
 * Reads the file system and the datapath's own checks, changes nothing but 'desired'.
 * Main thread. */
#include "vswitchd/validate.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hmap.h"
#include "base/mem.h"

/* A path that a port has claimed. */
struct claim {
	struct hmap_node node;
	const struct desired_port *port;
};

static bool
mask_is_zero(const uint8_t mask[DP_CPUS_MAX / 8])
{
	for (size_t i = 0; i < DP_CPUS_MAX / 8; i++)
		if (mask[i])
			return false;
	return true;
}

static void
validate_settings(struct desired *desired, const struct running *running)
{
	struct desired_settings *settings = &desired->settings;
	struct error err;

	/* The datapath starts once; it cannot be turned off again. */
	if (running->is_started)
		settings->dpdk_is_off = false;
	if (!settings->problem && !mask_is_zero(settings->pmd_cpu_mask) &&
	    dp_check_cpu_mask(settings->pmd_cpu_mask, &err))
		settings->problem = desired_strdup(&desired->arena, err.text);
	if (!settings->problem)
		return;
	/* A switch that runs keeps its workers; one that starts takes the default. */
	if (running->is_started) {
		memcpy(settings->pmd_cpu_mask, running->config.pmd_cpu_mask,
		       sizeof(settings->pmd_cpu_mask));
		settings->max_sleep_us = running->config.max_sleep_us;
	} else {
		memset(settings->pmd_cpu_mask, 0, sizeof(settings->pmd_cpu_mask));
	}
}

static void
validate_bridge(struct desired *desired, struct desired_bridge *bridge,
                const struct running *running)
{
	const struct running_bridge *old = running_find_bridge(running, bridge->name);

	if (!*bridge->name || strlen(bridge->name) >= DP_NAME_MAX_BYTES) {
		bridge->problem = desired_printf(
			&desired->arena, "a bridge's name must have 1 to %d characters",
			DP_NAME_MAX_BYTES - 1);
		return;
	}
	if (bridge->settings_problem && old)
		bridge->config = old->config;
	strncpy(bridge->config.name, bridge->name, sizeof(bridge->config.name) - 1);
}

static bool
port_is_vhost(const struct desired_port *port)
{
	return port->config.type == DP_PORT_VHOST_CLIENT ||
	       port->config.type == DP_PORT_VHOST_SERVER;
}

static bool
port_is_kernel(const struct desired_port *port)
{
	return port->config.type == DP_PORT_INTERNAL ||
	       port->config.type == DP_PORT_TAP || port->config.type == DP_PORT_SYSTEM;
}

/* A socket must be able to be where the port wants it. */
static const char *
validate_socket(const struct desired_port *port, struct desired_arena *arena)
{
	const char *path = port->config.socket_path;
	struct stat st;
	char *slash, *dir;
	const char *problem = NULL;

	if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return desired_printf(arena, "%s exists and is not a socket", path);
	if (port->config.type != DP_PORT_VHOST_SERVER)
		return NULL; /* the guest's side may come much later, with its folder */
	dir = xstrdup(path);
	slash = strrchr(dir, '/');
	*(slash == dir ? slash + 1 : slash) = '\0';
	if (stat(dir, &st) < 0)
		problem = desired_printf(arena, "cannot make socket %s: %s", path,
		                         strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		problem = desired_printf(
			arena, "cannot make socket %s: %s is not a directory", path, dir);
	else if (access(dir, W_OK | X_OK) < 0)
		problem = desired_printf(arena, "cannot make socket %s: %s", path,
		                         strerror(errno));
	free(dir);
	return problem;
}

static void
validate_port(struct desired *desired, const struct desired_bridge *bridge,
              struct desired_port *port)
{
	size_t length = strlen(port->name);

	if (bridge->problem && !port->problem)
		port->problem = desired_printf(&desired->arena, "bridge %s: %s",
		                               bridge->name, bridge->problem);
	if (desired->settings.dpdk_is_off && !port->problem)
		port->problem = "the datapath is off: other_config:dpdk-init is false";
	if (port->problem)
		return;
	if (length == 0 || length >= sizeof(port->config.name))
		port->problem = desired_printf(
			&desired->arena, "a port's name must have 1 to %zu characters",
			sizeof(port->config.name) - 1);
	else if (port_is_kernel(port) && length >= IFNAMSIZ)
		port->problem = desired_printf(
			&desired->arena,
			"a kernel interface's name has at most %d characters",
			IFNAMSIZ - 1);
	else if (port_is_vhost(port))
		port->problem = validate_socket(port, &desired->arena);
	if (length < sizeof(port->config.name))
		memcpy(port->config.name, port->name, length + 1);
}

static const struct desired_port *
claims_find(const struct hmap *claims, const char *path, uint32_t hash)
{
	struct claim *claim;

	HMAP_FOR_EACH_WITH_HASH (claim, node, hash, claims)
		if (!strcmp(claim->port->config.socket_path, path))
			return claim->port;
	return NULL;
}

static void
validate_claim(struct hmap *claims, struct desired_port *port,
               struct desired_arena *arena)
{
	const char *path = port->config.socket_path;
	uint32_t hash = hash_string(path, 0);
	const struct desired_port *owner = claims_find(claims, path, hash);
	struct claim *claim;

	if (owner == port)
		return;
	if (owner) {
		port->problem =
			desired_printf(arena, "socket path %s is already used by port %s",
		                       path, owner->name);
		return;
	}
	claim = xmalloc(sizeof(*claim));
	claim->port = port;
	hmap_insert(claims, &claim->node, hash);
}

/* No two ports on one socket: the one that runs with it wins, then the first by name. */
static void
validate_unique_sockets(struct desired *desired, const struct running *running)
{
	struct hmap claims = HMAP_INIT;
	struct claim *claim;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < desired->n_bridges; i++) {
			struct desired_bridge *bridge = &desired->bridges[i];

			for (size_t j = 0; j < bridge->n_ports; j++) {
				struct desired_port *port = &bridge->ports[j];
				const struct running_port *old =
					running_find_port(running, port->name);
				bool runs = old && !strcmp(old->config.socket_path,
				                           port->config.socket_path);

				if (!port->problem && port_is_vhost(port) &&
				    (runs || pass == 1))
					validate_claim(&claims, port, &desired->arena);
			}
		}
	}
	HMAP_FOR_EACH (claim, node, &claims)
		free(claim);
	hmap_destroy(&claims);
}

void
validate(struct desired *desired, const struct running *running)
{
	validate_settings(desired, running);
	for (size_t i = 0; i < desired->n_bridges; i++) {
		struct desired_bridge *bridge = &desired->bridges[i];

		validate_bridge(desired, bridge, running);
		for (size_t j = 0; j < bridge->n_ports; j++)
			validate_port(desired, bridge, &bridge->ports[j]);
	}
	validate_unique_sockets(desired, running);
	for (size_t i = 0; i < desired->n_bridges; i++) {
		struct desired_bridge *bridge = &desired->bridges[i];

		validate_ingress(desired, bridge, running);
		ofport_assign(bridge, &desired->arena, running);
		for (size_t j = 0; j < bridge->n_ports; j++)
			validate_qos(desired, &bridge->ports[j], running);
	}
}
