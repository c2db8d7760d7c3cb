/* of_actions_nicira.c - reads Nicira's actions, and ONF's copy-field of 1.3. Below
 * of_actions.c, beside of_learn.c. No state, any thread. */
#include <errno.h>

#include "openflow/of_actions_private.h"
#include "openflow/of_match.h"
#include "openflow/of_match_private.h"
#include "openflow/of_oxm.h"
#include "openflow/of_wire.h"

#define ONF_COPY_FIELD 3200

/* A destination of 4 bytes at 'at', with its bits as one number of 16 bits. */
static int
decode_destination(struct of_decoder *d, const uint8_t *p, size_t at, unsigned bits,
                   struct flow_subfield *sub)
{
	int err =
		of_decode_subfield(d, p, at + 4, &at, bits >> 6, (bits & 0x3f) + 1, sub);

	return err ? err : of_subfield_check(sub, true, d->error);
}

static int
decode_reg_load(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_subfield to;
	struct flow_set_field *a;
	unsigned n_bytes;
	uint64_t value = of_get64(p + 16);
	int err = decode_destination(d, p, 12, of_get16(p + 10), &to);

	(void)n;
	if (err && d->error && d->error->id == OFERR_BAD_MATCH_FIELD)
		d->error->id = OFERR_BAD_ACTION_SET_TYPE;
	if (err)
		return err;
	if (to.n_bits < 64 && value >> to.n_bits)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "the value is wider than %u bits", to.n_bits);
	a = of_decoder_add(d, ACTION_SET_FIELD, sizeof(*a));
	a->head.is_legacy = true;
	a->field = to.field;
	n_bytes = flow_field_get(to.field)->n_bytes;
	/* nxm's in_port is 1.0's: the whole of it is the whole port. */
	if (to.field == FIELD_IN_PORT && p[15] == 2 && to.n_bits == 16) {
		of_set32(a->value.bytes, of_port_from_10((uint16_t)value));
		of_oxm_full_mask(to.field, &a->mask);
		return 0;
	}
	of_value_set_bits(&a->value, n_bytes, to.first_bit, to.n_bits, value);
	of_value_set_bits(&a->mask, n_bytes, to.first_bit, to.n_bits, UINT64_MAX);
	if (!of_oxm_value_is_valid(to.field, &a->value))
		return of_fail(d->error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "%s cannot have this value",
		               flow_field_get(to.field)->name);
	return 0;
}

static int
decode_reg_load2(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_set_field *a;
	struct flow_value value, mask;
	enum flow_field_id field;
	bool has_mask;
	size_t used;

	/* Right behind the subtype: no padding in front, but at the end. */
	if (of_field_decode(d->version, p + 10, n - 10, &field, &value, &mask, &has_mask,
	                    &used, d->error)) {
		if (d->error && d->error->id != OFERR_NXFM_TLV_FIELD)
			d->error->id = OFERR_BAD_ACTION_SET_ARGUMENT;
		return -EPROTO;
	}
	if (!flow_field_get(field)->is_writable)
		return of_fail(d->error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "%s cannot be written", flow_field_get(field)->name);
	a = of_decoder_add(d, ACTION_SET_FIELD, sizeof(*a));
	a->field = field;
	a->value = value;
	a->mask = mask;
	return 0;
}

/* Nicira's move and 1.5's copy-field: width, first bits, two headers, from 'offset' on.
 */
int
of_decode_reg_move(struct of_decoder *d, const uint8_t *p, size_t n, size_t offset)
{
	unsigned n_bits = of_get16(p + offset), from_bit = of_get16(p + offset + 2),
		 to_bit = of_get16(p + offset + 4);
	/* Copy-fields have two bytes of padding, so that headers are aligned. */
	size_t at = offset == 10 ? 16 : offset + 8;
	struct flow_subfield from, to;
	struct flow_move *a;
	int err;

	if (at > n)
		return of_fail(d->error, OFERR_BAD_ACTION_LEN, "a move is cut short");
	err = of_decode_subfield(d, p, n, &at, from_bit, n_bits, &from);
	if (!err)
		err = of_decode_subfield(d, p, n, &at, to_bit, n_bits, &to);
	if (!err && of_round8(at) != n)
		err = of_fail(d->error, OFERR_BAD_ACTION_LEN, "a move has %zu bytes", n);
	if (!err)
		err = of_subfield_check(&from, false, d->error);
	if (!err)
		err = of_subfield_check(&to, true, d->error);
	if (err)
		return err;
	a = of_decoder_add(d, ACTION_MOVE, sizeof(*a));
	a->from = from;
	a->to = to;
	return 0;
}

