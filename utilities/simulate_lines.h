/* simulate_lines.h - texts that are read line by line: trees and loads of a simulation.
 * Pure. */
#pragma once

#include "base/error.h"

/* Takes one line, without its newline; < 0 and 'err' if it is wrong. */
typedef int simulate_line_fn(void *owner, const char *line, struct error *err);

/* Gives 'line' each line of 'text'. Ends at the first that is wrong, with what it
 * returned and the line's number, from 1, before its error. */
int simulate_lines_read(const char *text, simulate_line_fn *line, void *owner,
                        struct error *err);
