/* learn_limits.h - which limits of learn actions are reached, so that a walk can tell
 * whether a packet's rule has room. Main notes and publishes, beside table.c;
 * walk_learn.c asks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hmap.h"
#include "datapath/datapath.h"

/* Those that are reached; published with a version of the rules. NULL = none is. */
struct learn_limit_set;

/* Main's. */
struct learn_limits {
	struct hmap reached; /* in the next version */
	bool has_changed;
	struct learn_limit_set *shown, *retired;
};

/* ---- main ---- */

void learn_limits_init(struct learn_limits *limits);
/* Workers do not see the bridge any more. */
void learn_limits_destroy(struct learn_limits *limits);

/* False: that was known. */
bool learn_limits_note(struct learn_limits *limits, const struct dp_learn_limit *limit,
                       bool is_reached);
void learn_limits_clear(struct learn_limits *limits);

/* What the next pipeline is to have; once it is published, the one before is freed in
 * its time. */
const struct learn_limit_set *learn_limits_show(struct learn_limits *limits);
void learn_limits_retire(struct learn_limits *limits);

/* ---- any thread ---- */

uint32_t learn_limit_hash(const struct dp_learn_limit *limit);
bool learn_limit_is_reached(const struct learn_limit_set *set,
                            const struct dp_learn_limit *limit);
