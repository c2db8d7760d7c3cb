/* control_dpif.c - dpif/show, dpctl/show and the lists of datapaths: bridges and ports
 * with their numbers, in the shape of Open vSwitch's userspace datapath. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vswitchd/control_commands.h"

#define DATAPATH_NAME "netdev@ovs-netdev"

struct lookups {
	uint64_t hit, missed;
};

static void
lookups_add(const struct dp_worker_stats *stats, const struct dp_rxq_status *rxqs,
            void *aux)
{
	struct lookups *sum = aux;

	(void)rxqs;
	sum->hit += stats->cache_hits;
	sum->missed += stats->pipeline_walks;
}

/* "TYPE" or, for ports with queues, "TYPE: key=value, ..". */
static void
print_type(const struct running_port *port, struct str *out)
{
	enum dp_port_type type = port->config.type;
	struct dp_port_status status;

	str_append(out, dp_port_type_name(type));
	if ((type != DP_PORT_VHOST_CLIENT && type != DP_PORT_VHOST_SERVER) ||
	    dp_port_get_status(port->id, &status))
		return;
	str_printf(out,
	           ": configured_rx_queues=%u, configured_tx_queues=%u, mtu=%u, "
	           "requested_rx_queues=%u, requested_tx_queues=%u",
	           status.n_queue_pairs, status.n_queue_pairs, status.mtu,
	           status.n_queue_pairs, status.n_queue_pairs);
}

static int
dpif_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
          void *aux)
{
	const struct running *running = aux;
	struct running_bridge **bridges;
	struct lookups sum = {0, 0};
	size_t n_bridges;

	(void)n_args, (void)args, (void)err;
	if (!running->is_started)
		return 0;
	dp_workers_dump(lookups_add, &sum);
	str_printf(out, DATAPATH_NAME ": hit:%llu missed:%llu\n",
	           (unsigned long long)sum.hit, (unsigned long long)sum.missed);
	bridges = running_list_bridges(running, &n_bridges);
	for (size_t i = 0; i < n_bridges; i++) {
		struct running_port **ports;
		size_t n_ports;

		str_printf(out, "  %s:\n", bridges[i]->config.name);
		ports = running_list_ports(running, bridges[i]->config.name, &n_ports);
		for (size_t j = 0; j < n_ports; j++) {
			str_printf(out, "    %s %u/%u: (", ports[j]->config.name,
			           ports[j]->config.ofport, ports[j]->id);
			print_type(ports[j], out);
			str_append(out, ")\n");
		}
		free(ports);
	}
	free(bridges);
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct running_port *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

static void
print_port_stats(const struct running_port *port, struct str *out)
{
	struct dp_port_stats s;

	if (dp_port_get_stats(port->id, &s))
		return;
	str_printf(out,
	           "    RX packets:%llu errors:%llu dropped:%llu overruns:0 frame:0\n",
	           (unsigned long long)s.rx_packets, (unsigned long long)s.rx_errors,
	           (unsigned long long)s.rx_dropped);
	str_printf(out,
	           "    TX packets:%llu errors:%llu dropped:%llu aborted:0 carrier:0\n",
	           (unsigned long long)s.tx_packets, (unsigned long long)s.tx_errors,
	           (unsigned long long)s.tx_dropped);
	str_append(out, "    collisions:0\n");
	str_printf(out, "    RX bytes:%llu  TX bytes:%llu\n",
	           (unsigned long long)s.rx_bytes, (unsigned long long)s.tx_bytes);
}

static int
dpctl_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
           void *aux)
{
	const struct running *running = aux;
	struct running_port **ports;
	struct lookups sum = {0, 0};
	bool with_stats = false;
	size_t n;

	for (size_t i = 0; i < n_args; i++) {
		if (!strcmp(args[i], "-s") || !strcmp(args[i], "--statistics"))
			with_stats = true;
		else if (args[i][0] == '-')
			return error_set(err, -EINVAL, "Unrecognized option %.64s",
			                 args[i]);
		else if (strcmp(args[i], DATAPATH_NAME))
			return error_set(err, -ENODEV, "no datapath \"%s\"", args[i]);
	}
	if (!running->is_started)
		return 0;
	dp_workers_dump(lookups_add, &sum);
	str_printf(out,
	           DATAPATH_NAME
	           ":\n  lookups: hit:%llu missed:%llu lost:0\n  flows: %zu\n",
	           (unsigned long long)sum.hit, (unsigned long long)sum.missed,
	           dp_cache_count());
	ports = running_list_ports(running, NULL, &n);
	qsort(ports, n, sizeof(*ports), compare_ids);
	for (size_t i = 0; i < n; i++) {
		str_printf(out, "  port %u: %s", ports[i]->id, ports[i]->config.name);
		if (ports[i]->config.type != DP_PORT_SYSTEM) {
			str_append(out, " (");
			print_type(ports[i], out);
			str_append_char(out, ')');
		}
		str_append_char(out, '\n');
		if (with_stats)
			print_port_stats(ports[i], out);
	}
	free(ports);
	return 0;
}

static int
dpctl_dump_dps(size_t n_args, const char *const *args, struct str *out, struct error *err,
               void *aux)
{
	const struct running *running = aux;

	(void)n_args, (void)args, (void)err;
	if (running->is_started)
		str_append(out, DATAPATH_NAME "\n");
	return 0;
}

/* Open vSwitch's datapaths as its bridges see them. */
static int
dpif_dump_dps(size_t n_args, const char *const *args, struct str *out, struct error *err,
              void *aux)
{
	struct running_bridge **bridges;
	size_t n;

	(void)n_args, (void)args, (void)err;
	bridges = running_list_bridges(aux, &n);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "netdev@%s\n", bridges[i]->config.name);
	free(bridges);
	return 0;
}

void
control_add_dpif(struct control_registry *registry, const struct running *running)
{
	void *aux = (void *)(uintptr_t)running; /* the commands only read it */

	control_register(registry, "dpif/show", "", 0, 0, dpif_show, aux);
	control_register(registry, "dpctl/show", "[-s] [dp]", 0, 2, dpctl_show, aux);
	control_register(registry, "dpctl/dump-dps", "", 0, 0, dpctl_dump_dps, aux);
	control_register(registry, "dpif/dump-dps", "", 0, 0, dpif_dump_dps, aux);
}
