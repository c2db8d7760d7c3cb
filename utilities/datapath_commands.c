/* datapath_commands.c - connection-tracking zones of datapaths, and what datapaths can.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"
#include "vsctl.h"

#define ZONE_MAX 65535

static int
prepare_datapath(struct vsctl *vsctl, struct invocation *call UNUSED, struct error *err)
{
	static const struct {
		const char *table, *column;
	} wanted[] = {
		{"Open_vSwitch", "datapaths"},     {"Datapath", "ct_zones"},
		{"Datapath", "capabilities"},      {"CT_Zone", "timeout_policy"},
		{"CT_Timeout_Policy", "timeouts"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!replica_table(&vsctl->replica, wanted[i].table))
			return error_set(err, -ENOTSUP, "the database has no table %s",
			                 wanted[i].table);
		replica_want(&vsctl->replica, wanted[i].table, wanted[i].column);
	}
	return 0;
}

static int
get_datapath(struct vsctl *vsctl, const char *name, struct row **datapath,
             struct error *err)
{
	const struct ovsdb_datum *datapaths = row_get(vsctl->root, "datapaths");

	row_verify(vsctl->root, "datapaths");
	for (size_t i = 0; i < datapaths->n; i++)
		if (!strcmp(datapaths->keys[i].string, name)) {
			*datapath =
				replica_row(replica_table(&vsctl->replica, "Datapath"),
			                    &datapaths->values[i].uuid);
			if (*datapath)
				return 0;
		}
	return error_set(err, -ENOENT, "datapath \"%s\" record not found", name);
}

/* "zone=N". */
static int
parse_zone(const char *text, union ovsdb_atom *zone, struct error *err)
{
	if (!strncmp(text, "zone=", 5) &&
	    parse_i64(text + 5, 0, ZONE_MAX, &zone->integer))
		return 0;
	return error_set(err, -EINVAL, "\"%s\" is not \"zone=\" and a number up to %d",
	                 text, ZONE_MAX);
}

/* "icmp_first=30 udp_single=10" as the value of CT_Timeout_Policy.timeouts. */
static int
parse_timeouts(struct vsctl *vsctl, const struct invocation *call,
               const struct ovsdb_type *type, struct ovsdb_datum *timeouts,
               struct error *err)
{
	struct str text = STR_INIT;
	int ret;

	for (int i = 2; i < call->n_args; i++)
		str_printf(&text, "%s%s", i > 2 ? "," : "", call->args[i]);
	ret = ovsdb_datum_from_text(timeouts, type, str_text(&text), vsctl_resolve_symbol,
	                            vsctl, err);
	str_free(&text);
	return ret;
}

/* Zones with the same timeouts share one policy. Takes the value over. */
static struct row *
find_or_make_policy(struct vsctl *vsctl, struct ovsdb_datum *timeouts)
{
	struct replica_table *table = replica_table(&vsctl->replica, "CT_Timeout_Policy");
	const struct ovsdb_column *column = ovsdb_table_column(table->schema, "timeouts");
	struct uuid uuid = uuid_random();
	struct row **rows, *found = NULL;
	size_t n;

	rows = replica_rows(table, &n);
	for (size_t i = 0; i < n && !found; i++)
		if (!value_compare(row_datum(rows[i], column), timeouts, &column->type))
			found = rows[i];
	free(rows);
	if (found) {
		row_verify_column(found, column);
		ovsdb_datum_destroy(timeouts, &column->type);
		return found;
	}
	found = row_insert(table, &uuid);
	row_set_datum(found, column, timeouts);
	return found;
}

static void
set_zone(struct vsctl *vsctl, struct row *datapath, const union ovsdb_atom *zone,
         const struct row *policy)
{
	const struct ovsdb_column *column = row_column(datapath, "ct_zones");
	const struct ovsdb_datum *zones = row_datum(datapath, column);
	struct replica_table *table = replica_table(&vsctl->replica, "CT_Zone");
	int i = value_index_of(zones, &column->type, zone);
	struct row *row = i < 0 ? NULL : replica_row(table, &zones->values[i].uuid);
	struct ovsdb_datum ref;

	if (!row) {
		union ovsdb_atom key = *zone, uuid = {.uuid = uuid_random()};
		struct ovsdb_datum pair = {1, &key, &uuid}, more;

		row = row_insert(table, &uuid.uuid);
		row_verify_column(datapath, column);
		ovsdb_datum_clone(&more, zones, &column->type);
		value_add(&more, &pair, &column->type);
		row_set_datum(datapath, column, &more);
	}
	value_init_uuid(&ref, &policy->uuid);
	row_set(row, "timeout_policy", &ref);
}

