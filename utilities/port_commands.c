/* port_commands.c - ports, bonds and interfaces of bridges. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "switch_view.h"
#include "value.h"

/* What add-port and add-bond shall make. */
struct new_port {
	const char *command; /* its name and arguments as typed, for messages */
	const char *bridge, *name;
	char **ifaces;
	int n_ifaces;
	char **settings; /* column[:key]=value */
	int n_settings;
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The interfaces of a port, sorted and separated by ", "; the caller frees it. */
static char *
iface_list(const struct switch_view *view, const struct port_view *port)
{
	struct str list = STR_INIT;

	for (size_t i = 0; i < view->n_ifaces; i++)
		if (view->ifaces[i].port == port)
			str_printf(&list, "%s%s", list.length ? ", " : "",
			           view->ifaces[i].name);
	return str_steal(&list);
}

static char *
wanted_list(const struct new_port *wanted)
{
	size_t n = (size_t)wanted->n_ifaces;
	char **names = xmemdup(wanted->ifaces, n * sizeof(*names));
	struct str list = STR_INIT;

	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++)
		str_printf(&list, "%s%s", i ? ", " : "", names[i]);
	free(names);
	return str_steal(&list);
}

/* --may-exist: is the port that exists the one that was asked for? */
static int
check_same_port(const struct switch_view *view, const struct port_view *port,
                const struct new_port *wanted, struct error *err)
{
	char *have, *want;
	int ret = 0;

	if (strcmp(port->bridge->name, wanted->bridge))
		return error_set(err, -EEXIST,
		                 "\"%s\" but %s is actually attached to bridge %s",
		                 wanted->command, wanted->name, port->bridge->name);
	have = iface_list(view, port);
	want = wanted_list(wanted);
	if (strcmp(have, want))
		ret = error_set(err, -EEXIST,
		                "\"%s\" but %s actually has interface(s) %s",
		                wanted->command, wanted->name, have);
	free(have);
	free(want);
	return ret;
}

static int
check_new_names(const struct switch_view *view, const struct new_port *wanted,
                struct error *err)
{
	const struct port_view *port = switch_find_port(view, wanted->name);

	if (switch_find_bridge(view, wanted->name))
		return switch_check_name_free(view, "a port", wanted->name, err);
	if (port)
		return error_set(err, -EEXIST,
		                 "cannot create a port named %s because a port named %s "
		                 "already exists on bridge %s",
		                 wanted->name, wanted->name, port->bridge->name);
	for (int i = 0; i < wanted->n_ifaces; i++) {
		int ret = switch_check_name_free(view, "an interface", wanted->ifaces[i],
		                                 err);

		if (ret)
			return ret;
		for (int j = 0; j < i; j++)
			if (!strcmp(wanted->ifaces[i], wanted->ifaces[j]))
				return error_set(err, -EEXIST,
				                 "cannot create two interfaces named %s",
				                 wanted->ifaces[i]);
	}
	return 0;
}

static int
create_port(struct switch_view *view, const struct new_port *wanted,
            struct bridge_view *bridge, bool fake_iface, struct error *err)
{
	struct row *port = switch_new_row(view->vsctl, "Port", wanted->name);
	struct ovsdb_datum value;
	int ret = 0;

	for (int i = 0; i < wanted->n_ifaces; i++)
		row_add_ref(port, "interfaces",
		            switch_new_row(view->vsctl, "Interface", wanted->ifaces[i]));
	if (fake_iface) {
		value_init_bool(&value, true);
		row_set(port, "bond_fake_iface", &value);
	}
	if (bridge->fake_port) {
		value_init_integer(&value, bridge->vlan);
		row_set(port, "tag", &value);
	}
	for (int i = 0; i < wanted->n_settings && !ret; i++)
		ret = vsctl_set_column(view->vsctl, port, wanted->settings[i], err);
	row_add_ref(bridge->row, "ports", port);
	return ret;
}

static int
add_port(struct switch_view *view, const struct invocation *call,
         const struct new_port *wanted, struct error *err)
{
	const struct port_view *existing = switch_find_port(view, wanted->name);
	struct bridge_view *bridge;
	int ret;

	if (existing && !existing->is_local && invocation_has(call, "--may-exist"))
		return check_same_port(view, existing, wanted, err);
	ret = check_new_names(view, wanted, err);
	if (!ret)
		ret = switch_get_bridge(view, wanted->bridge, &bridge, err);
	return ret ? ret
	           : create_port(view, wanted, bridge,
	                         invocation_has(call, "--fake-iface"), err);
}

