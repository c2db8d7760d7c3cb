/* walk_private.h - what walk.c and its parts share: walk_output.c (what sends),
 * walk_field.c (values), walk_set.c (action sets), walk_group.c (groups, and choices by
 * hash), walk_learn.c. Workers. */
#pragma once

#include "base/compiler.h"
#include "datapath/walk.h"

struct rule;

/* ---- trace.c: what a walk that somebody listens to has to tell ---- */

void trace_table(const struct walk *walk, uint8_t table, const struct rule *rule);
void trace_action(const struct walk *walk, const struct flow_action *action,
                  bool is_last);
void trace_action_set(const struct walk *walk);
void trace_bucket(const struct walk *walk, uint32_t number);
/* On the action that is carried out: where it sends the packet, what it asks. */
void trace_output(const struct walk *walk, uint32_t port);
void trace_meter(const struct walk *walk, uint32_t number);
void trace_learn(const struct walk *walk);
void trace_text(const struct walk *walk, enum dp_trace_kind kind, const char *format, ...)
	PRINTF_FORMAT(3, 4);

#define WALK_TELL(walk, ...)                           \
	do {                                           \
		if (unlikely((walk)->trace != NULL))   \
			trace_text(walk, __VA_ARGS__); \
	} while (0)
#define WALK_REMARK(walk, ...) WALK_TELL(walk, DP_TRACE_REMARK, __VA_ARGS__)
#define WALK_WARN(walk, ...)   WALK_TELL(walk, DP_TRACE_WARNING, __VA_ARGS__)

/* Ends the walk: the packet is dropped. */
void walk_fail(struct walk *walk, enum drop_reason reason);

/* Appends a zeroed record, or a copy, to the program; NULL: failed, no room. */
void *walk_emit(struct walk *walk, uint16_t type, size_t bytes);
void walk_emit_copy(struct walk *walk, const struct flow_action *action);

void walk_tally(struct walk *walk, struct tally_ref tally);

/* Carries out records one by one, until one ends or suspends the walk. */
void walk_list(struct walk *walk, const void *records, size_t bytes);

/* Carries out 'records' on a copy of the packet: a CLONE, unless they change nothing.
 * What a bucket's tables write to the action set is for the packet's end; that of a
 * clone, at its own end. */
void walk_on_copy(struct walk *walk, const void *records, size_t bytes, bool is_clone);

/* Whether 'packet' can be relied on; if not, the walk is suspended before the present
 * action. */
bool walk_can_read(struct walk *walk);

/* Looks for a rule, and carries it out. 'in_port' is what the look-up sees; 'is_goto': a
 * miss does what the table says. */
void walk_enter(struct walk *walk, uint8_t table, uint32_t in_port, bool is_goto);

/* ---- walk_output.c ---- */

/* 'cuts': only 'max_len' bytes go there, else that is for controllers. */
void walk_output(struct walk *walk, uint32_t port, uint16_t max_len, bool cuts);

/* 'to': what an action said; NULL = nothing. 'reason' is an enum dp_punt_reason. */
void walk_punt(struct walk *walk, const struct flow_controller *to, uint16_t max_len,
               uint8_t reason);

/* Tells main when a TCP connection ends; else there is nothing to do. */
void walk_fin_timeout(struct walk *walk, const struct flow_fin_timeout *fin);

/* What sends the packet, or chooses where to; false: not such an action. */
bool walk_output_action(struct walk *walk, const struct flow_action *action);

/* ---- walk_field.c ---- */

/* Changes a field's bits in 'packet', and in the program if it is a header's. */
void walk_set_field(struct walk *walk, enum flow_field_id id,
                    const struct flow_value *value, const struct flow_value *mask);
void walk_set_number(struct walk *walk, enum flow_field_id id, uint64_t value);
void walk_set_subfield(struct walk *walk, const struct flow_subfield *sub,
                       uint64_t value);

/* Everything that reads or changes values; false: not such an action. */
bool walk_field_action(struct walk *walk, const struct flow_action *action);

/* ---- walk_set.c ---- */

void walk_set_write(struct walk *walk, const struct flow_nested *actions);
void walk_set_clear(struct walk *walk);
void walk_set_execute(struct walk *walk);
/* Brings what tables may match of the set up to date. */
void walk_note_output(struct walk *walk);

/* Copies the records of an action set in the order of execution, the last of each kind;
 * 'to' has room for 'bytes'. Returns how many bytes; 0: there is no output. */
size_t action_set_sort(const void *records, size_t bytes, void *to);

/* ---- walk_learn.c ---- */

void walk_learn(struct walk *walk, const struct flow_learn *learn);

/* ---- walk_group.c ---- */

void walk_group(struct walk *walk, uint32_t number);
void walk_bundle(struct walk *walk, const struct flow_bundle *bundle);
void walk_multipath(struct walk *walk, const struct flow_multipath *multipath);
