/* server_private.h - what server.c, session.c, monitor.c, trigger.c, lock.c and remote.c
 * share. Main thread. */
#pragma once

#include <event2/event.h>

#include "base/list.h"
#include "ovsdb/db_private.h"
#include "rpc/jsonrpc.h"

struct ovsdb_server;
struct remote;

struct ovsdb_server {
	struct event_base *loop;
	struct db *dbs[2]; /* the one served, and _Server, which tells of both */
	struct uuid id;
	struct list sessions;
	struct list remotes;
	struct list locks;
	struct list triggers;
	struct event *retry; /* runs triggers after a commit, from the loop */
};

/* One client. */
struct session {
	struct list link; /* in ovsdb_server.sessions */
	struct ovsdb_server *server;
	struct remote *remote;
	struct jsonrpc *rpc;
	struct list monitors;
	struct list lock_waits;
	struct event *probe; /* NULL on unix sockets, whose peers cannot vanish unseen */
	size_t n_triggers;
};

struct session *session_create(struct ovsdb_server *server, struct remote *remote, int fd,
                               bool is_probed);
void session_destroy(struct session *session); /* closes the connection */
struct db *server_find_db(const struct ovsdb_server *server, const char *name);

/* A JSON-RPC request's handler: returns the result; or NULL with '*error' set; or NULL
 * and answers later. */
typedef json_t *session_method_fn(struct session *session, const json_t *params,
                                  const json_t *id, struct db_error *error);

/* monitor.c */
session_method_fn monitor_request_v1, monitor_request_cond, monitor_request_since;
session_method_fn monitor_change, monitor_cancel;
void monitors_destroy(struct session *session);
void monitors_notify(struct session *session, const struct txn *txn);

/* trigger.c: transactions, and those that wait for the database to change. */
session_method_fn trigger_transact;
session_method_fn trigger_check; /* weir's own: what would come of a transaction */
void trigger_cancel(struct session *session, const json_t *id);
void triggers_destroy(struct session *session);
void triggers_run(struct ovsdb_server *server);

/* lock.c */
session_method_fn lock_request, lock_steal, lock_unlock;
bool lock_is_held(const char *name, void *session);
void locks_release(struct session *session);

/* remote.c */
void remote_session_ended(struct remote *remote);
void remotes_destroy(struct ovsdb_server *server);
