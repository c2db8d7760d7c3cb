/* of_msg_queue.c - bodies of the messages about queues: rates, and what they counted.
 * Below of_msg.c; no state, any thread. */
#include "openflow/of_msg_private.h"

#define PROPERTY_MIN_RATE 1
#define PROPERTY_MAX_RATE 2
#define RATE_NOT_SAID     0xffffU

/* ---- Rates. */

/* 1.0 to 1.3: four bytes of padding after the head, and six after the rate. */
static int
rates_decode(struct of_in *in, struct of_queue_config *q)
{
	bool is_old = in_version(in) < OF14;

	while (in->n) {
		struct of_in body;
		uint16_t type, rate;
		int rc = in_property(in, &type, &body);

		if (rc < 0)
			return rc;
		if (type != PROPERTY_MIN_RATE && type != PROPERTY_MAX_RATE)
			continue;
		in_skip(&body, is_old ? 4 : 0);
		rate = in_u16(&body);
		if (body.is_short)
			return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
			               "property %u of a queue is cut short", type);
		if (type == PROPERTY_MIN_RATE)
			q->min_rate = rate;
		else
			q->max_rate = rate;
	}
	return 0;
}

static void
rate_encode(struct of_out *o, uint16_t type, uint16_t rate)
{
	bool is_old = o->msg->version < OF14;
	size_t start;

	if (rate == RATE_NOT_SAID)
		return;
	start = o_property(o, type);
	o_zeros(o, is_old ? 4 : 0);
	o_u16(o, rate);
	o_zeros(o, is_old ? 6 : 2);
	o_property_end(o, start);
}

static int
config_one_decode(struct of_in *in, uint32_t port, struct of_queue_config *q)
{
	enum of_version version = in_version(in);
	struct of_in item;
	size_t at = version <= OF11 ? 4 : 8;
	int rc = in_item(in, at, version <= OF11 ? 8 : 16, "queue", &item);

	if (rc < 0)
		return rc;
	q->port = port;
	q->min_rate = RATE_NOT_SAID;
	q->max_rate = RATE_NOT_SAID;
	if (version >= OF14)
		q->port = in_u32(&item);
	q->queue = in_u32(&item);
	if (version == OF12 || version == OF13)
		q->port = in_u32(&item);
	in_skip(&item, version <= OF11 ? 4 : 8);
	return rates_decode(&item, q);
}

static void
config_one_encode(struct of_out *o, const struct of_queue_config *q)
{
	enum of_version version = o->msg->version;
	size_t length_at, start = o_at(o);

	if (version >= OF14)
		o_u32(o, q->port);
	o_u32(o, q->queue);
	if (version == OF12 || version == OF13)
		o_u32(o, q->port);
	length_at = o_at(o);
	o_zeros(o, version <= OF11 ? 4 : 8);
	rate_encode(o, PROPERTY_MIN_RATE, q->min_rate);
	rate_encode(o, PROPERTY_MAX_RATE, q->max_rate);
	o_length(o, length_at, start);
}

static int
configs_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->queues.list =
			in_grow(in, msg->queues.list, &msg->n, sizeof(*msg->queues.list));
		rc = config_one_decode(in, msg->queues.port,
		                       &msg->queues.list[msg->n - 1]);
	}
	return rc;
}

static int
queue_config_decode(struct of_in *in, struct of_msg *msg)
{
	msg->queues.port = in_port(in);
	in_skip(in, msg->version == OF10 ? 6 : 4);
	return configs_decode(in, msg);
}

static void
queue_config_encode(struct of_out *o, const struct of_msg *msg)
{
	o_port(o, msg->queues.port);
	o_zeros(o, msg->version == OF10 ? 6 : 4);
	/* There is no second message: as many as fit. */
	for (size_t i = 0; i < msg->n; i++) {
		const size_t start = o_at(o);

		config_one_encode(o, &msg->queues.list[i]);
		if (o_at(o) - o->start > OF_MESSAGE_MAX) {
			o->out->length = start;
			return;
		}
	}
}

