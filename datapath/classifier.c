/* classifier.c - tuple space search over hash tables that grow by being replaced. Main
 * edits; workers and traces look up. What is replaced waits in rcu.c's list; nothing here
 * runs that list, since what stands in it may remove rules. */
#include "datapath/classifier.h"

#include <stdlib.h>
#include <string.h>

#include <rte_hash_crc.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "datapath/rcu.h"

#define HASH_SLOTS_MIN    4
#define CONJUNCTIVE_MAX   128  /* rules with conjunctions that one packet may match */
#define CONJUNCTIVE_TRIES 4096 /* conjunctions looked at for one packet */
#define CLAUSES_MAX       64
#define TUPLE_LIST_ALLOC(n) \
	(sizeof(struct tuple_list) + (n) * sizeof(((struct tuple_list *)0)->at[0]))

/* Open addressing; all rules of one key hang on one slot, by descending priority. At most
 * half of the slots are used, so that every probe ends soon at an empty one. */
struct tuple_hash {
	uint32_t mask;   /* slots - 1 */
	uint32_t n_used; /* main's: slots that are or were taken */
	uint32_t n_keys; /* main's */
	struct {
		_Atomic uint32_t hash;
		struct rule *_Atomic rules; /* NULL = never used; SLOT_LEFT = no more */
	} slots[];
};

static struct rule slot_left;
#define SLOT_LEFT (&slot_left)

/* ---- look-up ---- */

static inline uint32_t
tuple_key(const struct tuple *tuple, const struct flow_key *key, uint64_t *words)
{
	uint32_t hash = 0x9e3779b9;

	for (unsigned i = 0; i < tuple->n_words; i++) {
		words[i] = key->words[tuple->words[i]] & tuple->masks[i];
		hash = rte_hash_crc_8byte(words[i], hash);
	}
	return hash ^ hash >> 15;
}

static inline bool
tuple_key_equal(const struct tuple *tuple, const struct rule *rule, const uint64_t *words)
{
	uint64_t difference = 0;

	for (unsigned i = 0; i < tuple->n_words; i++)
		difference |= rule->key[i] ^ words[i];
	return difference == 0;
}

/* The rules of a key, whatever their versions. */
static struct rule *
tuple_find(const struct tuple *tuple, const struct flow_key *key)
{
	const struct tuple_hash *table =
		atomic_load_explicit(&tuple->hash, memory_order_acquire);
	uint64_t words[FLOW_KEY_WORDS];
	uint32_t hash = tuple_key(tuple, key, words);

	for (uint32_t i = 0; i <= table->mask; i++) {
		uint32_t at = (hash + i) & table->mask;
		struct rule *rules = atomic_load_explicit(&table->slots[at].rules,
		                                          memory_order_acquire);

		if (!rules)
			return NULL;
		if (atomic_load_explicit(&table->slots[at].hash, memory_order_relaxed) ==
		            hash &&
		    rules != SLOT_LEFT && tuple_key_equal(tuple, rules, words))
			return rules;
	}
	return NULL;
}

static inline const struct rule *
rule_next(const struct rule *rule)
{
	return atomic_load_explicit(&rule->next, memory_order_acquire);
}

/* All that a look-up with conjunctions needs to remember. */
struct conjunctive {
	unsigned n, tries;
	const struct rule *rules[CONJUNCTIVE_MAX];
};

/* The first rule in a chain that is whole by itself; parts of others are noted. */
static const struct rule *
chain_find(const struct rule *rule, uint64_t version, struct conjunctive *parts)
{
	for (; rule; rule = rule_next(rule)) {
		if (!rule_is_visible(rule, version))
			continue;
		if (likely(!rule->n_conjunctions))
			return rule;
		if (parts && parts->n < CONJUNCTIVE_MAX)
			parts->rules[parts->n++] = rule;
	}
	return NULL;
}

static const struct rule *
classifier_find(const struct classifier *classifier, uint64_t version,
                const struct flow_key *key, struct conjunctive *parts)
{
	const struct tuple_list *list =
		atomic_load_explicit(&classifier->tuples, memory_order_acquire);
	const struct rule *best = NULL;

	for (uint32_t i = 0; i < list->n; i++) {
		const struct rule *rule;

		if (best &&
		    best->priority >= atomic_load_explicit(&list->at[i].max_priority,
		                                           memory_order_relaxed))
			break;
		rule = tuple_find(list->at[i].tuple, key);
		if (!rule)
			continue;
		rule = chain_find(rule, version, parts);
		if (rule && (!best || rule->priority > best->priority))
			best = rule;
	}
	return best;
}

/* ---- conjunctions ---- */

