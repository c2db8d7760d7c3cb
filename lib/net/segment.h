/* segment.h - cuts a frame that was sent for segmentation offload (TCP over IPv4 or IPv6,
 * UDP with a segment size) into frames that fit a wire. Works on memory only. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment_plan {
	const uint8_t *frame;
	size_t length;
	size_t l3_offset, l4_offset, payload_offset;
	uint32_t segment_bytes; /* payload of each but the last */
	uint32_t count;
	bool is_ipv6, is_udp;
};

/* Reads the headers of 'frame', which must stay valid, and plans segments with
 * 'segment_bytes' of payload. -EINVAL if the frame is not what it claims to be. */
int segment_plan(struct segment_plan *plan, const uint8_t *frame, size_t length,
                 uint32_t segment_bytes);

/* Bytes of segment 'index', all headers included. */
size_t segment_length(const struct segment_plan *plan, uint32_t index);

/* Writes segment 'index' (segment_length() bytes) with its lengths, sequence number,
 * flags and checksums. */
void segment_write(const struct segment_plan *plan, uint32_t index, uint8_t *out);
