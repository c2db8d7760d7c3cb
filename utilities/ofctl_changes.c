/* ofctl_changes.c - changes on their way to a switch: one by one and then a barrier, or
 * in a bundle that takes effect as a whole. For ofctl_flows.c and ofctl_mods.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"
#include "ofctl_protocols.h"
#include "openflow/of_match.h"

#define BUNDLE_ID             1
#define BUNDLE_ATOMIC_ORDERED 3

struct ofctl_changes {
	struct ofctl_conn *conn;
	bool is_bundle, has_table_id;
	unsigned errors;
};

static void
nothing(const uint8_t *data, size_t n, void *aux)
{
	(void)data, (void)n, (void)aux;
}

static void
bundle_control(struct ofctl_changes *changes, enum of_bundle_control type)
{
	struct of_msg msg;

	ofctl_begin(changes->conn, &msg, OFM_BUNDLE_CONTROL);
	msg.bundle.id = BUNDLE_ID;
	msg.bundle.type = (uint16_t)type;
	msg.bundle.flags = BUNDLE_ATOMIC_ORDERED;
	ofctl_transact(changes->conn, &msg, nothing, NULL);
}

struct ofctl_changes *
ofctl_changes_begin(const char *target, uint32_t versions, bool is_bundle)
{
	struct ofctl_changes *changes = xcalloc(1, sizeof(*changes));
	uint32_t with_bundles = OF_VERSIONS_ALL & ~((1U << OF13) - 1);

	changes->is_bundle = is_bundle;
	if (is_bundle && versions & with_bundles)
		versions &= with_bundles;
	else if (is_bundle)
		versions = 1U << OF14;
	changes->conn = ofctl_open(target, versions);
	if (is_bundle)
		bundle_control(changes, OF_BUNDLE_OPEN_REQUEST);
	return changes;
}

struct ofctl_conn *
ofctl_changes_conn(struct ofctl_changes *changes)
{
	return changes->conn;
}

void
ofctl_changes_add(struct ofctl_changes *changes, struct of_msg *msg)
{
	struct str bytes = STR_INIT;
	struct of_msg add;

	if (!changes->is_bundle) {
		ofctl_send(changes->conn, msg);
		return;
	}
	if (of_msg_encode(msg, &bytes))
		cli_die("%s cannot be in a bundle of this version",
		        of_kind_name(msg->kind));
	ofctl_begin(changes->conn, &add, OFM_BUNDLE_ADD);
	add.xid = msg->xid;
	add.bundle.id = BUNDLE_ID;
	add.bundle.flags = BUNDLE_ATOMIC_ORDERED;
	add.bundle.message = (const uint8_t *)bytes.data;
	add.bundle.n = bytes.length;
	ofctl_send(changes->conn, &add);
	str_free(&bytes);
	of_msg_destroy(msg);
}

void
ofctl_changes_end(struct ofctl_changes *changes)
{
	unsigned errors = ofctl_barrier(changes->conn);

	if (changes->is_bundle && !errors)
		bundle_control(changes, OF_BUNDLE_COMMIT_REQUEST);
	ofctl_close(changes->conn);
	free(changes);
	if (errors)
		exit(EXIT_FAILURE);
}

/* 1.0 has a place for a table only if that was agreed on. */
static void
want_table_id(struct ofctl_changes *changes)
{
	struct of_msg msg;

	if (changes->has_table_id)
		return;
	changes->has_table_id = true;
	ofctl_begin(changes->conn, &msg, OFM_NX_TABLE_ID);
	msg.number = 1;
	ofctl_send(changes->conn, &msg);
}

void
ofctl_changes_flow(struct ofctl_changes *changes, struct of_flow_mod *mod)
{
	enum of_version version = ofctl_version(changes->conn);
	struct of_msg msg;

	if (ofctl_options.flow_formats != OFCTL_ANY &&
	    !(ofctl_protocols_of(mod) & ofctl_protocols_allowed()))
		cli_die("no flow format that -F allows can say this rule");
	ofctl_begin(changes->conn, &msg, OFM_FLOW_MOD);
	msg.flow_mod = *mod;
	if (version == OF10) {
		if (mod->table != OF_TABLE_ALL)
			want_table_id(changes);
		else if (!changes->has_table_id)
			msg.flow_mod.table = 0; /* its place belongs to the command */
		msg.is_nicira = mod->cookie_mask ||
		                !of_match_fits(version, &mod->match) ||
		                !(ofctl_options.flow_formats & OFCTL_OF10);
	} else if (mod->table == OF_TABLE_ALL && mod->command == OF_FLOW_ADD) {
		msg.flow_mod.table = 0; /* 1.1 and later leave no choice */
	}
	ofctl_changes_add(changes, &msg);
	flow_actions_destroy(&mod->actions);
}
