/* ofctl_names.c - names of ports and tables, asked of the switch once, over a connection
 * of their own. Beside ofctl_conn.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"

static struct {
	const char *target; /* NULL = there is no switch */
	bool has_ports, has_tables;
	struct of_port *ports;
	size_t n_ports;
	char tables[OF_TABLES][33];
} known;

/* Shown or compared only: one port more than names allow is no harm. */
static void
keep_ports(const struct of_port *ports, size_t n)
{
	if (!n)
		return;
	known.ports = xrealloc(known.ports, (known.n_ports + n) * sizeof(*ports));
	memcpy(known.ports + known.n_ports, ports, n * sizeof(*ports));
	known.n_ports += n;
}

static void
take_ports(const uint8_t *data, size_t n, void *aux)
{
	struct of_error error;
	struct of_msg msg;

	(void)aux;
	if (!of_msg_decode(data, n, &msg, &error)) {
		if (msg.kind == OFM_PORT_DESC_REPLY)
			keep_ports(msg.ports, msg.n);
		else if (msg.kind == OFM_FEATURES_REPLY)
			keep_ports(msg.features.ports, msg.features.n_ports);
	}
	of_msg_destroy(&msg);
}

static void
load_ports(void)
{
	struct ofctl_conn *conn;
	struct of_msg request;

	if (known.has_ports || !known.target)
		return;
	known.has_ports = true;
	conn = ofctl_open(known.target, ofctl_options.versions);
	ofctl_begin(conn, &request,
	            ofctl_version(conn) >= OF13 ? OFM_PORT_DESC_REQUEST
	                                        : OFM_FEATURES_REQUEST);
	request.number = FLOW_PORT_NONE;
	ofctl_transact(conn, &request, take_ports, NULL);
	ofctl_close(conn);
}

static void
take_tables(const uint8_t *data, size_t n, void *aux)
{
	struct of_error error;
	struct of_msg msg;

	(void)aux;
	if (!of_msg_decode(data, n, &msg, &error)) {
		for (size_t i = 0; i < msg.n; i++) {
			bool is_stats = msg.kind == OFM_TABLE_STATS_REPLY;
			uint8_t table = is_stats ? msg.tables[i].table
			                         : msg.table_features[i].table;
			const char *name = is_stats ? msg.tables[i].name
			                            : msg.table_features[i].name;

			if (table < OF_TABLES)
				strcpy(known.tables[table], name);
		}
	}
	of_msg_destroy(&msg);
}

static void
load_tables(void)
{
	struct ofctl_conn *conn;
	struct of_msg request;

	if (known.has_tables || !known.target)
		return;
	known.has_tables = true;
	conn = ofctl_open(known.target, ofctl_options.versions);
	ofctl_begin(conn, &request,
	            ofctl_version(conn) >= OF13 ? OFM_TABLE_FEATURES_REQUEST
	                                        : OFM_TABLE_STATS_REQUEST);
	ofctl_transact(conn, &request, take_tables, NULL);
	ofctl_close(conn);
}

static uint32_t
port_number(const char *name, void *aux)
{
	(void)aux;
	load_ports();
	for (size_t i = 0; i < known.n_ports; i++)
		if (!strcmp(known.ports[i].name, name))
			return known.ports[i].number;
	return UINT32_MAX;
}

static const char *
port_name(uint32_t number, void *aux)
{
	(void)aux;
	load_ports();
	for (size_t i = 0; i < known.n_ports; i++)
		if (known.ports[i].number == number)
			return known.ports[i].name;
	return NULL;
}

static int
table_number(const char *name, void *aux)
{
	(void)aux;
	load_tables();
	for (int i = 0; i < OF_TABLES; i++)
		if (*name && !strcmp(known.tables[i], name))
			return i;
	return -1;
}

/* "table3" says no more than 3 does. */
static const char *
table_name(uint8_t table, void *aux)
{
	char plain[16];

	(void)aux;
	load_tables();
	if (table >= OF_TABLES || !*known.tables[table])
		return NULL;
	snprintf(plain, sizeof(plain), "table%u", table);
	return strcmp(known.tables[table], plain) ? known.tables[table] : NULL;
}

static const struct of_names names = {
	.port_number = port_number,
	.port_name = port_name,
	.table_number = table_number,
	.table_name = table_name,
};

const struct of_names *
ofctl_names(const char *target)
{
	known.target = target;
	return target && ofctl_options.shows_names != 0 ? &names : NULL;
}

const struct of_names *
ofctl_print_names(const char *target)
{
	int shows = ofctl_options.shows_names;

	known.target = target;
	if (shows < 0)
		shows = isatty(STDOUT_FILENO);
	return target && shows ? &names : NULL;
}

uint32_t
ofctl_port(const char *target, const char *text)
{
	static const struct {
		const char *name;
		uint32_t number;
	} reserved[] = {
		{"IN_PORT", FLOW_PORT_IN_PORT}, {"TABLE", FLOW_PORT_TABLE},
		{"NORMAL", FLOW_PORT_NORMAL},   {"FLOOD", FLOW_PORT_FLOOD},
		{"ALL", FLOW_PORT_ALL},         {"CONTROLLER", FLOW_PORT_CONTROLLER},
		{"LOCAL", FLOW_PORT_LOCAL},     {"ANY", FLOW_PORT_NONE},
		{"NONE", FLOW_PORT_NONE},
	};
	uint32_t number;
	uint64_t value;

	if (parse_u64(text, 0, UINT32_MAX, &value)) {
		/* OpenFlow 1.0 has the reserved ones in 16 bits. */
		if (value >= 0xff00 && value <= 0xffff)
			value |= 0xffff0000;
		return (uint32_t)value;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (!strcasecmp(reserved[i].name, text))
			return reserved[i].number;
	known.target = target;
	number = port_number(text, NULL);
	if (number == UINT32_MAX)
		cli_die("%s: unknown port `%s'", target, text);
	return number;
}
