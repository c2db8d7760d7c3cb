/* of_msg_basic.c - bodies of the messages that are about the connection and the switch as
 * a whole: greeting, errors, features, configuration, roles, what is told to whom. Below
 * of_msg.c; no state, any thread. */
#include "base/compiler.h"
#include "openflow/of_msg_private.h"

#define HELLO_VERSION_BITMAP  1
#define ERROR_NICIRA          0xb0c2U /* type of a vendor's error in 1.0 and 1.1 */
#define ERROR_EXPERIMENTER    0xffffU
#define PROPERTY_EXPERIMENTER 0xfffeU /* and the next */

static int
empty_decode(struct of_in *in, struct of_msg *msg)
{
	(void)in;
	(void)msg;
	return 0;
}

static void
empty_encode(struct of_out *o, const struct of_msg *msg)
{
	(void)o;
	(void)msg;
}

/* A greeting is never an error for what its elements hold: the header's version is as
 * good. */
static int
hello_decode(struct of_in *in, struct of_msg *msg)
{
	uint32_t highest = MIN_OF(msg->hello.versions, 31U);
	uint32_t bitmap = 0;
	bool has_bitmap = false;
	struct of_error unused, *error = in->error;

	in->error = &unused;
	while (in->n >= 4) {
		struct of_in body;
		uint16_t type;

		if (in_property(in, &type, &body) < 0)
			break;
		if (type == HELLO_VERSION_BITMAP && body.n >= 4) {
			bitmap = in_u32(&body);
			has_bitmap = true;
		}
	}
	in->error = error;
	in_skip(in, in->n);
	msg->hello.versions = has_bitmap ? bitmap : (uint32_t)((2ULL << highest) - 2);
	return 0;
}

static void
hello_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u16(o, HELLO_VERSION_BITMAP);
	o_u16(o, 8);
	o_u32(o, msg->hello.versions);
}

static int
error_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_error_msg *e = &msg->error;

	e->type = in_u16(in);
	e->code = in_u16(in);
	if (e->type == ERROR_NICIRA && msg->version <= OF11) {
		e->experimenter = in_u32(in);
		e->type = in_u16(in);
		e->code = in_u16(in);
	} else if (e->type == ERROR_EXPERIMENTER && msg->version >= OF12) {
		e->experimenter = in_u32(in);
	}
	e->n = in->n;
	e->data = in_copy(in, in->n);
	return 0;
}

static void
error_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_error_msg *e = &msg->error;

	if (e->experimenter && msg->version <= OF11) {
		o_u16(o, ERROR_NICIRA);
		o_u16(o, 0);
		o_u32(o, e->experimenter);
		o_u16(o, e->type);
		o_u16(o, e->code);
	} else {
		o_u16(o, e->type);
		o_u16(o, e->code);
		if (e->type == ERROR_EXPERIMENTER && msg->version >= OF12)
			o_u32(o, e->experimenter);
	}
	o_bytes(o, e->data, e->n);
}

static int
echo_decode(struct of_in *in, struct of_msg *msg)
{
	msg->echo.n = in->n;
	msg->echo.data = in_copy(in, in->n);
	return 0;
}

static void
echo_encode(struct of_out *o, const struct of_msg *msg)
{
	o_bytes(o, msg->echo.data, msg->echo.n);
}

static int
experimenter_decode(struct of_in *in, struct of_msg *msg)
{
	msg->experimenter.id = in_u32(in);
	msg->experimenter.type = in_u32(in);
	msg->experimenter.n = in->n;
	msg->experimenter.data = in_copy(in, in->n);
	return 0;
}

static void
experimenter_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->experimenter.id);
	o_u32(o, msg->experimenter.type);
	o_bytes(o, msg->experimenter.data, msg->experimenter.n);
}

/* Bits that a version has; bit 3 is spanning tree in 1.0, which no switch here has, and
 * groups after it. */
static const uint32_t capabilities[] = {
	[OF10] = 0xf7,  [OF11] = 0xef,  [OF12] = 0x16f,
	[OF13] = 0x16f, [OF14] = 0x76f, [OF15] = 0x76f,
};

static int
features_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_features *f = &msg->features;
	int rc = 0;

	f->datapath_id = in_u64(in);
	f->n_buffers = in_u32(in);
	f->n_tables = in_u8(in);
	f->auxiliary_id = in_u8(in);
	in_skip(in, 2);
	f->capabilities = in_u32(in);
	f->actions = in_u32(in);
	if (msg->version < OF13)
		f->auxiliary_id = 0;
	if (msg->version != OF10)
		f->actions = 0;
	while (rc == 0 && in->n && msg->version <= OF12) {
		f->ports = in_grow(in, f->ports, &f->n_ports, sizeof(*f->ports));
		rc = in_port_desc(in, &f->ports[f->n_ports - 1]);
	}
	return rc;
}

static void
features_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_features *f = &msg->features;

	o_u64(o, f->datapath_id);
	o_u32(o, f->n_buffers);
	o_u8(o, f->n_tables);
	o_u8(o, msg->version >= OF13 ? f->auxiliary_id : 0);
	o_zeros(o, 2);
	o_u32(o, f->capabilities & capabilities[msg->version]);
	o_u32(o, msg->version == OF10 ? f->actions : 0);
	/* What does not fit is not said: its number of ports has no other limit. */
	for (size_t i = 0; i < f->n_ports && msg->version <= OF12; i++)
		if (o_at(o) - o->start + 64 <= OF_MESSAGE_MAX)
			o_port_desc(o, &f->ports[i]);
}

