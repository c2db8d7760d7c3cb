/* of_msg_port.c - bodies of the messages about ports: what they are, what they counted,
 * changes of both sides. Below of_msg.c; no state, any thread. */
#include "openflow/of_msg_private.h"

#define PROPERTY_ETHERNET     0
#define PROPERTY_EXPERIMENTER 0xffffU
#define CONFIG_10             0x7fU
#define CONFIG_11             0x65U
#define STATE_10              0x301U
#define STATE_11              0x7U

/* 1.0 has the first seven speeds and then at once what follows 1.1's further four. */
static uint32_t
features_from_10(uint32_t wire)
{
	return (wire & 0x7f) | (wire & 0xf80) << 4;
}

static uint32_t
features_to_10(uint32_t features)
{
	return (features & 0x7f) | (features >> 4 & 0xf80);
}

static uint32_t
in_features(struct of_in *in)
{
	uint32_t wire = in_u32(in);

	return in_version(in) == OF10 ? features_from_10(wire) : wire;
}

static void
o_features(struct of_out *o, uint32_t features)
{
	o_u32(o, o->msg->version == OF10 ? features_to_10(features) : features);
}

static void
o_config(struct of_out *o, uint32_t config)
{
	o_u32(o, config & (o->msg->version == OF10 ? CONFIG_10 : CONFIG_11));
}

/* The features and speeds, which are a property since 1.4. */
static void
ethernet_decode(struct of_in *in, struct of_port *port)
{
	port->current = in_features(in);
	port->advertised = in_features(in);
	port->supported = in_features(in);
	port->peer = in_features(in);
	if (in_version(in) != OF10) {
		port->current_kbps = in_u32(in);
		port->max_kbps = in_u32(in);
	}
}

static void
ethernet_encode(struct of_out *o, const struct of_port *port)
{
	o_features(o, port->current);
	o_features(o, port->advertised);
	o_features(o, port->supported);
	o_features(o, port->peer);
	if (o->msg->version != OF10) {
		o_u32(o, port->current_kbps);
		o_u32(o, port->max_kbps);
	}
}

static int
port_14_decode(struct of_in *in, struct of_port *port)
{
	struct of_in item;
	int rc = in_item(in, 4, 40, "port", &item);

	if (rc < 0)
		return rc;
	port->number = in_u32(&item);
	in_skip(&item, 4);
	in_mac(&item, port->mac);
	in_skip(&item, 2);
	in_text(&item, 16, port->name, sizeof(port->name));
	port->config = in_u32(&item);
	port->state = in_u32(&item);
	while (item.n) {
		struct of_in body;
		uint16_t type;

		rc = in_property(&item, &type, &body);
		if (rc < 0)
			return rc;
		/* Others are passed over: a port has what it has. */
		if (type != PROPERTY_ETHERNET)
			continue;
		in_skip(&body, 4);
		ethernet_decode(&body, port);
		if (body.is_short || body.n)
			return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
			               "a port's property has a wrong length");
	}
	return 0;
}

int
in_port_desc(struct of_in *in, struct of_port *port)
{
	enum of_version version = in_version(in);

	if (version >= OF14)
		return port_14_decode(in, port);
	port->number = in_port(in);
	if (version != OF10)
		in_skip(in, 4);
	in_mac(in, port->mac);
	if (version != OF10)
		in_skip(in, 2);
	in_text(in, 16, port->name, sizeof(port->name));
	port->config = in_u32(in);
	port->state = in_u32(in);
	ethernet_decode(in, port);
	return in_check(in, "port");
}

void
o_port_desc(struct of_out *o, const struct of_port *port)
{
	enum of_version version = o->msg->version;
	size_t start = o_at(o);

	o_port(o, port->number);
	if (version != OF10)
		o_zeros(o, 4);
	o_bytes(o, port->mac, 6);
	if (version != OF10)
		o_zeros(o, 2);
	o_text(o, port->name, 16);
	o_config(o, port->config);
	o_u32(o, port->state & (version == OF10 ? STATE_10 : STATE_11));
	if (version >= OF14) {
		size_t property = o_property(o, PROPERTY_ETHERNET);

		o_zeros(o, 4);
		ethernet_encode(o, port);
		o_property_end(o, property);
		o_length(o, start + 4, start);
	} else {
		ethernet_encode(o, port);
	}
}

