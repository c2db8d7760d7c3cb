/* worker.c - creates, connects, pins and ends workers, and runs calls on them. Main
 * thread, but for worker_notify_main(). */
#include "datapath/worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring_elem.h>

#include "base/clock.h"
#include "base/mem.h"
#include "datapath/cache.h"
#include "datapath/rcu.h"

/* A worker that ends waits this long for the rings to and from it. */
#define RINGS_WAITS   10000
#define RINGS_WAIT_US 100
/* A pause waits this long for the rings among all workers. */
#define PAUSE_WAITS   1000
#define PAUSE_WAIT_US 20

struct worker *_Atomic workers[DP_WORKERS_MAX];
_Atomic bool worker_intake_is_paused;

static int main_fd = -1;
static _Atomic bool main_notified;

int
worker_main_fd(void)
{
	if (main_fd < 0)
		main_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return main_fd;
}

void
worker_main_ack(void)
{
	uint64_t count;

	if (read(main_fd, &count, sizeof(count)) < 0)
		count = 0;
	/* Cleared before main looks: what comes later writes again. The fence and that of
	 * worker_notify_main() see to it that main sees what a worker put into a ring, or
	 * the worker sees this. */
	main_notified = false;
	atomic_thread_fence(memory_order_seq_cst);
}

void
worker_notify_main(void)
{
	uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&main_notified, memory_order_relaxed) ||
	    atomic_exchange(&main_notified, true))
		return;
	if (write(main_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: main is awake */
}

void
worker_wake(struct worker *worker)
{
	uint64_t one = 1;

	if (worker->event_fd >= 0 && write(worker->event_fd, &one, sizeof(one)) < 0)
		return;
}

static int
worker_open_epoll(struct worker *worker)
{
	struct epoll_event event = {.events = EPOLLIN};

	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	worker->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (worker->epoll_fd < 0 || worker->event_fd < 0 || worker->timer_fd < 0 ||
	    epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->event_fd, &event) < 0 ||
	    epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->timer_fd, &event) < 0)
		return -errno;
	return 0;
}

static void
worker_free(struct worker *worker)
{
	void *punt;

	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	if (worker->event_fd >= 0)
		close(worker->event_fd);
	if (worker->timer_fd >= 0)
		close(worker->timer_fd);
	rte_ring_free(worker->learn);
	while (worker->punts && rte_ring_dequeue(worker->punts, &punt) == 0)
		rte_pktmbuf_free(punt);
	rte_ring_free(worker->punts);
	rte_ring_free(worker->jobs);
	for (uint32_t i = 0; worker->cache && i < cache_n_entries(worker->cache); i++)
		cache_flush_entry(worker->cache, cache_entry_at(worker->cache, i));
	if (worker->cache)
		tally_del_worker(worker->id);
	cache_destroy(worker->cache);
	if (worker->view) {
		free(worker->view->rxqs);
		free(worker->view->gates);
		free(worker->view->qos);
		free(worker->view);
	}
	free(worker);
}

static struct rte_ring *
worker_make_inbox(const struct worker *from, const struct worker *to)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "in%u-%u", to->id, from->id);
	return rte_ring_create(name, WORKER_RING_SIZE,
	                       to->numa_node < 0 ? SOCKET_ID_ANY : to->numa_node,
	                       RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static void
worker_set_inbox(struct worker *to, unsigned from, struct rte_ring *ring)
{
	to->inbox[from] = ring;
	if (ring)
		to->inbox_mask |= 1ULL << from;
	else
		to->inbox_mask &= ~(1ULL << from);
}

/* Waits until the rings to the worker, or those from it, are empty; the other ends run.
 * Gives up after a second. */
static void
worker_wait_for_rings(const struct worker *worker, bool to_it)
{
	for (unsigned k = 0; k < RINGS_WAITS; k++) {
		bool any = false;

		for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
			const struct rte_ring *ring = NULL;

			if (workers[i] && workers[i] != worker)
				ring = to_it ? worker->inbox[i]
				             : workers[i]->inbox[worker->id];
			any |= ring && !rte_ring_empty(ring);
		}
		if (!any)
			return;
		usleep(RINGS_WAIT_US);
	}
}

