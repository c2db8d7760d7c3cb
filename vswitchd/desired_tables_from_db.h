/* desired_tables_from_db.h - the part of desired_from_db.c that reads Bridge.flow_tables.
 * Main thread. */
#pragma once

#include "ovsdb/db.h"
#include "vswitchd/desired.h"

/* Of the bridge in 'row': names, limits and eviction of its OpenFlow tables. */
void desired_read_tables(struct desired *desired, const struct db *db,
                         const struct db_row *row, struct desired_bridge *bridge);
