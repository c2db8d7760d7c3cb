/* of_print_basic.c - prints messages about the session: hello, errors, echo, features and
 * configuration of the switch, roles, asynchronous messages, bundles, and Nicira's
 * settings. For of_print.c. No state, any thread. */
#include "openflow/of_print_private.h"

static void
put_hello(struct of_printer *p)
{
	uint32_t versions = p->msg->hello.versions;
	bool is_first = true;

	str_append(p->out, "\n version bitmap: ");
	for (unsigned i = 1; i < 32; i++)
		if (versions >> i & 1) {
			str_printf(p->out, "%s0x%02x", is_first ? "" : ", ", i);
			is_first = false;
		}
	str_append_char(p->out, '\n');
}

static void
put_error(struct of_printer *p)
{
	const struct of_error_msg *error = &p->msg->error;
	struct of_error numbers = {.type = error->type,
	                           .code = error->code,
	                           .experimenter = error->experimenter};
	const char *name = of_error_name(p->msg->version, &numbers);

	if (name)
		str_printf(p->out, " %s\n", name);
	else if (error->experimenter)
		str_printf(p->out, " experimenter 0x%08x type %u code %u\n",
		           error->experimenter, error->type, error->code);
	else
		str_printf(p->out, " type %u code %u\n", error->type, error->code);
	if (error->type == 0 && !error->experimenter)
		str_printf(p->out, "%.*s\n", (int)error->n, (const char *)error->data);
	else if (error->n)
		print_inner(p, error->data, error->n);
}

static void
put_config(struct of_printer *p)
{
	static const char *const fragments[] = {"normal", "drop", "reassemble",
	                                        "nx-match"};
	const struct of_config *config = &p->msg->config;

	str_printf(p->out, " frags=%s", fragments[config->flags & 3]);
	if (config->flags & 4)
		str_append(p->out, " invalid_ttl_to_controller");
	str_printf(p->out, " miss_send_len=%u\n", config->miss_send_len);
}

static const char *
role_name(enum of_role role)
{
	static const char *const roles[] = {"nochange", "equal", "primary", "secondary"};

	return (unsigned)role < ARRAY_SIZE(roles) ? roles[role] : "?";
}

static void
put_role(struct of_printer *p)
{
	static const char *const reasons[] = {"primary_request", "configuration_changed",
	                                      "experimenter_data_changed"};
	const struct of_role_msg *role = &p->msg->role;

	str_printf(p->out, " role=%s", role_name(role->role));
	/* Of a request that wants no generation checked, what stands in its place. */
	if (role->has_generation ||
	    (p->msg->kind == OFM_ROLE_REQUEST && !p->msg->is_nicira &&
	     role->role != OF_ROLE_NOCHANGE))
		str_printf(p->out, " generation_id=%" PRIu64, role->generation);
	if (p->msg->kind == OFM_ROLE_STATUS)
		str_printf(p->out, " reason=%s",
		           role->reason < ARRAY_SIZE(reasons) ? reasons[role->reason]
		                                              : "?");
}

static void
put_controller(struct str *out, const struct of_controller_status *status)
{
	static const char *const reasons[] = {
		"request",          "channel_status",     "role",
		"controller_added", "controller_removed", "short_id",
		"experimenter"};

	if (status->uri)
		str_printf(out, " uri=%s", status->uri);
	str_printf(out, " short_id=%u role=%s channel_status=%s reason=%s\n",
	           status->short_id, role_name(status->role),
	           status->channel_status == 0   ? "up"
	           : status->channel_status == 1 ? "down"
	                                         : "?",
	           status->reason < ARRAY_SIZE(reasons) ? reasons[status->reason] : "?");
}

static void
put_controllers(struct of_printer *p)
{
	str_append_char(p->out, '\n');
	for (size_t i = 0; i < p->msg->n; i++)
		put_controller(p->out, &p->msg->controllers[i]);
}

static const char *const packet_in_reasons[] = {"no_match",   "action", "invalid_ttl",
                                                "action_set", "group",  "packet_out"};
static const char *const port_reasons[] = {"add", "delete", "modify"};
static const char *const removed_reasons[] = {"idle",         "hard",         "delete",
                                              "group_delete", "meter_delete", "eviction"};
static const char *const role_reasons[] = {"primary_request", "configuration_changed",
                                           "experimenter_data_changed"};
static const char *const table_reasons[] = {"0", "1", "2", "vacancy_down", "vacancy_up"};
static const char *const forward_reasons[] = {"group_mod_request", "meter_mod_request"};

