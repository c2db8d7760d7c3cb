/* classifier_edit.c - main's side of the classifier: the masks of a table, the list of
 * its tuples, rules that come and go. Over tuple.c and tuple_merge.c. What is replaced
 * waits in rcu.c's list; nothing here runs that list, since what stands in it may remove
 * rules.
 */
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "datapath/classifier_private.h"
#include "datapath/rcu.h"

/* ---- sets of tuples ---- */

static void
tuple_set_add(struct tuple_set *set, struct tuple *tuple)
{
	if (set->n == set->allocated) {
		set->allocated = set->allocated ? 2 * set->allocated : 8;
		set->tuples =
			xrealloc(set->tuples, set->allocated * sizeof(struct tuple *));
	}
	set->tuples[set->n++] = tuple;
}

static void
classifier_fill(struct classifier *classifier, struct tuple *tuple)
{
	tuple->at = classifier->filled.n;
	tuple_set_add(&classifier->filled, tuple);
}

static void
classifier_empty(struct classifier *classifier, const struct tuple *tuple)
{
	struct tuple_set *filled = &classifier->filled;
	struct tuple *last = filled->tuples[--filled->n];

	filled->tuples[tuple->at] = last;
	last->at = tuple->at;
}

/* The list is to show it in another place, or no more. */
static void
classifier_note(struct classifier *classifier, struct tuple *tuple)
{
	if (tuple->is_changed)
		return;
	tuple->is_changed = true;
	tuple_set_add(&classifier->changed, tuple);
}

/* ---- the list of tuples ---- */

static int
tuple_compare(const void *a, const void *b)
{
	const struct tuple *x = *(struct tuple *const *)a;
	const struct tuple *y = *(struct tuple *const *)b;

	if (x->max_priority != y->max_priority)
		return x->max_priority > y->max_priority ? -1 : 1;
	return x->at > y->at ? -1 : x->at < y->at;
}

static void
list_append(struct tuple_list *list, struct tuple *tuple)
{
	if (tuple->n_rules)
		list->at[list->n++] = (struct tuple_entry){
			.tuple = tuple,
			.mask = tuple->mask,
			.max_priority = tuple->max_priority,
		};
}

/* The old list with those in their places that changed. */
static struct tuple_list *
list_build(const struct tuple_list *old, const struct tuple_set *changed, uint32_t n)
{
	struct tuple_list *list = xmalloc(sizeof(*list) + n * sizeof(struct tuple_entry));
	uint32_t next = 0;

	list->n = 0;
	for (uint32_t i = 0; old && i < old->n; i++) {
		if (old->at[i].tuple->is_changed)
			continue;
		while (next < changed->n &&
		       changed->tuples[next]->max_priority >= old->at[i].max_priority)
			list_append(list, changed->tuples[next++]);
		list->at[list->n++] = old->at[i];
	}
	while (next < changed->n)
		list_append(list, changed->tuples[next++]);
	return list;
}

void
classifier_publish(struct classifier *classifier)
{
	struct tuple_list *old = classifier->tuples;
	struct tuple_set *changed = &classifier->changed;

	if (old && !changed->n)
		return;
	if (changed->n)
		qsort(changed->tuples, changed->n, sizeof(struct tuple *), tuple_compare);
	atomic_store_explicit(&classifier->tuples,
	                      list_build(old, changed, classifier->filled.n),
	                      memory_order_release);
	if (old)
		rcu_call_after(free, old);
	for (uint32_t i = 0; i < changed->n; i++) {
		changed->tuples[i]->is_changed = false;
		classifier_put_tuple(classifier, changed->tuples[i]);
	}
	changed->n = 0;
}

/* ---- masks ---- */

static uint32_t
mask_hash(const struct flow_key *mask)
{
	return hash_bytes(mask, sizeof(*mask), 0);
}

struct rule_mask *
classifier_find_mask(const struct classifier *classifier, const struct flow_key *wanted)
{
	struct rule_mask *mask;

	HMAP_FOR_EACH_WITH_HASH (mask, node, mask_hash(wanted), &classifier->masks) {
		if (rule_mask_is(mask, wanted))
			return mask;
	}
	return NULL;
}