/* The clauses of 'id' that the rule is of. */
static uint64_t
rule_clauses(const struct rule *rule, uint32_t id, uint8_t n_clauses)
{
	uint32_t low = 0, high = rule->n_conjunctions;
	uint64_t clauses = 0;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (rule->conjunctions[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < rule->n_conjunctions && rule->conjunctions[low].id == id; low++)
		if (rule->conjunctions[low].n_clauses == n_clauses)
			clauses |= 1ULL << rule->conjunctions[low].clause;
	return clauses;
}

static bool
conjunction_is_complete(const struct conjunctive *parts, uint16_t priority,
                        const struct rule_conjunction *c)
{
	uint64_t want =
		c->n_clauses >= CLAUSES_MAX ? UINT64_MAX : (1ULL << c->n_clauses) - 1;
	uint64_t have = 0;

	for (unsigned i = 0; i < parts->n && have != want; i++)
		if (parts->rules[i]->priority == priority)
			have |= rule_clauses(parts->rules[i], c->id, c->n_clauses);
	return have == want;
}

/* What 'conj_id' of a complete conjunction of this priority leads to. Each has a first
 * clause, so only the rules of first clauses name candidates. */
static const struct rule *
classifier_try_priority(const struct classifier *classifier, uint64_t version,
                        const struct flow_key *key, struct conjunctive *parts,
                        uint16_t priority)
{
	for (unsigned i = 0; i < parts->n; i++) {
		const struct rule *part = parts->rules[i];

		for (uint32_t c = 0;
		     part->priority == priority && c < part->n_conjunctions; c++) {
			const struct rule_conjunction *conjunction =
				&part->conjunctions[c];
			const struct rule *rule;
			struct flow_key with_id;

			if (conjunction->clause != 0 ||
			    parts->tries++ >= CONJUNCTIVE_TRIES ||
			    !conjunction_is_complete(parts, priority, conjunction))
				continue;
			with_id = *key;
			with_id.f.conj_id = conjunction->id;
			rule = classifier_find(classifier, version, &with_id, NULL);
			if (rule)
				return rule;
		}
	}
	return NULL;
}

static const struct rule *
classifier_lookup_conjunctive(const struct classifier *classifier, uint64_t version,
                              const struct flow_key *key)
{
	struct conjunctive parts = {.n = 0};
	const struct rule *whole = classifier_find(classifier, version, key, &parts);
	int below = UINT16_MAX + 1; /* priorities from here on were tried */

	for (;;) {
		const struct rule *rule;
		int priority = -1;

		for (unsigned i = 0; i < parts.n; i++)
			if (parts.rules[i]->priority < below &&
			    parts.rules[i]->priority > priority)
				priority = parts.rules[i]->priority;
		if (priority < 0 || (whole && whole->priority > priority))
			return whole;
		rule = classifier_try_priority(classifier, version, key, &parts,
		                               (uint16_t)priority);
		if (rule)
			return rule;
		below = priority;
	}
}

const struct rule *
classifier_lookup(const struct classifier *classifier, uint64_t version,
                  const struct flow_key *key)
{
	if (unlikely(atomic_load_explicit(&classifier->n_conjunctive,
	                                  memory_order_relaxed)))
		return classifier_lookup_conjunctive(classifier, version, key);
	return classifier_find(classifier, version, key, NULL);
}

/* ---- hash tables: main ---- */

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

/* The slot of a rule's key; -1 = none has it. */
static int64_t
tuple_slot_of(const struct tuple *tuple, const struct rule *rule)
{
	const struct tuple_hash *table = tuple->hash;

	for (uint32_t i = 0; i <= table->mask; i++) {
		uint32_t at = (rule->hash + i) & table->mask;
		struct rule *rules = table->slots[at].rules;

		if (!rules)
			return -1;
		if (table->slots[at].hash == rule->hash && rules != SLOT_LEFT &&
		    tuple_key_equal(tuple, rules, rule->key))
			return at;
	}
	return -1;
}

static void
tuple_insert(struct tuple *tuple, struct rule *rule)
{
	struct rule *_Atomic *at;
	int64_t slot = tuple_slot_of(tuple, rule);

	if (slot < 0) {
		if (2 * (tuple->hash->n_used + 1) > tuple->hash->mask + 1)
			tuple_rehash(tuple);
		slot = hash_free_slot(tuple->hash, rule->hash);
		tuple->hash->n_used++;
		tuple->hash->n_keys++;
		rule->next = NULL;
		tuple->hash->slots[slot].hash = rule->hash;
		atomic_store_explicit(&tuple->hash->slots[slot].rules, rule,
		                      memory_order_release);
	} else {
		at = &tuple->hash->slots[slot].rules;
		while (*at && (*at)->priority > rule->priority)
			at = &(*at)->next;
		rule->next = *at;
		atomic_store_explicit(at, rule, memory_order_release);
	}
	tuple->n_rules++;
}

static void
tuple_remove(struct tuple *tuple, struct rule *rule)
{
	struct tuple_hash *table = tuple->hash;
	int64_t slot = tuple_slot_of(tuple, rule);
	struct rule *_Atomic *at = &table->slots[slot].rules;

	while (*at != rule)
		at = &(*at)->next;
	if (at == &table->slots[slot].rules && !rule->next) {
		atomic_store_explicit(at, SLOT_LEFT, memory_order_release);
		table->n_keys--;
	} else {
		atomic_store_explicit(at, rule->next, memory_order_release);
	}
	tuple->n_rules--;
	tuple->n_removed++;
	/* Shrinks when seven of eight slots are of no use. */
	if (table->mask + 1 > 64 && table->n_keys < (table->mask + 1) / 16)
		tuple_rehash(tuple);
}

/* ---- the list of tuples: main ---- */

/* A copy of the list with 'tuple' in its place, or without it. */
static void
classifier_publish_list(struct classifier *classifier, struct tuple *tuple, bool keep)
{
	struct tuple_list *old = classifier->tuples, *list;
	uint32_t n = 0;

	list = xcalloc(1, TUPLE_LIST_ALLOC((old ? old->n : 0) + 1));
	for (uint32_t i = 0; old && i < old->n; i++) {
		uint16_t priority = old->at[i].max_priority;

		if (old->at[i].tuple == tuple)
			continue;
		if (keep && tuple->max_priority >= priority) {
			list->at[n].tuple = tuple;
			list->at[n++].max_priority = tuple->max_priority;
			keep = false;
		}
		list->at[n].tuple = old->at[i].tuple;
		list->at[n++].max_priority = priority;
	}
	if (keep) {
		list->at[n].tuple = tuple;
		list->at[n++].max_priority = tuple->max_priority;
	}
	list->n = n;
	atomic_store_explicit(&classifier->tuples, list, memory_order_release);
	if (old)
		rcu_call_after(free, old);
}

/* Raises the tuple's priority in place if the order stays right. */
static bool
classifier_raise(struct classifier *classifier, const struct tuple *tuple)
{
	struct tuple_list *list = classifier->tuples;
	uint32_t i = 0;

	while (i < list->n && list->at[i].tuple != tuple)
		i++;
	if (i == list->n || (i > 0 && list->at[i - 1].max_priority < tuple->max_priority))
		return false;
	list->at[i].max_priority = tuple->max_priority;
	return true;
}

static void
tuple_free(void *arg)
{
	struct tuple *tuple = arg;

	free(tuple->hash);
	free(tuple);
}

/* The exact priority costs a pass over the rules: made when as many were removed. */
static void
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

void
classifier_init(struct classifier *classifier)
{
	memset(classifier, 0, sizeof(*classifier));
	hmap_init(&classifier->by_mask);
	classifier_publish_list(classifier, NULL, false);
}

void
classifier_destroy(struct classifier *classifier)
{
	struct tuple *tuple;

	HMAP_FOR_EACH (tuple, node, &classifier->by_mask) {
		hmap_remove(&classifier->by_mask, &tuple->node);
		tuple_free(tuple);
	}
	hmap_destroy(&classifier->by_mask);
	free(classifier->tuples);
}

static bool
tuple_has_mask(const struct tuple *tuple, const struct flow_key *mask)
{
	unsigned at = 0;

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		bool has = at < tuple->n_words && tuple->words[at] == i;

		if (mask->words[i] != (has ? tuple->masks[at] : 0))
			return false;
		at += has;
	}
	return true;
}

