/* classifier.h - finds the rule of a table that a packet takes: one hash table per
 * distinct mask ("tuple"), those with the highest priorities first. Main edits, one rule
 * at a time; workers read at the same time without locks. What a packet sees is decided
 * by versions: a rule counts for those from 'added' until before 'removed'. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "datapath/tally.h"
#include "net/flow_key.h"

struct tuple;
struct tuple_hash;

#define RULE_NEVER_REMOVED UINT64_MAX

struct rule_conjunction {
	uint32_t id;
	uint8_t clause, n_clauses;
};

struct rule {
	struct tuple *tuple;
	uint64_t added;
	_Atomic uint64_t removed;  /* main writes */
	struct rule *_Atomic next; /* of the same key and not of higher priority */
	uint32_t hash;
	uint16_t priority;
	uint8_t table;
	bool is_miss; /* priority 0, matches all: what it punts had no match */
	struct tally_ref tally;
	uint64_t cookie;
	uint64_t id; /* its maker's */
	const void *actions;
	uint32_t actions_bytes;
	/* Sorted by id. A rule that has any is only part of a match. */
	uint32_t n_conjunctions;
	const struct rule_conjunction *conjunctions;
	struct rule *next_removed; /* main's */
	uint64_t key[];            /* words of the tuple, masked; then the actions */
};

/* Whether a bridge has the rule (or group) at 'version'. */
static inline bool
rule_is_visible(const struct rule *rule, uint64_t version)
{
	return rule->added <= version &&
	       version < atomic_load_explicit(&rule->removed, memory_order_acquire);
}

/* What a table's rules have in common: a mask, kept as the words that are not 0. */
struct tuple {
	/* constant */
	uint8_t n_words;
	uint8_t words[FLOW_KEY_WORDS];
	uint64_t masks[FLOW_KEY_WORDS];

	struct tuple_hash *_Atomic hash; /* main writes, workers read */

	/* main's */
	struct hmap_node node; /* in classifier.by_mask */
	uint32_t n_rules;
	uint32_t n_removed; /* since 'max_priority' was exact */
	uint16_t max_priority;
};

/* In the order of descending priorities; published as a whole, or a priority raised where
 * that keeps the order. */
struct tuple_list {
	uint32_t n;
	struct {
		struct tuple *tuple;
		_Atomic uint16_t max_priority; /* no rule's is higher */
	} at[];
};

struct classifier {
	struct tuple_list *_Atomic tuples; /* main writes, workers read; never NULL */
	struct hmap by_mask;               /* main's */
	/* How many rules have conjunctions; main writes, workers read. */
	_Atomic uint32_t n_conjunctive;
};

/* ---- main ---- */

void classifier_init(struct classifier *classifier);
/* No worker reads it any more. Rules are the caller's. */
void classifier_destroy(struct classifier *classifier);

/* The tuple for rules of 'mask', made if there is none. */
struct tuple *classifier_tuple(struct classifier *classifier,
                               const struct flow_key *mask);

/* 'rule' has its tuple, key and versions. */
void classifier_insert(struct classifier *classifier, struct rule *rule);

/* The rule may be freed after the next quiescent points. */
void classifier_remove(struct classifier *classifier, struct rule *rule);

/* ---- any thread, between quiescent points ---- */

/* The rule of highest priority that 'version' has for 'key'; NULL = none. */
const struct rule *classifier_lookup(const struct classifier *classifier,
                                     uint64_t version, const struct flow_key *key);
