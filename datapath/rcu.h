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

/* Main thread: calls 'fn' after the next quiescent points, from one of the functions
 * here; in the order of these calls. Never blocks. At once if no worker ever ran. */
void rcu_call_after(void (*fn)(void *arg), void *arg);

/* The same with free(). */
void rcu_free_after(void *p);

/* Main thread: carries out what is due; rcu_drain() waits until nothing is left. */
void rcu_collect(void);
void rcu_drain(void);
