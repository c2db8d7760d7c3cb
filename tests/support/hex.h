/* hex.h - bytes written as hexadecimal digits, for tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The caller frees the bytes. */
static inline uint8_t *
hex_parse(const char *text, size_t *n)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *bytes = malloc(strlen(text) / 2 + 1);

	*n = strlen(text) / 2;
	if (!bytes)
		abort();
	for (size_t i = 0; i < *n; i++)
		bytes[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 |
		                     (strchr(digits, text[2 * i + 1]) - digits));
	return bytes;
}
