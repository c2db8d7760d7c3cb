/* rcu.c - a thin layer on DPDK's quiescent-state library, with a list of what waits to be
 * freed. Main thread, and vhost's event thread for rcu_synchronize(). */
#include "datapath/rcu.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "base/mem.h"
#include "datapath/datapath.h"

/* Each entry costs one pointer; the list is emptied when it is full or the wait is free.
 */
#define RCU_WAITING_MAX 64

struct rte_rcu_qsbr *rcu_state;

static struct {
	void *memory;
	uint64_t token;
} waiting[RCU_WAITING_MAX];
static unsigned n_waiting;

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

static void
rcu_collect(bool wait)
{
	unsigned done = 0;

	while (done < n_waiting &&
	       rte_rcu_qsbr_check(rcu_state, waiting[done].token, wait))
		free(waiting[done++].memory);
	n_waiting -= done;
	for (unsigned i = 0; i < n_waiting; i++)
		waiting[i] = waiting[i + done];
}

void
rcu_free_after(void *p)
{
	if (!rcu_state) {
		free(p);
		return;
	}
	rcu_collect(n_waiting == RCU_WAITING_MAX);
	waiting[n_waiting].memory = p;
	waiting[n_waiting++].token = rte_rcu_qsbr_start(rcu_state);
}
