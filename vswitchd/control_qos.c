/* control_qos.c - qos/show (as text or JSON) and qos/show-types: the class tree of a
 * port's egress with its counters. Main thread.
 *
 * The JSON of "qos/show [--json] PORT", one object a port, and of "qos/show --json",
 * {"time_ns", "ports": [object, ...]} for every port that has QoS:
 *
 * port, type (null: none), kind ("none", "tree", "policer", "trtcm"), time_ns (moment of
 * reading, CLOCK_MONOTONIC's pace), overload_ns (how long floors did not fit what the
 * owner or the link could carry), classes: the root first, then by number. Of each class:
 *
 *   number, parent    integers; null stands for the root
 *   inner             true if classes hang below it
 *   floor_bps, ceil_bps, peak_bps, floor_pps, ceil_pps, weight, priority    as
 * configured, 0 = none (weight: from the floor) offered_*, sent_*, dropped_* (each
 * packets and bytes), borrowed_bytes, full_packets, aged_packets, codel_packets (dropped:
 * queue full, too old, CoDel), marked_packets counters since the class exists
 *   queued_packets, queued_bytes    now; of an inner class: of all below it
 *   rates             {span_ns, offered_bps, offered_pps, sent_bps, sent_pps,
 * dropped_bps, dropped_pps, borrowed_bps} over the last second or a little more; span_ns
 * 0: not known yet, and then the rates are 0 delay_ns          {queue, gate, ring}, each
 * {samples, p50, p99, p999, max}, over the last 5 to 10 s, from one packet in 64: waiting
 * in the class's queue; in the sender's ring while that is gated; for room in the port's
 *                     ring. samples 0: all 0
 *   state             {name, class, in_ns}: what it does now
 *   shares            [{name, class, percent}, ...]: of the last 10 s, largest first; of
 *                     what is known: they add up to 100, or the array is empty
 *
 * name is one of
 *   "idle"             no packets
 *   "own_floor"        sends on its own floor
 *   "borrowing"        sends, in its turn, what 'class' lends it
 *   "own_ceiling"      waits for its own ceiling
 *   "ancestor_ceiling" waits for the ceiling of 'class'
 *   "ring_full"        the port's ring takes no packet
 *   "below"            the classes below send or wait on their own account
 *
 * class is there with "borrowing" and "ancestor_ceiling" only: a number, or "root". in_ns
 * is there with the two ceilings, in 'state' only: how long until it ends. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "vswitchd/control_commands.h"
#include "vswitchd/desired_keys.h"

struct qos_text {
	struct str *out;
	const struct running_port *port;
};

static const struct dp_class_config *
qos_find_class(const struct running_port *port, uint32_t number)
{
	for (size_t i = 0; i < port->qos.n_classes; i++)
		if (port->qos.classes[i].number == number)
			return &port->qos.classes[i];
	return NULL;
}

/* The keys of OVS's linux-htb first, then those that only weir has. */
static void
qos_print_class(const struct dp_class_stats *stats, void *aux)
{
	const struct qos_text *text = aux;
	const struct dp_class_config *class = qos_find_class(text->port, stats->number);
	struct str *out = text->out;

	if (stats->number == DP_CLASS_ROOT)
		return;
	if (stats->number == 0)
		str_append(out, "\nDefault:\n");
	else
		str_printf(out, "\nQueue %u:\n", stats->number);
	if (class && class->burst_bits)
		str_printf(out, "  burst: %llu\n", (unsigned long long)class->burst_bits);
	if (class && class->priority)
		str_printf(out, "  priority: %u\n", class->priority);
	str_printf(out, "  min-rate: %llu\n", (unsigned long long)stats->floor_bps);
	str_printf(out, "  max-rate: %llu\n",
	           (unsigned long long)(stats->ceil_bps ? stats->ceil_bps
	                                                : text->port->qos.rate_bps));
	if (stats->parent != DP_CLASS_ROOT)
		str_printf(out, "  parent: %u\n", stats->parent);
	if (class && class->weight)
		str_printf(out, "  weight: %u\n", class->weight);
	str_printf(out, "  tx_packets: %llu\n", (unsigned long long)stats->sent_packets);
	str_printf(out, "  tx_bytes: %llu\n", (unsigned long long)stats->sent_bytes);
	str_printf(out, "  tx_errors: %llu\n",
	           (unsigned long long)stats->dropped_packets);
	str_printf(out, "  borrowed_bytes: %llu\n",
	           (unsigned long long)stats->borrowed_bytes);
	str_printf(out, "  queued_packets: %u\n", stats->queued_packets);
	str_printf(out, "  queued_bytes: %u\n", stats->queued_bytes);
}

