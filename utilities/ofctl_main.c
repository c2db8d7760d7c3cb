/* ofctl_main.c - weir-ofctl: options and the choice of a command; the commands are in
 * ofctl_*.c. */
#include <config.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"
#include "ofctl_protocols.h"
#include "ofctl_tls.h"

struct ofctl_options ofctl_options = {.versions = 1U << OF10,
                                      .flow_formats = OFCTL_ANY,
                                      .verbosity = 2,
                                      .shows_names = -1};

static const struct ofctl_command *const families[] = {
	ofctl_dump_commands, ofctl_flow_commands,  ofctl_diff_commands,
	ofctl_mod_commands,  ofctl_table_commands, ofctl_watch_commands,
	ofctl_text_commands,
};

static void
print_usage(void)
{
	printf("weir-ofctl: looks into and changes OpenFlow switches\n"
	       "usage: weir-ofctl [OPTION]... COMMAND [ARG]...\n"
	       "\n"
	       "SWITCH is a bridge's name, tcp:HOST[:PORT], ssl:HOST[:PORT],\n"
	       "unix:FILE or a socket.\n"
	       "\n"
	       "Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		for (const struct ofctl_command *c = families[i]; c->name; c++)
			printf("  %-22s %s\n", c->name, c->usage);
	printf("\n"
	       "Options:\n"
	       "  -O, --protocols=VERSIONS  OpenFlow10 to OpenFlow15, several with commas\n"
	       "                            (default: OpenFlow10)\n"
	       "      --strict              of mod-flows and del-flows: exactly these "
	       "rules\n"
	       "      --bundle              changes take effect all together or not at "
	       "all\n"
	       "      --readd               of replace-flows: also add what is there\n"
	       "      --may-create          of mod-group: make it if there is none\n"
	       "      --sort[=FIELD], --rsort[=FIELD]\n"
	       "                            order of dump-flows (default: the priority)\n"
	       "      --names, --no-names   show (and take) names of ports and tables\n"
	       "      --stats, --no-stats   show statistics of rules\n"
	       "      --timestamp           of monitor and snoop: when it came\n"
	       "  -P, --packet-in-format=F  of monitor: standard, nxt_packet_in or "
	       "nxt_packet_in2\n"
	       "  -F, --flow-format=F       how rules are sent: OpenFlow10, NXM, OXM, any\n"
	       "  -p, --private-key=FILE, -c, --certificate=FILE, -C, --ca-cert=FILE\n"
	       "                            of TLS, for a switch ssl:HOST[:PORT]\n"
	       "  -m, --more                more of messages; may be given twice\n"
	       "  -T, --timeout=SECS        give up after so many seconds\n"
	       "  -h, --help                print this text\n"
	       "  -V, --version             print the version of weir-ofctl\n");
}

/* "OpenFlow10,OpenFlow13", also "1.3" and "10". */
static uint32_t
parse_versions(const char *text)
{
	static const char *const short_names[] = {"1.0", "1.1", "1.2",
	                                          "1.3", "1.4", "1.5"};
	char *copy = xstrdup(text), *save = NULL;
	uint32_t versions = 0;

	for (char *word = strtok_r(copy, ", ", &save); word;
	     word = strtok_r(NULL, ", ", &save)) {
		enum of_version version = of_version_from_name(word);

		for (unsigned i = 0; !version && i < ARRAY_SIZE(short_names); i++)
			if (!strcmp(word, short_names[i]))
				version = (enum of_version)(OF10 + i);
		if (!version)
			cli_die("-O: unknown OpenFlow version \"%s\"", word);
		versions |= 1U << version;
	}
	free(copy);
	if (!versions)
		cli_die("-O: no version given");
	return versions;
}

static void
add_sort(const char *name, bool is_descending)
{
	struct ofctl_sort *sort = &ofctl_options.sorts[ofctl_options.n_sorts];

	if (ofctl_options.n_sorts == OFCTL_SORT_MAX)
		cli_die("at most %d fields to sort by", OFCTL_SORT_MAX);
	sort->is_descending = is_descending;
	if (name && strcasecmp(name, "priority")) {
		sort->field = flow_field_by_name(name);
		if (!sort->field)
			cli_die("%s: unknown field name", name);
	}
	ofctl_options.n_sorts++;
}

static void
set_packet_in_format(const char *text)
{
	static const char *const formats[] = {
		[OF_PACKET_IN_STANDARD] = "standard",
		[OF_PACKET_IN_NXT] = "nxt_packet_in",
		[OF_PACKET_IN_NXT2] = "nxt_packet_in2",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strcmp(formats[i], text) &&
		    (i != OF_PACKET_IN_STANDARD || strcmp(text, "openflow10")))
			continue;
		ofctl_options.packet_in_format = (enum of_packet_in_format)i;
		ofctl_options.packet_in_format_is_set = true;
		return;
	}
	cli_die("-P: unknown packet-in format \"%s\"", text);
}

