/* roles.h - which controllers may change things. For session.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

int roles_request(struct session *session, const struct of_msg *request,
                  struct of_error *error);
