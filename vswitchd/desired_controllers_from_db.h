/* desired_controllers_from_db.h - the part of desired_from_db.c that reads what the
 * OpenFlow switch of a bridge is told. Main thread. */
#pragma once

#include "ovsdb/db.h"
#include "vswitchd/desired.h"

/* fail_mode, protocols and controllers of a bridge whose other fields have been read. */
void desired_read_controllers(struct desired *desired, const struct db *db,
                              const struct db_row *row, struct desired_bridge *bridge);

/* The row of table SSL that the switch names. */
void desired_read_tls(struct desired *desired, const struct db *db,
                      const struct db_row *root);
