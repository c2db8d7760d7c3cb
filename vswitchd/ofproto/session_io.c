/* session_io.c - messages to one connection. Below session.c. Main thread. */
#include "vswitchd/ofproto/session_io.h"

#include "base/clock.h"

#define ERROR_DATA_BYTES  1024 /* of a request, in an error about it */
#define CHANNEL_BYTES_MAX (CHANNEL_BACKLOG_MAX / 2) /* given to a channel at once */
#define PENDING_BYTES_MAX (256U << 20) /* groups and meters; dumps of rules wait else */
#define PATIENCE_NS       (10 * NSEC_PER_SEC) /* with who has much pending */

void
session_init_message(const struct session *session, enum of_kind kind, uint32_t xid,
                     struct of_msg *msg)
{
	of_msg_init(msg, session->version, kind, xid);
}

bool
session_send(struct session *session, const struct of_msg *msg)
{
	str_clear(&session->out);
	if (of_msg_encode(msg, &session->out))
		return false;
	return session_send_bytes(session, session->out.data, session->out.length);
}

bool
session_send_bytes(struct session *session, const void *data, size_t n)
{
	if (session->state == SESSION_ENDED)
		return false;
	if (!session->pending.length &&
	    channel_backlog_bytes(session->channel) + n < CHANNEL_BYTES_MAX)
		return channel_send(session->channel, data, n);
	if (session->pending.length + n > PENDING_BYTES_MAX) {
		channel_fail(session->channel, "it does not read what it asked for");
		return false;
	}
	if (!session->pending.length) {
		session->written = session_written(session);
		session->written_ns = clock_mono_ns();
	}
	str_append_bytes(&session->pending, data, n);
	session_review_pause(session);
	return true;
}

uint64_t
session_position(const struct session *session)
{
	return channel_queued_bytes(session->channel) + session->pending.length -
	       session->pending_sent;
}

uint64_t
session_written(const struct session *session)
{
	return channel_queued_bytes(session->channel) -
	       channel_backlog_bytes(session->channel);
}

void
session_flush(struct session *session)
{
	struct str *pending = &session->pending;

	if (!pending->length)
		return;
	if (session->written != session_written(session)) {
		session->written = session_written(session);
		session->written_ns = clock_mono_ns();
	} else if (pending->length - session->pending_sent > CHANNEL_BYTES_MAX &&
	           clock_mono_ns() - session->written_ns > PATIENCE_NS) {
		channel_fail(session->channel, "it does not read what it asked for");
		return;
	}
	while (session->pending_sent < pending->length) {
		const uint8_t *data =
			(const uint8_t *)pending->data + session->pending_sent;
		const size_t n = (size_t)(data[2] << 8 | data[3]);

		if (channel_backlog_bytes(session->channel) + n > CHANNEL_BYTES_MAX)
			return;
		session->pending_sent += n;
		if (!channel_send(session->channel, data, n))
			return;
	}
	str_free(pending);
	session->pending_sent = 0;
	session_review_pause(session);
}

void
session_review_pause(struct session *session)
{
	channel_pause(session->channel, session->pending.length || session->dump);
}

void
session_send_error_about(struct session *session, uint32_t xid, const uint8_t *data,
                         size_t n, const struct of_error *error)
{
	struct of_error numbers = *error;
	struct of_msg msg;

	of_error_resolve((enum of_error_id)error->id, session->version, &numbers);
	session_init_message(session, OFM_ERROR, xid, &msg);
	msg.error.type = numbers.type;
	msg.error.code = numbers.code;
	msg.error.experimenter = numbers.experimenter;
	msg.error.data = data;
	msg.error.n = MIN_OF(n, ERROR_DATA_BYTES);
	session_send(session, &msg);
	of_msg_destroy(&msg);
}

void
session_send_error(struct session *session, uint32_t xid, const struct of_error *error)
{
	session_send_error_about(session, xid, session->request, session->request_bytes,
	                         error);
}

bool
session_wants(const struct session *session, enum session_report report, unsigned reason)
{
	const bool is_primary = session->role != OF_ROLE_SECONDARY;
	const struct of_async *async = &session->async;
	uint32_t mask = 0;

	if (session->state != SESSION_READY || reason > 31)
		return false;
	/* Services get nothing before they ask: a length above 0 is such a wish. */
	if (session->info->is_service && !session->miss_send_len)
		return false;
	switch (report) {
	case REPORT_PACKET_IN:
		mask = async->packet_in[is_primary];
		break;
	case REPORT_PORT_STATUS:
		mask = async->port_status[is_primary];
		break;
	case REPORT_FLOW_REMOVED:
		mask = async->flow_removed[is_primary];
		break;
	case REPORT_ROLE_STATUS:
		mask = async->role_status[is_primary];
		break;
	case REPORT_TABLE_STATUS:
		mask = async->table_status[is_primary];
		break;
	case REPORT_REQUEST_FORWARD:
		mask = async->request_forward[is_primary];
		break;
	}
	return mask >> reason & 1;
}

void
session_default_async(struct session *session)
{
	struct of_async *async = &session->async;
	const bool is_new = session->version >= OF14;

	*async = (struct of_async){0};
	/* Misses and actions, and where they have reasons of their own: action sets,
	 * groups, packet-outs. */
	async->packet_in[1] = is_new ? 0x3b : 0x3;
	async->port_status[0] = async->port_status[1] = 0x7;
	async->flow_removed[1] = is_new ? 0x3f : 0xf;
	async->role_status[0] = async->role_status[1] = 0x7;
	async->table_status[1] = 0x18; /* vacancy: reasons 3 and 4 */
}
