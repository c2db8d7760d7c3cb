/* records.c - checks records and collects the bits of packets that they depend on. Main.
 */
#include "datapath/records.h"

#include <errno.h>
#include <string.h>

#include "datapath/walk_state.h"
#include "net/flow_hash.h"

#define RECORDS_BYTES_MAX (1U << 20)
#define NESTED_MAX        16
#define CLAUSES_MAX       64

/* Least bytes of a record; 0 = of no such type. */
static const uint16_t record_bytes[ACTION_N_TYPES] = {
	[ACTION_OUTPUT] = sizeof(struct flow_output),
	[ACTION_OUTPUT_FIELD] = sizeof(struct flow_output_field),
	[ACTION_CONTROLLER] = offsetof(struct flow_controller, userdata),
	[ACTION_ENQUEUE] = sizeof(struct flow_enqueue),
	[ACTION_BUNDLE] = offsetof(struct flow_bundle, ports),
	[ACTION_GROUP] = sizeof(struct flow_number),
	[ACTION_SET_QUEUE] = sizeof(struct flow_number),
	[ACTION_POP_QUEUE] = sizeof(struct flow_action),
	[ACTION_SET_FIELD] = sizeof(struct flow_set_field),
	[ACTION_MOVE] = sizeof(struct flow_move),
	[ACTION_STACK_PUSH] = sizeof(struct flow_stack),
	[ACTION_STACK_POP] = sizeof(struct flow_stack),
	[ACTION_SET_VLAN_VID] = sizeof(struct flow_number),
	[ACTION_SET_VLAN_PCP] = sizeof(struct flow_number),
	[ACTION_SET_ETH_SRC] = sizeof(struct flow_address),
	[ACTION_SET_ETH_DST] = sizeof(struct flow_address),
	[ACTION_SET_IPV4_SRC] = sizeof(struct flow_number),
	[ACTION_SET_IPV4_DST] = sizeof(struct flow_number),
	[ACTION_SET_IP_DSCP] = sizeof(struct flow_number),
	[ACTION_SET_IP_ECN] = sizeof(struct flow_number),
	[ACTION_SET_IP_TTL] = sizeof(struct flow_number),
	[ACTION_SET_TP_SRC] = sizeof(struct flow_number),
	[ACTION_SET_TP_DST] = sizeof(struct flow_number),
	[ACTION_SET_MPLS_LABEL] = sizeof(struct flow_number),
	[ACTION_SET_MPLS_TC] = sizeof(struct flow_number),
	[ACTION_SET_MPLS_TTL] = sizeof(struct flow_number),
	[ACTION_SET_TUNNEL] = sizeof(struct flow_number),
	[ACTION_PUSH_VLAN] = sizeof(struct flow_number),
	[ACTION_POP_VLAN] = sizeof(struct flow_action),
	[ACTION_PUSH_MPLS] = sizeof(struct flow_number),
	[ACTION_POP_MPLS] = sizeof(struct flow_number),
	[ACTION_PUSH_PBB] = sizeof(struct flow_number),
	[ACTION_POP_PBB] = sizeof(struct flow_action),
	[ACTION_DEC_TTL] = offsetof(struct flow_ids, ids),
	[ACTION_DEC_MPLS_TTL] = sizeof(struct flow_action),
	[ACTION_COPY_TTL_OUT] = sizeof(struct flow_action),
	[ACTION_COPY_TTL_IN] = sizeof(struct flow_action),
	[ACTION_RESUBMIT] = sizeof(struct flow_resubmit),
	[ACTION_LEARN] = offsetof(struct flow_learn, specs),
	[ACTION_CONJUNCTION] = sizeof(struct flow_conjunction),
	[ACTION_MULTIPATH] = sizeof(struct flow_multipath),
	[ACTION_NOTE] = offsetof(struct flow_bytes, data),
	[ACTION_EXIT] = sizeof(struct flow_action),
	[ACTION_FIN_TIMEOUT] = sizeof(struct flow_fin_timeout),
	[ACTION_SAMPLE] = sizeof(struct flow_sample),
	[ACTION_CHECK_LARGER] = sizeof(struct flow_check_larger),
	[ACTION_DELETE_FIELD] = sizeof(struct flow_stack),
	[ACTION_CLONE] = offsetof(struct flow_nested, nested),
	[ACTION_CT] = offsetof(struct flow_ct, nested),
	[ACTION_CT_CLEAR] = sizeof(struct flow_action),
	[ACTION_NAT] = sizeof(struct flow_nat),
	[ACTION_METER] = sizeof(struct flow_number),
	[ACTION_CLEAR_ACTIONS] = sizeof(struct flow_action),
	[ACTION_WRITE_ACTIONS] = offsetof(struct flow_nested, nested),
	[ACTION_WRITE_METADATA] = sizeof(struct flow_metadata),
	[ACTION_GOTO_TABLE] = sizeof(struct flow_number),
};

