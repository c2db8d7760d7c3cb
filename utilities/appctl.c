/* appctl.c - weir-appctl: sends one command to the control socket of a running daemon and
 * prints the answer. */
#include <config.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "ctl_client.h"
#include "rpc/client.h"

#define EXIT_COMMAND_ERROR 2

static void
print_usage(void)
{
	printf("weir-appctl: controls a running weir-vswitchd\n"
	       "usage: weir-appctl [OPTION]... COMMAND [ARG]...\n"
	       "\n"
	       "Options:\n"
	       "  -t, --target=TARGET   daemon to talk to: the name of its pidfile in the\n"
	       "                        run-time directory, or the path of its control\n"
	       "                        socket (default: " CTL_TARGET ")\n"
	       "  -T, --timeout=SECS    give up after SECS seconds (default: 0, never)\n"
	       "      --print-pid       print the daemon's process id, if it runs\n"
	       "  -h, --help            print this text\n"
	       "  -V, --version         print the version of weir-appctl\n"
	       "\n"
	       "Commands that every daemon understands:\n"
	       "  list-commands         names of all its commands, with their arguments\n"
	       "  version               version of the daemon\n"
	       "  vlog/list             log level of each module and destination\n"
	       "  vlog/set [WORD]...    change levels; a WORD is MODULE:DESTINATION:LEVEL,\n"
	       "                        each part optional\n"
	       "  vlog/reopen           open the log file anew, after it was rotated\n"
	       "  exit                  stop the daemon\n");
}

enum { OPT_PRINT_PID = 256 };

struct appctl_options {
	const char *target;
	bool print_pid;
	char **command; /* NULL-terminated: its name and arguments */
};

static struct appctl_options
parse_options(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"target", required_argument, NULL, 't'},
		{"timeout", required_argument, NULL, 'T'},
		{"print-pid", no_argument, NULL, OPT_PRINT_PID},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	struct appctl_options options = {.target = CTL_TARGET};
	int c;

	/* The "+" leaves the options of COMMAND to the daemon. */
	while ((c = getopt_long(argc, argv, "+t:T:hV", long_options, NULL)) != -1) {
		switch (c) {
		case 't':
			options.target = optarg;
			break;
		case 'T':
			cli_set_timeout("--timeout", optarg);
			break;
		case OPT_PRINT_PID:
			options.print_pid = true;
			break;
		case 'h':
			print_usage();
			exit(EXIT_SUCCESS);
		case 'V':
			cli_print_version();
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_FAILURE);
		}
	}
	if (optind >= argc && !options.print_pid)
		cli_die("no command given (--help lists some)");
	options.command = argv + optind;
	return options;
}

static void
print_text(FILE *stream, const json_t *json)
{
	char *text;

	if (json_is_string(json)) {
		fwrite(json_string_value(json), 1, json_string_length(json), stream);
		return;
	}
	text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	fprintf(stream, "%s\n", text ? text : "");
	free(text);
}

static bool
ends_in_newline(const json_t *json)
{
	const char *text = json_string_value(json);

	return !text || (*text && text[strlen(text) - 1] == '\n');
}

/* Sends the command and prints the answer; returns the exit status. */
static int
run_command(struct rpc_client *client, const char *socket, char **command)
{
	json_t *params = json_array(), *result = NULL, *error = NULL;
	int status = EXIT_SUCCESS;
	struct error err;

	for (char **arg = command + 1; *arg; arg++)
		if (json_array_append_new(params, json_string(*arg)))
			cli_die("argument \"%s\" is not valid UTF-8", *arg);
	if (rpc_client_call(client, command[0], params, &result, &error, &err))
		cli_die("%s", err.text);
	if (error) {
		print_text(stderr, error);
		if (!ends_in_newline(error))
			fputc('\n', stderr);
		cli_warn("%s: server returned an error", socket);
		status = EXIT_COMMAND_ERROR;
	} else if (!json_is_null(result)) {
		print_text(stdout, result);
	}
	json_decref(result);
	json_decref(error);
	return status;
}

int
main(int argc, char **argv)
{
	struct appctl_options options;
	struct rpc_client *client;
	int status = EXIT_SUCCESS, pid;
	char *path, *remote;
	struct error err;

	cli_set_program("weir-appctl");
	options = parse_options(argc, argv);
	if (options.print_pid) {
		pid = ctl_find_pid(options.target, &err);
		if (pid <= 0)
			cli_die("%s", err.text);
		printf("%d\n", pid);
	} else {
		path = ctl_find_socket(options.target, &err);
		if (!path)
			cli_die("%s", err.text);
		remote = xasprintf("unix:%s", path);
		if (rpc_client_connect(remote, UINT64_MAX, &client, &err))
			cli_die("%s", err.text);
		status = run_command(client, path, options.command);
		rpc_client_close(client);
		free(remote);
		free(path);
	}
	if (fflush(stdout) || ferror(stdout))
		cli_die("cannot write to standard output");
	return status;
}
