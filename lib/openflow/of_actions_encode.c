/* of_actions_encode.c - writes actions: OpenFlow's own forms where the version has one,
 * else Nicira's (of_actions_nicira_encode.c). No state, any thread. */
#include "openflow/of_actions.h"
#include "openflow/of_actions_private.h"
#include "openflow/of_match.h"
#include "openflow/of_match_private.h"
#include "openflow/of_oxm.h"
#include "openflow/of_wire.h"

#define SET_FIELD  25
#define COPY_FIELD 28
#define METER      29
#define VID_MASK   0x0fff
#define U64_BITS   64

size_t
of_begin(struct str *out, uint16_t type)
{
	size_t start = out->length;

	of_put16(out, type);
	of_put16(out, 0);
	return start;
}

void
of_end(struct str *out, size_t start)
{
	of_put_padding(out, start);
	/* A list that came in a version with shorter actions: better none than a lie. */
	if (out->length - start > UINT16_MAX) {
		out->length = start;
		out->data[start] = 0;
		return;
	}
	of_patch16(out, start + 2, (uint16_t)(out->length - start));
}

/* An action that is one number of 1, 2 or 4 bytes. */
static void
put_number(struct str *out, uint16_t type, unsigned n_bytes, uint64_t value)
{
	size_t start = of_begin(out, type);

	if (n_bytes == 1)
		of_put8(out, (uint8_t)value);
	else if (n_bytes == 2)
		of_put16(out, (uint16_t)value);
	else if (n_bytes == 4)
		of_put32(out, (uint32_t)value);
	of_end(out, start);
}

static void
put_address(struct str *out, uint16_t type, const uint8_t *address)
{
	size_t start = of_begin(out, type);

	str_append_bytes(out, address, 6);
	of_end(out, start);
}

static void
put_set_field(enum of_version version, enum flow_field_id field,
              const struct flow_value *value, const struct flow_value *mask,
              struct str *out)
{
	size_t start = of_begin(out, SET_FIELD);

	/* Open vSwitch's tools and OVN know a set of the port only by nxm's 16 bits. */
	if (field == FIELD_IN_PORT && !mask)
		version = OF10;
	of_field_encode(version, field, value, mask, out);
	of_end(out, start);
}

static void
put_set_number(enum of_version version, enum flow_field_id field, uint64_t number,
               struct str *out)
{
	unsigned n_bytes = flow_field_get(field)->n_bytes;
	struct flow_value value = {{0}};

	of_value_set_bits(&value, n_bytes, 0, MIN_OF(8U * n_bytes, U64_BITS), number);
	put_set_field(version, field, &value, NULL, out);
}

/* The wire numbers of what 1.0 and 1.1 have for single fields. */
struct legacy {
	uint8_t field, in_10, in_11, n_bytes;
};

static const struct legacy legacy_fields[] = {
	{FIELD_VLAN_VID, 1, 1, 2}, {FIELD_VLAN_PCP, 2, 2, 1},
	{FIELD_ETH_SRC, 4, 3, 6},  {FIELD_ETH_DST, 5, 4, 6},
	{FIELD_IPV4_SRC, 6, 5, 4}, {FIELD_IPV4_DST, 7, 6, 4},
	{FIELD_IP_DSCP, 8, 7, 1},  {FIELD_IP_DSCP_SHIFTED, 8, 7, 1},
	{FIELD_TCP_SRC, 9, 9, 2},  {FIELD_TCP_DST, 10, 10, 2},
	{FIELD_UDP_SRC, 9, 9, 2},  {FIELD_UDP_DST, 10, 10, 2},
	{FIELD_IP_ECN, 0, 8, 1},
};

/* A set-field of a whole field in 1.0's or 1.1's words, if there are any. */
static bool
put_legacy_field(enum of_version version, const struct flow_set_field *a, struct str *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(legacy_fields); i++) {
		const struct legacy *l = &legacy_fields[i];
		uint8_t type = version == OF10 ? l->in_10 : l->in_11;
		uint64_t number;

		if (l->field != a->field || !type)
			continue;
		if (l->n_bytes == 6) {
			put_address(out, type, a->value.bytes);
			return true;
		}
		number = of_value_bits(&a->value, l->n_bytes, 0, 8U * l->n_bytes);
		if (a->field == FIELD_IP_DSCP_SHIFTED)
			number <<= 2;
		if (a->field == FIELD_VLAN_VID)
			number &= VID_MASK;
		put_number(out, type, l->n_bytes, number);
		return true;
	}
	return false;
}

