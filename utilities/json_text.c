/* json_text.c - JSON for output; the spread-out layout is that of ovs-vsctl --pretty. */
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define INDENT_STEP 2

static void
newline(size_t indent, struct str *out)
{
	str_append_char(out, '\n');
	for (size_t i = 0; i < indent; i++)
		str_append_char(out, ' ');
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void append_pretty(const json_t *json, size_t indent, struct str *out);

static void
append_object(const json_t *json, size_t indent, struct str *out)
{
	size_t n = json_object_size(json), i = 0;
	const char **names = xcalloc(n + 1, sizeof(*names));
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)json, name, member) names[i++] = name;
	qsort(names, n, sizeof(*names), compare_names);
	str_append_char(out, '{');
	for (i = 0; i < n; i++) {
		json_t *text = json_string(names[i]);

		if (i)
			str_append_char(out, ',');
		newline(indent + INDENT_STEP, out);
		json_text_append(text, false, out);
		str_append(out, ": ");
		append_pretty(json_object_get(json, names[i]), indent + INDENT_STEP, out);
		json_decref(text);
	}
	str_append_char(out, '}');
	free(names);
}

static void
append_pretty(const json_t *json, size_t indent, struct str *out)
{
	if (json_is_object(json)) {
		append_object(json, indent, out);
		return;
	}
	if (!json_is_array(json)) {
		json_text_append(json, false, out);
		return;
	}
	str_append_char(out, '[');
	for (size_t i = 0; i < json_array_size(json); i++) {
		if (i)
			str_append_char(out, ',');
		newline(indent + INDENT_STEP, out);
		append_pretty(json_array_get(json, i), indent + INDENT_STEP, out);
	}
	str_append_char(out, ']');
}

void
json_text_append(const json_t *json, bool pretty, struct str *out)
{
	char *text;

	if (pretty) {
		append_pretty(json, 0, out);
		return;
	}
	text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
	str_append(out, text ? text : "null");
	free(text);
}
