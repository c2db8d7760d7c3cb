/* metrics.c - a web server of one page, GET /metrics: a few clients at a time, each with
 * little time, and no more of an answer in memory than a client takes. Main thread. */
#include "vswitchd/metrics.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"

LOG_MODULE(metrics);

#define CLIENTS_MAX       16
#define REQUEST_BYTES_MAX 8192
#define CLIENT_SECONDS    30 /* for all of it: nobody stays by being slow */
#define PIECE_BYTES       65536

struct metrics {
	struct event_base *loop;
	const struct running *running;
	struct evconnlistener *listener; /* NULL = does not listen */
	char *address;                   /* as asked for; NULL = nowhere */
	struct list clients;
	unsigned n_clients;
};

struct client {
	struct list link; /* in metrics.clients */
	struct metrics *metrics;
	struct bufferevent *stream;
	struct event *deadline;
	struct metrics_page *page; /* NULL: nothing more to come */
	bool is_answered;
};

static void
client_free(struct client *client)
{
	list_remove(&client->link);
	if (client->metrics->n_clients-- == CLIENTS_MAX && client->metrics->listener)
		evconnlistener_enable(client->metrics->listener);
	metrics_page_destroy(client->page);
	event_free(client->deadline);
	bufferevent_free(client->stream);
	free(client);
}

static void
on_deadline(evutil_socket_t fd, short what, void *aux)
{
	(void)fd, (void)what;
	client_free(aux);
}

static void
on_closed(struct bufferevent *stream, short what, void *aux)
{
	(void)stream, (void)what;
	client_free(aux);
}

/* The last piece is gone: so is the client. */
static void
on_written(struct bufferevent *stream, void *aux)
{
	struct client *client = aux;
	struct str piece = STR_INIT;

	if (!client->is_answered)
		return;
	if (!client->page) {
		client_free(client);
		return;
	}
	if (!metrics_page_write(client->page, PIECE_BYTES, &piece)) {
		metrics_page_destroy(client->page);
		client->page = NULL;
	}
	/* Nothing to write would mean that nobody calls again. */
	if (piece.length)
		bufferevent_write(stream, piece.data, piece.length);
	else
		client_free(client);
	str_free(&piece);
}

static void
client_answer(struct client *client, const char *status, const char *text)
{
	client->is_answered = true;
	bufferevent_disable(client->stream, EV_READ);
	evbuffer_add_printf(bufferevent_get_output(client->stream),
	                    "HTTP/1.1 %s\r\n"
	                    "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
	                    "Connection: close\r\n\r\n%s",
	                    status, text);
}

static void
on_readable(struct bufferevent *stream, void *aux)
{
	struct evbuffer *input = bufferevent_get_input(stream);
	struct client *client = aux;
	char line[32] = "";
	ev_ssize_t n;

	if (client->is_answered)
		return;
	if (evbuffer_search(input, "\r\n\r\n", 4, NULL).pos < 0) {
		if (evbuffer_get_length(input) >= REQUEST_BYTES_MAX)
			client_answer(client, "431 Request Header Fields Too Large", "");
		return;
	}
	n = evbuffer_copyout(input, line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = '\0';
	if (strncmp(line, "GET ", 4)) {
		client_answer(client, "405 Method Not Allowed", "only GET\n");
	} else if (strncmp(line, "GET /metrics ", 13) &&
	           strncmp(line, "GET /metrics?", 13)) {
		client_answer(client, "404 Not Found", "there is /metrics only\n");
	} else {
		client->page = metrics_page_create(client->metrics->running);
		client_answer(client, "200 OK", "");
	}
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
          int length, void *aux)
{
	const struct timeval deadline = {.tv_sec = CLIENT_SECONDS};
	struct metrics *metrics = aux;
	struct client *client = xcalloc(1, sizeof(*client));

	(void)address, (void)length;
	client->metrics = metrics;
	client->stream = bufferevent_socket_new(metrics->loop, fd, BEV_OPT_CLOSE_ON_FREE);
	client->deadline = evtimer_new(metrics->loop, on_deadline, client);
	event_add(client->deadline, &deadline);
	bufferevent_setcb(client->stream, on_readable, on_written, on_closed, client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, REQUEST_BYTES_MAX);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
	list_push_back(&metrics->clients, &client->link);
	/* Others wait in the kernel's queue. */
	if (++metrics->n_clients == CLIENTS_MAX)
		evconnlistener_disable(listener);
}

/* ---- where ---- */

static bool
address_parse(const char *text, struct sockaddr_storage *address, int *length)
{
	char loopback[32];
	uint64_t port;

	if (parse_u64(text, 1, 65535, &port)) {
		snprintf(loopback, sizeof(loopback), "127.0.0.1:%u", (unsigned)port);
		text = loopback;
	}
	*length = sizeof(*address);
	memset(address, 0, sizeof(*address));
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)address, length) < 0)
		return false;
	if (address->ss_family == AF_INET)
		return ((struct sockaddr_in *)address)->sin_port != 0;
	return ((struct sockaddr_in6 *)address)->sin6_port != 0;
}

static void
metrics_open(struct metrics *metrics)
{
	struct sockaddr_storage address;
	int length;

	if (!address_parse(metrics->address, &address, &length)) {
		log_warn("metrics-listen=%.64s is neither PORT nor ADDRESS:PORT",
		         metrics->address);
		return;
	}
	metrics->listener = evconnlistener_new_bind(
		metrics->loop, on_accept, metrics,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
		CLIENTS_MAX, (struct sockaddr *)&address, length);
	if (!metrics->listener)
		log_warn("metrics-listen=%.64s: %s", metrics->address, strerror(errno));
	else
		log_info("metrics on http://%s/metrics",
		         strchr(metrics->address, ':') ? metrics->address : "127.0.0.1");
}

void
metrics_listen(struct metrics *metrics, const char *address)
{
	if (address && !*address)
		address = NULL;
	if (!address && !metrics->address)
		return;
	if (address && metrics->address && !strcmp(address, metrics->address))
		return;
	if (metrics->listener)
		evconnlistener_free(metrics->listener);
	metrics->listener = NULL;
	free(metrics->address);
	metrics->address = address ? xstrdup(address) : NULL;
	if (address)
		metrics_open(metrics);
}

struct metrics *
metrics_create(struct event_base *loop, const struct running *running)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	metrics->loop = loop;
	metrics->running = running;
	list_init(&metrics->clients);
	return metrics;
}

void
metrics_destroy(struct metrics *metrics)
{
	struct client *client, *next;

	if (!metrics)
		return;
	metrics_listen(metrics, NULL);
	LIST_FOR_EACH_SAFE (client, next, link, &metrics->clients)
		client_free(client);
	free(metrics);
}