static int
config_decode(struct of_in *in, struct of_msg *msg)
{
	msg->config.flags = in_u16(in);
	msg->config.miss_send_len = in_u16(in);
	/* Handling of fragments, and (until 1.2) of TTLs that run out. */
	if (msg->kind == OFM_SET_CONFIG &&
	    msg->config.flags & ~(msg->version <= OF12 ? 7U : 3U))
		return of_fail(in->error, OFERR_SWITCH_CONFIG_FLAGS,
		               "flags 0x%x of a configuration are not known",
		               msg->config.flags);
	return 0;
}

static void
config_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u16(o, msg->config.flags);
	o_u16(o, msg->config.miss_send_len);
}

/* The pairs in the order of 1.4's properties. */
#define ASYNC_KINDS 8

static uint32_t *
async_pair(struct of_async *async, unsigned kind)
{
	uint32_t *pairs[ASYNC_KINDS] = {
		async->packet_in,   async->port_status,       async->flow_removed,
		async->role_status, async->table_status,      async->request_forward,
		async->flow_stats,  async->controller_status,
	};

	return pairs[kind];
}

/* Reasons that there are; 0 = any. */
static const uint32_t async_reasons[ASYNC_KINDS] = {0x3f, 0x07, 0x3f, 0x07,
                                                    0x18, 0x03, 0,    0x7f};

static int
async_property_decode(struct of_in *in, struct of_async *async)
{
	struct of_in body;
	uint16_t type;
	int rc = in_property(in, &type, &body);
	unsigned n_kinds = in_version(in) >= OF15 ? ASYNC_KINDS : ASYNC_KINDS - 2;
	uint32_t mask;

	if (rc < 0)
		return rc;
	if (type >= PROPERTY_EXPERIMENTER)
		return of_fail(in->error, OFERR_BAD_PROPERTY_EXPERIMENTER,
		               "an experimenter's property of what is told");
	if (type >= 2 * n_kinds)
		return of_fail(in->error, OFERR_ASYNC_UNSUPPORTED,
		               "there is no property %u of what is told", type);
	if (body.n != 4)
		return of_fail(in->error, OFERR_BAD_PROPERTY_LEN,
		               "property %u has %zu bytes", type, body.n + 4);
	mask = in_u32(&body);
	if (in->msg->kind == OFM_SET_ASYNC && async_reasons[type / 2] &&
	    mask & ~async_reasons[type / 2])
		return of_fail(in->error, OFERR_ASYNC_INVALID,
		               "property %u has reasons 0x%x that there are not", type,
		               mask & ~async_reasons[type / 2]);
	async_pair(async, type / 2)[type & 1] = mask;
	async->given |= 1U << type;
	return 0;
}

static int
async_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_async *async = &msg->async;
	bool has_properties = msg->version >= OF14 || async->given;
	int rc = 0;

	if (has_properties) {
		async->given = 0;
		while (rc == 0 && in->n)
			rc = async_property_decode(in, async);
		return rc;
	}
	for (unsigned kind = 0; kind < 3; kind++) {
		async_pair(async, kind)[1] = in_u32(in);
		async_pair(async, kind)[0] = in_u32(in);
	}
	return 0;
}

static void
async_encode(struct of_out *o, const struct of_msg *msg)
{
	struct of_async async = msg->async;
	unsigned n_kinds = msg->version >= OF15 ? ASYNC_KINDS : ASYNC_KINDS - 2;
	bool is_set = msg->kind == OFM_SET_ASYNC;

	if (msg->version < OF14 && !(is_set && async.given)) {
		for (unsigned kind = 0; kind < 3; kind++) {
			o_u32(o, async_pair(&async, kind)[1]);
			o_u32(o, async_pair(&async, kind)[0]);
		}
		return;
	}
	for (unsigned type = 0; type < 2 * n_kinds; type++)
		if (!async.given || async.given & 1U << type) {
			size_t start = o_property(o, (uint16_t)type);

			o_u32(o, async_pair(&async, type / 2)[type & 1]);
			o_property_end(o, start);
		}
}

static int
desc_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_desc *d = &msg->desc;

	in_text(in, 256, d->manufacturer, sizeof(d->manufacturer));
	in_text(in, 256, d->hardware, sizeof(d->hardware));
	in_text(in, 256, d->software, sizeof(d->software));
	in_text(in, 32, d->serial, sizeof(d->serial));
	in_text(in, 256, d->datapath, sizeof(d->datapath));
	return 0;
}

static void
desc_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_desc *d = &msg->desc;

	o_text(o, d->manufacturer, 256);
	o_text(o, d->hardware, 256);
	o_text(o, d->software, 256);
	o_text(o, d->serial, 32);
	o_text(o, d->datapath, 256);
}

static int
request_forward_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_in item;
	int rc = in_item(in, 2, OF_HEADER_BYTES, "forwarded request", &item);

	if (rc < 0)
		return rc;
	msg->request_forward.n = item.n;
	msg->request_forward.data = in_copy(&item, item.n);
	return 0;
}

const struct of_codec of_codec_empty = {empty_decode, empty_encode};
const struct of_codec of_codec_hello = {hello_decode, hello_encode};
const struct of_codec of_codec_error = {error_decode, error_encode};
const struct of_codec of_codec_echo = {echo_decode, echo_encode};
const struct of_codec of_codec_experimenter = {experimenter_decode, experimenter_encode};
const struct of_codec of_codec_features = {features_decode, features_encode};
const struct of_codec of_codec_config = {config_decode, config_encode};
const struct of_codec of_codec_async = {async_decode, async_encode};
const struct of_codec of_codec_desc = {desc_decode, desc_encode};
const struct of_codec of_codec_request_forward = {request_forward_decode, echo_encode};
