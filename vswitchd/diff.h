/* diff.h - the pure step from (running, desired) to a plan: a list of small operations
 * that apply.c carries out in order, and that can be printed. Main thread. */
#pragma once

#include "base/str.h"
#include "vswitchd/desired.h"
#include "vswitchd/running.h"

enum plan_kind {
	PLAN_START,       /* the datapath */
	PLAN_SET_WORKERS, /* cores and sleep */
	PLAN_DEL_PORT,
	PLAN_DEL_BRIDGE,
	PLAN_ADD_BRIDGE,
	PLAN_SET_BRIDGE,
	PLAN_ADD_PORT,
	PLAN_SET_PORT,
	PLAN_SET_QOS,
	PLAN_SET_OPENFLOW, /* of a bridge, once its ports are there */
	PLAN_N_KINDS,
};

struct plan_op {
	enum plan_kind kind;
	char name[DP_NAME_MAX_BYTES];  /* of the bridge or port; empty for the switch */
	struct desired_bridge *bridge; /* NULL for the switch and for deletions */
	struct desired_port *port;     /* NULL unless a port is added or set */
};

struct plan {
	struct plan_op *ops;
	size_t n, allocated;
};

/* The operations point into 'desired', which must outlive the plan. Objects with a
 * problem are left as they are: not made, not changed, not deleted. */
void diff(const struct running *running, const struct desired *desired,
          struct plan *plan);

/* The start-up part of the configuration: what PLAN_START and PLAN_SET_WORKERS apply.
 * Its strings are borrowed from 'desired'; 'instance' is left NULL. */
void diff_dp_config(const struct desired_settings *settings, struct dp_config *config);

/* One line for each operation. */
void plan_print(const struct plan *plan, struct str *out);
void plan_destroy(struct plan *plan);
