/* of_msg.c - which bytes are which kind of message in which version, and the heads of
 * messages and of multiparts. Above of_msg_*.c, which have the bodies; no state, any
 * thread. */
#include "openflow/of_msg.h"

#include <errno.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "openflow/of_msg_private.h"

#define TYPE_HELLO        0
#define TYPE_EXPERIMENTER 4
#define STATS_VENDOR      0xffffU
#define FLAG_MORE         1U

/* Where a message's number stands. */
enum place {
	PLAIN,
	REQUEST,
	REPLY,
	NX,
	NX_REQUEST,
	NX_REPLY,
	ONF,
	ONF_REQUEST,
	ONF_REPLY,
};

struct row {
	uint8_t kind, place, from, to; /* versions */
	uint16_t number;
	const struct of_codec *codec;
};

#define R(KIND, PLACE, FROM, TO, NUMBER, CODEC)                        \
	{                                                              \
		OFM_##KIND, PLACE, FROM, TO, NUMBER, &of_codec_##CODEC \
	}
/* A request and a reply of the same number. */
#define RR(KIND, FROM, TO, NUMBER, CODEC1, CODEC2)            \
	R(KIND##_REQUEST, REQUEST, FROM, TO, NUMBER, CODEC1), \
		R(KIND##_REPLY, REPLY, FROM, TO, NUMBER, CODEC2)

static const struct row rows[] = {
	R(FLOW_MOD, PLAIN, OF10, OF15, 14, flow_mod),
	R(PACKET_IN, PLAIN, OF10, OF15, 10, packet_in),
	R(PACKET_OUT, PLAIN, OF10, OF15, 13, packet_out),
	R(FLOW_REMOVED, PLAIN, OF10, OF15, 11, flow_removed),
	R(BUNDLE_ADD, PLAIN, OF14, OF15, 34, bundle_add),
	R(HELLO, PLAIN, OF10, OF15, TYPE_HELLO, hello),
	R(ERROR, PLAIN, OF10, OF15, 1, error),
	R(ECHO_REQUEST, PLAIN, OF10, OF15, 2, echo),
	R(ECHO_REPLY, PLAIN, OF10, OF15, 3, echo),
	R(FEATURES_REQUEST, PLAIN, OF10, OF15, 5, empty),
	R(FEATURES_REPLY, PLAIN, OF10, OF15, 6, features),
	R(GET_CONFIG_REQUEST, PLAIN, OF10, OF15, 7, empty),
	R(GET_CONFIG_REPLY, PLAIN, OF10, OF15, 8, config),
	R(SET_CONFIG, PLAIN, OF10, OF15, 9, config),
	R(PORT_STATUS, PLAIN, OF10, OF15, 12, port_status),
	R(PORT_MOD, PLAIN, OF10, OF10, 15, port_mod),
	R(BARRIER_REQUEST, PLAIN, OF10, OF10, 18, empty),
	R(BARRIER_REPLY, PLAIN, OF10, OF10, 19, empty),
	R(QUEUE_CONFIG_REQUEST, PLAIN, OF10, OF10, 20, queue_config_request),
	R(QUEUE_CONFIG_REPLY, PLAIN, OF10, OF10, 21, queue_config),
	R(GROUP_MOD, PLAIN, OF11, OF15, 15, group_mod),
	R(PORT_MOD, PLAIN, OF11, OF15, 16, port_mod),
	R(TABLE_MOD, PLAIN, OF11, OF15, 17, table_mod),
	R(BARRIER_REQUEST, PLAIN, OF11, OF15, 20, empty),
	R(BARRIER_REPLY, PLAIN, OF11, OF15, 21, empty),
	R(QUEUE_CONFIG_REQUEST, PLAIN, OF11, OF13, 22, queue_config_request),
	R(QUEUE_CONFIG_REPLY, PLAIN, OF11, OF13, 23, queue_config),
	R(ROLE_REQUEST, PLAIN, OF12, OF15, 24, role),
	R(ROLE_REPLY, PLAIN, OF12, OF15, 25, role),
	R(GET_ASYNC_REQUEST, PLAIN, OF13, OF15, 26, empty),
	R(GET_ASYNC_REPLY, PLAIN, OF13, OF15, 27, async),
	R(SET_ASYNC, PLAIN, OF13, OF15, 28, async),
	R(METER_MOD, PLAIN, OF13, OF15, 29, meter_mod),
	R(ROLE_STATUS, PLAIN, OF14, OF15, 30, role_status),
	R(TABLE_STATUS, PLAIN, OF14, OF15, 31, table_status),
	R(REQUEST_FORWARD, PLAIN, OF14, OF15, 32, request_forward),
	R(BUNDLE_CONTROL, PLAIN, OF14, OF15, 33, bundle_control),
	R(CONTROLLER_STATUS, PLAIN, OF15, OF15, 35, controller_status),
	/* Multiparts. */
	RR(DESC, OF10, OF15, 0, empty, desc),
	RR(FLOW_STATS, OF10, OF14, 1, flow_request, flow_stats),
	RR(FLOW_DESC, OF15, OF15, 1, flow_request, flow_stats),
	RR(AGGREGATE, OF10, OF15, 2, flow_request, aggregate),
	RR(TABLE_STATS, OF10, OF15, 3, empty, table_stats),
	RR(PORT_STATS, OF10, OF15, 4, port_request, port_stats),
	RR(QUEUE_STATS, OF10, OF15, 5, queue_request, queue_stats),
	RR(GROUP_STATS, OF11, OF15, 6, group_request, group_stats),
	RR(GROUP_DESC, OF11, OF15, 7, group_desc_request, group_descs),
	RR(GROUP_FEATURES, OF12, OF15, 8, empty, group_features),
	RR(METER_STATS, OF13, OF15, 9, meter_request, meter_stats),
	RR(METER_CONFIG, OF13, OF15, 10, meter_request, meter_configs),
	RR(METER_FEATURES, OF13, OF15, 11, empty, meter_features),
	RR(TABLE_FEATURES, OF13, OF15, 12, table_features, table_features),
	/* 1.3's, but known to answer in the older ones too. */
	RR(PORT_DESC, OF10, OF15, 13, port_desc_request, port_descs),
	RR(TABLE_DESC, OF14, OF15, 14, empty, table_descs),
	RR(QUEUE_DESC, OF14, OF15, 15, queue_request, queue_descs),
	RR(FLOW_MONITOR, OF14, OF15, 16, monitor_request, monitor_updates),
	RR(FLOW_STATS, OF15, OF15, 17, flow_request, flow_stats),
	RR(CONTROLLER_STATUS, OF15, OF15, 18, empty, controller_statuses),
	RR(BUNDLE_FEATURES, OF15, OF15, 19, bundle_features_request, bundle_features),
	/* Nicira's. */
	R(FLOW_MOD, NX, OF10, OF15, 13, flow_mod),
	R(PACKET_IN, NX, OF10, OF15, 17, packet_in),
	R(PACKET_IN, NX, OF10, OF15, 30, packet_in),
	R(FLOW_REMOVED, NX, OF10, OF15, 14, flow_removed),
	R(ROLE_REQUEST, NX, OF10, OF11, 10, role),
	R(ROLE_REPLY, NX, OF10, OF11, 11, role),
	R(NX_FLOW_FORMAT, NX, OF10, OF15, 12, number32),
	R(NX_TABLE_ID, NX, OF10, OF15, 15, number8),
	R(NX_PACKET_IN_FORMAT, NX, OF10, OF15, 16, number32),
	R(SET_ASYNC, NX, OF10, OF12, 19, async),
	R(SET_ASYNC, NX, OF10, OF13, 27, async),
	R(NX_CONTROLLER_ID, NX, OF10, OF15, 20, controller_id),
	R(NX_FLOW_MONITOR_CANCEL, NX, OF10, OF12, 21, number32),
	R(NX_FLOW_MONITOR_PAUSED, NX, OF10, OF12, 22, empty),
	R(NX_FLOW_MONITOR_RESUMED, NX, OF10, OF12, 23, empty),
	R(NX_TLV_TABLE_MOD, NX, OF10, OF15, 24, tlv_table),
	R(NX_TLV_TABLE_REQUEST, NX, OF10, OF15, 25, empty),
	R(NX_TLV_TABLE_REPLY, NX, OF10, OF15, 26, tlv_reply),
	R(NX_RESUME, NX, OF10, OF15, 28, resume),
	R(NX_CT_FLUSH_ZONE, NX, OF10, OF15, 29, ct_zone),
	R(NX_CT_FLUSH, NX, OF10, OF15, 32, ct_flush),
	R(FLOW_STATS_REQUEST, NX_REQUEST, OF10, OF14, 0, flow_request),
	R(FLOW_STATS_REPLY, NX_REPLY, OF10, OF14, 0, flow_stats),
	R(AGGREGATE_REQUEST, NX_REQUEST, OF10, OF14, 1, flow_request),
	R(GROUP_MOD, NX, OF10, OF14, 31, group_mod),
	R(GROUP_STATS_REQUEST, NX_REQUEST, OF10, OF14, 7, group_request),
	R(GROUP_STATS_REPLY, NX_REPLY, OF10, OF14, 7, group_stats),
	R(GROUP_DESC_REQUEST, NX_REQUEST, OF10, OF14, 8, group_desc_request),
	R(GROUP_DESC_REPLY, NX_REPLY, OF10, OF14, 8, group_descs),
	R(GROUP_FEATURES_REQUEST, NX_REQUEST, OF10, OF11, 9, empty),
	R(GROUP_FEATURES_REPLY, NX_REPLY, OF10, OF11, 9, group_features),
	R(AGGREGATE_REPLY, NX_REPLY, OF10, OF14, 1, aggregate),
	R(FLOW_MONITOR_REQUEST, NX_REQUEST, OF10, OF12, 2, monitor_request),
	R(FLOW_MONITOR_REPLY, NX_REPLY, OF10, OF12, 2, monitor_updates),
	/* ONF's, what 1.3 has of 1.4. */
	R(BUNDLE_CONTROL, ONF, OF13, OF13, 2300, bundle_control),
	R(BUNDLE_ADD, ONF, OF13, OF13, 2301, bundle_add),
	R(ROLE_STATUS, ONF, OF13, OF13, 1911, role_status),
	R(NX_FLOW_MONITOR_CANCEL, ONF, OF13, OF13, 1870, number32),
	R(NX_FLOW_MONITOR_PAUSED, ONF, OF13, OF13, 1871, empty),
	R(NX_FLOW_MONITOR_RESUMED, ONF, OF13, OF13, 1872, empty),
	R(FLOW_MONITOR_REQUEST, ONF_REQUEST, OF13, OF13, 1870, monitor_request),
	R(FLOW_MONITOR_REPLY, ONF_REPLY, OF13, OF13, 1870, monitor_updates),
};

static const struct row experimenter_row = {
	.kind = OFM_EXPERIMENTER,
	.place = PLAIN,
	.from = OF10,
	.to = OF15,
	.number = TYPE_EXPERIMENTER,
	.codec = &of_codec_experimenter,
};

static const struct row *
find_wire(enum of_version version, enum place place, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (row->place == place && row->number == number &&
		    row->from <= version && row->to >= version)
			return row;
	}
	return NULL;
}

/* Which of the forms that a kind has in a version a message is sent in. */
static unsigned
form_rank(const struct row *row, const struct of_msg *msg)
{
	bool is_plain = row->place <= REPLY;

	if (msg->kind == OFM_PACKET_IN)
		switch (msg->packet_in.format) {
		case OF_PACKET_IN_STANDARD:
			return is_plain ? 2 : msg->is_nicira && row->number == 17 ? 3 : 1;
		case OF_PACKET_IN_NXT:
			return row->number == 17 ? 3 : 1;
		case OF_PACKET_IN_NXT2:
			return row->number == 30 ? 3 : 1;
		}
	if (msg->kind == OFM_SET_ASYNC && msg->version <= OF13)
		return (msg->async.given != 0) == (row->number == 27) ? 3 : 1;
	/* What only 1.5's form, which is Nicira's too, can say. */
	if (msg->kind == OFM_GROUP_MOD &&
	    (msg->group_mod.command == OF_GROUP_INSERT_BUCKET ||
	     msg->group_mod.command == OF_GROUP_REMOVE_BUCKET ||
	     msg->group_mod.selection_method[0]))
		return is_plain ? 1 : 2;
	return is_plain != msg->is_nicira ? 3 : 1;
}

static const struct row *
find_form(const struct of_msg *msg)
{
	const struct row *best = NULL;

	if (msg->kind == OFM_EXPERIMENTER)
		return &experimenter_row;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (row->kind == msg->kind && row->from <= msg->version &&
		    row->to >= msg->version &&
		    (!best || form_rank(row, msg) > form_rank(best, msg)))
			best = row;
	}
	return best;
}

