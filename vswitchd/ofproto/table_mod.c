/* table_mod.c - configuration of tables, and what becomes of full ones. Main thread. */
#include "vswitchd/ofproto/table_mod.h"

#include <stdio.h>

#include "vswitchd/ofproto/eviction.h"
#include "vswitchd/ofproto/references.h"

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

#define EVICT_AT_ONCE 10000 /* rules in a round: some 50 ms */

static uint8_t
table_vacancy(const struct flow_table *table)
{
	const uint64_t used = MIN_OF(flow_table_count(table), table->limit);
	const uint64_t percent =
		table->limit ? (table->limit - used) * 100 / table->limit : 0;

	return (uint8_t)percent;
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
restart_eviction(struct flow_table *table)
{
	struct rule *rule;

	eviction_destroy(table->eviction);
	table->eviction = eviction_create(&table->evict_by);
	HMAP_FOR_EACH (rule, node, &table->rules)
		eviction_update(table->eviction, rule);
}

static void
review_eviction(struct flow_table *table)
{
	const bool evicts = table->evicts || table->is_to_evict;

	if (evicts && !table->eviction) {
		restart_eviction(table);
	} else if (!evicts) {
		eviction_destroy(table->eviction);
		table->eviction = NULL;
	}
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
	review_eviction(table);
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

/* NULL = there is none that may go. */
static struct rule *
find_victim(const struct flow_table *table)
{
	return table->eviction ? eviction_choose(table->eviction) : NULL;
}

int
table_make_room(struct changes *changes, struct flow_table *table, struct of_error *error)
{
	struct rule *victim;

	if (flow_table_count(table) < table->limit)
		return 0;
	victim = find_victim(table);
	if (!victim)
		return of_fail(error, OFERR_FLOW_MOD_TABLE_FULL, "table %u has %zu rules",
		               table->id, flow_table_count(table));
	changes_del_rule(changes, victim, REMOVED_EVICTION);
	return 0;
}

/* ---- the configuration ---- */

static void
set_name(struct flow_table *table, const char *name)
{
	const bool is_named = name && *name;

	if (is_named || table->is_name_configured)
		snprintf(table->name, sizeof(table->name), "%s", is_named ? name : "");
	table->is_name_configured = is_named;
}

static void
set_eviction(struct flow_table *table, bool evicts, const struct flow_key *evict_by)
{
	const bool is_same = !memcmp(&table->evict_by, evict_by, sizeof(*evict_by));

	table->is_to_evict = evicts;
	table->evict_by = *evict_by;
	if (!is_same && table->eviction)
		restart_eviction(table);
	review_eviction(table);
}

/* Since 1.5 a request says whether it modifies a table; one that does not may be empty.
 */
static bool
gives_name(const struct of_msg *request, const struct of_table_features *features)
{
	return features->table < SWITCH_TABLES &&
	       (request->version < OF15 || features->command == OF_TABLE_MODIFY);
}

int
table_check_names(const struct ofproto *ofproto, const struct of_msg *request,
                  struct of_error *error)
{
	for (size_t i = 0; i < request->n; i++) {
		const struct of_table_features *features = &request->table_features[i];
		const struct flow_table *table;

		if (!gives_name(request, features))
			continue;
		table = &ofproto->tables[features->table];
		if (table->is_name_configured && features->name[0] &&
		    strcmp(table->name, features->name))
			return of_fail(error, OFERR_TABLE_FEATURES_EPERM,
			               "the configuration calls table %u \"%s\"",
			               table->id, table->name);
	}
	return 0;
}

void
table_take_names(struct ofproto *ofproto, const struct of_msg *request)
{
	for (size_t i = 0; i < request->n; i++) {
		const struct of_table_features *features = &request->table_features[i];
		struct flow_table *table;

		if (!gives_name(request, features))
			continue;
		table = &ofproto->tables[features->table];
		if (!table->is_name_configured)
			snprintf(table->name, sizeof(table->name), "%.*s",
			         FLOW_TABLE_NAME_BYTES - 1, features->name);
	}
}

/* As much of the excess as 'most' allows; returns what is left of it. */
static size_t
evict_excess(struct changes *changes, struct flow_table *table, size_t most)
{
	struct rule *victim;

	for (; most && flow_table_count(table) > table->limit; most--) {
		victim = find_victim(table);
		if (!victim)
			break;
		changes_del_rule(changes, victim, REMOVED_EVICTION);
	}
	return most;
}

void
table_evict_some(struct ofproto *ofproto)
{
	size_t most = EVICT_AT_ONCE;
	struct changes changes;

	changes_begin(&changes, ofproto, NULL, 0);
	for (size_t i = 0; i < SWITCH_TABLES; i++)
		most = evict_excess(&changes, &ofproto->tables[i], most);
	changes_commit(&changes);
}

void
table_configure_all(struct ofproto *ofproto, const struct ofproto_config *config)
{
	static const struct ofproto_table unset = {.flow_limit = UINT32_MAX};
	size_t next = 0;

	for (size_t i = 0; i < SWITCH_TABLES; i++) {
		const bool is_set =
			next < config->n_tables && config->tables[next].table == i;
		const struct ofproto_table *to =
			is_set ? &config->tables[next++] : &unset;
		struct flow_table *table = &ofproto->tables[i];

		set_name(table, to->name);
		table->limit = MIN_OF(to->flow_limit, FLOW_TABLE_RULES_MAX);
		set_eviction(table, to->evicts, &to->evict_by);
	}
	table_evict_some(ofproto);
}

void
table_destroy_all(struct ofproto *ofproto)
{
	struct rule *rule;

	for (size_t i = 0; i < OF_TABLES; i++) {
		HMAP_FOR_EACH (rule, node, &ofproto->tables[i].rules)
			references_remove(rule);
		eviction_destroy(ofproto->tables[i].eviction);
		flow_table_destroy(&ofproto->tables[i]);
	}
}

/* ---- */

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
