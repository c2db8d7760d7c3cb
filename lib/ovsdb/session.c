/* session.c - one client of the database: its requests, and its end. Between lib/rpc and
 * monitor.c, trigger.c, lock.c; owned by server.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ovsdb/exec.h"
#include "ovsdb/server_private.h"

LOG_MODULE(ovsdb_session);

/* A silent peer across a network is asked for an echo, and is gone if none comes within
 * the same time again. */
#define PROBE_INTERVAL_S 5

static json_t *
session_list_dbs(struct session *session, const json_t *params UNUSED,
                 const json_t *id UNUSED, struct db_error *error UNUSED)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(session->server->dbs); i++)
		json_array_append_new(names,
		                      json_string(session->server->dbs[i]->schema->name));
	return names;
}

/* Some clients send a second parameter that means nothing here. */
static json_t *
session_get_schema(struct session *session, const json_t *params, const json_t *id UNUSED,
                   struct db_error *error)
{
	const char *name = json_string_value(json_array_get(params, 0));
	const struct db *db = name ? server_find_db(session->server, name) : NULL;

	if (db)
		return json_incref(db->schema->json);
	if (name)
		db_error_set(error, -EINVAL, "unknown database", "no database named %s",
		             name);
	else
		db_error_set(error, -EINVAL, "syntax error",
		             "the name of a database is expected");
	return NULL;
}

/* Databases do not come and go here, so there is nothing to be made aware of. */
static json_t *
session_set_aware(struct session *session UNUSED, const json_t *params,
                  const json_t *id UNUSED, struct db_error *error)
{
	if (json_is_boolean(json_array_get(params, 0)))
		return json_object();
	db_error_set(error, -EINVAL, "syntax error", "true or false is expected");
	return NULL;
}

static json_t *
session_get_server_id(struct session *session, const json_t *params UNUSED,
                      const json_t *id UNUSED, struct db_error *error UNUSED)
{
	char text[UUID_TEXT_BYTES];

	uuid_to_text(&session->server->id, text);
	return json_string(text);
}

static const struct {
	const char *name;
	session_method_fn *run;
} methods[] = {
	{"transact", trigger_transact},
	{"weir_check", trigger_check},
	{"monitor", monitor_request_v1},
	{"monitor_cond", monitor_request_cond},
	{"monitor_cond_since", monitor_request_since},
	{"monitor_cond_change", monitor_change},
	{"monitor_cancel", monitor_cancel},
	{"list_dbs", session_list_dbs},
	{"get_schema", session_get_schema},
	{"lock", lock_request},
	{"steal", lock_steal},
	{"unlock", lock_unlock},
	{"set_db_change_aware", session_set_aware},
	{"get_server_id", session_get_server_id},
};

static void
session_on_request(struct jsonrpc *rpc, const char *method, const json_t *params,
                   const json_t *id, void *aux)
{
	struct session *session = aux;
	struct db_error error = {0};
	json_t *result;

	if (json_is_null(id)) {
		if (!strcmp(method, "cancel"))
			trigger_cancel(session, json_array_get(params, 0));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (strcmp(methods[i].name, method) != 0)
			continue;
		result = methods[i].run(session, params, id, &error);
		if (result)
			jsonrpc_reply(rpc, id, result);
		else if (error.tag)
			jsonrpc_reply_error(rpc, id, db_error_to_json(&error));
		return;
	}
	/* Clients fall back to older methods on exactly this text. */
	jsonrpc_reply_error(rpc, id, json_string("unknown method"));
}

static void
session_on_reply(struct jsonrpc *rpc UNUSED, const json_t *id UNUSED,
                 const json_t *result UNUSED, const json_t *error UNUSED,
                 void *session UNUSED)
{
	/* An answer to our echo: that it arrived is all that matters. */
}

static void
session_free(struct session *session)
{
	list_remove(&session->link);
	monitors_destroy(session);
	triggers_destroy(session);
	locks_release(session);
	if (session->probe)
		event_free(session->probe);
	free(session);
}

static void
session_on_closed(struct jsonrpc *rpc UNUSED, const char *why, void *aux)
{
	struct session *session = aux;
	struct remote *remote = session->remote;

	log_dbg("connection ended: %s", why);
	session_free(session);
	remote_session_ended(remote);
}

void
session_destroy(struct session *session)
{
	struct jsonrpc *rpc = session->rpc;

	session_free(session);
	jsonrpc_close(rpc);
}

static void
session_on_probe(evutil_socket_t fd UNUSED, short what UNUSED, void *aux)
{
	struct session *session = aux;
	struct remote *remote = session->remote;
	uint64_t idle_ns = clock_mono_ns() - jsonrpc_last_input_ns(session->rpc);
	json_t *id;

	if (idle_ns >= 2 * PROBE_INTERVAL_S * NSEC_PER_SEC) {
		log_info("no answer to an inactivity probe: connection closed");
		session_destroy(session);
		remote_session_ended(remote);
		return;
	}
	if (idle_ns < PROBE_INTERVAL_S * NSEC_PER_SEC)
		return;
	id = json_string("echo");
	jsonrpc_request(session->rpc, "echo", json_array(), id);
	json_decref(id);
}

static const struct jsonrpc_handlers session_handlers = {
	.request = session_on_request,
	.reply = session_on_reply,
	.closed = session_on_closed,
};

struct session *
session_create(struct ovsdb_server *server, struct remote *remote, int fd, bool is_probed)
{
	/* Twice a period, so that silence is noticed within 1.5 periods. */
	const struct timeval half = {.tv_sec = PROBE_INTERVAL_S / 2,
	                             .tv_usec = PROBE_INTERVAL_S % 2 * 500000};
	struct session *session = xcalloc(1, sizeof(*session));

	session->server = server;
	session->remote = remote;
	list_init(&session->monitors);
	list_init(&session->lock_waits);
	list_push_back(&server->sessions, &session->link);
	session->rpc = jsonrpc_create(server->loop, fd, &session_handlers, session);
	if (is_probed) {
		session->probe = event_new(server->loop, -1, EV_PERSIST, session_on_probe,
		                           session);
		event_add(session->probe, &half);
	}
	return session;
}
