/* packet_in.c - who gets a packet-in, with how much of the packet, and how many. Main
 * thread. */
#include "vswitchd/ofproto/packet_in.h"

#include "base/clock.h"
#include "vswitchd/ofproto/continuation.h"

#define TOKEN             NSEC_PER_SEC /* tokens are counted in billionths */
#define BACKLOG_BYTES_MAX (2U << 20)   /* above it, packets are dropped */

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

/* A bucket of as many as 'burst_limit', filled by 'rate_limit' per second. */
static bool
take_token(struct session *session, uint64_t now_ns)
{
	const uint64_t rate = session->info->rate_limit;
	const uint64_t burst = session->info->burst_limit ? session->info->burst_limit
	                                                  : MAX_OF(rate / 4, 1);
	const uint64_t passed_ns = MIN_OF(now_ns - session->tokens_ns, 10 * NSEC_PER_SEC);

	if (!rate)
		return true;
	session->tokens = MIN_OF(session->tokens + passed_ns * rate, burst * TOKEN);
	session->tokens_ns = now_ns;
	if (session->tokens < TOKEN)
		return false;
	session->tokens -= TOKEN;
	return true;
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
	                     shown_reason(reason, session->version)) &&
	       channel_backlog_bytes(session->channel) < BACKLOG_BYTES_MAX;
}

static void
send_to(struct session *session, const struct dp_punt *punt,
        enum of_packet_in_reason reason, const struct flow_match *metadata,
        const struct str *continuation)
{
	const size_t max_len =
		reason == OFR_IMPLICIT_MISS ? session->miss_send_len : punt->max_len;
	struct of_packet_in *in;
	struct of_msg msg;

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
	in->n = max_len == FLOW_MAX_LEN_ALL ? punt->captured
	                                    : MIN_OF(punt->captured, max_len);
	in->userdata = punt->userdata;
	in->n_userdata = punt->n_userdata;
	in->has_continuation = continuation->length > 0;
	in->continuation = (const uint8_t *)continuation->data;
	in->n_continuation = continuation->length;
	session_send(session, &msg);
	of_msg_destroy(&msg);
}

void
packet_in_send(struct ofproto *ofproto, const struct dp_punt *punt)
{
	const enum of_packet_in_reason reason = punt_reason(punt);
	const uint64_t now_ns = dp_time_ns();
	struct flow_match metadata = {0};
	struct str continuation = STR_INIT;
	struct session *session;

	fill_metadata(&punt->key, &metadata);
	if (punt->continuation)
		continuation_seal(ofproto, punt->continuation, punt->n_continuation,
		                  &continuation);
	SESSION_FOR_EACH(session, ofproto)
	if (is_wanted(session, punt, reason) && take_token(session, now_ns))
		send_to(session, punt, reason, &metadata, &continuation);
	str_free(&continuation);
}
