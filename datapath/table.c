/* table.c - tables, and the publication of a bridge's next version. Over rule.c and
 * group.c. Main. */
#include "datapath/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/cache_ask.h"
#include "datapath/group.h"
#include "datapath/rcu.h"
#include "datapath/rule.h"
#include "datapath/ruleset.h"

/* For so long a mask stays wider than it need be: a rule that comes and goes does not
 * empty the caches each time. */
#define MASK_KEPT_NS NSEC_PER_SEC

/* Of all bridges: a flow cache must not take one for another. */
static uint64_t last_version, last_generation, last_layout;

/* What is computed with needs all its bits, not those alone that are compared. */
static void
mask_round_up(struct flow_key *mask)
{
	mask->f.in_port = UINT32_MAX;
	if (mask->f.ip_ttl)
		mask->f.ip_ttl = UINT8_MAX;
	if (mask->f.mpls_lse & 0xff)
		mask->f.mpls_lse |= 0xff;
}

/* The one rule of a bridge that forwards all by learned addresses; else NULL. */
static const struct rule *
bridge_fixed_rule(const struct bridge *bridge)
{
	const struct table *table = bridge->tables[0];
	const struct flow_output *output;
	const struct flow_key none = {0};
	const struct rule *rule;

	if (bridge->n_rules != 1 || bridge->egress_table || !table ||
	    list_is_empty(&table->rules))
		return NULL;
	rule = classifier_lookup(&table->classifier, bridge->next_version, &none);
	if (!rule || rule->mask->n_words || rule->actions_bytes != sizeof(*output))
		return NULL;
	output = rule->actions;
	return output->head.type == ACTION_OUTPUT && output->port == FLOW_PORT_NORMAL
	               ? rule
	               : NULL;
}

static void
pipeline_set_mask(struct pipeline *pipeline, const struct flow_key *mask)
{
	pipeline->layout = ++last_layout;
	pipeline->mask = *mask;
	pipeline->n_words = 0;
	for (unsigned i = 0; i < FLOW_PACKET_WORDS; i++) {
		if (!pipeline->mask.words[i])
			continue;
		pipeline->words[pipeline->n_words] = (uint8_t)i;
		pipeline->masks[pipeline->n_words++] = pipeline->mask.words[i];
	}
}

static bool
mask_is_within(const struct flow_key *mask, const struct flow_key *wider)
{
	uint64_t more = 0;

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		more |= mask->words[i] & ~wider->words[i];
	return more == 0;
}

static bool
bridge_mask_may_narrow(const struct bridge *bridge)
{
	return bridge->wide_since_ns &&
	       dp_time_ns() - bridge->wide_since_ns >= MASK_KEPT_NS;
}

/* What the rules that there are now read. Exact when that is wanted or costs nothing:
 * with many masks a pass over them at each publication would be most of its time. */
static void
bridge_note_reads(struct bridge *bridge, bool must_be_exact)
{
	bridge->are_reads_exact = must_be_exact || !bridge->masks.is_stale;
	bridge->reads = bridge->are_reads_exact ? *mask_set_union(&bridge->masks)
	                                        : bridge->masks.all;
	mask_round_up(&bridge->reads);
}

/* The old mask if it will do and is not much too wide, else the one that is needed, and
 * what is still kept of the old. */
static void
bridge_choose_mask(struct bridge *bridge, struct pipeline *pipeline)
{
	const struct pipeline *old = bridge->pipeline;
	const bool may_narrow = !old || bridge_mask_may_narrow(bridge);
	struct flow_key wider;

	bridge_note_reads(bridge, may_narrow);
	if (old && mask_is_within(&bridge->reads, &old->mask) &&
	    (!may_narrow || mask_is_within(&old->mask, &bridge->reads))) {
		pipeline->layout = old->layout;
		pipeline->mask = old->mask;
		pipeline->n_words = old->n_words;
		memcpy(pipeline->words, old->words, sizeof(pipeline->words));
		memcpy(pipeline->masks, old->masks, sizeof(pipeline->masks));
	} else if (may_narrow) {
		pipeline_set_mask(pipeline, &bridge->reads);
	} else {
		for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
			wider.words[i] = bridge->reads.words[i] | old->mask.words[i];
		pipeline_set_mask(pipeline, &wider);
	}
	if (bridge->are_reads_exact && mask_is_within(&pipeline->mask, &bridge->reads))
		bridge->wide_since_ns = 0;
	else if (!bridge->wide_since_ns)
		bridge->wide_since_ns = dp_time_ns();
}

static struct pipeline *
pipeline_build(struct bridge *bridge)
{
	struct pipeline *pipeline = xcalloc_cacheline(sizeof(*pipeline));
	const struct rule *fixed = bridge_fixed_rule(bridge);

	pipeline->version = bridge->next_version;
	pipeline->generation = ++last_generation;
	pipeline->bridge = bridge;
	bridge_choose_mask(bridge, pipeline);
	change_log_publish(&bridge->changes, pipeline);
	pipeline->limits = learn_limits_show(&bridge->limits);
	memcpy(pipeline->miss, bridge->miss, sizeof(pipeline->miss));
	pipeline->egress_table = bridge->egress_table;
	pipeline->is_fixed = fixed != NULL;
	if (fixed)
		pipeline->fixed_tally = fixed->tally;
	return pipeline;
}

