/* control_ovsdb.c - the ovsdb-server's own commands: databases and remotes. Main thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "vswitchd/control_commands.h"

struct remote {
	struct list link; /* in control_remotes.remotes */
	char *target;
};

struct control_remotes {
	struct ovsdb_server *server;
	struct list remotes; /* those of the command line and of add-remote */
};

static void
remote_add(struct control_remotes *remotes, const char *target)
{
	struct remote *remote = xcalloc(1, sizeof(*remote));

	remote->target = xstrdup(target);
	list_push_back(&remotes->remotes, &remote->link);
}

static struct remote *
remote_find(struct control_remotes *remotes, const char *target)
{
	struct remote *remote;

	LIST_FOR_EACH (remote, link, &remotes->remotes)
		if (!strcmp(remote->target, target))
			return remote;
	return NULL;
}

static void
remote_free(struct remote *remote)
{
	list_remove(&remote->link);
	free(remote->target);
	free(remote);
}

static int
list_dbs(size_t n_args, const char *const *args, struct str *out, struct error *err,
         void *aux)
{
	(void)n_args, (void)args, (void)err, (void)aux;
	str_append(out, "Open_vSwitch\n_Server\n");
	return 0;
}

static int
list_remotes(size_t n_args, const char *const *args, struct str *out, struct error *err,
             void *aux)
{
	struct control_remotes *remotes = aux;
	struct remote *remote;

	(void)n_args, (void)args, (void)err;
	LIST_FOR_EACH (remote, link, &remotes->remotes)
		str_printf(out, "%s\n", remote->target);
	return 0;
}

static int
add_remote(size_t n_args, const char *const *args, struct str *out, struct error *err,
           void *aux)
{
	struct control_remotes *remotes = aux;
	int ret;

	(void)n_args, (void)out;
	if (remote_find(remotes, args[0]))
		return 0;
	ret = ovsdb_server_add_remote(remotes->server, args[0], err);
	if (!ret)
		remote_add(remotes, args[0]);
	return ret;
}

static int
remove_remote(size_t n_args, const char *const *args, struct str *out, struct error *err,
              void *aux)
{
	struct control_remotes *remotes = aux;
	struct remote *remote = remote_find(remotes, args[0]);

	(void)n_args, (void)out;
	if (!remote)
		return error_set(err, -ENOENT, "no such remote: %s", args[0]);
	ovsdb_server_remove_remote(remotes->server, args[0]);
	remote_free(remote);
	return 0;
}

struct control_remotes *
control_add_ovsdb(struct control_registry *registry, struct ovsdb_server *server,
                  const char *first_remote)
{
	struct control_remotes *remotes = xcalloc(1, sizeof(*remotes));

	remotes->server = server;
	list_init(&remotes->remotes);
	remote_add(remotes, first_remote);
	control_register(registry, "ovsdb-server/list-dbs", "", 0, 0, list_dbs, NULL);
	control_register(registry, "ovsdb-server/list-remotes", "", 0, 0, list_remotes,
	                 remotes);
	control_register(registry, "ovsdb-server/add-remote", "REMOTE", 1, 1, add_remote,
	                 remotes);
	control_register(registry, "ovsdb-server/remove-remote", "REMOTE", 1, 1,
	                 remove_remote, remotes);
	return remotes;
}

void
control_remotes_destroy(struct control_remotes *remotes)
{
	struct remote *remote, *next;

	if (!remotes)
		return;
	LIST_FOR_EACH_SAFE (remote, next, link, &remotes->remotes)
		remote_free(remote);
	free(remotes);
}
