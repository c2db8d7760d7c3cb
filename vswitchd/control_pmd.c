/* control_pmd.c - dpif-netdev/pmd-*: what the workers do, in the shape that users and
 * scripts of Open vSwitch know. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/control_commands.h"

struct pmd_filter {
	struct str *out;
	bool all;
	int core; /* only this one, unless all */
};

/* [-pmd CORE] [-secs N]. Usage is always of the last minute, so that N is only checked.
 */
static int
pmd_parse_args(size_t n_args, const char *const *args, struct pmd_filter *filter,
               struct error *err)
{
	filter->all = true;
	for (size_t i = 0; i < n_args; i++) {
		bool is_core = !strcmp(args[i], "-pmd");
		uint64_t value;

		if (!is_core && strcmp(args[i], "-secs"))
			return error_set(err, -EINVAL, "\"%s\" is not an option",
			                 args[i]);
		if (++i == n_args || !parse_u64(args[i], 0, DP_CPUS_MAX - 1, &value))
			return error_set(err, -EINVAL, "%s needs a number", args[i - 1]);
		if (is_core) {
			filter->all = false;
			filter->core = (int)value;
		}
	}
	return 0;
}

static bool
pmd_is_wanted(const struct pmd_filter *filter, const struct dp_worker_stats *stats)
{
	return filter->all || filter->core == stats->core;
}

static int
compare_rxqs(const void *a, const void *b)
{
	const struct dp_rxq_status *x = a, *y = b;
	int by_name = strcmp(x->port_name, y->port_name);

	return by_name ? by_name : x->queue - y->queue;
}

static void
pmd_print_rxqs(const struct dp_worker_stats *stats, const struct dp_rxq_status *rxqs,
               void *aux)
{
	const struct pmd_filter *filter = aux;
	struct dp_rxq_status *sorted;
	bool usage_known = false;

	if (stats->core < 0 || !pmd_is_wanted(filter, stats))
		return;
	sorted = xcalloc(stats->n_rxqs, sizeof(*sorted));
	for (size_t i = 0; i < stats->n_rxqs; i++)
		sorted[i] = rxqs[i];
	qsort(sorted, stats->n_rxqs, sizeof(*sorted), compare_rxqs);
	str_printf(filter->out, "pmd thread numa_id %d core_id %d:\n  isolated : false\n",
	           stats->numa_node, stats->core);
	for (size_t i = 0; i < stats->n_rxqs; i++) {
		const struct dp_rxq_status *rxq = &sorted[i];

		str_printf(filter->out,
		           "  port: %-16s  queue-id: %2u %s  pmd usage: ", rxq->port_name,
		           rxq->queue, rxq->enabled ? "(enabled) " : "(disabled)");
		if (rxq->usage_known)
			str_printf(filter->out, "%2u %%\n", rxq->usage_percent);
		else
			str_append(filter->out, "NOT AVAIL\n");
		usage_known |= rxq->usage_known;
	}
	free(sorted);
	if (usage_known)
		str_printf(filter->out, "  overhead: %2u %%\n", stats->overhead_percent);
	else
		str_append(filter->out, "  overhead: NOT AVAIL\n");
}

static int
pmd_rxq_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
             void *aux)
{
	struct pmd_filter filter = {.out = out};
	int ret = pmd_parse_args(n_args, args, &filter, err);

	(void)aux;
	if (ret)
		return ret;
	str_append(out, "Displaying last 60 seconds pmd usage %\n");
	if (dp_is_running())
		dp_workers_dump(pmd_print_rxqs, &filter);
	return 0;
}

static double
ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

/* weir's flow cache answers to the exact-match cache; a walk of the pipeline stands where
 * Open vSwitch looks up its wildcard table. There are no upcalls. */
static void
pmd_print_stats(const struct dp_worker_stats *s, const struct dp_rxq_status *rxqs,
                void *aux)
{
	const struct pmd_filter *filter = aux;
	struct str *out = filter->out;
	uint64_t idle = s->idle_cycles + s->sleep_cycles;
	uint64_t total = idle + s->busy_cycles;

	(void)rxqs;
	if (!pmd_is_wanted(filter, s))
		return;
	if (s->core >= 0)
		str_printf(out, "pmd thread numa_id %d core_id %d:\n", s->numa_node,
		           s->core);
	else
		str_append(out, "main thread:\n");
	str_printf(out, "  packets received: %llu\n", (unsigned long long)s->packets);
	str_append(out, "  packet recirculations: 0\n");
	str_printf(out, "  avg. datapath passes per packet: %.2f\n",
	           s->packets ? 1.0 : 0.0);
	str_append(out, "  phwol hits: 0\n  mfex opt hits: 0\n  simple match hits: 0\n");
	str_printf(out, "  emc hits: %llu\n", (unsigned long long)s->cache_hits);
	str_append(out, "  smc hits: 0\n");
	str_printf(out, "  megaflow hits: %llu\n", (unsigned long long)s->pipeline_walks);
	str_printf(out, "  avg. subtable lookups per megaflow hit: %.2f\n",
	           s->pipeline_walks ? 1.0 : 0.0);
	str_append(out, "  miss with success upcall: 0\n"
	                "  miss with failed upcall: 0\n");
	str_printf(out, "  avg. packets per output batch: %.2f\n",
	           ratio(s->tx_packets, s->tx_batches));
	str_printf(out, "  idle cycles: %llu (%.02f%%)\n", (unsigned long long)idle,
	           100 * ratio(idle, total));
	str_printf(out, "  processing cycles: %llu (%.02f%%)\n",
	           (unsigned long long)s->busy_cycles,
	           100 * ratio(s->busy_cycles, total));
	if (!s->packets)
		return;
	str_printf(out, "  avg cycles per packet: %.02f (%llu/%llu)\n",
	           ratio(total, s->packets), (unsigned long long)total,
	           (unsigned long long)s->packets);
	str_printf(out, "  avg processing cycles per packet: %.02f (%llu/%llu)\n",
	           ratio(s->busy_cycles, s->packets), (unsigned long long)s->busy_cycles,
	           (unsigned long long)s->packets);
}

static int
pmd_stats_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
               void *aux)
{
	struct pmd_filter filter = {.out = out};
	int ret = pmd_parse_args(n_args, args, &filter, err);

	(void)aux;
	if (!ret && dp_is_running())
		dp_workers_dump(pmd_print_stats, &filter);
	return ret;
}

static int
pmd_stats_clear(size_t n_args, const char *const *args, struct str *out,
                struct error *err, void *aux)
{
	(void)n_args, (void)args, (void)out, (void)err, (void)aux;
	if (dp_is_running())
		dp_workers_clear_stats();
	return 0;
}

void
control_add_pmd(struct control_registry *registry)
{
	control_register(registry, "dpif-netdev/pmd-rxq-show", "[-pmd core] [-secs secs]",
	                 0, 4, pmd_rxq_show, NULL);
	control_register(registry, "dpif-netdev/pmd-stats-show", "[-pmd core]", 0, 2,
	                 pmd_stats_show, NULL);
	control_register(registry, "dpif-netdev/pmd-stats-clear", "", 0, 0,
	                 pmd_stats_clear, NULL);
}
