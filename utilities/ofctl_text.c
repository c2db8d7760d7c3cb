/* ofctl_text.c - the commands of weir-ofctl that need no switch: rules and messages from
 * text or files, as they are understood. Beside ofctl_flows.c. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"
#include "openflow/of_match.h"

/* As it would be sent. */
static void
parse_one(char *text, void *aux)
{
	struct str bytes = STR_INIT;
	struct of_flow_mod mod;
	static uint32_t xid;
	enum of_version version = OF15;
	struct of_msg msg;
	struct error err;

	(void)aux;
	while (version > OF10 && !(ofctl_options.versions >> version & 1))
		version--;
	if (of_text_parse_flow(text, OF_FLOW_ADD, NULL, &mod, &err))
		cli_die("%s", err.text);
	of_msg_init(&msg, version, OFM_FLOW_MOD, ++xid);
	msg.flow_mod = mod;
	if (mod.table == OF_TABLE_ALL && mod.command == OF_FLOW_ADD)
		msg.flow_mod.table = 0;
	msg.is_nicira = version == OF10 &&
	                (mod.cookie_mask || !of_match_fits(version, &mod.match));
	if (of_msg_encode(&msg, &bytes))
		cli_die("%s: %s cannot say it", text, of_version_name(version));
	ofctl_print_message((const uint8_t *)bytes.data, bytes.length, NULL);
	str_free(&bytes);
	flow_actions_destroy(&mod.actions);
}

static void
run_parse_flow(int n, char **args)
{
	char *copy = xstrdup(args[0]);

	(void)n;
	parse_one(copy, NULL);
	free(copy);
}

static void
run_parse_flows(int n, char **args)
{
	(void)n;
	ofctl_read_lines(args[0], parse_one, NULL);
}

/* Hexadecimal digits; blanks and colons between bytes are passed over. */
static uint8_t *
bytes_from_hex(const char *text, size_t *n)
{
	uint8_t *bytes = xmalloc(strlen(text) / 2 + 1);

	*n = 0;
	while (*text) {
		unsigned byte;

		if (isspace((unsigned char)*text) || *text == ':' || *text == '.') {
			text++;
			continue;
		}
		if (!isxdigit((unsigned char)text[0]) ||
		    !isxdigit((unsigned char)text[1]) || sscanf(text, "%2x", &byte) != 1)
			cli_die("trailing garbage in hex data");
		bytes[(*n)++] = (uint8_t)byte;
		text += 2;
	}
	return bytes;
}

static void
run_ofp_print(int n, char **args)
{
	size_t bytes;
	uint8_t *data = bytes_from_hex(args[0], &bytes);

	if (n > 1)
		ofctl_options.verbosity = (int)ofctl_number("verbosity", args[1], 10);
	ofctl_print_message(data, bytes, NULL);
	free(data);
}

/* A file of messages one after the other, as a connection carries them. */
static void
run_ofp_parse(int n, char **args)
{
	FILE *file = strcmp(args[0], "-") ? fopen(args[0], "r") : stdin;
	static uint8_t message[OF_MESSAGE_MAX + 1];
	size_t bytes;

	(void)n;
	if (!file)
		cli_die("%s: %s", args[0], strerror(errno));
	while (fread(message, 1, OF_HEADER_BYTES, file) == OF_HEADER_BYTES) {
		bytes = (size_t)message[2] << 8 | message[3];
		if (bytes < OF_HEADER_BYTES)
			cli_die("%s: message is too short for OpenFlow", args[0]);
		if (fread(message + OF_HEADER_BYTES, 1, bytes - OF_HEADER_BYTES, file) !=
		    bytes - OF_HEADER_BYTES)
			cli_die("%s: unexpected end of file", args[0]);
		ofctl_print_message(message, bytes, NULL);
	}
	if (file != stdin)
		fclose(file);
}

const struct ofctl_command ofctl_text_commands[] = {
	{"parse-flow", "FLOW", 1, 1, run_parse_flow},
	{"parse-flows", "FILE", 1, 1, run_parse_flows},
	{"ofp-print", "HEX [VERBOSITY]", 1, 2, run_ofp_print},
	{"ofp-parse", "FILE", 1, 1, run_ofp_parse},
	{NULL, NULL, 0, 0, NULL},
};
