/* of_actions_private.h - what the files of the action codec share. Private to
 * of_actions*.c and of_learn.c. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "net/flow_action.h"
#include "openflow/of.h"

#define OF_NESTED_MAX 16 /* lists in lists, in what is decoded */

struct of_decoder {
	enum of_version version;
	unsigned depth;
	bool in_ct;        /* inside of a ct action: nat is allowed */
	bool has_metadata; /* there was a write-metadata, 1.0's only instruction */
	struct flow_actions *out;
	struct of_error *error;
};

/* A list of actions of any kind: 'n' bytes. */
int of_decode_list(struct of_decoder *d, const uint8_t *data, size_t n);

/* One action of Nicira or ONF, whole: 'n' is its length, at least 16. */
int of_decode_experimenter(struct of_decoder *d, const uint8_t *p, size_t n);
int of_decode_learn(struct of_decoder *d, const uint8_t *p, size_t n, bool is_learn2);
int of_decode_reg_move(struct of_decoder *d, const uint8_t *p, size_t n, size_t offset);

/* Reads a header at p[*offset], below 'n', into 'sub' and moves the offset. */
int of_decode_subfield(struct of_decoder *d, const uint8_t *p, size_t n, size_t *offset,
                       unsigned first_bit, unsigned n_bits, struct flow_subfield *sub);

/* The field has these bits, and they can be written. */
int of_subfield_check(const struct flow_subfield *sub, bool is_written,
                      struct of_error *error);

/* The version whose header names a part of a field: of in_port, nxm's has 16 bits. */
enum of_version of_subfield_version(enum of_version version,
                                    const struct flow_subfield *sub);

static inline void *
of_decoder_add(struct of_decoder *d, enum flow_action_type type, size_t bytes)
{
	return flow_actions_add(d->out, type, bytes);
}

static inline int
of_decoder_add_number(struct of_decoder *d, enum flow_action_type type, uint64_t value)
{
	struct flow_number *a = of_decoder_add(d, type, sizeof(*a));

	a->value = value;
	return 0;
}

static inline int
of_decoder_add_empty(struct of_decoder *d, enum flow_action_type type)
{
	(void)of_decoder_add(d, type, sizeof(struct flow_action));
	return 0;
}

/* Writing: an action's or instruction's head; the end pads to 8 and patches the length.
 */
size_t of_begin(struct str *out, uint16_t type);
size_t of_begin_nicira(struct str *out, uint16_t subtype);
void of_end(struct str *out, size_t start);

/* A field of the key's bits as Nicira's actions have it: first bit and width in 16 bits.
 */
void of_put_offset_bits(struct str *out, const struct flow_subfield *sub);

/* Whether Nicira's form was written; all that have one. */
bool of_encode_nicira(enum of_version version, const struct flow_action *action,
                      struct str *out);
void of_encode_learn(const struct flow_learn *a, struct str *out);
void of_encode_set_field(enum of_version version, const struct flow_set_field *a,
                         struct str *out);

/* A field's subfield of at most 64 bits from a value. */
uint64_t of_value_bits(const struct flow_value *value, unsigned n_bytes,
                       unsigned first_bit, unsigned n_bits);
void of_value_set_bits(struct flow_value *value, unsigned n_bytes, unsigned first_bit,
                       unsigned n_bits, uint64_t bits);
