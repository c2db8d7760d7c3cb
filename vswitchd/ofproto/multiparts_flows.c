/* multiparts_flows.c - statistics of rules and tables. Part of multiparts.c. Main
 * thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "openflow/of_msg.h"
#include "vswitchd/ofproto/egress.h"
#include "vswitchd/ofproto/monitors.h"
#include "vswitchd/ofproto/multiparts_private.h"
#include "vswitchd/ofproto/table_mod.h"

#define TABLES_PER_PART 16

/* goto, write-metadata, write-, apply- and clear-actions, meter: a bit per wire number.
 */
#define INSTRUCTIONS      0x7eU
#define INSTRUCTION_GOTO  0x02U
#define INSTRUCTION_METER 0x40U
#define ACTIONS_11        0x1ffffffU /* all */
#define ACTIONS_12        0x3ff9801U /* set-field instead of those for single fields */
/* All fields of 1.2 but in_phy_port, eth_type, ip_proto. */
#define SETFIELDS_12 (0xfffffffffULL & ~0x422ULL)

static int
check_table(const struct of_flow_stats_request *request, struct of_error *error)
{
	if (request->table == OF_TABLE_ALL || request->table < OF_TABLES)
		return 0;
	return of_fail(error, OFERR_BAD_REQUEST_TABLE_ID, "there is no table %u",
	               request->table);
}

static struct rule_filter
filter_of(const struct of_flow_stats_request *request)
{
	return (struct rule_filter){
		.match = &request->match,
		.table = request->table,
		.cookie = request->cookie,
		.cookie_mask = request->cookie_mask,
		.out_port = request->out_port,
		.out_group = request->out_group,
	};
}

static bool
flows_part(struct session *session, struct dump *dump)
{
	const enum of_kind kind = dump->request.kind == OFM_FLOW_STATS_REQUEST
	                                  ? OFM_FLOW_STATS_REPLY
	                                  : OFM_FLOW_DESC_REPLY;
	const struct rule_filter filter = filter_of(&dump->request.flow_request);
	const uint64_t now_ns = dp_time_ns();
	struct rule_list list = {0};
	struct of_msg reply;
	bool has_more;

	multipart_init_reply(session, &dump->request, kind, &reply);
	has_more = reply.more = dump_next_rules(session->ofproto, dump, &filter, &list);
	reply.flows = xcalloc(MAX_OF(list.n, 1), sizeof(*reply.flows));
	for (; reply.n < list.n; reply.n++)
		rule_describe(list.rules[reply.n], now_ns, &reply.flows[reply.n]);
	if (list.n || !has_more)
		session_send(session, &reply);
	free(reply.flows);
	of_msg_destroy(&reply);
	rule_list_destroy(&list);
	return has_more;
}

int
multipart_flows(struct session *session, const struct of_msg *request,
                struct of_error *error)
{
	if (check_table(&request->flow_request, error))
		return -EPROTO;
	dump_begin(session, dump_create(request, flows_part));
	return 0;
}

/* Sums up; only the last has anything to send. */
static bool
aggregate_part(struct session *session, struct dump *dump)
{
	const struct rule_filter filter = filter_of(&dump->request.flow_request);
	struct of_aggregate *total = &dump->total;
	struct rule_list list = {0};
	struct of_msg reply;
	const bool has_more = dump_next_rules(session->ofproto, dump, &filter, &list);

	for (size_t i = 0; i < list.n; i++) {
		struct rule_stats stats;

		rule_get_stats(list.rules[i], &stats);
		if (!(list.rules[i]->flags & OF_FLOW_NO_PACKETS))
			total->packets += stats.packets;
		if (!(list.rules[i]->flags & OF_FLOW_NO_BYTES))
			total->bytes += stats.bytes;
	}
	total->flows += (uint32_t)list.n;
	rule_list_destroy(&list);
	if (has_more)
		return true;
	multipart_init_reply(session, &dump->request, OFM_AGGREGATE_REPLY, &reply);
	reply.aggregate = *total;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return false;
}

