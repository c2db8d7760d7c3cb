/* walk_oracle_test.c - what the flow cache stands on: bits that no rule reads never
 * change what a walk comes to; and the classifier finds what a plain search finds. Random
 * tables with all actions; WEIR_TEST_ORACLE_PAIRS sets how many pairs of packets are
 * compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/bridge.h"
#include "datapath/classifier.h"
#include "datapath/ruleset.h"
#include "datapath/walk.h"
#include "tests/support/program_text.h"

#define TABLES       6
#define RULES_MAX    80
#define GROUPS       6
#define PAIRS        300000ULL
#define FLIPS        20 /* packets compared with each */
#define KEYS         40
#define ADDRESS_KIND 4

static uint64_t random_state = 0x2545f4914f6cdd1dULL;
static uint32_t bridge_id;
static struct walk *one, *two;

static uint64_t
random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static unsigned
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

static void
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
		add_number(actions, ACTION_GROUP, below(GROUPS));
		break;
	case 5:
	case 6:
		resubmit = flow_actions_add(actions, ACTION_RESUBMIT, sizeof(*resubmit));
		resubmit->table = (uint8_t)(below(10) ? 1 + below(TABLES - 1) : 0xff);
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

static void
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
add_conjunctions(struct flow_actions *actions)
{
	for (unsigned n = 1 + below(3); n > 0; n--) {
		struct flow_conjunction *c =
			flow_actions_add(actions, ACTION_CONJUNCTION, sizeof(*c));

		c->id = 1 + below(2);
		c->n_clauses = 2;
		c->clause = (uint8_t)below(2);
	}
}

static struct dp_rule *
rule_add_random(void)
{
	static struct dp_rule_config config;
	struct flow_actions actions = {0};
	struct dp_rule *rule = NULL;
	struct error err = {""};

	memset(&config, 0, sizeof(config));
	config.table = (uint8_t)below(TABLES);
	config.priority = (uint16_t)below(4);
	config.cookie = random_u64() % 5;
	random_match(&config.match);
	if (below(6) == 0)
		add_conjunctions(&actions);
	else
		add_random(&actions, below(5), 0, false);
	if (below(2) && config.table + 1U < TABLES)
		add_number(&actions, ACTION_GOTO_TABLE,
		           config.table + 1U + below(TABLES - config.table - 1U));
	config.actions = actions.data;
	config.actions_bytes = actions.bytes;
	if (dp_rule_add(bridge_id, &config, &rule, &err) < 0)
		fail_msg("%s", err.text);
	flow_actions_destroy(&actions);
	return rule;
}

static void
group_set_random(uint32_t number)
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
			buckets[i].watch_group = below(GROUPS);
	}
	if (dp_group_set(bridge_id, &config, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < config.n_buckets; i++)
		flow_actions_destroy(&actions[i]);
}

static bool
walks_equal(const struct walk *a, const struct walk *b)
{
	return a->bytes == b->bytes && a->n_tallies == b->n_tallies &&
	       a->drop == b->drop && a->is_cacheable == b->is_cacheable &&
	       !memcmp(a->program, b->program, a->bytes) &&
	       !memcmp(a->tallies, b->tallies, a->n_tallies * sizeof(a->tallies[0]));
}

static void
print_step(const struct dp_trace_step *step, void *aux)
{
	(void)aux;
	print_message("%*s%u: table %u, priority %u, action %d, %s\n",
	              (int)step->depth * 2, "", step->kind, step->table, step->priority,
	              step->action ? step->action->type : -1,
	              step->text ? step->text : "");
}

static void
print_fate(const struct dp_trace_fate *fate, void *aux)
{
	(void)aux;
	print_message("port %u, %s\n", fate->port_id, fate->reason ? fate->reason : "");
}

/* Says which word of the key it was, and what both walks did. */
static void
explain_difference(const struct pipeline *pipeline, const struct flow_key *key,
                   const struct flow_key *other)
{
	const struct dp_trace trace = {
		.key = *key, .length = 100, .step = print_step, .fate = print_fate};
	struct str text = STR_INIT;
	struct error err;

	for (size_t w = 0; w < FLOW_PACKET_WORDS; w++) {
		struct flow_key mixed = *key;

		mixed.words[w] = other->words[w];
		walk_packet(two, pipeline, &mixed, 100);
		if (!walks_equal(one, two))
			print_message("byte %zu: %016llx, not %016llx, mask %016llx\n",
			              w * 8, (unsigned long long)other->words[w],
			              (unsigned long long)key->words[w],
			              (unsigned long long)pipeline->mask.words[w]);
	}
	dp_trace(bridge_id, &trace, &err);
	str_printf(&text, "actions: ");
	program_format(&text, one->program, one->bytes);
	walk_packet(two, pipeline, other, 100);
	str_append(&text, "\n     not: ");
	program_format(&text, two->program, two->bytes);
	for (size_t i = 0; i < one->bytes && i < two->bytes; i += 8)
		if (one->program[i / 8] != two->program[i / 8])
			str_printf(&text, "\nfirst at %zu", i), i = one->bytes;
	print_message("%s\n", str_text(&text));
	str_free(&text);
}

