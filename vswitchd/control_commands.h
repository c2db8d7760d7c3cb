/* control_commands.h - the families of commands, one per control_*.c. Each adds its
 * commands to a registry; what it reads must outlive the registry. Main thread. */
#pragma once

#include <event2/event.h>

#include "ovsdb/server.h"
#include "vswitchd/control.h"
#include "vswitchd/coverage.h"
#include "vswitchd/running.h"

/* vlog/list, vlog/set, vlog/reopen */
void control_add_log(struct control_registry *registry);

/* exit: ends 'loop' once the answer is sent */
void control_add_exit(struct control_registry *registry, struct event_base *loop);

/* fdb/show, fdb/flush, fdb/stats-show */
void control_add_fdb(struct control_registry *registry, const struct running *running);

/* qos/show, qos/explain, qos/show-types */
void control_add_qos(struct control_registry *registry, const struct running *running);

/* port/counters, memory/show, coverage/show, coverage/read-counter */
void control_add_counters(struct control_registry *registry,
                          const struct running *running, const struct coverage *coverage);

/* dpif-netdev/pmd-rxq-show, dpif-netdev/pmd-stats-show, dpif-netdev/pmd-stats-clear */
void control_add_pmd(struct control_registry *registry);

/* dpif/show, dpctl/show, dpctl/dump-dps, dpif/dump-dps */
void control_add_dpif(struct control_registry *registry, const struct running *running);

/* ofproto/trace, ofproto/trace-packet-out */
void control_add_trace(struct control_registry *registry, const struct running *running);

/* ofproto/list, bridge/dump-flows */
void control_add_ofproto(struct control_registry *registry,
                         const struct running *running);

/* dpctl/dump-flows, dpif/dump-flows */
void control_add_caches(struct control_registry *registry, const struct running *running);

/* ovsdb-server/list-dbs, list-remotes, add-remote, remove-remote */
struct control_remotes;
struct control_remotes *control_add_ovsdb(struct control_registry *registry,
                                          struct ovsdb_server *server,
                                          const char *first_remote);
void control_remotes_destroy(struct control_remotes *remotes);
