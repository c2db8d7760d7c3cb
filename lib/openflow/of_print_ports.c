/* of_print_ports.c - prints messages about the switch's ports and queues. For of_print.c.
 * No state, any thread. */
#include "openflow/of_print_private.h"

static const struct print_bit config_bits[] = {
	{0x01, "PORT_DOWN"},    {0x02, "NO_STP"},   {0x04, "NO_RECV"},
	{0x08, "NO_RECV_STP"},  {0x10, "NO_FLOOD"}, {0x20, "NO_FWD"},
	{0x40, "NO_PACKET_IN"}, {0, NULL},
};

static const struct print_bit feature_bits[] = {
	{1U << 0, "10MB-HD"},
	{1U << 1, "10MB-FD"},
	{1U << 2, "100MB-HD"},
	{1U << 3, "100MB-FD"},
	{1U << 4, "1GB-HD"},
	{1U << 5, "1GB-FD"},
	{1U << 6, "10GB-FD"},
	{1U << 7, "40GB-FD"},
	{1U << 8, "100GB-FD"},
	{1U << 9, "1TB-FD"},
	{1U << 10, "OTHER"},
	{1U << 11, "COPPER"},
	{1U << 12, "FIBER"},
	{1U << 13, "AUTO_NEG"},
	{1U << 14, "AUTO_PAUSE"},
	{1U << 15, "AUTO_PAUSE_ASYM"},
	{0, NULL},
};

/* The fastest of a set of features. */
static uint32_t
speed_mbps(uint32_t features)
{
	static const uint32_t speeds[] = {10,   10,    100,   100,    1000,
	                                  1000, 10000, 40000, 100000, 1000000};

	for (unsigned i = ARRAY_SIZE(speeds); i-- > 0;)
		if (features >> i & 1)
			return speeds[i];
	return 0;
}

static void
put_state(struct str *out, uint32_t state, bool is_10)
{
	static const struct print_bit bits[] = {
		{1, "LINK_DOWN"}, {2, "BLOCKED"}, {4, "LIVE"}, {0, NULL}};
	static const char *const stp[] = {"STP_LISTEN", "STP_LEARN", "STP_FORWARD",
	                                  "STP_BLOCK"};

	print_bits(out, state & ~0x300U, bits, " ", is_10 && state & 0x300 ? "" : "0");
	if (is_10 && state & 0x300)
		str_printf(out, "%s%s", state & ~0x300U ? " " : "", stp[state >> 8 & 3]);
}

static void
put_features(struct str *out, const char *name, uint32_t features)
{
	if (!features)
		return;
	str_printf(out, "     %-12s", name);
	print_bits(out, features, feature_bits, " ", "");
	str_append_char(out, '\n');
}

static void
put_port(struct of_printer *p, const struct of_port *port)
{
	struct str *out = p->out;
	bool is_10 = p->msg->version == OF10;

	str_append_char(out, ' ');
	text_format_port(out, port->number, NULL);
	str_printf(out, "(%s): addr:", port->name);
	text_format_mac(out, port->mac);
	str_append(out, "\n     config:     ");
	print_bits(out, port->config, config_bits, " ", "0");
	str_append(out, "\n     state:      ");
	put_state(out, port->state, is_10);
	str_append_char(out, '\n');
	put_features(out, "current:", port->current);
	put_features(out, "advertised:", port->advertised);
	put_features(out, "supported:", port->supported);
	put_features(out, "peer:", port->peer);
	str_printf(out, "     speed: %u Mbps now, %u Mbps max\n",
	           is_10 ? speed_mbps(port->current) : port->current_kbps / 1000,
	           is_10 ? speed_mbps(port->supported) : port->max_kbps / 1000);
}

static int
compare_ports(const void *a, const void *b)
{
	uint32_t x = ((const struct of_port *)a)->number;
	uint32_t y = ((const struct of_port *)b)->number;

	return (x > y) - (x < y);
}

/* Ports in order of their numbers, whatever order they came in. */
static void
put_ports(struct of_printer *p, const struct of_port *ports, size_t n)
{
	struct of_port *sorted;

	if (!n)
		return;
	sorted = xmemdup(ports, n * sizeof(*ports));
	qsort(sorted, n, sizeof(*sorted), compare_ports);
	for (size_t i = 0; i < n; i++)
		put_port(p, &sorted[i]);
	free(sorted);
}

