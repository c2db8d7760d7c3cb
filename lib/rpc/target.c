/* target.c - opens the sockets that target strings name. Below listen.c and client.c. Any
 * thread. */
#include "rpc/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/mem.h"
#include "base/str.h"

#define LISTEN_BACKLOG 128

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t bytes;
	int dir_fd; /* keeps a long path's directory open; -1 */
};

static void
address_release(struct address *address)
{
	if (address->dir_fd >= 0)
		close(address->dir_fd);
}

/* A path that does not fit sun_path is reached through its directory's descriptor. */
static int
address_set_path(struct address *address, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t room = sizeof(address->un.sun_path);
	char *dir;
	int n;

	memset(address, 0, sizeof(*address));
	address->dir_fd = -1;
	address->un.sun_family = AF_UNIX;
	address->bytes = sizeof(address->un);
	if (strlen(path) < room) {
		memcpy(address->un.sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (!slash || slash == path)
		return error_set(err, -ENAMETOOLONG, "%s: name too long for a socket",
		                 path);
	dir = xstrdup(path);
	dir[slash - path] = '\0';
	address->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (address->dir_fd < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	n = snprintf(address->un.sun_path, room, "/proc/self/fd/%d/%s", address->dir_fd,
	             slash + 1);
	if (n < 0 || (size_t)n >= room) {
		address_release(address);
		return error_set(err, -ENAMETOOLONG, "%s: name too long for a socket",
		                 path);
	}
	return 0;
}

/* 'host' may stand in brackets, as IPv6 addresses must. */
static int
address_set_inet(struct address *address, const char *host, const char *port_text,
                 uint64_t min_port, struct error *err)
{
	char bare[INET6_ADDRSTRLEN + 1];
	size_t n = strlen(host);
	uint64_t port;

	memset(address, 0, sizeof(*address));
	address->dir_fd = -1;
	if (!parse_u64(port_text, min_port, 65535, &port))
		return error_set(err, -EINVAL, "%s: not a port number", port_text);
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n >= sizeof(bare))
		return error_set(err, -EINVAL, "%s: not an IP address", host);
	memcpy(bare, host, n);
	bare[n] = '\0';
	if (inet_pton(AF_INET, bare, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons((uint16_t)port);
		address->bytes = sizeof(address->in);
	} else if (inet_pton(AF_INET6, bare, &address->in6.sin6_addr) == 1) {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons((uint16_t)port);
		address->bytes = sizeof(address->in6);
	} else {
		return error_set(err, -EINVAL, "%s: not an IP address", bare);
	}
	return 0;
}

int
rpc_target_check(const char *target, bool *is_passive, struct error *err)
{
	*is_passive = target[0] == 'p';
	if (!strncmp(target, "ssl:", 4) || !strncmp(target, "pssl:", 5))
		return error_set(err, -ENOTSUP, "%s: TLS connections are not supported",
		                 target);
	if (strncmp(target, "unix:", 5) && strncmp(target, "tcp:", 4) &&
	    strncmp(target, "punix:", 6) && strncmp(target, "ptcp:", 5))
		return error_set(err, -EINVAL, "%s: unknown kind of connection target",
		                 target);
	return 0;
}

/* "ADDRESS:PORT" */
static int
address_from_tcp(struct address *address, const char *text, struct error *err)
{
	const char *colon = strrchr(text, ':');
	char *host;
	int rc;

	if (!colon)
		return error_set(err, -EINVAL, "%s: no port number", text);
	host = xstrdup(text);
	host[colon - text] = '\0';
	rc = address_set_inet(address, host, colon + 1, 1, err);
	free(host);
	return rc;
}

static int
address_from_active(struct address *address, const char *target, struct error *err)
{
	char *path;
	int rc;

	if (!strncmp(target, "tcp:", 4))
		return address_from_tcp(address, target + 4, err);
	if (!strncmp(target, "unix:", 5)) {
		target += 5;
	} else if (!strchr(target, '/') && strchr(target, ':')) {
		bool is_passive;

		rc = rpc_target_check(target, &is_passive, err);
		return rc ? rc
		          : error_set(err, -EINVAL, "%s: cannot connect to a listener",
		                      target);
	}
	path = dirs_in_rundir(target);
	rc = address_set_path(address, path, err);
	free(path);
	return rc;
}

int
rpc_target_connect(const char *target, int *fd, struct error *err)
{
	struct address address;
	int rc, one = 1;

	rc = address_from_active(&address, target, err);
	if (rc) {
		error_prefix(err, "cannot connect to %s", target);
		return rc;
	}
	*fd = socket(address.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0) {
		rc = -errno;
		goto release;
	}
	if (address.sa.sa_family != AF_UNIX)
		(void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(*fd, &address.sa, address.bytes) < 0) {
		rc = -errno;
		if (rc != -EINPROGRESS) {
			close(*fd);
			*fd = -1;
		}
	}
release:
	address_release(&address);
	if (rc && rc != -EINPROGRESS)
		error_set(err, rc, "cannot connect to %s: %s", target, strerror(-rc));
	return rc;
}

/* Removes what an earlier process left behind, and nothing else. */
static int
unlink_stale_socket(const struct address *address, const char *path, struct error *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST, "%s exists and is not a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, -errno, "cannot create a socket: %s",
		                 strerror(errno));
	rc = connect(fd, &address->sa, address->bytes) < 0 ? -errno : 0;
	close(fd);
	if (rc != -ECONNREFUSED)
		return error_set(err, -EADDRINUSE, "%s: another process listens there",
		                 path);
	if (unlink(path) < 0)
		return error_set(err, -errno, "cannot remove stale %s: %s", path,
		                 strerror(errno));
	return 0;
}

static int
listen_at(const struct address *address, int *fd)
{
	bool is_unix = address->sa.sa_family == AF_UNIX;
	int one = 1, rc = 0;
	mode_t old_mask;

	*fd = socket(address->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	             0);
	if (*fd < 0)
		return -errno;
	if (!is_unix)
		(void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* The socket file must never be open to others, not even before a chmod(). */
	old_mask = umask(is_unix ? 0117 : 0);
	if (bind(*fd, &address->sa, address->bytes) < 0)
		rc = -errno;
	umask(old_mask);
	if (!rc && listen(*fd, LISTEN_BACKLOG) < 0)
		rc = -errno;
	if (rc) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

static int
listen_unix(const char *name, int *fd, char **path_out, struct error *err)
{
	char *path = dirs_in_rundir(name);
	struct address address;
	int rc;

	rc = address_set_path(&address, path, err);
	if (rc)
		goto free_path;
	rc = unlink_stale_socket(&address, path, err);
	if (rc)
		goto release;
	rc = listen_at(&address, fd);
	if (rc)
		error_set(err, rc, "%s: %s", path, strerror(-rc));
release:
	address_release(&address);
free_path:
	if (rc)
		free(path);
	else
		*path_out = path;
	return rc;
}

/* "PORT[:ADDRESS]" */
static int
listen_tcp(const char *text, int *fd, struct error *err)
{
	const char *colon = strchr(text, ':');
	const char *host = colon ? colon + 1 : "127.0.0.1";
	char *port = xstrdup(text);
	struct address address;
	int rc;

	if (colon)
		port[colon - text] = '\0';
	rc = address_set_inet(&address, host, port, 0, err);
	free(port);
	if (rc)
		return rc;
	rc = listen_at(&address, fd);
	return rc ? error_set(err, rc, "%s", strerror(-rc)) : 0;
}

int
rpc_target_listen(const char *target, int *fd, char **path, struct error *err)
{
	bool is_passive;
	int rc;

	*path = NULL;
	rc = rpc_target_check(target, &is_passive, err);
	if (rc)
		return rc;
	if (!strncmp(target, "punix:", 6))
		rc = listen_unix(target + 6, fd, path, err);
	else if (!strncmp(target, "ptcp:", 5))
		rc = listen_tcp(target + 5, fd, err);
	else
		rc = error_set(err, -EINVAL, "not a target to listen on");
	if (rc)
		error_prefix(err, "cannot listen on %s", target);
	return rc;
}

void
rpc_target_unlink_dead(const char *path)
{
	struct address address;

	if (address_set_path(&address, path, NULL))
		return;
	(void)unlink_stale_socket(&address, path, NULL);
	address_release(&address);
}
