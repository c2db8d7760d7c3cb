/* random_rules.c - random fields, packets, actions, rules and groups of few values, so
 * that rules, packets and changes meet. */
#include "tests/support/random_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define LEARNED_TABLE  (RANDOM_TABLES - 1)
#define LEARNED_COOKIE 1
#define CONJUNCTIONS   2 /* their ids, and the priorities of their parts */

static uint64_t random_state = 0x2545f4914f6cdd1dULL;

uint64_t
random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

unsigned
below(unsigned n)
{
	return (unsigned)(random_u64() >> 20) % n;
}

static const enum flow_field_id fields[] = {
	FIELD_IN_PORT,    FIELD_METADATA,    FIELD_REG0,          FIELD_REG0 + 1,
	FIELD_REG0 + 2,   FIELD_XREG0,       FIELD_XXREG0,        FIELD_ETH_SRC,
	FIELD_ETH_DST,    FIELD_ETH_TYPE,    FIELD_VLAN_TCI,      FIELD_VLAN_VID,
	FIELD_VLAN_PCP,   FIELD_IPV4_SRC,    FIELD_IPV4_DST,      FIELD_IPV6_SRC,
	FIELD_IPV6_LABEL, FIELD_IP_PROTO,    FIELD_IP_DSCP,       FIELD_IP_TTL,
	FIELD_IP_ECN,     FIELD_TCP_SRC,     FIELD_TCP_DST,       FIELD_UDP_SRC,
	FIELD_UDP_DST,    FIELD_ARP_OP,      FIELD_ARP_SHA,       FIELD_ARP_SPA,
	FIELD_MPLS_TTL,   FIELD_MPLS_LABEL,  FIELD_ACTSET_OUTPUT, FIELD_TCP_FLAGS,
	FIELD_ND_TARGET,  FIELD_ICMPV4_TYPE, FIELD_PACKET_MARK,   FIELD_CONJ_ID,
};

static enum flow_field_id
random_field(void)
{
	return fields[below(ARRAY_SIZE(fields))];
}

/* Few values, so that rules and packets meet. */
static void
random_value(enum flow_field_id id, struct flow_value *value)
{
	const struct flow_field *field = flow_field_get(id);

	memset(value, 0, sizeof(*value));
	value->bytes[field->n_bytes - 1] = (uint8_t)below(3);
	if (field->n_bits % 8 && field->n_bytes == 1)
		value->bytes[0] &= (uint8_t)((1U << field->n_bits) - 1);
	if (id == FIELD_ETH_TYPE)
		memcpy(value->bytes, below(2) ? "\x08\x00" : "\x86\xdd", 2);
	if (id == FIELD_IP_PROTO)
		value->bytes[0] = below(2) ? 6 : 17;
	if ((id == FIELD_VLAN_TCI || id == FIELD_VLAN_VID) && below(4))
		value->bytes[0] |= 0x10;
	if (id == FIELD_IP_DSCP)
		value->bytes[0] = (uint8_t)(below(3) << 2);
}

static void
random_mask(enum flow_field_id id, struct flow_value *mask)
{
	const struct flow_field *field = flow_field_get(id);

	memset(mask, 0, sizeof(*mask));
	for (unsigned i = 0; i < field->n_bytes; i++)
		mask->bytes[i] = below(2) || field->maskable == MASK_NONE
		                         ? 0xff
		                         : (uint8_t)random_u64();
	if (field->n_bits % 8)
		mask->bytes[0] &= (uint8_t)((1U << field->n_bits % 8) - 1);
	if (id == FIELD_IP_DSCP)
		mask->bytes[0] = 0xfc;
}

