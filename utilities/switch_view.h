/* switch_view.h - bridges, ports and interfaces by name, as the bridge and port commands
 * see them: VLAN ("fake") bridges appear as bridges of their own. Built anew by each
 * command, from the rows as the commands before it left them. */
#pragma once

#include "vsctl.h"

struct bridge_view {
	const char *name;
	struct row *row;            /* of Bridge; a fake bridge has its parent's */
	struct row *fake_port;      /* of Port; NULL if a real bridge */
	struct bridge_view *parent; /* NULL if a real bridge */
	int vlan;                   /* 0 if a real bridge */
};

struct port_view {
	const char *name;
	struct row *row;
	struct bridge_view *bridge; /* maybe a fake one */
	bool is_local; /* bears its bridge's name: belongs to it, not listed */
};

struct iface_view {
	const char *name;
	struct row *row;
	struct port_view *port;
};

struct switch_view {
	struct vsctl *vsctl;
	struct bridge_view *bridges; /* each array in the order of the names */
	struct port_view *ports;
	struct iface_view *ifaces;
	size_t n_bridges, n_ports, n_ifaces;
};

/* Asks for what switch_view_init() reads. A struct command's 'prepare'. */
int switch_view_prepare(struct vsctl *vsctl, struct invocation *call, struct error *err);

void switch_view_init(struct switch_view *view, struct vsctl *vsctl);
void switch_view_destroy(struct switch_view *view);

/* NULL if there is none. Ports and interfaces that are a bridge's own do not count, as
 * they have no life of their own. */
struct bridge_view *switch_find_bridge(const struct switch_view *view, const char *name);
struct port_view *switch_find_port(const struct switch_view *view, const char *name);
struct iface_view *switch_find_iface(const struct switch_view *view, const char *name);

/* -ENOENT if there is none. */
int switch_get_bridge(const struct switch_view *view, const char *name,
                      struct bridge_view **bridge, struct error *err);
/* Refuses fake bridges too. */
int switch_get_real_bridge(const struct switch_view *view, const char *name,
                           struct bridge_view **bridge, struct error *err);
int switch_get_port(const struct switch_view *view, const char *name,
                    struct port_view **port, struct error *err);
int switch_get_iface(const struct switch_view *view, const char *name,
                     struct iface_view **iface, struct error *err);

/* -EEXIST if a bridge, port or interface has the name already. 'what' is what shall be
 * created, with its article: "a bridge". */
int switch_check_name_free(const struct switch_view *view, const char *what,
                           const char *name, struct error *err);

/* Takes the port and its interfaces out of their bridge and deletes them. */
void switch_delete_port(struct switch_view *view, const struct port_view *port);

/* New rows, not referenced yet. */
struct row *switch_new_row(struct vsctl *vsctl, const char *table, const char *name);

/* Runs a command's body with the view of the switch made for it. */
typedef int switch_body_fn(struct switch_view *view, struct invocation *call,
                           struct error *err);
int switch_run(struct vsctl *vsctl, struct invocation *call, switch_body_fn *body,
               struct error *err);
