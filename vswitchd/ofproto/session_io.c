/* session_io.c - messages to one connection. Below session.c. Main thread. */
#include "vswitchd/ofproto/session_io.h"

#define ERROR_DATA_BYTES 1024 /* of a request, in an error about it */
/* Of answers: then no request is taken, and there is room for the answer to the last and
 * for reports. */
#define UNREAD_BYTES_MAX (CHANNEL_BACKLOG_MAX / 2)
#define LOOK_AGAIN_MS    10 /* whether they have been read */

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
	bool is_sent;

	if (session->state == SESSION_ENDED)
		return false;
	is_sent = channel_send(session->channel, data, n);
	session_review_pause(session);
	return is_sent;
}

uint64_t
session_written(const struct session *session)
{
	return channel_queued_bytes(session->channel) -
	       channel_backlog_bytes(session->channel);
}

void
session_review_pause(struct session *session)
{
	const bool is_behind =
		channel_backlog_bytes(session->channel) >= UNREAD_BYTES_MAX;

	if (is_behind)
		switch_look_again(session->ofproto, LOOK_AGAIN_MS);
	channel_pause(session->channel, is_behind || session->dump);
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
	/* Services get nothing before they ask: a length above 0 is such a wish, as is a
	 * role to lose. */
	if (session->info->is_service && !session->miss_send_len &&
	    report != REPORT_ROLE_STATUS)
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
	case REPORT_CONTROLLER_STATUS:
		mask = async->controller_status[is_primary];
		break;
	}
	return mask >> reason & 1;
}

void
session_forward(const struct session *by, const uint8_t *data, size_t n, unsigned reason)
{
	struct session *session;

	SESSION_FOR_EACH(session, by->ofproto)
	{
		struct of_msg msg;

		if (session == by || session->version < OF14 ||
		    session->version != by->version ||
		    !session_wants(session, REPORT_REQUEST_FORWARD, reason))
			continue;
		session_init_message(session, OFM_REQUEST_FORWARD, 0, &msg);
		msg.request_forward.data = data;
		msg.request_forward.n = n;
		session_send(session, &msg);
		of_msg_destroy(&msg);
	}
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
	async->controller_status[0] = async->controller_status[1] = 0x7f;
}
