/* bundles.c - opens, fills, commits and forgets bundles. A commit is one list of changes,
 * published as one version. Main thread. */
#include "vswitchd/ofproto/bundles.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "vswitchd/ofproto/flow_mod.h"
#include "vswitchd/ofproto/groups.h"
#include "vswitchd/ofproto/packet_out.h"
#include "vswitchd/ofproto/ports.h"

#define BUNDLES_MAX      64           /* of a connection */
#define BUNDLE_BYTES_MAX (256U << 20) /* of messages that wait in those together */
#define TYPE_PACKET_OUT  13           /* in all versions that have bundles */
#define TYPE_GROUP_MOD   15
#define BUNDLE_IDLE_NS   (10 * NSEC_PER_SEC)

struct bundle {
	struct list node; /* session.bundles */
	uint32_t id;
	uint16_t flags;
	bool is_closed, is_nicira;
	uint64_t used_ns;
	struct str messages; /* whole ones, one after the other */
};

static size_t
message_bytes(const uint8_t *data)
{
	return (size_t)(data[2] << 8 | data[3]);
}

static struct bundle *
find_bundle(struct session *session, uint32_t id)
{
	struct bundle *bundle;

	LIST_FOR_EACH (bundle, node, &session->bundles)
		if (bundle->id == id)
			return bundle;
	return NULL;
}

static void
bundle_free(struct bundle *bundle)
{
	list_remove(&bundle->node);
	str_free(&bundle->messages);
	free(bundle);
}

void
bundles_destroy(struct session *session)
{
	while (!list_is_empty(&session->bundles))
		bundle_free(CONTAINER_OF(session->bundles.next, struct bundle, node));
}

void
bundles_run(struct session *session, uint64_t now_ns)
{
	struct bundle *bundle, *next;

	LIST_FOR_EACH_SAFE (bundle, next, node, &session->bundles) {
		struct of_error error = {0};

		if (now_ns - bundle->used_ns < BUNDLE_IDLE_NS)
			continue;
		of_fail(&error, OFERR_BUNDLE_TIMEOUT, "nothing came for bundle %u",
		        bundle->id);
		session_send_error_about(session, 0, NULL, 0, &error);
		bundle_free(bundle);
	}
}

static struct bundle *
open_bundle(struct session *session, const struct of_msg *msg, struct of_error *error)
{
	struct bundle *bundle;
	size_t n = 0;

	LIST_FOR_EACH (bundle, node, &session->bundles)
		n++;
	if (n >= BUNDLES_MAX) {
		of_fail(error, OFERR_BUNDLE_OUT_OF_BUNDLES,
		        "a connection has at most %d bundles", BUNDLES_MAX);
		return NULL;
	}
	bundle = xcalloc(1, sizeof(*bundle));
	bundle->id = msg->bundle.id;
	bundle->flags = msg->bundle.flags;
	bundle->is_nicira = msg->is_nicira;
	bundle->used_ns = dp_time_ns();
	list_push_back(&session->bundles, &bundle->node);
	return bundle;
}

/* ---- commit ---- */

static int
run_message(struct changes *changes, const struct of_msg *msg, struct of_error *error)
{
	changes->xid = msg->xid;
	if (msg->kind == OFM_FLOW_MOD)
		return flow_mod_run(changes, &msg->flow_mod, msg->version, error);
	if (msg->kind == OFM_GROUP_MOD)
		return groups_mod(changes, &msg->group_mod, msg->version, error);
	if (msg->kind == OFM_PORT_MOD)
		return ports_mod(changes, &msg->port_mod, error);
	if (msg->kind == OFM_PACKET_OUT)
		return packet_out_check(changes->ofproto, &msg->packet_out, error);
	return of_fail(error, OFERR_BUNDLE_MSG_UNSUP, "not in a bundle");
}

