/* cli.h - what the command-line tools have in common: how they fail, time out and say
 * their version. */
#pragma once

#include "base/compiler.h"

/* The name in front of each message; 'name' must stay valid. */
void cli_set_program(const char *name);

/* "<program>: <text>" on standard error; then the end of the process. */
void cli_die(const char *fmt, ...) PRINTF_FORMAT(1, 2) __attribute__((noreturn));
void cli_warn(const char *fmt, ...) PRINTF_FORMAT(1, 2);

void cli_print_version(void);

/* "SECS" or the NULL of an unset variable: after so many seconds (0 = never) the process
 * ends by SIGALRM, after a message. Ends the process if the text is no number; 'what'
 * names the option or variable. */
void cli_set_timeout(const char *what, const char *text);
