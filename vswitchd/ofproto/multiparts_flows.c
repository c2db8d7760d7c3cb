/* multiparts_flows.c - statistics of rules and tables. Part of multiparts.c. Main
 * thread. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "openflow/of_msg.h"
#include "vswitchd/ofproto/egress.h"
#include "vswitchd/ofproto/monitors.h"
#include "vswitchd/ofproto/multiparts_private.h"
#include "vswitchd/ofproto/table_mod.h"

#define FLOWS_PER_PART   512
#define DUMP_BACKLOG_MAX (4U << 20)           /* what a reader may be behind */
#define DUMP_NS          (10 * NSEC_PER_MSEC) /* of the main thread, at a time */
#define LOOK_AGAIN_MS    10                   /* whether it has read */

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

/* ---- dumps: made while they are read ---- */

struct flow_dump {
	struct of_msg request; /* owns nothing */
	unsigned table;        /* what comes next */
	size_t position;
};

/* Rules of the next part, and whether there may be more. */
static bool
dump_select(const struct ofproto *ofproto, struct flow_dump *dump, struct rule_list *list)
{
	const struct of_flow_stats_request *request = &dump->request.flow_request;
	const struct rule_filter filter = filter_of(request);

	while (dump->table < OF_TABLES && list->n < FLOWS_PER_PART) {
		if (request->table == OF_TABLE_ALL || request->table == dump->table)
			flow_table_select_some(&ofproto->tables[dump->table], &filter,
			                       &dump->position, list);
		dump->table += dump->position == 0;
	}
	return dump->table < OF_TABLES;
}

/* Sends a part; whether it was not the last. */
static bool
dump_part(struct session *session, struct flow_dump *dump)
{
	const enum of_kind kind = dump->request.kind == OFM_FLOW_STATS_REQUEST
	                                  ? OFM_FLOW_STATS_REPLY
	                                  : OFM_FLOW_DESC_REPLY;
	const uint64_t now_ns = dp_time_ns();
	struct rule_list list = {0};
	struct of_msg reply;

	multipart_init_reply(session, &dump->request, kind, &reply);
	reply.more = dump_select(session->ofproto, dump, &list);
	reply.flows = xcalloc(MAX_OF(list.n, 1), sizeof(*reply.flows));
	for (; reply.n < list.n; reply.n++)
		rule_describe(list.rules[reply.n], now_ns, &reply.flows[reply.n]);
	session_send(session, &reply);
	free(reply.flows);
	of_msg_destroy(&reply);
	rule_list_destroy(&list);
	return reply.more;
}

void
flow_dump_run(struct session *session)
{
	const uint64_t end_ns = clock_mono_ns() + DUMP_NS;
	bool is_over = !session->dump, is_read = true;

	if (is_over)
		return;
	while (!is_over && is_read && clock_mono_ns() < end_ns) {
		is_read = !session->pending.length &&
		          channel_backlog_bytes(session->channel) < DUMP_BACKLOG_MAX;
		if (is_read)
			is_over = !dump_part(session, session->dump);
	}
	if (is_over)
		flow_dump_destroy(session);
	else
		switch_look_again(session->ofproto, is_read ? 1 : LOOK_AGAIN_MS);
	session_review_pause(session);
}

void
flow_dump_destroy(struct session *session)
{
	free(session->dump);
	session->dump = NULL;
}

int
multipart_flows(struct session *session, const struct of_msg *request,
                struct of_error *error)
{
	if (check_table(&request->flow_request, error))
		return -EPROTO;
	/* Nothing is read before an answer is complete. */
	while (session->dump)
		if (!dump_part(session, session->dump))
			flow_dump_destroy(session);
	session->dump = xcalloc(1, sizeof(*session->dump));
	session->dump->request = *request;
	session->dump->request.arena = NULL;
	flow_dump_run(session);
	return 0;
}

int
multipart_aggregate(struct session *session, const struct of_msg *request,
                    struct of_error *error)
{
	struct rule_list list = {0};
	struct of_msg reply;
	const struct of_flow_stats_request *what = &request->flow_request;
	const struct rule_filter filter = filter_of(what);

	if (check_table(what, error))
		return -EPROTO;
	for (size_t i = 0; i < OF_TABLES; i++)
		if (what->table == OF_TABLE_ALL || what->table == i)
			flow_table_select(&session->ofproto->tables[i], &filter, &list);
	multipart_init_reply(session, request, OFM_AGGREGATE_REPLY, &reply);
	for (size_t i = 0; i < list.n; i++) {
		struct rule_stats stats;

		rule_get_stats(list.rules[i], &stats);
		if (!(list.rules[i]->flags & OF_FLOW_NO_PACKETS))
			reply.aggregate.packets += stats.packets;
		if (!(list.rules[i]->flags & OF_FLOW_NO_BYTES))
			reply.aggregate.bytes += stats.bytes;
	}
	reply.aggregate.flows = (uint32_t)list.n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	rule_list_destroy(&list);
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
		tables[i].max_entries = FLOW_TABLE_RULES_MAX;
		tables[i].active = (uint32_t)table->rules.count - table->n_hidden;
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
	features->max_entries = FLOW_TABLE_RULES_MAX;
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

int
multipart_table_features(struct session *session, const struct of_msg *request,
                         struct of_error *error)
{
	struct of_table_features *features;
	struct of_msg reply;

	if (request->n && session->role == OF_ROLE_SECONDARY)
		return of_fail(error, OFERR_BAD_REQUEST_IS_SLAVE,
		               "a secondary controller changes nothing");
	if (egress_request(session->ofproto, request, error))
		return -1;
	features = xcalloc(SWITCH_TABLES, sizeof(*features));
	for (unsigned i = 0; i < SWITCH_TABLES; i++)
		fill_features(&features[i], session->ofproto,
		              &session->ofproto->tables[i], session->version);
	multipart_init_reply(session, request, OFM_TABLE_FEATURES_REPLY, &reply);
	reply.table_features = features;
	reply.n = SWITCH_TABLES;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(features);
	return 0;
}