/* Packets leave when the rules are those of the bundle. */
static void
send_packet(struct session *session, const uint8_t *data, size_t n)
{
	struct of_error error;
	struct of_msg msg;

	switch_publish(session->ofproto);
	if (!of_msg_decode(data, n, &msg, &error) &&
	    packet_out_run(session->ofproto, &msg.packet_out, &error))
		session_send_error_about(session, msg.xid, data, n, &error);
	of_msg_destroy(&msg);
}

/* What is due once the messages took effect together. */
static void
follow_up(struct session *session, const struct bundle *bundle)
{
	const uint8_t *data = (const uint8_t *)bundle->messages.data;
	size_t n;

	for (size_t left = bundle->messages.length; left; left -= n, data += n) {
		n = message_bytes(data);
		if (data[1] == TYPE_PACKET_OUT)
			send_packet(session, data, n);
		else if (data[1] == TYPE_GROUP_MOD)
			session_forward(session, data, n, FORWARD_GROUP_MOD);
	}
}

static int
commit_bundle(struct session *session, const struct bundle *bundle,
              struct of_error *error)
{
	const uint8_t *data = (const uint8_t *)bundle->messages.data;
	size_t left = bundle->messages.length, n;
	struct of_error reason = {0};
	struct changes changes;

	changes_begin(&changes, session->ofproto, session, 0);
	for (; left; left -= n, data += n) {
		struct of_msg msg;
		int result;

		n = message_bytes(data);
		result = of_msg_decode(data, n, &msg, &reason);
		if (!result)
			result = run_message(&changes, &msg, &reason);
		if (result) {
			session_send_error_about(session, msg.xid, data, n, &reason);
			of_msg_destroy(&msg);
			changes_abort(&changes);
			return of_fail(error, OFERR_BUNDLE_MSG_FAILED, "%s", reason.text);
		}
		of_msg_destroy(&msg);
	}
	changes_commit(&changes);
	ports_report_changes(session->ofproto);
	follow_up(session, bundle);
	/* The reply says that packets meet the new rules. */
	switch_synchronize(session->ofproto);
	return 0;
}

/* ---- requests ---- */

static void
reply(struct session *session, const struct of_msg *request, uint16_t type)
{
	struct of_msg msg;

	session_init_message(session, OFM_BUNDLE_CONTROL, request->xid, &msg);
	msg.is_nicira = request->is_nicira;
	msg.bundle.id = request->bundle.id;
	msg.bundle.type = type;
	msg.bundle.flags = request->bundle.flags;
	session_send(session, &msg);
	of_msg_destroy(&msg);
}

static int
control_open(struct session *session, const struct of_msg *msg, struct of_error *error)
{
	struct bundle *bundle = find_bundle(session, msg->bundle.id);

	if (bundle) {
		bundle_free(bundle);
		return of_fail(error, OFERR_BUNDLE_BAD_ID, "bundle %u is open already",
		               msg->bundle.id);
	}
	return open_bundle(session, msg, error) ? 0 : -1;
}

static int
control_known(struct session *session, const struct of_msg *msg, struct bundle *bundle,
              struct of_error *error)
{
	int result = 0;

	if (msg->bundle.type != OF_BUNDLE_DISCARD_REQUEST &&
	    msg->bundle.flags != bundle->flags) {
		bundle_free(bundle);
		return of_fail(error, OFERR_BUNDLE_FLAGS, "bundle %u has other flags",
		               msg->bundle.id);
	}
	if (msg->bundle.type == OF_BUNDLE_CLOSE_REQUEST) {
		if (bundle->is_closed) {
			bundle_free(bundle);
			return of_fail(error, OFERR_BUNDLE_CLOSED,
			               "bundle %u is closed already", msg->bundle.id);
		}
		bundle->is_closed = true;
		bundle->used_ns = dp_time_ns();
		return 0;
	}
	if (msg->bundle.type == OF_BUNDLE_COMMIT_REQUEST)
		result = commit_bundle(session, bundle, error);
	bundle_free(bundle);
	return result;
}

