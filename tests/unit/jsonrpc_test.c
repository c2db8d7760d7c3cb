/* jsonrpc_test.c - lib/rpc: cutting the stream, limits, echo, backlog, sockets, client.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/mem.h"
#include "base/str.h"
#include "rpc/client.h"
#include "rpc/escape.h"
#include "rpc/jsonrpc.h"
#include "rpc/reader.h"

static const struct json_limits small_limits = {
	.max_bytes = 1000, .max_values = 50, .max_depth = 5};

/* Feeds 'text' in pieces of 'step' bytes; how many objects came out, or -errno. */
static int
count_objects(const char *text, size_t step)
{
	size_t n = strlen(text);
	struct json_reader reader;
	int rc = 0, count = 0;
	json_t *object;

	json_reader_init(&reader, &small_limits);
	for (size_t at = 0; at < n && rc >= 0; at += step) {
		json_reader_feed(&reader, text + at, MIN_OF(step, n - at));
		while ((rc = json_reader_next(&reader, &object, NULL)) > 0) {
			count++;
			json_decref(object);
		}
	}
	json_reader_destroy(&reader);
	return rc < 0 ? rc : count;
}

static void
test_reader_cuts_objects_at_any_step(void **state)
{
	const char *text = " {\"a\":\"}{\\\"\"}\n{}{\"b\":[{},[\"\\\\\"]]}\t{\"c\":";

	(void)state;
	for (size_t step = 1; step <= strlen(text); step++)
		assert_int_equal(count_objects(text, step), 3);
}

static void
test_reader_refuses_bad_and_big_input(void **state)
{
	char text[2001];
	struct str values = STR_INIT;

	(void)state;
	assert_int_equal(count_objects("[1]", 3), -EBADMSG);
	assert_int_equal(count_objects("}", 1), -EBADMSG);
	assert_int_equal(count_objects("{]", 2), -EBADMSG);
	assert_int_equal(count_objects("{\"a\":01}", 8), -EBADMSG);
	assert_int_equal(count_objects("{\"a\":\"\xff\xfe\"}", 20), -EBADMSG);
	assert_int_equal(count_objects("{\"a\":\"\xed\xa0\x80\"}", 20), -EBADMSG);
	assert_int_equal(count_objects("{\"a\":\"\\u0000\"}", 20), -EBADMSG);
	assert_int_equal(count_objects("{\"a\":[[[[[1]]]]]}", 100), -E2BIG);
	assert_int_equal(count_objects("{\"a\":[[[[1]]]]}", 100), 1);

	memset(text, 'x', sizeof(text));
	memcpy(text, "{\"a\":\"", 6);
	text[2000] = '\0';
	assert_int_equal(count_objects(text, 7), -E2BIG);

	str_append(&values, "{\"a\":[");
	for (int i = 0; i < 60; i++)
		str_append(&values, i ? ",1" : "1");
	str_append(&values, "]}");
	assert_int_equal(count_objects(str_text(&values), 1), -E2BIG);
	str_free(&values);
}

struct peer {
	struct event_base *loop;
	struct jsonrpc *rpc;
	int fd; /* the test's end, blocking */
	int requests, replies, closes;
	int close_at; /* the request at which the handler closes; 0 = never */
	char why[200];
	char method[50];
};

static void
peer_on_request(struct jsonrpc *rpc, const char *method, const json_t *params,
                const json_t *id, void *aux)
{
	struct peer *peer = aux;

	snprintf(peer->method, sizeof(peer->method), "%s", method);
	peer->requests++;
	if (!strcmp(method, "big"))
		jsonrpc_reply(rpc, id, json_deep_copy(params));
	else if (!strcmp(method, "bare"))
		jsonrpc_reply_error_bare(rpc, id, json_string("no"));
	else if (!json_is_null(id))
		jsonrpc_reply_error(rpc, id, json_string("unknown method"));
	if (peer->requests == peer->close_at)
		jsonrpc_close(rpc);
}

static void
peer_on_reply(struct jsonrpc *rpc, const json_t *id, const json_t *result,
              const json_t *error, void *aux)
{
	struct peer *peer = aux;

	(void)rpc;
	peer->replies++;
	assert_int_equal(json_integer_value(id), 7);
	assert_true(json_is_array(result));
	assert_null(error);
}

