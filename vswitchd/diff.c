/* diff.c - compares what runs with what is desired and lists what to do, between
 * validate.c and apply.c. No side effect at all. Main thread. */
#include "vswitchd/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/openflow_config.h"

static const char *const plan_kind_names[] = {
	[PLAN_START] = "start datapath",  [PLAN_SET_WORKERS] = "set workers",
	[PLAN_DEL_PORT] = "del port",     [PLAN_DEL_BRIDGE] = "del bridge",
	[PLAN_ADD_BRIDGE] = "add bridge", [PLAN_SET_BRIDGE] = "set bridge",
	[PLAN_ADD_PORT] = "add port",     [PLAN_SET_PORT] = "set port",
	[PLAN_SET_QOS] = "set qos",       [PLAN_SET_OPENFLOW] = "set openflow",
};
static_assert(ARRAY_SIZE(plan_kind_names) == PLAN_N_KINDS, "name every operation");

static void
plan_add(struct plan *plan, enum plan_kind kind, const char *name,
         struct desired_bridge *bridge, struct desired_port *port)
{
	struct plan_op *op;

	if (plan->n == plan->allocated) {
		plan->allocated = plan->allocated ? plan->allocated * 2 : 16;
		plan->ops = xrealloc(plan->ops, plan->allocated * sizeof(*plan->ops));
	}
	op = &plan->ops[plan->n++];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->bridge = bridge;
	op->port = port;
	strncpy(op->name, name, sizeof(op->name) - 1);
}

void
diff_dp_config(const struct desired_settings *settings, struct dp_config *config)
{
	memset(config, 0, sizeof(*config));
	config->eal_extra = settings->dpdk_extra;
	config->socket_mem = settings->dpdk_socket_mem;
	memcpy(config->pmd_cpu_mask, settings->pmd_cpu_mask,
	       sizeof(config->pmd_cpu_mask));
	config->max_sleep_us = settings->max_sleep_us;
}

static void
diff_switch(const struct running *running, const struct desired *desired,
            struct plan *plan)
{
	struct dp_config want;

	diff_dp_config(&desired->settings, &want);
	if (!running->is_started) {
		if (!desired->settings.dpdk_is_off &&
		    (desired->n_bridges > 0 || desired->settings.dpdk_is_on))
			plan_add(plan, PLAN_START, "", NULL, NULL);
		return;
	}
	if (memcmp(want.pmd_cpu_mask, running->config.pmd_cpu_mask,
	           sizeof(want.pmd_cpu_mask)) ||
	    want.max_sleep_us != running->config.max_sleep_us)
		plan_add(plan, PLAN_SET_WORKERS, "", NULL, NULL);
}

struct indexed_port {
	struct hmap_node node; /* by name of the port */
	struct desired_port *port;
	struct desired_bridge *bridge;
};

static const struct indexed_port *
index_find(const struct hmap *index, const char *name)
{
	struct indexed_port *entry;

	HMAP_FOR_EACH_WITH_HASH (entry, node, hash_string(name, 0), index)
		if (!strcmp(entry->port->name, name))
			return entry;
	return NULL;
}

static struct indexed_port *
index_build(struct hmap *index, const struct desired *desired)
{
	struct indexed_port *entries;
	size_t n = 0;

	for (size_t i = 0; i < desired->n_bridges; i++)
		n += desired->bridges[i].n_ports;
	entries = xcalloc(n, sizeof(*entries));
	n = 0;
	for (size_t i = 0; i < desired->n_bridges; i++) {
		struct desired_bridge *bridge = &desired->bridges[i];

		for (size_t j = 0; j < bridge->n_ports; j++) {
			struct indexed_port *entry = &entries[n++];

			entry->port = &bridge->ports[j];
			entry->bridge = bridge;
			hmap_insert(index, &entry->node,
			            hash_string(entry->port->name, 0));
		}
	}
	return entries;
}

/* True if the running port must go: nobody wants it, or not like this. */
static bool
diff_port_must_go(const struct running_port *old, const struct desired *desired,
                  const struct hmap *index)
{
	const struct indexed_port *entry = index_find(index, old->config.name);

	if (!entry || old->is_stale)
		return true;
	if (strcmp(entry->bridge->name, old->bridge_name)) {
		/* It moves; but it cannot stay on a bridge that nobody wants. */
		return !entry->port->problem ||
		       !desired_find_bridge(desired, old->bridge_name);
	}
	return !entry->port->problem &&
	       !desired_port_is_same(&old->config, &entry->port->config);
}

