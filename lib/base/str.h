/* str.h - a string that grows, and strict parsing of numbers. Control plane only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* 'data' is NULL or NUL-terminated; owned by the holder, released by str_free(). */
struct str {
	char *data;
	size_t length;
	size_t allocated;
};

#define STR_INIT           \
	{                  \
		NULL, 0, 0 \
	}

void str_free(struct str *s);
void str_clear(struct str *s);
void str_append(struct str *s, const char *text);
void str_append_bytes(struct str *s, const void *data, size_t n);
void str_append_char(struct str *s, char c);
void str_printf(struct str *s, const char *fmt, ...) PRINTF_FORMAT(2, 3);

/* The text, never NULL; valid until the next change. */
const char *str_text(const struct str *s);

/* Hands the text to the caller, who frees it, and leaves 's' empty. Never NULL. */
char *str_steal(struct str *s);

/* The whole of 'text' as a number ("0x" for hexadecimal); false if it is not one or does
 * not fit between 'min' and 'max'. 'value' is written on success only. */
bool parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);
bool parse_i64(const char *text, int64_t min, int64_t max, int64_t *value);
bool parse_bool(const char *text, bool *value);
