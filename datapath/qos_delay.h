/* qos_delay.h - how long packets wait on their way through a scheduler: the owner worker
 * notes the delays of one in 64 into histograms that main provides per class and reads.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"
#include "datapath/packet.h"
#include "qos/histogram.h"

struct qos_history;

/* What a class's packets waited for: in its queue, and for room in the port's ring. */
enum qos_wait { QOS_WAIT_QUEUE, QOS_WAIT_RING, QOS_WAITS };

struct qos_delays {
	struct histogram wait[QOS_WAITS];         /* the owner writes, main reads */
	struct histogram_mark mark[2][QOS_WAITS]; /* main's: 5 s apart */
};

/* By index of the scheduler's class, 'ref' being the one that it is of. */
struct qos_delay_map {
	uint32_t n;
	struct {
		uint32_t ref;
		struct qos_delays *_Atomic delays; /* NULL until there was traffic */
	} slots[];
};

struct qos_watch {
	struct qos_delay_map *_Atomic delays; /* main publishes; NULL = none */
	struct qos_history *history;          /* main's; NULL before the first tree */

	/* the owner's */
	uint32_t skip; /* packets until the next one that is looked at */
	uint32_t random;
};

/* The packet looked at among those that the port has yet to take; the owner's. */
struct qos_sample {
	uint32_t ref;   /* 0 = none: no leaf has that reference */
	uint32_t index; /* in the batch */
	uint64_t scheduled_ns;
};

/* ---- owner worker ---- */

void qos_delay_take_sample(struct qos_watch *watch, struct qos_sample *sample,
                           struct qos_item *const *items, uint32_t n, uint64_t now_ns);
void qos_delay_end_sample(struct qos_watch *watch, struct qos_sample *sample,
                          uint64_t now_ns);

/* The scheduler gave these 'n' items, at most BATCH_MAX, and none are pending before. */
static inline void
qos_delay_scheduled(struct qos_watch *watch, struct qos_sample *sample,
                    struct qos_item *const *items, uint32_t n, uint64_t now_ns)
{
	if (likely(watch->skip >= n))
		watch->skip -= n;
	else
		qos_delay_take_sample(watch, sample, items, n, now_ns);
}

/* The port took the first 'n' of what was pending. */
static inline void
qos_delay_taken(struct qos_watch *watch, struct qos_sample *sample, uint32_t n,
                uint64_t now_ns)
{
	if (likely(!sample->ref))
		return;
	if (sample->index < n)
		qos_delay_end_sample(watch, sample, now_ns);
	else
		sample->index -= n;
}
