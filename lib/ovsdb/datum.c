/* datum.c - atoms and datums in memory: copy, order, default, difference. Below
 * datum_json.c and datum_text.c. Any thread. */
#include "ovsdb/datum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
ovsdb_atom_init_default(union ovsdb_atom *atom, enum ovsdb_kind kind)
{
	memset(atom, 0, sizeof(*atom));
	if (kind == OVSDB_STRING)
		atom->string = xstrdup("");
}

void
ovsdb_atom_clone(union ovsdb_atom *to, const union ovsdb_atom *from, enum ovsdb_kind kind)
{
	*to = *from;
	if (kind == OVSDB_STRING)
		to->string = xstrdup(from->string);
}

void
ovsdb_atom_destroy(union ovsdb_atom *atom, enum ovsdb_kind kind)
{
	if (kind == OVSDB_STRING)
		free(atom->string);
}

int
ovsdb_atom_compare(const union ovsdb_atom *a, const union ovsdb_atom *b,
                   enum ovsdb_kind kind)
{
	switch (kind) {
	case OVSDB_INTEGER:
		return (a->integer > b->integer) - (a->integer < b->integer);
	case OVSDB_REAL:
		return (a->real > b->real) - (a->real < b->real);
	case OVSDB_BOOLEAN:
		return a->boolean - b->boolean;
	case OVSDB_STRING:
		return strcmp(a->string, b->string);
	case OVSDB_UUID:
		return uuid_compare(&a->uuid, &b->uuid);
	case OVSDB_VOID:
	default:
		return 0;
	}
}

static uint32_t
atom_hash(const union ovsdb_atom *atom, enum ovsdb_kind kind, uint32_t basis)
{
	switch (kind) {
	case OVSDB_INTEGER:
		return hash_u64((uint64_t)atom->integer, basis);
	case OVSDB_REAL: {
		/* 0.0 and -0.0 are equal, so their hashes must be. */
		double real = atom->real == 0.0 ? 0.0 : atom->real;

		return hash_bytes(&real, sizeof(real), basis);
	}
	case OVSDB_BOOLEAN:
		return hash_u64(atom->boolean, basis);
	case OVSDB_STRING:
		return hash_string(atom->string, basis);
	case OVSDB_UUID:
		return hash_bytes(&atom->uuid, sizeof(atom->uuid), basis);
	case OVSDB_VOID:
	default:
		return basis;
	}
}

static void
datum_alloc(struct ovsdb_datum *datum, const struct ovsdb_type *type, size_t n)
{
	datum->n = n;
	datum->keys = n ? xcalloc(n, sizeof(*datum->keys)) : NULL;
	datum->values =
		n && ovsdb_type_is_map(type) ? xcalloc(n, sizeof(*datum->values)) : NULL;
}

void
ovsdb_datum_init_default(struct ovsdb_datum *datum, const struct ovsdb_type *type)
{
	datum_alloc(datum, type, type->n_min);
	for (size_t i = 0; i < datum->n; i++) {
		ovsdb_atom_init_default(&datum->keys[i], type->key.kind);
		if (datum->values)
			ovsdb_atom_init_default(&datum->values[i], type->value.kind);
	}
}

void
ovsdb_datum_destroy(struct ovsdb_datum *datum, const struct ovsdb_type *type)
{
	for (size_t i = 0; i < datum->n; i++) {
		ovsdb_atom_destroy(&datum->keys[i], type->key.kind);
		if (datum->values)
			ovsdb_atom_destroy(&datum->values[i], type->value.kind);
	}
	free(datum->keys);
	free(datum->values);
	memset(datum, 0, sizeof(*datum));
}

void
ovsdb_datum_clone(struct ovsdb_datum *to, const struct ovsdb_datum *from,
                  const struct ovsdb_type *type)
{
	datum_alloc(to, type, from->n);
	for (size_t i = 0; i < from->n; i++) {
		ovsdb_atom_clone(&to->keys[i], &from->keys[i], type->key.kind);
		if (to->values)
			ovsdb_atom_clone(&to->values[i], &from->values[i],
			                 type->value.kind);
	}
}

int
ovsdb_datum_compare(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
                    const struct ovsdb_type *type)
{
	int order;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (size_t i = 0; i < a->n; i++) {
		order = ovsdb_atom_compare(&a->keys[i], &b->keys[i], type->key.kind);
		if (!order && a->values)
			order = ovsdb_atom_compare(&a->values[i], &b->values[i],
			                           type->value.kind);
		if (order)
			return order;
	}
	return 0;
}

uint32_t
ovsdb_datum_hash(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
                 uint32_t basis)
{
	for (size_t i = 0; i < datum->n; i++) {
		basis = atom_hash(&datum->keys[i], type->key.kind, basis);
		if (datum->values)
			basis = atom_hash(&datum->values[i], type->value.kind, basis);
	}
	return basis;
}

