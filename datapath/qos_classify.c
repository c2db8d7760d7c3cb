/* qos_classify.c - reads what a port's lists need of a packet's headers. Worker threads.
 */
#include "datapath/qos_classify.h"

#include "base/compiler.h"

#include "datapath/hot.h"

#define HEADER_BYTES    24 /* addresses, two VLAN tags, type, and two bytes of IP */
#define TYPE_AT         12
#define TYPE_VLAN       0x8100
#define TYPE_VLAN_OUTER 0x88a8
#define TYPE_IPV4       0x0800
#define TYPE_IPV6       0x86dd

static unsigned
type_at(const uint8_t *header, unsigned at)
{
	return (unsigned)header[at] << 8 | header[at + 1];
}

/* DSCP of the IP header at 'at', or -1. */
static int
header_dscp(const uint8_t *header, unsigned type, unsigned at, unsigned length)
{
	if (at + 2 > length)
		return -1;
	if (type == TYPE_IPV4 && header[at] >> 4 == 4)
		return header[at + 1] >> 2;
	if (type == TYPE_IPV6 && header[at] >> 4 == 6)
		return (header[at] & 0xf) << 2 | header[at + 1] >> 6;
	return -1;
}

uint32_t
qos_classify_by_lists(const struct qos_class_map *map, const struct rte_mbuf *pkt)
{
	unsigned length = MIN_OF(pkt->pkt_len, HEADER_BYTES), type, at = TYPE_AT + 2;
	uint32_t number = DP_CLASS_NONE;
	uint8_t copy[HEADER_BYTES];
	const uint8_t *header;
	int pcp = -1, dscp;

	if (length < at)
		return DP_CLASS_NONE;
	header = rte_pktmbuf_read(pkt, 0, length, copy);
	if (map->mac_bits)
		number = qos_mac_lookup(map, qos_mac48(header));
	if (number != DP_CLASS_NONE || (!map->has_dscp && !map->has_pcp))
		return number;
	type = type_at(header, TYPE_AT);
	for (unsigned tags = 0; tags < 2; tags++) {
		if ((type != TYPE_VLAN && type != TYPE_VLAN_OUTER) || at + 4 > length)
			break;
		if (tags == 0)
			pcp = header[at] >> 5;
		type = type_at(header, at + 2);
		at += 4;
	}
	dscp = map->has_dscp ? header_dscp(header, type, at, length) : -1;
	if (dscp >= 0)
		number = map->dscp[dscp];
	if (number == DP_CLASS_NONE && map->has_pcp && pcp >= 0)
		number = map->pcp[pcp];
	return number;
}
