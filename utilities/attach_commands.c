/* attach_commands.c - the Auto-Attach mappings of bridges, from service ids to VLANs. */
#include <errno.h>
#include <stdlib.h>

#include "switch_view.h"
#include "value.h"

#define ISID_MAX 0xffffff /* 24 bits on the wire (IEEE 802.1ah) */
#define VLAN_MAX 4095

static int
prepare_mapping(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	if (!replica_table(&vsctl->replica, "AutoAttach"))
		return error_set(err, -ENOTSUP, "the database has no table AutoAttach");
	replica_want(&vsctl->replica, "Bridge", "auto_attach");
	replica_want(&vsctl->replica, "AutoAttach", "mappings");
	return switch_view_prepare(vsctl, call, err);
}

/* The row that has the bridge's mappings, or NULL. */
static struct row *
mapping_row(const struct switch_view *view, const struct bridge_view *bridge)
{
	const struct ovsdb_datum *refs = row_get(bridge->row, "auto_attach");

	row_verify(bridge->row, "auto_attach");
	if (!refs->n)
		return NULL;
	return replica_row(replica_table(&view->vsctl->replica, "AutoAttach"),
	                   &refs->keys[0].uuid);
}

static int
parse_mapping(const struct invocation *call, union ovsdb_atom *isid,
              union ovsdb_atom *vlan, struct error *err)
{
	if (!parse_i64(call->args[1], 0, ISID_MAX, &isid->integer))
		return error_set(err, -EINVAL, "%s: \"%s\" is not an I-SID (0 to %d)",
		                 call->command->name, call->args[1], ISID_MAX);
	if (!parse_i64(call->args[2], 0, VLAN_MAX, &vlan->integer))
		return error_set(err, -EINVAL, "%s: \"%s\" is not a VLAN (0 to %d)",
		                 call->command->name, call->args[2], VLAN_MAX);
	return 0;
}

static int
add_mapping(struct switch_view *view, struct invocation *call, struct error *err)
{
	union ovsdb_atom isid, vlan;
	struct ovsdb_datum pair = {1, &isid, &vlan}, mappings, ref;
	const struct ovsdb_column *column;
	struct bridge_view *bridge;
	struct row *row;
	int ret;

	ret = switch_get_bridge(view, call->args[0], &bridge, err);
	if (!ret)
		ret = parse_mapping(call, &isid, &vlan, err);
	if (ret)
		return ret;
	row = mapping_row(view, bridge);
	if (!row) {
		struct uuid uuid = uuid_random();

		row = row_insert(replica_table(&view->vsctl->replica, "AutoAttach"),
		                 &uuid);
		value_init_uuid(&ref, &uuid);
		row_set(bridge->row, "auto_attach", &ref);
	}
	column = row_column(row, "mappings");
	row_verify_column(row, column);
	/* A mapping that is there stays. */
	if (value_index_of(row_datum(row, column), &column->type, &isid) >= 0)
		return 0;
	ovsdb_datum_clone(&mappings, row_datum(row, column), &column->type);
	value_add(&mappings, &pair, &column->type);
	row_set_datum(row, column, &mappings);
	return 0;
}

static int
run_add_mapping(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, add_mapping, err);
}

static int
del_mapping(struct switch_view *view, struct invocation *call, struct error *err)
{
	union ovsdb_atom isid, vlan;
	struct ovsdb_datum pair = {1, &isid, &vlan}, mappings;
	const struct ovsdb_column *column;
	struct bridge_view *bridge;
	struct row *row;
	int ret;

	ret = switch_get_bridge(view, call->args[0], &bridge, err);
	if (!ret)
		ret = parse_mapping(call, &isid, &vlan, err);
	if (ret)
		return ret;
	row = mapping_row(view, bridge);
	if (!row)
		return 0;
	column = row_column(row, "mappings");
	row_verify_column(row, column);
	ovsdb_datum_clone(&mappings, row_datum(row, column), &column->type);
	value_remove(&mappings, &column->type, &pair, &column->type);
	row_set_datum(row, column, &mappings);
	return 0;
}

static int
run_del_mapping(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, del_mapping, err);
}

static int
get_mapping(struct switch_view *view, struct invocation *call, struct error *err)
{
	const struct ovsdb_datum *mappings;
	struct bridge_view *bridge;
	const struct row *row;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	row = ret ? NULL : mapping_row(view, bridge);
	if (!row)
		return ret;
	mappings = row_get(row, "mappings");
	for (size_t i = 0; i < mappings->n; i++)
		str_printf(&call->out, "%lld %lld\n",
		           (long long)mappings->keys[i].integer,
		           (long long)mappings->values[i].integer);
	return 0;
}

static int
run_get_mapping(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, get_mapping, err);
}

const struct command vsctl_attach_commands[] = {
	{"add-aa-mapping", 3, 3, NULL, prepare_mapping, run_add_mapping, NULL},
	{"del-aa-mapping", 3, 3, NULL, prepare_mapping, run_del_mapping, NULL},
	{"get-aa-mapping", 1, 1, NULL, prepare_mapping, run_get_mapping, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
