/* names.c - finds tables, columns and rows by what users type; used by all commands of
 * weir-vsctl that take a table. argument.c parses column[:key]=value. */
#include "names.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MIN_UUID_DIGITS 4

/* How else than by UUID a row can be named: the row of 'name_table' whose 'name_column'
 * is that name is meant, or what its 'ref_column' refers to. Without 'name_column' the
 * only row of 'name_table' goes by ".". */
struct row_name {
	const char *table, *name_table, *name_column, *ref_column;
};

static const struct row_name row_names[] = {
	{"AutoAttach", "Bridge", "name", "auto_attach"},
	{"Bridge", "Bridge", "name", NULL},
	{"Controller", "Bridge", "name", "controller"},
	{"Flow_Sample_Collector_Set", "Flow_Sample_Collector_Set", "id", NULL},
	{"Flow_Table", "Flow_Table", "name", NULL},
	{"IPFIX", "Bridge", "name", "ipfix"},
	{"Interface", "Interface", "name", NULL},
	{"Manager", "Manager", "target", NULL},
	{"Mirror", "Mirror", "name", NULL},
	{"NetFlow", "Bridge", "name", "netflow"},
	{"Open_vSwitch", "Open_vSwitch", NULL, NULL},
	{"Port", "Port", "name", NULL},
	{"QoS", "Port", "name", "qos"},
	{"SSL", "Open_vSwitch", NULL, "ssl"},
	{"sFlow", "Bridge", "name", "sflow"},
};

