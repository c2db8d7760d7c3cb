/* classifier.h - finds the rule of a table that a packet takes: hash tables ("tuples") of
 * rules by what a mask leaves of a packet, those with the highest priorities first. Few
 * masks have a tuple each, of many several share one (tuple_merge.c). Main edits, one
 * rule at a time; workers read at the same time without locks. What a packet sees is
 * decided by versions: a rule counts for those from 'added' until before 'removed'. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "datapath/tally.h"
#include "net/flow_key.h"

struct tuple;
struct tuple_list;

#define RULE_NEVER_REMOVED UINT64_MAX

struct rule_conjunction {
	uint32_t id;
	uint8_t clause, n_clauses;
};

/* A mask that rules or tuples of a table have, kept as the words that are not 0. There is
 * but one of the same bits. */
struct rule_mask {
	/* constant */
	uint8_t n_words;
	uint8_t words[FLOW_KEY_WORDS];
	uint64_t masks[FLOW_KEY_WORDS];

	/* main's */
	struct hmap_node node; /* in classifier.masks */
	uint32_t n_rules;
	struct tuple *own;  /* of just this mask; NULL = none */
	struct tuple *home; /* where the next rule goes; NULL = it has no rules */
};

struct rule {
	struct tally_ref tally;
	uint64_t cookie;
	uint64_t id; /* its maker's */
	const void *actions;
	uint32_t actions_bytes;
	uint8_t table;
	bool is_miss; /* priority 0, matches all: what it punts had no match */
	/* Sorted by id. A rule that has any is only part of a match. */
	const struct rule_conjunction *conjunctions;

	/* main's */
	struct rule *next_removed;
	struct tuple *tuple;   /* that it is in */
	struct rule *previous; /* of the same hash; NULL = it is the first */
	uint32_t hash;         /* of its key there */

	/* What a look-up reads of each rule, close to the key. */
	uint32_t n_conjunctions;
	uint16_t priority;
	struct rule *_Atomic next; /* of the same hash and not of higher priority */
	uint64_t added;
	_Atomic uint64_t removed; /* main writes */
	struct rule_mask *mask;
	uint64_t key[]; /* words of the mask, masked; then the actions */
};

/* Whether a bridge has the rule (or group) at 'version'. */
static inline bool
rule_is_visible(const struct rule *rule, uint64_t version)
{
	return rule->added <= version &&
	       version < atomic_load_explicit(&rule->removed, memory_order_acquire);
}

/* Tuples in an array that grows. */
struct tuple_set {
	struct tuple **tuples;
	uint32_t n, allocated;
};

struct classifier {
	struct tuple_list *_Atomic tuples; /* main writes, workers read; never NULL */
	/* How many rules have conjunctions; main writes, workers read. */
	_Atomic uint32_t n_conjunctive;

	/* main's */
	struct hmap masks;
	struct tuple_set filled;  /* those that have rules */
	struct tuple_set changed; /* those that the list does not show as they are */
};

/* ---- main: classifier_edit.c ---- */

void classifier_init(struct classifier *classifier);
/* No worker reads it any more. Rules are the caller's. */
void classifier_destroy(struct classifier *classifier);

/* The one of 'mask' that rules of this table refer to, made if there is none. Lives as
 * long as they stand in the table. */
struct rule_mask *classifier_mask(struct classifier *classifier,
                                  const struct flow_key *mask);

/* 'rule' has its mask, key and versions; it may be found after classifier_publish(). */
void classifier_insert(struct classifier *classifier, struct rule *rule);
/* The same for a rule that has the match and priority of 'old', which stays. */
void classifier_insert_beside(struct classifier *classifier, struct rule *old,
                              struct rule *rule);

/* The rule may be freed after the next quiescent points. */
void classifier_remove(struct classifier *classifier, struct rule *rule);

/* Once for all changes so far: of n tuples it costs n steps. Before workers are shown a
 * version that has new rules; after removals, for tuples to be given back. */
void classifier_publish(struct classifier *classifier);

/* ---- any thread, between quiescent points: classifier.c ---- */

/* The rule of highest priority that 'version' has for 'key'; NULL = none. */
const struct rule *classifier_lookup(const struct classifier *classifier,
                                     uint64_t version, const struct flow_key *key);

/* The rule that has this match and priority; NULL = none. */
const struct rule *classifier_find_exact(const struct classifier *classifier,
                                         uint64_t version, const struct flow_match *match,
                                         uint16_t priority);
