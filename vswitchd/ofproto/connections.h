/* connections.h - whom the switch of a bridge talks to: dials and listens, keeps
 * connections alive, and says when the switch is on its own. Drives channel.c; what
 * travels over a connection is its session's, which ofproto.c makes. Main thread. */
#pragma once

#include "vswitchd/ofproto/channel.h"
#include "vswitchd/ofproto/ofproto.h"

struct connections;

struct connection_info {
	bool is_service; /* of no weight in fail_mode, gets nothing it did not ask for */
	uint32_t versions;                /* bit per OpenFlow version, never 0 */
	uint32_t rate_limit, burst_limit; /* packet-ins per second; 0 = none */
};

/* What is above: 'session' is whatever open() returned. */
struct connection_hooks {
	/* A stream has begun: HELLO is to be sent. The channel stays the connections':
	 * sent to, paused, failed (channel_fail()), never closed. */
	void *(*open)(struct channel *channel, const struct connection_info *info,
	              void *aux);
	void (*message)(void *session, const uint8_t *data, size_t n);
	/* The last call: the channel must not be used any more. */
	void (*close)(void *session);
	/* Nothing came for a while: an echo request is to be sent, if HELLOs have been
	 * exchanged. */
	void (*probe)(void *session);
	/* HELLOs have been exchanged and a version agreed on. */
	bool (*is_established)(const void *session);
	/* "master", "slave" or "other". */
	const char *(*role)(const void *session);
	/* True: with fail_mode standalone no primary controller has been heard for so
	 * long that the switch must forward as if there were none; false: one is back,
	 * and has spoken. Called on changes only; it begins with false. */
	void (*set_alone)(bool is_alone, void *aux);
};

/* The service socket "<bridge>.mgmt" and "<bridge>.snoop" open at once. */
struct connections *connections_create(struct event_base *loop, const char *bridge_name,
                                       const struct connection_hooks *hooks, void *aux);
/* Calls close() for each session. */
void connections_destroy(struct connections *connections);

/* Copied. Connections whose controllers stay are kept, unless the versions change. */
void connections_configure(struct connections *connections,
                           const struct ofproto_config *config);

/* Whether controllers that are no services are configured: without any, a bridge of
 * fail_mode standalone is a learning switch from the start. */
bool connections_has_primary(const struct connections *connections);

/* As ofproto_controllers(): those of the configuration, in its order. */
void connections_report(const struct connections *connections,
                        void (*cb)(const struct ofproto_controller_status *, void *aux),
                        void *aux);

/* Timeouts, probes and dialing, every 100 ms or so. */
void connections_run(struct connections *connections, uint64_t now_ns);
