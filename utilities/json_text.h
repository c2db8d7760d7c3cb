/* json_text.h - JSON as the tools print it: on one line, or spread out. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"

/* Members of objects come in the order of their names. */
void json_text_append(const json_t *json, bool pretty, struct str *out);