static int
queue_descs_decode(struct of_in *in, struct of_msg *msg)
{
	msg->queues.port = FLOW_PORT_NONE;
	return configs_decode(in, msg);
}

static void
queue_descs_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		size_t start = o_at(o);

		config_one_encode(o, &msg->queues.list[i]);
		o_item_end(o, start);
	}
}

static int
queue_config_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_port(in);
	in_skip(in, msg->version == OF10 ? 2 : 4);
	return 0;
}

static void
queue_config_request_encode(struct of_out *o, const struct of_msg *msg)
{
	o_port(o, msg->number);
	o_zeros(o, msg->version == OF10 ? 2 : 4);
}

/* ---- Counters. 1.0's "all ports" is its ALL, or NONE. */

static int
queue_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->queue_request.port = in_port(in);
	if (msg->version == OF10)
		in_skip(in, 2);
	if (msg->queue_request.port == FLOW_PORT_ALL)
		msg->queue_request.port = FLOW_PORT_NONE;
	msg->queue_request.queue = in_u32(in);
	return 0;
}

static void
queue_request_encode(struct of_out *o, const struct of_msg *msg)
{
	uint32_t port = msg->queue_request.port;
	bool is_10 = msg->version == OF10;

	o_port(o, is_10 && port == FLOW_PORT_NONE ? FLOW_PORT_ALL : port);
	o_zeros(o, is_10 ? 2 : 0);
	o_u32(o, msg->queue_request.queue);
}

static int
stats_14_decode(struct of_in *in, struct of_queue_stats *q)
{
	struct of_in item;
	int rc = in_item(in, 0, 48, "queue's counters", &item);

	if (rc < 0)
		return rc;
	in_skip(&item, 8);
	q->port = in_u32(&item);
	q->queue = in_u32(&item);
	q->tx_bytes = in_u64(&item);
	q->tx_packets = in_u64(&item);
	q->tx_errors = in_u64(&item);
	q->duration_ns = in_duration(&item);
	return 0; /* experimenters' properties are passed over */
}

static int
queue_stats_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		struct of_queue_stats *q;

		msg->queue_stats =
			in_grow(in, msg->queue_stats, &msg->n, sizeof(*msg->queue_stats));
		q = &msg->queue_stats[msg->n - 1];
		if (msg->version >= OF14) {
			rc = stats_14_decode(in, q);
			continue;
		}
		q->port = in_port(in);
		in_skip(in, msg->version == OF10 ? 2 : 0);
		q->queue = in_u32(in);
		q->tx_bytes = in_u64(in);
		q->tx_packets = in_u64(in);
		q->tx_errors = in_u64(in);
		q->duration_ns = msg->version >= OF13 ? in_duration(in) : UINT64_MAX;
		rc = in_check(in, "queue's counters");
	}
	return rc;
}

static void
queue_stats_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_queue_stats *q = &msg->queue_stats[i];
		size_t start = o_at(o);

		o_zeros(o, msg->version >= OF14 ? 8 : 0);
		o_port(o, q->port);
		o_zeros(o, msg->version == OF10 ? 2 : 0);
		o_u32(o, q->queue);
		o_u64(o, q->tx_bytes);
		o_u64(o, q->tx_packets);
		o_u64(o, q->tx_errors);
		if (msg->version >= OF13)
			o_duration(o, q->duration_ns);
		if (msg->version >= OF14)
			o_length(o, start, start);
		o_item_end(o, start);
	}
}

const struct of_codec of_codec_queue_config_request = {queue_config_request_decode,
                                                       queue_config_request_encode};
const struct of_codec of_codec_queue_config = {queue_config_decode, queue_config_encode};
const struct of_codec of_codec_queue_request = {queue_request_decode,
                                                queue_request_encode};
const struct of_codec of_codec_queue_stats = {queue_stats_decode, queue_stats_encode};
const struct of_codec of_codec_queue_descs = {queue_descs_decode, queue_descs_encode};
