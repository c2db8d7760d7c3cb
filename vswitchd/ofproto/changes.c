/* changes.c - changes of rules, groups and ports, each carried out at once and undone in
 * reverse if a later one fails. Above flow_table.c; reports what remains. Main thread. */
#include "vswitchd/ofproto/changes.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "vswitchd/ofproto/eviction.h"
#include "vswitchd/ofproto/learners.h"
#include "vswitchd/ofproto/monitors.h"
#include "vswitchd/ofproto/references.h"
#include "vswitchd/ofproto/timeouts.h"

enum change_kind { CHANGE_ADD, CHANGE_SET, CHANGE_DEL, CHANGE_GROUP, CHANGE_PORT };

/* A rule as it was before a CHANGE_SET. */
struct rule_before {
	struct flow_actions actions;
	bool has_actions;
	uint64_t cookie, created_ns, modified_ns, base_packets, base_bytes;
	uint16_t idle_s, hard_s, importance, flags;
};

struct change {
	enum change_kind kind;
	bool is_add; /* of CHANGE_SET */
	enum removed_reason reason;
	struct rule *rule;
	struct rule_before *before;
	struct group *old_group, *new_group;
	struct port *port;
	uint32_t old_off;
};

void
changes_begin(struct changes *changes, struct ofproto *ofproto, struct session *by,
              uint32_t xid)
{
	*changes = (struct changes){
		.ofproto = ofproto, .by = by, .xid = xid, .now_ns = dp_time_ns()};
}

static struct change *
changes_append(struct changes *changes, enum change_kind kind)
{
	struct change *change;

	if (changes->n == changes->allocated) {
		changes->allocated = changes->allocated ? 2 * changes->allocated : 4;
		changes->list = xrealloc(changes->list,
		                         changes->allocated * sizeof(*changes->list));
	}
	change = &changes->list[changes->n++];
	*change = (struct change){.kind = kind};
	return change;
}

/* ---- what hangs on a rule's actions ---- */

static void
count_rule(struct ofproto *ofproto, struct rule *rule, bool is_more)
{
	if (is_more)
		references_add(ofproto, rule);
	else
		references_remove(rule);
	learners_count(ofproto, &rule->actions, is_more);
	if (!actions_have(rule->actions.data, rule->actions.bytes, ACTION_FIN_TIMEOUT))
		return;
	if (is_more)
		hmap_insert(&ofproto->fin_rules, &rule->fin, hash_u64(rule->id, 0));
	else
		hmap_remove(&ofproto->fin_rules, &rule->fin);
}

/* ---- into the datapath ---- */

static int
fail_datapath(struct of_error *error, int result, const struct error *err)
{
	return of_fail(error,
	               result == -ENOSPC || result == -ENOMEM ? OFERR_FLOW_MOD_TABLE_FULL
	                                                      : OFERR_FLOW_MOD_UNKNOWN,
	               "%s", err->text);
}

static void
rule_enter(struct changes *changes, struct rule *rule)
{
	struct ofproto *ofproto = changes->ofproto;

	flow_table_insert(&ofproto->tables[rule->table], rule);
	learners_note_rule(ofproto, rule->table, rule->cookie, true);
	count_rule(ofproto, rule, true);
	timeouts_schedule(ofproto, rule, changes->now_ns);
	switch_touch(ofproto);
}

/* Into its table and the datapath. */
static int
rule_install(struct changes *changes, struct rule *rule, struct of_error *error)
{
	struct ofproto *ofproto = changes->ofproto;
	const struct dp_rule_config config = {
		.id = rule->id,
		.table = rule->table,
		.priority = rule->priority,
		.match = rule->match,
		.actions = rule->actions.data,
		.actions_bytes = rule->actions.bytes,
		.cookie = rule->cookie,
		.counts_packets = !(rule->flags & OF_FLOW_NO_PACKETS),
		.counts_bytes = !(rule->flags & OF_FLOW_NO_BYTES),
	};
	struct error err = {""};
	const int result = dp_rule_add(ofproto->bridge_id, &config, &rule->dp, &err);

	if (result)
		return fail_datapath(error, result, &err);
	rule_enter(changes, rule);
	return 0;
}

