/* fake_ofproto.h - what tests see of the switches that fake_ofproto.c plays. Main thread.
 */
#pragma once

#include "vswitchd/ofproto/ofproto.h"

/* One line for each call that tells a switch something. */
extern struct str fake_ofproto_calls;

/* Forgets all switches that were not destroyed, and the calls. */
void fake_ofproto_reset(void);
