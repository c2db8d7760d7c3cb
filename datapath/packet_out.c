/* packet_out.c - main queues a packet for a worker and calls that worker, which walks the
 * actions, or goes on where the packet paused; main frees what was queued later. Above
 * walk.h. Main thread, but for packet_out_take(). */
#include "datapath/packet_out.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "datapath/bridge.h"
#include "datapath/eal.h"
#include "datapath/output.h"
#include "datapath/pipeline.h"
#include "datapath/port/port.h"
#include "datapath/records.h"
#include "datapath/walk.h"
#include "datapath/worker.h"

#define JOBS_MAX   1024 /* on the way, of all bridges; below the size of the rings */
#define JOBS_TRIES 1000 /* looks for one that is done before main gives up */
#define TAKE_MAX   32   /* by a worker, in one round */
#define LENGTH_MAX 65535
#define LENGTH_MIN 14 /* an Ethernet header */
static_assert(JOBS_MAX < WORKER_JOBS_SIZE, "a ring takes all jobs");

struct packet_out_job {
	struct packet_out_job *next; /* main's */
	_Atomic bool is_done;        /* the worker writes, main reads */
	uint32_t bridge_id;
	const struct bridge *bridge; /* to tell whether it is still the same */
	struct port *source;
	struct flow_key key;
	struct rte_mbuf *pkt;
	bool is_resumed; /* the record is a program_walk, else they are actions */
	size_t bytes;
	uint64_t records[];
};

static struct packet_out_job *jobs; /* main's */
static unsigned n_jobs;
/* By bridge id; made when needed and kept for the next bridge of this id. */
static struct port *sources[BRIDGES_MAX];
static struct port_settings source_settings = {
	.config = {.vlan_tag = DP_VLAN_NONE, .egress_class = -1},
	.vlan_is_plain = true,
	.class_number = PACKET_CLASS_NONE,
};

/* ---- a worker ---- */

static void
packet_out_do(struct worker *worker, const struct packet_out_job *job)
{
	const struct bridge *bridge = bridges[job->bridge_id];
	struct port *in = job->source, *port;

	if (bridge != job->bridge) {
		rte_pktmbuf_free(job->pkt);
		return;
	}
	port = bridge_find_port(bridge, job->key.f.in_port);
	if (port)
		in = port;
	if (job->is_resumed)
		walk_packet_resumed(worker, in, &job->key, (const void *)job->records,
		                    job->pkt);
	else
		walk_packet_out(worker, in, &job->key, job->records, job->bytes,
		                job->pkt);
}

/* Called on the worker; true: there may be more. */
static bool
packet_out_take(struct worker *worker, void *arg)
{
	void *next;

	(void)arg;
	/* Cleared first: who queues after the last look below calls again. */
	atomic_exchange(&worker->has_jobs, false);
	for (unsigned i = 0; i < TAKE_MAX; i++) {
		struct packet_out_job *job;

		if (rte_ring_sc_dequeue(worker->jobs, &next) != 0)
			return false;
		job = next;
		packet_out_do(worker, job);
		atomic_store_explicit(&job->is_done, true, memory_order_release);
	}
	return true;
}

/* ---- main ---- */

static struct port *
source_of(struct bridge *bridge)
{
	struct port *source = sources[bridge->id];

	if (!source) {
		source = xcalloc_cacheline(sizeof(*source));
		source->id = DP_PORTS_MAX;
		source->settings = &source_settings;
		memset(source_settings.config.trunks, 0xff,
		       sizeof(source_settings.config.trunks));
		for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
			source->by_worker[i] =
				xcalloc_cacheline(sizeof(struct port_worker));
			source->by_worker[i]->port = source;
		}
		sources[bridge->id] = source;
	}
	/* Jobs of the bridge that was are done: workers let go of it. */
	source->bridge = bridge;
	return source;
}

struct port *
packet_out_source(uint32_t bridge_id)
{
	return bridge_id < BRIDGES_MAX && bridges[bridge_id]
	               ? source_of(bridges[bridge_id])
	               : NULL;
}

static void
jobs_collect(void)
{
	struct packet_out_job **at = &jobs, *job;

	while ((job = *at) != NULL) {
		if (!atomic_load_explicit(&job->is_done, memory_order_acquire)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		n_jobs--;
		free(job);
	}
}

static bool
jobs_make_room(void)
{
	if (n_jobs >= JOBS_MAX / 2)
		jobs_collect();
	for (unsigned i = 0; n_jobs >= JOBS_MAX && i < JOBS_TRIES; i++) {
		sched_yield();
		jobs_collect();
	}
	return n_jobs < JOBS_MAX;
}

/* The worker that takes what comes in by the port, so that what both send stays in order;
 * else any that polls. */
static struct worker *
packet_out_worker(const struct port *in)
{
	struct worker *kernel = NULL;
	uint16_t owner = in && in->n_rxqs ? in->rxqs[0].owner : WORKER_NONE;

	if (owner != WORKER_NONE && workers[owner])
		return workers[owner];
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		if (!workers[i] || workers[i]->is_leaving)
			continue;
		if (workers[i]->core >= 0)
			return workers[i];
		kernel = workers[i];
	}
	return kernel;
}

