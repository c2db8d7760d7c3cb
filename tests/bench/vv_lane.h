/* vv_lane.h - one direction of traffic in vv_peer: a generator on one virtio-user port
 * and a sink on the other. Driven by vv_peer.c's loop; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/error.h"
#include "vv_latency.h"
#include "vv_study.h"

#define VV_BURST 32

struct vv_lane {
	uint16_t tx_port, rx_port;
	uint16_t mark;
	uint16_t frame_bytes;
	uint32_t flows;
	bool measure_latency;
	bool has_stations;       /* an address per flow behind port 1 */
	struct vv_study *study;  /* NULL: only speed is measured */
	uint32_t overhead_bytes; /* that a study charges per frame */

	/* Generator. */
	struct rte_mempool *frames; /* every buffer holds a whole frame already */
	struct rte_mbuf *pending[VV_BURST];
	uint16_t pending_from, pending_n;
	struct rte_mbuf *blanks[VV_BURST]; /* for the burst after that */
	uint16_t blanks_n;
	uint32_t random;
	uint64_t next_seq;
	double frames_per_tsc; /* 0: as fast as the ring takes them */
	uint64_t paced_from_tsc, paced_frames;
	uint64_t tx_calls, tx_frames;

	/* Sink; 'received' and below count frames numbered 'first_seq' or later. */
	struct rte_mbuf *arrived[VV_BURST];
	uint16_t arrived_n;
	uint64_t first_seq;
	uint64_t rx_calls, rx_frames; /* every frame of ours, warm-up included */
	uint64_t received;
	uint64_t reordered;     /* after a later frame of their own flow, or repeated */
	uint64_t foreign;       /* not a frame of this lane */
	uint32_t tracked_flows; /* the first so many flows are checked for order */
	uint32_t *next_of_flow;
	struct vv_latency *latency;
};

/* A pool that can fill a ring, and hardly more: whenever frames return in large bursts a
 * pool goes round all its buffers, and if they do not fit a core's cache the cost of the
 * switch changes with it. NULL with rte_errno set; lives as long as the process. */
struct rte_mempool *vv_pool_create(const char *name, uint16_t ring_size);

/* Makes the lane from port 'from' (0 or 1) to the other. What it allocates lives as long
 * as the process. 0 or -errno. */
int vv_lane_init(struct vv_lane *lane, unsigned from, uint16_t frame_bytes,
                 uint32_t flows, uint16_t ring_size, struct error *err);

/* From now on counts a new measurement. */
void vv_lane_start(struct vv_lane *lane, uint64_t now_tsc);

/* Frames that this measurement has put into the ring. */
uint64_t vv_lane_sent(const struct vv_lane *lane);

/* Offers at most one burst, of at most 'limit' new frames; returns how many the ring
 * took. */
uint16_t vv_lane_generate(struct vv_lane *lane, uint64_t now_tsc, uint16_t limit);

/* Takes at most one burst from the ring; returns how many frames arrived. The caller does
 * something else while their first lines come from the switch's core, then calls
 * vv_lane_check(), before the next vv_lane_receive(). */
uint16_t vv_lane_receive(struct vv_lane *lane);

/* Counts, checks and frees what arrived. */
void vv_lane_check(struct vv_lane *lane, uint64_t now_tsc);
