/* control_caches.c - dpctl/dump-flows and dpif/dump-flows: what the workers' flow caches
 * hold, in the shape of Open vSwitch's datapath flows. Main thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hmap.h"
#include "openflow/of_text.h"
#include "vswitchd/control_commands.h"

#define DATAPATH_NAME "netdev@ovs-netdev"

struct cache_dump {
	/* what is asked */
	const struct running *running;
	const struct running_bridge *bridge; /* NULL = all */
	bool is_dpif;                        /* dpif/dump-flows: no heads */
	bool is_verbose, has_core;
	int names; /* -1 = as it is usual */
	int64_t core;
	bool has_filter, is_nothing; /* no entry is of the type that is asked for */
	struct flow_match filter;

	/* under way */
	struct str *out;
	int worker_core;
	unsigned worker;
	bool has_head;
};

/* ---- entries ---- */

/* Entries have no name: what they match is one. */
static void
print_ufid(const struct dp_cache_entry *entry, struct str *out)
{
	uint32_t parts[4];

	for (uint32_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i] = hash_bytes(&entry->match, sizeof(entry->match), i + 1);
	str_printf(out, "ufid:%08x-%04x-%04x-%04x-%04x%08x", parts[0], parts[1] >> 16,
	           parts[1] & 0xffff, parts[2] >> 16, parts[2] & 0xffff, parts[3]);
}

static void
print_head(struct cache_dump *dump)
{
	if (dump->has_head || dump->is_dpif || dump->has_core)
		return;
	dump->has_head = true;
	if (dump->worker_core < 0)
		str_append(dump->out, "flow-dump from the main thread:\n");
	else
		str_printf(dump->out, "flow-dump from pmd on cpu core: %d\n",
		           dump->worker_core);
}

static void
print_entry(const struct dp_cache_entry *entry, void *aux)
{
	struct cache_dump *dump = aux;
	struct str *out = dump->out;
	uint64_t now_ns = dp_time_ns();

	if (dump->has_filter &&
	    !flow_key_matches(&entry->match.key, &dump->filter.key, &dump->filter.mask))
		return;
	print_head(dump);
	if (dump->is_verbose) {
		print_ufid(entry, out);
		str_append(out, dump->is_dpif ? " " : ", ");
	}
	str_printf(out, "%s, packets:%" PRIu64 ", bytes:%" PRIu64 ", used:", entry->flow,
	           entry->packets, entry->bytes);
	if (entry->used_ns && now_ns >= entry->used_ns)
		str_printf(out, "%.3fs",
		           (double)(now_ns - entry->used_ns) / (double)NSEC_PER_SEC);
	else
		str_append(out, "never");
	if (dump->is_verbose && !dump->is_dpif)
		str_append(out, ", dp:ovs");
	str_printf(out, ", actions:%s", entry->actions);
	if (dump->is_verbose && entry->drop)
		str_printf(out, ", dp-extra-info:%s", entry->drop);
	str_append_char(out, '\n');
}

static void
dump_worker(const struct dp_worker_stats *stats, const struct dp_rxq_status *rxqs,
            void *aux)
{
	struct cache_dump *dump = aux;
	bool names = dump->names < 0 ? dump->is_verbose : dump->names;
	struct running_bridge **bridges;
	size_t n;

	(void)rxqs;
	dump->worker_core = stats->core;
	dump->has_head = false;
	bridges = running_list_bridges(dump->running, &n);
	for (size_t i = 0; i < n; i++)
		if ((!dump->bridge || dump->bridge == bridges[i]) &&
		    (!dump->has_core || dump->core == stats->core))
			dp_cache_dump(bridges[i]->id, dump->worker, names, print_entry,
			              dump);
	free(bridges);
	dump->worker++;
}

/* ---- the commands ---- */

static bool
read_option(const char *arg, struct cache_dump *dump)
{
	if (!strcmp(arg, "-m") || !strcmp(arg, "--more"))
		dump->is_verbose = true;
	else if (!strcmp(arg, "--names"))
		dump->names = 1;
	else if (!strcmp(arg, "--no-names"))
		dump->names = 0;
	else
		return false;
	return true;
}

/* Types of Open vSwitch: what is not in hardware is all there is. */
static int
read_type(const char *type, struct cache_dump *dump, struct error *err)
{
	static const char *const all[] = {"ovs", "dpdk", "non-offloaded", "all"};
	static const char *const none[] = {"tc", "offloaded", "partially-offloaded"};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(type, all[i]))
			return 0;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		if (strcmp(type, none[i]))
			continue;
		dump->is_nothing = true;
		return 0;
	}
	return error_set(err, -EINVAL, "%.64s: no such type of flows", type);
}

static int
read_word(const char *arg, struct cache_dump *dump, struct error *err)
{
	if (arg[0] == '-')
		return read_option(arg, dump)
		               ? 0
		               : error_set(err, -EINVAL, "Unrecognized option %.64s",
		                           arg);
	if (!strncmp(arg, "type=", 5))
		return read_type(arg + 5, dump, err);
	if (!strncmp(arg, "filter=", 7)) {
		dump->has_filter = true;
		return of_text_parse_match(arg + 7, NULL, &dump->filter, err);
	}
	if (!strncmp(arg, "pmd=", 4)) {
		dump->has_core = parse_i64(arg + 4, -1, DP_CPUS_MAX, &dump->core);
		return dump->has_core ? 0
		                      : error_set(err, -EINVAL,
		                                  "%.64s: not the number of a core", arg);
	}
	return strcmp(arg, DATAPATH_NAME)
	               ? error_set(err, -ENODEV, "no datapath \"%.64s\"", arg)
	               : 0;
}

static int
dpctl_dump_flows(size_t n_args, const char *const *args, struct str *out,
                 struct error *err, void *aux)
{
	struct cache_dump dump = {.out = out, .running = aux, .names = -1};

	for (size_t i = 0; i < n_args; i++) {
		int ret = read_word(args[i], &dump, err);

		if (ret)
			return ret;
	}
	if (dump.running->is_started && !dump.is_nothing)
		dp_workers_dump(dump_worker, &dump);
	return 0;
}

static int
dpif_dump_flows(size_t n_args, const char *const *args, struct str *out,
                struct error *err, void *aux)
{
	struct cache_dump dump = {
		.out = out, .running = aux, .is_dpif = true, .names = -1};

	for (size_t i = 0; i + 1 < n_args; i++)
		if (!read_option(args[i], &dump))
			return error_set(err, -EINVAL, "Unrecognized option %.64s",
			                 args[i]);
	dump.bridge = running_find_bridge(aux, args[n_args - 1]);
	if (!dump.bridge)
		return error_set(err, -ENOENT, "%.64s: no such bridge", args[n_args - 1]);
	if (dump.running->is_started)
		dp_workers_dump(dump_worker, &dump);
	return 0;
}

void
control_add_caches(struct control_registry *registry, const struct running *running)
{
	void *aux = (void *)(uintptr_t)running; /* the commands only read it */

	control_register(registry, "dpctl/dump-flows",
	                 "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]", 0, 8,
	                 dpctl_dump_flows, aux);
	control_register(registry, "dpif/dump-flows",
	                 "[-m] [--names | --no-names] bridge", 1, 3, dpif_dump_flows,
	                 aux);
}