static int
port_status_decode(struct of_in *in, struct of_msg *msg)
{
	msg->port_status.reason = in_u8(in);
	in_skip(in, 7);
	return in_port_desc(in, &msg->port_status.port);
}

static void
port_status_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u8(o, msg->port_status.reason);
	o_zeros(o, 7);
	o_port_desc(o, &msg->port_status.port);
}

static int
port_descs_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->ports = in_grow(in, msg->ports, &msg->n, sizeof(*msg->ports));
		rc = in_port_desc(in, &msg->ports[msg->n - 1]);
	}
	return rc;
}

static void
port_descs_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		size_t start = o_at(o);

		o_port_desc(o, &msg->ports[i]);
		o_item_end(o, start);
	}
}

/* ---- Changes. */

static int
mod_properties(struct of_in *in, struct of_port_mod *mod)
{
	while (in->n) {
		struct of_in body;
		uint16_t type;
		int rc = in_property(in, &type, &body);

		if (rc < 0)
			return rc;
		if (type == PROPERTY_EXPERIMENTER)
			return of_fail(in->error, OFERR_BAD_PROPERTY_EXPERIMENTER,
			               "an experimenter's property of a port");
		if (type != PROPERTY_ETHERNET)
			return of_fail(in->error, OFERR_BAD_PROPERTY_TYPE,
			               "a port has no property %u", type);
		if (body.n != 4)
			return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
			               "a port's property has a wrong length");
		mod->advertise = in_u32(&body);
	}
	return 0;
}

static int
port_mod_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_port_mod *mod = &msg->port_mod;
	uint32_t known = msg->version == OF10 ? CONFIG_10 : CONFIG_11;

	mod->port = in_port(in);
	if (msg->version != OF10)
		in_skip(in, 4);
	in_mac(in, mod->mac);
	if (msg->version != OF10)
		in_skip(in, 2);
	mod->config = in_u32(in) & known;
	mod->mask = in_u32(in) & known;
	if (msg->version >= OF14)
		return in->is_short ? 0 : mod_properties(in, mod);
	mod->advertise = in_features(in);
	in_skip(in, 4);
	return 0;
}

static void
port_mod_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_port_mod *mod = &msg->port_mod;

	o_port(o, mod->port);
	if (msg->version != OF10)
		o_zeros(o, 4);
	o_bytes(o, mod->mac, 6);
	if (msg->version != OF10)
		o_zeros(o, 2);
	o_config(o, mod->config);
	o_config(o, mod->mask);
	if (msg->version < OF14) {
		o_features(o, mod->advertise);
		o_zeros(o, 4);
	} else if (mod->advertise) {
		size_t start = o_property(o, PROPERTY_ETHERNET);

		o_u32(o, mod->advertise);
		o_property_end(o, start);
	}
}

/* ---- Counters. */

static int
port_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_port(in);
	in_skip(in, msg->version == OF10 ? 6 : 4);
	return 0;
}

static void
port_request_encode(struct of_out *o, const struct of_msg *msg)
{
	o_port(o, msg->number);
	o_zeros(o, msg->version == OF10 ? 6 : 4);
}

static int
port_desc_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = FLOW_PORT_NONE;
	return msg->version >= OF15 ? port_request_decode(in, msg) : 0;
}

static void
port_desc_request_encode(struct of_out *o, const struct of_msg *msg)
{
	if (msg->version >= OF15)
		port_request_encode(o, msg);
}

static void
counters_decode(struct of_in *in, struct of_port_stats *s)
{
	s->rx_packets = in_u64(in);
	s->tx_packets = in_u64(in);
	s->rx_bytes = in_u64(in);
	s->tx_bytes = in_u64(in);
	s->rx_dropped = in_u64(in);
	s->tx_dropped = in_u64(in);
	s->rx_errors = in_u64(in);
	s->tx_errors = in_u64(in);
}

