/* datum_text.c - values as the ctl tools read and print them. Beside datum_json.c, above
 * datum.c. Any thread.
 *
 * A set is "a, b" or "[a, b]", a map "k=v, k=v" or "{k=v}"; commas may be blanks. A word
 * ends at any of the delimiters below unless it is in double quotes; quoted words have
 * JSON's escapes. In a set of integers "3-7" stands for five of them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/datum.h"

#define DELIMITERS ":=, []{}!<>\t\r\n"

/* The ranges of a set may not cost more than any sensible set. */
#define RANGE_MAX_ITEMS 65536

static int
string_from_text(char **string, const char *text, struct error *err)
{
	size_t n = strlen(text);
	json_error_t json_err;
	json_t *json;

	if (!n)
		return error_set(err, -EINVAL, "an empty string must be written as \"\"");
	if (text[0] != '"') {
		json = json_string(text);
		if (!json)
			return error_set(err, -EINVAL, "string is not valid UTF-8");
	} else {
		if (n < 2 || text[n - 1] != '"')
			return error_set(err, -EINVAL,
			                 "%s: quoted string does not end with a quote",
			                 text);
		json = json_loadb(text, n, JSON_DECODE_ANY, &json_err);
		if (!json_is_string(json)) {
			json_decref(json);
			return error_set(err, -EINVAL, "%s: bad quoted string", text);
		}
	}
	*string = xstrdup(json_string_value(json));
	json_decref(json);
	return 0;
}

static int
integer_from_text(int64_t *integer, const char *text, struct error *err)
{
	char *end;

	errno = 0;
	*integer = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		return error_set(err, -EINVAL, "\"%s\" is not a valid integer", text);
	return 0;
}

static int
real_from_text(double *real, const char *text, struct error *err)
{
	char *end;

	errno = 0;
	*real = strtod(text, &end);
	if (errno || end == text || *end || !isfinite(*real))
		return error_set(err, -EINVAL, "\"%s\" is not a valid real number", text);
	return 0;
}

static int
boolean_from_text(bool *boolean, const char *text, struct error *err)
{
	static const char *const words[2][4] = {{"false", "no", "off", "0"},
	                                        {"true", "yes", "on", "1"}};

	for (int value = 0; value < 2; value++)
		for (int i = 0; i < 4; i++)
			if (!strcmp(text, words[value][i])) {
				*boolean = value;
				return 0;
			}
	return error_set(err, -EINVAL, "\"%s\" is not a valid boolean (true or false)",
	                 text);
}

static int
reference_from_text(struct uuid *uuid, const char *text, ovsdb_named_uuid_fn *named,
                    void *aux, struct error *err)
{
	if (text[0] == '@') {
		if (named && named(text, uuid, aux))
			return 0;
		return error_set(err, -EINVAL, "%s is not the name of a new row", text);
	}
	if (!uuid_from_text(uuid, text))
		return error_set(err, -EINVAL, "\"%s\" is not a valid UUID", text);
	return 0;
}

int
ovsdb_atom_from_text(union ovsdb_atom *atom, const struct ovsdb_base_type *base,
                     const char *text, ovsdb_named_uuid_fn *named, void *aux,
                     struct error *err)
{
	int rc;

	switch (base->kind) {
	case OVSDB_INTEGER:
		rc = integer_from_text(&atom->integer, text, err);
		break;
	case OVSDB_REAL:
		rc = real_from_text(&atom->real, text, err);
		break;
	case OVSDB_BOOLEAN:
		rc = boolean_from_text(&atom->boolean, text, err);
		break;
	case OVSDB_STRING:
		rc = string_from_text(&atom->string, text, err);
		break;
	case OVSDB_UUID:
		rc = reference_from_text(&atom->uuid, text, named, aux, err);
		break;
	case OVSDB_VOID:
	default:
		rc = error_set(err, -EINVAL, "a column cannot hold \"%s\"", text);
		break;
	}
	if (rc)
		return rc;
	rc = ovsdb_atom_check(atom, base, err);
	if (rc)
		ovsdb_atom_destroy(atom, base->kind);
	return rc;
}

struct parser {
	const char *text; /* all of it, for error texts */
	const char *at;
	const struct ovsdb_type *type;
	struct ovsdb_datum *datum;
	ovsdb_named_uuid_fn *named;
	void *aux;
	struct error *err;
};

static int
unexpected(const struct parser *p)
{
	const char *what = ovsdb_type_is_map(p->type) ? "a map"
	                   : p->type->n_max > 1       ? "a set"
	                                              : "a value";

	if (!*p->at)
		return error_set(p->err, -EINVAL, "%s: unexpected end of %s", p->text,
		                 what);
	return error_set(p->err, -EINVAL, "%s: unexpected \"%c\" in %s", p->text, *p->at,
	                 what);
}