static void
peer_on_closed(struct jsonrpc *rpc, const char *why, void *aux)
{
	struct peer *peer = aux;

	assert_ptr_equal(rpc, peer->rpc);
	peer->closes++;
	peer->rpc = NULL;
	snprintf(peer->why, sizeof(peer->why), "%s", why);
}

static const struct jsonrpc_handlers peer_handlers = {
	.request = peer_on_request,
	.reply = peer_on_reply,
	.closed = peer_on_closed,
};

static void
peer_open(struct peer *peer)
{
	int fds[2];

	memset(peer, 0, sizeof(*peer));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	peer->loop = event_base_new();
	peer->fd = fds[1];
	peer->rpc = jsonrpc_create(peer->loop, fds[0], &peer_handlers, peer);
}

static void
peer_release(struct peer *peer)
{
	if (peer->rpc)
		jsonrpc_close(peer->rpc);
	close(peer->fd);
	event_base_loop(peer->loop, EVLOOP_NONBLOCK);
	event_base_loop(peer->loop, EVLOOP_NONBLOCK);
	event_base_free(peer->loop);
}

static void
peer_send(struct peer *peer, const char *text)
{
	assert_int_equal(write(peer->fd, text, strlen(text)), (ssize_t)strlen(text));
	event_base_loop(peer->loop, EVLOOP_NONBLOCK);
}

static const char *
peer_receive(struct peer *peer)
{
	static char text[1000];
	ssize_t n;

	for (int i = 0; i < 3; i++)
		event_base_loop(peer->loop, EVLOOP_NONBLOCK);
	n = recv(peer->fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_requests_and_replies(void **state)
{
	struct peer peer;
	json_t *seven = json_integer(7);

	(void)state;
	peer_open(&peer);
	peer_send(&peer, "{\"id\":\"e\",\"method\":\"echo\",\"params\":[1,{}]}"
	                 "{\"id\":null,\"method\":\"echo\",\"params\":[]}");
	assert_string_equal(peer_receive(&peer),
	                    "{\"id\":\"e\",\"result\":[1,{}],\"error\":null}");
	assert_int_equal(peer.requests, 0);
	peer_send(&peer, "{\"id\":[1],\"method\":\"x\",\"params\":[]}");
	assert_string_equal(peer_receive(&peer),
	                    "{\"id\":[1],\"result\":null,\"error\":\"unknown method\"}");
	peer_send(&peer, "{\"id\":2,\"method\":\"bare\",\"params\":[]}");
	assert_string_equal(peer_receive(&peer), "{\"id\":2,\"error\":\"no\"}");
	peer_send(&peer, "{\"method\":\"note\",\"params\":[]}");
	assert_int_equal(peer.requests, 3);
	assert_string_equal(peer.method, "note");

	jsonrpc_request(peer.rpc, "echo", json_array(), seven);
	assert_string_equal(peer_receive(&peer),
	                    "{\"id\":7,\"method\":\"echo\",\"params\":[]}");
	peer_send(&peer, "{\"id\":7,\"error\":null,\"result\":[]}");
	assert_int_equal(peer.replies, 1);
	jsonrpc_notify(peer.rpc, "update", json_array());
	assert_string_equal(peer_receive(&peer),
	                    "{\"id\":null,\"method\":\"update\",\"params\":[]}");
	json_decref(seven);
	peer_release(&peer);
}

/* What a text of all ASCII characters, longer than the pieces it is written in, becomes
 * is read back as it was; others are left to jansson. */
static void
test_ascii_replies_are_json(void **state)
{
	struct str out = STR_INIT, text = STR_INIT;
	struct peer peer;
	json_t *id = json_string("a\"b"), *read;

	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		str_append_char(&text, (char)(1 + i * 7 % 127));
	assert_true(json_escape_ascii(&out, str_text(&text), text.length));
	read = json_loadb(out.data, out.length, JSON_DECODE_ANY, NULL);
	assert_non_null(read);
	assert_string_equal(json_string_value(read), str_text(&text));
	json_decref(read);
	str_clear(&out);
	assert_false(json_escape_ascii(&out, "\xc3\xa4", 2));
	assert_int_equal(out.length, 0);

	peer_open(&peer);
	assert_true(jsonrpc_reply_ascii(peer.rpc, id, "x\n\"", 3));
	assert_string_equal(peer_receive(&peer), "{\"id\":\"a\\\"b\",\"result\":"
	                                         "\"x\\n\\\"\",\"error\":null}");
	assert_false(jsonrpc_reply_ascii(peer.rpc, id, "\xff", 1));
	assert_string_equal(peer_receive(&peer), "");
	peer_release(&peer);
	json_decref(id);
	str_free(&out);
	str_free(&text);
}

static void
test_bad_messages_end_the_connection(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"id\":1,\"method\":3,\"params\":[]}",
		"{\"id\":1,\"method\":\"x\",\"params\":{}}",
		"{\"id\":1,\"method\":\"x\"}",
		"{\"id\":null,\"result\":1}",
		"[]",
		"{\"a\" 1}",
	};
	struct peer peer;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		peer_open(&peer);
		peer_send(&peer, bad[i]);
		assert_int_equal(peer.closes, 1);
		assert_true(peer.why[0] != '\0');
		assert_int_equal(peer.requests, 0);
		peer_release(&peer);
	}
}

