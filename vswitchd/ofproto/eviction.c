/* eviction.c - see eviction.h. Main thread. */
#include "vswitchd/ofproto/eviction.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* A key: the importance above, below when the time is over, in ms, for 8900 years. */
#define TIME_BITS 48

/* Packets put the end of an idle timeout off, which is noticed only when a rule's turn
 * comes. So many rules are looked at for one that goes; beyond, the choice is not exact.
 */
#define LOOKS_MAX 100

struct eviction {
	struct flow_key fields;
	struct hmap groups;  /* by their rules' values */
	struct heap by_size; /* of groups: the largest first */
};

struct eviction_group {
	struct hmap_node node;
	struct heap_node size; /* its key: less for more rules */
	struct eviction *eviction;
	struct flow_key values;
	struct heap rules;
};

struct eviction *
eviction_create(const struct flow_key *fields)
{
	struct eviction *eviction = xcalloc(1, sizeof(*eviction));

	eviction->fields = *fields;
	hmap_init(&eviction->groups);
	return eviction;
}

static void
group_destroy(struct eviction_group *group)
{
	hmap_remove(&group->eviction->groups, &group->node);
	heap_remove(&group->eviction->by_size, &group->size);
	heap_destroy(&group->rules);
	free(group);
}

void
eviction_destroy(struct eviction *eviction)
{
	struct eviction_group *group;

	if (!eviction)
		return;
	HMAP_FOR_EACH (group, node, &eviction->groups) {
		for (size_t i = 0; i < group->rules.n; i++)
			CONTAINER_OF(group->rules.nodes[i], struct rule, evict)
				->eviction_group = NULL;
		group_destroy(group);
	}
	hmap_destroy(&eviction->groups);
	heap_destroy(&eviction->by_size);
	free(eviction);
}

static struct eviction_group *
group_of(struct eviction *eviction, const struct rule *rule)
{
	struct eviction_group *group;
	struct flow_key values;
	uint32_t hash;

	/* A match has no bits outside its mask. */
	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		values.words[i] = rule->match.key.words[i] & eviction->fields.words[i];
	hash = hash_bytes(&values, sizeof(values), 0);
	HMAP_FOR_EACH_WITH_HASH (group, node, hash, &eviction->groups)
		if (!memcmp(&group->values, &values, sizeof(values)))
			return group;
	group = xcalloc(1, sizeof(*group));
	group->eviction = eviction;
	group->values = values;
	hmap_insert(&eviction->groups, &group->node, hash);
	heap_insert(&eviction->by_size, &group->size, UINT64_MAX);
	return group;
}

static void
group_review_size(struct eviction_group *group)
{
	if (group->rules.n)
		heap_update(&group->eviction->by_size, &group->size,
		            UINT64_MAX - group->rules.n);
	else
		group_destroy(group);
}

/* As things are now; packets can only make it more. */
static uint64_t
rule_key(const struct rule *rule)
{
	bool is_hard;

	return (uint64_t)rule->importance << TIME_BITS |
	       rule_deadline_ns(rule, &is_hard) / NSEC_PER_MSEC;
}

void
eviction_update(struct eviction *eviction, struct rule *rule)
{
	if (!eviction)
		return;
	if (!rule->idle_s && !rule->hard_s) {
		eviction_remove(rule);
	} else if (rule->eviction_group) {
		heap_update(&rule->eviction_group->rules, &rule->evict, rule_key(rule));
	} else {
		rule->eviction_group = group_of(eviction, rule);
		heap_insert(&rule->eviction_group->rules, &rule->evict, rule_key(rule));
		group_review_size(rule->eviction_group);
	}
}

void
eviction_remove(struct rule *rule)
{
	struct eviction_group *group = rule->eviction_group;

	if (!group)
		return;
	heap_remove(&group->rules, &rule->evict);
	rule->eviction_group = NULL;
	group_review_size(group);
}

struct rule *
eviction_choose(struct eviction *eviction)
{
	struct heap_node *size = heap_first(&eviction->by_size);
	struct eviction_group *group;
	struct heap_node *first;

	if (!size)
		return NULL;
	group = CONTAINER_OF(size, struct eviction_group, size);
	first = heap_first(&group->rules);
	for (int i = 0; i < LOOKS_MAX; i++) {
		heap_update(&group->rules, first,
		            rule_key(CONTAINER_OF(first, struct rule, evict)));
		if (heap_first(&group->rules) == first)
			break;
		first = heap_first(&group->rules);
	}
	return CONTAINER_OF(first, struct rule, evict);
}
