/* checksum.c - sums 16-bit words in whatever byte order memory has; the folded sum is
 * right in network order on any machine (RFC 1071, section 2B). */
#include "net/checksum.h"

#include <errno.h>
#include <string.h>

uint64_t
checksum_add(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t word;
	uint16_t half = 0;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	if (n >= sizeof(half)) {
		memcpy(&half, p, sizeof(half));
		sum += half;
		n -= sizeof(half);
		p += sizeof(half);
	}
	if (n) {
		half = 0;
		memcpy(&half, p, 1);
		sum += half;
	}
	return sum;
}

uint64_t
checksum_add_at(uint64_t sum, const void *data, size_t n, size_t at)
{
	uint16_t folded;

	if (at % 2 == 0)
		return checksum_add(sum, data, n);
	/* Its words are shifted by a byte: the sum of swapped words is the swapped sum.
	 */
	folded = (uint16_t)~checksum_finish(checksum_add(0, data, n));
	return sum + (uint16_t)(folded << 8 | folded >> 8);
}

uint64_t
checksum_pseudo(const uint8_t *ip, bool is_ipv6, uint8_t protocol, size_t l4_bytes)
{
	uint8_t tail[4] = {0, protocol, (uint8_t)(l4_bytes >> 8), (uint8_t)l4_bytes};
	uint64_t sum = checksum_add(0, tail, sizeof(tail));

	return is_ipv6 ? checksum_add(sum, ip + 8, 32) : checksum_add(sum, ip + 12, 8);
}

uint16_t
checksum_finish(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int
checksum_complete(uint8_t *frame, size_t length, size_t start, size_t offset)
{
	uint16_t sum;

	if (start > length || length - start < offset + sizeof(sum))
		return -EINVAL;
	sum = checksum_finish(checksum_add(0, frame + start, length - start));
	/* 0 would mean "no checksum" in UDP; the two are the same number in this
	 * arithmetic. */
	if (sum == 0)
		sum = 0xffff;
	memcpy(frame + start + offset, &sum, sizeof(sum));
	return 0;
}