/* What a hostile client costs is bounded by the limits, not by what it sends. */
static void
send_until_closed(struct peer *peer, const char *head, const char *block)
{
	size_t n = strlen(block);

	assert_int_equal(fcntl(peer->fd, F_SETFL, O_NONBLOCK), 0);
	peer_send(peer, head);
	for (int i = 0; i < 20000 && !peer->closes; i++) {
		(void)send(peer->fd, block, n, MSG_NOSIGNAL);
		event_base_loop(peer->loop, EVLOOP_NONBLOCK);
	}
	assert_int_equal(peer->closes, 1);
}

static void
test_deep_long_and_wide_messages_are_refused(void **state)
{
	char *block = xmalloc(64 * 1024 + 1);
	struct peer peer;

	(void)state;
	block[64 * 1024] = '\0';
	memset(block, '[', 64 * 1024);
	peer_open(&peer);
	send_until_closed(&peer, "{\"params\":", block);
	assert_non_null(strstr(peer.why, "nested deeper than 100"));
	peer_release(&peer);

	memset(block, 'x', 64 * 1024);
	peer_open(&peer);
	send_until_closed(&peer, "{\"params\":\"", block);
	assert_non_null(strstr(peer.why, "exceeds 8388608 bytes"));
	peer_release(&peer);

	for (int i = 0; i < 32 * 1024; i++)
		memcpy(block + 2 * i, "1,", 2);
	peer_open(&peer);
	send_until_closed(&peer, "{\"params\":[", block);
	assert_non_null(strstr(peer.why, "exceeds 400000 values"));
	peer_release(&peer);
	free(block);
}

static void
test_reader_that_stops_is_cut_at_the_cap(void **state)
{
	char *filler = xmalloc(1024 * 1024 + 1);
	struct peer peer;
	int sent;

	(void)state;
	memset(filler, 'x', 1024 * 1024);
	filler[1024 * 1024] = '\0';
	peer_open(&peer);
	for (sent = 0; sent < 100 && !peer.closes; sent++) {
		jsonrpc_notify(peer.rpc, "update", json_pack("[s]", filler));
		/* The owner may be walking its connections: the end comes later. */
		assert_int_equal(peer.closes, 0);
		event_base_loop(peer.loop, EVLOOP_NONBLOCK);
	}
	assert_int_equal(peer.closes, 1);
	assert_in_range(sent, 16, 20);
	peer_release(&peer);
	free(filler);
}