bool
ovsdb_datum_is_default(const struct ovsdb_datum *datum, const struct ovsdb_type *type)
{
	struct ovsdb_datum standard;
	bool is_default;

	if (datum->n != type->n_min)
		return false;
	ovsdb_datum_init_default(&standard, type);
	is_default = !ovsdb_datum_compare(datum, &standard, type);
	ovsdb_datum_destroy(&standard, type);
	return is_default;
}

long
ovsdb_datum_find(const struct ovsdb_datum *datum, const union ovsdb_atom *key,
                 enum ovsdb_kind kind)
{
	size_t low = 0, high = datum->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = ovsdb_atom_compare(&datum->keys[middle], key, kind);

		if (!order)
			return (long)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

struct pair {
	union ovsdb_atom key, value;
};

static int
pair_compare(const void *a_, const void *b_, void *kind)
{
	const struct pair *a = a_, *b = b_;

	return ovsdb_atom_compare(&a->key, &b->key, *(const enum ovsdb_kind *)kind);
}

static bool
datum_is_sorted(const struct ovsdb_datum *datum, enum ovsdb_kind kind)
{
	for (size_t i = 1; i < datum->n; i++)
		if (ovsdb_atom_compare(&datum->keys[i - 1], &datum->keys[i], kind) >= 0)
			return false;
	return true;
}

int
ovsdb_datum_sort(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                 struct error *err)
{
	enum ovsdb_kind kind = type->key.kind;
	struct pair *pairs;

	if (datum_is_sorted(datum, kind))
		return 0;
	pairs = xcalloc(datum->n, sizeof(*pairs));
	for (size_t i = 0; i < datum->n; i++) {
		pairs[i].key = datum->keys[i];
		if (datum->values)
			pairs[i].value = datum->values[i];
	}
	qsort_r(pairs, datum->n, sizeof(*pairs), pair_compare, &kind);
	for (size_t i = 0; i < datum->n; i++) {
		datum->keys[i] = pairs[i].key;
		if (datum->values)
			datum->values[i] = pairs[i].value;
	}
	free(pairs);
	if (!datum_is_sorted(datum, kind))
		return error_set(err, -ERANGE, "%s contains a duplicate %s",
		                 datum->values ? "map" : "set",
		                 datum->values ? "key" : "value");
	return 0;
}

void
ovsdb_datum_remove(struct ovsdb_datum *datum, const struct ovsdb_type *type, size_t i)
{
	size_t n_after = --datum->n - i;

	ovsdb_atom_destroy(&datum->keys[i], type->key.kind);
	memmove(&datum->keys[i], &datum->keys[i + 1], n_after * sizeof(*datum->keys));
	if (!datum->values)
		return;
	ovsdb_atom_destroy(&datum->values[i], type->value.kind);
	memmove(&datum->values[i], &datum->values[i + 1],
	        n_after * sizeof(*datum->values));
}

void
ovsdb_datum_append(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                   const union ovsdb_atom *key, const union ovsdb_atom *value)
{
	size_t n = datum->n + 1;

	datum->keys = xrealloc(datum->keys, n * sizeof(*datum->keys));
	if (value)
		datum->values = xrealloc(datum->values, n * sizeof(*datum->values));
	ovsdb_atom_clone(&datum->keys[n - 1], key, type->key.kind);
	if (value)
		ovsdb_atom_clone(&datum->values[n - 1], value, type->value.kind);
	datum->n = n;
}

/* Entries of 'a' that 'b' lacks and, if 'with_changed', those with other values. */
static void
append_missing(struct ovsdb_datum *diff, const struct ovsdb_datum *a,
               const struct ovsdb_datum *b, const struct ovsdb_type *type,
               bool with_changed)
{
	for (size_t i = 0; i < a->n; i++) {
		long at = ovsdb_datum_find(b, &a->keys[i], type->key.kind);

		if (at < 0 ||
		    (with_changed && a->values &&
		     ovsdb_atom_compare(&a->values[i], &b->values[at], type->value.kind)))
			ovsdb_datum_append(diff, type, &a->keys[i],
			                   a->values ? &a->values[i] : NULL);
	}
}

void
ovsdb_datum_diff(struct ovsdb_datum *diff, const struct ovsdb_datum *old,
                 const struct ovsdb_datum *new, const struct ovsdb_type *type)
{
	if (type->n_max <= 1) {
		ovsdb_datum_clone(diff, new, type);
		return;
	}
	memset(diff, 0, sizeof(*diff));
	append_missing(diff, old, new, type, false);
	append_missing(diff, new, old, type, true);
	(void)ovsdb_datum_sort(diff, type, NULL); /* no key is in both halves */
}
