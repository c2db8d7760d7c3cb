/* program_text.h - programs (datapath/program.h) as text, for unit tests. */
#pragma once

#include <stddef.h>

#include "base/str.h"

/* Appends "output:1,clone(output:2)"; of an empty program nothing. */
void program_format(struct str *out, const void *records, size_t bytes);