/* Out of both; what it counted stays with it. */
static void
rule_uninstall(struct changes *changes, struct rule *rule)
{
	struct ofproto *ofproto = changes->ofproto;
	struct rule_stats stats;

	rule_get_stats(rule, &stats);
	rule->base_packets = stats.packets;
	rule->base_bytes = stats.bytes;
	rule->base_used_ns = stats.used_ns;
	if (rule->dp)
		dp_rule_del(rule->dp);
	rule->dp = NULL;
	list_remove(&rule->timeout);
	eviction_remove(rule);
	learners_note_rule(ofproto, rule->table, rule->cookie, false);
	flow_table_remove(&ofproto->tables[rule->table], rule);
	count_rule(ofproto, rule, false);
	switch_touch(ofproto);
}

int
changes_add_rule(struct changes *changes, struct rule *rule, struct of_error *error)
{
	rule->created_ns = rule->modified_ns = changes->now_ns;
	rule->id = ++changes->ofproto->n_rule_ids;
	if (rule_install(changes, rule, error)) {
		rule_free(rule);
		return -EPROTO;
	}
	changes_append(changes, CHANGE_ADD)->rule = rule;
	return 0;
}

void
changes_del_rule(struct changes *changes, struct rule *rule, enum removed_reason reason)
{
	struct change *change = changes_append(changes, CHANGE_DEL);

	change->rule = rule;
	change->reason = reason;
	rule_uninstall(changes, rule);
}

static void
rule_reset_counts(struct rule *rule)
{
	struct rule_stats stats;

	rule_get_stats(rule, &stats);
	rule->base_packets -= stats.packets;
	rule->base_bytes -= stats.bytes;
}

static void
set_cookie(struct ofproto *ofproto, struct rule *rule, uint64_t cookie)
{
	learners_note_rule(ofproto, rule->table, rule->cookie, false);
	flow_table_set_cookie(&ofproto->tables[rule->table], rule, cookie);
	learners_note_rule(ofproto, rule->table, rule->cookie, true);
}

int
changes_set_rule(struct changes *changes, struct rule *rule, struct rule_update *update,
                 struct of_error *error)
{
	struct ofproto *ofproto = changes->ofproto;
	const struct flow_actions *actions =
		update->actions ? update->actions : &rule->actions;
	struct change *change;
	struct rule_before *before;
	struct error err = {""};
	const int result = rule->dp ? dp_rule_set(rule->dp, actions->data, actions->bytes,
	                                          update->cookie, &err)
	                            : 0;

	if (result)
		return fail_datapath(error, result, &err);
	change = changes_append(changes, CHANGE_SET);
	change->rule = rule;
	change->is_add = update->is_add;
	before = change->before = xcalloc(1, sizeof(*before));
	*before = (struct rule_before){
		.cookie = rule->cookie,
		.created_ns = rule->created_ns,
		.modified_ns = rule->modified_ns,
		.base_packets = rule->base_packets,
		.base_bytes = rule->base_bytes,
		.idle_s = rule->idle_s,
		.hard_s = rule->hard_s,
		.importance = rule->importance,
		.flags = rule->flags,
	};
	if (update->actions) {
		before->has_actions = true;
		before->actions = rule->actions;
		count_rule(ofproto, rule, false);
		rule->actions = *update->actions;
		*update->actions = (struct flow_actions){0};
		count_rule(ofproto, rule, true);
	}
	set_cookie(ofproto, rule, update->cookie);
	rule->created_ns = update->created_ns;
	rule->modified_ns = changes->now_ns;
	rule->idle_s = update->idle_s;
	rule->hard_s = update->hard_s;
	rule->importance = update->importance;
	rule->flags = update->flags;
	if (update->resets_counts)
		rule_reset_counts(rule);
	timeouts_schedule(ofproto, rule, changes->now_ns);
	switch_touch(ofproto);
	return 0;
}

static void
rule_restore(struct changes *changes, struct rule *rule, struct rule_before *before)
{
	struct error err;

	if (before->has_actions) {
		count_rule(changes->ofproto, rule, false);
		flow_actions_destroy(&rule->actions);
		rule->actions = before->actions;
		before->actions = (struct flow_actions){0};
		count_rule(changes->ofproto, rule, true);
	}
	set_cookie(changes->ofproto, rule, before->cookie);
	rule->created_ns = before->created_ns;
	rule->modified_ns = before->modified_ns;
	rule->base_packets = before->base_packets;
	rule->base_bytes = before->base_bytes;
	rule->idle_s = before->idle_s;
	rule->hard_s = before->hard_s;
	rule->importance = before->importance;
	rule->flags = before->flags;
	if (rule->dp)
		dp_rule_set(rule->dp, rule->actions.data, rule->actions.bytes,
		            rule->cookie, &err);
	timeouts_schedule(changes->ofproto, rule, changes->now_ns);
}

