/* punt.c - the way of packets to controllers. Workers write notes with a copy of the
 * packet behind them, main reads them. Above meter.c. */
#include "datapath/punt.h"

#include <string.h>

#include <rte_hash_crc.h>

#include "base/compiler.h"
#include "datapath/bridge.h"
#include "datapath/meter.h"
#include "datapath/offload.h"
#include "datapath/port/port.h"
#include "datapath/walk.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

#define NSEC_PER_SEC         1000000000ULL
#define PUNT_LEARN_REPEAT_NS 10000000
#define PUNT_LEARN_SLOTS     256 /* recent ones of a worker; power of two */
/* Learn actions leave this much of the ring to packets for controllers. */
#define PUNT_RING_RESERVE (WORKER_PUNTS_SIZE / 4)
/* Headers that the key is read from are copied even if fewer bytes are asked for. */
#define PUNT_BYTES_MIN      256
#define PUNT_BYTES_MAX      65536
#define PUNT_NOTE_BYTES_MAX 8192 /* what comes of a walk is half of it at most */
#define PUNT_RUN_MAX        256  /* of a worker, at once: main has other things to do */

/* At the start of a chain of buffers of its own. */
struct punt_note {
	struct rte_mbuf *packet; /* the copy, owned */
	uint64_t cookie;
	uint64_t state[PROGRAM_STATE_WORDS];
	uint32_t bridge_id, in_port;
	uint32_t length, captured;
	uint32_t meter;
	uint32_t n_extra, n_continuation;
	uint16_t controller_id;
	uint8_t reason, table;
	/* Userdata, or the learn action; from the next multiple of 8 bytes on the
	 * program_walk of a packet that pauses. */
	uint64_t extra[];
};

struct punt_limit {
	_Atomic uint64_t cost_ns, burst_ns; /* main writes; 0 = default */
};

struct punt_filter {
	uint64_t token[PUNT_LEARN_SLOTS], when_ns[PUNT_LEARN_SLOTS];
};

static struct punt_limit limits[BRIDGES_MAX];
static struct punt_filter filters[DP_WORKERS_MAX]; /* each worker's own */
static void (*handler)(const struct dp_punt *, void *aux);
static void *handler_aux;
/* main's: what is in more than one buffer */
static uint8_t main_copy[PUNT_BYTES_MAX];
static uint64_t main_note[PUNT_NOTE_BYTES_MAX / sizeof(uint64_t)];

/* ---- how many ---- */

/* Whether the port may send one more: its debt in time stays below the burst. Several
 * workers may have queues of a port. */
static bool
punt_take_token(const struct worker *worker, struct port *in)
{
	struct punt_limit *limit = &limits[in->bridge->id];
	uint64_t cost = atomic_load_explicit(&limit->cost_ns, memory_order_relaxed);
	uint64_t burst = atomic_load_explicit(&limit->burst_ns, memory_order_relaxed);
	uint64_t was =
		atomic_load_explicit(&in->punt_paid_until_ns, memory_order_relaxed);
	uint64_t start;

	if (cost == 0) {
		cost = NSEC_PER_SEC / DP_PUNT_DEFAULT_PPS;
		burst = NSEC_PER_SEC / 2;
	}
	do {
		start = MAX_OF(was, worker->now_ns);
		if (start - worker->now_ns + cost > burst)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&in->punt_paid_until_ns, &was, start + cost, memory_order_relaxed,
		memory_order_relaxed));
	return true;
}

/* Whether something like this was not sent to main lately. */
static bool
punt_learn_is_new(const struct worker *worker, uint64_t token)
{
	struct punt_filter *filter = &filters[worker->id];
	unsigned slot = (unsigned)(token ^ token >> 32) & (PUNT_LEARN_SLOTS - 1);

	return filter->token[slot] != token ||
	       worker->now_ns - filter->when_ns[slot] >= PUNT_LEARN_REPEAT_NS;
}

