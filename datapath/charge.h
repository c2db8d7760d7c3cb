/* charge.h - what a packet costs on the wire: every frame that a segmented packet
 * becomes, with its headers, the overhead of the link and the least that a frame counts.
 * Used wherever rates are kept: egress trees, policers, gates. Worker threads. */
#pragma once

#include "base/compiler.h"
#include "datapath/packet.h"

/* Writes charged_bytes and charged_packets of the packet's item. */
static inline void
packet_charge(struct rte_mbuf *pkt, int32_t overhead_bytes, uint32_t mpu_bytes)
{
	struct qos_item *item = &packet_meta(pkt)->item;
	int64_t bytes = (int64_t)pkt->pkt_len + overhead_bytes;

	item->charged_bytes = bytes > (int64_t)mpu_bytes ? (uint32_t)bytes : mpu_bytes;
	item->charged_packets = 1;
}
