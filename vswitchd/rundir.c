/* rundir.c - claims the run-time directory for main.c. Main thread. */
#include "vswitchd/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/dirs.h"
#include "base/mem.h"
#include "base/str.h"

/* Ours first: whoever holds it holds the directory. */
static const char *const programs[] = {"weir-vswitchd", "ovs-vswitchd", "ovsdb-server"};

int
rundir_make_directory(const char *path, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return error_set(err, -errno, "%s: cannot make directory: %s", path,
		                 strerror(errno));
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR, "%s: is not a directory", path);
	return 0;
}

char *
rundir_control_path(const char *program)
{
	return xasprintf("%s/%s.%d.ctl", dirs_rundir(), program, (int)getpid());
}

/* The pid in "<program>.<pid>.ctl"; 0 if 'name' is nothing of the kind. */
static pid_t
control_socket_pid(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		size_t n = strlen(programs[i]);
		char digits[16];
		uint64_t pid;
		int end = 0;

		if (strncmp(name, programs[i], n) || name[n] != '.')
			continue;
		if (sscanf(name + n + 1, "%15[0-9]%n", digits, &end) == 1 &&
		    !strcmp(name + n + 1 + end, ".ctl") &&
		    parse_u64(digits, 1, INT32_MAX, &pid))
			return (pid_t)pid;
	}
	return 0;
}

static void
remove_dead_sockets(void)
{
	DIR *dir = opendir(dirs_rundir());
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pid_t pid = control_socket_pid(entry->d_name);

		/* A socket of our own pid is one of a dead process that had it before:
		 * ours do not exist yet. */
		if (pid == getpid() || (pid && kill(pid, 0) < 0 && errno == ESRCH))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

static int
claim_one(const char *path, struct error *err)
{
	int ret = daemon_pidfile_create(path, err);

	if (ret == -EAGAIN) {
		int pid = daemon_pidfile_read(path);

		/* The words of daemon_pidfile_create() stay if the holder is unclear. */
		if (pid)
			error_set(err, ret,
			          "run-time directory %s is in use by process %d (%s)",
			          dirs_rundir(), pid, path);
	}
	return ret;
}

int
rundir_claim(const char *extra, struct error *err)
{
	bool extra_done = !extra;
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs) && !ret; i++) {
		char *path = xasprintf("%s/%s.pid", dirs_rundir(), programs[i]);

		ret = claim_one(path, err);
		extra_done |= extra && !strcmp(path, extra);
		free(path);
	}
	if (!ret && !extra_done)
		ret = claim_one(extra, err);
	if (ret)
		daemon_pidfiles_remove();
	else
		remove_dead_sockets();
	return ret;
}

void
rundir_release(void)
{
	daemon_pidfiles_remove();
}
