/* mask_set.h - which bits of a packet rules and actions of a bridge read: distinct masks
 * with how many users each has, and their union, which is the flow cache's mask. Main. */
#pragma once

#include <stdbool.h>

#include "base/hmap.h"
#include "net/flow_key.h"

struct mask_entry;

struct mask_set {
	struct hmap entries;
	struct flow_key all; /* the union, unless 'is_stale': then it may be too wide */
	bool is_stale;
};

void mask_set_init(struct mask_set *set);
void mask_set_destroy(struct mask_set *set);

/* One more user of 'mask'; to be given back with mask_set_unref(). */
struct mask_entry *mask_set_ref(struct mask_set *set, const struct flow_key *mask);
void mask_set_unref(struct mask_set *set, struct mask_entry *entry);

/* Brings the union up to date; cheap while no mask has gone, else a pass over all. */
const struct flow_key *mask_set_union(struct mask_set *set);
