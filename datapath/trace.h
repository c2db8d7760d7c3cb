/* trace.h - what the parts of a trace share: trace.c, which listens to the walk, and
 * trace_run.c, which takes what comes of it to the ports. Main. */
#pragma once

#include <stddef.h>

#include "datapath/datapath.h"
#include "datapath/walk_state.h"

struct bridge;
struct pipeline;
struct port;
struct program_walk;
struct rte_mbuf;

struct trace {
	const struct dp_trace *request;
	struct bridge *bridge;
	struct port *in;
	unsigned n_walks; /* that wait for each other, as on a worker */
	/* How far a table or list is indented, by the depth of the walk: a resubmit that
	 * ends its list leads on as goto_table does, to the same column. */
	uint8_t indents[WALK_DEPTH_MAX + 1];
};

/* Carries out a program on '*pkt', which stays the caller's and may become another one,
 * and tells the fates. Counts nothing. */
void trace_run(struct trace *trace, const void *records, size_t bytes,
               struct rte_mbuf **pkt);

/* Walks on with a packet whose headers were laid bare. */
void trace_resume(struct trace *trace, const struct program_walk *record,
                  struct rte_mbuf **pkt);
