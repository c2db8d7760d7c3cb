/* vv_lane.c - makes, sends, receives and checks the frames of one direction. It must cost
 * less per frame than any switch under test: frames are written once, when the pool is
 * made, and only marked when sent. */
#include "vv_lane.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "base/compiler.h"
#include "vv_frame.h"

#define POOL_CACHE_FRAMES 256
/* More of them would cost the sink a cache miss per frame. */
#define TRACKED_FLOWS_MAX 65536
/* DPDK's lowest x86-64 target would turn a prefetch for writing into one for reading. */
#ifdef __x86_64__
#define TARGET_PREFETCH_WRITE __attribute__((target("prfchw")))
#else
#define TARGET_PREFETCH_WRITE
#endif
/* After a stall of our own, at most this much is sent late. */
#define PACING_BACKLOG_FRAMES (2 * VV_BURST)

struct rte_mempool *
vv_pool_create(const char *name, uint16_t ring_size)
{
	return rte_pktmbuf_pool_create(name, 2U * ring_size + POOL_CACHE_FRAMES,
	                               POOL_CACHE_FRAMES, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
	                               SOCKET_ID_ANY);
}

static void
build_frame(struct rte_mempool *pool UNUSED, void *lane_arg, void *object,
            unsigned index UNUSED)
{
	const struct vv_lane *lane = lane_arg;
	struct rte_mbuf *mbuf = object;

	vv_frame_build(rte_pktmbuf_mtod(mbuf, void *), lane->frame_bytes, lane->tx_port);
}

int
vv_lane_init(struct vv_lane *lane, unsigned from, uint16_t frame_bytes, uint32_t flows,
             uint16_t ring_size, struct error *err)
{
	memset(lane, 0, sizeof *lane);
	lane->tx_port = (uint16_t)from;
	lane->rx_port = !from;
	lane->mark = vv_frame_lane_mark(from);
	lane->frame_bytes = frame_bytes;
	lane->flows = flows;
	lane->random = 0x9e3779b9U + from;

	lane->frames = vv_pool_create(from ? "frames-1" : "frames-0", ring_size);
	if (!lane->frames)
		return error_set(err, -rte_errno, "frame pool of port %u: %s", from,
		                 rte_strerror(rte_errno));
	rte_mempool_obj_iter(lane->frames, build_frame, lane);

	lane->tracked_flows = MIN_OF(flows, TRACKED_FLOWS_MAX);
	lane->next_of_flow = rte_zmalloc(
		"next_of_flow", lane->tracked_flows * sizeof *lane->next_of_flow, 0);
	lane->latency = rte_zmalloc("latency", sizeof *lane->latency, 0);
	if (!lane->next_of_flow || !lane->latency)
		return error_set(err, -ENOMEM, "%u flows of port %u: out of memory",
		                 flows, from);
	return 0;
}

void
vv_lane_start(struct vv_lane *lane, uint64_t now_tsc)
{
	lane->first_seq = lane->next_seq - lane->pending_n;
	lane->received = lane->reordered = lane->foreign = 0;
	lane->tx_calls = lane->tx_frames = lane->rx_calls = lane->rx_frames = 0;
	lane->paced_from_tsc = now_tsc;
	lane->paced_frames = 0;
	memset(lane->latency, 0, sizeof *lane->latency);
	if (lane->study)
		vv_study_start(lane->study, now_tsc);
}

uint64_t
vv_lane_sent(const struct vv_lane *lane)
{
	return lane->next_seq - lane->pending_n - lane->first_seq;
}

/* How many frames the wanted rate allows now. */
static uint16_t
paced_limit(struct vv_lane *lane, uint64_t now_tsc)
{
	double allowed = (double)(now_tsc - lane->paced_from_tsc) * lane->frames_per_tsc -
	                 (double)lane->paced_frames;

	if (allowed > PACING_BACKLOG_FRAMES) {
		lane->paced_from_tsc = now_tsc;
		lane->paced_frames = 0;
		allowed = 1;
	}
	return (uint16_t)(allowed > VV_BURST ? VV_BURST : allowed);
}

static uint32_t
next_flow(struct vv_lane *lane, uint64_t now_tsc)
{
	uint32_t others = 0;

	/* One after the other, so that the switch learns them all. */
	if (lane->has_stations && lane->tx_port == 1)
		return (uint32_t)(lane->next_seq % lane->flows);
	/* xorshift32, scaled to the number of flows. */
	lane->random ^= lane->random << 13;
	lane->random ^= lane->random >> 17;
	lane->random ^= lane->random << 5;
	if (lane->study && lane->study->probe_period_tsc) {
		if (vv_study_probe_is_due(lane->study, now_tsc))
			return 0;
		others = lane->flows > 1;
	}
	return others +
	       (uint32_t)(((uint64_t)lane->random * (lane->flows - others)) >> 32);
}

/* Takes the buffers of the burst after this one and fetches their lines for writing (the
 * switch has read them), so that they arrive while other work is done. */
