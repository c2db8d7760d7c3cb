/* eviction.h - which rule a full table gives up: of those that time out, in groups by
 * what they match, one of the largest group; there the least important, and of these the
 * one whose time is over first. Told of rules by timeouts.c and changes.c, asked by
 * table_mod.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/flow_table.h"

struct eviction;

/* 'fields': the bits that rules of a group have in common; bits that a rule does not
 * match count as 0. */
struct eviction *eviction_create(const struct flow_key *fields);
/* NULL is fine. The rules stay. */
void eviction_destroy(struct eviction *eviction);

/* The rule is new, or its timeouts or importance have changed. 'eviction' may be NULL. */
void eviction_update(struct eviction *eviction, struct rule *rule);
/* The rule leaves its table. */
void eviction_remove(struct rule *rule);

/* NULL: no rule times out. The rule stays until it is removed. */
struct rule *eviction_choose(struct eviction *eviction);
