/* escape.h - text as a JSON string, many times faster than by way of a json_t. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Appends 'n' bytes as a JSON string, quotes included. False, and nothing is appended, if
 * they are not all ASCII: jansson shall judge those. */
bool json_escape_ascii(struct str *out, const char *text, size_t n);
