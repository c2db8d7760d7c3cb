/* vswitch.h - the engine: each change of the database becomes desired state, is checked,
 * compared, applied in slices and answered in the database. Main thread. */
#pragma once

#include <event2/event.h>

#include "ovsdb/server.h"
#include "vswitchd/coverage.h"
#include "vswitchd/running.h"

struct vswitch;

/* Takes the commit hook of 'db'; makes the Open_vSwitch row if there is none. The first
 * configuration is read once the loop runs. */
struct vswitch *vswitch_create(struct event_base *loop, struct db *db,
                               struct ovsdb_server *server);

/* Stops the datapath. NULL is fine. */
void vswitch_destroy(struct vswitch *vswitch);

const struct running *vswitch_running(const struct vswitch *vswitch);
const struct coverage *vswitch_coverage(const struct vswitch *vswitch);
