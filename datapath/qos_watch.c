/* qos_watch.c - ten times a second, asks the owner of every tree what its classes do, a
 * few classes a round, and has qos_history.c remember it. Main thread, and the calls on
 * the owners. */
#include "datapath/qos_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "datapath/port/port.h"
#include "datapath/qos_history.h"
#include "datapath/qos_tree.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

#define WATCH_PERIOD_NS 100000000

/* Classes that the owner is asked about in a round of its loop: a few microseconds. */
#define LOOKS_PER_ROUND 32
/* And in one pass: with 50 us a round if it sleeps in between, 6 ms of main's time. */
#define LOOKS_PER_PASS 4096

/* Packets looked at that wait for their ports. */
#define PENDING_MAX 64

/* A tree of so many classes takes main about a millisecond to read; larger ones are read
 * less often. */
#define CLASSES_PER_TICK 8192

static int watch_fd = -1;
static uint32_t n_watched;
static uint64_t n_ticks;

struct look {
	uint32_t at, ref;
	bool is_known;
	struct sched_explanation why;
};

struct look_job {
	struct port_qos *qos;
	bool ring_is_full;
	uint32_t n, next;
	uint32_t n_pending;
	uint32_t pending[PENDING_MAX];
	struct look looks[LOOKS_PER_PASS];
};

static struct look_job look_job; /* too large for a stack */

/* The classes of packets that were scheduled and that their ports did not take yet. */
static void
look_at_pending(struct look_job *job)
{
	const struct port_qos *qos = job->qos;
	const struct port *port = qos->waiting;

	/* With other ports behind the scheduler only what is parked waits. */
	job->ring_is_full = port && qos->n_ports <= 1;
	for (unsigned n = 0; port && n < PENDING_MAX; n++) {
		const struct qos_item *item = port->pending.head;

		for (; item && job->n_pending < PENDING_MAX; item = item->next)
			job->pending[job->n_pending++] = item->class_ref;
		port = port->pending.next_waiting;
	}
}

static bool
look_run(struct worker *worker, void *arg)
{
	struct look_job *job = arg;
	uint64_t now_ns = worker ? worker->now_ns : tsc_to_ns(rte_rdtsc());
	uint32_t end = MIN_OF(job->next + LOOKS_PER_ROUND, job->n);

	if (job->next == 0)
		look_at_pending(job);
	for (; job->next < end; job->next++) {
		struct look *look = &job->looks[job->next];

		look->is_known = sched_class_explain(job->qos->sched, look->ref, now_ns,
		                                     &look->why);
	}
	return job->next < job->n;
}

struct stats_pass {
	struct qos_history *history;
	uint32_t at;
};

static void
stats_note(const struct dp_class_stats *stats, void *aux)
{
	struct stats_pass *pass = aux;
	uint32_t at = pass->at++;

	if (at < pass->history->n && pass->history->classes[at]->number == stats->number)
		history_note_stats(pass->history, at, stats);
}

/* Those that have something to say; where they are too many, others each time. */
static void
looks_choose(struct look_job *job, const struct qos_history *history)
{
	uint32_t start = history->n > LOOKS_PER_PASS
	                         ? (uint32_t)(n_ticks * LOOKS_PER_PASS % history->n)
	                         : 0;

	job->n = job->next = job->n_pending = 0;
	for (uint32_t i = 0; i < history->n && job->n < LOOKS_PER_PASS; i++) {
		uint32_t at = (start + i) % history->n;

		if (at && !history_is_busy(history, at))
			continue;
		job->looks[job->n].at = at;
		job->looks[job->n++].ref = history->classes[at]->node;
	}
}

static void
pending_note(const struct look_job *job, struct qos_history *history)
{
	history->ring_is_full = job->ring_is_full;
	for (uint32_t i = 0; i < job->n_pending; i++) {
		uint32_t at = history_find_ref(history, job->pending[i]);

		if (at != HISTORY_NOWHERE)
			history->classes[at]->is_pending = true;
	}
}

