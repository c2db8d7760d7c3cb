/* of_subfield.c - parts of fields as Nicira's actions name them, and parts of values. For
 * of_actions*.c and of_learn.c. No state, any thread. */
#include <errno.h>

#include "openflow/of_actions_private.h"
#include "openflow/of_match.h"

int
of_subfield_check(const struct flow_subfield *sub, bool is_written,
                  struct of_error *error)
{
	const struct flow_field *field = flow_field_get(sub->field);

	if (sub->n_bits == 0 || sub->first_bit + sub->n_bits > field->n_bits)
		return of_fail(error, OFERR_BAD_ACTION_SET_LEN, "%s has no bits %u to %u",
		               field->name, sub->first_bit,
		               sub->first_bit + sub->n_bits - 1);
	if (is_written && !field->is_writable)
		return of_fail(error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "%s cannot be written", field->name);
	return 0;
}

enum of_version
of_subfield_version(enum of_version version, const struct flow_subfield *sub)
{
	if (sub->field != FIELD_IN_PORT)
		return version;
	return sub->first_bit + sub->n_bits <= 16 ? OF10 : OF12;
}

int
of_decode_subfield(struct of_decoder *d, const uint8_t *p, size_t n, size_t *offset,
                   unsigned first_bit, unsigned n_bits, struct flow_subfield *sub)
{
	size_t used;
	bool has_mask;

	if (of_field_header_decode(p + *offset, n - *offset, &sub->field, &has_mask,
	                           &used, d->error)) {
		if (d->error)
			d->error->id = OFERR_BAD_MATCH_FIELD;
		return -EPROTO;
	}
	if (has_mask)
		return of_fail(d->error, OFERR_BAD_ACTION_ARGUMENT,
		               "a field's name has the mark of a mask");
	*offset += used;
	sub->first_bit = (uint16_t)first_bit;
	sub->n_bits = (uint16_t)n_bits;
	return 0;
}

uint64_t
of_value_bits(const struct flow_value *value, unsigned n_bytes, unsigned first_bit,
              unsigned n_bits)
{
	uint64_t bits = 0;

	for (unsigned i = n_bits; i-- > 0;) {
		unsigned bit = first_bit + i;

		bits = bits << 1 | (value->bytes[n_bytes - 1 - bit / 8] >> bit % 8 & 1);
	}
	return bits;
}

void
of_value_set_bits(struct flow_value *value, unsigned n_bytes, unsigned first_bit,
                  unsigned n_bits, uint64_t bits)
{
	for (unsigned i = 0; i < n_bits; i++) {
		unsigned bit = first_bit + i;
		uint8_t *byte = &value->bytes[n_bytes - 1 - bit / 8];
		uint8_t one = (uint8_t)(1U << bit % 8);

		*byte = (uint8_t)(bits >> i & 1 ? *byte | one : *byte & ~one);
	}
}
