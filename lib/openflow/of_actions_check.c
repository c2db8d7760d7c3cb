/* of_actions_check.c - whether actions make sense for the packets that a rule matches:
 * follows on the way what is known of them. For the switch, before a rule is taken. No
 * state, any thread. */
#include "openflow/of_actions.h"
#include "openflow/of_actions_private.h"
#include "openflow/of_match.h"
#include "openflow/of_oxm.h"
#include "openflow/of_wire.h"

#define TYPE_PBB     0x88e7
#define VLAN_VID_MAX 0x0fff
#define VLAN_PCP_MAX 7
#define CONJUNCTIONS 64
#define LEARN_RESULT 4

struct checker {
	struct flow_match packet; /* what is known of packets at this action */
	bool is_unknown;          /* nothing is, and nothing may be refused for that */
	enum flow_action_type
		outer; /* the list's: CT, WRITE_ACTIONS, CLONE; OUTPUT = none */
	uint8_t table;
	unsigned n_tables, depth;
	unsigned n_hidden; /* tags under the outermost one, of which is known */
	struct of_error *error;
};

static int check_list(struct checker *c, const void *records, size_t bytes);

static int
inconsistent(struct checker *c, const char *what)
{
	return of_fail(c->error, OFERR_BAD_ACTION_MATCH_INCONSISTENT,
	               "%s, but the match does not say that packets have it", what);
}

/* Of what changes a packet's headers, or their lifetime: an action set runs later, on a
 * packet that may have got them meanwhile. */
static int
lacks_header(struct checker *c, const char *what)
{
	return c->outer == ACTION_WRITE_ACTIONS ? 0 : inconsistent(c, what);
}

static bool
is_present(const struct checker *c, enum flow_field_id id)
{
	if (c->is_unknown)
		return true;
	if (id == FIELD_VLAN_VID || id == FIELD_DL_VLAN)
		id = FIELD_VLAN_PCP;
	return of_match_allows(&c->packet, id);
}

static int
check_subfield(struct checker *c, const struct flow_subfield *sub, bool is_written)
{
	int err = of_subfield_check(sub, is_written, c->error);

	if (err)
		return err;
	if (sub->field != FIELD_VLAN_VID ? is_present(c, sub->field)
	                                 : !is_written || is_present(c, sub->field))
		return 0;
	return inconsistent(c, flow_field_get(sub->field)->name);
}

/* The subfield has become something unknown. */
static void
forget(struct checker *c, const struct flow_subfield *sub)
{
	for (unsigned i = 0; i < sub->n_bits; i += 64) {
		struct flow_subfield part = {sub->field, (uint16_t)(sub->first_bit + i),
		                             (uint16_t)MIN_OF(sub->n_bits - i, 64U)};

		flow_subfield_write(&part, &c->packet.key, 0);
		flow_subfield_write(&part, &c->packet.mask, 0);
	}
}

static int
check_written(struct checker *c, const struct flow_subfield *sub)
{
	int err = check_subfield(c, sub, true);

	if (!err)
		forget(c, sub);
	return err;
}

/* The connection's fields are written inside of ct, and nothing else is. */
static int
check_place(struct checker *c, enum flow_field_id field)
{
	bool is_ct = field == FIELD_CT_MARK || field == FIELD_CT_LABEL;

	if (is_ct == (c->outer == ACTION_CT))
		return 0;
	return of_fail(c->error, OFERR_BAD_ACTION_SET_ARGUMENT, "%s is %s",
	               flow_field_get(field)->name,
	               is_ct ? "written inside of ct only" : "not written inside of ct");
}

static int
check_output(struct checker *c, uint32_t port)
{
	if (port == 0 || port == FLOW_PORT_NONE ||
	    (port >= FLOW_PORT_MAX && port < FLOW_PORT_IN_PORT))
		return of_fail(c->error, OFERR_BAD_ACTION_OUT_PORT,
		               "output to port 0x%x, which cannot be", port);
	return 0;
}

static int
check_set_field(struct checker *c, const struct flow_set_field *a)
{
	const struct flow_field *field = flow_field_get(a->field);
	int err;

	if (!field->is_writable)
		return of_fail(c->error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "%s cannot be written", field->name);
	if (!of_oxm_value_is_valid(a->field, &a->value))
		return of_fail(c->error, OFERR_BAD_ACTION_SET_ARGUMENT,
		               "%s cannot have this value", field->name);
	err = check_place(c, a->field);
	if (err)
		return err;
	if (!is_present(c, a->field))
		return inconsistent(c, field->name);
	flow_match_set(&c->packet, a->field, &a->value, &a->mask);
	return 0;
}

