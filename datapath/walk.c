/* walk.c - from table to table: look-ups, resubmits, clones, and where a walk ends or
 * waits, for headers to be read again or for a controller. Between pipeline.c and
 * classifier.c. Workers, and main for traces. */
#include "datapath/walk.h"

#include <string.h>

#include "datapath/bridge.h"
#include "datapath/classifier.h"
#include "datapath/records.h"
#include "datapath/ruleset.h"
#include "datapath/walk_private.h"

#include "datapath/hot.h"

#define VLAN_TAG_BYTES      4
#define MPLS_TTL_MASK       0xffU
#define MPLS_TTL_CONTROLLER 0 /* whom to tell of a label's TTL that ends */

/* ---- the program ---- */

void
walk_fail(struct walk *walk, enum drop_reason reason)
{
	if (walk->has_failed)
		return;
	walk->has_failed = true;
	walk->drop = reason;
	WALK_WARN(walk, "the packet is dropped: %s", drop_reason_names[reason]);
}

void *
walk_emit(struct walk *walk, uint16_t type, size_t bytes)
{
	size_t rounded = (bytes + 7) & ~(size_t)7;
	struct flow_action *record;

	if (rounded > WALK_PROGRAM_BYTES - walk->bytes) {
		walk_fail(walk, DROP_RX_TOO_MANY_ACTIONS);
		return NULL;
	}
	record = (struct flow_action *)&walk->program[walk->bytes / 8];
	memset(record, 0, rounded);
	record->type = type;
	record->bytes = (uint32_t)rounded;
	walk->bytes += (uint32_t)rounded;
	return record;
}

void
walk_emit_copy(struct walk *walk, const struct flow_action *action)
{
	void *record = walk_emit(walk, action->type, action->bytes);

	if (record)
		memcpy(record, action, action->bytes);
}

void
walk_tally(struct walk *walk, struct tally_ref tally)
{
	if (walk->n_tallies == WALK_TALLIES_MAX) {
		walk_fail(walk, DROP_RX_TOO_MANY_RESUBMITS);
		return;
	}
	walk->tallies[walk->n_tallies++] = tally;
}

/* ---- to wait, for headers or for a controller ---- */

bool
walk_can_read(struct walk *walk)
{
	if (!walk->is_blind)
		return true;
	WALK_REMARK(walk, "headers that were laid bare are read first");
	walk->is_suspended = walk->suspend_here = true;
	return false;
}

static struct program_frame
walk_frame(const struct walk *walk)
{
	return (struct program_frame){
		.head = {.type = PROGRAM_FRAME, .bytes = sizeof(struct program_frame)},
		.table = walk->table,
		.reason = walk->reason,
		.cookie = walk->cookie,
		.rule_id = walk->rule_id,
	};
}

static void
walk_set_frame(struct walk *walk, const struct program_frame *frame)
{
	walk->table = frame->table;
	walk->reason = frame->reason;
	walk->cookie = frame->cookie;
	walk->rule_id = frame->rule_id;
}

static void
walk_add_rest(struct walk *walk, const void *from, size_t bytes)
{
	if (bytes > WALK_REST_BYTES - walk->rest_bytes) {
		walk_fail(walk, DROP_RX_TOO_MANY_ACTIONS);
		return;
	}
	memcpy((uint8_t *)walk->rest + walk->rest_bytes, from, bytes);
	walk->rest_bytes += (uint32_t)bytes;
}

/* What is left of a list, from the inner ones outwards. */
static void
walk_keep_rest(struct walk *walk, const uint8_t *from, const uint8_t *end)
{
	const struct program_frame frame = walk_frame(walk);

	if (from == end)
		return;
	if (walk->rest_bytes == 0)
		walk->first_rest = frame;
	else if (memcmp(&frame, &walk->last_rest, sizeof(frame)) != 0)
		walk_add_rest(walk, &frame, sizeof(frame));
	walk->last_rest = frame;
	walk_add_rest(walk, from, (size_t)(end - from));
}

/* At the end of a list that has its own copy of the packet: says how to go on. A queue
 * that was set is set again, first of all that is left. */
