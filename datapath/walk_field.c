/* walk_field.c - actions on values: set-field, move, the stack, the older setters, VLAN
 * tags. Part of walk.c. Workers. */
#include <string.h>

#include "datapath/records.h"
#include "datapath/walk_private.h"

#include "datapath/hot.h"

#define TYPE_IPV4  0x0800
#define TYPE_IPV6  0x86dd
#define TYPE_VLAN  0x8100
#define TYPE_QINQ  0x88a8
#define PROTO_TCP  6
#define PROTO_UDP  17
#define PROTO_SCTP 132

/* A whole TCI can bring a tag and take it away. */
static void
walk_fix_vlan(struct walk *walk)
{
	struct flow_fields *f = &walk->packet.key.f;

	if (!(f->vlan_tci & FLOW_VLAN_PRESENT))
		f->vlan_tpid = 0;
	else if (!f->vlan_tpid)
		f->vlan_tpid = TYPE_VLAN;
}

/* Other bridges see it, so the packet has to carry it. */
static bool
walk_emit_mark(struct walk *walk, const struct flow_value *value,
               const struct flow_value *mask)
{
	struct program_mark *record = walk_emit(walk, PROGRAM_MARK, sizeof(*record));
	struct flow_key bits;

	if (!record)
		return false;
	memset(&bits, 0, sizeof(bits));
	flow_field_write_masked(FIELD_PACKET_MARK, &bits, mask, mask);
	record->mask = bits.f.packet_mark;
	flow_field_write_masked(FIELD_PACKET_MARK, &bits, value, mask);
	record->value = bits.f.packet_mark;
	return true;
}

/* The VLAN set where another list of actions popped the tag, which rules' matches cannot
 * rule out: it brings a tag, as a whole TCI does. */
static bool
brings_a_tag(const struct walk *walk, enum flow_field_id id,
             const struct flow_value *value, const struct flow_value *mask)
{
	return id == FIELD_VLAN_VID && !walk->is_blind &&
	       !(walk->packet.key.f.vlan_tci & FLOW_VLAN_PRESENT) &&
	       (value->bytes[0] & mask->bytes[0] & (FLOW_VLAN_PRESENT >> 8));
}

void
walk_set_field(struct walk *walk, enum flow_field_id id, const struct flow_value *value,
               const struct flow_value *mask)
{
	if (brings_a_tag(walk, id, value, mask))
		id = FIELD_VLAN_TCI;
	if (field_is_header(id)) {
		struct flow_set_field *record;

		if (!walk->is_blind && !flow_field_is_present(id, &walk->packet)) {
			WALK_WARN(walk, "the packet has no %s", flow_field_get(id)->name);
			return;
		}
		record = walk_emit(walk, ACTION_SET_FIELD, sizeof(*record));
		if (!record)
			return;
		record->field = id;
		record->value = *value;
		record->mask = *mask;
	}
	if (id == FIELD_PACKET_MARK && !walk_emit_mark(walk, value, mask))
		return;
	flow_field_write_masked(id, &walk->packet.key, value, mask);
	if (id == FIELD_VLAN_TCI)
		walk_fix_vlan(walk);
}

void
walk_set_subfield(struct walk *walk, const struct flow_subfield *sub, uint64_t value)
{
	uint16_t n_bytes = flow_field_get(sub->field)->n_bytes;
	struct flow_value bits = {{0}}, mask;

	subfield_bits(sub, &mask);
	for (unsigned i = 0; i < sub->n_bits; i++) {
		unsigned bit = sub->first_bit + i;

		if (value >> i & 1)
			bits.bytes[n_bytes - 1 - bit / 8] |= (uint8_t)(1U << bit % 8);
	}
	walk_set_field(walk, sub->field, &bits, &mask);
}

void
walk_set_number(struct walk *walk, enum flow_field_id id, uint64_t value)
{
	struct flow_subfield whole = {id, 0, flow_field_get(id)->n_bits};

	walk_set_subfield(walk, &whole, value);
}

/* Up to 64 bits of a subfield from its bit 'at' on. */
static struct flow_subfield
subfield_part(const struct flow_subfield *sub, unsigned at)
{
	struct flow_subfield part = {sub->field, (uint16_t)(sub->first_bit + at),
	                             (uint16_t)MIN_OF(64U, sub->n_bits - at)};

	return part;
}