static int
decode_move(struct of_decoder *d, const uint8_t *p, size_t n)
{
	return of_decode_reg_move(d, p, n, 10);
}

static int
decode_resubmit(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_resubmit *a = of_decoder_add(d, ACTION_RESUBMIT, sizeof(*a));
	unsigned subtype = of_get16(p + 8);

	(void)n;
	a->in_port = of_port_from_10(of_get16(p + 10));
	a->table = subtype == 1 ? FLOW_TABLE_NONE : p[12];
	a->with_ct = subtype == 44;
	a->head.is_legacy = subtype == 1;
	return 0;
}

static int
decode_set_tunnel(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_number *a = of_decoder_add(d, ACTION_SET_TUNNEL, sizeof(*a));

	a->value = n == 24 ? of_get64(p + 16) : of_get32(p + 12);
	a->head.is_legacy = n == 24; /* shown as set_tunnel64 */
	return 0;
}

static int
decode_set_queue(struct of_decoder *d, const uint8_t *p, size_t n)
{
	(void)n;
	return of_decoder_add_number(d, ACTION_SET_QUEUE, of_get32(p + 12));
}

static int
decode_group(struct of_decoder *d, const uint8_t *p, size_t n)
{
	(void)n;
	if (of_get32(p + 12) > OF_GROUP_MAX)
		return of_fail(d->error, OFERR_BAD_ACTION_OUT_GROUP,
		               "group %u is reserved", of_get32(p + 12));
	return of_decoder_add_number(d, ACTION_GROUP, of_get32(p + 12));
}

static int
decode_empty(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_ids *ids;

	(void)n;
	switch (of_get16(p + 8)) {
	case 5:
		return of_decoder_add_empty(d, ACTION_POP_QUEUE);
	case 17:
		return of_decoder_add_empty(d, ACTION_EXIT);
	case 18:
		ids = of_decoder_add(d, ACTION_DEC_TTL, sizeof(*ids) + sizeof(uint16_t));
		ids->n = 1;
		return 0;
	case 26:
		return of_decoder_add_empty(d, ACTION_DEC_MPLS_TTL);
	default:
		return of_decoder_add_empty(d, ACTION_CT_CLEAR);
	}
}

static int
decode_note(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_bytes *a = of_decoder_add(d, ACTION_NOTE, sizeof(*a) + n - 10);

	a->n = (uint32_t)(n - 10);
	memcpy(a->data, p + 10, n - 10);
	return 0;
}

static int
decode_multipath(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_multipath *a;
	struct flow_subfield to;
	unsigned fields = of_get16(p + 10), algorithm = of_get16(p + 16),
		 max_link = of_get16(p + 18);
	int err = decode_destination(d, p, 28, of_get16(p + 26), &to);

	(void)n;
	if (err)
		return err;
	if (fields > 6 || algorithm > 3 ||
	    (to.n_bits < 16 && max_link >= 1U << to.n_bits))
		return of_fail(
			d->error, OFERR_BAD_ACTION_ARGUMENT,
			"multipath: unknown fields or algorithm, or more links than the field holds");
	a = of_decoder_add(d, ACTION_MULTIPATH, sizeof(*a));
	a->fields = (uint8_t)fields;
	a->basis = of_get16(p + 12);
	a->algorithm = (uint16_t)algorithm;
	a->max_link = (uint16_t)max_link;
	a->argument = of_get32(p + 20);
	a->to = to;
	return 0;
}

static int
decode_bundle(struct of_decoder *d, const uint8_t *p, size_t n)
{
	unsigned algorithm = of_get16(p + 10), fields = of_get16(p + 12),
		 n_ports = of_get16(p + 20);
	bool is_load = of_get16(p + 8) == 13;
	struct flow_subfield to = {FIELD_NONE, 0, 0};
	struct flow_bundle *a;
	int err;

	if (algorithm > 1 || fields > 6 || of_get32(p + 16) != 2)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "bundle: unknown algorithm, fields or kind of member");
	if (32 + 2 * (size_t)n_ports > n)
		return of_fail(d->error, OFERR_BAD_ACTION_LEN,
		               "a bundle of %u members is cut short", n_ports);
	if (is_load) {
		err = decode_destination(d, p, 24, of_get16(p + 22), &to);
		if (err)
			return err;
		if (to.n_bits < 16)
			return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
			               "bundle_load writes at least 16 bits");
	}
	a = of_decoder_add(d, ACTION_BUNDLE, sizeof(*a) + 4 * (size_t)n_ports);
	a->algorithm = (uint8_t)algorithm;
	a->fields = (uint8_t)fields;
	a->basis = of_get16(p + 14);
	a->to = to;
	a->n = n_ports;
	for (unsigned i = 0; i < n_ports; i++)
		a->ports[i] = of_port_from_10(of_get16(p + 32 + 2 * i));
	return 0;
}

