/* bridge_commands.c - add-br, del-br, list-br and what else is about bridges. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "switch_view.h"
#include "value.h"

#define FAKE_BRIDGE_KEY_PREFIX "fake-bridge-"

/* Port and Interface of the bridge's own name. */
static struct row *
new_local_port(struct vsctl *vsctl, const char *name)
{
	struct row *iface = switch_new_row(vsctl, "Interface", name);
	struct row *port = switch_new_row(vsctl, "Port", name);
	struct ovsdb_datum type;

	value_init_string(&type, "internal");
	row_set(iface, "type", &type);
	row_add_ref(port, "interfaces", iface);
	return port;
}

static int
add_real_bridge(struct switch_view *view, const char *name)
{
	struct row *bridge = switch_new_row(view->vsctl, "Bridge", name);

	row_add_ref(bridge, "ports", new_local_port(view->vsctl, name));
	row_add_ref(view->vsctl->root, "bridges", bridge);
	return 0;
}

static int
add_fake_bridge(struct switch_view *view, const char *name, const char *parent_name,
                int vlan, struct error *err)
{
	struct bridge_view *parent = switch_find_bridge(view, parent_name);
	struct ovsdb_datum value;
	struct row *port;

	if (!parent)
		return error_set(err, -ENOENT, "parent bridge %s does not exist",
		                 parent_name);
	if (parent->fake_port)
		return error_set(err, -EINVAL,
		                 "cannot create bridge with fake bridge as parent");
	for (size_t i = 0; i < view->n_bridges; i++)
		if (view->bridges[i].parent == parent && view->bridges[i].vlan == vlan)
			return error_set(err, -EEXIST,
			                 "bridge %s already has a child VLAN bridge %s "
			                 "on VLAN %d",
			                 parent_name, view->bridges[i].name, vlan);
	port = new_local_port(view->vsctl, name);
	value_init_bool(&value, true);
	row_set(port, "fake_bridge", &value);
	value_init_integer(&value, vlan);
	row_set(port, "tag", &value);
	row_add_ref(parent->row, "ports", port);
	return 0;
}

/* --may-exist: is the bridge that exists the one that was asked for? */
static int
check_same_bridge(const struct bridge_view *bridge, const char *parent, int vlan,
                  struct error *err)
{
	const char *name = bridge->name;

	if (!parent) {
		if (!bridge->fake_port)
			return 0;
		return error_set(err, -EEXIST,
		                 "\"--may-exist add-br %s\" but %s is a VLAN bridge for "
		                 "VLAN %d",
		                 name, name, bridge->vlan);
	}
	if (!bridge->fake_port)
		return error_set(err, -EEXIST,
		                 "\"--may-exist add-br %s %s %d\" but %s is not a VLAN "
		                 "bridge",
		                 name, parent, vlan, name);
	if (strcmp(bridge->parent->name, parent))
		return error_set(err, -EEXIST,
		                 "\"--may-exist add-br %s %s %d\" but %s has the wrong "
		                 "parent %s",
		                 name, parent, vlan, name, bridge->parent->name);
	if (bridge->vlan != vlan)
		return error_set(
			err, -EEXIST,
			"\"--may-exist add-br %s %s %d\" but %s is a VLAN bridge "
			"for the wrong VLAN %d",
			name, parent, vlan, name, bridge->vlan);
	return 0;
}

static int
add_br(struct switch_view *view, struct invocation *call, struct error *err)
{
	const char *name = call->args[0];
	const char *parent = call->n_args > 1 ? call->args[1] : NULL;
	const struct bridge_view *existing = switch_find_bridge(view, name);
	int64_t vlan = 0;
	int ret;

	if (call->n_args == 2)
		return error_set(err, -EINVAL,
		                 "'add-br' command takes exactly 1 or 3 arguments");
	if (parent && !parse_i64(call->args[2], 0, 4095, &vlan))
		return error_set(err, -EINVAL, "add-br: vlan must be between 0 and 4095");
	if (existing && invocation_has(call, "--may-exist"))
		return check_same_bridge(existing, parent, (int)vlan, err);
	ret = switch_check_name_free(view, "a bridge", name, err);
	if (ret)
		return ret;
	return parent ? add_fake_bridge(view, name, parent, (int)vlan, err)
	              : add_real_bridge(view, name);
}

static int
run_add_br(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, add_br, err);
}

static int
del_br(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge = switch_find_bridge(view, call->args[0]);

	if (!bridge && invocation_has(call, "--if-exists"))
		return 0;
	if (!bridge)
		return switch_get_bridge(view, call->args[0], &bridge, err);
	for (size_t i = 0; i < view->n_ports; i++) {
		const struct port_view *port = &view->ports[i];

		if (bridge->fake_port ? port->bridge == bridge
		                      : port->bridge->row == bridge->row)
			switch_delete_port(view, port);
	}
	if (!bridge->fake_port) {
		row_remove_ref(view->vsctl->root, "bridges", bridge->row);
		row_delete(bridge->row);
	}
	return 0;
}

