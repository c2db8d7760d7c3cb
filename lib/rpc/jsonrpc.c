/* jsonrpc.c - one JSON-RPC connection: reads messages, queues answers, answers echo
 * itself. Between libevent and the OVSDB server / control sockets. Event-loop thread.
 *
 * A connection ends in one of three ways. The peer's fault or departure: 'closed' is
 * called from the loop, then the connection is freed. An overflow of the output queue,
 * which can happen while the owner walks its connections: the connection turns deaf at
 * once and 'closed' follows from the loop. jsonrpc_close(): 'closed' is not called; what
 * is queued is sent for a few seconds more. */
#include "rpc/jsonrpc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc/escape.h"
#include "rpc/reader.h"

#define DRAIN_TIMEOUT_S 5

/* A peer that does not read its answers is not listened to either. */
#define PAUSE_BYTES  (1024 * 1024)
#define RESUME_BYTES (256 * 1024)

/* Beyond it a connection that gets notifications it does not read is cut. One message of
 * any size may always be queued. */
#define BACKLOG_MAX_BYTES (16 * 1024 * 1024)

static const struct json_limits jsonrpc_limits = {
	.max_bytes = 8 * 1024 * 1024,
	.max_values = 400 * 1000,
	.max_depth = 100,
};

struct jsonrpc {
	struct bufferevent *bev;
	struct event *doom; /* runs the end of an overflown connection from the loop */
	struct json_reader reader;
	const struct jsonrpc_handlers *handlers;
	void *aux;
	uint64_t last_input_ns;
	bool is_dispatching; /* a handler of this connection is on the stack */
	bool is_paused;
	bool is_doomed;
	bool is_closed; /* by its owner; no handler may be called */
};

static void
jsonrpc_free(struct jsonrpc *rpc)
{
	bufferevent_free(rpc->bev);
	event_free(rpc->doom);
	json_reader_destroy(&rpc->reader);
	free(rpc);
}

/* The end that the owner did not ask for. */
static void
jsonrpc_end(struct jsonrpc *rpc, const char *why)
{
	if (!rpc->is_closed)
		rpc->handlers->closed(rpc, why, rpc->aux);
	jsonrpc_free(rpc);
}

static void
jsonrpc_on_doom(evutil_socket_t fd UNUSED, short what UNUSED, void *aux)
{
	jsonrpc_end(aux, "peer does not read what it is sent");
}

static struct evbuffer *
jsonrpc_output(const struct jsonrpc *rpc)
{
	return bufferevent_get_output(rpc->bev);
}

size_t
jsonrpc_backlog_bytes(const struct jsonrpc *rpc)
{
	return evbuffer_get_length(jsonrpc_output(rpc));
}

uint64_t
jsonrpc_last_input_ns(const struct jsonrpc *rpc)
{
	return rpc->last_input_ns;
}

static void
free_dump(const void *data UNUSED, size_t n UNUSED, void *text)
{
	free(text);
}

/* Whether one more message may be queued. */
static bool
jsonrpc_may_send(struct jsonrpc *rpc)
{
	const struct timeval at_once = {0, 0};

	if (rpc->is_doomed || rpc->is_closed)
		return false;
	if (jsonrpc_backlog_bytes(rpc) <= BACKLOG_MAX_BYTES)
		return true;
	rpc->is_doomed = true;
	bufferevent_disable(rpc->bev, EV_READ | EV_WRITE);
	event_add(rpc->doom, &at_once);
	return false;
}

/* Steals 'text'. */
static void
jsonrpc_send_text(struct jsonrpc *rpc, char *text, size_t length)
{
	if (evbuffer_add_reference(jsonrpc_output(rpc), text, length, free_dump, text) <
	    0)
		free(text);
}

static void
jsonrpc_send(struct jsonrpc *rpc, json_t *message)
{
	char *text = jsonrpc_may_send(rpc) ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	if (text)
		jsonrpc_send_text(rpc, text, strlen(text));
}

