/* managers.h - Manager rows: remotes of the OVSDB server that are opened and dialled at
 * run time. Main thread. */
#pragma once

#include "ovsdb/server.h"
#include "vswitchd/desired.h"

struct managers;

/* What main.c opens, whatever the table says. A Manager may name it too, as Neutron's
 * agent does for the path by which it came. */
#define MANAGERS_OWN_TARGET "punix:db.sock"

struct managers *managers_create(struct ovsdb_server *server);
void managers_destroy(struct managers *managers); /* closes them; NULL is fine */

/* Opens what is new in 'desired' and closes what it no longer has. */
void managers_configure(struct managers *managers, const struct desired *desired);

/* Writes is_connected and status of every row; to be called every second or so, and after
 * managers_configure(). A remote that could not be opened is tried again. */
void managers_run(struct managers *managers, struct db *db);
