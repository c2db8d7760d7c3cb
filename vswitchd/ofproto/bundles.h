/* bundles.h - messages that wait for each other, per connection. For session.c. Main
 * thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

int bundles_control(struct session *session, const struct of_msg *msg,
                    struct of_error *error);
int bundles_add(struct session *session, const struct of_msg *msg,
                struct of_error *error);
/* Drops those that nothing was added to for long. */
void bundles_run(struct session *session, uint64_t now_ns);
void bundles_destroy(struct session *session);
