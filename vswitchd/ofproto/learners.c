/* learners.c - counts learn actions by what they make, and tells the datapath when a
 * limit whose result they write is reached. Between changes.c and learn.c. Main thread.
 */
#include "vswitchd/ofproto/learners.h"

#include <stdlib.h>

#include "base/mem.h"

/* Actions with delete_learned; or, by limit, those that write whether there is room. */
struct learner {
	struct hmap_node node; /* ofproto.learners */
	uint64_t cookie;
	uint32_t limit; /* 0 = delete_learned */
	uint8_t table;
	bool is_reached; /* as the datapath was told */
	uint32_t n_users;
};

static uint32_t
learner_hash(uint8_t table, uint64_t cookie, uint32_t limit)
{
	return hash_u64(cookie, hash_u64(limit, table));
}

static struct learner *
find_learner(const struct ofproto *ofproto, uint8_t table, uint64_t cookie,
             uint32_t limit)
{
	struct learner *learner;

	HMAP_FOR_EACH_WITH_HASH (learner, node, learner_hash(table, cookie, limit),
	                         &ofproto->learners)
		if (learner->table == table && learner->cookie == cookie &&
		    learner->limit == limit)
			return learner;
	return NULL;
}

/* The datapath has it with the rules that make it so: in its next version. */
static void
set_reached(struct ofproto *ofproto, struct learner *learner, bool is_reached)
{
	const struct dp_learn_limit limit = {.cookie = learner->cookie,
	                                     .limit = learner->limit,
	                                     .table = learner->table};

	if (learner->is_reached == is_reached)
		return;
	learner->is_reached = is_reached;
	dp_learn_limit_set(ofproto->bridge_id, &limit, is_reached);
}

static void
add_user(struct ofproto *ofproto, const struct flow_learn *learn, uint32_t limit)
{
	struct learner *learner =
		find_learner(ofproto, learn->table, learn->cookie, limit);

	if (!learner) {
		learner = xcalloc(1, sizeof(*learner));
		learner->table = learn->table;
		learner->cookie = learn->cookie;
		learner->limit = limit;
		hmap_insert(&ofproto->learners, &learner->node,
		            learner_hash(learn->table, learn->cookie, limit));
		if (limit && flow_table_count_cookie(&ofproto->tables[learn->table],
		                                     learn->cookie) >= limit)
			set_reached(ofproto, learner, true);
	}
	learner->n_users++;
}

static void
remove_user(struct ofproto *ofproto, const struct flow_learn *learn, uint32_t limit)
{
	struct learner *learner =
		find_learner(ofproto, learn->table, learn->cookie, limit);

	if (!learner || --learner->n_users)
		return;
	set_reached(ofproto, learner, false);
	hmap_remove(&ofproto->learners, &learner->node);
	free(learner);
}

static void
count_user(struct ofproto *ofproto, const struct flow_learn *learn, uint32_t limit,
           bool is_more)
{
	if (is_more)
		add_user(ofproto, learn, limit);
	else
		remove_user(ofproto, learn, limit);
}

static void
count_limits(struct ofproto *ofproto, const void *records, size_t bytes, bool is_more)
{
	const void *inner;
	size_t n;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		const struct flow_learn *learn = (const void *)action;

		if (action_nested(action, &inner, &n))
			count_limits(ofproto, inner, n, is_more);
		else if (action->type == ACTION_LEARN && learn->limit &&
		         learn->flags & FLOW_LEARN_WRITE_RESULT)
			count_user(ofproto, learn, learn->limit, is_more);
	}
}

void
learners_count(struct ofproto *ofproto, const struct flow_actions *actions, bool is_more)
{
	/* As in Open vSwitch, one in a clone deletes nothing. */
	FLOW_ACTION_FOR_EACH(action, actions->data, actions->bytes)
	{
		const struct flow_learn *learn = (const void *)action;

		if (action->type == ACTION_LEARN &&
		    learn->flags & FLOW_LEARN_DELETE_LEARNED)
			count_user(ofproto, learn, 0, is_more);
	}
	count_limits(ofproto, actions->data, actions->bytes, is_more);
}

void
learners_note_rule(struct ofproto *ofproto, uint8_t table, uint64_t cookie, bool is_more)
{
	struct learner *learner;

	if (!ofproto->learners.count)
		return;
	/* The one limit that this rule reaches. */
	learner = find_learner(ofproto, table, cookie,
	                       flow_table_count_cookie(&ofproto->tables[table], cookie));
	if (learner)
		set_reached(ofproto, learner, is_more);
}

bool
learners_keep(const struct ofproto *ofproto, uint8_t table, uint64_t cookie)
{
	return find_learner(ofproto, table, cookie, 0) != NULL;
}