static void
punt_learn_remember(const struct worker *worker, uint64_t token)
{
	struct punt_filter *filter = &filters[worker->id];
	unsigned slot = (unsigned)(token ^ token >> 32) & (PUNT_LEARN_SLOTS - 1);

	filter->token[slot] = token;
	filter->when_ns[slot] = worker->now_ns;
}

static uint64_t
punt_hash(uint64_t hash, const void *data, size_t n)
{
	uint32_t low = rte_hash_crc(data, (uint32_t)n, (uint32_t)hash);

	return (uint64_t)rte_hash_crc(data, (uint32_t)n, ~low) << 32 | low;
}

/* The same for packets from which the action learns the same: those of one flow. */
static uint64_t
punt_learn_token(const struct port *in, const void *learn, size_t bytes,
                 const uint64_t *state, const struct rte_mbuf *pkt)
{
	struct flow_key key;
	uint64_t hash = in->id;

	flow_parse(rte_pktmbuf_mtod(pkt, const uint8_t *), pkt->data_len, pkt->pkt_len,
	           &key);
	key.f.tcp_flags = 0;
	key.f.ip_ttl = 0;
	hash = punt_hash(hash, &key, FLOW_PACKET_WORDS * sizeof(uint64_t));
	hash ^= punt_hash(hash, learn, bytes);
	if (state)
		hash ^= punt_hash(hash, state, PROGRAM_STATE_WORDS * sizeof(uint64_t));
	return hash | 1;
}

/* ---- sending ---- */

/* A copy of the first 'bytes' of a packet, with its checksum where that was left to us.
 */
static struct rte_mbuf *
punt_copy(const struct rte_mbuf *pkt, uint32_t bytes)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(pkt, pkt->pool, 0, bytes);

	if (copy && copy->pkt_len == pkt->pkt_len && (copy->ol_flags & OFFLOAD_TX_FLAGS))
		offload_complete_checksum(copy);
	return copy;
}

/* Appends bytes to a chain. */
static bool
punt_append(struct rte_mbuf *head, const void *data, uint32_t bytes)
{
	struct rte_mbuf *last = rte_pktmbuf_lastseg(head);
	const uint8_t *from = data;

	while (bytes > 0) {
		uint16_t n = (uint16_t)MIN_OF(bytes, rte_pktmbuf_tailroom(last));

		if (n == 0) {
			struct rte_mbuf *next = rte_pktmbuf_alloc(head->pool);

			if (!next)
				return false;
			last->next = next;
			last = next;
			head->nb_segs++;
			continue;
		}
		memcpy(rte_pktmbuf_mtod_offset(last, uint8_t *, last->data_len), from, n);
		last->data_len = (uint16_t)(last->data_len + n);
		head->pkt_len += n;
		from += n;
		bytes -= n;
	}
	return true;
}

static uint32_t
punt_padding(uint32_t bytes)
{
	return -bytes & 7;
}

/* The note in buffers; NULL: there are none. */
static struct rte_mbuf *
punt_write(struct rte_mempool *pool, const struct punt_note *note, const void *extra,
           const void *continuation)
{
	static const uint64_t zeros;
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool);

	if (!head)
		return NULL;
	if (punt_append(head, note, sizeof(*note)) &&
	    punt_append(head, extra, note->n_extra) &&
	    punt_append(head, &zeros, punt_padding(note->n_extra)) &&
	    punt_append(head, continuation, note->n_continuation))
		return head;
	rte_pktmbuf_free(head);
	return NULL;
}

static bool
punt_is_too_long(const struct punt_note *note)
{
	const uint64_t bytes = (uint64_t)note->n_extra + note->n_continuation;

	return bytes > PUNT_NOTE_BYTES_MAX - sizeof(*note) - sizeof(uint64_t) ||
	       (note->n_continuation && note->length + bytes > DP_PAUSED_BYTES_MAX);
}