int
multipart_aggregate(struct session *session, const struct of_msg *request,
                    struct of_error *error)
{
	if (check_table(&request->flow_request, error))
		return -EPROTO;
	dump_begin(session, dump_create(request, aggregate_part));
	return 0;
}

/* What 1.1 and 1.2 tell beside the counters, by their own wire numbers. */
static void
fill_abilities(struct of_table_stats *table, enum of_version version)
{
	table->instructions = INSTRUCTIONS & ~INSTRUCTION_METER;
	if (table->table + 1 >= SWITCH_TABLES)
		table->instructions &= ~INSTRUCTION_GOTO;
	table->write_actions = version == OF11 ? ACTIONS_11 : ACTIONS_12;
	table->apply_actions = table->write_actions;
	table->write_setfields = table->apply_setfields = SETFIELDS_12;
}

int
multipart_tables(struct session *session, const struct of_msg *request,
                 struct of_error *error)
{
	const struct ofproto *ofproto = session->ofproto;
	struct of_table_stats *tables = xcalloc(SWITCH_TABLES, sizeof(*tables));
	struct of_msg reply;

	(void)error;
	for (size_t i = 0; i < SWITCH_TABLES; i++) {
		const struct flow_table *table = &ofproto->tables[i];
		struct dp_table_stats stats = {0};

		dp_table_get_stats(ofproto->bridge_id, table->id, &stats);
		tables[i].table = table->id;
		tables[i].match_fields = tables[i].wildcards =
			session->version == OF10 ? 0x3fffff : UINT64_MAX;
		tables[i].metadata_match = tables[i].metadata_write = UINT64_MAX;
		snprintf(tables[i].name, sizeof(tables[i].name), "%s", table->name);
		tables[i].max_entries = table->limit;
		tables[i].active = (uint32_t)flow_table_count(table);
		fill_abilities(&tables[i], session->version);
		tables[i].lookups = stats.lookups;
		tables[i].matched = stats.matched;
	}
	multipart_init_reply(session, request, OFM_TABLE_STATS_REPLY, &reply);
	reply.tables = tables;
	reply.n = SWITCH_TABLES;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(tables);
	return 0;
}

int
multipart_table_descs(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	struct of_table_desc *descs = xcalloc(SWITCH_TABLES, sizeof(*descs));
	struct of_msg reply;

	(void)error;
	for (size_t i = 0; i < SWITCH_TABLES; i++)
		table_describe(&session->ofproto->tables[i], &descs[i]);
	multipart_init_reply(session, request, OFM_TABLE_DESC_REPLY, &reply);
	reply.table_descs = descs;
	reply.n = SWITCH_TABLES;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(descs);
	return 0;
}

/* ---- features ---- */

