/* qos_tree.h - main's copy of a tree of classes, the plan to change it (qos_plan.c) and
 * the job that the owner worker carries out (qos_job.c). Private to qos_*.c. */
#pragma once

#include "datapath/qos.h"
#include "qos/sched.h"

#define TREE_NO_INDEX UINT32_MAX

/* A class sends short packets for as long as one full frame takes: half the cost. */
#define QOS_QUANTUM_BYTES 1514

struct qos_class {
	struct dp_class_config config;
	uint32_t parent; /* index of its parent in the tree; TREE_NO_INDEX = the root */
	uint32_t placed_under; /* number of the class that its node hangs below by now */
	uint8_t depth;         /* 1 = below the root */
	bool has_children;     /* in the configuration */
	bool is_inner;         /* its node is an inner one, with a hidden leaf */
	bool params_are_stale; /* the node did not take the last parameters */
	uint32_t node;         /* the inner node, or the leaf; QOS_REF_NONE = none yet */
	uint32_t leaf;         /* what takes its packets; QOS_REF_NONE = nothing yet */
	struct qos_loss lost_before; /* of its number, before the class was made */
	uint64_t created_ns;
};

/* Main's copy of a tree, classes ascending by number. */
struct qos_tree {
	uint32_t n;
	struct qos_class *classes;
	uint32_t *by_depth; /* indices of all classes, parents before children */
	uint32_t n_numbers;
	uint32_t *index; /* by number; TREE_NO_INDEX = no such class */
	uint64_t catch_up_ms;
	uint64_t rate_bps;
	struct sched_class_params root;
};

enum qos_op_type {
	OP_DETACH, /* a running class hangs below the root for now */
	OP_ADD,    /* a leaf, or an inner node: what has_children says */
	OP_FILL,   /* an inner node gets its hidden leaf: a new one, or what it was */
	OP_MOVE,
	OP_SET,
	OP_SET_ROOT,
	OP_DELETE,
};

/* One step; each touches one class only. */
struct qos_op {
	enum qos_op_type type;
	struct qos_class *class;
};

/* What makes 'old' into 'next'. 'changes' first, then the new classes are published, then
 * 'deletions', when nobody looks the old ones up any more. */
struct qos_plan {
	struct qos_tree *next;
	struct qos_op *changes, *deletions;
	uint32_t n_changes, n_deletions;
	uint32_t n_nodes; /* that exist at once, at most */
	uint32_t n_bands; /* of them inner ones, and priorities below each */
};

/* ---- qos_plan.c ---- */

/* The class of that number, or NULL. */
struct qos_class *tree_find(const struct qos_tree *tree, uint32_t number);

/* Plans the change from 'old' (an empty tree at first) to 'config', which
 * dp_qos_check() has found possible. plan->next is new, the caller's. */
void plan_make(struct qos_plan *plan, struct qos_tree *old,
               const struct dp_qos_config *config, uint64_t catch_up_ms);
void plan_free(struct qos_plan *plan);

void tree_free(struct qos_tree *tree);

/* 'catch_up_ms': how late the owner may be without loss of rate. */
struct sched_class_params class_params(const struct dp_class_config *config,
                                       uint64_t catch_up_ms);

/* The hidden leaf of a class with children: no floor of its own, a share of the rest. */
struct sched_class_params direct_params(const struct dp_class_config *config,
                                        uint64_t catch_up_ms);

/* The root: the link. */
struct sched_class_params root_params(const struct dp_qos_config *config,
                                      uint64_t catch_up_ms);

/* ---- qos_job.c ---- */

/* A list of steps on its way, a few microseconds' worth in each round. */
struct qos_job {
	struct port_qos *qos;
	const struct qos_tree *tree; /* the next one */
	const struct qos_op *ops;
	uint32_t n_ops, next;
	uint64_t now_ns;
	struct qos_item *homeless; /* packets of deleted leaves, not yet given a class */
	struct qos_item *orphans;  /* those that class 0 did not take; the caller's */
	int status; /* of the step 'next', where it stopped: -ENOSPC: more room is needed,
	               then go on */
	int failed; /* of the first step that failed otherwise and was left out */
	uint32_t rounds;
	uint64_t longest_ns; /* of a round's work */
};

/* Carries out a few steps of a struct qos_job; a worker_call_fn. On the owner worker, or
 * on main before the scheduler has an owner. */
bool qos_job_run(struct worker *worker, void *arg);

/* ---- qos_config.c ---- */

/* Whom worker_call() is for: NULL before the scheduler has an owner. */
struct worker *qos_owner(const struct port_qos *qos);

/* ---- qos_report.c ---- */

/* Makes room in every worker's table for losses of classes below 'n'. */
void losses_fit(struct port_qos *qos, uint32_t n);
struct qos_loss losses_sum(const struct port_qos *qos, uint32_t number);
void losses_free(struct port_qos *qos);

/* Tells the counters of the root and then of all classes in ascending order. */
void tree_report(const struct port_qos *qos,
                 void (*cb)(const struct dp_class_stats *, void *aux), void *aux);