/* ---- Reading. */

static int
find_vendor(struct of_in *in, enum of_version version, enum place nx,
            const struct row **row)
{
	uint32_t vendor = in_u32(in), number;
	enum place place = nx;

	if (vendor == OF_VENDOR_ONF)
		place = nx + (ONF - NX);
	else if (vendor != OF_VENDOR_NICIRA && !in->is_short)
		return of_fail(in->error, OFERR_BAD_REQUEST_EXPERIMENTER,
		               "experimenter 0x%08x is not known", vendor);
	number = in_u32(in);
	if (in->is_short)
		return in_check(in, "experimenter's head");
	*row = find_wire(version, place, number);
	if (!*row)
		return of_fail(in->error, OFERR_BAD_REQUEST_EXP_TYPE,
		               "experimenter 0x%08x has no %s %u in %s", vendor,
		               place == nx && nx == NX ? "message" : "type", number,
		               of_version_name(version));
	return 0;
}

static int
find_multipart(struct of_in *in, struct of_msg *msg, enum place place,
               const struct row **row)
{
	uint16_t type = in_u16(in);

	msg->more = in_u16(in) & FLAG_MORE;
	if (msg->version != OF10)
		in_skip(in, 4);
	if (in->is_short)
		return in_check(in, "multipart's head");
	if (type == STATS_VENDOR) {
		int rc = find_vendor(in, msg->version, place + (NX - PLAIN), row);

		/* 1.0's shorter head makes up for it. */
		in_skip(in, rc == 0 && msg->version == OF10 ? 4 : 0);
		return rc;
	}
	*row = find_wire(msg->version, place, type);
	if (!*row)
		return of_fail(in->error, OFERR_BAD_REQUEST_MULTIPART,
		               "%s has no multipart %u", of_version_name(msg->version),
		               type);
	return 0;
}