void
random_key(struct flow_key *key)
{
	static const uint16_t types[] = {0x0800, 0x0800, 0x86dd, 0x0806, 0x8847, 0x8100};
	static const uint8_t protos[] = {1, 6, 17, 58};
	struct flow_fields *f = &key->f;

	memset(key, 0, sizeof(*key));
	f->in_port = 1 + below(3);
	f->eth_type = types[below(ARRAY_SIZE(types))];
	if (below(2)) {
		f->vlan_tci = (uint16_t)(FLOW_VLAN_PRESENT | below(3) | below(2) << 13);
		f->vlan_tpid = 0x8100;
	}
	if (f->vlan_tpid && below(2)) {
		f->vlan2_tci = (uint16_t)(FLOW_VLAN_PRESENT | below(3));
		f->vlan2_tpid = 0x8100;
	}
	f->eth_src[5] = (uint8_t)below(3);
	f->eth_dst[5] = (uint8_t)below(3);
	f->ip_proto = protos[below(ARRAY_SIZE(protos))];
	f->ip_tos = (uint8_t)(below(3) << 2 | below(4));
	f->ip_ttl = (uint8_t)below(4);
	f->ip_src[3] = (uint8_t)below(3);
	f->ip_dst[3] = (uint8_t)below(3);
	f->tp_src = (uint16_t)below(3);
	f->tp_dst = (uint16_t)below(3);
	f->tcp_flags = (uint16_t)below(8);
	f->mpls_lse = below(3) << 12 | below(4);
	f->arp_sha[5] = (uint8_t)below(3);
	f->nd_target[15] = (uint8_t)below(3);
	f->actset_output = FLOW_PORT_UNSET;
}

/* ---- random actions ---- */

static struct flow_subfield
random_subfield(uint16_t n_bits)
{
	struct flow_subfield sub;

	do {
		sub.field = random_field();
	} while (flow_field_get(sub.field)->n_bits < n_bits);
	sub.n_bits = n_bits;
	sub.first_bit = (uint16_t)below(flow_field_get(sub.field)->n_bits - n_bits + 1U);
	return sub;
}

static void
add_number(struct flow_actions *actions, enum flow_action_type type, uint64_t value)
{
	struct flow_number *number = flow_actions_add(actions, type, sizeof(*number));

	number->value = value;
}

static void
add_output(struct flow_actions *actions)
{
	static const uint32_t ports[] = {FLOW_PORT_IN_PORT, FLOW_PORT_NORMAL,
	                                 FLOW_PORT_FLOOD,   FLOW_PORT_CONTROLLER,
	                                 FLOW_PORT_NONE,    FLOW_PORT_LOCAL};
	struct flow_output *output =
		flow_actions_add(actions, ACTION_OUTPUT, sizeof(*output));

	output->port = below(3) ? 1 + below(5) : ports[below(ARRAY_SIZE(ports))];
}

static void
add_value_action(struct flow_actions *actions)
{
	struct flow_set_field *set;
	struct flow_stack *stack;
	struct flow_move *move;

	switch (below(4)) {
	case 0:
		set = flow_actions_add(actions, ACTION_SET_FIELD, sizeof(*set));
		set->field = random_field();
		random_value(set->field, &set->value);
		random_mask(set->field, &set->mask);
		break;
	case 1:
		move = flow_actions_add(actions, ACTION_MOVE, sizeof(*move));
		move->from = random_subfield((uint16_t)(1 + below(below(2) ? 8 : 128)));
		move->to = random_subfield(move->from.n_bits);
		break;
	default:
		stack = flow_actions_add(actions,
		                         below(2) ? ACTION_STACK_PUSH : ACTION_STACK_POP,
		                         sizeof(*stack));
		stack->field = random_subfield((uint16_t)(1 + below(16)));
		break;
	}
}

