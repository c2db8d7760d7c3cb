/* ctl_client.h - finds the control socket of a running daemon and sends it commands. */
#pragma once

#include "base/error.h"
#include "rpc/client.h"

#define CTL_TARGET "weir-vswitchd" /* by default */

/* The process that holds the pidfile of the daemon 'target', or -ESRCH. */
int ctl_find_pid(const char *target, struct error *err);

/* The path of the control socket of 'target', which is the name of a pidfile or already a
 * path; the caller frees it. NULL with a reason if there is none. */
char *ctl_find_socket(const char *target, struct error *err);

/* Connects to the daemon 'target'; as rpc_client_connect(). */
int ctl_connect(const char *target, uint64_t deadline_ns, struct rpc_client **client,
                struct error *err);

/* Sends the command 'name' with 'n' arguments. 0 and its answer as text (the caller
 * frees); -EINVAL if the daemon refuses, with its reason (one line); -errno if it does
 * not answer. */
int ctl_call(struct rpc_client *client, const char *name, const char *const *args,
             size_t n, char **answer, struct error *err);
