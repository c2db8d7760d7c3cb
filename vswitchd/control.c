/* control.c - command registry and control socket; the commands are in control_*.c.
 * Main thread. */
#include "vswitchd/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "rpc/jsonrpc.h"

LOG_MODULE(control);

struct command {
	struct hmap_node node; /* in registry.commands, by name */
	const char *name, *usage;
	size_t min_args, max_args;
	control_fn *fn;
	void *aux;
};

struct control_registry {
	struct hmap commands;
	char *version;
};

struct control_socket {
	const struct control_registry *registry;
	struct event_base *loop;
	struct jsonrpc_listener *listener;
	struct list connections;
};

struct connection {
	struct list link; /* in control_socket.connections */
	struct control_socket *socket;
	struct jsonrpc *rpc;
};

/* ---- registry ---- */

static int
compare_commands(const void *a, const void *b)
{
	const struct command *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int
control_list_commands(size_t n_args, const char *const *args, struct str *out,
                      struct error *err, void *aux)
{
	const struct control_registry *registry = aux;
	const struct command **list = xcalloc(registry->commands.count, sizeof(*list));
	struct command *command;
	size_t n = 0;

	(void)n_args, (void)args, (void)err;
	HMAP_FOR_EACH (command, node, &registry->commands)
		list[n++] = command;
	qsort(list, n, sizeof(*list), compare_commands);
	str_append(out, "The available commands are:\n");
	for (size_t i = 0; i < n; i++)
		str_printf(out, "  %-23s %s\n", list[i]->name, list[i]->usage);
	free(list);
	return 0;
}

static int
control_version(size_t n_args, const char *const *args, struct str *out,
                struct error *err, void *aux)
{
	const struct control_registry *registry = aux;

	(void)n_args, (void)args, (void)err;
	str_printf(out, "%s\n", registry->version);
	return 0;
}

struct control_registry *
control_registry_create(const char *version)
{
	struct control_registry *registry = xcalloc(1, sizeof(*registry));

	registry->version = xstrdup(version);
	control_register(registry, "list-commands", "", 0, 0, control_list_commands,
	                 registry);
	control_register(registry, "version", "", 0, 0, control_version, registry);
	return registry;
}

void
control_registry_destroy(struct control_registry *registry)
{
	struct command *command;

	if (!registry)
		return;
	HMAP_FOR_EACH (command, node, &registry->commands) {
		hmap_remove(&registry->commands, &command->node);
		free(command);
	}
	hmap_destroy(&registry->commands);
	free(registry->version);
	free(registry);
}

void
control_register(struct control_registry *registry, const char *name, const char *usage,
                 size_t min_args, size_t max_args, control_fn *fn, void *aux)
{
	struct command *command = xcalloc(1, sizeof(*command));

	command->name = name;
	command->usage = usage;
	command->min_args = min_args;
	command->max_args = max_args;
	command->fn = fn;
	command->aux = aux;
	hmap_insert(&registry->commands, &command->node, hash_string(name, 0));
}

int
control_run(const struct control_registry *registry, const char *name, size_t n_args,
            const char *const *args, struct str *out, struct error *err)
{
	const struct command *found = NULL;
	struct command *command;

	HMAP_FOR_EACH_WITH_HASH (command, node, hash_string(name, 0), &registry->commands)
		if (!strcmp(command->name, name))
			found = command;
	/* Programs that talk to Open vSwitch look for these words. */
	if (!found)
		return error_set(err, -EINVAL,
		                 "\"%.100s\" is not a valid command (use "
		                 "\"list-commands\" to see a list of valid commands)",
		                 name);
	if (n_args < found->min_args)
		return error_set(err, -EINVAL,
		                 "\"%s\" command requires at least %zu arguments", name,
		                 found->min_args);
	if (n_args > found->max_args)
		return error_set(err, -EINVAL,
		                 "\"%s\" command takes at most %zu arguments", name,
		                 found->max_args);
	return found->fn(n_args, args, out, err, found->aux);
}

/* ---- socket ---- */

/* Reads the parameters, strings all, into 'args'. */
static int
control_read_args(const json_t *params, const char **args, size_t *n, struct error *err)
{
	*n = json_array_size(params);
	if (!json_is_array(params) || *n > CONTROL_ARGS_MAX)
		return error_set(err, -EINVAL,
		                 "parameters must be an array of at most %d strings",
		                 CONTROL_ARGS_MAX);
	for (size_t i = 0; i < *n; i++) {
		args[i] = json_string_value(json_array_get(params, i));
		if (!args[i])
			return error_set(err, -EINVAL, "parameter %zu is not a string",
			                 i + 1);
	}
	return 0;
}

static void
control_request(struct jsonrpc *rpc, const char *method, const json_t *params,
                const json_t *id, void *aux)
{
	const struct connection *connection = aux;
	const char *args[CONTROL_ARGS_MAX];
	struct str out = STR_INIT;
	struct error err = {""};
	json_t *text;
	size_t n_args;
	int ret;

	if (json_is_null(id))
		return;
	ret = control_read_args(params, args, &n_args, &err);
	if (!ret)
		ret = control_run(connection->socket->registry, method, n_args, args,
		                  &out, &err);
	log_dbg("command %s with %zu arguments: %s", method, n_args,
	        ret ? err.text : "done");
	if (ret) {
		size_t n = strlen(err.text);

		str_clear(&out);
		str_append(&out, err.text);
		if (n == 0 || err.text[n - 1] != '\n')
			str_append_char(&out, '\n');
	}
	if (!ret && jsonrpc_reply_ascii(rpc, id, str_text(&out), out.length)) {
		str_free(&out);
		return;
	}
	/* Names that came in are echoed: what is not UTF-8 would be no JSON string. */
	text = json_string(str_text(&out));
	if (!text)
		text = json_string("the answer is not valid UTF-8\n");
	if (ret)
		jsonrpc_reply_error_bare(rpc, id, text);
	else
		jsonrpc_reply(rpc, id, text);
	str_free(&out);
}

static void
connection_free(struct connection *connection)
{
	list_remove(&connection->link);
	free(connection);
}

static void
control_closed(struct jsonrpc *rpc, const char *why, void *aux)
{
	(void)rpc;
	log_dbg("control connection closed: %s", why);
	connection_free(aux);
}

static const struct jsonrpc_handlers control_handlers = {
	.request = control_request,
	.closed = control_closed,
};

static void
control_accept(int fd, void *aux)
{
	struct control_socket *socket = aux;
	struct connection *connection = xcalloc(1, sizeof(*connection));

	connection->socket = socket;
	list_push_back(&socket->connections, &connection->link);
	connection->rpc = jsonrpc_create(socket->loop, fd, &control_handlers, connection);
}

int
control_socket_create(struct event_base *loop, const char *path,
                      const struct control_registry *registry,
                      struct control_socket **result, struct error *err)
{
	struct control_socket *socket = xcalloc(1, sizeof(*socket));
	char *target = xasprintf("punix:%s", path);
	int ret;

	socket->registry = registry;
	socket->loop = loop;
	list_init(&socket->connections);
	ret = jsonrpc_listen(loop, target, control_accept, socket, &socket->listener,
	                     err);
	free(target);
	if (ret) {
		free(socket);
		return ret;
	}
	*result = socket;
	return 0;
}

void
control_socket_destroy(struct control_socket *socket)
{
	struct connection *connection, *next;

	if (!socket)
		return;
	jsonrpc_listener_destroy(socket->listener);
	LIST_FOR_EACH_SAFE (connection, next, link, &socket->connections) {
		jsonrpc_close(connection->rpc);
		connection_free(connection);
	}
	free(socket);
}
