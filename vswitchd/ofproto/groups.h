/* groups.h - group-mods. Between session.c, bundles.c and changes.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/changes.h"

int groups_mod(struct changes *changes, const struct of_group_mod *mod,
               enum of_version version, struct of_error *error);
/* All of them, at the end of the switch; rules are gone. */
void ofproto_groups_destroy(struct ofproto *ofproto);
