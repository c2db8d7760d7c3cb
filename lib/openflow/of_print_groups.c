/* of_print_groups.c - prints messages about groups and meters. For of_print.c. No state,
 * any thread. */
#include "openflow/of_print_private.h"

static const char *
command_name(enum of_group_command command)
{
	static const char *const names[] = {
		[OF_GROUP_ADD] = "ADD",
		[OF_GROUP_MODIFY] = "MOD",
		[OF_GROUP_DELETE] = "DEL",
		[OF_GROUP_INSERT_BUCKET] = "INSERT_BUCKET",
		[OF_GROUP_REMOVE_BUCKET] = "REMOVE_BUCKET",
		[OF_GROUP_ADD_OR_MODIFY] = "ADD_OR_MOD",
	};

	return (unsigned)command < ARRAY_SIZE(names) ? names[command] : "?";
}

static void
put_group_mod(struct of_printer *p)
{
	str_printf(p->out, "\n %s ", command_name(p->msg->group_mod.command));
	text_format_group(p->out, &p->msg->group_mod, true, p->names);
	str_append_char(p->out, '\n');
}

static void
put_group_stats(struct of_printer *p, const struct of_group_stats *stats)
{
	struct str *out = p->out;

	str_printf(out, "\n group_id=%u,", stats->group);
	if (stats->duration_ns != UINT64_MAX && p->msg->version != OF11 &&
	    p->msg->version != OF12) {
		str_append(out, "duration=");
		print_duration(out, stats->duration_ns);
		str_append_char(out, ',');
	}
	str_printf(out, "ref_count=%u,packet_count=%" PRIu64 ",byte_count=%" PRIu64,
	           stats->references, stats->packets, stats->bytes);
	for (size_t i = 0; i < stats->n_buckets; i++)
		str_printf(out, ",bucket%zu:packet_count=%" PRIu64 ",byte_count=%" PRIu64,
		           i, stats->buckets[i].packets, stats->buckets[i].bytes);
}

static void
put_features(struct of_printer *p)
{
	static const char *const types[] = {"all", "select", "indirect", "fast failover"};
	const struct of_group_features *features = &p->msg->group_features;

	str_printf(p->out, "\n Group table:\n    Types:  0x%x\n    Capabilities:  0x%x\n",
	           features->types, features->capabilities);
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		if (!(features->types >> i & 1))
			continue;
		str_printf(p->out,
		           "    %s group:\n       max_groups=%#x\n       actions: ",
		           types[i], features->max_groups[i]);
		print_action_set(p->out, features->actions[i]);
		str_append_char(p->out, '\n');
	}
}

static void
put_number(struct of_printer *p, const char *key, uint32_t number, uint32_t all)
{
	if (number == all)
		str_printf(p->out, " %s=ALL", key);
	else if (number == OF_GROUP_ANY)
		str_printf(p->out, " %s=ANY", key);
	else
		str_printf(p->out, " %s=%u", key, number);
}

static void
put_meter_mod(struct of_printer *p)
{
	static const char *const commands[] = {"ADD", "MOD", "DEL"};
	const struct of_meter_mod *mod = &p->msg->meter_mod;

	str_printf(p->out, " %s ",
	           (unsigned)mod->command < ARRAY_SIZE(commands) ? commands[mod->command]
	                                                         : "?");
	text_format_meter(p->out, mod);
}

static void
put_meter_stats(struct of_printer *p, const struct of_meter_stats *stats)
{
	struct str *out = p->out;

	str_append_char(out, '\n');
	text_format_meter_number(out, "meter", ':', stats->meter);
	str_printf(out,
	           " flow_count:%u packet_in_count:%" PRIu64 " byte_in_count:%" PRIu64
	           " duration:",
	           stats->flows, stats->packets, stats->bytes);
	print_duration(out, stats->duration_ns);
	str_append(out, " bands:\n");
	for (size_t i = 0; i < stats->n_bands; i++)
		str_printf(out, "%zu: packet_count:%" PRIu64 " byte_count:%" PRIu64 "\n",
		           i, stats->bands[i].packets, stats->bands[i].bytes);
}

static void
put_meter_features(struct of_printer *p)
{
	static const struct print_bit bands[] = {
		{2, "drop"}, {4, "dscp_remark"}, {0, NULL}};
	static const struct print_bit flags[] = {{OF_METER_KBPS, "kbps"},
	                                         {OF_METER_PKTPS, "pktps"},
	                                         {OF_METER_BURST, "burst"},
	                                         {OF_METER_STATS, "stats"},
	                                         {0, NULL}};
	const struct of_meter_features *features = &p->msg->meter_features;

	str_printf(p->out, "\nmax_meter:%u max_bands:%u max_color:%u\nband_types: ",
	           features->max_meter, features->max_bands, features->max_color);
	print_bits(p->out, features->band_types, bands, " ", "0");
	str_append(p->out, "\ncapabilities: ");
	print_bits(p->out, features->capabilities, flags, " ", "0");
	str_append_char(p->out, '\n');
}

static void
put_meters(struct of_printer *p)
{
	const struct of_msg *msg = p->msg;

	switch ((int)msg->kind) {
	case OFM_METER_STATS_REPLY:
		for (size_t i = 0; i < msg->n; i++)
			put_meter_stats(p, &msg->meter_stats[i]);
		break;
	case OFM_METER_CONFIG_REPLY:
		for (size_t i = 0; i < msg->n; i++) {
			str_append_char(p->out, '\n');
			text_format_meter(p->out, &msg->meters[i]);
		}
		break;
	default:
		text_format_meter_number(p->out, " meter", '=', msg->number);
		break;
	}
}

bool
print_groups(struct of_printer *p)
{
	const struct of_msg *msg = p->msg;

	switch ((int)msg->kind) {
	case OFM_GROUP_MOD:
		put_group_mod(p);
		return true;
	case OFM_GROUP_STATS_REQUEST:
	case OFM_GROUP_DESC_REQUEST:
		put_number(p, "group_id", msg->number, OF_GROUP_ALL);
		return true;
	case OFM_GROUP_STATS_REPLY:
		for (size_t i = 0; i < msg->n; i++)
			put_group_stats(p, &msg->group_stats[i]);
		return true;
	case OFM_GROUP_DESC_REPLY:
		for (size_t i = 0; i < msg->n; i++) {
			str_append(p->out, "\n ");
			text_format_group(p->out, &msg->groups[i], false, p->names);
		}
		return true;
	case OFM_GROUP_FEATURES_REPLY:
		put_features(p);
		return true;
	case OFM_METER_MOD:
		put_meter_mod(p);
		return true;
	case OFM_METER_STATS_REQUEST:
	case OFM_METER_STATS_REPLY:
	case OFM_METER_CONFIG_REQUEST:
	case OFM_METER_CONFIG_REPLY:
		put_meters(p);
		return true;
	case OFM_METER_FEATURES_REPLY:
		put_meter_features(p);
		return true;
	default:
		return false;
	}
}
