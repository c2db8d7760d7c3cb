/* learn.h - rules that rules make. For ofproto.c, which gets them from the datapath. Main
 * thread. */
#pragma once

#include "vswitchd/ofproto/changes.h"

/* A packet with 'key' met a learn action. */
void learn_run(struct ofproto *ofproto, const struct flow_learn *learn,
               const struct flow_key *key);
/* Rules with delete_learned have gone: so do the rules that they made, if no other rule
 * makes the same. */
void learn_sweep(struct ofproto *ofproto);
