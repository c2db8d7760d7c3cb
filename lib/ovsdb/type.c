/* type.c - names of the kinds of atoms, and what counts as a name. Any thread. */
#include "ovsdb/type.h"

#include <ctype.h>
#include <string.h>

#include "base/compiler.h"

static const char *const kind_names[] = {
	[OVSDB_VOID] = "void",       [OVSDB_INTEGER] = "integer", [OVSDB_REAL] = "real",
	[OVSDB_BOOLEAN] = "boolean", [OVSDB_STRING] = "string",   [OVSDB_UUID] = "uuid",
};

const char *
ovsdb_kind_name(enum ovsdb_kind kind)
{
	return kind_names[kind];
}

bool
ovsdb_is_id(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '_')
			return false;
	return true;
}

bool
ovsdb_kind_from_name(const char *name, enum ovsdb_kind *kind)
{
	for (unsigned i = OVSDB_INTEGER; name && i < ARRAY_SIZE(kind_names); i++)
		if (!strcmp(name, kind_names[i])) {
			*kind = (enum ovsdb_kind)i;
			return true;
		}
	return false;
}