struct rte_mbuf *
packet_out_copy(int numa_node, const uint8_t *data, size_t length)
{
	struct rte_mempool *pool = eal_packet_pool(numa_node);
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool), *tail = head;

	while (tail) {
		uint16_t n = (uint16_t)MIN_OF(length, rte_pktmbuf_tailroom(tail));

		memcpy(rte_pktmbuf_mtod(tail, uint8_t *), data, n);
		tail->data_len = n;
		head->pkt_len += n;
		data += n;
		length -= n;
		if (length == 0)
			return head;
		tail->next = rte_pktmbuf_alloc(pool);
		tail = tail->next;
		head->nb_segs = (uint16_t)(head->nb_segs + (tail != NULL));
	}
	rte_pktmbuf_free(head);
	return NULL;
}

static void
packet_out_queue(struct worker *worker, struct packet_out_job *job)
{
	job->next = jobs;
	jobs = job;
	n_jobs++;
	rte_ring_sp_enqueue(worker->jobs, job); /* has room for all */
	if (!atomic_exchange(&worker->has_jobs, true))
		worker_call_later(worker, packet_out_take, NULL);
}

/* Gives a packet and what is to be done with it to a worker. */
static int
packet_out_send(uint32_t bridge_id, const struct flow_key *key, const void *records,
                size_t bytes, bool is_resumed, const uint8_t *data, size_t length,
                struct error *err)
{
	struct bridge *bridge = bridge_id < BRIDGES_MAX ? bridges[bridge_id] : NULL;
	struct packet_out_job *job;
	struct worker *worker;
	struct rte_mbuf *pkt;

	if (!bridge)
		return error_set(err, -ENOENT, "no such bridge");
	if (length < LENGTH_MIN || length > LENGTH_MAX)
		return error_set(err, -EINVAL, "a packet of %zu bytes: must be %d to %d",
		                 length, LENGTH_MIN, LENGTH_MAX);
	worker = packet_out_worker(bridge_find_port(bridge, key->f.in_port));
	if (!worker || !jobs_make_room())
		return error_set(err, -ENOBUFS, "%d packets are on their way already",
		                 JOBS_MAX);
	pkt = packet_out_copy(worker->numa_node, data, length);
	if (!pkt)
		return error_set(err, -ENOBUFS, "no packet buffer is free");
	job = xcalloc(1, sizeof(*job) + bytes);
	job->bridge_id = bridge_id;
	job->bridge = bridge;
	job->source = source_of(bridge);
	job->key = *key;
	job->pkt = pkt;
	job->is_resumed = is_resumed;
	job->bytes = bytes;
	if (bytes)
		memcpy(job->records, records, bytes);
	*packet_meta(pkt) =
		(struct packet_meta){.item = {.class_ref = PACKET_CLASS_NONE,
	                                      .flow_hash = pipeline_flow_hash(pkt)}};
	packet_set_mark(pkt, key->f.packet_mark);
	packet_set_hops(pkt, 0);
	packet_out_queue(worker, job);
	return 0;
}

int
dp_packet_out(uint32_t bridge_id, const struct flow_key *key, const void *actions,
              size_t actions_bytes, const uint8_t *data, size_t length, struct error *err)
{
	int ret = records_check(actions, actions_bytes, err);

	if (ret < 0)
		return ret;
	return packet_out_send(bridge_id, key, actions, actions_bytes, false, data,
	                       length, err);
}

/* ---- packets that paused ---- */

int
dp_resume(uint32_t bridge_id, const struct flow_key *key, const void *continuation,
          size_t n_continuation, const uint8_t *data, size_t length, struct error *err)
{
	struct program_walk *copy = xcalloc(1, sizeof(*copy) + n_continuation);
	int ret;

	if (n_continuation)
		memcpy(copy, continuation, n_continuation);
	ret = continuation_check(copy, n_continuation, err);
	if (ret == 0) {
		program_save_state(copy->state, key);
		ret = packet_out_send(bridge_id, key, copy, n_continuation, true, data,
		                      length, err);
	}
	free(copy);
	return ret;
}
