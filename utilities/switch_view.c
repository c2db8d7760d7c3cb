/* switch_view.c - builds the view that bridge, port and bond commands work on. */
#include "switch_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "value.h"

#define VLAN_MAX 4095

int
switch_view_prepare(struct vsctl *vsctl, struct invocation *call UNUSED,
                    struct error *err UNUSED)
{
	static const struct {
		const char *table, *column;
	} wanted[] = {
		{"Open_vSwitch", "bridges"}, {"Bridge", "name"},
		{"Bridge", "ports"},         {"Port", "name"},
		{"Port", "interfaces"},      {"Port", "tag"},
		{"Port", "fake_bridge"},     {"Interface", "name"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		replica_want(&vsctl->replica, wanted[i].table, wanted[i].column);
	return 0;
}

/* The row that the i-th reference in a column leads to, or NULL. */
static struct row *
follow(const struct vsctl *vsctl, const char *table, const struct ovsdb_datum *refs,
       size_t i)
{
	return replica_row(replica_table(&vsctl->replica, table), &refs->keys[i].uuid);
}

/* VLAN of the fake bridge that a row of Port makes, or -1. */
static int
fake_bridge_vlan(const struct row *port)
{
	int64_t vlan = row_integer(port, "tag", -1);

	return row_bool(port, "fake_bridge") && vlan >= 0 && vlan <= VLAN_MAX ? (int)vlan
	                                                                      : -1;
}

static int
compare_bridges(const void *a, const void *b)
{
	const struct bridge_view *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
compare_ports(const void *a, const void *b)
{
	const struct port_view *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
compare_ifaces(const void *a, const void *b)
{
	const struct iface_view *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct bridge_view *
find_by_row(const struct switch_view *view, const struct row *row)
{
	for (size_t i = 0; i < view->n_bridges; i++)
		if (view->bridges[i].row == row && !view->bridges[i].fake_port)
			return &view->bridges[i];
	return NULL;
}

static void
view_add_bridges(struct switch_view *view)
{
	struct vsctl *vsctl = view->vsctl;
	const struct ovsdb_datum *refs = row_get(vsctl->root, "bridges");
	size_t most = refs->n + replica_table(&vsctl->replica, "Port")->rows.count;

	view->bridges = xcalloc(most + 1, sizeof(*view->bridges));
	row_verify(vsctl->root, "bridges");
	for (size_t i = 0; i < refs->n; i++) {
		struct row *row = follow(vsctl, "Bridge", refs, i);
		const struct ovsdb_datum *ports;

		if (!row)
			continue;
		row_verify(row, "ports");
		view->bridges[view->n_bridges++] =
			(struct bridge_view){.name = row_string(row, "name"), .row = row};
		ports = row_get(row, "ports");
		for (size_t j = 0; j < ports->n; j++) {
			struct row *port = follow(vsctl, "Port", ports, j);
			int vlan = port ? fake_bridge_vlan(port) : -1;

			if (vlan >= 0)
				view->bridges[view->n_bridges++] = (struct bridge_view){
					.name = row_string(port, "name"),
					.row = row,
					.fake_port = port,
					.vlan = vlan};
		}
	}
	qsort(view->bridges, view->n_bridges, sizeof(*view->bridges), compare_bridges);
	for (size_t i = 0; i < view->n_bridges; i++)
		if (view->bridges[i].fake_port)
			view->bridges[i].parent = find_by_row(view, view->bridges[i].row);
}

/* The bridge that a port of the real bridge 'real' is shown in. */
static struct bridge_view *
bridge_of_port(const struct switch_view *view, struct bridge_view *real,
               const struct row *port)
{
	int64_t tag = row_integer(port, "tag", -1);

	for (size_t i = 0; i < view->n_bridges && tag >= 0; i++)
		if (view->bridges[i].parent == real && view->bridges[i].vlan == tag)
			return &view->bridges[i];
	return real;
}

static void
view_add_ports(struct switch_view *view)
{
	struct vsctl *vsctl = view->vsctl;
	size_t most = 0;

	for (size_t i = 0; i < view->n_bridges; i++)
		most += row_get(view->bridges[i].row, "ports")->n;
	view->ports = xcalloc(most + 1, sizeof(*view->ports));
	for (size_t i = 0; i < view->n_bridges; i++) {
		struct bridge_view *real = &view->bridges[i];
		const struct ovsdb_datum *refs = row_get(real->row, "ports");

		for (size_t j = 0; j < refs->n && !real->fake_port; j++) {
			struct row *row = follow(vsctl, "Port", refs, j);
			struct port_view *port;

			if (!row)
				continue;
			port = &view->ports[view->n_ports++];
			port->row = row;
			port->name = row_string(row, "name");
			port->bridge = bridge_of_port(view, real, row);
			port->is_local = !strcmp(port->name, port->bridge->name);
		}
	}
	qsort(view->ports, view->n_ports, sizeof(*view->ports), compare_ports);
}

static void
view_add_ifaces(struct switch_view *view)
{
	size_t most = 0;

	for (size_t i = 0; i < view->n_ports; i++)
		most += row_get(view->ports[i].row, "interfaces")->n;
	view->ifaces = xcalloc(most + 1, sizeof(*view->ifaces));
	for (size_t i = 0; i < view->n_ports; i++) {
		const struct ovsdb_datum *refs =
			row_get(view->ports[i].row, "interfaces");

		for (size_t j = 0; j < refs->n; j++) {
			struct row *row = follow(view->vsctl, "Interface", refs, j);

			if (row)
				view->ifaces[view->n_ifaces++] = (struct iface_view){
					.name = row_string(row, "name"),
					.row = row,
					.port = &view->ports[i]};
		}
	}
	qsort(view->ifaces, view->n_ifaces, sizeof(*view->ifaces), compare_ifaces);
}

void
switch_view_init(struct switch_view *view, struct vsctl *vsctl)
{
	memset(view, 0, sizeof(*view));
	view->vsctl = vsctl;
	view_add_bridges(view);
	view_add_ports(view);
	view_add_ifaces(view);
}

void
switch_view_destroy(struct switch_view *view)
{
	free(view->bridges);
	free(view->ports);
	free(view->ifaces);
}

struct bridge_view *
switch_find_bridge(const struct switch_view *view, const char *name)
{
	struct bridge_view key = {.name = name};

	return bsearch(&key, view->bridges, view->n_bridges, sizeof(key),
	               compare_bridges);
}

struct port_view *
switch_find_port(const struct switch_view *view, const char *name)
{
	struct port_view key = {.name = name};

	return bsearch(&key, view->ports, view->n_ports, sizeof(key), compare_ports);
}

struct iface_view *
switch_find_iface(const struct switch_view *view, const char *name)
{
	struct iface_view key = {.name = name};

	return bsearch(&key, view->ifaces, view->n_ifaces, sizeof(key), compare_ifaces);
}

int
switch_get_bridge(const struct switch_view *view, const char *name,
                  struct bridge_view **bridge, struct error *err)
{
	*bridge = switch_find_bridge(view, name);
	return *bridge ? 0 : error_set(err, -ENOENT, "no bridge named %s", name);
}

int
switch_get_real_bridge(const struct switch_view *view, const char *name,
                       struct bridge_view **bridge, struct error *err)
{
	int ret = switch_get_bridge(view, name, bridge, err);

	if (!ret && (*bridge)->fake_port)
		ret = error_set(err, -EINVAL, "%s is a fake bridge", name);
	return ret;
}

int
switch_get_port(const struct switch_view *view, const char *name, struct port_view **port,
                struct error *err)
{
	*port = switch_find_port(view, name);
	if (*port && !(*port)->is_local)
		return 0;
	return error_set(err, -ENOENT, "no port named %s", name);
}

int
switch_get_iface(const struct switch_view *view, const char *name,
                 struct iface_view **iface, struct error *err)
{
	*iface = switch_find_iface(view, name);
	if (*iface && !(*iface)->port->is_local)
		return 0;
	return error_set(err, -ENOENT, "no interface named %s", name);
}

int
switch_check_name_free(const struct switch_view *view, const char *what, const char *name,
                       struct error *err)
{
	const struct port_view *port = switch_find_port(view, name);
	const struct iface_view *iface = switch_find_iface(view, name);
	bool is_iface = !strcmp(what, "an interface");

	if (switch_find_bridge(view, name))
		return error_set(err, -EEXIST,
		                 "cannot create %s named %s because a bridge named %s "
		                 "already exists",
		                 what, name, name);
	if (port && !is_iface)
		return error_set(err, -EEXIST,
		                 "cannot create %s named %s because a port named %s "
		                 "already exists on bridge %s",
		                 what, name, name, port->bridge->name);
	if (iface)
		return error_set(err, -EEXIST,
		                 "cannot create %s named %s because an interface named "
		                 "%s already exists on bridge %s",
		                 what, name, name, iface->port->bridge->name);
	return 0;
}

void
switch_delete_port(struct switch_view *view, const struct port_view *port)
{
	const struct ovsdb_datum *refs = row_get(port->row, "interfaces");

	for (size_t i = 0; i < refs->n; i++) {
		struct row *iface = follow(view->vsctl, "Interface", refs, i);

		if (iface)
			row_delete(iface);
	}
	row_remove_ref(port->bridge->row, "ports", port->row);
	row_delete(port->row);
}

struct row *
switch_new_row(struct vsctl *vsctl, const char *table, const char *name)
{
	struct uuid uuid = uuid_random();
	struct row *row = row_insert(replica_table(&vsctl->replica, table), &uuid);
	struct ovsdb_datum datum;

	value_init_string(&datum, name);
	row_set(row, "name", &datum);
	return row;
}

int
switch_run(struct vsctl *vsctl, struct invocation *call, switch_body_fn *body,
           struct error *err)
{
	struct switch_view view;
	int ret;

	switch_view_init(&view, vsctl);
	ret = body(&view, call, err);
	switch_view_destroy(&view);
	return ret;
}
