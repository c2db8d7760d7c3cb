/* channel.c - frames OpenFlow messages on libevent's buffered sockets, plain and TLS.
 * Below session.c; connections.c opens what it takes over. Main thread. */
#include "vswitchd/ofproto/channel.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define HEADER_BYTES 8
/* What one connection may have of the main thread before the others' turn: a short
 * request may ask for much. */
#define TURN_BYTES (256U << 10)
#define TURN_NS    (10 * NSEC_PER_MSEC)
/* Of a channel that is being closed: for what is still to be sent. */
#define LINGER_S 10

struct channel {
	struct bufferevent *bev;
	struct event
		*wake; /* goes on with buffered input, or ends it, or the lingering */
	struct ssl_st *ssl; /* owned by 'bev'; NULL = plain */
	char *name;
	struct channel_handlers handlers;
	void *aux;
	channel_tap_fn *tap;
	void *tap_aux;
	uint64_t last_input_ns, queued_bytes;
	const char *end; /* why it is to end when 'wake' runs; NULL = it is not */
	bool is_paused, is_eof;
	bool is_stuck;   /* the backlog was too large: the rest will not be sent */
	bool is_closing; /* by channel_close(): no handler is called any more */
	bool is_calling; /* a handler runs: whoever frees must wait */
	bool is_dead;    /* to be freed once the handler has returned */
};

static void
channel_free(struct channel *channel)
{
	if (channel->is_calling) {
		channel->is_dead = true;
		return;
	}
	event_free(channel->wake);
	if (channel->ssl)
		SSL_set_shutdown(channel->ssl, SSL_RECEIVED_SHUTDOWN);
	bufferevent_free(channel->bev);
	free(channel->name);
	free(channel);
}

static void
channel_end(struct channel *channel, const char *why)
{
	if (!channel->is_closing) {
		channel->is_closing = true;
		channel->is_calling = true;
		channel->handlers.closed(channel, why, channel->aux);
		channel->is_calling = false;
	}
	channel_free(channel);
}

/* Reading goes on only while what came before has been dealt with, so that the buffer
 * does not grow. Not done by a watermark: with TLS that leaves records unread. */
static void
channel_set_reading(struct channel *channel, bool is_on)
{
	if (is_on)
		bufferevent_enable(channel->bev, EV_READ);
	else
		bufferevent_disable(channel->bev, EV_READ);
}

/* Once nothing calls back any more: sends what is queued, then frees. */
static void
channel_linger(struct channel *channel)
{
	static const struct timeval linger = {.tv_sec = LINGER_S};

	/* Before TLS is agreed on, nothing can be sent. */
	if (channel_backlog_bytes(channel) == 0 ||
	    (channel->ssl && !SSL_is_init_finished(channel->ssl))) {
		channel_free(channel);
		return;
	}
	channel_set_reading(channel, true); /* or its end would go unnoticed */
	/* Not a timeout of 'bev': a peer that reads now and then would put it off. */
	event_add(channel->wake, &linger);
}

static void
channel_wake(struct channel *channel)
{
	static const struct timeval now = {0, 0};

	event_add(channel->wake, &now);
}

/* The length of the message at the head of 'input' if all of it is there; 0 if not;
 * -EPROTO. */
static int
channel_next_bytes(struct evbuffer *input)
{
	uint8_t header[HEADER_BYTES];
	int n;

	if (evbuffer_copyout(input, header, sizeof(header)) < HEADER_BYTES)
		return 0;
	n = header[2] << 8 | header[3];
	if (n < HEADER_BYTES)
		return -EPROTO;
	return evbuffer_get_length(input) >= (size_t)n ? n : 0;
}

/* Hands on whole messages, up to a turn's worth. False: the channel is gone. */
static bool
channel_deliver(struct channel *channel)
{
	struct evbuffer *input = bufferevent_get_input(channel->bev);
	const uint64_t turn_end_ns = clock_mono_ns() + TURN_NS;
	bool is_over = false;
	size_t turn = 0;
	int n = 0;

	channel->is_calling = true;
	while (!channel->is_closing && !channel->is_paused && !channel->end && !is_over &&
	       (n = channel_next_bytes(input)) > 0) {
		const uint8_t *data = evbuffer_pullup(input, n);

		if (!data)
			break;
		if (channel->tap)
			channel->tap(data, (size_t)n, false, channel->tap_aux);
		channel->handlers.message(channel, data, (size_t)n, channel->aux);
		evbuffer_drain(input, (size_t)n);
		turn += (size_t)n;
		is_over = turn >= TURN_BYTES || clock_mono_ns() >= turn_end_ns;
	}
	channel->is_calling = false;
	if (channel->is_dead) {
		channel_free(channel);
		return false;
	}
	if (channel->is_closing)
		return true;
	if (n < 0) {
		channel_end(channel, "its message is shorter than a header");
		return false;
	}
	if (is_over) {
		channel_set_reading(channel, false);
		channel_wake(channel);
	} else if (channel->is_eof && !channel->is_paused && !channel->end) {
		channel_end(channel, "connection closed by peer");
		return false;
	} else if (!channel->is_paused) {
		channel_set_reading(channel, true);
	}
	return true;
}

static void
on_wake(evutil_socket_t fd UNUSED, short what UNUSED, void *aux)
{
	struct channel *channel = aux;

	if (channel->is_closing) {
		channel_free(channel);
		return;
	}
	if (!channel->end) {
		channel_deliver(channel);
		return;
	}
	channel->is_closing = true;
	channel->handlers.closed(channel, channel->end, channel->aux);
	if (channel->is_stuck)
		channel_free(channel);
	else
		channel_linger(channel);
}