/* How much of a packet is told at most. Nothing keeps it meanwhile, so controllers get
 * all of it, however much they asked for (OpenFlow 1.3, 6.1.2); learning needs the
 * headers. */
static uint32_t
punt_bytes(const struct punt_note *note)
{
	return note->reason >= DP_PUNT_LEARN ? PUNT_BYTES_MIN : PUNT_BYTES_MAX;
}

/* Sends a note about a packet; 'extra' are note->n_extra bytes, 'continuation' as many as
 * it says. False, and counted, if it is lost. */
static bool
punt_send(struct worker *worker, struct port *in, struct punt_note *note,
          const void *extra, const struct program_walk *continuation,
          const struct rte_mbuf *pkt)
{
	struct rte_mbuf *head;

	note->bridge_id = in->bridge->id;
	note->in_port = bridge_port_number(in);
	note->length = pkt->pkt_len;
	note->captured = MIN_OF(pkt->pkt_len, punt_bytes(note));
	note->n_continuation = continuation ? continuation->head.bytes : 0;
	if (punt_is_too_long(note)) {
		port_worker_count_drop(in, worker, DROP_RX_PUNT_TOO_LONG);
		return false;
	}
	note->packet = punt_copy(pkt, MAX_OF(note->captured, PUNT_BYTES_MIN));
	head = note->packet ? punt_write(pkt->pool, note, extra, continuation) : NULL;
	if (!head) {
		port_worker_count_drop(in, worker, DROP_RX_NO_BUFFER);
		goto free_packet;
	}
	if (rte_ring_sp_enqueue(worker->punts, head) != 0) {
		port_worker_count_drop(in, worker, DROP_RX_PUNT_FULL);
		goto free_head;
	}
	worker_notify_main();
	return true;

free_head:
	rte_pktmbuf_free(head);
free_packet:
	rte_pktmbuf_free(note->packet);
	return false;
}

static void
punt_to_controller(struct worker *worker, struct port *in, struct punt_note *note,
                   const void *extra, const struct program_walk *continuation,
                   struct rte_mbuf *pkt)
{
	const uint32_t meter = note->meter ? note->meter : DP_METER_CONTROLLER;

	if (!punt_take_token(worker, in))
		port_worker_count_drop(in, worker, DROP_RX_PUNT_RATE);
	else if (!meter_admits(worker, in->bridge->id, meter, pkt))
		port_worker_count_drop(in, worker, DROP_RX_METERED);
	else
		punt_send(worker, in, note, extra, continuation, pkt);
}

static void
punt_learn_packets(struct worker *worker, struct port *in, struct punt_note *note,
                   const void *learn, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t token = note->reason == DP_PUNT_FIN
		                         ? punt_hash(in->id, learn, note->n_extra) | 1
		                         : punt_learn_token(in, learn, note->n_extra,
		                                            note->state, pkts[i]);

		if (!punt_learn_is_new(worker, token))
			continue;
		if (rte_ring_free_count(worker->punts) <= PUNT_RING_RESERVE)
			port_worker_count_drop(in, worker, DROP_RX_LEARN_FULL);
		else if (punt_send(worker, in, note, learn, NULL, pkts[i]))
			punt_learn_remember(worker, token);
	}
}

void
punt_packets(struct worker *worker, struct port *in, const struct program_punt *punt,
             struct rte_mbuf **pkts, unsigned n)
{
	struct punt_note note = {
		.reason = punt->reason,
		.table = punt->table,
		.controller_id = punt->controller_id,
		.cookie = punt->cookie,
		.meter = punt->meter,
		.n_extra = punt->n_userdata,
	};
	const struct program_walk *continuation =
		punt->pause ? (const void *)((const uint8_t *)punt + punt->head.bytes)
			    : NULL;

