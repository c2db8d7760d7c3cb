/* uuid.h - row identities: random (version 4) UUIDs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UUID_TEXT_BYTES 37 /* 36 characters and the NUL */

struct uuid {
	uint32_t parts[4]; /* most significant first, host byte order */
};

struct uuid uuid_random(void);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
int uuid_compare(const struct uuid *a, const struct uuid *b);
uint32_t uuid_hash(const struct uuid *uuid);
bool uuid_from_text(struct uuid *uuid, const char *text); /* exactly 36 characters */
void uuid_to_text(const struct uuid *uuid, char text[UUID_TEXT_BYTES]);
