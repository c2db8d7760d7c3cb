/* flow_mod.h - what flow-mods do. Between those who have one (session.c, bundles.c,
 * learn.c) and changes.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/changes.h"

/* Carries one out as a part of 'changes'; on failure those are to be aborted. 'version'
 * is the one that it came in. */
int flow_mod_run(struct changes *changes, const struct of_flow_mod *mod,
                 enum of_version version, struct of_error *error);

/* Deletes rules whose time is over. */
void flow_mod_expire(struct ofproto *ofproto, uint64_t now_ns);
/* Deletes all rules of controllers, and says so to none but monitors. */
void flow_mod_flush(struct ofproto *ofproto);
/* Adds a rule of the switch's own making. */
void flow_mod_add_normal(struct ofproto *ofproto);
