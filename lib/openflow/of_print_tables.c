/* of_print_tables.c - prints messages about tables: statistics, features, settings. For
 * of_print.c. No state, any thread. */
#include "openflow/of_print_features.h"

static void
put_stats(struct of_printer *p)
{
	struct print_tables tables = {.out = p->out, .version = p->msg->version};

	str_append_char(p->out, '\n');
	for (size_t i = 0; i < p->msg->n; i++) {
		struct print_table table;

		print_table_from_stats(p->msg->version, &p->msg->tables[i], &table);
		print_tables_add(&tables, &table);
	}
	print_tables_end(&tables);
}

void
of_text_format_table_features(struct str *out, enum of_version version,
                              const struct of_table_features *features, size_t n)
{
	struct print_tables tables = {.out = out, .version = version};

	for (size_t i = 0; i < n; i++)
		print_tables_add(&tables, &(struct print_table){.features = features[i],
		                                                .config = -1});
	print_tables_end(&tables);
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
	print_bits(out, desc->eviction_flags, eviction_bits, "|", "(default)");
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
		if (msg->n)
			str_append_char(p->out, '\n');
		of_text_format_table_features(p->out, msg->version, msg->table_features,
		                              msg->n);
		break;
	case OFM_TABLE_DESC_REPLY:
		for (size_t i = 0; i < msg->n; i++)
			put_desc(p, &msg->table_descs[i]);
		break;
	case OFM_TABLE_STATUS:
		str_append(p->out, msg->table_status.reason == 3 ? " reason=VACANCY_DOWN"
		                                                 : " reason=VACANCY_UP");
		str_append(p->out, "\ntable_desc:-");
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
