/* desired_qos_from_db.h - QoS and Queue rows -> desired state. Main thread. */
#pragma once

#include "ovsdb/db.h"
#include "vswitchd/desired.h"

/* What was read last time: of ten thousand queues usually one has changed. */
struct qos_cache;

struct qos_cache *qos_cache_create(void);
void qos_cache_destroy(struct qos_cache *cache); /* NULL is fine */

/* Fills desired->qos, sorted by row; 'cache' may be NULL. */
void desired_read_qos(struct desired *desired, const struct db *db,
                      struct qos_cache *cache);

/* NULL if there is no such row. */
struct desired_qos *desired_find_qos(const struct desired *desired,
                                     const struct uuid *row);

/* The map column of a row, for desired_keys.h; lives as long as the row is not changed.
 */
struct keys;
struct keys desired_keys_from_row(struct desired *desired, const struct db_row *row,
                                  const char *column, const char *table,
                                  const char *where);
