/* trace.h - programs as text, for traces and dumps of the flow cache. Main. */
#pragma once

#include <stddef.h>

#include "base/str.h"

/* Appends "output:1,clone(output:2)"; of an empty program nothing. */
void program_format(struct str *out, const void *records, size_t bytes);
