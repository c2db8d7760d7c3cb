/* datum_json.c - RFC 7047's <value> and <atom> to and from datums, and the constraints of
 * base types. Beside datum_text.c, above datum.c. Any thread. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ovsdb/datum.h"

static size_t
count_characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xc0) != 0x80;
	return n;
}

static int
check_enum(const union ovsdb_atom *atom, const struct ovsdb_base_type *base,
           struct error *err)
{
	const struct ovsdb_type type = {.key = {.kind = base->kind},
	                                .n_max = OVSDB_UNLIMITED};
	struct str value = STR_INIT, allowed = STR_INIT;

	if (ovsdb_datum_find(base->allowed, atom, base->kind) >= 0)
		return 0;
	ovsdb_atom_to_text(atom, base->kind, &value);
	ovsdb_datum_to_text(base->allowed, &type, &allowed);
	error_set(err, -ERANGE, "%s is not one of the allowed values %s",
	          str_text(&value), str_text(&allowed));
	str_free(&value);
	str_free(&allowed);
	return -ERANGE;
}

static int
check_integer(int64_t value, const struct ovsdb_base_type *base, struct error *err)
{
	if (value >= base->min_integer && value <= base->max_integer)
		return 0;
	if (base->min_integer != INT64_MIN && base->max_integer != INT64_MAX)
		return error_set(err, -ERANGE,
		                 "%" PRId64 " is not in the range %" PRId64
		                 " to %" PRId64,
		                 value, base->min_integer, base->max_integer);
	if (base->min_integer != INT64_MIN)
		return error_set(err, -ERANGE,
		                 "%" PRId64 " is less than the minimum %" PRId64, value,
		                 base->min_integer);
	return error_set(err, -ERANGE, "%" PRId64 " is more than the maximum %" PRId64,
	                 value, base->max_integer);
}

static int
check_string(const char *text, const struct ovsdb_base_type *base, struct error *err)
{
	size_t n;

	if (!base->min_length && base->max_length == OVSDB_UNLIMITED)
		return 0;
	n = count_characters(text);
	if (n < base->min_length)
		return error_set(
			err, -ERANGE,
			"\"%.60s\" has %zu characters, fewer than the minimum %u", text,
			n, base->min_length);
	if (n > base->max_length)
		return error_set(err, -ERANGE,
		                 "\"%.60s\" has %zu characters, more than the maximum %u",
		                 text, n, base->max_length);
	return 0;
}

int
ovsdb_atom_check(const union ovsdb_atom *atom, const struct ovsdb_base_type *base,
                 struct error *err)
{
	if (base->allowed)
		return check_enum(atom, base, err);
	if (base->kind == OVSDB_INTEGER)
		return check_integer(atom->integer, base, err);
	if (base->kind == OVSDB_STRING)
		return check_string(atom->string, base, err);
	if (base->kind == OVSDB_REAL &&
	    (atom->real < base->min_real || atom->real > base->max_real))
		return error_set(err, -ERANGE, "%.15g is not in the range %.15g to %.15g",
		                 atom->real, base->min_real, base->max_real);
	return 0;
}

/* 1.0 is an integer too: JSON has one kind of number. */
static bool
integer_from_json(int64_t *integer, const json_t *json)
{
	double real;

	if (json_is_integer(json)) {
		*integer = json_integer_value(json);
		return true;
	}
	if (!json_is_real(json))
		return false;
	real = json_real_value(json);
	if (real != floor(real) || real < -0x1p63 || real >= 0x1p63)
		return false;
	*integer = (int64_t)real;
	return true;
}

static bool
uuid_from_json(struct uuid *uuid, const json_t *json, ovsdb_named_uuid_fn *named,
               void *aux)
{
	const char *tag, *text;

	if (!json_is_array(json) || json_array_size(json) != 2)
		return false;
	tag = json_string_value(json_array_get(json, 0));
	text = json_string_value(json_array_get(json, 1));
	if (!tag || !text)
		return false;
	if (!strcmp(tag, "uuid"))
		return uuid_from_text(uuid, text);
	return !strcmp(tag, "named-uuid") && named && ovsdb_is_id(text) &&
	       named(text, uuid, aux);
}

static bool
bare_atom_from_json(union ovsdb_atom *atom, enum ovsdb_kind kind, const json_t *json,
                    ovsdb_named_uuid_fn *named, void *aux)
{
	switch (kind) {
	case OVSDB_INTEGER:
		return integer_from_json(&atom->integer, json);
	case OVSDB_REAL:
		atom->real = json_number_value(json);
		return json_is_number(json);
	case OVSDB_BOOLEAN:
		atom->boolean = json_is_true(json);
		return json_is_boolean(json);
	case OVSDB_STRING:
		if (!json_is_string(json))
			return false;
		atom->string = xstrdup(json_string_value(json));
		return true;
	case OVSDB_UUID:
		return uuid_from_json(&atom->uuid, json, named, aux);
	case OVSDB_VOID:
	default:
		return false;
	}
}

int
ovsdb_atom_from_json(union ovsdb_atom *atom, const struct ovsdb_base_type *base,
                     const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
                     struct error *err)
{
	int rc;

