/* packet_out.h - packets that controllers send. For session.c and bundles.c. Main
 * thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

/* Whether it could be sent as things are. */
int packet_out_check(const struct ofproto *ofproto, const struct of_packet_out *out,
                     struct of_error *error);
/* Checks and sends; what was changed before must be published. */
int packet_out_run(struct ofproto *ofproto, const struct of_packet_out *out,
                   struct of_error *error);
/* Sends a packet on that paused, with the registers and so on that come with it. */
int packet_out_resume(struct ofproto *ofproto, const struct of_packet_in *in,
                      struct of_error *error);
