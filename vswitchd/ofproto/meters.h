/* meters.h - meter-mods. Between session.c and the datapath. Main thread. */
#pragma once

#include "vswitchd/ofproto/changes.h"

int meters_mod(struct session *session, const struct of_msg *msg, struct of_error *error);
void meters_destroy(struct ofproto *ofproto);
