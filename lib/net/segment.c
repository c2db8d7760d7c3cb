/* segment.c - segmentation in software: copies headers and payload, mends the fields that
 * differ from segment to segment (RFC 9293, RFC 791, RFC 8200). */
#include "net/segment.h"

#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "net/checksum.h"

#define ETH_HEADER_BYTES  14
#define ETH_TYPE_IPV4     0x0800
#define ETH_TYPE_IPV6     0x86dd
#define ETH_TYPE_VLAN     0x8100
#define ETH_TYPE_QINQ     0x88a8
#define IPV4_MIN_BYTES    20
#define IPV6_HEADER_BYTES 40
#define TCP_MIN_BYTES     20
#define UDP_HEADER_BYTES  8
#define IP_PROTO_TCP      6
#define IP_PROTO_UDP      17
#define TCP_FLAGS_BYTE    13
#define TCP_FLAG_FIN      0x01
#define TCP_FLAG_PSH      0x08
#define TCP_FLAG_CWR      0x80
#define SEGMENTS_MAX      2048

static uint16_t
read_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
read_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
write_be16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void
write_be32(uint8_t *p, uint32_t value)
{
	write_be16(p, value >> 16);
	write_be16(p + 2, value);
}

/* Finds the IP header; returns the IP protocol or -EINVAL. */
static int
segment_find_l4(struct segment_plan *plan)
{
	size_t offset = ETH_HEADER_BYTES, header;
	uint16_t type;

	if (plan->length < ETH_HEADER_BYTES)
		return -EINVAL;
	type = read_be16(plan->frame + 12);
	for (int tags = 0; tags < 2 && (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ);
	     tags++) {
		if (plan->length < offset + 4)
			return -EINVAL;
		type = read_be16(plan->frame + offset + 2);
		offset += 4;
	}
	plan->l3_offset = offset;
	plan->is_ipv6 = type == ETH_TYPE_IPV6;
	if (type == ETH_TYPE_IPV4) {
		if (plan->length < offset + IPV4_MIN_BYTES)
			return -EINVAL;
		header = (plan->frame[offset] & 0xfU) * 4;
		if (header < IPV4_MIN_BYTES || plan->length < offset + header)
			return -EINVAL;
		plan->l4_offset = offset + header;
		return plan->frame[offset + 9];
	}
	if (type != ETH_TYPE_IPV6 || plan->length < offset + IPV6_HEADER_BYTES)
		return -EINVAL;
	plan->l4_offset = offset + IPV6_HEADER_BYTES;
	/* Extension headers are not walked: no sender asks for this with them. */
	return plan->frame[offset + 6];
}

int
segment_plan(struct segment_plan *plan, const uint8_t *frame, size_t length,
             uint32_t segment_bytes)
{
	size_t header, payload;
	int protocol;

	memset(plan, 0, sizeof(*plan));
	plan->frame = frame;
	plan->length = length;
	plan->segment_bytes = segment_bytes;
	protocol = segment_find_l4(plan);
	if (protocol == IP_PROTO_TCP) {
		if (length < plan->l4_offset + TCP_MIN_BYTES)
			return -EINVAL;
		header = (size_t)(frame[plan->l4_offset + 12] >> 4) * 4;
		if (header < TCP_MIN_BYTES)
			return -EINVAL;
	} else if (protocol == IP_PROTO_UDP) {
		header = UDP_HEADER_BYTES;
		plan->is_udp = true;
	} else {
		return -EINVAL;
	}
	plan->payload_offset = plan->l4_offset + header;
	if (!segment_bytes || length <= plan->payload_offset)
		return -EINVAL;
	payload = length - plan->payload_offset;
	if (payload / segment_bytes >= SEGMENTS_MAX)
		return -EINVAL;
	plan->count = (uint32_t)((payload + segment_bytes - 1) / segment_bytes);
	return 0;
}

static size_t
segment_payload(const struct segment_plan *plan, uint32_t index)
{
	size_t done = (size_t)index * plan->segment_bytes;
	size_t left = plan->length - plan->payload_offset - done;

	return MIN_OF(left, plan->segment_bytes);
}

size_t
segment_length(const struct segment_plan *plan, uint32_t index)
{
	return plan->payload_offset + segment_payload(plan, index);
}

static void
segment_mend_ip(const struct segment_plan *plan, uint32_t index, uint8_t *ip,
                size_t l3_bytes)
{
	uint16_t sum;

	if (plan->is_ipv6) {
		write_be16(ip + 4, (uint32_t)(l3_bytes - IPV6_HEADER_BYTES));
		return;
	}
	write_be16(ip + 2, (uint32_t)l3_bytes);
	write_be16(ip + 4, read_be16(ip + 4) + index); /* identification */
	write_be16(ip + 10, 0);
	sum = checksum_finish(checksum_add(0, ip, plan->l4_offset - plan->l3_offset));
	memcpy(ip + 10, &sum, sizeof(sum));
}

static void
segment_mend_l4(const struct segment_plan *plan, uint32_t index, uint8_t *l4,
                size_t l4_bytes)
{
	bool is_last = index + 1 == plan->count;

	if (plan->is_udp) {
		write_be16(l4 + 4, (uint32_t)l4_bytes);
		return;
	}
	write_be32(l4 + 4, read_be32(l4 + 4) + index * plan->segment_bytes);
	/* FIN and PSH belong to the last byte, CWR to the first (RFC 3168). */
	if (!is_last)
		l4[TCP_FLAGS_BYTE] &= (uint8_t) ~(TCP_FLAG_FIN | TCP_FLAG_PSH);
	if (index > 0)
		l4[TCP_FLAGS_BYTE] &= (uint8_t)~TCP_FLAG_CWR;
}

static void
segment_checksum_l4(const struct segment_plan *plan, const uint8_t *ip, uint8_t *l4,
                    size_t l4_bytes)
{
	uint8_t *field = l4 + (plan->is_udp ? 6 : 16);
	uint8_t pseudo[4] = {0, plan->is_udp ? IP_PROTO_UDP : IP_PROTO_TCP};
	uint64_t sum;
	uint16_t folded;

	write_be16(pseudo + 2, (uint32_t)l4_bytes);
	write_be16(field, 0);
	sum = checksum_add(0, pseudo, sizeof(pseudo));
	sum = plan->is_ipv6 ? checksum_add(sum, ip + 8, 32)
	                    : checksum_add(sum, ip + 12, 8);
	folded = checksum_finish(checksum_add(sum, l4, l4_bytes));
	if (plan->is_udp && folded == 0)
		folded = 0xffff;
	memcpy(field, &folded, sizeof(folded));
}

void
segment_write(const struct segment_plan *plan, uint32_t index, uint8_t *out)
{
	size_t payload = segment_payload(plan, index);
	uint8_t *ip = out + plan->l3_offset, *l4 = out + plan->l4_offset;
	size_t l4_bytes = plan->payload_offset - plan->l4_offset + payload;

	memcpy(out, plan->frame, plan->payload_offset);
	memcpy(out + plan->payload_offset,
	       plan->frame + plan->payload_offset + (size_t)index * plan->segment_bytes,
	       payload);
	segment_mend_ip(plan, index, ip, plan->l4_offset - plan->l3_offset + l4_bytes);
	segment_mend_l4(plan, index, l4, l4_bytes);
	segment_checksum_l4(plan, ip, l4, l4_bytes);
}
