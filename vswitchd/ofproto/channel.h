/* channel.h - a stream that carries OpenFlow messages: bytes in, whole messages out, over
 * TCP, unix sockets or TLS, on libevent. Below session.c. Main thread. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel;
struct ssl_st;

/* What a peer that does not read may cost before its connection ends. */
#define CHANNEL_BACKLOG_MAX (16U << 20)

struct channel_handlers {
	/* A whole message: 'n' is its header's length, at least 8. */
	void (*message)(struct channel *channel, const uint8_t *data, size_t n,
	                void *aux);
	/* It has ended and is freed after this call. */
	void (*closed)(struct channel *channel, const char *why, void *aux);
};

/* Takes over a connected non-blocking descriptor and, if not NULL, a TLS session whose
 * handshake is to follow. 'name' ("tcp:127.0.0.1:6653") is for logs. */
struct channel *channel_create(struct event_base *loop, int fd, struct ssl_st *ssl,
                               bool is_accepting, const char *name,
                               const struct channel_handlers *handlers, void *aux);

/* Queues bytes (whole messages). False: the backlog is too large, and the connection will
 * be closed. */
bool channel_send(struct channel *channel, const void *data, size_t n);
/* How much was queued so far, and what of it has not been written yet. */
uint64_t channel_queued_bytes(const struct channel *channel);
size_t channel_backlog_bytes(const struct channel *channel);

/* Reading stops while 'is_paused': a sender is slowed down, others are not. */
void channel_pause(struct channel *channel, bool is_paused);

/* Sees what comes, before it is handled, and what goes (several messages at a time): for
 * those who listen in. NULL = nobody. */
typedef void channel_tap_fn(const uint8_t *data, size_t n, bool is_sent, void *aux);
void channel_set_tap(struct channel *channel, channel_tap_fn *tap, void *aux);

uint64_t channel_last_input_ns(const struct channel *channel);
const char *channel_name(const struct channel *channel);

/* Ends it soon, by 'closed', after what is queued was sent. 'why' must stay valid. */
void channel_fail(struct channel *channel, const char *why);

/* Ends it without calling 'closed'; at once, or after what is queued was sent. */
void channel_close(struct channel *channel, bool at_once);
