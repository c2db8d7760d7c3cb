/* flow_learn.c - match and actions of learned rules, from fields of a packet and
 * constants. Any thread, allocates nothing. */
#include "net/flow_learn.h"

#include <string.h>

#include "base/compiler.h"

enum { FROM_FIELD, FROM_VALUE };
enum { TO_MATCH, TO_LOAD, TO_OUTPUT };

#define PORT_BITS_10 16
#define BITS_MAX     128
#define PART_BITS    64U /* subfields are read and written in parts */

static bool
spec_is_sound(const struct flow_learn_spec *spec)
{
	return spec->n_bits && spec->n_bits <= BITS_MAX;
}

/* Bits 'first' to 'first + n - 1' of a constant, right-aligned in its bytes. */
static uint64_t
value_part(const struct flow_learn_spec *spec, unsigned first, unsigned n)
{
	const unsigned bytes = (spec->n_bits + 7U) / 8;
	uint64_t part = 0;

	for (unsigned i = n; i-- > 0;) {
		const unsigned bit = first + i;
		const unsigned byte = bytes - 1 - bit / 8;

		part = part << 1 | (spec->value.bytes[byte] >> bit % 8 & 1U);
	}
	return part;
}

static uint64_t
spec_part(const struct flow_learn_spec *spec, const struct flow_key *key, unsigned first,
          unsigned n)
{
	const struct flow_subfield from = {
		.field = spec->from.field,
		.first_bit = (uint16_t)(spec->from.first_bit + first),
		.n_bits = (uint16_t)n,
	};

	return spec->from_type == FROM_VALUE ? value_part(spec, first, n)
	                                     : flow_subfield_read(&from, key);
}

static struct flow_subfield
spec_to(const struct flow_learn_spec *spec, unsigned first, unsigned n)
{
	return (struct flow_subfield){
		.field = spec->to.field,
		.first_bit = (uint16_t)(spec->to.first_bit + first),
		.n_bits = (uint16_t)n,
	};
}

static void
add_match(const struct flow_learn_spec *spec, const struct flow_key *key,
          struct flow_match *match)
{
	struct flow_key value = {0}, mask = {0};
	struct flow_value field_value, field_mask;

	for (unsigned first = 0; first < spec->n_bits; first += PART_BITS) {
		const unsigned n = MIN_OF(spec->n_bits - first, PART_BITS);
		const struct flow_subfield to = spec_to(spec, first, n);

		flow_subfield_write(&to, &value, spec_part(spec, key, first, n));
		flow_subfield_write(&to, &mask, UINT64_MAX >> (64 - n));
	}
	flow_field_read(spec->to.field, &value, &field_value);
	flow_field_read(spec->to.field, &mask, &field_mask);
	flow_match_set(match, spec->to.field, &field_value, &field_mask);
}

/* A whole in_port of 1.0: its reserved numbers lie elsewhere in 32 bits. */
static void
widen_port(struct flow_set_field *set)
{
	if (set->value.bytes[2] == 0xff)
		memset(set->value.bytes, 0xff, 2);
	memset(set->mask.bytes, 0xff, 4);
}

static void
make_load(const struct flow_learn_spec *spec, const struct flow_key *key,
          struct flow_set_field *set)
{
	struct flow_key value = {0}, mask = {0};

	for (unsigned first = 0; first < spec->n_bits; first += PART_BITS) {
		const unsigned n = MIN_OF(spec->n_bits - first, PART_BITS);
		const struct flow_subfield to = spec_to(spec, first, n);

		flow_subfield_write(&to, &value, spec_part(spec, key, first, n));
		flow_subfield_write(&to, &mask, UINT64_MAX >> (64 - n));
	}
	set->head.type = ACTION_SET_FIELD;
	set->head.is_legacy = 1; /* shown as a load */
	set->field = spec->to.field;
	flow_field_read(spec->to.field, &value, &set->value);
	flow_field_read(spec->to.field, &mask, &set->mask);
	if (spec->to.field == FIELD_IN_PORT && spec->n_bits == PORT_BITS_10)
		widen_port(set);
}

static void
make_output(const struct flow_learn_spec *spec, const struct flow_key *key,
            struct flow_output *output)
{
	const uint64_t port = spec_part(spec, key, 0, MIN_OF(spec->n_bits, PART_BITS));

	output->head.type = ACTION_OUTPUT;
	/* 16 bits name a reserved port as 1.0 has it. */
	output->port = spec->n_bits <= PORT_BITS_10 && port >= 0xff00
	                       ? (uint32_t)(port | 0xffff0000U)
	                       : (uint32_t)port;
}

static size_t
make_fin_timeout(const struct flow_learn *learn, struct flow_fin_timeout *fin)
{
	if (!learn->fin_idle_s && !learn->fin_hard_s)
		return 0;
	fin->head.type = ACTION_FIN_TIMEOUT;
	fin->idle_s = learn->fin_idle_s;
	fin->hard_s = learn->fin_hard_s;
	return sizeof(*fin);
}

static size_t
make_action(const struct flow_learn_spec *spec, const struct flow_key *key,
            union flow_learn_record *action)
{
	if (!spec_is_sound(spec))
		return 0;
	if (spec->to_type == TO_LOAD) {
		make_load(spec, key, &action->set);
		return sizeof(action->set);
	}
	if (spec->to_type == TO_OUTPUT) {
		make_output(spec, key, &action->output);
		return sizeof(action->output);
	}
	return 0;
}

bool
flow_learn_action(const struct flow_learn *learn, const struct flow_key *key,
                  uint32_t part, union flow_learn_record *action)
{
	size_t bytes;

	memset(action, 0, sizeof(*action));
	bytes = part ? make_action(&learn->specs[part - 1], key, action)
	             : make_fin_timeout(learn, &action->fin);
	action->head.bytes = (uint32_t)((bytes + 7) & ~(size_t)7);
	return bytes > 0;
}

void
flow_learn_match(const struct flow_learn *learn, const struct flow_key *key,
                 struct flow_match *match)
{
	for (uint32_t i = 0; i < learn->n; i++)
		if (learn->specs[i].to_type == TO_MATCH &&
		    spec_is_sound(&learn->specs[i]))
			add_match(&learn->specs[i], key, match);
}
