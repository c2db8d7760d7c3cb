/* snoop.c - copies messages of others to those who listen in; what they say is ignored.
 * Beside controller.c. Main thread. */
#include "vswitchd/ofproto/snoop.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "openflow/of.h"
#include "vswitchd/ofproto/endpoint.h"

LOG_MODULE(snoop);

#define RETRY_NS (5 * NSEC_PER_SEC)
/* Who reads slower misses messages. */
#define LISTENER_BACKLOG_MAX (1U << 20)

struct snoop {
	struct event_base *loop;
	char *bridge_name;
	struct endpoint *endpoint; /* NULL = cannot listen */
	uint64_t retry_ns;
	struct list listeners;
};

struct listener {
	struct list link; /* in snoop.listeners */
	struct channel *channel;
};

static void
snoop_on_message(struct channel *channel, const uint8_t *data, size_t n, void *aux)
{
	(void)channel, (void)data, (void)n, (void)aux;
}

static void
snoop_on_closed(struct channel *channel, const char *why, void *aux)
{
	struct listener *listener = aux;

	(void)channel, (void)why;
	list_remove(&listener->link);
	free(listener);
}

static const struct channel_handlers snoop_handlers = {
	.message = snoop_on_message,
	.closed = snoop_on_closed,
};

/* HELLO of all versions, also of a bridge that has one only: who listens need not speak
 * it. */
static void
snoop_send_hello(struct channel *channel)
{
	static const uint8_t hello[16] = {
		OF15, 0, 0, sizeof(hello),  0, 0, 0, 0, 0, 1, 0, 8,
		0,    0, 0, OF_VERSIONS_ALL};

	channel_send(channel, hello, sizeof(hello));
}

static void
snoop_on_stream(int fd, const char *why, void *aux)
{
	struct snoop *snoop = aux;
	struct listener *listener;

	(void)why;
	if (fd < 0)
		return;
	listener = xcalloc(1, sizeof(*listener));
	list_push_back(&snoop->listeners, &listener->link);
	listener->channel = channel_create(snoop->loop, fd, NULL, true, "snoop",
	                                   &snoop_handlers, listener);
	snoop_send_hello(listener->channel);
}

void
snoop_tap(const uint8_t *data, size_t n, bool is_sent, void *aux)
{
	struct snoop *snoop = aux;
	struct listener *listener;

	(void)is_sent;
	LIST_FOR_EACH (listener, link, &snoop->listeners)
		if (channel_backlog_bytes(listener->channel) + n <= LISTENER_BACKLOG_MAX)
			channel_send(listener->channel, data, n);
}

void
snoop_run(struct snoop *snoop, uint64_t now_ns)
{
	struct error err;
	char *target;

	if (snoop->endpoint || now_ns < snoop->retry_ns)
		return;
	target = xasprintf("punix:%s.snoop", snoop->bridge_name);
	snoop->endpoint =
		endpoint_listen(snoop->loop, target, snoop_on_stream, snoop, &err);
	free(target);
	if (!snoop->endpoint && !snoop->retry_ns)
		log_warn("%s: %s", snoop->bridge_name, err.text);
	snoop->retry_ns = now_ns + RETRY_NS;
}

struct snoop *
snoop_create(struct event_base *loop, const char *bridge_name)
{
	struct snoop *snoop = xcalloc(1, sizeof(*snoop));

	snoop->loop = loop;
	snoop->bridge_name = xstrdup(bridge_name);
	list_init(&snoop->listeners);
	snoop_run(snoop, clock_mono_ns());
	return snoop;
}

void
snoop_destroy(struct snoop *snoop)
{
	struct listener *listener, *next;

	endpoint_destroy(snoop->endpoint);
	LIST_FOR_EACH_SAFE (listener, next, link, &snoop->listeners) {
		channel_close(listener->channel, true);
		free(listener);
	}
	free(snoop->bridge_name);
	free(snoop);
}
