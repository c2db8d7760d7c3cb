/* of_msg_packet.c - bodies of the messages that carry packets: in, in all formats, out,
 * and what resumes a packet. Below of_msg.c; no state, any thread. */
#include "base/compiler.h"
#include "openflow/of_msg_private.h"

/* Properties of nxt_packet_in2. */
enum {
	IN2_PACKET,
	IN2_FULL_LENGTH,
	IN2_BUFFER_ID,
	IN2_TABLE_ID,
	IN2_COOKIE,
	IN2_REASON,
	IN2_METADATA,
	IN2_USERDATA,
	IN2_CONTINUATION,
};

/* ---- Reasons. */

static uint8_t
reason_encode(enum of_version version, uint8_t reason)
{
	switch (reason) {
	case OFR_ACTION_SET:
	case OFR_GROUP:
	case OFR_PACKET_OUT:
		return version < OF14 ? OFR_ACTION : reason;
	case OFR_EXPLICIT_MISS:
		return version < OF13 ? OFR_ACTION : OFR_NO_MATCH;
	case OFR_IMPLICIT_MISS:
		return OFR_NO_MATCH;
	default:
		return reason;
	}
}

/* ---- Standard formats. */

static void
set_in_port(struct of_packet_in *p, uint32_t port)
{
	flow_match_set_u64(&p->metadata, FIELD_IN_PORT, port);
}

static int
rest_is_packet(struct of_in *in, const uint8_t **packet, size_t *n)
{
	*n = in->n;
	*packet = in_copy(in, in->n);
	return 0;
}

static int
standard_decode(struct of_in *in, struct of_packet_in *p)
{
	enum of_version version = in_version(in);
	int rc;

	p->cookie = UINT64_MAX;
	p->buffer_id = in_u32(in);
	if (version == OF10) {
		p->total_bytes = in_u16(in);
		set_in_port(p, in_port16(in));
		p->reason = in_u8(in);
		in_skip(in, 1);
		return rest_is_packet(in, &p->packet, &p->n);
	}
	if (version == OF11) {
		set_in_port(p, in_u32(in));
		in_skip(in, 4); /* the physical port */
	}
	p->total_bytes = in_u16(in);
	p->reason = in_u8(in);
	p->table = in_u8(in);
	if (version == OF11)
		return rest_is_packet(in, &p->packet, &p->n);
	if (version >= OF13)
		p->cookie = in_u64(in);
	rc = in_match(in, &p->metadata);
	in_skip(in, 2);
	return rc < 0 ? rc : rest_is_packet(in, &p->packet, &p->n);
}

static void
standard_encode(struct of_out *o, const struct of_packet_in *p)
{
	enum of_version version = o->msg->version;
	uint32_t port = p->metadata.key.f.in_port;
	uint8_t reason = reason_encode(version, p->reason);

	o_u32(o, p->buffer_id);
	if (version == OF10) {
		o_u16(o, MIN_OF(p->total_bytes, UINT16_MAX));
		o_port16(o, port);
		o_u8(o, reason);
		o_u8(o, 0);
		o_bytes(o, p->packet, p->n);
		return;
	}
	if (version == OF11) {
		o_u32(o, port);
		o_u32(o, port);
	}
	o_u16(o, MIN_OF(p->total_bytes, UINT16_MAX));
	o_u8(o, reason);
	o_u8(o, p->table);
	if (version >= OF13)
		o_u64(o, p->cookie);
	if (version >= OF12) {
		o_match(o, &p->metadata);
		o_zeros(o, 2);
	}
	o_bytes(o, p->packet, p->n);
}

/* ---- nxt_packet_in. */

static int
nxt_decode(struct of_in *in, struct of_packet_in *p)
{
	size_t n_match;
	int rc;

	p->buffer_id = in_u32(in);
	p->total_bytes = in_u16(in);
	p->reason = in_u8(in);
	p->table = in_u8(in);
	p->cookie = in_u64(in);
	n_match = in_u16(in);
	in_skip(in, 6);
	rc = in_check(in, "packet-in");
	if (rc == 0)
		rc = in_nxm(in, n_match, true, &p->metadata, NULL, NULL);
	in_skip(in, 2);
	return rc < 0 ? rc : rest_is_packet(in, &p->packet, &p->n);
}

