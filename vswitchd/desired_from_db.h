/* desired_from_db.h - database rows -> desired state. Main thread. */
#pragma once

#include "ovsdb/db.h"
#include "vswitchd/desired.h"

struct qos_cache;

/* Reads everything; what cannot be read becomes a problem of its object. The caller
 * destroys the result. 'cache' makes reading cheaper (desired_qos_from_db.h); NULL is
 * fine. */
struct desired *desired_from_db(const struct db *db, struct qos_cache *cache);
