/* qos_history.c - turns counters and the scheduler's answers into what each class of a
 * tree did in the last ten seconds. Main thread; asks nobody (qos_watch.c does). */
#include "datapath/qos_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/qos_tree.h"
#include "datapath/rcu.h"

/* A sample: the state above, below it the number of who lends or whose ceiling it is. */
#define SAMPLE_WHO_BITS 28
#define SAMPLE_WHO_MASK ((1U << SAMPLE_WHO_BITS) - 1)
#define SAMPLE_ROOT     SAMPLE_WHO_MASK
#define SAMPLE_NONE     (SAMPLE_WHO_MASK - 1)

static uint32_t
sample_make(enum dp_class_state state, uint32_t who)
{
	if (who == DP_CLASS_ROOT)
		who = SAMPLE_ROOT;
	else if (who == DP_CLASS_NONE)
		who = SAMPLE_NONE;
	return (uint32_t)state << SAMPLE_WHO_BITS | (who & SAMPLE_WHO_MASK);
}

static uint32_t
sample_who(uint32_t sample)
{
	uint32_t who = sample & SAMPLE_WHO_MASK;

	if (who == SAMPLE_ROOT)
		return DP_CLASS_ROOT;
	return who == SAMPLE_NONE ? DP_CLASS_NONE : who;
}

/* ---- the classes ---- */

