/* tuple.c - hash tables of rules that grow and shrink by being replaced, while workers
 * read them (classifier.c). What is replaced waits in rcu.c's list; nothing here runs
 * that list, since what stands in it may remove rules. Main. */
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "datapath/classifier_private.h"
#include "datapath/rcu.h"

#define HASH_SLOTS_MIN 4

struct rule tuple_slot_left;

static struct tuple_hash *
hash_alloc(uint32_t n_slots)
{
	struct tuple_hash *hash =
		xcalloc(1, sizeof(*hash) + n_slots * sizeof(hash->slots[0]));

	hash->mask = n_slots - 1;
	return hash;
}

static uint32_t
hash_free_slot(const struct tuple_hash *table, uint32_t hash)
{
	uint32_t at = hash & table->mask;

	while (table->slots[at].rules)
		at = (at + 1) & table->mask;
	return at;
}

/* The slot whose rules have this hash; -1 = none. */
static int64_t
hash_find_slot(const struct tuple_hash *table, uint32_t hash)
{
	for (uint32_t i = 0; i <= table->mask; i++) {
		uint32_t at = (hash + i) & table->mask;
		const struct rule *rules = table->slots[at].rules;

		if (!rules)
			return -1;
		if (table->slots[at].hash == hash && rules != SLOT_LEFT)
			return at;
	}
	return -1;
}

/* A copy without the slots that were left, of the right size. */
static void
tuple_rehash(struct tuple *tuple)
{
	struct tuple_hash *old = tuple->hash, *new;
	uint32_t n_slots = HASH_SLOTS_MIN;

	while (n_slots < 4 * (old->n_keys + 1))
		n_slots *= 2;
	new = hash_alloc(n_slots);
	for (uint32_t i = 0; i <= old->mask; i++) {
		struct rule *rules = old->slots[i].rules;
		uint32_t at;

		if (!rules || rules == SLOT_LEFT)
			continue;
		at = hash_free_slot(new, rules->hash);
		new->slots[at].hash = rules->hash;
		new->slots[at].rules = rules;
		new->n_used++;
	}
	new->n_keys = old->n_keys;
	atomic_store_explicit(&tuple->hash, new, memory_order_release);
	rcu_call_after(free, old);
}

struct tuple *
tuple_create(struct rule_mask *mask)
{
	struct tuple *tuple = xcalloc(1, sizeof(*tuple));

	for (unsigned i = 0; i < mask->n_words; i++)
		tuple->n_bits += (uint32_t)__builtin_popcountll(mask->masks[i]);
	tuple->mask = mask;
	mask->own = tuple;
	tuple->hash = hash_alloc(HASH_SLOTS_MIN);
	return tuple;
}

void
tuple_free(void *arg)
{
	struct tuple *tuple = arg;

	free(tuple->hash);
	free(tuple);
}

bool
tuple_takes(const struct tuple *tuple, const struct rule_mask *mask)
{
	const struct rule_mask *wanted = tuple->mask;
	unsigned at = 0;

	for (unsigned i = 0; i < wanted->n_words; i++) {
		while (at < mask->n_words && mask->words[at] < wanted->words[i])
			at++;
		if (at == mask->n_words || mask->words[at] != wanted->words[i] ||
		    wanted->masks[i] & ~mask->masks[at])
			return false;
	}
	return true;
}

/* As workers compute it of a packet. */
static uint32_t
tuple_hash_rule(const struct tuple *tuple, const struct rule *rule)
{
	const struct rule_mask *mask = tuple->mask;
	uint32_t hash = TUPLE_HASH_BASIS;
	unsigned at = 0;

	for (unsigned i = 0; i < mask->n_words; i++) {
		while (rule->mask->words[at] != mask->words[i])
			at++;
		hash = tuple_hash_word(rule->key[at] & mask->masks[i], hash);
	}
	return tuple_hash_end(hash);
}

uint32_t
tuple_count_beside(const struct tuple *tuple, const struct rule *rule, uint32_t max)
{
	const struct tuple_hash *table = tuple->hash;
	int64_t slot = hash_find_slot(table, tuple_hash_rule(tuple, rule));
	const struct rule *other = slot < 0 ? NULL : table->slots[slot].rules;
	uint32_t n = 0;

	for (; other && n < max; other = other->next)
		n += other->removed == RULE_NEVER_REMOVED;
	return n;
}

/* Puts the rule between two others of its hash, either of which may be NULL. */
static void
chain_link(struct tuple *tuple, struct rule *previous, struct rule *rule,
           struct rule *next)
{
	struct rule *_Atomic *link;

	rule->previous = previous;
	rule->next = next;
	if (next)
		next->previous = rule;
	link = previous ? &previous->next
	                : &tuple->hash->slots[hash_find_slot(tuple->hash, rule->hash)]
	                           .rules;
	atomic_store_explicit(link, rule, memory_order_release);
	tuple->n_rules++;
}

static void
tuple_insert_alone(struct tuple *tuple, struct rule *rule)
{
	uint32_t slot;

	if (2 * (tuple->hash->n_used + 1) > tuple->hash->mask + 1)
		tuple_rehash(tuple);
	slot = hash_free_slot(tuple->hash, rule->hash);
	tuple->hash->n_used++;
	tuple->hash->n_keys++;
	rule->previous = NULL;
	rule->next = NULL;
	tuple->hash->slots[slot].hash = rule->hash;
	atomic_store_explicit(&tuple->hash->slots[slot].rules, rule,
	                      memory_order_release);
	tuple->n_rules++;
}

void
tuple_insert(struct tuple *tuple, struct rule *rule)
{
	struct rule *previous = NULL, *next;
	int64_t slot;

	rule->tuple = tuple;
	rule->hash = tuple_hash_rule(tuple, rule);
	slot = hash_find_slot(tuple->hash, rule->hash);
	if (slot < 0) {
		tuple_insert_alone(tuple, rule);
		return;
	}
	next = tuple->hash->slots[slot].rules;
	while (next && next->priority > rule->priority) {
		previous = next;
		next = next->next;
	}
	chain_link(tuple, previous, rule, next);
}

void
tuple_insert_before(struct rule *old, struct rule *rule)
{
	rule->tuple = old->tuple;
	rule->hash = old->hash;
	chain_link(old->tuple, old->previous, rule, old);
}

void
tuple_remove(struct rule *rule)
{
	struct tuple *tuple = rule->tuple;
	struct tuple_hash *table = tuple->hash;
	struct rule *next = rule->next;

	if (next)
		next->previous = rule->previous;
	if (rule->previous) {
		atomic_store_explicit(&rule->previous->next, next, memory_order_release);
	} else {
		atomic_store_explicit(
			&table->slots[hash_find_slot(table, rule->hash)].rules,
			next ? next : SLOT_LEFT, memory_order_release);
		table->n_keys -= !next;
	}
	tuple->n_rules--;
	tuple->n_removed++;
	/* Shrinks when seven of eight slots are of no use. */
	if (table->mask + 1 > 64 && table->n_keys < (table->mask + 1) / 16)
		tuple_rehash(tuple);
}

void
tuple_lower_priority(struct tuple *tuple)
{
	const struct tuple_hash *table = tuple->hash;
	uint16_t max = 0;

	for (uint32_t i = 0; i <= table->mask; i++) {
		const struct rule *rules = table->slots[i].rules;

		if (rules && rules != SLOT_LEFT)
			max = MAX_OF(max, rules->priority);
	}
	tuple->max_priority = max;
	tuple->n_removed = 0;
}
