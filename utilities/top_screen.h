/* top_screen.h - weir-top on a terminal: keys in, rows out. One thread. */
#pragma once

#include "base/error.h"
#include "top_view.h"

struct top_screen_options {
	const char *target; /* the daemon */
	uint64_t interval_ns;
	bool use_colors;
};

#define TOP_INTERVAL_MIN_NS 100000000ULL
#define TOP_INTERVAL_MAX_NS 3600000000000ULL

/* Runs until the user quits. 'snapshot', the first one, becomes the function's; 'view' is
 * how it is shown at first. -errno if there is no usable terminal. */
int top_screen_run(const struct top_screen_options *options, struct top_view *view,
                   struct top_snapshot *snapshot, struct error *err);