/* ---- groups ---- */

static int
group_install(struct ofproto *ofproto, const struct group *group, struct of_error *error)
{
	struct dp_group_config config = {
		.number = group->number,
		.type = (enum dp_group_type)group->type,
		.hash_param = group->selection_param,
		.n_buckets = group->n_buckets,
	};
	struct dp_bucket *buckets =
		xcalloc(MAX_OF(group->n_buckets, 1), sizeof(*buckets));
	struct error err = {""};
	int result;

	for (size_t i = 0; i < group->n_buckets; i++) {
		const struct of_bucket *bucket = &group->buckets[i];

		buckets[i] = (struct dp_bucket){
			.weight = bucket->weight,
			.watch_port = bucket->watch_port,
			.watch_group = bucket->watch_group,
			.actions = bucket->actions.data,
			.actions_bytes = bucket->actions.bytes,
		};
	}
	for (size_t i = 0; i < group->n_hash_fields; i++)
		flow_field_add_mask(group->hash_fields[i].field, &config.hash_fields,
		                    &group->hash_fields[i].mask);
	config.buckets = buckets;
	result = dp_group_set(ofproto->bridge_id, &config, &err);
	free(buckets);
	switch_touch(ofproto);
	if (result)
		return of_fail(error, OFERR_GROUP_MOD_OUT_OF_GROUPS, "%s", err.text);
	return 0;
}

static void
group_replace(struct ofproto *ofproto, struct group *old, struct group *new)
{
	if (old)
		hmap_remove(&ofproto->groups, &old->node);
	if (new) {
		hmap_insert(&ofproto->groups, &new->node, hash_u64(new->number, 0));
		if (old) {
			new->users = old->users;
			old->users = NULL;
		} else if (!new->users) {
			new->users = users_create();
		}
	}
}

int
changes_set_group(struct changes *changes, struct group *old, struct group *new,
                  struct of_error *error)
{
	struct ofproto *ofproto = changes->ofproto;
	struct change *change;

	if (new &&group_install(ofproto, new, error)) {
		group_free(new);
		return -EPROTO;
	}
	if (!new) {
		dp_group_del(ofproto->bridge_id, old->number);
		switch_touch(ofproto);
	}
	group_replace(ofproto, old, new);
	change = changes_append(changes, CHANGE_GROUP);
	change->old_group = old;
	change->new_group = new;
	return 0;
}

static void
group_restore(struct ofproto *ofproto, struct group *old, struct group *new)
{
	struct of_error ignored;

	group_replace(ofproto, new, old);
	if (old)
		group_install(ofproto, old, &ignored);
	else
		dp_group_del(ofproto->bridge_id, new->number);
	if (new)
		group_free(new);
}

void
group_free(struct group *group)
{
	for (size_t i = 0; i < group->n_buckets; i++)
		flow_actions_destroy(&group->buckets[i].actions);
	free(group->buckets);
	free(group->hash_fields);
	users_free(group->users);
	free(group);
}

void
changes_del_users(struct changes *changes, const struct users *users,
                  enum removed_reason reason)
{
	struct rule *rule;

	while ((rule = users_first(users)) != NULL)
		changes_del_rule(changes, rule, reason);
}

/* ---- ports ---- */

void
changes_set_port_off(struct changes *changes, struct port *port, uint32_t off)
{
	struct change *change = changes_append(changes, CHANGE_PORT);

	change->port = port;
	change->old_off = port->off;
	port->off = off;
	dp_port_set_off(port->port.dp_port_id, off);
}

/* ---- the end ---- */

static void
report_removed(struct changes *changes, const struct rule *rule,
               enum removed_reason reason)
{
	const uint64_t duration_ns = changes->now_ns - rule->created_ns;
	struct session *session;

