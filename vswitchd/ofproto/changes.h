/* changes.h - changes of rules, groups and ports that hold together: all of them, or
 * none. Between flow_mod.c, groups.c, ports.c and the datapath. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

/* Reasons of flow-removed messages. */
enum removed_reason {
	REMOVED_IDLE,
	REMOVED_HARD,
	REMOVED_DELETE,
	REMOVED_GROUP_DELETE,
	REMOVED_METER_DELETE,
	REMOVED_EVICTION,
};

/* What a rule becomes; 'actions' is taken over, and left empty. */
struct rule_update {
	struct flow_actions *actions; /* NULL = they stay */
	uint64_t cookie, created_ns;
	uint16_t idle_s, hard_s, importance, flags;
	bool resets_counts;
	bool is_add; /* for monitors: it was replaced, not modified */
};

struct change;

struct changes {
	struct ofproto *ofproto;
	struct session *by; /* NULL = the switch itself */
	uint32_t xid;
	uint64_t now_ns;
	struct change *list;
	size_t n, allocated;
};

void changes_begin(struct changes *changes, struct ofproto *ofproto, struct session *by,
                   uint32_t xid);
/* Everything stays, is told to those who asked, and is published soon. */
void changes_commit(struct changes *changes);
/* As if nothing had been. */
void changes_abort(struct changes *changes);

/* These take effect at once, for later ones to see. On failure nothing has changed by
 * the call; the list is to be aborted or to go on. */

/* 'rule' is the table's afterwards; freed on failure. */
int changes_add_rule(struct changes *changes, struct rule *rule, struct of_error *error);
int changes_set_rule(struct changes *changes, struct rule *rule,
                     struct rule_update *update, struct of_error *error);
void changes_del_rule(struct changes *changes, struct rule *rule,
                      enum removed_reason reason);

/* From 'old' to 'new', either may be NULL. 'new' is the switch's; freed on failure. */
int changes_set_group(struct changes *changes, struct group *old, struct group *new,
                      struct of_error *error);
void changes_set_port_off(struct changes *changes, struct port *port, uint32_t off);

void group_free(struct group *group);
/* The rules that use a group or meter go, by 'reason'. */
void changes_del_users(struct changes *changes, const struct users *users,
                       enum removed_reason reason);
