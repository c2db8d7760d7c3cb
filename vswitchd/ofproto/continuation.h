/* continuation.h - what the datapath needs to go on with a packet that paused, on its way
 * over a controller and back. For packet_in.c and packet_out.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

/* Appends a sealed copy of 'n' bytes. */
void continuation_seal(const struct ofproto *ofproto, const void *record, size_t n,
                       struct str *out);

/* Finds in 'n' bytes at 'data' what was sealed for the same switch by the same process,
 * and borrows it. -EPROTO: it is stale, foreign or was changed. */
int continuation_open(const struct ofproto *ofproto, const uint8_t *data, size_t n,
                      const void **record, size_t *n_record, struct of_error *error);
