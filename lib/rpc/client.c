/* client.c - requests and answers over one blocking connection, for the command-line
 * tools. Single thread; no event loop. */
#include "rpc/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "rpc/reader.h"
#include "rpc/target.h"

/* The server is trusted not to flood its tools, but not to be bug-free. */
static const struct json_limits client_limits = {
	.max_bytes = 512 * 1024 * 1024,
	.max_values = SIZE_MAX,
	.max_depth = 1000,
};

struct notification {
	struct list link;
	char *method;
	json_t *params;
};

struct rpc_client {
	int fd;
	char *target;
	uint64_t deadline_ns;
	json_int_t last_id;
	struct json_reader reader;
	struct list notifications;
};

static int
client_error(struct rpc_client *client, int code, struct error *err)
{
	return error_set(err, code, "%s: %s", client->target, strerror(-code));
}

static int
poll_timeout_ms(uint64_t deadline_ns)
{
	uint64_t now_ns = clock_mono_ns(), left_ms;

	if (deadline_ns == UINT64_MAX)
		return -1;
	if (deadline_ns <= now_ns)
		return 0;
	left_ms = (deadline_ns - now_ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return (int)MIN_OF(left_ms, 3600 * 1000ULL);
}

/* Until the socket is ready for 'events' or the deadline has passed. */
static int
client_poll(struct rpc_client *client, short events, struct error *err)
{
	struct pollfd pfd = {.fd = client->fd, .events = events};

	for (;;) {
		int n = poll(&pfd, 1, poll_timeout_ms(client->deadline_ns));

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return client_error(client, -errno, err);
		if (n == 0 && clock_mono_ns() >= client->deadline_ns)
			return error_set(err, -ETIMEDOUT, "%s: timed out",
			                 client->target);
	}
}

static int
client_finish_connect(struct rpc_client *client, struct error *err)
{
	socklen_t bytes = sizeof(int);
	int rc, so_error = 0;

	rc = client_poll(client, POLLOUT, err);
	if (rc)
		return rc;
	if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &so_error, &bytes) < 0)
		so_error = errno;
	if (so_error)
		return error_set(err, -so_error, "cannot connect to %s: %s",
		                 client->target, strerror(so_error));
	return 0;
}

int
rpc_client_connect(const char *target, uint64_t deadline_ns,
                   struct rpc_client **client_out, struct error *err)
{
	struct rpc_client *client = xcalloc(1, sizeof(*client));
	int rc;

	client->fd = -1;
	client->target = xstrdup(target);
	client->deadline_ns = deadline_ns;
	json_reader_init(&client->reader, &client_limits);
	list_init(&client->notifications);
	rc = rpc_target_connect(target, &client->fd, err);
	if (rc == -EINPROGRESS)
		rc = client_finish_connect(client, err);
	if (rc) {
		rpc_client_close(client);
		return rc;
	}
	*client_out = client;
	return 0;
}

static struct notification *
client_pop_notification(struct rpc_client *client)
{
	struct list *link = list_pop_front(&client->notifications);

	return link ? CONTAINER_OF(link, struct notification, link) : NULL;
}

void
rpc_client_close(struct rpc_client *client)
{
	struct notification *note;

	if (!client)
		return;
	while ((note = client_pop_notification(client)) != NULL) {
		json_decref(note->params);
		free(note->method);
		free(note);
	}
	if (client->fd >= 0)
		close(client->fd);
	json_reader_destroy(&client->reader);
	free(client->target);
	free(client);
}

static int
client_send(struct rpc_client *client, json_t *message, struct error *err)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0, sent = 0;
	int rc = 0;

	json_decref(message);
	if (!text)
		return error_set(err, -EINVAL, "%s: request is not valid UTF-8",
		                 client->target);
	while (!rc && sent < n) {
		ssize_t written = send(client->fd, text + sent, n - sent, MSG_NOSIGNAL);

		if (written >= 0)
			sent += (size_t)written;
		else if (errno == EAGAIN)
			rc = client_poll(client, POLLOUT, err);
		else if (errno != EINTR)
			rc = client_error(client, -errno, err);
	}
	free(text);
	return rc;
}