	if (punt->reason == DP_PUNT_NO_MATCH && in->settings->config.no_packet_in)
		return;
	memcpy(note.state, punt->state, sizeof(note.state));
	if (punt->reason >= DP_PUNT_LEARN) {
		punt_learn_packets(worker, in, &note, punt->userdata, pkts, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		punt_to_controller(worker, in, &note, punt->userdata, continuation,
		                   pkts[i]);
}

void
punt_learn(struct worker *worker, struct port *in, const struct flow_learn *learn,
           struct rte_mbuf **pkts, unsigned n)
{
	struct punt_note note = {.reason = DP_PUNT_LEARN,
	                         .n_extra = learn->head.bytes,
	                         .cookie = learn->cookie};

	punt_learn_packets(worker, in, &note, learn, pkts, n);
}

/* ---- main ---- */

void
dp_set_punt_handler(void (*punt)(const struct dp_punt *, void *aux), void *aux)
{
	handler = punt;
	handler_aux = aux;
}

void
dp_bridge_set_punt_rate(uint32_t bridge_id, uint32_t pps, uint32_t burst)
{
	uint64_t cost;

	if (bridge_id >= BRIDGES_MAX)
		return;
	if (pps == 0)
		pps = DP_PUNT_DEFAULT_PPS;
	if (burst == 0)
		burst = MAX_OF(pps / 2, 1U);
	cost = MAX_OF(NSEC_PER_SEC / pps, 1U);
	limits[bridge_id].burst_ns = cost * burst;
	limits[bridge_id].cost_ns = cost;
}

static void
punt_deliver(const struct punt_note *note)
{
	const struct rte_mbuf *packet = note->packet;
	uint32_t n = MIN_OF(packet->pkt_len, (uint32_t)PUNT_BYTES_MAX);
	const uint8_t *extra = (const uint8_t *)note->extra;
	struct dp_punt punt = {
		.bridge_id = note->bridge_id,
		.reason = note->reason,
		.table = note->table,
		.cookie = note->cookie,
		.controller_id = note->controller_id,
		.length = note->length,
		.captured = MIN_OF(note->captured, n),
		.meter = note->meter,
	};

	punt.data = rte_pktmbuf_read(packet, 0, n, main_copy);
	if (!handler || !punt.data)
		return;
	flow_parse(punt.data, n, note->length, &punt.key);
	punt.key.f.in_port = note->in_port;
	punt.key.f.packet_mark = packet_mark(packet);
	program_restore_state(&punt.key, note->state);
	if (note->reason == DP_PUNT_LEARN) {
		punt.actions = extra;
		punt.actions_bytes = note->n_extra;
	} else if (note->reason == DP_PUNT_FIN) {
		const struct program_fin *fin = (const void *)extra;

		punt.fin_rule = fin->rule_id;
		punt.fin_idle_s = fin->idle_s;
		punt.fin_hard_s = fin->hard_s;
	} else if (note->n_extra) {
		punt.userdata = extra;
		punt.n_userdata = note->n_extra;
	}
	if (note->n_continuation) {
		punt.continuation = extra + note->n_extra + punt_padding(note->n_extra);
		punt.n_continuation = note->n_continuation;
	}
	handler(&punt, handler_aux);
}

static void
punts_take(struct worker *worker)
{
	void *head;

	for (unsigned i = 0; i < PUNT_RUN_MAX; i++) {
		const struct punt_note *note;

		if (rte_ring_sc_dequeue(worker->punts, &head) != 0)
			return;
		note = rte_pktmbuf_read(
			head, 0, rte_pktmbuf_pkt_len((struct rte_mbuf *)head), main_note);
		punt_deliver(note);
		rte_pktmbuf_free(note->packet);
		rte_pktmbuf_free(head);
	}
	if (!rte_ring_empty(worker->punts))
		worker_notify_main();
}

void
punts_run(void)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i])
			punts_take(workers[i]);
}

void
punts_forget_bridge(uint32_t bridge_id)
{
	dp_bridge_set_punt_rate(bridge_id, 0, 0);
}
