/* change_log.c - a batch per publication: for each table and mask that rules of it have,
 * a set of bits that says which packets they match, by hash. A batch is not changed once
 * it is published, but for the end of the chain, which moves on. Main; changes_concern()
 * on workers. */
#include "datapath/change_log.h"

#include <stdlib.h>
#include <string.h>

#include <rte_hash_crc.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "datapath/classifier.h"
#include "datapath/rcu.h"
#include "datapath/ruleset.h"

#define NOTES_MAX     16384 /* rules of a publication; with more it concerns everything */
#define FORMS_MAX     16    /* masks of a publication; the tables of others are whole */
#define BITS_PER_RULE 32    /* one packet in 32, at most, is taken for one of a rule */
#define TESTS_MAX     64    /* of an entry: some 10 ns each, a walk is not much more */

struct change_note {
	const struct rule_mask *mask;
	uint32_t hash;
	uint8_t table;
};

/* Rules of one table and mask. */
struct change_form {
	uint8_t table, n_words;
	uint8_t places[FLOW_PACKET_WORDS]; /* of the words in the pipeline's order */
	uint64_t masks[FLOW_PACKET_WORDS];
	uint64_t words;               /* of the packet, as in a trail */
	const struct rule_mask *mask; /* main's, while the batch is made */
	uint32_t n_rules, bits_mask;
	uint64_t *bits; /* behind the batch's forms */
};

struct change_batch {
	uint64_t generation;                      /* of the pipeline that it came with */
	const struct change_batch *_Atomic older; /* main writes; NULL = forgotten */
	bool is_all;
	uint64_t groups;
	uint64_t whole;  /* tables of which nothing closer is known */
	uint64_t tables; /* with forms */
	uint32_t n_forms;
	struct change_form forms[];
};

static inline uint32_t
hash_word(uint64_t word, uint32_t hash)
{
	return rte_hash_crc_8byte(word, hash);
}

static inline uint32_t
hash_end(uint32_t hash)
{
	return hash ^ hash >> 15;
}

/* In the sets of tables and groups. */
static inline uint64_t
number_bit(uint32_t number)
{
	return 1ULL << number % 64;
}

/* ---- notes: main ---- */

static void
set_bit(uint64_t *set, uint32_t bit)
{
	set[bit / 64] |= 1ULL << bit % 64;
}

static void
log_forget_notes(struct change_log *log)
{
	log->is_all = false;
	log->groups = 0;
	log->tables = 0;
	log->n_notes = 0;
}

void
change_log_note_all(struct change_log *log)
{
	log->is_all = true;
}

void
change_log_note_group(struct change_log *log, uint32_t number)
{
	log->groups |= number_bit(number);
}

void
change_log_note_limit(struct change_log *log, uint32_t hash)
{
	log->groups |= number_bit(hash);
}

void
change_log_note_table(struct change_log *log, uint8_t table)
{
	log->tables |= number_bit(table);
}

/* The words of a packet among those of a mask: they come first. */
static unsigned
mask_packet_words(const struct rule_mask *mask)
{
	unsigned n = 0;

	while (n < mask->n_words && mask->words[n] < FLOW_PACKET_WORDS)
		n++;
	return n;
}

void
change_log_note_rule(struct change_log *log, const struct rule *rule)
{
	unsigned n_words = mask_packet_words(rule->mask);
	struct change_note *note;

	if (n_words == 0)
		change_log_note_table(log, rule->table);
	if (log->n_notes == NOTES_MAX)
		log->is_all = true;
	if (n_words == 0 || log->is_all)
		return;
	if (log->n_notes == log->allocated) {
		log->allocated = log->allocated ? 2 * log->allocated : 64;
		log->notes = xrealloc(log->notes, log->allocated * sizeof(log->notes[0]));
	}
	note = &log->notes[log->n_notes++];
	note->mask = rule->mask;
	note->table = rule->table;
	note->hash = 0;
	for (unsigned i = 0; i < n_words; i++)
		note->hash = hash_word(rule->key[i], note->hash);
	note->hash = hash_end(note->hash);
}

bool
change_log_is_empty(const struct change_log *log)
{
	return !log->is_all && !log->groups && !log->tables && !log->n_notes;
}

/* ---- batches: main ---- */

/* The form of a note among 'forms', a new one if need be; NULL: there are too many. */
static struct change_form *
find_form(struct change_form *forms, uint32_t *n, const struct change_note *note)
{
	for (uint32_t i = 0; i < *n; i++)
		if (forms[i].mask == note->mask)
			return &forms[i];
	if (*n == FORMS_MAX)
		return NULL;
	memset(&forms[*n], 0, sizeof(forms[*n]));
	forms[*n].mask = note->mask;
	forms[*n].table = note->table;
	return &forms[(*n)++];
}

/* Where a packet's word stands in the cache's keys; -1: nowhere with all bits of 'mask'.
 */
static int
pipeline_place(const struct pipeline *pipeline, uint8_t word, uint64_t mask)
{
	for (int i = 0; i < pipeline->n_words; i++)
		if (pipeline->words[i] == word)
			return mask & ~pipeline->masks[i] ? -1 : i;
	return -1;
}

