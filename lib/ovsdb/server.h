/* server.h - serves a database to JSON-RPC clients: RFC 7047 plus what OVS's clients add
 * (monitor_cond, monitor_cond_since, set_db_change_aware, the _Server database). Main
 * thread. */
#pragma once

#include <event2/event.h>

#include "base/error.h"
#include "ovsdb/db.h"

struct ovsdb_server;

struct ovsdb_server *ovsdb_server_create(struct event_base *loop, struct db *db);
void ovsdb_server_destroy(struct ovsdb_server *server); /* NULL is fine */

/* "punix:PATH", "ptcp:PORT[:ADDRESS]", "unix:PATH", "tcp:ADDRESS:PORT" (dialled again and
 * again). Relative paths resolve against the run-time directory. "ssl:" and "pssl:" are
 * -ENOTSUP; a target added twice is -EEXIST. Removal ends the remote's connections, so
 * neither may be called from inside the commit hook: that runs on behalf of one of them.
 */
int ovsdb_server_add_remote(struct ovsdb_server *server, const char *target,
                            struct error *err);
void ovsdb_server_remove_remote(struct ovsdb_server *server, const char *target);

/* True while a client is connected through 'target'. */
bool ovsdb_server_remote_is_connected(const struct ovsdb_server *server,
                                      const char *target);
