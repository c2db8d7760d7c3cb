/* group.c - groups come, change and go: dp_group_*(). As with rules, one that changes is
 * replaced. Main; workers find them. */
#include "datapath/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/cache_ask.h"
#include "datapath/classifier.h"
#include "datapath/rcu.h"
#include "datapath/records.h"
#include "datapath/walk_private.h"
#include "net/flow_hash.h"

#define BUCKETS_MAX 4096

const struct group *
group_find(const struct bridge *bridge, uint64_t version, uint32_t number)
{
	const struct group *group = atomic_load_explicit(
		&bridge->groups[number & (GROUP_BUCKETS - 1)], memory_order_acquire);

	while (group &&
	       (group->number != number || version < group->added ||
	        version >= atomic_load_explicit(&group->removed, memory_order_acquire)))
		group = atomic_load_explicit(&group->next, memory_order_acquire);
	return group;
}

/* As the next version has it. */
static struct group *
group_newest(const struct bridge *bridge, uint32_t number)
{
	return (struct group *)(uintptr_t)group_find(bridge, bridge->next_version,
	                                             number);
}

static int
group_check(const struct dp_group_config *config, struct error *err)
{
	if (config->n_buckets > BUCKETS_MAX)
		return error_set(err, -EINVAL, "group %u: %zu buckets, at most %d",
		                 config->number, config->n_buckets, BUCKETS_MAX);
	for (size_t i = 0; i < config->n_buckets; i++) {
		int ret = records_check(config->buckets[i].actions,
		                        config->buckets[i].actions_bytes, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static struct group *
group_create(const struct dp_group_config *config)
{
	size_t bytes =
		sizeof(struct group) + config->n_buckets * sizeof(struct group_bucket);
	struct group *group;
	uint8_t *actions;

	for (size_t i = 0; i < config->n_buckets; i++)
		bytes += config->buckets[i].actions_bytes;
	group = xcalloc(1, bytes);
	group->number = config->number;
	group->type = config->type;
	group->removed = RULE_NEVER_REMOVED;
	group->hash_fields = config->hash_fields;
	group->hash_param = config->hash_param;
	if (flow_key_is_empty(&group->hash_fields))
		flow_hash_add_mask(FLOW_HASH_ALL, &group->hash_fields);
	group->n_buckets = (uint32_t)config->n_buckets;
	group->buckets = (struct group_bucket *)(group + 1);
	actions = (uint8_t *)&group->buckets[config->n_buckets];
	for (size_t i = 0; i < config->n_buckets; i++) {
		const struct dp_bucket *from = &config->buckets[i];
		struct group_bucket *to = &group->buckets[i];

		to->weight = from->weight;
		to->watch_port = from->watch_port;
		to->watch_group = from->watch_group;
		to->actions = actions;
		to->actions_bytes = (uint32_t)action_set_sort(
			from->actions, from->actions_bytes, actions);
		actions += from->actions_bytes;
	}
	return group;
}

static struct mask_entry *
group_reads(struct bridge *bridge, const struct group *group)
{
	struct flow_key mask = {0};

	if (group->type == DP_GROUP_SELECT)
		mask = group->hash_fields;
	for (uint32_t i = 0; i < group->n_buckets; i++)
		actions_add_reads(group->buckets[i].actions,
		                  group->buckets[i].actions_bytes, &mask);
	return mask_set_ref(&bridge->masks, &mask);
}

/* Takes over the counters of 'old' (NULL = none) as far as there are places for them. */
static void
group_take_tallies(struct group *group, const struct group *old)
{
	group->tally = old ? old->tally : tally_add();
	for (uint32_t i = 0; i < group->n_buckets; i++)
		group->buckets[i].tally =
			old && i < old->n_buckets ? old->buckets[i].tally : tally_add();
	for (uint32_t i = group->n_buckets; old && i < old->n_buckets; i++)
		tally_del(old->buckets[i].tally);
}

static void
group_remove(struct bridge *bridge, struct group *group)
{
	mask_set_unref(&bridge->masks, group->reads);
	atomic_store_explicit(&group->removed, bridge->next_version,
	                      memory_order_release);
	group->next_removed = bridge->removed_groups;
	bridge->removed_groups = group;
}

int
dp_group_set(uint32_t bridge_id, const struct dp_group_config *config, struct error *err)
{
	struct bridge *bridge = bridge_by_id(bridge_id);
	struct group *group, *old;
	int ret;

	if (!bridge)
		return error_set(err, -ENOENT, "no such bridge");
	ret = group_check(config, err);
	if (ret < 0)
		return ret;
	old = group_newest(bridge, config->number);
	group = group_create(config);
	group->added = bridge->next_version;
	change_log_note_group(&bridge->changes, config->number);
	group->reads = group_reads(bridge, group);
	group_take_tallies(group, old);
	if (old)
		group_remove(bridge, old);
	group->next = bridge->groups[config->number & (GROUP_BUCKETS - 1)];
	atomic_store_explicit(&bridge->groups[config->number & (GROUP_BUCKETS - 1)],
	                      group, memory_order_release);
	return 0;
}

static void
group_del(struct bridge *bridge, struct group *group)
{
	change_log_note_group(&bridge->changes, group->number);
	tally_del(group->tally);
	for (uint32_t i = 0; i < group->n_buckets; i++)
		tally_del(group->buckets[i].tally);
	group_remove(bridge, group);
}

void
dp_group_del(uint32_t bridge_id, uint32_t number)
{
	struct bridge *bridge = bridge_by_id(bridge_id);
	struct group *group = bridge ? group_newest(bridge, number) : NULL;

	if (group)
		group_del(bridge, group);
}

static void
group_sum(struct tally_ref tally, struct dp_counts *counts)
{
	struct tally_sum sum;

	tally_get(tally, &sum);
	counts->packets = sum.packets;
	counts->bytes = sum.bytes;
}

int
dp_group_get_stats(uint32_t bridge_id, uint32_t number, struct dp_counts *total,
                   struct dp_counts *buckets, size_t n)
{
	struct bridge *bridge = bridge_by_id(bridge_id);
	const struct group *group = bridge ? group_newest(bridge, number) : NULL;

	if (!group)
		return -ENOENT;
	caches_flush_counts();
	group_sum(group->tally, total);
	for (uint32_t i = 0; i < group->n_buckets && i < n; i++)
		group_sum(group->buckets[i].tally, &buckets[i]);
	return 0;
}

/* ---- out of use ---- */

struct group_batch {
	struct bridge *bridge;
	struct group *first;
};

static void
group_batch_free(void *arg)
{
	struct group *group = arg;

	while (group) {
		struct group *next = group->next_removed;

		free(group);
		group = next;
	}
}

static void
group_batch_unlink(void *arg)
{
	struct group_batch *batch = arg;

	for (struct group *group = batch->first; group; group = group->next_removed) {
		struct group *_Atomic *at =
			&batch->bridge->groups[group->number & (GROUP_BUCKETS - 1)];

		while (*at != group)
			at = &(*at)->next;
		atomic_store_explicit(at, group->next, memory_order_release);
	}
	rcu_call_after(group_batch_free, batch->first);
	free(batch);
}

void
groups_retire(struct bridge *bridge)
{
	struct group_batch *batch;

	if (!bridge->removed_groups)
		return;
	batch = xcalloc(1, sizeof(*batch));
	batch->bridge = bridge;
	batch->first = bridge->removed_groups;
	bridge->removed_groups = NULL;
	rcu_call_after(group_batch_unlink, batch);
}

void
groups_destroy(struct bridge *bridge)
{
	for (unsigned i = 0; i < GROUP_BUCKETS; i++)
		for (struct group *group = bridge->groups[i]; group; group = group->next)
			if (group->removed == RULE_NEVER_REMOVED)
				group_del(bridge, group);
}