static void
skip_blanks(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

/* The next word, still quoted; the caller frees it. */
static int
parse_word(struct parser *p, char **word)
{
	const char *start = p->at;
	bool in_quotes = false;

	for (; *p->at && (in_quotes || !strchr(DELIMITERS, *p->at)); p->at++) {
		if (*p->at == '"')
			in_quotes = !in_quotes;
		else if (in_quotes && *p->at == '\\' && p->at[1])
			p->at++;
	}
	if (in_quotes)
		return error_set(p->err, -EINVAL, "%s: quoted string has no end",
		                 p->text);
	if (p->at == start)
		return unexpected(p);
	*word = xmalloc((size_t)(p->at - start) + 1);
	memcpy(*word, start, (size_t)(p->at - start));
	(*word)[p->at - start] = '\0';
	return 0;
}

static int
parse_atom(struct parser *p, const struct ovsdb_base_type *base, union ovsdb_atom *atom)
{
	char *word;
	int rc;

	rc = parse_word(p, &word);
	if (rc)
		return rc;
	rc = ovsdb_atom_from_text(atom, base, word, p->named, p->aux, p->err);
	free(word);
	return rc;
}

/* "FIRST-LAST"; a minus sign in front of either is not a dash. */
static bool
is_range(const char *word, int64_t *first, int64_t *last)
{
	const char *dash = *word ? strchr(word + 1, '-') : NULL;
	char *left;
	bool is_one;

	if (!dash)
		return false;
	left = xstrdup(word);
	left[dash - word] = '\0';
	is_one = !integer_from_text(first, left, NULL) &&
	         !integer_from_text(last, dash + 1, NULL);
	free(left);
	return is_one;
}

static int
append_range(struct parser *p, const char *word, int64_t first, int64_t last)
{
	struct ovsdb_datum *datum = p->datum;
	uint64_t n_more = (uint64_t)last - (uint64_t)first; /* may exceed INT64_MAX */

	if (last < first)
		return error_set(p->err, -EINVAL,
		                 "\"%s\" is a range that ends before it starts", word);
	if (n_more >= RANGE_MAX_ITEMS || datum->n + n_more++ >= RANGE_MAX_ITEMS)
		return error_set(p->err, -EINVAL, "range \"%s\" is too long", word);
	datum->keys = xrealloc(datum->keys, (datum->n + n_more) * sizeof(*datum->keys));
	for (uint64_t i = 0; i < n_more; i++) {
		union ovsdb_atom atom = {.integer = first + (int64_t)i};
		int rc = ovsdb_atom_check(&atom, &p->type->key, p->err);

		if (rc)
			return rc;
		datum->keys[datum->n++] = atom;
	}
	return 0;
}

static int
parse_set_element(struct parser *p)
{
	union ovsdb_atom atom;
	int64_t first, last;
	char *word;
	int rc;

	rc = parse_word(p, &word);
	if (rc)
		return rc;
	if (p->type->key.kind == OVSDB_INTEGER && p->type->n_max > 1 &&
	    is_range(word, &first, &last)) {
		rc = append_range(p, word, first, last);
	} else {
		rc = ovsdb_atom_from_text(&atom, &p->type->key, word, p->named, p->aux,
		                          p->err);
		if (!rc) {
			ovsdb_datum_append(p->datum, p->type, &atom, NULL);
			ovsdb_atom_destroy(&atom, p->type->key.kind);
		}
	}
	free(word);
	return rc;
}

static int
parse_map_entry(struct parser *p)
{
	union ovsdb_atom key, value;
	int rc;

	rc = parse_atom(p, &p->type->key, &key);
	if (rc)
		return rc;
	skip_blanks(p);
	if (*p->at != '=') {
		rc = error_set(p->err, -EINVAL, "%s: a key must be followed by \"=\"",
		               p->text);
		goto free_key;
	}
	p->at++;
	skip_blanks(p);
	rc = parse_atom(p, &p->type->value, &value);
	if (rc)
		goto free_key;
	ovsdb_datum_append(p->datum, p->type, &key, &value);
	ovsdb_atom_destroy(&value, p->type->value.kind);
free_key:
	ovsdb_atom_destroy(&key, p->type->key.kind);
	return rc;
}

/* Elements until 'close' or, if that is NUL, the end of the text. */
static int
parse_elements(struct parser *p, char close)
{
	for (;;) {
		int rc;

		skip_blanks(p);
		if (!*p->at && close)
			return error_set(p->err, -EINVAL, "%s: no \"%c\" at the end",
			                 p->text, close);
		if (*p->at == close)
			return 0;
		rc = ovsdb_type_is_map(p->type) ? parse_map_entry(p)
		                                : parse_set_element(p);
		if (rc)
			return rc;
		/* What ends an element: blanks, a comma, or the end. */
		if (*p->at && *p->at != close && *p->at != ',' &&
		    !isspace((unsigned char)*p->at))
			return unexpected(p);
		skip_blanks(p);
		if (*p->at == ',')
			p->at++;
	}
}

static int
parse_datum(struct parser *p)
{
	char open = ovsdb_type_is_map(p->type) ? '{' : '[', close = '\0';
	int rc;

	skip_blanks(p);
	if (*p->at == open) {
		close = ovsdb_type_is_map(p->type) ? '}' : ']';
		p->at++;
	}
	rc = parse_elements(p, close);
	if (rc)
		return rc;
	if (close) {
		p->at++;
		skip_blanks(p);
		if (*p->at)
			return unexpected(p);
	}
	if (p->datum->n < p->type->n_min)
		return error_set(p->err, -EINVAL,
		                 "%s: %zu value(s) given, the minimum is %u", p->text,
		                 p->datum->n, p->type->n_min);
	if (p->datum->n > p->type->n_max)
		return error_set(p->err, -EINVAL,
		                 "%s: %zu value(s) given, the maximum is %u", p->text,
		                 p->datum->n, p->type->n_max);
	rc = ovsdb_datum_sort(p->datum, p->type, p->err);
	if (rc)
		error_prefix(p->err, "%s", p->text);
	return rc;
}

int
ovsdb_datum_from_text(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                      const char *text, ovsdb_named_uuid_fn *named, void *aux,
                      struct error *err)
{
	struct parser p = {.text = text,
	                   .at = text,
	                   .type = type,
	                   .datum = datum,
	                   .named = named,
	                   .aux = aux,
	                   .err = err};
	int rc;

	memset(datum, 0, sizeof(*datum));
	rc = parse_datum(&p);
	if (rc)
		ovsdb_datum_destroy(datum, type);
	return rc;
}

/* A bare word reads back as the same string and as nothing else. */
static bool
string_needs_quotes(const char *s)
{
	struct uuid uuid;

	if (!isalpha((unsigned char)*s) && *s != '_')
		return true;
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
			return true;
	return !strcmp(s, "true") || !strcmp(s, "false") || uuid_from_text(&uuid, s);
}

static void
real_to_text(double real, struct str *out)
{
	char text[40];

	snprintf(text, sizeof(text), "%.15g", real);
	if (strtod(text, NULL) != real)
		snprintf(text, sizeof(text), "%.17g", real);
	str_append(out, text);
}

static void
string_to_text(const char *string, struct str *out)
{
	json_t *json;
	char *text;

	if (!string_needs_quotes(string)) {
		str_append(out, string);
		return;
	}
	json = json_string(string);
	text = json_dumps(json, JSON_ENCODE_ANY);
	str_append(out, text ? text : "\"\"");
	free(text);
	json_decref(json);
}

void
ovsdb_atom_to_text(const union ovsdb_atom *atom, enum ovsdb_kind kind, struct str *out)
{
	char text[UUID_TEXT_BYTES];

	switch (kind) {
	case OVSDB_INTEGER:
		str_printf(out, "%" PRId64, atom->integer);
		break;
	case OVSDB_REAL:
		real_to_text(atom->real, out);
		break;
	case OVSDB_BOOLEAN:
		str_append(out, atom->boolean ? "true" : "false");
		break;
	case OVSDB_STRING:
		string_to_text(atom->string, out);
		break;
	case OVSDB_UUID:
		uuid_to_text(&atom->uuid, text);
		str_append(out, text);
		break;
	case OVSDB_VOID:
	default:
		break;
	}
}

void
ovsdb_datum_to_text(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
                    struct str *out)
{
	bool is_map = ovsdb_type_is_map(type);
	/* An optional value of one prints as the value alone, except that a set that may
	 * hold more keeps its brackets. */
	bool is_bare = !is_map && datum->n == 1 && type->n_max == 1;

	if (!is_bare)
		str_append_char(out, is_map ? '{' : '[');
	for (size_t i = 0; i < datum->n; i++) {
		if (i)
			str_append(out, ", ");
		ovsdb_atom_to_text(&datum->keys[i], type->key.kind, out);
		if (is_map) {
			str_append_char(out, '=');
			ovsdb_atom_to_text(&datum->values[i], type->value.kind, out);
		}
	}
	if (!is_bare)
		str_append_char(out, is_map ? '}' : ']');
}