static void
put_features_reply(struct of_printer *p)
{
	static const struct print_bit capabilities[] = {{0x001, "FLOW_STATS"},
	                                                {0x002, "TABLE_STATS"},
	                                                {0x004, "PORT_STATS"},
	                                                {0x008, "GROUP_STATS"},
	                                                {0x020, "IP_REASM"},
	                                                {0x040, "QUEUE_STATS"},
	                                                {0x080, "ARP_MATCH_IP"},
	                                                {0x100, "PORT_BLOCKED"},
	                                                {0x200, "BUNDLES"},
	                                                {0x400, "FLOW_MONITORING"},
	                                                {0, NULL}};
	static const struct print_bit actions[] = {{1U << 0, "output"},
	                                           {1U << 11, "enqueue"},
	                                           {1U << 1, "set_vlan_vid"},
	                                           {1U << 2, "set_vlan_pcp"},
	                                           {1U << 3, "strip_vlan"},
	                                           {1U << 4, "mod_dl_src"},
	                                           {1U << 5, "mod_dl_dst"},
	                                           {1U << 6, "mod_nw_src"},
	                                           {1U << 7, "mod_nw_dst"},
	                                           {1U << 8, "mod_nw_tos"},
	                                           {1U << 9, "mod_tp_src"},
	                                           {1U << 10, "mod_tp_dst"},
	                                           {0, NULL}};
	const struct of_features *features = &p->msg->features;
	struct str *out = p->out;
	uint32_t bits = features->capabilities;

	str_printf(out, " dpid:%016" PRIx64 "\nn_tables:%u, n_buffers:%u",
	           features->datapath_id, features->n_tables, features->n_buffers);
	if (features->auxiliary_id)
		str_printf(out, ", auxiliary_id:%u", features->auxiliary_id);
	str_append(out, "\ncapabilities: ");
	if (p->msg->version == OF10 && bits & 8) {
		str_append(out, bits == 8 ? "STP" : "STP ");
		bits &= ~8U;
	}
	print_bits(out, bits, capabilities, " ", features->capabilities ? "" : "0");
	str_append_char(out, '\n');
	if (p->msg->version == OF10) {
		str_append(out, "actions: ");
		print_bits(out, features->actions, actions, " ", "0");
		str_append_char(out, '\n');
	}
	put_ports(p, features->ports, features->n_ports);
}

static void
put_port_mod(struct of_printer *p)
{
	const struct of_port_mod *mod = &p->msg->port_mod;
	struct str *out = p->out;

	str_append(out, " port: ");
	text_format_port(out, mod->port, p->names);
	str_append(out, ": addr:");
	text_format_mac(out, mod->mac);
	str_append(out, "\n     config: ");
	print_bits(out, mod->config, config_bits, " ", "0");
	str_append(out, "\n     mask:   ");
	print_bits(out, mod->mask, config_bits, " ", "0");
	str_append(out, "\n     advertise: ");
	print_bits(out, mod->advertise, feature_bits, " ", "UNCHANGED");
	str_append_char(out, '\n');
}

static void
put_port_status(struct of_printer *p)
{
	static const char *const reasons[] = {" ADD:", " DEL:", " MOD:"};
	uint8_t reason = p->msg->port_status.reason;

	str_append(p->out, reason < ARRAY_SIZE(reasons) ? reasons[reason] : " ?:");
	put_port(p, &p->msg->port_status.port);
}

static void
put_counters(struct of_printer *p, const struct of_port_stats *stats)
{
	struct str *out = p->out;
	struct str name = STR_INIT;

	text_format_port(&name, stats->port, p->names);
	str_printf(out, "  port %2s: rx ", str_text(&name));
	str_free(&name);
	print_counter(out, "pkts=", stats->rx_packets);
	print_counter(out, ", bytes=", stats->rx_bytes);
	print_counter(out, ", drop=", stats->rx_dropped);
	print_counter(out, ", errs=", stats->rx_errors);
	print_counter(out, ", frame=", stats->rx_frame_errors);
	print_counter(out, ", over=", stats->rx_over_errors);
	print_counter(out, ", crc=", stats->rx_crc_errors);
	str_append(out, "\n           tx ");
	print_counter(out, "pkts=", stats->tx_packets);
	print_counter(out, ", bytes=", stats->tx_bytes);
	print_counter(out, ", drop=", stats->tx_dropped);
	print_counter(out, ", errs=", stats->tx_errors);
	print_counter(out, ", coll=", stats->collisions);
	str_append_char(out, '\n');
	if (p->msg->version >= OF13 && stats->duration_ns != UINT64_MAX) {
		str_append(out, "           duration=");
		print_duration(out, stats->duration_ns);
		str_append_char(out, '\n');
	}
}

