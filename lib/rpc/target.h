/* target.h - "unix:PATH", "tcp:ADDRESS:PORT" and their passive forms as sockets. Used by
 * listen.c, client.c and the OVSDB server. Any thread. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Starts to connect a non-blocking, close-on-exec socket to "unix:PATH", a bare path or
 * "tcp:ADDRESS:PORT" (numeric address). 0 = connected; -EINPROGRESS = wait until '*fd' is
 * writable, then ask SO_ERROR; other -errno: no descriptor. */
int rpc_target_connect(const char *target, int *fd, struct error *err);

/* Whether 'target' is of a form to listen on / to dial. "ssl:" and "pssl:" are -ENOTSUP,
 * anything else unknown -EINVAL. */
int rpc_target_check(const char *target, bool *is_passive, struct error *err);

/* A listening socket for "punix:PATH" or "ptcp:PORT[:ADDRESS]". '*path' is the socket
 * file, to be unlinked and freed by the caller, or NULL. */
int rpc_target_listen(const char *target, int *fd, char **path, struct error *err);

/* Removes the socket file 'path' unless somebody listens there. */
void rpc_target_unlink_dead(const char *path);
