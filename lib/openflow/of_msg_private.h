/* of_msg_private.h - what the message codec's files share: a reader that cannot run past
 * its bytes, a writer that splits long multiparts, and the codecs by family. Private to
 * of_msg*.c. No state, any thread. */
#pragma once

#include "openflow/of_actions.h"
#include "openflow/of_match.h"
#include "openflow/of_msg.h"
#include "openflow/of_wire.h"

/* Bytes that are still to be read. A read past the end gives zeros and is remembered:
 * decoders read a whole struct, then ask. */
struct of_in {
	struct of_msg *msg;
	const uint8_t *p;
	size_t n;
	bool is_short;
	struct of_error *error;
};

/* A message on its way into 'out'. */
struct of_out {
	const struct of_msg *msg;
	struct str *out;
	size_t start; /* of the message, in 'out' */
	size_t body;  /* bytes of what every part of a multipart begins with */
	int status;   /* 0, or the first -errno */
};

/* One kind's body, both ways. The decoder leaves nothing unread (else it is an error),
 * returns 0 or -EPROTO, and need not ask about shortness at its end. */
struct of_codec {
	int (*decode)(struct of_in *in, struct of_msg *msg);
	void (*encode)(struct of_out *o, const struct of_msg *msg);
};

/* Nicira has 1.5's groups in all versions before it. */
static inline bool
of_has_groups_15(const struct of_msg *msg)
{
	return msg->version >= OF15 || msg->is_nicira;
}

/* ---- Reading. */

/* 'n' bytes; NULL if there are not so many. */
static inline const uint8_t *
in_take(struct of_in *in, size_t n)
{
	const uint8_t *p = in->p;

	if (n > in->n) {
		in->is_short = true;
		in->n = 0;
		return NULL;
	}
	in->p += n;
	in->n -= n;
	return p;
}

static inline void
in_skip(struct of_in *in, size_t n)
{
	in_take(in, n);
}

static inline uint8_t
in_u8(struct of_in *in)
{
	const uint8_t *p = in_take(in, 1);

	return p ? p[0] : 0;
}

static inline uint16_t
in_u16(struct of_in *in)
{
	const uint8_t *p = in_take(in, 2);

	return p ? of_get16(p) : 0;
}

static inline uint32_t
in_u32(struct of_in *in)
{
	const uint8_t *p = in_take(in, 4);

	return p ? of_get32(p) : 0;
}

static inline uint64_t
in_u64(struct of_in *in)
{
	const uint8_t *p = in_take(in, 8);

	return p ? of_get64(p) : 0;
}

static inline enum of_version
in_version(const struct of_in *in)
{
	return in->msg->version;
}

/* -EPROTO and "bad length" if anything was missing so far. */
int in_check(struct of_in *in, const char *what);

/* The next 'n' bytes as a reader of their own; of no bytes if there are not so many. */
struct of_in in_part(struct of_in *in, size_t n);

/* An item of a list, whose length stands at 'at' within it and counts all of it: it is
 * taken, 'item' is at its first byte. Lengths below 'least' are errors. */
int in_item(struct of_in *in, size_t at, size_t least, const char *what,
            struct of_in *item);

/* A property (type, length, padding to 8): 'body' is what follows its first four bytes.
 */
int in_property(struct of_in *in, uint16_t *type, struct of_in *body);

void in_mac(struct of_in *in, uint8_t mac[6]);

/* A text of 'wire' bytes, cut to what 'size' holds. */
void in_text(struct of_in *in, size_t wire, char *text, size_t size);

/* Copies of the next 'n' bytes; NULL if 0. */
const uint8_t *in_copy(struct of_in *in, size_t n);

/* Ports of 16 bits in 1.0. */
uint32_t in_port16(struct of_in *in);
uint32_t in_port(struct of_in *in);

uint64_t in_duration(struct of_in *in);

/* The version's own match, and NXM of 'n' bytes with padding (cookies may be NULL). */
int in_match(struct of_in *in, struct flow_match *match);
int in_nxm(struct of_in *in, size_t n, bool lax, struct flow_match *match,
           uint64_t *cookie, uint64_t *cookie_mask);

/* All of the reader's bytes as actions, and as instructions (1.0: actions). */
int in_actions(struct of_in *in, struct flow_actions *actions);
int in_instructions(struct of_in *in, struct flow_actions *actions);

/* Makes room for one more item, zeroed, at the end of an array of the message, which may
 * move; counts it in '*n'. Arrays begin at NULL and 0. */
void *in_grow(struct of_in *in, void *array, size_t *n, size_t size);

/* ---- Writing. */

