/* client.h - a blocking JSON-RPC client for the command-line tools. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct rpc_client;

/* "unix:PATH" (relative to the run-time directory) or "tcp:ADDRESS:PORT"; a bare path is
 * a unix socket. 'deadline_ns' on clock_mono_ns(), UINT64_MAX = none; it holds for every
 * call on this client. -ETIMEDOUT, -errno; the reason names the target. */
int rpc_client_connect(const char *target, uint64_t deadline_ns,
                       struct rpc_client **client, struct error *err);
void rpc_client_close(struct rpc_client *client); /* NULL is fine */

/* Sends a request (steals 'params') and waits for its answer, answering echo requests
 * meanwhile and keeping notifications for rpc_client_wait(). On 0 exactly one of
 * '*result' and '*error' is non-NULL, the caller's to release. */
int rpc_client_call(struct rpc_client *client, const char *method, json_t *params,
                    json_t **result, json_t **error, struct error *err);

/* Waits for the next notification; the caller releases '*params' and frees '*method'. */
int rpc_client_wait(struct rpc_client *client, char **method, json_t **params,
                    struct error *err);
