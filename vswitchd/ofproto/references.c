/* references.c - a list of its users at each group and meter, and at each rule of what it
 * uses. Beside learners.c, below changes.c. Main thread. */
#include "vswitchd/ofproto/references.h"

#include <stdlib.h>

#include "base/mem.h"

/* One action of a rule. */
struct reference {
	struct list node; /* users.references */
	struct users *users;
	struct rule *rule;
	struct reference *next; /* of the rule's */
	bool is_counted;
};

struct users *
users_create(void)
{
	struct users *users = xcalloc(1, sizeof(*users));

	list_init(&users->references);
	return users;
}

void
users_free(struct users *users)
{
	free(users);
}

struct rule *
users_first(const struct users *users)
{
	if (list_is_empty(&users->references))
		return NULL;
	return CONTAINER_OF(users->references.next, struct reference, node)->rule;
}

static void
add_reference(struct rule *rule, struct users *users, bool is_counted)
{
	struct reference *reference = xcalloc(1, sizeof(*reference));

	reference->rule = rule;
	reference->users = users;
	list_push_back(&users->references, &reference->node);
	reference->is_counted = is_counted;
	users->n += is_counted;
	reference->next = rule->references;
	rule->references = reference;
}

static void
refer_to_group(struct ofproto *ofproto, struct rule *rule, uint64_t number)
{
	struct group *group = switch_find_group(ofproto, (uint32_t)number);

	if (group)
		add_reference(rule, group->users, true);
}

static void
refer_to_meter(struct ofproto *ofproto, struct rule *rule, uint64_t number,
               bool is_counted)
{
	struct meter *meter = switch_find_meter(ofproto, (uint32_t)number);

	if (meter)
		add_reference(rule, meter->users, is_counted);
}

static void
add_records(struct ofproto *ofproto, struct rule *rule, const void *records, size_t bytes)
{
	const void *inner;
	size_t n;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (action->type == ACTION_GROUP)
			refer_to_group(ofproto, rule,
			               ((const struct flow_number *)action)->value);
		else if (action->type == ACTION_METER)
			refer_to_meter(ofproto, rule,
			               ((const struct flow_number *)action)->value, true);
		else if (action->type == ACTION_CONTROLLER)
			refer_to_meter(ofproto, rule,
			               ((const struct flow_controller *)action)->meter,
			               false);
		else if (action_nested(action, &inner, &n))
			add_records(ofproto, rule, inner, n);
	}
}

void
references_add(struct ofproto *ofproto, struct rule *rule)
{
	add_records(ofproto, rule, rule->actions.data, rule->actions.bytes);
}

void
references_remove(struct rule *rule)
{
	struct reference *reference;

	while ((reference = rule->references) != NULL) {
		rule->references = reference->next;
		list_remove(&reference->node);
		reference->users->n -= reference->is_counted;
		free(reference);
	}
}
