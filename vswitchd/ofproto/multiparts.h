/* multiparts.h - statistics and descriptions. For session.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

/* Answers one; -EPROTO with what to send back. False in '*is_known' if it is none of
 * these. */
int multiparts_request(struct session *session, const struct of_msg *request,
                       bool *is_known, struct of_error *error);
