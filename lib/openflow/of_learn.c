/* of_learn.c - the action "learn", both ways: what a rule that it makes matches and does
 * is a list of copies between fields. For of_actions*.c. No state, any thread. */
#include <errno.h>

#include "openflow/of_actions_private.h"
#include "openflow/of_match.h"
#include "openflow/of_wire.h"

/* A copy's head. */
#define SPEC_CONSTANT 0x2000
#define SPEC_TO_SHIFT 11
#define SPEC_TO_MASK  3
#define SPEC_N_BITS   0x07ff

enum { TO_MATCH = 0, TO_LOAD = 1, TO_OUTPUT = 2 };

#define FLAGS_KNOWN  7 /* send_flow_rem, delete_learned, write_result */
#define WRITE_RESULT 4

/* Bytes at 'at' of the action. */
struct cursor {
	const uint8_t *p;
	size_t n, at;
};

static int
cut_short(struct of_decoder *d)
{
	return of_fail(d->error, OFERR_BAD_ACTION_LEN, "learn is cut short");
}

static int
read_subfield(struct of_decoder *d, struct cursor *c, unsigned n_bits, bool is_written,
              struct flow_subfield *sub)
{
	int err = of_decode_subfield(d, c->p, c->n, &c->at, 0, n_bits, sub);

	if (err)
		return err;
	if (c->n - c->at < 2)
		return cut_short(d);
	sub->first_bit = of_get16(c->p + c->at);
	c->at += 2;
	return of_subfield_check(sub, is_written, d->error);
}

/* A number of n_bits in as many 16-bit words as it takes. */
static int
read_constant(struct of_decoder *d, struct cursor *c, struct flow_learn_spec *spec)
{
	size_t bytes = 2 * ((spec->n_bits + 15U) / 16), own = (spec->n_bits + 7U) / 8;

	if (bytes > c->n - c->at)
		return cut_short(d);
	if (own > sizeof(spec->value.bytes))
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "learn: no field has %u bits", spec->n_bits);
	memcpy(spec->value.bytes, c->p + c->at + (bytes - own), own);
	if (spec->n_bits % 8)
		spec->value.bytes[0] &= (uint8_t)(0xff >> (8 - spec->n_bits % 8));
	c->at += bytes;
	return 0;
}

static int
read_spec(struct of_decoder *d, struct cursor *c, unsigned head,
          struct flow_learn_spec *spec)
{
	int err;

	memset(spec, 0, sizeof(*spec));
	spec->n_bits = head & SPEC_N_BITS;
	spec->to_type = head >> SPEC_TO_SHIFT & SPEC_TO_MASK;
	spec->from_type = head & SPEC_CONSTANT ? 1 : 0;
	if ((head & ~(SPEC_CONSTANT | SPEC_N_BITS | SPEC_TO_MASK << SPEC_TO_SHIFT)) ||
	    spec->to_type > TO_OUTPUT ||
	    (spec->to_type == TO_OUTPUT && spec->from_type) || spec->n_bits == 0)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "learn: unknown kind of copy 0x%x", head);
	err = spec->from_type ? read_constant(d, c, spec)
	                      : read_subfield(d, c, spec->n_bits, false, &spec->from);
	if (!err && spec->to_type != TO_OUTPUT)
		err = read_subfield(d, c, spec->n_bits, spec->to_type == TO_LOAD,
		                    &spec->to);
	return err;
}

static int
read_result(struct of_decoder *d, struct cursor *c, struct flow_learn *a)
{
	unsigned first_bit;
	int err;

	a->limit = of_get32(c->p + 32);
	first_bit = of_get16(c->p + 36);
	c->at = 40;
	if (!(a->flags & WRITE_RESULT))
		return 0;
	err = of_decode_subfield(d, c->p, c->n, &c->at, first_bit, 1, &a->result);
	return err ? err : of_subfield_check(&a->result, true, d->error);
}

