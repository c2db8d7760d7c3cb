/* status_controllers.c - Controller.is_connected, role and status, as the switches report
 * them. Beside status.c. Main thread. */
#include "vswitchd/status_controllers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

LOG_MODULE(status_controllers);

struct writer {
	struct db *db;
	struct db_txn *txn;
	const struct desired_bridge *bridge;
	bool with_times;
};

/* The times stay as they were written last, so that a second that passed is no change. */
static const char *
time_text(const struct writer *writer, const struct uuid *row, const char *key,
          uint64_t seconds, char *text, size_t n)
{
	const struct db_row *old = db_row_by_uuid(writer->db, "Controller", row);

	if (!writer->with_times)
		return old ? db_row_map_string(old, "status", key) : NULL;
	snprintf(text, n, "%" PRIu64, seconds);
	return seconds ? text : NULL;
}

static void
write_one(const struct writer *writer, const struct uuid *row,
          const struct ofproto_controller_status *status)
{
	char since_connect[24], since_disconnect[24];
	const char *const all[][2] = {
		{"last_error", status->last_error},
		{"sec_since_connect", time_text(writer, row, "sec_since_connect",
	                                        status->seconds_since_connect,
	                                        since_connect, sizeof(since_connect))},
		{"sec_since_disconnect",
	         time_text(writer, row, "sec_since_disconnect",
	                   status->seconds_since_disconnect, since_disconnect,
	                   sizeof(since_disconnect))},
		{"state", status->state},
	};
	const char *keys[ARRAY_SIZE(all)], *values[ARRAY_SIZE(all)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (!all[i][1])
			continue;
		keys[n] = all[i][0];
		values[n++] = all[i][1];
	}
	db_txn_set_bool(writer->txn, "Controller", row, "is_connected",
	                status->is_connected);
	db_txn_set_string(writer->txn, "Controller", row, "role", status->role);
	db_txn_set_string_map(writer->txn, "Controller", row, "status", keys, values, n);
}

static void
write_status(const struct ofproto_controller_status *status, void *aux)
{
	const struct writer *writer = aux;
	const struct ofproto_config *config = &writer->bridge->openflow;

	for (size_t i = 0; i < config->n_controllers; i++)
		if (!strcmp(config->controllers[i].target, status->target))
			write_one(writer, &writer->bridge->controller_rows[i], status);
}

void
status_write_controllers(struct db *db, const struct desired *desired,
                         const struct running *running, bool with_times)
{
	struct writer writer = {.db = db, .with_times = with_times};
	struct error err;

	writer.txn = db_txn_begin(db);
	for (size_t i = 0; i < desired->n_bridges; i++) {
		const struct running_bridge *bridge;

		writer.bridge = &desired->bridges[i];
		bridge = running_find_bridge(running, writer.bridge->name);
		if (bridge && writer.bridge->openflow.n_controllers)
			ofproto_controllers(bridge->ofproto, write_status, &writer);
	}
	if (db_txn_commit(writer.txn, &err))
		log_err("cannot write the status of controllers: %s", err.text);
}