static int
decode_output_reg(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_output_field *a;
	struct flow_subfield from;
	unsigned bits = of_get16(p + 10);
	bool is_2 = of_get16(p + 8) == 32;
	size_t at = is_2 ? 14 : 12;
	int err = of_decode_subfield(d, p, n, &at, bits >> 6, (bits & 0x3f) + 1, &from);

	if (!err)
		err = of_subfield_check(&from, false, d->error);
	if (err)
		return err;
	a = of_decoder_add(d, ACTION_OUTPUT_FIELD, sizeof(*a));
	a->from = from;
	a->max_len = of_get16(p + (is_2 ? 12 : 16));
	return 0;
}

static int
decode_output_trunc(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_output *a;
	uint32_t max_len = of_get32(p + 12);

	(void)n;
	if (max_len < 14)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "a packet cannot be cut to %u bytes", max_len);
	a = of_decoder_add(d, ACTION_OUTPUT, sizeof(*a));
	a->head.is_legacy = true;
	a->port = of_port_from_10(of_get16(p + 10));
	a->max_len = (uint16_t)MIN_OF(max_len, UINT16_MAX);
	return 0;
}

static int
decode_stack(struct of_decoder *d, const uint8_t *p, size_t n)
{
	bool is_pop = of_get16(p + 8) == 28;
	struct flow_subfield field;
	struct flow_stack *a;
	size_t at = 12;
	int err = of_decode_subfield(d, p, n, &at, of_get16(p + 10), 1, &field);

	if (err)
		return err;
	if (at + 2 > n)
		return of_fail(d->error, OFERR_BAD_ACTION_LEN,
		               "push or pop is cut short");
	field.n_bits = of_get16(p + at);
	err = of_subfield_check(&field, is_pop, d->error);
	if (err)
		return err;
	a = of_decoder_add(d, is_pop ? ACTION_STACK_POP : ACTION_STACK_PUSH, sizeof(*a));
	a->field = field;
	return 0;
}

static int
decode_dec_ttl_ids(struct of_decoder *d, const uint8_t *p, size_t n)
{
	unsigned count = of_get16(p + 10);
	struct flow_ids *a;

	if (count == 0 || 16 + 2 * (size_t)count > n)
		return of_fail(d->error, OFERR_BAD_ACTION_LEN,
		               "dec_ttl for %u controllers is cut short", count);
	a = of_decoder_add(d, ACTION_DEC_TTL, sizeof(*a) + 2 * (size_t)count);
	a->head.is_legacy = true;
	a->n = count;
	for (unsigned i = 0; i < count; i++)
		a->ids[i] = of_get16(p + 16 + 2 * i);
	return 0;
}

static int
decode_fin_timeout(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_fin_timeout *a = of_decoder_add(d, ACTION_FIN_TIMEOUT, sizeof(*a));

	(void)n;
	a->idle_s = of_get16(p + 10);
	a->hard_s = of_get16(p + 12);
	return 0;
}

static int
decode_controller(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_controller *a = of_decoder_add(d, ACTION_CONTROLLER, sizeof(*a));

	(void)n;
	a->head.is_legacy = true;
	a->max_len = of_get16(p + 10);
	a->controller_id = of_get16(p + 12);
	a->reason = p[14];
	return 0;
}

