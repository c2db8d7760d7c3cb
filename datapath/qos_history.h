/* qos_history.h - ten seconds of what the classes of a tree did. Private to qos_watch.c,
 * qos_history.c and qos_explain.c. Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/qos_delay.h"
#include "qos/sched_explain.h"

struct qos_tree;

#define HISTORY_SAMPLES      100 /* of a tenth of a second */
#define HISTORY_MARKS        3   /* of counters, half a second apart */
#define HISTORY_TICKS_A_MARK 5
/* A class's delays are marked every 5 s, classes one after the other. */
#define HISTORY_TICKS_A_DELAY_MARK 50

enum history_drop { HISTORY_FULL, HISTORY_AGED, HISTORY_CODEL, HISTORY_DROPS };

struct past_counters {
	uint64_t offered_packets, offered_bytes;
	uint64_t sent_packets, sent_bytes;
	uint64_t dropped_packets, dropped_bytes;
	uint64_t borrowed_bytes;
};

struct past_class {
	uint32_t number;    /* DP_CLASS_ROOT: the first */
	uint32_t parent_at; /* the parent's place in history.classes */
	uint32_t node;      /* the scheduler's class; what takes its packets is 'leaf' */
	uint32_t leaf;
	bool is_inner;

	/* of the pass that is going on */
	struct dp_class_stats stats;
	uint64_t sent_bytes, borrowed_bytes; /* since the last sample */
	uint64_t lent_bytes;            /* that children sent and borrowed, since then */
	bool child_is_busy, is_pending; /* 'pending': scheduled, but not taken */

	/* what it does, and since when that is remembered */
	enum dp_class_state state;
	uint32_t who;
	uint64_t wait_ns;
	uint32_t last_lender; /* number of the last that was not itself */
	double borrowed_part; /* not yet shown by a sample */
	uint32_t samples_n;
	uint32_t *samples; /* ring, as history.ticks says; NULL = all idle */

	struct past_counters last; /* at the last sample */
	uint64_t last_drops[HISTORY_DROPS];
	struct {
		uint64_t time_ns, packets;
	} drops[HISTORY_DROPS];
	struct past_counters marks[HISTORY_MARKS];
	struct qos_delays *delays; /* NULL until there was traffic */
};

struct qos_history {
	uint32_t n;
	struct past_class **classes; /* the root, then ascending by number */
	uint32_t n_index;
	uint32_t *by_index; /* scheduler's index -> place; HISTORY_NOWHERE */
	uint64_t ticks;
	uint64_t mark_ns[HISTORY_MARKS];
	uint64_t root_packets; /* sent and dropped, at the last look */
	uint32_t quiet_ticks;  /* that there was nothing to see */
	bool link_is_full;
	bool ring_is_full;
	bool was_busy;
};
#define HISTORY_NOWHERE UINT32_MAX

/* Makes it, if NULL, or has it follow a change of the tree: classes that stay keep what
 * is known of them. The delays of those that went are freed after RCU. */
struct qos_history *history_follow(struct qos_history *history,
                                   const struct qos_tree *tree, uint32_t root_ref,
                                   uint32_t capacity);
void history_destroy(struct qos_history *history);

/* The place of a class, or HISTORY_NOWHERE. */
uint32_t history_find(const struct qos_history *history, uint32_t number);
uint32_t history_find_ref(const struct qos_history *history, uint32_t ref);

/* A pass: begin, then a call for each class in order, then what the owner said of those
 * that history_is_busy(), then the end. With 'is_sample' it becomes one of the hundred.
 */
void history_begin(struct qos_history *history);
void history_note_stats(struct qos_history *history, uint32_t at,
                        const struct dp_class_stats *stats);
bool history_is_busy(const struct qos_history *history, uint32_t at);
void history_note_answer(struct qos_history *history, uint32_t at,
                         const struct sched_explanation *why, bool is_sample);
/* Of a class whose packets the port does not take. */
void history_note_pending(struct qos_history *history, uint32_t at);
void history_end(struct qos_history *history, uint64_t now_ns, bool is_sample);

/* A tenth of a second in which the tree did nothing. */
void history_skip(struct qos_history *history, uint64_t now_ns);

/* ---- reading ---- */

uint32_t history_shares(const struct qos_history *history, const struct past_class *past,
                        struct dp_class_share *shares, uint32_t max);
void history_rates(const struct qos_history *history, const struct past_class *past,
                   uint64_t now_ns, struct dp_class_rates *rates);