void
jsonrpc_reply(struct jsonrpc *rpc, const json_t *id, json_t *result)
{
	/* NULL is what jansson makes of a string that is not UTF-8. */
	jsonrpc_send(rpc, json_pack("{s:o, s:o, s:n}", "id", json_deep_copy(id), "result",
	                            result ? result : json_null(), "error"));
}

bool
jsonrpc_reply_ascii(struct jsonrpc *rpc, const json_t *id, const char *text, size_t n)
{
	struct str message = STR_INIT;
	size_t length;
	char *id_text;

	if (!jsonrpc_may_send(rpc))
		return true;
	id_text = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
	str_printf(&message, "{\"id\":%s,\"result\":", id_text ? id_text : "null");
	free(id_text);
	if (!json_escape_ascii(&message, text, n)) {
		str_free(&message);
		return false;
	}
	str_append(&message, ",\"error\":null}");
	length = message.length;
	jsonrpc_send_text(rpc, str_steal(&message), length);
	return true;
}

void
jsonrpc_reply_error(struct jsonrpc *rpc, const json_t *id, json_t *error)
{
	jsonrpc_send(rpc, json_pack("{s:o, s:n, s:o}", "id", json_deep_copy(id), "result",
	                            "error", error));
}

void
jsonrpc_reply_error_bare(struct jsonrpc *rpc, const json_t *id, json_t *error)
{
	jsonrpc_send(rpc,
	             json_pack("{s:o, s:o}", "id", json_deep_copy(id), "error", error));
}

void
jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *params)
{
	jsonrpc_send(rpc, json_pack("{s:n, s:s, s:o}", "id", "method", method, "params",
	                            params));
}

void
jsonrpc_request(struct jsonrpc *rpc, const char *method, json_t *params, const json_t *id)
{
	jsonrpc_send(rpc, json_pack("{s:o, s:s, s:o}", "id", json_deep_copy(id), "method",
	                            method, "params", params));
}

static const json_t *
member_or_null(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return value && !json_is_null(value) ? value : NULL;
}

/* NULL, or what is wrong with the message. */
static const char *
jsonrpc_dispatch(struct jsonrpc *rpc, const json_t *message)
{
	const json_t *method = json_object_get(message, "method");
	const json_t *params = json_object_get(message, "params");
	const json_t *id = json_object_get(message, "id");
	json_t *null = json_null();

	if (!method) {
		if (!member_or_null(message, "id"))
			return "message is neither a request nor a reply";
		if (rpc->handlers->reply)
			rpc->handlers->reply(rpc, id, member_or_null(message, "result"),
			                     member_or_null(message, "error"), rpc->aux);
		return NULL;
	}
	if (!json_is_string(method))
		return "request's method is not a string";
	if (!json_is_array(params))
		return "request's params are not an array";
	if (!strcmp(json_string_value(method), "echo")) {
		if (id && !json_is_null(id))
			jsonrpc_reply(rpc, id, json_deep_copy(params));
		return NULL;
	}
	rpc->handlers->request(rpc, json_string_value(method), params, id ? id : null,
	                       rpc->aux);
	return NULL;
}

/* True if there was a message and there may be more; false also if 'rpc' is gone. */
static bool
jsonrpc_read_one(struct jsonrpc *rpc)
{
	struct error err = {""};
	const char *wrong;
	json_t *message;
	int rc;

	rc = json_reader_next(&rpc->reader, &message, &err);
	if (rc <= 0) {
		if (rc < 0)
			jsonrpc_end(rpc, err.text);
		return false;
	}
	rpc->is_dispatching = true;
	wrong = jsonrpc_dispatch(rpc, message);
	rpc->is_dispatching = false;
	json_decref(message);
	if (rpc->is_closed) {
		rpc->is_closed = false;
		jsonrpc_close(rpc);
		return false;
	}
	if (wrong)
		jsonrpc_end(rpc, wrong);
	return !wrong && !rpc->is_doomed;
}

