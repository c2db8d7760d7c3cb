/* value.h - set arithmetic on column values, for the commands that add, remove and
 * compare. */
#pragma once

#include "ovsdb/datum.h"
#include "ovsdb/schema.h"

/* A type as lax about its number of elements as a list of arguments may be. */
struct ovsdb_type value_type_any_count(const struct ovsdb_type *type, unsigned n_max);

int value_atom_compare(const union ovsdb_atom *a, const union ovsdb_atom *b,
                       enum ovsdb_kind kind);

/* Where 'key' stands in 'datum', or -1. */
int value_index_of(const struct ovsdb_datum *datum, const struct ovsdb_type *type,
                   const union ovsdb_atom *key);

/* Puts copies of the elements of 'more' into 'datum'; keys that both have take the value
 * of 'more'. */
void value_add(struct ovsdb_datum *datum, const struct ovsdb_datum *more,
               const struct ovsdb_type *type);

/* As value_add() of one reference. */
void value_add_uuid(struct ovsdb_datum *datum, const struct uuid *uuid);

/* Takes the elements of 'less' out of 'datum'. If 'less' has values (it is of map type),
 * a pair goes only if both key and value agree. */
void value_remove(struct ovsdb_datum *datum, const struct ovsdb_type *type,
                  const struct ovsdb_datum *less, const struct ovsdb_type *less_type);
void value_remove_uuid(struct ovsdb_datum *datum, const struct uuid *uuid);

/* The order of the find command: more elements are greater; among equally many the keys
 * decide, then the values. */
int value_compare(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
                  const struct ovsdb_type *type);

/* How many elements of 'a' (pairs, for maps) are in 'b' too. */
size_t value_count_common(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
                          const struct ovsdb_type *type);

/* New values of one element; the text is copied. */
void value_init_string(struct ovsdb_datum *datum, const char *text);
void value_init_uuid(struct ovsdb_datum *datum, const struct uuid *uuid);
void value_init_integer(struct ovsdb_datum *datum, int64_t integer);
void value_init_bool(struct ovsdb_datum *datum, bool boolean);
