/* datum.h - the value of a column: a sorted set or map of atoms, its JSON and its text.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"

union ovsdb_atom {
	int64_t integer;
	double real;
	bool boolean;
	char *string; /* owned by the datum */
	struct uuid uuid;
};

/* A scalar is a set of one. Keys ascend and are unique. 'values' is NULL unless a map. */
struct ovsdb_datum {
	size_t n;
	union ovsdb_atom *keys;
	union ovsdb_atom *values;
};

void ovsdb_datum_init_default(struct ovsdb_datum *datum, const struct ovsdb_type *type);
void ovsdb_datum_destroy(struct ovsdb_datum *datum, const struct ovsdb_type *type);
void ovsdb_datum_clone(struct ovsdb_datum *to, const struct ovsdb_datum *from,
                       const struct ovsdb_type *type);
int ovsdb_datum_compare(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
                        const struct ovsdb_type *type);

uint32_t ovsdb_datum_hash(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
                          uint32_t basis);
bool ovsdb_datum_is_default(const struct ovsdb_datum *datum,
                            const struct ovsdb_type *type);

/* The place of 'key', or -1. */
long ovsdb_datum_find(const struct ovsdb_datum *datum, const union ovsdb_atom *key,
                      enum ovsdb_kind kind);

/* Puts keys that were written in any order into theirs. -ERANGE if two are equal. */
int ovsdb_datum_sort(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                     struct error *err);

/* Drops the entry at 'i'. */
void ovsdb_datum_remove(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                        size_t i);

/* Appends copies, unsorted: ovsdb_datum_sort() must follow. 'value' is NULL for sets. */
void ovsdb_datum_append(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                        const union ovsdb_atom *key, const union ovsdb_atom *value);

/* What monitors call the difference: of a set or map with more than one place the entries
 * that only one of the two has, and entries whose value changed with their new value; of
 * anything else the new value. */
void ovsdb_datum_diff(struct ovsdb_datum *diff, const struct ovsdb_datum *old,
                      const struct ovsdb_datum *new, const struct ovsdb_type *type);

/* Finds what ["named-uuid", name] stands for; false if the name is unknown. */
typedef bool ovsdb_named_uuid_fn(const char *name, struct uuid *uuid, void *aux);

/* <value> -> datum, with all constraints of the type checked. 'named' may be NULL.
 * -EINVAL (malformed: "syntax error") or -ERANGE ("constraint violation"). */
int ovsdb_datum_from_json(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                          const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
                          struct error *err);
json_t *ovsdb_datum_to_json(const struct ovsdb_datum *datum,
                            const struct ovsdb_type *type);

/* The text form of the ctl tools: atoms separated by commas or blanks, optionally in
 * [ ] or { }, map entries key=value, strings quoted where they would not read back.
 * A UUID may be given as "@name": its symbol is looked up by 'named'. */
int ovsdb_datum_from_text(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                          const char *text, ovsdb_named_uuid_fn *named, void *aux,
                          struct error *err);
void ovsdb_datum_to_text(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
                         struct str *out);
int ovsdb_atom_from_text(union ovsdb_atom *atom, const struct ovsdb_base_type *base,
                         const char *text, ovsdb_named_uuid_fn *named, void *aux,
                         struct error *err);
void ovsdb_atom_to_text(const union ovsdb_atom *atom, enum ovsdb_kind kind,
                        struct str *out);

void ovsdb_atom_init_default(union ovsdb_atom *atom, enum ovsdb_kind kind);
void ovsdb_atom_clone(union ovsdb_atom *to, const union ovsdb_atom *from,
                      enum ovsdb_kind kind);
int ovsdb_atom_compare(const union ovsdb_atom *a, const union ovsdb_atom *b,
                       enum ovsdb_kind kind);

/* -ERANGE unless 'atom' is what 'base' allows. */
int ovsdb_atom_check(const union ovsdb_atom *atom, const struct ovsdb_base_type *base,
                     struct error *err);
int ovsdb_atom_from_json(union ovsdb_atom *atom, const struct ovsdb_base_type *base,
                         const json_t *json, ovsdb_named_uuid_fn *named, void *aux,
                         struct error *err);
json_t *ovsdb_atom_to_json(const union ovsdb_atom *atom, enum ovsdb_kind kind);
void ovsdb_atom_destroy(union ovsdb_atom *atom, enum ovsdb_kind kind);
