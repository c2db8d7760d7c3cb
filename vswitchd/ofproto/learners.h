/* learners.h - which learn actions the rules of a switch have: so that a packet that
 * learns, or a rule that goes, costs the same however many rules there are, and so that
 * workers know which limits are reached. For changes.c and learn.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

/* A rule gets these actions, or loses them. */
void learners_count(struct ofproto *ofproto, const struct flow_actions *actions,
                    bool is_more);

/* A table has one rule more with the cookie, or is about to have one less. */
void learners_note_rule(struct ofproto *ofproto, uint8_t table, uint64_t cookie,
                        bool is_more);

/* Whether some rule's learn action keeps what it learned in the table with the cookie
 * until it goes itself (delete_learned). */
bool learners_keep(const struct ofproto *ofproto, uint8_t table, uint64_t cookie);