static int
run_del_br(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, del_br, err);
}

static int
list_br(struct switch_view *view, struct invocation *call, struct error *err UNUSED)
{
	bool real = invocation_has(call, "--real"), fake = invocation_has(call, "--fake");

	if (!real && !fake)
		real = fake = true;
	for (size_t i = 0; i < view->n_bridges; i++)
		if (view->bridges[i].fake_port ? fake : real)
			str_printf(&call->out, "%s\n", view->bridges[i].name);
	return 0;
}

static int
run_list_br(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, list_br, err);
}

static int
br_exists(struct switch_view *view, struct invocation *call, struct error *err UNUSED)
{
	if (!switch_find_bridge(view, call->args[0]))
		view->vsctl->exit_status = 2;
	return 0;
}

static int
run_br_exists(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, br_exists, err);
}

static int
br_to_vlan(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	if (!ret)
		str_printf(&call->out, "%d\n", bridge->vlan);
	return ret;
}

static int
run_br_to_vlan(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, br_to_vlan, err);
}

static int
br_to_parent(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	if (!ret)
		str_printf(&call->out, "%s\n",
		           bridge->parent ? bridge->parent->name : bridge->name);
	return ret;
}

static int
run_br_to_parent(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, br_to_parent, err);
}

static int
prepare_external_id(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	replica_want(&vsctl->replica, "Bridge", "external_ids");
	replica_want(&vsctl->replica, "Port", "external_ids");
	return switch_view_prepare(vsctl, call, err);
}

/* A fake bridge keeps its ids in its port, under prefixed keys. */
static struct row *
external_id_row(const struct bridge_view *bridge, const char **prefix)
{
	*prefix = bridge->fake_port ? FAKE_BRIDGE_KEY_PREFIX : "";
	return bridge->fake_port ? bridge->fake_port : bridge->row;
}

static int
br_set_external_id(struct switch_view *view, struct invocation *call, struct error *err)
{
	const struct ovsdb_column *column;
	struct bridge_view *bridge;
	union ovsdb_atom key, value;
	struct ovsdb_datum datum, one = {1, &key, NULL};
	struct ovsdb_type keys_only;
	const char *prefix;
	struct row *row;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	if (ret)
		return ret;
	row = external_id_row(bridge, &prefix);
	column = row_column(row, "external_ids");
	row_verify_column(row, column);
	ovsdb_datum_clone(&datum, row_datum(row, column), &column->type);
	key.string = xasprintf("%s%s", prefix, call->args[1]);
	if (call->n_args > 2) {
		value.string = call->args[2];
		one.values = &value;
		value_add(&datum, &one, &column->type);
	} else {
		keys_only = column->type;
		keys_only.value.kind = OVSDB_VOID;
		value_remove(&datum, &column->type, &one, &keys_only);
	}
	free(key.string);
	row_set_datum(row, column, &datum);
	return 0;
}

static int
run_br_set_external_id(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, br_set_external_id, err);
}

static int
br_get_external_id(struct switch_view *view, struct invocation *call, struct error *err)
{
	const struct ovsdb_datum *ids;
	struct bridge_view *bridge;
	const char *prefix;
	struct row *row;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	if (ret)
		return ret;
	row = external_id_row(bridge, &prefix);
	row_verify(row, "external_ids");
	ids = row_get(row, "external_ids");
	for (size_t i = 0; i < ids->n; i++) {
		const char *key = ids->keys[i].string;

		if (strncmp(key, prefix, strlen(prefix)))
			continue;
		key += strlen(prefix);
		if (call->n_args == 1)
			str_printf(&call->out, "%s=%s\n", key, ids->values[i].string);
		else if (!strcmp(key, call->args[1]))
			str_printf(&call->out, "%s\n", ids->values[i].string);
	}
	return 0;
}

static int
run_br_get_external_id(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, br_get_external_id, err);
}

static const char *const may_exist[] = {"--may-exist", NULL};
static const char *const if_exists[] = {"--if-exists", NULL};
static const char *const list_options[] = {"--real", "--fake", NULL};

const struct command vsctl_bridge_commands[] = {
	{"add-br", 1, 3, may_exist, switch_view_prepare, run_add_br, NULL},
	{"del-br", 1, 1, if_exists, switch_view_prepare, run_del_br, NULL},
	{"list-br", 0, 0, list_options, switch_view_prepare, run_list_br, NULL},
	{"br-exists", 1, 1, NULL, switch_view_prepare, run_br_exists, NULL},
	{"br-to-vlan", 1, 1, NULL, switch_view_prepare, run_br_to_vlan, NULL},
	{"br-to-parent", 1, 1, NULL, switch_view_prepare, run_br_to_parent, NULL},
	{"br-set-external-id", 2, 3, NULL, prepare_external_id, run_br_set_external_id,
         NULL},
	{"br-get-external-id", 1, 2, NULL, prepare_external_id, run_br_get_external_id,
         NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