void
worker_wait_until_passed_on(const struct worker *worker)
{
	worker_wait_for_rings(worker, true);
}

static bool
worker_rings_are_empty(void)
{
	for (unsigned to = 0; to < DP_WORKERS_MAX; to++) {
		const struct worker *worker = workers[to];

		for (unsigned from = 0; worker && from < DP_WORKERS_MAX; from++)
			if (worker->inbox[from] && !rte_ring_empty(worker->inbox[from]))
				return false;
	}
	return true;
}

void
worker_pause_intake(void)
{
	unsigned waits = 0;
	bool were_empty = false;

	worker_intake_is_paused = true;
	/* What a worker took out of a ring goes on in the same round, perhaps into
	 * another one: they must be empty after a round in which they were. */
	while (waits < PAUSE_WAITS) {
		bool are_empty;

		rcu_synchronize();
		are_empty = worker_rings_are_empty();
		if (are_empty && were_empty)
			return;
		were_empty = are_empty;
		if (!are_empty) {
			usleep(PAUSE_WAIT_US);
			waits++;
		}
	}
}

void
worker_resume_intake(void)
{
	worker_intake_is_paused = false;
}

/* Takes down the rings between 'worker' and all others. It does not run any more, or not
 * yet: then there are no packets, and 'drop' is NULL. */
static void
worker_disconnect(struct worker *worker, void (*drop)(struct rte_mbuf *pkt))
{
	struct rte_ring *gone[2 * DP_WORKERS_MAX];
	unsigned n = 0;

	worker_wait_for_rings(worker, false);
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		if (worker->inbox[i])
			gone[n++] = worker->inbox[i];
		worker_set_inbox(worker, i, NULL);
		if (!workers[i] || workers[i] == worker || !workers[i]->inbox[worker->id])
			continue;
		gone[n++] = workers[i]->inbox[worker->id];
		worker_set_inbox(workers[i], worker->id, NULL);
	}
	rcu_synchronize();
	for (unsigned i = 0; i < n; i++) {
		void *pkt;

		while (rte_ring_dequeue(gone[i], &pkt) == 0)
			drop(pkt);
		rte_ring_free(gone[i]);
	}
}

/* The rings between a worker and main. */
static bool
worker_make_main_rings(struct worker *worker)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "learn%u", worker->id);
	worker->learn =
		rte_ring_create_elem(name, sizeof(struct learn_event), LEARN_RING_SIZE,
	                             SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "punts%u", worker->id);
	worker->punts = rte_ring_create(name, WORKER_PUNTS_SIZE, SOCKET_ID_ANY,
	                                RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "jobs%u", worker->id);
	worker->jobs = rte_ring_create(name, WORKER_JOBS_SIZE, SOCKET_ID_ANY,
	                               RING_F_SP_ENQ | RING_F_SC_DEQ);
	return worker->learn && worker->punts && worker->jobs;
}

static int
worker_connect(struct worker *worker)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		struct worker *other = workers[i];

		if (!other || other == worker)
			continue;
		worker_set_inbox(worker, i, worker_make_inbox(other, worker));
		worker_set_inbox(other, worker->id, worker_make_inbox(worker, other));
		if (!worker->inbox[i] || !other->inbox[worker->id]) {
			worker_disconnect(worker, NULL);
			return -ENOMEM;
		}
	}
	return 0;
}

static int
worker_spawn(struct worker *worker)
{
	char name[16];
	pthread_attr_t attr;
	cpu_set_t set;
	int ret;

	pthread_attr_init(&attr);
	if (worker->core >= 0) {
		CPU_ZERO(&set);
		CPU_SET((unsigned)worker->core, &set);
		pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
		snprintf(name, sizeof(name), "pmd-c%d", worker->core);
	} else {
		snprintf(name, sizeof(name), "kernel-ports");
	}
	ret = pthread_create(&worker->thread, &attr, worker_loop, worker);
	pthread_attr_destroy(&attr);
	if (ret)
		return -ret;
	pthread_setname_np(worker->thread, name);
	while (!atomic_load_explicit(&worker->running, memory_order_acquire))
		usleep(100);
	return 0;
}