static int
find_row(struct of_in *in, struct of_msg *msg, uint8_t type, const struct row **row)
{
	/* Two types less before 1.1's group, table and port messages. */
	uint8_t request = msg->version == OF10 ? 16 : 18;

	if (type == TYPE_EXPERIMENTER)
		return find_vendor(in, msg->version, NX, row);
	if (type == request || type == request + 1)
		return find_multipart(in, msg, type == request ? REQUEST : REPLY, row);
	*row = find_wire(msg->version, PLAIN, type);
	if (!*row)
		return of_fail(in->error, OFERR_BAD_REQUEST_TYPE, "%s has no message %u",
		               of_version_name(msg->version), type);
	return 0;
}

static int
decode(struct of_in *in, struct of_msg *msg)
{
	const struct row *row = NULL;
	uint8_t version = in_u8(in);
	uint8_t type = in_u8(in);
	size_t length = in_u16(in);
	int rc;

	msg->version = version >= OF10 && version <= OF15 ? version : OF10;
	msg->xid = in_u32(in);
	if (in->is_short || length != in->n + OF_HEADER_BYTES)
		return of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		               "a message says it has %zu bytes of %zu", length,
		               in->n + OF_HEADER_BYTES);
	if (version != msg->version) {
		/* A greeting in a version that is not known here says which ones are
		 * known there. */
		if (type != TYPE_HELLO || !version)
			return of_fail(in->error, OFERR_BAD_REQUEST_VERSION,
			               "version 0x%02x is not known", version);
		msg->version = OF15;
	}
	rc = find_row(in, msg, type, &row);
	if (rc < 0)
		return rc;
	msg->kind = row->kind;
	msg->is_nicira = row->place >= NX;
	if (row->number == 30 && row->kind == OFM_PACKET_IN)
		msg->packet_in.format = OF_PACKET_IN_NXT2;
	else if (msg->is_nicira && row->kind == OFM_PACKET_IN)
		msg->packet_in.format = OF_PACKET_IN_NXT;
	else if (row->number == 27 && row->kind == OFM_SET_ASYNC)
		msg->async.given = 1;
	else if (type == TYPE_HELLO)
		msg->hello.versions = version;
	rc = row->codec->decode(in, msg);
	if (rc == 0)
		rc = in_check(in, of_kind_name(msg->kind));
	if (rc == 0 && in->n)
		rc = of_fail(in->error, OFERR_BAD_REQUEST_LEN, "%zu bytes too many in %s",
		             in->n, of_kind_name(msg->kind));
	return rc;
}