static int
prepare_settings(struct vsctl *vsctl, struct invocation *call, int first,
                 struct error *err)
{
	struct replica_table *ports = replica_table(&vsctl->replica, "Port");
	int ret = switch_view_prepare(vsctl, call, err);

	for (int i = first; i < call->n_args && !ret; i++)
		ret = vsctl_prepare_set_column(ports, call->args[i], err);
	return ret;
}

static int
prepare_add_port(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return prepare_settings(vsctl, call, 2, err);
}

static int
add_port_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct new_port wanted = {
		.bridge = call->args[0],
		.name = call->args[1],
		.ifaces = &call->args[1],
		.n_ifaces = 1,
		.settings = call->args + 2,
		.n_settings = call->n_args - 2,
	};
	char *command =
		xasprintf("--may-exist add-port %s %s", wanted.bridge, wanted.name);
	int ret;

	wanted.command = command;
	ret = add_port(view, call, &wanted, err);
	free(command);
	return ret;
}

static int
run_add_port(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, add_port_body, err);
}

/* The interfaces of add-bond end where the first setting begins. */
static int
count_ifaces(const struct invocation *call)
{
	int n = 0;

	while (n + 2 < call->n_args && !strchr(call->args[n + 2], '='))
		n++;
	return n;
}

static int
prepare_add_bond(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	replica_want(&vsctl->replica, "Port", "bond_fake_iface");
	return prepare_settings(vsctl, call, 2 + count_ifaces(call), err);
}

static int
add_bond_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	int n = count_ifaces(call), ret;
	struct new_port wanted = {
		.bridge = call->args[0],
		.name = call->args[1],
		.ifaces = call->args + 2,
		.n_ifaces = n,
		.settings = call->args + 2 + n,
		.n_settings = call->n_args - 2 - n,
	};
	struct str command = STR_INIT;

	if (n < 2)
		return error_set(err, -EINVAL,
		                 "add-bond: a bond needs at least two interfaces");
	str_append(&command, "--may-exist add-bond");
	for (int i = 0; i < 2 + n; i++)
		str_printf(&command, " %s", call->args[i]);
	wanted.command = str_text(&command);
	ret = add_port(view, call, &wanted, err);
	str_free(&command);
	return ret;
}

static int
run_add_bond(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, add_bond_body, err);
}

/* The port that del-port names; NULL if there is none and that is fine. */
static int
find_port_to_delete(struct switch_view *view, const struct invocation *call,
                    const char *name, struct port_view **port, struct error *err)
{
	bool with_iface = invocation_has(call, "--with-iface");
	const struct iface_view *iface;

	*port = switch_find_port(view, name);
	if (!*port && with_iface) {
		iface = switch_find_iface(view, name);
		*port = iface ? iface->port : NULL;
	}
	if (!*port && !invocation_has(call, "--if-exists"))
		return error_set(err, -ENOENT, "no port%s named %s",
		                 with_iface ? " or interface" : "", name);
	if (*port && (*port)->is_local)
		return error_set(err, -EINVAL,
		                 "cannot delete port %s because it is the local port for "
		                 "bridge %s (deleting this port requires deleting the "
		                 "entire bridge)",
		                 name, (*port)->bridge->name);
	return 0;
}

static int
del_port_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	const char *name = call->args[call->n_args - 1];
	struct bridge_view *bridge = NULL;
	struct port_view *port;
	int ret;

	ret = find_port_to_delete(view, call, name, &port, err);
	if (!ret && port && call->n_args == 2)
		ret = switch_get_bridge(view, call->args[0], &bridge, err);
	if (ret || !port)
		return ret;
	if (bridge && port->bridge != bridge)
		return error_set(err, -EINVAL,
		                 "bridge %s does not have a port %s (bridge %s has it)",
		                 bridge->name, name, port->bridge->name);
	switch_delete_port(view, port);
	return 0;
}

static int
run_del_port(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, del_port_body, err);
}

static int
list_ports_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	for (size_t i = 0; i < view->n_ports && !ret; i++)
		if (view->ports[i].bridge == bridge && !view->ports[i].is_local)
			str_printf(&call->out, "%s\n", view->ports[i].name);
	return ret;
}

