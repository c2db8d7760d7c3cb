/* vsctl_cmdline_test.c - how weir-vsctl splits and checks its command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "utilities/cmdline.h"

static const char *const options[] = {"--may-exist", "--id=", NULL};

static const struct command family_a[] = {
	{"plain", 0, 1, NULL, NULL, NULL, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
static const struct command family_b[] = {
	{"rich", 1, ARGS_ANY, options, NULL, NULL, NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
static const struct command *const tables[] = {family_a, family_b, NULL};

#define WORDS_MAX 16

struct parsed {
	struct invocation *calls;
	size_t n;
	int ret;
	struct error err;
	char *text, **words; /* the invocations point into them */
};

/* Splits 'line' at blanks and parses that. */
static struct parsed
parse(const char *line, const struct early_option *early, size_t n_early)
{
	struct parsed p = {.text = strdup(line),
	                   .words = calloc(WORDS_MAX, sizeof(char *))};
	char *save = NULL;
	int n = 0;

	for (char *t = strtok_r(p.text, " ", &save); t && n < WORDS_MAX;
	     t = strtok_r(NULL, " ", &save))
		p.words[n++] = t;
	p.ret = cmdline_parse(tables, n, p.words, early, n_early, &p.calls, &p.n, &p.err);
	return p;
}

static void
release(struct parsed *p)
{
	if (!p->ret)
		cmdline_free(p->calls, p->n);
	free(p->words);
	free(p->text);
}

static void
test_splits_at_dashes(void **state UNUSED)
{
	struct parsed p = parse(
		"plain -- --may-exist --id=x rich a -b c -- -- plain y --", NULL, 0);

	assert_int_equal(p.ret, 0);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.calls[0].command->name, "plain");
	assert_int_equal(p.calls[0].n_args, 0);
	assert_string_equal(p.calls[1].command->name, "rich");
	assert_int_equal(p.calls[1].n_args, 3);
	assert_string_equal(p.calls[1].args[1], "-b");
	assert_true(invocation_has(&p.calls[1], "--may-exist"));
	assert_string_equal(invocation_value(&p.calls[1], "--id"), "x");
	assert_false(invocation_has(&p.calls[2], "--may-exist"));
	assert_null(invocation_value(&p.calls[2], "--id"));
	assert_string_equal(p.calls[2].args[0], "y");
	release(&p);
}

static void
test_early_options_go_to_the_first_command(void **state UNUSED)
{
	char name[] = "--may-exist";
	const struct early_option early = {.name = name};
	struct parsed p = parse("rich a -- rich b", &early, 1);

	assert_int_equal(p.ret, 0);
	assert_true(invocation_has(&p.calls[0], "--may-exist"));
	assert_false(invocation_has(&p.calls[1], "--may-exist"));
	release(&p);

	p = parse("plain -- rich b", &early, 1);
	assert_int_not_equal(p.ret, 0);
	assert_string_equal(p.err.text, "'plain' command has no '--may-exist' option");
	release(&p);
}

static void
test_refuses(void **state UNUSED)
{
	static const struct {
		const char *line, *reason;
	} cases[] = {
		{"", "missing command name (use --help for help)"},
		{"-- --", "missing command name (use --help for help)"},
		{"-- --id=3", "missing command name (use --help for help)"},
		{"nosuch", "unknown command 'nosuch'; use --help for help"},
		{"plain a b", "'plain' command takes at most 1 arguments"},
		{"rich", "'rich' command requires at least 1 arguments"},
		{"plain -- --id rich a",
	         "missing argument to '--id' option on 'rich' command"},
		{"plain -- --may-exist=1 rich a",
	         "'--may-exist' option on 'rich' does not accept an argument"},
		{"plain -- --may rich a", "'rich' command has no '--may' option"},
		{"plain -- --id=1 --id=2 rich a", "'--id' option given more than once"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed p = parse(cases[i].line, NULL, 0);

		assert_int_not_equal(p.ret, 0);
		assert_string_equal(p.err.text, cases[i].reason);
		release(&p);
	}
}

static void
test_reset_forgets_output(void **state UNUSED)
{
	struct parsed p = parse("plain", NULL, 0);

	str_append(&p.calls[0].out, "text");
	p.calls[0].state = malloc(4);
	invocation_reset(&p.calls[0]);
	assert_string_equal(str_text(&p.calls[0].out), "");
	assert_null(p.calls[0].state);
	release(&p);
}

static void
test_adds_options_once(void **state UNUSED)
{
	struct option *all = calloc(2, sizeof(*all));
	size_t n = 0;

	all[0] = (struct option){.name = "may-exist", .val = 1};
	all = cmdline_add_options(tables, all, 9);
	while (all[n].name)
		n++;
	assert_int_equal(n, 2);
	assert_int_equal(all[0].val, 1);
	assert_string_equal(all[1].name, "id");
	assert_int_equal(all[1].has_arg, required_argument);
	assert_int_equal(all[1].val, 9);
	free((char *)(uintptr_t)all[1].name);
	free(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits_at_dashes),
		cmocka_unit_test(test_early_options_go_to_the_first_command),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_reset_forgets_output),
		cmocka_unit_test(test_adds_options_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