static void
walk_emit_suspended(struct walk *walk, bool with_set)
{
	struct flow_number queue = {{ACTION_SET_QUEUE, 0, sizeof(queue)}, walk->queue};
	uint32_t queue_bytes = walk->has_queue ? sizeof(queue) : 0;
	uint32_t set_bytes = with_set ? walk->set_bytes : 0;
	uint32_t stack_bytes = walk->n_stack * (uint32_t)sizeof(walk->stack[0]);
	const struct program_frame frame =
		walk->rest_bytes ? walk->first_rest : walk_frame(walk);
	struct program_walk *record;
	uint8_t *to;

	if (!walk->is_suspended)
		return;
	record = walk_emit(walk, PROGRAM_WALK,
	                   sizeof(*record) + set_bytes + stack_bytes + queue_bytes +
	                           walk->rest_bytes);
	if (record) {
		to = (uint8_t *)record->data;
		record->table = frame.table;
		record->reason = frame.reason;
		record->cookie = frame.cookie;
		record->rule_id = frame.rule_id;
		record->action_set_bytes = set_bytes;
		record->stack_bytes = stack_bytes;
		record->rest_bytes = queue_bytes + walk->rest_bytes;
		record->is_egress = walk->is_egress;
		record->in_port = walk->packet.key.f.in_port;
		program_save_state(record->state, &walk->packet.key);
		memcpy(to, walk->set, set_bytes);
		to += set_bytes;
		memcpy(to, walk->stack, stack_bytes);
		to += stack_bytes;
		memcpy(to, &queue, queue_bytes);
		memcpy(to + queue_bytes, walk->rest, walk->rest_bytes);
	}
	walk->is_suspended = false;
	walk->rest_bytes = 0;
}

/* ---- copies ---- */

/* What an action on a copy must leave as it was. */
struct walk_saved {
	struct flow_key key;
	uint32_t bytes; /* of the whole, which ends with the stack and the action set */
	uint32_t n_stack, set_bytes;
	bool is_blind, has_queue, has_exited;
	uint64_t queue;
	uint64_t cookie, rule_id;
	uint8_t table, reason;
};

static bool
walk_save(struct walk *walk)
{
	uint32_t stack_bytes = walk->n_stack * (uint32_t)sizeof(walk->stack[0]);
	uint32_t bytes =
		(uint32_t)sizeof(struct walk_saved) + stack_bytes + walk->set_bytes;
	struct walk_saved *saved = (void *)&walk->saved[walk->saved_bytes / 8];

	if (bytes > WALK_SAVED_BYTES - walk->saved_bytes) {
		walk_fail(walk, DROP_RX_TOO_MANY_ACTIONS);
		return false;
	}
	saved->key = walk->packet.key;
	saved->bytes = bytes;
	saved->n_stack = walk->n_stack;
	saved->set_bytes = walk->set_bytes;
	saved->is_blind = walk->is_blind;
	saved->has_queue = walk->has_queue;
	saved->has_exited = walk->has_exited;
	saved->queue = walk->queue;
	saved->cookie = walk->cookie;
	saved->rule_id = walk->rule_id;
	saved->table = walk->table;
	saved->reason = walk->reason;
	memcpy(saved + 1, walk->stack, stack_bytes);
	memcpy((uint8_t *)(saved + 1) + stack_bytes, walk->set, walk->set_bytes);
	walk->saved_bytes += bytes;
	return true;
}

static const struct walk_saved *
walk_saved_at(const struct walk *walk, uint32_t at)
{
	return (const void *)&walk->saved[at / 8];
}

static const uint8_t *
saved_set(const struct walk_saved *saved)
{
	return (const uint8_t *)(saved + 1) + saved->n_stack * sizeof(struct flow_value);
}

/* Whether the action set was written to since. */
static bool
walk_set_is_new(const struct walk *walk, uint32_t saved_at)
{
	const struct walk_saved *saved = walk_saved_at(walk, saved_at);

	return walk->set_bytes != saved->set_bytes ||
	       memcmp(walk->set, saved_set(saved), saved->set_bytes) != 0;
}

static void
walk_restore_set(struct walk *walk, uint32_t saved_at)
{
	const struct walk_saved *saved = walk_saved_at(walk, saved_at);

	walk->set_bytes = saved->set_bytes;
	memcpy(walk->set, saved_set(saved), saved->set_bytes);
}

