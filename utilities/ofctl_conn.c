/* ofctl_conn.c - weir-ofctl's connection to a switch: blocking, but never deaf while it
 * sends. Beside ofctl_names.c. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"
#include "ofctl_tls.h"
#include "rpc/target.h"

struct ofctl_conn {
	char *name;
	int fd;
	struct ssl_st *ssl;      /* NULL = plain */
	enum of_version version; /* 0 = not agreed yet, or any */
	uint32_t next_xid;
	struct str in; /* received, not yet handed on */
	size_t taken;  /* of 'in' */
	bool is_at_end;
};

/* ---- bytes ---- */

/* Waits for 'events'; false: nothing in time. */
static bool
conn_poll(struct ofctl_conn *conn, short events, int timeout_ms, short *seen)
{
	struct pollfd p = {.fd = conn->fd, .events = events};
	int ret;

	do
		ret = poll(&p, 1, timeout_ms);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		cli_die("%s: %s", conn->name, strerror(errno));
	*seen = p.revents;
	return ret > 0;
}

/* Bytes, 0 at the end, or -errno. */
static long
conn_read_some(struct ofctl_conn *conn, void *data, size_t n)
{
	ssize_t got;

	if (conn->ssl)
		return ofctl_tls_read(conn->ssl, data, n);
	got = read(conn->fd, data, n);
	return got < 0 ? -errno : (long)got;
}

static long
conn_write_some(struct ofctl_conn *conn, const void *data, size_t n)
{
	ssize_t sent;

	if (conn->ssl)
		return ofctl_tls_write(conn->ssl, data, n);
	sent = send(conn->fd, data, n, MSG_NOSIGNAL);
	return sent < 0 ? -errno : (long)sent;
}

static void
conn_read(struct ofctl_conn *conn)
{
	char buffer[65536];

	do {
		long n = conn_read_some(conn, buffer, sizeof(buffer));

		if (n > 0)
			str_append_bytes(&conn->in, buffer, (size_t)n);
		else if (n == 0)
			conn->is_at_end = true;
		else if (n != -EAGAIN && n != -EINTR)
			cli_die("%s: %s", conn->name, strerror((int)-n));
	} while (conn->ssl && ofctl_tls_is_pending(conn->ssl));
}

void
ofctl_send_bytes(struct ofctl_conn *conn, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		long sent = conn_write_some(conn, p, n);
		short seen;

		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
			continue;
		}
		if (sent != -EAGAIN && sent != -EINTR)
			cli_die("%s: %s", conn->name,
			        sent ? strerror((int)-sent) : "connection closed");
		/* A switch whose answers nobody reads may stop reading itself. */
		conn_poll(conn, POLLIN | POLLOUT, -1, &seen);
		if (seen & POLLIN && !conn->is_at_end)
			conn_read(conn);
	}
}

/* ---- messages ---- */

/* The whole message at the head of what was received; NULL = not yet. */
static const uint8_t *
conn_next(struct ofctl_conn *conn, size_t *n)
{
	const uint8_t *data = (const uint8_t *)conn->in.data + conn->taken;
	size_t left = conn->in.length - conn->taken;

	if (left < OF_HEADER_BYTES)
		return NULL;
	*n = (size_t)data[2] << 8 | data[3];
	if (*n < OF_HEADER_BYTES)
		cli_die("%s: received a message of %zu bytes", conn->name, *n);
	if (left < *n)
		return NULL;
	conn->taken += *n;
	return data;
}

/* What was handed on is no longer needed. */
static void
conn_forget_taken(struct ofctl_conn *conn)
{
	if (!conn->taken)
		return;
	memmove(conn->in.data, conn->in.data + conn->taken,
	        conn->in.length - conn->taken);
	conn->in.length -= conn->taken;
	conn->taken = 0;
}

static bool
conn_answer_echo(struct ofctl_conn *conn, const uint8_t *data, size_t n)
{
	uint8_t *reply;

	if (data[1] != 2 || !conn->version)
		return false;
	reply = xmemdup(data, n);
	reply[1] = 3;
	ofctl_send_bytes(conn, reply, n);
	free(reply);
	return true;
}

