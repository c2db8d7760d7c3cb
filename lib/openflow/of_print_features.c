/* of_print_features.c - prints what tables are and can do, one after the other: what the
 * one before says too is not said again. For of_print_tables.c and weir-ofctl. No state,
 * any thread. */
#include "openflow/of_print_features.h"

#include "net/flow_action.h"

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

/* Fields that ovs-ofctl lists elsewhere than flow_field_id has them. */
static const uint8_t first_fields[] = {
	FIELD_RECIRC_ID,   FIELD_PACKET_TYPE, FIELD_CONJ_ID,      FIELD_TUN_ID,
	FIELD_TUN_SRC,     FIELD_TUN_DST,     FIELD_TUN_IPV6_SRC, FIELD_TUN_IPV6_DST,
	FIELD_TUN_FLAGS,   FIELD_METADATA,    FIELD_IN_PORT,      FIELD_ACTSET_OUTPUT,
	FIELD_PACKET_MARK, FIELD_CT_STATE,    FIELD_CT_ZONE,      FIELD_CT_MARK,
	FIELD_CT_LABEL};

/* 1.0's wildcards, 1.1's match fields (OFPFMF_*) and 1.2's (OXM's numbers). */
static const uint8_t fields_10[64] = {
	[0] = FIELD_IN_PORT,   [1] = FIELD_VLAN_VID,  [2] = FIELD_ETH_SRC,
	[3] = FIELD_ETH_DST,   [4] = FIELD_ETH_TYPE,  [5] = FIELD_IP_PROTO,
	[6] = FIELD_TCP_SRC,   [7] = FIELD_TCP_DST,   [8] = FIELD_IPV4_SRC,
	[14] = FIELD_IPV4_DST, [20] = FIELD_VLAN_PCP, [21] = FIELD_IP_DSCP};
static const uint8_t fields_11[64] = {
	[0] = FIELD_IN_PORT,   [1] = FIELD_VLAN_VID,  [2] = FIELD_VLAN_PCP,
	[3] = FIELD_ETH_TYPE,  [4] = FIELD_IP_DSCP,   [5] = FIELD_IP_PROTO,
	[6] = FIELD_TCP_SRC,   [7] = FIELD_TCP_DST,   [8] = FIELD_MPLS_LABEL,
	[9] = FIELD_MPLS_TC,   [11] = FIELD_ETH_SRC,  [12] = FIELD_ETH_DST,
	[13] = FIELD_IPV4_SRC, [14] = FIELD_IPV4_DST, [15] = FIELD_METADATA};
static const uint8_t fields_12[64] = {
	[0] = FIELD_IN_PORT,      [2] = FIELD_METADATA,        [3] = FIELD_ETH_DST,
	[4] = FIELD_ETH_SRC,      [5] = FIELD_ETH_TYPE,        [6] = FIELD_VLAN_VID,
	[7] = FIELD_VLAN_PCP,     [8] = FIELD_IP_DSCP_SHIFTED, [9] = FIELD_IP_ECN,
	[10] = FIELD_IP_PROTO,    [11] = FIELD_IPV4_SRC,       [12] = FIELD_IPV4_DST,
	[13] = FIELD_TCP_SRC,     [14] = FIELD_TCP_DST,        [15] = FIELD_UDP_SRC,
	[16] = FIELD_UDP_DST,     [17] = FIELD_SCTP_SRC,       [18] = FIELD_SCTP_DST,
	[19] = FIELD_ICMPV4_TYPE, [20] = FIELD_ICMPV4_CODE,    [21] = FIELD_ARP_OP,
	[22] = FIELD_ARP_SPA,     [23] = FIELD_ARP_TPA,        [24] = FIELD_ARP_SHA,
	[25] = FIELD_ARP_THA,     [26] = FIELD_IPV6_SRC,       [27] = FIELD_IPV6_DST,
	[28] = FIELD_IPV6_LABEL,  [29] = FIELD_ICMPV6_TYPE,    [30] = FIELD_ICMPV6_CODE,
	[31] = FIELD_ND_TARGET,   [32] = FIELD_ND_SLL,         [33] = FIELD_ND_TLL,
	[34] = FIELD_MPLS_LABEL,  [35] = FIELD_MPLS_TC};

