/* flow_table.c - rules by exact match, and choosing of rules. Below changes.c. Main
 * thread. */
#include "vswitchd/ofproto/flow_table.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* Rules of one mask, by their match alone. */
struct flow_form {
	struct hmap_node node;
	struct flow_key mask;
	struct hmap rules;
};

/* Rules of one cookie. */
struct flow_cookie {
	struct hmap_node node;
	uint64_t cookie;
	struct list rules;
	uint32_t n_rules;
};

static uint64_t
hash_step(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0xbf58476d1ce4e5b9ULL;
	return hash ^ hash >> 32;
}

static uint32_t
mask_hash(const struct flow_key *mask)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		if (mask->words[i])
			hash = hash_step(hash_step(hash, i), mask->words[i]);
	return hash_u64(hash, 0);
}

static uint32_t
match_hash(const struct flow_match *match)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		if (match->mask.words[i])
			hash = hash_step(hash_step(hash, match->key.words[i] ^ i),
			                 match->mask.words[i]);
	return hash_u64(hash, 0);
}

/* In flow_table.rules. */
static uint32_t
rule_hash(uint32_t match_hash, uint16_t priority)
{
	return hash_u64(match_hash, priority);
}

static bool
match_equal(const struct flow_match *a, const struct flow_match *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void
flow_table_init(struct flow_table *table, uint8_t id)
{
	*table = (struct flow_table){
		.id = id, .limit = FLOW_TABLE_RULES_MAX, .eviction_flags = 7};
	hmap_init(&table->rules);
	hmap_init(&table->forms);
	hmap_init(&table->cookies);
}

void
flow_table_destroy(struct flow_table *table)
{
	struct rule *rule;

	HMAP_FOR_EACH (rule, node, &table->rules) {
		flow_table_remove(table, rule);
		rule_free(rule);
	}
	hmap_destroy(&table->rules);
	hmap_destroy(&table->forms);
	hmap_destroy(&table->cookies);
}

/* ---- cookies ---- */

static struct flow_cookie *
find_cookie(const struct flow_table *table, uint64_t cookie)
{
	struct flow_cookie *found;

	HMAP_FOR_EACH_WITH_HASH (found, node, hash_u64(cookie, 0), &table->cookies)
		if (found->cookie == cookie)
			return found;
	return NULL;
}

static void
enter_cookie(struct flow_table *table, struct rule *rule)
{
	struct flow_cookie *of = find_cookie(table, rule->cookie);

	if (!of) {
		of = xcalloc(1, sizeof(*of));
		of->cookie = rule->cookie;
		list_init(&of->rules);
		hmap_insert(&table->cookies, &of->node, hash_u64(of->cookie, 0));
	}
	list_push_back(&of->rules, &rule->cookie_node);
	of->n_rules++;
	rule->by_cookie = of;
}

static void
leave_cookie(struct flow_table *table, struct rule *rule)
{
	struct flow_cookie *of = rule->by_cookie;

	list_remove(&rule->cookie_node);
	rule->by_cookie = NULL;
	if (--of->n_rules)
		return;
	hmap_remove(&table->cookies, &of->node);
	free(of);
}

void
flow_table_set_cookie(struct flow_table *table, struct rule *rule, uint64_t cookie)
{
	if (rule->cookie == cookie)
		return;
	leave_cookie(table, rule);
	rule->cookie = cookie;
	enter_cookie(table, rule);
}

uint32_t
flow_table_count_cookie(const struct flow_table *table, uint64_t cookie)
{
	const struct flow_cookie *of = find_cookie(table, cookie);

	return of ? of->n_rules : 0;
}

/* ---- rules ---- */

static struct flow_form *
table_form(struct flow_table *table, const struct flow_key *mask)
{
	uint32_t hash = mask_hash(mask);
	struct flow_form *form;

	HMAP_FOR_EACH_WITH_HASH (form, node, hash, &table->forms)
		if (!memcmp(&form->mask, mask, sizeof(*mask)))
			return form;
	form = xcalloc(1, sizeof(*form));
	form->mask = *mask;
	hmap_init(&form->rules);
	hmap_insert(&table->forms, &form->node, hash);
	return form;
}

void
flow_table_insert(struct flow_table *table, struct rule *rule)
{
	uint32_t hash = match_hash(&rule->match);

	hmap_insert(&table->rules, &rule->node, rule_hash(hash, rule->priority));
	rule->form = table_form(table, &rule->match.mask);
	hmap_insert(&rule->form->rules, &rule->form_node, hash);
	enter_cookie(table, rule);
	table->n_hidden += rule->is_hidden;
}

void
flow_table_remove(struct flow_table *table, struct rule *rule)
{
	struct flow_form *form = rule->form;

	hmap_remove(&table->rules, &rule->node);
	hmap_remove(&form->rules, &rule->form_node);
	leave_cookie(table, rule);
	if (!form->rules.count) {
		hmap_remove(&table->forms, &form->node);
		hmap_destroy(&form->rules);
		free(form);
	}
	table->n_hidden -= rule->is_hidden;
}

struct rule *
flow_table_find(const struct flow_table *table, const struct flow_match *match,
                uint16_t priority)
{
	uint32_t hash = rule_hash(match_hash(match), priority);
	struct rule *rule;

	HMAP_FOR_EACH_WITH_HASH (rule, node, hash, &table->rules)
		if (rule->priority == priority && !rule->is_hidden &&
		    match_equal(&rule->match, match))
			return rule;
	return NULL;
}

static bool
matches_overlap(const struct flow_match *a, const struct flow_match *b)
{
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		if ((a->key.words[i] ^ b->key.words[i]) & a->mask.words[i] &
		    b->mask.words[i])
			return false;
	return true;
}

struct rule *
flow_table_find_overlap(const struct flow_table *table, const struct flow_match *match,
                        uint16_t priority)
{
	struct rule *rule;

	HMAP_FOR_EACH (rule, node, &table->rules)
		if (rule->priority == priority && !rule->is_hidden &&
		    matches_overlap(&rule->match, match) &&
		    !match_equal(&rule->match, match))
			return rule;
	return NULL;
}

/* Whether all packets of 'match' are packets of 'wider', by their form. */
static bool
match_is_within(const struct flow_match *match, const struct flow_match *wider)
{
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++) {
		const uint64_t mask = wider->mask.words[i];

		if (mask & ~match->mask.words[i] ||
		    (match->key.words[i] ^ wider->key.words[i]) & mask)
			return false;
	}
	return true;
}