static void
add_header_action(struct flow_actions *actions)
{
	static const struct {
		enum flow_action_type type;
		uint64_t value;
	} setters[] = {
		{ACTION_SET_VLAN_VID, 2},   {ACTION_SET_VLAN_PCP, 1},
		{ACTION_SET_IP_DSCP, 8},    {ACTION_SET_IP_ECN, 1},
		{ACTION_SET_IP_TTL, 2},     {ACTION_SET_TP_SRC, 1},
		{ACTION_SET_TP_DST, 2},     {ACTION_SET_MPLS_LABEL, 1},
		{ACTION_PUSH_VLAN, 0x8100}, {ACTION_PUSH_MPLS, 0x8847},
		{ACTION_POP_MPLS, 0x0800},  {ACTION_PUSH_VLAN, 0x88a8},
		{ACTION_SET_TUNNEL, 5},     {ACTION_SET_QUEUE, 3},
		{ACTION_METER, 1},
	};
	unsigned i = below(ARRAY_SIZE(setters) + 4);
	struct flow_ids *ids;

	if (i < ARRAY_SIZE(setters)) {
		add_number(actions, setters[i].type, setters[i].value);
	} else if (i == ARRAY_SIZE(setters)) {
		ids = flow_actions_add(actions, ACTION_DEC_TTL, sizeof(*ids) + 8);
		ids->n = 1;
	} else {
		flow_actions_add(actions,
		                 below(2) ? ACTION_POP_VLAN : ACTION_DEC_MPLS_TTL,
		                 sizeof(struct flow_action));
	}
}

static void add_random(struct flow_actions *actions, unsigned n, int depth, bool in_set);

/* "learn(limit=..,result_dst=..,eth_dst=eth_src,output:in_port)", or so. */
static void
add_limited_learn(struct flow_actions *actions)
{
	struct flow_learn *learn = flow_actions_add(
		actions, ACTION_LEARN, sizeof(*learn) + 2 * sizeof(learn->specs[0]));
	const enum flow_field_id from = below(2) ? FIELD_ETH_SRC : FIELD_ETH_DST;

	learn->table = LEARNED_TABLE;
	learn->cookie = LEARNED_COOKIE;
	learn->limit = below(3);
	learn->flags = FLOW_LEARN_WRITE_RESULT;
	learn->result =
		(struct flow_subfield){FIELD_REG0 + below(2), (uint16_t)below(2), 1};
	learn->n = 1 + below(2);
	learn->specs[0].n_bits = 48;
	learn->specs[0].from = (struct flow_subfield){from, 0, 48};
	learn->specs[0].to = (struct flow_subfield){FIELD_ETH_DST, 0, 48};
	learn->specs[1].to_type = 2;
	learn->specs[1].n_bits = 16;
	learn->specs[1].from = (struct flow_subfield){FIELD_IN_PORT, 0, 16};
}

static void
add_choice(struct flow_actions *actions)
{
	struct flow_multipath *multipath;
	struct flow_output_field *output;
	struct flow_learn *learn;

	switch (below(3)) {
	case 0:
		multipath =
			flow_actions_add(actions, ACTION_MULTIPATH, sizeof(*multipath));
		multipath->fields = (uint8_t)below(7);
		multipath->algorithm = (uint16_t)below(4);
		multipath->max_link = 3;
		multipath->argument = 4;
		multipath->to = (struct flow_subfield){FIELD_REG0, 0, 2};
		break;
	case 1:
		output = flow_actions_add(actions, ACTION_OUTPUT_FIELD, sizeof(*output));
		output->from = random_subfield((uint16_t)(1 + below(8)));
		break;
	default:
		if (below(2)) {
			add_limited_learn(actions);
			break;
		}
		learn = flow_actions_add(actions, ACTION_LEARN,
		                         sizeof(*learn) + 2 * sizeof(learn->specs[0]));
		learn->n = 2;
		for (int i = 0; i < 2; i++) {
			learn->specs[i].n_bits = (uint16_t)(1 + below(16));
			learn->specs[i].from = random_subfield(learn->specs[i].n_bits);
			learn->specs[i].to = learn->specs[i].from;
		}
		break;
	}
}

