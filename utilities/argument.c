/* argument.c - parses column[:key][OPvalue], the argument of set, get, find and others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "names.h"

/* Longer ones first: the first that fits is it. */
static const struct {
	const char *text;
	enum compare_op op;
} operators[] = {
	{"{not-in}", OP_SET_NOT_IN},
	{"{in}", OP_SET_IN},
	{"{<=}", OP_SET_LE},
	{"{>=}", OP_SET_GE},
	{"{!=}", OP_SET_NE},
	{"{=}", OP_SET_EQ},
	{"{<}", OP_SET_LT},
	{"{>}", OP_SET_GT},
	{"!=", OP_NE},
	{"<=", OP_LE},
	{">=", OP_GE},
	{"=", OP_EQ},
	{"<", OP_LT},
	{">", OP_GT},
};

/* A word, or a string in double quotes with the escapes of JSON. The caller frees
 * '*word'; '*text' moves behind it. */
static int
take_word(const char **text, char **word, struct error *err)
{
	const char *start = *text, *end = start;

	if (*start == '"') {
		json_t *json;
		char *quoted;

		for (end++; *end && *end != '"'; end++)
			if (*end == '\\' && end[1])
				end++;
		if (!*end)
			return error_set(err, -EINVAL, "%s: missing closing quote",
			                 start);
		end++;
		quoted = strndup(start, (size_t)(end - start));
		json = json_loads(quoted, JSON_DECODE_ANY, NULL);
		free(quoted);
		if (!json)
			return error_set(err, -EINVAL, "%s: bad string in quotes", start);
		*word = xstrdup(json_string_value(json));
		json_decref(json);
	} else {
		end += strcspn(start, ":=, []{}!<>");
		if (end == start)
			return error_set(err, -EINVAL, "%s: a name is missing", start);
		*word = strndup(start, (size_t)(end - start));
	}
	*text = end;
	return 0;
}

static int
missing_operator(const char *text, enum value_wanted wanted, struct error *err)
{
	return error_set(err, -EINVAL, "%s: argument does not end in %s", text,
	                 wanted == VALUE_ASSIGNED
	                         ? "\"=\" followed by a value."
	                         : "\"=\", \"!=\", \"<\", \">\", \"<=\", \">=\", one of "
	                           "these in braces, \"{in}\" or \"{not-in}\" and a "
	                           "value.");
}

static int
parse_operator(const char *text, const char *rest, enum value_wanted wanted,
               struct column_arg *arg, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		size_t n = strlen(operators[i].text);

		if (wanted == VALUE_ASSIGNED && operators[i].op != OP_EQ)
			continue;
		if (strncmp(rest, operators[i].text, n))
			continue;
		if (!rest[n])
			break;
		arg->op = operators[i].op;
		arg->value = rest + n;
		return 0;
	}
	return missing_operator(text, wanted, err);
}

int
names_parse_argument(const struct replica_table *table, const char *text,
                     enum value_wanted wanted, struct column_arg *arg, struct error *err)
{
	const char *rest = text;
	char *name = NULL;
	int ret;

	memset(arg, 0, sizeof(*arg));
	name = strndup(text, strcspn(text, ":=, []{}!<>"));
	rest += strlen(name);
	ret = names_find_column(table, name, &arg->column, err);
	free(name);
	if (ret)
		return ret;
	if (*rest == ':') {
		rest++;
		ret = take_word(&rest, &arg->key, err);
		if (ret)
			return ret;
	}
	if (wanted == VALUE_NONE && *rest)
		ret = error_set(err, -EINVAL, "%s: trailing garbage \"%s\" in argument",
		                text, rest);
	else if (wanted != VALUE_NONE)
		ret = parse_operator(text, rest, wanted, arg, err);
	if (ret) {
		free(arg->key);
		arg->key = NULL;
	}
	return ret;
}
