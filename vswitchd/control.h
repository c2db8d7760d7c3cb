/* control.h - the control sockets that weir-appctl and ovs-appctl speak to: a registry of
 * commands and the JSON-RPC socket in front of it. Main thread. */
#pragma once

#include <event2/event.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

#define CONTROL_ARGS_MAX 64

/* Runs a command: 0 with the text to show in 'out' (empty, or ending in a newline), or
 * -errno with the reason. 'args' does not hold the command's name. */
typedef int control_fn(size_t n_args, const char *const *args, struct str *out,
                       struct error *err, void *aux);

struct control_registry;

/* Knows "list-commands" and "version"; the latter answers 'version' and a newline. */
struct control_registry *control_registry_create(const char *version);
void control_registry_destroy(struct control_registry *registry); /* NULL is fine */

/* 'name' and 'usage' are not copied. */
void control_register(struct control_registry *registry, const char *name,
                      const char *usage, size_t min_args, size_t max_args, control_fn *fn,
                      void *aux);

/* Looks the command up, counts its arguments and runs it. -EINVAL if it is not known or
 * cannot have so many arguments; otherwise as its function says. */
int control_run(const struct control_registry *registry, const char *name, size_t n_args,
                const char *const *args, struct str *out, struct error *err);

struct control_socket;

/* Serves 'registry', which must outlive it, on the unix socket 'path'. */
int control_socket_create(struct event_base *loop, const char *path,
                          const struct control_registry *registry,
                          struct control_socket **socket, struct error *err);

/* Ends all connections and removes the socket file; NULL is fine. */
void control_socket_destroy(struct control_socket *socket);