struct tuple *
classifier_tuple(struct classifier *classifier, const struct flow_key *mask)
{
	uint32_t hash = hash_bytes(mask, sizeof(*mask), 0);
	struct tuple *tuple;

	HMAP_FOR_EACH_WITH_HASH (tuple, node, hash, &classifier->by_mask) {
		if (tuple_has_mask(tuple, mask))
			return tuple;
	}
	tuple = xcalloc(1, sizeof(*tuple));
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		if (!mask->words[i])
			continue;
		tuple->words[tuple->n_words] = (uint8_t)i;
		tuple->masks[tuple->n_words++] = mask->words[i];
	}
	tuple->hash = hash_alloc(HASH_SLOTS_MIN);
	hmap_insert(&classifier->by_mask, &tuple->node, hash);
	return tuple;
}

void
classifier_insert(struct classifier *classifier, struct rule *rule)
{
	struct tuple *tuple = rule->tuple;
	bool is_new = tuple->n_rules == 0;

	rule->hash = 0x9e3779b9;
	for (unsigned i = 0; i < tuple->n_words; i++)
		rule->hash = rte_hash_crc_8byte(rule->key[i], rule->hash);
	rule->hash ^= rule->hash >> 15;
	tuple_insert(tuple, rule);
	if (rule->n_conjunctions)
		atomic_fetch_add(&classifier->n_conjunctive, 1);
	if (!is_new && rule->priority <= tuple->max_priority)
		return;
	tuple->max_priority = rule->priority;
	if (is_new || !classifier_raise(classifier, tuple))
		classifier_publish_list(classifier, tuple, true);
}

void
classifier_remove(struct classifier *classifier, struct rule *rule)
{
	struct tuple *tuple = rule->tuple;
	uint16_t before = tuple->max_priority;

	tuple_remove(tuple, rule);
	if (rule->n_conjunctions)
		atomic_fetch_sub(&classifier->n_conjunctive, 1);
	if (tuple->n_rules == 0) {
		hmap_remove(&classifier->by_mask, &tuple->node);
		classifier_publish_list(classifier, tuple, false);
		rcu_call_after(tuple_free, tuple);
	} else if (rule->priority == before && tuple->n_removed > tuple->n_rules) {
		tuple_lower_priority(tuple);
		if (tuple->max_priority != before)
			classifier_publish_list(classifier, tuple, true);
	}
}
