/* of_wire.h - big-endian numbers for the codec's files: read from bytes whose length the
 * caller has checked, appended to a str, patched in one. Private to lib/openflow. */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define OF_VENDOR_NICIRA 0x00002320U
#define OF_VENDOR_ONF    0x4f4e4600U

static inline uint16_t
of_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
of_get32(const uint8_t *p)
{
	return (uint32_t)of_get16(p) << 16 | of_get16(p + 2);
}

static inline uint64_t
of_get64(const uint8_t *p)
{
	return (uint64_t)of_get32(p) << 32 | of_get32(p + 4);
}

static inline void
of_set16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void
of_set32(uint8_t *p, uint32_t value)
{
	of_set16(p, (uint16_t)(value >> 16));
	of_set16(p + 2, (uint16_t)value);
}

static inline void
of_set64(uint8_t *p, uint64_t value)
{
	of_set32(p, (uint32_t)(value >> 32));
	of_set32(p + 4, (uint32_t)value);
}

static inline void
of_put8(struct str *out, uint8_t value)
{
	str_append_bytes(out, &value, 1);
}

static inline void
of_put16(struct str *out, uint16_t value)
{
	uint8_t bytes[2];

	of_set16(bytes, value);
	str_append_bytes(out, bytes, sizeof(bytes));
}

static inline void
of_put32(struct str *out, uint32_t value)
{
	uint8_t bytes[4];

	of_set32(bytes, value);
	str_append_bytes(out, bytes, sizeof(bytes));
}

static inline void
of_put64(struct str *out, uint64_t value)
{
	uint8_t bytes[8];

	of_set64(bytes, value);
	str_append_bytes(out, bytes, sizeof(bytes));
}

static inline void
of_put_zeros(struct str *out, size_t n)
{
	while (n--)
		of_put8(out, 0);
}

/* Zeros up to a multiple of 8 counted from 'start'. */
static inline void
of_put_padding(struct str *out, size_t start)
{
	of_put_zeros(out, -(out->length - start) & 7);
}

/* Writes a number over what stands at 'offset' already. */
static inline void
of_patch16(struct str *out, size_t offset, uint16_t value)
{
	of_set16((uint8_t *)out->data + offset, value);
}

/* Rounds up to a multiple of 8. */
static inline size_t
of_round8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static inline bool
of_is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}
