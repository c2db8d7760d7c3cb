/* apply.h - carries a plan out through datapath.h, in slices, and records in 'running'
 * what took effect and in 'desired' what failed. Main thread. */
#pragma once

#include "vswitchd/diff.h"

struct apply {
	struct running *running;
	struct desired *desired;
	struct plan plan;          /* owned */
	size_t next;               /* operation to do next */
	const char *start_failure; /* why the datapath does not run; NULL = it may */
};

/* 'running' and 'desired' must outlive it. */
void apply_init(struct apply *apply, struct running *running, struct desired *desired);

/* Does operations until the clock passes 'deadline_ns' (clock_mono_ns()), at least one;
 * true once all are done. */
bool apply_run(struct apply *apply, uint64_t deadline_ns);

void apply_destroy(struct apply *apply);
