/* records.h - lists of net/flow_action.h's records: whether they are sound, and what they
 * read. Main. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "datapath/program.h"

/* Whether every record is whole, of a known type, and names existing fields. -EINVAL. */
int records_check(const void *records, size_t bytes, struct error *err);

/* Whether 'bytes' are one PROGRAM_WALK whose parts are whole and sound. -EINVAL. */
int continuation_check(const struct program_walk *record, size_t bytes,
                       struct error *err);

/* The bits of a subfield in its field. */
void subfield_bits(const struct flow_subfield *sub, struct flow_value *bits);

/* Whether the packet (as against tables' state) has the field. */
static inline bool
field_is_header(enum flow_field_id id)
{
	return id >= FIELD_ETH_SRC;
}

/* What tells whether a packet has the field. */
void field_add_need(enum flow_field_id id, struct flow_key *mask);

/* Adds the bits of packets that 'actions' depend on: sources of moves and outputs,
 * fields that are hashed, what tells whether a packet has a field. */
void actions_add_reads(const void *actions, size_t bytes, struct flow_key *mask);
