/* packet_in.h - packets for controllers, from the datapath to sessions, as fast as each
 * may get them. For ofproto.c and session.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

void packet_in_send(struct ofproto *ofproto, const struct dp_punt *punt);

/* Sends what has waited long enough. Called often, and from a timer while some wait. */
void packet_ins_run(struct ofproto *ofproto, uint64_t now_ns);

void packet_ins_destroy(struct session *session);

/* Adds a session's to a report. */
void packet_ins_count(const void *session, struct ofproto_controller_status *status);
