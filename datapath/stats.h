/* stats.h - sums of what workers count. Main thread. */
#pragma once

#include <stdint.h>

/* Keeps the counts of a worker that is about to end. */
void stats_retire_worker(uint16_t worker_id);

/* Once a second: notes the cycles of every queue, for the usage over the last minute. */
void stats_tick(void);