static void
jsonrpc_process_input(struct jsonrpc *rpc)
{
	do {
		if (jsonrpc_backlog_bytes(rpc) > PAUSE_BYTES) {
			rpc->is_paused = true;
			bufferevent_disable(rpc->bev, EV_READ);
			return;
		}
	} while (jsonrpc_read_one(rpc));
}

static void
jsonrpc_on_readable(struct bufferevent *bev, void *aux)
{
	struct jsonrpc *rpc = aux;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(input);

	if (rpc->is_closed || rpc->is_doomed) {
		evbuffer_drain(input, n);
		return;
	}
	rpc->last_input_ns = clock_mono_ns();
	json_reader_feed(&rpc->reader, evbuffer_pullup(input, -1), n);
	evbuffer_drain(input, n);
	if (!rpc->is_paused)
		jsonrpc_process_input(rpc);
}

static void
jsonrpc_on_written(struct bufferevent *bev, void *aux)
{
	struct jsonrpc *rpc = aux;

	if (rpc->is_closed) {
		if (!jsonrpc_backlog_bytes(rpc))
			jsonrpc_free(rpc);
	} else if (rpc->is_paused && !rpc->is_doomed) {
		rpc->is_paused = false;
		bufferevent_enable(bev, EV_READ);
		jsonrpc_process_input(rpc);
	}
}

static void
jsonrpc_on_event(struct bufferevent *bev UNUSED, short what, void *aux)
{
	struct jsonrpc *rpc = aux;

	if (rpc->is_doomed)
		return; /* its end is already on its way */
	if (what & BEV_EVENT_EOF)
		jsonrpc_end(rpc, "closed by peer");
	else if (what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		jsonrpc_end(rpc, what & BEV_EVENT_TIMEOUT
		                         ? "timed out"
		                         : strerror(EVUTIL_SOCKET_ERROR()));
}

struct jsonrpc *
jsonrpc_create(struct event_base *loop, int fd, const struct jsonrpc_handlers *handlers,
               void *aux)
{
	struct jsonrpc *rpc = xcalloc(1, sizeof(*rpc));
	int one = 1;

	signal(SIGPIPE, SIG_IGN); /* libevent writes with writev() */
	/* Both fail on unix sockets, which need neither. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	rpc->handlers = handlers;
	rpc->aux = aux;
	rpc->last_input_ns = clock_mono_ns();
	json_reader_init(&rpc->reader, &jsonrpc_limits);
	rpc->doom = evtimer_new(loop, jsonrpc_on_doom, rpc);
	rpc->bev = bufferevent_socket_new(loop, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!rpc->doom || !rpc->bev)
		abort(); /* out of memory, as in base/mem.h */
	bufferevent_setcb(rpc->bev, jsonrpc_on_readable, jsonrpc_on_written,
	                  jsonrpc_on_event, rpc);
	bufferevent_setwatermark(rpc->bev, EV_WRITE, RESUME_BYTES, 0);
	bufferevent_enable(rpc->bev, EV_READ | EV_WRITE);
	return rpc;
}

void
jsonrpc_close(struct jsonrpc *rpc)
{
	const struct timeval timeout = {.tv_sec = DRAIN_TIMEOUT_S};
	struct evbuffer *output = jsonrpc_output(rpc);

	rpc->is_closed = true;
	if (rpc->is_dispatching)
		return; /* finished by jsonrpc_read_one() */
	if (!rpc->is_doomed && evbuffer_get_length(output)) {
		/* bufferevent keeps the front of its buffer frozen for its own use. */
		evbuffer_unfreeze(output, 1);
		(void)evbuffer_write(output, bufferevent_getfd(rpc->bev));
		evbuffer_freeze(output, 1);
	}
	if (rpc->is_doomed || !evbuffer_get_length(output)) {
		jsonrpc_free(rpc);
		return;
	}
	bufferevent_disable(rpc->bev, EV_READ);
	bufferevent_setwatermark(rpc->bev, EV_WRITE, 0, 0);
	bufferevent_set_timeouts(rpc->bev, NULL, &timeout);
}
