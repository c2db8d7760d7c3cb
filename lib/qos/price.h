/* price.h - what a byte costs in some unit of time, as a 32-bit mantissa and a shift, so
 * that charging a packet is one multiplication. Any thread. */
#pragma once

#include <stdint.h>

/* numerator / denominator = mantissa / 2^shift, with a relative error below 2^-31. */
struct price {
	uint32_t mantissa;
	uint8_t shift;
};

/* 'denominator' is not 0. Values of 2^32 and more are cut to just below. */
struct price price_make(uint64_t numerator, uint64_t denominator);

/* 'span', an amount of time at the price 'from', for the same bytes at the price 'to'.
 * Saturates at a quarter of the range of int64_t. */
int64_t price_convert(int64_t span, struct price from, struct price to);

/* Rounded down; 'bytes' below 2^32. */
static inline uint64_t
price_of_bytes(uint32_t mantissa, uint8_t shift, uint32_t bytes)
{
	return ((uint64_t)bytes * mantissa) >> shift;
}
