/* price.c - makes and converts the prices of price.h. */
#include "qos/price.h"

#define SPAN_MAX (INT64_MAX / 4)

static int
bits_of(uint64_t value)
{
	return 63 - __builtin_clzll(value | 1);
}

struct price
price_make(uint64_t numerator, uint64_t denominator)
{
	int shift = 31 - (bits_of(numerator) - bits_of(denominator));
	unsigned __int128 quotient;

	if (shift < 0)
		return (struct price){.mantissa = UINT32_MAX, .shift = 0};
	if (shift > 63)
		shift = 63;
	quotient = ((unsigned __int128)numerator << shift) / denominator;
	/* The estimate of the shift may be one too small. */
	if (quotient < (1ULL << 31) && shift < 63) {
		shift++;
		quotient = ((unsigned __int128)numerator << shift) / denominator;
	}
	if (quotient > UINT32_MAX)
		quotient = UINT32_MAX;
	return (struct price){.mantissa = (uint32_t)quotient, .shift = (uint8_t)shift};
}

int64_t
price_convert(int64_t span, struct price from, struct price to)
{
	uint64_t magnitude = span < 0 ? -(uint64_t)span : (uint64_t)span;
	int shift = (int)from.shift - (int)to.shift;
	unsigned __int128 scaled;

	if (!from.mantissa)
		return span;
	if (magnitude > SPAN_MAX)
		magnitude = SPAN_MAX;
	scaled = (unsigned __int128)magnitude * to.mantissa;
	/* At most 62 + 32 bits are used, so 33 more cannot overflow. */
	if (shift > 33)
		scaled = scaled ? (unsigned __int128)SPAN_MAX * from.mantissa : 0;
	else if (shift >= 0)
		scaled <<= shift;
	else
		scaled >>= -shift;
	scaled /= from.mantissa;
	if (scaled > SPAN_MAX)
		scaled = SPAN_MAX;
	return span < 0 ? -(int64_t)scaled : (int64_t)scaled;
}