static void
nxt_encode(struct of_out *o, const struct of_packet_in *p)
{
	size_t length_at;

	o_u32(o, p->buffer_id);
	o_u16(o, MIN_OF(p->total_bytes, UINT16_MAX));
	o_u8(o, reason_encode(o->msg->version, p->reason));
	o_u8(o, p->table);
	o_u64(o, p->cookie);
	length_at = o_at(o);
	o_zeros(o, 8);
	o_nxm(o, &p->metadata, 0, 0, length_at);
	o_zeros(o, 2);
	o_bytes(o, p->packet, p->n);
}

/* ---- nxt_packet_in2 and resume. */

static int
in2_metadata(struct of_in *body, struct of_packet_in *p)
{
	int rc = of_oxm_decode(body->p, body->n, body->msg->kind == OFM_PACKET_IN,
	                       &p->metadata, NULL, NULL, body->error);

	in_skip(body, body->n);
	return rc;
}

static int
in2_bytes(struct of_in *body, const uint8_t **data, size_t *n)
{
	*n = body->n;
	*data = in_copy(body, body->n);
	return 0;
}

static int
in2_property(struct of_in *body, uint16_t type, struct of_packet_in *p)
{
	switch (type) {
	case IN2_PACKET:
		return in2_bytes(body, &p->packet, &p->n);
	case IN2_FULL_LENGTH:
		p->total_bytes = in_u32(body);
		break;
	case IN2_BUFFER_ID:
		p->buffer_id = in_u32(body);
		break;
	case IN2_TABLE_ID:
		p->table = in_u8(body);
		break;
	case IN2_COOKIE:
		in_skip(body, 4);
		p->cookie = in_u64(body);
		break;
	case IN2_REASON:
		p->reason = in_u8(body);
		break;
	case IN2_METADATA:
		return in2_metadata(body, p);
	case IN2_USERDATA:
		return in2_bytes(body, &p->userdata, &p->n_userdata);
	case IN2_CONTINUATION:
		p->has_continuation = true;
		in_skip(body, 4); /* its contents are properties, aligned */
		if (body->is_short)
			break;
		return in2_bytes(body, &p->continuation, &p->n_continuation);
	default:
		return of_fail(body->error, OFERR_BAD_PROPERTY_TYPE,
		               "a packet-in has no property %u", type);
	}
	return body->is_short || body->n
	               ? of_fail(body->error, OFERR_BAD_PROPERTY_LEN,
	                         "property %u of a packet-in has a wrong length", type)
	               : 0;
}

static int
in2_decode(struct of_in *in, struct of_packet_in *p)
{
	int rc = 0;
	bool has_length = false;

	p->format = OF_PACKET_IN_NXT2;
	p->buffer_id = OF_BUFFER_NONE;
	p->cookie = UINT64_MAX;
	while (rc == 0 && in->n) {
		struct of_in body;
		uint16_t type;

		rc = in_property(in, &type, &body);
		if (rc == 0)
			rc = in2_property(&body, type, p);
		has_length |= rc == 0 && type == IN2_FULL_LENGTH;
	}
	if (!has_length)
		p->total_bytes = (uint32_t)p->n;
	return rc;
}

static void
in2_u32(struct of_out *o, uint16_t type, uint32_t value)
{
	size_t start = o_property(o, type);

	o_u32(o, value);
	o_property_end(o, start);
}

static void
in2_u8(struct of_out *o, uint16_t type, uint8_t value)
{
	size_t start = o_property(o, type);

	o_u8(o, value);
	o_property_end(o, start);
}

static void
in2_data(struct of_out *o, uint16_t type, const void *data, size_t n)
{
	size_t start = o_property(o, type);

	o_bytes(o, data, n);
	o_property_end(o, start);
}

static void
in2_encode(struct of_out *o, const struct of_packet_in *p)
{
	size_t start;

	in2_data(o, IN2_PACKET, p->packet, p->n);
	if (p->total_bytes != p->n)
		in2_u32(o, IN2_FULL_LENGTH, p->total_bytes);
	if (p->buffer_id != OF_BUFFER_NONE)
		in2_u32(o, IN2_BUFFER_ID, p->buffer_id);
	in2_u8(o, IN2_TABLE_ID, p->table);
	if (p->cookie != UINT64_MAX) {
		start = o_property(o, IN2_COOKIE);
		o_zeros(o, 4);
		o_u64(o, p->cookie);
		o_property_end(o, start);
	}
	in2_u8(o, IN2_REASON, reason_encode(o->msg->version, p->reason));
	start = o_property(o, IN2_METADATA);
	of_oxm_encode(MAX_OF(o->msg->version, OF12), &p->metadata, 0, 0, o->out);
	o_property_end(o, start);
	if (p->has_continuation) {
		start = o_property(o, IN2_CONTINUATION);
		o_zeros(o, 4);
		o_bytes(o, p->continuation, p->n_continuation);
		o_property_end(o, start);
	}
	if (p->n_userdata)
		in2_data(o, IN2_USERDATA, p->userdata, p->n_userdata);
}

