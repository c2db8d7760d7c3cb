/* vsctl.h - what the commands of weir-vsctl share: the replica of the database and the
 * "@name" symbols of one command line. Single thread. */
#pragma once

#include <stdint.h>

#include "cmdline.h"
#include "replica.h"
#include "table.h"
#include "txn.h"

/* "@name": a row that a create or get command of this command line stands for. */
struct symbol {
	struct symbol *next;
	struct hmap_node node; /* in vsctl.symbols_by_name */
	char *name;            /* without the "@" */
	struct uuid uuid;      /* of the row, or the one it will be inserted with */
	bool is_defined;
	bool is_referenced;
	bool is_weak; /* its table needs a reference for its rows to stay */
};

struct vsctl {
	struct replica replica;
	struct symbol *symbols;
	struct hmap symbols_by_name;
	struct row *root;    /* the row of Open_vSwitch */
	bool must_try_again; /* wait-until: not yet */
	int exit_status;     /* of a successful run; br-exists makes it 2 */

	struct txn_inserted *inserted; /* after the transaction was stored, by 'uuid' */
	size_t n_inserted;
};

/* The symbol of that name, made if there is none. */
struct symbol *vsctl_symbol(struct vsctl *vsctl, const char *name);
void vsctl_symbols_free(struct vsctl *vsctl);

/* An ovsdb_named_uuid_fn whose 'aux' is the struct vsctl. */
bool vsctl_resolve_symbol(const char *name, struct uuid *uuid, void *aux);

/* The UUID that the database gave to a row inserted with 'uuid' in the replica. */
const struct uuid *vsctl_stored_uuid(const struct vsctl *vsctl, const struct uuid *uuid);

/* The commands, by family; each ends in an entry without a name. */
extern const struct command vsctl_read_commands[];     /* list, find, get, wait-until */
extern const struct command vsctl_write_commands[];    /* set, add, remove, ... */
extern const struct command vsctl_bridge_commands[];   /* add-br, list-br, ... */
extern const struct command vsctl_port_commands[];     /* add-port, list-ifaces, ... */
extern const struct command vsctl_remote_commands[];   /* controllers, managers, SSL */
extern const struct command vsctl_attach_commands[];   /* Auto-Attach mappings */
extern const struct command vsctl_datapath_commands[]; /* zones, capabilities */
extern const struct command *const vsctl_commands[];   /* all of them and some more */

/* Sets "column[:key]=value" on a row; also the trailing arguments of add-port. */
int vsctl_set_column(struct vsctl *vsctl, struct row *row, const char *argument,
                     struct error *err);
int vsctl_prepare_set_column(struct replica_table *table, const char *argument,
                             struct error *err);
