/* value.c - set arithmetic on sorted datums. Used by the commands of weir-vsctl. */
#include "value.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct ovsdb_type
value_type_any_count(const struct ovsdb_type *type, unsigned n_max)
{
	struct ovsdb_type lax = *type;

	lax.n_min = 0;
	lax.n_max = n_max;
	return lax;
}

int
value_atom_compare(const union ovsdb_atom *a, const union ovsdb_atom *b,
                   enum ovsdb_kind kind)
{
	switch (kind) {
	case OVSDB_INTEGER:
		return a->integer < b->integer ? -1 : a->integer > b->integer;
	case OVSDB_REAL:
		return a->real < b->real ? -1 : a->real > b->real;
	case OVSDB_BOOLEAN:
		return (int)a->boolean - (int)b->boolean;
	case OVSDB_STRING:
		return strcmp(a->string, b->string);
	case OVSDB_UUID:
		return uuid_compare(&a->uuid, &b->uuid);
	case OVSDB_VOID:
	default:
		return 0;
	}
}

static union ovsdb_atom
atom_clone(const union ovsdb_atom *atom, enum ovsdb_kind kind)
{
	union ovsdb_atom copy = *atom;

	if (kind == OVSDB_STRING)
		copy.string = xstrdup(atom->string);
	return copy;
}

/* The first place whose key is not below 'key'. */
static size_t
lower_bound(const struct ovsdb_datum *datum, enum ovsdb_kind kind,
            const union ovsdb_atom *key)
{
	size_t low = 0, high = datum->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (value_atom_compare(&datum->keys[mid], key, kind) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int
value_index_of(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
               const union ovsdb_atom *key)
{
	size_t i = lower_bound(datum, type->key.kind, key);

	if (i < datum->n && !value_atom_compare(&datum->keys[i], key, type->key.kind))
		return (int)i;
	return -1;
}

/* 'value' is NULL unless the type is a map. */
static void
value_put(struct ovsdb_datum *datum, enum ovsdb_kind key_kind, enum ovsdb_kind value_kind,
          const union ovsdb_atom *key, const union ovsdb_atom *value)
{
	size_t i = lower_bound(datum, key_kind, key);

	if (i < datum->n && !value_atom_compare(&datum->keys[i], key, key_kind)) {
		if (value) {
			ovsdb_atom_destroy(&datum->values[i], value_kind);
			datum->values[i] = atom_clone(value, value_kind);
		}
		return;
	}
	datum->keys = xrealloc(datum->keys, (datum->n + 1) * sizeof(*datum->keys));
	memmove(&datum->keys[i + 1], &datum->keys[i],
	        (datum->n - i) * sizeof(*datum->keys));
	datum->keys[i] = atom_clone(key, key_kind);
	if (value) {
		datum->values =
			xrealloc(datum->values, (datum->n + 1) * sizeof(*datum->values));
		memmove(&datum->values[i + 1], &datum->values[i],
		        (datum->n - i) * sizeof(*datum->values));
		datum->values[i] = atom_clone(value, value_kind);
	}
	datum->n++;
}

static void
value_delete_at(struct ovsdb_datum *datum, const struct ovsdb_type *type, size_t i)
{
	size_t after = datum->n - i - 1;

	ovsdb_atom_destroy(&datum->keys[i], type->key.kind);
	memmove(&datum->keys[i], &datum->keys[i + 1], after * sizeof(*datum->keys));
	if (type->value.kind != OVSDB_VOID) {
		ovsdb_atom_destroy(&datum->values[i], type->value.kind);
		memmove(&datum->values[i], &datum->values[i + 1],
		        after * sizeof(*datum->values));
	}
	datum->n--;
}

void
value_add(struct ovsdb_datum *datum, const struct ovsdb_datum *more,
          const struct ovsdb_type *type)
{
	bool is_map = type->value.kind != OVSDB_VOID;

	for (size_t i = 0; i < more->n; i++)
		value_put(datum, type->key.kind, type->value.kind, &more->keys[i],
		          is_map ? &more->values[i] : NULL);
}

static const struct ovsdb_type uuid_set_type = {
	.key = {.kind = OVSDB_UUID},
	.value = {.kind = OVSDB_VOID},
	.n_max = OVSDB_UNLIMITED,
};

void
value_add_uuid(struct ovsdb_datum *datum, const struct uuid *uuid)
{
	union ovsdb_atom atom = {.uuid = *uuid};

	value_put(datum, OVSDB_UUID, OVSDB_VOID, &atom, NULL);
}

void
value_remove(struct ovsdb_datum *datum, const struct ovsdb_type *type,
             const struct ovsdb_datum *less, const struct ovsdb_type *less_type)
{
	bool pairs = less_type->value.kind != OVSDB_VOID;

	for (size_t i = 0; i < less->n; i++) {
		int at = value_index_of(datum, type, &less->keys[i]);

		if (at >= 0 &&
		    (!pairs || !value_atom_compare(&datum->values[at], &less->values[i],
		                                   type->value.kind)))
			value_delete_at(datum, type, (size_t)at);
	}
}

void
value_remove_uuid(struct ovsdb_datum *datum, const struct uuid *uuid)
{
	union ovsdb_atom atom = {.uuid = *uuid};
	struct ovsdb_datum one = {.n = 1, .keys = &atom};

	value_remove(datum, &uuid_set_type, &one, &uuid_set_type);
}

int
value_compare(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
              const struct ovsdb_type *type)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (size_t i = 0; i < a->n; i++) {
		int order = value_atom_compare(&a->keys[i], &b->keys[i], type->key.kind);

		if (order)
			return order;
	}
	for (size_t i = 0; i < a->n && type->value.kind != OVSDB_VOID; i++) {
		int order = value_atom_compare(&a->values[i], &b->values[i],
		                               type->value.kind);

		if (order)
			return order;
	}
	return 0;
}

size_t
value_count_common(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
                   const struct ovsdb_type *type)
{
	size_t common = 0;

	for (size_t i = 0; i < a->n; i++) {
		int at = value_index_of(b, type, &a->keys[i]);

		if (at >= 0 && (type->value.kind == OVSDB_VOID ||
		                !value_atom_compare(&a->values[i], &b->values[at],
		                                    type->value.kind)))
			common++;
	}
	return common;
}

static void
value_init_one(struct ovsdb_datum *datum, union ovsdb_atom atom)
{
	datum->n = 1;
	datum->keys = xmemdup(&atom, sizeof(atom));
	datum->values = NULL;
}

void
value_init_string(struct ovsdb_datum *datum, const char *text)
{
	value_init_one(datum, (union ovsdb_atom){.string = xstrdup(text)});
}

void
value_init_uuid(struct ovsdb_datum *datum, const struct uuid *uuid)
{
	value_init_one(datum, (union ovsdb_atom){.uuid = *uuid});
}

void
value_init_integer(struct ovsdb_datum *datum, int64_t integer)
{
	value_init_one(datum, (union ovsdb_atom){.integer = integer});
}

void
value_init_bool(struct ovsdb_datum *datum, bool boolean)
{
	value_init_one(datum, (union ovsdb_atom){.boolean = boolean});
}
