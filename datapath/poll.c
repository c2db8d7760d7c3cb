/* poll.c - a worker's endless loop: poll queues, take hand-overs, drain schedulers, send,
 * and rest when there is nothing to do. Worker threads. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_lcore.h>
#include <rte_pause.h>

#include "base/clock.h"
#include "datapath/gate.h"
#include "datapath/output.h"
#include "datapath/pipeline.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/rcu.h"
#include "datapath/tsc.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

/* Empty rounds are spun through for this long before the first sleep. */
#define SPIN_BEFORE_SLEEP_NS 20000
/* The kernel worker looks at its rings at least this often. */
#define EPOLL_TIMEOUT_MS 100
#define EPOLL_EVENTS_MAX 64

static void
worker_read_clock(struct worker *worker)
{
	worker->now_tsc = rte_rdtsc();
	worker->now_ns = tsc_to_ns(worker->now_tsc);
	worker->now_s = (uint32_t)(worker->now_ns / NSEC_PER_SEC);
}

/* Polls one queue; returns the number of packets, and charges the queue its cycles. */
static unsigned
worker_poll_rxq(struct worker *worker, struct rxq *rxq)
{
	struct rte_mbuf *pkts[BATCH_MAX];
	struct port *port = rxq->port;
	struct gate_queue *gate;
	struct port_worker *pw;
	uint64_t start_tsc, bytes = 0;
	unsigned n, max = BATCH_MAX;

	if (!atomic_load_explicit(&rxq->enabled, memory_order_acquire) ||
	    atomic_load_explicit(&rxq->owner, memory_order_acquire) != worker->id ||
	    (rxq->fd >= 0 && !rxq->is_ready))
		return 0;
	gate = atomic_load_explicit(&rxq->gate, memory_order_acquire);
	if (unlikely(gate != NULL) && (max = gate_room(worker, gate)) == 0)
		return 0;
	start_tsc = rte_rdtsc();
	n = port->ops->rx(worker, rxq, pkts, (uint16_t)max);
	if (n == 0) {
		rxq->is_ready = false;
		return 0;
	}
	pw = port_of_worker(port, worker);
	for (unsigned i = 0; i < n; i++)
		bytes += pkts[i]->pkt_len;
	rxq->packets += n;
	rxq->bytes += bytes;
	pw->rx_packets += n;
	pw->rx_bytes += bytes;
	worker->stats.packets += n;
	if (unlikely(gate != NULL)) {
		gate_admit(worker, gate, pkts, n);
	} else {
		pipeline_process(worker, port, pkts, n);
		pipeline_finish(worker);
	}
	rxq->cycles += rte_rdtsc() - start_tsc;
	return n;
}

static void
worker_take_call(struct worker *worker)
{
	worker_call_fn *fn = atomic_load_explicit(&worker->call, memory_order_acquire);

	if (unlikely(fn != NULL) && !fn(worker, worker->call_arg))
		atomic_store_explicit(&worker->call, NULL, memory_order_release);
}

/* One round; returns how many packets moved. */
static unsigned
worker_round(struct worker *worker)
{
	bool is_paused =
		atomic_load_explicit(&worker_intake_is_paused, memory_order_acquire);
	const struct worker_view *view;
	unsigned moved = 0;

	worker_take_call(worker);
	view = atomic_load_explicit(&worker->view, memory_order_acquire);
	for (uint32_t i = 0; i < view->n_rxqs && likely(!is_paused); i++)
		moved += worker_poll_rxq(worker, view->rxqs[i]);
	worker->next_qos_ns = UINT64_MAX;
	for (uint32_t i = 0; i < view->n_gates && likely(!is_paused); i++)
		moved += gate_drain(worker, view->gates[i]);
	moved += output_drain_inboxes(worker);
	pipeline_finish(worker);
	for (uint32_t i = 0; i < view->n_qos; i++)
		moved += qos_drain(worker, view->qos[i]);
	if (unlikely(worker->patches.n > 0)) /* from the scheduler of a patch port */
		pipeline_finish(worker);
	return moved;
}

/* Rests a polling worker: first a pause, then sleeps that grow by a microsecond a round
 * up to the limit, never beyond the next moment of a scheduler. */
static void
worker_rest(struct worker *worker, unsigned moved)
{
	uint32_t max_sleep_us =
		atomic_load_explicit(&worker->max_sleep_us, memory_order_relaxed);
	struct timespec ts = {0, 0};
	uint64_t sleep_ns, until_qos_ns, start_tsc;

	if (moved > 0) {
		worker->idle_since_ns = 0;
		/* A trickle keeps the present depth of sleep; a burst ends it. */
		if (moved >= BATCH_MAX / 2)
			worker->sleep_us = 0;
		return;
	}
	if (worker->idle_since_ns == 0)
		worker->idle_since_ns = worker->now_ns;
	if (max_sleep_us == 0 ||
	    worker->now_ns - worker->idle_since_ns < SPIN_BEFORE_SLEEP_NS) {
		rte_pause();
		return;
	}
	if (worker->sleep_us < max_sleep_us)
		worker->sleep_us++;
	sleep_ns = MIN_OF(worker->sleep_us, max_sleep_us) * NSEC_PER_USEC;
	if (worker->next_qos_ns != UINT64_MAX) {
		until_qos_ns = worker->next_qos_ns > worker->now_ns
		                       ? worker->next_qos_ns - worker->now_ns
		                       : 0;
		sleep_ns = MIN_OF(sleep_ns, until_qos_ns);
	}
	if (sleep_ns < NSEC_PER_USEC) {
		rte_pause();
		return;
	}
	ts.tv_nsec = (long)sleep_ns;
	start_tsc = rte_rdtsc();
	/* Holds nothing: who waits for workers, as each barrier does, need not for this.
	 */
	rte_rcu_qsbr_thread_offline(rcu_state, worker->id);
	nanosleep(&ts, NULL);
	rte_rcu_qsbr_thread_online(rcu_state, worker->id);
	worker->stats.sleep_cycles += rte_rdtsc() - start_tsc;
}

