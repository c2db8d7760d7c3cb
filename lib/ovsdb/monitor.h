/* monitor.h - what monitor.c (requests and notifications) and monitor_row.c (one row's
 * update) share. Main thread. */
#pragma once

#include "ovsdb/condition.h"
#include "ovsdb/server_private.h"

/* "monitor", "monitor_cond", "monitor_cond_since" and their notifications' forms. */
enum monitor_version { MONITOR_V1 = 1, MONITOR_V2, MONITOR_V3 };

enum monitor_select {
	SELECT_INITIAL = 1,
	SELECT_INSERT = 2,
	SELECT_DELETE = 4,
	SELECT_MODIFY = 8,
};

struct monitor_table {
	const struct db_table *table;
	unsigned char *select; /* by column index; 0 = not monitored */
	unsigned char select_any;
	struct condition condition;
};

struct monitor {
	struct list link; /* in session.monitors */
	struct session *session;
	struct db *db;
	json_t *id;
	enum monitor_version version;
	struct monitor_table *tables;
	size_t n_tables;
};

/* A row before and after: its values by column index; NULL = it is not there, or does not
 * match the condition. */
struct row_change {
	const struct ovsdb_datum *const *old;
	const struct ovsdb_datum *const *new;
	enum monitor_select kind;
};

/* NULL if the monitor is not interested. */
json_t *monitor_row_update(const struct monitor_table *mt, enum monitor_version version,
                           const struct row_change *change);
