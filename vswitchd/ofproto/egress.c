/* egress.c - see egress.h. Main thread. */
#include "vswitchd/ofproto/egress.h"

#include <errno.h>

/* ofp_table_features.features */
#define FEATURE_INGRESS      (1U << 0) /* the table can be one for ingress */
#define FEATURE_EGRESS       (1U << 1) /* ... for egress */
#define FEATURE_FIRST_EGRESS (1U << 4)

/* ---- rules ---- */

/* What would change where a packet goes that is on its way to a port. */
static bool
changes_output(const struct flow_nested *set)
{
	FLOW_ACTION_FOR_EACH(action, set->nested, set->nested_bytes)
	{
		switch (action->type) {
		case ACTION_OUTPUT:
		case ACTION_OUTPUT_FIELD:
		case ACTION_CONTROLLER:
		case ACTION_ENQUEUE:
		case ACTION_BUNDLE:
		case ACTION_GROUP:
		case ACTION_RESUBMIT:
			return true;
		default:
			break;
		}
	}
	return false;
}

/* 'first' is the first egress table; 0 = there are none. */
static int
check_side(const struct flow_actions *actions, uint8_t table, uint8_t first,
           struct of_error *error)
{
	if (!first)
		return 0;
	FLOW_ACTION_FOR_EACH(action, actions->data, actions->bytes)
	{
		const struct flow_number *number = (const void *)action;

		if (action->type == ACTION_GOTO_TABLE && table < first &&
		    number->value >= first)
			return of_fail(error, OFERR_BAD_INSTRUCTION_TABLE_ID,
			               "table %u leads to table %u, an egress table",
			               table, (unsigned)number->value);
		if (action->type == ACTION_WRITE_ACTIONS && table >= first &&
		    changes_output((const void *)action))
			return of_fail(error, OFERR_BAD_ACTION_TYPE,
			               "table %u is an egress table: the action set's "
			               "output stays as it is",
			               table);
	}
	return 0;
}

int
egress_check(const struct ofproto *ofproto, const struct flow_actions *actions,
             uint8_t table, struct of_error *error)
{
	return check_side(actions, table, ofproto->egress_table, error);
}

/* Whether the rules that there are leave room for another first table. */
static int
check_rules(const struct ofproto *ofproto, uint8_t first, struct of_error *error)
{
	for (unsigned i = 0; i < SWITCH_TABLES; i++) {
		const struct rule *rule;

		HMAP_FOR_EACH (rule, node, &ofproto->tables[i].rules)
			if (check_side(&rule->actions, (uint8_t)i, first, error))
				return of_fail(error, OFERR_TABLE_FEATURES_EPERM,
				               "table %u has a rule that forbids it", i);
	}
	return 0;
}

/* ---- requests ---- */

/* One table's part: which table is the first egress table then. */
static int
take_features(const struct of_table_features *features, uint8_t *first,
              struct of_error *error)
{
	if (features->table >= SWITCH_TABLES)
		return of_fail(error, OFERR_TABLE_FEATURES_TABLE, "there is no table %u",
		               features->table);
	if (features->command > OF_TABLE_DISABLE)
		return of_fail(error, OFERR_TABLE_FEATURES_COMMAND, "no such command %u",
		               features->command);
	if (features->command == OF_TABLE_DISABLE)
		return of_fail(error, OFERR_TABLE_FEATURES_EPERM,
		               "what tables can do does not change");
	if (features->features &
	    ~(FEATURE_INGRESS | FEATURE_EGRESS | FEATURE_FIRST_EGRESS))
		return of_fail(error, OFERR_TABLE_FEATURES_FEATURES,
		               "no such features 0x%x", features->features);
	if (features->command != OF_TABLE_MODIFY)
		return 0;
	/* Table 0 is where packets come in: to name it is to have none. */
	if (features->features & FEATURE_FIRST_EGRESS)
		*first = features->table;
	else if (*first == features->table)
		*first = 0;
	return 0;
}

int
egress_request(struct ofproto *ofproto, const struct of_msg *request,
               struct of_error *error)
{
	uint8_t first = ofproto->egress_table;

	for (size_t i = 0; i < request->n; i++)
		if (take_features(&request->table_features[i], &first, error))
			return -EPROTO;
	if (first == ofproto->egress_table)
		return 0;
	if (check_rules(ofproto, first, error))
		return -EPROTO;
	ofproto->egress_table = first;
	egress_apply(ofproto);
	return 0;
}

void
egress_apply(struct ofproto *ofproto)
{
	dp_bridge_set_egress_table(ofproto->bridge_id,
	                           ofproto->alone ? 0 : ofproto->egress_table);
	switch_touch(ofproto);
}

uint32_t
egress_features(const struct ofproto *ofproto, uint8_t table)
{
	if (table == 0)
		return FEATURE_INGRESS;
	return FEATURE_INGRESS | FEATURE_EGRESS |
	       (table == ofproto->egress_table ? FEATURE_FIRST_EGRESS : 0);
}