/* A client that pipelines requests and does not read is not read from either. */
static void
test_unread_answers_pause_reading(void **state)
{
	struct str request = STR_INIT;
	struct peer peer;
	size_t got = 0;
	ssize_t n;
	char *buffer = xmalloc(65536);

	(void)state;
	peer_open(&peer);
	str_append(&request, "{\"id\":1,\"method\":\"big\",\"params\":[\"");
	for (int i = 0; i < 100000; i++)
		str_append_char(&request, 'y');
	str_append(&request, "\"]}");
	assert_int_equal(fcntl(peer.fd, F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 100; i++) {
		size_t at = 0;

		for (int tries = 0; at < request.length && tries < 1000; tries++) {
			n = send(peer.fd, request.data + at, request.length - at, 0);
			at += n > 0 ? (size_t)n : 0;
			event_base_loop(peer.loop, EVLOOP_NONBLOCK);
		}
		if (at < request.length)
			break;
	}
	assert_in_range(peer.requests, 10, 30);
	assert_int_equal(peer.closes, 0);
	for (int idle = 0; idle < 5;) {
		n = recv(peer.fd, buffer, 65536, 0);
		idle = n > 0 ? 0 : idle + 1;
		got += n > 0 ? (size_t)n : 0;
		event_base_loop(peer.loop, EVLOOP_NONBLOCK);
	}
	assert_true(got > (size_t)peer.requests * 100000);
	assert_int_equal(jsonrpc_backlog_bytes(peer.rpc), 0);
	peer_release(&peer);
	str_free(&request);
	free(buffer);
}

static void
test_handler_may_close_its_connection(void **state)
{
	struct peer peer;
	char text[200];

	(void)state;
	peer_open(&peer);
	peer.close_at = 1;
	peer_send(&peer, "{\"id\":1,\"method\":\"bare\",\"params\":[]}"
	                 "{\"id\":2,\"method\":\"bare\",\"params\":[]}");
	peer.rpc = NULL;
	assert_int_equal(peer.requests, 1);
	assert_int_equal(peer.closes, 0);
	assert_int_equal(read(peer.fd, text, sizeof(text)), 21);
	assert_int_equal(read(peer.fd, text, sizeof(text)), 0);
	peer_release(&peer);
}

static void
test_close_sends_what_is_queued(void **state)
{
	char *filler = xmalloc(1024 * 1024 + 1);
	struct peer peer;
	size_t got = 0;
	ssize_t n;

	(void)state;
	memset(filler, 'x', 1024 * 1024);
	filler[1024 * 1024] = '\0';
	peer_open(&peer);
	jsonrpc_notify(peer.rpc, "update", json_pack("[s]", filler));
	jsonrpc_close(peer.rpc);
	peer.rpc = NULL;
	while ((n = recv(peer.fd, filler, 65536, 0)) > 0) {
		got += (size_t)n;
		event_base_loop(peer.loop, EVLOOP_NONBLOCK);
	}
	assert_int_equal(n, 0);
	assert_true(got > 1024 * 1024);
	assert_int_equal(peer.closes, 0);
	peer_release(&peer);
	free(filler);
}

struct service {
	struct event_base *loop;
	struct jsonrpc_listener *listener;
	pthread_t thread;
};

static void
service_on_request(struct jsonrpc *rpc, const char *method, const json_t *params,
                   const json_t *id, void *aux)
{
	json_t *echo_id = json_string("echo");

	if (!strcmp(method, "sum")) {
		/* Before its answer the client must serve an echo and keep a note. */
		jsonrpc_request(rpc, "echo", json_array(), echo_id);
		jsonrpc_notify(rpc, "note", json_pack("[i]", 5));
		jsonrpc_reply(rpc, id, json_deep_copy(params));
	} else if (!strcmp(method, "stop")) {
		jsonrpc_reply(rpc, id, json_null());
		jsonrpc_close(rpc);
		event_base_loopbreak(aux);
	} else if (strcmp(method, "silence") != 0) {
		jsonrpc_reply_error_bare(rpc, id, json_string("unknown"));
	}
	json_decref(echo_id);
}

static void
service_on_reply(struct jsonrpc *rpc, const json_t *id, const json_t *result,
                 const json_t *error, void *aux)
{
	(void)aux;
	(void)error;
	assert_string_equal(json_string_value(id), "echo");
	jsonrpc_notify(rpc, "echoed", json_deep_copy(result));
}

static void
service_on_closed(struct jsonrpc *rpc, const char *why, void *aux)
{
	(void)rpc;
	(void)why;
	(void)aux;
}

static const struct jsonrpc_handlers service_handlers = {
	.request = service_on_request,
	.reply = service_on_reply,
	.closed = service_on_closed,
};

static void
service_on_accept(int fd, void *aux)
{
	jsonrpc_create(aux, fd, &service_handlers, aux);
}

static void *
service_run(void *aux)
{
	struct service *service = aux;

	event_base_dispatch(service->loop);
	return NULL;
}

static void
service_start(struct service *service, const char *target)
{
	struct error err = {""};

	service->loop = event_base_new();
	assert_int_equal(jsonrpc_listen(service->loop, target, service_on_accept,
	                                service->loop, &service->listener, &err),
	                 0);
	assert_int_equal(pthread_create(&service->thread, NULL, service_run, service), 0);
}

static void
service_stop(struct service *service, const char *target)
{
	struct rpc_client *client;
	json_t *result, *error;

	assert_int_equal(rpc_client_connect(target, UINT64_MAX, &client, NULL), 0);
	assert_int_equal(
		rpc_client_call(client, "stop", json_array(), &result, &error, NULL), 0);
	json_decref(result);
	rpc_client_close(client);
	pthread_join(service->thread, NULL);
	/* Ends of connections that the loop has not seen yet. */
	event_base_loop(service->loop, EVLOOP_NONBLOCK);
	jsonrpc_listener_destroy(service->listener);
	event_base_free(service->loop);
}

static void
exercise_client(const char *target)
{
	uint64_t deadline_ns = clock_mono_ns() + 300 * NSEC_PER_MSEC;
	struct rpc_client *client;
	json_t *result, *error, *params;
	struct error err = {""};
	char *method;

	assert_int_equal(rpc_client_connect(target, deadline_ns, &client, &err), 0);
	assert_int_equal(rpc_client_call(client, "sum", json_pack("[i,i]", 1, 2), &result,
	                                 &error, &err),
	                 0);
	assert_null(error);
	assert_int_equal(json_array_size(result), 2);
	json_decref(result);
	assert_int_equal(
		rpc_client_call(client, "nope", json_array(), &result, &error, &err), 0);
	assert_null(result);
	assert_string_equal(json_string_value(error), "unknown");
	json_decref(error);
	assert_int_equal(rpc_client_wait(client, &method, &params, &err), 0);
	assert_string_equal(method, "note");
	free(method);
	json_decref(params);
	assert_int_equal(rpc_client_wait(client, &method, &params, &err), 0);
	assert_string_equal(method, "echoed");
	free(method);
	json_decref(params);
	assert_int_equal(
		rpc_client_call(client, "silence", json_array(), &result, &error, &err),
		-ETIMEDOUT);
	assert_non_null(strstr(err.text, target));
	rpc_client_close(client);
}

static void
test_client_over_unix_and_tcp(void **state)
{
	char dir[] = "/tmp/weir-jsonrpc-XXXXXX", long_dir[300], target[400];
	struct jsonrpc_listener *second;
	struct service service;
	struct error err = {""};
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	/* Longer than sun_path: reached through the directory. */
	snprintf(long_dir, sizeof(long_dir), "%s/%0150d", dir, 0);
	assert_int_equal(mkdir(long_dir, 0700), 0);
	dirs_set_rundir(long_dir);
	service_start(&service, "punix:s.sock");
	snprintf(target, sizeof(target), "%s/s.sock", long_dir);
	assert_int_equal(stat(target, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(jsonrpc_listen(service.loop, "punix:s.sock", service_on_accept,
	                                NULL, &second, &err),
	                 -EADDRINUSE);
	assert_non_null(strstr(err.text, "another process listens there"));
	exercise_client("unix:s.sock");
	exercise_client("s.sock");
	exercise_client(target);
	service_stop(&service, "unix:s.sock");
	assert_int_equal(stat(target, &st), -1);
	assert_int_equal(rmdir(long_dir), 0);
	assert_int_equal(rmdir(dir), 0);

	service_start(&service, "ptcp:0");
	{
		struct sockaddr_storage ss = {0};
		socklen_t bytes = sizeof(ss);
		uint16_t port;

		getsockname(jsonrpc_listener_fd(service.listener), (void *)&ss, &bytes);
		memcpy(&port, (char *)&ss + 2, sizeof(port));
		snprintf(target, sizeof(target), "tcp:127.0.0.1:%u",
		         (unsigned)(uint16_t)(port << 8 | port >> 8));
	}
	exercise_client(target);
	service_stop(&service, target);
}

static void
test_stale_socket_is_replaced_other_files_are_not(void **state)
{
	char dir[] = "/tmp/weir-jsonrpc-XXXXXX", target[100];
	struct event_base *loop = event_base_new();
	struct jsonrpc_listener *listener;
	struct error err = {""};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(target, sizeof(target), "punix:%s/s", dir);
	{
		struct service dead;
		char path[100];

		dead.loop = loop;
		assert_int_equal(jsonrpc_listen(loop, target, service_on_accept, loop,
		                                &dead.listener, &err),
		                 0);
		/* As after kill -9: nobody listens, the file is still there. */
		assert_int_equal(dup2(STDERR_FILENO, jsonrpc_listener_fd(dead.listener)),
		                 jsonrpc_listener_fd(dead.listener));
		assert_int_equal(jsonrpc_listen(loop, target, service_on_accept, loop,
		                                &listener, &err),
		                 0);
		/* The first listener must not take its successor's file away. */
		jsonrpc_listener_destroy(dead.listener);
		snprintf(path, sizeof(path), "%s/s", dir);
		assert_int_equal(access(path, F_OK), 0);
		jsonrpc_listener_destroy(listener);
		assert_int_equal(access(path, F_OK), -1);

		close(open(path, O_CREAT | O_WRONLY, 0600));
		assert_int_equal(jsonrpc_listen(loop, target, service_on_accept, loop,
		                                &listener, &err),
		                 -EEXIST);
		unlink(path);
	}
	rmdir(dir);
	event_base_free(loop);
}

static void
test_bad_targets_name_the_reason(void **state)
{
	static const struct {
		const char *target, *part;
		int code;
	} bad[] = {
		{"pssl:6640", "TLS", -ENOTSUP},
		{"ptcp:x", "x: not a port number", -EINVAL},
		{"ptcp:1:host", "host: not an IP address", -EINVAL},
		{"tcp:1.2.3.4:5", "not a target to listen on", -EINVAL},
		{"what:ever", "unknown kind", -EINVAL},
	};
	struct event_base *loop = event_base_new();
	struct jsonrpc_listener *listener;
	struct rpc_client *client;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(jsonrpc_listen(loop, bad[i].target, service_on_accept,
		                                loop, &listener, &err),
		                 bad[i].code);
		assert_non_null(strstr(err.text, bad[i].part));
		assert_non_null(strstr(err.text, bad[i].target));
	}
	assert_int_equal(rpc_client_connect("tcp:1.2.3.4", UINT64_MAX, &client, &err),
	                 -EINVAL);
	assert_int_equal(rpc_client_connect("ssl:1.2.3.4:5", UINT64_MAX, &client, &err),
	                 -ENOTSUP);
	assert_int_equal(rpc_client_connect("ptcp:5", UINT64_MAX, &client, &err),
	                 -EINVAL);
	assert_int_equal(rpc_client_connect("/nonexistent/x", UINT64_MAX, &client, &err),
	                 -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
	event_base_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_cuts_objects_at_any_step),
		cmocka_unit_test(test_reader_refuses_bad_and_big_input),
		cmocka_unit_test(test_requests_and_replies),
		cmocka_unit_test(test_ascii_replies_are_json),
		cmocka_unit_test(test_bad_messages_end_the_connection),
		cmocka_unit_test(test_deep_long_and_wide_messages_are_refused),
		cmocka_unit_test(test_reader_that_stops_is_cut_at_the_cap),
		cmocka_unit_test(test_unread_answers_pause_reading),
		cmocka_unit_test(test_handler_may_close_its_connection),
		cmocka_unit_test(test_close_sends_what_is_queued),
		cmocka_unit_test(test_client_over_unix_and_tcp),
		cmocka_unit_test(test_stale_socket_is_replaced_other_files_are_not),
		cmocka_unit_test(test_bad_targets_name_the_reason),
	};

	return cmocka_run_group_tests_name("jsonrpc", tests, NULL, NULL);
}
