/* status.h - what the daemon writes back into the database. Main thread. */
#pragma once

#include "ovsdb/db.h"
#include "vswitchd/desired.h"
#include "vswitchd/running.h"

/* One transaction with the outcome of a configuration: ofport and error of every
 * Interface, problems of Ports and Bridges, what the switch can do, and cur_cfg. */
void status_write_config(struct db *db, const struct desired *desired,
                         const struct running *running);

/* Link, device and guest of every Interface; notes the links' speeds in 'running'. True
 * if one of those changed that a port's QoS follows. */
bool status_write_links(struct db *db, const struct desired *desired,
                        struct running *running);

/* Interface.statistics of at most 'n' ports, beginning with port number '*next' of all;
 * false once the last has been written, with '*next' 0 again. */
bool status_write_statistics(struct db *db, const struct desired *desired,
                             const struct running *running, size_t *next, size_t n);