struct oracle {
	uint64_t pairs, with_program, failed, suspended;
};

/* Packets that differ in bits outside of the mask alone. */
static void
compare_random_packets(const struct pipeline *pipeline, struct oracle *oracle)
{
	struct flow_key key, other;

	random_key(&key);
	/* What a packet does not carry walks get masked (pipeline.c), and write down.
	 */
	for (size_t w = PROGRAM_STATE_FROM; w < FLOW_PACKET_WORDS; w++)
		key.words[w] &= pipeline->mask.words[w];
	walk_packet(one, pipeline, &key, 100);
	oracle->with_program += one->bytes > 0;
	oracle->failed += one->has_failed;
	FLOW_ACTION_FOR_EACH(action, one->program, one->bytes)
	oracle->suspended += action->type == PROGRAM_WALK;
	for (int i = 0; i < FLIPS; i++) {
		other = key;
		for (size_t w = 0; w < PROGRAM_STATE_FROM; w++)
			other.words[w] = (key.words[w] & pipeline->mask.words[w]) |
			                 (random_u64() & ~pipeline->mask.words[w]);
		/* No packet has others. */
		other.f.ip_fragment &= FLOW_FRAGMENT | FLOW_LATER;
		walk_packet(two, pipeline, &other, 100);
		oracle->pairs++;
		if (!walks_equal(one, two)) {
			explain_difference(pipeline, &key, &other);
			fail_msg("bits outside of the mask matter, after %llu pairs",
			         (unsigned long long)oracle->pairs);
		}
	}
}

static void
test_bits_outside_the_mask_never_matter(void **state)
{
	const char *wanted = getenv("WEIR_TEST_ORACLE_PAIRS");
	uint64_t pairs = wanted ? strtoull(wanted, NULL, 10) : PAIRS;
	struct oracle oracle = {0};

	(void)state;
	while (oracle.pairs < pairs) {
		unsigned n = 1 + below(RULES_MAX);

		dp_bridge_clear_rules(bridge_id);
		for (unsigned i = 0; i < GROUPS; i++)
			if (below(2))
				group_set_random(i);
		for (unsigned i = 0; i < n; i++)
			rule_add_random();
		for (uint8_t t = 0; t < TABLES; t++)
			dp_table_set_miss(bridge_id, t, (enum dp_miss)below(3));
		dp_publish(bridge_id);
		for (int k = 0; k < KEYS; k++)
			compare_random_packets(bridges[bridge_id]->pipeline, &oracle);
	}
	/* The tables were not all empty, and not all nonsense. */
	assert_true(oracle.with_program > pairs / FLIPS / 10);
	assert_true(oracle.suspended > 0);
	print_message(
		"%llu pairs, %llu with actions, %llu failed, %llu suspended\n",
		(unsigned long long)oracle.pairs, (unsigned long long)oracle.with_program,
		(unsigned long long)oracle.failed, (unsigned long long)oracle.suspended);
}

/* ---- the classifier ---- */

struct plain_rule {
	struct dp_rule *handle;
	struct flow_match match;
	uint16_t priority;
	uint64_t cookie;
	bool is_published, is_deleted;
};

/* The highest priority that matches, in what was published; -1 = none. */
static int
plain_find(const struct plain_rule *rules, unsigned n, const struct flow_key *key)
{
	int best = -1;

	for (unsigned i = 0; i < n; i++)
		if (rules[i].is_published &&
		    flow_key_matches(key, &rules[i].match.key, &rules[i].match.mask) &&
		    rules[i].priority > best)
			best = rules[i].priority;
	return best;
}

static void
plain_add(struct plain_rule *rule)
{
	static struct dp_rule_config config;
	struct error err = {""};

	memset(&config, 0, sizeof(config));
	rule->priority = (uint16_t)below(50);
	rule->cookie = random_u64();
	rule->is_published = rule->is_deleted = false;
	random_match(&rule->match);
	config.match = rule->match;
	config.priority = rule->priority;
	config.cookie = rule->cookie;
	if (dp_rule_add(bridge_id, &config, &rule->handle, &err) < 0)
		fail_msg("%s", err.text);
}

/* A round: some rules come, change and go; what is published before and after. */
static void
churn(struct plain_rule *rules, unsigned *n, unsigned max)
{
	struct error err;

	for (unsigned i = below(10); i > 0 && *n < max; i--)
		plain_add(&rules[(*n)++]);
	for (unsigned i = 0; i < *n; i++) {
		if (below(15) == 0 && !rules[i].is_deleted) {
			dp_rule_del(rules[i].handle);
			rules[i].is_deleted = true;
		} else if (below(15) == 0 && !rules[i].is_deleted) {
			assert_int_equal(dp_rule_set(rules[i].handle, NULL, 0, 1, &err),
			                 0);
		}
	}
}

