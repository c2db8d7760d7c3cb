/* crc32c.c - polynomials over two elements, lowest power in the highest bit. Bit by bit:
 * only headers of SCTP that are changed come here. */
#include "net/crc32c.h"

#define CRC32C_POLYNOMIAL 0x82f63b78U
#define CRC32C_X8         (1U << 23) /* x to the 8th: a byte of zeros behind */

static uint32_t
crc32c_times_x(uint32_t value)
{
	return value & 1 ? value >> 1 ^ CRC32C_POLYNOMIAL : value >> 1;
}

uint32_t
crc32c_add(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (; n > 0; n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc32c_times_x(crc);
	}
	return crc;
}

static uint32_t
crc32c_multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (; a; a <<= 1) {
		if (a >> 31)
			product ^= b;
		b = crc32c_times_x(b);
	}
	return product;
}

uint32_t
crc32c_difference(const void *difference, size_t n, size_t after)
{
	uint32_t crc = crc32c_add(0, difference, n), power = CRC32C_X8;

	for (; after > 0; after >>= 1) {
		if (after & 1)
			crc = crc32c_multiply(crc, power);
		power = crc32c_multiply(power, power);
	}
	return crc;
}
