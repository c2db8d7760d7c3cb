/* crc32c.h - the checksum of SCTP (RFC 9260, appendix A): computed, and mended for bytes
 * that changed without reading the others. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Goes on with a CRC over 'n' bytes. Start with UINT32_MAX; the complement of the last
 * one is the checksum, sent with its low byte first. */
uint32_t crc32c_add(uint32_t crc, const void *data, size_t n);

/* By what bits the checksum changes if 'n' bytes, 'after' bytes before the end, change by
 * the bits of 'difference'. */
uint32_t crc32c_difference(const void *difference, size_t n, size_t after);