void
qos_watch_pass(struct port_qos *qos, bool is_sample)
{
	struct qos_history *history = qos->history;
	struct stats_pass pass = {.history = history};
	struct look_job *job = &look_job;
	uint64_t now_ns;

	history_begin(history);
	now_ns = tsc_to_ns(rte_rdtsc());
	tree_report(qos, stats_note, &pass);
	looks_choose(job, history);
	job->qos = qos;
	worker_call(qos->owner == WORKER_NONE ? NULL : workers[qos->owner], look_run,
	            job);
	pending_note(job, history);
	for (uint32_t i = 0; i < job->n; i++) {
		const struct look *look = &job->looks[i];

		if (look->is_known)
			history_note_answer(history, look->at, &look->why, is_sample);
	}
	/* Nothing is queued for what waits for the port alone. */
	for (uint32_t i = 0; i < job->n_pending; i++)
		history_note_pending(history, history_find_ref(history, job->pending[i]));
	history_end(history, now_ns, is_sample);
}

/* ---- delays ---- */

/* Classes that have traffic get memory for their delays. */
static void
delays_provide(struct port_qos *qos)
{
	struct qos_delay_map *map = qos->timing.delays;
	struct qos_history *history = qos->history;

	for (uint32_t at = 1; at < history->n; at++) {
		struct past_class *past = history->classes[at];
		uint32_t index = past->leaf & (SCHED_CLASSES_MAX - 1);

		if (past->delays || !history_is_busy(history, at) || index >= map->n)
			continue;
		past->delays = xcalloc(1, sizeof(*past->delays));
		atomic_store_explicit(&map->slots[index].delays, past->delays,
		                      memory_order_release);
	}
}

static void
delays_publish(struct port_qos *qos)
{
	const struct qos_history *history = qos->history;
	struct qos_delay_map *map, *old = qos->timing.delays;
	uint32_t n = sched_capacity(qos->sched) + 1;

	map = xcalloc(1, sizeof(*map) + n * sizeof(map->slots[0]));
	map->n = n;
	for (uint32_t at = 1; at < history->n; at++) {
		const struct past_class *past = history->classes[at];
		uint32_t index = past->leaf & (SCHED_CLASSES_MAX - 1);

		if (index >= n)
			continue;
		map->slots[index].ref = past->leaf;
		map->slots[index].delays = past->delays;
	}
	atomic_store_explicit(&qos->timing.delays, map, memory_order_release);
	if (old)
		rcu_free_after(old);
}

/* ---- which trees, and when ---- */

static void
watch_arm(void)
{
	uint64_t period_ns = n_watched ? WATCH_PERIOD_NS : 0;
	struct itimerspec when = {{0, (long)period_ns}, {0, (long)period_ns}};

	if (watch_fd >= 0)
		timerfd_settime(watch_fd, 0, &when, NULL);
}

int
qos_watch_start(int epoll_fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	watch_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watch_fd, &event) < 0)
		return -errno;
	watch_arm();
	return 0;
}

void
qos_watch_follow(struct port_qos *qos)
{
	if (!qos->history && n_watched++ == 0)
		watch_arm();
	qos->history = history_follow(qos->history, qos->tree, sched_root(qos->sched),
	                              sched_capacity(qos->sched));
	delays_publish(qos);
}

void
qos_watch_destroy(struct port_qos *qos)
{
	if (!qos->history)
		return;
	if (--n_watched == 0)
		watch_arm();
	free(qos->timing.delays);
	history_destroy(qos->history);
	qos->history = NULL;
}

/* Reads nothing but the root of a tree in which nothing has moved for ten seconds. */
static void
watch_tick(struct port_qos *qos, uint64_t now_ns)
{
	struct qos_history *history = qos->history;
	struct sched_class_stats root = {0};
	uint64_t packets;

	if (n_ticks % (1 + history->n / CLASSES_PER_TICK) != 0)
		return;
	sched_class_get_stats(qos->sched, sched_root(qos->sched), &root);
	packets = root.sent_packets + root.dropped_packets;
	if (packets == history->root_packets && history->quiet_ticks >= HISTORY_SAMPLES) {
		history_skip(history, now_ns);
		return;
	}
	history->root_packets = packets;
	qos_watch_pass(qos, true);
	delays_provide(qos);
}

void
qos_watch_run(void)
{
	uint64_t expirations, now_ns;

	if (watch_fd < 0 || read(watch_fd, &expirations, sizeof(expirations)) < 0)
		return;
	n_ticks++;
	now_ns = tsc_to_ns(rte_rdtsc());
	for (struct port_qos *qos = qos_all; qos; qos = qos->next)
		if (qos->history)
			watch_tick(qos, now_ns);
}
