/* type.h - the types of columns: kinds of atoms, and what a column may hold (RFC 7047,
 * section 3.2). Read from JSON by schema.c. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum ovsdb_kind {
	OVSDB_VOID,
	OVSDB_INTEGER,
	OVSDB_REAL,
	OVSDB_BOOLEAN,
	OVSDB_STRING,
	OVSDB_UUID
};

#define OVSDB_UNLIMITED UINT_MAX

struct ovsdb_datum;

/* <base-type>: a kind of atom and what it may be. */
struct ovsdb_base_type {
	enum ovsdb_kind kind;
	struct ovsdb_datum *allowed; /* "enum"; NULL = any */
	int64_t min_integer, max_integer;
	double min_real, max_real;
	unsigned min_length, max_length;
	char *ref_table; /* a UUID that must name a row of this table; NULL = any */
	bool is_weak_ref;
};

/* <type>: n_max > 1 is a set or map; value.kind is OVSDB_VOID unless a map. */
struct ovsdb_type {
	struct ovsdb_base_type key, value;
	unsigned n_min, n_max;
};

static inline bool
ovsdb_type_is_map(const struct ovsdb_type *type)
{
	return type->value.kind != OVSDB_VOID;
}

/* "integer", ...; for error texts. */
const char *ovsdb_kind_name(enum ovsdb_kind kind);

/* False if no kind has this name. */
bool ovsdb_kind_from_name(const char *name, enum ovsdb_kind *kind);

/* Letters, digits and underscores, not starting with a digit (RFC 7047, <id>). */
bool ovsdb_is_id(const char *text);
