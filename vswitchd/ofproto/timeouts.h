/* timeouts.h - which rules' time is over: a wheel of quarter seconds. Below changes.c,
 * which tells it of rules; flow_mod.c deletes what it finds. Main thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

void timeouts_init(struct ofproto *ofproto, uint64_t now_ns);
/* The rule is new, or its timeouts or importance have changed. */
void timeouts_schedule(struct ofproto *ofproto, struct rule *rule, uint64_t now_ns);
/* A connection ended that the rule is about: its timeouts become these if they were
 * longer, or none; 0 changes nothing. It may be gone by now. */
void timeouts_shrink(struct ofproto *ofproto, uint64_t rule_id, uint16_t idle_s,
                     uint16_t hard_s);
/* Appends the rules that are over at 'now_ns': by which timeout. At most 'limit'. */
void timeouts_collect(struct ofproto *ofproto, uint64_t now_ns, size_t limit,
                      struct rule_list *idle, struct rule_list *hard);
