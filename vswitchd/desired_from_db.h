/* desired_from_db.h - database rows -> desired state. Main thread. */
#pragma once

#include "ovsdb/db.h"
#include "vswitchd/desired.h"

/* Reads everything; what cannot be read becomes a problem of its object. The caller
 * destroys the result. */
struct desired *desired_from_db(const struct db *db);
