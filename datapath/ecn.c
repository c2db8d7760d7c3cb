/* ecn.c - finds and changes the two bits of ecn.h. Worker threads. */
#include "datapath/ecn.h"

#include <stdint.h>

#include "datapath/hot.h"

#define TYPE_AT         12
#define TYPE_VLAN       0x8100
#define TYPE_VLAN_OUTER 0x88a8
#define TYPE_IPV4       0x0800
#define TYPE_IPV6       0x86dd
#define TAG_BYTES       4
#define TAGS_MAX        2

#define IPV4_HEADER_BYTES 20
#define IPV4_CHECKSUM_AT  10
#define IPV6_HEADER_BYTES 40

/* The field, where it stands in the second byte of an IPv4 header. */
#define ECN_MASK    3U
#define ECN_NOT_ECT 0U
#define ECN_CE      3U

/* In the second byte of an IPv6 header the same field is two bits of the traffic class
 * higher up. */
#define IPV6_ECN_SHIFT 4

struct ecn_field {
	uint8_t *header; /* of IP */
	unsigned shift;  /* of the field in its second byte */
	bool is_ipv4;
};

static unsigned
read_be16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void
write_be16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* False if the packet has no such field that can be reached. */
static bool
ecn_find(const struct rte_mbuf *pkt, struct ecn_field *field)
{
	uint8_t *data = rte_pktmbuf_mtod(pkt, uint8_t *);
	unsigned at = TYPE_AT, length = pkt->data_len, type;

	if (length < at + 2)
		return false;
	type = read_be16(data + at);
	for (unsigned tags = 0; tags < TAGS_MAX; tags++) {
		if ((type != TYPE_VLAN && type != TYPE_VLAN_OUTER) ||
		    length < at + TAG_BYTES + 2)
			break;
		at += TAG_BYTES;
		type = read_be16(data + at);
	}
	at += 2;
	field->header = data + at;
	field->is_ipv4 = type == TYPE_IPV4;
	if (field->is_ipv4) {
		field->shift = 0;
		return length >= at + IPV4_HEADER_BYTES && data[at] >> 4 == 4;
	}
	field->shift = IPV6_ECN_SHIFT;
	return type == TYPE_IPV6 && length >= at + IPV6_HEADER_BYTES &&
	       data[at] >> 4 == 6;
}

bool
ecn_is_capable(const struct rte_mbuf *pkt)
{
	struct ecn_field field;

	return ecn_find(pkt, &field) &&
	       (field.header[1] >> field.shift & ECN_MASK) != ECN_NOT_ECT;
}

void
ecn_mark(struct rte_mbuf *pkt)
{
	struct ecn_field field;
	unsigned old, new, sum;

	if (!ecn_find(pkt, &field) ||
	    (field.header[1] >> field.shift & ECN_MASK) == ECN_NOT_ECT)
		return;
	old = read_be16(field.header);
	new = old | ECN_CE << field.shift;
	write_be16(field.header, new);
	if (!field.is_ipv4)
		return;
	/* RFC 1624: HC' = ~(~HC + ~m + m'), in one's complement. */
	sum = (~read_be16(field.header + IPV4_CHECKSUM_AT) & 0xffff) + (~old & 0xffff) +
	      new;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	write_be16(field.header + IPV4_CHECKSUM_AT, ~sum & 0xffff);
}