int
bundles_control(struct session *session, const struct of_msg *msg, struct of_error *error)
{
	struct bundle *bundle = find_bundle(session, msg->bundle.id);
	int result;

	switch ((enum of_bundle_control)msg->bundle.type) {
	case OF_BUNDLE_OPEN_REQUEST:
		result = control_open(session, msg, error);
		break;
	case OF_BUNDLE_CLOSE_REQUEST:
	case OF_BUNDLE_COMMIT_REQUEST:
	case OF_BUNDLE_DISCARD_REQUEST:
		result = bundle ? control_known(session, msg, bundle, error)
		                : of_fail(error, OFERR_BUNDLE_BAD_ID,
		                          "there is no bundle %u", msg->bundle.id);
		break;
	case OF_BUNDLE_OPEN_REPLY:
	case OF_BUNDLE_CLOSE_REPLY:
	case OF_BUNDLE_COMMIT_REPLY:
	case OF_BUNDLE_DISCARD_REPLY:
	default:
		result = of_fail(error, OFERR_BUNDLE_TYPE, "no request of type %u",
		                 msg->bundle.type);
	}
	if (!result)
		reply(session, msg, (uint16_t)(msg->bundle.type + 1));
	return result;
}

static size_t
waiting_bytes(const struct session *session)
{
	const struct bundle *bundle;
	size_t n = 0;

	LIST_FOR_EACH (bundle, node, &session->bundles)
		n += bundle->messages.length;
	return n;
}

/* Whether it may stand in a bundle; its form is good. */
static int
check_inner(const struct of_msg *msg, const struct of_msg *inner, struct of_error *error)
{
	if (inner->xid != msg->xid)
		return of_fail(error, OFERR_BUNDLE_MSG_BAD_XID,
		               "its xid is not its bundle-add's");
	if (inner->version != msg->version)
		return of_fail(error, OFERR_BAD_REQUEST_VERSION,
		               "it is of another version");
	if (inner->kind != OFM_FLOW_MOD && inner->kind != OFM_GROUP_MOD &&
	    inner->kind != OFM_PORT_MOD && inner->kind != OFM_PACKET_OUT)
		return of_fail(error, OFERR_BUNDLE_MSG_UNSUP,
		               "no bundle takes such a message");
	return 0;
}

int
bundles_add(struct session *session, const struct of_msg *msg, struct of_error *error)
{
	const struct of_bundle *add = &msg->bundle;
	struct bundle *bundle = find_bundle(session, add->id);
	struct of_msg inner;
	int result;

	if (add->n < OF_HEADER_BYTES || message_bytes(add->message) != add->n)
		return of_fail(error, OFERR_BUNDLE_MSG_BAD_LEN, "its length is wrong");
	result = of_msg_decode(add->message, add->n, &inner, error);
	if (!result)
		result = check_inner(msg, &inner, error);
	of_msg_destroy(&inner);
	if (result)
		return result;
	/* A bundle that nobody opened is opened by what is added. */
	if (!bundle)
		bundle = open_bundle(session, msg, error);
	if (!bundle)
		return -1;
	if (bundle->is_closed) {
		bundle_free(bundle);
		return of_fail(error, OFERR_BUNDLE_CLOSED, "bundle %u is closed",
		               add->id);
	}
	if (bundle->flags != add->flags) {
		bundle_free(bundle);
		return of_fail(error, OFERR_BUNDLE_FLAGS, "bundle %u has other flags",
		               add->id);
	}
	if (waiting_bytes(session) + add->n > BUNDLE_BYTES_MAX)
		return of_fail(error, OFERR_BUNDLE_MSG_TOO_MANY,
		               "a connection's bundles have at most %u bytes",
		               BUNDLE_BYTES_MAX);
	str_append_bytes(&bundle->messages, add->message, add->n);
	bundle->used_ns = dp_time_ns();
	return 0;
}
