/* coverage.c - samples drop counters into rings; shown by control_counters.c. Main
 * thread. */
#include "vswitchd/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "base/mem.h"

#define MINUTE_SAMPLES (60 / COVERAGE_INTERVAL_S)
#define HOUR_SAMPLES   (3600 / COVERAGE_INTERVAL_S)

struct counter {
	struct hmap_node node; /* in coverage.counters, by name */
	char *name;
	uint64_t sum;      /* over the ports, in this sample */
	uint64_t last_sum; /* in the one before */
	uint64_t total;    /* since the start, also of ports that are gone */
	uint32_t increments[HOUR_SAMPLES]; /* of each sample; a ring */
};

struct coverage {
	struct hmap counters;
	unsigned next; /* slot in every ring */
};

struct coverage *
coverage_create(void)
{
	return xcalloc(1, sizeof(struct coverage));
}

void
coverage_destroy(struct coverage *coverage)
{
	struct counter *counter;

	if (!coverage)
		return;
	HMAP_FOR_EACH (counter, node, &coverage->counters) {
		hmap_remove(&coverage->counters, &counter->node);
		free(counter->name);
		free(counter);
	}
	hmap_destroy(&coverage->counters);
	free(coverage);
}

static struct counter *
coverage_find(const struct coverage *coverage, const char *name)
{
	struct counter *counter;

	HMAP_FOR_EACH_WITH_HASH (counter, node, hash_string(name, 0), &coverage->counters)
		if (!strcmp(counter->name, name))
			return counter;
	return NULL;
}

static void
coverage_add(const char *name, uint64_t value, void *aux)
{
	struct coverage *coverage = aux;
	struct counter *counter;

	if (strncmp(name, "drop_", 5))
		return;
	counter = coverage_find(coverage, name);
	if (!counter) {
		counter = xcalloc(1, sizeof(*counter));
		counter->name = xstrdup(name);
		hmap_insert(&coverage->counters, &counter->node, hash_string(name, 0));
	}
	counter->sum += value;
}

void
coverage_sample(struct coverage *coverage, const struct running *running)
{
	struct running_port *port;
	struct counter *counter;

	HMAP_FOR_EACH (port, node, &running->ports)
		dp_port_counters(port->id, coverage_add, coverage);
	HMAP_FOR_EACH (counter, node, &coverage->counters) {
		/* A sum that shrank has lost a port, with what it had counted. */
		uint64_t more = counter->sum > counter->last_sum
		                        ? counter->sum - counter->last_sum
		                        : 0;

		counter->total += more;
		counter->increments[coverage->next] = (uint32_t)MIN_OF(more, UINT32_MAX);
		counter->last_sum = counter->sum;
		counter->sum = 0;
	}
	coverage->next = (coverage->next + 1) % HOUR_SAMPLES;
}

static double
coverage_rate(const struct coverage *coverage, const struct counter *counter, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 1; i <= n; i++)
		sum += counter->increments[(coverage->next + HOUR_SAMPLES - i) %
		                           HOUR_SAMPLES];
	return (double)sum / (double)(n * COVERAGE_INTERVAL_S);
}

static int
compare_counters(const void *a, const void *b)
{
	const struct counter *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void
coverage_print(const struct coverage *coverage, struct str *out)
{
	const struct counter **list = xcalloc(coverage->counters.count, sizeof(*list));
	size_t n = 0, n_zero = 0;
	struct counter *counter;

	HMAP_FOR_EACH (counter, node, &coverage->counters) {
		if (counter->total)
			list[n++] = counter;
		else
			n_zero++;
	}
	qsort(list, n, sizeof(*list), compare_counters);
	str_append(out, "Event coverage, avg rate over last: 5 seconds, last minute, "
	                "last hour:\n");
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %llu\n",
		           list[i]->name, coverage_rate(coverage, list[i], 1),
		           coverage_rate(coverage, list[i], MINUTE_SAMPLES),
		           coverage_rate(coverage, list[i], HOUR_SAMPLES),
		           (unsigned long long)list[i]->total);
	str_printf(out, "%zu events never hit\n", n_zero);
	free(list);
}

bool
coverage_read(const struct coverage *coverage, const char *name, uint64_t *total)
{
	const struct counter *counter = coverage_find(coverage, name);

	if (counter)
		*total = counter->total;
	return counter != NULL;
}
