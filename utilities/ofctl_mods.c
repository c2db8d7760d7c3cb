/* ofctl_mods.c - the commands of weir-ofctl that change groups, meters and ports, send
 * packets, and mix such things in a bundle. Over ofctl_changes.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"

#define PACKET_MAX 65000

/* ---- groups ---- */

struct group_command {
	struct ofctl_changes *changes;
	const char *target;
	enum of_group_command command;
};

static void
change_group(char *text, void *aux)
{
	const struct group_command *to = aux;
	struct of_group_mod mod;
	struct error err;
	struct of_msg msg;

	if (of_text_parse_group(text, to->command, ofctl_names(to->target), &mod, &err))
		cli_die("%s", err.text);
	ofctl_begin(ofctl_changes_conn(to->changes), &msg, OFM_GROUP_MOD);
	msg.group_mod = mod;
	ofctl_changes_add(to->changes, &msg);
	of_text_destroy_group(&mod);
}

static uint32_t
group_versions(enum of_group_command command)
{
	bool is_of_15 =
		command == OF_GROUP_INSERT_BUCKET || command == OF_GROUP_REMOVE_BUCKET;

	return ofctl_versions(is_of_15 ? OFCTL_FROM(OF15) : OFCTL_FROM(OF11));
}

static void
group_from_text(const char *target, const char *text, enum of_group_command command)
{
	struct group_command to = {.target = target, .command = command};

	to.changes = ofctl_changes_begin(target, group_versions(command),
	                                 ofctl_options.uses_bundle);
	if (!strcmp(text, "-")) {
		ofctl_read_lines(text, change_group, &to);
	} else {
		char *copy = xstrdup(text);

		change_group(copy, &to);
		free(copy);
	}
	ofctl_changes_end(to.changes);
}

static void
run_add_group(int n, char **args)
{
	(void)n;
	group_from_text(args[0], args[1], OF_GROUP_ADD);
}

static void
run_add_groups(int n, char **args)
{
	struct group_command to = {.target = args[0], .command = OF_GROUP_ADD};

	(void)n;
	to.changes = ofctl_changes_begin(args[0], group_versions(OF_GROUP_ADD),
	                                 ofctl_options.uses_bundle);
	ofctl_read_lines(args[1], change_group, &to);
	ofctl_changes_end(to.changes);
}

static void
run_mod_group(int n, char **args)
{
	(void)n;
	group_from_text(args[0], args[1],
	                ofctl_options.may_create ? OF_GROUP_ADD_OR_MODIFY
	                                         : OF_GROUP_MODIFY);
}

static void
run_del_groups(int n, char **args)
{
	group_from_text(args[0], n > 1 ? args[1] : "", OF_GROUP_DELETE);
}

static void
run_insert_buckets(int n, char **args)
{
	(void)n;
	group_from_text(args[0], args[1], OF_GROUP_INSERT_BUCKET);
}

static void
run_remove_buckets(int n, char **args)
{
	(void)n;
	group_from_text(args[0], args[1], OF_GROUP_REMOVE_BUCKET);
}

/* ---- meters ---- */

static void
meter_from_text(const char *target, const char *text, enum of_meter_command command)
{
	struct ofctl_changes *changes =
		ofctl_changes_begin(target, ofctl_versions(OFCTL_FROM(OF13)), false);
	struct of_meter_mod mod;
	struct of_msg msg;
	struct error err;

	if (of_text_parse_meter(text, command, &mod, &err))
		cli_die("%s", err.text);
	ofctl_begin(ofctl_changes_conn(changes), &msg, OFM_METER_MOD);
	msg.meter_mod = mod;
	ofctl_changes_add(changes, &msg);
	ofctl_changes_end(changes);
	free(mod.bands);
}

static void
run_add_meter(int n, char **args)
{
	(void)n;
	meter_from_text(args[0], args[1], OF_METER_ADD);
}

static void
run_mod_meter(int n, char **args)
{
	(void)n;
	meter_from_text(args[0], args[1], OF_METER_MODIFY);
}

static void
run_del_meters(int n, char **args)
{
	meter_from_text(args[0], n > 1 ? args[1] : "meter=all", OF_METER_DELETE);
}

/* ---- ports and tables ---- */

/* OpenFlow 1.1's bits of a port's configuration. */
enum { PORT_DOWN = 1 << 0, NO_RECV = 1 << 2, NO_FWD = 1 << 5, NO_PACKET_IN = 1 << 6 };
/* 1.0's, which later versions do not have. */
enum { NO_STP = 1 << 1, NO_RECV_STP = 1 << 3, NO_FLOOD = 1 << 4 };