/* All but the action set. */
static void
walk_restore(struct walk *walk, uint32_t saved_at)
{
	const struct walk_saved *saved = walk_saved_at(walk, saved_at);

	walk->packet.key = saved->key;
	walk->n_stack = saved->n_stack;
	walk->is_blind = saved->is_blind;
	walk->has_queue = saved->has_queue;
	walk->has_exited = saved->has_exited;
	walk->queue = saved->queue;
	walk->cookie = saved->cookie;
	walk->rule_id = saved->rule_id;
	walk->table = saved->table;
	walk->reason = saved->reason;
	memcpy(walk->stack, saved + 1, saved->n_stack * sizeof(walk->stack[0]));
	walk->saved_bytes = saved_at;
	walk_note_output(walk);
}

/* Whether records send the packet and leave it as it is. */
static bool
records_only_send(const void *records, size_t bytes)
{
	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (action->type != ACTION_OUTPUT && action->type != PROGRAM_EGRESS &&
	    action->type != PROGRAM_PUNT)
		return false;
	return true;
}

/* Ends the clone that began at 'at': dropped if it is empty, dissolved if it only sends.
 */
static void
walk_end_clone(struct walk *walk, uint32_t at)
{
	struct flow_nested *clone = (void *)&walk->program[at / 8];
	uint32_t head = (uint32_t)offsetof(struct flow_nested, nested);
	uint32_t bytes = walk->bytes - at - head;

	if (records_only_send(clone->nested, bytes)) {
		memmove(clone, clone->nested, bytes);
		walk->bytes = at + bytes;
		return;
	}
	clone->nested_bytes = bytes;
	clone->head.bytes = head + bytes;
}

void
walk_on_copy(struct walk *walk, const void *records, size_t bytes, bool is_clone)
{
	uint32_t at = walk->bytes, saved_at = walk->saved_bytes;
	bool is_new;

	if (walk->depth >= WALK_DEPTH_MAX) {
		walk_fail(walk, DROP_RX_TOO_MANY_RESUBMITS);
		return;
	}
	if (!walk_save(walk))
		return;
	if (!walk_emit(walk, ACTION_CLONE, offsetof(struct flow_nested, nested)))
		return;
	walk->depth++;
	walk->nesting++;
	walk_list(walk, records, bytes);
	is_new = is_clone && walk_set_is_new(walk, saved_at);
	if (is_new && !walk->is_suspended)
		walk_set_execute(walk);
	walk_emit_suspended(walk, is_new);
	walk->nesting--;
	walk->depth--;
	if (walk->has_failed)
		return;
	walk_end_clone(walk, at);
	if (is_clone)
		walk_restore_set(walk, saved_at);
	walk_restore(walk, saved_at);
}

/* ---- tables ---- */

/* For changes_concern(): what is compared here would be compared with the packet there.
 */
static void
walk_note_table(struct walk *walk, uint8_t number)
{
	const struct pipeline *pipeline = walk->pipeline;

	walk->trail.tables |= 1ULL << number % 64;
	for (unsigned i = 0; i < pipeline->n_words; i++) {
		unsigned word = pipeline->words[i];
		bool differs =
			walk->packet.key.words[word] != walk->original->words[word];

		walk->trail.words |= (uint64_t)differs << word;
	}
}

static const struct rule *
walk_look_up(struct walk *walk, uint8_t number)
{
	const struct table *table =
		number < DP_TABLES_MAX
			? atomic_load_explicit(&walk->bridge->tables[number],
	                                       memory_order_acquire)
			: NULL;
	const struct rule *rule;

	walk_note_table(walk, number);
	if (!table)
		return NULL;
	rule = classifier_lookup(&table->classifier, walk->pipeline->version,
	                         &walk->packet.key);
	walk_tally(walk, rule ? rule->tally : table->missed);
	return rule;
}

static void
walk_rule(struct walk *walk, const struct rule *rule)
{
	const struct program_frame outer = walk_frame(walk);

	walk->cookie = rule->cookie;
	walk->rule_id = rule->id;
	walk->table = rule->table;
	walk->reason = rule->is_miss ? DP_PUNT_NO_MATCH : DP_PUNT_ACTION;
	walk->has_matched = true;
	walk_list(walk, rule->actions, rule->actions_bytes);
	walk_set_frame(walk, &outer);
}

