/* apply.c - a table of small operations on the datapath, after diff.c. Each failure is
 * recorded on its own object and the rest goes on. Main thread. */
#include "vswitchd/apply.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(apply);

typedef int apply_fn(struct apply *apply, const struct plan_op *op, struct error *err);

static int
apply_start(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct dp_config config;
	char instance[24];
	int ret;

	(void)op;
	snprintf(instance, sizeof(instance), "%d", (int)getpid());
	diff_dp_config(&apply->desired->settings, &config);
	config.instance = instance;
	ret = dp_start(&config, err);
	if (ret) {
		apply->start_failure =
			desired_printf(&apply->desired->arena,
		                       "the datapath cannot start: %s", err->text);
		return ret;
	}
	running_set_config(apply->running, &config);
	apply->running->is_started = true;
	log_info("datapath started, %s", dp_dpdk_version());
	return 0;
}

static int
apply_set_workers(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct dp_config config;
	int ret;

	(void)op;
	diff_dp_config(&apply->desired->settings, &config);
	ret = dp_set_workers(&config, err);
	if (ret) {
		apply->desired->settings.problem =
			desired_strdup(&apply->desired->arena, err->text);
		return ret;
	}
	memcpy(apply->running->config.pmd_cpu_mask, config.pmd_cpu_mask,
	       sizeof(config.pmd_cpu_mask));
	apply->running->config.max_sleep_us = config.max_sleep_us;
	return 0;
}

static int
apply_del_port(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct running_port *port = running_find_port(apply->running, op->name);

	(void)err;
	ofproto_port_del(running_port_ofproto(apply->running, port),
	                 running_port_number(port));
	dp_port_del(port->id);
	running_del_port(apply->running, port);
	return 0;
}

static int
apply_del_bridge(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct running_bridge *bridge = running_find_bridge(apply->running, op->name);

	(void)err;
	ofproto_destroy(bridge->ofproto);
	dp_bridge_del(bridge->id);
	running_del_bridge(apply->running, bridge);
	return 0;
}

static int
apply_add_bridge(struct apply *apply, const struct plan_op *op, struct error *err)
{
	const struct dp_bridge_config *config = &op->bridge->config;
	struct running_bridge *bridge;
	uint32_t id;
	int ret = dp_bridge_add(config, &id, err);

	if (ret) {
		op->bridge->failure = desired_strdup(&apply->desired->arena, err->text);
		return ret;
	}
	bridge = running_add_bridge(apply->running, id, config);
	dp_bridge_clear_rules(id);
	bridge->ofproto = ofproto_create(apply->running->loop, id, op->name);
	/* Before its first port: with fail_mode secure nothing may pass. Controllers
	 * come once there are ports to see. */
	running_set_openflow(bridge, &op->bridge->openflow, false);
	return 0;
}

static int
apply_set_openflow(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct running_bridge *bridge = running_find_bridge(apply->running, op->name);

	(void)err;
	if (bridge) /* else making it failed, and that was said */
		running_set_openflow(bridge, &op->bridge->openflow, true);
	return 0;
}

static int
apply_set_bridge(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct running_bridge *bridge = running_find_bridge(apply->running, op->name);
	int ret = dp_bridge_set(bridge->id, &op->bridge->config, err);

	if (ret)
		op->bridge->settings_problem =
			desired_strdup(&apply->desired->arena, err->text);
	else
		bridge->config = op->bridge->config;
	return ret;
}

static void
apply_announce_port(const struct running_bridge *bridge, const struct running_port *port)
{
	struct ofproto_port announced = {
		.number = running_port_number(port),
		.dp_port_id = port->id,
	};

	memcpy(announced.name, port->config.name, sizeof(announced.name));
	ofproto_port_add(bridge->ofproto, &announced);
}

