/* peer.c - keeps one connection alive, or notices that it is not. Between channel.c and
 * controller.c. Main thread. */
#include "vswitchd/ofproto/peer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* From the stream's begin to the peer's HELLO, TLS handshake included. */
#define HELLO_TIMEOUT_NS (10 * NSEC_PER_SEC)

struct peer {
	struct peer_config config;
	struct channel *channel;
	void *session;
	uint64_t opened_ns;
	uint64_t probed_ns; /* 0 = no probe is on its way */
	bool is_established, has_spoken;
};

static void
peer_on_message(struct channel *channel, const uint8_t *data, size_t n, void *aux)
{
	struct peer *peer = aux;
	const struct connection_hooks *hooks = peer->config.hooks;

	(void)channel;
	peer->probed_ns = 0;
	peer->has_spoken = peer->is_established;
	hooks->message(peer->session, data, n);
	peer->is_established = hooks->is_established(peer->session);
}

static void
peer_on_closed(struct channel *channel, const char *why, void *aux)
{
	struct peer *peer = aux;

	(void)channel;
	peer->config.hooks->close(peer->session);
	peer->config.closed(peer, why, peer->config.aux);
	free(peer);
}

static const struct channel_handlers peer_handlers = {
	.message = peer_on_message,
	.closed = peer_on_closed,
};

struct peer *
peer_create(const struct peer_config *config, int fd, struct ssl_st *ssl,
            bool is_accepting, const char *name)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->config = *config;
	peer->opened_ns = clock_mono_ns();
	peer->channel = channel_create(config->loop, fd, ssl, is_accepting, name,
	                               &peer_handlers, peer);
	if (config->tap)
		channel_set_tap(peer->channel, config->tap, config->tap_aux);
	peer->session =
		config->hooks->open(peer->channel, &peer->config.info, config->hooks_aux);
	return peer;
}

void
peer_destroy(struct peer *peer)
{
	peer->config.hooks->close(peer->session);
	channel_close(peer->channel, false);
	free(peer);
}

void
peer_run(struct peer *peer, uint64_t now_ns)
{
	uint64_t probe_ns = peer->config.probe_ms * NSEC_PER_MSEC;
	uint64_t input_ns = channel_last_input_ns(peer->channel);

	if (!peer->is_established) {
		if (now_ns >= peer->opened_ns + HELLO_TIMEOUT_NS)
			channel_fail(peer->channel, "no HELLO came in time");
		return;
	}
	if (!probe_ns)
		return;
	if (input_ns > peer->probed_ns)
		peer->probed_ns = 0;
	if (!peer->probed_ns && now_ns >= input_ns + probe_ns) {
		peer->probed_ns = now_ns;
		peer->config.hooks->probe(peer->session);
	} else if (peer->probed_ns && now_ns >= peer->probed_ns + probe_ns) {
		channel_fail(peer->channel, "no answer to the inactivity probe");
	}
}

void
peer_set_limits(struct peer *peer, const struct ofproto_controller *config)
{
	peer->config.probe_ms = config->inactivity_probe_ms;
	peer->config.info.rate_limit = config->rate_limit;
	peer->config.info.burst_limit = config->burst_limit;
	peer->config.info.queue_size = config->queue_size;
}

void
peer_count_packet_ins(const struct peer *peer, struct ofproto_controller_status *status)
{
	peer->config.hooks->count_packet_ins(peer->session, status);
}

bool
peer_is_established(const struct peer *peer)
{
	return peer->is_established;
}

bool
peer_has_spoken(const struct peer *peer)
{
	return peer->has_spoken;
}

bool
peer_is_idle(const struct peer *peer)
{
	return peer->probed_ns != 0;
}

const char *
peer_role(const struct peer *peer)
{
	return peer->config.hooks->role(peer->session);
}
