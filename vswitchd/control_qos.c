/* control_qos.c - qos/show (as text or JSON) and qos/show-types: the class tree of a
 * port's egress with its counters. Main thread. */
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