/* The next run of bits of a mask, from 'bit' on, at most 64 of them; none: n_bits is 0.
 */
static struct flow_subfield
next_run(const struct flow_set_field *a, unsigned bit)
{
	const struct flow_field *field = flow_field_get(a->field);
	struct flow_subfield run = {a->field, 0, 0};

	while (bit < field->n_bits && !of_value_bits(&a->mask, field->n_bytes, bit, 1))
		bit++;
	run.first_bit = (uint16_t)bit;
	while (bit < field->n_bits && run.n_bits < U64_BITS &&
	       of_value_bits(&a->mask, field->n_bytes, bit, 1)) {
		run.n_bits++;
		bit++;
	}
	return run;
}

/* The whole in_port, or what 1.0 has of it: nxm's of 16 bits. */
static void
put_port_load(const struct flow_set_field *a, struct str *out)
{
	static const struct flow_subfield whole = {FIELD_IN_PORT, 0, 16};
	size_t start = of_begin_nicira(out, 7);

	of_put_offset_bits(out, &whole);
	of_field_header_encode(OF10, FIELD_IN_PORT, false, out);
	of_put64(out, of_port_to_10(of_get32(a->value.bytes)));
	of_end(out, start);
}

/* Whether it sets the whole in_port, or 1.0's 16 bits of it. */
static bool
is_port(const struct flow_set_field *a)
{
	const struct flow_subfield run = next_run(a, 0);

	return a->field == FIELD_IN_PORT && run.first_bit == 0 &&
	       (run.n_bits == 32 || run.n_bits == 16);
}

/* Nicira's loads: one for each run of bits of the mask. */
static void
put_loads(const struct flow_set_field *a, struct str *out)
{
	/* Parts of a port are parts of OXM's 32 bits. */
	enum of_version version = a->field == FIELD_IN_PORT ? OF12 : OF10;
	unsigned n_bytes = flow_field_get(a->field)->n_bytes;
	struct flow_subfield run = next_run(a, 0);
	size_t start;

	if (is_port(a)) {
		put_port_load(a, out);
		return;
	}
	for (; run.n_bits; run = next_run(a, run.first_bit + run.n_bits)) {
		start = of_begin_nicira(out, 7);
		of_put_offset_bits(out, &run);
		of_field_header_encode(version, a->field, false, out);
		of_put64(out,
		         of_value_bits(&a->value, n_bytes, run.first_bit, run.n_bits));
		of_end(out, start);
	}
}

void
of_encode_set_field(enum of_version version, const struct flow_set_field *a,
                    struct str *out)
{
	/* Of OXM's in_port a set-field sets nothing, a load any part. */
	bool is_load = a->field == FIELD_IN_PORT && !is_port(a), is_whole;
	unsigned n_bytes = flow_field_get(a->field)->n_bytes;
	struct flow_value full;

	if (!of_oxm_has_name(a->field))
		return;
	of_oxm_full_mask(a->field, &full);
	if (a->field == FIELD_IP_DSCP)
		full.bytes[0] &= a->mask.bytes[0] | 0xfc;
	is_whole = !memcmp(full.bytes, a->mask.bytes, n_bytes);
	/* Open vSwitch keeps the mask where bytes have bits that are not the field's. */
	if (version >= OF15 && a->head.is_legacy &&
	    flow_field_get(a->field)->n_bits % 8 && a->field != FIELD_VLAN_VID)
		is_whole = false;
	if (!is_load &&
	    (version >= OF15 || (version >= OF12 && is_whole && !a->head.is_legacy))) {
		/* Open vSwitch takes a port here by nxm's name alone. */
		put_set_field(is_port(a) ? OF10 : version, a->field, &a->value,
		              is_whole || is_port(a) ? NULL : &a->mask, out);
		return;
	}
	if (version < OF12 && is_whole && !a->head.is_legacy &&
	    put_legacy_field(version, a, out))
		return;
	put_loads(a, out);
}

/* 1.0's do, without a tag; what 'is_legacy' is known to have one. */
static bool
pushes_tag(const struct flow_action *action)
{
	return !action->is_legacy && (action->type == ACTION_SET_VLAN_VID ||
	                              action->type == ACTION_SET_VLAN_PCP);
}

