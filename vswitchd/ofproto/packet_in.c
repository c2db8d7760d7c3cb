/* packet_in.c - who gets a packet-in, with how much of the packet, and how many. Main
 * thread. */
#include "vswitchd/ofproto/packet_in.h"

#include "base/clock.h"
#include "base/log.h"
#include "vswitchd/ofproto/continuation.h"
#include "vswitchd/ofproto/pacer.h"

LOG_MODULE(packet_in);

#define BACKLOG_BYTES_MAX                                                  \
	(2U << 20)       /* of a controller; above it, packets are dropped \
	                  */
#define LOOK_AGAIN_MS 10 /* while packets wait because of a rate */
/* Of a message, but for packet, userdata and continuation: those that pause must fit. */
#define HEAD_BYTES_MAX 768
#define SEAL_BYTES_MAX 128 /* what continuation.c adds */
static_assert(DP_PAUSED_BYTES_MAX + HEAD_BYTES_MAX + SEAL_BYTES_MAX <= OF_MESSAGE_MAX,
              "what pauses can be sent");

static enum of_packet_in_reason
punt_reason(const struct dp_punt *punt)
{
	switch (punt->reason) {
	case DP_PUNT_NO_MATCH:
		return punt->cookie == UINT64_MAX ? OFR_IMPLICIT_MISS : OFR_EXPLICIT_MISS;
	case DP_PUNT_INVALID_TTL:
		return OFR_INVALID_TTL;
	case DP_PUNT_ACTION_SET:
		return OFR_ACTION_SET;
	case DP_PUNT_GROUP:
		return OFR_GROUP;
	case DP_PUNT_PACKET_OUT:
		return OFR_PACKET_OUT;
	case DP_PUNT_ACTION:
	case DP_PUNT_LEARN:
	case DP_PUNT_FIN:
		break;
	}
	return OFR_ACTION;
}

/* The reason as a version has it. */
static uint8_t
shown_reason(enum of_packet_in_reason reason, enum of_version version)
{
	if (reason == OFR_IMPLICIT_MISS)
		return OFR_NO_MATCH;
	if (reason == OFR_EXPLICIT_MISS)
		return version < OF13 ? OFR_ACTION : OFR_NO_MATCH;
	if (reason > OFR_INVALID_TTL && version < OF14)
		return OFR_ACTION;
	return (uint8_t)reason;
}

/* in_port, and what is not 0 of the rest: all that a resumed packet has again. */
static void
fill_metadata(const struct flow_key *key, struct flow_match *metadata)
{
	static const enum flow_field_id fields[] = {
		FIELD_METADATA, FIELD_PACKET_MARK, FIELD_TUN_ID,
		FIELD_TUN_SRC,  FIELD_TUN_DST,     FIELD_CT_STATE,
		FIELD_CT_ZONE,  FIELD_CT_MARK,     FIELD_CT_LABEL,
	};
	static const struct flow_value zero;
	struct flow_value value;

	flow_match_set_u64(metadata, FIELD_IN_PORT, key->f.in_port);
	for (size_t i = 0; i < ARRAY_SIZE(fields) + FLOW_REGS; i++) {
		const enum flow_field_id id =
			i < ARRAY_SIZE(fields) ? fields[i]
					       : (enum flow_field_id)(FIELD_REG0 + i -
		                                                      ARRAY_SIZE(fields));

		memset(&value, 0, sizeof(value));
		flow_field_read(id, key, &value);
		if (memcmp(&value, &zero, sizeof(value)))
			flow_match_set(metadata, id, &value, NULL);
	}
}

static bool
is_wanted(const struct session *session, const struct dp_punt *punt,
          enum of_packet_in_reason reason)
{
	if (punt->controller_id != session->controller_id)
		return false;
	/* Since 1.3, misses are for those who have a rule for them. */
	if (reason == OFR_IMPLICIT_MISS && session->version >= OF13)
		return false;
	return session_wants(session, REPORT_PACKET_IN,
	                     shown_reason(reason, session->version));
}

/* The message is in session->out then. */
static bool
encode_for(struct session *session, const struct dp_punt *punt,
           enum of_packet_in_reason reason, const struct flow_match *metadata,
           const struct str *continuation)
{
	const size_t beside = HEAD_BYTES_MAX + punt->n_userdata + continuation->length;
	struct of_packet_in *in;
	struct of_msg msg;
	int result;

	session_init_message(session, OFM_PACKET_IN, 0, &msg);
	in = &msg.packet_in;
	in->format = session->packet_in_format;
	msg.is_nicira = in->format != OF_PACKET_IN_STANDARD;
	in->buffer_id = OF_BUFFER_NONE;
	in->total_bytes = (uint32_t)punt->length;
	in->controller_id = punt->controller_id;
	in->reason = shown_reason(reason, session->version);
	in->table = punt->table;
	in->cookie = punt->cookie;
	in->metadata = *metadata;
	in->packet = punt->data;
	/* The longest packets do not fit: what does is better than nothing. */
	in->n = MIN_OF(punt->captured, OF_MESSAGE_MAX - MIN_OF(beside, OF_MESSAGE_MAX));
	in->userdata = punt->userdata;
	in->n_userdata = punt->n_userdata;
	in->has_continuation = continuation->length > 0;
	in->continuation = (const uint8_t *)continuation->data;
	in->n_continuation = continuation->length;
	str_clear(&session->out);
	result = of_msg_encode(&msg, &session->out);
	of_msg_destroy(&msg);
	return !result;
}

