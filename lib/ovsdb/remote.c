/* remote.c - where clients come from: listeners, and peers that the server dials again
 * and again. Part of the server, owns no sessions. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ovsdb/server.h"
#include "ovsdb/server_private.h"
#include "rpc/target.h"

LOG_MODULE(ovsdb_remote);

#define BACKOFF_MIN_S 1
#define BACKOFF_MAX_S 8

struct remote {
	struct list link; /* in ovsdb_server.remotes */
	struct ovsdb_server *server;
	char *target;
	struct jsonrpc_listener *listener; /* NULL: we dial */
	struct event *timer;               /* until the next attempt, if we dial */
	struct event *connecting;          /* until the socket is writable; or NULL */
	int fd;                            /* of 'connecting' */
	unsigned backoff_s;
	bool is_failing; /* the last attempt failed, and was logged */
};

static bool
is_network(const char *target)
{
	return strstr(target, "tcp:") != NULL && !strchr(target, '/');
}

static void
remote_on_accept(int fd, void *aux)
{
	struct remote *remote = aux;

	session_create(remote->server, remote, fd, is_network(remote->target));
}

static void
remote_retry(struct remote *remote)
{
	const struct timeval tv = {.tv_sec = remote->backoff_s};

	event_add(remote->timer, &tv);
	remote->backoff_s = MIN_OF(remote->backoff_s * 2, BACKOFF_MAX_S);
}

static void
remote_failed(struct remote *remote, const char *why)
{
	if (!remote->is_failing)
		log_warn("%s: %s; trying again", remote->target, why);
	remote->is_failing = true;
	remote_retry(remote);
}

static void
remote_connected(struct remote *remote, int fd)
{
	log_info("%s: connected", remote->target);
	remote->is_failing = false;
	remote->backoff_s = BACKOFF_MIN_S;
	session_create(remote->server, remote, fd, is_network(remote->target));
}

static void
remote_on_writable(evutil_socket_t fd, short what, void *aux)
{
	struct remote *remote = aux;
	socklen_t bytes = sizeof(int);
	int so_error = 0;

	event_free(remote->connecting);
	remote->connecting = NULL;
	if (what & EV_TIMEOUT)
		so_error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &bytes) < 0)
		so_error = errno;
	if (so_error) {
		close(fd);
		remote_failed(remote, strerror(so_error));
	} else {
		remote_connected(remote, fd);
	}
}

static void
remote_dial(evutil_socket_t unused UNUSED, short what UNUSED, void *aux)
{
	const struct timeval limit = {.tv_sec = BACKOFF_MAX_S};
	struct remote *remote = aux;
	struct error err = {""};
	int fd, rc;

	rc = rpc_target_connect(remote->target, &fd, &err);
	if (!rc) {
		remote_connected(remote, fd);
	} else if (rc == -EINPROGRESS) {
		remote->fd = fd;
		remote->connecting = event_new(remote->server->loop, fd, EV_WRITE,
		                               remote_on_writable, remote);
		event_add(remote->connecting, &limit);
	} else {
		remote_failed(remote, err.text);
	}
}

/* A peer that we dialled is dialled again; one that came by itself may come again. */
void
remote_session_ended(struct remote *remote)
{
	if (!remote->listener)
		remote_retry(remote);
}

static struct remote *
remote_find(const struct ovsdb_server *server, const char *target)
{
	struct remote *remote;

	LIST_FOR_EACH (remote, link, &server->remotes)
		if (!strcmp(remote->target, target))
			return remote;
	return NULL;
}

static void
remote_destroy(struct remote *remote)
{
	struct session *session, *next;

	LIST_FOR_EACH_SAFE (session, next, link, &remote->server->sessions)
		if (session->remote == remote)
			session_destroy(session);
	list_remove(&remote->link);
	jsonrpc_listener_destroy(remote->listener);
	if (remote->connecting) {
		event_free(remote->connecting);
		close(remote->fd);
	}
	if (remote->timer)
		event_free(remote->timer);
	free(remote->target);
	free(remote);
}

int
ovsdb_server_add_remote(struct ovsdb_server *server, const char *target,
                        struct error *err)
{
	const struct timeval at_once = {0, 0};
	struct remote *remote;
	bool is_passive;
	int rc;

	rc = rpc_target_check(target, &is_passive, err);
	if (rc)
		return rc;
	if (remote_find(server, target))
		return error_set(err, -EEXIST, "%s: already a remote", target);
	remote = xcalloc(1, sizeof(*remote));
	remote->server = server;
	remote->target = xstrdup(target);
	remote->backoff_s = BACKOFF_MIN_S;
	list_push_back(&server->remotes, &remote->link);
	if (is_passive) {
		rc = jsonrpc_listen(server->loop, target, remote_on_accept, remote,
		                    &remote->listener, err);
	} else {
		remote->timer = evtimer_new(server->loop, remote_dial, remote);
		event_add(remote->timer, &at_once);
	}
	if (rc)
		remote_destroy(remote);
	return rc;
}

void
ovsdb_server_remove_remote(struct ovsdb_server *server, const char *target)
{
	struct remote *remote = remote_find(server, target);

	if (remote)
		remote_destroy(remote);
}

bool
ovsdb_server_remote_is_connected(const struct ovsdb_server *server, const char *target)
{
	const struct remote *remote = remote_find(server, target);
	const struct session *session;

	LIST_FOR_EACH (session, link, &server->sessions)
		if (remote && session->remote == remote)
			return true;
	return false;
}

void
remotes_destroy(struct ovsdb_server *server)
{
	struct remote *remote, *next;

	LIST_FOR_EACH_SAFE (remote, next, link, &server->remotes)
		remote_destroy(remote);
}