/* How many copies there are, and the copies where 'specs' has room for them. */
static int
read_specs(struct of_decoder *d, struct cursor c, struct flow_learn_spec *specs)
{
	struct flow_learn_spec spec;
	int n_specs = 0;

	while (c.n - c.at >= 2 && of_get16(c.p + c.at)) {
		unsigned head = of_get16(c.p + c.at);

		c.at += 2;
		if (read_spec(d, &c, head, specs ? &specs[n_specs] : &spec))
			return -EPROTO;
		n_specs++;
	}
	if (!of_is_zero(c.p + c.at, c.n - c.at))
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "learn's padding is not zero");
	return n_specs;
}

int
of_decode_learn(struct of_decoder *d, const uint8_t *p, size_t n, bool is_learn2)
{
	struct cursor c = {p, n, 32};
	struct flow_learn found = {
		.idle_s = of_get16(p + 10),
		.hard_s = of_get16(p + 12),
		.priority = of_get16(p + 14),
		.cookie = of_get64(p + 16),
		.flags = of_get16(p + 24),
		.table = p[26],
		.fin_idle_s = of_get16(p + 28),
		.fin_hard_s = of_get16(p + 30),
	};
	struct flow_learn *a;
	struct flow_action head;
	int n_specs;

	if ((found.flags & ~(is_learn2 ? FLAGS_KNOWN : FLAGS_KNOWN & ~WRITE_RESULT)) ||
	    found.table == FLOW_TABLE_NONE)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "learn: unknown flags 0x%x, or no table", found.flags);
	if (is_learn2 && read_result(d, &c, &found))
		return -EPROTO;
	n_specs = read_specs(d, c, NULL);
	if (n_specs < 0)
		return n_specs;
	found.n = (uint32_t)n_specs;
	a = of_decoder_add(d, ACTION_LEARN, sizeof(*a) + found.n * sizeof(*a->specs));
	head = a->head;
	*a = found;
	a->head = head;
	return read_specs(d, c, a->specs) < 0 ? -EPROTO : 0;
}

/* The width that a constant takes on the wire. */
static void
put_constant(const struct flow_learn_spec *spec, struct str *out)
{
	size_t bytes = 2 * ((spec->n_bits + 15U) / 16), own = (spec->n_bits + 7U) / 8;

	of_put_zeros(out, bytes - own);
	str_append_bytes(out, spec->value.bytes, own);
}

static void
put_subfield(const struct flow_subfield *sub, unsigned n_bits, struct str *out)
{
	const struct flow_subfield part = {sub->field, sub->first_bit, (uint16_t)n_bits};

	of_field_header_encode(of_subfield_version(OF10, &part), sub->field, false, out);
	of_put16(out, sub->first_bit);
}

void
of_encode_learn(const struct flow_learn *a, struct str *out)
{
	bool is_learn2 = a->limit || (a->flags & WRITE_RESULT);
	size_t start = of_begin_nicira(out, is_learn2 ? 45 : 16);

	of_put16(out, a->idle_s);
	of_put16(out, a->hard_s);
	of_put16(out, a->priority);
	of_put64(out, a->cookie);
	of_put16(out, a->flags);
	of_put8(out, a->table);
	of_put8(out, 0);
	of_put16(out, a->fin_idle_s);
	of_put16(out, a->fin_hard_s);
	if (is_learn2) {
		of_put32(out, a->limit);
		of_put16(out, a->flags & WRITE_RESULT ? a->result.first_bit : 0);
		of_put16(out, 0);
		if (a->flags & WRITE_RESULT)
			of_field_header_encode(OF10, a->result.field, false, out);
	}
	for (uint32_t i = 0; i < a->n; i++) {
		const struct flow_learn_spec *spec = &a->specs[i];

		of_put16(out, (uint16_t)((spec->from_type ? SPEC_CONSTANT : 0) |
		                         spec->to_type << SPEC_TO_SHIFT | spec->n_bits));
		if (spec->from_type)
			put_constant(spec, out);
		else
			put_subfield(&spec->from, spec->n_bits, out);
		if (spec->to_type != TO_OUTPUT)
			put_subfield(&spec->to, spec->n_bits, out);
	}
	of_end(out, start);
}
