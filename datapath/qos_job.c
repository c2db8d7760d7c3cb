/* qos_job.c - the steps of a change of a tree, carried out between rounds by the worker
 * that owns the scheduler (or by main before it has an owner).
 *
 * A class with classes below it is an inner node of lib/qos, which holds no packets;
 * packets sent to such a class go to a hidden leaf below it. A leaf that gets its first
 * child becomes that hidden leaf, with the packets it has. */
#include "datapath/qos_tree.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

#define QOS_STEPS_PER_ROUND 32

static uint32_t
job_parent_node(const struct qos_job *job, const struct qos_class *class)
{
	if (class->config.parent == DP_CLASS_ROOT)
		return sched_root(job->qos->sched);
	return tree_find(job->tree, class->config.parent)->node;
}

static int
job_add(struct qos_job *job, struct qos_class *class)
{
	struct sched_class_params params = class_params(job->qos->port, &class->config);
	struct sched_class_params direct = direct_params(&class->config);
	struct sched *sched = job->qos->sched;
	uint32_t parent, leaf;
	int ret = 0;

	if (!class->is_wanted ||
	    (class->is_running && (class->is_inner || !class->has_children)))
		return 0;
	/* A running class changes parents later; meanwhile it hangs from the root. */
	parent = class->is_running ? sched_root(sched) : job_parent_node(job, class);
	if (!class->has_children) {
		ret = sched_class_add(sched, parent, true, &params, job->now_ns,
		                      &class->node);
		class->leaf = class->node;
		class->is_running = ret == 0;
		return ret;
	}
	leaf = class->leaf;
	ret = sched_class_add(sched, parent, false, &params, job->now_ns, &class->node);
	if (ret == 0 && class->is_running)
		ret = sched_class_move(sched, leaf, class->node, job->now_ns);
	else if (ret == 0)
		ret = sched_class_add(sched, class->node, true, &direct, job->now_ns,
		                      &class->leaf);
	class->is_inner = true;
	class->is_running = ret == 0;
	return ret;
}

/* Before classes move to their new places they all hang from the root, so that no move
 * meets a cycle that only exists half-way. */
static int
job_detach(struct qos_job *job, struct qos_class *class)
{
	if (!class->is_wanted || !class->is_running)
		return 0;
	return sched_class_move(job->qos->sched, class->node, sched_root(job->qos->sched),
	                        job->now_ns);
}

static int
job_move(struct qos_job *job, struct qos_class *class)
{
	uint32_t parent;

	if (!class->is_wanted || class->config.parent == DP_CLASS_ROOT)
		return 0;
	parent = job_parent_node(job, class);
	return sched_class_move(job->qos->sched, class->node, parent, job->now_ns);
}

static int
job_set(struct qos_job *job, struct qos_class *class)
{
	struct sched_class_params params = class_params(job->qos->port, &class->config);
	struct sched_class_params direct = direct_params(&class->config);
	int ret;

	if (!class->is_wanted)
		return 0;
	ret = sched_class_set(job->qos->sched, class->node, &params, job->now_ns);
	if (ret == 0 && class->is_inner)
		ret = sched_class_set(job->qos->sched, class->leaf, &direct, job->now_ns);
	return ret;
}

/* Packets of a class that goes are class 0's from now on. */
static void
job_adopt(struct qos_job *job, struct qos_item *items)
{
	const struct qos_class *heir = tree_find(job->tree, 0);

	while (items) {
		struct qos_item *next = items->next;

		items->class_ref = heir->leaf;
		if (sched_enqueue(job->qos->sched, items, job->now_ns) != SCHED_QUEUED) {
			items->next = job->orphans;
			job->orphans = items;
		}
		items = next;
	}
}

static int
job_delete(struct qos_job *job, struct qos_class *class)
{
	struct qos_item *items = NULL;
	int ret;

	if (class->is_wanted || !class->is_running)
		return 0;
	ret = sched_class_delete(job->qos->sched, class->leaf, job->now_ns, &items);
	job_adopt(job, items);
	if (ret == 0 && class->is_inner)
		ret = sched_class_delete(job->qos->sched, class->node, job->now_ns,
		                         &items);
	class->is_running = false;
	return ret;
}

static int
job_step(struct qos_job *job, struct qos_class *class)
{
	switch (job->phase) {
	case PHASE_ADD:
		return class->depth == job->depth ? job_add(job, class) : 0;
	case PHASE_DETACH:
		return job->depth == 1 ? job_detach(job, class) : 0;
	case PHASE_MOVE:
		return class->depth == job->depth ? job_move(job, class) : 0;
	case PHASE_SET:
		return job->depth == 1 ? job_set(job, class) : 0;
	case PHASE_DELETE:
		/* Deepest first: a class goes after those below it. */
		return class->depth == SCHED_LEVELS_MAX + 1 - job->depth
		               ? job_delete(job, class)
		               : 0;
	case PHASE_DONE:
		break;
	}
	return 0;
}

bool
qos_job_run(struct worker *worker, void *arg)
{
	struct qos_job *job = arg;

	job->now_ns = worker ? worker->now_ns : tsc_to_ns(rte_rdtsc());
	if (job->phase == PHASE_ADD && job->depth == 1 && job->index == 0)
		sched_class_set(job->qos->sched, sched_root(job->qos->sched), &job->root,
		                job->now_ns);
	for (unsigned steps = 0; steps < QOS_STEPS_PER_ROUND; job->index++) {
		if (job->index == job->tree->n) {
			job->index = 0;
			if (++job->depth > SCHED_LEVELS_MAX) {
				job->depth = 1;
				job->phase++;
			}
			if (job->phase > job->last_phase)
				return false;
		}
		struct qos_class *class = &job->tree->classes[job->index];
		int ret = job_step(job, class);

		if (ret < 0 && job->status == 0)
			job->status = ret;
		steps++;
	}
	return true;
}
