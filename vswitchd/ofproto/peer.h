/* peer.h - one connection with its session: framing by channel.c, echo requests when it
 * is quiet, its end. For controller.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/connection_hooks.h"

struct peer;

struct peer_config {
	struct event_base *loop;
	const struct connection_hooks *hooks; /* must outlive the peer */
	void *hooks_aux;
	struct connection_info info;
	uint32_t probe_ms;   /* 0 = never */
	channel_tap_fn *tap; /* NULL = nobody listens in */
	void *tap_aux;
	/* It has ended, its session is closed, and it is freed after this call. */
	void (*closed)(struct peer *peer, const char *why, void *aux);
	void *aux;
};

/* Takes over a connected descriptor, and 'ssl' if it is not NULL. */
struct peer *peer_create(const struct peer_config *config, int fd, struct ssl_st *ssl,
                         bool is_accepting, const char *name);

/* Closes the session and, once what is queued was sent, the connection; without
 * 'closed'. */
void peer_destroy(struct peer *peer);

/* Probes, or gives the connection up: 'closed' comes later. */
void peer_run(struct peer *peer, uint64_t now_ns);

/* Takes what may change while it lives from 'config'. */
void peer_set_limits(struct peer *peer, const struct ofproto_controller *config);

/* Adds its packet-ins to a report. */
void peer_count_packet_ins(const struct peer *peer,
                           struct ofproto_controller_status *status);

/* HELLOs have been exchanged. */
bool peer_is_established(const struct peer *peer);
/* It said something after that. */
bool peer_has_spoken(const struct peer *peer);
/* A probe waits for its answer. */
bool peer_is_idle(const struct peer *peer);
const char *peer_role(const struct peer *peer);