/* The next message of any kind; the caller releases it. */
static int
client_receive(struct rpc_client *client, json_t **message, struct error *err)
{
	char buffer[16384];
	int rc;

	for (;;) {
		ssize_t n;

		rc = json_reader_next(&client->reader, message, err);
		if (rc > 0)
			return 0;
		if (rc < 0) {
			error_prefix(err, "%s", client->target);
			return rc;
		}
		n = recv(client->fd, buffer, sizeof(buffer), 0);
		if (n > 0) {
			json_reader_feed(&client->reader, buffer, (size_t)n);
		} else if (n == 0) {
			return error_set(err, -ECONNRESET,
			                 "%s: connection closed by the server",
			                 client->target);
		} else if (errno == EAGAIN) {
			rc = client_poll(client, POLLIN, err);
			if (rc)
				return rc;
		} else if (errno != EINTR) {
			return client_error(client, -errno, err);
		}
	}
}

/* Answers echo requests and keeps notifications; other requests get no answer. */
static int
client_take_request(struct rpc_client *client, const json_t *message, struct error *err)
{
	const json_t *id = json_object_get(message, "id");
	const char *method = json_string_value(json_object_get(message, "method"));
	json_t *params = json_object_get(message, "params");
	struct notification *note;

	if (!method || !json_is_array(params))
		return error_set(err, -EBADMSG, "%s: malformed JSON-RPC message",
		                 client->target);
	if (id && !json_is_null(id)) {
		if (strcmp(method, "echo"))
			return 0;
		return client_send(client,
		                   json_pack("{s:o, s:O, s:n}", "id", json_deep_copy(id),
		                             "result", params, "error"),
		                   err);
	}
	note = xcalloc(1, sizeof(*note));
	note->method = xstrdup(method);
	note->params = json_incref(params);
	list_push_back(&client->notifications, &note->link);
	return 0;
}

static json_t *
non_null(json_t *value)
{
	return value && !json_is_null(value) ? json_incref(value) : NULL;
}

static int
client_wait_reply(struct rpc_client *client, json_int_t id, json_t **result,
                  json_t **error, struct error *err)
{
	for (;;) {
		json_t *message;
		bool is_ours;
		int rc = client_receive(client, &message, err);

		if (rc)
			return rc;
		if (json_object_get(message, "method")) {
			rc = client_take_request(client, message, err);
			json_decref(message);
			if (rc)
				return rc;
			continue;
		}
		is_ours = json_integer_value(json_object_get(message, "id")) == id;
		if (is_ours) {
			*error = non_null(json_object_get(message, "error"));
			*result = *error ? NULL
			                 : non_null(json_object_get(message, "result"));
			if (!*error && !*result)
				*result = json_null();
		}
		json_decref(message);
		if (is_ours)
			return 0;
	}
}

int
rpc_client_call(struct rpc_client *client, const char *method, json_t *params,
                json_t **result, json_t **error, struct error *err)
{
	json_int_t id = ++client->last_id;
	int rc;

	*result = *error = NULL;
	rc = client_send(client,
	                 json_pack("{s:I, s:s, s:o}", "id", id, "method", method,
	                           "params", params),
	                 err);
	return rc ? rc : client_wait_reply(client, id, result, error, err);
}

int
rpc_client_wait(struct rpc_client *client, char **method, json_t **params,
                struct error *err)
{
	struct notification *note;

	while ((note = client_pop_notification(client)) == NULL) {
		json_t *message;
		int rc = client_receive(client, &message, err);

		if (rc)
			return rc;
		if (json_object_get(message, "method"))
			rc = client_take_request(client, message, err);
		json_decref(message);
		if (rc)
			return rc;
	}
	*method = note->method;
	*params = note->params;
	free(note);
	return 0;
}
