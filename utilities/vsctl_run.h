/* vsctl_run.h - one run of weir-vsctl against a database: all commands in one
 * transaction. */
#pragma once

#include "vsctl.h"

struct run_options {
	const char *db; /* where to connect to */
	struct table_style style;
	const char *comment; /* for the database's log */
	bool wait_for_reload;
	bool dry_run;
	bool oneline;
	bool retry;
};

/* Prints what the commands print. Returns 0 or -errno; '*exit_status' is the process's if
 * 0 is returned. */
int vsctl_run(const struct run_options *options, struct invocation *calls, size_t n_calls,
              int *exit_status, struct error *err);