/* A packet that came here by goto, or from its port, and finds no rule. True: the next
 * table is tried. */
static bool
walk_miss(struct walk *walk, uint8_t table)
{
	uint64_t outer_cookie = walk->cookie;
	uint8_t outer_table = walk->table;

	if (walk->pipeline->miss[table] == DP_MISS_CONTINUE)
		return true;
	/* It goes no further: what was to be done at the end is not. */
	if (walk->depth == 0)
		walk_set_clear(walk);
	if (walk->pipeline->miss[table] == DP_MISS_CONTROLLER) {
		walk->cookie = UINT64_MAX;
		walk->table = table;
		WALK_REMARK(walk, "to controllers, as the table has it");
		walk_punt(walk, NULL, FLOW_MAX_LEN_ALL, DP_PUNT_NO_MATCH);
		walk->cookie = outer_cookie;
		walk->table = outer_table;
	} else {
		walk->drop = DROP_RX_NO_RULE;
	}
	return false;
}

void
walk_enter(struct walk *walk, uint8_t table, uint32_t in_port, bool is_goto)
{
	uint32_t outer_in_port = walk->packet.key.f.in_port;
	const struct rule *rule;

	if (!walk_can_read(walk))
		return;
	if (walk->nesting >= WALK_NESTING_MAX) {
		walk_fail(walk, DROP_RX_TOO_MANY_RESUBMITS);
		return;
	}
	walk->packet.key.f.in_port = in_port;
	for (;;) {
		rule = walk_look_up(walk, table);
		if (unlikely(walk->trace != NULL))
			trace_table(walk, table, rule);
		if (rule || !is_goto || !walk_miss(walk, table) ||
		    ++table >= DP_TABLES_MAX)
			break;
	}
	/* Only the look-up is to see another port. */
	walk->packet.key.f.in_port = outer_in_port;
	walk->nesting++;
	if (rule && !walk->has_failed)
		walk_rule(walk, rule);
	walk->nesting--;
}

static void
walk_resubmit(struct walk *walk, const struct flow_resubmit *resubmit)
{
	uint32_t in_port = resubmit->in_port == FLOW_PORT_IN_PORT
	                           ? walk->packet.key.f.in_port
	                           : resubmit->in_port;

	if (walk->depth >= WALK_DEPTH_MAX || walk->n_resubmits >= WALK_RESUBMITS_MAX) {
		walk_fail(walk, DROP_RX_TOO_MANY_RESUBMITS);
		return;
	}
	walk->depth++;
	walk->n_resubmits++;
	walk_enter(walk,
	           resubmit->table == FLOW_TABLE_NONE ? walk->table : resubmit->table,
	           in_port, false);
	walk->depth--;
}

/* ---- actions ---- */

static void
walk_write_metadata(struct walk *walk, const struct flow_metadata *write)
{
	uint64_t *metadata = &walk->packet.key.f.metadata;

	*metadata = (*metadata & ~write->mask) | (write->value & write->mask);
	WALK_REMARK(walk, "metadata is now 0x%llx", (unsigned long long)*metadata);
}

static size_t
key_tag_bytes(const struct flow_key *key)
{
	return ((key->f.vlan_tpid != 0) + (key->f.vlan2_tpid != 0)) * VLAN_TAG_BYTES;
}

/* The length is in no key: such programs are for one packet. Of what changes it, tags are
 * in the key; behind all else the packet is read again. */
static void
walk_check_larger(struct walk *walk, const struct flow_check_larger *check)
{
	size_t length;

	if (!walk_can_read(walk))
		return;
	length = walk->length + key_tag_bytes(&walk->packet.key) -
	         key_tag_bytes(walk->original);
	walk->is_cacheable = false;
	WALK_REMARK(walk, "the packet has %zu bytes", length);
	walk_set_subfield(walk, &check->to, length > check->length);
}

/* A TTL that ends is the end of the list that it is in; a controller is told. */
static void
walk_end_ttl(struct walk *walk, uint16_t controller_id)
{
	const struct flow_controller to = {.controller_id = controller_id};

	WALK_WARN(walk, "the TTL ends here, to controller %u", controller_id);
	walk_punt(walk, &to, FLOW_MAX_LEN_ALL, DP_PUNT_INVALID_TTL);
	walk->list_ends = true;
}

