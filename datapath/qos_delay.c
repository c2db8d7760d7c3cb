/* qos_delay.c - takes the time of one packet in 64 on its way through a scheduler: into
 * the histograms of its class. Runs on the worker that owns the scheduler. */
#include "datapath/qos_delay.h"

#include "qos/sched.h"

#include "datapath/hot.h"

/* Packets from one that is looked at to the next: 33 to 96, by chance so that traffic of
 * an even pace is seen as it is, and more than a batch holds. */
#define STRIDE_MIN    (BATCH_MAX + 1U)
#define STRIDE_SPREAD 64U

static uint32_t
random_next(struct qos_timing *timing)
{
	/* Numerical Recipes' generator; its high bits are the good ones. */
	timing->random = timing->random * 1664525U + 1013904223U;
	return timing->random >> 16;
}

static void
delay_note(const struct qos_timing *timing, uint32_t ref, enum qos_wait wait,
           uint64_t wait_ns)
{
	const struct qos_delay_map *map =
		atomic_load_explicit(&timing->delays, memory_order_acquire);
	uint32_t index = ref & (SCHED_CLASSES_MAX - 1);
	struct qos_delays *delays;

	if (!map || index >= map->n || map->slots[index].ref != ref)
		return;
	delays = atomic_load_explicit(&map->slots[index].delays, memory_order_acquire);
	if (delays)
		histogram_add(&delays->wait[wait], wait_ns);
}

void
qos_delay_begin(struct qos_timing *timing, struct qos_item *const *items, uint32_t n,
                uint64_t now_ns)
{
	uint32_t index = timing->skip;
	uint64_t since_ns = items[index]->enqueued_ns;

	timing->item = items[index];
	timing->ref = items[index]->class_ref;
	timing->skip =
		STRIDE_MIN + random_next(timing) % STRIDE_SPREAD - 1 - (n - index - 1);
	delay_note(timing, timing->ref, QOS_WAIT_QUEUE,
	           now_ns > since_ns ? now_ns - since_ns : 0);
}

void
qos_delay_end(const struct qos_timing *timing, uint32_t ref, uint64_t wait_ns)
{
	delay_note(timing, ref, QOS_WAIT_RING, wait_ns);
}
