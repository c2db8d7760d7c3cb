/* of_actions_nicira_encode.c - writes Nicira's actions, for what a version has no own
 * form of. Below of_actions_encode.c. No state, any thread. */
#include "openflow/of_actions.h"
#include "openflow/of_actions_private.h"
#include "openflow/of_match.h"
#include "openflow/of_match_private.h"
#include "openflow/of_wire.h"

#define EXPERIMENTER 0xffff

size_t
of_begin_nicira(struct str *out, uint16_t subtype)
{
	size_t start = of_begin(out, EXPERIMENTER);

	of_put32(out, OF_VENDOR_NICIRA);
	of_put16(out, subtype);
	return start;
}

void
of_put_offset_bits(struct str *out, const struct flow_subfield *sub)
{
	of_put16(out, (uint16_t)(sub->first_bit << 6 | (sub->n_bits - 1)));
}

static void
put_header(struct str *out, const struct flow_subfield *sub)
{
	of_field_header_encode(of_subfield_version(OF10, sub), sub->field, false, out);
}

/* A number of so many bytes after the subtype's padding; the rest is zero. */
static void
put_number(struct str *out, uint16_t subtype, unsigned padding, unsigned n_bytes,
           uint64_t value)
{
	size_t start = of_begin_nicira(out, subtype);

	of_put_zeros(out, padding);
	if (n_bytes == 1)
		of_put8(out, (uint8_t)value);
	else if (n_bytes == 2)
		of_put16(out, (uint16_t)value);
	else if (n_bytes == 4)
		of_put32(out, (uint32_t)value);
	else if (n_bytes == 8)
		of_put64(out, value);
	of_end(out, start);
}

static void
encode_resubmit(const struct flow_resubmit *a, struct str *out)
{
	size_t start = of_begin_nicira(out, a->with_ct ? 44 : 14);

	of_put16(out, of_port_to_10(a->in_port));
	of_put8(out, a->table);
	of_end(out, start);
}

static void
encode_move(const struct flow_move *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 6);

	of_put16(out, a->from.n_bits);
	of_put16(out, a->from.first_bit);
	of_put16(out, a->to.first_bit);
	put_header(out, &a->from);
	put_header(out, &a->to);
	of_end(out, start);
}

static void
encode_stack(const struct flow_stack *a, struct str *out)
{
	size_t start = of_begin_nicira(out, a->head.type == ACTION_STACK_POP ? 28 : 27);

	of_put16(out, a->field.first_bit);
	put_header(out, &a->field);
	of_put16(out, a->field.n_bits);
	if (out->length - start < 24)
		of_put_zeros(out, 24 - (out->length - start));
	of_end(out, start);
}

static void
encode_output_field(const struct flow_output_field *a, struct str *out)
{
	struct str header = STR_INIT;
	size_t start;

	/* An experimenter's field does not fit the first form. */
	put_header(&header, &a->from);
	start = of_begin_nicira(out, header.length == 4 ? 15 : 32);
	of_put_offset_bits(out, &a->from);
	if (header.length == 4) {
		str_append_bytes(out, header.data, header.length);
		of_put16(out, a->max_len);
		of_put_zeros(out, 6);
	} else {
		of_put16(out, a->max_len);
		str_append_bytes(out, str_text(&header), header.length);
	}
	str_free(&header);
	of_end(out, start);
}

static void
encode_note(const struct flow_bytes *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 8);

	str_append_bytes(out, a->data, a->n);
	of_put_zeros(out, a->n < 6 ? 6 - a->n : 0);
	of_end(out, start);
}

static void
encode_multipath(const struct flow_multipath *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 10);

	of_put16(out, a->fields);
	of_put16(out, a->basis);
	of_put16(out, 0);
	of_put16(out, a->algorithm);
	of_put16(out, a->max_link);
	of_put32(out, a->argument);
	of_put16(out, 0);
	of_put_offset_bits(out, &a->to);
	put_header(out, &a->to);
	of_end(out, start);
}

static void
encode_bundle(const struct flow_bundle *a, struct str *out)
{
	bool is_load = a->to.field != FIELD_NONE;
	size_t start = of_begin_nicira(out, is_load ? 13 : 12);

	of_put16(out, a->algorithm);
	of_put16(out, a->fields);
	of_put16(out, a->basis);
	of_field_header_encode(OF10, FIELD_IN_PORT, false, out); /* of the members */
	of_put16(out, (uint16_t)a->n);
	if (is_load) {
		of_put_offset_bits(out, &a->to);
		put_header(out, &a->to);
	} else {
		of_put_zeros(out, 6);
	}
	of_put32(out, 0);
	for (uint32_t i = 0; i < a->n; i++)
		of_put16(out, of_port_to_10(a->ports[i]));
	of_end(out, start);
}

static void
put_property(struct str *out, uint16_t type, unsigned n_bytes, uint32_t value)
{
	size_t start = out->length;

	of_put16(out, type);
	of_put16(out, n_bytes == 2 ? 8 : (uint16_t)(4 + n_bytes));
	if (n_bytes == 1)
		of_put8(out, (uint8_t)value);
	else if (n_bytes == 2)
		of_put16(out, (uint16_t)value);
	else if (n_bytes == 4)
		of_put32(out, value);
	of_put_padding(out, start);
}

