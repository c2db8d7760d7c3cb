/* of_text_flow.c - a whole rule as add-flow, mod-flows and del-flows take it. The match
 * and the actions are of_text_match.c's and of_text_actions.c's. No state, any thread. */
#include <stdio.h>

#include "openflow/of_text_private.h"

static const struct {
	const char *name;
	enum of_flow_command command;
} commands[] = {
	{"add", OF_FLOW_ADD},       {"delete_strict", OF_FLOW_DELETE_STRICT},
	{"delete", OF_FLOW_DELETE}, {"modify_strict", OF_FLOW_MODIFY_STRICT},
	{"modify", OF_FLOW_MODIFY},
};

static const struct {
	const char *name;
	uint16_t flag;
} flags[] = {
	{"send_flow_rem", OF_FLOW_SEND_REMOVED}, {"check_overlap", OF_FLOW_CHECK_OVERLAP},
	{"reset_counts", OF_FLOW_RESET_COUNTS},  {"no_packet_counts", OF_FLOW_NO_PACKETS},
	{"no_byte_counts", OF_FLOW_NO_BYTES},
};

static bool
is_delete(enum of_flow_command command)
{
	return command == OF_FLOW_DELETE || command == OF_FLOW_DELETE_STRICT;
}

/* What rule dumps say of their rules, and rules to add need not. */
static bool
is_ignored(const char *key)
{
	static const char *const words[] = {"duration", "n_packets", "n_packet",
	                                    "n_bytes",  "idle_age",  "hard_age"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], key))
			return true;
	return false;
}

static int
parse_cookie(char *text, struct of_flow_mod *mod, struct error *err)
{
	char *slash = strchr(text, '/');
	uint64_t cookie, mask = UINT64_MAX;

	if (slash)
		*slash++ = '\0';
	if (!strcmp(text, "-1"))
		cookie = UINT64_MAX;
	else if (text_want_u64("cookie", text, UINT64_MAX, &cookie, err))
		return -EINVAL;
	if (slash && strcmp(slash, "-1") &&
	    text_want_u64("cookie mask", slash, UINT64_MAX, &mask, err))
		return -EINVAL;
	if (slash && mod->command == OF_FLOW_ADD)
		return error_set(err, -EINVAL, "flow additions cannot use a cookie mask");
	if (!slash && is_delete(mod->command))
		return error_set(err, -EINVAL,
		                 "a cookie to look for needs a mask: cookie=%s/-1", text);
	if (slash) {
		mod->cookie = cookie & mask;
		mod->cookie_mask = mask;
	} else {
		mod->new_cookie = cookie;
		mod->modify_cookie = mod->command != OF_FLOW_ADD;
	}
	return 0;
}

static int
parse_u16(const struct text_word *word, uint16_t *value, struct error *err)
{
	uint64_t number;

	if (text_want_u64(word->key, word->value, UINT16_MAX, &number, err))
		return -EINVAL;
	*value = (uint16_t)number;
	return 0;
}

/* 1 if the word is not one of these. */
static int
parse_limits(struct text_word *word, const struct of_names *names,
             struct of_flow_mod *mod, struct error *err)
{
	uint64_t number;

	if (!strcmp(word->key, "out_port"))
		return text_parse_port(word->value, names, &mod->out_port)
		               ? 0
		               : error_set(err, -EINVAL,
		                           "%s is not a valid OpenFlow port",
		                           word->value);
	if (!strcmp(word->key, "out_group")) {
		if (text_want_u64("out_group", word->value, UINT32_MAX, &number, err))
			return -EINVAL;
		mod->out_group = (uint32_t)number;
		return 0;
	}
	return 1;
}

static int
parse_times(struct text_word *word, struct of_flow_mod *mod, struct error *err)
{
	if (!strcmp(word->key, "idle_timeout"))
		return parse_u16(word, &mod->idle_s, err);
	if (!strcmp(word->key, "hard_timeout"))
		return parse_u16(word, &mod->hard_s, err);
	if (!strcmp(word->key, "importance"))
		return parse_u16(word, &mod->importance, err);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(flags[i].name, word->key)) {
			mod->flags |= flags[i].flag;
			return 0;
		}
	return 1;
}

static int
parse_word(struct text_word *word, const struct of_names *names, struct of_flow_mod *mod,
           struct error *err)
{
	int done = 1;

	if (!strcmp(word->key, "table"))
		return text_parse_table(word->value, names, &mod->table)
		               ? 0
		               : error_set(err, -EINVAL, "unknown table \"%s\"",
		                           word->value);
	/* All rules that a match includes are deleted or shown, of any priority. */
	if (!strcmp(word->key, "priority") && mod->command != OF_FLOW_DELETE)
		return parse_u16(word, &mod->priority, err);
	if (!strcmp(word->key, "cookie"))
		return parse_cookie(word->value, mod, err);
	if (is_ignored(word->key))
		return 0;
	if (is_delete(mod->command))
		done = parse_limits(word, names, mod, err);
	else
		done = parse_times(word, mod, err);
	return done == 1 ? text_match_word(word, names, &mod->match, err) : done;
}

/* "add", "delete_strict" and so on at the start of a line. */
static char *
take_command(char *text, enum of_flow_command *command)
{
	char *p = text + strspn(text, " \t\r\n,");
	size_t n = strcspn(p, " \t\r\n,=:(");

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strlen(commands[i].name) == n && !memcmp(commands[i].name, p, n)) {
			*command = commands[i].command;
			return p + n;
		}
	return text;
}

static void
init_mod(struct of_flow_mod *mod, enum of_flow_command command)
{
	memset(mod, 0, sizeof(*mod));
	mod->command = command;
	mod->priority = 32768;
	mod->table = OF_TABLE_ALL;
	mod->new_cookie = command == OF_FLOW_ADD ? 0 : UINT64_MAX;
	mod->buffer_id = OF_BUFFER_NONE;
	mod->out_port = FLOW_PORT_NONE;
	mod->out_group = OF_GROUP_ANY;
}

/* Where "actions=" begins, which takes the rest of the text; NULL if there is none. The
 * text is cut there. */
static char *
cut_actions(char *text)
{
	for (char *p = text; (p = strstr(p, "action")); p += 6) {
		char *end = p + 6 + (p[6] == 's');

		if (p > text && !strchr(" \t\r\n,", p[-1]))
			continue;
		end += strspn(end, " \t");
		if (*end == '=') {
			*p = '\0';
			return end + 1;
		}
	}
	return NULL;
}

static int
parse_flow(char *text, enum of_flow_command command, const struct of_names *names,
           struct of_flow_mod *mod, struct error *err)
{
	char *actions = NULL;
	struct text_word word;

	text = take_command(text, &command);
	init_mod(mod, command);
	if (!is_delete(command)) {
		actions = cut_actions(text);
		if (!actions)
			return error_set(err, -EINVAL, "must specify an action");
	}
	while (text_next_word(&text, &word))
		if (parse_word(&word, names, mod, err))
			return -EINVAL;
	text_match_end(&mod->match);
	/* Without a cookie to look for it adds what is not there: with cookie 0. */
	if (actions && mod->command != OF_FLOW_ADD && !mod->cookie_mask &&
	    mod->new_cookie == UINT64_MAX)
		mod->new_cookie = 0;
	return actions ? of_text_parse_actions(actions, names, &mod->actions, err) : 0;
}

int
of_text_parse_flow(const char *text, enum of_flow_command command,
                   const struct of_names *names, struct of_flow_mod *mod,
                   struct error *err)
{
	char *copy = xstrdup(text);
	int error = parse_flow(copy, command, names, mod, err);

	free(copy);
	return error;
}
