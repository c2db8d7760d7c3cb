/* roles.c - role requests, and telling those who are no longer primary. Main thread. */
#include "vswitchd/ofproto/roles.h"

#include "vswitchd/ofproto/controller_status.h"

#define STATUS_MASTER_REQUEST 0

static void
send_role(struct session *session, enum of_kind kind, const struct of_msg *request)
{
	const struct ofproto *ofproto = session->ofproto;
	struct of_msg msg;

	session_init_message(session, kind, request ? request->xid : 0, &msg);
	msg.is_nicira = request && request->is_nicira;
	msg.role.role = session->role;
	msg.role.has_generation = ofproto->has_generation;
	msg.role.generation = ofproto->has_generation ? ofproto->generation : UINT64_MAX;
	msg.role.reason = STATUS_MASTER_REQUEST;
	msg.role.short_id = session->short_id;
	session_send(session, &msg);
	of_msg_destroy(&msg);
}

static void
demote_others(struct session *primary)
{
	struct session *session;

	SESSION_FOR_EACH(session, primary->ofproto)
	{
		if (session == primary || session->role != OF_ROLE_PRIMARY)
			continue;
		session->role = OF_ROLE_SECONDARY;
		if (session->version >= OF13 &&
		    session_wants(session, REPORT_ROLE_STATUS, STATUS_MASTER_REQUEST))
			send_role(session, OFM_ROLE_STATUS, NULL);
		controller_status_changed(session, OF_CONTROLLER_ROLE);
	}
}

static void
take_role(struct session *session, const struct of_role_msg *role)
{
	const enum of_role old_role = session->role;
	const uint16_t old_id = session->short_id;

	session->role = role->role;
	if (session->version >= OF15)
		session->short_id = role->short_id;
	if (role->role == OF_ROLE_PRIMARY)
		demote_others(session);
	if (session->role != old_role)
		controller_status_changed(session, OF_CONTROLLER_ROLE);
	if (session->short_id != old_id)
		controller_status_changed(session, OF_CONTROLLER_SHORT_ID);
}

int
roles_request(struct session *session, const struct of_msg *request,
              struct of_error *error)
{
	const struct of_role_msg *role = &request->role;
	struct ofproto *ofproto = session->ofproto;

	if (role->role != OF_ROLE_NOCHANGE) {
		if (role->has_generation &&
		    (role->role == OF_ROLE_PRIMARY || role->role == OF_ROLE_SECONDARY)) {
			if (ofproto->has_generation &&
			    (int64_t)(role->generation - ofproto->generation) < 0)
				return of_fail(error, OFERR_ROLE_STALE,
				               "generation %llu is over",
				               (unsigned long long)role->generation);
			ofproto->has_generation = true;
			ofproto->generation = role->generation;
		}
		take_role(session, role);
	}
	send_role(session, OFM_ROLE_REPLY, request);
	return 0;
}