static void
encode_controller(const struct flow_controller *a, struct str *out)
{
	bool is_long = a->n_userdata || a->pause || a->meter;
	size_t start = of_begin_nicira(out, is_long ? 37 : 20), property;

	if (!is_long) {
		of_put16(out, a->max_len);
		of_put16(out, a->controller_id);
		of_put8(out, a->reason);
		of_end(out, start);
		return;
	}
	of_put_zeros(out, 6);
	if (a->max_len != UINT16_MAX)
		put_property(out, 0, 2, a->max_len);
	if (a->controller_id)
		put_property(out, 1, 2, a->controller_id);
	if (a->reason != 1)
		put_property(out, 2, 1, a->reason);
	if (a->n_userdata) {
		property = out->length;
		of_put16(out, 3);
		of_put16(out, (uint16_t)(4 + a->n_userdata));
		str_append_bytes(out, a->userdata, a->n_userdata);
		of_put_padding(out, property);
	}
	if (a->pause)
		put_property(out, 4, 0, 0);
	if (a->meter)
		put_property(out, 5, 4, a->meter);
	of_end(out, start);
}

static void
encode_dec_ttl(const struct flow_ids *a, struct str *out)
{
	size_t start;

	if (a->n == 0 || (a->n == 1 && a->ids[0] == 0)) {
		put_number(out, 18, 6, 0, 0);
		return;
	}
	start = of_begin_nicira(out, 21);
	of_put16(out, (uint16_t)a->n);
	of_put32(out, 0);
	for (uint32_t i = 0; i < a->n; i++)
		of_put16(out, a->ids[i]);
	of_end(out, start);
}

static void
encode_fin_timeout(const struct flow_fin_timeout *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 19);

	of_put16(out, a->idle_s);
	of_put16(out, a->hard_s);
	of_end(out, start);
}

static void
encode_sample(const struct flow_sample *a, struct str *out)
{
	bool has_port = a->port != FLOW_PORT_NONE;
	size_t start = of_begin_nicira(out, a->direction ? 41 : has_port ? 38 : 29);

	of_put16(out, a->probability);
	of_put32(out, a->collector_set);
	of_put32(out, a->domain);
	of_put32(out, a->point);
	if (has_port || a->direction) {
		of_put16(out, of_port_to_10(a->port));
		of_put8(out, (uint8_t)a->direction);
	}
	of_end(out, start);
}

static void
encode_conjunction(const struct flow_conjunction *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 34);

	of_put8(out, a->clause);
	of_put8(out, a->n_clauses);
	of_put32(out, a->id);
	of_end(out, start);
}

static void
encode_ct(enum of_version version, const struct flow_ct *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 35);

	of_put16(out, a->flags);
	if (a->zone_from.field != FIELD_NONE) {
		put_header(out, &a->zone_from);
		of_put_offset_bits(out, &a->zone_from);
	} else {
		of_put32(out, 0);
		of_put16(out, a->zone);
	}
	of_put8(out, a->recirc_table);
	of_put_zeros(out, 3);
	of_put16(out, a->alg);
	of_actions_encode(version, a->nested, a->nested_bytes, out);
	of_end(out, start);
}

static void
encode_nat(const struct flow_nat *a, struct str *out)
{
	unsigned n = a->has_ipv4 ? 4 : a->has_ipv6 ? 16 : 0, present = 0;
	size_t start = of_begin_nicira(out, 36);

	if (n) {
		present |= a->has_ipv4 ? 1 : 4;
		if (!of_is_zero(a->max_ip, n) && memcmp(a->max_ip, a->min_ip, n))
			present |= a->has_ipv4 ? 2 : 8;
	}
	if (a->min_port) {
		present |= 16;
		if (a->max_port && a->max_port != a->min_port)
			present |= 32;
	}
	of_put16(out, 0);
	of_put16(out, a->flags);
	of_put16(out, (uint16_t)present);
	if (n)
		str_append_bytes(out, a->min_ip, n);
	if (present & 10)
		str_append_bytes(out, a->max_ip, n);
	if (present & 16)
		of_put16(out, a->min_port);
	if (present & 32)
		of_put16(out, a->max_port);
	of_end(out, start);
}

static void
encode_clone(enum of_version version, const struct flow_nested *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 42);

	of_put_zeros(out, 6);
	of_actions_encode(version, a->nested, a->nested_bytes, out);
	of_end(out, start);
}

static void
encode_check_larger(const struct flow_check_larger *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 49);

	of_put16(out, a->length);
	of_put16(out, a->to.first_bit);
	put_header(out, &a->to);
	if (out->length - start < 24)
		of_put_zeros(out, 24 - (out->length - start));
	of_end(out, start);
}

static void
encode_delete_field(const struct flow_stack *a, struct str *out)
{
	size_t start = of_begin_nicira(out, 50);

	put_header(out, &a->field);
	of_put_zeros(out, 24 - (out->length - start));
	of_end(out, start);
}

