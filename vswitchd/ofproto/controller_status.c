/* controller_status.c - tells controllers of 1.5 how the configured ones are, when they
 * ask and when it changes. Called by session.c, roles.c and the connections. Main thread.
 */
#include "vswitchd/ofproto/controller_status.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define CHANNEL_UP   0
#define CHANNEL_DOWN 1
/* Longer targets than any host's name or path are cut. */
#define URI_BYTES 512

struct answer {
	const struct ofproto *ofproto;
	struct of_msg *reply;
};

/* As OpenFlow 1.5 writes URIs, in which TLS is "tls". */
static void
write_uri(const char *target, char uri[URI_BYTES])
{
	const bool is_tls = !strncmp(target, "ssl:", 4);

	snprintf(uri, URI_BYTES, "%s%s", is_tls ? "tls:" : "", target + (is_tls ? 4 : 0));
}

/* At its end, as it was last; without any, as it would begin. */
static struct of_controller_status
describe(const struct session *session)
{
	struct of_controller_status status = {.role = OF_ROLE_EQUAL,
	                                      .channel_status = CHANNEL_DOWN};

	if (!session)
		return status;
	status.role = session->role;
	status.short_id = session->short_id;
	if (session->state == SESSION_READY)
		status.channel_status = CHANNEL_UP;
	return status;
}

/* 'about' knows about itself; NULL: it has no session. */
static void
tell(const struct ofproto *ofproto, const char *target, const struct session *about,
     enum of_controller_reason reason)
{
	struct of_controller_status status = describe(about);
	struct session *session;
	char uri[URI_BYTES];

	write_uri(target, uri);
	status.uri = uri;
	status.reason = (uint8_t)reason;
	SESSION_FOR_EACH(session, ofproto)
	{
		struct of_msg msg;

		if (session == about || session->version < OF15 ||
		    !session_wants(session, REPORT_CONTROLLER_STATUS, reason))
			continue;
		session_init_message(session, OFM_CONTROLLER_STATUS, 0, &msg);
		msg.controller_status = status;
		session_send(session, &msg);
		of_msg_destroy(&msg);
	}
}

void
controller_status_changed(const struct session *session, enum of_controller_reason reason)
{
	if (session->info->target)
		tell(session->ofproto, session->info->target, session, reason);
}

void
controller_status_configured(const char *target, bool is_configured, void *aux)
{
	tell(aux, target, NULL,
	     is_configured ? OF_CONTROLLER_ADDED : OF_CONTROLLER_REMOVED);
}

/* By the text that both point to: targets may be configured twice. */
static const struct session *
find_session(const struct ofproto *ofproto, const char *target)
{
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	{
		if (session->info->target == target)
			return session;
	}
	return NULL;
}

static void
add_status(const struct ofproto_controller_status *controller, void *aux)
{
	const struct answer *answer = aux;
	struct of_msg *reply = answer->reply;
	struct of_controller_status *status;
	char *uri;

	if (controller->is_passive)
		return;
	reply->controllers = xrealloc(reply->controllers,
	                              (reply->n + 1) * sizeof(*reply->controllers));
	status = &reply->controllers[reply->n++];
	*status = describe(find_session(answer->ofproto, controller->target));
	uri = of_msg_alloc(reply, URI_BYTES);
	write_uri(controller->target, uri);
	status->uri = uri;
	status->reason = OF_CONTROLLER_REQUEST;
}

int
controller_status_request(struct session *session, const struct of_msg *request,
                          struct of_error *error)
{
	struct of_msg reply;
	struct answer answer = {.ofproto = session->ofproto, .reply = &reply};

	(void)error;
	session_init_message(session, OFM_CONTROLLER_STATUS_REPLY, request->xid, &reply);
	connections_report(session->ofproto->connections, add_status, &answer);
	session_send(session, &reply);
	free(reply.controllers);
	of_msg_destroy(&reply);
	return 0;
}