static int
packet_in_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_packet_in *p = &msg->packet_in;

	switch (p->format) {
	case OF_PACKET_IN_NXT:
		return nxt_decode(in, p);
	case OF_PACKET_IN_NXT2:
		return in2_decode(in, p);
	case OF_PACKET_IN_STANDARD:
	default:
		return standard_decode(in, p);
	}
}

static void
packet_in_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_packet_in *p = &msg->packet_in;

	if (p->format == OF_PACKET_IN_NXT2)
		in2_encode(o, p);
	else if (p->format == OF_PACKET_IN_NXT || msg->is_nicira)
		nxt_encode(o, p);
	else
		standard_encode(o, p);
}

static int
resume_decode(struct of_in *in, struct of_msg *msg)
{
	return in2_decode(in, &msg->packet_in);
}

static void
resume_encode(struct of_out *o, const struct of_msg *msg)
{
	in2_encode(o, &msg->packet_in);
}

/* ---- Out. */

bool
of_match_is_pipeline(const struct flow_match *match)
{
	struct flow_key mask = match->mask;
	struct flow_fields *f = &mask.f;

	f->in_port = 0;
	f->packet_mark = 0;
	f->tun_id = 0;
	memset(f->tun_src, 0, sizeof(f->tun_src));
	memset(f->tun_dst, 0, sizeof(f->tun_dst));
	f->tun_flags = 0;
	f->tun_tos = 0;
	f->tun_ttl = 0;
	f->ct_state = 0;
	for (size_t i = FLOW_PACKET_WORDS; i < FLOW_KEY_WORDS; i++)
		mask.words[i] = 0;
	return flow_key_is_empty(&mask);
}

static int
packet_out_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_packet_out *p = &msg->packet_out;
	struct of_in actions;
	size_t n_actions;
	int rc = 0;

	p->buffer_id = in_u32(in);
	if (msg->version <= OF14) {
		p->in_port = in_port(in);
		n_actions = in_u16(in);
		if (msg->version != OF10)
			in_skip(in, 6);
		flow_match_set_u64(&p->metadata, FIELD_IN_PORT, p->in_port);
	} else {
		n_actions = in_u16(in);
		in_skip(in, 2);
		rc = in_match(in, &p->metadata);
		if (rc == 0 && p->metadata.mask.f.in_port != UINT32_MAX)
			rc = of_fail(in->error, OFERR_BAD_REQUEST_PORT,
			             "a packet-out has no in_port");
		if (rc == 0 && !of_match_is_pipeline(&p->metadata))
			rc = of_fail(in->error, OFERR_BAD_REQUEST_PIPELINE_FIELDS_ONLY,
			             "a packet-out's match is about its packet");
		p->in_port = p->metadata.key.f.in_port;
	}
	if (rc < 0)
		return rc;
	actions = in_part(in, n_actions);
	rc = in_check(in, "packet-out");
	if (rc == 0)
		rc = in_actions(&actions, &p->actions);
	return rc < 0 ? rc : rest_is_packet(in, &p->packet, &p->n);
}

static void
packet_out_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_packet_out *p = &msg->packet_out;
	size_t start, length_at;

	o_u32(o, p->buffer_id);
	if (msg->version <= OF14) {
		o_port(o, p->in_port);
		length_at = o_at(o);
		o_u16(o, 0);
		if (msg->version != OF10)
			o_zeros(o, 6);
	} else {
		struct flow_match metadata = p->metadata;

		length_at = o_at(o);
		o_u32(o, 0);
		flow_match_set_u64(&metadata, FIELD_IN_PORT, p->in_port);
		o_match(o, &metadata);
	}
	start = o_at(o);
	o_actions(o, &p->actions);
	o_length(o, length_at, start);
	o_bytes(o, p->packet, p->n);
}

const struct of_codec of_codec_packet_in = {packet_in_decode, packet_in_encode};
const struct of_codec of_codec_resume = {resume_decode, resume_encode};
const struct of_codec of_codec_packet_out = {packet_out_decode, packet_out_encode};
