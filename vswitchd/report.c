/* report.c - the log lines of a configuration, after apply.c. Main thread. */
#include "vswitchd/report.h"

#include <string.h>

#include "base/log.h"

LOG_MODULE(report);

static void
report(const char *what, const char *name, const char *before, const char *after)
{
	const char *gap = *name ? " " : "";

	if (after && (!before || strcmp(before, after)))
		log_warn("%s%s%s: %s", what, gap, name, after);
	else if (before && !after)
		log_info("%s%s%s: the problem is gone", what, gap, name);
}

static const char *
port_reason(const struct desired_port *port)
{
	if (!port)
		return NULL;
	return port->problem ? port->problem : port->failure;
}

static const char *
port_qos_reason(const struct desired_port *port)
{
	if (!port)
		return NULL;
	return port->qos_problem ? port->qos_problem : port->qos_failure;
}

static const char *
port_qos_warning(const struct desired_port *port)
{
	return port && port->qos ? port->qos->warning : NULL;
}

static const char *
bridge_reason(const struct desired_bridge *bridge)
{
	if (!bridge)
		return NULL;
	return bridge->problem ? bridge->problem : bridge->failure;
}

static void
report_bridge(const struct desired *before, const struct desired_bridge *bridge)
{
	const struct desired_bridge *old =
		before ? desired_find_bridge(before, bridge->name) : NULL;

	report("bridge", bridge->name, bridge_reason(old), bridge_reason(bridge));
	report("bridge", bridge->name, old ? old->settings_problem : NULL,
	       bridge->settings_problem);
	if (bridge->n_controllers && (!old || !old->n_controllers))
		log_warn("bridge %s: controllers are not supported yet; it forwards as a "
		         "learning switch",
		         bridge->name);
	for (size_t i = 0; i < bridge->n_ports; i++) {
		const struct desired_port *port = &bridge->ports[i];
		const struct desired_port *was =
			before ? desired_find_port(before, port->name) : NULL;

		report("port", port->name, port_reason(was), port_reason(port));
		report("port", port->name, port_qos_reason(was), port_qos_reason(port));
		report("port", port->name, port_qos_warning(was), port_qos_warning(port));
	}
}

void
report_changes(const struct desired *before, const struct desired *after)
{
	report("switch", "", before ? before->settings.problem : NULL,
	       after->settings.problem);
	for (size_t i = 0; i < after->n_bridges; i++)
		report_bridge(before, &after->bridges[i]);
}

bool
report_wants_retry(const struct desired *desired)
{
	for (size_t i = 0; i < desired->n_bridges; i++) {
		const struct desired_bridge *bridge = &desired->bridges[i];

		for (size_t j = 0; j < bridge->n_ports; j++) {
			const struct desired_port *port = &bridge->ports[j];

			/* An ethdev does not come back unless something is changed, and
			 * asking for it again is slow. */
			if (port->failure && port->config.type != DP_PORT_DPDK)
				return true;
			if (port->problem && port->config.type == DP_PORT_VHOST_SERVER)
				return true;
		}
	}
	return false;
}
