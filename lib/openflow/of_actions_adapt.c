/* of_actions_adapt.c - what is known of a rule's packets, told to actions that newer
 * versions of OpenFlow say in other words: whether there is a tag, and whose ports are
 * set. In front of of_actions_encode.c. No state, any thread. */
#include "net/protocol.h"
#include "openflow/of_actions.h"
#include "openflow/of_actions_private.h"
#include "openflow/of_wire.h"

struct adapter {
	enum of_version version;
	bool is_tagged;
	unsigned n_hidden; /* tags under the outermost one */
	uint8_t ip_proto;  /* 0 = unknown */
	struct flow_actions *out;
};

static bool
is_adapted(const struct flow_action *action)
{
	switch (action->type) {
	case ACTION_SET_VLAN_VID:
	case ACTION_SET_VLAN_PCP:
	case ACTION_SET_TP_SRC:
	case ACTION_SET_TP_DST:
		return true;
	default:
		return false;
	}
}

static bool
holds_list(const struct flow_action *action)
{
	return action->type == ACTION_CLONE || action->type == ACTION_WRITE_ACTIONS;
}

static bool
is_needed(const void *records, size_t bytes)
{
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		const struct flow_nested *nested = (const void *)action;

		if (is_adapted(action) ||
		    (holds_list(action) &&
		     is_needed(nested->nested, nested->nested_bytes)))
			return true;
	}
	return false;
}

static void
adapt_vlan(struct adapter *a, const struct flow_action *action)
{
	struct flow_number *number =
		flow_actions_add(a->out, action->type, sizeof(*number));

	number->value = ((const struct flow_number *)(const void *)action)->value;
	number->head.is_legacy = a->is_tagged || action->is_legacy;
	a->is_tagged = true;
}

static void
adapt_port(struct adapter *a, const struct flow_action *action)
{
	const uint64_t port = ((const struct flow_number *)(const void *)action)->value;
	const bool is_src = action->type == ACTION_SET_TP_SRC;
	enum flow_field_id field = is_src ? FIELD_TCP_SRC : FIELD_TCP_DST;
	struct flow_set_field *set;

	if (a->ip_proto == NET_PROTO_UDP)
		field = is_src ? FIELD_UDP_SRC : FIELD_UDP_DST;
	else if (a->ip_proto == NET_PROTO_SCTP)
		field = is_src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;
	set = flow_actions_add(a->out, ACTION_SET_FIELD, sizeof(*set));
	set->field = field;
	of_set16(set->value.bytes, (uint16_t)port);
	of_set16(set->mask.bytes, UINT16_MAX);
}

/* What an action makes of the packet's tags. */
static void
follow(struct adapter *a, const struct flow_action *action)
{
	const struct flow_set_field *set = (const void *)action;

	switch (action->type) {
	case ACTION_PUSH_VLAN:
		a->n_hidden += a->is_tagged;
		a->is_tagged = true;
		break;
	case ACTION_POP_VLAN:
		a->is_tagged = a->n_hidden > 0;
		a->n_hidden -= a->n_hidden > 0;
		break;
	case ACTION_SET_FIELD:
		if (set->field == FIELD_VLAN_TCI)
			a->is_tagged = of_get16(set->value.bytes) & FLOW_VLAN_PRESENT;
		break;
	default:
		break;
	}
}

static void
adapt_list(struct adapter *a, const void *records, size_t bytes)
{
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		const struct flow_nested *nested = (const void *)action;
		struct adapter inner = *a;
		size_t mark;

		if (action->type == ACTION_SET_VLAN_VID ||
		    action->type == ACTION_SET_VLAN_PCP) {
			adapt_vlan(a, action);
		} else if (is_adapted(action) && a->version >= OF12) {
			adapt_port(a, action);
		} else if (holds_list(action)) {
			mark = flow_actions_begin_nested(a->out, action->type,
			                                 sizeof(*nested));
			adapt_list(&inner, nested->nested, nested->nested_bytes);
			flow_actions_end_nested(a->out, mark);
		} else {
			flow_actions_append(a->out, action, action->bytes);
			follow(a, action);
		}
	}
}

bool
of_actions_adapt(enum of_version version, const struct flow_match *match,
                 const struct flow_actions *actions, struct flow_actions *adapted)
{
	const struct flow_fields *key = &match->key.f, *mask = &match->mask.f;
	struct adapter a = {
		.version = version,
		.is_tagged = key->vlan_tci & mask->vlan_tci & FLOW_VLAN_PRESENT,
		.ip_proto = mask->ip_proto == UINT8_MAX ? key->ip_proto : 0,
		.out = adapted,
	};

	if (version == OF10 || !is_needed(actions->data, actions->bytes))
		return false;
	adapt_list(&a, actions->data, actions->bytes);
	return true;
}