void
bridge_publish(struct bridge *bridge)
{
	struct pipeline *old = bridge->pipeline;

	rules_show(bridge);
	atomic_store_explicit(&bridge->pipeline, pipeline_build(bridge),
	                      memory_order_release);
	bridge->next_version = ++last_version;
	rules_retire(bridge);
	groups_retire(bridge);
	learn_limits_retire(&bridge->limits);
	if (old)
		rcu_call_after(free, old);
	rcu_collect();
}

void
bridge_refresh(struct bridge *bridge)
{
	struct pipeline *old = bridge->pipeline, *pipeline;

	if (old->is_fixed) {
		change_log_note_all(&bridge->changes);
		return;
	}
	pipeline = xcalloc_cacheline(sizeof(*pipeline));
	*pipeline = *old;
	pipeline->generation = ++last_generation;
	change_log_publish_all(&bridge->changes, pipeline);
	if (bridge_mask_may_narrow(bridge) && bridge->are_reads_exact) {
		pipeline_set_mask(pipeline, &bridge->reads);
		bridge->wide_since_ns = 0;
	}
	atomic_store_explicit(&bridge->pipeline, pipeline, memory_order_release);
	rcu_free_after(old);
}

void
bridges_refresh(void)
{
	for (unsigned i = 0; i < BRIDGES_MAX; i++)
		if (bridges[i])
			bridge_refresh(bridges[i]);
}

void
bridges_narrow(void)
{
	for (unsigned i = 0; i < BRIDGES_MAX; i++) {
		struct bridge *bridge = bridges[i];

		if (!bridge || !bridge_mask_may_narrow(bridge))
			continue;
		/* Else the rules that there are now are not those that packets see. */
		if (!bridge->are_reads_exact && change_log_is_empty(&bridge->changes))
			bridge_note_reads(bridge, true);
		if (!bridge->are_reads_exact)
			continue;
		if (mask_is_within(&bridge->pipeline->mask, &bridge->reads))
			bridge->wide_since_ns = 0;
		else
			bridge_refresh(bridge);
	}
}

void
tables_init(struct bridge *bridge)
{
	mask_set_init(&bridge->masks);
	learn_limits_init(&bridge->limits);
	bridge->next_version = ++last_version;
	bridge_publish(bridge);
}

/* Workers do not see the bridge any more. */
void
tables_destroy(struct bridge *bridge)
{
	rules_destroy(bridge);
	groups_destroy(bridge);
	rules_retire(bridge);
	groups_retire(bridge);
	rcu_drain();
	for (unsigned t = 0; t < DP_TABLES_MAX; t++) {
		struct table *table = bridge->tables[t];

		if (!table)
			continue;
		classifier_destroy(&table->classifier);
		tally_del(table->missed);
		free(table);
	}
	mask_set_destroy(&bridge->masks);
	change_log_destroy(&bridge->changes);
	learn_limits_destroy(&bridge->limits);
	free(bridge->pipeline);
}

void
dp_publish(uint32_t bridge_id)
{
	struct bridge *bridge = bridge_by_id(bridge_id);

	if (bridge)
		bridge_publish(bridge);
}

void
dp_synchronize(void)
{
	rcu_synchronize();
	rcu_collect();
}

void
dp_bridge_clear_rules(uint32_t bridge_id)
{
	struct bridge *bridge = bridge_by_id(bridge_id);

	if (!bridge)
		return;
	rules_destroy(bridge);
	groups_destroy(bridge);
	memset(bridge->miss, DP_MISS_DROP, sizeof(bridge->miss));
	bridge->egress_table = 0;
	learn_limits_clear(&bridge->limits);
	change_log_note_all(&bridge->changes);
	bridge->wide_since_ns = 1; /* long ago: nothing of the old mask is kept */
	bridge_publish(bridge);
}

void
dp_table_set_miss(uint32_t bridge_id, uint8_t table, enum dp_miss miss)
{
	struct bridge *bridge = bridge_by_id(bridge_id);

	if (!bridge || table >= DP_TABLES_MAX || bridge->miss[table] == miss)
		return;
	bridge->miss[table] = (uint8_t)miss;
	change_log_note_table(&bridge->changes, table);
}

void
dp_bridge_set_egress_table(uint32_t bridge_id, uint8_t table)
{
	struct bridge *bridge = bridge_by_id(bridge_id);

	if (!bridge || bridge->egress_table == table)
		return;
	bridge->egress_table = table;
	change_log_note_all(&bridge->changes);
}

void
dp_learn_limit_set(uint32_t bridge_id, const struct dp_learn_limit *limit,
                   bool is_reached)
{
	struct bridge *bridge = bridge_by_id(bridge_id);

	if (bridge && learn_limits_note(&bridge->limits, limit, is_reached))
		change_log_note_limit(&bridge->changes, learn_limit_hash(limit));
}

void
dp_table_get_stats(uint32_t bridge_id, uint8_t number, struct dp_table_stats *stats)
{
	struct bridge *bridge = bridge_by_id(bridge_id);
	struct table *table =
		bridge && number < DP_TABLES_MAX ? bridge->tables[number] : NULL;
	struct tally_sum sum;

	*stats = (struct dp_table_stats){0, 0};
	if (!table)
		return;
	caches_flush_counts();
	tally_get(table->missed, &sum);
	stats->matched = table->matched_deleted + rules_count_packets(table);
	stats->lookups = stats->matched + sum.packets;
}
