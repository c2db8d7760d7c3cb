/* rcu.h - read-mostly state is published by pointer and freed after every worker has
 * passed a quiescent point (DPDK's QSBR). Workers report one in every round of their
 * loop. */
#pragma once

#include <rte_rcu_qsbr.h>

extern struct rte_rcu_qsbr *rcu_state; /* made by rcu_init(), never freed */

/* Main thread, once, after EAL is up. 0 or -errno. */
int rcu_init(void);

/* Waits until every worker has passed a quiescent point: whatever was unpublished before
 * is not in use any more. Any thread that is not a worker. */
void rcu_synchronize(void);

/* Main thread: frees 'p' with free() after the next quiescent points; never blocks long.
 */
void rcu_free_after(void *p);
