/* error.h - a reason that a person can read, beside the 0 / -errno that code reads. */
#pragma once

#include "base/compiler.h"

/* One line, no newline at its end; names the object and the reason.
 * Lives on its user's stack; the empty text means no error. */
struct error {
	char text[512];
};

/* Writes the text and returns 'code' (a negative errno), so that a caller can
 * "return error_set(err, -EINVAL, ...)". 'err' may be NULL. */
int error_set(struct error *err, int code, const char *fmt, ...) PRINTF_FORMAT(3, 4);

/* Puts "<prefix>: " in front of a text that is already set. */
void error_prefix(struct error *err, const char *fmt, ...) PRINTF_FORMAT(2, 3);
