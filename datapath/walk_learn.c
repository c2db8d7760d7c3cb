/* walk_learn.c - learn actions: what main is asked to do, and whether there is room for
 * the rule. Part of walk.c. Workers. */
#include <string.h>

#include "datapath/bridge.h"
#include "datapath/classifier.h"
#include "datapath/learn_limits.h"
#include "datapath/records.h"
#include "datapath/ruleset.h"
#include "datapath/walk_private.h"
#include "net/flow_learn.h"

#include "datapath/hot.h"

/* What the tables know of the packet is constant in the rule to be learned; what is in
 * its headers is read from them. */
static void
walk_ask_to_learn(struct walk *walk, const struct flow_learn *learn)
{
	struct flow_learn *record = walk_emit(walk, ACTION_LEARN, learn->head.bytes);

	if (!record)
		return;
	memcpy(record, learn, learn->head.bytes);
	for (uint32_t i = 0; i < record->n; i++) {
		struct flow_learn_spec *spec = &record->specs[i];
		const struct flow_field *field;
		struct flow_subfield from = spec->from;

		if (spec->from_type != 0 || from.field == FIELD_NONE ||
		    from.field >= FIELD_N || field_is_header(from.field))
			continue;
		/* The bits of the source, right-aligned in the bytes of n_bits. */
		field = flow_field_get(from.field);
		memset(&spec->value, 0, sizeof(spec->value));
		for (unsigned b = 0;
		     b < spec->n_bits && from.first_bit + b < field->n_bits; b++) {
			struct flow_subfield bit = {from.field,
			                            (uint16_t)(from.first_bit + b), 1};
			unsigned last = (spec->n_bits + 7U) / 8 - 1;

			if (flow_subfield_read(&bit, &walk->packet.key))
				spec->value.bytes[last - b / 8] |= (uint8_t)(1U << b % 8);
		}
		spec->from_type = 1;
	}
}

/* Whether the rule does what the action would have it do. */
static bool
rule_is_learned(const struct rule *rule, const struct flow_learn *learn,
                const struct flow_key *key)
{
	const uint8_t *at = rule->actions;
	const uint8_t *end = at + rule->actions_bytes;
	union flow_learn_record action;

	if (rule->cookie != learn->cookie && learn->cookie != UINT64_MAX)
		return false;
	for (uint32_t part = 0; part <= learn->n; part++) {
		if (!flow_learn_action(learn, key, part, &action))
			continue;
		if ((size_t)(end - at) < action.head.bytes ||
		    memcmp(at, &action, action.head.bytes) != 0)
			return false;
		at += action.head.bytes;
	}
	return at == end;
}

/* Whether there is the very rule already. It is looked for by values that may lie
 * elsewhere in the packet, so that every rule of this form concerns the walk. */
static bool
walk_finds_learned(struct walk *walk, const struct flow_learn *learn)
{
	const struct table *table =
		learn->table < DP_TABLES_MAX
			? atomic_load_explicit(&walk->bridge->tables[learn->table],
	                                       memory_order_acquire)
			: NULL;
	const struct flow_key *key = &walk->packet.key;
	const struct rule *rule;
	struct flow_match match;

	memset(&match, 0, sizeof(match));
	flow_learn_match(learn, key, &match);
	walk->trail.tables |= 1ULL << learn->table % 64;
	for (unsigned i = 0; i < FLOW_PACKET_WORDS; i++)
		walk->trail.words |= (uint64_t)(match.mask.words[i] != 0) << i;
	if (!table)
		return false;
	rule = classifier_find_exact(&table->classifier, walk->pipeline->version, &match,
	                             learn->priority);
	return rule && rule_is_learned(rule, learn, key);
}

static bool
walk_has_room(struct walk *walk, const struct flow_learn *learn)
{
	const struct dp_learn_limit limit = {
		.cookie = learn->cookie, .limit = learn->limit, .table = learn->table};

	walk->trail.groups |= 1ULL << learn_limit_hash(&limit) % 64;
	return !learn_limit_is_reached(walk->pipeline->limits, &limit) ||
	       walk_finds_learned(walk, learn);
}

void
walk_learn(struct walk *walk, const struct flow_learn *learn)
{
	const bool has_result = learn->flags & FLOW_LEARN_WRITE_RESULT;
	const struct flow_subfield *result = &learn->result;
	bool has_room = true;

	if (has_result && learn->limit) {
		if (!walk_can_read(walk))
			return;
		has_room = walk_has_room(walk, learn);
	}
	if (unlikely(walk->trace != NULL))
		trace_learn(walk);
	if (has_room)
		walk_ask_to_learn(walk, learn);
	if (!has_result)
		return;
	walk_set_subfield(walk, result, has_room);
	WALK_REMARK(walk, "%s[%u] is now %s", flow_field_get(result->field)->name,
	            result->first_bit, has_room ? "0x1" : "0");
	if (!has_room)
		WALK_REMARK(walk, "Limit exceeded, learn failed");
}
