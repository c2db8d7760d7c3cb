/* segment.h - cuts a frame that was sent for segmentation offload (TCP over IPv4 or IPv6,
 * UDP with a segment size) into frames that fit a wire. Works on memory only. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the headers of a frame are, and what its IP header says. */
struct segment_headers {
	size_t l3_offset, l4_offset, payload_offset;
	size_t ip_bytes;  /* length of the IP packet as its header gives it */
	uint8_t protocol; /* of IP: TCP or UDP */
	bool is_ipv6, is_fragment, has_extensions;
};

struct segment_plan {
	const uint8_t *frame;
	size_t length;
	size_t l3_offset, l4_offset, payload_offset;
	uint32_t segment_bytes; /* payload of each but the last */
	uint32_t count;
	bool is_ipv6, is_udp;
};

/* Finds the headers of a TCP or UDP frame of which 'available' bytes lie at 'frame': all
 * offsets returned are within them. -EINVAL if it is no such frame, or its headers are
 * not all there. IPv6's options and routing headers are passed over. */
int segment_read_headers(struct segment_headers *headers, const uint8_t *frame,
                         size_t available);

/* Reads the headers of 'frame', which must stay valid, and plans segments with
 * 'segment_bytes' of payload. -EINVAL if the frame is not what it claims to be. */
int segment_plan(struct segment_plan *plan, const uint8_t *frame, size_t length,
                 uint32_t segment_bytes);

/* The same for a frame of 'length' bytes in pieces: 'available' of them, all headers
 * among them, lie at 'frame'. For segment_write_headers(). */
int segment_plan_pieces(struct segment_plan *plan, const uint8_t *frame, size_t available,
                        size_t length, uint32_t segment_bytes);

/* Bytes of segment 'index', all headers included. */
size_t segment_length(const struct segment_plan *plan, uint32_t index);

/* Writes segment 'index' (segment_length() bytes) with its lengths, sequence number,
 * flags and checksums. */
void segment_write(const struct segment_plan *plan, uint32_t index, uint8_t *out);

/* Writes the headers of segment 'index' alone (plan->payload_offset bytes).
 * 'payload_sum' is checksum_add() of the payload. */
void segment_write_headers(const struct segment_plan *plan, uint32_t index,
                           uint64_t payload_sum, uint8_t *out);