const uint8_t *
ofctl_receive(struct ofctl_conn *conn, size_t *n, int timeout_ms)
{
	uint64_t end_ns = clock_mono_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC;
	static const uint8_t nothing[1];

	for (;;) {
		const uint8_t *data = conn_next(conn, n);
		uint64_t now_ns;
		int left_ms = -1;
		short seen;

		if (data && conn_answer_echo(conn, data, *n))
			continue;
		if (data)
			return data;
		if (conn->is_at_end)
			return NULL;
		conn_forget_taken(conn);
		now_ns = clock_mono_ns();
		if (timeout_ms >= 0)
			left_ms = now_ns < end_ns
			                  ? (int)((end_ns - now_ns) / NSEC_PER_MSEC) + 1
			                  : 0;
		if (conn_poll(conn, POLLIN, left_ms, &seen)) {
			conn_read(conn);
		} else {
			*n = 0;
			return nothing;
		}
	}
}

static const uint8_t *
conn_expect(struct ofctl_conn *conn, size_t *n)
{
	const uint8_t *data = ofctl_receive(conn, n, -1);

	if (!data)
		cli_die("%s: the switch closed the connection", conn->name);
	return data;
}

void
ofctl_begin(struct ofctl_conn *conn, struct of_msg *msg, enum of_kind kind)
{
	of_msg_init(msg, conn->version, kind, conn->next_xid++);
}

void
ofctl_send(struct ofctl_conn *conn, struct of_msg *msg)
{
	struct str bytes = STR_INIT;

	if (of_msg_encode(msg, &bytes))
		cli_die("%s: %s has no such message (%s)", conn->name,
		        of_version_name(conn->version), of_kind_name(msg->kind));
	ofctl_send_bytes(conn, bytes.data, bytes.length);
	str_free(&bytes);
	of_msg_destroy(msg);
}

/* ---- HELLO ---- */

static uint32_t
hello_versions(const uint8_t *data, size_t n)
{
	struct of_error error;
	struct of_msg msg;
	uint32_t versions = 0;

	if (!of_msg_decode(data, n, &msg, &error) && msg.kind == OFM_HELLO)
		versions = msg.hello.versions;
	of_msg_destroy(&msg);
	/* Newer than all that is known here. */
	if (!versions && data[1] == 0)
		versions = (2U << MIN_OF(data[0], 30)) - 1;
	return versions;
}

static enum of_version
highest(uint32_t versions)
{
	enum of_version version = OF15;

	while (version && !(versions >> version & 1))
		version--;
	return version;
}

static void
conn_hello(struct ofctl_conn *conn, uint32_t versions)
{
	struct of_msg hello;
	const uint8_t *data;
	uint32_t theirs;
	size_t n;

	conn->version = highest(versions);
	ofctl_begin(conn, &hello, OFM_HELLO);
	hello.hello.versions = versions;
	ofctl_send(conn, &hello);
	data = conn_expect(conn, &n);
	if (data[1] != 0) {
		ofctl_print_message(data, n, NULL);
		cli_die("%s: the switch did not say HELLO", conn->name);
	}
	theirs = hello_versions(data, n);
	conn->version = highest(versions & theirs);
	if (!conn->version)
		cli_die("%s: version negotiation failed (we support version %s0x%02x, "
		        "peer supports version 0x%02x and earlier)",
		        conn->name, versions & (versions - 1) ? "up to " : "",
		        highest(versions), data[0]);
}

/* ---- targets ---- */

static bool
is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Colons in brackets are an IPv6 address's. */
static bool
has_port(const char *address)
{
	const char *end = *address == '[' ? strchr(address, ']') : NULL;

	return strchr(end ? end : address, ':') != NULL;
}

/* As ovs-ofctl finds it: "unix:..." and the like, a bridge, a socket's path. */
static char *
find_target(const char *name, const char *suffix)
{
	char *file = xasprintf("%s.%s", name, suffix);
	char *path = dirs_in_rundir(file);
	char *target = NULL;

	free(file);
	if (strchr(name, ':'))
		target = xstrdup(name);
	else if (!strchr(name, '/') && is_socket(path))
		target = xasprintf("unix:%s", path);
	else if (is_socket(name))
		target = xasprintf("unix:%s", name);
	free(path);
	if (!target)
		cli_die("%s is not a bridge or a socket", name);
	if ((!strncmp(target, "tcp:", 4) || !strncmp(target, "ssl:", 4)) &&
	    !has_port(target + 4)) {
		char *full = xasprintf("%s:6653", target);

		free(target);
		target = full;
	}
	return target;
}

