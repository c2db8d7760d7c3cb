/* daemon.c - detach and pidfiles. Main thread, before others start. */
#include "base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define PIDFILES_MAX 8

static struct {
	char *path;
	int fd; /* held open for its lock */
} pidfiles[PIDFILES_MAX];
static int n_pidfiles;
static int ready_fd = -1; /* write end of the pipe the parent waits on */

int
daemon_detach(struct error *err)
{
	int fds[2], status = 0;
	ssize_t n;
	char byte;
	pid_t pid;

	if (pipe(fds) < 0)
		return error_set(err, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		return error_set(err, -errno, "fork: %s", strerror(errno));
	if (pid == 0) {
		close(fds[0]);
		fcntl(fds[1], F_SETFD, FD_CLOEXEC);
		ready_fd = fds[1];
		setsid();
		return 0;
	}
	close(fds[1]);
	do {
		n = read(fds[0], &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EXIT_SUCCESS);
	/* End of file instead of a byte: the child has died and told why. */
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		_exit(EXIT_FAILURE);
	_exit(WEXITSTATUS(status));
}

void
daemon_detach_done(void)
{
	int null_fd;

	if (ready_fd < 0)
		return;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd >= 0) {
		dup2(null_fd, STDIN_FILENO);
		dup2(null_fd, STDOUT_FILENO);
		dup2(null_fd, STDERR_FILENO);
		close(null_fd);
	}
	while (write(ready_fd, "", 1) < 0 && errno == EINTR)
		continue;
	close(ready_fd);
	ready_fd = -1;
}

static pid_t
pidfile_lock_owner(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

static bool
pidfile_is_ours(const char *path)
{
	for (int i = 0; i < n_pidfiles; i++)
		if (!strcmp(pidfiles[i].path, path))
			return true;
	return false;
}

int
daemon_pidfile_create(const char *path, struct error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char text[32];
	int n, fd;

	if (n_pidfiles == PIDFILES_MAX || pidfile_is_ours(path))
		return error_set(err, -EINVAL, "%s: pidfile made twice", path);
	/* Opened without O_TRUNC: a running daemon's pid must survive our failing here.
	 */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(err, -errno, "%s: cannot create pidfile: %s", path,
		                 strerror(errno));
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		int owner = pidfile_lock_owner(fd);

		close(fd);
		return error_set(
			err, -EAGAIN,
			"%s: already in use by process %d; is a daemon running there?",
			path, owner);
	}
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) != n) {
		n = -errno;
		close(fd);
		return error_set(err, n, "%s: cannot write pidfile: %s", path,
		                 strerror(-n));
	}
	pidfiles[n_pidfiles].path = xstrdup(path);
	pidfiles[n_pidfiles++].fd = fd;
	return 0;
}

void
daemon_pidfiles_remove(void)
{
	while (n_pidfiles > 0) {
		n_pidfiles--;
		unlink(pidfiles[n_pidfiles].path);
		free(pidfiles[n_pidfiles].path);
		close(pidfiles[n_pidfiles].fd);
	}
}

int
daemon_pidfile_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	pid_t owner;
	int pid;

	if (fd < 0)
		return 0;
	owner = pidfile_lock_owner(fd);
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	pid = atoi(text);
	return pid > 0 && pid == owner ? pid : 0;
}
