/* vv_frame.c - builds the frame that vv_lane.c then only marks. Start-up only. */
#include "vv_frame.h"

#include <string.h>

#define UDP_PORT_DST   5001
#define FRAME_TTL      64
#define IP_VERSION_IHL 0x45

void
vv_frame_build(void *data, size_t bytes, unsigned from)
{
	struct vv_frame *frame = data;
	struct rte_ether_addr mac[2] = {
		{.addr_bytes = {0x02, 0x76, 0x76, 0, 0, 0x0a}},
		{.addr_bytes = {0x02, 0x76, 0x76, 0, 0, 0x0b}},
	};
	size_t ip_bytes = bytes - sizeof frame->eth;

	memset(data, 0x5a, bytes);
	frame->eth.src_addr = mac[from];
	frame->eth.dst_addr = mac[!from];
	frame->eth.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);

	memset(&frame->ip, 0, sizeof frame->ip);
	frame->ip.version_ihl = IP_VERSION_IHL;
	frame->ip.total_length = rte_cpu_to_be_16((uint16_t)ip_bytes);
	frame->ip.time_to_live = FRAME_TTL;
	frame->ip.next_proto_id = IPPROTO_UDP;

	frame->udp.dst_port = rte_cpu_to_be_16(UDP_PORT_DST);
	frame->udp.dgram_len = rte_cpu_to_be_16((uint16_t)(ip_bytes - sizeof frame->ip));
	frame->udp.dgram_cksum = 0;

	vv_frame_mark(data, 0, 0, 0);
	frame->stamp.lane_mark = vv_frame_lane_mark(from);
	frame->ip.hdr_checksum = rte_ipv4_cksum(&frame->ip);
}
