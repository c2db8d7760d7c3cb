/* simulate_lines.c - see simulate_lines.h. Pure. */
#include <config.h>

#include "simulate_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int
simulate_lines_read(const char *text, simulate_line_fn *line, void *owner,
                    struct error *err)
{
	unsigned number = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");
		char *copy = xmalloc(length + 1);
		int ret;

		memcpy(copy, text, length);
		copy[length] = '\0';
		number++;
		ret = line(owner, copy, err);
		free(copy);
		if (ret) {
			error_prefix(err, "line %u", number);
			return ret;
		}
		text += length + (text[length] == '\n');
	}
	return 0;
}
