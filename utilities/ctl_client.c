/* ctl_client.c - the client's end of a daemon's control socket. */
#include <config.h>

#include "ctl_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/daemon.h"
#include "base/dirs.h"
#include "base/mem.h"

int
ctl_find_pid(const char *target, struct error *err)
{
	char *name = xasprintf("%s.pid", target);
	char *pidfile = dirs_in_rundir(name);
	int pid = daemon_pidfile_read(pidfile);

	if (pid <= 0)
		pid = error_set(err, -ESRCH,
		                "%s is not running: no live process holds %s", target,
		                pidfile);
	free(pidfile);
	free(name);
	return pid;
}

char *
ctl_find_socket(const char *target, struct error *err)
{
	int pid;

	if (target[0] == '/')
		return xstrdup(target);
	if (strchr(target, '/')) {
		error_set(err, -EINVAL, "target \"%s\": a socket needs an absolute path",
		          target);
		return NULL;
	}
	pid = ctl_find_pid(target, err);
	if (pid <= 0)
		return NULL;
	return xasprintf("%s/%s.%d.ctl", dirs_rundir(), target, pid);
}

int
ctl_connect(const char *target, uint64_t deadline_ns, struct rpc_client **client,
            struct error *err)
{
	char *path = ctl_find_socket(target, err), *remote;
	int ret;

	if (!path)
		return -ESRCH;
	remote = xasprintf("unix:%s", path);
	ret = rpc_client_connect(remote, deadline_ns, client, err);
	free(remote);
	free(path);
	return ret;
}

/* The first line of a daemon's refusal. */
static int
set_refusal(const json_t *error, struct error *err)
{
	const char *text = json_string_value(error);

	if (!text)
		text = "the daemon refused the command";
	return error_set(err, -EINVAL, "%.*s", (int)strcspn(text, "\n"), text);
}

int
ctl_call(struct rpc_client *client, const char *name, const char *const *args, size_t n,
         char **answer, struct error *err)
{
	json_t *params = json_array(), *result = NULL, *error = NULL;
	int ret = 0;

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(params, json_string(args[i]))) {
			json_decref(params);
			return error_set(err, -EINVAL,
			                 "argument \"%s\" is not valid UTF-8", args[i]);
		}
	ret = rpc_client_call(client, name, params, &result, &error, err);
	if (ret)
		return ret;
	if (error)
		ret = set_refusal(error, err);
	else if (json_is_string(result))
		*answer = xstrdup(json_string_value(result));
	else
		*answer = json_is_null(result)
		                  ? xstrdup("")
		                  : json_dumps(result, JSON_ENCODE_ANY | JSON_COMPACT);
	json_decref(result);
	json_decref(error);
	return ret;
}
