/* of_msg_features.c - bodies of the messages about what tables and groups can do: lists
 * of numbers of instructions, actions and fields as sets. Below of_msg.c; no state, any
 * thread. */
#include <errno.h>

#include "base/compiler.h"
#include "openflow/of_msg_private.h"

#define VENDOR_ID 0xffffU

/* Numbers of properties; each but a few is followed by the one for the table's miss. */
enum {
	P_INSTRUCTIONS = 0,
	P_NEXT_TABLES = 2,
	P_WRITE_ACTIONS = 4,
	P_APPLY_ACTIONS = 6,
	P_MATCH = 8,
	P_WILDCARDS = 10,
	P_WRITE_SET = 12,
	P_APPLY_SET = 14,
	P_SYNC_FROM = 16,
	P_WRITE_COPY = 18,
	P_APPLY_COPY = 20,
	P_PACKET_TYPES = 22,
	P_EXPERIMENTER = 0xfffe,
};

/* The actions by their number since 1.1. */
static const uint8_t action_types[] = {
	[0] = ACTION_OUTPUT,        [1] = ACTION_SET_VLAN_VID,
	[2] = ACTION_SET_VLAN_PCP,  [3] = ACTION_SET_ETH_SRC,
	[4] = ACTION_SET_ETH_DST,   [5] = ACTION_SET_IPV4_SRC,
	[6] = ACTION_SET_IPV4_DST,  [7] = ACTION_SET_IP_DSCP,
	[8] = ACTION_SET_IP_ECN,    [9] = ACTION_SET_TP_SRC,
	[10] = ACTION_SET_TP_DST,   [11] = ACTION_COPY_TTL_OUT,
	[12] = ACTION_COPY_TTL_IN,  [13] = ACTION_SET_MPLS_LABEL,
	[14] = ACTION_SET_MPLS_TC,  [15] = ACTION_SET_MPLS_TTL,
	[16] = ACTION_DEC_MPLS_TTL, [17] = ACTION_PUSH_VLAN,
	[18] = ACTION_POP_VLAN,     [19] = ACTION_PUSH_MPLS,
	[20] = ACTION_POP_MPLS,     [21] = ACTION_SET_QUEUE,
	[22] = ACTION_GROUP,        [23] = ACTION_SET_IP_TTL,
	[24] = ACTION_DEC_TTL,      [25] = ACTION_SET_FIELD,
	[26] = ACTION_PUSH_PBB,     [27] = ACTION_POP_PBB,
	[28] = ACTION_MOVE,         [29] = ACTION_METER,
};
static_assert(ACTION_N_TYPES <= 128, "sets of actions have 128 bits");

static const uint8_t action_types_10[] = {
	ACTION_OUTPUT,      ACTION_SET_VLAN_VID, ACTION_SET_VLAN_PCP, ACTION_POP_VLAN,
	ACTION_SET_ETH_SRC, ACTION_SET_ETH_DST,  ACTION_SET_IPV4_SRC, ACTION_SET_IPV4_DST,
	ACTION_SET_IP_DSCP, ACTION_SET_TP_SRC,   ACTION_SET_TP_DST,   ACTION_ENQUEUE,
};

unsigned
of_action_by_number(enum of_version version, unsigned number)
{
	bool is_11 = (number >= 1 && number <= 10) || number == 13 || number == 14;
	bool exists;

	if (version == OF10)
		return number < ARRAY_SIZE(action_types_10) ? action_types_10[number]
		                                            : OF_ACTION_NONE;
	if (number >= ARRAY_SIZE(action_types))
		return OF_ACTION_NONE;
	if (is_11)
		exists = version == OF11;
	else if (number == 25)
		exists = version >= OF12;
	else if (number == 26 || number == 27)
		exists = version >= OF13;
	else
		exists = number < 28 || version >= OF15;
	return exists ? action_types[number] : OF_ACTION_NONE;
}