static int
check_move(struct checker *c, const struct flow_move *a)
{
	int err = check_subfield(c, &a->from, false);

	if (!err && a->from.n_bits != a->to.n_bits)
		err = of_fail(c->error, OFERR_BAD_ACTION_SET_LEN,
		              "a move between %u and %u bits", a->from.n_bits,
		              a->to.n_bits);
	if (!err)
		err = check_place(c, a->to.field);
	return err ? err : check_written(c, &a->to);
}

static void
set_tag(struct checker *c, bool is_tagged)
{
	uint16_t tci = is_tagged ? FLOW_VLAN_PRESENT : 0;

	c->packet.key.f.vlan_tci = c->packet.mask.f.vlan_tci = tci;
}

static int
check_vlan(struct checker *c, const struct flow_action *action)
{
	const struct flow_number *number = (const void *)action;

	switch (action->type) {
	case ACTION_SET_VLAN_VID:
	case ACTION_SET_VLAN_PCP:
		if (number->value >
		    (action->type == ACTION_SET_VLAN_VID ? VLAN_VID_MAX : VLAN_PCP_MAX))
			return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
			               "%llu is out of a tag's range",
			               (unsigned long long)number->value);
		if (action->is_legacy && !is_present(c, FIELD_VLAN_VID))
			return inconsistent(c, "set_vlan takes a tag");
		set_tag(c, true);
		return 0;
	case ACTION_PUSH_VLAN:
		c->n_hidden += !c->is_unknown && is_present(c, FIELD_VLAN_VID);
		if (number->value != 0x8100 && number->value != 0x88a8)
			return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
			               "0x%llx is no type of a VLAN tag",
			               (unsigned long long)number->value);
		set_tag(c, true);
		return 0;
	default:
		if (!action->is_legacy && !is_present(c, FIELD_VLAN_VID))
			return lacks_header(c, "pop_vlan takes a tag");
		set_tag(c, c->n_hidden > 0);
		c->n_hidden -= c->n_hidden > 0;
		return 0;
	}
}

/* Packets become of another type: what is above layer 2 is not known any more. */
static void
set_type(struct checker *c, uint16_t type)
{
	struct flow_fields *key = &c->packet.key.f, *mask = &c->packet.mask.f;

	key->eth_type = type;
	mask->eth_type = type ? UINT16_MAX : 0;
	key->ip_proto = mask->ip_proto = 0;
	key->ip_fragment = mask->ip_fragment = 0;
	key->tp_src = mask->tp_src = 0;
	key->mpls_lse = mask->mpls_lse = 0;
}

static int
check_encapsulation(struct checker *c, const struct flow_action *action)
{
	uint16_t type =
		(uint16_t)((const struct flow_number *)(const void *)action)->value;

	switch (action->type) {
	case ACTION_PUSH_MPLS:
		if (type != 0x8847 && type != 0x8848)
			return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
			               "0x%x is no type of MPLS", type);
		set_type(c, type);
		return 0;
	case ACTION_POP_MPLS:
		if (!is_present(c, FIELD_MPLS_LABEL))
			return lacks_header(c, "pop_mpls takes an MPLS header");
		set_type(c, type);
		return 0;
	case ACTION_PUSH_PBB:
		set_type(c, TYPE_PBB);
		return 0;
	default:
		if (!is_present(c, FIELD_PBB_ISID))
			return lacks_header(c, "pop_pbb takes a PBB header");
		set_type(c, 0);
		return 0;
	}
}

static int
check_mpls(struct checker *c, const struct flow_action *action)
{
	const struct flow_number *number = (const void *)action;

	if (!is_present(c, FIELD_MPLS_LABEL))
		return lacks_header(c, "the action needs an MPLS header");
	if ((action->type == ACTION_SET_MPLS_LABEL && number->value > 0xfffff) ||
	    (action->type == ACTION_SET_MPLS_TC && number->value > 7))
		return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
		               "%llu is out of an MPLS field's range",
		               (unsigned long long)number->value);
	return 0;
}

/* What a learned rule would match, as far as it is constant, is what the fields that it
 * writes need. */
static int
check_learn(struct checker *c, const struct flow_learn *a)
{
	struct checker learned = {.error = c->error, .is_unknown = c->is_unknown};

	if (a->table == OF_TABLE_ALL || a->table >= c->n_tables)
		return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
		               "learn: there is no table %u", a->table);
	for (uint32_t i = 0; i < a->n; i++) {
		const struct flow_learn_spec *spec = &a->specs[i];
		struct flow_match *match = &learned.packet;
		int err = spec->from_type ? 0 : check_subfield(c, &spec->from, false);

		if (!err && spec->to_type != 2)
			err = check_subfield(&learned, &spec->to, spec->to_type == 1);
		if (err)
			return err;
		if (!spec->from_type || spec->to_type || spec->n_bits > 64)
			continue;
		flow_subfield_write(&spec->to, &match->mask, UINT64_MAX);
		flow_subfield_write(&spec->to, &match->key,
		                    of_value_bits(&spec->value, (spec->n_bits + 7U) / 8,
		                                  0, spec->n_bits));
	}
	/* Nobody asks whether packets have it: those that do not keep what they have. */
	return a->flags & LEARN_RESULT ? of_subfield_check(&a->result, true, c->error)
	                               : 0;
}

