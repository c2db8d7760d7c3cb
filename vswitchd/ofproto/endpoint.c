/* endpoint.c - dials and listens for connections.c, without waiting. Main thread. */
#include "vswitchd/ofproto/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "rpc/target.h"
#include "vswitchd/ofproto/lookup.h"

LOG_MODULE(endpoint);

/* Out of descriptors: who waits goes on waiting, so without a pause the loop would spin.
 */
#define ACCEPT_PAUSE_MS 200

struct endpoint {
	endpoint_fn *fn;
	void *aux;
	char *name;
	struct event *event; /* dialer: the answer; listener: the end of a pause */
	int fd;              /* dialer: on its way; -1 */
	char *failure;       /* dialer: why there is nothing on its way */
	struct event_base *loop;
	struct lookup *lookup; /* dialer: of a name's addresses */
	char **sockets; /* dialer: what to try after that; 'n_sockets', from 'next' */
	size_t n_sockets, next;
	struct evconnlistener *listener;
	char *path; /* of the listener's socket file; NULL = none */
};

/* ---- targets ---- */

/* "HOST" or "HOST:PORT", IPv6 in brackets -> with a port. */
static char *
active_socket(const char *text)
{
	const char *rest = text[0] == '[' ? strchr(text, ']') : text;

	if (rest && strchr(rest, ':'))
		return xasprintf("tcp:%s", text);
	return xasprintf("tcp:%s:%d", text, OPENFLOW_PORT);
}

/* "[PORT][:HOST]" -> with both. */
static char *
passive_socket(const char *text)
{
	const char *colon = strchr(text, ':');
	const char *host = colon ? colon + 1 : "0.0.0.0";
	int n = colon ? (int)(colon - text) : (int)strlen(text);

	if (n == 0)
		return xasprintf("ptcp:%d:%s", OPENFLOW_PORT, host);
	return xasprintf("ptcp:%.*s:%s", n, text, host);
}

int
endpoint_target_parse(const char *text, struct endpoint_target *target, struct error *err)
{
	static const struct {
		const char *prefix;
		bool is_passive, is_tls, is_file;
	} kinds[] = {
		{"tcp:", false, false, false}, {"ssl:", false, true, false},
		{"unix:", false, false, true}, {"ptcp:", true, false, false},
		{"pssl:", true, true, false},  {"punix:", true, false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = text + strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)))
			continue;
		target->is_passive = kinds[i].is_passive;
		target->is_tls = kinds[i].is_tls;
		if (kinds[i].is_file)
			target->socket = xstrdup(text);
		else
			target->socket = target->is_passive ? passive_socket(rest)
			                                    : active_socket(rest);
		return 0;
	}
	return error_set(err, -EINVAL,
	                 "%s: not a target (tcp:, ssl:, unix:, ptcp:, pssl: or punix:)",
	                 text);
}

void
endpoint_target_free(struct endpoint_target *target)
{
	free(target->socket);
	target->socket = NULL;
}

/* ---- dialing ---- */

static void dial_next(struct endpoint *endpoint);

static void
on_dialed(evutil_socket_t fd UNUSED, short what UNUSED, void *aux)
{
	struct endpoint *endpoint = aux;
	int socket_fd = endpoint->fd, code = 0;
	socklen_t bytes = sizeof(code);
	struct str why = STR_INIT;

	endpoint->fd = -1;
	if (endpoint->failure) {
		str_append(&why, endpoint->failure);
	} else if (getsockopt(socket_fd, SOL_SOCKET, SO_ERROR, &code, &bytes) || code) {
		str_append(&why, strerror(code ? code : errno));
		close(socket_fd);
		socket_fd = -1;
	}
	if (socket_fd < 0 && endpoint->next < endpoint->n_sockets)
		dial_next(endpoint);
	else
		endpoint->fn(socket_fd, why.length ? str_text(&why) : NULL,
		             endpoint->aux);
	str_free(&why);
}

/* Calls on_dialed(), later. */
static void
dial_next(struct endpoint *endpoint)
{
	static const struct timeval now = {0, 0};
	struct error err;
	int ret;

	free(endpoint->failure);
	endpoint->failure = NULL;
	ret = rpc_target_connect(endpoint->sockets[endpoint->next++], &endpoint->fd,
	                         &err);
	if (ret && ret != -EINPROGRESS) {
		/* What rpc/target.c says in front is known to the reader. */
		endpoint->failure = xstrdup(ret == -EINVAL ? err.text : strerror(-ret));
		endpoint->fd = -1;
	}
	if (endpoint->event)
		event_free(endpoint->event);
	endpoint->event =
		event_new(endpoint->loop, endpoint->fd,
	                  ret == -EINPROGRESS ? EV_WRITE : 0, on_dialed, endpoint);
	event_add(endpoint->event, ret == -EINPROGRESS ? NULL : &now);
}

