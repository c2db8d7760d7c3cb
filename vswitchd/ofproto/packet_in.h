/* packet_in.h - packets for controllers, from the datapath to sessions. For ofproto.c.
 * Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

void packet_in_send(struct ofproto *ofproto, const struct dp_punt *punt);
