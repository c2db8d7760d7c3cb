/* of_text_print.c - prints actions as ovs-actions(7) writes them. No state, any thread.
 */
#include <inttypes.h>
#include <stdio.h>

#include "openflow/of_oxm.h"
#include "openflow/of_text_private.h"
#include "openflow/of_wire.h"

static uint64_t
number_of(const struct flow_action *action)
{
	return ((const struct flow_number *)action)->value;
}

static void
put_output(struct str *out, const struct flow_output *output,
           const struct of_names *names)
{
	if (output->port == FLOW_PORT_CONTROLLER) {
		str_printf(out, "CONTROLLER:%u", output->max_len);
	} else if (output->head.is_legacy) {
		str_append(out, "output(port=");
		text_format_port(out, output->port, names);
		str_printf(out, ",max_len=%u)", output->max_len);
	} else {
		if (output->port < FLOW_PORT_MAX)
			str_append(out, "output:");
		text_format_port(out, output->port, names);
	}
}

/* "load" in parts of at most 64 bits, each run of bits of the mask on its own. */
static void
put_load(struct str *out, const struct flow_set_field *set)
{
	const struct flow_field *field = flow_field_get(set->field);
	unsigned n_bits = field->n_bits, bit = 0;
	size_t last = field->n_bytes - 1U;
	bool is_first = true;

	while (bit < n_bits) {
		struct flow_subfield sub = {.field = set->field,
		                            .first_bit = (uint16_t)bit};
		uint64_t value = 0;

		while (bit < n_bits && sub.n_bits < 64 &&
		       set->mask.bytes[last - bit / 8] >> bit % 8 & 1) {
			value |= (uint64_t)(set->value.bytes[last - bit / 8] >> bit % 8 &
			                    1)
			         << sub.n_bits;
			sub.n_bits++;
			bit++;
		}
		if (!sub.n_bits) {
			bit++;
			continue;
		}
		str_printf(out, "%sload:%#" PRIx64 "->", is_first ? "" : ",", value);
		of_text_format_subfield(out, &sub);
		is_first = false;
	}
}

/* A mask that says nothing, as it came. */
static void
put_full_mask(struct str *out, const struct flow_set_field *set)
{
	const unsigned n_bytes = flow_field_get(set->field)->n_bytes;
	uint64_t number = 0;

	for (unsigned i = 0; i < n_bytes; i++)
		number = number << 8 | set->mask.bytes[i];
	str_printf(out, "/%#" PRIx64, number);
}

static void
put_set_field(struct str *out, const struct flow_set_field *set,
              const struct of_names *names)
{
	struct flow_set_field port;
	struct flow_value full;

	of_oxm_full_mask(FIELD_IN_PORT, &full);
	/* The whole port is nxm's, of 16 bits, as it is on the wire. */
	if (set->head.is_legacy && set->field == FIELD_IN_PORT &&
	    !memcmp(&set->mask, &full, sizeof(full))) {
		port = *set;
		memset(port.value.bytes, 0, 2);
		memset(port.mask.bytes, 0, 2);
		put_load(out, &port);
		return;
	}
	if (set->head.is_legacy == 1) {
		put_load(out, set);
		return;
	}
	str_append(out, "set_field:");
	of_text_format_field(out, flow_field_get(set->field), &set->value, &set->mask,
	                     names);
	if (set->head.is_legacy == SET_FIELD_MASKED)
		put_full_mask(out, set);
	str_printf(out, "->%s", text_fields[set->field].name);
}

static void
put_resubmit(struct str *out, const struct flow_resubmit *resubmit,
             const struct of_names *names)
{
	bool has_port = resubmit->in_port != FLOW_PORT_IN_PORT;

	if (has_port && resubmit->table == FLOW_TABLE_NONE && !resubmit->with_ct) {
		str_append(out, "resubmit:");
		text_format_port(out, resubmit->in_port, names);
		return;
	}
	str_append(out, "resubmit(");
	if (has_port)
		text_format_port(out, resubmit->in_port, names);
	str_append_char(out, ',');
	if (resubmit->table != FLOW_TABLE_NONE)
		text_format_table(out, resubmit->table, names);
	str_append(out, resubmit->with_ct ? ",ct)" : ")");
}

static void
put_dec_ttl(struct str *out, const struct flow_ids *ids)
{
	str_append(out, "dec_ttl");
	if (!ids->head.is_legacy)
		return;
	for (uint32_t i = 0; i < ids->n; i++)
		str_printf(out, "%c%u", i ? ',' : '(', ids->ids[i]);
	str_append_char(out, ')');
}

static void
put_note(struct str *out, const struct flow_bytes *note)
{
	str_append(out, "note:");
	for (uint32_t i = 0; i < note->n; i++)
		str_printf(out, "%s%02x", i ? "." : "", note->data[i]);
}

