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
void ovsdb_atom_destroy(union ovsdb_atom *atom, enum ovsdb_kind kind);
