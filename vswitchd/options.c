/* options.c - reads the command line for main.c. Main thread. */
#include <config.h>

#include "vswitchd/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/log.h"
#include "base/mem.h"
#include "datapath/datapath.h"

#define PROGRAM "weir-vswitchd"

enum {
	OPT_RUNDIR = 256,
	OPT_DBDIR,
	OPT_LOGDIR,
	OPT_PIDFILE,
	OPT_DETACH,
	OPT_LOG_FILE,
	OPT_NO_CHDIR,
};

static const struct option long_options[] = {
	{"rundir", required_argument, NULL, OPT_RUNDIR},
	{"dbdir", required_argument, NULL, OPT_DBDIR},
	{"logdir", required_argument, NULL, OPT_LOGDIR},
	{"pidfile", optional_argument, NULL, OPT_PIDFILE},
	{"detach", no_argument, NULL, OPT_DETACH},
	{"log-file", optional_argument, NULL, OPT_LOG_FILE},
	{"no-chdir", no_argument, NULL, OPT_NO_CHDIR},
	{"verbose", optional_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static void
print_help(void)
{
	printf("%s: the virtual switch daemon, with its database\n"
	       "usage: %s [options]\n"
	       "  --rundir=DIR       sockets and pidfiles (default %s)\n"
	       "  --dbdir=DIR        the database (default %s)\n"
	       "  --logdir=DIR       the log (default %s)\n"
	       "  --detach           run in the background; returns once every\n"
	       "                     socket accepts commands\n"
	       "  --pidfile[=FILE]   write FILE too; the run-time directory gets its\n"
	       "                     pidfiles in any case\n"
	       "  --log-file[=FILE]  log to FILE (default %s.log in the log directory)\n"
	       "  --no-chdir         with --detach: stay in the current directory\n"
	       "  -v, --verbose[=[MODULE][:DESTINATION][:LEVEL]]\n"
	       "                     what to log where; without an argument, everything\n"
	       "  -h, --help         print this\n"
	       "  -V, --version      print the version\n",
	       PROGRAM, PROGRAM, dirs_rundir(), dirs_dbdir(), dirs_logdir(), PROGRAM);
}

/* The daemon may leave its directory: relative paths must not change their meaning. */
static char *
absolute(const char *path)
{
	char *cwd, *result;

	if (path[0] == '/')
		return xstrdup(path);
	cwd = getcwd(NULL, 0);
	result = xasprintf("%s/%s", cwd ? cwd : "", path);
	free(cwd);
	return result;
}

static void
set_directory(void (*set)(const char *path), const char *path)
{
	char *full = absolute(path);
	size_t n = strlen(full);

	while (n > 1 && full[n - 1] == '/')
		full[--n] = '\0';
	set(full);
	free(full);
}

static void
replace(char **slot, char *value)
{
	free(*slot);
	*slot = value;
}

static void
set_levels(const char *spec)
{
	struct error err;

	if (log_set_levels(spec ? spec : "any:dbg", &err)) {
		fprintf(stderr, "%s: --verbose: %s\n", PROGRAM, err.text);
		exit(EXIT_FAILURE);
	}
}

/* The defaults of files depend on the directories: they are filled in afterwards. */
static void
parse_option(struct options *options, int option, bool *default_log)
{
	switch (option) {
	case OPT_RUNDIR:
		set_directory(dirs_set_rundir, optarg);
		break;
	case OPT_DBDIR:
		set_directory(dirs_set_dbdir, optarg);
		break;
	case OPT_LOGDIR:
		set_directory(dirs_set_logdir, optarg);
		break;
	case OPT_PIDFILE:
		replace(&options->pidfile, optarg ? xstrdup(optarg) : NULL);
		break;
	case OPT_DETACH:
		options->detach = true;
		break;
	case OPT_LOG_FILE:
		*default_log = !optarg;
		replace(&options->log_file, optarg ? absolute(optarg) : NULL);
		break;
	case OPT_NO_CHDIR:
		options->keep_directory = true;
		break;
	case 'v':
		set_levels(optarg);
		break;
	case 'h':
		print_help();
		exit(EXIT_SUCCESS);
	case 'V':
		printf("%s (weir) %s\n%s\n", PROGRAM, PACKAGE_VERSION, dp_dpdk_version());
		exit(EXIT_SUCCESS);
	default:
		fprintf(stderr, "%s: try --help\n", PROGRAM);
		exit(EXIT_FAILURE);
	}
}

void
options_parse(struct options *options, int argc, char *argv[])
{
	bool default_log = false;
	int option;

	memset(options, 0, sizeof(*options));
	while ((option = getopt_long(argc, argv, "v::hV", long_options, NULL)) != -1)
		parse_option(options, option, &default_log);
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument \"%s\"; try --help\n", PROGRAM,
		        argv[optind]);
		exit(EXIT_FAILURE);
	}
	set_directory(dirs_set_rundir, dirs_rundir());
	set_directory(dirs_set_dbdir, dirs_dbdir());
	set_directory(dirs_set_logdir, dirs_logdir());
	if (default_log)
		options->log_file = xasprintf("%s/%s.log", dirs_logdir(), PROGRAM);
	if (options->pidfile)
		replace(&options->pidfile, dirs_in_rundir(options->pidfile));
}

void
options_destroy(struct options *options)
{
	free(options->pidfile);
	free(options->log_file);
	memset(options, 0, sizeof(*options));
}
