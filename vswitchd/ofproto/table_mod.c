/* table_mod.c - configuration of tables, and what becomes of full ones. Main thread. */
#include "vswitchd/ofproto/table_mod.h"

#define CONFIG_MISS_CONTINUE 1U /* 1.1 and 1.2: the two bits of misses */
#define CONFIG_MISS_DROP     2U
#define CONFIG_MISS_MASK     3U
#define CONFIG_EVICTION      4U /* 1.4 */
#define CONFIG_VACANCY       8U

#define EVICTION_OTHER      1U
#define EVICTION_IMPORTANCE 2U
#define EVICTION_LIFETIME   4U
#define STATUS_VACANCY_DOWN 3
#define STATUS_VACANCY_UP   4

static uint8_t
table_vacancy(const struct flow_table *table)
{
	const uint64_t used = MIN_OF(table->rules.count, FLOW_TABLE_RULES_MAX);

	return (uint8_t)((FLOW_TABLE_RULES_MAX - used) * 100 / FLOW_TABLE_RULES_MAX);
}

void
table_describe(const struct flow_table *table, struct of_table_desc *desc)
{
	*desc = (struct of_table_desc){
		.table = table->id,
		.config = (table->evicts ? CONFIG_EVICTION : 0) |
	                  (table->has_vacancy ? CONFIG_VACANCY : 0),
		.eviction_flags = table->eviction_flags,
		.vacancy_down = table->vacancy_down,
		.vacancy_up = table->vacancy_up,
		.vacancy = table_vacancy(table),
		.has_eviction = true,
		.has_vacancy = true,
	};
}

static bool
wants_misses(const struct session *session)
{
	return session->version < OF13 && session_wants(session, REPORT_PACKET_IN, 0);
}

void
table_update_misses(struct ofproto *ofproto)
{
	bool is_wanted = false;
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	is_wanted |= wants_misses(session);
	for (size_t i = 0; i < SWITCH_TABLES; i++) {
		struct flow_table *table = &ofproto->tables[i];
		const enum dp_miss miss = is_wanted ? DP_MISS_CONTROLLER : DP_MISS_DROP;

		if (table->has_miss || table->miss == miss)
			continue;
		table->miss = miss;
		dp_table_set_miss(ofproto->bridge_id, table->id, miss);
		switch_touch(ofproto);
	}
}

static void
set_miss(struct ofproto *ofproto, struct flow_table *table, uint32_t config)
{
	table->has_miss = true;
	table->miss = config & CONFIG_MISS_CONTINUE ? DP_MISS_CONTINUE
	              : config & CONFIG_MISS_DROP   ? DP_MISS_DROP
	                                            : DP_MISS_CONTROLLER;
	dp_table_set_miss(ofproto->bridge_id, table->id, table->miss);
	switch_touch(ofproto);
}

static void
set_table(struct ofproto *ofproto, struct flow_table *table, enum of_version version,
          const struct of_table_mod *mod)
{
	if (version < OF13)
		set_miss(ofproto, table, mod->config);
	if (version < OF14)
		return;
	table->evicts = mod->config & CONFIG_EVICTION;
	if (mod->has_eviction)
		table->eviction_flags = mod->eviction_flags;
	table->has_vacancy = mod->config & CONFIG_VACANCY;
	if (mod->has_vacancy) {
		table->vacancy_down = mod->vacancy_down;
		table->vacancy_up = mod->vacancy_up;
		table->is_vacancy_down = table_vacancy(table) <= mod->vacancy_down;
	}
}

int
table_mod_run(struct ofproto *ofproto, const struct of_msg *msg, struct of_error *error)
{
	const struct of_table_mod *mod = &msg->table_mod;

	if (msg->version < OF13 && (mod->config & ~CONFIG_MISS_MASK ||
	                            (mod->config & CONFIG_MISS_MASK) == CONFIG_MISS_MASK))
		return of_fail(error, OFERR_TABLE_MOD_CONFIG,
		               "no such configuration 0x%x", mod->config);
	if (mod->has_vacancy &&
	    (mod->vacancy_down > mod->vacancy_up || mod->vacancy_up > 100))
		return of_fail(error, OFERR_BAD_PROPERTY_VALUE,
		               "vacancy of %u to %u per cent", mod->vacancy_down,
		               mod->vacancy_up);
	if (mod->table != OF_TABLE_ALL && mod->table >= SWITCH_TABLES)
		return of_fail(error, OFERR_TABLE_MOD_TABLE,
		               "table %u is the switch's own", mod->table);
	for (size_t i = 0; i < SWITCH_TABLES; i++)
		if (mod->table == OF_TABLE_ALL || mod->table == i)
			set_table(ofproto, &ofproto->tables[i], msg->version, mod);
	return 0;
}

/* Which of two is to go first. */
static bool
goes_first(const struct rule *a, const struct rule *b)
{
	if (a->importance != b->importance)
		return a->importance < b->importance;
	return a->modified_ns < b->modified_ns;
}

int
table_make_room(struct changes *changes, struct flow_table *table, struct of_error *error)
{
	struct rule *rule, *victim = NULL;

	if (table->rules.count < FLOW_TABLE_RULES_MAX)
		return 0;
	if (table->evicts)
		HMAP_FOR_EACH (rule, node, &table->rules)
			if (!rule->is_hidden && (!victim || goes_first(rule, victim)))
				victim = rule;
	if (!victim)
		return of_fail(error, OFERR_FLOW_MOD_TABLE_FULL, "table %u has %u rules",
		               table->id, FLOW_TABLE_RULES_MAX);
	changes_del_rule(changes, victim, REMOVED_EVICTION);
	return 0;
}

static void
send_vacancy(struct ofproto *ofproto, const struct flow_table *table, uint8_t reason)
{
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	{
		struct of_msg msg;

		if (session->version < OF14 ||
		    !session_wants(session, REPORT_TABLE_STATUS, reason))
			continue;
		session_init_message(session, OFM_TABLE_STATUS, 0, &msg);
		msg.table_status.reason = reason;
		table_describe(table, &msg.table_status.desc);
		session_send(session, &msg);
		of_msg_destroy(&msg);
	}
}

void
table_report_vacancy(struct ofproto *ofproto)
{
	for (size_t i = 0; i < SWITCH_TABLES; i++) {
		struct flow_table *table = &ofproto->tables[i];
		const uint8_t vacancy = table_vacancy(table);

		if (!table->has_vacancy)
			continue;
		if (!table->is_vacancy_down && vacancy <= table->vacancy_down) {
			table->is_vacancy_down = true;
			send_vacancy(ofproto, table, STATUS_VACANCY_DOWN);
		} else if (table->is_vacancy_down && vacancy >= table->vacancy_up) {
			table->is_vacancy_down = false;
			send_vacancy(ofproto, table, STATUS_VACANCY_UP);
		}
	}
}
