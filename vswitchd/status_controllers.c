/* status_controllers.c - Controller.is_connected, role and status, as the switches report
 * them. Beside status.c. Main thread. */
#include "vswitchd/status_controllers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

LOG_MODULE(status_controllers);

#define PAIRS_MAX 16

struct writer {
	struct db *db;
	struct db_txn *txn;
	const struct desired_bridge *bridge;
	bool with_times;
};

/* What always counts stays as it was written last, so that a second that passed, or a
 * packet, is no change. */
static const char *
count_text(const struct writer *writer, const struct uuid *row, const char *key,
           uint64_t count, char *text, size_t n)
{
	const struct db_row *old = db_row_by_uuid(writer->db, "Controller", row);

	if (!writer->with_times)
		return old ? db_row_map_string(old, "status", key) : NULL;
	snprintf(text, n, "%" PRIu64, count);
	return text;
}

static const char *
count_text_unless_0(const struct writer *writer, const struct uuid *row, const char *key,
                    uint64_t count, char *text, size_t n)
{
	if (writer->with_times && !count)
		return NULL;
	return count_text(writer, row, key, count, text, n);
}

/* The keys and values of a map, some of which are numbers. */
struct pairs {
	const char *keys[PAIRS_MAX], *values[PAIRS_MAX];
	char names[PAIRS_MAX][40], numbers[PAIRS_MAX][24];
	size_t n;
};

static void
add_text(struct pairs *pairs, const char *key, const char *value)
{
	if (!value)
		return;
	pairs->keys[pairs->n] = key;
	pairs->values[pairs->n++] = value;
}

/* "packet-in-TYPE-what", as Open vSwitch has it. */
static void
add_packet_ins(const struct writer *writer, const struct uuid *row, struct pairs *pairs,
               const char *type, const struct ofproto_packet_ins *counts)
{
	const struct {
		const char *what;
		uint64_t count;
	} all[] = {{"bypassed", counts->bypassed},
	           {"queued", counts->queued},
	           {"dropped", counts->dropped},
	           {"backlog", counts->backlog}};

	for (size_t i = 0; counts->is_limited && i < ARRAY_SIZE(all); i++) {
		char *name = pairs->names[pairs->n], *number = pairs->numbers[pairs->n];

		snprintf(name, sizeof(pairs->names[0]), "packet-in-%s-%s", type,
		         all[i].what);
		add_text(pairs, name,
		         count_text(writer, row, name, all[i].count, number,
		                    sizeof(pairs->numbers[0])));
	}
}

static void
write_one(const struct writer *writer, const struct uuid *row,
          const struct ofproto_controller_status *status)
{
	char since_connect[24], since_disconnect[24], unread[24];
	struct pairs pairs = {.n = 0};

	add_text(&pairs, "last_error", status->last_error);
	add_packet_ins(writer, row, &pairs, "action",
	               &status->packet_ins[OFPROTO_PACKET_IN_ACTION]);
	add_packet_ins(writer, row, &pairs, "miss",
	               &status->packet_ins[OFPROTO_PACKET_IN_MISS]);
	add_text(&pairs, "packet-in-unread-dropped",
	         count_text_unless_0(writer, row, "packet-in-unread-dropped",
	                             status->n_unread, unread, sizeof(unread)));
	add_text(&pairs, "sec_since_connect",
	         count_text_unless_0(writer, row, "sec_since_connect",
	                             status->seconds_since_connect, since_connect,
	                             sizeof(since_connect)));
	add_text(&pairs, "sec_since_disconnect",
	         count_text_unless_0(writer, row, "sec_since_disconnect",
	                             status->seconds_since_disconnect, since_disconnect,
	                             sizeof(since_disconnect)));
	add_text(&pairs, "state", status->state);
	db_txn_set_bool(writer->txn, "Controller", row, "is_connected",
	                status->is_connected);
	db_txn_set_string(writer->txn, "Controller", row, "role", status->role);
	db_txn_set_string_map(writer->txn, "Controller", row, "status", pairs.keys,
	                      pairs.values, pairs.n);
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
