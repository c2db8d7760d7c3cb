/* dumps.h - long answers, made piece by piece while the controller reads them, so that
 * one who does not read costs no more than a few pieces, and no piece holds up main. For
 * multiparts_*.c and monitors.c, which make the pieces. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

#define DUMP_PART_ITEMS 256U
#define DUMP_PART_BYTES (64U << 10) /* about: then a part ends */

struct dump;

/* Makes and sends the next piece. What it tells of may have changed since the last one.
 * Whether there is more. */
typedef bool dump_part_fn(struct session *session, struct dump *dump);

struct dump {
	dump_part_fn *part;
	struct of_msg request; /* not what it points to */
	/* Of groups, meters, ports, tables or monitors: whom it is about. */
	uint32_t *numbers;
	size_t n_numbers, next;
	/* Of rules: where it goes on. */
	unsigned table;
	size_t position;
	struct of_aggregate total;
};

/* A dump about nobody yet. */
struct dump *dump_create(const struct of_msg *request, dump_part_fn *part);
void dump_add_number(struct dump *dump, uint32_t number);
void dump_sort_numbers(struct dump *dump);
void dump_free(struct dump *dump);
/* Takes a new dump over and sends as much as the controller may be behind. */
void dump_begin(struct session *session, struct dump *dump);

/* For a piece: the next number; false after the last. */
bool dump_next_number(struct dump *dump, uint32_t *number);
/* Rules of the tables that controllers know, some thousand at most being looked at; none
 * is no sign of the end. Whether there may be more. */
bool dump_next_rules(const struct ofproto *ofproto, struct dump *dump,
                     const struct rule_filter *filter, struct rule_list *list);
/* Sends a piece about numbers; whether there is more. The items stay the caller's. */
bool dump_send_numbers(struct session *session, const struct dump *dump,
                       struct of_msg *reply);

/* Goes on with all of a switch's, for some milliseconds in all, and looks who has read.
 * Called often, and from a timer. */
void dumps_run(struct ofproto *ofproto);
void dump_destroy(struct session *session);
