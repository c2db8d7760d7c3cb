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
random_next(struct qos_watch *watch)
{
	/* Numerical Recipes' generator; its high bits are the good ones. */
	watch->random = watch->random * 1664525U + 1013904223U;
	return watch->random >> 16;
}

static void
delay_note(const struct qos_watch *watch, uint32_t ref, enum qos_wait wait,
           uint64_t from_ns, uint64_t to_ns)
{
	const struct qos_delay_map *map =
		atomic_load_explicit(&watch->delays, memory_order_acquire);
	uint32_t index = ref & (SCHED_CLASSES_MAX - 1);
	struct qos_delays *delays;

	if (!map || index >= map->n || map->slots[index].ref != ref)
		return;
	delays = atomic_load_explicit(&map->slots[index].delays, memory_order_acquire);
	if (delays)
		histogram_add(&delays->wait[wait], to_ns > from_ns ? to_ns - from_ns : 0);
}

void
qos_delay_take_sample(struct qos_watch *watch, struct qos_sample *sample,
                      struct qos_item *const *items, uint32_t n, uint64_t now_ns)
{
	uint32_t index = watch->skip;

	sample->ref = items[index]->class_ref;
	sample->index = index;
	sample->scheduled_ns = now_ns;
	watch->skip =
		STRIDE_MIN + random_next(watch) % STRIDE_SPREAD - 1 - (n - index - 1);
	delay_note(watch, sample->ref, QOS_WAIT_QUEUE, items[index]->enqueued_ns, now_ns);
}

void
qos_delay_end_sample(struct qos_watch *watch, struct qos_sample *sample, uint64_t now_ns)
{
	delay_note(watch, sample->ref, QOS_WAIT_RING, sample->scheduled_ns, now_ns);
	sample->ref = 0;
}
