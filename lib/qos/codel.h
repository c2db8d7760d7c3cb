/* codel.h - controlled delay (RFC 8289): which packets of a queue to drop, or mark, so
 * that a queue that stands becomes shorter. Arithmetic only. Any one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Times here are units of 1024 ns in 32 bits, compared by signed difference: they wrap
 * after 73 minutes, of which a delay is at most half. */
#define CODEL_UNIT_SHIFT 10
#define CODEL_TIME_MAX   INT32_MAX

#define CODEL_TARGET_DEFAULT_NS   5000000U
#define CODEL_INTERVAL_DEFAULT_NS 100000000U

struct codel_params {
	uint32_t target;   /* the delay that a standing queue may have */
	uint32_t interval; /* how long it may be above: a round-trip time */
};

/* Of one queue; all zero at first. */
struct codel {
	uint32_t above_until; /* delay is above target; too long from here; 0 = below */
	uint32_t next_drop;   /* while dropping */
	uint32_t count : 31;  /* drops since dropping began, or what that goes on from */
	uint32_t is_dropping : 1;
	uint32_t last_count; /* 'count' when dropping began */
};

/* Whether the packet at the head, which has been queued for 'delay', is to be dropped or
 * marked. 'is_last': what remains behind it is one packet or less. Each packet is judged
 * once. */
bool codel_judge(struct codel *codel, const struct codel_params *params, uint32_t now,
                 uint32_t delay, bool is_last);

static inline uint32_t
codel_time_of_ns(uint64_t ns)
{
	uint64_t units = ns >> CODEL_UNIT_SHIFT;

	return units < CODEL_TIME_MAX ? (uint32_t)units : CODEL_TIME_MAX;
}