static void
add_nested(struct flow_actions *actions, enum flow_action_type type, int depth)
{
	size_t mark =
		flow_actions_begin_nested(actions, type, sizeof(struct flow_nested));
	struct flow_actions inner = {0};

	/* A list of its own first: nested ones cannot be written at once. */
	add_random(&inner, 1 + below(3), depth + 1, type == ACTION_WRITE_ACTIONS);
	flow_actions_append(actions, inner.data, inner.bytes);
	flow_actions_end_nested(actions, mark);
	flow_actions_destroy(&inner);
}

static void
add_one(struct flow_actions *actions, int depth, bool in_set)
{
	struct flow_resubmit *resubmit;

	switch (below(in_set ? 5 : 12)) {
	case 0:
	case 1:
		add_output(actions);
		break;
	case 2:
		add_value_action(actions);
		break;
	case 3:
		add_header_action(actions);
		break;
	case 4:
		add_number(actions, ACTION_GROUP, below(RANDOM_GROUPS));
		break;
	case 5:
	case 6:
		resubmit = flow_actions_add(actions, ACTION_RESUBMIT, sizeof(*resubmit));
		resubmit->table =
			(uint8_t)(below(10) ? 1 + below(RANDOM_TABLES - 1) : 0xff);
		resubmit->in_port = below(4) ? FLOW_PORT_IN_PORT : 1 + below(3);
		break;
	case 7:
		if (depth < 3)
			add_nested(actions, ACTION_CLONE, depth);
		break;
	case 8:
		if (depth < 3)
			add_nested(actions, ACTION_WRITE_ACTIONS, depth);
		break;
	case 9:
		add_choice(actions);
		break;
	case 10:
		if (below(4) == 0)
			flow_actions_add(actions, ACTION_EXIT,
			                 sizeof(struct flow_action));
		break;
	default:
		add_value_action(actions);
		break;
	}
}

static void
add_random(struct flow_actions *actions, unsigned n, int depth, bool in_set)
{
	while (n-- > 0)
		add_one(actions, depth, in_set);
}

/* ---- random bridges ---- */

void
random_match(struct flow_match *match)
{
	memset(match, 0, sizeof(*match));
	for (unsigned n = below(3); n > 0; n--) {
		struct flow_value value, mask;
		enum flow_field_id id = random_field();

		random_value(id, &value);
		random_mask(id, &mask);
		flow_match_set(match, id, &value, &mask);
	}
}

static void
add_conjunctions(struct flow_actions *actions, uint32_t id)
{
	for (unsigned n = 1 + below(3); n > 0; n--) {
		struct flow_conjunction *c =
			flow_actions_add(actions, ACTION_CONJUNCTION, sizeof(*c));

		c->id = id ? id : 1 + below(2);
		c->n_clauses = 2;
		c->clause = (uint8_t)below(2);
	}
}

/* Of a rule in 'table'. 'conjunction': only parts of this one, as others do not have its
 * priority; 0 = whole rules, or parts of any. */
static void
add_rule_actions(struct flow_actions *actions, uint8_t table, uint32_t conjunction,
                 bool is_whole)
{
	if (conjunction || (!is_whole && below(6) == 0))
		add_conjunctions(actions, conjunction);
	else
		add_random(actions, below(5), 0, false);
	if (below(2) && table + 1U < RANDOM_TABLES)
		add_number(actions, ACTION_GOTO_TABLE,
		           table + 1U + below(RANDOM_TABLES - table - 1U));
}

static struct dp_rule *
rule_add(uint32_t bridge_id, struct dp_rule_config *config, struct flow_actions *actions)
{
	struct dp_rule *rule = NULL;
	struct error err = {""};

	config->actions = actions->data;
	config->actions_bytes = actions->bytes;
	if (dp_rule_add(bridge_id, config, &rule, &err) < 0)
		fail_msg("%s", err.text);
	flow_actions_destroy(actions);
	return rule;
}

/* A rule that a limited learn action may find: of the only priority that those of
 * next_priority() do not have. */