bool
rule_fits(const struct rule *rule, const struct rule_filter *filter)
{
	if (rule->is_hidden ||
	    (filter->table != OF_TABLE_ALL && filter->table != rule->table) ||
	    (rule->cookie ^ filter->cookie) & filter->cookie_mask)
		return false;
	if (filter->is_strict ? rule->priority != filter->priority ||
	                                !match_equal(&rule->match, filter->match)
	                      : !match_is_within(&rule->match, filter->match))
		return false;
	return (filter->out_port == FLOW_PORT_NONE ||
	        actions_output_to(&rule->actions, filter->out_port)) &&
	       (filter->out_group == OF_GROUP_ANY ||
	        actions_use_group(rule->actions.data, rule->actions.bytes,
	                          filter->out_group));
}

static bool
mask_is_within(const struct flow_key *mask, const struct flow_key *of)
{
	uint64_t more = 0;

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		more |= mask->words[i] & ~of->words[i];
	return more == 0;
}

/* Of a form that has the filter's mask: rules that differ in priority. */
static void
select_equal(const struct flow_form *form, const struct rule_filter *filter,
             struct rule_list *list)
{
	uint32_t hash = match_hash(filter->match);
	struct rule *rule;

	HMAP_FOR_EACH_WITH_HASH (rule, form_node, hash, &form->rules)
		if (rule_fits(rule, filter))
			rule_list_add(list, rule);
}

static void
select_narrower(const struct flow_form *form, const struct rule_filter *filter,
                struct rule_list *list)
{
	struct rule *rule;

	HMAP_FOR_EACH (rule, form_node, &form->rules)
		if (rule_fits(rule, filter))
			rule_list_add(list, rule);
}

static void
select_of_cookie(const struct flow_table *table, const struct rule_filter *filter,
                 struct rule_list *list)
{
	const struct flow_cookie *of = find_cookie(table, filter->cookie);
	struct rule *rule;

	if (!of)
		return;
	LIST_FOR_EACH (rule, cookie_node, &of->rules)
		if (rule_fits(rule, filter))
			rule_list_add(list, rule);
}

void
flow_table_select(const struct flow_table *table, const struct rule_filter *filter,
                  struct rule_list *list)
{
	const struct flow_form *form;
	struct rule *rule;

	if (filter->is_strict) {
		rule = flow_table_find(table, filter->match, filter->priority);
		if (rule && rule_fits(rule, filter))
			rule_list_add(list, rule);
		return;
	}
	if (filter->cookie_mask == UINT64_MAX &&
	    flow_key_is_empty(&filter->match->mask)) {
		select_of_cookie(table, filter, list);
		return;
	}
	HMAP_FOR_EACH (form, node, &table->forms) {
		if (!mask_is_within(&filter->match->mask, &form->mask))
			continue;
		if (mask_is_within(&form->mask, &filter->match->mask))
			select_equal(form, filter, list);
		else
			select_narrower(form, filter, list);
	}
}