static void
bit_set(uint64_t *set, unsigned bit)
{
	set[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static bool
bit_get(const uint64_t *set, unsigned bit)
{
	return set[bit / 64] >> (bit % 64) & 1;
}

/* ---- Lists of numbers. */

/* 4 bytes each, experimenters' 8; those and unknown ones are passed over. */
static int
next_id(struct of_in *in, uint16_t *type)
{
	size_t n;

	*type = in_u16(in);
	n = in_u16(in);
	if (in->is_short || n < 4 || n - 4 > in->n)
		return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
		               "a feature's length is wrong");
	in_skip(in, n - 4);
	return 0;
}

static int
instructions_decode(struct of_in *in, uint32_t *set)
{
	uint16_t type;

	*set = 0;
	while (in->n) {
		if (next_id(in, &type) < 0)
			return -EPROTO;
		if (type < 32)
			*set |= 1U << type;
	}
	return 0;
}

static int
actions_decode(struct of_in *in, uint64_t set[2])
{
	unsigned action;
	uint16_t type;

	set[0] = 0;
	set[1] = 0;
	while (in->n) {
		if (next_id(in, &type) < 0)
			return -EPROTO;
		action = of_action_by_number(in_version(in), type);
		if (action != OF_ACTION_NONE)
			bit_set(set, action);
	}
	return 0;
}

/* 'masked' (NULL = not of interest) are those of which bits can be matched. */
static int
fields_decode(struct of_in *in, uint64_t set[3], uint64_t *masked)
{
	static_assert(FIELD_N <= 192, "sets of fields have 192 bits");
	memset(set, 0, 3 * sizeof(*set));
	if (masked)
		memset(masked, 0, 3 * sizeof(*masked));
	while (in->n) {
		enum flow_field_id field;
		struct of_error unknown;
		bool has_mask = false;
		size_t used = 0;
		int rc = of_field_header_decode(in->p, in->n, &field, &has_mask, &used,
		                                &unknown);

		if (rc == 0) {
			bit_set(set, field);
			if (has_mask && masked)
				bit_set(masked, field);
		} else {
			/* One that is not known here: experimenters' class is longer. */
			used = in->n >= 4 && of_get16(in->p) == VENDOR_ID ? 8 : 4;
		}
		if (used > in->n)
			return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
			               "a list of fields is cut short");
		in_skip(in, used);
	}
	return 0;
}

static int
tables_decode(struct of_in *in, uint8_t set[32])
{
	memset(set, 0, 32);
	while (in->n) {
		uint8_t table = in_u8(in);

		set[table / 8] |= (uint8_t)(1 << (table % 8));
	}
	return 0;
}

/* ---- Tables' features. */

/* Which properties came: those for a miss are the same as the others if they did not. */
static int
property_decode(struct of_in *body, uint16_t type, struct of_table_features *f)
{
	bool miss = type & 1;

	switch (type & ~1) {
	case P_INSTRUCTIONS:
		return instructions_decode(body, &f->instructions[miss]);
	case P_NEXT_TABLES:
		return tables_decode(body, f->next_tables[miss]);
	case P_WRITE_ACTIONS:
		return actions_decode(body, f->write_actions[miss]);
	case P_APPLY_ACTIONS:
		return actions_decode(body, f->actions[miss]);
	case P_MATCH:
		return fields_decode(body, f->match, f->mask);
	case P_WILDCARDS:
		return fields_decode(body, f->wildcards, NULL);
	case P_WRITE_SET:
		return fields_decode(body, f->write_set[miss], NULL);
	case P_APPLY_SET:
		return fields_decode(body, f->set[miss], NULL);
	case P_SYNC_FROM:
	case P_WRITE_COPY:
	case P_APPLY_COPY:
	case P_PACKET_TYPES:
	case P_EXPERIMENTER:
		return 0; /* passed over */
	default:
		return of_fail(body->error, OFERR_BAD_PROPERTY_TYPE,
		               "a table has no property %u", type);
	}
}