/* A list inside: what it does to packets is over at its end. */
static int
check_nested(struct checker *c, enum flow_action_type outer, const void *records,
             size_t bytes)
{
	struct checker inner = *c;

	if (++inner.depth > OF_NESTED_MAX)
		return of_fail(c->error, OFERR_BAD_ACTION_TOO_MANY,
		               "actions are nested too deeply");
	inner.outer = outer;
	return check_list(&inner, records, bytes);
}

static int
check_ct(struct checker *c, const struct flow_ct *a)
{
	int err = 0;

	if (!is_present(c, FIELD_IP_PROTO))
		return inconsistent(c, "ct needs IP");
	if (a->recirc_table != FLOW_TABLE_NONE && a->recirc_table >= c->n_tables)
		return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
		               "ct: there is no table %u", a->recirc_table);
	if (a->zone_from.field != FIELD_NONE)
		err = check_subfield(c, &a->zone_from, false);
	return err ? err : check_nested(c, ACTION_CT, a->nested, a->nested_bytes);
}

static int
check_resubmit(struct checker *c, const struct flow_resubmit *a)
{
	if (a->table != FLOW_TABLE_NONE && a->table >= c->n_tables)
		return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
		               "resubmit: there is no table %u", a->table);
	if (a->with_ct && !c->is_unknown &&
	    !(c->packet.key.f.ct_state & c->packet.mask.f.ct_state & 0x20))
		return inconsistent(c, "resubmit with ct needs a tracked connection");
	return 0;
}

static int
check_goto(struct checker *c, uint64_t table)
{
	if (table >= c->n_tables || (c->table != OF_TABLE_ALL && table <= c->table))
		return of_fail(c->error, OFERR_BAD_INSTRUCTION_TABLE_ID,
		               "goto_table:%u from table %u", (unsigned)table, c->table);
	return 0;
}

static int
check_conjunction(struct checker *c, const struct flow_conjunction *a)
{
	if (a->n_clauses < 2 || a->n_clauses > CONJUNCTIONS || a->clause >= a->n_clauses)
		return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
		               "conjunction of clause %u of %u", a->clause + 1,
		               a->n_clauses);
	return 0;
}

static int
check_number(struct checker *c, const struct flow_action *action)
{
	uint64_t value = ((const struct flow_number *)(const void *)action)->value;

	if (action->type == ACTION_GROUP && value > OF_GROUP_MAX)
		return of_fail(c->error, OFERR_BAD_ACTION_OUT_GROUP,
		               "group %u is reserved", (unsigned)value);
	if (action->type == ACTION_METER && (value == 0 || value > OF_METER_MAX))
		return of_fail(c->error, OFERR_METER_INVALID, "meter %u is reserved",
		               (unsigned)value);
	if ((action->type == ACTION_DEC_TTL || action->type == ACTION_SET_IP_TTL) &&
	    !is_present(c, FIELD_IP_TTL))
		return lacks_header(c, "a time to live needs IP");
	return action->type == ACTION_GOTO_TABLE ? check_goto(c, value) : 0;
}

static int
check_delete(struct checker *c, const struct flow_stack *a)
{
	return of_fail(c->error, OFERR_BAD_ACTION_SET_ARGUMENT, "%s cannot be deleted",
	               flow_field_get(a->field.field)->name);
}

/* Actions that name fields, and those with lists inside. */
static int
check_fields(struct checker *c, const struct flow_action *action)
{
	const void *a = action;
	const struct flow_nested *nested = a;

	switch (action->type) {
	case ACTION_OUTPUT_FIELD:
		return check_subfield(c, &((const struct flow_output_field *)a)->from,
		                      false);
	case ACTION_SET_FIELD:
		return check_set_field(c, a);
	case ACTION_MOVE:
		return check_move(c, a);
	case ACTION_STACK_PUSH:
		return check_subfield(c, &((const struct flow_stack *)a)->field, false);
	case ACTION_STACK_POP:
		return check_written(c, &((const struct flow_stack *)a)->field);
	case ACTION_DELETE_FIELD:
		return check_delete(c, a);
	case ACTION_MULTIPATH:
		return check_written(c, &((const struct flow_multipath *)a)->to);
	case ACTION_CHECK_LARGER:
		return check_written(c, &((const struct flow_check_larger *)a)->to);
	case ACTION_BUNDLE:
		return ((const struct flow_bundle *)a)->to.field == FIELD_NONE
		               ? 0
		               : check_written(c, &((const struct flow_bundle *)a)->to);
	case ACTION_LEARN:
		return check_learn(c, a);
	case ACTION_CT:
		return check_ct(c, a);
	case ACTION_CLONE:
	case ACTION_WRITE_ACTIONS:
		return check_nested(c, action->type, nested->nested,
		                    nested->nested_bytes);
	default:
		return 0;
	}
}

