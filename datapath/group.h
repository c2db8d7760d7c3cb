/* group.h - groups as workers see them: versions of buckets by number. Main makes and
 * deletes them (dp_group_*()). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/tally.h"

struct bridge;
struct mask_entry;

struct group_bucket {
	uint16_t weight;
	uint32_t watch_port, watch_group; /* FLOW_PORT_NONE = none */
	const void *actions;
	uint32_t actions_bytes;
	struct tally_ref tally;
};

struct group {
	/* constant but for 'removed' and 'next', which main writes */
	uint32_t number;
	enum dp_group_type type;
	uint64_t added;
	_Atomic uint64_t removed;
	struct group *_Atomic next;
	struct flow_key hash_fields; /* select: the mask of what is hashed */
	uint64_t hash_param;
	struct tally_ref tally;
	uint32_t n_buckets;
	struct group_bucket *buckets;
	/* main's */
	struct mask_entry *reads;
	struct group *next_removed;
};

/* Any thread, between quiescent points: NULL = 'version' has none of this number. */
const struct group *group_find(const struct bridge *bridge, uint64_t version,
                               uint32_t number);

/* Main, as rules_retire() and rules_destroy() in rule.h. */
void groups_retire(struct bridge *bridge);
void groups_destroy(struct bridge *bridge);
