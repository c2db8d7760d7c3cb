/* learn.c - carries out learn actions, and forgets what was learned. Main thread. */
#include "vswitchd/ofproto/learn.h"

#include <stdlib.h>

#include "vswitchd/ofproto/flow_mod.h"
#include "vswitchd/ofproto/timeouts.h"

enum { FROM_FIELD, FROM_VALUE };
enum { TO_MATCH, TO_LOAD, TO_OUTPUT };

#define PORT_BITS_10 16
#define PART_BITS    64U /* subfields are read and written in parts */

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
add_load(const struct flow_learn_spec *spec, const struct flow_key *key,
         struct flow_actions *actions)
{
	struct flow_key value = {0}, mask = {0};
	struct flow_set_field *set;

	for (unsigned first = 0; first < spec->n_bits; first += PART_BITS) {
		const unsigned n = MIN_OF(spec->n_bits - first, PART_BITS);
		const struct flow_subfield to = spec_to(spec, first, n);

		flow_subfield_write(&to, &value, spec_part(spec, key, first, n));
		flow_subfield_write(&to, &mask, UINT64_MAX >> (64 - n));
	}
	set = flow_actions_add(actions, ACTION_SET_FIELD, sizeof(*set));
	set->head.is_legacy = 1; /* shown as a load */
	set->field = spec->to.field;
	flow_field_read(spec->to.field, &value, &set->value);
	flow_field_read(spec->to.field, &mask, &set->mask);
	if (spec->to.field == FIELD_IN_PORT && spec->n_bits == PORT_BITS_10)
		widen_port(set);
}

static void
add_spec(const struct flow_learn_spec *spec, const struct flow_key *key,
         struct of_flow_mod *mod)
{
	if (!spec->n_bits || spec->n_bits > 128)
		return;
	if (spec->to_type == TO_MATCH) {
		add_match(spec, key, &mod->match);
	} else if (spec->to_type == TO_LOAD) {
		add_load(spec, key, &mod->actions);
	} else if (spec->to_type == TO_OUTPUT) {
		const uint64_t port =
			spec_part(spec, key, 0, MIN_OF(spec->n_bits, PART_BITS));
		struct flow_output *output =
			flow_actions_add(&mod->actions, ACTION_OUTPUT, sizeof(*output));

		/* 16 bits name a reserved port as 1.0 has it. */
		output->port = spec->n_bits <= 16 && port >= 0xff00
		                       ? (uint32_t)(port | 0xffff0000U)
		                       : (uint32_t)port;
	}
}

static void
make_flow_mod(const struct flow_learn *learn, const struct flow_key *key,
              struct of_flow_mod *mod)
{
	*mod = (struct of_flow_mod){
		.command = OF_FLOW_MODIFY_STRICT,
		.priority = learn->priority,
		.table = learn->table,
		.new_cookie = learn->cookie,
		.modify_cookie = learn->cookie != UINT64_MAX,
		.idle_s = learn->idle_s,
		.hard_s = learn->hard_s,
		.buffer_id = OF_BUFFER_NONE,
		.out_port = FLOW_PORT_NONE,
		.out_group = OF_GROUP_ANY,
		.flags =
			learn->flags & FLOW_LEARN_SEND_REMOVED ? OF_FLOW_SEND_REMOVED : 0,
	};
	if (learn->fin_idle_s || learn->fin_hard_s) {
		struct flow_fin_timeout *fin =
			flow_actions_add(&mod->actions, ACTION_FIN_TIMEOUT, sizeof(*fin));

		fin->idle_s = learn->fin_idle_s;
		fin->hard_s = learn->fin_hard_s;
	}
	for (uint32_t i = 0; i < learn->n; i++)
		add_spec(&learn->specs[i], key, mod);
}

static bool
is_full(const struct flow_table *table, const struct flow_learn *learn)
{
	struct rule *rule;
	uint32_t n = 0;

	HMAP_FOR_EACH (rule, node, &table->rules)
		if (rule->cookie == learn->cookie && ++n >= learn->limit)
			return true;
	return false;
}

void
learn_run(struct ofproto *ofproto, const struct flow_learn *learn,
          const struct flow_key *key)
{
	struct of_flow_mod mod;
	struct of_error error;
	struct changes changes;
	struct rule *rule;

	if (learn->table >= SWITCH_TABLES)
		return;
	make_flow_mod(learn, key, &mod);
	rule = flow_table_find(&ofproto->tables[learn->table], &mod.match, mod.priority);
	if (rule && rule->cookie == mod.new_cookie &&
	    flow_actions_equal(&rule->actions, &mod.actions)) {
		rule->modified_ns = dp_time_ns(); /* known: it lives on */
		timeouts_schedule(ofproto, rule, rule->modified_ns);
	} else if (rule || !learn->limit ||
	           !is_full(&ofproto->tables[learn->table], learn)) {
		changes_begin(&changes, ofproto, NULL, 0);
		if (flow_mod_run(&changes, &mod, OF15, &error))
			changes_abort(&changes);
		else
			changes_commit(&changes);
	}
	flow_actions_destroy(&mod.actions);
}

/* ---- forgetting ---- */

static bool
learns_into(const struct flow_actions *actions, const struct learned *learned)
{
	FLOW_ACTION_FOR_EACH(action, actions->data, actions->bytes)
	{
		const struct flow_learn *learn = (const void *)action;

		/* One that does not delete what it learned does not keep it either. */
		if (action->type == ACTION_LEARN &&
		    learn->flags & FLOW_LEARN_DELETE_LEARNED &&
		    learn->table == learned->table && learn->cookie == learned->cookie)
			return true;
	}
	return false;
}

static bool
is_still_learned(const struct ofproto *ofproto, const struct learned *learned)
{
	struct rule *rule;

	for (size_t i = 0; i < SWITCH_TABLES; i++)
		HMAP_FOR_EACH (rule, node, &ofproto->tables[i].rules)
			if (learns_into(&rule->actions, learned))
				return true;
	return false;
}

static void
forget(struct ofproto *ofproto, const struct learned *learned)
{
	static const struct flow_match any;
	const struct of_flow_mod mod = {
		.command = OF_FLOW_DELETE,
		.match = any,
		.table = learned->table,
		.cookie = learned->cookie,
		.cookie_mask = UINT64_MAX,
		.out_port = FLOW_PORT_NONE,
		.out_group = OF_GROUP_ANY,
	};
	struct changes changes;
	struct of_error error;

	changes_begin(&changes, ofproto, NULL, 0);
	flow_mod_run(&changes, &mod, OF15, &error);
	changes_commit(&changes);
}

void
learn_sweep(struct ofproto *ofproto)
{
	while (ofproto->n_forgotten) {
		const struct learned learned = ofproto->forgotten[--ofproto->n_forgotten];

		if (!is_still_learned(ofproto, &learned))
			forget(ofproto, &learned);
	}
	free(ofproto->forgotten);
	ofproto->forgotten = NULL;
}