static void
put_queue_stats(struct of_printer *p)
{
	struct str *out = p->out;

	str_printf(out, " %zu queues\n", p->msg->n);
	for (size_t i = 0; i < p->msg->n; i++) {
		const struct of_queue_stats *stats = &p->msg->queue_stats[i];

		str_append(out, "  port ");
		text_format_port(out, stats->port, p->names);
		str_printf(out, " queue %u: ", stats->queue);
		print_counter(out, "bytes=", stats->tx_bytes);
		print_counter(out, ", pkts=", stats->tx_packets);
		print_counter(out, ", errors=", stats->tx_errors);
		str_append(out, ", duration=");
		if (stats->duration_ns == UINT64_MAX || p->msg->version < OF13)
			str_append_char(out, '?');
		else
			print_duration(out, stats->duration_ns);
		str_append_char(out, '\n');
	}
}

static void
put_rate(struct str *out, const char *name, uint16_t rate)
{
	if (rate == UINT16_MAX)
		return;
	if (rate > 1000)
		str_printf(out, " %s:(disabled)", name);
	else
		str_printf(out, " %s:%u.%u%%", name, rate / 10, rate % 10);
}

static int
compare_queues(const void *a, const void *b)
{
	const struct of_queue_config *x = a, *y = b;

	if (x->port != y->port)
		return x->port > y->port ? 1 : -1;
	return (x->queue > y->queue) - (x->queue < y->queue);
}

static void
put_queues(struct of_printer *p)
{
	const struct of_queue_configs *queues = &p->msg->queues;
	struct str *out = p->out;
	bool is_one = p->msg->version < OF14;
	uint32_t last = FLOW_PORT_UNSET;
	struct of_queue_config *sorted = xcalloc(p->msg->n + 1, sizeof(*sorted));

	if (p->msg->n)
		memcpy(sorted, queues->list, p->msg->n * sizeof(*sorted));
	qsort(sorted, p->msg->n, sizeof(*sorted), compare_queues);
	if (!p->msg->n) {
		str_append_char(out, '\n');
	} else if (is_one) {
		str_append(out, " port=");
		text_format_port(out, queues->port, p->names);
		str_append_char(out, '\n');
	} else {
		str_append_char(out, ' ');
	}
	for (size_t i = 0; i < p->msg->n; i++) {
		const struct of_queue_config *queue = &sorted[i];

		if (!is_one && queue->port != last) {
			str_append(out, "port=");
			text_format_port(out, queue->port, p->names);
			str_append_char(out, '\n');
		}
		last = queue->port;
		str_printf(out, "queue %u:", queue->queue);
		put_rate(out, "min_rate", queue->min_rate);
		put_rate(out, "max_rate", queue->max_rate);
		str_append_char(out, '\n');
	}
	free(sorted);
}

static void
put_request(struct of_printer *p, const char *key, uint32_t port)
{
	str_printf(p->out, " %s=", key);
	text_format_port(p->out, port, p->names);
}

static void
put_queue_request(struct of_printer *p, bool with_queue)
{
	const struct of_queue_request *request = &p->msg->queue_request;

	put_request(p, "port", request->port);
	if (request->queue != OF_QUEUE_ALL)
		str_printf(p->out, " queue=%u", request->queue);
	else if (with_queue)
		str_append(p->out, " queue=ALL");
}

bool
print_ports(struct of_printer *p)
{
	const struct of_msg *msg = p->msg;

	switch ((int)msg->kind) {
	case OFM_FEATURES_REPLY:
		put_features_reply(p);
		return true;
	case OFM_PORT_MOD:
		put_port_mod(p);
		return true;
	case OFM_PORT_STATUS:
		put_port_status(p);
		return true;
	case OFM_PORT_STATS_REQUEST:
		put_request(p, "port_no", msg->number);
		return true;
	case OFM_PORT_DESC_REQUEST:
	case OFM_QUEUE_CONFIG_REQUEST:
		put_request(p, "port", msg->number);
		return true;
	case OFM_PORT_STATS_REPLY:
		str_printf(p->out, " %zu ports\n", msg->n);
		for (size_t i = 0; i < msg->n; i++)
			put_counters(p, &msg->port_stats[i]);
		return true;
	case OFM_PORT_DESC_REPLY:
		str_append_char(p->out, '\n');
		put_ports(p, msg->ports, msg->n);
		return true;
	case OFM_QUEUE_STATS_REQUEST:
		put_queue_request(p, true);
		return true;
	case OFM_QUEUE_DESC_REQUEST:
		put_queue_request(p, false);
		return true;
	case OFM_QUEUE_STATS_REPLY:
		put_queue_stats(p);
		return true;
	case OFM_QUEUE_CONFIG_REPLY:
	case OFM_QUEUE_DESC_REPLY:
		put_queues(p);
		return true;
	default:
		return false;
	}
}
