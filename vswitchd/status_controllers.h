/* status_controllers.h - what becomes of controllers -> table Controller. Beside
 * status.h. Main thread. */
#pragma once

#include "ovsdb/db.h"
#include "vswitchd/desired.h"
#include "vswitchd/running.h"

/* Writes what has changed; 'with_times': how long it is since, too. */
void status_write_controllers(struct db *db, const struct desired *desired,
                              const struct running *running, bool with_times);
