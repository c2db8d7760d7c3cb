/* rewrite_private.h - what rewrite.c and rewrite_field.c share. Any thread. */
#pragma once

#include "net/rewrite.h"

static inline uint64_t
rewrite_read(const uint8_t *p, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | p[i];
	return value;
}

static inline void
rewrite_write(uint8_t *p, size_t n, uint64_t value)
{
	for (size_t i = n; i-- > 0; value >>= 8)
		p[i] = (uint8_t)value;
}

/* Mends an Internet checksum for 'n' bytes, an even number at an even distance from the
 * first, that change from 'was' to 'is' (RFC 1624). */
void rewrite_mend_sum(uint8_t *sum_field, const uint8_t *was, const uint8_t *is,
                      size_t n);

/* Writes the TTL of the IP header at 'at', which is whole. */
void rewrite_write_ip_ttl(struct rewrite *r, uint16_t at, uint8_t ttl);
