/* connections.c - all connections of one bridge: those that are configured, the service
 * socket and who listens in; and from them, whether the switch is on its own. Over
 * controller.c and snoop.c. Main thread. */
#include "vswitchd/ofproto/connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "openflow/of.h"
#include "vswitchd/ofproto/controller.h"
#include "vswitchd/ofproto/snoop.h"

LOG_MODULE(fail_mode);

/* As many probes as a controller may miss, and how long that is if none are sent. */
#define PROBES_MISSED    3
#define DEFAULT_PROBE_MS 5000

struct connections {
	struct controller_env env;
	char *bridge_name;
	uint64_t datapath_id; /* that was told; 0 = none yet */
	struct connection_hooks hooks;
	struct controller *service; /* "<bridge>.mgmt" */
	struct snoop *snoop;
	struct controller **controllers; /* as configured */
	size_t n_controllers;
	enum ofproto_fail_mode fail_mode;
	uint64_t heard_ns; /* when a primary controller was last heard */
	bool is_alone;
};

struct connections *
connections_create(struct event_base *loop, const char *bridge_name,
                   const struct connection_hooks *hooks, void *aux)
{
	struct connections *connections = xcalloc(1, sizeof(*connections));
	char *target = xasprintf("punix:%s.mgmt", bridge_name);
	const struct ofproto_controller service = {.target = target, .is_service = true};

	connections->bridge_name = xstrdup(bridge_name);
	connections->hooks = *hooks;
	connections->snoop = snoop_create(loop, bridge_name);
	connections->env = (struct controller_env){
		.loop = loop,
		.bridge_name = connections->bridge_name,
		.hooks = &connections->hooks,
		.hooks_aux = aux,
		.versions = OF_VERSIONS_ALL,
		.tap = snoop_tap,
		.tap_aux = connections->snoop,
	};
	connections->service = controller_create(&connections->env, &service, true);
	free(target);
	return connections;
}

void
connections_destroy(struct connections *connections)
{
	if (!connections)
		return;
	for (size_t i = 0; i < connections->n_controllers; i++)
		controller_destroy(connections->controllers[i]);
	free(connections->controllers);
	controller_destroy(connections->service);
	snoop_destroy(connections->snoop);
	free(connections->bridge_name);
	free(connections);
}

/* ---- configuration ---- */

/* The running controller that can go on as 'config' says; it leaves the old list. */
static struct controller *
connections_take(struct connections *connections, const struct ofproto_controller *config)
{
	for (size_t i = 0; i < connections->n_controllers; i++) {
		struct controller *controller = connections->controllers[i];

		if (controller && controller_reconfigure(controller, config)) {
			connections->controllers[i] = NULL;
			return controller;
		}
	}
	return NULL;
}

static struct controller *
connections_add(struct connections *connections, const struct ofproto_controller *config)
{
	struct controller *controller =
		controller_create(&connections->env, config, false);

	if (!controller_is_passive(controller))
		connections->hooks.set_configured(config->target, true,
		                                  connections->env.hooks_aux);
	return controller;
}

static void
connections_remove(struct connections *connections, struct controller *controller)
{
	char *target = xstrdup(controller_target(controller));
	const bool is_passive = controller_is_passive(controller);

	controller_destroy(controller);
	if (!is_passive)
		connections->hooks.set_configured(target, false,
		                                  connections->env.hooks_aux);
	free(target);
}

static void
connections_set_controllers(struct connections *connections,
                            const struct ofproto_config *config)
{
	struct controller **list = xcalloc(config->n_controllers, sizeof(*list));

	for (size_t i = 0; i < config->n_controllers; i++)
		list[i] = connections_take(connections, &config->controllers[i]);
	/* First close, then open: a new target may need an old one's port. */
	for (size_t i = 0; i < connections->n_controllers; i++)
		if (connections->controllers[i])
			connections_remove(connections, connections->controllers[i]);
	free(connections->controllers);
	connections->controllers = list;
	connections->n_controllers = config->n_controllers;
	for (size_t i = 0; i < config->n_controllers; i++)
		if (!list[i])
			list[i] = connections_add(connections, &config->controllers[i]);
}