/* ---- how many, how fast ---- */

/* Whether it reads what it gets. */
static bool
has_room(const struct session *session)
{
	const uint64_t n = session->n_packet_ins;
	const uint32_t most = session->info->queue_size;

	if (channel_backlog_bytes(session->channel) >= BACKLOG_BYTES_MAX)
		return false;
	return !most || n < most ||
	       session->packet_in_ends[(n - most) % SESSION_QUEUE_MAX] <=
	               session_written(session);
}

static void
deliver(struct session *session, const void *data, size_t n)
{
	if (!has_room(session)) {
		if (!session->n_unread++)
			log_info("%s: %s does not read its packet-ins: some are lost",
			         session->ofproto->name, channel_name(session->channel));
		return;
	}
	if (!session_send_bytes(session, data, n))
		return;
	session->packet_in_ends[session->n_packet_ins++ % SESSION_QUEUE_MAX] =
		channel_queued_bytes(session->channel);
}

/* NULL: there is no rate, and nothing waits. */
static struct pacer *
pacer_of(struct session *session, unsigned kind)
{
	const struct connection_info *info = session->info;

	if (!session->pacers[kind] && info->rate_limit)
		session->pacers[kind] = pacer_create();
	if (session->pacers[kind])
		pacer_set_rate(session->pacers[kind], info->rate_limit,
		               info->burst_limit);
	return session->pacers[kind];
}

static void
send_to(struct session *session, enum of_packet_in_reason reason, uint32_t in_port)
{
	const bool is_miss = reason == OFR_NO_MATCH || reason == OFR_EXPLICIT_MISS ||
	                     reason == OFR_IMPLICIT_MISS;
	struct pacer *pacer = pacer_of(session, is_miss ? OFPROTO_PACKET_IN_MISS
	                                                : OFPROTO_PACKET_IN_ACTION);

	if (!pacer || pacer_admit(pacer, dp_time_ns())) {
		deliver(session, session->out.data, session->out.length);
		return;
	}
	pacer_hold(pacer, in_port, session->out.data, session->out.length);
	switch_look_again(session->ofproto, LOOK_AGAIN_MS);
}

void
packet_in_send(struct ofproto *ofproto, const struct dp_punt *punt)
{
	const enum of_packet_in_reason reason = punt_reason(punt);
	struct flow_match metadata = {0};
	struct str continuation = STR_INIT;
	struct session *session;

	fill_metadata(&punt->key, &metadata);
	if (punt->continuation)
		continuation_seal(ofproto, punt->continuation, punt->n_continuation,
		                  &continuation);
	SESSION_FOR_EACH(session, ofproto)
	if (is_wanted(session, punt, reason) &&
	    encode_for(session, punt, reason, &metadata, &continuation))
		send_to(session, reason, punt->key.f.in_port);
	str_free(&continuation);
}

void
packet_ins_run(struct ofproto *ofproto, uint64_t now_ns)
{
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	for (unsigned kind = 0; kind < OFPROTO_PACKET_IN_KINDS; kind++) {
		struct pacer *pacer = pacer_of(session, kind);
		struct str data;

		if (!pacer)
			continue;
		while (pacer_take(pacer, now_ns, &data)) {
			deliver(session, data.data, data.length);
			str_free(&data);
		}
		if (pacer_get_stats(pacer)->backlog)
			switch_look_again(ofproto, LOOK_AGAIN_MS);
	}
}

void
packet_ins_destroy(struct session *session)
{
	for (unsigned kind = 0; kind < OFPROTO_PACKET_IN_KINDS; kind++)
		pacer_destroy(session->pacers[kind]);
}

void
packet_ins_count(const void *aux, struct ofproto_controller_status *status)
{
	const struct session *session = aux;

	status->n_unread += session->n_unread;
	for (unsigned kind = 0; kind < OFPROTO_PACKET_IN_KINDS; kind++) {
		struct ofproto_packet_ins *sum = &status->packet_ins[kind];
		const struct pacer_stats *stats;

		if (!session->info->rate_limit)
			continue;
		sum->is_limited = true;
		if (!session->pacers[kind])
			continue;
		stats = pacer_get_stats(session->pacers[kind]);
		sum->bypassed += stats->bypassed;
		sum->queued += stats->queued;
		sum->dropped += stats->dropped;
		sum->backlog += stats->backlog;
	}
}
