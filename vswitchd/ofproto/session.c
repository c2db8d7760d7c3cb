/* session.c - one connection from HELLO to its end. Between the connections and
 * dispatch.c. Main thread. */
#include "vswitchd/ofproto/session.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "vswitchd/ofproto/bundles.h"
#include "vswitchd/ofproto/controller_status.h"
#include "vswitchd/ofproto/dispatch.h"
#include "vswitchd/ofproto/dumps.h"
#include "vswitchd/ofproto/monitors.h"
#include "vswitchd/ofproto/packet_in.h"
#include "vswitchd/ofproto/session_io.h"
#include "vswitchd/ofproto/table_mod.h"

LOG_MODULE(openflow);

#define HELLO_XID 1
#define PROBE_XID 0

static unsigned
highest_bit(uint32_t bits)
{
	return 31U - (unsigned)__builtin_clz(bits);
}

static void
send_hello(struct session *session, uint32_t versions)
{
	struct of_msg msg;

	session_init_message(session, OFM_HELLO, HELLO_XID, &msg);
	msg.hello.versions = versions;
	session_send(session, &msg);
	of_msg_destroy(&msg);
}

void *
session_open(struct channel *channel, const struct connection_info *info, void *aux)
{
	struct session *session = xcalloc(1, sizeof(*session));
	const uint32_t versions = info->versions & OF_VERSIONS_ALL;

	session->ofproto = aux;
	session->channel = channel;
	session->info = info;
	session->role = OF_ROLE_EQUAL;
	session->version =
		(enum of_version)highest_bit(versions ? versions : OF_VERSIONS_ALL);
	session->miss_send_len = info->is_service ? 0 : OF_MISS_SEND_LEN;
	list_init(&session->bundles);
	list_init(&session->monitors);
	list_push_back(&session->ofproto->sessions, &session->node);
	send_hello(session, versions ? versions : OF_VERSIONS_ALL);
	return session;
}

void
session_close(void *aux)
{
	struct session *session = aux;
	const bool was_ready = session->state == SESSION_READY;

	session->state = SESSION_ENDED;
	list_remove(&session->node);
	if (was_ready)
		controller_status_changed(session, OF_CONTROLLER_CHANNEL_STATUS);
	bundles_destroy(session);
	ofproto_monitors_destroy(session);
	packet_ins_destroy(session);
	dump_destroy(session);
	str_free(&session->out);
	table_update_misses(session->ofproto);
	free(session);
}

static void
end(struct session *session, uint32_t xid, enum of_error_id id, const char *why)
{
	struct of_error error = {0};

	of_fail(&error, id, "%s", why);
	session_send_error_about(session, xid, (const uint8_t *)why, strlen(why), &error);
	session->state = SESSION_ENDED;
	channel_fail(session->channel, why);
}

/* The highest version that both have. */
static void
agree(struct session *session, uint32_t xid, uint32_t theirs)
{
	const uint32_t common = session->info->versions & OF_VERSIONS_ALL & theirs;

	if (!common) {
		log_warn("%s: %s speaks none of the versions of OpenFlow that are "
		         "enabled (theirs 0x%x, ours 0x%x)",
		         session->ofproto->name, channel_name(session->channel), theirs,
		         session->info->versions);
		end(session, xid, OFERR_HELLO_INCOMPATIBLE,
		    "no common version of OpenFlow");
		return;
	}
	session->version = (enum of_version)highest_bit(common);
	session->state = SESSION_READY;
	session_default_async(session);
	table_update_misses(session->ofproto);
	controller_status_changed(session, OF_CONTROLLER_CHANNEL_STATUS);
	/* Tools come and go all the time. */
	LOG_AT(session->info->is_service ? LOG_LEVEL_DBG : LOG_LEVEL_INFO,
	       "%s: %s speaks %s", session->ofproto->name, channel_name(session->channel),
	       of_version_name(session->version));
}

static void
receive_hello(struct session *session, const uint8_t *data, size_t n)
{
	struct of_error error;
	struct of_msg msg;
	const int result = of_msg_decode(data, n, &msg, &error);

	if (msg.kind == OFM_HELLO && !result)
		agree(session, msg.xid, msg.hello.versions);
	else if (data[1] == 1) /* OFPT_ERROR: it did not like our HELLO */
		channel_fail(session->channel, "it answered HELLO with an error");
	else
		end(session, result ? 0 : msg.xid, OFERR_HELLO_INCOMPATIBLE,
		    "its first message is not a HELLO");
	of_msg_destroy(&msg);
}

static uint32_t
message_xid(const uint8_t *data)
{
	return (uint32_t)data[4] << 24 | (uint32_t)data[5] << 16 |
	       (uint32_t)data[6] << 8 | data[7];
}

static void
receive(struct session *session, const uint8_t *data, size_t n)
{
	struct of_error error = {0};
	struct of_msg msg;
	int result;

	if (data[0] != session->version && data[1] > 1) {
		of_fail(&error, OFERR_BAD_REQUEST_VERSION, "version %u was not agreed on",
		        data[0]);
		session_send_error(session, message_xid(data), &error);
		return;
	}
	result = of_msg_decode(data, n, &msg, &error);
	if (!result)
		result = dispatch_message(session, &msg, &error);
	of_msg_destroy(&msg);
	if (!result || data[1] == 1) /* no error is answered with one */
		return;
	log_dbg("%s: %s: %s", session->ofproto->name, channel_name(session->channel),
	        error.text);
	session_send_error(session, message_xid(data), &error);
}

void
session_message(void *aux, const uint8_t *data, size_t n)
{
	struct session *session = aux;

	session->request = data;
	session->request_bytes = n;
	if (session->state == SESSION_HELLO)
		receive_hello(session, data, n);
	else if (session->state == SESSION_READY)
		receive(session, data, n);
	session->request = NULL;
	session->request_bytes = 0;
}

void
session_probe(void *aux)
{
	struct session *session = aux;
	struct of_msg msg;

	if (session->state != SESSION_READY)
		return;
	session_init_message(session, OFM_ECHO_REQUEST, PROBE_XID, &msg);
	session_send(session, &msg);
	of_msg_destroy(&msg);
}

bool
session_is_established(const void *aux)
{
	const struct session *session = aux;

	return session->state == SESSION_READY;
}

const char *
session_role(const void *aux)
{
	const struct session *session = aux;

	switch (session->role) {
	case OF_ROLE_PRIMARY:
		return "master";
	case OF_ROLE_SECONDARY:
		return "slave";
	case OF_ROLE_EQUAL:
	case OF_ROLE_NOCHANGE:
		break;
	}
	return "other";
}