/* Sets of 1.0 and 1.1 as what they are later. */
static bool
encode_as_set_field(enum of_version version, const struct flow_action *action,
                    struct str *out)
{
	static const struct {
		uint8_t kind, field;
	} fields[] = {
		{ACTION_SET_VLAN_PCP, FIELD_VLAN_PCP},
		{ACTION_SET_IPV4_SRC, FIELD_IPV4_SRC},
		{ACTION_SET_IPV4_DST, FIELD_IPV4_DST},
		{ACTION_SET_IP_ECN, FIELD_IP_ECN},
		/* Nothing here says whose port it is. */
		{ACTION_SET_TP_SRC, FIELD_TCP_SRC},
		{ACTION_SET_TP_DST, FIELD_TCP_DST},
		{ACTION_SET_MPLS_LABEL, FIELD_MPLS_LABEL},
		{ACTION_SET_MPLS_TC, FIELD_MPLS_TC},
		{ACTION_SET_TUNNEL, FIELD_TUN_ID},
	};
	const struct flow_number *number = (const void *)action;
	const struct flow_address *address = (const void *)action;
	struct flow_value value = {{0}};

	if (action->type == ACTION_SET_ETH_SRC || action->type == ACTION_SET_ETH_DST) {
		memcpy(value.bytes, address->bytes, 6);
		put_set_field(version,
		              action->type == ACTION_SET_ETH_SRC ? FIELD_ETH_SRC
		                                                 : FIELD_ETH_DST,
		              &value, NULL, out);
		return true;
	}
	if (action->type == ACTION_SET_IP_DSCP) {
		put_set_number(version, FIELD_IP_DSCP_SHIFTED, number->value >> 2, out);
		return true;
	}
	if (pushes_tag(action))
		put_number(out, 17, 2, 0x8100); /* push-vlan */
	if (action->type == ACTION_SET_VLAN_VID) {
		put_set_number(version, FIELD_VLAN_VID, number->value | FLOW_VLAN_PRESENT,
		               out);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].kind == action->type) {
			put_set_number(version, fields[i].field, number->value, out);
			return true;
		}
	return false;
}

/* Actions that are a number or nothing, as wire numbers; 0 = the version has none. */
struct simple {
	uint8_t kind, in_10, in_11, n_bytes;
	uint8_t since;   /* of in_11 */
	uint8_t only_11; /* 1.2 has set-field instead */
};

static const struct simple simple_actions[] = {
	{ACTION_SET_VLAN_VID, 1, 1, 2, OF11, 1},
	{ACTION_SET_VLAN_PCP, 2, 2, 1, OF11, 1},
	{ACTION_SET_IPV4_SRC, 6, 5, 4, OF11, 1},
	{ACTION_SET_IPV4_DST, 7, 6, 4, OF11, 1},
	{ACTION_SET_IP_DSCP, 8, 7, 1, OF11, 1},
	{ACTION_SET_IP_ECN, 0, 8, 1, OF11, 1},
	{ACTION_SET_TP_SRC, 9, 9, 2, OF11, 1},
	{ACTION_SET_TP_DST, 10, 10, 2, OF11, 1},
	{ACTION_SET_MPLS_LABEL, 0, 13, 4, OF11, 1},
	{ACTION_SET_MPLS_TC, 0, 14, 1, OF11, 1},
	{ACTION_SET_MPLS_TTL, 0, 15, 1, OF11, 0},
	{ACTION_SET_IP_TTL, 0, 23, 1, OF11, 0},
	{ACTION_POP_VLAN, 3, 18, 0, OF11, 0},
	{ACTION_PUSH_VLAN, 0, 17, 2, OF11, 0},
	{ACTION_PUSH_MPLS, 0, 19, 2, OF11, 0},
	{ACTION_POP_MPLS, 0, 20, 2, OF11, 0},
	{ACTION_PUSH_PBB, 0, 26, 2, OF13, 0},
	{ACTION_POP_PBB, 0, 27, 0, OF13, 0},
	{ACTION_DEC_MPLS_TTL, 0, 16, 0, OF11, 0},
	{ACTION_COPY_TTL_OUT, 0, 11, 0, OF11, 0},
	{ACTION_COPY_TTL_IN, 0, 12, 0, OF11, 0},
	{ACTION_SET_QUEUE, 0, 21, 4, OF11, 0},
	{ACTION_GROUP, 0, 22, 4, OF11, 0},
	{ACTION_METER, 0, METER, 4, OF15, 0},
};

