/* charge.h - what a packet costs on the wire: every frame that a segmented packet
 * becomes, with its headers, the overhead of the link and the least that a frame counts.
 * Used wherever rates are kept: egress trees, policers, gates. Worker threads. */
#pragma once

#include "base/compiler.h"
#include "datapath/packet.h"

static inline uint32_t
packet_charge_frame(int64_t frame_bytes, int32_t overhead_bytes, uint32_t mpu_bytes)
{
	int64_t bytes = frame_bytes + overhead_bytes;

	return bytes > (int64_t)mpu_bytes ? (uint32_t)bytes : mpu_bytes;
}

/* Writes charged_bytes and charged_packets of the packet's item: exactly what the frames
 * weigh that the packet becomes on the wire, whoever segments it. */
static inline void
packet_charge(struct rte_mbuf *pkt, int32_t overhead_bytes, uint32_t mpu_bytes)
{
	struct qos_item *item = &packet_meta(pkt)->item;
	uint32_t headers, payload, whole, rest;

	item->charged_bytes =
		packet_charge_frame(pkt->pkt_len, overhead_bytes, mpu_bytes);
	item->charged_packets = 1;
	if (likely(!(pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG)))
		return;
	/* offload_mark() saw to it that there is payload, and that the segments are few
	 * enough for both fields. */
	headers = (uint32_t)pkt->l2_len + pkt->l3_len + pkt->l4_len;
	payload = pkt->pkt_len - headers;
	whole = payload / pkt->tso_segsz;
	rest = payload % pkt->tso_segsz;
	item->charged_bytes = whole * packet_charge_frame(headers + pkt->tso_segsz,
	                                                  overhead_bytes, mpu_bytes);
	if (rest > 0)
		item->charged_bytes +=
			packet_charge_frame(headers + rest, overhead_bytes, mpu_bytes);
	item->charged_packets = (whole + (rest > 0)) & QOS_ITEM_PACKETS_MAX;
}
