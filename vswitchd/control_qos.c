/* control_qos.c - qos/show (as text or JSON) and qos/show-types: the class tree of a
 * port's egress with its counters. Main thread. The JSON is in control_qos_json.c,
 * qos/explain in control_explain.c. */
#include "vswitchd/control_qos.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/control_commands.h"
#include "vswitchd/desired_keys.h"

static int
compare_classes(const void *a, const void *b)
{
	const struct dp_class_config *const *x = a, *const *y = b;

	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

void
qos_classes_init(struct qos_classes *classes, const struct running_port *port)
{
	classes->port = port;
	classes->n = port->qos.n_classes;
	classes->sorted = xcalloc(classes->n + 1, sizeof(*classes->sorted));
	for (size_t i = 0; i < classes->n; i++)
		classes->sorted[i] = &port->qos.classes[i];
	qsort(classes->sorted, classes->n, sizeof(*classes->sorted), compare_classes);
}

void
qos_classes_destroy(struct qos_classes *classes)
{
	free(classes->sorted);
}

const struct dp_class_config *
qos_classes_find(const struct qos_classes *classes, uint32_t number)
{
	size_t low = 0, high = classes->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (classes->sorted[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < classes->n && classes->sorted[low]->number == number
	               ? classes->sorted[low]
	               : NULL;
}

struct qos_text {
	struct str *out;
	struct qos_classes classes;
};

static void
print_number(struct str *out, const char *key, uint64_t value)
{
	str_printf(out, "  %s: %" PRIu64 "\n", key, value);
}

/* The keys of OVS's linux-htb first, then those that only weir has. */
static void
qos_print_class(const struct dp_class_why *why, void *aux)
{
	const struct qos_text *text = aux;
	const struct dp_class_stats *stats = &why->stats;
	const struct dp_class_config *class =
		qos_classes_find(&text->classes, stats->number);
	struct str *out = text->out;

	if (stats->number == DP_CLASS_ROOT)
		return;
	if (stats->number == 0)
		str_append(out, "\nDefault:\n");
	else
		str_printf(out, "\nQueue %u:\n", stats->number);
	if (class && class->burst_bits)
		print_number(out, "burst", class->burst_bits);
	if (class && class->priority)
		print_number(out, "priority", class->priority);
	print_number(out, "min-rate", stats->floor_bps);
	print_number(out, "max-rate",
	             stats->ceil_bps ? stats->ceil_bps
	                             : text->classes.port->qos.rate_bps);
	if (stats->parent != DP_CLASS_ROOT)
		print_number(out, "parent", stats->parent);
	if (class && class->weight)
		print_number(out, "weight", class->weight);
	if (class && class->has_dscp)
		print_number(out, "dscp", class->dscp);
	print_number(out, "tx_packets", stats->sent_packets);
	print_number(out, "tx_bytes", stats->sent_bytes);
	print_number(out, "tx_errors", stats->dropped_packets);
	print_number(out, "borrowed_bytes", stats->borrowed_bytes);
	print_number(out, "queued_packets", stats->queued_packets);
	print_number(out, "queued_bytes", stats->queued_bytes);
	print_number(out, "rate", why->rates.sent_bps);
	print_number(out, "rate_borrowed", why->rates.borrowed_bps);
	print_number(out, "rate_dropped", why->rates.dropped_bps);
	str_append(out, "  state: ");
	qos_print_state(why->state, why->who, out);
	str_append_char(out, '\n');
}

static void
qos_show_text(const struct running_port *port, struct str *out)
{
	struct qos_text text = {.out = out};

	if (port->qos.kind == DP_QOS_NONE) {
		str_printf(out, "QoS not configured on %s\n", port->config.name);
		return;
	}
	str_printf(out, "QoS: %s %s\n", port->config.name, port->qos_type);
	if (port->qos.kind != DP_QOS_TREE) {
		str_printf(out, "cir: %" PRIu64 "\ncbs: %" PRIu64 "\n",
		           port->qos.rate_bps / 8, port->qos.burst_bits / 8);
		if (port->qos.kind == DP_QOS_TRTCM)
			str_printf(out, "eir: %" PRIu64 "\nebs: %" PRIu64 "\n",
			           port->qos.excess_bps / 8,
			           port->qos.excess_burst_bits / 8);
		return;
	}
	str_printf(out, "max-rate: %" PRIu64 "\n", port->qos.rate_bps);
	qos_classes_init(&text.classes, port);
	dp_port_qos_why(port->id, DP_CLASS_NONE, qos_print_class, &text);
	qos_classes_destroy(&text.classes);
}

/* Every port that has QoS. */
static void
qos_show_all_json(const struct running *running, struct str *out)
{
	size_t n, shown = 0;
	struct running_port **ports = running_list_ports(running, NULL, &n);

	str_printf(out, "{\"time_ns\": %" PRIu64 ", \"ports\": [", dp_time_ns());
	for (size_t i = 0; i < n; i++) {
		if (ports[i]->qos.kind == DP_QOS_NONE)
			continue;
		str_append(out, shown++ ? ",\n" : "\n");
		qos_json_port(ports[i], out);
	}
	str_append(out, "]}\n");
	free(ports);
}

static int
qos_show(size_t n_args, const char *const *args, struct str *out, struct error *err,
         void *aux)
{
	const struct running_port *port;
	const char *name = NULL;
	bool as_json = false;

	for (size_t i = 0; i < n_args; i++) {
		if (!strcmp(args[i], "--json"))
			as_json = true;
		else if (!name)
			name = args[i];
		else
			return error_set(err, -EINVAL, "more than one interface: %s",
			                 args[i]);
	}
	if (!name && as_json) {
		qos_show_all_json(aux, out);
		return 0;
	}
	port = name ? running_find_port(aux, name) : NULL;
	if (!port)
		return error_set(err, -ENOENT, "no such interface");
	if (!as_json) {
		qos_show_text(port, out);
		return 0;
	}
	qos_json_port(port, out);
	str_append_char(out, '\n');
	return 0;
}

static int
qos_show_types(size_t n_args, const char *const *args, struct str *out, struct error *err,
               void *aux)
{
	(void)n_args;
	if (!running_find_port(aux, args[0]))
		return error_set(err, -ENOENT, "no such interface");
	for (const char *const *name = qos_type_names; *name; name++)
		str_printf(out, "QoS type: %s\n", *name);
	return 0;
}

void
control_add_qos(struct control_registry *registry, const struct running *running)
{
	void *aux = (void *)(uintptr_t)running; /* the commands only read it */

	control_register(registry, "qos/show", "[--json] interface", 1, 2, qos_show, aux);
	control_register(registry, "qos/explain", "[--json] interface class|ingress", 2,
	                 3, qos_explain, aux);
	control_register(registry, "qos/show-types", "interface", 1, 1, qos_show_types,
	                 aux);
}