static void
worker_account(struct worker *worker, unsigned moved, uint64_t slept_before)
{
	uint64_t slept = worker->stats.sleep_cycles - slept_before;
	uint64_t spent = rte_rdtsc() - worker->now_tsc - slept;

	worker->stats.iterations++;
	if (moved > 0)
		worker->stats.busy_cycles += spent;
	else
		worker->stats.idle_cycles += spent;
}

static void
worker_loop_polling(struct worker *worker)
{
	while (!atomic_load_explicit(&worker->stop, memory_order_relaxed)) {
		uint64_t slept = worker->stats.sleep_cycles;
		unsigned moved;

		rte_rcu_qsbr_quiescent(rcu_state, worker->id);
		worker_read_clock(worker);
		moved = worker_round(worker);
		worker_rest(worker, moved);
		worker_account(worker, moved, slept);
	}
}

static void
worker_arm_timer(struct worker *worker)
{
	struct itimerspec when = {{0, 0}, {0, 0}};
	uint64_t wait_ns;

	if (worker->next_qos_ns != UINT64_MAX) {
		wait_ns = worker->next_qos_ns > worker->now_ns
		                  ? worker->next_qos_ns - worker->now_ns
		                  : 1;
		wait_ns = MIN_OF(wait_ns, (uint64_t)EPOLL_TIMEOUT_MS * NSEC_PER_MSEC);
		when.it_value.tv_nsec = (long)wait_ns;
	}
	timerfd_settime(worker->timer_fd, 0, &when, NULL);
}

/* Notes which interfaces have something to read. */
static void
worker_take_events(struct worker *worker, const struct epoll_event *events, int n)
{
	uint64_t count;

	for (int i = 0; i < n; i++) {
		uint64_t value = events[i].data.u64;
		struct port *port = value ? ports[WORKER_EPOLL_PORT(value)] : NULL;

		if (port && WORKER_EPOLL_RXQ(value) < port->n_rxqs)
			port->rxqs[WORKER_EPOLL_RXQ(value)].is_ready = true;
		/* Both are non-blocking: an empty counter reads as an error, which is
		 * fine. */
		if (!value && read(worker->event_fd, &count, sizeof(count)) < 0)
			count = 0;
		if (!value && read(worker->timer_fd, &count, sizeof(count)) < 0)
			count = 0;
	}
}

/* Waits until a descriptor is readable, a packet is handed over, or a scheduler is due.
 */
static void
worker_wait(struct worker *worker)
{
	struct epoll_event events[EPOLL_EVENTS_MAX];
	uint64_t start_tsc = rte_rdtsc();
	int n = 0;

	worker_arm_timer(worker);
	atomic_store_explicit(&worker->sleeping, true, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (!output_inbox_pending(worker) && !worker->call && !worker->stop) {
		rte_rcu_qsbr_thread_offline(rcu_state, worker->id);
		n = epoll_wait(worker->epoll_fd, events, EPOLL_EVENTS_MAX,
		               EPOLL_TIMEOUT_MS);
		rte_rcu_qsbr_thread_online(rcu_state, worker->id);
	}
	atomic_store_explicit(&worker->sleeping, false, memory_order_relaxed);
	worker_take_events(worker, events, n);
	worker->stats.sleep_cycles += rte_rdtsc() - start_tsc;
}

static void
worker_loop_kernel(struct worker *worker)
{
	while (!atomic_load_explicit(&worker->stop, memory_order_relaxed)) {
		struct epoll_event events[EPOLL_EVENTS_MAX];
		uint64_t slept = worker->stats.sleep_cycles;
		unsigned moved;

		rte_rcu_qsbr_quiescent(rcu_state, worker->id);
		worker_read_clock(worker);
		moved = worker_round(worker);
		if (moved == 0)
			worker_wait(worker);
		else
			worker_take_events(worker, events,
			                   epoll_wait(worker->epoll_fd, events,
			                              EPOLL_EVENTS_MAX, 0));
		worker_account(worker, moved, slept);
	}
}

void *
worker_loop(void *arg)
{
	struct worker *worker = arg;

	prctl(PR_SET_TIMERSLACK, 1UL);
	/* An lcore id gives this thread its own cache in every mempool. */
	rte_thread_register();
	rte_rcu_qsbr_thread_register(rcu_state, worker->id);
	rte_rcu_qsbr_thread_online(rcu_state, worker->id);
	atomic_store_explicit(&worker->running, true, memory_order_release);
	if (worker->core < 0)
		worker_loop_kernel(worker);
	else
		worker_loop_polling(worker);
	rte_rcu_qsbr_thread_offline(rcu_state, worker->id);
	rte_rcu_qsbr_thread_unregister(rcu_state, worker->id);
	rte_thread_unregister();
	return NULL;
}
