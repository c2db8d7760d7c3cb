/* ofport.c - gives each port of a bridge the number that users see. Pure; called by
 * validate.c. */
#include <string.h>

#include "vswitchd/validate.h"

struct ofport_set {
	uint8_t bits[(OFPORT_MAX + 8) / 8];
	uint32_t lowest_free; /* no number below it is free */
};

static bool
ofport_is_taken(const struct ofport_set *set, uint32_t number)
{
	return set->bits[number / 8] & (1u << (number % 8));
}

/* Takes 'number' for 'port' if it is an ordinary one and free. */
static bool
ofport_take(struct ofport_set *set, struct desired_port *port, uint32_t number)
{
	if (number < 1 || number > OFPORT_MAX || ofport_is_taken(set, number))
		return false;
	set->bits[number / 8] |= (uint8_t)(1u << (number % 8));
	port->config.ofport = (uint16_t)number;
	return true;
}

static uint32_t
ofport_lowest_free(struct ofport_set *set)
{
	while (set->lowest_free <= OFPORT_MAX && ofport_is_taken(set, set->lowest_free))
		set->lowest_free++;
	return set->lowest_free;
}

static const struct running_port *
ofport_running(const struct desired_bridge *bridge, const struct desired_port *port,
               const struct running *running)
{
	const struct running_port *old = running_find_port(running, port->name);

	return old && !strcmp(old->bridge_name, bridge->name) ? old : NULL;
}

static bool
ofport_is_local(const struct desired_bridge *bridge, const struct desired_port *port)
{
	return port->config.type == DP_PORT_INTERNAL && !strcmp(port->name, bridge->name);
}

/* Reserves the numbers of running ports, first of those that want no other one. */
static void
ofport_keep_running(struct ofport_set *set, struct desired_bridge *bridge,
                    const struct running *running)
{
	for (int moving = 0; moving <= 1; moving++) {
		for (size_t i = 0; i < bridge->n_ports; i++) {
			struct desired_port *port = &bridge->ports[i];
			const struct running_port *old =
				ofport_running(bridge, port, running);
			bool moves;

			if (!old || port->config.ofport)
				continue;
			/* A port with a problem stays as it runs, number included. */
			moves = port->ofport_request && !port->problem &&
			        port->ofport_request != old->config.ofport;
			if (moves != (moving == 1))
				continue;
			if (moves && ofport_take(set, port, port->ofport_request))
				continue;
			ofport_take(set, port, old->config.ofport);
		}
	}
}

void
ofport_assign(struct desired_bridge *bridge, struct desired_arena *arena,
              const struct running *running)
{
	struct ofport_set set = {.lowest_free = 1};

	for (size_t i = 0; i < bridge->n_ports; i++) {
		struct desired_port *port = &bridge->ports[i];

		port->config.ofport = ofport_is_local(bridge, port) ? OFPORT_LOCAL : 0;
	}
	ofport_keep_running(&set, bridge, running);
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < bridge->n_ports; i++) {
			struct desired_port *port = &bridge->ports[i];

			if (port->problem || port->config.ofport)
				continue;
			if (pass == 0)
				ofport_take(&set, port, port->ofport_request);
			else if (pass == 1)
				ofport_take(&set, port, port->ofport_recorded);
			else if (!ofport_take(&set, port, ofport_lowest_free(&set)))
				port->problem = desired_strdup(
					arena, "the bridge has no port number left");
		}
	}
}
