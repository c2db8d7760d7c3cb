/* rcu.c - a thin layer on DPDK's quiescent-state library, with a list of what waits for
 * workers to let go of it. Main thread, and vhost's event thread for rcu_synchronize().
 */
#include "datapath/rcu.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "base/mem.h"
#include "datapath/datapath.h"

struct rte_rcu_qsbr *rcu_state;

struct rcu_waiting {
	struct rcu_waiting *next;
	uint64_t token;
	void (*fn)(void *arg);
	void *arg;
};

/* In the order of their tokens. */
static struct rcu_waiting *first, **last = &first;

int
rcu_init(void)
{
	size_t size = rte_rcu_qsbr_get_memsize(DP_WORKERS_MAX);

	rcu_state = rte_zmalloc("rcu", size, RTE_CACHE_LINE_SIZE);
	if (!rcu_state || rte_rcu_qsbr_init(rcu_state, DP_WORKERS_MAX) != 0)
		return -ENOMEM;
	return 0;
}

void
rcu_synchronize(void)
{
	if (rcu_state)
		rte_rcu_qsbr_synchronize(rcu_state, RTE_QSBR_THRID_INVALID);
}

/* A function called here may add to the list. */
static void
rcu_run(bool wait)
{
	while (first && rte_rcu_qsbr_check(rcu_state, first->token, wait)) {
		struct rcu_waiting *due = first;

		first = due->next;
		if (!first)
			last = &first;
		due->fn(due->arg);
		free(due);
	}
}

void
rcu_collect(void)
{
	rcu_run(false);
}

void
rcu_drain(void)
{
	rcu_run(true);
}

void
rcu_call_after(void (*fn)(void *arg), void *arg)
{
	struct rcu_waiting *waiting;

	if (!rcu_state) {
		fn(arg);
		return;
	}
	waiting = xcalloc(1, sizeof(*waiting));
	waiting->token = rte_rcu_qsbr_start(rcu_state);
	waiting->fn = fn;
	waiting->arg = arg;
	*last = waiting;
	last = &waiting->next;
}

void
rcu_free_after(void *p)
{
	rcu_call_after(free, p);
	rcu_collect();
}
