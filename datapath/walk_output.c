/* walk_output.c - the actions that send a packet: to ports and controllers, with which
 * queue, and by way of the egress tables. Part of walk.c; walk_group.c chooses. Workers.
 */
#include <string.h>

#include "datapath/bridge.h"
#include "datapath/ruleset.h"
#include "datapath/walk_private.h"

#include "datapath/hot.h"

/* ---- to controllers ---- */

void
walk_punt(struct walk *walk, const struct flow_controller *to, uint16_t max_len,
          uint8_t reason)
{
	uint32_t n_userdata = to ? to->n_userdata : 0;
	struct program_punt *punt =
		walk_emit(walk, PROGRAM_PUNT, sizeof(*punt) + n_userdata);

	if (!punt)
		return;
	punt->reason = reason;
	punt->table = walk->table;
	punt->max_len = max_len;
	punt->cookie = walk->cookie;
	program_save_state(punt->state, &walk->packet.key);
	if (!to)
		return;
	punt->controller_id = to->controller_id;
	punt->pause = to->pause;
	punt->meter = to->meter;
	punt->n_userdata = n_userdata;
	memcpy(punt->userdata, to->userdata, n_userdata);
}

/* Main is told when a connection ends; else there is nothing to do. */
void
walk_fin_timeout(struct walk *walk, const struct flow_fin_timeout *fin)
{
	struct flow_controller *to;
	uint64_t room[(sizeof(*to) + sizeof(struct program_fin)) / 8 + 1] = {0};
	struct program_fin inside = {walk->rule_id, fin->idle_s, fin->hard_s};

	if (!walk_can_read(walk) ||
	    !flow_field_is_present(FIELD_TCP_FLAGS, &walk->packet) ||
	    !(walk->packet.key.f.tcp_flags & FLOW_TCP_ENDS))
		return;
	WALK_REMARK(walk, "the connection ends: the rule times out after %u s idle, %u s",
	            fin->idle_s, fin->hard_s);
	to = (void *)room;
	to->n_userdata = sizeof(inside);
	memcpy(to->userdata, &inside, sizeof(inside));
	walk_punt(walk, to, 0, DP_PUNT_FIN);
}

static void
walk_punt_to(struct walk *walk, const struct flow_controller *to)
{
	uint8_t reason = to->reason == DP_PUNT_ACTION ? walk->reason : to->reason;

	/* Who is to send it back gets all of it. */
	walk_punt(walk, to, to->pause ? FLOW_MAX_LEN_ALL : to->max_len, reason);
	if (!to->pause)
		return;
	WALK_REMARK(walk, "waits until a controller resumes it");
	walk->is_suspended = true;
}

/* ---- to ports ---- */

/* Where floods do not go if the in_port that tables see was changed. */
static uint16_t
walk_flood_not_to(uint32_t in_port)
{
	if (in_port >= 0xffffff00 || (in_port > 0 && in_port < 0xff00))
		return (uint16_t)in_port;
	return UINT16_MAX; /* no port */
}

static void
walk_emit_output(struct walk *walk, uint32_t port, uint16_t cut_to, uint16_t not_to)
{
	const uint8_t table = walk->is_egress ? 0 : walk->pipeline->egress_table;
	struct flow_output *output =
		table ? walk_emit(walk, PROGRAM_EGRESS, sizeof(struct program_egress))
		      : walk_emit(walk, ACTION_OUTPUT, sizeof(*output));
	struct program_egress *egress = (void *)output;

	if (!output)
		return;
	output->port = port;
	output->max_len = cut_to;
	output->not_to = not_to;
	output->head.is_legacy = cut_to > 0;
	if (!table)
		return;
	WALK_REMARK(walk, "through the egress tables from %u on", table);
	egress->table = table;
	program_save_state(egress->state, &walk->packet.key);
}

void
walk_output(struct walk *walk, uint32_t port, uint16_t max_len, bool cuts)
{
	uint32_t in_port = walk->packet.key.f.in_port;
	uint16_t not_to = 0;

	switch (port) {
	case FLOW_PORT_NONE:
		return;
	case FLOW_PORT_CONTROLLER:
		walk_punt(walk, NULL, max_len, walk->reason);
		return;
	case FLOW_PORT_TABLE:
		walk_enter(walk, 0, in_port, true);
		return;
	default:
		break;
	}
	/* The in_port that tables see may have been changed: what is meant by "not back",
	 * by IN_PORT and by FLOOD goes by that. */
	if (in_port != walk->in_port) {
		if (port == in_port) {
			WALK_WARN(walk, "skipping output to input port");
			return;
		}
		if (port == FLOW_PORT_IN_PORT)
			port = in_port;
		else if (port == walk->in_port)
			port = FLOW_PORT_IN_PORT;
		else if (port == FLOW_PORT_FLOOD || port == FLOW_PORT_ALL)
			not_to = walk_flood_not_to(in_port);
	}
	if (unlikely(walk->trace != NULL))
		trace_output(walk, port);
	walk_emit_output(walk, port, cuts ? max_len : 0, not_to);
}

static void
walk_set_queue(struct walk *walk, bool has_queue, uint64_t queue)
{
	struct flow_number *record;

	walk->has_queue = has_queue;
	walk->queue = queue;
	record = walk_emit(walk, has_queue ? ACTION_SET_QUEUE : ACTION_POP_QUEUE,
	                   has_queue ? sizeof(*record) : sizeof(record->head));
	if (record && has_queue)
		record->value = queue;
}

static void
walk_enqueue(struct walk *walk, const struct flow_enqueue *enqueue)
{
	bool had_queue = walk->has_queue;
	uint64_t queue = walk->queue;

	walk_set_queue(walk, true, enqueue->queue);
	walk_output(walk, enqueue->port, 0, false);
	walk_set_queue(walk, had_queue, queue);
}

static void
walk_output_field(struct walk *walk, const struct flow_output_field *output)
{
	uint32_t port;

	if (!walk_can_read(walk))
		return;
	port = (uint32_t)flow_subfield_read(&output->from, &walk->packet.key);
	/* A number of 16 bits is 1.0's: its reserved ones lie elsewhere. */
	if (port >= 0xff00 && port <= 0xffff)
		port |= 0xffff0000;
	WALK_REMARK(walk, "output port is %u", port);
	walk_output(walk, port, output->max_len, false);
}

bool
walk_output_action(struct walk *walk, const struct flow_action *action)
{
	const struct flow_output *output = (const void *)action;
	const struct flow_number *number = (const void *)action;

	switch (action->type) {
	case ACTION_OUTPUT:
		walk_output(walk, output->port, output->max_len, output->head.is_legacy);
		return true;
	case ACTION_OUTPUT_FIELD:
		walk_output_field(walk, (const void *)action);
		return true;
	case ACTION_CONTROLLER:
		walk_punt_to(walk, (const void *)action);
		return true;
	case ACTION_ENQUEUE:
		walk_enqueue(walk, (const void *)action);
		return true;
	case ACTION_SET_QUEUE:
		walk_set_queue(walk, true, number->value);
		return true;
	case ACTION_POP_QUEUE:
		walk_set_queue(walk, false, 0);
		return true;
	case ACTION_GROUP:
		walk_group(walk, (uint32_t)number->value);
		return true;
	case ACTION_BUNDLE:
		walk_bundle(walk, (const void *)action);
		return true;
	case ACTION_MULTIPATH:
		walk_multipath(walk, (const void *)action);
		return true;
	default:
		return false;
	}
}