static void
make_learned(struct dp_rule_config *config, struct flow_actions *actions)
{
	struct flow_output *output;

	flow_actions_clear(actions);
	config->table = LEARNED_TABLE;
	config->priority = 0;
	config->cookie = LEARNED_COOKIE;
	memset(&config->match, 0, sizeof(config->match));
	flow_match_set_u64(&config->match, FIELD_ETH_DST, below(3));
	if (below(2))
		return;
	output = flow_actions_add(actions, ACTION_OUTPUT, sizeof(*output));
	output->port = 1 + below(3);
}

void
rule_add_random(uint32_t bridge_id)
{
	struct dp_rule_config *config = xcalloc(1, sizeof(*config));
	struct flow_actions actions = {0};

	config->table = (uint8_t)below(RANDOM_TABLES);
	config->priority = (uint16_t)below(4);
	config->cookie = random_u64() % 5;
	random_match(&config->match);
	add_rule_actions(&actions, config->table, 0, false);
	if (below(6) == 0)
		make_learned(config, &actions);
	rule_add(bridge_id, config, &actions);
	free(config);
}

/* Every 16-bit number comes once, in no order. */
static uint16_t
next_priority(void)
{
	static uint16_t n;
	uint16_t priority;

	do
		priority = (uint16_t)(n++ * 40503U);
	while (priority <= CONJUNCTIONS);
	return priority;
}

void
limit_set_random(uint32_t bridge_id)
{
	const struct dp_learn_limit limit = {
		.cookie = LEARNED_COOKIE, .limit = 1 + below(2), .table = LEARNED_TABLE};

	dp_learn_limit_set(bridge_id, &limit, below(3) != 0);
}

void
rule_add_distinct(uint32_t bridge_id, struct random_rule *rule)
{
	struct dp_rule_config *config = xcalloc(1, sizeof(*config));
	struct flow_actions actions = {0};

	rule->table = (uint8_t)below(RANDOM_TABLES);
	rule->conjunction = below(6) ? 0 : 1 + below(CONJUNCTIONS);
	config->table = rule->table;
	config->priority =
		rule->conjunction ? (uint16_t)rule->conjunction : next_priority();
	config->cookie = random_u64() % 5;
	random_match(&config->match);
	add_rule_actions(&actions, rule->table, rule->conjunction, true);
	if (below(6) == 0) {
		make_learned(config, &actions);
		rule->table = config->table;
		rule->conjunction = 0;
	}
	rule->rule = rule_add(bridge_id, config, &actions);
	free(config);
}

void
rule_set_random(struct random_rule *rule)
{
	struct flow_actions actions = {0};
	struct error err = {""};

	add_rule_actions(&actions, rule->table, rule->conjunction, true);
	if (dp_rule_set(rule->rule, actions.data, actions.bytes, random_u64() % 5, &err) <
	    0)
		fail_msg("%s", err.text);
	flow_actions_destroy(&actions);
}

void
group_set_random(uint32_t bridge_id, uint32_t number)
{
	struct flow_actions actions[4] = {{0}};
	struct dp_bucket buckets[4];
	static struct dp_group_config config;
	struct error err = {""};

	memset(&config, 0, sizeof(config));
	config.number = number;
	config.type = (enum dp_group_type)below(4);
	config.n_buckets = below(5);
	config.buckets = buckets;
	config.hash_param = below(2);
	if (below(2)) {
		config.hash_fields.f.ip_src[3] = 0xff;
		config.hash_fields.f.tp_dst = 3;
	}
	for (size_t i = 0; i < config.n_buckets; i++) {
		add_random(&actions[i], 1 + below(3), 2, true);
		buckets[i] = (struct dp_bucket){(uint16_t)below(3), FLOW_PORT_NONE,
		                                FLOW_PORT_NONE, actions[i].data,
		                                actions[i].bytes};
		if (config.type == DP_GROUP_FAILOVER)
			buckets[i].watch_group = below(RANDOM_GROUPS);
	}
	if (dp_group_set(bridge_id, &config, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < config.n_buckets; i++)
		flow_actions_destroy(&actions[i]);
}