static void
qos_show_text(const struct running_port *port, struct str *out)
{
	struct qos_text text = {.out = out, .port = port};
	uint64_t time_ns;

	if (port->qos.kind == DP_QOS_NONE) {
		str_printf(out, "QoS not configured on %s\n", port->config.name);
		return;
	}
	str_printf(out, "QoS: %s %s\n", port->config.name, port->qos_type);
	if (port->qos.kind == DP_QOS_POLICER) {
		str_printf(out, "cir: %llu\ncbs: %llu\n",
		           (unsigned long long)port->qos.rate_bps / 8,
		           (unsigned long long)port->qos.burst_bits / 8);
		return;
	}
	str_printf(out, "max-rate: %llu\n", (unsigned long long)port->qos.rate_bps);
	dp_port_qos_stats(port->id, qos_print_class, &text, &time_ns);
}

static void
qos_add_class_json(const struct dp_class_stats *stats, void *aux)
{
	json_t *class = json_object();
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{"floor_bps", stats->floor_bps},
		{"ceil_bps", stats->ceil_bps},
		{"offered_packets", stats->offered_packets},
		{"offered_bytes", stats->offered_bytes},
		{"sent_packets", stats->sent_packets},
		{"sent_bytes", stats->sent_bytes},
		{"dropped_packets", stats->dropped_packets},
		{"dropped_bytes", stats->dropped_bytes},
		{"borrowed_bytes", stats->borrowed_bytes},
		{"queued_packets", stats->queued_packets},
		{"queued_bytes", stats->queued_bytes},
	};
	bool is_root = stats->number == DP_CLASS_ROOT;

	/* The root has no number, and what hangs from it no parent's number. */
	json_object_set_new(class, "number",
	                    is_root ? json_null() : json_integer(stats->number));
	json_object_set_new(class, "parent",
	                    stats->parent == DP_CLASS_ROOT ? json_null()
	                                                   : json_integer(stats->parent));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		json_object_set_new(class, fields[i].name,
		                    json_integer((json_int_t)fields[i].value));
	json_array_append_new(aux, class);
}

static void
qos_show_json(const struct running_port *port, struct str *out)
{
	json_t *top = json_object(), *classes = json_array();
	uint64_t time_ns = 0;
	char *text;

	dp_port_qos_stats(port->id, qos_add_class_json, classes, &time_ns);
	json_object_set_new(top, "port", json_string(port->config.name));
	json_object_set_new(top, "type",
	                    port->qos_type ? json_string(port->qos_type) : json_null());
	json_object_set_new(top, "time_ns", json_integer((json_int_t)time_ns));
	json_object_set_new(top, "classes", classes);
	text = json_dumps(top, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(top);
	str_printf(out, "%s\n", text);
	free(text);
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
	port = name ? running_find_port(aux, name) : NULL;
	if (!port)
		return error_set(err, -ENOENT, "no such interface");
	if (as_json)
		qos_show_json(port, out);
	else
		qos_show_text(port, out);
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
	control_register(registry, "qos/show-types", "interface", 1, 1, qos_show_types,
	                 aux);
}