/* One property of controller2; 'n' is its length with the head of 4 bytes. */
static int
decode_controller_property(struct of_decoder *d, struct flow_controller *a,
                           const uint8_t **userdata, const uint8_t *p, size_t n)
{
	/* At least; some count their padding. */
	static const uint8_t sizes[] = {2, 2, 1, 0, 0, 4};
	unsigned type = of_get16(p);

	if (type >= sizeof(sizes))
		return of_fail(d->error, OFERR_BAD_PROPERTY_TYPE,
		               "unknown property %u of a controller action", type);
	if (n < 4U + sizes[type])
		return of_fail(d->error, OFERR_BAD_PROPERTY_LEN,
		               "property %u of a controller action has %zu bytes", type,
		               n);
	switch (type) {
	case 0:
		a->max_len = of_get16(p + 4);
		break;
	case 1:
		a->controller_id = of_get16(p + 4);
		break;
	case 2:
		a->reason = p[4];
		break;
	case 3:
		*userdata = p + 4;
		a->n_userdata = (uint32_t)(n - 4);
		break;
	case 4:
		a->pause = true;
		break;
	default:
		a->meter = of_get32(p + 4);
		break;
	}
	return 0;
}

static int
decode_controller2(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_controller found = {.max_len = UINT16_MAX, .reason = 1}, *a;
	const uint8_t *userdata = NULL;
	struct flow_action head;

	for (size_t at = 16; at < n;) {
		size_t bytes = n - at >= 4 ? of_get16(p + at + 2) : 0;
		int err;

		if (bytes < 4 || bytes > n - at)
			return of_fail(d->error, OFERR_BAD_PROPERTY_LEN,
			               "a property of a controller action is cut short");
		err = decode_controller_property(d, &found, &userdata, p + at, bytes);
		if (err)
			return err;
		at += MIN_OF(of_round8(bytes), n - at);
	}
	a = of_decoder_add(d, ACTION_CONTROLLER, sizeof(*a) + found.n_userdata);
	head = a->head;
	*a = found;
	a->head = head;
	if (userdata)
		memcpy(a->userdata, userdata, found.n_userdata);
	return 0;
}

/* Actions on MPLS that later are OpenFlow's own. */
static int
decode_mpls(struct of_decoder *d, const uint8_t *p, size_t n)
{
	unsigned type = of_get16(p + 10);

	(void)n;
	switch (of_get16(p + 8)) {
	case 23:
		if (type != 0x8847 && type != 0x8848)
			return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
			               "0x%x is no type of MPLS", type);
		return of_decoder_add_number(d, ACTION_PUSH_MPLS, type);
	case 24:
		return of_decoder_add_number(d, ACTION_POP_MPLS, type);
	case 25:
		return of_decoder_add_number(d, ACTION_SET_MPLS_TTL, p[10]);
	case 30:
		if (of_get32(p + 12) >> 20)
			return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
			               "MPLS label %u is out of range", of_get32(p + 12));
		return of_decoder_add_number(d, ACTION_SET_MPLS_LABEL, of_get32(p + 12));
	default:
		if (p[10] > 7)
			return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
			               "MPLS class %u is out of range", p[10]);
		return of_decoder_add_number(d, ACTION_SET_MPLS_TC, p[10]);
	}
}

static int
decode_sample(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_sample *a;

	if (of_get16(p + 10) == 0)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "sample with probability 0");
	if (n == 32 && p[26] > 2)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "unknown direction %u of a sample", p[26]);
	a = of_decoder_add(d, ACTION_SAMPLE, sizeof(*a));
	a->probability = of_get16(p + 10);
	a->collector_set = of_get32(p + 12);
	a->domain = of_get32(p + 16);
	a->point = of_get32(p + 20);
	a->port = FLOW_PORT_NONE;
	if (n == 32) {
		a->port = of_port_from_10(of_get16(p + 24));
		a->direction = p[26];
	}
	return 0;
}

static int
decode_conjunction(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_conjunction *a;

	(void)n;
	/* Clauses count from 0 on the wire. */
	if (p[11] < 2 || p[11] > 64 || p[10] >= p[11])
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "conjunction of clause %u of %u", p[10] + 1, p[11]);
	a = of_decoder_add(d, ACTION_CONJUNCTION, sizeof(*a));
	a->clause = p[10];
	a->n_clauses = p[11];
	a->id = of_get32(p + 12);
	return 0;
}