/* The low 64 bits, for who listens. */
static uint64_t
walk_field_low(const struct walk *walk, enum flow_field_id id)
{
	struct flow_subfield low = {id, 0,
	                            (uint16_t)MIN_OF(64, flow_field_get(id)->n_bits)};

	return flow_subfield_read(&low, &walk->packet.key);
}

/* All is read before anything is written: they may overlap. */
static void
walk_move(struct walk *walk, const struct flow_move *move)
{
	uint64_t values[2] = {0, 0};

	if (field_is_header(move->from.field) && !walk_can_read(walk))
		return;
	for (unsigned at = 0; at < move->from.n_bits && at < 128; at += 64) {
		struct flow_subfield from = subfield_part(&move->from, at);

		values[at / 64] = flow_subfield_read(&from, &walk->packet.key);
	}
	for (unsigned at = 0; at < move->to.n_bits && at < 128; at += 64) {
		struct flow_subfield to = subfield_part(&move->to, at);

		walk_set_subfield(walk, &to, values[at / 64]);
	}
	WALK_REMARK(walk, "%s is now 0x%llx", flow_field_get(move->to.field)->name,
	            (unsigned long long)walk_field_low(walk, move->to.field));
}

static void
walk_push(struct walk *walk, const struct flow_stack *push)
{
	uint64_t values[2] = {0, 0};

	if (field_is_header(push->field.field) && !walk_can_read(walk))
		return;
	if (walk->n_stack == WALK_STACK_MAX) {
		walk_fail(walk, DROP_RX_TOO_MANY_ACTIONS);
		return;
	}
	for (unsigned at = 0; at < push->field.n_bits && at < 128; at += 64) {
		struct flow_subfield from = subfield_part(&push->field, at);

		values[at / 64] = flow_subfield_read(&from, &walk->packet.key);
	}
	memcpy(&walk->stack[walk->n_stack++], values, sizeof(values));
}

static void
walk_pop(struct walk *walk, const struct flow_stack *pop)
{
	uint64_t values[2];

	if (walk->n_stack == 0) {
		WALK_WARN(walk, "the stack is empty");
		return;
	}
	memcpy(values, &walk->stack[--walk->n_stack], sizeof(values));
	for (unsigned at = 0; at < pop->field.n_bits && at < 128; at += 64) {
		struct flow_subfield to = subfield_part(&pop->field, at);

		walk_set_subfield(walk, &to, values[at / 64]);
	}
	WALK_REMARK(walk, "%s is now 0x%llx", flow_field_get(pop->field.field)->name,
	            (unsigned long long)walk_field_low(walk, pop->field.field));
}

/* ---- VLAN tags ---- */

static void
walk_push_vlan(struct walk *walk, uint16_t type)
{
	struct flow_fields *f = &walk->packet.key.f;
	struct flow_number *record;

	if (!walk_can_read(walk))
		return;
	record = walk_emit(walk, ACTION_PUSH_VLAN, sizeof(*record));
	if (!record)
		return;
	record->value = type;
	/* What was behind a second tag would be behind a third one. */
	if (f->vlan2_tpid)
		walk->is_blind = true;
	f->vlan2_tci = f->vlan_tci;
	f->vlan2_tpid = f->vlan_tpid;
	f->vlan_tci |= FLOW_VLAN_PRESENT;
	f->vlan_tpid = type;
}

static void
walk_pop_vlan(struct walk *walk, const struct flow_action *pop)
{
	struct flow_fields *f = &walk->packet.key.f;

	if (!walk_can_read(walk) || !(f->vlan_tci & FLOW_VLAN_PRESENT))
		return;
	walk_emit_copy(walk, pop);
	if (f->eth_type == TYPE_VLAN || f->eth_type == TYPE_QINQ)
		walk->is_blind = true;
	f->vlan_tci = f->vlan2_tci;
	f->vlan_tpid = f->vlan2_tpid;
	f->vlan2_tci = f->vlan2_tpid = 0;
}

/* OpenFlow 1.0's: a packet without a tag gets one. */
static void
walk_set_vlan(struct walk *walk, enum flow_field_id id, uint64_t value, bool may_push)
{
	if (!walk_can_read(walk))
		return;
	if (!(walk->packet.key.f.vlan_tci & FLOW_VLAN_PRESENT)) {
		if (!may_push)
			return;
		walk_push_vlan(walk, TYPE_VLAN);
	}
	walk_set_number(walk, id, value);
}

/* ---- the older setters ---- */

