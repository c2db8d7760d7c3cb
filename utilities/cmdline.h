/* cmdline.h - splits "[OPTION]... COMMAND [ARG]... [-- ...]" into commands and checks
 * them against the table of commands. */
#pragma once

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct vsctl; /* vsctl.h */
struct invocation;
struct table;

#define ARGS_ANY INT_MAX

struct command {
	const char *name;
	int min_args, max_args;
	/* NULL-terminated: "--may-exist", with "=" at the end if it takes a value. */
	const char *const *options;
	/* Says which rows and columns 'run' will look at. May be NULL. */
	int (*prepare)(struct vsctl *vsctl, struct invocation *call, struct error *err);
	/* Reads and changes the replica; may run again after a conflict. May be NULL. */
	int (*run)(struct vsctl *vsctl, struct invocation *call, struct error *err);
	/* After the transaction was stored. May be NULL. */
	void (*finish)(struct vsctl *vsctl, struct invocation *call);
};

struct option_value {
	const char *name;  /* as in the table, without "=" */
	const char *value; /* NULL if it takes none */
};

/* One command of the command line. */
struct invocation {
	const struct command *command;
	char **args; /* borrowed from argv */
	int n_args;
	struct option_value *options;
	size_t n_options;

	struct str out;      /* what it prints */
	struct table *table; /* or that */
	void *state;         /* freed with free() */
};

/* Options of commands that stood before the first "--", as main() found them. */
struct early_option {
	char *name; /* "--may-exist" */
	char *value;
};

/* 'tables' is a NULL-terminated list of tables of commands, each ended by an entry
 * without a name. '*calls' is the caller's, who releases it with cmdline_free(). */
int cmdline_parse(const struct command *const *tables, int argc, char **argv,
                  const struct early_option *early, size_t n_early,
                  struct invocation **calls, size_t *n_calls, struct error *err);
void cmdline_free(struct invocation *calls, size_t n_calls);

/* Forgets what the last run left. */
void invocation_reset(struct invocation *call);

bool invocation_has(const struct invocation *call, const char *option);
/* NULL if not given. */
const char *invocation_value(const struct invocation *call, const char *option);

/* Appends every option that any command has to a getopt_long() table that ends in an
 * all-zero entry; 'val' is theirs. Reallocates 'options'. */
struct option *cmdline_add_options(const struct command *const *tables,
                                   struct option *options, int val);
