/* cmdline.c - from argv to a list of checked invocations; called by vsctl_main.c. */
#include "cmdline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "table.h"

static const struct command *
find_command(const struct command *const *tables, const char *name)
{
	for (; *tables; tables++)
		for (const struct command *c = *tables; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

/* Compares an option as typed, of 'n' bytes, with one of the table. */
static bool
option_is(const char *in_table, const char *typed, size_t n)
{
	return !strncmp(in_table, typed, n) &&
	       (in_table[n] == '\0' || !strcmp(in_table + n, "="));
}

static int
invocation_add_option(struct invocation *call, const char *name, size_t n,
                      const char *value, struct error *err)
{
	const char *command = call->command->name;
	const char *const *known = call->command->options;

	while (known && *known && !option_is(*known, name, n))
		known++;
	if (!known || !*known)
		return error_set(err, -EINVAL, "'%s' command has no '%.*s' option",
		                 command, (int)n, name);
	if ((*known)[n] == '=' && !value)
		return error_set(err, -EINVAL,
		                 "missing argument to '%.*s' option on '%s' command",
		                 (int)n, name, command);
	if ((*known)[n] == '\0' && value)
		return error_set(err, -EINVAL,
		                 "'%.*s' option on '%s' does not accept an argument",
		                 (int)n, name, command);
	for (size_t i = 0; i < call->n_options; i++)
		if (option_is(call->options[i].name, name, n))
			return error_set(err, -EINVAL,
			                 "'%.*s' option given more than once", (int)n,
			                 name);
	call->options =
		xrealloc(call->options, (call->n_options + 1) * sizeof(*call->options));
	call->options[call->n_options++] =
		(struct option_value){.name = *known, .value = value};
	return 0;
}

static int
check_arguments(const struct invocation *call, struct error *err)
{
	const struct command *command = call->command;

	if (call->n_args < command->min_args)
		return error_set(err, -EINVAL,
		                 "'%s' command requires at least %d arguments",
		                 command->name, command->min_args);
	if (call->n_args <= command->max_args)
		return 0;
	return error_set(err, -EINVAL, "'%s' command takes at most %d arguments",
	                 command->name, command->max_args);
}

/* The words argv[0..argc-1] are one command with its options before it. */
static int
parse_one(const struct command *const *tables, int argc, char **argv,
          const struct early_option *early, size_t n_early, struct invocation *call,
          struct error *err)
{
	int i = 0, ret;

	while (i < argc && argv[i][0] == '-')
		i++;
	if (i == argc)
		return error_set(err, -EINVAL,
		                 "missing command name (use --help for help)");
	call->command = find_command(tables, argv[i]);
	if (!call->command)
		return error_set(err, -EINVAL,
		                 "unknown command '%s'; use --help for help", argv[i]);
	call->args = argv + i + 1;
	call->n_args = argc - i - 1;
	for (size_t j = 0; j < n_early; j++) {
		ret = invocation_add_option(call, early[j].name, strlen(early[j].name),
		                            early[j].value, err);
		if (ret)
			return ret;
	}
	for (int j = 0; j < i; j++) {
		const char *equals = strchr(argv[j], '=');
		size_t n = equals ? (size_t)(equals - argv[j]) : strlen(argv[j]);

		ret = invocation_add_option(call, argv[j], n, equals ? equals + 1 : NULL,
		                            err);
		if (ret)
			return ret;
	}
	return check_arguments(call, err);
}

int
cmdline_parse(const struct command *const *tables, int argc, char **argv,
              const struct early_option *early, size_t n_early, struct invocation **calls,
              size_t *n_calls, struct error *err)
{
	int start = 0;

	*calls = xcalloc((size_t)argc + 1, sizeof(**calls));
	*n_calls = 0;
	for (int i = 0; i <= argc; i++) {
		int ret;

		if (i < argc && strcmp(argv[i], "--"))
			continue;
		if (i > start) {
			ret = parse_one(tables, i - start, argv + start, early, n_early,
			                &(*calls)[(*n_calls)++], err);
			if (ret) {
				cmdline_free(*calls, *n_calls);
				return ret;
			}
			n_early = 0;
		}
		start = i + 1;
	}
	if (*n_calls == 0) {
		cmdline_free(*calls, *n_calls);
		return error_set(err, -EINVAL,
		                 "missing command name (use --help for help)");
	}
	return 0;
}

void
invocation_reset(struct invocation *call)
{
	str_clear(&call->out);
	table_destroy(call->table);
	call->table = NULL;
	free(call->state);
	call->state = NULL;
}

void
cmdline_free(struct invocation *calls, size_t n_calls)
{
	for (size_t i = 0; i < n_calls; i++) {
		invocation_reset(&calls[i]);
		str_free(&calls[i].out);
		free(calls[i].options);
	}
	free(calls);
}

static const struct option_value *
find_option(const struct invocation *call, const char *option)
{
	for (size_t i = 0; i < call->n_options; i++)
		if (option_is(call->options[i].name, option, strlen(option)))
			return &call->options[i];
	return NULL;
}

bool
invocation_has(const struct invocation *call, const char *option)
{
	return find_option(call, option) != NULL;
}

const char *
invocation_value(const struct invocation *call, const char *option)
{
	const struct option_value *found = find_option(call, option);

	return found ? found->value : NULL;
}

static bool
has_option(const struct option *options, size_t n, const char *name, size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(options[i].name, name, length) && !options[i].name[length])
			return true;
	return false;
}

struct option *
cmdline_add_options(const struct command *const *tables, struct option *options, int val)
{
	size_t n = 0;

	while (options[n].name)
		n++;
	for (; *tables; tables++)
		for (const struct command *c = *tables; c->name; c++)
			for (const char *const *o = c->options; o && *o; o++) {
				const char *name = *o + 2;
				size_t length = strcspn(name, "=");

				if (has_option(options, n, name, length))
					continue;
				options = xrealloc(options, (n + 2) * sizeof(*options));
				options[n++] = (struct option){
					.name = strndup(name, length),
					.has_arg = name[length] ? required_argument
				                                : no_argument,
					.val = val,
				};
				options[n] = (struct option){NULL, 0, NULL, 0};
			}
	return options;
}
