/* control_trace.c - ofproto/trace and ofproto/trace-packet-out: reads what Open vSwitch's
 * commands take, and says where packets end: the port, and the class of its egress as
 * qos/explain names it, or why they are dropped. Main thread. */
#include <errno.h>
#include <string.h>

#include "vswitchd/control_commands.h"
#include "vswitchd/control_qos.h"
#include "vswitchd/odp_flow.h"

#define PAYLOAD_BYTES     64 /* as Open vSwitch makes packets */
#define PAYLOAD_BYTES_MAX 65000
#define WORDS_MAX         5
#define DATAPATH_NAME     "netdev@ovs-netdev"

/* ---- fates ---- */

struct class_line {
	struct qos_classes classes;
	uint32_t number;
	struct str *out;
	bool is_found;
};

static void
show_class(const struct dp_class_stats *stats, void *aux)
{
	struct class_line *line = aux;

	if (stats->number != line->number)
		return;
	line->is_found = true;
	qos_print_class_head(&line->classes, stats, line->out);
}

/* The class that takes the packet there. */
static void
show_egress(const struct running_port *port, uint32_t number, struct str *out)
{
	struct class_line line = {.number = number, .out = out};
	uint64_t time_ns;

	if (port->qos.kind == DP_QOS_NONE) {
		str_append(out, ", no QoS");
		return;
	}
	str_printf(out, ", %s", port->qos_type);
	if (number == DP_CLASS_NONE)
		return;
	str_append(out, ": ");
	qos_classes_init(&line.classes, port);
	dp_port_qos_stats(port->id, show_class, &line, &time_ns);
	qos_classes_destroy(&line.classes);
	if (!line.is_found)
		str_printf(out, "class %u", number);
}

/* What comes of a packet that leaves by a patch port is asked of the next bridge. */
static void
show_peer(const struct running *running, const struct running_port *port, struct str *out)
{
	const char *name = port->config.settings.peer;
	const struct running_port *peer = running_find_port(running, name);

	if (port->config.type != DP_PORT_PATCH)
		return;
	if (peer && peer->config.type == DP_PORT_PATCH &&
	    !strcmp(peer->config.settings.peer, port->config.name))
		str_printf(out, ", on to bridge %s: in_port=%u (%s)", peer->bridge_name,
		           peer->config.ofport, name);
	else
		str_printf(out, ", where it is dropped: there is no peer %s", name);
}

static void
show_fate(const struct dp_trace_fate *fate, struct str *out, void *aux)
{
	const struct running_port *port =
		fate->port_id == DP_ID_NONE ? NULL
					    : running_find_port_by_id(aux, fate->port_id);

	if (fate->is_punted) {
		str_append(out, "Controllers");
		if (fate->controller_id)
			str_printf(out, ", controller %u", fate->controller_id);
	} else if (fate->reason) {
		str_append(out, "Drop: ");
		str_append(out, fate->reason);
	} else {
		str_append(out, "Output");
	}
	if (port)
		str_printf(out, "%s port %u (%s)", fate->reason ? " at" : ":",
		           port->config.ofport, port->config.name);
	if (port && !fate->reason) {
		show_egress(port, fate->class_number, out);
		show_peer(aux, port, out);
	}
	if (fate->has_dscp)
		str_printf(out, ", gets DSCP %u", fate->dscp);
	str_append_char(out, '\n');
}

/* ---- the commands ---- */

/* An option without its value, as it may be written: "-l7" and "--l7". */
static bool
is_option(const char *arg, const char *name)
{
	return arg[0] == '-' && !strcmp(arg + (arg[1] == '-' ? 2 : 1), name);
}

static int
read_length(const char *text, struct ofproto_trace *trace, struct error *err)
{
	uint64_t value;

	if (!parse_u64(text, 0, PAYLOAD_BYTES_MAX, &value))
		return error_set(err, -EINVAL, "%.64s: --l7-len takes 0 to %d", text,
		                 PAYLOAD_BYTES_MAX);
	trace->payload_bytes = (size_t)value;
	return 0;
}

/* Reads an option; 1: its value was read as well, 0: it has none. */
static int
read_option(const char *arg, const char *value, struct ofproto_trace *trace,
            bool *generates, struct error *err)
{
	int ret;

	if (is_option(arg, "generate")) {
		*generates = true;
		return 0;
	}
	if (is_option(arg, "consistent")) {
		trace->is_consistent = true;
		return 0;
	}
	if (is_option(arg, "names") || is_option(arg, "no-names")) {
		trace->shows_names = is_option(arg, "names");
		return 0;
	}
	if (is_option(arg, "ct-next"))
		return error_set(err, -EINVAL, "%s: there is no connection tracking yet",
		                 arg);
	if (!is_option(arg, "l7") && !is_option(arg, "l7-len"))
		return error_set(err, -EINVAL, "%.64s: unknown option", arg);
	if (!value)
		return error_set(err, -EINVAL, "%s: a value is needed", arg);
	if (is_option(arg, "l7-len")) {
		ret = read_length(value, trace, err);
		return ret ? ret : 1;
	}
	trace->payload = value;
	return 1;
}

