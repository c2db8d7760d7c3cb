/* rule.c - rules come, change and go: dp_rule_*(). A rule that changes is replaced by
 * another one of the same place, so a publication shows all changes at once. Over
 * classifier.c. Main. */
#include "datapath/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/cache_ask.h"
#include "datapath/classifier.h"
#include "datapath/rcu.h"
#include "datapath/records.h"
#include "datapath/ruleset.h"

/* What the users hold. */
struct dp_rule {
	struct list node; /* in table.rules */
	struct bridge *bridge;
	struct table *table;
	struct rule *current;
	struct mask_entry *reads;
	struct tally_ref tally;
};

static int
conjunction_compare(const void *a, const void *b)
{
	const struct rule_conjunction *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct rule *
rule_create(struct rule_mask *mask, const void *actions, size_t bytes)
{
	size_t key_bytes = mask->n_words * sizeof(uint64_t);
	struct rule_conjunction *conjunctions;
	struct rule *rule;
	uint32_t n = 0;

	FLOW_ACTION_FOR_EACH(action, actions, bytes)
	n += action->type == ACTION_CONJUNCTION;
	rule = xcalloc(1, sizeof(*rule) + key_bytes + bytes + n * sizeof(*conjunctions));
	rule->mask = mask;
	rule->removed = RULE_NEVER_REMOVED;
	rule->actions = (const uint8_t *)rule->key + key_bytes;
	rule->actions_bytes = (uint32_t)bytes;
	if (bytes)
		memcpy((uint8_t *)rule->key + key_bytes, actions, bytes);
	conjunctions = (void *)((uint8_t *)rule->key + key_bytes + bytes);
	rule->conjunctions = conjunctions;
	FLOW_ACTION_FOR_EACH(action, actions, bytes)
	{
		const struct flow_conjunction *c = (const void *)action;

		if (action->type != ACTION_CONJUNCTION)
			continue;
		conjunctions[rule->n_conjunctions++] =
			(struct rule_conjunction){c->id, c->clause, c->n_clauses};
	}
	qsort(conjunctions, n, sizeof(*conjunctions), conjunction_compare);
	return rule;
}

/* Which bits of packets the rule's match and actions read. */
static struct mask_entry *
rule_reads(struct bridge *bridge, const struct rule_mask *mask, const void *actions,
           size_t bytes)
{
	struct flow_key reads = {0};

	for (unsigned i = 0; i < mask->n_words; i++)
		reads.words[mask->words[i]] = mask->masks[i];
	actions_add_reads(actions, bytes, &reads);
	return mask_set_ref(&bridge->masks, &reads);
}

static void
rule_remove(struct bridge *bridge, struct rule *rule)
{
	atomic_store_explicit(&rule->removed, bridge->next_version, memory_order_release);
	rule->next_removed = bridge->removed;
	bridge->removed = rule;
}

int
dp_rule_add(uint32_t bridge_id, const struct dp_rule_config *config,
            struct dp_rule **handle, struct error *err)
{
	struct bridge *bridge = bridge_by_id(bridge_id);
	struct dp_rule *added;
	struct rule_mask *mask;
	struct rule *rule;
	int ret;

	if (!bridge)
		return error_set(err, -ENOENT, "no such bridge");
	if (config->table >= DP_TABLES_MAX)
		return error_set(err, -EINVAL, "table %u: tables end at %d",
		                 config->table, DP_TABLES_MAX - 1);
	ret = records_check(config->actions, config->actions_bytes, err);
	if (ret < 0)
		return ret;
	added = xcalloc(1, sizeof(*added));
	added->bridge = bridge;
	added->table = bridge_table(bridge, config->table);
	added->tally = tally_add();
	mask = classifier_mask(&added->table->classifier, &config->match.mask);
	added->reads = rule_reads(bridge, mask, config->actions, config->actions_bytes);
	rule = rule_create(mask, config->actions, config->actions_bytes);
	for (unsigned i = 0; i < mask->n_words; i++)
		rule->key[i] = config->match.key.words[mask->words[i]] & mask->masks[i];
	rule->added = bridge->next_version;
	rule->priority = config->priority;
	rule->table = config->table;
	rule->is_miss = config->priority == 0 && mask->n_words == 0;
	rule->tally = added->tally;
	rule->cookie = config->cookie;
	rule->id = config->id;
	added->current = rule;
	classifier_insert(&added->table->classifier, rule);
	bridge->has_changed_tuples |= added->table->classifier.changed.n != 0;
	change_log_note_rule(&bridge->changes, rule);
	list_push_back(&added->table->rules, &added->node);
	bridge->n_rules++;
	*handle = added;
	return 0;
}

int
dp_rule_set(struct dp_rule *handle, const void *actions, size_t actions_bytes,
            uint64_t cookie, struct error *err)
{
	struct rule *old = handle->current, *rule;
	struct bridge *bridge = handle->bridge;
	struct mask_entry *reads = handle->reads;
	int ret = records_check(actions, actions_bytes, err);

	if (ret < 0)
		return ret;
	handle->reads = rule_reads(bridge, old->mask, actions, actions_bytes);
	mask_set_unref(&bridge->masks, reads);
	rule = rule_create(old->mask, actions, actions_bytes);
	memcpy(rule->key, old->key, old->mask->n_words * sizeof(old->key[0]));
	rule->added = bridge->next_version;
	rule->priority = old->priority;
	rule->table = old->table;
	rule->is_miss = old->is_miss;
	rule->tally = old->tally;
	rule->cookie = cookie;
	rule->id = old->id;
	handle->current = rule;
	change_log_note_rule(&bridge->changes, rule);
	rule_remove(bridge, old);
	classifier_insert_beside(&handle->table->classifier, old, rule);
	return 0;
}

void
dp_rule_del(struct dp_rule *handle)
{
	struct bridge *bridge = handle->bridge;
	struct tally_sum sum;

	tally_get(handle->tally, &sum);
	handle->table->matched_deleted += sum.packets;
	tally_del(handle->tally);
	mask_set_unref(&bridge->masks, handle->reads);
	change_log_note_rule(&bridge->changes, handle->current);
	rule_remove(bridge, handle->current);
	list_remove(&handle->node);
	bridge->n_rules--;
	free(handle);
}

void
dp_rule_get_stats(const struct dp_rule *handle, uint64_t *packets, uint64_t *bytes,
                  uint64_t *used_ns)
{
	struct tally_sum sum;

	caches_flush_counts();
	tally_get(handle->tally, &sum);
	*packets = sum.packets;
	*bytes = sum.bytes;
	*used_ns = sum.used_ns;
}

uint64_t
rules_count_packets(const struct table *table)
{
	const struct dp_rule *rule;
	uint64_t packets = 0;

	LIST_FOR_EACH (rule, node, &table->rules) {
		struct tally_sum sum;

		tally_get(rule->tally, &sum);
		packets += sum.packets;
	}
	return packets;
}

void
rules_show(struct bridge *bridge)
{
	if (!bridge->has_changed_tuples)
		return;
	bridge->has_changed_tuples = false;
	for (unsigned t = 0; t < DP_TABLES_MAX; t++)
		if (bridge->tables[t])
			classifier_publish(&bridge->tables[t]->classifier);
}

/* ---- out of use ---- */

struct rule_batch {
	struct bridge *bridge;
	struct rule *first;
};

static void
rule_batch_free(void *arg)
{
	struct rule *rule = arg;

	while (rule) {
		struct rule *next = rule->next_removed;

		free(rule);
		rule = next;
	}
}

/* No worker goes by a version that has them; some may still come across them. */
static void
rule_batch_unlink(void *arg)
{
	struct rule_batch *batch = arg;

	for (struct rule *rule = batch->first; rule; rule = rule->next_removed) {
		struct table *table = batch->bridge->tables[rule->table];

		classifier_remove(&table->classifier, rule);
		batch->bridge->has_changed_tuples |= table->classifier.changed.n != 0;
	}
	rules_show(batch->bridge);
	rcu_call_after(rule_batch_free, batch->first);
	free(batch);
}

void
rules_retire(struct bridge *bridge)
{
	struct rule_batch *batch;

	if (!bridge->removed)
		return;
	batch = xcalloc(1, sizeof(*batch));
	batch->bridge = bridge;
	batch->first = bridge->removed;
	bridge->removed = NULL;
	rcu_call_after(rule_batch_unlink, batch);
}

void
rules_destroy(struct bridge *bridge)
{
	for (unsigned t = 0; t < DP_TABLES_MAX; t++) {
		struct table *table = bridge->tables[t];

		while (table && !list_is_empty(&table->rules))
			dp_rule_del(
				CONTAINER_OF(table->rules.next, struct dp_rule, node));
	}
}
