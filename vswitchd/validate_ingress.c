/* validate_ingress.c - admission of the floors that ports with on-excess=gate ask for, of
 * the rate their bridge has for guests, for validate.c. Who runs with a floor keeps it;
 * who asks for more, or comes anew, is refused if it does not fit. Main thread. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "vswitchd/validate.h"

#define HOLDERS_NAMED_MAX 4

static uint64_t
floor_of(const struct dp_port_settings *settings)
{
	return settings->on_excess == DP_EXCESS_GATE ? settings->ingress_floor_bps : 0;
}

static uint64_t
running_floor(const struct desired_port *port, const struct running *running)
{
	const struct running_port *old = running_find_port(running, port->name);

	return old ? floor_of(&old->config.settings) : 0;
}

/* What a port will hold when all is done: a port with a problem keeps what it has. */
static uint64_t
held_floor(const struct desired_port *port, const struct running *running)
{
	return port->problem ? running_floor(port, running)
	                     : floor_of(&port->config.settings);
}

/* The largest holders besides 'port', and how many more there are. */
static void
name_holders(const struct desired_bridge *bridge, const struct desired_port *port,
             const uint64_t *held, struct str *out)
{
	size_t largest[HOLDERS_NAMED_MAX], n_named = 0, n_holders = 0;

	for (size_t i = 0; i < bridge->n_ports; i++) {
		size_t at = n_named;

		if (&bridge->ports[i] == port || !held[i])
			continue;
		n_holders++;
		while (at && held[largest[at - 1]] < held[i])
			at--;
		if (n_named < HOLDERS_NAMED_MAX)
			n_named++;
		for (size_t k = n_named; k-- > at + 1;)
			largest[k] = largest[k - 1];
		if (at < n_named)
			largest[at] = i;
	}
	for (size_t i = 0; i < n_named; i++)
		str_printf(out, "%s%s has %llu", i ? ", " : "",
		           bridge->ports[largest[i]].name,
		           (unsigned long long)held[largest[i]]);
	if (n_holders > n_named)
		str_printf(out, " and %zu others", n_holders - n_named);
	if (!n_holders)
		str_append(out, "nobody else has one");
}

/* Gives port 'i' what it asks for, or a problem. */
static void
admit(struct desired *desired, struct desired_bridge *bridge, size_t i, uint64_t *held,
      uint64_t *sum)
{
	struct desired_port *port = &bridge->ports[i];
	uint64_t want = floor_of(&port->config.settings);
	uint64_t others = *sum - held[i], limit = bridge->config.ingress_bps;
	struct str holders = STR_INIT;

	if (want <= held[i] || (others <= limit && want <= limit - others)) {
		*sum = others + want;
		held[i] = want;
		return;
	}
	if (!limit) {
		port->problem = desired_printf(
			&desired->arena,
			"ingress-min-rate needs other_config:ingress-max-rate of bridge "
			"%s: what guests may send together",
			bridge->name);
		return;
	}
	name_holders(bridge, port, held, &holders);
	port->problem = desired_printf(
		&desired->arena,
		"ingress-min-rate of %llu bit/s does not fit ingress-max-rate of bridge "
		"%s, %llu bit/s (%s); the largest that fits is %llu",
		(unsigned long long)want, bridge->name, (unsigned long long)limit,
		str_text(&holders),
		(unsigned long long)(limit > others ? limit - others : 0));
	str_free(&holders);
}

/* A floor above the port's own rate, a peak below it: a mistake of one port alone. */
static void
validate_own_rates(struct desired *desired, struct desired_port *port)
{
	const struct dp_port_settings *s = &port->config.settings;
	uint64_t floor = floor_of(s), ceil = s->policing_bps, peak = s->ingress_peak_bps;

	if (port->problem)
		return;
	if (ceil && floor > ceil)
		port->problem = desired_printf(
			&desired->arena,
			"ingress-min-rate of %llu bit/s is above ingress_policing_rate, "
			"%llu bit/s",
			(unsigned long long)floor, (unsigned long long)ceil);
	else if (peak && (peak < ceil || peak < floor))
		port->problem = desired_printf(
			&desired->arena,
			"ingress-peak-rate of %llu bit/s is below %s, %llu bit/s",
			(unsigned long long)peak,
			peak < ceil ? "ingress_policing_rate" : "ingress-min-rate",
			(unsigned long long)(peak < ceil ? ceil : floor));
}

/* A rate below the floors that run is refused, unless those shrink with it. */
static void
validate_bridge_rate(struct desired *desired, struct desired_bridge *bridge,
                     const struct running *running, uint64_t wanted)
{
	const struct running_bridge *old = running_find_bridge(running, bridge->name);
	uint64_t kept = 0;

	if (!old || old->config.ingress_bps == bridge->config.ingress_bps)
		return;
	for (size_t i = 0; i < bridge->n_ports; i++)
		kept += MIN_OF(running_floor(&bridge->ports[i], running),
		               held_floor(&bridge->ports[i], running));
	if (kept <= bridge->config.ingress_bps)
		return;
	if (!bridge->settings_problem)
		bridge->settings_problem = desired_printf(
			&desired->arena,
			"ingress-max-rate of %llu bit/s is below the floors of the "
			"bridge's ports, %llu bit/s",
			(unsigned long long)bridge->config.ingress_bps,
			(unsigned long long)wanted);
	bridge->config.ingress_bps = old->config.ingress_bps;
}

void
validate_ingress(struct desired *desired, struct desired_bridge *bridge,
                 const struct running *running)
{
	uint64_t *held = xcalloc(bridge->n_ports + 1, sizeof(*held));
	uint64_t wanted = 0, sum = 0;

	for (size_t i = 0; i < bridge->n_ports; i++) {
		validate_own_rates(desired, &bridge->ports[i]);
		wanted += held_floor(&bridge->ports[i], running);
		held[i] = running_floor(&bridge->ports[i], running);
		sum += held[i];
	}
	validate_bridge_rate(desired, bridge, running, wanted);
	/* Who gives something back comes first, so that another can have it. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < bridge->n_ports; i++) {
			const struct desired_port *port = &bridge->ports[i];
			bool is_less = floor_of(&port->config.settings) <= held[i];

			if (!port->problem && is_less == (pass == 0))
				admit(desired, bridge, i, held, &sum);
		}
	free(held);
}