static struct worker *
worker_alloc(int core, int numa_node, uint32_t max_sleep_us)
{
	struct worker *worker = xcalloc_cacheline(sizeof(*worker));

	worker->id = WORKER_NONE;
	worker->core = core;
	worker->numa_node = numa_node;
	worker->event_fd = worker->epoll_fd = worker->timer_fd = -1;
	worker->max_sleep_us = max_sleep_us;
	worker->view = xcalloc(1, sizeof(struct worker_view));
	for (uint16_t i = 0; i < DP_WORKERS_MAX && worker->id == WORKER_NONE; i++)
		if (!workers[i])
			worker->id = i;
	return worker;
}

int
worker_start(int core, int numa_node, uint32_t max_sleep_us, struct worker **result,
             struct error *err)
{
	struct worker *worker = worker_alloc(core, numa_node, max_sleep_us);
	int ret;

	if (worker->id == WORKER_NONE) {
		ret = error_set(err, -ENOSPC, "no more than %d workers", DP_WORKERS_MAX);
		goto free_worker;
	}
	if (core < 0 && (ret = worker_open_epoll(worker)) < 0) {
		error_set(err, ret, "epoll: %s", strerror(-ret));
		goto free_worker;
	}
	worker->cache = cache_create(worker->id, numa_node, CACHE_ENTRIES_MIN);
	if (worker->cache)
		tally_add_worker(worker->id);
	if (!worker_make_main_rings(worker) || !worker->cache ||
	    worker_connect(worker) < 0) {
		ret = error_set(
			err, -ENOMEM,
			"worker on core %d: no memory for its rings and flow cache",
			core);
		goto free_worker;
	}
	ret = worker_spawn(worker);
	if (ret < 0) {
		error_set(err, ret, "worker on core %d: cannot start a thread there: %s",
		          core, strerror(-ret));
		goto disconnect;
	}
	workers[worker->id] = worker;
	*result = worker;
	return 0;

disconnect:
	worker_disconnect(worker, NULL);
free_worker:
	worker_free(worker);
	return ret;
}

/* Until the worker has done what it was called for last. */
static void
worker_wait_for_call(const struct worker *worker)
{
	for (unsigned i = 0; atomic_load_explicit(&worker->call, memory_order_acquire);
	     i++) {
		if (i < 100)
			sched_yield();
		else
			usleep(20);
	}
}

void
worker_stop(struct worker *worker, void (*drop)(struct rte_mbuf *pkt))
{
	worker_wait_for_call(worker); /* which may have packets of main */
	worker->stop = true;
	worker_wake(worker);
	pthread_join(worker->thread, NULL);
	workers[worker->id] = NULL;
	worker_disconnect(worker, drop);
	worker_free(worker);
}

void
worker_call_later(struct worker *worker, worker_call_fn *fn, void *arg)
{
	worker_wait_for_call(worker);
	worker->call_arg = arg;
	atomic_store_explicit(&worker->call, fn, memory_order_release);
	worker_wake(worker);
}

void
worker_call(struct worker *worker, worker_call_fn *fn, void *arg)
{
	if (!worker) {
		while (fn(NULL, arg))
			continue;
		return;
	}
	worker_call_later(worker, fn, arg);
	worker_wait_for_call(worker);
}

void
worker_publish_view(struct worker *worker, struct worker_view *view)
{
	struct worker_view *old = worker->view;

	atomic_store_explicit(&worker->view, view, memory_order_release);
	if (!old)
		return;
	rcu_free_after(old->rxqs);
	rcu_free_after(old->gates);
	rcu_free_after(old->qos);
	rcu_free_after(old);
}
