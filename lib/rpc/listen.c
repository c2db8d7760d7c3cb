/* listen.c - accepts connections and hands their descriptors on. Event-loop thread. */
#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "rpc/jsonrpc.h"
#include "rpc/target.h"

LOG_MODULE(rpc_listen);

/* Out of descriptors: the pending connection stays pending, so without a pause the loop
 * would spin. */
#define ACCEPT_PAUSE_MS 200

struct jsonrpc_listener {
	struct evconnlistener *listener;
	struct event *resume;
	char *target;
	char *path; /* of the socket file; NULL for TCP */
	jsonrpc_accept_fn *accept;
	void *aux;
};

static void
listener_on_accept(struct evconnlistener *evl UNUSED, evutil_socket_t fd,
                   struct sockaddr *address UNUSED, int bytes UNUSED, void *aux)
{
	struct jsonrpc_listener *listener = aux;

	listener->accept(fd, listener->aux);
}

static void
listener_on_error(struct evconnlistener *evl, void *aux)
{
	struct jsonrpc_listener *listener = aux;
	const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};

	log_warn("%s: cannot accept a connection: %s", listener->target, strerror(errno));
	evconnlistener_disable(evl);
	event_add(listener->resume, &pause);
}

static void
listener_on_resume(evutil_socket_t fd UNUSED, short what UNUSED, void *aux)
{
	struct jsonrpc_listener *listener = aux;

	evconnlistener_enable(listener->listener);
}

int
jsonrpc_listen(struct event_base *loop, const char *target, jsonrpc_accept_fn *accept,
               void *aux, struct jsonrpc_listener **listener_out, struct error *err)
{
	struct jsonrpc_listener *listener;
	char *path;
	int fd, rc;

	rc = rpc_target_listen(target, &fd, &path, err);
	if (rc)
		return rc;
	listener = xcalloc(1, sizeof(*listener));
	listener->target = xstrdup(target);
	listener->path = path;
	listener->accept = accept;
	listener->aux = aux;
	listener->resume = evtimer_new(loop, listener_on_resume, listener);
	listener->listener =
		evconnlistener_new(loop, listener_on_accept, listener,
	                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener->resume || !listener->listener) {
		if (!listener->listener)
			close(fd);
		jsonrpc_listener_destroy(listener);
		return error_set(err, -ENOMEM, "cannot listen on %s: out of memory",
		                 target);
	}
	evconnlistener_set_error_cb(listener->listener, listener_on_error);
	*listener_out = listener;
	return 0;
}

int
jsonrpc_listener_fd(const struct jsonrpc_listener *listener)
{
	return evconnlistener_get_fd(listener->listener);
}

void
jsonrpc_listener_destroy(struct jsonrpc_listener *listener)
{
	if (!listener)
		return;
	if (listener->listener)
		evconnlistener_free(listener->listener);
	if (listener->resume)
		event_free(listener->resume);
	/* Somebody else may have put their socket in our file's place. */
	if (listener->path)
		rpc_target_unlink_dead(listener->path);
	free(listener->path);
	free(listener->target);
	free(listener);
}
