/* report.c - what is wrong with a configuration and was not before: for the log after
 * apply.c, and for trials of changes. Main thread. */
#include "vswitchd/report.h"

#include <string.h>

#include "base/log.h"

LOG_MODULE(report);

/* Who is told of a reason that is new, and of one that is gone. */
struct listener {
	void (*is_new)(const char *text, void *aux);
	void (*is_gone)(const char *text, void *aux);
	void *aux;
};

static void
report(const struct listener *to, const char *what, const char *name, const char *before,
       const char *after)
{
	const char *gap = *name ? " " : "";
	struct str text = STR_INIT;

	if (after && (!before || strcmp(before, after))) {
		str_printf(&text, "%s%s%s: %s", what, gap, name, after);
		to->is_new(str_text(&text), to->aux);
	} else if (before && !after) {
		str_printf(&text, "%s%s%s", what, gap, name);
		to->is_gone(str_text(&text), to->aux);
	}
	str_free(&text);
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
report_bridge(const struct listener *to, const struct desired *before,
              const struct desired_bridge *bridge)
{
	const struct desired_bridge *old =
		before ? desired_find_bridge(before, bridge->name) : NULL;

	report(to, "bridge", bridge->name, bridge_reason(old), bridge_reason(bridge));
	report(to, "bridge", bridge->name, old ? old->settings_problem : NULL,
	       bridge->settings_problem);
	for (size_t i = 0; i < bridge->n_ports; i++) {
		const struct desired_port *port = &bridge->ports[i];
		const struct desired_port *was =
			before ? desired_find_port(before, port->name) : NULL;

		report(to, "port", port->name, port_reason(was), port_reason(port));
		report(to, "port", port->name, port_qos_reason(was),
		       port_qos_reason(port));
	}
}

static void
report_all(const struct listener *to, const struct desired *before,
           const struct desired *after)
{
	report(to, "switch", "", before ? before->settings.problem : NULL,
	       after->settings.problem);
	for (size_t i = 0; i < after->n_bridges; i++)
		report_bridge(to, before, &after->bridges[i]);
}

/* What does not stand in the way of anything else. */
static void
report_warnings(const struct listener *to, const struct desired *before,
                const struct desired_bridge *bridge)
{
	const struct desired_bridge *old =
		before ? desired_find_bridge(before, bridge->name) : NULL;

	report(to, "bridge", bridge->name, old ? old->warning : NULL, bridge->warning);
	for (size_t i = 0; i < bridge->n_ports; i++) {
		const struct desired_port *port = &bridge->ports[i];
		const struct desired_port *was =
			before ? desired_find_port(before, port->name) : NULL;

		report(to, "port", port->name, port_qos_warning(was),
		       port_qos_warning(port));
	}
}

static void
log_new(const char *text, void *aux)
{
	(void)aux;
	log_warn("%s", text);
}

static void
log_gone(const char *text, void *aux)
{
	(void)aux;
	log_info("%s: the problem is gone", text);
}

void
report_changes(const struct desired *before, const struct desired *after)
{
	static const struct listener log = {log_new, log_gone, NULL};

	report_all(&log, before, after);
	for (size_t i = 0; i < after->n_bridges; i++)
		report_warnings(&log, before, &after->bridges[i]);
}

static void
ignore_gone(const char *text, void *aux)
{
	(void)text, (void)aux;
}

void
report_new_problems(const struct desired *before, const struct desired *after,
                    void (*cb)(const char *text, void *aux), void *aux)
{
	const struct listener to = {cb, ignore_gone, aux};

	report_all(&to, before, after);
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