static void
put_fin_timeout(struct str *out, const struct flow_fin_timeout *fin)
{
	str_append(out, "fin_timeout(");
	if (fin->idle_s)
		str_printf(out, "idle_timeout=%u", fin->idle_s);
	if (fin->idle_s && fin->hard_s)
		str_append_char(out, ',');
	if (fin->hard_s)
		str_printf(out, "hard_timeout=%u", fin->hard_s);
	str_append_char(out, ')');
}

static void
put_nested(struct str *out, const char *name, const struct flow_nested *nested,
           const struct of_names *names)
{
	str_printf(out, "%s(", name);
	of_text_format_actions(out, nested->nested, nested->nested_bytes, names);
	str_append_char(out, ')');
}

static void
put_metadata(struct str *out, const struct flow_metadata *metadata)
{
	str_printf(out, "write_metadata:%#" PRIx64, metadata->value);
	if (metadata->mask != UINT64_MAX)
		str_printf(out, "/%#" PRIx64, metadata->mask);
}

static void
put_address(struct str *out, const struct flow_action *action)
{
	static const char *const words[] = {
		[ACTION_SET_ETH_SRC] = "mod_dl_src:",
		[ACTION_SET_ETH_DST] = "mod_dl_dst:",
		[ACTION_SET_IPV4_SRC] = "mod_nw_src:",
		[ACTION_SET_IPV4_DST] = "mod_nw_dst:",
	};
	uint8_t ip[4];

	str_append(out, words[action->type]);
	if (action->type == ACTION_SET_ETH_SRC || action->type == ACTION_SET_ETH_DST) {
		text_format_mac(out, ((const struct flow_address *)action)->bytes);
	} else {
		of_set32(ip, (uint32_t)number_of(action));
		text_format_ipv4(out, ip, NULL);
	}
}

/* Actions that are a word, perhaps with a number: 'format' takes the number. */
static const struct {
	const char *format, *legacy; /* NULL: has none of its own */
	bool has_number;
} simple_actions[ACTION_N_TYPES] = {
	[ACTION_GROUP] = {"group:%u", NULL, true},
	[ACTION_SET_QUEUE] = {"set_queue:%u", NULL, true},
	[ACTION_POP_QUEUE] = {"pop_queue", NULL, false},
	[ACTION_SET_VLAN_VID] = {"mod_vlan_vid:%u", "set_vlan_vid:%u", true},
	[ACTION_SET_VLAN_PCP] = {"mod_vlan_pcp:%u", "set_vlan_pcp:%u", true},
	[ACTION_SET_IP_DSCP] = {"mod_nw_tos:%u", NULL, true},
	[ACTION_SET_IP_ECN] = {"mod_nw_ecn:%u", NULL, true},
	[ACTION_SET_IP_TTL] = {"mod_nw_ttl:%u", NULL, true},
	[ACTION_SET_TP_SRC] = {"mod_tp_src:%u", NULL, true},
	[ACTION_SET_TP_DST] = {"mod_tp_dst:%u", NULL, true},
	[ACTION_SET_MPLS_LABEL] = {"set_mpls_label(%u)", NULL, true},
	[ACTION_SET_MPLS_TC] = {"set_mpls_tc(%u)", NULL, true},
	[ACTION_SET_MPLS_TTL] = {"set_mpls_ttl(%u)", NULL, true},
	[ACTION_PUSH_VLAN] = {"push_vlan:0x%04x", NULL, true},
	[ACTION_POP_VLAN] = {"pop_vlan", "strip_vlan", false},
	[ACTION_PUSH_MPLS] = {"push_mpls:0x%04x", NULL, true},
	[ACTION_POP_MPLS] = {"pop_mpls:0x%04x", NULL, true},
	[ACTION_PUSH_PBB] = {"push_pbb:0x%04x", NULL, true},
	[ACTION_POP_PBB] = {"pop_pbb", NULL, false},
	[ACTION_DEC_MPLS_TTL] = {"dec_mpls_ttl", NULL, false},
	[ACTION_COPY_TTL_OUT] = {"copy_ttl_out", NULL, false},
	[ACTION_COPY_TTL_IN] = {"copy_ttl_in", NULL, false},
	[ACTION_EXIT] = {"exit", NULL, false},
	[ACTION_CT_CLEAR] = {"ct_clear", NULL, false},
	[ACTION_CLEAR_ACTIONS] = {"clear_actions", NULL, false},
};

static bool
put_simple(struct str *out, const struct flow_action *action)
{
	const char *format = simple_actions[action->type].format;
	char number[16];
	const char *spot;

	if (!format)
		return false;
	if (action->is_legacy && simple_actions[action->type].legacy)
		format = simple_actions[action->type].legacy;
	spot = strchr(format, '%');
	if (!spot) {
		str_append(out, format);
		return true;
	}
	str_append_bytes(out, format, (size_t)(spot - format));
	snprintf(number, sizeof(number), spot[1] == 'u' ? "%u" : "%04x",
	         (unsigned)number_of(action));
	str_append(out, number);
	str_append(out, strchr(spot, ')') ? ")" : "");
	return true;
}

