/* trigger.c - runs "transact" requests, now or, while a "wait" in them does not hold,
 * after each commit until it does or its time is up. Part of the server, called by
 * session.c. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ovsdb/exec.h"
#include "ovsdb/server_private.h"

/* Each is run again after every commit. */
#define TRIGGERS_MAX_PER_SESSION 256

struct trigger {
	struct list link; /* in ovsdb_server.triggers */
	struct session *session;
	struct db *db;
	json_t *params;
	json_t *id;
	uint64_t since_ns;
	struct event *timeout;
};

static struct exec_request
make_request(struct session *session, struct db *db, const json_t *params,
             uint64_t since_ns)
{
	return (struct exec_request){
		.db = db,
		.params = params,
		.is_read_only = db != session->server->dbs[0],
		.waited_ms = (clock_mono_ns() - since_ns) / NSEC_PER_MSEC,
		.holds_lock = lock_is_held,
		.aux = session,
	};
}

static json_t *
run(struct session *session, struct db *db, const json_t *params, uint64_t since_ns,
    uint64_t *retry_ms)
{
	const struct exec_request request = make_request(session, db, params, since_ns);

	return exec_transaction(&request, retry_ms);
}

static void
trigger_destroy(struct trigger *trigger)
{
	list_remove(&trigger->link);
	trigger->session->n_triggers--;
	event_free(trigger->timeout);
	json_decref(trigger->params);
	json_decref(trigger->id);
	free(trigger);
}

static void
set_timeout(struct trigger *trigger, uint64_t retry_ms)
{
	struct timeval tv = {.tv_sec = (time_t)(retry_ms / 1000),
	                     .tv_usec = (suseconds_t)(retry_ms % 1000 * 1000)};

	/* A year is as good as no limit, and keeps libevent's arithmetic in range. */
	if (retry_ms < 365ULL * 24 * 3600 * 1000)
		event_add(trigger->timeout, &tv);
}

static void
trigger_run(struct trigger *trigger)
{
	struct session *session = trigger->session;
	uint64_t retry_ms;
	json_t *results;

	results =
		run(session, trigger->db, trigger->params, trigger->since_ns, &retry_ms);
	if (!results) {
		set_timeout(trigger, retry_ms);
		return;
	}
	jsonrpc_reply(session->rpc, trigger->id, results);
	trigger_destroy(trigger);
}

static void
on_timeout(evutil_socket_t fd UNUSED, short what UNUSED, void *trigger)
{
	trigger_run(trigger);
}

static void
trigger_create(struct session *session, struct db *db, const json_t *params,
               const json_t *id, uint64_t since_ns, uint64_t retry_ms)
{
	struct trigger *trigger = xcalloc(1, sizeof(*trigger));

	trigger->session = session;
	trigger->db = db;
	trigger->params = json_deep_copy(params);
	trigger->id = json_deep_copy(id);
	trigger->since_ns = since_ns;
	trigger->timeout = evtimer_new(session->server->loop, on_timeout, trigger);
	if (!trigger->timeout)
		abort(); /* out of memory, as in base/mem.h */
	list_push_back(&session->server->triggers, &trigger->link);
	session->n_triggers++;
	set_timeout(trigger, retry_ms);
}

/* The database that the request names; NULL with '*error' set. */
static struct db *
find_db(struct session *session, const json_t *params, struct db_error *error)
{
	const char *name = json_string_value(json_array_get(params, 0));
	struct db *db = name ? server_find_db(session->server, name) : NULL;

	if (!name)
		db_error_set(error, -EINVAL, "syntax error",
		             "the name of a database is expected");
	else if (!db)
		db_error_set(error, -EINVAL, "unknown database", "no database named %s",
		             name);
	return db;
}

json_t *
trigger_check(struct session *session, const json_t *params, const json_t *id UNUSED,
              struct db_error *error)
{
	struct db *db = find_db(session, params, error);
	struct exec_request request;

	if (!db)
		return NULL;
	request = make_request(session, db, params, clock_mono_ns());
	if (db->judge)
		return exec_trial(&request);
	db_error_set(error, -ENOTSUP, "not supported", "nobody judges database %s",
	             db->schema->name);
	return NULL;
}

json_t *
trigger_transact(struct session *session, const json_t *params, const json_t *id,
                 struct db_error *error)
{
	struct db *db = find_db(session, params, error);
	uint64_t since_ns = clock_mono_ns(), retry_ms;
	json_t *results;

	if (!db)
		return NULL;
	results = run(session, db, params, since_ns, &retry_ms);
	if (results)
		return results;
	if (session->n_triggers >= TRIGGERS_MAX_PER_SESSION)
		db_error_set(error, -EAGAIN, "resources exhausted",
		             "%u transactions of this connection wait already",
		             TRIGGERS_MAX_PER_SESSION);
	else
		trigger_create(session, db, params, id, since_ns, retry_ms);
	return NULL;
}

void
trigger_cancel(struct session *session, const json_t *id)
{
	struct trigger *trigger;

	LIST_FOR_EACH (trigger, link, &session->server->triggers) {
		if (trigger->session != session || !json_equal(trigger->id, id))
			continue;
		jsonrpc_reply_error(session->rpc, trigger->id, json_string("canceled"));
		trigger_destroy(trigger);
		return;
	}
}

void
triggers_destroy(struct session *session)
{
	struct trigger *trigger, *next;

	LIST_FOR_EACH_SAFE (trigger, next, link, &session->server->triggers)
		if (trigger->session == session)
			trigger_destroy(trigger);
}

void
triggers_run(struct ovsdb_server *server)
{
	struct trigger *trigger, *next;

	LIST_FOR_EACH_SAFE (trigger, next, link, &server->triggers)
		trigger_run(trigger);
}
