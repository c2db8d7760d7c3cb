/* coverage.h - the drop counters of all ports, summed by reason, with their rates over
 * 5 seconds, a minute and an hour. Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "vswitchd/running.h"

#define COVERAGE_INTERVAL_S 5

struct coverage;

struct coverage *coverage_create(void);
void coverage_destroy(struct coverage *coverage); /* NULL is fine */

/* To be called every COVERAGE_INTERVAL_S seconds. */
void coverage_sample(struct coverage *coverage, const struct running *running);

/* A heading, then six words for each counter that ever moved: its name, three rates
 * "N/sec", "total:" and the total. */
void coverage_print(const struct coverage *coverage, struct str *out);

/* False if there is no such counter. */
bool coverage_read(const struct coverage *coverage, const char *name, uint64_t *total);