/* One controller at least is in 'to'. */
static void
walk_dec_ttl(struct walk *walk, const struct flow_ids *to)
{
	if (!walk_can_read(walk) || !flow_field_is_present(FIELD_IP_TTL, &walk->packet))
		return;
	if (walk->packet.key.f.ip_ttl > 1) {
		walk_emit_copy(walk, &to->head);
		walk->packet.key.f.ip_ttl--;
		return;
	}
	for (uint32_t i = 0; i < to->n; i++)
		walk_end_ttl(walk, to->ids[i]);
}

static void
walk_dec_mpls_ttl(struct walk *walk, const struct flow_action *action)
{
	if (!walk_can_read(walk) || !flow_field_is_present(FIELD_MPLS_TTL, &walk->packet))
		return;
	if ((walk->packet.key.f.mpls_lse & MPLS_TTL_MASK) > 1) {
		walk_emit_copy(walk, action);
		walk->packet.key.f.mpls_lse--;
		return;
	}
	walk_end_ttl(walk, MPLS_TTL_CONTROLLER);
}

/* What changes the packet's nesting of headers, and what is done across it. */
static bool
walk_header_action(struct walk *walk, const struct flow_action *action)
{
	switch (action->type) {
	case ACTION_PUSH_MPLS:
	case ACTION_POP_MPLS:
	case ACTION_PUSH_PBB:
	case ACTION_POP_PBB:
	case ACTION_COPY_TTL_OUT:
	case ACTION_COPY_TTL_IN:
		walk_emit_copy(walk, action);
		walk->is_blind = true;
		return true;
	case ACTION_DEC_TTL:
		walk_dec_ttl(walk, (const void *)action);
		return true;
	case ACTION_DEC_MPLS_TTL:
		walk_dec_mpls_ttl(walk, action);
		return true;
	default:
		return false;
	}
}

static void
walk_table_action(struct walk *walk, const struct flow_action *action)
{
	const struct flow_number *number = (const void *)action;
	const struct flow_nested *nested = (const void *)action;

	switch (action->type) {
	case ACTION_RESUBMIT:
		walk_resubmit(walk, (const void *)action);
		break;
	case ACTION_GOTO_TABLE:
		walk_enter(walk, (uint8_t)number->value, walk->packet.key.f.in_port,
		           true);
		break;
	case ACTION_CLONE:
		walk_on_copy(walk, nested->nested, nested->nested_bytes, true);
		break;
	case ACTION_LEARN:
		walk_learn(walk, (const void *)action);
		break;
	case ACTION_METER:
		if (unlikely(walk->trace != NULL))
			trace_meter(walk, (uint32_t)number->value);
		walk_emit_copy(walk, action);
		break;
	case ACTION_SAMPLE:
		walk_emit_copy(walk, action);
		break;
	case ACTION_FIN_TIMEOUT:
		walk_fin_timeout(walk, (const void *)action);
		break;
	case ACTION_CHECK_LARGER:
		walk_check_larger(walk, (const void *)action);
		break;
	case ACTION_EXIT:
		walk->has_exited = true;
		break;
	case ACTION_WRITE_METADATA:
		walk_write_metadata(walk, (const void *)action);
		break;
	case ACTION_WRITE_ACTIONS:
		walk_set_write(walk, nested);
		break;
	case ACTION_CLEAR_ACTIONS:
		walk_set_clear(walk);
		break;
	default:
		/* CONJUNCTION and NOTE say something about a rule;
		 * DELETE_FIELD and CT_CLEAR have nothing here to change;
		 * CT is refused before it gets here. */
		break;
	}
}

void
walk_list(struct walk *walk, const void *records, size_t bytes)
{
	const uint8_t *end = (const uint8_t *)records + bytes;
	bool has_ended = false;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (walk->has_failed || walk->has_exited)
			return;
		if (action->type == PROGRAM_FRAME) {
			walk_set_frame(walk, (const void *)action);
			has_ended = false;
			continue;
		}
		if (has_ended)
			continue;
		if (unlikely(walk->trace != NULL))
			trace_action(walk, action,
			             (const uint8_t *)action + action->bytes == end);
		if (!walk_header_action(walk, action) &&
		    !walk_field_action(walk, action) && !walk_output_action(walk, action))
			walk_table_action(walk, action);
		has_ended = walk->list_ends;
		walk->list_ends = false;
		if (walk->is_suspended) {
			const uint8_t *next = (const uint8_t *)action;

			walk_keep_rest(walk,
			               walk->suspend_here ? next : next + action->bytes,
			               end);
			walk->suspend_here = false;
			return;
		}
	}
}