static void
on_read(struct bufferevent *bev UNUSED, void *aux)
{
	struct channel *channel = aux;

	channel->last_input_ns = clock_mono_ns();
	if (channel->is_closing) /* the peer talks on while it is sent the rest */
		evbuffer_drain(bufferevent_get_input(channel->bev), SIZE_MAX);
	else
		channel_deliver(channel);
}

static void
on_write(struct bufferevent *bev, void *aux)
{
	struct channel *channel = aux;

	if (channel->is_closing && !channel->is_calling &&
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		channel_free(channel);
}

/* The deepest reason that TLS has, else the socket's. */
static void
channel_describe_error(struct channel *channel, int socket_error, struct str *why)
{
	long verdict = channel->ssl ? SSL_get_verify_result(channel->ssl) : X509_V_OK;
	const char *reason = NULL;
	unsigned long code;

	/* Among the errors are plain numbers of SSL_get_error(), which say nothing. */
	while (channel->ssl && (code = bufferevent_get_openssl_error(channel->bev)))
		if (ERR_GET_LIB(code) && ERR_reason_error_string(code))
			reason = ERR_reason_error_string(code);
	if (reason)
		str_printf(why, "TLS: %s", reason);
	if (verdict != X509_V_OK)
		str_printf(why, "%speer's certificate: %s", reason ? ": " : "",
		           X509_verify_cert_error_string(verdict));
	if (!why->length && channel->ssl && !SSL_is_init_finished(channel->ssl))
		str_append(why, "TLS handshake failed");
	if (!why->length)
		str_append(why,
		           socket_error ? strerror(socket_error) : "connection lost");
}

static void
on_event(struct bufferevent *bev UNUSED, short what, void *aux)
{
	struct channel *channel = aux;
	int socket_error = EVUTIL_SOCKET_ERROR();
	struct str why = STR_INIT;

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (what & BEV_EVENT_TIMEOUT) {
		channel_end(channel, "timed out");
		return;
	}
	if (what & BEV_EVENT_EOF &&
	    (!channel->ssl || SSL_is_init_finished(channel->ssl))) {
		channel->is_eof = true;
		/* The rest is of use only to who still listens. */
		if (channel->is_closing || channel->is_paused)
			channel_end(channel, "connection closed by peer");
		else
			channel_deliver(channel);
		return;
	}
	channel_describe_error(channel, socket_error, &why);
	channel_end(channel, str_text(&why));
	str_free(&why);
}

struct channel *
channel_create(struct event_base *loop, int fd, struct ssl_st *ssl, bool is_accepting,
               const char *name, const struct channel_handlers *handlers, void *aux)
{
	const int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
	struct channel *channel = xcalloc(1, sizeof(*channel));

	if (ssl)
		channel->bev = bufferevent_openssl_socket_new(
			loop, fd, ssl,
			is_accepting ? BUFFEREVENT_SSL_ACCEPTING
				     : BUFFEREVENT_SSL_CONNECTING,
			options);
	else
		channel->bev = bufferevent_socket_new(loop, fd, options);
	channel->wake = evtimer_new(loop, on_wake, channel);
	if (!channel->bev || !channel->wake)
		abort(); /* libevent had no memory, where xmalloc() would end as well */
	if (ssl)
		bufferevent_openssl_set_allow_dirty_shutdown(channel->bev, 1);
	channel->ssl = ssl;
	channel->name = xstrdup(name);
	channel->handlers = *handlers;
	channel->aux = aux;
	channel->last_input_ns = clock_mono_ns();
	bufferevent_setcb(channel->bev, on_read, on_write, on_event, channel);
	bufferevent_enable(channel->bev, EV_READ | EV_WRITE);
	return channel;
}

void
channel_fail(struct channel *channel, const char *why)
{
	if (channel->is_closing || channel->end)
		return;
	channel->end = why;
	channel_wake(channel);
}

bool
channel_send(struct channel *channel, const void *data, size_t n)
{
	if (channel->is_closing || channel->end)
		return false;
	if (channel_backlog_bytes(channel) + n > CHANNEL_BACKLOG_MAX) {
		channel->is_stuck = true;
		channel_fail(channel, "it does not read what it is sent");
		return false;
	}
	bufferevent_write(channel->bev, data, n);
	channel->queued_bytes += n;
	if (channel->tap)
		channel->tap(data, n, true, channel->tap_aux);
	return true;
}

uint64_t
channel_queued_bytes(const struct channel *channel)
{
	return channel->queued_bytes;
}

size_t
channel_backlog_bytes(const struct channel *channel)
{
	return evbuffer_get_length(bufferevent_get_output(channel->bev));
}

void
channel_pause(struct channel *channel, bool is_paused)
{
	if (channel->is_paused == is_paused || channel->is_closing)
		return;
	channel->is_paused = is_paused;
	if (is_paused)
		channel_set_reading(channel, false);
	else
		channel_wake(channel); /* not from within the caller */
}

void
channel_set_tap(struct channel *channel, channel_tap_fn *tap, void *aux)
{
	channel->tap = tap;
	channel->tap_aux = aux;
}

uint64_t
channel_last_input_ns(const struct channel *channel)
{
	/* Who is not listened to cannot be blamed for silence. */
	return channel->is_paused ? clock_mono_ns() : channel->last_input_ns;
}

const char *
channel_name(const struct channel *channel)
{
	return channel->name;
}

void
channel_close(struct channel *channel, bool at_once)
{
	if (channel->is_closing)
		return;
	channel->is_closing = true;
	event_del(channel->wake);
	if (at_once)
		channel_free(channel);
	else
		channel_linger(channel);
}
