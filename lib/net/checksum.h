/* checksum.h - the Internet checksum (RFC 1071) of bytes in memory. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Adds 'n' bytes to a running sum (start with 0). Only the last piece may have an odd
 * length. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t n);

/* Adds 'n' bytes that begin 'at' bytes after the first of all: pieces may have any
 * length.
 */
uint64_t checksum_add_at(uint64_t sum, const void *data, size_t n, size_t at);

/* The sum of the pseudo-header of TCP and UDP (RFC 9293, RFC 8200) for an IP header at
 * 'ip' and 'l4_bytes' of header and payload. */
uint64_t checksum_pseudo(const uint8_t *ip, bool is_ipv6, uint8_t protocol,
                         size_t l4_bytes);

/* Folds and complements a sum: the checksum as it stands in a header, in network order.
 */
uint16_t checksum_finish(uint64_t sum);

/* Completes a checksum that a kernel or guest left to us: the field at 'start' + 'offset'
 * holds the pseudo-header's sum. Returns -EINVAL if the field is outside of the frame. */
int checksum_complete(uint8_t *frame, size_t length, size_t start, size_t offset);
