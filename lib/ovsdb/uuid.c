/* uuid.c - makes, compares, reads and writes row identities. Any thread. */
#include "ovsdb/uuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hmap.h"

/* Sixteen at a time: a large transaction makes tens of thousands. 256 bytes is what
 * getrandom(2) gives without being interrupted. */
struct uuid
uuid_random(void)
{
	static _Thread_local struct uuid pool[16];
	static _Thread_local size_t n_left;
	struct uuid uuid;
	ssize_t n;

	if (!n_left) {
		do {
			n = getrandom(pool, sizeof(pool), 0);
		} while (n < 0 && errno == EINTR);
		if (n != sizeof(pool))
			abort(); /* cannot happen for 256 bytes (getrandom(2)) */
		n_left = ARRAY_SIZE(pool);
	}
	uuid = pool[--n_left];
	uuid.parts[1] = (uuid.parts[1] & 0xffff0fff) | 0x00004000; /* version 4 */
	uuid.parts[2] = (uuid.parts[2] & 0x3fffffff) | 0x80000000; /* RFC 4122 */
	return uuid;
}

bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
	for (int i = 0; i < 4; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	return 0;
}

uint32_t
uuid_hash(const struct uuid *uuid)
{
	return hash_bytes(uuid, sizeof(*uuid), 0);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
uuid_from_text(struct uuid *uuid, const char *text)
{
	struct uuid parsed = {{0, 0, 0, 0}};
	unsigned n_digits = 0;

	for (unsigned i = 0; i < UUID_TEXT_BYTES - 1; i++) {
		int value;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
			continue;
		}
		value = hex_value(text[i]);
		if (value < 0)
			return false;
		parsed.parts[n_digits / 8] =
			parsed.parts[n_digits / 8] << 4 | (uint32_t)value;
		n_digits++;
	}
	if (text[UUID_TEXT_BYTES - 1])
		return false;
	*uuid = parsed;
	return true;
}

void
uuid_to_text(const struct uuid *uuid, char text[UUID_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	char *out = text;

	for (unsigned i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*out++ = '-';
		*out++ = digits[uuid->parts[i / 8] >> (28 - i % 8 * 4) & 15];
	}
	*out = '\0';
}
