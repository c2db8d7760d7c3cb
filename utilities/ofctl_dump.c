/* ofctl_dump.c - the commands of weir-ofctl that ask one question and print the answer as
 * it comes. Beside ofctl_flows.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"

static void
print_message(const uint8_t *data, size_t n, const struct of_names *names, int verbosity)
{
	struct str text = STR_INIT;

	of_text_format_message(&text, data, n, names, verbosity);
	fputs(str_text(&text), stdout);
	if (!text.length || text.data[text.length - 1] != '\n')
		putchar('\n');
	str_free(&text);
}

void
ofctl_print_message(const uint8_t *data, size_t n, const struct of_names *names)
{
	print_message(data, n, names, ofctl_options.verbosity);
}

/* Answers are shown with less than what comes by itself. */
void
ofctl_part_print(const uint8_t *data, size_t n, void *names)
{
	print_message(data, n, names, ofctl_options.verbosity - 1);
}

uint32_t
ofctl_number(const char *what, const char *text, uint64_t most)
{
	uint64_t value;

	if (!parse_u64(text, 0, most, &value))
		cli_die("%s: \"%s\" is not a number up to %llu", what, text,
		        (unsigned long long)most);
	return (uint32_t)value;
}

uint32_t
ofctl_versions(uint32_t needed)
{
	uint32_t both = ofctl_options.versions & needed;

	if (both)
		return both;
	if (ofctl_options.versions_are_set)
		cli_die("the versions that -O allows do not have this command");
	return needed;
}

/* Sends 'msg' over 'conn', prints what comes and ends the connection. */
static void
print_answer(struct ofctl_conn *conn, struct of_msg *msg, const char *target)
{
	const struct of_names *names = ofctl_print_names(target);

	ofctl_transact(conn, msg, ofctl_part_print, (void *)(uintptr_t)names);
	ofctl_close(conn);
}

/* A request without a body of interest. */
static void
print_plain(const char *target, uint32_t versions, enum of_kind kind)
{
	struct ofctl_conn *conn = ofctl_open(target, versions);
	struct of_msg msg;

	ofctl_begin(conn, &msg, kind);
	print_answer(conn, &msg, target);
}

static void
print_number(const char *target, uint32_t versions, enum of_kind kind, uint32_t number)
{
	struct ofctl_conn *conn = ofctl_open(target, versions);
	struct of_msg msg;

	ofctl_begin(conn, &msg, kind);
	msg.number = number;
	print_answer(conn, &msg, target);
}

static void
run_show(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	struct of_msg msg;

	(void)n;
	ofctl_begin(conn, &msg, OFM_FEATURES_REQUEST);
	ofctl_transact(conn, &msg, ofctl_part_print, NULL);
	if (ofctl_version(conn) >= OF13) {
		ofctl_begin(conn, &msg, OFM_PORT_DESC_REQUEST);
		msg.number = FLOW_PORT_NONE;
		ofctl_transact(conn, &msg, ofctl_part_print, NULL);
	}
	ofctl_begin(conn, &msg, OFM_GET_CONFIG_REQUEST);
	ofctl_transact(conn, &msg, ofctl_part_print, NULL);
	ofctl_close(conn);
}

static void
run_dump_desc(int n, char **args)
{
	(void)n;
	print_plain(args[0], ofctl_options.versions, OFM_DESC_REQUEST);
}

static void
run_dump_tables(int n, char **args)
{
	(void)n;
	print_plain(args[0], ofctl_options.versions, OFM_TABLE_STATS_REQUEST);
}

static void
run_dump_table_desc(int n, char **args)
{
	(void)n;
	print_plain(args[0], ofctl_versions(OFCTL_FROM(OF14)), OFM_TABLE_DESC_REQUEST);
}

static void
run_dump_ports(int n, char **args)
{
	print_number(args[0], ofctl_options.versions, OFM_PORT_STATS_REQUEST,
	             n > 1 ? ofctl_port(args[0], args[1]) : FLOW_PORT_NONE);
}

static void
run_dump_ports_desc(int n, char **args)
{
	print_number(args[0], ofctl_options.versions, OFM_PORT_DESC_REQUEST,
	             n > 1 ? ofctl_port(args[0], args[1]) : FLOW_PORT_NONE);
}

