/* simulate_run.h - runs a tree and its loads in virtual time, with the switch's own
 * scheduler. One thread. */
#pragma once

#include "simulate_load.h"
#include "simulate_meter.h"
#include "simulate_tree.h"

struct simulate_options {
	double seconds;      /* that are measured */
	double skip_seconds; /* before them: the start is no steady state */
	uint64_t seed;
	uint64_t link_bps;                     /* of the wire; 0 = the root's ceiling */
	uint64_t period_min_ns, period_max_ns; /* of the owner's loop */
	bool stalls;                           /* 1 round in 2000 takes 100 us */
	uint32_t pool;        /* packets that may be queued in total; 0 = any number */
	uint32_t quantum;     /* bytes per visit; 0 = one packet */
	uint64_t catch_up_ns; /* default burst of ceilings, as the port's worker has it */
};

/* As a worker that polls has it. */
#define SIMULATE_OPTIONS_INIT                                                \
	{                                                                    \
		.seconds = 1, .skip_seconds = 0.1, .period_min_ns = 500,     \
		.period_max_ns = 4000, .pool = 32768, .catch_up_ns = 5000000 \
	}

/* The tree was checked. '*results' has one for each class and that of the root; the
 * caller frees it. -EINVAL, -ENOSPC, with nothing allocated. */
int simulate_run(const struct simulate_tree *tree, const struct simulate_loads *loads,
                 const struct simulate_options *options, struct simulate_result **results,
                 struct error *err);