static void
port_keyword(const char *word, struct of_port_mod *mod)
{
	static const struct {
		const char *name;
		uint32_t bit;
		bool turns_off; /* the plain word clears the bit */
	} words[] = {
		{"up", PORT_DOWN, true},
		{"down", PORT_DOWN, false},
		{"stp", NO_STP, true},
		{"receive", NO_RECV, true},
		{"receive-stp", NO_RECV_STP, true},
		{"flood", NO_FLOOD, true},
		{"forward", NO_FWD, true},
		{"packet-in", NO_PACKET_IN, true},
	};
	bool is_negated = !strncmp(word, "no-", 3);
	const char *plain = is_negated ? word + 3 : word;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].name, plain))
			continue;
		mod->mask = words[i].bit;
		mod->config = words[i].turns_off != is_negated ? 0 : words[i].bit;
		return;
	}
	cli_die("unknown mod-port command '%s'", word);
}

struct port_search {
	uint32_t number;
	bool is_found;
	struct of_port port;
};

static void
find_port(const uint8_t *data, size_t n, void *aux)
{
	struct port_search *search = aux;
	const struct of_port *ports = NULL;
	struct of_error error;
	struct of_msg msg;
	size_t count = 0;

	if (!of_msg_decode(data, n, &msg, &error)) {
		bool is_desc = msg.kind == OFM_PORT_DESC_REPLY;

		ports = is_desc ? msg.ports : msg.features.ports;
		count = is_desc ? msg.n : msg.features.n_ports;
	}
	for (size_t i = 0; i < count; i++) {
		if (ports[i].number != search->number)
			continue;
		search->is_found = true;
		search->port = ports[i];
	}
	of_msg_destroy(&msg);
}

static void
run_mod_port(int n, char **args)
{
	struct port_search search = {.number = ofctl_port(args[0], args[1])};
	struct ofctl_changes *changes =
		ofctl_changes_begin(args[0], ofctl_options.versions, false);
	struct ofctl_conn *conn = ofctl_changes_conn(changes);
	struct of_msg msg;

	(void)n;
	ofctl_begin(conn, &msg,
	            ofctl_version(conn) >= OF13 ? OFM_PORT_DESC_REQUEST
	                                        : OFM_FEATURES_REQUEST);
	msg.number = FLOW_PORT_NONE;
	ofctl_transact(conn, &msg, find_port, &search);
	if (!search.is_found)
		cli_die("%s: couldn't find port `%s'", args[0], args[1]);
	ofctl_begin(conn, &msg, OFM_PORT_MOD);
	msg.port_mod.port = search.number;
	memcpy(msg.port_mod.mac, search.port.mac, sizeof(msg.port_mod.mac));
	port_keyword(args[2], &msg.port_mod);
	ofctl_changes_add(changes, &msg);
	ofctl_changes_end(changes);
}

/* ---- packets ---- */

static size_t
read_hex(const char *text, uint8_t *out, size_t room)
{
	size_t n = 0;

	if (!strncasecmp(text, "0x", 2))
		text += 2;
	while (*text) {
		unsigned byte;

		if (strchr(" \t:", *text)) {
			text++;
			continue;
		}
		if (strspn(text, "0123456789abcdefABCDEF") < 2 || n == room)
			cli_die("\"%s\" is not a packet in hexadecimal digits", text);
		if (sscanf(text, "%2x", &byte) != 1)
			cli_die("\"%s\" is not a packet in hexadecimal digits", text);
		out[n++] = (uint8_t)byte;
		text += 2;
	}
	return n;
}

static void
send_packet(struct ofctl_changes *changes, uint32_t in_port,
            const struct flow_match *metadata, const struct flow_actions *actions,
            const char *hex)
{
	uint8_t *packet = xmalloc(PACKET_MAX);
	struct of_msg msg;

	ofctl_begin(ofctl_changes_conn(changes), &msg, OFM_PACKET_OUT);
	msg.packet_out.buffer_id = OF_BUFFER_NONE;
	msg.packet_out.in_port = in_port;
	if (metadata)
		msg.packet_out.metadata = *metadata;
	msg.packet_out.metadata.key.f.in_port = in_port;
	memset(&msg.packet_out.metadata.mask.f.in_port, 0xff,
	       sizeof(msg.packet_out.metadata.mask.f.in_port));
	msg.packet_out.actions = *actions;
	msg.packet_out.packet = packet;
	msg.packet_out.n = read_hex(hex, packet, PACKET_MAX);
	ofctl_changes_add(changes, &msg);
	free(packet);
}

/* "in_port=1, packet=0102..., actions=output:2": the packet's word is taken out, the rest
 * reads as a rule. */
static void
packet_from_text(struct ofctl_changes *changes, const char *target, const char *text)
{
	char *copy = xstrdup(text), *packet = strstr(copy, "packet="), *hex;
	struct of_flow_mod mod;
	struct error err;
	size_t n;

	if (!packet)
		cli_die("packet-out: no packet= in \"%s\"", text);
	n = strcspn(packet + 7, ", \t\n");
	hex = xasprintf("%.*s", (int)n, packet + 7);
	memset(packet, ' ', n + 7);
	if (of_text_parse_flow(copy, OF_FLOW_ADD, ofctl_names(target), &mod, &err))
		cli_die("%s", err.text);
	send_packet(changes,
	            mod.match.mask.f.in_port ? mod.match.key.f.in_port : FLOW_PORT_NONE,
	            &mod.match, &mod.actions, hex);
	flow_actions_destroy(&mod.actions);
	free(hex);
	free(copy);
}

