/* desired_controllers_from_db.c - Bridge.fail_mode, protocols and controller, and table
 * SSL, as plain data. Beside desired_from_db.c. Main thread. */
#include "vswitchd/desired_controllers_from_db.h"

#include <string.h>

#include "openflow/of.h"

#define DEFAULT_PROBE_MS 5000
#define DEFAULT_DSCP     48 /* CS6: network control */
#define RATE_MAX         1000000
#define QUEUE_SIZE_MAX   512 /* the schema's */

/* Unset means none: neither the schema's lower bounds nor its sign are relied on. */
static uint32_t
read_bounded(const struct db_row *row, const char *column, uint32_t fallback,
             uint32_t most)
{
	int64_t value = db_row_integer(row, column, fallback);

	return value < 0 ? 0 : (uint32_t)MIN_OF(value, (int64_t)most);
}

static void
read_controller(struct desired *desired, const struct db_row *row,
                struct ofproto_controller *controller)
{
	const char *dscp = db_row_map_string(row, "other_config", "dscp");
	uint64_t value = DEFAULT_DSCP;

	if (dscp)
		(void)parse_u64(dscp, 0, 63, &value); /* else the default stays */
	controller->target =
		desired_strdup(&desired->arena, db_row_string(row, "target", ""));
	controller->is_service = !strcmp(db_row_string(row, "type", ""), "service");
	controller->is_in_band =
		strcmp(db_row_string(row, "connection_mode", ""), "out-of-band") != 0;
	controller->max_backoff_ms = read_bounded(row, "max_backoff", 0, 3600000);
	controller->inactivity_probe_ms =
		read_bounded(row, "inactivity_probe", DEFAULT_PROBE_MS, 3600000);
	controller->rate_limit = read_bounded(row, "controller_rate_limit", 0, RATE_MAX);
	controller->burst_limit =
		read_bounded(row, "controller_burst_limit", 0, RATE_MAX);
	controller->queue_size =
		read_bounded(row, "controller_queue_size", 0, QUEUE_SIZE_MAX);
	controller->dscp = (uint8_t)value;
}

static void
read_protocols(struct desired *desired, const struct db_row *row,
               struct desired_bridge *bridge)
{
	const struct ovsdb_datum *protocols = db_row_datum(row, "protocols");

	for (size_t i = 0; i < protocols->n; i++) {
		const char *name = protocols->keys[i].string;
		enum of_version version = of_version_from_name(name);

		if (version)
			bridge->openflow.versions |= 1U << version;
		else
			bridge->warning = desired_printf(
				&desired->arena, "protocol \"%s\" is not known", name);
	}
}

static const char *
copy_key(struct desired *desired, const struct db_row *row, const char *key)
{
	const char *value = db_row_map_string(row, "other_config", key);

	return value ? desired_strdup(&desired->arena, value) : NULL;
}

void
desired_read_controllers(struct desired *desired, const struct db *db,
                         const struct db_row *row, struct desired_bridge *bridge)
{
	const struct ovsdb_datum *rows = db_row_datum(row, "controller");
	struct ofproto_config *config = &bridge->openflow;
	struct ofproto_controller *controllers =
		desired_alloc(&desired->arena, rows->n * sizeof(*controllers));

	config->bridge_name = bridge->name;
	config->datapath_id = bridge->datapath_id;
	config->dp_description = copy_key(desired, row, "dp-desc");
	config->serial = copy_key(desired, row, "dp-sn");
	config->fail_mode = !strcmp(db_row_string(row, "fail_mode", ""), "secure")
	                            ? OFPROTO_SECURE
	                            : OFPROTO_STANDALONE;
	read_protocols(desired, row, bridge);
	bridge->controller_rows =
		desired_alloc(&desired->arena, rows->n * sizeof(struct uuid));
	for (size_t i = 0; i < rows->n; i++) {
		const struct db_row *controller =
			db_row_by_uuid(db, "Controller", &rows->keys[i].uuid);

		if (!controller)
			continue;
		bridge->controller_rows[config->n_controllers] = *db_row_uuid(controller);
		read_controller(desired, controller,
		                &controllers[config->n_controllers++]);
	}
	config->controllers = controllers;
}

void
desired_read_tls(struct desired *desired, const struct db *db, const struct db_row *root)
{
	const struct ovsdb_datum *rows = db_row_datum(root, "ssl");
	const struct db_row *row =
		rows->n ? db_row_by_uuid(db, "SSL", &rows->keys[0].uuid) : NULL;
	struct desired_arena *arena = &desired->arena;

	if (!row)
		return;
	desired->tls = (struct ofproto_tls){
		.private_key =
			desired_strdup(arena, db_row_string(row, "private_key", "")),
		.certificate =
			desired_strdup(arena, db_row_string(row, "certificate", "")),
		.ca_cert = desired_strdup(arena, db_row_string(row, "ca_cert", "")),
		.bootstrap_ca = db_row_bool(row, "bootstrap_ca_cert", false),
	};
}
