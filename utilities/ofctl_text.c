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
#include "ofctl_protocols.h"

/* Rules that are read before one is shown: the form has to do for all. */
struct parsed {
	struct of_flow_mod *mods;
	size_t n;
	uint32_t usable;
};

static void
parse_one(char *text, void *aux)
{
	struct parsed *parsed = aux;
	struct of_flow_mod *mod;
	struct error err;

	parsed->mods = xrealloc(parsed->mods, (parsed->n + 1) * sizeof(*mod));
	mod = &parsed->mods[parsed->n++];
	if (of_text_parse_flow(text, OF_FLOW_ADD, NULL, mod, &err))
		cli_die("%s", err.text);
	parsed->usable &= ofctl_protocols_of(mod);
}

/* As it would be sent. */
static void
print_mod(const struct of_flow_mod *mod, uint32_t protocol, uint32_t xid)
{
	struct str bytes = STR_INIT;
	struct of_msg msg;

	of_msg_init(&msg, ofctl_protocol_version(protocol), OFM_FLOW_MOD, xid);
	msg.flow_mod = *mod;
	msg.is_nicira = protocol & OFCTL_NXM;
	if (mod->table == OF_TABLE_ALL && !(protocol & OFCTL_WITH_TABLE) &&
	    mod->command == OF_FLOW_ADD)
		msg.flow_mod.table = 0;
	if (of_msg_encode(&msg, &bytes))
		cli_die("%s cannot say it", of_version_name(msg.version));
	ofctl_print_message((const uint8_t *)bytes.data, bytes.length, NULL);
	str_free(&bytes);
}

static void
print_parsed(struct parsed *parsed)
{
	uint32_t allowed = ofctl_protocols_allowed() & parsed->usable;
	uint32_t chosen = allowed & -allowed;
	struct str text = STR_INIT;

	ofctl_protocols_format(&text, parsed->usable);
	printf("usable protocols: %s\n", str_text(&text));
	fflush(stdout);
	if (!chosen)
		cli_die("no usable protocol");
	str_clear(&text);
	ofctl_protocols_format(&text, chosen);
	printf("chosen protocol: %s\n", str_text(&text));
	str_free(&text);
	for (size_t i = 0; i < parsed->n; i++) {
		print_mod(&parsed->mods[i], chosen, (uint32_t)i + 1);
		flow_actions_destroy(&parsed->mods[i].actions);
	}
	free(parsed->mods);
}

static void
run_parse_flow(int n, char **args)
{
	struct parsed parsed = {.usable = OFCTL_ANY};
	char *copy = xstrdup(args[0]);

	(void)n;
	parse_one(copy, &parsed);
	print_parsed(&parsed);
	free(copy);
}

static void
run_parse_flows(int n, char **args)
{
	struct parsed parsed = {.usable = OFCTL_ANY};

	(void)n;
	ofctl_read_lines(args[0], parse_one, &parsed);
	print_parsed(&parsed);
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