static int
decode_ct(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_ct found = {.flags = of_get16(p + 10), .zone = of_get16(p + 16)}, *a;
	bool was_in_ct = d->in_ct;
	struct flow_action head;
	size_t mark, at = 12;
	int err;

	if (of_get32(p + 12)) {
		unsigned bits = found.zone;

		err = of_decode_subfield(d, p, 16, &at, bits >> 6, (bits & 0x3f) + 1,
		                         &found.zone_from);
		if (!err)
			err = of_subfield_check(&found.zone_from, false, d->error);
		if (err)
			return err;
		if (found.zone_from.n_bits != 16)
			return of_fail(d->error, OFERR_BAD_ACTION_SET_LEN,
			               "a zone has 16 bits, not %u",
			               found.zone_from.n_bits);
		found.zone = 0;
	}
	if ((found.flags & 3) == 2)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "ct: force needs commit");
	found.recirc_table = p[18];
	found.alg = of_get16(p + 22);
	mark = flow_actions_begin_nested(d->out, ACTION_CT, sizeof(*a));
	a = (void *)(d->out->data + mark);
	head = a->head;
	*a = found;
	a->head = head;
	d->in_ct = true;
	err = of_decode_list(d, p + 24, n - 24);
	d->in_ct = was_in_ct;
	if (!err)
		flow_actions_end_nested(d->out, mark);
	return err;
}

static int
decode_nat(struct of_decoder *d, const uint8_t *p, size_t n)
{
	/* What each bit of 'present' brings. */
	static const uint8_t sizes[] = {4, 4, 16, 16, 2, 2};
	unsigned present = of_get16(p + 14);
	struct flow_nat found = {.flags = of_get16(p + 12)}, *a;
	struct flow_action head;
	void *to[] = {found.min_ip, found.max_ip, found.min_ip, found.max_ip, NULL, NULL};
	size_t at = 16;

	if (!d->in_ct)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "nat stands inside of ct only");
	if (present >> 6 || ((present & 3) && (present & 12)) || (present & 3) == 2 ||
	    (present & 12) == 8 || (present & 48) == 32)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "nat: ranges 0x%x do not go together", present);
	for (unsigned i = 0; i < sizeof(sizes); i++) {
		if (!(present >> i & 1))
			continue;
		if (at + sizes[i] > n)
			return of_fail(d->error, OFERR_BAD_ACTION_LEN,
			               "nat is cut short");
		if (i == 4)
			found.min_port = of_get16(p + at);
		else if (i == 5)
			found.max_port = of_get16(p + at);
		else
			memcpy(to[i], p + at, sizes[i]);
		at += sizes[i];
	}
	found.has_ipv4 = present & 3;
	found.has_ipv6 = present & 12;
	a = of_decoder_add(d, ACTION_NAT, sizeof(*a));
	head = a->head;
	*a = found;
	a->head = head;
	return 0;
}

static int
decode_clone(struct of_decoder *d, const uint8_t *p, size_t n)
{
	size_t mark = flow_actions_begin_nested(d->out, ACTION_CLONE,
	                                        sizeof(struct flow_nested));
	bool was_in_ct = d->in_ct;
	int err;

	d->in_ct = false;
	err = of_decode_list(d, p + 16, n - 16);
	d->in_ct = was_in_ct;
	if (!err)
		flow_actions_end_nested(d->out, mark);
	return err;
}

static int
decode_check_larger(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_check_larger *a;
	struct flow_subfield to;
	size_t at = 14;
	int err = of_decode_subfield(d, p, n, &at, of_get16(p + 12), 1, &to);

	if (!err)
		err = of_subfield_check(&to, true, d->error);
	if (err)
		return err;
	a = of_decoder_add(d, ACTION_CHECK_LARGER, sizeof(*a));
	a->to = to;
	a->length = of_get16(p + 10);
	return 0;
}

static int
decode_delete_field(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_subfield field;
	struct flow_stack *a;
	size_t at = 10;
	int err = of_decode_subfield(d, p, n, &at, 0, 1, &field);

	if (err)
		return err;
	field.n_bits = flow_field_get(field.field)->n_bits;
	a = of_decoder_add(d, ACTION_DELETE_FIELD, sizeof(*a));
	a->field = field;
	return 0;
}

static int
decode_write_metadata(struct of_decoder *d, const uint8_t *p, size_t n)
{
	struct flow_metadata *a;

	(void)n;
	if (d->version != OF10 || d->depth > 1)
		return of_fail(d->error, OFERR_BAD_ACTION_EXP_TYPE,
		               "write_metadata is an instruction here");
	if (d->has_metadata)
		return of_fail(d->error, OFERR_BAD_INSTRUCTION_DUP,
		               "write_metadata is given twice");
	d->has_metadata = true;
	a = of_decoder_add(d, ACTION_WRITE_METADATA, sizeof(*a));
	a->mask = of_get64(p + 24);
	a->value = of_get64(p + 16);
	return 0;
}

