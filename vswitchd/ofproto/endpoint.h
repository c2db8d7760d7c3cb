/* endpoint.h - targets of controllers ("ssl:10.0.0.1", "ptcp:6653:0.0.0.0") as sockets:
 * the one dialed, or those accepted. For connections.c, on rpc/target.h. Main thread. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>

#include "base/error.h"

#define OPENFLOW_PORT 6653

/* A target in parts, to be released by endpoint_target_free(). */
struct endpoint_target {
	char *socket; /* as rpc/target.h wants it: without TLS, with a port */
	bool is_passive, is_tls;
};

/* Understands tcp:, ssl:, unix:, ptcp:, pssl: and punix:. -EINVAL with the reason. */
int endpoint_target_parse(const char *text, struct endpoint_target *target,
                          struct error *err);
void endpoint_target_free(struct endpoint_target *target);

struct endpoint;

/* 'fd' >= 0: the callee's from here. Else 'why' tells what went wrong; a dialer is at its
 * end either way, and may be destroyed from within the call. */
typedef void endpoint_fn(int fd, const char *why, void *aux);

/* Dials once; a host's name is looked up first, and its addresses are tried one by one.
 * 'fn' is called later, unless it is destroyed before. */
struct endpoint *endpoint_dial(struct event_base *loop, const char *socket,
                               endpoint_fn *fn, void *aux);

/* Whether a dialer does not know yet where to. */
bool endpoint_is_looking_up(const struct endpoint *endpoint);

/* Listens until it is destroyed, which removes its socket file. NULL with the reason. */
struct endpoint *endpoint_listen(struct event_base *loop, const char *socket,
                                 endpoint_fn *fn, void *aux, struct error *err);

/* NULL is fine. */
void endpoint_destroy(struct endpoint *endpoint);

/* Marks packets of a TCP connection; others are left as they are. */
void endpoint_set_dscp(int fd, unsigned dscp);
