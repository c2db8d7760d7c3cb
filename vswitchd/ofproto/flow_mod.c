/* flow_mod.c - the five commands, and what else makes rules come and go. Main thread. */
#include "vswitchd/ofproto/flow_mod.h"

#include "vswitchd/ofproto/action_check.h"
#include "vswitchd/ofproto/egress.h"
#include "vswitchd/ofproto/table_mod.h"
#include "vswitchd/ofproto/timeouts.h"

#define EXPIRE_AT_ONCE 10000 /* rules in a round: some 10 ms */

static void
select_rules(struct ofproto *ofproto, const struct rule_filter *filter,
             struct rule_list *list)
{
	if (filter->table != OF_TABLE_ALL) {
		flow_table_select(&ofproto->tables[filter->table], filter, list);
		return;
	}
	for (size_t i = 0; i < SWITCH_TABLES; i++)
		flow_table_select(&ofproto->tables[i], filter, list);
}

/* 1.0's and 1.1's adds reset counters of a rule that is there, so they say so. */
static uint16_t
flags_of(const struct of_flow_mod *mod, enum of_version version)
{
	const bool resets = version < OF12 && mod->command == OF_FLOW_ADD;

	return mod->flags | (resets ? OF_FLOW_RESET_COUNTS : 0);
}

/* Takes 'actions' over, in every outcome. */
static int
replace_rule(struct changes *changes, struct rule *rule, const struct of_flow_mod *mod,
             enum of_version version, struct flow_actions *actions,
             struct of_error *error)
{
	struct rule_update update = {
		.actions = actions,
		.cookie = mod->new_cookie,
		.created_ns = changes->now_ns,
		.idle_s = mod->idle_s,
		.hard_s = mod->hard_s,
		.importance = mod->importance,
		.flags = flags_of(mod, version),
		/* 1.0 and 1.1 remove an identical rule "including its counters". */
		.resets_counts = version < OF12 || mod->flags & OF_FLOW_RESET_COUNTS,
		.is_add = true,
	};
	const int result = changes_set_rule(changes, rule, &update, error);

	flow_actions_destroy(actions);
	return result;
}

static int
add_flow(struct changes *changes, const struct of_flow_mod *mod, enum of_version version,
         struct of_error *error)
{
	struct ofproto *ofproto = changes->ofproto;
	const uint8_t id = mod->table == OF_TABLE_ALL ? 0 : mod->table;
	struct flow_table *table = &ofproto->tables[id];
	struct flow_actions actions = {0};
	struct rule *rule;

	rule = flow_table_find(table, &mod->match, mod->priority);
	if (rule) {
		flow_actions_append(&actions, mod->actions.data, mod->actions.bytes);
		return replace_rule(changes, rule, mod, version, &actions, error);
	}
	if (mod->flags & OF_FLOW_CHECK_OVERLAP &&
	    flow_table_find_overlap(table, &mod->match, mod->priority))
		return of_fail(error, OFERR_FLOW_MOD_OVERLAP,
		               "another rule of priority %u matches the same packets",
		               mod->priority);
	if (table_make_room(changes, table, error))
		return -1;
	rule = rule_create(id, &mod->match, mod->priority);
	rule->cookie = mod->new_cookie;
	rule->idle_s = mod->idle_s;
	rule->hard_s = mod->hard_s;
	rule->importance = mod->importance;
	rule->flags = flags_of(mod, version);
	flow_actions_append(&rule->actions, mod->actions.data, mod->actions.bytes);
	return changes_add_rule(changes, rule, error);
}

static int
modify_rule(struct changes *changes, struct rule *rule, const struct of_flow_mod *mod,
            struct of_error *error)
{
	const bool changes_cookie = mod->modify_cookie && mod->new_cookie != UINT64_MAX;
	struct flow_actions actions = {0};
	struct rule_update update = {
		.actions = &actions,
		.cookie = changes_cookie ? mod->new_cookie : rule->cookie,
		.created_ns = rule->created_ns,
		.idle_s = rule->idle_s,
		.hard_s = rule->hard_s,
		.importance = rule->importance,
		.flags = rule->flags,
		.resets_counts = mod->flags & OF_FLOW_RESET_COUNTS,
	};
	int result;

	flow_actions_append(&actions, mod->actions.data, mod->actions.bytes);
	result = changes_set_rule(changes, rule, &update, error);
	flow_actions_destroy(&actions);
	return result;
}

static int
modify_flows(struct changes *changes, const struct of_flow_mod *mod,
             enum of_version version, const struct rule_filter *filter,
             struct of_error *error)
{
	struct of_flow_mod add = *mod;
	struct rule_list list = {0};
	int result = 0;