static void
run_queue_stats(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	struct of_msg msg;

	ofctl_begin(conn, &msg, OFM_QUEUE_STATS_REQUEST);
	msg.queue_request.port = FLOW_PORT_NONE;
	msg.queue_request.queue = OF_QUEUE_ALL;
	if (n > 1 && strcasecmp(args[1], "ALL"))
		msg.queue_request.port = ofctl_port(args[0], args[1]);
	if (n > 2 && strcasecmp(args[2], "ALL"))
		msg.queue_request.queue = ofctl_number("queue", args[2], UINT32_MAX);
	print_answer(conn, &msg, args[0]);
}

struct port_list {
	uint32_t *numbers;
	size_t n;
};

/* 1.0 has no word for all ports: one is asked at a time. */
static struct port_list
all_ports(struct ofctl_conn *conn)
{
	struct port_list list = {NULL, 0};
	struct of_msg request, reply;
	const struct of_port *ports;

	ofctl_begin(conn, &request,
	            ofctl_version(conn) >= OF13 ? OFM_PORT_DESC_REQUEST
	                                        : OFM_FEATURES_REQUEST);
	request.number = FLOW_PORT_NONE;
	ofctl_ask(conn, &request, &reply);
	ports = reply.kind == OFM_PORT_DESC_REPLY ? reply.ports : reply.features.ports;
	list.n = reply.kind == OFM_PORT_DESC_REPLY ? reply.n : reply.features.n_ports;
	list.numbers = calloc(list.n ? list.n : 1, sizeof(*list.numbers));
	for (size_t i = 0; i < list.n; i++)
		list.numbers[i] = ports[i].number;
	of_msg_destroy(&reply);
	return list;
}

static void
ask_queues(struct ofctl_conn *conn, uint32_t port, uint32_t queue)
{
	struct of_msg msg;

	ofctl_begin(conn, &msg,
	            ofctl_version(conn) >= OF14 ? OFM_QUEUE_DESC_REQUEST
	                                        : OFM_QUEUE_CONFIG_REQUEST);
	if (ofctl_version(conn) >= OF14) {
		msg.queue_request.port = port;
		msg.queue_request.queue = queue;
	} else {
		msg.number = port;
	}
	ofctl_transact(conn, &msg, ofctl_part_print, NULL);
}

static void
run_queue_get_config(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	uint32_t port = FLOW_PORT_NONE, queue = OF_QUEUE_ALL;

	if (n > 1 && strcasecmp(args[1], "ANY"))
		port = ofctl_port(args[0], args[1]);
	if (n > 2 && strcasecmp(args[2], "ALL"))
		queue = ofctl_number("queue", args[2], UINT32_MAX);
	if (port == FLOW_PORT_NONE && ofctl_version(conn) == OF10) {
		struct port_list list = all_ports(conn);

		for (size_t i = 0; i < list.n; i++)
			if (list.numbers[i] != FLOW_PORT_LOCAL)
				ask_queues(conn, list.numbers[i], queue);
		free(list.numbers);
	} else {
		ask_queues(conn, port, queue);
	}
	ofctl_close(conn);
}

/* ---- groups and meters ---- */

static uint32_t
group_number(int n, char **args)
{
	if (n < 2 || !strcasecmp(args[1], "all"))
		return OF_GROUP_ALL;
	if (!strcasecmp(args[1], "any"))
		return OF_GROUP_ANY;
	return ofctl_number("group", args[1], UINT32_MAX);
}

static void
run_dump_groups(int n, char **args)
{
	/* Before 1.5 the switch tells of all. */
	print_number(args[0], ofctl_options.versions, OFM_GROUP_DESC_REQUEST,
	             group_number(n, args));
}

static void
run_dump_group_stats(int n, char **args)
{
	print_number(args[0], ofctl_options.versions, OFM_GROUP_STATS_REQUEST,
	             group_number(n, args));
}

static void
run_dump_group_features(int n, char **args)
{
	(void)n;
	print_plain(args[0], ofctl_options.versions, OFM_GROUP_FEATURES_REQUEST);
}

/* "meter=3", "3", "all", or one of the switch's own. */
static uint32_t
meter_number(int n, char **args)
{
	const char *text = n < 2 ? "all" : args[1];

	if (!strncmp(text, "meter=", 6))
		text += 6;
	if (!strcasecmp(text, "all"))
		return OF_METER_ALL;
	if (!strcasecmp(text, "controller"))
		return OF_METER_CONTROLLER;
	if (!strcasecmp(text, "slowpath"))
		return OF_METER_SLOWPATH;
	return ofctl_number("meter", text, UINT32_MAX);
}