static void
copy_misses(struct of_table_features *f, uint32_t seen)
{
	if (!(seen & 1U << (P_INSTRUCTIONS + 1)))
		f->instructions[1] = f->instructions[0];
	if (!(seen & 1U << (P_NEXT_TABLES + 1)))
		memcpy(f->next_tables[1], f->next_tables[0], sizeof(f->next_tables[0]));
	if (!(seen & 1U << (P_WRITE_ACTIONS + 1)))
		memcpy(f->write_actions[1], f->write_actions[0],
		       sizeof(f->write_actions[0]));
	if (!(seen & 1U << (P_APPLY_ACTIONS + 1)))
		memcpy(f->actions[1], f->actions[0], sizeof(f->actions[0]));
	if (!(seen & 1U << (P_WRITE_SET + 1)))
		memcpy(f->write_set[1], f->write_set[0], sizeof(f->write_set[0]));
	if (!(seen & 1U << (P_APPLY_SET + 1)))
		memcpy(f->set[1], f->set[0], sizeof(f->set[0]));
}

static int
table_decode(struct of_in *in, struct of_table_features *f)
{
	uint32_t seen = 0;

	in_skip(in, 2);
	f->table = in_u8(in);
	f->command = in_u8(in);
	f->features = in_u32(in);
	if (in_version(in) < OF15) {
		f->command = 0;
		f->features = 0;
	}
	in_text(in, 32, f->name, sizeof(f->name));
	f->metadata_match = in_u64(in);
	f->metadata_write = in_u64(in);
	f->capabilities = in_u32(in);
	f->max_entries = in_u32(in);
	while (in->n) {
		struct of_in body;
		uint16_t type;
		int rc = in_property(in, &type, &body);

		if (rc < 0)
			return rc;
		f->has_properties = true;
		if (type < 32 && seen & 1U << type && type != P_SYNC_FROM)
			return of_fail(in->error, OFERR_BAD_PROPERTY_DUP,
			               "property %u of a table is there twice", type);
		if (type < 32)
			seen |= 1U << type;
		rc = property_decode(&body, type, f);
		if (rc < 0)
			return rc;
	}
	copy_misses(f, seen);
	return 0;
}

static int
table_features_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		struct of_in item;

		rc = in_item(in, 0, 64, "table's features", &item);
		if (rc < 0)
			return rc;
		msg->table_features = in_grow(in, msg->table_features, &msg->n,
		                              sizeof(*msg->table_features));
		rc = table_decode(&item, &msg->table_features[msg->n - 1]);
	}
	return rc;
}

static void
instructions_encode(struct of_out *o, uint16_t type, uint32_t set)
{
	size_t start = o_property(o, type);

	for (unsigned i = 0; i < 32; i++)
		if (set >> i & 1) {
			o_u16(o, i);
			o_u16(o, 4);
		}
	o_property_end(o, start);
}

static void
actions_encode(struct of_out *o, uint16_t type, const uint64_t set[2])
{
	size_t start = o_property(o, type);

	for (unsigned i = 0; i < ARRAY_SIZE(action_types); i++) {
		unsigned action = of_action_by_number(o->msg->version, i);

		if (action != OF_ACTION_NONE && bit_get(set, action)) {
			o_u16(o, i);
			o_u16(o, 4);
		}
	}
	o_property_end(o, start);
}

static void
fields_encode(struct of_out *o, uint16_t type, const uint64_t set[3],
              const uint64_t *masked)
{
	size_t start = o_property(o, type);

	for (unsigned i = 1; i < FIELD_N; i++)
		if (bit_get(set, i))
			of_field_header_encode(o->msg->version, (enum flow_field_id)i,
			                       masked && bit_get(masked, i), o->out);
	o_property_end(o, start);
}

static void
tables_encode(struct of_out *o, uint16_t type, const uint8_t set[32])
{
	size_t start = o_property(o, type);

	for (unsigned i = 0; i < 256; i++)
		if (set[i / 8] >> (i % 8) & 1)
			o_u8(o, i);
	o_property_end(o, start);
}

