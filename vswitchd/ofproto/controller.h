/* controller.h - one target of a bridge: dialed again and again, or listened on, with the
 * connections that come of it. For connections.c. Main thread. */
#pragma once

#include "vswitchd/ofproto/connection_hooks.h"
#include "vswitchd/ofproto/ofproto.h"

struct controller;

/* What all controllers of a bridge share; it outlives them. */
struct controller_env {
	struct event_base *loop;
	const char *bridge_name;
	const struct connection_hooks *hooks;
	void *hooks_aux;
	uint32_t versions;
	channel_tap_fn *tap; /* of primary ones */
	void *tap_aux;
};

/* 'config' is copied. 'is_quiet': its connections come and go all the time, and are not
 * worth a line in the log. */
struct controller *controller_create(const struct controller_env *env,
                                     const struct ofproto_controller *config,
                                     bool is_quiet);
void controller_destroy(struct controller *controller);

/* Whether 'config' can be taken over with its connections; then does so. */
bool controller_reconfigure(struct controller *controller,
                            const struct ofproto_controller *config);

/* Ends its connections; a new one is dialed at once. */
void controller_restart(struct controller *controller);

void controller_run(struct controller *controller, uint64_t now_ns);

/* As configured. */
const char *controller_target(const struct controller *controller);
/* Others dial it. */
bool controller_is_passive(const struct controller *controller);
/* No service: fail_mode depends on it. */
bool controller_is_primary(const struct controller *controller);
/* Its connection is established and not in doubt. */
bool controller_is_heard(const struct controller *controller);
/* It has spoken on a connection that stands. */
bool controller_is_back(const struct controller *controller);
/* 0 = none. */
uint32_t controller_probe_ms(const struct controller *controller);

void controller_get_status(const struct controller *controller, uint64_t now_ns,
                           struct ofproto_controller_status *status);
