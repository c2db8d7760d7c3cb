/* clock.h - the two clocks of the control plane. Workers use the TSC instead
 * (datapath/worker.h). */
#pragma once

#include <stdint.h>

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_USEC 1000ULL

/* Monotonic time, unaffected by changes of the wall clock. */
uint64_t clock_mono_ns(void);

/* Wall-clock time since 1970, for log lines and database rows only. */
uint64_t clock_wall_ms(void);