static void
put_async_bits(struct str *out, const char *name, uint32_t bits,
               const char *const *reasons, size_t n)
{
	str_printf(out, "%16s:", name);
	for (unsigned i = 0; i < 32; i++) {
		if (!(bits >> i & 1))
			continue;
		if (i < n)
			str_printf(out, " %s", reasons[i]);
		else
			str_printf(out, " %u", i);
	}
	if (!bits)
		str_append(out, " (off)");
	str_append_char(out, '\n');
}

static void
put_async(struct of_printer *p)
{
	const struct of_async *async = &p->msg->async;
	struct str *out = p->out;

	for (unsigned i = 2; i-- > 0;) {
		str_printf(out, "\n %s:\n", i ? "primary" : "secondary");
		put_async_bits(out, "PACKET_IN", async->packet_in[i], packet_in_reasons,
		               ARRAY_SIZE(packet_in_reasons));
		put_async_bits(out, "PORT_STATUS", async->port_status[i], port_reasons,
		               ARRAY_SIZE(port_reasons));
		put_async_bits(out, "FLOW_REMOVED", async->flow_removed[i],
		               removed_reasons, ARRAY_SIZE(removed_reasons));
		put_async_bits(out, "ROLE_STATUS", async->role_status[i], role_reasons,
		               ARRAY_SIZE(role_reasons));
		put_async_bits(out, "TABLE_STATUS", async->table_status[i], table_reasons,
		               ARRAY_SIZE(table_reasons));
		put_async_bits(out, "REQUESTFORWARD", async->request_forward[i],
		               forward_reasons, ARRAY_SIZE(forward_reasons));
	}
}

static void
put_bundle(struct of_printer *p)
{
	static const char *const types[] = {
		"OPEN_REQUEST",   "OPEN_REPLY",   "CLOSE_REQUEST",   "CLOSE_REPLY",
		"COMMIT_REQUEST", "COMMIT_REPLY", "DISCARD_REQUEST", "DISCARD_REPLY"};
	static const struct print_bit bits[] = {{1, "atomic"}, {2, "ordered"}, {0, NULL}};
	const struct of_bundle *bundle = &p->msg->bundle;

	str_printf(p->out, "\n bundle_id=%#x", bundle->id);
	if (p->msg->kind == OFM_BUNDLE_CONTROL)
		str_printf(p->out, " type=%s",
		           bundle->type < ARRAY_SIZE(types) ? types[bundle->type] : "?");
	str_append(p->out, " flags=");
	print_bits(p->out, bundle->flags, bits, " ", "0");
	str_append_char(p->out, '\n');
	if (p->msg->kind == OFM_BUNDLE_ADD)
		print_inner(p, bundle->message, bundle->n);
}

static void
put_tlv_maps(struct of_printer *p)
{
	const struct of_tlv_table *table = &p->msg->tlv_table;

	str_append(p->out, " mapping table:\n"
	                   "  class  type  length  match field\n"
	                   " ------  ----  ------  --------------\n");
	for (size_t i = 0; i < table->n_maps; i++) {
		const struct of_tlv_map *map = &table->maps[i];

		str_printf(p->out, " %#6x  %#4x  %6u  tun_metadata%u\n", map->class_,
		           map->type, map->length, map->index);
	}
}

static void
put_tlv(struct of_printer *p)
{
	static const char *const commands[] = {"ADD", "DEL", "CLEAR"};
	const struct of_tlv_table *table = &p->msg->tlv_table;
	unsigned used = 0;

	if (p->msg->kind == OFM_NX_TLV_TABLE_MOD) {
		str_printf(p->out, "\n %s",
		           table->command < ARRAY_SIZE(commands)
		                   ? commands[table->command]
		                   : "?");
		if (table->command != 2)
			put_tlv_maps(p);
		return;
	}
	for (size_t i = 0; i < table->n_maps; i++)
		used += table->maps[i].length;
	str_printf(p->out, "\n max option space=%u max fields=%u\n", table->max_space,
	           table->max_fields);
	str_printf(p->out, " allocated option space=%u\n\n", used);
	put_tlv_maps(p);
}

