/* vv_frame.h - the frames of vv_peer: an Ethernet/IPv4/UDP header whose addresses name
 * the flow, and a stamp that the sink reads back. vv_lane.c writes and reads them; one
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "base/compiler.h"

/* Sizes are those in the ring: without the frame check sequence. */
#define VV_FRAME_MIN_BYTES 64
#define VV_FRAME_MAX_BYTES 1514
#define VV_FLOWS_MAX       (1U << 24)

struct vv_stamp {
	uint64_t seq; /* counts all frames of a lane, from 0 */
	uint64_t tsc; /* when the frame was made */
	uint32_t flow;
	uint16_t lane_mark;
} __attribute__((packed));

struct vv_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	struct vv_stamp stamp;
} __attribute__((packed, aligned(2)));

static_assert(sizeof(struct vv_frame) == VV_FRAME_MIN_BYTES,
              "the smallest frame holds the stamp and nothing else");

/* Writes a whole frame of 'bytes' that goes from port 'from' (0 or 1) to the other one:
 * valid IPv4 checksum, UDP checksum absent. vv_frame_mark() makes it a frame of a flow.
 */
void vv_frame_build(void *data, size_t bytes, unsigned from);

static inline uint16_t
vv_frame_lane_mark(unsigned from)
{
	return (uint16_t)(0x7630 + from);
}

/* Makes the frame one of 'flow' (below VV_FLOWS_MAX). The low half of the flow number
 * goes into one address and its complement into the other, so the IPv4 checksum stays
 * right. */
static inline void
vv_frame_mark(void *data, uint32_t flow, uint64_t seq, uint64_t tsc)
{
	struct vv_frame *frame = data;
	uint16_t low = (uint16_t)flow;

	frame->ip.src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 0) | low);
	frame->ip.dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 1, 0, 0) | (uint16_t)~low);
	frame->udp.src_port = rte_cpu_to_be_16((uint16_t)(1024 + (flow >> 16)));
	frame->stamp.seq = seq;
	frame->stamp.tsc = tsc;
	frame->stamp.flow = flow;
}

/* Gives the station behind port 1 an address per flow: that of the low half of 'flow' is
 * the destination of what comes from port 0, and the source of what comes from port 1. */
static inline void
vv_frame_set_station(void *data, unsigned from, uint32_t flow)
{
	struct vv_frame *frame = data;
	struct rte_ether_addr *mac = from ? &frame->eth.src_addr : &frame->eth.dst_addr;

	mac->addr_bytes[3] = (uint8_t)(flow >> 8);
	mac->addr_bytes[4] = (uint8_t)flow;
}