void
connections_reconnect(struct connections *connections)
{
	for (size_t i = 0; i < connections->n_controllers; i++)
		controller_restart(connections->controllers[i]);
}

/* What is said once, when a session begins, can be corrected only by another one. */
static void
connections_set_identity(struct connections *connections,
                         const struct ofproto_config *config)
{
	uint32_t versions = config->versions & OF_VERSIONS_ALL;
	uint64_t old_id = connections->datapath_id;

	if (!versions)
		versions = OF_VERSIONS_ALL;
	connections->datapath_id = config->datapath_id;
	if (versions == connections->env.versions &&
	    (old_id == 0 || old_id == config->datapath_id))
		return;
	connections->env.versions = versions;
	connections_reconnect(connections);
	controller_restart(connections->service);
}

void
connections_configure(struct connections *connections,
                      const struct ofproto_config *config)
{
	bool had_primary = connections_has_primary(connections);

	connections_set_identity(connections, config);
	connections_set_controllers(connections, config);
	connections->fail_mode = config->fail_mode;
	if (!had_primary)
		connections->heard_ns = clock_mono_ns();
	connections_run(connections, clock_mono_ns());
}

bool
connections_has_primary(const struct connections *connections)
{
	for (size_t i = 0; i < connections->n_controllers; i++)
		if (controller_is_primary(connections->controllers[i]))
			return true;
	return false;
}

void
connections_report(const struct connections *connections,
                   void (*cb)(const struct ofproto_controller_status *, void *aux),
                   void *aux)
{
	struct ofproto_controller_status status;
	uint64_t now_ns = clock_mono_ns();

	for (size_t i = 0; i < connections->n_controllers; i++) {
		controller_get_status(connections->controllers[i], now_ns, &status);
		cb(&status, aux);
	}
}

/* ---- fail_mode ---- */

/* The longest that any of them may be silent. */
static uint64_t
connections_patience_ns(const struct connections *connections)
{
	uint32_t probe_ms = 0;

	for (size_t i = 0; i < connections->n_controllers; i++)
		if (controller_is_primary(connections->controllers[i]))
			probe_ms =
				MAX_OF(probe_ms,
			               controller_probe_ms(connections->controllers[i]));
	if (!probe_ms)
		probe_ms = DEFAULT_PROBE_MS;
	return PROBES_MISSED * probe_ms * NSEC_PER_MSEC;
}

static void
connections_set_alone(struct connections *connections, bool is_alone)
{
	if (connections->is_alone == is_alone)
		return;
	connections->is_alone = is_alone;
	if (is_alone)
		log_warn("%s: no controller has been heard for too long: forwarding as a "
		         "learning switch",
		         connections->bridge_name);
	else
		log_info("%s: no longer on its own", connections->bridge_name);
	connections->hooks.set_alone(is_alone, connections->env.hooks_aux);
}

/* The way back needs more than a connection: a controller that comes up and goes down
 * again would take the traffic with it each time. */
static void
connections_judge(struct connections *connections, uint64_t now_ns)
{
	bool is_back = false;

	for (size_t i = 0; i < connections->n_controllers; i++) {
		const struct controller *controller = connections->controllers[i];

		if (!controller_is_primary(controller))
			continue;
		if (controller_is_heard(controller))
			connections->heard_ns = now_ns;
		is_back |= controller_is_back(controller);
	}
	if (connections->fail_mode != OFPROTO_STANDALONE ||
	    !connections_has_primary(connections) || is_back)
		connections_set_alone(connections, false);
	else if (now_ns >= connections->heard_ns + connections_patience_ns(connections))
		connections_set_alone(connections, true);
}

void
connections_run(struct connections *connections, uint64_t now_ns)
{
	controller_run(connections->service, now_ns);
	for (size_t i = 0; i < connections->n_controllers; i++)
		controller_run(connections->controllers[i], now_ns);
	snoop_run(connections->snoop, now_ns);
	connections_judge(connections, now_ns);
}