static void
add_socket(struct endpoint *endpoint, char *socket)
{
	endpoint->sockets =
		xrealloc(endpoint->sockets, (endpoint->n_sockets + 1) * sizeof(char *));
	endpoint->sockets[endpoint->n_sockets++] = socket;
}

/* The host of "tcp:HOST:PORT" if it is a name, to be freed; NULL if it is an address. */
static char *
host_name(const char *socket)
{
	const char *colon = strrchr(socket, ':');
	struct in6_addr address;
	char *host;

	if (strncmp(socket, "tcp:", 4) || socket[4] == '[' || !colon ||
	    colon <= socket + 4)
		return NULL;
	host = xstrdup(socket + 4);
	host[colon - socket - 4] = '\0';
	if (!strchr(host, ':') && inet_pton(AF_INET, host, &address) != 1)
		return host;
	free(host);
	return NULL;
}

static void
on_addresses(const char *const *addresses, size_t n, const char *why, void *aux)
{
	struct endpoint *endpoint = aux;
	const char *port = strrchr(endpoint->name, ':') + 1;

	endpoint->lookup = NULL;
	if (!n) {
		struct str text = STR_INIT;

		str_printf(&text, "the host's address: %s", why);
		endpoint->fn(-1, str_text(&text), endpoint->aux);
		str_free(&text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		add_socket(endpoint, xasprintf(strchr(addresses[i], ':') ? "tcp:[%s]:%s"
		                                                         : "tcp:%s:%s",
		                               addresses[i], port));
	dial_next(endpoint);
}

struct endpoint *
endpoint_dial(struct event_base *loop, const char *socket, endpoint_fn *fn, void *aux)
{
	struct endpoint *endpoint = xcalloc(1, sizeof(*endpoint));
	char *host = host_name(socket);

	endpoint->loop = loop;
	endpoint->fn = fn;
	endpoint->aux = aux;
	endpoint->fd = -1;
	endpoint->name = xstrdup(socket);
	if (host) {
		endpoint->lookup = lookup_start(loop, host, on_addresses, endpoint);
		free(host);
	} else {
		add_socket(endpoint, xstrdup(socket));
		dial_next(endpoint);
	}
	return endpoint;
}

bool
endpoint_is_looking_up(const struct endpoint *endpoint)
{
	return endpoint->lookup != NULL;
}

/* ---- listening ---- */

static void
on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd,
          struct sockaddr *address, int bytes UNUSED, void *aux)
{
	struct endpoint *endpoint = aux;
	int one = 1;

	if (address->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	endpoint->fn(fd, NULL, endpoint->aux);
}

static void
on_accept_error(struct evconnlistener *listener, void *aux)
{
	const struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
	struct endpoint *endpoint = aux;

	log_warn("%s: cannot accept a connection: %s", endpoint->name, strerror(errno));
	evconnlistener_disable(listener);
	event_add(endpoint->event, &pause);
}

static void
on_resume(evutil_socket_t fd UNUSED, short what UNUSED, void *aux)
{
	struct endpoint *endpoint = aux;

	evconnlistener_enable(endpoint->listener);
}

struct endpoint *
endpoint_listen(struct event_base *loop, const char *socket, endpoint_fn *fn, void *aux,
                struct error *err)
{
	struct endpoint *endpoint;
	char *path;
	int fd;

	if (rpc_target_listen(socket, &fd, &path, err))
		return NULL;
	endpoint = xcalloc(1, sizeof(*endpoint));
	endpoint->fn = fn;
	endpoint->aux = aux;
	endpoint->fd = -1;
	endpoint->name = xstrdup(socket);
	endpoint->path = path;
	endpoint->event = evtimer_new(loop, on_resume, endpoint);
	endpoint->listener =
		evconnlistener_new(loop, on_accept, endpoint,
	                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!endpoint->listener) {
		close(fd);
		endpoint_destroy(endpoint);
		error_set(err, -ENOMEM, "cannot listen on %s: out of memory", socket);
		return NULL;
	}
	evconnlistener_set_error_cb(endpoint->listener, on_accept_error);
	return endpoint;
}

void
endpoint_destroy(struct endpoint *endpoint)
{
	if (!endpoint)
		return;
	lookup_cancel(endpoint->lookup);
	if (endpoint->event)
		event_free(endpoint->event);
	if (endpoint->listener)
		evconnlistener_free(endpoint->listener);
	if (endpoint->fd >= 0)
		close(endpoint->fd);
	/* Somebody else may have put their socket in our file's place. */
	if (endpoint->path)
		rpc_target_unlink_dead(endpoint->path);
	free(endpoint->path);
	for (size_t i = 0; i < endpoint->n_sockets; i++)
		free(endpoint->sockets[i]);
	free(endpoint->sockets);
	free(endpoint->failure);
	free(endpoint->name);
	free(endpoint);
}

void
endpoint_set_dscp(int fd, unsigned dscp)
{
	int tos = (int)(dscp << 2);

	/* Each fails on sockets of the other kinds, which is as it should be. */
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}
