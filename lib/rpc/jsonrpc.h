/* jsonrpc.h - JSON-RPC 1.0 connections on libevent, as OVSDB and the control sockets
 * speak it: JSON objects one after the other, no framing. Event-loop thread only. */
#pragma once

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct jsonrpc;          /* one connection */
struct jsonrpc_listener; /* accepts them */

struct jsonrpc_handlers {
	/* A request ('id' not null) or notification ('id' JSON null). 'params' and 'id'
	 * are borrowed. The handler answers now or later with jsonrpc_reply*(), if at
	 * all. */
	void (*request)(struct jsonrpc *rpc, const char *method, const json_t *params,
	                const json_t *id, void *aux);
	/* The answer to a request of ours; may be NULL if none is ever sent. 'result' and
	 * 'error' are NULL if absent or JSON null. */
	void (*reply)(struct jsonrpc *rpc, const json_t *id, const json_t *result,
	              const json_t *error, void *aux);
	/* The connection has ended and is freed after this call; 'why' is for the log. */
	void (*closed)(struct jsonrpc *rpc, const char *why, void *aux);
};

/* Takes over a connected, non-blocking descriptor. 'handlers' must outlive it. Echo
 * requests are answered here. Messages above 8 MiB, 400,000 values or 100 levels end the
 * connection, and so does a backlog above 16 MiB; requests are not read while the backlog
 * exceeds 1 MiB. From the first call on the process ignores SIGPIPE. */
struct jsonrpc *jsonrpc_create(struct event_base *loop, int fd,
                               const struct jsonrpc_handlers *handlers, void *aux);

/* Closes after what is queued has been sent, or at once; 'closed' is not called. */
void jsonrpc_close(struct jsonrpc *rpc);

/* Each steals its json_t arguments except 'id', which is copied. */
void jsonrpc_reply(struct jsonrpc *rpc, const json_t *id, json_t *result);
/* jsonrpc_reply() of a string, without the time that a json_t of megabytes takes. False,
 * and nothing is sent, if it is not all ASCII. */
bool jsonrpc_reply_ascii(struct jsonrpc *rpc, const json_t *id, const char *text,
                         size_t n);
void jsonrpc_reply_error(struct jsonrpc *rpc, const json_t *id, json_t *error);
/* As the control sockets want it: an error without any "result" key. */
void jsonrpc_reply_error_bare(struct jsonrpc *rpc, const json_t *id, json_t *error);
void jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *params);
void jsonrpc_request(struct jsonrpc *rpc, const char *method, json_t *params,
                     const json_t *id);

/* Bytes accepted for sending but not yet sent. */
size_t jsonrpc_backlog_bytes(const struct jsonrpc *rpc);

/* When anything last arrived, on clock_mono_ns(). */
uint64_t jsonrpc_last_input_ns(const struct jsonrpc *rpc);

typedef void jsonrpc_accept_fn(int fd, void *aux); /* owns 'fd' from here */

/* Listens on "punix:PATH" (a stale socket file is replaced, a live one refused with
 * -EADDRINUSE; mode 0660) or "ptcp:PORT[:ADDRESS]" (default address 127.0.0.1). */
int jsonrpc_listen(struct event_base *loop, const char *target, jsonrpc_accept_fn *accept,
                   void *aux, struct jsonrpc_listener **listener, struct error *err);
int jsonrpc_listener_fd(const struct jsonrpc_listener *listener);
void jsonrpc_listener_destroy(struct jsonrpc_listener *listener); /* unlinks its socket */