	select_rules(changes->ofproto, filter, &list);
	for (size_t i = 0; i < list.n && !result; i++)
		result = modify_rule(changes, list.rules[i], mod, error);
	/* 1.0's and 1.1's, without a cookie to look for, add what they do not find. */
	if (!list.n && !mod->cookie_mask &&
	    (version < OF12 || mod->new_cookie != UINT64_MAX)) {
		if (add.new_cookie == UINT64_MAX)
			add.new_cookie = mod->cookie;
		result = add_flow(changes, &add, version, error);
	}
	rule_list_destroy(&list);
	return result;
}

static void
delete_flows(struct changes *changes, const struct rule_filter *filter)
{
	struct rule_list list = {0};

	select_rules(changes->ofproto, filter, &list);
	for (size_t i = 0; i < list.n; i++)
		changes_del_rule(changes, list.rules[i], REMOVED_DELETE);
	rule_list_destroy(&list);
}

static int
check_flow_mod(const struct changes *changes, const struct of_flow_mod *mod,
               struct of_error *error)
{
	const uint8_t table = mod->table == OF_TABLE_ALL ? 0 : mod->table;

	if (mod->flags & OF_FLOW_EMERGENCY)
		return of_fail(error,
		               mod->idle_s || mod->hard_s ? OFERR_FLOW_MOD_EMERGENCY
		                                          : OFERR_FLOW_MOD_TABLE_FULL,
		               "there is no emergency flow cache");
	if (action_check(changes->ofproto, &mod->actions, &mod->match, table, false,
	                 error))
		return -1;
	return egress_check(changes->ofproto, &mod->actions, table, error);
}

int
flow_mod_run(struct changes *changes, const struct of_flow_mod *mod,
             enum of_version version, struct of_error *error)
{
	const bool is_delete =
		mod->command == OF_FLOW_DELETE || mod->command == OF_FLOW_DELETE_STRICT;
	const struct rule_filter filter = {
		.match = &mod->match,
		.is_strict = mod->command == OF_FLOW_DELETE_STRICT ||
	                     mod->command == OF_FLOW_MODIFY_STRICT,
		.priority = mod->priority,
		.table = mod->table,
		.cookie = mod->cookie,
		.cookie_mask = mod->cookie_mask,
		.out_port = is_delete ? mod->out_port : FLOW_PORT_NONE,
		.out_group = is_delete ? mod->out_group : OF_GROUP_ANY,
	};
	int result;

	if (mod->table != OF_TABLE_ALL && mod->table >= SWITCH_TABLES)
		return of_fail(error, OFERR_BAD_REQUEST_EPERM,
		               "table %u is the switch's own", mod->table);
	if (is_delete) {
		delete_flows(changes, &filter);
		return 0;
	}
	result = check_flow_mod(changes, mod, error);
	if (result)
		return result;
	if (mod->command != OF_FLOW_ADD)
		return modify_flows(changes, mod, version, &filter, error);
	return add_flow(changes, mod, version, error);
}

void
flow_mod_expire(struct ofproto *ofproto, uint64_t now_ns)
{
	struct rule_list idle = {0}, hard = {0};
	struct changes changes;

	timeouts_collect(ofproto, now_ns, EXPIRE_AT_ONCE, &idle, &hard);
	changes_begin(&changes, ofproto, NULL, 0);
	for (size_t i = 0; i < idle.n; i++)
		changes_del_rule(&changes, idle.rules[i], REMOVED_IDLE);
	for (size_t i = 0; i < hard.n; i++)
		changes_del_rule(&changes, hard.rules[i], REMOVED_HARD);
	changes_commit(&changes);
	rule_list_destroy(&idle);
	rule_list_destroy(&hard);
}

void
flow_mod_flush(struct ofproto *ofproto)
{
	static const struct flow_match any;
	const struct rule_filter filter = {
		.match = &any,
		.table = OF_TABLE_ALL,
		.out_port = FLOW_PORT_NONE,
		.out_group = OF_GROUP_ANY,
	};
	struct changes changes;

	changes_begin(&changes, ofproto, NULL, 0);
	delete_flows(&changes, &filter);
	changes_commit(&changes);
}

void
flow_mod_add_normal(struct ofproto *ofproto)
{
	struct of_flow_mod mod = {
		.command = OF_FLOW_ADD,
		.out_port = FLOW_PORT_NONE,
		.out_group = OF_GROUP_ANY,
		.buffer_id = OF_BUFFER_NONE,
	};
	struct flow_output *output =
		flow_actions_add(&mod.actions, ACTION_OUTPUT, sizeof(*output));
	struct changes changes;
	struct of_error error;

	output->port = FLOW_PORT_NORMAL;
	changes_begin(&changes, ofproto, NULL, 0);
	if (add_flow(&changes, &mod, OF15, &error))
		changes_abort(&changes);
	else
		changes_commit(&changes);
	flow_actions_destroy(&mod.actions);
}
