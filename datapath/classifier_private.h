/* classifier_private.h - what the parts of the classifier share: classifier.c (look-up),
 * classifier_edit.c (insertion, the list of tuples), tuple.c (hash tables), tuple_merge.c
 * (which tuple a rule goes to). */
#pragma once

#include <rte_hash_crc.h>

#include "datapath/classifier.h"

#define TUPLES_UNMERGED  8  /* so many tuples are not worth a comparison more */
#define TUPLE_BESIDE_MAX 10 /* rules of other masks at a place; as TupleMerge has it */

/* Open addressing. All rules whose keys have the same hash hang on one slot, by
 * descending priority. At most half of the slots are used, so that every probe ends soon
 * at an empty one. */
struct tuple_hash {
	uint32_t mask;   /* slots - 1 */
	uint32_t n_used; /* main's: slots that are or were taken */
	uint32_t n_keys; /* main's */
	struct {
		_Atomic uint32_t hash;
		struct rule *_Atomic rules; /* NULL = never used; SLOT_LEFT = no more */
	} slots[];
};

extern struct rule tuple_slot_left;
#define SLOT_LEFT (&tuple_slot_left)

/* Rules whose masks have all bits of this one's, and maybe more. */
struct tuple {
	struct tuple_hash *_Atomic hash; /* main writes, workers read */
	struct rule_mask *mask;          /* constant */

	/* main's */
	uint32_t n_bits; /* of the mask */
	uint32_t n_rules;
	uint32_t n_homes;   /* masks whose next rules come here */
	uint32_t n_removed; /* since 'max_priority' was exact */
	uint32_t at;        /* in classifier.filled */
	uint16_t max_priority;
	bool is_changed; /* in classifier.changed */
};

/* In the order of descending priorities; published as a whole. */
struct tuple_list {
	uint32_t n;
	struct tuple_entry {
		struct tuple *tuple;
		const struct rule_mask *mask; /* the tuple's */
		uint16_t max_priority;        /* no rule's is higher */
	} at[];
};

#define TUPLE_HASH_BASIS 0x9e3779b9U

static inline uint32_t
tuple_hash_word(uint64_t word, uint32_t hash)
{
	return rte_hash_crc_8byte(word, hash);
}

static inline uint32_t
tuple_hash_end(uint32_t hash)
{
	return hash ^ hash >> 15;
}

static inline bool
rule_mask_is(const struct rule_mask *mask, const struct flow_key *wanted)
{
	unsigned at = 0;

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		bool has = at < mask->n_words && mask->words[at] == i;

		if (wanted->words[i] != (has ? mask->masks[at] : 0))
			return false;
		at += has;
	}
	return true;
}

/* ---- main: tuple.c ---- */

/* The tuple of just this mask, which has none. */
struct tuple *tuple_create(struct rule_mask *mask);
void tuple_free(void *tuple);

/* Whether all rules of the mask could stand in the tuple. */
bool tuple_takes(const struct tuple *tuple, const struct rule_mask *mask);

/* How many rules, up to 'max', stand where this one would. */
uint32_t tuple_count_beside(const struct tuple *tuple, const struct rule *rule,
                            uint32_t max);

void tuple_insert(struct tuple *tuple, struct rule *rule);
void tuple_insert_before(struct rule *old, struct rule *rule);
void tuple_remove(struct rule *rule);

/* Makes 'max_priority' exact: a pass over the rules. */
void tuple_lower_priority(struct tuple *tuple);

/* ---- main: tuple_merge.c ---- */

/* Where 'rule' is to stand, which is made if need be; its mask's home from now on. */
struct tuple *tuple_merge_choose(struct classifier *classifier, const struct rule *rule);

/* ---- main: classifier_edit.c ---- */

/* NULL: there is none. */
struct rule_mask *classifier_find_mask(const struct classifier *classifier,
                                       const struct flow_key *mask);

/* Gives back what nothing needs any more, after the next quiescent points; what workers
 * may still be shown waits for classifier_publish(). */
void classifier_put_tuple(struct classifier *classifier, struct tuple *tuple);