static int
run_list_ports(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, list_ports_body, err);
}

static int
list_ifaces_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct bridge_view *bridge;
	int ret = switch_get_bridge(view, call->args[0], &bridge, err);

	for (size_t i = 0; i < view->n_ifaces && !ret; i++) {
		const struct iface_view *iface = &view->ifaces[i];

		if (iface->port->bridge == bridge && strcmp(iface->name, bridge->name))
			str_printf(&call->out, "%s\n", iface->name);
	}
	return ret;
}

static int
run_list_ifaces(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, list_ifaces_body, err);
}

static int
port_to_br_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct port_view *port;
	int ret = switch_get_port(view, call->args[0], &port, err);

	if (!ret)
		str_printf(&call->out, "%s\n", port->bridge->name);
	return ret;
}

static int
run_port_to_br(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, port_to_br_body, err);
}

static int
iface_to_br_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	struct iface_view *iface;
	int ret = switch_get_iface(view, call->args[0], &iface, err);

	if (!ret)
		str_printf(&call->out, "%s\n", iface->port->bridge->name);
	return ret;
}

static int
run_iface_to_br(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, iface_to_br_body, err);
}

static int
add_bond_iface_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	const char *name = call->args[1];
	struct iface_view *existing = switch_find_iface(view, name);
	struct port_view *port;
	int ret = switch_get_port(view, call->args[0], &port, err);

	if (ret)
		return ret;
	if (existing && existing->port == port && invocation_has(call, "--may-exist"))
		return 0;
	ret = switch_check_name_free(view, "an interface", name, err);
	if (!ret)
		row_add_ref(port->row, "interfaces",
		            switch_new_row(view->vsctl, "Interface", name));
	return ret;
}

static int
run_add_bond_iface(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, add_bond_iface_body, err);
}

static int
del_bond_iface_body(struct switch_view *view, struct invocation *call, struct error *err)
{
	const char *name = call->args[call->n_args - 1];
	struct port_view *port = NULL;
	struct iface_view *iface = switch_find_iface(view, name);
	int ret = 0;

	if (call->n_args == 2)
		ret = switch_get_port(view, call->args[0], &port, err);
	if (ret)
		return ret;
	if (!iface && invocation_has(call, "--if-exists"))
		return 0;
	if (!iface)
		return switch_get_iface(view, name, &iface, err);
	if (port && iface->port != port)
		return error_set(err, -EINVAL,
		                 "port %s does not have an interface %s (port %s has it)",
		                 port->name, name, iface->port->name);
	if (row_get(iface->port->row, "interfaces")->n == 1)
		return error_set(err, -EINVAL,
		                 "cannot delete last interface from port %s",
		                 iface->port->name);
	row_remove_ref(iface->port->row, "interfaces", iface->row);
	row_delete(iface->row);
	return 0;
}

static int
run_del_bond_iface(struct vsctl *vsctl, struct invocation *call, struct error *err)
{
	return switch_run(vsctl, call, del_bond_iface_body, err);
}

static const char *const may_exist[] = {"--may-exist", NULL};
static const char *const if_exists[] = {"--if-exists", NULL};
static const char *const bond_options[] = {"--may-exist", "--fake-iface", NULL};
static const char *const del_port_options[] = {"--if-exists", "--with-iface", NULL};

const struct command vsctl_port_commands[] = {
	{"list-ports", 1, 1, NULL, switch_view_prepare, run_list_ports, NULL},
	{"add-port", 2, ARGS_ANY, may_exist, prepare_add_port, run_add_port, NULL},
	{"del-port", 1, 2, del_port_options, switch_view_prepare, run_del_port, NULL},
	{"port-to-br", 1, 1, NULL, switch_view_prepare, run_port_to_br, NULL},
	{"add-bond", 4, ARGS_ANY, bond_options, prepare_add_bond, run_add_bond, NULL},
	{"add-bond-iface", 2, 2, may_exist, switch_view_prepare, run_add_bond_iface,
         NULL},
	{"del-bond-iface", 1, 2, if_exists, switch_view_prepare, run_del_bond_iface,
         NULL},
	{"list-ifaces", 1, 1, NULL, switch_view_prepare, run_list_ifaces, NULL},
	{"iface-to-br", 1, 1, NULL, switch_view_prepare, run_iface_to_br, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
