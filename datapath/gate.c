/* gate.c - polls gated queues as far as their windows have room, and sends what their
 * gates let through. Between poll.c and pipeline.c. Worker that owns the gate. */
#include "datapath/gate.h"

#include <sys/epoll.h>

#include "base/compiler.h"
#include "datapath/charge.h"
#include "datapath/pipeline.h"
#include "datapath/port/port.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

/* A drain gives other queues of the worker their turn after this much. */
#define GATE_DRAIN_BATCHES 4
#define GATE_DRAIN_BYTES   (128 * 1024)

/* Between packets that are timed. One in 61: a prime, so that every place in a batch has
 * its turn. */
#define GATE_UNTIMED 60

/* item.caller_tag of a packet in a gate: the port and queue it came from. */
static_assert(DP_PORTS_MAX * DP_QUEUES_MAX <= UINT16_MAX + 1, "a tag holds both");

static struct gate_queue *
gate_queue_of(const struct qos_item *item)
{
	struct port *port = ports[item->caller_tag / DP_QUEUES_MAX];

	return port ? port->rxqs[item->caller_tag % DP_QUEUES_MAX].gate : NULL;
}

static bool
gate_is_mine(const struct worker *worker, const struct gate *gate)
{
	return atomic_load_explicit(&gate->owner, memory_order_acquire) == worker->id;
}

void
gate_mute(struct worker *worker, struct gate_queue *queue, bool mute)
{
	/* Without an event only errors are reported, and those once. */
	struct epoll_event event = {.events = mute ? EPOLLET : EPOLLIN};

	if (queue->rxq->fd < 0 || queue->is_muted == mute)
		return;
	event.data.u64 = WORKER_EPOLL_QUEUE(queue->rxq->port->id, queue->rxq->index);
	/* Fails if main has taken the interface out: as well. */
	epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, queue->rxq->fd, &event);
	queue->is_muted = mute;
}

unsigned
gate_room(struct worker *worker, struct gate_queue *queue)
{
	unsigned room;

	queue->must_drop = false;
	if (queue->is_closed || !gate_is_mine(worker, queue->gate))
		return 0;
	room = gate_window_room(&queue->window, BATCH_MAX, worker->now_ns);
	if (room == 0 && gate_window_is_stuck(&queue->window, worker->now_ns)) {
		queue->must_drop = true;
		room = 1;
	}
	gate_mute(worker, queue, room == 0);
	return room;
}

void
gate_admit(struct worker *worker, struct gate_queue *queue, struct rte_mbuf **pkts,
           unsigned n)
{
	struct port *port = queue->rxq->port;

	if (unlikely(queue->must_drop)) {
		port_drop(port, worker, DROP_RX_GATE_TIMEOUT, pkts, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		struct qos_item *item = &packet_meta(pkts[i])->item;

		packet_charge(pkts[i], 0, 0);
		item->class_ref = queue->leaf;
		item->flow_hash = pipeline_flow_hash(pkts[i]);
		item->flags = 0;
		item->caller_tag = queue->item_tag;
		if (likely(sched_enqueue(queue->gate->sched, item, worker->now_ns) ==
		           SCHED_QUEUED))
			gate_window_add(&queue->window, item->charged_bytes);
		else
			port_drop(port, worker, DROP_RX_GATE_FULL, &pkts[i], 1);
	}
}

/* Packets of one port, in order. */
static void
gate_send_run(struct worker *worker, struct gate_queue *queue, struct rte_mbuf **pkts,
              unsigned n)
{
	uint64_t start_tsc = rte_rdtsc();

	pipeline_process(worker, queue->rxq->port, pkts, n);
	pipeline_finish(worker);
	queue->rxq->cycles += rte_rdtsc() - start_tsc;
}

static void
gate_note_wait(struct gate_queue *queue, uint64_t wait_ns, uint64_t now_ns)
{
	queue->counts.packets++;
	queue->counts.wait_ns += wait_ns;
	if (likely(queue->untimed-- > 0))
		return;
	queue->untimed = GATE_UNTIMED;
	recent_add(&queue->waits, wait_ns, now_ns);
}

static void
gate_send(struct worker *worker, struct qos_item **items, unsigned n)
{
	struct gate_queue *first = NULL;
	struct rte_mbuf *run[BATCH_MAX];
	unsigned length = 0;

	for (unsigned i = 0; i < n; i++) {
		struct gate_queue *queue = gate_queue_of(items[i]);

		if (unlikely(!queue)) {
			/* A port sends what it has here before it goes: cannot be. */
			rte_pktmbuf_free(packet_from_item(items[i]));
			continue;
		}
		gate_window_remove(&queue->window, items[i]->charged_bytes);
		gate_note_wait(queue, worker->now_ns - items[i]->enqueued_ns,
		               worker->now_ns);
		if (length > 0 && queue->rxq->port != first->rxq->port) {
			gate_send_run(worker, first, run, length);
			length = 0;
		}
		if (length == 0)
			first = queue;
		run[length++] = packet_from_item(items[i]);
	}
	if (length > 0)
		gate_send_run(worker, first, run, length);
}

void
gate_send_rest(struct worker *worker, struct qos_item *items)
{
	struct qos_item *batch[BATCH_MAX];
	unsigned n = 0;

	while (items) {
		batch[n++] = items;
		items = items->next;
		if (n == BATCH_MAX || !items) {
			gate_send(worker, batch, n);
			n = 0;
		}
	}
}

unsigned
gate_drain(struct worker *worker, struct gate *gate)
{
	struct qos_item *items[BATCH_MAX];
	unsigned moved = 0, n = BATCH_MAX;
	uint64_t next_ns;

	if (!gate_is_mine(worker, gate))
		return 0;
	for (unsigned i = 0; i < GATE_DRAIN_BATCHES && n == BATCH_MAX; i++) {
		n = sched_dequeue(gate->sched, worker->now_ns, items, BATCH_MAX,
		                  GATE_DRAIN_BYTES);
		gate_send(worker, items, n);
		moved += n;
	}
	next_ns = sched_next_event_ns(gate->sched, worker->now_ns);
	if (next_ns < worker->next_qos_ns)
		worker->next_qos_ns = next_ns;
	return moved;
}
