/* str.c - growing strings and number parsing. Any thread but workers. */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
str_free(struct str *s)
{
	free(s->data);
	memset(s, 0, sizeof(*s));
}

void
str_clear(struct str *s)
{
	s->length = 0;
	if (s->data)
		s->data[0] = '\0';
}

static void
str_reserve(struct str *s, size_t extra)
{
	size_t need = s->length + extra + 1;

	if (need > s->allocated) {
		s->allocated = MAX_OF(need, s->allocated * 2);
		s->data = xrealloc(s->data, s->allocated);
	}
}

void
str_append_bytes(struct str *s, const void *data, size_t n)
{
	str_reserve(s, n);
	if (n)
		memcpy(s->data + s->length, data, n);
	s->length += n;
	s->data[s->length] = '\0';
}

void
str_append(struct str *s, const char *text)
{
	str_append_bytes(s, text, strlen(text));
}

void
str_append_char(struct str *s, char c)
{
	str_append_bytes(s, &c, 1);
}

void
str_printf(struct str *s, const char *fmt, ...)
{
	va_list args;
	int n;

	size_t room = s->data ? s->allocated - s->length : 0;

	va_start(args, fmt);
	n = vsnprintf(room ? s->data + s->length : NULL, room, fmt, args);
	va_end(args);
	if (n > 0 && (size_t)n < room)
		s->length += (size_t)n;
	if (n <= 0 || (size_t)n < room)
		return;
	str_reserve(s, (size_t)n);
	va_start(args, fmt);
	vsnprintf(s->data + s->length, (size_t)n + 1, fmt, args);
	va_end(args);
	s->length += (size_t)n;
}

const char *
str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

char *
str_steal(struct str *s)
{
	char *text = s->data ? s->data : xstrdup("");

	memset(s, 0, sizeof(*s));
	return text;
}

bool
parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long parsed;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	parsed = strtoull(text, &end, hex ? 16 : 10);
	if (errno || *end || end == text || parsed < min || parsed > max)
		return false;
	*value = parsed;
	return true;
}

bool
parse_i64(const char *text, int64_t min, int64_t max, int64_t *value)
{
	long long parsed;
	char *end;

	if (text[0] != '-' && (text[0] < '0' || text[0] > '9'))
		return false;
	errno = 0;
	parsed = strtoll(text, &end, 10);
	if (errno || *end || end == text || parsed < min || parsed > max)
		return false;
	*value = parsed;
	return true;
}

bool
parse_bool(const char *text, bool *value)
{
	if (!strcmp(text, "true"))
		*value = true;
	else if (!strcmp(text, "false"))
		*value = false;
	else
		return false;
	return true;
}