static void
diff_deletions(const struct running *running, const struct desired *desired,
               const struct hmap *index, struct plan *plan)
{
	struct running_bridge **bridges;
	struct running_port **ports;
	size_t n;

	ports = running_list_ports(running, NULL, &n);
	for (size_t i = 0; i < n; i++)
		if (diff_port_must_go(ports[i], desired, index))
			plan_add(plan, PLAN_DEL_PORT, ports[i]->config.name, NULL, NULL);
	free(ports);
	bridges = running_list_bridges(running, &n);
	for (size_t i = 0; i < n; i++)
		if (!desired_find_bridge(desired, bridges[i]->config.name))
			plan_add(plan, PLAN_DEL_BRIDGE, bridges[i]->config.name, NULL,
			         NULL);
	free(bridges);
}

static void
diff_port(const struct running *running, const struct desired *desired,
          const struct hmap *index, struct desired_bridge *bridge,
          struct desired_port *port, struct plan *plan)
{
	static const struct dp_qos_config none = {.kind = DP_QOS_NONE};
	const struct running_port *old = running_find_port(running, port->name);
	const struct dp_qos_config *old_qos = &none;

	if (port->problem)
		return;
	if (!old || diff_port_must_go(old, desired, index)) {
		plan_add(plan, PLAN_ADD_PORT, port->name, bridge, port);
	} else {
		old_qos = &old->qos;
		if (!desired_settings_equal(&old->config.settings,
		                            &port->config.settings))
			plan_add(plan, PLAN_SET_PORT, port->name, bridge, port);
	}
	if (!port->qos_problem && !desired_qos_equal(old_qos, &port->qos_config))
		plan_add(plan, PLAN_SET_QOS, port->name, bridge, port);
}

/* A new bridge is told all but its controllers when it is made. */
static void
diff_openflow(const struct running_bridge *old, struct desired_bridge *bridge,
              struct plan *plan)
{
	if (old ? !openflow_config_equal(old->openflow, &bridge->openflow)
	        : bridge->openflow.n_controllers > 0)
		plan_add(plan, PLAN_SET_OPENFLOW, bridge->name, bridge, NULL);
}

void
diff(const struct running *running, const struct desired *desired, struct plan *plan)
{
	struct hmap index = HMAP_INIT;
	struct indexed_port *entries = index_build(&index, desired);

	memset(plan, 0, sizeof(*plan));
	diff_switch(running, desired, plan);
	diff_deletions(running, desired, &index, plan);
	for (size_t i = 0; i < desired->n_bridges; i++) {
		struct desired_bridge *bridge = &desired->bridges[i];
		const struct running_bridge *old =
			running_find_bridge(running, bridge->name);

		if (bridge->problem || desired->settings.dpdk_is_off)
			continue;
		if (!old)
			plan_add(plan, PLAN_ADD_BRIDGE, bridge->name, bridge, NULL);
		else if (!desired_bridge_config_equal(&old->config, &bridge->config))
			plan_add(plan, PLAN_SET_BRIDGE, bridge->name, bridge, NULL);
		for (size_t j = 0; j < bridge->n_ports; j++)
			diff_port(running, desired, &index, bridge, &bridge->ports[j],
			          plan);
		diff_openflow(old, bridge, plan);
	}
	free(entries);
	hmap_destroy(&index);
}

void
plan_print(const struct plan *plan, struct str *out)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_op *op = &plan->ops[i];

		str_append(out, plan_kind_names[op->kind]);
		if (op->name[0])
			str_printf(out, " %s", op->name);
		if (op->kind == PLAN_ADD_PORT)
			str_printf(out, " to %s as %u, type %s", op->bridge->name,
			           op->port->config.ofport,
			           dp_port_type_name(op->port->config.type));
		else if (op->kind == PLAN_SET_QOS)
			str_printf(out, " to %s",
			           op->port->qos_config.kind == DP_QOS_NONE
			                   ? "none"
			                   : op->port->qos->type);
		str_append_char(out, '\n');
	}
}

void
plan_destroy(struct plan *plan)
{
	free(plan->ops);
	memset(plan, 0, sizeof(*plan));
}
