/* error.c - fills struct error. Any thread. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
error_set(struct error *err, int code, const char *fmt, ...)
{
	if (err) {
		va_list args;

		va_start(args, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, args);
		va_end(args);
	}
	return code;
}

void
error_prefix(struct error *err, const char *fmt, ...)
{
	char prefix[256];
	char old[sizeof(err->text)];
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, args);
	va_end(args);
	memcpy(old, err->text, sizeof(old));
	/* A reason too long for the buffer is cut at its end: the name matters more. */
	snprintf(err->text, sizeof(err->text), "%s: %.*s", prefix,
	         (int)(sizeof(err->text) - sizeof(prefix) - 3), old);
}
