/* ports.c - ports: their descriptions, port-mods, port-status messages. Main thread. */
#include "vswitchd/ofproto/ports.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define STATUS_ADD    0
#define STATUS_DELETE 1
#define STATUS_MODIFY 2

#define STATE_LINK_DOWN 1U
#define STATE_LIVE      4U
/* Bits of port-mods that have a meaning here. */
#define MOD_BITS                                                              \
	(DP_PORT_DOWN | DP_PORT_NO_RECV | DP_PORT_NO_FLOOD | DP_PORT_NO_FWD | \
	 DP_PORT_NO_PACKET_IN)

/* Rates that have a bit of their own: 1.1's features. */
static uint32_t
speed_bit(uint64_t bps)
{
	static const struct {
		uint64_t mbps;
		uint32_t bit;
	} speeds[] = {
		{10, 1U << 1},    {100, 1U << 3},    {1000, 1U << 5},    {10000, 1U << 6},
		{40000, 1U << 7}, {100000, 1U << 8}, {1000000, 1U << 9},
	};

	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++)
		if (bps == speeds[i].mbps * 1000000)
			return speeds[i].bit;
	return bps ? 1U << 10 : 0;
}

void
port_describe(const struct port *port, struct of_port *shown)
{
	struct dp_port_status status = {0};

	*shown = (struct of_port){.number = port->port.number, .config = port->off};
	snprintf(shown->name, sizeof(shown->name), "%s", port->port.name);
	if (dp_port_get_status(port->port.dp_port_id, &status))
		status.link_up = false;
	memcpy(shown->mac, status.mac, sizeof(shown->mac));
	shown->state = status.link_up ? STATE_LIVE : STATE_LINK_DOWN;
	if (port->off & DP_PORT_DOWN)
		shown->state &= ~STATE_LIVE;
	shown->current = speed_bit(status.link_bps);
	shown->current_kbps = (uint32_t)MIN_OF(status.link_bps / 1000, UINT32_MAX);
	shown->max_kbps = shown->current_kbps;
}

/* What a version has of it: LIVE is 1.1's, flooding 1.0's. */
static struct of_port
port_as_of(enum of_version version, const struct of_port *port)
{
	struct of_port seen = *port;

	if (version < OF11)
		seen.state &= ~STATE_LIVE;
	else
		seen.config &= ~DP_PORT_NO_FLOOD;
	return seen;
}

/* 'before' is what was shown of it until now, NULL if it was not there: who sees no
 * difference is told nothing. */
static void
send_status(struct ofproto *ofproto, const struct of_port *port,
            const struct of_port *before, uint8_t reason)
{
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	{
		const struct of_port seen = port_as_of(session->version, port);
		struct of_port old;
		struct of_msg msg;

		if (!session_wants(session, REPORT_PORT_STATUS, reason))
			continue;
		if (before) {
			old = port_as_of(session->version, before);
			if (!memcmp(&seen, &old, sizeof(seen)))
				continue;
		}
		session_init_message(session, OFM_PORT_STATUS, 0, &msg);
		msg.port_status.reason = reason;
		msg.port_status.port = seen;
		session_send(session, &msg);
		of_msg_destroy(&msg);
	}
}

void
ports_add(struct ofproto *ofproto, const struct ofproto_port *config)
{
	struct port *port;

	ports_del(ofproto, config->number);
	port = xcalloc(1, sizeof(*port));
	port->port = *config;
	port->created_ns = dp_time_ns();
	hmap_insert(&ofproto->ports, &port->node, hash_u64(config->number, 0));
	port_describe(port, &port->shown);
	send_status(ofproto, &port->shown, NULL, STATUS_ADD);
}

void
ports_del(struct ofproto *ofproto, uint32_t number)
{
	struct port *port = switch_find_port(ofproto, number);

	if (!port)
		return;
	hmap_remove(&ofproto->ports, &port->node);
	send_status(ofproto, &port->shown, NULL, STATUS_DELETE);
	free(port);
}

void
ports_changed(struct ofproto *ofproto, uint32_t number)
{
	struct port *port = switch_find_port(ofproto, number);
	struct of_port before;

	if (!port)
		return;
	before = port->shown;
	port_describe(port, &port->shown);
	send_status(ofproto, &port->shown, &before, STATUS_MODIFY);
}

void
ports_report_changes(struct ofproto *ofproto)
{
	struct port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		ports_changed(ofproto, port->port.number);
}

void
ports_destroy(struct ofproto *ofproto)
{
	struct port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports) {
		hmap_remove(&ofproto->ports, &port->node);
		free(port);
	}
	hmap_destroy(&ofproto->ports);
}

int
ports_mod(struct changes *changes, const struct of_port_mod *mod, struct of_error *error)
{
	struct port *port = switch_find_port(changes->ofproto, mod->port);
	struct of_port shown;

	if (!port)
		return of_fail(error, OFERR_PORT_MOD_BAD_PORT, "there is no port %u",
		               mod->port);
	port_describe(port, &shown);
	if (memcmp(mod->mac, shown.mac, sizeof(shown.mac)) != 0)
		return of_fail(error, OFERR_PORT_MOD_BAD_HW_ADDR,
		               "port %u has another address", mod->port);
	changes_set_port_off(changes, port,
	                     (port->off & ~mod->mask) |
	                             (mod->config & mod->mask & MOD_BITS));
	return 0;
}

static int
compare_ports(const void *a, const void *b)
{
	const struct port *const *x = a, *const *y = b;

	return (*x)->port.number < (*y)->port.number ? -1 : 1;
}

size_t
ports_list(const struct ofproto *ofproto, struct port **list)
{
	struct port *port;
	size_t n = 0;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		list[n++] = port;
	qsort(list, n, sizeof(struct port *), compare_ports);
	return n;
}
