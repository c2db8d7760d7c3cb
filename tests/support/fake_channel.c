/* fake_channel.c - channel.h without sockets. For tests; tells fake_flows.c's list of
 * calls of barrier replies. Main thread. */
#include "tests/support/fake_channel.h"

#include "tests/support/fake_flows.h"

struct channel *
channel_create(struct event_base *loop, int fd, struct ssl_st *ssl, bool is_accepting,
               const char *name, const struct channel_handlers *handlers, void *aux)
{
	(void)loop, (void)fd, (void)ssl, (void)is_accepting, (void)name, (void)handlers;
	(void)aux;
	return NULL;
}

bool
channel_send(struct channel *channel, const void *data, size_t n)
{
	const uint8_t *bytes = data;

	if (n >= 2 && bytes[1] == 19 && bytes[0] == 1) /* 1.0's barrier reply */
		str_append(&fake_flows.calls, "reply ");
	if (n >= 2 && bytes[1] == 21 && bytes[0] > 1)
		str_append(&fake_flows.calls, "reply ");
	str_append_bytes(&channel->sent, data, n);
	return true;
}

uint64_t
channel_queued_bytes(const struct channel *channel)
{
	return channel->sent.length;
}

size_t
channel_backlog_bytes(const struct channel *channel)
{
	if (channel->is_filled_by && channel->sent.length >= channel->is_filled_by)
		return CHANNEL_BACKLOG_MAX / 3;
	return channel->is_stuck ? CHANNEL_BACKLOG_MAX : channel->backlog;
}

void
channel_pause(struct channel *channel, bool is_paused)
{
	channel->is_paused = is_paused;
}

void
channel_set_tap(struct channel *channel, channel_tap_fn *tap, void *aux)
{
	(void)channel, (void)tap, (void)aux;
}

uint64_t
channel_last_input_ns(const struct channel *channel)
{
	(void)channel;
	return 0;
}

const char *
channel_name(const struct channel *channel)
{
	(void)channel;
	return "test";
}

void
channel_fail(struct channel *channel, const char *why)
{
	channel->failed = why;
}

void
channel_close(struct channel *channel, bool at_once)
{
	(void)channel, (void)at_once;
}
