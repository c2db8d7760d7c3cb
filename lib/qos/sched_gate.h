/* sched_gate.h - classes that more than one thing holds back: a ceiling, a peak, a
 * ceiling of packets, a pause. The ceil_tag of such a class is the latest of their tags,
 * so that whoever asks whether a class may send reads one tag only. Private to
 * lib/qos/sched_*. Owner thread. */
#pragma once

#include "qos/sched_state.h"

/* Makes the record of a class say what its node says; gate_close() the other way round,
 * when tags or 'set' were changed in between. The class must be in no calendar. */
struct sched_gate *gate_open(struct sched *sched, uint32_t id);
void gate_close(struct sched *sched, uint32_t id);

/* Charges a visit to every ceiling of a class with NODE_HAS_CEIL and 'gated'. */
void gate_charge(struct sched *sched, uint32_t id, uint32_t bytes, uint32_t packets);

/* The tag of a ceiling after 'cost' ticks were charged. Rounded up: the ceiling is never
 * exceeded. */
static inline uint64_t
ceil_tag_charged(uint64_t tag, uint64_t now, uint32_t burst_ns, uint64_t cost)
{
	return tag_clamp(tag, now, burst_ns) + cost + 1;
}
