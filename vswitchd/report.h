/* report.h - tells the log what went wrong with a configuration, once: reasons that were
 * there before are not repeated. Main thread. */
#pragma once

#include "vswitchd/desired.h"

/* 'before' may be NULL. */
void report_changes(const struct desired *before, const struct desired *after);

/* Calls 'cb' for each reason in 'after' that 'before' (may be NULL) does not have, as it
 * would be logged. */
void report_new_problems(const struct desired *before, const struct desired *after,
                         void (*cb)(const char *text, void *aux), void *aux);

/* True if some failure may go away by itself: a kernel interface or a folder appears. */
bool report_wants_retry(const struct desired *desired);
