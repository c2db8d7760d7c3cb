/* dispatch.h - which part of the switch does what a message asks. Between session.c,
 * which has it decoded, and those parts. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

/* 0, or -1 with the error to send back. */
int dispatch_message(struct session *session, struct of_msg *msg, struct of_error *error);
