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

#define IPV6_EXTENSIONS_MAX 4

#define IP_PROTO_HOP_BY_HOP          0
#define IP_PROTO_ROUTING             43
#define IP_PROTO_DESTINATION_OPTIONS 60

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

/* Finds the network header; returns its Ethernet type, 0 if the frame ends before it. */
static uint16_t
segment_find_l3(const uint8_t *frame, size_t available, size_t *l3_offset)
{
	size_t offset = ETH_HEADER_BYTES;
	uint16_t type;

	if (available < ETH_HEADER_BYTES)
		return 0;
	type = read_be16(frame + 12);
	for (int tags = 0; tags < 2 && (type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ);
	     tags++) {
		if (available < offset + 4)
			return 0;
		type = read_be16(frame + offset + 2);
		offset += 4;
	}
	*l3_offset = offset;
	return type;
}

static int
segment_read_ipv4(struct segment_headers *headers, const uint8_t *frame, size_t available)
{
	const uint8_t *ip = frame + headers->l3_offset;
	size_t bytes;

	if (available < headers->l3_offset + IPV4_MIN_BYTES)
		return -EINVAL;
	bytes = (ip[0] & 0xfU) * 4;
	if (ip[0] >> 4 != 4 || bytes < IPV4_MIN_BYTES)
		return -EINVAL;
	headers->l4_offset = headers->l3_offset + bytes;
	headers->ip_bytes = read_be16(ip + 2);
	headers->is_fragment = (read_be16(ip + 6) & 0x3fff) != 0;
	headers->protocol = ip[9];
	return 0;
}

static bool
segment_is_extension(uint8_t protocol)
{
	return protocol == IP_PROTO_HOP_BY_HOP || protocol == IP_PROTO_ROUTING ||
	       protocol == IP_PROTO_DESTINATION_OPTIONS;
}

static int
segment_read_ipv6(struct segment_headers *headers, const uint8_t *frame, size_t available)
{
	const uint8_t *ip = frame + headers->l3_offset;
	uint8_t next;

	if (available < headers->l3_offset + IPV6_HEADER_BYTES || ip[0] >> 4 != 6)
		return -EINVAL;
	headers->is_ipv6 = true;
	headers->ip_bytes = IPV6_HEADER_BYTES + (size_t)read_be16(ip + 4);
	headers->l4_offset = headers->l3_offset + IPV6_HEADER_BYTES;
	next = ip[6];
	for (int i = 0; i < IPV6_EXTENSIONS_MAX && segment_is_extension(next); i++) {
		const uint8_t *options = frame + headers->l4_offset;

		if (available < headers->l4_offset + 8)
			return -EINVAL;
		next = options[0];
		headers->l4_offset += (options[1] + 1U) * 8;
		headers->has_extensions = true;
	}
	headers->protocol = next;
	return 0;
}

int
segment_read_headers(struct segment_headers *headers, const uint8_t *frame,
                     size_t available)
{
	uint16_t type;
	size_t bytes;
	int ret = -EINVAL;

	memset(headers, 0, sizeof(*headers));
	type = segment_find_l3(frame, available, &headers->l3_offset);
	if (type == ETH_TYPE_IPV4)
		ret = segment_read_ipv4(headers, frame, available);
	else if (type == ETH_TYPE_IPV6)
		ret = segment_read_ipv6(headers, frame, available);
	if (ret < 0)
		return ret;
	if (headers->protocol == IP_PROTO_TCP) {
		if (available < headers->l4_offset + TCP_MIN_BYTES)
			return -EINVAL;
		bytes = (size_t)(frame[headers->l4_offset + 12] >> 4) * 4;
		if (bytes < TCP_MIN_BYTES)
			return -EINVAL;
	} else if (headers->protocol == IP_PROTO_UDP) {
		bytes = UDP_HEADER_BYTES;
	} else {
		return -EINVAL;
	}
	headers->payload_offset = headers->l4_offset + bytes;
	return available < headers->payload_offset ? -EINVAL : 0;
}

int
segment_plan_pieces(struct segment_plan *plan, const uint8_t *frame, size_t available,
                    size_t length, uint32_t segment_bytes)
{
	struct segment_headers headers;
	size_t payload;

	/* Extension headers: no sender asks for this with them. */
	if (segment_read_headers(&headers, frame, MIN_OF(available, length)) < 0 ||
	    headers.has_extensions)
		return -EINVAL;
	if (!segment_bytes || length <= headers.payload_offset)
		return -EINVAL;
	payload = length - headers.payload_offset;
	if (payload / segment_bytes >= SEGMENTS_MAX)
		return -EINVAL;
	*plan = (struct segment_plan){
		.frame = frame,
		.length = length,
		.l3_offset = headers.l3_offset,
		.l4_offset = headers.l4_offset,
		.payload_offset = headers.payload_offset,
		.segment_bytes = segment_bytes,
		.count = (uint32_t)((payload + segment_bytes - 1) / segment_bytes),
		.is_ipv6 = headers.is_ipv6,
		.is_udp = headers.protocol == IP_PROTO_UDP,
	};
	return 0;
}

int
segment_plan(struct segment_plan *plan, const uint8_t *frame, size_t length,
             uint32_t segment_bytes)
{
	return segment_plan_pieces(plan, frame, length, length, segment_bytes);
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

/* The field is to be 0 in 'l4' when its header is summed. */
static void
segment_checksum_l4(const struct segment_plan *plan, const uint8_t *ip, uint8_t *l4,
                    size_t l4_bytes, uint64_t payload_sum)
{
	uint8_t *field = l4 + (plan->is_udp ? 6 : 16);
	uint16_t folded;
	uint64_t sum;

	write_be16(field, 0);
	sum = payload_sum + checksum_pseudo(ip, plan->is_ipv6,
	                                    plan->is_udp ? IP_PROTO_UDP : IP_PROTO_TCP,
	                                    l4_bytes);
	sum = checksum_add(sum, l4, plan->payload_offset - plan->l4_offset);
	folded = checksum_finish(sum);
	if (plan->is_udp && folded == 0)
		folded = 0xffff;
	memcpy(field, &folded, sizeof(folded));
}

void
segment_write_headers(const struct segment_plan *plan, uint32_t index,
                      uint64_t payload_sum, uint8_t *out)
{
	uint8_t *ip = out + plan->l3_offset, *l4 = out + plan->l4_offset;
	size_t l4_bytes =
		plan->payload_offset - plan->l4_offset + segment_payload(plan, index);

	memcpy(out, plan->frame, plan->payload_offset);
	segment_mend_ip(plan, index, ip, plan->l4_offset - plan->l3_offset + l4_bytes);
	segment_mend_l4(plan, index, l4, l4_bytes);
	segment_checksum_l4(plan, ip, l4, l4_bytes, payload_sum);
}

void
segment_write(const struct segment_plan *plan, uint32_t index, uint8_t *out)
{
	const uint8_t *payload =
		plan->frame + plan->payload_offset + (size_t)index * plan->segment_bytes;
	size_t n = segment_payload(plan, index);

	memcpy(out + plan->payload_offset, payload, n);
	segment_write_headers(plan, index, checksum_add(0, payload, n), out);
}
