/* learn.c - carries out learn actions, and forgets what was learned. Main thread. */
#include "vswitchd/ofproto/learn.h"

#include <stdlib.h>

#include "net/flow_learn.h"
#include "vswitchd/ofproto/flow_mod.h"
#include "vswitchd/ofproto/learners.h"
#include "vswitchd/ofproto/timeouts.h"

static void
make_flow_mod(const struct flow_learn *learn, const struct flow_key *key,
              struct of_flow_mod *mod)
{
	union flow_learn_record action;

	*mod = (struct of_flow_mod){
		.command = OF_FLOW_MODIFY_STRICT,
		.priority = learn->priority,
		.table = learn->table,
		.new_cookie = learn->cookie,
		.modify_cookie = learn->cookie != UINT64_MAX,
		.idle_s = learn->idle_s,
		.hard_s = learn->hard_s,
		.buffer_id = OF_BUFFER_NONE,
		.out_port = FLOW_PORT_NONE,
		.out_group = OF_GROUP_ANY,
		.flags =
			learn->flags & FLOW_LEARN_SEND_REMOVED ? OF_FLOW_SEND_REMOVED : 0,
	};
	flow_learn_match(learn, key, &mod->match);
	for (uint32_t part = 0; part <= learn->n; part++)
		if (flow_learn_action(learn, key, part, &action))
			flow_actions_append(&mod->actions, &action, action.head.bytes);
}

/* Whether the rule is what the action makes; its timeouts may have been changed. */
static bool
is_known(const struct rule *rule, const struct of_flow_mod *mod)
{
	return (!mod->modify_cookie || rule->cookie == mod->new_cookie) &&
	       flow_actions_equal(&rule->actions, &mod->actions);
}

void
learn_run(struct ofproto *ofproto, const struct flow_learn *learn,
          const struct flow_key *key)
{
	struct flow_table *table;
	struct of_flow_mod mod;
	struct of_error error;
	struct changes changes;
	struct rule *rule;

	if (learn->table >= SWITCH_TABLES)
		return;
	table = &ofproto->tables[learn->table];
	make_flow_mod(learn, key, &mod);
	rule = flow_table_find(table, &mod.match, mod.priority);
	if (rule && is_known(rule, &mod)) {
		rule->modified_ns = dp_time_ns(); /* it lives on */
		timeouts_schedule(ofproto, rule, rule->modified_ns);
	} else if (!learn->limit ||
	           flow_table_count_cookie(table, learn->cookie) < learn->limit) {
		changes_begin(&changes, ofproto, NULL, 0);
		if (flow_mod_run(&changes, &mod, OF15, &error))
			changes_abort(&changes);
		else
			changes_commit(&changes);
	}
	flow_actions_destroy(&mod.actions);
}

/* ---- forgetting ---- */

static void
forget(struct ofproto *ofproto, const struct learned *learned)
{
	static const struct flow_match any;
	const struct of_flow_mod mod = {
		.command = OF_FLOW_DELETE,
		.match = any,
		.table = learned->table,
		.cookie = learned->cookie,
		.cookie_mask = UINT64_MAX,
		.out_port = FLOW_PORT_NONE,
		.out_group = OF_GROUP_ANY,
	};
	struct changes changes;
	struct of_error error;

	changes_begin(&changes, ofproto, NULL, 0);
	flow_mod_run(&changes, &mod, OF15, &error);
	changes_commit(&changes);
}

void
learn_sweep(struct ofproto *ofproto)
{
	while (ofproto->n_forgotten) {
		const struct learned learned = ofproto->forgotten[--ofproto->n_forgotten];

		if (!learners_keep(ofproto, learned.table, learned.cookie))
			forget(ofproto, &learned);
	}
	free(ofproto->forgotten);
	ofproto->forgotten = NULL;
}