static int
run_add_zone(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const struct ovsdb_column *zones, *column;
	struct ovsdb_datum timeouts;
	union ovsdb_atom zone;
	struct row *datapath;
	int ret;

	ret = get_datapath(vsctl, call->args[0], &datapath, err);
	if (!ret)
		ret = parse_zone(call->args[1], &zone, err);
	if (ret)
		return ret;
	zones = row_column(datapath, "ct_zones");
	if (value_index_of(row_datum(datapath, zones), &zones->type, &zone) >= 0 &&
	    !invocation_has(call, "--may-exist"))
		return error_set(err, -EEXIST, "zone id %lld already exists",
		                 (long long)zone.integer);
	column = ovsdb_table_column(
		replica_table(&vsctl->replica, "CT_Timeout_Policy")->schema, "timeouts");
	ret = parse_timeouts(vsctl, call, &column->type, &timeouts, err);
	if (!ret)
		set_zone(vsctl, datapath, &zone, find_or_make_policy(vsctl, &timeouts));
	return ret;
}

static int
run_del_zone(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const struct ovsdb_column *column;
	struct ovsdb_type keys_only;
	union ovsdb_atom zone;
	struct ovsdb_datum key = {1, &zone, NULL}, zones;
	struct row *datapath;
	int ret;

	ret = get_datapath(vsctl, call->args[0], &datapath, err);
	if (!ret)
		ret = parse_zone(call->args[1], &zone, err);
	if (ret)
		return ret;
	column = row_column(datapath, "ct_zones");
	row_verify_column(datapath, column);
	if (value_index_of(row_datum(datapath, column), &column->type, &zone) < 0)
		return invocation_has(call, "--if-exists")
		               ? 0
		               : error_set(err, -ENOENT, "zone id %lld does not exist",
		                           (long long)zone.integer);
	keys_only = column->type;
	keys_only.value.kind = OVSDB_VOID;
	ovsdb_datum_clone(&zones, row_datum(datapath, column), &column->type);
	value_remove(&zones, &column->type, &key, &keys_only);
	row_set_datum(datapath, column, &zones);
	return 0;
}

static void
print_zone(const struct vsctl *vsctl, int64_t zone, const struct uuid *uuid,
           struct str *out)
{
	const struct row *row =
		replica_row(replica_table(&vsctl->replica, "CT_Zone"), uuid);
	const struct ovsdb_datum *ref = row ? row_get(row, "timeout_policy") : NULL;
	const struct row *policy = NULL;
	const struct ovsdb_datum *timeouts;

	str_printf(out, "Zone:%lld, Timeout Policies:", (long long)zone);
	if (ref && ref->n)
		policy = replica_row(replica_table(&vsctl->replica, "CT_Timeout_Policy"),
		                     &ref->keys[0].uuid);
	timeouts = policy ? row_get(policy, "timeouts") : NULL;
	for (size_t i = 0; timeouts && i < timeouts->n; i++)
		str_printf(out, " %s=%lld", timeouts->keys[i].string,
		           (long long)timeouts->values[i].integer);
	if (!timeouts || !timeouts->n)
		str_append(out, " system default");
	str_append_char(out, '\n');
}

static int
run_list_zones(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const struct ovsdb_datum *zones;
	struct row *datapath;
	int ret = get_datapath(vsctl, call->args[0], &datapath, err);

	if (ret)
		return ret;
	zones = row_get(datapath, "ct_zones");
	for (size_t i = 0; i < zones->n; i++)
		print_zone(vsctl, zones->keys[i].integer, &zones->values[i].uuid,
		           &call->out);
	return 0;
}

static int
run_list_capabilities(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	const struct ovsdb_datum *all;
	struct row *datapath;
	int ret = get_datapath(vsctl, call->args[0], &datapath, err);

	if (ret)
		return ret;
	all = row_get(datapath, "capabilities");
	for (size_t i = 0; i < all->n; i++)
		str_printf(&call->out, "%s%s=%s", i ? " " : "", all->keys[i].string,
		           all->values[i].string);
	str_append_char(&call->out, '\n');
	return 0;
}

static const char *const may_exist[] = {"--may-exist", NULL};
static const char *const if_exists[] = {"--if-exists", NULL};

const struct command vsctl_datapath_commands[] = {
	{"add-zone-tp", 3, ARGS_ANY, may_exist, prepare_datapath, run_add_zone, NULL},
	{"del-zone-tp", 2, 2, if_exists, prepare_datapath, run_del_zone, NULL},
	{"list-zone-tp", 1, 1, NULL, prepare_datapath, run_list_zones, NULL},
	{"list-dp-cap", 1, 1, NULL, prepare_datapath, run_list_capabilities, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
