/* of_print_tables.c - prints messages about tables: statistics, features, settings. For
 * of_print.c. No state, any thread. */
#include "openflow/of_print_private.h"

/* In the order in which ovs-ofctl lists them. */
static const struct {
	enum flow_action_type type;
	const char *name;
} action_names[] = {
	{ACTION_OUTPUT, "output"},
	{ACTION_GROUP, "group"},
	{ACTION_ENQUEUE, "enqueue"},
	{ACTION_SET_FIELD, "set_field"},
	{ACTION_SET_VLAN_VID, "set_vlan_vid"},
	{ACTION_SET_VLAN_PCP, "set_vlan_pcp"},
	{ACTION_POP_VLAN, "strip_vlan"},
	{ACTION_PUSH_VLAN, "push_vlan"},
	{ACTION_SET_ETH_SRC, "mod_dl_src"},
	{ACTION_SET_ETH_DST, "mod_dl_dst"},
	{ACTION_SET_IPV4_SRC, "mod_nw_src"},
	{ACTION_SET_IPV4_DST, "mod_nw_dst"},
	{ACTION_SET_IP_DSCP, "mod_nw_tos"},
	{ACTION_SET_IP_ECN, "mod_nw_ecn"},
	{ACTION_SET_IP_TTL, "mod_nw_ttl"},
	{ACTION_SET_TP_SRC, "mod_tp_src"},
	{ACTION_SET_TP_DST, "mod_tp_dst"},
	{ACTION_DEC_TTL, "dec_ttl"},
	{ACTION_SET_MPLS_LABEL, "set_mpls_label"},
	{ACTION_SET_MPLS_TC, "set_mpls_tc"},
	{ACTION_SET_MPLS_TTL, "set_mpls_ttl"},
	{ACTION_DEC_MPLS_TTL, "dec_mpls_ttl"},
	{ACTION_PUSH_MPLS, "push_mpls"},
	{ACTION_POP_MPLS, "pop_mpls"},
	{ACTION_SET_QUEUE, "set_queue"},
	{ACTION_METER, "meter"},
	{ACTION_COPY_TTL_OUT, "copy_ttl_out"},
	{ACTION_COPY_TTL_IN, "copy_ttl_in"},
	{ACTION_PUSH_PBB, "push_pbb"},
	{ACTION_POP_PBB, "pop_pbb"},
};

void
print_action_set(struct str *out, const uint64_t actions[2])
{
	bool is_first = true;

	for (size_t i = 0; i < ARRAY_SIZE(action_names); i++) {
		unsigned type = action_names[i].type;

		if (!(actions[type / 64] >> type % 64 & 1))
			continue;
		str_printf(out, "%s%s", is_first ? "" : " ", action_names[i].name);
		is_first = false;
	}
	if (is_first)
		str_append(out, "none");
}

static void
put_field_set(struct str *out, const char *title, const uint64_t fields[3])
{
	bool is_first = true;

	for (unsigned i = 1; i < FIELD_N; i++) {
		if (!(fields[i / 64] >> i % 64 & 1) || !text_fields[i].name)
			continue;
		str_printf(out, "%s%s", is_first ? title : " ", text_fields[i].name);
		is_first = false;
	}
	if (!is_first)
		str_append_char(out, '\n');
}

static void
put_table_name(struct str *out, uint8_t table, const char *name)
{
	str_printf(out, "\n  table %u", table);
	if (*name)
		str_printf(out, " (\"%s\")", name);
	str_append(out, ":\n");
}

static bool
is_same(const struct of_table_stats *a, const struct of_table_stats *b)
{
	return a->active == b->active && a->lookups == b->lookups &&
	       a->matched == b->matched && a->max_entries == b->max_entries &&
	       a->config == b->config;
}

static void
put_stats(struct of_printer *p)
{
	const struct of_table_stats *tables = p->msg->tables;
	struct str *out = p->out;
	size_t i = 0;

	while (i < p->msg->n) {
		const struct of_table_stats *t = &tables[i];
		size_t last = i + 1;

		put_table_name(out, t->table, p->msg->version <= OF12 ? "" : t->name);
		str_printf(out,
		           "    active=%u, lookup=%" PRIu64 ", matched=%" PRIu64 "\n",
		           t->active, t->lookups, t->matched);
		if (p->msg->version <= OF12)
			str_printf(out, "    max_entries=%u\n", t->max_entries);
		while (last < p->msg->n && is_same(&tables[last], t))
			last++;
		if (last == i + 2)
			str_printf(out, "\n  table %u: ditto\n", tables[last - 1].table);
		else if (last > i + 2)
			str_printf(out, "\n  tables %u...%u: ditto\n",
			           tables[i + 1].table, tables[last - 1].table);
		i = last;
	}
}

static void
put_next_tables(struct str *out, const uint8_t *bits)
{
	bool is_first = true;

	for (unsigned i = 0; i < 256; i++) {
		unsigned last = i;

		if (!(bits[i / 8] >> i % 8 & 1))
			continue;
		while (last < 255 && bits[(last + 1) / 8] >> (last + 1) % 8 & 1)
			last++;
		str_printf(out, is_first ? "      next tables: %u" : ",%u", i);
		if (last > i)
			str_printf(out, "-%u", last);
		is_first = false;
		i = last;
	}
	if (!is_first)
		str_append_char(out, '\n');
}