void
flow_table_select_some(const struct flow_table *table, const struct rule_filter *filter,
                       size_t *position, struct rule_list *list)
{
	for (struct hmap_node *node = hmap_bucket_at(&table->rules, position); node;
	     node = node->next) {
		struct rule *rule = CONTAINER_OF(node, struct rule, node);

		if (rule_fits(rule, filter))
			rule_list_add(list, rule);
	}
}

void
rule_list_add(struct rule_list *list, struct rule *rule)
{
	if (list->n == list->allocated) {
		list->allocated = list->allocated ? 2 * list->allocated : 16;
		list->rules =
			xrealloc(list->rules, list->allocated * sizeof(struct rule *));
	}
	list->rules[list->n++] = rule;
}

void
rule_list_destroy(struct rule_list *list)
{
	free(list->rules);
	*list = (struct rule_list){0};
}

struct rule *
rule_create(uint8_t table, const struct flow_match *match, uint16_t priority)
{
	struct rule *rule = xcalloc(1, sizeof(*rule));

	rule->table = table;
	rule->match = *match;
	rule->priority = priority;
	list_init(&rule->timeout);
	list_init(&rule->cookie_node);
	return rule;
}

void
rule_free(struct rule *rule)
{
	list_remove(&rule->timeout);
	flow_actions_destroy(&rule->actions);
	free(rule);
}

void
rule_get_stats(const struct rule *rule, struct rule_stats *stats)
{
	*stats = (struct rule_stats){0};
	if (rule->dp)
		dp_rule_get_stats(rule->dp, &stats->packets, &stats->bytes,
		                  &stats->used_ns);
	stats->packets += rule->base_packets;
	stats->bytes += rule->base_bytes;
	stats->used_ns = MAX_OF(stats->used_ns, rule->base_used_ns);
}

uint64_t
rule_deadline_ns(const struct rule *rule, bool *is_hard)
{
	uint64_t hard_ns = UINT64_MAX, idle_ns = UINT64_MAX;
	struct rule_stats stats;

	if (rule->hard_s)
		hard_ns = rule->modified_ns + rule->hard_s * NSEC_PER_SEC;
	if (rule->idle_s) {
		rule_get_stats(rule, &stats);
		idle_ns = MAX_OF(stats.used_ns, rule->modified_ns) +
		          rule->idle_s * NSEC_PER_SEC;
	}
	*is_hard = hard_ns <= idle_ns;
	return MIN_OF(hard_ns, idle_ns);
}

bool
action_nested(const struct flow_action *action, const void **records, size_t *bytes)
{
	if (action->type == ACTION_CLONE || action->type == ACTION_WRITE_ACTIONS) {
		const struct flow_nested *nested = (const void *)action;

		*records = nested->nested;
		*bytes = nested->nested_bytes;
		return true;
	}
	if (action->type == ACTION_CT) {
		const struct flow_ct *ct = (const void *)action;

		*records = ct->nested;
		*bytes = ct->nested_bytes;
		return true;
	}
	return false;
}

static bool
records_output_to(const void *records, size_t bytes, uint32_t port)
{
	const void *inner;
	size_t n;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (action->type == ACTION_OUTPUT &&
		    ((const struct flow_output *)action)->port == port)
			return true;
		if (action->type == ACTION_ENQUEUE &&
		    ((const struct flow_enqueue *)action)->port == port)
			return true;
		if (action->type == ACTION_CONTROLLER && port == FLOW_PORT_CONTROLLER)
			return true;
		if (action_nested(action, &inner, &n) &&
		    records_output_to(inner, n, port))
			return true;
	}
	return false;
}

bool
actions_output_to(const struct flow_actions *actions, uint32_t port)
{
	return records_output_to(actions->data, actions->bytes, port);
}

bool
actions_use_group(const void *records, size_t bytes, uint32_t group)
{
	const void *inner;
	size_t n;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (action->type == ACTION_GROUP &&
		    ((const struct flow_number *)action)->value == group)
			return true;
		if (action_nested(action, &inner, &n) &&
		    actions_use_group(inner, n, group))
			return true;
	}
	return false;
}

bool
actions_have(const void *records, size_t bytes, enum flow_action_type type)
{
	const void *inner;
	size_t n;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	if (action->type == type ||
	    (action_nested(action, &inner, &n) && actions_have(inner, n, type)))
		return true;
	return false;
}