static int
check_one(struct checker *c, const struct flow_action *action)
{
	const void *a = action;

	switch (action->type) {
	case ACTION_OUTPUT:
		return check_output(c, ((const struct flow_output *)a)->port);
	case ACTION_ENQUEUE:
		return check_output(c, ((const struct flow_enqueue *)a)->port);
	case ACTION_SET_VLAN_VID:
	case ACTION_SET_VLAN_PCP:
	case ACTION_PUSH_VLAN:
	case ACTION_POP_VLAN:
		return check_vlan(c, action);
	case ACTION_PUSH_MPLS:
	case ACTION_POP_MPLS:
	case ACTION_PUSH_PBB:
	case ACTION_POP_PBB:
		return check_encapsulation(c, action);
	case ACTION_SET_MPLS_LABEL:
	case ACTION_SET_MPLS_TC:
	case ACTION_SET_MPLS_TTL:
	case ACTION_DEC_MPLS_TTL:
		return check_mpls(c, action);
	case ACTION_RESUBMIT:
		return check_resubmit(c, a);
	case ACTION_CONJUNCTION:
		return check_conjunction(c, a);
	case ACTION_NAT:
		return c->outer == ACTION_CT
		               ? 0
		               : of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
		                         "nat stands inside of ct only");
	case ACTION_GROUP:
	case ACTION_METER:
	case ACTION_DEC_TTL:
	case ACTION_SET_IP_TTL:
	case ACTION_GOTO_TABLE:
		return check_number(c, action);
	default:
		return check_fields(c, action);
	}
}

/* What the lists inside of other actions may hold: OpenFlow 1.5, 5.6, and
 * ovs-actions(7). */
static bool
is_allowed(enum flow_action_type outer, const struct flow_action *action)
{
	static const uint64_t never_in_set =
		1ULL << ACTION_BUNDLE | 1ULL << ACTION_CONJUNCTION |
		1ULL << ACTION_CONTROLLER | 1ULL << ACTION_ENQUEUE | 1ULL << ACTION_EXIT |
		1ULL << ACTION_FIN_TIMEOUT | 1ULL << ACTION_LEARN |
		1ULL << ACTION_MULTIPATH | 1ULL << ACTION_NOTE |
		1ULL << ACTION_OUTPUT_FIELD | 1ULL << ACTION_POP_QUEUE |
		1ULL << ACTION_SAMPLE | 1ULL << ACTION_STACK_PUSH |
		1ULL << ACTION_STACK_POP | 1ULL << ACTION_CLEAR_ACTIONS |
		1ULL << ACTION_WRITE_ACTIONS | 1ULL << ACTION_WRITE_METADATA |
		1ULL << ACTION_GOTO_TABLE;

	static_assert(ACTION_N_TYPES <= 64, "a bit for each kind of action");
	if (outer == ACTION_CT)
		return action->type == ACTION_NAT || action->type == ACTION_SET_FIELD ||
		       action->type == ACTION_MOVE;
	if (outer == ACTION_WRITE_ACTIONS)
		return !(never_in_set >> action->type & 1);
	/* Instructions do not stand in a clone. */
	return outer != ACTION_CLONE || action->type <= ACTION_METER;
}

static int
check_list(struct checker *c, const void *records, size_t bytes)
{
	bool has_conjunction = false, has_other = false;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		int err;

		if (action->type >= ACTION_N_TYPES || !is_allowed(c->outer, action))
			return of_fail(c->error,
			               c->outer == ACTION_CT ? OFERR_BAD_ACTION_ARGUMENT
			                                     : OFERR_BAD_ACTION_TYPE,
			               "action %u may not stand in this list",
			               action->type);
		err = check_one(c, action);
		if (err)
			return err;
		if (action->type == ACTION_CONJUNCTION)
			has_conjunction = true;
		else if (action->type != ACTION_NOTE)
			has_other = true;
	}
	if (has_conjunction && has_other)
		return of_fail(c->error, OFERR_BAD_ACTION_ARGUMENT,
		               "conjunction goes with nothing but notes");
	return 0;
}

int
of_actions_check(const void *records, size_t bytes, const struct flow_match *match,
                 uint8_t table, unsigned n_tables, struct of_error *error)
{
	struct checker c = {.outer = ACTION_OUTPUT,
	                    .table = table,
	                    .n_tables = n_tables,
	                    .error = error};

	if (match)
		c.packet = *match;
	else
		c.is_unknown = true;
	return check_list(&c, records, bytes);
}
