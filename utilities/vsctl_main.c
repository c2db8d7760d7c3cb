/* vsctl_main.c - weir-vsctl: options, then vsctl_run.c. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dirs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli.h"
#include "vsctl_help.h"
#include "vsctl_run.h"

LOG_MODULE(vsctl);

enum {
	OPT_DB = 256,
	OPT_NO_SYSLOG,
	OPT_NO_WAIT,
	OPT_DRY_RUN,
	OPT_ONELINE,
	OPT_RETRY,
	OPT_NO_HEADINGS,
	OPT_PRETTY,
	OPT_BARE,
	OPT_MAX_COLUMN_WIDTH,
	OPT_LOG_FILE,
	OPT_IGNORED,
	OPT_OF_COMMAND
};

static const struct option global_options[] = {
	{"db", required_argument, NULL, OPT_DB},
	{"no-syslog", no_argument, NULL, OPT_NO_SYSLOG},
	{"no-wait", no_argument, NULL, OPT_NO_WAIT},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"oneline", no_argument, NULL, OPT_ONELINE},
	{"retry", no_argument, NULL, OPT_RETRY},
	{"timeout", required_argument, NULL, 't'},
	{"format", required_argument, NULL, 'f'},
	{"data", required_argument, NULL, 'd'},
	{"no-headings", no_argument, NULL, OPT_NO_HEADINGS},
	{"pretty", no_argument, NULL, OPT_PRETTY},
	{"bare", no_argument, NULL, OPT_BARE},
	{"max-column-width", required_argument, NULL, OPT_MAX_COLUMN_WIDTH},
	{"verbose", optional_argument, NULL, 'v'},
	{"log-file", optional_argument, NULL, OPT_LOG_FILE},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	/* Meant for clusters, TLS and remote syslog: accepted, without effect here. */
	{"leader-only", no_argument, NULL, OPT_IGNORED},
	{"no-leader-only", no_argument, NULL, OPT_IGNORED},
	{"shuffle-remotes", no_argument, NULL, OPT_IGNORED},
	{"no-shuffle-remotes", no_argument, NULL, OPT_IGNORED},
	{"syslog-method", required_argument, NULL, OPT_IGNORED},
	{"syslog-target", required_argument, NULL, OPT_IGNORED},
	{"private-key", required_argument, NULL, OPT_IGNORED},
	{"certificate", required_argument, NULL, OPT_IGNORED},
	{"ca-cert", required_argument, NULL, OPT_IGNORED},
	{"bootstrap-ca-cert", required_argument, NULL, OPT_IGNORED},
	{"peer-ca-cert", required_argument, NULL, OPT_IGNORED},
	{"ssl-protocols", required_argument, NULL, OPT_IGNORED},
	{"ssl-ciphers", required_argument, NULL, OPT_IGNORED},
	{NULL, 0, NULL, 0},
};

/* The schema's version is what scripts write into Open_vSwitch.db_version. */
static void
print_version(void)
{
	json_t *schema = json_loads(ovsdb_schema_text(), 0, NULL);

	cli_print_version();
	printf("DB Schema %s\n", json_string_value(json_object_get(schema, "version")));
	json_decref(schema);
}

struct early_options {
	struct early_option *array;
	size_t n;
};

static void
set_log_levels(const char *word)
{
	struct error err;

	/* Patterns and facilities change how lines look; there is one format here. */
	if (!strncmp(word, "PATTERN:", 8) || !strncmp(word, "FACILITY:", 9))
		return;
	if (log_set_levels(word, &err))
		cli_die("--verbose: %s", err.text);
}

static void
start_log_file(const char *path)
{
	char *fallback = xasprintf("%s/weir-vsctl.log", dirs_logdir());
	struct error err;

	if (log_open_file(path ? path : fallback, &err))
		cli_die("%s", err.text);
	free(fallback);
}

static void
parse_style(int c, struct table_style *style)
{
	struct error err;
	uint64_t width;

	if ((c == 'f' && table_parse_format(optarg, style, &err)) ||
	    (c == 'd' && table_parse_cells(optarg, style, &err)))
		cli_die("%s", err.text);
	if (c == OPT_NO_HEADINGS)
		style->no_headings = true;
	if (c == OPT_PRETTY)
		style->pretty = true;
	if (c == OPT_BARE) {
		style->format = TABLE_FORMAT_LIST;
		style->cells = CELL_BARE;
		style->no_headings = true;
	}
	if (c == OPT_MAX_COLUMN_WIDTH) {
		if (!parse_u64(optarg, 0, INT_MAX, &width))
			cli_die("--max-column-width: \"%s\" is not a number", optarg);
		style->max_column_width = (size_t)width;
	}
}