static void
walk_set_address(struct walk *walk, enum flow_field_id id,
                 const struct flow_address *address)
{
	struct flow_value value = {{0}}, mask = {{0}};
	uint16_t n_bytes = flow_field_get(id)->n_bytes;

	memcpy(value.bytes, address->bytes, n_bytes);
	memset(mask.bytes, 0xff, n_bytes);
	walk_set_field(walk, id, &value, &mask);
}

static void
walk_set_l4_port(struct walk *walk, bool is_src, uint64_t value)
{
	if (!walk_can_read(walk))
		return;
	switch (walk->packet.key.f.ip_proto) {
	case PROTO_TCP:
		walk_set_number(walk, is_src ? FIELD_TCP_SRC : FIELD_TCP_DST, value);
		break;
	case PROTO_UDP:
		walk_set_number(walk, is_src ? FIELD_UDP_SRC : FIELD_UDP_DST, value);
		break;
	case PROTO_SCTP:
		walk_set_number(walk, is_src ? FIELD_SCTP_SRC : FIELD_SCTP_DST, value);
		break;
	default:
		break;
	}
}

static bool
walk_legacy_action(struct walk *walk, const struct flow_action *action)
{
	const struct flow_address *address = (const void *)action;
	const struct flow_number *number = (const void *)action;
	uint64_t value = action->bytes >= sizeof(*number) ? number->value : 0;

	switch (action->type) {
	case ACTION_SET_VLAN_VID:
		walk_set_vlan(walk, FIELD_VLAN_VID, (value & 0xfff) | FLOW_VLAN_PRESENT,
		              !action->is_legacy);
		return true;
	case ACTION_SET_VLAN_PCP:
		walk_set_vlan(walk, FIELD_VLAN_PCP, value & 7, !action->is_legacy);
		return true;
	case ACTION_SET_ETH_SRC:
		walk_set_address(walk, FIELD_ETH_SRC, address);
		return true;
	case ACTION_SET_ETH_DST:
		walk_set_address(walk, FIELD_ETH_DST, address);
		return true;
	case ACTION_SET_IPV4_SRC:
		walk_set_number(walk, FIELD_IPV4_SRC, value);
		return true;
	case ACTION_SET_IPV4_DST:
		walk_set_number(walk, FIELD_IPV4_DST, value);
		return true;
	case ACTION_SET_IP_DSCP:
		walk_set_number(walk, FIELD_IP_DSCP_SHIFTED, value >> 2 & 0x3f);
		return true;
	case ACTION_SET_IP_ECN:
		walk_set_number(walk, FIELD_IP_ECN, value & 3);
		return true;
	case ACTION_SET_IP_TTL:
		walk_set_number(walk, FIELD_IP_TTL, value & 0xff);
		return true;
	case ACTION_SET_TP_SRC:
		walk_set_l4_port(walk, true, value);
		return true;
	case ACTION_SET_TP_DST:
		walk_set_l4_port(walk, false, value);
		return true;
	case ACTION_SET_MPLS_LABEL:
		walk_set_number(walk, FIELD_MPLS_LABEL, value & 0xfffff);
		return true;
	case ACTION_SET_MPLS_TC:
		walk_set_number(walk, FIELD_MPLS_TC, value & 7);
		return true;
	case ACTION_SET_MPLS_TTL:
		walk_set_number(walk, FIELD_MPLS_TTL, value & 0xff);
		return true;
	case ACTION_SET_TUNNEL:
		walk_set_number(walk, FIELD_TUN_ID, value);
		return true;
	default:
		return false;
	}
}

bool
walk_field_action(struct walk *walk, const struct flow_action *action)
{
	const struct flow_set_field *set = (const void *)action;

	switch (action->type) {
	case ACTION_SET_FIELD:
		walk_set_field(walk, set->field, &set->value, &set->mask);
		return true;
	case ACTION_MOVE:
		walk_move(walk, (const void *)action);
		return true;
	case ACTION_STACK_PUSH:
		walk_push(walk, (const void *)action);
		return true;
	case ACTION_STACK_POP:
		walk_pop(walk, (const void *)action);
		return true;
	case ACTION_PUSH_VLAN:
		walk_push_vlan(walk,
		               (uint16_t)((const struct flow_number *)action)->value);
		return true;
	case ACTION_POP_VLAN:
		walk_pop_vlan(walk, action);
		return true;
	default:
		return walk_legacy_action(walk, action);
	}
}