static void
put_fields(struct str *out, const struct flow_action *action,
           const struct of_names *names)
{
	const struct flow_move *move = (const void *)action;
	const struct flow_stack *stack = (const void *)action;
	const struct flow_check_larger *check = (const void *)action;

	switch (action->type) {
	case ACTION_SET_FIELD:
		put_set_field(out, (const void *)action, names);
		break;
	case ACTION_MOVE:
		str_append(out, "move:");
		of_text_format_subfield(out, &move->from);
		str_append(out, "->");
		of_text_format_subfield(out, &move->to);
		break;
	case ACTION_CHECK_LARGER:
		str_printf(out, "check_pkt_larger(%u)->", check->length);
		of_text_format_subfield(out, &check->to);
		break;
	case ACTION_DELETE_FIELD:
		str_printf(out, "delete_field:%s", text_fields[stack->field.field].name);
		break;
	default:
		str_append(out, action->type == ACTION_STACK_PUSH ? "push:" : "pop:");
		of_text_format_subfield(out, &stack->field);
		break;
	}
}

static void
put_pipeline(struct str *out, const struct flow_action *action,
             const struct of_names *names)
{
	const struct flow_conjunction *conjunction = (const void *)action;

	switch (action->type) {
	case ACTION_RESUBMIT:
		put_resubmit(out, (const void *)action, names);
		break;
	case ACTION_LEARN:
		text_format_learn(out, (const void *)action, names);
		break;
	case ACTION_CONJUNCTION:
		str_printf(out, "conjunction(%u,%u/%u)", conjunction->id,
		           conjunction->clause + 1U, conjunction->n_clauses);
		break;
	case ACTION_MULTIPATH:
		text_format_multipath(out, (const void *)action);
		break;
	case ACTION_NOTE:
		put_note(out, (const void *)action);
		break;
	case ACTION_FIN_TIMEOUT:
		put_fin_timeout(out, (const void *)action);
		break;
	case ACTION_SAMPLE:
		text_format_sample(out, (const void *)action, names);
		break;
	case ACTION_CLONE:
		put_nested(out, "clone", (const void *)action, names);
		break;
	case ACTION_CT:
		text_format_ct(out, (const void *)action, names);
		break;
	case ACTION_NAT:
		text_format_nat(out, (const void *)action);
		break;
	case ACTION_METER:
		str_printf(out, "meter:%u", (unsigned)number_of(action));
		break;
	case ACTION_WRITE_ACTIONS:
		put_nested(out, "write_actions", (const void *)action, names);
		break;
	case ACTION_WRITE_METADATA:
		put_metadata(out, (const void *)action);
		break;
	case ACTION_GOTO_TABLE:
		str_append(out, "goto_table:");
		text_format_table(out, (uint8_t)number_of(action), names);
		break;
	default:
		str_printf(out, "<action %u>", action->type);
		break;
	}
}

static void
put_action(struct str *out, const struct flow_action *action,
           const struct of_names *names)
{
	const struct flow_enqueue *enqueue = (const void *)action;

	if (action->type >= ACTION_N_TYPES || put_simple(out, action))
		return;
	switch (action->type) {
	case ACTION_OUTPUT:
		put_output(out, (const void *)action, names);
		break;
	case ACTION_OUTPUT_FIELD:
		str_append(out, "output:");
		of_text_format_subfield(
			out, &((const struct flow_output_field *)action)->from);
		break;
	case ACTION_CONTROLLER:
		text_format_controller(out, (const void *)action);
		break;
	case ACTION_ENQUEUE:
		str_append(out, "enqueue:");
		text_format_port(out, enqueue->port, names);
		str_printf(out, ":%u", enqueue->queue);
		break;
	case ACTION_BUNDLE:
		text_format_bundle(out, (const void *)action, names);
		break;
	case ACTION_SET_FIELD:
	case ACTION_MOVE:
	case ACTION_STACK_PUSH:
	case ACTION_STACK_POP:
	case ACTION_CHECK_LARGER:
	case ACTION_DELETE_FIELD:
		put_fields(out, action, names);
		break;
	case ACTION_SET_ETH_SRC:
	case ACTION_SET_ETH_DST:
	case ACTION_SET_IPV4_SRC:
	case ACTION_SET_IPV4_DST:
		put_address(out, action);
		break;
	case ACTION_SET_TUNNEL:
		str_printf(out, "%s:0x%" PRIx64,
		           action->is_legacy ? "set_tunnel64" : "set_tunnel",
		           number_of(action));
		break;
	case ACTION_DEC_TTL:
		put_dec_ttl(out, (const void *)action);
		break;
	default:
		put_pipeline(out, action, names);
		break;
	}
}

void
of_text_format_actions(struct str *out, const void *records, size_t bytes,
                       const struct of_names *names)
{
	bool is_first = true;

	if (!bytes)
		str_append(out, "drop");
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (!is_first)
			str_append_char(out, ',');
		put_action(out, action, names);
		is_first = false;
	}
}