static int
apply_add_port(struct apply *apply, const struct plan_op *op, struct error *err)
{
	const struct running_bridge *bridge =
		running_find_bridge(apply->running, op->bridge->name);
	struct dp_port_config config = op->port->config;
	struct running_port *port;
	uint32_t id;
	int ret;

	if (bridge) {
		config.bridge_id = bridge->id;
		ret = dp_port_add(&config, &id, err);
	} else {
		ret = error_set(
			err, -ENODEV, "bridge %s could not be made: %s", op->bridge->name,
			op->bridge->failure ? op->bridge->failure : "see the log");
	}
	if (ret) {
		op->port->failure = desired_strdup(&apply->desired->arena, err->text);
		return ret;
	}
	port = running_add_port(apply->running, id, op->bridge->name, &config);
	if (config.type == DP_PORT_SYSTEM)
		port->ifindex = if_nametoindex(config.name);
	apply_announce_port(bridge, port);
	return 0;
}

static int
apply_set_port(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct running_port *port = running_find_port(apply->running, op->name);
	int ret = dp_port_set(port->id, &op->port->config.settings, err);

	if (ret)
		op->port->failure = desired_strdup(&apply->desired->arena, err->text);
	else
		port->config.settings = op->port->config.settings;
	ofproto_port_changed(running_port_ofproto(apply->running, port),
	                     running_port_number(port));
	return ret;
}

static int
apply_set_qos(struct apply *apply, const struct plan_op *op, struct error *err)
{
	struct running_port *port = running_find_port(apply->running, op->name);
	int ret;

	if (!port)
		return 0; /* adding it failed, and that was said */
	ret = dp_port_set_qos(port->id, &op->port->qos_config, err);
	if (ret)
		op->port->qos_failure = desired_strdup(&apply->desired->arena, err->text);
	else
		running_set_qos(port, op->port->qos ? op->port->qos->type : "",
		                &op->port->qos_config);
	return ret;
}

static const struct {
	apply_fn *fn;
	const char *what; /* in the log line about a failure */
} operations[] = {
	[PLAN_START] = {apply_start, "datapath"},
	[PLAN_SET_WORKERS] = {apply_set_workers, "cannot change workers"},
	[PLAN_DEL_PORT] = {apply_del_port, "cannot delete port"},
	[PLAN_DEL_BRIDGE] = {apply_del_bridge, "cannot delete bridge"},
	[PLAN_ADD_BRIDGE] = {apply_add_bridge, "cannot add bridge"},
	[PLAN_SET_BRIDGE] = {apply_set_bridge, "cannot change bridge"},
	[PLAN_ADD_PORT] = {apply_add_port, "cannot add port"},
	[PLAN_SET_PORT] = {apply_set_port, "cannot change port"},
	[PLAN_SET_QOS] = {apply_set_qos, "cannot set QoS of port"},
	[PLAN_SET_OPENFLOW] = {apply_set_openflow, "cannot configure the switch of"},
};
static_assert(ARRAY_SIZE(operations) == PLAN_N_KINDS, "carry out every operation");

void
apply_init(struct apply *apply, struct running *running, struct desired *desired)
{
	struct str text = STR_INIT;

	memset(apply, 0, sizeof(*apply));
	apply->running = running;
	apply->desired = desired;
	diff(running, desired, &apply->plan);
	plan_print(&apply->plan, &text);
	if (text.length > 0) {
		char *save = NULL;

		for (char *line = strtok_r(text.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			log_dbg("plan: %s", line);
	}
	str_free(&text);
}

/* Without a datapath nothing else can be done: every port learns why. */
static void
apply_skip(struct apply *apply, const struct plan_op *op)
{
	if (op->kind == PLAN_ADD_PORT)
		op->port->failure = apply->start_failure;
	else if (op->kind == PLAN_ADD_BRIDGE)
		op->bridge->failure = apply->start_failure;
}

bool
apply_run(struct apply *apply, uint64_t deadline_ns)
{
	while (apply->next < apply->plan.n) {
		const struct plan_op *op = &apply->plan.ops[apply->next++];
		struct error err = {""};

		if (apply->start_failure)
			apply_skip(apply, op);
		else if (operations[op->kind].fn(apply, op, &err))
			log_dbg("%s %s: %s", operations[op->kind].what, op->name,
			        err.text);
		if (clock_mono_ns() >= deadline_ns)
			break;
	}
	return apply->next == apply->plan.n;
}

void
apply_destroy(struct apply *apply)
{
	plan_destroy(&apply->plan);
}
