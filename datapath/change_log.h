/* change_log.h - what the last publications of a bridge changed, so that a flow cache can
 * keep entries that none of it concerns. Main notes and publishes, beside table.c, rule.c
 * and group.c; cache.c asks on workers. Never too little: what is told to concern an
 * entry may turn out not to, once it is walked again. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/flow_key.h"

struct change_batch;
struct change_note;
struct pipeline;
struct rule;

#define CHANGE_BATCHES 64 /* publications that are remembered */

/* What a walk depended on besides its packet. */
struct walk_trail {
	uint64_t tables; /* looked up in, with or without success: bit 'number % 64' */
	/* Asked for: as well; and limits of learn actions, by their hash. */
	uint64_t groups;
	/* Words of the packet that did not have the packet's own value at some look-up.
	 */
	uint64_t words;
};

static_assert(FLOW_PACKET_WORDS <= 64, "a bit for each word of a packet");

/* Main's. */
struct change_log {
	bool is_all; /* what is noted concerns everything */
	uint64_t groups;
	uint64_t tables;           /* whatever their packets are */
	struct change_note *notes; /* rules */
	uint32_t n_notes, allocated;
	struct change_batch *batches[CHANGE_BATCHES]; /* a ring */
	uint32_t n_batches;                           /* that there ever were */
};

/* ---- main ---- */

/* Workers do not see the bridge any more. */
void change_log_destroy(struct change_log *log);

/* The next publication adds, changes or removes this. A rule stands in its table. */
void change_log_note_rule(struct change_log *log, const struct rule *rule);
void change_log_note_group(struct change_log *log, uint32_t number);
/* Of a learn action: it is reached, or not any more. */
void change_log_note_limit(struct change_log *log, uint32_t hash);
void change_log_note_table(struct change_log *log, uint8_t table);
void change_log_note_all(struct change_log *log);

/* Whether there is nothing to publish. */
bool change_log_is_empty(const struct change_log *log);

/* Gives 'pipeline', which is about to be published, the batch of what was noted. */
void change_log_publish(struct change_log *log, struct pipeline *pipeline);

/* The same for one that shows nothing of what was noted, but concerns all entries. */
void change_log_publish_all(struct change_log *log, struct pipeline *pipeline);

/* ---- workers ---- */

/* Whether anything that was published after generation 'since', up to 'pipeline', may
 * change what a walk of this trail comes to for a packet of these words, in the
 * pipeline's order. Bounded: when in doubt, or if it would take long, the answer is yes.
 */
bool changes_concern(const struct pipeline *pipeline, uint64_t since,
                     const struct walk_trail *trail, const uint64_t *words);
