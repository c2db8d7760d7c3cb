/* uuid.c - makes, compares, reads and writes row identities. Any thread. */
#include "ovsdb/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hmap.h"

struct uuid
uuid_random(void)
{
	struct uuid uuid;
	ssize_t n;

	do {
		n = getrandom(&uuid, sizeof(uuid), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(uuid))
		abort(); /* cannot happen for 16 bytes (getrandom(2)) */
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
	const uint32_t *p = uuid->parts;

	snprintf(text, UUID_TEXT_BYTES, "%08x-%04x-%04x-%04x-%04x%08x", p[0], p[1] >> 16,
	         p[1] & 0xffff, p[2] >> 16, p[2] & 0xffff, p[3]);
}