	if (!bare_atom_from_json(atom, base->kind, json, named, aux)) {
		char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

		error_set(err, -EINVAL, "%.200s is not a valid %s", text ? text : "?",
		          ovsdb_kind_name(base->kind));
		free(text);
		return -EINVAL;
	}
	rc = ovsdb_atom_check(atom, base, err);
	if (rc)
		ovsdb_atom_destroy(atom, base->kind);
	return rc;
}

json_t *
ovsdb_atom_to_json(const union ovsdb_atom *atom, enum ovsdb_kind kind)
{
	char text[UUID_TEXT_BYTES];
	json_t *array;

	switch (kind) {
	case OVSDB_INTEGER:
		return json_integer(atom->integer);
	case OVSDB_REAL:
		return json_real(atom->real);
	case OVSDB_BOOLEAN:
		return json_boolean(atom->boolean);
	case OVSDB_STRING:
		return json_string(atom->string);
	case OVSDB_UUID:
		uuid_to_text(&atom->uuid, text);
		array = json_array();
		json_array_append_new(array, json_string_nocheck("uuid"));
		json_array_append_new(array, json_string_nocheck(text));
		return array;
	case OVSDB_VOID:
	default:
		return json_null();
	}
}

/* ["set", [...]] -> [...]; NULL if 'json' is not of that form. */
static const json_t *
tagged_array(const json_t *json, const char *tag)
{
	const char *found = json_string_value(json_array_get(json, 0));
	const json_t *array = json_array_get(json, 1);

	if (json_array_size(json) != 2 || !found || strcmp(found, tag) != 0 ||
	    !json_is_array(array))
		return NULL;
	return array;
}

static int
map_entry_from_json(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                    const json_t *pair, ovsdb_named_uuid_fn *named, void *aux,
                    struct error *err)
{
	size_t i = datum->n;
	int rc;

	if (!json_is_array(pair) || json_array_size(pair) != 2)
		return error_set(err, -EINVAL,
		                 "a map's entry must be an array of key and value");
	rc = ovsdb_atom_from_json(&datum->keys[i], &type->key, json_array_get(pair, 0),
	                          named, aux, err);
	if (rc)
		return rc;
	rc = ovsdb_atom_from_json(&datum->values[i], &type->value,
	                          json_array_get(pair, 1), named, aux, err);
	if (rc)
		ovsdb_atom_destroy(&datum->keys[i], type->key.kind);
	return rc;
}

static int
check_count(size_t n, const struct ovsdb_type *type, struct error *err)
{
	if (n >= type->n_min && n <= type->n_max)
		return 0;
	if (type->n_max == OVSDB_UNLIMITED)
		return error_set(err, -EINVAL,
		                 "at least %u members are needed, %zu are present",
		                 type->n_min, n);
	return error_set(err, -EINVAL, "%u to %u members are needed, %zu are present",
	                 type->n_min, type->n_max, n);
}

/* 'array' holds the elements of a set or map; NULL: 'atom' is the only element. */
static int
elements_from_json(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                   const json_t *array, const json_t *atom, ovsdb_named_uuid_fn *named,
                   void *aux, struct error *err)
{
	bool is_map = ovsdb_type_is_map(type);
	size_t n = array ? json_array_size(array) : 1;
	int rc;

	rc = check_count(n, type, err);
	if (rc || !n)
		return rc;
	datum->keys = xcalloc(n, sizeof(*datum->keys));
	datum->values = is_map ? xcalloc(n, sizeof(*datum->values)) : NULL;
	while (datum->n < n) {
		const json_t *element = array ? json_array_get(array, datum->n) : atom;

		if (is_map)
			rc = map_entry_from_json(datum, type, element, named, aux, err);
		else
			rc = ovsdb_atom_from_json(&datum->keys[datum->n], &type->key,
			                          element, named, aux, err);
		if (rc)
			return rc;
		datum->n++;
	}
	return ovsdb_datum_sort(datum, type, err);
}

int
ovsdb_datum_from_json(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                      const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
                      struct error *err)
{
	bool is_map = ovsdb_type_is_map(type);
	const json_t *array = tagged_array(json, is_map ? "map" : "set");
	int rc;

	memset(datum, 0, sizeof(*datum));
	if (is_map && !array)
		return error_set(err, -EINVAL,
		                 "a map must be [\"map\", [[key, value], ...]]");
	rc = elements_from_json(datum, type, array, json, named, aux, err);
	if (rc)
		ovsdb_datum_destroy(datum, type);
	return rc;
}

json_t *
ovsdb_datum_to_json(const struct ovsdb_datum *datum, const struct ovsdb_type *type)
{
	json_t *array;

	if (!ovsdb_type_is_map(type) && datum->n == 1)
		return ovsdb_atom_to_json(&datum->keys[0], type->key.kind);
	array = json_array();
	for (size_t i = 0; i < datum->n; i++) {
		json_t *key = ovsdb_atom_to_json(&datum->keys[i], type->key.kind);
		json_t *element = key;

		if (ovsdb_type_is_map(type)) {
			element = json_array();
			json_array_append_new(element, key);
			json_array_append_new(
				element,
				ovsdb_atom_to_json(&datum->values[i], type->value.kind));
		}
		json_array_append_new(array, element);
	}
	return json_pack("[s,o]", ovsdb_type_is_map(type) ? "map" : "set", array);
}