static void
counters_encode(struct of_out *o, const struct of_port_stats *s)
{
	o_u64(o, s->rx_packets);
	o_u64(o, s->tx_packets);
	o_u64(o, s->rx_bytes);
	o_u64(o, s->tx_bytes);
	o_u64(o, s->rx_dropped);
	o_u64(o, s->tx_dropped);
	o_u64(o, s->rx_errors);
	o_u64(o, s->tx_errors);
}

static void
ethernet_counters_decode(struct of_in *in, struct of_port_stats *s)
{
	s->rx_frame_errors = in_u64(in);
	s->rx_over_errors = in_u64(in);
	s->rx_crc_errors = in_u64(in);
	s->collisions = in_u64(in);
}

static void
ethernet_counters_encode(struct of_out *o, const struct of_port_stats *s)
{
	o_u64(o, s->rx_frame_errors);
	o_u64(o, s->rx_over_errors);
	o_u64(o, s->rx_crc_errors);
	o_u64(o, s->collisions);
}

static int
stats_14_decode(struct of_in *in, struct of_port_stats *s)
{
	struct of_in item;
	int rc = in_item(in, 0, 80, "port's counters", &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 4);
	s->port = in_u32(&item);
	s->duration_ns = in_duration(&item);
	counters_decode(&item, s);
	s->rx_frame_errors = UINT64_MAX;
	s->rx_over_errors = UINT64_MAX;
	s->rx_crc_errors = UINT64_MAX;
	s->collisions = UINT64_MAX;
	while (item.n) {
		struct of_in body;
		uint16_t type;

		rc = in_property(&item, &type, &body);
		if (rc < 0)
			return rc;
		if (type != PROPERTY_ETHERNET)
			continue;
		in_skip(&body, 4);
		ethernet_counters_decode(&body, s);
		if (body.is_short || body.n)
			return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
			               "a port's counters have a wrong length");
	}
	return 0;
}

static int
port_stats_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		struct of_port_stats *s;

		msg->port_stats =
			in_grow(in, msg->port_stats, &msg->n, sizeof(*msg->port_stats));
		s = &msg->port_stats[msg->n - 1];
		if (msg->version >= OF14) {
			rc = stats_14_decode(in, s);
			continue;
		}
		s->port = in_port(in);
		in_skip(in, msg->version == OF10 ? 6 : 4);
		counters_decode(in, s);
		ethernet_counters_decode(in, s);
		s->duration_ns = msg->version >= OF13 ? in_duration(in) : UINT64_MAX;
		rc = in_check(in, "port's counters");
	}
	return rc;
}

static void
stats_one_encode(struct of_out *o, const struct of_port_stats *s)
{
	enum of_version version = o->msg->version;
	size_t property, start = o_at(o);

	if (version < OF14) {
		o_port(o, s->port);
		o_zeros(o, version == OF10 ? 6 : 4);
		counters_encode(o, s);
		ethernet_counters_encode(o, s);
		if (version >= OF13)
			o_duration(o, s->duration_ns);
		return;
	}
	o_u32(o, 0);
	o_u32(o, s->port);
	o_duration(o, s->duration_ns);
	counters_encode(o, s);
	property = o_property(o, PROPERTY_ETHERNET);
	o_zeros(o, 4);
	ethernet_counters_encode(o, s);
	o_property_end(o, property);
	o_length(o, start, start);
}

static void
port_stats_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		size_t start = o_at(o);

		stats_one_encode(o, &msg->port_stats[i]);
		o_item_end(o, start);
	}
}

const struct of_codec of_codec_port_status = {port_status_decode, port_status_encode};
const struct of_codec of_codec_port_mod = {port_mod_decode, port_mod_encode};
const struct of_codec of_codec_port_request = {port_request_decode, port_request_encode};
const struct of_codec of_codec_port_desc_request = {port_desc_request_decode,
                                                    port_desc_request_encode};
const struct of_codec of_codec_port_stats = {port_stats_decode, port_stats_encode};
const struct of_codec of_codec_port_descs = {port_descs_decode, port_descs_encode};