static void
run_dump_meters(int n, char **args)
{
	print_number(args[0], ofctl_versions(OFCTL_FROM(OF13)), OFM_METER_CONFIG_REQUEST,
	             meter_number(n, args));
}

static void
run_meter_stats(int n, char **args)
{
	print_number(args[0], ofctl_versions(OFCTL_FROM(OF13)), OFM_METER_STATS_REQUEST,
	             meter_number(n, args));
}

static void
run_meter_features(int n, char **args)
{
	(void)n;
	print_plain(args[0], ofctl_versions(OFCTL_FROM(OF13)),
	            OFM_METER_FEATURES_REQUEST);
}

static void
run_bundle_features(int n, char **args)
{
	(void)n;
	print_plain(args[0], ofctl_versions(OFCTL_FROM(OF14)),
	            OFM_BUNDLE_FEATURES_REQUEST);
}

static void
run_dump_tlv_map(int n, char **args)
{
	(void)n;
	print_plain(args[0], ofctl_options.versions, OFM_NX_TLV_TABLE_REQUEST);
}

static const char *const fragment_modes[] = {"normal", "drop", "reassemble", "nx-match"};

static struct of_config
get_config(struct ofctl_conn *conn)
{
	struct of_config config;
	struct of_msg msg, reply;

	ofctl_begin(conn, &msg, OFM_GET_CONFIG_REQUEST);
	ofctl_ask(conn, &msg, &reply);
	config = reply.config;
	of_msg_destroy(&reply);
	return config;
}

static void
run_get_frags(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);

	(void)n;
	puts(fragment_modes[get_config(conn).flags & 3]);
	ofctl_close(conn);
}

static void
run_set_frags(int n, char **args)
{
	struct ofctl_conn *conn;
	struct of_msg msg;
	unsigned mode = 0;

	(void)n;
	while (mode < 4 && strcmp(fragment_modes[mode], args[1]))
		mode++;
	if (mode == 4)
		cli_die("%s: unknown fragment handling mode", args[1]);
	conn = ofctl_open(args[0], ofctl_options.versions);
	ofctl_begin(conn, &msg, OFM_SET_CONFIG);
	msg.config = get_config(conn);
	msg.config.flags = (uint16_t)((msg.config.flags & ~3U) | mode);
	ofctl_send(conn, &msg);
	if (ofctl_barrier(conn) || (get_config(conn).flags & 3) != mode)
		cli_die("%s: the switch does not do this", args[1]);
	ofctl_close(conn);
}

const struct ofctl_command ofctl_dump_commands[] = {
	{"show", "SWITCH", 1, 1, run_show},
	{"dump-desc", "SWITCH", 1, 1, run_dump_desc},
	{"dump-tables", "SWITCH", 1, 1, run_dump_tables},
	{"dump-table-desc", "SWITCH", 1, 1, run_dump_table_desc},
	{"dump-ports", "SWITCH [PORT]", 1, 2, run_dump_ports},
	{"dump-ports-desc", "SWITCH [PORT]", 1, 2, run_dump_ports_desc},
	{"queue-stats", "SWITCH [PORT [QUEUE]]", 1, 3, run_queue_stats},
	{"queue-get-config", "SWITCH [PORT [QUEUE]]", 1, 3, run_queue_get_config},
	{"dump-groups", "SWITCH [GROUP]", 1, 2, run_dump_groups},
	{"dump-group-stats", "SWITCH [GROUP]", 1, 2, run_dump_group_stats},
	{"dump-group-features", "SWITCH", 1, 1, run_dump_group_features},
	{"dump-meters", "SWITCH [METER]", 1, 2, run_dump_meters},
	{"dump-meter", "SWITCH METER", 2, 2, run_dump_meters},
	{"meter-stats", "SWITCH [METER]", 1, 2, run_meter_stats},
	{"meter-features", "SWITCH", 1, 1, run_meter_features},
	{"dump-bundle-features", "SWITCH", 1, 1, run_bundle_features},
	{"dump-tlv-map", "SWITCH", 1, 1, run_dump_tlv_map},
	{"get-frags", "SWITCH", 1, 1, run_get_frags},
	{"set-frags", "SWITCH MODE", 2, 2, run_set_frags},
	{NULL, NULL, 0, 0, NULL},
};
