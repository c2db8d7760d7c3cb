/* classifier.c - look-ups: tuple space search over the tables of tuple.c. Workers, and
 * main for traces. */
#include "datapath/classifier.h"

#include "base/compiler.h"
#include "datapath/classifier_private.h"

#include "datapath/hot.h"

#define CONJUNCTIVE_MAX   128  /* rules with conjunctions that one packet may match */
#define CONJUNCTIVE_TRIES 4096 /* conjunctions looked at for one packet */
#define CLAUSES_MAX       64

/* A packet as a tuple sees it. */
struct tuple_view {
	const struct flow_key *key;
	const struct rule_mask *mask; /* the tuple's */
	uint64_t words[FLOW_KEY_WORDS];
};

static inline uint32_t
view_hash(struct tuple_view *view)
{
	const struct rule_mask *mask = view->mask;
	uint32_t hash = TUPLE_HASH_BASIS;

	for (unsigned i = 0; i < mask->n_words; i++) {
		view->words[i] = view->key->words[mask->words[i]] & mask->masks[i];
		hash = tuple_hash_word(view->words[i], hash);
	}
	return tuple_hash_end(hash);
}

static inline bool
rule_matches(const struct rule *rule, const struct tuple_view *view)
{
	const struct rule_mask *mask = rule->mask;
	uint64_t difference = 0;

	if (likely(mask == view->mask))
		for (unsigned i = 0; i < mask->n_words; i++)
			difference |= rule->key[i] ^ view->words[i];
	else
		for (unsigned i = 0; i < mask->n_words && !difference; i++)
			difference = rule->key[i] ^
			             (view->key->words[mask->words[i]] & mask->masks[i]);
	return difference == 0;
}

/* The rules of the packet's hash, whatever their versions. */
static inline const struct rule *
tuple_find(const struct tuple *tuple, struct tuple_view *view)
{
	const struct tuple_hash *table =
		atomic_load_explicit(&tuple->hash, memory_order_acquire);
	uint32_t hash = view_hash(view);

	for (uint32_t i = 0; i <= table->mask; i++) {
		uint32_t at = (hash + i) & table->mask;
		const struct rule *rules = atomic_load_explicit(&table->slots[at].rules,
		                                                memory_order_acquire);

		if (!rules)
			return NULL;
		if (atomic_load_explicit(&table->slots[at].hash, memory_order_relaxed) ==
		            hash &&
		    rules != SLOT_LEFT)
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

/* The first rule in a chain, above a priority, that is whole by itself; parts of others
 * are noted. */
static inline const struct rule *
chain_find(const struct rule *rule, int above, const struct tuple_view *view,
           uint64_t version, struct conjunctive *parts)
{
	for (; rule && rule->priority > above; rule = rule_next(rule)) {
		if (!rule_matches(rule, view) || !rule_is_visible(rule, version))
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
	int best_priority = -1;

	for (uint32_t i = 0; i < list->n; i++) {
		struct tuple_view view;
		const struct rule *rule;

		if (best_priority >= list->at[i].max_priority)
			break;
		view.key = key;
		view.mask = list->at[i].mask;
		rule = tuple_find(list->at[i].tuple, &view);
		if (!rule)
			continue;
		rule = chain_find(rule, best_priority, &view, version, parts);
		if (rule) {
			best = rule;
			best_priority = rule->priority;
		}
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

/* Whether rules of the mask 'rules' may stand in a tuple of 'mask'. */
static bool
mask_is_within(const struct rule_mask *mask, const struct flow_key *rules)
{
	for (unsigned i = 0; i < mask->n_words; i++)
		if (mask->masks[i] & ~rules->words[mask->words[i]])
			return false;
	return true;
}

const struct rule *
classifier_find_exact(const struct classifier *classifier, uint64_t version,
                      const struct flow_match *match, uint16_t priority)
{
	const struct tuple_list *list =
		atomic_load_explicit(&classifier->tuples, memory_order_acquire);

	for (uint32_t i = 0; i < list->n; i++) {
		struct tuple_view view = {.key = &match->key, .mask = list->at[i].mask};
		const struct rule *rule;

		if (!mask_is_within(view.mask, &match->mask))
			continue;
		for (rule = tuple_find(list->at[i].tuple, &view);
		     rule && rule->priority >= priority; rule = rule_next(rule))
			if (rule->priority == priority &&
			    rule_mask_is(rule->mask, &match->mask) &&
			    rule_matches(rule, &view) && rule_is_visible(rule, version))
				return rule;
	}
	return NULL;
}
