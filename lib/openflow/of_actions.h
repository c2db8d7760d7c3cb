/* of_actions.h - action lists and instructions on the wire, all versions and Nicira's,
 * to and from net/flow_action.h. Forms only: whether a port, group or table exists, and
 * whether a match has an action's prerequisites, is the caller's. No state. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "net/flow_action.h"
#include "openflow/of.h"

/* 'n' bytes of actions. Appends to 'actions', also where an error comes later. */
int of_actions_decode(enum of_version version, const uint8_t *data, size_t n,
                      struct flow_actions *actions, struct of_error *error);

/* The same for instructions (1.1 and later), in any order; the result is in the order of
 * their execution. Duplicates are errors. */
int of_instructions_decode(enum of_version version, const uint8_t *data, size_t n,
                           struct flow_actions *actions, struct of_error *error);

/* Records -> wire. What a version cannot say is written as Nicira's extension if there is
 * one, else left out. */
void of_actions_encode(enum of_version version, const void *records, size_t bytes,
                       struct str *out);
void of_instructions_encode(enum of_version version, const void *records, size_t bytes,
                            struct str *out);

/* Setters of tags and ports that name no kind of tag or protocol become, in '*adapted'
 * (empty, the caller's to destroy), what says the same of the packets of 'match'. False:
 * nothing needs that. */
bool of_actions_adapt(enum of_version version, const struct flow_match *match,
                      const struct flow_actions *actions, struct flow_actions *adapted);

/* Checks each action against the match that leads to it (following set-fields and pushes
 * on the way): prerequisites, values that the field cannot have, tables that do not go
 * forward ('table' = the rule's; OF_TABLE_ALL = none). 'n_tables' exist. 'match' NULL: a
 * group's, whose packets may be anything; prerequisites are not checked then. */
int of_actions_check(const void *records, size_t bytes, const struct flow_match *match,
                     uint8_t table, unsigned n_tables, struct of_error *error);