uint32_t
history_find(const struct qos_history *history, uint32_t number)
{
	uint32_t low = 1, high = history->n;

	if (number == DP_CLASS_ROOT)
		return 0;
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (history->classes[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < history->n && history->classes[low]->number == number
	               ? low
	               : HISTORY_NOWHERE;
}

uint32_t
history_find_ref(const struct qos_history *history, uint32_t ref)
{
	uint32_t index = ref & (SCHED_CLASSES_MAX - 1);

	return index < history->n_index ? history->by_index[index] : HISTORY_NOWHERE;
}

static void
history_index(struct qos_history *history, uint32_t ref, uint32_t at)
{
	uint32_t index = ref & (SCHED_CLASSES_MAX - 1);

	if (index < history->n_index)
		history->by_index[index] = at;
}

static void
past_free(struct past_class *past)
{
	free(past->samples);
	/* The owner may be writing them. */
	if (past->delays)
		rcu_free_after(past->delays);
	free(past);
}

static struct past_class *
past_make(uint32_t number)
{
	struct past_class *past = xcalloc(1, sizeof(*past));

	past->number = number;
	past->state = DP_STATE_IDLE;
	past->who = past->last_lender = DP_CLASS_NONE;
	return past;
}

/* Takes over those that are still there, frees those that are not: both in ascending
 * order. */
static void
history_set_classes(struct qos_history *history, const struct qos_tree *tree)
{
	struct past_class **old = history->classes;
	uint32_t n_old = history->n, at_old = 1;

	history->n = tree->n + 1;
	history->classes = xcalloc(history->n, sizeof(old[0]));
	history->classes[0] = n_old ? old[0] : past_make(DP_CLASS_ROOT);
	for (uint32_t at = 1; at < history->n; at++) {
		uint32_t number = tree->classes[at - 1].config.number;

		while (at_old < n_old && old[at_old]->number < number)
			past_free(old[at_old++]);
		history->classes[at] = at_old < n_old && old[at_old]->number == number
		                               ? old[at_old++]
		                               : past_make(number);
	}
	while (at_old < n_old)
		past_free(old[at_old++]);
	free(old);
}

struct qos_history *
history_follow(struct qos_history *history, const struct qos_tree *tree,
               uint32_t root_ref, uint32_t capacity)
{
	if (!history)
		history = xcalloc(1, sizeof(*history));
	history_set_classes(history, tree);
	history->quiet_ticks = 0;
	if (history->n_index != capacity + 1) {
		free(history->by_index);
		history->n_index = capacity + 1;
		history->by_index = xcalloc(history->n_index, sizeof(uint32_t));
	}
	memset(history->by_index, 0xff, history->n_index * sizeof(uint32_t));
	history->classes[0]->node = history->classes[0]->leaf = root_ref;
	history->classes[0]->is_inner = true;
	history_index(history, root_ref, 0);
	for (uint32_t at = 1; at < history->n; at++) {
		const struct qos_class *class = &tree->classes[at - 1];
		struct past_class *past = history->classes[at];

		past->node = class->node;
		past->leaf = class->leaf;
		past->is_inner = class->is_inner;
		past->parent_at = class->parent == TREE_NO_INDEX ? 0 : class->parent + 1;
		history_index(history, past->leaf, at);
		history_index(history, past->node, at);
	}
	return history;
}

void
history_destroy(struct qos_history *history)
{
	if (!history)
		return;
	for (uint32_t at = 0; at < history->n; at++)
		past_free(history->classes[at]);
	free(history->classes);
	free(history->by_index);
	free(history);
}

/* ---- a pass ---- */

static void
counters_from(struct past_counters *counters, const struct dp_class_stats *stats)
{
	counters->offered_packets = stats->offered_packets;
	counters->offered_bytes = stats->offered_bytes;
	counters->sent_packets = stats->sent_packets;
	counters->sent_bytes = stats->sent_bytes;
	counters->dropped_packets = stats->dropped_packets;
	counters->dropped_bytes = stats->dropped_bytes;
	counters->borrowed_bytes = stats->borrowed_bytes;
}

/* Counters may step back where a class got its first child. */
static uint64_t
grown(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

void
history_begin(struct qos_history *history)
{
	history->was_busy = history->link_is_full = history->ring_is_full = false;
	for (uint32_t at = 0; at < history->n; at++) {
		struct past_class *past = history->classes[at];

		past->lent_bytes = 0;
		past->child_is_busy = past->is_pending = false;
	}
}

void
history_note_stats(struct qos_history *history, uint32_t at,
                   const struct dp_class_stats *stats)
{
	struct past_class *past = history->classes[at];

	past->stats = *stats;
	past->sent_bytes = grown(stats->sent_bytes, past->last.sent_bytes);
	past->borrowed_bytes = grown(stats->borrowed_bytes, past->last.borrowed_bytes);
	/* The root comes first: its sums are complete only after this pass. */
	if (at)
		history->classes[past->parent_at]->lent_bytes += past->borrowed_bytes;
	if (stats->queued_packets || past->sent_bytes) {
		history->was_busy = true;
		if (at)
			history->classes[past->parent_at]->child_is_busy = true;
	}
}

bool
history_is_busy(const struct qos_history *history, uint32_t at)
{
	const struct past_class *past = history->classes[at];

	return past->stats.queued_packets || past->sent_bytes || past->is_pending;
}

static void
past_set(struct past_class *past, enum dp_class_state state, uint32_t who)
{
	past->state = state;
	past->who = who;
	past->wait_ns = 0;
}

/* What it did since the last sample, by bytes: whoever is served owes for it the moment
 * after, so that tags alone seldom show it. A class that borrows a third shows so in
 * every third sample. */
static void
past_set_by_bytes(struct past_class *past, bool is_sample)
{
	uint64_t lent = grown(past->lent_bytes, past->borrowed_bytes);
	bool borrows;

	if (is_sample) {
		past->borrowed_part +=
			(double)past->borrowed_bytes / (double)past->sent_bytes;
		borrows = past->borrowed_part >= 0.5;
		past->borrowed_part -= borrows;
	} else {
		borrows = past->borrowed_bytes * 2 >= past->sent_bytes;
	}
	if (borrows)
		past_set(past, DP_STATE_BORROWING,
		         past->last_lender == DP_CLASS_NONE ? DP_CLASS_ROOT
		                                            : past->last_lender);
	else if (past->is_inner && lent * 2 < past->sent_bytes)
		past_set(past, DP_STATE_BELOW, DP_CLASS_NONE);
	else
		past_set(past, DP_STATE_OWN_FLOOR, DP_CLASS_NONE);
}

static uint32_t
number_of(const struct qos_history *history, uint32_t ref)
{
	uint32_t at = history_find_ref(history, ref);

	return at == HISTORY_NOWHERE ? DP_CLASS_ROOT : history->classes[at]->number;
}

/* The root is the link: it is at its rate, or its classes send as they like. */
static void
root_note_answer(struct qos_history *history, const struct sched_explanation *why)
{
	struct past_class *root = history->classes[0];

	if (history->ring_is_full)
		past_set(root, DP_STATE_RING_FULL, DP_CLASS_NONE);
	else if (why->doing == SCHED_AT_CEIL)
		past_set(root, DP_STATE_OWN_CEIL, DP_CLASS_NONE);
	else
		past_set(root, root->child_is_busy ? DP_STATE_BELOW : DP_STATE_IDLE,
		         DP_CLASS_NONE);
	root->wait_ns = why->wait_ns;
}

/* A class below its ceilings, or without packets at the moment. */
static void
past_set_open(struct qos_history *history, struct past_class *past,
              const struct sched_explanation *why, bool is_sample)
{
	if (past->sent_bytes)
		past_set_by_bytes(past, is_sample);
	else if (!is_sample &&
	         (past->state == DP_STATE_OWN_FLOOR || past->state == DP_STATE_BORROWING))
		return; /* a moment ago */
	else if (why->doing == SCHED_ON_FLOOR)
		past_set(past, DP_STATE_OWN_FLOOR, DP_CLASS_NONE);
	else if (why->doing == SCHED_ON_EXCESS)
		past_set(past, DP_STATE_BORROWING, number_of(history, why->who));
	else
		past_set(past, past->child_is_busy ? DP_STATE_BELOW : DP_STATE_IDLE,
		         DP_CLASS_NONE);
}

/* Who paid for what a leaf sent last paid for the classes in between as well. */
static void
lender_note(struct qos_history *history, uint32_t at, uint32_t lender_ref)
{
	uint32_t lender_at = history_find_ref(history, lender_ref);

	if (lender_at == HISTORY_NOWHERE)
		return;
	for (unsigned up = 0; at != lender_at && at && up < SCHED_LEVELS_MAX; up++) {
		history->classes[at]->last_lender = history->classes[lender_at]->number;
		at = history->classes[at]->parent_at;
	}
}

void
history_note_answer(struct qos_history *history, uint32_t at,
                    const struct sched_explanation *why, bool is_sample)
{
	struct past_class *past = history->classes[at];

	history->link_is_full |= why->link_wait_ns > 0;
	if (!past->is_inner)
		lender_note(history, at, why->lender);
	if (at == 0) {
		root_note_answer(history, why);
		return;
	}
	switch (why->doing) {
	case SCHED_AT_CEIL:
		past_set(past, DP_STATE_OWN_CEIL, DP_CLASS_NONE);
		break;
	case SCHED_AT_CEIL_OF:
		past_set(past, DP_STATE_ANCESTOR_CEIL, number_of(history, why->who));
		break;
	case SCHED_PARKED:
		past_set(past, DP_STATE_RING_FULL, DP_CLASS_NONE);
		break;
	case SCHED_ON_FLOOR:
	case SCHED_ON_EXCESS:
		if (!history->ring_is_full) {
			past_set_open(history, past, why, is_sample);
			return;
		}
		past_set(past, DP_STATE_RING_FULL, DP_CLASS_NONE);
		break;
	case SCHED_HAS_NOTHING:
		past_set_open(history, past, why, is_sample);
		return;
	}
	past->wait_ns = why->wait_ns;
}

void
history_note_pending(struct qos_history *history, uint32_t at)
{
	struct past_class *past;

	if (at == HISTORY_NOWHERE)
		return;
	past = history->classes[at];
	history->was_busy = true;
	/* What still has a queue says more. */
	if (!past->stats.queued_packets)
		past_set(past, DP_STATE_RING_FULL, DP_CLASS_NONE);
	history->classes[past->parent_at]->child_is_busy = true;
}

static void
past_note_drops(struct past_class *past, uint64_t now_ns)
{
	const uint64_t counts[HISTORY_DROPS] = {
		past->stats.full_packets,
		past->stats.aged_packets,
		past->stats.codel_packets,
	};

	for (unsigned i = 0; i < HISTORY_DROPS; i++) {
		if (counts[i] > past->last_drops[i]) {
			past->drops[i].time_ns = now_ns;
			past->drops[i].packets = counts[i] - past->last_drops[i];
		}
		past->last_drops[i] = counts[i];
	}
}

static void
past_mark_delays(struct past_class *past, uint64_t turn)
{
	unsigned half = turn / HISTORY_TICKS_A_DELAY_MARK % 2;

	if (turn % HISTORY_TICKS_A_DELAY_MARK != 0)
		return;
	for (unsigned i = 0; i < QOS_WAITS; i++)
		histogram_set_mark(&past->delays->mark[half][i], &past->delays->wait[i]);
}

static void
past_keep_sample(struct qos_history *history, uint32_t at, uint64_t now_ns)
{
	struct past_class *past = history->classes[at];
	uint32_t slot = (uint32_t)(history->ticks % HISTORY_SAMPLES);

	if (past->state != DP_STATE_IDLE && !past->samples) {
		past->samples = xcalloc(HISTORY_SAMPLES, sizeof(uint32_t));
		for (unsigned i = 0; i < HISTORY_SAMPLES; i++)
			past->samples[i] = sample_make(DP_STATE_IDLE, DP_CLASS_NONE);
	}
	if (past->samples)
		past->samples[slot] = sample_make(past->state, past->who);
	if (past->samples_n < HISTORY_SAMPLES)
		past->samples_n++;
	past_note_drops(past, now_ns);
	if (past->delays)
		past_mark_delays(past, history->ticks + at);
	counters_from(&past->last, &past->stats);
	if (history->ticks % HISTORY_TICKS_A_MARK == 0)
		past->marks[history->ticks / HISTORY_TICKS_A_MARK % HISTORY_MARKS] =
			past->last;
}

static void
history_tick(struct qos_history *history, uint64_t now_ns)
{
	if (history->ticks % HISTORY_TICKS_A_MARK == 0)
		history->mark_ns[history->ticks / HISTORY_TICKS_A_MARK % HISTORY_MARKS] =
			now_ns;
	history->ticks++;
}

void
history_end(struct qos_history *history, uint64_t now_ns, bool is_sample)
{
	for (uint32_t at = 0; at < history->n; at++) {
		struct past_class *past = history->classes[at];

		/* Nobody was asked about these. */
		if (!history_is_busy(history, at))
			past_set(past,
			         past->child_is_busy ? DP_STATE_BELOW : DP_STATE_IDLE,
			         DP_CLASS_NONE);
		if (is_sample)
			past_keep_sample(history, at, now_ns);
	}
	if (!is_sample)
		return;
	history_tick(history, now_ns);
	history->quiet_ticks = history->was_busy ? 0 : history->quiet_ticks + 1;
}

void
history_skip(struct qos_history *history, uint64_t now_ns)
{
	/* Every mark and every sample already says what this one would. */
	history_tick(history, now_ns);
	history->quiet_ticks++;
}

/* ---- reading ---- */

static int
compare_shares(const void *a, const void *b)
{
	const struct dp_class_share *x = a, *y = b;

	return x->per_mille < y->per_mille ? 1 : x->per_mille > y->per_mille ? -1 : 0;
}

/* Counts one sample; what finds no room counts with the last. */
static uint32_t
share_count(struct dp_class_share *shares, uint32_t n, uint32_t max, uint32_t sample)
{
	enum dp_class_state state = (enum dp_class_state)(sample >> SAMPLE_WHO_BITS);
	uint32_t who = sample_who(sample), i = 0;

	while (i < n && (shares[i].state != state || shares[i].who != who))
		i++;
	if (i == n && n == max)
		i = n - 1;
	if (i == n)
		shares[n++] = (struct dp_class_share){.state = state, .who = who};
	shares[i].per_mille++;
	return n;
}

uint32_t
history_shares(const struct qos_history *history, const struct past_class *past,
               struct dp_class_share *shares, uint32_t max)
{
	uint32_t n = 0, left = 1000;

	if (!past->samples_n)
		return 0;
	for (uint64_t i = 1; i <= past->samples_n; i++)
		n = share_count(
			shares, n, max,
			past->samples
				? past->samples[(history->ticks - i) % HISTORY_SAMPLES]
				: sample_make(DP_STATE_IDLE, DP_CLASS_NONE));
	for (uint32_t i = 0; i < n; i++)
		shares[i].per_mille = shares[i].per_mille * 1000 / past->samples_n;
	qsort(shares, n, sizeof(*shares), compare_shares);
	/* So that they add up. */
	for (uint32_t i = 0; i < n; i++)
		left -= shares[i].per_mille;
	shares[0].per_mille += left;
	return n;
}

static uint64_t
per_second(uint64_t now, uint64_t then, uint64_t times, uint64_t span_ns)
{
	return (uint64_t)((unsigned __int128)grown(now, then) * times * 1000000000 /
	                  span_ns);
}

void
history_rates(const struct qos_history *history, const struct past_class *past,
              uint64_t now_ns, struct dp_class_rates *rates)
{
	const struct past_counters *then = NULL;
	struct past_counters now;
	uint64_t span = 0;

	memset(rates, 0, sizeof(*rates));
	for (unsigned i = 0; i < HISTORY_MARKS; i++) {
		if (!history->mark_ns[i] || now_ns - history->mark_ns[i] <= span)
			continue;
		span = now_ns - history->mark_ns[i];
		then = &past->marks[i];
	}
	/* Too short to tell, or a class that was not there. */
	if (span < 100000000 || !past->samples_n)
		return;
	counters_from(&now, &past->stats);
	rates->span_ns = span;
	rates->offered_bps = per_second(now.offered_bytes, then->offered_bytes, 8, span);
	rates->offered_pps =
		per_second(now.offered_packets, then->offered_packets, 1, span);
	rates->sent_bps = per_second(now.sent_bytes, then->sent_bytes, 8, span);
	rates->sent_pps = per_second(now.sent_packets, then->sent_packets, 1, span);
	rates->dropped_bps = per_second(now.dropped_bytes, then->dropped_bytes, 8, span);
	rates->dropped_pps =
		per_second(now.dropped_packets, then->dropped_packets, 1, span);
	rates->borrowed_bps =
		per_second(now.borrowed_bytes, then->borrowed_bytes, 8, span);
}
