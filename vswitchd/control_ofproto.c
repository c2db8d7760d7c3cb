/* control_ofproto.c - ofproto/list, bridge/dump-flows and the dumps of what workers have
 * cached; ofproto/trace is control_trace.c. Main thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "openflow/of_text.h"
#include "vswitchd/control_commands.h"

static int
find_bridge(const struct running *running, const char *name,
            const struct running_bridge **bridge, struct error *err)
{
	*bridge = running_find_bridge(running, name);
	return *bridge ? 0 : error_set(err, -ENOENT, "no such bridge");
}

static int
ofproto_list(size_t n_args, const char *const *args, struct str *out, struct error *err,
             void *aux)
{
	struct running_bridge **bridges;
	size_t n;

	(void)n_args, (void)args, (void)err;
	bridges = running_list_bridges(aux, &n);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s\n", bridges[i]->config.name);
	free(bridges);
	return 0;
}

static int
bridge_dump_flows(size_t n_args, const char *const *args, struct str *out,
                  struct error *err, void *aux)
{
	const struct running_bridge *bridge;
	int ret = find_bridge(aux, args[n_args - 1], &bridge, err);

	if (ret)
		return ret;
	ofproto_dump_flows(bridge->ofproto, out);
	return 0;
}

/* ---- caches ---- */

struct cache_dump {
	struct str *out;
	const struct running *running;
	const struct running_bridge *bridge;
	int core;
	unsigned worker;
	bool has_head;
};

static void
print_entry(const struct dp_cache_entry *entry, void *aux)
{
	struct cache_dump *dump = aux;
	uint64_t now_ns = dp_time_ns();

	if (!dump->has_head && dump->core < 0)
		str_append(dump->out, "flow-dump from the main thread:\n");
	else if (!dump->has_head)
		str_printf(dump->out, "flow-dump from pmd on cpu core: %d\n", dump->core);
	dump->has_head = true;
	str_append(dump->out, entry->flow);
	str_printf(dump->out,
	           ", packets:%" PRIu64 ", bytes:%" PRIu64 ", used:", entry->packets,
	           entry->bytes);
	if (entry->used_ns && now_ns >= entry->used_ns)
		str_printf(dump->out, "%.3fs",
		           (double)(now_ns - entry->used_ns) / (double)NSEC_PER_SEC);
	else
		str_append(dump->out, "never");
	str_printf(dump->out, ", actions:%s\n", entry->actions);
}

static void
dump_worker(const struct dp_worker_stats *stats, const struct dp_rxq_status *rxqs,
            void *aux)
{
	struct cache_dump *dump = aux;
	struct running_bridge **bridges;
	size_t n;

	(void)rxqs;
	dump->core = stats->core;
	dump->has_head = false;
	bridges = running_list_bridges(dump->running, &n);
	for (size_t i = 0; i < n; i++)
		if (!dump->bridge || dump->bridge == bridges[i])
			dp_cache_dump(bridges[i]->id, dump->worker, false, print_entry,
			              dump);
	free(bridges);
	dump->worker++;
}

static int
dpctl_dump_flows(size_t n_args, const char *const *args, struct str *out,
                 struct error *err, void *aux)
{
	struct cache_dump dump = {.out = out, .running = aux};

	/* Options choose between forms of which there is one here; a datapath's name
	 * names the only one. */
	(void)n_args, (void)args, (void)err;
	if (dump.running->is_started)
		dp_workers_dump(dump_worker, &dump);
	return 0;
}

static int
dpif_dump_flows(size_t n_args, const char *const *args, struct str *out,
                struct error *err, void *aux)
{
	struct cache_dump dump = {.out = out, .running = aux};
	int ret = find_bridge(aux, args[n_args - 1], &dump.bridge, err);

	if (!ret && dump.running->is_started)
		dp_workers_dump(dump_worker, &dump);
	return ret;
}

void
control_add_ofproto(struct control_registry *registry, const struct running *running)
{
	void *aux = (void *)(uintptr_t)running; /* the commands only read it */

	control_register(registry, "ofproto/list", "", 0, 0, ofproto_list, aux);
	control_register(registry, "bridge/dump-flows", "[--offload-stats] bridge", 1, 2,
	                 bridge_dump_flows, aux);
	control_register(registry, "dpctl/dump-flows", "[-m] [--names | --no-names] [dp]",
	                 0, 8, dpctl_dump_flows, aux);
	control_register(registry, "dpif/dump-flows",
	                 "[-m] [--names | --no-names] bridge", 1, 3, dpif_dump_flows,
	                 aux);
}
