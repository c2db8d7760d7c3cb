/* table.c - compiles rules into tables and walks them. Building: main. Walking: workers,
 * on a miss of the flow cache. */
#include "datapath/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int
rule_compare(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return (int)y->priority - (int)x->priority;
}

static int
rule_check(const struct dp_static_rule *rule, struct error *err)
{
	if (rule->table >= DP_TABLES_MAX)
		return error_set(err, -EINVAL, "table %u: tables end at %d", rule->table,
		                 DP_TABLES_MAX - 1);
	if (rule->n_actions > DP_RULE_ACTIONS_MAX)
		return error_set(err, -EINVAL,
		                 "table %u: a rule has %u actions, at most %d",
		                 rule->table, rule->n_actions, DP_RULE_ACTIONS_MAX);
	if (rule->goto_table != DP_TABLE_NONE &&
	    (rule->goto_table <= rule->table || rule->goto_table >= DP_TABLES_MAX))
		return error_set(err, -EINVAL,
		                 "table %u: goto table %u does not go forward",
		                 rule->table, rule->goto_table);
	return 0;
}

static void
pipeline_add_rule(struct pipeline *pipeline, const struct dp_static_rule *from)
{
	struct table *table = &pipeline->tables[from->table];
	struct rule *rule;

	table->rules = xrealloc(table->rules, (table->n + 1) * sizeof(struct rule));
	rule = &table->rules[table->n++];
	memset(rule, 0, sizeof(*rule));
	rule->mask = from->mask;
	flow_key_mask(&rule->match, &from->match, &from->mask);
	rule->priority = from->priority;
	rule->goto_table = from->goto_table;
	rule->n_actions = from->n_actions;
	memcpy(rule->actions, from->actions, from->n_actions * sizeof(from->actions[0]));
}

/* The union over all rules. One union serves all kinds of packets for now; a kind lacks
 * the fields it does not have, and those are 0 in every key of it. */
static void
pipeline_set_masks(struct pipeline *pipeline)
{
	struct flow_key mask = {0};

	mask.f.in_port = UINT32_MAX;
	for (uint32_t t = 0; t < pipeline->n_tables; t++)
		for (uint32_t r = 0; r < pipeline->tables[t].n; r++)
			for (size_t w = 0; w < FLOW_KEY_WORDS; w++)
				mask.words[w] |=
					pipeline->tables[t].rules[r].mask.words[w];
	for (int type = 0; type < FLOW_N_TYPES; type++)
		pipeline->masks[type] = mask;
}

int
pipeline_build(const struct dp_static_rule *rules, size_t n, struct pipeline **result,
               struct error *err)
{
	static uint64_t generation;
	struct flow_key any = {0};
	struct pipeline *pipeline;
	uint32_t n_tables = 1;

	for (size_t i = 0; i < n; i++) {
		int ret = rule_check(&rules[i], err);

		if (ret < 0)
			return ret;
		n_tables = MAX_OF(n_tables, rules[i].table + 1U);
		if (rules[i].goto_table != DP_TABLE_NONE)
			n_tables = MAX_OF(n_tables, rules[i].goto_table + 1U);
	}
	pipeline = xcalloc(1, sizeof(*pipeline) + n_tables * sizeof(struct table));
	pipeline->generation = ++generation;
	pipeline->n_tables = n_tables;
	for (size_t i = 0; i < n; i++)
		pipeline_add_rule(pipeline, &rules[i]);
	for (uint32_t t = 0; t < n_tables; t++)
		if (pipeline->tables[t].n)
			qsort(pipeline->tables[t].rules, pipeline->tables[t].n,
			      sizeof(struct rule), rule_compare);
	pipeline_set_masks(pipeline);
	pipeline->is_fixed = n == 1 && flow_key_is_empty(&rules[0].mask) &&
	                     pipeline_walk(pipeline, &any, &pipeline->fixed);
	*result = pipeline;
	return 0;
}

void
pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	for (uint32_t t = 0; t < pipeline->n_tables; t++)
		free(pipeline->tables[t].rules);
	free(pipeline);
}

static const struct rule *
table_find(const struct table *table, const struct flow_key *key)
{
	for (uint32_t i = 0; i < table->n; i++)
		if (flow_key_matches(key, &table->rules[i].match, &table->rules[i].mask))
			return &table->rules[i];
	return NULL;
}

bool
pipeline_walk(const struct pipeline *pipeline, const struct flow_key *key,
              struct program *program)
{
	uint16_t t = 0;

	program->n = 0;
	for (int visits = 0; visits < WALK_TABLES_MAX; visits++) {
		const struct rule *rule = table_find(&pipeline->tables[t], key);

		if (!rule)
			return false;
		for (uint8_t i = 0; i < rule->n_actions; i++) {
			if (program->n == PROGRAM_ACTIONS_MAX)
				return false;
			program->actions[program->n++] = rule->actions[i];
		}
		if (rule->goto_table == DP_TABLE_NONE)
			return true;
		t = rule->goto_table;
	}
	return false;
}
