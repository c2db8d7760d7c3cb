/* walk_state.h - all that a walk (walk.c) knows on its way, and what comes of it. A walk
 * belongs to who began it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/change_log.h"
#include "datapath/datapath.h"
#include "datapath/drop.h"
#include "datapath/program.h"
#include "datapath/tally.h"

struct bridge;
struct pipeline;
struct trace;

#define WALK_PROGRAM_BYTES 4096
#define WALK_SET_BYTES     2048
#define WALK_REST_BYTES    2048
#define WALK_SAVED_BYTES   32768
#define WALK_STACK_MAX     64
#define WALK_DEPTH_MAX     64 /* of resubmits, clones and groups in each other */
#define WALK_NESTING_MAX   400
#define WALK_RESUBMITS_MAX 4096
#define WALK_TALLIES_MAX   (WALK_RESUBMITS_MAX + 2 * DP_TABLES_MAX)
/* Of a walk that failed, as many count the packet: so that the cache has room for it. */
#define WALK_FAILED_TALLIES 64
#define WALK_WATCHED_MAX    16384 /* buckets asked whether they are alive */

struct walk {
	const struct pipeline *pipeline;
	const struct bridge *bridge;
	struct trace *trace;             /* NULL = nobody listens */
	size_t length;                   /* the packet's */
	uint32_t in_port;                /* where it really came from */
	const struct flow_key *original; /* what it was begun with */
	struct walk_trail trail;

	/* The packet as far as the tables read it, and as they changed it. The mask is
	 * all ones. */
	struct flow_match packet;
	/* Headers were laid bare that 'packet' does not have. */
	bool is_blind;
	bool has_queue; /* a queue was set */
	bool is_egress; /* in the egress tables: what is sent goes out */
	uint64_t queue;

	/* where it is */
	uint64_t cookie;  /* of the rule; UINT64_MAX = not in a rule */
	uint64_t rule_id; /* its maker's name for it */
	uint8_t table;
	uint8_t reason; /* enum dp_punt_reason, of what is punted here */
	unsigned depth, nesting, n_resubmits, n_watched;

	/* why it does not go on */
	bool has_exited;
	bool list_ends;    /* behind the present action; those that led to it go on */
	bool is_suspended; /* until headers are read again, or a controller resumes it */
	bool suspend_here; /* ... before the present action */

	uint32_t set_bytes, rest_bytes, saved_bytes, n_stack;
	struct program_frame first_rest, last_rest; /* of which rules 'rest' is */

	/* what comes of it */
	bool is_cacheable;
	bool has_matched;
	enum drop_reason drop; /* if the program is empty, or not to be carried out */
	bool has_failed;       /* it is not */
	uint32_t bytes, n_tallies;
	uint64_t program[WALK_PROGRAM_BYTES / 8];
	struct tally_ref tallies[WALK_TALLIES_MAX];

	uint64_t set[WALK_SET_BYTES / 8];   /* the action set, as it was written */
	uint64_t rest[WALK_REST_BYTES / 8]; /* what is left to do once it goes on */
	uint64_t saved[WALK_SAVED_BYTES / 8];
	struct flow_value stack[WALK_STACK_MAX]; /* 64 bits at most in the first bytes */
};
