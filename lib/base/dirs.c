/* dirs.c - the three directories of a running weir. Written by main() before threads
 * start. */
#include "base/dirs.h"

#include <stdlib.h>

#include "base/mem.h"

#define DEFAULT_RUNDIR "/run/weir"
#define DEFAULT_DBDIR  "/var/lib/weir"
#define DEFAULT_LOGDIR "/var/log/weir"

static char *rundir, *dbdir, *logdir;

static const char *
dirs_get(const char *set, const char *variable, const char *fallback)
{
	const char *env = getenv(variable);

	if (set)
		return set;
	return env && *env ? env : fallback;
}

static void
dirs_set(char **slot, const char *path)
{
	free(*slot);
	*slot = xstrdup(path);
}

const char *
dirs_rundir(void)
{
	return dirs_get(rundir, "WEIR_RUNDIR", DEFAULT_RUNDIR);
}

const char *
dirs_dbdir(void)
{
	return dirs_get(dbdir, "WEIR_DBDIR", DEFAULT_DBDIR);
}

const char *
dirs_logdir(void)
{
	return dirs_get(logdir, "WEIR_LOGDIR", DEFAULT_LOGDIR);
}

void
dirs_set_rundir(const char *path)
{
	dirs_set(&rundir, path);
}

void
dirs_set_dbdir(const char *path)
{
	dirs_set(&dbdir, path);
}

void
dirs_set_logdir(const char *path)
{
	dirs_set(&logdir, path);
}

char *
dirs_in_rundir(const char *path)
{
	return path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", dirs_rundir(), path);
}