/* What is the same after a miss is not said twice. */
static void
properties_encode(struct of_out *o, const struct of_table_features *f)
{
#define DIFFERS(PAIR) (memcmp((PAIR)[0], (PAIR)[1], sizeof((PAIR)[0])) != 0)
	instructions_encode(o, P_INSTRUCTIONS, f->instructions[0]);
	if (f->instructions[0] != f->instructions[1])
		instructions_encode(o, P_INSTRUCTIONS + 1, f->instructions[1]);
	tables_encode(o, P_NEXT_TABLES, f->next_tables[0]);
	if (DIFFERS(f->next_tables))
		tables_encode(o, P_NEXT_TABLES + 1, f->next_tables[1]);
	actions_encode(o, P_WRITE_ACTIONS, f->write_actions[0]);
	if (DIFFERS(f->write_actions))
		actions_encode(o, P_WRITE_ACTIONS + 1, f->write_actions[1]);
	fields_encode(o, P_WRITE_SET, f->write_set[0], NULL);
	if (DIFFERS(f->write_set))
		fields_encode(o, P_WRITE_SET + 1, f->write_set[1], NULL);
	actions_encode(o, P_APPLY_ACTIONS, f->actions[0]);
	if (DIFFERS(f->actions))
		actions_encode(o, P_APPLY_ACTIONS + 1, f->actions[1]);
	fields_encode(o, P_APPLY_SET, f->set[0], NULL);
	if (DIFFERS(f->set))
		fields_encode(o, P_APPLY_SET + 1, f->set[1], NULL);
	fields_encode(o, P_MATCH, f->match, f->mask);
	fields_encode(o, P_WILDCARDS, f->wildcards, NULL);
#undef DIFFERS
}

static void
table_features_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_table_features *f = &msg->table_features[i];
		size_t start = o_at(o);
		bool is_15 = msg->version >= OF15;

		o_u16(o, 0);
		o_u8(o, f->table);
		o_u8(o, is_15 ? f->command : 0);
		o_u32(o, is_15 ? f->features : 0);
		o_text(o, f->name, 32);
		o_u64(o, f->metadata_match);
		o_u64(o, f->metadata_write);
		o_u32(o, f->capabilities);
		o_u32(o, f->max_entries);
		if (f->has_properties)
			properties_encode(o, f);
		o_length(o, start, start);
		o_item_end(o, start);
	}
}

/* ---- Groups' features: sets of actions are words here. */

static int
group_features_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_group_features *f = &msg->group_features;

	f->types = in_u32(in);
	f->capabilities = in_u32(in);
	for (size_t i = 0; i < 4; i++)
		f->max_groups[i] = in_u32(in);
	for (size_t i = 0; i < 4; i++) {
		uint32_t wire = in_u32(in);

		for (unsigned j = 0; j < ARRAY_SIZE(action_types); j++) {
			unsigned action = of_action_by_number(msg->version, j);

			if (wire >> j & 1 && action != OF_ACTION_NONE)
				bit_set(f->actions[i], action);
		}
	}
	return 0;
}

static void
group_features_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_group_features *f = &msg->group_features;

	o_u32(o, f->types);
	o_u32(o, f->capabilities);
	for (size_t i = 0; i < 4; i++)
		o_u32(o, f->max_groups[i]);
	for (size_t i = 0; i < 4; i++) {
		uint32_t wire = 0;

		for (unsigned j = 0; j < ARRAY_SIZE(action_types); j++) {
			unsigned action = of_action_by_number(msg->version, j);

			if (action != OF_ACTION_NONE && bit_get(f->actions[i], action))
				wire |= 1U << j;
		}
		o_u32(o, wire);
	}
}

const struct of_codec of_codec_table_features = {table_features_decode,
                                                 table_features_encode};
const struct of_codec of_codec_group_features = {group_features_decode,
                                                 group_features_encode};