/* Nicira's settings: one number each. */
static void
put_setting(struct of_printer *p)
{
	static const char *const packet_formats[] = {"standard", "nxt_packet_in",
	                                             "nxt_packet_in2"};
	uint32_t number = p->msg->number;

	switch ((int)p->msg->kind) {
	case OFM_NX_FLOW_FORMAT:
		str_printf(p->out, " format=%s",
		           number == 2 ? "nxm"
		           : number    ? "?"
		                       : "openflow10");
		break;
	case OFM_NX_TABLE_ID:
		str_append(p->out, number ? " enable" : " disable");
		break;
	case OFM_NX_PACKET_IN_FORMAT:
		if (number < ARRAY_SIZE(packet_formats))
			str_printf(p->out, " format=%s", packet_formats[number]);
		else
			str_printf(p->out, " format=%u", number);
		break;
	case OFM_NX_CONTROLLER_ID:
		str_printf(p->out, " id=%u", number);
		break;
	case OFM_NX_CT_FLUSH_ZONE:
		str_printf(p->out, " zone_id=%u", number);
		break;
	default:
		str_printf(p->out, " id=%u", number);
		break;
	}
}

static void
put_desc(struct of_printer *p)
{
	const struct of_desc *desc = &p->msg->desc;

	str_printf(p->out,
	           "\nManufacturer: %s\nHardware: %s\nSoftware: %s\nSerial Num: %s\n"
	           "DP Description: %s\n",
	           desc->manufacturer, desc->hardware, desc->software, desc->serial,
	           desc->datapath);
}

static void
put_experimenter(struct of_printer *p)
{
	const struct of_experimenter *e = &p->msg->experimenter;

	str_printf(p->out, " experimenter=0x%08x type=%u\n", e->id, e->type);
	print_hex_dump(p->out, e->data, e->n);
}

static bool
has_no_body(enum of_kind kind)
{
	static const enum of_kind kinds[] = {OFM_FEATURES_REQUEST,
	                                     OFM_GET_CONFIG_REQUEST,
	                                     OFM_BARRIER_REQUEST,
	                                     OFM_BARRIER_REPLY,
	                                     OFM_GET_ASYNC_REQUEST,
	                                     OFM_NX_TLV_TABLE_REQUEST,
	                                     OFM_NX_FLOW_MONITOR_PAUSED,
	                                     OFM_NX_FLOW_MONITOR_RESUMED,
	                                     OFM_DESC_REQUEST,
	                                     OFM_TABLE_STATS_REQUEST,
	                                     OFM_GROUP_FEATURES_REQUEST,
	                                     OFM_METER_FEATURES_REQUEST,
	                                     OFM_BUNDLE_FEATURES_REQUEST,
	                                     OFM_CONTROLLER_STATUS_REQUEST,
	                                     OFM_TABLE_DESC_REQUEST};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

bool
print_basic(struct of_printer *p)
{
	const struct of_msg *msg = p->msg;

	switch ((int)msg->kind) {
	case OFM_HELLO:
		put_hello(p);
		return true;
	case OFM_ERROR:
		put_error(p);
		return true;
	case OFM_ECHO_REQUEST:
	case OFM_ECHO_REPLY:
		str_printf(p->out, " %zu bytes of payload\n", msg->echo.n);
		if (p->verbosity > 1)
			print_hex_dump(p->out, msg->echo.data, msg->echo.n);
		return true;
	case OFM_EXPERIMENTER:
	case OFM_NX_CT_FLUSH:
		put_experimenter(p);
		return true;
	case OFM_GET_CONFIG_REPLY:
	case OFM_SET_CONFIG:
		put_config(p);
		return true;
	case OFM_ROLE_REQUEST:
	case OFM_ROLE_REPLY:
	case OFM_ROLE_STATUS:
		put_role(p);
		return true;
	case OFM_CONTROLLER_STATUS:
		put_controller(p->out, &msg->controller_status);
		return true;
	case OFM_CONTROLLER_STATUS_REPLY:
		put_controllers(p);
		return true;
	case OFM_GET_ASYNC_REPLY:
	case OFM_SET_ASYNC:
		put_async(p);
		return true;
	case OFM_BUNDLE_CONTROL:
	case OFM_BUNDLE_ADD:
		put_bundle(p);
		return true;
	case OFM_REQUEST_FORWARD:
		str_append_char(p->out, '\n');
		print_inner(p, msg->request_forward.data, msg->request_forward.n);
		return true;
	case OFM_NX_FLOW_FORMAT:
	case OFM_NX_TABLE_ID:
	case OFM_NX_PACKET_IN_FORMAT:
	case OFM_NX_CONTROLLER_ID:
	case OFM_NX_CT_FLUSH_ZONE:
	case OFM_NX_FLOW_MONITOR_CANCEL:
		put_setting(p);
		return true;
	case OFM_NX_TLV_TABLE_MOD:
	case OFM_NX_TLV_TABLE_REPLY:
		put_tlv(p);
		return true;
	case OFM_DESC_REPLY:
		put_desc(p);
		return true;
	default:
		return has_no_body(msg->kind);
	}
}
