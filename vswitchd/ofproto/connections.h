/* connections.h - whom the switch of a bridge talks to: dials and listens, keeps
 * connections alive, and says when the switch is on its own. Drives channel.c; what
 * travels over a connection is its session's, which ofproto.c makes. Main thread. */
#pragma once

#include "vswitchd/ofproto/connection_hooks.h"
#include "vswitchd/ofproto/ofproto.h"

struct connections;

/* The service socket "<bridge>.mgmt" and "<bridge>.snoop" open at once. */
struct connections *connections_create(struct event_base *loop, const char *bridge_name,
                                       const struct connection_hooks *hooks, void *aux);
/* Calls close() for each session. */
void connections_destroy(struct connections *connections);

/* Copied. Connections whose controllers stay are kept, unless the versions or the
 * datapath id change. */
void connections_configure(struct connections *connections,
                           const struct ofproto_config *config);

/* Ends all connections to configured controllers; they are dialed again at once. */
void connections_reconnect(struct connections *connections);

/* Whether controllers that are no services are configured: without any, a bridge of
 * fail_mode standalone is a learning switch from the start. */
bool connections_has_primary(const struct connections *connections);

/* As ofproto_controllers(): those of the configuration, in its order. */
void connections_report(const struct connections *connections,
                        void (*cb)(const struct ofproto_controller_status *, void *aux),
                        void *aux);

/* Timeouts, probes and dialing, every 100 ms or so. */
void connections_run(struct connections *connections, uint64_t now_ns);