static int
decode_learn(struct of_decoder *d, const uint8_t *p, size_t n)
{
	return of_decode_learn(d, p, n, of_get16(p + 8) == 45);
}

/* By subtype: shortest and longest. */
static const struct nicira {
	uint16_t min_bytes, max_bytes;
	int (*decode)(struct of_decoder *d, const uint8_t *p, size_t n);
} nicira[] = {
	[1] = {16, 16, decode_resubmit},
	[2] = {16, 16, decode_set_tunnel},
	[4] = {16, 16, decode_set_queue},
	[5] = {16, 16, decode_empty},
	[6] = {24, UINT16_MAX, decode_move},
	[7] = {24, 24, decode_reg_load},
	[8] = {16, UINT16_MAX, decode_note},
	[9] = {24, 24, decode_set_tunnel},
	[10] = {32, 32, decode_multipath},
	[12] = {32, UINT16_MAX, decode_bundle},
	[13] = {32, UINT16_MAX, decode_bundle},
	[14] = {16, 16, decode_resubmit},
	[15] = {24, 24, decode_output_reg},
	[16] = {32, UINT16_MAX, decode_learn},
	[17] = {16, 16, decode_empty},
	[18] = {16, 16, decode_empty},
	[19] = {16, 16, decode_fin_timeout},
	[20] = {16, 16, decode_controller},
	[21] = {16, UINT16_MAX, decode_dec_ttl_ids},
	[22] = {32, 32, decode_write_metadata},
	[23] = {16, 16, decode_mpls},
	[24] = {16, 16, decode_mpls},
	[25] = {16, 16, decode_mpls},
	[26] = {16, 16, decode_empty},
	[27] = {24, 24, decode_stack},
	[28] = {24, 24, decode_stack},
	[29] = {24, 24, decode_sample},
	[30] = {16, 16, decode_mpls},
	[31] = {16, 16, decode_mpls},
	[32] = {24, 24, decode_output_reg},
	[33] = {16, UINT16_MAX, decode_reg_load2},
	[34] = {16, 16, decode_conjunction},
	[35] = {24, UINT16_MAX, decode_ct},
	[36] = {16, UINT16_MAX, decode_nat},
	[37] = {16, UINT16_MAX, decode_controller2},
	[38] = {32, 32, decode_sample},
	[39] = {16, 16, decode_output_trunc},
	[40] = {16, 16, decode_group},
	[41] = {32, 32, decode_sample},
	[42] = {16, UINT16_MAX, decode_clone},
	[43] = {16, 16, decode_empty},
	[44] = {16, 16, decode_resubmit},
	[45] = {40, UINT16_MAX, decode_learn},
	[49] = {24, 24, decode_check_larger},
	[50] = {24, 24, decode_delete_field},
};

int
of_decode_experimenter(struct of_decoder *d, const uint8_t *p, size_t n)
{
	uint32_t vendor = of_get32(p + 4);
	unsigned subtype;

	if (vendor != OF_VENDOR_NICIRA && vendor != OF_VENDOR_ONF)
		return of_fail(d->error, OFERR_BAD_ACTION_EXPERIMENTER,
		               "unknown experimenter 0x%x of an action", vendor);
	if (n < 16)
		return of_fail(d->error, OFERR_BAD_ACTION_LEN,
		               "an experimenter's action has %zu bytes", n);
	subtype = of_get16(p + 8);
	if (vendor == OF_VENDOR_ONF) {
		if (subtype != ONF_COPY_FIELD)
			return of_fail(d->error, OFERR_BAD_ACTION_EXP_TYPE,
			               "unknown action %u of ONF", subtype);
		return n < 24 ? of_fail(d->error, OFERR_BAD_ACTION_LEN,
		                        "copy-field has %zu bytes", n)
		              : of_decode_reg_move(d, p, n, 12);
	}
	if (subtype >= ARRAY_SIZE(nicira) || !nicira[subtype].decode)
		return of_fail(d->error, OFERR_BAD_ACTION_EXP_TYPE,
		               "unknown action %u of Nicira", subtype);
	if (n < nicira[subtype].min_bytes || n > nicira[subtype].max_bytes)
		return of_fail(d->error, OFERR_BAD_ACTION_LEN,
		               "action %u of Nicira has %zu bytes", subtype, n);
	return nicira[subtype].decode(d, p, n);
}