static bool
has_bit(const uint64_t *bits, unsigned i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void
set_bit(uint64_t *bits, unsigned i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

void
print_action_set(struct str *out, const uint64_t actions[2])
{
	bool is_first = true;

	for (size_t i = 0; i < ARRAY_SIZE(action_names); i++) {
		if (!has_bit(actions, action_names[i].type))
			continue;
		str_printf(out, "%s%s", is_first ? "" : " ", action_names[i].name);
		is_first = false;
	}
	if (is_first)
		str_append(out, "none");
}

/* ---- sets of fields ---- */

struct names {
	const char *list[FIELD_N];
	size_t n;
};

/* Up to its first '_', 0 if it has none. */
static size_t
prefix_length(const char *name)
{
	const char *end = strchr(name, '_');

	return end ? (size_t)(end - name) + 1 : 0;
}

/* How many names from '*list' on differ from it in a number at the end that counts up. */
static size_t
count_numbered(const char *const *list, size_t n)
{
	const size_t stem = strcspn(list[0], "0123456789");
	size_t count = 0;
	char next[32];

	if (!list[0][stem])
		return 1;
	for (unsigned number = (unsigned)strtoul(list[0] + stem, NULL, 10); count < n;
	     count++) {
		snprintf(next, sizeof(next), "%.*s%u", (int)stem, list[0],
		         number + (unsigned)count);
		if (strcmp(list[count], next))
			break;
	}
	return count;
}

/* "eth_{src,dst,type} reg0...reg15" */
static void
put_names(struct str *out, const char *const *list, size_t n, const char *separator)
{
	for (size_t i = 0; i < n;) {
		const size_t prefix = prefix_length(list[i]);
		const size_t numbered = count_numbered(list + i, n - i);
		const char *inner[FIELD_N];
		size_t same = 1;

		if (i)
			str_append(out, separator);
		while (prefix && i + same < n &&
		       !strncmp(list[i], list[i + same], prefix))
			same++;
		if (numbered > 1) {
			str_printf(out, "%s...%s", list[i], list[i + numbered - 1]);
			i += numbered;
			continue;
		}
		if (same == 1) {
			str_append(out, list[i++]);
			continue;
		}
		for (size_t k = 0; k < same; k++)
			inner[k] = list[i + k] + prefix;
		str_printf(out, "%.*s{", (int)prefix, list[i]);
		put_names(out, inner, same, ",");
		str_append_char(out, '}');
		i += same;
	}
}

static void
add_name(struct names *names, const uint64_t *fields, unsigned id,
         enum of_version version)
{
	const struct text_field *text = &text_fields[id];

	if (has_bit(fields, id) && text->name)
		names->list[names->n++] =
			id == FIELD_IN_PORT && version >= OF12 ? text->alias : text->name;
}

static bool
is_first_field(unsigned id)
{
	for (size_t i = 0; i < sizeof(first_fields); i++)
		if (first_fields[i] == id)
			return true;
	return false;
}

static void
put_field_set(struct str *out, const char *title, const uint64_t fields[3],
              enum of_version version)
{
	struct names names = {.n = 0};

	for (size_t i = 0; i < sizeof(first_fields); i++)
		add_name(&names, fields, first_fields[i], version);
	for (unsigned id = 1; id < FIELD_N; id++)
		if (!is_first_field(id))
			add_name(&names, fields, id, version);
	if (!names.n)
		return;
	str_append(out, title);
	put_names(out, names.list, names.n, " ");
	str_append_char(out, '\n');
}

/* ---- what two tables have in common ---- */

static bool
is_same_next(const struct of_table_features *a, const struct of_table_features *b,
             unsigned miss)
{
	/* That no way leads back is no difference. */
	for (unsigned i = MAX_OF(a->table, b->table) + 1U; i < 256; i++)
		if ((a->next_tables[miss][i / 8] ^ b->next_tables[miss][i / 8]) >> i % 8 &
		    1)
			return false;
	return true;
}

static bool
is_same_actions(const struct of_table_features *a, unsigned miss,
                const struct of_table_features *b, unsigned other)
{
	return !memcmp(a->actions[miss], b->actions[other], sizeof(a->actions[0])) &&
	       !memcmp(a->write_actions[miss], b->write_actions[other],
	               sizeof(a->actions[0])) &&
	       !memcmp(a->set[miss], b->set[other], sizeof(a->set[0])) &&
	       !memcmp(a->write_set[miss], b->write_set[other], sizeof(a->set[0]));
}

static bool
is_same_instructions(const struct of_table_features *a, const struct of_table_features *b)
{
	for (unsigned miss = 0; miss < 2; miss++)
		if (a->instructions[miss] != b->instructions[miss] ||
		    !is_same_next(a, b, miss) || !is_same_actions(a, miss, b, miss))
			return false;
	return true;
}

static bool
is_same_matching(const struct of_table_features *a, const struct of_table_features *b)
{
	return !memcmp(a->match, b->match, sizeof(a->match)) &&
	       !memcmp(a->mask, b->mask, sizeof(a->mask)) &&
	       !memcmp(a->wildcards, b->wildcards, sizeof(a->wildcards));
}

static bool
is_same_features(const struct print_table *a, const struct print_table *b)
{
	const struct of_table_features *x = &a->features, *y = &b->features;

	return x->metadata_match == y->metadata_match &&
	       x->metadata_write == y->metadata_write &&
	       x->capabilities == y->capabilities && x->max_entries == y->max_entries &&
	       a->config == b->config && is_same_instructions(x, y) &&
	       is_same_matching(x, y);
}

static bool
is_same_stats(const struct print_table *a, const struct print_table *b)
{
	return a->has_stats == b->has_stats && a->active == b->active &&
	       a->lookups == b->lookups && a->matched == b->matched;
}

/* ---- one table ---- */

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
put_actions(struct str *out, const char *title, const uint64_t actions[2],
            const uint64_t set[3], enum of_version version)
{
	str_printf(out, "      %s features:\n        actions: ", title);
	print_action_set(out, actions);
	str_append_char(out, '\n');
	put_field_set(out, "        supported on Set-Field: ", set, version);
}

static void
put_instructions(struct print_tables *p, const struct of_table_features *t, unsigned miss,
                 const struct of_table_features *before)
{
	static const struct print_bit bits[] = {{1U << 6, "meter"},
	                                        {1U << 4, "apply_actions"},
	                                        {1U << 5, "clear_actions"},
	                                        {1U << 3, "write_actions"},
	                                        {1U << 2, "write_metadata"},
	                                        {1U << 1, "goto_table"},
	                                        {0, NULL}};
	struct str *out = p->out;

	put_next_tables(out, t->next_tables[miss]);
	str_append(out, "      instructions: ");
	print_bits(out, t->instructions[miss], bits, " ", "none");
	str_append_char(out, '\n');
	if (before && p->version != OF11 && is_same_actions(t, miss, before, miss)) {
		str_append(out, "      (same actions)\n");
	} else if (!memcmp(t->actions[miss], t->write_actions[miss],
	                   sizeof(t->actions[miss])) &&
	           !memcmp(t->set[miss], t->write_set[miss], sizeof(t->set[miss]))) {
		put_actions(out, "Write-Actions and Apply-Actions", t->actions[miss],
		            t->set[miss], p->version);
	} else {
		put_actions(out, "Write-Actions", t->write_actions[miss],
		            t->write_set[miss], p->version);
		put_actions(out, "Apply-Actions", t->actions[miss], t->set[miss],
		            p->version);
	}
}

static void
put_all_instructions(struct print_tables *p, const struct of_table_features *t,
                     const struct of_table_features *before)
{
	const bool is_one =
		t->instructions[0] == t->instructions[1] && is_same_actions(t, 0, t, 1) &&
		!memcmp(t->next_tables[0], t->next_tables[1], sizeof(t->next_tables[0]));

	if (!t->instructions[0] && !t->instructions[1])
		return;
	if (before && is_same_instructions(t, before)) {
		str_append(p->out, "    (same instructions)\n");
	} else if (is_one) {
		str_append(p->out, "    instructions (table miss and others):\n");
		put_instructions(p, t, 0, before);
	} else {
		str_append(p->out, "    instructions (other than table miss):\n");
		put_instructions(p, t, 0, before);
		str_append(p->out, "    instructions (table miss):\n");
		put_instructions(p, t, 1, before);
	}
}

static void
put_matching(struct print_tables *p, const struct of_table_features *t,
             const struct of_table_features *before)
{
	uint64_t exact[3], must[3], any = 0;

	if (before && is_same_matching(t, before)) {
		if (t->match[0] | t->match[1] | t->match[2])
			str_append(p->out, "    (same matching)\n");
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		any |= t->match[i];
		exact[i] = t->match[i] & t->wildcards[i] & ~t->mask[i];
		must[i] = t->match[i] & ~t->wildcards[i] & ~t->mask[i];
	}
	if (!any)
		return;
	str_append(p->out, "    matching:\n");
	put_field_set(p->out, "      arbitrary mask: ", t->mask, p->version);
	put_field_set(p->out, "      exact match or wildcard: ", exact, p->version);
	put_field_set(p->out, "      must exact match: ", must, p->version);
}

static void
put_table(struct print_tables *p, const struct print_table *table)
{
	static const char *const misses[] = {"controller", "continue", "drop"};
	const struct of_table_features *t = &table->features;
	const struct of_table_features *before =
		p->has_before ? &p->before.features : NULL;
	struct str *out = p->out;

	if (table->has_stats)
		str_printf(out,
		           "    active=%u, lookup=%" PRIu64 ", matched=%" PRIu64 "\n",
		           table->active, table->lookups, table->matched);
	if (p->has_before && p->version < OF13 && is_same_features(table, &p->before)) {
		str_append(out, "    (same features)\n");
		return;
	}
	if (t->metadata_match || t->metadata_write)
		str_printf(out, "    metadata: match=%#" PRIx64 " write=%#" PRIx64 "\n",
		           t->metadata_match, t->metadata_write);
	if (table->config >= 0 && (unsigned)table->config < ARRAY_SIZE(misses))
		str_printf(out, "    config=%s\n", misses[table->config]);
	if (!table->has_stats && p->version >= OF14)
		str_printf(out,
		           "    eviction: %ssupported\n    vacancy events: %ssupported\n",
		           t->capabilities & 4 ? "" : "not ",
		           t->capabilities & 8 ? "" : "not ");
	if (t->max_entries)
		str_printf(out, "    max_entries=%u\n", t->max_entries);
	put_all_instructions(p, t, before);
	put_matching(p, t, before);
}

static void
put_dittos(struct print_tables *p)
{
	if (p->n_dittos == 1)
		str_printf(p->out, "  table %u: ditto\n", p->last_ditto);
	else if (p->n_dittos)
		str_printf(p->out, "  tables %u...%u: ditto\n",
		           p->last_ditto - p->n_dittos + 1, p->last_ditto);
	p->n_dittos = 0;
}

void
print_tables_add(struct print_tables *p, const struct print_table *table)
{
	const char *name = table->features.name;
	const bool is_same = p->has_before && is_same_stats(table, &p->before) &&
	                     is_same_features(table, &p->before);

	if (is_same && !*name) {
		if (!p->n_dittos && !p->is_short)
			str_append_char(p->out, '\n');
		p->n_dittos++;
		p->last_ditto = table->features.table;
	} else {
		put_dittos(p);
		if (p->has_before && !(is_same && p->is_short))
			str_append_char(p->out, '\n');
		str_printf(p->out, "  table %u", table->features.table);
		if (*name)
			str_printf(p->out, " (\"%s\")", name);
		str_append(p->out, is_same ? ": ditto\n" : ":\n");
		if (!is_same)
			put_table(p, table);
	}
	p->is_short = is_same;
	p->before = *table;
	p->has_before = true;
}

void
print_tables_end(struct print_tables *p)
{
	put_dittos(p);
}

/* ---- from statistics ---- */

static void
take_fields(uint64_t fields[3], const uint8_t known[64], uint64_t bits)
{
	for (unsigned i = 0; i < 64; i++)
		if (known[i] && bits >> i & 1)
			set_bit(fields, known[i]);
}

static void
take_actions(enum of_version version, uint64_t actions[2], uint32_t bits)
{
	for (unsigned i = 0; i < 32; i++) {
		const unsigned action = of_action_by_number(version, i);

		if (bits >> i & 1 && action != OF_ACTION_NONE)
			set_bit(actions, action);
	}
}

void
print_table_from_stats(enum of_version version, const struct of_table_stats *stats,
                       struct print_table *table)
{
	const uint8_t *known = version == OF10   ? fields_10
	                       : version == OF11 ? fields_11
	                                         : fields_12;
	struct of_table_features *t = &table->features;

	*table = (struct print_table){
		.features = {.table = stats->table},
		.has_stats = true,
		.active = stats->active,
		.lookups = stats->lookups,
		.matched = stats->matched,
		.config = -1,
	};
	if (version >= OF13)
		return;
	snprintf(t->name, sizeof(t->name), "%s", stats->name);
	t->max_entries = stats->max_entries;
	take_fields(t->wildcards, known, stats->wildcards);
	take_fields(t->match, known,
	            version == OF10 ? stats->wildcards : stats->match_fields);
	if (version == OF10)
		return;
	table->config = (int)(stats->config & 3);
	for (unsigned miss = 0; miss < 2; miss++) {
		t->instructions[miss] = stats->instructions;
		take_actions(version, t->actions[miss], stats->apply_actions);
		take_actions(version, t->write_actions[miss], stats->write_actions);
		if (version == OF12) {
			take_fields(t->set[miss], known, stats->apply_setfields);
			take_fields(t->write_set[miss], known, stats->write_setfields);
		}
	}
	if (version == OF12) {
		t->metadata_match = stats->metadata_match;
		t->metadata_write = stats->metadata_write;
	}
}