/* False: the pipeline's keys do not tell. */
static bool
form_fill(struct change_form *form, const struct pipeline *pipeline)
{
	const struct rule_mask *mask = form->mask;

	form->n_words = (uint8_t)mask_packet_words(mask);
	for (unsigned i = 0; i < form->n_words; i++) {
		int place = pipeline_place(pipeline, mask->words[i], mask->masks[i]);

		if (place < 0)
			return false;
		form->places[i] = (uint8_t)place;
		form->masks[i] = mask->masks[i];
		form->words |= 1ULL << mask->words[i];
	}
	form->bits_mask = 64;
	while (form->bits_mask < form->n_rules * BITS_PER_RULE)
		form->bits_mask *= 2;
	form->bits_mask--;
	return true;
}

/* Sorts the notes by form, those of the forms without room to 'log->tables'. Returns how
 * many forms there are. */
static uint32_t
log_sort_notes(struct change_log *log, const struct pipeline *pipeline,
               struct change_form *forms)
{
	uint32_t n_forms = 0;

	for (uint32_t i = 0; i < log->n_notes; i++) {
		struct change_form *form = find_form(forms, &n_forms, &log->notes[i]);

		if (form)
			form->n_rules++;
		else
			log->tables |= number_bit(log->notes[i].table);
	}
	for (uint32_t i = 0; i < n_forms; i++)
		if (!form_fill(&forms[i], pipeline))
			log->is_all = true;
	return log->is_all ? 0 : n_forms;
}

static struct change_batch *
batch_make(struct change_log *log, const struct pipeline *pipeline)
{
	struct change_form forms[FORMS_MAX];
	uint32_t n_forms = log_sort_notes(log, pipeline, forms);
	size_t bytes = sizeof(struct change_batch) + n_forms * sizeof(forms[0]);
	struct change_batch *batch;
	uint64_t *bits;

	for (uint32_t i = 0; i < n_forms; i++)
		bytes += (forms[i].bits_mask + 1) / 8;
	batch = xcalloc(1, bytes);
	batch->is_all = log->is_all;
	batch->groups = log->groups;
	batch->whole = log->tables;
	batch->n_forms = n_forms;
	memcpy(batch->forms, forms, n_forms * sizeof(forms[0]));
	bits = (uint64_t *)&batch->forms[n_forms];
	for (uint32_t i = 0; i < n_forms; i++) {
		batch->forms[i].bits = bits;
		bits += (forms[i].bits_mask + 1) / 64;
		batch->tables |= number_bit(forms[i].table);
	}
	for (uint32_t i = 0; i < log->n_notes && n_forms; i++) {
		struct change_form *form = NULL;

		/* Those without room in 'forms' are in 'whole'. */
		for (uint32_t f = 0; f < n_forms && !form; f++)
			if (batch->forms[f].mask == log->notes[i].mask)
				form = &batch->forms[f];
		if (form)
			set_bit(form->bits, log->notes[i].hash & form->bits_mask);
	}
	return batch;
}

static void
log_append(struct change_log *log, struct change_batch *batch, struct pipeline *pipeline)
{
	uint32_t at = log->n_batches % CHANGE_BATCHES;
	struct change_batch *oldest = log->batches[at];

	batch->generation = pipeline->generation;
	batch->older = log->n_batches
	                       ? log->batches[(log->n_batches - 1) % CHANGE_BATCHES]
	                       : NULL;
	log->batches[at] = batch;
	log->n_batches++;
	pipeline->changes = batch;
	if (!oldest)
		return;
	/* Whose 'older' it is. */
	atomic_store_explicit(&log->batches[log->n_batches % CHANGE_BATCHES]->older, NULL,
	                      memory_order_release);
	rcu_call_after(free, oldest);
}

void
change_log_publish(struct change_log *log, struct pipeline *pipeline)
{
	log_append(log, batch_make(log, pipeline), pipeline);
	log_forget_notes(log);
}

void
change_log_publish_all(struct change_log *log, struct pipeline *pipeline)
{
	struct change_batch *batch = xcalloc(1, sizeof(*batch));

	batch->is_all = true;
	log_append(log, batch, pipeline);
}

void
change_log_destroy(struct change_log *log)
{
	for (unsigned i = 0; i < CHANGE_BATCHES; i++)
		free(log->batches[i]);
	free(log->notes);
}

/* ---- workers ---- */

static bool
form_concerns(const struct change_form *form, const struct walk_trail *trail,
              const uint64_t *words)
{
	uint32_t hash = 0;

	if (!(trail->tables & number_bit(form->table)))
		return false;
	if (form->words & trail->words)
		return true;
	for (unsigned i = 0; i < form->n_words; i++)
		hash = hash_word(words[form->places[i]] & form->masks[i], hash);
	hash = hash_end(hash) & form->bits_mask;
	return form->bits[hash / 64] >> hash % 64 & 1;
}

bool
changes_concern(const struct pipeline *pipeline, uint64_t since,
                const struct walk_trail *trail, const uint64_t *words)
{
	const struct change_batch *batch = pipeline->changes;
	unsigned n_tests = 0;

	while (batch && batch->generation > since) {
		if (batch->is_all || batch->groups & trail->groups ||
		    batch->whole & trail->tables)
			return true;
		n_tests++;
		if (batch->tables & trail->tables) {
			n_tests += batch->n_forms;
			for (uint32_t i = 0; i < batch->n_forms; i++)
				if (form_concerns(&batch->forms[i], trail, words))
					return true;
		}
		if (n_tests > TESTS_MAX)
			return true;
		batch = atomic_load_explicit(&batch->older, memory_order_acquire);
	}
	return batch == NULL;
}
