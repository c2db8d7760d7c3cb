/* qos_delay.h - how long packets wait on their way through a scheduler: the owner worker
 * notes the delays of one in 64 into histograms that main provides per class and reads.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"
#include "datapath/packet.h"
#include "qos/histogram.h"

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

struct qos_timing {
	struct qos_delay_map *_Atomic delays; /* main publishes; NULL = none */

	/* the owner's */
	uint32_t skip; /* packets until the next one that is looked at */
	uint32_t random;
	const struct qos_item *item; /* one that is looked at, until it is sent or kept */
	uint32_t ref;                /* its class */
	const struct qos_item *kept; /* one that waits for its port */
};

/* A packet looked at among those that a port may take now. */
struct qos_timed {
	uint32_t ref; /* 0 = none: no leaf has that reference */
	uint32_t index;
	uint64_t since_ns;
};

/* ---- owner worker ---- */

void qos_delay_begin(struct qos_timing *timing, struct qos_item *const *items, uint32_t n,
                     uint64_t now_ns);
void qos_delay_end(const struct qos_timing *timing, uint32_t ref, uint64_t wait_ns);

/* The scheduler gave these 'n' items, at most BATCH_MAX. */
static inline void
qos_delay_scheduled(struct qos_timing *timing, struct qos_item *const *items, uint32_t n,
                    uint64_t now_ns)
{
	if (likely(timing->skip >= n))
		timing->skip -= n;
	else
		qos_delay_begin(timing, items, n, now_ns);
}

/* This one has to wait for its port, from 'enqueued_ns' on. */
static inline void
qos_delay_kept(struct qos_timing *timing, const struct qos_item *item)
{
	if (timing->item != item)
		return;
	timing->kept = item;
	timing->item = NULL;
}

/* What the scheduler gave was sent, or kept. */
static inline void
qos_delay_sent(struct qos_timing *timing)
{
	if (likely(!timing->item))
		return;
	qos_delay_end(timing, timing->ref, 0);
	timing->item = NULL;
}

/* A packet that was kept is offered to its port as number 'index'. */
static inline void
qos_delay_offer(const struct qos_timing *timing, struct qos_timed *timed,
                const struct qos_item *item, uint32_t index)
{
	if (likely(timing->kept != item))
		return;
	timed->ref = item->class_ref;
	timed->index = index;
	timed->since_ns = item->enqueued_ns;
}

/* The port took the first 'taken'. */
static inline void
qos_delay_taken(const struct qos_timing *timing, const struct qos_timed *timed,
                uint32_t taken, uint64_t now_ns)
{
	if (timed->ref && timed->index < taken)
		qos_delay_end(timing, timed->ref, now_ns - timed->since_ns);
}
