/* connection_hooks.h - what a connection asks of those above: made by ofproto.c, called
 * by peer.c and connections.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/channel.h"
#include "vswitchd/ofproto/ofproto.h"

/* Stays valid while the session lives; what is asked for may change under it. */
struct connection_info {
	const char *target; /* that was dialed; NULL: they came by themselves */
	bool is_service; /* of no weight in fail_mode, gets nothing it did not ask for */
	uint32_t versions;                /* bit per OpenFlow version, never 0 */
	uint32_t rate_limit, burst_limit; /* packet-ins per second; 0 = none */
	uint32_t queue_size; /* packet-ins that it has not read; 0 = some megabytes */
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
	/* Adds its packet-ins to a report. */
	void (*count_packet_ins)(const void *session,
	                         struct ofproto_controller_status *status);
	/* A target that is dialed is new in the configuration; or it is no longer there,
	 * and its session is closed. Not the time to ask for a report. */
	void (*set_configured)(const char *target, bool is_configured, void *aux);
	/* True: with fail_mode standalone no primary controller has been heard for so
	 * long that the switch must forward as if there were none; false: one is back,
	 * and has spoken. Called on changes only; it begins with false. */
	void (*set_alone)(bool is_alone, void *aux);
};