enum {
	OPT_STRICT = 256,
	OPT_BUNDLE,
	OPT_READD,
	OPT_MAY_CREATE,
	OPT_SORT,
	OPT_RSORT,
	OPT_NAMES,
	OPT_NO_NAMES,
	OPT_STATS,
	OPT_NO_STATS,
	OPT_TIMESTAMP,
	OPT_COLOR,
};

static const struct option long_options[] = {
	{"protocols", required_argument, NULL, 'O'},
	{"flow-format", required_argument, NULL, 'F'},
	{"packet-in-format", required_argument, NULL, 'P'},
	{"private-key", required_argument, NULL, 'p'},
	{"certificate", required_argument, NULL, 'c'},
	{"ca-cert", required_argument, NULL, 'C'},
	{"more", no_argument, NULL, 'm'},
	{"timeout", required_argument, NULL, 'T'},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"bundle", no_argument, NULL, OPT_BUNDLE},
	{"readd", no_argument, NULL, OPT_READD},
	{"may-create", no_argument, NULL, OPT_MAY_CREATE},
	{"sort", optional_argument, NULL, OPT_SORT},
	{"rsort", optional_argument, NULL, OPT_RSORT},
	{"names", no_argument, NULL, OPT_NAMES},
	{"no-names", no_argument, NULL, OPT_NO_NAMES},
	{"stats", no_argument, NULL, OPT_STATS},
	{"no-stats", no_argument, NULL, OPT_NO_STATS},
	{"timestamp", no_argument, NULL, OPT_TIMESTAMP},
	{"color", optional_argument, NULL, OPT_COLOR},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, no_argument, NULL, 0},
};

/* Switches that are on or off. */
static void
set_flag(int option)
{
	switch (option) {
	case OPT_STRICT:
		ofctl_options.is_strict = true;
		break;
	case OPT_BUNDLE:
		ofctl_options.uses_bundle = true;
		break;
	case OPT_READD:
		ofctl_options.is_readd = true;
		break;
	case OPT_MAY_CREATE:
		ofctl_options.may_create = true;
		break;
	case OPT_NAMES:
	case OPT_NO_NAMES:
		ofctl_options.shows_names = option == OPT_NAMES;
		break;
	case OPT_STATS:
	case OPT_NO_STATS:
		ofctl_options.hides_stats = option == OPT_NO_STATS;
		break;
	case OPT_COLOR: /* never, auto and always are the same: there are none */
		break;
	case OPT_TIMESTAMP:
		ofctl_options.has_timestamps = true;
		break;
	default:
		exit(EXIT_FAILURE);
	}
}

static void
parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "O:F:P:p:c:C:mT:t:hV", long_options, NULL)) !=
	       -1) {
		switch (c) {
		case 'O':
			ofctl_options.versions = parse_versions(optarg);
			ofctl_options.versions_are_set = true;
			break;
		case 'F':
			ofctl_options.flow_formats = ofctl_protocols_parse(optarg);
			if (!ofctl_options.flow_formats)
				cli_die("%s: unknown flow format(s)", optarg);
			break;
		case 'P':
			set_packet_in_format(optarg);
			break;
		case 'p':
			ofctl_tls_private_key = optarg;
			break;
		case 'c':
			ofctl_tls_certificate = optarg;
			break;
		case 'C':
			ofctl_tls_ca_cert = optarg;
			break;
		case 'm':
			ofctl_options.verbosity++;
			break;
		case 'T':
		case 't':
			cli_set_timeout("--timeout", optarg);
			break;
		case OPT_SORT:
		case OPT_RSORT:
			add_sort(optarg, c == OPT_RSORT);
			break;
		case 'h':
			print_usage();
			exit(EXIT_SUCCESS);
		case 'V':
			cli_print_version();
			exit(EXIT_SUCCESS);
		default:
			set_flag(c);
		}
	}
}

static const struct ofctl_command *
find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		for (const struct ofctl_command *c = families[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	cli_die("unknown command '%s'; use --help for help", name);
}

int
main(int argc, char **argv)
{
	const struct ofctl_command *command;
	int n;

	cli_set_program("weir-ofctl");
	parse_options(argc, argv);
	if (!ofctl_protocols_allowed())
		cli_die("no version that -O allows has a flow format that -F allows");
	if (optind == argc)
		cli_die("missing command name; use --help for help");
	command = find_command(argv[optind]);
	n = argc - optind - 1;
	if (n < command->min_args)
		cli_die("'%s' command requires at least %d arguments", command->name,
		        command->min_args);
	if (n > command->max_args)
		cli_die("'%s' command takes at most %d arguments", command->name,
		        command->max_args);
	command->run(n, argv + optind + 1);
	if (fflush(stdout) || ferror(stdout))
		cli_die("cannot write to standard output");
	return EXIT_SUCCESS;
}