static char
fold(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

enum match { MATCH_NONE, MATCH_PREFIX, MATCH_WHOLE };

static enum match
match_name(const char *typed, const char *name)
{
	while (*typed && fold(*typed) == fold(*name)) {
		typed++;
		name++;
	}
	if (*typed)
		return MATCH_NONE;
	return *name ? MATCH_PREFIX : MATCH_WHOLE;
}

int
names_find_table(const struct replica *replica, const char *name,
                 struct replica_table **table, struct error *err)
{
	struct replica_table *found = NULL;

	for (size_t i = 0; i < replica->n_tables; i++) {
		enum match match = match_name(name, replica->tables[i].schema->name);

		if (match == MATCH_NONE)
			continue;
		if (match == MATCH_PREFIX && found)
			return error_set(err, -EINVAL,
			                 "multiple table names match \"%s\"", name);
		found = &replica->tables[i];
		if (match == MATCH_WHOLE)
			break;
	}
	if (!found)
		return error_set(err, -EINVAL, "unknown table \"%s\"", name);
	*table = found;
	return 0;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
column_ambiguous(const struct replica_table *table, const char *name, struct error *err)
{
	size_t n = 0;
	const char **matches = xcalloc(table->schema->n_columns, sizeof(*matches));
	struct str list = STR_INIT;
	int ret;

	for (size_t i = 0; i < table->schema->n_columns; i++)
		if (match_name(name, table->schema->columns[i]->name) != MATCH_NONE)
			matches[n++] = table->schema->columns[i]->name;
	qsort(matches, n, sizeof(*matches), compare_strings);
	for (size_t i = 0; i < n; i++)
		str_printf(&list, "%s%s", i ? ", " : "", matches[i]);
	ret = error_set(err, -EINVAL,
	                "%s contains more than one column whose name matches \"%s\": %s",
	                table->schema->name, name, str_text(&list));
	str_free(&list);
	free(matches);
	return ret;
}

int
names_find_column(const struct replica_table *table, const char *name,
                  const struct ovsdb_column **column, struct error *err)
{
	const struct ovsdb_column *found = NULL;
	bool is_ambiguous = false;

	for (size_t i = 0; i < table->schema->n_columns; i++) {
		const struct ovsdb_column *c = table->schema->columns[i];
		enum match match = match_name(name, c->name);

		if (match == MATCH_NONE || !strcmp(c->name, "_version"))
			continue;
		if (match == MATCH_WHOLE) {
			*column = c;
			return 0;
		}
		is_ambiguous = found != NULL;
		if (is_ambiguous)
			break;
		found = c;
	}
	if (is_ambiguous)
		return column_ambiguous(table, name, err);
	if (!found)
		return error_set(err, -EINVAL,
		                 "%s does not contain a column whose name matches \"%s\"",
		                 table->schema->name, name);
	*column = found;
	return 0;
}

static const struct row_name *
find_row_name(const struct replica_table *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(row_names); i++)
		if (!strcmp(row_names[i].table, table->schema->name))
			return &row_names[i];
	return NULL;
}

void
names_want_rows(struct replica *replica, struct replica_table *table)
{
	const struct row_name *how = find_row_name(table);

	replica_want_rows(table);
	if (!how)
		return;
	replica_want(replica, how->name_table, how->name_column);
	if (how->ref_column)
		replica_want(replica, how->name_table, how->ref_column);
}

void
names_want_row(struct replica *replica, struct replica_table *table, const char *name)
{
	struct uuid uuid;

	/* A name that looks like a UUID may be a name where rows have such. */
	if (!find_row_name(table) && uuid_from_text(&uuid, name))
		replica_pick_row(table, &uuid);
	else if (name[0] != '@' || find_row_name(table))
		names_want_rows(replica, table);
}

static bool
row_has_name(const struct row *row, const struct row_name *how, const char *name)
{
	const struct ovsdb_column *column;
	const struct ovsdb_datum *datum;
	struct str text = STR_INIT;
	bool same;

	if (!how->name_column)
		return !strcmp(name, ".");
	column = row_column(row, how->name_column);
	if (!column)
		return false;
	datum = row_datum(row, column);
	if (datum->n != 1)
		return false;
	if (column->type.key.kind == OVSDB_STRING)
		return !strcmp(datum->keys[0].string, name);
	ovsdb_atom_to_text(&datum->keys[0], column->type.key.kind, &text);
	same = !strcmp(str_text(&text), name);
	str_free(&text);
	return same;
}

/* What a row that bears the name stands for in 'table'; NULL if nothing. */
static struct row *
row_meant(const struct replica_table *table, struct row *named,
          const struct row_name *how)
{
	const struct ovsdb_datum *refs;

	if (!how->ref_column)
		return named;
	row_verify(named, how->ref_column);
	refs = row_get(named, how->ref_column);
	return refs->n == 1 ? replica_row(table, &refs->keys[0].uuid) : NULL;
}

static int
find_row_by_name(struct vsctl *vsctl, const struct replica_table *table, const char *name,
                 struct row **row, struct error *err)
{
	const struct row_name *how = find_row_name(table);
	const struct replica_table *name_table;
	struct row **rows, *found = NULL;
	size_t n;
	int ret = 0;

	name_table = how ? replica_table(&vsctl->replica, how->name_table) : NULL;
	if (!name_table)
		return 0;
	rows = replica_rows(name_table, &n);
	for (size_t i = 0; i < n && !ret; i++) {
		if (!row_has_name(rows[i], how, name))
			continue;
		if (found)
			ret = error_set(err, -EINVAL, "multiple rows in %s match \"%s\"",
			                table->schema->name, name);
		found = rows[i];
	}
	free(rows);
	if (!ret && found)
		*row = row_meant(table, found, how);
	return ret;
}

static bool
is_uuid_prefix(const char *name)
{
	return strlen(name) >= MIN_UUID_DIGITS && strlen(name) < UUID_TEXT_BYTES &&
	       strspn(name, "0123456789abcdefABCDEF-") == strlen(name);
}

static int
find_row_by_prefix(const struct replica_table *table, const char *name, struct row **row,
                   struct error *err)
{
	struct row **rows, *found = NULL;
	size_t n;
	int ret = 0;

	rows = replica_rows(table, &n);
	for (size_t i = 0; i < n && !ret; i++) {
		char text[UUID_TEXT_BYTES];

		uuid_to_text(&rows[i]->uuid, text);
		if (strncasecmp(text, name, strlen(name)))
			continue;
		if (found)
			ret = error_set(
				err, -EINVAL,
				"%s contains 2 or more rows whose UUIDs begin with %s",
				table->schema->name, name);
		found = rows[i];
	}
	free(rows);
	if (!ret)
		*row = found;
	return ret;
}

int
names_find_row(struct vsctl *vsctl, const struct replica_table *table, const char *name,
               bool must_exist, struct row **row, struct error *err)
{
	struct uuid uuid;
	int ret = 0;

	*row = NULL;
	if (name[0] == '@') {
		vsctl_resolve_symbol(name, &uuid, vsctl);
		*row = replica_row(table, &uuid);
	} else if (uuid_from_text(&uuid, name))
		*row = replica_row(table, &uuid);
	if (!*row)
		ret = find_row_by_name(vsctl, table, name, row, err);
	if (!ret && !*row && is_uuid_prefix(name))
		ret = find_row_by_prefix(table, name, row, err);
	if (!ret && !*row && must_exist)
		return error_set(err, -ENOENT, "no row \"%s\" in table %s", name,
		                 table->schema->name);
	return ret;
}