/* BRIDGE FLOW [PACKET], with 'with_actions' then ACTIONS. */
static int
read_words(const char *const *words, size_t n, bool with_actions,
           struct ofproto_trace *trace, struct error *err)
{
	size_t n_least = with_actions ? 3 : 2;

	if (n < n_least)
		return error_set(err, -EINVAL,
		                 with_actions ? "a bridge, a flow and actions are needed"
		                              : "a bridge and a flow are needed");
	if (n > n_least + 1)
		return error_set(err, -EINVAL, "%.64s: one word too many",
		                 words[n_least + 1]);
	trace->flow = words[1];
	if (n > n_least)
		trace->packet = words[2];
	if (with_actions)
		trace->actions = words[n - 1];
	if (trace->has_effects && trace->packet)
		return error_set(err, -EINVAL, "a packet, or -generate, not both");
	trace->has_effects |= trace->packet != NULL;
	return 0;
}

/* Traces what the words say, with a flow in words of OpenFlow or of the datapath. */
static int
trace_words(const char *const *words, size_t n, bool with_actions,
            struct ofproto_trace *trace, struct str *out, struct error *err,
            const struct running *running)
{
	const char *named[WORDS_MAX + 1] = {NULL};
	const struct running_bridge *bridge;
	const struct running_port *port;
	struct str flow = STR_INIT;
	bool has_dp = n > 0 && !strcmp(words[0], DATAPATH_NAME);
	bool is_odp = n > has_dp && odp_flow_is_one(words[has_dp]);
	int ret = 0;

	/* "[DP] FLOW ..." becomes "BRIDGE FLOW ...". */
	if (is_odp)
		ret = odp_flow_translate(running, words[has_dp], &port, &flow, err);
	if (!ret && is_odp) {
		named[0] = port->bridge_name;
		named[1] = str_text(&flow);
		memcpy(&named[2], &words[has_dp + 1],
		       (n - has_dp - 1) * sizeof(words[0]));
		n += 1 - has_dp;
		words = named;
	}
	if (!ret)
		ret = read_words(words, n, with_actions, trace, err);
	if (!ret) {
		bridge = running_find_bridge(running, words[0]);
		ret = bridge ? ofproto_trace(bridge->ofproto, trace, out, err)
		             : error_set(err, -ENOENT, "%.64s: no such bridge", words[0]);
	}
	str_free(&flow);
	return ret;
}

static int
run_trace(size_t n_args, const char *const *args, bool with_actions, struct str *out,
          struct error *err, const struct running *running)
{
	struct ofproto_trace trace = {.payload_bytes = PAYLOAD_BYTES,
	                              .fate = show_fate,
	                              .aux = (void *)(uintptr_t)running};
	const char *words[WORDS_MAX];
	bool generates = false;
	size_t n = 0;
	int ret;

	for (size_t i = 0; i < n_args; i++) {
		if (args[i][0] != '-') {
			if (n < ARRAY_SIZE(words))
				words[n++] = args[i];
			continue;
		}
		ret = read_option(args[i], i + 1 < n_args ? args[i + 1] : NULL, &trace,
		                  &generates, err);
		if (ret < 0)
			return ret;
		i += (size_t)ret;
	}
	trace.has_effects = generates;
	return trace_words(words, n, with_actions, &trace, out, err, running);
}

static int
trace_command(size_t n_args, const char *const *args, struct str *out, struct error *err,
              void *aux)
{
	return run_trace(n_args, args, false, out, err, aux);
}

static int
trace_packet_out(size_t n_args, const char *const *args, struct str *out,
                 struct error *err, void *aux)
{
	return run_trace(n_args, args, true, out, err, aux);
}

void
control_add_trace(struct control_registry *registry, const struct running *running)
{
	void *aux = (void *)(uintptr_t)running; /* the commands only read it */

	control_register(
		registry, "ofproto/trace",
		"{[dp_name] odp_flow | bridge flow} [OPTIONS...] [-generate | packet]", 1,
		12, trace_command, aux);
	control_register(registry, "ofproto/trace-packet-out",
	                 "[-consistent] {[dp_name] odp_flow | bridge flow} [OPTIONS...] "
	                 "[-generate | packet] actions",
	                 2, 13, trace_packet_out, aux);
}
