/* tuple_merge.c - which tuple a rule goes to, after TupleMerge (Daly et al., ToN 2019).
 * A packet that no cache knows costs a probe of each tuple, so a table of many masks puts
 * rules into tuples of fewer bits than their own, as long as few others stand at the same
 * place there: workers compare them one by one. Where there are too many, the rules to
 * come of that mask go to a tuple of more bits, at last to one of their own. Rules never
 * move, so that no reader can miss one. Main. */
#include "base/compiler.h"
#include "datapath/classifier_private.h"

/* Tuples that are asked whether they have room for a rule. Masks that can be merged do
 * not make as many; where masks cannot, to ask all would be most of an insertion. */
#define ASKED_MAX 256

/* What a mask is cut down to, by more and more bits, before it gets a tuple of its own.
 */
enum { LOOSE_NETWORKS, LOOSE_BYTES, LOOSE_STEPS };

static void
mask_keep_whole_bytes(struct flow_key *mask)
{
	uint8_t *bytes = (uint8_t *)mask->words;

	for (size_t i = 0; i < sizeof(mask->words); i++)
		bytes[i] = bytes[i] == UINT8_MAX ? UINT8_MAX : 0;
}

static uint32_t
mask_count_bits(const struct flow_key *mask)
{
	uint32_t n = 0;

	for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(mask->words[i]);
	return n;
}

/* Whether an address is left of which it can be told where a packet belongs. */
static bool
mask_has_networks(const struct flow_key *mask)
{
	return (mask->f.ip_src[0] && mask->f.ip_src[1]) ||
	       (mask->f.ip_dst[0] && mask->f.ip_dst[1]);
}

static void
mask_loosen(const struct rule_mask *mask, unsigned step, struct flow_key *loose)
{
	*loose = (struct flow_key){0};
	for (unsigned i = 0; i < mask->n_words; i++)
		loose->words[mask->words[i]] = mask->masks[i];
	mask_keep_whole_bytes(loose);
	if (step == LOOSE_NETWORKS && mask_has_networks(loose))
		loose->f.tp_src = loose->f.tp_dst = loose->f.tcp_flags = 0;
}

static bool
tuple_has_room(const struct tuple *tuple, const struct rule *rule)
{
	return tuple->mask == rule->mask ||
	       tuple_count_beside(tuple, rule, TUPLE_BESIDE_MAX) < TUPLE_BESIDE_MAX;
}

/* Of those that there are the one with most bits, and more than 'min_bits'; NULL. */
static struct tuple *
find_tuple(const struct classifier *classifier, const struct rule *rule,
           uint32_t min_bits)
{
	const struct tuple_set *filled = &classifier->filled;
	const uint32_t n = MIN_OF(filled->n, ASKED_MAX);
	struct tuple *best = NULL;

	for (uint32_t i = 0; i < n; i++) {
		struct tuple *tuple = filled->tuples[i];

		if (tuple->n_bits > min_bits && tuple_takes(tuple, rule->mask) &&
		    tuple_has_room(tuple, rule)) {
			best = tuple;
			min_bits = tuple->n_bits;
		}
	}
	return best;
}

/* One of as few bits as there is none of yet; what there is has no room. */
static struct tuple *
make_tuple(struct classifier *classifier, const struct rule *rule, uint32_t min_bits)
{
	for (unsigned step = 0; step < LOOSE_STEPS; step++) {
		struct flow_key loose;
		struct rule_mask *mask;

		mask_loosen(rule->mask, step, &loose);
		if (mask_count_bits(&loose) <= min_bits)
			continue;
		mask = classifier_find_mask(classifier, &loose);
		if (!mask || !mask->own)
			return tuple_create(mask ? mask
			                         : classifier_mask(classifier, &loose));
	}
	return rule->mask->own ? rule->mask->own : tuple_create(rule->mask);
}

static struct tuple *
find_home(struct classifier *classifier, const struct rule *rule)
{
	struct rule_mask *mask = rule->mask;
	uint32_t min_bits = mask->home ? mask->home->n_bits : 0;
	struct tuple *tuple;

	if (mask->own)
		return mask->own;
	if (classifier->filled.n < TUPLES_UNMERGED)
		return tuple_create(mask);
	tuple = find_tuple(classifier, rule, min_bits);
	return tuple ? tuple : make_tuple(classifier, rule, min_bits);
}

struct tuple *
tuple_merge_choose(struct classifier *classifier, const struct rule *rule)
{
	struct rule_mask *mask = rule->mask;
	struct tuple *before = mask->home;

	if (before && tuple_has_room(before, rule))
		return before;
	mask->home = find_home(classifier, rule);
	mask->home->n_homes++;
	if (before) {
		before->n_homes--;
		classifier_put_tuple(classifier, before);
	}
	return mask->home;
}
