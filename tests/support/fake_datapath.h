/* fake_datapath.h - what tests see of the datapath that fake_datapath.c plays. Main
 * thread. */
#pragma once

#include "base/str.h"
#include "datapath/datapath.h"

struct fake_datapath {
	struct str calls;          /* one line for each call that changes something */
	const char *fail_port;     /* dp_port_add() of this name fails */
	const char *fail_qos_port; /* dp_port_set_qos() on this name fails */
	bool fail_start;
	uint64_t link_bps; /* that every port claims */
	unsigned n_cores;  /* in dp_check_cpu_mask() */
};

extern struct fake_datapath fake_datapath;

/* Forgets everything, as if no dp_*() had been called. */
void fake_datapath_reset(void);