static struct ofctl_conn *
conn_dial(const char *name, const char *suffix)
{
	struct ofctl_conn *conn = xcalloc(1, sizeof(*conn));
	bool is_tls;
	int code = 0, ret;
	socklen_t bytes = sizeof(code);
	struct error err;
	short seen;
	char *socket;

	conn->name = find_target(name, suffix);
	conn->next_xid = 1;
	is_tls = !strncmp(conn->name, "ssl:", 4);
	socket = xasprintf("%s%s", is_tls ? "tcp:" : "", conn->name + (is_tls ? 4 : 0));
	ret = rpc_target_connect(socket, &conn->fd, &err);
	free(socket);
	if (ret && ret != -EINPROGRESS)
		cli_die("%s", err.text);
	if (ret) {
		conn_poll(conn, POLLOUT, -1, &seen);
		if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &code, &bytes) || code)
			cli_die("cannot connect to %s: %s", conn->name, strerror(code));
	}
	if (is_tls)
		conn->ssl = ofctl_tls_open(conn->fd, conn->name);
	return conn;
}

struct ofctl_conn *
ofctl_open(const char *target, uint32_t versions)
{
	struct ofctl_conn *conn = conn_dial(target, "mgmt");

	conn_hello(conn, versions);
	return conn;
}

struct ofctl_conn *
ofctl_open_snoop(const char *target)
{
	struct ofctl_conn *conn = conn_dial(target, "snoop");

	/* The switch waits for a HELLO; what it copies then is of any version. */
	conn_hello(conn, OF_VERSIONS_ALL);
	conn->version = 0;
	return conn;
}

void
ofctl_close(struct ofctl_conn *conn)
{
	if (conn->ssl)
		ofctl_tls_close(conn->ssl);
	close(conn->fd);
	str_free(&conn->in);
	free(conn->name);
	free(conn);
}

enum of_version
ofctl_version(const struct ofctl_conn *conn)
{
	return conn->version;
}

/* ---- requests ---- */

static uint32_t
xid_of(const uint8_t *data)
{
	return (uint32_t)data[4] << 24 | (uint32_t)data[5] << 16 |
	       (uint32_t)data[6] << 8 | data[7];
}

static bool
has_more(const uint8_t *data, size_t n)
{
	bool is_multipart = data[1] == (data[0] == OF10 ? 17 : 19);

	return is_multipart && n >= 12 && data[11] & 1;
}

static void
tell_error(const uint8_t *data, size_t n)
{
	struct str text = STR_INIT;

	of_text_format_message(&text, data, n, NULL, ofctl_options.verbosity);
	fflush(stdout);
	fputs(str_text(&text), stderr);
	str_free(&text);
}

void
ofctl_transact(struct ofctl_conn *conn, struct of_msg *request,
               void (*part)(const uint8_t *data, size_t n, void *aux), void *aux)
{
	uint32_t xid = request->xid;
	bool more = true;

	ofctl_send(conn, request);
	while (more) {
		size_t n;
		const uint8_t *data = conn_expect(conn, &n);

		/* Of a bundle, what was wrong is said of the message that was. */
		if (data[1] == 1)
			tell_error(data, n);
		if (xid_of(data) != xid)
			continue;
		if (data[1] == 1)
			exit(EXIT_FAILURE);
		more = has_more(data, n);
		part(data, n, aux);
	}
}

static void
part_decode(const uint8_t *data, size_t n, void *reply)
{
	struct of_error error;

	if (of_msg_decode(data, n, reply, &error))
		cli_die("the switch's answer cannot be understood: %s", error.text);
}

void
ofctl_ask(struct ofctl_conn *conn, struct of_msg *request, struct of_msg *reply)
{
	ofctl_transact(conn, request, part_decode, reply);
}

unsigned
ofctl_barrier(struct ofctl_conn *conn)
{
	struct of_msg barrier;
	unsigned errors = 0;
	uint32_t xid;

	ofctl_begin(conn, &barrier, OFM_BARRIER_REQUEST);
	xid = barrier.xid;
	ofctl_send(conn, &barrier);
	for (;;) {
		size_t n;
		const uint8_t *data = conn_expect(conn, &n);

		if (data[1] == 1) {
			errors++;
			tell_error(data, n);
		}
		if (xid_of(data) == xid)
			return errors;
	}
}