	if (!(rule->flags & OF_FLOW_SEND_REMOVED) || rule->is_hidden)
		return;
	SESSION_FOR_EACH(session, changes->ofproto)
	{
		/* 1.3 and older know no deletes by meters and evictions. */
		const unsigned shown =
			session->version < OF14 && reason > REMOVED_GROUP_DELETE
				? REMOVED_DELETE
				: reason;
		struct of_msg msg;

		if (!session_wants(session, REPORT_FLOW_REMOVED, shown))
			continue;
		session_init_message(session, OFM_FLOW_REMOVED, 0, &msg);
		msg.flow_removed.match = rule->match;
		msg.flow_removed.cookie = rule->cookie;
		msg.flow_removed.packets = rule->base_packets;
		msg.flow_removed.bytes = rule->base_bytes;
		msg.flow_removed.duration_ns = duration_ns;
		msg.flow_removed.priority = rule->priority;
		msg.flow_removed.idle_s = rule->idle_s;
		msg.flow_removed.hard_s = rule->hard_s;
		msg.flow_removed.table = rule->table;
		msg.flow_removed.reason = (uint8_t)shown;
		msg.is_nicira = session->is_nxm && session->version == OF10;
		session_send(session, &msg);
		of_msg_destroy(&msg);
	}
}

static bool
rule_has_changed(const struct change *change)
{
	const struct rule_before *before = change->before;
	const struct rule *rule = change->rule;

	return before->cookie != rule->cookie ||
	       (before->has_actions &&
	        !flow_actions_equal(&before->actions, &rule->actions));
}

static void
change_report(struct changes *changes, const struct change *change)
{
	enum of_monitor_event event = OF_EVENT_ADDED;
	const struct flow_actions *before = NULL;

	if (change->kind == CHANGE_DEL) {
		report_removed(changes, change->rule, change->reason);
		event = OF_EVENT_REMOVED;
	} else if (change->kind == CHANGE_SET && !change->is_add) {
		if (!rule_has_changed(change))
			return;
		event = OF_EVENT_MODIFIED;
		if (change->before->has_actions)
			before = &change->before->actions;
	}
	monitors_report(changes->ofproto, event, change->rule, before,
	                (uint8_t)change->reason, changes->by, changes->xid);
}

/* Its learn actions with delete_learned end with it: for learn_sweep(). */
static void
note_forgotten(struct ofproto *ofproto, const struct flow_actions *actions)
{
	FLOW_ACTION_FOR_EACH(action, actions->data, actions->bytes)
	{
		const struct flow_learn *learn = (const void *)action;

		if (action->type != ACTION_LEARN ||
		    !(learn->flags & FLOW_LEARN_DELETE_LEARNED))
			continue;
		ofproto->forgotten =
			xrealloc(ofproto->forgotten, (ofproto->n_forgotten + 1) *
		                                             sizeof(*ofproto->forgotten));
		ofproto->forgotten[ofproto->n_forgotten++] =
			(struct learned){.cookie = learn->cookie, .table = learn->table};
	}
}

void
changes_commit(struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		struct change *change = &changes->list[i];

		if (change->kind == CHANGE_GROUP) {
			if (change->old_group)
				group_free(change->old_group);
		} else if (change->kind != CHANGE_PORT) {
			change_report(changes, change);
		}
		if (change->kind == CHANGE_DEL)
			note_forgotten(changes->ofproto, &change->rule->actions);
		if (change->before) {
			note_forgotten(changes->ofproto, &change->before->actions);
			flow_actions_destroy(&change->before->actions);
			free(change->before);
		}
	}
	monitors_flush(changes->ofproto);
	/* A rule may be added and deleted by the same list. */
	for (size_t i = 0; i < changes->n; i++)
		if (changes->list[i].kind == CHANGE_DEL)
			rule_free(changes->list[i].rule);
	free(changes->list);
	changes->list = NULL;
	changes->n = 0;
}

void
changes_abort(struct changes *changes)
{
	struct of_error ignored;

	while (changes->n) {
		struct change *change = &changes->list[--changes->n];

		switch (change->kind) {
		case CHANGE_ADD:
			rule_uninstall(changes, change->rule);
			rule_free(change->rule);
			break;
		case CHANGE_SET:
			rule_restore(changes, change->rule, change->before);
			free(change->before);
			break;
		case CHANGE_DEL:
			/* Earlier changes may name it: shown, if not in force. */
			if (rule_install(changes, change->rule, &ignored))
				rule_enter(changes, change->rule);
			break;
		case CHANGE_GROUP:
			group_restore(changes->ofproto, change->old_group,
			              change->new_group);
			break;
		case CHANGE_PORT:
			change->port->off = change->old_off;
			dp_port_set_off(change->port->port.dp_port_id, change->old_off);
			break;
		}
	}
	free(changes->list);
	changes->list = NULL;
}