static TARGET_PREFETCH_WRITE void
fetch_blanks(struct vv_lane *lane)
{
	if (lane->blanks_n)
		return;
	if (rte_mempool_get_bulk(lane->frames, (void **)lane->blanks, VV_BURST))
		return; /* all frames are in the ring */
	lane->blanks_n = VV_BURST;
	for (uint16_t i = 0; i < VV_BURST; i++) {
		struct rte_mbuf *mbuf = lane->blanks[i];
		uint8_t *data;

		/* The driver has freed it whole; only its header room was used. */
		mbuf->data_off = RTE_PKTMBUF_HEADROOM;
		data = rte_pktmbuf_mtod(mbuf, uint8_t *);

		__builtin_prefetch(data, 1);
		__builtin_prefetch(data - RTE_CACHE_LINE_SIZE,
		                   1); /* the driver's header */
	}
}

static void
mark_burst(struct vv_lane *lane, uint64_t now_tsc, uint16_t n)
{
	fetch_blanks(lane);
	n = MIN_OF(n, lane->blanks_n);
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *mbuf = lane->blanks[--lane->blanks_n];
		uint32_t flow;

		mbuf->data_len = lane->frame_bytes;
		mbuf->pkt_len = lane->frame_bytes;
		flow = next_flow(lane, now_tsc);
		vv_frame_mark(rte_pktmbuf_mtod(mbuf, void *), flow, lane->next_seq++,
		              now_tsc);
		if (lane->has_stations)
			vv_frame_set_station(rte_pktmbuf_mtod(mbuf, void *),
			                     lane->tx_port, flow);
		lane->pending[i] = mbuf;
	}
	lane->pending_from = 0;
	lane->pending_n = n;
}

uint16_t
vv_lane_generate(struct vv_lane *lane, uint64_t now_tsc, uint16_t limit)
{
	uint16_t sent;

	if (!lane->pending_n) {
		if (lane->frames_per_tsc > 0) {
			limit = MIN_OF(limit, paced_limit(lane, now_tsc));
			lane->paced_frames += limit;
		}
		if (limit)
			mark_burst(lane, now_tsc, limit);
	}
	if (!lane->pending_n)
		return 0;
	sent = rte_eth_tx_burst(lane->tx_port, 0, lane->pending + lane->pending_from,
	                        lane->pending_n);
	lane->pending_from = (uint16_t)(lane->pending_from + sent);
	lane->pending_n = (uint16_t)(lane->pending_n - sent);
	lane->tx_calls += sent > 0;
	lane->tx_frames += sent;
	if (!lane->pending_n)
		fetch_blanks(lane);
	return sent;
}

static void
check_frame(struct vv_lane *lane, const struct rte_mbuf *mbuf, uint64_t now_tsc)
{
	const struct vv_frame *frame = rte_pktmbuf_mtod(mbuf, const struct vv_frame *);
	uint32_t flow, seq;

	if (mbuf->pkt_len != lane->frame_bytes || frame->stamp.lane_mark != lane->mark ||
	    frame->stamp.flow >= lane->flows) {
		lane->foreign++;
		return;
	}
	lane->rx_frames++;
	flow = frame->stamp.flow;
	seq = (uint32_t)frame->stamp.seq;
	if (lane->study)
		vv_study_take(lane->study, flow, lane->frame_bytes + lane->overhead_bytes,
		              frame->stamp.tsc, now_tsc);
	if (frame->stamp.seq >= lane->first_seq) {
		lane->received++;
		if (lane->measure_latency)
			vv_latency_add(lane->latency, now_tsc - frame->stamp.tsc);
	}
	if (flow >= lane->tracked_flows)
		return;
	if ((int32_t)(seq - lane->next_of_flow[flow]) < 0)
		lane->reordered += frame->stamp.seq >= lane->first_seq;
	else
		lane->next_of_flow[flow] = seq + 1;
}

uint16_t
vv_lane_receive(struct vv_lane *lane)
{
	lane->arrived_n = rte_eth_rx_burst(lane->rx_port, 0, lane->arrived, VV_BURST);
	lane->rx_calls += lane->arrived_n > 0;
	for (uint16_t i = 0; i < lane->arrived_n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(lane->arrived[i], void *));
	return lane->arrived_n;
}

void
vv_lane_check(struct vv_lane *lane, uint64_t now_tsc)
{
	bool plain = true;

	if (!lane->arrived_n)
		return;
	for (uint16_t i = 0; i < lane->arrived_n; i++) {
		check_frame(lane, lane->arrived[i], now_tsc);
		plain &= lane->arrived[i]->nb_segs == 1;
	}
	/* All come from the one pool of the receiving port. */
	if (likely(plain))
		rte_mempool_put_bulk(lane->arrived[0]->pool, (void **)lane->arrived,
		                     lane->arrived_n);
	else
		rte_pktmbuf_free_bulk(lane->arrived, lane->arrived_n);
	lane->arrived_n = 0;
}