static void
add_early_option(struct early_options *early, const char *name, const char *value)
{
	early->array = xrealloc(early->array, (early->n + 1) * sizeof(*early->array));
	early->array[early->n++] = (struct early_option){
		.name = xasprintf("--%s", name),
		.value = value ? xstrdup(value) : NULL,
	};
}

static void
parse_option(int c, struct run_options *options)
{
	switch (c) {
	case OPT_DB:
		options->db = optarg;
		break;
	case OPT_NO_SYSLOG:
		set_log_levels("vsctl:syslog:warn");
		break;
	case OPT_NO_WAIT:
		options->wait_for_reload = false;
		break;
	case OPT_DRY_RUN:
		options->dry_run = true;
		break;
	case OPT_ONELINE:
		options->oneline = true;
		break;
	case OPT_RETRY:
		options->retry = true;
		break;
	case OPT_LOG_FILE:
		start_log_file(optarg);
		break;
	case 't':
		cli_set_timeout("--timeout", optarg);
		break;
	case 'v':
		set_log_levels(optarg ? optarg : "any:any:dbg");
		break;
	case 'h':
		vsctl_print_help();
		exit(EXIT_SUCCESS);
	case 'V':
		print_version();
		exit(EXIT_SUCCESS);
	case '?':
		exit(EXIT_FAILURE);
	default:
		parse_style(c, &options->style);
	}
}

/* Returns the index of the first word that is not an option. */
static int
parse_options(int argc, char **argv, struct run_options *options,
              struct early_options *early)
{
	/* Static, since --version ends the program from here. */
	static struct option *all;
	int c, index;

	all = xmemdup(global_options, sizeof(global_options));
	all = cmdline_add_options(vsctl_commands, all, OPT_OF_COMMAND);
	/* "+": the first word that is no option ends the global options. */
	while ((c = getopt_long(argc, argv, "+v::hVt:f:d:p:c:C:", all, &index)) != -1) {
		if (c == OPT_OF_COMMAND)
			add_early_option(early, all[index].name, optarg);
		else if (c != OPT_IGNORED && c != 'p' && c != 'c' && c != 'C')
			parse_option(c, options);
	}
	for (size_t i = ARRAY_SIZE(global_options) - 1; all[i].name; i++)
		free((char *)(uintptr_t)all[i].name);
	free(all);
	return optind;
}

static char *
join_arguments(int argc, char **argv)
{
	struct str text = STR_INIT;

	str_append(&text, "weir-vsctl");
	for (int i = 1; i < argc; i++)
		str_printf(&text, " %s", argv[i]);
	return str_steal(&text);
}

int
main(int argc, char **argv)
{
	struct run_options options = {.wait_for_reload = true,
	                              .style = {.format = TABLE_FORMAT_LIST}};
	struct early_options early = {NULL, 0};
	struct invocation *calls = NULL;
	char *default_db, *comment;
	int first, status = 0, ret;
	struct error err;
	size_t n_calls;

	cli_set_program("weir-vsctl");
	log_set_program("weir-vsctl");
	set_log_levels("console:warn");
	set_log_levels("syslog:info");
	cli_set_timeout("WEIR_CTL_TIMEOUT", getenv("WEIR_CTL_TIMEOUT"));
	first = parse_options(argc, argv, &options, &early);
	comment = join_arguments(argc, argv);
	options.comment = comment;
	default_db = xasprintf("unix:%s/db.sock", dirs_rundir());
	if (!options.db)
		options.db = default_db;

	ret = cmdline_parse(vsctl_commands, argc - first, argv + first, early.array,
	                    early.n, &calls, &n_calls, &err);
	if (ret)
		cli_die("%s", err.text);
	log_info("Called as %s", comment);
	ret = vsctl_run(&options, calls, n_calls, &status, &err);
	if (ret)
		cli_die("%s", err.text);

	cmdline_free(calls, n_calls);
	for (size_t i = 0; i < early.n; i++) {
		free(early.array[i].name);
		free(early.array[i].value);
	}
	free(early.array);
	free(default_db);
	free(comment);
	if (fflush(stdout) || ferror(stdout))
		cli_die("cannot write to standard output");
	return status;
}
