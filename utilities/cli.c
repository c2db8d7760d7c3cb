/* cli.c - messages and the time limit of the command-line tools. */
#include <config.h>

#include "cli.h"

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static const char *program = "weir";

void
cli_set_program(const char *name)
{
	program = name;
}

static void PRINTF_FORMAT(1, 0) cli_message(const char *fmt, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void
cli_die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cli_message(fmt, args);
	va_end(args);
	exit(EXIT_FAILURE);
}

void
cli_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cli_message(fmt, args);
	va_end(args);
}

void
cli_print_version(void)
{
	printf("%s (weir) %s\n", program, PACKAGE_VERSION);
}

/* SA_RESETHAND has put the default action back: raising again ends the process so that
 * its parent sees SIGALRM. */
static void
cli_on_alarm(int signum)
{
	static const char text[] = ": time limit reached\n";

	if (write(STDERR_FILENO, program, strlen(program)) < 0 ||
	    write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_FAILURE);
	raise(signum);
}

void
cli_set_timeout(const char *what, const char *text)
{
	struct sigaction action = {.sa_handler = cli_on_alarm,
	                           .sa_flags = (int)SA_RESETHAND};
	uint64_t seconds;

	if (!text)
		return;
	if (!parse_u64(text, 0, INT_MAX, &seconds))
		cli_die("%s: \"%s\" is not a number of seconds", what, text);
	sigaction(SIGALRM, &action, NULL);
	alarm((unsigned)seconds);
}
