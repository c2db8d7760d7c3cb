/* recent.c - a histogram that forgets: two halves of 5 s, the older of which is thrown
 * away when the younger is full. Between a worker that adds and main that reads. */
#include "qos/recent.h"

#include <string.h>

static uint64_t
age_ns(const struct recent *recent, uint64_t now_ns)
{
	uint64_t since_ns = __atomic_load_n(&recent->since_ns, __ATOMIC_RELAXED);

	return now_ns > since_ns ? now_ns - since_ns : 0;
}

static void
histogram_set(struct histogram *to, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		__atomic_store_n(&to->count[i], from ? from->count[i] : 0,
		                 __ATOMIC_RELAXED);
}

void
recent_add(struct recent *recent, uint64_t value_ns, uint64_t now_ns)
{
	uint64_t age = age_ns(recent, now_ns);

	if (age >= RECENT_SPAN_NS) {
		histogram_set(&recent->before,
		              age < 2 * RECENT_SPAN_NS ? &recent->now : NULL);
		histogram_set(&recent->now, NULL);
		__atomic_store_n(&recent->since_ns, now_ns, __ATOMIC_RELAXED);
	}
	histogram_add(&recent->now, value_ns);
}

void
recent_sum(const struct recent *recent, uint64_t now_ns, struct histogram *sum)
{
	uint64_t age = age_ns(recent, now_ns);
	struct histogram copy;

	if (age >= 2 * RECENT_SPAN_NS)
		return;
	histogram_copy(&copy, &recent->now);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		sum->count[i] += copy.count[i];
	if (age >= RECENT_SPAN_NS)
		return;
	histogram_copy(&copy, &recent->before);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		sum->count[i] += copy.count[i];
}