struct rule_mask *
classifier_mask(struct classifier *classifier, const struct flow_key *wanted)
{
	struct rule_mask *mask = classifier_find_mask(classifier, wanted);

	if (mask)
		return mask;
	mask = xcalloc(1, sizeof(*mask));
	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++) {
		if (!wanted->words[i])
			continue;
		mask->words[mask->n_words] = (uint8_t)i;
		mask->masks[mask->n_words++] = wanted->words[i];
	}
	hmap_insert(&classifier->masks, &mask->node, mask_hash(wanted));
	return mask;
}

static void
classifier_put_mask(struct classifier *classifier, struct rule_mask *mask)
{
	if (mask->n_rules || mask->own)
		return;
	hmap_remove(&classifier->masks, &mask->node);
	rcu_call_after(free, mask);
}

void
classifier_put_tuple(struct classifier *classifier, struct tuple *tuple)
{
	if (tuple->n_rules || tuple->n_homes || tuple->is_changed)
		return;
	tuple->mask->own = NULL;
	classifier_put_mask(classifier, tuple->mask);
	rcu_call_after(tuple_free, tuple);
}

/* The mask's last rule has gone. */
static void
classifier_forget_home(struct classifier *classifier, struct rule_mask *mask)
{
	struct tuple *home = mask->home;

	mask->home = NULL;
	home->n_homes--;
	/* A tuple of its own takes the mask along. */
	if (home != mask->own)
		classifier_put_mask(classifier, mask);
	classifier_put_tuple(classifier, home);
}

/* ---- the classifier ---- */

void
classifier_init(struct classifier *classifier)
{
	memset(classifier, 0, sizeof(*classifier));
	hmap_init(&classifier->masks);
	classifier_publish(classifier);
}

void
classifier_destroy(struct classifier *classifier)
{
	struct rule_mask *mask;

	HMAP_FOR_EACH (mask, node, &classifier->masks) {
		hmap_remove(&classifier->masks, &mask->node);
		if (mask->own)
			tuple_free(mask->own);
		free(mask);
	}
	hmap_destroy(&classifier->masks);
	free(classifier->tuples);
	free(classifier->filled.tuples);
	free(classifier->changed.tuples);
}

static void
classifier_count(struct classifier *classifier, struct rule *rule)
{
	rule->mask->n_rules++;
	if (rule->n_conjunctions)
		atomic_fetch_add(&classifier->n_conjunctive, 1);
}

void
classifier_insert(struct classifier *classifier, struct rule *rule)
{
	struct tuple *tuple = tuple_merge_choose(classifier, rule);
	bool is_new = tuple->n_rules == 0;

	classifier_count(classifier, rule);
	tuple_insert(tuple, rule);
	if (is_new)
		classifier_fill(classifier, tuple);
	else if (rule->priority <= tuple->max_priority)
		return;
	tuple->max_priority = rule->priority;
	classifier_note(classifier, tuple);
}

void
classifier_insert_beside(struct classifier *classifier, struct rule *old,
                         struct rule *rule)
{
	classifier_count(classifier, rule);
	tuple_insert_before(old, rule);
}

void
classifier_remove(struct classifier *classifier, struct rule *rule)
{
	struct tuple *tuple = rule->tuple;
	uint16_t before = tuple->max_priority;

	tuple_remove(rule);
	if (rule->n_conjunctions)
		atomic_fetch_sub(&classifier->n_conjunctive, 1);
	if (tuple->n_rules == 0) {
		classifier_empty(classifier, tuple);
		classifier_note(classifier, tuple);
	} else if (rule->priority == before && tuple->n_removed > tuple->n_rules) {
		tuple_lower_priority(tuple);
		if (tuple->max_priority != before)
			classifier_note(classifier, tuple);
	}
	if (--rule->mask->n_rules == 0)
		classifier_forget_home(classifier, rule->mask);
}
