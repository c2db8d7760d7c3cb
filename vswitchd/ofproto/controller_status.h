/* controller_status.h - what controllers of 1.5 are told of each other: of those that the
 * switch dials, as who comes by itself is not configured. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

/* All that are configured, connected or not. */
int controller_status_request(struct session *session, const struct of_msg *request,
                              struct of_error *error);

/* To others: something of this session has changed. */
void controller_status_changed(const struct session *session,
                               enum of_controller_reason reason);
/* struct connection_hooks.set_configured; 'aux' is a struct ofproto. */
void controller_status_configured(const char *target, bool is_configured, void *aux);