int
of_msg_decode(const uint8_t *data, size_t n, struct of_msg *msg, struct of_error *error)
{
	struct of_error unused;
	struct of_in in = {
		.msg = msg, .p = data, .n = n, .error = error ? error : &unused};
	int rc;

	memset(msg, 0, sizeof(*msg));
	rc = decode(&in, msg);
	if (rc < 0)
		of_error_resolve(in.error->id, msg->version, in.error);
	return rc;
}

/* ---- Writing. */

static const uint32_t vendors[] = {
	[NX] = OF_VENDOR_NICIRA,       [NX_REQUEST] = OF_VENDOR_NICIRA,
	[NX_REPLY] = OF_VENDOR_NICIRA, [ONF] = OF_VENDOR_ONF,
	[ONF_REQUEST] = OF_VENDOR_ONF, [ONF_REPLY] = OF_VENDOR_ONF};

/* The place without whose it is: PLAIN, REQUEST or REPLY. */
static enum place
place_base(enum place place)
{
	return place >= ONF ? place - ONF : place >= NX ? place - NX : place;
}

static void
write_head(struct of_out *o, const struct row *row)
{
	const struct of_msg *msg = o->msg;
	enum place base = place_base(row->place);
	bool is_vendor = row->place >= NX;
	uint16_t type = row->number;

	if (base != PLAIN)
		type = (uint16_t)((msg->version == OF10 ? 16 : 18) + (base == REPLY));
	else if (is_vendor)
		type = TYPE_EXPERIMENTER;
	o->start = o_at(o);
	o_u8(o, msg->version);
	o_u8(o, type);
	o_u16(o, 0);
	o_u32(o, msg->xid);
	if (base != PLAIN) {
		o_u16(o, is_vendor ? STATS_VENDOR : row->number);
		o_u16(o, 0);
		if (msg->version != OF10)
			o_zeros(o, 4);
	}
	if (is_vendor) {
		o_u32(o, vendors[row->place]);
		o_u32(o, row->number);
		o_zeros(o, base != PLAIN && msg->version == OF10 ? 4 : 0);
	}
	o->body = o_at(o) - o->start;
}