static void
put_instructions(struct str *out, const struct of_table_features *t, unsigned miss)
{
	static const struct print_bit bits[] = {{1U << 6, "meter"},
	                                        {1U << 4, "apply_actions"},
	                                        {1U << 5, "clear_actions"},
	                                        {1U << 3, "write_actions"},
	                                        {1U << 2, "write_metadata"},
	                                        {1U << 1, "goto_table"},
	                                        {0, NULL}};

	put_next_tables(out, t->next_tables[miss]);
	str_append(out, "      instructions: ");
	print_bits(out, t->instructions[miss], bits, " ", "none");
	str_append(out, "\n      Write-Actions features:\n        actions: ");
	print_action_set(out, t->write_actions[miss]);
	str_append_char(out, '\n');
	put_field_set(out, "        supported on Set-Field: ", t->write_set[miss]);
	str_append(out, "      Apply-Actions features:\n        actions: ");
	print_action_set(out, t->actions[miss]);
	str_append_char(out, '\n');
	put_field_set(out, "        supported on Set-Field: ", t->set[miss]);
}

static void
put_features(struct str *out, const struct of_table_features *t)
{
	uint64_t exact[3];

	put_table_name(out, t->table, t->name);
	str_printf(out, "    metadata: match=%#" PRIx64 " write=%#" PRIx64 "\n",
	           t->metadata_match, t->metadata_write);
	str_printf(out, "    max_entries=%u\n", t->max_entries);
	if (!t->has_properties)
		return;
	str_append(out, "    instructions (other than table miss):\n");
	put_instructions(out, t, 0);
	str_append(out, "    instructions (table miss):\n");
	put_instructions(out, t, 1);
	str_append(out, "    matching:\n");
	for (unsigned i = 0; i < 3; i++)
		exact[i] = t->match[i] & ~t->mask[i];
	put_field_set(out, "      arbitrary mask: ", t->mask);
	put_field_set(out, "      exact match or wildcard: ", exact);
}

static const struct print_bit eviction_bits[] = {
	{1, "OTHER"}, {2, "IMPORTANCE"}, {4, "LIFETIME"}, {0, NULL}};

#define TABLE_EVICTION 4
#define TABLE_VACANCY  8

static void
put_desc(struct of_printer *p, const struct of_table_desc *desc)
{
	struct str *out = p->out;

	str_append(out, "\n  table ");
	text_format_table(out, desc->table, p->names);
	str_printf(out, ":\n   eviction=%s eviction_flags=",
	           desc->config & TABLE_EVICTION ? "on" : "off");
	print_bits(out, desc->eviction_flags, eviction_bits, "|", "0");
	str_printf(out, "\n   vacancy=%s", desc->config & TABLE_VACANCY ? "on" : "off");
	if (desc->config & TABLE_VACANCY)
		str_printf(out, " vacancy_down=%u%% vacancy_up=%u%% vacancy=%u%%",
		           desc->vacancy_down, desc->vacancy_up, desc->vacancy);
	str_append_char(out, '\n');
}

static void
put_table_mod(struct of_printer *p)
{
	static const char *const misses[] = {"controller", "continue", "drop"};
	const struct of_table_mod *mod = &p->msg->table_mod;
	struct str *out = p->out;

	if (mod->table == OF_TABLE_ALL)
		str_append(out, " table_id: ALL_TABLES");
	else
		str_printf(out, " table_id=%u", mod->table);
	if (p->msg->version < OF14) {
		if (p->msg->version < OF13 && (mod->config & 3) < ARRAY_SIZE(misses))
			str_printf(out, ", flow_miss_config=%s", misses[mod->config & 3]);
		return;
	}
	str_printf(out, ", eviction=%s, vacancy=%s",
	           mod->config & TABLE_EVICTION ? "on" : "off",
	           mod->config & TABLE_VACANCY ? "on" : "off");
	if (mod->has_eviction) {
		str_append(out, " eviction_flags=");
		print_bits(out, mod->eviction_flags, eviction_bits, "|", "0");
	}
	if (mod->has_vacancy)
		str_printf(out, " vacancy:%u,%u", mod->vacancy_down, mod->vacancy_up);
}

bool
print_tables(struct of_printer *p)
{
	const struct of_msg *msg = p->msg;
	size_t start = p->out->length;

	switch ((int)msg->kind) {
	case OFM_TABLE_STATS_REPLY:
		put_stats(p);
		break;
	case OFM_TABLE_FEATURES_REPLY:
	case OFM_TABLE_FEATURES_REQUEST:
		for (size_t i = 0; i < msg->n; i++)
			put_features(p->out, &msg->table_features[i]);
		break;
	case OFM_TABLE_DESC_REPLY:
		for (size_t i = 0; i < msg->n; i++)
			put_desc(p, &msg->table_descs[i]);
		break;
	case OFM_TABLE_STATUS:
		str_append(p->out, msg->table_status.reason == 3 ? " reason=VACANCY_DOWN"
		                                                 : " reason=VACANCY_UP");
		put_desc(p, &msg->table_status.desc);
		break;
	case OFM_TABLE_MOD:
		put_table_mod(p);
		return true;
	default:
		return false;
	}
	if (p->out->length == start)
		str_append_char(p->out, '\n');
	return true;
}