static void
run_packet_out(int n, char **args)
{
	struct ofctl_changes *changes =
		ofctl_changes_begin(args[0], ofctl_options.versions, false);
	struct flow_actions actions = {NULL, 0, 0};
	struct error err;

	if (n == 2) {
		packet_from_text(changes, args[0], args[1]);
	} else if (n == 3) {
		cli_die("packet-out needs a packet");
	} else {
		uint32_t in_port = ofctl_port(args[0], args[1]);

		if (of_text_parse_actions(args[2], ofctl_names(args[0]), &actions, &err))
			cli_die("%s", err.text);
		for (int i = 3; i < n; i++)
			send_packet(changes, in_port, NULL, &actions, args[i]);
		flow_actions_destroy(&actions);
	}
	ofctl_changes_end(changes);
}

/* ---- bundles ---- */

struct bundle {
	struct ofctl_changes *changes;
	const char *target;
};

static bool
take_word(char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*text, word, n) || !strchr(" \t", (*text)[n]))
		return false;
	*text += n;
	*text += strspn(*text, " \t");
	return true;
}

static void
bundle_group(const struct bundle *bundle, char *text)
{
	static const struct {
		const char *word;
		enum of_group_command command;
	} commands[] = {
		{"add", OF_GROUP_ADD},
		{"modify", OF_GROUP_MODIFY},
		{"add_or_mod", OF_GROUP_ADD_OR_MODIFY},
		{"delete", OF_GROUP_DELETE},
		{"insert_bucket", OF_GROUP_INSERT_BUCKET},
		{"insert_buckets", OF_GROUP_INSERT_BUCKET},
		{"remove_bucket", OF_GROUP_REMOVE_BUCKET},
		{"remove_buckets", OF_GROUP_REMOVE_BUCKET},
	};
	struct group_command to = {bundle->changes, bundle->target, OF_GROUP_ADD};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!take_word(&text, commands[i].word))
			continue;
		to.command = commands[i].command;
		break;
	}
	change_group(text, &to);
}

static void
bundle_line(char *text, void *aux)
{
	const struct bundle *bundle = aux;
	struct of_flow_mod mod;
	struct error err;

	if (take_word(&text, "group")) {
		bundle_group(bundle, text);
	} else if (take_word(&text, "packet-out")) {
		packet_from_text(bundle->changes, bundle->target, text);
	} else {
		(void)take_word(&text, "flow");
		if (of_text_parse_flow(text, OF_FLOW_ADD, ofctl_names(bundle->target),
		                       &mod, &err))
			cli_die("%s", err.text);
		ofctl_changes_flow(bundle->changes, &mod);
	}
}

static void
run_bundle(int n, char **args)
{
	struct bundle bundle = {.target = args[0]};

	(void)n;
	bundle.changes = ofctl_changes_begin(args[0], ofctl_options.versions, true);
	ofctl_read_lines(args[1], bundle_line, &bundle);
	ofctl_changes_end(bundle.changes);
}

const struct ofctl_command ofctl_mod_commands[] = {
	{"add-group", "SWITCH GROUP", 2, 2, run_add_group},
	{"add-groups", "SWITCH FILE", 2, 2, run_add_groups},
	{"mod-group", "SWITCH GROUP", 2, 2, run_mod_group},
	{"del-groups", "SWITCH [GROUP]", 1, 2, run_del_groups},
	{"insert-buckets", "SWITCH GROUP", 2, 2, run_insert_buckets},
	{"insert-bucket", "SWITCH GROUP", 2, 2, run_insert_buckets},
	{"remove-buckets", "SWITCH GROUP", 2, 2, run_remove_buckets},
	{"remove-bucket", "SWITCH GROUP", 2, 2, run_remove_buckets},
	{"add-meter", "SWITCH METER", 2, 2, run_add_meter},
	{"mod-meter", "SWITCH METER", 2, 2, run_mod_meter},
	{"del-meters", "SWITCH [METER]", 1, 2, run_del_meters},
	{"del-meter", "SWITCH METER", 2, 2, run_del_meters},
	{"mod-port", "SWITCH PORT ACTION", 3, 3, run_mod_port},
	{"packet-out", "SWITCH PACKET-OUT | SWITCH IN_PORT ACTIONS PACKET...", 2, 64,
         run_packet_out},
	{"bundle", "SWITCH FILE", 2, 2, run_bundle},
	{NULL, NULL, 0, 0, NULL},
};