static void
settle_published(struct plain_rule *rules, unsigned *n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *n; i++) {
		rules[i].is_published = true;
		if (!rules[i].is_deleted)
			rules[kept++] = rules[i];
	}
	*n = kept;
}

static void
test_classifier_finds_what_a_search_finds(void **state)
{
	static struct plain_rule rules[400];
	struct bridge *bridge = bridges[bridge_id];
	unsigned n = 0, found = 0;

	(void)state;
	dp_bridge_clear_rules(bridge_id);
	for (int round = 0; round < 2000; round++) {
		churn(rules, &n, ARRAY_SIZE(rules));
		for (int half = 0; half < 2; half++) {
			for (int k = 0; k < 20; k++) {
				const struct table *table = bridge->tables[0];
				const struct rule *rule;
				struct flow_key key;
				int best;

				random_key(&key);
				best = plain_find(rules, n, &key);
				rule = table ? classifier_lookup(
						       &table->classifier,
						       bridge->pipeline->version, &key)
				             : NULL;
				assert_int_equal(rule ? rule->priority : -1, best);
				found += best >= 0;
			}
			if (half == 0) {
				dp_publish(bridge_id);
				settle_published(rules, &n);
			}
		}
	}
	assert_true(found > 10000);
}

/* ---- conjunctions ---- */

static void
conjunctive_add(uint16_t priority, enum flow_field_id field, uint64_t value, uint32_t id,
                uint8_t clause, uint8_t n_clauses)
{
	struct flow_conjunction c = {
		.head = {.type = ACTION_CONJUNCTION, .bytes = sizeof(c)},
		.id = id,
		.clause = clause,
		.n_clauses = n_clauses,
	};
	static struct dp_rule_config config;
	struct dp_rule *rule;
	struct error err;

	memset(&config, 0, sizeof(config));
	config.priority = priority;
	config.actions = n_clauses ? &c : NULL;
	config.actions_bytes = n_clauses ? sizeof(c) : 0;
	config.cookie = 100 + id;
	flow_match_set_u64(&config.match, field, value);
	assert_int_equal(dp_rule_add(bridge_id, &config, &rule, &err), 0);
}

static uint64_t
cookie_found(const struct flow_key *key)
{
	const struct bridge *bridge = bridges[bridge_id];
	const struct rule *rule = classifier_lookup(&bridge->tables[0]->classifier,
	                                            bridge->pipeline->version, key);

	return rule ? rule->cookie : 0;
}

static void
test_conjunctions(void **state)
{
	struct flow_key key = {0};

	(void)state;
	dp_bridge_clear_rules(bridge_id);
	/* (src 1 or 2) and (dst 3 or 4) and (reg0 5) is 7; src 1 and dst 3 is 8. */
	conjunctive_add(10, FIELD_ETH_SRC, 1, 7, 0, 3);
	conjunctive_add(10, FIELD_ETH_SRC, 2, 7, 0, 3);
	conjunctive_add(10, FIELD_ETH_DST, 3, 7, 1, 3);
	conjunctive_add(10, FIELD_ETH_DST, 4, 7, 1, 3);
	conjunctive_add(10, FIELD_REG0, 5, 7, 2, 3);
	conjunctive_add(5, FIELD_IN_PORT, 1, 8, 0, 2);
	conjunctive_add(5, FIELD_ETH_TYPE, 0x800, 8, 1, 2);
	conjunctive_add(20, FIELD_CONJ_ID, 7, 7, 0, 0);
	conjunctive_add(20, FIELD_CONJ_ID, 8, 8, 0, 0);
	conjunctive_add(7, FIELD_IP_PROTO, 6, 9, 0, 0);
	dp_publish(bridge_id);
	key.f.eth_src[5] = 2;
	key.f.eth_dst[5] = 4;
	assert_int_equal(cookie_found(&key), 0);
	key.f.regs[0] = 5;
	assert_int_equal(cookie_found(&key), 107);
	/* A whole rule between the two priorities. */
	key.f.in_port = 1;
	key.f.eth_type = 0x800;
	key.f.ip_proto = 6;
	assert_int_equal(cookie_found(&key), 107);
	key.f.regs[0] = 6;
	assert_int_equal(cookie_found(&key), 109);
	key.f.ip_proto = 0;
	assert_int_equal(cookie_found(&key), 108);
	key.f.in_port = 2;
	assert_int_equal(cookie_found(&key), 0);
}

static int
setup(void **state)
{
	struct dp_bridge_config config = {.name = "br0"};
	struct error err = {""};

	(void)state;
	one = calloc(1, sizeof(*one));
	two = calloc(1, sizeof(*two));
	return one && two ? dp_bridge_add(&config, &bridge_id, &err) : -1;
}

static int
teardown(void **state)
{
	(void)state;
	dp_bridge_del(bridge_id);
	free(one);
	free(two);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classifier_finds_what_a_search_finds),
		cmocka_unit_test(test_conjunctions),
		cmocka_unit_test(test_bits_outside_the_mask_never_matter),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