static bool
subfield_is_sound(const struct flow_subfield *sub)
{
	return sub->field > FIELD_NONE && sub->field < FIELD_N && sub->n_bits > 0 &&
	       sub->first_bit + sub->n_bits <= flow_field_get(sub->field)->n_bits;
}

/* What it is made of; whether the rule makes sense is main's to check. */
static bool
learn_is_sound(const struct flow_learn *learn)
{
	if (learn->flags & FLOW_LEARN_WRITE_RESULT && !subfield_is_sound(&learn->result))
		return false;
	if (learn->n > (learn->head.bytes - sizeof(*learn)) / sizeof(learn->specs[0]))
		return false;
	for (uint32_t i = 0; i < learn->n; i++) {
		const struct flow_learn_spec *spec = &learn->specs[i];

		if (spec->n_bits > 8 * sizeof(spec->value.bytes) ||
		    (spec->from_type == 0 && spec->from.field != FIELD_NONE &&
		     !subfield_is_sound(&spec->from)) ||
		    (spec->to.field != FIELD_NONE && !subfield_is_sound(&spec->to)))
			return false;
	}
	return true;
}

/* The fields of a record that are indexes, and its items. */
static bool
record_is_sound(const struct flow_action *action)
{
	const struct flow_move *move = (const void *)action;
	const struct flow_learn *learn = (const void *)action;
	const struct flow_bundle *bundle = (const void *)action;
	const struct flow_conjunction *c = (const void *)action;

	switch (action->type) {
	case ACTION_OUTPUT_FIELD:
		return subfield_is_sound(
			&((const struct flow_output_field *)action)->from);
	case ACTION_SET_FIELD:
		return ((const struct flow_set_field *)action)->field > FIELD_NONE &&
		       ((const struct flow_set_field *)action)->field < FIELD_N;
	case ACTION_MOVE:
		return subfield_is_sound(&move->from) && subfield_is_sound(&move->to) &&
		       move->from.n_bits == move->to.n_bits;
	case ACTION_STACK_PUSH:
	case ACTION_STACK_POP:
		return subfield_is_sound(&((const struct flow_stack *)action)->field);
	case ACTION_MULTIPATH:
		return subfield_is_sound(&((const struct flow_multipath *)action)->to);
	case ACTION_CHECK_LARGER:
		return subfield_is_sound(&((const struct flow_check_larger *)action)->to);
	case ACTION_BUNDLE:
		return (bundle->to.field == FIELD_NONE ||
		        subfield_is_sound(&bundle->to)) &&
		       bundle->n <= (action->bytes - sizeof(*bundle)) / 4;
	case ACTION_CONJUNCTION:
		return c->n_clauses > 0 && c->n_clauses <= CLAUSES_MAX &&
		       c->clause < c->n_clauses;
	case ACTION_LEARN:
		return learn_is_sound(learn);
	case ACTION_CONTROLLER:
		return ((const struct flow_controller *)action)->n_userdata <=
		       action->bytes - offsetof(struct flow_controller, userdata);
	case ACTION_DEC_TTL:
		return ((const struct flow_ids *)action)->n <=
		       (action->bytes - offsetof(struct flow_ids, ids)) / 2;
	default:
		return true;
	}
}

/* Only in what is left of a walk. */
static bool
frame_is_sound(const struct program_frame *frame)
{
	return frame->head.bytes == sizeof(*frame) && frame->table < DP_TABLES_MAX &&
	       frame->reason < DP_PUNT_LEARN;
}

static bool
record_is_one(const struct flow_action *action, size_t bytes, bool has_frames)
{
	if (action->bytes < sizeof(*action) || action->bytes % 8 || action->bytes > bytes)
		return false;
	if (has_frames && action->type == PROGRAM_FRAME)
		return frame_is_sound((const void *)action);
	return action->type < ACTION_N_TYPES &&
	       action->bytes >= record_bytes[action->type] && record_is_sound(action);
}

