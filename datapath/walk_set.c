/* walk_set.c - the action set: written by rules on the way, carried out at the end, in
 * OpenFlow's order. Part of walk.c; group.c has buckets sorted by it. */
#include <string.h>

#include "datapath/walk_private.h"

#include "datapath/hot.h"

/* In the order of execution; of these only the last one written counts. */
static const uint16_t set_before_fields[] = {
	ACTION_COPY_TTL_IN, ACTION_POP_VLAN,     ACTION_POP_MPLS,  ACTION_POP_PBB,
	ACTION_PUSH_MPLS,   ACTION_PUSH_PBB,     ACTION_PUSH_VLAN, ACTION_COPY_TTL_OUT,
	ACTION_DEC_TTL,     ACTION_DEC_MPLS_TTL,
};
static const uint16_t set_after_fields[] = {ACTION_SET_QUEUE, ACTION_METER};

static bool
is_field_action(uint16_t type)
{
	return type == ACTION_SET_FIELD || type == ACTION_MOVE ||
	       (type >= ACTION_SET_VLAN_VID && type <= ACTION_SET_TUNNEL);
}

static bool
is_output(uint16_t type)
{
	return type == ACTION_OUTPUT || type == ACTION_OUTPUT_FIELD ||
	       type == ACTION_CONTROLLER || type == ACTION_ENQUEUE ||
	       type == ACTION_BUNDLE;
}

static const struct flow_action *
set_last(const void *records, size_t bytes, uint16_t type)
{
	const struct flow_action *last = NULL;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (action->type == type)
		last = action;
	return last;
}

/* What sends the packet: the group if there is one, else the last output, else whatever
 * goes on in other tables. */
static const struct flow_action *
set_last_output(const void *records, size_t bytes)
{
	const struct flow_action *last = set_last(records, bytes, ACTION_GROUP);

	if (last)
		return last;
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (is_output(action->type))
		last = action;
	if (!last)
		last = set_last(records, bytes, ACTION_RESUBMIT);
	return last ? last : set_last(records, bytes, ACTION_CT);
}

static size_t
set_append(void *to, size_t at, const struct flow_action *action)
{
	if (!action)
		return at;
	memcpy((uint8_t *)to + at, action, action->bytes);
	return at + action->bytes;
}

size_t
action_set_sort(const void *records, size_t bytes, void *to)
{
	const struct flow_action *output = set_last_output(records, bytes);
	size_t at = 0;

	if (!output)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(set_before_fields); i++)
		at = set_append(to, at, set_last(records, bytes, set_before_fields[i]));
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (is_field_action(action->type))
		at = set_append(to, at, action);
	for (unsigned i = 0; i < ARRAY_SIZE(set_after_fields); i++)
		at = set_append(to, at, set_last(records, bytes, set_after_fields[i]));
	return set_append(to, at, output);
}

void
walk_note_output(struct walk *walk)
{
	const struct flow_action *last =
		set_last(walk->set, walk->set_bytes, ACTION_OUTPUT);
	uint32_t port = FLOW_PORT_UNSET;

	if (last && !set_last(walk->set, walk->set_bytes, ACTION_GROUP))
		port = ((const struct flow_output *)last)->port;
	/* On its way to a port this is the port's own number. */
	if (port == FLOW_PORT_IN_PORT && walk->is_egress)
		port = walk->in_port;
	walk->packet.key.f.actset_output = port;
}

void
walk_set_write(struct walk *walk, const struct flow_nested *actions)
{
	if (actions->nested_bytes > WALK_SET_BYTES - walk->set_bytes) {
		walk_fail(walk, DROP_RX_TOO_MANY_ACTIONS);
		return;
	}
	memcpy((uint8_t *)walk->set + walk->set_bytes, actions->nested,
	       actions->nested_bytes);
	walk->set_bytes += actions->nested_bytes;
	walk_note_output(walk);
}

void
walk_set_clear(struct walk *walk)
{
	walk->set_bytes = 0;
	walk_note_output(walk);
}

void
walk_set_execute(struct walk *walk)
{
	uint64_t sorted[WALK_SET_BYTES / 8];
	size_t bytes;

	if (walk->has_failed || walk->set_bytes == 0)
		return;
	bytes = action_set_sort(walk->set, walk->set_bytes, sorted);
	walk->set_bytes = 0;
	walk->has_exited = false;
	walk->reason = DP_PUNT_ACTION_SET;
	if (unlikely(walk->trace != NULL))
		trace_action_set(walk);
	walk_list(walk, sorted, bytes);
}
