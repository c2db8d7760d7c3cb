/* control_ingress.c - what becomes of a gated port's own packets before they enter the
 * switch: for qos/explain PORT ingress, and a part of qos/show --json. Main thread. */
#include <errno.h>
#include <inttypes.h>

#include "base/compiler.h"
#include "vswitchd/control_qos.h"

/* Packets of the mean size of those that came so far, at the port's rate; 0: no rate. */
static uint64_t
ring_delay_ns(const struct running_port *port, uint64_t packets, uint64_t *frame_bytes)
{
	uint64_t rate_bps = port->config.settings.policing_bps;
	struct dp_port_stats stats = {0};

	dp_port_get_stats(port->id, &stats);
	*frame_bytes = stats.rx_packets ? stats.rx_bytes / stats.rx_packets : 1514;
	if (!rate_bps)
		return 0;
	return (uint64_t)((double)packets * (double)*frame_bytes * 8e9 /
	                  (double)rate_bps);
}

void
qos_print_gate(const struct running_port *port, struct str *out)
{
	const struct dp_port_settings *settings = &port->config.settings;
	struct dp_port_status status;
	uint64_t frame_bytes, delay_ns, entries = 0;

	if (settings->on_excess != DP_EXCESS_GATE || !settings->policing_bps ||
	    dp_port_get_status(port->id, &status))
		return;
	/* The guest sends by the odd ones. */
	for (unsigned i = 1; i < 2 * DP_QUEUES_MAX; i += 2)
		if (status.vring_enabled[i] && status.vring_size[i] > entries)
			entries = status.vring_size[i];
	str_append(out, "  sending is gated at ");
	qos_print_rate(settings->policing_bps, out);
	if (entries) {
		delay_ns = ring_delay_ns(port, entries, &frame_bytes);
		str_printf(out,
		           ": expected delay of a full ring of %" PRIu64
		           " frames of %" PRIu64 " bytes at this rate: ",
		           entries, frame_bytes);
		qos_print_span(delay_ns, out);
	}
	str_append_char(out, '\n');
}

static void
print_rate(const char *name, uint64_t bps, struct str *out)
{
	if (!bps)
		return;
	str_append(out, name);
	qos_print_rate(bps, out);
}

static void
print_ingress(const struct running_port *port, const struct dp_ingress *ingress,
              struct str *out)
{
	const struct dp_port_settings *settings = &port->config.settings;
	uint64_t frame_bytes, delay_ns;

	str_printf(out, "%s, ingress, gated", port->config.name);
	print_rate(", floor ", settings->ingress_floor_bps, out);
	print_rate(", ceiling ", settings->policing_bps, out);
	print_rate(", peak ", settings->ingress_peak_bps, out);
	if (settings->policing_pps)
		str_printf(out, ", ceiling %" PRIu64 " packets/s",
		           settings->policing_pps);
	str_printf(out,
	           "\n  now: %" PRIu64 " packets wait in the sender's ring, %" PRIu32
	           " in the gate\n",
	           ingress->waiting_packets, ingress->held_packets);
	delay_ns = ring_delay_ns(port, ingress->waiting_packets, &frame_bytes);
	if (delay_ns) {
		str_append(out, "  expected delay in the sender's ring: ");
		qos_print_span(delay_ns, out);
		str_printf(out, " (frames of %" PRIu64 " bytes at its ceiling)\n",
		           frame_bytes);
	}
	qos_print_delay("gate", &ingress->delay, out);
	str_printf(out,
	           "  so far: %" PRIu64 " packets passed; the ring was left alone for ",
	           ingress->passed_packets);
	qos_print_span(ingress->gated_ns, out);
	str_append_char(out, '\n');
}

bool
qos_json_ingress(const struct running_port *port, struct str *out)
{
	const struct dp_port_settings *settings = &port->config.settings;
	struct dp_ingress ingress;

	if (!dp_port_ingress(port->id, &ingress))
		return false;
	const struct qos_field fields[] = {
		{"floor_bps", settings->ingress_floor_bps},
		{"ceil_bps", settings->policing_bps},
		{"peak_bps", settings->ingress_peak_bps},
		{"ceil_pps", settings->policing_pps},
		{"waiting_packets", ingress.waiting_packets},
		{"held_packets", ingress.held_packets},
		{"passed_packets", ingress.passed_packets},
		{"gated_ns", ingress.gated_ns},
	};

	str_append_char(out, '{');
	qos_json_fields(fields, ARRAY_SIZE(fields), out);
	str_append(out, ",\"delay_ns\":");
	qos_json_delay(&ingress.delay, out);
	str_append_char(out, '}');
	return true;
}

int
qos_explain_ingress(const struct running_port *port, bool as_json, struct str *out,
                    struct error *err)
{
	struct dp_ingress ingress;

	if (!dp_port_ingress(port->id, &ingress))
		return error_set(err, -ENOENT,
		                 "%s is not gated: what it sends is policed or not "
		                 "limited (see on-excess)",
		                 port->config.name);
	if (as_json) {
		qos_json_ingress(port, out);
		str_append_char(out, '\n');
	} else {
		print_ingress(port, &ingress, out);
	}
	return 0;
}
