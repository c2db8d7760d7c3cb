/* sched_explain.h - what a class of a scheduler does at a moment, and why it does not
 * send. Owner thread: tags and lists are read as they are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "qos/sched.h"

enum sched_doing {
	/* Holds nothing to send. An inner class: none of those below it looks for
	 * someone who lends; they may hold items that wait for their own sake. */
	SCHED_HAS_NOTHING,
	SCHED_ON_FLOOR,   /* is served, in its turn, on its own floor */
	SCHED_ON_EXCESS,  /* is served, in its turn, on the account of 'who' */
	SCHED_AT_CEIL,    /* waits for its own ceiling: 'wait_ns' */
	SCHED_AT_CEIL_OF, /* waits for the ceiling of 'who' above it: 'wait_ns' */
	SCHED_PARKED,     /* held back by sched_leaf_park(): 'wait_ns' */
};

struct sched_explanation {
	enum sched_doing doing;
	uint32_t who;     /* a reference: who lends, or whose ceiling; else the class's */
	uint64_t wait_ns; /* how long until the ceiling, or parking, ends */
	/* The link itself is at its rate for this long: every class waits its turn. */
	uint64_t link_wait_ns;
	uint32_t lender; /* who paid for what the class sent last; the class itself if it
	                    was its own floor. Of a leaf. */
};

/* False if 'ref' is stale. */
bool sched_class_explain(const struct sched *sched, uint32_t ref, uint64_t now_ns,
                         struct sched_explanation *why);