static void
set_bit(uint64_t *bits, unsigned i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* All tables can do the same. */
static void
fill_features(struct of_table_features *features, const struct ofproto *ofproto,
              const struct flow_table *table, enum of_version version)
{
	const unsigned first = ofproto->egress_table;
	const unsigned n_tables = table->id < first ? first : SWITCH_TABLES;

	features->table = table->id;
	features->features = egress_features(ofproto, table->id);
	features->metadata_match = features->metadata_write = UINT64_MAX;
	features->max_entries = table->limit;
	snprintf(features->name, sizeof(features->name), "%s", table->name);
	features->has_properties = true;
	features->capabilities = 3; /* deprecated bits, as the reference has them */
	for (unsigned miss = 0; miss < 2; miss++) {
		/* 1.5 has the action instead of the instruction. */
		features->instructions[miss] =
			INSTRUCTIONS & ~(version >= OF15 ? INSTRUCTION_METER : 0);
		if (table->id + 1U >= n_tables)
			features->instructions[miss] &= ~INSTRUCTION_GOTO;
		for (unsigned i = table->id + 1U; i < n_tables; i++)
			features->next_tables[miss][i / 8] |= (uint8_t)(1U << i % 8);
		for (unsigned i = 0; i < ACTION_METER; i++) {
			set_bit(features->actions[miss], i);
			set_bit(features->write_actions[miss], i);
		}
	}
	for (unsigned i = FIELD_NONE + 1; i < FIELD_N; i++) {
		const struct flow_field *field = flow_field_get((enum flow_field_id)i);

		if (!field)
			continue;
		set_bit(features->match, i);
		set_bit(features->wildcards, i);
		if (field->maskable == MASK_ALL)
			set_bit(features->mask, i);
		for (unsigned miss = 0; miss < 2 && field->is_writable; miss++) {
			set_bit(features->set[miss], i);
			set_bit(features->write_set[miss], i);
		}
	}
}

static bool
table_features_part(struct session *session, struct dump *dump)
{
	struct of_table_features *features = xcalloc(TABLES_PER_PART, sizeof(*features));
	const struct ofproto *ofproto = session->ofproto;
	struct of_msg reply;
	uint32_t number;
	bool has_more;

	multipart_init_reply(session, &dump->request, OFM_TABLE_FEATURES_REPLY, &reply);
	reply.table_features = features;
	while (reply.n < TABLES_PER_PART && dump_next_number(dump, &number))
		fill_features(&features[reply.n++], ofproto, &ofproto->tables[number],
		              session->version);
	has_more = dump_send_numbers(session, dump, &reply);
	free(features);
	return has_more;
}

static bool
is_within(const void *asked, const void *able, size_t bytes)
{
	const uint8_t *a = asked, *b = able;

	for (size_t i = 0; i < bytes; i++)
		if (a[i] & ~b[i])
			return false;
	return true;
}

/* What tables can do does not change: who asks for that, or for less, has it. */
static bool
is_able(const struct of_table_features *able, const struct of_table_features *asked)
{
#define IS_WITHIN(member) is_within(&asked->member, &able->member, sizeof(asked->member))
	return IS_WITHIN(metadata_match) && IS_WITHIN(metadata_write) &&
	       asked->max_entries <= able->max_entries && IS_WITHIN(instructions) &&
	       IS_WITHIN(actions) && IS_WITHIN(write_actions) && IS_WITHIN(next_tables) &&
	       IS_WITHIN(match) && IS_WITHIN(mask) && IS_WITHIN(wildcards) &&
	       IS_WITHIN(set) && IS_WITHIN(write_set);
#undef IS_WITHIN
}

static int
check_abilities(const struct session *session, const struct of_msg *request,
                struct of_error *error)
{
	const struct ofproto *ofproto = session->ofproto;

	for (size_t i = 0; i < request->n; i++) {
		const struct of_table_features *asked = &request->table_features[i];
		struct of_table_features able = {0};

		if (!asked->has_properties || asked->table >= SWITCH_TABLES)
			continue;
		fill_features(&able, ofproto, &ofproto->tables[asked->table],
		              session->version);
		if (!is_able(&able, asked))
			return of_fail(error, OFERR_TABLE_FEATURES_EPERM,
			               "what table %u can do does not change",
			               asked->table);
	}
	return 0;
}

static int
change_features(struct session *session, const struct of_msg *request,
                struct of_error *error)
{
	int result = check_abilities(session, request, error);

	if (!result)
		result = table_check_names(session->ofproto, request, error);
	if (!result)
		result = egress_request(session->ofproto, request, error);
	if (!result)
		table_take_names(session->ofproto, request);
	return result;
}

int
multipart_table_features(struct session *session, const struct of_msg *request,
                         struct of_error *error)
{
	struct dump *dump;

	if (request->n && session->role == OF_ROLE_SECONDARY)
		return of_fail(error, OFERR_BAD_REQUEST_IS_SLAVE,
		               "a secondary controller changes nothing");
	if (request->n && change_features(session, request, error))
		return -EPROTO;
	if (request->more)
		return 0; /* the last part has the answer */
	dump = dump_create(request, table_features_part);
	for (uint32_t i = 0; i < SWITCH_TABLES; i++)
		dump_add_number(dump, i);
	dump_begin(session, dump);
	return 0;
}
