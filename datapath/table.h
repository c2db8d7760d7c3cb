/* table.h - a bridge's tables in compiled form: rules, what they do, and which header
 * bits they can depend on. Main builds one and publishes it as a whole; workers walk it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "datapath/datapath.h"
#include "net/flow_key.h"

#define PROGRAM_ACTIONS_MAX 32
#define WALK_TABLES_MAX     64 /* tables that one packet visits at most */

/* A flat list of actions, in the order of execution. */
struct program {
	uint8_t n;
	struct dp_action actions[PROGRAM_ACTIONS_MAX];
};

static inline bool
program_equal(const struct program *a, const struct program *b)
{
	return a->n == b->n &&
	       !memcmp(a->actions, b->actions, a->n * sizeof(a->actions[0]));
}

static inline void
program_copy(struct program *to, const struct program *from)
{
	to->n = from->n;
	memcpy(to->actions, from->actions, from->n * sizeof(from->actions[0]));
}

struct rule {
	struct flow_key match, mask;
	uint16_t priority;
	uint16_t goto_table; /* DP_TABLE_NONE = ends here */
	uint8_t n_actions;
	struct dp_action actions[DP_RULE_ACTIONS_MAX];
};

/* Linear by descending priority; other classifiers take its place per table. */
struct table {
	uint32_t n;
	struct rule *rules;
};

struct pipeline {
	uint64_t generation; /* differs from that of every pipeline before */
	/* Per kind of packet, every bit that a reachable rule looks at: the mask of the
	 * flow cache. in_port is always in it. */
	struct flow_key masks[FLOW_N_TYPES];
	/* All packets of a port do the same and nothing is read: no parsing, no look-up.
	 */
	bool is_fixed;
	struct program fixed;
	uint32_t n_tables;
	struct table tables[];
};

/* Main: compiles 'rules'; -EINVAL with the reason. Release with pipeline_free(). */
int pipeline_build(const struct dp_static_rule *rules, size_t n, struct pipeline **pipeline,
                   struct error *err);
void pipeline_free(struct pipeline *pipeline);

/* Any thread: what a packet with 'key' goes through. False if some table has no rule for
 * it: it is dropped. */
bool pipeline_walk(const struct pipeline *pipeline, const struct flow_key *key,
                   struct program *program);