/* What 1.0 has no instructions for. */
static void
encode_instruction(enum of_version version, const struct flow_action *action,
                   struct str *out)
{
	const struct flow_number *table = (const void *)action;
	const struct flow_metadata *m = (const void *)action;
	size_t start;

	if (version != OF10)
		return;
	if (action->type == ACTION_GOTO_TABLE) {
		encode_resubmit(&(struct flow_resubmit){.in_port = FLOW_PORT_IN_PORT,
		                                        .table = (uint8_t)table->value},
		                out);
		return;
	}
	start = of_begin_nicira(out, 22);
	of_put_zeros(out, 6);
	of_put64(out, m->value);
	of_put64(out, m->mask);
	of_end(out, start);
}

/* 1.0's words for fields that it has no actions for. */
static bool
encode_load(enum of_version version, const struct flow_number *number, struct str *out)
{
	struct flow_set_field a = {.head = {.type = ACTION_SET_FIELD, .is_legacy = true}};

	if (number->head.type == ACTION_SET_IP_ECN)
		a.field = FIELD_IP_ECN;
	else if (number->head.type == ACTION_SET_IP_TTL)
		a.field = FIELD_IP_TTL;
	else
		return false;
	a.value.bytes[0] = (uint8_t)number->value;
	a.mask.bytes[0] = a.field == FIELD_IP_ECN ? 3 : 0xff;
	of_encode_set_field(version, &a, out);
	return true;
}

static bool
encode_number(const struct flow_number *a, struct str *out)
{
	switch (a->head.type) {
	case ACTION_SET_TUNNEL:
		if (a->value > UINT32_MAX || a->head.is_legacy)
			put_number(out, 9, 6, 8, a->value);
		else
			put_number(out, 2, 2, 4, a->value);
		return true;
	case ACTION_SET_QUEUE:
		put_number(out, 4, 2, 4, a->value);
		return true;
	case ACTION_GROUP:
		put_number(out, 40, 2, 4, a->value);
		return true;
	case ACTION_PUSH_MPLS:
		put_number(out, 23, 0, 2, a->value);
		return true;
	case ACTION_POP_MPLS:
		put_number(out, 24, 0, 2, a->value);
		return true;
	case ACTION_SET_MPLS_TTL:
		put_number(out, 25, 0, 1, a->value);
		return true;
	case ACTION_SET_MPLS_LABEL:
		put_number(out, 30, 2, 4, a->value);
		return true;
	case ACTION_SET_MPLS_TC:
		put_number(out, 31, 0, 1, a->value);
		return true;
	default:
		return false;
	}
}

static bool
encode_bare(const struct flow_action *action, struct str *out)
{
	static const uint8_t subtypes[ACTION_N_TYPES] = {
		[ACTION_POP_QUEUE] = 5,
		[ACTION_EXIT] = 17,
		[ACTION_DEC_MPLS_TTL] = 26,
		[ACTION_CT_CLEAR] = 43,
	};

	if (action->type >= ACTION_N_TYPES || !subtypes[action->type])
		return false;
	put_number(out, subtypes[action->type], 6, 0, 0);
	return true;
}

static bool
encode_struct(enum of_version version, const struct flow_action *action, struct str *out)
{
	const void *a = action;

	switch (action->type) {
	case ACTION_RESUBMIT:
		return encode_resubmit(a, out), true;
	case ACTION_MOVE:
		return encode_move(a, out), true;
	case ACTION_STACK_PUSH:
	case ACTION_STACK_POP:
		return encode_stack(a, out), true;
	case ACTION_OUTPUT_FIELD:
		return encode_output_field(a, out), true;
	case ACTION_NOTE:
		return encode_note(a, out), true;
	case ACTION_MULTIPATH:
		return encode_multipath(a, out), true;
	case ACTION_BUNDLE:
		return encode_bundle(a, out), true;
	case ACTION_CONTROLLER:
		return encode_controller(a, out), true;
	case ACTION_DEC_TTL:
		return encode_dec_ttl(a, out), true;
	case ACTION_FIN_TIMEOUT:
		return encode_fin_timeout(a, out), true;
	case ACTION_SAMPLE:
		return encode_sample(a, out), true;
	case ACTION_CONJUNCTION:
		return encode_conjunction(a, out), true;
	case ACTION_LEARN:
		return of_encode_learn(a, out), true;
	case ACTION_CT:
		return encode_ct(version, a, out), true;
	case ACTION_NAT:
		return encode_nat(a, out), true;
	case ACTION_CLONE:
		return encode_clone(version, a, out), true;
	case ACTION_CHECK_LARGER:
		return encode_check_larger(a, out), true;
	case ACTION_DELETE_FIELD:
		return encode_delete_field(a, out), true;
	case ACTION_GOTO_TABLE:
	case ACTION_WRITE_METADATA:
		return encode_instruction(version, a, out), true;
	default:
		return false;
	}
}

bool
of_encode_nicira(enum of_version version, const struct flow_action *action,
                 struct str *out)
{
	return encode_struct(version, action, out) || encode_bare(action, out) ||
	       encode_number((const void *)action, out) ||
	       encode_load(version, (const void *)action, out);
}
