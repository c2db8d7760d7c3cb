/* program_text.c - programs record by record, with OpenFlow's port numbers: what unit
 * tests compare. */
#include "tests/support/program_text.h"

#include <inttypes.h>

#include "datapath/datapath.h"
#include "datapath/program.h"

static void
port_format(struct str *out, uint32_t port)
{
	switch (port) {
	case FLOW_PORT_IN_PORT:
		str_append(out, "IN_PORT");
		break;
	case FLOW_PORT_NORMAL:
		str_append(out, "NORMAL");
		break;
	case FLOW_PORT_FLOOD:
		str_append(out, "FLOOD");
		break;
	case FLOW_PORT_ALL:
		str_append(out, "ALL");
		break;
	case FLOW_PORT_LOCAL:
		str_append(out, "LOCAL");
		break;
	default:
		str_printf(out, "output:%" PRIu32, port);
	}
}

static void
set_field_format(struct str *out, const struct flow_set_field *set)
{
	const struct flow_field *field = flow_field_get(set->field);
	bool is_whole = true;

	str_append(out, "set_field:0x");
	for (unsigned i = 0; i < field->n_bytes; i++)
		str_printf(out, "%02x", set->value.bytes[i]);
	for (unsigned i = 0; i < field->n_bits; i++)
		is_whole &= set->mask.bytes[field->n_bytes - 1 - i / 8] >> i % 8 & 1;
	if (!is_whole)
		str_append(out, "/0x");
	for (unsigned i = 0; i < field->n_bytes && !is_whole; i++)
		str_printf(out, "%02x", set->mask.bytes[i]);
	str_printf(out, "->%s", field->name);
}

/* Names of records that have a number, or nothing more to say. */
static const char *const record_names[ACTION_N_TYPES] = {
	[ACTION_SET_QUEUE] = "set_queue",
	[ACTION_POP_QUEUE] = "pop_queue",
	[ACTION_PUSH_VLAN] = "push_vlan",
	[ACTION_POP_VLAN] = "pop_vlan",
	[ACTION_PUSH_MPLS] = "push_mpls",
	[ACTION_POP_MPLS] = "pop_mpls",
	[ACTION_PUSH_PBB] = "push_pbb",
	[ACTION_POP_PBB] = "pop_pbb",
	[ACTION_DEC_TTL] = "dec_ttl",
	[ACTION_DEC_MPLS_TTL] = "dec_mpls_ttl",
	[ACTION_COPY_TTL_OUT] = "copy_ttl_out",
	[ACTION_COPY_TTL_IN] = "copy_ttl_in",
	[ACTION_LEARN] = "learn",
	[ACTION_SAMPLE] = "sample",
	[ACTION_METER] = "meter",
};

static void
punt_format(struct str *out, const struct program_punt *punt)
{
	if (punt->reason == DP_PUNT_FIN)
		str_append(out, "fin_timeout");
	else if (punt->reason == DP_PUNT_INVALID_TTL)
		str_append(out, "CONTROLLER(invalid_ttl)");
	else
		str_append(out, punt->pause ? "CONTROLLER(pause)" : "CONTROLLER");
}

static void
record_format(struct str *out, const struct flow_action *action)
{
	const struct flow_number *number = (const void *)action;
	const struct flow_nested *nested = (const void *)action;
	const struct program_mark *mark = (const void *)action;

	switch (action->type) {
	case ACTION_OUTPUT:
		port_format(out, ((const struct flow_output *)action)->port);
		return;
	case ACTION_SET_FIELD:
		set_field_format(out, (const void *)action);
		return;
	case ACTION_CLONE:
		str_append(out, "clone(");
		program_format(out, nested->nested, nested->nested_bytes);
		str_append(out, ")");
		return;
	case PROGRAM_PUNT:
		punt_format(out, (const void *)action);
		return;
	case PROGRAM_MARK:
		str_printf(out, "set_mark:0x%" PRIx32 "/0x%" PRIx32, mark->value,
		           mark->mask);
		return;
	case PROGRAM_WALK:
		str_append(out, "recirc");
		return;
	case PROGRAM_EGRESS:
		str_printf(out, "egress(table=%u,",
		           ((const struct program_egress *)action)->table);
		port_format(out, ((const struct flow_output *)action)->port);
		str_append(out, ")");
		return;
	default:
		break;
	}
	str_append(out, action->type < ACTION_N_TYPES && record_names[action->type]
	                        ? record_names[action->type]
	                        : "?");
	if (action->type == ACTION_PUSH_VLAN || action->type == ACTION_PUSH_MPLS ||
	    action->type == ACTION_POP_MPLS || action->type == ACTION_PUSH_PBB)
		str_printf(out, ":0x%04" PRIx64, number->value);
	else if (action->type == ACTION_SET_QUEUE || action->type == ACTION_METER)
		str_printf(out, ":%" PRIu64, number->value);
}

void
program_format(struct str *out, const void *records, size_t bytes)
{
	bool is_first = true;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (!is_first)
			str_append(out, ",");
		is_first = false;
		record_format(out, action);
		/* What follows is not done here. */
		if (action->type == PROGRAM_PUNT &&
		    ((const struct program_punt *)action)->pause)
			break;
	}
}
