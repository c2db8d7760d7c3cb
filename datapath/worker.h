/* worker.h - one thread per core that polls queues, and one that serves the kernel's
 * interfaces: who they are and what they own. The loop itself is poll.c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ring.h>

#include "base/compiler.h"
#include "base/error.h"
#include "datapath/datapath.h"
#include "datapath/packet.h"

#define WORKER_NONE       UINT16_MAX
#define WORKER_RING_SIZE  2048
#define LEARN_RING_SIZE   1024
#define WORKER_PUNTS_SIZE 2048
#define WORKER_JOBS_SIZE  2048

/* What epoll reports for a kernel interface: ids, because by the time it is looked at the
 * port may be gone. 0 stands for the worker's own descriptors. */
#define WORKER_EPOLL_QUEUE(port_id, queue) \
	((uint64_t)(port_id) << 16 | (queue) | 1ULL << 63)
#define WORKER_EPOLL_PORT(value) ((uint32_t)((value) >> 16 & (DP_PORTS_MAX - 1)))
#define WORKER_EPOLL_RXQ(value)  ((uint16_t)(value))

struct cache;
struct egress;
struct gate;
struct port;
struct port_qos;
struct port_worker;
struct rxq;
struct worker;

/* What a worker serves; main publishes a new one whenever something changes. */
struct worker_view {
	uint32_t n_rxqs, n_gates, n_qos;
	struct rxq **rxqs;
	struct gate **gates;   /* ingress schedulers that this worker owns */
	struct port_qos **qos; /* egress schedulers that this worker owns */
};

/* A piece of work that must run on a worker: it owns the state. Returns false when done,
 * true to be called again in the next round, so that no call holds up packets for long.
 */
typedef bool worker_call_fn(struct worker *worker, void *arg);

struct worker_stats {
	uint64_t packets, cache_hits, pipeline_walks;
	uint64_t tx_packets, tx_batches;
	uint64_t idle_cycles, busy_cycles, sleep_cycles;
	uint64_t iterations;
};

/* An address to be learned: bridge, MAC and VLAN as fdb.h packs them, and the port. */
struct learn_event {
	uint64_t fdb_key;
	uint32_t bridge_id;
	uint32_t port_id;
};

#define LEARN_FILTER_SIZE 64 /* recent events not sent again; power of two */
#define WORKER_DIRTY_MAX  4096

struct worker {
	/* Constant while the worker lives. */
	uint16_t id;
	int core; /* -1: not pinned, serves the kernel's interfaces */
	int numa_node;
	pthread_t thread;
	int event_fd; /* wakes it from epoll; kernel worker only */
	int epoll_fd, timer_fd;
	struct cache *cache;    /* of flows; the worker's own */
	struct rte_ring *learn; /* to main: struct learn_event, single producer */
	struct rte_ring *punts; /* to main: chains of buffers, see punt.c */
	struct rte_ring *jobs;  /* from main: see packet_out.c */

	/* main writes, the worker reads */
	struct worker_view *_Atomic view;
	struct rte_ring *_Atomic inbox[DP_WORKERS_MAX]; /* packets from worker i */
	uint64_t _Atomic inbox_mask;                    /* bit i: inbox[i] exists */
	_Atomic bool stop;
	bool is_leaving; /* main's: it gets no more work and will be stopped */
	worker_call_fn *_Atomic call; /* NULL = none; the worker clears it when done */
	void *call_arg;
	_Atomic bool has_jobs; /* main sets it before the call that takes them */
	_Atomic uint32_t max_sleep_us;

	/* the worker writes, others read */
	_Atomic bool sleeping CACHE_ALIGNED; /* in epoll: write event_fd after a push */
	_Atomic bool running;

	/* the worker's own */
	uint64_t now_ns CACHE_ALIGNED; /* read once per round */
	uint64_t now_tsc;
	uint32_t now_s;
	const struct egress *egress; /* what is sent now goes through it first; or NULL */
	uint32_t n_dirty;
	uint32_t idle_rounds;
	uint32_t sleep_us;
	uint64_t idle_since_ns;
	uint64_t
		next_qos_ns; /* earliest moment a scheduler of this worker wants to run */
	struct worker_stats stats;
	uint64_t learn_filter[LEARN_FILTER_SIZE];
	uint64_t learn_filter_ns[LEARN_FILTER_SIZE];
	struct port_worker *dirty[WORKER_DIRTY_MAX]; /* ports with staged packets */
	struct packet_queue patches; /* to other bridges; empty at quiescent points */
};

/* By id; NULL where there is none. main writes; others read between quiescent points. */
extern struct worker *_Atomic workers[DP_WORKERS_MAX];

/* No worker takes packets from ports or gates. main writes, workers read. */
extern _Atomic bool worker_intake_is_paused;

/* ---- main thread ---- */

/* Creates, pins and starts a worker ('core' -1: the kernel worker), connected by rings
 * with all others. -errno with the reason; nothing is left behind then. */
int worker_start(int core, int numa_node, uint32_t max_sleep_us, struct worker **worker,
                 struct error *err);

/* Lets no worker take packets from ports or gates, and waits until none is on its way
 * from one worker to another (20 ms at most): what they have is with schedulers and ports
 * then. For changes of who sends where, which packets on their way would otherwise be
 * overtaken by later ones. */
void worker_pause_intake(void);
void worker_resume_intake(void);

/* Waits until the worker has taken what others handed over to it; a second at most. */
void worker_wait_until_passed_on(const struct worker *worker);

/* Joins a worker that serves nothing any more; gives packets still in its rings, if any,
 * to 'drop'. */
void worker_stop(struct worker *worker, void (*drop)(struct rte_mbuf *pkt));

/* Runs 'fn' on the worker and waits until it is done (a few microseconds, or the time the
 * kernel takes to schedule the worker). Runs it here if 'worker' is NULL. */
void worker_call(struct worker *worker, worker_call_fn *fn, void *arg);

/* Has 'fn' run on the worker soon. */
void worker_call_later(struct worker *worker, worker_call_fn *fn, void *arg);

/* Replaces the view and frees the old one once it is out of use. Takes 'view'. */
void worker_publish_view(struct worker *worker, struct worker_view *view);

/* Wakes the kernel worker from epoll. */
void worker_wake(struct worker *worker);

/* Readable when a worker has sent learn events; see worker_notify_main(). */
int worker_main_fd(void);
void worker_main_ack(void);

/* ---- a worker itself, or vhost's event thread ---- */

/* Makes main's event loop call dp_run(): one write() per wake-up of main at most. */
void worker_notify_main(void);

/* poll.c: the endless loop. */
void *worker_loop(void *worker);