/* ---- a whole walk ---- */

static void
walk_begin(struct walk *walk, const struct pipeline *pipeline, const struct flow_key *key,
           size_t length)
{
	struct trace *trace = walk->trace;

	/* All but the large buffers, which are filled as far as they are counted. */
	memset(walk, 0, offsetof(struct walk, program));
	walk->trace = trace;
	walk->pipeline = pipeline;
	walk->bridge = pipeline->bridge;
	walk->length = length;
	walk->in_port = key->f.in_port;
	walk->original = key;
	walk->packet.key = *key;
	memset(&walk->packet.mask, 0xff, sizeof(walk->packet.mask));
	walk->is_cacheable = true;
	walk->reason = DP_PUNT_ACTION;
	walk->drop = DROP_RX_BY_RULE;
	walk->cookie = UINT64_MAX;
}

/* A copy that nothing follows needs none: its actions take the packet itself. */
static void
walk_end(struct walk *walk)
{
	uint32_t head = (uint32_t)offsetof(struct flow_nested, nested);

	if (!walk->is_suspended)
		walk_set_execute(walk);
	walk_emit_suspended(walk, true);
	/* Most of what led there is the same again and again. */
	if (walk->has_failed) {
		walk->bytes = 0;
		walk->n_tallies = MIN_OF(walk->n_tallies, WALK_FAILED_TALLIES);
	}
	for (;;) {
		struct flow_nested *last = NULL;
		uint32_t at;

		FLOW_ACTION_FOR_EACH(action, walk->program, walk->bytes)
		last = (struct flow_nested *)(uintptr_t)action;
		if (!last || last->head.type != ACTION_CLONE)
			break;
		at = (uint32_t)((uint8_t *)last - (uint8_t *)walk->program);
		walk->bytes = at + last->nested_bytes;
		memmove(last, (uint8_t *)last + head, walk->bytes - at);
	}
}

void
walk_packet(struct walk *walk, const struct pipeline *pipeline,
            const struct flow_key *key, size_t length)
{
	walk_begin(walk, pipeline, key, length);
	/* What goes along as state must not depend on bits that the cache does not have.
	 */
	for (size_t i = PROGRAM_STATE_FROM; i < FLOW_PACKET_WORDS; i++)
		walk->packet.key.words[i] &= pipeline->mask.words[i];
	walk_enter(walk, 0, walk->in_port, true);
	walk_end(walk);
}

void
walk_resume(struct walk *walk, const struct pipeline *pipeline,
            const struct flow_key *key, size_t length, const struct program_walk *record)
{
	const uint8_t *data = (const uint8_t *)record->data;
	struct program_frame outside;

	walk_begin(walk, pipeline, key, length);
	outside = walk_frame(walk);
	program_restore_state(&walk->packet.key, record->state);
	walk->packet.key.f.in_port = record->in_port;
	walk->table = record->table;
	walk->is_egress = record->is_egress != 0;
	walk->reason = record->reason;
	walk->cookie = record->cookie;
	walk->rule_id = record->rule_id;
	walk->set_bytes = record->action_set_bytes;
	memcpy(walk->set, data, record->action_set_bytes);
	walk_note_output(walk);
	data += record->action_set_bytes;
	walk->n_stack = record->stack_bytes / (uint32_t)sizeof(walk->stack[0]);
	memcpy(walk->stack, data, record->stack_bytes);
	data += record->stack_bytes;
	walk_list(walk, data, record->rest_bytes);
	walk_set_frame(walk, &outside);
	walk_end(walk);
}

void
walk_actions(struct walk *walk, const struct pipeline *pipeline,
             const struct flow_key *key, size_t length, const void *actions, size_t bytes)
{
	walk_begin(walk, pipeline, key, length);
	walk->reason = DP_PUNT_PACKET_OUT;
	walk_list(walk, actions, bytes);
	walk_end(walk);
}