static int
records_check_nested(const uint8_t *data, size_t bytes, int depth, bool has_frames,
                     struct error *err)
{
	if (depth > NESTED_MAX || bytes > RECORDS_BYTES_MAX || bytes % 8)
		return error_set(err, -EINVAL, "actions: too long or nested too deep");
	for (size_t at = 0; at < bytes;) {
		const struct flow_action *action = (const void *)(data + at);
		const struct flow_nested *nested = (const void *)action;
		int ret;

		if (!record_is_one(action, bytes - at, has_frames))
			return error_set(err, -EINVAL, "actions: bad record of type %u",
			                 action->type);
		at += action->bytes;
		if (action->type != ACTION_CLONE && action->type != ACTION_WRITE_ACTIONS)
			continue;
		if (nested->nested_bytes >
		    action->bytes - offsetof(struct flow_nested, nested))
			return error_set(err, -EINVAL, "actions: bad nested list");
		ret = records_check_nested((const uint8_t *)nested->nested,
		                           nested->nested_bytes, depth + 1, false, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int
records_check(const void *records, size_t bytes, struct error *err)
{
	return records_check_nested(records, bytes, 0, false, err);
}

int
continuation_check(const struct program_walk *record, size_t bytes, struct error *err)
{
	const uint8_t *data = (const uint8_t *)record->data;
	int ret;

	if (bytes < sizeof(*record) || record->head.bytes != bytes ||
	    record->head.type != PROGRAM_WALK || bytes % 8 ||
	    record->table >= DP_TABLES_MAX || record->reason >= DP_PUNT_LEARN ||
	    record->action_set_bytes > WALK_SET_BYTES ||
	    record->stack_bytes > WALK_STACK_MAX * sizeof(struct flow_value) ||
	    record->stack_bytes % sizeof(struct flow_value) ||
	    record->rest_bytes > WALK_REST_BYTES + sizeof(struct flow_number) ||
	    (size_t)record->action_set_bytes + record->stack_bytes + record->rest_bytes !=
	            bytes - sizeof(*record))
		return error_set(err, -EINVAL, "a continuation of %zu bytes is none",
		                 bytes);
	ret = records_check(data, record->action_set_bytes, err);
	if (ret == 0)
		ret = records_check_nested(data + record->action_set_bytes +
		                                   record->stack_bytes,
		                           record->rest_bytes, 0, true, err);
	return ret;
}

/* ---- what they read ---- */

void
subfield_bits(const struct flow_subfield *sub, struct flow_value *bits)
{
	uint16_t n_bytes = flow_field_get(sub->field)->n_bytes;

	memset(bits, 0, sizeof(*bits));
	for (unsigned i = sub->first_bit; i < sub->first_bit + sub->n_bits; i++)
		bits->bytes[n_bytes - 1 - i / 8] |= (uint8_t)(1U << i % 8);
}

static void
subfield_add_reads(const struct flow_subfield *sub, struct flow_key *mask)
{
	struct flow_value bits;

	subfield_bits(sub, &bits);
	flow_field_add_mask(sub->field, mask, &bits);
}

void
field_add_need(enum flow_field_id id, struct flow_key *mask)
{
	enum flow_need need = flow_field_get(id)->need;

	if (need == NEED_VLAN || id == FIELD_VLAN_VID) { /* whether it brings a tag */
		mask->f.vlan_tci |= FLOW_VLAN_PRESENT;
		return;
	}
	if (need == NEED_NONE || need == NEED_CT)
		return;
	mask->f.eth_type = UINT16_MAX;
	if (need < NEED_TCP)
		return;
	mask->f.ip_proto = UINT8_MAX;
	mask->f.ip_fragment = UINT8_MAX;
	if (need >= NEED_ND) {
		mask->f.tp_src = UINT16_MAX;
		mask->f.tp_dst = UINT16_MAX;
	}
}

/* What tables know of a packet is written into the rule that is learned. Its headers say
 * which rule that is, which needs no room if it is there. */
static void
learn_add_reads(const struct flow_learn *learn, struct flow_key *mask)
{
	const bool has_result = learn->flags & FLOW_LEARN_WRITE_RESULT;

	for (uint32_t i = 0; i < learn->n; i++) {
		const struct flow_learn_spec *spec = &learn->specs[i];

		if (spec->from_type != 0 || spec->from.field == FIELD_NONE ||
		    (field_is_header(spec->from.field) && !(has_result && learn->limit)))
			continue;
		subfield_add_reads(&spec->from, mask);
		field_add_need(spec->from.field, mask);
	}
	if (has_result)
		field_add_need(learn->result.field, mask);
}

static void
vlan_add_reads(struct flow_key *mask)
{
	mask->f.eth_type = UINT16_MAX;
	mask->f.vlan_tci = mask->f.vlan_tpid = UINT16_MAX;
	mask->f.vlan2_tci = mask->f.vlan2_tpid = UINT16_MAX;
}

/* What the actions of OpenFlow 1.0 and 1.1 that name no field need, and those that count
 * TTLs down. */
static void
header_add_reads(const struct flow_action *action, struct flow_key *mask)
{
	switch (action->type) {
	case ACTION_SET_VLAN_VID:
	case ACTION_SET_VLAN_PCP:
	case ACTION_PUSH_VLAN:
	case ACTION_POP_VLAN:
		vlan_add_reads(mask);
		break;
	case ACTION_SET_IPV4_SRC:
	case ACTION_SET_IPV4_DST:
	case ACTION_SET_IP_DSCP:
	case ACTION_SET_IP_ECN:
	case ACTION_SET_IP_TTL:
	case ACTION_SET_MPLS_LABEL:
	case ACTION_SET_MPLS_TC:
	case ACTION_SET_MPLS_TTL:
		mask->f.eth_type = UINT16_MAX;
		break;
	case ACTION_DEC_TTL:
		mask->f.eth_type = UINT16_MAX;
		flow_field_add_mask(FIELD_IP_TTL, mask, NULL);
		break;
	case ACTION_DEC_MPLS_TTL:
		mask->f.eth_type = UINT16_MAX;
		flow_field_add_mask(FIELD_MPLS_TTL, mask, NULL);
		break;
	case ACTION_SET_TP_SRC:
	case ACTION_SET_TP_DST:
		field_add_need(FIELD_TCP_SRC, mask);
		break;
	default:
		break;
	}
}

static void
action_add_reads(const struct flow_action *action, struct flow_key *mask)
{
	const struct flow_move *move = (const void *)action;
	const struct flow_bundle *bundle = (const void *)action;
	const struct flow_stack *stack = (const void *)action;
	const struct flow_multipath *multipath = (const void *)action;

	switch (action->type) {
	case ACTION_OUTPUT_FIELD:
		subfield_add_reads(&((const struct flow_output_field *)action)->from,
		                   mask);
		break;
	case ACTION_SET_FIELD:
		field_add_need(((const struct flow_set_field *)action)->field, mask);
		break;
	case ACTION_MOVE:
		subfield_add_reads(&move->from, mask);
		field_add_need(move->from.field, mask);
		field_add_need(move->to.field, mask);
		break;
	case ACTION_STACK_PUSH:
		subfield_add_reads(&stack->field, mask);
		break;
	case ACTION_STACK_POP:
		field_add_need(stack->field.field, mask);
		break;
	case ACTION_BUNDLE:
		flow_hash_add_mask(bundle->fields, mask);
		if (bundle->to.field != FIELD_NONE)
			field_add_need(bundle->to.field, mask);
		break;
	case ACTION_MULTIPATH:
		flow_hash_add_mask(multipath->fields, mask);
		field_add_need(multipath->to.field, mask);
		break;
	case ACTION_LEARN:
		learn_add_reads((const void *)action, mask);
		break;
	case ACTION_FIN_TIMEOUT:
		field_add_need(FIELD_TCP_FLAGS, mask);
		mask->f.tcp_flags |= FLOW_TCP_ENDS;
		break;
	default:
		header_add_reads(action, mask);
		break;
	}
}

void
actions_add_reads(const void *actions, size_t bytes, struct flow_key *mask)
{
	FLOW_ACTION_FOR_EACH(action, actions, bytes)
	{
		const struct flow_nested *nested = (const void *)action;

		if (action->type == ACTION_CLONE || action->type == ACTION_WRITE_ACTIONS)
			actions_add_reads(nested->nested, nested->nested_bytes, mask);
		else
			action_add_reads(action, mask);
	}
}