#define o_u8(O, V)    of_put8((O)->out, (uint8_t)(V))
#define o_u16(O, V)   of_put16((O)->out, (uint16_t)(V))
#define o_u32(O, V)   of_put32((O)->out, (uint32_t)(V))
#define o_u64(O, V)   of_put64((O)->out, (V))
#define o_zeros(O, N) of_put_zeros((O)->out, (N))

static inline size_t
o_at(const struct of_out *o)
{
	return o->out->length;
}

void o_bytes(struct of_out *o, const void *data, size_t n);
void o_text(struct of_out *o, const char *text, size_t wire);
void o_port16(struct of_out *o, uint32_t port);
void o_port(struct of_out *o, uint32_t port);
void o_duration(struct of_out *o, uint64_t ns);
void o_pad(struct of_out *o, size_t start);
/* A length at 'at': bytes from 'start' to here. */
void o_length(struct of_out *o, size_t at, size_t start);
/* Ends an item of a multipart's list that began at 'start': the message is split before
 * it if it has become too long. What does not fit any message is left out. */
void o_item_end(struct of_out *o, size_t start);
/* A property's type and length, to be set at its end, which also pads to 8. */
size_t o_property(struct of_out *o, uint16_t type);
void o_property_end(struct of_out *o, size_t start);
void o_match(struct of_out *o, const struct flow_match *match);
/* NXM with padding, whose length without it goes to 'length_at'. */
void o_nxm(struct of_out *o, const struct flow_match *match, uint64_t cookie,
           uint64_t cookie_mask, size_t length_at);
void o_actions(struct of_out *o, const struct flow_actions *actions);
/* Of a rule with this match. */
void o_instructions(struct of_out *o, const struct flow_match *match,
                    const struct flow_actions *actions);

/* ---- Structs that several kinds share. */

int in_port_desc(struct of_in *in, struct of_port *port);
void o_port_desc(struct of_out *o, const struct of_port *port);
bool of_match_is_pipeline(const struct flow_match *match);

/* 1.5's counters of flows (OXS). */
struct of_oxs {
	uint64_t duration_ns, idle_ns, packets, bytes; /* UINT64_MAX = not said */
	uint32_t flows;
	bool has_flows;
};
int in_oxs(struct of_in *in, struct of_oxs *oxs);
void o_oxs(struct of_out *o, const struct of_oxs *oxs);

/* Flow requests as Nicira has them are also a monitor's. */
uint16_t of_flow_flags_known(enum of_version version);

/* ---- Codecs by family. */

extern const struct of_codec of_codec_empty, of_codec_hello, of_codec_error,
	of_codec_echo, of_codec_features, of_codec_config, of_codec_async, of_codec_desc,
	of_codec_experimenter, of_codec_request_forward; /* of_msg_basic.c */
extern const struct of_codec of_codec_role, of_codec_role_status,
	of_codec_controller_status,
	of_codec_controller_statuses; /* of_msg_controller.c */
extern const struct of_codec of_codec_number32, of_codec_number8, of_codec_controller_id,
	of_codec_ct_zone, of_codec_tlv_table, of_codec_tlv_reply,
	of_codec_ct_flush; /* of_msg_nicira.c */
extern const struct of_codec of_codec_flow_mod, of_codec_flow_removed,
	of_codec_flow_request, of_codec_flow_stats,
	of_codec_aggregate; /* of_msg_flow.c, of_msg_stats.c */
extern const struct of_codec of_codec_packet_in, of_codec_resume,
	of_codec_packet_out; /* of_msg_packet.c */
extern const struct of_codec of_codec_port_status, of_codec_port_mod,
	of_codec_port_request, of_codec_port_desc_request, of_codec_port_stats,
	of_codec_port_descs; /* of_msg_port.c */
extern const struct of_codec of_codec_table_mod, of_codec_table_status,
	of_codec_table_stats, of_codec_table_descs; /* of_msg_table.c */
extern const struct of_codec of_codec_table_features,
	of_codec_group_features; /* of_msg_features.c */
extern const struct of_codec of_codec_group_mod, of_codec_group_request,
	of_codec_group_desc_request, of_codec_group_stats,
	of_codec_group_descs; /* of_msg_group.c */
extern const struct of_codec of_codec_meter_mod, of_codec_meter_request,
	of_codec_meter_stats, of_codec_meter_configs,
	of_codec_meter_features; /* of_msg_meter.c */
extern const struct of_codec of_codec_queue_config_request, of_codec_queue_config,
	of_codec_queue_request, of_codec_queue_stats,
	of_codec_queue_descs; /* of_msg_queue.c */
extern const struct of_codec of_codec_bundle_control, of_codec_bundle_add,
	of_codec_bundle_features_request, of_codec_bundle_features; /* of_msg_bundle.c */
extern const struct of_codec of_codec_monitor_request,
	of_codec_monitor_updates; /* of_msg_monitor.c */
