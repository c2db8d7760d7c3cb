/* qos_job.c - the steps of a change of a tree, carried out between rounds by the worker
 * that owns the scheduler (or by main before it has an owner).
 *
 * A class with classes below it is an inner node of lib/qos, which holds no packets;
 * packets sent to such a class go to a hidden leaf below it. A leaf that gets its first
 * child becomes that hidden leaf, with the packets it has. */
#include <errno.h>

#include "datapath/qos_tree.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

/* The worker goes back to its packets after this much. */
#define QOS_SLICE_NS 20000

static uint32_t
job_parent_node(const struct qos_job *job, const struct qos_class *class)
{
	if (class->parent == TREE_NO_INDEX)
		return sched_root(job->qos->sched);
	return job->tree->classes[class->parent].node;
}

/* A leaf, or an inner node; what was a leaf so far goes on as the hidden leaf below it.
 */
static int
job_add(struct qos_job *job, struct qos_class *class)
{
	struct sched_class_params params =
		class_params(&class->config, job->tree->catch_up_ms);
	uint32_t node;
	int ret;

	ret = sched_class_add(job->qos->sched, job_parent_node(job, class),
	                      !class->has_children, &params, job->now_ns, &node);
	if (ret < 0)
		return ret;
	class->node = node;
	class->placed_under = class->config.parent;
	class->params_are_stale = false;
	class->is_inner = class->has_children;
	if (!class->has_children)
		class->leaf = node;
	return 0;
}

static int
job_fill(struct qos_job *job, struct qos_class *class)
{
	struct sched_class_params params =
		direct_params(&class->config, job->tree->catch_up_ms);
	struct sched *sched = job->qos->sched;
	int ret;

	if (!class->is_inner)
		return 0;
	if (class->leaf == QOS_REF_NONE)
		return sched_class_add(sched, class->node, true, &params, job->now_ns,
		                       &class->leaf);
	ret = sched_class_move(sched, class->leaf, class->node, job->now_ns);
	if (ret < 0)
		return ret;
	return sched_class_set(sched, class->leaf, &params, job->now_ns);
}

static int
job_move(struct qos_job *job, struct qos_class *class, bool to_root)
{
	uint32_t parent =
		to_root ? sched_root(job->qos->sched) : job_parent_node(job, class);
	int ret = sched_class_move(job->qos->sched, class->node, parent, job->now_ns);

	if (ret == 0)
		class->placed_under = to_root ? DP_CLASS_ROOT : class->config.parent;
	return ret;
}

static int
job_set(struct qos_job *job, struct qos_class *class)
{
	struct sched_class_params params =
		class_params(&class->config, job->tree->catch_up_ms);
	int ret = sched_class_set(job->qos->sched, class->node, &params, job->now_ns);

	if (ret == 0 && class->is_inner) {
		params = direct_params(&class->config, job->tree->catch_up_ms);
		ret = sched_class_set(job->qos->sched, class->leaf, &params, job->now_ns);
	}
	if (ret == 0)
		class->params_are_stale = false;
	return ret;
}

/* A packet of a class that went is class 0's from now on. */
static void
job_adopt_one(struct qos_job *job)
{
	const struct qos_class *heir = tree_find(job->tree, 0);
	struct qos_item *item = job->homeless;

	job->homeless = item->next;
	item->class_ref = heir->leaf;
	if (sched_enqueue(job->qos->sched, item, job->now_ns) != SCHED_QUEUED) {
		item->next = job->orphans;
		job->orphans = item;
	}
}

static int
job_delete(struct qos_job *job, struct qos_class *class)
{
	struct qos_item *none;
	int ret = 0;

	if (class->leaf != QOS_REF_NONE)
		ret = sched_class_delete(job->qos->sched, class->leaf, job->now_ns,
		                         &job->homeless);
	if (ret == 0 && class->is_inner)
		ret = sched_class_delete(job->qos->sched, class->node, job->now_ns,
		                         &none);
	return ret;
}

static int
job_step(struct qos_job *job, const struct qos_op *op)
{
	switch (op->type) {
	case OP_DETACH:
		return job_move(job, op->class, true);
	case OP_ADD:
		return job_add(job, op->class);
	case OP_FILL:
		return job_fill(job, op->class);
	case OP_MOVE:
		return job_move(job, op->class, false);
	case OP_SET:
		return job_set(job, op->class);
	case OP_SET_ROOT:
		return sched_class_set(job->qos->sched, sched_root(job->qos->sched),
		                       &job->tree->root, job->now_ns);
	case OP_DELETE:
		return job_delete(job, op->class);
	}
	return 0;
}

/* Does the next piece; false when all is done or there is no room to go on. */
static bool
job_advance(struct qos_job *job)
{
	if (job->homeless) {
		job_adopt_one(job);
		return true;
	}
	if (job->next == job->n_ops)
		return false;
	job->status = job_step(job, &job->ops[job->next]);
	if (job->status == -ENOSPC)
		return false;
	if (job->status < 0 && job->failed == 0)
		job->failed = job->status;
	job->status = 0;
	job->next++;
	return true;
}

bool
qos_job_run(struct worker *worker, void *arg)
{
	struct qos_job *job = arg;
	uint64_t start_ns = tsc_to_ns(rte_rdtsc()), spent_ns = 0;
	bool more;

	job->now_ns = worker ? worker->now_ns : start_ns;
	job->rounds++;
	do {
		more = job_advance(job);
		spent_ns = tsc_to_ns(rte_rdtsc()) - start_ns;
	} while (more && spent_ns < QOS_SLICE_NS);
	job->longest_ns = MAX_OF(job->longest_ns, spent_ns);
	return more;
}
