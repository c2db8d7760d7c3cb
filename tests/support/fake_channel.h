/* fake_channel.h - a channel that remembers what is sent, in place of channel.c. For
 * tests. Main thread. */
#pragma once

#include "base/str.h"
#include "vswitchd/ofproto/channel.h"

struct channel {
	struct str sent;
	bool is_paused, is_stuck;
	const char *failed;
	size_t backlog;
	size_t is_filled_by; /* so many bytes sent: then nothing more fits; 0 = never */
};