static bool
encode_simple(enum of_version version, const struct flow_action *action, struct str *out)
{
	const struct flow_number *number = (const void *)action;

	for (size_t i = 0; i < ARRAY_SIZE(simple_actions); i++) {
		const struct simple *s = &simple_actions[i];
		uint8_t type = version == OF10 ? s->in_10 : s->in_11;

		if (s->kind != action->type)
			continue;
		if (!type || (version > OF10 && version < s->since) ||
		    (s->only_11 && version > OF11))
			return false;
		if (version == OF11 && pushes_tag(action))
			put_number(out, 17, 2, 0x8100);
		put_number(out, type, s->n_bytes, s->n_bytes ? number->value : 0);
		return true;
	}
	return false;
}

static void
encode_output(enum of_version version, const struct flow_output *a, struct str *out)
{
	size_t start;

	if (a->head.is_legacy) { /* cut to max_len */
		start = of_begin_nicira(out, 39);
		of_put16(out, of_port_to_10(a->port));
		of_put32(out, a->max_len);
	} else if (version == OF10) {
		start = of_begin(out, 0);
		of_put16(out, of_port_to_10(a->port));
		of_put16(out, a->max_len);
	} else {
		start = of_begin(out, 0);
		of_put32(out, a->port);
		of_put16(out, a->max_len);
		of_put_zeros(out, 6);
	}
	of_end(out, start);
}

static void
encode_enqueue(enum of_version version, const struct flow_enqueue *a, struct str *out)
{
	size_t start;

	if (version == OF10) {
		start = of_begin(out, 11);
		of_put16(out, of_port_to_10(a->port));
		of_put_zeros(out, 6);
		of_put32(out, a->queue);
		of_end(out, start);
		return;
	}
	put_number(out, 21, 4, a->queue);
	encode_output(version,
	              &(struct flow_output){.head = {.type = ACTION_OUTPUT},
	                                    .port = a->port,
	                                    .max_len = UINT16_MAX},
	              out);
	start = of_begin_nicira(out, 5);
	of_put_zeros(out, 6);
	of_end(out, start);
}

static void
encode_copy_field(enum of_version version, const struct flow_move *a, struct str *out)
{
	size_t start = of_begin(out, COPY_FIELD);

	of_put16(out, a->from.n_bits);
	of_put16(out, a->from.first_bit);
	of_put16(out, a->to.first_bit);
	of_put16(out, 0);
	of_field_header_encode(of_subfield_version(version, &a->from), a->from.field,
	                       false, out);
	of_field_header_encode(of_subfield_version(version, &a->to), a->to.field, false,
	                       out);
	of_end(out, start);
}

static void
encode_address(enum of_version version, const struct flow_address *a, struct str *out)
{
	bool is_src = a->head.type == ACTION_SET_ETH_SRC;

	put_address(out, (uint16_t)((is_src ? 3 : 4) + (version == OF10)), a->bytes);
}

static void
encode_one(enum of_version version, const struct flow_action *action, struct str *out)
{
	const struct flow_ids *ids = (const void *)action;
	bool is_eth =
		action->type == ACTION_SET_ETH_SRC || action->type == ACTION_SET_ETH_DST;

	if (action->type == ACTION_OUTPUT)
		encode_output(version, (const void *)action, out);
	else if (action->type == ACTION_ENQUEUE)
		encode_enqueue(version, (const void *)action, out);
	else if (action->type == ACTION_SET_FIELD)
		of_encode_set_field(version, (const void *)action, out);
	else if (action->type == ACTION_MOVE && version >= OF15)
		encode_copy_field(version, (const void *)action, out);
	else if (action->type == ACTION_DEC_TTL && version >= OF11 &&
	         (ids->n == 0 || (ids->n == 1 && ids->ids[0] == 0)))
		put_number(out, 24, 0, 0);
	else if (is_eth && version < OF12)
		encode_address(version, (const void *)action, out);
	else if (!encode_simple(version, action, out) &&
	         !(version >= OF12 && encode_as_set_field(version, action, out)))
		(void)of_encode_nicira(version, action, out);
}

void
of_actions_encode(enum of_version version, const void *records, size_t bytes,
                  struct str *out)
{
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	encode_one(version, action, out);
}
