/* qos_tree.h - main's copy of a port's tree of classes, the plan to change it
 * (qos_plan.c) and the job that the owner worker carries out (qos_job.c). Private to
 * qos_*.c. */
#pragma once

#include "datapath/qos.h"
#include "qos/sched.h"

struct qos_class {
	struct dp_class_config config;
	unsigned depth;    /* 1 = below the root */
	bool has_children; /* in the new tree */
	bool is_inner;     /* in the running tree */
	bool is_running;   /* has a node */
	bool is_wanted;    /* stands in the new configuration */
	uint32_t node;     /* the inner node, or the leaf */
	uint32_t leaf;     /* what takes its packets */
};

/* Main's copy of the running tree, ascending by number. */
struct qos_tree {
	size_t n;
	struct qos_class *classes;
	void *memory; /* the scheduler's */
	uint64_t rate_bps;
};

/* ---- qos_plan.c ---- */

/* The class of that number, or NULL. */
struct qos_class *tree_find(const struct qos_tree *tree, uint32_t number);

/* The classes of 'config', with class 0, merged with those that run in 'old'. */
void tree_merge(struct qos_tree *tree, const struct qos_tree *old,
                const struct dp_qos_config *config);

/* Forgets the classes that were deleted. */
void tree_keep_wanted(struct qos_tree *tree);

struct sched_class_params class_params(const struct port *port,
                                       const struct dp_class_config *config);

/* The hidden leaf of a class with children: no floor of its own, a share of the rest. */
struct sched_class_params direct_params(const struct dp_class_config *config);

/* The root: the link. */
struct sched_class_params root_params(const struct port *port,
                                      const struct dp_qos_config *config);

/* ---- qos_job.c ---- */

/* A change on its way: phases over all classes, a few steps at a time. */
enum qos_phase {
	PHASE_ADD,
	PHASE_DETACH,
	PHASE_MOVE,
	PHASE_SET,
	PHASE_DELETE,
	PHASE_DONE
};

struct qos_job {
	struct port_qos *qos;
	struct qos_tree *tree;
	enum qos_phase phase, last_phase;
	unsigned depth; /* within a phase, level by level */
	size_t index;
	struct sched_class_params root;
	uint64_t now_ns;
	struct qos_item
		*orphans; /* packets of deleted leaves that class 0 did not take */
	int status;
};

/* Carries out a few steps of a struct qos_job; a worker_call_fn. On the owner worker, or
 * on main before the scheduler has an owner. */
bool qos_job_run(struct worker *worker, void *arg);