#define FLAGS_OFFSET (OF_HEADER_BYTES + 2)

void
o_item_end(struct of_out *o, size_t item)
{
	size_t n = o_at(o) - item;
	uint8_t *bytes;

	if (o->status == -EMSGSIZE || n + o->body > OF_MESSAGE_MAX) {
		o->out->length = item;
		o->status = 0;
		return;
	}
	if (o_at(o) - o->start <= OF_MESSAGE_MAX)
		return;
	/* The item moves to a message of its own, with the same head. */
	bytes = xmemdup(o->out->data + o->start, o->body + n);
	memcpy(bytes + o->body, o->out->data + item, n);
	o->out->length = item;
	of_patch16(o->out, o->start + 2, (uint16_t)(item - o->start));
	of_patch16(o->out, o->start + FLAGS_OFFSET, FLAG_MORE);
	o->start = item;
	str_append_bytes(o->out, bytes, o->body + n);
	of_patch16(o->out, o->start + FLAGS_OFFSET, 0);
	free(bytes);
}

int
of_msg_encode(const struct of_msg *msg, struct str *out)
{
	size_t before = out->length;
	struct of_msg sent;
	struct of_out o = {.msg = &sent, .out = out};
	const struct row *row = find_form(msg);

	if (!row)
		return -ENOTSUP;
	/* Bodies go by the form that was chosen. */
	sent = *msg;
	sent.is_nicira = row->place >= NX;
	write_head(&o, row);
	row->codec->encode(&o, &sent);
	if (o_at(&o) - o.start > OF_MESSAGE_MAX)
		o.status = -EMSGSIZE;
	if (o.status < 0) {
		out->length = before;
		if (out->data)
			out->data[before] = '\0';
		return o.status;
	}
	of_patch16(out, o.start + 2, (uint16_t)(o_at(&o) - o.start));
	if (place_base(row->place) != PLAIN && msg->more)
		of_patch16(out, o.start + FLAGS_OFFSET, FLAG_MORE);
	return 0;
}
